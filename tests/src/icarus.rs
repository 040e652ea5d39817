//! The generated Verilog in Icarus Verilog, which waits for changes where Verilator computes everything: a board's top
//! level as a transport, its UART pins driven bit for bit.

use firmware_model::board::Board as BoardData;
use firstspike::driver::Transport;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The clock edges after which no output may be undefined.
const FIRST_EDGES: u32 = 2;

/// The quiet clocks after which the board is taken to be idle, and time passes without simulating it: more than a small
/// core computes or reads back its memories.
const IDLE_CLOCKS: u64 = 100_000;

/// Orders take well under a second. A circuit that wakes itself for ever never comes to the end of one.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a test bench is told, one letter each.
mod order {
    /// Send the byte that follows.
    pub const SEND: u8 = b's';
    /// Run for the number of clocks that follows in two bytes, or until the board has sent a byte.
    pub const RUN: u8 = b'r';
    /// Say that all orders before this one are done.
    pub const REPORT: u8 = b'd';
}

/// A board's top level in Icarus. Its clock is the board's: what the host does takes no time.
pub struct IcarusLine {
    process: Arc<Mutex<Child>>,
    /// Tells who watches over the process that it is alive.
    alive: Sender<()>,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    clock_hz: u32,
    clocks: u64,
    /// Clocks that passed while the board had nothing to do, and was not run for that.
    skipped: u64,
    /// Clocks since the last byte in either direction.
    quiet: u64,
    to_host: VecDeque<u8>,
}

impl IcarusLine {
    /// Compiles the Verilog of `board` for a generation of the language, like `-g2005`, in `folder`, and powers it up.
    ///
    /// # Panics
    /// If Icarus is not installed, or says anything about the Verilog.
    pub fn new(verilog: &str, board: &BoardData, generation: &str, folder: &Path) -> Self {
        let source = folder.join(format!("core{generation}.v"));
        let bench = folder.join(format!("bench{generation}.v"));
        let program = folder.join(format!("bench{generation}.vvp"));
        std::fs::write(&source, verilog).expect("the folder can be written");
        std::fs::write(&bench, test_bench(board)).expect("the folder can be written");
        let mut iverilog = Command::new("iverilog");
        iverilog.args([generation, "-Wall", "-s", "bench", "-o"]);
        let compiled = iverilog
            .args([&program, &bench, &source])
            .output()
            .expect("Icarus Verilog is installed: make test");
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success() && said.is_empty(), "{said}");
        let mut process = Command::new("vvp")
            .arg("-n")
            .arg(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Icarus Verilog is installed: make test");
        let orders = process.stdin.take().expect("it is piped");
        let answers = process.stdout.take().expect("it is piped");
        let process = Arc::new(Mutex::new(process));
        IcarusLine {
            alive: watch(&process),
            orders,
            answers: BufReader::new(answers),
            process,
            clock_hz: board.clock.core_hz,
            clocks: 0,
            skipped: 0,
            quiet: 0,
            to_host: VecDeque::new(),
        }
    }

    fn clocks(&self) -> u64 {
        self.clocks + self.skipped
    }

    /// Gives orders, and takes what the board sends until they are done.
    fn give(&mut self, orders: &[u8]) -> io::Result<()> {
        // Where nobody watches any more, the process has been ended, and that is found below.
        let _ = self.alive.send(());
        self.orders.write_all(orders)?;
        self.orders.write_all(&[order::REPORT])?;
        self.orders.flush()?;
        let mut line = String::new();
        loop {
            line.clear();
            if self.answers.read_line(&mut line)? == 0 {
                return Err(io::Error::other(
                    "the simulation has ended, or was ended because it did not go on",
                ));
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["byte", byte] => {
                    let byte = u8::from_str_radix(byte, 16).map_err(io::Error::other)?;
                    self.to_host.push_back(byte);
                    self.quiet = 0;
                }
                ["done", clocks] => {
                    let clocks: u64 = clocks.parse().map_err(io::Error::other)?;
                    self.quiet += clocks - self.clocks;
                    self.clocks = clocks;
                    return Ok(());
                }
                _ => return Err(io::Error::other(line)),
            }
        }
    }
}

