//! Poolings: every compiled variant against its reference and the textbook, in guarded memory.

use kernforge_tests::case::{Access, Case, DType, How, Param};
use kernforge_tests::check::check;
use kernforge_tests::textbook::{Pool, PoolKind, Truth, Window};

include!(concat!(env!("OUT_DIR"), "/pool.rs"));

#[test]
fn every_variant_equals_its_reference() {
    check(CASES);
}
