//! The order of an inference: run by run, fold by fold, word by word.

use crate::comment;
use firmware_model::config::{CoreConfig, SAME_FOLD};
use rust_hdl::prelude::*;

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum State {
    /// Wait for an image.
    Idle,
    /// Choose what to run next: a layer at a step.
    Choose,
    /// Issue one word of events a clock cycle, for all folds.
    Run,
    /// Begin to look for the winner.
    Scan,
    /// Address a row of outputs.
    ScanRead,
    /// Take an output a clock cycle.
    ScanLane,
    /// Compare the last one.
    ScanEnd,
    /// Hand over the result.
    Done,
}

/// Issues words of events to the pipeline, and finds the winner among the outputs.
///
/// A run is one layer at one step. A deeper layer is run as soon as its events are there; in the meantime layer 1 goes on
/// with the next step. That cannot change the result, because the output layer runs step after step, and waits each time
/// until it is known whether an output fired.
///
/// A word is what the banks give at one offset: up to S events. Words are counted in chunks of 15. What the states
/// cost in cycles is told in docs/core.md, and counted by `firmware_model::cycle`.
#[derive(LogicBlock)]
pub struct Sequencer {
    pub clock: Signal<In, Clock>,
    // The image
    pub image_ready: Signal<In, Bit>,
    pub image_release: Signal<Out, Bit>,
    /// A new inference begins: forget what is left of the last one.
    pub rewind: Signal<Out, Bit>,
    pub advance: Signal<Out, Bit>,
    pub has_next: Signal<In, Bit>,
    pub next_step: Signal<In, Bits<8>>,
    pub next_words: Signal<In, Bits<12>>,
    // The geometry
    pub layer: Signal<Out, Bits<2>>,
    pub last_layer: Signal<In, Bits<2>>,
    pub last_step: Signal<In, Bits<8>>,
    pub outputs: Signal<In, Bits<16>>,
    pub rows: Signal<In, Bits<16>>,
    pub base: Signal<In, Bits<16>>,
    pub folds: Signal<In, Bits<8>>,
    pub first_slot: Signal<In, Bits<7>>,
    // The runs under way
    pub run_ready: Signal<In, Bit>,
    pub run_layer: Signal<In, Bits<2>>,
    pub run_step: Signal<In, Bits<8>>,
    pub run_words: Signal<In, Bits<12>>,
    pub run_take: Signal<Out, Bit>,
    /// A run of a hidden layer begins, `layer` at `begin_step`.
    pub run_begin: Signal<Out, Bit>,
    pub begin_step: Signal<Out, Bits<8>>,
    /// A step is over on its way: no neuron of a hidden layer fired.
    pub dead_end: Signal<In, Bit>,
    // The words that go out
    pub issue: Signal<Out, Bit>,
    /// The first word of its chunk.
    pub first: Signal<Out, Bit>,
    /// The last word of its chunk.
    pub last: Signal<Out, Bit>,
    /// The last word of its fold.
    pub is_final: Signal<Out, Bit>,
    pub last_fold: Signal<Out, Bit>,
    /// The first fold: its pass over hidden spikes also finds where those of the next run begin.
    pub first_fold: Signal<Out, Bit>,
    pub offset: Signal<Out, Bits<12>>,
    pub slot: Signal<Out, Bits<7>>,
    pub row_base: Signal<Out, Bits<16>>,
    /// The fold still has its starting margins.
    pub starting: Signal<Out, Bit>,
    // What runs, until the first word of the next run has been issued
    /// The first layer: events are input spikes.
    pub from_inputs: Signal<Out, Bit>,
    pub output_layer: Signal<Out, Bit>,
    // What comes back
    /// The output layer's run has settled.
    pub settled: Signal<In, Bit>,
    /// An output fired.
    pub decided: Signal<In, Bit>,
    /// Drop all words: the inference is decided.
    pub flush: Signal<Out, Bit>,
    // The scan
    pub scanning: Signal<Out, Bit>,
    pub scan_lane: Signal<Out, Bits<10>>,
    /// The lane of the next cycle.
    pub scan_lane_next: Signal<Out, Bits<10>>,
    pub scan_margin: Signal<In, Bits<16>>,
    // The result
    pub busy: Signal<Out, Bit>,
    pub result_valid: Signal<Out, Bit>,
    pub result_take: Signal<In, Bit>,
    pub result_class: Signal<Out, Bits<16>>,
    pub result_step: Signal<Out, Bits<8>>,
    pub result_silent: Signal<Out, Bit>,
    pub result_overshoot: Signal<Out, Bits<16>>,
    pub result_cycles: Signal<Out, Bits<32>>,
    pub result_idle: Signal<Out, Bits<32>>,
    state: DFF<State>,
    layer_now: DFF<Bits<2>>,
    layers_touched: DFF<Bits<4>>,
    under_way: DFF<Bits<2>>,
    output_pending: DFF<Bit>,
    output_step: DFF<Bits<8>>,
    folds_left: DFF<Bits<8>>,
    in_first_fold: DFF<Bit>,
    same_fold_again: DFF<Bit>,
    slot_now: DFF<Bits<7>>,
    row_base_now: DFF<Bits<16>>,
    word: DFF<Bits<12>>,
    words: DFF<Bits<12>>,
    words_left: DFF<Bits<12>>,
    chunk_word: DFF<Bits<4>>,
    later_chunk: DFF<Bit>,
    since_chunk: DFF<Bits<3>>,
    scans: DFF<Bit>,
    lane: DFF<Bits<10>>,
    scanned: DFF<Bits<16>>,
    outputs_left: DFF<Bits<16>>,
    compare: DFF<Bit>,
    compare_class: DFF<Bits<16>>,
    /// The same a cycle later, for margins that come a cycle later.
    compare_late: DFF<Bit>,
    compare_class_late: DFF<Bits<16>>,
    compares: Signal<Local, Bit>,
    compared_class: Signal<Local, Bits<16>>,
    late_margins: Constant<Bit>,
    best_class: DFF<Bits<16>>,
    best_margin: DFF<Bits<16>>,
    /// Cycles of this inference; while idle, of waiting for the next. They stop at their greatest, which no
    /// inference reaches: each of the core's weights is used once at most.
    cycles: DFF<Bits<20>>,
    idle: DFF<Bits<20>>,
    ready: DFF<Bit>,
    ready_class: DFF<Bits<16>>,
    ready_step: DFF<Bits<8>>,
    ready_margin: DFF<Bits<16>>,
    ready_cycles: DFF<Bits<20>>,
    ready_idle: DFF<Bits<20>>,
    run_is_output: Signal<Local, Bit>,
    take_run: Signal<Local, Bit>,
    take_inputs: Signal<Local, Bit>,
    first_is_output: Signal<Local, Bit>,
    chosen_layer: Signal<Local, Bits<2>>,
    chosen_step: Signal<Local, Bits<8>>,
    chosen_words: Signal<Local, Bits<12>>,
    chosen_output: Signal<Local, Bit>,
    under_way_left: Signal<Local, Bits<2>>,
    layer_bit: Signal<Local, Bits<4>>,
    is_touched: Signal<Local, Bit>,
    too_early: Signal<Local, Bit>,
    hold: Signal<Local, Bit>,
    issues: Signal<Local, Bit>,
    end_of_chunk: Signal<Local, Bit>,
    end_of_fold: Signal<Local, Bit>,
    is_last_word: Signal<Local, Bit>,
    is_last_fold: Signal<Local, Bit>,
    ordered_margin: Signal<Local, Bits<16>>,
    sign_bit: Constant<Bits<16>>,
    overshoot_bits: Constant<Bits<16>>,
    row_mask: Constant<Bits<10>>,
    lane_mask: Constant<Bits<10>>,
    class_mask: Constant<Bits<16>>,
    left_mask: Constant<Bits<16>>,
    slot_mask: Constant<Bits<7>>,
    word_mask: Constant<Bits<12>>,
    apart: Constant<Bits<3>>,
    apart_same_fold: Constant<Bits<3>>,
}

