//! Circuits that use what the emitter translates.

use firstspike_hdl::comment;
use firstspike_hdl::ram::{Spram, SyncRam};
use rust_hdl::prelude::*;

/// One neuron: adds positive weight bits.
#[derive(LogicBlock)]
pub struct Lane<const W: usize, const S: usize> {
    pub clock: Signal<In, Clock>,
    pub load: Signal<In, Bit>,
    pub start: Signal<In, Bits<W>>,
    pub weight: [Signal<In, Bit>; S],
    pub potential: Signal<Out, Bits<W>>,
    pub fire: Signal<Out, Bit>,
    /// The sum of the weights up to this one.
    sum: [Signal<Local, Bits<W>>; S],
    value: DFF<Bits<W>>,
    one: Constant<Bits<W>>,
    sign: Constant<Bits<8>>,
}

impl<const W: usize, const S: usize> Lane<W, S> {
    const LAST: usize = S - 1;
}

impl<const W: usize, const S: usize> Default for Lane<W, S> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            load: Default::default(),
            start: Default::default(),
            weight: std::array::from_fn(|_| Default::default()),
            potential: Default::default(),
            fire: Default::default(),
            sum: std::array::from_fn(|_| Default::default()),
            value: Default::default(),
            one: Constant::new(1.into()),
            sign: Constant::new(((W - 1) as u64).into()),
        }
    }
}

impl<const W: usize, const S: usize> Logic for Lane<W, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module lane_w{potential}");
        comment!(
            "One neuron of a fold: adds the positive weight bits of a cycle to its potential."
        );
        dff_setup!(self, clock, value);
        comment!("Weight bits that agree with a spike.");
        self.sum[0].next = 0.into();
        if self.weight[0].val() {
            self.sum[0].next = self.one.val();
        }
        for b in 1..S {
            self.sum[b].next = self.sum[b - 1].val();
            if self.weight[b].val() {
                self.sum[b].next = self.sum[b - 1].val() + self.one.val();
            }
        }
        for last in Self::LAST..S {
            if self.load.val() {
                self.value.d.next = self.start.val();
            } else {
                self.value.d.next = self.value.q.val() + self.sum[last].val();
            }
        }
        self.potential.next = self.value.q.val();
        self.fire.next = !self.value.q.val().get_bit(self.sign.val().index());
    }
}

/// Lanes in a row, with a two-dimensional array and computed indices.
#[derive(LogicBlock)]
pub struct Tile<const P: usize, const S: usize> {
    pub clock: Signal<In, Clock>,
    pub load: Signal<In, Bit>,
    pub start: Signal<In, Bits<12>>,
    pub row: [Signal<In, Bits<P>>; S],
    pub fired: Signal<Out, Bits<P>>,
    pub last: Signal<Out, Bits<12>>,
    lanes: [Lane<12, S>; P],
}

impl<const P: usize, const S: usize> Default for Tile<P, S> {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            load: Default::default(),
            start: Default::default(),
            row: std::array::from_fn(|_| Default::default()),
            fired: Default::default(),
            last: Default::default(),
            lanes: std::array::from_fn(|_| Default::default()),
        }
    }
}

impl<const P: usize, const S: usize> Logic for Tile<P, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module tile");
        comment!("Lanes that work side by side.");
        self.fired.next = 0.into();
        for j in 0..P {
            self.lanes[j].clock.next = self.clock.val();
            self.lanes[j].load.next = self.load.val();
            self.lanes[j].start.next = self.start.val();
            for b in 0..S {
                self.lanes[j].weight[b].next = self.row[b].val().get_bit(j);
            }
            self.fired.next = self.fired.val().replace_bit(j, self.lanes[j].fire.val());
        }
        self.last.next = self.lanes[3].potential.val();
    }
}

#[derive(Debug, Copy, Clone, PartialEq, LogicState)]
pub enum State {
    Idle,
    Run,
    Done,
}

