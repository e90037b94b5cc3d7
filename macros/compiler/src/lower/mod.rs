//! Kernel IR → schedule → vector IR.
