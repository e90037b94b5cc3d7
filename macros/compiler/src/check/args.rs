//! Arguments as in Python: positional in the signature's order, then `name = value`.

use crate::error::Errors;
use crate::ops::{self, Row};
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::{Ident, Span};

/// The arguments of a call, by the names of the operation's signature.
pub struct Arguments<'a> {
    row: &'static Row,
    call: Span,
    given: Vec<(&'static str, &'a Expr)>,
}

impl<'a> Arguments<'a> {
    /// Binds the arguments of a call; `None` if any is unknown, twice or missing (reported).
    pub fn bind(
        row: &'static Row,
        name: &Ident,
        args: &'a [Expr],
        named: &'a [(Ident, Expr)],
        errors: &mut Errors,
    ) -> Option<Arguments<'a>> {
        let mut bound = Arguments { row, call: name.span(), given: Vec::new() };
        let signature: Vec<(&str, Option<&str>)> = row.arguments().collect();
        let before = errors.len();
        for (i, arg) in args.iter().enumerate() {
            match signature.get(i) {
                Some((name, _)) => bound.given.push((name, arg)),
                None => errors.push(
                    arg.span,
                    format!("`{}` takes at most {}: `{0}({})`", row.name, arguments(signature.len()), row.signature),
                ),
            }
        }
        for (key, value) in named {
            let text = key.to_string();
            let Some((known, _)) = signature.iter().find(|(n, _)| *n == text) else {
                let hint = match ops::FOREIGN.iter().find(|(f, _)| *f == text) {
                    Some((_, ours)) => format!("; it is spelled `{ours}` here"),
                    None => match ops::nearest(&text, signature.iter().map(|s| s.0)) {
                        Some(near) => format!("; did you mean `{near}`?"),
                        None => format!(": `{}({})`", row.name, row.signature),
                    },
                };
                errors.push(key.span(), format!("`{}` has no argument `{text}`{hint}", row.name));
                continue;
            };
            if bound.given.iter().any(|(n, _)| n == known) {
                errors.push(key.span(), format!("`{text}` is given twice"));
            } else {
                bound.given.push((known, value));
            }
        }
        let missing: Vec<&str> = signature
            .iter()
            .filter(|(n, default)| default.is_none() && !bound.given.iter().any(|(g, _)| g == n))
            .map(|(n, _)| *n)
            .collect();
        if !missing.is_empty() && errors.len() == before {
            errors.push(
                name.span(),
                format!("`{}` needs `{}`: `{0}({})`", row.name, missing.join("`, `"), row.signature),
            );
        }
        (errors.len() == before).then_some(bound)
    }

    /// The operation's name.
    pub fn op(&self) -> &'static str {
        self.row.name
    }

    /// The operation's token.
    pub fn call(&self) -> Span {
        self.call
    }

    /// The expression given for an argument.
    pub fn given(&self, name: &str) -> Option<&'a Expr> {
        self.given.iter().find(|(n, _)| *n == name).map(|(_, e)| *e)
    }

    /// The default of an argument, as written in the signature.
    pub fn default(&self, name: &str) -> Option<&'static str> {
        self.row.arguments().find(|(n, _)| *n == name).and_then(|(_, d)| d)
    }

    /// Where to point for an argument: its expression, or the operation.
    pub fn span(&self, name: &str) -> Span {
        self.given(name).map_or(self.call, |e| e.span)
    }

    /// A bare word such as `same`, or the default; `Err` if something else was given.
    pub fn word(&self, name: &str) -> Result<&'a str, ()> {
        match self.given(name) {
            None => self.default(name).ok_or(()),
            Some(Expr { kind: ExprKind::Name(word), .. }) => Ok(word),
            Some(_) => Err(()),
        }
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str, errors: &mut Errors) -> Option<bool> {
        match self.given(name) {
            None => Some(self.default(name) == Some("true")),
            Some(Expr { kind: ExprKind::Bool(b), .. }) => Some(*b),
            Some(other) => {
                errors.push(other.span, format!("`{name}` is `true` or `false`"));
                None
            }
        }
    }

    /// A non-negative integer argument.
    pub fn integer(&self, name: &str, errors: &mut Errors) -> Option<usize> {
        match self.given(name) {
            None => self.default(name).and_then(|d| d.parse().ok()),
            Some(expr) => count(expr, name, errors),
        }
    }

    /// One value per spatial axis: `2` or `[2, 1]`.
    pub fn per_axis(&self, name: &str, rank: usize, errors: &mut Errors) -> Option<Vec<usize>> {
        match self.given(name) {
            None => self.default(name).and_then(|d| d.parse().ok()).map(|n| vec![n; rank]),
            Some(Expr { kind: ExprKind::List(items), span }) => {
                if items.len() != rank {
                    errors.push(*span, format!("`{name}` has {} values, but there {}", items.len(), spatial(rank)));
                    return None;
                }
                items.iter().map(|e| count(e, name, errors)).collect()
            }
            Some(expr) => count(expr, name, errors).map(|n| vec![n; rank]),
        }
    }

    /// Padding: `1`, `(before, after)`, `[1, 2]`, `[(0, 1), (1, 2)]`; per spatial axis.
    pub fn padding(&self, rank: usize, errors: &mut Errors) -> Option<Vec<(usize, usize)>> {
        let Some(expr) = self.given("pad") else { return Some(vec![(0, 0); rank]) };
        match &expr.kind {
            ExprKind::List(items) => {
                if items.len() != rank {
                    let message = format!("`pad` has {} values, but there {}", items.len(), spatial(rank));
                    errors.push(expr.span, message);
                    return None;
                }
                items.iter().map(|e| sides(e, errors)).collect()
            }
            ExprKind::Name(word) => {
                errors.push(expr.span, format!("`pad = {word}`: there are numbers, `same`, and `causal` for 1-D"));
                None
            }
            ExprKind::Number(..)
            | ExprKind::Bool(_)
            | ExprKind::Tuple(_)
            | ExprKind::Call { .. }
            | ExprKind::Neg(_)
            | ExprKind::Arith(..)
            | ExprKind::Cast(..)
            | ExprKind::Index(..)
            | ExprKind::Range(..)
            | ExprKind::Text(_)
            | ExprKind::Associated(_)
            | ExprKind::Own { .. }
            | ExprKind::Field(..)
            | ExprKind::At(..)
            | ExprKind::Bounds(..)
            | ExprKind::Operator(..)
            | ExprKind::Not(_)
            | ExprKind::If(..)
            | ExprKind::Block(_)
            | ExprKind::Closure(..)
            | ExprKind::Invalid => sides(expr, errors).map(|s| vec![s; rank]),
        }
    }

    /// An axis, counted from 0 or from the end.
    pub fn axis(&self, name: &str, rank: usize, errors: &mut Errors) -> Option<usize> {
        let (value, span) = match self.given(name) {
            None => (self.default(name).and_then(|d| d.parse().ok()).unwrap_or(-1), self.call),
            Some(Expr { kind: ExprKind::Number(x, true), span }) => (*x as i64, *span),
            Some(other) => {
                errors.push(other.span, format!("`{name}` is an integer, counted from 0 or from the end (-1)"));
                return None;
            }
        };
        resolve_axis(value, rank, span, errors)
    }

    /// One axis or several: `axis = 1`, `axis = [0, 1]`; all of them by default. Ascending.
    pub fn axes(&self, rank: usize, errors: &mut Errors) -> Option<Vec<usize>> {
        let mut axes = self.listed_axes(rank, errors)?;
        axes.sort_unstable();
        Some(axes)
    }

    /// The same in the order in which they are written.
    pub fn listed_axes(&self, rank: usize, errors: &mut Errors) -> Option<Vec<usize>> {
        let Some(expr) = self.given("axis") else {
            return match self.default("axis") {
                Some("all") => Some((0..rank).collect()),
                _last => resolve_axis(-1, rank, self.call, errors).map(|a| vec![a]),
            };
        };
        let ExprKind::List(items) = &expr.kind else { return self.axis("axis", rank, errors).map(|a| vec![a]) };
        let mut axes = Vec::new();
        for item in items {
            let ExprKind::Number(x, true) = item.kind else {
                errors.push(item.span, "an axis is an integer, counted from 0 or from the end (-1)");
                return None;
            };
            let axis = resolve_axis(x as i64, rank, item.span, errors)?;
            if axes.contains(&axis) {
                errors.push(item.span, format!("axis {axis} is given twice"));
                return None;
            }
            axes.push(axis);
        }
        Some(axes)
    }
}

