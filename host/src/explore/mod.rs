//! Which core for which network on which board: every choice of lanes and banks, judged.
//!
//! - [`candidates`] makes a core for each choice, with the smallest memories that hold the network.
//! - [`memories`] counts block RAMs, SPRAMs and LUT memories exactly.
//! - [`room`] says whether a shape has room on a board, and which ones near it have.
//! - [`cost`] estimates LUTs, flip-flops, logic cells and the clock, from coefficients that [`fit`]
//!   makes of the synthesis runs in `host/data/cost/runs.csv` ([`runs`]), which [`plan`] lists.
//! - [`cycles`] runs the cycle model on images of a data set, or on those that a stated profile of
//!   activity stands for ([`activity`]).
//! - [`survey`] puts it together and marks the efficient choices and the best, [`picture`] draws them.
//! - [`measure`] synthesises, places and routes some of them for real.

pub mod activity;
pub mod candidates;
pub mod cost;
pub mod cycles;
pub mod fit;
pub mod measure;
pub mod memories;
pub mod picture;
pub mod plan;
pub mod room;
pub mod runs;
pub mod survey;
