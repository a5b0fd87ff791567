# SPDX-License-Identifier: MIT
"""What is left after a signal, a crash, a damaged file."""

import os
import random
import signal
import socket
import subprocess
import threading
import time

from service import PATIENCE, PROGRAM, WRAPPER, Case, Client, fields
from test_protocol import STREAM


def body(replies):
    """Replies to lines, by their number."""
    return {int(number): rest for number, _, rest in (r.partition(" ") for r in replies if not r.startswith("!"))}


class Signals(Case):
    def test_sigterm_answers_saves_and_ends_with_0(self):
        for number in signal.SIGTERM, signal.SIGINT:
            with self.subTest(number):
                self.state.unlink(missing_ok=True)
                service = self.start("-S", self.state, "--save-every", "100", "--drain", "1")
                client = service.client()
                self.assertEqual(client.ask("!source s10"), ["!source s10 lines=0"])
                client.send(*(f"cpu {x} {t}" for x, t in STREAM[:35]))
                self.assertEqual(service.end(number), 0, service.log)
                replies = client.finish()
                self.assertEqual(sorted(body(replies)), list(range(1, 36)))
                self.assertEqual(replies[35:], ["!saved 35", "!bye"])
                self.goes_on_after(35)

    def goes_on_after(self, count):
        service = self.start("-S", self.state)
        client = service.client()
        self.assertEqual(client.ask("!source s10"), [f"!source s10 lines={count}"])
        replies = [fields(r) for r in client.ask(*(f"cpu {x} {t}" for x, t in STREAM[count:]))]
        self.assertEqual([r["n"] for r in replies if r["is"] == "anomaly"], ["41"])
        self.assertAlmostEqual(float(replies[40 - count]["score"]), 13.863294, 6)
        client.close()
        self.assertEqual(service.end(), 0)

    def test_a_client_that_neither_reads_nor_leaves_cannot_hold_it_up(self):
        service = self.start("-w", "10", "--drain", "0.5")
        client = service.client()
        client.flood()
        started = time.monotonic()
        self.assertEqual(service.end(), 0)
        self.assertLess(time.monotonic() - started, 30 if WRAPPER else 5)
        client.close()

    def test_a_second_signal_ends_it_at_once(self):
        service = self.start("-w", "10", "-S", self.state, "--drain", "600")
        client = service.client()
        client.ask("cpu 1")
        service.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.replies(1), ["!bye"])
        self.assertEqual(service.end(), 0)  # it had saved by then
        self.assertIn("ending at once", service.log)
        client.close()


class Sender(threading.Thread):
    """A client as it ought to be: keeps its lines until they are saved, and sends the others again after a break."""

    def __init__(self, name, lines):
        super().__init__()
        self.name, self.lines = name, lines
        self.saved, self.replies, self.late, self.starts = 0, {}, [], []
        self.port = None
        self.moved = threading.Condition()

    def connect_to(self, port):
        with self.moved:
            self.port = port
            self.moved.notify()

    def run(self):
        while not self.talk():
            with self.moved:  # until there is a service again
                self.moved.wait_for(lambda: self.port is not None)

    def talk(self):
        """True when every line has been saved."""
        try:
            port, self.port = self.port, None
            client = Client(socket.create_connection(("127.0.0.1", port), timeout=60))
            client.send(f"!source {self.name}")
            start = int(client.reply().rpartition("=")[2])
            self.starts.append(start)
            if start < self.saved:
                self.late.append((start, self.saved))  # a save was promised and is not there
            writer = threading.Thread(target=self.write, args=(client, start), daemon=True)
            writer.start()
            while self.saved < len(self.lines):
                self.take(client.reply())
            client.close()
            return True
        except (OSError, ValueError):
            return False

    def write(self, client, start):
        try:
            for at in range(start, len(self.lines), 50):
                client.send(*self.lines[at : at + 50])
                time.sleep(0.04)
        except (OSError, ValueError):
            pass

    def take(self, reply):
        if not reply:
            raise OSError("ended")
        if reply.startswith("!saved "):
            self.saved = int(reply.split()[1])
        else:
            number, _, rest = reply.partition(" ")
            self.replies.setdefault(int(number), set()).add(rest)


class Crash(Case):
    LINES = 6000
    KILLS = 4 if WRAPPER else 25

    def lines_of(self, source):
        generator = random.Random(source)
        return [f"{source}.{k % 9} {generator.gauss(50, 5):.3f} {k + generator.randrange(-40, 40)}" for k in range(self.LINES)]

    def test_after_kill_9_the_verdicts_are_those_of_an_uninterrupted_run(self):
        names = ["web", "db"]
        options = ["-w", "300s", "-s", "max_late=30s", "-s", "learn=normal:3"]
        whole = {}
        service = self.start(*options)
        for name in names:
            client = service.client()
            threading.Thread(target=client.send, args=self.lines_of(name)).start()
            whole[name] = body(client.replies(self.LINES))
            client.close()
        service.end()

        generator = random.Random(9)
        senders = [Sender(name, self.lines_of(name)) for name in names]
        for kill in range(self.KILLS + 1):
            service = self.start(*options, "-S", self.state, "--save-every", "0.03")
            for sender in senders:
                sender.connect_to(service.port)
                if kill == 0:
                    sender.start()
            if kill < self.KILLS:
                time.sleep(generator.uniform(0.05, 0.2) * (10 if WRAPPER else 1))
                self.assertTrue(all(s.is_alive() for s in senders))
                service.end(signal.SIGKILL)
        for sender in senders:
            sender.join(60)
            self.assertFalse(sender.is_alive())
            self.assertTrue(any(0 < start < self.LINES for start in sender.starts))
        for sender in senders:
            self.assertEqual(sender.late, [])
            for number, got in sender.replies.items():
                self.assertEqual(got, {whole[sender.name][number]}, f"{sender.name} line {number}")
            self.assertGreater(len(sender.replies), self.LINES * 0.9)


