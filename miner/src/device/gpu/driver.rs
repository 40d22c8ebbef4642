//! The thread that calls OpenCL. Who mines talks to it by messages and never waits longer than it wants: a driver that hangs keeps
//! this thread, and nothing else.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::patience::Patience;
use super::queue::{Found, Launch, Queue};
use crate::GpuError;

/// Launches on their way at a time: one that the device works at, and one that waits for it.
pub(super) const DEPTH: usize = 2;

/// How long the end of a device waits for its thread to give everything back. A thread that hangs is left alone.
const FAREWELL: Duration = Duration::from_secs(2);

/// Between two looks at what came of an opening.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

enum Command {
    Launch(Launch),
    Collect,
}

/// What the thread says first: what came of the opening.
type Opening<T> = Result<T, GpuError>;

/// A queue on a thread of its own.
pub(super) struct Driver {
    name: String,
    /// Taken at the end, which tells the thread to go.
    commands: Option<SyncSender<Command>>,
    answers: Receiver<Result<Found, GpuError>>,
}

impl Driver {
    /// Opens a queue on a new thread, and waits so long for it. `open` may say something about what it opened.
    pub(super) fn open<Q, T>(
        name: &str,
        within: Duration,
        open: impl FnOnce() -> Result<(Q, T), GpuError> + Send + 'static,
    ) -> Result<(Self, T), GpuError>
    where
        Q: Queue,
        T: Send + 'static,
    {
        let (commands, orders) = sync_channel(2 * DEPTH + 1);
        let (reply, answers) = sync_channel(DEPTH + 1);
        let (opened, opening) = sync_channel::<Opening<T>>(1);
        std::thread::Builder::new()
            .name(format!("{name}-driver"))
            .spawn(move || match open() {
                Ok((queue, about)) => {
                    if opened.send(Ok(about)).is_ok() {
                        drive(queue, &orders, &reply);
                    }
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|source| GpuError::Thread {
                reason: source.to_string(),
            })?;
        let mut patience = Patience::new(within, BETWEEN_LOOKS, Instant::now());
        let about = loop {
            match opening.recv_timeout(BETWEEN_LOOKS) {
                Ok(opening) => break opening?,
                Err(RecvTimeoutError::Timeout) if patience.is_over(Instant::now()) => {
                    return Err(hangs(name, within));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone(name)),
            }
        };
        let driver = Self {
            name: name.to_owned(),
            commands: Some(commands),
            answers,
        };
        Ok((driver, about))
    }

    /// Puts a launch into the queue. At most [`DEPTH`] may be on their way.
    pub(super) fn launch(&self, launch: Launch) -> Result<(), GpuError> {
        self.send(Command::Launch(launch))
    }

    /// Asks for the result of the oldest launch, which [`Self::answer`] gives when it is there.
    pub(super) fn ask(&self) -> Result<(), GpuError> {
        self.send(Command::Collect)
    }

    /// The answer to the oldest question, if it comes within this time.
    pub(super) fn answer(&self, within: Duration) -> Result<Option<Found>, GpuError> {
        match self.answers.recv_timeout(within) {
            Ok(answer) => answer.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(gone(&self.name)),
        }
    }

    fn send(&self, command: Command) -> Result<(), GpuError> {
        let Some(commands) = &self.commands else {
            return Err(gone(&self.name));
        };
        commands.try_send(command).map_err(|error| match error {
            // The thread takes nothing any more.
            TrySendError::Full(_) => hangs(&self.name, Duration::ZERO),
            // It ended at an error, which is still to be read.
            TrySendError::Disconnected(_) => match self.answers.try_iter().find_map(Result::err) {
                Some(error) => error,
                None => gone(&self.name),
            },
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.commands = None;
        // Nothing is sent any more: the thread has ended when its sender is gone, after what was still on its way.
        let deadline = Instant::now() + FAREWELL;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    tracing::warn!(device = self.name, "the driver does not end, and is left");
                    return;
                }
            }
        }
    }
}

fn drive(
    mut queue: impl Queue,
    orders: &Receiver<Command>,
    reply: &SyncSender<Result<Found, GpuError>>,
) {
    while let Ok(command) = orders.recv() {
        let answer = match command {
            Command::Launch(launch) => match queue.launch(&launch) {
                Ok(()) => continue,
                Err(error) => Err(error),
            },
            Command::Collect => queue.collect(),
        };
        let failed = answer.is_err();
        if reply.send(answer).is_err() || failed {
            break;
        }
    }
    drop(queue);
}

fn hangs(name: &str, waited: Duration) -> GpuError {
    GpuError::Hangs {
        device: name.to_owned(),
        waited_s: waited.as_secs(),
    }
}

fn gone(name: &str) -> GpuError {
    GpuError::Gone {
        device: name.to_owned(),
    }
}
