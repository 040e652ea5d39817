//! Training images moved a little, at random, so that the network learns shapes and not pixels.

use super::kernels::for_each_cpu;
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
    pub fn apply(&self, image: &[u8], plane: (usize, usize), to: &mut Vec<u8>) {
        apply(self, image, plane, to);
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
}

/// So many pixels of a row are moved at a time.
const SPAN: usize = 16;

for_each_cpu! {
    /// See [`Warp::apply`].
    fn apply(warp: &Warp, image: &[u8], plane: (usize, usize), to: &mut Vec<u8>) {
        let (rows, columns) = plane;
        let (end_row, end_column) = (rows as f32, columns as f32);
        let (middle_row, middle_column) = (centre(rows), centre(columns));
        let corners = corners(image, plane);
        let width = columns as i32 + CORNERS_MORE as i32;
        for row in 0..rows {
            let down = row as f32 - middle_row;
            let from_row = middle_row + warp.shift.0 + warp.row.0 * down;
            let from_column = middle_column + warp.shift.1 + warp.column.0 * down;
            for start in (0..columns).step_by(SPAN) {
                let mut places = [0; SPAN];
                let (mut below, mut right) = ([0.0; SPAN], [0.0; SPAN]);
                for lane in 0..SPAN {
                    let across = (start + lane) as f32 - middle_column;
                    let row = within(from_row + warp.row.1 * across, end_row);
                    let column = within(from_column + warp.column.1 * across, end_column);
                    let ((top, under), (left, beside)) = (split(row), split(column));
                    places[lane] = (top + 2) * width + left + 2;
                    (below[lane], right[lane]) = (under, beside);
                }
                let mut around = [0; SPAN];
                for lane in 0..SPAN {
                    around[lane] = corners[places[lane] as usize];
                }
                let mut pixels = [0; SPAN];
                for lane in 0..SPAN {
                    let at = |corner: u32| ((around[lane] >> (8 * corner)) & 0xff) as i32 as f32;
                    let right = right[lane];
                    let upper = at(0) * (1.0 - right) + at(1) * right;
                    let lower = at(2) * (1.0 - right) + at(3) * right;
                    pixels[lane] = mix(upper, lower, below[lane]);
                }
                to.extend_from_slice(&pixels[..SPAN.min(columns - start)]);
            }
        }
    }
}

/// A place can be up to two pixels before the first row or column, and one after the last, before it
/// makes no difference how far outside it is.
const CORNERS_MORE: usize = 3;

/// For each place of whole numbers, from two rows and columns before the first on, the pixels there, to
/// its right, below it and to the right of that, each a byte. One look-up finds what lies around a place
/// between them.
#[inline(always)]
fn corners(image: &[u8], (rows, columns): (usize, usize)) -> Vec<u32> {
    let (width, wider) = (columns + CORNERS_MORE, columns + CORNERS_MORE + 1);
    let mut framed = vec![0u8; (rows + CORNERS_MORE + 1) * wider];
    let inside = framed.chunks_exact_mut(wider).skip(2);
    for (to, from) in inside.zip(image.chunks_exact(columns)) {
        to[2..2 + columns].copy_from_slice(from);
    }
    let mut corners = vec![0; (rows + CORNERS_MORE) * width];
    for (row, to) in corners.chunks_exact_mut(width).enumerate() {
        let (upper, lower) = framed[row * wider..][..2 * wider].split_at(wider);
        for (column, to) in to.iter_mut().enumerate() {
            let two = |row: &[u8]| u32::from(row[column]) | u32::from(row[column + 1]) << 8;
            *to = two(upper) | two(lower) << 16;
        }
    }
    corners
}

/// A place as far outside as makes a difference.
#[inline(always)]
fn within(place: f32, end: f32) -> f32 {
    // Not `clamp`, whose way with numbers that are none costs more than all this.
    let place = if place > -2.0 { place } else { -2.0 };
    if place < end {
        place
    } else {
        end
    }
}

/// The value between two, rounded half up.
#[inline(always)]
fn mix(upper: f32, lower: f32, below: f32) -> u8 {
    split(upper * (1.0 - below) + lower * below + 0.5).0 as u8
}

/// The whole number below a place, and what is above it, for places of less than 2²² either way.
///
/// Added to 1.5·2²³ a place is rounded to a whole number, which then stands in the lower bits: unlike
/// `as i32`, many lanes can do that at a time.
#[inline(always)]
fn split(place: f32) -> (i32, f32) {
    const WHOLE: f32 = 1.5 * 8_388_608.0;
    let rounded = place + WHOLE;
    let nearest = rounded - WHOLE;
    let is_above = nearest > place;
    let cut = rounded.to_bits() as i32 - WHOLE.to_bits() as i32 - i32::from(is_above);
    (cut, place - if is_above { nearest - 1.0 } else { nearest })
}

fn centre(size: usize) -> f32 {
    (size as f32 - 1.0) / 2.0
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

    /// The pixels of the moved image one by one, with nothing clever.
    fn slow(warp: &Warp, image: &[u8], (rows, columns): (usize, usize)) -> Vec<u8> {
        let (middle_row, middle_column) = (centre(rows), centre(columns));
        let pixel = |row: i32, column: i32| {
            let inside = (0..rows as i32).contains(&row) && (0..columns as i32).contains(&column);
            match inside {
                true => f32::from(image[row as usize * columns + column as usize]),
                false => 0.0,
            }
        };
        let pixels = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        pixels
            .map(|(row, column)| {
                let (down, across) = (row as f32 - middle_row, column as f32 - middle_column);
                let row = middle_row + warp.shift.0 + warp.row.0 * down + warp.row.1 * across;
                let column =
                    middle_column + warp.shift.1 + warp.column.0 * down + warp.column.1 * across;
                let (top, left) = (row.floor(), column.floor());
                let (below, right) = (row - top, column - left);
                let (top, left) = (top as i32, left as i32);
                let between = |row| pixel(row, left) * (1.0 - right) + pixel(row, left + 1) * right;
                (between(top) * (1.0 - below) + between(top + 1) * below + 0.5) as u8
            })
            .collect()
    }

    #[test]
    fn many_pixels_at_a_time_are_what_one_by_one_would_be_bit_for_bit() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let upright = Augment {
            shift: 8.0,
            zoom: 0.5,
            ..Augment::NONE
        };
        let any = Augment {
            rotate: 180.0,
            shear: 1.0,
            mirror: 0.5,
            ..upright
        };
        // Narrower than what is moved at a time, as wide, and wider.
        for plane in [(9, 7), (5, 16), (3, 37), (28, 28), (1, 1)] {
            let image: Vec<u8> = (0..plane.0 * plane.1).map(|_| rng.random()).collect();
            for augment in [upright, any] {
                for _ in 0..200 {
                    let warp = augment.draw(&mut rng);
                    let mut moved = Vec::new();
                    warp.apply(&image, plane, &mut moved);
                    assert_eq!(moved, slow(&warp, &image, plane), "{plane:?} {warp:?}");
                }
            }
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
