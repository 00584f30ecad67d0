# SPDX-License-Identifier: BSD-2-Clause
"""Resumable uploads as draft-ietf-httpbis-resumable-upload has them."""

import base64
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess

import pytest

import tus
from harness import (STAGING, config, curl, files, is_alive, is_closed, is_root, until, upload,
                     uploaded)
from rufh import Client, head_of, read_head, read_reply

LOCATION = re.compile(r"/drop/\.uploads/[A-Za-z0-9_-]{22,}")
PROBLEM = "https://iana.org/assignments/http-problem-types#"


@pytest.fixture
def serve(start, drop):
    def go(listen="127.0.0.1:0", workers=1, route=(), **options):
        routes = [upload(drop, **options) | files(drop, "/drop/*") | dict(route)]
        return start(config(routes, workers=workers, server={"listen": [listen]},
                            cache={"revalidate": 0}))
    return go


@pytest.fixture
def client(serve):
    return Client(serve())


def left(drop):
    """The files of unfinished uploads."""
    staging = drop / STAGING
    return sorted(p.name for p in staging.glob("*.part")) if staging.exists() else []


def digest(body, algorithm="sha-256"):
    value = hashlib.new(algorithm.replace("-", ""), body).digest()
    return f"{algorithm}=:{base64.b64encode(value).decode()}:"


def begun(client, body=b"", name="a.txt", **options):
    """The URL of an upload that has `body` already."""
    reply = client.create(f"/drop/{name}", body, complete=False, **options)
    assert (reply.status, reply.upload_complete) == (201, "?0"), reply
    assert LOCATION.fullmatch(reply.location)
    return reply.location


# --- creation ---

@pytest.mark.parametrize("interop", [8, 9])
def test_a_whole_body_is_stored_and_104_tells_the_url(serve, drop, interop):
    reply = Client(serve(), interop).create("/drop/a.txt", b"hello")
    assert (reply.status, reply.upload_complete, reply.location) == (201, "?1", "/drop/a.txt")
    (status, fields), = reply.interims
    assert status == 104
    assert LOCATION.fullmatch(fields["location"])
    assert fields["upload-draft-interop-version"] == str(interop)
    assert "max-size=" in fields["upload-limit"] and "max-age=" in fields["upload-limit"]
    assert (drop / "a.txt").read_bytes() == b"hello"


@pytest.mark.parametrize("interop", [None, 3, 7, 10, "?1", "8, 9"])
def test_no_104_without_our_version_of_the_draft(serve, drop, interop):
    client = Client(serve(), interop)
    reply = client.create("/drop/a.txt", b"hello")
    assert (reply.status, reply.interims) == (201, [])
    assert uploaded(drop) == ["a.txt"]


def test_no_104_for_http_1_0_nor_where_it_is_switched_off(serve, drop):
    server = serve()
    quiet = serve(listen={"address": "127.0.0.1:0", "interim_104": False})
    for number, client in enumerate((Client(server, version="1.0"), Client(quiet))):
        reply = client.create(f"/drop/{number}.txt", b"hello")
        assert (reply.status, reply.upload_complete, reply.interims) == (201, "?1", [])
        url = begun(client, b"he", name=f"careful{number}.txt")
        assert client.append(url, 2, b"llo").status == 201
        assert (drop / f"careful{number}.txt").read_bytes() == b"hello"


def test_careful_creation(client, drop):
    url = begun(client, b"", length=5)
    state = client.look(url)
    assert (state.status, state.offset, state.upload_complete) == (204, 0, "?0")
    assert (state.upload_length, state.cache_control) == ("5", "no-store")
    assert "max-age=" in state.upload_limit
    reply = client.append(url, 0, b"he", complete=False)
    assert (reply.status, reply.offset, reply.upload_complete) == (204, 2, "?0")
    assert "location" not in reply.fields and not reply.interim("location")
    reply = client.append(url, 2, b"llo")
    assert (reply.status, reply.upload_complete, reply.location) == (201, "?1", "/drop/a.txt")
    assert (drop / "a.txt").read_bytes() == b"hello"
    assert left(drop) == [] or uploaded(drop) == ["a.txt"]


def test_100_continue_comes_too(client):
    sock, stream = client.begin("PUT", "/drop/a.txt", 5, Upload_Complete="?1",
                                Expect="100-continue")
    with sock, stream:
        assert [read_head(stream)[0], read_head(stream)[0]] == [104, 100]
        sock.sendall(b"hello")
        assert read_reply(stream).status == 201


