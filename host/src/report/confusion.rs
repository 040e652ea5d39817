//! Which class was taken for which.

use serde::Serialize;

/// How often each class was answered for each label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    /// `counts[label][answer]`, in images.
    counts: Vec<Vec<usize>>,
}

/// Two classes that were taken for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The one of the two that more images were of that went to the other; of equals the lower.
    pub label: usize,
    pub answer: usize,
    /// Images of `label` that were taken for `answer`.
    pub images: usize,
    /// Images the other way round.
    pub reverse: usize,
}

impl Confusion {
    /// No images yet, of `classes` classes.
    pub fn new(classes: usize) -> Self {
        Confusion {
            counts: vec![vec![0; classes]; classes],
        }
    }

    /// Counts an image.
    pub fn add(&mut self, label: usize, answer: usize) {
        self.counts[label][answer] += 1;
    }

    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    /// Images of `label` that were answered with `answer`.
    pub fn count(&self, label: usize, answer: usize) -> usize {
        self.counts[label][answer]
    }

    /// Images of `label`.
    pub fn images(&self, label: usize) -> usize {
        self.counts[label].iter().sum()
    }

    /// The share of the images of `label` that were answered right; `None` where there are none.
    pub fn recall(&self, label: usize) -> Option<f64> {
        let images = self.images(label);
        (images > 0).then(|| self.counts[label][label] as f64 / images as f64)
    }

    /// The pairs that were taken for each other most often, `most` of them or fewer; none that never was.
    pub fn pairs(&self, most: usize) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for low in 0..self.classes() {
            for high in low + 1..self.classes() {
                let (up, down) = (self.counts[low][high], self.counts[high][low]);
                let (label, answer) = if up >= down { (low, high) } else { (high, low) };
                pairs.push(Pair {
                    label,
                    answer,
                    images: up.max(down),
                    reverse: up.min(down),
                });
            }
        }
        pairs.retain(|pair| pair.images > 0);
        // Stable, so that equals stay in the order of their classes.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.images + pair.reverse));
        pairs.truncate(most);
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[&[usize]]) -> Confusion {
        let mut confusion = Confusion::new(counts.len());
        for (label, row) in counts.iter().enumerate() {
            for (answer, &count) in row.iter().enumerate() {
                (0..count).for_each(|_| confusion.add(label, answer));
            }
        }
        confusion
    }

    #[test]
    fn recall_is_the_share_of_a_row() {
        let confusion = of(&[&[6, 2, 0], &[1, 9, 0], &[0, 0, 0]]);
        assert_eq!(confusion.recall(0), Some(0.75));
        assert_eq!(confusion.recall(1), Some(0.9));
        assert_eq!(confusion.recall(2), None);
        assert_eq!((confusion.count(0, 1), confusion.images(0)), (2, 8));
    }

    #[test]
    fn pairs_count_both_ways_and_name_the_stronger_first() {
        let confusion = of(&[&[5, 1, 0], &[4, 5, 3], &[5, 3, 5]]);
        let pair = |label, answer, images, reverse| Pair {
            label,
            answer,
            images,
            reverse,
        };
        let all = [pair(1, 2, 3, 3), pair(1, 0, 4, 1), pair(2, 0, 5, 0)];
        assert_eq!(confusion.pairs(5), all);
        assert_eq!(confusion.pairs(1), all[..1]);
        assert_eq!(of(&[&[2, 0], &[0, 2]]).pairs(5), []);
    }
}
