//! When, from which state of the source and by which command a result is.

use crate::text::command_line;
use std::process::{Command, Stdio};
use time::OffsetDateTime;

/// The commit of the working directory, `-dirty` at its end where files differ from it; `None` outside of a
/// checkout or without git.
pub fn commit() -> Option<String> {
    let output = Command::new("git")
        .args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=40",
            "--exclude=*",
        ])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// Twelve digits of a commit, and whether files differed from it.
pub fn short(commit: &str) -> String {
    let (hash, dirty) = match commit.strip_suffix("-dirty") {
        Some(hash) => (hash, "-dirty"),
        None => (commit, ""),
    };
    let hash: String = hash.chars().take(12).collect();
    hash + dirty
}

/// `program`, as its user calls it, with the words that this process was given.
pub fn command(program: &str) -> String {
    let words = command_line(std::env::args().skip(1));
    format!("{program} {words}").trim_end().to_owned()
}

/// Today, UTC, as in 2026-11-26.
pub fn today() -> String {
    to_text(OffsetDateTime::now_utc())
}

fn to_text(time: OffsetDateTime) -> String {
    time.date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (19_782, "2024-02-29"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
        ] {
            let time = OffsetDateTime::UNIX_EPOCH + Duration::days(days);
            assert_eq!(to_text(time), expected);
        }
    }
}
