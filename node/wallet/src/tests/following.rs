//! Following a chain: the genesis block, blocks, reorganisations, maturity.

use super::*;
use crate::{Balances, WalletError};

#[test]
fn a_new_wallet_takes_the_genesis_blocks_allocations() {
    let wallet_script =
        crate::account_addresses(&ENTROPY, Network::Regtest, 1).unwrap()[0].script_pubkey();
    let funding = coinbase(&stranger(0), 50 * COIN, 99).compute_txid();
    let outpoint = OutPoint {
        txid: funding,
        vout: 0,
    };
    let allocation = spend(
        &[outpoint],
        &[(wallet_script, 20 * COIN), (stranger(3), 30 * COIN)],
    );
    let fixture = Fixture::unstarted(vec![allocation]);
    assert!(fixture.wallet.is_new());
    assert_eq!(
        fixture.wallet.cursor(),
        (Height::GENESIS, fixture.config.genesis_hash)
    );
    assert_eq!(
        fixture.wallet.checkpoints(),
        [(Height::GENESIS, fixture.config.genesis_hash)]
    );

    fixture
        .wallet
        .apply_block(&fixture.chain[0], Height::GENESIS)
        .unwrap();
    assert!(!fixture.wallet.is_new());
    assert_eq!(
        fixture.wallet.cursor(),
        (Height::GENESIS, fixture.config.genesis_hash)
    );
    assert_eq!(fixture.trusted(), 20 * COIN);
    let unspent = fixture.wallet.list_unspent();
    assert_eq!(unspent.len(), 1);
    assert_eq!(
        (unspent[0].height, unspent[0].confirmations),
        (Some(Height::GENESIS), 1)
    );
    assert_eq!(
        unspent[0].address,
        fixture.wallet.peek_address(AddressType::Bech32, 0)
    );
}

#[test]
fn the_genesis_blocks_coinbase_is_no_coin() {
    let script =
        crate::account_addresses(&ENTROPY, Network::Regtest, 1).unwrap()[0].script_pubkey();
    let directory = TempDir::new().unwrap();
    let genesis = block(
        BlockHash::all_zeros(),
        0,
        coinbase(&script, 50 * COIN, 0),
        Vec::new(),
    );
    let config = WalletConfig {
        directory: directory.path().to_owned(),
        name: String::new(),
        network: Network::Regtest,
        genesis_hash: genesis.block_hash(),
        coinbase_maturity: MATURITY,
    };
    let wallet = open(&config);
    wallet.apply_block(&genesis, Height::GENESIS).unwrap();
    assert_eq!(wallet.balances(), Balances::default());
    assert!(wallet.transactions().is_empty());
    assert!(directory.path().join("default/seed.json").exists());
}

#[test]
fn blocks_must_connect() {
    let mut fixture = Fixture::unstarted(Vec::new());
    let first = fixture.block_on(Height(0), &stranger(1), Vec::new());
    let error = fixture.wallet.apply_block(&first, Height(1)).unwrap_err();
    assert!(
        matches!(error, WalletError::GenesisNotApplied { height: Height(1) }),
        "{error}"
    );
    let error = fixture.wallet.apply_block(&first, Height(0)).unwrap_err();
    assert!(
        matches!(error, WalletError::WrongGenesisBlock { .. }),
        "{error}"
    );

    fixture
        .wallet
        .apply_block(&fixture.chain[0], Height(0))
        .unwrap();
    let error = fixture.wallet.apply_block(&first, Height(2)).unwrap_err();
    assert!(
        matches!(
            error,
            WalletError::UnknownParent {
                height: Height(2),
                ..
            }
        ),
        "{error}"
    );
    assert!(!fixture.wallet.is_new());
    fixture.wallet.apply_block(&first, Height(1)).unwrap();
    assert_eq!(fixture.wallet.cursor(), (Height(1), first.block_hash()));
}

#[test]
fn a_batch_stops_at_the_first_block_that_does_not_connect() {
    let mut fixture = Fixture::new();
    let first = fixture.block_on(Height(0), &stranger(1), Vec::new());
    let second = fixture.block_on(Height(0), &stranger(1), Vec::new());
    let batch = [(first.clone(), Height(1)), (second, Height(2))];
    assert!(matches!(
        fixture.wallet.apply_blocks(&batch),
        Err(WalletError::UnknownParent {
            height: Height(2),
            ..
        })
    ));
    assert_eq!(fixture.wallet.cursor(), (Height(1), first.block_hash()));
}

