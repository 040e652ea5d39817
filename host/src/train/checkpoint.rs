//! A training run put aside: everything that it needs to go on as if it had never stopped.
//!
//! The file is a line that names the format, the state in postcard's encoding, that of the teacher where
//! there is one, and the SHA-256 of all. It is for the same version of firstspike on the same data, not for keeping: what is for
//! keeping is the model file.

use super::curve::Epoch;
use super::latent::LatentState;
use super::options::Options;
use super::perceptron::Perceptron;
use super::sgd::Parameters;
use crate::dataset::Dataset;
use crate::files::Kind;
use crate::text::hexadecimal;
use firmware_model::network::{Layer, Network, NetworkError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

const HEADER: &[u8] = b"firstspike checkpoint 2\n";
const SUM: usize = 32;

/// Checkpoints among other files, of whatever version.
pub const CHECKPOINT: Kind = Kind {
    name: "a checkpoint",
    suffix: "checkpoint",
    is_one: |bytes| bytes.starts_with(b"firstspike checkpoint "),
};

/// Why a run cannot go on from a checkpoint.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CheckpointError {
    #[error("it is no checkpoint of this version of firstspike")]
    NotACheckpoint,
    #[error("it is damaged or cut short")]
    Damaged,
    #[error("it is of a run with another {what}: {before} then, {now} now")]
    OtherRun {
        what: String,
        before: String,
        now: String,
    },
}

/// What a run was asked to do. Two runs of the same setup are the same run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    dataset: String,
    /// SHA-256 of the training images and labels, and of their groups where they are known.
    data: [u8; SUM],
    sizes: Vec<usize>,
    steps: usize,
    /// As JSON, so that a difference can be named.
    options: String,
}

/// A run between two epochs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(super) setup: Setup,
    /// Whole epochs so far.
    pub(super) epochs: Vec<Epoch>,
    /// The best of them, and its network.
    pub(super) best: Option<(usize, PlainNetwork)>,
    pub(super) latent: RealNumbers,
    /// Where the random numbers have got to.
    pub(super) random_words: u128,
    /// The order of the images, which is shuffled further each epoch.
    pub(super) order: Vec<usize>,
    pub(super) updates: u64,
    /// Images seen.
    pub(super) images: usize,
    /// What the teacher has learned. It comes after the rest in the file, and not at all where there is
    /// none.
    #[serde(skip)]
    pub(super) teacher: Option<Perceptron>,
}

/// The real numbers of a network that learns, by how it descends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum RealNumbers {
    Batches(LatentState),
    Images(Parameters),
}

/// A network as plain data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlainNetwork {
    steps: usize,
    layers: Vec<PlainLayer>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PlainLayer {
    inputs: usize,
    signs: Vec<u64>,
    thresholds: Vec<i32>,
}

impl Setup {
    pub fn new(data: &Dataset, sizes: &[usize], steps: usize, options: &Options) -> Self {
        let mut hash = Sha256::new();
        hash.update(&data.train.images);
        hash.update(&data.train.labels);
        if let Some(groups) = &data.groups {
            hash.update(groups.bytes());
        }
        Setup {
            dataset: data.name.clone(),
            data: hash.finalize().into(),
            sizes: sizes.to_vec(),
            steps,
            options: serde_json::to_string(options).expect("options are plain data"),
        }
    }

    /// Checks that `self`, of a checkpoint, is what is asked for `now`; names the first difference.
    pub(super) fn check(&self, now: &Setup) -> Result<(), CheckpointError> {
        let differs = |what: &str, before: String, now: String| {
            let what = what.replace('_', " ");
            Err(CheckpointError::OtherRun { what, before, now })
        };
        if self.dataset != now.dataset {
            return differs("data set", self.dataset.clone(), now.dataset.clone());
        }
        if self.data != now.data {
            let (before, now) = (hexadecimal(&self.data[..4]), hexadecimal(&now.data[..4]));
            return differs("content of the data set (SHA-256)", before, now);
        }
        if self.sizes != now.sizes {
            let (before, now) = (format!("{:?}", self.sizes), format!("{:?}", now.sizes));
            return differs("sizes of its layers", before, now);
        }
        if self.steps != now.steps {
            return differs(
                "number of time steps",
                self.steps.to_string(),
                now.steps.to_string(),
            );
        }
        let value = |json: &str| serde_json::from_str(json).unwrap_or_default();
        let (then_all, now_all): (serde_json::Value, serde_json::Value) =
            (value(&self.options), value(&now.options));
        // What is not chosen may not be written down: each has names that the other lacks.
        let all = [&now_all, &then_all].into_iter();
        for (name, _) in all.filter_map(|options| options.as_object()).flatten() {
            if then_all[name] != now_all[name] {
                return differs(name, then_all[name].to_string(), now_all[name].to_string());
            }
        }
        Ok(())
    }
}

