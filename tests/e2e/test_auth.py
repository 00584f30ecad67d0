# SPDX-License-Identifier: BSD-2-Clause
""""auth" with real clients, and websrvctl on a terminal of its own."""

import base64
import concurrent.futures
import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

from harness import (PATIENCE, config, cpu_seconds, curl, environment, files, read_all,
                     read_answer, sanitizer_reports, until, upload)

# "correct:horse", "pässwort", and one that takes some time: "langsam", bcrypt of cost 10.
SHA512 = ("$6$wiretests$kRZsCZiBMKNdXQPRDUsxmXKOZkgWCZ./vFMNKKe.if0XRDcQ4k2GE1e9cnBLi."
          "7SplBjo2Qmf1k6UsK9pFkM1/")
BCRYPT = "$2b$04$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe"
SLOW = "$2b$10$wiretestswiretestswireUcoib/r6hBh/jqcjAbZrBs5r6YSPI5e"
VERY_SLOW = "$2b$13$wiretestswiretestswirewwEeuBwlcddhnFr1k4aNYJgY5EFozom"  # of cost 13


@pytest.fixture
def ctl(websrv, tmp_path):
    """Runs websrvctl with what is on its standard input: CompletedProcess."""
    binary = websrv.parent / "websrvctl"

    def go(*args, text=""):
        done = subprocess.run([binary, *args], input=text, text=True, capture_output=True,
                              env=environment(tmp_path), timeout=PATIENCE)
        assert sanitizer_reports(tmp_path) == []
        return done
    go.binary = binary
    return go


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users"
    path.write_text(f"# people\nalice:{SHA512}\nbob:{BCRYPT}\nslow:{SLOW}\n")
    path.chmod(0o600)
    return path


def basic(users_file, **more):
    return {"basic": {"users": str(users_file)}, **more}


