# SPDX-License-Identifier: BSD-2-Clause
"""Files that change while they are sent: an answer is one version of a file, or it is broken off."""

import contextlib
import os
import random
import re
import socket
import struct
import threading
import time

import pytest

from harness import PATIENCE, config, files, is_closed, read_all, send_get, until

STAMP = struct.Struct(">Q")  # a file begins with its version, and goes on with bytes of the pool
POOL = random.Random(0).randbytes(48 << 20)
CLIENTS = 64
NAMES = [f"f{i}" for i in range(4)]


def begin_of(version):
    """Where in the pool the bytes of a version begin: no two versions look alike anywhere."""
    return version * 4099 % (4 << 20)


def content(version, size):
    at = begin_of(version)
    return (STAMP.pack(version) + POOL[at:at + max(0, size - STAMP.size)])[:size]


def version_of(body):
    """The one version that the bytes are the beginning of; fails when they are of several."""
    if len(body) < STAMP.size:
        return None
    version, = STAMP.unpack_from(body)
    at = begin_of(version)
    mine, pool = memoryview(body)[STAMP.size:], memoryview(POOL)
    if mine != pool[at:at + len(mine)]:
        wrong = next(i for i, b in enumerate(mine) if b != POOL[at + i])
        raise AssertionError(f"{len(body)} bytes of version {version}, but from {wrong + 8} on "
                             f"{bytes(mine[wrong:wrong + 32]).hex()}")
    return version


class Changer(threading.Thread):
    """Changes the files without a pause. `in_place`: also truncates, appends, writes anew."""

    def __init__(self, root, in_place, age):
        super().__init__()
        self.root, self.in_place, self.age = root, in_place, age
        self.random, self.version, self.versions = random.Random(1), 0, {}
        self.stopped, self.failed, self.changes = threading.Event(), None, 0
        for name in NAMES:
            self.replace(name)

    def size(self):
        return self.random.choice([0, 10, 5000, 60001, 65537, 300007, 2000003])

    def aged(self, path):
        if self.age:
            then = time.time() - self.age + self.random.random()
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (then, then))

    def write(self, path, name):
        self.version += 1
        self.versions[name] = self.version
        with open(path, "wb") as f:
            f.write(content(self.version, self.size()))
        self.aged(path)

    def replace(self, name):
        self.write(self.root / "new", name)
        os.replace(self.root / "new", self.root / name)

    def rewrite(self, name):
        self.write(self.root / name, name)

    def truncate(self, name):
        path = self.root / name
        os.truncate(path, self.random.randrange(path.stat().st_size + 1))

    def grow(self, name):
        path = self.root / name
        size = path.stat().st_size
        more = content(self.versions[name], size + 70000)[size:]
        with open(path, "ab") as f:
            f.write(more)

    def delete(self, name):
        os.unlink(self.root / name)

    def rename(self, name):
        other = self.random.choice(NAMES)
        os.replace(self.root / name, self.root / other)
        self.versions[other] = self.versions[name]

    def run(self):
        ways = [self.replace, self.replace, self.delete, self.rename]
        if self.in_place:
            ways += [self.rewrite, self.truncate, self.grow]
        try:
            while not self.stopped.wait(0.002):
                with contextlib.suppress(FileNotFoundError):
                    self.random.choice(ways)(self.random.choice(NAMES))
                    self.changes += 1
        except Exception as e:  # pylint: disable=broad-except
            self.failed = e


class Client(threading.Thread):
    """Downloads again and again on kept connections, now and then slowly."""

    def __init__(self, server, number, over):
        super().__init__()
        self.server, self.over = server, over
        self.random = random.Random(number)
        self.failed, self.whole, self.cut, self.missing = None, 0, 0, 0

    def read(self, sock, data):
        with contextlib.suppress(ConnectionResetError):
            piece = sock.recv(self.random.choice([10000, 100000, 1 << 20]))
            if self.random.random() < 0.05:
                time.sleep(0.01)
            data += piece
            return bool(piece)
        return False

    def one(self, sock):
        """False when the connection is over."""
        data = bytearray()
        send_get(sock, "/" + self.random.choice(NAMES))
        while b"\r\n\r\n" not in data:
            if not self.read(sock, data):
                assert not data, bytes(data)
                return False
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?im)^content-length: *(\d+)", head)[1])
        status = int(head.split()[1])
        alive = True
        while alive and len(body) < length:
            alive = self.read(sock, body)
        assert len(body) <= length
        assert status in (200, 404), head
        if status == 404:
            self.missing += 1
            return alive
        version_of(bytes(body))
        self.whole += len(body) == length
        self.cut += len(body) < length
        return alive

    def run(self):
        try:
            while not self.over.is_set():
                with self.server.connect() as sock:
                    if self.random.random() < 0.3:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100000)
                    while self.one(sock) and not self.over.is_set():
                        pass
        except Exception as e:  # pylint: disable=broad-except
            self.failed = e