impl Sequencer {
    pub fn new(config: &CoreConfig) -> Self {
        let beats = u64::from(config.beats);
        let most_outputs = u64::from(config.lanes) * u64::from(config.fold_slots);
        Sequencer {
            clock: Default::default(),
            image_ready: Default::default(),
            image_release: Default::default(),
            rewind: Default::default(),
            advance: Default::default(),
            has_next: Default::default(),
            next_step: Default::default(),
            next_words: Default::default(),
            layer: Default::default(),
            last_layer: Default::default(),
            last_step: Default::default(),
            outputs: Default::default(),
            rows: Default::default(),
            base: Default::default(),
            folds: Default::default(),
            first_slot: Default::default(),
            run_ready: Default::default(),
            run_layer: Default::default(),
            run_step: Default::default(),
            run_words: Default::default(),
            run_take: Default::default(),
            run_begin: Default::default(),
            begin_step: Default::default(),
            dead_end: Default::default(),
            issue: Default::default(),
            first: Default::default(),
            last: Default::default(),
            is_final: Default::default(),
            last_fold: Default::default(),
            first_fold: Default::default(),
            offset: Default::default(),
            slot: Default::default(),
            row_base: Default::default(),
            starting: Default::default(),
            from_inputs: Default::default(),
            output_layer: Default::default(),
            settled: Default::default(),
            decided: Default::default(),
            flush: Default::default(),
            scanning: Default::default(),
            scan_lane: Default::default(),
            scan_lane_next: Default::default(),
            scan_margin: Default::default(),
            busy: Default::default(),
            result_valid: Default::default(),
            result_take: Default::default(),
            result_class: Default::default(),
            result_step: Default::default(),
            result_silent: Default::default(),
            result_overshoot: Default::default(),
            result_cycles: Default::default(),
            result_idle: Default::default(),
            state: Default::default(),
            layer_now: Default::default(),
            layers_touched: Default::default(),
            under_way: Default::default(),
            output_pending: Default::default(),
            output_step: Default::default(),
            folds_left: Default::default(),
            in_first_fold: Default::default(),
            same_fold_again: Default::default(),
            slot_now: Default::default(),
            row_base_now: Default::default(),
            word: Default::default(),
            words: Default::default(),
            words_left: Default::default(),
            chunk_word: Default::default(),
            later_chunk: Default::default(),
            since_chunk: Default::default(),
            scans: Default::default(),
            lane: Default::default(),
            scanned: Default::default(),
            outputs_left: Default::default(),
            compare: Default::default(),
            compare_class: Default::default(),
            compare_late: Default::default(),
            compare_class_late: Default::default(),
            compares: Default::default(),
            compared_class: Default::default(),
            late_margins: Constant::new(config.late_margins()),
            best_class: Default::default(),
            best_margin: Default::default(),
            cycles: Default::default(),
            idle: Default::default(),
            ready: Default::default(),
            ready_class: Default::default(),
            ready_step: Default::default(),
            ready_margin: Default::default(),
            ready_cycles: Default::default(),
            ready_idle: Default::default(),
            run_is_output: Default::default(),
            take_run: Default::default(),
            take_inputs: Default::default(),
            first_is_output: Default::default(),
            chosen_layer: Default::default(),
            chosen_step: Default::default(),
            chosen_words: Default::default(),
            chosen_output: Default::default(),
            under_way_left: Default::default(),
            layer_bit: Default::default(),
            is_touched: Default::default(),
            too_early: Default::default(),
            hold: Default::default(),
            issues: Default::default(),
            end_of_chunk: Default::default(),
            end_of_fold: Default::default(),
            is_last_word: Default::default(),
            is_last_fold: Default::default(),
            ordered_margin: Default::default(),
            sign_bit: Constant::new(0x8000.into()),
            overshoot_bits: Constant::new(0x3FFF.into()),
            row_mask: Constant::new((config.group() as u64 - 1).into()),
            word_mask: Constant::new(((1u64 << config.word_bits()) - 1).into()),
            slot_mask: Constant::new((u64::from(config.fold_slots) - 1).into()),
            left_mask: Constant::new((2 * most_outputs.next_power_of_two() - 1).into()),
            class_mask: Constant::new((most_outputs.next_power_of_two() - 1).into()),
            lane_mask: Constant::new((u64::from(config.lanes) - 1).into()),
            apart: Constant::new(beats.into()),
            apart_same_fold: Constant::new(beats.max(SAME_FOLD as u64).into()),
        }
    }
}

