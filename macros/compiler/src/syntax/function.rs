//! One function: attributes, signature, body.

use super::ast::{Claim, Expr, ExprKind, Function, Interface, Let, Options, Param, ResultExpr, Type, Vis};
use super::expr::Dialect;
use super::{expr, limits, options, parse_all, report, types};
use crate::error::Errors;
use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Pat, Stmt, Token, Visibility};

/// The parts of a function before they are looked into.
#[derive(Debug)]
struct Parts {
    attrs: Vec<Attribute>,
    vis: Visibility,
    name: Ident,
    params: TokenStream,
    result: TokenStream,
    body: Body,
    /// What can be understood but not kept: where, and what to say.
    slips: Vec<(Span, String)>,
}

#[derive(Debug)]
enum Body {
    Formula(TokenStream),
    Block(TokenStream),
    Missing(Span),
}

/// Parses a function; `None` if not even its name and parameters can be found.
pub fn parse(claim: Claim, tokens: TokenStream, errors: &mut Errors) -> Option<Function> {
    let mistakes = errors.len();
    if !limits::check(&tokens, errors) {
        return None;
    }
    let parts = match parse_all(tokens, |input| parts(input, claim)) {
        Ok(parts) => parts,
        Err(error) => {
            report(errors, &error);
            return None;
        }
    };
    for (span, message) in parts.slips {
        errors.push(span, message);
    }
    let mut options = Options::default();
    let attrs = options::attributes(parts.attrs, &mut options, errors);
    let loops = claim == Claim::Kernel && loop_nest(&parts.params, errors);
    let params: Vec<Param> =
        separated(parts.params).into_iter().filter_map(|p| parameter(p, claim, loops, errors)).collect();
    // What such a piece was to name is unknown.
    let lost = params.iter().any(|p| p.ty.broken);
    let results = result_types(parts.result, errors);
    let vis = visibility(&parts.vis);
    let mut function = Function {
        interface: Interface {
            claim,
            attrs: quote!(#(#attrs)*),
            vis,
            name: parts.name,
            params,
            results,
            formula: match &parts.body {
                Body::Formula(t) | Body::Block(t) => source_text(t),
                Body::Missing(_) => String::new(),
            },
        },
        options,
        lets: Vec::new(),
        results: Vec::new(),
        broken: loops,
        reported: false,
    };
    if !loops {
        let before = errors.len();
        body(parts.body, &mut function, errors);
        function.broken = lost || errors.len() > before;
    }
    function.reported = errors.len() > mistakes;
    Some(function)
}

/// A visibility as ours.
pub(super) fn visibility(vis: &Visibility) -> Vis {
    match vis {
        Visibility::Inherited => Vis::Private,
        Visibility::Public(_) => Vis::Public,
        Visibility::Restricted(r) if r.path.is_ident("crate") => Vis::Crate,
        Visibility::Restricted(r) if r.path.is_ident("super") => Vis::Super,
        Visibility::Restricted(r) if r.path.is_ident("self") => Vis::Private,
        Visibility::Restricted(r) => Vis::In(r.path.to_token_stream()),
    }
}

fn parts(input: ParseStream<'_>, claim: Claim) -> syn::Result<Parts> {
    let mut slips = Vec::new();
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    while !input.peek(Token![fn]) && qualifier(input)? {
        slips.push((input.span(), "a kernel is a plain `fn`: safe, not `const`, `async` or `extern`".to_string()));
        input.parse::<TokenTree>()?;
        input.parse::<Option<syn::LitStr>>()?;
    }
    if !input.peek(Token![fn]) {
        return Err(input.error(match claim {
            Claim::Gemm | Claim::Conv | Claim::Pool => {
                "expected `fn name(x: f32[16, 784], ..) -> f32[16, 128] = expression;`"
            }
            Claim::Kernel => {
                "`#[kernel]` belongs on `fn name(x: Tensor![f32; 16, 784], ..) -> Tensor![f32; 16, 128] { expression }`"
            }
        }));
    }
    input.parse::<Token![fn]>()?;
    let name: Ident = input.parse()?;
    if input.peek(Token![<]) {
        slips.push((input.span(), "a kernel has no generic parameters: its shapes are literals".to_string()));
        while !input.is_empty() && !input.peek(syn::token::Paren) {
            input.parse::<TokenTree>()?;
        }
    }
    let content;
    syn::parenthesized!(content in input);
    let params = content.parse()?;
    let mut result = TokenStream::new();
    if input.parse::<Option<Token![->]>>()?.is_some() {
        while !input.is_empty() && !input.peek(Token![=]) && !input.peek(syn::token::Brace) && !input.peek(Token![;]) {
            result.extend([input.parse::<TokenTree>()?]);
        }
    }
    let body = if input.parse::<Option<Token![=]>>()?.is_some() {
        let mut formula: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        if formula.last().is_some_and(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ';')) {
            formula.pop();
        } else if let Some(last) = formula.last() {
            slips.push((last.span(), "a `;` is missing here: a formula ends with one".to_string()));
        }
        if formula.is_empty() { Body::Missing(name.span()) } else { Body::Formula(formula.into_iter().collect()) }
    } else if input.peek(syn::token::Brace) {
        let content;
        syn::braced!(content in input);
        Body::Block(content.parse()?)
    } else {
        let _rest: TokenStream = input.parse()?;
        Body::Missing(name.span())
    };
    Ok(Parts { attrs, vis, name, params, result, body, slips })
}

