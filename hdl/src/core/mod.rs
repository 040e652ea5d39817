//! The core: a pipelined XNOR/popcount integrate-and-fire machine with P lanes and S banks.
//!
//! docs/core.md draws it. One file a block:
//!
//! - [`sequencer`], [`run_queue`]: the order of an inference, and the search for the winner
//! - [`input_queue`] ([`spike_decoder`], [`step_list`], [`step_counter`], [`input_bank`]): the spikes that come in
//! - [`hidden_queue`] ([`picker`], [`hidden_bank`]): the spikes between layers
//! - [`weight_bank`]: S memories of P bits
//! - [`neuron_array`] ([`lane`], [`margin_adder`], [`lane_mux`]): P neurons at a time
//! - [`geometry`], [`loader`], [`verifier`] ([`byte_mux`]): the loaded network, written and read back

pub mod byte_mux;
pub mod geometry;
pub mod hidden_bank;
pub mod hidden_queue;
pub mod input_bank;
pub mod input_queue;
pub mod lane;
pub mod lane_mux;
pub mod loader;
pub mod margin_adder;
pub mod neuron_array;
pub mod picker;
pub mod run_queue;
pub mod sequencer;
pub mod spike_decoder;
pub mod step_counter;
pub mod step_list;
pub mod verifier;
pub mod weight_bank;
pub mod wiring;

use crate::comment;
use byte_mux::ByteMux;
use firmware_model::board::{Family, WeightMemory};
use firmware_model::config::{CoreConfig, CHUNK_WORDS};
use geometry::GeometryRegisters;
use hidden_queue::HiddenQueue;
use input_queue::InputQueue;
use loader::Loader;
use neuron_array::NeuronArray;
use run_queue::RunQueue;
use rust_hdl::prelude::*;
use sequencer::Sequencer;
use verifier::Verifier;
use weight_bank::WeightBank;

/// What the stages know of a word of events, besides its events.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, LogicStruct)]
struct Word {
    /// The first of its chunk.
    first: Bit,
    /// The last of its chunk.
    last: Bit,
    /// Of the last chunk of its fold: after it neurons fire.
    is_final: Bit,
    /// Of the last chunk of the last fold: with it the run ends.
    end: Bit,
    /// Of the output layer.
    output: Bit,
    /// Its fold still has its starting margins.
    starting: Bit,
    /// The fold's slot.
    slot: Bits<7>,
}

/// The core. Its ports are those of [`crate::link::Link`].
///
/// - `P`: lanes; `S`: banks; `G`: adders, P divided by the beats; `Q`: G / S.
/// - `A`: bits of a lane's count, those of 15 S; `C`: A + 1.
#[derive(LogicBlock)]
pub struct Core<
    const P: usize,
    const S: usize,
    const G: usize,
    const Q: usize,
    const A: usize,
    const C: usize,
