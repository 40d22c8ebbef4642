//! Fuzz target: what subscribers send.

use bolero::check;
use pyrite_fuzzing::Damage;

use super::*;

#[test]
fn fuzz_what_a_subscriber_sends() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let greeted = [
        &greeting()[..],
        &command(b"\x05READY\x0bSocket-Type\0\0\0\x03SUB"),
        b"\0\x06\x01rawtx\x04\x0a\x04PING\0\0abc",
    ]
    .concat();
    check!().with_type::<Damage>().for_each(|damage| {
        let bytes = damage.apply(greeted.clone());
        let outcome = runtime.block_on(async {
            let mut stream = tokio::io::join(&bytes[..], tokio::io::sink());
            shake_hands(&mut stream).await?;
            let first = read_frame(&mut stream).await?.meaning();
            let second = read_frame(&mut stream).await?.meaning();
            io::Result::Ok((first, second))
        });
        if bytes == greeted {
            let subscription = FromSubscriber::Subscribe(b"rawtx".to_vec());
            let ping = FromSubscriber::Ping(b"abc".to_vec());
            assert_eq!(outcome.unwrap(), (subscription, ping));
        }
    });
}
