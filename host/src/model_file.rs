//! Model files (`.fsp`): a network and how it came to be.
//!
//! The container is safetensors, so other tools can open it. For each layer N from 1 it has
//! `layerN.signs` (u8, one row a neuron, bit i % 8 of byte i / 8 is 1 where the weight of input i is
//! +1) and `layerN.thresholds` (i32). Everything else is one JSON object under the metadata key
//! `firstspike`. The same model always gives the same bytes.
//!
//! Since format 2 the JSON also says what the network's inputs are ([`InputRecord`]): older versions of firstspike, which
//! would convert images by their folder instead, refuse such a file. Files of format 1 are read, and lack it.
//!
//! The JSON carries the SHA-256 of the whole file, taken with 64 zeros in its place. So no byte can
//! change without [`load`] seeing it.

use crate::dataset::{Axis, Dataset, InputSpec, Source};
use crate::encoding::Latency;
use crate::files::{contains, read_whole, write_whole, Kind};
use crate::text::hexadecimal;
use crate::train::{to_csv, Options, Trained};
use firmware_model::network::{Layer, Network, NetworkError, SpikeTrain};
use safetensors::tensor::{serialize, Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The version of the format that is written, and the newest that is read.
pub const FORMAT: u64 = 2;

/// Model files among others.
pub const MODEL: Kind = Kind {
    name: "a model",
    suffix: "fsp",
    is_one: |bytes| {
        let header = &bytes[..bytes.len().min(1024)];
        header.get(8) == Some(&b'{') && contains(header, "\"firstspike\":")
    },
};

const KEY: &str = "firstspike";
const NO_SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A network, what it takes, and how it was trained.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    pub network: Network,
    pub encoding: Encoding,
    /// The shape of one input image, for example `[28, 28]`; its product is the network's inputs.
    pub input_shape: Vec<usize>,
    /// The data set that it was made for, as the command line names it.
    pub dataset: String,
    /// What the inputs and classes are; `None` in files of format 1.
    pub input: Option<InputRecord>,
    /// How it was trained; `None` when the weights came from elsewhere.
    pub training: Option<TrainingRecord>,
}

/// What the images are that a network was trained on, so that it is fed no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// What each axis of the input shape counts.
    pub axes: Vec<Axis>,
    pub source: Source,
    /// What the classes are called, one name each, where they have names.
    pub class_names: Option<Vec<String>>,
    /// The mean brightness of the outermost pixels of the training images, 0 to 255, where an image is a plane.
    pub border: Option<u8>,
    /// [`Dataset::train_sha256`] of the data set.
    pub train_sha256: String,
}

impl ModelFile {
    /// What a training run on `data` came to; `test_accuracy` was measured after it.
    pub fn of_training(
        data: &Dataset,
        options: &Options,
        trained: &Trained,
        test_accuracy: f64,
    ) -> Self {
        let best = trained.best();
        ModelFile {
            network: trained.network.clone(),
            encoding: Encoding::Latency {
                steps: trained.network.steps(),
                maximum: data.maximum,
            },
            input_shape: data.shape.clone(),
            dataset: data.name.clone(),
            input: Some(InputRecord::of(data)),
            training: Some(TrainingRecord {
                options: options.clone(),
                best_epoch: trained.best_epoch,
                stopped: trained.stopped,
                train_accuracy: best.train_accuracy,
                validation_accuracy: best.validation.accuracy,
                test_accuracy,
                curve_csv: to_csv(&trained.epochs),
            }),
        }
    }
}

impl ModelFile {
    /// What the network is to be fed with, as far as the file says it.
    pub fn input_spec(&self) -> InputSpec {
        let Encoding::Latency { maximum, .. } = self.encoding;
        let record = self.input.as_ref();
        InputSpec {
            trained_on: self.dataset.clone(),
            shape: self.input_shape.clone(),
            maximum,
            classes: self.network.outputs(),
            class_names: record.and_then(|input| input.class_names.clone()),
            source: record.map(|input| input.source),
            border: record.and_then(|input| input.border),
            train_sha256: record.map(|input| input.train_sha256.clone()),
        }
    }
}

