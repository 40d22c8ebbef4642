//! Where the kernels in assembly find what they need: bytes from the beginning of the tables in `assembly`.

/// Of a version or a header: its state after four rounds of the second block, as if the nonce were zero.
pub(super) const AFTER_FOUR: usize = 0;
/// Of a version or a header: its midstate.
pub(super) const MIDSTATE: usize = 32;
/// The length of a version.
pub(super) const VERSION: usize = 64;
/// Of a header: its last words, and what of the message words from 16, 20 and 28 on no nonce changes.
pub(super) const WORDS: usize = 64;

/// Of a nonce's schedule, after 48 message words: the nonce in the places where it is added to the state.
pub(super) const NONCE: usize = 192;
/// The length of a nonce's schedule.
pub(super) const SCHEDULE: usize = 208;

/// Of the constants: those of all rounds.
pub(super) const K: usize = 0;
/// Those of the second block's rounds 4 to 15 with their words.
pub(super) const BLOCK_SUMS: usize = 256;
/// Those of the second hash's rounds 8 to 15 with their words.
pub(super) const HASH_SUMS: usize = 304;
/// SHA-256's initial state.
pub(super) const INITIAL: usize = 336;
/// The words after the message's end.
pub(super) const PADDING: usize = 368;
/// The last words of the second hash's message.
pub(super) const LENGTH: usize = 384;
/// A mask of the places where the nonce is added to the state.
pub(super) const NONCE_PLACES: usize = 400;
