//! When decisions fall, and what waiting for them is worth.

use crate::report::html::{legend, part, section};
use crate::report::page::Subject;
use crate::report::palette::{MUTED, RIGHT};
use crate::report::pictures::{self, DrawError};
use crate::report::text::percent;

pub fn write(subject: &Subject) -> Result<String, DrawError> {
    let found = &subject.report.statistics;
    let by_step = &found.accuracy_by_step;
    let middle = (by_step.len() - 1) / 2;
    let half_way = match middle {
        0 => String::new(),
        middle => format!("{} at step {middle}, ", percent(by_step[middle])),
    };
    let waiting = format!(
        "If every image had to be decided by a step, by the first output spike or else by the output \
         nearest to its threshold, this share would be right: {} at step 0, {half_way}{} at the last \
         one. Where the line is flat, waiting longer gains nothing.",
        percent(by_step[0]),
        percent(found.accuracy)
    );
    let key = [(RIGHT, "right"), (MUTED, "decided by an output spike")];
    let body = [
        pictures::decisions::right(found)?,
        pictures::decisions::wrong(found)?,
        part(
            "What waiting is worth",
            &waiting,
            &[legend(&key), pictures::by_step::draw(found)?].concat(),
        ),
    ];
    let how = "An image is decided when the first output spikes; the earlier, the less time it takes on a \
               board. The bar that stands apart is the share of silent images, which are decided at the \
               end. Right and wrong answers have each their own scale.";
    Ok(section("When the decision falls", how, &body.concat()))
}