/// A state machine whose enum leaves one code unused.
#[derive(LogicBlock)]
pub struct Machine {
    pub clock: Signal<In, Clock>,
    pub go: Signal<In, Bit>,
    pub busy: Signal<Out, Bit>,
    pub steps: Signal<Out, Bits<4>>,
    state: DFF<State>,
    count: DFFWithInit<Bits<4>>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            go: Default::default(),
            busy: Default::default(),
            steps: Default::default(),
            state: Default::default(),
            count: DFFWithInit::new(9.into()),
        }
    }
}

impl Logic for Machine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, count);
        comment!("One pass for each `go`.");
        match self.state.q.val() {
            State::Idle => {
                if self.go.val() {
                    self.state.d.next = State::Run;
                }
            }
            State::Run => {
                self.count.d.next = self.count.q.val() - 1;
                comment!("The last step.");
                if self.count.q.val() == 1 {
                    self.state.d.next = State::Done;
                }
            }
            State::Done => {
                self.count.d.next = 9.into();
                self.state.d.next = State::Idle;
            }
        }
        self.busy.next = self.state.q.val() != State::Idle;
        self.steps.next = self.count.q.val();
    }
}

/// Every operator, for lint and for simulation against rust-hdl.
#[derive(LogicBlock)]
pub struct Alu {
    pub clock: Signal<In, Clock>,
    pub op: Signal<In, Bits<5>>,
    pub a: Signal<In, Bits<12>>,
    pub b: Signal<In, Bits<12>>,
    pub f: Signal<In, Bit>,
    pub s: Signal<In, Signed<12>>,
    pub t: Signal<In, Signed<12>>,
    pub one: Signal<In, Bits<1>>,
    pub result: Signal<Out, Bits<12>>,
    pub flag: Signal<Out, Bit>,
    pub wide: Signal<Out, Signed<16>>,
    pub field: Signal<Out, Bits<4>>,
    pub one_out: Signal<Out, Bits<1>>,
    pub held: Signal<Out, Bits<12>>,
    local: Signal<Local, Bits<12>>,
    register: DFF<Bits<12>>,
    limit: Constant<Bits<12>>,
    negative: Constant<Signed<12>>,
}

impl Default for Alu {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            op: Default::default(),
            a: Default::default(),
            b: Default::default(),
            f: Default::default(),
            s: Default::default(),
            t: Default::default(),
            one: Default::default(),
            result: Default::default(),
            flag: Default::default(),
            wide: Default::default(),
            field: Default::default(),
            one_out: Default::default(),
            held: Default::default(),
            local: Default::default(),
            register: Default::default(),
            limit: Constant::new(0x5a5.into()),
            negative: Constant::new(Signed::<12>::from(-7)),
        }
    }
}