fn resolve_axis(value: i64, rank: usize, span: Span, errors: &mut Errors) -> Option<usize> {
    let axis = if value < 0 { value.checked_add(rank as i64)? } else { value };
    if (0..rank as i64).contains(&axis) {
        return Some(axis as usize);
    }
    let axes = match rank {
        0 => "a number has none".to_string(),
        1 => "the tensor has only axis 0".to_string(),
        n => format!("the tensor has axes 0 to {}, or -1 to -{n} from the end", n - 1),
    };
    errors.push(span, format!("there is no axis {value}: {axes}"));
    None
}

fn arguments(count: usize) -> String {
    if count == 1 { "1 argument".into() } else { format!("{count} arguments") }
}

/// `is 1 spatial axis`, `are 2 spatial axes`
fn spatial(rank: usize) -> String {
    if rank == 1 { "is 1 spatial axis".into() } else { format!("are {rank} spatial axes") }
}

/// A non-negative integer literal.
pub fn count(expr: &Expr, name: &str, errors: &mut Errors) -> Option<usize> {
    let message = match (expr.number(), &expr.kind) {
        (Some((x, true)), _) if (0.0..=1e9).contains(&x) => return Some(x as usize),
        (Some((x, _)), _) => {
            let rule = if x > 1e9 { "at most 1000000000" } else { "a non-negative integer" };
            format!("`{name}` is {x}, but must be {rule}")
        }
        (None, ExprKind::Invalid) => return None,
        (None, _) => format!("`{name}` must be an integer literal: a macro sees no constants of the surrounding code"),
    };
    errors.push(expr.span, message);
    None
}

/// `1` or `(before, after)`.
fn sides(expr: &Expr, errors: &mut Errors) -> Option<(usize, usize)> {
    match &expr.kind {
        ExprKind::Tuple(pair) if pair.len() == 2 => {
            Some((count(&pair[0], "pad", errors)?, count(&pair[1], "pad", errors)?))
        }
        ExprKind::Tuple(_) => {
            errors.push(expr.span, "padding of one axis is a number or `(before, after)`");
            None
        }
        _one => count(expr, "pad", errors).map(|n| (n, n)),
    }
}
