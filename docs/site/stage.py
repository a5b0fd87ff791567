# SPDX-License-Identifier: MIT
"""Lays the pages out for mkdocs, from the top of the tree: stage.py FOLDER.

README, docs/*.md and the examples' READMEs keep their places, so that their links hold. A source file or a folder that
one of them links to becomes a page of its own below sources/.
"""

import re
import shutil
import sys
from pathlib import Path
from posixpath import normpath, relpath

LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")
KEPT = {".md", ".png", ".svg", ".ipynb", ".csv", ".html"}
LANGUAGES = {".c": "c", ".h": "c", ".sh": "sh", ".py": "python", ".lua": "lua"}


def source_page(name: str) -> str:
    if Path(name).is_dir():
        return f"# {name}\n\n" + "".join(f"- `{file.name}`\n" for file in sorted(Path(name).iterdir()))
    language = LANGUAGES.get(Path(name).suffix, "text")
    return f"# {name}\n\n````{language}\n{Path(name).read_text()}\n````\n"


def stage(pages: Path) -> None:
    named = [Path("README.md"), *Path("docs").glob("*.md"), *Path("examples").glob("*/README.md")]
    copied: set[str] = set()
    for page in named:
        folder = page.parent.as_posix()

        def link(match: re.Match[str], folder: str = folder, page: Path = page) -> str:
            target = normpath(f"{folder}/{match[2]}")
            if not Path(target).exists():
                sys.exit(f"{page}: there is no {match[2]}")
            if Path(target).suffix in KEPT:
                copied.add(target)
                return match[0]
            copied.add(f"sources/{target}.md")
            return match[1] + relpath(f"sources/{target}.md", folder) + match[3]

        place = pages / page
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(LINK.sub(link, page.read_text()))
    for target in copied - {page.as_posix() for page in named}:
        place = pages / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if target.startswith("sources/"):
            place.write_text(source_page(target.removeprefix("sources/").removesuffix(".md")))
        else:
            shutil.copyfile(target, place)


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
