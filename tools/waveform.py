#!/usr/bin/env python3
"""Draws signals of a VCD waveform as an SVG picture.

    firstspike board --board icebreaker --sim rtl --trace core.vcd
    tools/waveform.py core.vcd --list --scope board.icebreaker_top.device.core
    tools/waveform.py core.vcd @docs/pictures/waveform.view --out waveform.svg

An argument @FILE stands for the arguments in FILE, one a line; lines that begin with # are comments there.

A signal is written as [LABEL=]PATH[:FORMAT][?GATE[&GATE]...]
    PATH    the name below --scope, with dots: sequencer.state
    FORMAT  dec (the default), signed, hex, or names: the constants of the same module whose names
            begin with the signal's, so that `state` is shown as those called STATE_...
    GATE    one-bit signals: where one of them is 0, the value means nothing and is not drawn
[HEADING] in brackets begins a group of signals.

Only the standard library of Python 3 is used.
"""

import argparse
import os
import re
import sys
import tempfile
from collections import namedtuple
from html import escape

CELL = 29  # pixels of a clock cycle
ROW = 24  # pixels from one signal to the next
HEADING = 25
RULER = 26
GAP = 30  # between two ranges of cycles
LABELS = 148  # pixels for the names at the left
MARGIN = 12
FONT = 10.5
SMALLEST_FONT = 6
GLYPH = 0.61  # width of a monospace glyph, in font sizes

# How far a picture may reach beyond the time that --while gives.
CYCLES_BEFORE = 100
CYCLES_AFTER = 100

STYLE = """
text { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2933; }
.heading { font-weight: bold; fill: #1d4f91; }
.ruler { fill: #6b7785; }
.grid { stroke: #e4e8ee; stroke-width: 1; }
.bit { stroke: #1b7f4b; stroke-width: 1.6; fill: none; stroke-linejoin: round; }
.high { fill: #d9f2e3; }
.bus { fill: #e8f0fb; stroke: #1d4f91; stroke-width: 1.1; stroke-linejoin: round; }
.state { fill: #fdf1d8; stroke: #a86a00; stroke-width: 1.1; stroke-linejoin: round; }
.none { stroke: #c3cad3; stroke-width: 1; }
"""

Variable = namedtuple("Variable", "ident width")
Signal = namedtuple("Signal", "label path style gates")
Heading = namedtuple("Heading", "text")


class Problem(Exception):
    """What is wrong, and what to do about it."""


# Reading


