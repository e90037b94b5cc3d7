//! The packed weights: a static if they are known, else a type that is filled from a file when the
//! program runs.

use super::{lex, names};
use crate::dtype::DType;
use crate::emit::module::{cfgs, visibility};
use crate::emit::signature;
use crate::emit::{Internal, code, literal};
use crate::graph::network::{Network, Source, Weight};
use crate::kernel_ir::{Buffer, BufferId, Role};
use crate::network::{Compiled, Parts};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The type of all parts.
pub(super) fn array(compiled: &Compiled) -> Result<TokenStream, Internal> {
    let (len, dtype) = (Literal::usize_unsuffixed(compiled.prepare.len), lex(compiled.dtype.name())?);
    Ok(quote!(::kernforge::__private::Aligned<[#dtype; #len]>))
}

/// The address of the weights of `self`.
pub(super) fn address(network: &Network) -> TokenStream {
    match (&network.source, network.reloads()) {
        (Source::Runtime, _) => quote!((&raw const self.weights.parts.0).cast()),
        (Source::File { .. } | Source::Zeroed | Source::Seeded(_), true) => {
            quote!((&raw const self.loaded.or(&WEIGHTS).0).cast())
        }
        (Source::File { .. } | Source::Zeroed | Source::Seeded(_), false) => quote!((&raw const WEIGHTS.0).cast()),
    }
}

/// The type of weights given at run time, if they are, and what stands beside the network's methods.
pub(super) fn weights(network: &Network, compiled: &Compiled) -> Result<(TokenStream, TokenStream), Internal> {
    let len = Literal::usize_unsuffixed(compiled.prepare.len);
    let ty = array(compiled)?;
    let file = match &network.source {
        Source::File { path, .. } => {
            let path = path.to_string_lossy();
            quote! {
                // A file that changes makes the crate compile again.
                const _: &[u8] = ::core::include_bytes!(#path);
            }
        }
        Source::Runtime | Source::Zeroed | Source::Seeded(_) => quote!(),
    };
    let table = match &compiled.parts {
        Parts::Runtime => return runtime(network, compiled, &ty, &len),
        Parts::Zero => quote!(static WEIGHTS: #ty = ::kernforge::__private::Aligned([0.0; #len]);),
        Parts::Bytes(bytes) => {
            let decode = lex(&format!("::kernforge::__private::constants_{}", compiled.dtype))?;
            let literal = Literal::byte_string(bytes);
            quote!(static WEIGHTS: #ty = #decode(#literal);)
        }
    };
    let reload = if network.reloads() { reload(network, compiled)? } else { quote!() };
    Ok((quote!(), quote!(#file #table #reload)))
}

/// `load` of a network whose known weights can be replaced.
fn reload(network: &Network, compiled: &Compiled) -> Result<TokenStream, Internal> {
    let (name, ty) = (&network.name, array(compiled)?);
    let functions = lex(&functions(compiled)?)?;
    let load = lex(&load(network, compiled, "loaded.0")?)?;
    let (expected, ignore) = (expected(network), &network.ignore);
    Ok(quote! {
        ::kernforge::__with_alloc! {
            #functions

            impl #name {
                /// The network with the weights of a safetensors file, which a trainer saved, in place of its own. They
                /// are on the heap. The error names every tensor that is wrong.
                pub fn load(bytes: &[u8]) -> ::core::result::Result<#name, ::kernforge::WeightsError> {
                    let file = ::kernforge::__private::weights::File::fitting(bytes, &[#expected], &[#(#ignore),*])?;
                    // SAFETY: zero is a value of every float.
                    let mut loaded = unsafe { ::kernforge::__private::Box::<#ty>::new_zeroed().assume_init() };
                    #load?;
                    let mut network = #name::new();
                    network.loaded = ::kernforge::__private::Loaded::some(loaded);
                    ::core::result::Result::Ok(network)
                }
            }
        }
    })
}

fn runtime(
    network: &Network,
    compiled: &Compiled,
    ty: &TokenStream,
    len: &Literal,
) -> Result<(TokenStream, TokenStream), Internal> {
    let (vis, cfgs, name) = (visibility(&network.vis), cfgs(&network.attrs), lex(&names::weights(network))?);
    let docs = format!("The weights of any number of [`{}`]s, packed for their code.", network.name);
    let item = quote! {
        #cfgs
        #[doc = #docs]
        #vis struct #name {
            parts: #ty,
        }
    };
    let functions = lex(&functions(compiled)?)?;
    let load = lex(&load(network, compiled, "weights.parts.0")?)?;
    let (expected, ignore) = (expected(network), &network.ignore);
    let methods = quote! {
        #functions

        impl #name {
            /// All parts zero, until [`load_into`](Self::load_into) fills them.
            pub const fn zeroed() -> #name {
                #name { parts: ::kernforge::__private::Aligned([0.0; #len]) }
            }
        }

        ::kernforge::__with_alloc! {
            /// The tensors of a file: the names that each may have, and its shape.
            static EXPECTED: &[(&[&str], &[usize])] = &[#expected];

            impl #name {
                /// All parts zero, on the heap without a copy on the stack.
                pub fn boxed() -> ::kernforge::__private::Box<#name> {
                    // SAFETY: zero is a value of every float.
                    unsafe { ::kernforge::__private::Box::<#name>::new_zeroed().assume_init() }
                }

                /// Whether the bytes of a safetensors file fit; if not, the error names every tensor that
                /// is wrong.
                pub fn check(bytes: &[u8]) -> ::core::result::Result<(), ::kernforge::WeightsError> {
                    ::kernforge::__private::weights::File::fitting(bytes, EXPECTED, &[#(#ignore),*])?;
                    ::core::result::Result::Ok(())
                }

                /// Reads the weights from the bytes of a safetensors file. If the file does not fit,
                /// nothing changes and the error is that of [`check`](Self::check).
                pub fn load_into(weights: &mut #name, bytes: &[u8]) -> ::core::result::Result<(), ::kernforge::WeightsError> {
                    let file = ::kernforge::__private::weights::File::fitting(bytes, EXPECTED, &[#(#ignore),*])?;
                    #load
                }
            }
        }
    };
    Ok((item, methods))
}

/// The functions that pack, and the fixed values they read.
fn functions(compiled: &Compiled) -> Result<String, Internal> {
    let mut text = String::new();
    for (number, unit) in compiled.prepare_units.iter().enumerate() {
        let params: Vec<_> = unit.kernel.buffers.iter().map(super::driver::array).collect();
        for variant in &unit.variants {
            text += &code::function(&variant.code, &params, &format!("prepare{number}"))?;
        }
    }
    for (number, buffer) in compiled.prepare.kernel.buffers.iter().enumerate() {
        if let Role::Const(values) = &buffer.role {
            text += &literal::constant(&Buffer { name: format!("prepare{number}"), ..buffer.clone() }, values)?;
        }
    }
    Ok(text)
}

/// What a file is to have: the names that each tensor may have, and its shape.
fn expected(network: &Network) -> TokenStream {
    let mut expected = TokenStream::new();
    for weight in &network.weights {
        let (names, shape) = (names_of(weight), weight.shape.iter().map(|n| Literal::usize_unsuffixed(*n)));
        expected.extend(quote!((&[#(#names),*], &[#(#shape),*]),));
    }
    expected
}

/// A block that reads a `file` that fits into the parts at `place`: a tensor is read before its first use and dropped
/// after its last.
fn load(network: &Network, compiled: &Compiled, place: &str) -> Result<String, Internal> {
    let kernel = &compiled.prepare.kernel;
    let mut text = format!("{{\nlet parts = (&raw mut {place}).cast::<u8>();\n");
    // The buffers by number: the first and the last contraction that touches each.
    let mut life: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (at, c) in kernel.body.iter().enumerate() {
        for access in c.reads.iter().chain([&c.out]) {
            life.entry(access.buffer.0 as usize).or_insert((at, at)).1 = at;
        }
    }
    for (at, call) in compiled.prepare_calls.iter().enumerate() {
        let mut used: Vec<usize> = call.args.iter().map(|arg| arg.buffer.0 as usize).collect();
        used.sort_unstable();
        let starts = |id: usize| life.get(&id).is_some_and(|l| l.0 == at);
        let ends = |id: usize| life.get(&id).is_some_and(|l| l.1 == at);
        for &id in &used {
            let Some(buffer) = kernel.buffers.get(id).filter(|_| starts(id)) else { continue };
            let (zero, read) = match buffer.dtype {
                DType::F32 => ("0.0f32", "read"),
                DType::F64 => ("0.0f64", "read_f64"),
                DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => {
                    return Err(format!("weights of type {}", buffer.dtype));
                }
            };
            match &buffer.role {
                Role::Weight => {
                    let weight = network.weight(&buffer.name).ok_or_else(|| format!("no weight `{}`", buffer.name))?;
                    let _ = writeln!(text, "let mut b{id} = ::kernforge::__private::vec![{zero}; {}];", buffer.len);
                    let _ = writeln!(text, "file.{read}(&{:?}, &{:?}, &mut b{id})?;", names_of(weight), weight.shape);
                }
                Role::Temp => {
                    let _ = writeln!(text, "let mut b{id} = ::kernforge::__private::vec![{zero}; {}];", buffer.len);
                }
                Role::Out | Role::Const(_) => {}
                Role::In | Role::InOut | Role::Scalar => return Err("weights with an argument".into()),
            }
        }
        let unit = compiled.prepare_units.get(call.unit).ok_or("a unit that was not compiled")?;
        let args: Vec<String> = call
            .args
            .iter()
            .zip(&unit.kernel.buffers)
            .map(|(arg, wanted)| argument(compiled, arg.buffer, arg.offset, wanted))
            .collect::<Result<_, _>>()?;
        let _ = writeln!(
            text,
            "// SAFETY: every array lies inside its tensor or part, and none overlaps what is written.\n\
             unsafe {{ prepare{}({}) }};",
            call.unit,
            args.join(", ")
        );
        for &id in &used {
            if ends(id) && kernel.buffers.get(id).is_some_and(|b| matches!(b.role, Role::Weight | Role::Temp)) {
                let _ = writeln!(text, "::core::mem::drop(b{id});");
            }
        }
    }
    Ok(text + "::core::result::Result::Ok::<(), ::kernforge::WeightsError>(())\n}\n")
}

/// The names under which a file may have a weight.
fn names_of(weight: &Weight) -> Vec<&str> {
    match weight.names.as_slice() {
        [] => vec![weight.key.as_str()],
        names => names.iter().map(String::as_str).collect(),
    }
}

/// An argument of a packing function.
fn argument(compiled: &Compiled, id: BufferId, offset: usize, wanted: &Buffer) -> Result<String, Internal> {
    let buffer = compiled.prepare.kernel.buffers.get(id.0 as usize).ok_or("an argument that does not exist")?;
    let mutable = signature::is_written(wanted);
    let pointer = match &buffer.role {
        Role::Out => {
            let part = compiled.prepare.parts.iter().find(|p| p.buffer == id);
            let part = part.ok_or_else(|| format!("`{}` is no part", buffer.name))?;
            format!("parts.add({})", (part.offset + offset) * buffer.dtype.bytes())
        }
        Role::Const(_) => format!("(&raw const CONST_PREPARE{}.0).cast::<{}>().add({offset})", id.0, buffer.dtype),
        Role::Weight | Role::Temp if mutable => format!("b{}.as_mut_ptr().add({offset})", id.0),
        Role::Weight | Role::Temp => format!("b{}.as_ptr().add({offset})", id.0),
        Role::In | Role::InOut | Role::Scalar => return Err("weights with an argument".into()),
    };
    let borrow = if mutable { "&mut *" } else { "&*" };
    Ok(format!("{borrow}{pointer}.cast::<[{}; {}]>()", wanted.dtype, wanted.len))
}
