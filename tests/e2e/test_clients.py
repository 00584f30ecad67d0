# SPDX-License-Identifier: BSD-2-Clause
"""Limits by client address, over all workers: connections and requests of one address are
refused, those of others are not, and nothing is left behind by a worker that dies."""

import os
import re
import signal
import socket
import time

import pytest

from harness import PATIENCE, config, files, read_all, read_answer, send_get, until

METRICS = {"path": "/metrics", "status": "metrics"}
OTHER = "127.0.0.2"  # the whole of 127.0.0.0/8 is ours to connect from


def connect(server, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE, (source, 0))


def ask(sock, target="/hello.txt"):
    send_get(sock, target)
    return read_answer(sock)


def status_of(server, source="127.0.0.1", target="/hello.txt"):
    with connect(server, source) as sock:
        return ask(sock, target)[0]


def metric(server, name):
    """Asked from an address that no test limits."""
    with connect(server, "127.0.0.77") as sock:
        body = ask(sock, "/metrics")[2].decode()
    return int(re.search(rf"^websrv_{name} (\d+)$", body, re.M)[1])


# --- connections ---

def hold(server, count, source="127.0.0.1"):
    """That many connections that were answered, or fewer when one is refused."""
    held = []
    for _ in range(count):
        sock = connect(server, source)
        status = ask(sock)[0]
        if status != 200:
            sock.close()
            break
        held.append(sock)
    return held


def close_all(socks):
    for sock in socks:
        sock.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_connections_of_one_address_are_capped_over_all_workers(start, site, workers):
    server = start(config([files(site), METRICS], workers=workers,
                          limits={"connections_per_address": 5}))
    held = hold(server, 5)
    assert len(held) == 5
    for _ in range(10):
        with connect(server) as sock:
            status, head, _ = read_answer(sock)
            assert status == 503 and "connection: close" in head.lower()
    assert [ask(sock)[0] for sock in held] == [200] * 5
    others = hold(server, 5, OTHER)
    assert len(others) == 5 and status_of(server, "127.0.0.3") == 200
    assert metric(server, "connections_limited_total") == 10
    assert metric(server, "connections_refused_total") == 0
    assert "limits.connections_per_address: 127.0.0.1 has 5 connections open" in server.log()
    # Who goes makes room, for exactly one.
    held.pop().close()
    until(lambda: status_of(server) == 200, "room for one more")
    close_all(held + others)
    until(lambda: len(again := hold(server, 5)) == 5 or close_all(again), "room for all five")


def test_connections_of_a_worker_that_was_killed_are_given_back(start, site):
    server = start(config([files(site)], workers=2, limits={"connections_per_address": 6}))
    held = hold(server, 6)
    assert len(held) == 6 and hold(server, 1) == []
    for pid in server.workers(2):
        os.kill(pid, signal.SIGKILL)
    server.wait_for_log("serves again", 2)
    close_all(held)
    # At once, and no more than before.
    again = hold(server, 7)
    assert len(again) == 6
    close_all(again)


def test_only_the_killed_workers_connections_are_given_back(start, site):
    server = start(config([files(site)], workers=2, limits={"connections_per_address": 20}))
    held = hold(server, 20)
    assert len(held) == 20
    os.kill(server.workers(2)[0], signal.SIGKILL)
    server.wait_for_log("serves again")
    dead = [sock for sock in held if is_dead(sock)]
    again = hold(server, 21)
    assert len(again) == len(dead)
    close_all(held + again)


def is_dead(sock):
    try:
        sock.setblocking(False)
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_many_short_connections_leave_no_count_behind(start, site):
    server = start(config([files(site)], workers=2, limits={"connections_per_address": 4}))
    for i in range(200):
        sock = connect(server)
        if i % 3 == 0:
            send_get(sock, more="Connection: close\r\n")
            read_all(sock)
        elif i % 3 == 1:
            ask(sock)
        sock.close()
    until(lambda: len(held := hold(server, 5)) == 4 or close_all(held), "all four places")


# --- requests ---

def rate(count, per, burst, **more):
    return {"requests_per_address": {"rate": count, "per": per, "burst": burst}, **more}


