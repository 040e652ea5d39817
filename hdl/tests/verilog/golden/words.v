`default_nettype none

module words (
    input  wire  [7:0] high,
    input  wire  [7:0] low,
    input  wire        flag,
    output wire [15:0] word,
    output wire [15:0] marked,
    output wire [15:0] overlap,
    output wire  [7:0] reversed
);
    assign word = {high, low};

    // A 1, the high byte, 3 bits of the low byte, and the flag.
    assign marked = {1'b1, 3'd0, high, low[4:2], flag};
    assign overlap = {1'b0, high, 7'd0} + {8'd0, low};
    assign reversed = {high[0], high[1], high[2], high[3], high[4], high[5], high[6], high[7]};
endmodule

`default_nettype wire
