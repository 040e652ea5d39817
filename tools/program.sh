#!/usr/bin/env bash
# Prints where `make build` has put the command `firstspike`: target/release/firstspike, unless cargo builds elsewhere
# (CARGO_TARGET_DIR, CARGO_BUILD_TARGET, or a configuration file of cargo's). With --say it says so only in that case.
set -euo pipefail
shopt -s nullglob
unset CDPATH
cd -- "$(dirname "${BASH_SOURCE[0]}")/.."

folder="${CARGO_TARGET_DIR:-${CARGO_BUILD_TARGET_DIR:-}}"
if [ -z "$folder" ]; then
    folder="$("${CARGO:-cargo}" metadata --format-version 1 --no-deps --offline --locked |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"
fi
[ ! "$folder" -ef target ] || folder=target
for program in "$folder/${CARGO_BUILD_TARGET:-.}/release/firstspike" "$folder"/*/release/firstspike; do
    [ -x "$program" ] || continue
    program="${program/"/./"/"/"}"
    if [ "${1:-}" != --say ]; then
        printf '%s\n' "$program"
    elif [ "$program" != target/release/firstspike ]; then
        echo "firstspike is $program"
    fi
    exit
done
echo "there is no firstspike in $folder/release: run 'make build' first" >&2
exit 1