def test_post_to_the_collection_takes_the_name_of_content_disposition(client, drop):
    reply = client.create("/drop/", b"he", complete=False, method="POST",
                          Content_Disposition="inline; filename*=UTF-8''na%C3%AFve.txt")
    assert reply.status == 201
    assert client.append(reply.location, 2, b"llo").location == "/drop/na%C3%AFve.txt"
    assert uploaded(drop) == ["na\u00efve.txt"]
    reply = client.create("/drop/", b"x", method="POST")
    assert reply.status == 201 and reply.location.startswith("/drop/upload-")


def test_where_it_is_switched_off_no_part_passes_for_the_whole(serve, drop):
    client = Client(serve(resumable=False))
    assert client.create("/drop/a.txt", b"he", complete=False).status == 400
    reply = client.create("/drop/b.txt", b"hello")
    assert (reply.status, reply.upload_complete, reply.interims) == (201, None, [])
    assert client.options("/drop/").upload_limit is None
    assert uploaded(drop) == ["b.txt"]


def test_one_request_has_one_location(client):
    reply = client.create("/drop/a.txt", b"he", complete=False)
    assert reply.interim("location") == [reply.location]


def test_a_malformed_field_counts_as_none(client, drop):
    for number, value in enumerate(("1", "?2", "true", "?1, ?1", "", "?0;=")):
        reply = client.request("PUT", f"/drop/{number}", b"hello", Upload_Complete=value)
        assert (reply.status, reply.upload_complete, reply.interims) == (201, None, [])
    url = begun(client)
    for offset in ("-0x1", "-1", "1.0", '"0"', "1000000000000000", "0, 0", ""):
        assert client.append(url, offset, b"x").status == 400
    for length in ("-1", "ten", "1e3", "9999999999999999"):
        reply = client.create(f"/drop/length{length}", b"hello", length=length)
        assert reply.status == 201, length
    assert client.look(url).offset == 0


def test_names_are_checked_before_the_body(client, drop):
    (drop / "there.txt").write_bytes(b"old")
    for name, status in (("there.txt", 409), (".hidden", 400), ("a/b", 409), ("con", 400)):
        sock, stream = client.begin("PUT", f"/drop/{name}", 5, Upload_Complete="?1",
                                    Expect="100-continue")
        with sock, stream:
            assert read_head(stream)[0] == status
    assert left(drop) == []


def test_replaced_files_are_204(serve, drop):
    client = Client(serve(conflict="replace"))
    (drop / "a.txt").write_bytes(b"old")
    reply = client.append(begun(client, b"ne"), 2, b"w")
    assert (reply.status, reply.upload_complete) == (204, "?1")
    assert (drop / "a.txt").read_bytes() == b"new"


# --- completion ---

def test_only_a_last_piece_completes(client, drop):
    url = begun(client, b"hello", length=5)
    state = client.look(url)
    assert (state.offset, state.upload_complete) == (5, "?0")
    assert uploaded(drop) == []
    reply = client.append(url, 5)
    assert (reply.status, reply.upload_complete) == (201, "?1")
    assert (drop / "a.txt").read_bytes() == b"hello"


def test_a_cut_body_never_completes(client, drop):
    url = begun(client, length=10)
    sock, stream = client.begin_append(url, 0, 10)
    with sock, stream:
        sock.sendall(b"12345")
        until(lambda: [(drop / STAGING / n).stat().st_size for n in left(drop)] == [5], "bytes")
    state = client.look(url)
    assert (state.offset, state.upload_complete) == (5, "?0")
    assert uploaded(drop) == []


def test_what_is_complete_is_told_for_a_while_and_not_changed(client, drop):
    url = begun(client, b"he")
    assert client.append(url, 2, b"llo").status == 201
    state = client.look(url)
    assert (state.status, state.offset, state.upload_complete) == (204, 5, "?1")
    assert state.content_location == "/drop/a.txt"
    again = client.append(url, 5)  # the answer was lost
    assert (again.status, again.location, again.upload_complete) == (201, "/drop/a.txt", "?1")
    for offset, body, complete, status, problem in (
            (5, b"", False, 400, "completed-upload"),
            (5, b"!", True, 400, "inconsistent-upload-length"),
            (2, b"llo", True, 409, "mismatching-upload-offset")):
        reply = client.append(url, offset, body, complete)
        assert (reply.status, reply.problem["type"]) == (status, PROBLEM + problem)
        assert (reply.offset, reply.upload_complete) == (5, "?0")
    assert (drop / "a.txt").read_bytes() == b"hello"


