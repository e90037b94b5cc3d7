//! Products: every compiled variant against its reference, in guarded memory.

use kernforge_tests::case::{Access, Case, DType, How, Param};
use kernforge_tests::check::check;
use kernforge_tests::textbook::{Gemm, Truth};

include!(concat!(env!("OUT_DIR"), "/gemm.rs"));

#[test]
fn every_variant_equals_its_reference() {
    check(CASES);
}
