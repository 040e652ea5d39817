// The link's pins for the tests: one call a clock.
#include "Vlink.h"
#include "verilated.h"
#include <cstdint>

struct Inputs {
    uint32_t verify_crc, result_cycles, result_idle;
    uint16_t result_class, result_overshoot;
    uint8_t result_step, result_silent, result_valid;
    uint8_t uart_rx, load_error, verify_done, spikes_ready, spikes_error, busy;
};

struct Outputs {
    uint16_t load_address;
    uint8_t uart_tx, geometry_shift, geometry_byte, load_begin, load_margins, load_select, load_strobe, load_byte;
    uint8_t verify_start, spikes_begin, spikes_strobe, spikes_byte, spikes_commit, result_take, armed, activity;
};

struct Bench {
    VerilatedContext context;
    Vlink link{&context};
};

extern "C" Bench *bench_new() { return new Bench; }

extern "C" void bench_free(Bench *bench) { delete bench; }

// Puts the inputs on the pins, reads the outputs that come of them, then gives the clock's edge.
extern "C" void bench_clock(Bench *bench, const Inputs *in, Outputs *out) {
    Vlink &link = bench->link;
    link.clock = 0;
#define PUT(pin) link.pin = in->pin
    PUT(verify_crc), PUT(result_cycles), PUT(result_idle), PUT(result_class), PUT(result_overshoot);
    PUT(result_step), PUT(result_silent), PUT(result_valid), PUT(uart_rx), PUT(load_error), PUT(verify_done), PUT(spikes_ready);
    PUT(spikes_error), PUT(busy);
    link.eval();
#define GET(pin) out->pin = link.pin
    GET(load_address), GET(uart_tx), GET(geometry_shift), GET(geometry_byte), GET(load_begin), GET(load_margins);
    GET(load_select), GET(load_strobe), GET(load_byte), GET(verify_start), GET(spikes_begin), GET(spikes_strobe);
    GET(spikes_byte), GET(spikes_commit), GET(result_take), GET(armed), GET(activity);
    link.clock = 1;
    link.eval();
}
