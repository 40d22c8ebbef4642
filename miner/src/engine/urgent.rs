//! What a device's thread must not do itself, because it gives way to everybody else and could wait for a quiet machine: to submit a
//! block. A thread of the usual priority does it; one that gives way can't take its priority back, nor can what it starts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use super::lock::lock;

type Task = Box<dyn FnOnce() + Send>;

/// The way to the thread. Devices wait for what they ask for, so that there are never more tasks than devices.
pub(super) struct Urgent {
    tasks: Mutex<Option<Sender<Task>>>,
}

/// The thread's end.
pub(super) struct UrgentTasks(Receiver<Task>);

impl Urgent {
    pub(super) fn new() -> (Self, UrgentTasks) {
        let (sender, receiver) = channel();
        let tasks = Mutex::new(Some(sender));
        (Self { tasks }, UrgentTasks(receiver))
    }

    /// Does `work` on the thread, and waits for it.
    ///
    /// # Panics
    /// When the work does.
    pub(super) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, answered) = sync_channel(1);
        let task = Box::new(move || {
            // Who asked waits for it.
            let _ = answer.send(work());
        });
        if let Some(tasks) = &*lock(&self.tasks) {
            // If it does not get there, the answer is gone too.
            let _ = tasks.send(task);
        }
        answered
            .recv()
            .expect("the thread outlives the devices, and answers unless the work panics")
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        lock(&self.tasks).take();
    }
}

impl UrgentTasks {
    /// Runs until the way here is closed.
    pub(super) fn run(self) {
        for task in self.0 {
            if catch_unwind(AssertUnwindSafe(task)).is_err() {
                tracing::error!("the submission of a block panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_there_and_a_panic_ends_none_but_who_asked() {
        let (urgent, tasks) = Urgent::new();
        std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                tasks.run();
                std::thread::current().id()
            });
            let id = urgent.run(|| std::thread::current().id());
            assert_ne!(id, std::thread::current().id());
            let panicked = scope.spawn(|| urgent.run(|| panic!("no ink"))).join();
            assert!(panicked.is_err());
            assert_eq!(urgent.run(|| 7), 7, "it goes on");
            urgent.close();
            assert_eq!(there.join().unwrap(), id);
        });
    }
}
