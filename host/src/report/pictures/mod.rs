//! The pictures of the page, one a file: each takes what was measured and gives an SVG element.

pub mod by_step;
pub mod confusion;
pub mod decisions;
pub mod image;
pub mod margins;
pub mod raster;
pub mod spike_times;
pub mod training;
pub mod weights;

use thiserror::Error;

/// A picture could not be drawn.
#[derive(Debug, Error)]
#[error("cannot draw a picture of the report ({0}): please report this")]
pub struct DrawError(pub(super) String);
