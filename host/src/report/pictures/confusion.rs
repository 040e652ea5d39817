//! Which class was taken for which, as a coloured table.

use crate::report::confusion::Confusion;
use crate::report::names::Names;
use crate::report::palette::{GRID, INK, RIGHT, WRONG};
use crate::report::svg::{Anchor, Picture, TEXT, WIDTH};

/// Room for the names of rows, at least.
const LEFT: f64 = 44.0;
/// A character of a name, and the most of them in a row's name.
const CHARACTER: f64 = 7.5;
const LONGEST_NAME: usize = 20;
const ABOVE: f64 = 44.0;
/// Room for the column of recalls.
const RECALL: f64 = 62.0;

/// Cells narrower than this have no room for a count.
const NARROWEST: f64 = 24.0;

/// No cell is fuller than this, so that the count in it can be read.
const FULLEST: f64 = 0.55;

/// A row a true class, a column an answer; counts where there is room, and the recall of each row. Blue on the
/// diagonal, orange beside it, and the fuller the greater the share of the row.
pub fn draw(confusion: &Confusion, names: &Names) -> String {
    let classes = confusion.classes();
    let longest = (0..classes).map(|class| names.numbered(LONGEST_NAME, class).chars().count());
    let longest = longest.max().unwrap_or(0);
    let left = LEFT.max(12.0 + CHARACTER * longest as f64);
    let cell = ((f64::from(WIDTH) - left - RECALL) / classes as f64).min(60.0);
    let side = cell * classes as f64;
    let mut picture = Picture::new(f64::from(WIDTH), ABOVE + side + 8.0);
    write_names(&mut picture, confusion, names, left, cell);
    cells(&mut picture, confusion, left, cell);
    // Lines between cells that are wide enough for them, and always a frame.
    for line in (0..=classes).step_by(if cell >= 6.0 { 1 } else { classes }) {
        let at = line as f64 * cell;
        let (x, y) = (left + at, ABOVE + at);
        picture.line((x, ABOVE), (x, ABOVE + side), GRID, 1.0);
        picture.line((left, y), (left + side, y), GRID, 1.0);
    }
    picture.finish("Confusion matrix: rows are true classes, columns are answers")
}

/// The classes, and the recall of each, as far as there is room for text.
fn write_names(picture: &mut Picture, confusion: &Confusion, names: &Names, left: f64, cell: f64) {
    let classes = confusion.classes();
    let side = cell * classes as f64;
    let middle = |class: usize| (class as f64 + 0.5) * cell;
    let recall_end = left + side + RECALL - 4.0;
    let mut name = |at, anchor, text: &str| picture.text(at, anchor, TEXT, INK, text);
    name((0.0, 10.0), Anchor::Start, "true");
    name((left + side / 2.0, 10.0), Anchor::Middle, "answer");
    name((recall_end, 10.0), Anchor::End, "recall");
    for class in (0..classes).step_by((26.0 / cell).ceil() as usize) {
        let at = (left + middle(class), ABOVE - 11.0);
        let room = (cell / CHARACTER) as usize;
        name(at, Anchor::Middle, &names.within(room, class));
    }
    for class in (0..classes).step_by((14.0 / cell).ceil() as usize) {
        let y = ABOVE + middle(class);
        let label = names.numbered(LONGEST_NAME, class);
        name((left - 8.0, y), Anchor::End, &label);
        let recall = match confusion.recall(class) {
            Some(recall) => format!("{:.1} %", 100.0 * recall),
            None => "none".to_owned(),
        };
        name((recall_end, y), Anchor::End, &recall);
    }
}

fn cells(picture: &mut Picture, confusion: &Confusion, left: f64, cell: f64) {
    let all = (0..confusion.classes()).flat_map(|label| {
        let answers = 0..confusion.classes();
        answers.map(move |answer| (label, answer))
    });
    let filled: Vec<_> = all
        .filter(|&(label, answer)| confusion.count(label, answer) > 0)
        .collect();
    let share =
        |label, answer| confusion.count(label, answer) as f64 / confusion.images(label) as f64;
    let mistakes = filled.iter().filter(|(label, answer)| label != answer);
    let shares = mistakes.map(|&(label, answer)| share(label, answer));
    let worst = shares.fold(0.0, f64::max);
    for (label, answer) in filled {
        let (x, y) = (left + answer as f64 * cell, ABOVE + label as f64 * cell);
        let (colour, strength) = match label == answer {
            true => (RIGHT, share(label, answer)),
            // Mistakes are few and each should be seen: the root, and the worst one for a measure.
            false => (WRONG, (share(label, answer) / worst).sqrt()),
        };
        picture.rectangle([x, y, cell, cell], colour, FULLEST * strength);
        if cell >= NARROWEST {
            let at = (x + cell / 2.0, y + cell / 2.0);
            let count = confusion.count(label, answer).to_string();
            picture.text(at, Anchor::Middle, 12.0, INK, &count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;

    #[test]
    fn counts_and_recall_are_written_where_there_is_room() {
        let mut confusion = Confusion::new(3);
        for (label, answer) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
            confusion.add(label, answer);
        }
        let mut data = dataset::load("digits").unwrap();
        data.classes = 3;
        data.class_names = Some(
            ["ant", "bee", "a long <name>, too long"]
                .map(str::to_owned)
                .to_vec(),
        );
        let svg = draw(&confusion, &Names(&data));
        for text in [">0 ant<", ">1 bee<", ">2 a long &lt;name&gt;, to…<", ">2<"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        for text in [">2<", ">1<", ">66.7 %<", ">100.0 %<", ">none<"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        let mut many = Confusion::new(200);
        (0..200).for_each(|class| many.add(class, 199 - class));
        data.classes = 200;
        data.class_names = None;
        let svg = draw(&many, &Names(&data));
        assert_eq!(svg.matches("<rect").count(), 200);
        assert!(svg.matches("<text").count() < 200, "{svg}");
    }
}
