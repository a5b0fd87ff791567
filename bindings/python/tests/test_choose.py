# SPDX-License-Identifier: MIT
"""docs/choose.md: the lines of a row raise the same alarms in the shell, in Python and in C; docs/knobs.md: its pictures."""

from __future__ import annotations

import math
import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

import libanomaly
from libanomaly import Flag

TOP = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("BUILD") or TOP / "build")
CC = shlex.split(os.environ.get("CC") or "cc")
PAGE = (TOP / "docs" / "choose.md").read_text(encoding="utf-8")
START, MINUTE, DAY = 1_740_787_200, 60, 86_400


class Row(NamedTuple):
    file: str
    shell: str
    python: str
    c: str


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def rows_of_the_page() -> list[Row]:
    parts = re.split(r"^<!-- try (\S+) -->$", PAGE.split("\n## Around these lines")[0], flags=re.MULTILINE)[1:]
    return [
        Row(file, blocks("sh", text)[0], blocks("python", text)[0], "".join(blocks("c", text)))
        for file, text in zip(parts[::2], parts[1::2])
    ]


# ---- a file for each row, with something odd in it ----


class Table(NamedTuple):
    header: str
    keys: list[str]
    times: list[float]
    rows: list[tuple[float, ...]]

    def write(self, path: Path) -> None:
        lines = [
            ",".join([f"{t:.0f}", *([key] if "client" in self.header else []), *(repr(x) for x in row)])
            for key, t, row in zip(self.keys, self.times, self.rows)
        ]
        path.write_text("\n".join([self.header, *lines, ""]))


def table(header: str, step: int, rows: list[tuple[float, ...]]) -> Table:
    return Table(header, ["-"] * len(rows), [float(START + i * step) for i in range(len(rows))], rows)


def rhythm(i: int, a_day: int) -> float:
    return 1 - math.cos(2 * math.pi * i / a_day)


def visits(chance: random.Random) -> Table:
    rows = [(round(50 + 200 * rhythm(i, 96) + chance.gauss(0, 8), 2),) for i in range(30 * 96)]
    for i in range(25 * 96 + 4, 25 * 96 + 12):
        rows[i] = (430.0,)
    return table("time,visits", 15 * MINUTE, rows)


def room(chance: random.Random) -> Table:
    rows = [(round(19 + 2 * rhythm(i, 288) + chance.gauss(0, 0.1), 1),) for i in range(14 * 288)]
    for i in range(12 * 288, 12 * 288 + 20):
        rows[i] = (round(rows[i][0] + 4, 1),)
    return table("time,celsius", 5 * MINUTE, rows)


def latency(chance: random.Random) -> Table:
    return table("time,ms", 1, [(chance.lognormvariate(1, 0.6) * (4 if 15000 <= i < 15060 else 1),) for i in range(16000)])


def payments(chance: random.Random) -> Table:
    rows = [(round(chance.lognormvariate(3.4, 1.1), 2),) for _ in range(8000)]
    rows[7000] = (90000.0,)
    return table("time,amount", 43, rows)


def clients(chance: random.Random) -> Table:
    asked = [(m, f"10.0.0.{k}", 1 + chance.randrange(6)) for m in range(400) for k in range(20) if chance.random() < 0.6]
    bot = [(m, "203.0.113.9", 500 + chance.randrange(90)) for m in range(390, 396)]
    minutes, keys, requests = zip(*sorted(asked + bot))
    times = [float(START + MINUTE * m) for m in minutes]
    return Table("time,client,requests", list(keys), times, [(float(x),) for x in requests])


def machine(chance: random.Random) -> Table:
    rows = []
    for i in range(14 * 288):
        load = rhythm(i, 288) + chance.gauss(0, 0.2)
        parted = chance.gauss(0, 1) if 12 * 288 <= i < 12 * 288 + 60 else 0
        rows.append((round(100 * load, 2), round(20 * load + chance.gauss(0, 0.5) + 8 * parted, 2)))
    return table("time,requests,cpu", 5 * MINUTE, rows)


