//! The bytes in flight of a connection, of which its address has a share.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Account, Admission, ClientKey, Rejection};

/// How long a request waits while as much is on its way to its address as may be.
const FLIGHT_TIMEOUT: Duration = Duration::from_secs(5);

/// The bytes of a connection that are handed to the system or wait for it, and have not arrived yet. They count until
/// this is dropped.
#[derive(Debug)]
pub(crate) struct Flight {
    admission: Arc<Admission>,
    /// None for a proxy's connection.
    from: Option<ClientKey>,
    counted: usize,
}

impl Flight {
    pub(super) fn new(admission: &Arc<Admission>, from: Option<ClientKey>) -> Self {
        Self { admission: Arc::clone(admission), from, counted: 0 }
    }

    /// How many are counted.
    pub(crate) fn counted(&self) -> usize {
        self.counted
    }

    /// Counts so many instead.
    pub(crate) fn count(&mut self, bytes: usize) {
        if bytes != self.counted {
            self.admission.change_bytes_in_flight(self.from, self.counted, bytes);
            self.counted = bytes;
        }
    }

    /// Whether no more should be handed to the system than it sends at once.
    pub(crate) fn is_share_used(&self) -> bool {
        self.admission.check_flight(self.from).is_err()
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.count(0);
    }
}

impl Account {
    /// Waits until less is in flight to the address than its share.
    pub(crate) async fn flight_share(&self) -> Result<(), Rejection> {
        let from = Some(self.client);
        if self.admission.check_flight(from).is_ok() {
            return Ok(());
        }
        let waiting = async {
            loop {
                let mut arrived = pin!(self.admission.bytes_arrived.notified());
                // From here on, so that nothing that arrives during the check is missed.
                arrived.as_mut().enable();
                if self.admission.check_flight(from).is_ok() {
                    return;
                }
                arrived.await;
            }
        };
        timeout(FLIGHT_TIMEOUT, waiting).await.map_err(|_| Rejection::TooManyBytesInFlight)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{admission::rate_limit::Limit, config::admission::AdmissionSettings, url::Scheme};

    fn admission() -> Arc<Admission> {
        let mut policy = AdmissionSettings::default().into_policy(None, Scheme::Http);
        policy.limits.bytes_in_flight = Limit::at_most(10_000_000);
        policy.limits.bytes_in_flight_per_address = Limit::at_most(5_000_000);
        Admission::new(policy)
    }

    fn flight(admission: &Arc<Admission>, last: u8) -> Flight {
        Flight::new(admission, Some(std::net::IpAddr::from([127, 0, 0, last]).into()))
    }

    #[tokio::test(start_paused = true)]
    async fn request_waits_until_bytes_of_its_address_have_arrived() {
        let admission = admission();
        let account = Account::new(&admission, [127, 0, 0, 1].into());
        let mut flight = flight(&admission, 1);
        flight.count(4_999_999);
        assert_eq!(account.flight_share().now_or_never(), Some(Ok(())));
        flight.count(5_000_000);
        assert!(flight.is_share_used());
        let waiting = tokio::spawn({
            let account = account.clone();
            async move { account.flight_share().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(flight);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(admission.bytes_in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn wait_has_a_bound_and_concerns_nobody_else() {
        let admission = admission();
        let mut flight = flight(&admission, 1);
        flight.count(6_000_000);
        let of = |last| Account::new(&admission, [127, 0, 0, last].into());
        assert_eq!(of(1).flight_share().await, Err(Rejection::TooManyBytesInFlight));
        assert_eq!(of(2).flight_share().now_or_never(), Some(Ok(())));
    }

    /// Three addresses, or a proxy's connections, may use up what there is for all.
    #[tokio::test]
    async fn stranger_gets_answers_also_when_all_is_used() {
        let admission = admission();
        let mut greedy = [flight(&admission, 1), flight(&admission, 2), flight(&admission, 3)];
        for flight in &mut greedy {
            flight.count(4_000_000);
        }
        assert_eq!(admission.bytes_in_flight(), 12_000_000);
        assert!(greedy.iter().all(Flight::is_share_used));
        assert!(Flight::new(&admission, None).is_share_used());
        let mut stranger = flight(&admission, 4);
        stranger.count(1_000_000);
        assert!(!stranger.is_share_used());
        stranger.count(2_000_000);
        assert!(stranger.is_share_used());
    }
}
