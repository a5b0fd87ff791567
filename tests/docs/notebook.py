# SPDX-License-Identifier: MIT
"""Runs a notebook as its reader would, in its own folder: notebook.py FILE [--write].

Ends with status 1 if a cell fails, or prints something else than the notebook shows; of pictures only that there is one.
With --write the notebook gets what its cells print.
"""

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient


def shown(cell: Any) -> list[str]:
    """What a cell prints, as text; a picture is the word "picture"."""
    told = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        told.append("picture" if "image/png" in data else output.get("text", data.get("text/plain", "")))
    return told


def run(path: Path, write: bool) -> int:
    notebook = nbformat.read(path, 4)
    wanted = [shown(cell) for cell in notebook.cells]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    if write:
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
        nbformat.write(notebook, path)
        return 0
    different = [i for i, cell in enumerate(notebook.cells) if shown(cell) != wanted[i]]
    for i in different:
        print(f"cell {i} prints\n{shown(notebook.cells[i])}\nand not\n{wanted[i]}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), "--write" in sys.argv[2:]))
