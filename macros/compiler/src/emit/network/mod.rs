//! A compiled network → Rust: the type, its state, one driver per instruction set.
//!
//! For `#[network(..)] impl Digits { pub fn forward(&mut self, image: Tensor![f32; 28, 28, 1]) -> Tensor![f32; 10] }`
//! the items are these, at the place of the `impl`, with the visibility of its first public function
//! (of each function, for that function). The stub for networks with mistakes has the same items.
//!
//! ```ignore
//! pub struct Digits { .. }                     // private fields. With `weights = runtime`: `Digits<'w>`
//! impl Digits {
//!     pub const MACS: u64;                     // multiply-adds of one call of the first entry
//!     pub const PARAMS: u64;                   // numbers in its weights
//!     pub const ARENA_BYTES: usize;
//!     pub const WEIGHT_BYTES: usize;
//!     pub const LAYERS: &'static [::kernforge::Layer];
//!     pub const fn new() -> Digits;            // runtime: `new(weights: &'w DigitsWeights) -> Digits<'w>`
//!     pub fn boxed() -> Box<Digits>;           // feature `alloc`; runtime: `boxed(weights: &'w DigitsWeights)`
//!     pub fn reset(&mut self);                 // as after `new`
//!     pub fn state(&self) -> &DigitsState;
//!     pub fn state_mut(&mut self) -> &mut DigitsState;
//!     pub fn isa() -> ::kernforge::Isa;
//!     pub fn variants() -> impl Iterator<Item = ::kernforge::Variant>;
//!     pub fn profile(&mut self) -> ::kernforge::Profile;    // feature `std`; of the first entry
//!     // For each entry:
//!     pub fn forward(&mut self, image: &[[[f32; 1]; 28]; 28]) -> &[f32; 10];
//!     pub fn forward_on(&mut self, isa: ::kernforge::Isa, image: ..) -> Result<&[f32; 10], ::kernforge::IsaUnavailable>;
//!     pub fn forward_reference(&mut self, image: ..) -> &[f32; 10];
//!     // With `batch = [1, 32]`, for the largest of them:
//!     pub fn forward_batch(&mut self, image: &[[[[f32; 1]; 28]; 28]; 32]) -> &[[f32; 10]; 32];
//!     pub fn forward_many(&mut self, image: &[[[[f32; 1]; 28]; 28]], out: &mut [[f32; 10]])
//!         -> Result<(), ::kernforge::ShapeError>;
//!     // With `explain`, for the first entry:
//!     pub fn forward_value(&mut self, image: &[[[f32; 1]; 28]; 28]) -> &[f32; 10];
//!     pub fn forward_gradient(&mut self, image: &.., factors: &[f32; 10]) -> (&[f32; 10], &[[[f32; 1]; 28]; 28]);
//! }
//! // With `train(..)`, unless weights are pruned or masked; feature `alloc`:
//! impl Digits { pub fn load(bytes: &[u8]) -> Result<Digits, ::kernforge::WeightsError>; }
//! impl Default for Digits;                     // not with `weights = runtime`
//! impl ::kernforge::attribute::Differentiable for Digits;  // with `explain`
//!
//! pub struct DigitsState { pub gru: DigitsStateGru, .. }   // one field per layer with a state; Clone, Debug, Default
//! impl DigitsState {
//!     pub const BYTES: usize;
//!     pub const fn zeroed() -> DigitsState;
//!     pub fn to_bytes(&self) -> [u8; DigitsState::BYTES];
//!     pub fn from_bytes(bytes: &[u8]) -> Result<DigitsState, ::kernforge::ShapeError>;
//! }
//! pub struct DigitsStateGru { pub h: [f32; 64] }           // path in camel case; its parts
//!
//! // Only with `weights = runtime`:
//! pub struct DigitsWeights { .. }
//! impl DigitsWeights {
//!     pub const fn zeroed() -> DigitsWeights;
//!     pub fn boxed() -> Box<DigitsWeights>;                // feature `alloc`
//!     pub fn check(bytes: &[u8]) -> Result<(), ::kernforge::WeightsError>;
//!     pub fn load_into(weights: &mut DigitsWeights, bytes: &[u8]) -> Result<(), ::kernforge::WeightsError>;
//! }
//! ```
//!
//! Arguments: a tensor is `&array`, an in-out tensor `&mut array`, a scalar (and a rank-0 tensor) is
//! passed by value. A result is `&array`, of rank 0 a number by value; several are a tuple.

