use super::super::test_subscriber::TestSubscriber;
use super::super::zmtp;
use super::*;

fn message(topic: &'static str, length: usize, counter: u32) -> Arc<Message> {
    let (head, tail) = zmtp::around(topic, length, counter);
    Arc::new(Message {
        topic,
        head,
        body: Arc::new(vec![7; length]),
        tail,
    })
}

/// A subscriber over a pipe that holds so many bytes.
async fn connect(subscribers: &Arc<Subscribers>, pipe: usize, topics: &[&str]) -> TestSubscriber {
    let (ours, theirs) = tokio::io::duplex(pipe);
    tokio::spawn(Arc::clone(subscribers).serve(ours));
    TestSubscriber::over(theirs, subscribers, topics).await
}

#[tokio::test]
async fn who_does_not_read_misses_messages_and_costs_no_more_than_the_mark() {
    let subscribers = Arc::new(Subscribers::new(3));
    let mut slow = connect(&subscribers, 200, &["rawtx"]).await;
    for counter in 0..100 {
        subscribers.send(&message("rawtx", 10_000, counter));
    }
    {
        let list = subscribers.list();
        let waiting = list.1[0].waiting_bytes.load(Ordering::Relaxed);
        assert!(waiting <= 3 * 10_100, "{waiting} bytes wait");
    }
    // What waits comes, in order, and what comes when there is room again.
    assert_eq!(slow.receive().await.counter, 0);
    let mut seen = 0;
    for counter in 100..200 {
        subscribers.send(&message("rawtx", 10_000, counter));
        let received = slow.receive().await.counter;
        assert!(received > seen);
        seen = received;
    }
    assert!(seen >= 100, "{seen}");
}

#[tokio::test]
async fn subscriptions_are_prefixes_and_end() {
    let subscribers = Arc::new(Subscribers::new(10));
    let mut one = connect(&subscribers, 10_000, &["raw", "sequence"]).await;
    for topic in ["hashtx", "rawtx", "rawblock", "sequence"] {
        subscribers.send(&message(topic, 1, 0));
    }
    for topic in ["rawtx", "rawblock", "sequence"] {
        assert_eq!(one.receive().await.topic, topic);
    }
    one.say(0, "raw").await;
    one.send(b"\x04\x0a\x04PING\0\0abc").await;
    // The answer to the ping comes after what was said before it was done.
    assert_eq!(one.frame().await, (4, b"\x04PONGabc".to_vec()));
    subscribers.send(&message("rawtx", 1, 1));
    subscribers.send(&message("sequence", 1, 1));
    let last = one.receive().await;
    assert_eq!((last.topic.as_str(), last.counter), ("sequence", 1));
}

#[tokio::test]
async fn who_asks_for_too_much_is_sent_away() {
    let subscribers = Arc::new(Subscribers::new(10));
    let mut greedy = connect(&subscribers, 10_000, &[]).await;
    for _ in 0..=MAX_SUBSCRIPTIONS {
        greedy.say(1, "rawtx").await;
    }
    greedy.ended().await;
    assert!(!subscribers.has("rawtx"));
    let mut endless = connect(&subscribers, 10_000, &["rawtx"]).await;
    endless.send(b"\x02\xff\xff\xff\xff\xff\xff\xff\xff").await;
    endless.ended().await;
}

#[tokio::test]
async fn handshakes_are_bounded() {
    let subscribers = Arc::new(Subscribers::new(10));
    let mut silent = Vec::new();
    for _ in 0..MAX_HANDSHAKES {
        let (ours, theirs) = tokio::io::duplex(1_000);
        let serving = tokio::spawn(Arc::clone(&subscribers).serve(ours));
        silent.push((theirs, serving));
    }
    while subscribers.handshakes.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let (ours, _theirs) = tokio::io::duplex(1_000);
    let refused = Arc::clone(&subscribers).serve(ours).await.unwrap_err();
    assert_eq!(refused.to_string(), "too many handshakes");
    for (stream, serving) in silent {
        drop(stream);
        assert!(serving.await.unwrap().is_err());
    }
    // A subscriber is no handshake any more.
    let _one = connect(&subscribers, 10_000, &["rawtx"]).await;
    let free = subscribers.handshakes.available_permits();
    assert_eq!(free, MAX_HANDSHAKES);
}
