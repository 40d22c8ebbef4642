//! What the system's sensors say: temperature, power and energy, battery, and the load of other programs.
//!
//! All are files below `/proc` and `/sys` of Linux; where one is missing, or not for this user, its reading is unknown.

mod battery;
mod files;
mod load;
mod power;
mod sampler;
mod temperature;

pub(crate) use sampler::Sampler;
pub use sampler::{SensorReadings, Sensors};
