# SPDX-License-Identifier: MIT
"""Metrics, command line, log."""

import os
import re
import shutil
import socket
import subprocess

from service import BUILD, PROGRAM, WRAPPER, Case, Client

SAMPLE = re.compile(r'^(\w+)(?:\{(\w+="(?:[^"\\\n]|\\["\\n])*"(?:,\w+="(?:[^"\\\n]|\\["\\n])*")*)\})? (\S+)$')


class Metrics(Case):
    def test_the_text_is_well_formed(self):
        path = self.folder / 'a "quoted" \\ name'
        service = self.start("-w", "10", "-u", path)
        service.client().ask("cpu 1", "cpu x", '{"metric":"cpu","value":2}')
        status, headers, text = service.get()
        self.assertEqual(status, 200)
        self.assertIn("version=0.0.4", headers["Content-Type"])
        self.assertIn('\\"quoted\\" \\\\ name"', text)
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
        seen = set()
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                float(value)
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name) if "seconds" in name else name, kinds)
                self.assertNotIn((name, labels), seen)
                seen.add((name, labels))
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_it_counts(self):
        service = self.start("-w", "100")
        client = service.client()
        client.ask(*(f"cpu {k % 5}" for k in range(50)), "cpu 99", "mem 1", '{"metric":"mem","value":null}')
        for name, wanted in {
            'lines_total{form="text"}': 52,
            'lines_total{form="json"}': 1,
            "events_total": 53,
            "anomalies_total": 1,
            'flagged_total{flag="missing"}': 1,
            "keys": 2,
            "connections": 1,
            "line_seconds_count": 53,
        }.items():
            self.assertEqual(service.metric(name), wanted, name)
        self.assertGreater(service.metric("sent_bytes_total"), service.metric("received_bytes_total"))

    def test_http_is_no_more_than_it_must_be(self):
        service = self.start()
        self.assertEqual(service.get("/healthz")[::2], (200, "ok\n"))
        self.assertEqual(service.get("/none")[0], 404)
        self.assertNotEqual(service.get("/metrics", "POST", "x" * 100)[0], 200)
        self.assertNotEqual(service.get("/metrics", "DELETE")[0], 200)
        self.assertNotIn("<b>", service.get("/<b>x</b>")[2])
        with socket.create_connection(("127.0.0.1", service.metrics_port), timeout=20) as garbage:
            garbage.sendall(b"\0\xff" * 10000 + b"\r\n\r\n")
            garbage.recv(100)
        self.assertEqual(service.get("/healthz")[0], 200)


class CommandLine(Case):
    def run_it(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def test_help_and_version(self):
        status, text, errors = self.run_it("--help")
        self.assertEqual((status, errors), (0, ""))
        for word in "--listen --unix --metrics --state --set --max-line --max-backlog --idle 127.0.0.1:7171".split():
            self.assertIn(word, text)
        self.assertTrue(all(len(line) < 120 for line in text.splitlines()))
        self.assertRegex(self.run_it("--version")[1], r"^anomaly-service \d+\.\d+\.\d+\n$")

    def test_what_is_wrong_is_said(self):
        for arguments, words in [
            (["--listen", "nowhere"], '"nowhere" is not an address and a port'),
            (["--listen", "127.0.0.1:99999"], "is not an address"),
            (["--listen", "none"], "nothing to listen on"),
            (["--max-line", "1"], '--max-line "1": must be 64 to 64K'),
            (["--idle", "-1"], '--idle "-1": must be 0 s to 86400 s'),
            (["--idle", "soon"], '"soon"'),
            (["-d", "magic"], "must be one of zscore, percentile, iforest"),
            (["-w", "never"], 'window "never"'),
            (["-s", "colour=red"], 'colour "red"'),
            (["-s", "colour"], "NAME=VALUE"),
            (["-s", "features=2"], "a line has one value"),
            (["more"], '"more" is not an option'),
            (["--nonsense"], "--help"),
        ]:
            with self.subTest(arguments):
                status, _, errors = self.run_it("-m", "none", *arguments)
                self.assertEqual(status, 2)
                self.assertIn(words, errors)

    def test_a_port_in_use_is_said(self):
        service = self.start()
        status, _, errors = self.run_it("-l", f"127.0.0.1:{service.port}", "-m", "none")
        self.assertEqual(status, 2)
        self.assertIn(f"cannot listen on 127.0.0.1:{service.port}: Address already in use", errors)

    def test_the_log_tells_nothing_of_what_clients_send(self):
        service = self.start("-w", "10", "-S", self.state)
        client = service.client()
        client.ask("!source secretsource", "secretmetric 1", "secretmetric secretvalue", "!save")
        client.close()
        self.assertEqual(service.end(), 0)
        self.assertNotIn("secret", service.log)

    def test_ipv6(self):
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
            return
        done = subprocess.Popen([PROGRAM, "-l", "[::1]:0", "-m", "none"], stderr=subprocess.PIPE, text=True)
        line = done.stderr.readline()
        done.terminate()
        done.communicate()
        self.assertRegex(line, r"lines on \[::1\]:\d+|Cannot assign|not supported")


class Load(Case):
    def test_fifty_connections_are_answered(self):
        service = self.start("-S", self.state, "--save-every", "0.2")
        rate = "2000" if WRAPPER else "20000"
        for form in [], ["-j"]:
            done = subprocess.run([BUILD / "anomaly-load", "-r", rate, "-s", "1", "-w", "0", *form, str(service.port)],
                                  capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(" 0 errors", done.stdout)
