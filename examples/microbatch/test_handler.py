# SPDX-License-Identifier: MIT
"""What must hold before anything is deployed: `pytest test_handler.py`, with nothing but files."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import batch
from batch import SITE
from handler import handler, publish, wake
from judge import Settings, State
from store import Directory
from traffic import BOT, DDOS, Traffic, text

HERE = Path(__file__).resolve().parent
START = 1737460800
NOW = float(START)
HEADER = "time,client,requests\n"


def scenario(first: int, last: int) -> bytes:
    """4 to 8 requests a second from one client, 60 to 64 while the attack lasts: t = 298 to 317."""
    counts = [60 + t % 5 if 298 <= t < 318 else 4 + (7 * t) % 5 for t in range(first, last)]
    return (HEADER + "".join(f"{t},a,{n}\n" for t, n in zip(range(first, last), counts))).encode()


def in_batches(where: Directory, each: int = 60) -> None:
    for first in range(0, 600, each):
        where.put(f"traffic/{first:04}.csv", scenario(first, first + each), 0)


def insights(where: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(where.get(f"insights/batches/{name}.json")[1])
    return found


def latest(where: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(where.get("insights/latest.json")[1])
    return found


def of_all_batches(where: Any) -> list[dict[str, Any]]:
    return [json.loads(where.get(f"insights/batches/{name}")[1]) for name in where.names("insights/batches/")]


def flagged(where: Any, client: str = "a") -> list[float]:
    return [one["time"] for told in of_all_batches(where) for one in told["anomaly_list"] if one["client"] == client]


@pytest.fixture
def where(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "dev")


def run(data: Path, **settings: str) -> dict[str, int]:
    """A wake-up in a process of its own."""
    env = {**os.environ, "DATA": str(data), **settings}
    told = subprocess.run([sys.executable, HERE / "handler.py"], env=env, check=True, capture_output=True, text=True)
    found: dict[str, int] = json.loads(told.stdout)
    return found


def test_an_attack_is_flagged_and_a_quiet_batch_is_not(where: Directory) -> None:
    where.put("traffic/1.csv", scenario(0, 290), 0)
    where.put("traffic/2.csv", scenario(290, 330), 0)
    told = wake(where, Settings())
    assert insights(where, "1.csv")["anomaly_list"] == []
    assert flagged(where) == flagged(where, SITE) == list(range(298, 318))
    assert told == {"batches": 2, "events": 330, "anomalies": 40, "rejected": 0, "conflicts": 0}


def test_each_batch_in_a_process_of_its_own_as_one_that_never_ended(where: Directory, tmp_path: Path) -> None:
    for first in range(0, 600, 60):
        where.put(f"traffic/{first:04}.csv", scenario(first, first + 60), 0)
        assert run(tmp_path)["batches"] == 1
    assert flagged(where) == list(range(298, 318))
    whole = Directory(tmp_path / "whole")
    whole.put("traffic/all.csv", scenario(0, 600), 0)
    wake(whole, Settings())
    assert insights(whole, "all.csv")["anomaly_list"] == [
        one for told in of_all_batches(where) for one in told["anomaly_list"]
    ]


def test_without_the_state_an_attack_that_goes_on_is_not_seen(where: Directory) -> None:
    for first in range(0, 600, 60):
        where.put(f"traffic/{first:04}.csv", scenario(first, first + 60), 0)
        wake(where, Settings())
        (where.path / "state").unlink()
    assert flagged(where) == [298, 299]


def test_bots_and_floods_are_found_and_users_are_left_alone(where: Directory) -> None:
    traffic, labels = Traffic(seed=7), {}
    for i in range(10):
        rows = list(traffic.seconds(START + 60 * i, 60 * i, 60))
        labels.update({(row.time, row.client): row.label for row in rows})
        where.put(f"traffic/{i}.csv", text(rows), 0)
    wake(where, Settings())
    odd = [(one["time"], one["client"]) for told in of_all_batches(where) for one in told["anomaly_list"]]
    assert sorted(at for at, client in odd if labels.get((at, client)) == "bot") == [START + at for at in BOT]
    assert sorted(at for at, client in odd if client == SITE) == [START + at for at in DDOS]
    assert [one for one in odd if labels.get(one) == "user"] == []
    (worst,) = latest(where)["clients"]
    assert (labels[(START + BOT[0], worst["client"])], worst["seconds"]) == ("bot", len(BOT))


def test_traffic_is_the_same_for_the_same_seed() -> None:
    assert list(Traffic(1).seconds(0, 0, 60)) == list(Traffic(1).seconds(0, 0, 60)) != list(Traffic(2).seconds(0, 0, 60))


@pytest.mark.parametrize("die", ["traffic/", "state", "insights/batches/", "insights/latest.json"])
def test_a_handler_that_dies_before_any_of_its_writes_loses_nothing(die: str, where: Directory, tmp_path: Path) -> None:
    class Dies(Directory):
        def put(self, key: str, data: bytes, version: str | int) -> str:
            if key.startswith(die):
                raise KeyboardInterrupt
            return super().put(key, data, version)

        def move(self, name: str, to: str) -> None:
            if name.startswith(die):
                raise KeyboardInterrupt
            super().move(name, to)

    in_batches(where)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            wake(Dies(where.path), Settings())
    wake(where, Settings())
    assert flagged(where) == list(range(298, 318))
    assert [told["revision"] for told in of_all_batches(where)] == list(range(1, 11))
    assert where.names("judged/") == [f"{first:04}.csv" for first in range(0, 600, 60)]
    assert where.names("traffic/") == []


def test_a_handler_that_is_killed_leaves_no_torn_file(where: Directory, tmp_path: Path) -> None:
    torn, ending = [], threading.Event()

    def reads() -> None:
        while not ending.is_set():
            for key in ("insights/latest.json", "state"):
                found = where.get(key)
                try:
                    if found:
                        json.loads(found[1]) if key != "state" else State(Settings(), found[1])
                except ValueError as error:
                    torn.append((key, error))
            time.sleep(0.001)

    in_batches(where, each=10)
    reader, chance = threading.Thread(target=reads), random.Random(3)
    reader.start()
    env = {**os.environ, "DATA": str(tmp_path)}
    try:
        for _ in range(12):
            with subprocess.Popen([sys.executable, HERE / "handler.py"], env=env) as process:
                time.sleep(chance.uniform(0.1, 0.4))
                process.send_signal(signal.SIGKILL)
        run(tmp_path)
    finally:
        ending.set()
        reader.join()
    assert torn == []
    assert flagged(where) == list(range(298, 318))
    assert [told["revision"] for told in of_all_batches(where)] == list(range(1, 61))


def test_three_stages_of_one_code_keep_apart(tmp_path: Path) -> None:
    for stage, count in (("dev", 1), ("staging", 2), ("prod", 3)):
        for i in range(count):
            Directory(tmp_path / stage).put(f"traffic/{i}.csv", scenario(60 * i, 60 * i + 60), 0)
        assert run(tmp_path, STAGE=stage)["batches"] == count
        found = json.loads((tmp_path / stage / "insights/latest.json").read_text())
        assert (found["stage"], found["revision"]) == (stage, count)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("STAGE", "../x", "STAGE"),
        ("THRESHOLD", "much", "THRESHOLD: 'much' is no float"),
        ("THRESHOLD", "nan", "threshold"),
        ("WINDOW", "soon", "window"),
        ("MAX_CLIENTS", "-1", "MAX_CLIENTS: '-1' is below 1"),
        ("MAX_BATCH_BYTES", "0", "MAX_BATCH_BYTES: '0' is below 1"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", str(tmp_path))
    monkeypatch.setenv(name, value)
    (tmp_path / "dev/traffic").mkdir(parents=True)
    (tmp_path / "dev/traffic/1.csv").write_bytes(scenario(0, 60))
    with pytest.raises(ValueError, match=word):
        handler({}, None)


def test_another_threshold_counts_from_the_next_event_and_the_windows_stay(where: Directory) -> None:
    where.put("traffic/1.csv", scenario(0, 290), 0)
    wake(where, Settings(threshold=1000.0))
    where.put("traffic/2.csv", scenario(290, 330), 0)
    wake(where, Settings(threshold=3.0))
    assert flagged(where) == list(range(298, 318))
    assert insights(where, "2.csv")["notes"] == []


def test_another_window_begins_anew_and_says_so(where: Directory) -> None:
    where.put("traffic/1.csv", scenario(0, 60), 0)
    wake(where, Settings())
    where.put("traffic/2.csv", scenario(60, 120), 0)
    wake(where, Settings(window="600s"))
    assert insights(where, "2.csv")["notes"] == ["the detectors begin anew: window was 300s"]
    assert insights(where, "2.csv")["totals"]["batches"] == 2


def test_a_state_that_is_damaged_is_refused_and_left_alone(where: Directory) -> None:
    where.put("traffic/1.csv", scenario(0, 60), 0)
    wake(where, Settings())
    version, data = where.get("state") or ("", b"")
    damaged = data.replace(b'"revision": 1', b'"revision": 7')
    where.put("state", damaged, version)
    where.put("traffic/2.csv", scenario(60, 120), 0)
    with pytest.raises(ValueError, match="state: is damaged"):
        wake(where, Settings())
    assert (where.get("state") or ("", b""))[1] == damaged
    assert where.names("traffic/") == ["2.csv"]


def test_no_byte_of_the_state_can_change_unseen() -> None:
    state = State(Settings(), None)
    state.judge("1.csv", batch.read(scenario(0, 60), 10_000, NOW), NOW)
    data = state.dump()
    for at in [*range(0, len(data), 40), *range(80), len(data) - 1]:
        with pytest.raises(ValueError, match="state: "):
            State(Settings(), data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(ValueError, match="state: "):
            State(Settings(), data[:at])


def test_rows_that_are_wrong_are_named_and_the_others_taken() -> None:
    rows = [
        "5,a,1",
        "yesterday,a,1",
        "5,a,much",
        "5,,1",
        "5,a",
        "nan,a,1",
        "5,a,-1",
        "99999,a,1",
        "5,a,inf",
        f"5,{'x' * 256},1",
        "",
        '6,"b, the second",2',
    ]
    found = batch.read((HEADER + "\n".join(rows)).encode(), 10_000, NOW)
    assert (found.times, found.clients, found.requests) == ([5.0, 6.0], ["a", "b, the second"], [1.0, 2.0])
    assert found.rejected == 9
    assert dict(found.errors) == {
        3: "time: 'yesterday' is no number",
        4: "requests: 'much' is no number",
        5: "client: has 1 to 255 characters",
        6: "2 fields, the header has 3",
        7: "time: 'nan' is not between 0 and 9e+09",
        8: "requests: '-1' is not between 0 and 1e+09",
        9: "time: 99999 is more than an hour from the batch's middle, 6",
        10: "requests: 'inf' is not between 0 and 1e+09",
        11: "client: has 1 to 255 characters",
    }


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"", 1, "the header has no time, client, requests"),
        (b"when,client\n", 1, "the header has no time, requests"),
        (b'"' + b"x" * 140_000, 1, "field larger than field limit"),
        (b"\x00\xff\xfe", 1, "the header has no time"),
        (b"time,time,client,requests\n", 1, "the header has no time, or several"),
        (b"x" * 10_001, 0, "more than 10000 bytes"),
    ],
)
def test_what_is_no_batch_counts_as_judged_and_says_why(data: bytes, line: int, word: str, where: Directory) -> None:
    where.put("traffic/1.csv", data, 0)
    most = 10_000 if len(data) < 100_000 else 200_000
    assert wake(where, Settings(max_batch_bytes=most))["rejected"] >= 1
    error = insights(where, "1.csv")["errors"][0]
    assert error["line"] == line
    assert word in error["error"]
    assert where.names("judged/") == ["1.csv"]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("5," + "x" * 200_000 + ",1", "field larger than field limit"),
        ('5,"' + "x" * 200_000, "field larger than field limit"),
        ('5,"a\n5,"b",1', "client: has a line break; is a quote left open?"),
        ("5,(all),1", "client: (all) is the name of the whole site"),
        ("1_0,a,1", "time: '1_0' is no number"),
        ("5,a,\u0663", "requests: '\u0663' is no number"),
        ("9000000000,a,1", "time: 9000000000 is more than an hour ahead of the handler's clock, 1737460800"),
        ("1737460800123,a,1", "time: '1737460800123' is not between 0 and 9e+09"),
    ],
)
def test_a_hostile_row_costs_no_other(row: str, word: str) -> None:
    found = batch.read((HEADER + f"5,a,1\n{row}\n6,\0,2\n").encode(), 10**6, NOW)
    assert (found.times, found.clients, found.rejected) == ([5.0, 6.0], ["a", "\ufffd"], 1)
    assert found.errors[0][1].startswith(word)


def test_line_ends_of_three_systems_and_a_byte_order_mark_are_read() -> None:
    for end in ("\n", "\r\n", "\r"):
        found = batch.read(("\ufeff" + HEADER + "5,a,1\nx,a,1\n6,b,2\n").replace("\n", end).encode(), 10_000, NOW)
        assert (found.times, found.errors) == ([5.0, 6.0], [(3, "time: 'x' is no number")])


def test_a_batch_from_a_clock_that_is_wrong_does_not_stop_what_comes_after(where: Directory) -> None:
    where.put("traffic/1.csv", scenario(0, 290), 0)
    where.put("traffic/2.csv", (HEADER + "".join(f"{4_000_000_000 + t},a,5\n" for t in range(60))).encode(), 0)
    where.put("traffic/3.csv", scenario(290, 330), 0)
    assert wake(where, Settings())["rejected"] == 60
    assert flagged(where) == list(range(298, 318))


def test_a_batch_that_comes_late_is_judged_and_the_timeline_stays_in_order(where: Directory) -> None:
    where.put("traffic/1.csv", scenario(0, 250), 0)
    where.put("traffic/2.csv", scenario(290, 330), 0)
    where.put("traffic/3.csv", scenario(250, 290), 0)
    wake(where, Settings())
    assert flagged(where) == list(range(298, 318))
    assert [one[0] for one in latest(where)["timeline"]] == list(range(330))
    assert latest(where)["clients"][0]["seconds"] == 20


def test_a_batch_that_is_far_too_large_is_not_read(where: Directory, tmp_path: Path) -> None:
    (where.path / "traffic").mkdir()
    with open(where.path / "traffic/1.csv", "wb") as file:
        file.truncate(1 << 40)
    (where.path / "traffic/2.csv").write_bytes(scenario(0, 60))
    assert run(tmp_path) == {"batches": 2, "events": 60, "anomalies": 0, "rejected": 1, "conflicts": 0}


@pytest.mark.parametrize("name", ["n" * 255, "\u00e9" * 127, "a b%20?#&+.csv", "'\"<b>", "\udcff"])
def test_names_of_batches_may_be_anything_that_files_have(name: str, where: Directory) -> None:
    (where.path / "traffic").mkdir()
    (where.path / "traffic" / name).write_bytes(scenario(0, 60))
    assert wake(where, Settings())["batches"] == 1
    assert (latest(where)["batch"], where.names("judged/")) == (name, [name])
    assert len(of_all_batches(where)) == 1


def test_what_is_still_being_written_waits(where: Directory) -> None:
    (where.path / "traffic").mkdir()
    (where.path / "traffic/.1.csv").write_bytes(scenario(0, 30)[:-5])
    assert wake(where, Settings())["batches"] == 0
    os.replace(where.path / "traffic/.1.csv", where.path / "traffic/1.csv")
    assert wake(where, Settings())["batches"] == 1


def test_hostile_batches_never_stop_the_handler() -> None:
    count = 300 if os.environ.get("TEST_QUICK") else 3000
    chance, good = random.Random(5), scenario(0, 20)
    settings, state = Settings(), State(Settings(), None)
    for i in range(count):
        data = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 3)] = bytes(
                chance.choices(b'0123456789,"\n\r\x00\xff-.e', k=chance.randint(0, 3))
            )
        state.judge(str(i), batch.read(bytes(data), 10_000, NOW), NOW)
    again = State(settings, state.dump())
    assert json.loads(json.dumps(again.insights)) == state.insights
    assert state.insights["totals"]["batches"] == count


def test_time_that_is_up_leaves_the_rest_for_the_next(where: Directory) -> None:
    left = [40_000, 20_000, 5_000]

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return left.pop(0)

    in_batches(where)
    assert wake(where, Settings(), Context())["batches"] == 2
    assert latest(where)["revision"] == 2
    assert wake(where, Settings())["batches"] == 8


def test_older_insights_never_replace_newer_ones(where: Directory) -> None:
    in_batches(where)
    wake(where, Settings())
    before = where.get("insights/latest.json")
    older = insights(where, "0120.csv")
    publish(where, older)
    assert (older["revision"], where.get("insights/latest.json")) == (3, before)


def test_without_state_all_begins_anew_also_what_the_page_shows(where: Directory) -> None:
    in_batches(where)
    wake(where, Settings(threshold=1000.0))
    assert flagged(where) == []
    (where.path / "state").unlink()
    in_batches(where)
    wake(where, Settings())
    assert flagged(where) == list(range(298, 318))
    assert latest(where)["revision"] == 10


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"began": "soon", "revision": null}'])
def test_insights_that_are_damaged_are_written_again(data: bytes, where: Directory) -> None:
    in_batches(where)
    wake(where, Settings())
    before = where.get("insights/latest.json")
    (where.path / "insights/latest.json").write_bytes(data)
    wake(where, Settings())
    assert where.get("insights/latest.json") == before
