//! The page itself: what stands where.

use super::pictures::DrawError;
use super::svg::escape;
use super::{palette, sections, Report};
use crate::dataset::Dataset;
use crate::model_file::ModelFile;

const STYLE: &str = include_str!("style.css");

/// The page ends here; this is where to go on.
const ONWARD: &str = r#"<p class="note">What this takes on a board: <code>firstspike eval MODEL --on model</code>
counts the clock cycles, <code>firstspike explore --model MODEL</code> compares cores.</p>
"#;

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
<title>{title}: firstspike report</title>
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
