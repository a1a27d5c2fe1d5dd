//! Opening a connection through the person's network.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    network::{
        link::{ClientSocket, Link},
        pipe::PipeConfig,
    },
    server::listen_state::ListenState,
    sync::lock,
    world::World,
};

/// The interval at which a waiting connection checks the server.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Starts to open a connection. The returned socket reports the outcome.
pub(crate) fn connect(world: &Arc<World>, person: usize) -> ClientSocket {
    let owner = &world.persons[person];
    let network = owner.state().network;
    let config =
        PipeConfig { latency: network.latency, jitter: network.jitter, capacity: network.capacity };
    let link = Link::new(config, person, &mut world.recorder.fork_rng());
    let end = ClientSocket::new(link.clone());
    let world = Arc::clone(world);
    tokio::spawn(async move {
        sleep(network.latency).await;
        let owner = &world.persons[person];
        if owner.state().network.is_offline {
            // Offline: there is no response, and no error either.
            link.set_stalled(true);
            link.up.close_reader();
            return;
        }
        if let Some(balancer) = &world.balancer {
            let name = &world.rooms[owner.room].name;
            if balancer.accept(name, owner.user_id, link.clone(), &world) {
                world.add_link(link);
            } else {
                link.down.finish();
                link.up.close_reader();
            }
            return;
        }
        loop {
            let listen_state = lock(&world.process).listen_state();
            match listen_state {
                ListenState::Closed => {
                    link.down.finish();
                    link.up.close_reader();
                    return;
                }
                ListenState::Loading => sleep(RETRY_INTERVAL).await,
                ListenState::Accepting => break,
            }
        }
        world.add_link(link.clone());
        world.accept(owner.room, owner.user_id, link);
    });
    end
}
