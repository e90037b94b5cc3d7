//! Activations, rows, broadcasting, conversions: every compiled variant against its reference.

use kernforge_tests::case::{Access, Case, DType, How, Param};
use kernforge_tests::check::check;

include!(concat!(env!("OUT_DIR"), "/elementwise.rs"));

#[test]
fn every_variant_equals_its_reference() {
    check(CASES);
}
