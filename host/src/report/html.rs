//! What the sections of the page are made of.

use super::grid::Grid;
use super::palette::Colour;
use super::svg::escape;
use std::fmt::Write;

/// A section: its title, how to read it, and what it shows. All are HTML already.
pub fn section(title: &str, how_to_read: &str, body: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n<p>{how_to_read}</p>\n{body}</section>\n")
}

/// A part of a section.
pub fn part(title: &str, how_to_read: &str, body: &str) -> String {
    format!("<h3>{title}</h3>\n<p>{how_to_read}</p>\n{body}")
}

/// A picture with a caption.
pub fn figure(svg: &str, caption: &str) -> String {
    format!("<figure>\n{svg}<figcaption>{caption}</figcaption>\n</figure>\n")
}

/// What the colours of the next picture stand for.
pub fn legend(entries: &[(Colour, &str)]) -> String {
    let entries: Vec<String> = (entries.iter())
        .map(|(colour, text)| format!("<span><i class=\"{}\"></i>{text}</span>", colour.name()))
        .collect();
    format!("<p class=\"key\">{}</p>\n", entries.join(" "))
}

/// A table of what there is and how much of it; both are plain text.
pub fn facts(rows: &[(&str, String)]) -> String {
    let mut html = String::from("<table class=\"facts\">\n");
    for (what, value) in rows {
        let (what, value) = (escape(what), escape(value));
        writeln!(
            html,
            "<tr><th scope=\"row\">{what}</th><td>{value}</td></tr>"
        )
        .expect("a string takes everything");
    }
    html.push_str("</table>\n");
    html
}

/// Says so where inputs are not drawn in the shape of an image.
pub fn layout_note(grid: Grid) -> &'static str {
    match grid.is_image {
        true => "",
        false => {
            "<p class=\"note\">The inputs are not an image. They are drawn in their order, row by \
             row, so what lies above and below means nothing.</p>\n"
        }
    }
}
