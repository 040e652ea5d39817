// The bench around a board's Verilated top level: a clock, and a UART on its two pins.
//
// Every top level is Verilated with the prefix Vtop, so this file is the same for all of them. The names of its ports
// come as the macros PORT_CLOCK, PORT_RX and PORT_TX; inputs beside these stay 0, outputs are ignored. Loaded with
// dlopen by sim/src/library.rs, which declares the same structures; BENCH_ABI grows when they change.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#elif VM_TRACE
#include "verilated_vcd_c.h"
#endif

#define EXPORT extern "C" __attribute__((visibility("default")))

// Verilator ends the process on a fatal error; the virtual board must outlive it to say what happened.
void vl_fatal(const char* file, int line, const char*, const char* message) {
    throw std::runtime_error(std::string(message) + " (" + (file ? file : "") + ":" + std::to_string(line) + ")");
}

namespace {

constexpr uint32_t BENCH_ABI = 2;

// Times are counted in 1/256 of a clock, so that a bit need not last a whole number of clocks.
constexpr uint64_t CLOCK = 256;

// Plays a host's transmitter: 8 data bits, no parity, 1 stop bit.
class LineDriver {
public:
    bool ready(uint64_t now) const { return bits_left_ == 0 && now >= edge_; }

    void start(uint8_t byte, uint64_t now) {
        shift_ = static_cast<uint16_t>(0x200 | (byte << 1));
        bits_left_ = 10;
        // Back to back, a byte begins where the stop bit ended, not at the clock after: no drift.
        if (now >= edge_ + CLOCK) edge_ = now;
    }

    bool level(uint64_t now, uint64_t bit) {
        if (bits_left_ > 0 && now >= edge_) {
            level_ = shift_ & 1;
            shift_ >>= 1;
            --bits_left_;
            edge_ += bit;
        }
        return level_;
    }

private:
    uint64_t edge_ = 0;  // when the next bit begins, or the last stop bit is over
    uint16_t shift_ = 0;
    int bits_left_ = 0;
    bool level_ = true;
};

// Plays a host's receiver: finds the start bit's edge, then looks at the middle of each bit.
class LineSampler {
public:
    enum class Event { None, Byte, FramingError };

    bool busy() const { return bits_seen_ >= 0 || !high_; }
    uint8_t byte() const { return static_cast<uint8_t>(shift_ >> 1); }

    Event sample(bool level, uint64_t now, uint64_t bit) {
        const bool fell = high_ && !level;
        high_ = level;
        if (bits_seen_ < 0) {
            if (fell) {
                bits_seen_ = 0;
                shift_ = 0;
                middle_ = now + bit / 2;
            }
            return Event::None;
        }
        if (now < middle_) return Event::None;
        middle_ += bit;
        if (bits_seen_ == 0 && level) return end(Event::FramingError);  // too short for a start bit
        if (bits_seen_ == 9) return end(level ? Event::Byte : Event::FramingError);
        shift_ |= static_cast<uint16_t>(level) << bits_seen_++;
        return Event::None;
    }

private:
    Event end(Event event) {
        bits_seen_ = -1;
        return event;
    }

    uint64_t middle_ = 0;  // when to look next
    uint16_t shift_ = 0;
    int bits_seen_ = -1;  // -1: between bytes
    bool high_ = true;
};

class Bench {
public:
    // A waveform, if there is a path for it, has `trace_clocks` clocks from clock `trace_from` on.
    Bench(uint64_t seed, const char* trace_path, uint64_t trace_from, uint64_t trace_clocks) {
        context_.randReset(2);
        // Verilator takes 31 bits, and 0 as "choose one".
        const uint32_t folded = static_cast<uint32_t>(seed ^ (seed >> 32));
        context_.randSeed(static_cast<int>(folded % 0x7fffffffU) + 1);
#if VM_TRACE
        context_.traceEverOn(true);
#endif
        top_ = std::make_unique<Vtop>(&context_, "board");
        top_->PORT_CLOCK = 0;
        top_->PORT_RX = 1;
#if VM_TRACE
        if (trace_path) {
            trace_ = std::make_unique<Trace>();
            top_->trace(trace_.get(), 99);
            trace_->open(trace_path);
            if (!trace_->isOpen()) throw std::runtime_error(std::string("cannot write the trace ") + trace_path);
            trace_begin_ = trace_from;
            trace_end_ = trace_clocks < UINT64_MAX - trace_from ? trace_from + trace_clocks : UINT64_MAX;
        }
#else
        static_cast<void>(trace_from), static_cast<void>(trace_clocks);
        if (trace_path) throw std::runtime_error("this board was compiled without a trace");
#endif
    }

    ~Bench() {
#if VM_TRACE
        if (trace_) trace_->close();
#endif
        top_->final();
    }

