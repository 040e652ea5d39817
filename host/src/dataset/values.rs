//! What the numbers in an array mean as brightness, decided for all parts of a data set at once.

use super::InputError;

/// The numbers of an array, as its file has them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    /// True and false, as 1 and 0.
    Bits(Vec<u8>),
    /// Whole numbers.
    Bytes(Vec<u8>),
    Floats(Vec<f64>),
}

/// An array of images, as its file has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raw {
    /// What it is called in a sentence: `x_train of own.npz`.
    pub name: String,
    /// The shape of one image.
    pub shape: Vec<usize>,
    pub values: Values,
}

/// Which number is full brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// 1.0, of numbers that may lie between.
    Unit,
    /// This whole number.
    Whole(u8),
}

/// What whole numbers go up to where they do not go up to 255: one to seven bits, the 16 of the digits, and percent.
const ROUND: [u8; 9] = [1, 3, 7, 15, 16, 31, 63, 100, 127];

/// How far a number may be from a multiple of a sixteenth, say, and still be that multiple.
const EXACT: f64 = 1e-3;

impl Raw {
    /// The greatest number, after a check that all of them can be brightnesses.
    fn most(&self) -> Result<f64, InputError> {
        let floats = match &self.values {
            Values::Bits(bytes) | Values::Bytes(bytes) => {
                return Ok(bytes.iter().copied().max().unwrap_or(0).into());
            }
            Values::Floats(floats) => floats,
        };
        // NaN is in no range, so it is refused too.
        if let Some(&value) = floats.iter().find(|value| !(0.0..=255.0).contains(*value)) {
            return Err(InputError::Value {
                array: self.name.clone(),
                value,
            });
        }
        Ok(floats.iter().copied().fold(0.0, f64::max))
    }

    fn is_whole(&self) -> bool {
        match &self.values {
            Values::Bits(_) | Values::Bytes(_) => true,
            Values::Floats(floats) => floats.iter().all(|value| value.fract() == 0.0),
        }
    }

    /// The numbers as 0 to `maximum`, which is full brightness.
    pub fn to_bytes(&self, scale: Scale, maximum: u8) -> Vec<u8> {
        let factor = match (scale, &self.values) {
            (Scale::Whole(full), Values::Bytes(bytes)) if full == maximum => return bytes.clone(),
            (Scale::Unit, _) => f64::from(maximum),
            (Scale::Whole(full), _) => f64::from(maximum) / f64::from(full),
        };
        let byte = |value: f64| (value * factor).round() as u8;
        match &self.values {
            Values::Bits(bytes) | Values::Bytes(bytes) => {
                bytes.iter().map(|&value| byte(value.into())).collect()
            }
            Values::Floats(floats) => floats.iter().map(|&value| byte(value)).collect(),
        }
    }

    fn of_another_scale(&self, most: f64, other: &Raw, other_most: f64) -> InputError {
        InputError::ScalesDiffer {
            one: self.name.clone(),
            most,
            other: other.name.clone(),
            other_most,
        }
    }
}

impl Scale {
    /// The scale of the arrays of a data set to train on, one for all of them.
    pub fn to_train_on(parts: &[&Raw]) -> Result<Self, InputError> {
        let most: Vec<f64> = parts
            .iter()
            .map(|raw| raw.most())
            .collect::<Result<_, _>>()?;
        // An array of zeros is of any scale.
        let lit: Vec<(&Raw, f64)> = (parts.iter().copied().zip(most))
            .filter(|&(_, most)| most > 0.0)
            .collect();
        let brightest = lit.iter().max_by(|one, other| one.1.total_cmp(&other.1));
        let Some(&(raw, most)) = brightest else {
            return Ok(Scale::Whole(u8::MAX));
        };
        if let Some(&(other, least)) = lit.iter().find(|part| most > 1.0 && part.1 <= 1.0) {
            return Err(raw.of_another_scale(most, other, least));
        }
        let floats = lit
            .iter()
            .any(|(raw, _)| matches!(raw.values, Values::Floats(_)));
        if most <= 1.0 && floats {
            return Ok(Scale::Unit);
        }
        if lit.iter().all(|(raw, _)| raw.is_whole()) {
            let most = most as u8;
            return Ok(Scale::Whole(match ROUND.contains(&most) {
                true => most,
                false => u8::MAX,
            }));
        }
        match most > 127.0 {
            true => Ok(Scale::Whole(u8::MAX)),
            false => Err(InputError::NoScale {
                array: raw.name.clone(),
                most,
            }),
        }
    }

