//! The boards of `constraints/`, each against what its maker and the device's data sheet say.

use super::*;
use std::collections::BTreeSet;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../constraints")
}

fn file_names(suffixes: &[&str]) -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| suffixes.contains(&name.rsplit('.').next().unwrap()))
        .collect()
}

#[test]
fn the_built_in_boards_are_the_data_files_in_constraints() {
    let names: BTreeSet<String> = Board::built_in()
        .into_iter()
        .map(|board| format!("{}.toml", board.name))
        .collect();
    assert_eq!(names, file_names(&["toml"]).into_iter().collect());
    for name in names {
        let board = Board::load(&folder().join(&name)).unwrap();
        assert_eq!(Board::find(&board.name).unwrap(), board);
    }
}

#[test]
fn every_pin_file_is_some_boards() {
    let used: BTreeSet<String> = Board::built_in()
        .into_iter()
        .flat_map(|board| [vec![board.clone()], board.variant_boards()].concat())
        .map(|board| board.constraints)
        .collect();
    assert_eq!(used, file_names(&["pcf", "lpf"]).into_iter().collect());
}

#[test]
fn no_two_boards_have_the_same_number() {
    let boards = Board::built_in();
    assert!(boards
        .windows(2)
        .all(|pair| pair[0].number < pair[1].number));
    assert_eq!(
        (boards[0].name.as_str(), boards[0].number),
        ("icebreaker", 1)
    );
}

