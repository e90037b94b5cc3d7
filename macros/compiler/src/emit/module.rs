//! The public function and the companion module of the same name.

use super::docs;
use super::literal::constant;
use super::signature::{arguments, array, parameter, pointer_name, private, public, types};
use super::{Internal, code, reference};
use crate::Compiled;
use crate::error::{Error, Errors};
use crate::graph::Param;
use crate::isa::Isa;
use crate::kernel_ir::Role;
use crate::syntax::ast::{Function, Interface, Type, Vis};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// Everything that one formula becomes.
pub fn module(compiled: &Compiled) -> Result<TokenStream, Errors> {
    let body = text(compiled).map_err(|e| internal(&compiled.interface, &e))?;
    let docs = docs::function(compiled);
    let typed = compiled.graph.params.iter().map(|p| (p.name.clone(), parameter(p))).collect::<Vec<_>>();
    assemble(&compiled.interface, &typed, &docs, &body)
}

/// What stands in place of a formula with mistakes: the same items with bodies that do nothing, so
/// that the code which uses them compiles and the mistakes are the only errors.
pub fn stub(function: &Function) -> TokenStream {
    let params = stub_params(function);
    let names: Vec<&str> = params.iter().map(|p| p.0.as_str()).collect();
    let never = "::core::panic!(\"the kernel has compile errors\")";
    let list = |prefixed: fn(&str) -> String| {
        params.iter().map(|(name, ty)| format!("{}: {ty}", prefixed(name))).collect::<Vec<_>>().join(", ")
    };
    let (public, private) = (list(str::to_string), list(pointer_name));
    let isa = isa_name(&names);
    let body = format!(
        "/// Not known.\npub const FLOPS: u64 = 0;\n\
         /// Not known.\npub const BYTES: u64 = 0;\n\
         /// Not known.\npub const SCHEDULE: &str = \"\";\n\
         /// Not known.\npub fn reference({public}) {{ {never} }}\n\
         /// Not known.\npub fn variants() -> impl ::core::iter::Iterator<Item = ::kernforge::Variant> {{ ::core::iter::empty() }}\n\
         /// Not known.\npub fn isa() -> ::kernforge::Isa {{ {never} }}\n\
         /// Not known.\npub fn on({isa}: ::kernforge::Isa, {public}) -> ::core::result::Result<(), ::kernforge::IsaUnavailable> {{ {never} }}\n\
         pub(super) fn run({private}) {{ {never} }}\n"
    );
    // The stub stands beside the errors that caused it; if it fails too, they are enough.
    assemble(&function.interface, &params, &[], &body).unwrap_or_default()
}

/// The names and types of a stub's parameters. What could not be understood takes anything, so that
/// a call of a wrong kernel is not wrong too.
fn stub_params(function: &Function) -> Vec<(String, String)> {
    let interface = &function.interface;
    let array = |ty: &Type| array(ty.dtype, &ty.dims.iter().map(|d| d.0).collect::<Vec<_>>());
    let mut params: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, ty: Option<String>| {
        let (mut name, mut ty) = (name.to_string(), ty);
        while params.iter().any(|p| p.0 == name) {
            name.push('_');
            ty = None; // of two parameters with one name nobody knows which is meant
        }
        params.push((name, ty.unwrap_or_else(|| "impl ::core::marker::Sized".into())));
    };
    for p in &interface.params {
        let reference = match (p.mutable, p.ty.dims.is_empty()) {
            (true, _) => "&mut ",
            (false, true) => "",
            (false, false) => "&",
        };
        add(&p.name.to_string(), (!p.ty.broken).then(|| format!("{reference}{}", array(&p.ty))));
    }
    for (i, ty) in interface.results.iter().enumerate() {
        let name = if interface.results.len() > 1 { format!("out{i}") } else { "out".into() };
        add(&name, (!ty.broken).then(|| format!("&mut {}", array(ty))));
    }
    // Results without a type, unless they may be meant for an in-out parameter.
    let returned = function.results.iter().filter(|r| r.target.is_none()).count();
    if interface.results.is_empty() && !interface.params.iter().any(|p| p.mutable) {
        (0..returned).for_each(|i| add(&format!("out{i}"), None));
    }
    params
}

