# SPDX-License-Identifier: MIT
"""What the examples share, part by part."""

import json
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import boto3
import pytest

from common.alerts import LaterError, Limiter, Outbox, Sender, TokenBucket
from common.events import keyed, noisy
from common.interrupted import interrupted, same
from common.servers import (
    Mails,
    Server,
    Webhook,
    free_port,
    kafka_server,
    moto_server,
    postgres_server,
    redis_server,
    wait_until,
)
from common.state import ConflictError, DirectoryStates, MemoryStates, ObjectStates, SqliteStates


def test_a_bucket_of_one_a_minute():
    bucket = TokenBucket(1 / 60)
    assert [at for at in range(200) if bucket.take(float(at))] == [0, 60, 120, 180]


def test_a_bucket_holds_no_more_than_its_capacity_and_a_clock_that_goes_back_gives_nothing():
    bucket = TokenBucket(rate=2, capacity=3)
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(10.0)
    assert [bucket.take(1000.5) for _ in range(2)] == [True, False]


def test_a_limiter_keeps_clients_apart_and_forgets_the_oldest():
    limiter = Limiter(rate=1, capacity=1, most_keys=2)
    assert [limiter.take(key, 0.0) for key in "abab"] == [True, True, False, False]
    assert limiter.take("c", 0.0)  # "a" is forgotten
    assert [limiter.take(key, 0.0) for key in "ba"] == [False, True]


def test_an_outbox_sends_again_until_it_has_sent_and_never_waits():
    sent, fails, there = [], [OSError("away")] * 3, threading.Event()

    def send(item, suppressed):
        there.wait()
        if fails:
            raise fails.pop()
        sent.append((item, suppressed))

    box = Outbox(send, TokenBucket(1.0), pauses=(0.01,))
    begin = time.monotonic()
    assert [box.offer(i, now=float(at)) for i, at in enumerate([0, 0, 0, 1])] == [True, False, False, True]
    assert time.monotonic() < begin + 1
    assert (box.pending, box.suppressed) == (2, 2)
    there.set()
    wait_until(lambda: box.sent == 2, "both are sent", 10)
    assert sent == [(0, 0), (3, 2)]
    assert box.close() == 0


def test_an_outbox_that_is_full_suppresses_and_one_that_ends_tells_what_is_left():
    box = Outbox(lambda item, suppressed: 1 / 0, TokenBucket(1e9, 1e9), room=3, pauses=(0.01,))
    assert sum(box.offer(i) for i in range(100)) in (3, 4)
    wait_until(lambda: box.problem, "it has tried", 10)
    assert "ZeroDivisionError" in box.problem
    assert box.close(0.1) in (3, 4)


def failing(step, times):
    """The step, which first fails that often."""
    left = [OSError("away")] * times

    def once(*arguments):
        if left:
            raise left.pop()
        return step(*arguments)

    return once


def test_a_sender_tries_each_step_again_by_itself_so_that_nothing_is_sent_twice():
    waiting, sent, done = [1, 2, 3], [], []
    take = failing(lambda: waiting[0] if waiting else None, 2)
    sender = Sender(take, failing(sent.append, 3), failing(lambda item: done.append(waiting.pop(0)), 4), pauses=(0.01,))
    wait_until(lambda: sender.sent == 3, "all are sent", 10)
    sender.close()
    assert (sent, done, sender.problem) == ([1, 2, 3], [1, 2, 3], "")


def test_a_sender_leaves_a_receiver_alone_for_as_long_as_it_wants():
    tries = []

    def send(item):
        tries.append(time.monotonic())
        if len(tries) == 1:
            raise LaterError("too many", 0.5)

    sender = Sender(lambda: 1 if len(tries) < 2 else None, send, lambda item: None, pauses=(0.01,))
    wait_until(lambda: sender.problem, "it has been refused", 10)
    assert sender.problem == "LaterError: too many"
    wait_until(lambda: sender.sent == 1, "it is sent", 10)
    assert tries[1] - tries[0] >= 0.5


