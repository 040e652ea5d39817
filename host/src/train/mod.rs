//! The trainer: from labelled images to a binarized single-spike network.
//!
//! It is a reconstruction in the spirit of BSTDG (docs/training.md): gradients take spike times
//! instead of unrolling time, weights are the signs of latent ones, thresholds are learned.
//! The same seed gives the same network, bit for bit, on any number of threads.

mod augment;
mod backward;
mod batch;
mod by_input;
mod checkpoint;
mod choices;
mod curve;
mod fast;
mod forward;
mod kept;
mod kernels;
mod latencies;
mod latent;
mod options;
mod perceptron;
mod rule;
mod samples;
mod sgd;
mod simd;
mod softmax;
mod teacher;

pub use augment::Augment;
pub use checkpoint::{Checkpoint, CheckpointError, Setup, CHECKPOINT};
pub use choices::Choices;
pub use curve::{to_csv, to_svg, Epoch, Measured, PlotError, CURVES};
pub use fast::FastNetwork;
pub use kept::{KeptRun, KeptRunError};
pub use options::Options;
pub use perceptron::{Intensities, Learner, Perceptron};
pub use rule::{
    Chain, Clock, Descent, Latencies, Named, Objective, Rule, Schedule, Slope, Start,
    ThresholdTraining,
};
pub use samples::Samples;
pub use simd::Simd;
pub use teacher::Teaching;

use crate::dataset::{Dataset, HoldOut, HoldOutError, Split};
use crate::encoding::Latency;
use crate::text::joined;
use backward::Backward;
use batch::{draw_moves, Batch, Update};
use checkpoint::{PlainNetwork, RealNumbers};
use firmware_model::network::{Network, NetworkError, MAX_LAYERS, MAX_STEPS, MAX_WIDTH};
use forward::Weights;
use kernels::AdamStep;
use latencies::LatencyLoss;
use latent::{to_network, LatentNetwork};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use samples::{Scratch, TrainingImages};
use sgd::{ImageByImage, Rates};
use std::cell::LazyCell;
use std::sync::atomic::{AtomicBool, Ordering};
use teacher::{Shape, Teacher};
use thiserror::Error;

/// The time steps where nobody asks for others.
pub const USUAL_STEPS: usize = 16;

/// How many images pass between two looks whether to stop, where each is an update of its own.
const IMAGES_A_LOOK: usize = 100;

/// Why a training run cannot be.
#[derive(Debug, Error)]
pub enum TrainError {
    #[error("--layers {sizes} does not fit {name}: it has {features} pixels and {classes} classes, so give {features},…,{classes}")]
    LayersDoNotFit {
        sizes: String,
        name: String,
        features: usize,
        classes: usize,
    },
    #[error("--layers {sizes} has {layers} layers, but a network has 1 to {MAX_LAYERS}: give 2 to 5 sizes, inputs first")]
    LayerCount { sizes: String, layers: usize },
    #[error("--layers {sizes} has a layer of {size} neurons, but a layer has 1 to {MAX_WIDTH}: change that size")]
    LayerSize { sizes: String, size: usize },
    #[error("{steps} time steps are not possible: give 1 to {MAX_STEPS}")]
    Steps { steps: usize },
    #[error("{steps} time steps are not those of {name}, which has a time of its own: give --steps {own}, or leave it out")]
    OwnSteps {
        name: String,
        steps: usize,
        own: usize,
    },
    #[error("the {option} is out of range: give a value {expected}")]
    Option {
        option: &'static str,
        expected: &'static str,
    },
    #[error("{name} has no rows and columns to move images in: give --shift 0 --rotate 0 --zoom 0 --shear 0 --mirror 0")]
    AugmentWithoutPlane { name: String },
    #[error("the rule {rule} has no {option}: leave --{option} out, or give --rule bstdg")]
    NotOfRule {
        option: &'static str,
        rule: &'static str,
    },
    #[error("the rule {rule} trains spike times, of which a teacher knows nothing: give --teacher 0, or --rule margins")]
    TeacherOfSpikeTimes { rule: &'static str },
    #[error(
        "stopped while the teacher was learning: there is no network yet, so nothing was written"
    )]
    Stopped,
    #[error(transparent)]
    HoldOut(#[from] HoldOutError),
    #[error("cannot go on from the checkpoint: {0}; start anew without --resume, or give the options of then")]
    Checkpoint(CheckpointError),
    #[error("the trained network is not valid ({0}): please report this")]
    Network(#[from] NetworkError),
}

/// What a run tells while it goes on.
pub enum Event<'a> {
    /// A batch of the teacher's is done. All of these come before the first of the network's.
    TeacherBatch {
        /// From 1.
        epoch: usize,
        epochs: usize,
        /// Images seen since the start, and how many will have been at the end.
        images: usize,
        total: usize,
        /// The mean loss of this epoch so far.
        loss: f64,
        /// The training accuracy of this epoch so far.
        accuracy: f64,
    },
    /// The teacher has learned.
    Teacher {
        epochs: usize,
        /// On the held-out images, where there are any.
        accuracy: Option<f64>,
    },
    /// A batch is done.
    Batch {
        /// From 1.
        epoch: usize,
        /// Training images seen since the start, of all epochs.
        images: usize,
        /// The mean loss of this epoch so far.
        loss: f64,
        /// The training accuracy of this epoch so far.
        accuracy: f64,
    },
    /// An epoch is done and measured.
    Epoch {
        epoch: &'a Epoch,
        /// Whether it is the best so far.
        best: bool,
        /// The run as it is now, to go on from later; `None` of an epoch that was stopped.
        checkpoint: Option<&'a dyn Fn() -> Checkpoint>,
    },
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The network of the best epoch.
    pub network: Network,
    /// Which that is, from 1.
    pub best_epoch: usize,
    /// All epochs. After a stop the last one is not a whole one.
    pub epochs: Vec<Epoch>,
    /// Whether it ended because no epoch brought anything better for long.
    pub settled: bool,
    /// Whether the run was stopped before its end.
    pub stopped: bool,
}

