//! The sizes of a network's layers, as they are typed.

/// Inputs first, classes last.
#[derive(Debug, Clone)]
pub struct Sizes(pub Vec<usize>);

/// Sizes with commas between them, or as the other commands print them: with hyphens.
pub fn sizes(text: &str) -> Result<Sizes, String> {
    let size = |part: &str| part.trim().parse().ok();
    (text.split([',', '-']).map(size).collect::<Option<_>>())
        .map(Sizes)
        .ok_or_else(|| "give the sizes of the layers with commas, as 784,600,10".to_owned())
}