impl Logic for Alu {
    #[hdl_gen]
    fn update(&mut self) {
        self.register.clock.next = self.clock.val();
        comment!("The operation.");
        self.local.next = self.a.val() ^ self.b.val();
        self.result.next = self.a.val();
        self.flag.next = self.f.val();
        self.field.next = 0.into();
        if self.op.val() == 0 {
            self.result.next = self.a.val() + self.b.val();
        } else if self.op.val() == 1 {
            self.result.next = self.a.val() - self.b.val() + self.f.val();
        } else if self.op.val() == 2 {
            self.result.next = !(self.a.val() & self.b.val()) | self.local.val();
        } else if self.op.val() == 3 {
            self.result.next = (self.a.val() + self.b.val()) >> 1;
        } else if self.op.val() == 4 {
            self.result.next = self.a.val() << self.b.val().get_bits::<3>(2);
        } else if self.op.val() == 5 {
            self.result.next = bit_cast::<12, 7>(self.a.val().get_bits::<7>(3));
        } else if self.op.val() == 6 {
            self.field.next = bit_cast::<4, 12>(self.a.val() + self.local.val());
        } else if self.op.val() == 7 {
            self.flag.next = (self.a.val() - self.b.val()).get_bit(11);
        } else if self.op.val() == 8 {
            self.flag.next = self.a.val().get_bit(self.b.val().get_bits::<3>(0).index());
        } else if self.op.val() == 9 {
            self.field.next = self
                .a
                .val()
                .get_bits::<4>(self.b.val().get_bits::<4>(4).index());
        } else if self.op.val() == 10 {
            self.field.next = self
                .a
                .val()
                .get_bits::<4>(self.b.val().get_bits::<3>(4).index());
        } else if self.op.val() == 11 {
            self.flag.next = self.s.val() < self.t.val();
        } else if self.op.val() == 12 {
            self.flag.next = self.s.val() >= self.negative.val();
        } else if self.op.val() == 13 {
            self.result.next = self.a.val().replace_bit(5, self.f.val());
        } else if self.op.val() == 14 {
            self.result.next =
                (self.a.val() + 1).replace_bit(self.b.val().get_bits::<3>(1).index(), self.f.val());
        } else if self.op.val() == 15 {
            self.flag.next = self.a.val().all() | self.b.val().any() & self.local.val().xor();
        } else if self.op.val() == 16 {
            self.flag.next = (self.a.val() & self.b.val()).any() && !self.f.val();
        } else if self.op.val() == 17 {
            self.result.next = unsigned_cast(-self.s.val() + self.t.val());
        } else if self.op.val() == 18 {
            self.flag.next = self.a.val() & self.b.val() == self.limit.val();
        } else if self.op.val() == 19 {
            self.flag.next = self.a.val() > self.limit.val() || self.b.val() <= 77;
        } else if self.op.val() == 20 {
            self.flag.next = self.one.val().get_bit(0) ^ self.f.val();
        } else if self.op.val() == 21 {
            self.result.next = bit_cast::<12, 1>(self.one.val()) + self.a.val();
        } else if self.op.val() == 22 {
            self.field.next = self.a.val().get_bits::<4>(10);
        } else if self.op.val() == 23 {
            self.flag.next = signed_cast(self.a.val()) < self.s.val();
        } else if self.op.val() == 24 {
            self.result.next = self.a.val() - 1;
        } else if self.op.val() == 25 {
            self.result.next = (self.a.val() + self.register.q.val()) & 0xff0;
        } else if self.op.val() == 26 {
            for i in 0..4 {
                if i != 2 {
                    self.result.next = self.a.val() + i.to_bits();
                    self.field.next = self
                        .field
                        .val()
                        .replace_bit(i, self.b.val().get_bit(2 * i + 1));
                }
            }
        }
        self.wide.next = signed_bit_cast(self.s.val());
        if self.op.val().get_bit(0) {
            self.wide.next =
                signed_bit_cast::<16, 12>(self.s.val()) - signed_bit_cast::<16, 12>(self.t.val());
        }
        self.one_out.next = self.one.val() + self.f.val();
        self.register.d.next = self.result.val();
        self.held.next = self.register.q.val();
    }
}

#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Event {
    pub index: Bits<10>,
    pub step: Bits<5>,
    pub state: State,
    pub valid: Bit,
}

/// Structs: whole, single fields read and written.
#[derive(LogicBlock, Default)]
pub struct Events {
    pub clock: Signal<In, Clock>,
    pub event: Signal<In, Event>,
    pub taken: Signal<Out, Event>,
    pub late: Signal<Out, Bit>,
    pub index: Signal<Out, Bits<10>>,
    last: DFF<Event>,
}

impl Logic for Events {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, last);
        if self.event.val().valid {
            self.last.d.next = self.event.val();
        }
        self.taken.next = self.last.q.val();
        if self.event.val().index == 3 {
            self.taken.next.valid = false;
            self.taken.next.state = State::Done;
            self.taken.next.step = self.event.val().step;
        }
        self.late.next =
            self.event.val().step > self.last.q.val().step || self.event.val().state == State::Run;
        self.index.next = self.event.val().index ^ self.last.q.val().index;
    }
}

