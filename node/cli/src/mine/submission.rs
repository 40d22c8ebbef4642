//! Brings found blocks to the nodes. A block that no node can be asked about is kept and brought again until one
//! judges it: a short outage loses nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::opcodes::all::OP_PUSHNUM_1;
use pyrite_consensus::bitcoin::script::{Instruction, read_scriptint};
use pyrite_consensus::bitcoin::{Amount, Block, BlockHash};
use pyrite_miner::WorkError;
use pyrite_rpc::{ClientError, RpcClient};
use serde_json::{Value, json};

use super::event::Verdict;
use super::remote_work::RemoteWork;
use super::trouble::{Trouble, printable};

/// How long a node may take to judge a block.
const VERDICT_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait for a node that takes the block, when another one does not.
const SECOND_OPINION: Duration = Duration::from_secs(1);

/// Blocks that a node is asked about at a time.
const MAX_UNDER_WAY: usize = 8;

/// The most blocks that are kept. One is kept for each parent, so that this is seldom more than one.
const MAX_PENDING: usize = 64;

/// How often they are brought again.
const AGAIN_EVERY: Duration = Duration::from_millis(500);

/// After so long the chain has gone on without a block.
const KEEP: Duration = Duration::from_secs(3_600);

/// How long to try once more at the end of the program.
const LAST_TRY: Duration = Duration::from_secs(10);

/// The answer about a block of work that a node did not give, or forgot (BIP-0023).
const UNKNOWN_WORK: &str = "unknown-work";

/// `RPC_DESERIALIZATION_ERROR`: the one error that is a verdict.
const DECODE_FAILED: i64 = -22;

/// A block on its way.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) hash: BlockHash,
    pub(super) parent: BlockHash,
    pub(super) height: u32,
    /// What it pays.
    pub(super) value: Amount,
    data: String,
}

impl Sent {
    pub(super) fn new(block: &Block) -> Self {
        let outputs = block.txdata.first().map(|coinbase| coinbase.output.iter());
        let values = outputs
            .into_iter()
            .flatten()
            .map(|output| output.value.to_sat());
        Self {
            hash: block.block_hash(),
            parent: block.header.prev_blockhash,
            height: height(block).unwrap_or(0),
            value: Amount::from_sat(values.fold(0, u64::saturating_add)),
            data: serialize_hex(block),
        }
    }
}

/// The height that the coinbase says (BIP-0034): a number of one byte is an opcode of its own.
fn height(block: &Block) -> Option<u32> {
    let script = &block.txdata.first()?.input.first()?.script_sig;
    let number = match script.instructions().next()?.ok()? {
        Instruction::PushBytes(bytes) => read_scriptint(bytes.as_bytes()).ok()?,
        Instruction::Op(code) => {
            i64::from(code.to_u8()).checked_sub(i64::from(OP_PUSHNUM_1.to_u8()))? + 1
        }
    };
    u32::try_from(number).ok()
}

/// A block that is kept.
pub(super) struct Pending {
    block: Sent,
    since: Instant,
}

impl RemoteWork {
    /// Brings a block.
    pub(super) fn submit_block(&self, block: &Block) -> Result<(), WorkError> {
        let block = Sent::new(block);
        self.count_found();
        if self.is_parent_taken(&block.parent) {
            // Brought now, it could come before the one that is kept and make that one stale.
            self.record(&block, Verdict::Stale);
            return Err(WorkError::Stale);
        }
        match self.judged(&block) {
            Ok(verdict) => {
                self.settle(&block, verdict.clone());
                match verdict {
                    Verdict::Accepted => Ok(()),
                    Verdict::Rejected { reason } => Err(WorkError::Rejected { reason }),
                    Verdict::Stale | Verdict::Kept { .. } | Verdict::Lost { .. } => {
                        Err(WorkError::Stale)
                    }
                }
            }
            Err(reason) => {
                self.keep(block, reason.clone());
                Err(WorkError::Unavailable {
                    reason: format!("{reason}; the block is kept and brought again"),
                })
            }
        }
    }

