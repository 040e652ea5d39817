//! One test image on its way through the network.

use crate::encoding::Latency;
use crate::report::grid::Grid;
use crate::report::html::{figure, layout_note, legend, part, section};
use crate::report::names::Names;
use crate::report::page::Subject;
use crate::report::palette::{MUTED, RIGHT, WRONG};
use crate::report::pictures::{image, margins, raster, DrawError};
use crate::report::svg::escape;
use crate::report::text::counted;
use crate::report::Example;
use firmware_model::network::Spike;

pub fn write(subject: &Subject) -> Result<String, DrawError> {
    let example = &subject.report.example;
    let names = Names(subject.data);
    let mut key = vec![(RIGHT, "true class")];
    if !example.is_right() {
        key.push((WRONG, "answer"));
    }
    key.push((MUTED, "other classes"));
    let spikes = "Each mark is a spike, and no neuron has more than one. Time runs to the right; a line of \
                  the picture is a neuron, or an input, in the order of the image, row by row. Beside each \
                  layer stands how many of it spiked. What is shaded comes after the decision: the hardware \
                  does not compute it.";
    let outputs = "Each line is the potential of an output minus its threshold. A spike moves it up by one \
                   over a weight of +1, and down by one over a weight of −1. The first line to reach 0 \
                   decides; of several in the same step, the highest. When none does, the highest at the end.";
    let body = [
        images(subject),
        part("Every spike", spikes, &raster::draw(example, &names)),
        part(
            "How near each output was to its threshold",
            outputs,
            &[legend(&key), margins::draw(example, &names)?].concat(),
        ),
    ];
    let how = format!(
        "Test image {}, of class {}, as the golden reference runs it. {}",
        example.image,
        escape(&names.full(example.label)),
        outcome(example, &names)
    );
    Ok(section("One image, spike by spike", &how, &body.concat()))
}

fn outcome(example: &Example, names: &Names) -> String {
    let (trace, decision) = (&example.trace, example.trace.decision);
    let class = escape(&names.full(decision.class));
    let answer = match example.is_right() {
        true => format!("The answer is {class}, which is right."),
        false => format!("The answer is {class}, which is wrong."),
    };
    let spikes = example.spikes.events();
    let input = counted(spikes.len(), "input spike");
    let has_hidden = trace.fire_steps.len() > 1;
    if decision.silent {
        let hidden = match has_hidden {
            true => format!(" and {}", counted(trace.hidden_spikes(), "hidden spike")),
            false => String::new(),
        };
        return format!(
            "{answer} No output reached its threshold, not even after all of {input}{hidden}, so the one \
             that came nearest is the answer."
        );
    }
    let is_by_then = |spike: &&Spike| usize::from(spike.step) <= decision.step;
    let by_then = spikes.iter().filter(is_by_then).count();
    let hidden = match has_hidden {
        true => format!(
            " and {} of {}",
            trace.hidden_spikes_before_decision(),
            counted(trace.hidden_spikes(), "hidden spike")
        ),
        false => String::new(),
    };
    format!(
        "{answer} The first output spike came at step {}, after {by_then} of {input}{hidden}, and ended \
         the inference.",
        decision.step
    )
}

fn images(subject: &Subject) -> String {
    let example = &subject.report.example;
    let grid = Grid::of(&subject.model.input_shape);
    let steps = subject.model.network.steps();
    let pixels = subject.data.test.image(example.image);
    let draw = |until, label| {
        let code = Latency { steps };
        image::draw(pixels, subject.data.maximum, grid, code, until, label)
    };
    let decision = example.trace.decision.step;
    format!(
        "<div class=\"pair\">\n{}{}</div>\n{}",
        figure(&draw(None, "The image"), "the image"),
        figure(
            &draw(Some(decision), "What of it had spiked by the decision"),
            "what had spiked by the decision; orange came later"
        ),
        layout_note(grid)
    )
}
