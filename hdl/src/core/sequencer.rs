//! The order of an inference: step by step, layer by layer, fold by fold, word by word.

use crate::comment;
use rust_hdl::prelude::*;

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum State {
    /// Wait for an image.
    Idle,
    /// Ask every bank for its first entry.
    Probe,
    /// The answers are there.
    Peek,
    /// Go to the next step that has spikes.
    Step,
    /// Begin a layer.
    Layer,
    /// Issue one word of events a clock cycle, for all folds.
    Run,
    /// Wait until pipeline and pickers are empty.
    Drain,
    /// Begin to look for the winner.
    Scan,
    /// Address a fold of outputs.
    ScanRead,
    /// Take a lane a clock cycle.
    ScanLane,
    /// Compare the last one.
    ScanEnd,
    /// Hand over the result.
    Done,
}

/// Issues words of events to the pipeline, and finds the winner among the outputs.
///
/// A word is what the banks give at one offset: up to S events. What the states cost in cycles is
/// told in docs/core.md, and counted by `firmware_model::cycle`.
#[derive(LogicBlock)]
pub struct Sequencer {
    pub clock: Signal<In, Clock>,
    // The image
    pub image_ready: Signal<In, Bit>,
    pub image_release: Signal<Out, Bit>,
    pub rewind: Signal<Out, Bit>,
    pub peek: Signal<Out, Bit>,
    pub advance: Signal<Out, Bit>,
    pub has_next: Signal<In, Bit>,
    pub next_step: Signal<In, Bits<8>>,
    // The geometry
    pub layer: Signal<Out, Bits<2>>,
    pub last_layer: Signal<In, Bits<2>>,
    pub last_step: Signal<In, Bits<8>>,
    pub outputs: Signal<In, Bits<16>>,
    pub rows: Signal<In, Bits<16>>,
    pub base: Signal<In, Bits<16>>,
    pub folds: Signal<In, Bits<8>>,
    pub first_slot: Signal<In, Bits<7>>,
    // The hidden events
    pub hidden_words: Signal<In, Bits<12>>,
    pub hidden_clear: Signal<Out, Bit>,
    pub hidden_turn: Signal<Out, Bit>,
    // The words that go out
    pub issue: Signal<Out, Bit>,
    pub first: Signal<Out, Bit>,
    pub last: Signal<Out, Bit>,
    pub probe: Signal<Out, Bit>,
    pub offset: Signal<Out, Bits<12>>,
    pub slot: Signal<Out, Bits<7>>,
    pub row_base: Signal<Out, Bits<16>>,
    pub step: Signal<Out, Bits<8>>,
    /// The first layer runs: events are input spikes.
    pub from_inputs: Signal<Out, Bit>,
    pub output_layer: Signal<Out, Bit>,
    /// The layer has margins of its own; before, its starting margins are those that count.
    pub touched: Signal<Out, Bit>,
    // What comes back
    /// The word issued two cycles before was of the first pass, and no bank had an event any more.
    pub probe_end: Signal<In, Bit>,
    pub output_fired: Signal<In, Bit>,
    pub quiet: Signal<In, Bit>,
    // The scan
    pub scanning: Signal<Out, Bit>,
    pub scan_lane: Signal<Out, Bits<8>>,
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
    layers_touched: DFF<Bits<3>>,
    step_now: DFF<Bits<8>>,
    fold: DFF<Bits<8>>,
    slot_now: DFF<Bits<7>>,
    row_base_now: DFF<Bits<16>>,
    word: DFF<Bits<12>>,
    words: DFF<Bits<12>>,
    words_known: DFF<Bit>,
    decided: DFF<Bit>,
    lane: DFF<Bits<8>>,
    scanned: DFF<Bits<16>>,
    compare: DFF<Bit>,
    compare_class: DFF<Bits<16>>,
    best_class: DFF<Bits<16>>,
    best_margin: DFF<Bits<16>>,
    /// Cycles of this inference; while idle, of waiting for the next.
    cycles: DFF<Bits<32>>,
    idle: DFF<Bits<32>>,
    ready: DFF<Bit>,
    ready_class: DFF<Bits<16>>,
    ready_step: DFF<Bits<8>>,
    ready_margin: DFF<Bits<16>>,
    ready_cycles: DFF<Bits<32>>,
    ready_idle: DFF<Bits<32>>,
    end_of_fold: Signal<Local, Bit>,
    is_last_word: Signal<Local, Bit>,
    is_last_layer: Signal<Local, Bit>,
    ordered_margin: Signal<Local, Bits<16>>,
    sign_bit: Constant<Bits<16>>,
    last_lane: Constant<Bits<8>>,
}

