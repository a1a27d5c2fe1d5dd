//! Work that takes processor time, on threads beside those that serve sockets: rendering, writing lists, compression.

mod queue;
mod threads;

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::oneshot, time::timeout};

use self::threads::{Job, Threads};
use crate::{admission::Account, processor_time::measured};

/// Does work on the threads that all of it shares. Cloning it is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Offload {
    threads: Arc<Threads>,
}

/// Why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OffloadError {
    #[error("The server is busy. Try again in some seconds.")]
    Busy,
    #[error("The work panicked.")]
    Panicked,
}

impl Offload {
    /// Starts the threads, which end when the last clone is dropped.
    pub(crate) fn start() -> io::Result<Self> {
        Ok(Self { threads: Arc::new(Threads::start()?) })
    }

    /// Does the work when it is its turn, and charges the account what it takes, also if nobody waits for it any more.
    /// Work that does not begin within `longest_wait` is not done, nor is work whose caller has gone before.
    ///
    /// Work of addresses that have used the least processor time lately is next. So the caller of a greedy address waits
    /// for strangers, and not the other way round. It holds one of its address's [turns](Account::turn), so that no
    /// address fills the queue.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        account: Account,
        longest_wait: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        let (begins, begun) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        let used = account.used();
        let job: Job = Box::new(move || {
            if begins.send(()).is_err() {
                return;
            }
            let (result, took) = measured(work);
            account.charge(took);
            // Nobody waits for it any more.
            let _ = ends.send(result);
        });
        self.threads.push(used, job);
        // Where too much waits, the job was dropped, and this ends with an error.
        let Ok(Ok(())) = timeout(longest_wait, begun).await else { return Err(OffloadError::Busy) };
        ended.await.map_err(|_| OffloadError::Panicked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{
        admission::Admission,
        config::admission::AdmissionSettings,
        processor_time::{cores, of_this_thread},
        url::Scheme,
    };

    const LONG: Duration = Duration::from_mins(1);

    fn admission(burst: Duration) -> Arc<Admission> {
        let settings = AdmissionSettings {
            processor_burst_per_address: burst,
            ..AdmissionSettings::default()
        };
        Admission::new(settings.into_policy(None, Scheme::Http))
    }

    fn account(admission: &Arc<Admission>, last: u8) -> Account {
        Account::new(admission, [127, 0, 0, last].into())
    }

    /// Occupies all threads that work for such an account, until the returned sender is dropped.
    async fn occupy(offload: &Offload, account: &Account) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(std::sync::Mutex::new(released));
        for _ in 0..cores() {
            let (begins, begun) = oneshot::channel();
            let (offload, account, released) =
                (offload.clone(), account.clone(), Arc::clone(&released));
            tokio::spawn(async move {
                let work = move || {
                    begins.send(()).unwrap();
                    let _ = released.lock().map(|released| released.recv());
                };
                offload.run(account, LONG, work).await
            });
            begun.await.unwrap();
        }
        release
    }

    #[tokio::test]
    async fn work_whose_turn_does_not_come_is_not_done() {
        let (offload, admission) = (Offload::start().unwrap(), admission(LONG));
        let account = account(&admission, 1);
        let release = occupy(&offload, &account).await;
        let (done, is_done) = mpsc::channel();
        let late = offload.run(account.clone(), Duration::from_millis(1), move || done.send(()));
        assert_eq!(late.await, Err(OffloadError::Busy));
        drop(release);
        assert_eq!(offload.run(account, LONG, || 7).await, Ok(7));
        // It came first, and was dropped.
        assert_eq!(is_done.recv(), Err(mpsc::RecvError));
    }

    #[tokio::test]
    async fn work_is_charged_and_a_panic_ends_only_the_work() {
        let (offload, admission) = (Offload::start().unwrap(), admission(Duration::from_micros(1)));
        let account = account(&admission, 1);
        assert_eq!(account.check(), Ok(()));
        let work = || {
            let before = of_this_thread();
            while of_this_thread().saturating_sub(before) < Duration::from_millis(1) && cfg!(unix) {
                std::hint::black_box(0);
            }
        };
        offload.run(account.clone(), LONG, work).await.unwrap();
        assert!(account.check().is_err() || cfg!(not(unix)));
        for _ in 0..=2 * cores() {
            let panicked = offload.run::<()>(account.clone(), LONG, || panic!("on purpose")).await;
            assert_eq!(panicked, Err(OffloadError::Panicked));
        }
        assert_eq!(offload.run(account, LONG, || 7).await, Ok(7));
    }

    /// However much one address asks for, and however long each piece of it takes.
    #[tokio::test]
    async fn stranger_waits_for_no_work_of_an_address_that_has_used_much() {
        let (offload, admission) = (Offload::start().unwrap(), admission(LONG));
        let (greedy, stranger) = (account(&admission, 1), account(&admission, 2));
        greedy.charge(LONG / 2);
        // Its work never ends by itself.
        let release = occupy(&offload, &greedy).await;
        assert_eq!(offload.run(stranger, LONG, || 7).await, Ok(7));
        drop(release);
    }

    #[tokio::test]
    async fn threads_end_with_the_last_clone() {
        let offload = Offload::start().unwrap();
        let threads = Arc::downgrade(&offload.threads);
        let (account, clone) = (account(&admission(LONG), 1), offload.clone());
        drop(offload);
        assert_eq!(clone.run(account, LONG, || 7).await, Ok(7));
        drop(clone);
        assert!(threads.upgrade().is_none());
    }
}
