//! Numbers as the page writes them.

use crate::text::grouped;

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// `476,400`.
pub fn count(number: usize) -> String {
    grouped(number as u64)
}

/// `1 image`, `2,000 images`.
pub fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_several() {
        assert_eq!(counted(0, "image"), "0 images");
        assert_eq!(counted(1, "image"), "1 image");
        assert_eq!(counted(2_000, "image"), "2,000 images");
    }
}
