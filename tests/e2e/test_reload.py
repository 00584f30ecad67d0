# SPDX-License-Identifier: BSD-2-Clause
"""SIGHUP: a new configuration takes over, and no client notices."""

import http.client
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
from harness import (PATIENCE, Server, body_of, config, files, is_alive, is_closed, is_refused,
                     is_root, read_all, read_answer, run, sanitizer_reports, send_get, until,
                     upload, wait_until_open, wait_until_read)

BIG = 8 << 20


@pytest.fixture
def big(site):
    """A file that no socket buffer holds."""
    data = os.urandom(1 << 20) * (BIG >> 20)
    (site / "big.bin").write_bytes(data)
    return data


def says(text, path="/v"):
    return {"path": path, "respond": {"status": 200, "body": text}}


def reload(server, conf=None, word="reloaded:"):
    """HUP, and waits until it is over; `word` tells how."""
    if conf is not None:
        server.config.write_text(conf if isinstance(conf, str) else json.dumps(conf))
    count = len(re.findall(word, server.log()))
    server.kill(signal.SIGHUP)
    return server.wait_for_log(word, count=count + 1)


def refused_reload(server, conf=None):
    """The same for one that must fail: what the log said about it."""
    before = len(server.log())
    reload(server, conf, "reload failed; the old configuration goes on")
    return server.log()[before:]


def ask(server, target="/v"):
    status, _, body = server.get(target)
    assert status == 200
    return body.decode()


def metric(server, name):
    text = server.get("/metrics")[2].decode()
    return float(re.search(rf"^websrv_{name} (\S+)$", text, re.M)[1])


METRICS = {"path": "/metrics", "status": "metrics"}


# --- what takes effect ---

def test_a_changed_configuration_answers_from_the_moment_it_is_told(start):
    server = start(config([says("old")], workers=2))
    assert ask(server) == "old"
    for n in range(5):
        reload(server, config([says(f"new {n}")], workers=2))
        assert [ask(server) for _ in range(20)] == [f"new {n}"] * 20
    assert server.process.poll() is None


def test_the_workers_are_new_and_the_supervisor_is_not(start):
    server = start(config([says("x")], workers=2))
    before = set(server.workers(2))
    reload(server)
    after = until(lambda: not before & set(server.workers()) and server.workers(2), "new workers")
    assert len(after) == 2


def test_a_changed_include_takes_effect(start, tmp_path):
    part = tmp_path / "part.json"
    part.write_text(json.dumps(config([says("old")])))
    server = start(json.dumps({"include": [str(part)]}))
    assert ask(server) == "old"
    part.write_text(json.dumps(config([says("new")])))
    reload(server)
    assert ask(server) == "new"


def test_a_changed_redirect_table_takes_effect(start, site, tmp_path):
    table = tmp_path / "table"
    table.write_text("/a /old\n")
    server = start(config([files(site)], server={"redirects": str(table)}))
    assert server.get("/a")[1]["Location"].endswith("/old")
    table.write_text("/a /new\n/b /other\n")
    reload(server)
    assert server.get("/a")[1]["Location"].endswith("/new")
    assert server.get("/b")[1]["Location"].endswith("/other")


