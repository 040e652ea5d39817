//! What the emitter refuses.

use firstspike_hdl::ram::SyncRam;
use firstspike_hdl::verilog::{emit, EmitError};
use rust_hdl::prelude::*;

/// A block with an 8-bit input, an 8-bit output, more fields, and this update function.
macro_rules! block {
    ($name:ident $(<$generic:ident>)? { $($field:ident: $type:ty),* } $($update:tt)*) => {
        #[derive(LogicBlock, Default)]
        #[allow(dead_code)]
        struct $name $(<const $generic: usize>)? {
            pub clock: Signal<In, Clock>,
            pub a: Signal<In, Bits<8>>,
            pub y: Signal<Out, Bits<8>>,
            $($field: $type,)*
        }

        impl $(<const $generic: usize>)? Logic for $name $(<$generic>)? {
            $($update)*
        }
    };
}

fn error(block: &impl Block) -> EmitError {
    emit("top", block, &[]).unwrap_err()
}

fn at(block: &str, signal: &str) -> (String, String) {
    (block.to_string(), signal.to_string())
}

block!(Name<N> {} #[hdl_gen] fn update(&mut self) {
    self.y.next = self.a.val().replace_bit(N, true);
});

#[test]
fn a_const_generic_in_an_expression_is_named() {
    let (block, name) = at("top", "N");
    assert_eq!(
        error(&Name::<3>::default()),
        EmitError::UnknownName { block, name }
    );
}

block!(Child {} #[hdl_gen] fn update(&mut self) {
    self.y.next = self.a.val();
});

block!(Open { child: Child } #[hdl_gen] fn update(&mut self) {
    self.child.clock.next = self.clock.val();
    self.y.next = self.child.y.val();
});

#[test]
fn an_open_input_of_a_child_is_named() {
    let (block, signal) = at("top", "child.a");
    assert_eq!(
        error(&Open::default()),
        EmitError::Unconnected { block, signal }
    );
}

block!(Parent { children: [Open; 2] } #[hdl_gen] fn update(&mut self) {
    for i in 0..2 {
        self.children[i].clock.next = self.clock.val();
        self.children[i].a.next = self.a.val();
    }
    self.y.next = self.children[1].y.val();
});

#[test]
fn the_path_leads_from_the_top_to_the_block() {
    let (block, signal) = at("top.children_0", "child.a");
    assert_eq!(
        error(&Parent::default()),
        EmitError::Unconnected { block, signal }
    );
}

block!(Silent {} #[hdl_gen] fn update(&mut self) {});

block!(Half {} #[hdl_gen] fn update(&mut self) {
    for i in 0..4 {
        self.y.next = self.y.val().replace_bit(i, true);
    }
});

block!(Unwritten { local: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.y.next = self.local.val();
});

#[test]
fn signals_without_a_driver_are_named() {
    let undriven = |signal| {
        let (block, signal) = at("top", signal);
        EmitError::Undriven { block, signal }
    };
    assert_eq!(error(&Silent::default()), undriven("y"));
    assert_eq!(error(&Half::default()), undriven("y"));
    assert_eq!(error(&Unwritten::default()), undriven("local"));
}

block!(Latch {} #[hdl_gen] fn update(&mut self) {
    if self.a.val().any() {
        self.y.next = self.a.val();
    }
});

block!(HalfLatch {} #[hdl_gen] fn update(&mut self) {
    for i in 0..8 {
        if self.a.val().get_bit(i) {
            self.y.next = self.y.val().replace_bit(i, true);
        }
    }
});

#[test]
fn latches_are_named() {
    let (block, signal) = at("top", "y");
    let latch = EmitError::Latch { block, signal };
    assert_eq!(error(&Latch::default()), latch);
    assert_eq!(error(&HalfLatch::default()), latch);
}

block!(Summed {} #[hdl_gen] fn update(&mut self) {
    self.y.next = 0.into();
    self.y.next = self.y.val() + self.a.val();
});

block!(Held { held: Signal<Local, Bits<8>>, other: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.held.next = self.a.val();
    self.other.next = self.held.val();
    self.held.next = self.other.val() + 1;
    self.y.next = self.held.val();
});

block!(Tested { held: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.held.next = self.a.val();
    if self.held.val().any() {
        self.held.next = 3.into();
    }
    self.y.next = self.held.val();
});

block!(InBranch { held: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.y.next = 0.into();
    self.held.next = self.a.val();
    if self.a.val().get_bit(0) {
        self.y.next = self.held.val();
    }
    if self.a.val().get_bit(1) {
        self.held.next = 3.into();
    }
});

block!(ForRegister { held: Signal<Local, Bits<8>>, count: DFF<Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.count.clock.next = self.clock.val();
    self.held.next = self.a.val();
    self.count.d.next = self.held.val();
    self.held.next = 3.into();
    self.y.next = self.count.q.val() + self.held.val();
});

