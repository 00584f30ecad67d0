# SPDX-License-Identifier: BSD-2-Clause
"""The access log and the error log: every request, one line, nothing that could harm a reader."""

import datetime
import json
import re
import signal
import socket

import pytest

from harness import (Load, Server, config, files, is_closed, read_answer, send_get, until, upload)

COMBINED = re.compile(
    r'(?P<peer>\S+) - - \[(?P<time>[^]]+)\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) '
    r'(?P<sent>\d+|-) "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"')


@pytest.fixture
def logged(start, site, drop, tmp_path):
    """A server with an access log, and a function that stops it and returns its lines."""
    path = tmp_path / "access.log"

    def make(form="combined", **more):
        server = start(config([files(site), upload(drop)], logs={
            "access": {"to": str(path), "format": form}}, **more))

        def lines():
            assert server.stop() == 0
            text = path.read_bytes()
            assert text == b"" or text.endswith(b"\n")
            return text.decode("latin-1").split("\n")[:-1]
        return server, lines
    return make


def test_combined_lines_have_every_part(logged):
    server, lines = logged()
    server.get("/hello.txt?a=b", headers={"Referer": "http://example.org/", "User-Agent": "x/1"})
    server.get("/nowhere", headers={"User-Agent": "x/1"})
    found = [COMBINED.fullmatch(line).groupdict() for line in lines()]
    when = datetime.datetime.strptime(found[0].pop("time"), "%d/%b/%Y:%H:%M:%S %z")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 30
    assert found[0] == {"peer": "127.0.0.1", "request": "GET /hello.txt?a=b HTTP/1.1",
                        "status": "200", "sent": "13", "referer": "http://example.org/",
                        "agent": "x/1"}
    assert found[1]["status"] == "404" and found[1]["referer"] == "-"


def test_json_lines_have_every_part(logged):
    server, lines = logged("json")
    server.get("/hello.txt?a=b", headers={"Referer": "http://example.org/", "User-Agent": "x/1",
                                          "Host": "Example.ORG:80"})
    server.request("PUT", "/drop/a.txt", body=b"hello")
    server.request("HEAD", "/hello.txt")
    first, put, head = [json.loads(line) for line in lines()]
    when = datetime.datetime.strptime(first.pop("time"), "%Y-%m-%dT%H:%M:%SZ")
    assert abs((datetime.datetime.utcnow() - when).total_seconds()) < 30
    assert 0 <= first.pop("duration_ms") < 10000
    assert first == {"remote": "127.0.0.1", "host": "example.org", "method": "GET",
                     "target": "/hello.txt?a=b", "protocol": "HTTP/1.1", "status": 200,
                     "sent": 13, "received": 0, "referer": "http://example.org/",
                     "user_agent": "x/1"}
    assert (put["method"], put["status"], put["received"]) == ("PUT", 201, 5)
    assert (head["method"], head["status"], head["sent"]) == ("HEAD", 200, 0)
    assert "referer" not in head


@pytest.mark.parametrize("form", ["combined", "json"])
def test_quotes_backslashes_and_foreign_bytes_are_escaped(logged, form):
    """Some terminals take U+009B for ESC [, encoded as it is in UTF-8."""
    server, lines = logged(form)
    sock = server.connect()
    sock.sendall(b'GET /hello.txt?" HTTP/1.1\r\nHost: localhost\r\nReferer: a"b\\c\td\r\n'
                 b"User-Agent: \xff\xc3\xa9 \xc2\x9b2J \xe2\x80\xa8 end\r\n\r\n")
    read_answer(sock)
    sock.close()
    all_lines = lines()
    assert all(re.fullmatch(r"[ -~]*", line) for line in all_lines)
    if form == "json":
        line = json.loads(all_lines[0])
        assert line["referer"] == 'a"b\\c\td' and line["user_agent"].endswith(" end")
    else:
        parts = COMBINED.fullmatch(all_lines[0])
        assert parts and parts["agent"].endswith(" end") and "\\x09" in parts["referer"]


@pytest.mark.parametrize("form", ["combined", "json"])
@pytest.mark.parametrize("raw", [
    b"GET /\x1b]2;owned\x07 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\x1b[2Jb\r\n\r\n",
    b'GET /"\r\nfake - - [] "GET / HTTP/1.1" 200 HTTP/1.1\r\n\r\n',
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /hello.txt HTTP/1.1\r\nHost: a\"b\r\n\r\n",
], ids=["in the target", "in a field", "a second line", "TLS", "in the host"])
def test_what_is_no_request_is_one_harmless_line(logged, form, raw):
    server, lines = logged(form)
    sock = server.connect()
    sock.sendall(raw)
    status = read_answer(sock)[0]
    sock.close()
    assert status == 400
    all_lines = lines()
    assert len(all_lines) == 1 and re.fullmatch(r"[ -~]+", all_lines[0])
    if form == "json":
        assert json.loads(all_lines[0])["status"] == 400
    else:
        assert COMBINED.fullmatch(all_lines[0])["status"] == "400"


