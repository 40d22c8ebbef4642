//! Fuzz target: paths.

use bolero::{check, produce};

use crate::dialect::Endpoint;
use crate::http::endpoint;
use crate::percent::{self, Plus};

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
            assert!(percent::decode(name, Plus::Plus).len() <= 3 * name.len());
        });
}
