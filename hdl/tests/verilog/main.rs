//! The Verilog emitter: text against files, errors, lint, and simulation against the Rust model.

mod bench;
mod blocks;
mod errors;

use bench::{compare, lint, record};
use blocks::*;
use firstspike_hdl::verilog::emit;
use rust_hdl::prelude::*;

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
    lint(
        "divider",
        &emit("divider", &Divider::default(), &[]).unwrap(),
    );
    lint("pad", &emit("pad", &Pad::default(), &[]).unwrap());
    lint(
        "product",
        &emit("product", &Product::default(), &[]).unwrap(),
    );
    lint(
        "branches",
        &emit("branches", &Branches::default(), &[]).unwrap(),
    );
    lint("parts", &emit("parts", &Parts::default(), &[]).unwrap());
    lint("words", &emit("words", &Words::default(), &[]).unwrap());
    lint("pair", &emit("pair", &Pair::default(), &[]).unwrap());
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
            "divider",
            Divider::default(),
            40,
            |_, _| {},
            Some(|divider| &mut divider.clock),
        ),
        record(
            "product",
            Product::default(),
            1_000,
            |product, random| {
                product.a.next = random.bits();
                product.b.next = random.bits();
                product.s.next = signed_cast(random.bits());
                product.t.next = signed_cast(random.bits());
                product.pick.next = random.bit();
            },
            None,
        ),
        record(
            "branches",
            Branches::default(),
            2_000,
            |branches, random| {
                branches.a.next = if random.bit() {
                    random.bits()
                } else {
                    0.into()
                };
                branches.b.next = if random.bit() {
                    random.bits()
                } else {
                    0.into()
                };
                branches.pick.next = random.bits();
                branches.c.next = random.bit();
                branches.d.next = random.bit();
            },
            Some(|branches| &mut branches.clock),
        ),
        record(
            "parts",
            Parts::default(),
            1_000,
            |parts, random| {
                // rust-hdl's `signed_bit_cast` never ends on the lowest number.
                parts.s.next = signed_cast(random.bits::<12>() | 8);
                parts.t.next = signed_cast(random.bits());
            },
            None,
        ),
        record(
            "words",
            Words::default(),
            1_000,
            |words, random| {
                words.high.next = random.bits();
                words.low.next = random.bits();
                words.flag.next = random.bit();
            },
            None,
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

/// Compares with `golden/NAME.v`; the environment variable UPDATE_GOLDEN writes that file instead.
fn check_golden(name: &str, text: &str) {
    let golden = format!(
        "{}/tests/verilog/golden/{name}.v",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, text).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    assert_eq!(
        text, expected,
        "{golden} differs; UPDATE_GOLDEN=1 takes the new text"
    );
}

#[test]
fn text_is_as_in_the_files() {
    let header = [
        "Made from the test blocks.".to_string(),
        String::new(),
        "lanes  4".to_string(),
    ];
    check_golden(
        "tile",
        &emit("tile", &Tile::<4, 2>::default(), &header).unwrap(),
    );
    check_golden(
        "machine",
        &emit("machine", &Machine::default(), &[]).unwrap(),
    );
    check_golden("words", &emit("words", &Words::default(), &[]).unwrap());
    check_golden(
        "branches",
        &emit("branches", &Branches::default(), &[]).unwrap(),
    );
}

#[test]
fn equal_blocks_share_a_module() {
    let text = emit("tile", &Tile::<8, 2>::default(), &[]).unwrap();
    assert_eq!(text.matches("\nmodule ").count(), 2);
    assert_eq!(text.matches("\n    lane_w12 lanes_").count(), 8);
}

#[test]
fn different_blocks_of_one_name_get_numbers() {
    let text = emit("pair", &Pair::default(), &[]).unwrap();
    for line in [
        "lane_w12 narrow (",
        "lane_w12_2 wide (",
        "module lane_w12 (",
        "module lane_w12_2 (",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn the_same_circuit_gives_the_same_text() {
    let text = || emit("tile", &Tile::<8, 2>::default(), &[]).unwrap();
    assert_eq!(text(), text());
}

#[test]
fn what_wrappers_need_comes_once() {
    let text = emit("memories", &Memories::default(), &[]).unwrap();
    assert_eq!(text.matches("module SB_SPRAM256KA (").count(), 1);
    assert_eq!(text.matches("    SB_SPRAM256KA ").count(), 4);
    let text = emit("boxed", &Boxed::default(), &[]).unwrap();
    assert_eq!(text.matches("module VENDOR_BUFFER (").count(), 1);
    assert!(text.contains("    VENDOR_BUFFER second ("));
}

#[test]
fn a_bidirectional_pin_goes_through() {
    let text = emit("pad", &Pad::default(), &[]).unwrap();
    for line in ["inout  wire pin,", ".pin(pin),"] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_word_without_collisions_is_block_ram_alone() {
    let text = emit("memories", &Memories::default(), &[]).unwrap();
    assert!(
        text.contains("(* ram_style = \"block\", no_rw_check *)\n    reg [15:0] memory [0:15];")
    );
}

#[test]
fn comments_keep_all_their_signs_wherever_they_stand() {
    let header = ["One (1)\nmodule two".to_string()];
    let text = emit("talking", &Talking::default(), &header).unwrap();
    lint("talking", &text);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for comment in [
        "One (1)",
        "module two",
        "Above the module (in parentheses)",
        "[brackets], {braces}, `ticks`, \"quotes\"; 'apostrophes': 100 % ... and/or // more!",
        "What a child is connected to (1)",
        "An assignment (2)",
        "stop! (Before a branch) (3)",
        "Inside of a branch (4)",
        "Inside of the other branch (5)",
        "A register (6)",
        "In its branch ((7))",
        "(8)",
    ] {
        let wanted = format!("// {comment}");
        let count = lines.iter().filter(|line| **line == wanted).count();
        assert_eq!(count, 1, "{wanted} in\n{text}");
    }
}