/// A request and its answer.
#[derive(LogicInterface, Default)]
pub struct Bus {
    pub request: Signal<In, Bits<6>>,
    pub answer: Signal<Out, Bits<6>>,
}

#[derive(LogicBlock, Default)]
pub struct Server {
    pub bus: Bus,
}

impl Logic for Server {
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.answer.next = self.bus.request.val() + 5;
    }
}

/// Interfaces, linked to a child; names that are keywords or would collide.
#[derive(LogicBlock, Default)]
pub struct Relay {
    pub bus: Bus,
    pub initial: Signal<In, Bits<1>>,
    pub server_bus_request: Signal<In, Bits<1>>,
    pub begin: Signal<Out, Bits<1>>,
    server: Server,
}

impl Logic for Relay {
    #[hdl_gen]
    fn update(&mut self) {
        Bus::link(&mut self.bus, &mut self.server.bus);
        self.begin.next = self.initial.val() ^ self.server_bus_request.val();
    }
}

/// Blocks of hand-written Verilog, and a child whose input needs a signal of its own.
#[derive(LogicBlock)]
pub struct Memories {
    pub clock: Signal<In, Clock>,
    pub write: Signal<In, Bit>,
    pub address: Signal<In, Bits<16>>,
    pub read: Signal<In, Bits<5>>,
    pub data: Signal<In, Bits<32>>,
    pub block: Signal<Out, Bits<16>>,
    pub other: Signal<Out, Bits<16>>,
    pub tiles: Signal<Out, Bits<32>>,
    ram: SyncRam<16, 5>,
    bare: SyncRam<16, 5>,
    spram: Spram<32>,
    ram_write: Signal<Local, Bit>,
    wrote: DFF<Bit>,
}

impl Default for Memories {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            write: Default::default(),
            address: Default::default(),
            read: Default::default(),
            data: Default::default(),
            block: Default::default(),
            other: Default::default(),
            tiles: Default::default(),
            ram: SyncRam::new(24, 11),
            bare: SyncRam::new(16, 16)
                .without_collisions()
                .with_style("block"),
            spram: Spram::new(2),
            ram_write: Default::default(),
            wrote: Default::default(),
        }
    }
}

impl Logic for Memories {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, wrote);
        clock!(self, clock, ram, bare, spram);
        self.ram_write.next = self.write.val() & !self.address.val().get_bit(4);
        self.ram.write_enable.next = self.ram_write.val();
        self.ram.write_address.next = self.address.val().get_bits::<5>(0);
        self.ram.write_data.next = self.data.val().get_bits::<16>(0);
        self.ram.read_address.next = self.read.val();
        self.bare.write_enable.next = self.ram_write.val();
        self.bare.write_address.next = self.address.val().get_bits::<5>(0);
        self.bare.write_data.next = self.data.val().get_bits::<16>(0);
        self.bare.read_address.next = bit_cast::<5, 4>(self.read.val().get_bits::<4>(0));
        self.block.next = self.ram.read_data.val();
        self.other.next = self.bare.read_data.val();
        self.spram.write_enable.next = self.write.val();
        self.spram.address.next = self.address.val();
        self.spram.write_data.next = self.data.val();
        self.wrote.d.next = self.write.val();
        self.tiles.next = self.spram.read_data.val();
        if self.wrote.q.val() {
            self.tiles.next = 0.into();
        }
    }
}

/// Bits that chain through an array, each read after it is set.
#[derive(LogicBlock, Default)]
pub struct Ripple {
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub less: Signal<Out, Bit>,
    borrow: [Signal<Local, Bit>; 9],
}

