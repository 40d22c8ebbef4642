//! Links to servers that behave as told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use pyrite_consensus::bitcoin::ScriptBuf;
use pyrite_miner::WorkSource;

use super::super::event::Event;
use super::super::remote_work::RemoteWork;
use super::super::server::Server;
use super::*;

const DEADLINE: Duration = Duration::from_secs(30);
const PARENT: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";

type Answer = (u16, String);

/// A server that answers each call of a method as `answer` says.
fn serve(answer: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || reply(stream, answer.as_ref()));
        }
    });
    format!("http://user:password@{address}")
}

fn reply(mut stream: TcpStream, answer: &(dyn Fn(&str, &Value) -> Answer + Send + Sync)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let call: Value = serde_json::from_slice(&body).unwrap();
    let (status, body) = answer(call["method"].as_str().unwrap(), &call["params"]);
    // The client may have heard enough.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn result(result: Value) -> Answer {
    (200, json!({ "result": result, "error": null }).to_string())
}

fn error(code: i64) -> Answer {
    let error = json!({ "code": code, "message": "m" });
    (500, json!({ "result": null, "error": error }).to_string())
}

fn address_is_good() -> Answer {
    result(json!({ "isvalid": true, "scriptPubKey": "51" }))
}

fn template(height: u32) -> Value {
    json!({
        "version": 4,
        "previousblockhash": PARENT,
        "transactions": [],
        "coinbasevalue": 50,
        "curtime": 1_000,
        "bits": "207fffff",
        "height": height,
        "longpollid": format!("id {height}"),
    })
}

/// A miner's link to a server.
struct Miner(Arc<RemoteWork>);

impl Miner {
    fn of(url: &str) -> Self {
        Self::that_checks(url, CHECK_EVERY)
    }

    /// One that asks so often whether a server is still there.
    fn that_checks(url: &str, check_every: Duration) -> Self {
        let server = Server::parse(url, None).unwrap();
        let script = ScriptBuf::from_bytes(vec![0x51]);
        let work = RemoteWork::new(vec![server], "address".to_owned(), script);
        let mut link = Link::new(Arc::clone(&work), 0);
        link.check_every = check_every;
        std::thread::spawn(move || link.run());
        Self(work)
    }

