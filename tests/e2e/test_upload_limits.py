# SPDX-License-Identifier: BSD-2-Clause
"""How many unfinished uploads there may be, what is left where they are, and what waits for a
disk that is full or slow."""

import concurrent.futures
import contextlib
import errno
import functools
import os
import random
import secrets
import signal
import statistics
import string
import time

import pytest

import rufh
import tus
from harness import (STAGING, config, files, raise_descriptor_limit, read_answer, until, upload,
                     uploaded)
from test_auth import basic, credentials, users  # noqa: F401
from test_upload_faults import faulty, shim  # noqa: F401

MB = 1 << 20
LETTERS = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def serve(serve):
    return functools.partial(serve, workers=2, durable=False)


def parts(drop):
    return sorted((drop / STAGING).glob("*.part"))


def create(server, length=6):
    """The status, and the URL if there is one."""
    status, got, _ = tus.Client(server).ask("POST", "/drop/", Upload_Length=length)
    return status, got.get("Location")


def create_soon(server, seconds=5):
    """A place is free: it is found at the latest when the uploads are counted again."""
    end = time.monotonic() + seconds
    while (made := create(server))[0] == 507 and time.monotonic() < end:
        time.sleep(0.1)
    assert made[0] == 201, made
    return made[1]


def remove(server, url):
    assert tus.Client(server).ask("DELETE", url)[0] == 204


# --- how many ---

def test_beyond_the_limit_creation_is_refused_at_both_doors(serve, drop):
    server = serve(unfinished=3)
    client, draft = tus.Client(server), rufh.Client(server)
    first, second = create(server)[1], create(server)[1]
    third = draft.create("/drop/c.txt", b"abc", complete=False, length=6).location
    for body, more in ((None, {}), (b"abcdef", {"Content-Type": tus.TYPE})):
        status, fields, text = client.ask("POST", "/drop/", body=body, Upload_Length=6, **more)
        assert status == 507 and fields["Retry-After"] == "60"
        assert "Too many unfinished uploads" in text and fields["Tus-Resumable"] == "1.0.0"
    for complete in (False, True):
        reply = draft.create("/drop/d.txt", b"abcdef", complete=complete)
        assert reply.status == 507 and reply.retry_after == "60"
        assert reply.problem["status"] == 507 and reply.problem["type"] == "about:blank"
        assert "unfinished uploads" in reply.problem["detail"]
    server.wait_for_log(r'3 unfinished uploads are there, and "unfinished" is 3')
    assert server.log().count("answering 507") <= 2  # once in a worker
    # Plain uploads are none of them, and those that are there are gone on with.
    assert server.request("PUT", "/drop/plain.txt", body=b"abc")[0] == 201
    assert client.patch(first, 0, b"abcdef")[0] == 204
    create_soon(server)
    assert draft.append(third, 3, b"def").status == 201
    remove(server, second)
    create_soon(server)
    create_soon(server)
    assert create(server)[0] == 507
    assert len(parts(drop)) == 3


def test_workers_count_together(serve, drop):
    server = serve(workers=4, unfinished=10)
    with concurrent.futures.ThreadPoolExecutor(20) as many:
        made = list(many.map(lambda _: create(server), range(60)))
    assert {status for status, _ in made} == {201, 507}
    assert len(parts(drop)) == [status for status, _ in made].count(201) <= 10
    while len(parts(drop)) < 10:
        create_soon(server)
    assert create(server)[0] == 507
    urls = [url for _, url in made if url]
    with concurrent.futures.ThreadPoolExecutor(20) as many:
        list(many.map(lambda url: remove(server, url), urls))
    for _ in urls:
        create_soon(server)
    assert create(server)[0] == 507 and len(parts(drop)) == 10


def test_what_is_there_counts_after_a_crash_a_reload_and_a_restart(serve, drop):
    server = serve(workers=2, unfinished=4)
    urls = [create(server)[1] for _ in range(4)]
    for _ in range(3):
        for pid in server.workers(2):
            os.kill(pid, signal.SIGKILL)
        server.expected_status = 0
        until(lambda: get_status(server) == 405, "another worker to serve")
        assert create(server)[0] == 507
    remove(server, urls.pop())
    urls.append(create_soon(server))
    assert create(server)[0] == 507
    server.kill(signal.SIGHUP)
    server.wait_for_log("reload")
    until(lambda: create(server)[0] == 507, "the new workers to count")
    assert len(parts(drop)) == 4
    server.stop()
    server = serve(workers=1, unfinished=4)
    assert create(server)[0] == 507
    remove(server, urls.pop())
    create_soon(server)


