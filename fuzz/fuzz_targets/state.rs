//! The file of rooms: whatever is in it, the server starts, and what it then keeps it can read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use server::{
    hub::Hub,
    persistence::{read, written},
    presence::room::RoomLimits,
};

fuzz_target!(|text: &str| {
    let Ok(saved) = read(text) else { return };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        return;
    };
    runtime.block_on(async {
        let limits = RoomLimits { most_people: 100, most_connections_per_person: 4 };
        let hub = Hub::restore(limits, saved);
        hub.begin();
        let kept = hub.freeze();
        let bytes = written(&kept).expect("what is kept can be written");
        let text = std::str::from_utf8(&bytes).expect("it is text");
        assert_eq!(read(text).as_ref(), Ok(&kept), "what is written can be read");
    });
});