@pytest.mark.seconds(120)
@pytest.mark.parametrize("in_place, age", [(True, 0), (False, 3600)],
                         ids=["in place, just written", "by rename, long ago"])
@pytest.mark.parametrize("cache", [{}, {"revalidate": 0}, {"entries": 0}],
                         ids=["cached", "always looked at", "not cached"])
def test_an_answer_is_one_version_whatever_happens_to_the_file(start, tmp_path, in_place, age,
                                                               cache):
    root = tmp_path / "root"
    root.mkdir()
    changer = Changer(root, in_place, age)
    server = start(config([files(root)], cache=cache, workers=2))
    changer.start()
    over, began = threading.Event(), time.monotonic()
    clients = [Client(server, i, over) for i in range(CLIENTS)]

    def is_enough():
        return (time.monotonic() - began > 4 and changer.changes > 50
                and sum(c.whole for c in clients) > CLIENTS or changer.failed
                or any(c.failed for c in clients))
    try:
        for client in clients:
            client.start()
        until(is_enough, "downloads and changes enough")
    finally:
        over.set()
        for client in clients:
            client.join(PATIENCE)
        changer.stopped.set()
        changer.join(PATIENCE)
    assert [c.failed for c in clients if c.failed] == [] and changer.failed is None
    whole, cut = sum(c.whole for c in clients), sum(c.cut for c in clients)
    print(f"{changer.changes} changes, {whole} whole answers, {cut} broken off")
    if not in_place:
        assert cut == 0  # nothing took bytes away from an answer


def slow(server, target="/big", head=b"200"):
    sock = server.connect(receive_buffer=4096)
    send_get(sock, target)
    first = sock.recv(1024)
    assert head in first
    return sock, first


@pytest.fixture(params=[0, 3600], ids=["just written", "long ago"])
def big(tmp_path, request):
    """A file that does not fit into the socket buffers, and how to give it its age again."""
    root = tmp_path / "root"
    root.mkdir()
    path = root / "big"
    path.write_bytes(content(1, 32 << 20))

    def aged():
        if request.param:
            os.utime(path, (time.time() - request.param,) * 2)
    aged()
    return path


def body_of(first, rest):
    return (first + rest).partition(b"\r\n\r\n")[2]


def test_a_file_that_is_truncated_breaks_the_answer_off(start, big):
    server = start(config([files(big.parent)]))
    sock, first = slow(server)
    os.truncate(big, 20 << 20)
    body = body_of(first, read_all(sock))
    assert len(body) < 32 << 20 and version_of(body) == 1
    assert server.get("/big", headers={"Range": "bytes=0-9"})[0] == 206


def test_a_file_that_grows_is_sent_as_it_was(start, big):
    server = start(config([files(big.parent)]))
    sock, first = slow(server)
    with open(big, "ab") as f:
        f.write(content(1, (32 << 20) + 5000)[32 << 20:])
    body = bytearray(first.partition(b"\r\n\r\n")[2])
    while len(body) < 32 << 20:
        piece = sock.recv(1 << 20)
        assert piece, len(body)
        body += piece
    assert len(body) == 32 << 20 and version_of(body) == 1
    assert not is_closed(sock, 0.3)  # the connection goes on
    sock.close()


def test_a_file_that_is_written_anew_in_place_breaks_the_answer_off(start, big):
    server = start(config([files(big.parent)]))
    sock, first = slow(server)
    big.write_bytes(content(2, 40 << 20))
    body = body_of(first, read_all(sock))
    assert len(body) < 32 << 20 and version_of(body) == 1


@pytest.mark.parametrize("change", ["unlink", "rename", "replace"])
def test_a_name_that_goes_away_does_not_matter(start, big, change):
    server = start(config([files(big.parent)]))
    sock, first = slow(server)
    if change == "unlink":
        big.unlink()
    elif change == "rename":
        big.rename(big.parent / "other")
    else:
        (big.parent / "new").write_bytes(content(2, 1 << 20))
        os.replace(big.parent / "new", big)
    sock.shutdown(socket.SHUT_WR)
    body = body_of(first, read_all(sock))
    assert len(body) == 32 << 20 and version_of(body) == 1
