//! Everything that can compute a case, behind one signature.

use crate::cases::Case;
use crate::data::Buffer;
use crate::generic::{gemm, im2col};
use crate::measure::Contender;
use crate::problem::Problem;
use kernforge::{Isa, cpu};

/// Computes a case the given number of times into the slice.
pub type Compute<'a> = Box<dyn FnMut(&mut [f32], u64) + 'a>;

/// One way to compute a case.
pub struct Entry<'a> {
    /// What the tables call it.
    pub name: String,
    /// The computation.
    pub run: Compute<'a>,
}

impl<'a> Entry<'a> {
    /// An entry called `name`.
    pub fn new(name: impl Into<String>, run: impl FnMut(&mut [f32], u64) + 'a) -> Self {
        Entry { name: name.into(), run: Box::new(run) }
    }

    /// An entry called `name` whose `run` computes once.
    pub fn once(name: impl Into<String>, mut run: impl FnMut(&mut [f32]) + 'a) -> Self {
        Entry::new(name, move |y, repeats| {
            for _ in 0..repeats {
                run(std::hint::black_box(&mut *y));
            }
        })
    }

    /// The same with a result buffer of its own, ready to be timed.
    pub fn contender(mut self, len: usize) -> Contender<'a> {
        let mut y = Buffer::zeroed(len);
        Contender::new(self.name, move |repeats| (self.run)(y.as_mut_slice(), repeats))
    }
}

/// The kernel as a user calls it, on the best instruction set.
pub const KERNFORGE: &str = "kernforge";

/// The name of the entry that runs on `isa`.
pub fn on(isa: Isa) -> String {
    if cpu::check() == Ok(isa) { KERNFORGE.to_owned() } else { format!("{KERNFORGE} {isa}") }
}

/// The kernel itself: through its dispatch, then forced to each other ISA this CPU has.
pub fn ours<'a>(case: &'a Case, inputs: &'a [&'a [f32]]) -> Vec<Entry<'a>> {
    let mut entries = vec![Entry::new(KERNFORGE, |y, repeats| {
        (case.run)(None, inputs, y, repeats);
    })];
    for isa in cpu::available() {
        if on(isa) != KERNFORGE {
            entries.push(Entry::new(on(isa), move |y, repeats| {
                (case.run)(Some(isa), inputs, y, repeats);
            }));
        }
    }
    entries
}

/// The name of the entry with the textbook's loops.
pub const TEXTBOOK: &str = "textbook loops";

/// The generic kernels, and the rival crates if they are compiled.
pub fn others<'a>(case: &'a Case, inputs: &'a [&'a [f32]]) -> Vec<Entry<'a>> {
    let mut entries = vec![Entry::once(TEXTBOOK, |y| case.problem.textbook(inputs, y))];
    match case.problem {
        Problem::Gemm { m, n, k } => {
            entries.push(Entry::once("loops, k outside", move |y| {
                gemm::ikj(m, n, k, inputs[0], inputs[1], y, |sum, _| sum);
            }));
        }
        Problem::Conv(shape) if shape.groups == 1 => {
            let product = |m: usize, n: usize, k: usize, a: &[f32], b: &[f32], y: &mut [f32]| {
                gemm::ikj(m, n, k, a, b, y, |sum, _| sum);
            };
            entries.push(by_im2col("im2col + loops", shape, inputs, product));
        }
        Problem::Conv(_) | Problem::Pool(_) | Problem::Elementwise { .. } => {}
    }
    #[cfg(feature = "rivals")]
    crate::rivals::add(case, inputs, &mut entries);
    entries
}

/// im2col around any matrix product.
pub fn by_im2col<'a>(
    name: &str,
    shape: crate::generic::conv::Conv2d,
    inputs: &'a [&'a [f32]],
    mut product: impl FnMut(usize, usize, usize, &[f32], &[f32], &mut [f32]) + 'a,
) -> Entry<'a> {
    let (m, _, k) = im2col::product_sizes(&shape);
    let mut columns = Buffer::zeroed(m * k);
    let bias = inputs[2];
    Entry::once(name, move |y| {
        let columns = columns.as_mut_slice();
        im2col::conv2d(&shape, inputs[0], inputs[1], y, columns, &mut product, |sum, o| (sum + bias[o]).max(0.0));
    })
}
