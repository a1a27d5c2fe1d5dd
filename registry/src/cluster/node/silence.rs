//! Readers are told that their lists are old while the engine is silent.

use std::{convert::Infallible, sync::Arc};

use tokio::time::timeout_at;

use crate::{
    hub::Hub,
    replication::handle::{ClusterHandle, STALE_AFTER},
};

/// Wakes all readers when the engine has been silent for too long, and when it is heard again.
pub(super) async fn watch(hub: Arc<Hub>, cluster: Arc<ClusterHandle>) -> Infallible {
    let mut heard = cluster.watch_heard();
    loop {
        let heard_at = *heard.borrow_and_update();
        let silent = match heard_at {
            // Nothing is stale before the first word.
            None => {
                let _ = heard.changed().await;
                continue;
            }
            Some(heard_at) => timeout_at(heard_at + STALE_AFTER, heard.changed()).await.is_err(),
        };
        if silent {
            tracing::warn!(
                "the engine has been silent for {} s: lists are shown as of then",
                STALE_AFTER.as_secs()
            );
            hub.tell_freshness();
            let _ = heard.changed().await;
            tracing::info!("the engine is heard again");
            hub.tell_freshness();
        }
    }
}