@pytest.mark.parametrize("workers", [1, 2])
def test_requests_beyond_the_rate_get_429_and_others_are_not_concerned(start, site, workers):
    server = start(config([files(site), METRICS], workers=workers, limits=rate(1, "1h", 10)))
    assert [status_of(server) for _ in range(10)] == [200] * 10
    for _ in range(5):
        status, fields, body = server.get()
        assert status == 429 and b"Too Many Requests" in body
        assert 0 < int(fields["Retry-After"]) <= 3600
        assert fields["Cache-Control"] == "no-store"
    assert [status_of(server, OTHER) for _ in range(11)] == [200] * 10 + [429]
    assert metric(server, "requests_limited_total") == 6
    assert "limits.requests_per_address: 127.0.0.1 is too fast; answering 429" in server.log()


def test_a_pipeline_beyond_the_rate_is_answered_in_order_and_goes_on(start, site):
    server = start(config([files(site)], limits=rate(1, "1s", 4)))
    with connect(server) as sock:
        sock.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % i
                              for i in range(9)) +
                     b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answers = read_all(sock)
    statuses = [int(s) for s in re.findall(rb"HTTP/1\.1 (\d+) ", answers)]
    assert statuses[:4] == [404] * 4 and len(statuses) == 10
    # On a slow machine a second may pass within.
    assert statuses[4:].count(429) >= 4
    with connect(server) as sock:
        seen = []

        def let_in():
            seen.append(ask(sock)[0])
            return seen[-1] == 200
        until(let_in, "the rate to let one in, on the same connection")
        assert set(seen) <= {200, 429}


def test_the_body_of_a_request_that_is_too_fast_is_dropped(start, site, drop):
    server = start(config([files(site), {"path": "/drop/*", "upload": {"directory": str(drop)}}],
                          limits=rate(1, "1h", 1)))
    with connect(server) as sock:
        assert ask(sock)[0] == 200
        sock.sendall(b"PUT /drop/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345")
        assert read_answer(sock)[0] == 429
        assert ask(sock)[0] == 429  # the body was not taken for a request
    assert list(drop.iterdir()) == []


def test_retry_after_tells_the_truth(start, site):
    server = start(config([files(site)], workers=2, limits=rate(1, "2s", 1)))

    def is_refused():
        status, fields, _ = server.get()
        return fields["Retry-After"] if status == 429 else None
    after = until(is_refused, "two requests within two seconds")
    assert after in ("1", "2")
    time.sleep(int(after))
    assert status_of(server) == 200


def test_a_worker_that_is_killed_takes_no_rate_with_it(start, site):
    server = start(config([files(site)], workers=1, limits=rate(1, "1h", 3)))
    assert [status_of(server) for _ in range(4)] == [200] * 3 + [429]
    os.kill(server.workers(1)[0], signal.SIGKILL)
    server.wait_for_log("serves again")
    assert status_of(server) == 429
    assert status_of(server, OTHER) == 200


def test_a_server_has_its_own_rate_or_none(start, site):
    conf = config([files(site)], limits=rate(1, "1h", 2))
    plain = conf["servers"][0]
    conf["servers"] += [{**plain, "names": ["own"], "limits": rate(1, "1h", 3)},
                        {**plain, "names": ["none"], "limits": {"requests_per_address": None}}]
    conf["servers"][0]["names"] = ["first"]
    server = start(conf)

    def statuses(name, count):
        return [server.get(headers={"Host": name})[0] for _ in range(count)]
    assert statuses("first", 3) == [200, 200, 429]
    assert statuses("own", 4) == [200, 200, 200, 429]
    assert statuses("none", 20) == [200] * 20
    assert statuses("first", 1) == [429]


def test_clients_of_a_unix_socket_have_no_limit(start, site, tmp_path):
    path = str(tmp_path / "s")
    limits = rate(1, "1h", 1, connections_per_address=1)
    server = start(config([files(site)], limits=limits,
                          server={"listen": ["127.0.0.1:0", f"unix:{path}"]}))
    assert status_of(server) == 200
    held = []
    for _ in range(5):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(path)
        held.append(sock)
        assert [ask(sock)[0] for _ in range(3)] == [200] * 3
    close_all(held)
