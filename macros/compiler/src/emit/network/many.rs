//! `forward_batch` and `forward_many`: several samples in one call.

use super::lex;
use super::methods::{ident, suffixed};
use crate::emit::Internal;
use crate::emit::module::visibility;
use crate::emit::signature::{array, parameter};
use crate::graph::network::Entry;
use crate::graph::{Param, ParamKind};
use crate::network::CompiledEntry;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// The functions over batches of an entry; `counts` is it compiled for one sample and for each batch.
pub(super) fn many(entry: &Entry, counts: &[&CompiledEntry]) -> Result<TokenStream, Internal> {
    let ([single, ..], Some(largest)) = (counts, counts.last().filter(|e| e.count > 1)) else {
        return Ok(TokenStream::new());
    };
    let vis = visibility(&entry.vis);
    let name = &entry.name;
    let (batch_name, many_name) = (suffixed(name, "batch"), suffixed(name, "many"));
    let batch_of = |e: &CompiledEntry| suffixed(name, &format!("batch{}", e.count));
    // `forward_batch`
    let (mut typed, mut names) = (TokenStream::new(), TokenStream::new());
    for param in largest.arguments() {
        let (ident, ty) = (ident(param), lex(&parameter(param))?);
        typed.extend(quote!(#ident: #ty,));
        names.extend(quote!(#ident,));
    }
    let result = |param: &Param| {
        let reference = if param.shape.is_empty() { "" } else { "&" };
        lex(&format!("{reference}{}", array(param.dtype, &param.shape)))
    };
    let results = largest.results().map(result).collect::<Result<Vec<_>, _>>()?;
    let results = match (entry.tuple, results.as_slice()) {
        (false, [one]) => quote!(#one),
        (_, several) => quote!((#(#several,)*)),
    };
    let to = batch_of(largest);
    let batch_docs = format!("`{name}` of {} samples at once.", largest.count);
    // `forward_many`
    let mut parameters = TokenStream::new();
    let mut slices: Vec<(Ident, bool)> = Vec::new();
    let mut arguments: Vec<Ident> = Vec::new();
    for param in single.arguments() {
        let (ident, element) = (ident(param), lex(&array(param.dtype, &param.shape))?);
        parameters.extend(match param.kind {
            ParamKind::Scalar => quote!(#ident: #element,),
            ParamKind::InOut => quote!(#ident: &mut [#element],),
            ParamKind::In | ParamKind::Out | ParamKind::Weight | ParamKind::State => quote!(#ident: &[#element],),
        });
        if param.kind != ParamKind::Scalar {
            slices.push((ident.clone(), param.kind == ParamKind::InOut));
        }
        arguments.push(ident);
    }
    let mut outs: Vec<(Ident, bool)> = Vec::new();
    for param in single.results() {
        let mut out = param.name.clone();
        while arguments.iter().any(|a| *a == out) {
            out.push('_');
        }
        let (ident, element) = (Ident::new(&out, Span::call_site()), lex(&array(param.dtype, &param.shape))?);
        parameters.extend(quote!(#ident: &mut [#element],));
        slices.push((ident.clone(), true));
        outs.push((ident, param.shape.is_empty()));
    }
    let Some((first, _)) = slices.first().cloned() else { return Ok(TokenStream::new()) };
    let others = slices.iter().skip(1).map(|(other, _)| {
        quote! {
            if #other.len() != __count {
                return ::core::result::Result::Err(::kernforge::ShapeError { expected: __count, found: #other.len() });
            }
        }
    });
    let mut steps = TokenStream::new();
    for e in counts.iter().rev() {
        let count = Literal::usize_unsuffixed(e.count);
        let place = |(name, mutable): &(Ident, bool)| match (e.count, mutable) {
            (1, false) => quote!(#name.get(__at)),
            (1, true) => quote!(#name.get_mut(__at)),
            (_, false) => quote!(#name.get(__at..).and_then(|rest| rest.first_chunk::<#count>())),
            (_, true) => quote!(#name.get_mut(__at..).and_then(|rest| rest.first_chunk_mut::<#count>())),
        };
        let (names, places): (Vec<_>, Vec<_>) = slices.iter().map(|s| (s.0.clone(), place(s))).unzip();
        let given = arguments.iter();
        let call = if e.count == 1 { name.clone() } else { batch_of(e) };
        let call = quote!(self.#call(#(#given),*));
        let store = match (entry.tuple, outs.as_slice()) {
            (false, [(out, scalar)]) => {
                let deref = if *scalar && e.count == 1 { quote!() } else { quote!(*) };
                quote!(*#out = #deref #call;)
            }
            (_, outs) => {
                let values: Vec<Ident> = (0..outs.len()).map(|i| quote::format_ident!("__value{i}")).collect();
                let stores = outs.iter().zip(&values).map(|((out, scalar), value)| {
                    let deref = if *scalar && e.count == 1 { quote!() } else { quote!(*) };
                    quote!(*#out = #deref #value;)
                });
                quote!(let (#(#values,)*) = #call; #(#stores)*)
            }
        };
        steps.extend(quote! {
            while __at + #count <= __count {
                if let (#(::core::option::Option::Some(#names),)*) = (#(#places,)*) {
                    #store
                }
                __at += #count;
            }
        });
    }
    let many_docs = format!("`{name}` of any number of samples: all slices have as many elements as the first.");
    Ok(quote! {
        #[doc = #batch_docs]
        #vis fn #batch_name(&mut self, #typed) -> #results {
            self.#to(#names)
        }

        #[doc = #many_docs]
        #vis fn #many_name(&mut self, #parameters) -> ::core::result::Result<(), ::kernforge::ShapeError> {
            let __count = #first.len();
            #(#others)*
            let mut __at = 0;
            #steps
            ::core::result::Result::Ok(())
        }
    })
}