impl Sequencer {
    pub fn new(lanes: usize) -> Self {
        Sequencer {
            clock: Default::default(),
            image_ready: Default::default(),
            image_release: Default::default(),
            rewind: Default::default(),
            peek: Default::default(),
            advance: Default::default(),
            has_next: Default::default(),
            next_step: Default::default(),
            layer: Default::default(),
            last_layer: Default::default(),
            last_step: Default::default(),
            outputs: Default::default(),
            rows: Default::default(),
            base: Default::default(),
            folds: Default::default(),
            first_slot: Default::default(),
            hidden_words: Default::default(),
            hidden_clear: Default::default(),
            hidden_turn: Default::default(),
            issue: Default::default(),
            first: Default::default(),
            last: Default::default(),
            probe: Default::default(),
            offset: Default::default(),
            slot: Default::default(),
            row_base: Default::default(),
            step: Default::default(),
            from_inputs: Default::default(),
            output_layer: Default::default(),
            touched: Default::default(),
            probe_end: Default::default(),
            output_fired: Default::default(),
            quiet: Default::default(),
            scanning: Default::default(),
            scan_lane: Default::default(),
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
            step_now: Default::default(),
            fold: Default::default(),
            slot_now: Default::default(),
            row_base_now: Default::default(),
            word: Default::default(),
            words: Default::default(),
            words_known: Default::default(),
            decided: Default::default(),
            lane: Default::default(),
            scanned: Default::default(),
            compare: Default::default(),
            compare_class: Default::default(),
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
            end_of_fold: Default::default(),
            is_last_word: Default::default(),
            is_last_layer: Default::default(),
            ordered_margin: Default::default(),
            sign_bit: Constant::new(0x8000.into()),
            last_lane: Constant::new((lanes as u64 - 1).into()),
        }
    }
}