def test_a_root_that_was_replaced_is_opened_anew(start, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").write_text("old")
    server = start(config([files(root)]))
    root.rename(tmp_path / "root.old")
    root.mkdir()
    (root / "a").write_text("new")
    assert ask(server, "/a") == "old"
    reload(server)
    assert ask(server, "/a") == "new"


def test_options_of_the_command_line_stay(websrv, start, site):
    server = start(None, args=["-e", "debug", "-l", "127.0.0.1:0", str(site)])
    port = server.port
    reload(server)
    assert server.port == port and server.get()[0] == 200
    assert len(re.findall(r" debug .*worker 0 serves with", server.log())) == 2


@pytest.mark.parametrize("counts", [[3, 1, 3], [2, 5, 1, 4]], ids=str)
def test_the_number_of_workers_follows(start, site, counts):
    server = start(config([files(site)], workers=1))
    for count in counts:
        reload(server, config([files(site)], workers=count))
        server.workers(count)
        assert all(server.get()[0] == 200 for _ in range(30))


@pytest.mark.parametrize("backend", ["poll", "select"])
def test_the_event_backend_may_change(start, backend):
    server = start(config([says("x")]))
    reload(server, config([says("x")], event_backend=backend,
                          logs={"error": {"to": "stderr", "level": "debug"}}))
    server.wait_for_log(f"serves with {backend}")
    assert ask(server) == "x"


@pytest.mark.skipif(not is_root, reason="only root can become another user")
def test_new_workers_become_the_new_user(start):
    server = start(config([says("x")]))
    old, = server.workers(1)
    reload(server, config([says("x")], user="nobody"))
    new = until(lambda: set(server.workers()) - {old} and server.workers(1), "a new worker")
    uid = pwd.getpwnam("nobody").pw_uid
    assert f"Uid:\t{uid}\t{uid}\t{uid}" in pathlib.Path(f"/proc/{new[0]}/status").read_text()
    assert "Uid:\t0\t0\t0" in pathlib.Path(f"/proc/{server.pid}/status").read_text()


def test_what_needs_a_restart_is_said(start, tmp_path):
    first, second = tmp_path / "first.pid", tmp_path / "second.pid"
    server = start(config([says("x")], pid_file=str(first)))
    reload(server, config([says("x")], pid_file=str(first)))
    assert "takes effect after a restart" not in server.log()
    reload(server, config([says("x")], pid_file=str(second)))
    server.wait_for_log("pid_file changed: takes effect after a restart")
    assert first.exists() and not second.exists()
    assert server.stop() == 0
    assert not first.exists()


# --- what is refused ---

def test_a_bad_configuration_leaves_the_old_one_serving_and_tells_every_place(start):
    server = start(config([says("old"), METRICS], workers=2))
    workers = server.workers(2)
    said = refused_reload(server, '{\n "wrokers": 2,\n "limits": {"header_count": "x"}\n}')
    assert re.search(r"error .*websrv\.json:2:2: /wrokers: unknown key; did you mean", said)
    assert re.search(r"error .*websrv\.json:3:\d+: /limits/header_count: ", said)
    assert ask(server) == "old" and server.workers() == workers
    assert metric(server, "config_last_reload_successful") == 0
    reload(server, config([says("new"), METRICS], workers=2))
    assert ask(server) == "new"
    assert metric(server, "config_last_reload_successful") == 1
    assert abs(metric(server, "config_last_reload_success_timestamp_seconds") - time.time()) < 30


def test_a_configuration_that_is_gone_or_no_file_is_refused(start, tmp_path):
    server = start(config([says("old")]))
    server.config.unlink()
    assert "cannot be read" in refused_reload(server)
    os.mkfifo(server.config)
    assert "only a regular file" in refused_reload(server)
    assert ask(server) == "old"


def test_a_root_that_is_missing_is_told_with_its_place(start, site, tmp_path):
    server = start(config([files(site)]))
    said = refused_reload(server, config([files(tmp_path / "missing")]))
    assert re.search(r"websrv\.json:\d+:\d+: /servers/0/routes/0/files/root: ", said)
    assert server.get()[0] == 200


def test_a_log_that_cannot_be_opened_is_refused(start, tmp_path):
    server = start(config([says("old")]))
    said = refused_reload(server, config([says("new")], logs={
        "access": {"to": str(tmp_path / "missing" / "access.log")}}))
    assert "/logs/access/to: cannot open the access log" in said
    assert ask(server) == "old"


@pytest.mark.parametrize("log", ["access", "error"])
def test_a_log_that_is_a_pipe_without_a_reader_is_not_waited_for(start, tmp_path, log):
    os.mkfifo(tmp_path / "pipe")
    server = start(config([says("old")]))
    logs = {log: {"to": str(tmp_path / "pipe")}}
    said = refused_reload(server, config([says("new")], logs=logs))
    assert f"/logs/{log}/to: cannot open the {log} log" in said
    assert ask(server) == "old"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_an_address_in_use_undoes_the_others(start, tmp_path):
    path = tmp_path / "new.sock"
    server = start(config([says("old")]))
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        used = taken.getsockname()[1]
        said = refused_reload(server, config([says("new")], server={"listen": [
            f"127.0.0.1:{port}", f"unix:{path}", "127.0.0.1:0", f"127.0.0.1:{used}"]}))
    assert f"cannot listen on 127.0.0.1:{used}: Address already in use" in said
    assert ask(server) == "old"
    assert is_refused(port) and not path.exists()


def test_workers_that_cannot_start_leave_the_old_ones_serving(websrv, tmp_path):
    """The supervisor can open all roots once more, but a worker, which has its copies, cannot."""
    roots = [tmp_path / f"root{n}" for n in range(40)]
    for root in roots:
        root.mkdir()
    (roots[0] / "a").write_text("old")
    directory = tmp_path / "server"
    directory.mkdir()
    path = directory / "new.sock"
    server = Server(websrv, directory, config([files(roots[0])], workers=1))
    (roots[0] / "hello.txt").write_text("hello, world\n")
    try:
        server.wait_until_ready()
        workers = server.workers(1)
        fds = len(os.listdir(f"/proc/{server.pid}/fd"))
        limit = fds + len(roots) + 20
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
        routes = [files(root, f"/{n}/*") for n, root in enumerate(roots)]
        with Clients(server, 4, True) as clients:
            for _ in range(5):
                said = refused_reload(server, config(routes, workers=3, server={
                    "listen": ["127.0.0.1:0", f"unix:{path}"]}))
                until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) == fds, "their end")
        assert clients.failed == [] and clients.answered > 0
        assert "Too many open files" in said
        assert "a worker of the new configuration cannot start" in said
        assert ask(server, "/a") == "old" and not path.exists()
        assert server.workers() == workers
        reload(server, config([files(roots[0]), says("new")], workers=2))
        assert ask(server) == "new"
        assert server.stop() == 0
    finally:
        server.finish()
    assert not sanitizer_reports(directory)


