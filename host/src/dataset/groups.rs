//! Who made the images of a data set.

/// Who spoke, wrote or recorded each training image. Images of one group are more alike than those of others,
/// so what is to tell how a network does with strangers must be of groups of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// What one group is, for people: `speaker`.
    pub kind: &'static str,
    /// The group of each image.
    pub of: Vec<u16>,
}

impl Groups {
    /// `speaker 11`, or `speakers 9, 10 and 11`.
    pub(super) fn name(&self, numbers: &[u16]) -> String {
        let kind = self.kind;
        let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        match words.split_last() {
            Some((last, before)) if !before.is_empty() => {
                format!("{kind}s {} and {last}", before.join(", "))
            }
            _ => format!("{kind} {}", words.concat()),
        }
    }

    /// For a sum over a data set: what is held out depends on the groups, so they are part of what it is.
    pub fn bytes(&self) -> Vec<u8> {
        self.of
            .iter()
            .flat_map(|group| group.to_le_bytes())
            .collect()
    }
}
