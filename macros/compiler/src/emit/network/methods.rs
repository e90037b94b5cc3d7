//! The methods of a network's type.

use super::driver::{self, Target};
use super::{lex, many, names, profile, weights};
use crate::emit::Internal;
use crate::emit::module::{fixed, isa_path, visibility};
use crate::emit::signature::{array, parameter, pointer_name};
use crate::graph::network::{Entry, LayerId, Network, Source};
use crate::graph::{Param, ParamKind};
use crate::isa::Isa;
use crate::network::{Compiled, CompiledEntry};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use std::fmt::Write;

/// The drivers of all entries as one table, and its variants by instruction set.
pub(super) fn table(network: &Network, compiled: &Compiled, isas: &[Isa]) -> String {
    let mut text = String::from("#[derive(Clone, Copy)]\nstruct Table {\n");
    for (number, entry) in compiled.entries.iter().enumerate() {
        let types: Vec<String> =
            driver::parameters(network, entry, compiled.dtype).into_iter().map(|(_, ty)| ty).collect();
        let _ =
            writeln!(text, "    entry{number}: unsafe fn(&mut ::kernforge::__private::NoProbe, {}),", types.join(", "));
    }
    text += "}\n";
    let value = |isa: Isa| {
        let one = |(n, e)| format!("entry{n}: {}", names::driver(network, e, Target::Isa(isa)));
        let fields: Vec<String> = compiled.entries.iter().enumerate().map(one).collect();
        format!("Table {{ {} }}", fields.join(", "))
    };
    let _ = writeln!(
        text,
        "static VARIANTS: ::kernforge::__private::Variants<Table> = ::kernforge::__private::Variants::new({}, &[",
        value(Isa::Portable)
    );
    for isa in isas.iter().filter(|isa| **isa != Isa::Portable) {
        if let Some(arch) = isa.table().arch {
            let _ = writeln!(text, "    #[cfg(target_arch = {arch:?})]");
        }
        let _ = writeln!(text, "    ({}, {}),", isa_path(*isa), value(*isa));
    }
    text += "]);\n";
    let best = isas.last().copied().unwrap_or(Isa::Portable);
    let (fixed, path, best) = (fixed(best), isa_path(best), value(best));
    let _ = writeln!(
        text,
        "#[inline]\nfn table() -> Table {{\n    #[cfg({fixed})]\n    {{\n        {best}\n    }}\n    \
             #[cfg(not({fixed}))]\n    {{\n        VARIANTS.get()\n    }}\n}}\n\
         fn chosen() -> ::kernforge::Isa {{\n    #[cfg({fixed})]\n    {{\n        {path}\n    }}\n    \
             #[cfg(not({fixed}))]\n    {{\n        VARIANTS.isa()\n    }}\n}}"
    );
    text
}

/// The `impl` of the type.
pub(super) fn methods(network: &Network, compiled: &Compiled) -> Result<TokenStream, Internal> {
    let name = &network.name;
    let runtime = matches!(network.source, Source::Runtime);
    let life = if runtime { quote!(<'w>) } else { quote!() };
    let state = lex(&names::state(network))?;
    let constants = lex(&constants(network, compiled))?;
    let construct = construct(network, compiled)?;
    let profile = profile::method(network, compiled)?;
    let mut entries = TokenStream::new();
    for (number, of) in compiled.entries.iter().enumerate() {
        let entry = network.entries.get(of.entry).ok_or("an entry that does not exist")?;
        entries.extend(calls(network, entry, of, number)?);
    }
    for (number, entry) in network.entries.iter().enumerate() {
        let counts: Vec<&CompiledEntry> = compiled.entries.iter().filter(|e| e.entry == number).collect();
        entries.extend(many::many(entry, &counts)?);
    }
    Ok(quote! {
        impl #life #name #life {
            #constants
            #construct

            /// Forgets what was remembered, as after `new`.
            pub fn reset(&mut self) {
                self.state = #state::zeroed();
            }

            /// What is remembered between calls.
            pub fn state(&self) -> &#state {
                &self.state
            }

            /// What is remembered between calls, to be changed.
            pub fn state_mut(&mut self) -> &mut #state {
                &mut self.state
            }

            /// The instruction set that a call uses.
            pub fn isa() -> ::kernforge::Isa {
                chosen()
            }

            /// The instruction sets that the network is compiled for, worst first.
            pub fn variants() -> impl ::core::iter::Iterator<Item = ::kernforge::Variant> {
                VARIANTS.iter()
            }

            #profile

            #entries
        }
    })
}