# --- nobody notices ---

class Clients:
    """Requests without a pause; each that fails is kept. With `close` each has a connection of
    its own, else connections are kept until the server closes them."""

    def __init__(self, server, count, close):
        self.server, self.close, self.over = server, close, False
        self.answered, self.failed = 0, []
        self.threads = [threading.Thread(target=self.work) for _ in range(count)]

    def work(self):
        connection = None
        while not self.over:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.server.port,
                                                            timeout=PATIENCE)
                connection.request("GET", "/hello.txt")
                answer = connection.getresponse()
                data = answer.read()
                if answer.status != 200 or data != b"hello, world\n":
                    self.failed.append((answer.status, data))
                self.answered += 1
                if self.close or answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as e:
                self.failed.append(repr(e))
                connection = None
        if connection is not None:
            connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join(PATIENCE)


@pytest.mark.seconds(90)
@pytest.mark.parametrize("close", [True, False], ids=["a connection each", "kept connections"])
def test_no_request_fails_in_twenty_reloads(start, site, close):
    server = start(config([files(site)], workers=2))
    with Clients(server, 4, close) as clients:
        for n in range(20):
            reload(server, config([files(site)], workers=n % 3 + 1))
            time.sleep(0.05)
    assert clients.failed == []
    assert clients.answered > 100


@pytest.mark.seconds(90)
@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is missing")
@pytest.mark.parametrize("fields", [["-H", "Connection: close"], []],
                         ids=["a connection each", "kept connections"])
def test_no_request_fails_in_twenty_reloads_under_full_load(start, site, fields):
    server = start(config([files(site)], workers=2))
    load = subprocess.Popen(["wrk", "-t1", "-c24", "-d6s", f"--timeout={PATIENCE}s", *fields,
                             server.url + "/hello.txt"],
                            stdout=subprocess.PIPE, text=True)
    for n in range(20):
        reload(server, config([files(site)], workers=n % 3 + 1))
        time.sleep(0.1)
    out, _ = load.communicate(timeout=60)
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    assert int(re.search(r"(\d+) requests in", out)[1]) > 100


