//! Block templates that are ready before they are asked for: the miner's source of work.

mod follower;
mod pace;
#[cfg(test)]
mod tests;

pub(crate) use follower::TemplateFollower;
