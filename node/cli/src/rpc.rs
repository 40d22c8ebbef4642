//! `pyrite rpc`: a command-line client that finds the node and the cookie of a data directory.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use pyrite_node::{default_data_dir, find_running};
use pyrite_rpc::RpcClient;
use serde_json::Value;

/// No number that a method takes has more characters; a hash may consist of digits alone.
const MAX_NUMBER_LENGTH: usize = 24;

/// Arguments of `pyrite rpc`.
#[derive(Args)]
pub(crate) struct RpcArgs {
    /// The node's data directory [default: ~/.pyrite]
    #[arg(long, value_name = "DIR", env = "PYRITE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The chain, where nodes of several run in the data directory
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,
    /// Parameters are NAME=VALUE
    #[arg(long)]
    named: bool,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
    /// The method; "help" lists them all
    method: String,
    /// Its parameters: JSON, or text without quotes
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    params: Vec<String>,
}

/// Calls the method and prints its result: text as it is, anything else as JSON.
pub(crate) fn run(args: &RpcArgs) -> Result<()> {
    let root = match &args.data_dir {
        Some(root) => root.clone(),
        None => default_data_dir()?,
    };
    let (data_dir, info) = find_running(&root, args.chain.as_deref())?;
    let client = RpcClient::new(
        info.rpc_url,
        data_dir.cookie(),
        Duration::from_secs(args.timeout),
    );
    let params = if args.named {
        named(&args.params)?
    } else {
        positional(&args.params)
    };
    match client.call(&args.method, params)? {
        Value::Null => {}
        Value::String(text) => print_result(&text)?,
        result => print_result(&serde_json::to_string_pretty(&result)?)?,
    }
    Ok(())
}

/// Prints a result. Whoever reads it may have read enough before its end.
fn print_result(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn positional(params: &[String]) -> Value {
    params.iter().map(|text| value(text)).collect()
}

fn named(params: &[String]) -> Result<Value> {
    params
        .iter()
        .map(|param| {
            let (name, text) = param
                .split_once('=')
                .with_context(|| format!("parameter {param} is not NAME=VALUE"))?;
            Ok((name.to_owned(), value(text)))
        })
        .collect()
}

/// What is JSON is taken as JSON, everything else as text.
fn value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::Number(_)) if text.len() > MAX_NUMBER_LENGTH => Value::from(text),
        Ok(value) => value,
        Err(_) => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_needs_no_quotes_and_a_hash_of_digits_stays_text() {
        let digits = "1".repeat(64);
        let params = ["1", "0.5", "true", "bcrt1q", "[1]", "null", &digits].map(str::to_owned);
        assert_eq!(
            positional(&params),
            json!([1, 0.5, true, "bcrt1q", [1], null, digits])
        );
    }

    #[test]
    fn named_parameters_need_a_name() {
        assert_eq!(
            named(&["height=3".to_owned()]).unwrap(),
            json!({"height": 3})
        );
        assert!(named(&["3".to_owned()]).is_err());
    }
}
