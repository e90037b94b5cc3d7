//! The documentation of generated items.

use crate::graph::{Param, ParamKind};
use crate::kernel_ir::{Contraction, Kernel};
use crate::{Compiled, Variant};

/// Nominal floating-point operations of one call.
pub(super) fn flops(kernel: &Kernel) -> u64 {
    kernel.body.iter().map(Contraction::flops).fold(0, u64::saturating_add)
}

/// Bytes of the arguments that one call has to move: each read or written once, in-out twice.
pub(super) fn bytes(params: &[Param]) -> u64 {
    let one = |p: &Param| {
        let bytes = p.shape.iter().fold(p.dtype.bytes() as u64, |n, &e| n.saturating_mul(e as u64));
        match p.kind {
            ParamKind::In | ParamKind::Out | ParamKind::Scalar | ParamKind::Weight => bytes,
            ParamKind::InOut | ParamKind::State => 2 * bytes,
        }
    };
    params.iter().map(one).sum()
}

/// The schedules: for each ISA a line per contraction.
pub(super) fn schedules(compiled: &Compiled) -> String {
    let schedule = |v: &Variant| v.schedule.display(&compiled.kernel).to_string();
    let line = |v: &Variant, l: &str| format!("{:<8} {l}", v.isa.name());
    let lines = compiled.variants.iter().flat_map(|v| schedule(v).lines().map(|l| line(v, l)).collect::<Vec<_>>());
    lines.collect::<Vec<_>>().join("\n")
}

/// The documentation of the public function, one string a line, to follow the user's own.
pub(super) fn function(compiled: &Compiled) -> Vec<String> {
    let name = compiled.interface.name.to_string();
    let params = &compiled.graph.params;
    let mut lines = vec![String::new(), "```text".into()];
    let shape = |p: &Param| match p.shape.as_slice() {
        [] => p.dtype.to_string(),
        shape => format!("{}{shape:?}", p.dtype),
    };
    let inputs = params.iter().filter(|p| p.kind != ParamKind::Out);
    let inputs: Vec<String> = inputs.map(|p| format!("{}: {}", p.name, shape(p))).collect();
    let outputs: Vec<String> = params.iter().filter(|p| p.kind == ParamKind::Out).map(shape).collect();
    lines.push(match outputs.as_slice() {
        [] => format!("{name}({})", inputs.join(", ")),
        [one] => format!("{name}({}) -> {one}", inputs.join(", ")),
        many => format!("{name}({}) -> ({})", inputs.join(", "), many.join(", ")),
    });
    lines.extend(compiled.interface.formula.lines().map(|l| format!("    = {l}")));
    lines.push("```".into());
    lines.push(String::new());
    let (flops, bytes) = (flops(&compiled.kernel), bytes(params));
    lines.push(format!("{} FLOPs and {} bytes of arguments a call.", grouped(flops), grouped(bytes)));
    lines.push(format!("Its reference, variants and schedules: [`{name}`](mod@{name})."));
    lines.push(String::new());
    lines.push("# Schedules".into());
    lines.push("```text".into());
    lines.extend(schedules(compiled).lines().map(String::from));
    lines.push("```".into());
    lines
}

/// The documentation of the companion module.
pub(super) fn companion(name: &str) -> String {
    format!("What there is to know about the kernel [`{name}()`].")
}

/// `3_211_264` for people: `3,211,264`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(3_211_264), "3,211,264");
    }
}
