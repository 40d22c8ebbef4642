//! Unspent outputs by their outpoints (BIP-0064).

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::consensus::Decodable;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, TxOut, VarInt};
use serde_json::{Value, json};

use super::answer::{
    ALL_FORMATS, Answer, RestError, bad_request, encoded, json_answer, no_such_format,
};
use super::blocks::put;
use super::request::{Format, RestRequest, hash, integer};
use crate::call::CallError;
use crate::handler::Handler;
use crate::json::{Btc, script_pub_key_json};

/// The most outpoints of one request.
const MAX_OUTPOINTS: usize = 15;

/// The height of what is in no block (Bitcoin Core's `MEMPOOL_HEIGHT`).
const MEMPOOL_HEIGHT: u32 = 0x7fff_ffff;

/// Where coins are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sources {
    /// In the best chain.
    Chain,
    /// In the best chain and the mempool, and none that the mempool spends.
    ChainAndMempool,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    sources: Sources,
    outpoints: Vec<OutPoint>,
}

/// What was found, as of one tip.
struct Found {
    tip: (Height, BlockHash),
    /// For each outpoint, in order, the output and its height, if it is unspent.
    outputs: Vec<Option<(u32, TxOut)>>,
}

/// `getutxos/checkmempool/TXID-N/…`, or the same as a body.
pub(super) fn unspent_outputs(
    handler: &Handler,
    request: &RestRequest,
) -> Result<Answer, RestError> {
    let question = read_question(request)?;
    let tried = question.outpoints.len();
    if tried > MAX_OUTPOINTS {
        return Err(bad_request(format!(
            "Error: max outpoints exceeded (max: {MAX_OUTPOINTS}, tried: {tried})"
        )));
    }
    let found = find(handler, &question)?;
    encoded(
        request,
        || found.encode(),
        || json_answer(&found.form(handler)),
    )
}

/// The question in the path or in the body. The body is in the format that the answer is to have.
fn read_question(request: &RestRequest) -> Result<Question, RestError> {
    let path = request.param.get(1..).filter(|path| !path.is_empty());
    if path.is_none() && request.body.is_empty() {
        return Err(bad_request("Error: empty request"));
    }
    let in_path = path.map(read_path).transpose()?;
    let body = match request.format {
        Format::Unknown => return Err(no_such_format(ALL_FORMATS)),
        Format::Json => {
            return in_path.ok_or_else(|| bad_request("Error: empty request"));
        }
        Format::Binary => request.body.to_vec(),
        Format::Hex => read_hex(&request.body),
    };
    match in_path {
        Some(question) if body.is_empty() => Ok(question),
        Some(_) => Err(bad_request(
            "Combination of URI scheme inputs and raw post data is not allowed",
        )),
        // What is no hex counts as nothing, as it does in Bitcoin Core.
        None if body.is_empty() => Ok(Question {
            sources: Sources::Chain,
            outpoints: Vec::new(),
        }),
        None => decode_question(&body).ok_or_else(parse_error),
    }
}

fn read_path(path: &str) -> Result<Question, RestError> {
    let mut parts = path.split('/').peekable();
    let sources = match parts.next_if_eq(&"checkmempool") {
        Some(_) => Sources::ChainAndMempool,
        None => Sources::Chain,
    };
    let outpoints = parts.map(read_outpoint).collect::<Result<Vec<_>, _>>()?;
    if outpoints.is_empty() {
        return Err(bad_request("Error: empty request"));
    }
    Ok(Question { sources, outpoints })
}

fn read_outpoint(text: &str) -> Result<OutPoint, RestError> {
    let (txid, output) = text.split_once('-').ok_or_else(parse_error)?;
    Ok(OutPoint {
        txid: hash(txid).map_err(|_| parse_error())?,
        vout: integer(output).ok_or_else(parse_error)?,
    })
}

/// The bytes of a text in hex, with white space between them; none if it is something else.
fn read_hex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .filter(|letter| !letter.is_ascii_whitespace())
        .collect();
    hex::decode(digits).unwrap_or_default()
}

/// The encoded question; what follows it does not count.
fn decode_question(mut body: &[u8]) -> Option<Question> {
    let with_mempool = u8::consensus_decode(&mut body).ok()?;
    let count = VarInt::consensus_decode(&mut body).ok()?.0;
    // As many as the body has room for, whatever it claims.
    let outpoints = (0..count)
        .map(|_| OutPoint::consensus_decode(&mut body).ok())
        .collect::<Option<Vec<_>>>()?;
    Some(Question {
        sources: if with_mempool == 0 {
            Sources::Chain
        } else {
            Sources::ChainAndMempool
        },
        outpoints,
    })
}

fn parse_error() -> RestError {
    bad_request("Parse error")
}

fn find(handler: &Handler, question: &Question) -> Result<Found, CallError> {
    let context = &handler.context;
    let with_mempool = question.sources == Sources::ChainAndMempool;
    if with_mempool {
        context.mempool.sync()?;
    }
    let in_chain = context.reader.coins(&question.outpoints)?;
    let output = |outpoint: &OutPoint| {
        if with_mempool && context.mempool.spender(outpoint).is_some() {
            return None;
        }
        if let Some(coin) = in_chain.coins.get(outpoint) {
            return Some((coin.height.0, coin.output.clone()));
        }
        let entry = context.mempool.get(&outpoint.txid);
        let entry = entry.filter(|_| with_mempool)?;
        let index = usize::try_from(outpoint.vout).ok()?;
        Some((MEMPOOL_HEIGHT, entry.tx.output.get(index)?.clone()))
    };
    Ok(Found {
        tip: (in_chain.tip.height, in_chain.tip.hash),
        outputs: question.outpoints.iter().map(output).collect(),
    })
}

impl Found {
    /// BIP-0064's message, with the height and the tip in front.
    fn encode(&self) -> Vec<u8> {
        let mut bitmap = vec![0_u8; self.outputs.len().div_ceil(8)];
        for (index, _) in self.hits().enumerate().filter(|(_, hit)| *hit) {
            bitmap[index / 8] |= 1 << (index % 8);
        }
        let mut outputs = Vec::new();
        let mut count = 0_u8;
        for (height, output) in self.outputs.iter().flatten() {
            // The version of the transaction, which is no longer known.
            put(&0_u32, &mut outputs);
            put(height, &mut outputs);
            put(output, &mut outputs);
            count += 1;
        }
        let mut bytes = Vec::new();
        put(&self.tip.0.0, &mut bytes);
        put(&self.tip.1, &mut bytes);
        put(&bitmap, &mut bytes);
        bytes.push(count);
        bytes.extend(outputs);
        bytes
    }

    fn form(&self, handler: &Handler) -> Value {
        let bitmap: String = self.hits().map(|hit| if hit { '1' } else { '0' }).collect();
        let network = handler.address_network();
        let output = |(height, output): &(u32, TxOut)| {
            json!({
                "height": height,
                "value": Btc::from(output.value),
                "scriptPubKey": script_pub_key_json(&output.script_pubkey, network),
            })
        };
        json!({
            "chainHeight": self.tip.0.0,
            "chaintipHash": self.tip.1.to_string(),
            "bitmap": bitmap,
            "utxos": self.outputs.iter().flatten().map(output).collect::<Vec<_>>(),
        })
    }

    fn hits(&self) -> impl Iterator<Item = bool> {
        self.outputs.iter().map(Option::is_some)
    }
}

#[cfg(test)]
#[path = "coins_tests.rs"]
mod tests;
