//! How the network was trained, from the record in its model file.

use crate::model_file::TrainingRecord;
use crate::report::html::{facts, legend, section};
use crate::report::page::Subject;
use crate::report::palette::{RIGHT, WRONG};
use crate::report::pictures::{training, DrawError};
use crate::report::record::Curves;
use crate::report::text::percent;
use crate::train::{Augment, Latencies, Objective, Options};

const TITLE: &str = "Training";

pub fn write(subject: &Subject) -> Result<String, DrawError> {
    let Some(record) = &subject.model.training else {
        let how = "The model file has no record of a training: its weights came from elsewhere.";
        return Ok(section(TITLE, how, ""));
    };
    let table = format!(
        "<h3>Every option, and what came of it</h3>\n{}",
        facts(&rows(record))
    );
    let Some(curves) = Curves::of_csv(&record.curve_csv) else {
        let how = "The model file has a record of the training, but no curves that can be read.";
        return Ok(section(TITLE, how, &table));
    };
    let held_out = record.options.holds_out();
    let mut key = vec![(RIGHT, "training images")];
    if held_out {
        key.push((WRONG, "held-out images"));
    }
    let body = [
        legend(&key),
        training::accuracy(&curves, record.best_epoch, held_out)?,
        training::loss(&curves, record.best_epoch)?,
        table,
    ];
    let how = "An epoch is one look at every training image. Accuracy should rise, and the loss, which \
               is what training lowers, should fall. Where the training images get ever better and the \
               held-out ones do not, the network learns by heart. The state of the marked epoch was kept.";
    Ok(section(TITLE, how, &body.concat()))
}

/// Whether some training images were kept aside to measure each epoch on.
/// Every option as the command line names it, and what came of them.
fn rows(record: &TrainingRecord) -> Vec<(&'static str, String)> {
    // Taken apart whole, so that an option that is new cannot be forgotten here.
    let Options {
        seed,
        epochs,
        stop_after,
        batch,
        learning_rate,
        schedule,
        threshold_rate,
        sharpness,
        window,
        spike_cost,
        hidden_threshold,
        patience,
        rule,
        augment,
        validation,
        teacher,
    } = &record.options;
    let Augment {
        shift,
        rotate,
        zoom,
        shear,
        mirror,
    } = augment;
    let stopped = match record.stopped {
        true => ", stopped before the end",
        false => "",
    };
    let held_out = match record.options.holds_out() {
        true => percent(record.validation_accuracy),
        false => "nothing was held out".to_owned(),
    };
    let taught = teacher.map_or(Vec::new(), |teacher| {
        vec![
            ("--teacher-share", teacher.share.to_string()),
            ("--teacher-temperature", teacher.temperature.to_string()),
        ]
    });
    let hidden = teacher.map_or(0, |teacher| teacher.hidden);
    let timed = match rule.objective {
        Objective::Latencies(Latencies {
            clock,
            slope,
            ramp,
            deadline,
        }) => vec![
            ("--clock", clock.name().to_owned()),
            ("--slope", slope.name().to_owned()),
            ("--ramp", ramp.to_string()),
            ("--deadline", deadline.to_string()),
        ],
        _ => Vec::new(),
    };
    let mut rows = vec![
        ("--seed", seed.to_string()),
        ("--epochs", format!("{epochs}{stopped}")),
        ("--stop-after", stop_after.to_string()),
        ("--batch", batch.to_string()),
        ("--learning-rate", learning_rate.to_string()),
        ("--schedule", schedule.name().to_owned()),
        ("--threshold-rate", threshold_rate.to_string()),
        ("--sharpness", sharpness.to_string()),
        ("--window", window.to_string()),
        ("--spike-cost", spike_cost.to_string()),
        ("--rule", rule.name().to_owned()),
        ("--kappa", rule.kappa.to_string()),
        ("--thresholds", rule.thresholds.name().to_owned()),
        ("--hidden-threshold", hidden_threshold.to_string()),
        ("--patience", patience.to_string()),
        ("--shift", shift.to_string()),
        ("--rotate", rotate.to_string()),
        ("--zoom", zoom.to_string()),
        ("--shear", shear.to_string()),
        ("--mirror", mirror.to_string()),
        ("--validation", validation.to_string()),
        ("--teacher", hidden.to_string()),
    ];
    rows.extend(timed);
    rows.extend(taught);
    rows.extend([
        ("best epoch, the one kept", record.best_epoch.to_string()),
        (
            "its accuracy on training images",
            percent(record.train_accuracy),
        ),
        ("on held-out images", held_out),
        (
            "on test images, after training",
            percent(record.test_accuracy),
        ),
    ]);
    rows
}