@pytest.mark.parametrize("kill", [False, True])
def test_preconditions_of_the_first_request_hold_at_the_end(serve, drop, kill):
    server = serve(conflict="replace")
    client = Client(server)
    url = begun(client, b"he", If_None_Match="*")
    other = begun(client, b"he", name="b.txt")
    if kill:
        old = server.workers()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        until(lambda: server.workers() and not set(old) & set(server.workers()), "a new worker")
    for name in ("a.txt", "b.txt"):
        (drop / name).write_bytes(b"somebody was faster")
    reply = client.append(url, 2, b"llo")
    assert (reply.status, reply.upload_complete) == (412, "?1")
    assert (drop / "a.txt").read_bytes() == b"somebody was faster"
    assert client.append(other, 2, b"llo").status == 204
    assert (drop / "b.txt").read_bytes() == b"hello"
    (drop / "a.txt").unlink()
    assert client.append(url, 5).status == 201
    assert client.create("/drop/c.txt", If_Match='"' + 2000 * "x" + '"').status in (400, 412)


def test_an_empty_file(client, drop):
    assert client.create("/drop/a.txt").status == 201
    assert client.append(begun(client, name="b.txt"), 0).status == 201
    assert [(drop / n).read_bytes() for n in ("a.txt", "b.txt")] == [b"", b""]


def test_a_whole_that_is_not_wanted_is_told_from_a_piece(client, drop):
    url = begun(client, b"he")
    (drop / "a.txt").write_bytes(b"somebody was faster")
    reply = client.append(url, 2, b"llo")
    assert (reply.status, reply.upload_complete, reply.upload_offset) == (409, "?1", None)
    (drop / "a.txt").unlink()
    assert client.append(url, 5).status == 201


# --- what does not fit ---

def test_a_wrong_offset_is_409_and_changes_nothing(client, drop):
    url = begun(client, b"hello")
    for offset in (0, 4, 6, 999999999999999):
        reply = client.append(url, offset, b"x")
        assert (reply.status, reply.offset, reply.upload_complete) == (409, 5, "?0")
        assert reply.problem == {"type": PROBLEM + "mismatching-upload-offset", "status": 409,
                                 "title": reply.problem["title"], "expected-offset": 5,
                                 "provided-offset": offset}
    assert client.look(url).offset == 5


def test_lengths_have_to_agree(client, drop):
    def bad(reply):
        assert (reply.status, reply.problem["type"]) == (
            400, PROBLEM + "inconsistent-upload-length"), reply

    bad(client.create("/drop/a.txt", b"hello", length=4))
    bad(client.create("/drop/a.txt", b"hello", length=6))
    bad(client.create("/drop/a.txt", b"hello", length=4, complete=False))
    assert left(drop) == []
    url = begun(client, b"hello", length=10)
    bad(client.append(url, 5, b"1234"))
    bad(client.append(url, 5, b"123456"))
    bad(client.append(url, 5, b"123456", complete=False))
    bad(client.append(url, 5, b"12345", Upload_Length=11))
    assert client.look(url).offset == 5
    assert client.append(url, 5, b"12345", Upload_Length=10).status == 201


def chunked(client, url, offset, pieces, complete):
    more = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    return client.append(url, offset, body, complete, **more)


def test_more_bytes_than_the_length_end_the_upload(client, drop):
    url = begun(client, b"hello", length=10)
    reply = chunked(client, url, 5, [b"123", b"456"], False)
    assert (reply.status, reply.problem["type"]) == (400, PROBLEM + "inconsistent-upload-length")
    assert reply.upload_offset is None
    assert client.look(url).status in (404, 410)
    assert left(drop) == [] and uploaded(drop) == []


def test_a_long_path_is_refused_before_the_body(serve, drop):
    client = Client(serve(create_directories=True))
    reply = client.create("/drop/" + "/".join(["a" * 200] * 12), b"hello")
    assert (reply.status, reply.interims) == (400, [])
    assert uploaded(drop) == [] and left(drop) == []
    assert client.create(f"/drop/{'a' * 100}/{'b' * 100}", b"hello").status == 201


