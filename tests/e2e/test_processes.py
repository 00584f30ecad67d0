# SPDX-License-Identifier: BSD-2-Clause
"""Supervisor and workers: deaths, signals, draining, privileges, the background."""

import grp
import hashlib
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import threading
import time

import pytest

from harness import (PATIENCE, TROUBLE, Load, body_of, children, config, files, is_alive,
                     is_closed, is_refused, is_root, read_all, read_answer, run,
                     sanitizer_reports, send_get, until, upload, wait_until_open, wait_until_read)


BIG = 16 << 20


@pytest.fixture
def big(site):
    """A file that no socket buffer holds."""
    data = os.urandom(1 << 20) * (BIG >> 20)
    (site / "big.bin").write_bytes(data)
    return data


# --- workers that die ---

def test_as_many_workers_run_as_are_configured(start, site):
    server = start(config([files(site)], workers=3))
    assert len(server.workers()) == 3
    assert "ready: 3 workers" in server.log()


def test_service_goes_on_when_a_worker_is_killed_under_load(start, site):
    server = start(config([files(site)], workers=2))
    victim, other = server.workers()
    with Load(server) as load:
        time.sleep(0.5)
        os.kill(victim, signal.SIGKILL)
        # Some of these land on the socket of the dead one: they wait there for the next.
        for _ in range(20):
            assert server.get()[0] == 200
    assert load.answered > 0 and not load.other
    assert re.search(rf"worker \d \(process {victim}\) was killed by signal 9", server.log())
    server.wait_for_log(r"worker \d starts again in \d+ ms")
    workers = server.workers(2)
    assert other in workers and victim not in workers
    assert all(server.get()[0] == 200 for _ in range(20))


def test_a_worker_that_dies_at_once_again_and_again_waits_longer_each_time(start, site):
    server = start(config([files(site)], workers=1))
    for n in range(1, 6):
        os.kill(server.workers(1)[0], signal.SIGKILL)
        server.wait_for_log(r"starts again in", count=n)
    delays = [int(ms) for ms in re.findall(r"starts again in (\d+) ms", server.log())]
    assert delays == sorted(set(delays)) and delays[-1] >= 4 * delays[0] > 0
    server.workers(1)
    assert server.get()[0] == 200


def test_stopping_does_not_wait_for_the_back_off(start, site):
    server = start(config([files(site)], workers=1))
    for n in range(1, 7):
        os.kill(server.workers(1)[0], signal.SIGKILL)
        told = server.wait_for_log(r"starts again in (\d+) ms", count=n)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < int(told[1]) / 1000


def test_a_connection_made_while_no_worker_runs_is_served_by_the_next(start, site):
    server = start(config([files(site)], workers=1))
    os.kill(server.workers(1)[0], signal.SIGKILL)
    server.wait_for_log("was killed by signal 9")
    assert server.get()[0] == 200


def test_a_killed_worker_does_not_count_as_open_connections(start, site):
    server = start(config([files(site)], workers=1, limits={"connections": 4}))
    held = [server.connect() for _ in range(4)]
    for sock in held:
        send_get(sock)
        read_answer(sock)
    os.kill(server.workers(1)[0], signal.SIGKILL)
    server.wait_for_log("starts again")
    assert server.get()[0] == 200
    for sock in held:
        sock.close()


def test_workers_finish_by_themselves_when_the_supervisor_is_killed(start, site, big):
    server = start(config([files(site)], workers=2))
    server.expected_status = -signal.SIGKILL
    workers, port = server.workers(), server.port
    idle = server.connect()
    send_get(idle)
    read_answer(idle)
    slow, first = server.slow_reader("/big.bin")
    server.stop(signal.SIGKILL)
    assert is_closed(idle)
    assert body_of(first + read_all(slow)) == big
    until(lambda: not any(map(is_alive, workers)), "the end of the workers")
    assert is_refused(port)
    assert "the supervisor is gone" in server.log()


