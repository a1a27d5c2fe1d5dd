//! What the machine has for this process: open files, and memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

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
    let files = limit_files(&group).into_iter();
    let limits = files.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    limits.chain(machine).min()
}

/// `MemTotal` of `/proc/meminfo`.
fn total_in_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The files that may have a limit, by the lines of `/proc/self/cgroup`. A limit of a group is one of all groups within,
/// and in a container the path of the group is often that of the machine outside.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let lines = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(":/")?;
        let (root, file) = match controllers {
            // Version 2 has one hierarchy, and no limit is `max`.
            "" => ("/sys/fs/cgroup", "memory.max"),
            // Version 1 has one for each controller.
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        Some(Path::new(path).ancestors().map(move |path| Path::new(root).join(path).join(file)))
    });
    lines.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_that_of_the_machine_or_of_the_control_group() {
        let meminfo = "MemTotal:        2048 kB\nMemFree:          10 kB\n";
        assert_eq!(total_in_bytes(meminfo), Some(2 << 20));
        assert_eq!(total_in_bytes("MemTotal: much"), None);
        let files = |groups| {
            let files: Vec<_> =
                limit_files(groups).iter().map(|file| file.display().to_string()).collect();
            files
        };
        let groups = "1:name=systemd:/other\n0::/system.slice/rollcall.service\n";
        let version_2 = [
            "/sys/fs/cgroup/system.slice/rollcall.service/memory.max",
            "/sys/fs/cgroup/system.slice/memory.max",
            "/sys/fs/cgroup/memory.max",
        ];
        assert_eq!(files(groups), version_2);
        let groups = "5:cpu,cpuacct:/\n4:memory:/docker/a\n";
        let version_1 = [
            "/sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ];
        assert_eq!(files(groups), version_1);
        assert_eq!(files("0::/\n"), ["/sys/fs/cgroup/memory.max"]);
        assert_eq!(files(""), [""; 0]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_memory_and_files() {
        let machine = this_machine();
        assert!(machine.memory.unwrap() > 1 << 20);
        assert!(machine.open_files.unwrap() > 16);
    }
}
