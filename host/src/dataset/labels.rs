//! Labels as people keep them in arrays: numbers of any kind, in one column, one-hot, or names.

use super::npy::{Array, Items};
use super::order::natural;
use super::{DatasetError, MAX_CLASSES};
use std::collections::BTreeSet;

/// The labels of one part of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Labels {
    /// The numbers of the classes, which may be any.
    Numbers(Vec<i64>),
    /// The names of the classes.
    Names(Vec<String>),
}

/// The labels of all parts as the numbers of classes from 0.
#[derive(Debug)]
pub(super) struct Numbered {
    /// One list a part.
    pub labels: Vec<Vec<u8>>,
    /// The names of the classes, sorted as people count, where the labels are names.
    pub class_names: Option<Vec<String>>,
}

/// Whole numbers up to this are exact as floats.
const MAX_WHOLE: f64 = (1u64 << 53) as f64;

impl Labels {
    /// What `array` means: one number or name an image, or a row for each image with a 1 at its class.
    ///
    /// # Errors
    /// What the array is instead, for a sentence.
    pub(super) fn of(array: Array) -> Result<Self, String> {
        let kind = array.kind;
        let mut shape = &array.shape[..];
        while let [others @ .., 1] = shape {
            if others.is_empty() {
                break;
            }
            shape = others;
        }
        let numbers = match array.items {
            Items::Texts(names) if shape.len() == 1 => return Ok(Labels::Names(names)),
            Items::Texts(_) => return Err(format!("{kind} of {} dimensions", shape.len())),
            Items::Bits(bytes) | Items::Bytes(bytes) => bytes.into_iter().map(i64::from).collect(),
            Items::Whole(numbers) => numbers,
            Items::Floats(floats) => (floats.into_iter())
                .map(
                    |value| match value.fract() == 0.0 && value.abs() <= MAX_WHOLE {
                        true => Ok(value as i64),
                        false => Err(format!("{kind} with the value {value}")),
                    },
                )
                .collect::<Result<Vec<i64>, String>>()?,
        };
        match *shape {
            [_] => Ok(Labels::Numbers(numbers)),
            [_, classes] if classes > 1 => {
                let rows = numbers.chunks_exact(classes).enumerate();
                let class = |(row, numbers): (usize, &[i64])| {
                    let class = numbers.iter().position(|&number| number == 1);
                    let others = numbers.iter().filter(|&&number| number != 0).count();
                    class.filter(|_| others == 1).map(|class| class as i64).ok_or_else(|| {
                        format!("{kind} in {classes} columns, and row {row} is not one 1 among zeros")
                    })
                };
                let classes = rows.map(class).collect::<Result<Vec<i64>, String>>()?;
                Ok(Labels::Numbers(classes))
            }
            [] => Err(format!("one {kind}")),
            _ => Err(format!("{kind} of {} dimensions", shape.len())),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Labels::Numbers(numbers) => numbers.len(),
            Labels::Names(names) => names.len(),
        }
    }

