# SPDX-License-Identifier: MIT
"""What a line gets for an answer."""

import json
import math
import random
import time

from service import Case, fields

# t = 10k s, k = 0..59: 95 at k = 40, else 50 + k % 10. In a window of 300 s the 95 meets thirty values, three times 50..59:
# mean 54.5, stddev sqrt(8.25 * 30 / 29), and (95 - 54.5) / that is 13.863294.
STREAM = [(95 if k == 40 else 50 + k % 10, 10 * k) for k in range(60)]


class Verdicts(Case):
    def test_the_planted_outlier_is_found_and_explained(self):
        replies = [fields(r) for r in self.start().client().ask(*(f"cpu {x} {t}" for x, t in STREAM))]
        self.assertEqual([int(r["n"]) for r in replies], list(range(1, 61)))
        self.assertEqual([r["n"] for r in replies if r["is"] == "anomaly"], ["41"])
        found = replies[40]
        self.assertAlmostEqual(float(found["score"]), 13.863294, 6)
        self.assertEqual((found["expected"], found["events"], found["flags"]), ("54.5", "30", "above"))
        self.assertAlmostEqual(float(found["upper"]), 54.5 + 3 * math.sqrt(8.25 * 30 / 29), 12)

    def test_json_has_the_same_verdicts_as_text(self):
        service = self.start()
        text = service.client().ask(*(f"a {x} {t}" for x, t in STREAM))
        made = service.client().ask(*(json.dumps({"metric": "b", "value": x, "time": t}) for x, t in STREAM))
        for one, other in zip(map(fields, text), map(json.loads, made)):
            self.assertEqual(one["n"], str(other["n"]))
            self.assertEqual(one["is"] == "anomaly", other["anomaly"])
            for name in ("score", "threshold", "expected", "lower", "upper", "events"):
                number = float("nan") if other[name] is None else other[name]
                self.assertEqual(repr(float(one[name])), repr(float(number)), name)
            self.assertEqual(one["flags"], "|".join(other["flags"]) or "-")

    def test_an_event_exactly_as_old_as_the_window_is_inside(self):
        client = self.start("-w", "300s").client()
        client.ask(*(f"m {t % 7} {t}" for t in range(301)))
        self.assertTrue(client.ask("!stats m")[0].startswith("!stats count=301 "))
        self.assertTrue(client.ask("!stats m 301")[0].startswith("!stats count=300 "))
        self.assertEqual(client.ask("!stats m 1000"), ["!stats count=0 mean=nan stddev=nan min=nan max=nan"])

    def test_late_events_take_their_place(self):
        client = self.start("-w", "300s").client()
        replies = client.ask(*(f"m {x} {t}" for x, t in [(1, 0), (2, 290), (3, 10), (4, 20), (5, 320)]))
        self.assertFalse(any("late" in r for r in replies))
        # 20, 290 and 320 are left: their values are 4, 2 and 5
        self.assertTrue(client.ask("!stats m")[0].startswith("!stats count=3 mean=3.66666666666666"))

    def test_too_late_and_too_far_ahead_are_said(self):
        client = self.start("-w", "300s", "-s", "max_late=60s", "-s", "max_jump=1h").client()
        flags = [fields(r)["flags"].split("|") for r in client.ask(*(f"m 1 {t}" for t in [0, 290, 10, 20, 320, 9000, 321]))]
        self.assertEqual(["late" in f for f in flags], [False, False, True, True, False, False, False])
        self.assertEqual(["jumped" in f for f in flags], [False] * 5 + [True, False])
        self.assertTrue(client.ask("!stats m")[0].startswith("!stats count=3 "))  # 290, 320, 321

    def test_a_line_without_time_has_that_of_its_arrival(self):
        client = self.start("-w", "300s").client()
        client.ask("m 1", "m 2", "m 3 2001-01-01T00:00:00Z")  # years late
        self.assertTrue(client.ask("!stats m")[0].startswith("!stats count=2 "))

    def test_missing_and_infinite(self):
        client = self.start("-w", "10").client()
        flags = [fields(r)["flags"] for r in client.ask("m nan", "m inf", "m 1")]
        self.assertEqual([f.split("|")[1] if "|" in f else f for f in flags[:2]], ["missing", "nonfinite"])
        self.assertIn('"missing"', client.ask('{"metric":"m","value":null}')[0])
        self.assertTrue(client.ask("!stats m")[0].startswith("!stats count=1 "))

    def test_stages_are_said(self):
        options = ("-w", "100", "-s", "transform=log", "-s", "alarm_rate=0.05", "-s", "rest=3")
        service = self.start(*options)
        client = service.client()
        client.ask(*(f"m {1 + k * k % 13}" for k in range(100)))
        counters = ("alarms_total", 'flagged_total{flag="untransformed"}', 'flagged_total{flag="held"}')
        before = [service.metric(name) for name in counters]
        flags = [fields(r)["flags"].split("|") for r in client.ask("m 0", "m 1e9", "m 1e9", *["m 3"] * 4)]
        wanted = [["untransformed"], ["alarm"], ["episode", "held"], *[["episode"]] * 3, ["episode_end"]]
        stages = {"untransformed", "alarm", "episode", "episode_end", "held"}
        self.assertEqual([[f for f in found if f in stages] for found in flags], wanted)
        self.assertEqual([service.metric(name) - was for name, was in zip(counters, before)], [1, 1, 1])
        text, form = client.ask("m 3", '{"metric":"m","value":3}')
        self.assertAlmostEqual(float(fields(text)["tail"]), json.loads(form)["tail"], delta=0.02)
        self.assertNotIn("tail", fields(self.start("-w", "100").client().ask("m 3")[0]))

    def test_what_was_held_back_says_why(self):
        service = self.start("-w", "100", "-s", "learn=normal", "-s", "confirm=2/3", "-s", "min_change=10%")
        client = service.client()
        client.ask(*(f"m {100 + k % 3 / 10}" for k in range(100)))
        counters = [f'flagged_total{{flag="{flag}"}}' for flag in ("held", "unconfirmed", "small_change")]
        before = [service.metric(name) for name in counters]
        flags = [fields(r)["flags"].split("|")[2:] for r in client.ask("m 105", "m 150", "m 150")]
        self.assertEqual(flags, [["held", "small_change"], ["held", "unconfirmed"], ["alarm"]])
        self.assertEqual([service.metric(name) - was for name, was in zip(counters, before)], [2, 1, 1])

    def test_each_anomaly_of_one_value_has_a_word(self):
        client = self.start("-d", "watch").client()
        client.ask(*(f"m {k * k % 31 + k % 7 / 8}" for k in range(1000)))
        replies = [fields(r)["flags"].split("|") for r in client.ask("m 900", "m 901")]
        self.assertEqual([[f for f in found if f in ("spike", "shift")] for found in replies], [["spike"], ["shift"]])
        self.assertIn('"shift"', client.ask('{"metric":"m","value":900}')[0])

    def test_other_detectors(self):
        client = self.start("-d", "percentile", "-w", "100", "-s", "warmup=20").client()
        replies = [fields(r) for r in client.ask(*(f"m {k % 10}" for k in range(50)), "m 50")]
        self.assertEqual([r["n"] for r in replies if r["is"] == "anomaly"], ["51"])