#[test]
fn a_read_between_two_assignments_is_named() {
    let between = |signal| {
        let (block, signal) = at("top", signal);
        EmitError::ReadBetween { block, signal }
    };
    assert_eq!(error(&Summed::default()), between("y"));
    assert_eq!(error(&Held::default()), between("held"));
    assert_eq!(error(&Tested::default()), between("held"));
    assert_eq!(error(&InBranch::default()), between("held"));
    assert_eq!(error(&ForRegister::default()), between("held"));
}

block!(Apart { held: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.y.next = self.held.val();
    self.held.next = 0.into();
    if self.a.val().any() {
        self.held.next = self.a.val();
        if self.held.val().get_bit(1) {
            self.y.next = 1.into();
        }
    } else {
        self.held.next = 3.into();
    }
});

#[test]
fn the_last_value_may_be_read_wherever_the_read_stands() {
    emit("top", &Apart::default(), &[]).unwrap();
}

block!(Itself { sum: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.sum.next = self.sum.val() + self.a.val();
    self.y.next = self.sum.val();
});

block!(Round { up: Signal<Local, Bits<8>>, down: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.up.next = self.a.val();
    if self.down.val().any() {
        self.up.next = 1.into();
    }
    self.down.next = self.up.val() + 1;
    self.y.next = self.down.val();
});

block!(Bitwise { borrow: Signal<Local, Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.borrow.next = self.borrow.val().replace_bit(0, self.a.val().get_bit(0));
    for i in 1..8 {
        self.borrow.next = self.borrow.val().replace_bit(
            i,
            self.a.val().get_bit(i) & self.borrow.val().get_bit(i - 1),
        );
    }
    self.y.next = self.borrow.val();
});

block!(Through { child: Child } #[hdl_gen] fn update(&mut self) {
    self.child.clock.next = self.clock.val();
    self.child.a.next = self.child.y.val() + self.a.val();
    self.y.next = self.child.y.val();
});

block!(Deep { child: Passing } #[hdl_gen] fn update(&mut self) {
    self.child.clock.next = self.clock.val();
    self.child.a.next = self.a.val();
    if self.child.y.val().any() {
        self.child.a.next = 1.into();
    }
    self.y.next = self.child.y.val();
});

block!(Passing { inner: Child } #[hdl_gen] fn update(&mut self) {
    self.inner.clock.next = self.clock.val();
    self.inner.a.next = self.a.val() + 1;
    self.y.next = self.inner.y.val();
});

block!(ByHand {}
    fn update(&mut self) {
        self.y.next = self.a.val();
    }

    fn connect(&mut self) {
        self.y.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Wrapper(Wrapper {
            code: "assign y = a;".into(),
            cores: String::new(),
        })
    }
);

block!(Wrapped { child: ByHand } #[hdl_gen] fn update(&mut self) {
    self.child.clock.next = self.clock.val();
    self.child.a.next = self.child.y.val() & self.a.val();
    self.y.next = self.child.y.val();
});

#[test]
fn a_loop_without_a_register_is_named() {
    let a_loop = |signals: &str| {
        let (block, signals) = at("top", signals);
        EmitError::Loop { block, signals }
    };
    assert_eq!(error(&Itself::default()), a_loop("sum` to `sum"));
    assert_eq!(error(&Round::default()), a_loop("down` to `up` to `down"));
    assert_eq!(error(&Bitwise::default()), a_loop("borrow` to `borrow"));
    let through_child = a_loop("child.y` to `child.a` to `child.y");
    assert_eq!(error(&Through::default()), through_child);
    assert_eq!(error(&Deep::default()), through_child);
    assert_eq!(error(&Wrapped::default()), through_child);
}

block!(Waiting {}
    fn update(&mut self) {
        self.y.next = self.a.val();
    }

    fn connect(&mut self) {
        self.y.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom("always @ (*) y = a;".into())
    }
);

#[test]
fn verilog_by_hand_does_not_wait_for_changes() {
    let found = error(&Waiting::default());
    assert!(matches!(found, EmitError::Unsupported { .. }), "{found}");
}

block!(Counter { count: DFF<Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.count.clock.next = self.clock.val();
    self.count.d.next = self.a.val();
    self.y.next = self.count.q.val();
});

block!(Registered { child: Counter, ram: SyncRam<8, 8> } #[hdl_gen] fn update(&mut self) {
    self.child.clock.next = self.clock.val();
    self.child.a.next = self.child.y.val() + self.a.val();
    self.ram.clock.next = self.clock.val();
    self.ram.write_enable.next = self.a.val().any();
    self.ram.write_address.next = self.a.val();
    self.ram.write_data.next = self.a.val();
    self.ram.read_address.next = self.ram.read_data.val() + 1;
    self.y.next = self.child.y.val() ^ self.ram.read_data.val();
});

#[test]
fn a_loop_with_a_register_is_a_circuit() {
    emit("top", &Registered::default(), &[]).unwrap();
}

