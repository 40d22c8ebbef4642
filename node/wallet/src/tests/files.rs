//! Files: what survives, what is refused, and that keys stay where they belong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::{Balances, Seed, WalletError, account_addresses, write_seed};

fn wallet_file(config: &WalletConfig, name: &str) -> std::path::PathBuf {
    config.directory.join("default").join(name)
}

fn open_error(config: &WalletConfig) -> WalletError {
    WalletHandle::open_or_create(config.clone(), SeedSource::Random).unwrap_err()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Copies the files of an open wallet: what a kill at this instant would leave.
fn as_after_a_kill(fixture: &Fixture) -> (TempDir, WalletConfig) {
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("default");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(fixture.config.directory.join("default")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let config = WalletConfig {
        directory: directory.path().to_owned(),
        ..fixture.config.clone()
    };
    (directory, config)
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32, AddressType::Bech32m], COIN);
    let sent = fixture.send(COIN / 2, 3);
    let given_out = bech32(&fixture.wallet);
    let (_directory, config) = as_after_a_kill(&fixture);
    let survivor = open(&config);
    assert_eq!(survivor.cursor(), fixture.wallet.cursor());
    assert_eq!(survivor.unconfirmed(), [sent]);
    assert_ne!(bech32(&survivor), given_out);
    assert_eq!(survivor.label(&given_out).as_deref(), Some(""));
}

#[test]
fn addresses_are_given_out_once_and_are_those_of_the_seed() {
    let fixture = Fixture::new();
    let expected = account_addresses(&ENTROPY, Network::Regtest, 4).unwrap();
    assert_eq!(bech32(&fixture.wallet), expected[0]);
    assert_eq!(bech32(&fixture.wallet), expected[1]);
    let fixture = fixture.reopen();
    assert_eq!(bech32(&fixture.wallet), expected[2]);
    assert_eq!(
        fixture.wallet.peek_address(AddressType::Bech32, 3),
        expected[3]
    );
    let taproot = fixture
        .wallet
        .new_address(AddressType::Bech32m, "")
        .unwrap();
    let seed = Seed::from_entropy(&ENTROPY).unwrap();
    assert_eq!(
        taproot,
        seed.address(Network::Regtest, AddressType::Bech32m, 0)
            .unwrap()
    );
}

/// The mnemonic and addresses that BIP-0084 and BIP-0086 print.
#[test]
fn addresses_match_the_bips() {
    let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    let seed = Seed::from_mnemonic(words).unwrap();
    assert_eq!(seed, Seed::from_entropy(&[0; 16]).unwrap());
    assert_eq!(seed.mnemonic(), words);
    let address = |kind, index| {
        seed.address(Network::Bitcoin, kind, index)
            .unwrap()
            .to_string()
    };
    assert_eq!(
        address(AddressType::Bech32, 0),
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
    );
    assert_eq!(
        address(AddressType::Bech32, 1),
        "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"
    );
    assert_eq!(
        address(AddressType::Bech32m, 0),
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
    );
    assert_eq!(
        address(AddressType::Bech32m, 1),
        "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"
    );
}

#[test]
fn the_seed_alone_brings_the_coins_back() {
    let mut fixture = Fixture::new();
    // Far beyond what a database that is gone would have known.
    for (kind, index) in [(AddressType::Bech32, 900), (AddressType::Bech32m, 400)] {
        let script = fixture.wallet.peek_address(kind, index).script_pubkey();
        let income = fixture.payment_to(&script, COIN);
        fixture.mine(vec![income]);
    }
    let sent = fixture.send(COIN * 3 / 2, 1);
    fixture.mine(vec![(*sent).clone()]);
    let before = (fixture.wallet.balances(), fixture.wallet.list_unspent());
    let Fixture {
        directory: _directory,
        config,
        wallet,
        chain,
        ..
    } = fixture;
    drop(wallet);
    fs::remove_file(wallet_file(&config, "wallet.sqlite")).unwrap();

    let wallet = WalletHandle::open_or_create(config.clone(), SeedSource::Random).unwrap();
    assert!(wallet.is_new());
    assert_eq!(wallet.balances(), Balances::default());
    let blocks: Vec<_> = chain.iter().zip((0_u32..).map(Height)).collect();
    wallet.apply_blocks(&blocks).unwrap();
    assert_eq!((wallet.balances(), wallet.list_unspent()), before);
    let next = account_addresses(&ENTROPY, Network::Regtest, 902)
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(bech32(&wallet), next);
}

