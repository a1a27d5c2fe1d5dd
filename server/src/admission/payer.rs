//! Who pays for what a reader of a room asks for.

use super::{SocketPermit, account::price_of_bytes};

/// Who pays for what a reader of a room asks for. It is kept until the reader's end.
pub trait Payer: Send {
    /// The reply to a request of the reader has so many bytes.
    fn charge_for_reply(&self, size_in_bytes: usize);
}

/// Nobody pays.
impl Payer for () {
    fn charge_for_reply(&self, _: usize) {}
}

impl Payer for SocketPermit {
    /// The address pays for it as for an answer of the same size.
    fn charge_for_reply(&self, size_in_bytes: usize) {
        let bytes = u64::try_from(size_in_bytes).unwrap_or(u64::MAX);
        self.admission.charge(self.from, price_of_bytes(bytes));
    }
}
