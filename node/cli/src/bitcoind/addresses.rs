//! Addresses as Bitcoin Core's flags have them: `host`, `host:port`, `[host]:port`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Result, bail};

use super::chain::BitcoinChain;
use super::settings::Settings;

/// Where to listen for peers, as multiaddrs.
///
/// # Errors
/// Bitcoin Core's: not an address, or not a port.
pub(crate) fn listen_addresses(settings: &Settings, chain: BitcoinChain) -> Result<Vec<String>> {
    let port = port(settings, "port")?.unwrap_or(chain.peer_port());
    let mut addresses = Vec::new();
    for text in settings.list("bind") {
        let address = match text.split_once('=') {
            // Nobody comes by way of Tor.
            Some((_, "onion")) => continue,
            Some((address, _)) => address,
            None => &text,
        };
        let (host, own_port) = split(address, "-bind", &text)?;
        let Some(ip) = numeric(host) else {
            bail!("Cannot resolve -bind address: '{text}'");
        };
        addresses.push(multiaddr(ip, own_port.unwrap_or(port)));
    }
    if addresses.is_empty() {
        addresses.push(multiaddr(Ipv4Addr::LOCALHOST.into(), port));
    }
    Ok(addresses)
}

/// The peers to stay connected to, each as `host:port`.
///
/// # Errors
/// Not a port.
pub(crate) fn peer_addresses(settings: &Settings, chain: BitcoinChain) -> Result<Vec<String>> {
    let connect = settings.list("connect");
    let mut named = Vec::new();
    if connect != ["0"] {
        named.extend(connect.iter().map(|peer| ("-connect", peer.clone())));
    }
    let connects_only = !connect.is_empty() || settings.is_negated("connect");
    let added = settings.list("addnode");
    named.extend(added.into_iter().map(|peer| ("-addnode", peer)));
    if !connects_only {
        let seeds = settings.list("seednode");
        named.extend(seeds.into_iter().map(|peer| ("-seednode", peer)));
    }
    let with_port = named.into_iter().map(|(flag, text)| {
        let (host, port) = split(&text, flag, &text)?;
        let port = port.unwrap_or(chain.peer_port());
        Ok(match numeric(host) {
            Some(ip) => SocketAddr::new(ip, port).to_string(),
            None => format!("{host}:{port}"),
        })
    });
    let mut peers = with_port.collect::<Result<Vec<_>>>()?;
    let mut seen = std::collections::BTreeSet::new();
    peers.retain(|peer| seen.insert(peer.clone()));
    Ok(peers)
}

/// Where to serve JSON-RPC: on both loopback addresses by default. As in Bitcoin Core, `-rpcbind` holds only together with
/// `-rpcallowip`.
///
/// # Errors
/// Bitcoin Core's: not an address, or not a port.
pub(crate) fn rpc_addresses(settings: &Settings, chain: BitcoinChain) -> Result<Vec<String>> {
    let port = port(settings, "rpcport")?.unwrap_or(chain.rpc_port());
    let is_restricted = settings.list("rpcallowip").is_empty();
    let mut addresses = Vec::new();
    for text in settings.list("rpcbind") {
        let (host, own_port) = split(&text, "-rpcbind", &text)?;
        if is_restricted {
            continue;
        }
        let ip = match host {
            "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
            _ => numeric(host),
        };
        let Some(ip) = ip else {
            bail!("Cannot resolve -rpcbind address: '{text}'");
        };
        addresses.push(SocketAddr::new(ip, own_port.unwrap_or(port)).to_string());
    }
    if addresses.is_empty() {
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        addresses.extend(loopback.map(|ip| SocketAddr::new(ip, port).to_string()));
    }
    Ok(addresses)
}

/// A port that is a setting of its own.
fn port(settings: &Settings, name: &str) -> Result<Option<u16>> {
    let Some(text) = settings.text(name) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(port) if port != 0 => Ok(Some(port)),
        _ => bail!("Invalid port specified in -{name}: '{text}'"),
    }
}

