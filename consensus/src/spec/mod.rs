//! Chain specs: everything that makes a network.

mod builtin;
mod chain_spec;
mod fields;
mod genesis;
mod identity;
mod parse;
mod validate;
mod write;

pub use chain_spec::{
    AddressKind, Allocation, ChainSpec, Deployments, Difficulty, GenesisSpec, Limits,
};
