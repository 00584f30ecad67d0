# SPDX-License-Identifier: BSD-2-Clause
"""Files as download programs fetch them: in parts, in turns, again only when they have changed."""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import config, curl, files, make_old, send_get, sha256_of, until

MIB = 1 << 20
GIB = 1 << 30


def fetch(*args, **options):
    """curl: (status, head, body); without -o the body is what it prints."""
    done = curl("-D", "/dev/stderr", *args, **options)
    head = done.stderr.decode("latin-1")
    statuses = re.findall(r"(?m)^HTTP/1\.1 (\d+)", head)
    assert statuses, (done.returncode, head)
    return int(statuses[-1]), head, done.stdout


def field(head, name):
    values = re.findall(rf"(?im)^{name}: (.*)\r$", head)
    assert len(values) == 1, f"{name} in {head}"
    return values[0]


@pytest.fixture(params=[0, 3600], ids=["just written", "long ago"])
def data(site, request):
    """A file of which every part is another, and its bytes."""
    path = site / "data.bin"
    path.write_bytes(os.urandom(3 * MIB + 12345))
    then = time.time() - request.param
    os.utime(path, (then, then))
    return path


@pytest.fixture
def server(start, site):
    return start(config([files(site)], workers=2, cache={"revalidate": "100ms"},
                        logs={"access": {"to": "access.log", "format": "json"}}))


def parts_of(server, count):
    """How many 206 the access log tells of, once it has so many lines."""
    log = server.directory / "access.log"
    until(lambda: log.exists() and log.read_text().count("\n") >= count, "the access log")
    return len(re.findall(r'"status": ?206\b', log.read_text()))


# --- ranges ---

@pytest.mark.parametrize("asked, first, last", [
    ("0-9", 0, 9), ("0-0", 0, 0), ("3000000-", 3000000, None), ("-10", -10, None),
    ("1000000-2000000", 1000000, 2000000), ("3145700-99999999", 3145700, None),
    ("-99999999", 0, None)])
def test_curl_takes_a_range(server, data, asked, first, last):
    whole = data.read_bytes()
    end = len(whole) if last is None else last + 1
    wanted = whole[first:end]
    status, head, body = fetch("-r", asked, server.url + "/data.bin")
    assert status == 206 and body == wanted
    begin = end - len(wanted)
    assert field(head, "Content-Range") == f"bytes {begin}-{end - 1}/{len(whole)}"
    assert field(head, "Content-Length") == str(len(wanted))


def test_curl_takes_several_ranges(server, data):
    whole = data.read_bytes()
    status, head, body = fetch("-r", "10-19,1000000-2500000,-7", server.url + "/data.bin")
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", field(head, "Content-Type"))[1]
    pieces = body.split(f"\r\n--{boundary}".encode())
    assert status == 206 and len(body) == int(field(head, "Content-Length"))
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    assert [p.partition(b"\r\n\r\n")[2] for p in pieces[1:-1]] == \
        [whole[10:20], whole[1000000:2500001], whole[-7:]]


def test_curl_asks_for_what_is_not_there(server, data):
    status, head, _ = fetch("-r", "99999999-", server.url + "/data.bin")
    assert status == 416
    assert field(head, "Content-Range") == f"bytes */{data.stat().st_size}"
    assert curl("-f", "-r", "99999999-", server.url + "/data.bin").returncode == 22


@pytest.mark.parametrize("who", ["client", "worker"])
def test_a_download_that_was_cut_is_resumed(start, site, tmp_path, who):
    path, copy = site / "long.bin", tmp_path / "copy.bin"
    path.write_bytes(os.urandom(64 * MIB))
    server = start(config([files(site)], workers=1))
    url = server.url + "/long.bin"
    with subprocess.Popen(["curl", "-q", "-s", "--noproxy", "*", "--limit-rate", "9M", "-o", copy,
                           url]) as first:
        until(lambda: copy.exists() and copy.stat().st_size > 200_000, "some bytes")
        os.kill(first.pid if who == "client" else server.workers(1)[0], signal.SIGKILL)
        assert first.wait(60) != 0
    had = copy.stat().st_size
    assert 200_000 < had < 64 * MIB
    if who == "worker":
        server.wait_for_log("starts again")
    status, head, _ = fetch("-C", "-", "-o", copy, url)
    assert status == 206 and field(head, "Content-Range").startswith(f"bytes {had}-")
    assert sha256_of(copy) == sha256_of(path)
    curl("-C", "-", "-o", copy, url)  # when it is complete already
    assert sha256_of(copy) == sha256_of(path)


def test_a_download_that_was_cut_is_begun_anew_when_the_file_is_another(server, site):
    url, path, new = server.url + "/data.bin", site / "data.bin", site / "new"
    path.write_bytes(os.urandom(MIB))
    os.utime(path, (1600000000, 1600000000))
    etag = field(fetch("--head", url)[1], "ETag")
    assert fetch("-C", "1000", "-H", f"If-Range: {etag}", url)[0] == 206
    new.write_bytes(os.urandom(MIB))
    os.utime(new, (1600000000, 1600000000))
    new.rename(path)
    time.sleep(0.2)
    status, _, body = fetch("-r", "1000-", "-H", f"If-Range: {etag}", url)
    assert status == 200 and body == path.read_bytes()


# --- many parts at a time ---

