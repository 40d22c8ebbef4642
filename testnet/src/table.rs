//! The table of nodes, as rows of text: one form for the live view, the printed one and `status`.

use crate::{NetworkFile, NodeStatus};

/// Column heads of the table.
pub(crate) const HEADS: [&str; 9] = [
    "node",
    "height",
    "best block",
    "peers",
    "mempool",
    "hash rate",
    "difficulty",
    "spacing",
    "RPC",
];

/// A node's row, in the order of `HEADS`.
pub(crate) fn row(node: &NodeStatus) -> [String; HEADS.len()] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let number = |value: Option<u64>| or_dash(value.map(|value| value.to_string()));
    let name = if node.pid.is_some() {
        node.name.clone()
    } else {
        format!("{} (down)", node.name)
    };
    [
        name,
        number(node.height),
        or_dash(node.best_block_hash.as_deref().map(short_hash)),
        number(node.peers),
        number(node.mempool_size),
        or_dash(node.hash_rate.map(hash_rate)),
        or_dash(node.difficulty.map(difficulty)),
        or_dash(
            node.block_spacing_s
                .map(|spacing| format!("{spacing:.1} s")),
        ),
        node.rpc_url.clone(),
    ]
}

/// The table as text, columns aligned.
pub(crate) fn text(nodes: &[NodeStatus]) -> String {
    let rows: Vec<_> = nodes.iter().map(row).collect();
    aligned(std::iter::once(HEADS.map(str::to_owned)).chain(rows))
}

/// The funded accounts as text.
pub(crate) fn accounts(network: &NetworkFile) -> String {
    let head = ["account", "address", "balance (BTC)"].map(str::to_owned);
    let rows = network.accounts.iter().map(|account| {
        let whole = account.balance_sat / 100_000_000;
        let part = account.balance_sat % 100_000_000;
        [
            account.name.clone(),
            account.address.clone(),
            format!("{whole}.{part:08}"),
        ]
    });
    aligned(std::iter::once(head).chain(rows))
}

fn aligned<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The tail of a hash: its head is zeros.
fn short_hash(hash: &str) -> String {
    let tail = hash.len().saturating_sub(16);
    format!("…{}", hash.get(tail..).unwrap_or(hash))
}

fn hash_rate(rate: f64) -> String {
    const UNITS: [&str; 5] = ["H/s", "kH/s", "MH/s", "GH/s", "TH/s"];
    let mut rate = rate;
    let mut unit = 0;
    while rate >= 1000.0 && unit + 1 < UNITS.len() {
        rate /= 1000.0;
        unit += 1;
    }
    format!("{rate:.2} {}", UNITS[unit])
}

fn difficulty(difficulty: f64) -> String {
    if difficulty >= 0.001 {
        format!("{difficulty:.3}")
    } else {
        format!("{difficulty:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_columns() {
        assert_eq!(hash_rate(0.0), "0.00 H/s");
        assert_eq!(hash_rate(1_234_567.0), "1.23 MH/s");
        assert_eq!(difficulty(0.000_244_140_625), "2.441e-4");
        assert_eq!(difficulty(1.0), "1.000");
        assert_eq!(
            short_hash(&"0123456789abcdef".repeat(4)),
            "…0123456789abcdef"
        );
        let text = aligned(
            [
                ["a".to_owned(), "bb".to_owned()],
                ["ccc".to_owned(), "d".to_owned()],
            ]
            .into_iter(),
        );
        assert_eq!(text, "a    bb\nccc  d\n");
    }

    #[test]
    fn a_node_that_is_down_has_dashes() {
        let node = NodeStatus {
            name: "node1".to_owned(),
            pid: None,
            data_dir: String::new(),
            rpc_url: "http://127.0.0.1:1".to_owned(),
            p2p_address: String::new(),
            height: None,
            best_block_hash: None,
            peers: None,
            mempool_size: None,
            hash_rate: None,
            difficulty: None,
            block_spacing_s: None,
        };
        assert_eq!(
            row(&node)[..3],
            ["node1 (down)", "-", "-"].map(str::to_owned)
        );
    }
}
