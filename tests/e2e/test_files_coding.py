# SPDX-License-Identifier: BSD-2-Clause
"""Files in content codings: those that programs compressed before, and what the server compresses,
decoded by the programs that people have."""

import base64
import contextlib
import gzip
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from harness import config, curl, files, read_all, send_get, until

MIB = 1 << 20
PROGRAMS = {"gzip": ["gzip", "-k"], "br": ["brotli", "-k", "-q", "5"], "zstd": ["zstd", "-q", "-k"]}
DECODERS = {"gzip": ["gzip", "-dc"], "br": ["brotli", "-dc"], "zstd": ["zstd", "-dc"]}
CODINGS = list(PROGRAMS)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is missing")


def need_curl_of(coding):
    """The programs that --compressed stands for are libraries that curl may lack."""
    feature = {"gzip": "libz", "br": "brotli", "zstd": "zstd"}[coding]
    if feature not in curl("--version").stdout.decode().split():
        pytest.skip(f"this curl is built without {feature}")


@pytest.fixture(scope="session")
def built_in(websrv):
    """Skips what wants a coding that this websrv is built without."""
    text = subprocess.run([websrv, "-V"], capture_output=True, text=True, timeout=60).stdout

    def check(coding):
        if not re.search(rf"content codings:.*\b{coding} ", text):
            pytest.skip(f"this websrv is built without {coding}")
    return check


