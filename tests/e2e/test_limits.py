# SPDX-License-Identifier: BSD-2-Clause
"""Limits and timeouts: too many, too slow, too little, and the service goes on."""

import os
import resource
import socket
import threading
import time

import pytest

from harness import (PATIENCE, config, cpu_seconds, files, is_closed, raise_descriptor_limit,
                     read_all, read_answer, send_get, until, upload)

PUT = b"PUT /drop/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"


def cpu_of(server):
    return sum(map(cpu_seconds, server.workers()))


def is_served(server):
    try:
        return server.get()[0] == 200
    except OSError:
        return False


def ask(sock):
    send_get(sock)
    return read_answer(sock)[0]


# --- connections ---

@pytest.mark.parametrize("workers", [1, 2])
def test_the_connection_beyond_the_limit_gets_503(start, site, workers):
    server = start(config([files(site)], workers=workers, limits={"connections": 5}))
    held = [server.connect() for _ in range(5)]
    assert [ask(sock) for sock in held] == [200] * 5
    beyond = server.connect()
    status, head, _ = read_answer(beyond)
    assert status == 503 and "connection: close" in head.lower()
    beyond.close()
    assert [ask(sock) for sock in held] == [200] * 5
    assert "limits.connections: 5 connections are open" in server.log()
    for sock in held:
        sock.close()
    until(lambda: is_served(server), "service after the others have gone")


def test_the_503_is_not_lost_when_a_request_is_sent_with_it(start, site):
    server = start(config([files(site)], workers=1, limits={"connections": 1}))
    held = server.connect()
    assert ask(held) == 200
    for _ in range(20):
        assert server.get()[0] == 503
    held.close()


def test_refused_connections_take_no_room_from_others(start, site):
    server = start(config([files(site)], workers=1, limits={"connections": 1}))
    held = server.connect()
    assert ask(held) == 200
    refused = [server.connect() for _ in range(3)]
    assert [read_answer(sock)[0] for sock in refused] == [503] * 3
    held.close()
    # Those that were refused stay open on their side; that must not keep the others out.
    until(lambda: is_served(server), "service after the first has gone")
    for sock in refused:
        sock.close()


@pytest.mark.parametrize("backend", ["epoll", "poll", "select"])
def test_out_of_descriptors_it_says_so_does_not_spin_and_recovers(start, site, backend):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
    server = start(config([files(site)], workers=1, event_backend=backend,
                          cache={"revalidate": "1m"}), preexec_fn=few)
    assert "limit of open files (48) is too low for limits.connections" in server.log()
    assert server.get()[0] == 200  # from now on it is in the cache
    held = [server.connect()]
    assert ask(held[0]) == 200
    held += [server.connect() for _ in range(80)]
    server.wait_for_log(r"error .*accept: Too many open files; no new connections for \d+ ms")
    before = cpu_of(server)
    assert ask(held[0]) == 200, "those that are connected are still served"
    time.sleep(1.5)
    assert cpu_of(server) - before < 0.3, "it spins"
    assert server.log().count("Too many open files") < 10, "it fills the log"
    for sock in held:
        sock.close()
    until(lambda: is_served(server), "service after the others have gone")


def test_when_a_file_cannot_be_opened_for_lack_of_descriptors_it_is_503(start, site):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
    for n in range(60):
        (site / f"{n}.bin").write_bytes(b"x" * 100_000)
    server = start(config([files(site)], workers=1), preexec_fn=few)
    held = [server.slow_reader(f"/{n}.bin") for n in range(20)]
    statuses = {int(first.split()[1]) for _, first in held}
    assert statuses <= {200, 503}
    for sock, _ in held:
        sock.close()
    # The files that are kept at hand must not use up what connections need.
    for n in range(60):
        assert server.get(f"/{n}.bin")[0] == 200
    until(lambda: is_served(server), "service")


@pytest.mark.seconds(60)
def test_a_thousand_idle_connections_disturb_nobody(start, site):
    if raise_descriptor_limit() < 1200:
        pytest.skip("the limit of open files is too low for a thousand connections")
    server = start(config([files(site)], workers=2))
    idle = [server.connect() for _ in range(1000)]
    for sock in idle[::2]:
        sock.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: ")
    assert all(server.get()[0] == 200 for _ in range(100))
    before = cpu_of(server)
    time.sleep(1)
    assert cpu_of(server) - before < 0.5, "it spins"
    for sock in idle:
        sock.close()
    assert is_served(server)


def test_requests_per_connection(start, site):
    server = start(config([files(site)], workers=1, limits={"requests_per_connection": 3}))
    sock = server.connect()
    heads = []
    for _ in range(3):
        send_get(sock)
        heads.append(read_answer(sock)[1].lower())
    assert ["connection: close" in head for head in heads] == [False, False, True]
    assert is_closed(sock)
    sock.close()


