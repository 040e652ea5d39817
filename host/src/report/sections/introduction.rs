//! What this is, in a few sentences, also for who meets such a network for the first time.

use crate::report::grid::Grid;
use crate::report::page::Subject;
use crate::report::svg::escape;
use crate::report::text::{counted, percent};
use crate::text::joined;

pub fn write(subject: &Subject) -> String {
    let (model, found) = (subject.model, &subject.report.statistics);
    let what = match Grid::of(&model.input_shape).is_image {
        true => format!("images of {} pixels", joined(&model.input_shape, "×")),
        false => format!("samples of {} intensities", model.network.inputs()),
    };
    format!(
        "<h1>{}</h1>\n\
         <p class=\"lead\">A spiking network with layers of {}, and weights of one bit. It sorts {what} \
         into {} classes. Of {} it gets {} right, and it has decided after {:.1} of {} steps on \
         average.</p>\n{WORDS}",
        escape(subject.name),
        joined(&model.network.sizes(), "-"),
        subject.data.classes,
        counted(found.images, "test image"),
        percent(found.accuracy),
        found.decision_step_mean + 1.0,
        model.network.steps(),
    )
}

const WORDS: &str = r#"<details>
<summary>New to spiking networks? Six words</summary>
<dl>
<dt>Spike</dt>
<dd>All that an input or a neuron ever says: “now”. Each says it once at most.</dd>
<dt>Step</dt>
<dd>Time goes in steps. A bright pixel spikes early, a faint one late, a black one never.</dd>
<dt>Weight</dt>
<dd>What a spike does to a neuron that it reaches: +1 or −1, one bit in the hardware.</dd>
<dt>Potential</dt>
<dd>The sum of the weights of all spikes that have reached a neuron.</dd>
<dt>Threshold</dt>
<dd>When its potential reaches this number, a neuron spikes.</dd>
<dt>Decision</dt>
<dd>There is an output neuron for each class. The one that spikes first is the answer, and everything
ends there.</dd>
</dl>
</details>
"#;
