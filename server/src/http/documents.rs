//! Documents that show the whole list of a room, and are the same for everybody: each is written and compressed once
//! for a state of the list.

use std::{sync::Arc, time::Duration};

use app::presence::{RoomName, Since};
use axum::{body::Bytes, http::HeaderMap};
use registry::hub::Hub;
use tokio::time::Instant;

use super::{
    compression::{Coding, Effort},
    export::{ExportError, options::ExportOptions},
    offload::{Offload, OffloadError},
    shared_results::{GetError, SharedResults},
};
use crate::{admission::Account, telemetry::metrics::METRICS};

/// All documents that are kept, together.
const MOST_BYTES: usize = 32 << 20;

/// They tell the time, so none is older.
const LIFETIME: Duration = Duration::from_secs(1);

/// How long a document waits to be written or compressed.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Which document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DocumentKind {
    Users,
    /// The room with its list, for a key of the API.
    Room,
    Csv(ExportOptions),
    Text(ExportOptions),
    Workbook(ExportOptions),
    /// For paper, in the language of this tag.
    Print(&'static str, ExportOptions),
}

/// The documents of all rooms.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    kept: Arc<SharedResults<Key, Document>>,
    writing: Offload,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    room: RoomName,
    kind: DocumentKind,
    coding: Coding,
}

/// A document, and the state of the list that it shows.
#[derive(Clone, Debug)]
struct Document {
    position: Since,
    content: Bytes,
}

/// A document as one client accepts it.
#[derive(Clone, Debug)]
pub(crate) struct CodedDocument {
    coding: Coding,
    pub(crate) content: Bytes,
}

impl Documents {
    /// None yet.
    pub(crate) fn new(writing: Offload) -> Self {
        Self { kept: SharedResults::new(MOST_BYTES, LIFETIME), writing }
    }

    /// The document of a room. The first client that asks for a state of the list pays for it.
    pub(crate) async fn get(
        &self,
        hub: &Arc<Hub>,
        account: Account,
        (room, kind): (RoomName, DocumentKind),
        coding: Coding,
        write: impl FnOnce(&RoomName) -> Result<Vec<u8>, ExportError> + Send + 'static,
    ) -> Result<CodedDocument, ExportError> {
        let asked = Instant::now();
        let is_current = |kept: &Document| kept.position == hub.list_position(&room);
        let key = Key { room: room.clone(), kind, coding };
        if let Some(Document { content, .. }) = self.kept.kept(&key, is_current) {
            return Ok(CodedDocument { coding, content });
        }
        // Before the others wait for this one, which must not wait for more requests of its address then.
        let turn = account.turn().await.map_err(|_| ExportError::Busy)?;
        let writing = self.writing.clone();
        let (own_hub, own_room) = (Arc::clone(hub), room.clone());
        let make = async move {
            METRICS.documents_made.count();
            let written = writing.run(account, LONGEST_WAIT, move || {
                // Before the list is read: what changes in between makes the next document.
                let position = own_hub.list_position(&own_room);
                let content = coding.encode(write(&own_room)?, Effort::Much).into();
                drop(turn);
                Ok(Document { position, content })
            });
            written.await?
        };
        let size = |document: &Document| document.content.len();
        let document = self.kept.get(key, asked, is_current, size, make).await?;
        Ok(CodedDocument { coding, content: document.content })
    }
}

impl CodedDocument {
    /// The headers that tell of its coding.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        self.coding.add_headers(&mut headers);
        headers
    }
}

impl From<OffloadError> for ExportError {
    fn from(error: OffloadError) -> Self {
        match error {
            OffloadError::Busy => Self::Busy,
            OffloadError::Panicked => Self::Panicked,
        }
    }
}

impl From<GetError<ExportError>> for ExportError {
    fn from(error: GetError<ExportError>) -> Self {
        match error {
            GetError::Busy => Self::Busy,
            GetError::Panicked => Self::Panicked,
            GetError::Failed(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use registry::presence::{
        join::{JoinKind, JoinRequest},
        room::RoomLimits,
    };

    use super::*;
    use crate::{admission::Admission, config::admission::AdmissionSettings, url::Scheme};

    /// Counts how often a list is written.
    struct Fixture {
        hub: Arc<Hub>,
        admission: Arc<Admission>,
        documents: Documents,
        written: Arc<AtomicUsize>,
    }

    impl Fixture {
        fn new() -> Self {
            let limits = RoomLimits {
                most_people: 100,
                most_connections_per_person: 8,
                keep_attendance: None,
            };
            Self {
                hub: Hub::new(limits),
                admission: Admission::new(
                    AdmissionSettings::default().into_policy(None, Scheme::Http),
                ),
                documents: Documents::new(Offload::start().unwrap()),
                written: Arc::default(),
            }
        }

        /// The number of people, as the document has it, in this coding.
        async fn get(&self, host: u8, coding: Coding) -> Bytes {
            let account = Account::new(&self.admission, [127, 0, 0, host].into());
            let document = (RoomName::lobby(), DocumentKind::Users);
            let (hub, written) = (Arc::clone(&self.hub), Arc::clone(&self.written));
            let write = move |room: &RoomName| {
                written.fetch_add(1, Ordering::Relaxed);
                Ok(hub.snapshot(room, None, 0).count.to_string().into_bytes())
            };
            self.documents.get(&self.hub, account, document, coding, write).await.unwrap().content
        }

        fn written(&self) -> usize {
            self.written.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn all_who_ask_at_once_cause_one_compression() {
        let fixture = Fixture::new();
        // From few addresses, so that many of them wait for a turn.
        let asking: Vec<_> =
            (0..100).map(|number| fixture.get(number % 4, Coding::Brotli)).collect();
        let answers = join_all(asking).await;
        assert_eq!(fixture.written(), 1);
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        fixture.get(9, Coding::Gzip).await;
        assert_eq!(fixture.written(), 2);
    }

    /// Who joins and then asks is on the list.
    #[tokio::test]
    async fn document_shows_every_change_at_once() {
        let fixture = Fixture::new();
        assert_eq!(fixture.get(1, Coding::Identity).await, "0");
        let mut sockets = Vec::new();
        for number in 1..=5_u128 {
            let person = app::presence::UserId::from_leading_bits(number << 120);
            let mut socket = fixture.hub.enter(&RoomName::lobby(), person);
            let name = "Ana".to_owned();
            let kind = JoinKind::Opening;
            socket
                .join(JoinRequest { name, tab: None, is_visible: true, kind, since: None })
                .unwrap();
            sockets.push(socket);
            assert_eq!(fixture.get(1, Coding::Identity).await, number.to_string());
            assert_eq!(fixture.get(2, Coding::Identity).await, number.to_string());
        }
        // Each one once, unless this machine was so slow that a document grew old.
        assert!((6..=11).contains(&fixture.written()), "{}", fixture.written());
    }
}
