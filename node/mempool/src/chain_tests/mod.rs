//! The mempool on a real chain.

mod admission;
mod fees;
mod file;
mod fixture;
mod following;
mod model;
mod packages;