impl Trained {
    /// The epoch that `network` is from.
    pub fn best(&self) -> &Epoch {
        &self.epochs[self.best_epoch - 1]
    }
}

/// Checks the sizes N_0, N_1, …, N_L against a data set.
pub fn check_sizes(data: &Dataset, sizes: &[usize]) -> Result<(), TrainError> {
    let text = || joined(sizes, ",");
    let layers = sizes.len().saturating_sub(1);
    if !(1..=MAX_LAYERS).contains(&layers) {
        return Err(TrainError::LayerCount {
            sizes: text(),
            layers,
        });
    }
    if sizes[0] != data.features() || sizes[layers] != data.classes {
        return Err(TrainError::LayersDoNotFit {
            sizes: text(),
            name: data.name.clone(),
            features: data.features(),
            classes: data.classes,
        });
    }
    match sizes.iter().find(|size| !(1..=MAX_WIDTH).contains(*size)) {
        Some(&size) => Err(TrainError::LayerSize {
            sizes: text(),
            size,
        }),
        None => Ok(()),
    }
}

/// The time steps to train on `data` with: those asked for, or else those of the data, or else [`USUAL_STEPS`].
///
/// # Errors
/// When so many steps cannot be, or the data come with another number of their own.
pub fn steps_for(data: &Dataset, asked: Option<usize>) -> Result<usize, TrainError> {
    let steps = asked.or(data.steps).unwrap_or(USUAL_STEPS);
    match data.steps {
        Some(own) if own != steps => Err(TrainError::OwnSteps {
            name: data.name.clone(),
            steps,
            own,
        }),
        _ if !(1..=MAX_STEPS).contains(&steps) => Err(TrainError::Steps { steps }),
        _ => Ok(steps),
    }
}

/// Trains a network of `sizes` (inputs first, classes last) over `steps` time steps.
///
/// Runs on the current rayon pool. When `stop` becomes true the run ends after the current batch; while
/// a teacher learns there is no network yet, and the run ends with [`TrainError::Stopped`].
/// The network of the best epoch on the held-out images is returned, the later one of equals; with
/// nothing held out, that of the last epoch.
pub fn train(
    data: &Dataset,
    sizes: &[usize],
    steps: usize,
    options: &Options,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event),
) -> Result<Trained, TrainError> {
    train_from(None, data, sizes, steps, options, stop, watch)
}

