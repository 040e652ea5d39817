//! What in a data set will train badly, seen before anything is trained.

use super::{Dataset, Note, Split};
use crate::encoding::Latency;
use std::collections::{HashMap, HashSet};

/// From this share on, images without a spike are worth a word.
const BLANK: f64 = 0.01;
/// From this share of the spikes on, those of one step are nearly all.
const ONE_STEP: f64 = 0.95;
/// From this share of the inputs on, so many spike in an image that it is rather its ground that does.
const LIT: f64 = 0.75;
/// Where a class has so many times the training images of another, the other one is hardly learned.
const IMBALANCE: usize = 10;

impl Dataset {
    /// What will train badly, or make the figures worth little, under the latency code of so many steps.
    pub fn concerns(&self, steps: usize) -> Vec<Note> {
        let mut notes = self.spike_concerns(Latency { steps });
        notes.extend(self.class_concerns());
        notes.extend(self.duplicates());
        notes
    }

    fn spike_concerns(&self, code: Latency) -> Vec<Note> {
        let step_of: Vec<Option<usize>> = (0..=u8::MAX)
            .map(|value| code.step(value, self.maximum))
            .collect();
        let mut by_step = vec![0u64; code.steps];
        let mut blank = 0;
        for image in self.train.iter() {
            let mut is_blank = true;
            for step in image
                .iter()
                .filter_map(|&value| step_of[usize::from(value)])
            {
                by_step[step] += 1;
                is_blank = false;
            }
            blank += usize::from(is_blank);
        }
        let images = self.train.len();
        let spikes: u64 = by_step.iter().sum();
        let mut notes = Vec::new();
        if blank > 0 && blank as f64 >= BLANK * images as f64 {
            notes.push(Note::Blank { blank, images });
        }
        // Recordings have their own steps, and a last one has more than its share only where nothing comes before it.
        let busiest = (0..code.steps).max_by_key(|&step| by_step[step]);
        if let Some(step) = busiest.filter(|_| spikes > 0 && code.steps > 1) {
            let share = by_step[step] as f64 / spikes as f64;
            if share >= ONE_STEP {
                notes.push(Note::OneStep { share, step });
            }
        }
        let share = spikes as f64 / (images * self.features()) as f64;
        if share >= LIT {
            notes.push(Note::Lit { share });
        }
        let most = self.train.images.iter().copied().max().unwrap_or(0);
        if most > 0 && 2 * u32::from(most) < u32::from(self.maximum) {
            notes.push(Note::Dim {
                name: self.name.clone(),
                most,
                maximum: self.maximum,
            });
        }
        notes
    }

    fn class_concerns(&self) -> Vec<Note> {
        let counts = self.train.class_counts(self.classes);
        let most = (0..self.classes).max_by_key(|&class| counts[class]);
        let least = (0..self.classes).min_by_key(|&class| counts[class]);
        let mut notes = Vec::new();
        if let (Some(most), Some(least)) = (most, least) {
            if counts[most] >= IMBALANCE * counts[least].max(1) {
                notes.push(Note::Imbalance {
                    most: (self.class_name(most), counts[most]),
                    least: (self.class_name(least), counts[least]),
                });
            }
        }
        let untested: Vec<String> = (self.test.class_counts(self.classes).iter().enumerate())
            .filter(|(_, &count)| count == 0)
            .map(|(class, _)| self.class_name(class))
            .collect();
        if !untested.is_empty() {
            notes.push(Note::Untested(untested));
        }
        notes
    }

    /// Images that are there more than once where they should not be. Blank ones are alike by nature.
    fn duplicates(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut labels: HashMap<&[u8], u8> = HashMap::with_capacity(self.train.len());
        let mut two_classes: HashSet<&[u8]> = HashSet::new();
        for (image, label) in lit(&self.train) {
            if *labels.entry(image).or_insert(label) != label {
                two_classes.insert(image);
            }
        }
        let both = lit(&self.test)
            .filter(|(image, _)| labels.contains_key(image))
            .count();
        if both > 0 {
            notes.push(Note::InBothParts {
                both,
                test: self.test.len(),
            });
        }
        if !two_classes.is_empty() {
            notes.push(Note::InTwoClasses(two_classes.len()));
        }
        notes
    }
}