def credentials(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def raw(path, user, password, more=""):
    value = credentials(user, password)["Authorization"]
    return (f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {value}\r\n{more}"
            "\r\n").encode()


def from_address(server, number):
    """A connection of another client, by its address."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE,
                                    source_address=(f"127.0.1.{number}", 0))


# --- websrvctl ---

def test_what_websrvctl_writes_lets_curl_in(start, site, tmp_path, ctl):
    users, tokens = tmp_path / "users", tmp_path / "tokens"
    assert ctl("passwd", users, "anna", text="blaue Blümchen\n").returncode == 0
    assert users.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"anna:\$y\$\S+\n", users.read_text())
    token = ctl("token", tokens, "backup").stdout.strip()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token not in tokens.read_text()
    server = start(config([{**files(site), "auth": {
        "basic": {"users": str(users)}, "bearer": {"tokens": str(tokens)}}}]))
    url = server.url + "/hello.txt"
    assert curl("-u", "anna:blaue Blümchen", url).stdout == b"hello, world\n"
    assert curl("--oauth2-bearer", token, url).stdout == b"hello, world\n"
    for wrong in [("-u", "anna:rote"), ("-u", "otto:blaue Blümchen"), (),
                  ("--oauth2-bearer", token[:-1])]:
        done = curl("-w", "%{http_code}", *wrong, url)
        assert done.stdout.endswith(b"401") and b"hello" not in done.stdout
    assert "Blümchen" not in server.log() and token not in server.log()


def test_other_lines_stay_as_they_are(tmp_path, ctl):
    users = tmp_path / "users"
    users.write_text(f"# first\n\nanna:old\nanna2:{BCRYPT}\n# last, without an end")
    users.chmod(0o640)
    assert ctl("passwd", users, "anna", text="geheim und lang").returncode == 0
    lines = users.read_text().split("\n")
    assert lines[:2] == ["# first", ""] and lines[2].startswith("anna:$y$")
    assert lines[3:] == [f"anna2:{BCRYPT}", "# last, without an end", ""]
    assert users.stat().st_mode & 0o777 == 0o640
    assert ctl("passwd", "-D", users, "anna").returncode == 0
    assert users.read_text() == f"# first\n\nanna2:{BCRYPT}\n# last, without an end\n"
    gone = ctl("passwd", "-D", users, "anna")
    assert gone.returncode == 1 and 'there is no user "anna"' in gone.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["users"]


def test_link_to_a_file_stays_a_link(tmp_path, ctl):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "tokens").write_text("")
    (tmp_path / "tokens").symlink_to("there/tokens")
    assert ctl("token", tmp_path / "tokens", "ci").returncode == 0
    assert (tmp_path / "tokens").is_symlink()
    assert (tmp_path / "there" / "tokens").read_text().startswith("ci:sha256:")


@pytest.mark.parametrize("target", ["there/tokens", "missing/tokens"])
def test_link_to_a_file_that_is_not_there_is_left_alone(tmp_path, ctl, target):
    (tmp_path / "there").mkdir()
    (tmp_path / "tokens").symlink_to(target)
    done = ctl("token", tmp_path / "tokens", "ci")
    assert done.returncode == 1 and "No such file" in done.stderr and done.stdout == ""
    assert (tmp_path / "tokens").is_symlink()
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize("args, text, status, said", [
    (["passwd", "users", "anna", "secret"], "", 2, "every user of this machine"),
    (["token", "tokens", "ci", "secret"], "", 2, "every user of this machine"),
    (["passwd", "users"], "", 2, "are needed"),
    (["passwd", "users", "a:b"], "x\n", 2, "has a colon"),
    (["passwd", "users", "#a"], "x\n", 2, "comment"),
    (["passwd", "-x", "users", "a"], "x\n", 2, "unknown option"),
    (["frobnicate"], "", 2, "no command frobnicate"),
    ([], "", 2, "a command is needed"),
    (["passwd", "users", "anna"], "", 1, "no password"),
    (["passwd", "users", "anna"], "\n", 1, "is empty"),
    (["passwd", "users", "anna"], "a\tb\n", 1, "control character"),
    (["passwd", "users", "anna"], "long enough\0and more\n", 1, "control character"),
    (["passwd", "users", "anna"], "\0long enough\n", 1, "control character"),
    (["passwd", "users", "anna"], "x" * 600 + "\n", 1, "longer than 511"),
    (["passwd", "no/such/users", "anna"], "long enough\n", 1, "No such file"),
    (["token", "/dev/null", "ci"], "", 1, "/dev/null: is no regular file; name one"),
    (["passwd", "-D", "absent", "anna"], "", 1, "absent: No such file"),
])
def test_mistakes_change_nothing(tmp_path, ctl, args, text, status, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = ctl(*args, text=text)
    assert done.returncode == status and said in done.stderr, done.stderr
    assert done.stdout == "" and list(tmp_path.iterdir()) == []


def test_users_and_tokens_do_not_share_a_file(tmp_path, ctl):
    users, tokens = tmp_path / "users", tmp_path / "tokens"
    assert ctl("passwd", users, "anna", text="geheim und lang").returncode == 0
    assert ctl("token", tokens, "ci").returncode == 0
    before = users.read_text(), tokens.read_text()
    for args, held in [(("token", users, "ci"), "users"), (("passwd", tokens, "anna"), "tokens")]:
        done = ctl(*args, text="geheim und lang")
        assert done.returncode == 1 and done.stdout == ""
        assert f"this is a file of {held}" in done.stderr
    assert (users.read_text(), tokens.read_text()) == before


def test_what_was_done_is_said_and_that_a_reload_is_left(tmp_path, ctl):
    users = tmp_path / "users"
    for args, said in [((), "added user anna"), ((), "changed user anna"),
                       (("-D",), "removed user anna")]:
        done = ctl("passwd", *args, users, "anna", text="geheim und lang")
        assert done.returncode == 0
        assert done.stderr == f"{said}; a running server knows it after a reload (SIGHUP)\n"


def test_short_password_is_warned_of(tmp_path, ctl):
    done = ctl("passwd", tmp_path / "users", "anna", text="kurz\n")
    assert done.returncode == 0 and "easily guessed" in done.stderr
    assert ctl("-V").stdout.startswith("websrvctl ") and "passwd" in ctl("-h").stdout


class Terminal:
    """websrvctl as the leader of a session with a terminal."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Who runs the tests in the background may ignore it, and that is inherited.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(args[0], [str(a) for a in args])
        self.seen = b""

    def wait_for(self, text):
        def look():
            if select.select([self.fd], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.fd, 1000)
            return text in self.seen
        until(look, f"{text!r} on the terminal")

    def has_echo(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, text):
        until(lambda: not self.has_echo(), "no echo")
        os.write(self.fd, text)

    def end(self):
        """What waitpid tells."""
        def ended():
            if select.select([self.fd], [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.fd, 1000)
            return os.waitpid(self.pid, os.WNOHANG)
        status = until(lambda: (w := ended())[0] and w, "the end")[1]
        return status


def test_password_is_asked_for_twice_and_never_shown(tmp_path, ctl):
    t = Terminal(ctl.binary, "passwd", tmp_path / "users", "anna")
    t.wait_for(b"Password: ")
    t.type(b"ganz geheim\n")
    t.wait_for(b"The same again: ")
    t.type(b"ganz geheim\n")
    t.wait_for(b"added user anna")
    assert os.waitstatus_to_exitcode(t.end()) == 0
    assert b"geheim" not in t.seen
    assert (tmp_path / "users").read_text().startswith("anna:$y$")
    os.close(t.fd)


def test_two_different_passwords_are_none(tmp_path, ctl):
    t = Terminal(ctl.binary, "passwd", tmp_path / "users", "anna")
    t.wait_for(b"Password: ")
    t.type(b"ganz geheim\n")
    t.wait_for(b"The same again: ")
    t.type(b"anders\n")
    t.wait_for(b"two different passwords")
    assert os.waitstatus_to_exitcode(t.end()) == 1
    assert not (tmp_path / "users").exists()
    os.close(t.fd)


def test_interrupt_leaves_the_terminal_with_its_echo(tmp_path, ctl):
    t = Terminal(ctl.binary, "passwd", tmp_path / "users", "anna")
    t.wait_for(b"Password: ")
    t.type(b"half of a passw\x03")
    until(t.has_echo, "echo again")
    assert os.waitstatus_to_exitcode(t.end()) == -signal.SIGINT
    assert not (tmp_path / "users").exists() and b"half" not in t.seen
    os.close(t.fd)


# --- the start ---

def test_lines_that_are_wrong_stop_the_start(run, tmp_path, site):
    (tmp_path / "users").write_text("anna:$apr1$x$y\nanna\n")
    (tmp_path / "web.json").write_text(json.dumps(config(
        [{**files(site), "auth": basic("users")}, {**files(site, "/b/*"), "auth": basic("users")}])))
    done = run("-t", "-c", "web.json")
    assert done.returncode == 78
    assert f"{tmp_path}/users:1:6: this hash is MD5" in done.stderr
    assert done.stderr.count("users:2:1: this line has no colon") == 1  # of one file once


def test_file_that_is_not_there_is_told_where_it_is_named(run, tmp_path, site):
    (tmp_path / "web.json").write_text(json.dumps(config(
        [{**files(site), "auth": basic("absent")}])))
    done = run("-t", "-c", "web.json")
    assert done.returncode == 78
    assert re.search(r"web.json:1:\d+: /servers/0/routes/0/auth/basic/users: .*absent is not "
                     'there; make it by "websrvctl passwd"', done.stderr)


def test_what_may_not_be_meant_is_warned_of(run, start, tmp_path, site):
    users, nobody = tmp_path / "users", tmp_path / "nobody"
    users.write_text(f"bob:{BCRYPT}\n")
    users.chmod(0o644)
    nobody.write_text("")
    nobody.chmod(0o600)
    routes = [{**files(site), "auth": basic(users)},
              {**files(site, "/b/*"), "auth": basic(nobody)}]
    (tmp_path / "web.json").write_text(json.dumps(config(
        routes, server={"listen": ["127.0.0.1:0", "0.0.0.0:0"]})))
    done = run("-t", "-c", "web.json")
    assert done.returncode == 0
    assert "/routes/0/auth/basic/users: warning: " in done.stderr
    assert "users is open to every local user" in done.stderr
    assert "nobody has no users" in done.stderr
    assert "reachable on 0.0.0.0:0, and there is no TLS" in done.stderr
    assert run("-t", "--strict", "-c", "web.json").returncode == 78
    log = start(config(routes)).log()
    assert log.count("open to every local user") == 1
    assert "there is no TLS" not in log


def test_a_way_to_upload_beside_auth_is_warned_of(run, tmp_path, site):
    users = tmp_path / "users"
    users.write_text(f"bob:{BCRYPT}\n")
    users.chmod(0o600)
    for methods, told in ((["PUT"], 1), (["PUT", "POST"], 0), (["GET"], 0)):
        route = {"path": "/*", "files": {"root": str(site)}, "download": True,
                 "upload": {"directory": str(tmp_path)},
                 "auth": {**basic(users), "for": methods}}
        (tmp_path / "web.json").write_text(json.dumps(config([route])))
        done = run("-t", "-c", "web.json")
        assert done.stderr.count("leaves out POST, so anybody may upload by it") == told


# --- requests ---

def test_reload_takes_what_the_files_say_now(start, site, users, ctl):
    server = start(config([{**files(site), "auth": basic(users)}]))
    anna, bob = credentials("anna", "Abendrot"), credentials("bob", "pässwort")
    assert server.get(headers=bob)[0] == 200
    assert ctl("passwd", users, "anna", text="Abendrot\n").returncode == 0
    assert ctl("passwd", "-D", users, "bob").returncode == 0
    assert server.get(headers=bob)[0] == 200  # nobody has told it
    server.kill(signal.SIGHUP)
    until(lambda: server.get(headers=anna)[0] == 200, "anna is let in")
    until(lambda: server.get(headers=bob)[0] == 401, "bob is not any more")
    users.write_text("anna\n")
    server.kill(signal.SIGHUP)
    server.wait_for_log("users:1:1: this line has no colon")
    assert server.get(headers=anna)[0] == 200


def test_access_log_has_the_user(start, site, tmp_path, users):
    users.write_text(f"bob:{BCRYPT}\nb o\"b:{BCRYPT}\n")
    for form in ["combined", "json"]:
        log = tmp_path / form
        server = start(config([{**files(site), "auth": basic(users)}], logs={
            "access": {"to": str(log), "format": form}}))
        assert server.get(headers=credentials("bob", "pässwort"))[0] == 200
        assert server.get(headers=credentials('b o"b', "pässwort"))[0] == 200
        assert server.get(headers=credentials("bob", "wrong"))[0] == 401
        assert server.get()[0] == 401
        lines = until(lambda: (t := log.read_text().splitlines()) and len(t) == 4 and t, "lines")
        if form == "json":
            assert [json.loads(line).get("user") for line in lines] == [
                "bob", 'b o"b', None, None]
        else:
            assert [line.split()[2] for line in lines] == ["bob", r"b\x20o\x22b", "-", "-"]
        assert "sswort" not in log.read_text() + server.log()


def test_uploads_need_it_and_downloads_do_not(start, drop, users):
    server = start(config([{**files(drop, "/drop/*"), **upload(drop),
                            "auth": basic(users, **{"for": ["PUT"]})}]))
    url = server.url + "/drop/file.txt"
    body = "x" * 100_000

    def put(*args):
        return curl("-w", "%{http_code}", "-o", "/dev/null", *args, "-T", "-", url,
                    input=body.encode()).stdout
    assert put() == b"401"
    assert put("-u", "bob:wrong") == b"401"
    assert list(drop.iterdir()) == []
    assert put("-u", "bob:pässwort") == b"201"
    assert curl(url).stdout.decode() == body


def test_metrics_behind_a_token(start, tmp_path, ctl):
    tokens = tmp_path / "tokens"
    token = ctl("token", tokens, "prometheus").stdout.strip()
    server = start(config([{"path": "/metrics", "status": "metrics",
                            "auth": {"bearer": {"tokens": str(tokens)}}}]))
    status, fields, body = server.get("/metrics")
    assert status == 401 and b"websrv_" not in body
    assert fields["WWW-Authenticate"] == 'Bearer realm="websrv"'
    status, _, body = server.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert status == 200 and b"websrv_" in body


def test_six_connections_of_a_browser_are_all_let_in(start, site, users):
    """They come at once, with one password that was not seen yet."""
    server = start(config([{**files(site), "auth": basic(users)}]))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(server.get, headers=credentials("slow", "langsam"))
                   for _ in range(6)]
    assert [a.result()[0] for a in answers] == [200] * 6


def test_pipelined_requests_behind_one_that_waits(start, site, users):
    server = start(config([files(site), {**files(site, "/in/*"), "auth": basic(users)}]))
    with server.connect() as sock:
        sock.sendall(raw("/in/hello.txt", "slow", "langsam")
                     + b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20
                     + raw("/in/hello.txt", "slow", "wrong", "Connection: close\r\n"))
        data = read_all(sock)
    assert re.findall(rb"HTTP/1.1 (\d+)", data) == [b"200"] * 21 + [b"401"]


def test_header_and_body_timeouts_do_not_count_the_wait(start, drop, users):
    """The check takes several times as long."""
    users.write_text(f"slow:{VERY_SLOW}\n")
    server = start(config([{**upload(drop), "auth": basic(users)}],
                          timeouts={"header": "50ms", "body_idle": "100ms"}))
    head = raw("/drop/a", "slow", "langsam", "Content-Length: 3\r\n")
    with server.connect() as sock:
        sock.sendall(head.replace(b"GET", b"PUT", 1))
        time.sleep(0.02)  # apart from the head
        sock.sendall(b"abc")
        assert read_answer(sock)[0] == 201


@pytest.mark.seconds(90)
def test_others_are_served_while_passwords_are_guessed(start, site, users):
    server = start(config([files(site), {**files(site, "/in/*"), "auth": basic(users)}]))

    def guess(number):
        with from_address(server, number % 50 + 1) as sock:
            sock.sendall(raw("/in/hello.txt", "slow", f"guess{number}"))
            return read_answer(sock)[0]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        guesses = [pool.submit(guess, i) for i in range(50)]
        while not all(g.done() for g in guesses):
            assert server.get()[0] == 200
    statuses = {g.result() for g in guesses}
    assert 401 in statuses and statuses <= {401, 429, 503}, statuses
    assert server.get("/in/hello.txt", headers=credentials("slow", "langsam"))[0] == 200


def test_who_asks_later_is_served_before_a_password_is_checked(start, site, users):
    users.write_text(f"slow:{VERY_SLOW}\n")
    server = start(config([files(site), {**files(site, "/in/*"), "auth": basic(users)}]))
    numbers = iter(range(1, 200))

    def overtakes():
        with from_address(server, next(numbers)) as guess:
            guess.sendall(raw("/in/hello.txt", "slow", "guess"))
            assert server.get()[0] == 200
            is_first = not select.select([guess], [], [], 0)[0]
            assert read_answer(guess)[0] == 401
            return is_first
    until(overtakes, "a quick answer before the slow one")


@pytest.mark.seconds(90)
def test_clients_that_leave_while_they_wait(start, site, users):
    server = start(config([files(site), {**files(site, "/in/*"), "auth": basic(users)}]))
    for i in range(100):
        sock = from_address(server, i % 50 + 1)
        if i % 2 == 0:  # a reset, not an orderly end
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.sendall(raw("/in/hello.txt", "slow", f"guess{i}"))
        if i % 10 == 0:
            assert server.get()[0] == 200
        sock.close()
    assert server.get()[0] == 200
    until(lambda: server.get("/in/hello.txt", headers=credentials("slow", "langsam"))[0] == 200,
          "room for a check", 60)
    assert server.stop() == 0


@pytest.mark.seconds(90)
@pytest.mark.parametrize("backend", ["epoll", "poll", "select"])
def test_clients_that_have_left_keep_no_place(start, site, users, backend):
    """All places are taken by who closes at once: the next one is checked, not refused."""
    users.write_text(f"slow:{VERY_SLOW}\n")
    server = start(config([{**files(site), "auth": basic(users)}], workers=1,
                          event_backend=backend))
    socks = [from_address(server, i + 1) for i in range(16)]
    for i, sock in enumerate(socks):
        sock.sendall(raw("/hello.txt", "slow", f"guess{i}"))
    time.sleep(0.1)  # until helpers have begun
    for sock in socks:
        sock.close()
    time.sleep(0.1)
    last = from_address(server, 99)
    last.sendall(raw("/hello.txt", "slow", "guess", "Connection: close\r\n"))
    assert read_all(last).startswith(b"HTTP/1.1 401 ")
    half = from_address(server, 98)
    half.sendall(raw("/hello.txt", "slow", "another"))
    half.shutdown(socket.SHUT_WR)
    assert read_all(half).startswith(b"HTTP/1.1 401 ")
    assert server.stop() == 0


def test_stop_while_passwords_are_checked(start, site, users):
    server = start(config([{**files(site), "auth": basic(users)}], timeouts={"shutdown": 0}))
    socks = [from_address(server, i + 1) for i in range(12)]
    for i, sock in enumerate(socks):
        sock.sendall(raw("/hello.txt", "slow", f"guess{i}"))
    time.sleep(0.05)
    assert server.stop() == 0
    for sock in socks:
        sock.close()


def test_unknown_users_take_as_long_as_wrong_passwords(start, site, users):
    users.write_text(f"slow:{SLOW}\n")
    server = start(config([{**files(site), "auth": basic(users)}]))

    def seconds(user):
        """Of the processor: what else the machine does is not counted."""
        began = cpu_seconds(server.workers(1)[0])
        for i in range(9):
            assert server.get(headers=credentials(user, f"guess{i}"))[0] == 401
        return cpu_seconds(server.workers(1)[0]) - began
    ratio = seconds("nobody") / seconds("slow")
    print(f"unknown user : wrong password = {ratio:.2f}")
    assert 0.2 < ratio < 5
