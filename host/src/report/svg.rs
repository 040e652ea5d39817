//! Pictures written by hand, for what plotters has no chart for; and text that is safe to put in a page.

use super::palette::Colour;
use std::fmt::Write;

/// How wide a picture is, in its own units: narrow, so that its text can be read on a phone.
pub const WIDTH: u32 = 420;

/// The size of text in pictures, in their units.
pub const TEXT: f64 = 13.0;

/// `text` for a page: what has a meaning in HTML is written so that it has none.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture in the making.
#[derive(Debug, Clone)]
pub struct Picture {
    width: f64,
    height: f64,
    body: String,
}

impl Picture {
    /// An empty one.
    pub fn new(width: f64, height: f64) -> Self {
        Picture {
            width,
            height,
            body: String::new(),
        }
    }

    fn push(&mut self, element: std::fmt::Arguments) {
        self.body
            .write_fmt(element)
            .expect("a string takes everything");
        self.body.push('\n');
    }

    /// A filled rectangle; `opacity` from 0 to 1.
    pub fn rectangle(&mut self, place: [f64; 4], fill: Colour, opacity: f64) {
        let [x, y, width, height] = place.map(short);
        let opacity = match opacity {
            1.0 => String::new(),
            opacity => format!(" fill-opacity=\"{}\"", short(opacity)),
        };
        let fill = fill.hex();
        self.push(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{opacity}/>"
        ));
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Colour, width: f64) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(short);
        let (stroke, width) = (stroke.hex(), short(width));
        self.push(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>"
        ));
    }

    /// One line of text, `size` high, whose middle is at the height of `at`.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, size: f64, fill: Colour, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        // The middle of digits and capitals is about a third of the size above their foot.
        let (x, y) = (short(at.0), short(at.1 + 0.35 * size));
        let (size, fill, text) = (short(size), fill.hex(), escape(text));
        self.push(format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-family=\"sans-serif\" font-size=\"{size}\" fill=\"{fill}\">{text}</text>"
        ));
    }

    /// Many rectangles of one colour as one element, which is several times shorter.
    pub fn rectangles(
        &mut self,
        places: impl IntoIterator<Item = [f64; 4]>,
        fill: Colour,
        opacity: f64,
    ) {
        let mut path = String::new();
        for place in places {
            let [x, y, width, height] = place.map(short);
            write!(path, "M{x} {y}h{width}v{height}h-{width}z").expect("a string takes everything");
        }
        if path.is_empty() {
            return;
        }
        let opacity = match opacity {
            1.0 => String::new(),
            opacity => format!(" fill-opacity=\"{}\"", short(opacity)),
        };
        let fill = fill.hex();
        self.push(format_args!(
            "<path d=\"{path}\" fill=\"{fill}\"{opacity}/>"
        ));
    }

    /// The picture as an element of a page. `label` says what it shows to who cannot see it.
    pub fn finish(self, label: &str) -> String {
        element(self.width, self.height, label, &self.body)
    }
}

/// An SVG element of a page around `body`.
pub fn element(width: f64, height: f64, label: &str, body: &str) -> String {
    let (width, height, label) = (short(width), short(height), escape(label));
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\n{body}</svg>\n"
    )
}

/// A number with two decimals at most.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::palette::INK;
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let texts = [0.0, -0.001, 1.0, 10.0, 2.5, 1.0 / 3.0].map(short);
        assert_eq!(texts, ["0", "0", "1", "10", "2.5", "0.33"]);
    }

    #[test]
    fn nothing_that_has_a_meaning_in_a_page_is_left() {
        assert_eq!(
            escape("<b a=\"1\" b='2'>&amp;\u{0}é"),
            "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;\u{fffd}é"
        );
        let mut picture = Picture::new(10.0, 10.0);
        picture.text((0.0, 0.0), Anchor::Start, TEXT, INK, "</text>");
        let svg = picture.finish("\"onload=\"");
        assert_eq!(svg.matches("</text>").count(), 1);
        assert!(svg.contains("aria-label=\"&quot;onload=&quot;\""), "{svg}");
    }
}
