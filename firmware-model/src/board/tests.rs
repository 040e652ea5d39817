use super::*;

const DATA: &str = include_str!("../../../constraints/icebreaker.toml");
const PINS: &str = include_str!("../../../constraints/icebreaker.pcf");
const ECP5_DATA: &str = include_str!("../../../constraints/ulx3s-25f.toml");
const ECP5_PINS: &str = include_str!("../../../constraints/ulx3s.lpf");

fn parse(data: &str, pins: &str) -> Result<Board, BoardError> {
    Board::parse(data, "test.toml", |_| Ok(pins.to_owned()))
}

/// `text` with one piece replaced; the piece must be there, so that a test cannot pass by changing nothing.
fn with(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "`{from}` in {text}");
    text.replace(from, to)
}

fn problem(data: &str) -> Problem {
    match parse(data, PINS) {
        Err(BoardError::Invalid { problem, .. }) => problem,
        other => panic!("expected an invalid board, got {other:?}"),
    }
}

fn pin_error(pins: &str) -> PinError {
    match parse(DATA, pins) {
        Err(BoardError::Pins(error)) => error,
        other => panic!("expected a pin error, got {other:?}"),
    }
}

#[test]
fn a_typing_error_in_a_name_is_met_with_the_right_name() {
    let message = Board::find("icebraker").unwrap_err().to_string();
    let names: Vec<String> = (Board::built_in().into_iter())
        .flat_map(|board| [vec![board.clone()], board.variant_boards()].concat())
        .map(|board| board.name)
        .collect();
    assert!(names.contains(&"ulx3s-25f-v316".to_owned()), "{names:?}");
    assert_eq!(
        message,
        format!(
            "there is no board `icebraker` (did you mean `icebreaker`?); choose one of {}, \
             or give the path of a board's .toml file",
            names.join(", ")
        )
    );
    let message = Board::find("ULX3S-25").unwrap_err().to_string();
    assert!(message.contains("did you mean `ulx3s-25f`?"), "{message}");
    let message = Board::find("zzz").unwrap_err().to_string();
    assert!(!message.contains("did you mean"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Board::find("no/such/board.toml").unwrap_err();
    assert!(matches!(error, BoardError::Read { .. }));
    assert!(error.to_string().contains("no/such/board.toml"), "{error}");
}

#[test]
fn an_unknown_field_a_wrong_type_and_a_missing_field_name_the_line() {
    let cases = [
        (
            with(DATA, "family =", "colour = 3\nfamily ="),
            "unknown field `colour`",
        ),
        (with(DATA, "divq = 5", "divq = \"5\""), "invalid type"),
        (with(DATA, "divq = 5", "divr2 = 5"), "divr2"),
        (with(DATA, "lanes = 64\n", ""), "missing field `lanes`"),
        (
            with(DATA, "\"ice40\"", "\"ice41\""),
            "unknown variant `ice41`",
        ),
        (with(DATA, "[uart]", "[uart"), "line"),
    ];
    for (data, expected) in cases {
        let error = parse(&data, PINS).unwrap_err();
        assert!(matches!(error, BoardError::Field { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.starts_with("test.toml, line "), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn the_line_of_a_wrong_field_is_right() {
    let data = with(DATA, "family =", "colour = 3\nfamily =");
    let line = 1 + data.lines().position(|l| l == "colour = 3").unwrap();
    match parse(&data, PINS) {
        Err(BoardError::Field { line: found, .. }) => assert_eq!(found, line),
        other => panic!("{other:?}"),
    }
}

#[test]
fn figures_that_cannot_be_are_refused() {
    assert!(matches!(
        problem(&with(DATA, "\"icebreaker\"", "\"../x\"")),
        Problem::Name(_)
    ));
    assert_eq!(
        problem(&with(DATA, "number = 1", "number = 0")),
        Problem::Number
    );
    assert!(matches!(
        problem(&with(DATA, "icebreaker.pcf", "icebreaker.lpf")),
        Problem::PinFile { .. }
    ));
    let usb = "usb = \"FT2232H, the second of its two ports\"\n";
    assert_eq!(problem(&with(DATA, usb, "")), Problem::Connection);
    let both = format!("{usb}header = {{ rx = \"1\", tx = \"2\" }}\n");
    assert_eq!(problem(&with(DATA, usb, &both)), Problem::Connection);
    let grade = with(DATA, "package =", "speed_grade = 6\npackage =");
    assert_eq!(problem(&grade), Problem::Ecp5Fields);
    for (field, other) in [
        ("speed_grade = 6\n", ""),
        ("speed_grade = 6\n", "speed_grade = 5\n"),
        ("idcode = 0x4111_1043\n", ""),
    ] {
        assert_eq!(problem(&with(ECP5_DATA, field, other)), Problem::Ecp5Fields);
    }
    let path = with(DATA, "tool = \"iceprog\"", "tool = \"./iceprog\"");
    assert_eq!(problem(&path), Problem::FlashTool("./iceprog".to_owned()));
    assert!(matches!(
        problem(&with(
            DATA,
            "baud = 3_000_000\nmax_baud = 12_000_000",
            "baud = 3_000_000\nmax_baud = 1"
        )),
        Problem::BaudTooHigh { .. }
    ));
    assert!(matches!(
        problem(&with(DATA, "\nbaud = 3_000_000", "\nbaud = 12_000_000")),
        Problem::ClocksPerBit { clocks: 2, .. }
    ));
    assert!(matches!(
        problem(&with(DATA, "\nbaud = 3_000_000", "\nbaud = 6_000_000")),
        Problem::BaudError { clocks: 5, .. }
    ));
    assert!(matches!(
        problem(&with(DATA, "\nlanes = 64", "\nlanes = 65")),
        Problem::Core(_)
    ));
    assert!(matches!(
        problem(&with(DATA, "sprams = 4", "sprams = 0")),
        Problem::Weights {
            needed: 4,
            available: 0,
            ..
        }
    ));
    assert!(matches!(
        problem(&with(DATA, "\nlanes = 64", "\nlanes = 128")),
        Problem::Weights {
            needed: 8,
            available: 4,
            ..
        }
    ));
}

#[test]
fn another_shape_keeps_the_capacities() {
    let board = Board::find("icebreaker").unwrap();
    assert_eq!(board.core_with(None, None, None).unwrap(), board.core);
    assert_eq!(
        board.core_with(Some(64), Some(1), None).unwrap(),
        board.core
    );
    let wide = board.core_with(Some(32), Some(2), None).unwrap();
    assert_eq!((wide.weight_rows, wide.fold_slots), (16_384, 32));
    assert_eq!((wide.input_rows, wide.hidden_rows), (512, 512));
    let small = board.core_with(Some(16), Some(1), None).unwrap();
    assert_eq!((small.weight_rows, small.input_rows), (65_536, 1024));
    let ulx3s = Board::find("ulx3s-25f").unwrap();
    let narrow = ulx3s.core_with(Some(32), None, None).unwrap();
    assert_eq!((narrow.weight_rows, narrow.fold_slots), (6144, 32));
}

#[test]
fn a_shape_that_does_not_fit_is_refused() {
    let board = Board::find("icebreaker").unwrap();
    let error = board.core_with(Some(16), Some(8), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "8 banks of 16384 rows of 16 weight bits take 8 SPRAMs, the board has 4"
    );
    assert!(matches!(
        board.core_with(Some(0), None, None),
        Err(Problem::Core(_))
    ));
    assert!(matches!(
        board.core_with(None, Some(0), None),
        Err(Problem::Core(_))
    ));
}

#[test]
fn a_pll_that_cannot_run_is_refused() {
    let pll_error = |data: &str| match problem(data) {
        Problem::Pll(error) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        pll_error(&with(DATA, "core_hz = 27_000_000", "core_hz = 25_000_000")),
        PllError::Output {
            found_hz: 27_000_000,
            ..
        }
    ));
    assert!(matches!(
        pll_error(&with(DATA, "divq = 5", "divq = 7")),
        PllError::Setting { name: "divq", .. }
    ));
    assert!(matches!(
        pll_error(&with(DATA, "divf = 71", "divf = 31")),
        PllError::Range {
            what: "oscillator",
            ..
        }
    ));
    assert!(matches!(
        pll_error(&with(DATA, "filter_range = 1", "filter_range = 2")),
        PllError::FilterRange { expected: 1, .. }
    ));
    let core = with(DATA, "SB_PLL40_PAD", "SB_PLL40_CORE");
    assert!(matches!(
        pll_error(&with(&core, "divf = 71", "divf = 31")),
        PllError::Range {
            what: "oscillator",
            ..
        }
    ));
    assert!(matches!(
        parse(&core, PINS).unwrap().clock.pll,
        Some(Pll::Ice40Core(Ice40Pll { divf: 71, .. }))
    ));
    assert!(matches!(
        pll_error(&with(ECP5_DATA, "clkop_div = 4", "clkop_div = 20")),
        PllError::Range {
            what: "oscillator",
            ..
        }
    ));
    assert!(matches!(
        pll_error(&with(ECP5_DATA, "clkos_div = 8", "clkos_div = 0")),
        PllError::Setting {
            name: "clkos_div",
            ..
        }
    ));
    assert!(matches!(
        pll_error(&with(ECP5_DATA, "clkos_div = 8", "clkos_div = 7")),
        PllError::Output {
            found_hz: 100_000_000,
            ..
        }
    ));
    let other_family = with(DATA, "\"ice40\"", "\"ecp5\"").replace(".pcf", ".lpf");
    let other_family = with(
        &other_family,
        "package =",
        "speed_grade = 6\nidcode = 1\npackage =",
    );
    assert!(matches!(
        pll_error(&other_family),
        PllError::Family {
            kind: "SB_PLL40_PAD",
            ..
        }
    ));
}

/// `DATA` with the input, the core's clock and the PLL of these figures.
fn with_pll(data: &str, input_hz: u32, core_hz: u32, settings: &str) -> String {
    let clock = &data[data.find("[clock]").unwrap()..data.find("[uart]").unwrap()];
    let clock = format!(
        "{}input_hz = {input_hz}\ncore_hz = {core_hz}\n[clock.pll]\n{settings}\n",
        &clock[..clock.find("input_hz").unwrap()]
    );
    let (before, _) = data.split_once("[clock]").unwrap();
    format!("{before}{clock}{}", &data[data.find("[uart]").unwrap()..])
}

/// The limits are the data sheets': of ECP5 FPGA-DS-02012, table 3.23; of iCE40 FPGA-DS-02029 and FPGA-DS-02008. What is
/// at a limit can run, what is just outside of it cannot.
#[test]
fn the_limits_of_a_pll_are_those_of_the_data_sheet() {
    let ecp5 = |input_hz: u32, core_hz: u32, divisors: [u8; 3], clkos: Option<u8>| {
        let [clki, clkfb, clkop] = divisors;
        let clkos = clkos.map_or(String::new(), |div| format!("clkos_div = {div}\n"));
        let settings = format!(
            "kind = \"EHXPLLL\"\nclki_div = {clki}\nclkfb_div = {clkfb}\nclkop_div = {clkop}\n\
             clkop_cphase = 0\n{clkos}"
        );
        with_pll(ECP5_DATA, input_hz, core_hz, &settings)
    };
    let ice40 = |input_hz: u32, core_hz: u32, divr: u8, divf: u8, divq: u8, filter: u8| {
        let settings = format!(
            "kind = \"SB_PLL40_CORE\"\ndivr = {divr}\ndivf = {divf}\ndivq = {divq}\nfilter_range = {filter}"
        );
        with_pll(DATA, input_hz, core_hz, &settings)
    };
    let outside = |data: String| match problem(&data) {
        Problem::Pll(PllError::Range { what, min, max, .. }) => (what, min, max),
        other => panic!("{other:?}"),
    };
    let baud = |data: String| data.replace("\nbaud = 3_000_000", "\nbaud = 300_000");
    let runs = |data: String| {
        // A slow enough link for any of these clocks.
        let pins = if data.contains("\"ecp5\"") {
            ECP5_PINS
        } else {
            PINS
        };
        match parse(&baud(data), pins) {
            Ok(_) | Err(BoardError::Pins(PinError::Frequency { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    };
    let detector = ("phase detector", 10.0, 400.0);
    // What the ULX3S and the Colorlight i5 had: 25 MHz / 5.
    assert_eq!(
        outside(ecp5(25_000_000, 90_000_000, [5, 18, 7], None)),
        detector
    );
    assert_eq!(
        outside(ecp5(25_000_000, 60_000_000, [5, 12, 10], None)),
        detector
    );
    assert_eq!(
        outside(ecp5(25_000_000, 75_000_000, [3, 9, 8], None)),
        detector
    );
    runs(ecp5(25_000_000, 87_500_000, [2, 7, 8], None));
    runs(ecp5(20_000_000, 80_000_000, [2, 8, 8], None));
    // The oscillator at its ends, and beyond.
    runs(ecp5(25_000_000, 100_000_000, [1, 4, 4], None));
    runs(ecp5(25_000_000, 100_000_000, [1, 4, 8], None));
    let oscillator = ("oscillator", 400.0, 800.0);
    assert_eq!(
        outside(ecp5(25_000_000, 75_000_000, [1, 3, 5], None)),
        oscillator
    );
    assert_eq!(
        outside(ecp5(25_000_000, 75_000_000, [1, 3, 11], None)),
        oscillator
    );
    // The oscillator is that of the feedback, whatever the core has.
    assert_eq!(
        outside(ecp5(25_000_000, 75_000_000, [1, 3, 5], Some(5))),
        oscillator
    );
    assert_eq!(
        outside(ecp5(25_000_000, 500_000_000, [1, 10, 1], Some(1))),
        ("oscillator", 400.0, 800.0)
    );
    assert_eq!(
        outside(ecp5(25_000_000, 500_000_000, [1, 2, 10], Some(1))),
        ("output", 3.125, 400.0)
    );
    assert_eq!(
        outside(ecp5(7_000_000, 70_000_000, [1, 10, 6], None)),
        ("input", 8.0, 400.0)
    );

    assert_eq!(
        outside(ice40(16_000_000, 32_000_000, 1, 63, 4, 1)),
        ("phase detector", 10.0, 133.0)
    );
    assert_eq!(
        outside(ice40(12_000_000, 33_750_000, 0, 89, 5, 1)),
        ("oscillator", 533.0, 1066.0)
    );
    assert_eq!(
        outside(ice40(12_000_000, 12_000_000, 0, 63, 6, 1)),
        ("output", 16.0, 275.0)
    );
    runs(ice40(12_000_000, 27_000_000, 0, 71, 5, 1));
    runs(ice40(20_000_000, 30_000_000, 1, 95, 5, 1));
}

#[test]
fn without_a_pll_the_core_runs_at_the_input() {
    let start = DATA.find("[clock.pll]").unwrap();
    let end = start + DATA[start..].find("\n\n").unwrap();
    let data = DATA.replace(&DATA[start..end], "");
    assert!(matches!(problem(&data), Problem::NoPll { .. }));
    let data = with(&data, "core_hz = 27_000_000", "core_hz = 12_000_000");
    assert_eq!(parse(&data, PINS).unwrap().clock.pll, None);
}

#[test]
fn a_bad_pin_file_is_refused() {
    assert!(matches!(
        pin_error(&with(PINS, "set_io clk 35", "set_oi clk 35")),
        PinError::Syntax { .. }
    ));
    assert!(matches!(
        pin_error(&with(PINS, "set_io clk 35", "set_io clk")),
        PinError::Syntax { .. }
    ));
    assert!(matches!(
        pin_error(&with(PINS, "set_io clk 35", "set_io clk 6")),
        PinError::SharedPin { .. }
    ));
    assert!(matches!(
        pin_error(&with(PINS, "set_io clk 35", "set_io uart_rx 35")),
        PinError::TwoPins { .. }
    ));
    assert!(matches!(
        pin_error(&with(PINS, "set_io clk 35", "")),
        PinError::NoPin { signal, .. } if signal == "clk"
    ));
    assert!(matches!(
        pin_error(&format!("{PINS}\nset_io button 10\n")),
        PinError::UnknownSignal { signal, .. } if signal == "button"
    ));
    let ecp5_error = |from, to| match parse(ECP5_DATA, &with(ECP5_PINS, from, to)) {
        Err(BoardError::Pins(error)) => error,
        other => panic!("expected a pin error, got {other:?}"),
    };
    let frequency = "FREQUENCY PORT \"clk\" 25 MHZ;";
    assert!(matches!(
        ecp5_error(frequency, "FREQUENCY PORT \"clk\" 12 MHZ;"),
        PinError::Frequency {
            found: 12.0,
            wanted: 25.0,
            ..
        }
    ));
    assert!(matches!(
        ecp5_error(frequency, ""),
        PinError::NoFrequency { wanted: 25.0, .. }
    ));
    assert!(matches!(
        ecp5_error(frequency, "FREQUENCY PORT \"clk\" fast MHZ;"),
        PinError::Syntax { line: 10, .. }
    ));
    assert!(matches!(
        ecp5_error("IOBUF PORT \"uart_rx\"", "IOBUF PORT \"uart_r\""),
        PinError::UnknownPort { signal, .. } if signal == "uart_r"
    ));
    let same_name = with(DATA, "rx = \"uart_rx\"", "rx = \"uart_tx\"");
    assert!(matches!(
        parse(&same_name, PINS),
        Err(BoardError::Pins(PinError::SameName { .. }))
    ));
}

#[test]
fn options_of_pin_files_are_understood() {
    let pcf = "set_io -nowarn -pullup yes clk 35 # oscillator\nset_frequency clk 12\n";
    let pins = Pins::parse(Family::Ice40, pcf, "a.pcf").unwrap();
    assert_eq!(pins.get("clk"), Some("35"));
    for bad in [
        "LOCATE COMP \"clk\" SITE \"G2\"",
        "LOCATE COMP clk SITE \"G2\";",
        "LOCATE COMP \"clk\";",
        "LOCATION COMP \"clk\" SITE \"G2\";",
    ] {
        let error = Pins::parse(Family::Ecp5, bad, "a.lpf").unwrap_err();
        assert!(matches!(error, PinError::Syntax { line: 1, .. }), "{bad}");
    }
}

const VARIANT: &str = "
[[variants]]
name = 'header'
when = 'with an adapter'
constraints = 'other.lpf'
notes = ['Mind the gap.']
uart = { rx = 'uart_rx', tx = 'uart_tx', baud = 921_600, max_baud = 3_000_000, header = { rx = '1', tx = '2' } }
";

/// The board of `data` whose variants have the pin file `other.lpf` of this text.
fn parse_variants(data: &str, other: &str) -> Result<Board, BoardError> {
    Board::parse(data, "test.toml", |file| {
        Ok(match file {
            "other.lpf" => other.to_owned(),
            _ => ECP5_PINS.to_owned(),
        })
    })
}

#[test]
fn a_variant_is_the_board_but_for_what_it_says() {
    let (plain, _) = ECP5_DATA.split_once("[[variants]]").unwrap();
    let data = format!("{plain}{VARIANT}");
    let other = with(ECP5_PINS, "\"L2\"", "\"F1\"");
    let board = parse_variants(&data, &other).unwrap();
    let [variant] = &board.variant_boards()[..] else {
        panic!("{:?}", board.variants);
    };
    assert_eq!(variant.name, "ulx3s-25f-header");
    assert_eq!(variant.title, "ULX3S (ECP5 LFE5U-25F), with an adapter");
    assert_eq!(variant.notes, ["Mind the gap."]);
    assert_eq!(variant.uart.baud, 921_600);
    assert!(variant.variants.is_empty());
    assert_eq!(board.pin("wifi_gpio0").as_deref(), Some("L2"));
    assert_eq!(variant.pin("wifi_gpio0").as_deref(), Some("F1"));
    // The gateware is for the same board.
    assert_eq!(
        (variant.number, variant.core, &variant.clock),
        (board.number, board.core, &board.clock)
    );
}

#[test]
fn a_variant_is_checked_as_a_board_is() {
    let (plain, _) = ECP5_DATA.split_once("[[variants]]").unwrap();
    let data = format!("{plain}{VARIANT}");
    assert!(matches!(
        parse_variants(&data, "LOCATE COMP \"clk\" SITE \"G2\";"),
        Err(BoardError::Pins(PinError::NoPin { .. }))
    ));
    let fast = with(&data, "baud = 921_600", "baud = 4_000_000");
    assert!(matches!(
        parse_variants(&fast, ECP5_PINS),
        Err(BoardError::Invalid {
            problem: Problem::BaudTooHigh { .. },
            ..
        })
    ));
    assert!(matches!(
        parse_variants(&with(&data, "name = 'header'", "name = 'v 2'"), ECP5_PINS),
        Err(BoardError::Invalid {
            problem: Problem::Name(name),
            ..
        }) if name == "ulx3s-25f-v 2"
    ));
    assert!(matches!(
        parse_variants(&format!("{data}{VARIANT}"), ECP5_PINS),
        Err(BoardError::Invalid {
            problem: Problem::SameVariant(name),
            ..
        }) if name == "header"
    ));
}
