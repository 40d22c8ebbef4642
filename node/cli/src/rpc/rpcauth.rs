//! `pyrite rpcauth`: a user of JSON-RPC with a password, of which the node keeps a salted hash only.

use std::io::BufRead;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use pyrite_rpc::RpcUser;
use rand::RngCore;
use serde_json::json;

/// Bytes of a new password.
const PASSWORD_BYTES: usize = 32;

/// The longest password that is read.
const MAX_PASSWORD_BYTES: u64 = 4 << 10;

/// Arguments of `pyrite rpcauth`.
#[derive(Args)]
pub(crate) struct RpcAuthArgs {
    /// The user's name, without a colon
    user: String,
    /// Read the password from the standard input, a line, instead of making one
    #[arg(long)]
    stdin: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the line for --rpc-auth, or for rpcauth in Bitcoin Core's configuration, and the password if it is new.
pub(crate) fn run(args: &RpcAuthArgs) -> Result<()> {
    if args.user.is_empty() || args.user.contains([':', ',']) {
        bail!("a user's name is not empty and has neither a colon nor a comma");
    }
    let password = if args.stdin {
        read_password(std::io::stdin().lock())?
    } else {
        let mut bytes = [0; PASSWORD_BYTES];
        rand::rngs::OsRng.fill_bytes(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let user = RpcUser::new(&args.user, &password);
    if args.json {
        let mut line = json!({"rpcauth": user.to_string(), "user": args.user});
        if !args.stdin {
            line["password"] = json!(password);
        }
        println!("{}", serde_json::to_string_pretty(&line)?);
        return Ok(());
    }
    println!("{user}");
    if !args.stdin {
        eprintln!("The password, which is not kept anywhere: {password}");
    }
    Ok(())
}

fn read_password(input: impl BufRead) -> Result<String> {
    let mut line = String::new();
    let mut input = input.take(MAX_PASSWORD_BYTES);
    input.read_line(&mut line).context("standard input")?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        bail!("the standard input has no password");
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_a_line() {
        assert_eq!(read_password("a b\r\nc".as_bytes()).unwrap(), "a b");
        assert!(read_password("\n".as_bytes()).is_err());
    }
}