class Waveform:
    """A VCD file: its variables by path, and its changes in order of time."""

    def __init__(self, path):
        self.path = path
        self.variables = {}
        try:
            with open(path, "rb") as file:
                self._read_header(file)
        except OSError as error:
            raise Problem(f"cannot read {path} ({error.strerror}); give a VCD file") from error
        except (IndexError, ValueError) as error:
            raise Problem(f"the head of {path} makes no sense; give a whole VCD file") from error

    def _read_header(self, file):
        scopes = []
        for raw in file:
            words = raw.decode("ascii", "replace").split()
            if not words:
                continue
            if words[0] == "$scope":
                scopes.append(words[2])
            elif words[0] == "$upscope":
                scopes.pop()
            elif words[0] == "$var":
                name = ".".join(scopes + [words[4]])
                self.variables[name] = Variable(words[3].encode(), int(words[2]))
            elif words[0] == "$enddefinitions":
                self._body = file.tell()
                return
        raise Problem(f"{self.path} has no end of definitions; give a whole VCD file")

    def find(self, path):
        try:
            return self.variables[path]
        except KeyError:
            raise Problem(f"there is no signal {path} in {self.path}; --list shows what there is") from None

    def changes(self, idents):
        """Yields (time, ident, value) for the variables with these identifiers; a value is None where it is unknown."""
        time = 0
        with open(self.path, "rb") as file:
            file.seek(self._body)
            for line in file:
                kind = line[:1]
                if kind == b"#" and line[1:].strip().isdigit():
                    time = int(line[1:])
                elif kind in b"01xXzZ":
                    ident = line[1:].rstrip()
                    if ident in idents:
                        yield time, ident, int(kind) if kind in b"01" else None
                elif kind in b"bB":
                    bits, _, ident = line[1:].rstrip().partition(b" ")
                    if ident in idents:
                        yield time, ident, int(bits, 2) if not bits.strip(b"01") else None

    def span_while(self, ident, nth):
        """The times at which a signal rises for the nth time and falls again after it."""
        rises, start, value = 0, None, 0
        for time, _, now in self.changes({ident}):
            if now == 1 and value != 1:
                rises += 1
                if rises == nth:
                    start = time
            elif now != 1 and start is not None:
                return start, time
            value = now
        if start is None:
            raise Problem(f"the signal of --while rises {rises} times in {self.path}; ask for one of these with --nth")
        raise Problem(f"the signal of --while is still 1 where {self.path} ends; record for longer")

    def sample(self, clock, idents, span, before):
        """The values in each clock cycle, as a list of dictionaries: from `before` cycles before the span of time on
        until some cycles after it. With it, the index of the first cycle within the span and that of the first after."""
        start, end = span
        values, cycles = {}, []
        first = after = rise = None
        for time, ident, value in self.changes(idents | {clock}):
            if rise is not None and time > rise:
                # All changes of the rising edge were seen: this is what the cycle shows.
                if rise >= start and first is None:
                    del cycles[: max(0, len(cycles) - before)]
                    first = len(cycles)
                if rise >= end and after is None:
                    after = len(cycles)
                cycles.append(dict(values))
                if first is None and len(cycles) > 2 * before + 1000:
                    del cycles[: len(cycles) - before]
                if after is not None and len(cycles) - after >= CYCLES_AFTER:
                    break
                rise = None
            if ident == clock and value == 1:
                rise = time
            values[ident] = value
        if first is None or after is None:
            raise Problem(f"{self.path} has no clock edge at the end of the range; choose another --clock")
        return cycles, first, after


# What to show


def parse_row(text):
    """A heading or a signal, from its argument."""
    if text.startswith("[") and text.endswith("]"):
        return Heading(text[1:-1])
    match = re.fullmatch(r"(?:([^=]+)=)?([^=:?]+)(?::(dec|signed|hex|names))?(?:\?(.+))?", text)
    if not match:
        raise Problem(f"{text} is not [LABEL=]PATH[:FORMAT][?GATE]; see --help")
    label, path, style, gates = match.groups()
    return Signal(label or path, path, style or "dec", gates.split("&") if gates else [])


def parse_range(text):
    match = re.fullmatch(r"(-?\d+)-(\d+)", text)
    if not match or int(match[1]) > int(match[2]):
        raise Problem(f"{text} is not a range of cycles; write it like 1-40")
    return int(match[1]), int(match[2])


class Scope:
    """The signals below one module instance."""

    def __init__(self, waveform, prefix):
        self.waveform = waveform
        self.prefix = prefix.rstrip(".") + "." if prefix else ""

    def find(self, path):
        return self.waveform.find(self.prefix + path)

    def names_for(self, path):
        """The constants that belong to a signal: their identifiers, with the rest of their names."""
        module, _, name = (self.prefix + path).rpartition(".")
        start = f"{module}.{name.upper()}_"
        names = {v.ident: n[len(start) :] for n, v in self.waveform.variables.items() if n.startswith(start)}
        if not names:
            raise Problem(f"there is no constant {start}... for {path}:names; choose another format")
        return names


class Row:
    """A signal that is drawn, as a text for each cycle: None where there is nothing to show."""

    def __init__(self, signal, scope):
        variable = scope.find(signal.path)
        self.label = signal.label
        self.style = signal.style
        self.is_bit = variable.width == 1 and signal.style == "dec"
        self._ident = variable.ident
        self._width = variable.width
        self._gates = [scope.find(gate).ident for gate in signal.gates]
        self._names = scope.names_for(signal.path) if signal.style == "names" else {}

    def idents(self):
        return {self._ident, *self._gates, *self._names}

    def text(self, values):
        if any(values.get(gate) != 1 for gate in self._gates):
            return None
        value = values.get(self._ident)
        if value is None:
            return "?"
        if self.style == "hex":
            return f"{value:0{(self._width + 3) // 4}x}"
        if self.style == "signed" and value >> (self._width - 1):
            return str(value - (1 << self._width))
        for ident, name in self._names.items():
            if values.get(ident) == value:
                return name
        return str(value)


