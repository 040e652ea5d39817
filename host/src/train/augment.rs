//! Training images moved a little, at random, so that the network learns shapes and not pixels.

use crate::dataset::{Grid, CHANNELS};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// One more than the highest channel.
const CHANNELS_END: i32 = CHANNELS as i32;

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
    /// The share of the images that are mirrored, left for right.
    #[serde(default)]
    pub mirror: f32,
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
        mirror: 0.0,
    };

    /// The next move.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Warp {
        let mut within = |limit: f32| limit * (2.0 * rng.random::<f32>() - 1.0);
        let shift = (within(self.shift), within(self.shift));
        let angle = within(self.rotate).to_radians();
        let (taller, wider) = (1.0 + within(self.zoom), 1.0 + within(self.zoom));
        let slant = within(self.shear);
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        // Nothing is drawn for it where nothing is mirrored: what was trained before there was a mirror stays as it is.
        let is_mirrored = self.mirror > 0.0 && rng.random::<f32>() < self.mirror;
        let wider = if is_mirrored { -wider } else { wider };
        Warp {
            row: (cos * taller, -sin * wider),
            column: (sin * taller + slant, cos * wider),
            shift,
        }
    }
}

impl Warp {
    /// Appends the image moved: between pixels the value is interpolated, outside it is 0.
    pub fn apply(&self, image: &[u8], (rows, columns): (usize, usize), to: &mut Vec<u8>) {
        if self.row.1 == 0.0 && self.column.0 == 0.0 {
            return self.apply_upright(image, (rows, columns), to);
        }
        for row in 0..rows {
            for column in 0..columns {
                let (from_row, from_column) = self.origin((rows, columns), (row, column));
                to.push(interpolate(image, (rows, columns), from_row, from_column));
            }
        }
    }

    /// The events of a recording moved: `to` gets those that are still on a channel and after its start.
    ///
    /// Rows are those of the grid, from low channels to high ones, and columns its steps of time; so a
    /// shift is as many rows and columns as for an image, and a zoom is speech that is higher and slower.
    pub fn apply_to_events(
        &self,
        (times, units): (&[u16], &[u16]),
        grid: Grid,
        to: &mut (Vec<u16>, Vec<u16>),
    ) {
        let (to_times, to_units) = to;
        to_times.clear();
        to_units.clear();
        let (middle_row, middle_column) = (centre(grid.rows), centre(grid.columns));
        // The move tells where a place comes from; an event has to know where it goes.
        let ((a, b), (c, d)) = (self.row, self.column);
        let determinant = a * d - b * c;
        if determinant.abs() < 0.01 {
            // All would fall on one line: such a move of a plane is none.
            to_times.extend_from_slice(times);
            to_units.extend_from_slice(units);
            return;
        }
        let (row_a, row_b) = (d / determinant, -b / determinant);
        let (column_a, column_b) = (-c / determinant, a / determinant);
        for (&time, &unit) in times.iter().zip(units) {
            let row = (f32::from(unit) + 0.5) / grid.row_channels - 0.5;
            let column = (f32::from(time) + 0.5) / grid.column_ms - 0.5;
            let down = row - middle_row - self.shift.0;
            let right = column - middle_column - self.shift.1;
            let row = middle_row + row_a * down + row_b * right;
            let column = middle_column + column_a * down + column_b * right;
            let unit = floor((row + 0.5) * grid.row_channels);
            let time = floor((column + 0.5) * grid.column_ms);
            if let (Ok(time), 0..CHANNELS_END) = (u16::try_from(time), unit) {
                to_times.push(time);
                to_units.push(unit as u16);
            }
        }
    }

    /// The place of the original that a pixel takes its value from.
    fn origin(&self, (rows, columns): (usize, usize), (row, column): (usize, usize)) -> (f32, f32) {
        let (middle_row, middle_column) = (centre(rows), centre(columns));
        let (down, right) = (row as f32 - middle_row, column as f32 - middle_column);
        (
            middle_row + self.shift.0 + self.row.0 * down + self.row.1 * right,
            middle_column + self.shift.1 + self.column.0 * down + self.column.1 * right,
        )
    }

    /// The same, bit for bit, for a move that turns and slants nothing: which row a pixel comes from
    /// depends on its row alone, and which column on its column, so each row of the original is
    /// interpolated once.
    fn apply_upright(&self, image: &[u8], (rows, columns): (usize, usize), to: &mut Vec<u8>) {
        let between: Vec<(i32, f32)> = (0..columns)
            .map(|column| split(self.origin((rows, columns), (0, column)).1))
            .collect();
        // A row of zeros above and below, and a column of zeros on each side.
        let mut padded = vec![0.0; columns + 2];
        let mut across = vec![0.0; (rows + 2) * columns];
        let last = columns as i32 + 1;
        for (row, to) in across
            .chunks_exact_mut(columns)
            .skip(1)
            .take(rows)
            .enumerate()
        {
            for (to, &value) in padded[1..]
                .iter_mut()
                .zip(&image[row * columns..][..columns])
            {
                *to = f32::from(value);
            }
            for (to, &(left, right)) in to.iter_mut().zip(&between) {
                let at = |column: i32| padded[(column + 1).clamp(0, last) as usize];
                *to = at(left) * (1.0 - right) + at(left + 1) * right;
            }
        }
        for row in 0..rows {
            let (top, below) = split(self.origin((rows, columns), (row, 0)).0);
            let at = |row: i32| {
                let row = (row + 1).clamp(0, rows as i32 + 1) as usize;
                &across[row * columns..][..columns]
            };
            to.extend(
                (at(top).iter().zip(at(top + 1))).map(|(upper, lower)| mix(*upper, *lower, below)),
            );
        }
    }
}

