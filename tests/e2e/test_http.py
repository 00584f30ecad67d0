# SPDX-License-Identifier: BSD-2-Clause
"""HTTP as real clients speak it: curl, and readers that are slow, early or gone."""

import hashlib
import os
import socket
import subprocess
import threading
import time

import pytest

from harness import (STAGING, config, cpu_seconds, curl, files, make_old, read_all, read_answer,
                     send_get, sha256_of, until, upload)

MIB = 1 << 20


def status_of(done):
    """Of curl -w %{http_code} with the body thrown away."""
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def code(*args, **options):
    output = () if "-o" in args else ("-o", os.devnull)
    return status_of(curl(*output, "-w", "%{http_code}", *args, **options))


@pytest.fixture
def server(start, site, drop):
    """Files at /, uploads at /drop/, which may also be read at /in/."""
    return start(config([files(site), upload(drop), files(drop, "/in/*")], workers=2,
                        server={"redirects": {"/old.html": "/new.html", "/new.html": "/hello.txt"}},
                        cache={"revalidate": "100ms"}))


# --- reading ---

def test_get(server):
    done = curl("-i", server.url + "/hello.txt")
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert body == b"hello, world\n" and head.startswith(b"HTTP/1.1 200 OK\r\n")
    for field in (b"Content-Length: 13", b"Content-Type: text/plain; charset=utf-8", b"ETag: ",
                  b"Last-Modified: ", b"Date: "):
        assert b"\r\n" + field in head


def test_head_is_get_without_the_body(server):
    def fields(text):
        return {line for line in text.decode().splitlines() if not line.startswith("Date:")}
    head = curl("--head", server.url + "/hello.txt").stdout
    get = curl("-D", "-", "-o", os.devnull, server.url + "/hello.txt").stdout
    assert fields(head) == fields(get)


def test_http_1_0(server):
    done = curl("--http1.0", "-i", server.url + "/hello.txt")
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert body == b"hello, world\n" and b"Connection: close" in head


def test_a_copy_that_is_fresh_is_not_sent_again(server, tmp_path):
    copy = tmp_path / "copy.txt"
    url = server.url + "/hello.txt"
    assert code("-R", "-o", copy, url) == 200
    assert code("-z", copy, url) == 304
    os.utime(copy, (0, 86400))
    assert code("-z", copy, url) == 200


def test_an_etag_that_still_holds_gives_304(server):
    url = server.url + "/hello.txt"
    etag = server.get()[1]["ETag"]
    assert code("-H", f"If-None-Match: {etag}", url) == 304
    assert code("-H", f'If-None-Match: "other", W/{etag}', url) == 304
    assert code("-H", 'If-None-Match: "other"', url) == 200


def test_curl_can_keep_and_use_etags(server, tmp_path):
    keep, url = tmp_path / "etag", server.url + "/hello.txt"
    assert code("--etag-save", keep, url) == 200
    assert code("--etag-compare", keep, url) == 304


def test_redirects_are_followed(server):
    done = curl("-L", "-w", "%{num_redirects} %{url_effective}", server.url + "/old.html")
    assert done.stdout == f"hello, world\n2 {server.url}/hello.txt".encode()
    done = curl("-L", "-w", "%{url_effective}", "-o", os.devnull, server.url + "/dir")
    assert done.stdout == f"{server.url}/dir/".encode()


def test_a_connection_is_used_again(server):
    url = server.url + "/hello.txt"
    done = curl("-v", url, url, server.url + "/nowhere", url)
    assert done.stderr.count(b"Re-using existing connection") == 3
    assert done.stdout.count(b"hello, world\n") == 3


def test_a_connection_is_used_again_after_a_304_and_a_head(server):
    url = server.url + "/hello.txt"
    done = curl("-v", "-H", "If-None-Match: *", url, "--next", "-sS", "-v", "--head", url, "--next",
                "-sS", "-v", url)
    assert done.stderr.count(b"Re-using existing connection") == 2


def test_ipv6(start, site):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as e:
        pytest.skip(f"no IPv6 here: {e}")
    server = start(config([files(site)], server={"listen": ["[::1]:0"]}))
    done = curl("-g", f"http://[::1]:{server.port}/hello.txt")
    assert done.stdout == b"hello, world\n"


def test_unix_socket(start, site, tmp_path):
    path = tmp_path / "http.sock"
    server = start(config([files(site)], workers=2, server={"listen": [f"unix:{path}"]}))
    for _ in range(10):
        done = curl("--unix-socket", path, "http://localhost/hello.txt")
        assert done.stdout == b"hello, world\n"
    assert server.stop() == 0
    assert not path.exists()


