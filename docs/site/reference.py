# SPDX-License-Identifier: MIT
"""Writes the reference as a page: `reference.py c` from include/anomaly.h, `reference.py python` from the docstrings."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER = Path("include/anomaly.h")
TEXT = r"/\*\*(?P<text>.*?)\*/\n(?P<code>(?:#define .*?\n)|.*?;\n(?=\n|#|enum|/\*|\Z))"
MODULES = ("plot", "river", "sklearn")  # of the Python package, beside what it exports itself
SECTION = r"/\* ---- (?P<section>.*?) ----(?P<about>.*?)\*/\n"


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is, but for what stands between backticks."""
    return re.sub(r"`[^`]*`|([*<\[\]|])", lambda m: f"\\{m[1]}" if m[1] else m[0], text)


def prose(comment: str) -> str:
    """A comment's text as Markdown: what is set in by more than the text around it stays as it is."""
    lines = [re.sub(r"^ \* ?", "", line) for line in comment.split("\n")]
    parts: list[str] = []
    for block in "\n".join(lines).strip("\n").split("\n\n"):
        rows = [row for row in block.split("\n") if row.strip(" ")]
        if rows and all(row.startswith("    ") for row in rows):
            parts.append("```text\n" + inspect.cleandoc("\n" + "\n".join(rows)) + "\n```")
        else:
            parts.append(escaped("\n".join(row.strip() for row in rows)))
    return "\n\n".join(parts)


def name_of(code: str) -> str:
    """What a declaration declares."""
    for pattern in (r"#define (\w+)", r"^(?:typedef )?(?:enum|struct) (\w+)", r"\(\*(\w+)\)\(", r"(\w+)\("):
        if found := re.search(pattern, code):
            return found[1]
    raise SystemExit(f"no name in {code}")


def c_page() -> Iterator[str]:
    text = HEADER.read_text()
    yield "# C reference\n\nThis is [`include/anomaly.h`](../sources/include/anomaly.h.md), which is the manual, as a page. "
    yield "[embedding.md](embedding.md) shows how a program is built and linked.\n"
    about = re.search(r"/\*(?P<text>.*?)\*/", text, re.DOTALL)
    assert about
    lines = [re.sub(r"^ \* ?", "", line) for line in about["text"].split("\n")]
    first = next(i for i, line in enumerate(lines) if line.startswith("- "))
    last = len(lines) - lines[::-1].index("") - 1
    rules = [re.sub(r"^    (\w.{25}) (.*)", lambda m: f"  - {m[1].strip()}: {m[2]}", line) for line in lines[first:last]]
    yield "\n## Rules for every call\n\n" + escaped("\n".join(rules)) + "\n"
    yield "\n## Names\n"
    for match in re.finditer(f"{SECTION}|{TEXT}", text[about.end() :], re.DOTALL):
        if match["section"]:
            title, _, more = match["section"].partition("; ")
            yield f"\n## {title[0].upper()}{title[1:]}\n\n{prose(f'{more} {chr(10)}' + match['about'])}\n"
            continue
        code = match["code"].replace("ANOMALY_API ", "").strip()
        yield f"\n### {name_of(code)}\n\n```c\n{code}\n```\n\n{prose(match['text'])}\n"


def docstring(value: Any) -> str:
    """The text of a docstring, its examples as code."""
    parts: list[str] = []
    for block in (inspect.getdoc(value) or "").split("\n\n"):
        parts.append(f"```pycon\n{block}\n```" if block.startswith(">>>") else escaped(block))
    return "\n\n".join(parts)


def signature(value: Any) -> str:
    try:
        told = str(inspect.signature(value))
    except (TypeError, ValueError):
        return ""
    return re.sub(r"ForwardRef\('(.*?)'\)|'(\w[^']*)'", lambda m: m[1] or m[2], told)


def names_within(kind: type) -> str:
    """A line that names the fields of a tuple, or the constants of a class that are of the class itself."""
    fields = getattr(kind, "_fields", ()) if issubclass(kind, tuple) else ()
    names = fields or [name for name, value in vars(kind).items() if isinstance(value, kind)]
    return ", ".join(f"`{name}`" for name in names) + "\n" if names else ""


def members(kind: type, told_of: set[int]) -> Iterator[str]:
    """The calls and properties that no class before it has shown."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("libanomaly")]
    for name, member in (item for base in reversed(ours) for item in vars(base).items()):
        call = getattr(member, "__func__", member)
        told = docstring(member)
        if name.startswith("_") or not told or not (callable(call) or isinstance(member, property)):
            continue
        if id(member) in told_of:
            continue
        told_of.add(id(member))
        yield f"\n#### {kind.__name__}.{name}\n\n"
        if callable(call):
            yield f"```python\n{name}{signature(call)}\n```\n\n"
        yield f"{told}\n"


def python_page() -> Iterator[str]:
    import libanomaly

    yield "# Python reference\n\nThe docstrings of the package `libanomaly`. [python.md](python.md) is the guide.\n"
    names = [(name, getattr(libanomaly, name)) for name in libanomaly.__all__]
    errors = [(n, v) for n, v in names if isinstance(v, type) and issubclass(v, Exception)]
    calls = [(n, v) for n, v in names if not isinstance(v, type)]
    classes = [(n, v) for n, v in names if isinstance(v, type) and (n, v) not in errors]
    told_of: set[int] = set()
    for title, group in (("Functions", calls), ("Classes", classes), ("Errors and warnings", errors)):
        yield f"\n## {title}\n"
        for name, value in group:
            yield f"\n### {name}\n\n"
            shown = signature(value) if (name, value) in calls or name == "Pool" else ""
            if shown:
                yield f"```python\n{name}{shown}\n```\n\n"
            yield f"{docstring(value)}\n"
            if isinstance(value, type) and (name, value) in classes:
                yield f"\n{names_within(value)}"
                yield from members(value, told_of)
    for module in (importlib.import_module(f"libanomaly.{name}") for name in MODULES):
        yield f"\n## {module.__name__}\n\n{docstring(module)}\n"
        for name in module.__all__:
            value = getattr(module, name)
            yield f"\n### {module.__name__}.{name}\n\n"
            if callable(value):
                yield f"```python\n{name}{signature(value)}\n```\n\n{docstring(value)}\n"
            if isinstance(value, type):
                yield from members(value, told_of)


if __name__ == "__main__":
    pages = {"c": c_page, "python": python_page}
    if len(sys.argv) != 2 or sys.argv[1] not in pages:
        sys.exit("usage: reference.py c | python")
    sys.stdout.writelines(pages[sys.argv[1]]())
