//! Every spike of one image: who, and when.

use crate::report::example::Example;
use crate::report::names::Names;
use crate::report::palette::{Colour, GRID, INK, MOMENT, MUTED, RIGHT, WRONG};
use crate::report::svg::{Anchor, Picture, TEXT, WIDTH};

/// Where step 0 begins and the last step ends.
const LEFT: f64 = 76.0;
const END: f64 = WIDTH as f64 - 10.0;
/// Room above the inputs and below the outputs, and between layers.
const ABOVE: f64 = 22.0;
const BELOW: f64 = 42.0;
const GAP: f64 = 12.0;

/// Up to so many outputs have the name of their class.
const MOST_NAMED: usize = 20;
/// The most characters of such a name: what is longer would lie on that of the layer.
const NAME_ROOM: usize = 2;

/// The inputs at the top, the outputs at the bottom, time from left to right; the decision is a line, and
/// what comes after it is shaded.
pub fn draw(example: &Example, names: &Names) -> String {
    let bands = bands(example);
    let steps = example.margins[0].len();
    let heights: f64 = bands.iter().map(|band| band.height + GAP).sum();
    let bottom = ABOVE + heights - GAP;
    let mut raster = Raster {
        picture: Picture::new(f64::from(WIDTH), bottom + BELOW),
        column: (END - LEFT) / steps as f64,
        bottom,
    };
    raster.shade_after(example.trace.decision.step);
    let mut top = ABOVE;
    for (index, band) in bands.iter().enumerate() {
        raster.label(band, top);
        match index == bands.len() - 1 {
            false => raster.neurons(band, top),
            true => raster.outputs(band, top, example, names),
        }
        top += band.height + GAP;
    }
    raster.mark_end(example);
    raster.axis(steps);
    let label = "Raster of all spikes of the image: each mark is a neuron's only spike";
    raster.picture.finish(label)
}

/// A layer in the picture.
struct Band {
    name: String,
    height: f64,
    /// For each neuron the step of its spike.
    steps: Vec<Option<usize>>,
}

impl Band {
    /// The height of one neuron.
    fn row(&self) -> f64 {
        self.height / self.steps.len() as f64
    }

    /// Neurons that spike, and their steps.
    fn spikes(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let neurons = self.steps.iter().enumerate();
        neurons.filter_map(|(neuron, step)| step.map(|step| (neuron, step)))
    }
}

fn bands(example: &Example) -> Vec<Band> {
    let spikes = &example.spikes;
    let mut bands = vec![Band {
        name: "inputs".to_owned(),
        height: 150.0,
        steps: (0..spikes.inputs()).map(|i| spikes.step(i)).collect(),
    }];
    let last = example.trace.fire_steps.len() - 1;
    for (index, steps) in example.trace.fire_steps.iter().enumerate() {
        let (name, height) = match index == last {
            false => (format!("layer {}", index + 1), 110.0),
            true => {
                let rows = steps.len().clamp(5, 14) as f64;
                ("outputs".to_owned(), 14.0 * rows)
            }
        };
        bands.push(Band {
            name,
            height,
            steps: steps.clone(),
        });
    }
    bands
}

/// The picture in the making.
struct Raster {
    picture: Picture,
    /// The width of a step.
    column: f64,
    /// Where the outputs end.
    bottom: f64,
}

impl Raster {
    /// Where `step` begins.
    fn x(&self, step: usize) -> f64 {
        LEFT + step as f64 * self.column
    }

    fn shade_after(&mut self, step: usize) {
        let from = self.x(step + 1);
        if from < END - 0.5 {
            let place = [from, ABOVE, END - from, self.bottom - ABOVE];
            self.picture.rectangle(place, GRID, 0.5);
        }
    }

    /// The name of a layer, how many of it spike, and a line below it.
    fn label(&mut self, band: &Band, top: f64) {
        let (middle, below) = (top + band.height / 2.0, top + band.height);
        let fired = format!("{} of {}", band.spikes().count(), band.steps.len());
        // What would be wider than its room is written smaller.
        let size = TEXT.min(1.7 * LEFT / fired.len() as f64);
        let picture = &mut self.picture;
        picture.line((LEFT, below), (END, below), GRID, 1.0);
        picture.text((0.0, middle - 8.0), Anchor::Start, TEXT, INK, &band.name);
        picture.text((0.0, middle + 8.0), Anchor::Start, size, MUTED, &fired);
    }

    /// The place of a spike, large enough to be seen however many steps and neurons there are.
    fn mark(&self, band: &Band, top: f64, (neuron, step): (usize, usize)) -> [f64; 4] {
        let width = (0.7 * self.column).clamp(2.5, 14.0);
        let height = band.row().clamp(1.2, 9.0);
        let x = self.x(step) + self.column / 2.0;
        let y = top + (neuron as f64 + 0.5) * band.row();
        [x - width / 2.0, y - height / 2.0, width, height]
    }

