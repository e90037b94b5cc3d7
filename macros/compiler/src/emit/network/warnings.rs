//! Warnings at the user's tokens. A macro of a stable compiler has errors only, so each is the use of an
//! item that is deprecated, with the warning as its note: rustc shows the note and the place of the use.

use crate::check::network::dead::Dead;
use crate::emit::module::cfgs;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

/// One for each layer that nothing reads.
pub fn warnings(attrs: &TokenStream, dead: &[Dead]) -> TokenStream {
    let cfgs = cfgs(attrs);
    let one = |(path, span): &Dead| {
        let note = format!(
            "no result of the network depends on the layer `{path}`: remove it, use what it computes, or bind it to a name \
             that starts with `_`"
        );
        let used = quote_spanned!(*span => dead_layer);
        quote! {
            #cfgs
            const _: () = {
                #[deprecated(note = #note)]
                #[allow(non_upper_case_globals)]
                const dead_layer: () = ();
                #used
            };
        }
    };
    dead.iter().map(one).collect()
}