impl Logic for Ripple {
    #[hdl_gen]
    fn update(&mut self) {
        self.borrow[0].next = false;
        for i in 0..8 {
            self.borrow[i + 1].next = (!self.a.val().get_bit(i) & self.b.val().get_bit(i))
                | (!(self.a.val().get_bit(i) ^ self.b.val().get_bit(i)) & self.borrow[i].val());
        }
        self.less.next = self.borrow[8].val();
    }
}

/// Words put together by shifts and sums, and taken apart bit by bit.
#[derive(LogicBlock, Default)]
pub struct Words {
    pub high: Signal<In, Bits<8>>,
    pub low: Signal<In, Bits<8>>,
    pub flag: Signal<In, Bit>,
    pub word: Signal<Out, Bits<16>>,
    pub marked: Signal<Out, Bits<16>>,
    pub overlap: Signal<Out, Bits<16>>,
    pub reversed: Signal<Out, Bits<8>>,
}

impl Logic for Words {
    #[hdl_gen]
    fn update(&mut self) {
        self.word.next =
            (bit_cast::<16, 8>(self.high.val()) << 8) | bit_cast::<16, 8>(self.low.val());
        comment!("A 1, the high byte, 3 bits of the low byte, and the flag.");
        self.marked.next = ((bit_cast::<16, 8>(self.high.val()) << 4)
            + (bit_cast::<16, 3>(self.low.val().get_bits::<3>(2)) << 1)
            + self.flag.val())
            | 0x8000;
        self.overlap.next =
            (bit_cast::<16, 8>(self.high.val()) << 7) + bit_cast::<16, 8>(self.low.val());
        self.reversed.next = 0.into();
        for i in 0..8 {
            self.reversed.next = self
                .reversed
                .val()
                .replace_bit(i, self.high.val().get_bit(7 - i));
        }
    }
}

/// Two lanes of one width that take different numbers of weights.
#[derive(LogicBlock, Default)]
pub struct Pair {
    pub clock: Signal<In, Clock>,
    pub load: Signal<In, Bit>,
    pub weight: Signal<In, Bits<3>>,
    pub start: Signal<In, Bits<12>>,
    pub fire: Signal<Out, Bits<2>>,
    narrow: Lane<12, 1>,
    wide: Lane<12, 2>,
}

impl Logic for Pair {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, narrow, wide);
        self.narrow.load.next = self.load.val();
        self.wide.load.next = self.load.val();
        self.narrow.start.next = self.start.val();
        self.wide.start.next = self.start.val();
        self.narrow.weight[0].next = self.weight.val().get_bit(0);
        self.wide.weight[0].next = self.weight.val().get_bit(1);
        self.wide.weight[1].next = self.weight.val().get_bit(2);
        self.fire.next = self.fire.val().replace_bit(0, self.narrow.fire.val());
        self.fire.next = self.fire.val().replace_bit(1, self.wide.fire.val());
    }
}

/// A cell of a vendor's library.
#[derive(LogicBlock, Default)]
pub struct Buffer {
    pub i: Signal<In, Bit>,
    pub o: Signal<Out, Bit>,
}

impl Logic for Buffer {
    fn update(&mut self) {
        self.o.next = self.i.val();
    }

    fn connect(&mut self) {
        self.o.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Blackbox(BlackBox {
            code: "(* blackbox *)\nmodule VENDOR_BUFFER (\n    input  wire i,\n    output wire o\n);\nendmodule\n"
                .into(),
            name: "VENDOR_BUFFER".into(),
        })
    }
}

#[derive(LogicBlock, Default)]
pub struct Boxed {
    pub i: Signal<In, Bit>,
    pub o: Signal<Out, Bit>,
    first: Buffer,
    second: Buffer,
}

impl Logic for Boxed {
    #[hdl_gen]
    fn update(&mut self) {
        self.first.i.next = self.i.val();
        self.second.i.next = self.first.o.val();
        self.o.next = self.second.o.val();
    }
}

