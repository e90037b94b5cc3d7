//! The items of a network without its code: for editors, and beside the errors of a network with
//! mistakes, so that the code which uses it compiles and the mistakes are the only errors.

use super::methods::{ident, suffixed};
use super::{explain, lex, names, types};
use crate::emit::Internal;
use crate::emit::module::{cfgs, visibility};
use crate::emit::signature::{array, parameter};
use crate::graph::network::{Entry, Network, Source};
use crate::graph::{Param, ParamKind};
use proc_macro2::TokenStream;
use quote::quote;

/// The items. Of an entry only the parameters matter; what is not known is left out.
pub fn stub(network: &Network) -> TokenStream {
    // The stub stands beside the errors that caused it; if it fails too, they are enough.
    tokens(network).unwrap_or_default()
}

fn tokens(network: &Network) -> Result<TokenStream, Internal> {
    let Network { name, attrs, .. } = network;
    let (vis, cfgs) = (visibility(&network.vis), cfgs(attrs));
    let state_types = lex(&types::state(network, &vis.to_string(), &cfgs.to_string()))?;
    let (state, weights) = (lex(&names::state(network))?, lex(&names::weights(network))?);
    let runtime = matches!(network.source, Source::Runtime);
    let (life, given, held) = match runtime {
        true => (quote!(<'w>), quote!(weights: &'w #weights), quote!(weights: &'w #weights,)),
        false => (quote!(), quote!(), quote!()),
    };
    let never = quote!({ ::core::panic!("the network has no code") });
    let mut entries = TokenStream::new();
    for entry in &network.entries {
        entries.extend(calls(network, entry, &never)?);
    }
    let weights_items = runtime.then(|| {
        quote! {
            #cfgs
            /// The weights of any number of networks.
            #vis struct #weights;

            #cfgs
            #[allow(unused)]
            impl #weights {
                /// All zero.
                pub const fn zeroed() -> #weights { #weights }
                ::kernforge::__with_alloc! {
                    /// All zero, on the heap.
                    pub fn boxed() -> ::kernforge::__private::Box<#weights> #never
                    /// Whether the bytes of a safetensors file fit.
                    pub fn check(bytes: &[u8]) -> ::core::result::Result<(), ::kernforge::WeightsError> #never
                    /// Reads the weights from the bytes of a safetensors file.
                    pub fn load_into(weights: &mut #weights, bytes: &[u8]) -> ::core::result::Result<(), ::kernforge::WeightsError> #never
                }
            }
        }
    });
    let default = (!runtime).then(|| {
        quote! {
            #cfgs
            impl ::core::default::Default for #name {
                fn default() -> #name #never
            }
        }
    });
    let trainer = match &network.train {
        Some(training) if !runtime => trainer(network, training.batch, &never)?,
        Some(_) | None => TokenStream::new(),
    };
    let differentiable = explain::differentiable(network)?;
    let load = network.reloads().then(|| {
        quote! {
            ::kernforge::__with_alloc! {
                /// The network with the weights of a safetensors file in place of its own.
                pub fn load(bytes: &[u8]) -> ::core::result::Result<#name, ::kernforge::WeightsError> #never
            }
        }
    });
    let (macs, params) =
        (network.layers.iter().map(|l| l.macs).sum::<u64>(), network.layers.iter().map(|l| l.params).sum::<u64>());
    Ok(quote! {
        #attrs
        #[allow(dead_code)]
        #vis struct #name #life { state: #state, #held }

        #state_types

        #weights_items

        #cfgs
        #[allow(unused, clippy::too_many_arguments)]
        impl #life #name #life {
            /// Multiply-adds of one sample.
            pub const MACS: u64 = #macs;
            /// Numbers in its weights.
            pub const PARAMS: u64 = #params;
            /// Bytes of intermediate results.
            pub const ARENA_BYTES: usize = 0;
            /// Bytes of the packed weights.
            pub const WEIGHT_BYTES: usize = 0;
            /// The layers, in the order of their first use.
            pub const LAYERS: &'static [::kernforge::Layer] = &[];
            /// The network before its first call.
            pub const fn new(#given) -> #name #life #never
            ::kernforge::__with_alloc! {
                /// The network before its first call, built on the heap without a copy on the stack.
                pub fn boxed(#given) -> ::kernforge::__private::Box<#name #life> #never
            }
            #load
            /// Forgets what was remembered, as after `new`.
            pub fn reset(&mut self) #never
            /// What is remembered between calls.
            pub fn state(&self) -> &#state #never
            /// What is remembered between calls, to be changed.
            pub fn state_mut(&mut self) -> &mut #state #never
            /// The instruction set that a call uses.
            pub fn isa() -> ::kernforge::Isa #never
            /// The instruction sets that the network is compiled for, worst first.
            pub fn variants() -> impl ::core::iter::Iterator<Item = ::kernforge::Variant> { ::core::iter::empty() }
            ::kernforge::__with_std! {
                /// Time for each layer.
                pub fn profile(&mut self) -> ::kernforge::Profile #never
            }
            #entries
        }

        #default

        #differentiable

        #trainer
    })
}

/// The trainer; its weights only of a network without mistakes, which alone tells their types.
fn trainer(network: &Network, batch: usize, never: &TokenStream) -> Result<TokenStream, Internal> {
    let Some(entry) = network.entries.first() else { return Ok(TokenStream::new()) };
    let Some(out) = entry.graph.params.iter().find(|p| p.kind == ParamKind::Out) else { return Ok(TokenStream::new()) };
    let (name, vis, cfgs) = (&network.name, visibility(&network.vis), cfgs(&network.attrs));
    let trainer = quote::format_ident!("{}Trainer", names::plain(&name.to_string()), span = name.span());
    let (typed, _) = signature(entry, Some(batch))?;
    let row = lex(&array(out.dtype, &out.shape))?;
    let targets = quote!(targets: &impl ::kernforge::Targets<#row, #batch>);
    let training = network.train.as_ref().filter(|_| !network.weights.is_empty());
    let (mut weights_types, mut weights) = (TokenStream::new(), TokenStream::new());
    if let Some(known) = training.and_then(|t| crate::train::trainer(network, t).ok()) {
        weights_types = lex(&types::state(&known.network, &vis.to_string(), &cfgs.to_string()))?;
        let ty = lex(&names::layer_state(&known.network, "weights"))?;
        weights = quote! {
            /// The weights, in native layouts.
            pub fn weights(&self) -> &#ty #never
            /// The weights, to be changed.
            pub fn weights_mut(&mut self) -> &mut #ty #never
        };
    }
    Ok(quote! {
        #weights_types

        #cfgs
        /// Trains the network.
        #vis struct #trainer;

        #cfgs
        #[allow(unused, clippy::too_many_arguments)]
        impl #trainer {
            /// Samples of a step.
            pub const BATCH: usize = #batch;
            /// Bytes of a step's intermediate results.
            pub const ARENA_BYTES: usize = 0;
            /// Bytes of weights, moments and what else is kept between steps.
            pub const STATE_BYTES: usize = 0;
            /// A trainer at the network's own weights.
            pub fn new() -> #trainer { #trainer }
            /// One step of the optimiser on a batch.
            pub fn step(&mut self, #typed #targets) -> ::core::result::Result<f32, ::kernforge::TrainError> #never
            /// The loss of a batch and how much of it is right.
            pub fn evaluate(&mut self, #typed #targets)
                -> ::core::result::Result<::kernforge::Evaluation, ::kernforge::TrainError> #never
            #weights
            /// The learning rate of the next step.
            pub fn learning_rate(&self) -> f32 #never
            /// Sets the learning rate of the next step.
            pub fn set_learning_rate(&mut self, rate: f32) #never
            ::kernforge::__with_std! {
                /// Writes the weights as a safetensors file.
                pub fn save(&self, to: &mut impl ::kernforge::__private::io::Write) -> ::kernforge::__private::io::Result<()> #never
                /// Writes all that the next step depends on.
                pub fn save_checkpoint(&self, to: &mut impl ::kernforge::__private::io::Write) -> ::kernforge::__private::io::Result<()> #never
            }
            ::kernforge::__with_alloc! {
                /// The same as `new`, built on the heap without a copy on the stack.
                pub fn boxed() -> ::kernforge::__private::Box<#trainer> #never
                /// Takes the weights from a safetensors file.
                pub fn load(&mut self, bytes: &[u8]) -> ::core::result::Result<(), ::kernforge::WeightsError> #never
                /// Goes on from where `save_checkpoint` was called.
                pub fn load_checkpoint(&mut self, bytes: &[u8])
                    -> ::core::result::Result<(), ::kernforge::WeightsError> #never
            }
        }

        #cfgs
        impl ::core::default::Default for #trainer {
            fn default() -> #trainer { #trainer }
        }

        #cfgs
        #[allow(unused)]
        impl #name {
            /// A trainer at this network's weights.
            #vis fn trainer() -> #trainer { #trainer }
        }
    })
}

/// The functions of an entry.
fn calls(network: &Network, entry: &Entry, never: &TokenStream) -> Result<TokenStream, Internal> {
    let Entry { name, attrs, .. } = entry;
    let vis = visibility(&entry.vis);
    let (typed, result) = signature(entry, None)?;
    let (on, reference) = (suffixed(name, "on"), suffixed(name, "reference"));
    let (batch, many) = (suffixed(name, "batch"), suffixed(name, "many"));
    let batched = match network.batch.last().filter(|_| entry.batched) {
        None => quote!(),
        Some(count) => {
            let (typed, result) = signature(entry, Some(*count))?;
            let mut slices = TokenStream::new();
            let owned = |p: &&Param| matches!(p.kind, ParamKind::Weight | ParamKind::State);
            for param in entry.graph.params.iter().filter(|p| !owned(p)) {
                let (ident, element) = (ident(param), lex(&array(param.dtype, &param.shape))?);
                slices.extend(match param.kind {
                    ParamKind::Scalar => quote!(#ident: #element,),
                    ParamKind::In => quote!(#ident: &[#element],),
                    ParamKind::InOut | ParamKind::Out => quote!(#ident: &mut [#element],),
                    ParamKind::Weight | ParamKind::State => quote!(),
                });
            }
            quote! {
                /// So many samples at once.
                #vis fn #batch(&mut self, #typed) -> #result #never
                /// Any number of samples.
                #vis fn #many(&mut self, #slices) -> ::core::result::Result<(), ::kernforge::ShapeError> #never
            }
        }
    };
    Ok(quote! {
        #attrs
        #vis fn #name(&mut self, #typed) -> #result #never
        /// By the code of one instruction set.
        #vis fn #on(&mut self, isa: ::kernforge::Isa, #typed) -> ::core::result::Result<#result, ::kernforge::IsaUnavailable> #never
        /// As naive loops in safe Rust.
        #vis fn #reference(&mut self, #typed) -> #result #never
        #batched
    })
}

/// Parameters and result, for one sample or so many.
fn signature(entry: &Entry, count: Option<usize>) -> Result<(TokenStream, TokenStream), Internal> {
    let several = |param: &Param| {
        let shape = count.into_iter().chain(param.shape.iter().copied()).collect();
        Param { shape, ..param.clone() }
    };
    let (mut typed, mut results) = (TokenStream::new(), Vec::new());
    for param in &entry.graph.params {
        match param.kind {
            ParamKind::Scalar => {
                let (ident, ty) = (ident(param), lex(&parameter(param))?);
                typed.extend(quote!(#ident: #ty,));
            }
            ParamKind::In | ParamKind::InOut => {
                let param = several(param);
                let (ident, ty) = (ident(&param), lex(&parameter(&param))?);
                typed.extend(quote!(#ident: #ty,));
            }
            ParamKind::Out => {
                let param = several(param);
                let reference = if param.shape.is_empty() { "" } else { "&" };
                results.push(lex(&format!("{reference}{}", array(param.dtype, &param.shape)))?);
            }
            ParamKind::Weight | ParamKind::State => {}
        }
    }
    let result = match (entry.tuple, results.as_slice()) {
        (false, [one]) => quote!(#one),
        (_, several) => quote!((#(#several,)*)),
    };
    Ok((typed, result))
}