class BadLines(Case):
    CASES = [
        ("cpu", "fields", "1 fields"),
        ("", "fields", "0 fields"),
        ("cpu 1 2 3", "fields", "4 fields"),
        ("cpu abc", "value", '"abc" is not a number'),
        ("cpu 1e999", "value", "1e999 is larger than any double"),
        ("cpu 1 noon", "time", '"noon"'),
        ("cpu 1 9e99", "time", '"9e99"'),
        ("k" * 256 + " 1", "metric", "1 to 255 bytes, this one has 256"),
        ("a\x01b 1", "metric", "byte 2 is \\x01"),
        ("cpu \x1b[31m", "value", '"\\x1b[31m" is not a number'),
        ('{"metric":"m"', "json", "byte"),
        ('{"metric":"m","value":1} x', "json", "byte"),
        ('{"metric":"m","metric":"n","value":1}', "json", "duplicate"),
        ('{"value":1}', "fields", '"metric"'),
        ('{"metric":"m"}', "fields", '"value"'),
        ('{"metric":7,"value":1}', "fields", '"metric"'),
        ('{"metric":"m","value":"1"}', "value", "neither a number nor null"),
        ('{"metric":"m","value":1,"time":[]}', "time", "neither a text nor a number"),
        ('{"metric":"m","value":1,"time":"x"}', "time", '"x"'),
        ('{"metric":"","value":1}', "metric", "1 to 255 bytes"),
        ('{"metric":"a\\nb","value":1}', "metric", "byte 2 is \\x0a"),
        ("{" * 4000, "json", "byte"),
        ('{"a":' + "[" * 4000, "json", "byte"),
        ("x" * 5000, "length", "longer than 4096 bytes"),
        ("{" + "x" * 5000, "length", "longer than 4096 bytes"),
    ]

    def test_each_is_named_numbered_and_counted(self):
        service = self.start("-w", "10")
        client = service.client()
        for number, (line, reason, words) in enumerate(self.CASES, 1):
            with self.subTest(line[:40]):
                reply = client.ask(line)[0]
                if line.startswith("{"):
                    reply = json.loads(reply)
                    self.assertEqual((reply["n"], reply["error"]), (number, reason))
                    self.assertIn(words, reply["message"])
                else:
                    self.assertTrue(reply.startswith(f"{number} error {reason}: "), reply)
                    self.assertIn(words, reply)
                self.assertTrue(str(reply).isprintable())
        for reason in {c[1] for c in self.CASES}:
            wanted = sum(c[1] == reason for c in self.CASES)
            self.assertEqual(service.metric(f'errors_total{{reason="{reason}"}}'), wanted, reason)
        self.assertEqual(service.metric("events_total"), 0)
        self.assertEqual(fields(client.ask("cpu 1")[0])["n"], str(len(self.CASES) + 1))

    def test_bad_commands_are_named_and_not_numbered(self):
        client = self.start("-w", "10").client()
        for line, words in [
            ("!nonsense", 'no command "nonsense"'),
            ("!source", "expected !source NAME"),
            ("!source a b", "expected !source NAME"),
            ("!source a/b", 'not "a/b"'),
            ("!source " + "x" * 65, "1 to 64"),
            ("!save", "without --state"),
            ("!stats nowhere", "stats: "),
            ('{"command":"source","name":7}', '"name"'),
            ('{"command":"nonsense"}', "no command"),
        ]:
            with self.subTest(line):
                reply = client.ask(line)[0]
                self.assertIn(words, json.loads(reply)["message"] if line[0] == "{" else reply)
                self.assertTrue(reply.startswith(("!error ", '{"error":')) or line[0] == "{", reply)
        self.assertEqual(fields(client.ask("cpu 1")[0])["n"], "2")  # the JSON command without a name was line 1

    def test_the_last_line_without_an_end_is_not_taken(self):
        service = self.start("-w", "10")
        client = service.client()
        client.raw(b"cpu 1\ncpu 12")
        first, last = client.finish()
        self.assertTrue(first.startswith("1 ok "))
        self.assertEqual(last, "!error length: the last line has no line end, it was not taken")
        self.assertEqual(service.metric("events_total"), 1)

    def test_garbage_never_harms(self):
        service = self.start("-w", "10")
        generator = random.Random(7)
        pieces = [b"cpu ", b"1.5", b"\n", b"{", b'"metric":', b'"m"', b",", b'"value":', b"}", b"!source ", b"!stats ",
                  b"\r", b"\0", b"\xff\xfe", b"nan", b"1e9", b" ", b"2025-01-21T12:00:00Z", b"[", b"\\u0000", b'"']
        for _ in range(20):
            client = service.client()
            data = b"".join(generator.choice(pieces) if generator.random() < 0.9 else generator.randbytes(9)
                            for _ in range(3000))
            client.raw(data)
            for reply in client.finish():
                self.assertTrue(reply.isprintable(), reply)
        self.assertTrue(service.client().ask("cpu 1")[0].startswith("1 "))


