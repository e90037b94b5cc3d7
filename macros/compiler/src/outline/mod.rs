//! Graph → kernel IR.
