//! What is known while compiling: constants, sizes, loop variables, conditions, strings.
//!
//! An expression is reduced before it is evaluated: names of known values, `Self::N`, `x.shape`,
//! arithmetic and comparisons become literals, an `if` becomes one of its branches. What
//! depends on tensors stays as it is. So operations bind literals, as they do in a formula.

use super::super::{Checker, Value};
use crate::syntax::ast::network::Block;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::body::{bounded, indexed};
use proc_macro2::Span;

impl Checker {
    /// An expression with everything known replaced by literals.
    pub fn reduce(&mut self, expr: &Expr) -> Expr {
        let span = expr.span;
        let kind = match &expr.kind {
            ExprKind::Name(name) => match self.scope.look_up(name) {
                Some(Value::Known(known)) => known.kind,
                Some(_) | None => expr.kind.clone(),
            },
            ExprKind::Text(text) => self.interpolated(text, span),
            ExprKind::Associated(name) => match self.constant_of(&name.to_string(), span) {
                Some(known) => known.kind,
                None => {
                    self.seen.unknown = true;
                    let message = format!("there is no constant `{name}` in this block");
                    self.fail(span, message);
                    ExprKind::Invalid
                }
            },
            ExprKind::List(items) => ExprKind::List(items.iter().map(|e| self.reduce(e)).collect()),
            ExprKind::Tuple(items) => ExprKind::Tuple(items.iter().map(|e| self.reduce(e)).collect()),
            ExprKind::Neg(x) => match self.reduce(x) {
                Expr { kind: ExprKind::Number(x, int), .. } => ExprKind::Number(-x, int),
                other => ExprKind::Neg(Box::new(other)),
            },
            ExprKind::Arith(sign, a, b) => {
                let (a, b) = (self.reduce(a), self.reduce(b));
                match (&a.kind, &b.kind) {
                    (&ExprKind::Number(x, i), &ExprKind::Number(y, j)) => self.arith(*sign, (x, i), (y, j), span),
                    (_, _) => ExprKind::Arith(*sign, Box::new(a), Box::new(b)),
                }
            }
            ExprKind::Operator(sign, a, b) => {
                let a = self.reduce(a);
                // The right side of a decided `&&` or `||` does not matter.
                match (*sign, &a.kind) {
                    ("&&", ExprKind::Bool(false)) => ExprKind::Bool(false),
                    ("||", ExprKind::Bool(true)) => ExprKind::Bool(true),
                    (_, _) => {
                        let b = self.reduce(b);
                        self.operated(sign, &a, &b, span)
                    }
                }
            }
            ExprKind::Not(x) => match self.reduce(x).kind {
                ExprKind::Bool(b) => ExprKind::Bool(!b),
                ExprKind::Invalid => ExprKind::Invalid,
                _other => self.undecided(span, "`!` negates a condition known while compiling"),
            },
            ExprKind::Cast(x, dtype) => match self.reduce(x) {
                Expr { kind: ExprKind::Number(x, _), .. } if dtype.is_float() => ExprKind::Number(x, false),
                other => ExprKind::Cast(Box::new(other), *dtype),
            },
            ExprKind::Field(x, name) if name == "shape" => match self.shape_of(x) {
                Some(shape) => shape.kind,
                None => ExprKind::Invalid,
            },
            ExprKind::Index(x, start, end, single) => {
                let x = self.reduce(x);
                match (&x.kind, start, single) {
                    (ExprKind::List(items) | ExprKind::Tuple(items), Some(i), true) if x.is_literal() => {
                        self.element(items, *i as f64, span)
                    }
                    (_, _, _) => ExprKind::Index(Box::new(x), *start, *end, *single),
                }
            }
            ExprKind::At(x, at) => {
                let (x, at) = (self.reduce(x), self.reduce(at));
                match (&x.kind, &at.kind) {
                    (ExprKind::List(items) | ExprKind::Tuple(items), &ExprKind::Number(i, true)) if x.is_literal() => {
                        self.element(items, i, span)
                    }
                    (_, _) => indexed(Box::new(x), at),
                }
            }
            ExprKind::Bounds(start, end, closed) => {
                let mut bound = |e: &Option<Box<Expr>>| e.as_ref().map(|e| Box::new(self.reduce(e)));
                let (start, end) = (bound(start), bound(end));
                bounded(start, end, *closed)
            }
            ExprKind::If(cond, then, otherwise) => {
                let cond = self.reduce(cond);
                match cond.kind {
                    ExprKind::Bool(true) => return self.branch(Some(then), span),
                    ExprKind::Bool(false) => return self.branch(otherwise.as_deref(), span),
                    ExprKind::Invalid => ExprKind::Invalid,
                    _tensor => self.undecided(
                        cond.span,
                        "a condition is known while compiling; element by element it is `select(mask, a, b)`",
                    ),
                }
            }
            ExprKind::Block(block) => return self.branch(Some(block), span),
            ExprKind::Call { name, args, .. } if name == "len" && args.len() == 1 => {
                match args.first().map(|e| self.reduce(e).kind) {
                    Some(ExprKind::List(items)) => ExprKind::Number(items.len() as f64, true),
                    Some(_) | None => expr.kind.clone(),
                }
            }
            ExprKind::Number(..)
            | ExprKind::Bool(_)
            | ExprKind::Range(..)
            | ExprKind::Call { .. }
            | ExprKind::Own { .. }
            | ExprKind::Field(..)
            | ExprKind::Closure(..)
            | ExprKind::Invalid => expr.kind.clone(),
        };
        Expr { kind, span }
    }