def octets(chance: random.Random) -> Table:
    total, rows = 0.0, []
    for i in range(14 * 288):
        total += 300 * (100 + 50 * rhythm(i, 288) + chance.gauss(0, 5)) * (6 if 12 * 288 <= i < 12 * 288 + 12 else 1)
        rows.append((float(round(total)),))
    return table("time,bytes", 5 * MINUTE, rows)


def few(chance: random.Random) -> Table:
    return table("time,value", MINUTE, [(95.0 if i == 17 else round(chance.gauss(50, 2), 1),) for i in range(30)])


TABLES = {
    "visits.csv": visits,
    "room.csv": room,
    "latency.csv": latency,
    "payments.csv": payments,
    "clients.csv": clients,
    "machine.csv": machine,
    "bytes.csv": octets,
    "few.csv": few,
}

# ---- the three ways ----


def by_program(row: Row, folder: Path) -> list[int]:
    command = [str(BUILD / "anomaly"), *shlex.split(row.shell)[1:], "-q", "-o", "csv", "--fields", "line,flags"]
    printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    verdicts = [line.split(",") for line in printed.splitlines()[1:]]
    return [int(line) - 2 for line, flags in verdicts if "alarm" in flags or "episode_end" not in flags]


def by_python(row: Row, data: Table) -> list[int]:
    names: dict[str, Any] = {name: getattr(libanomaly, name) for name in ("Watch", "Mahalanobis", "ZScore", "Pool")}
    names.update(keys=data.keys, times=data.times, rows=data.rows, values=[row[0] for row in data.rows])
    *first, last = row.python.splitlines()
    exec("\n".join(first), names)
    flags = eval(last, names).flags
    told = Flag.ALARM if "rest=" in row.shell or "Watch" in row.python else Flag.IS_ANOMALY
    return [i for i, flag in enumerate(flags) if flag & told]


def by_c(row: Row, data: Table, folder: Path) -> list[int]:
    source = folder / "row.c"
    around = blocks("c", PAGE.split("<!-- around -->")[1])[0]
    source.write_text(around.replace("/* ... the lines that set config ... */", row.c))
    libraries = [BUILD / "libanomaly.a", "-lm", "-pthread"]
    subprocess.run([*CC, "-Wall", "-Werror", f"-I{TOP / 'include'}", source, *libraries, "-o", folder / "row"], check=True)
    lines = [f"{key} {t:.0f} {row[0]!r} {row[-1]!r}\n" for key, t, row in zip(data.keys, data.times, data.rows)]
    printed = subprocess.run([folder / "row"], input="".join(lines), capture_output=True, text=True, check=True).stdout
    place = {(key, f"{t:.0f}"): i for i, (key, t) in enumerate(zip(data.keys, data.times))}
    return [place[key, at] for key, at, _ in map(str.split, printed.splitlines())]


@pytest.mark.parametrize("row", rows_of_the_page(), ids=lambda row: row.shell.strip())
def test_a_row_says_the_same_in_shell_python_and_c(row: Row, tmp_path: Path) -> None:
    data = TABLES[row.file](random.Random(1))
    data.write(tmp_path / row.file)
    alarms = by_program(row, tmp_path)
    assert alarms
    assert by_python(row, data) == alarms
    if row.c:
        assert by_c(row, data, tmp_path) == alarms


def test_the_page_has_a_block_for_each_row_of_its_table() -> None:
    assert len(rows_of_the_page()) == len(re.findall(r"^\| \[.*\]\(#", PAGE, re.MULTILINE)) == 10


# ---- pictures ----


def test_the_pictures_of_the_knobs_are_those_that_the_library_draws(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-B", TOP / "tests" / "bench" / "knobs.py", tmp_path], check=True)
    drawn = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert drawn == {path.name: path.read_bytes() for path in (TOP / "docs" / "img").glob("knob-*.svg")}
    page = (TOP / "docs" / "knobs.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\(img/(knob-\w+\.svg)\)", page)) == sorted(drawn)
    for picture in drawn.values():
        assert len(picture) < 20_000
        ElementTree.fromstring(picture)
