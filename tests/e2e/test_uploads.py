# SPDX-License-Identifier: BSD-2-Clause
"""The plain door of uploads: PUT and POST, names, what is refused and why, DELETE, crashes."""

import os
import re
import signal
import socket
import threading
import time

import pytest

from harness import STAGING, config, curl, files, make_old, until, upload, uploaded


def send(server, method, target, body=b"abc", **headers):
    status, fields, text = server.request(method, target, body=body, headers={
        name.replace("_", "-"): value for name, value in headers.items()})
    return status, fields.get("Location"), text.decode()


# --- names ---

def test_post_takes_the_name_of_content_disposition(serve, drop):
    server = serve()
    for value, name in (('attachment; filename="a b.txt"', "a b.txt"),
                        ("attachment; filename*=UTF-8''na%C3%AFve.txt", "na\u00efve.txt"),
                        (r'inline; filename="C:\\dir\\old.txt"', "old.txt")):
        status, location, _ = send(server, "POST", "/drop/", Content_Disposition=value)
        assert status == 201
        assert (drop / name).read_bytes() == b"abc"
        assert location.startswith("/drop/") and " " not in location


def test_post_without_a_name_makes_one_up(serve, drop):
    server = serve()
    seen = {send(server, "POST", "/drop/")[1] for _ in range(5)}
    assert len(seen) == 5
    assert all(re.fullmatch(r"/drop/upload-\d{8}-\d{6}-[0-9a-f]{16}", n) for n in seen)
    assert sorted(n.removeprefix("/drop/") for n in seen) == uploaded(drop)


def test_post_to_an_exact_path_is_an_inbox(start, drop):
    server = start(config([upload(drop, path="/inbox")], workers=1))
    status, location, _ = send(server, "POST", "/inbox",
                               Content_Disposition='attachment; filename="a.txt"')
    assert (status, location) == (201, None)
    assert uploaded(drop) == ["a.txt"]


def test_rename_finds_another_name_and_tells_it(serve, drop):
    server = serve(conflict="rename")
    assert [send(server, "PUT", "/drop/a.tar.gz", body)[:2] for body in (b"1", b"2", b"3")] == [
        (201, "/drop/a.tar.gz"), (201, "/drop/a%20(2).tar.gz"), (201, "/drop/a%20(3).tar.gz")]
    assert (drop / "a (3).tar.gz").read_bytes() == b"3"
    assert send(server, "PUT", "/drop/a.tar.gz", If_None_Match="*")[0] == 412


def test_refusals_say_why(serve, drop):
    server = serve(types=[".jpg", ".tar.gz"])
    for target, status, why in (("/drop/a.txt", 415, "Files of this type are not taken."),
                                ("/drop/.a.jpg", 400, "begins with a dot"),
                                ("/drop/con.jpg", 400, "a device on Windows"),
                                ("/drop/a/b.jpg", 409, "may have no slash"),
                                ("/drop/" + "a" * 300 + ".jpg", 400, "too long")):
        got, _, text = send(server, "PUT", target)
        assert got == status and why in text, (target, got, text)
    assert send(server, "PUT", "/drop/A.JPG")[0] == 201
    assert send(server, "PUT", "/drop/b.tar.gz")[0] == 201
    assert "part of a file" in send(server, "PUT", "/drop/c.jpg",
                                    Content_Range="bytes 0-2/9")[2]
    assert uploaded(drop) == ["A.JPG", "b.tar.gz"]


def test_directories_are_made_where_that_is_configured(serve, drop):
    server = serve(create_directories=True)
    assert send(server, "PUT", "/drop/2026/11/a.txt")[:2] == (201, "/drop/2026/11/a.txt")
    assert (drop / "2026/11/a.txt").read_bytes() == b"abc"
    assert send(server, "PUT", "/drop/2026/11/a.txt/b")[0] == 409
    assert send(server, "PUT", "/drop/a/.b/c")[0] == 400
    assert send(server, "PUT", "/drop/" + "a/" * 16 + "a")[0] == 400
    os.symlink("/tmp", drop / "out")
    assert send(server, "PUT", "/drop/out/x.txt")[0] == 409
    assert send(server, "PUT", f"/drop/{STAGING}/x")[0] == 400


# --- room ---