    /// The scale of arrays that a model is to be fed which takes 0 to `maximum`.
    pub fn for_model(parts: &[&Raw], maximum: u8) -> Result<Self, InputError> {
        let mut scale: Option<(Scale, &Raw, f64)> = None;
        for &raw in parts {
            let most = raw.most()?;
            if most == 0.0 {
                continue;
            }
            let of_this = scale_of_one(raw, most, maximum)?;
            match scale {
                None => scale = Some((of_this, raw, most)),
                Some((same, ..)) if same == of_this => (),
                Some((_, other, other_most)) => {
                    return Err(raw.of_another_scale(most, other, other_most));
                }
            }
        }
        Ok(scale.map_or(Scale::Whole(maximum), |(scale, ..)| scale))
    }
}

/// The scale of one array of which `most` is the greatest number, for a model that takes 0 to `maximum`.
fn scale_of_one(raw: &Raw, most: f64, maximum: u8) -> Result<Scale, InputError> {
    let refused = |most| InputError::Range {
        array: raw.name.clone(),
        most,
        maximum,
    };
    match &raw.values {
        Values::Bits(_) => Ok(Scale::Unit),
        // Of so dark an image nothing would be seen: 0 and 1 are meant as black and white.
        Values::Bytes(_) if most == 1.0 && maximum > 1 => Err(refused(most)),
        Values::Bytes(_) if most <= maximum.into() => Ok(Scale::Whole(maximum)),
        Values::Bytes(_) => Err(refused(most)),
        Values::Floats(floats) if most <= 1.0 => {
            let multiple = |value: &f64| {
                let steps = value * f64::from(maximum);
                (steps - steps.round()).abs() <= EXACT
            };
            // What takes black and white only cannot take what lies between.
            match maximum > 1 || floats.iter().all(multiple) {
                true => Ok(Scale::Unit),
                false => Err(refused(most)),
            }
        }
        Values::Floats(_) if most > maximum.into() => Err(refused(most)),
        Values::Floats(_) if raw.is_whole() || most > f64::from(maximum) / 2.0 => {
            Ok(Scale::Whole(maximum))
        }
        Values::Floats(_) => Err(InputError::NoScale {
            array: raw.name.clone(),
            most,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[u8]) -> Raw {
        raw("bytes", Values::Bytes(values.to_vec()))
    }

    fn floats(values: &[f64]) -> Raw {
        raw("floats", Values::Floats(values.to_vec()))
    }

    fn raw(name: &str, values: Values) -> Raw {
        Raw {
            name: name.to_owned(),
            shape: vec![1],
            values,
        }
    }

    fn to_train_on(parts: &[Raw]) -> Result<Scale, InputError> {
        Scale::to_train_on(&parts.iter().collect::<Vec<_>>())
    }

    #[test]
    fn full_brightness_is_what_the_numbers_plainly_go_up_to() {
        for (part, scale) in [
            (bytes(&[0, 9, 255]), Scale::Whole(255)),
            (bytes(&[0, 39]), Scale::Whole(255)),
            (bytes(&[0, 16, 3]), Scale::Whole(16)),
            (bytes(&[0, 1]), Scale::Whole(1)),
            (bytes(&[0, 0]), Scale::Whole(255)),
            (raw("bits", Values::Bits(vec![0, 1])), Scale::Whole(1)),
            (floats(&[0.0, 0.5, 1.0]), Scale::Unit),
            (floats(&[0.0, 0.1]), Scale::Unit),
            (floats(&[0.0, 16.0, 7.0]), Scale::Whole(16)),
            (floats(&[0.0, 254.0]), Scale::Whole(255)),
            (floats(&[0.25, 254.5]), Scale::Whole(255)),
        ] {
            assert_eq!(
                to_train_on(std::slice::from_ref(&part)).unwrap(),
                scale,
                "{part:?}"
            );
        }
        let error = to_train_on(&[floats(&[0.5, 1.02])]).unwrap_err();
        assert!(matches!(error, InputError::NoScale { .. }), "{error}");
        for value in [-0.5, 255.5, f64::NAN, f64::INFINITY] {
            let error = to_train_on(&[floats(&[0.5, value])]).unwrap_err();
            assert!(matches!(error, InputError::Value { .. }), "{error}");
        }
    }

    #[test]
    fn parts_of_two_scales_are_refused_and_zeros_are_of_any() {
        for parts in [
            [bytes(&[0, 255]), floats(&[0.0, 1.0])],
            [floats(&[0.0, 0.7]), floats(&[0.0, 255.0])],
            [bytes(&[0, 1]), bytes(&[0, 200])],
        ] {
            let error = to_train_on(&parts).unwrap_err();
            assert!(matches!(error, InputError::ScalesDiffer { .. }), "{error}");
        }
        let parts = [bytes(&[0, 0]), floats(&[0.0, 0.5])];
        assert_eq!(to_train_on(&parts).unwrap(), Scale::Unit);
        let parts = [bytes(&[0, 16]), floats(&[0.0, 12.0])];
        assert_eq!(to_train_on(&parts).unwrap(), Scale::Whole(16));
        let parts = [bytes(&[0, 1]), floats(&[0.0, 0.5])];
        assert_eq!(to_train_on(&parts).unwrap(), Scale::Unit);
    }

    #[test]
    fn a_model_decides_what_full_brightness_is() {
        let for_model = |part: &Raw, maximum| Scale::for_model(&[part], maximum);
        for (part, maximum, expected) in [
            (bytes(&[0, 8, 16]), 16, vec![0, 8, 16]),
            (bytes(&[0, 8, 12]), 16, vec![0, 8, 12]),
            (floats(&[0.0, 8.0, 16.0]), 16, vec![0, 8, 16]),
            (floats(&[0.0, 0.5, 1.0]), 16, vec![0, 8, 16]),
            (floats(&[0.0, 3.0 / 16.0]), 16, vec![0, 3]),
            (floats(&[0.0, 0.5, 1.0]), 255, vec![0, 128, 255]),
            (bytes(&[0, 20, 200]), 255, vec![0, 20, 200]),
            (floats(&[0.0, 20.4, 200.0]), 255, vec![0, 20, 200]),
            (raw("bits", Values::Bits(vec![0, 1])), 16, vec![0, 16]),
            (bytes(&[0, 1]), 1, vec![0, 1]),
            (floats(&[0.0, 1.0]), 1, vec![0, 1]),
            (bytes(&[0, 0]), 16, vec![0, 0]),
        ] {
            let scale = for_model(&part, maximum).unwrap();
            assert_eq!(part.to_bytes(scale, maximum), expected, "{part:?}");
        }
        for (part, maximum) in [
            (bytes(&[0, 17]), 16),
            (bytes(&[0, 1]), 255),
            (bytes(&[0, 2]), 1),
            (floats(&[0.0, 17.0]), 16),
            (floats(&[0.0, 0.5]), 1),
            (floats(&[0.5, 1.5]), 255),
        ] {
            assert!(for_model(&part, maximum).is_err(), "{part:?}");
        }
        let parts = [floats(&[0.0, 1.0]), bytes(&[0, 16])];
        let error = Scale::for_model(&[&parts[0], &parts[1]], 16).unwrap_err();
        assert!(matches!(error, InputError::ScalesDiffer { .. }), "{error}");
    }
}
