`default_nettype none

module machine (
    input  wire       clock,
    input  wire       go,
    output wire       busy,
    output wire [3:0] steps
);
    localparam [1:0] STATE_IDLE = 2'd0;
    localparam [1:0] STATE_RUN = 2'd1;
    localparam [1:0] STATE_DONE = 2'd2;

    reg [1:0] state = STATE_IDLE;
    reg [3:0] count = 4'd9;

    // One pass for each `go`.
    always @(posedge clock) begin
        case (state)
            STATE_IDLE: begin
                if (go) begin
                    state <= STATE_RUN;
                end
            end
            STATE_RUN: begin
                count <= count - 4'd1;
                // The last step.
                if (count == 4'd1) begin
                    state <= STATE_DONE;
                end
            end
            default: begin  // STATE_DONE
                count <= 4'd9;
                state <= STATE_IDLE;
            end
        endcase
    end

    assign busy = state != STATE_IDLE;
    assign steps = count;
endmodule

`default_nettype wire
