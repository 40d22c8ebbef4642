//! The mempool on a real chain.

mod admission;
mod fees;
mod fixture;
mod following;
mod model;
mod packages;
