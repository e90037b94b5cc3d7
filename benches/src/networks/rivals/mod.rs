//! The engines and crates a Rust user would run a network with, as their documentation advises, on one thread.

mod candle;
mod nnnoiseless;
mod rten;
mod tract;

use super::{Network, disagreement, models};
use crate::data::Buffer;
use crate::entries::Entry;

/// Adds every rival that can run the network, checked against `expected` (without it, against one another), and why
/// the others are left out.
pub fn add<'a>(
    network: &'a Network,
    operands: &'a [Buffer],
    mut expected: Option<Vec<f32>>,
    entries: &mut Vec<Entry<'a>>,
    skipped: &mut Vec<String>,
) {
    if let Some(small) = network.small {
        match candle::entry(small) {
            Ok(entry) => entries.push(entry),
            Err(error) => skipped.push(format!("{} does not run {}: {error}", candle::NAME, network.name)),
        }
        return;
    }
    match models::path(&network.name) {
        Ok(path) => {
            for (name, built) in [
                (tract::NAME, tract::entry(network, &path, operands)),
                (rten::NAME, rten::entry(network, &path, operands)),
            ] {
                match built {
                    Ok((entry, results)) => {
                        let expected = expected.get_or_insert_with(|| results.clone());
                        match disagreement(name, &network.name, expected, &results) {
                            Some(reason) => skipped.push(reason),
                            None => entries.push(entry),
                        }
                    }
                    Err(error) => skipped.push(format!("{name} does not run {}: {error:#}", network.name)),
                }
            }
        }
        Err(reason) => skipped.push(reason),
    }
    if network.name == "rnnoise" {
        entries.extend(nnnoiseless::entries());
    }
}
