use super::*;

const NOT_LONG: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(60);

fn client(user: usize) -> Client {
    Client::new(IpAddr::from([127, 0, 0, 1]), Some(user))
}

async fn take(places: &Places) -> Option<Place> {
    places.take(client(0)).await
}

#[tokio::test]
async fn who_waits_makes_room_for_another() {
    let places = Places::new(1, NOT_LONG);
    let mut first = take(&places).await.unwrap();
    assert!(take(&places).await.is_none());
    first.give_up_to_wait().unwrap();
    let second = take(&places).await.unwrap();
    assert!(take(&places).await.is_none());
    drop(second);
    assert!(take(&places).await.is_some());
}

#[tokio::test]
async fn those_who_wait_are_bounded_and_hold_no_place_for_work() {
    let places = Places::new(2, NOT_LONG);
    let mut waiting = Vec::new();
    for _ in 0..MAX_WAITING {
        let mut place = take(&places).await.unwrap();
        place.give_up_to_wait().unwrap();
        waiting.push(place);
    }
    for _ in 0..10 {
        let mut place = take(&places).await.unwrap();
        assert_eq!(place.give_up_to_wait(), Err(TooManyWait));
    }
    assert_eq!(places.free(), (2, 0));
    waiting.pop();
    let mut place = take(&places).await.unwrap();
    assert_eq!(place.give_up_to_wait(), Ok(()));
}

#[tokio::test]
async fn who_has_waited_works_in_a_place_again() {
    let places = Places::new(1, NOT_LONG);
    let mut first = take(&places).await.unwrap();
    first.give_up_to_wait().unwrap();
    let second = take(&places).await.unwrap();
    let waiting = tokio::time::timeout(NOT_LONG, first.work_again()).await;
    assert!(waiting.is_err(), "two work in one place");
    drop(second);
    first.work_again().await;
    assert_eq!(places.free(), (0, MAX_WAITING));
    drop(first);
    assert_eq!(places.free(), (1, MAX_WAITING));
}

#[tokio::test]
async fn a_place_that_becomes_free_goes_to_who_stands_in_line() {
    let places = Arc::new(Places::new(1, LONG));
    let first = take(&places).await.unwrap();
    let in_line = tokio::spawn({
        let places = Arc::clone(&places);
        async move { take(&places).await.is_some() }
    });
    tokio::task::yield_now().await;
    drop(first);
    assert!(in_line.await.unwrap());
}

#[tokio::test]
async fn work_that_goes_on_without_its_request_keeps_the_place() {
    let places = Places::new(1, NOT_LONG);
    let large = Arc::new(Semaphore::new(1));
    let permit = Arc::clone(&large).try_acquire_owned().unwrap();
    let place = take(&places).await.unwrap().with(Some(permit));
    let work = place.held();
    drop(place);
    assert!(take(&places).await.is_none());
    assert_eq!(large.available_permits(), 0);
    drop(work);
    assert!(take(&places).await.is_some());
    assert_eq!(large.available_permits(), 1);
}

#[tokio::test]
async fn one_client_leaves_places_for_the_others() {
    let places = Places::new(8, NOT_LONG);
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(take(&places).await.unwrap());
    }
    assert!(take(&places).await.is_none());
    assert!(places.take_free(client(0)).is_none());
    for user in 1..3 {
        held.push(places.take_free(client(user)).unwrap());
    }
    assert!(places.take(client(3)).await.is_none());
    held.truncate(5);
    assert!(take(&places).await.is_some());
}

#[tokio::test]
async fn what_controls_the_node_has_places_of_its_own() {
    let places = Places::new(1, NOT_LONG);
    let _work = take(&places).await.unwrap();
    let mut control = Vec::new();
    for _ in 0..MAX_CONTROL {
        control.push(places.take_for_control(client(0)).unwrap());
    }
    assert!(places.take_for_control(client(0)).is_none());
    control.pop();
    assert!(places.take_for_control(client(1)).is_some());
}

#[test]
fn a_client_is_a_user_at_an_address() {
    let client = |address: &str, user| Client::new(address.parse().unwrap(), user);
    assert_eq!(client("::ffff:1.2.3.4", None), client("1.2.3.4", None));
    assert_ne!(client("1.2.3.4", None), client("1.2.3.4", Some(0)));
    assert_ne!(client("1.2.3.4", Some(1)), client("1.2.3.4", Some(0)));
    assert_ne!(client("1.2.3.4", None), client("1.2.3.5", None));
    assert_eq!(
        client("2001:db8::1", None),
        client("2001:db8::ffff:1:2", None)
    );
    assert_ne!(client("2001:db8:0:1::1", None), client("2001:db8::1", None));
}

#[test]
fn clients_that_have_gone_are_forgotten() {
    let places = Places::new(1, NOT_LONG);
    let held = places.shares.of(client(0));
    for user in 1..3 * MANY_CLIENTS {
        places.shares.of(client(user));
        assert!(places.shares.clients.lock().unwrap().len() <= MANY_CLIENTS);
    }
    assert!(Arc::ptr_eq(&held, &places.shares.of(client(0))));
}
