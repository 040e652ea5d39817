//! Which class is taken for which.

use crate::report::confusion::Pair;
use crate::report::html::section;
use crate::report::names::Names;
use crate::report::page::Subject;
use crate::report::pictures::confusion;
use crate::report::svg::escape;
use crate::report::text::counted;

/// How many pairs of classes are listed.
const PAIRS: usize = 5;

pub fn write(subject: &Subject) -> String {
    let found = &subject.report.statistics.confusion;
    let names = Names(subject.data);
    let how = "A row is a true class, a column an answer; a number counts test images. The blue diagonal is \
               right, everything orange is a mistake, and the stronger the more of its row. \
               <em>Recall</em> is the share of a class that is answered right.";
    let pairs = found.pairs(PAIRS);
    let list = match pairs.is_empty() {
        true => "<p>No image was taken for another class.</p>\n".to_owned(),
        false => {
            let items: Vec<String> = pairs.iter().map(|pair| item(pair, &names)).collect();
            format!("<ol>\n{}</ol>\n", items.concat())
        }
    };
    let body = format!(
        "{}<h3>Most often taken for each other</h3>\n{list}",
        confusion::draw(found, &names)
    );
    section("What is taken for what", how, &body)
}

fn item(pair: &Pair, names: &Names) -> String {
    let Pair {
        label,
        answer,
        images,
        reverse,
    } = *pair;
    let [label, answer] = [label, answer].map(|class| escape(&names.full(class)));
    format!(
        "<li>{label} and {answer}: {} ({images} of class {label} taken for {answer}, {reverse} the other \
         way round)</li>\n",
        counted(images + reverse, "image")
    )
}
