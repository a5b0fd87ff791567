#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nginx with guard.lua, started for real on loopback. Ends with the line `N passed, N failed`.

The clock is scaled: traffic is played ten times as fast as planned and guard.lua's times are divided by ten, so that its rates
are ten times as high. One second of the plan is one interval of guard.lua, here as in nginx.conf.
"""

import csv
import json
import os
import pwd
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.dirname(HERE)
sys.path.insert(0, EXAMPLE)
import traffic  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
QUICK = bool(os.environ.get("TEST_QUICK"))
SPEED = 10
INTERVAL = 1 / SPEED


def settings(crowd="", own="", **others):
    """guard.lua's settings at this speed; later options of the same name win, as in Lua."""
    text = {
        "interval": INTERVAL,
        "crowd": '{kind = "zscore", limits = {}, options = {window = "30s", warmup = 200, side = "upper", threshold = 6,'
        ' min_stddev = 40, learn = "normal", %s}}' % crowd,
        "own": '{kind = "zscore", limits = {max_keys = 1000, max_bytes = 32e6, max_idle = "1h"}, options ='
        ' {window = "30s,60", warmup = 20, side = "upper", threshold = 8, min_stddev = 40, learn = "normal", %s}}' % own,
    }
    text.update(others)
    return "{%s}" % ", ".join("%s = %s" % item for item in text.items())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """nginx in a folder of its own, from nginx.conf as it is but for port, settings and the replacements given.

    Its log may hold no error but those that match `expected`."""

    def __init__(self, guard_settings=None, workers=1, replace=(), user=None, expected=None):
        self.port, self.dir = free_port(), tempfile.mkdtemp(prefix="anomaly-nginx-")
        self.process, self.as_user, self.expected = None, [], expected
        env = dict(os.environ, DIR=self.dir, PORT=str(self.port), WORKERS=str(workers), BUILD=BUILD)
        env["SETTINGS"] = settings() if guard_settings is None else guard_settings
        subprocess.run([os.path.join(EXAMPLE, "run.sh"), "prepare"], env=env, check=True)
        self.edit(replace)
        if user:
            subprocess.run(["chown", "-R", user, self.dir], check=True)
            self.as_user = ["setpriv", "--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"]

    def configuration(self):
        with open(os.path.join(self.dir, "nginx.conf")) as f:
            return f.read()

    def edit(self, replace):
        text = self.configuration()
        for old, new in replace:
            text, count = re.subn(old, new, text)
            assert count, "nginx.conf has no %s" % old
        with open(os.path.join(self.dir, "nginx.conf"), "w") as f:
            f.write(text)

    def command(self, *more):
        return self.as_user + ["nginx", "-p", self.dir + "/", "-e", "error.log", "-c", "nginx.conf", *more]

    def __enter__(self):
        self.process = subprocess.Popen(self.command("-g", "daemon off;"))
        self.wait(lambda: self.get("/")[0] == 200, "nginx does not answer")
        if "guard\").start" in self.configuration():
            self.wait(lambda: all(self.page()["workers"].values()), "guard.lua does not begin")
        return self

    def __exit__(self, failed, *_):
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait()
        log = self.log()
        shutil.rmtree(self.dir)
        errors = [line for line in log.splitlines() if re.search(r"\[(error|crit|alert|emerg)\]", line)]
        if not failed and not self.may_log(errors):
            raise AssertionError("\n".join(errors))

    def may_log(self, errors):
        return all(self.expected and re.search(self.expected, line) for line in errors)

    def wait(self, condition, otherwise, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(otherwise + ":\n" + self.log())
            time.sleep(0.02)

    def get(self, path, headers=None, source="127.0.0.1"):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5, (source, 0)) as s:
                lines = ["GET %s HTTP/1.0" % path] + ["%s: %s" % item for item in (headers or {}).items()]
                s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
                answer = b"".join(iter(lambda: s.recv(65536), b""))
        except OSError:
            return 0, b""
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]) if head else 0, body

    def page(self):
        return json.loads(self.get("/anomalies")[1])

    def flagged(self):
        return self.page()["flagged"]

    def worker(self, number=0):
        return self.page()["workers"]["worker %d" % number]

    def worker_pids(self):
        with open("/proc/{0}/task/{0}/children".format(self.process.pid)) as f:
            return {int(pid) for pid in f.read().split() if self.is_worker(pid)}

    @staticmethod
    def is_worker(pid):
        try:
            with open("/proc/%s/cmdline" % pid) as f:
                return f.read().strip("\0 ") == "nginx: worker process"
        except OSError:
            return False

    def log(self):
        with open(os.path.join(self.dir, "error.log")) as f:
            return f.read()

    def many(self, count, headers=None):
        """So many requests at once over one connection from 127.0.0.1."""
        request = "".join(["GET / HTTP/1.1\r\nHost: example\r\n"] + ["%s: %s\r\n" % item for item in headers.items()])
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.sendall(((request + "\r\n") * (count - 1) + request + "Connection: close\r\n\r\n").encode())
            while s.recv(65536):
                pass