    /// A block that is only an expression, reduced; another one as it is.
    fn branch(&mut self, block: Option<&Block>, span: Span) -> Expr {
        match block {
            None => Expr { kind: ExprKind::Tuple(Vec::new()), span },
            Some(Block { stmts, result: Some(result) }) if stmts.is_empty() => self.reduce(result),
            Some(block) => Expr { kind: ExprKind::Block(Box::new(block.clone())), span },
        }
    }

    fn undecided(&mut self, span: Span, message: &str) -> ExprKind {
        self.fail(span, message);
        ExprKind::Invalid
    }

    /// Arithmetic on numbers, that of integers if both are.
    fn arith(&mut self, sign: char, (x, i): (f64, bool), (y, j): (f64, bool), span: Span) -> ExprKind {
        let int = i && j;
        let value = match sign {
            '+' => x + y,
            '-' => x - y,
            '*' => x * y,
            _slash if int && y == 0.0 => return self.undecided(span, "this divides by 0"),
            _slash if int => (x / y).trunc(),
            _slash => x / y,
        };
        self.within(value, int, span)
    }

    /// A number, if it can be kept exactly.
    fn within(&mut self, value: f64, int: bool, span: Span) -> ExprKind {
        if int && value.abs() > (1u64 << 53) as f64 {
            return self.undecided(span, "this number is too large");
        }
        ExprKind::Number(value, int)
    }

    /// `%`, shifts, comparisons and logic.
    fn operated(&mut self, sign: &'static str, a: &Expr, b: &Expr, span: Span) -> ExprKind {
        let known = match (&a.kind, &b.kind) {
            (ExprKind::Invalid, _) | (_, ExprKind::Invalid) => return ExprKind::Invalid,
            (&ExprKind::Number(x, i), &ExprKind::Number(y, j)) => match sign {
                "%" if i && j && y == 0.0 => return self.undecided(span, "this divides by 0"),
                "%" => return self.within(x % y, i && j, span),
                "<<" | ">>" if i && j && x >= 0.0 && (0.0..53.0).contains(&y) => {
                    let factor = (1u64 << y as u32) as f64;
                    let value = if sign == "<<" { x * factor } else { (x / factor).floor() };
                    return self.within(value, true, span);
                }
                "<<" | ">>" => {
                    return self.undecided(span, "a shift is of a non-negative integer by 0 to 52");
                }
                "==" => Some(x == y),
                "!=" => Some(x != y),
                "<" => Some(x < y),
                "<=" => Some(x <= y),
                ">" => Some(x > y),
                ">=" => Some(x >= y),
                _logic => None,
            },
            (&ExprKind::Bool(x), &ExprKind::Bool(y)) => match sign {
                "==" => Some(x == y),
                "!=" => Some(x != y),
                "&&" => Some(x && y),
                "||" => Some(x || y),
                _order => None,
            },
            (ExprKind::Text(x), ExprKind::Text(y)) => match sign {
                "==" => Some(x == y),
                "!=" => Some(x != y),
                _order => None,
            },
            (_, _) => None,
        };
        match known {
            Some(b) => ExprKind::Bool(b),
            None => {
                for operand in [a, b] {
                    if matches!(&operand.kind, ExprKind::Name(name) if self.scope.look_up(name).is_none()) {
                        self.value(operand); // says that there is no such name
                        return ExprKind::Invalid;
                    }
                }
                let choice = match sign {
                    "%" | "<<" | ">>" => "",
                    _comparison => "; a choice for each element of a tensor is `select(mask, a, b)`",
                };
                let message =
                    format!("`{sign}` is for values known while compiling: numbers, `true`, `false`, strings{choice}");
                self.undecided(span, &message)
            }
        }
    }

    /// An element of a known list; negative from the end.
    fn element(&mut self, items: &[Expr], at: f64, span: Span) -> ExprKind {
        let index = if at < 0.0 { at + items.len() as f64 } else { at };
        match items.get(index as usize).filter(|_| index >= 0.0) {
            Some(item) => item.kind.clone(),
            None => {
                let message = format!("there is no element {at} in a list of {}", items.len());
                self.undecided(span, &message)
            }
        }
    }

    /// `x.shape`
    fn shape_of(&mut self, x: &Expr) -> Option<Expr> {
        let shape = match &x.kind {
            ExprKind::Name(name) => match self.scope.look_up(name) {
                Some(Value::Tensor(node)) => Some(self.shape(node)),
                Some(Value::Invalid) => return None,
                Some(_) | None => None,
            },
            _other => None,
        };
        let Some(shape) = shape else {
            self.fail(x.span, "`.shape` is that of a named tensor: bind it with `let`");
            return None;
        };
        let number = |n: &usize| Expr { kind: ExprKind::Number(*n as f64, true), span: x.span };
        Some(Expr { kind: ExprKind::List(shape.iter().map(number).collect()), span: x.span })
    }

    /// `{i}` in a string: a known number or string.
    fn interpolated(&mut self, text: &str, span: Span) -> ExprKind {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out += before;
            let Some((name, tail)) = after.split_once('}') else {
                return self.undecided(span, "a `{` in a string is closed by `}`");
            };
            match self.scope.look_up(name) {
                Some(Value::Known(Expr { kind: ExprKind::Text(text), .. })) => out += &text,
                Some(Value::Known(Expr { kind: ExprKind::Number(n, _), .. })) => out += &n.to_string(),
                Some(Value::Invalid) => return ExprKind::Invalid,
                Some(_) => {
                    let message = format!("`{name}` is not a number or a string known while compiling");
                    return self.undecided(span, &message);
                }
                None => {
                    self.seen.unknown = true;
                    let message =
                        format!("there is no `{name}` here: `{{}}` in a string holds the name of a known value");
                    return self.undecided(span, &message);
                }
            }
            rest = tail;
        }
        ExprKind::Text(out + rest)
    }
}
