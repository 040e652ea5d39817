//! What some neurons of the first layer look for.

use crate::report::grid::Grid;
use crate::report::palette::{GRID, INK, MUTED, RIGHT, WRONG};
use crate::report::statistics::SpikeTimes;
use crate::report::svg::{Anchor, Picture, TEXT};
use firmware_model::network::Layer;

/// How many neurons are shown at most.
pub const MOST: usize = 12;

const SIDE: f64 = 130.0;

/// The neurons of a layer that spike in the most images, in falling order; of equals the lower index first.
pub fn busiest(times: &SpikeTimes) -> Vec<usize> {
    let mut neurons: Vec<usize> = (0..times.neurons).collect();
    neurons.sort_by_key(|&neuron| std::cmp::Reverse(times.images_of[neuron]));
    neurons.truncate(MOST);
    neurons
}

/// The weights of one neuron of `layer`, the first one, with its threshold and how often it spikes. Inputs that
/// never spike in a test image, by `inputs`, are left grey: their weights mean nothing.
pub fn draw(
    layer: &Layer,
    neuron: usize,
    grid: Grid,
    inputs: &SpikeTimes,
    times: &SpikeTimes,
    images: usize,
) -> String {
    let cell = SIDE / grid.rows.max(grid.columns) as f64;
    let (width, height) = (grid.columns as f64 * cell, grid.rows as f64 * cell);
    let mut picture = Picture::new(SIDE, height + 40.0);
    let left = (SIDE - width) / 2.0;
    let mut fill = |colour, chosen: &dyn Fn(usize) -> bool| {
        let places = grid.places(layer.inputs(), cell, chosen);
        let places = places.into_iter().map(|[x, y, w, h]| [x + left, y, w, h]);
        picture.rectangles(places, colour, 1.0);
    };
    let spikes = |input: usize| inputs.images_of[input] > 0;
    let positive = |input: usize| layer.is_positive(neuron, input);
    fill(RIGHT, &|input| spikes(input) && positive(input));
    fill(WRONG, &|input| spikes(input) && !positive(input));
    fill(GRID, &|input| !spikes(input));
    let share = 100.0 * times.images_of[neuron] as f64 / images as f64;
    let middle = SIDE / 2.0;
    let threshold = format!("neuron {neuron}, θ = {}", layer.thresholds()[neuron]);
    picture.text(
        (middle, height + 12.0),
        Anchor::Middle,
        TEXT,
        INK,
        &threshold,
    );
    let spikes = format!("spikes in {share:.0} %");
    picture.text(
        (middle, height + 29.0),
        Anchor::Middle,
        TEXT,
        MUTED,
        &spikes,
    );
    picture.finish(&format!("Weights of neuron {neuron}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(images_of: Vec<usize>) -> SpikeTimes {
        SpikeTimes {
            neurons: images_of.len(),
            spikes_mean: vec![],
            never_mean: 0.0,
            images_of,
        }
    }

    #[test]
    fn the_busiest_come_first() {
        assert_eq!(busiest(&times(vec![3, 9, 0, 9])), [1, 3, 0, 2]);
        assert_eq!(busiest(&times(vec![1; 40])).len(), MOST);
    }

    #[test]
    fn weights_of_inputs_that_never_spike_are_left_out() {
        let layer = Layer::from_fn(4, vec![7], |_, i| i < 2).unwrap();
        let grid = Grid::of(&[2, 2]);
        let draw =
            |images_of: Vec<usize>| draw(&layer, 0, grid, &times(images_of), &times(vec![1]), 4);
        let svg = draw(vec![1; 4]);
        let path = |x, y, colour: crate::report::palette::Colour| {
            format!(
                "<path d=\"M{x} {y}h130v65h-130z\" fill=\"{}\"/>",
                colour.hex()
            )
        };
        assert!(
            svg.contains(&path(0, 0, RIGHT)) && svg.contains(&path(0, 65, WRONG)),
            "{svg}"
        );
        assert!(svg.contains("neuron 0, θ = 7") && svg.contains("spikes in 25 %"));
        let svg = draw(vec![1, 1, 0, 0]);
        assert!(
            svg.contains(&path(0, 0, RIGHT)) && !svg.contains(&WRONG.hex()),
            "{svg}"
        );
    }
}
