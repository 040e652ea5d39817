//! How images are held out, without a seed: whole groups, the last by number, where a data set tells who made its
//! images; else the last images of each class, in the order of the file.
//!
//! Files are often ordered by who wrote or recorded what, so the last images are the most
//! different from the rest.

use super::{Dataset, Groups};
use std::collections::BTreeMap;
use thiserror::Error;

/// The training images of a data set in two parts, by their indices, each in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldOut {
    /// To train on.
    pub stay: Vec<usize>,
    /// To measure on.
    pub held_out: Vec<usize>,
    /// Who made those held out, where that is known: `speakers 10 and 11`.
    pub whose: Option<String>,
}

/// Why no images can be held out.
#[derive(Debug, Error, PartialEq)]
pub enum HoldOutError {
    #[error("holding out {share} of {name} leaves nothing to train or to validate on: change --validation")]
    NothingLeft { name: String, share: f64 },
    #[error("all training images of {name} are of {whose}, but those held out must be of another: give --validation 0")]
    OneGroup { name: String, whose: String },
    #[error("holding out {whose} of {name} leaves no image of class {class} to train on: give a smaller --validation, or 0 to hold out nothing")]
    ClassLost {
        name: String,
        whose: String,
        class: usize,
    },
}

impl Dataset {
    /// Holds out a share of the training images.
    ///
    /// Where their groups are known it is whole groups: the last ones by number, as many as it takes to have the
    /// share, but never the first. Else it is the last images of each class.
    ///
    /// # Errors
    /// When one of the parts would be empty, or a class could not be trained.
    pub fn hold_out(&self, share: f64) -> Result<HoldOut, HoldOutError> {
        let parts = match &self.groups {
            Some(groups) if share > 0.0 => self.hold_out_groups(groups, share)?,
            _ => {
                let (stay, held_out) = hold_out_last(&self.train.labels, share);
                HoldOut {
                    stay,
                    held_out,
                    whose: None,
                }
            }
        };
        if parts.stay.is_empty() || (share > 0.0 && parts.held_out.is_empty()) {
            return Err(HoldOutError::NothingLeft {
                name: self.name.clone(),
                share,
            });
        }
        Ok(parts)
    }

    fn hold_out_groups(&self, groups: &Groups, share: f64) -> Result<HoldOut, HoldOutError> {
        let last = last_groups(&groups.of, share);
        if last.is_empty() {
            return Err(HoldOutError::OneGroup {
                name: self.name.clone(),
                whose: groups.name(&groups.of[..1]),
            });
        }
        let whose = groups.name(&last);
        let (held_out, stay): (Vec<usize>, Vec<usize>) =
            (0..self.train.len()).partition(|&index| last.contains(&groups.of[index]));
        let mut stays = vec![false; self.classes];
        for &index in &stay {
            stays[usize::from(self.train.labels[index])] = true;
        }
        if let Some(class) = stays.iter().position(|stays| !stays) {
            return Err(HoldOutError::ClassLost {
                name: self.name.clone(),
                whose,
                class,
            });
        }
        Ok(HoldOut {
            stay,
            held_out,
            whose: Some(whose),
        })
    }
}

/// The last groups by number, in order, that have the share of the images together: at least one, but never the
/// first. There are none where all images are of one group.
fn last_groups(group_of: &[u16], share: f64) -> Vec<u16> {
    let mut counts = BTreeMap::new();
    for &group in group_of {
        *counts.entry(group).or_insert(0usize) += 1;
    }
    let quota = ((group_of.len() as f64 * share) as usize).max(1);
    let mut held_out = 0;
    let mut last = Vec::new();
    for (&group, count) in counts.iter().skip(1).rev() {
        if held_out >= quota {
            break;
        }
        held_out += count;
        last.push(group);
    }
    last.reverse();
    last
}

