# SPDX-License-Identifier: BSD-2-Clause
"""The status pages of a running server: metrics that Prometheus reads and that add up over the
workers, the page, and health while draining."""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import (PATIENCE, config, files, read_all, read_answer, send_get, until, upload)

PAGES = [{"path": "/healthz", "status": "health"}, {"path": "/metrics", "status": "metrics"},
         {"path": "/status", "status": "page"}]

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")


def parse(text):
    """The text format 0.0.4, strictly: {name: {labels: value}}. HELP and TYPE stand once, before
    the samples of their name, which stand together."""
    assert text.endswith("\n") and "\r" not in text
    families, types, current, helped = {}, {}, None, None
    for line in text[:-1].split("\n"):
        if comment := re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line):
            what, name, rest = comment.groups()
            if what == "HELP":
                assert name not in families, f"again: {line}"
                current, helped, families[name] = name, name, {}
                continue
            assert name == helped == current and name not in types, f"without HELP: {line}"
            assert not families[name] and rest in ("counter", "gauge"), line
            types[name] = rest
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, f"not understood: {line!r}"
        name, labels, value = sample.groups()
        assert name == current and name in types, f"out of its place: {line}"
        assert labels not in families[name], f"twice: {line}"
        families[name][labels] = float(value) if "." in value else int(value)
    for name, kind in types.items():
        assert families[name], f"{name} has no sample"
        assert name.startswith("websrv_")
        assert name.endswith("_total") == (kind == "counter"), name
    return families


