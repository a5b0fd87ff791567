# SPDX-License-Identifier: MIT
"""Everything that anomaly.h offers can be reached from Python, and everything that Python offers is documented and typed."""

import ast
import inspect
import pickle
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from conftest import TOP

import libanomaly
from libanomaly import _native, _options, _rows

sys.path.insert(0, str(TOP / "bindings" / "python"))
import unreachable  # the script that anyone can run

PACKAGE = Path(libanomaly.__file__).parent
SOURCE = TOP / "bindings" / "python"


def test_what_cannot_be_reached_is_what_is_explained():
    assert unreachable.unreachable() == []


def test_the_script_would_notice():
    assert "anomaly_reset" in unreachable.unreachable(sources="lib.anomaly_update")
    assert unreachable.functions() >= {"anomaly_create", "anomaly_pool_import", "anomaly_version"}


def test_keywords_for_type_checkers_are_the_options():
    tree = ast.parse((PACKAGE / "_settings.py").read_text())
    fields, bases = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields[node.name] = {line.target.id for line in node.body if isinstance(line, ast.AnnAssign)}
            bases[node.name] = node.bases[0].id

    def keywords(name):
        return fields[name] | keywords(bases[name]) if name in fields else set()

    settings = {
        "zscore": "ZScore",
        "percentile": "Percentile",
        "iforest": "Forest",
        "mahalanobis": "Mahalanobis",
        "watch": "Watch",
    }
    for kind, name in ((kind, f"{name}Settings") for kind, name in settings.items()):
        assert keywords(name) == {option.name for option in libanomaly.options(kind)}


def test_every_kind_has_a_class_and_offers_what_it_says():
    assert [kind.name for kind in libanomaly.kinds()][:4] == ["zscore", "percentile", "iforest", "mahalanobis"]
    enum = re.search(r"enum anomaly_offer \{(.*?)\};", (TOP / "include" / "anomaly.h").read_text(), re.DOTALL).group(1)
    assert {name.lower() for name in re.findall(r"ANOMALY_OFFERS_(\w+) =", enum)} == set(_options.OFFERS)
    for kind in libanomaly.kinds():
        detector = libanomaly.detector(kind.name)
        assert kind.name == type(detector).KIND
        assert type(type(detector).restore(detector.snapshot())) is type(detector)
        assert type(pickle.loads(pickle.dumps(detector))) is type(detector)
        with pytest.raises(libanomaly.EmptyError if "explain" in kind.offers else libanomaly.KindError):
            detector.explain([1])
        with nullcontext() if "time" in kind.offers else pytest.raises(libanomaly.ConfigError, match="window"):
            libanomaly.detector(kind.name, window="5m")
    with pytest.raises(ValueError, match="zscore, percentile, iforest"):
        libanomaly.detector("forest")


def test_flags_counters_and_columns_are_those_of_c():
    flags = {name[8:]: getattr(_native.lib, name) for name in dir(_native.lib) if name[8:] in libanomaly.Flag.__members__}
    assert flags == {flag.name: flag.value for flag in libanomaly.Flag}
    enum = re.search(r"enum anomaly_flag \{(.*?)\};", (TOP / "include" / "anomaly.h").read_text(), re.DOTALL).group(1)
    assert set(re.findall(r"ANOMALY_(\w+) =", enum)) == set(libanomaly.Flag.__members__)
    for struct, names in (
        ("anomaly_counts", libanomaly.Counters._fields),
        ("anomaly_stats", libanomaly.Stats._fields),
        ("anomaly_usage", libanomaly.Usage._fields),
        ("anomaly_verdicts", tuple(_rows.COLUMNS)),
        ("anomaly_verdict", tuple(_rows.COLUMNS)),
    ):
        assert tuple(name for name, _ in _native.ffi.typeof(struct).fields) == names


def test_every_status_has_its_exception():
    statuses = {name: getattr(_native.lib, name) for name in dir(_native.lib) if re.match("ANOMALY_E_|ANOMALY_OK", name)}
    classes = [getattr(libanomaly, name) for name in libanomaly.__all__ if name.endswith("Error")]
    assert {kind.status for kind in classes} >= set(statuses.values()) - {
        statuses["ANOMALY_E_KIND"],
        statuses["ANOMALY_E_SPACE"],
    }
    assert all(issubclass(kind, libanomaly.Error) for kind in classes)


def test_the_version_is_the_librarys():
    from importlib.metadata import version

    assert libanomaly.__version__ == version("libanomaly")


def public():
    for name in libanomaly.__all__:
        thing = getattr(libanomaly, name)
        yield name, thing
        if inspect.isclass(thing):
            for method in vars(thing):
                if not method.startswith("_") and callable(getattr(thing, method)):
                    yield f"{name}.{method}", getattr(thing, method)


@pytest.mark.parametrize(("name", "thing"), list(public()), ids=lambda given: given if isinstance(given, str) else "")
def test_is_documented(name, thing):
    assert inspect.getdoc(thing)
    assert len(inspect.getdoc(thing)) > 10


@pytest.mark.parametrize("name", ["update", "score", "learn"])
def test_help_shows_the_arguments(name):
    assert str(inspect.signature(getattr(libanomaly.ZScore, name))) == "(self, x, time=None)" or "x, time=None" in str(
        inspect.signature(getattr(libanomaly.ZScore, name))
    )


def test_options_are_explained():
    for kind in _options.KINDS:
        assert all(option.values and option.help for option in libanomaly.options(kind))


@pytest.mark.parametrize("command", [["mypy"], ["ruff", "check", "."], ["ruff", "format", "--check", "."]], ids=" ".join)
def test_is_clean(command):
    told = subprocess.run([sys.executable, "-m", *command], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
