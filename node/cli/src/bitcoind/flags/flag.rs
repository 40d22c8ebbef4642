//! What the table of flags is made of.

/// A flag of Bitcoin Core's `bitcoind`, and what becomes of it here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Its name, without the dash.
    pub(crate) name: &'static str,
    /// What may follow the name, such as `=<port>`; empty for switches.
    pub(crate) value: &'static str,
    /// Where help and docs list it.
    pub(crate) group: Group,
    /// Forms that Bitcoin Core refuses.
    pub(crate) syntax: Syntax,
    /// Where a configuration file may set it.
    pub(crate) scope: Scope,
    /// What becomes of it.
    pub(crate) fate: Fate,
}

/// What becomes of a flag.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// It does what it does there; the text says what.
    Works(&'static str),
    /// It is taken and changes nothing; the text says why.
    Ignored(&'static str),
    /// Setting it is an error; the text says why.
    Refused(&'static str),
}

/// The groups of Bitcoin Core's help, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    General,
    Connection,
    Wallet,
    Zmq,
    Debug,
    Chain,
    Relay,
    Blocks,
    Rpc,
    /// Known and in no help.
    Hidden,
}

impl Group {
    /// All that help and docs show.
    pub(crate) const SHOWN: [Self; 9] = [
        Self::General,
        Self::Connection,
        Self::Wallet,
        Self::Zmq,
        Self::Debug,
        Self::Chain,
        Self::Relay,
        Self::Blocks,
        Self::Rpc,
    ];

    /// The heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::General => "Options",
            Self::Connection => "Connection options",
            Self::Wallet => "Wallet options",
            Self::Zmq => "ZeroMQ notification options",
            Self::Debug => "Debugging/Testing options",
            Self::Chain => "Chain selection options",
            Self::Relay => "Node relay options",
            Self::Blocks => "Block creation options",
            Self::Rpc => "RPC server options",
            Self::Hidden => "Hidden options",
        }
    }
}

/// Forms of a flag that Bitcoin Core refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// None.
    Any,
    /// `-noname`.
    NoNegation,
    /// `-name` without a value.
    NoElision,
    /// Both.
    ValueOnly,
}

impl Syntax {
    pub(crate) fn forbids_negation(self) -> bool {
        matches!(self, Self::NoNegation | Self::ValueOnly)
    }

    pub(crate) fn forbids_elision(self) -> bool {
        matches!(self, Self::NoElision | Self::ValueOnly)
    }
}

/// Where a configuration file may set a flag for a chain other than the main one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everywhere.
    Everywhere,
    /// In the chain's own section.
    ChainSection,
}

/// A flag of a group, with a value that may follow.
pub(crate) const fn flag(
    group: Group,
    name: &'static str,
    value: &'static str,
    fate: Fate,
) -> Flag {
    Flag {
        name,
        value,
        group,
        syntax: Syntax::Any,
        scope: Scope::Everywhere,
        fate,
    }
}

impl Flag {
    /// It is for one chain: a configuration file sets it in the chain's section.
    pub(crate) const fn of_one_chain(mut self) -> Self {
        self.scope = Scope::ChainSection;
        self
    }

    /// Some forms are refused.
    pub(crate) const fn syntax(mut self, syntax: Syntax) -> Self {
        self.syntax = syntax;
        self
    }
}
