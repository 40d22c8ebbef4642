//! Follows the work source: puts each new template on the board, on a thread of its own.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::sync::watch;

use super::board::Board;
use crate::Template;

type Templates = watch::Receiver<Option<Arc<Template>>>;

/// Why a wait ended.
enum Event {
    Changed,
    Closed,
    Stopping,
}

/// Runs until the board stops; whoever stops it unparks this thread afterwards.
pub(super) fn follow(board: &Board, mut templates: Templates) {
    loop {
        let template = templates.borrow_and_update().clone();
        board.publish(template);
        match wait(board, &mut templates) {
            Event::Changed => {}
            Event::Closed => {
                tracing::debug!("the work source is gone");
                board.publish(None);
                return;
            }
            Event::Stopping => return,
        }
    }
}

/// Waits for a change without an async runtime.
fn wait(board: &Board, templates: &mut Templates) -> Event {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut changed = pin!(templates.changed());
    loop {
        if board.is_stopping() {
            return Event::Stopping;
        }
        match changed.as_mut().poll(&mut context) {
            Poll::Ready(Ok(())) => return Event::Changed,
            Poll::Ready(Err(_)) => return Event::Closed,
            // An unpark that came since the checks above makes this return at once.
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
