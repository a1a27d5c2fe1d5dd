//! Rooms that are removed, because nobody is there any more.

use app::presence::RoomName;

use super::{
    Hub, attendance, client_address::ClientAddress, room_pool::VacantRoom, shared_room::SharedRoom,
};

impl Hub {
    /// Removes the expired rooms. To be called from time to time: a room expires without an event.
    pub fn sweep(&self) {
        let vacant: Vec<_> = self.lock().vacant().collect();
        for vacant in vacant {
            self.remove_if_expired(&vacant);
        }
        for (_, room, ()) in self.rooms_with(|_| ()) {
            room.sweep();
        }
        self.sweep_attendance(attendance::MOST_BYTES_OF_ALL_ROOMS);
        self.sweep_logs(self.limits.most_log_bytes);
    }

    /// Examines the room without the lock of all rooms: its own lock may be held for long.
    fn remove_if_expired(&self, vacant: &VacantRoom<SharedRoom>) {
        if vacant.room.is_expired() {
            self.remove_unless_entered(vacant);
        }
    }

    /// A room in which nobody is stays so until it is entered: nothing else can change it. What it remembers of who
    /// came and went is kept.
    pub(super) fn remove_unless_entered(&self, vacant: &VacantRoom<SharedRoom>) -> bool {
        let attendance = vacant.room.attendance_to_keep();
        let mut rooms = self.lock();
        let is_removed = rooms.remove(vacant);
        if let (true, Some(attendance)) = (is_removed, attendance) {
            self.kept_attendance().keep(vacant.name.clone(), attendance, vacant.charged_to);
        }
        is_removed
    }

    /// A reader has left.
    pub(super) fn close(&self, room_name: &RoomName, from: Option<ClientAddress>) {
        let vacant = self.lock().leave(room_name, from);
        if let Some(vacant) = vacant {
            self.remove_if_expired(&vacant);
        }
    }
}