def metrics(server):
    status, fields, body = server.get("/metrics")
    assert status == 200
    assert fields["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert fields["Cache-Control"] == "no-store"
    return parse(body.decode("ascii"))


def value(families, name, labels=None):
    return families["websrv_" + name][labels]


@pytest.mark.parametrize("text", [
    "x 1\n", "# HELP websrv_x y\nwebsrv_x 1\n", "# HELP websrv_x y\n# TYPE websrv_x gauge\n",
    "# HELP websrv_x y\n# TYPE websrv_x counter\nwebsrv_x 1\n",
    "# HELP websrv_x y\n# TYPE websrv_x gauge\nwebsrv_x 1\nwebsrv_x 1\n",
    "# HELP websrv_x y\n# TYPE websrv_x gauge\nwebsrv_x{a=1} 1\n",
    "# HELP websrv_x y\n# TYPE websrv_x gauge\nwebsrv_x 1"])
def test_the_parser_is_strict(text):
    with pytest.raises(AssertionError):
        parse(text)


def test_metrics_are_well_formed(start, site, run):
    server = start(config([files(site), *PAGES], workers=2))
    found = metrics(server)
    version = run("-V").stdout.split()[1]
    assert value(found, "build_info", f'version="{version}"') == 1
    assert abs(value(found, "start_time_seconds") - time.time()) < 60
    assert value(found, "workers") == 2
    assert value(found, "connections_open") >= 1
    assert 'reason="header_timeout"' in found["websrv_connections_closed_total"]


def test_promtool_finds_nothing(start, site, top):
    promtool = shutil.which("promtool") or shutil.which(top / "build/promtool/usr/bin/promtool")
    if not promtool:
        print("promtool is not here (Debian package prometheus, or ./dev test)")
        pytest.skip("promtool is not here (Debian package prometheus, or ./dev test)")
    server = start(config([files(site), *PAGES]))
    done = subprocess.run([promtool, "check", "metrics"], input=server.get("/metrics")[2],
                          capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0 and not done.stdout + done.stderr, done


def test_counters_of_all_workers_grow_as_they_should(start, site, tmp_path):
    (tmp_path / "drop").mkdir()
    moved = {"path": "/moved", "redirect": {"to": "/hello.txt"}}
    broken = {"path": "/broken", "respond": {"status": 500}}
    server = start(config([files(site), upload(tmp_path / "drop"), moved, broken, *PAGES],
                          workers=2))
    before = metrics(server)
    for _ in range(40):
        assert server.get()[0] == 200
    for target, status in [("/moved", 302), ("/none", 404), ("/broken", 500)]:
        for _ in range(status // 100):
            assert server.get(target)[0] == status
    body = b"u" * 30000
    assert server.request("PUT", "/drop/u", body)[0] == 201

    def grown(name, labels=None):
        return value(after, name, labels) - value(before, name, labels)

    def settled():
        """An answer is counted when it has left: that may be after the client has it."""
        nonlocal after
        after = metrics(server)
        return grown("responses_total", 'class="2xx"') >= 41 and \
            grown("connections_closed_total", 'reason="done"') + \
            grown("connections_closed_total", 'reason="peer"') >= 53
    after = None
    until(settled, "all answers to be counted")
    own = grown("connections_accepted_total") - 53  # so often settled() has asked
    assert own >= 1 and grown("requests_total") == 53 + own
    # The answer that we count by is not counted yet, and the one before perhaps not either.
    assert grown("responses_total", 'class="2xx"') in (40 + own, 41 + own)
    assert grown("responses_total", 'class="3xx"') == 3
    assert grown("responses_total", 'class="4xx"') == 4
    assert grown("responses_total", 'class="5xx"') == 5
    assert grown("files_uploaded_total") == 1
    assert grown("received_bytes_total") > len(body)
    assert grown("sent_bytes_total") > 40 * len(b"hello, world\n")
    assert grown("connections_refused_total") == 0


def test_open_connections_are_a_gauge_over_all_workers(start, site):
    server = start(config([files(site), *PAGES], workers=2))
    held = [server.connect() for _ in range(20)]
    for sock in held:
        send_get(sock)
        read_answer(sock)
    assert value(metrics(server), "connections_open") == 21
    for sock in held:
        sock.close()
    until(lambda: value(metrics(server), "connections_open") == 1, "the connections to end")


def test_reasons_of_closed_connections_are_counted(start, site):
    server = start(config([files(site), *PAGES], workers=2,
                          timeouts={"idle": "300ms", "header": "300ms"}))

    def closed(reason):
        return value(metrics(server), "connections_closed_total", f'reason="{reason}"')

    assert closed("idle") == closed("header_timeout") == closed("refused") == 0
    for _ in range(3):
        read_all(server.connect())
    until(lambda: closed("idle") == 3, "three idle connections")
    with server.connect() as sock:
        sock.sendall(b"GET /hello.txt HTTP/1.1\r\n")
        assert b" 408 " in read_all(sock)
    until(lambda: closed("header_timeout") == 1, "one header timeout")
    with server.connect() as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert b" 400 " in read_all(sock)
    until(lambda: closed("refused") == 1, "one refused request")
    # What was accepted is open or has ended.
    found = metrics(server)
    assert value(found, "connections_accepted_total") == \
        value(found, "connections_open") + sum(found["websrv_connections_closed_total"].values())


def test_counters_outlive_a_worker(start, site):
    server = start(config([files(site), *PAGES], workers=1))
    for _ in range(10):
        assert server.get()[0] == 200
    began = value(metrics(server), "start_time_seconds")
    os.kill(server.workers(1)[0], signal.SIGKILL)
    server.wait_for_log("serves again")
    found = metrics(server)
    assert value(found, "requests_total") >= 12
    assert value(found, "start_time_seconds") == began


def test_the_page_tells_the_same(start, site):
    server = start(config([files(site), *PAGES], workers=2))
    for _ in range(5):
        assert server.get("/none")[0] == 404
    until(lambda: re.search(r"Answers 4xx, client errors</th><td>5</td>",
                            server.get("/status")[2].decode()), "five errors on the page")
    status, fields, body = server.get("/status")
    assert status == 200 and fields["Cache-Control"] == "no-store"
    assert b"Workers</th><td>2</td>" in body and b">Serving</b>" in body


def test_health_is_503_while_the_worker_drains(start, site):
    server = start(config([files(site), *PAGES], workers=1))
    assert server.get("/healthz")[::2] == (200, b"ok\n")
    late = {}
    for target in ["/healthz", "/status", "/hello.txt"]:
        late[target] = server.connect()
        late[target].sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n".encode())
    assert server.get("/healthz")[0] == 200  # those before have been taken
    server.kill(signal.SIGTERM)
    server.wait_for_log("SIGTERM: finishing")
    until(lambda: is_draining(server), "the worker to take no more connections")
    answers = {}
    for target, sock in late.items():
        sock.sendall(b"\r\n")
        answers[target] = read_answer(sock)
        sock.close()
    assert answers["/healthz"][0] == 503 and answers["/healthz"][2] == b"draining\n"
    assert "Cache-Control: no-store" in answers["/healthz"][1]
    assert b">Draining</b>" in answers["/status"][2]
    assert answers["/hello.txt"][0] == 200
    assert server.wait() == 0


def is_draining(server):
    """The listening socket is gone when the worker knows."""
    try:
        server.connect().close()
        return False
    except ConnectionRefusedError:
        return True