/// Splits off a port. An IPv6 address has one only after brackets.
fn split<'a>(address: &'a str, flag: &str, text: &str) -> Result<(&'a str, Option<u16>)> {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port)),
        _ => (address, None),
    };
    let port = match port {
        None => None,
        Some(port) => match port.parse() {
            Ok(port) if port != 0 => Some(port),
            _ => bail!("Invalid port specified in {flag}: '{text}'"),
        },
    };
    Ok((host, port))
}

fn numeric(host: &str) -> Option<IpAddr> {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host).parse().ok()
}

fn multiaddr(ip: IpAddr, port: u16) -> String {
    match ip {
        IpAddr::V4(ip) => format!("/ip4/{ip}/tcp/{port}"),
        IpAddr::V6(ip) => format!("/ip6/{ip}/tcp/{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &[&str]) -> Settings {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Settings::parse(&arguments).unwrap()
    }

    #[test]
    fn listening_is_on_this_machine_unless_it_is_bound() {
        let listen = |arguments: &[&str]| {
            listen_addresses(&settings(arguments), BitcoinChain::Regtest).unwrap()
        };
        assert_eq!(listen(&[]), ["/ip4/127.0.0.1/tcp/18444"]);
        assert_eq!(listen(&["-port=1"]), ["/ip4/127.0.0.1/tcp/1"]);
        assert_eq!(
            listen(&[
                "-port=1",
                "-bind=0.0.0.0",
                "-bind=127.0.0.1:2=onion",
                "-bind=[::1]:3"
            ]),
            ["/ip4/0.0.0.0/tcp/1", "/ip6/::1/tcp/3"]
        );
    }

    #[test]
    fn peers_have_the_chains_port() {
        let peers =
            |arguments: &[&str]| peer_addresses(&settings(arguments), BitcoinChain::Main).unwrap();
        assert_eq!(
            peers(&["-addnode=a.b", "-addnode=::1", "-seednode=1.2.3.4:5"]),
            ["a.b:8333", "[::1]:8333", "1.2.3.4:5"]
        );
        assert_eq!(peers(&["-connect=0"]), [""; 0]);
        assert_eq!(
            peers(&["-connect=[::1]:1", "-seednode=a", "-addnode=b"]),
            ["[::1]:1", "b:8333"]
        );
        assert_eq!(peers(&["-noconnect", "-seednode=a"]), [""; 0]);
    }

    #[test]
    fn rpc_is_bound_elsewhere_only_for_those_who_are_allowed() {
        let address = |arguments: &[&str]| {
            let addresses = rpc_addresses(&settings(arguments), BitcoinChain::Regtest);
            addresses.unwrap().join(" ")
        };
        assert_eq!(address(&[]), "127.0.0.1:18443 [::1]:18443");
        let ignored = ["-rpcbind=0.0.0.0", "-rpcport=7"];
        assert_eq!(address(&ignored), "127.0.0.1:7 [::1]:7");
        let allow = "-rpcallowip=0.0.0.0/0";
        assert_eq!(
            address(&["-rpcbind=0.0.0.0", allow, "-rpcport=7"]),
            "0.0.0.0:7"
        );
        let both = ["-rpcbind=[::]:9", "-rpcbind=localhost", allow];
        assert_eq!(address(&both), "[::]:9 127.0.0.1:18443");
    }

    #[test]
    fn bad_ports_are_named() {
        let chain = BitcoinChain::Regtest;
        for (argument, error) in [
            ("-rpcport=0", "Invalid port specified in -rpcport: '0'"),
            ("-rpcport=x", "Invalid port specified in -rpcport: 'x'"),
            (
                "-rpcbind=a:99999",
                "Invalid port specified in -rpcbind: 'a:99999'",
            ),
        ] {
            let found = rpc_addresses(&settings(&[argument]), chain).unwrap_err();
            assert_eq!(found.to_string(), error);
        }
        for (argument, error) in [
            ("-port=70000", "Invalid port specified in -port: '70000'"),
            ("-bind=there", "Cannot resolve -bind address: 'there'"),
        ] {
            let found = listen_addresses(&settings(&[argument]), chain).unwrap_err();
            assert_eq!(found.to_string(), error);
        }
    }
}
