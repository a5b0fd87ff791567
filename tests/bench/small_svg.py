# SPDX-License-Identifier: MIT
"""Small pictures of verdicts: panels one above the other, each a line of values with its bounds and marks.

An SVG of a few kilobytes, light or dark as its reader has it. Needs nothing but Python and the package. Colours from the
palette of Okabe and Ito; what is told apart by colour is told apart by its form too.
"""

from html import escape
from math import inf

from libanomaly import Flag

WIDTH, LEFT, RIGHT, HEIGHT, HEAD, GAP = 660, 44, 12, 84, 22, 16
STYLE = """
text{font:12px system-ui,sans-serif;fill:#333}.code{font:bold 12px ui-monospace,monospace;fill:#111}.paper{fill:#fff}
.tick{font-size:10px;fill:#777}.grid{stroke:#e6e6e6}.edge{stroke:#999;fill:none}.band{fill:#56b4e9;fill-opacity:.3}
.line{stroke:#0072b2;fill:none;stroke-linejoin:round}.limit{stroke:#d55e00;fill:none;stroke-dasharray:5 3}
.odd{stroke:#d55e00;stroke-width:6;stroke-linecap:round}.alarm{fill:#d55e00}.wait{fill:#999;fill-opacity:.18}.planted{fill:#e69f00}
@media(prefers-color-scheme:dark){text{fill:#ccc}.code{fill:#fff}.paper{fill:#0d1117}.tick{fill:#999}.grid{stroke:#2b3138}
.edge{stroke:#777}.line{stroke:#79b8ff}.band{fill-opacity:.25}.limit,.odd{stroke:#ff9d4d}.alarm{fill:#ff9d4d}}
""".replace("\n", "")
SIGNS = {
    "line": '<path class="line" d="M0 -4h18"/>',
    "band": '<path class="band" d="M0 -9h18v9h-18z"/>',
    "limit": '<path class="limit" d="M0 -4h18"/>',
    "odd": '<path class="odd" d="M9 -4h0"/>',
    "alarm": '<path class="alarm" d="M4 -9h10l-5 9z"/>',
    "wait": '<path class="wait" d="M0 -10h18v11h-18z"/>',
    "planted": '<path class="planted" d="M0 -5h18v3h-18z"/>',
}


def number(x):
    return f"{x:.1f}".removesuffix(".0")


def text(x, y, words, name="", anchor="start"):
    return f'<text x="{number(x)}" y="{number(y)}" class="{name}" text-anchor="{anchor}">{escape(words)}</text>'


def trace(points):
    """The lines through points; None begins a new one. Steps are relative, which is shorter."""
    out, at = [], None
    for point in points:
        if point is None:
            at = None
            continue
        x, y = round(point[0], 1), round(point[1], 1)
        out.append(f"M{number(x)} {number(y)}" if at is None else f"l{number(x - at[0])} {number(y - at[1])}")
        at = x, y
    return "".join(out)


def goes_on(three):
    """Does the middle one lie on the line between the others?"""
    return three[2] - three[1] == three[1] - three[0]