def test_a_unix_socket_that_was_left_behind_is_taken_over(start, site, tmp_path):
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    start(config([files(site)], server={"listen": [f"unix:{path}"]}))
    assert curl("--unix-socket", path, "http://localhost/hello.txt").stdout == b"hello, world\n"


def test_virtual_hosts(start):
    def host(name, *names):
        return {"listen": ["127.0.0.1:0"], "names": list(names),
                "routes": [{"path": "/", "respond": {"status": 200, "body": name}}]}
    server = start({"workers": 1, "servers": [
        host("first", "first.example.org"), host("second", "second.example.org"),
        host("wild", "*.example.org")]})

    def asked_for(name):
        return curl("-H", f"Host: {name}", server.url + "/").stdout.decode()
    assert asked_for("first.example.org") == "first"
    assert asked_for("second.example.org") == "second"
    assert asked_for("SECOND.Example.org:8080") == "second"
    assert asked_for("other.example.org") == "wild"
    assert asked_for("unknown.example.com") == "first"
    done = curl("--resolve", f"second.example.org:{server.port}:127.0.0.1",
                f"http://second.example.org:{server.port}/")
    assert done.stdout == b"second"


# --- big and slow ---

@pytest.fixture
def big(site):
    """100 MiB, mostly holes, with some bytes to tell its parts apart."""
    path = site / "big.bin"
    with open(path, "wb") as f:
        for n in range(100):
            f.seek(n * MIB + 1000 * n)
            f.write(b"part %d" % n)
        f.truncate(100 * MIB)
    return path


@pytest.mark.seconds(60)
def test_a_big_file_arrives_whole(server, big, tmp_path):
    copy = tmp_path / "copy"
    assert code("-o", copy, server.url + "/big.bin") == 200
    assert sha256_of(copy) == sha256_of(big)
    fields = curl("--head", server.url + "/big.bin").stdout
    assert b"Content-Length: %d\r\n" % (100 * MIB) in fields


def test_files_beyond_4_gib_have_their_true_length(server, site):
    with open(site / "huge.bin", "wb") as f:
        f.truncate(5 << 30)
    assert b"Content-Length: %d\r\n" % (5 << 30) in curl("--head", server.url + "/huge.bin").stdout
    sock, head = server.slow_reader("/huge.bin")
    sock.close()
    assert b"Content-Length: %d\r\n" % (5 << 30) in head


def test_a_slow_download_does_not_slow_others(start, site, big):
    server = start(config([files(site)], workers=1))
    slow = subprocess.Popen(["curl", "-q", "-s", "--noproxy", "*", "--limit-rate", "200k", "-o",
                             os.devnull, server.url + "/big.bin"])
    try:
        time.sleep(0.5)
        assert all(server.get()[0] == 200 for _ in range(100))
        cpu = cpu_of(server)
        time.sleep(1)
        assert slow.poll() is None, "the others had to wait for its end"
        assert cpu_of(server) - cpu < 0.7, "it spins while the client is slow"
    finally:
        slow.terminate()
        slow.wait(60)


def cpu_of(server):
    return sum(map(cpu_seconds, server.workers()))


