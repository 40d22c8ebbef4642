//! Commands that are run at events: by the shell, in the background, a bounded number at a time.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::process::Command;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

/// Commands that run at a time.
const MAX_RUNNING: usize = 16;

/// Commands that wait. If there are more, the oldest is not run: what is newest counts.
const MAX_WAITING: usize = 1_000;

/// Runs commands one after the other, some at a time.
#[derive(Debug)]
pub(super) struct CommandRunner {
    queue: Arc<Queue>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<VecDeque<String>>,
    added: Notify,
}

impl CommandRunner {
    /// One that has nothing to do.
    pub(super) fn start() -> Self {
        let queue = Arc::new(Queue::default());
        Self {
            task: tokio::spawn(work(Arc::clone(&queue))),
            queue,
        }
    }

    /// Runs a command soon.
    pub(super) fn run(&self, command: String) {
        let left_out = self.queue.push(command);
        if let Some(command) = left_out {
            tracing::warn!(command, "not run: too many commands wait");
        }
        self.queue.added.notify_one();
    }
}

impl Drop for CommandRunner {
    /// What runs goes on; what waits is left.
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Queue {
    /// Adds a command; returns the one that is left out for it.
    fn push(&self, command: String) -> Option<String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(command);
        (waiting.len() > MAX_WAITING).then(|| waiting.pop_front())?
    }

    async fn next(&self) -> String {
        loop {
            let added = self.added.notified();
            let next = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.pop_front()
            };
            match next {
                Some(command) => return command,
                None => added.await,
            }
        }
    }
}

async fn work(queue: Arc<Queue>) {
    let places = Arc::new(Semaphore::new(MAX_RUNNING));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let command = queue.next().await;
        tokio::spawn(async move {
            execute(&command).await;
            drop(place);
        });
    }
}

/// Runs a command to its end, in a group of processes of its own, so that it outlives the node.
pub(super) async fn execute(command: &str) {
    let status = Command::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .process_group(0)
        .status();
    match status.await {
        Ok(status) if status.success() => {}
        Ok(status) => tracing::error!(command, %status, "a command failed"),
        Err(error) => tracing::error!(command, %error, "a command can't be run"),
    }
}

/// What is harmless of a text, in single quotes, for a command (Bitcoin Core's `SAFE_CHARS_DEFAULT`).
pub(super) fn quoted(text: &str) -> String {
    let is_safe =
        |letter: &char| letter.is_ascii_alphanumeric() || " .,;-_/:?@()".contains(*letter);
    let safe: String = text.chars().filter(is_safe).collect();
    format!("'{safe}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_a_command_stays_a_text() {
        assert_eq!(quoted("disk: full (1)"), "'disk: full (1)'");
        assert_eq!(quoted("';rm -rf $HOME`a`\n'"), "';rm -rf HOMEa'");
    }

    #[test]
    fn the_oldest_of_too_many_is_left_out() {
        let queue = Queue::default();
        for number in 0..MAX_WAITING {
            assert_eq!(queue.push(number.to_string()), None);
        }
        assert_eq!(queue.push("last".to_owned()), Some("0".to_owned()));
    }
}
