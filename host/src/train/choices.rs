//! The choices of a training run by the names that people give them: on the command line, and in the
//! file of a sweep.

use super::{
    steps_for, Augment, Clock, Latencies, Named, Objective, Options, Rule, Schedule, Slope,
    Teaching, ThresholdTraining, TrainError,
};
use crate::dataset::Dataset;
use clap::{Arg, Args, Command};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What has a default that depends on the data set.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[command(next_help_heading = "Training (defaults depend on the data set)")]
pub struct Choices {
    /// How many times all training images are seen [default: as many as make 400,000 images, 40 to 400: 277 for
    /// digits, 40 for mnist; 200 for bs4nn]
    #[arg(long)]
    pub epochs: Option<usize>,
    /// End when so many epochs in a row have brought nothing better on the held-out images; 0: never [default: 0]
    #[arg(long, value_name = "EPOCHS")]
    pub stop_after: Option<usize>,
    /// Images an update [default: 100; 1 for bs4nn]
    #[arg(long)]
    pub batch: Option<usize>,
    /// The learning rate of the weights at the start [default: 0.003; 0.002 for bstdg, 0.1 for bs4nn]
    #[arg(long)]
    pub learning_rate: Option<f32>,
    /// How it goes on: cosine (falls to zero along half a cosine) or constant [default: cosine; constant for bs4nn]
    #[arg(long)]
    pub schedule: Option<Schedule>,
    /// The learning rate of the thresholds, in multiples of the weights' [default: 1; 0.1 for bs4nn]
    #[arg(long)]
    pub threshold_rate: Option<f32>,
    /// How sure the loss wants the network to be [default: 8; 6.4 for bstdg]
    #[arg(long)]
    pub sharpness: Option<f32>,
    /// How near to its threshold a hidden neuron must be to be trained by an image; 0: all are trained [default: the
    /// root of the spikes in a training image, at least 10; 0 for the other rules]
    #[arg(long)]
    pub window: Option<f32>,
    /// What a hidden spike costs, in units of the loss: more makes networks that spike less [default: 0]
    #[arg(long)]
    pub spike_cost: Option<f32>,
    /// The learning rule: margins (firstspike's own), bstdg (as reconstructed), bstdg-steps (an older reconstruction),
    /// bs4nn (as its authors train it, image by image) or bs4nn-adam (its loss, with firstspike's batches) [default: margins]
    #[arg(long, value_name = "RULE")]
    pub rule: Option<Named>,
    /// Its kappa: the steps in which a spike's share in the gradient falls to 37 %; 0: all count alike. For bstdg the
    /// sixteenths of the window in which that of a spike that comes too late does; 0: it counts for nothing
    /// [default: 0; for bstdg 0.5; for bstdg-steps a quarter of the steps, at least 4]
    #[arg(long, value_name = "STEPS")]
    pub kappa: Option<f32>,
    /// For bstdg, what its time is measured in: spikes (a step is as long as many inputs spike at it) or steps
    /// [default: spikes]
    #[arg(long)]
    pub clock: Option<Clock>,
    /// For bstdg, how steeply an output rises to its threshold: secant (from the beginning) or local (in that step)
    /// [default: secant]
    #[arg(long)]
    pub slope: Option<Slope>,
    /// For bstdg, whether an input spike takes its step to come in [default: true]
    #[arg(long, value_name = "true|false")]
    pub ramp: Option<bool>,
    /// For bstdg, whether the label is to spike before a deadline soon after the window [default: true]
    #[arg(long, value_name = "true|false")]
    pub deadline: Option<bool>,
    /// Which thresholds learn: fixed, layer or neuron [default: neuron; for bs4nn and bs4nn-adam layer]
    #[arg(long, value_name = "WHICH")]
    pub thresholds: Option<ThresholdTraining>,
    /// The thresholds of hidden neurons at the start [default: the root of the spikes in a training image; a
    /// third more for bstdg, 21 for bs4nn]
    #[arg(long)]
    pub hidden_threshold: Option<f32>,
    /// How much evidence to wait for: 0.5 decides early, 1 is balanced, 3 waits for the last step [default: 1; for
    /// recordings, as shd, 3; 1.6 for bstdg, 1 for bs4nn]
    #[arg(long)]
    pub patience: Option<f32>,
    /// Move training images at random by up to this many pixels [default: 0; digits and fashion-mnist 0.5, mnist and
    /// caltech101 1, caltech101-grey 2, shd 0.7; bs4nn moves none by itself]
    #[arg(long, value_name = "PIXELS")]
    pub shift: Option<f32>,
    /// Turn them by up to this many degrees [default: 0; mnist 10]
    #[arg(long, value_name = "DEGREES")]
    pub rotate: Option<f32>,
    /// Make them wider and taller, or narrower and lower, by up to this share [default: 0; mnist and caltech101 0.1,
    /// fashion-mnist and shd 0.05]
    #[arg(long, value_name = "SHARE")]
    pub zoom: Option<f32>,
    /// Slant them by up to this many columns a row [default: 0; mnist 0.1]
    #[arg(long, value_name = "COLUMNS")]
    pub shear: Option<f32>,
    /// Mirror this share of them, left for right [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub mirror: Option<f32>,
    /// The share of the training images that is held out to measure each epoch on; of shd, whole speakers [default:
    /// 0.1]
    #[arg(long)]
    pub validation: Option<f64>,
    /// First train a real-valued perceptron with this many hidden neurons, and let it teach; 0: none [default: 0]
    #[arg(long, value_name = "NEURONS")]
    pub teacher: Option<usize>,
    /// How much of the loss is about the teacher's answer; the rest is about the label [default: 0.5]
    #[arg(long, value_name = "SHARE", requires = "teacher")]
    pub teacher_share: Option<f32>,
    /// The higher, the more it counts which other classes the teacher finds an image a little like [default: 1]
    #[arg(long, value_name = "FACTOR", requires = "teacher")]
    pub teacher_temperature: Option<f32>,
}