#[test]
fn coins_come_from_both_accounts_and_are_spent_by_blocks() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32, AddressType::Bech32m], COIN);
    assert_eq!(fixture.trusted(), 2 * COIN);
    let unspent = fixture.wallet.list_unspent();
    assert!(
        unspent
            .iter()
            .any(|coin| coin.output.script_pubkey.is_p2wpkh())
    );
    assert!(
        unspent
            .iter()
            .any(|coin| coin.output.script_pubkey.is_p2tr())
    );
    assert!(
        unspent
            .iter()
            .all(|coin| coin.safe && coin.spendable && !coin.is_change)
    );
    for coin in &unspent {
        let kind = if coin.output.script_pubkey.is_p2tr() {
            "tr(["
        } else {
            "wpkh(["
        };
        assert!(coin.descriptor.starts_with(kind), "{}", coin.descriptor);
    }
    // Spent by a block, whoever made the transaction.
    let theft = spend(&[unspent[0].outpoint], &[(stranger(2), COIN)]);
    fixture.mine(vec![theft]);
    assert_eq!(fixture.trusted(), COIN);
}

#[test]
fn coins_created_and_spent_in_one_block_are_gone() {
    let mut fixture = Fixture::new();
    let script = bech32(&fixture.wallet).script_pubkey();
    let income = fixture.payment_to(&script, COIN);
    let outpoint = OutPoint {
        txid: income.compute_txid(),
        vout: 0,
    };
    let spending = spend(&[outpoint], &[(stranger(2), COIN)]);
    fixture.mine(vec![income, spending]);
    assert_eq!(fixture.wallet.balances(), Balances::default());
    assert_eq!(fixture.wallet.transactions().len(), 2);
}

#[test]
fn a_reorganisation_takes_coins_away_and_gives_spent_ones_back() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    let fork = fixture.tip();
    let coin = fixture.wallet.list_unspent()[0].outpoint;
    fixture.fund(&[AddressType::Bech32m], 3 * COIN);
    let theft = spend(&[coin], &[(stranger(2), COIN)]);
    fixture.mine(vec![theft.clone()]);
    assert_eq!(fixture.trusted(), 3 * COIN);

    // The same spending in another block, without the income.
    fixture.reorganise(fork, vec![vec![theft.clone()], vec![], vec![]]);
    assert_eq!(fixture.trusted(), 0);
    let history = fixture.wallet.transaction(&theft.compute_txid()).unwrap();
    assert_eq!(
        history.confirmation.unwrap().block_hash,
        fixture.chain[2].block_hash()
    );
    assert_eq!(history.confirmations, 3);
    assert_eq!(fixture.wallet.cursor().0, Height(4));

    // A branch without it: it holds its coin, since it may yet be mined.
    fixture.reorganise(fork, vec![vec![], vec![], vec![], vec![]]);
    assert_eq!(fixture.trusted(), 0);
    assert_eq!(fixture.wallet.unconfirmed().len(), 1);
    let fixture = fixture.reopen();
    assert_eq!(
        fixture.wallet.cursor(),
        (Height(5), fixture.chain[5].block_hash())
    );
    assert_eq!(fixture.wallet.unconfirmed().len(), 1);
}

#[test]
fn going_back_without_new_blocks() {
    let mut fixture = Fixture::new();
    fixture.fund(&[AddressType::Bech32], COIN);
    fixture.fund(&[AddressType::Bech32], 2 * COIN);
    fixture.wallet.disconnect_to(Height(1)).unwrap();
    assert_eq!(
        fixture.wallet.cursor(),
        (Height(1), fixture.chain[1].block_hash())
    );
    assert_eq!(fixture.trusted(), COIN);
    let error = fixture.wallet.disconnect_to(Height(2)).unwrap_err();
    assert!(
        matches!(error, WalletError::UnknownHeight { height: Height(2) }),
        "{error}"
    );
    let fixture = fixture.reopen();
    assert_eq!(fixture.wallet.cursor().0, Height(1));
    assert_eq!(fixture.trusted(), COIN);
    fixture
        .wallet
        .apply_block(&fixture.chain[2], Height(2))
        .unwrap();
    assert_eq!(fixture.trusted(), 3 * COIN);
}

