//! Which of Bitcoin Core's networks an address is of.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The network of no address that others could connect to.
const UNROUTABLE: &str = "not_publicly_routable";

/// Subnets of IPv4 that are not public: RFC 1918, 2544, 3927, 5737 and 6598, this machine, and none.
const PRIVATE_V4: [(Ipv4Addr, u32); 11] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
];

/// Subnets of IPv6 that are not public: RFC 3849, 4193, 4843, 4862 and 7343, this machine, and none.
const PRIVATE_V6: [(Ipv6Addr, u32); 7] = [
    (Ipv6Addr::UNSPECIFIED, 128),
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 28),
    (Ipv6Addr::new(0x2001, 0x20, 0, 0, 0, 0, 0, 0), 28),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 64),
];

/// The network of a peer at `host:port`, as `getpeerinfo` names it. A host that is a name counts as one of IPv4.
pub(crate) fn network_name(address: &str) -> &'static str {
    let Ok(address) = address.parse::<SocketAddr>() else {
        return "ipv4";
    };
    match address.ip().to_canonical() {
        IpAddr::V4(ip) if is_private_v4(ip) => UNROUTABLE,
        IpAddr::V4(_) => "ipv4",
        IpAddr::V6(ip) if is_private_v6(ip) => UNROUTABLE,
        IpAddr::V6(_) => "ipv6",
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let is_of = |(subnet, length): &(Ipv4Addr, u32)| {
        (subnet.to_bits() ^ ip.to_bits()).leading_zeros() >= *length
    };
    ip.is_broadcast() || PRIVATE_V4.iter().any(is_of)
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    let is_of = |(subnet, length): &(Ipv6Addr, u32)| {
        (subnet.to_bits() ^ ip.to_bits()).leading_zeros() >= *length
    };
    PRIVATE_V6.iter().any(is_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_have_a_network() {
        for (address, name) in [
            ("127.0.0.1:1", UNROUTABLE),
            ("[::1]:1", UNROUTABLE),
            ("[::ffff:127.0.0.1]:1", UNROUTABLE),
            ("10.1.2.3:8333", UNROUTABLE),
            ("172.31.255.255:1", UNROUTABLE),
            ("172.32.0.0:1", "ipv4"),
            ("100.63.255.255:1", "ipv4"),
            ("100.64.0.0:1", UNROUTABLE),
            ("198.19.255.255:1", UNROUTABLE),
            ("255.255.255.255:1", UNROUTABLE),
            ("8.8.8.8:8333", "ipv4"),
            ("[2001:db8::1]:1", UNROUTABLE),
            ("[2001:2f::1]:1", UNROUTABLE),
            ("[2001:30::1]:1", "ipv6"),
            ("[fdff::1]:1", UNROUTABLE),
            ("[fe80::1]:1", UNROUTABLE),
            ("[fe80:0:0:1::1]:1", "ipv6"),
            ("[2a00:1450::1]:1", "ipv6"),
            ("node.example:8333", "ipv4"),
        ] {
            assert_eq!(network_name(address), name, "{address}");
        }
    }
}
