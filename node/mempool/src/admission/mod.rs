//! Admission: which transactions may enter, in pure functions. `rules` is about a transaction and the coins that it spends,
//! `plan` about its place among those of the pool, `replacement` and `package` about who makes room for whom.

mod package;
mod plan;
mod replacement;
mod rules;

#[cfg(test)]
mod package_tests;

#[cfg(test)]
mod tests;

pub(crate) use package::{
    PackageFailure, PackageRules, check_child_with_parents, check_member, check_package,
    plan_package,
};
pub(crate) use plan::{Plan, PlanRules, check_minimum_fee, plan, plan_return};
pub(crate) use rules::{
    Admission, Draft, check_is_new, check_without_coins, draft, pool_coins, revalidate,
};