def test_an_aborted_download_is_logged_with_what_was_sent(logged, site):
    (site / "big.bin").write_bytes(b"x" * (32 << 20))
    server, lines = logged("json", workers=1)
    sock, _ = server.slow_reader("/big.bin")
    sock.close()
    server.get()
    by_target = {line["target"]: line for line in map(json.loads, lines())}
    assert by_target["/big.bin"]["status"] == 200
    assert by_target["/big.bin"]["sent"] < 32 << 20


def test_an_aborted_upload_is_logged(logged):
    server, lines = logged("json", workers=1)
    sock = server.connect()
    sock.sendall(b"PUT /drop/a.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhello")
    sock.close()
    server.get()
    assert {json.loads(line)["target"] for line in lines()} == {"/drop/a.bin", "/hello.txt"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_after_a_stop_the_access_log_has_every_request(logged, number):
    server, lines = logged(workers=2)
    sock = server.connect()
    for n in range(300):
        send_get(sock, f"/hello.txt?{n}")
        assert read_answer(sock)[0] == 200
    for n in range(50):
        server.get(f"/hello.txt?x{n}")
    server.kill(number)
    assert is_closed(sock)
    sock.close()
    assert server.wait() == 0
    text = [COMBINED.fullmatch(line)["request"] for line in read(server)]
    wanted = [*(f"{n}" for n in range(300)), *(f"x{n}" for n in range(50))]
    assert sorted(text) == sorted(f"GET /hello.txt?{n} HTTP/1.1" for n in wanted)


def read(server):
    path = json.loads(server.config.read_text())["logs"]["access"]["to"]
    with open(path) as f:
        return f.read().splitlines()


def test_under_load_no_line_is_torn(logged):
    server, lines = logged(workers=2)
    with Load(server, "/hello.txt?" + "x" * 300, seconds=1) as load:
        pass
    all_lines = lines()
    assert len(all_lines) >= load.answered > 0
    assert all(COMBINED.fullmatch(line) for line in all_lines)


def test_lines_appear_soon_not_only_at_the_end(logged, tmp_path):
    server, _ = logged()
    server.get()
    until((tmp_path / "access.log").read_text, "the line")


class Quiet(Server):
    """A server whose error log is a file."""

    def log(self):
        path = self.directory / "logs" / "error.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def quiet(websrv, tmp_path, site):
    """All logs in a directory of their own."""
    (tmp_path / "logs").mkdir()
    conf = config([files(site)], workers=2, logs={"error": {"to": "logs/error.log"},
                                                  "access": {"to": "logs/access.log"}})
    server = Quiet(websrv, tmp_path, conf)
    server.wait_until_ready()
    yield server
    assert not server.finish()


def test_the_error_log_goes_to_a_file(quiet):
    assert quiet.stop() == 0
    assert quiet.stderr.read_text() == ""
    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning) \[\d+\] [ -~]+\n"
    assert re.fullmatch(f"({line})+", quiet.log())
    assert "listening on 127.0.0.1:" in quiet.log() and quiet.log().rstrip().endswith("stopped")


def test_the_error_log_is_reopened_for_workers_too(quiet, tmp_path):
    (tmp_path / "logs" / "error.log").rename(tmp_path / "logs" / "error.log.1")
    quiet.kill(signal.SIGUSR1)
    quiet.wait_for_log("logs reopened")
    old = (tmp_path / "logs" / "error.log.1").read_text()
    workers = quiet.workers()
    quiet.expected_status = -signal.SIGKILL
    quiet.stop(signal.SIGKILL)
    for pid in workers:  # the last words of a worker
        until(lambda: f"[{pid}] the supervisor is gone" in quiet.log(), "the last words")
    assert (tmp_path / "logs" / "error.log.1").read_text() == old


def test_access_log_null_is_off(start, site, tmp_path):
    server = start(config([files(site)], logs={"access": None}))
    server.get()
    assert server.stop() == 0
    assert "GET" not in server.log()


def test_the_access_log_may_go_to_stderr(start, site):
    server = start(config([files(site)], logs={"access": {"to": "stderr"}}))
    server.get("/hello.txt?here")
    assert server.stop() == 0
    assert '"GET /hello.txt?here HTTP/1.1" 200 13' in server.log()


def test_logs_that_cannot_be_reopened_stay_the_old_ones(quiet, tmp_path):
    port, logs, away = quiet.port, tmp_path / "logs", tmp_path / "away"
    logs.rename(away)
    quiet.kill(signal.SIGUSR1)
    until(lambda: (away / "error.log").read_text().count("cannot reopen") == 2, "two complaints")
    for name in ("error.log", "access.log"):
        assert re.search(rf"cannot reopen \S*/logs/{name}: No such file or directory; the old "
                         "file stays in use", (away / "error.log").read_text())
    with socket.create_connection(("127.0.0.1", port)) as sock:
        send_get(sock, "/hello.txt?after")
        read_answer(sock)
    assert quiet.stop() == 0
    assert "GET /hello.txt?after" in (away / "access.log").read_text()
    assert not logs.exists()


def test_a_full_disk_under_the_access_log_is_told_and_service_goes_on(start, site):
    server = start(config([files(site)], workers=1, logs={"access": {"to": "/dev/full"}}))
    assert [server.get()[0] for _ in range(5)] == [200] * 5
    server.wait_for_log(r"error .*access log: No space left on device; \d+ lines? lost")
    assert server.get()[0] == 200