def test_chunks_have_no_length_before_they_end(client, drop):
    url = begun(client)
    reply = chunked(client, url, 0, [b"he", b"llo"], True)
    assert (reply.status, (drop / "a.txt").read_bytes()) == (201, b"hello")
    url = begun(client, length=10, name="b.txt")
    reply = chunked(client, url, 0, [b"hello"], True)
    assert (reply.status, reply.problem["type"]) == (400, PROBLEM + "inconsistent-upload-length")
    assert uploaded(drop) == ["a.txt"]


def test_requests_that_lack_something(client):
    url = begun(client, b"hello")
    for status, more in ((415, {"Content_Type": "application/octet-stream"}),
                         (415, {"Content_Type": None}),
                         (400, {"Upload_Offset": None}), (400, {"Upload_Complete": None})):
        reply = client.append(url, 5, b"x", **more)
        assert (reply.status, reply.upload_complete) == (status, "?0"), more
    for other in (url[:-1], url + "x", url[:-4] + "AAAA", "/drop/.uploads/", "/drop/.uploads/x/y"):
        assert client.look(other).status == 404
        assert client.append(other, 5, b"x").status in (404, 405), other
        assert "upload-offset" not in client.look(other).fields
    assert client.look(url).offset == 5


def test_limits_are_told(serve, drop):
    client = Client(serve(max_size=10, expire="2h"))
    assert re.search(r"max-size=10\b.*max-age=7200", client.options("/drop/").upload_limit)
    assert client.options("/drop/").accept_patch == "application/partial-upload"
    for reply in (client.create("/drop/a.txt", b"x" * 11),
                  client.create("/drop/a.txt", complete=False, length=11)):
        assert (reply.status, reply.upload_complete) == (413, "?0")
        assert "max-size=10" in reply.upload_limit
    assert left(drop) == []
    reply = client.create("/drop/a.txt", b"b\r\n12345678901\r\n0\r\n\r\n",
                          **{"Content-Length": None, "Transfer-Encoding": "chunked"})
    assert (reply.status, reply.upload_complete) == (413, "?0")
    assert "max-size=10" in reply.upload_limit and b"at most 10 bytes" in reply.body
    other = Client(serve(route={"methods": ["PUT"]})).options("/drop/")
    assert other.upload_limit and other.tus_version is None
    url = begun(client, b"hello")
    reply = chunked(client, url, 5, [b"123456"], False)
    assert reply.status == 413 and "max-size=10" in reply.upload_limit
    assert client.look(url).offset == 5


# --- digests ---

@pytest.fixture
def digests(run):
    if "digests: none" in run("-V").stdout:
        pytest.skip("built without libcrypto")


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_a_wrong_content_digest_appends_nothing(client, drop, digests, algorithm):
    url = begun(client, b"hello", Content_Digest=digest(b"hello", algorithm))
    reply = client.append(url, 5, b"12345", complete=False,
                          Content_Digest=digest(b"54321", algorithm))
    assert (reply.status, reply.offset, reply.upload_complete) == (400, 5, "?0")
    assert client.look(url).offset == 5
    reply = client.append(url, 5, b"12345", Content_Digest=digest(b"12345", algorithm))
    assert reply.status == 201
    assert (drop / "a.txt").read_bytes() == b"hello12345"


def test_a_cut_body_with_a_content_digest_appends_nothing(client, drop, digests):
    url = begun(client, b"hello")
    sock, stream = client.begin("PATCH", url, 10, Upload_Offset=5, Upload_Complete="?1",
                                Content_Type="application/partial-upload",
                                Content_Digest=digest(b"x" * 10))
    with sock, stream:
        sock.sendall(b"xxxxx")
        until(lambda: [(drop / STAGING / n).stat().st_size for n in left(drop)] == [10], "bytes")
    assert client.look(url).offset == 5


def test_a_repr_digest_is_that_of_the_whole(client, drop, digests):
    url = begun(client, b"hello", Repr_Digest=digest(b"hello, world"))
    assert client.append(url, 5, b", world").status == 201
    url = begun(client, b"hello", name="b.txt", Repr_Digest=digest(b"hello, world"))
    reply = client.append(url, 5, b", wORld")
    assert reply.status == 400
    assert client.look(url).status in (404, 410)
    assert client.create("/drop/c.txt", b"x", Repr_Digest=digest(b"y")).status == 400
    assert client.create("/drop/d.txt", b"x", Repr_Digest="sha-256=x").status == 400
    assert uploaded(drop) == ["a.txt"]