def decode(coding, body):
    need(DECODERS[coding][0])
    done = subprocess.run(DECODERS[coding], input=body, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def field(head, name):
    found = re.findall(rf"(?im)^{name}: (.*)\r$", head)
    return found[0] if found else None


def fetch(*args, **options):
    """curl: (head, body, bytes that came over the wire)."""
    done = curl("-D", "/dev/stderr", "-o", "-", "-w", "%{stderr}size %{size_download}\n", *args,
                **options)
    assert done.returncode == 0, done.stderr
    head = done.stderr.decode("latin-1")
    return head, done.stdout, int(re.search(r"(?m)^size (\d+)$", head)[1])


# --- compressed before ---

@pytest.fixture
def pages(site):
    """A site of which every page has all siblings, as the programs make them."""
    for name in ["page.html", "dir/index.html", "na\u00efve.txt"]:
        (site / name).write_text(f"<title>{name}</title>\n" + "some text of a page\n" * 2000)
        os.utime(site / name, (1600000000, 1600000000))
        for command in PROGRAMS.values():
            need(command[0])
            subprocess.run([*command, site / name], check=True, timeout=60)
    return site


@pytest.mark.parametrize("coding", CODINGS)
def test_siblings_that_programs_made_are_sent(start, pages, coding):
    need_curl_of(coding)
    server = start(config([files(pages)]))
    ending = {"gzip": "gz", "br": "br", "zstd": "zst"}[coding]
    for name, target in [("page.html", "/page.html"), ("dir/index.html", "/dir/"),
                         ("na\u00efve.txt", "/na%C3%AFve.txt")]:
        head, body, size = fetch("--compressed", "-H", f"Accept-Encoding: {coding}",
                                 server.url + target)
        assert field(head, "Content-Encoding") == coding
        assert field(head, "Vary") == "Accept-Encoding"
        assert body == (pages / name).read_bytes()
        assert size == (pages / f"{name}.{ending}").stat().st_size < len(body) / 10


def test_curl_gets_the_best_that_it_knows(start, pages):
    server = start(config([files(pages)]))
    offered = re.search(rb"> Accept-Encoding: (.*)\r",
                        curl("-v", "--compressed", server.url + "/page.html").stderr)[1]
    head, body, _ = fetch("--compressed", server.url + "/page.html")
    best = next(c for c in ("br", "zstd", "gzip") if c in offered.decode())
    assert field(head, "Content-Encoding") == best and body == (pages / "page.html").read_bytes()
    head, body, size = fetch(server.url + "/page.html")
    assert field(head, "Content-Encoding") is None
    assert body == (pages / "page.html").read_bytes() and size == len(body)


def test_a_page_that_is_newer_than_its_siblings_is_sent_itself(start, pages):
    server = start(config([files(pages)], cache={"revalidate": 0}))
    url, page = server.url + "/page.html", pages / "page.html"
    asked = ["-H", "Accept-Encoding: gzip"]
    assert field(fetch(*asked, url)[0], "Content-Encoding") == "gzip"
    page.write_text("edited\n")
    head, body, _ = fetch(*asked, url)
    assert (field(head, "Content-Encoding"), body) == (None, b"edited\n")
    subprocess.run(["gzip", "-kf", page], check=True, timeout=60)
    head, body, _ = fetch(*asked, url)
    assert field(head, "Content-Encoding") == "gzip" and gzip.decompress(body) == b"edited\n"
    (pages / "page.html.gz").unlink()
    assert fetch(*asked, url)[1] == b"edited\n"


def test_a_compressed_download_is_resumed_in_its_coding(start, pages, tmp_path):
    server = start(config([files(pages)]))
    packed = (pages / "page.html.gz").read_bytes()
    head, body, _ = fetch("-H", "Accept-Encoding: gzip", "-r", "20-", server.url + "/page.html")
    assert field(head, "Content-Range") == f"bytes 20-{len(packed) - 1}/{len(packed)}"
    assert field(head, "Content-Encoding") == "gzip" and body == packed[20:]


# --- compressed on the way ---

def noisy_text(size):
    """Text of which compression saves only a quarter."""
    return base64.encodebytes(os.urandom(size * 3 // 4))[:size]


@pytest.mark.seconds(90)
@pytest.mark.parametrize("coding", CODINGS)
def test_a_text_that_is_compressed_on_the_way_is_the_text(start, site, built_in, coding):
    built_in(coding)
    text = noisy_text(MIB) + b"a line of the text\n" * (18 * MIB // 19) + noisy_text(MIB)
    (site / "text.txt").write_bytes(text)
    server = start(config([files(site, compress=True)], workers=1))
    head, body, _ = fetch("-H", f"Accept-Encoding: {coding}", server.url + "/text.txt",
                          seconds=60)
    assert field(head, "Content-Encoding") == coding
    assert field(head, "Transfer-Encoding") == "chunked" and len(body) < 3 * MIB
    assert decode(coding, body) == text
    head, body, _ = fetch("-0", "-H", f"Accept-Encoding: {coding}", server.url + "/text.txt",
                          seconds=60)
    assert field(head, "Transfer-Encoding") is None and field(head, "Connection") == "close"
    assert decode(coding, body) == text


@pytest.mark.parametrize("coding", CODINGS)
def test_curl_decodes_what_was_compressed_at_once(start, site, built_in, coding):
    built_in(coding)
    need_curl_of(coding)
    text = "".join(f"line {n} of a text\n" for n in range(2000)).encode()
    (site / "text.txt").write_bytes(text)
    server = start(config([files(site, compress=[coding])]))
    for _ in range(2):
        head, body, size = fetch("--compressed", server.url + "/text.txt")
        assert field(head, "Content-Encoding") == coding and body == text
        assert size == int(field(head, "Content-Length")) < len(text) / 2


def body_of(answer):
    """The body of a whole answer, out of its chunks."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b"\r\nTransfer-Encoding: chunked" not in head:
        return rest
    body = bytearray()
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if int(size, 16) == 0:
            return bytes(body)
        body += rest[:int(size, 16)]
        rest = rest[int(size, 16) + 2:]


@pytest.mark.seconds(90)
def test_beyond_what_memory_allows_to_be_compressed_the_others_are_sent_plain(
        start, site, built_in):
    built_in("zstd")  # 20 of them take the 64 MiB that there are for it
    text = noisy_text(12 * MIB)
    (site / "text.txt").write_bytes(text)
    server = start(config([files(site, compress=["zstd"])], workers=1))
    mark = b"\r\nContent-Encoding: zstd\r\n"
    asked = "Accept-Encoding: zstd\r\nConnection: close\r\n"
    with contextlib.ExitStack() as stack:
        socks, heads = [], []
        for _ in range(28):
            sock = stack.enter_context(server.connect(receive_buffer=4096, seconds=30))
            send_get(sock, "/text.txt", asked)
            socks.append(sock)
            heads.append(sock.recv(1024))
        assert [mark in head for head in heads] == [True] * 20 + [False] * 8
        assert all(b"\r\nVary: Accept-Encoding\r\n" in head for head in heads)
        assert server.get()[0] == 200
        for i in (0, 19, 20, 27):
            socks[i].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)  # not slow any more
            body = body_of(heads[i] + read_all(socks[i]))
            assert (decode("zstd", body) if mark in heads[i] else body) == text, i

    def is_packed_again():
        with server.connect() as sock:
            send_get(sock, "/text.txt", asked)
            return mark in sock.recv(1024)
    until(is_packed_again, "room for another one")


def test_a_text_that_changes_while_it_is_compressed_is_broken_off(start, site, built_in):
    built_in("gzip")
    path = site / "text.txt"
    path.write_bytes(noisy_text(24 * MIB))
    server = start(config([files(site, compress=["gzip"])], workers=1))
    with server.connect(receive_buffer=4096) as sock:
        send_get(sock, "/text.txt", "Accept-Encoding: gzip\r\n")
        first = sock.recv(1024)
        assert b"\r\nContent-Encoding: gzip\r\n" in first
        time.sleep(0.1)
        path.write_bytes(noisy_text(24 * MIB))
        data = first + read_all(sock)
    assert not data.endswith(b"\r\n0\r\n\r\n")
    assert server.get()[0] == 200
