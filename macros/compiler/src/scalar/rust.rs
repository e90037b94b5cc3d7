//! Scalar programs printed as Rust over `kernforge::math::Float`.

use super::recipe::accuracy::accuracy;
use super::{Block, Func, Node, Prim, Val, recipe::recipe};
use crate::dtype::DType;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

/// The program as statements `let v3 = …;`, numbered as the nodes are, and its value as the final
/// expression; to be put between braces.
///
/// `float` is the path of the trait `kernforge::math::Float`. `leaf` gives the expression of `Acc`,
/// `Arg`, `Load` and `Const` nodes ([`constant`] is one for `Const`); those of `Arg` and `Const` must
/// be atomic, as they are repeated where they are used.
pub fn body(block: &Block, float: &TokenStream, mut leaf: impl FnMut(&Node) -> TokenStream) -> TokenStream {
    let mut values: Vec<TokenStream> = Vec::with_capacity(block.nodes.len());
    let mut statements = TokenStream::new();
    for (i, node) in block.nodes.iter().enumerate() {
        let at = |v: &Val| values.get(v.0 as usize).cloned().unwrap_or_default();
        let value = match node {
            Node::Arg(_) | Node::Const(_) => {
                values.push(leaf(node));
                continue;
            }
            Node::Acc | Node::Load(_) => leaf(node),
            Node::Prim(prim, args) => primitive(*prim, &args.iter().map(at).collect::<Vec<_>>(), float),
            Node::Call(func, arg) => {
                let (name, arg) = (ident(func.name()), at(arg));
                quote!(#float::#name(#arg))
            }
        };
        if i + 1 == block.nodes.len() {
            values.push(value);
        } else {
            let name = format_ident!("v{}", i);
            statements.extend(quote!(let #name = #value;));
            values.push(quote!(#name));
        }
    }
    let result = values.pop().unwrap_or_default();
    quote!(#statements #result)
}

/// A primitive on atomic operands: an operator where Rust has one.
fn primitive(prim: Prim, args: &[TokenStream], float: &TokenStream) -> TokenStream {
    match (prim, args) {
        (Prim::Add, [a, b]) => quote!(#a + #b),
        (Prim::Sub, [a, b]) => quote!(#a - #b),
        (Prim::Mul, [a, b]) => quote!(#a * #b),
        (Prim::Div, [a, b]) => quote!(#a / #b),
        (Prim::Neg, [a]) => quote!(-#a),
        (
            Prim::Add
            | Prim::Sub
            | Prim::Mul
            | Prim::Div
            | Prim::Neg
            | Prim::Fma
            | Prim::Abs
            | Prim::Sqrt
            | Prim::Round
            | Prim::MaxSel
            | Prim::MinSel
            | Prim::Maximum
            | Prim::Minimum
            | Prim::Pow2
            | Prim::Exponent
            | Prim::Mantissa
            | Prim::CopySign
            | Prim::SelectLt
            | Prim::SelectLe
            | Prim::SelectEq,
            _,
        ) => {
            let name = ident(prim.name());
            quote!(#float::#name(#(#args),*))
        }
    }
}

/// A constant rounded to an arithmetic type, as a literal with suffix (`-0.5f32`) or the name of the
/// special value; the shortest decimal that reads back equal.
pub fn constant(value: f64, dtype: DType) -> TokenStream {
    let single = dtype != DType::F64;
    let value = if single { f64::from(value as f32) } else { value };
    let name = ident(if single { "f32" } else { "f64" });
    let sign = if value.is_sign_negative() && !value.is_nan() { quote!(-) } else { quote!() };
    if value.is_nan() {
        return quote!(::core::primitive::#name::NAN);
    }
    if value.is_infinite() {
        return quote!(#sign ::core::primitive::#name::INFINITY);
    }
    let magnitude = value.abs();
    // Debug writes 1e-38 where Display, which `Literal` uses, writes 38 zeros.
    let digits = if single { format!("{:?}f32", magnitude as f32) } else { format!("{magnitude:?}f64") };
    let literal = digits.parse().unwrap_or_else(|_| Literal::f64_suffixed(magnitude));
    quote!(#sign #literal)
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The source of `kernforge::math::{single, double}`: every recipe as a function.
pub fn library() -> TokenStream {
    let modules = [(DType::F32, "single"), (DType::F64, "double")].map(|(dtype, name)| {
        let doc = format!(" The transcendental functions in `{dtype}`.");
        let (name, functions) = (ident(name), Func::ALL.map(|func| function(func, dtype)));
        quote! {
            #[doc = #doc]
            pub mod #name {
                use crate::math::Float;
                #(#functions)*
            }
        }
    });
    let docs = [
        " The transcendental functions, printed from the compiler's recipes (`scalar::recipe`): do not edit.",
        "",
        " `KERNFORGE_BLESS=1 cargo test -p kernforge-compiler --lib scalar::rust` writes this file.",
    ];
    quote! {
        #(#![doc = #docs])*
        #![allow(clippy::approx_constant)]
        #(#modules)*
    }
}

/// One recipe as a documented function.
fn function(func: Func, dtype: DType) -> TokenStream {
    let (name, float) = (ident(func.name()), ident(dtype.name()));
    let accuracy = accuracy(func, dtype);
    let how = match dtype {
        DType::F64 => "0.1 above the largest error of ten million",
        DType::F32 | DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => "the largest error of all",
    };
    let docs = [
        format!(" {}.", func.meaning()),
        String::new(),
        format!(" Accuracy: {} ulp, at `{:e}`: {how} arguments.", accuracy.ulp, accuracy.worst),
        format!(" Where multiply-add rounds twice (the portable ISA): {} ulp.", accuracy.unfused_ulp),
    ];
    let body = body(recipe(func, dtype), &quote!(Float), |node| match node {
        Node::Const(value) => constant(*value, dtype),
        Node::Arg(_) | Node::Acc | Node::Load(_) | Node::Prim(..) | Node::Call(..) => quote!(x),
    });
    quote! {
        #(#[doc = #docs])*
        #[inline]
        pub fn #name(x: #float) -> #float {
            #body
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `runtime/src/math/generated.rs` is [`library`]; `KERNFORGE_BLESS=1` writes it.
    #[test]
    fn runtime_math_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runtime/src/math/generated.rs");
        let file = syn::parse2(library()).expect("the library parses");
        let source = prettyplease::unparse(&file);
        if std::env::var_os("KERNFORGE_BLESS").is_some() {
            std::fs::write(path, &source).expect("the file can be written");
        }
        let known = std::fs::read_to_string(path).unwrap_or_default();
        assert!(known == source, "the recipes changed: see the head of runtime/src/math/generated.rs");
    }

    #[test]
    fn constants_read_back_equal() {
        for value in [0.0, -0.0, 1.0, -0.1, 1e-45, 1.1754944e-38, 3.4e38, 1.0 / 3.0, 5e-324, 1.7e308] {
            for dtype in [DType::F32, DType::F64] {
                let text = constant(value, dtype).to_string().replace(' ', "");
                let number = text.trim_end_matches("f32").trim_end_matches("f64");
                let rounded = if dtype == DType::F32 { f64::from(value as f32) } else { value };
                if rounded.is_finite() {
                    let back: f64 = if dtype == DType::F32 {
                        number.parse::<f32>().expect(number).into()
                    } else {
                        number.parse().expect(number)
                    };
                    assert_eq!(back.to_bits(), rounded.to_bits(), "{text}");
                } else {
                    assert!(text.ends_with("f32::INFINITY"), "{text}");
                }
            }
        }
    }
}
