//! `kern explain`: the schedules with the cost model's reasons.

use crate::args::Request;
use crate::dump::{variants, wanted};
use crate::source::Source;
use kernforge_compiler::Variant;
use kernforge_compiler::isa::Table;
use kernforge_compiler::kernel_ir::{Contraction, Kernel};
use kernforge_compiler::schedule::cost::{Estimate, Facts, estimate, registers};
use kernforge_compiler::schedule::search::{Effort, Wishes, ranked};
use kernforge_compiler::schedule::{Plan, pack};
use std::fmt::Write;

/// How many other plans are shown.
const RUNNERS_UP: usize = 3;

/// The schedule of every kernel wanted, per ISA, with reasons.
pub fn explain(request: &Request, kernels: Vec<Source>) -> Result<String, String> {
    let mut text = String::new();
    for source in wanted(request, &kernels)? {
        let kernel = &source.compiled.kernel;
        let flops: u64 = kernel.body.iter().map(Contraction::flops).sum();
        let plural = if kernel.body.len() == 1 { "" } else { "s" };
        line(&mut text, 0, format!("{}: {} contraction{plural}, {flops} FLOPs", kernel.name, kernel.body.len()));
        for variant in variants(request, source)? {
            explain_variant(&mut text, kernel, variant);
        }
    }
    Ok(text)
}

fn explain_variant(text: &mut String, kernel: &Kernel, variant: &Variant) {
    let table = variant.isa.table();
    let head =
        format!("{}: {:.0} cycles predicted, about {} bytes of code", table.title, variant.cycles, variant.code_bytes);
    line(text, 1, head);
    for (c, plan) in kernel.body.iter().zip(&variant.schedule.contractions) {
        let facts = Facts::new(c, kernel.dtype);
        let cost = estimate(c, &facts, plan, table);
        line(text, 2, format!("{} = {}", kernel.buffer(c.out.buffer).name, plan.display(c)));
        line(text, 3, sizes(c, plan, table));
        line(text, 3, reasons(&cost, arithmetic_bound(c, kernel, table)));
        let others = ranked(c, kernel.dtype, table, Effort::Full, Wishes::default(), pack::spare(kernel));
        let others = others.iter().filter(|o| (o.plan.vector, &o.plan.tile) != (plan.vector, &plan.tile));
        for other in others.take(RUNNERS_UP) {
            let ratio = if cost.cycles > 0.0 { other.estimate.cycles / cost.cycles } else { 1.0 };
            line(text, 3, format!("{ratio:.2} × the cycles: {}", other.plan.display(c)));
        }
    }
}

/// What the plan works on and keeps in registers.
fn sizes(c: &Contraction, plan: &Plan, table: &Table) -> String {
    let indices = |ids: &mut dyn Iterator<Item = _>| {
        let each: Vec<String> = ids.map(|i| format!("{} {}", c.index(i).name, c.index(i).extent)).collect();
        if each.is_empty() { "nothing".to_string() } else { each.join(" × ") }
    };
    let mut text = format!("over {}", indices(&mut c.parallel_ids()));
    if let Some(reduction) = &c.reduction {
        let _ = write!(text, ", {} over {}", reduction.op.name(), indices(&mut c.reduce_ids()));
        if reduction.partials > 1 {
            let _ = write!(text, " in {} partials", reduction.partials);
        }
    }
    let _ = write!(text, "; {} of {} registers", registers(c, plan, table), table.registers);
    text
}

/// Cycles that the contraction's arithmetic takes at the ISA's peak.
fn arithmetic_bound(c: &Contraction, kernel: &Kernel, table: &Table) -> f64 {
    let lanes = table.lanes(kernel.dtype).last().copied().unwrap_or(1);
    c.flops() as f64 / (2.0 * lanes as f64 * table.cost.fma_per_cycle)
}

/// The predicted cycles, what they are spent on and what limits them.
fn reasons(cost: &Estimate, ideal: f64) -> String {
    let parts = [("arithmetic", cost.arithmetic), ("loads", cost.loads), ("latency", cost.latency)];
    let most = parts.iter().map(|p| p.1).fold(cost.around, f64::max);
    let limit = parts.iter().find(|p| p.1 == most).map_or("what surrounds the sum", |p| p.0);
    let each: Vec<String> = parts.iter().map(|(name, cycles)| format!("{name} {cycles:.0}")).collect();
    let share = if cost.cycles > 0.0 { 100.0 * ideal / cost.cycles } else { 0.0 };
    format!(
        "{:.0} cycles, {share:.0} % of peak, limited by {limit}: {}, around {:.0}",
        cost.cycles,
        each.join(", "),
        cost.around
    )
}

/// A line, indented.
fn line(text: &mut String, depth: usize, content: String) {
    text.push_str(&"    ".repeat(depth));
    text.push_str(&content);
    text.push('\n');
}
