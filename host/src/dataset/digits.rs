//! The embedded data set: 1,797 handwritten digits of 8×8 pixels (data/README.md has the source).

use super::{hold_out_last, numbered, Dataset, Source, Split, TEST_SHARE};
use flate2::read::GzDecoder;
use std::io::Read;

const FILE: &[u8] = include_bytes!("../../../data/digits.csv.gz");
const SIDE: usize = 8;
const PIXELS: usize = SIDE * SIDE;
const MAXIMUM: u8 = 16;

pub(super) fn load() -> Dataset {
    let mut text = String::new();
    GzDecoder::new(FILE)
        .read_to_string(&mut text)
        .expect("the embedded file is whole");
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let values = line.split(',').map(|value| {
            (value.trim().parse::<u8>()).expect("the embedded file holds small whole numbers")
        });
        let row: Vec<u8> = values.collect();
        assert_eq!(row.len(), PIXELS + 1, "an image and its class");
        images.extend_from_slice(&row[..PIXELS]);
        labels.push(row[PIXELS]);
    }
    let all = Split {
        features: PIXELS,
        images,
        labels,
    };
    let (train, test) = hold_out_last(&all.labels, TEST_SHARE);
    Dataset {
        name: "digits".to_owned(),
        classes: 10,
        shape: vec![SIDE, SIDE],
        maximum: MAXIMUM,
        train: all.select(&train),
        test: all.select(&test),
        steps: None,
        recordings: None,
        groups: None,
        class_names: Some(numbered(10)),
        notes: Vec::new(),
        source: Source::Values,
    }
}
