//! Where values go: results and in-out parameters.

use super::{Checker, Value, show};
use crate::dtype::DType;
use crate::graph::{NodeId, Op, Param, ParamId, ParamKind};
use crate::syntax::ast::{Expr, Function, Type};
use proc_macro2::Span;

impl Checker {
    pub(super) fn results(&mut self, f: &Function) {
        let returned: Vec<&Expr> = f.results.iter().filter(|r| r.target.is_none()).map(|r| &r.value).collect();
        let in_out: Vec<&crate::syntax::ast::Param> = f.interface.params.iter().filter(|p| p.mutable).collect();
        // `= 0.5 * matmul(a, b) + c;` with one `&mut` parameter and no `->` is stored there.
        let implied = f.interface.results.is_empty() && returned.len() == 1 && in_out.len() == 1;
        for result in &f.results {
            let target = match &result.target {
                Some(name) => name.to_string(),
                None if implied => in_out[0].name.to_string(),
                None => continue,
            };
            let value = self.value(&result.value);
            let span = result.target.as_ref().map_or(result.value.span, proc_macro2::Ident::span);
            self.store_in_out(&target, value, span, result.value.span);
            self.scope.store(&target);
        }
        if implied {
            self.unwritten(f);
            return;
        }
        let declared = &f.interface.results;
        if declared.len() != returned.len() {
            let values: Vec<Value> = returned.iter().map(|e| self.value(e)).collect();
            if !f.broken {
                self.miscounted(f, &returned, &values);
            }
            self.unwritten(f);
            return;
        }
        for (n, (ty, expr)) in declared.iter().zip(returned).enumerate() {
            let name = if declared.len() == 1 { "out".to_string() } else { format!("out{n}") };
            let value = self.value(expr);
            self.store_result(name, ty, value, expr.span, f);
        }
        self.unwritten(f);
    }

    /// Says that there are more or fewer values than result types, and which.
    fn miscounted(&mut self, f: &Function, returned: &[&Expr], values: &[Value]) {
        let declared = f.interface.results.len();
        let types = self.types(values);
        let count = |n: usize| if n == 1 { "1 result is".to_string() } else { format!("{n} results are") };
        let span = returned.get(declared).map_or(f.interface.name.span(), |e| e.span);
        let message = match (declared, returned.len()) {
            (0, 0) => "nothing is computed: end the body with the result, or assign `*name = ..`".to_string(),
            (_, 0) => "nothing is returned: end the body with the result, without `;`".to_string(),
            (0, 1) => format!("the result has no type: write `-> {types}`, or assign it to a `&mut` parameter"),
            (d, r) if r < d => format!("{} declared, but only {r} computed: return `(a, b)`", count(d)),
            (d, r) => format!("{} declared, but {r} are computed: write `-> {types}`", count(d)),
        };
        self.fail(span, message);
    }

    /// Every `&mut` parameter must be assigned.
    pub(super) fn unwritten(&mut self, f: &Function) {
        for param in f.interface.params.iter().filter(|p| p.mutable) {
            let name = param.name.to_string();
            let written = self.graph.stores.iter().any(|(p, _)| self.graph.param(*p).name == name);
            if !written && !self.seen.invalid {
                self.fail(
                    param.name.span(),
                    format!("`{name}` is `&mut` but is not assigned: write `*{name} = ..;`, or drop the `&mut`"),
                );
            }
        }
    }

    pub(super) fn store_in_out(&mut self, name: &str, value: Value, span: Span, at: Span) {
        let param = self.graph.params.iter().position(|p| p.name == name && p.kind == ParamKind::InOut);
        self.scope.touch(name);
        let Some(param) = param else {
            let declared = self.graph.params.iter().find(|p| p.name == name);
            let message = match (declared, self.scope.peek(name)) {
                (_, Some(Value::Invalid)) => return,
                (Some(p), _) => {
                    let ty = self.typed(p.dtype, &p.shape);
                    format!("`{name}` cannot be assigned as it is: declare it `{name}: &mut {ty}`")
                }
                (None, Some(_)) => {
                    format!("`{name}` is a `let` and keeps its value: only a `&mut` parameter can be assigned")
                }
                (None, None) => format!("there is no parameter `{name}` to assign"),
            };
            self.fail(span, message);
            return;
        };
        let wanted = self.graph.params[param].shape.clone();
        let dtype = self.graph.params[param].dtype;
        if self.graph.stores.iter().any(|(p, _)| p.0 as usize == param) {
            self.fail(span, format!("`{name}` is assigned twice"));
            return;
        }
        let rank = self.image_rank(wanted.len());
        let Some(node) = self.finished(value, dtype, at) else { return };
        let node = self.channels_first(node, rank);
        self.expect_shape(node, &wanted, dtype, at, &format!("`{name}`"));
        self.graph.stores.push((ParamId(param as u32), node));
    }

