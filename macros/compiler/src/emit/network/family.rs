//! What a family has beside its members: its types by size, and the choice of a member by a file.
//!
//! For `#[network(weights = runtime, family(HIDDEN = [8, 16]))] impl<const HIDDEN: usize> Kws<HIDDEN>` the
//! members are the networks `KwsHidden8` and `KwsHidden16` with all their items, and here come
//!
//! ```ignore
//! pub type Kws<'w, const HIDDEN: usize>;               // `Kws<8>` is `KwsHidden8`
//! pub type KwsWeights<const HIDDEN: usize>;
//! pub type KwsState<const HIDDEN: usize>;
//! pub enum KwsFamily {                                 // feature `alloc`
//!     Hidden8(Box<KwsWeights<8>>),
//!     Hidden16(Box<KwsWeights<16>>),
//! }
//! impl KwsFamily {
//!     pub const MEMBERS: &'static [&'static str];      // "Kws<8>", ..
//!     pub fn load(bytes: &[u8]) -> Result<KwsFamily, ::kernforge::WeightsError>;
//! }
//! ```

use super::{lex, names};
use crate::check::network::family::{Family, Member};
use crate::emit::Internal;
use crate::emit::module::{cfgs, visibility};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// The items; nothing for a network without sizes.
pub fn family(family: &Family) -> TokenStream {
    if family.sizes.is_empty() || family.members.is_empty() {
        return TokenStream::new();
    }
    // All names are identifiers of the user's or made of them: it cannot fail.
    tokens(family).unwrap_or_default()
}

fn tokens(family: &Family) -> Result<TokenStream, Internal> {
    let Family { name, attrs, sizes, members, .. } = family;
    let (vis, cfgs) = (visibility(&family.vis), cfgs(attrs));
    let plain = names::plain(&name.to_string()).to_string();
    let derived = |suffix: &str| format_ident!("{plain}{suffix}", span = name.span());
    let (member, of, weights, state, choice) =
        (derived("Member"), derived("Of"), derived("Weights"), derived("State"), derived("Family"));
    let mut impls = TokenStream::new();
    for m in members {
        let values = m.values.iter().map(|n| Literal::usize_unsuffixed(*n));
        let network = &m.network.name;
        let (weights, state) = (lex(&names::weights(&m.network))?, lex(&names::state(&m.network))?);
        impls.extend(quote! {
            #cfgs
            impl #member for #of<#(#values),*> {
                type Network<'w> = #network<'w>;
                type Weights = #weights;
                type State = #state;
            }
        });
    }
    let instances: Vec<String> = members.iter().map(|m| family.instance(m)).collect();
    let list = instances.iter().map(|i| format!("`{i}`")).collect::<Vec<_>>().join(", ");
    let message = format!("this size of `{name}` is not compiled");
    let note = format!("there are {list}, by `family(..)` of its `#[network]`");
    let weights_docs = format!("The weights of any number of [`{name}`]s of a size: for {list}.");
    let state_docs = format!("What a [`{name}`] of a size remembers between calls: for {list}.");
    let docs = format!("Compiled for {list}.");
    let choice = chosen(family, &choice, &instances, &weights)?;
    Ok(quote! {
        #cfgs
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(message = #message, label = "no such member", note = #note)]
        #vis trait #member {
            type Network<'w>;
            type Weights;
            type State;
        }

        #cfgs
        #[doc(hidden)]
        #[allow(dead_code)]
        #vis struct #of<#(const #sizes: usize),*>;

        #impls

        #attrs
        #[doc = ""]
        #[doc = #docs]
        #[allow(dead_code)]
        #vis type #name<'w, #(const #sizes: usize),*> = <#of<#(#sizes),*> as #member>::Network<'w>;

        #cfgs
        #[doc = #weights_docs]
        #[allow(dead_code)]
        #vis type #weights<#(const #sizes: usize),*> = <#of<#(#sizes),*> as #member>::Weights;

        #cfgs
        #[doc = #state_docs]
        #[allow(dead_code)]
        #vis type #state<#(const #sizes: usize),*> = <#of<#(#sizes),*> as #member>::State;

        #choice
    })
}

/// The enumeration of the members, and `load`.
fn chosen(family: &Family, choice: &Ident, instances: &[String], weights: &Ident) -> Result<TokenStream, Internal> {
    let Family { name, members, .. } = family;
    let (vis, cfgs) = (visibility(&family.vis), cfgs(&family.attrs));
    let (mut variants, mut checks, mut arms) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for (number, (Member { suffix, network, .. }, instance)) in members.iter().zip(instances).enumerate() {
        let (variant, ty) = (lex(suffix)?, lex(&names::weights(network))?);
        let docs = format!("Those of `{instance}`.");
        variants.extend(quote! {
            #[doc = #docs]
            #variant(::kernforge::__private::Box<#ty>),
        });
        checks.extend(quote!((#instance, #ty::check(bytes)),));
        let number = match number + 1 == members.len() {
            true => quote!(_),
            false => Literal::usize_unsuffixed(number).into_token_stream(),
        };
        arms.extend(quote! {
            #number => {
                let mut weights = #ty::boxed();
                #ty::load_into(&mut weights, bytes)?;
                #choice::#variant(weights)
            }
        });
    }
    let docs = format!("[`{weights}`] of a size that a file decides.");
    let load_docs = format!(
        "The weights in the bytes of a safetensors file, for the one [`{name}`] that it fits: every name and shape is \
         compared. If none fits, or several do, the error lists all members."
    );
    Ok(quote! {
        ::kernforge::__with_alloc! {
            #cfgs
            #[doc = #docs]
            #[allow(dead_code)]
            #vis enum #choice {
                #variants
            }

            #cfgs
            #[allow(dead_code, clippy::all)]
            impl #choice {
                /// The types that there are.
                pub const MEMBERS: &'static [&'static str] = &[#(#instances),*];

                #[doc = #load_docs]
                pub fn load(bytes: &[u8]) -> ::core::result::Result<#choice, ::kernforge::WeightsError> {
                    let member = ::kernforge::__private::weights::member(&[#checks])?;
                    ::core::result::Result::Ok(match member { #arms })
                }
            }
        }
    })
}