def test_many_downloads_at_a_time_are_all_whole(start, site):
    (site / "part.bin").write_bytes(os.urandom(3 * MIB + 17))
    wanted = sha256_of(site / "part.bin")
    server = start(config([files(site)], workers=2))
    found = []

    def fetch():
        body = server.get("/part.bin")[2]
        found.append(hashlib.sha256(body).digest())
    threads = [threading.Thread(target=fetch) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 24


def test_a_file_truncated_while_it_is_sent_ends_in_a_broken_connection(start, site):
    path = site / "shrinks.bin"
    path.write_bytes(b"x" * (32 * MIB))
    server = start(config([files(site)], workers=1))
    slow, first = server.slow_reader("/shrinks.bin")
    assert b"Content-Length: %d\r\n" % (32 * MIB) in first
    os.truncate(path, MIB)
    body = (first + read_all(slow)).partition(b"\r\n\r\n")[2]
    assert len(body) < 32 * MIB and set(body) == {ord("x")}
    assert server.get()[0] == 200
    assert "killed by signal" not in server.log()


def test_a_file_that_grows_while_it_is_sent_keeps_its_first_length(start, site):
    path = site / "grows.bin"
    path.write_bytes(b"x" * (16 * MIB))
    server = start(config([files(site)], workers=1))
    slow, first = server.slow_reader("/grows.bin")
    with open(path, "ab") as f:
        f.write(b"y" * MIB)
    data = bytearray(first)
    while len(data.partition(b"\r\n\r\n")[2]) < 16 * MIB:
        data += slow.recv(MIB)
    send_get(slow)
    status, _, body = read_answer(slow)
    slow.close()
    assert b"y" not in data.partition(b"\r\n\r\n")[2]
    assert (status, body) == (200, b"hello, world\n")


@pytest.mark.parametrize("size", [10, 200_000], ids=["in memory", "as a file"])
@pytest.mark.parametrize("revalidate", [0, "100ms"])
def test_a_replaced_file_shows_its_new_version(start, site, revalidate, size):
    server = start(config([files(site)], workers=2, cache={"revalidate": revalidate}))
    path = site / "page.txt"
    path.write_bytes(b"1" * size)
    first = [server.get("/page.txt") for _ in range(8)][-1]
    new = site / "page.new"
    new.write_bytes(b"2" * size)
    os.utime(new, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))  # the worst case
    new.rename(path)
    time.sleep(0.15)
    for _ in range(8):
        status, fields, body = server.get("/page.txt")
        assert (status, body) == (200, b"2" * size)
        assert fields["ETag"] != first[1]["ETag"]
    path.unlink()
    time.sleep(0.15)
    assert [server.get("/page.txt")[0] for _ in range(8)] == [404] * 8


def test_a_file_that_appears_is_found(start, site):
    server = start(config([files(site)], workers=2, cache={"revalidate": "100ms"}))
    assert [server.get("/later.txt")[0] for _ in range(8)] == [404] * 8
    (site / "later.txt").write_text("here now\n")
    time.sleep(0.15)
    assert [server.get("/later.txt")[2] for _ in range(8)] == [b"here now\n"] * 8


# --- uploads ---

@pytest.fixture
def sent(tmp_path):
    """A file to be sent."""
    path = tmp_path / "sent.bin"
    path.write_bytes(os.urandom(3 * MIB + 1))
    return path


def test_put_from_a_file(server, drop, sent):
    done = curl("-i", "-T", sent, server.url + "/drop/a.bin")
    assert b"HTTP/1.1 201 Created\r\n" in done.stdout
    assert b"\r\nLocation: /drop/a.bin\r\n" in done.stdout
    assert (drop / "a.bin").read_bytes() == sent.read_bytes()
    assert curl(server.url + "/in/a.bin").stdout == sent.read_bytes()


def test_put_to_the_collection_takes_the_name_of_the_file(server, drop, sent):
    assert code("-T", sent, server.url + "/drop/") == 201
    assert (drop / "sent.bin").read_bytes() == sent.read_bytes()


def test_put_from_a_pipe_is_chunked(server, drop, sent):
    done = curl("-v", "-T", "-", server.url + "/drop/a.bin", input=sent.read_bytes())
    assert b"Transfer-Encoding: chunked" in done.stderr and b"201 Created" in done.stderr
    assert (drop / "a.bin").read_bytes() == sent.read_bytes()


def test_a_big_put_waits_for_100_continue(server, drop, sent):
    done = curl("-v", "--expect100-timeout", "20", "-H", "Expect: 100-continue", "-T", sent,
                server.url + "/drop/a.bin", seconds=60)
    assert done.returncode == 0 and b"< HTTP/1.1 100 Continue" in done.stderr
    assert (drop / "a.bin").read_bytes() == sent.read_bytes()


def test_an_empty_put_makes_an_empty_file(server, drop):
    assert code("-T", os.devnull, server.url + "/drop/empty.txt") == 201
    assert (drop / "empty.txt").read_bytes() == b""


def test_mode_of_uploads_is_as_configured(start, drop, sent):
    server = start(config([upload(drop, mode="0604")]))
    assert code("-T", sent, server.url + "/drop/a.bin") == 201
    assert (drop / "a.bin").stat().st_mode & 0o7777 == 0o604


def test_put_onto_an_existing_file_is_409(server, drop, sent):
    (drop / "a.bin").write_text("precious")
    assert code("-T", sent, server.url + "/drop/a.bin") == 409
    assert (drop / "a.bin").read_text() == "precious"


