//! Calls methods, parses what they answer, and remembers what did not parse.

use std::collections::BTreeSet;
use std::fmt::Debug;

use corepc_client::client_sync::v31::Client;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::corepc_client::{METHOD_NOT_FOUND, error_code};

/// What was called, and what did not go well.
pub(super) struct Report<'a> {
    client: &'a Client,
    /// The methods that the node has, by its own `help`.
    offered: BTreeSet<String>,
    called: BTreeSet<String>,
    failures: Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        let help = client.help().expect("it answers");
        let offered = help
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("=="))
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect();
        Self {
            client,
            offered,
            called: BTreeSet::new(),
            failures: Vec::new(),
        }
    }

    /// Calls a method, if the node has it, and parses the reply.
    pub(super) fn typed<T: DeserializeOwned>(&mut self, method: &str, params: Value) -> Option<T> {
        let params = params.as_array().expect("a list").clone();
        self.called.insert(method.to_owned());
        match self.client.call::<Value>(method, &params) {
            Ok(reply) => self.parsed(method, Some(reply)),
            Err(error) => {
                let unknown = error_code(&error) == Some(METHOD_NOT_FOUND);
                if !unknown || self.offered.contains(method) {
                    self.failures.push(format!("{method} {params:?}: {error}"));
                }
                None
            }
        }
    }

    /// Parses a reply that there is.
    pub(super) fn parsed<T: DeserializeOwned>(
        &mut self,
        method: &str,
        reply: Option<Value>,
    ) -> Option<T> {
        let reply = reply?;
        match T::deserialize(&reply) {
            Ok(typed) => Some(typed),
            Err(error) => {
                self.failures
                    .push(format!("{method}: {error}\n    in {reply}"));
                None
            }
        }
    }

    /// Calls a method and makes of the reply the library's stricter type, with hashes, amounts and scripts.
    pub(super) fn modelled<T: DeserializeOwned, M, E: Debug>(
        &mut self,
        method: &str,
        params: Value,
        into_model: impl FnOnce(T) -> Result<M, E>,
    ) -> Option<M> {
        let typed = self.typed(method, params.clone())?;
        match into_model(typed) {
            Ok(model) => Some(model),
            Err(error) => {
                self.failures.push(format!("{method} {params}: {error:?}"));
                None
            }
        }
    }

    /// Says all that failed, and which methods were left out: of those that the node lists, only the ones
    /// named here may be, which have no type.
    pub(super) fn finish(self, without_type: &[&str]) {
        let missing: Vec<&String> = self.called.difference(&self.offered).collect();
        println!("not listed by the node: {missing:?}");
        let mut failures = self.failures;
        for method in self.offered.difference(&self.called) {
            if !without_type.contains(&method.as_str()) {
                failures.push(format!("{method} was not called"));
            }
        }
        assert!(
            failures.is_empty(),
            "{} replies do not parse:\n{}",
            failures.len(),
            failures.join("\n")
        );
    }
}

/// Calls a method and parses the reply; with `model` also into the library's stricter type.
macro_rules! check {
    ($report:expr, $method:literal, $params:tt, $kind:ty) => {
        $report.typed::<$kind>($method, serde_json::json!($params))
    };
    ($report:expr, $method:literal, $params:tt, $kind:ty, model) => {
        $report.modelled($method, serde_json::json!($params), |reply: $kind| {
            reply.into_model()
        })
    };
}
pub(super) use check;
