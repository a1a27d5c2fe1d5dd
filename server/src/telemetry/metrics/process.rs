//! What the process uses, by the names that Prometheus' own clients give it. On Linux only: elsewhere nothing is told.

/// Name, kind, help and value of each number.
pub(super) fn usage() -> Vec<(&'static str, &'static str, &'static str, f64)> {
    #[cfg(target_os = "linux")]
    {
        linux::usage()
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use rustix::{
        process::{Resource, getrlimit},
        time::{ClockId, clock_gettime},
    };

    pub(super) fn usage() -> Vec<(&'static str, &'static str, &'static str, f64)> {
        let mut usage = Vec::new();
        let mut tell = |name, kind, help, value: Option<f64>| {
            if let Some(value) = value {
                usage.push((name, kind, help, value));
            }
        };
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u32::try_from(cpu.tv_sec).ok().map(f64::from);
        let parts = u32::try_from(cpu.tv_nsec).ok().map(f64::from);
        let cpu = seconds.zip(parts).map(|(seconds, parts)| seconds + parts / 1e9);
        tell("process_cpu_seconds_total", "counter", "Processor time used.", cpu);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = kibibytes(&status, "VmRSS:");
        tell("process_resident_memory_bytes", "gauge", "Memory that is resident.", resident);
        let all = kibibytes(&status, "VmSize:");
        tell("process_virtual_memory_bytes", "gauge", "Memory that is addressed.", all);
        let threads = number(&status, "Threads:");
        tell("process_threads", "gauge", "Threads.", threads);
        let open = fs::read_dir("/proc/self/fd").ok().map(|files| {
            // One of them is the folder itself.
            let open = files.count().saturating_sub(1);
            f64::from(u32::try_from(open).unwrap_or(u32::MAX))
        });
        tell("process_open_fds", "gauge", "Files and sockets that are open.", open);
        let most = getrlimit(Resource::Nofile).current.and_then(|most| u32::try_from(most).ok());
        tell(
            "process_max_fds",
            "gauge",
            "Files and sockets that may be open.",
            most.map(f64::from),
        );
        usage
    }

    fn kibibytes(status: &str, name: &str) -> Option<f64> {
        number(status, name).map(|kibibytes| kibibytes * 1024.0)
    }

    fn number(status: &str, name: &str) -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u32>().ok().map(f64::from)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn this_process_uses_something_of_everything() {
            let usage = usage();
            assert_eq!(usage.len(), 6);
            assert!(usage.iter().all(|(.., value)| *value > 0.0), "{usage:?}");
        }
    }
}