/// A clock from inside: it leaves the block and clocks a register.
#[derive(LogicBlock, Default)]
pub struct Divider {
    pub clock: Signal<In, Clock>,
    pub slow: Signal<Out, Clock>,
    pub ticks: Signal<Out, Bits<4>>,
    source: Buffered,
    count: DFF<Bits<4>>,
}

impl Logic for Divider {
    #[hdl_gen]
    fn update(&mut self) {
        self.source.i.next = self.clock.val();
        self.slow.next = self.source.o.val();
        self.count.clock.next = self.source.o.val();
        self.count.d.next = self.count.q.val() + 1;
        self.ticks.next = self.count.q.val();
    }
}

#[derive(LogicBlock, Default)]
pub struct Buffered {
    pub i: Signal<In, Clock>,
    pub o: Signal<Out, Clock>,
}

impl Logic for Buffered {
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.i.val();
    }
}

/// A pin that a cell of hand-written Verilog drives or leaves alone.
#[derive(LogicBlock, Default)]
pub struct Pad {
    pub pin: Signal<InOut, Bit>,
    pub drive: Signal<In, Bit>,
    cell: PadCell,
}

impl Logic for Pad {
    #[hdl_gen]
    fn update(&mut self) {
        Signal::<InOut, Bit>::link(&mut self.pin, &mut self.cell.pin);
        self.cell.drive.next = self.drive.val();
    }
}

#[derive(LogicBlock, Default)]
pub struct PadCell {
    pub pin: Signal<InOut, Bit>,
    pub drive: Signal<In, Bit>,
}

impl Logic for PadCell {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.pin.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Wrapper(Wrapper {
            code: "// module pad_cell\nassign pin = drive ? 1'b1 : 1'bz;".into(),
            cores: String::new(),
        })
    }
}

/// Products.
#[derive(LogicBlock, Default)]
pub struct Product {
    pub a: Signal<In, Bits<16>>,
    pub b: Signal<In, Bits<16>>,
    pub s: Signal<In, Signed<16>>,
    pub t: Signal<In, Signed<16>>,
    pub pick: Signal<In, Bit>,
    pub unsigned_product: Signal<Out, Bits<32>>,
    pub signed_product: Signal<Out, Signed<32>>,
    pub picked: Signal<Out, Bits<16>>,
}

impl Logic for Product {
    #[hdl_gen]
    fn update(&mut self) {
        self.unsigned_product.next = self.a.val() * self.b.val();
        self.signed_product.next = self.s.val() * self.t.val();
        match self.pick.val() {
            true => self.picked.next = self.a.val(),
            false => self.picked.next = self.b.val(),
        }
    }
}

/// Branches in every form: one in another, open and closed, `match` with and without the rest; parts of words that are
/// assigned apart; a register of which something reads what it takes; a comment in each place.
#[derive(LogicBlock, Default)]
pub struct Branches {
    pub clock: Signal<In, Clock>,
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub pick: Signal<In, Bits<2>>,
    pub c: Signal<In, Bit>,
    pub d: Signal<In, Bit>,
    pub nested: Signal<Out, Bits<8>>,
    pub matched: Signal<Out, Bits<8>>,
    pub rest: Signal<Out, Bits<8>>,
    pub parts: Signal<Out, Bits<8>>,
    pub truth: Signal<Out, Bit>,
    pub other_truth: Signal<Out, Bit>,
    pub taken: Signal<Out, Bits<8>>,
    pub state_out: Signal<Out, State>,
    count: DFF<Bits<8>>,
    held: DFF<Bits<8>>,
    state: DFF<State>,
}

impl Logic for Branches {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module branches");
        dff_setup!(self, clock, count, held, state);
        self.nested.next = self.a.val();
        if self.c.val() {
            self.nested.next = self.b.val();
            if self.d.val() {
                comment!("Both.");
                self.nested.next = self.a.val() + self.b.val();
            } else if self.pick.val() == 2 {
                self.nested.next = 7.into();
            }
        } else {
            if self.d.val() {
                self.nested.next = 9.into();
            }
        }
        if self.pick.val() == 3 {
            self.nested.next = self.count.q.val();
        }

