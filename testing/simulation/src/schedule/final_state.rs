//! The end of a schedule: all failures end, and then everything must be right.

use std::{sync::Arc, time::Duration};

use app::presence::{Roster, Since};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{Schedule, go_online, names::name, send};
use crate::{
    client::{
        command::{Command, Report},
        person::Expected,
    },
    sync::lock,
};

impl Schedule {
    /// Ends all failures: the server runs, all networks work, no page is frozen.
    pub(super) async fn repair(&mut self) {
        self.world.recorder.trace(|| "all failures end".to_owned());
        while !lock(&self.world.process).is_up() {
            sleep(Duration::from_millis(100)).await;
        }
        self.repair_clients();
    }

    /// All networks work, and no page is frozen.
    pub(crate) fn repair_clients(&mut self) {
        for link in self.world.links() {
            if self.rng.bool() {
                link.set_stalled(false);
            } else {
                link.cut(Some(Duration::ZERO), Some(Duration::ZERO));
            }
        }
        for person in 0..self.world.persons.len() {
            go_online(&self.world, person);
        }
        for (person, page) in self.pages() {
            send(&self.world, person, page, Command::Thaw);
        }
    }

    /// One page of each visitor joins, or leaves.
    pub(crate) fn ask_once_more(&mut self) {
        let world = Arc::clone(&self.world);
        for person in &world.persons {
            let page = person.state().pages.keys().next().copied();
            if let Some(page) = page {
                let name = name(&mut self.rng);
                let command = if self.rng.bool() { Command::Join(name) } else { Command::Leave };
                send(&world, person.number, page, command);
            }
        }
    }

    /// Checks that every page shows the server's list, and that every person's expectation is met.
    pub(crate) async fn check_final_state(&mut self) {
        let world = Arc::clone(&self.world);
        for (person, page) in self.pages() {
            let owner = &world.persons[person];
            let label = format!("page {page} of person {person} ({})", owner.user_id);
            let (ask, answer) = oneshot::channel();
            send(&world, person, page, Command::Report(ask));
            let Ok(Ok(Report { is_live, replica })) = timeout(Duration::from_secs(1), answer).await
            else {
                return world.recorder.fail(&format!("{label}: it does not respond"));
            };
            let Some(list) = world.list(owner.room, Some(owner.user_id)) else {
                return world.recorder.fail("there is no server at the end");
            };
            if !is_live {
                return world
                    .recorder
                    .fail(&format!("{label}: it is not live at the end: {replica:?}"));
            }
            let point = Since { epoch: list.epoch.clone(), seq: list.seq };
            // Numbers that only servers issued that are gone are issued again: the digest finds all but the order.
            let is_near = world.may_be_contradicted(owner.room, Some(&point))
                && Roster::from_users(list.users.clone())
                    .is_ok_and(|roster| roster.digest() == replica.roster().digest());
            let is_same = replica.position() == Some(&point)
                && replica.you() == Some(owner.user_id)
                && (is_near || replica.roster().users().eq(&list.users));
            if !is_same {
                return world.recorder.fail(&format!(
                    "{label}: its list differs from the server's: {replica:?} and {list:?}"
                ));
            }
            world.recorder.count("end: pages with the right list");
        }
        for person in &world.persons {
            let users = world.list(person.room, None).map(|list| list.users).unwrap_or_default();
            let rows = users.iter().filter(|user| user.id == person.user_id).count();
            let state = person.state();
            let is_alone = state.pages.is_empty();
            let expected = match state.expected {
                _ if is_alone => Some(0),
                Expected::Nothing | Expected::Unlisted { .. } => Some(0),
                Expected::Listed { .. } => Some(1),
                Expected::Either => None,
            };
            let what = format!("person {} has {rows} rows at the end: {:?}", person.number, *state);
            drop(state);
            if expected.is_some_and(|expected| expected != rows) {
                return world.recorder.fail(&what);
            }
            world.recorder.count(match expected {
                Some(0) => "end: persons not listed, as expected",
                Some(_) => "end: persons listed, as expected",
                None => "end: persons with an undetermined expectation",
            });
        }
    }
}
