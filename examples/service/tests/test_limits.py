# SPDX-License-Identifier: MIT
"""Clients that misbehave: too many, slow, silent, gone, deaf."""

import os
import pathlib
import socket
import threading
import time

from service import PATIENCE, WRAPPER, Case, Client, fields


def drop(client):
    """Makes the connection end with a reset."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()


class Limits(Case):
    def test_too_many_connections_are_told_and_closed(self):
        service = self.start("-w", "10", "--max-connections", "3")
        clients = [service.client() for _ in range(3)]
        for client in clients:
            client.ask("!ping")
        more = service.client()
        self.assertEqual(more.reply(), "!error closed: too many connections, the limit is 3")
        self.assertEqual(more.reply(), "")
        self.assertEqual(service.metric("connections_refused_total"), 1)
        clients.pop().close()
        service.wait_for("connections", 2)
        self.assertEqual(service.client().ask("!ping"), ["!pong"])

    def test_more_clients_than_descriptors_do_no_harm(self):
        service = self.start("-w", "10", "--max-connections", "20")
        idle = [socket.create_connection(("127.0.0.1", service.metrics_port)) for _ in range(100)]
        time.sleep(1.5)
        ticks = sum(map(int, pathlib.Path(f"/proc/{service.process.pid}/stat").read_text().split()[13:15]))
        time.sleep(0.5)
        later = sum(map(int, pathlib.Path(f"/proc/{service.process.pid}/stat").read_text().split()[13:15]))
        self.assertLess(later - ticks, 0.2 * os.sysconf("SC_CLK_TCK"))  # it does not try in vain all the time
        for connection in idle:
            connection.close()
        self.assertEqual(service.client().ask("!ping"), ["!pong"])

    def test_a_client_that_never_reads_takes_no_memory(self):
        service = self.start("-w", "10", "--max-backlog", "64K")
        client = service.client()
        client.ask("cpu 1")
        before = service.memory()
        client.socket.settimeout(1)
        sent, piece, end = 0, b"cpu 1\n" * 10000, time.monotonic() + PATIENCE
        while sent < 64 << 20 and time.monotonic() < end:
            try:
                sent += client.socket.send(piece)
            except socket.timeout:  # it has stopped reading, or is slow under a checker
                if service.metric("backlog_pauses_total") >= 1:
                    break
        self.assertLess(sent, 64 << 20)
        self.assertLess(service.memory() - before, 16 << 20 if not WRAPPER else 64 << 20)
        self.assertGreaterEqual(service.metric("backlog_pauses_total"), 1)
        self.assertEqual(service.client().ask("!ping"), ["!pong"])  # others are served meanwhile
        drop(client)

    def test_a_deaf_client_that_listens_after_all_gets_every_reply(self):
        service = self.start("-w", "10", "--max-backlog", "4K")
        client = service.client()
        sender = threading.Thread(target=client.send, args=[f"cpu {k}" for k in range(50000)])
        sender.start()
        time.sleep(0.5)
        numbers = [int(fields(r)["n"]) for r in client.replies(50000)]
        sender.join()
        self.assertEqual(numbers, list(range(1, 50001)))
        client.close()

    def test_a_deaf_client_is_closed_in_the_end(self):
        service = self.start("-w", "10", "--max-backlog", "4K", "--stall", "0.5")
        client = service.client()
        client.flood()
        self.assertEqual(service.wait_for('connections_closed_total{reason="stalled"}', 1), 1)
        client.close()

    def test_silent_and_dripping_clients_are_closed(self):
        service = self.start("-w", "10", "--idle", "1")
        silent, dripping, alive = service.client(), service.client(), service.client()
        end = time.monotonic() + PATIENCE
        while service.metric('connections_closed_total{reason="idle"}') < 2 and time.monotonic() < end:
            try:
                dripping.raw(b"x")
            except OSError:
                pass
            alive.ask("!ping")
            time.sleep(0.1)
        self.assertEqual(silent.reply(), "!error closed: no whole line for too long")
        self.assertEqual(silent.reply(), "")
        self.assertEqual(alive.ask("!ping"), ["!pong"])
        drop(dripping)

    def test_a_half_open_connection_gives_way_to_the_new_one_of_its_source(self):
        service = self.start("-w", "10")
        old, new = service.client(), service.client()
        self.assertEqual(old.ask("!source a", "cpu 1")[0], "!source a lines=0")
        self.assertEqual(new.ask("!source a"), ["!source a lines=1"])
        self.assertEqual(old.reply(), "!error closed: another connection speaks for this source now")
        self.assertEqual(fields(new.ask("cpu 1")[0])["n"], "2")

    def test_connections_that_break_leave_nothing(self):
        service = self.start("-w", "10")
        for k in range(200):
            client = service.client()
            client.raw(b"cpu 1\ncpu")
            drop(client) if k % 2 else client.close()
        self.assertEqual(service.wait_for("connections", 0), 0)

    def test_sources_are_limited(self):
        client = self.start("-w", "10", "--max-sources", "2").client()
        self.assertEqual(client.ask("!source a", "!source b"), ["!source a lines=0", "!source b lines=0"])
        self.assertIn("there are 2 already, see --max-sources", client.ask("!source c")[0])
        self.assertEqual(client.ask("!source a"), ["!source a lines=0"])

    def test_keys_and_memory_are_limited(self):
        service = self.start("-w", "100", "--max-keys", "10", "--max-memory", "256K")
        client = service.client()
        client.ask(*(f"m{k} 1" for k in range(1000)))
        self.assertEqual(service.metric("keys"), 10)
        self.assertEqual(service.metric("keys_evicted_total"), 990)
        self.assertLessEqual(service.metric("pool_bytes"), 256 << 10)

    def test_unix_socket(self):
        path = self.folder / "lines.sock"
        left_over = socket.socket(socket.AF_UNIX)
        left_over.bind(str(path))
        left_over.close()  # as a killed process leaves it
        service = self.start("-w", "10", "-u", path)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        client = Client(connection)
        self.assertTrue(client.ask("cpu 1")[0].startswith("1 ok "))
        mask = os.umask(0)
        os.umask(mask)
        self.assertEqual(path.stat().st_mode & 0o777, 0o777 & ~mask)  # who may connect is for the umask to say
        self.assertIn("in use", self.fails("-u", path))
        client.close()
        self.assertEqual(service.end(), 0)
        self.assertFalse(path.exists())