# Drawing


def runs(texts):
    """(first, length, text) for each stretch of equal texts."""
    start = 0
    for index in range(1, len(texts) + 1):
        if index == len(texts) or texts[index] != texts[start]:
            yield start, index - start, texts[start]
            start = index


def label_lines(text, width):
    """The lines and the font size with which a text fits into a width, or no lines."""
    for lines in [[text], text.split("_", 1)]:
        longest = max(len(line) for line in lines)
        size = min(FONT if len(lines) == 1 else 8.2, width / (GLYPH * longest))
        if size >= SMALLEST_FONT:
            return lines, size
    return [], 0


def draw_bus(row, texts, left, top):
    kind = "state" if row.style == "names" else "bus"
    low, high, middle = top + ROW - 4, top + 3, top + ROW / 2 - 0.5
    for start, length, text in runs(texts):
        x0, x1 = left + start * CELL, left + (start + length) * CELL
        if text is None:
            yield f'<path class="none" d="M{x0} {middle}H{x1}"/>'
            continue
        d = f"M{x0} {middle}L{x0 + 3} {high}H{x1 - 3}L{x1} {middle}L{x1 - 3} {low}H{x0 + 3}Z"
        yield f'<path class="{kind}" d="{d}"><title>{escape(row.label)}: {escape(text)}</title></path>'
        lines, size = label_lines(text, x1 - x0 - 6)
        for index, line in enumerate(lines):
            y = middle + size * (0.36 + 0.98 * (index - (len(lines) - 1) / 2))
            yield (
                f'<text x="{(x0 + x1) / 2}" y="{y:.1f}" font-size="{size:.1f}" '
                f'text-anchor="middle">{escape(line)}</text>'
            )


def draw_bit(texts, left, top):
    low, high = top + ROW - 5, top + 5
    path = []
    for start, length, text in runs(texts):
        x0, x1 = left + start * CELL, left + (start + length) * CELL
        y = high if text == "1" else low
        path.append(f"{'L' if path else 'M'}{x0} {y}H{x1}")
        if text == "1":
            yield f'<rect class="high" x="{x0}" y="{high}" width="{x1 - x0}" height="{low - high}"/>'
    yield f'<path class="bit" d="{"".join(path)}"/>'


def height_of(rows):
    return RULER + sum(HEADING if isinstance(row, Heading) else ROW for row in rows)


def draw_band(rows, cycles, first_number, top):
    """One range of cycles, with all signals below each other."""
    left = MARGIN + LABELS
    right, bottom = left + len(cycles) * CELL, top + height_of(rows)
    for index in range(len(cycles) + 1):
        x = left + index * CELL
        yield f'<path class="grid" d="M{x} {top + RULER - 6}V{bottom}"/>'
    yield f'<text class="ruler" x="{MARGIN}" y="{top + 14}" font-size="{FONT}">clock cycle</text>'
    for index in range(len(cycles)):
        x = left + (index + 0.5) * CELL
        number = first_number + index
        yield f'<text class="ruler" x="{x}" y="{top + 14}" font-size="9.5" text-anchor="middle">{number}</text>'
    y = top + RULER
    for row in rows:
        if isinstance(row, Heading):
            yield (
                f'<text class="heading" x="{MARGIN}" y="{y + HEADING - 8}" '
                f'font-size="{FONT}">{escape(row.text)}</text>'
            )
            yield f'<path class="none" d="M{left} {y + HEADING - 11}H{right}"/>'
            y += HEADING
            continue
        yield f'<text x="{MARGIN + 8}" y="{y + ROW / 2 + 3}" font-size="{FONT}">{escape(row.label)}</text>'
        texts = [row.text(values) for values in cycles]
        yield from draw_bit(texts, left, y) if row.is_bit else draw_bus(row, texts, left, y)
        y += ROW


