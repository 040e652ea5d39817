use super::*;
use crate::dataset::{self, Source, Split};
use crate::evaluate::evaluate;
use crate::model_file::Encoding;
use crate::train::{train, Options, Trained};
use firmware_model::network::{Layer, Network};
use roxmltree::{Document, Node, ParsingOptions};

fn digits() -> Dataset {
    dataset::load("digits").unwrap()
}

/// Trained for a moment. Then all layers but the first get low thresholds, so that outputs fire, and at many
/// steps.
fn train_briefly(sizes: &[usize]) -> Trained {
    let options = Options {
        epochs: 3,
        ..Options::for_dataset(&digits())
    };
    let stop = AtomicBool::new(false);
    let mut trained = train(&digits(), sizes, 16, &options, &stop, &mut |_| ()).unwrap();
    let layers = trained.network.layers().iter().enumerate();
    let layers = layers.map(|(index, layer)| {
        let low = match index == 0 && sizes.len() > 2 {
            true => layer.thresholds().to_vec(),
            false => vec![2; layer.neurons()],
        };
        let signs = layer.signs().to_vec();
        Layer::new(layer.inputs(), layer.neurons(), signs, low).unwrap()
    });
    trained.network = Network::new(16, layers.collect()).unwrap();
    trained
}

/// A network for the digits, trained for a moment.
pub fn trained(sizes: &[usize]) -> Network {
    train_briefly(sizes).network
}

/// The same as a model with its record.
fn trained_model(sizes: &[usize]) -> ModelFile {
    let options = Options::for_dataset(&digits());
    ModelFile::of_training(&digits(), &options, &train_briefly(sizes), 0.5)
}

/// A data set of two classes, in which one half of the inputs is bright or the other, and a model for it.
fn halves(shape: &[usize], steps: usize) -> (ModelFile, Dataset) {
    let inputs: usize = shape.iter().product();
    let image =
        |label: usize| (0..inputs).map(move |input| if input % 2 == label { 200 } else { 50 });
    let split = Split {
        features: inputs,
        images: (0..6).flat_map(|index| image(index % 2)).collect(),
        labels: vec![0, 1, 0, 1, 0, 0],
    };
    let data = Dataset {
        name: "halves".to_owned(),
        classes: 2,
        shape: shape.to_vec(),
        maximum: 255,
        train: split.clone(),
        test: split,
        steps: None,
        recordings: None,
        groups: None,
        class_names: None,
        notes: Vec::new(),
        source: Source::Values,
    };
    let layer = Layer::from_fn(inputs, vec![1; 2], |j, i| i % 2 == j).unwrap();
    let model = ModelFile {
        network: Network::new(steps, vec![layer]).unwrap(),
        encoding: Encoding::Latency {
            steps,
            maximum: 255,
        },
        input_shape: shape.to_vec(),
        dataset: "halves".to_owned(),
        input: None,
        training: None,
    };
    (model, data)
}

fn run(model: &ModelFile, data: &Dataset, image: usize) -> Result<Report, ReportError> {
    collect(model, data, image, &AtomicBool::new(false), &mut |_| ())
}

fn page(model: &ModelFile, data: &Dataset) -> String {
    let report = run(model, data, 0).unwrap();
    to_html("model.fsp", model, data, &report).unwrap()
}

/// The page as a tree: an error says where it is not well formed.
fn parse(html: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(html, options).unwrap_or_else(|error| panic!("{error}"))
}

fn elements<'a>(tree: &'a Document, name: &'a str) -> Vec<Node<'a, 'a>> {
    let nodes = tree.descendants();
    nodes.filter(|node| node.has_tag_name(name)).collect()
}

/// All text of the page, without the style sheet.
fn text(tree: &Document) -> String {
    let texts = tree.root_element().descendants().filter(Node::is_text);
    let texts = texts.filter(|node| !node.parent().unwrap().has_tag_name("style"));
    texts.filter_map(|node| node.text()).collect()
}

#[test]
fn the_figures_are_those_of_the_golden_reference() {
    let data = digits();
    for sizes in [&[64, 10][..], &[64, 30, 10], &[64, 20, 20, 20, 10]] {
        let model = trained_model(sizes);
        let report = run(&model, &data, 3).unwrap();
        let found = &report.statistics;
        let golden = evaluate(&model, &data, None, None, &mut |_| ()).unwrap();
        assert_eq!(found.images, golden.images);
        assert_eq!(found.accuracy, golden.accuracy);
        assert_eq!(found.accuracy_tie_tolerant, golden.accuracy_tie_tolerant);
        assert_eq!(found.decision_step_mean, golden.decision_step_mean);
        assert_eq!(found.hidden_spikes_mean, golden.hidden_spikes_mean);
        assert_eq!(
            found.hidden_spikes_before_decision_mean,
            golden.hidden_spikes_before_decision_mean
        );
        assert_eq!(found.silent, golden.silent);
        assert_eq!(*found.accuracy_by_step.last().unwrap(), golden.accuracy);
        assert!((40..=50).contains(&report.compared), "{}", report.compared);
        let silent = found.silent as f64 / found.images as f64;
        assert!(
            silent < 0.9,
            "{sizes:?}: nothing happens in {silent} of the images"
        );

        let traces: Vec<golden::Trace> = (data.test.iter())
            .map(|image| {
                let spikes = Latency { steps: 16 }.encode(image, data.maximum);
                golden::run(&model.network, &spikes).unwrap()
            })
            .collect();
        for (layer, times) in found.spike_times[1..].iter().enumerate() {
            let fired = |neuron: usize| {
                let of_layer = traces.iter().map(move |trace| &trace.fire_steps[layer]);
                of_layer.filter(|steps| steps[neuron].is_some()).count()
            };
            let expected: Vec<usize> = (0..times.neurons).map(fired).collect();
            assert_eq!(times.images_of, expected);
        }
        let confused = (traces.iter().zip(&data.test.labels))
            .filter(|(trace, &label)| label == 8 && trace.decision.class == 1)
            .count();
        assert_eq!(found.confusion.count(8, 1), confused);
        assert_eq!(report.example.trace, traces[3]);
        assert_eq!(report.example.label, usize::from(data.test.labels[3]));
    }
}

