# SPDX-License-Identifier: BSD-2-Clause
"""The upload page in headless Chromium against websrv itself; what it does when a server fails
in ways of its own is test_browser_upload.py."""

import contextlib
import os
import signal
import socket
import threading

import pytest

from harness import STAGING, config, sha256_of, until, upload
from test_browser_upload import (DESKTOP, MB, ROWS, STORED, act, all_are, hook, linked,  # noqa: F401
                                 make)

HAS_REGEX = "regular expressions: PCRE2"
# Whether a file that arrived can be fetched was asked, and answered.
HAS_ASKED = """performance.getEntriesByType('resource').some(
    (e) => /\\/drop\\/[^./][^/]+$/.test(e.name))"""


def same(drop, path):
    return sha256_of(path) == sha256_of(drop / os.path.basename(path))


@pytest.mark.seconds(60)
@pytest.mark.parametrize("shown", [False, True])
def test_files_arrive_and_are_linked_where_they_can_be_read(run, start, drop, act, make,  # noqa: F811
                                                            shown):
    if shown and HAS_REGEX not in run("-V").stdout:
        pytest.skip("built without PCRE2")
    reading = {"path_regex": "^/drop/[^/]+$", "files": {"root": str(drop)}}
    server = start(config([upload(drop), *([reading] if shown else [])], workers=2))
    paths = [make("one.bin", 3 * MB + 1), make("na\u00efve \u65e5\u672c.txt", 1000),
             make("empty.txt", 0), make("50% & more#.txt", 65536)]
    rows, stored = act(DESKTOP, ("open", server.url + "/drop/"), ("files", ["#file", *paths]),
                       ("until", all_are("done", 4)),
                       ("until", linked(4) if shown else HAS_ASKED),
                       ("evaluate", ROWS), ("evaluate", STORED))
    assert all(same(drop, path) for path in paths) and stored == 0
    if shown:
        assert all(row["link"].startswith(server.url + "/drop/") for row in rows)
        assert "%E6%97%A5" in rows[1]["link"]
    else:
        assert [row["link"] for row in rows] == [None] * 4


@pytest.mark.seconds(60)
def test_a_name_that_is_there_and_a_file_that_is_too_large_are_told(serve, drop, act,  # noqa: F811
                                                                    make):  # noqa: F811
    server = serve(max_size="1M")
    (drop / "there.bin").write_bytes(b"x")
    rows = act(DESKTOP, ("open", server.url + "/drop/"),
               ("files", ["#file", make("there.bin", 1000), make("large.bin", MB + 1)]),
               ("until", all_are("failed", 2)), ("evaluate", ROWS))[0]
    assert "1.0 MB" in rows[1]["text"], rows
    assert (drop / "there.bin").read_bytes() == b"x"


@pytest.mark.seconds(90)
def test_a_worker_that_is_killed_costs_nothing(serve, drop, act, make):  # noqa: F811
    server = serve(workers=2)
    path = make("film.bin", 0)
    with open(path, "wb") as f:
        for _ in range(200):
            f.write(os.urandom(MB))
    ends = threading.Event()

    def kill_some():
        for size in (20 * MB, 120 * MB):
            while not ends.wait(0.01):
                parts = list((drop / STAGING).glob("*.part")) if (
                    drop / STAGING).is_dir() else []
                if parts and parts[0].stat().st_size > size:
                    break
            for pid in server.workers():
                os.kill(pid, signal.SIGKILL)
    thread = threading.Thread(target=kill_some)
    thread.start()
    try:
        act(DESKTOP, ("open", server.url + "/drop/"), ("files", ["#file", path]),
            ("until", all_are("done")))
    finally:
        ends.set()
        thread.join()
    assert same(drop, path)
    server.wait_for_log("was killed by signal 9", count=4)
    until(lambda: len(server.workers()) == 2, "both workers are back")


