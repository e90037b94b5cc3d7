//! What is timed must be right: every entry is checked against the textbook's loops before it is measured.

use crate::cases::Case;
use crate::data::{Buffer, difference};
use crate::entries::Entry;

/// Sums in another order, approximations of exp and erf: all stay well below this.
const TOLERANCE: f32 = 1e-4;

/// Runs every entry once and panics, naming it, if its result is not the textbook's.
pub fn all_agree(case: &Case, inputs: &[&[f32]], entries: &mut [Entry<'_>]) {
    let mut expected = Buffer::zeroed(case.problem.result());
    case.problem.textbook(inputs, expected.as_mut_slice());
    for entry in entries {
        let mut y = Buffer::zeroed(case.problem.result());
        y.as_mut_slice().fill(f32::NAN);
        (entry.run)(y.as_mut_slice(), 1);
        let difference = difference(expected.as_slice(), y.as_slice());
        assert!(difference < TOLERANCE, "{} of {} {}: off by {difference}", entry.name, case.group, case.name);
    }
}
