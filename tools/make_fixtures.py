#!/usr/bin/env python3
"""Writes the small files in host/tests/data that the tests of the data sets read. Run it in the repository's root.

shd/: two libraries write the layout of the Spiking Heidelberg Digits in two ways: h5py as one block an array,
PyTables in compressed chunks. Each has its own widths of numbers, and only h5py's have speakers. The test `small_files_of_every_kind_are_read`
knows the formulas below.

pictures/: JPEG files whose left half has one colour and whose right half another.

Needs h5py, numpy, pillow and tables.
"""

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import tables
from PIL import Image

SHD = Path("host/tests/data/shd")
PICTURES = Path("host/tests/data/pictures")


def events(recording):
    """Times in milliseconds and units of a recording; every fourth has none."""
    count = np.arange(recording % 4)
    return (37 * recording + 211 * count) % 1400, (13 * recording + 101 * count) % 700


def speakers(recordings):
    """Who speaks: three take turns, and the second recordings of a class are of one of their own."""
    index = np.arange(recordings, dtype=np.uint16)
    return np.where(index < 20, index % 3, 11).astype(np.uint16)


def write_with_h5py(path, recordings, float_type, unit_type):
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (recordings,), h5py.vlen_dtype(float_type))
        units = file.create_dataset("spikes/units", (recordings,), h5py.vlen_dtype(unit_type))
        for index in range(recordings):
            milliseconds, channels = events(index)
            times[index] = (milliseconds / 1000).astype(float_type)
            units[index] = channels.astype(unit_type)
        file["labels"] = (np.arange(recordings) % 20).astype(np.uint16)
        file["extra/speaker"] = speakers(recordings)


def write_with_tables(path, recordings, float_type, unit_type):
    def atom(kind):
        return tables.Atom.from_dtype(np.dtype(kind))

    packed = tables.Filters(complevel=9, complib="zlib", shuffle=True)
    with tables.open_file(path, "w") as file:
        group = file.create_group("/", "spikes")
        common = {"filters": packed, "chunkshape": (8,), "track_times": False}
        times = file.create_vlarray(group, "times", atom(float_type), **common)
        units = file.create_vlarray(group, "units", atom(unit_type), **common)
        labels = file.create_earray("/", "labels", atom(np.uint16), (0,), **common)
        for index in range(recordings):
            milliseconds, channels = events(index)
            times.append((milliseconds / 1000).astype(float_type))
            units.append(channels.astype(unit_type))
        labels.append((np.arange(recordings) % 20).astype(np.uint16))


def write_shd():
    for write, library, types in [
        (write_with_h5py, "h5py", [("<f2", "<u2"), (">f8", "<i8")]),
        (write_with_tables, "tables", [("<f4", "<i4"), ("<f2", "<u2")]),
    ]:
        for part, recordings, (float_type, unit_type) in zip(["train", "test"], [24, 5], types):
            with TemporaryDirectory() as folder:
                path = Path(folder) / "file.h5"
                write(str(path), recordings, float_type, unit_type)
                packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            target = SHD / library / f"shd_{part}.h5.gz"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(packed)
            print(target, len(packed), "bytes")


def write_pictures():
    """24 rows of 32 columns: dark red, then bright green; as greys 50 and 180."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (32, 24), (120, 20, 20))
    picture.paste((150, 210, 100), (16, 0, 32, 24))
    for name, mode, options in [
        ("colours", "RGB", {}),
        ("grey", "L", {}),
        ("progressive", "RGB", {"progressive": True}),
    ]:
        target = PICTURES / f"{name}.jpg"
        picture.convert(mode).save(target, quality=90, **options)
        print(target, target.stat().st_size, "bytes")


if __name__ == "__main__":
    write_shd()
    write_pictures()