    // One clock period: the receive pin changes at the falling edge, the transmit pin is looked at after the rising one.
    LineSampler::Event clock(uint64_t bit) {
        top_->PORT_RX = driver.level(now, bit);
        top_->PORT_CLOCK = 0;
        evaluate(0);
        top_->PORT_CLOCK = 1;
        evaluate(1);
        now += CLOCK;
        return sampler.sample(top_->PORT_TX & 1, now, bit);
    }

    bool finished() const { return context_.gotFinish(); }

    LineDriver driver;
    LineSampler sampler;
    uint64_t now = 0;
    uint64_t received_until = 0;     // when the receive pin was last in use
    uint64_t transmitted_until = 0;  // when the transmit pin was last in use
    bool burst = false;              // the transmit pin has been in use since the last burst's end was told
    std::string error;

private:
#if VM_TRACE_FST
    using Trace = VerilatedFstC;
#elif VM_TRACE
    using Trace = VerilatedVcdC;
#endif

    void evaluate(uint64_t half) {
        top_->eval();
#if VM_TRACE
        if (!trace_) return;
        const uint64_t clock = now / CLOCK;
        // In the trace a clock lasts two units of time.
        if (clock >= trace_begin_ && clock < trace_end_) trace_->dump(2 * clock + half);
        if (clock >= trace_end_) {
            // The file is whole then, whatever becomes of the board.
            trace_->close();
            trace_.reset();
        }
#else
        static_cast<void>(half);
#endif
    }

    VerilatedContext context_;
    std::unique_ptr<Vtop> top_;
#if VM_TRACE
    std::unique_ptr<Trace> trace_;
    uint64_t trace_begin_ = 0;
    uint64_t trace_end_ = 0;
#endif
};

// How long the transmit line must be high after a byte before the bytes so far are handed over, in bits.
constexpr uint64_t BURST_GAP_BITS = 2;

thread_local std::string create_error;

}  // namespace

// What one call of bench_run may do.
struct BenchRequest {
    uint64_t clocks;       // at most so many
    uint64_t idle_clocks;  // stop when both lines were quiet for so long
    uint32_t bit;          // length of a bit on the host's side, in 1/256 of a clock
    const uint8_t* input;
    size_t input_length;
    uint8_t* output;
    size_t output_capacity;
};

// What it did.
struct BenchReply {
    uint64_t clocks;
    size_t consumed;
    size_t produced;
    uint32_t framing_errors;
    uint32_t idle;
};

EXPORT uint32_t bench_abi() { return BENCH_ABI; }

// A powered-up board, or null: bench_create_error says why.
EXPORT void* bench_create(uint64_t seed, const char* trace_path, uint64_t trace_from, uint64_t trace_clocks) {
    try {
        return new Bench(seed, trace_path, trace_from, trace_clocks);
    } catch (const std::exception& error) {
        create_error = error.what();
        return nullptr;
    }
}

EXPORT const char* bench_create_error() { return create_error.c_str(); }

EXPORT void bench_destroy(void* handle) { delete static_cast<Bench*>(handle); }

// Why bench_run failed.
EXPORT const char* bench_error(const void* handle) { return static_cast<const Bench*>(handle)->error.c_str(); }

// Runs the board until the clocks are spent, the input is on the line, a burst of output has ended, the output is
// full or the board is idle: whatever is first. 0, or 1 when the simulation cannot go on.
EXPORT int bench_run(void* handle, const BenchRequest* request, BenchReply* reply) {
    Bench& bench = *static_cast<Bench*>(handle);
    const uint64_t bit = request->bit;
    const bool has_input = request->input_length > 0;
    *reply = BenchReply{};
    try {
        while (reply->clocks < request->clocks && reply->produced < request->output_capacity) {
            if (bench.driver.ready(bench.now)) {
                if (reply->consumed < request->input_length) {
                    bench.driver.start(request->input[reply->consumed++], bench.now);
                } else if (has_input) {
                    break;
                }
            }
            const LineSampler::Event event = bench.clock(bit);
            ++reply->clocks;
            if (bench.finished()) throw std::runtime_error("the design called $finish");
            if (event == LineSampler::Event::FramingError) ++reply->framing_errors;
            if (event == LineSampler::Event::Byte) {
                request->output[reply->produced++] = bench.sampler.byte();
                bench.burst = true;
            }
            if (!bench.driver.ready(bench.now)) bench.received_until = bench.now;
            if (bench.sampler.busy()) {
                bench.transmitted_until = bench.now;
                continue;
            }
            if (bench.burst && bench.now - bench.transmitted_until >= BURST_GAP_BITS * bit) {
                bench.burst = false;
                break;
            }
            const uint64_t used_until = std::max(bench.received_until, bench.transmitted_until);
            if (bench.now - used_until >= request->idle_clocks * CLOCK) {
                reply->idle = 1;
                break;
            }
        }
    } catch (const std::exception& error) {
        bench.error = error.what();
        return 1;
    }
    return 0;
}
