//! Many training runs from one file: each row of it with each of its seeds, trained, measured once on the
//! test images, and put into a table.
//!
//! [`Spec`] reads the file, [`Plan`] makes the tasks of it, an engine ([`local`], [`hq`]) runs those whose
//! result is not there yet, each task writes its [`Record`], and [`table`] makes the tables of the records.
//! Everything is in files, so a sweep that was stopped or killed goes on where it was.

mod clock;
mod engine;
pub mod hq;
pub mod local;
mod plan;
mod record;
mod spec;
pub mod table;
mod task;

pub use engine::{EngineError, Update};
pub use plan::{Filter, Plan};
pub use record::{Record, TestFigures, TrainingFigures, RECORD};
pub use spec::{Problem, Row, Spec, SpecError};
pub use task::{Begun, Progress, Task, TaskError};
