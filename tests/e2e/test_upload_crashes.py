# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 of the workers and of the supervisor at random moments of uploads through every door:
under final names are only whole files, what is resumable goes on from what was acknowledged,
and nothing stays behind. WEBSRV_CRASHES is the number of moments, WEBSRV_SEED chooses them."""

import contextlib
import itertools
import os
import random
import signal
import threading
import time

import pytest

import rufh
import tus
from harness import PATIENCE, STAGING, config, is_alive, until, upload, uploaded

ROUNDS = int(os.environ.get("WEBSRV_CRASHES", 12))
SEED = int(os.environ.get("WEBSRV_SEED", random.randrange(1 << 32)))
SIZE, PIECE, STEP, AT_ONCE = 3_000_000, 600_000, 50_000, 3
EXPIRE = 12  # seconds: longer than a round takes, so that all can go on


class Sender(threading.Thread):
    """One upload until it is whole or the connection ends. `files` is what it means to store,
    `stored` whether the server said that it did."""
    IS_LATE = False

    def __init__(self, server, name, rng):
        super().__init__(daemon=True)
        self.server, self.name, self.sent = server, name, 0
        self.files, self.stored = {name: rng.randbytes(SIZE)}, False
        self.url, self.told, self.wrong = None, 0, None

    @property
    def body(self):
        return self.files[self.name]

    def run(self):
        with contextlib.suppress(OSError, EOFError):
            try:
                self.send()
            except AssertionError as e:
                # No answer is what a killed worker says; another one is wrong.
                if "ended after b''" not in str(e):
                    self.wrong = e

    def push(self, sock, data):
        for at in range(0, len(data), STEP):
            sock.sendall(data[at:at + STEP])
            self.sent += STEP
            time.sleep(0.001)  # so that the others come along

    def check(self):
        assert self.wrong is None, self.wrong

    def go_on(self, server):
        """Nothing to go on with."""


class Put(Sender):
    def send(self):
        with self.server.connect() as sock, sock.makefile("rb") as stream:
            sock.sendall(rufh.head_of("PUT", f"/drop/{self.name}", {"Content-Length": SIZE}))
            self.push(sock, self.body)
            assert rufh.read_reply(stream).status == 201
        self.stored = True


class Form(Sender):
    COUNT = 2

    def __init__(self, server, name, rng):
        super().__init__(server, name, rng)
        body, each = self.body, SIZE // self.COUNT
        self.files = {f"{n}-{name}": body[n * each:(n + 1) * each] for n in range(self.COUNT)}

    def send(self):
        body = b"".join(
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n\r\n%s\r\n'
            % (name.encode(), data) for name, data in self.files.items()) + b"--b--\r\n"
        with self.server.connect() as sock, sock.makefile("rb") as stream:
            sock.sendall(rufh.head_of("POST", "/drop/", {
                "Content-Type": "multipart/form-data; boundary=b",
                "Content-Length": len(body)}))
            self.push(sock, body)
            assert rufh.read_reply(stream).status == 201
        self.stored = True


class ManyFiles(Form):
    """Killed while the files get their names one after the other."""
    COUNT = 100
    IS_LATE = True


class Resumable(Sender):
    def pieces(self):
        while self.told < SIZE:
            self.told = self.append(self.told, self.body[self.told:self.told + PIECE])
        self.stored = True

    def go_on(self, server):
        if self.url is None:
            return
        self.server, before = server, self.told
        self.told = self.offset()
        assert before <= self.told <= SIZE, f"{before} was told, {self.told} is there"
        if not self.stored:
            self.pieces()
        assert self.offset() == SIZE


class Tus(Resumable):
    def send(self):
        self.url = tus.Client(self.server).create(SIZE, self.name)
        self.pieces()

    def offset(self):
        return tus.Client(self.server).offset(self.url)

    def append(self, offset, piece):
        with tus.Client(self.server).begin_patch(self.url, offset, len(piece)) as sock, \
                sock.makefile("rb") as stream:
            self.push(sock, piece)
            reply = rufh.read_reply(stream)
        assert reply.status == 204, reply
        return reply.offset


class Rufh(Resumable):
    def send(self):
        client = rufh.Client(self.server)
        sock, stream = client.begin("PUT", f"/drop/{self.name}", PIECE, Upload_Complete="?0",
                                    Upload_Length=SIZE)
        with sock, stream:
            status, fields = rufh.read_head(stream)
            assert status == 104
            self.url = fields["location"]
            self.push(sock, self.body[:PIECE])
            reply = rufh.read_reply(stream)
        assert reply.status == 201 and reply.upload_complete == "?0", reply
        self.told = reply.offset
        self.pieces()

    def offset(self):
        reply = rufh.Client(self.server).look(self.url)
        assert reply.status in (200, 204), reply
        self.stored = reply.upload_complete == "?1"
        return reply.offset

    def append(self, offset, piece):
        last = offset + len(piece) == SIZE
        sock, stream = rufh.Client(self.server).begin_append(self.url, offset, len(piece), last)
        with sock, stream:
            self.push(sock, piece)
            reply = rufh.read_reply(stream)
        assert reply.status == (201 if last else 204), reply
        return SIZE if last else reply.offset

    def pieces(self):
        super().pieces()
        if self.offset() == SIZE and not self.stored:
            self.append(SIZE, b"")


DOORS, VICTIMS = (Put, Form, ManyFiles, Tus, Rufh), ("worker", "supervisor")


def serve(start, drop):
    return start(config([upload(drop, expire=f"{EXPIRE}s")], workers=2))


def kill(server, victim, workers):
    """Kills; the server that goes on, or None where a new one is wanted."""
    if victim == "supervisor":
        server.expected_status = -signal.SIGKILL
        server.process.kill()
        server.wait()
        until(lambda: not any(map(is_alive, workers)), "workers to follow their supervisor")
        return None
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(server.workers()) - set(workers)) == 2, "other workers")
    return server


def only_whole_files(drop, expected):
    for name in uploaded(drop):
        try:
            data = (drop / name).read_bytes()
        except FileNotFoundError:
            continue  # taken back at this moment
        assert data == expected[name], f"{name} is not whole"


def all_or_none(drop, sender):
    there = set(uploaded(drop)) & set(sender.files)
    return not there or len(there) == len(sender.files)


def crash(start, drop, number, door, victim, rng):
    """One round; the names and contents that may be there."""
    server = serve(start, drop)
    workers = server.workers()
    senders = [door(server, f"{number}-{n}.bin", rng) for n in range(AT_ONCE)]
    moment, pause = rng.randrange(AT_ONCE * SIZE), rng.random() / 50
    for sender in senders:
        sender.start()
    end = time.monotonic() + PATIENCE
    while (sum(s.sent for s in senders) < moment and any(s.is_alive() for s in senders)
           and time.monotonic() < end):
        time.sleep(0.0005)
    if door.IS_LATE:
        while not uploaded(drop) and any(s.is_alive() for s in senders):
            pass
    else:
        time.sleep(pause)
    server = kill(server, victim, workers) or serve(start, drop)
    for sender in senders:
        sender.join(PATIENCE)
        sender.check()
    return server, senders


@pytest.mark.seconds(90 + 5 * ROUNDS)
def test_kill_9_at_random_moments_leaves_only_what_is_whole(start, drop):
    print(f"WEBSRV_SEED={SEED} WEBSRV_CRASHES={ROUNDS}")
    rng, seen, expected = random.Random(SEED), [0, 0, 0], {}
    pairs = list(itertools.product(DOORS, VICTIMS))
    for number in range(ROUNDS):
        door, victim = pairs[number % len(pairs)]
        print(f"round {number}: {door.__name__}, {victim}")
        server, senders = crash(start, drop, number, door, victim, rng)
        for sender in senders:
            expected |= sender.files
        only_whole_files(drop, expected)
        until(lambda: all(all_or_none(drop, sender) for sender in senders),
              "all files of each form, or none")
        for sender in senders:
            was_stored = sender.stored
            seen[0] += was_stored
            sender.go_on(server)
            there = [name in uploaded(drop) for name in sender.files]
            seen[1] += any(there)
            if was_stored or sender.url:
                assert all(there), f"{sender.name} was stored, and is not there"
        only_whole_files(drop, expected)
        for name in uploaded(drop):
            (drop / name).unlink(missing_ok=True)
        server.stop()
    print(f"{seen[0]} of {ROUNDS * AT_ONCE} ended before the kill, {seen[1]} are there")
    assert seen[0] < ROUNDS * AT_ONCE
    nothing_stays(serve(start, drop), drop)


def nothing_stays(server, drop):
    """But for halves of what a kill cut off while it was made: they go later."""
    def left():
        names = {n for n in os.listdir(drop / STAGING) if n.endswith((".info", ".part"))}
        return [n for n in names if n.endswith(".info") or n[:-5] + ".info" in names]
    print(f"left by the crashes: {len(left())} files")
    until(lambda: not left(), "the staging directory to be empty", EXPIRE + PATIENCE)
    halves = [n for n in os.listdir(drop / STAGING) if n != "sweep.lock"]
    assert not [n for n in halves if n.endswith(".form")]
    assert len(halves) <= ROUNDS * AT_ONCE and uploaded(drop) == []
    assert server.request("PUT", "/drop/a.txt", body=b"abc")[0] == 201