impl Logic for Sequencer {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module sequencer");
        comment!("The order of an inference: run by run, fold by fold, word by word.");
        dff_setup!(
            self,
            clock,
            state,
            layer_now,
            layers_touched,
            under_way,
            output_pending,
            output_step,
            folds_left,
            in_first_fold,
            same_fold_again,
            slot_now,
            row_base_now,
            word,
            words,
            words_left,
            chunk_word,
            later_chunk,
            since_chunk,
            scans,
            lane,
            scanned,
            outputs_left,
            compare,
            compare_class,
            compare_late,
            compare_class_late,
            best_class,
            best_margin,
            cycles,
            idle,
            ready,
            ready_class,
            ready_step,
            ready_margin,
            ready_cycles,
            ready_idle
        );
        self.image_release.next = false;
        self.rewind.next = false;
        self.scans.d.next = false;
        self.busy.next = true;
        self.compare.d.next = false;
        self.cycles.d.next = self.cycles.q.val() + 1;
        if self.result_take.val() {
            self.ready.d.next = false;
        }

        comment!("What could be run next: a deeper layer, or else the first one at the next step. The output");
        comment!("layer waits until its last run has settled: its margins are the result if that decides.");
        self.run_is_output.next = self.run_layer.val() == self.last_layer.val();
        self.first_is_output.next = !self.last_layer.val().any();
        self.take_run.next =
            self.run_ready.val() & !(self.run_is_output.val() & self.output_pending.q.val());
        self.take_inputs.next = !self.take_run.val()
            & self.has_next.val()
            & !self.under_way.q.val().get_bit(1)
            & !(self.first_is_output.val() & self.output_pending.q.val());
        self.chosen_layer.next = 0.into();
        self.chosen_step.next = self.next_step.val();
        self.chosen_words.next = self.next_words.val();
        self.chosen_output.next = self.first_is_output.val();
        if self.take_run.val() {
            self.chosen_layer.next = self.run_layer.val();
            self.chosen_step.next = self.run_step.val();
            self.chosen_words.next = self.run_words.val();
            self.chosen_output.next = self.run_is_output.val();
        }
        self.run_take.next = false;
        self.run_begin.next = false;
        self.advance.next = false;
        self.begin_step.next = self.chosen_step.val();
        self.layer.next = self.layer_now.q.val();
        self.under_way_left.next = self.under_way.q.val();
        if self.dead_end.val() {
            self.under_way_left.next = self.under_way.q.val() - 1;
        }
        self.under_way.d.next = self.under_way_left.val();