        comment!("A match with a rest, and one without.");
        self.matched.next = self.b.val();
        match self.state.q.val() {
            State::Idle => {
                if self.c.val() {
                    self.matched.next = 1.into();
                }
            }
            State::Run => self.matched.next = 2.into(),
            _ => self.matched.next = self.a.val(),
        }
        match self.state.q.val() {
            State::Idle => {
                self.rest.next = self.a.val();
                if self.c.val() {
                    self.state.d.next = State::Run;
                }
            }
            State::Run => {
                self.rest.next = self.b.val();
                comment!("A register that holds after it was to count.");
                self.count.d.next = self.count.q.val() + 1;
                if self.d.val() {
                    self.count.d.next = self.count.q.val();
                    self.state.d.next = State::Done;
                }
            }
            State::Done => {
                self.rest.next = 0.into();
                self.state.d.next = State::Idle;
            }
        }
        self.state_out.next = self.state.q.val();

        comment!("Parts.");
        self.parts.next = self.a.val() & self.b.val();
        self.parts.next = self.parts.val().replace_bit(7, self.c.val());
        if self.d.val() {
            self.parts.next = self.parts.val().replace_bit(0, true);
            self.parts.next = self.parts.val().replace_bit(3, self.c.val());
        }

        self.truth.next = self.c.val();
        if self.d.val() {
            self.truth.next = true;
        }
        if self.a.val().any() {
            self.truth.next = false;
            if self.b.val().any() {
                self.truth.next = self.d.val();
            }
        }
        self.other_truth.next = true;
        if !(self.c.val() & self.d.val()) {
            self.other_truth.next = false;
        }

        self.held.d.next = self.a.val();
        if !self.c.val() {
            self.held.d.next = self.held.q.val();
        }
        self.taken.next = self.held.d.val() ^ self.held.q.val();
    }
}

/// Parts of signed words are signed.
#[derive(LogicBlock, Default)]
pub struct Parts {
    pub s: Signal<In, Signed<12>>,
    pub t: Signal<In, Signed<6>>,
    pub less: Signal<Out, Bit>,
    pub wide: Signal<Out, Signed<9>>,
}

impl Logic for Parts {
    #[hdl_gen]
    fn update(&mut self) {
        self.less.next = self.s.val().get_bits::<6>(3) < self.t.val();
        self.wide.next = signed_bit_cast::<9, 6>(self.s.val().get_bits::<6>(3));
    }
}

/// Comments with all that a sentence may have, in each place where one may stand.
#[derive(LogicBlock, Default)]
pub struct Talking {
    pub clock: Signal<In, Clock>,
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub y: Signal<Out, Bits<8>>,
    pub z: Signal<Out, Bits<8>>,
    child: Buffered,
    held: DFF<Bits<8>>,
}

impl Logic for Talking {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module talking");
        comment!("Above the module (in parentheses)");
        comment!(
            "[brackets], {braces}, `ticks`, \"quotes\"; 'apostrophes': 100 % ... and/or // more!"
        );
        dff_setup!(self, clock, held);
        comment!("What a child is connected to (1)");
        self.child.i.next = self.clock.val();
        comment!("An assignment (2)");
        self.y.next = self.a.val();
        comment!("stop! (Before a branch) (3)");
        if self.a.val().any() {
            comment!("Inside of a branch (4)");
            self.z.next = 1.into();
        } else {
            comment!("Inside of the other branch (5)");
            self.z.next = self.b.val();
        }
        comment!("A register (6)");
        if self.b.val().any() {
            comment!("In its branch ((7))");
            self.held.d.next = self.held.q.val() + 1;
        }
        comment!("(8)");
    }
}