def test_memory_stays_bounded_when_clients_do_not_read(start, site):
    (site / "big.bin").write_bytes(b"x" * (64 << 20))
    server = start(config([files(site)], workers=1))
    worker = server.workers()[0]

    def resident():
        with open(f"/proc/{worker}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    server.get()
    before = resident()
    stuck = [server.connect(receive_buffer=4096) for _ in range(20)]
    for sock in stuck:
        for _ in range(50):
            send_get(sock, "/big.bin")
    time.sleep(0.5)
    assert resident() - before < 32 << 20
    for sock in stuck:
        sock.close()


# --- time ---

def in_parallel(*clients):
    """Runs them all at a time; their results, or what one of them raised."""
    results = [None] * len(clients)

    def run(n):
        try:
            results[n] = clients[n]()
        except Exception as e:  # told by the assertion of the test
            results[n] = e
    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def drip(sock, piece, pause):
    """Sends it again and again until the server has something to say; how long that took. The
    limit of the test ends it where the server never has."""
    began = time.monotonic()
    sock.settimeout(pause)
    while True:
        try:
            sock.sendall(piece)
            sock.recv(1, socket.MSG_PEEK)
        except socket.timeout:
            continue
        except OSError:
            pass
        sock.settimeout(PATIENCE)
        return time.monotonic() - began


@pytest.fixture
def impatient(start, site, drop):
    return start(config([files(site), upload(drop)], workers=1, timeouts={
        "header": "1s", "body_idle": "1s", "idle": "1s", "write_idle": "1s",
        "body_min_rate": 0}), args=["-e", "debug", "-c", "websrv.json"])


# Told from the timeouts of a second here, however busy the machine is.
HEADER, BODY, IDLE = 10, 30, 65


def ends(sock, default, sent=b""):
    """What is said when nothing more comes after that; and whether it came after the second that
    is configured, which begins with what is sent, and not after the one that is the default."""
    began = time.monotonic()
    sock.sendall(sent)
    try:
        status = read_answer(sock)[0]
    except AssertionError:
        status = None  # closed without an answer
    took = time.monotonic() - began
    sock.close()
    return status, 0.9 < took < default or took


def test_a_head_that_stops_is_408(impatient):
    assert ends(impatient.connect(), HEADER, b"GET /hello.txt HTTP/1.1\r\nHo") == (408, True)
    impatient.wait_for_log("close: header timeout")


def test_a_head_that_drips_is_408_all_the_same(impatient):
    sock = impatient.connect()
    sock.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nX: ")
    assert 0.9 < drip(sock, b"x", 0.1) < HEADER
    assert read_answer(sock)[0] == 408
    sock.close()


def test_a_second_head_that_stops_is_408(impatient):
    sock = impatient.connect()
    send_get(sock)
    assert read_answer(sock)[0] == 200
    assert ends(sock, HEADER, b"GET /hello") == (408, True)


def test_idle_connections_are_closed_without_a_word(impatient):
    def fresh():
        return ends(impatient.connect(), IDLE)

    def used():
        began, sock = time.monotonic(), impatient.connect()
        assert ask(sock) == 200
        assert is_closed(sock)
        sock.close()
        return 0.9 < time.monotonic() - began < IDLE
    assert in_parallel(fresh, used) == [(None, True), True]
    impatient.wait_for_log("close: idle timeout", count=2)


def test_a_body_that_stops_is_408_and_leaves_nothing(impatient, drop):
    assert ends(impatient.connect(), BODY, PUT % b"a.bin" + b"x" * 1000) == (408, True)
    assert os.listdir(drop) == []
    impatient.wait_for_log("close: request body timeout")


def test_a_reader_that_stops_is_closed(impatient, site):
    (site / "big.bin").write_bytes(b"x" * (32 << 20))
    sock, _ = impatient.slow_reader("/big.bin")
    impatient.wait_for_log("close: write timeout")
    assert len(read_all(sock)) < 32 << 20


def test_a_reader_that_is_slow_but_does_read_is_not_closed(start, site):
    (site / "big.bin").write_bytes(b"x" * (8 << 20))
    server = start(config([files(site)], workers=1, timeouts={"write_idle": "4s", "idle": "1s"}))
    sock, data = server.slow_reader("/big.bin")
    got = len(data)
    for _ in range(10):  # far from write_idle without a byte, also on a busy machine
        time.sleep(0.5)
        got += len(sock.recv(65536))
    got += len(read_all(sock))
    assert got > 8 << 20


def test_a_timeout_of_one_server_is_not_that_of_another(start, site):
    quick = {"listen": ["127.0.0.1:0"], "routes": [files(site)], "timeouts": {"idle": "500ms"}}
    slow = {"listen": ["[::1]:0"], "routes": [files(site)]}
    try:
        socket.socket(socket.AF_INET6).close()
        server = start({"workers": 1, "servers": [quick, slow]})
    except (OSError, AssertionError) as e:
        pytest.skip(f"no IPv6 here: {e}")
    port = int(server.wait_for_log(r"listening on \[::1\]:(\d+)")[1])
    with server.connect() as a, socket.create_connection(("::1", port), timeout=PATIENCE) as b:
        assert is_closed(a)
        assert not is_closed(b, 0.5)


@pytest.mark.seconds(45)
def test_a_body_slower_than_the_minimum_is_408_and_a_quick_one_is_not(start, drop):
    server = start(config([upload(drop)], workers=1, timeouts={
        "body_idle": "8s", "body_min_rate": 200}), args=["-e", "debug", "-c", "websrv.json"])

    def slow():
        """100 bytes a second: never idle, but too slow over ten seconds."""
        sock = server.connect()
        sock.sendall(PUT % b"slow.bin")
        took = drip(sock, b"x" * 50, 0.5)
        status = read_answer(sock)[0]
        sock.close()
        return status, 9 < took < BODY or took

    def quick():
        """400 bytes a second, in bursts."""
        sock = server.connect()
        sock.sendall(PUT.replace(b"100000", b"5200") % b"quick.bin")
        for _ in range(13):
            sock.sendall(b"x" * 400)
            time.sleep(1)
        status = read_answer(sock)[0]
        sock.close()
        return status
    assert in_parallel(slow, quick) == [(408, True), 201]
    assert os.listdir(drop) == ["quick.bin"]
    server.wait_for_log("close: request body slower than body_min_rate")