/// Whether `unsafe`, `const`, `async` or `extern` comes next.
fn qualifier(input: ParseStream<'_>) -> syn::Result<bool> {
    let known = input.peek(Token![unsafe]) || input.peek(Token![const]) || input.peek(Token![async]);
    Ok((known || input.peek(Token![extern])) && !input.is_empty())
}

/// Tokens between commas.
pub(super) fn separated(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        if matches!(&token, TokenTree::Punct(p) if p.as_char() == ',') {
            parts.push(TokenStream::new());
        } else if let Some(last) = parts.last_mut() {
            last.extend([token]);
        }
    }
    parts.retain(|p| !p.is_empty());
    parts
}

/// Whether parameters are references to arrays, which makes the function a loop nest; reported once.
fn loop_nest(params: &TokenStream, errors: &mut Errors) -> bool {
    let trees: Vec<TokenTree> = params.clone().into_iter().collect();
    let amp = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == '&');
    let array = |t: &TokenTree| matches!(t, TokenTree::Group(g) if g.delimiter() == proc_macro2::Delimiter::Bracket);
    let word = |t: &TokenTree| matches!(t, TokenTree::Ident(i) if i == "mut");
    let reference = |at: &usize| match &trees[*at..] {
        [first, second, ..] if amp(first) && array(second) => true,
        [first, second, third, ..] => amp(first) && word(second) && array(third),
        _short => false,
    };
    let Some(at) = (0..trees.len()).find(reference) else { return false };
    errors.push(
        trees[at].span(),
        "a `#[kernel]` over array references is a loop nest, which this version does not compile yet: \
         declare the parameters as `Tensor![f32; ..]` and write a formula",
    );
    true
}

/// A parameter. One that cannot be read keeps its place, so that calls still have the right number
/// of arguments; only `self` is none.
fn parameter(tokens: TokenStream, claim: Claim, loops: bool, errors: &mut Errors) -> Option<Param> {
    let first = |wanted: fn(&Ident) -> bool| {
        tokens.clone().into_iter().find_map(|t| match t {
            TokenTree::Ident(i) if wanted(&i) => Some(i),
            TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        })
    };
    let at = tokens.clone().into_iter().next().map_or_else(Span::call_site, |t| t.span());
    let parser = |input: ParseStream<'_>| -> syn::Result<(Ident, Option<TokenStream>)> {
        let _attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Option<Token![mut]>>()?;
        let name = if input.peek(Token![_]) { input.call(Ident::parse_any)? } else { input.parse()? };
        if input.is_empty() {
            return Ok((name, None));
        }
        input.parse::<Token![:]>()?;
        Ok((name, Some(input.parse()?)))
    };
    match parse_all(tokens.clone(), parser) {
        Ok((name, _)) if name == "_" => {
            errors.push(name.span(), "a parameter needs a name: write `_x` for one that is not used");
            Some(types::broken_parameter(Ident::new("_unnamed", name.span())))
        }
        Ok((name, _)) if loops => Some(types::broken_parameter(name)),
        Ok((name, Some(ty))) => {
            let (mutable, ty) = types::parameter(ty, name.span(), errors);
            Some(Param { name, mutable, ty })
        }
        Ok((name, None)) => {
            let example = types::example(claim);
            errors.push(name.span(), format!("`{name}` has no type: write `{name}: {example}`"));
            Some(types::broken_parameter(name))
        }
        Err(_) if first(|i| i == "self").is_some() => {
            let example = types::example(claim);
            errors.push(at, format!("a kernel is a free function, without `self`: write `name: {example}`"));
            None
        }
        Err(_) => {
            errors.push(at, format!("a parameter is `name: {}`", types::example(claim)));
            Some(types::broken_parameter(Ident::new("_unread", at)))
        }
    }
}

