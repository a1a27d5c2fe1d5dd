//! Signals: each one that a terminal, a supervisor or an operator sends has a defined effect.
//!
//! SIGTSTP, SIGSTOP and SIGCONT keep their default, and Rust ignores SIGPIPE.

use std::io::{self, IsTerminal};

/// SIGTERM, SIGINT (Ctrl-C) and SIGQUIT (Ctrl-\, and what some supervisors send); on Windows Ctrl-C.
#[derive(Debug)]
pub struct ShutdownSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    quit: tokio::signal::unix::Signal,
}

impl ShutdownSignals {
    /// Registers their handlers; without these the signals would end the process.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let terminate = signal(SignalKind::terminate())?;
            let interrupt = signal(SignalKind::interrupt())?;
            let quit = signal(SignalKind::quit())?;
            Ok(Self { terminate, interrupt, quit })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// An operator asks to load files again.
    Reload,
    /// The terminal that the program was started in has closed.
    TerminalClosed,
}

/// SIGHUP.
#[derive(Debug)]
pub struct Hangups {
    had_terminal: bool,
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangups {
    /// Registers the handler; without one SIGHUP would end the process.
    pub fn listen() -> io::Result<Self> {
        let had_terminal = has_terminal();
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { had_terminal, signal: signal(SignalKind::hangup())? })
        }
        #[cfg(not(unix))]
        Ok(Self { had_terminal })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Hangup {
        #[cfg(unix)]
        let is_sent = self.signal.recv().await.is_some();
        #[cfg(not(unix))]
        let is_sent = false;
        if !is_sent {
            std::future::pending::<()>().await;
        }
        if self.had_terminal && !has_terminal() { Hangup::TerminalClosed } else { Hangup::Reload }
    }
}

/// A terminal that has closed is none: it answers no question (`EIO`).
fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

/// Registers handlers for signals that would end the process and mean nothing to it.
pub fn ignore_others() -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        for (number, name) in
            [(Signal::USR1, "SIGUSR1"), (Signal::USR2, "SIGUSR2"), (Signal::ALARM, "SIGALRM")]
        {
            let mut received = signal(SignalKind::from_raw(number.as_raw()))?;
            tokio::spawn(async move {
                while received.recv().await.is_some() {
                    tracing::info!("{name} has no effect");
                }
            });
        }
        // With a handler, a write beyond a limit of file sizes fails as on a full disk. It is not logged: if
        // the log is over the limit, each line would cause the next one. The handler outlives this value.
        drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    }
    Ok(())
}
