//! How clock cycles, or the steps of decisions, are spread over many images.

/// One number an image.
#[derive(Debug, Default)]
pub struct Numbers(Vec<u32>);

/// What is told of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub mean: f64,
    /// Half of the images have this number or a smaller one.
    pub median: u32,
    /// 99 of 100 images have this number or a smaller one.
    pub p99: u32,
    pub max: u32,
}

impl Numbers {
    pub fn add(&mut self, number: u32) {
        self.0.push(number);
    }

    /// `None` when there are none.
    pub fn spread(mut self) -> Option<Spread> {
        self.0.sort_unstable();
        let max = *self.0.last()?;
        let sum: u64 = self.0.iter().copied().map(u64::from).sum();
        Some(Spread {
            mean: sum as f64 / self.0.len() as f64,
            median: self.percentile(50),
            p99: self.percentile(99),
            max,
        })
    }

    /// The least of the sorted numbers that at least so many percent do not exceed.
    fn percentile(&self, percent: usize) -> u32 {
        let rank = (percent * self.0.len()).div_ceil(100);
        self.0[rank.max(1) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(numbers: impl IntoIterator<Item = u32>) -> Option<Spread> {
        Numbers(numbers.into_iter().collect()).spread()
    }

    #[test]
    fn percentiles_are_numbers_that_occurred() {
        assert_eq!(spread([]), None);
        let one = spread([7]).unwrap();
        assert_eq!((one.mean, one.median, one.p99, one.max), (7.0, 7, 7, 7));
        let two = spread([9, 4]).unwrap();
        assert_eq!((two.mean, two.median, two.p99, two.max), (6.5, 4, 9, 9));
        let many = spread((1..=200).rev()).unwrap();
        assert_eq!((many.median, many.p99, many.max), (100, 198, 200));
    }
}