/// Oscillator, receiver and transmitter, and the other ports by name.
type BoardPins = (
    &'static str,
    [&'static str; 3],
    &'static [(&'static str, &'static str)],
);

/// As the makers publish them.
#[test]
fn the_pins_are_those_of_the_boards() {
    const ULX3S: [(&str, &str); 3] = [
        ("led_armed", "B2"),
        ("led_busy", "C2"),
        ("wifi_gpio0", "L2"),
    ];
    const ULX3S_V316: [(&str, &str); 3] = [
        ("led_armed", "B2"),
        ("led_busy", "C2"),
        ("wifi_gpio0", "F1"),
    ];
    let boards: [BoardPins; 25] = [
        (
            "icebreaker",
            ["35", "6", "9"],
            &[("led_armed", "37"), ("led_busy", "11")],
        ),
        (
            "icestick",
            ["21", "9", "8"],
            &[("led_armed", "95"), ("led_busy", "99")],
        ),
        (
            "ice40-hx8k",
            ["J3", "B10", "B12"],
            &[("led_armed", "B5"), ("led_busy", "B4")],
        ),
        (
            "tinyfpga-bx",
            ["B2", "A1", "A2"],
            &[("led_armed", "B3"), ("usb_pullup", "A3")],
        ),
        (
            "upduino3",
            ["20", "15", "14"],
            &[
                ("led_armed", "39"),
                ("led_busy", "41"),
                ("flash_select_n", "16"),
            ],
        ),
        ("ulx3s-12f", ["G2", "M1", "L4"], &ULX3S),
        ("ulx3s-25f", ["G2", "M1", "L4"], &ULX3S),
        ("ulx3s-45f", ["G2", "M1", "L4"], &ULX3S),
        ("ulx3s-85f", ["G2", "M1", "L4"], &ULX3S),
        (
            "orangecrab-25f",
            ["A9", "N17", "M18"],
            &[("led_armed", "M3"), ("led_busy", "K4")],
        ),
        (
            "orangecrab-85f",
            ["A9", "N17", "M18"],
            &[("led_armed", "M3"), ("led_busy", "K4")],
        ),
        (
            "colorlight-i5",
            ["P3", "H18", "J17"],
            &[("led_armed", "U16")],
        ),
        (
            "ecp5-evn",
            ["A10", "P2", "P3"],
            &[("led_armed", "A13"), ("led_busy", "A12")],
        ),
        (
            "icesugar",
            ["35", "4", "6"],
            &[("led_armed", "41"), ("led_busy", "40")],
        ),
        (
            "icepi-zero",
            ["M1", "K16", "K15"],
            &[("led_armed", "E13"), ("led_busy", "D14")],
        ),
        (
            "icesugar-pro",
            ["P6", "A9", "B9"],
            &[("led_armed", "A11"), ("led_busy", "B11")],
        ),
        (
            "ecpix5-45f",
            ["K23", "R26", "R24"],
            &[("led_armed", "R21"), ("led_busy", "T23")],
        ),
        (
            "ecpix5-85f",
            ["K23", "R26", "R24"],
            &[("led_armed", "R21"), ("led_busy", "T23")],
        ),
        (
            "colorlight-i9",
            ["P3", "H18", "J17"],
            &[("led_armed", "L2")],
        ),
        ("ulx3s-12f-v316", ["G2", "M1", "L4"], &ULX3S_V316),
        ("ulx3s-25f-v316", ["G2", "M1", "L4"], &ULX3S_V316),
        ("ulx3s-45f-v316", ["G2", "M1", "L4"], &ULX3S_V316),
        ("ulx3s-85f-v316", ["G2", "M1", "L4"], &ULX3S_V316),
        (
            "colorlight-i5-header",
            ["P3", "F4", "E5"],
            &[("led_armed", "U16")],
        ),
        (
            "colorlight-i9-header",
            ["P3", "F4", "E5"],
            &[("led_armed", "L2")],
        ),
    ];
    for (name, [clock, receiver, transmitter], others) in boards {
        let board = Board::find(name).unwrap();
        let pin = |signal: &str| board.pin(signal).unwrap();
        assert_eq!(pin(&board.clock.signal), clock, "{name}");
        assert_eq!(pin(&board.uart.rx), receiver, "{name}");
        assert_eq!(pin(&board.uart.tx), transmitter, "{name}");
        for (signal, expected) in others {
            assert_eq!(pin(signal), *expected, "{name}: {signal}");
        }
        assert_eq!(board.signals().len(), 3 + others.len(), "{name}");
    }
    let variants = Board::built_in()
        .iter()
        .map(|b| b.variants.len())
        .sum::<usize>();
    assert_eq!(boards.len(), Board::built_in().len() + variants);
}

/// The identity codes of Lattice's data sheets, the devices' sizes as nextpnr has them.
#[test]
fn the_devices_are_those_of_the_boards() {
    let ecp5 = |idcode, luts, block_rams| (Some(idcode), luts, block_rams, 18_432, 0);
    let ice40 = |luts, block_rams, sprams| (None, luts, block_rams, 4096, sprams);
    for board in Board::built_in() {
        let expected = match board.device.as_str() {
            "up5k" => ice40(5280, 30, 4),
            "hx1k" => ice40(1280, 16, 0),
            "hx8k" | "lp8k" => ice40(7680, 32, 0),
            "12k" => ecp5(0x2111_1043, 24_288, 56),
            "25k" => ecp5(0x4111_1043, 24_288, 56),
            "45k" => ecp5(0x4111_2043, 43_848, 108),
            "85k" => ecp5(0x4111_3043, 83_640, 208),
            "um5g-45k" => ecp5(0x8111_2043, 43_848, 108),
            "um5g-85k" => ecp5(0x8111_3043, 83_640, 208),
            other => panic!("{}: device {other} has no line here", board.name),
        };
        let has = board.resources;
        let found = (
            board.idcode,
            has.luts,
            has.block_rams,
            has.block_ram_bits,
            has.sprams,
        );
        assert_eq!(found, expected, "{}", board.name);
    }
}

#[test]
fn the_clocks_make_the_core_and_the_baud_rate() {
    for board in Board::built_in() {
        let clock = &board.clock;
        let made = match clock.pll {
            Some(pll) => pll.output_hz(clock.input_hz),
            None => clock.input_hz.into(),
        };
        assert_eq!(made, u64::from(clock.core_hz), "{}", board.name);
        let baud = f64::from(clock.core_hz) / f64::from(board.clocks_per_bit());
        let error = baud / f64::from(board.uart.baud) - 1.0;
        // The legal clocks of the ULX3S 12F and 25F that they can run at are 3 MHz times nothing whole: 0.6 % off, of the
        // 2 % that a board may be.
        let most = if clock.core_hz == 87_500_000 {
            0.006
        } else {
            0.002
        };
        assert!(error.abs() < most, "{}: {error}", board.name);
    }
}

/// nextpnr takes the oscillator of an ECP5 from the pin file, everything else from the data file.
#[test]
fn ecp5_pin_files_tell_the_oscillator_that_the_data_files_tell() {
    for board in Board::built_in() {
        if board.family == Family::Ecp5 {
            let line = format!(
                "FREQUENCY PORT \"{}\" {} MHZ;",
                board.clock.signal,
                f64::from(board.clock.input_hz) / 1e6
            );
            let has_line = board.constraint_text().lines().any(|found| found == line);
            assert!(has_line, "{}: {line}", board.name);
        }
    }
}

/// A bitstream that does not say how fast it is read is read at 2.4 MHz: that of an 85F for more than six seconds.
#[test]
fn ecp5_boards_are_configured_in_under_a_second() {
    for board in Board::built_in() {
        if board.family == Family::Ecp5 {
            let line = (board.constraint_text().lines())
                .find(|line| line.starts_with("SYSCONFIG "))
                .unwrap_or_else(|| panic!("{} has no SYSCONFIG", board.name));
            let megahertz = line
                .split_once("MCCLK_FREQ=")
                .and_then(|(_, rest)| rest.split([' ', ';']).next()?.parse::<f64>().ok())
                .unwrap_or_else(|| panic!("{}: {line}", board.name));
            // The whole of the largest device, not compressed: 15.3 million bits.
            assert!(15.3 / megahertz < 0.5, "{}: {line}", board.name);
        }
    }
}

/// The ULX3S's ESP32 starts into its loader when its GPIO0 is low, which is on another pin from v3.1.6 on. On those boards
/// the pin of before is an output of the ESP32.
#[test]
fn the_revisions_of_the_ulx3s_have_pin_files_of_their_own() {
    for size in ["12f", "25f", "45f", "85f"] {
        let early = Board::find(&format!("ulx3s-{size}")).unwrap();
        let late = Board::find(&format!("ulx3s-{size}-v316")).unwrap();
        assert!(!late.constraint_text().contains("\"L2\""));
        assert!(!early.constraint_text().contains("\"F1\""));
        // Each tells the owner of the other what to take.
        assert!(early.notes[0].contains(&late.name), "{:?}", early.notes);
        assert!(late.title.ends_with(", revision v3.1.6 or later"));
        assert_eq!((early.number, early.core), (late.number, late.core));
    }
}

/// What users of these boards ran into, said before they do: `boards NAME` and `build --flash` print it.
#[test]
fn the_notes_of_a_board_name_its_traps() {
    for (name, words) in [
        ("upduino3", "plug it in again"),
        ("upduino3", "DTR"),
        ("tinyfpga-bx", "the boot loader waits after power-on"),
        ("colorlight-i5", "0x10 and 0x12"),
        ("colorlight-i5", "choose colorlight-i5-header"),
        ("colorlight-i9", "choose colorlight-i9-header"),
        ("icesugar", "0x10 and 0x12"),
        ("icesugar-pro", "0x10 and 0x12"),
        ("ulx3s-25f-v316", "one source only"),
    ] {
        let notes = Board::find(name).unwrap().notes;
        let told = notes.iter().any(|note| note.contains(words));
        assert!(told, "{name}: {words} in {notes:?}");
    }
}

/// A boot loader's USB socket must not show the computer a device that does not answer.
#[test]
fn pins_that_the_boards_want_held_are_held() {
    let level = |board: &str, signal: &str| {
        let board = Board::find(board).unwrap();
        let held = board.constant_outputs.iter().find(|o| o.signal == signal);
        held.map(|output| output.level)
    };
    assert_eq!(level("tinyfpga-bx", "usb_pullup"), Some(false));
    assert_eq!(level("upduino3", "flash_select_n"), Some(true));
    assert_eq!(level("ulx3s-25f-v316", "wifi_gpio0"), Some(true));
}

#[test]
fn boards_without_a_usb_chip_name_the_pins_for_an_adapter() {
    let boards = Board::built_in();
    let with_header: Vec<&str> = boards
        .iter()
        .filter(|board| board.uart.header.is_some())
        .map(|board| board.name.as_str())
        .collect();
    assert_eq!(
        with_header,
        ["tinyfpga-bx", "orangecrab-25f", "orangecrab-85f"]
    );
    let bx = Board::find("tinyfpga-bx").unwrap().uart.connection();
    assert_eq!(
        bx,
        "a 3.3 V USB-UART adapter, its TXD to pin 2 of the board, its RXD to pin 1, ground to ground"
    );
    let icebreaker = Board::find("icebreaker").unwrap().uart.connection();
    assert_eq!(
        icebreaker,
        "the board's FT2232H, the second of its two ports"
    );
}