def test_a_long_download_runs_to_its_end(start, site, big):
    server = start(config([files(site)], workers=1, timeouts={"shutdown": "20s"}))
    old, = server.workers(1)
    slow, first = server.slow_reader("/big.bin")
    reload(server, config([files(site), says("new")], workers=1))
    assert ask(server) == "new"
    assert is_alive(old)
    assert body_of(first + read_all(slow)) == big
    until(lambda: not is_alive(old), "the end of the old worker")


def test_an_upload_runs_to_its_end_and_is_seen_by_the_new_workers(start, drop):
    conf = config([{**files(drop), **upload(drop, "/*", conflict="replace")}], workers=2,
                  timeouts={"shutdown": "20s"}, cache={"revalidate": "60s"})
    server = start(conf)
    assert server.request("PUT", "/f", body=b"old")[0] == 201
    assert server.get("/f")[2] == b"old"
    with server.connect() as sock:
        sock.sendall(b"PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nnew")
        wait_until_read(sock)
        reload(server, conf)
        assert [server.get("/f")[2] for _ in range(9)] == [b"old"] * 9
        sock.sendall(b"est")
        assert re.match(rb"HTTP/1\.1 20[14] ", read_all(sock))
    assert [server.get("/f")[2] for _ in range(9)] == [b"newest"] * 9


def test_an_idle_connection_ends_and_a_busy_one_gets_its_answer_with_close(start, site):
    server = start(config([files(site)], workers=1))
    with server.connect() as idle, server.connect() as busy:
        send_get(idle)
        read_answer(idle)
        wait_until_read(busy)
        busy.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: x\r\n")
        wait_until_read(busy)
        reload(server)
        assert is_closed(idle)
        busy.sendall(b"\r\n")
        status, head, _ = read_answer(busy)
        assert status == 200 and "connection: close" in head.lower()
        assert is_closed(busy)


def test_who_has_connected_but_not_asked_yet_is_answered(start, site):
    server = start(config([files(site)], workers=1))
    with server.connect() as fresh:
        time.sleep(0.1)
        reload(server)
        time.sleep(0.3)
        send_get(fresh)
        assert read_answer(fresh)[0] == 200


def test_a_health_check_on_an_old_connection_is_fine_until_the_server_stops(start):
    server = start(config([{"path": "/health", "status": "health"}], workers=1))
    for stopping in (False, True):
        with server.connect() as checker:
            checker.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
            wait_until_read(checker)
            if stopping:
                server.kill(signal.SIGTERM)
                server.wait_for_log("SIGTERM: finishing")
                time.sleep(0.2)
            else:
                reload(server)
            checker.sendall(b"\r\n")
            assert read_answer(checker)[0] == (503 if stopping else 200)
    assert server.wait() == 0


def test_a_silent_connection_does_not_hold_the_old_worker(start, site):
    server = start(config([files(site)], workers=1))
    old, = server.workers(1)
    with server.connect():
        time.sleep(0.1)
        reload(server)
        until(lambda: not is_alive(old), "the end of the old worker")


def test_the_deadline_of_the_old_configuration_ends_the_old_workers(start, site, big):
    server = start(config([files(site)], workers=1, timeouts={"shutdown": "1s"}))
    old, = server.workers(1)
    slow, first = server.slow_reader("/big.bin")
    reload(server, config([files(site)], workers=1, timeouts={"shutdown": "60s"}))
    server.wait_for_log("shutdown deadline: breaking off 1 connection")
    until(lambda: not is_alive(old), "the end of the old worker")
    assert len(read_all(slow)) + len(first) < len(big)
    assert server.get()[0] == 200


# --- addresses ---

