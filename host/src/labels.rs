//! Where the names of marks go in a picture, so that none lies on another, on a mark, on a line or outside.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

type Point = (i32, i32);

const FONT: (&str, i32) = ("sans-serif", 12);
/// Letters are drawn wider than plotters estimates where a browser has another font.
const WIDER: f64 = 1.1;
/// The least distance, in pixels, between a name and whatever else there is.
const GAP: i32 = 2;

/// An upright rectangle of pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rectangle {
    x: Range<i32>,
    y: Range<i32>,
}

impl Rectangle {
    fn around((x, y): Point, half: i32) -> Self {
        Rectangle {
            x: x - half..x + half,
            y: y - half..y + half,
        }
    }

    fn wider(&self, by: i32) -> Self {
        Rectangle {
            x: self.x.start - by..self.x.end + by,
            y: self.y.start - by..self.y.end + by,
        }
    }

    fn overlaps(&self, other: &Rectangle) -> bool {
        let apart = |a: &Range<i32>, b: &Range<i32>| a.end <= b.start || b.end <= a.start;
        !apart(&self.x, &other.x) && !apart(&self.y, &other.y)
    }

    fn is_within(&self, other: &Rectangle) -> bool {
        let within = |a: &Range<i32>, b: &Range<i32>| b.start <= a.start && a.end <= b.end;
        within(&self.x, &other.x) && within(&self.y, &other.y)
    }

    /// Whether the straight line from `from` to `to` passes through, by the method of Liang and Barsky.
    fn is_crossed(&self, from: Point, to: Point) -> bool {
        let (mut enters, mut leaves) = (0.0f64, 1.0f64);
        for (start, end, range) in [(from.0, to.0, &self.x), (from.1, to.1, &self.y)] {
            let (start, length) = (f64::from(start), f64::from(end - start));
            let (low, high) = (f64::from(range.start), f64::from(range.end));
            if length == 0.0 {
                if start <= low || start >= high {
                    return false;
                }
                continue;
            }
            let (near, far) = ((low - start) / length, (high - start) / length);
            enters = enters.max(near.min(far));
            leaves = leaves.min(near.max(far));
        }
        enters < leaves
    }
}

/// What a picture holds already, and the names that have found a place in it.
#[derive(Debug, Clone)]
pub struct Labels {
    bounds: Rectangle,
    taken: Vec<Rectangle>,
    lines: Vec<(Point, Point)>,
    names: Vec<(Point, String, Rectangle)>,
}