impl Transport for IcarusLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let orders: Vec<u8> = bytes.iter().flat_map(|byte| [order::SEND, *byte]).collect();
        self.give(&orders)?;
        self.quiet = 0;
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let clocks = (limit.as_nanos() * u128::from(self.clock_hz)).div_ceil(1_000_000_000);
        let end = self.clocks() + clocks as u64;
        while self.clocks() < end && self.to_host.is_empty() {
            let left = end - self.clocks();
            if self.quiet > IDLE_CLOCKS {
                self.skipped += left;
            } else {
                let [high, low] = (left.min(4_096) as u16).to_be_bytes();
                self.give(&[order::RUN, high, low])?;
            }
        }
        let count = buffer.len().min(self.to_host.len());
        for (place, byte) in buffer.iter_mut().zip(self.to_host.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.to_host.clear();
        Ok(())
    }

    fn now(&self) -> Duration {
        let nanos = u128::from(self.clocks()) * 1_000_000_000 / u128::from(self.clock_hz);
        Duration::from_nanos(nanos as u64)
    }
}

impl Drop for IcarusLine {
    fn drop(&mut self) {
        if let Ok(mut process) = self.process.lock() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Ends a process that is not said to be alive for too long.
fn watch(process: &Arc<Mutex<Child>>) -> Sender<()> {
    let (alive, signs) = mpsc::channel();
    let process = Arc::clone(process);
    std::thread::spawn(move || loop {
        match signs.recv_timeout(PATIENCE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                if let Ok(mut process) = process.lock() {
                    let _ = process.kill();
                }
                return;
            }
        }
    });
    alive
}

/// A test bench that follows orders from its standard input, and says on its standard output what the board sends. It
/// ends, with a line that says why, when an output is undefined.
fn test_bench(board: &BoardData) -> String {
    let mut outputs = vec![board.uart.tx.clone()];
    outputs.extend(board.leds.iter().map(|led| led.signal.clone()));
    outputs.extend(board.constant_outputs.iter().map(|c| c.signal.clone()));
    let mut wires = String::new();
    let mut pins = String::new();
    for output in &outputs {
        writeln!(wires, "    wire {output};").expect("a String takes everything");
        write!(pins, ",\n        .{output}({output})").expect("a String takes everything");
    }
    format!(
        "module bench;
    reg clock = 0;
    reg line = 1;
{wires}
    {top} board (
        .{clock}(clock),
        .{rx}(line){pins}
    );

    integer clocks = 0;
    integer order;
    integer left;
    integer i;
    // The byte that comes in: clocks until its next bit, bits that are left, and those that were there.
    integer until_bit = 0;
    integer bits_left = 0;
    reg [8:0] bits = 0;
    reg got_byte = 0;
    reg [9:0] frame = 0;

    task tick;
        begin
            #1 clock = 1;
            #1 clock = 0;
            #1 clocks = clocks + 1;
            if (clocks >= {FIRST_EDGES} && (^{{{outputs}}}) === 1'bx) begin
                $display(\"undefined outputs in clock %0d: {outputs} are %b\", clocks, {{{outputs}}});
                $finish;
            end
            if (bits_left == 0) begin
                if ({tx} == 0) begin
                    bits_left = 9;
                    until_bit = {bit} + {bit} / 2;
                end
            end else begin
                until_bit = until_bit - 1;
                if (until_bit == 0) begin
                    bits = {{{tx}, bits[8:1]}};
                    bits_left = bits_left - 1;
                    until_bit = {bit};
                    if (bits_left == 0) begin
                        if (bits[8]) $display(\"byte %h\", bits[7:0]);
                        else $display(\"a byte without a stop bit in clock %0d\", clocks);
                        got_byte = 1;
                    end
                end
            end
        end
    endtask

    initial begin
        order = $fgetc(32'h8000_0000);
        while (order >= 0) begin
            if (order == {send}) begin
                frame = {{1'b1, 8'd0, 1'b0}};
                frame[8:1] = $fgetc(32'h8000_0000);
                for (i = 0; i < 10 * {bit}; i = i + 1) begin
                    line = frame[i / {bit}];
                    tick;
                end
            end else if (order == {run}) begin
                left = $fgetc(32'h8000_0000);
                left = left * 256 + $fgetc(32'h8000_0000);
                got_byte = 0;
                while (left > 0 && !got_byte) begin
                    tick;
                    left = left - 1;
                end
            end else begin
                $display(\"done %0d\", clocks);
                $fflush;
            end
            order = $fgetc(32'h8000_0000);
        end
        $finish;
    end
endmodule
",
        top = firstspike_hdl::top_name(board),
        clock = board.clock.signal,
        rx = board.uart.rx,
        tx = board.uart.tx,
        bit = board.clocks_per_bit(),
        outputs = outputs.join(", "),
        send = order::SEND,
        run = order::RUN,
    )
}