block!(IntoInput {} #[hdl_gen] fn update(&mut self) {
    self.a.next = 1.into();
    self.y.next = self.a.val();
});

block!(IntoChild { child: Child } #[hdl_gen] fn update(&mut self) {
    self.child.clock.next = self.clock.val();
    self.child.a.next = self.a.val();
    self.child.y.next = self.a.val();
    self.y.next = self.child.y.val();
});

block!(IntoRegister { count: DFF<Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.count.clock.next = self.clock.val();
    self.count.d.next = self.a.val();
    self.count.q.next = self.a.val();
    self.y.next = self.count.q.val();
});

#[test]
fn a_second_driver_is_named() {
    let twice = |signal| {
        let (block, signal) = at("top", signal);
        EmitError::DrivenTwice { block, signal }
    };
    assert_eq!(error(&IntoInput::default()), twice("a"));
    assert_eq!(error(&IntoChild::default()), twice("child.y"));
    assert_eq!(error(&IntoRegister::default()), twice("count.q"));
}

block!(NoClock { count: DFF<Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.count.d.next = self.a.val();
    self.y.next = self.count.q.val();
});

block!(Gated { count: DFF<Bits<8>>, gate: Signal<Local, Clock> } #[hdl_gen] fn update(&mut self) {
    if self.a.val().any() {
        self.count.clock.next = self.clock.val();
    }
    self.count.d.next = self.a.val();
    self.y.next = self.count.q.val();
});

#[test]
fn a_register_needs_one_clock() {
    let (block, register) = at("top", "count.q");
    let clock = EmitError::Clock { block, register };
    assert_eq!(error(&NoClock::default()), clock);
    assert_eq!(error(&Gated::default()), clock);
}

block!(NoNext { count: DFF<Bits<8>> } #[hdl_gen] fn update(&mut self) {
    self.count.clock.next = self.clock.val();
    self.y.next = self.count.q.val();
});

#[test]
fn a_register_needs_an_input() {
    let (block, signal) = at("top", "count.d");
    assert_eq!(
        error(&NoNext::default()),
        EmitError::Undriven { block, signal }
    );
}

block!(TooLarge {} #[hdl_gen] fn update(&mut self) {
    self.y.next = self.a.val() + 256;
});

#[test]
fn a_number_that_does_not_fit_is_named() {
    let (block, value) = at("top", "256");
    assert_eq!(
        error(&TooLarge::default()),
        EmitError::TooLarge {
            block,
            value,
            width: 8
        }
    );
}

block!(Outside {} #[hdl_gen] fn update(&mut self) {
    for i in 5..9 {
        if self.a.val().get_bit(i) {
            self.y.next = self.a.val();
        }
    }
});

#[test]
fn a_bit_outside_is_named() {
    let (block, what) = at("top", "a");
    let bit = "8".to_string();
    assert_eq!(
        error(&Outside::default()),
        EmitError::OutOfRange {
            block,
            what,
            bit,
            width: 8
        }
    );
}

block!(Which { many: [Signal<Local, Bits<8>>; 4] } #[hdl_gen] fn update(&mut self) {
    for i in 0..4 {
        self.many[i].next = self.a.val();
    }
    self.y.next = self.many[self.a.val().get_bits::<2>(0).index()].val();
});

#[test]
fn an_array_is_not_indexed_by_a_signal() {
    let found = error(&Which::default());
    assert!(matches!(found, EmitError::Index { .. }), "{found}");
    assert!(
        found
            .to_string()
            .starts_with("block `top`: the index in `many[a.val()"),
        "{found}"
    );
}

#[derive(LogicBlock, Default)]
struct Undescribed {
    pub y: Signal<Out, Bits<8>>,
}

impl Logic for Undescribed {
    fn update(&mut self) {
        self.y.next = 1.into();
    }
}

#[test]
fn a_block_needs_a_description() {
    let block = "top".to_string();
    assert_eq!(
        error(&Undescribed::default()),
        EmitError::NoDescription { block }
    );
}

#[derive(LogicBlock, Default)]
struct Shifts {
    pub s: Signal<In, Signed<8>>,
    pub t: Signal<In, Signed<8>>,
    pub y: Signal<Out, Bit>,
}

impl Logic for Shifts {
    #[hdl_gen]
    fn update(&mut self) {
        self.y.next = (signed_bit_cast::<4, 8>(self.s.val())
            + signed_bit_cast::<4, 8>(self.t.val()))
        .get_bit(2);
    }
}

#[test]
fn a_width_that_nothing_tells_is_asked_for() {
    let found = error(&Shifts::default());
    assert!(matches!(found, EmitError::UnknownWidth { .. }), "{found}");
}

#[test]
fn errors_are_one_sentence_with_advice() {
    let found = error(&Open::default()).to_string();
    let expected =
        "block `top`: input `child.a` is not connected; assign it in the update function";
    assert_eq!(found, expected);
}
