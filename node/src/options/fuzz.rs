//! Fuzz target: the configuration file.

use std::path::Path;

use bolero::check;
use pyrite_fuzzing::TextDamage;

use super::file::parse_config;
use super::*;

const TEXT: &str = "\
chain = \"regtest\"
data-dir = \"here\"
listen = [\"/ip4/127.0.0.1/tcp/1\", \"/ip6/::1/tcp/2\"]
peer = [\"127.0.0.1:5\"]
mdns = false
max-peers = 8
rest = true
zmqpubrawtx = [\"tcp://127.0.0.1:28332\"]
zmqpubrawtxhwm = 10
blocknotify = \"echo %s\"
rpc-bind = \"[::1]:9332\"
mine = \"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"
threads = 2
intensity = 50
devices = [\"cpu\"]
mempool-mb = 5
mempool-expiry-hours = 2
persist-mempool = false
min-relay-fee = 1000
cluster-count = 25
accept-nonstandard = true
fee-fallback = true
accept-stale-fee-estimates = false
block-max-weight = 400000
block-min-fee-rate = 7
script-threads = 3
quiet = true
";

const WORDS: [&str; 10] = [
    "chain",
    "peer",
    "config",
    "wallet",
    "mainnet",
    "/ip4/",
    "gpu",
    "\u{1b}[31m",
    "\\u001b",
    "=",
];

/// An error is one line and names the file or the setting.
fn check_error(error: &NodeError) {
    let message = error.to_string();
    assert_eq!(message.lines().count(), 1, "{message:?}");
}

#[test]
fn fuzz_config_file() {
    let path = Path::new("pyrite.toml");
    check!().with_type::<TextDamage>().for_each(|damage| {
        let text = damage.apply(TEXT, &WORDS);
        match parse_config(path, &text) {
            Ok(mut options) => {
                // Any other is the name of a file.
                options
                    .chain
                    .take_if(|chain| ChainSpec::builtin(chain).is_none());
                let resolved = options.resolve();
                assert!(!damage.is_none() || resolved.is_ok(), "{resolved:?}");
                if let Err(error) = resolved {
                    check_error(&error);
                }
            }
            Err(error) => {
                assert!(!damage.is_none(), "{error}");
                assert!(matches!(error, NodeError::ConfigSyntax { .. }));
                check_error(&error);
            }
        }
    });
}