def test_a_sender_that_ends_while_it_waits_does_so_at_once():
    sender = Sender(lambda: 1, lambda item: 1 / 0, lambda item: None, pauses=(100.0,))
    wait_until(lambda: sender.problem, "it has tried", 10)
    sender.close(60)
    assert (sender.sent, sender.problem) == (0, "ZeroDivisionError: division by zero")


@pytest.fixture(scope="module")
def aws():
    """Makes boto3's clients, which speak with moto and with nobody else."""
    with pytest.MonkeyPatch.context() as patch, moto_server() as moto:
        for name, value in moto.environment.items():
            patch.setenv(name, value)
        yield boto3.client


@pytest.fixture(params=["memory", "sqlite", "directory", "object"])
def states(request, tmp_path):
    if request.param == "memory":
        return MemoryStates()
    if request.param == "sqlite":
        return SqliteStates(tmp_path / "states")
    if request.param == "directory":
        return DirectoryStates(tmp_path)
    client = request.getfixturevalue("aws")("s3")
    client.create_bucket(Bucket=tmp_path.name.replace("_", "-"))
    return ObjectStates(client, tmp_path.name.replace("_", "-"), "some/where/")


def test_of_two_writers_one_is_told(states):
    assert states.get("k") is None
    first = states.put("k", b"one", 0)
    second = states.put("k", b"two\x00\xff", first)
    for version in (0, first, 7 if isinstance(first, int) else "another"):
        with pytest.raises(ConflictError):
            states.put("k", b"lost", version)
    assert states.get("k") == (second, b"two\x00\xff")
    assert states.get("other") is None
    with pytest.raises(ConflictError):
        states.put("other", b"lost", first)


def test_what_is_in_a_file_is_there_for_the_next_process(tmp_path):
    version = SqliteStates(tmp_path / "states").put("k", b"one", 0)
    assert SqliteStates(tmp_path / "states").get("k") == (version, b"one")
    version = DirectoryStates(tmp_path).put("a/k", b"two", 0)
    assert DirectoryStates(tmp_path).get("a/k") == (version, b"two")
    assert not list(tmp_path.glob(".writing*"))


def test_writers_side_by_side_lose_nothing(states):
    states.put("n", b"0", 0)

    def add():
        for _ in range(10):
            while True:
                version, data = states.get("n")
                try:
                    states.put("n", b"%d" % (int(data) + 1), version)
                    break
                except ConflictError:
                    pass

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states.get("n")[1] == b"40"


def test_moto_stands_for_aws(aws):
    sns, sqs, rules, kinesis, table = map(aws, ("sns", "sqs", "events", "kinesis", "dynamodb"))
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="odd")
    assert '"odd"' in sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]
    rules.put_rule(Name="every-minute", ScheduleExpression="rate(1 minute)")
    assert rules.describe_rule(Name="every-minute")["ScheduleExpression"] == "rate(1 minute)"
    kinesis.create_stream(StreamName="events", ShardCount=2)
    assert kinesis.put_record(StreamName="events", PartitionKey="user1", Data=b"{}")["ShardId"].startswith("shardId-")
    assert table.list_tables()["TableNames"] == []


def test_events_are_the_same_for_the_same_seed_and_the_odd_ones_are_labelled():
    assert list(noisy(1, 3, 60, 0)) == list(noisy(1, 3, 60, 0)) != list(noisy(2, 3, 60, 0))
    events = list(keyed(20, 40, 100.0, {7: 30, 13: 30}))
    assert [(e.key, e.time, e.value) for e in events if e.odd] == [("m07", 130.0, 95.0), ("m13", 130.0, 95.0)]
    assert len(events) == 800
    assert {e.value for e in events if not e.odd} == {50.0 + i for i in range(10)}


