//! The core: a pipelined XNOR/popcount integrate-and-fire machine with P lanes and S banks.
//!
//! docs/core.md draws it. One file a block:
//!
//! - [`sequencer`]: the order of an inference, and the search for the winner
//! - [`input_queue`] ([`spike_decoder`], [`input_bank`]): the spikes that come in
//! - [`hidden_queue`] ([`picker`], [`hidden_bank`]): the spikes between layers
//! - [`weight_bank`]: S memories of P bits
//! - [`neuron_array`] ([`lane`], [`lane_mux`]): P neurons at a time
//! - [`geometry`], [`loader`], [`verifier`]: the loaded network, written and read back

pub mod geometry;
pub mod hidden_bank;
pub mod hidden_queue;
pub mod input_bank;
pub mod input_queue;
pub mod lane;
pub mod lane_mux;
pub mod loader;
pub mod neuron_array;
pub mod picker;
pub mod sequencer;
pub mod spike_decoder;
pub mod verifier;
pub mod weight_bank;
pub mod wiring;

use crate::comment;
use firmware_model::board::{Family, WeightMemory};
use firmware_model::config::CoreConfig;
use geometry::GeometryRegisters;
use hidden_queue::HiddenQueue;
use input_queue::InputQueue;
use loader::Loader;
use neuron_array::NeuronArray;
use rust_hdl::prelude::*;
use sequencer::Sequencer;
use verifier::Verifier;
use weight_bank::WeightBank;

/// The core with P lanes, S banks and Q = P / S. Its ports are those of [`crate::link::Link`].
#[derive(LogicBlock)]
pub struct Core<const P: usize, const S: usize, const Q: usize> {
    pub clock: Signal<In, Clock>,
    // The geometry
    pub geometry_shift: Signal<In, Bit>,
    pub geometry_byte: Signal<In, Bits<8>>,
    // Loading the memories
    pub load_begin: Signal<In, Bit>,
    pub load_margins: Signal<In, Bit>,
    pub load_address: Signal<In, Bits<16>>,
    pub load_select: Signal<In, Bits<8>>,
    pub load_strobe: Signal<In, Bit>,
    pub load_byte: Signal<In, Bits<8>>,
    pub load_error: Signal<Out, Bit>,
    // Reading them back
    pub verify_start: Signal<In, Bit>,
    pub verify_done: Signal<Out, Bit>,
    pub verify_crc: Signal<Out, Bits<32>>,
    // Spikes
    pub spikes_begin: Signal<In, Bit>,
    pub spikes_strobe: Signal<In, Bit>,
    pub spikes_byte: Signal<In, Bits<8>>,
    pub spikes_commit: Signal<In, Bit>,
    pub spikes_ready: Signal<Out, Bit>,
    pub spikes_error: Signal<Out, Bit>,
    // Results
    pub result_valid: Signal<Out, Bit>,
    pub result_class: Signal<Out, Bits<16>>,
    pub result_step: Signal<Out, Bits<8>>,
    pub result_silent: Signal<Out, Bit>,
    pub result_overshoot: Signal<Out, Bits<16>>,
    pub result_cycles: Signal<Out, Bits<32>>,
    pub result_idle: Signal<Out, Bits<32>>,
    pub result_take: Signal<In, Bit>,
    pub busy: Signal<Out, Bit>,
    geometry: GeometryRegisters,
    sequencer: Sequencer,
    input_queue: InputQueue<S>,
    hidden_queue: HiddenQueue<P, S, Q>,
    weights: [WeightBank<P>; S],
    neurons: NeuronArray<P, S>,
    loader: Loader<P>,
    verifier: Verifier,
    // Events: the queues' answer to the word that was issued.
    event_live: DFF<Bit>,
    event_first: DFF<Bit>,
    event_last: DFF<Bit>,
    event_probe: DFF<Bit>,
    event_slot: DFF<Bits<7>>,
    event_base: DFF<Bits<16>>,
    event_valid: [Signal<Local, Bit>; S],
    event_row: [Signal<Local, Bits<16>>; S],
    any_valid: [Signal<Local, Bit>; S],
    probe_end: Signal<Local, Bit>,
    probe_ended: DFF<Bit>,
    // Address: weights and margins are asked for.
    address_live: DFF<Bit>,
    address_first: DFF<Bit>,
    address_last: DFF<Bit>,
    address_slot: DFF<Bits<7>>,
    address_valid: [DFF<Bit>; S],
    address_row: [DFF<Bits<16>>; S],
    // Weight: they are there, the lanes count.
    weight_live: DFF<Bit>,
    weight_first: DFF<Bit>,
    weight_last: DFF<Bit>,
    weight_slot: DFF<Bits<7>>,
    weight_valid: [DFF<Bit>; S],
    // Sum: the lanes add to their margins.
    sum_live: DFF<Bit>,
    sum_first: DFF<Bit>,
    sum_last: DFF<Bit>,
    sum_slot: DFF<Bits<7>>,
    // Margin: the sums are there, the lanes fire and write back.
    margin_live: DFF<Bit>,
    margin_last: DFF<Bit>,
    margin_slot: DFF<Bits<7>>,
    finish: Signal<Local, Bit>,
    chosen_row: [Signal<Local, Bits<P>>; S],
    bank_id: [Constant<Bits<8>>; S],
}