class Verdict:
    """What one visit came to: who was planted and not found in time, and who was found and not planted."""

    def __init__(self, nginx, requests, planted):
        visit = traffic.Visit(nginx.port, SPEED)
        visit.play(requests)
        time.sleep(2 * INTERVAL)
        self.flagged, self.visit = nginx.flagged(), visit
        self.delays = {}
        for who in planted:
            if who.client in self.flagged:
                delay = self.flagged[who.client]["since"] - visit.first[who.client, who.label]
                self.delays[who.client] = delay / INTERVAL
        self.missed = [p for p in planted if not 0 <= self.delays.get(p.client, 99) <= 3]
        self.wrong = set(self.flagged) - {p.client for p in planted}
        visit.close()

    def __str__(self):
        return "missed %s, wrong %s, delays %s, given up %d of %d" % (
            self.missed, {c: self.flagged[c] for c in self.wrong}, self.delays, self.visit.given_up,
            self.visit.sent + self.visit.given_up)  # fmt: skip


def play(nginx, seed, attack="bot", seconds=45):
    return Verdict(nginx, *traffic.plan(seed, seconds, attack=attack))


def seeded_run(seed):
    """One of the twenty: (perfect?, what happened, seconds until each planted client was flagged)."""
    with Nginx() as nginx:
        verdict = play(nginx, seed, ("bot", "flood", "turncoat", "bot")[seed % 4])
    return not (verdict.missed or verdict.wrong), "seed %d: %s" % (seed, verdict), list(verdict.delays.values())


def in_a_process(seed):
    """seeded_run() in a Python of its own: two at a time would not keep their pace in one."""
    return json.loads(subprocess.run([sys.executable, __file__, "--run", str(seed)], check=True, stdout=subprocess.PIPE).stdout)


