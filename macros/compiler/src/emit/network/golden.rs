//! `golden = "file.npz"`: a test in the user's crate that runs the network on recorded inputs.
//!
//! The file has one array for each argument of the first entry, under its name, and one for each
//! result that is to be compared: `out`, or `out0`, `out1`, … An in-out argument `h` is there as it is before the
//! call, and as `h_out` afterwards if that is to be compared. An array has the shape of one sample, or with a
//! leading axis the samples of consecutive calls of one network. `tolerance` is a number: the
//! difference allowed, as a part of the largest recorded result (1e-4 if it is missing); indices are to be equal.
//! With `weights = runtime` the test loads the file that `golden(.., weights = ..)` names, as a program would.

use super::{lex, names};
use crate::dtype::DType;
use crate::emit::signature::array;
use crate::error::{Error, Errors};
use crate::graph::network::{Golden, Network};
use crate::graph::{Param, ParamKind};
use crate::import::{FileTensor, WeightFile};
use crate::network::{Compiled, CompiledEntry};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

/// The test, if the network has recorded results.
pub(super) fn test(network: &Network, compiled: &Compiled) -> Result<TokenStream, Errors> {
    let (Some(golden), Some(entry)) = (&network.golden, compiled.entries.first()) else { return Ok(quote!()) };
    write(network, golden, entry).map_err(|message| Error { span: golden.span, message }.into())
}