/// The value between two, rounded half up: it is not negative, so cutting off is rounding down.
fn mix(upper: f32, lower: f32, below: f32) -> u8 {
    (upper * (1.0 - below) + lower * below + 0.5) as u8
}

/// The whole number below, and what is above it.
fn split(place: f32) -> (i32, f32) {
    let whole = floor(place);
    (whole, place - whole as f32)
}

fn centre(size: usize) -> f32 {
    (size as f32 - 1.0) / 2.0
}

/// The value at a place between four pixels, rounded.
fn interpolate(image: &[u8], (rows, columns): (usize, usize), row: f32, column: f32) -> u8 {
    let ((top, below), (left, right)) = (split(row), split(column));
    let pixel = |row: i32, column: i32| {
        let inside = (0..rows as i32).contains(&row) && (0..columns as i32).contains(&column);
        match inside {
            true => f32::from(image[row as usize * columns + column as usize]),
            false => 0.0,
        }
    };
    let upper = pixel(top, left) * (1.0 - right) + pixel(top, left + 1) * right;
    let lower = pixel(top + 1, left) * (1.0 - right) + pixel(top + 1, left + 1) * right;
    mix(upper, lower, below)
}

/// `f32::floor` is a call into a library on processors that are not known to have it.
fn floor(value: f32) -> i32 {
    let cut = value as i32;
    cut - i32::from(value < cut as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::EventCode;
    use rand::SeedableRng;

    const PLANE: (usize, usize) = (3, 3);
    const IMAGE: [u8; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];

    fn moved(augment: Augment, draws: usize) -> Vec<Vec<u8>> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut pixels = Vec::new();
        (0..draws)
            .map(|_| {
                pixels.clear();
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
    fn a_share_of_the_images_is_mirrored() {
        let mirror = Augment {
            mirror: 0.25,
            ..Augment::NONE
        };
        let images = moved(mirror, 1000);
        let mirrored = [30, 20, 10, 60, 50, 40, 90, 80, 70];
        let count = |image: &[u8]| images.iter().filter(|other| other[..] == *image).count();
        assert_eq!(count(&mirrored) + count(&IMAGE), 1000);
        assert!((200..300).contains(&count(&mirrored)));
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
    fn events_move_by_rows_of_channels_and_columns_of_time() {
        let grid = EventCode::SHD.grid();
        let moved = |warp: Warp, events: &[(u16, u16)]| -> Vec<(u16, u16)> {
            let (times, units): (Vec<u16>, Vec<u16>) = events.iter().copied().unzip();
            let mut to = (vec![7], vec![7]);
            warp.apply_to_events((&times, &units), grid, &mut to);
            to.0.into_iter().zip(to.1).collect()
        };
        let stay = Warp {
            row: (1.0, 0.0),
            column: (0.0, 1.0),
            shift: (0.0, 0.0),
        };
        let events = [(0, 0), (49, 9), (50, 10), (999, 699), (1300, 350)];
        assert_eq!(moved(stay, &events), events);
        // An image that takes each pixel from two rows down has moved two rows up: 20 channels.
        let up = Warp {
            shift: (2.0, -1.0),
            ..stay
        };
        assert_eq!(
            moved(up, &[(0, 19), (0, 20), (70, 300)]),
            [(50, 0), (120, 280)]
        );
        // Twice as far from the middle, which is between 499 and 500 ms and channels 349 and 350.
        let twice = Warp {
            row: (0.5, 0.0),
            column: (0.0, 0.5),
            shift: (0.0, 0.0),
        };
        let far = moved(twice, &[(500, 350), (510, 350), (500, 340), (0, 350)]);
        assert_eq!(far, [(501, 351), (521, 351), (501, 331)]);
        // A move and the one that undoes it.
        let turn = Warp {
            row: (0.8, -0.6),
            column: (0.6, 0.8),
            shift: (0.0, 0.0),
        };
        let back = Warp {
            row: (0.8, 0.6),
            column: (-0.6, 0.8),
            shift: (0.0, 0.0),
        };
        for (time, unit) in moved(back, &moved(turn, &[(500, 400), (610, 300)])) {
            let close = [(500, 400), (610, 300)].iter().any(|&(t, u): &(i32, i32)| {
                (t - i32::from(time)).abs() <= 5 && (u - i32::from(unit)).abs() <= 1
            });
            assert!(close, "{time} {unit}");
        }
    }

    #[test]
    fn an_upright_move_is_the_general_one_bit_for_bit() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let plane = (9, 7);
        let image: Vec<u8> = (0..63).map(|_| rng.random()).collect();
        let augment = Augment {
            shift: 8.0,
            zoom: 0.5,
            ..Augment::NONE
        };
        for _ in 0..500 {
            let warp = augment.draw(&mut rng);
            let pixels = (0..9).flat_map(|row| (0..7).map(move |column| (row, column)));
            let one_by_one: Vec<u8> = pixels
                .map(|pixel| {
                    let (row, column) = warp.origin(plane, pixel);
                    interpolate(&image, plane, row, column)
                })
                .collect();
            let mut at_once = Vec::new();
            warp.apply(&image, plane, &mut at_once);
            assert_eq!(at_once, one_by_one, "{warp:?}");
        }
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
            Augment {
                mirror: 0.5,
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
