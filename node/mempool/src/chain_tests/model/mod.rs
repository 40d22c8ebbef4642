//! The mempool on a real chain against a model that works everything out anew at each step: contents, fees, relations,
//! clusters and their chunks, after random transactions, replacements, packages, blocks, reorganisations, priorities,
//! expiry and evictions.
//!
//! `PYRITE_MODEL_OPERATIONS` sets how many operations there are, `PYRITE_MODEL_SEED` where they begin.

mod blocks;
mod check;
mod clusters;
mod random;
mod rules;
mod world;

use world::World;

/// How many operations `make test` does.
const OPERATIONS: u64 = 3_000;

#[test]
fn the_mempool_is_what_the_model_is() {
    let setting = |name, default| {
        let value = std::env::var(name).ok();
        value.map_or(default, |value| value.parse().unwrap())
    };
    let operations = setting("PYRITE_MODEL_OPERATIONS", OPERATIONS);
    let seed = setting("PYRITE_MODEL_SEED", 1);
    let mut world = World::new(seed);
    for number in 0..operations {
        world.step();
        world.check();
        if number % 10_000 == 9_999 {
            println!("{} operations: {:?}", number + 1, world.counts);
        }
    }
    println!("{operations} operations: {:?}", world.counts);
    for (what, count) in &world.counts {
        assert!(*count > 0, "nothing of this kind happened: {what}");
    }
}
