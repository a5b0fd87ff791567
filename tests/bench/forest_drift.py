#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws docs/forest-drift.svg: how the forest takes to a change.

    build/tests/bench/forest --drift | python3 tests/bench/forest_drift.py > docs/forest-drift.svg

Needs nothing but Python. Colours from the palette of Okabe and Ito, lines told apart by dashes as well.
"""
import csv
import sys

WINDOW, LEFT, RIGHT, WIDTH = 2048, -2048, 6144, 760
PANELS = (("score", "mean score", 0.5, 0.8, 0.1, lambda v: f"{v:.1f}"),
          ("flagged", "share flagged", 0.0, 0.8, 0.2, lambda v: f"{v:.0%}"))
LINES = {"mean": ("#0072B2", "", "mean + 2 standard deviations"), "spread": ("#D55E00", "7 4", "spread times 3")}
HEIGHT, TOP, GAP, MARGIN = 190, 46, 56, 64


def place_x(event):
    return MARGIN + (event - LEFT) / (RIGHT - LEFT) * (WIDTH - MARGIN - 16)


def text(x, y, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>'


def panel(rows, index):
    column, title, low, high, step, show = PANELS[index]
    top = TOP + index * (HEIGHT + GAP)

    def place_y(value):
        return top + HEIGHT * (1 - (value - low) / (high - low))

    out = [text(MARGIN, top - 10, title, 'font-weight="bold"')]
    value = low
    while value <= high + 1e-9:
        out.append(f'<path d="M{MARGIN} {place_y(value):.1f}H{WIDTH - 16}" stroke="#ddd"/>')
        out.append(text(MARGIN - 8, place_y(value) + 4, show(value), 'text-anchor="end"'))
        value += step
    for event in range(LEFT, RIGHT + 1, WINDOW):
        x = place_x(event)
        out.append(f'<path d="M{x:.1f} {top}V{top + HEIGHT}" stroke="{"#555" if event == 0 else "#ddd"}"/>')
        words = "change" if event == 0 else f"{event // WINDOW:+d} window" + ("" if abs(event) == WINDOW else "s")
        out.append(text(x, top + HEIGHT + 18, words, f'text-anchor="{"end" if event == RIGHT else "middle"}"'))
    for change, (colour, dash, _) in LINES.items():
        points = " ".join(f"{place_x(float(r['event'])):.1f},{place_y(float(r[column])):.1f}" for r in rows if r["change"] == change)
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" points="{points}"/>')
    return out


def main():
    rows = [r for r in csv.DictReader(sys.stdin) if LEFT <= float(r["event"]) <= RIGHT]
    height = TOP + 2 * HEIGHT + GAP + 36
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12" fill="#222">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>']
    for k, (colour, dash, words) in enumerate(LINES.values()):
        x = MARGIN + 200 + k * 240
        out.append(f'<path d="M{x} 14h34" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        out.append(text(x + 42, 18, words))
    for index in range(len(PANELS)):
        out += panel(rows, index)
    print("\n".join(out + ["</svg>"]))


if __name__ == "__main__":
    main()
