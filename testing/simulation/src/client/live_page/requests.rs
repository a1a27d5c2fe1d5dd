//! What the visitor of a page wants: to join, to leave, to be renamed.

use app::client::{Intent, RemovalNote};

use super::LivePage;

impl LivePage {
    pub(super) fn absence(&self) -> Option<RemovalNote> {
        self.owner().state().absence.clone()
    }

    pub(super) fn forget_removal(&mut self) {
        if let Some(RemovalNote::Removed(end)) = self.absence()
            && self.session.has_joined_since(&end)
        {
            self.owner().note_absence(self.number, Some(RemovalNote::Superseded(end)));
            let events = self.session.sync_environment(&self.environment());
            self.send(events);
        }
    }

    pub(super) fn is_listed(&self) -> bool {
        self.session.replica().own_row().is_some()
    }

    pub(super) fn join(&mut self, name: String) {
        if self.is_listed() {
            self.world.recorder.count("page: rename");
            self.owner().on_rename();
            self.request(Intent::Rename(name));
        } else {
            self.world.recorder.count("page: join");
            self.owner().on_join(self.number);
            self.request(Intent::Join(name));
        }
    }

    pub(super) fn leave(&mut self) {
        if self.is_listed() {
            self.world.recorder.count("page: leave");
            self.owner().on_leave(self.number);
            self.request(Intent::Leave);
        }
    }

    pub(super) fn request(&mut self, wish: Intent) {
        self.pending.wants_row = Some(wish != Intent::Leave);
        let absence = match wish {
            Intent::Leave => Some(RemovalNote::Left),
            Intent::Join(_) | Intent::Rename(_) => self.absence().and_then(RemovalNote::superseded),
        };
        self.owner().note_absence(self.number, absence);
        let event = self.session.request(wish, &self.environment());
        self.send(event);
    }

    pub(super) fn sync_environment(&mut self) {
        self.forget_removal();
        let events = self.session.sync_environment(&self.environment());
        self.send(events);
        if self.is_visible {
            self.check_deadline();
            if self.retry_at.is_some() {
                self.open();
            }
        }
    }
}