# --- stopping ---

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_stop_finishes_what_is_under_way(start, site, big, number):
    server = start(config([files(site)], workers=2, timeouts={"shutdown": "20s"}))
    port = server.port
    idle = server.connect()
    send_get(idle)
    read_answer(idle)
    silent = server.connect()
    wait_until_read(silent)  # the kernel keeps it back for a second until bytes come
    slow, first = server.slow_reader("/big.bin")

    server.kill(number)
    assert is_closed(idle), "an idle connection stays open"
    assert is_closed(silent), "a connection without a request stays open"
    assert server.process.poll() is None

    rest = read_all(slow)
    assert hashlib.sha256(body_of(first + rest)).digest() == hashlib.sha256(big).digest()
    assert server.wait() == 0
    assert is_refused(port)
    assert number.name in server.log() and server.log().rstrip().endswith("stopped")


def test_new_connections_are_refused_while_it_stops(start, site, big):
    server = start(config([files(site)], workers=2, timeouts={"shutdown": "20s"}))
    slow, _ = server.slow_reader("/big.bin")
    server.kill(signal.SIGTERM)
    server.wait_for_log("SIGTERM: finishing")
    time.sleep(0.2)
    # Each slot has a socket of its own; the kernel chooses one for each connection.
    refused = [is_refused(server.port, seconds=3) for _ in range(6)]
    assert server.process.poll() is None, "it ended before the test was done"
    slow.close()
    assert server.wait() == 0
    assert all(refused), f"{refused.count(False)} of 6 were taken and left waiting"


def test_a_connection_that_waits_to_be_accepted_when_it_stops_is_not_left_hanging(start, site):
    server = start(config([files(site)], workers=1))
    worker = server.workers()[0]
    os.kill(worker, signal.SIGSTOP)
    waiting = server.connect()
    send_get(waiting)
    server.kill(signal.SIGTERM)
    os.kill(worker, signal.SIGCONT)
    assert server.wait() == 0
    read_all(waiting)  # an answer or a reset, but no silence


def test_the_answer_after_the_signal_says_that_the_connection_closes(start, site):
    server = start(config([files(site)], workers=1))
    half = server.connect()
    half.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n")
    wait_until_read(half)
    server.kill(signal.SIGTERM)
    server.wait_for_log("SIGTERM: finishing")
    time.sleep(0.2)
    half.sendall(b"\r\n")
    status, head, body = read_answer(half)
    assert (status, body) == (200, b"hello, world\n") and "connection: close" in head.lower()
    half.close()
    assert server.wait() == 0


