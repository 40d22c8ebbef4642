//! Fuzz targets: paths and credentials.

use bolero::{check, produce};
use pyrite_fuzzing::Damage;

use super::*;

#[test]
fn fuzz_path() {
    let flags = produce::<Vec<bool>>().with().len(0..20_usize);
    check!()
        .with_generator((produce::<String>().with().len(0..20_usize), flags))
        .for_each(|(name, escapes)| {
            let mut escapes = escapes.iter().chain(std::iter::repeat(&true));
            let path: String = name
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' if !escapes.next().is_some_and(|escape| *escape) => {
                        char::from(byte).to_string()
                    }
                    _ => format!("%{byte:02x}"),
                })
                .collect();
            let expected = Endpoint::Wallet(name.clone());
            assert_eq!(endpoint(&format!("/wallet/{path}")), Some(expected));
            // Not escaped it means something, too.
            let _ = endpoint(name);
            assert!(percent_decode(name).len() <= 3 * name.len());
        });
}

#[test]
fn fuzz_authorization_header() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    check!()
        .with_type::<([u8; 4], Damage)>()
        .for_each(|(password, damage)| {
            let password = hex::encode(password);
            let credentials = Credentials::new("user", &password);
            let right = STANDARD.encode(format!("user:{password}"));
            let header = damage.apply(format!("Basic {right}").into_bytes());
            let header = String::from_utf8_lossy(&header);
            let is_right = header.split_once(' ').is_some_and(|(scheme, encoded)| {
                scheme.eq_ignore_ascii_case("basic") && encoded.trim() == right
            });
            assert_eq!(credentials.accept(Some(&header)), is_right, "{header:?}");
        });
}
