# SPDX-License-Identifier: MIT
"""The code in docs/python-ecosystem.md runs; it makes the page's pictures, which are kept in docs/img.

python bindings/python/tests/test_ecosystem.py    makes them anew
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = DOCS / "python-ecosystem.md"


def run() -> None:
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
    exec(compile(code, PAGE.name, "exec"), {})


def pictures() -> list[Path]:
    return sorted(DOCS / name for name in re.findall(r"\((img/\S+)\)", PAGE.read_text(encoding="utf-8")))


def test_the_code_of_the_page_makes_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run()
    assert {picture.name for picture in pictures()} == {made.name for made in tmp_path.iterdir()}
    assert all(0 < picture.stat().st_size < 80_000 for picture in pictures())


@pytest.mark.parametrize(
    ("name", "needs", "told"),
    [
        ("plot", "matplotlib", "matplotlib: pip install 'matplotlib>=3.7'"),
        ("river", "river.base river.anomaly.base", "river: pip install 'river>=0.21'"),
        ("sklearn", "sklearn.base", "scikit-learn: pip install 'scikit-learn>=1.6'"),
    ],
)
def test_a_library_that_is_not_installed_is_named(name: str, needs: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in needs.split():
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"libanomaly.{name}", raising=False)
    with pytest.raises(ImportError, match=f"^libanomaly.{name} needs {told}$"):
        importlib.import_module(f"libanomaly.{name}")


def test_the_benchmark_runs_and_its_peers_agree() -> None:
    script = Path(__file__).resolve().parents[1] / "bench" / "peers.py"
    arguments = ["--rows", "20000", "--windows", "100", "--repeats", "1", "zscore", "percentile", "time"]
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr  # 1: a bar is missed, as on such short columns it may be
    differs = {
        line.split()[2]: float(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("window 100 ")
    }
    assert {"pandas", "polars"} <= set(differs)
    assert max(differs["pandas"], differs["polars"]) < 1e-9


def make_pictures() -> None:
    from PIL import Image

    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        run()
        for picture in pictures():
            Image.open(picture.name).convert("RGB").quantize(64).save(picture, optimize=True)


if __name__ == "__main__":
    make_pictures()