> {
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
    run_queue: RunQueue,
    hidden_queue: HiddenQueue<G, S, Q>,
    weights: [WeightBank<P>; S],
    row_bytes: [ByteMux<P>; S],
    neurons: NeuronArray<P, S, G, A, C>,
    loader: Loader<P>,
    verifier: Verifier,
    // Event: the queues' answer to the word that was issued.
    event_live: DFF<Bit>,
    event_word: DFF<Word>,
    event_last_fold: DFF<Bit>,
    event_first_fold: DFF<Bit>,
    event_base: DFF<Bits<16>>,
    event_valid: [Signal<Local, Bit>; S],
    event_row: [Signal<Local, Bits<16>>; S],
    // Address: the weights are asked for.
    address_live: DFF<Bit>,
    address_word: DFF<Word>,
    /// What is still to be added to the rows.
    address_base: DFF<Bits<16>>,
    address_valid: [DFF<Bit>; S],
    address_row: [DFF<Bits<16>>; S],
    // Fetch: they are on their way through a register.
    fetch_live: DFF<Bit>,
    fetch_word: DFF<Word>,
    fetch_valid: [DFF<Bit>; S],
    late_weights: Constant<Bit>,
    // Weight: they are there, the lanes look which spikes are positive.
    weight_live: DFF<Bit>,
    weight_word: DFF<Word>,
    weight_valid: [DFF<Bit>; S],
    // Count: the lanes count them.
    count_live: DFF<Bit>,
    count_word: DFF<Word>,
    // Hand-over: the chunk is complete, its counts go to the adders.
    chunk_done: DFF<Bit>,
    chunk_word: DFF<Word>,
    // Beat: each takes one cycle in each of three stages. Here the changes are worked out, and margins asked for.
    beat_live: DFF<Bit>,
    beat_word: DFF<Word>,
    beat_number: DFF<Bits<2>>,
    is_last_beat: Signal<Local, Bit>,
    // Sum: the changes are added.
    sum_live: DFF<Bit>,
    sum_word: DFF<Word>,
    // Fire: margins are written back, and after the last chunk of a fold neurons fire.
    fire_live: DFF<Bit>,
    fire_word: DFF<Word>,
    settled: DFF<Bit>,
    decided: DFF<Bit>,
    /// The lane whose margin is read, by the scan or the verifier: it goes to all adders.
    margin_select: DFF<Bits<10>>,
    /// The verifier has time, and the memories' addresses have none to spare for it.
    verifying: DFF<Bit>,
    chosen_byte: [Signal<Local, Bits<8>>; S],
    bank_id: [Constant<Bits<8>>; S],
    last_beat: Constant<Bits<2>>,
    lane_bits: Constant<Bits<4>>,
}

impl<
        const P: usize,
        const S: usize,
        const G: usize,
        const Q: usize,
        const A: usize,
        const C: usize,
    > Core<P, S, G, Q, A, C>
{
    const LAST: usize = S - 1;

    /// A core of the sizes of `config`, whose lanes, banks and lanes a beat are P, S and G.
    pub fn new(config: &CoreConfig, memory: WeightMemory, family: Family) -> Self {
        assert_eq!(
            (
                usize::from(config.lanes),
                usize::from(config.banks),
                config.group()
            ),
            (P, S, G)
        );
        assert!(CHUNK_WORDS * S < 1 << A && C == A + 1 && Q * S == G);
        let rows = config.weight_rows as usize;
        let slots = usize::from(config.fold_slots);
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
            sequencer: Sequencer::new(config),
            input_queue: InputQueue::new(config),
            run_queue: Default::default(),
            hidden_queue: HiddenQueue::new(config, family),
            weights: std::array::from_fn(|_| WeightBank::new(rows, memory, config.late_weights())),
            row_bytes: std::array::from_fn(|_| Default::default()),
            neurons: NeuronArray::new(config, family),
            loader: Loader::new(S, slots, rows),
            verifier: Verifier::new(P, S),
            event_live: Default::default(),
            event_word: Default::default(),
            event_last_fold: Default::default(),
            event_first_fold: Default::default(),
            event_base: Default::default(),
            event_valid: std::array::from_fn(|_| Default::default()),
            event_row: std::array::from_fn(|_| Default::default()),
            address_live: Default::default(),
            address_word: Default::default(),
            address_base: Default::default(),
            address_valid: std::array::from_fn(|_| Default::default()),
            address_row: std::array::from_fn(|_| Default::default()),
            fetch_live: Default::default(),
            fetch_word: Default::default(),
            fetch_valid: std::array::from_fn(|_| Default::default()),
            late_weights: Constant::new(config.late_weights()),
            weight_live: Default::default(),
            weight_word: Default::default(),
            weight_valid: std::array::from_fn(|_| Default::default()),
            count_live: Default::default(),
            count_word: Default::default(),
            chunk_done: Default::default(),
            chunk_word: Default::default(),
            beat_live: Default::default(),
            beat_word: Default::default(),
            beat_number: Default::default(),
            is_last_beat: Default::default(),
            sum_live: Default::default(),
            sum_word: Default::default(),
            fire_live: Default::default(),
            fire_word: Default::default(),
            settled: Default::default(),
            decided: Default::default(),
            margin_select: Default::default(),
            verifying: Default::default(),
            chosen_byte: std::array::from_fn(|_| Default::default()),
            bank_id: std::array::from_fn(|bank| Constant::new((bank as u64).into())),
            last_beat: Constant::new((u64::from(config.beats) - 1).into()),
            lane_bits: Constant::new(u64::from(G.ilog2()).into()),
        }
    }
}