impl Labels {
    /// An empty picture, or part of one: pixels `x` and `y`, within which the names stay.
    pub fn new(x: Range<i32>, y: Range<i32>) -> Self {
        Labels {
            bounds: Rectangle { x, y },
            taken: Vec::new(),
            lines: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Keeps names off a mark of `half` pixels to each side of `at`.
    pub fn keep_off_mark(&mut self, at: Point, half: i32) {
        self.taken.push(Rectangle::around(at, half));
    }

    /// Keeps names off the straight lines from each point to the next.
    pub fn keep_off_line(&mut self, points: &[Point]) {
        self.lines
            .extend(points.windows(2).map(|pair| (pair[0], pair[1])));
    }

    /// Finds a place for `name` near the mark of `half` pixels at `at`: the nearest that is free, or, where there is none,
    /// the one that hides least.
    pub fn place<DB: DrawingBackend>(
        &mut self,
        area: &DrawingArea<DB, Shift>,
        name: &str,
        at: Point,
        half: i32,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let (width, height) = area.estimate_text_size(name, &TextStyle::from(FONT))?;
        let size = ((f64::from(width) * WIDER).ceil() as i32, height as i32);
        let hides = |place: &Rectangle| {
            let wide = place.wider(GAP);
            let names = self.names.iter().filter(|(.., other)| wide.overlaps(other));
            let marks = self.taken.iter().filter(|mark| place.overlaps(mark));
            let lines = (self.lines.iter()).filter(|line| wide.is_crossed(line.0, line.1));
            let outside = usize::from(!place.is_within(&self.bounds));
            100 * (names.count() + outside) + 10 * marks.count() + lines.count()
        };
        let place = (places(at, half, size).into_iter().min_by_key(hides))
            .expect("there is a place on each side");
        self.names.push((at, name.to_owned(), place));
        Ok(())
    }

    /// Draws the names; from those that are away from their marks a thin line leads to the mark.
    pub fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let style = TextStyle::from(FONT).pos(Pos::new(HPos::Center, VPos::Center));
        for (at, name, place) in &self.names {
            let nearest = |value: i32, range: &Range<i32>| value.clamp(range.start, range.end);
            let edge = (nearest(at.0, &place.x), nearest(at.1, &place.y));
            let away = (edge.0 - at.0).abs().max((edge.1 - at.1).abs());
            if away > FAR {
                area.draw(&PathElement::new([*at, edge], BLACK.mix(0.5)))?;
            }
            let middle = |range: &Range<i32>| (range.start + range.end) / 2;
            area.draw_text(name, &style, (middle(&place.x), middle(&place.y)))?;
        }
        Ok(())
    }
}

/// Names farther from their mark than this get a line to it.
const FAR: i32 = 14;

/// The places for a name of `size` around a mark, the most wanted first.
fn places((x, y): Point, half: i32, (width, height): (i32, i32)) -> Vec<Rectangle> {
    let at = |left: i32, top: i32| Rectangle {
        x: left..left + width,
        y: top..top + height,
    };
    let ring = |distance: i32| {
        let (left, right) = (x - distance - width, x + distance);
        let (above, below) = (y - distance - height, y + distance);
        let (middle, level) = (x - width / 2, y - height / 2);
        [
            at(right, level),
            at(right, above),
            at(right, below),
            at(left, above),
            at(left, below),
            at(left, level),
            at(middle, above),
            at(middle, below),
        ]
    };
    (0..6).flat_map(|step| ring(half + 3 + 8 * step)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn rectangle(x: Range<i32>, y: Range<i32>) -> Rectangle {
        Rectangle { x, y }
    }

    #[test]
    fn a_line_crosses_what_it_passes_through_only() {
        let square = rectangle(10..20, 10..20);
        assert!(square.is_crossed((0, 0), (30, 30)));
        assert!(square.is_crossed((15, 0), (15, 12)));
        assert!(square.is_crossed((12, 12), (13, 13)));
        assert!(!square.is_crossed((15, 0), (15, 9)));
        assert!(!square.is_crossed((0, 15), (30, 50)));
        assert!(!square.is_crossed((20, 0), (20, 30)));
    }

    #[test]
    fn names_of_marks_that_lie_on_each_other_do_not() {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (300, 200)).into_drawing_area();
        let mut labels = Labels::new(0..300, 0..200);
        let marks: Vec<Point> = (0..6).map(|i| (150 + 3 * i, 100 + i)).collect();
        labels.keep_off_line(&marks);
        for &mark in &marks {
            labels.keep_off_mark(mark, 4);
        }
        for &mark in &marks {
            labels.place(&area, "64 x 1 / 4", mark, 4).unwrap();
        }
        for (index, (.., place)) in labels.names.iter().enumerate() {
            assert!(place.is_within(&labels.bounds));
            let others = labels.names[..index].iter();
            assert!(!others.map(|(.., other)| other).any(|o| place.overlaps(o)));
            assert!(!labels.taken.iter().any(|mark| place.overlaps(mark)));
        }
    }

    #[test]
    fn a_name_stays_inside() {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (300, 200)).into_drawing_area();
        let mut labels = Labels::new(10..290, 10..190);
        for corner in [(10, 10), (290, 10), (10, 190), (290, 190)] {
            labels.place(&area, "a name", corner, 4).unwrap();
        }
        let mut places = labels.names.iter().map(|(.., place)| place);
        assert!(places.all(|place| place.is_within(&labels.bounds)));
    }
}