impl Choices {
    /// The names that they have, without the hyphens before them.
    pub fn names() -> Vec<String> {
        let command = Choices::augment_args(Command::new("train"));
        let names = command.get_arguments().filter_map(Arg::get_long);
        names.map(str::to_owned).collect()
    }

    /// What was chosen, as `train` takes it: `--epochs`, `40`, ….
    pub fn arguments(&self) -> Vec<String> {
        // Through text: a number of 32 bits as a wider one would have digits that nobody typed.
        let text = serde_json::to_string(self).expect("choices are plain data");
        let chosen: Map<String, Value> = serde_json::from_str(&text).expect("it was JSON");
        let given = chosen.into_iter().filter(|(_, value)| !value.is_null());
        given
            .flat_map(|(name, value)| {
                let value = match value {
                    Value::String(text) => text,
                    value => value.to_string(),
                };
                [format!("--{name}"), value]
            })
            .collect()
    }

    /// The time steps of a run with these choices: those asked for, or else those of the data, or else those of
    /// the rule.
    ///
    /// # Errors
    /// Those of [`steps_for`].
    pub fn steps(&self, data: &Dataset, asked: Option<usize>) -> Result<usize, TrainError> {
        let of_rule = self.rule.map(Named::usual_steps);
        steps_for(data, asked.or(data.steps).or(of_rule))
    }

    /// The options of a run with these choices.
    ///
    /// # Errors
    /// [`TrainError::NotOfRule`] where something is chosen that the rule has not.
    pub fn options(&self, data: &Dataset, steps: usize, seed: u64) -> Result<Options, TrainError> {
        let named = self.rule.unwrap_or(Named::Margins);
        let default = Options::for_rule(data, named, steps);
        let rule = default.rule;
        let objective = self.objective(&rule)?;
        Ok(Options {
            seed,
            epochs: self.epochs.unwrap_or(default.epochs),
            stop_after: self.stop_after.unwrap_or(default.stop_after),
            batch: self.batch.unwrap_or(default.batch),
            learning_rate: self.learning_rate.unwrap_or(default.learning_rate),
            schedule: self.schedule.unwrap_or(default.schedule),
            threshold_rate: self.threshold_rate.unwrap_or(default.threshold_rate),
            sharpness: self.sharpness.unwrap_or(default.sharpness),
            window: self.window.unwrap_or(default.window),
            spike_cost: self.spike_cost.unwrap_or(default.spike_cost),
            rule: Rule {
                objective,
                kappa: self.kappa.unwrap_or(rule.kappa),
                thresholds: self.thresholds.unwrap_or(rule.thresholds),
                ..rule
            },
            hidden_threshold: self.hidden_threshold.unwrap_or(default.hidden_threshold),
            patience: self.patience.unwrap_or(default.patience),
            augment: Augment {
                shift: self.shift.unwrap_or(default.augment.shift),
                rotate: self.rotate.unwrap_or(default.augment.rotate),
                zoom: self.zoom.unwrap_or(default.augment.zoom),
                shear: self.shear.unwrap_or(default.augment.shear),
                mirror: self.mirror.unwrap_or(default.augment.mirror),
            },
            validation: self.validation.unwrap_or(default.validation),
            teacher: self.teaching(),
        })
    }