mod checkpoint;
mod driver;
mod explain;
mod family;
mod golden;
mod many;
mod methods;
mod names;
mod origin;
mod profile;
mod sharded;
mod stub;
mod trainer;
mod types;
mod warnings;
mod weights;

pub use family::family;
pub use stub::stub;
pub use warnings::warnings;

use crate::emit::Internal;
use crate::emit::module::{cfgs, visibility};
use crate::error::{Error, Errors};
use crate::graph::network::{Network, Source};
use crate::network::{Compiled, isas};
use driver::Target;
use proc_macro2::{Literal, TokenStream};
use quote::quote;
pub use trainer::trainer;

/// Everything that one network becomes.
pub fn network(network: &Network, compiled: &Compiled) -> Result<TokenStream, Errors> {
    let test = golden::test(network, compiled)?;
    let items: Result<TokenStream, Errors> = tokens(network, compiled).map_err(|what| {
        let message = format!("internal error in kernforge, please report: {what}");
        Error { span: network.name.span(), message }.into()
    });
    let items = items?;
    Ok(quote!(#items #test))
}

fn tokens(network: &Network, compiled: &Compiled) -> Result<TokenStream, Internal> {
    let Network { name, attrs, .. } = network;
    let (vis, cfgs) = (visibility(&network.vis), cfgs(attrs));
    let state_types = lex(&types::state(network, &vis.to_string(), &cfgs.to_string()))?;
    let state = lex(&names::state(network))?;
    let arena = Literal::usize_unsuffixed(compiled.arena_bytes);
    let runtime = matches!(network.source, Source::Runtime);
    let weights_type = lex(&names::weights(network))?;
    let loaded = weights::array(compiled)?;
    let (life, weights_field) = match (runtime, network.reloads()) {
        (true, _) => (quote!(<'w>), quote!(weights: &'w #weights_type,)),
        (false, true) => (quote!(), quote!(loaded: ::kernforge::__private::Loaded<#loaded>,)),
        (false, false) => (quote!(), quote!()),
    };
    let code = lex(&code(network, compiled)?)?;
    let (weights_item, weights) = weights::weights(network, compiled)?;
    let profile = profile::table(network, compiled)?;
    let methods = methods::methods(network, compiled)?;
    let differentiable = explain::differentiable(network)?;
    Ok(quote! {
        #attrs
        #vis struct #name #life {
            arena: ::kernforge::__private::Aligned<[u8; #arena]>,
            state: #state,
            #weights_field
        }

        #state_types

        #weights_item

        #cfgs
        // Not every program calls every function, and style is for what people write.
        #[allow(unused, non_snake_case, clippy::all)]
        const _: () = {
            #code
            #weights
            #profile
            #methods
        };

        #differentiable
    })
}

/// Text → tokens.
fn lex(text: &str) -> Result<TokenStream, Internal> {
    text.parse::<TokenStream>().map_err(|e| format!("{e} in its output"))
}

/// The units, the drivers and the table of drivers.
pub fn code(network: &Network, compiled: &Compiled) -> Result<String, Internal> {
    let mut text = driver::units(compiled)?;
    let isas = isas(network);
    for entry in &compiled.entries {
        for target in isas.iter().map(|isa| Target::Isa(*isa)).chain([Target::Reference]) {
            text += &driver::driver(network, compiled, entry, target)?;
        }
    }
    text += &methods::table(network, compiled, &isas);
    Ok(text)
}
