# SPDX-License-Identifier: BSD-2-Clause
"""Memory does not follow the size of files or directories, nor the number of slow readers."""

import os
import pathlib
import re
import socket
import time

import pytest

from harness import config, files, send_get, until

ALLOWED = 10 << 20


def memory_of(server):
    """Bytes that the workers have for themselves."""
    total = 0
    for pid in server.workers():
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += sum(int(n) for n in re.findall(r"(?m)^Private_\w+: +(\d+) kB", text)) << 10
    return total


def drain(sock, seconds):
    """Reads a little now and then, as a slow line does; how many bytes came."""
    end, count = time.monotonic() + seconds, 0
    sock.settimeout(0.001)
    while time.monotonic() < end:
        try:
            count += len(sock.recv(4096))
        except socket.timeout:
            pass
    return count


@pytest.mark.seconds(90)
@pytest.mark.parametrize("age", [0, 3600], ids=["just written", "long ago"])
def test_200_slow_readers_of_a_gigabyte_cost_nothing(plain, tmp_path, age):
    root = tmp_path / "root"
    root.mkdir()
    path = root / "big"
    with open(path, "wb") as f:
        f.truncate(1 << 30)
    then = time.time() - age
    os.utime(path, (then, then))
    server = plain(config([files(root)]))
    sock = server.connect()
    send_get(sock, "/big")
    sock.recv(1024)
    before = memory_of(server)
    socks = []
    for _ in range(200):
        s = server.connect(receive_buffer=4096)
        send_get(s, "/big")
        socks.append(s)
    received, most = 0, 0
    for _ in range(100):
        for s in socks:
            received += drain(s, 0.005)
        most = max(most, memory_of(server))
        if received > 200 * 5 * 4096:
            break
    print(f"{received} bytes received, {(most - before) / 1048576:.1f} MiB more")
    assert received > 200 * 5 * 4096
    assert most - before < ALLOWED
    for s in [sock, *socks]:
        s.close()


def unchunked(answer):
    """The body of an answer in chunks."""
    rest, body = answer.partition(b"\r\n\r\n")[2], bytearray()
    at = 0
    while True:
        end = rest.index(b"\r\n", at)
        size = int(rest[at:end], 16)
        if size == 0:
            return bytes(body)
        body += rest[end + 2:end + 2 + size]
        at = end + 2 + size + 2


@pytest.fixture(scope="module")
def crowd():
    """A directory with 100 000 files, in memory where that is possible."""
    import shutil
    import tempfile
    shm = pathlib.Path("/dev/shm")
    base = shm if shm.is_dir() and os.access(shm, os.W_OK) else None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="websrv-crowd-", dir=base))
    os.chmod(directory, 0o755)
    (directory / "crowd").mkdir()
    for i in range(100_000):
        os.close(os.open(directory / "crowd" / f"file number {i:06}.txt", os.O_CREAT))
    (directory / "hello.txt").write_text("hello\n")
    yield directory
    shutil.rmtree(directory)


@pytest.mark.seconds(120)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_listing_of_100_000_entries_is_bounded_and_stops_nobody(plain, crowd, accept):
    server = plain(config([files(crowd, listing=True)]))
    server.get("/hello.txt")
    before, most, slowest = memory_of(server), 0, 0
    sock = server.connect()
    send_get(sock, "/crowd/", f"Accept: {accept}\r\n")
    body, other = bytearray(), server.connect()
    sock.settimeout(0.02)
    while b"\r\n0\r\n\r\n" not in body[-20:]:
        try:
            body += sock.recv(1 << 20)
        except socket.timeout:
            pass
        began = time.monotonic()
        send_get(other)
        assert other.recv(4096).startswith(b"HTTP/1.1 200")
        slowest = max(slowest, time.monotonic() - began)
        most = max(most, memory_of(server))
    names = set(re.findall(rb"file%20number%20(\d{6})\.txt", unchunked(bytes(body))))
    print(f"{len(body)} bytes, {(most - before) / 1048576:.1f} MiB more, "
          f"slowest other answer {slowest * 1000:.0f} ms")
    assert len(names) == 100_000
    assert most - before < ALLOWED
    sock.close()
    other.close()


@pytest.mark.seconds(120)
def test_many_readers_of_one_listing_share_it(plain, crowd):
    server = plain(config([files(crowd, listing=True)], cache={"revalidate": "1h"}))
    server.get("/hello.txt")
    before = memory_of(server)
    socks = []
    for _ in range(50):
        s = server.connect(receive_buffer=4096)
        send_get(s, "/crowd/")
        socks.append(s)
    first = [s.recv(100) for s in socks]
    assert all(f.startswith(b"HTTP/1.1 200") for f in first)
    more = memory_of(server) - before
    print(f"{more / 1048576:.1f} MiB more")
    assert more < 2 * ALLOWED
    for s in socks:
        s.close()
    until(lambda: server.get("/hello.txt")[0] == 200, "service afterwards")