impl InputRecord {
    /// What the images of `data` are.
    pub fn of(data: &Dataset) -> Self {
        let spec = InputSpec::of(data);
        InputRecord {
            axes: Axis::of(&data.shape, &data.source),
            source: data.source,
            class_names: spec.class_names,
            border: spec.border,
            train_sha256: data.train_sha256(),
        }
    }
}

/// How intensities become spikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "lowercase")]
pub enum Encoding {
    /// [`Latency`], over intensities 0 to `maximum`.
    Latency { steps: usize, maximum: u8 },
}

impl Encoding {
    /// The spikes of one image of intensities 0 to the maximum of this encoding.
    pub fn encode(&self, image: &[u8]) -> SpikeTrain {
        match *self {
            Encoding::Latency { steps, maximum } => Latency { steps }.encode(image, maximum),
        }
    }
}

/// What a training run was and came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    pub options: Options,
    /// The epoch that the network is from, from 1.
    pub best_epoch: usize,
    /// Whether the run was stopped before its end.
    pub stopped: bool,
    /// Shares from 0 to 1, by the strict rule: of that epoch, and on the test images at the end.
    pub train_accuracy: f64,
    pub validation_accuracy: f64,
    pub test_accuracy: f64,
    /// One line an epoch, as `--curves` writes them.
    pub curve_csv: String,
}

/// Why a model file cannot be read or written.
#[derive(Debug, Error)]
pub enum ModelFileError {
    #[error("cannot read {}; check the path and that it may be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}; check that its folder is there and may be written to", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not a firstspike model ({reason}): give a file that `firstspike train` wrote", path.display())]
    NotAModel { path: PathBuf, reason: String },
    #[error("{} is cut short: copy it again or train it anew", .0.display())]
    Truncated(PathBuf),
    #[error("{} has been altered since it was written ({reason}): copy it again or train it anew", path.display())]
    Altered { path: PathBuf, reason: String },
    #[error("{} is of model format {found}, but this firstspike reads up to {FORMAT}: update firstspike", path.display())]
    Newer { path: PathBuf, found: u64 },
    #[error("the model cannot be written, because its parts do not agree: {0}")]
    Inconsistent(String),
}

/// The JSON of the metadata. The order of the fields is the order in the file.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u64,
    sha256: String,
    sizes: Vec<usize>,
    steps: usize,
    encoding: Encoding,
    input_shape: Vec<usize>,
    dataset: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<InputRecord>,
    training: Option<TrainingRecord>,
}

/// Writes `model` to `path`. The file is whole or not there.
pub fn save(model: &ModelFile, path: &Path) -> Result<(), ModelFileError> {
    let bytes = to_bytes(model)?;
    write_whole(path, &bytes).map_err(|source| ModelFileError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Reads and checks the model at `path`.
pub fn load(path: &Path) -> Result<ModelFile, ModelFileError> {
    let bytes = read_whole(path).map_err(|source| ModelFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    from_bytes(&bytes, path)
}

/// The bytes of the file of `model`.
pub fn to_bytes(model: &ModelFile) -> Result<Vec<u8>, ModelFileError> {
    check(model).map_err(|reason| ModelFileError::Inconsistent(reason.to_owned()))?;
    let header = Header {
        format: FORMAT,
        sha256: NO_SUM.to_owned(),
        sizes: model.network.sizes(),
        steps: model.network.steps(),
        encoding: model.encoding,
        input_shape: model.input_shape.clone(),
        dataset: model.dataset.clone(),
        input: model.input.clone(),
        training: model.training.clone(),
    };
    let json = serde_json::to_string(&header).expect("a header is plain data");
    let mut tensors = Vec::new();
    for (index, layer) in model.network.layers().iter().enumerate() {
        let shape = vec![layer.neurons(), layer.inputs().div_ceil(8)];
        tensors.push((signs_name(index), Dtype::U8, shape, pack_signs(layer)));
        let bytes = layer.thresholds().iter().flat_map(|t| t.to_le_bytes());
        let shape = vec![layer.neurons()];
        tensors.push((thresholds_name(index), Dtype::I32, shape, bytes.collect()));
    }
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes);
        (name, view.expect("the shape is that of the bytes"))
    });
    let metadata = HashMap::from([(KEY.to_owned(), json)]);
    let mut bytes = serialize(views, Some(metadata))
        .map_err(|e| ModelFileError::Inconsistent(e.to_string()))?;
    let sum = hexadecimal(&Sha256::digest(&bytes));
    let at = find(&bytes, NO_SUM.as_bytes()).expect("the header has the zeros in it");
    bytes[at..at + sum.len()].copy_from_slice(sum.as_bytes());
    Ok(bytes)
}