    fn wait_height(&self, height: u32) {
        let deadline = Instant::now() + DEADLINE;
        let is_there = || {
            let template = self.0.templates().borrow().clone();
            template.is_some_and(|template| template.height.0 == height)
        };
        while !is_there() {
            assert!(
                Instant::now() < deadline,
                "no height {height}: {:?}",
                self.0.server_views()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The first trouble with the server.
    fn trouble(&self) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            for event in self.0.events.take() {
                if let Event::ServerDown { reason, .. } = event {
                    return reason;
                }
            }
            assert!(Instant::now() < deadline, "no trouble");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.0.stop.stop();
    }
}

#[test]
fn a_long_poll_brings_the_next_template() {
    let (release, held): (Sender<()>, Receiver<()>) = channel();
    let held = Mutex::new(held);
    let polled = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&polled);
    let url = serve(move |method, params| {
        if method == "validateaddress" {
            return address_is_good();
        }
        assert_eq!(params[0]["rules"], json!(["segwit"]));
        let id = params[0]["longpollid"].as_str().map(str::to_owned);
        seen.lock().unwrap().push(id.clone());
        match id.as_deref() {
            None => result(template(7)),
            Some("id 7") => {
                held.lock().unwrap().recv().unwrap();
                result(template(8))
            }
            // The next one is never answered.
            Some(_) => {
                let _ = held.lock().unwrap().recv();
                error(-9)
            }
        }
    });
    let miner = Miner::of(&url);
    miner.wait_height(7);
    release.send(()).unwrap();
    miner.wait_height(8);
    assert_eq!(polled.lock().unwrap()[..2], [None, Some("id 7".to_owned())]);
}

/// A server whose long polls are not answered has one of them to keep, however long that takes, and one more for each new tip.
#[test]
fn one_long_poll_waits_at_a_time() {
    const OTHER_PARENT: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    #[derive(Default)]
    struct Seen {
        polls: Vec<String>,
        questions: u32,
        has_moved: bool,
    }
    let seen = Arc::new(Mutex::new(Seen::default()));
    let server = Arc::clone(&seen);
    // What polls wait for.
    let (_never, kept): (Sender<()>, Receiver<()>) = channel();
    let kept = Mutex::new(kept);
    let url = serve(move |method, params| {
        if method == "validateaddress" {
            return address_is_good();
        }
        let mut seen = server.lock().unwrap();
        if let Some(id) = params[0]["longpollid"].as_str() {
            seen.polls.push(id.to_owned());
            drop(seen);
            let _ = kept.lock().unwrap().recv();
            return error(-9);
        }
        seen.questions += 1;
        let mut template = template(7);
        // As Bitcoin Core's changes with the mempool.
        template["longpollid"] = format!("id {}", seen.questions).into();
        if seen.has_moved {
            template["height"] = 8.into();
            template["previousblockhash"] = OTHER_PARENT.into();
        }
        result(template)
    });
    let miner = Miner::that_checks(&url, Duration::from_millis(20));
    let wait_for = |what: &str, is_there: &dyn Fn(&Seen) -> bool| {
        let deadline = Instant::now() + DEADLINE;
        while !is_there(&seen.lock().unwrap()) {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_for("questions", &|seen| seen.questions >= 5);
    assert_eq!(seen.lock().unwrap().polls, ["id 1"]);
    seen.lock().unwrap().has_moved = true;
    miner.wait_height(8);
    wait_for("a poll on the new tip", &|seen| seen.polls.len() == 2);
    let questions = seen.lock().unwrap().questions;
    wait_for("more", &|seen| seen.questions >= questions + 5);
    assert_eq!(seen.lock().unwrap().polls.len(), 2);
}

/// Something between us and the server ends long polls: that is no trouble with the server.
#[test]
fn a_long_poll_that_is_cut_off_is_no_trouble() {
    let asked = Arc::new(Mutex::new((0, 0)));
    let seen = Arc::clone(&asked);
    let url = serve(move |method, params| {
        if method == "validateaddress" {
            return address_is_good();
        }
        let mut seen = seen.lock().unwrap();
        if params[0].get("longpollid").is_some() {
            seen.0 += 1;
            return (504, String::new());
        }
        seen.1 += 1;
        result(template(7))
    });
    let miner = Miner::of(&url);
    miner.wait_height(7);
    let deadline = Instant::now() + DEADLINE;
    while *asked.lock().unwrap() < (2, 3) {
        assert!(Instant::now() < deadline, "{asked:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    let is_trouble = |event: &Event| matches!(event, Event::ServerDown { .. });
    assert!(!miner.0.events.take().iter().any(is_trouble));
}

#[test]
fn a_server_that_starts_is_waited_for() {
    let calls = Mutex::new(0);
    let url = serve(move |method, _| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        match method {
            _ if *calls < 3 => error(-28),
            "validateaddress" => address_is_good(),
            _ => result(template(7)),
        }
    });
    let miner = Miner::of(&url);
    assert!(miner.trouble().contains("the node is starting"));
    miner.wait_height(7);
    assert_eq!(miner.0.hopeless(), None);
}

#[test]
fn what_no_time_mends_is_hopeless() {
    let cases: [(Answer, &str); 4] = [
        ((401, String::new()), "password"),
        ((403, "no".to_owned()), "does not serve"),
        (
            result(json!({ "isvalid": false })),
            "not an address of the node's chain",
        ),
        (
            result(json!({ "isvalid": true, "scriptPubKey": "52" })),
            "another script",
        ),
    ];
    for (answer, words) in cases {
        let url = serve(move |_, _| answer.clone());
        let miner = Miner::of(&url);
        let trouble = miner.trouble();
        assert!(trouble.contains(words), "{trouble}");
        assert!(miner.0.hopeless().unwrap().contains(words));
    }
}

/// Whatever a server answers: the miner says what is wrong, and mines nothing of it.
#[test]
fn lies_are_told() {
    let cases: [(Answer, &str); 7] = [
        (error(-9), "no peers"),
        (error(-10), "catching up"),
        ((200, "<html>".to_owned()), "does not answer"),
        ((503, String::new()), "503"),
        (result(json!([])), "not an object"),
        (result(json!({ "height": "x" })), "can't be mined"),
        (
            result(json!({ "filler": "x".repeat(33 << 20) })),
            "does not answer",
        ),
    ];
    for (answer, words) in cases {
        let url = serve(move |method, _| match method {
            "validateaddress" => address_is_good(),
            _ => answer.clone(),
        });
        let miner = Miner::of(&url);
        let trouble = miner.trouble();
        assert!(trouble.contains(words), "{trouble}");
        assert!(miner.0.templates().borrow().is_none());
    }
}
