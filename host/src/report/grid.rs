//! How the inputs of a network lie in a picture.

use crate::dataset::planes;

/// Rows and columns for inputs in order, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub rows: usize,
    pub columns: usize,
    /// Whether that is the shape of an image, and not only a way to get them all onto the page.
    pub is_image: bool,
}

/// A plane this many times longer than it is wide is no longer a picture.
const LONGEST: usize = 8;

impl Grid {
    /// The grid of an input shape: that of the shape where it is a plane, or planes one below the other, else
    /// about a square.
    pub fn of(shape: &[usize]) -> Self {
        if let Some((planes, rows, columns)) = planes(shape) {
            let rows = planes * rows;
            if rows.max(columns) <= LONGEST * rows.min(columns) {
                return Grid {
                    rows,
                    columns,
                    is_image: true,
                };
            }
        }
        let inputs: usize = shape.iter().product();
        let columns = (1..=inputs).find(|c| c * c >= inputs).unwrap_or(1);
        Grid {
            rows: inputs.div_ceil(columns),
            columns,
            is_image: false,
        }
    }

    /// The place of a run of `length` inputs that begins with `input` and ends in its row, where a cell is
    /// `cell` wide and high: x, y, width, height.
    pub fn place(&self, input: usize, length: usize, cell: f64) -> [f64; 4] {
        let (row, column) = (input / self.columns, input % self.columns);
        [
            column as f64 * cell,
            row as f64 * cell,
            length as f64 * cell,
            cell,
        ]
    }

    /// The places of all inputs among the first `inputs` that are `chosen`; neighbours in a row are one.
    pub fn places(
        &self,
        inputs: usize,
        cell: f64,
        chosen: impl Fn(usize) -> bool,
    ) -> Vec<[f64; 4]> {
        let mut places = Vec::new();
        for row in 0..self.rows {
            let end = inputs.min((row + 1) * self.columns);
            let mut input = row * self.columns;
            while input < end {
                let length = (input..end).take_while(|&input| chosen(input)).count();
                if length > 0 {
                    places.push(self.place(input, length, cell));
                }
                input += length + 1;
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_keep_their_shape_and_everything_else_gets_room() {
        let grid = |rows, columns, is_image| Grid {
            rows,
            columns,
            is_image,
        };
        assert_eq!(Grid::of(&[28, 20]), grid(28, 20, true));
        assert_eq!(Grid::of(&[1, 700]), grid(26, 27, false));
        assert_eq!(Grid::of(&[3, 4, 5]), grid(12, 5, true));
        assert_eq!(Grid::of(&[4, 4, 3]), grid(7, 7, false));
        assert_eq!(Grid::of(&[1]), grid(1, 1, false));
        assert_eq!(Grid::of(&[5]), grid(2, 3, false));
    }

    #[test]
    fn neighbours_of_a_row_are_one_place_and_rows_are_not_joined() {
        let grid = Grid::of(&[2, 4]);
        let chosen = [false, true, true, true, true, false, false, true];
        let places = grid.places(8, 2.0, |input| chosen[input]);
        let expected = [
            [2.0, 0.0, 6.0, 2.0],
            [0.0, 2.0, 2.0, 2.0],
            [6.0, 2.0, 2.0, 2.0],
        ];
        assert_eq!(places, expected);
        assert_eq!(Grid::of(&[5]).places(5, 1.0, |_| true).len(), 2);
    }
}
