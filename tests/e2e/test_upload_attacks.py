# SPDX-License-Identifier: BSD-2-Clause
"""What clients that are hostile, or merely unlucky, do to uploads: sums stay true, and what was
said to be there is there."""

import contextlib
import os
import shutil
import signal

import pytest

import rufh
import tus
from harness import STAGING, config, upload, uploaded


# --- quota ---

@pytest.mark.parametrize("durable", [False, True])
def test_a_whole_upload_of_the_draft_counts_for_the_quota(serve, durable):
    client = rufh.Client(serve(quota=10000, durable=durable), interop=None)
    got = [client.create(f"/drop/{n}", b"x" * 4000, complete=True).status for n in range(4)]
    assert got == [201, 201, 507, 507]


def test_what_was_refused_is_taken_off_the_quota_once(serve):
    client = rufh.Client(serve(quota=10000, durable=False), interop=None)
    assert client.create("/drop/a", b"x" * 5000, complete=True).status == 201
    wrong = "sha-256=:" + "A" * 43 + "=:"
    for _ in range(3):
        assert client.create("/drop/b", b"x" * 4000, complete=True,
                             Repr_Digest=wrong).status == 400
    assert client.create("/drop/c", b"x" * 5001, complete=True).status == 507


# --- vanishing ---

@pytest.mark.seconds(60)
def test_whoever_is_told_that_all_is_there_finds_the_file(serve, drop):
    client, size = tus.Client(serve()), 4 << 20
    for n in range(3):
        name = f"{n}.bin"
        url = client.create(size, name)
        part = drop / STAGING / (url.rpartition("/")[2] + ".part")
        worker = client.server.workers(1)[0]
        with client.begin_patch(url, 0, size) as sock:
            sock.sendall(b"x" * size)
            while part.exists() and part.stat().st_size < size:
                pass
            os.kill(worker, signal.SIGKILL)
        assert client.offset_when_back(url) == size
        assert (drop / name).stat().st_size == size


def test_a_name_that_got_free_is_taken_by_who_asks(serve, drop):
    client = tus.Client(serve())
    first, second = client.create(3, "a.txt"), client.create(3, "a.txt")
    assert client.patch(first, 0, b"abc")[0] == 204
    assert client.patch(second, 0, b"xyz")[0] == 409
    assert client.head(second)[0] == 409
    (drop / "a.txt").unlink()
    assert client.offset(second) == 3
    assert (drop / "a.txt").read_bytes() == b"xyz"


# --- the directory ---

def fill(client, url):
    """More than there is room for, of a length that is not said."""
    with client.server.connect() as sock:
        sock.sendall(f"PATCH {url} HTTP/1.1\r\nHost: a\r\nTus-Resumable: 1.0.0\r\n"
                     f"Content-Type: {tus.TYPE}\r\nUpload-Offset: 0\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n".encode())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(40):
                sock.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        return sock.recv(64)


@pytest.mark.disk("256k")
def test_an_upload_that_fills_the_disk_can_be_taken_away(start, small_disk):
    client = tus.Client(start(config([upload(small_disk)], workers=1)))
    url = client.create(None, "a.bin", Upload_Defer_Length=1)
    assert fill(client, url).startswith(b"HTTP/1.1 507 ")
    with contextlib.suppress(OSError), open(small_disk / "rest", "wb", buffering=0) as rest:
        for _ in range(64):
            rest.write(b"x" * 4096)
    before = os.listdir(small_disk / STAGING)
    for _ in range(5):
        assert client.ask("POST", "/drop/", Upload_Defer_Length=1)[0] == 507
    assert os.listdir(small_disk / STAGING) == before
    assert client.ask("DELETE", url)[0] == 204
    assert os.listdir(small_disk / STAGING) == []
    client.create(1000, "b.bin", body=b"x" * 1000)
    assert uploaded(small_disk) == ["b.bin", "rest"]


def test_uploads_go_on_when_someone_removed_where_they_wait(serve, drop):
    client = tus.Client(serve())
    url = client.create(6, "a.txt", body=b"abc")
    shutil.rmtree(drop / STAGING)
    assert client.patch(url, 3, b"def")[0] == 404
    client.create(3, "b.txt", body=b"abc")
    assert uploaded(drop) == ["b.txt"]


def test_what_lies_where_a_record_is_written_holds_nobody_up(serve, drop):
    client = tus.Client(serve())
    url = client.create(6, "a.txt")
    os.mkfifo(drop / STAGING / (url.rpartition("/")[2] + ".new"))
    assert client.patch(url, 0, b"abc")[0] == 500
    assert client.patch(url, client.offset(url), b"def"[:6 - client.offset(url)])[0] == 204


@pytest.mark.parametrize("letter", ["d", "%C3%A4"])
def test_a_long_path_is_as_good_for_an_upload_in_parts(serve, drop, letter):
    client = rufh.Client(serve(create_directories=True))
    path = "/".join([letter * 80] * 9)
    reply = client.create(f"/drop/{path}", b"abc", complete=False)
    assert reply.status == 201
    assert client.append(reply.location, 3, b"def").status == 201
    assert client.create(f"/drop/{path}2", b"abc").status == 201
    names = sorted(p.name for p in drop.rglob("*") if p.is_file() and STAGING not in p.parts)
    assert len(names) == 2 and names[1].startswith(names[0][:-1])


def test_a_path_that_is_too_long_for_its_record_is_told_so(serve, drop):
    client = rufh.Client(serve(create_directories=True))
    reply = client.create("/drop/" + "/".join(["d" * 200] * 12), b"abc", complete=False)
    assert (reply.status, b"too long" in reply.body) == (400, True)
    assert not (drop / STAGING).exists()
