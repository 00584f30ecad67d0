# SPDX-License-Identifier: BSD-2-Clause
"""A running websrv, and raw clients. Ports come from the kernel and are read from the log;
processes are ended by their own id; every wait has an end."""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

# Seconds for what should be quick: with sanitizers, on a machine that is busy with other things.
PATIENCE = 60
# Workers that the tests kill die of signal 9.
TROUBLE = re.compile(r"Sanitizer|runtime error:|[Aa]ssertion.*failed|killed by signal (?!9 )|"
                     r"worker .* exited with status [1-9]")

is_root = os.geteuid() == 0


def until(condition, what, seconds=PATIENCE):
    """Waits until condition() is true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s for: {what}"
        time.sleep(0.01)


def stat_of(pid):
    """The fields of /proc/PID/stat from the state on; None when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[0] not in "ZX"


def children(pid):
    pids = [int(p.name) for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()]
    stats = ((p, stat_of(p)) for p in pids)
    return sorted(p for p, s in stats if s and int(s[1]) == pid and s[0] not in "ZX")


def cpu_seconds(pid):
    stat = stat_of(pid)
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def environment(directory):
    """Sanitizers write into files of their own: a daemon has no stderr."""
    log = f"log_path={directory}/sanitizer"
    asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), log]))
    return {**os.environ, "LC_ALL": "C", "ASAN_OPTIONS": asan, "UBSAN_OPTIONS": log}


def sanitizer_reports(directory):
    return [f"{path}: {path.read_text()}" for path in directory.glob("sanitizer.*")]


def run(binary, *args, cwd, seconds=PATIENCE, **options):
    """Runs to the end; what it started is killed when that takes too long."""
    process = subprocess.Popen([binary, *args], cwd=cwd, env=environment(cwd), text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, **options)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        for pid in [p for c in children(process.pid) for p in children(c) + [c]]:
            os.kill(pid, signal.SIGKILL)
        process.kill()
        out, err = process.communicate(timeout=seconds)
        raise AssertionError(f"websrv {' '.join(map(str, args))} did not end; stderr: {err}")
    assert not TROUBLE.search(err) and not sanitizer_reports(cwd), err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def config(routes, **top):
    """A configuration with one server; keys of "servers" may be given as server={...}."""
    server = {"listen": ["127.0.0.1:0"], "routes": routes, **top.pop("server", {})}
    timeouts = {"shutdown": "5s", **top.pop("timeouts", {})}
    return {"workers": 1, "timeouts": timeouts, "servers": [server], **top}


def files(root, path="/*", **options):
    return {"path": path, "files": {"root": str(root), **options}}


@contextlib.contextmanager
def mounted(directory, *options):
    """While a with block runs: a file system at a directory, which is made when it is not there."""
    if not is_root:
        pytest.skip("only root can mount a file system")
    directory.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, "websrv-test", directory], capture_output=True,
                          text=True, timeout=PATIENCE)
    if done.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True, timeout=PATIENCE)


# Where uploads wait for their names; in the directory itself.
STAGING = ".websrv-uploads"


def uploaded(directory):
    """What an upload directory has, as its users see it."""
    return sorted(n for n in os.listdir(directory) if n != STAGING)


def upload(directory, path="/drop/*", **options):
    return {"path": path, "upload": {"directory": str(directory), **options}}


class Server:
    """websrv in the foreground, its stderr in a file."""

    def __init__(self, binary, directory, conf=None, args=None, wrapper=(), patience=PATIENCE,
                 **options):
        self.directory, self.patience = directory, patience
        self.config = directory / "websrv.json"
        self.stderr = directory / "stderr"
        self.expected_status = 0
        if conf is not None:
            self.config.write_text(conf if isinstance(conf, str) else json.dumps(conf))
        if args is None:
            args = ["-c", self.config]
        with open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(
                [*wrapper, binary, *args], cwd=options.pop("cwd", directory),
                env=options.pop("env", None) or environment(directory), stdin=subprocess.DEVNULL,
                stdout=err, stderr=err, close_fds=True, **options)
        self.pid = self.process.pid

    # --- what it says ---

    def log(self):
        return self.stderr.read_text(errors="backslashreplace")

    def wait_for_log(self, regex, count=1, seconds=None):
        """The match number `count` of a regular expression in the log."""
        def look():
            found = list(re.finditer(regex, self.log(), re.M))
            if len(found) >= count:
                return found[count - 1]
            return None if self.process.poll() is None else self.fail(f"ended; wanted {regex}")
        try:
            return until(look, regex, seconds or self.patience)
        except AssertionError as e:
            self.fail(str(e))

    def fail(self, what):
        raise AssertionError(f"{what}; the log:\n{self.log()}")

    def wait_until_ready(self):
        self.wait_for_log(r" ready: \d+ worker")

    @property
    def port(self):
        return int(self.wait_for_log(r"listening on (?:127\.0\.0\.1|\[::1\]):(\d+)$")[1])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # --- its processes ---

    def workers(self, count=None):
        if count is None:
            return children(self.pid)
        return until(lambda: len(children(self.pid)) == count and children(self.pid),
                     f"{count} workers")

    def kill(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds=None):
        try:
            return self.process.wait(seconds or self.patience)
        except subprocess.TimeoutExpired:
            self.fail("the server did not end")

    def stop(self, number=signal.SIGTERM, seconds=None):
        self.kill(number)
        return self.wait(seconds)

    def finish(self):
        """Stops it if it still runs; what was wrong, as a list of texts."""
        problems = []
        status = self.process.poll()
        if status is None:
            workers = self.workers()
            self.process.terminate()
            try:
                status = self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                problems.append("the server did not stop")
                for pid in filter(is_alive, workers):
                    os.kill(pid, signal.SIGKILL)
                self.process.kill()
                self.process.wait()
        if status is not None and status != self.expected_status:
            problems.append(f"exit status {status}, not {self.expected_status}")
        problems += sanitizer_reports(self.directory)
        if TROUBLE.search(self.log()):
            problems.append("a sanitizer or an assertion spoke, or a worker crashed")
        return [f"{p}; the log:\n{self.log()}" for p in problems]

    # --- clients ---

    def request(self, method, target, body=None, headers=None, seconds=PATIENCE):
        """One request on a connection of its own: (status, fields, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        with contextlib.closing(connection):
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def get(self, target="/hello.txt", **options):
        return self.request("GET", target, **options)

    def connect(self, receive_buffer=None, seconds=PATIENCE):
        """A socket; with a small receive buffer what is not read stays with the server."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(seconds)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def slow_reader(self, target):
        """A socket that has asked for a file and read only the first bytes: (socket, they)."""
        sock = self.connect(receive_buffer=4096)
        send_get(sock, target)
        return sock, sock.recv(1024)