/// The model in `bytes`; `path` is for the errors.
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<ModelFile, ModelFileError> {
    let not_a_model = |reason: &str| ModelFileError::NotAModel {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let altered = |reason: &str| ModelFileError::Altered {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let header_end = header_end(bytes, path)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| match error {
        SafeTensorError::MetadataIncompleteBuffer => match bytes.len() > header_end {
            true => altered("its size is not the one announced"),
            false => ModelFileError::Truncated(path.to_owned()),
        },
        error => not_a_model(&error.to_string()),
    })?;
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| not_a_model(&error.to_string()))?;
    let json = (metadata.metadata().as_ref())
        .and_then(|metadata| metadata.get(KEY))
        .ok_or_else(|| not_a_model("it is a safetensors file of another program"))?;
    let value: serde_json::Value =
        serde_json::from_str(json).map_err(|_| altered("its description is not readable"))?;
    match value["format"].as_u64() {
        Some(1..=FORMAT) => (),
        Some(found) if found > FORMAT => {
            return Err(ModelFileError::Newer {
                path: path.to_owned(),
                found,
            })
        }
        _ => return Err(altered("its format version is not a known one")),
    }
    let header: Header = serde_json::from_value(value)
        .map_err(|error| altered(&format!("its description lacks something: {error}")))?;
    check_sum(bytes, header_end, &header.sha256).map_err(altered)?;

    let layers = (header.sizes.windows(2).enumerate())
        .map(|(index, pair)| read_layer(&tensors, index, pair[0], pair[1]))
        .collect::<Result<Vec<Layer>, String>>()
        .map_err(|reason| altered(&reason))?;
    let network =
        Network::new(header.steps, layers).map_err(|error| altered(&error.to_string()))?;
    let model = ModelFile {
        network,
        encoding: header.encoding,
        input_shape: header.input_shape,
        dataset: header.dataset,
        input: header.input,
        training: header.training,
    };
    check(&model).map_err(altered)?;
    Ok(model)
}

/// Checks that what describes the input agrees with the network.
fn check(model: &ModelFile) -> Result<(), &'static str> {
    let Encoding::Latency { steps, maximum } = model.encoding;
    if steps != model.network.steps() {
        return Err("its encoding has other time steps than its network");
    }
    if maximum == 0 {
        return Err("its encoding has no intensities");
    }
    let inputs = (model.input_shape.iter()).try_fold(1usize, |n, &size| n.checked_mul(size));
    if inputs != Some(model.network.inputs()) {
        return Err("its input shape has other inputs than its network");
    }
    if let Some(input) = &model.input {
        if input.axes.len() != model.input_shape.len() {
            return Err("its input shape has another number of axes");
        }
        let names = input.class_names.as_ref().map(Vec::len);
        if names.is_some_and(|names| names != model.network.outputs()) {
            return Err("it has names for another number of classes than its network");
        }
    }
    Ok(())
}

