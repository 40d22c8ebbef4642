//! Which of Bitcoin's chains is meant.

use anyhow::{Result, bail};

use super::settings::Settings;

/// A chain that this node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BitcoinChain {
    /// Bitcoin's.
    Main,
    /// Blocks on demand.
    Regtest,
}

impl BitcoinChain {
    /// Its name in Bitcoin Core, which is its section of a configuration file.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Regtest => "regtest",
        }
    }

    /// The name of its spec.
    pub(crate) fn spec(self) -> &'static str {
        match self {
            Self::Main => "mainnet",
            Self::Regtest => "regtest",
        }
    }

    /// Where JSON-RPC is served when nothing else is said.
    pub(crate) fn rpc_port(self) -> u16 {
        match self {
            Self::Main => 8332,
            Self::Regtest => 18443,
        }
    }

    /// Where peers are listened for when nothing else is said.
    pub(crate) fn peer_port(self) -> u16 {
        match self {
            Self::Main => 8333,
            Self::Regtest => 18444,
        }
    }
}

/// The name of the chain that the settings choose, whether there is such a chain or not.
///
/// # Errors
/// They choose several.
pub(crate) fn chain_name(settings: &Settings) -> Result<String> {
    let named = settings.text("chain");
    let switches = ["regtest", "signet", "testnet", "testnet4"];
    let chosen: Vec<&str> = switches
        .into_iter()
        .filter(|switch| settings.chooses_chain(switch))
        .collect();
    if chosen.len() + usize::from(named.is_some()) > 1 {
        bail!(
            "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one."
        );
    }
    Ok(named.unwrap_or_else(|| {
        let name = match chosen.first() {
            Some(&"testnet") => "test",
            Some(name) => name,
            None => "main",
        };
        name.to_owned()
    }))
}

/// The chain that the settings choose.
///
/// # Errors
/// It is none of Bitcoin's, or none of those that this node has.
pub(crate) fn choose_chain(settings: &Settings) -> Result<BitcoinChain> {
    let name = chain_name(settings)?;
    match name.as_str() {
        "main" => Ok(BitcoinChain::Main),
        "regtest" => Ok(BitcoinChain::Regtest),
        "test" | "testnet4" | "signet" => bail!(
            "Chain {name} is not one that Pyrite has: of Bitcoin's chains there are main and regtest."
        ),
        _ => bail!("Unknown chain {name}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(arguments: &[&str]) -> Result<BitcoinChain> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        choose_chain(&Settings::parse(&arguments).unwrap())
    }

    #[test]
    fn a_chain_is_chosen_in_one_way() {
        for (arguments, chain) in [
            (&[][..], BitcoinChain::Main),
            (&["-regtest"], BitcoinChain::Regtest),
            (&["-chain=regtest"], BitcoinChain::Regtest),
            (&["-chain=main"], BitcoinChain::Main),
            (&["-regtest=0"], BitcoinChain::Main),
            (&["-regtest", "-testnet=0"], BitcoinChain::Regtest),
        ] {
            assert_eq!(chosen(arguments).unwrap(), chain, "{arguments:?}");
        }
        for (arguments, error) in [
            (
                &["-regtest", "-chain=regtest"][..],
                "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.",
            ),
            (&["-chain=foo"], "Unknown chain foo."),
            (
                &["-testnet"],
                "Chain test is not one that Pyrite has: of Bitcoin's chains there are main and regtest.",
            ),
        ] {
            assert_eq!(chosen(arguments).unwrap_err().to_string(), error);
        }
    }
}