impl<const P: usize, const S: usize, const Q: usize> Core<P, S, Q> {
    const LAST: usize = S - 1;

    /// A core of the sizes of `config`, whose lanes and banks are P and S.
    pub fn new(config: &CoreConfig, memory: WeightMemory, family: Family) -> Self {
        assert_eq!(
            (usize::from(config.lanes), usize::from(config.banks)),
            (P, S)
        );
        let rows = config.weight_rows as usize;
        let slots = usize::from(config.fold_slots);
        let hidden_rows = usize::from(config.hidden_rows);
        Core {
            clock: Default::default(),
            geometry_shift: Default::default(),
            geometry_byte: Default::default(),
            load_begin: Default::default(),
            load_margins: Default::default(),
            load_address: Default::default(),
            load_select: Default::default(),
            load_strobe: Default::default(),
            load_byte: Default::default(),
            load_error: Default::default(),
            verify_start: Default::default(),
            verify_done: Default::default(),
            verify_crc: Default::default(),
            spikes_begin: Default::default(),
            spikes_strobe: Default::default(),
            spikes_byte: Default::default(),
            spikes_commit: Default::default(),
            spikes_ready: Default::default(),
            spikes_error: Default::default(),
            result_valid: Default::default(),
            result_class: Default::default(),
            result_step: Default::default(),
            result_silent: Default::default(),
            result_overshoot: Default::default(),
            result_cycles: Default::default(),
            result_idle: Default::default(),
            result_take: Default::default(),
            busy: Default::default(),
            geometry: Default::default(),
            sequencer: Sequencer::new(P),
            input_queue: InputQueue::new(config.input_rows.into(), config.input_buffers.into()),
            hidden_queue: HiddenQueue::new(slots, hidden_rows),
            weights: std::array::from_fn(|_| WeightBank::new(rows, memory)),
            neurons: NeuronArray::new(slots, family),
            loader: Loader::new(S, slots, rows),
            verifier: Verifier::new(P, S),
            event_live: Default::default(),
            event_first: Default::default(),
            event_last: Default::default(),
            event_probe: Default::default(),
            event_slot: Default::default(),
            event_base: Default::default(),
            event_valid: std::array::from_fn(|_| Default::default()),
            event_row: std::array::from_fn(|_| Default::default()),
            any_valid: std::array::from_fn(|_| Default::default()),
            probe_end: Default::default(),
            probe_ended: Default::default(),
            address_live: Default::default(),
            address_first: Default::default(),
            address_last: Default::default(),
            address_slot: Default::default(),
            address_valid: std::array::from_fn(|_| Default::default()),
            address_row: std::array::from_fn(|_| Default::default()),
            weight_live: Default::default(),
            weight_first: Default::default(),
            weight_last: Default::default(),
            weight_slot: Default::default(),
            weight_valid: std::array::from_fn(|_| Default::default()),
            sum_live: Default::default(),
            sum_first: Default::default(),
            sum_last: Default::default(),
            sum_slot: Default::default(),
            margin_live: Default::default(),
            margin_last: Default::default(),
            margin_slot: Default::default(),
            finish: Default::default(),
            chosen_row: std::array::from_fn(|_| Default::default()),
            bank_id: std::array::from_fn(|bank| Constant::new((bank as u64).into())),
        }
    }
}

