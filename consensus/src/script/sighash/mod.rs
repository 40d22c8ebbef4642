//! What signatures sign: the digests of a transaction for each kind of script.

mod digests;
mod hash_type;
mod legacy;
mod segwit;
mod taproot;
mod write;

pub use digests::{CommonDigests, SpendingTransaction, TaprootDigests};
pub use legacy::legacy_signature_hash;
pub use segwit::segwit_v0_signature_hash;
pub use taproot::{
    LeafContext, TaprootContext, UndefinedHashType, annex_hash, taproot_signature_hash,
};

pub(crate) use hash_type::HashType;
pub(crate) use legacy::{legacy_midstate, signs_one};
pub(crate) use segwit::segwit_v0_midstate;
pub(crate) use write::{finish, write_compact_size};
