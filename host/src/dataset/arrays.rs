//! Data sets whose images come as arrays, whatever file they were in.

use super::values::{Raw, Scale};
use super::{
    hold_out_last, input, Dataset, DatasetError, InputError, InputSpec, Source, Split, TEST_SHARE,
};

/// An array of images, and the label of each.
pub(super) struct Part {
    pub raw: Raw,
    pub labels: Vec<u8>,
}

/// A data set of a training and a test part, or of one part, of which the last fifth of each class is the test set;
/// converted for a model where one is to be fed. Without `classes`, the highest label tells how many there are.
pub(super) fn dataset(
    name: &str,
    parts: Vec<Part>,
    classes: Option<usize>,
    class_names: Option<Vec<String>>,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    let raws: Vec<&Raw> = parts.iter().map(|part| &part.raw).collect();
    let (shape, maximum, images) = match model {
        Some(model) => (model.shape.clone(), model.maximum, model.images_of(&raws)?),
        None => {
            check_same_shape(name, &raws)?;
            let scale = Scale::to_train_on(&raws)?;
            let maximum = match scale {
                Scale::Unit => u8::MAX,
                Scale::Whole(most) => most,
            };
            let images = raws.iter().map(|raw| raw.to_bytes(scale, maximum));
            (raws[0].shape.clone(), maximum, images.collect())
        }
    };
    let mut splits: Vec<Split> = (images.into_iter().zip(parts))
        .map(|(images, part)| Split {
            features: part.raw.shape.iter().product(),
            images,
            labels: part.labels,
        })
        .collect();
    let highest = (splits.iter().flat_map(|split| &split.labels)).max();
    let classes = classes.unwrap_or(highest.map_or(0, |&label| usize::from(label) + 1));
    let last = splits.pop().expect("there is a part");
    let (train, test) = match splits.pop() {
        Some(train) => (train, last),
        None => {
            let (train, test) = hold_out_last(&last.labels, TEST_SHARE);
            (last.select(&train), last.select(&test))
        }
    };
    Ok(Dataset {
        maximum,
        class_names,
        source: model
            .and_then(|model| model.source)
            .unwrap_or(Source::Values),
        ..Dataset::of_images(name, classes, shape, train, test)
    })
}

fn check_same_shape(name: &str, raws: &[&Raw]) -> Result<(), InputError> {
    let described = |raw: &Raw| input::describe(&raw.shape, &Source::Values);
    match raws {
        [train, test] if !input::is_same_shape(&train.shape, &test.shape) => {
            Err(InputError::PartsDiffer {
                name: name.to_owned(),
                train: described(train),
                test: described(test),
            })
        }
        _ => Ok(()),
    }
}
