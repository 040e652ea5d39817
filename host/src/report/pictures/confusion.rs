//! Which class was taken for which, as a coloured table.

use crate::report::confusion::Confusion;
use crate::report::palette::{GRID, INK, MUTED, RIGHT, WRONG};
use crate::report::svg::{Anchor, Picture, TEXT, WIDTH};

const LEFT: f64 = 44.0;
const ABOVE: f64 = 44.0;
/// Room for the column of recalls.
const RECALL: f64 = 62.0;

/// Cells narrower than this have no room for a count.
const NARROWEST: f64 = 24.0;

/// No cell is fuller than this, so that the count in it can be read.
const FULLEST: f64 = 0.55;

/// A row a true class, a column an answer; counts where there is room, and the recall of each row. Blue on the
/// diagonal, orange beside it, and the fuller the greater the share of the row.
pub fn draw(confusion: &Confusion) -> String {
    let classes = confusion.classes();
    let cell = ((f64::from(WIDTH) - LEFT - RECALL) / classes as f64).min(60.0);
    let side = cell * classes as f64;
    let mut picture = Picture::new(f64::from(WIDTH), ABOVE + side + 8.0);
    let middle = |index: usize| (index as f64 + 0.5) * cell;
    picture.text(
        (LEFT + side / 2.0, 10.0),
        Anchor::Middle,
        TEXT,
        INK,
        "answer",
    );
    picture.text((0.0, 10.0), Anchor::Start, TEXT, INK, "true");
    picture.text(
        (LEFT + side + RECALL - 4.0, 10.0),
        Anchor::End,
        TEXT,
        INK,
        "recall",
    );
    // Where classes are too narrow or too low for text, only some have it.
    for class in (0..classes).step_by((26.0 / cell).ceil() as usize) {
        let at = (LEFT + middle(class), ABOVE - 11.0);
        picture.text(at, Anchor::Middle, TEXT, INK, &class.to_string());
    }
    for class in (0..classes).step_by((14.0 / cell).ceil() as usize) {
        let at = (LEFT - 8.0, ABOVE + middle(class));
        picture.text(at, Anchor::End, TEXT, INK, &class.to_string());
        let recall = match confusion.recall(class) {
            Some(recall) => format!("{:.1} %", 100.0 * recall),
            None => "none".to_owned(),
        };
        let at = (LEFT + side + RECALL - 4.0, ABOVE + middle(class));
        picture.text(at, Anchor::End, TEXT, MUTED, &recall);
    }
    let share = |label: usize, answer: usize| {
        confusion.count(label, answer) as f64 / confusion.images(label).max(1) as f64
    };
    let mistakes = (0..classes).flat_map(|label| {
        let others = (0..classes).filter(move |&answer| answer != label);
        others.map(move |answer| (label, answer))
    });
    let worst = mistakes.fold(0.0, |worst: f64, (label, answer)| {
        worst.max(share(label, answer))
    });
    for label in 0..classes {
        for answer in 0..classes {
            let count = confusion.count(label, answer);
            if count == 0 {
                continue;
            }
            let (x, y) = (LEFT + answer as f64 * cell, ABOVE + label as f64 * cell);
            let (colour, strength) = match label == answer {
                true => (RIGHT, share(label, answer)),
                // Mistakes are few and each should be seen: the root, and the worst one for a measure.
                false => (WRONG, (share(label, answer) / worst).sqrt()),
            };
            picture.rectangle([x, y, cell, cell], colour, FULLEST * strength);
            if cell >= NARROWEST {
                let at = (x + cell / 2.0, y + cell / 2.0);
                picture.text(at, Anchor::Middle, 12.0, INK, &count.to_string());
            }
        }
    }
    // Lines between cells that are wide enough for them, and always a frame.
    for line in (0..=classes).step_by(if cell >= 6.0 { 1 } else { classes }) {
        let at = line as f64 * cell;
        let (left, top) = (LEFT + at, ABOVE + at);
        picture.line((left, ABOVE), (left, ABOVE + side), GRID, 1.0);
        picture.line((LEFT, top), (LEFT + side, top), GRID, 1.0);
    }
    picture.finish("Confusion matrix: rows are true classes, columns are answers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_recall_are_written_where_there_is_room() {
        let mut confusion = Confusion::new(3);
        for (label, answer) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
            confusion.add(label, answer);
        }
        let svg = draw(&confusion);
        for text in [">2<", ">1<", ">66.7 %<", ">100.0 %<", ">none<"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        let mut many = Confusion::new(200);
        (0..200).for_each(|class| many.add(class, 199 - class));
        let svg = draw(&many);
        assert_eq!(svg.matches("<rect").count(), 200);
        assert!(svg.matches("<text").count() < 200, "{svg}");
    }
}
