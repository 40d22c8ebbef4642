//! The methods that a user may call.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What one user may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Every method.
    All,
    /// These methods.
    Only(Arc<HashSet<String>>),
    /// None: the user has no list where everybody needs one.
    Nothing,
}

/// The lists of methods that users may call, as Bitcoin Core's `-rpcwhitelist` and `-rpcwhitelistdefault` give them.
#[derive(Clone, Debug, Default)]
pub struct Whitelists {
    lists: HashMap<String, Arc<HashSet<String>>>,
    without_list: Option<WithoutList>,
}

/// What users without a list may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WithoutList {
    All,
    Nothing,
}

impl Whitelists {
    /// Reads `USER:METHOD,METHOD…`. Of several lists for one user, what is in all of them counts.
    pub fn add(&mut self, text: &str) {
        let Some((user, methods)) = text.split_once(':') else {
            self.lists.entry(text.to_owned()).or_default();
            return;
        };
        let methods = methods
            .split([',', ' '])
            .filter(|name| !name.is_empty())
            .map(str::to_owned);
        let mut methods: HashSet<String> = methods.collect();
        if let Some(earlier) = self.lists.get(user) {
            methods.retain(|name| earlier.contains(name));
        }
        self.lists.insert(user.to_owned(), Arc::new(methods));
    }

    /// Whether users without a list may call nothing. If nobody says, they may call nothing as soon as there is a list.
    pub fn deny_without_list(&mut self, deny: Option<bool>) {
        self.without_list = deny.map(|deny| match deny {
            true => WithoutList::Nothing,
            false => WithoutList::All,
        });
    }

    /// What a user may call.
    pub(crate) fn permission(&self, user: &str) -> Permission {
        let default = match self.lists.is_empty() {
            true => WithoutList::All,
            false => WithoutList::Nothing,
        };
        match (self.lists.get(user), self.without_list.unwrap_or(default)) {
            (Some(methods), _) => Permission::Only(Arc::clone(methods)),
            (None, WithoutList::All) => Permission::All,
            (None, WithoutList::Nothing) => Permission::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(texts: &[&str], deny: Option<bool>) -> Whitelists {
        let mut lists = Whitelists::default();
        for text in texts {
            lists.add(text);
        }
        lists.deny_without_list(deny);
        lists
    }

    fn only(names: &[&str]) -> Permission {
        Permission::Only(Arc::new(
            names.iter().map(|name| (*name).to_owned()).collect(),
        ))
    }

    #[test]
    fn a_list_says_what_its_user_may_call() {
        let lists = lists(&["ann:getblockcount, getblock,", "bob:", "eve"], None);
        assert_eq!(
            lists.permission("ann"),
            only(&["getblockcount", "getblock"])
        );
        assert_eq!(lists.permission("bob"), only(&[]));
        assert_eq!(lists.permission("eve"), only(&[]));
    }

    #[test]
    fn of_two_lists_what_is_in_both_counts() {
        let lists = lists(&["ann:a,b", "ann:b,c"], None);
        assert_eq!(lists.permission("ann"), only(&["b"]));
    }

    #[test]
    fn who_has_no_list_may_call_nothing_once_there_is_one() {
        for (texts, deny, expected) in [
            (&[][..], None, Permission::All),
            (&[], Some(true), Permission::Nothing),
            (&["ann:a"], None, Permission::Nothing),
            (&["ann:a"], Some(false), Permission::All),
        ] {
            assert_eq!(lists(texts, deny).permission("bob"), expected);
        }
    }
}