fn result_types(tokens: TokenStream, errors: &mut Errors) -> Vec<Type> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    match trees.as_slice() {
        [] => Vec::new(),
        [TokenTree::Group(g)] if g.delimiter() == proc_macro2::Delimiter::Parenthesis => {
            separated(g.stream()).into_iter().map(|t| types::plain(t, g.span(), errors)).collect()
        }
        [first, ..] => {
            let span = first.span();
            vec![types::plain(trees.into_iter().collect(), span, errors)]
        }
    }
}

fn body(body: Body, f: &mut Function, errors: &mut Errors) {
    match body {
        Body::Missing(span) => {
            errors.push(span, "what does it compute? expected `= expression;` or `{ expression }`");
        }
        Body::Formula(tokens) => {
            if colons(&tokens, errors) {
                return;
            }
            match parse_all(tokens, |input| input.parse::<syn::Expr>()) {
                Ok(syn::Expr::Block(block)) => statements(block.block.stmts, f, errors),
                Ok(expression) => returned(expression, f, errors),
                Err(error) => report(errors, &error),
            }
        }
        Body::Block(tokens) => {
            if colons(&tokens, errors) {
                return;
            }
            match parse_all(tokens, syn::Block::parse_within) {
                Ok(stmts) => statements(stmts, f, errors),
                Err(error) => report(errors, &error),
            }
        }
    }
}

/// Reports arguments written `name: value`, of which `syn` would only say that a comma is missing.
fn colons(tokens: &TokenStream, errors: &mut Errors) -> bool {
    let before = errors.len();
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (i, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        let inside: Vec<TokenTree> = group.stream().into_iter().collect();
        let call = i > 0
            && matches!(trees[i - 1], TokenTree::Ident(_))
            && group.delimiter() == proc_macro2::Delimiter::Parenthesis;
        for pair in inside.windows(3).filter(|_| call) {
            if let [
                TokenTree::Ident(name),
                TokenTree::Punct(colon),
                TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Group(_),
            ] = pair
                && (colon.as_char(), colon.spacing()) == (':', Spacing::Alone)
            {
                errors.push(colon.span(), format!("a named argument is written with `=`: `{name} = ..`"));
            }
        }
        colons(&group.stream(), errors);
    }
    errors.len() > before
}

fn statements(stmts: Vec<Stmt>, f: &mut Function, errors: &mut Errors) {
    for stmt in stmts {
        match stmt {
            Stmt::Local(local) => binding(local, f, errors),
            Stmt::Expr(syn::Expr::Assign(assign), _) => match *assign.left {
                syn::Expr::Unary(syn::ExprUnary { op: syn::UnOp::Deref(_), expr: target, .. }) => match *target {
                    syn::Expr::Path(p) if p.path.get_ident().is_some() => {
                        let value = expr::convert(*assign.right, Dialect::Formula, errors);
                        f.results.push(ResultExpr { target: p.path.get_ident().cloned(), value });
                    }
                    other => errors.push(other.span(), "only a parameter can be assigned: `*name = expression;`"),
                },
                other => errors.push(
                    other.span(),
                    "a parameter is assigned with a star, `*name = expression;`, and a `let` keeps its value",
                ),
            },
            Stmt::Expr(syn::Expr::Binary(b), Some(_)) if compound(b.op) => {
                errors.push(b.op.span(), "a parameter is assigned whole: `*y = y + expression;`");
            }
            Stmt::Expr(
                flow @ (syn::Expr::ForLoop(_) | syn::Expr::While(_) | syn::Expr::Loop(_) | syn::Expr::Return(_)),
                _,
            ) => {
                expr::convert(flow, Dialect::Formula, errors);
            }
            Stmt::Expr(value, None) => returned(value, f, errors),
            Stmt::Expr(value, Some(_)) => {
                errors.push(value.span(), "this value is not used: bind it with `let`, or return it without `;`");
            }
            Stmt::Item(item) => {
                errors.push(item.span(), "a kernel holds no items: dimensions and numbers are written as literals");
            }
            other => errors.push(other.span(), "a kernel holds `let`, `*name = expression;` and its result"),
        }
    }
}