def test_a_server_outlives_a_kill_with_what_it_had():
    def ask(*words):
        with socket.create_connection(("127.0.0.1", int(server.command[2]))) as s:
            s.sendall(" ".join(words).encode() + b"\r\n")
            return s.recv(100)

    with redis_server() as server:
        folder = server.folder
        assert ask("SET", "k", "v") == b"+OK\r\n"
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            ask("PING")
        server.start()
        assert ask("GET", "k") == b"$1\r\nv\r\n"
        assert server.stop() == 0
    assert not folder.exists()


def test_kafka_outlives_a_kill_with_what_it_had():
    def kcat(*words, send=""):
        command = ["kcat", "-b", server.broker, "-t", "readings", "-q", *words]
        return subprocess.run(command, input=send, check=True, capture_output=True, text=True).stdout

    with kafka_server() as server:
        kcat("-P", send="one\ntwo\n")
        server.kill()
        server.start()
        kcat("-P", send="three\n")
        assert kcat("-C", "-o", "beginning", "-e", "-f", "%o %s\n") == "0 one\n1 two\n2 three\n"
        assert server.stop() == 128 + signal.SIGTERM  # as Java ends when it is told to


def test_a_server_that_does_not_start_shows_its_log():
    with (
        pytest.raises(RuntimeError, match="what went wrong"),
        Server([sys.executable, "-c", "exit('what went wrong')"], lambda: False),
    ):
        pass


def test_postgres_outlives_a_kill_with_what_was_committed():
    def ask(sql):
        return subprocess.run(["psql", server.url, "-qAtc", sql], capture_output=True, text=True, check=False).stdout.split()

    with postgres_server() as server:
        assert ask("CREATE TABLE t AS SELECT 7 AS x; SELECT x FROM t") == ["7"]
        before = ask("SELECT extract(epoch FROM pg_postmaster_start_time())")
        server.kill()
        assert ask("SELECT x FROM t") == []
        server.start()
        assert ask("SELECT x FROM t") == ["7"]
        assert ask("SELECT extract(epoch FROM pg_postmaster_start_time())") != before
        assert server.stop(signal.SIGINT) == 0


def test_mails_arrive():
    with Mails() as mails, smtplib.SMTP("127.0.0.1", mails.port) as client:
        client.sendmail("a@example.com", ["b@example.com"], "Subject: x\r\n\r\nhello")
    assert mails.mails[0][0] == ["b@example.com"]
    assert "hello" in mails.mails[0][1]


def test_a_webhook_keeps_what_it_takes_and_answers_as_it_is_told():
    def post(body):
        request = urllib.request.Request(hook.url, json.dumps(body).encode(), method="POST")
        try:
            with opener.open(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers["Retry-After"]

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with Webhook() as hook:
        hook.answers = [(429, {"Retry-After": "7"}, "slowly")]
        assert post({"a": 1}) == (429, b"slowly", "7")
        assert post({"a": 2}) == (200, b"ok")
        hook.stop()
        with pytest.raises(urllib.error.URLError):
            post({"a": 3})
        hook.start()
        assert post({"a": 4}) == (200, b"ok")
        assert hook.posts == [{"a": 2}, {"a": 4}]
        assert len(hook.tries) == 3


def test_a_run_that_is_interrupted_is_compared_with_the_whole_run():
    with redis_server() as server:
        port = int(server.command[2])

        def count():
            done = []
            while len(done) < 200:
                try:
                    with socket.create_connection(("127.0.0.1", port)) as s:
                        s.sendall(b"INCR n\r\n")
                        if (answer := s.recv(100)).startswith(b":"):
                            done.append(answer)
                except OSError:
                    pass
                time.sleep(0.005)
            return done

        done = interrupted(server, count, times=2, seed=3, pause=(0.1, 0.3))
    assert len(set(done)) == 200  # no number was given twice


def test_what_is_missing_or_too_much_is_told():
    same([1, 2], [1, 2])
    for other, word in (([1], "missing"), ([1, 2, 3], "too many"), ([2, 1], "another order"), ([1, 2, 2], "twice")):
        with pytest.raises(AssertionError, match=word):
            same(other, [1, 2])


def test_a_port_is_free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", free_port()))
