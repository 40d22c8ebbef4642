use serde_json::json;

use super::*;

const PARENTS: [&str; 2] = [
    "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
];

fn work(count: usize) -> Arc<RemoteWork> {
    let server = |port| Server::parse(&format!("http://u:p@127.0.0.1:{port}"), None).unwrap();
    RemoteWork::new(
        (1..=count).map(server).collect(),
        "address".to_owned(),
        ScriptBuf::from_bytes(vec![0x51]),
    )
}

fn offer(height: u32, parent: &str) -> Offer {
    let answer = json!({
        "version": 4,
        "previousblockhash": parent,
        "transactions": [],
        "coinbasevalue": 50,
        "curtime": 1_000,
        "bits": "207fffff",
        "height": height,
        "workid": format!("work {height}"),
    });
    Offer::read(answer, &ScriptBuf::from_bytes(vec![0x51])).unwrap()
}

fn height(work: &RemoteWork) -> Option<u32> {
    work.templates()
        .borrow()
        .as_ref()
        .map(|template| template.height.0)
}

fn current(work: &RemoteWork) -> Option<usize> {
    work.server_views()
        .iter()
        .position(|server| server.is_current)
}

#[test]
fn the_first_server_that_gives_work_counts() {
    let work = work(2);
    work.take_offer(1, offer(5, PARENTS[0]), 900);
    assert_eq!((height(&work), current(&work)), (Some(5), Some(1)));
    assert_eq!(work.node_time(900), 1_000);
    // The first is up, but behind: as good as down, until it is there.
    for behind in [3, 4] {
        work.take_offer(0, offer(behind, PARENTS[1]), 900);
        assert_eq!((height(&work), current(&work)), (Some(5), Some(1)));
    }
    work.take_offer(0, offer(5, PARENTS[0]), 900);
    assert_eq!((height(&work), current(&work)), (Some(5), Some(0)));
    work.note_trouble(0, Trouble::passing("gone"));
    assert_eq!((height(&work), current(&work)), (Some(5), Some(1)));
    assert_eq!(work.server_order(), [1, 0]);
    // With no server at all the last work goes on for a while.
    work.note_trouble(1, Trouble::passing("gone"));
    assert_eq!((height(&work), current(&work)), (Some(5), None));
    let events: Vec<_> = work.events.take().into_iter().collect();
    let working = events
        .iter()
        .filter(|event| matches!(event, Event::Working { .. }));
    assert_eq!(working.count(), 3);
}

#[test]
fn a_trouble_is_told_once() {
    let work = work(1);
    for _ in 0..3 {
        work.note_trouble(0, Trouble::passing("gone"));
    }
    assert_eq!(work.events.take().len(), 1);
    assert_eq!(work.hopeless(), None);
    work.note_trouble(0, Trouble::lasting("wrong password"));
    assert_eq!(
        work.hopeless().unwrap(),
        "http://127.0.0.1:1/: wrong password"
    );
}

#[test]
fn one_server_that_may_come_is_hope() {
    let work = work(2);
    work.note_trouble(0, Trouble::lasting("wrong password"));
    assert_eq!(work.hopeless(), None);
    work.note_trouble(1, Trouble::lasting("wrong password"));
    assert!(work.hopeless().is_some());
    // Once it worked, it may work again.
    work.take_offer(1, offer(1, PARENTS[0]), 0);
    work.note_trouble(1, Trouble::lasting("wrong password"));
    assert_eq!(work.hopeless(), None);
}

#[test]
fn nothing_is_mined_beside_a_block_that_waits() {
    let work = work(1);
    work.take_offer(0, offer(5, PARENTS[0]), 0);
    let first = work.current().unwrap();
    let block = first.block(1, 1_000, 0);
    // Nothing listens there.
    let refused = work.submit(Arc::new(block));
    assert!(
        matches!(refused, Err(WorkError::Unavailable { .. })),
        "{refused:?}"
    );
    assert_eq!(work.pending_count(), 1);
    assert_eq!(height(&work), None);
    work.take_offer(0, offer(5, PARENTS[0]), 0);
    assert_eq!(height(&work), None);
    work.take_offer(0, offer(6, PARENTS[1]), 0);
    assert_eq!(height(&work), Some(6));
    assert_eq!(work.figures().found, 1);
    // One more on the same parent, found before the devices knew, does not come before the one that is kept.
    let sibling = first.block(1, 1_000, 1);
    let stale = work.submit(Arc::new(sibling));
    assert!(matches!(stale, Err(WorkError::Stale)), "{stale:?}");
    assert_eq!((work.pending_count(), work.figures().stale), (1, 1));
    // At the end it is written down.
    let directory = tempfile::tempdir().unwrap();
    let files = work.save_pending(directory.path());
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let saved: Block =
        pyrite_consensus::bitcoin::consensus::encode::deserialize_hex(&text).unwrap();
    assert_eq!(
        files[0].file_stem().unwrap().to_str().unwrap(),
        saved.block_hash().to_string()
    );
}

#[test]
fn nothing_is_mined_beside_a_block_that_was_judged() {
    let work = work(1);
    work.take_offer(0, offer(5, PARENTS[0]), 0);
    work.set_judged(PARENTS[0].parse().unwrap());
    assert_eq!(height(&work), None);
    // What the node gave before it had the block may come after its answer.
    work.take_offer(0, offer(5, PARENTS[0]), 0);
    assert_eq!(height(&work), None);
    work.take_offer(0, offer(6, PARENTS[1]), 0);
    assert_eq!(height(&work), Some(6));
}

#[test]
fn a_works_id_goes_back_with_its_block_alone() {
    let work = work(1);
    work.take_offer(0, offer(5, PARENTS[0]), 0);
    let id = |parent: &str| work.work_id(0, &parent.parse().unwrap());
    assert_eq!(id(PARENTS[0]), Some("work 5".to_owned()));
    assert_eq!(id(PARENTS[1]), None);
}