@pytest.mark.parametrize("creates", [False, True])
def test_a_piece_with_a_content_digest_does_not_survive_kill_9(serve, drop, digests, creates):
    server = serve()
    client = Client(server)
    if creates:
        sock, stream = client.begin("PUT", "/drop/a.txt", 10, Upload_Complete="?0",
                                    Content_Digest=digest(b"x" * 10))
        url, kept = read_head(stream)[1]["location"], 0
    else:
        url, kept = begun(client, b"hello"), 5
        sock, stream = client.begin("PATCH", url, 10, Upload_Offset=5, Upload_Complete="?1",
                                    Content_Type="application/partial-upload",
                                    Content_Digest=digest(b"x" * 10))
    worker, = server.workers(1)
    with sock, stream:
        sock.sendall(b"xxxxx")
        until(lambda: [(drop / STAGING / n).stat().st_size for n in left(drop)] == [kept + 5],
              "bytes")
        os.kill(worker, signal.SIGKILL)
        until(lambda: not is_alive(worker), "the end of the worker")
    assert until(lambda: try_look(client, url), "a worker").offset == kept


def test_a_repr_digest_is_kept_with_the_file(client, drop, digests):
    try:
        os.setxattr(drop, "user.websrv.test", b"x")
    except OSError:
        pytest.skip(f"the file system of {drop} keeps no attributes")
    body = os.urandom(300_000)  # beyond cache.file_size
    url = begun(client, body[:1000], Repr_Digest=digest(body))
    assert client.append(url, 1000, body[1000:]).status == 201
    reply = client.request("GET", "/drop/a.txt", Want_Repr_Digest="sha-256=1")
    assert reply.repr_digest == digest(body)


def test_content_digest_of_a_plain_upload(client, drop, digests):
    send = client.request
    assert send("PUT", "/drop/a", b"x", Content_Digest=digest(b"y")).status == 400
    assert send("PUT", "/drop/b", b"x", Content_Digest="sha-256=x").status == 400
    assert send("PUT", "/drop/c", b"x", Content_Digest=digest(b"x"),
                Repr_Digest=digest(b"y")).status == 400
    assert send("PUT", "/drop/d", b"x", Content_Digest=digest(b"x", "sha-512"),
                Repr_Digest=digest(b"x")).status == 201
    assert uploaded(drop) == ["d"]


# --- one at a time, and cancelling ---

def test_cancel(client, drop):
    url = begun(client, b"hello")
    assert client.cancel(url).status == 204
    assert client.look(url).status == client.append(url, 5, b"x").status == 404
    assert client.cancel(url).status == 404
    assert left(drop) == []


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_a_newer_request_ends_the_older_one(serve, drop, workers, method):
    client = Client(serve(workers=workers))
    url = begun(client)
    for _ in range(4 if workers > 1 else 1):
        offset = client.look(url).offset
        sock, stream = client.begin_append(url, offset, 1000, complete=False)
        with sock, stream:
            sock.sendall(b"12345")
            size = offset + 5
            until(lambda: [(drop / STAGING / n).stat().st_size for n in left(drop)] == [size],
                  "bytes")
            if method == "DELETE":
                assert client.cancel(url).status == 204
                assert is_closed(sock, 20)
                return
            if method == "PATCH":
                assert client.append(url, size, b"67890", complete=False).offset == size + 5
            else:
                assert client.look(url).offset == size
            assert is_closed(sock, 20)
    assert client.append(url, client.look(url).offset).status == 201


# --- cuts and crashes ---

def push(client, url, body, cut, rng):
    """Sends what is missing, at most `cut` bytes of it; the reply, or None when it was cut."""
    state = client.look(url)
    if state.upload_complete == "?1":
        return state
    rest = body[state.offset:]
    sock, stream = client.begin_append(url, state.offset, len(rest))
    with sock, stream:
        with contextlib.suppress(ConnectionError):
            sock.sendall(rest[:cut])
            if cut >= len(rest):
                return read_reply(stream)
            if rng.random() < 0.5:
                sock.shutdown(1)
    return None


