//! The inverse of [`print`](super::print).

use super::{Plan, Schedule, Vector, fuse};
use crate::kernel_ir::{Contraction, IndexId, Kernel};
use crate::text::{Reader, Token};

/// Reads a schedule for a kernel; a mistake is reported with its line and column.
///
/// Only the words are checked here; whether the schedule is possible is for `verify` to say.
pub fn read(text: &str, kernel: &Kernel) -> Result<Schedule, String> {
    let mut r = Reader::new(text);
    let mut contractions: Vec<Plan> = Vec::new();
    for contraction in &kernel.body {
        let before = contractions.last().map(fuse::plan);
        contractions.push(match before {
            Some(plan) if r.eat("fused") => plan,
            Some(_) | None => plan(&mut r, contraction)?,
        });
    }
    if r.token() != Token::End {
        return Err(r.expected(&format!("the end: the kernel has {} contractions", kernel.body.len())));
    }
    Ok(Schedule { contractions })
}

fn plan(r: &mut Reader<'_>, contraction: &Contraction) -> Result<Plan, String> {
    let vector = vector(r, contraction)?;
    let mut plan = Plan::new(vector);
    while r.eat(";") {
        if r.eat("tile") {
            plan.tile = items(r, |r| {
                let index = index(r, contraction)?;
                r.expect(":")?;
                Ok((index, r.usize()?))
            })?;
        } else if r.eat("order") {
            plan.order = items(r, |r| index(r, contraction))?;
        } else if r.eat("unrolled") {
            plan.unrolled = items(r, |r| index(r, contraction))?;
        } else if r.eat("unroll") {
            if !matches!(r.token(), Token::Number(_)) {
                index(r, contraction)?;
                r.expect(":")?;
            }
            plan.unroll = r.usize()?;
        } else if r.eat("pack") {
            plan.pack = true;
        } else if r.eat("masked") {
            plan.masked = true;
        } else {
            return Err(r.expected("`tile`, `order`, `unroll`, `unrolled`, `pack` or `masked`"));
        }
    }
    Ok(plan)
}

fn vector(r: &mut Reader<'_>, contraction: &Contraction) -> Result<Vector, String> {
    if r.eat("scalar") {
        return Ok(Vector::None);
    }
    if r.eat("reduce") {
        if !matches!(r.token(), Token::Number(_)) {
            index(r, contraction)?;
            r.expect(":")?;
        }
        return Ok(Vector::Reduce { lanes: r.usize()? });
    }
    if !r.eat("vector") {
        return Err(r.expected("`scalar`, `vector` or `reduce`"));
    }
    let index = index(r, contraction)?;
    r.expect(":")?;
    let lanes = r.usize()?;
    let Token::Ident(word) = r.token() else { return Err(r.expected("`x` and a number of registers")) };
    let vectors = word.strip_prefix('x').and_then(|n| n.parse().ok());
    let vectors = vectors.ok_or_else(|| r.expected("`x` and a number of registers"))?;
    r.bump();
    Ok(Vector::Parallel { index, lanes, vectors })
}

/// One or more items between commas.
fn items<T>(r: &mut Reader<'_>, mut item: impl FnMut(&mut Reader<'_>) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut items = vec![item(r)?];
    while r.eat(",") {
        items.push(item(r)?);
    }
    Ok(items)
}

fn index(r: &mut Reader<'_>, contraction: &Contraction) -> Result<IndexId, String> {
    let start = r.clone();
    let name = r.name()?;
    let at = contraction.indices.iter().position(|i| i.name == name);
    at.map(|n| IndexId(n as u32)).ok_or_else(|| start.fail(format!("there is no index `{name}`")))
}