class Framing(Case):
    def test_line_ends_and_pieces(self):
        client = self.start("-w", "10").client()
        for byte in b"cpu 1\r\ncpu 2\n":
            client.raw(bytes([byte]))
        self.assertEqual([fields(r)["n"] for r in client.replies(2)], ["1", "2"])

    def test_a_long_line_is_skipped_to_its_end_wherever_the_pieces_fall(self):
        client = self.start("-w", "10", "--max-line", "100").client()
        client.raw(b"x" * 150)
        self.assertEqual(client.reply(), "1 error length: longer than 100 bytes")
        client.raw(b"y" * 300000)
        client.raw(b"\ncpu 1\n" + b"z" * 101 + b"\n" + b"w" * 100 + b"\n")
        self.assertTrue(client.reply().startswith("2 ok "))
        self.assertEqual(client.reply(), "3 error length: longer than 100 bytes")
        self.assertTrue(client.reply().startswith("4 error fields: "))

    def test_everything_is_answered_after_a_half_close(self):
        client = self.start("-w", "10").client()
        client.send(*(f"cpu {k}" for k in range(5000)))
        self.assertEqual(len(client.finish()), 5000)

    def test_quiet_and_ping(self):
        client = self.start("-w", "100").client()
        self.assertEqual(client.ask("!ping", '{"command":"ping"}'), ["!pong", '{"pong":true}'])
        client.send("!quiet", *(f"cpu {k % 5}" for k in range(50)), "cpu 99", "cpu x", "!ping")
        first, second, third = client.replies(3)
        self.assertTrue(first.startswith("51 anomaly "))
        self.assertTrue(second.startswith("52 error value"))
        self.assertEqual(third, "!pong")


