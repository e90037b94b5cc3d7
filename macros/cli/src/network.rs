//! `kern dump` of the networks in a file.

use crate::args::{Request, Stage};
use crate::items::{Found, items, take};
use kernforge_compiler::error::Errors;
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::network::{Compiled, Unit, compile};
use kernforge_compiler::{Variant, check, emit, syntax};
use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use std::path::Path;

/// A network that the macro would compile.
pub struct Source {
    /// Checked.
    pub network: Network,
    /// What it compiles to.
    pub compiled: Compiled,
}

/// All networks of a file, in its order. Mistakes are reported as `file:line:column: message`.
pub fn networks(file: &str) -> Result<Vec<Source>, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    let mut errors = Errors::new();
    let parsed = match syn::parse_file(&text) {
        Ok(parsed) => parsed,
        Err(e) => {
            errors.push(e.span(), e.to_string());
            return Err(crate::source::report(file, &errors));
        }
    };
    let mut networks = Vec::new();
    for found in items(&parsed) {
        let Found::Item(syn::Item::Impl(block)) = found else { continue };
        let mut block = block.clone();
        let Some(arguments) = take(&mut block.attrs, "network") else { continue };
        let arguments = beside(arguments, Path::new(file).parent().unwrap_or(Path::new("")));
        let (parsed, mistakes) = syntax::parse_network(arguments, block.to_token_stream());
        let broken = !mistakes.is_empty();
        errors.append(mistakes);
        let Some(parsed) = parsed.filter(|_| !broken) else { continue };
        let (family, mistakes) = check::network::family::family(&parsed);
        let broken = !mistakes.is_empty();
        errors.append(mistakes);
        for network in family.members.into_iter().map(|m| m.network).filter(|_| !broken) {
            match compile(&network) {
                Ok(compiled) => networks.push(Source { network, compiled }),
                Err(e) => errors.append(e),
            }
        }
    }
    errors.finish(networks).map_err(|e| crate::source::report(file, &e))
}

/// The arguments of the attribute with the paths of files that lie beside the source made whole: the
/// macro knows where its source is, this text does not.
fn beside(tokens: TokenStream, directory: &Path) -> TokenStream {
    let one = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), beside(group.stream(), directory));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        TokenTree::Literal(literal) => {
            let path = syn::parse_str::<syn::LitStr>(&literal.to_string()).map(|s| directory.join(s.value()));
            match path.ok().filter(|p| p.is_file()).and_then(|p| std::path::absolute(p).ok()) {
                Some(path) => {
                    let mut whole = Literal::string(&path.to_string_lossy());
                    whole.set_span(literal.span());
                    TokenTree::Literal(whole)
                }
                None => TokenTree::Literal(literal),
            }
        }
        TokenTree::Ident(_) | TokenTree::Punct(_) => token,
    };
    tokens.into_iter().map(one).collect()
}

/// The stage wanted, or all with headings, of every network wanted.
pub fn dump(request: &Request, networks: &[Source], stage: Option<Stage>) -> Result<String, String> {
    let mut text = String::new();
    let named = |s: &&Source| request.name.as_ref().is_none_or(|name| s.network.name == name);
    for source in networks.iter().filter(named) {
        let stages = stage.map_or(Stage::ALL.to_vec(), |s| vec![s]);
        for one in &stages {
            if stages.len() > 1 {
                text.push_str(&format!("// ── {} of {} ──\n", one.name(), source.network.name));
            }
            text.push_str(&print(request, source, *one)?);
        }
    }
    Ok(text)
}

fn print(request: &Request, Source { network, compiled }: &Source, stage: Stage) -> Result<String, String> {
    let variants = |unit: &Unit, show: &dyn Fn(&Variant) -> String| -> String {
        unit.variants.iter().filter(|v| request.isa.is_none_or(|isa| v.isa == isa)).map(show).collect()
    };
    Ok(match stage {
        Stage::Ast => String::from("// A network's source is its own syntax tree.\n"),
        Stage::Graph => compiled.entries.iter().map(|e| e.graph.to_string()).collect(),
        Stage::Kernel => {
            let mut text = format!("// once\n{}", compiled.prepare.kernel);
            for entry in &compiled.entries {
                text.push_str(&format!("// at every call\n{}", entry.kernel));
                for line in entry.plan.to_string().lines() {
                    text.push_str(&format!("// {line}\n"));
                }
            }
            text
        }
        Stage::Schedule => {
            let one = |u: &Unit| {
                let schedule = |v: &Variant| format!("// {}\n{}\n", v.isa.name(), v.schedule.display(&u.kernel));
                format!("{}{}", u.kernel, variants(u, &schedule))
            };
            compiled.units.iter().map(one).collect()
        }
        Stage::Vir => compiled.units.iter().map(|u| variants(u, &|v| v.code.to_string())).collect(),
        Stage::Rust => emit::network::code(network, compiled)?,
    })
}