@pytest.mark.seconds(90)
@pytest.mark.parametrize("age", [0, 3600], ids=["just written", "long ago"])
def test_aria2_fetches_eight_parts_at_a_time(server, site, tmp_path, age):
    if not shutil.which("aria2c"):
        pytest.skip("aria2c is missing")
    path = site / "random.bin"
    path.write_bytes(os.urandom(50 * MIB))
    then = time.time() - age
    os.utime(path, (then, then))
    done = subprocess.run(["aria2c", "--no-conf", "--quiet", "--all-proxy=", "--no-proxy=*",
                           "--file-allocation=none", "-x8", "-s8", "-k1M", "-d", tmp_path, "-o",
                           "copy.bin", server.url + "/random.bin"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sha256_of(tmp_path / "copy.bin") == sha256_of(path)
    assert parts_of(server, 8) >= 7


# --- beyond 4 GiB ---

@pytest.fixture
def huge(site):
    """5 GiB of holes, with some bytes at 4 GiB and at the end."""
    path = site / "huge.bin"
    with open(path, "wb") as f:
        f.truncate(5 * GIB)
        f.seek(4 * GIB - 5)
        f.write(b"0123456789")
        f.seek(5 * GIB - 4)
        f.write(b"last")
    return path


@pytest.mark.parametrize("age", [0, 3600], ids=["just written", "long ago"])
def test_parts_of_a_file_beyond_4_gib(server, huge, age):
    then = time.time() - age
    os.utime(huge, (then, then))
    url = server.url + "/huge.bin"
    assert field(fetch("--head", url)[1], "Content-Length") == str(5 * GIB)
    status, head, body = fetch("-r", f"{4 * GIB - 5}-{4 * GIB + 4}", url)
    assert (status, body) == (206, b"0123456789")
    assert field(head, "Content-Range") == f"bytes {4 * GIB - 5}-{4 * GIB + 4}/{5 * GIB}"
    assert fetch("-r", f"{4 * GIB}-{4 * GIB}", url)[2] == b"5"
    assert fetch("-r", "-4", url)[2] == fetch("-C", str(5 * GIB - 4), url)[2] == b"last"
    status, head, body = fetch("-r", f"{4 * GIB - 1}-{4 * GIB},-2,0-0", url)
    assert status == 206
    assert re.findall(rb"\r\n\r\n(..?)\r\n", body) == [b"45", b"st", b"\0"]
    status, head, _ = fetch("-r", f"{5 * GIB}-", url)
    assert status == 416 and field(head, "Content-Range") == f"bytes */{5 * GIB}"


def test_a_part_of_more_than_4_gib_has_its_true_length(server, huge):
    with server.connect(receive_buffer=4096) as sock:
        send_get(sock, "/huge.bin", f"Range: bytes=7-{5 * GIB - 2}\r\n")
        head = sock.recv(1024).decode("latin-1").partition("\r\n\r\n")[0] + "\r\n"
    assert field(head, "Content-Length") == str(5 * GIB - 8)
    assert field(head, "Content-Range") == f"bytes 7-{5 * GIB - 2}/{5 * GIB}"


# --- what is there already ---

@pytest.mark.parametrize("date, back", [
    ("Sun, 13 Sep 2020 12:26:40 GMT", 304), ("Sun, 13 Sep 2020 12:26:39 GMT", 200),
    ("20200914", 304), ("20200912", 200),
    ("-Sun, 13 Sep 2020 12:26:41 GMT", 200), ("-20200912", 412)])
def test_curl_asks_by_date(server, site, date, back):
    os.utime(site / "hello.txt", (1600000000, 1600000000))
    status, _, body = fetch("-z", date, server.url + "/hello.txt")
    assert status == back and (back != 200 or body == b"hello, world\n")


def test_a_copy_with_the_time_of_the_file_is_fresh_until_it_changes(server, site, tmp_path):
    copy, url = tmp_path / "copy.txt", server.url + "/hello.txt"
    os.utime(site / "hello.txt", (1600000000, 1600000000))
    assert fetch("-R", "-o", copy, url)[0] == 200
    assert int(copy.stat().st_mtime) == 1600000000
    assert fetch("-z", copy, "-R", "-o", copy, url)[0] == 304
    assert copy.read_text() == "hello, world\n"
    (site / "hello.txt").write_text("changed\n")
    time.sleep(0.2)
    assert fetch("-z", copy, "-R", "-o", copy, url)[0] == 200
    assert copy.read_text() == "changed\n"


def test_a_tag_that_was_kept_holds_when_it_becomes_strong_and_not_when_the_file_changes(
        server, site, tmp_path):
    tag, copy, url = tmp_path / "tag", tmp_path / "copy.txt", server.url + "/hello.txt"

    def ask():
        return fetch("--etag-compare", tag, "--etag-save", tag, "-o", copy, url)[0]
    tag.touch()
    (site / "hello.txt").write_text("first\n")
    make_old(site / "hello.txt", -5)  # it will be young for some seconds
    assert ask() == 200 and tag.read_text().startswith('W/"')
    until(lambda: not field(fetch("--head", url)[1], "ETag").startswith("W/"), "a strong tag")
    assert ask() == 304 and copy.read_text() == "first\n"
    (site / "hello.txt").write_text("other\n")  # of the same length
    time.sleep(0.2)
    assert ask() == 200 and copy.read_text() == "other\n"
