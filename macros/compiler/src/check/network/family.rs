//! `family(HIDDEN = [8, 16, 32])` on `impl<const HIDDEN: usize> Kws<HIDDEN>`: one network for each
//! choice of sizes, checked by itself.
//!
//! Input: the block. Output: its members, each a network with the sizes in its name (`KwsHidden8`);
//! a block without sizes is its own only member. A member with mistakes is there as its signatures, so
//! that the code which uses it finds its items. Invariant: the same mistake in several members is
//! told once; what concerns some of them names the first of these.

use super::dead::Dead;
use super::{Noted, checked, signatures};
use crate::check::Types;
use crate::error::Errors;
use crate::graph::network::Network;
use crate::syntax::ast::Vis;
use crate::syntax::ast::network as ast;
use proc_macro2::{Ident, TokenStream};
use std::collections::{BTreeMap, BTreeSet};

/// The most members: each is compiled by itself, for every instruction set.
const MEMBERS: usize = 32;

/// A block, with each choice of its sizes.
#[derive(Clone, Debug)]
pub struct Family {
    /// The type's name as written.
    pub name: Ident,
    /// The visibility of its first public function.
    pub vis: Vis,
    /// Doc comments and attributes of the block that pass through.
    pub attrs: TokenStream,
    /// The names of its sizes, in order: none for a network that is no family.
    pub sizes: Vec<Ident>,
    /// The members, in the order of the values as written, the last size fastest.
    pub members: Vec<Member>,
}

/// A network of a family.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its values, one for each of the family's sizes.
    pub values: Vec<usize>,
    /// The values in words, which are the end of its name: `Hidden8`; empty without sizes.
    pub suffix: String,
    /// Itself.
    pub network: Network,
    /// The types of its names.
    pub types: Types,
    /// Its layers that nothing reads.
    pub dead: Vec<Dead>,
}

impl Family {
    /// A member as the user writes its type: `Kws<8>`.
    pub fn instance(&self, member: &Member) -> String {
        instance(&self.name, &member.values)
    }
}

fn instance(name: &Ident, values: &[usize]) -> String {
    let values: Vec<String> = values.iter().map(usize::to_string).collect();
    format!("{name}<{}>", values.join(", "))
}

/// The members of a block, and all mistakes in it.
pub fn family(network: &ast::Network) -> (Family, Errors) {
    let vis = network.functions.iter().find(|f| f.is_entry()).map_or(Vis::Private, |f| f.vis.clone());
    let mut family = Family {
        name: network.name.clone(),
        vis,
        attrs: network.attrs.clone(),
        sizes: network.generics.clone(),
        members: Vec::new(),
    };
    let mut errors = Errors::new();
    let choices = choices(network, &mut errors);
    let mut found: Vec<(String, Errors)> = Vec::new();
    for values in choices {
        let mut of = network.clone();
        let suffix: String = family.sizes.iter().zip(&values).map(|(name, n)| format!("{}{n}", camel(name))).collect();
        of.name = quote::format_ident!("{}{suffix}", network.name);
        if !family.sizes.is_empty() {
            of.options.weights = of.options.weights.map(|(_, span)| (ast::Weights::Runtime, span));
        }
        let sizes: Vec<(String, usize)> =
            family.sizes.iter().map(Ident::to_string).zip(values.iter().copied()).collect();
        let mut noted = Noted::default();
        let network = match checked(&of, sizes.clone(), &mut noted) {
            Ok(network) => network,
            Err(e) => {
                found.push((instance(&family.name, &values), e));
                signatures(&of, sizes, std::mem::take(&mut noted.states))
            }
        };
        family.members.push(Member { values, suffix, network, types: noted.types, dead: noted.dead });
    }
    errors.append(told_once(&found, family.members.len()));
    let untested = family.members.iter().all(|m| m.network.golden.is_none());
    if let (true, true, false, Some((file, span))) =
        (errors.is_empty(), untested, family.members.is_empty(), golden_weights(network))
    {
        let members: Vec<String> = family.members.iter().map(|m| family.instance(m)).collect();
        errors.push(*span, format!("`{file}` fits no member of this family: not {}", members.join(", not ")));
    }
    (family, errors)
}

