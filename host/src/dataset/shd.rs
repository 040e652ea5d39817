//! The Spiking Heidelberg Digits (Cramer et al., 2020): spoken digits, as the spikes of 700 channels of an
//! artificial cochlea.
//!
//! A folder holds `shd_train.h5` and `shd_test.h5`, each plain or with `.gz`. In each file are `spikes/times`
//! (seconds) and `spikes/units` (channels 0 to 699), a row for each recording, and `labels`: the digit, and
//! ten more where it was spoken in German. `extra/speaker` has the number of who spoke; a file without it is
//! read too. What else is in a file is not read.

use super::events::{EventCode, Recordings, CHANNELS};
use super::hdf5::Hdf5;
use super::{packed, Dataset, DatasetError, Groups, Source, Split};
use std::path::Path;

/// The file of each part.
pub(super) const FILES: [&str; 2] = ["shd_train.h5", "shd_test.h5"];

const CLASSES: usize = 20;
/// What was spoken: the digits in English, then in German.
const WORDS: [&str; CLASSES] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "null", "eins",
    "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun",
];
/// No recording is nearly as long: the longest spoken digit takes 1.4 s.
const MAX_SECONDS: f64 = 60.0;
/// Four times as many as the training part has; 800 MB.
const MAX_EVENTS: usize = 200_000_000;
/// Twelve spoke for the published files. Low enough that 65535, a −1 gone wrong, is no speaker.
const MAX_SPEAKER: u16 = 999;

/// Whether `folder` is meant to be read by this loader: one file is there at least.
pub(super) fn is_meant(folder: &Path) -> bool {
    FILES.iter().any(|name| packed::find(folder, name).is_ok())
}

/// Loads the two files of `folder`. The recordings of the training part are kept, beside its images.
pub(super) fn load(name: &str, folder: &Path, code: EventCode) -> Result<Dataset, DatasetError> {
    let part = |file| Part::read(name, &packed::find(folder, file)?, code);
    let test = part(FILES[1])?.encode();
    let train = part(FILES[0])?;
    Ok(Dataset {
        name: name.to_owned(),
        classes: CLASSES,
        shape: code.shape(),
        maximum: code.steps(),
        train: train.encode(),
        test,
        groups: train.speakers.map(|of| Groups {
            kind: "speaker",
            of,
        }),
        steps: Some(code.steps().into()),
        recordings: Some(train.recordings),
        class_names: Some(WORDS.map(str::to_owned).to_vec()),
        notes: Vec::new(),
        source: Source::Recordings { code },
    })
}

/// What is in one file.
#[derive(Debug)]
struct Part {
    recordings: Recordings,
    labels: Vec<u8>,
    /// Who spoke each recording, where the file says it.
    speakers: Option<Vec<u16>>,
}

impl Part {
    fn read(name: &str, path: &Path, code: EventCode) -> Result<Self, DatasetError> {
        let file = Hdf5::open(path)?;
        let labels = (file.whole_numbers("labels")?.into_iter())
            .map(|label| match u8::try_from(label) {
                Ok(class) if usize::from(class) < CLASSES => Ok(class),
                _ => Err(DatasetError::Label {
                    name: name.to_owned(),
                    label,
                    last: CLASSES - 1,
                }),
            })
            .collect::<Result<Vec<u8>, _>>()?;
        let times = file.rows("spikes/times", true)?;
        let units = file.rows("spikes/units", false)?;
        if times.len() != labels.len() || units.len() != labels.len() {
            return Err(DatasetError::RecordingCounts {
                path: path.to_owned(),
                times: times.len(),
                units: units.len(),
                labels: labels.len(),
            });
        }
        let speakers = read_speakers(path, &file, labels.len())?;
        let mut recordings = Recordings::new(code);
        let (mut seconds, mut channels) = (Vec::new(), Vec::new());
        for index in 0..labels.len() {
            times.read(index, &mut seconds)?;
            units.read(index, &mut channels)?;
            check_events(path, index, &seconds, &channels)?;
            if recordings.event_count() + seconds.len() > MAX_EVENTS {
                return Err(DatasetError::TooManyEvents {
                    path: path.to_owned(),
                    most: MAX_EVENTS,
                });
            }
            // Ties to even, as NumPy rounds, so that whoever checks this against it finds the same.
            let milliseconds = |time: f64| (1000.0 * time).round_ties_even() as u16;
            let events = seconds.iter().zip(&channels);
            recordings.push(events.map(|(&time, &unit)| (milliseconds(time), unit as u16)));
        }
        Ok(Part {
            recordings,
            labels,
            speakers,
        })
    }

    fn encode(&self) -> Split {
        Split {
            features: self.recordings.code.inputs(),
            images: self.recordings.encode(),
            labels: self.labels.clone(),
        }
    }
}

