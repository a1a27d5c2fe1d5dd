//! Work that takes long, on threads beside those that serve sockets.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::{
    admission::Account,
    processor_time::{cores_but_one, measured},
};

/// Does work on other threads, so much at a time that one core is left for the sockets.
#[derive(Clone, Debug)]
pub(crate) struct Offload {
    permits: Arc<Semaphore>,
    longest_wait: Duration,
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
    /// On all cores but one, and on one at least. Work that does not get its turn for so long is not done.
    pub(crate) fn new(longest_wait: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(cores_but_one())), longest_wait }
    }

    /// Does the work when it is its turn, and charges the account what it takes, also if nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        account: Account,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        let wait = timeout(self.longest_wait, Arc::clone(&self.permits).acquire_owned());
        // The semaphore is never closed.
        let Ok(Ok(permit)) = wait.await else { return Err(OffloadError::Busy) };
        let done = spawn_blocking(move || {
            let (result, took) = measured(work);
            account.charge(took);
            drop(permit);
            result
        });
        done.await.map_err(|_| OffloadError::Panicked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admission::Admission, config::admission::AdmissionSettings, url::Scheme};

    fn account(burst: Duration) -> Account {
        let settings = AdmissionSettings {
            processor_burst_per_address: burst,
            ..AdmissionSettings::default()
        };
        let admission = Admission::new(settings.into_policy(None, Scheme::Http));
        Account::new(&admission, [127, 0, 0, 1].into())
    }

    #[tokio::test(start_paused = true)]
    async fn work_whose_turn_does_not_come_is_not_done() {
        let offload = Offload::new(Duration::from_secs(10));
        let account = account(Duration::from_secs(10));
        let number = u32::try_from(offload.permits.available_permits()).unwrap();
        let all = offload.permits.acquire_many(number).await.unwrap();
        assert_eq!(offload.run(account.clone(), || 7).await, Err(OffloadError::Busy));
        drop(all);
        assert_eq!(offload.run(account, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn work_is_charged_and_a_panic_ends_only_the_work() {
        let offload = Offload::new(Duration::from_secs(10));
        let account = account(Duration::from_micros(1));
        assert_eq!(account.check(), Ok(()));
        // Some microseconds of work.
        let sum = offload.run(account.clone(), || (0..1_000_000_u64).fold(0, u64::wrapping_add));
        sum.await.unwrap();
        assert!(account.check().is_err() || cfg!(not(unix)));
        let panicked = offload.run::<()>(account.clone(), || panic!("on purpose")).await;
        assert_eq!(panicked, Err(OffloadError::Panicked));
        assert_eq!(offload.run(account, || 7).await, Ok(7));
    }
}