class Silence(Case):
    def feed(self, client, metric, last, every=1):
        """Twelve events, the last at that time."""
        client.ask(*(f"{metric} 1 {last - every * k:.3f}" for k in reversed(range(12))))

    def test_a_silent_metric_is_told_once(self):
        service = self.start("-s", "silence=3x")
        client, now = service.client(), time.time()
        self.feed(client, "long-silent", now - 100)
        self.feed(client, "just-silent", now)  # due in three seconds
        self.feed(client, "hourly", now, 3600)
        client.send("!silent")
        told = client.replies(2)
        self.assertRegex(told[0], r"^!silent last=\S+Z usual=1 overdue=9[78]\.\d+ metric=long-silent$")
        self.assertRegex(told[1], r"^!silent last=\S+Z usual=1 overdue=\d\S* metric=just-silent$")
        self.assertEqual(service.metric("keys_silent"), 2)
        self.feed(client, "just-silent", time.time())
        self.assertIn("metric=just-silent", client.reply())  # silent again: no line says long-silent again
        client.close()

    def test_json_and_names_of_any_kind(self):
        service = self.start("-s", "silence=3x")
        client, names, last = service.client(), ['say "a b"', "caf\u00e9 \\"], time.time() - 100
        for name in names:
            for k in range(12):
                client.ask(json.dumps({"metric": name, "value": 1, "time": last - 11 + k}))
        client.send('{"command":"silent"}')
        told = [json.loads(line) for line in client.replies(2)]
        self.assertEqual(sorted(t["metric"] for t in told), sorted(names))
        self.assertTrue(all(t["silent"] is True and round(t["usual"], 3) == 1 and t["overdue"] > 90 for t in told))

    def test_more_at_once_than_the_backlog_holds_is_counted(self):
        service = self.start("-s", "silence=3x", "--max-backlog", "4096")
        sender, hearer, last = service.client(), service.client(), time.time() - 100
        for k in range(300):
            self.feed(sender, f"metric-{k}", last)
        hearer.send("!silent")
        lines = [hearer.reply()]
        while not lines[-1].startswith("!unheard"):
            lines.append(hearer.reply())
        self.assertEqual(len(lines) - 1 + int(lines[-1].split()[1]), 300)
        self.assertGreater(len(lines), 4096 // 100)

    def test_without_the_option_it_is_refused(self):
        service = self.start()
        self.assertEqual(service.client().ask("!silent"),
                         ["!error refused: silent: the service runs without -s silence=, as 1/7d or 3x"])
        self.assertNotIn("keys_silent", service.get()[2])
