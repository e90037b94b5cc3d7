//! What names mean inside one function, and which were used.

use super::Value;
use crate::error::Errors;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Span;

/// The names in scope, in the order they were bound.
#[derive(Default)]
pub struct Scope {
    names: Vec<Name>,
    /// With `layout = nchw`: the number of spatial axes of the images, else 0.
    pub spatial: usize,
}

struct Name {
    text: String,
    value: Value,
    span: Span,
    used: bool,
}

impl Scope {
    /// Binds a name; `false` if it is taken. `used` silences the report (in-out parameters).
    pub fn bind(&mut self, text: &str, value: Value, span: Span, used: bool) -> bool {
        let free = !self.names.iter().any(|n| n.text == text);
        if free {
            self.names.push(Name { text: text.into(), value, span, used: used || text.starts_with('_') });
        }
        free
    }

    /// Gives a name another value.
    pub fn rebind(&mut self, text: &str, value: Value) {
        if let Some(name) = self.names.iter_mut().find(|n| n.text == text) {
            name.value = value;
        }
    }

    /// The value of a name, which is used now.
    pub fn look_up(&mut self, text: &str) -> Option<Value> {
        let name = self.names.iter_mut().find(|n| n.text == text)?;
        name.used = true;
        Some(name.value.clone())
    }

    /// The value of a name, without using it.
    pub fn peek(&self, text: &str) -> Option<Value> {
        self.names.iter().find(|n| n.text == text).map(|n| n.value.clone())
    }

    /// Marks a name as used.
    pub fn touch(&mut self, text: &str) {
        if let Some(name) = self.names.iter_mut().find(|n| n.text == text) {
            name.used = true;
        }
    }

    /// Marks every name in an expression as used.
    pub fn touch_all(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(text) => self.touch(text),
            ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(|e| self.touch_all(e)),
            ExprKind::Call { args, named, .. } => {
                args.iter().for_each(|e| self.touch_all(e));
                named.iter().for_each(|(_, e)| self.touch_all(e));
            }
            ExprKind::Neg(e) | ExprKind::Cast(e, _) | ExprKind::Index(e, ..) => self.touch_all(e),
            ExprKind::Arith(_, a, b) => {
                self.touch_all(a);
                self.touch_all(b);
            }
            ExprKind::Number(..) | ExprKind::Bool(_) | ExprKind::Range(..) | ExprKind::Invalid => {}
        }
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|n| n.text.as_str())
    }

    /// Reports names that nothing read.
    pub fn report_unused(&self, errors: &mut Errors) {
        for name in self.names.iter().filter(|n| !n.used) {
            let text = &name.text;
            errors.push(name.span, format!("`{text}` is not used: remove it, or name it `_{text}` if it must stay"));
        }
    }
}
