//! How images are held out: always the last ones of each class, in the order of the file.
//!
//! Files are often ordered by who wrote or recorded what, so the last images are the most
//! different from the rest, and no seed is needed to name them.

/// The indices of the images that stay and of those held out.
///
/// Of each class with n images, the last ⌊n·share⌋ are held out. Both lists are in order.
pub fn hold_out_last(labels: &[u8], share: f64) -> (Vec<usize>, Vec<usize>) {
    let mut counts = [0usize; 256];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    // Counting down, an image is held out when no more than its class's share is left.
    let quota = counts.map(|count| (count as f64 * share) as usize);
    let mut left = counts;
    let (mut stay, mut held_out) = (Vec::new(), Vec::new());
    for (index, &label) in labels.iter().enumerate() {
        let class = usize::from(label);
        if left[class] <= quota[class] {
            held_out.push(index);
        } else {
            stay.push(index);
        }
        left[class] -= 1;
    }
    (stay, held_out)
}
