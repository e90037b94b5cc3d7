//! `golden = "file.npz"`: where the recorded results are, and where the weights are that they were recorded with.
//!
//! A network that knows its weights needs none. With `weights = runtime` the file that the test loads is named, and
//! checked here as if the network had it for its own, so that a file that does not fit is a message at the layer and
//! no test that fails. Of a family that member has the test which the file fits.

use super::{Noted, checked};
use crate::error::Errors;
use crate::graph::network::Golden;
use crate::import::locate;
use crate::syntax::ast::network as ast;
use std::path::PathBuf;

/// The recorded results of a network, or of a member of a family, if it has some.
pub fn golden(network: &ast::Network, generics: Vec<(String, usize)>, errors: &mut Errors) -> Option<Golden> {
    let written = network.options.golden.as_ref()?;
    let (name, span) = written.file.clone();
    let path = match locate::locate(&name, span) {
        Ok(path) => Some(path),
        Err(error) => {
            errors.push(span, error.to_string());
            None
        }
    };
    let runtime = matches!(network.options.weights, Some((ast::Weights::Runtime, _)));
    let weights = match (&written.weights, runtime) {
        (None, false) => None,
        (Some((_, span)), false) => {
            let message = "this network knows its weights, and the test runs with them: leave this out";
            errors.push(*span, message);
            return None;
        }
        (None, true) => {
            let message = format!(
                "with `weights = runtime` the test needs weights to load, those of the recording: \
                 `golden({name:?}, weights = \"file.safetensors\")`"
            );
            errors.push(span, message);
            return None;
        }
        (Some(_), true) => Some(weights(network, generics, errors)?),
    };
    Some(Golden { path: path?, name, span, weights })
}

/// The path of the weights, which fit; `None` if they do not, or cannot be read (reported, but for a member of a
/// family, which another one may be).
fn weights(network: &ast::Network, generics: Vec<(String, usize)>, errors: &mut Errors) -> Option<PathBuf> {
    let (name, span) = network.options.golden.as_ref()?.weights.clone()?;
    let (path, file) = match locate::open(&name, span) {
        Ok(opened) => opened,
        Err(error) => {
            errors.push(span, error.to_string());
            return None;
        }
    };
    if !file.is_safetensors() {
        errors.push(span, format!("`{name}` is no safetensors file, and the test loads it as a program would"));
        return None;
    }
    let mut known = network.clone();
    known.options.golden = None;
    known.options.weights = Some((ast::Weights::File(name), span));
    let family = !generics.is_empty();
    match checked(&known, generics, &mut Noted::default()) {
        Ok(_) => Some(path),
        // What else is wrong is known already.
        Err(_) if family || !errors.is_empty() => None,
        Err(e) => {
            errors.append(e);
            None
        }
    }
}
