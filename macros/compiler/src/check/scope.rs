//! What names mean inside one function, and which were used.

use super::Value;
use crate::error::Errors;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Span;
use std::collections::BTreeMap;

/// Which names can be seen at some point of a network.
#[derive(Clone, Debug, Default)]
pub struct Visible(BTreeMap<String, usize>);

/// The names in scope, in the order they were bound.
#[derive(Default)]
pub struct Scope {
    names: Vec<Name>,
    /// Where a name is in `names`.
    places: BTreeMap<String, usize>,
    /// With `layout = nchw`: the number of spatial axes of the images, else 0.
    pub spatial: usize,
}

struct Name {
    text: String,
    value: Value,
    span: Span,
    used: bool,
    /// Whether it is a parameter that was assigned.
    stored: bool,
    /// Whether it is `let mut`.
    mutable: bool,
}

impl Scope {
    /// Binds a name; `false` if it is taken. `used` silences the report (in-out parameters).
    pub fn bind(&mut self, text: &str, value: Value, span: Span, used: bool) -> bool {
        if self.places.contains_key(text) {
            return false;
        }
        self.places.insert(text.into(), self.names.len());
        self.names.push(Name {
            text: text.into(),
            value,
            span,
            used: used || text.starts_with('_'),
            stored: false,
            mutable: false,
        });
        true
    }

    /// Binds a name whatever it meant before: an inner `let` hides an outer one.
    pub fn shadow(&mut self, text: &str, value: Value, span: Span, mutable: bool) {
        self.places.insert(text.into(), self.names.len());
        self.names.push(Name { text: text.into(), value, span, used: true, stored: false, mutable });
    }

    /// The names that can be seen now, to be given back to [`Scope::show`].
    pub fn visible(&self) -> Visible {
        Visible(self.places.clone())
    }

    /// Makes these names the visible ones and returns those that were.
    pub fn show(&mut self, names: Visible) -> Visible {
        Visible(std::mem::replace(&mut self.places, names.0))
    }

    /// Whether a name may be assigned.
    pub fn is_mutable(&self, text: &str) -> bool {
        self.places.get(text).is_some_and(|at| self.names[*at].mutable)
    }

    /// Gives a name another value.
    pub fn rebind(&mut self, text: &str, value: Value) {
        if let Some(name) = self.find(text) {
            name.value = value;
        }
    }

    /// The value of a name, which is used now.
    pub fn look_up(&mut self, text: &str) -> Option<Value> {
        let name = self.find(text)?;
        name.used = true;
        Some(name.value.clone())
    }

    /// The value of a name, without using it.
    pub fn peek(&self, text: &str) -> Option<Value> {
        self.places.get(text).map(|at| self.names[*at].value.clone())
    }

    /// Marks a name as used.
    pub fn touch(&mut self, text: &str) {
        if let Some(name) = self.find(text) {
            name.used = true;
        }
    }

    /// Marks a parameter as assigned.
    pub fn store(&mut self, text: &str) {
        if let Some(name) = self.find(text) {
            name.stored = true;
        }
    }

    /// Whether a name was assigned.
    pub fn is_stored(&self, text: &str) -> bool {
        self.places.get(text).is_some_and(|at| self.names[*at].stored)
    }

    fn find(&mut self, text: &str) -> Option<&mut Name> {
        self.places.get(text).map(|at| &mut self.names[*at])
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
            // Networks have a look of their own at what is unused.
            ExprKind::Text(_)
            | ExprKind::Associated(_)
            | ExprKind::Own { .. }
            | ExprKind::Field(..)
            | ExprKind::At(..)
            | ExprKind::Bounds(..)
            | ExprKind::Operator(..)
            | ExprKind::Not(_)
            | ExprKind::If(..)
            | ExprKind::Block(_)
            | ExprKind::Closure(..) => {}
        }
    }

    /// The names that can be seen, each once: an unrolled loop binds the same ones in every round.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Reports names that nothing read.
    pub fn report_unused(&self, errors: &mut Errors) {
        for name in self.names.iter().filter(|n| !n.used) {
            let text = &name.text;
            errors.push(name.span, format!("`{text}` is not used: remove it, or name it `_{text}` if it must stay"));
        }
    }
}
