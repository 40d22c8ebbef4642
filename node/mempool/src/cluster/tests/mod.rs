//! Tests of linearization: against all orders of small clusters, against simpler ways for large ones, by properties
//! and by a fuzz target.

mod diagrams;
mod exhaustive;
mod fuzz;
mod graphs;
mod orders;
mod properties;
