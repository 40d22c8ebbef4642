//! A node is killed again and again at random instants, under load: blocks, reorganisations, payments, the
//! building of indexes. Each time it opens again, has what it acknowledged, and its coins are those of a
//! replay of its chain. `make kills` does it a thousand times.

mod harness;
mod load;
mod process;
mod replay;
