# SPDX-License-Identifier: BSD-2-Clause
"""One life of the server under valgrind: no descriptor and no byte is left after a stop."""

import re
import shutil

import pytest

from harness import config, files, read_answer, send_get, upload

# Inherited or opened on purpose: the standard three, and valgrind's own log.
STANDARD = {"0", "1", "2"}

pytestmark = [pytest.mark.skipif(not shutil.which(program), reason=f"{program} is missing")
              for program in ("valgrind",)]


@pytest.fixture(autouse=True)
def no_sanitizers(sanitized):
    if sanitized:
        pytest.skip("valgrind cannot run a program with sanitizers")


def left_open(log):
    """Descriptors at exit, from --track-fds, but for the standard three and valgrind's log."""
    assert "FILE DESCRIPTORS:" in log
    found = re.findall(r"Open (?:file descriptor|AF_\w+ socket) (\d+):.*((?:\n==\d+==    .*)*)",
                       log)
    return [(number, where) for number, where in found
            if number not in STANDARD and "<inherited from parent>" not in where]


@pytest.mark.seconds(120)
def test_nothing_is_leaked(start, site, drop, tmp_path):
    (site / "big.bin").write_bytes(b"x" * (4 << 20))
    (site / "404.html").write_text("<p>not here</p>\n")
    logs = tmp_path / "valgrind"
    logs.mkdir()
    conf = config(
        [files(site), upload(drop, conflict="replace"),
         {"path": "/old/*", "redirect": {"to": "/dir/*"}}],
        workers=2, pid_file=str(tmp_path / "pid"), timeouts={"shutdown": "20s"},
        logs={"access": {"to": str(tmp_path / "access.log")}},
        server={"listen": ["127.0.0.1:0", f"unix:{tmp_path}/http.sock"],
                "error_pages": {"404": "/404.html"}, "redirects": {"/home": "/"}})
    server = start(conf, patience=60, wrapper=[
        "valgrind", "--track-fds=yes", "--leak-check=full", "--show-leak-kinds=all",
        "--error-exitcode=99", "--trace-children=no", f"--log-file={logs}/%p"])

    wanted = [("GET", "/hello.txt", 200), ("GET", "/", 200), ("HEAD", "/dir/", 200),
              ("GET", "/big.bin", 200), ("GET", "/nowhere", 404), ("GET", "/home", 302),
              ("GET", "/old/x", 302), ("GET", "/dir", 308), ("DELETE", "/hello.txt", 405),
              ("OPTIONS", "/hello.txt", 204), ("GET", "/%00", 400)]
    for method, target, status in wanted * 2:  # both workers see most of them
        assert server.request(method, target, seconds=30)[0] == status
    for n in range(4):
        assert server.request("PUT", f"/drop/{n % 2}", body=b"x" * 100_000, seconds=30)[0] in (201,
                                                                                             204)
    chunks = iter([b"one", b"two"])
    assert server.request("PUT", "/drop/chunked", body=chunks, seconds=30)[0] == 201

    with server.connect(seconds=30) as garbage:
        garbage.sendall(b"GET\r\n\r\n")
        assert read_answer(garbage)[0] == 400
    with server.connect(seconds=30) as aborted:
        aborted.sendall(b"PUT /drop/aborted HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length: 100000\r\n\r\n" + b"x" * 5000)
    left, _ = server.slow_reader("/big.bin")
    left.close()
    server.kill(10)  # SIGUSR1: logs are reopened
    server.wait_for_log("logs reopened")
    with server.connect(seconds=30) as idle, server.connect(seconds=30) as half, \
            server.connect(seconds=30) as uploading:
        send_get(idle)
        assert read_answer(idle)[0] == 200
        half.sendall(b"GET /hello.txt HT")
        uploading.sendall(b"PUT /drop/late HTTP/1.1\r\nHost: localhost\r\n"
                          b"Content-Length: 10\r\n\r\nhello")
        server.kill(15)
        server.wait_for_log("SIGTERM: finishing")
        half.close()
        uploading.sendall(b"world")
        assert read_answer(uploading)[0] == 201
    assert server.wait(60) == 0

    written = {path.name: path.read_text() for path in logs.iterdir()}
    assert len(written) == 3, "a supervisor and two workers"
    assert str(server.pid) in written
    for pid, log in written.items():
        assert re.search(r"ERROR SUMMARY: 0 errors", log), log
        assert "no leaks are possible" in log or (
            re.search(r"definitely lost: 0 bytes", log) and
            re.search(r"indirectly lost: 0 bytes", log) and
            re.search(r"still reachable: 0 bytes", log)), log
        assert left_open(log) == [], f"process {pid}:\n{log}"