def test_without_script_the_answer_says_what_is_stored(serve, drop, act, make):  # noqa: F811
    server, paths = serve(), [make("na\u00efve.txt", 1000), make("b.bin", 3 * MB)]
    plain = {**DESKTOP, "javaScriptEnabled": False}
    text = "document.querySelector('main, body').innerText"
    send = [("open", server.url + "/drop/"), ("files", ["#file", *paths]), ("click", "button")]
    stored, url = act(plain, *send, ("shot", "form-stored"), ("evaluate", text),
                      ("click", "main p a"), ("evaluate", "location.href"))[:2]
    assert stored.startswith("2 files are stored")
    assert "1.0\u00a0kB" in stored and "3.1\u00a0MB" in stored
    assert url == server.url + "/drop/"
    assert "na\u00efve.txt" in stored and "b.bin" in stored
    assert all(same(drop, path) for path in paths)
    refused = act(plain, *send, ("shot", "form-refused"), ("evaluate", text))[0]
    assert "A file of that name is here already; nothing of the form was stored." in refused


# What a page asks the network itself: to be there again, and whether it stands still by now.
GO_ON, IS_STILL = b"GET /go-on ", b"GET /is-still "
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d"


class Network:
    """A way to a server. When so many bytes went through it is cut, and whoever sends something
    then is thrown out, until a page asks for /go-on. Later, at another count, the connection that
    brings it there stands still for ever, and nobody is told."""

    def __init__(self, port, cut_at, still_at):
        self.port, self.cut_at, self.still_at = port, cut_at, still_at
        self.passed, self.cuts, self.is_cut, self.stills = 0, 0, False, 0
        self.lock, self.ends = threading.Lock(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.port))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def passes(self, count):
        with self.lock:
            self.passed += count
            if self.cuts == 0 and self.passed > self.cut_at:
                self.cuts, self.is_cut = 1, True
            is_still = self.stills == 0 and self.passed > self.still_at
            self.stills += is_still
        if is_still:
            self.ends.wait()
        return not self.is_cut

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                if piece.startswith(GO_ON):
                    self.is_cut = False
                    source.sendall(ANSWER % 1)
                elif piece.startswith(IS_STILL):
                    source.sendall(ANSWER % self.stills)
                elif self.passes(len(piece)):
                    sink.sendall(piece)
                else:
                    break
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        source.close()  # with a reset, where bytes are still to be read

    def close(self):
        self.ends.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.mark.seconds(90)
def test_a_cut_network_and_a_tab_loaded_anew_cost_nothing(serve, drop, act, make):  # noqa: F811
    server, path = serve(workers=2), make("film.bin", 64 * MB)
    network = Network(server.port, 16 * MB, 48 * MB)
    broken, _, past, after = act(
        DESKTOP, ("open", network.url + "/drop/"), ("files", ["#file", path]),
        ("until", all_are("broken")), ("shot", "network-cut"), ("evaluate", ROWS),
        ("evaluate", hook("go-on")), ("until", hook("is-still")), ("reload",),
        ("shot", "network-reloaded"), ("evaluate", ROWS), ("files", ["#file", path]),
        ("until", all_are("done")), ("shot", "network-done"), ("evaluate", ROWS))
    network.close()
    assert network.cuts == network.stills == 1
    assert broken[0]["progress"] <= 0.5 and [row["state"] for row in past] == ["past"]
    assert after[0]["state"] == "done" and same(drop, path)
    # What was there already did not go through again.
    assert network.passed < 64 * MB * 1.5


def test_tus_js_client_stops_and_goes_on(serve, drop, in_browser, modules, make):  # noqa: F811
    if not (modules / "tus-js-client").is_dir():
        pytest.skip("tus-js-client is missing; run npm install in tests/e2e/browser")
    server = serve(workers=2)
    path = make("film.bin", 5 * MB + 7)
    seen = in_browser("tus.js", server.url + "/drop/", path, "na\u00efve film.bin")
    with open(path, "rb") as f:
        assert (drop / "na\u00efve film.bin").read_bytes() == f.read()
    methods = [method for method, _ in seen["statuses"]]
    assert methods.count("POST") == 1 and methods.count("HEAD") == 1
    assert all(status in (200, 201, 204) for _, status in seen["statuses"])
    assert seen["offsets"] == sorted(seen["offsets"]) and seen["offsets"][-1] == 5 * MB + 7