impl<
        const P: usize,
        const S: usize,
        const G: usize,
        const Q: usize,
        const A: usize,
        const C: usize,
    > Logic for Core<P, S, G, Q, A, C>
{
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module core");
        comment!("The integrate-and-fire core. A word of events takes one clock cycle in each of its stages: event,");
        comment!("address, with four banks or more fetch, weight, count. A chunk of words is then added to the margins, beat by beat,");
        comment!("each in three stages: beat, sum, fire.");
        dff_setup!(
            self,
            clock,
            event_live,
            event_word,
            event_last_fold,
            event_first_fold,
            event_base,
            address_live,
            address_word,
            address_base,
            fetch_live,
            fetch_word,
            weight_live,
            weight_word,
            count_live,
            count_word,
            chunk_done,
            chunk_word,
            beat_live,
            beat_word,
            beat_number,
            sum_live,
            sum_word,
            fire_live,
            fire_word,
            settled,
            decided,
            margin_select,
            verifying
        );
        self.geometry.clock.next = self.clock.val();
        self.sequencer.clock.next = self.clock.val();
        self.input_queue.clock.next = self.clock.val();
        self.run_queue.clock.next = self.clock.val();
        self.hidden_queue.clock.next = self.clock.val();
        self.neurons.clock.next = self.clock.val();
        self.loader.clock.next = self.clock.val();
        self.verifier.clock.next = self.clock.val();

        comment!("The sequencer issues a word: both queues are asked.");
        self.event_live.d.next = self.sequencer.issue.val() & !self.sequencer.flush.val();
        self.event_word.d.next.first = self.sequencer.first.val();
        self.event_word.d.next.last = self.sequencer.last.val();
        self.event_word.d.next.is_final = self.sequencer.is_final.val();
        self.event_last_fold.d.next = self.sequencer.last_fold.val();
        self.event_first_fold.d.next = self.sequencer.first_fold.val();
        self.event_word.d.next.starting = self.sequencer.starting.val();
        self.event_word.d.next.slot = self.sequencer.slot.val();
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
        self.hidden_queue.counting.next = self.event_live.q.val()
            & self.event_first_fold.q.val()
            & !self.sequencer.from_inputs.val();
        self.address_live.d.next = self.event_live.q.val() & !self.sequencer.flush.val();
        if self.late_weights.val() {
            self.address_base.d.next = self.event_base.q.val();
        }
        self.address_word.d.next = self.event_word.q.val();
        self.address_word.d.next.end =
            self.event_word.q.val().is_final & self.event_last_fold.q.val();
        self.address_word.d.next.output = self.sequencer.output_layer.val();
        for i in 0..S {
            self.address_valid[i].clock.next = self.clock.val();
            self.address_row[i].clock.next = self.clock.val();
            self.address_valid[i].d.next = self.event_valid[i].val() & self.event_live.q.val();
            self.address_row[i].d.next = self.event_base.q.val() + self.event_row[i].val();
            if self.late_weights.val() {
                comment!("Block RAM has answered late in this cycle: the next one adds.");
                self.address_row[i].d.next = self.event_row[i].val();
            }
        }

        comment!("Address: loading and reading back use the memories while no word is here.");
        self.fetch_live.d.next = self.address_live.q.val() & !self.sequencer.flush.val();
        self.fetch_word.d.next = self.address_word.q.val();
        self.weight_live.d.next = self.address_live.q.val() & !self.sequencer.flush.val();
        self.weight_word.d.next = self.address_word.q.val();
        if self.late_weights.val() {
            self.weight_live.d.next = self.fetch_live.q.val() & !self.sequencer.flush.val();
            self.weight_word.d.next = self.fetch_word.q.val();
        }
        for i in 0..S {
            self.weights[i].clock.next = self.clock.val();
            self.weights[i].address.next = self.address_base.q.val() + self.address_row[i].q.val();
            if self.loader.write_row.val() {
                self.weights[i].address.next = self.loader.target_address.val();
            }
            if self.verifying.q.val() {
                self.weights[i].address.next = self.verifier.address.val();
            }
            self.weights[i].write_enable.next = self.loader.write_row.val()
                & (self.loader.target_bank.val() == self.bank_id[i].val());
            self.weights[i].write_data.next = self.loader.row.val();
            self.weight_valid[i].clock.next = self.clock.val();
            self.fetch_valid[i].clock.next = self.clock.val();
            self.fetch_valid[i].d.next = self.address_valid[i].q.val() & self.address_live.q.val();
            self.weight_valid[i].d.next = self.address_valid[i].q.val() & self.address_live.q.val();
            if self.late_weights.val() {
                self.weight_valid[i].d.next = self.fetch_valid[i].q.val();
            }
        }

        comment!("Weight: each lane has its weights.");
        self.count_live.d.next = self.weight_live.q.val() & !self.sequencer.flush.val();
        self.count_word.d.next = self.weight_word.q.val();
        self.count_word.d.next.first = self.weight_word.q.val().first & self.weight_live.q.val();
        for i in 0..S {
            self.neurons.valid[i].next = self.weight_valid[i].q.val();
            self.neurons.weights[i].next = self.weights[i].read_data.val();
        }

        comment!("Count: after the last word of a chunk the counts are complete.");
        self.neurons.first.next = self.count_word.q.val().first;
        self.chunk_done.d.next =
            self.count_live.q.val() & self.count_word.q.val().last & !self.sequencer.flush.val();
        self.chunk_word.d.next = self.count_word.q.val();

        comment!("Hand-over: the adders take the chunk, the lanes go on with the next one.");
        self.neurons.hand_over.next = self.chunk_done.q.val();
        self.is_last_beat.next = self.beat_number.q.val() == self.last_beat.val();
        self.beat_number.d.next = self.beat_number.q.val() + 1;
        if self.is_last_beat.val() {
            self.beat_live.d.next = false;
        }
        if self.chunk_done.q.val() {
            self.beat_live.d.next = true;
            self.beat_number.d.next = 0.into();
            self.beat_word.d.next = self.chunk_word.q.val();
        }
        if self.sequencer.flush.val() {
            self.beat_live.d.next = false;
        }

        comment!(
            "Beat: the margins are asked for; at other times, those that are scanned or read back."
        );
        self.neurons.slot.next = self.beat_word.q.val().slot;
        self.neurons.beat.next = self.beat_number.q.val();
        self.neurons.starting.next = self.beat_word.q.val().starting;
        self.neurons.select.next = self.margin_select.q.val();
        self.margin_select.d.next = self.sequencer.scan_lane_next.val();
        if self.sequencer.scanning.val() {
            self.neurons.slot.next = self.sequencer.slot.val();
            self.neurons.beat.next =
                bit_cast::<2, 10>(self.sequencer.scan_lane.val() >> self.lane_bits.val());
            self.neurons.starting.next = self.sequencer.starting.val();
        }
        if self.verifying.q.val() {
            self.neurons.slot.next = self.verifier.address.val().get_bits::<7>(0);
            self.neurons.beat.next =
                bit_cast::<2, 10>(self.verifier.lane.val() >> self.lane_bits.val());
            self.neurons.starting.next = true;
            self.margin_select.d.next = self.verifier.lane.val();
        }
        self.sum_live.d.next = self.beat_live.q.val() & !self.sequencer.flush.val();
        self.sum_word.d.next = self.beat_word.q.val();
        self.sum_word.d.next.end = self.beat_word.q.val().end & self.is_last_beat.val();

        comment!("Sum: the adders add.");
        self.fire_live.d.next = self.sum_live.q.val() & !self.sequencer.flush.val();
        self.fire_word.d.next = self.sum_word.q.val();

        comment!("Fire: the margins are written back, and spikes go to the next layer, or decide.");
        self.neurons.finish.next = self.fire_live.q.val();
        self.neurons.may_fire.next = self.fire_live.q.val() & self.fire_word.q.val().is_final;
        self.neurons.load_reset.next = self.load_strobe.val();
        self.neurons.load_write.next = self.loader.write_margin.val();
        self.neurons.load_turn.next = self.loader.turn.val();
        self.neurons.load_lane.next = self.loader.target_lane.val();
        self.neurons.load_slot.next = self.loader.target_address.val().get_bits::<7>(0);
        self.hidden_queue.write.next = self.fire_live.q.val()
            & self.fire_word.q.val().is_final
            & !self.fire_word.q.val().output;
        self.hidden_queue.write_last.next = self.fire_word.q.val().end;
        self.hidden_queue.mask.next = self.neurons.fire.val();
        self.settled.d.next =
            self.fire_live.q.val() & self.fire_word.q.val().end & self.fire_word.q.val().output;
        if self.fire_live.q.val() & self.fire_word.q.val().output & self.neurons.fire.val().any() {
            self.decided.d.next = true;
        }
        if self.sequencer.rewind.val() {
            self.decided.d.next = false;
        }
        self.sequencer.settled.next = self.settled.q.val();
        self.sequencer.decided.next = self.decided.q.val();
        self.sequencer.scan_margin.next = self.neurons.margin.val();
        self.verifier.margin.next = self.neurons.margin.val();

        comment!("Runs: a layer at a step.");
        self.run_queue.clear.next = self.sequencer.rewind.val();
        self.run_queue.begin.next = self.sequencer.run_begin.val();
        self.run_queue.begin_layer.next = self.sequencer.layer.val();
        self.run_queue.begin_step.next = self.sequencer.begin_step.val();
        self.run_queue.finished.next = self.hidden_queue.finished.val();
        self.run_queue.words.next = self.hidden_queue.words.val();
        self.run_queue.take.next = self.sequencer.run_take.val();
        self.hidden_queue.clear.next = self.sequencer.rewind.val();
        self.hidden_queue.advance.next = self.sequencer.run_take.val();
        self.sequencer.dead_end.next = self.run_queue.dead_end.val();
        self.sequencer.run_ready.next = self.run_queue.ready.val();
        self.sequencer.run_layer.next = self.run_queue.layer.val();
        self.sequencer.run_step.next = self.run_queue.step.val();
        self.sequencer.run_words.next = self.run_queue.ready_words.val();

        comment!("The sequencer's view of the image and of the geometry.");
        self.sequencer.image_ready.next = self.input_queue.image_ready.val();
        self.sequencer.has_next.next = self.input_queue.has_next.val();
        self.sequencer.next_step.next = self.input_queue.next_step.val();
        self.sequencer.next_words.next = self.input_queue.next_words.val();
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
        self.input_queue.advance.next = self.sequencer.advance.val();

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
        self.verifying.d.next = self.verifier.active.val();
        self.verify_done.next = self.verifier.done.val();
        self.verify_crc.next = self.verifier.crc.val();
        self.geometry.turn.next = self.verifier.geometry_turn.val();
        self.verifier.geometry_byte.next = self.geometry.oldest.val();
        self.verifier.rows_used.next = self.geometry.rows_used.val();
        self.verifier.slots_used.next = self.geometry.slots_used.val();
        for i in 0..S {
            self.row_bytes[i].clock.next = self.clock.val();
            self.row_bytes[i].row.next = self.weights[i].read_data.val();
            self.row_bytes[i].select.next = self.verifier.byte_select.val();
        }
        self.chosen_byte[0].next = self.row_bytes[0].chosen.val();
        for i in 1..S {
            self.chosen_byte[i].next = self.chosen_byte[i - 1].val();
            if self.verifier.bank.val() == self.bank_id[i].val() {
                self.chosen_byte[i].next = self.row_bytes[i].chosen.val();
            }
        }
        for last in Self::LAST..S {
            self.verifier.row_byte.next = self.chosen_byte[last].val();
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