def test_an_upload_under_way_is_finished_before_it_stops(start, drop):
    server = start(config([upload(drop)], workers=1))
    sock = server.connect()
    sock.sendall(b"PUT /drop/a.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
    wait_until_read(sock)
    server.kill(signal.SIGTERM)
    server.wait_for_log("SIGTERM: finishing")
    sock.sendall(b"world")
    status, _, _ = read_answer(sock)
    sock.close()
    assert status == 201 and (drop / "a.bin").read_bytes() == b"helloworld"
    assert server.wait() == 0


def test_the_drain_deadline_breaks_off_what_is_left(start, site, big):
    server = start(config([files(site)], workers=1, timeouts={"shutdown": "500ms"}))
    slow, first = server.slow_reader("/big.bin")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began > 0.4
    assert len(body_of(first + read_all(slow))) < BIG
    assert "shutdown deadline" in server.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(start, site, big, number):
    server = start(config([files(site)], workers=2, timeouts={"shutdown": "60s"}))
    slow, _ = server.slow_reader("/big.bin")
    server.kill(number)
    server.wait_for_log("finishing")
    began = time.monotonic()
    assert server.stop(number) == 0
    assert time.monotonic() - began < 40, "it waited for the deadline"
    slow.close()


def test_a_worker_that_hangs_is_killed_after_the_deadline(start, site):
    server = start(config([files(site)], workers=2, timeouts={"shutdown": "300ms"}))
    worker = server.workers()[0]
    os.kill(worker, signal.SIGSTOP)
    assert server.stop() == 0
    assert not is_alive(worker)
    assert f"(process {worker}) does not end; killing it" in server.log()


# --- logs, reload, pid file ---

def access(directory, **options):
    return {"logs": {"access": {"to": str(directory / "access.log"), **options}}}


def targets(log):
    return re.findall(r'"GET (\S+) HTTP/1\.1" 200', log.read_text())


def test_usr1_reopens_the_logs(start, site, tmp_path):
    log, old = tmp_path / "access.log", tmp_path / "access.log.1"
    server = start(config([files(site)], workers=2, **access(tmp_path)))
    for n in range(50):
        server.get(f"/hello.txt?a{n}")
    log.rename(old)
    server.kill(signal.SIGUSR1)
    server.wait_for_log("logs reopened")
    wait_until_open(server.workers(2), log)  # they get their descriptors just after
    for n in range(50):
        server.get(f"/hello.txt?b{n}")
    assert server.stop() == 0
    assert sorted(targets(old)) == sorted(f"/hello.txt?a{n}" for n in range(50))
    assert sorted(targets(log)) == sorted(f"/hello.txt?b{n}" for n in range(50))


def test_no_line_is_lost_when_logs_are_rotated_under_load(start, site, tmp_path):
    log = tmp_path / "access.log"
    server = start(config([files(site)], workers=2, **access(tmp_path)))
    asked = []

    def ask(name):
        for n in range(150):
            assert server.get(f"/hello.txt?{name}{n}")[0] == 200
            asked.append(f"/hello.txt?{name}{n}")

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    rotated = []
    for n in range(5):
        time.sleep(0.05)
        rotated.append(tmp_path / f"access.log.{n}")
        log.rename(rotated[-1])
        server.kill(signal.SIGUSR1)
        until(log.exists, "the new log")
    for thread in threads:
        thread.join()
    assert server.stop() == 0
    found = [t for path in [*rotated, log] for t in targets(path)]
    assert len(asked) == 450 and sorted(found) == sorted(asked)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR2])
def test_hup_and_usr2_do_not_kill(start, site, number):
    server = start(config([files(site)], workers=2))
    for pid in [server.pid, *server.workers()]:
        os.kill(pid, number)
    time.sleep(0.3)
    assert server.process.poll() is None and server.get()[0] == 200


def test_a_terminal_interrupt_to_the_whole_group_drains(start, site, big):
    server = start(config([files(site)], workers=2, timeouts={"shutdown": "20s"}),
                   start_new_session=True)
    slow, first = server.slow_reader("/big.bin")
    os.killpg(server.pid, signal.SIGINT)
    assert body_of(first + read_all(slow)) == big
    assert server.wait() == 0


def test_the_pid_file_is_written_and_removed(start, site, tmp_path):
    path = tmp_path / "websrv.pid"
    server = start(config([files(site)], pid_file=str(path)))
    assert path.read_text() == f"{server.pid}\n"
    assert server.stop() == 0
    assert not path.exists()


def test_a_pid_file_that_is_a_pipe_is_not_waited_for(run, site, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "web.json").write_text(json.dumps(
        config([files(site)], pid_file=str(tmp_path / "pipe"))))
    done = run("-c", "web.json")
    assert done.returncode == 1 and "cannot write the pid file" in done.stderr


# --- privileges ---

def ids(pid, name):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return [int(n) for n in re.search(rf"^{name}:(.*)$", status, re.M)[1].split()]


