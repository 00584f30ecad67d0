# SPDX-License-Identifier: BSD-2-Clause
"""Quotas of upload directories and uploads at a time of one client, over several workers."""

import contextlib
import functools
import json
import os
import signal
import socket
import threading
import time

import pytest

from harness import (config, curl, is_root, read_all, read_answer, run, until, upload,
                     uploaded)
from rufh import Client

MIB = 1 << 20


@pytest.fixture
def serve(serve):
    return functools.partial(serve, workers=2, durable=False, max_size="64M")


def put(server, name, body=b"abc", method="PUT"):
    status, fields, text = server.request(method, f"/drop/{name}", body=body)
    return status, text.decode(), fields


def begin(server, name, framing, expect=True, source=None):
    """A connection that has sent the head of a PUT, and what came back: None is nothing."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=60,
                                    source_address=(source, 0) if source else None)
    more = "Expect: 100-continue\r\n" if expect else ""
    sock.sendall(f"PUT /drop/{name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                 f"{framing}\r\n{more}\r\n".encode())
    return sock, int(sock.recv(4096).split()[1]) if expect else None


def finish(sock, body):
    sock.sendall(body)
    return int(read_all(sock).split()[1])


def total(directory):
    return sum(p.stat().st_size for p in directory.rglob("*") if p.is_file())


# --- quota ---

def test_the_last_byte_fits_and_one_more_does_not(serve, drop):
    (drop / "old").write_bytes(b"x" * 50)
    server = serve(quota=100)
    assert put(server, "a", b"y" * 51)[:1] == (507,)
    assert "no room" in put(server, "a", b"y" * 51)[1]
    assert put(server, "a", b"y" * 50)[0] == 201
    assert put(server, "b", b"y")[0] == 507
    assert put(server, "c", b"")[0] == 201
    assert uploaded(drop) == ["a", "c", "old"]
    server.wait_for_log("50 bytes are used, too many for 51 more with the quota of 100")


def test_a_length_that_does_not_fit_is_refused_before_the_body(serve, drop):
    server = serve(quota=100)
    sock, status = begin(server, "a", "Content-Length: 101")
    sock.close()
    assert status == 507
    sock, status = begin(server, "a", "Content-Length: 100")
    assert status == 100
    # What is promised is not there for others, in whichever worker.
    for _ in range(8):
        other, status = begin(server, "b", "Content-Length: 1")
        other.close()
        assert status == 507
    assert finish(sock, b"x" * 100) == 201
    assert total(drop) == 100


def test_who_gives_up_gives_back(serve, drop):
    server = serve(quota=100)
    sock, status = begin(server, "a", "Content-Length: 100")
    assert status == 100
    sock.sendall(b"x" * 50)
    sock.close()
    until(lambda: put(server, "b", b"x" * 100)[0] == 201, "room")


@pytest.mark.seconds(60)
def test_many_at_the_edge_never_go_beyond_it(serve, drop):
    server = serve(quota=1000)
    statuses = []

    def go(n):
        for k in range(40):
            statuses.append(put(server, f"{n}-{k}", b"x" * 7)[0])
    threads = [threading.Thread(target=go, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(50)
    assert len(statuses) == 320 and set(statuses) == {201, 507}
    assert total(drop) == 7 * statuses.count(201) <= 1000
    # Two that ask for the last bytes at the same moment may both be refused; later one is not.
    while put(server, f"rest-{time.monotonic_ns()}", b"x" * 7)[0] == 201:
        pass
    assert total(drop) == 1000 // 7 * 7


def test_an_unknown_length_is_stopped_at_the_edge(serve, drop):
    server = serve(quota=2 * MIB)
    (drop / "old").write_bytes(b"x")  # not seen: the count was before
    sock, status = begin(server, "a", "Transfer-Encoding: chunked")
    assert status == 100
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(64):
            sock.sendall(chunk)
    answer = read_all(sock)
    assert answer == b"" or int(answer.split()[1]) == 507
    server.wait_for_log("with the quota of")
    assert uploaded(drop) == ["old"]
    sock, status = begin(server, "b", "Transfer-Encoding: chunked")
    assert status == 100
    assert finish(sock, chunk * 31 + b"0\r\n\r\n") == 201
    assert (drop / "b").stat().st_size == 31 * 65536


def test_a_killed_worker_gives_back_what_it_had_promised(serve, drop):
    server = serve(workers=1, quota=100)
    sock, status = begin(server, "a", "Content-Length: 100")
    assert status == 100
    sock.sendall(b"x" * 99)
    assert put(server, "b")[0] == 507
    worker = server.workers(1)[0]
    os.kill(worker, signal.SIGKILL)
    until(lambda: server.workers() not in ([], [worker]), "another worker")
    assert put(server, "b", b"x" * 100)[0] == 201
    sock.close()


def test_one_of_two_workers_that_dies_gives_back(serve, drop):
    server = serve(workers=2, quota=100)
    sock, status = begin(server, "a", "Content-Length: 100")
    assert status == 100
    before = server.workers(2)
    for worker in before:  # one of them has it
        os.kill(worker, signal.SIGKILL)
    until(lambda: len(set(server.workers()) - set(before)) == 2, "other workers")
    until(lambda: put(server, "b", b"x" * 100)[0] == 201, "room")
    sock.close()


def test_delete_and_replace_give_back(serve, drop):
    server = serve(quota=100, conflict="replace", route={"methods": ["PUT", "DELETE"]})
    assert put(server, "a", b"x" * 40)[0] == 201
    assert put(server, "a", b"x" * 60)[0] == 204
    assert put(server, "a", b"x" * 41)[0] == 507  # both would be there for a moment
    assert put(server, "b", b"x" * 40)[0] == 201
    assert put(server, "a", b"", "DELETE")[0] == 204
    assert put(server, "c", b"x" * 60)[0] == 201
    assert put(server, "d", b"x")[0] == 507


def test_what_others_remove_or_add_is_seen_after_a_refusal(serve, drop):
    (drop / "sub").mkdir()
    (drop / "sub" / "old").write_bytes(b"x" * 100)
    server = serve(quota=100)
    assert put(server, "a")[0] == 507
    (drop / "sub" / "old").unlink()
    until(lambda: put(server, "a")[0] == 201, "another count")
    (drop / "by hand").write_bytes(b"x" * 90)
    assert put(server, "b")[0] == 201  # not seen yet

    def is_seen():
        put(server, "c", b"x" * 98)
        time.sleep(0.05)
        return put(server, "d", b"x" * 5)[0] == 507
    n = 0
    while n < 100 and not is_seen():  # what went through is 5 bytes
        n += 1
        (drop / "d").unlink(missing_ok=True)
        time.sleep(0.1)
    assert n < 100
    assert put(server, "e", b"x" * 4)[0] == 201
    assert put(server, "f", b"x")[0] == 507


def test_routes_of_one_directory_share_it(start, drop):
    server = start(config([upload(drop, "/drop/*", quota=100, max_size=100),
                           upload(drop, "/small/*", quota=50, max_size=50),
                           upload(drop, "/open/*")], workers=2))
    assert server.request("PUT", "/open/a", body=b"x" * 40)[0] == 201
    assert server.request("PUT", "/small/b", body=b"x" * 11)[0] == 507
    assert server.request("PUT", "/small/b", body=b"x" * 10)[0] == 201
    assert server.request("PUT", "/drop/c", body=b"x" * 51)[0] == 507
    assert server.request("PUT", "/drop/c", body=b"x" * 50)[0] == 201
    assert server.request("PUT", "/open/d", body=b"x" * 200)[0] == 201


def test_a_reload_counts_anew(serve, drop):
    server = serve(quota=100)
    assert put(server, "a", b"x" * 60)[0] == 201
    (drop / "by hand").write_bytes(b"x" * 30)
    server.kill(signal.SIGHUP)
    server.wait_for_log("reloaded:")
    assert put(server, "b", b"x" * 11)[0] == 507
    assert put(server, "b", b"x" * 10)[0] == 201
    assert total(drop) == 100


def test_a_form_that_does_not_fit_gives_everything_back(serve, drop, tmp_path):
    server = serve(quota=3 * MIB, conflict="replace")
    (tmp_path / "a").write_bytes(b"x" * MIB)
    (tmp_path / "b").write_bytes(b"x" * (3 * MIB))

    def form(*names):
        # Of unknown length, so that it is not refused before it begins.
        return curl("-o", tmp_path / "out", "-w", "%{http_code}", "-H",
                    "Transfer-Encoding: chunked", *[x for n in names for x in (
                        "-F", f"f=@{tmp_path / n}")], server.url + "/drop/").stdout
    assert put(server, "a", b"old")[0] == 201
    assert form("a", "b") == b"507"
    assert uploaded(drop) == ["a"] and (drop / "a").read_bytes() == b"old"
    assert form("a") in (b"200", b"201", b"303")
    # What it replaced counts no more.
    until(lambda: put(server, "c", b"x" * (2 * MIB))[0] == 201, "room")
    assert put(server, "d")[0] == 507


@pytest.mark.parametrize("interop", [None, 8])
@pytest.mark.parametrize("durable", [False, True])
def test_what_the_draft_has_published_counts(serve, drop, interop, durable):
    """And so does its record, of a few hundred bytes."""
    client = Client(serve(quota=10000, durable=durable), interop=interop)
    for name, status in [("a", 201), ("b", 201), ("c", 507)]:
        assert client.create(f"/drop/{name}", b"x" * 4000).status == status
    assert uploaded(drop) == ["a", "b"]


def test_what_is_used_is_explained(serve, drop, websrv, tmp_path):
    (drop / "old").write_bytes(b"x" * 60)
    server = serve(quota=100, max_size=100)
    for length, status in ((40, 201), (41, 507)):
        said = run(websrv, "--explain", "PUT", "/drop/a", "-H", f"Content-Length: {length}",
                   "-c", server.config, cwd=tmp_path)
        assert '"quota": 60 of 100 bytes are used' in said.stdout, said
        assert f"answer     {status} " in said.stdout
    assert uploaded(drop) == ["old"]


def test_a_quota_that_max_size_does_not_fit_into_is_warned_of(websrv, drop, tmp_path):
    for options, warns in (({"quota": "500M"}, True), ({"quota": "1G"}, False),
                           ({"quota": "5M", "max_size": "5M"}, False), ({}, False)):
        path = tmp_path / "c.json"
        path.write_text(json.dumps(config([upload(drop, **options)])))
        said = run(websrv, "-t", "-c", path, cwd=tmp_path)
        text = said.stdout + said.stderr
        assert ('/upload/quota: warning: no file can be as large as "max_size"' in text) == warns
        assert said.returncode == 0


def test_a_directory_that_cannot_be_read_takes_nothing(start, drop):
    if not is_root:
        pytest.skip("only root can start workers of another user")
    drop.chmod(0o733)
    server = start(config([upload(drop, quota=100, max_size=100)], workers=1, user="nobody"))
    status, text, fields = put(server, "a")
    assert status == 503 and "not know yet" in text and fields["Retry-After"] == "1"
    server.wait_for_log('cannot be read to see how much of "quota" is used: Permission denied')
    drop.chmod(0o777)
    until(lambda: put(server, "a")[0] == 201, "another count")


# --- uploads of one client ---

def test_uploads_of_one_address_are_limited_over_all_workers(serve, drop):
    server = serve(workers=2, per_client=3)
    held = [begin(server, f"{n}", "Content-Length: 3") for n in range(3)]
    assert [status for _, status in held] == [100] * 3
    for n in range(6):
        status, text, fields = put(server, f"more{n}")
        assert status == 429 and "uploads" in text
        assert int(fields["Retry-After"]) >= 1
    # Another address has its own.
    sock, status = begin(server, "other", "Content-Length: 3", source="127.0.0.2")
    assert status == 100 and finish(sock, b"abc") == 201
    assert finish(held[0][0], b"abc") == 201
    until(lambda: put(server, "now")[0] == 201, "a place")
    held[1][0].close()  # gives up
    held[2][0].close()
    until(lambda: put(server, "then")[0] in (201, 409), "a place")
    assert uploaded(drop) == ["0", "now", "other", "then"]
    server.wait_for_log(r"127\.0\.0\.1 has 3 uploads under way")


def test_one_connection_may_upload_again_and_again(serve, drop):
    server = serve(workers=1, per_client=1)
    with server.connect() as sock:
        for n in range(20):
            sock.sendall(f"PUT /drop/{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                         .encode())
            assert read_answer(sock)[0] == 201
            # What is refused holds no place.
            assert put(server, ".refused")[0] == 400


def test_a_killed_worker_holds_no_places(serve, drop):
    server = serve(workers=1, per_client=1)
    sock, status = begin(server, "a", "Content-Length: 3")
    assert status == 100 and put(server, "b")[0] == 429
    worker = server.workers(1)[0]
    os.kill(worker, signal.SIGKILL)
    until(lambda: server.workers() not in ([], [worker]), "another worker")
    assert put(server, "b")[0] == 201
    sock.close()


def test_routes_count_for_themselves(start, drop):
    server = start(config([upload(drop, "/drop/*", per_client=1),
                           upload(drop, "/two/*", per_client=1)], workers=2))
    sock, status = begin(server, "a", "Content-Length: 3")
    assert status == 100
    assert server.request("PUT", "/drop/b", body=b"abc")[0] == 429
    assert server.request("PUT", "/two/b", body=b"abc")[0] == 201
    assert finish(sock, b"abc") == 201


def test_unix_sockets_are_not_limited(start, drop, tmp_path):
    path = tmp_path / "s"
    server = start(config([upload(drop, per_client=1)], workers=1,
                          server={"listen": [f"unix:{path}", "127.0.0.1:0"]}))
    held = []
    for n in range(3):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(60)
        sock.connect(str(path))
        sock.sendall(f"PUT /drop/{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                     "Expect: 100-continue\r\n\r\n".encode())
        held.append(sock)
    assert [sock.recv(4096)[9:12] for sock in held] == [b"100"] * 3
    for sock in held:
        sock.close()
    assert put(server, "b")[0] == 201