def get_from(address):
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as sock:
        sock.settimeout(60)
        sock.connect(address)
        send_get(sock, "/v")
        return read_answer(sock)[2]


def test_addresses_are_added_and_removed(start):
    one, two = free_port(), free_port()

    def conf(*ports):
        return config([says("x")], workers=2,
                      server={"listen": ["127.0.0.1:0", *(f"127.0.0.1:{p}" for p in ports)]})

    server = start(conf(one))
    assert get_from(("127.0.0.1", one)) == b"x" and is_refused(two)
    reload(server, conf(one, two))
    assert get_from(("127.0.0.1", one)) == get_from(("127.0.0.1", two)) == b"x"
    reload(server, conf(two))
    assert get_from(("127.0.0.1", two)) == b"x" and is_refused(one)
    server.wait_for_log(f"no longer listening on 127.0.0.1:{one}")
    assert len(re.findall(rf" listening on 127.0.0.1:{two}$", server.log(), re.M)) == 1
    reload(server, conf(one))
    assert get_from(("127.0.0.1", one)) == b"x" and is_refused(two)


def test_a_wider_address_takes_the_port_over(start):
    port = free_port()
    server = start(config([says("old")], server={"listen": [f"127.0.0.1:{port}"]}))
    reload(server, config([says("new")], server={"listen": [f"0.0.0.0:{port}"]}))
    assert get_from(("127.0.0.1", port)) == b"new"
    reload(server, config([says("newer")], server={"listen": [f"127.0.0.1:{port}"]}))
    assert get_from(("127.0.0.1", port)) == b"newer"


def test_a_unix_socket_is_kept_added_and_removed(start, tmp_path):
    kept, other = tmp_path / "kept.sock", tmp_path / "other.sock"
    server = start(config([says("1")], workers=2,
                          server={"listen": [f"unix:{kept}", "127.0.0.1:0"]}))
    inode = kept.stat().st_ino
    reload(server, config([says("2")], workers=2,
                          server={"listen": ["127.0.0.1:0", f"unix:{other}", f"unix:{kept}"]}))
    assert get_from(str(kept)) == get_from(str(other)) == b"2"
    assert kept.stat().st_ino == inode
    reload(server, config([says("3")], server={"listen": [f"unix:{kept}", "127.0.0.1:0"]}))
    assert get_from(str(kept)) == b"3" and not other.exists()
    assert kept.stat().st_ino == inode
    assert server.stop() == 0
    assert not kept.exists()


def test_a_unix_socket_whose_file_is_gone_is_made_anew(start, tmp_path):
    path = tmp_path / "http.sock"
    conf = config([says("x")], server={"listen": [f"unix:{path}", "127.0.0.1:0"]})
    server = start(conf)
    path.unlink()
    reload(server, conf)
    assert get_from(str(path)) == b"x"


def test_a_connection_that_waits_in_the_queue_is_answered(start, site):
    server = start(config([files(site)], workers=1))
    old, = server.workers(1)
    os.kill(old, signal.SIGSTOP)
    with server.connect() as waiting:
        send_get(waiting)
        server.kill(signal.SIGHUP)
        assert read_answer(waiting)[0] == 200
    os.kill(old, signal.SIGCONT)
    server.wait_for_log("reloaded:")
    until(lambda: not is_alive(old), "the end of the old worker")


# --- many reloads, deaths, the end ---

@pytest.mark.seconds(60)
def test_a_storm_of_signals_ends_with_the_last_configuration(start):
    server = start(config([says("0")], workers=2))
    for n in range(1, 51):
        new = server.directory / "new.json"
        new.write_text(json.dumps(config([says(str(n))], workers=2)))
        new.rename(server.config)
        server.kill(signal.SIGHUP)
        if n % 10 == 0:
            time.sleep(0.02)
    until(lambda: ask(server) == "50", "the last configuration")
    server.workers(2)
    assert 1 <= len(re.findall("reloaded:", server.log())) <= 50
    assert "failed" not in server.log()