/// Where the safetensors header ends, after a check that this can be such a file at all.
fn header_end(bytes: &[u8], path: &Path) -> Result<usize, ModelFileError> {
    let truncated = || ModelFileError::Truncated(path.to_owned());
    let length: [u8; 8] = (bytes.get(..8).ok_or_else(truncated)?)
        .try_into()
        .expect("eight bytes");
    let begins_right = bytes.get(8).ok_or_else(truncated)? == &b'{';
    let end = u64::from_le_bytes(length).checked_add(8);
    match end.and_then(|end| usize::try_from(end).ok()) {
        Some(end) if begins_right && end <= 100 << 20 => {
            if end > bytes.len() {
                return Err(truncated());
            }
            Ok(end)
        }
        _ => Err(ModelFileError::NotAModel {
            path: path.to_owned(),
            reason: "it is no safetensors file".to_owned(),
        }),
    }
}

/// Checks the sum over all bytes, with zeros where the sum itself is.
fn check_sum(bytes: &[u8], header_end: usize, sum: &str) -> Result<(), &'static str> {
    if sum.len() != NO_SUM.len() {
        return Err("its checksum is not one");
    }
    let at = find(&bytes[..header_end], sum.as_bytes()).ok_or("its checksum is not one")?;
    let mut hash = Sha256::new();
    hash.update(&bytes[..at]);
    hash.update(NO_SUM);
    hash.update(&bytes[at + sum.len()..]);
    match hexadecimal(&hash.finalize()) == sum {
        true => Ok(()),
        false => Err("its checksum is another"),
    }
}

fn read_layer(
    tensors: &SafeTensors,
    index: usize,
    inputs: usize,
    neurons: usize,
) -> Result<Layer, String> {
    let get = |name: String, dtype: Dtype, shape: &[usize]| match tensors.tensor(&name) {
        Ok(tensor) if tensor.dtype() == dtype && tensor.shape() == shape => Ok(tensor.data()),
        Ok(_) => Err(format!("{name} has another shape than its description")),
        Err(_) => Err(format!("{name} is missing")),
    };
    let signs_shape = [neurons, inputs.div_ceil(8)];
    let signs = get(signs_name(index), Dtype::U8, &signs_shape)?;
    let thresholds = get(thresholds_name(index), Dtype::I32, &[neurons])?;
    let thresholds = thresholds
        .chunks_exact(4)
        .map(|bytes| i32::from_le_bytes(bytes.try_into().expect("four bytes")));
    unpack_signs(inputs, neurons, signs, thresholds.collect()).map_err(|e| e.to_string())
}

/// Rows of bytes from rows of 64-bit words: the low byte first.
fn pack_signs(layer: &Layer) -> Vec<u8> {
    let bytes_per_neuron = layer.inputs().div_ceil(8);
    (layer.signs().chunks_exact(layer.words_per_neuron()))
        .flat_map(|words| {
            let bytes = words.iter().flat_map(|word| word.to_le_bytes());
            bytes.take(bytes_per_neuron)
        })
        .collect()
}

fn unpack_signs(
    inputs: usize,
    neurons: usize,
    bytes: &[u8],
    thresholds: Vec<i32>,
) -> Result<Layer, NetworkError> {
    let words = bytes
        .chunks_exact(inputs.div_ceil(8).max(1))
        .flat_map(|row| {
            row.chunks(8).map(|bytes| {
                let mut word = [0; 8];
                word[..bytes.len()].copy_from_slice(bytes);
                u64::from_le_bytes(word)
            })
        });
    Layer::new(inputs, neurons, words.collect(), thresholds)
}

fn signs_name(index: usize) -> String {
    format!("layer{}.signs", index + 1)
}

