//! What the machine has for this process: open files, and memory.

use std::{fs, path::Path};

use crate::{admission::pools::Machine, listener::tcp};

/// What there is at the moment.
pub fn this_machine() -> Machine {
    Machine { open_files: tcp::open_files_limit(), memory: memory() }
}

/// The memory of the machine, or less where a control group has a limit, as in a container; none where neither is
/// known.
fn memory() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_in_bytes(&text));
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = group_path(&group).into_iter().flat_map(|path| {
        // A limit of a group is one of all groups within.
        path.ancestors().map(|path| Path::new("/sys/fs/cgroup").join(path).join("memory.max"))
    });
    let limits = limits.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    limits.chain(machine).min()
}

/// `MemTotal` of `/proc/meminfo`.
fn total_in_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The path of the control group, version 2, in `/proc/self/cgroup`.
fn group_path(group: &str) -> Option<&Path> {
    let path = group.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_that_of_the_machine_or_of_the_control_group() {
        let meminfo = "MemTotal:        2048 kB\nMemFree:          10 kB\n";
        assert_eq!(total_in_bytes(meminfo), Some(2 << 20));
        assert_eq!(total_in_bytes("MemTotal: much"), None);
        let group = "1:name=systemd:/other\n0::/system.slice/rollcall.service\n";
        let path = group_path(group).unwrap();
        let ancestors: Vec<_> = path.ancestors().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(ancestors, ["system.slice/rollcall.service", "system.slice", ""]);
        assert_eq!(group_path("0::/\n"), Some(Path::new("")));
        assert_eq!(group_path(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_memory_and_files() {
        let machine = this_machine();
        assert!(machine.memory.unwrap() > 1 << 20);
        assert!(machine.open_files.unwrap() > 16);
    }
}