    /// Numbers the classes of all parts of the data set `name`.
    ///
    /// # Errors
    /// A number that is no class, more names than there can be classes, or numbers in one part and names in another.
    pub(super) fn numbered(name: &str, parts: Vec<Labels>) -> Result<Numbered, DatasetError> {
        let mut classes = BTreeSet::new();
        for part in &parts {
            if let Labels::Names(names) = part {
                classes.extend(names.iter().cloned());
            }
        }
        if classes.len() > MAX_CLASSES {
            return Err(DatasetError::TooManyNames {
                name: name.to_owned(),
                classes: classes.len(),
            });
        }
        let mut classes: Vec<String> = classes.into_iter().collect();
        classes.sort_by(|one, other| natural(one.as_bytes(), other.as_bytes()));
        let number = |class: &String| {
            let number = classes.iter().position(|known| known == class);
            number.expect("all names are among the classes") as u8
        };
        let labels = (parts.iter())
            .map(|part| match part {
                Labels::Names(names) => Ok(names.iter().map(number).collect()),
                Labels::Numbers(_) if !classes.is_empty() => {
                    Err(DatasetError::LabelsDiffer(name.to_owned()))
                }
                Labels::Numbers(numbers) => (numbers.iter())
                    .map(|&label| match usize::try_from(label) {
                        Ok(class) if class < MAX_CLASSES => Ok(class as u8),
                        _ => Err(DatasetError::label(name, label)),
                    })
                    .collect(),
            })
            .collect::<Result<Vec<Vec<u8>>, _>>()?;
        Ok(Numbered {
            labels,
            class_names: (!classes.is_empty()).then_some(classes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(shape: &[usize], items: Items) -> Result<Labels, String> {
        Labels::of(Array {
            kind: "kind".to_owned(),
            shape: shape.to_vec(),
            items,
        })
    }

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn labels_are_numbers_of_any_kind_one_column_or_one_hot() {
        let expected = Ok(Labels::Numbers(vec![0, 2, 1]));
        for (shape, items) in [
            (&[3][..], Items::Bytes(vec![0, 2, 1])),
            (&[3], Items::Whole(vec![0, 2, 1])),
            (&[3], Items::Floats(vec![0.0, 2.0, 1.0])),
            (&[3, 1], Items::Whole(vec![0, 2, 1])),
            (&[3, 1, 1], Items::Whole(vec![0, 2, 1])),
            (&[3, 3], Items::Bits(vec![1, 0, 0, 0, 0, 1, 0, 1, 0])),
            (
                &[3, 3],
                Items::Floats(vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
            ),
        ] {
            assert_eq!(labels(shape, items.clone()), expected, "{items:?}");
        }
        assert_eq!(
            labels(&[1], Items::Bits(vec![1])),
            Ok(Labels::Numbers(vec![1]))
        );
        assert_eq!(
            labels(&[1, 1], Items::Bits(vec![1])),
            Ok(Labels::Numbers(vec![1]))
        );
    }

    #[test]
    fn what_labels_are_instead_is_said() {
        for (shape, items, found) in [
            (
                &[2][..],
                Items::Floats(vec![0.0, 0.5]),
                "kind with the value 0.5",
            ),
            (
                &[2],
                Items::Floats(vec![0.0, f64::NAN]),
                "kind with the value NaN",
            ),
            (
                &[2],
                Items::Floats(vec![0.0, f64::INFINITY]),
                "kind with the value inf",
            ),
            (&[], Items::Whole(vec![3]), "one kind"),
            (&[2, 2, 2], Items::Bytes(vec![0; 8]), "kind of 3 dimensions"),
            (
                &[2, 2],
                Items::Texts(texts(&["a"; 4])),
                "kind of 2 dimensions",
            ),
            (
                &[2, 2],
                Items::Bytes(vec![0, 1, 1, 1]),
                "kind in 2 columns, and row 1 is not one 1 among zeros",
            ),
            (
                &[2, 2],
                Items::Bytes(vec![0, 1, 0, 0]),
                "kind in 2 columns, and row 1 is not one 1 among zeros",
            ),
            (
                &[2, 2],
                Items::Bytes(vec![0, 2, 1, 0]),
                "kind in 2 columns, and row 0 is not one 1 among zeros",
            ),
        ] {
            assert_eq!(labels(shape, items), Err(found.to_owned()));
        }
        assert_eq!(
            labels(&[0, 3], Items::Bytes(vec![])),
            Ok(Labels::Numbers(vec![]))
        );
    }

    #[test]
    fn names_are_numbered_in_the_order_that_people_count_in_over_all_parts() {
        let parts = vec![
            Labels::Names(texts(&["class10", "class2"])),
            Labels::Names(texts(&["class2", "class1"])),
        ];
        let numbered = Labels::numbered("own", parts).unwrap();
        assert_eq!(numbered.labels, [[2, 1], [1, 0]]);
        let names = numbered.class_names.unwrap();
        assert_eq!(names, ["class1", "class2", "class10"]);

        let mixed = vec![Labels::Names(texts(&["a"])), Labels::Numbers(vec![0])];
        let error = Labels::numbered("own", mixed).unwrap_err();
        assert!(matches!(error, DatasetError::LabelsDiffer(_)), "{error}");
        let error = Labels::numbered("own", vec![Labels::Numbers(vec![0, 256])]).unwrap_err();
        assert!(
            matches!(error, DatasetError::Label { label: 256, .. }),
            "{error}"
        );
        let many: Vec<String> = (0..257).map(|index| index.to_string()).collect();
        let error = Labels::numbered("own", vec![Labels::Names(many)]).unwrap_err();
        assert!(
            matches!(error, DatasetError::TooManyNames { classes: 257, .. }),
            "{error}"
        );
    }
}