@pytest.mark.skipif(not is_root, reason="only root can become another user")
def test_workers_drop_to_user_and_group(start, site):
    user = pwd.getpwnam("nobody")
    group = grp.getgrnam("daemon")
    server = start(config([files(site)], workers=2, user=user.pw_name, group=group.gr_name))
    for pid in server.workers(2):
        assert ids(pid, "Uid") == [user.pw_uid] * 4
        assert ids(pid, "Gid") == [group.gr_gid] * 4
        assert set(ids(pid, "Groups")) <= {user.pw_gid, group.gr_gid}
        caps = re.search(r"^CapEff:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
        assert int(caps[1], 16) == 0
    assert ids(server.pid, "Uid") == [0] * 4
    assert server.get()[0] == 200


@pytest.mark.skipif(not is_root, reason="only root can become another user")
def test_without_a_group_it_is_the_users_own(start, site):
    server = start(config([files(site)], user="nobody"))
    assert ids(server.workers(1)[0], "Gid") == [pwd.getpwnam("nobody").pw_gid] * 4


# --- in the background ---

class Daemon:
    """websrv -d: its supervisor is known by the pid file, its port by the error log."""

    def __init__(self, websrv, directory, conf, args=None, cwd=None):
        self.log, self.pid_file = directory / "error.log", directory / "websrv.pid"
        (directory / "websrv.json").write_text(conf)
        args = args or ["-d", "-c", directory / "websrv.json"]
        self.front = run(websrv, *args, cwd=cwd or directory)
        self.pid = int(self.pid_file.read_text()) if self.pid_file.exists() else None

    def port(self):
        return int(re.search(r"listening on 127\.0\.0\.1:(\d+)", self.log.read_text())[1])

    def get(self):
        with socket.create_connection(("127.0.0.1", self.port()), timeout=PATIENCE) as sock:
            send_get(sock)
            return read_answer(sock)[0]

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        until(lambda: not is_alive(self.pid), "the end of the daemon")
        assert not sanitizer_reports(self.log.parent) and not TROUBLE.search(self.log.read_text())


def daemon_config(directory, site):
    return json.dumps(config([files(site)], workers=2, pid_file=f"{directory}/websrv.pid",
                             logs={"error": {"to": f"{directory}/error.log"}}))


def test_in_the_background_it_serves_when_the_command_returns(websrv, site, tmp_path):
    daemon = Daemon(websrv, tmp_path, daemon_config(tmp_path, site))
    try:
        assert daemon.front.returncode == 0 and daemon.front.stderr == ""
        assert daemon.get() == 200
        assert os.getsid(daemon.pid) == daemon.pid
        assert len(children(daemon.pid)) == 2
        for fd in (0, 1, 2):
            assert os.readlink(f"/proc/{daemon.pid}/fd/{fd}") == "/dev/null"
    finally:
        daemon.stop()
    assert not daemon.pid_file.exists()
    assert daemon.log.read_text().rstrip().endswith("stopped")


def test_in_the_background_relative_names_still_mean_what_they_said(websrv, site, tmp_path):
    conf = daemon_config(".", "site")
    daemon = Daemon(websrv, tmp_path, conf, ["-d", "-c", "websrv.json"], cwd=tmp_path)
    try:
        assert daemon.front.returncode == 0
        assert daemon.get() == 200
        daemon.log.rename(tmp_path / "error.log.1")
        os.kill(daemon.pid, signal.SIGUSR1)
        until(daemon.log.exists, "the new log beside the configuration")
    finally:
        if daemon.pid:
            daemon.stop()
    assert not daemon.pid_file.exists()


def test_in_the_background_a_failed_start_is_told_in_front(websrv, site, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        conf = daemon_config(tmp_path, site).replace("127.0.0.1:0", address)
        daemon = Daemon(websrv, tmp_path, conf)
    assert daemon.front.returncode == 1
    assert address in daemon.front.stderr and daemon.front.stderr.count("\n") == 1
    assert daemon.pid is None


@pytest.mark.skipif(not is_root, reason="only root can give up the right to become another user")
@pytest.mark.parametrize("more", [[], ["-d"]], ids=["in front", "in the background"])
def test_a_start_whose_workers_cannot_start_fails(websrv, site, tmp_path, more):
    """As in a container without the capability: all is checked, but no worker can ever run."""
    conf = json.loads(daemon_config(tmp_path, site))
    (tmp_path / "websrv.json").write_text(json.dumps({**conf, "user": "nobody"}))
    done = run("setpriv", "--bounding-set=-setuid,-setgid", websrv, *more, "-c",
               tmp_path / "websrv.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot become user nobody" in (tmp_path / "error.log").read_text()
    assert not (tmp_path / "websrv.pid").exists()
