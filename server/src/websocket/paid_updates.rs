//! The updates of a room, as far as their reader pays for them.

use registry::{encoding::frame::Batch, hub::Subscription};

use crate::admission::Payer;

/// The next updates of a subscription. What the reader asked for is paid: its first list, and every later list or reply.
/// What others have changed is not: the limits of a room apply to them.
pub(crate) fn poll_paid_updates(subscription: &mut Subscription, payer: &impl Payer) -> Batch {
    let is_asked_for = subscription.awaits_reply();
    let updates = subscription.poll_updates();
    // Changes may come before the reply.
    if is_asked_for && !subscription.awaits_reply() {
        payer.charge_for_reply(updates.size_in_bytes());
    }
    updates
}