@pytest.mark.seconds(60)
def test_many_configurations_may_finish_at_a_time_but_not_any_number(start, site, big):
    conf = config([files(site)], workers=1, timeouts={"shutdown": "50s"})
    server = start(conf)
    readers = []
    for _ in range(8):
        readers.append(server.slow_reader("/big.bin"))
        reload(server)
    server.workers(9)
    server.kill(signal.SIGHUP)
    server.wait_for_log("the reload waits: 8 earlier configurations have not finished yet")
    assert server.get()[0] == 200
    slow, first = readers.pop(0)
    assert body_of(first + read_all(slow)) == big
    server.wait_for_log("reloaded:", count=9)
    for slow, first in readers:
        assert body_of(first + read_all(slow)) == big
    server.workers(1)


def test_a_dead_worker_is_replaced_by_one_of_the_current_configuration(start):
    server = start(config([says("old")], workers=2))
    reload(server, config([says("new")], workers=2))
    victim = server.workers(2)[0]
    os.kill(victim, signal.SIGKILL)
    server.wait_for_log("worker . serves again")
    assert [ask(server) for _ in range(20)] == ["new"] * 20
    reload(server, config([says("newer")], workers=2))
    assert [ask(server) for _ in range(20)] == ["newer"] * 20


def test_a_reload_after_a_death_needs_not_wait_for_the_back_off(start):
    server = start(config([says("old")], workers=2))
    for n in range(1, 5):
        os.kill(server.workers(2)[0], signal.SIGKILL)
        server.wait_for_log(r"starts again in", count=n)
    reload(server, config([says("new")], workers=2))
    server.workers(2)
    assert [ask(server) for _ in range(20)] == ["new"] * 20


def test_a_worker_that_dies_while_it_finishes_is_not_started_again(start, site, big):
    server = start(config([files(site)], workers=1, timeouts={"shutdown": "20s"}))
    old, = server.workers(1)
    slow, _ = server.slow_reader("/big.bin")
    reload(server)
    os.kill(old, signal.SIGKILL)
    server.wait_for_log(rf"process {old}\) was killed by signal 9")
    slow.close()
    time.sleep(0.5)
    assert len(server.workers()) == 1 and "starts again" not in server.log()


@pytest.mark.parametrize("pause", [0, 0.002, 0.01, 0.05])
def test_stopping_amid_a_reload_stops_all(start, site, pause):
    server = start(config([files(site)], workers=3))
    server.kill(signal.SIGHUP)
    time.sleep(pause)
    assert server.stop() == 0
    assert server.log().rstrip().endswith("stopped")


def test_stopping_finishes_what_the_old_workers_still_do(start, site, big):
    server = start(config([files(site)], workers=1, timeouts={"shutdown": "20s"}))
    slow, first = server.slow_reader("/big.bin")
    reload(server)
    newer, second = server.slow_reader("/big.bin")
    server.kill(signal.SIGTERM)
    server.wait_for_log("SIGTERM: finishing")
    assert body_of(first + read_all(slow)) == big
    assert body_of(second + read_all(newer)) == big
    assert server.wait() == 0


def test_a_second_signal_ends_the_old_workers_too(start, site, big):
    server = start(config([files(site)], workers=1, timeouts={"shutdown": "20s"}))
    slow, _ = server.slow_reader("/big.bin")
    reload(server)
    server.kill(signal.SIGTERM)
    server.wait_for_log("SIGTERM: finishing")
    assert server.stop() == 0
    slow.close()


def test_a_supervisor_that_is_killed_leaves_no_worker(start, site):
    server = start(config([files(site)], workers=2))
    reload(server)
    workers = server.workers(2)
    server.expected_status = -signal.SIGKILL
    server.kill(signal.SIGKILL)
    until(lambda: not any(map(is_alive, workers)), "the end of the workers")


# --- counters, limits, logs ---

