//! The sections of the page, one a file: the words around the pictures, and how to read them.

pub mod confusion;
pub mod decisions;
pub mod example;
pub mod figures;
pub mod introduction;
pub mod spike_times;
pub mod training;
pub mod weights;
