//! The curves of a training run, from the record in its model file.

/// The epochs of a run, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    pub epochs: Vec<Point>,
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// From 1.
    pub epoch: f64,
    /// The mean cross-entropy of the training images.
    pub loss: f64,
    /// Shares from 0 to 1, by the strict rule.
    pub train_accuracy: f64,
    pub validation_accuracy: f64,
}

impl Curves {
    /// The curves of a record's CSV, whose columns go by their names. `None` where a column is missing, a
    /// line cannot be read, or there is no epoch at all.
    pub fn of_csv(csv: &str) -> Option<Self> {
        let mut lines = csv.lines();
        let names: Vec<&str> = lines.next()?.split(',').collect();
        let column = |name: &str| names.iter().position(|&other| other == name);
        let columns = [
            column("epoch")?,
            column("loss")?,
            column("train_accuracy")?,
            column("validation_accuracy")?,
        ];
        let epochs = lines.map(|line| {
            let values: Vec<&str> = line.split(',').collect();
            let value = |column: usize| {
                let value: f64 = values.get(column)?.parse().ok()?;
                value.is_finite().then_some(value)
            };
            Some(Point {
                epoch: value(columns[0])?,
                loss: value(columns[1])?,
                train_accuracy: value(columns[2])?,
                validation_accuracy: value(columns[3])?,
            })
        });
        let epochs: Vec<Point> = epochs.collect::<Option<_>>()?;
        (!epochs.is_empty()).then_some(Curves { epochs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{to_csv, Epoch, Measured};

    #[test]
    fn what_the_trainer_writes_is_read() {
        let epoch = |epoch: usize| Epoch {
            epoch,
            learning_rate: 0.003,
            loss: 1.0 / epoch as f64,
            train_accuracy: 0.5,
            validation: Measured {
                accuracy: 0.25,
                ..Measured::default()
            },
        };
        let curves = Curves::of_csv(&to_csv(&[epoch(1), epoch(2)])).unwrap();
        let second = Point {
            epoch: 2.0,
            loss: 0.5,
            train_accuracy: 0.5,
            validation_accuracy: 0.25,
        };
        assert_eq!((curves.epochs.len(), curves.epochs[1]), (2, second));
    }

    #[test]
    fn what_is_not_a_curve_is_none() {
        let header = "epoch,loss,train_accuracy,validation_accuracy\n";
        assert!(Curves::of_csv(&format!("{header}1,0.5,0.9,0.8\n")).is_some());
        for csv in [
            String::new(),
            header.to_owned(),
            "epoch,loss\n1,0.5\n".to_owned(),
            format!("{header}1,0.5,0.9\n"),
            format!("{header}1,NaN,0.9,0.8\n"),
        ] {
            assert_eq!(Curves::of_csv(&csv), None, "{csv}");
        }
    }
}
