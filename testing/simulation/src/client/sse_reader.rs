//! A reader of the event stream, which resumes from its last position.

use std::{sync::Arc, time::Duration};

use app::{
    client::Replica,
    presence::{ExistingUsers, ServerEvent, Since, User},
};
use fastrand::Rng;
use tokio::time::{sleep, timeout};

use crate::{sync::lock, world::World};

/// The longest time until a reply: the server's longest batching delay.
const REPLY_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads a room for ever, in streams of random length, each from the end of the last one.
pub(crate) async fn run(world: Arc<World>, room: usize, mut rng: Rng) {
    let mut replica = Replica::default();
    loop {
        let (hub, number) = {
            let process = lock(&world.process);
            (process.serving_hub(), process.number)
        };
        if let Some(hub) = hub {
            let since = replica.position().cloned();
            replica.disconnected();
            let mut observer = hub.subscribe(&world.rooms[room].name, None);
            observer.start_from(since.as_ref());
            let until = Duration::from_millis(rng.u64(0..60_000));
            // A stream that times out leaves its position behind.
            let _ = timeout(until, async {
                loop {
                    world.observe(room, false);
                    if !lock(&world.process).is_serving(number) {
                        return;
                    }
                    for frame in observer.poll_updates() {
                        read(&world, room, &mut replica, frame.text());
                    }
                    if observer.position().as_ref() != replica.position() {
                        if replica.position().is_some() && observer.position().is_some() {
                            world
                                .recorder
                                .fail("an event stream is not at the position of its last event");
                        }
                    } else if let Some(beat) = observer.beat() {
                        read(&world, room, &mut replica, beat.text());
                    }
                    // The beat of the event stream shows that there is another process.
                    let _ = timeout(Duration::from_secs(3), observer.woken()).await;
                }
            })
            .await;
        }
        sleep(Duration::from_millis(rng.u64(1..2_000))).await;
    }
}

fn read(world: &World, room: usize, replica: &mut Replica, frame: &str) {
    let label = || "an event stream".to_owned();
    let Ok(event) = serde_json::from_str::<ServerEvent>(frame) else {
        return world.recorder.fail(&format!("an event stream sent an invalid event: {frame}"));
    };
    world.recorder.count("frame: of an event stream");
    if let Err(gap) = replica.receive(event) {
        world.recorder.fail(&format!("an event stream has a gap, {gap:?}: {frame}"));
    }
    if replica.is_synced()
        && let Some(point) = replica.position()
    {
        let rows = replica.roster().users().collect::<Vec<_>>();
        world.check_list(room, point, rows.into_iter(), label);
    }
}

/// A reader resumes from a past position: the events that it receives must lead to the server's list.
pub(crate) async fn resume(world: Arc<World>, room: usize, point: Since, users: Vec<User>) {
    let (hub, number) = {
        let process = lock(&world.process);
        (process.serving_hub(), process.number)
    };
    let Some(hub) = hub else { return };
    let list = ExistingUsers {
        epoch: point.epoch.clone(),
        seq: point.seq,
        you: None,
        now: 0,
        count: users.len(),
        users,
    };
    let Ok(mut replica) = Replica::from_first_html(list) else {
        return world.recorder.fail("a list of the server is invalid");
    };
    let mut observer = hub.subscribe(&world.rooms[room].name, None);
    observer.start_from(Some(&point));
    let reply = timeout(REPLY_TIMEOUT, async {
        loop {
            let news = observer.poll_updates();
            if !news.is_empty() {
                return news;
            }
            observer.woken().await;
        }
    });
    let reply = reply.await;
    if !lock(&world.process).is_serving(number) {
        return;
    }
    let Ok(news) = reply else {
        return world
            .recorder
            .fail(&format!("a reader that resumed from {point:?} received nothing"));
    };
    world.observe(room, false);
    for frame in news {
        read(&world, room, &mut replica, frame.text());
    }
    if observer.position().as_ref() != replica.position() {
        world.recorder.fail(&format!(
            "a reader that resumed from {point:?} is not at the position of its last event"
        ));
    }
}
