//! A model measured on a data set: its accuracy, when it decides, with how many spikes, in how many clock
//! cycles, and whether what runs it agrees with the golden reference.

mod bound;
mod core_model;
mod results;
mod spread;

pub use core_model::{weight_bits, CoreModel};
pub use results::{Results, RESULTS};

use crate::dataset::{Dataset, InputSpec};
use crate::encoding::Latency;
use crate::model_file::ModelFile;
use firmware_model::golden::{self, Trace};
use firmware_model::network::{Decision, NetworkError, SpikeTrain};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use spread::Numbers;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// Something that runs a network: the cycle model, the Verilog, a board.
pub trait Backend {
    /// Classifies `spikes` with the model that this backend holds, in order.
    ///
    /// Called again and again with some images at a time, so that progress can be shown.
    fn infer(&mut self, spikes: &[SpikeTrain]) -> Result<Vec<Inference>, BackendError>;

    /// The weight bits that its memories give in a clock cycle: S · P.
    fn weight_bits(&self) -> usize;

    /// Whether an inference ends with the first output spike, as it does in the core, or goes on to the
    /// last step.
    fn exits(&self) -> bool {
        true
    }
}

/// Why a backend gave up, in one sentence.
pub type BackendError = Box<dyn std::error::Error + Send + Sync>;

/// The answer of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inference {
    pub decision: Decision,
    /// The clock cycles that it took, where there is a clock.
    pub cycles: Option<u32>,
    /// The cycles that the cycle model counts, where something else than it was the clock.
    pub expected_cycles: Option<u32>,
}

/// Why a model cannot be measured.
#[derive(Debug, Error)]
pub enum EvaluateError {
    #[error(
        "the model has {found} time steps, but {name} has {steps} of its own: train a model for it"
    )]
    OtherSteps {
        found: usize,
        name: String,
        steps: usize,
    },
    #[error("the model takes {inputs} inputs and knows {outputs} classes, but {name} has {features} pixels and {classes} classes: give the data set it was trained for ({trained_for})")]
    DoesNotFit {
        inputs: usize,
        outputs: usize,
        name: String,
        features: usize,
        classes: usize,
        trained_for: String,
    },
    #[error("the model takes {wanted} from 0 to {maximum}, but {name} has {found} from 0 to {found_maximum}: load it for the model")]
    NotConverted {
        wanted: String,
        maximum: u8,
        name: String,
        found: String,
        found_maximum: u8,
    },
    #[error("there are no images to evaluate: give --limit 1 or more")]
    NoImages,
    #[error("{given} images went in but {found} answers came back: please report this")]
    AnswerCount { given: usize, found: usize },
    #[error("the evaluation was stopped")]
    Stopped,
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Backend(BackendError),
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How many test images were classified.
    pub images: usize,
    /// The share that was classified right, by the strict rule.
    pub accuracy: f64,
    /// The same, where a tie for the first output spike counts as right.
    pub accuracy_tie_tolerant: f64,
    /// Images for which the backend's class, step, silence or overshoot is not the golden one, or its
    /// cycles are not the cycle model's.
    pub mismatches: usize,
    /// The mean step of the decision.
    pub decision_step_mean: f64,
    /// Half of the images were decided at this step or before it.
    pub decision_step_median: u32,
    /// The step of the last decision.
    pub decision_step_max: u32,
    /// Hidden spikes an image, if every image ran to the last step.
    pub hidden_spikes_mean: f64,
    /// Hidden spikes an image at or before the decision.
    pub hidden_spikes_before_decision_mean: f64,
    /// Images for which no output fired.
    pub silent: usize,
    /// How each class fared, in the order of their numbers. Older files do not have it.
    #[serde(default)]
    pub by_class: Vec<ClassFigures>,
    /// Clock cycles an image; `None` where there is no clock.
    pub cycles_mean: Option<f64>,
    /// So many cycles or fewer took half of the images.
    pub cycles_median: Option<u32>,
    /// So many or fewer took 99 of 100.
    pub cycles_p99: Option<u32>,
    /// The most cycles that an image took.
    pub cycles_max: Option<u32>,
    /// The mean of the fewest cycles in which the weight memories can give what an image needs: the events
    /// into each layer times its neurons, up to the decision (where the backend goes on, up to the end),
    /// over S · P, rounded up.
    pub bound_cycles_mean: Option<f64>,
    /// The mean cycles in multiples of that; `None` where it is 0.
    pub cycles_over_bound: Option<f64>,
    /// The first image that differs from the golden reference.
    #[serde(skip)]
    pub first_mismatch: Option<Mismatch>,
}

