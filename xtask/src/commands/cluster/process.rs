//! A process of the cluster: it is started again if it ends, and ends with the cluster.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::output::failure::{Context, Failure, Outcome};

/// As a service manager would do it: long enough to see what happens meanwhile.
pub(super) const RESTART_PAUSE: Duration = Duration::from_secs(5);

/// The limit for a start; it only ends a hang.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A server needs about 4 s to say goodbye to its sockets.
const END_TIMEOUT: Duration = Duration::from_secs(10);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A process that has started. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    command: Command,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with its output in a file of this folder, and waits until it says there that it is ready:
    /// another program may have its port, so a connection would prove nothing.
    pub(super) async fn start(
        name: &str,
        command: std::process::Command,
        ready: &str,
        folder: &Path,
    ) -> Outcome<Self> {
        let log = folder.join(format!("{}.log", name.replace(' ', "-")));
        let could_not = || format!("Could not start {name}");
        let output = File::create(&log).with_context(could_not)?;
        let mut command = Command::from(command);
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().with_context(could_not)?)
            .stderr(output)
            // Ctrl-C reaches the terminal's group: the servers have to end before the engine.
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().with_context(could_not)?;
        let mut process = Self { name: name.to_owned(), command, child, log };
        timeout(START_TIMEOUT, process.says(ready))
            .await
            .map_err(|_elapsed| process.failure("is not ready in time"))??;
        Ok(process)
    }

    async fn says(&mut self, ready: &str) -> Outcome {
        while !self.log().contains(ready) {
            if matches!(self.child.try_wait(), Ok(Some(_status))) {
                return Err(self.failure("ended at once"));
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn failure(&self, what: &str) -> Failure {
        let log = self.log();
        Failure::new(format!(
            "Could not start {}: it {what}. Its log:\n{}",
            self.name,
            log.trim_end()
        ))
    }

    /// Its process id, or 0 if it has ended.
    pub(super) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Starts it again whenever it ends, until all should stop; then ends it.
    pub(super) async fn supervise(mut self, mut stop: watch::Receiver<()>) {
        let name = self.name.clone();
        loop {
            tokio::select! {
                ended = self.child.wait() => match ended {
                    Ok(status) => println!("{name}: ended ({status})"),
                    Err(error) => println!("{name}: can't be observed: {error}"),
                },
                _ = stop.changed() => return self.end().await,
            }
            tokio::select! {
                () = sleep(RESTART_PAUSE) => {}
                _ = stop.changed() => return,
            }
            match self.command.spawn() {
                Ok(child) => {
                    self.child = child;
                    println!("{name}: started again, pid {}", self.id());
                }
                Err(error) => println!("{name}: can't be started again: {error}"),
            }
        }
    }

    /// Asks it to end, and kills it if that takes too long.
    pub(super) async fn end(mut self) {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
            // It may be stopped: then it gets the first signal with the second one.
            for signal in [Signal::TERM, Signal::CONT] {
                // It may have ended just now.
                let _ = kill_process(pid, signal);
            }
        }
        if timeout(END_TIMEOUT, self.child.wait()).await.is_err() {
            drop(self.child.kill().await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> std::process::Command {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn process_is_ready_when_it_says_so_and_ends_with_the_cluster() {
        let folder = tempfile::tempdir().unwrap();
        // A process that is stopped is woken to end.
        let script = "echo Ready; kill -STOP $$; while :; do sleep 1; done";
        let process = Process::start("one", shell(script), "Ready", folder.path()).await.unwrap();
        let id = Pid::from_raw(process.id().try_into().unwrap()).unwrap();
        let (stop, stopped) = watch::channel(());
        let supervised = tokio::spawn(process.supervise(stopped));
        drop(stop);
        supervised.await.unwrap();
        assert!(rustix::process::test_kill_process(id).is_err());
    }

    #[tokio::test]
    async fn process_that_ends_at_once_is_a_failure_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let script = shell("echo the port is taken >&2; exit 69");
        let failure = Process::start("two", script, "Ready", folder.path()).await.unwrap_err();
        let sentence = "Could not start two: it ended at once. Its log:\nthe port is taken";
        assert_eq!(failure.to_string(), sentence);
    }
}
