//! One client: its subscriptions, and what goes to it and comes from it.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::feed::{Feed, Subscription};
use super::messages::{self, Command, Topic};
use crate::auth::{Caller, Permission};
use crate::call::CallResult;
use crate::stop::Stop;

/// How often a client that says nothing is asked whether it is there; it is cut off when the next question is due.
const PING_EVERY: Duration = Duration::from_secs(60);

/// The longest message of a client.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// Bytes that are read at a time: messages of clients are short, and clients many.
const READ_BUFFER_BYTES: usize = 1 << 10;

/// Whether somebody may subscribe: who may call everything, or has `subscribe` on the list.
pub(crate) fn may_subscribe(caller: &Caller) -> bool {
    match &caller.permission {
        Permission::All => true,
        Permission::Only(methods) => methods.contains("subscribe"),
        Permission::Nothing => false,
    }
}

/// Answers the request for a WebSocket and serves it. A client that takes longer than `send_limit` to make room for the next
/// message is cut off. `held` is called when it is a WebSocket; what it returns is kept until its end.
pub(crate) async fn upgrade<T: Send + 'static>(
    request: Request,
    runtime: &Handle,
    feed: Feed,
    stop: Stop,
    send_limit: Duration,
    held: impl FnOnce() -> T + Send + 'static,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    if !feed.is_open() {
        return (StatusCode::SERVICE_UNAVAILABLE, "The node is starting").into_response();
    }
    let _entered = runtime.enter();
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| async move {
            let _held = held();
            Session {
                feed,
                send_limit,
                subscriptions: Vec::new(),
                pending: None,
                answered: true,
            }
            .run(socket, stop)
            .await;
        })
}

/// Why a session ends.
enum End {
    /// The client went, or can't be understood as a WebSocket.
    Gone,
    /// The client is told why.
    Told(u16, &'static str),
}

struct Session {
    feed: Feed,
    send_limit: Duration,
    /// One for each topic at most.
    subscriptions: Vec<Subscription>,
    /// The event that is told next.
    pending: Option<(Topic, String)>,
    /// Whether the client has said anything since it was asked last.
    answered: bool,
}

impl Session {
    async fn run(mut self, mut socket: WebSocket, stop: Stop) {
        let end = tokio::select! {
            end = self.serve(&mut socket) => end,
            () = stop.wait() => End::Told(close_code::AWAY, "the node is stopping"),
        };
        if let End::Told(code, reason) = end {
            tracing::debug!(reason, "a subscriber is cut off");
            let reason = Utf8Bytes::from_static(reason);
            let close = Message::Close(Some(CloseFrame { code, reason }));
            // Who does not read can't be told.
            let _ = timeout(Duration::from_secs(1), socket.send(close)).await;
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> End {
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.tick().await;
        loop {
            if self.pending.is_none() {
                self.pending = self.next_event();
            }
            let has_event = self.pending.is_some();
            // What the client says comes first, so that it can unsubscribe while much is told.
            let outcome = tokio::select! {
                biased;
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.received(socket, message).await,
                    Some(Err(_)) | None => Err(End::Gone),
                },
                _ = ping.tick() => self.ask(socket).await,
                () = std::future::ready(()), if has_event => match self.pending.take() {
                    Some((_, text)) => self.send(socket, Message::text(text)).await,
                    None => Ok(()),
                },
                () = changed(&mut self.subscriptions), if !has_event => Ok(()),
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// The next event. Each subscription has its turn.
    fn next_event(&mut self) -> Option<(Topic, String)> {
        for index in 0..self.subscriptions.len() {
            let subscription = &mut self.subscriptions[index];
            if let Some(text) = self.feed.next(subscription) {
                let topic = subscription.topic();
                self.subscriptions.rotate_left(index + 1);
                return Some((topic, text));
            }
        }
        None
    }

    async fn received(&mut self, socket: &mut WebSocket, message: Message) -> Result<(), End> {
        self.answered = true;
        match message {
            Message::Text(text) => {
                let message = messages::read(text.as_str());
                let outcome = message.command.and_then(|command| self.obey(command));
                match messages::answer(message.id, outcome) {
                    Some(answer) => self.send(socket, Message::text(answer)).await,
                    None => Ok(()),
                }
            }
            Message::Binary(_) => Err(End::Told(close_code::UNSUPPORTED, "messages are text")),
            Message::Close(_) => Err(End::Gone),
            // Pings are answered below this.
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    /// Asks whether the client is there, if it has said anything since it was asked last.
    async fn ask(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        if !std::mem::take(&mut self.answered) {
            return Err(End::Told(close_code::POLICY, "no answer to a ping"));
        }
        self.send(socket, Message::Ping(Vec::new().into())).await
    }

    fn obey(&mut self, command: Command) -> CallResult<Value> {
        match command {
            Command::Subscribe(topic, cursor) => {
                let subscription = self.feed.subscribe(topic, cursor.as_deref())?;
                let answer = json!({"topic": topic.name(), "cursor": subscription.cursor()});
                self.unsubscribe(topic);
                self.subscriptions.push(subscription);
                Ok(answer)
            }
            Command::Unsubscribe(topic) => Ok(Value::Bool(self.unsubscribe(topic))),
        }
    }

    /// Whether there was a subscription.
    fn unsubscribe(&mut self, topic: Topic) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|own| own.topic() != topic);
        self.pending.take_if(|(pending, _)| *pending == topic);
        self.subscriptions.len() < before
    }

    /// Sends a message. A client that makes no room for it is cut off: nothing else is kept for it.
    async fn send(&self, socket: &mut WebSocket, message: Message) -> Result<(), End> {
        match timeout(self.send_limit, socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Told(
                close_code::POLICY,
                "too slow: events are not taken",
            )),
        }
    }
}

/// Returns when one of the subscriptions may have an event.
async fn changed(subscriptions: &mut [Subscription]) {
    let mut changes: Vec<_> = subscriptions
        .iter_mut()
        .map(|subscription| Box::pin(subscription.changed()))
        .collect();
    poll_fn(|context| {
        let mut changes = changes.iter_mut();
        match changes.any(|change| change.as_mut().poll(context).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}
