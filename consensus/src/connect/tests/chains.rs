//! Chains of blocks: what the coins are worth together, and the way back.

use super::*;

const MATURITY: u32 = 2;
/// A multiple of it is among the heights.
const HALVING_INTERVAL: u32 = 29;

/// A block to make: its transactions, how many thousandths of subsidy and fees its coinbase leaves, how many
/// of what it takes it burns.
type BlockRecipe = (Vec<Recipe>, u64, u64);

fn chains() -> impl Strategy<Value = Vec<BlockRecipe>> {
    prop::collection::vec((recipes(), 0..=1000_u64, 0..=1000_u64), 1..8)
}

/// Coinbases mature within a few blocks, and subsidies are odd.
fn spec() -> ChainSpec {
    ChainSpec {
        coinbase_maturity: MATURITY,
        halving_interval: HALVING_INTERVAL,
        initial_subsidy: Amount::from_sat(5_000_000_003),
        ..ChainSpec::regtest()
    }
}

fn is_mature(coin: &Coin, height: u32) -> bool {
    !coin.is_coinbase || coin.height.0 + MATURITY <= height
}

/// What the transactions, which spend coins of `coins` and of each other, leave for the miner.
fn fees_sat(transactions: &[Transaction], coins: &Coins) -> u64 {
    let mut values: HashMap<OutPoint, u64> = coins
        .iter()
        .map(|(outpoint, coin)| (*outpoint, coin.output.value.to_sat()))
        .collect();
    let mut fees = 0;
    for tx in transactions {
        fees += tx
            .input
            .iter()
            .map(|i| values[&i.previous_output])
            .sum::<u64>();
        fees -= total_sat(tx.output.iter());
        let made = (0..).zip(&tx.output);
        values.extend(made.map(|(vout, output)| (output_of(tx, vout), output.value.to_sat())));
    }
    fees
}

fn block_at(height: u32, (recipes, left, burnt): &BlockRecipe, coins: &Coins) -> (Block, u64) {
    let mature = coins.iter().filter(|(_, coin)| is_mature(coin, height));
    let at_hand = mature.map(|(outpoint, coin)| (*outpoint, coin.output.value.to_sat()));
    let transactions = transactions_from(recipes, at_hand.collect());

    let allowed = spec().subsidy(Height(height)).to_sat() + fees_sat(&transactions, coins);
    let left = allowed * left / 1000;
    let burnt = (allowed - left) * burnt / 1000;
    let mut coinbase = coinbase(height, allowed - left - burnt);
    let too_long = ScriptBuf::from_bytes(vec![0x51; 10_001]);
    coinbase.output.push(output(burnt, too_long));
    let block = block(std::iter::once(coinbase).chain(transactions).collect());
    (block, left)
}

fn connect_at(height: u32, block: &Block, coins: &Coins) -> Result<BlockEffects, BlockError> {
    let chain = EvenChain::below(height);
    connect_block(&spec(), &hashed(block), &BlockContext::new(&chain), coins)
}

fn worth_sat(coins: &Coins) -> u64 {
    total_sat(coins.values().map(|coin| &coin.output))
}

fn burnt_sat(block: &Block) -> u64 {
    let outputs = block.txdata.iter().flat_map(|tx| &tx.output);
    total_sat(outputs.filter(|o| o.script_pubkey.is_op_return() || o.script_pubkey.len() > 10_000))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn value_is_conserved_and_the_way_back_restores_the_coins(
        values in prop::collection::vec(0..1_000_000_u64, 1..10),
        recipes in chains(),
    ) {
        let mut coins: Coins = (1..).map(outpoint).zip(values.iter().map(|v| coin(*v, 5))).collect();
        let mut connected = Vec::new();
        for (height, recipe) in (HEIGHT..).zip(&recipes) {
            let (block, left) = block_at(height, recipe, &coins);
            let effects = connect_at(height, &block, &coins).unwrap();

            let mut greedy = block.clone();
            greedy.txdata[0].output[0].value += Amount::from_sat(left + 1);
            let error = connect_at(height, &greedy, &coins).unwrap_err();
            prop_assert_eq!(error.reject_reason(), "bad-cb-amount");

            let before = coins.clone();
            for (outpoint, spent) in &effects.spent {
                // A coin that the block itself made was never among them.
                let own = block.txdata.iter().any(|tx| tx.compute_txid() == outpoint.txid);
                prop_assert_eq!(coins.remove(outpoint), (!own).then(|| spent.clone()));
            }
            for (outpoint, coin) in effects.created(&hashed(&block)) {
                prop_assert_eq!(coins.insert(outpoint, coin), None);
            }
            let subsidy = spec().subsidy(Height(height)).to_sat();
            let lost = burnt_sat(&block) + left;
            prop_assert_eq!(worth_sat(&coins) + lost, worth_sat(&before) + subsidy);
            connected.push((block, effects.spent, before));
        }
        for (block, spent, before) in connected.iter().rev() {
            let undone = disconnect_block(&hashed(block), spent);
            for outpoint in undone.removed {
                prop_assert!(coins.remove(&outpoint).is_some());
            }
            for (outpoint, coin) in undone.restored {
                prop_assert_eq!(coins.insert(outpoint, coin), None);
            }
            prop_assert_eq!(&coins, before);
        }
    }
}