/// The companion module's items as Rust text, comments included.
pub fn text(compiled: &Compiled) -> Result<String, Internal> {
    let params = &compiled.graph.params;
    let (public, private, arguments) = (public(params), private(params), arguments(params));
    let isa = isa_name(&params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>());
    let mut isas: Vec<Isa> = compiled.variants.iter().map(|v| v.isa).collect();
    isas.sort();
    let best = match isas.as_slice() {
        [Isa::Portable, .., best] => *best,
        [Isa::Portable] => Isa::Portable,
        _ => return Err("the portable variant is missing".into()),
    };
    let mut text = format!(
        "/// Nominal floating-point operations of one call.\n\
         pub const FLOPS: u64 = {};\n\n\
         /// Bytes of the arguments: each read or written once, in-out twice.\n\
         pub const BYTES: u64 = {};\n\n\
         /// The schedules chosen, one line an instruction set.\n\
         pub const SCHEDULE: &str = {:?};\n\n",
        docs::flops(&compiled.kernel),
        docs::bytes(params),
        docs::schedules(compiled),
    );
    text += &format!(
        "/// The same computation as naive loops in safe Rust, in the same order: every variant with a\n\
         /// fused multiply-add gives the same bits.\n\
         pub fn reference({public}) {{\n{}{}}}\n\n",
        rename(params),
        reference(&compiled.kernel, params)?
    );
    text += "/// The instruction sets that the kernel is compiled for, worst first.\n\
             pub fn variants() -> impl ::core::iter::Iterator<Item = ::kernforge::Variant> {\n    VARIANTS.iter()\n}\n\n";
    let fixed = fixed(best);
    let name = best.name();
    text += &format!(
        "/// The instruction set that a call uses.\n\
         pub fn isa() -> ::kernforge::Isa {{\n    \
             #[cfg({fixed})]\n    {{\n        {}\n    }}\n    \
             #[cfg(not({fixed}))]\n    {{\n        VARIANTS.isa()\n    }}\n}}\n\n",
        isa_path(best),
    );
    text += &format!(
        "/// Runs the variant of one instruction set.\n\
         pub fn on({isa}: ::kernforge::Isa, {public}) -> ::core::result::Result<(), ::kernforge::IsaUnavailable> {{\n    \
             let function = VARIANTS.on({isa})?;\n    \
             // SAFETY: `Variants::on` returns only functions whose instruction set the CPU has.\n    \
             unsafe {{ function({arguments}) }};\n    \
             ::core::result::Result::Ok(())\n}}\n\n"
    );
    let names = params.iter().map(|p| pointer_name(&p.name)).collect::<Vec<_>>().join(", ");
    text += &format!(
        "/// Runs the best variant.\n\
         #[inline]\npub(super) fn run({private}) {{\n    \
             // SAFETY: the flags of this build promise the features.\n    \
             #[cfg({fixed})]\n    unsafe {{\n        {name}({names})\n    }}\n    \
             // SAFETY: `Variants::get` returns only functions whose instruction set the CPU has.\n    \
             #[cfg(not({fixed}))]\n    unsafe {{\n        VARIANTS.get()({names})\n    }}\n}}\n\n"
    );
    text += &format!("type Function = unsafe fn({});\n\n", types(params));
    text += "static VARIANTS: ::kernforge::__private::Variants<Function> = ::kernforge::__private::Variants::new(\n    \
             portable as Function,\n    &[\n";
    for isa in isas.iter().filter(|&&isa| isa != Isa::Portable) {
        if let Some(arch) = isa.table().arch {
            text += &format!("        #[cfg(target_arch = {arch:?})]\n");
        }
        text += &format!("        ({}, {} as Function),\n", isa_path(*isa), isa.name());
    }
    text += "    ],\n);\n\n";
    for buffer in &compiled.kernel.buffers {
        if let Role::Const(values) = &buffer.role {
            text += &constant(buffer, values)?;
        }
    }
    for variant in &compiled.variants {
        text += "\n";
        text += &code(&variant.code, params)?;
    }
    Ok(text)
}

