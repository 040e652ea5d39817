//! The softmax, of the network's margins and of a perceptron's logits alike.

/// From logits to probabilities. Returns the logarithm of the sum of the logits' exponentials: less a
/// class's logit, it is the cross-entropy with that class.
pub fn softmax(values: &mut [f32]) -> f32 {
    let highest = values.iter().copied().fold(f32::MIN, f32::max);
    for value in &mut *values {
        *value = libm::expf(*value - highest);
    }
    let total: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= total);
    libm::logf(total) + highest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_exponentials_and_add_up_to_one() {
        let logits = [1.0f32, -2.0, 0.5];
        let sum: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        let mut values = logits;
        let log_sum = softmax(&mut values);
        assert!((f64::from(log_sum) - sum.ln()).abs() < 1e-6);
        for (value, logit) in values.into_iter().zip(logits) {
            assert!((f64::from(value) - f64::from(logit).exp() / sum).abs() < 1e-6);
        }
        // Far from zero, too.
        let mut values = [1000.0, 1000.0];
        let log_sum = softmax(&mut values);
        assert_eq!(values, [0.5, 0.5]);
        assert!((log_sum - 1000.693).abs() < 1e-3);
    }
}
