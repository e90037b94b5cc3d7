//! `explain`: what `kernforge::attribute` asks of a network, answered by the functions that the stage
//! [`explain`](crate::explain) added.

use super::lex;
use super::methods::suffixed;
use crate::emit::Internal;
use crate::emit::module::cfgs;
use crate::emit::signature::array;
use crate::explain;
use crate::graph::network::{Network, Source};
use proc_macro2::TokenStream;
use quote::quote;

/// The implementation, for a network that asks for it and whose first function can be read.
pub(super) fn differentiable(network: &Network) -> Result<TokenStream, Internal> {
    let (Some(_), Some(entry)) = (network.explain, network.entries.first()) else { return Ok(TokenStream::new()) };
    let Some(signature) = explain::signature(&entry.graph) else { return Ok(TokenStream::new()) };
    let (name, cfgs) = (&network.name, cfgs(&network.attrs));
    let life = if matches!(network.source, Source::Runtime) { quote!(<'w>) } else { quote!() };
    let number = lex(&signature.dtype.to_string())?;
    let input = lex(&array(signature.dtype, &signature.input))?;
    let output = lex(&array(signature.dtype, &signature.output))?;
    let (value, gradient) = (suffixed(&entry.name, "value"), suffixed(&entry.name, "gradient"));
    Ok(quote! {
        #cfgs
        impl #life ::kernforge::attribute::Differentiable for #name #life {
            type Number = #number;
            type Input = #input;
            type Output = #output;
            fn value(&mut self, input: &#input) -> &#output {
                self.#value(input)
            }
            fn gradient(&mut self, input: &#input, factors: &#output) -> (&#output, &#input) {
                self.#gradient(input, factors)
            }
        }
    })
}
