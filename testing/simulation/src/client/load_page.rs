//! Loading the first HTML of a page, and starting a session from it.

use std::{sync::Arc, time::Duration};

use app::client::{Replica, Session};
use fastrand::Rng;
use tokio::time::sleep;

use crate::world::World;

/// Requests the first HTML until there is a server.
pub(crate) async fn load_page(
    world: &Arc<World>,
    person: usize,
    first_rows: Option<usize>,
    rng: &mut Rng,
) -> Session {
    let owner = &world.persons[person];
    loop {
        let network = owner.state().network;
        sleep(network.latency).await;
        let list = if owner.state().network.is_offline {
            None
        } else if let Some(balancer) = &world.balancer {
            let name = &world.rooms[owner.room].name;
            balancer
                .serve_page(owner.room, name, owner.user_id, first_rows.unwrap_or_default())
                .await
        } else {
            world.serve_page(owner.room, owner.user_id, first_rows.unwrap_or_default())
        };
        if let Some(list) = list {
            sleep(network.latency + Duration::from_millis(rng.u64(0..60))).await;
            let replica = first_rows.and_then(|_| Replica::from_first_html(list).ok());
            world.recorder.count("page: opened, reloads included");
            return Session::new(replica.unwrap_or_default());
        }
        sleep(Duration::from_millis(rng.u64(200..1_500))).await;
    }
}
