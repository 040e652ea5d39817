//! The order that people put names into: `class2` comes before `class10`.

use std::cmp::Ordering;

/// Compares names: numbers in them by what they amount to, all else byte by byte. Names that differ in zeros before a number
/// alone are in the order of their bytes, so that there is one order only.
pub(super) fn natural(one: &[u8], other: &[u8]) -> Ordering {
    let (mut a, mut b) = (one, other);
    loop {
        let order = match (a.first(), b.first()) {
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (take_number(&mut a), take_number(&mut b));
                (x.len(), x).cmp(&(y.len(), y))
            }
            (Some(x), Some(y)) => {
                (a, b) = (&a[1..], &b[1..]);
                x.cmp(y)
            }
            (None, None) => return one.cmp(other),
            (x, y) => x.cmp(&y),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the digits that `name` begins with off it, and gives them without zeros at the front.
fn take_number<'a>(name: &mut &'a [u8]) -> &'a [u8] {
    let is_other = |byte: &u8| !byte.is_ascii_digit();
    let end = name.iter().position(is_other).unwrap_or(name.len());
    let (digits, rest) = name.split_at(end);
    *name = rest;
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_in_the_order_that_people_count_in() {
        let sorted = [
            "0",
            "1",
            "2",
            "3",
            "9",
            "10",
            "11",
            "100",
            "B",
            "a",
            "a b",
            "class",
            "class1",
            "class2",
            "class2b",
            "class002c",
            "class10",
            "v1.2",
            "v1.10",
            "é",
        ];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|one, other| natural(one.as_bytes(), other.as_bytes()));
        assert_eq!(names, sorted);
        assert_eq!(natural(b"01", b"1"), Ordering::Less);
        assert_eq!(
            natural(b"99999999999999999999998", b"99999999999999999999999"),
            Ordering::Less
        );
    }

    proptest! {
        #[test]
        fn there_is_one_order_only(
            a in "[0-2ab./]{0,5}", b in "[0-2ab./]{0,5}", c in "[0-2ab./]{0,5}",
        ) {
            let order = |x: &str, y: &str| natural(x.as_bytes(), y.as_bytes());
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            prop_assert_eq!(order(&a, &b) == Ordering::Equal, a == b);
            if order(&a, &b).is_le() && order(&b, &c).is_le() {
                prop_assert!(order(&a, &c).is_le());
            }
        }
    }
}