def test_of_many_puts_of_one_name_one_wins(server, drop):
    statuses = []

    def put(n):
        statuses.append(server.request("PUT", "/drop/a.txt", body=bytes([65 + n]) * 50_000)[0])
    threads = [threading.Thread(target=put, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 7
    body = (drop / "a.txt").read_bytes()
    assert len(body) == 50_000 and len(set(body)) == 1
    assert os.listdir(drop) == ["a.txt"]


def test_a_put_beyond_max_size_is_413_and_leaves_nothing(start, drop, sent):
    server = start(config([upload(drop, max_size="1M")]))
    assert code("-T", sent, server.url + "/drop/a.bin") == 413
    assert code("-H", "Expect:", "-T", sent, server.url + "/drop/a.bin") == 413
    assert code("-H", "Expect:", "-T", "-", server.url + "/drop/a.bin",
                input=sent.read_bytes()) == 413
    assert os.listdir(drop) == []


@pytest.mark.parametrize("how", ["close", "half close", "reset", "chunked close"])
def test_a_put_that_is_broken_off_leaves_nothing(start, drop, how):
    server = start(config([upload(drop)], workers=1), args=["-e", "debug", "-c", "websrv.json"])
    sock = server.connect()
    framing = b"Transfer-Encoding: chunked" if "chunked" in how else b"Content-Length: 1000000"
    sock.sendall(b"PUT /drop/a.bin HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n")
    sock.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
    time.sleep(0.2)
    assert not (drop / "a.bin").exists()
    if how == "half close":
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(20)
        sock.recv(1000)
    elif how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    server.wait_for_log(r"conn 1 .*close: ")
    assert os.listdir(drop) == []


def test_a_worker_killed_during_a_put_leaves_no_half_file(start, drop):
    server = start(config([upload(drop)], workers=1))
    with server.connect() as sock:
        sock.sendall(b"PUT /drop/a.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
                     b"\r\n" + b"x" * 10000)
        time.sleep(0.2)
        os.kill(server.workers(1)[0], 9)
        server.wait_for_log("starts again")
    assert not (drop / "a.bin").exists()


def test_readers_see_the_old_or_the_new_file_while_it_is_replaced(start, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    route = {**files(shared), **upload(shared, "/*", conflict="replace", mode="0644")}
    server = start(config([route], workers=2, cache={"revalidate": 0}))
    size = 300_000
    assert server.request("PUT", "/a.txt", body=b"0" * size)[0] == 201
    wrong, seen, done = [], set(), threading.Event()

    def read():
        while not done.is_set():
            status, fields, body = server.get("/a.txt")
            if status != 200 or len(body) != size or len(set(body)) != 1:
                wrong.append((status, len(body), set(body)))
            seen.add((fields["ETag"], body[:1]))
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for n in range(60):
        status = server.request("PUT", "/a.txt", body=b"%d" % (n % 10) * size)[0]
        if status != 204:
            wrong.append(status)
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong and len(seen) > 2
    assert len({etag for etag, _ in seen}) == len(seen), "one ETag for two contents"
    assert [n for n in os.listdir(shared) if n != STAGING] == ["a.txt"]
    assert os.listdir(os.path.join(shared, STAGING)) == []


def test_a_guarded_put_does_not_overwrite_what_it_has_not_seen(start, tmp_path, sent):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "a.txt").write_text("first")
    make_old(shared / "a.txt")
    route = {**files(shared), **upload(shared, "/*", conflict="replace", mode="0644")}
    server = start(config([route], cache={"revalidate": 0}))
    url, etag = server.url + "/a.txt", server.get("/a.txt")[1]["ETag"]
    assert code("-T", sent, "-H", 'If-Match: "other"', url) == 412
    assert code("-T", sent, "-H", "If-None-Match: *", url) == 412
    assert (shared / "a.txt").read_text() == "first"
    assert code("-T", sent, "-H", f"If-Match: {etag}", url) == 204
    assert (shared / "a.txt").read_bytes() == sent.read_bytes()


@pytest.mark.disk("1m")
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_full_disk_is_507_and_leaves_nothing(start, small_disk, sent, framing):
    server = start(config([upload(small_disk)], workers=1))
    if framing == "length":
        status = code("-T", sent, server.url + "/drop/a.bin")
    else:
        status = code("-H", "Expect:", "-T", "-", server.url + "/drop/a.bin",
                      input=sent.read_bytes())
    assert status == 507
    assert os.listdir(small_disk) == []
    why = "bytes are free, too few" if framing == "length" else "No space left on device"
    assert why in server.log()
    free = os.statvfs(small_disk)
    until(lambda: os.statvfs(small_disk).f_bfree == free.f_blocks, "the space to be free again")
    assert server.request("PUT", "/drop/b.txt", body=b"small")[0] == 201