fn write(network: &Network, golden: &Golden, entry: &CompiledEntry) -> Result<TokenStream, String> {
    let bytes = std::fs::read(&golden.path).map_err(|e| format!("cannot read {}: {e}", golden.path.display()))?;
    let file = WeightFile::open(&golden.name, bytes).map_err(|e| e.to_string())?;
    let mut samples = None;
    let mut statics = TokenStream::new();
    let (mut args, mut befores, mut checks) = (Vec::new(), TokenStream::new(), TokenStream::new());
    let mut compared = 0;
    for (n, param) in entry.arguments().enumerate() {
        let name = names::plain(&param.name);
        let known = recorded(&file, param, name)?.ok_or_else(|| missing(&file, param))?;
        let given = value(param, name, known, &file, &mut samples, &mut statics)?;
        if param.kind != ParamKind::InOut {
            args.push(given);
            continue;
        }
        let place = quote::format_ident!("changed{n}");
        befores.extend(quote!(let mut #place = *#given;));
        args.push(quote!(&mut #place));
        let after = format!("{name}_out");
        if let Some(known) = recorded(&file, param, &after)? {
            compared += 1;
            let expected = value(param, &after, known, &file, &mut samples, &mut statics)?;
            checks.extend(check(param, &after, &quote!(&#place), &expected));
        }
    }
    let mut places = Vec::new();
    for (n, param) in entry.results().enumerate() {
        let place = quote::format_ident!("result{n}");
        let name = names::plain(&param.name);
        if let Some(known) = recorded(&file, param, name)? {
            compared += 1;
            let expected = value(param, name, known, &file, &mut samples, &mut statics)?;
            checks.extend(check(param, name, &quote!(#place), &expected));
        }
        places.push(place);
    }
    if compared == 0 {
        let first = entry.results().next().map_or("out", |p| p.name.as_str());
        return Err(format!("{} has no recorded result: store one as `{first}`", golden.name));
    }
    let tolerance = match file.get("tolerance") {
        Some(t) => file.numbers(t).map_err(|e| e.to_string())?.first().copied().unwrap_or(1e-4),
        None => 1e-4,
    };
    let network_entry = network.entries.get(entry.entry).ok_or("an entry that does not exist")?;
    let (name, forward) = (&network.name, &network_entry.name);
    let binding = if network_entry.tuple { quote!((#(#places,)*)) } else { quote!(#(#places)*) };
    let samples = Literal::usize_unsuffixed(samples.unwrap_or(1));
    let test = Ident::new(&format!("{}_golden", snake(names::plain(&name.to_string()))), golden.span);
    let path = golden.path.to_string_lossy();
    let (load, made) = match &golden.weights {
        None => (quote!(), quote!(#name::boxed())),
        Some(file) => {
            let (file, weights) = (file.to_string_lossy(), lex(&names::weights(network))?);
            let load = quote! {
                let mut weights = #weights::boxed();
                if let ::core::result::Result::Err(error) =
                    #weights::load_into(&mut weights, ::core::include_bytes!(#file))
                {
                    ::core::panic!("{error}");
                }
            };
            (load, quote!(#name::boxed(&weights)))
        }
    };
    Ok(quote! {
        // A file that changes makes the crate compile again.
        #[cfg(test)]
        const _: &[u8] = ::core::include_bytes!(#path);

        #[cfg(test)]
        ::kernforge::__with_alloc! {
            #[test]
            fn #test() {
                #statics
                let tolerance = #tolerance;
                #load
                let mut network = #made;
                for sample in 0..#samples {
                    #befores
                    let #binding = network.#forward(#(#args),*);
                    #checks
                }
            }
        }
    })
}

/// The comparison of what was found with what was recorded.
fn check(param: &Param, name: &str, found: &TokenStream, expected: &TokenStream) -> TokenStream {
    let (found, expected) = match param.shape.as_slice() {
        [] => (quote!(&[#found]), quote!(&[#expected])),
        _shape => {
            (quote!(::kernforge::__private::elements(#found)), quote!(::kernforge::__private::elements(#expected)))
        }
    };
    let tolerance = if param.dtype.is_float() { quote!(tolerance) } else { quote!(0.0) };
    quote!(::kernforge::__private::assert_close(#name, sample, #found, #expected, #tolerance);)
}

/// An array of a parameter, its shape checked, and whether it has an axis of samples.
fn recorded<'f>(
    file: &'f WeightFile,
    param: &Param,
    name: &str,
) -> Result<Option<(&'f FileTensor, Option<usize>)>, String> {
    let Some(tensor) = file.get(name) else { return Ok(None) };
    if tensor.shape == param.shape {
        return Ok(Some((tensor, None)));
    }
    match tensor.shape.split_first() {
        Some((count, sample)) if sample == param.shape && *count > 0 => Ok(Some((tensor, Some(*count)))),
        _other => Err(format!(
            "`{name}` in {} is {:?}, but one sample is {:?}: store one, or several along a first axis",
            file.name, tensor.shape, param.shape
        )),
    }
}

fn missing(file: &WeightFile, param: &Param) -> String {
    let names: Vec<&str> = file.tensors().map(|t| t.name.as_str()).collect();
    format!("{} has no array `{}` for the argument; it has {}", file.name, names::plain(&param.name), names.join(", "))
}

/// A static with the array's values, and the expression of one sample of it.
fn value(
    param: &Param,
    name: &str,
    (tensor, count): (&FileTensor, Option<usize>),
    file: &WeightFile,
    samples: &mut Option<usize>,
    statics: &mut TokenStream,
) -> Result<TokenStream, String> {
    if let Some(count) = count {
        match samples {
            Some(known) if *known != count => {
                return Err(format!("{} has {count} samples of `{}` but {known} of others", file.name, param.name));
            }
            Some(_) | None => *samples = Some(count),
        }
    }
    let numbers = file.numbers(tensor).map_err(|e| e.to_string())?;
    let bytes: Vec<u8> = match param.dtype {
        DType::F32 => numbers.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect(),
        DType::F64 => numbers.iter().flat_map(|v| v.to_le_bytes()).collect(),
        DType::U8 => numbers.iter().map(|v| *v as u8).collect(),
        DType::I8 => numbers.iter().flat_map(|v| (*v as i8).to_le_bytes()).collect(),
        DType::U16 => numbers.iter().flat_map(|v| (*v as u16).to_le_bytes()).collect(),
        DType::U32 => numbers.iter().flat_map(|v| (*v as u32).to_le_bytes()).collect(),
        DType::I32 => numbers.iter().flat_map(|v| (*v as i32).to_le_bytes()).collect(),
    };
    let name = quote::format_ident!("RECORDED_{}", snake(name).to_uppercase());
    let (len, literal) = (Literal::usize_unsuffixed(bytes.len()), Literal::byte_string(&bytes));
    let ty = lex(&array(param.dtype, &param.shape))?;
    let rows = Literal::usize_unsuffixed(count.unwrap_or(1));
    statics.extend(quote! {
        static #name: ::kernforge::__private::Aligned<[u8; #len]> = ::kernforge::__private::Aligned(*#literal);
    });
    let at = if count.is_some() { quote!(sample) } else { quote!(0) };
    let reference = if param.shape.is_empty() { quote!() } else { quote!(&) };
    Ok(quote! {
        // SAFETY: the bytes of so many arrays, little-endian, on a 64-byte boundary.
        #reference unsafe { &*(&raw const #name.0).cast::<[#ty; #rows]>() }[#at]
    })
}

/// `MnistCnn` as `mnist_cnn`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for (i, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && i > 0 && !text.ends_with('_') {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
