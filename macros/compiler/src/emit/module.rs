//! The public function and the companion module of the same name.

use super::docs;
use super::literal::constant;
use super::signature::{Argument, Signature};
use super::{Internal, code, reference};
use crate::Compiled;
use crate::error::{Error, Errors};
use crate::graph::{Param, ParamKind};
use crate::isa::Isa;
use crate::kernel_ir::Role;
use crate::syntax::ast::{Interface, Type, Vis};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// Everything that one formula becomes.
pub fn module(compiled: &Compiled) -> Result<TokenStream, Errors> {
    let body = text(compiled).map_err(|e| internal(&compiled.interface, &e))?;
    let docs = docs::function(compiled);
    assemble(&compiled.interface, &Signature::new(&compiled.graph.params), &docs, &body)
}

/// What stands in place of a formula with mistakes: the same items with bodies that do nothing, so
/// that the code which uses them compiles and the mistakes are the only errors.
pub fn stub(interface: &Interface) -> TokenStream {
    let signature = written(interface);
    let never = "::core::panic!(\"the kernel has compile errors\")";
    let (public, private, isa) = (signature.public(), signature.private(), signature.free(ISA));
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
    assemble(interface, &signature, &[], &body).unwrap_or_default()
}

/// The companion module's items as Rust text, comments included.
pub fn text(compiled: &Compiled) -> Result<String, Internal> {
    let params = &compiled.graph.params;
    let signature = Signature::new(params);
    let (public, private) = (signature.public(), signature.private());
    let (arguments, names, isa) = (signature.public_names(), signature.private_names(), signature.free(ISA));
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
        rename(&signature),
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
    text += &format!(
        "/// Runs the best variant.\n\
         #[inline]\npub(super) fn run({private}) {{\n    \
             // SAFETY: the flags of this build promise the features.\n    \
             #[cfg({fixed})]\n    unsafe {{\n        {name}({names})\n    }}\n    \
             // SAFETY: `Variants::get` returns only functions whose instruction set the CPU has.\n    \
             #[cfg(not({fixed}))]\n    unsafe {{\n        VARIANTS.get()({names})\n    }}\n}}\n\n"
    );
    text += &format!("type Function = unsafe fn({});\n\n", signature.types());
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
fn fixed(isa: Isa) -> String {
    let arch = isa.table().arch.iter().map(|arch| format!("target_arch = {arch:?}"));
    let features = isa.table().features.iter().map(|feature| format!("target_feature = {feature:?}"));
    format!("all({})", arch.chain(features).collect::<Vec<_>>().join(", "))
}

/// The runtime's name of an ISA.
fn isa_path(isa: Isa) -> &'static str {
    match isa {
        Isa::Portable => "::kernforge::Isa::Portable",
        Isa::Avx2 => "::kernforge::Isa::Avx2",
        Isa::Avx512 => "::kernforge::Isa::Avx512",
    }
}

/// Names for the parameter that `on` has besides the user's.
const ISA: [&str; 3] = ["isa", "instruction_set", "which_isa"];

/// From the user's names to those the code uses.
fn rename(signature: &Signature) -> String {
    let (private, public) = (signature.private_names(), signature.public_names());
    match signature.0.as_slice() {
        [_] => format!("    let {private} = {public};\n"),
        _ => format!("    let ({private}) = ({public});\n"),
    }
}

/// The public function with the user's tokens, and the module with the text's.
fn assemble(interface: &Interface, signature: &Signature, docs: &[String], body: &str) -> Result<TokenStream, Errors> {
    let lex = |text: &str| text.parse::<TokenStream>().map_err(|e| internal(interface, &format!("{e} in its output")));
    let Interface { attrs, name, .. } = interface;
    let (body, vis, cfgs) = (lex(body)?, visibility(&interface.vis), cfgs(attrs));
    let module = relocated(name);
    let companion = docs::companion(&name.to_string());
    let (mut typed, mut names) = (TokenStream::new(), TokenStream::new());
    for (i, argument) in signature.0.iter().enumerate() {
        let ident = match interface.params.get(i) {
            Some(user) => relocated(&user.name).into_token_stream(),
            None => lex(&argument.name)?,
        };
        let ty = lex(&argument.ty)?;
        typed.extend(quote! { #ident: #ty, });
        names.extend(quote! { #ident, });
    }
    let inline = if attribute_names(attrs).any(|(name, _)| name == "inline") { None } else { Some(quote!(#[inline])) };
    Ok(quote! {
        #attrs
        #(#[doc = #docs])*
        #inline
        #vis fn #name(#typed) {
            #module::run(#names)
        }

        #cfgs
        #[doc = #companion]
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

fn visibility(vis: &Vis) -> TokenStream {
    match vis {
        Vis::Private => TokenStream::new(),
        Vis::Public => quote!(pub),
        Vis::Crate => quote!(pub(crate)),
        Vis::Super => quote!(pub(super)),
        Vis::In(path) => quote!(pub(in #path)),
    }
}

/// The `#[cfg(..)]`s among attributes: the module must vanish with the function.
fn cfgs(attrs: &TokenStream) -> TokenStream {
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

/// The parameters as written, for a stub. A type that could not be read accepts anything.
fn written(interface: &Interface) -> Signature {
    let argument = |name: String, ty: &Type, kind: ParamKind| {
        let shape = ty.dims.iter().map(|d| d.0).collect();
        let known = Argument::new(&Param { name, dtype: ty.dtype, shape, kind, span: ty.span });
        let unreadable = ty.broken || ty.dims.iter().any(|d| d.0 == 0);
        if unreadable { Argument { ty: "impl ::core::marker::Sized".into(), ..known } } else { known }
    };
    let params = interface.params.iter().map(|p| {
        let kind = match (p.mutable, p.ty.dims.is_empty()) {
            (true, _) => ParamKind::InOut,
            (false, true) => ParamKind::Scalar,
            (false, false) => ParamKind::In,
        };
        argument(p.name.to_string(), &p.ty, kind)
    });
    let many = interface.results.len() > 1;
    let results = interface.results.iter().enumerate().map(|(i, ty)| {
        let name = if many { format!("out{i}") } else { "out".into() };
        argument(name, ty, ParamKind::Out)
    });
    Signature(params.chain(results).collect())
}

fn internal(interface: &Interface, what: &str) -> Errors {
    let message = format!("internal error in kernforge, please report: {what}");
    Error { span: interface.name.span(), message }.into()
}