impl<const P: usize, const S: usize, const Q: usize> Logic for Core<P, S, Q> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module core");
        comment!(
            "The integrate-and-fire core. A word of events takes one clock cycle in each of five"
        );
        comment!("stages: event, address, weight, sum, margin.");
        dff_setup!(
            self,
            clock,
            event_live,
            event_first,
            event_last,
            event_probe,
            event_slot,
            event_base,
            address_live,
            address_first,
            address_last,
            address_slot,
            weight_live,
            weight_first,
            weight_last,
            weight_slot,
            sum_live,
            sum_first,
            sum_last,
            sum_slot,
            probe_ended,
            margin_live,
            margin_last,
            margin_slot
        );
        self.geometry.clock.next = self.clock.val();
        self.sequencer.clock.next = self.clock.val();
        self.input_queue.clock.next = self.clock.val();
        self.hidden_queue.clock.next = self.clock.val();
        self.neurons.clock.next = self.clock.val();
        self.loader.clock.next = self.clock.val();
        self.verifier.clock.next = self.clock.val();

        comment!("The sequencer issues a word: both queues are asked.");
        self.event_live.d.next = self.sequencer.issue.val();
        self.event_first.d.next = self.sequencer.first.val();
        self.event_last.d.next = self.sequencer.last.val();
        self.event_probe.d.next = self.sequencer.issue.val() & self.sequencer.probe.val();
        self.event_slot.d.next = self.sequencer.slot.val();
        self.event_base.d.next = self.sequencer.row_base.val();
        self.input_queue.offset.next = self.sequencer.offset.val();
        self.hidden_queue.offset.next = self.sequencer.offset.val();

        comment!("Event: the queue of this layer answers.");
        for i in 0..S {
            self.event_valid[i].next = self.hidden_queue.valid[i].val();
            self.event_row[i].next = self.hidden_queue.row[i].val();
            if self.sequencer.from_inputs.val() {
                self.event_valid[i].next = self.input_queue.valid[i].val();
                self.event_row[i].next = self.input_queue.row[i].val();
            }
        }
        self.any_valid[0].next = self.event_valid[0].val();
        for i in 1..S {
            self.any_valid[i].next = self.any_valid[i - 1].val() | self.event_valid[i].val();
        }
        for last in Self::LAST..S {
            self.probe_end.next =
                self.event_probe.q.val() & !self.any_valid[last].val() & !self.probe_ended.q.val();
        }
        comment!(
            "The sequencer hears of the end a cycle later: the word after it is dropped here."
        );
        self.probe_ended.d.next = self.probe_end.val();
        self.sequencer.probe_end.next = self.probe_ended.q.val();
        self.input_queue.probe.next = self.event_probe.q.val();
        self.address_live.d.next = self.event_live.q.val() & !self.probe_ended.q.val();
        self.address_first.d.next = self.event_first.q.val();
        self.address_last.d.next = self.event_last.q.val() | self.probe_end.val();
        self.address_slot.d.next = self.event_slot.q.val();
        for i in 0..S {
            self.address_valid[i].clock.next = self.clock.val();
            self.address_row[i].clock.next = self.clock.val();
            self.address_valid[i].d.next = self.event_valid[i].val() & self.event_live.q.val();
            self.address_row[i].d.next = self.event_base.q.val() + self.event_row[i].val();
        }

        comment!("Address: loading and reading back use the memories while no word is here.");
        self.weight_live.d.next = self.address_live.q.val();
        self.weight_first.d.next = self.address_first.q.val() & self.address_live.q.val();
        self.weight_last.d.next = self.address_last.q.val();
        self.weight_slot.d.next = self.address_slot.q.val();
        for i in 0..S {
            self.weights[i].clock.next = self.clock.val();
            self.weights[i].address.next = self.address_row[i].q.val();
            if self.loader.write_row.val() {
                self.weights[i].address.next = self.loader.target_address.val();
            }
            if self.verifier.active.val() {
                self.weights[i].address.next = self.verifier.address.val();
            }
            self.weights[i].write_enable.next =
                self.loader.write_row.val() & (self.loader.target.val() == self.bank_id[i].val());
            self.weights[i].write_data.next = self.loader.row.val();
            self.weight_valid[i].clock.next = self.clock.val();
            self.weight_valid[i].d.next = self.address_valid[i].q.val();
        }
        comment!("Weight: the lanes count, and the margins are asked for.");
        self.sum_live.d.next = self.weight_live.q.val();
        self.sum_first.d.next = self.weight_first.q.val();
        self.sum_last.d.next = self.weight_last.q.val();
        self.sum_slot.d.next = self.weight_slot.q.val();
        for i in 0..S {
            self.neurons.valid[i].next = self.weight_valid[i].q.val();
            self.neurons.weights[i].next = self.weights[i].read_data.val();
        }
        self.neurons.read_slot.next = self.weight_slot.q.val();
        self.neurons.read_current.next = self.sequencer.touched.val();
        if self.sequencer.scanning.val() {
            self.neurons.read_slot.next = self.sequencer.slot.val();
        }
        if self.verifier.active.val() {
            self.neurons.read_slot.next = self.verifier.address.val().get_bits::<7>(0);
            self.neurons.read_current.next = false;
        }

        comment!("Sum: the lanes add.");
        self.margin_live.d.next = self.sum_live.q.val();
        self.margin_last.d.next = self.sum_last.q.val();
        self.margin_slot.d.next = self.sum_slot.q.val();
        self.neurons.first.next = self.sum_first.q.val();

        comment!("Margin: after the last word of a fold the lanes fire and write back.");
        self.finish.next = self.margin_live.q.val() & self.margin_last.q.val();
        self.neurons.finish.next = self.finish.val();
        self.neurons.write_slot.next = self.margin_slot.q.val();
        if self.loader.write_margin.val() {
            self.neurons.write_slot.next = self.loader.target_address.val().get_bits::<7>(0);
        }
        self.neurons.load.next = self.loader.write_margin.val();
        self.neurons.load_lane.next = self.loader.target.val();
        self.neurons.load_margin.next = self.loader.margin.val();
        self.hidden_queue.mask.next = self.neurons.fire.val();
        self.hidden_queue.write.next = self.finish.val() & !self.sequencer.output_layer.val();
        self.hidden_queue.clear.next = self.sequencer.hidden_clear.val();
        self.hidden_queue.turn.next = self.sequencer.hidden_turn.val();
        self.sequencer.output_fired.next =
            self.finish.val() & self.sequencer.output_layer.val() & self.neurons.fire.val().any();
        self.sequencer.quiet.next = !self.event_live.q.val()
            & !self.address_live.q.val()
            & !self.weight_live.q.val()
            & !self.sum_live.q.val()
            & !self.margin_live.q.val()
            & self.hidden_queue.quiet.val();

        comment!("The sequencer's view of the image and of the geometry.");
        self.sequencer.image_ready.next = self.input_queue.image_ready.val();
        self.sequencer.has_next.next = self.input_queue.has_next.val();
        self.sequencer.next_step.next = self.input_queue.next_step.val();
        self.sequencer.hidden_words.next = self.hidden_queue.words.val();
        self.sequencer.last_layer.next = self.geometry.last_layer.val();
        self.sequencer.last_step.next = self.geometry.last_step.val();
        self.sequencer.outputs.next = self.geometry.outputs.val();
        self.sequencer.rows.next = self.geometry.rows.val();
        self.sequencer.base.next = self.geometry.base.val();
        self.sequencer.folds.next = self.geometry.folds.val();
        self.sequencer.first_slot.next = self.geometry.slot.val();
        self.geometry.layer.next = self.sequencer.layer.val();
        self.input_queue.image_release.next = self.sequencer.image_release.val();
        self.input_queue.rewind.next = self.sequencer.rewind.val();
        self.input_queue.peek.next = self.sequencer.peek.val();
        self.input_queue.advance.next = self.sequencer.advance.val();
        self.input_queue.step.next = self.sequencer.step.val();

        comment!("Lanes are read one by one for the winner, or for reading back.");
        self.neurons.select.next = self.sequencer.scan_lane.val();
        if self.verifier.active.val() {
            self.neurons.select.next = self.verifier.lane.val();
        }
        self.sequencer.scan_margin.next = self.neurons.margin.val();
        self.verifier.margin.next = self.neurons.margin.val();

        comment!("The link fills the input queue.");
        self.input_queue.begin.next = self.spikes_begin.val();
        self.input_queue.strobe.next = self.spikes_strobe.val();
        self.input_queue.byte.next = self.spikes_byte.val();
        self.input_queue.commit.next = self.spikes_commit.val();
        self.input_queue.inputs.next = self.geometry.inputs.val();
        self.input_queue.last_step.next = self.geometry.last_step.val();
        self.spikes_ready.next = self.input_queue.ready.val();
        self.spikes_error.next = self.input_queue.error.val();

        comment!("The link loads the memories.");
        self.loader.begin.next = self.load_begin.val();
        self.loader.margins.next = self.load_margins.val();
        self.loader.address.next = self.load_address.val();
        self.loader.select.next = self.load_select.val();
        self.loader.strobe.next = self.load_strobe.val();
        self.loader.byte.next = self.load_byte.val();
        self.load_error.next = self.loader.error.val();
        self.geometry.shift.next = self.geometry_shift.val();
        self.geometry.byte.next = self.geometry_byte.val();

        comment!("They are read back for their checksum.");
        self.verifier.start.next = self.verify_start.val();
        self.verify_done.next = self.verifier.done.val();
        self.verify_crc.next = self.verifier.crc.val();
        self.geometry.turn.next = self.verifier.geometry_turn.val();
        self.verifier.geometry_byte.next = self.geometry.oldest.val();
        self.verifier.rows_used.next = self.geometry.rows_used.val();
        self.verifier.slots_used.next = self.geometry.slots_used.val();
        self.verifier.row_byte.next = self.loader.lowest_byte.val();
        self.loader.take.next = self.verifier.take_row.val();
        self.loader.drop.next = self.verifier.drop_byte.val();
        self.chosen_row[0].next = self.weights[0].read_data.val();
        for i in 1..S {
            self.chosen_row[i].next = self.chosen_row[i - 1].val();
            if self.verifier.bank.val() == self.bank_id[i].val() {
                self.chosen_row[i].next = self.weights[i].read_data.val();
            }
        }
        for last in Self::LAST..S {
            self.loader.read_row.next = self.chosen_row[last].val();
        }

        self.busy.next = self.sequencer.busy.val();
        self.result_valid.next = self.sequencer.result_valid.val();
        self.result_class.next = self.sequencer.result_class.val();
        self.result_step.next = self.sequencer.result_step.val();
        self.result_silent.next = self.sequencer.result_silent.val();
        self.result_overshoot.next = self.sequencer.result_overshoot.val();
        self.result_cycles.next = self.sequencer.result_cycles.val();
        self.result_idle.next = self.sequencer.result_idle.val();
        self.sequencer.result_take.next = self.result_take.val();
    }
}