/// The test images of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassFigures {
    pub class: usize,
    /// What it is called; its number where it has no name.
    pub class_name: String,
    pub images: usize,
    /// How many of them were classified right, by the strict rule.
    pub right: usize,
}

impl Report {
    /// Nothing, where the backend agreed with the golden reference for every image.
    ///
    /// # Errors
    /// Where it did not: then the figures are no result.
    pub fn agreed(&self) -> Result<(), Disagreement> {
        match self.first_mismatch {
            None => Ok(()),
            Some(first) => Err(Disagreement {
                mismatches: self.mismatches,
                images: self.images,
                first: first.image,
            }),
        }
    }
}

/// A backend's answers are not those of the golden reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the cycle model differs from the golden reference for {mismatches} of {images} test images, the first of them number {first}: please report this")]
pub struct Disagreement {
    /// For so many images.
    pub mismatches: usize,
    /// Of so many.
    pub images: usize,
    /// The index of the first of them in the test set.
    pub first: usize,
}

/// An image for which a backend differs from the golden reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// Its index in the test set.
    pub image: usize,
    pub golden: Decision,
    pub found: Inference,
}

/// How many images go to a backend at a time.
const CHUNK: usize = 64;

/// Checks that the images of `data` can go into `model`: that they are those that it was trained on, or were loaded
/// for it ([`dataset::load_for`](crate::dataset::load_for)).
pub fn check_fit(model: &ModelFile, data: &Dataset) -> Result<(), EvaluateError> {
    let network = &model.network;
    if let Some(steps) = data.steps.filter(|&steps| steps != network.steps()) {
        return Err(EvaluateError::OtherSteps {
            found: network.steps(),
            name: data.name.clone(),
            steps,
        });
    }
    if network.inputs() != data.features() || network.outputs() != data.classes {
        return Err(EvaluateError::DoesNotFit {
            inputs: network.inputs(),
            outputs: network.outputs(),
            name: data.name.clone(),
            features: data.features(),
            classes: data.classes,
            trained_for: model.dataset.clone(),
        });
    }
    let spec = model.input_spec();
    if (&spec.shape, spec.maximum) != (&data.shape, data.maximum) {
        return Err(EvaluateError::NotConverted {
            wanted: spec.described(),
            maximum: spec.maximum,
            name: data.name.clone(),
            found: InputSpec::of(data).described(),
            found_maximum: data.maximum,
        });
    }
    Ok(())
}

/// Runs the first `limit` test images of `data` through the golden reference, and through `backend`
/// when there is one; the figures are then the backend's.
///
/// The golden reference runs on the current rayon pool. `progress` is told how many images are done.
pub fn evaluate(
    model: &ModelFile,
    data: &Dataset,
    limit: Option<usize>,
    backend: Option<&mut dyn Backend>,
    progress: &mut dyn FnMut(usize),
) -> Result<Report, EvaluateError> {
    let never = AtomicBool::new(false);
    evaluate_until(&never, model, data, limit, backend, progress)
}

/// [`evaluate`], which gives up when `stop` becomes true.
///
/// # Errors
/// Besides those of [`evaluate`], [`EvaluateError::Stopped`].
pub fn evaluate_until(
    stop: &AtomicBool,
    model: &ModelFile,
    data: &Dataset,
    limit: Option<usize>,
    backend: Option<&mut dyn Backend>,
    progress: &mut dyn FnMut(usize),
) -> Result<Report, EvaluateError> {
    let mut each = |image: usize, _: &Trace, _: &Inference| progress(image + 1);
    evaluate_each(stop, model, data, limit, backend, &mut each)
}