/// Who spoke each of so many recordings; `None` where the file does not say it.
fn read_speakers(
    path: &Path,
    file: &Hdf5,
    recordings: usize,
) -> Result<Option<Vec<u16>>, DatasetError> {
    let numbers = match file.whole_numbers("extra/speaker") {
        Err(DatasetError::Hdf5Missing { .. }) => return Ok(None),
        numbers => numbers?,
    };
    check_speakers(path, &numbers, recordings).map(Some)
}

/// Checks that there is one speaker for each recording.
fn check_speakers(
    path: &Path,
    numbers: &[i64],
    recordings: usize,
) -> Result<Vec<u16>, DatasetError> {
    if numbers.len() != recordings {
        return Err(DatasetError::SpeakerCount {
            path: path.to_owned(),
            speakers: numbers.len(),
            labels: recordings,
        });
    }
    (numbers.iter().enumerate())
        .map(|(recording, &speaker)| match u16::try_from(speaker) {
            Ok(number) if number <= MAX_SPEAKER => Ok(number),
            _ => Err(DatasetError::Speaker {
                path: path.to_owned(),
                recording,
                speaker,
                most: MAX_SPEAKER,
            }),
        })
        .collect()
}

/// Checks that the events of recording `index` are some.
fn check_events(
    path: &Path,
    index: usize,
    times: &[f64],
    units: &[f64],
) -> Result<(), DatasetError> {
    if times.len() != units.len() {
        return Err(DatasetError::EventCounts {
            path: path.to_owned(),
            recording: index,
            times: times.len(),
            units: units.len(),
        });
    }
    // NaN is in no range, so it is refused too.
    if let Some(&time) = times
        .iter()
        .find(|time| !(0.0..=MAX_SECONDS).contains(*time))
    {
        return Err(DatasetError::EventTime {
            path: path.to_owned(),
            recording: index,
            time,
            most: MAX_SECONDS,
        });
    }
    let last = (CHANNELS - 1) as f64;
    match units.iter().find(|unit| !(0.0..=last).contains(*unit)) {
        Some(&unit) => Err(DatasetError::EventUnit {
            path: path.to_owned(),
            recording: index,
            unit,
            last: CHANNELS - 1,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::path::PathBuf;
    use std::time::Instant;
    use tempfile::TempDir;

    /// The two folders of tests/data/shd: other libraries, other widths of numbers, the same formula.
    const LIBRARIES: [&str; 2] = ["h5py", "tables"];

    fn fixture(library: &str) -> PathBuf {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shd");
        tests.join(library)
    }

    fn load_folder(folder: &Path) -> Result<Dataset, DatasetError> {
        load("shd", folder, EventCode::SHD_FIRST)?.check()
    }

    /// A copy of a fixture with the training file unpacked, to be altered.
    struct Copy {
        folder: TempDir,
        train: Vec<u8>,
    }

    impl Copy {
        fn of(library: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut train = Vec::new();
            let packed = fixture(library).join("shd_train.h5.gz");
            (packed::open(&packed).unwrap().read_to_end(&mut train)).unwrap();
            let test = "shd_test.h5.gz";
            fs::copy(fixture(library).join(test), folder.path().join(test)).unwrap();
            Copy { folder, train }
        }

        fn load(&self, train: &[u8]) -> Result<Dataset, DatasetError> {
            fs::write(self.folder.path().join("shd_train.h5"), train).unwrap();
            load_folder(self.folder.path())
        }

        /// The error when `old`, which is there once, is `new` instead.
        fn error_with(&self, old: &[u8], new: &[u8]) -> DatasetError {
            let places: Vec<usize> = (self.train.windows(old.len()).enumerate())
                .filter(|(_, window)| *window == old)
                .map(|(place, _)| place)
                .collect();
            assert_eq!(places.len(), 1, "{old:?}");
            let mut altered = self.train.clone();
            altered[places[0]..][..new.len()].copy_from_slice(new);
            self.load(&altered).unwrap_err()
        }
    }

    /// The events of recording `index` of a fixture, as tools/make_shd_fixtures.py has them.
    fn expected_events(index: usize) -> (Vec<u16>, Vec<u16>) {
        (0..index % 4)
            .map(|k| {
                let (time, unit) = ((37 * index + 211 * k) % 1400, (13 * index + 101 * k) % 700);
                (time as u16, unit as u16)
            })
            .unzip()
    }

    /// Who speaks in recording `index` of the fixture that says it.
    fn expected_speaker(index: u16) -> u16 {
        match index {
            20.. => 11,
            _ => index % 3,
        }
    }

    #[test]
    fn small_files_of_every_kind_are_read() {
        for library in LIBRARIES {
            let data = load_folder(&fixture(library)).unwrap();
            assert_eq!((data.classes, data.maximum, data.steps), (20, 20, Some(20)));
            assert_eq!(data.shape, [700]);
            let labels: Vec<u8> = (0..24).map(|index| index % 20).collect();
            assert_eq!(data.train.labels, labels);
            assert_eq!(data.test.labels, labels[..5]);
            let recordings = data.recordings.unwrap();
            assert_eq!(recordings.len(), 24);
            for index in 0..24 {
                let (times, units) = expected_events(index);
                assert_eq!(recordings.events(index), (&times[..], &units[..]));
            }
            for (index, image) in data.test.iter().enumerate() {
                let (times, units) = expected_events(index);
                let mut expected = Vec::new();
                EventCode::SHD_FIRST.encode(&times, &units, &mut expected);
                assert_eq!(image, expected);
            }
            let plain = Copy::of(library);
            assert_eq!(plain.load(&plain.train).unwrap().train, data.train);
        }
    }

    #[test]
    fn speakers_are_read_where_a_file_has_them() {
        let with = load_folder(&fixture("h5py")).unwrap();
        let groups = with.groups.as_ref().unwrap();
        let expected: Vec<u16> = (0..24).map(expected_speaker).collect();
        assert_eq!((groups.kind, &groups.of), ("speaker", &expected));
        let parts = with.hold_out(0.1).unwrap();
        assert_eq!(parts.held_out, [20, 21, 22, 23]);
        assert_eq!(parts.whose.unwrap(), "speaker 11");

        assert_eq!(load_folder(&fixture("tables")).unwrap().groups, None);
        // The same file without them is the same but for that.
        let mut copy = Copy::of("h5py");
        let name = (copy.train.windows(8))
            .position(|window| window == b"speaker\0")
            .unwrap();
        copy.train[name] = b'z';
        let without = copy.load(&copy.train).unwrap();
        assert_eq!(without.groups, None);
        assert_eq!(without.train, with.train);
    }

    #[test]
    fn there_must_be_as_many_speakers_as_recordings() {
        let path = Path::new("file");
        for numbers in [&[1, 2][..], &[1, 2, 3, 4]] {
            let error = check_speakers(path, numbers, 3).unwrap_err();
            let named = matches!(error, DatasetError::SpeakerCount { labels: 3, .. });
            assert!(named, "{error}");
        }
        assert_eq!(check_speakers(path, &[0, 5, 999], 3).unwrap(), [0, 5, 999]);
        for wrong in [-1, 1000, 65_536, i64::MIN] {
            let error = check_speakers(path, &[0, 5, wrong], 3).unwrap_err();
            let named = matches!(error, DatasetError::Speaker { recording: 2, .. });
            assert!(
                named && error.to_string().contains(&wrong.to_string()),
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        for library in LIBRARIES {
            let copy = Copy::of(library);
            for length in (0..copy.train.len()).rev().step_by(11) {
                let error = copy.load(&copy.train[..length]).err();
                let named = matches!(
                    error,
                    Some(
                        DatasetError::Damaged { .. }
                            | DatasetError::CutShort { .. }
                            | DatasetError::NotHdf5(_)
                    )
                );
                assert!(named, "{library} {length}: {error:?}");
            }
            let packed = fs::read(fixture(library).join("shd_train.h5.gz")).unwrap();
            let path = copy.folder.path().join("shd_train.h5.gz");
            for length in 0..packed.len() {
                fs::write(&path, &packed[..length]).unwrap();
                let error = Part::read("shd", &path, EventCode::SHD).err();
                let named = matches!(error, Some(DatasetError::Damaged { .. }));
                assert!(named, "{library} {length}: {error:?}");
            }
        }
    }

    #[test]
    fn a_file_with_any_byte_altered_is_read_or_refused() {
        for library in LIBRARIES {
            let Copy {
                folder,
                train: mut bytes,
            } = Copy::of(library);
            let path = folder.path().join("altered.h5");
            for place in (0..bytes.len()).step_by(5) {
                let flip = [0x01, 0x80, 0xff][place % 3];
                bytes[place] ^= flip;
                fs::write(&path, &bytes).unwrap();
                // What matters is that it comes back.
                let _ = Part::read("shd", &path, EventCode::SHD);
                bytes[place] ^= flip;
            }
        }
    }

    #[test]
    fn values_that_cannot_be_are_named() {
        let copy = Copy::of("h5py");
        let bytes = |values: &[u16]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
        let (_, units) = expected_events(23);
        let error = copy.error_with(&bytes(&units), &bytes(&[699, 700]));
        let named = matches!(
            error,
            DatasetError::EventUnit {
                recording: 23,
                unit: 700.0,
                ..
            }
        );
        assert!(named, "{error}");

        let labels: Vec<u16> = (0..20).collect();
        let error = copy.error_with(&bytes(&labels), &bytes(&[20]));
        let named = matches!(
            error,
            DatasetError::Label {
                label: 20,
                last: 19,
                ..
            }
        );
        assert!(named, "{error}");
        // Without the class 7 there are 19 only.
        let error = copy.error_with(&bytes(&labels[6..9]), &bytes(&[6, 6]));
        let named = matches!(error, DatasetError::MissingClass { class: 7, .. });
        assert!(named, "{error}");

        // The recording 13 has one event, at 0.481 s: 0x37b2 as a float of 16 bits.
        for (time, text) in [
            (0x7e00u16, "NaN"),
            (0xbc00, "-1"),
            (0x7c00, "inf"),
            (0x6400, "1024"),
        ] {
            let error = copy.error_with(&bytes(&[0x37b2]), &bytes(&[time]));
            let named = matches!(error, DatasetError::EventTime { recording: 13, .. });
            assert!(named && error.to_string().contains(text), "{error}");
        }

        // −1 in 16 bits.
        let speakers: Vec<u16> = (0..24).map(expected_speaker).collect();
        let error = copy.error_with(&bytes(&speakers), &bytes(&[0, u16::MAX]));
        let named = matches!(
            error,
            DatasetError::Speaker {
                recording: 1,
                speaker: 65535,
                most: 999,
                ..
            }
        );
        assert!(named, "{error}");

        let error = copy.error_with(b"labels\0", b"labelz\0");
        assert!(
            matches!(
                error,
                DatasetError::Hdf5Missing {
                    array: "labels",
                    ..
                }
            ),
            "{error}"
        );
        assert!(matches!(
            copy.load(b"no such file").unwrap_err(),
            DatasetError::NotHdf5(_)
        ));
        fs::remove_file(copy.folder.path().join("shd_test.h5.gz")).unwrap();
        let error = copy.load(&copy.train).unwrap_err();
        assert!(matches!(error, DatasetError::MissingFile(_)), "{error}");
    }

    #[test]
    fn times_and_units_must_be_as_many() {
        let error = check_events(Path::new("file"), 3, &[0.0, 1.0], &[0.0]).unwrap_err();
        let named = matches!(error, DatasetError::EventCounts { recording: 3, .. });
        assert!(named, "{error}");
        check_events(Path::new("file"), 3, &[0.0, 60.0], &[0.0, 699.0]).unwrap();
    }

    /// The figures are those that h5py and NumPy give of the same files.
    #[test]
    fn the_real_files_hold_what_another_reader_finds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/shd");
        if !is_meant(&folder) {
            eprintln!("skipped: {} has no SHD files", folder.display());
            return;
        }
        let started = Instant::now();
        for (file, counts) in [
            (FILES[0], [8156, 46_691_013, 13_702_574_465, 24_150_394_500]),
            (FILES[1], [2264, 13_306_596, 3_993_360_638, 6_786_254_956]),
        ] {
            let path = packed::find(&folder, file).unwrap();
            let part = Part::read("shd", &path, EventCode::SHD).unwrap();
            let recordings = &part.recordings;
            let (mut times_sum, mut units_sum) = (0, 0);
            for index in 0..recordings.len() {
                let (times, units) = recordings.events(index);
                times_sum += times.iter().map(|&time| u64::from(time)).sum::<u64>();
                units_sum += units.iter().map(|&unit| u64::from(unit)).sum::<u64>();
            }
            let found = [
                recordings.len() as u64,
                recordings.event_count() as u64,
                times_sum,
                units_sum,
            ];
            assert_eq!(found, counts, "{file}");
            let classes = part.encode().class_counts(CLASSES);
            let expected = match file == FILES[0] {
                true => [
                    405, 400, 390, 399, 402, 403, 400, 401, 402, 404, 417, 417, 406, 413, 416, 420,
                    415, 416, 414, 416,
                ],
                false => [
                    104, 109, 119, 110, 107, 106, 109, 108, 107, 105, 116, 116, 127, 120, 117, 113,
                    118, 117, 119, 117,
                ],
            };
            assert_eq!(classes, expected);
            let mut speakers = [0; 12];
            for speaker in part.speakers.unwrap() {
                speakers[usize::from(speaker)] += 1;
            }
            let expected = match file == FILES[0] {
                true => [903, 909, 997, 725, 0, 0, 452, 771, 793, 828, 793, 985],
                false => [57, 41, 53, 35, 900, 940, 18, 39, 37, 42, 37, 65],
            };
            assert_eq!(speakers, expected);
        }
        eprintln!(
            "both files read in {:.1} s",
            started.elapsed().as_secs_f64()
        );
    }
}
