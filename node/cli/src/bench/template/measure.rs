//! The measurements, on a node that runs in this process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pyrite_consensus::bitcoin::{BlockHash, ScriptBuf, Txid};
use pyrite_miner::{Template, solve};
use pyrite_node::NodeHandles;
use rand::random;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::client::Client;
use super::figures::Figures;
use super::payments::Payments;

const CHANGES: usize = 20;
const REPEATED_CALLS: usize = 50;
const TIPS: usize = 4;

/// Between two changes: longer than a node waits before it builds another template.
const PAUSE: Duration = Duration::from_millis(1_500);
/// How long a template may take.
const PATIENCE: Duration = Duration::from_secs(30);

type Templates = watch::Receiver<Option<Arc<Template>>>;

pub(super) fn measure(
    runtime: &Runtime,
    node: &NodeHandles,
    client: &Client,
    payments: &mut Payments,
) -> Result<Figures> {
    let mut figures = Figures {
        transactions: node.mempool.info().size,
        ..Figures::default()
    };
    for _ in 0..CHANGES {
        std::thread::sleep(PAUSE);
        change(runtime, node, client, payments, &mut figures)?;
    }
    std::thread::sleep(PAUSE);
    client.template()?;
    for _ in 0..REPEATED_CALLS {
        let answer = client.template()?;
        figures.unchanged_begun.push(answer.begun);
        figures.unchanged.push(answer.complete);
        figures.answer_bytes = answer.body.len();
    }
    for _ in 0..TIPS {
        std::thread::sleep(PAUSE);
        new_tip(runtime, node, &mut figures)?;
    }
    Ok(figures)
}

fn change(
    runtime: &Runtime,
    node: &NodeHandles,
    client: &Client,
    payments: &mut Payments,
    figures: &mut Figures,
) -> Result<()> {
    let payment = payments.next()?;
    let txid = payment.compute_txid();
    let mut templates = node.work.published();
    let start = Instant::now();
    node.mempool.submit(payment)?;
    let template = runtime.block_on(wait(&mut templates, |template| has(template, &txid)))?;
    let built = start.elapsed();
    let answer = client.template()?;
    figures.change_to_template.push(built);
    figures.change_to_answer_begun.push(built + answer.begun);
    figures.change_to_answer.push(built + answer.complete);
    figures.template_transactions = template.transactions.len();
    let shown = txid.to_string();
    let is_there = answer
        .body
        .windows(shown.len())
        .any(|window| window == shown.as_bytes());
    ensure!(is_there, "the answer has not the template's transactions");
    Ok(())
}

fn has(template: &Template, txid: &Txid) -> bool {
    template
        .transactions
        .iter()
        .any(|entry| entry.txid == *txid)
}

/// Mines a full block, and takes the times from the moment in which the chain tells of it.
fn new_tip(runtime: &Runtime, node: &NodeHandles, figures: &mut Figures) -> Result<()> {
    let template = node.work.build(&ScriptBuf::from_bytes(vec![0x51]))?;
    let block = template.block(random::<[u8; 8]>(), template.time, 0);
    let block = solve(block, u64::MAX, &AtomicBool::new(false)).context("no nonce solves it")?;
    let hash = block.block_hash();
    let mut tips = node.reader.watch_tip();
    let moved = runtime.spawn(async move {
        let moved = tips.wait_for(|tip| tip.hash == hash).await.map(|_| ());
        moved.map(|()| Instant::now())
    });
    let empty = runtime.spawn(first(node.work.published(), move |template| {
        template.previous == hash
    }));
    let full = runtime.spawn(first(node.work.published(), move |template| {
        template.previous == hash && template.mempool_sequence.is_some()
    }));
    node.work.submit(Arc::new(block))?;
    let (moved, empty, full) = runtime.block_on(async {
        let moved = moved.await??;
        anyhow::Ok((moved, empty.await??, full.await??))
    })?;
    figures
        .tip_to_empty
        .push(empty.saturating_duration_since(moved));
    figures
        .tip_to_full
        .push(full.saturating_duration_since(moved));
    check_tip(node, hash)
}

fn check_tip(node: &NodeHandles, hash: BlockHash) -> Result<()> {
    ensure!(node.reader.tip().hash == hash, "the block is not the tip");
    Ok(())
}

/// When such a template was published.
async fn first(mut templates: Templates, is_it: impl FnMut(&Template) -> bool) -> Result<Instant> {
    wait(&mut templates, is_it).await.map(|_| Instant::now())
}

async fn wait(
    templates: &mut Templates,
    mut is_it: impl FnMut(&Template) -> bool,
) -> Result<Arc<Template>> {
    let template = templates.wait_for(|template| template.as_deref().is_some_and(&mut is_it));
    let template = tokio::time::timeout(PATIENCE, template).await;
    let template = template.context("there is no template")??.clone();
    template.context("there is no template")
}
