//! The page itself: what stands where.

use super::pictures::DrawError;
use super::svg::escape;
use super::{palette, sections, Report};
use crate::dataset::Dataset;
use crate::files::{contains, Kind};
use crate::model_file::ModelFile;

const STYLE: &str = include_str!("style.css");

/// The page ends here; this is where to go on.
const ONWARD: &str = r#"<p class="note">What this takes on a board: <code>firstspike eval MODEL --on model</code>
counts the clock cycles, <code>firstspike explore --model MODEL</code> compares cores.</p>
"#;

/// What follows the model's name in the title.
const TITLE_END: &str = ": firstspike report</title>";

/// Pages among other files.
pub const PAGE: Kind = Kind {
    name: "a report",
    suffix: "html",
    is_one: |bytes| contains(bytes, TITLE_END),
};

/// Whether `page` is about a model that is called `name`.
pub fn is_about(page: &str, name: &str) -> bool {
    page.contains(&format!("<title>{}{TITLE_END}", escape(name)))
}

/// What the sections tell of.
pub struct Subject<'a> {
    /// What the model is called.
    pub name: &'a str,
    pub model: &'a ModelFile,
    pub data: &'a Dataset,
    pub report: &'a Report,
}

/// The page about `model`, which is called `name`; `report` is what [`super::collect`] found on `data`.
///
/// It is also well-formed XML, so that tools can take it apart.
pub fn to_html(
    name: &str,
    model: &ModelFile,
    data: &Dataset,
    report: &Report,
) -> Result<String, DrawError> {
    let subject = Subject {
        name,
        model,
        data,
        report,
    };
    let body = [
        sections::introduction::write(&subject),
        sections::figures::write(&subject),
        sections::training::write(&subject)?,
        sections::example::write(&subject)?,
        sections::spike_times::write(&subject)?,
        sections::decisions::write(&subject)?,
        sections::weights::write(&subject),
        sections::confusion::write(&subject),
    ];
    let (title, colours, body) = (escape(name), palette::css(), body.concat());
    Ok(format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{title}{TITLE_END}
<style>
{STYLE}{colours}</style>
</head>
<body>
<main>
{body}{ONWARD}</main>
</body>
</html>
"#
    ))
}
