//! `#[network(..)] impl Net { .. }` → syntax tree.
//!
//! The block is ordinary Rust, so `syn` reads it whole; every function and type in it is then
//! converted by itself and all mistakes are collected.

use super::ast::Vis;
use super::ast::network::{Function, Network, Param};
use super::{body, function, limits, network_options, network_types, report};
use crate::error::Errors;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use std::collections::BTreeSet;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, ImplItem, ImplItemFn, ItemImpl, Pat, ReceiverKind, ReturnType, Safety};

/// Attributes of functions and of the block that pass through.
const PASS: [&str; 5] = ["doc", "allow", "expect", "cfg", "deprecated"];

/// Parses the block; `None` if not even its name can be found.
pub fn parse(attr: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Network> {
    if !limits::check(&attr, errors) || !limits::check(&item, errors) {
        return None;
    }
    let block: ItemImpl = match syn::parse2(item.clone()) {
        Ok(block) => block,
        Err(_) if syn::parse2::<syn::ItemStruct>(item.clone()).is_ok() => {
            let message = "a network read from an ONNX file is not available yet: write its layers in \
                           `#[network(..)] impl Net { .. }`";
            errors.push(Span::call_site(), message);
            return None;
        }
        Err(error) => {
            match syn::parse2::<syn::ItemFn>(item) {
                Ok(f) => errors.push(
                    f.sig.ident.span(),
                    "a network is an `impl` block: `#[network(..)] impl Net { pub fn forward(&mut self, ..) .. }`; \
                     a function without weights of its own is a `#[kernel]`",
                ),
                Err(_) => report(errors, &error),
            }
            return None;
        }
    };
    let before = errors.len();
    let options = network_options::parse(attr, errors);
    if let Some((path, _)) = &block.trait_ {
        errors.push(path.span(), "a network is an `impl` of its own, not of a trait: `impl Net { .. }`");
    }
    let name = type_name(&block.self_ty, errors)?;
    let read = errors.len();
    let generics = generics(&block, errors);
    if errors.len() == read {
        sized(&block.self_ty, &name, &generics, errors);
    }
    let mut network = Network {
        name,
        attrs: passing(block.attrs, "a network", errors),
        generics,
        options,
        consts: Vec::new(),
        functions: Vec::new(),
        broken: false,
    };
    let mut names = BTreeSet::new();
    for item in block.items {
        let name = match &item {
            ImplItem::Const(c) => &c.ident,
            ImplItem::Fn(f) => &f.sig.ident,
            other => {
                errors.push(other.span(), "a network holds functions and constants");
                continue;
            }
        };
        if !names.insert(name.to_string()) {
            errors.push(name.span(), format!("the name `{name}` is used twice"));
            continue;
        }
        match item {
            ImplItem::Const(c) => network.consts.push(body::constant(c.ident, Box::new(c.expr), errors)),
            ImplItem::Fn(f) => network.functions.extend(self::function(f, errors)),
            _other => {}
        }
    }
    network.broken = errors.len() > before;
    Some(network)
}

/// `Net` of `Net` and `Net<HIDDEN>`
fn type_name(ty: &syn::Type, errors: &mut Errors) -> Option<Ident> {
    match ty {
        syn::Type::Path(p) if p.qself.is_none() && p.path.segments.len() == 1 => {
            p.path.segments.first().map(|s| s.ident.clone())
        }
        other => {
            errors.push(other.span(), "a network is a type of its own, which the macro makes: `impl Net { .. }`");
            None
        }
    }
}

/// `impl<const HIDDEN: usize>`
fn generics(block: &ItemImpl, errors: &mut Errors) -> Vec<Ident> {
    let mut names = Vec::new();
    for param in &block.generics.params {
        match param {
            syn::GenericParam::Const(c) => {
                let ty = c.ty.to_token_stream();
                if ty.to_string() != "usize" {
                    errors.push(ty.span(), format!("a size is a `usize`: `const {}: usize`", c.ident));
                }
                names.push(c.ident.clone());
            }
            other => errors.push(
                other.span(),
                "a network has no type parameters; sizes are `impl<const HIDDEN: usize>` with `family(HIDDEN = [..])`",
            ),
        }
    }
    names
}

/// `Net<HIDDEN>` has the sizes of `impl<const HIDDEN: usize>`, in their order.
fn sized(ty: &syn::Type, name: &Ident, sizes: &[Ident], errors: &mut Errors) {
    let syn::Type::Path(path) = ty else { return };
    let arguments = path.path.segments.first().map(|s| s.arguments.to_token_stream().to_string().replace(' ', ""));
    let wanted = match sizes {
        [] => String::new(),
        sizes => format!("<{}>", sizes.iter().map(Ident::to_string).collect::<Vec<_>>().join(",")),
    };
    let found = arguments.unwrap_or_default();
    if found.trim_start_matches("::").replace(",>", ">") == wanted {
        return;
    }
    let wanted = wanted.replace(',', ", ");
    let message = match sizes {
        [] => format!("`{name}` has no sizes here: a family is `impl<const HIDDEN: usize> {name}<HIDDEN>`"),
        _sizes => format!("the type has the sizes of the block, in their order: `{name}{wanted}`"),
    };
    errors.push(ty.span(), message);
}

fn passing(attrs: Vec<Attribute>, what: &str, errors: &mut Errors) -> TokenStream {
    let mut out = TokenStream::new();
    for attr in attrs {
        if PASS.iter().any(|p| attr.path().is_ident(p)) {
            attr.to_tokens(&mut out);
        } else {
            let name = attr.path().to_token_stream().to_string().replace(' ', "");
            let message = format!("`{name}` has no meaning on {what}; {} pass through", PASS.join(", "));
            errors.push(attr.path().span(), message);
        }
    }
    out
}

fn function(f: ImplItemFn, errors: &mut Errors) -> Option<Function> {
    let sig = f.sig;
    let name = sig.ident.clone();
    let slips = [
        (sig.constness.map(|t| t.span()), "a function of a network is not `const`"),
        (sig.asyncness.map(|t| t.span()), "a function of a network is not `async`"),
        (unsafe_word(&sig.safety), "a function of a network is safe"),
        (sig.abi.as_ref().map(Spanned::span), "a function of a network has no ABI of its own"),
        (sig.variadic.as_ref().map(Spanned::span), "a function of a network has as many parameters as it has"),
    ];
    for (span, message) in slips {
        if let Some(span) = span {
            errors.push(span, message);
        }
    }
    if !sig.generics.params.is_empty() || sig.generics.where_clause.is_some() {
        errors.push(
            sig.generics.span(),
            "a function of a network has no generic parameters: a size is a parameter `n: usize`",
        );
    }
    let vis = function::visibility(&f.vis);
    let mut method = false;
    let mut params = Vec::new();
    for input in sig.inputs {
        match input {
            FnArg::Receiver(r) => {
                method = true;
                if !matches!(&r.kind, ReceiverKind::Reference(_, _, Some(_))) {
                    errors.push(r.span(), "the network is taken as `&mut self`: its activations lie in it");
                }
            }
            FnArg::Typed(p) => params.extend(parameter(p, errors)),
        }
    }
    let (results, tuple) = match sig.output {
        ReturnType::Default => (Vec::new(), false),
        ReturnType::Type(_, ty) => {
            let span = ty.span();
            network_types::results(ty.to_token_stream(), span, errors)
        }
    };
    if !matches!(vis, Vis::Private) && !method {
        errors.push(
            name.span(),
            format!(
                "`{name}` is public but has no `&mut self`: an entry of a network is `pub fn {name}(&mut self, ..)`"
            ),
        );
    }
    let formula = {
        let stmts = &f.block.stmts;
        function::source_text(&quote!(#(#stmts)*))
    };
    let attrs = passing(f.attrs, "a function of a network", errors);
    let body = body::block(f.block, errors);
    Some(Function { attrs, vis, name, method, params, results, tuple, body, formula })
}

fn unsafe_word(safety: &Safety) -> Option<Span> {
    match safety {
        Safety::Unsafe(word) => Some(word.span()),
        _safe => None,
    }
}

fn parameter(p: syn::PatType, errors: &mut Errors) -> Option<Param> {
    let name = match *p.pat {
        Pat::Ident(i) if i.subpat.is_none() && i.by_ref.is_none() => i.ident,
        Pat::Wild(w) => {
            errors.push(w.span(), "a parameter needs a name: write `_x` for one that is not used");
            return None;
        }
        other => {
            errors.push(other.span(), "a parameter is `name: Tensor![f32; 4, 8]`");
            return None;
        }
    };
    let (mutable, ty) = network_types::parameter(p.ty.to_token_stream(), name.span(), errors);
    Some(Param { name, mutable, ty })
}
