//! Signals: each one that a terminal, a supervisor or an operator sends has a defined effect.
//!
//! SIGTSTP, SIGSTOP and SIGCONT keep their default, and Rust ignores SIGPIPE.

use std::io::{self, IsTerminal};
#[cfg(unix)]
use std::task::Poll;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, SIGINT (Ctrl-C) and SIGQUIT (Ctrl-\, and what some supervisors send), what stops a container with an
/// init process of its own, and SIGXCPU; on Windows Ctrl-C.
#[derive(Debug)]
pub struct ShutdownSignals {
    #[cfg(unix)]
    signals: Vec<Signal>,
    /// SIGXCPU: the limit of processor time is exceeded. The kernel repeats it each second, which asks for no haste,
    /// so only the first one counts.
    #[cfg(unix)]
    processor_limit: Option<Signal>,
}

impl ShutdownSignals {
    /// Registers their handlers; without these the signals would end the process.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            let mut kinds =
                vec![SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
            #[cfg(target_os = "linux")]
            kinds.extend([
                // As LXC stops a container.
                SignalKind::from_raw(rustix::process::Signal::POWER.as_raw()),
                // SIGRTMIN+3, as systemd-nspawn does (systemd(1), "Signals"), counted from glibc's SIGRTMIN.
                SignalKind::from_raw(34 + 3),
            ]);
            let processor_limit = SignalKind::from_raw(rustix::process::Signal::XCPU.as_raw());
            Ok(Self {
                signals: kinds.into_iter().map(signal).collect::<io::Result<_>>()?,
                processor_limit: Some(signal(processor_limit)?),
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        {
            let received = std::future::poll_fn(|context| {
                let mut signals = self.signals.iter_mut().chain(&mut self.processor_limit);
                if signals.any(|signal| signal.poll_recv(context).is_ready()) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            });
            received.await;
            self.processor_limit = None;
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
    signal: Signal,
}

impl Hangups {
    /// Registers the handler; without one SIGHUP would end the process.
    pub fn listen() -> io::Result<Self> {
        let had_terminal = has_terminal();
        #[cfg(unix)]
        {
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