def get_status(server):
    with contextlib.suppress(OSError, EOFError):
        return server.request("DELETE", "/drop/x")[0]


def test_what_is_removed_by_hand_is_found(serve, drop):
    server = serve(unfinished=2)
    for _ in range(2):
        create_soon(server)
    for path in (drop / STAGING).iterdir():
        path.unlink()
    create_soon(server)
    create_soon(server)
    assert create(server)[0] == 507


def test_who_expires_makes_room(serve, drop):
    server = serve(workers=2, unfinished=2, expire="1s")
    for _ in range(2):
        assert create(server)[0] == 201
    assert create(server)[0] == 507
    until(lambda: parts(drop) == [], "they expire", 10)
    for _ in range(2):
        create_soon(server)
    assert create(server)[0] == 507


@pytest.mark.parametrize("options, status", [({}, 507), ({"unfinished": 0}, 201),
                                             ({"unfinished": 1001}, 201)])
def test_a_thousand_is_the_default_and_0_no_limit(serve, drop, options, status):
    (drop / STAGING).mkdir()
    for _ in range(1000):
        name = "".join(secrets.choice(LETTERS) for _ in range(32))
        (drop / STAGING / f"{name}.part").touch()
    server = serve(workers=1, **options)
    assert create(server)[0] == status


def test_explain_tells_that_there_are_too_many(serve, run, drop):
    server = serve(unfinished=1)
    assert create(server)[0] == 201
    done = run("--explain", "-c", str(server.config), "-H", "Tus-Resumable: 1.0.0", "-H",
               "Upload-Length: 6", "POST", f"http://127.0.0.1:{server.port}/drop/")
    assert "507" in done.stdout and "Too many unfinished uploads" in done.stdout, done.stdout


def test_records_count_for_the_quota(serve, drop):
    """Empty uploads that cost nothing would be files without an end."""
    server = serve(workers=1, quota=2000, max_size=1000)
    urls = []
    while (made := create(server))[0] == 201:
        urls.append(made[1])
    assert made[0] == 507 and 4 <= len(urls) <= 12
    held = sum(p.stat().st_size for p in (drop / STAGING).iterdir())
    assert 1000 < held <= 2000
    for url in urls:
        remove(server, url)
    assert server.request("PUT", "/drop/a", body=b"x" * 900)[0] == 201


# --- what is left ---

def test_unfinished_uploads_expire_where_uploads_are_not_resumable_any_more(serve, drop):
    server = serve(workers=1, expire="1s")
    assert create(server)[0] == 201
    server.stop()
    (drop / STAGING / "sweep.lock").unlink(missing_ok=True)
    assert len(parts(drop)) == 1
    serve(workers=2, resumable=False, expire="1s")
    until(lambda: parts(drop) == [], "what has expired to be removed", 10)
    until(lambda: list((drop / STAGING).glob("*.info")) == [], "its record, too", 2)


@pytest.mark.parametrize("resumable", [False, True])
def test_without_nameless_files_what_a_crash_leaves_is_in_one_place(
        faulty, drop, resumable):  # noqa: F811
    """There it is found again, and never served."""
    faults = faulty(resumable=resumable)
    faults.order("tmpfile", errno.EOPNOTSUPP)
    assert faults.server.request("PUT", "/drop/a.txt", body=b"abc")[0] == 201
    sock = faults.server.connect()
    sock.sendall(rufh.head_of("PUT", "/drop/b.txt", {"Content-Length": 6}) + b"abc")
    until(lambda: list((drop / STAGING).glob(".websrv-*")) != [], "the file to be there")
    assert uploaded(drop) == ["a.txt"]
    os.kill(faults.server.workers(1)[0], signal.SIGKILL)
    sock.close()
    until(lambda: get_status(faults.server) == 405, "another worker to serve")
    assert uploaded(drop) == ["a.txt"]


# --- a disk that is full ---