def draw(rows, bands, title):
    """The picture: `bands` are (number of the first cycle, cycles)."""
    width = 2 * MARGIN + LABELS + max(len(cycles) for _, cycles in bands) * CELL
    height = 2 * MARGIN + len(bands) * (height_of(rows) + GAP) - GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for index, (number, cycles) in enumerate(bands):
        parts += draw_band(rows, cycles, number, MARGIN + index * (height_of(rows) + GAP))
    return "\n".join(parts + ["</svg>", ""])


# The command


class Arguments(argparse.ArgumentParser):
    def convert_arg_line_to_args(self, line):
        line = line.strip()
        return [line] if line and not line.startswith("#") else []


def parse_arguments():
    parser = Arguments(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, fromfile_prefix_chars="@"
    )
    parser.add_argument("vcd", help="the waveform")
    parser.add_argument("rows", nargs="*", metavar="SIGNAL", help="what to draw, from top to bottom")
    parser.add_argument("--scope", default="", help="the module instance below which signals are named")
    parser.add_argument("--clock", default="clock", help="the clock, whose rising edges begin the cycles (default: clock)")
    parser.add_argument("--while", dest="active", metavar="SIGNAL", help="cycle 1 is the first in which this is 1")
    parser.add_argument("--nth", type=int, default=1, help="not the first time that it becomes 1, but the nth")
    parser.add_argument("--cycles", action="append", metavar="A-B", help="draw these (repeat for several bands)")
    parser.add_argument("--wrap", type=int, default=40, help="cycles in a band when --cycles is not given (default: 40)")
    parser.add_argument("--title", default="Waveform")
    parser.add_argument("--out", help="the SVG file (default: standard output)")
    parser.add_argument("--list", action="store_true", help="list the signals below the scope and stop")
    return parser.parse_intermixed_args()


def list_signals(scope):
    for name, variable in sorted(scope.waveform.variables.items()):
        if name.startswith(scope.prefix):
            print(f"{variable.width:5}  {name[len(scope.prefix) :]}")


def ranges_to_draw(args, last):
    if args.cycles:
        return [parse_range(text) for text in args.cycles]
    return [(start, min(start + args.wrap - 1, last)) for start in range(1, last + 1, args.wrap)]


def picture(args, scope):
    rows = [parse_row(text) for text in args.rows]
    rows = [row if isinstance(row, Heading) else Row(row, scope) for row in rows]
    signals = [row for row in rows if isinstance(row, Row)]
    if not signals or not args.active:
        raise Problem("nothing to draw; give --while and at least one signal, or --list to see what there is")
    waveform, clock = scope.waveform, scope.find(args.clock).ident
    span = waveform.span_while(scope.find(args.active).ident, args.nth)
    idents = set().union(*(row.idents() for row in signals))
    cycles, one, after = waveform.sample(clock, idents, span, CYCLES_BEFORE)
    ranges = ranges_to_draw(args, after - one)
    bands = []
    for first, until in ranges:
        at = one + first - 1
        if not 0 <= at < len(cycles):
            raise Problem(f"cycle {first} is out of reach; choose ranges within 1-{after - one}")
        bands.append((first, cycles[at : one + until]))
    return draw(rows, bands, args.title)


def write_whole(path, text):
    """The file appears whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with tempfile.NamedTemporaryFile("w", dir=folder, encoding="utf-8", delete=False) as file:
            file.write(text)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise Problem(f"cannot write {path} ({error.strerror}); check the folder") from error


def main():
    args = parse_arguments()
    try:
        scope = Scope(Waveform(args.vcd), args.scope)
        if args.list:
            list_signals(scope)
            return 0
        svg = picture(args, scope)
        if args.out:
            write_whole(args.out, svg)
        else:
            sys.stdout.write(svg)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