/// The `cfg` under which the flags of a build promise an ISA.
pub(super) fn fixed(isa: Isa) -> String {
    let arch = isa.table().arch.iter().map(|arch| format!("target_arch = {arch:?}"));
    let features = isa.table().features.iter().map(|feature| format!("target_feature = {feature:?}"));
    format!("all({})", arch.chain(features).collect::<Vec<_>>().join(", "))
}

/// The runtime's name of an ISA.
pub(super) fn isa_path(isa: Isa) -> &'static str {
    match isa {
        Isa::Portable => "::kernforge::Isa::Portable",
        Isa::Avx2 => "::kernforge::Isa::Avx2",
        Isa::Avx512 => "::kernforge::Isa::Avx512",
    }
}

/// The name of the parameter of `on` that the user's parameters do not have.
fn isa_name(params: &[&str]) -> &'static str {
    let free = |name: &&&str| !params.contains(*name);
    ["isa", "instruction_set", "on_isa"].iter().find(free).unwrap_or(&"kernforge_isa")
}

/// From the user's names to those the code uses.
fn rename(params: &[Param]) -> String {
    let names = params.iter().map(|p| pointer_name(&p.name)).collect::<Vec<_>>().join(", ");
    match params {
        [_] => format!("    let {names} = {};\n", arguments(params)),
        _ => format!("    let ({names}) = ({});\n", arguments(params)),
    }
}

/// The public function with the user's tokens and parameters of these names and types, and the
/// module with the text's.
fn assemble(
    interface: &Interface,
    params: &[(String, String)],
    docs: &[String],
    body: &str,
) -> Result<TokenStream, Errors> {
    let lex = |text: &str| text.parse::<TokenStream>().map_err(|e| internal(interface, &format!("{e} in its output")));
    let Interface { attrs, name, .. } = interface;
    let (body, vis, cfgs) = (lex(body)?, visibility(&interface.vis), cfgs(attrs));
    let module = relocated(name);
    let companion = docs::companion(&name.to_string());
    let (mut typed, mut names) = (TokenStream::new(), TokenStream::new());
    for (i, (name, ty)) in params.iter().enumerate() {
        let ident = match interface.params.get(i).filter(|user| user.name == name) {
            Some(user) => relocated(&user.name).into_token_stream(),
            None => lex(name)?,
        };
        let ty = lex(ty)?;
        typed.extend(quote! { #ident: #ty, });
        names.extend(quote! { #ident, });
    }
    // A formula has as many operands as it has.
    let many = quote!(#[allow(clippy::too_many_arguments)]);
    let inline = if attribute_names(attrs).any(|(name, _)| name == "inline") { None } else { Some(quote!(#[inline])) };
    Ok(quote! {
        #attrs
        #(#[doc = #docs])*
        #many
        #inline
        #vis fn #name(#typed) {
            #module::run(#names)
        }

        #cfgs
        #[doc = #companion]
        #many
        #vis mod #module {
            #body
        }
    })
}

/// The name at the user's place but as if the macro had written it: rustc then reports a lint about
/// it once, at the function, and not again at the module.
fn relocated(name: &Ident) -> Ident {
    let mut ident = name.clone();
    ident.set_span(Span::call_site().located_at(name.span()));
    ident
}

pub(super) fn visibility(vis: &Vis) -> TokenStream {
    match vis {
        Vis::Private => TokenStream::new(),
        Vis::Public => quote!(pub),
        Vis::Crate => quote!(pub(crate)),
        Vis::Super => quote!(pub(super)),
        Vis::In(path) => quote!(pub(in #path)),
    }
}

/// The `#[cfg(..)]`s among attributes: the module must vanish with the function.
pub(super) fn cfgs(attrs: &TokenStream) -> TokenStream {
    attribute_names(attrs).filter(|(name, _)| name == "cfg").map(|(_, group)| quote!(# #group)).collect()
}

/// The attributes: the first name in the brackets, and the brackets.
fn attribute_names(attrs: &TokenStream) -> impl Iterator<Item = (String, TokenTree)> + use<> {
    attrs.clone().into_iter().filter_map(|token| match &token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let first = group.stream().into_iter().next()?;
            Some((first.to_string(), token))
        }
        TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

fn internal(interface: &Interface, what: &str) -> Errors {
    let message = format!("internal error in kernforge, please report: {what}");
    Error { span: interface.name.span(), message }.into()
}
