//! The measured figures.

use std::fmt;

/// One number of a round.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Figure {
    /// The time from the start of the process to its first request for an event, in milliseconds.
    Start,
    /// The first invocation, in milliseconds.
    First,
    /// The median of the warm invocations of a kind, in microseconds.
    Median(Kind),
    /// The 99th percentile of the warm invocations of a kind, in microseconds.
    Percentile99(Kind),
    /// The processor time of a warm invocation of a kind, in microseconds.
    Cpu(Kind),
    /// The memory of the process after all invocations, in megabytes.
    Resident,
    /// Its peak memory, in megabytes.
    Peak,
    /// The size of the zip, in kilobytes.
    Zip,
}

/// A kind of event.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Each with a new RS256 token.
    New,
    /// All with the same RS256 token.
    Repeated,
    /// Each with a forged RS256 token.
    Forged,
    /// Each with a new ES256 token.
    NewEs256,
    /// All with the same ES256 token.
    RepeatedEs256,
}

impl Kind {
    /// All kinds, in the order of the requests.
    pub const ALL: [Self; 5] = [Self::New, Self::Repeated, Self::Forged, Self::NewEs256, Self::RepeatedEs256];

    /// Its name in the JSON.
    fn word(self) -> &'static str {
        match self {
            Self::New => "new_token",
            Self::Repeated => "repeated_token",
            Self::Forged => "forged_token",
            Self::NewEs256 => "new_es256_token",
            Self::RepeatedEs256 => "repeated_es256_token",
        }
    }
}

impl Figure {
    /// All figures, in the order of the report.
    pub fn all() -> Vec<Self> {
        let warm = |kind| [Self::Median(kind), Self::Percentile99(kind), Self::Cpu(kind)];
        let mut all = vec![Self::Start, Self::First];
        all.extend(Kind::ALL.into_iter().flat_map(warm));
        all.extend([Self::Resident, Self::Peak, Self::Zip]);
        all
    }

    /// Its name in the JSON.
    pub fn name(self) -> String {
        match self {
            Self::Start => "start_to_next_ms".to_owned(),
            Self::First => "first_invocation_ms".to_owned(),
            Self::Median(kind) => format!("{}_p50_us", kind.word()),
            Self::Percentile99(kind) => format!("{}_p99_us", kind.word()),
            Self::Cpu(kind) => format!("{}_cpu_us", kind.word()),
            Self::Resident => "resident_mb".to_owned(),
            Self::Peak => "resident_peak_mb".to_owned(),
            Self::Zip => "zip_kb".to_owned(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new token",
            Self::Repeated => "repeated token",
            Self::Forged => "forged token",
            Self::NewEs256 => "new ES256 token",
            Self::RepeatedEs256 => "repeated ES256 token",
        })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start to first `/next`, ms"),
            Self::First => f.write_str("first invocation, ms"),
            Self::Median(kind) => write!(f, "{kind}, p50, us"),
            Self::Percentile99(kind) => write!(f, "{kind}, p99, us"),
            Self::Cpu(kind) => write!(f, "{kind}, CPU, us"),
            Self::Resident => f.write_str("resident, MB"),
            Self::Peak => f.write_str("resident at most, MB"),
            Self::Zip => f.write_str("zip, kB"),
        }
    }
}