    /// The objective of the rule, with what is chosen about it.
    fn objective(&self, rule: &Rule) -> Result<Objective, TrainError> {
        if let Objective::Latencies(default) = rule.objective {
            return Ok(Objective::Latencies(Latencies {
                clock: self.clock.unwrap_or(default.clock),
                slope: self.slope.unwrap_or(default.slope),
                ramp: self.ramp.unwrap_or(default.ramp),
                deadline: self.deadline.unwrap_or(default.deadline),
            }));
        }
        let chosen = [
            ("clock", self.clock.is_some()),
            ("slope", self.slope.is_some()),
            ("ramp", self.ramp.is_some()),
            ("deadline", self.deadline.is_some()),
        ];
        match chosen.into_iter().find(|(_, is_chosen)| *is_chosen) {
            Some((option, _)) => Err(TrainError::NotOfRule {
                option,
                rule: rule.name(),
            }),
            None => Ok(rule.objective),
        }
    }

    fn teaching(&self) -> Option<Teaching> {
        let default = Teaching::by(self.teacher.filter(|&hidden| hidden > 0)?);
        Some(Teaching {
            share: self.teacher_share.unwrap_or(default.share),
            temperature: self.teacher_temperature.unwrap_or(default.temperature),
            ..default
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        choices: Choices,
    }

    fn all() -> Choices {
        let text = r#"{
            "epochs": 7, "stop-after": 3, "batch": 50, "learning-rate": 0.003, "schedule": "constant", "threshold-rate": 0.1,
            "sharpness": 6.5, "window": 0, "spike-cost": 1e-7, "rule": "bstdg", "kappa": 4.7,
            "clock": "steps", "slope": "local", "ramp": false, "deadline": true,
            "thresholds": "layer", "hidden-threshold": 12, "patience": 0.7, "shift": 1.5, "rotate": 10,
            "zoom": 0.1, "shear": 0.2, "mirror": 0.5, "validation": 0.15, "teacher": 800, "teacher-share": 0.4,
            "teacher-temperature": 2.5
        }"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_arguments_of_choices_are_read_as_the_same_choices() {
        let arguments = all().arguments();
        // All are there, so the names in files are those of the command line.
        assert_eq!(arguments.len(), 2 * Choices::names().len());
        let line = Line::parse_from(["train".to_owned()].into_iter().chain(arguments));
        assert_eq!(line.choices, all());
        assert_eq!(Choices::default().arguments(), [""; 0]);
    }

    #[test]
    fn numbers_are_told_as_they_were_given() {
        let arguments = all().arguments().join(" ");
        for part in ["--learning-rate 0.003 ", "--validation 0.15", "--kappa 4.7"] {
            assert!(arguments.contains(part), "{arguments}");
        }
    }

    #[test]
    fn the_help_tells_the_defaults_that_there_are() {
        let command = Choices::augment_args(Command::new("train"));
        let help = |name: &str| {
            let arg = command
                .get_arguments()
                .find(|arg| arg.get_long() == Some(name));
            arg.unwrap().get_help().unwrap().to_string()
        };
        let tells = |name: &str, default: String| {
            let help = help(name);
            let told = help.split_once("[default: ").unwrap().1;
            let end = |c: char| [';', ']'].contains(&c);
            assert_eq!(told.split(end).next(), Some(&default[..]), "{name}: {help}");
        };
        let of = |name: &str| {
            let mut data = dataset::load("digits").unwrap();
            data.name = name.to_owned();
            Options::for_dataset(&data)
        };
        // Of a set without a name of its own.
        let usual = of("own");
        tells("stop-after", usual.stop_after.to_string());
        tells("batch", usual.batch.to_string());
        tells("learning-rate", usual.learning_rate.to_string());
        tells("schedule", usual.schedule.name().to_owned());
        tells("threshold-rate", usual.threshold_rate.to_string());
        tells("sharpness", usual.sharpness.to_string());
        tells("spike-cost", usual.spike_cost.to_string());
        tells("rule", usual.rule.name().to_owned());
        tells("kappa", usual.rule.kappa.to_string());
        tells("patience", usual.patience.to_string());
        tells("shift", usual.augment.shift.to_string());
        tells("rotate", usual.augment.rotate.to_string());
        tells("zoom", usual.augment.zoom.to_string());
        tells("shear", usual.augment.shear.to_string());
        tells("mirror", usual.augment.mirror.to_string());
        tells("validation", usual.validation.to_string());
        let teacher = Teaching::by(1);
        tells("teacher-share", teacher.share.to_string());
        tells("teacher-temperature", teacher.temperature.to_string());
        // Of those that have one.
        let names = dataset::NAMES.map(|name| (name, of(name).augment));
        for (option, of) in [
            ("shift", (|a| a.shift) as fn(&Augment) -> f32),
            ("rotate", |a| a.rotate),
            ("zoom", |a| a.zoom),
            ("shear", |a| a.shear),
        ] {
            let help = help(option);
            for (name, augment) in &names {
                let told = help
                    .split([';', ',', ']'])
                    .find(|part| part.split_whitespace().any(|word| word == *name));
                let told = told.and_then(|part| part.split_whitespace().last());
                let told = told.map_or(0.0, |number| number.parse().unwrap());
                assert_eq!(of(augment), told, "{option} of {name}: {help}");
            }
        }
        assert!(help("epochs").contains(&format!("{} for digits", of("digits").epochs)));
    }

    #[test]
    fn a_teacher_is_what_was_chosen_of_it() {
        let data = dataset::load("digits").unwrap();
        let teacher = |choices: Choices| choices.options(&data, 16, 1).unwrap().teacher;
        let expected = Teaching {
            hidden: 800,
            share: 0.4,
            temperature: 2.5,
        };
        assert_eq!(teacher(all()), Some(expected));
        let none = Choices {
            teacher: Some(0),
            ..all()
        };
        assert_eq!(teacher(none), None);
        assert_eq!(teacher(Choices::default()), None);
    }

    #[test]
    fn bs4nn_has_the_options_and_the_time_of_its_paper_unless_others_are_chosen() {
        let data = dataset::load("digits").unwrap();
        let choices = Choices {
            rule: Some(Named::Bs4nn),
            ..Choices::default()
        };
        assert_eq!(choices.steps(&data, None).unwrap(), 256);
        assert_eq!(choices.steps(&data, Some(16)).unwrap(), 16);
        assert_eq!(Choices::default().steps(&data, None).unwrap(), 16);
        let own = dataset::Dataset {
            steps: Some(20),
            ..data.clone()
        };
        assert_eq!(choices.steps(&own, None).unwrap(), 20);
        let options = choices.options(&data, 256, 1).unwrap();
        assert_eq!((options.batch, options.epochs), (1, 200));
        assert_eq!((options.learning_rate, options.threshold_rate), (0.1, 0.1));
        assert_eq!(options.schedule, Schedule::Constant);
        // Both thresholds are those of an alpha of 5.
        assert_eq!(options.hidden_threshold, 21.0);
        assert_eq!(options.output_threshold(600), 21.0);
        assert_eq!(options.augment, Augment::NONE);
        let chosen = Choices {
            epochs: Some(7),
            shift: Some(1.0),
            ..choices
        };
        let options = chosen.options(&data, 256, 1).unwrap();
        assert_eq!((options.epochs, options.augment.shift), (7, 1.0));
    }

    #[test]
    fn what_only_bstdg_has_is_chosen_for_bstdg_alone() {
        let data = dataset::load("digits").unwrap();
        let local = Choices {
            slope: Some(Slope::Local),
            ramp: Some(false),
            ..Choices::default()
        };
        let error = local.options(&data, 16, 1).unwrap_err().to_string();
        assert!(
            error.contains("margins") && error.contains("slope"),
            "{error}"
        );
        let bstdg = Choices {
            rule: Some(Named::Bstdg),
            ..local
        };
        let expected = Latencies {
            slope: Slope::Local,
            ramp: false,
            ..Latencies::default()
        };
        let objective = bstdg.options(&data, 16, 1).unwrap().rule.objective;
        assert_eq!(objective, Objective::Latencies(expected));
    }
}