def test_a_reserve_is_kept_free(serve, drop):
    server = serve(reserve="1024T")
    status, _, text = send(server, "PUT", "/drop/a.txt")
    assert status == 507 and "no room" in text
    server.wait_for_log("too few for 3 more with the reserve of")
    assert uploaded(drop) == []


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_what_is_refused_is_refused_before_the_body(serve, framing):
    server = serve(max_size=10, types=[".jpg"])
    # What is too long is refused whatever its name; of chunks the length is not known before.
    chunked = "chunked" in framing
    for name, status in (("a.txt", b"415" if chunked else b"413"),
                         ("a.jpg", b"100" if chunked else b"413")):
        with server.connect() as sock:
            sock.sendall(f"PUT /drop/{name} HTTP/1.1\r\nHost: a\r\n{framing}\r\n"
                         "Expect: 100-continue\r\n\r\n".encode())
            assert sock.recv(4096).startswith(b"HTTP/1.1 " + status)


# --- durable ---

@pytest.mark.parametrize("durable", [True, False])
def test_many_uploads_at_once_are_all_whole(serve, drop, durable):
    server = serve(durable=durable)
    results = []

    def one(n):
        results.append(send(server, "PUT", f"/drop/{n}.bin", bytes([n]) * 100_000)[0])
    threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert results == [201] * 40
    for n in range(40):
        assert (drop / f"{n}.bin").read_bytes() == bytes([n]) * 100_000


def test_who_leaves_while_the_disk_is_waited_for_harms_nobody(serve, drop):
    server = serve(durable=True)
    for n in range(50):
        with server.connect() as sock:
            sock.sendall(f"PUT /drop/{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                         .encode())
    assert send(server, "PUT", "/drop/last")[0] == 201
    for name in uploaded(drop):
        assert (drop / name).read_bytes() == b"abc"


# --- delete ---

def test_delete_is_there_only_when_it_is_named(serve, start, drop):
    (drop / "a.txt").write_text("x")
    status, fields, _ = serve().request("DELETE", "/drop/a.txt")
    assert status == 405 and "DELETE" not in fields["Allow"]
    assert uploaded(drop) == ["a.txt"]


def test_methods_may_name_the_page_beside_delete(serve, drop):
    server = serve(route={"methods": ["GET", "POST", "PUT", "DELETE"]})
    status, fields, text = server.request("GET", "/drop/")
    assert status == 200 and fields["Content-Type"].startswith("text/html") and b"<form" in text
    assert server.request("HEAD", "/drop/")[0] == 200
    assert send(server, "PUT", "/drop/a.txt")[0] == 201
    assert server.request("GET", "/drop/a.txt")[0] == 405
    assert send(server, "DELETE", "/drop/a.txt", b"")[0] == 204
    assert uploaded(drop) == []


def test_delete_removes_files_and_nothing_else(serve, drop):
    server = serve(route={"methods": ["PUT", "DELETE"]})
    assert send(server, "PUT", "/drop/a.txt")[0] == 201
    (drop / "dir").mkdir()
    (drop / ".hidden").write_text("x")
    os.symlink("a.txt", drop / "link")
    make_old(drop / "a.txt")
    assert send(server, "DELETE", "/drop/a.txt", b"", If_Match='"other"')[0] == 412
    for name, status in (("dir", 409), ("none", 404), (".hidden", 404), ("link", 409),
                         ("../drop/x", 404), ("", 404)):
        assert send(server, "DELETE", f"/drop/{name}", b"")[0] == status, name
    assert send(server, "DELETE", "/drop/a.txt", b"")[0] == 204
    assert send(server, "DELETE", "/drop/a.txt", b"")[0] == 404
    assert uploaded(drop) == [".hidden", "dir", "link"]


# --- crashes ---

def test_a_killed_worker_leaves_only_whole_files(serve, drop):
    server = serve(conflict="replace")
    (drop / "a.bin").write_bytes(b"old" * 1000)
    new = b"new" * 100_000
    for n in range(5):  # who dies often is started again ever more slowly
        with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
            head = f"PUT /drop/a.bin HTTP/1.1\r\nHost: a\r\nContent-Length: {len(new)}\r\n\r\n"
            sock.sendall(head.encode() + new[:n * len(new) // 4])
            worker = server.workers(1)[0]
            time.sleep(0.002 * (n % 5))
            os.kill(worker, signal.SIGKILL)
            until(lambda: server.workers() not in ([], [worker]), "another worker")
        assert (drop / "a.bin").read_bytes() in (b"old" * 1000, new)
    assert uploaded(drop) == ["a.bin"]
    until(lambda: send(server, "PUT", "/drop/b.bin")[0] == 201, "service")


def test_curl_uploads_as_the_manual_shows(start, drop, tmp_path):
    server = start(config([{**files(drop, "/drop/*"), **upload(drop)}], workers=1))
    source = tmp_path / "film.mp4"
    source.write_bytes(os.urandom(300_000))
    assert curl("-f", "-T", source, server.url + "/drop/").returncode == 0
    assert curl("-f", server.url + "/drop/film.mp4").stdout == source.read_bytes()
