//! Bitcoin Core 31's methods, and why some of them are not here. From it comes `docs/rpc-methods.md`.

use std::fmt::Write;

use crate::catalogue::{Catalogue, Family};
use crate::help;

/// A method of Bitcoin Core.
struct CoreMethod {
    name: &'static str,
    /// Why it is not here; of those that are, nothing.
    absent: &'static str,
}

/// A family of Bitcoin Core's methods.
struct CoreFamily {
    title: &'static str,
    methods: &'static [CoreMethod],
}

/// A method that is here.
const fn here(name: &'static str) -> CoreMethod {
    CoreMethod { name, absent: "" }
}

/// A method that is not here, and why.
const fn absent(name: &'static str, absent: &'static str) -> CoreMethod {
    CoreMethod { name, absent }
}

const NO_ADDRESS_MANAGER: &str = "there is no table of addresses: peers are found through the nodes that are configured, and by mDNS";
const NO_BITCOIN_PROTOCOL: &str =
    "nodes speak libp2p, not Bitcoin's protocol, whose messages it sends";
const NO_PRIVATE_BROADCAST: &str = "transactions are not sent over Tor or I2P";
const ONE_WALLET: &str = "a node has one wallet, which is there as long as it runs";
const OWN_KEYS: &str = "the wallet's keys come from its seed alone; nothing is imported";
const NOT_ENCRYPTED: &str =
    "the wallet is not encrypted; its seed file is readable by its owner alone";
const NO_SIGNER: &str = "there is no external signer";
const WALLET_LATER: &str = "the wallet does not do this yet";

