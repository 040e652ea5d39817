//! Edges instead of brightness: for each pixel of a grey picture, how strong an edge runs through it, in one of
//! four planes by its direction.
//!
//! Brightness depends on the light and on what is painted; where an edge runs and how it leans is what makes a
//! shape. It is what the first layer of deep networks of spiking neurons is made to find (Kheradpisheh,
//! Ganjtabesh, Thorpe, Masquelier, 2018), and it needs no learning.

/// The directions of gradients that have a plane: 0°, 45°, 90°, 135°, all also the other way round.
pub(super) const DIRECTIONS: usize = 4;

/// tan 22.5°, half way between two directions, as a fraction: 0.41429 for 0.41421.
const HALF_WAY: (i32, i32) = (29, 70);

/// The share of the pixels whose edges are as strong as can be.
const STRONGEST: f64 = 0.04;

/// Weaker edges than this, where 255 is the strongest, are none.
const FAINTEST: u8 = 60;

/// The edges of a grey picture of so many columns: a plane for each of [`DIRECTIONS`], each of the picture's
/// size. The strongest edges of every picture are 255.
pub(super) fn edges(pixels: &[u8], columns: usize) -> Vec<u8> {
    let gradients: Vec<Gradient> = (0..pixels.len())
        .map(|pixel| Gradient::at(pixels, columns, pixel))
        .collect();
    let full = strength_of_the_strongest(&gradients);
    let mut planes = vec![0; DIRECTIONS * pixels.len()];
    for (pixel, gradient) in gradients.iter().enumerate() {
        let strength = (gradient.strength() / full * 255.0 + 0.5).min(255.0) as u8;
        if strength >= FAINTEST {
            planes[gradient.direction() * pixels.len() + pixel] = strength;
        }
    }
    planes
}

/// How strong an edge has to be to be 255; above 0, also where there is none.
fn strength_of_the_strongest(gradients: &[Gradient]) -> f32 {
    let mut strengths: Vec<f32> = gradients.iter().map(Gradient::strength).collect();
    strengths.sort_unstable_by(f32::total_cmp);
    let strongest = (strengths.len() as f64 * STRONGEST).ceil() as usize;
    strengths[strengths.len() - strongest.max(1)].max(1.0)
}

/// How brightness changes to a pixel from its neighbours on the left and above. Differences over two pixels, or over
/// a square of four, are alike in all directions, but networks learned no better from them.
#[derive(Debug, Clone, Copy)]
struct Gradient {
    right: i32,
    down: i32,
}

impl Gradient {
    /// Beyond the border a picture goes on as it is there.
    fn at(pixels: &[u8], columns: usize, pixel: usize) -> Self {
        let left = pixel - usize::from(!pixel.is_multiple_of(columns));
        let above = pixel.checked_sub(columns).unwrap_or(pixel);
        let value = |pixel: usize| i32::from(pixels[pixel]);
        Gradient {
            right: value(pixel) - value(left),
            down: value(pixel) - value(above),
        }
    }

    /// Its length. A square root is exact to the last bit on every machine.
    fn strength(&self) -> f32 {
        ((self.right * self.right + self.down * self.down) as f32).sqrt()
    }

    fn direction(&self) -> usize {
        let (right, down) = (self.right.abs(), self.down.abs());
        let (part, whole) = HALF_WAY;
        if down * whole < right * part {
            0
        } else if right * whole < down * part {
            2
        } else if (self.right > 0) == (self.down > 0) {
            1
        } else {
            3
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For a picture of 8 × 8 with these values: how many of its inner pixels have an edge, in each plane. All of
    /// these are of the full strength.
    fn inner_edges(value: impl Fn(usize, usize) -> u8) -> [usize; DIRECTIONS] {
        let pixels: Vec<u8> = (0..64).map(|pixel| value(pixel / 8, pixel % 8)).collect();
        let planes = edges(&pixels, 8);
        assert_eq!(planes.len(), DIRECTIONS * 64);
        std::array::from_fn(|direction| {
            let plane = &planes[64 * direction..][..64];
            let inner = (1..7).flat_map(|row| plane[8 * row + 1..][..6].iter());
            assert!(
                inner.clone().all(|edge| [0, 255].contains(edge)),
                "{plane:?}"
            );
            inner.filter(|&&edge| edge > 0).count()
        })
    }

    #[test]
    fn an_edge_is_in_the_plane_of_its_direction() {
        for bright in [20, 255] {
            let when = |inside: bool| if inside { bright } else { 0 };
            assert_eq!(inner_edges(|_, column| when(column >= 4)), [6, 0, 0, 0]);
            assert_eq!(inner_edges(|_, column| when(column < 4)), [6, 0, 0, 0]);
            assert_eq!(inner_edges(|row, _| when(row >= 4)), [0, 0, 6, 0]);
            assert_eq!(inner_edges(|row, _| when(row < 4)), [0, 0, 6, 0]);
            // The diagonal of six pixels.
            let diagonal = |row, column| when(row + column >= 7);
            assert_eq!(inner_edges(diagonal), [0, 6, 0, 0]);
        }
        // Slopes, one falling and one rising, everywhere alike.
        assert_eq!(
            inner_edges(|row, column| (row + column) as u8),
            [0, 36, 0, 0]
        );
        assert_eq!(
            inner_edges(|row, column| (8 + row - column) as u8),
            [0, 0, 0, 36]
        );
    }

    #[test]
    fn slopes_are_divided_half_way_between_directions() {
        let direction = |right, down| Gradient { right, down }.direction();
        assert_eq!([direction(100, 41), direction(100, 42)], [0, 1]);
        assert_eq!([direction(41, 100), direction(42, 100)], [2, 1]);
        assert_eq!([direction(-100, 42), direction(-42, -100)], [3, 1]);
        assert_eq!([direction(100, -42), direction(-100, -41)], [3, 0]);
    }

    #[test]
    fn faint_edges_are_none_and_so_are_those_of_an_even_picture() {
        assert_eq!(inner_edges(|_, _| 200), [0; DIRECTIONS]);
        // A step of 200 in all rows, and a lesser one further on.
        let with_a_step_of = |step: u8| {
            let row = [0, 0, 200, 200, 200 - step, 200 - step, 200 - step];
            edges(&row.repeat(8), 7)[4]
        };
        assert_eq!(with_a_step_of(46), 0);
        assert_eq!(with_a_step_of(47), 60);
    }
}
