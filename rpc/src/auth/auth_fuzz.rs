//! Fuzz targets: credentials, users, lists of methods and subnets.

use bolero::check;
use pyrite_fuzzing::{Damage, TextDamage};

use super::*;

#[test]
fn fuzz_authorization_header() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    check!()
        .with_type::<([u8; 4], Damage)>()
        .for_each(|(password, damage)| {
            let password = hex::encode(password);
            let pair = format!("user:{password}");
            let accounts = Accounts::new(Some(&pair), &[], &Whitelists::default());
            let right = STANDARD.encode(pair);
            let header = damage.apply(format!("Basic {right}").into_bytes());
            let header = String::from_utf8_lossy(&header);
            let is_right = header.split_once(' ').is_some_and(|(scheme, encoded)| {
                scheme.eq_ignore_ascii_case("basic") && encoded.trim() == right
            });
            assert_eq!(accounts.identify(&header).is_some(), is_right, "{header:?}");
        });
}

#[test]
fn fuzz_user() {
    check!().with_type::<TextDamage>().for_each(|damage| {
        let text = damage.apply("ann:salt$0123456789abcdef", &["$", ":", "$$", "ann:"]);
        if let Ok(user) = text.parse::<RpcUser>() {
            assert_eq!(user.to_string(), text);
        }
    });
}

#[test]
fn fuzz_subnet() {
    let words = ["/", "255.255.0.0", "::", "ffff:", "1.2.3.4", "/32", "/128"];
    check!()
        .with_type::<(bool, TextDamage)>()
        .for_each(|(six, damage)| {
            let start = if *six {
                "2001:db8::/32"
            } else {
                "10.1.0.0/255.255.0.0"
            };
            if let Ok(subnet) = damage.apply(start, &words).parse::<Subnet>() {
                assert_eq!(subnet.to_string().parse(), Ok(subnet));
            }
        });
}

#[test]
fn fuzz_whitelist() {
    check!().with_type::<TextDamage>().for_each(|damage| {
        let mut lists = Whitelists::default();
        lists.add(&damage.apply("ann:getblock,getblockcount", &[":", ",", " ", "ann"]));
        assert_ne!(lists.permission("ann"), Permission::All);
    });
}