/// The mistakes of several members as one list.
fn told_once(found: &[(String, Errors)], members: usize) -> Errors {
    let place = |e: &crate::error::Error| (e.span.start().line, e.span.start().column);
    let mut tellers: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut errors = Errors::new();
    for (member, (name, list)) in found.iter().enumerate() {
        for e in list.iter() {
            if *tellers.entry(place(e)).or_insert(member) != member {
                continue;
            }
            let same = |o: &crate::error::Error| place(o) == place(e) && o.message == e.message;
            let everywhere = found.len() == members && found.iter().all(|(_, list)| list.iter().any(same));
            let message = if everywhere { e.message.clone() } else { format!("{} (in `{name}`)", e.message) };
            errors.push(e.span, message);
        }
    }
    errors
}

/// The values of the sizes for each member: the product of the lists.
fn choices(network: &ast::Network, errors: &mut Errors) -> Vec<Vec<usize>> {
    let (sizes, lists) = (&network.generics, &network.options.family);
    if let (Some((name, _)), []) = (lists.first(), sizes.as_slice()) {
        let message = format!(
            "this network has no sizes: write `impl<const {name}: usize> {}<{name}>`, or leave out `family`",
            network.name
        );
        errors.push(name.span(), message);
        return vec![Vec::new()];
    }
    let mut given = BTreeSet::new();
    for (name, _) in lists {
        if !sizes.contains(name) {
            let known: Vec<String> = sizes.iter().map(|s| format!("`{s}`")).collect();
            errors.push(name.span(), format!("`{name}` is no size of this network; it has {}", known.join(", ")));
        } else if !given.insert(name.to_string()) {
            errors.push(name.span(), format!("the values of `{name}` are given twice"));
        }
    }
    let mut choices: Vec<Vec<usize>> = vec![Vec::new()];
    let mut count = 1usize;
    for size in sizes {
        let Some((name, values)) = lists.iter().find(|(name, _)| name == size) else {
            // Where another name is wrong, it is this one that was meant.
            if errors.is_empty() {
                let message = format!("say which sizes to compile: `#[network(family({size} = [8, 16, 32]), ..)]`");
                errors.push(size.span(), message);
            }
            return Vec::new();
        };
        let mut distinct: Vec<usize> = Vec::new();
        for n in values {
            if distinct.contains(n) {
                errors.push(name.span(), format!("{n} is listed twice for `{name}`"));
            } else {
                distinct.push(*n);
            }
        }
        if distinct.is_empty() {
            errors.push(name.span(), format!("`family` lists no values for `{name}`: `{name} = [8, 16, 32]`"));
            return Vec::new();
        }
        count = count.saturating_mul(distinct.len());
        if count > MEMBERS {
            let message = format!(
                "this family has {count} members or more, and each is compiled by itself: at most {MEMBERS}; list fewer \
                 values"
            );
            errors.push(name.span(), message);
            return Vec::new();
        }
        let with = |c: &Vec<usize>, n: usize| c.iter().copied().chain([n]).collect::<Vec<usize>>();
        choices = choices.iter().flat_map(|c| distinct.iter().map(move |n| with(c, *n))).collect();
    }
    if let ([_, ..], Some(span)) = (sizes.as_slice(), not_runtime(network)) {
        let message = "the members of a family have weights of different shapes, so no one source fits all: write \
                       `weights = runtime`, and `load` picks the member that a file fits";
        errors.push(span, message);
    }
    choices
}

/// The file of weights that the recorded results belong to.
fn golden_weights(network: &ast::Network) -> Option<&(String, proc_macro2::Span)> {
    network.options.golden.as_ref()?.weights.as_ref()
}

/// The token of weights that are not given when the program runs.
fn not_runtime(network: &ast::Network) -> Option<proc_macro2::Span> {
    match &network.options.weights {
        Some((ast::Weights::Runtime, _)) | None => None,
        Some((ast::Weights::File(_) | ast::Weights::Zeroed | ast::Weights::Seeded(_), span)) => Some(*span),
    }
}

/// `NUM_HEADS` as `NumHeads`.
fn camel(name: &Ident) -> String {
    let mut text = String::new();
    for word in name.to_string().trim_start_matches("r#").split('_') {
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(&letters.as_str().to_lowercase());
    }
    text
}
