//! Macro variables: `macro_rules!` wraps the tokens of `$n:literal`, `$v:vis`, `$e:expr` and `$t:ty` in
//! groups without delimiters, and kernels are often written by such macros.
//!
//! Afterwards a source reads as if its variables had been written out; only an expression keeps
//! its precedence, as a parenthesis.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Deeper groups are left as they are: [`super::limits`] reports them.
const DEPTH: usize = 64;

/// The tokens without invisible groups.
pub fn visible(tokens: TokenStream) -> TokenStream {
    // Rebuilt groups forget where their brackets are, so others stay untouched.
    if hidden(&tokens, 0) { written_out(tokens, 0) } else { tokens }
}

/// Whether there is an invisible group anywhere.
fn hidden(tokens: &TokenStream, depth: usize) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(g) => g.delimiter() == Delimiter::None || depth < DEPTH && hidden(&g.stream(), depth + 1),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn written_out(tokens: TokenStream, depth: usize) -> TokenStream {
    let mut out = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Group(g)
                if depth < DEPTH && (g.delimiter() == Delimiter::None || hidden(&g.stream(), depth)) =>
            {
                let inside = written_out(g.stream(), depth + 1);
                match g.delimiter() {
                    Delimiter::None if stands_alone(&inside) => out.extend(inside),
                    Delimiter::None => out.extend([group(Delimiter::Parenthesis, inside, &g)]),
                    visible @ (Delimiter::Parenthesis | Delimiter::Brace | Delimiter::Bracket) => {
                        out.extend([group(visible, inside, &g)]);
                    }
                }
            }
            other => out.extend([other]),
        }
    }
    out
}

fn group(delimiter: Delimiter, inside: TokenStream, like: &Group) -> TokenTree {
    let mut group = Group::new(delimiter, inside);
    group.set_span(like.span());
    TokenTree::Group(group)
}

/// Nothing, one token, a visibility, or a macro call such as `Tensor![f32; 4]`: no operator can
/// pull it apart.
fn stands_alone(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match tokens.as_slice() {
        [] | [_] => true,
        [TokenTree::Ident(first), ..] if first == "pub" => true,
        [.., TokenTree::Punct(bang), TokenTree::Group(_)] => bang.as_char() == '!',
        _ => false,
    }
}