/// `MACS` and the others.
fn constants(network: &Network, compiled: &Compiled) -> String {
    let macs: u64 = network.layers.iter().map(|l| l.macs).sum();
    let params: u64 = network.layers.iter().map(|l| l.params).sum();
    let mut text = format!(
        "/// Multiply-adds of one sample.\npub const MACS: u64 = {macs};\n\
         /// Numbers in its weights.\npub const PARAMS: u64 = {params};\n\
         /// Bytes of intermediate results.\npub const ARENA_BYTES: usize = {};\n\
         /// Bytes of the packed weights.\npub const WEIGHT_BYTES: usize = {};\n\
         /// The layers, in the order of their first use.\n\
         pub const LAYERS: &'static [::kernforge::Layer] = &[\n",
        compiled.arena_bytes,
        compiled.prepare.len * compiled.dtype.bytes(),
    );
    for (number, layer) in network.layers.iter().enumerate() {
        let code = chosen_code(compiled, LayerId(number as u32));
        let _ = writeln!(
            text,
            "::kernforge::Layer {{ name: {:?}, op: {:?}, input: &{:?}, output: &{:?}, macs: {}, params: {}, code: {:?} }},",
            layer.path, layer.op, layer.input, layer.output, layer.macs, layer.params, code
        );
    }
    text + "];\n"
}

/// The code chosen for a layer on the best ISA: the schedule of each of its contractions and what it
/// is estimated to cost, equal ones once.
fn chosen_code(compiled: &Compiled, layer: LayerId) -> String {
    let mut units: Vec<(usize, usize)> = Vec::new();
    let entries = compiled.entries.iter().filter(|e| e.count == 1);
    for (call, _) in entries.flat_map(|e| e.calls.iter().zip(&e.layers)).filter(|(_, l)| **l == Some(layer)) {
        match units.iter_mut().find(|(unit, _)| *unit == call.unit) {
            Some((_, times)) => *times += 1,
            None => units.push((call.unit, 1)),
        }
    }
    let line = |&(unit, times): &(usize, usize)| {
        let unit = compiled.units.get(unit)?;
        let best = unit.variants.last()?;
        let times = if times == 1 { String::new() } else { format!("{times} times ") };
        let schedule = best.schedule.display(&unit.kernel);
        Some(format!("{}: {times}{schedule}; about {:.0} cycles", best.isa.name(), best.cycles))
    };
    let mut lines: Vec<String> = Vec::new();
    for (_, reason) in compiled.entries.iter().flat_map(|e| &e.sparse).filter(|(l, _)| *l == Some(layer)) {
        if !lines.contains(reason) {
            lines.push(reason.clone());
        }
    }
    lines.extend(units.iter().filter_map(line));
    lines.join("\n")
}