#[test]
fn a_seed_written_before_is_used_and_never_overwritten() {
    let directory = TempDir::new().unwrap();
    let seed = Seed::random();
    write_seed(directory.path(), "default", &seed).unwrap();
    write_seed(directory.path(), "default", &seed).unwrap();
    let error = write_seed(directory.path(), "default", &Seed::random()).unwrap_err();
    assert!(matches!(error, WalletError::SeedExists { .. }), "{error}");

    let config = WalletConfig {
        directory: directory.path().to_owned(),
        name: "default".to_owned(),
        network: Network::Regtest,
        genesis_hash: BlockHash::all_zeros(),
        coinbase_maturity: MATURITY,
    };
    let wallet = WalletHandle::open_or_create(config.clone(), SeedSource::Random).unwrap();
    let expected = seed
        .address(Network::Regtest, AddressType::Bech32, 0)
        .unwrap();
    assert_eq!(wallet.peek_address(AddressType::Bech32, 0), expected);
    drop(wallet);
    let demanded = SeedSource::Entropy(ENTROPY.to_vec());
    let error = WalletHandle::open_or_create(config.clone(), demanded).unwrap_err();
    assert!(matches!(error, WalletError::SeedExists { .. }), "{error}");
    WalletHandle::open_or_create(config, SeedSource::Seed(seed)).unwrap();
}