#[test]
fn what_cannot_be_reported_on_is_refused() {
    let (model, data) = halves(&[2, 3], 4);
    let error = run(&model, &data, 6).unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no test image 6: halves has 6, so give --image 0 to 5"
    );
    let error = run(&model, &digits(), 0).unwrap_err().to_string();
    assert!(error.contains("takes 6 inputs"), "{error}");
    let stop = AtomicBool::new(true);
    let stopped = collect(&model, &data, 0, &stop, &mut |_| ());
    assert!(matches!(stopped, Err(ReportError::Stopped)));
}

#[test]
fn the_page_is_well_formed_and_needs_no_other_file() {
    let model = trained_model(&[64, 20, 20, 20, 10]);
    let html = page(&model, &digits());
    let tree = parse(&html);
    for loads in [
        "script", "link", "img", "image", "iframe", "object", "embed", "use", "a",
    ] {
        assert!(elements(&tree, loads).is_empty(), "{loads}");
    }
    for node in tree.descendants() {
        for attribute in node.attributes() {
            let name = attribute.name();
            let loads = ["href", "src", "srcset", "data", "style"].contains(&name);
            assert!(!loads && !name.starts_with("on"), "{name}");
        }
    }
    for loads in ["url(", "@import", "@font-face", "http:", "https:", "//"] {
        assert!(!html.contains(loads), "{loads}");
    }
    for picture in elements(&tree, "svg") {
        assert!(picture.has_attribute("viewBox") && picture.has_attribute("aria-label"));
        assert!(!picture.has_attribute("width"), "its width is the reader's");
    }
    // Curves 2, image 2, raster, margins, a histogram for each layer and the inputs, decisions 2, by step,
    // weights 12, confusion.
    assert_eq!(
        elements(&tree, "svg").len(),
        2 + 2 + 1 + 1 + 5 + 2 + 1 + 12 + 1
    );
    assert_eq!(elements(&tree, "h2").len(), 7);
    let text = text(&tree);
    for said in [
        "64-20-20-20-10",
        "--hidden-threshold",
        "layer 3",
        "agreed in every spike",
    ] {
        assert!(text.contains(said), "{said}");
    }
}

#[test]
fn the_same_model_gives_the_same_page() {
    let model = trained_model(&[64, 20, 10]);
    assert_eq!(page(&model, &digits()), page(&model, &digits()));
}

#[test]
fn names_are_text_and_nothing_else() {
    let hostile = "</td></table><script>alert(\"x\")</script><img src='x' onerror=\"y\">&lt;--]]>";
    let (mut model, mut data) = halves(&[2, 3], 4);
    data.name = format!("one {hostile}");
    model.dataset = format!("another {hostile}");
    data.class_names = Some(vec![hostile.to_owned(), format!("{hostile} too")]);
    let report = run(&model, &data, 0).unwrap();
    let name = format!("{hostile}.fsp");
    let html = to_html(&name, &model, &data, &report).unwrap();
    let tree = parse(&html);
    for none in ["script", "img"] {
        assert!(elements(&tree, none).is_empty(), "{none}");
    }
    let text = text(&tree);
    for said in [
        name,
        format!("one {hostile} (the model was made for another {hostile})"),
        format!("0 {hostile}, 1 {hostile} too"),
        format!("of class {hostile}, as"),
    ] {
        assert!(text.contains(&said), "{said}");
    }
}

#[test]
fn classes_go_by_their_names() {
    let (model, mut data) = halves(&[2, 3], 4);
    data.class_names = Some(vec!["ant".to_owned(), "zebra".to_owned()]);
    // So that one is taken for the other.
    data.test.labels[2] = 1;
    let html = page(&model, &data);
    let text = text(&parse(&html));
    for said in [
        "classes0 ant, 1 zebra",
        "of class ant, as",
        "The answer is ant, which is right",
        "of class ant taken for zebra",
        "1 zebra",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_model_without_a_record_says_so() {
    let mut model = trained_model(&[64, 20, 10]);
    let record = model.training.as_mut().unwrap();
    record.curve_csv = "epoch,loss\n1,0.5\n".to_owned();
    let html = page(&model, &digits());
    let said = text(&parse(&html));
    assert!(said.contains("no curves that can be read") && said.contains("--patience"));
    model.training = None;
    let html = page(&model, &digits());
    let said = text(&parse(&html));
    assert!(said.contains("no record of a training") && !said.contains("--patience"));
}

#[test]
fn any_shape_and_any_number_of_steps_makes_a_page() {
    let note = "The inputs are not an image";
    for (shape, is_image) in [
        (&[2, 3][..], true),
        (&[7], false),
        (&[1], false),
        (&[3, 2, 2], false),
        (&[1, 20], false),
    ] {
        for steps in [1, 4, 256] {
            let (model, data) = halves(shape, steps);
            let html = page(&model, &data);
            assert_eq!(!text(&parse(&html)).contains(note), is_image, "{shape:?}");
        }
    }
}
