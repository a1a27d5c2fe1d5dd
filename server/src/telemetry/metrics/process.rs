//! Resources of the process, under the names of Prometheus' own clients. On Linux only.

/// Name, type, help and value of each metric.
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
        let mut push = |name, kind, help, value: Option<f64>| {
            if let Some(value) = value {
                usage.push((name, kind, help, value));
            }
        };
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u32::try_from(cpu.tv_sec).ok().map(f64::from);
        let parts = u32::try_from(cpu.tv_nsec).ok().map(f64::from);
        let cpu = seconds.zip(parts).map(|(seconds, parts)| seconds + parts / 1e9);
        push("process_cpu_seconds_total", "counter", "CPU time used.", cpu);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = kibibytes(&status, "VmRSS:");
        push("process_resident_memory_bytes", "gauge", "Resident memory.", resident);
        let addressed = kibibytes(&status, "VmSize:");
        push("process_virtual_memory_bytes", "gauge", "Virtual memory.", addressed);
        let threads = number(&status, "Threads:");
        push("process_threads", "gauge", "Threads.", threads);
        let open = fs::read_dir("/proc/self/fd").ok().map(|files| {
            // One of them is the directory itself.
            let open = files.count().saturating_sub(1);
            f64::from(u32::try_from(open).unwrap_or(u32::MAX))
        });
        push("process_open_fds", "gauge", "Open files and sockets.", open);
        let most = getrlimit(Resource::Nofile).current.and_then(|most| u32::try_from(most).ok());
        push("process_max_fds", "gauge", "Limit of open files and sockets.", most.map(f64::from));
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
        fn every_metric_of_this_process_is_positive() {
            let usage = usage();
            assert_eq!(usage.len(), 6);
            assert!(usage.iter().all(|(.., value)| *value > 0.0), "{usage:?}");
        }
    }
}
