//! The name of this machine, by which people on its network may ask for the site.

use crate::admission::HostName;

/// The name, if the system has one that can be a host's: with its domain, or without one.
///
/// It is no stranger's: who chooses the name of the machine administers it.
pub(crate) fn machine_name() -> Option<HostName> {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_str().ok()?.parse().ok();
    #[cfg(not(unix))]
    None
}
