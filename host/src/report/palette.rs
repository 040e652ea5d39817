//! The colours of the page, for light and for dark surroundings.
//!
//! Every picture draws in the light colours, so that it is whole by itself. On the page a style sheet puts a
//! variable in the place of each, and the reader's setting chooses its value. The two that carry a meaning,
//! [`RIGHT`] and [`WRONG`], differ for every kind of colour vision.

use plotters::style::RGBColor;
use std::fmt::Write;

/// A colour and what becomes of it in the dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    name: &'static str,
    light: [u8; 3],
    dark: [u8; 3],
}

/// Text and axes.
pub const INK: Colour = Colour::new("ink", [0x1b, 0x1f, 0x24], [0xe8, 0xea, 0xed]);
/// What is there, but not the point.
pub const MUTED: Colour = Colour::new("muted", [0x6b, 0x72, 0x80], [0x9a, 0xa3, 0xae]);
/// Lines to read values by, and surfaces.
pub const GRID: Colour = Colour::new("grid", [0xd9, 0xdd, 0xe3], [0x3a, 0x41, 0x4a]);
/// What is right; weights of +1; the first of several lines.
pub const RIGHT: Colour = Colour::new("right", [0x00, 0x72, 0xb2], [0x56, 0xb4, 0xe9]);
/// What is wrong; weights of −1; the second line.
pub const WRONG: Colour = Colour::new("wrong", [0xd5, 0x5e, 0x00], [0xff, 0x9a, 0x4d]);
/// A moment: the decision, the best epoch.
pub const MOMENT: Colour = Colour::new("moment", [0x00, 0x7a, 0x5a], [0x3c, 0xcb, 0x9c]);
/// Pixels, which look the same in any surroundings.
pub const BLACK: Colour = Colour::new("black", [0; 3], [0; 3]);
pub const WHITE: Colour = Colour::new("white", [0xff; 3], [0xff; 3]);

const ALL: [Colour; 8] = [INK, MUTED, GRID, RIGHT, WRONG, MOMENT, BLACK, WHITE];

impl Colour {
    const fn new(name: &'static str, light: [u8; 3], dark: [u8; 3]) -> Self {
        Colour { name, light, dark }
    }

    /// The name of its class and of its variable in the style sheet.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// As SVG has it, and as plotters writes it: upper case.
    pub fn hex(self) -> String {
        hex(self.light)
    }

    pub fn rgb(self) -> RGBColor {
        let [red, green, blue] = self.light;
        RGBColor(red, green, blue)
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// The rules that put the variables in the place of the light colours.
pub fn css() -> String {
    let variables = |of: fn(&Colour) -> [u8; 3]| {
        let all = ALL.iter();
        let all = all.map(|colour| format!("--{}:{}", colour.name, hex(of(colour))));
        all.collect::<Vec<_>>().join(";")
    };
    let mut css = format!(
        ":root{{{}}}\n@media (prefers-color-scheme: dark){{:root{{{}}}}}\n",
        variables(|colour| colour.light),
        variables(|colour| colour.dark)
    );
    for colour in ALL {
        let (name, hex) = (colour.name, colour.hex());
        for what in ["fill", "stroke"] {
            writeln!(css, "svg [{what}=\"{hex}\"]{{{what}:var(--{name})}}")
                .expect("a string takes everything");
        }
        writeln!(css, ".key .{name}{{background:var(--{name})}}")
            .expect("a string takes everything");
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_colours_are_drawn_alike() {
        for (index, colour) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.light != colour.light));
        }
    }

    /// How much brighter the lighter of two colours is, by the rule of the accessibility guidelines.
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let luminance = |colour: [u8; 3]| {
            let parts = colour.map(|value| match f64::from(value) / 255.0 {
                value if value <= 0.04045 => value / 12.92,
                value => ((value + 0.055) / 1.055).powf(2.4),
            });
            0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn text_and_lines_stand_out_in_both_surroundings() {
        let (light, dark) = ([0xff, 0xff, 0xff], [0x14, 0x17, 0x1a]);
        for (colour, least) in [
            (INK, 7.0),
            (MUTED, 4.5),
            (RIGHT, 3.0),
            (WRONG, 3.0),
            (MOMENT, 3.0),
        ] {
            assert!(contrast(colour.light, light) >= least, "{}", colour.name);
            assert!(contrast(colour.dark, dark) >= least, "{}", colour.name);
        }
    }
}
