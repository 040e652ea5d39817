// A UART that sends back every byte, to test the virtual board without a core: 8 clocks a bit, a queue of 256 bytes.
// A byte that finds the queue full is lost. `lost` and the memory have no value at power-up but the simulator's.
module echo (
    input  wire clock,
    input  wire uart_rx,
    output reg  uart_tx,
    output wire led
);
    localparam DIVISOR = 8;

    // Receiver.
    reg [1:0] rx_sync = 2'b11;
    reg [3:0] rx_bits = 0;
    reg [7:0] rx_wait = 0;
    reg [8:0] rx_shift = 0;
    reg       rx_done = 0;
    always @(posedge clock) begin
        rx_sync <= {rx_sync[0], uart_rx};
        rx_done <= 0;
        if (rx_bits == 0) begin
            if (!rx_sync[1]) begin
                rx_bits <= 10;
                rx_wait <= DIVISOR / 2 - 1;
            end
        end else if (rx_wait != 0) begin
            rx_wait <= rx_wait - 1;
        end else begin
            rx_wait <= DIVISOR - 1;
            rx_bits <= rx_bits - 1;
            rx_shift <= {rx_sync[1], rx_shift[8:1]};
            if (rx_bits == 10 && rx_sync[1]) rx_bits <= 0;  // no start bit
            if (rx_bits == 1) rx_done <= rx_sync[1];
        end
    end

    // Queue.
    reg [7:0] queue [0:255];
    reg [7:0] head = 0;
    reg [7:0] tail = 0;
    wire      full = (tail + 8'd1) == head;
    always @(posedge clock) begin
        if (rx_done && !full) begin
            queue[tail] <= rx_shift[7:0];
            tail <= tail + 1;
        end
    end

    // Transmitter.
    reg [3:0] tx_bits = 0;
    reg [7:0] tx_wait = 0;
    reg [7:0] tx_shift = 0;
    initial uart_tx = 1;
    always @(posedge clock) begin
        if (tx_wait != 0) begin
            tx_wait <= tx_wait - 1;
        end else if (tx_bits != 0) begin
            tx_wait <= DIVISOR - 1;
            tx_bits <= tx_bits - 1;
            uart_tx <= tx_bits == 1 ? 1'b1 : tx_shift[0];
            tx_shift <= tx_shift >> 1;
        end else if (head != tail) begin
            tx_wait <= DIVISOR - 1;
            tx_bits <= 9;
            uart_tx <= 0;
            tx_shift <= queue[head];
            head <= head + 1;
        end
    end

    assign led = full;
endmodule
