# SPDX-License-Identifier: MIT
"""Prints every public function, option and flag of anomaly.h that cannot be reached from the Python package.

python bindings/python/unreachable.py
"""

from __future__ import annotations

import re
from pathlib import Path

import libanomaly

HERE = Path(__file__).resolve().parent
HEADER = HERE.parents[1] / "include" / "anomaly.h"

# Not called, since Python has it in another way.
EXPLAINED = {
    "anomaly_pool_snapshot": "Pool.snapshot() gathers what anomaly_pool_snapshot_write() writes",
}


def functions() -> set[str]:
    return set(re.findall(r"^ANOMALY_API [^(]*\b(anomaly_\w+)\(", HEADER.read_text(), re.MULTILINE))


def constants() -> set[str]:
    """The flags."""
    enum = re.search(r"enum anomaly_flag \{(.*?)\};", HEADER.read_text(), re.DOTALL)
    return set(re.findall(r"ANOMALY_(\w+) =", enum.group(1) if enum else ""))


def options() -> set[str]:
    """The options as the header names them, in brackets."""
    return set(re.findall(r"/\* \[(\w+)\]", HEADER.read_text()))


def package_sources() -> str:
    package = HERE / "src" / "libanomaly"
    return "\n".join(path.read_text() for path in sorted(package.glob("*.[pc]*")) if path.suffix in (".py", ".c"))


def unreachable(sources: str | None = None) -> list[str]:
    called = set(re.findall(r"\b(anomaly_\w+)\b", package_sources() if sources is None else sources))
    known = {option.name for kind in libanomaly.kinds() for option in libanomaly.options(kind.name)}
    missing = functions() - called - set(EXPLAINED)
    return sorted(missing | (options() - known) | (constants() - set(libanomaly.Flag.__members__)))


if __name__ == "__main__":
    print(*unreachable(), sep="\n", end="\n" if unreachable() else "")