    /// Takes note of the end of a block.
    fn settle(&self, block: &Sent, verdict: Verdict) {
        if matches!(verdict, Verdict::Accepted | Verdict::Stale) {
            self.set_judged(block.parent);
        }
        self.record(block, verdict);
    }

    /// How many blocks are kept.
    pub(super) fn pending_count(&self) -> u64 {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        u64::try_from(pending.len()).unwrap_or(u64::MAX)
    }

    /// A block on this parent is kept.
    fn is_parent_taken(&self, parent: &BlockHash) -> bool {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.iter().any(|kept| kept.block.parent == *parent)
    }

    fn keep(&self, block: Sent, reason: String) {
        let parent = block.parent;
        self.record(&block, Verdict::Kept { reason });
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (pending.len() >= MAX_PENDING)
            .then(|| pending.pop_front())
            .flatten();
        pending.push_back(Pending {
            block,
            since: Instant::now(),
        });
        drop(pending);
        self.set_solved(Some(parent));
        if let Some(oldest) = oldest {
            let reason = "too many blocks wait".to_owned();
            self.record(&oldest.block, Verdict::Lost { reason });
        }
    }

    /// Brings what is kept, until the end.
    pub(super) fn run_submissions(self: &Arc<Self>) {
        while !self.stop.is_stopping() {
            self.bring_pending(None);
            self.stop.wait(AGAIN_EVERY);
        }
    }

    /// Brings everything that is kept once, as far as there is time.
    fn bring_pending(&self, until: Option<Instant>) {
        let blocks: Vec<Sent> = {
            let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.iter().map(|kept| kept.block.clone()).collect()
        };
        for block in &blocks {
            if until.is_some_and(|until| Instant::now() >= until) {
                return;
            }
            let verdict = self
                .judged(block)
                .ok()
                .or_else(|| self.given_up(&block.hash));
            if let Some(verdict) = verdict {
                self.take_out(block, verdict);
            }
        }
    }

    /// The end of a block that was kept, unless somebody else has seen to it meanwhile.
    fn take_out(&self, block: &Sent, verdict: Verdict) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pending.len();
        pending.retain(|kept| kept.block.hash != block.hash);
        if pending.len() == before {
            return;
        }
        let last = pending.back().map(|kept| kept.block.parent);
        drop(pending);
        self.settle(block, verdict);
        self.set_solved(last);
    }

    /// The verdict on a block that was kept too long.
    fn given_up(&self, hash: &BlockHash) -> Option<Verdict> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = pending.iter().find(|kept| kept.block.hash == *hash)?;
        (kept.since.elapsed() >= KEEP).then(|| Verdict::Lost {
            reason: "no node could be asked for an hour".to_owned(),
        })
    }

    /// At the end of the program: writes what is kept into files, and brings it once more. Returns the files of what no node
    /// could be asked about.
    pub(super) fn save_pending(&self, directory: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for kept in &*self.pending.lock().unwrap_or_else(PoisonError::into_inner) {
            let path = directory.join(format!("{}.block", kept.block.hash));
            match std::fs::write(&path, &kept.block.data) {
                Ok(()) => files.push((kept.block.hash, path)),
                Err(error) => eprintln!(
                    "pyrite: {}: {error}; the block is {}",
                    path.display(),
                    kept.block.data
                ),
            }
        }
        self.bring_pending(Some(Instant::now() + LAST_TRY));
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let is_kept = |hash: BlockHash| pending.iter().any(|kept| kept.block.hash == hash);
        files.retain(|(hash, path)| is_kept(*hash) || std::fs::remove_file(path).is_err());
        files.into_iter().map(|(_, path)| path).collect()
    }

    /// The nodes' verdict, otherwise why there is none. All are asked at once, so that none waits for one that hangs: the first that
    /// takes the block counts, and what others say only when the nodes before them had their time.
    fn judged(&self, block: &Sent) -> Result<Verdict, String> {
        let order = self.server_order();
        let (tell, told) = channel();
        for (place, index) in order.iter().enumerate() {
            let submission = Submission::new(self, *index, block);
            let tell = tell.clone();
            let is_asked = submission.spawn(move |answer| {
                // Nobody may wait for it any more.
                let _ = tell.send((place, answer));
            });
            is_asked?;
        }
        drop(tell);
        let mut answers: Vec<Option<Result<Verdict, String>>> = vec![None; order.len()];
        let mut deadline = Instant::now() + 2 * VERDICT_WITHIN;
        while let Ok((place, answer)) =
            told.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if answer == Ok(Verdict::Accepted) {
                return Ok(Verdict::Accepted);
            }
            if answer.is_ok() {
                deadline = deadline.min(Instant::now() + SECOND_OPINION);
            }
            answers[place] = Some(answer);
        }
        if let Some(verdict) = answers
            .iter()
            .flatten()
            .find_map(|answer| answer.clone().ok())
        {
            return Ok(verdict);
        }
        let reasons = order.iter().zip(answers).map(|(index, answer)| {
            let url = &self.servers[*index].url;
            match answer {
                Some(Err(reason)) => format!("{url}: {reason}"),
                Some(Ok(_)) | None => format!("{url}: no answer"),
            }
        });
        Err(reasons.collect::<Vec<_>>().join("; "))
    }
}