class StateFile(Case):
    def saved(self):
        service = self.start("-w", "10", "-S", self.state)
        service.client().ask("!source a", "cpu 1", "cpu 2")
        self.assertEqual(service.end(), 0)
        return self.state.read_bytes()

    def test_save_is_answered_when_it_is_on_disk(self):
        service = self.start("-w", "10", "-S", self.state, "--save-every", "1000")
        client = service.client()
        client.ask("cpu 1", "cpu 2")
        self.assertFalse(self.state.exists())
        self.assertEqual(client.ask("!save"), ["!saved 2"])
        self.assertTrue(self.state.exists())
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o600)
        self.assertEqual(client.ask("cpu 3", '{"command":"save"}')[1], '{"saved":3}')
        self.assertEqual(service.metric('saves_total{result="ok"}'), 2)
        self.assertAlmostEqual(service.metric("last_save_timestamp_seconds"), time.time(), delta=60)

    def test_nothing_new_is_not_saved_again(self):
        service = self.start("-w", "10", "-S", self.state, "--save-every", "0.02")
        service.client().ask("cpu 1")
        service.wait_for('saves_total{result="ok"}', 1)
        time.sleep(0.2)
        self.assertEqual(service.metric('saves_total{result="ok"}'), 1)

    def test_a_save_that_fails_is_said_and_the_next_one_may_succeed(self):
        service = self.start("-w", "10", "-S", self.state, "--save-every", "1000")
        client = service.client()
        obstacle = self.folder / "state.tmp"
        obstacle.mkdir()
        self.assertEqual(client.ask("cpu 1", "!save")[1], "!error save: the state could not be saved, keep your lines")
        self.assertEqual(service.metric('saves_total{result="failed"}'), 1)
        obstacle.rmdir()
        self.assertEqual(client.ask("!save"), ["!saved 1"], service.log)
        obstacle.mkdir()
        client.close()
        self.assertEqual(service.end(), 1)  # the last save failed
        self.assertIn("cannot create", service.log)

    def test_damage_is_refused(self):
        good = self.saved()
        damaged = [good[:at] for at in range(0, len(good), 7)] + [good + b"x"]
        for at in range(0, len(good), 5):
            damaged.append(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        for data in damaged if not WRAPPER else damaged[::9]:
            self.state.write_bytes(data)
            self.assertIn("cannot restore", self.fails("-w", "10", "-S", self.state))
            self.assertEqual(self.state.read_bytes(), data)

    def test_other_settings_are_refused_by_name(self):
        self.saved()
        self.assertIn("window", self.fails("-w", "20", "-S", self.state))
        self.assertEqual(self.start("-w", "10", "-t", "5", "-S", self.state).metric("keys"), 1)

    def test_two_services_cannot_share_it(self):
        self.start("-w", "10", "-S", self.state)
        self.assertIn("in use by another process", self.fails("-w", "10", "-S", self.state))

    def test_a_folder_that_is_not_there(self):
        self.assertIn("cannot create", self.fails("-S", self.folder / "none" / "state"))

    def test_what_a_killed_save_left_behind_is_in_nobodys_way(self):
        (self.folder / "state.tmp").write_bytes(b"half a state")
        self.saved()
        self.assertFalse((self.folder / "state.tmp").exists())

    def test_a_prepared_link_is_not_followed(self):
        victim = self.folder / "victim"
        for ending in ".tmp", ".lock":
            with self.subTest(ending):
                link = self.folder / ("state" + ending)
                link.unlink(missing_ok=True)
                victim.write_text("precious")
                link.symlink_to(victim)
                if ending == ".lock":
                    self.assertIn("cannot create", self.fails("-S", self.state))
                else:
                    service = self.start("-w", "10", "-S", self.state)
                    self.assertIn("!error save", service.client().ask("cpu 1", "!save")[1])
                    self.assertEqual(service.end(), 1)  # the last save failed
                self.assertEqual(victim.read_text(), "precious")

    def test_a_fifo_is_no_state(self):
        os.mkfifo(self.state)
        self.assertIn("it is not a regular file", self.fails("-S", self.state))

    def test_what_is_said_to_a_closed_standard_error_reaches_no_client_and_no_file(self):
        path = self.folder / "socket"
        command = [PROGRAM, "-l", "none", "-m", "none", "-w", "10", "-u", path, "-S", self.state]
        process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *map(str, command)])
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        end = time.monotonic() + PATIENCE
        while connection.connect_ex(str(path)) != 0 and time.monotonic() < end:
            time.sleep(0.02)
        client = Client(connection)
        client.send("!source a", "cpu 1", "cpu 2")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        replies = [reply.split()[0] for reply in client.finish()]
        self.assertEqual(replies, ["!source", "1", "2", "!saved", "!bye"])
        self.assertEqual(self.start("-w", "10", "-S", self.state).client().ask("!source a"), ["!source a lines=2"])