fn thresholds_name(index: usize) -> String {
    format!("layer{}.thresholds", index + 1)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use proptest::prelude::*;
    use std::fs;

    fn model() -> ModelFile {
        let layers = vec![
            Layer::from_fn(70, vec![3, 1, 9], |j, i| (i * 7 + j) % 3 == 0).unwrap(),
            Layer::from_fn(3, vec![2, 32_767], |j, i| i == j).unwrap(),
        ];
        let digits = dataset::load("digits").unwrap();
        ModelFile {
            network: Network::new(16, layers).unwrap(),
            encoding: Encoding::Latency {
                steps: 16,
                maximum: 16,
            },
            input_shape: vec![7, 10],
            dataset: "digits".to_owned(),
            input: Some(InputRecord {
                class_names: Some(vec!["\u{e4}nt".to_owned(), "zebra".to_owned()]),
                ..InputRecord::of(&digits)
            }),
            training: Some(TrainingRecord {
                options: Options::for_dataset(&digits),
                best_epoch: 2,
                stopped: false,
                train_accuracy: 0.5,
                validation_accuracy: 1.0 / 3.0,
                test_accuracy: 0.1,
                curve_csv: "epoch,loss\n1,0.5\n".to_owned(),
            }),
        }
    }

    fn read(bytes: &[u8]) -> Result<ModelFile, ModelFileError> {
        from_bytes(bytes, Path::new("model.fsp"))
    }

    #[test]
    fn a_model_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.fsp");
        let mut model = model();
        save(&model, &path).unwrap();
        assert_eq!(load(&path).unwrap(), model);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        model.training = None;
        save(&model, &path).unwrap();
        assert_eq!(load(&path).unwrap(), model);
    }

    #[test]
    fn the_same_model_gives_the_same_bytes() {
        let bytes = to_bytes(&model()).unwrap();
        for _ in 0..20 {
            assert_eq!(to_bytes(&model()).unwrap(), bytes);
        }
    }

    #[test]
    fn every_cut_is_an_error_and_says_so() {
        let bytes = to_bytes(&model()).unwrap();
        for length in 0..bytes.len() {
            let error = read(&bytes[..length]).unwrap_err();
            let is_named = match error {
                ModelFileError::Truncated(_) => true,
                ModelFileError::Altered { .. } => length > 8,
                _ => false,
            };
            assert!(is_named, "{length}: {error}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        read(&longer).unwrap_err();
    }

    #[test]
    fn every_flipped_bit_is_an_error() {
        let bytes = to_bytes(&model()).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(read(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn other_bytes_are_an_error_and_no_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        ) {
            let bytes = to_bytes(&model()).unwrap();
            let mut changed = bytes.clone();
            for (at, value) in changes {
                let at = at.index(changed.len());
                changed[at] = value;
            }
            prop_assert_eq!(read(&changed).is_ok(), changed == bytes);
        }

        #[test]
        fn noise_is_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).is_err());
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let bytes = to_bytes(&model()).unwrap();
        let at = find(&bytes, br#"\"format\":2"#).unwrap() + r#"\"format\":"#.len();
        let mut newer = bytes;
        newer[at] = b'7';
        let error = read(&newer).unwrap_err();
        assert!(
            matches!(error, ModelFileError::Newer { found: 7, .. }),
            "{error}"
        );
    }

    #[test]
    fn other_files_are_named() {
        let text = read(b"this is a text file, and not a short one").unwrap_err();
        assert!(matches!(text, ModelFileError::NotAModel { .. }), "{text}");
        let no_tensors: Vec<(String, TensorView)> = Vec::new();
        let foreign = serialize(no_tensors, None).unwrap();
        let error = read(&foreign).unwrap_err();
        assert!(matches!(error, ModelFileError::NotAModel { .. }), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/such/folder/model.fsp");
        assert!(matches!(
            save(&model(), &path),
            Err(ModelFileError::Write { .. })
        ));
        let mut wrong = model();
        wrong.input_shape = vec![3];
        assert!(matches!(
            save(&wrong, &folder.path().join("model.fsp")),
            Err(ModelFileError::Inconsistent(_))
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
