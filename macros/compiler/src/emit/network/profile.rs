//! `profile()`: the drivers of the first entry once more, with a clock between the layers.

use super::driver::{self, Target};
use super::{lex, names, weights};
use crate::emit::Internal;
use crate::emit::module::isa_path;
use crate::emit::signature::array;
use crate::graph::ParamKind;
use crate::graph::network::Network;
use crate::isa::Isa;
use crate::network::{Compiled, CompiledEntry, isas};
use proc_macro2::TokenStream;
use quote::quote;
use std::fmt::Write;

/// The table of drivers with a clock, and the estimates.
pub(super) fn table(network: &Network, compiled: &Compiled) -> Result<TokenStream, Internal> {
    let Some(entry) = compiled.entries.first() else { return Ok(TokenStream::new()) };
    let types: Vec<String> = driver::parameters(network, entry, compiled.dtype).into_iter().map(|(_, ty)| ty).collect();
    let function = format!("unsafe fn(&mut ::kernforge::__private::Timer, {})", types.join(", "));
    let driver = |isa: Isa| names::driver(network, entry, Target::Isa(isa));
    let mut text = format!(
        "static PROFILED: ::kernforge::__private::Variants<{function}> = \
         ::kernforge::__private::Variants::new({} as {function}, &[\n",
        driver(Isa::Portable)
    );
    let mut estimates = String::from("fn cycles(isa: ::kernforge::Isa) -> &'static [f64] {\n    match isa {\n");
    for isa in isas(network) {
        let cycles: Vec<String> = cycles(network, compiled, entry, isa).iter().map(|c| format!("{c:.1}f64")).collect();
        let _ = writeln!(estimates, "        {} => &[{}],", isa_path(isa), cycles.join(", "));
        if isa != Isa::Portable {
            if let Some(arch) = isa.table().arch {
                let _ = writeln!(text, "#[cfg(target_arch = {arch:?})]");
            }
            let _ = writeln!(text, "({}, {} as {function}),", isa_path(isa), driver(isa));
        }
    }
    text += "]);\n";
    estimates += "        _ => &[],\n    }\n}\n";
    let items = lex(&(text + &estimates))?;
    Ok(quote!(::kernforge::__with_std! { #items }))
}

/// The estimate of each layer.
fn cycles(network: &Network, compiled: &Compiled, entry: &CompiledEntry, isa: Isa) -> Vec<f64> {
    let mut cycles = vec![0.0; network.layers.len()];
    for (call, layer) in entry.calls.iter().zip(&entry.layers) {
        let variant = compiled.units.get(call.unit).and_then(|u| u.variants.iter().find(|v| v.isa == isa));
        if let (Some(variant), Some(slot)) = (variant, layer.and_then(|l| cycles.get_mut(l.0 as usize))) {
            *slot += variant.cycles;
        }
    }
    cycles
}

/// The method.
pub(super) fn method(network: &Network, compiled: &Compiled) -> Result<TokenStream, Internal> {
    let Some(entry) = compiled.entries.first() else { return Ok(TokenStream::new()) };
    let weights = weights::address(network);
    let (mut made, mut args) = (TokenStream::new(), TokenStream::new());
    for (n, param) in entry.arguments().enumerate() {
        let (name, ty) = (quote::format_ident!("argument{n}"), lex(&array(param.dtype, &param.shape))?);
        if param.kind == ParamKind::Scalar {
            args.extend(quote!(0.0,));
        } else {
            made.extend(quote! {
                let mut #name = ::kernforge::Tensor::<#ty>::boxed_zeroed();
            });
            args.extend(quote!((&raw mut **#name).cast(),));
        }
    }
    let docs = format!(
        "Measures where the time of `{}` goes, on zeros: a few hundred calls. What is remembered between calls is as \
         before afterwards.",
        network.entries.first().map_or(String::new(), |e| e.name.to_string())
    );
    Ok(quote! {
        ::kernforge::__with_std! {
            #[doc = #docs]
            pub fn profile(&mut self) -> ::kernforge::Profile {
                let before = ::kernforge::__private::Box::new(self.state.clone());
                #made
                let isa = chosen();
                let profile = match PROFILED.on(isa) {
                    ::core::result::Result::Ok(function) => {
                        ::kernforge::__private::profile(Self::LAYERS, isa, cycles(isa), |timer| {
                            // SAFETY: as in the function itself: the CPU has the instruction set, the
                            // arrays are whole.
                            unsafe {
                                function(timer, (&raw mut self.arena).cast(), &raw mut self.state, #weights, #args)
                            }
                        })
                    }
                    ::core::result::Result::Err(_) => ::kernforge::__private::profile(&[], isa, &[], |_| {}),
                };
                self.state = *before;
                profile
            }
        }
    })
}