#[test]
fn keys_are_for_the_owner_alone_and_in_no_text() {
    let fixture = Fixture::new();
    let config = &fixture.config;
    assert_eq!(mode(&config.directory.join("default")), 0o700);
    assert_eq!(mode(&wallet_file(config, "seed.json")), 0o600);
    assert_eq!(mode(&wallet_file(config, "wallet.sqlite")), 0o600);
    let seed = Seed::from_entropy(&ENTROPY).unwrap();
    let words = seed.mnemonic();
    let word = words.split(' ').next().unwrap();
    assert!(
        fs::read_to_string(wallet_file(config, "seed.json"))
            .unwrap()
            .contains(&words)
    );
    let source = SeedSource::Entropy(ENTROPY.to_vec());
    let text = format!(
        "{seed:?} {source:?} {:?} {:?}",
        SeedSource::Seed(seed.clone()),
        fixture.wallet
    );
    assert!(!text.contains(word) && !text.contains("7, 7"), "{text}");
    // The database holds public descriptors only.
    let Fixture {
        directory: _directory,
        config,
        wallet,
        ..
    } = fixture;
    drop(wallet);
    let database = fs::read(wallet_file(&config, "wallet.sqlite")).unwrap();
    let contains = |text: &str| {
        database
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(contains("tpub"));
    assert!(!contains("tprv") && !contains(&words));
}

#[test]
fn another_chains_or_seeds_wallet_is_refused() {
    let fixture = Fixture::new();
    let Fixture {
        directory: _directory,
        config,
        wallet,
        ..
    } = fixture;
    drop(wallet);
    let genesis_hash = BlockHash::from_byte_array([1; 32]);
    let error = open_error(&WalletConfig {
        genesis_hash,
        ..config.clone()
    });
    assert!(
        matches!(error, WalletError::WrongGenesis { found, expected, .. }
            if found == config.genesis_hash && expected == genesis_hash),
        "{error}"
    );
    let error = open_error(&WalletConfig {
        network: Network::Bitcoin,
        ..config.clone()
    });
    assert!(
        matches!(&error, WalletError::WrongNetwork { found, expected: Network::Bitcoin, .. }
            if found == "regtest"),
        "{error}"
    );
    fs::remove_file(wallet_file(&config, "seed.json")).unwrap();
    let error = open_error(&config);
    assert!(matches!(error, WalletError::SeedMissing { .. }), "{error}");
    write_seed(&config.directory, "default", &Seed::random()).unwrap();
    let error = open_error(&config);
    assert!(matches!(error, WalletError::WrongSeed { .. }), "{error}");
}

#[test]
fn damaged_files_are_named() {
    let fixture = Fixture::new();
    let Fixture {
        directory: _directory,
        config,
        wallet,
        ..
    } = fixture;
    drop(wallet);
    let database = wallet_file(&config, "wallet.sqlite");
    let good = fs::read(&database).unwrap();
    let cases: [(&str, Vec<u8>); 3] = [
        (
            "garbage",
            b"this is not a database, whatever its name says".repeat(100),
        ),
        (
            "a page of zeros",
            good.iter()
                .enumerate()
                .map(|(at, byte)| if (4096..8192).contains(&at) { 0 } else { *byte })
                .collect(),
        ),
        ("cut off", good[..good.len() / 2].to_vec()),
    ];
    for (name, content) in cases {
        fs::write(&database, content).unwrap();
        let error = open_error(&config);
        assert!(
            matches!(&error, WalletError::Corrupt { path, .. } if *path == database),
            "{name}: {error}"
        );
        assert!(error.to_string().contains("wallet.sqlite"), "{error}");
    }
    fs::write(&database, good).unwrap();
    let seed = wallet_file(&config, "seed.json");
    let text = fs::read_to_string(&seed).unwrap();
    let word = Seed::from_entropy(&ENTROPY)
        .unwrap()
        .mnemonic()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let damaged = [
        text.replacen("version\": 1", "version\": 2", 1),
        text.replacen(&word, "zoo", 1),
        text.replacen("mnemonic", "words", 1),
        text[..text.len() - 4].to_owned(),
        String::new(),
        "x".repeat(10_000),
    ];
    for content in damaged {
        assert_ne!(content, text);
        fs::write(&seed, &content).unwrap();
        let error = open_error(&config);
        assert!(
            matches!(&error, WalletError::SeedInvalid { path, .. } if *path == seed),
            "{error}"
        );
        assert!(!error.to_string().contains(&word), "{error}");
    }
}

#[test]
fn a_newer_or_foreign_database_is_refused() {
    use bdk_wallet::rusqlite::Connection;
    let fixture = Fixture::new();
    let Fixture {
        directory: _directory,
        config,
        wallet,
        ..
    } = fixture;
    drop(wallet);
    let database = wallet_file(&config, "wallet.sqlite");
    let connection = Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    drop(connection);
    let error = open_error(&config);
    assert!(
        matches!(
            error,
            WalletError::UnsupportedVersion {
                found: 9,
                known: 1,
                ..
            }
        ),
        "{error}"
    );

    fs::remove_file(&database).unwrap();
    let connection = Connection::open(&database).unwrap();
    connection
        .execute_batch("CREATE TABLE other (id INTEGER)")
        .unwrap();
    drop(connection);
    let error = open_error(&config);
    assert!(matches!(error, WalletError::Corrupt { .. }), "{error}");
}

#[test]
fn a_wallet_is_open_once() {
    let fixture = Fixture::new();
    let error = open_error(&fixture.config);
    assert!(matches!(error, WalletError::InUse { .. }), "{error}");
}

#[test]
fn names_and_texts_are_bounded() {
    let fixture = Fixture::new();
    let long = "x".repeat(65);
    for name in ["../up", ".hidden", "a b", "a/b", long.as_str()] {
        let error = open_error(&WalletConfig {
            name: name.to_owned(),
            ..fixture.config.clone()
        });
        assert!(matches!(error, WalletError::InvalidName { .. }), "{error}");
    }
    let error = fixture
        .wallet
        .new_address(AddressType::Bech32, &"x".repeat(4097))
        .unwrap_err();
    assert!(
        matches!(error, WalletError::TextTooLong { length: 4097, .. }),
        "{error}"
    );
    for length in [0, 15, 17, 33] {
        let error = Seed::from_entropy(&vec![1; length]).unwrap_err();
        assert!(
            matches!(error, WalletError::InvalidEntropy { .. }),
            "{error}"
        );
    }
    let error = Seed::from_mnemonic("abandon abandon").unwrap_err();
    assert!(
        matches!(error, WalletError::InvalidMnemonic { .. }),
        "{error}"
    );
}
