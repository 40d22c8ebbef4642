//! The description of every method: its family, parameters and result. The dialect layer checks and
//! orders parameters by it, and `help` prints it.

use crate::api;

/// The families that `help` lists methods under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// The index of addresses, which Bitcoin Core has not.
    Addressindex,
    /// Blocks and coins.
    Blockchain,
    /// The node itself.
    Control,
    /// What the list leaves out.
    Hidden,
    /// Unconfirmed transactions.
    Mempool,
    /// Templates, blocks and the built-in miner.
    Mining,
    /// Peers.
    Network,
    /// Transactions as bytes.
    RawTransactions,
    /// Addresses.
    Util,
    /// The node's wallet.
    Wallet,
    /// Notifications over ZMQ.
    Zmq,
}

impl Family {
    /// Those that `help` lists, in its order.
    pub(crate) const ALL: [Self; 10] = [
        Self::Addressindex,
        Self::Blockchain,
        Self::Control,
        Self::Mempool,
        Self::Mining,
        Self::Network,
        Self::RawTransactions,
        Self::Util,
        Self::Wallet,
        Self::Zmq,
    ];

    /// The heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Addressindex => "Addressindex",
            Self::Blockchain => "Blockchain",
            Self::Control => "Control",
            Self::Hidden => "Hidden",
            Self::Mempool => "Mempool",
            Self::Mining => "Mining",
            Self::Network => "Network",
            Self::RawTransactions => "Rawtransactions",
            Self::Util => "Util",
            Self::Wallet => "Wallet",
            Self::Zmq => "Zmq",
        }
    }
}

/// What JSON a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// A string of hexadecimal digits.
    Hex,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A number of coins, or such a number in a string.
    Amount,
    /// An array.
    Array,
    /// An object.
    Object,
    /// An object, or a string for the one that matters most of it.
    ObjectOrText,
    /// An object of these options, each of which may be named as a parameter of its own.
    Options(&'static [&'static str]),
    /// A block's hash, or its height.
    HashOrHeight,
    /// A number or a boolean; the handler looks.
    Any,
    /// What help calls it; the handler looks.
    Described(&'static str),
}

/// Whether a parameter must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It must.
    Required,
    /// It may be left out; the text says what applies then (empty: nothing does).
    Optional(&'static str),
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParamSpec {
    /// Its name; further names that clients may use follow, each after a `|`.
    pub(crate) names: &'static str,
    /// What JSON it takes.
    pub(crate) kind: Kind,
    /// Whether it must be given.
    pub(crate) need: Need,
    /// What it means.
    pub(crate) about: &'static str,
}

impl ParamSpec {
    /// The name that help shows.
    pub(crate) fn name(&self) -> &'static str {
        self.names.split('|').next().unwrap_or(self.names)
    }

    /// Whether clients may call it that.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.names.split('|').any(|own| own == name)
    }
}

/// A parameter that must be given.
pub(crate) const fn required(names: &'static str, kind: Kind, about: &'static str) -> ParamSpec {
    ParamSpec {
        names,
        kind,
        need: Need::Required,
        about,
    }
}

/// A parameter that may be left out.
pub(crate) const fn optional(
    names: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> ParamSpec {
    ParamSpec {
        names,
        kind,
        need: Need::Optional(default),
        about,
    }
}

/// A method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodSpec {
    /// Its name.
    pub(crate) name: &'static str,
    /// Where `help` lists it.
    pub(crate) family: Family,
    /// What it does.
    pub(crate) summary: &'static str,
    /// Its parameters, in order.
    pub(crate) params: &'static [ParamSpec],
    /// What it returns.
    pub(crate) result: &'static str,
}

impl MethodSpec {
    /// How many parameters must be given: all up to the last that may not be left out.
    pub(crate) fn required_count(&self) -> usize {
        let mut params = self.params.iter();
        params
            .rposition(|param| param.need == Need::Required)
            .map_or(0, |last| last + 1)
    }
}

/// A set of methods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Catalogue {
    groups: &'static [&'static [MethodSpec]],
}

impl Catalogue {
    /// A catalogue of these methods.
    pub(crate) const fn new(groups: &'static [&'static [MethodSpec]]) -> Self {
        Self { groups }
    }

    /// Every method of the node.
    pub(crate) const fn node() -> Self {
        Self::new(&[
            api::activity::METHODS,
            api::addresses::METHODS,
            api::block_filters::METHODS,
            api::blockchain::METHODS,
            api::chain_control::METHODS,
            api::chain_stats::METHODS,
            api::chain_wait::METHODS,
            api::coin_set::METHODS,
            api::control::METHODS,
            api::deployments::METHODS,
            api::descriptors::METHODS,
            api::fees::METHODS,
            api::generate::METHODS,
            api::indexes::METHODS,
            api::mempool::METHODS,
            api::mempool_file::METHODS,
            api::mining::METHODS,
            api::network::METHODS,
            api::packages::METHODS,
            api::priority::METHODS,
            api::psbt::METHODS,
            api::raw_create::METHODS,
            api::rawtransactions::METHODS,
            api::signing::METHODS,
            api::snapshot::METHODS,
            api::orphans::METHODS,
            api::spenders::METHODS,
            api::test_aids::METHODS,
            api::traffic::METHODS,
            api::tx_out_proof::METHODS,
            api::util::METHODS,
            api::wallet::METHODS,
            api::zmq::METHODS,
        ])
    }

    /// The methods.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &'static MethodSpec> + use<> {
        self.groups.iter().flat_map(|group| group.iter())
    }

    /// The method of that name.
    pub(crate) fn method(&self, name: &str) -> Option<&'static MethodSpec> {
        self.methods().find(|method| method.name == name)
    }
}