impl PlainNetwork {
    pub(super) fn of(network: &Network) -> Self {
        let layers = network.layers().iter().map(|layer| PlainLayer {
            inputs: layer.inputs(),
            signs: layer.signs().to_vec(),
            thresholds: layer.thresholds().to_vec(),
        });
        PlainNetwork {
            steps: network.steps(),
            layers: layers.collect(),
        }
    }

    pub(super) fn to_network(&self) -> Result<Network, NetworkError> {
        let layers = self.layers.iter().map(|layer| {
            let (signs, thresholds) = (layer.signs.clone(), layer.thresholds.clone());
            Layer::new(layer.inputs, layer.thresholds.len(), signs, thresholds)
        });
        Network::new(self.steps, layers.collect::<Result<_, _>>()?)
    }
}

impl Checkpoint {
    /// How many epochs are behind it.
    pub fn epochs(&self) -> usize {
        self.epochs.len()
    }

    /// The bytes of its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let plain = "it is plain data";
        let mut bytes = postcard::to_extend(self, HEADER.to_vec()).expect(plain);
        if let Some(teacher) = &self.teacher {
            bytes = postcard::to_extend(teacher, bytes).expect(plain);
        }
        let sum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// The checkpoint in `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        if !bytes.starts_with(HEADER) {
            return Err(CheckpointError::NotACheckpoint);
        }
        let (state, sum) = (bytes.len().checked_sub(SUM))
            .filter(|&end| end >= HEADER.len())
            .map(|end| bytes.split_at(end))
            .ok_or(CheckpointError::Damaged)?;
        if Sha256::digest(state)[..] != *sum {
            return Err(CheckpointError::Damaged);
        }
        let damaged = |_| CheckpointError::Damaged;
        let (mut checkpoint, rest): (Checkpoint, _) =
            postcard::take_from_bytes(&state[HEADER.len()..]).map_err(damaged)?;
        if !rest.is_empty() {
            checkpoint.teacher = Some(postcard::from_bytes(rest).map_err(damaged)?);
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;
    use crate::dataset::{self, Groups};

    const SIZES: [usize; 3] = [64, 24, 10];

    fn options() -> Options {
        let digits = dataset::load("digits").unwrap();
        Options {
            epochs: 5,
            rule: Rule {
                chain: Chain::Latent,
                ..Rule::default()
            },
            ..Options::for_dataset(&digits)
        }
    }

    fn run(
        from: Option<&Checkpoint>,
        options: &Options,
    ) -> (Result<Trained, TrainError>, Vec<Checkpoint>) {
        let data = dataset::load("digits").unwrap();
        let mut kept = Vec::new();
        let mut watch = |event: Event| {
            if let Event::Epoch { checkpoint, .. } = event {
                kept.push(checkpoint.expect("the epoch is whole")());
            }
        };
        let stop = AtomicBool::new(false);
        let trained = train_from(from, &data, &SIZES, 16, options, &stop, &mut watch);
        (trained, kept)
    }

    /// Options of a run that descends image by image.
    fn image_by_image() -> Options {
        let digits = dataset::load("digits").unwrap();
        Options {
            epochs: 5,
            hidden_threshold: 9.0,
            patience: 0.4,
            ..Options::for_rule(&digits, Named::Bs4nn, 16)
        }
    }

    #[test]
    fn a_run_that_goes_on_ends_as_if_it_had_never_stopped() {
        goes_on(&options());
    }

    #[test]
    fn a_run_image_by_image_goes_on_too() {
        goes_on(&image_by_image());
    }

    fn goes_on(options: &Options) {
        let (whole, kept) = run(None, options);
        let whole = whole.unwrap();
        for (epoch, checkpoint) in kept.iter().enumerate() {
            let read = Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap();
            assert_eq!(read.epochs(), epoch + 1);
            let (rest, later) = run(Some(&read), options);
            let rest = rest.unwrap();
            assert_eq!(later.len(), 4 - epoch);
            assert_eq!(rest.network, whole.network);
            assert_eq!(rest.epochs, whole.epochs);
            assert_eq!(rest.best_epoch, whole.best_epoch);
            for (one, other) in later.iter().zip(&kept[epoch + 1..]) {
                assert!(one.to_bytes() == other.to_bytes());
            }
        }
    }

    fn taught() -> Options {
        Options {
            teacher: Some(Teaching::by(30)),
            ..options()
        }
    }

    #[test]
    fn a_taught_run_goes_on_with_the_teacher_of_then() {
        let (whole, kept) = run(None, &taught());
        let whole = whole.unwrap();
        let read = Checkpoint::from_bytes(&kept[1].to_bytes()).unwrap();
        let (rest, later) = run(Some(&read), &taught());
        let rest = rest.unwrap();
        assert_eq!(rest.network, whole.network);
        assert_eq!(rest.epochs, whole.epochs);
        assert!(later[2].to_bytes() == kept[4].to_bytes());
        assert!(read.teacher.is_some() && read.teacher == kept[4].teacher);
    }

    #[test]
    fn another_teacher_is_refused_and_so_is_one_that_does_not_fit() {
        let (_, kept) = run(None, &taught());
        let (_, alone) = run(None, &options());
        let error = |from: &Checkpoint, options: &Options| {
            run(Some(from), options).0.unwrap_err().to_string()
        };
        let other = Options {
            teacher: Some(Teaching::by(31)),
            ..options()
        };
        assert!(error(&kept[0], &other).contains("another teacher"));
        assert!(error(&kept[0], &options()).contains("another teacher"));
        assert!(error(&alone[0], &taught()).contains("null then"));
        let mut changed = kept[0].clone();
        changed.teacher = None;
        assert!(error(&changed, &taught()).contains("damaged"));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        changed.teacher = Some(Perceptron::new(64, 31, 10, &mut rng));
        assert!(error(&changed, &taught()).contains("damaged"));
        let mut extra = alone[0].clone();
        extra.teacher = changed.teacher;
        assert!(error(&extra, &options()).contains("damaged"));
    }

    #[test]
    fn another_run_is_refused_and_the_difference_named() {
        let (_, kept) = run(None, &options());
        let other = Options {
            learning_rate: 0.001,
            ..options()
        };
        let error = run(Some(&kept[0]), &other).0.unwrap_err().to_string();
        assert!(
            error.contains("learning rate: 0.003 then, 0.001 now"),
            "{error}"
        );
        let data = dataset::load("digits").unwrap();
        let mut changed = data.clone();
        changed.train.images[0] ^= 1;
        let setup =
            |data: &Dataset, sizes: &[usize], steps| Setup::new(data, sizes, steps, &options());
        let now = setup(&data, &SIZES, 16);
        let differs = |setup: Setup, what: &str| {
            let error = setup.check(&now).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        };
        differs(setup(&changed, &SIZES, 16), "content of the data set");
        // Other images would be held out.
        let mut grouped = data.clone();
        grouped.groups = Some(Groups {
            kind: "writer",
            of: vec![0; data.train.len()],
        });
        differs(setup(&grouped, &SIZES, 16), "content of the data set");
        differs(
            setup(&data, &[64, 25, 10], 16),
            "[64, 25, 10] then, [64, 24, 10] now",
        );
        differs(setup(&data, &SIZES, 8), "time steps: 8 then, 16 now");
    }

    #[test]
    fn every_cut_and_every_change_is_an_error() {
        let (_, kept) = run(None, &options());
        let bytes = kept[0].to_bytes();
        for length in (0..bytes.len())
            .step_by(97)
            .chain([HEADER.len(), bytes.len() - 1])
        {
            Checkpoint::from_bytes(&bytes[..length]).unwrap_err();
        }
        for at in (0..bytes.len()).step_by(101) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            Checkpoint::from_bytes(&changed).unwrap_err();
        }
    }

    fn batches(checkpoint: &mut Checkpoint) -> &mut LatentState {
        match &mut checkpoint.latent {
            RealNumbers::Batches(state) => state,
            RealNumbers::Images(_) => panic!("the run has batches"),
        }
    }

    #[test]
    fn a_state_that_is_no_run_is_refused() {
        let (_, kept) = run(None, &options());
        let refused = |change: &dyn Fn(&mut Checkpoint)| {
            let mut changed = kept[1].clone();
            change(&mut changed);
            let error = run(Some(&changed), &options()).0.unwrap_err();
            assert!(
                matches!(error, TrainError::Checkpoint(CheckpointError::Damaged)),
                "{error}"
            );
        };
        refused(&|c| c.order[0] = c.order[1]);
        refused(&|c| c.images += 1);
        refused(&|c| c.best.as_mut().unwrap().0 = 9);
        refused(&|c| batches(c)[1].0[0].value.truncate(3));
        refused(&|c| batches(c)[0].1.second.push(0.0));
        refused(&|c| c.best.as_mut().unwrap().1.layers[0].signs.truncate(1));
        refused(&|c| {
            batches(c).pop();
        });
        let (_, images) = run(None, &image_by_image());
        refused(&|c| c.latent = images[1].latent.clone());
    }

    #[test]
    fn numbers_of_other_layers_are_refused() {
        let (_, kept) = run(None, &image_by_image());
        let mut changed = kept[1].clone();
        match &mut changed.latent {
            RealNumbers::Images(layers) => layers.swap(0, 1),
            RealNumbers::Batches(_) => panic!("the run has no batches"),
        }
        let error = run(Some(&changed), &image_by_image()).0.unwrap_err();
        assert!(
            matches!(error, TrainError::Checkpoint(CheckpointError::Damaged)),
            "{error}"
        );
    }

    #[test]
    fn a_run_ends_when_nothing_better_comes() {
        let patient = Options {
            epochs: 60,
            stop_after: 4,
            ..options()
        };
        let trained = run(None, &patient).0.unwrap();
        assert!(trained.settled && !trained.stopped);
        assert_eq!(trained.epochs.len(), trained.best_epoch + 4);
        assert!(!run(None, &options()).0.unwrap().settled);
    }
}
