//! Opening a connection: through the person's network, to the server's door.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::network::link::{Link, PageEnd};
use crate::network::pipe::PipeConfig;
use crate::server::listen_state::Reception;
use crate::sync::lock;
use crate::world::World;

/// How long one who has to wait goes on to look whether the server is ready.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Begins to open a connection; what becomes of it comes out of its end.
pub(crate) fn dial(world: &Arc<World>, person: usize) -> PageEnd {
    let of = &world.persons[person];
    let weather = of.state().weather;
    let config =
        PipeConfig { latency: weather.latency, jitter: weather.jitter, capacity: weather.capacity };
    let link = Link::new(config, person, &mut world.recorder.fork_rng());
    let end = PageEnd::new(link.clone());
    let world = Arc::clone(world);
    tokio::spawn(async move {
        sleep(weather.latency).await;
        let of = &world.persons[person];
        if of.state().weather.is_offline {
            // Nobody answers, not even to say so.
            link.set_stalled(true);
            link.up.abandon();
            return;
        }
        loop {
            let reception = lock(&world.process).reception();
            match reception {
                Reception::Refused => {
                    link.down.finish();
                    link.up.abandon();
                    return;
                }
                Reception::Waiting => sleep(LOOK_EVERY).await,
                Reception::Welcome => break,
            }
        }
        world.add_link(link.clone());
        world.accept(of.room, of.who, link);
    });
    end
}
