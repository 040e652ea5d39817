//! The files in `constraints/`, as `build.rs` collects them.

// DATA_FILES and PIN_FILES: the name and the text of each file.
include!(concat!(env!("OUT_DIR"), "/boards.rs"));

/// The name and the text of the data file of each built-in board.
pub(super) fn data_files() -> &'static [(&'static str, &'static str)] {
    &DATA_FILES
}

/// The text of a built-in pin file.
pub(super) fn pin_file(name: &str) -> Option<&'static str> {
    PIN_FILES
        .iter()
        .find(|(file, _)| *file == name)
        .map(|(_, text)| *text)
}