class Panel:
    """One run: `values` drawn from `first` to `last`, scaled from `low` to `high`.

    `what` the values are; `bounds`: pairs of lower and upper; `limit`: a second line; `flags`: of the verdicts;
    `planted`: (from, to) in rows; `words` in place of the numbers of odd events and alarms.
    """

    def __init__(self, caption, values, *, what="value", bounds=None, limit=None, flags=None, planted=(), first=0, last=None, low=None,
                 high=None, words=None):
        self.caption, self.values, self.what, self.bounds, self.limit, self.flags = caption, values, what, bounds, limit, flags
        self.first, self.last = first, len(values) if last is None else last
        shown = values[self.first:self.last]
        self.low = min(shown) if low is None else low
        self.high = max(shown) if high is None else high
        self.planted, self.words = planted, words

    def flagged(self, flag):
        if self.flags is None:
            return []
        return [i for i in range(self.first, self.last) if self.flags[i] & flag]

    def x(self, i):
        return LEFT + (i - self.first) / max(1, self.last - self.first - 1) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        value = min(max(value, self.low), self.high)
        return 4 + (HEIGHT - 10) * (1 - (value - self.low) / ((self.high - self.low) or 1))

    def line(self, values):
        rows = [i for i in range(self.first, self.last) if i in (self.first, self.last - 1) or not goes_on(values[i - 1:i + 2])]
        return trace((self.x(i), self.y(values[i])) if values[i] == values[i] else None for i in rows)

    def band(self):
        rows = [i for i in range(self.first, self.last)
                if self.bounds[i][0] == self.bounds[i][0] and self.bounds[i][1] > -inf and self.bounds[i][1] < inf]
        out, run = [], []
        for i in [*rows, None]:
            if run and (i is None or i != run[-1] + 1):
                edge = [(self.x(k), self.y(self.bounds[k][1])) for k in run]
                edge += [(self.x(k), self.y(self.bounds[k][0])) for k in reversed(run)]
                out.append(trace(edge) + "z")
                run = []
            run.append(i)
        return "".join(out)

    def blocks(self, rows, top, height):
        """Bars below or behind runs of rows."""
        out, begin = [], None
        rows = set(rows)
        for i in range(self.first, self.last + 1):
            if i in rows and begin is None:
                begin = i
            if i not in rows and begin is not None:
                width = max(3, self.x(i) - self.x(begin))
                out.append(f"M{number(self.x(begin))} {number(top)}h{number(width)}v{number(height)}h{number(-width)}z")
                begin = None
        return "".join(out)

    def ticks(self):
        step = 10.0 ** len(str(int(max(1, self.high - self.low)))) / 10
        step = next(s for s in (step / 10, step / 5, step / 2, step, step * 2, step * 5) if (self.high - self.low) / s <= 4)
        value = -(-self.low // step) * step
        while value <= self.high:
            yield value
            value += step

    def draw(self):
        alarms, odd = self.flagged(Flag.ALARM), self.flagged(Flag.IS_ANOMALY)
        drawn = [(name, path) for name, path in self.paths(alarms, odd) if path]
        self.names = {name: self.meaning(name) for name, _ in drawn}
        decided = bool(alarms) or any(f & Flag.HELD for f in self.flags or ())
        out = [text(LEFT, -7, self.caption, "code")]
        words = self.words or f"{len(odd)} odd" + (f", {len(alarms)} alarm{'s' * (len(alarms) != 1)}" if decided else "")
        out.append(text(WIDTH - RIGHT, -7, words, "", "end"))
        for value in self.ticks():
            out.append(f'<path class="grid" d="M{LEFT} {number(self.y(value))}H{WIDTH - RIGHT}"/>')
            out.append(text(LEFT - 5, self.y(value) + 3.5, f"{value + 0:g}", "tick", "end"))
        out += [f'<path class="{name}" d="{path}"/>' for name, path in drawn]
        out.append(f'<path class="edge" d="M{LEFT} 0V{HEIGHT}H{WIDTH - RIGHT}"/>')
        return out

    def paths(self, alarms, odd):
        yield "wait", self.blocks(self.flagged(Flag.WARMING_UP), 0, HEIGHT)
        yield "band", self.band() if self.bounds else ""
        yield "planted", self.blocks([i for begin, end in self.planted for i in range(begin, end)], HEIGHT - 4, 4)
        yield "line", self.line(self.values)
        yield "limit", self.line(self.limit) if self.limit else ""
        yield "odd", "".join(f"M{number(self.x(i))} {number(self.y(self.values[i]))}h0" for i in odd)
        yield "alarm", "".join(f"M{number(self.x(i) - 5)} {number(max(-3, self.y(self.values[i]) - 15))}h10l-5 9z" for i in alarms)

    def meaning(self, name):
        words = {"line": self.what, "band": "usual", "limit": "threshold" if self.what == "score" else "due", "wait": "not judged"}
        return words.get(name, name)


def picture(title, panels):
    """The SVG, with what its signs mean."""
    step = HEAD + HEIGHT + GAP
    height = len(panels) * step + 18
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
           f"<title>{escape(title)}</title><style>{STYLE}</style>", f'<rect class="paper" width="{WIDTH}" height="{height}"/>']
    for i, panel in enumerate(panels):
        out += [f'<g transform="translate(0 {i * step + HEAD})">', *panel.draw(), "</g>"]
    names = {name: words for panel in panels for name, words in panel.names.items()}
    x = LEFT
    for name in (name for name in SIGNS if name in names):
        out += [f'<g transform="translate({x} {height - 6})">', SIGNS[name], text(24, 0, names[name]), "</g>"]
        x += 44 + 7 * len(names[name])
    return "\n".join([*out, "</svg>", ""])
