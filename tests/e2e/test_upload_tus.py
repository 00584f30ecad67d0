# SPDX-License-Identifier: BSD-2-Clause
"""Resumable uploads by tus 1.0: the protocol, two at once, crashes, full disks, time."""

import email.utils
import hashlib
import os
import random
import re
import signal
import time

import pytest

from harness import (STAGING, config, cpu_seconds, files, is_closed, read_answer, until, upload,
                     uploaded, wait_until_read)
from tus import TYPE, Client, checksum, metadata

MB = 1 << 20


@pytest.fixture
def serve(serve):
    return lambda **options: Client(serve(**options))


def staged(drop):
    where = drop / STAGING
    return sorted(n for n in os.listdir(where) if n != "sweep.lock") if where.is_dir() else []


def holder(server, url):
    """The worker that has an upload open, or None."""
    for pid in server.workers():
        try:
            if any(os.path.basename(url) in os.readlink(fd.path)
                   for fd in os.scandir(f"/proc/{pid}/fd")):
                return pid
        except OSError:
            pass
    return None


def sha(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


# --- the protocol ---

def test_an_upload_in_two_pieces_gets_its_name_at_the_end(serve, drop):
    tus = serve()
    url = tus.create(11, "hello.txt")
    assert re.fullmatch(r"/drop/\.uploads/[A-Za-z0-9_-]{32}", url)
    assert tus.offset(url) == 0
    status, got, _ = tus.patch(url, 0, b"hello")
    assert (status, got["Upload-Offset"]) == (204, "5")
    left = email.utils.parsedate_to_datetime(got["Upload-Expires"]).timestamp() - time.time()
    assert 23 * 3600 < left <= 24 * 3600 + 1
    assert uploaded(drop) == []
    status, got, _ = tus.patch(url, 5, b" world")
    assert (status, got["Upload-Offset"]) == (204, "11")
    assert got["Content-Location"] == "/drop/hello.txt"
    assert (drop / "hello.txt").read_bytes() == b"hello world"
    assert (drop / "hello.txt").stat().st_mode & 0o777 == 0o640


def test_what_is_complete_can_still_be_asked_for(serve, drop):
    tus = serve()
    url = tus.create(3, "a.txt")
    tus.patch(url, 0, b"abc")
    status, got, _ = tus.head(url)
    assert (status, got["Upload-Offset"], got["Upload-Length"]) == (200, "3", "3")
    assert got["Content-Location"] == "/drop/a.txt"
    status, got, _ = tus.patch(url, 0, b"abc")
    assert (status, got["Upload-Offset"]) == (409, "3")
    assert tus.patch(url, 3, b"")[0] == 204
    assert tus.patch(url, 3, b"x")[0] == 413
    assert tus.ask("DELETE", url)[0] == 410
    assert (drop / "a.txt").read_bytes() == b"abc"


def test_metadata_is_given_back_as_it_came(serve):
    tus = serve()
    value = metadata(filename="a.txt", filetype="text/plain") + ",odd"
    status, got, _ = tus.ask("POST", "/drop/", Upload_Length=3, Upload_Metadata=value)
    assert status == 201
    assert tus.head(got["Location"])[1]["Upload-Metadata"] == value


def test_an_empty_file_is_complete_at_once(serve, drop):
    tus = serve()
    status, got, _ = tus.ask("POST", "/drop/", Upload_Length=0,
                             Upload_Metadata=metadata(filename="empty"))
    assert (status, got["Content-Location"]) == (201, "/drop/empty")
    assert (drop / "empty").read_bytes() == b""
    assert tus.offset(got["Location"]) == 0


def test_creation_takes_the_first_bytes(serve, drop):
    tus = serve()
    url = tus.create(6, "a.txt", body=b"abc")
    assert tus.offset(url) == 3
    assert tus.patch(url, 3, b"def")[0] == 204
    assert (drop / "a.txt").read_bytes() == b"abcdef"
    status, got, _ = tus.ask("POST", "/drop/", body=b"xyz", Upload_Length=3, Content_Type=TYPE,
                             Upload_Metadata=metadata(filename="b.txt"))
    assert (status, got["Upload-Offset"]) == (201, "3")
    assert got["Content-Location"] == "/drop/b.txt"
    assert tus.ask("POST", "/drop/", body=b"xyz", Upload_Length=3, Content_Type="text/plain",
                   Upload_Metadata=metadata(filename="c.txt"))[0] == 415
    assert uploaded(drop) == ["a.txt", "b.txt"]


def test_a_creation_that_breaks_off_leaves_nothing(serve, drop):
    """Its URL was never told."""
    tus = serve()
    fields = ("POST /drop/ HTTP/1.1\r\nHost: a\r\nTus-Resumable: 1.0.0\r\n"
              f"Content-Type: {TYPE}\r\nUpload-Length: 1000\r\nContent-Length: 1000\r\n\r\n")
    with tus.server.connect() as sock:
        sock.sendall(fields.encode() + b"x" * 500)
        until(lambda: any(n.endswith(".part") for n in staged(drop)), "the upload")
    until(lambda: not any(n.endswith(".part") for n in staged(drop)), "its end")
    assert uploaded(drop) == []


def test_a_length_can_be_told_later_and_only_once(serve, drop):
    tus = serve()
    url = tus.create(None, "a.txt", Upload_Defer_Length=1)
    status, got, _ = tus.head(url)
    assert got["Upload-Defer-Length"] == "1" and "Upload-Length" not in got
    assert tus.patch(url, 0, b"abc")[0] == 204
    assert tus.patch(url, 3, b"", Upload_Length=2)[0] == 400
    assert tus.patch(url, 3, b"", Upload_Length=6)[0] == 204
    assert tus.head(url)[1]["Upload-Length"] == "6"
    assert tus.patch(url, 3, b"", Upload_Length=7)[0] == 400
    assert tus.patch(url, 3, b"def")[0] == 204
    assert (drop / "a.txt").read_bytes() == b"abcdef"


def test_a_wrong_checksum_takes_nothing(serve, drop):
    tus = serve()
    url = tus.create(6, "a.txt")
    for algorithm in ("sha1", "sha256", "sha512"):
        status, got, text = tus.patch(url, 0, b"abc", Upload_Checksum=checksum(algorithm, b"abd"))
        assert (status, got["Upload-Offset"]) == (460, "0"), text
        assert tus.offset(url) == 0
    assert tus.patch(url, 0, b"abc", Upload_Checksum="md5 AAAA")[0] == 400
    assert tus.patch(url, 0, b"abc", Upload_Checksum=checksum("sha1", b"abc"))[0] == 204
    assert tus.patch(url, 3, b"xef", Upload_Checksum=checksum("sha256", b"def"))[0] == 460
    assert uploaded(drop) == []
    assert tus.patch(url, 3, b"def", Upload_Checksum=checksum("sha256", b"def"))[0] == 204
    assert (drop / "a.txt").read_bytes() == b"abcdef"


def test_a_piece_with_a_checksum_that_breaks_off_does_not_count(serve):
    tus = serve()
    url = tus.create(MB, "a.bin")
    assert tus.patch(url, 0, b"abc")[0] == 204
    with tus.begin_patch(url, 3, 1000, Upload_Checksum=checksum("sha1", b"x")) as sock:
        sock.sendall(b"x" * 500)
        time.sleep(0.2)
    assert tus.offset(url) == 3
    with tus.begin_patch(url, 3, 1000, Upload_Checksum=checksum("sha1", b"x")) as sock:
        sock.sendall(b"x" * 500)
        time.sleep(0.2)
        os.kill(tus.server.workers(1)[0], signal.SIGKILL)
    assert tus.offset_when_back(url) == 3


def test_termination_leaves_nothing(serve, drop):
    tus = serve()
    url = tus.create(6, "a.txt", body=b"abc")
    status, got, _ = tus.ask("DELETE", url)
    assert (status, got["Tus-Resumable"]) == (204, "1.0.0")
    assert tus.head(url)[0] == 404 and tus.patch(url, 3, b"def")[0] == 404
    assert staged(drop) == [] and uploaded(drop) == []


def test_options_tells_what_is_served(serve):
    tus = serve(max_size="5G")
    status, got, _ = tus.ask("OPTIONS", "/drop/", version="0.1")
    assert (status, got["Tus-Version"], got["Tus-Max-Size"]) == (204, "1.0.0", str(5 << 30))
    assert set(got["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "creation-defer-length", "expiration",
        "termination", "checksum"}
    assert got["Tus-Checksum-Algorithm"].startswith("sha1")


@pytest.mark.parametrize("version", [None, "0.2.2", "2.0.0", "1.0.0, 1.0.0"])
def test_another_version_is_412_and_nothing_happens(serve, drop, version):
    tus = serve()
    url = tus.create(6, "a.txt", body=b"abc")
    status, got, _ = tus.patch(url, 3, b"def", version=version)
    assert (status, got["Tus-Version"], got["Tus-Resumable"]) == (412, "1.0.0", "1.0.0")
    if version is not None:  # without one it is of the other protocol
        assert tus.ask("DELETE", url, version=version)[0] == 412
    assert tus.offset(url) == 3


def test_bad_requests_are_told_apart_and_change_nothing(serve, drop):
    tus = serve(max_size="1K", types=[".txt"])
    url = tus.create(6, "a.txt", body=b"abc")
    (drop / "there.txt").write_text("x")
    name = metadata(filename="b.txt")
    for fields, status in (
            ({"Upload_Metadata": name}, 400),
            ({"Upload_Metadata": name, "Upload_Length": "-1"}, 400),
            ({"Upload_Metadata": name, "Upload_Length": "1.5"}, 400),
            ({"Upload_Metadata": name, "Upload_Length": "9" * 30}, 400),
            ({"Upload_Metadata": name, "Upload_Length": str(2**63 - 1)}, 413),
            ({"Upload_Metadata": name, "Upload_Length": 1025}, 413),
            ({"Upload_Metadata": name, "Upload_Length": 3, "Upload_Defer_Length": 1}, 400),
            ({"Upload_Metadata": name, "Upload_Defer_Length": 2}, 400),
            ({"Upload_Metadata": name, "Upload_Length": 3, "Upload_Concat": "partial"}, 400),
            ({"Upload_Metadata": "filename !", "Upload_Length": 3}, 400),
            ({"Upload_Metadata": metadata(filename="..txt"), "Upload_Length": 3}, 400),
            ({"Upload_Metadata": metadata(filename="a\0b.txt"), "Upload_Length": 3}, 400),
            ({"Upload_Metadata": metadata(filename="x" * 300), "Upload_Length": 3}, 400),
            ({"Upload_Metadata": metadata(filename="a.exe"), "Upload_Length": 3}, 415),
            ({"Upload_Metadata": metadata(filename="there.txt"), "Upload_Length": 3}, 409)):
        got = tus.ask("POST", "/drop/", **fields)
        assert got[0] == status and got[1]["Tus-Resumable"] == "1.0.0", (fields, got)
        assert status != 413 or got[1].get_all("Tus-Max-Size") == ["1024"]
    for offset, status in ((4, 409), (2, 409), (2**63 - 1, 409), (-1, 400), ("x", 400),
                           ("9" * 30, 400)):
        got = tus.patch(url, offset, b"def")
        assert got[0] == status, (offset, got)
        assert status != 409 or got[1]["Upload-Offset"] == "3"
    status, got, _ = tus.patch(url, 3, b"defg")
    assert (status, got.get_all("Tus-Max-Size")) == (413, ["1024"])
    assert tus.patch(url, 3, b"def", **{"Content-Type": "text/plain"})[0] == 415
    assert tus.ask("PUT", url, body=b"x")[0] == 405
    assert tus.ask("POST", url, body=b"def", Upload_Offset=3, Content_Type=TYPE)[0] == 405
    assert tus.offset(url) == 3
    assert uploaded(drop) == ["there.txt"]


@pytest.mark.parametrize("id", ["", "a", "A" * 32, "A" * 33, "..%2f" + "A" * 27, "A" * 31 + "/",
                                "A" * 31 + "%00"])
def test_who_does_not_know_an_upload_finds_none(serve, id):
    tus = serve()
    assert tus.head("/drop/.uploads/" + id)[0] in (400, 404)


def test_a_path_in_the_name_is_cut_off(serve, drop):
    tus = serve()
    tus.create(1, "C:\\dir\\old.txt", body=b"x")
    tus.create(1, "../../evil.txt", body=b"x")
    assert uploaded(drop) == ["evil.txt", "old.txt"]


def test_without_a_name_one_is_made_up(serve, drop):
    tus = serve()
    tus.create(1, None, body=b"x")
    assert re.fullmatch(r"upload-\d{8}-\d{6}-[0-9a-f]{16}", uploaded(drop)[0])


def test_a_name_that_was_taken_meanwhile_is_told_at_the_end(serve, drop):
    tus = serve()
    first, second = tus.create(3, "a.txt"), tus.create(3, "a.txt")
    assert tus.patch(first, 0, b"abc")[0] == 204
    third = tus.create(3, "b.txt")
    (drop / "b.txt").write_text("")
    assert tus.patch(second, 0, b"xyz")[0] == 409
    assert tus.patch(third, 0, b"xyz")[0] == 409
    assert tus.head(second)[0] == 409  # all is there, but it has not arrived
    (drop / "a.txt").unlink()
    assert tus.patch(second, 3, b"")[0] == 204
    assert (drop / "a.txt").read_bytes() == b"xyz"
    (drop / "b.txt").unlink()
    assert tus.offset(third) == 3
    assert (drop / "b.txt").read_bytes() == b"xyz"


def test_who_leaves_with_the_last_byte_finds_that_it_has_arrived(serve, drop):
    tus = serve(workers=2)
    for n in range(20):
        url = tus.create(MB, f"{n}.bin")
        with tus.begin_patch(url, 0, MB) as sock:
            sock.sendall(b"x" * MB)

        def place():
            got = tus.head(url)[1]
            told = got["Upload-Offset"]
            if told not in (None, str(MB)):  # the worker had not read all of it
                tus.patch(url, int(told), b"x" * (MB - int(told)))
            return got["Content-Location"]
        assert until(place, "it has arrived") == f"/drop/{n}.bin"
        assert (drop / f"{n}.bin").stat().st_size == MB


def test_rename_tells_the_name_it_got(serve, drop):
    tus = serve(conflict="rename")
    for location in ("/drop/a.txt", "/drop/a%20(2).txt"):
        url = tus.create(3, "a.txt")
        assert tus.patch(url, 0, b"abc")[1]["Content-Location"] == location
        assert tus.head(url)[1]["Content-Location"] == location


def test_files_on_the_same_route_answer_what_is_not_an_upload(start, drop):
    route = {**files(drop), **upload(drop)}
    tus = Client(start(config([route], workers=1)))
    url = tus.create(3, "a.txt")
    assert tus.offset(url) == 0
    assert tus.patch(url, 0, b"abc")[0] == 204
    assert tus.server.get("/drop/a.txt")[2] == b"abc"
    assert tus.server.get("/drop/")[0] == 404
    assert tus.server.get(f"/drop/{STAGING}/")[0] == 404
    status, got, body = tus.server.get(url)  # of the upload, not of files
    assert (status, got["Upload-Offset"], body) == (204, "3", b"")
    assert "Upload-Offset" not in tus.server.get(url[:-1] + "-")[1]


def test_switched_off_there_is_neither_page_nor_protocol(serve, drop):
    tus = serve(resumable=False)
    assert "Tus-Version" not in tus.ask("OPTIONS", "/drop/")[1]
    assert tus.ask("POST", "/drop/", Upload_Length=3)[0] == 400
    assert tus.head("/drop/.uploads/" + "A" * 32)[0] == 405
    assert tus.server.get("/drop/")[0] == 405
    assert uploaded(drop) == []


def test_the_page_is_at_the_collection_alone(serve):
    tus = serve()
    status, got, body = tus.server.get("/drop/")
    assert status == 200 and b"<form" in body and "script-src 'sha256-" in got[
        "Content-Security-Policy"]
    assert tus.server.get("/drop/a.txt")[0] == 405
    other = serve(page=False)
    assert other.server.get("/drop/")[0] == 405
    other = serve(route={"methods": ["PUT"]})
    assert other.server.get("/drop/")[0] == 405
    for more in ([], ["GET"]):  # the default names no GET either
        other = serve(route={"methods": [*more, "POST", "DELETE"]})
        assert other.server.get("/drop/")[0] == 200
        assert other.server.get("/drop/a.txt")[0] == 405
        status, got, _ = other.ask("OPTIONS", "/drop/", version=None)
        assert (status, got["Allow"]) == (204, "GET, HEAD, POST, DELETE, OPTIONS")
        assert other.offset(other.create(3)) == 0


def test_a_method_in_a_field_goes_on_with_an_upload(serve, drop):
    tus = serve()
    url = tus.create(6, "a.txt", body=b"abc")
    override = {"X_HTTP_Method_Override": "PATCH", "Content_Type": TYPE}
    status, got, _ = tus.ask("POST", url, body=b"de", Upload_Offset=3, **override)
    assert (status, got["Upload-Offset"]) == (204, "5")
    status, got, body = tus.ask("POST", url, X_HTTP_Method_Override="HEAD")
    assert (status, got["Upload-Offset"], body) == (200, "5", "")
    assert tus.ask("POST", url, body=b"f", Upload_Offset=5, **override)[0] == 204
    assert uploaded(drop) == ["a.txt"]
    for target in ("/drop/a.txt", "/drop/"):  # "methods" does not name it
        assert tus.ask("POST", target, X_HTTP_Method_Override="DELETE")[0] == 405
    assert tus.ask("POST", "/drop/", version=None, X_HTTP_Method_Override="DELETE")[0] == 201
    assert "a.txt" in uploaded(drop)


def test_auth_is_asked_of_the_method_that_is_meant(serve, drop, tmp_path):
    token = "s" * 43
    (tmp_path / "tokens").write_text(
        "ann:sha256:" + hashlib.sha256(token.encode()).hexdigest() + "\n")
    (drop / "a.txt").write_text("x")
    tus = serve(route={"methods": ["POST", "DELETE"],
                       "auth": {"bearer": {"tokens": str(tmp_path / "tokens")},
                                "for": ["DELETE"]}})
    for more, status in (({}, 401), ({"Authorization": f"Bearer {token}"}, 204)):
        assert tus.ask("POST", "/drop/a.txt", X_HTTP_Method_Override="DELETE",
                       **more)[0] == status
    assert uploaded(drop) == []


def test_pages_of_other_origins_may_use_it_where_cors_lets_them(serve):
    tus = serve(route={"cors": {"origins": ["https://a.example"], "headers": ["X-Mine"]}})
    status, got, _ = tus.ask("OPTIONS", "/drop/.uploads/x", version=None,
                             Origin="https://a.example",
                             Access_Control_Request_Method="PATCH")
    assert status == 204
    assert {"X-Mine", "Tus-Resumable", "Upload-Offset"} <= set(
        got["Access-Control-Allow-Headers"].split(", "))
    assert {"PATCH", "HEAD", "DELETE", "POST"} <= set(
        got["Access-Control-Allow-Methods"].split(", "))
    got = tus.ask("POST", "/drop/", Origin="https://a.example", Upload_Length=3)[1]
    assert {"Location", "Upload-Offset", "Upload-Expires"} <= set(
        got["Access-Control-Expose-Headers"].split(", "))


def test_auth_for_post_guards_every_step(serve, tmp_path):
    (tmp_path / "tokens").write_text("ann:sha256:" + hashlib.sha256(b"s" * 43).hexdigest() + "\n")
    tus = serve(route={"auth": {"bearer": {"tokens": str(tmp_path / "tokens")},
                                "for": ["POST", "PUT"]}})
    for method, target in (("POST", "/drop/"), ("HEAD", "/drop/.uploads/" + "A" * 32),
                           ("PATCH", "/drop/.uploads/" + "A" * 32), ("GET", "/drop/"),
                           ("DELETE", "/drop/.uploads/" + "A" * 32)):
        assert tus.ask(method, target)[0] == 401, method


# --- cuts ---

@pytest.mark.seconds(90)
def test_200_megabytes_with_20_cuts_arrive_as_they_are(serve, drop, tmp_path):
    size, chunk = 200 * MB, os.urandom(MB)
    whole, source = hashlib.sha256(), tmp_path / "source"
    with open(source, "wb") as f:
        for n in range(size // MB):
            piece = n.to_bytes(8, "big") + chunk[8:]
            f.write(piece)
            whole.update(piece)
    tus = serve(workers=2)
    url = tus.create(size, "big.bin")
    rng = random.Random(7)
    cuts = sorted(rng.randrange(1, size) for _ in range(20)) + [size]
    with open(source, "rb") as f:
        for cut in cuts:
            offset = tus.offset(url)
            assert offset <= cut
            f.seek(offset)
            with tus.begin_patch(url, offset, size - offset) as sock:
                left = cut - offset
                while left:
                    piece = f.read(min(left, MB))
                    sock.sendall(piece)
                    left -= len(piece)
                if cut == size:
                    assert sock.recv(65536).startswith(b"HTTP/1.1 204 ")
    assert sha(drop / "big.bin") == whole.hexdigest()
    assert all(n.endswith(".info") for n in staged(drop))


@pytest.mark.seconds(90)
def test_killed_workers_lose_no_offset_that_was_told(serve, drop):
    data = random.Random(3).randbytes(8 * MB)
    tus = serve(workers=4)
    url = tus.create(len(data), "a.bin")
    told = 0
    for _ in range(10):
        end = told + 300_000
        status, got, _ = tus.patch(url, told, data[told:end])
        assert (status, got["Upload-Offset"]) == (204, str(end))
        with tus.begin_patch(url, end, len(data) - end) as sock:
            sock.sendall(data[end:end + 200_000])
            os.kill(until(lambda: holder(tus.server, url), "a worker has it open"),
                    signal.SIGKILL)
        told = tus.offset_when_back(url)
        assert end <= told <= end + 200_000
    assert tus.patch(url, told, data[told:])[0] == 204
    assert (drop / "a.bin").read_bytes() == data


# --- two at once ---

@pytest.mark.parametrize("workers", [1, 2])
def test_the_newer_request_wins_and_the_older_is_closed(serve, drop, workers):
    tus = serve(workers=workers, top={"timeouts": {"body_idle": "1h"}})
    url = tus.create(3000, "a.bin")
    for n in range(4):
        with tus.begin_patch(url, 100 * n, 3000 - 100 * n) as old:
            old.sendall(b"x" * 100)
            until(lambda: sum(p.stat().st_size for p in (drop / STAGING).glob("*.part"))
                  == 100 * (n + 1), "the bytes are written")
            assert tus.offset(url) == 100 * (n + 1)
            assert is_closed(old)
    assert tus.patch(url, 400, b"x" * 2600)[0] == 204
    assert (drop / "a.bin").read_bytes() == b"x" * 3000
    assert not [n for n in staged(drop) if n.endswith(".yield")]


@pytest.mark.seconds(60)
def test_many_at_one_upload_leave_it_whole(serve, drop):
    tus = serve(workers=2)
    url = tus.create(1000, "a.bin")
    socks = [tus.begin_patch(url, 0, 1000) for _ in range(8)]
    # Some of them may come to the server after it, and are newer then.
    assert tus.offset_when_back(url) == 0
    for sock in socks:
        sock.close()
    assert tus.patch(url, 0, b"x" * 1000)[0] == 204
    assert (drop / "a.bin").read_bytes() == b"x" * 1000


def test_a_reload_does_not_keep_an_upload_from_going_on(serve, drop):
    tus = serve(workers=2)
    url = tus.create(300, "a.bin")
    with tus.begin_patch(url, 0, 300) as old:
        old.sendall(b"x" * 100)
        wait_until_read(old)
        tus.server.kill(signal.SIGHUP)
        tus.server.wait_for_log("reloaded:")
        assert tus.offset(url) == 100
        assert is_closed(old)
    assert tus.patch(url, 100, b"x" * 200)[0] == 204
    assert (drop / "a.bin").read_bytes() == b"x" * 300


# --- room and time ---

def test_a_full_disk_is_507_and_it_goes_on_when_there_is_room(start, small_disk):
    tus = Client(start(config([upload(small_disk)], workers=1)))
    data = random.Random(5).randbytes(6 * MB)
    (small_disk / "ballast").write_bytes(b"x" * 4 * MB)
    status, _, text = tus.ask("POST", "/drop/", Upload_Length=6 * MB)
    assert status == 507, text
    url = tus.create(None, "a.bin", Upload_Defer_Length=1)
    sock = tus.server.connect()
    sock.sendall(f"PATCH {url} HTTP/1.1\r\nHost: a\r\nTus-Resumable: 1.0.0\r\n"
                 f"Content-Type: {TYPE}\r\nUpload-Offset: 0\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n".encode())
    try:
        for n in range(6):
            sock.sendall(b"100000\r\n" + data[n * MB:(n + 1) * MB] + b"\r\n")
    except OSError:
        pass
    assert read_answer(sock)[0] == 507
    sock.close()
    (small_disk / "ballast").unlink()
    offset = tus.offset(url)
    assert 2 * MB < offset < 5 * MB
    assert tus.patch(url, offset, data[offset:], Upload_Length=6 * MB)[0] == 204
    assert (small_disk / "a.bin").read_bytes() == data


def test_uploads_that_nobody_goes_on_with_are_removed(serve, drop):
    tus = serve(workers=2, expire="5s")
    left, used = tus.create(6, "left.txt", body=b"abc"), tus.create(99, "used.txt", body=b"abc")
    end = time.monotonic() + 6
    offset = 3
    while time.monotonic() < end:
        assert tus.patch(used, offset, b"x")[0] == 204
        offset += 1
        time.sleep(0.6)
    until(lambda: len(staged(drop)) <= 2, "the one that is left is removed")
    assert tus.head(left)[0] == 404 and tus.offset(used) == offset
    tus.server.wait_for_log("1 unfinished uploads have expired")


@pytest.mark.seconds(60)
def test_memory_stays_flat_while_many_are_open(serve):
    tus = serve(workers=1)
    worker = tus.server.workers()[0]

    def rss():
        with open(f"/proc/{worker}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    first = tus.create(100, "x.bin")
    with tus.begin_patch(first, 0, 100):
        before = rss()
        socks = []
        for n in range(50):
            url = tus.create(MB, f"{n}.bin")
            socks.append(tus.begin_patch(url, 0, MB))
            socks[-1].sendall(b"x" * 100_000)
        time.sleep(0.5)
        assert rss() - before < 50 * 300
        for sock in socks:
            sock.close()


def test_an_explanation_changes_nothing(serve, drop, run):
    tus = serve()
    conf = tus.server.config
    url = tus.create(6, "a.txt", body=b"abc")
    before = staged(drop)
    for args, status in ((["-H", "Upload-Length: 3", "POST", "/drop/"], 201),
                         (["-H", "Upload-Length: -3", "POST", "/drop/"], 400),
                         (["DELETE", url], 204), (["HEAD", url], 200),
                         (["-H", "Upload-Offset: 3", "-H", f"Content-Type: {TYPE}", "PATCH",
                           url], 204)):
        done = run("--explain", "-c", str(conf), "-H", "Tus-Resumable: 1.0.0", *args)
        assert f"{status} " in done.stdout, (args, done.stdout, done.stderr)
    assert staged(drop) == before and uploaded(drop) == []
    assert tus.offset(url) == 3


def test_who_waits_costs_no_time_of_the_processor(serve):
    tus = serve()
    worker = tus.server.workers(1)[0]
    urls = [tus.create(1000, f"{n}.bin") for n in range(50)]
    socks = [tus.begin_patch(url, 0, 1000) for url in urls]
    time.sleep(0.5)
    before = cpu_seconds(worker)
    time.sleep(2)
    assert cpu_seconds(worker) - before < 0.5
    for sock in socks:
        sock.close()