    pub(super) fn store_result(&mut self, name: String, ty: &Type, value: Value, span: Span, f: &Function) {
        let Some(shape) = self.declared(ty) else { return };
        let index = matches!(value, Value::Tensor(node) if ty.dtype == DType::U32 && self.is_index(node));
        if !ty.dtype.is_float() && !index {
            let float = self.typed(DType::F32, &shape);
            let message = match (ty.dtype, &value) {
                (DType::U32, Value::Invalid) => return,
                (DType::U32, _) => format!("results of type u32 are indices, from `argmax`: write `-> {float}`"),
                (other, _) => format!(
                    "results are f32 or f64, or u32 from `argmax`, not {other}: write `-> {float}`, converted with `as f32`"
                ),
            };
            self.fail(ty.span, message);
            return;
        }
        let Some(node) = self.finished(value, ty.dtype, span) else { return };
        let rank = self.image_rank(shape.len());
        let node = self.channels_first(node, rank);
        // At the type, because that is what the user corrects; the value says what it is.
        let found = self.shape(node);
        let dtype = self.graph.node(node).dtype;
        if found != shape {
            let right = self.typed(dtype, &found);
            let message = match found.is_empty() {
                true if self.network.is_some() => {
                    format!("the result is a number, not {}: write `-> {right}`", self.shown(ty))
                }
                true => {
                    format!(
                        "the result is a number, not {}: write `-> {right}[1]` and `reshape(.., [1])`",
                        self.shown(ty)
                    )
                }
                false if self.network.is_some() => {
                    format!("the result is {right}, not {}: write `-> {right}`", self.shown(ty))
                }
                false => format!("the result is {dtype}{}, not {}: write `-> {right}`", show(&found), self.shown(ty)),
            };
            self.fail(ty.span, message);
        } else if dtype != ty.dtype {
            let right = self.typed(dtype, &found);
            let what = if dtype.is_float() { "the operands" } else { "it" };
            let message = format!(
                "the result is computed in {dtype}, not {}: write `-> {right}`, or convert {what} with `as {}`",
                ty.dtype, ty.dtype
            );
            self.fail(ty.span, message);
        }
        let mut unique = name;
        while f.interface.params.iter().any(|p| p.name == unique) {
            unique.push('_');
        }
        let param = Param { name: unique, dtype: ty.dtype, shape, kind: ParamKind::Out, span: ty.span };
        self.graph.params.push(param);
        let id = ParamId(self.graph.params.len() as u32 - 1);
        self.graph.stores.push((id, node));
    }

    /// Whether a tensor of integers was computed, and not only read: then it is indices.
    fn is_index(&self, node: NodeId) -> bool {
        let mut at = self.graph.node(node);
        while matches!(at.op, Op::Transpose(_) | Op::Reshape | Op::Slice { .. } | Op::Flip { .. } | Op::Expand) {
            let Some(operand) = at.inputs.first() else { return false };
            at = self.graph.node(*operand);
        }
        at.op == Op::Cast && at.dtype == DType::U32
    }

    /// The node of a value that is stored; `None` if it is wrong (reported).
    fn finished(&mut self, value: Value, dtype: DType, span: Span) -> Option<NodeId> {
        match value {
            Value::Tensor(node) => Some(node),
            Value::Number(x) => self.constant(vec![x], vec![], dtype, span),
            Value::Tuple(values) => {
                let (n, types) = (values.len(), self.types(&values));
                self.fail(span, format!("{n} values are not one result: declare a type for each, `-> {types}`"));
                None
            }
            Value::Known(_) | Value::Closure(_) => {
                self.fail(span, "a result is a tensor or a number");
                None
            }
            Value::Invalid => None,
        }
    }

    fn expect_shape(&mut self, node: NodeId, wanted: &[usize], dtype: DType, span: Span, whose: &str) {
        let (found, found_dtype) = (self.shape(node), self.graph.node(node).dtype);
        if found != wanted || found_dtype != dtype {
            let message = format!("this is {found_dtype}{}, but {whose} is {dtype}{}", show(&found), show(wanted));
            self.fail(span, message);
        }
    }

    /// The result types of values: `f32[4]`, `(f32[4], f32[8])`.
    fn types(&self, values: &[Value]) -> String {
        let one = |v: &Value| match v {
            Value::Tensor(n) => self.typed(self.graph.node(*n).dtype, &self.shape(*n)),
            Value::Number(_) | Value::Tuple(_) | Value::Known(_) | Value::Closure(_) | Value::Invalid => {
                "..".to_string()
            }
        };
        match values {
            [value] => one(value),
            several => format!("({})", several.iter().map(one).collect::<Vec<_>>().join(", ")),
        }
    }
}
