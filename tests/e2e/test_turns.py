# SPDX-License-Identifier: BSD-2-Clause
"""Answers that take several turns of the loop: files in memory and on disk, what is encoded on the
way, listings; in pipelines, while files change, while others want to be served."""

import contextlib
import gzip
import os
import socket
import threading
import time

import pytest

from harness import (PATIENCE, config, cpu_seconds, files, make_old, read_all, read_answer,
                     send_get)

TEXT = b"".join(b"line %07d of a text that shrinks well\n" % i for i in range(400_000))


@pytest.fixture
def root(tmp_path):
    directory = tmp_path / "root"
    (directory / "d").mkdir(parents=True)
    for i in range(2000):
        (directory / "d" / f"{i}.txt").touch()
    (directory / "text.txt").write_bytes(TEXT)
    (directory / "hello.txt").write_text("hello, world\n")
    (directory / "memory.bin").write_bytes(os.urandom(3_000_001))
    for path in directory.glob("*.*"):
        make_old(path)
    return directory


def test_a_large_file_in_memory_is_sent_to_its_end(start, root):
    server = start(config([files(root)], cache={"file_size": "4M"}))
    for _ in range(4):
        assert server.get("/memory.bin")[2] == (root / "memory.bin").read_bytes()


@pytest.mark.parametrize("backend", ["epoll", "poll", "select"])
def test_a_file_that_changes_in_a_pipeline_harms_only_its_own_answer(start, root, backend):
    path = root / "h.bin"
    path.write_bytes(b"x" * 300_000)
    server = start(config([files(root, listing=True)], event_backend=backend))
    workers, stopped = server.workers(), threading.Event()

    def change():
        with open(path, "r+b") as f:
            while not stopped.is_set():
                f.truncate(200_000)
                f.truncate(300_000)
    changer = threading.Thread(target=change)
    changer.start()
    targets = ["/d/?sort=size", "/h.bin", "/d/", "/hello.txt"]
    pipeline = "".join(f"GET {t} HTTP/1.1\r\nHost: a\r\n\r\n" for t in targets).encode()
    try:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            socks = [server.connect() for _ in range(8)]
            for sock in socks:
                sock.sendall(pipeline)
                sock.shutdown(socket.SHUT_WR)
            for sock in socks:
                assert read_all(sock).startswith(b"HTTP/1.1 200 OK")
    finally:
        stopped.set()
        changer.join(PATIENCE)
    assert server.get()[2] == b"hello, world\n"
    assert server.workers() == workers


def test_a_listing_that_was_given_up_is_not_begun(start, root):
    (root / "30k.bin").write_bytes(b"x" * 30_000)
    server = start(config([files(root, listing=True)]))
    with server.connect() as sock:
        sock.sendall(b"GET /30k.bin HTTP/1.1\r\nHost: a\r\n\r\n" * 100 +
                     b"GET /d/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    assert answer.count(b"HTTP/1.1 200 OK") == 100
    assert answer.endswith(b"x" * 30_000)


def test_http_1_0_sees_that_an_answer_was_broken_off(start, root):
    """Its body ends with the connection: a plain close would pass for a whole one."""
    server = start(config([files(root, compress=True)]))
    with server.connect(receive_buffer=4096) as sock:
        sock.sendall(b"GET /text.txt HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
        assert b"Content-Encoding: gzip" in sock.recv(1000)
        os.truncate(root / "text.txt", 10)
        with pytest.raises(ConnectionResetError):
            while sock.recv(1 << 20):
                pass


def test_many_that_are_encoded_on_the_way_leave_the_others_their_turn(start, root):
    server = start(config([files(root, compress=True)]))
    other, stopped, spent = server.connect(), threading.Event(), []
    worker, = server.workers(1)

    def download():
        while not stopped.is_set():
            with contextlib.suppress(OSError):
                _, _, body = server.get("/text.txt", headers={"Accept-Encoding": "br, gzip"})
                sizes.append(len(body))
    sizes = []
    threads = [threading.Thread(target=download) for _ in range(16)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            began = cpu_seconds(worker)
            send_get(other)
            assert read_answer(other)[2] == b"hello, world\n"
            spent.append(cpu_seconds(worker) - began)
            time.sleep(0.03)
    finally:
        stopped.set()
        for thread in threads:
            thread.join(PATIENCE)
        other.close()
    median = sorted(spent)[len(spent) // 2]
    print(f"median {median * 1000:.1f} ms, {len(sizes)} downloads")
    # Of the processor, whatever else it does meanwhile: some 400 ms when each had its own turn.
    assert median < 0.2


def test_requests_after_a_turn_are_answered(start, root):
    """A turn that was asked for and taken must leave the list of turns as it should be."""
    server = start(config([files(root, listing=True, compress=True)]))
    for _ in range(5):
        with server.connect() as sock:
            for target in ["/d/", "/text.txt"]:
                send_get(sock, target, "Accept-Encoding: gzip\r\nConnection: close\r\n"
                         if target == "/text.txt" else "")
            answer = read_all(sock)
        assert answer.count(b"HTTP/1.1 200 OK") == 2
        assert server.get()[0] == 200
    _, fields, body = server.get("/text.txt", headers={"Accept-Encoding": "gzip"})
    assert fields["Content-Encoding"] == "gzip" and gzip.decompress(body) == TEXT
