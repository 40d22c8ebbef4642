//! What the fuzz targets of several crates share: damage to valid encodings and texts.
//!
//! Random bytes seldom get past a decoder's first check. Something valid with a little damage does, and a
//! target can ask more of it: what is still accepted must mean what it says.

mod damage;
mod text;

pub use damage::Damage;
pub use text::TextDamage;
