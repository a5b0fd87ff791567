# SPDX-License-Identifier: MIT
"""How well the rules did: alerts beside the labels of the generator."""

from __future__ import annotations

import argparse
import json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("transactions", help="a file with labels, as the generator writes it")
    parser.add_argument("alerts", nargs="+", help="files of alerts")
    given = parser.parse_args()
    with open(given.transactions, encoding="utf-8") as file:
        odd = {one["transactionId"] for one in map(json.loads, file) if one["label"] == "anomaly"}
    told: dict[str, set[str]] = {}
    for name in given.alerts:
        with open(name, encoding="utf-8") as file:
            for one in map(json.loads, file):
                told.setdefault(one["rule"], set()).add(one["transactionId"])
    for rule, ids in sorted(told.items()):
        print(f"{rule}: {len(ids & odd)} of {len(odd)} odd transactions found, {len(ids - odd)} others flagged")


if __name__ == "__main__":
    main()