#[test]
fn mined_coins_mature_and_are_orphaned() {
    let mut fixture = Fixture::new();
    let script = bech32(&fixture.wallet).script_pubkey();
    fixture.mine_to(&script, Vec::new());
    let txid = fixture.chain[1].txdata[0].compute_txid();
    let category = |fixture: &Fixture| {
        fixture.wallet.transaction(&txid).unwrap().details[0]
            .category
            .as_str()
    };
    // As in Bitcoin Core, one block later than the rules would allow.
    for depth in 1..=MATURITY {
        assert_eq!(
            fixture.wallet.balances(),
            Balances {
                immature: Amount::from_sat(50 * COIN),
                ..Balances::default()
            },
            "depth {depth}"
        );
        assert!(fixture.wallet.list_unspent().is_empty());
        assert_eq!(category(&fixture), "immature");
        let transaction = fixture.wallet.transaction(&txid).unwrap();
        assert_eq!(transaction.confirmations, i64::from(depth));
        assert_eq!(transaction.amount().to_sat(), 0);
        let recipients = [(stranger(5), Amount::from_sat(COIN))];
        let error = fixture
            .wallet
            .create_transaction(&recipients, SendOptions::default())
            .unwrap_err();
        assert!(
            matches!(
                error,
                WalletError::InsufficientFunds {
                    available: Amount::ZERO,
                    ..
                }
            ),
            "{error}"
        );
        fixture.mine(Vec::new());
    }
    assert_eq!(fixture.trusted(), 50 * COIN);
    assert_eq!(category(&fixture), "generate");
    assert!(fixture.wallet.list_unspent()[0].coinbase);
    let sent = fixture.send(COIN, 1);
    fixture.verify(&sent).unwrap();

    // The coinbase's block goes, and with it what was paid from it.
    fixture.reorganise(Height(0), vec![vec![]; 8]);
    assert_eq!(fixture.wallet.balances(), Balances::default());
    assert_eq!(category(&fixture), "orphan");
    assert_eq!(fixture.wallet.transaction(&txid).unwrap().confirmations, 0);
    assert!(fixture.wallet.unconfirmed().is_empty());
}

#[test]
fn checkpoints_thin_out_towards_the_genesis_block() {
    let mut fixture = Fixture::new();
    for _ in 0..400 {
        let block = fixture.block_on(fixture.tip(), &stranger(1), Vec::new());
        fixture.chain.push(block);
    }
    let blocks: Vec<_> = (0_u32..).map(Height).zip(&fixture.chain).skip(1).collect();
    let blocks: Vec<_> = blocks
        .into_iter()
        .map(|(height, block)| (block, height))
        .collect();
    fixture.wallet.apply_blocks(&blocks).unwrap();
    let checkpoints = fixture.wallet.checkpoints();
    assert!(checkpoints.len() < 80, "{}", checkpoints.len());
    assert_eq!(
        checkpoints[0],
        (Height(400), fixture.chain[400].block_hash())
    );
    assert_eq!(checkpoints[64].0, Height(336));
    assert_eq!(
        *checkpoints.last().unwrap(),
        (Height(0), fixture.config.genesis_hash)
    );
    for (height, hash) in checkpoints {
        assert_eq!(hash, fixture.chain[height.0 as usize].block_hash());
    }
}

#[test]
fn what_does_not_concern_the_wallet_leaves_its_view_alone() {
    let mut fixture = Fixture::new();
    let view = |fixture: &Fixture| fixture.wallet.inner.lock().unwrap().view();
    let before = view(&fixture);
    let foreign = Arc::new(fixture.payment_to(&stranger(5), COIN));
    let txid = foreign.compute_txid();
    let wallet = &fixture.wallet;
    wallet.apply_mempool(&[(foreign, 1)], &[]).unwrap();
    wallet.apply_mempool(&[], &[txid]).unwrap();
    assert!(Arc::ptr_eq(&before, &view(&fixture)));

    let script = fixture
        .wallet
        .peek_address(AddressType::Bech32, 0)
        .script_pubkey();
    let own = Arc::new(fixture.payment_to(&script, COIN));
    let txid = own.compute_txid();
    fixture.wallet.apply_mempool(&[(own, 1)], &[]).unwrap();
    assert_eq!(
        fixture.wallet.balances().untrusted_pending,
        Amount::from_sat(COIN)
    );
    fixture.wallet.apply_mempool(&[], &[txid]).unwrap();
    assert_eq!(fixture.wallet.balances().untrusted_pending, Amount::ZERO);
}