/// [`evaluate_until`], which hands out each image's index in the test set, what the golden reference did, and the answer.
///
/// # Errors
/// Those of [`evaluate_until`].
pub fn evaluate_each(
    stop: &AtomicBool,
    model: &ModelFile,
    data: &Dataset,
    limit: Option<usize>,
    mut backend: Option<&mut dyn Backend>,
    each: &mut dyn FnMut(usize, &Trace, &Inference),
) -> Result<Report, EvaluateError> {
    check_fit(model, data)?;
    let network = &model.network;
    let code = Latency {
        steps: network.steps(),
    };
    let images = limit.unwrap_or(usize::MAX).min(data.test.len());
    let mut tally = Tally {
        by_class: vec![(0, 0); data.classes],
        ..Tally::default()
    };
    while tally.images < images {
        if stop.load(Ordering::Relaxed) {
            return Err(EvaluateError::Stopped);
        }
        let chunk = tally.images..images.min(tally.images + CHUNK);
        let spikes: Vec<SpikeTrain> = (chunk.clone())
            .map(|image| code.encode(data.test.image(image), data.maximum))
            .collect();
        let traces: Result<Vec<Trace>, NetworkError> = (spikes.par_iter())
            .map(|spikes| golden::run(network, spikes))
            .collect();
        let traces = traces?;
        let answers = match backend.as_mut() {
            Some(backend) => backend.infer(&spikes).map_err(EvaluateError::Backend)?,
            None => traces.iter().map(golden_inference).collect(),
        };
        if answers.len() != spikes.len() {
            return Err(EvaluateError::AnswerCount {
                given: spikes.len(),
                found: answers.len(),
            });
        }
        for ((image, trace), answer) in chunk.zip(&traces).zip(&answers) {
            tally.add(image, data.test.labels[image], trace, answer);
            each(image, trace, answer);
        }
        if let Some(backend) = &backend {
            let last_step = network.steps() - 1;
            for (spikes, trace) in spikes.iter().zip(&traces) {
                let until = match backend.exits() {
                    true => trace.decision.step,
                    false => last_step,
                };
                let events = bound::synaptic_events(network, spikes, trace, until);
                tally.bound_cycles += bound::cycles(events, backend.weight_bits());
            }
        }
    }
    tally.report(data).ok_or(EvaluateError::NoImages)
}

fn golden_inference(trace: &Trace) -> Inference {
    Inference {
        decision: trace.decision,
        cycles: None,
        expected_cycles: None,
    }
}

/// Sums over images.
#[derive(Default)]
struct Tally {
    images: usize,
    right: usize,
    right_tie_tolerant: usize,
    mismatches: usize,
    steps: Numbers,
    hidden_spikes: usize,
    hidden_spikes_before_decision: usize,
    silent: usize,
    /// Images and right answers.
    by_class: Vec<(usize, usize)>,
    cycles: Numbers,
    bound_cycles: u64,
    first_mismatch: Option<Mismatch>,
}

impl Tally {
    fn add(&mut self, image: usize, label: u8, trace: &Trace, answer: &Inference) {
        let label = usize::from(label);
        let decision = answer.decision;
        self.images += 1;
        let right = usize::from(decision.class == label);
        self.right += right;
        self.by_class[label].0 += 1;
        self.by_class[label].1 += right;
        self.right_tie_tolerant += usize::from(trace.is_right_tie_tolerant(label));
        self.steps.add(decision.step as u32);
        self.hidden_spikes += trace.hidden_spikes();
        self.hidden_spikes_before_decision += trace.hidden_spikes_before_decision();
        self.silent += usize::from(decision.silent);
        let cycles_differ =
            answer.expected_cycles.is_some() && answer.expected_cycles != answer.cycles;
        if decision != trace.decision || cycles_differ {
            self.mismatches += 1;
            self.first_mismatch.get_or_insert(Mismatch {
                image,
                golden: trace.decision,
                found: *answer,
            });
        }
        if let Some(cycles) = answer.cycles {
            self.cycles.add(cycles);
        }
    }