def test_counters_never_go_back(start, site):
    server = start(config([files(site), METRICS], workers=3))
    asked = 0
    for n in range(6):
        for _ in range(10):
            server.get()
        asked += 10
        assert metric(server, "requests_total") >= asked
        reload(server, config([files(site), METRICS], workers=n % 3 + 1))
        assert metric(server, "requests_total") >= asked
        assert metric(server, "workers") == n % 3 + 1
    until(lambda: metric(server, "connections_open") == 1, "the end of all but ours")


def test_connections_of_old_workers_count_for_the_limit(start, site, big):
    server = start(config([files(site)], workers=1, limits={"connections": 2},
                          timeouts={"shutdown": "20s"}))
    slow, _ = server.slow_reader("/big.bin")
    reload(server)
    with slow, server.connect() as second:
        send_get(second)
        assert read_answer(second)[0] == 200
        assert server.get()[0] == 503


def test_logs_may_move_and_old_workers_keep_theirs(start, site, tmp_path, big):
    def conf(name):
        return config([files(site)], workers=1, timeouts={"shutdown": "20s"},
                      logs={"access": {"to": str(tmp_path / name)}})

    server = start(conf("a.log"))
    slow, _ = server.slow_reader("/big.bin")
    reload(server, conf("b.log"))
    server.get("/hello.txt?new")
    read_all(slow)
    assert server.stop() == 0
    assert "/big.bin" in (tmp_path / "a.log").read_text()
    assert "/hello.txt?new" in (tmp_path / "b.log").read_text()


def test_usr1_reopens_the_logs_of_old_workers_too(start, site, tmp_path, big):
    log, old = tmp_path / "access.log", tmp_path / "access.log.1"
    server = start(config([files(site)], workers=1, timeouts={"shutdown": "20s"},
                          logs={"access": {"to": str(log)}}))
    slow, _ = server.slow_reader("/big.bin")
    reload(server)
    log.rename(old)
    server.kill(signal.SIGUSR1)
    server.wait_for_log("logs reopened", count=2)
    wait_until_open(server.workers(2), log)
    server.get("/hello.txt?new")
    read_all(slow)
    assert server.stop() == 0
    text = log.read_text()
    assert "/big.bin" in text and "/hello.txt?new" in text
    assert "/big.bin" not in old.read_text()


