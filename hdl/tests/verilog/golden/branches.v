`default_nettype none

module branches (
    input  wire       clock,
    input  wire [7:0] a,
    input  wire [7:0] b,
    input  wire [1:0] pick,
    input  wire       c,
    input  wire       d,
    output wire [7:0] nested,
    output wire [7:0] matched,
    output wire [7:0] rest,
    output wire [7:0] parts,
    output wire       truth,
    output wire       other_truth,
    output wire [7:0] taken,
    output wire [1:0] state_out
);
    localparam [1:0] STATE_IDLE = 2'd0;
    localparam [1:0] STATE_RUN = 2'd1;
    localparam [1:0] STATE_DONE = 2'd2;

    reg  [7:0] count = 8'd0;
    reg  [7:0] held = 8'd0;
    wire [7:0] held_next;
    reg  [1:0] state = STATE_IDLE;

    assign nested =
        pick == 2'd3 ? count :
        // Both.
        c && d ? a + b :
        c && pick == 2'd2 ? 8'd7 :
        c ? b :
        d ? 8'd9 :
        a;

    // A match with a rest, and one without.
    assign matched =
        state == STATE_RUN ? 8'd2 :
        state == STATE_IDLE && c ? 8'd1 :
        state != STATE_IDLE ? a :
        b;
    assign rest =
        state == STATE_IDLE ? a :
        state == STATE_RUN ? b :
        8'd0;
    assign state_out = state;

    always @(posedge clock) begin
        case (state)
            STATE_IDLE: begin
                if (c) begin
                    state <= STATE_RUN;
                end
            end
            STATE_RUN: begin
                // A register that holds after it was to count.
                count <= count + 8'd1;
                if (d) begin
                    count <= count;
                    state <= STATE_DONE;
                end
            end
            default: state <= STATE_IDLE;  // STATE_DONE
        endcase
    end

    // Parts.
    assign parts[2:1] = a[2:1] & b[2:1];
    assign parts[6:4] = a[6:4] & b[6:4];
    assign parts[7] = c;
    assign parts[0] = d ? 1'b1 : a[0] & b[0];
    assign parts[3] = d ? c : a[3] & b[3];
    assign truth = (|a) && (|b) ? d : !(|a) && (d || c);
    assign other_truth = c & d;
    assign held_next = !c ? held : a;
    assign taken = held_next ^ held;

    always @(posedge clock) begin
        held <= held_next;
    end
endmodule

`default_nettype wire
