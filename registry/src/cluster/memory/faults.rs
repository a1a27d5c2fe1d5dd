//! What can go wrong with an engine, and with the network to it.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use fastrand::Rng;

/// What goes wrong at present.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Whether the engine answers.
    pub availability: Availability,
    /// How long a request, an answer or a message takes, in milliseconds.
    pub latency: Range<u64>,
    /// The clients that are cut off, and how. They are not told.
    pub partitions: BTreeMap<usize, Partition>,
    /// The share of published entries that do not arrive at a subscriber, from 0 to 1.
    pub lost_messages: f64,
    /// The clients whose next append takes at least so long, whatever they send meanwhile over other links.
    pub delayed_appends: BTreeMap<usize, Duration>,
    /// Whether appends are refused.
    pub is_out_of_memory: bool,
}

/// Whether the engine answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Availability {
    /// It does.
    #[default]
    Up,
    /// Connections are accepted, and no request is answered.
    Hanging,
    /// Connections are refused.
    Away,
}

/// What does not pass between a client and the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partition {
    /// Everything passes.
    #[default]
    None,
    /// Neither requests nor what the engine sends.
    Both,
    /// Requests arrive, and what the engine sends does not.
    Answers,
}

/// The faults that one request meets.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientFaults {
    pub(super) there: Duration,
    pub(super) back: Duration,
    pub(super) partition: Partition,
}

impl Faults {
    pub(super) fn is_reachable(&self, client: usize) -> bool {
        self.availability != Availability::Away && self.partition(client) == Partition::None
    }

    pub(super) fn draw(&self, rng: &mut Rng, client: usize) -> ClientFaults {
        let mut latency = || {
            let milliseconds =
                if self.latency.is_empty() { 0 } else { rng.u64(self.latency.clone()) };
            Duration::from_millis(milliseconds)
        };
        ClientFaults { there: latency(), back: latency(), partition: self.partition(client) }
    }

    fn partition(&self, client: usize) -> Partition {
        self.partitions.get(&client).copied().unwrap_or_default()
    }
}