        comment!("Chunks come so far apart that the adders have time for each.");
        self.too_early.next = self.since_chunk.q.val() < self.apart.val();
        if self.later_chunk.q.val() | (self.in_first_fold.q.val() & self.same_fold_again.q.val()) {
            self.too_early.next = self.since_chunk.q.val() < self.apart_same_fold.val();
        }
        self.is_last_word.next = (self.words_left.q.val() & self.word_mask.val()) == 1;
        self.end_of_chunk.next = (self.chunk_word.q.val() == 14) | self.is_last_word.val();
        self.hold.next = self.too_early.val() & self.end_of_chunk.val();
        self.issues.next = false;
        self.scan_lane_next.next = self.lane.q.val();
        self.end_of_fold.next = false;
        self.is_last_fold.next = self.folds_left.q.val() == 1;
        self.layer_bit.next = bits::<4>(1) << self.layer_now.q.val();
        self.is_touched.next = (self.layers_touched.q.val() & self.layer_bit.val()).any();
        if !self.since_chunk.q.val().get_bit(2) {
            self.since_chunk.d.next = self.since_chunk.q.val() + 1;
        }

        match self.state.q.val() {
            State::Idle => {
                self.busy.next = false;
                self.layers_touched.d.next = 0.into();
                self.under_way.d.next = 0.into();
                self.output_pending.d.next = false;
                self.since_chunk.d.next = 4.into();
                self.word.d.next = 0.into();
                self.rewind.next = true;
                if self.image_ready.val() {
                    self.idle.d.next = self.cycles.q.val();
                    self.cycles.d.next = 0.into();
                    self.state.d.next = State::Choose;
                }
            }
            State::Choose => {
                self.layer.next = self.chosen_layer.val();
                self.folds_left.d.next = self.folds.val();
                self.in_first_fold.d.next = true;
                self.same_fold_again.d.next =
                    (self.chosen_layer.val() == self.layer_now.q.val()) & (self.folds.val() == 1);
                self.slot_now.d.next = self.first_slot.val();
                self.row_base_now.d.next = self.base.val();
                self.word.d.next = 0.into();
                self.chunk_word.d.next = 0.into();
                self.later_chunk.d.next = false;
                self.words.d.next = self.chosen_words.val();
                self.words_left.d.next = self.chosen_words.val();
                if self.take_run.val() | self.take_inputs.val() {
                    self.run_take.next = self.take_run.val();
                    self.advance.next = self.take_inputs.val();
                    self.layer_now.d.next = self.chosen_layer.val();
                    self.run_begin.next = !self.chosen_output.val();
                    if self.chosen_output.val() {
                        self.output_pending.d.next = true;
                        self.output_step.d.next = self.chosen_step.val();
                    }
                    if self.take_inputs.val() & !self.chosen_output.val() {
                        self.under_way.d.next = self.under_way_left.val() + 1;
                    }
                    if self.take_run.val() & self.chosen_output.val() {
                        self.under_way.d.next = self.under_way_left.val() - 1;
                    }
                    self.state.d.next = State::Run;
                } else if !self.has_next.val()
                    & !self.under_way.q.val().any()
                    & !self.output_pending.q.val()
                {
                    self.layer_now.d.next = self.last_layer.val();
                    self.output_step.d.next = self.last_step.val();
                    self.state.d.next = State::Scan;
                }
            }
            State::Run => {
                self.issues.next = !self.hold.val();
                if self.issues.val() {
                    self.word.d.next = self.word.q.val() + 1;
                    self.words_left.d.next = self.words_left.q.val() - 1;
                    if self.is_last_word.val() {
                        self.words_left.d.next = self.words.q.val();
                    }
                    self.chunk_word.d.next = self.chunk_word.q.val() + 1;
                    if self.end_of_chunk.val() {
                        self.chunk_word.d.next = 0.into();
                        self.later_chunk.d.next = true;
                        self.since_chunk.d.next = 1.into();
                    }
                }
                self.end_of_fold.next = self.issues.val() & self.is_last_word.val();
                if self.end_of_fold.val() {
                    self.word.d.next = 0.into();
                    self.chunk_word.d.next = 0.into();
                    self.later_chunk.d.next = false;
                    self.folds_left.d.next = self.folds_left.q.val() - 1;
                    self.in_first_fold.d.next = false;
                    self.slot_now.d.next = self.slot_now.q.val() + 1;
                    self.row_base_now.d.next = self.row_base_now.q.val() + self.rows.val();
                    if self.is_last_fold.val() {
                        self.layers_touched.d.next =
                            self.layers_touched.q.val() | self.layer_bit.val();
                        self.state.d.next = State::Choose;
                    }
                }
            }
            State::Scan => {
                self.scans.d.next = true;
                self.slot_now.d.next = self.first_slot.val();
                self.scan_lane_next.next = 0.into();
                self.scanned.d.next = 0.into();
                self.outputs_left.d.next = self.outputs.val() & self.left_mask.val();
                self.best_class.d.next = 0.into();
                self.best_margin.d.next = 0.into();
                self.state.d.next = State::ScanRead;
            }
            State::ScanRead => {
                self.scans.d.next = true;
                self.state.d.next = State::ScanLane;
            }
            State::ScanLane => {
                self.scans.d.next = true;
                self.compare.d.next = true;
                self.compare_class.d.next = self.scanned.q.val();
                self.scanned.d.next = (self.scanned.q.val() + 1) & self.class_mask.val();
                self.scan_lane_next.next = (self.lane.q.val() + 1) & self.lane_mask.val();
                if (self.lane.q.val() & self.row_mask.val()) == self.row_mask.val() {
                    self.state.d.next = State::ScanRead;
                }
                if self.lane.q.val() == self.lane_mask.val() {
                    self.slot_now.d.next = self.slot_now.q.val() + 1;
                }
                self.outputs_left.d.next = (self.outputs_left.q.val() - 1) & self.left_mask.val();
                if self.outputs_left.q.val() == 1 {
                    self.state.d.next = State::ScanEnd;
                }
            }
            State::ScanEnd => {
                comment!("The last margin is compared in this cycle, or comes a cycle later.");
                if !self.late_margins.val() | !self.compare.q.val() {
                    self.state.d.next = State::Done;
                }
            }
            State::Done => {
                self.cycles.d.next = self.cycles.q.val();
                self.rewind.next = true;
                if !self.ready.q.val() {
                    self.ready.d.next = true;
                    self.ready_class.d.next = self.best_class.q.val();
                    self.ready_step.d.next = self.output_step.q.val();
                    self.ready_margin.d.next = self.best_margin.q.val() ^ self.sign_bit.val();
                    self.ready_cycles.d.next = self.cycles.q.val();
                    self.ready_idle.d.next = self.idle.q.val();
                    self.cycles.d.next = 0.into();
                    self.image_release.next = true;
                    self.state.d.next = State::Idle;
                }
            }
        }

