//! The addresses that may connect: those of this machine, and what the operator adds.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses that agree in their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    /// The lowest of them.
    address: IpAddr,
    prefix_bits: u32,
}

/// A text that is no subnet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text} is neither an address (1.2.3.4), nor a network and netmask (1.2.3.4/255.255.255.0), nor a network and its length \
     (1.2.3.4/24)"
)]
pub struct BadSubnet {
    /// The text.
    pub text: String,
}

impl Subnet {
    /// Whether an address is of it. One of IPv4 that is written as one of IPv6 counts as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, own_bits) = as_bits(self.address);
        let (other, other_bits) = as_bits(address.to_canonical());
        own_bits == other_bits && own == masked(other, self.prefix_bits)
    }

    /// The lowest address of it.
    pub(crate) fn first(&self) -> IpAddr {
        self.address
    }

    /// The highest address of it.
    pub(crate) fn last(&self) -> IpAddr {
        let (first, _) = as_bits(self.address);
        of_bits(self.address, first | !masked(u128::MAX, self.prefix_bits))
    }
}

impl FromStr for Subnet {
    type Err = BadSubnet;

    fn from_str(text: &str) -> Result<Self, BadSubnet> {
        read(text).ok_or_else(|| BadSubnet {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_bits)
    }
}

fn read(text: &str) -> Option<Subnet> {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let address = address.to_canonical();
    let (_, bits) = as_bits(address);
    let prefix_bits = match mask {
        None => bits,
        Some(mask) => match mask.parse::<IpAddr>() {
            Ok(mask) => length_of_mask(mask, bits)?,
            Err(_) if mask.bytes().all(|byte| byte.is_ascii_digit()) => mask.parse().ok()?,
            Err(_) => return None,
        },
    };
    (prefix_bits <= bits).then(|| Subnet {
        address: of_bits(address, masked(as_bits(address).0, prefix_bits)),
        prefix_bits,
    })
}

/// How many ones a netmask begins with; `None` if ones follow a zero.
fn length_of_mask(mask: IpAddr, bits: u32) -> Option<u32> {
    let (mask, mask_bits) = as_bits(mask);
    let length = mask.leading_ones().min(bits);
    (mask_bits == bits && masked(mask, length) == mask).then_some(length)
}

/// An address as a number whose first bit is the address's first, and the number of bits.
fn as_bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

/// The address of a kind that has these bits.
fn of_bits(kind: IpAddr, bits: u128) -> IpAddr {
    match kind {
        // All 32 bits of it come first.
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits((bits >> 96) as u32)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

fn masked(bits: u128, length: u32) -> u128 {
    match 128_u32.checked_sub(length) {
        Some(128) => 0,
        Some(rest) => bits >> rest << rest,
        None => bits,
    }
}

/// Who may connect: this machine, and these.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedAddresses(Vec<Subnet>);

impl AllowedAddresses {
    /// This machine and these.
    pub(crate) fn new(subnets: Vec<Subnet>) -> Self {
        Self(subnets)
    }

    /// Whether an address is among them.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback() || self.0.iter().any(|subnet| subnet.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(subnet: &str, address: &str) -> bool {
        let subnet: Subnet = subnet.parse().unwrap();
        subnet.contains(address.parse().unwrap())
    }

    #[test]
    fn a_subnet_is_an_address_a_length_or_a_netmask() {
        for (subnet, inside, outside) in [
            ("1.2.3.4", "1.2.3.4", "1.2.3.5"),
            ("1.2.3.4/24", "1.2.3.255", "1.2.4.0"),
            ("1.2.3.4/255.255.255.0", "1.2.3.255", "1.2.4.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "11.0.0.0"),
            ("0.0.0.0/0", "9.9.9.9", "::1"),
            ("::/0", "2001:db8::1", "9.9.9.9"),
            ("2001:db8::/32", "2001:db8:1::", "2001:db9::"),
            ("2001:db8::/ffff:ffff::", "2001:db8:1::", "2001:db9::"),
        ] {
            assert!(contains(subnet, inside), "{subnet} {inside}");
            assert!(!contains(subnet, outside), "{subnet} {outside}");
        }
    }

    #[test]
    fn a_subnet_is_shown_by_its_first_address_and_length() {
        for (text, shown, last) in [
            ("1.2.3.4", "1.2.3.4/32", "1.2.3.4"),
            ("1.2.3.4/24", "1.2.3.0/24", "1.2.3.255"),
            ("1.2.3.4/0", "0.0.0.0/0", "255.255.255.255"),
            ("1.2.3.4/255.255.0.0", "1.2.0.0/16", "1.2.255.255"),
            ("2001:db8::7/112", "2001:db8::/112", "2001:db8::ffff"),
            ("::1", "::1/128", "::1"),
        ] {
            let subnet: Subnet = text.parse().unwrap();
            assert_eq!(subnet.to_string(), shown);
            assert_eq!(subnet.last().to_string(), last);
            assert!(subnet.contains(subnet.first()) && subnet.contains(subnet.last()));
        }
    }

    #[test]
    fn what_is_no_subnet_is_named() {
        for text in [
            "",
            "host",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/-1",
            "1.2.3.4/+1",
            "1.2.3.4/255.0.255.0",
            "::1/129",
            "1.2.3.4/ffff::",
            "1.2.3.4/24/24",
        ] {
            let error = text.parse::<Subnet>().unwrap_err();
            assert_eq!(error.text, text);
        }
    }

    #[test]
    fn this_machine_is_always_allowed() {
        let allowed = |subnets: &[&str], address: &str| {
            let subnets = subnets.iter().map(|text| text.parse().unwrap()).collect();
            AllowedAddresses::new(subnets).contain(address.parse().unwrap())
        };
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(allowed(&[], address), "{address}");
        }
        assert!(!allowed(&[], "10.0.0.1"));
        assert!(allowed(&["10.0.0.0/8"], "10.0.0.1"));
    }
}