impl Logic for Sequencer {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module sequencer");
        comment!(
            "The order of an inference: step by step, layer by layer, fold by fold, word by word."
        );
        dff_setup!(
            self,
            clock,
            state,
            layer_now,
            layers_touched,
            step_now,
            fold,
            slot_now,
            row_base_now,
            word,
            words,
            words_known,
            decided,
            lane,
            scanned,
            compare,
            compare_class,
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
        self.peek.next = false;
        self.advance.next = false;
        self.hidden_clear.next = false;
        self.hidden_turn.next = false;
        self.issue.next = false;
        self.scanning.next = false;
        self.busy.next = true;
        self.compare.d.next = false;
        self.end_of_fold.next = false;
        self.is_last_layer.next = self.layer_now.q.val() == self.last_layer.val();
        self.is_last_word.next =
            self.words_known.q.val() & (self.word.q.val() + 1 == self.words.q.val());
        self.cycles.d.next = self.cycles.q.val() + 1;
        if self.result_take.val() {
            self.ready.d.next = false;
        }
        if self.output_fired.val() {
            self.decided.d.next = true;
        }

        match self.state.q.val() {
            State::Idle => {
                self.busy.next = false;
                self.layers_touched.d.next = 0.into();
                self.decided.d.next = false;
                self.rewind.next = true;
                if self.image_ready.val() {
                    self.idle.d.next = self.cycles.q.val();
                    self.cycles.d.next = 0.into();
                    self.state.d.next = State::Probe;
                }
            }
            State::Probe => {
                self.word.d.next = 0.into();
                self.state.d.next = State::Peek;
            }
            State::Peek => {
                self.peek.next = true;
                self.state.d.next = State::Step;
            }
            State::Step => {
                self.advance.next = true;
                self.hidden_clear.next = true;
                self.words_known.d.next = false;
                if self.has_next.val() {
                    self.step_now.d.next = self.next_step.val();
                    self.layer_now.d.next = 0.into();
                    self.state.d.next = State::Layer;
                } else {
                    self.step_now.d.next = self.last_step.val();
                    self.layer_now.d.next = self.last_layer.val();
                    self.state.d.next = State::Scan;
                }
            }
            State::Layer => {
                self.fold.d.next = 0.into();
                self.slot_now.d.next = self.first_slot.val();
                self.row_base_now.d.next = self.base.val();
                self.word.d.next = 0.into();
                self.state.d.next = State::Run;
            }
            State::Run => {
                self.issue.next = !self.probe_end.val();
                self.word.d.next = self.word.q.val() + 1;
                if self.probe_end.val() {
                    self.words_known.d.next = true;
                    self.words.d.next = self.word.q.val() - 2;
                }
                self.end_of_fold.next = self.probe_end.val() | self.is_last_word.val();
                if self.end_of_fold.val() {
                    self.word.d.next = 0.into();
                    self.fold.d.next = self.fold.q.val() + 1;
                    self.slot_now.d.next = self.slot_now.q.val() + 1;
                    self.row_base_now.d.next = self.row_base_now.q.val() + self.rows.val();
                    if self.fold.q.val() + 1 == self.folds.val() {
                        self.state.d.next = State::Drain;
                    }
                }
            }
            State::Drain => {
                if self.quiet.val() {
                    if bit_cast::<3, 2>(self.layer_now.q.val()) == self.layers_touched.q.val() {
                        self.layers_touched.d.next = self.layers_touched.q.val() + 1;
                    }
                    self.state.d.next = State::Step;
                    if self.is_last_layer.val() {
                        if self.decided.q.val() {
                            self.state.d.next = State::Scan;
                        }
                    } else if self.hidden_words.val().any() {
                        self.hidden_turn.next = true;
                        self.words.d.next = self.hidden_words.val();
                        self.words_known.d.next = true;
                        self.layer_now.d.next = self.layer_now.q.val() + 1;
                        self.state.d.next = State::Layer;
                    }
                }
            }
            State::Scan => {
                self.slot_now.d.next = self.first_slot.val();
                self.lane.d.next = 0.into();
                self.scanned.d.next = 0.into();
                self.best_class.d.next = 0.into();
                self.best_margin.d.next = 0.into();
                self.state.d.next = State::ScanRead;
            }
            State::ScanRead => {
                self.scanning.next = true;
                self.state.d.next = State::ScanLane;
            }
            State::ScanLane => {
                self.scanning.next = true;
                self.compare.d.next = true;
                self.compare_class.d.next = self.scanned.q.val();
                self.scanned.d.next = self.scanned.q.val() + 1;
                self.lane.d.next = self.lane.q.val() + 1;
                if self.lane.q.val() == self.last_lane.val() {
                    self.lane.d.next = 0.into();
                    self.slot_now.d.next = self.slot_now.q.val() + 1;
                    self.state.d.next = State::ScanRead;
                }
                if self.scanned.q.val() + 1 == self.outputs.val() {
                    self.state.d.next = State::ScanEnd;
                }
            }
            State::ScanEnd => {
                self.state.d.next = State::Done;
            }
            State::Done => {
                self.cycles.d.next = self.cycles.q.val();
                if !self.ready.q.val() {
                    self.ready.d.next = true;
                    self.ready_class.d.next = self.best_class.q.val();
                    self.ready_step.d.next = self.step_now.q.val();
                    self.ready_margin.d.next = self.best_margin.q.val() ^ self.sign_bit.val();
                    self.ready_cycles.d.next = self.cycles.q.val();
                    self.ready_idle.d.next = self.idle.q.val();
                    self.cycles.d.next = 0.into();
                    self.image_release.next = true;
                    self.state.d.next = State::Idle;
                }
            }
        }

        comment!(
            "With the sign bit turned, margins compare as unsigned numbers. Strictly greater:"
        );
        comment!("among equals the lowest index wins.");
        self.ordered_margin.next = self.scan_margin.val() ^ self.sign_bit.val();
        if self.compare.q.val() & (self.ordered_margin.val() > self.best_margin.q.val()) {
            self.best_margin.d.next = self.ordered_margin.val();
            self.best_class.d.next = self.compare_class.q.val();
        }

        self.layer.next = self.layer_now.q.val();
        self.first.next = !self.word.q.val().any();
        self.last.next = self.is_last_word.val();
        self.probe.next = !self.words_known.q.val();
        self.offset.next = self.word.q.val();
        self.slot.next = self.slot_now.q.val();
        self.row_base.next = self.row_base_now.q.val();
        self.step.next = self.step_now.q.val();
        self.from_inputs.next = !self.layer_now.q.val().any();
        self.output_layer.next = self.is_last_layer.val();
        self.touched.next = bit_cast::<3, 2>(self.layer_now.q.val()) < self.layers_touched.q.val();
        self.scan_lane.next = self.lane.q.val();
        self.result_valid.next = self.ready.q.val();
        self.result_class.next = self.ready_class.q.val();
        self.result_step.next = self.ready_step.q.val();
        self.result_silent.next = self.ready_margin.q.val().get_bit(15);
        self.result_overshoot.next = self.ready_margin.q.val();
        self.result_cycles.next = self.ready_cycles.q.val();
        self.result_idle.next = self.ready_idle.q.val();
    }
}
