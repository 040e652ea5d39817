//! What the page calls the classes.

use crate::dataset::Dataset;

/// The names of the classes of a data set, in as much room as there is.
pub struct Names<'a>(pub &'a Dataset);

impl Names<'_> {
    /// In a sentence, where there is room.
    pub fn full(&self, class: usize) -> String {
        self.0.class_name(class)
    }

    /// Where there is room for so many characters: the name where those of all classes fit, else the number, as it is in
    /// [`Names::key`].
    pub fn within(&self, room: usize, class: usize) -> String {
        let fits = |class| self.full(class).chars().count() <= room;
        match (0..self.0.classes).all(fits) {
            true => self.full(class),
            false => class.to_string(),
        }
    }

    /// The name with the number where it says more, cut to so many characters.
    pub fn numbered(&self, room: usize, class: usize) -> String {
        let name = match self.say_more() {
            true => format!("{class} {}", self.full(class)),
            false => class.to_string(),
        };
        match name.chars().count() > room {
            true => name.chars().take(room - 1).chain(['…']).collect(),
            false => name,
        }
    }

    /// Whether a name is anything but the number of its class.
    pub fn say_more(&self) -> bool {
        (0..self.0.classes).any(|class| self.full(class) != class.to_string())
    }

    /// Which number is which class: `0 ant, 1 zebra`; `None` where they are the numbers.
    pub fn key(&self) -> Option<String> {
        let all = (0..self.0.classes).map(|class| format!("{class} {}", self.full(class)));
        self.say_more().then(|| all.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::load;

    #[test]
    fn names_are_cut_or_numbers_where_there_is_no_room() {
        let mut data = load("digits").unwrap();
        let names = Names(&data);
        assert_eq!(
            (names.full(3), names.within(1, 3)),
            ("3".into(), "3".into())
        );
        assert_eq!((names.numbered(9, 3), names.key()), ("3".into(), None));
        data.classes = 2;
        data.class_names = Some(vec!["ant".to_owned(), "a zebra in a zoo".to_owned()]);
        let names = Names(&data);
        assert_eq!(names.full(1), "a zebra in a zoo");
        assert_eq!(
            (names.within(16, 0), names.within(3, 0)),
            ("ant".into(), "0".into())
        );
        assert_eq!(names.numbered(9, 1), "1 a zebr…");
        assert_eq!(names.numbered(9, 0), "0 ant");
        assert_eq!(names.key().unwrap(), "0 ant, 1 a zebra in a zoo");
    }
}
