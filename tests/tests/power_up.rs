//! From power-up until the PLL has locked: the generated Verilog as it is synthesised, with stand-ins for the vendors' PLLs.

use firmware_model::board::Board;
use firmware_model::protocol::info::InfoPayload;
use firmware_model::protocol::request::Request;
use firmware_model::protocol::{Frame, FrameReader};
use std::path::Path;
use std::process::Command;

/// The PLLs, as far as the test needs them: the clock goes through, and the lock is the testbench's.
const PLLS: &str = "
module SB_PLL40_CORE #(
    parameter FEEDBACK_PATH = \"\", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0
) (input REFERENCECLK, RESETB, BYPASS, output PLLOUTCORE, PLLOUTGLOBAL, LOCK);
    assign PLLOUTGLOBAL = REFERENCECLK;
    assign LOCK = bench.lock;
endmodule

module EHXPLLL #(
    parameter PLLRST_ENA = \"\", INTFB_WAKE = \"\", STDBY_ENABLE = \"\", DPHASE_SOURCE = \"\", OUTDIVIDER_MUXA = \"\",
    OUTDIVIDER_MUXB = \"\", OUTDIVIDER_MUXC = \"\", OUTDIVIDER_MUXD = \"\", CLKI_DIV = 0, CLKOP_ENABLE = \"\",
    CLKOP_DIV = 0, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0, CLKOS_ENABLE = \"\", CLKOS_DIV = 0, CLKOS_CPHASE = 0,
    CLKOS_FPHASE = 0, FEEDBK_PATH = \"\", CLKFB_DIV = 0
) (
    input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP,
    output CLKOP, CLKOS, LOCK
);
    assign CLKOP = CLKI;
    assign CLKOS = CLKI;
    assign LOCK = bench.lock;
endmodule
";

/// Asks three times: without the lock, with it, and when it is lost again. Prints the bytes that come back each time.
const BENCH: &str = "
module bench;
    reg clk = 1'b0, rx = 1'b1, lock = 1'b0;
    wire tx, led_0, led_1;
    integer at, bit_at, got;
    reg [7:0] byte_now, byte_got;
    reg [7:0] request [0:REQUEST_BYTES - 1];

    TOP top (.clk(clk), .uart_rx(rx), .uart_tx(tx), PORTS);

    always #5 clk = ~clk;

    task ask;
        for (at = 0; at < REQUEST_BYTES; at = at + 1) begin
            byte_now = request[at];
            rx = 1'b0;
            #(10 * DIVISOR);
            for (bit_at = 0; bit_at < 8; bit_at = bit_at + 1) begin
                rx = byte_now[bit_at];
                #(10 * DIVISOR);
            end
            rx = 1'b1;
            #(10 * DIVISOR);
        end
    endtask

    always begin
        @(negedge tx);
        #(15 * DIVISOR);
        for (got = 0; got < 8; got = got + 1) begin
            byte_got[got] = tx;
            #(10 * DIVISOR);
        end
        $display(\"%h\", byte_got);
    end

    initial begin
        $readmemh(\"request.hex\", request);
        #(100 * DIVISOR);
        ask;
        #(2000 * DIVISOR);
        $display(\"lock\");
        lock = 1'b1;
        #(100 * DIVISOR);
        ask;
        // The answer has some fifty bytes.
        #(8000 * DIVISOR);
        $display(\"lost\");
        lock = 1'b0;
        #(100 * DIVISOR);
        ask;
        #(2000 * DIVISOR);
        $finish;
    end
endmodule
";

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; it comes with Debian's iverilog"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the board sends before the lock, with it, and after it is lost.
fn answers(name: &str) -> [Vec<u8>; 3] {
    let board = Board::find(name).unwrap();
    let core = board.core_with(Some(8), Some(1), None).unwrap();
    let frame = Frame {
        kind: Request::Info.kind(),
        sequence: 1,
        payload: Request::Info.payload(),
    };
    let request = [vec![0], frame.to_wire()].concat();
    let hexadecimal: Vec<String> = request.iter().map(|byte| format!("{byte:02x}")).collect();
    // Ports that the bench does not look at.
    let leds = board.leds.iter().map(|led| format!(".{}()", led.signal));
    let constants = board.constant_outputs.iter();
    let ports: Vec<String> = leds
        .chain(constants.map(|output| format!(".{}()", output.signal)))
        .collect();
    let bench = BENCH
        .replace("TOP", &firstspike_hdl::top_name(&board))
        .replace("PORTS", &ports.join(", "))
        .replace("REQUEST_BYTES", &request.len().to_string())
        .replace("DIVISOR", &board.clocks_per_bit().to_string());
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write("core.v", &firstspike_hdl::generate(&board, &core).unwrap());
    write("bench.v", &format!("{bench}{PLLS}"));
    write("request.hex", &hexadecimal.join("\n"));
    run(
        "iverilog",
        &[
            "-g2005",
            "-DSYNTHESIS",
            "-s",
            "bench",
            "-o",
            "bench.vvp",
            "bench.v",
            "core.v",
        ],
        folder.path(),
    );
    let said = run("vvp", &["-n", "bench.vvp"], folder.path());
    let (before, rest) = said.split_once("lock\n").expect("the bench ran");
    let (with, after) = rest.split_once("lost\n").expect("the bench ran to its end");
    [before, with, after].map(|part| {
        let bytes = part.lines().filter(|line| line.len() == 2);
        bytes
            .map(|line| u8::from_str_radix(line, 16).unwrap())
            .collect()
    })
}

fn the_core_answers_only_while_the_pll_is_locked(name: &str) {
    let [before, with, after] = answers(name);
    assert_eq!(before, [], "{name}, before the lock");
    assert_eq!(after, [], "{name}, after it was lost");
    let mut reader = FrameReader::default();
    let frames: Vec<Frame> = (with.into_iter())
        .filter_map(|byte| reader.push(byte)?.ok())
        .collect();
    let [reply] = &frames[..] else {
        panic!("{name}: {frames:?}");
    };
    let info = InfoPayload::parse(&reply.payload[1..]).unwrap();
    assert_eq!(info.device.board_number, Board::find(name).unwrap().number);
}

#[test]
fn an_ice40_core_answers_only_while_the_pll_is_locked() {
    the_core_answers_only_while_the_pll_is_locked("ice40-hx8k");
}

/// With the feedback from CLKOP and the core's clock from CLKOS.
#[test]
fn an_ecp5_core_answers_only_while_the_pll_is_locked() {
    the_core_answers_only_while_the_pll_is_locked("icepi-zero");
}