/// The images that are not blank, with their labels.
fn lit(split: &Split) -> impl Iterator<Item = (&[u8], u8)> {
    let all = split.iter().zip(split.labels.iter().copied());
    all.filter(|(image, _)| image.iter().any(|&value| value > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::load;

    /// Images of 10 pixels: ten of each of two classes to train on, and as many to test on.
    fn data(image: impl Fn(usize) -> Vec<u8>) -> Dataset {
        let part = |first: usize| Split {
            features: 10,
            images: (first..first + 20).flat_map(&image).collect(),
            labels: (first..first + 20).map(|index| (index % 2) as u8).collect(),
        };
        Dataset::of_images("own", 2, vec![2, 5], part(0), part(20))
    }

    /// Pixels at 0, 2 and 4, so that half of the spikes come early and no image is another's.
    fn good(index: usize) -> Vec<u8> {
        let mut image = vec![0; 10];
        (image[0], image[2], image[4]) = (255, 40 + 4 * index as u8, 20);
        image
    }

    #[test]
    fn nothing_is_said_of_data_that_are_as_they_should_be() {
        assert_eq!(data(good).concerns(16), []);
        assert_eq!(load("digits").unwrap().concerns(16), []);
    }

    #[test]
    fn what_will_train_badly_is_said() {
        let blank = data(|_| vec![0; 10]);
        let notes = blank.concerns(16);
        let expected = Note::Blank {
            blank: 20,
            images: 20,
        };
        assert_eq!(notes, [expected]);

        let late = data(|index| (0..10).map(|p| u8::from((index + p) % 3 == 0)).collect());
        let late = late.concerns(16);
        let is_late =
            |note: &Note| matches!(note, Note::OneStep { step: 15, share } if *share == 1.0);
        assert!(late.iter().any(is_late), "{late:?}");
        let dim = |note: &Note| {
            matches!(
                note,
                Note::Dim {
                    most: 1,
                    maximum: 255,
                    ..
                }
            )
        };
        assert!(late.iter().any(dim), "{late:?}");

        let lit = data(|index| (0..10).map(|p| (1 + 5 * p + 5 * index) as u8).collect());
        let lit = lit.concerns(16);
        let is_lit = |note: &Note| matches!(note, Note::Lit { share } if *share > 0.99);
        assert!(lit.iter().any(is_lit), "{lit:?}");
    }

    #[test]
    fn images_in_both_parts_or_of_two_classes_are_counted() {
        let mut own = data(good);
        own.test.images[..30].copy_from_slice(&own.train.images[50..80]);
        let both = Note::InBothParts { both: 3, test: 20 };
        assert_eq!(own.concerns(16), [both]);
        let first = own.train.image(0).to_vec();
        own.train.images[10..20].copy_from_slice(&first);
        own.train.images[20..30].copy_from_slice(&first);
        assert_eq!(own.concerns(16)[1..], [Note::InTwoClasses(1)]);
    }

    #[test]
    fn classes_that_hardly_are_there_are_named() {
        let mut own = data(good);
        own.class_names = Some(vec!["many".to_owned(), "few".to_owned()]);
        own.train.labels = vec![0; 20];
        own.train.labels[7] = 1;
        own.test.labels = vec![0; 20];
        let imbalance = Note::Imbalance {
            most: ("many".to_owned(), 19),
            least: ("few".to_owned(), 1),
        };
        let untested = Note::Untested(vec!["few".to_owned()]);
        assert_eq!(own.concerns(16), [imbalance, untested]);
    }
}
