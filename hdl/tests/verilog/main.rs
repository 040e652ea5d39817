//! The Verilog emitter: text against files, errors, lint, and simulation against the Rust model.

mod bench;
mod blocks;

use bench::{compare, lint, record};
use blocks::*;
use firstspike_hdl::verilog::emit;
use rust_hdl::prelude::*;

fn show(text: &str) {
    println!("{text}");
}

#[test]
fn every_block_is_clean_for_verilator() {
    lint(
        "lane1",
        &emit("lane1", &Lane::<12, 1>::default(), &[]).unwrap(),
    );
    lint(
        "tile",
        &emit("tile", &Tile::<8, 2>::default(), &[]).unwrap(),
    );
    lint(
        "machine",
        &emit("machine", &Machine::default(), &[]).unwrap(),
    );
    lint("alu", &emit("alu", &Alu::default(), &[]).unwrap());
    lint("events", &emit("events", &Events::default(), &[]).unwrap());
    lint("relay", &emit("relay", &Relay::default(), &[]).unwrap());
    lint(
        "memories",
        &emit("memories", &Memories::default(), &[]).unwrap(),
    );
    lint("ripple", &emit("ripple", &Ripple::default(), &[]).unwrap());
}

#[test]
fn verilog_does_what_the_rust_model_does() {
    let recordings = [
        record(
            "alu",
            Alu::default(),
            20_000,
            |alu, random| {
                alu.op.next = random.bits();
                alu.a.next = random.bits();
                // `get_bits` may begin at bit 12 of 12, not beyond.
                alu.b.next = random.bits::<12>() & 0xfbf;
                alu.f.next = random.bit();
                // rust-hdl's `signed_bit_cast` never ends on the lowest number.
                let not_lowest = |x: Bits<12>| if x == 0x800 { 0.into() } else { x };
                alu.s.next = signed_cast(not_lowest(random.bits()));
                alu.t.next = signed_cast(not_lowest(random.bits()));
                alu.one.next = random.bits();
            },
            Some(|alu| &mut alu.clock),
        ),
        record(
            "tile",
            Tile::<8, 2>::default(),
            500,
            |tile, random| {
                tile.load.next = random.bits::<4>() == 0;
                tile.start.next = random.bits();
                tile.row[0].next = random.bits();
                tile.row[1].next = random.bits();
            },
            Some(|tile| &mut tile.clock),
        ),
        record(
            "machine",
            Machine::default(),
            200,
            |machine, random| machine.go.next = random.bit(),
            Some(|machine| &mut machine.clock),
        ),
        record(
            "events",
            Events::default(),
            2_000,
            |events, random| {
                events.event.next = Event {
                    index: bit_cast::<10, 3>(random.bits()),
                    step: random.bits(),
                    state: [State::Idle, State::Run, State::Done][random.next() as usize % 3],
                    valid: random.bit(),
                };
            },
            Some(|events| &mut events.clock),
        ),
        record(
            "relay",
            Relay::default(),
            100,
            |relay, random| {
                relay.bus.request.next = random.bits();
                relay.initial.next = random.bits();
                relay.server_bus_request.next = random.bits();
            },
            None,
        ),
        record(
            "memories",
            Memories::default(),
            5_000,
            |memories, random| {
                memories.write.next = random.bit();
                memories.address.next =
                    bit_cast::<16, 5>(random.bits()) | (bit_cast::<16, 1>(random.bits()) << 14);
                let read = random.next() % 24;
                memories.read.next = read.into();
                memories.data.next = random.bits();
            },
            Some(|memories| &mut memories.clock),
        ),
        record(
            "ripple",
            Ripple::default(),
            1_000,
            |ripple, random| {
                ripple.a.next = random.bits();
                ripple.b.next = random.bits();
            },
            None,
        ),
    ];
    compare(&recordings);
}

#[test]
fn first() {
    show(&emit("events", &Events::default(), &[]).unwrap());
    show(&emit("relay", &Relay::default(), &[]).unwrap());
    show(&emit("memories", &Memories::default(), &[]).unwrap());
    show(&emit("ripple", &Ripple::default(), &[]).unwrap());
}