/// [`train`], going on from a checkpoint where one is given. The result is that of a run that never
/// stopped, bit for bit.
///
/// # Errors
/// Besides those of [`train`], a checkpoint of another run.
pub fn train_from(
    checkpoint: Option<&Checkpoint>,
    data: &Dataset,
    sizes: &[usize],
    steps: usize,
    options: &Options,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event),
) -> Result<Trained, TrainError> {
    check_sizes(data, sizes)?;
    options.check(data)?;
    let steps = steps_for(data, Some(steps))?;
    // It takes the sum of all images, which only a checkpoint needs.
    let setup = LazyCell::new(|| Setup::new(data, sizes, steps, options));
    let mut run = Run::new(data, sizes, steps, options)?;
    let mut history = History::default();
    match checkpoint {
        Some(checkpoint) => {
            let same = checkpoint.setup.check(&setup);
            let restored = same.and_then(|()| run.restore(checkpoint));
            history = restored.map_err(TrainError::Checkpoint)?;
        }
        None => run.teacher = run.learn_to_teach(stop, watch)?,
    }
    while history.epochs.len() < options.epochs
        && !history.settled(options)
        && !stop.load(Ordering::Relaxed)
    {
        let number = history.epochs.len() + 1;
        let epoch = run.epoch(number, stop, watch);
        let is_best = history.is_best(&epoch);
        if is_best {
            history.best = Some((epoch.epoch, run.learner.to_network(steps)?));
        }
        history.epochs.push(epoch);
        let is_whole = run.images == number * run.train.len();
        let checkpoint = || run.checkpoint(&setup, &history);
        watch(Event::Epoch {
            epoch: &epoch,
            best: is_best,
            checkpoint: is_whole.then_some(&checkpoint),
        });
    }
    let settled = history.settled(options);
    let seen_all = run.images == history.epochs.len() * run.train.len();
    let stopped = !seen_all || (history.epochs.len() < options.epochs && !settled);
    let (best_epoch, network) = match history.best {
        Some(best) => best,
        // Stopped before the first batch: the network as it was drawn, measured.
        None => {
            let drawn = run.measure(1, 0.0, Progress::default());
            history.epochs.push(drawn);
            (1, run.learner.to_network(steps)?)
        }
    };
    Ok(Trained {
        network,
        best_epoch,
        epochs: history.epochs,
        settled,
        stopped,
    })
}

/// What a run has come to so far.
#[derive(Default)]
struct History {
    epochs: Vec<Epoch>,
    /// The best epoch, from 1, and its network.
    best: Option<(usize, Network)>,
}

impl History {
    fn is_best(&self, epoch: &Epoch) -> bool {
        self.best.as_ref().is_none_or(|&(before, _)| {
            epoch.validation.accuracy >= self.epochs[before - 1].validation.accuracy
        })
    }

    /// Whether the last epochs have brought nothing better for as long as the options allow.
    fn settled(&self, options: &Options) -> bool {
        let best = self.best.as_ref().map_or(0, |&(epoch, _)| epoch);
        options.stop_after > 0 && self.epochs.len() >= best + options.stop_after
    }
}

/// A run under way.
struct Run<'a> {
    options: &'a Options,
    steps: usize,
    train: TrainingImages<'a>,
    /// Empty when nothing is held out.
    held_out: Samples,
    /// The same as images, for the teacher.
    held_out_images: Split,
    shape: Shape,
    teacher: Option<Teacher>,
    learner: Learning,
    rng: ChaCha8Rng,
    /// The order of the images, which is shuffled further each epoch where none is drawn twice.
    order: Vec<usize>,
    margin_scale: f32,
    /// Where the objective is [`Objective::Latencies`].
    latency: Option<LatencyLoss>,
    updates: u64,
    /// Images seen since the start.
    images: usize,
}

/// The network that learns, with what its descent needs.
enum Learning {
    Batches {
        latent: LatentNetwork,
        batch: Batch,
    },
    Images {
        network: ImageByImage,
        scratch: Scratch,
    },
}

impl Learning {
    /// The binary network, as the fast loops want it.
    fn weights(&self) -> &[Weights] {
        match self {
            Learning::Batches { latent, .. } => latent.weights(),
            Learning::Images { network, .. } => network.weights(),
        }
    }

    fn to_network(&self, steps: usize) -> Result<Network, NetworkError> {
        to_network(self.weights(), steps)
    }

    fn state(&self) -> RealNumbers {
        match self {
            Learning::Batches { latent, .. } => RealNumbers::Batches(latent.state()),
            Learning::Images { network, .. } => RealNumbers::Images(network.state()),
        }
    }