def send_get(sock, target="/hello.txt", more=""):
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())


def read_all(sock):
    """Until the peer closes; a reset is an end too. Closes the socket."""
    data = bytearray()
    with sock, contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(1 << 20):
            data += piece
    return bytes(data)


def read_answer(sock):
    """One answer with a Content-Length: (status, whole head, body)."""
    data = bytearray()
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        assert piece, f"the connection ended after {bytes(data)!r}"
        data += piece
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    length = int(re.search(rb"(?im)^content-length: *(\d+)", head)[1])
    while len(body) < length:
        piece = sock.recv(65536)
        assert piece, f"the body ended after {len(body)} of {length} bytes"
        body += piece
    return int(head.split()[1]), head.decode("latin-1"), body


def wait_until_read(sock):
    """Waits until the server, on 127.0.0.1, has accepted that connection and read all of it."""
    ends = [f"0100007F:{port:04X}" for port in (sock.getpeername()[1], sock.getsockname()[1])]

    def is_read():
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines():
            fields = line.split()
            if fields[1:3] == ends:
                return fields[4].endswith(":00000000") and fields[9] != "0"
        return False
    until(is_read, "the server to read what was sent")


def wait_until_open(pids, path):
    """Waits until each of these processes has that file open."""
    def is_open(pid):
        return any(os.path.realpath(fd.path) == os.path.realpath(path)
                   for fd in os.scandir(f"/proc/{pid}/fd"))
    until(lambda: all(map(is_open, pids)), f"the workers to open {path}")


def is_closed(sock, seconds=PATIENCE):
    """Does the peer close within that time, without another byte?"""
    sock.settimeout(seconds)
    try:
        return sock.recv(1) == b""
    except socket.timeout:
        return False
    except ConnectionResetError:
        return True


def is_refused(port, seconds=PATIENCE / 4):
    """Is a new connection turned away: not taken, or ended at once without an answer?"""
    try:
        sock = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    except ConnectionRefusedError:
        return True
    with sock:
        return is_closed(sock, seconds)


def curl(*args, seconds=PATIENCE, **options):
    """CompletedProcess; stdout as bytes."""
    command = ["curl", "-q", "-sS", "--noproxy", "*", "--max-time", str(seconds), *args]
    return subprocess.run(command, capture_output=True, timeout=seconds + 5, **options)


class Load:
    """Requests without a pause, while a with block runs: wrk, or threads when it is missing."""

    def __init__(self, server, target="/hello.txt", seconds=3):
        self.url, self.server, self.target = server.url + target, server, target
        self.seconds, self.answered, self.other = seconds, 0, []
        self.threads = []

    def __enter__(self):
        if shutil.which("wrk"):
            self.wrk = subprocess.Popen(["wrk", "-t1", "-c16", f"-d{self.seconds}s", self.url],
                                        stdout=subprocess.PIPE, text=True)
        else:
            self.end = time.monotonic() + self.seconds
            self.threads = [threading.Thread(target=self.ask) for _ in range(8)]
            for thread in self.threads:
                thread.start()
        return self

    def ask(self):
        while time.monotonic() < self.end:
            try:
                status, _, _ = self.server.get(self.target)
            except (OSError, http.client.HTTPException):
                continue
            if status == 200:
                self.answered += 1
            else:
                self.other.append(status)

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join(self.seconds + PATIENCE)
        if not self.threads:
            out, _ = self.wrk.communicate(timeout=self.seconds + PATIENCE)
            self.answered = int(re.search(r"(\d+) requests in", out)[1])
            self.other = re.findall(r"Non-2xx or 3xx responses: \d+", out)


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 20):
            digest.update(piece)
    return digest.digest()


def body_of(answer):
    """Of a whole answer that has no chunks."""
    return answer.partition(b"\r\n\r\n")[2]


def make_old(path, seconds=3600):
    """Sets the modification time back."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def raise_descriptor_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
