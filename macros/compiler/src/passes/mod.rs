//! Graph → graph.
