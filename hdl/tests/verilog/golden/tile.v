// Made from the test blocks.
//
// lanes  4

`default_nettype none

// Lanes that work side by side.
module tile (
    input  wire        clock,
    input  wire        load,
    input  wire [11:0] start,
    input  wire  [3:0] row_0,
    input  wire  [3:0] row_1,
    output wire  [3:0] fired,
    output wire [11:0] last
);
    wire [11:0] lanes_0_potential;
    wire [11:0] lanes_1_potential;
    wire [11:0] lanes_2_potential;

    lane_w12 lanes_0 (
        .clock(clock),
        .load(load),
        .start(start),
        .weight_0(row_0[0]),
        .weight_1(row_1[0]),
        .potential(lanes_0_potential),
        .fire(fired[0])
    );

    lane_w12 lanes_1 (
        .clock(clock),
        .load(load),
        .start(start),
        .weight_0(row_0[1]),
        .weight_1(row_1[1]),
        .potential(lanes_1_potential),
        .fire(fired[1])
    );

    lane_w12 lanes_2 (
        .clock(clock),
        .load(load),
        .start(start),
        .weight_0(row_0[2]),
        .weight_1(row_1[2]),
        .potential(lanes_2_potential),
        .fire(fired[2])
    );

    lane_w12 lanes_3 (
        .clock(clock),
        .load(load),
        .start(start),
        .weight_0(row_0[3]),
        .weight_1(row_1[3]),
        .potential(last),
        .fire(fired[3])
    );

    // Nothing reads these.
    wire _unused = &{1'b0, lanes_0_potential, lanes_1_potential, lanes_2_potential};
endmodule

// One neuron of a fold: adds the positive weight bits of a cycle to its potential.
module lane_w12 (
    input  wire        clock,
    input  wire        load,
    input  wire [11:0] start,
    input  wire        weight_0,
    input  wire        weight_1,
    output wire [11:0] potential,
    output wire        fire
);
    localparam [11:0] ONE = 12'd1;

    reg [11:0] value = 12'd0;

    wire [11:0] sum_0;
    wire [11:0] sum_1;

    // Weight bits that agree with a spike.
    assign sum_0 = weight_0 ? ONE : 12'd0;
    assign sum_1 = weight_1 ? sum_0 + ONE : sum_0;
    assign potential = value;
    assign fire = !value[11];

    always @(posedge clock) begin
        if (load) begin
            value <= start;
        end else begin
            value <= value + sum_1;
        end
    end
endmodule

`default_nettype wire
