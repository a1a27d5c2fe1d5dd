//! Results that many requests need, and that are made once.
//!
//! Requests that ask for the same while it is made wait for it. Finished results are kept for a while, within a bound in
//! bytes.

mod slots;

use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use self::slots::Slots;

/// How long a request waits for others that make the same.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Results by what they are of.
#[derive(Debug)]
pub(crate) struct SharedResults<Key, Value> {
    slots: Mutex<Slots<Key, Slot<Value>>>,
    lifetime: Duration,
}

/// Locked while its result is made.
type Slot<Value> = Arc<tokio::sync::Mutex<Option<Made<Value>>>>;

#[derive(Debug)]
struct Made<Value> {
    value: Value,
    /// When the making began: the value has all that happened before.
    began: Instant,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GetError<MakeError> {
    /// It was not this request's turn in time.
    Busy,
    /// The making panicked.
    Panicked,
    /// It failed.
    Failed(MakeError),
}

impl<Key, Value> SharedResults<Key, Value>
where
    Key: Clone + Eq + Hash + Send + 'static,
    Value: Clone + Send + 'static,
{
    /// Results of at most so many bytes together, none of them older than `lifetime`.
    pub(crate) fn new(most_bytes: usize, lifetime: Duration) -> Arc<Self> {
        Arc::new(Self { slots: Mutex::new(Slots::new(most_bytes)), lifetime })
    }

    /// The result of this key, if one is kept that `is_current` accepts.
    pub(crate) fn kept(&self, key: &Key, is_current: impl Fn(&Value) -> bool) -> Option<Value> {
        let now = Instant::now();
        let slot = self.lock().slot(key, now, self.lifetime).try_lock_owned().ok()?;
        self.fresh(slot.as_ref()?, now, is_current)
    }

    /// The same for a request of the time `asked`. Where there is none, it is made; `size` is its number of bytes.
    ///
    /// It is made to its end also if the client that asked for it goes away, so that the others need not begin again.
    pub(crate) async fn get<MakeError: Send + 'static>(
        self: &Arc<Self>,
        key: Key,
        asked: Instant,
        is_current: impl Fn(&Value) -> bool,
        size: fn(&Value) -> usize,
        make: impl Future<Output = Result<Value, MakeError>> + Send + 'static,
    ) -> Result<Value, GetError<MakeError>> {
        let slot = self.lock().slot(&key, Instant::now(), self.lifetime);
        let Ok(mut slot) = timeout(LONGEST_WAIT, slot.lock_owned()).await else {
            return Err(GetError::Busy);
        };
        if let Some(value) = slot.as_ref().and_then(|made| self.fresh(made, asked, is_current)) {
            return Ok(value);
        }
        let results = Arc::clone(self);
        let making = tokio::spawn(async move {
            let began = Instant::now();
            let value = make.await?;
            results.lock().keep(&key, size(&value));
            *slot = Some(Made { value: value.clone(), began });
            Ok(value)
        });
        making.await.map_err(|_| GetError::Panicked)?.map_err(GetError::Failed)
    }

    fn fresh(
        &self,
        made: &Made<Value>,
        asked: Instant,
        is_current: impl Fn(&Value) -> bool,
    ) -> Option<Value> {
        // What was made after this client asked has all that it can know of.
        let is_fresh = made.began >= asked
            || (made.began.elapsed() < self.lifetime && is_current(&made.value));
        is_fresh.then(|| made.value.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Slots<Key, Slot<Value>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Makes numbers, each one higher than the last.
    #[derive(Clone, Default)]
    struct Maker {
        made: Arc<AtomicUsize>,
        may_end: Arc<Notify>,
    }

    impl Maker {
        async fn make(self) -> Result<usize, Infallible> {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            // Paused time passes only where nothing else would ever happen.
            timeout(60 * SECOND, self.may_end.notified()).await.unwrap();
            Ok(number)
        }

        async fn get(
            &self,
            results: &Arc<SharedResults<u8, usize>>,
            is_current: bool,
        ) -> Result<usize, GetError<Infallible>> {
            let (asked, make) = (Instant::now(), self.clone().make());
            results.get(1, asked, |_| is_current, |_| 100, make).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_ask_at_once_get_one_result() {
        let (results, maker) = (SharedResults::new(1_000, SECOND), Maker::default());
        maker.may_end.notify_one();
        let asking: Vec<_> = (0..50).map(|_| maker.get(&results, false)).collect();
        // The first one asks before it begins, and so do all others.
        assert!(join_all(asking).await.into_iter().all(|result| result == Ok(0)));
        assert_eq!(maker.made.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn result_is_kept_while_it_is_current_and_young() {
        let (results, maker) = (SharedResults::new(1_000, SECOND), Maker::default());
        for (wait, is_current, expected) in [
            (Duration::ZERO, true, 0),
            (SECOND / 2, true, 0),
            // What it was made of has changed.
            (Duration::from_millis(1), false, 1),
            (SECOND / 2, true, 1),
            (SECOND, true, 2),
        ] {
            tokio::time::advance(wait).await;
            maker.may_end.notify_one();
            let kept = results.kept(&1, |_| is_current);
            let result = maker.get(&results, is_current).await;
            assert_eq!(result, Ok(expected));
            assert!(kept.is_none_or(|kept| kept == expected), "{kept:?}");
        }
    }

    /// Else whoever asks and goes away again could let it be made for nothing, again and again.
    #[tokio::test(start_paused = true)]
    async fn result_is_made_to_its_end_when_the_client_goes_away() {
        let (results, maker) = (SharedResults::new(1_000, SECOND), Maker::default());
        assert!(timeout(SECOND / 4, maker.get(&results, true)).await.is_err());
        let second = maker.get(&results, true);
        maker.may_end.notify_one();
        assert_eq!(second.await, Ok(0));
    }

    #[tokio::test(start_paused = true)]
    async fn wait_has_a_bound_and_a_panic_is_no_end() {
        let (results, maker) = (SharedResults::new(1_000, SECOND), Maker::default());
        let first = tokio::spawn({
            let (results, maker) = (Arc::clone(&results), maker.clone());
            async move { maker.get(&results, true).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(maker.get(&results, true).await, Err(GetError::Busy));
        maker.may_end.notify_one();
        assert_eq!(first.await.unwrap(), Ok(0));
        tokio::time::advance(2 * SECOND).await;
        let panics = async { panic!("on purpose") };
        let asked = Instant::now();
        let result = results.get::<Infallible>(1, asked, |_| true, |_| 100, panics).await;
        assert_eq!(result, Err(GetError::Panicked));
        maker.may_end.notify_one();
        assert_eq!(maker.get(&results, true).await, Ok(1));
    }
}