    /// Takes over the numbers of a network that is like this one; of others, nothing and `None`.
    fn restore(&mut self, state: &RealNumbers) -> Option<()> {
        match (self, state) {
            (Learning::Batches { latent, .. }, RealNumbers::Batches(state)) => {
                latent.restore(state)
            }
            (Learning::Images { network, .. }, RealNumbers::Images(state)) => {
                network.restore(state)
            }
            _ => None,
        }
    }
}

/// Sums over the images of an epoch.
#[derive(Default)]
struct Progress {
    images: usize,
    loss: f64,
    right: usize,
}

impl Progress {
    fn add(&mut self, images: usize, loss: f64, right: usize) {
        self.images += images;
        self.loss += loss;
        self.right += right;
    }

    fn loss(&self) -> f64 {
        self.loss / self.images.max(1) as f64
    }

    fn accuracy(&self) -> f64 {
        self.right as f64 / self.images.max(1) as f64
    }
}

impl<'a> Run<'a> {
    fn new(
        data: &'a Dataset,
        sizes: &[usize],
        steps: usize,
        options: &'a Options,
    ) -> Result<Self, TrainError> {
        let HoldOut { stay, held_out, .. } = data.hold_out(options.validation)?;
        let code = Latency { steps };
        let held_out = data.train.select(&held_out);
        let fan_in = sizes[sizes.len() - 2];
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let train = TrainingImages::new(data, &stay, code);
        let latency = options.latency_loss(fan_in, || train.spikes_by_step());
        let (hidden, output) = (options.hidden_threshold, options.output_threshold(fan_in));
        let learner = match options.rule.descent {
            Descent::Adam => {
                let chain = options.rule.chain;
                let latent = LatentNetwork::new(sizes, hidden, output, chain, &mut rng);
                Learning::Batches {
                    batch: Batch::new(
                        latent.weights(),
                        options.batch.min(stay.len()),
                        options.rule,
                    ),
                    latent,
                }
            }
            Descent::ImageByImage(start) => Learning::Images {
                network: ImageByImage::new(sizes, hidden, output, start, &mut rng),
                scratch: Scratch::default(),
            },
        };
        Ok(Run {
            options,
            steps,
            train,
            held_out: Samples::encode(&held_out, data.maximum, code),
            held_out_images: held_out,
            shape: Shape {
                features: data.features(),
                classes: data.classes,
                maximum: data.maximum,
            },
            teacher: None,
            learner,
            rng,
            order: (0..stay.len()).collect(),
            margin_scale: options.margin_scale(fan_in),
            latency,
            updates: 0,
            images: 0,
        })
    }

