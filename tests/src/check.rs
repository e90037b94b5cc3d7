//! Runs kernels and compares.

use crate::case::{Access, Case, How, Param};
use crate::memory::{Guard, Memory};
use crate::values::{Fill, Random, close, fill, read, same};
use kernforge::{Isa, IsaUnavailable};
use std::io::Write;

/// Failures that are listed; more only make the message longer.
const LISTED: usize = 20;

/// Checks every case: each variant against the reference, the reference against the textbook, and
/// the memory around every buffer.
///
/// An access to a guarded page ends the process: with `KERNFORGE_TRACE` set, each kernel is named
/// before it runs.
pub fn check(cases: &[Case]) {
    let mut failures = Vec::new();
    let trace = std::env::var_os("KERNFORGE_TRACE").is_some();
    for case in cases {
        if trace {
            say(case.name);
        }
        for guard in [Guard::Before, Guard::Behind] {
            for values in Fill::ALL {
                if let Err(what) = one(case, guard, values) {
                    failures.push(format!("{}, {values:?}, guard {guard:?}: {what}\n    {}", case.name, case.source));
                }
            }
        }
    }
    for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
        say(&format!("skipped: {isa}, which this CPU does not have"));
    }
    let (count, listed) = (failures.len(), failures.len().min(LISTED));
    assert!(failures.is_empty(), "{count} failures\n{}", failures[..listed].join("\n"));
}

/// Prints past the test harness, which swallows what tests that succeed print.
fn say(line: &str) {
    // Nothing depends on it.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn one(case: &Case, guard: Guard, values: Fill) -> Result<(), String> {
    let before = operands(case, guard, values);
    let mut expected = operands(case, guard, values);
    call(case, How::Reference, &before, &mut expected)?.map_err(|e| e.to_string())?;
    if let (Some(truth), Fill::Integers) = (&case.truth, values) {
        let inputs: Vec<Vec<f64>> = case.params.iter().zip(&before).map(|(p, m)| read(m, p.dtype)).collect();
        let (Some(result), Some(found)) = (case.params.last(), expected.last()) else { return Err("no result".into()) };
        // A sum of zeros has a sign that depends on where it starts.
        let unsigned = |values: Vec<f64>| values.iter().map(|x| x + 0.0).collect::<Vec<f64>>();
        compare(result, &unsigned(truth.compute(&inputs)), &unsigned(read(found, result.dtype)), case.exact)
            .map_err(|e| format!("textbook and reference: {e}"))?;
    }
    let variants = Isa::ALL.into_iter().filter(|isa| isa.is_available()).map(How::On);
    for how in variants.chain([How::Call]) {
        let mut found = operands(case, guard, values);
        match call(case, how, &before, &mut found)? {
            Ok(()) => {}
            Err(IsaUnavailable { compiled: false, .. }) => continue,
            Err(error) => return Err(error.to_string()),
        }
        let portable =
            matches!(how, How::On(Isa::Portable)) || how == How::Call && kernforge::cpu::best() == Isa::Portable;
        let bits = !portable || case.exact && values == Fill::Integers;
        for ((param, expected), found) in case.params.iter().zip(&expected).zip(&found) {
            compare(param, &read(expected, param.dtype), &read(found, param.dtype), bits)
                .map_err(|e| format!("reference and {how:?}: {e}"))?;
        }
    }
    Ok(())
}

/// The parameters of a call: results hold canaries.
fn operands(case: &Case, guard: Guard, values: Fill) -> Vec<Memory> {
    let mut random =
        Random::new(case.name.bytes().fold(0, |seed: u64, b| seed.wrapping_mul(31).wrapping_add(b.into())));
    let operand = |param: &Param| {
        let mut memory = Memory::new(param.bytes(), guard);
        if param.access != Access::Out {
            fill(&mut memory, param.dtype, values, &mut random);
        }
        memory
    };
    case.params.iter().map(operand).collect()
}

/// Calls, and checks everything that must not change.
fn call(case: &Case, how: How, before: &[Memory], memory: &mut [Memory]) -> Result<Result<(), IsaUnavailable>, String> {
    let ran = (case.run)(how, memory);
    for ((param, before), after) in case.params.iter().zip(before).zip(memory) {
        if !after.is_intact() {
            return Err(format!("{how:?} wrote beside `{}`", param.name));
        }
        if param.access == Access::In && before.bytes() != after.bytes() {
            return Err(format!("{how:?} wrote to `{}`", param.name));
        }
    }
    Ok(ran)
}

/// Compares to the bit, or closely.
fn compare(param: &Param, expected: &[f64], found: &[f64], bits: bool) -> Result<(), String> {
    let largest = expected.iter().filter(|x| x.is_finite()).fold(1.0, |a: f64, b| a.max(b.abs()));
    let equal = |a: f64, b: f64| if bits { same(a, b) } else { close(a, b, largest, param.dtype) };
    if expected.len() != found.len() {
        return Err(format!("`{}` has {} elements instead of {}", param.name, found.len(), expected.len()));
    }
    match expected.iter().zip(found).position(|(a, b)| !equal(*a, *b)) {
        None => Ok(()),
        Some(i) => Err(format!("`{}`[{i}] is {:?} instead of {:?}", param.name, found[i], expected[i])),
    }
}
