//! What processes take of the machine, by Linux's own figures; nothing elsewhere.

/// Starts the peak anew; gives what is in use now, in bytes.
pub(crate) fn reset_peak() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    figure("VmRSS:")
}

/// The most that was in use since, in bytes.
pub(crate) fn peak_since_reset() -> u64 {
    figure("VmHWM:")
}

fn figure(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1_024
}

/// The processor time that a process has taken, in seconds; of this one for `self`.
pub(crate) fn cpu_seconds(process: &str) -> f64 {
    /// Linux counts it in hundredths, on every machine there is.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Behind the name, which can have blanks: the 12th and the 13th are user and system.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}
