//! Where a publisher listens, in the notation of ZMQ.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// The address of a publisher.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ZmqAddress {
    /// `tcp://127.0.0.1:28332`; `*` for all addresses of the machine.
    Tcp(SocketAddr),
    /// `ipc:///path` or `unix:/path`: a socket in the file system.
    Ipc(PathBuf),
}

/// The text is no address of a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as tcp://127.0.0.1:28332 or ipc:///path")]
pub struct NoZmqAddress;

impl FromStr for ZmqAddress {
    type Err = NoZmqAddress;

    fn from_str(text: &str) -> Result<Self, NoZmqAddress> {
        let path = text.strip_prefix("ipc://");
        if let Some(path) = path.or_else(|| text.strip_prefix("unix:")) {
            let path = Some(path).filter(|path| !path.is_empty());
            return path.map(|path| Self::Ipc(path.into())).ok_or(NoZmqAddress);
        }
        let rest = text.strip_prefix("tcp://").ok_or(NoZmqAddress)?;
        let (host, port) = rest.rsplit_once(':').ok_or(NoZmqAddress)?;
        let ip: IpAddr = match host {
            "*" => Ipv4Addr::UNSPECIFIED.into(),
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            _ => {
                let inner = host
                    .strip_prefix('[')
                    .and_then(|host| host.strip_suffix(']'));
                inner.unwrap_or(host).parse().map_err(|_| NoZmqAddress)?
            }
        };
        let port = port.parse().map_err(|_| NoZmqAddress)?;
        Ok(Self::Tcp(SocketAddr::new(ip, port)))
    }
}

impl fmt::Display for ZmqAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "tcp://{address}"),
            Self::Ipc(path) => write!(formatter, "ipc://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_in_zmq() {
        for (text, shown) in [
            ("tcp://127.0.0.1:28332", "tcp://127.0.0.1:28332"),
            ("tcp://[::1]:1", "tcp://[::1]:1"),
            ("tcp://*:5", "tcp://0.0.0.0:5"),
            ("tcp://localhost:5", "tcp://127.0.0.1:5"),
            ("ipc:///tmp/x", "ipc:///tmp/x"),
            ("unix:/tmp/x", "ipc:///tmp/x"),
        ] {
            assert_eq!(text.parse::<ZmqAddress>().unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "127.0.0.1:1",
            "tcp://127.0.0.1",
            "tcp://a:1",
            "tcp://*:x",
            "ipc://",
            "udp://*:1",
        ] {
            assert_eq!(wrong.parse::<ZmqAddress>(), Err(NoZmqAddress), "{wrong}");
        }
    }
}
