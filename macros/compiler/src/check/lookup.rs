//! Rows of a table by number.

use super::args::Arguments;
use super::products::describe;
use super::shapes::vector;
use super::{Checker, Value};
use crate::dtype::DType;
use crate::graph::{NodeId, Op};
use proc_macro2::Span;

/// The largest number of rows that every f32 can count.
const ROW_LIMIT: usize = 1 << 24;

impl Checker {
    pub(super) fn embedding(&mut self, args: &Arguments<'_>) -> Value {
        let (ids, table) = (self.tensor(args, "ids"), self.float(args, "table"));
        let (Some(ids), Some(table)) = (ids, table) else { return Value::Invalid };
        if self.are_ids(ids, args).is_none() {
            return Value::Invalid;
        }
        let rows = self.shape(table);
        let &[vocabulary, width] = rows.as_slice() else {
            let message = format!("the table is [rows, width], but {} is {}", describe(args, "table"), vector(&rows));
            return self.fail(args.span("table"), message);
        };
        match self.table_fits(ids, &[vocabulary, width], args) {
            Some(()) => Value::Tensor(self.embedded(ids, table, args.call())),
            None => Value::Invalid,
        }
    }

    /// Reports ids that are no integers.
    pub(super) fn are_ids(&mut self, ids: NodeId, args: &Arguments<'_>) -> Option<()> {
        let dtype = self.graph.node(ids).dtype;
        if !dtype.is_float() {
            return Some(());
        }
        let message = format!("{} is {dtype}: ids are u8, i8, u16, u32 or i32", describe(args, "ids"));
        self.fail(args.span("ids"), message);
        None
    }

    /// Reports a table that is too large to look up in.
    pub(super) fn table_fits(&mut self, ids: NodeId, table: &[usize], args: &Arguments<'_>) -> Option<()> {
        let rows = table.first().copied().unwrap_or(1);
        if rows > ROW_LIMIT {
            let message = format!("{rows} rows are more than the {ROW_LIMIT} that can be told apart");
            self.fail(args.given("table").or(args.given("vocab")).map_or(args.call(), |e| e.span), message);
            return None;
        }
        let all = [&self.shape(ids)[..], table.get(1..).unwrap_or_default()].concat();
        self.fits(&all, DType::U8, args.call()).then_some(())
    }

    /// The rows of the ids.
    pub(super) fn embedded(&mut self, ids: NodeId, table: NodeId, at: Span) -> NodeId {
        let (shape, rows) = (self.shape(ids), self.shape(table));
        let out = [&shape[..], rows.get(1..).unwrap_or_default()].concat();
        self.graph.push(Op::Lookup, vec![ids, table], self.graph.node(table).dtype, out, at)
    }
}