def fill(disk):
    with open(disk / "ballast", "wb", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(b"x" * 4096)


def test_where_an_upload_stands_is_told_on_a_full_disk(start, small_disk):
    server = start(config([upload(small_disk)]))
    client, data = tus.Client(server), random.Random(7).randbytes(3 * MB)
    url = client.create(len(data), "a.bin")
    assert client.patch(url, 0, data[:MB])[0] == 204
    sock = client.begin_patch(url, MB, 2 * MB)
    sock.sendall(data[MB:2 * MB])
    part = parts(small_disk)[0]
    until(lambda: part.stat().st_size == 2 * MB, "the bytes to be there")
    fill(small_disk)
    sock.close()
    # That may be lost, so it is not told; the bytes make room.
    assert client.offset(url) == MB
    assert part.stat().st_size == MB
    assert client.offset(url) == MB
    server.wait_for_log("upload: write in .*No space left on device")
    (small_disk / "ballast").unlink()
    assert client.patch(url, MB, data[MB:])[0] == 204
    assert (small_disk / "a.bin").read_bytes() == data


@pytest.mark.parametrize("error, told", [("ENOSPC", MB), ("EDQUOT", MB), ("EIO", None)])
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_what_was_acknowledged_is_told_when_no_more_can_be_written_down(
        faulty, drop, error, told, call):  # noqa: F811
    faults, data = faulty(), random.Random(8).randbytes(2 * MB)
    client = rufh.Client(faults.server)
    url = client.create("/drop/a.bin", data[:MB], complete=False, length=2 * MB).location
    faults.order(call, getattr(errno, error))
    sock, stream = client.begin_append(url, MB, MB)
    sock.sendall(data[MB:MB + 1000])
    until(lambda: parts(drop)[0].stat().st_size == MB + 1000, "the bytes to be there")
    stream.close()
    sock.close()
    reply = client.look(url)
    if told is None:
        assert reply.status == 500
    else:
        assert (reply.status, reply.offset) == (204, told)
        # Nobody who was told an offset has to find another one.
        faults.heal()
        assert client.append(url, told, data[told:]).status == 201
        assert (drop / "a.bin").read_bytes() == data


# --- a disk that is slow ---

def test_who_logs_in_does_not_wait_for_the_disk(faulty, drop, site, users):  # noqa: F811
    faults = faulty(routes=[{**files(site, "/in/*"), "auth": basic(users)}])
    faults.order("fsync", -3000)
    socks = [faults.server.connect() for _ in range(6)]
    for n, sock in enumerate(socks):
        sock.sendall(rufh.head_of("PUT", f"/drop/{n}", {"Content-Length": 3}) + b"abc")
    time.sleep(0.3)
    began = time.monotonic()
    status = faults.server.get("/in/hello.txt", headers=credentials("bob", "pässwort"))[0]
    assert status == 200 and time.monotonic() - began < 1.5
    faults.heal()
    for sock in socks:
        assert read_answer(sock)[0] == 201
        sock.close()


@pytest.mark.seconds(240)
def test_when_too_many_wait_for_the_disk_new_ones_are_told_and_none_is_lost(
        faulty, drop, site):  # noqa: F811
    if raise_descriptor_limit() < 4000:
        pytest.skip("too few descriptors")
    faults = faulty(routes=[files(site)])
    server = faults.server
    faults.order("fsync", -400)
    waiting = [server.connect(seconds=60) for _ in range(1100)]
    refused, took = [], []
    for n, sock in enumerate(waiting):
        sock.sendall(rufh.head_of("PUT", f"/drop/{n}", {"Content-Length": 3}) + b"abc")
        if n % 100 == 0:
            began = time.monotonic()
            assert server.get()[0] == 200
            took.append(time.monotonic() - began)
    began = time.monotonic()
    for name in ("late", "later"):
        with server.connect() as sock, sock.makefile("rb") as stream:
            sock.sendall(rufh.head_of("PUT", f"/drop/{name}", {
                "Content-Length": 3, "Expect": "100-continue"}))
            refused.append(rufh.read_reply(stream))
    assert time.monotonic() - began < 2
    assert [r.status for r in refused] == [503, 503] and refused[0].retry_after == "5"
    assert b"busy" in refused[0].body
    assert statistics.median(took) < 0.3, took
    server.wait_for_log("too many uploads wait for the disk")
    faults.heal()
    statuses = [read_answer(sock)[0] for sock in waiting]
    for sock in waiting:
        sock.close()
    assert set(statuses) == {201, 503} and statuses.count(201) >= 1024
    assert len(uploaded(drop)) == statuses.count(201)
    assert server.request("PUT", "/drop/after", body=b"abc")[0] == 201
