//! The tasks of a sweep.

use super::task::{Data, Task};
use super::{Problem, Spec, SpecError};
use crate::dataset::{Dataset, DatasetError};
use crate::train::check_sizes;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A sweep, held against its data sets.
#[derive(Debug)]
pub struct Plan {
    pub spec: Spec,
    /// Row after row in the order of the file, seed after seed.
    pub tasks: Vec<Task>,
}

/// Some of the tasks of a sweep.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this row.
    pub row: Option<String>,
    /// Only this seed.
    pub seed: Option<u64>,
}

impl Filter {
    pub fn takes(&self, row: &str, seed: u64) -> bool {
        self.takes_row(row) && self.seed.is_none_or(|only| only == seed)
    }

    fn takes_row(&self, row: &str) -> bool {
        self.row.as_deref().is_none_or(|only| only == row)
    }
}

impl Plan {
    /// The tasks of `spec` that `filter` takes, with their files in `folder`. `load` gets a data set by its
    /// name, each once and only those that are needed.
    ///
    /// # Errors
    /// A row that does not go with its data set, or a data set that cannot be had.
    pub fn new(
        spec: Spec,
        folder: &Path,
        filter: &Filter,
        load: &mut dyn FnMut(&str) -> Result<Dataset, DatasetError>,
    ) -> Result<Self, SpecError> {
        let board = Arc::new(spec.board.clone());
        let mut sets: HashMap<String, Arc<Data>> = HashMap::new();
        let mut tasks = Vec::new();
        for row in spec.rows.iter().filter(|row| filter.takes_row(&row.name)) {
            let row = Arc::new(row.clone());
            let train = |source| {
                let row_name = row.name.clone();
                let problem = Problem::Train {
                    row: row_name,
                    source,
                };
                spec.row_error(row.line, problem)
            };
            let data = match sets.get(&row.dataset) {
                Some(data) => data.clone(),
                None => {
                    let set = load(&row.dataset).map_err(|source| {
                        let row_name = row.name.clone();
                        let problem = Problem::Dataset {
                            row: row_name,
                            source,
                        };
                        spec.row_error(row.line, problem)
                    })?;
                    let data = Arc::new(Data::new(set));
                    sets.insert(row.dataset.clone(), data.clone());
                    data
                }
            };
            check_sizes(&data.set, &row.layers).map_err(train)?;
            let steps = row.choices.steps(&data.set, row.steps).map_err(train)?;
            for &seed in &row.seeds {
                let options = (row.choices.options(&data.set, steps, seed)).map_err(train)?;
                options.check(&data.set).map_err(train)?;
                let parts = (data.set.hold_out(options.validation))
                    .map_err(|source| train(source.into()))?;
                if filter.takes(&row.name, seed) {
                    tasks.push(Task {
                        row: row.clone(),
                        data: data.clone(),
                        steps,
                        options,
                        images_an_epoch: parts.stay.len(),
                        board: board.clone(),
                        folder: folder.to_owned(),
                    });
                }
            }
        }
        Ok(Plan { spec, tasks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;

    /// A row that trains on recordings of four speakers, with this share held out.
    fn plan(validation: f64) -> Result<Plan, SpecError> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shd/h5py");
        let text = format!(
            "title = \"Voices\"\n[[row]]\nname = \"spoken\"\ndataset = '{folder}'\nlayers = [1400, 20]\nseeds = [1]\n\
             epochs = 3\nvalidation = {validation}\n"
        );
        let path = Path::new("sweep.toml");
        let spec = Spec::parse(&text, path).unwrap();
        Plan::new(spec, path, &Filter::default(), &mut dataset::load)
    }

    #[test]
    fn whole_speakers_are_held_out_and_where_they_cannot_be_the_row_is_named() {
        let tasks = plan(0.1).unwrap().tasks;
        assert_eq!(tasks[0].images_an_epoch, 20);
        let error = plan(0.5).unwrap_err();
        let text = format!("{:#}", anyhow::Error::from(error));
        assert!(
            text.contains("spoken") && text.contains("smaller --validation"),
            "{text}"
        );
    }
}
