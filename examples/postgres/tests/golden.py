# SPDX-License-Identifier: MIT
"""Statements that give every golden series of one value to anomaly() and to anomaly_step(), and count what differs."""

import pathlib
import struct
import sys


def number(bits: str) -> str:
    return repr(struct.unpack(">d", bytes.fromhex(bits))[0]).replace("inf", "Infinity")


def series(path: pathlib.Path) -> None:
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("columns"))
    options = " ".join(line.split(None, 1)[1].replace(" ", "=") for line in lines[1:start])
    if lines[start].split()[2:4] != ["x0", "score"]:
        return  # of several values
    options = f"{lines[0].replace(' ', '=')} {options}"
    print("TRUNCATE golden; COPY golden FROM STDIN;")
    for n, line in enumerate(lines[start + 1 :]):
        time, x, score, threshold, expected, lower, upper, *_ = line.split()
        at = "\\N" if time == "-" else str(int(time) // 10**9)
        wanted = [r"\N" if bits == "7ff8000000000000" else bits for bits in (score, threshold, expected, lower, upper)]
        value = r"\N" if x == "7ff8000000000000" else number(x)
        print(n, at, value, *wanted, sep="\t")
    print("\\.")
    print(f"SELECT '{path.stem}', wrong('{options}'), wrong_steps('{options}');")


for name in sys.argv[1:]:
    series(pathlib.Path(name))