/// The indices of the images that stay and of those held out, where groups are not known.
///
/// Of each class with n images, the last ⌊n·share⌋ are held out. Both lists are in order.
pub(super) fn hold_out_last(labels: &[u8], share: f64) -> (Vec<usize>, Vec<usize>) {
    let mut counts = [0usize; 256];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    // Counting down, an image is held out when no more than its class's share is left.
    let quota = counts.map(|count| (count as f64 * share) as usize);
    let mut left = counts;
    let (mut stay, mut held_out) = (Vec::new(), Vec::new());
    for (index, &label) in labels.iter().enumerate() {
        let class = usize::from(label);
        if left[class] <= quota[class] {
            held_out.push(index);
        } else {
            stay.push(index);
        }
        left[class] -= 1;
    }
    (stay, held_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Source, Split};
    use proptest::prelude::*;

    /// Images of two classes in turn, of these groups.
    fn grouped(of: &[u16]) -> Dataset {
        let labels: Vec<u8> = (0..of.len()).map(|index| (index % 2) as u8).collect();
        let split = Split {
            features: 1,
            images: vec![0; of.len()],
            labels,
        };
        Dataset {
            name: "voices".to_owned(),
            classes: 2,
            shape: vec![1],
            maximum: 255,
            train: split.clone(),
            test: split,
            steps: None,
            recordings: None,
            groups: Some(Groups {
                kind: "speaker",
                of: of.to_vec(),
            }),
            class_names: None,
            notes: Vec::new(),
            source: Source::Values,
        }
    }

    /// Who is held out of ten images of four speakers, whose numbers have gaps.
    fn whose(share: f64) -> String {
        let of = [7, 2, 2, 9, 9, 300, 7, 7, 300, 2];
        let parts = grouped(&of).hold_out(share).unwrap();
        parts.whose.unwrap()
    }

    #[test]
    fn the_last_of_each_class_are_held_out_in_order() {
        let (stay, held_out) = hold_out_last(&[7, 7, 3, 7, 3, 7, 7, 3], 0.4);
        assert_eq!(stay, [0, 1, 2, 3, 4]);
        assert_eq!(held_out, [5, 6, 7]);
    }

    #[test]
    fn as_many_of_the_last_speakers_are_held_out_as_it_takes() {
        assert_eq!(whose(0.01), "speaker 300");
        assert_eq!(whose(0.2), "speaker 300");
        assert_eq!(whose(0.3), "speakers 9 and 300");
        assert_eq!(whose(0.5), "speakers 7, 9 and 300");
        // The first speaker stays, whatever the share.
        assert_eq!(whose(0.9), "speakers 7, 9 and 300");
    }

    #[test]
    fn held_out_speakers_need_no_place_of_their_own_in_the_file() {
        let parts = grouped(&[5, 3, 5, 3, 3, 3, 5, 3]).hold_out(0.1).unwrap();
        assert_eq!(parts.stay, [1, 3, 4, 5, 7]);
        assert_eq!(parts.held_out, [0, 2, 6]);
    }

    #[test]
    fn nothing_is_held_out_where_nothing_is_asked_for() {
        let parts = grouped(&[1, 1, 1, 2]).hold_out(0.0).unwrap();
        assert_eq!(parts.stay, [0, 1, 2, 3]);
        assert_eq!((parts.held_out, parts.whose), (vec![], None));
        // So one speaker is enough.
        grouped(&[4; 6]).hold_out(0.0).unwrap();
    }

    #[test]
    fn without_groups_the_last_images_of_each_class_are_held_out() {
        let mut data = grouped(&[1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
        data.groups = None;
        let parts = data.hold_out(0.2).unwrap();
        let (stay, held_out) = hold_out_last(&data.train.labels, 0.2);
        assert_eq!((parts.stay, parts.held_out), (stay, held_out));
        assert_eq!(parts.whose, None);
        let error = data.hold_out(0.1).unwrap_err();
        assert!(matches!(error, HoldOutError::NothingLeft { .. }), "{error}");
    }

    #[test]
    fn one_speaker_alone_cannot_be_held_out() {
        let error = grouped(&[4; 6]).hold_out(0.1).unwrap_err().to_string();
        assert!(
            error.contains("of speaker 4") && error.contains("give --validation 0"),
            "{error}"
        );
    }

    #[test]
    fn a_class_that_only_held_out_speakers_have_is_named() {
        // All images of class 1 are of speakers 8 and 9.
        let data = grouped(&[1, 8, 1, 8, 1, 9, 1, 9]);
        data.hold_out(0.25).unwrap();
        let error = data.hold_out(0.5).unwrap_err();
        let named = matches!(&error, HoldOutError::ClassLost { class: 1, .. });
        let text = error.to_string();
        assert!(named && text.contains("speakers 8 and 9"), "{text}");
        assert!(text.contains("smaller --validation"), "{text}");
    }

    proptest! {
        #[test]
        fn no_group_is_on_both_sides(
            of in proptest::collection::vec(0u16..6, 1..40),
            share in 0.01f64..0.9,
        ) {
            let data = grouped(&of);
            let Ok(parts) = data.hold_out(share) else {
                return Ok(());
            };
            let highest_stays = parts.stay.iter().map(|&index| of[index]).max();
            let lowest_held_out = parts.held_out.iter().map(|&index| of[index]).min();
            prop_assert!(highest_stays.unwrap() < lowest_held_out.unwrap());
            let mut all = [&parts.stay[..], &parts.held_out].concat();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..of.len()));
        }
    }
}