/// A question to one node about a block, on a thread of its own.
struct Submission {
    client: RpcClient,
    under_way: Arc<AtomicUsize>,
    params: Vec<Value>,
}

impl Submission {
    fn new(work: &RemoteWork, index: usize, block: &Sent) -> Self {
        let mut params = vec![json!(block.data)];
        if let Some(id) = work.work_id(index, &block.parent) {
            params.push(json!({ "workid": id }));
        }
        let server = &work.servers[index];
        Self {
            client: server.client.clone(),
            under_way: Arc::clone(&server.submissions),
            params,
        }
    }

    /// Asks, and tells the answer. A node that does not answer is not asked about ever more blocks.
    fn spawn(
        self,
        tell: impl FnOnce(Result<Verdict, String>) + Send + 'static,
    ) -> Result<(), String> {
        if self.under_way.load(Ordering::Acquire) >= MAX_UNDER_WAY {
            tell(Err("it has not answered about earlier blocks".to_owned()));
            return Ok(());
        }
        self.under_way.fetch_add(1, Ordering::AcqRel);
        let under_way = Arc::clone(&self.under_way);
        let ask = move || {
            let answer = read_verdict(self.ask());
            self.under_way.fetch_sub(1, Ordering::AcqRel);
            tell(answer);
        };
        let thread = thread::Builder::new().name("submission".to_owned());
        thread.spawn(ask).map(drop).map_err(|error| {
            under_way.fetch_sub(1, Ordering::AcqRel);
            format!("can't start a thread: {error}")
        })
    }

    fn ask(&self) -> Result<Value, ClientError> {
        let submit = |params: &[Value]| {
            let params = Value::Array(params.to_vec());
            self.client
                .call_within(VERDICT_WITHIN, "submitblock", params)
        };
        let answer = submit(&self.params);
        // It forgot the work that it gave, but a block stands for itself.
        if matches!(&answer, Ok(Value::String(reason)) if reason == UNKNOWN_WORK) {
            return submit(&self.params[..1]);
        }
        answer
    }
}

