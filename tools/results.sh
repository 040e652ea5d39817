#!/usr/bin/env bash
# Everything behind the tables in docs/results: `make results`, or `tools/results.sh NAME ...` for some of them.
#
# Each docs/results/NAME.toml is a sweep. Its models and records lie in build/results/NAME: what is done is not done
# again, so a run that was stopped goes on. Its table becomes docs/results/NAME.md and NAME.csv. The curves from fast to
# accurate come from an example of their own.
set -euo pipefail
unset CDPATH
cd -- "$(dirname "$0")/.."

firstspike="$(tools/program.sh)"
results=docs/results
build=build/results

# The data that cannot be fetched: a table that needs them is left as it is where they are not there.
is_there() {
    "$firstspike" data info "$1" >/dev/null 2>&1
}

sweep() {
    local name=$1 data
    for data in caltech101 shd; do
        if grep -q "\"$data" "$results/$name.toml" && ! is_there "$data"; then
            echo "$name is left out: get $data first, as \`firstspike data info $data\` says" >&2
            return
        fi
    done
    echo "== $name"
    "$firstspike" sweep "$results/$name.toml" --out "$build/$name"
    cp "$build/$name/table.md" "$results/$name.md"
    cp "$build/$name/results.csv" "$results/$name.csv"
}

dial() {
    local name=$1
    shift
    echo "== $name"
    cargo run --release --locked --quiet --package firstspike --example fast_to_accurate -- \
        --models "$build/$name" --out "$results/$name" "$@"
}

"$firstspike" data fetch all
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    names=(mnist fashion-mnist caltech101 shd rules bstdg ablation fast-to-accurate fast-to-accurate-fashion)
fi
for name in "${names[@]}"; do
    case $name in
    fast-to-accurate) dial "$name" --dataset mnist --layers 784,600,10 ;;
    fast-to-accurate-fashion)
        dial "$name" --dataset fashion-mnist --layers 784,1000,10 --board "$results/boards/icebreaker-wide.toml"
        ;;
    *)
        if [ ! -e "$results/$name.toml" ]; then
            echo "there is no $results/$name.toml: give names of files there, or nothing for all" >&2
            exit 2
        fi
        sweep "$name"
        ;;
    esac
done
