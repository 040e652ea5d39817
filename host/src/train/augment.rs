//! Training images moved a little, at random, so that the network learns shapes and not pixels.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How far training images are moved; 0 everywhere leaves them alone. Each image, each time it is
/// seen, gets a move of its own, drawn uniformly from plus or minus these.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Rows and columns, in pixels.
    pub shift: f32,
    /// Degrees.
    pub rotate: f32,
    /// Width and height, each by this share.
    pub zoom: f32,
    /// Columns to the side for each row down: slant.
    pub shear: f32,
}

/// One move: which place of the original each pixel takes its value from.
#[derive(Debug, Clone, Copy)]
pub struct Warp {
    /// Rows and columns of the original for each row and column from the centre.
    row: (f32, f32),
    column: (f32, f32),
    shift: (f32, f32),
}

impl Augment {
    pub const NONE: Augment = Augment {
        shift: 0.0,
        rotate: 0.0,
        zoom: 0.0,
        shear: 0.0,
    };

    /// The next move.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Warp {
        let mut within = |limit: f32| limit * (2.0 * rng.random::<f32>() - 1.0);
        let shift = (within(self.shift), within(self.shift));
        let angle = within(self.rotate).to_radians();
        let (taller, wider) = (1.0 + within(self.zoom), 1.0 + within(self.zoom));
        let slant = within(self.shear);
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        Warp {
            row: (cos * taller, -sin * wider),
            column: (sin * taller + slant, cos * wider),
            shift,
        }
    }
}

impl Warp {
    /// The image moved: between pixels the value is interpolated, outside it is 0.
    pub fn apply(&self, image: &[u8], (rows, columns): (usize, usize), to: &mut Vec<u8>) {
        to.clear();
        let (middle_row, middle_column) = (centre(rows), centre(columns));
        for row in 0..rows {
            let down = row as f32 - middle_row;
            for column in 0..columns {
                let right = column as f32 - middle_column;
                let from_row = middle_row + self.shift.0 + self.row.0 * down + self.row.1 * right;
                let from_column =
                    middle_column + self.shift.1 + self.column.0 * down + self.column.1 * right;
                to.push(interpolate(image, (rows, columns), from_row, from_column));
            }
        }
    }
}

fn centre(size: usize) -> f32 {
    (size as f32 - 1.0) / 2.0
}

/// The value at a place between four pixels, rounded.
fn interpolate(image: &[u8], (rows, columns): (usize, usize), row: f32, column: f32) -> u8 {
    let (top, left) = (floor(row), floor(column));
    let (below, right) = (row - top as f32, column - left as f32);
    let pixel = |row: i32, column: i32| {
        let inside = (0..rows as i32).contains(&row) && (0..columns as i32).contains(&column);
        match inside {
            true => f32::from(image[row as usize * columns + column as usize]),
            false => 0.0,
        }
    };
    let upper = pixel(top, left) * (1.0 - right) + pixel(top, left + 1) * right;
    let lower = pixel(top + 1, left) * (1.0 - right) + pixel(top + 1, left + 1) * right;
    // Half up: the value is not negative, so cutting off is rounding down.
    (upper * (1.0 - below) + lower * below + 0.5) as u8
}

/// `f32::floor` is a call into a library on processors that are not known to have it.
fn floor(value: f32) -> i32 {
    let cut = value as i32;
    cut - i32::from(value < cut as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const PLANE: (usize, usize) = (3, 3);
    const IMAGE: [u8; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];

    fn moved(augment: Augment, draws: usize) -> Vec<Vec<u8>> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut pixels = Vec::new();
        (0..draws)
            .map(|_| {
                augment.draw(&mut rng).apply(&IMAGE, PLANE, &mut pixels);
                pixels.clone()
            })
            .collect()
    }

    #[test]
    fn no_move_leaves_the_image_alone() {
        assert_eq!(moved(Augment::NONE, 1)[0], IMAGE);
    }

    #[test]
    fn whole_pixels_move_whole_rows_and_columns() {
        let warp = Warp {
            row: (1.0, 0.0),
            column: (0.0, 1.0),
            shift: (1.0, -1.0),
        };
        let mut pixels = Vec::new();
        warp.apply(&IMAGE, PLANE, &mut pixels);
        assert_eq!(pixels, [0, 40, 50, 0, 70, 80, 0, 0, 0]);
    }

    #[test]
    fn half_a_pixel_is_the_mean_of_two() {
        let warp = Warp {
            row: (1.0, 0.0),
            column: (0.0, 1.0),
            shift: (0.0, 0.5),
        };
        let mut pixels = Vec::new();
        warp.apply(&IMAGE, PLANE, &mut pixels);
        assert_eq!(pixels[3..6], [45, 55, 30]);
    }

    #[test]
    fn every_kind_of_move_moves_and_keeps_the_centre_near() {
        for augment in [
            Augment {
                shift: 0.4,
                ..Augment::NONE
            },
            Augment {
                rotate: 20.0,
                ..Augment::NONE
            },
            Augment {
                zoom: 0.2,
                ..Augment::NONE
            },
            Augment {
                shear: 0.3,
                ..Augment::NONE
            },
        ] {
            let images = moved(augment, 20);
            assert!(images.iter().any(|image| image[..] != IMAGE));
            for image in &images {
                assert!((30..=70).contains(&image[4]), "{augment:?} {image:?}");
            }
        }
    }
}
