//! `pyrite rpc`: a command-line client that finds the node and the cookie of a data directory.

use std::ffi::OsString;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use pyrite_node::{Secret, default_data_dir, find_running};
use pyrite_rpc::{Credentials, ParamPlace, RpcClient, argument, is_positional};
use serde_json::{Map, Value};

use super::table;

/// The most that is read of the standard input: more than a request may have.
const MAX_INPUT_BYTES: usize = 32 << 20;

/// Arguments of `pyrite rpc`.
#[derive(Args)]
pub(crate) struct RpcArgs {
    /// The node's data directory [default: ~/.pyrite]
    #[arg(long, value_name = "DIR", env = "PYRITE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The chain, where nodes of several run in the data directory
    #[arg(long, value_name = "NAME")]
    chain: Option<String>,
    /// Call the node that serves JSON-RPC here, such as http://127.0.0.1:9332, instead of the one of a data directory
    #[arg(long, value_name = "URL", requires = "user")]
    url: Option<String>,
    /// Call as this user instead of by the cookie
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The user's password; other programs can see flags, so rather give it in the environment
    #[arg(
        long,
        value_name = "WORD",
        env = "PYRITE_RPC_PASSWORD",
        hide_env_values = true
    )]
    password: Option<Secret>,
    /// Parameters are NAME=VALUE; those without a name come first, in order. Also -named
    #[arg(long)]
    named: bool,
    /// Read further parameters from the standard input, one a line; also the method if it is not given. Also -stdin
    #[arg(long)]
    stdin: bool,
    /// Print JSON, also where text or a table is easier to read
    #[arg(long)]
    json: bool,
    /// Give up after so many seconds; with 0, never
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
    /// The method; "help" lists them all
    #[arg(required_unless_present = "stdin")]
    method: Option<String>,
    /// Its parameters: JSON, or text without quotes
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    params: Vec<String>,
}

/// Calls the method and prints its result: text as it is, a list as a table on a terminal, anything else as JSON.
pub(crate) fn run(args: &RpcArgs) -> Result<()> {
    let mut words: Vec<String> = args.method.iter().chain(&args.params).cloned().collect();
    if args.stdin {
        words.extend(read_words(std::io::stdin().lock())?);
    }
    let (method, words) = words.split_first().context("no method is given")?;
    let client = client(args)?;
    let params = if args.named {
        named(method, words)?
    } else {
        positional(method, words)
    };
    let result = client.call(method, params)?;
    let terminal = std::io::stdout().is_terminal();
    match &result {
        Value::Null if !args.json => {}
        Value::String(text) if !args.json => print_result(text)?,
        result => match table::table(result).filter(|_| terminal && !args.json) {
            Some(table) => print_result(&table)?,
            None => print_result(&serde_json::to_string_pretty(result)?)?,
        },
    }
    Ok(())
}

/// A client of the node that is meant.
fn client(args: &RpcArgs) -> Result<RpcClient> {
    let timeout = Duration::from_secs(args.timeout);
    let credentials = match (&args.user, &args.password) {
        (Some(user), Some(password)) => Some(Credentials::Password {
            user: user.clone(),
            password: password.reveal().to_owned(),
        }),
        (Some(_), None) => {
            bail!("--user needs --password, or PYRITE_RPC_PASSWORD in the environment")
        }
        (None, _) => None,
    };
    if let (Some(url), Some(credentials)) = (&args.url, &credentials) {
        return Ok(RpcClient::with_credentials(
            url.clone(),
            credentials.clone(),
            timeout,
        ));
    }
    let root = match &args.data_dir {
        Some(root) => root.clone(),
        None => default_data_dir()?,
    };
    let (data_dir, info) = find_running(&root, args.chain.as_deref())?;
    let credentials = credentials.unwrap_or_else(|| Credentials::Cookie(data_dir.cookie()));
    Ok(RpcClient::with_credentials(
        info.rpc_url,
        credentials,
        timeout,
    ))
}

/// The lines of an input, each a parameter.
fn read_words(input: impl BufRead) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut left = MAX_INPUT_BYTES;
    for line in input.lines() {
        let line = line.context("standard input")?;
        left = left
            .checked_sub(line.len() + 1)
            .context("the standard input is too long for a request")?;
        words.push(line);
    }
    Ok(words)
}

