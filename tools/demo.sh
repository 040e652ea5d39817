#!/usr/bin/env bash
# The whole way on real data: train, generate, build, simulate, deploy, infer, compare. `make demo` calls it.
# Everything that it makes lies in build/demo.
set -euo pipefail
unset CDPATH
cd -- "$(dirname "$0")/.."

firstspike="$(tools/program.sh)"
out=build/demo
board=icebreaker
port=$out/port
virtual_board=

finish() {
    if [ -n "$virtual_board" ]; then
        kill -INT "$virtual_board" 2>/dev/null || true
        wait "$virtual_board" 2>/dev/null || true
    fi
}
trap finish EXIT
trap 'exit 130' INT TERM

step() {
    printf '\n%s\n' "== $1"
}

mkdir -p "$out"
rm -f "$out"/*.json "$port"

step "1. Train a network on handwritten digits: 64 inputs, 128 hidden and 10 output neurons, 16 steps"
"$firstspike" --json train --dataset digits --layers 64,128,10 --steps 16 --seed 1 \
    --out "$out/digits.fsp" >"$out/train.json"

step "2. Write the Verilog of the core for the iCEBreaker"
"$firstspike" generate --board "$board" --out "$out/core.v"

step "3. Synthesise, place and route it, and pack the bitstream"
"$firstspike" --json build --board "$board" --out "$out/bitstream" >"$out/build.json"

step "4. Start that Verilog as a virtual board behind a serial port"
"$firstspike" board --board "$board" --sim rtl --link "$port" >"$out/board.log" 2>&1 &
virtual_board=$!
until [ -e "$port" ]; do
    if ! kill -0 "$virtual_board" 2>/dev/null; then
        virtual_board=
        echo "the virtual board did not start:" >&2
        cat "$out/board.log" >&2
        exit 1
    fi
    sleep 0.2
done
echo "the port is $port"

step "5. Deploy the model over that port"
"$firstspike" --json deploy "$out/digits.fsp" --port "$port" >"$out/deploy.json"

step "6. Classify every test image on the board, and compare with the golden reference and the cycle model"
"$firstspike" --json infer "$out/digits.fsp" --port "$port" --dataset digits >"$out/infer.json"
"$firstspike" --json eval "$out/digits.fsp" --dataset digits --on "$port" >"$out/eval.json"
"$firstspike" --json eval "$out/digits.fsp" --dataset digits --on model --board "$board" >"$out/model.json"

python3 tools/demo_summary.py "$out"
