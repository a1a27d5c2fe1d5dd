//! The account of an address: what its answers cost is charged to it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{Admission, ClientKey, Rejection};
use crate::processor_time::{cores_but_one, measured};

/// How long a request waits while the server works on others of its address: so long a thousand pages take on a machine
/// that needs 20 ms of one core for each.
const TURN_TIMEOUT: Duration = Duration::from_secs(20);

/// To copy a byte to the kernel, and perhaps to encrypt it: 10 ms for a MB. It is more than that costs, so that the
/// budget bounds what an address takes of the line as well: at the default rate 25 MB a second.
const PRICE_OF_BYTE: Duration = Duration::from_nanos(10);

/// The price of sending so many bytes.
pub(super) fn price_of_bytes(bytes: u64) -> Duration {
    PRICE_OF_BYTE.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// Whom an answer is charged to: the address of the client that asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(super) admission: Arc<Admission>,
    pub(super) client: ClientKey,
}

/// The right to use a processor for a while, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(
    #[expect(dead_code, reason = "it counts until it is dropped")] Option<OwnedSemaphorePermit>,
);

impl Account {
    pub(crate) fn new(admission: &Arc<Admission>, client: IpAddr) -> Self {
        Self { admission: Arc::clone(admission), client: client.into() }
    }

    pub(super) fn of(admission: &Arc<Admission>, client: ClientKey) -> Self {
        Self { admission: Arc::clone(admission), client }
    }

    /// Whether the address is within its budget.
    pub(crate) fn check(&self) -> Result<(), Rejection> {
        self.admission.check_budget(self.client)
    }

    /// How much processor time of its budget the address has used and was not granted again; none without a budget.
    pub(crate) fn used(&self) -> Duration {
        self.admission.used_of_budget(self.client)
    }

    /// Charges what an answer has cost.
    pub(crate) fn charge(&self, cost: Duration) {
        self.admission.charge(self.client, cost);
    }

    /// Waits while other requests of this address begin: see [`pace`](super::pace).
    pub(crate) async fn begin(&self) {
        if let Some(pace) = self.admission.pace(self.client) {
            pace.begin().await;
        }
    }

    /// Waits until fewer than [`turns`] requests of this address are worked on.
    ///
    /// The threads of the server take tasks in the order in which they became ready. So without turns, somebody else's
    /// page would wait for all that one address has asked for.
    pub(crate) async fn turn(&self) -> Result<Turn, Rejection> {
        let Some(turns) = self.admission.turns(self.client) else { return Ok(Turn(None)) };
        match timeout(TURN_TIMEOUT, turns.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn(Some(permit))),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(Rejection::TooManyRequestsPerAddress),
        }
    }
}

/// What something costs so far. The account is charged when this is dropped, also if the client has gone.
#[derive(Debug)]
pub(crate) struct Bill {
    account: Account,
    cost: Duration,
}

impl Bill {
    pub(crate) fn new(account: Account) -> Self {
        Self { account, cost: Duration::ZERO }
    }

    /// Adds a fixed price.
    pub(crate) fn add(&mut self, price: Duration) {
        self.cost += price;
    }

    /// Adds the price of sending so many bytes.
    pub(crate) fn add_bytes(&mut self, bytes: u64) {
        self.add(price_of_bytes(bytes));
    }

    /// Does the work, and adds the processor time that it takes.
    pub(crate) fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (result, took) = measured(work);
        self.cost += took;
        result
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        self.account.charge(self.cost);
    }
}

/// The turns of one address: one core is left for everybody else.
pub(super) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(cores_but_one()))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{config::admission::AdmissionSettings, url::Scheme};

    fn account(admission: &Arc<Admission>, last: u8) -> Account {
        Account::new(admission, [127, 0, 0, last].into())
    }

    fn admission(settings: AdmissionSettings) -> Arc<Admission> {
        Admission::new(settings.into_policy(None, Scheme::Http))
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_one_address_wait_for_each_other_and_for_nobody_else() {
        let admission = admission(AdmissionSettings::default());
        let greedy = account(&admission, 1);
        let mut all = Vec::new();
        for _ in 0..turns().available_permits() {
            all.push(greedy.turn().await.unwrap());
        }
        assert!(greedy.turn().now_or_never().is_none());
        assert!(account(&admission, 2).turn().now_or_never().is_some());
        // The wait has a bound.
        let refused = greedy.turn().await.map(|_| ());
        assert_eq!(refused, Err(Rejection::TooManyRequestsPerAddress));
        all.pop();
        assert!(greedy.turn().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_budget_there_are_no_turns() {
        let off = AdmissionSettings {
            processor_burst_per_address: Duration::ZERO,
            ..AdmissionSettings::default()
        };
        let admission = admission(off);
        let account = account(&admission, 1);
        let all: Vec<_> = (0..1_000).filter_map(|_| account.turn().now_or_never()).collect();
        assert_eq!(all.len(), 1_000);
        account.charge(Duration::from_hours(1));
        assert_eq!(account.check(), Ok(()));
    }
}