@pytest.mark.seconds(90)
@pytest.mark.parametrize("workers", [1, 2])
def test_an_upload_that_is_cut_at_random_points_arrives(serve, drop, workers):
    rng = random.Random(7)
    body = rng.randbytes(20_000_000)
    client = Client(serve(workers=workers))
    url = begun(client, body[:1000], length=len(body), Repr_Digest=digest(body))
    told = 0
    for _ in range(12):
        assert push(client, url, body, rng.randrange(1_500_000), rng) is None
        offset = client.look(url).offset
        assert offset >= told
        told = offset
    reply = push(client, url, body, len(body), rng)
    assert (reply.status, reply.upload_complete) == (201, "?1")
    assert (drop / "a.txt").read_bytes() == body


@pytest.mark.seconds(90)
def test_acknowledged_bytes_survive_kill_9(serve, drop):
    rng = random.Random(11)
    body = rng.randbytes(5_000_000)
    server = serve()
    client = Client(server)
    url = begun(client, body[:1000], length=len(body))
    told = 1000
    for _ in range(5):
        state = until(lambda: try_look(client, url), "a worker")
        assert state.offset >= told
        piece = body[state.offset:state.offset + 300_000]
        told = client.append(url, state.offset, piece, complete=False).offset
        sock, stream = client.begin_append(url, told, len(body) - told)
        worker, = server.workers(1)
        with sock, stream, contextlib.suppress(ConnectionError):
            sock.sendall(body[told:told + 200_000])
            os.kill(worker, signal.SIGKILL)
            until(lambda: not is_alive(worker), "the end of the worker")
    state = until(lambda: try_look(client, url), "a worker")
    assert client.append(url, state.offset, body[state.offset:]).status == 201
    assert (drop / "a.txt").read_bytes() == body


def try_look(client, url):
    try:
        return client.look(url)
    except (ConnectionError, OSError):
        return None


def test_progress_is_told_while_a_long_body_comes(client, drop):
    body = random.Random(3).randbytes(40_000_000)
    sock, stream = client.begin("PUT", "/drop/a.txt", len(body), Upload_Complete="?1")
    with sock, stream:
        sock.sendall(body[:30_000_000])
        (_, first), (status, second) = read_head(stream), read_head(stream)
        assert "location" in first and "upload-offset" not in first
        assert status == 104 and "location" not in second
        assert second["upload-draft-interop-version"] == "8"
        assert 16_000_000 < int(second["upload-offset"]) <= 30_000_000
        sock.sendall(body[30_000_000:])
        assert read_reply(stream).status == 201
    assert (drop / "a.txt").read_bytes() == body


def test_pipelined_uploads_are_answered_in_their_order_though_nothing_is_read(client):
    body = bytes(1_000_000)
    with client.server.connect(receive_buffer=2048) as sock, sock.makefile("rb") as stream:
        for number in range(100):
            sock.sendall(head_of("PUT", f"/drop/{number}", client.fields(
                body, {"Upload-Complete": "?1"})))
            sock.sendall(body)
        for number in range(100):
            assert read_reply(stream).status == 201


def test_who_was_never_told_the_url_leaves_nothing(serve, drop):
    client = Client(serve(), interop=None)
    sock, stream = client.begin("PUT", "/drop/a.txt", 10, Upload_Complete="?1")
    with sock, stream:
        sock.sendall(b"12345")
        until(lambda: left(drop) != [], "the upload")
    until(lambda: left(drop) == [], "its end")
    sock, stream = Client(client.server).begin("PUT", "/drop/a.txt", 10, Upload_Complete="?1")
    with sock, stream:
        status, fields = read_head(stream)
        sock.sendall(b"12345")
        until(lambda: left(drop) != [], "the upload")
    assert status == 104
    assert until(lambda: client.look(fields["location"]).offset == 5, "the offset")


def test_a_client_that_knows_nothing_of_it_is_served(serve, drop, tmp_path):
    server = serve()
    source = tmp_path / "source"
    source.write_bytes(os.urandom(100_000))
    done = curl("-o", os.devnull, "-w", "%{http_code}", "-H", "Upload-Complete: ?1", "-H",
                "Upload-Draft-Interop-Version: 8", "-T", source, f"{server.url}/drop/a.txt")
    assert (done.stdout, done.returncode) == (b"201", 0), done.stderr
    assert (drop / "a.txt").read_bytes() == source.read_bytes()