/// All of them, by family.
const CORE_FAMILIES: &[CoreFamily] = &[
    CoreFamily {
        title: "Blockchain",
        methods: &[
            here("dumptxoutset"),
            here("getbestblockhash"),
            here("getblock"),
            here("getblockchaininfo"),
            here("getblockcount"),
            here("getblockfilter"),
            absent(
                "getblockfrompeer",
                "blocks are asked for by the synchronisation alone, which chooses the peers",
            ),
            here("getblockhash"),
            here("getblockheader"),
            here("getblockstats"),
            here("getchainstates"),
            here("getchaintips"),
            here("getchaintxstats"),
            here("getdeploymentinfo"),
            here("getdescriptoractivity"),
            here("getdifficulty"),
            here("getmempoolancestors"),
            here("getmempoolcluster"),
            here("getmempooldescendants"),
            here("getmempoolentry"),
            here("getmempoolinfo"),
            here("getrawmempool"),
            here("gettxout"),
            here("gettxoutproof"),
            here("gettxoutsetinfo"),
            here("gettxspendingprevout"),
            here("importmempool"),
            here("loadtxoutset"),
            here("preciousblock"),
            here("pruneblockchain"),
            here("savemempool"),
            here("scanblocks"),
            here("scantxoutset"),
            here("verifychain"),
            here("verifytxoutproof"),
            here("waitforblock"),
            here("waitforblockheight"),
            here("waitfornewblock"),
        ],
    },
    CoreFamily {
        title: "Control",
        methods: &[
            here("getmemoryinfo"),
            here("getrpcinfo"),
            here("help"),
            absent(
                "logging",
                "what is logged is set at the start, by PYRITE_LOG, in the syntax of `tracing`",
            ),
            here("stop"),
            here("uptime"),
        ],
    },
    CoreFamily {
        title: "Mining",
        methods: &[
            here("getblocktemplate"),
            here("getmininginfo"),
            here("getnetworkhashps"),
            here("getprioritisedtransactions"),
            here("prioritisetransaction"),
            here("submitblock"),
            here("submitheader"),
        ],
    },
    CoreFamily {
        title: "Network",
        methods: &[
            here("addnode"),
            here("clearbanned"),
            here("disconnectnode"),
            here("getaddednodeinfo"),
            absent("getaddrmaninfo", NO_ADDRESS_MANAGER),
            here("getconnectioncount"),
            here("getnettotals"),
            here("getnetworkinfo"),
            here("getnodeaddresses"),
            here("getpeerinfo"),
            here("listbanned"),
            here("ping"),
            here("setban"),
            here("setnetworkactive"),
        ],
    },
    CoreFamily {
        title: "Rawtransactions",
        methods: &[
            absent("abortprivatebroadcast", NO_PRIVATE_BROADCAST),
            here("analyzepsbt"),
            here("combinepsbt"),
            here("combinerawtransaction"),
            here("converttopsbt"),
            here("createpsbt"),
            here("createrawtransaction"),
            here("decodepsbt"),
            here("decoderawtransaction"),
            here("decodescript"),
            here("descriptorprocesspsbt"),
            here("finalizepsbt"),
            absent("fundrawtransaction", WALLET_LATER),
            absent("getprivatebroadcastinfo", NO_PRIVATE_BROADCAST),
            here("getrawtransaction"),
            here("joinpsbts"),
            here("sendrawtransaction"),
            here("signrawtransactionwithkey"),
            here("submitpackage"),
            here("testmempoolaccept"),
            here("utxoupdatepsbt"),
        ],
    },
    CoreFamily {
        title: "Signer",
        methods: &[absent("enumeratesigners", NO_SIGNER)],
    },
    CoreFamily {
        title: "Util",
        methods: &[
            here("createmultisig"),
            here("deriveaddresses"),
            here("estimatesmartfee"),
            here("getdescriptorinfo"),
            here("getindexinfo"),
            here("signmessagewithprivkey"),
            here("validateaddress"),
            here("verifymessage"),
        ],
    },
    CoreFamily {
        title: "Wallet",
        methods: &[
            absent("abandontransaction", WALLET_LATER),
            absent("abortrescan", "the wallet never needs a rescan"),
            absent("backupwallet", "its seed is the backup"),
            absent("bumpfee", WALLET_LATER),
            absent("createwallet", ONE_WALLET),
            absent("createwalletdescriptor", OWN_KEYS),
            absent("encryptwallet", NOT_ENCRYPTED),
            absent("getaddressesbylabel", WALLET_LATER),
            absent("getaddressinfo", WALLET_LATER),
            here("getbalance"),
            here("getbalances"),
            absent("gethdkeys", WALLET_LATER),
            here("getnewaddress"),
            absent("getrawchangeaddress", WALLET_LATER),
            absent("getreceivedbyaddress", WALLET_LATER),
            absent("getreceivedbylabel", WALLET_LATER),
            here("gettransaction"),
            here("getwalletinfo"),
            absent("importdescriptors", OWN_KEYS),
            absent("importprunedfunds", OWN_KEYS),
            absent("keypoolrefill", "addresses are derived as they are needed"),
            absent("listaddressgroupings", WALLET_LATER),
            absent("listdescriptors", WALLET_LATER),
            absent("listlabels", WALLET_LATER),
            absent("listlockunspent", WALLET_LATER),
            absent("listreceivedbyaddress", WALLET_LATER),
            absent("listreceivedbylabel", WALLET_LATER),
            absent("listsinceblock", WALLET_LATER),
            here("listtransactions"),
            here("listunspent"),
            absent("listwalletdir", ONE_WALLET),
            absent("listwallets", ONE_WALLET),
            absent("loadwallet", ONE_WALLET),
            absent("lockunspent", WALLET_LATER),
            absent("migratewallet", "there are no wallets of an older kind"),
            absent("psbtbumpfee", WALLET_LATER),
            absent("removeprunedfunds", OWN_KEYS),
            absent("rescanblockchain", "the wallet never needs a rescan"),
            absent("restorewallet", ONE_WALLET),
            absent("send", WALLET_LATER),
            absent("sendall", WALLET_LATER),
            absent("sendmany", WALLET_LATER),
            here("sendtoaddress"),
            absent("setlabel", WALLET_LATER),
            absent("setwalletflag", "the wallet has no flags to be set"),
            absent("signmessage", WALLET_LATER),
            absent("signrawtransactionwithwallet", WALLET_LATER),
            absent("simulaterawtransaction", WALLET_LATER),
            absent("unloadwallet", ONE_WALLET),
            absent("walletcreatefundedpsbt", WALLET_LATER),
            absent("walletdisplayaddress", NO_SIGNER),
            absent("walletlock", NOT_ENCRYPTED),
            absent("walletpassphrase", NOT_ENCRYPTED),
            absent("walletpassphrasechange", NOT_ENCRYPTED),
            absent("walletprocesspsbt", WALLET_LATER),
        ],
    },
    CoreFamily {
        title: "Zmq",
        methods: &[here("getzmqnotifications")],
    },
    CoreFamily {
        title: "Hidden",
        methods: &[
            absent("addconnection", NO_BITCOIN_PROTOCOL),
            absent("addpeeraddress", NO_ADDRESS_MANAGER),
            here("echo"),
            absent("echoipc", "there is no other process to answer"),
            here("echojson"),
            here("estimaterawfee"),
            here("generate"),
            here("generateblock"),
            here("generatetoaddress"),
            here("generatetodescriptor"),
            here("getmempoolfeeratediagram"),
            here("getorphantxs"),
            absent("getrawaddrman", NO_ADDRESS_MANAGER),
            here("invalidateblock"),
            here("mockscheduler"),
            here("reconsiderblock"),
            absent("sendmsgtopeer", NO_BITCOIN_PROTOCOL),
            here("setmocktime"),
            here("syncwithvalidationinterfacequeue"),
        ],
    },
];