    fn neurons(&mut self, band: &Band, top: f64) {
        let marks: Vec<_> = (band.spikes())
            .map(|spike| self.mark(band, top, spike))
            .collect();
        self.picture.rectangles(marks, INK, 1.0);
    }

    /// The outputs, each in the colour of what it means.
    fn outputs(&mut self, band: &Band, top: f64, example: &Example, names: &Names) {
        for spike in band.spikes() {
            let place = self.mark(band, top, spike);
            let colour = colour_of(example, spike.0);
            self.picture.rectangle(place, colour, 1.0);
        }
        if band.steps.len() > MOST_NAMED {
            return;
        }
        for class in 0..band.steps.len() {
            let at = (LEFT - 5.0, top + (class as f64 + 0.5) * band.row());
            let colour = colour_of(example, class);
            let name = names.within(NAME_ROOM, class);
            self.picture.text(at, Anchor::End, 12.0, colour, &name);
        }
    }

    /// The line after which nothing more is computed.
    fn mark_end(&mut self, example: &Example) {
        let decision = example.trace.decision;
        let says = match decision.silent {
            true => "end",
            false => "decision",
        };
        let x = self.x(decision.step + 1);
        let (above, below) = ((x, ABOVE - 4.0), (x, self.bottom));
        self.picture.line(above, below, MOMENT, 2.0);
        let at = (x.min(END - 3.5 * says.len() as f64), ABOVE - 13.0);
        self.picture.text(at, Anchor::Middle, TEXT, MOMENT, says);
    }

    fn axis(&mut self, steps: usize) {
        for step in (0..steps).step_by(every(steps)) {
            let at = (self.x(step) + self.column / 2.0, self.bottom + 12.0);
            let name = step.to_string();
            self.picture.text(at, Anchor::Middle, TEXT, INK, &name);
        }
        let at = ((LEFT + END) / 2.0, self.bottom + 30.0);
        self.picture.text(at, Anchor::Middle, TEXT, INK, "step");
    }
}

/// From one step that is named to the next: a round number, with room for the names.
fn every(steps: usize) -> usize {
    let most = if steps <= 100 { 16 } else { 9 };
    let mut round = [1, 2, 5, 10, 20].into_iter();
    let fits = round.find(|every| steps.div_ceil(*every) <= most);
    fits.unwrap_or(50)
}

/// The answer and the true class stand out among the outputs.
fn colour_of(example: &Example, class: usize) -> Colour {
    match class {
        class if class == example.label => RIGHT,
        class if class == example.trace.decision.class => WRONG,
        _ => INK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use firmware_model::golden::Trace;
    use firmware_model::network::{Decision, SpikeTrain};

    #[test]
    fn every_spike_is_a_mark_and_what_comes_after_the_decision_is_shaded() {
        let example = |silent| Example {
            image: 0,
            label: 1,
            spikes: SpikeTrain::from_raw(vec![0, 3, SpikeTrain::SILENT]),
            trace: Trace {
                decision: Decision {
                    class: 1,
                    step: if silent { 3 } else { 1 },
                    silent,
                    overshoot: 0,
                },
                fire_steps: vec![vec![Some(1); 5], vec![Some(2), Some(1)]],
            },
            margins: vec![vec![0; 4]; 2],
        };
        let data = dataset::load("digits").unwrap();
        let svg = draw(&example(false), &Names(&data));
        let of_colour = |what: &str, colour: Colour| {
            let colour = format!("fill=\"{}\"", colour.hex());
            let lines = svg.lines().filter(|line| line.starts_with(what));
            lines
                .filter(|line| line.contains(&colour))
                .collect::<Vec<_>>()
        };
        let paths = of_colour("<path", INK);
        let marks: Vec<usize> = paths.iter().map(|path| path.matches('M').count()).collect();
        assert_eq!(marks, [2, 5]);
        let outputs = [RIGHT, INK, GRID].map(|colour| of_colour("<rect", colour).len());
        assert_eq!(outputs, [1, 1, 1]);
        assert!(svg.contains(">decision<") && svg.contains(">2 of 3<"));
        let svg = draw(&example(true), &Names(&data));
        assert!(svg.contains(">end<") && !svg.contains("fill-opacity"));
    }

    #[test]
    fn steps_are_named_as_far_as_there_is_room() {
        assert_eq!([1, 16, 17, 64, 256].map(every), [1, 1, 2, 5, 50]);
    }
}