def test_an_upload_stays_with_the_protocol_that_began_it(client, drop):
    other = tus.Client(client.server)
    url = other.create(6, "a.txt", body=b"abc")
    state = client.look(url)
    assert (state.offset, state.tus_resumable) == (3, "1.0.0")
    assert state.upload_metadata and state.upload_expires and state.upload_complete == "?0"
    assert client.append(url, 3, b"def").status == 409
    reply = client.cancel(url)  # as both have it, but for the version
    assert (reply.status, reply.tus_version) == (412, "1.0.0")
    assert other.patch(url, 3, b"def")[0] == 204
    url = begun(client, b"abc", name="b.txt", length=6)
    assert other.patch(url, 3, b"def")[0] == other.ask("DELETE", url)[0] == 409
    assert client.append(url, 3, b"def").status == 201
    assert [(drop / n).read_bytes() for n in ("a.txt", "b.txt")] == [b"abcdef"] * 2


NGINX = """daemon off; {user} pid {dir}/pid; error_log {dir}/error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    server {{
        listen unix:{dir}/http.sock;
        location / {{
            proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1;
            proxy_request_buffering off; client_max_body_size 0;
        }}
    }}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    """Starts it in front of a server; returns what curl needs to reach it."""
    binary = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if binary is None:
        pytest.skip("nginx is not installed")
    directory = tmp_path / "nginx"
    directory.mkdir()
    with contextlib.ExitStack() as stack:
        def go(port):
            conf = directory / "nginx.conf"
            conf.write_text(NGINX.format(dir=directory, port=port,
                                         user="user root;" if is_root else ""))
            process = stack.enter_context(subprocess.Popen(
                [binary, "-p", directory, "-c", conf], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            stack.callback(process.terminate)
            until((directory / "http.sock").exists, "nginx")
            return ["--unix-socket", directory / "http.sock"]
        yield go


def test_behind_nginx_without_104(serve, drop, nginx, tmp_path):
    server = serve(listen={"address": "127.0.0.1:0", "interim_104": False})
    front = nginx(server.port)
    body = os.urandom(3_000_000)
    source = tmp_path / "source"

    def send(target, piece, *args):
        source.write_bytes(piece)
        done = curl(*front, "-D", "-", "-o", os.devnull, "-T", source,
                    "-H", "Upload-Draft-Interop-Version: 8",
                    *(a for field in args for a in ("-H", field)), f"http://localhost{target}")
        assert done.returncode == 0, done.stderr
        head = done.stdout.decode().replace("HTTP/1.1 100 Continue\r\n\r\n", "")
        return int(head.split()[1]), dict(re.findall(r"(?m)^([\w-]+): (.*?)\r$", head))

    status, fields = send("/drop/a.bin", body, "Upload-Complete: ?1")
    assert (status, fields["Upload-Complete"]) == (201, "?1")
    status, fields = send("/drop/b.bin", body[:1000], "Upload-Complete: ?0")
    assert (status, fields["Upload-Offset"]) == (201, "1000")
    url = fields["Location"]
    url = url[url.index("/drop/"):]
    done = curl(*front, "-o", os.devnull, "-w", "%{http_code}", "-X", "PATCH", "--data-binary",
                f"@{rest(tmp_path, body[1000:])}", "-H", "Upload-Complete: ?1", "-H",
                "Upload-Offset: 1000", "-H", "Content-Type: application/partial-upload",
                f"http://localhost{url}")
    assert done.stdout == b"201", done.stderr
    assert [(drop / n).read_bytes() == body for n in ("a.bin", "b.bin")] == [True, True]


def rest(tmp_path, body):
    path = tmp_path / "rest"
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("complete, location", [("?1", "/drop/a.txt"),
                                                ("?0", "/drop/.uploads/" + "-" * 32)])
def test_it_is_explained_and_nothing_is_made(run, drop, tmp_path, complete, location):
    conf = tmp_path / "websrv.json"
    conf.write_text(json.dumps(config([upload(drop, expire="2h")])))
    done = run("-c", conf, "--explain", "-H", f"Upload-Complete: {complete}", "-H",
               "Upload-Draft-Interop-Version: 8", "PUT", "/drop/a.txt")
    assert done.returncode == 0, done.stderr
    for line in (r"answer +201 Created", rf"Location: {location}\n",
                 rf"Upload-Complete: \{complete}\n"):
        assert re.search(line, done.stdout), (line, done.stdout)
    assert os.listdir(drop) == []