/// The page on the methods, in Markdown: Bitcoin Core's, and those that are Pyrite's own.
pub fn methods_page() -> String {
    let catalogue = Catalogue::node();
    let mut page = String::from(
        "# RPC methods\n\n\
         Every method of Bitcoin Core 31, and whether it is here. This page is made from the code; a test\n\
         compares them, and `PYRITE_WRITE_DOCS=1 cargo test -p pyrite-rpc core_methods` writes it anew.\n\
         `pyrite rpc help <method>` tells what a method takes and returns.\n",
    );
    for family in CORE_FAMILIES {
        let count = |count: usize| if count == 1 { "method" } else { "methods" };
        let here = family.methods.iter();
        let here = here
            .filter(|own| catalogue.method(own.name).is_some())
            .count();
        let all = family.methods.len();
        write!(
            page,
            "\n## {}\n\n{here} of {all} {} {} here.\n\n| Method | Here | Why not |\n|---|---|---|\n",
            family.title,
            count(all),
            if here == 1 { "is" } else { "are" },
        )
        .expect("writing to a string succeeds");
        for method in family.methods {
            let (is_here, why) = match catalogue.method(method.name) {
                Some(_) => ("yes", ""),
                None => ("no", method.absent),
            };
            writeln!(page, "| `{}` | {is_here} | {why} |", method.name)
                .expect("writing to a string succeeds");
        }
    }
    page.push_str("\n## Pyrite's own\n\n| Method | What it does |\n|---|---|\n");
    let mut own: Vec<_> = catalogue
        .methods()
        .filter(|method| !is_core(method.name))
        .collect();
    own.sort_unstable_by_key(|method| method.name);
    for method in own {
        let signature = help::signature(method).replace('|', "\\|");
        let hidden = match method.family {
            Family::Hidden => " (not listed by `help`)",
            _ => "",
        };
        writeln!(page, "| `{signature}` | {}{hidden} |", method.summary)
            .expect("writing to a string succeeds");
    }
    page
}

fn is_core(name: &str) -> bool {
    let mut all = CORE_FAMILIES.iter().flat_map(|family| family.methods);
    all.any(|method| method.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn who_is_not_here_has_a_reason_and_nobody_is_listed_twice() {
        let catalogue = Catalogue::node();
        let mut names = HashSet::new();
        for method in CORE_FAMILIES.iter().flat_map(|family| family.methods) {
            assert!(names.insert(method.name), "{} twice", method.name);
            let is_here = catalogue.method(method.name).is_some();
            assert!(is_here || !method.absent.is_empty(), "{}", method.name);
        }
    }

    #[test]
    fn the_page_in_the_docs_is_what_the_code_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rpc-methods.md");
        if std::env::var_os("PYRITE_WRITE_DOCS").is_some() {
            std::fs::write(&path, methods_page()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(
            written == methods_page(),
            "docs/rpc-methods.md is old: PYRITE_WRITE_DOCS=1 cargo test -p pyrite-rpc core_methods"
        );
    }
}