    /// The teacher that the options ask for, once it has learned.
    fn learn_to_teach(
        &self,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event),
    ) -> Result<Option<Teacher>, TrainError> {
        let learn = |teaching| {
            let images = (&self.train, &self.held_out_images);
            Teacher::learn((teaching, self.options), images, self.shape, stop, watch)
        };
        self.options.teacher.map(learn).transpose()
    }

    fn checkpoint(&self, setup: &Setup, history: &History) -> Checkpoint {
        let best = history.best.as_ref();
        Checkpoint {
            setup: setup.clone(),
            epochs: history.epochs.clone(),
            best: best.map(|(epoch, network)| (*epoch, PlainNetwork::of(network))),
            latent: self.learner.state(),
            random_words: self.rng.get_word_pos(),
            order: self.order.clone(),
            updates: self.updates,
            images: self.images,
            teacher: (self.teacher.as_ref()).map(|teacher| teacher.perceptron.clone()),
        }
    }

    /// Makes this run what it was at the checkpoint.
    fn restore(&mut self, from: &Checkpoint) -> Result<History, CheckpointError> {
        let mut sorted = from.order.clone();
        sorted.sort_unstable();
        let best = match &from.best {
            Some((epoch, network)) => {
                let network = network.to_network().map_err(|_| CheckpointError::Damaged)?;
                Some((*epoch, network))
            }
            None => None,
        };
        let is_whole = sorted.into_iter().eq(0..self.order.len())
            && (best.as_ref()).is_none_or(|(epoch, _)| (1..=from.epochs.len()).contains(epoch))
            && from.images == from.epochs.len() * self.train.len();
        if !is_whole || self.learner.restore(&from.latent).is_none() {
            return Err(CheckpointError::Damaged);
        }
        self.teacher = match (self.options.teacher, &from.teacher) {
            (Some(teaching), Some(learned)) => {
                let teacher = Teacher::of(learned.clone(), teaching, self.shape);
                Some(teacher.ok_or(CheckpointError::Damaged)?)
            }
            (None, None) => None,
            _ => return Err(CheckpointError::Damaged),
        };
        self.rng.set_word_pos(from.random_words);
        self.order.clone_from(&from.order);
        self.updates = from.updates;
        self.images = from.images;
        Ok(History {
            epochs: from.epochs.clone(),
            best,
        })
    }

    fn epoch(&mut self, epoch: usize, stop: &AtomicBool, watch: &mut dyn FnMut(Event)) -> Epoch {
        let images = self.draw_images();
        let mut progress = Progress::default();
        let mut rate = 0.0;
        let batch = match self.options.rule.descent {
            Descent::Adam => self.options.batch,
            Descent::ImageByImage(_) => IMAGES_A_LOOK,
        };
        for images in images.chunks(batch) {
            rate = self.learn(images, &mut progress);
            watch(Event::Batch {
                epoch,
                images: self.images,
                loss: progress.loss(),
                accuracy: progress.accuracy(),
            });
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        self.measure(epoch, rate, progress)
    }

    /// The images of the next epoch, as many as there are: each once, or at random.
    fn draw_images(&mut self) -> Vec<usize> {
        match self.options.rule.descent {
            Descent::Adam => {
                self.order.shuffle(&mut self.rng);
                self.order.clone()
            }
            Descent::ImageByImage(_) => {
                // As numbers of 32 bits, so that every machine draws the same.
                let count = self.train.len() as u32;
                let draw = |_| self.rng.random_range(0..count) as usize;
                (0..count).map(draw).collect()
            }
        }
    }

    /// Learns from these images. Returns the learning rate.
    fn learn(&mut self, images: &[usize], progress: &mut Progress) -> f32 {
        let jobs = draw_moves(images, self.options.augment, &mut self.rng);
        self.images += jobs.len();
        let Options {
            rule,
            learning_rate,
            schedule,
            threshold_rate,
            ..
        } = *self.options;
        let total = self.options.epochs * self.train.len().div_ceil(self.options.batch);
        let (latent, batch) = match &mut self.learner {
            Learning::Batches { latent, batch } => (latent, batch),
            Learning::Images { network, scratch } => {
                let mut rate = learning_rate;
                for (image, warp) in jobs {
                    let spikes = &mut network.pass.spikes[0];
                    self.train.spikes(image, warp.as_ref(), scratch, spikes);
                    let label = self.train.label(image);
                    rate = schedule.rate(learning_rate, self.updates as usize, total);
                    self.updates += 1;
                    let rates = Rates {
                        weights: rate,
                        alpha: rate * threshold_rate,
                    };
                    let loss = network.learn(label, self.steps, rule, rates);
                    let is_right = network.pass.class == label;
                    progress.add(1, f64::from(loss), usize::from(is_right));
                }
                return rate;
            }
        };
        let teacher = self.teacher.as_ref();
        let answers = teacher.map(|teacher| teacher.answers(&self.train, &jobs));
        let backward = Backward {
            rule,
            margin_scale: self.margin_scale,
            window: self.options.window,
            spike_cost: self.options.spike_cost,
            steps: self.steps,
            latency: self.latency.as_ref(),
        };
        let network = latent.weights();
        let answers = answers.as_ref();
        let outcomes = batch.run(&self.train, &jobs, answers, network, self.steps, backward);
        for outcome in &outcomes {
            progress.add(1, f64::from(outcome.loss), usize::from(outcome.right));
        }

        let rate = schedule.rate(learning_rate, self.updates as usize, total);
        self.updates += 1;
        let update = Update {
            weights: AdamStep::new(rate, self.updates),
            thresholds: AdamStep::new(rate * threshold_rate, self.updates),
            rule,
            steps: self.steps,
        };
        batch.update(latent, update);
        rate
    }

    fn measure(&self, epoch: usize, learning_rate: f32, progress: Progress) -> Epoch {
        Epoch {
            epoch,
            learning_rate,
            loss: progress.loss(),
            train_accuracy: progress.accuracy(),
            validation: fast::measure(self.learner.weights(), self.steps, &self.held_out),
        }
    }
}

#[cfg(test)]
mod tests;