/// Whether an operator assigns too.
fn compound(op: syn::BinOp) -> bool {
    use syn::BinOp::{AddAssign, DivAssign, MulAssign, SubAssign};
    matches!(op, AddAssign(_) | SubAssign(_) | MulAssign(_) | DivAssign(_))
}

fn binding(local: syn::Local, f: &mut Function, errors: &mut Errors) {
    let (pattern, claim) = match local.pat {
        Pat::Type(typed) => {
            let span = typed.ty.span();
            (*typed.pat, Some(types::plain(typed.ty.to_token_stream(), span, errors)))
        }
        other => (other, None),
    };
    let names = match &pattern {
        Pat::Ident(p) if p.subpat.is_none() => vec![p.ident.clone()],
        Pat::Tuple(t) => {
            let mut names = Vec::new();
            for element in &t.elems {
                match element {
                    Pat::Ident(p) => names.push(p.ident.clone()),
                    other => errors.push(other.span(), "a tuple pattern binds plain names"),
                }
            }
            names
        }
        other => {
            errors.push(other.span(), "`let` binds a name or a tuple of names");
            Vec::new()
        }
    };
    let value = match local.init {
        Some(init) => expr::convert(*init.expr, Dialect::Formula, errors),
        None => {
            errors.push(pattern.span(), "a `let` needs a value: `let name = expression;`");
            Expr { kind: ExprKind::Invalid, span: pattern.span() }
        }
    };
    f.lets.push(Let { names, claim, value });
}

/// The returned value; a tuple is several when several results are declared.
fn returned(value: syn::Expr, f: &mut Function, errors: &mut Errors) {
    match value {
        syn::Expr::Tuple(t) if f.interface.results.len() != 1 => {
            for element in t.elems {
                let value = expr::convert(element, Dialect::Formula, errors);
                f.results.push(ResultExpr { target: None, value });
            }
        }
        other => {
            let value = expr::convert(other, Dialect::Formula, errors);
            f.results.push(ResultExpr { target: None, value });
        }
    }
}

/// Tokens as a person would write them: no space inside parentheses or before commas.
pub(super) fn source_text(tokens: &TokenStream) -> String {
    let mut text = String::new();
    write_tokens(tokens, &mut text);
    text.trim().to_string()
}

fn write_tokens(tokens: &TokenStream, text: &mut String) {
    let mut joined = true; // no space wanted before the next token
    for token in tokens.clone() {
        match &token {
            TokenTree::Group(g) => {
                let (open, close) = match g.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{ ", " }"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                let call = text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '!');
                if !joined && !call && !text.ends_with([' ', '(']) {
                    text.push(' ');
                }
                text.push_str(open);
                write_tokens(&g.stream(), text);
                text.push_str(close);
                joined = false;
            }
            TokenTree::Punct(p) => {
                let tight = matches!(p.as_char(), ',' | ';' | '.' | ':' | '!');
                let unary = joined || text.ends_with(['(', '[', ' ']) && p.as_char() == '-';
                if !tight && !unary && !text.ends_with(' ') {
                    text.push(' ');
                }
                text.push(p.as_char());
                if matches!(p.as_char(), ',' | ';' | ':') && p.spacing() == Spacing::Alone {
                    text.push(' ');
                }
                joined = matches!(p.as_char(), '.' | '!') || p.spacing() == Spacing::Joint || unary;
                if !tight && !joined {
                    text.push(' ');
                }
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if !joined && !text.ends_with([' ', '(', '[']) && !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
                joined = false;
            }
        }
    }
}