/// `new` and `boxed`.
fn construct(network: &Network, compiled: &Compiled) -> Result<TokenStream, Internal> {
    let name = &network.name;
    let arena = Literal::usize_unsuffixed(compiled.arena_bytes);
    let (state, weights) = (lex(&names::state(network))?, lex(&names::weights(network))?);
    let (life, parameter, field, write) = match network.source {
        Source::Runtime => (
            quote!(<'w>),
            quote!(weights: &'w #weights),
            quote!(weights,),
            quote!((&raw mut (*place.as_mut_ptr()).weights).write(weights);),
        ),
        Source::File { .. } | Source::Zeroed | Source::Seeded(_) => {
            let field = match network.reloads() {
                true => quote!(loaded: ::kernforge::__private::Loaded::none(),),
                false => quote!(),
            };
            (quote!(), quote!(), field, quote!())
        }
    };
    Ok(quote! {
        /// The network before its first call.
        pub const fn new(#parameter) -> #name #life {
            #name { arena: ::kernforge::__private::Aligned([0; #arena]), state: #state::zeroed(), #field }
        }

        ::kernforge::__with_alloc! {
            /// The network before its first call, built on the heap without a copy on the stack.
            pub fn boxed(#parameter) -> ::kernforge::__private::Box<#name #life> {
                // SAFETY: zero is a value of the arena and of the state, which are numbers, and of loaded
                // weights, of which there are none; a reference to weights is written.
                unsafe {
                    #[allow(unused_mut)]
                    let mut place = ::kernforge::__private::Box::<#name #life>::new_zeroed();
                    #write
                    place.assume_init()
                }
            }
        }
    })
}

/// The functions of an entry.
fn calls(network: &Network, entry: &Entry, compiled: &CompiledEntry, number: usize) -> Result<TokenStream, Internal> {
    let Entry { name, attrs, .. } = entry;
    let vis = visibility(&entry.vis);
    let (mut typed, mut args) = (TokenStream::new(), TokenStream::new());
    for param in compiled.arguments() {
        let (ident, ty) = (ident(param), lex(&parameter(param))?);
        typed.extend(quote!(#ident: #ty,));
        args.extend(match (param.kind, param.shape.len()) {
            (ParamKind::Scalar, _) => quote!(#ident,),
            (ParamKind::InOut | ParamKind::Out | ParamKind::State, _) => quote!((&raw mut *#ident).cast(),),
            (ParamKind::In | ParamKind::Weight, _) => quote!((&raw const *#ident).cast(),),
        });
    }
    let weights = weights::address(network);
    let args = quote! {
        &mut ::kernforge::__private::NoProbe,
        (&raw mut self.arena).cast(),
        &raw mut self.state,
        #weights,
        #args
    };
    let (mut types, mut values) = (Vec::new(), Vec::new());
    for param in compiled.results() {
        let offset = driver::result_offset(&compiled.kernel, compiled, &param.name)?;
        let offset = Literal::usize_unsuffixed(offset);
        let ty = lex(&array(param.dtype, &param.shape))?;
        let reference = if param.shape.is_empty() { quote!() } else { quote!(&) };
        types.push(quote!(#reference #ty));
        values.push(quote!(#reference *self.arena.0.as_ptr().add(#offset).cast::<#ty>()));
    }
    let (result, values) = match (entry.tuple, types.as_slice(), values.as_slice()) {
        (false, [ty], [value]) => (quote!(#ty), quote!(#value)),
        (_, types, values) => (quote!((#(#types,)*)), quote!((#(#values,)*))),
    };
    let field = quote::format_ident!("entry{number}");
    let on = suffixed(name, "on");
    let reference = suffixed(name, "reference");
    let reference_driver = quote::format_ident!("{}", names::driver(network, compiled, Target::Reference));
    let isa = quote::format_ident!("{}", isa_name(compiled));
    let formula = format!("```ignore\n{}\n```", entry.formula);
    let on_docs = format!("`{name}` by the code of one instruction set.");
    let reference_docs = format!(
        "`{name}` as naive loops in safe Rust, in the same order: every variant with a fused multiply-add gives the same bits."
    );
    if compiled.count > 1 {
        let name = suffixed(name, &format!("batch{}", compiled.count));
        return Ok(quote! {
            /// So many samples at once.
            fn #name(&mut self, #typed) -> #result {
                // SAFETY: as in the function for one sample.
                unsafe {
                    (table().#field)(#args);
                    #values
                }
            }
        });
    }
    // What a trainer calls it may read again, while the next call has not begun.
    let again = matches!(entry.vis, crate::syntax::ast::Vis::Private).then(|| {
        let name = suffixed(name, "results");
        quote! {
            fn #name(&self) -> #result {
                // SAFETY: the results lie in the arena where the memory plan says, until the next call; before the
                // first they are zero.
                unsafe { #values }
            }
        }
    });
    Ok(quote! {
        #again

        #attrs
        #[doc = ""]
        #[doc = #formula]
        #vis fn #name(&mut self, #typed) -> #result {
            // SAFETY: `Variants` chooses only what the CPU has; the arrays are whole, and the results
            // lie in the arena where the memory plan says, until the next call.
            unsafe {
                (table().#field)(#args);
                #values
            }
        }

        #[doc = #on_docs]
        #vis fn #on(&mut self, #isa: ::kernforge::Isa, #typed) -> ::core::result::Result<#result, ::kernforge::IsaUnavailable> {
            let table = VARIANTS.on(#isa)?;
            // SAFETY: as above; `Variants::on` returns only what the CPU has.
            unsafe {
                (table.#field)(#args);
                ::core::result::Result::Ok(#values)
            }
        }

        #[doc = #reference_docs]
        #[inline]
        #vis fn #reference(&mut self, #typed) -> #result {
            // SAFETY: as above; it needs no instruction set.
            unsafe {
                #reference_driver(#args);
                #values
            }
        }
    })
}

/// The user's name of a parameter, at its place.
pub(super) fn ident(param: &Param) -> Ident {
    match param.name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, param.span),
        None => Ident::new(&param.name, param.span),
    }
}

/// `forward_on`
pub(super) fn suffixed(name: &Ident, suffix: &str) -> Ident {
    quote::format_ident!("{}_{suffix}", names::plain(&name.to_string()), span = name.span())
}

/// A name for the instruction set that no parameter has.
fn isa_name(entry: &CompiledEntry) -> &'static str {
    let free = |name: &&&str| !entry.arguments().any(|p| pointer_name(&p.name) == pointer_name(name));
    ["isa", "instruction_set", "on_isa"].iter().find(free).unwrap_or(&"kernforge_isa")
}
