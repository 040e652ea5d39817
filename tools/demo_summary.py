"""Prints what `make demo` has shown, from the JSON that its commands have left. Standard library only."""

import json
import pathlib
import sys

BAR = 40


def main(folder):
    def load(name):
        return json.loads((folder / f"{name}.json").read_text())

    train, build, deploy = load("train"), load("build"), load("deploy")
    board, model = load("eval"), load("model")
    # An answer a line, and at last what they come to.
    *answers, last = map(json.loads, (folder / "infer.json").read_text().splitlines())
    # The board and the cycle model must tell the same story, figure by figure.
    same = all(board[key] == model[key] for key in board)
    steps = [answer["step"] for answer in answers if not answer["silent"]]
    clock = last["summary"]["clock_hz"]
    icetime = build.get("clock_icetime_mhz")
    second = f", {icetime:.1f} by icetime" if icetime else ""
    cells, rams, sprams = build["logic_cells"], build["block_rams"], build["sprams"]

    print(f"\n{'=' * 78}")
    print("  A spiking network, from nothing to a board\n")
    print(f"  trained   {'-'.join(map(str, train['layers']))}, every weight one bit, in {train['seconds']:.0f} s")
    print(f"  built     {build['title']}: {cells['used']} of {cells['available']} logic cells,")
    print(f"            {rams['used']} of {rams['available']} block RAMs, {sprams['used']} of {sprams['available']} SPRAMs, "
          f"{build['clock_reached_mhz']:.1f} MHz{second}")
    print(f"            ({build['clock_wanted_mhz']:.0f} MHz needed, {build['clock_in_hand_percent']:.1f} % in hand)")
    print(f"  loaded    {deploy['bytes']} bytes over the serial port, read back and compared by CRC-32 ({deploy['checksum']})")
    print(f"  asked     {board['images']} digits of writers that it has never seen: "
          f"{100 * board['accuracy']:.1f} % right")
    print(f"  agreed    {board['images'] - board['mismatches']} of {board['images']} answers equal to the golden reference "
          f"and the cycle model,")
    print("            in class, step, silence, overshoot and clock cycles")
    print(f"  took      {board['cycles_mean']:.0f} clock cycles a digit, {1e6 * board['cycles_mean'] / clock:.1f} us "
          f"at {clock / 1e6:.0f} MHz, {board['cycles_max']} at most\n")
    print("  When the first output spike came, and so the answer:\n")
    most = max(map(steps.count, steps), default=1)
    for step in range(max(steps, default=0) + 1):
        count = steps.count(step)
        print(f"    step {step:2}  {'#' * round(BAR * count / most):{BAR}} {count:4}")
    if board["silent"]:
        print(f"    silent   decided by the potentials at the end {board['silent']:11}")
    print(f"\n  All of it lies in {folder}: the model digits.fsp, the Verilog core.v,")
    print(f"  the bitstream {build['files']['bitstream']}.")
    print("  Your own data next: docs/tutorial.md")
    print("=" * 78)

    if board["mismatches"] or not same:
        sys.exit("error: the board differs from the golden reference or the cycle model; please report this")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