def rss_kib(pid):
    return int(re.search(r"VmRSS:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


@pytest.mark.seconds(120)
def test_a_hundred_reloads_leave_no_descriptor_and_no_memory_behind(sanitized, start, site,
                                                                    tmp_path):
    table = tmp_path / "table"
    table.write_text("".join(f"/old/{n} /new/{n}\n" for n in range(2000)))
    good = config([files(site)], workers=2, logs={"access": {"to": str(tmp_path / "access.log")}},
                  server={"listen": ["127.0.0.1:0", f"unix:{tmp_path}/s"],
                          "redirects": str(table)})
    server = start(good)

    def some(count):
        for n in range(count):
            if n % 5 == 4:
                refused_reload(server, "{")
            else:
                reload(server, good)
        server.workers(2)
        time.sleep(0.2)
        return len(os.listdir(f"/proc/{server.pid}/fd")), rss_kib(server.pid)

    fds, kib = some(10)
    fds_after, kib_after = some(100)
    assert fds_after == fds
    if not sanitized:
        assert kib_after < kib + 1024
    assert server.get()[0] == 200


@pytest.mark.seconds(120)
@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is missing")
def test_nothing_is_leaked_by_reloads(websrv, sanitized, start, site, tmp_path):
    if sanitized:
        pytest.skip("valgrind cannot run a program with sanitizers")
    logs = tmp_path / "valgrind"
    logs.mkdir()
    conf = config([files(site)], workers=2, pid_file=str(tmp_path / "pid"),
                  logs={"access": {"to": str(tmp_path / "access.log")}},
                  server={"listen": ["127.0.0.1:0", f"unix:{tmp_path}/s"]})
    server = start(conf, patience=60, wrapper=[
        "valgrind", "--track-fds=yes", "--leak-check=full", "--show-leak-kinds=all",
        "--error-exitcode=99", "--trace-children=no", f"--log-file={logs}/%p"])
    for n in range(10):
        if n % 4 == 3:
            refused_reload(server, "{")
        else:
            reload(server, {**conf, "workers": n % 3 + 1})
        assert server.get(seconds=30)[0] == 200
    assert server.stop() == 0
    written = {path.name: path.read_text() for path in logs.iterdir()}
    assert str(server.pid) in written and len(written) > 10
    for pid, log in written.items():
        assert re.search(r"ERROR SUMMARY: 0 errors", log), log
        assert "no leaks are possible" in log or "still reachable: 0 bytes" in log, log
        found = re.findall(r"Open (?:file descriptor|AF_\w+ socket) (\d+):.*((?:\n==\d+==    .*)*)",
                           log)
        assert [n for n, where in found if n not in "012" and "<inherited" not in where] == [], log


# --- in the background, and systemd ---

def test_in_the_background_relative_names_are_still_found(websrv, site, tmp_path):
    def write(text):
        (tmp_path / "websrv.json").write_text(json.dumps(config(
            [files("site"), says(text)], workers=2, pid_file="websrv.pid",
            logs={"error": {"to": "error.log"}})))

    def log():
        return (tmp_path / "error.log").read_text()

    write("old")
    assert run(websrv, "-d", "-c", "websrv.json", cwd=tmp_path).returncode == 0
    pid = int((tmp_path / "websrv.pid").read_text())
    try:
        address = ("127.0.0.1", int(re.search(r"listening on 127\.0\.0\.1:(\d+)", log())[1]))
        assert get_from(address) == b"old"
        write("new")
        os.kill(pid, signal.SIGHUP)
        until(lambda: "reloaded:" in log(), "the reload")
        assert get_from(address) == b"new"
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        (tmp_path / "websrv.json").write_text("{")
        os.kill(pid, signal.SIGHUP)
        until(lambda: "reload failed" in log(), "the refusal")
        assert re.search(r"error .*\bwebsrv\.json:1:2: syntax", log())
        assert get_from(address) == b"new"
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not is_alive(pid), "the end of the daemon")
    assert not sanitizer_reports(tmp_path)


def test_in_the_background_the_directory_of_the_start_may_be_gone(websrv, tmp_path):
    where = tmp_path / "where"
    where.mkdir()
    path, pid_file, log = (tmp_path / name for name in ("websrv.json", "pid", "error.log"))
    path.write_text(json.dumps(config([says("old")], pid_file=str(pid_file),
                                      logs={"error": {"to": str(log)}})))
    assert run(websrv, "-d", "-c", path, cwd=where).returncode == 0
    pid = int(pid_file.read_text())
    try:
        for left in where.iterdir():
            left.unlink()
        where.rmdir()
        os.kill(pid, signal.SIGHUP)
        until(lambda: "reloaded:" in log.read_text(), "the reload")
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not is_alive(pid), "the end of the daemon")
    assert not sanitizer_reports(tmp_path)


@pytest.mark.parametrize("abstract", [False, True], ids=["a path", "an abstract socket"])
def test_systemd_is_told(start, tmp_path, abstract):
    name = f"@websrv-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name.replace("@", "\0"))
        sock.settimeout(60)

        def told():
            text = sock.recv(4096).decode()
            return dict(line.split("=", 1) for line in text.split("\n"))

        server = start(config([says("x")], workers=2),
                       env={**harness.environment(tmp_path), "NOTIFY_SOCKET": name})
        first = told()
        assert first["READY"] == "1" and "2 workers" in first["STATUS"]
        for conf, word in [(config([says("y")]), "1 worker"), ("{", "reload failed")]:
            server.config.write_text(conf if isinstance(conf, str) else json.dumps(conf))
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            server.kill(signal.SIGHUP)
            began = told()
            assert began["RELOADING"] == "1"
            assert before <= int(began["MONOTONIC_USEC"]) <= before + 10_000_000
            over = told()
            assert over["READY"] == "1" and word in over["STATUS"]
        assert server.stop() == 0
        assert told()["STOPPING"] == "1"
