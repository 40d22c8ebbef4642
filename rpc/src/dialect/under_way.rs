//! What a call holds until its work is over: the task of a client that has gone is dropped, while a thread that works for it
//! goes on until it sees that.

use std::sync::Arc;

use axum::http::Extensions;

use super::active::ActiveCall;
use crate::places::Held;
use crate::work_end::{AskWhenDropped, WorkEnd};

tokio::task_local! {
    static CURRENT: UnderWay;
}

/// A call that is carried out. Work on another thread keeps a clone. What the call holds is free when the last one is dropped.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay(Arc<Call>);

#[derive(Debug)]
struct Call {
    end: WorkEnd,
    _active: ActiveCall,
    _held: Arc<Held>,
}

impl UnderWay {
    /// A call that holds a place. Its work is asked to end when the guard is dropped.
    pub(super) fn begin(active: ActiveCall, held: Arc<Held>) -> (Self, AskWhenDropped) {
        let end = WorkEnd::default();
        let guard = end.ask_when_dropped();
        let call = Call {
            end,
            _active: active,
            _held: held,
        };
        (Self(Arc::new(call)), guard)
    }

    /// What the task that polls the result does is done for this call.
    pub(super) async fn carry_out<T>(self, call: impl Future<Output = T>) -> T {
        CURRENT.scope(self, call).await
    }

    /// The call that the task is carrying out, for work that it leaves to another thread.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// What tells the work of the call with these extensions that its client has gone.
    pub(crate) fn end_of(extensions: &Extensions) -> WorkEnd {
        let call = extensions.get::<Self>();
        call.map(|call| call.0.end.clone()).unwrap_or_default()
    }
}
