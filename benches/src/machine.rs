//! What a published figure must carry: CPU, date, commit, compiler, flags.

use std::process::Command;
use std::time::SystemTime;

/// Where and when a measurement was made.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The CPU's name.
    pub cpu: String,
    /// Today, `yyyy-mm-dd`.
    pub date: String,
    /// The commit measured, `-dirty` if there are changes.
    pub commit: String,
    /// The compiler.
    pub rustc: &'static str,
    /// How this program was compiled.
    pub flags: &'static str,
    /// Whether the measuring thread stays on one core.
    pub pinned: bool,
}

impl Machine {
    /// Pins this thread to a core and says where it is.
    pub fn pin_and_describe() -> Self {
        let pinned = core_affinity::get_core_ids()
            .and_then(|ids| ids.last().copied())
            .is_some_and(core_affinity::set_for_current);
        Machine {
            cpu: cpu(),
            date: date(SystemTime::now()),
            commit: commit(),
            rustc: env!("KERNFORGE_BENCH_RUSTC"),
            flags: env!("KERNFORGE_BENCH_FLAGS"),
            pinned,
        }
    }

    /// One line for a table's foot.
    pub fn line(&self) -> String {
        let Machine { cpu, date, commit, rustc, flags, pinned } = self;
        let core = if *pinned { "one pinned core" } else { "one thread, not pinned" };
        format!("{cpu}, {core}; {date}; commit {commit}; {rustc}; {flags}")
    }
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |key: &str| {
        let line = info.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    match (field("cpu family"), field("model")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        (None, _) | (_, None) => name,
    }
}

fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude=*", "--abbrev=10"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

/// The civil date of a time (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub fn date(time: SystemTime) -> String {
    let days = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs() / 86_400) + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}