class Detection(unittest.TestCase):
    def assert_perfect(self, verdict):
        self.assertFalse(verdict.missed or verdict.wrong, str(verdict))

    def test_planted_clients_are_flagged_within_three_seconds_and_nobody_else(self):
        runs = 4 if QUICK else 20
        with ThreadPoolExecutor(2) as workers:
            results = list(workers.map(in_a_process, range(1, runs + 1)))
        imperfect = [text for perfect, text, _ in results if not perfect]
        delays = [delay for _, _, found in results for delay in found]
        print("%d of %d runs perfect; flagged after %.1f seconds of the plan at the median, %.1f at most" % (
            runs - len(imperfect), runs, statistics.median(delays), max(delays)), flush=True)  # fmt: skip
        self.assertLessEqual(len(imperfect), runs // 20, "\n".join(imperfect))

    def test_own_past_tells_a_turncoat_where_the_crowd_does_not(self):
        with Nginx(settings(crowd="threshold = 1e9")) as nginx:
            verdict = play(nginx, 3, "turncoat")
        self.assert_perfect(verdict)
        self.assertEqual({f["against"] for f in verdict.flagged.values()}, {"own"})

    def test_the_population_tells_a_new_bot_where_there_is_no_crowd(self):
        # A client that is new has no past to tell it by.
        for own, is_missed in ("", True), ("population = true", False):
            with Nginx(settings(crowd="threshold = 1e9", own=own)) as nginx:
                verdict = play(nginx, 4)
            self.assertEqual(bool(verdict.missed), is_missed, str(verdict))
            self.assertFalse(verdict.wrong, str(verdict))

    def test_a_budget_of_all_clients_tells_a_new_bot(self):
        own = 'population = true, calibrate = "pool", alarm_rate = 0.002'
        with Nginx(settings(crowd="threshold = 1e9", own=own)) as nginx:
            verdict = play(nginx, 4)
        self.assertFalse(verdict.missed, str(verdict))
        self.assertLessEqual(len(verdict.wrong), 2, str(verdict))  # a budget is used up where nothing is odd, too

    def test_confirm_waits_for_a_third_odd_interval(self):
        with Nginx(settings(crowd="warmup = 1e6", own='warmup = 2, confirm = "3/3"')) as nginx:
            client = {"X-Forwarded-For": "203.0.113.9"}
            for requests in (2, 2, 2, 200):
                nginx.many(requests, client)
                time.sleep(1.5 * INTERVAL)
            time.sleep(3 * INTERVAL)
            self.assertEqual(nginx.flagged(), {})
            for _ in range(4):
                nginx.many(200, client)
                time.sleep(1.5 * INTERVAL)
            nginx.wait(nginx.flagged, "nobody is flagged", seconds=2)

    def test_percentile_serves_as_well(self):
        crowd = '{kind = "percentile", limits = {}, options = {window = "30s", warmup = 200, side = "upper", upper = 99,'
        crowd += ' threshold = 2, learn = "normal"}}'
        with Nginx(settings(crowd=crowd)[:-1] + ", crowd = %s}" % crowd) as nginx:
            self.assert_perfect(play(nginx, 4))

    def test_nobody_is_flagged_when_nobody_is_planted(self):
        with Nginx() as nginx:
            self.assertEqual(play(nginx, 5, "none").flagged, {})

    def test_two_workers_share_the_page(self):
        # reuseport spreads the connections evenly, so that each worker has a crowd; each warms up by itself.
        with Nginx(workers=2, replace=[("(listen .*);", r"\1 reuseport;")]) as nginx:
            self.assert_perfect(play(nginx, 6, seconds=90))
            self.assertEqual(sorted(nginx.page()["workers"]), ["worker 0", "worker 1"])
            self.assertTrue(all(nginx.worker(i)["at"] > time.time() - 2 for i in (0, 1)))


class Page(unittest.TestCase):
    def test_log_and_page_tell_rate_and_limit_and_no_secret(self):
        with Nginx() as nginx:
            verdict = play(nginx, 7)
            (client,) = verdict.flagged
            entry, log = verdict.flagged[client], nginx.log()
            lines = [line for line in log.splitlines() if client in line]
        self.assertEqual(len(lines), 1, log)
        self.assertIn("[warn]", lines[0])
        self.assertEqual(json.loads(re.search("anomaly: ({.*})", lines[0])[1])["client"], client)
        self.assertGreater(entry["rate"], entry["limit"])
        self.assertGreater(entry["limit"], entry["usual"])
        self.assertNotIn("s3cret", log)
        self.assertNotIn("token", log)

    def test_only_this_machine_sees_the_page(self):
        with Nginx(expected="access forbidden by rule") as nginx:
            self.assertEqual(nginx.get("/anomalies")[0], 200)
            self.assertEqual(nginx.get("/anomalies", source="127.0.0.9")[0], 403)
            self.assertEqual(nginx.get("/anomalies", {"X-Forwarded-For": "203.0.113.5"})[0], 403)
            self.assertEqual(nginx.get("/anomalies", {"X-Forwarded-For": "127.0.0.1"}, source="127.0.0.9")[0], 403)

    def test_a_hostile_name_is_escaped(self):
        name = 'a"b\\c</script>\t\x7f'
        with Nginx(eager(), replace=[(r"default( +)\$remote_addr", r"default\1$http_user_agent")]) as nginx:
            self.assertEqual(self.flag(nginx, {"User-Agent": name}), {name})
            self.assertEqual(len([line for line in nginx.log().splitlines() if "anomaly: " in line]), 1)

    def flag(self, nginx, headers):
        for _ in range(3):
            nginx.many(2, headers)
            time.sleep(1.5 * INTERVAL)
        nginx.many(200, headers)
        nginx.wait(nginx.flagged, "nobody is flagged", seconds=2)
        return set(nginx.flagged())

    def test_a_trusted_proxy_says_who_the_client_is(self):
        with Nginx(eager()) as nginx:
            self.assertEqual(self.flag(nginx, {"X-Forwarded-For": "203.0.113.9"}), {"203.0.113.9"})
        with Nginx(eager()) as nginx:
            self.assertEqual(self.flag(nginx, {"X-Forwarded-For": "10.1.1.1, 203.0.113.9"}), {"203.0.113.9"})

    def test_an_ipv6_client_is_its_network(self):
        with Nginx(eager()) as nginx:
            self.assertEqual(self.flag(nginx, {"X-Forwarded-For": "2001:db8:1:2:3:4:5:6"}), {"2001:db8:1:2::/64"})

    def test_an_empty_name_is_not_judged(self):
        with Nginx(eager()) as nginx:
            with self.assertRaisesRegex(AssertionError, "nobody is flagged"):
                self.flag(nginx, {"X-Forwarded-For": "192.0.2.10"})


def eager():
    """Settings for few requests: judges after two intervals."""
    return settings(crowd="warmup = 1e6", own="warmup = 2")


class Limits(unittest.TestCase):
    def test_a_flagged_client_is_refused_for_a_while(self):
        switch_on = [(r"# (access_by_lua_block .*)# <- if you like.*", r"\1")]
        with Nginx(settings(hold=2), replace=switch_on) as nginx:
            verdict = play(nginx, 8)
            (bot,) = verdict.flagged
            self.assertEqual(nginx.get("/", source=bot)[0], 429)
            statuses = verdict.visit.statuses(bot)
            self.assertGreater(statuses[429], statuses[200])
            for client in verdict.visit.clients:
                self.assertTrue(client == bot or set(verdict.visit.statuses(client)) == {200})
            nginx.wait(lambda: nginx.get("/", source=bot)[0] == 200, "still refused")

    def test_memory_is_bounded(self):
        own = ', own = {kind = "zscore", options = {window = "30s"}, limits = {max_keys = 5}}}'
        with Nginx(settings(most_clients=8)[:-1] + own) as nginx:
            play(nginx, 9, "none", seconds=30)
            worker = nginx.worker()
        self.assertLessEqual(worker["own"]["keys"], 5)
        self.assertGreater(worker["own"]["evicted"], 0)
        self.assertLessEqual(worker["clients"], 8)
        self.assertGreater(worker["uncounted"], 0)

    def test_wrong_settings_stop_nginx_before_it_starts(self):
        nginx = Nginx('{own = {kind = "zscore", options = {windw = "30s"}}}')
        result = subprocess.run(nginx.command(), capture_output=True, text=True)
        shutil.rmtree(nginx.dir)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("unknown option 'windw'", result.stderr)

    def test_wrong_settings_at_a_reload_change_nothing(self):
        with Nginx(expected="'zscor'") as nginx:
            pids = nginx.worker_pids()
            nginx.edit([('kind = "zscore"', 'kind = "zscor"')])
            nginx.process.send_signal(signal.SIGHUP)
            nginx.wait(lambda: "'zscor'" in nginx.log(), "no word of it in the log")
            self.assertEqual(nginx.worker_pids(), pids)
            self.assertEqual(nginx.get("/")[0], 200)

    def test_an_ordinary_user_can_run_it(self):
        with Nginx(user=None if os.getuid() else "nobody") as nginx:
            self.assertNotEqual(os.stat("/proc/%d" % nginx.process.pid).st_uid, 0)
            self.assertEqual(len(play(nginx, 10).flagged), 1)


class State(unittest.TestCase):
    """A bot that comes when the detectors could not have warmed up again."""

    def visit_and_then(self, between, save=60):
        with Nginx(settings(save=save), expected="exited on signal 9") as nginx:
            play(nginx, 11, "none")
            before = nginx.worker()
            between(nginx)
            nginx.wait(lambda: (nginx.worker() or before)["at"] > before["at"] + INTERVAL, "no tick after it")
            after = nginx.worker()
            verdict = Verdict(nginx, *traffic.plan(12, 8, 4, "bot"))
        return before, after, verdict

    @staticmethod
    def new_workers(nginx, number):
        old = nginx.worker_pids()
        os.kill(nginx.process.pid if number == signal.SIGHUP else old.copy().pop(), number)
        nginx.wait(lambda: nginx.worker_pids() - old, "no new worker")
        time.sleep(1.5)  # it reads the state a second after its start

    def test_a_reload_keeps_the_detectors(self):
        before, after, verdict = self.visit_and_then(lambda nginx: self.new_workers(nginx, signal.SIGHUP))
        self.assertGreaterEqual(after["crowd"]["events"], before["crowd"]["events"])
        self.assertGreaterEqual(after["own"]["keys"], before["own"]["keys"])
        self.assertFalse(verdict.missed or verdict.wrong, str(verdict))

    def test_a_reload_keeps_who_is_flagged(self):
        with Nginx() as nginx:
            flagged = play(nginx, 13).flagged
            self.new_workers(nginx, signal.SIGHUP)
            self.assertEqual(nginx.flagged(), flagged)

    def test_a_crashed_worker_goes_on_from_the_last_snapshot(self):
        before, after, verdict = self.visit_and_then(lambda nginx: self.new_workers(nginx, signal.SIGKILL), save=0.5)
        self.assertGreater(after["crowd"]["events"], before["crowd"]["events"] * 0.8)
        self.assertFalse(verdict.missed or verdict.wrong, str(verdict))

    def test_without_state_the_bot_would_not_be_found(self):
        # That the tests beside this one can fail: the same visit, with other options from the reload on.
        def change_options(nginx):
            nginx.edit([('window = "30s"', 'window = "29s"'), ('window = "30s,60"', 'window = "29s,60"')])
            self.new_workers(nginx, signal.SIGHUP)
            self.assertRegex(nginx.log(), "crowd begins anew: .*window")

        before, after, verdict = self.visit_and_then(change_options)
        self.assertLess(after["crowd"]["events"], before["crowd"]["events"] / 4)
        self.assertTrue(verdict.missed)


class Source(unittest.TestCase):
    def test_luacheck_finds_nothing(self):
        result = subprocess.run(["luacheck", os.path.join(EXAMPLE, "guard.lua")], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout)


class Plan(unittest.TestCase):
    def command(self, *arguments):
        command = [sys.executable, os.path.join(EXAMPLE, "traffic.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def test_the_command_writes_labels_and_says_what_it_planted(self):
        with tempfile.NamedTemporaryFile("r") as f:
            out = self.command("--seed", "5", "--seconds", "30", "--attack", "flood", "--plan", f.name).stdout
            rows = list(csv.DictReader(f))
        planted = set(re.findall(r"planted: (\S+), a flood", out))
        self.assertEqual(len(planted), 4, out)
        self.assertEqual({row["client"] for row in rows if row["label"] == "flood"}, planted)
        self.assertEqual([float(row["time"]) for row in rows], sorted(float(row["time"]) for row in rows))

    def test_the_command_says_that_nobody_answers(self):
        result = self.command("--port", str(free_port()), "--seconds", "10")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^traffic.py: 127.0.0.1:\d+: .*refused\n$")

    def test_the_same_seed_plans_the_same_visit(self):
        self.assertEqual(traffic.plan(1), traffic.plan(1))
        self.assertNotEqual(traffic.plan(1), traffic.plan(2))

    def test_labels_tell_who_was_planted(self):
        for attack, count in ("bot", 1), ("flood", 4), ("turncoat", 1), ("none", 0):
            requests, planted = traffic.plan(1, attack=attack)
            self.assertEqual(len(planted), count)
            odd = {(r.client, r.label) for r in requests if r.label not in traffic.NORMAL}
            self.assertEqual(odd, {(p.client, p.label) for p in planted})


if __name__ == "__main__" and sys.argv[1:2] == ["--run"]:
    print(json.dumps(seeded_run(int(sys.argv[2]))))
elif __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    sys.stderr.flush()
    print("%d passed, %d failed" % (result.testsRun - bad - len(result.skipped), bad))
    sys.exit(bad > 0)