    /// `None` where there was no image.
    fn report(self, data: &Dataset) -> Option<Report> {
        let steps = self.steps.spread()?;
        let mean = |sum: usize| sum as f64 / self.images as f64;
        let cycles = self.cycles.spread();
        let bound = cycles.map(|_| self.bound_cycles as f64 / self.images as f64);
        let over_bound = |mean: f64| bound.filter(|&b| b > 0.0).map(|b| mean / b);
        Some(Report {
            images: self.images,
            accuracy: mean(self.right),
            accuracy_tie_tolerant: mean(self.right_tie_tolerant),
            mismatches: self.mismatches,
            decision_step_mean: steps.mean,
            decision_step_median: steps.median,
            decision_step_max: steps.max,
            hidden_spikes_mean: mean(self.hidden_spikes),
            hidden_spikes_before_decision_mean: mean(self.hidden_spikes_before_decision),
            silent: self.silent,
            by_class: (self.by_class.iter().enumerate())
                .map(|(class, &(images, right))| ClassFigures {
                    class,
                    class_name: data.class_name(class),
                    images,
                    right,
                })
                .collect(),
            cycles_mean: cycles.map(|c| c.mean),
            cycles_median: cycles.map(|c| c.median),
            cycles_p99: cycles.map(|c| c.p99),
            cycles_max: cycles.map(|c| c.max),
            bound_cycles_mean: bound,
            cycles_over_bound: cycles.and_then(|c| over_bound(c.mean)),
            first_mismatch: self.first_mismatch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{self, Source, Split};
    use crate::model_file::Encoding;
    use firmware_model::network::{Layer, Network};

    /// Two inputs, two hidden neurons that copy them, two outputs: whichever input is first wins.
    fn model() -> ModelFile {
        let copy = |threshold| Layer::from_fn(2, vec![threshold; 2], |j, i| i == j).unwrap();
        ModelFile {
            network: Network::new(4, vec![copy(1), copy(1)]).unwrap(),
            encoding: Encoding::Latency {
                steps: 4,
                maximum: 4,
            },
            input_shape: vec![2],
            dataset: "two".to_owned(),
            input: None,
            training: None,
        }
    }

    fn data() -> Dataset {
        // Input 0 first; input 1 first; both at once, so nobody ever fires; nothing at all.
        let split = Split {
            features: 2,
            images: vec![4, 1, 2, 3, 4, 4, 0, 0],
            labels: vec![0, 0, 0, 1],
        };
        Dataset {
            name: "two".to_owned(),
            classes: 2,
            shape: vec![2],
            maximum: 4,
            train: split.clone(),
            test: split,
            steps: None,
            recordings: None,
            groups: None,
            class_names: None,
            notes: Vec::new(),
            source: Source::Values,
        }
    }

    /// The golden reference with one answer changed.
    struct Liar {
        seen: usize,
        wrong: usize,
        exits: bool,
    }

    impl Backend for Liar {
        fn infer(&mut self, spikes: &[SpikeTrain]) -> Result<Vec<Inference>, BackendError> {
            let answers = spikes.iter().map(|spikes| {
                let mut decision = golden::run(&model().network, spikes)?.decision;
                decision.overshoot += i32::from(self.seen == self.wrong);
                self.seen += 1;
                let cycles = Some(100 * self.seen as u32);
                let expected_cycles = Some(100 * self.seen.min(3) as u32);
                Ok(Inference {
                    decision,
                    cycles,
                    expected_cycles,
                })
            });
            answers.collect()
        }

        fn weight_bits(&self) -> usize {
            4
        }

        fn exits(&self) -> bool {
            self.exits
        }
    }

    fn liar(exits: bool) -> Liar {
        Liar {
            seen: 0,
            wrong: 2,
            exits,
        }
    }

    #[test]
    fn the_golden_figures_are_those_counted_by_hand() {
        let report = evaluate(&model(), &data(), None, None, &mut |_| ()).unwrap();
        // Input 0 alone at step 0 makes output 0 fire; in the second image input 1 comes first. In
        // the other two no output fires, and index 0 wins the tie.
        assert_eq!(report.images, 4);
        assert_eq!(report.accuracy, 0.5);
        assert_eq!(report.silent, 2);
        let by_class = report.by_class.iter().map(|of| (of.images, of.right));
        assert_eq!(by_class.collect::<Vec<_>>(), [(3, 2), (1, 0)]);
        assert_eq!(report.decision_step_mean, (1 + 3 + 3) as f64 / 4.0);
        let (median, last) = (report.decision_step_median, report.decision_step_max);
        assert_eq!((median, last), (1, 3));
        assert_eq!((report.mismatches, report.agreed()), (0, Ok(())));
        assert_eq!((report.cycles_mean, report.cycles_max), (None, None));
        let limited = evaluate(&model(), &data(), Some(1), None, &mut |_| ()).unwrap();
        assert_eq!((limited.images, limited.accuracy), (1, 1.0));
    }

    #[test]
    fn a_backend_that_differs_is_caught_and_its_cycles_counted() {
        let report = evaluate(&model(), &data(), None, Some(&mut liar(true)), &mut |_| ()).unwrap();
        // Image 2 has another overshoot, image 3 other cycles.
        assert_eq!(report.mismatches, 2);
        assert_eq!(report.first_mismatch.unwrap().image, 2);
        let error = report.agreed().unwrap_err().to_string();
        assert!(
            error.contains("for 2 of 4 test images, the first of them number 2"),
            "{error}"
        );
        assert_eq!(report.cycles_mean, Some(250.0));
        assert_eq!(report.cycles_median, Some(200));
        assert_eq!(
            (report.cycles_p99, report.cycles_max),
            (Some(400), Some(400))
        );
    }

    #[test]
    fn the_bound_is_the_one_counted_by_hand() {
        let measure = |exits: bool| {
            evaluate(&model(), &data(), None, Some(&mut liar(exits)), &mut |_| ()).unwrap()
        };
        // Each event needs two weights, and four come a cycle. Until the decision there is one event into
        // each layer in the first two images, two into the first layer in the third, none in the last.
        let report = measure(true);
        assert_eq!(report.bound_cycles_mean, Some(f64::from(1 + 1 + 1) / 4.0));
        assert_eq!(report.cycles_over_bound, Some(250.0 / 0.75));
        // The first two images go on with their second input: six weights.
        let image = |index: usize| {
            let spikes = Latency { steps: 4 }.encode(data().test.image(index), 4);
            let trace = golden::run(&model().network, &spikes).unwrap();
            let events = |until| bound::synaptic_events(&model().network, &spikes, &trace, until);
            [events(trace.decision.step), events(3)]
        };
        assert_eq!([0, 1, 2, 3].map(image), [[4, 6], [4, 6], [4, 4], [0, 0]]);
        assert_eq!(
            measure(false).bound_cycles_mean,
            Some(f64::from(2 + 2 + 1) / 4.0)
        );
        assert_eq!((bound::cycles(6, 5), bound::cycles(0, 5)), (2, 0));
    }

    #[test]
    fn the_json_has_the_agreed_fields() {
        let report = evaluate(&model(), &data(), None, None, &mut |_| ()).unwrap();
        let json = serde_json::to_value(&report).unwrap();
        let mut names: Vec<&String> = json.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(
            names,
            [
                "accuracy",
                "accuracy_tie_tolerant",
                "bound_cycles_mean",
                "by_class",
                "cycles_max",
                "cycles_mean",
                "cycles_median",
                "cycles_over_bound",
                "cycles_p99",
                "decision_step_max",
                "decision_step_mean",
                "decision_step_median",
                "hidden_spikes_before_decision_mean",
                "hidden_spikes_mean",
                "images",
                "mismatches",
                "silent"
            ]
        );
        assert!(json["cycles_mean"].is_null());
    }

    #[test]
    fn an_evaluation_that_is_stopped_gives_up() {
        let stop = AtomicBool::new(false);
        // Told of the first images, it wants no more of them: there are more than one chunk.
        let mut many = data();
        for _ in 0..CHUNK {
            many.test.images.extend([4, 1]);
            many.test.labels.push(0);
        }
        let mut seen = 0;
        let mut progress = |images| {
            seen = images;
            stop.store(true, Ordering::Relaxed);
        };
        let stopped = evaluate_until(&stop, &model(), &many, None, None, &mut progress);
        assert!(matches!(stopped, Err(EvaluateError::Stopped)));
        assert_eq!(seen, CHUNK);
    }

    #[test]
    fn a_data_set_with_other_steps_of_its_own_is_refused() {
        let with_steps = |steps| Dataset {
            steps: Some(steps),
            ..data()
        };
        check_fit(&model(), &with_steps(4)).unwrap();
        let error = check_fit(&model(), &with_steps(20)).unwrap_err();
        let named = matches!(
            error,
            EvaluateError::OtherSteps {
                found: 4,
                steps: 20,
                ..
            }
        );
        assert!(named, "{error}");
    }

    #[test]
    fn a_data_set_of_another_size_is_refused() {
        let digits = dataset::load("digits").unwrap();
        let error = evaluate(&model(), &digits, None, None, &mut |_| ()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("64 pixels and 10 classes"), "{text}");
        let none = evaluate(&model(), &data(), Some(0), None, &mut |_| ());
        assert!(matches!(none, Err(EvaluateError::NoImages)));
    }
}
