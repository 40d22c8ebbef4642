//! Chain specs: everything that makes a network.

mod address_kind;
mod assume_utxo;
mod builtin;
mod chain_spec;
mod fields;
mod genesis;
mod identity;
mod parse;
mod validate;
mod write;

pub use address_kind::AddressKind;
pub use assume_utxo::AssumeUtxo;
pub use chain_spec::{Allocation, ChainSpec, Deployments, Difficulty, GenesisSpec, Limits};