/// What an answer says of a block (BIP-0022); an error when it says nothing of it.
fn read_verdict(answer: Result<Value, ClientError>) -> Result<Verdict, String> {
    match answer {
        // Nobody else brings our blocks: a known one is one whose first answer was lost.
        Ok(Value::Null) => Ok(Verdict::Accepted),
        Ok(Value::String(reason)) => match reason.as_str() {
            "duplicate" => Ok(Verdict::Accepted),
            "inconclusive" | "duplicate-inconclusive" | "stale-prevblk" | "stale-work" => {
                Ok(Verdict::Stale)
            }
            UNKNOWN_WORK => Err("the node does not know the work".to_owned()),
            // A node that lags behind; another one may know the parent, or this one later.
            "prev-blk-not-found" => Err("the node does not know the block's parent".to_owned()),
            _ => Ok(Verdict::Rejected {
                reason: printable(&reason),
            }),
        },
        Ok(_) => Err("the node's answer is no verdict".to_owned()),
        Err(ClientError::Call {
            code: DECODE_FAILED,
            message,
        }) => Ok(Verdict::Rejected {
            reason: printable(&message),
        }),
        Err(error) => Err(Trouble::from(error).reason),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::Receiver;

    use pyrite_consensus::bitcoin::constants::genesis_block;
    use pyrite_consensus::bitcoin::script::Builder;
    use pyrite_consensus::bitcoin::{Network, ScriptBuf};

    use super::super::server::Server;
    use super::*;

    #[test]
    fn blocks_tell_their_height() {
        let mut block = genesis_block(Network::Regtest);
        for expected in [1, 16, 17, 128, 70_000] {
            let script = Builder::new().push_int(expected).push_int(0).into_script();
            block.txdata[0].input[0].script_sig = script;
            assert_eq!(i64::from(Sent::new(&block).height), expected);
        }
        block.txdata.clear();
        assert_eq!(Sent::new(&block).height, 0);
    }

    /// A server that answers every call with this, after it was let.
    fn serve(body: &'static str, let_go: Option<Receiver<()>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if let Some(let_go) = &let_go {
                    let _ = let_go.recv();
                }
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.to_ascii_lowercase();
                    if let Some(text) = lower.strip_prefix("content-length:") {
                        length = text.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                reader.read_exact(&mut vec![0; length]).unwrap();
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:";
                write!(stream, "{head} {}\r\n\r\n{body}", body.len()).unwrap();
            }
        });
        format!("http://u:p@{address}")
    }

    fn judged_by(urls: &[String]) -> Result<Verdict, String> {
        let servers = urls.iter().map(|url| Server::parse(url, None).unwrap());
        let script = ScriptBuf::from_bytes(vec![0x51]);
        let work = RemoteWork::new(servers.collect(), "address".to_owned(), script);
        work.judged(&Sent::new(&genesis_block(Network::Regtest)))
    }

    const TAKEN: &str = r#"{"result":null}"#;
    const STALE: &str = r#"{"result":"inconclusive"}"#;

    #[test]
    fn a_node_that_hangs_delays_no_block() {
        let (held, let_go) = channel();
        let hung = serve(TAKEN, Some(let_go));
        let started = Instant::now();
        let verdict = judged_by(&[hung, serve(TAKEN, None)]);
        assert_eq!(verdict, Ok(Verdict::Accepted));
        assert!(
            started.elapsed() < VERDICT_WITHIN,
            "it waited for the first"
        );
        drop(held);
    }

    #[test]
    fn the_node_that_takes_a_block_counts() {
        let verdict = judged_by(&[serve(STALE, None), serve(TAKEN, None)]);
        assert_eq!(verdict, Ok(Verdict::Accepted));
        let rejected = r#"{"result":"high-hash"}"#;
        let verdict = judged_by(&[serve(STALE, None), serve(rejected, None)]);
        assert_eq!(verdict, Ok(Verdict::Stale), "that of the first");
        let reasons = judged_by(&["http://u:p@127.0.0.1:1".to_owned()]).unwrap_err();
        assert!(reasons.starts_with("http://127.0.0.1:1/: "), "{reasons}");
    }

    #[test]
    fn verdicts_are_read() {
        let text = |text: &str| read_verdict(Ok(json!(text)));
        assert_eq!(read_verdict(Ok(Value::Null)), Ok(Verdict::Accepted));
        assert_eq!(text("duplicate"), Ok(Verdict::Accepted));
        assert_eq!(text("inconclusive"), Ok(Verdict::Stale));
        assert_eq!(text("stale-work"), Ok(Verdict::Stale));
        let rejected = |reason: &str| {
            Ok(Verdict::Rejected {
                reason: reason.to_owned(),
            })
        };
        assert_eq!(text("high-hash"), rejected("high-hash"));
        assert_eq!(text(&"\u{1b}x".repeat(400)), rejected(&"x".repeat(300)));
        assert!(text("prev-blk-not-found").is_err());
        assert!(text("unknown-work").is_err());
        assert!(read_verdict(Ok(json!({}))).is_err());
        let error = |code| {
            read_verdict(Err(ClientError::Call {
                code,
                message: "m".to_owned(),
            }))
        };
        assert_eq!(error(-22), rejected("m"));
        assert!(error(-28).is_err());
    }
}
