#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the program takes by itself, beside what it could have taken: the tables of docs/methods.md, as Markdown.

    python3 tests/bench/defaults.py build/anomaly [FIRST-SEED]

Rows without times: 60 streams of each length (normal, correlated, periodic, counts, lognormal; twelve seeds), in each two
outliers. Found: an alarm in the 30 rows from the outlier on; every other alarm is false. Then columns with times, a hundred
of each kind: for how many does the program take the logarithm? Needs nothing but Python.
"""
import math
import random
import subprocess
import sys
import tempfile

AFTER = 30
LENGTHS = (80, 200, 500, 1500)
METHODS = {
    "nothing set": [],
    "`mahalanobis`, `learn=normal:5`": "-d mahalanobis -s learn=normal:5 -s alarms=auto -s rest=30".split(),
    "`watch`": "-d watch -s alarms=auto -s rest=150".split(),
    "`watch`, strict budget of 1e-4": "-d watch -s alarm_rate=1e-4".split(),
    "z-score": "-d zscore".split(),
    "z-score, `robust=1`": "-d zscore -s robust=1".split(),
    "z-score, `learn=normal:5`": "-d zscore -s learn=normal:5".split(),
}


def poisson(r, mean):
    """By the product of uniforms."""
    n, p, least = 0, r.random(), math.exp(-mean)
    while p > least:
        n, p = n + 1, p * r.random()
    return n


def normal(r, n):
    return [r.gauss(50, 1) for _ in range(n)]


def correlated(r, n):
    x, values = 0.0, []
    for _ in range(n):
        x = 0.9 * x + math.sqrt(1 - 0.81) * r.gauss(0, 1)
        values.append(50 + x)
    return values


def periodic(r, n):
    return [50 + 3 * math.sin(2 * math.pi * i / 24) + r.gauss(0, 1) for i in range(n)]


def counts(r, n):
    return [float(poisson(r, 20)) for _ in range(n)]


def lognormal(r, n, deviation=0.5):
    return [math.exp(3 + deviation * r.gauss(0, 1)) for _ in range(n)]


# With each kind of stream what an outlier is: ten of its standard deviations up, of lognormal ones those of the logarithm.
STREAMS = {
    normal: lambda x: x + 10,
    correlated: lambda x: x + 10,
    periodic: lambda x: x + 10 * math.sqrt(1 + 9 / 2),
    counts: lambda x: x + 10 * math.sqrt(20),
    lognormal: lambda x: x * math.exp(5),
}


def run(program, options, lines):
    """The program's standard output and error."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        return subprocess.run([program, *options, file.name], check=True, capture_output=True, text=True)


def alarms(program, options, values):
    """The rows of which somebody is told, counted from 0."""
    command = ["-q", *options, "-o", "csv", "--fields", "line,flags"]
    out = run(program, command, ["value", *(f"{x:.4f}" for x in values)]).stdout.splitlines()[1:]
    told = [line.split(",") for line in out]
    by_rest = any(option.startswith("rest=") for option in options) or any("alarm" in flags for _, flags in told)
    return [int(line) - 2 for line, flags in told if not by_rest or "alarm" in flags.split("|")]


def stream(kind, outlier, seed, length):
    """The values of a stream, and the rows of its outliers: one in the third quarter, one in the fourth."""
    r = random.Random(f"{kind.__name__} {seed} {length}")
    values = kind(r, length)
    rows = [r.randrange(length * quarter // 4, length * (quarter + 1) // 4 - 5) for quarter in (2, 3)]
    for row in rows:
        values[row] = outlier(values[row])
    return values, rows


def found_and_false(program, options, length, first_seed):
    found = false = 0
    for kind, outlier in STREAMS.items():
        for seed in range(first_seed, first_seed + 12):
            values, rows = stream(kind, outlier, seed, length)
            told = alarms(program, options, values)
            found += sum(any(row <= at < row + AFTER for at in told) for row in rows)
            false += sum(not any(row <= at < row + AFTER for row in rows) for at in told)
    return found, false


def takes_logarithm(program, values):
    lines = ["time,value", *(f"{1740787200 + 60 * i},{x:.4f}" for i, x in enumerate(values))]
    return "transform=log" in run(program, ["--fields", "line"], lines).stderr


def logins(r, n):
    return [float(poisson(r, 8 + 60 * max(0.0, math.sin(2 * math.pi * i / 288)))) + 1 for i in range(n)]


COLUMNS = {
    "normal": normal,
    "lognormal, deviation .3": lambda r, n: lognormal(r, n, 0.3),
    "lognormal, .5": lambda r, n: lognormal(r, n, 0.5),
    "lognormal, .6": lambda r, n: lognormal(r, n, 0.6),
    "lognormal, 1.1": lambda r, n: lognormal(r, n, 1.1),
    "exponential": lambda r, n: [r.expovariate(0.1) + 1e-4 for _ in range(n)],
    "counts with a daily rhythm": logins,
}


def print_head(first, others):
    print("|", first, "|", " | ".join(others), "|\n|", " | ".join(["---"] * (len(others) + 1)), "|")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: defaults.py PROGRAM [FIRST-SEED]")
    program, first_seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print_head("rows", METHODS)
    for length in LENGTHS:
        cells = [found_and_false(program, options, length, first_seed) for options in METHODS.values()]
        print("|", length, "|", " | ".join(f"{found}, {false}" for found, false in cells), "|", flush=True)
    print()
    print_head("of a hundred columns", COLUMNS)
    taken = [sum(takes_logarithm(program, make(random.Random(f"{name} {seed}"), 1000))
                 for seed in range(first_seed, first_seed + 100)) for name, make in COLUMNS.items()]  # fmt: skip
    print("| logarithm taken |", " | ".join(map(str, taken)), "|")


if __name__ == "__main__":
    main()