        comment!("Once the output layer has settled, the inference is decided, or the next run may come.");
        self.flush.next = self.settled.val() & self.decided.val();
        if self.settled.val() {
            self.output_pending.d.next = false;
        }
        if self.flush.val() {
            self.layer_now.d.next = self.last_layer.val();
            self.state.d.next = State::Scan;
        }

        comment!(
            "With the sign bit turned, margins compare as unsigned numbers. Strictly greater:"
        );
        comment!("among equals the lowest index wins.");
        self.ordered_margin.next = self.scan_margin.val() ^ self.sign_bit.val();
        self.compare_late.d.next = self.compare.q.val();
        self.compare_class_late.d.next = self.compare_class.q.val();
        self.compares.next = self.compare.q.val();
        self.compared_class.next = self.compare_class.q.val();
        if self.late_margins.val() {
            self.compares.next = self.compare_late.q.val();
            self.compared_class.next = self.compare_class_late.q.val();
        }
        if self.compares.val() & (self.ordered_margin.val() > self.best_margin.q.val()) {
            self.best_margin.d.next = self.ordered_margin.val();
            self.best_class.d.next = self.compared_class.val();
        }

        self.issue.next = self.issues.val();
        self.first.next = self.chunk_word.q.val() == 0;
        self.last.next = self.end_of_chunk.val();
        self.is_final.next = self.is_last_word.val();
        self.last_fold.next = self.is_last_fold.val();
        self.first_fold.next = self.in_first_fold.q.val();
        self.offset.next = self.word.q.val();
        self.slot.next = self.slot_now.q.val() & self.slot_mask.val();
        self.row_base.next = self.row_base_now.q.val();
        self.starting.next = !self.is_touched.val() & !self.later_chunk.q.val();
        self.from_inputs.next = !self.layer_now.q.val().any();
        self.output_layer.next = self.layer_now.q.val() == self.last_layer.val();
        self.scanning.next = self.scans.q.val();
        self.scan_lane.next = self.lane.q.val();
        self.lane.d.next = self.scan_lane_next.val();
        self.result_valid.next = self.ready.q.val();
        self.result_class.next = self.ready_class.q.val();
        self.result_step.next = self.ready_step.q.val();
        self.result_silent.next = self.ready_margin.q.val().get_bit(15);
        self.result_overshoot.next = self.ready_margin.q.val();
        if !self.ready_margin.q.val().get_bit(15) {
            self.result_overshoot.next = self.ready_margin.q.val() & self.overshoot_bits.val();
        }
        self.result_cycles.next = bit_cast::<32, 20>(self.ready_cycles.q.val());
        self.result_idle.next = bit_cast::<32, 20>(self.ready_idle.q.val());
    }
}