/// Prints a result. Whoever reads it may have read enough before its end.
fn print_result(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn positional(method: &str, words: &[String]) -> Value {
    words
        .iter()
        .enumerate()
        .map(|(position, text)| argument(method, ParamPlace::Position(position), text))
        .collect()
}

/// Named parameters, and those without a name under the name that Bitcoin Core has for them.
fn named(method: &str, words: &[String]) -> Result<Value> {
    let (mut params, mut unnamed) = (Map::new(), Vec::new());
    for word in words {
        let pair = word.split_once('=');
        match pair.filter(|(name, _)| !is_positional(method, unnamed.len(), name)) {
            Some((name, text)) => {
                let value = argument(method, ParamPlace::Name(name), text);
                if params.insert(name.to_owned(), value).is_some() {
                    bail!("parameter {name} is given twice");
                }
            }
            None => {
                let place = ParamPlace::Position(unnamed.len());
                unnamed.push(argument(method, place, word));
            }
        }
    }
    if !unnamed.is_empty() {
        params.insert("args".to_owned(), Value::Array(unnamed));
    }
    Ok(Value::Object(params))
}

/// The words of the command line, with flags in Bitcoin Core's notation as ours: of `pyrite rpc`, and before the method.
pub(crate) fn with_bitcoin_flags(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.collect();
    if words.get(1).is_none_or(|word| word != "rpc") {
        return words;
    }
    let takes_value = [
        "--data-dir",
        "--chain",
        "--url",
        "--user",
        "--password",
        "--timeout",
    ];
    let mut index = 2;
    while let Some(word) = words.get_mut(index) {
        match word.to_str() {
            Some("-named") => *word = "--named".into(),
            Some("-stdin") => *word = "--stdin".into(),
            Some(flag) if takes_value.contains(&flag) => index += 1,
            Some(flag) if flag.starts_with('-') => {}
            _ => break,
        }
        index += 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn text_needs_no_quotes_and_a_hash_of_digits_stays_text() {
        let digits = "1".repeat(64);
        let params = words(&["1", "0.5", "true", "bcrt1q", "[1]", "null", &digits]);
        assert_eq!(
            positional("unknown", &params),
            json!([1, 0.5, true, "bcrt1q", [1], null, digits])
        );
    }

    #[test]
    fn what_a_method_takes_as_text_is_text() {
        let params = words(&["7", "1"]);
        assert_eq!(positional("getblock", &params), json!(["7", 1]));
    }

    #[test]
    fn parameters_without_a_name_come_first() {
        assert_eq!(
            named("getblock", &words(&["00", "verbosity=2"])).unwrap(),
            json!({"verbosity": 2, "args": ["00"]})
        );
        assert!(named("getblock", &words(&["verbosity=1", "verbosity=2"])).is_err());
        // The signs at the end of a PSBT are its own.
        assert_eq!(
            named("decodepsbt", &words(&["cHNidP8BAA=="])).unwrap(),
            json!({"args": ["cHNidP8BAA=="]})
        );
        assert_eq!(
            named("decodepsbt", &words(&["psbt=cHNidP8BAA=="])).unwrap(),
            json!({"psbt": "cHNidP8BAA=="})
        );
    }

    #[test]
    fn further_parameters_come_from_the_input() {
        let read = read_words("getblock\n00\r\n\n1".as_bytes()).unwrap();
        assert_eq!(read, ["getblock", "00", "", "1"]);
    }

    #[test]
    fn bitcoin_cores_flags_are_understood_before_the_method() {
        let translated = |texts: &[&str]| -> Vec<String> {
            let words = with_bitcoin_flags(texts.iter().map(OsString::from));
            words
                .into_iter()
                .map(|word| word.into_string().unwrap())
                .collect()
        };
        assert_eq!(
            translated(&[
                "pyrite", "rpc", "--chain", "-stdin", "-named", "echo", "-named"
            ]),
            [
                "pyrite", "rpc", "--chain", "-stdin", "--named", "echo", "-named"
            ]
        );
        assert_eq!(
            translated(&["pyrite", "node", "-named"]),
            ["pyrite", "node", "-named"]
        );
    }
}
