#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Raw bytes in, expectations out: the wire tests of websrv. README.md tells the format."""

import argparse
import concurrent.futures
import fnmatch
import grp
import gzip
import itertools
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import tempfile
import time
import zlib

sys.dont_write_bytecode = True  # the source folder may be read-only, or under git
from wirecase import Case, encode, insert_names, show
from wireconn import Answer, Conn, Failed
from wiresite import make_site, remove_site

HERE = pathlib.Path(__file__).resolve().parent
CLOSE_S = 2.0  # how soon "closed" must come true
TIMEOUTS_MAX = 20  # of one server; then it is taken for hung
FOLLOW_UP = b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
TROUBLE = re.compile(r"ERROR: \w+Sanitizer|runtime error:|assert|"
                     r"worker.*(died|killed by signal|crashed)", re.I)


class Run:
    """One case, in one mode, against a server that listens at `port`."""

    def __init__(self, case, mode, port, root, number):
        self.case, self.mode, self.port, self.root = case, mode, port, root
        self.names = {"unique": f"case-{number}-{mode}", "port": str(port)}
        self.last, self.conn, self.where, self.deadline = None, None, 0, 0

    def run(self):
        """None, or a line that says what went wrong."""
        self.deadline = time.monotonic() + self.case.timeout
        try:
            self.conn = Conn(self.port, self.deadline)
            for self.where, kind, argument in self.case.steps:
                getattr(self, "do_" + kind.replace("-", "_"))(argument)
        except (Failed, OSError, KeyError, ValueError) as e:
            sent, got = (show(self.conn.sent), show(self.conn.received)) if self.conn else ("", "")
            return (f"{self.case.name}:{self.where} ({self.mode}): {e}; "
                    f"sent \"{sent}\"; received \"{got}\"")
        finally:
            if self.conn:
                self.conn.sock.close()
        return None

    def do_send(self, lines):
        pieces = [p for line in lines for p in encode(line, self.names)]
        self.conn.send(pieces if self.mode == "bytes" else [b"".join(pieces)])

    def do_pause(self, seconds):
        time.sleep(seconds)

    def do_half_close(self, _):
        if not self.conn.eof:
            self.conn.sock.shutdown(socket.SHUT_WR)

    def do_reconnect(self, _):
        self.conn.sock.close()
        self.conn, self.last = Conn(self.port, self.deadline), None

    def do_response(self, expected):
        for _ in range(expected.count):
            if expected.optional and not self.conn.anything():
                return
            answer = self.last = Answer(self.conn, expected.to_head)
            if not expected.takes(answer.status):
                raise Failed(f"expected {'|'.join(expected.statuses)}, got {answer.status}")
            for self.where, word, text in expected.checks:
                getattr(self, "check_" + word.replace("-", "_"))(answer, text)

    def do_interim(self, text):
        answer = Answer(self.conn)
        if answer.status != int(text):
            raise Failed(f"expected interim {text}, got {answer.status}")

    def do_maybe_interim(self, text):
        self.conn.take(lambda b: 0 if len(b) >= 12 else None, "a status line")
        if self.conn.buf.startswith(b"HTTP/1.1 1"):
            self.do_interim(text)

    def do_silent(self, text):
        # Not from now on: what the server waits for began with what was sent.
        until = self.conn.began + float(text)
        if time.monotonic() > until:
            return  # too late to tell
        if self.conn.buf or self.conn.fill(until) or self.conn.eof:
            raise Failed(f"expected {text} s of silence")

    def do_closed(self, text):
        low, high = (float(x) for x in text.split("..")) if text else (0, CLOSE_S)
        while self.conn.fill(self.conn.quiet_since + high):
            pass
        if self.conn.buf:
            raise Failed("bytes after the last expected answer")
        if not self.conn.eof or self.conn.reset:
            raise Failed("reset instead of closed" if self.conn.reset else "not closed")
        if time.monotonic() - self.conn.busy_until < low:
            raise Failed(f"closed earlier than after {low} s")
        if not text and self.last and "close" not in self.last.options():
            raise Failed("closed, but no Connection: close")

    def do_open(self, _):
        if self.last and "close" in self.last.options():
            raise Failed("Connection: close where the connection should stay open")
        if self.conn.buf:
            raise Failed("bytes after the last expected answer")
        self.conn.send([FOLLOW_UP])
        answer = Answer(self.conn)
        if answer.status != 200 or answer.body != b"hello, world\n":
            raise Failed(f"the next request got {answer.status}")
        if self.conn.buf:
            raise Failed("bytes after the answer to the next request")

    def do_either(self, _):
        closing = self.conn.eof or "close" in self.last.options()
        return self.do_closed("") if closing else self.do_open("")

    def do_file(self, text):
        name, _, content = text.partition(" ")
        path = self.root / b"".join(encode(name, self.names)).decode()
        wanted = b"".join(encode(content, self.names))
        if not path.is_file() or path.read_bytes() != wanted:
            raise Failed(f"{path.name} on disk is not what was sent")

    def do_no_file(self, text):
        path = self.root / b"".join(encode(text, self.names)).decode()
        if os.path.lexists(path):
            raise Failed(f"{path.name} exists on disk")

    def check_field(self, answer, text):
        name, value = re.split(r":\s*", text, maxsplit=1)
        value = b"".join(encode(value, self.names)).decode("latin-1")
        if answer.all(name) != [value]:
            raise Failed(f"expected {text}, got {answer.all(name)}")

    def check_field_re(self, answer, text):
        name, regex = re.split(r":\s*", text, maxsplit=1)
        found = answer.all(name)
        if len(found) != 1 or not re.fullmatch(insert_names(regex, self.names), found[0]):
            raise Failed(f"expected {text}, got {found}")

    def check_field_not(self, answer, text):
        name, value = re.split(r":\s*", text, maxsplit=1)
        if answer.all(name) == [b"".join(encode(value, self.names)).decode("latin-1")]:
            raise Failed(f"expected another {text}")

    def check_no_field(self, answer, name):
        if answer.all(name):
            raise Failed(f"expected no {name}, got {answer.all(name)}")

    def check_allow(self, answer, text):
        got = re.split(r"\s*,\s*", ", ".join(answer.all("allow")))
        if sorted(got) != sorted(re.split(r"\s*,\s*", text)):
            raise Failed(f"expected Allow of {text}, got {got}")

    def check_body(self, answer, text):
        if answer.body != b"".join(encode(text, self.names)):
            raise Failed(f"expected body \"{text}\", got \"{show(answer.body)}\"")

    def check_body_re(self, answer, text):
        if not re.search(text, answer.body.decode("latin-1")):
            raise Failed(f"expected a body with {text}")

    def check_body_not_re(self, answer, text):
        if re.search(text, answer.body.decode("latin-1")):
            raise Failed(f"expected no body with {text}")

    def check_body_len(self, answer, text):
        if len(answer.body) != int(text):
            raise Failed(f"expected {text} bytes of body, got {len(answer.body)}")

    def check_body_file(self, answer, text):
        name, _, part = text.partition(" ")
        first, last = (int(n) for n in part.split("-")) if part else (0, sys.maxsize - 1)
        if answer.body != (self.root / name).read_bytes()[first:last + 1]:
            raise Failed(f"the body is not the content of {text}")

    def check_body_parts(self, answer, text):
        name, wanted = text.split()
        whole = (self.root / name).read_bytes()
        for (_, where, data), part in itertools.zip_longest(
                answer.parts(), wanted.split(","), fillvalue=(None, None, None)):
            if where != f"bytes {part}/{len(whole)}":
                raise Failed(f"expected the part {part}, got {where}")
            first, last = (int(n) for n in part.split("-"))
            if data != whole[first:last + 1]:
                raise Failed(f"the part {part} is not that of {name}")

    def check_body_gunzip(self, answer, text):
        try:
            body = gzip.decompress(answer.body)
        except (EOFError, zlib.error) as e:
            raise Failed(f"the body is not gzip: {e}") from None
        if body != (self.root / text).read_bytes():
            raise Failed(f"the body, decompressed, is not the content of {text}")

    def check_capture(self, answer, text):
        name, field, *regex = text.split(maxsplit=2)
        found = re.fullmatch(*regex or ["(.*)"], "".join(answer.all(field)[:1]))
        if not answer.all(field) or not found:
            raise Failed(f"no {field} to capture, but {answer.all(field)}")
        self.names[name] = found[1]


# ---- the server -------------------------------------------------------------

def write_config(root, user, backend, workers):
    text = (HERE / "server.json").read_text()
    who = ""
    if user:
        group = grp.getgrgid(user.pw_gid).gr_name
        who = f'"user": "{user.pw_name}", "group": "{group}",'
    for mark, value in {"@USER@": who, "@BACKEND@": backend, "@WORKERS@": str(workers),
                        "@ROOT@": str(root)}.items():
        text = text.replace(mark, value)
    (root / "server.json").write_text(text)


def is_memory(path):
    """What an upload that is complete leaves for an hour, for who asks what became of it."""
    return (path.parent.name == ".websrv-uploads" and path.suffix == ".info"
            and not path.with_suffix(".part").exists() and "complete 1" in path.read_text())


class Server:
    """A websrv of its own with a site of its own, beneath `root`."""

    def __init__(self, root, binary, backend, workers):
        self.root = root
        # Root's rights would hide what an unprivileged server may not read.
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        make_site(self.root, user)
        write_config(self.root, user, backend, workers)
        self.log = self.root / "stderr.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([binary, "-c", self.root / "server.json"],
                                            stdin=subprocess.DEVNULL, stderr=log)
        self.port = self.wait_for_port()

    def wait_for_port(self):
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            ports = set(LISTENING.findall(self.log.read_text(errors="replace")))
            if ports:
                if len(ports) > 1:
                    self.process.terminate()
                    raise Failed("one address in several servers got several ports")
                return int(ports.pop())
            time.sleep(0.02)
        self.process.kill()
        raise Failed("the server did not start: " +
                     show(self.log.read_bytes(), 2000))

    def stop(self):
        """What was wrong with the life and the end of the process, as a list."""
        wrong = []
        if self.process.poll() is not None:
            wrong.append(f"the server ended before it was told to ({self.process.returncode})")
        self.process.terminate()
        try:
            if self.process.wait(20) != 0 and not wrong:
                wrong.append(f"exit status {self.process.returncode} after SIGTERM")
        except subprocess.TimeoutExpired:
            self.process.kill()
            wrong.append("still alive 20 s after SIGTERM")
        trouble = [line for line in self.log.read_text(errors="replace").splitlines()
                   if TROUBLE.search(line)]
        if trouble:
            wrong.append(f"on stderr, {len(trouble)} such lines: {trouble[0]}")
        for path in itertools.chain((self.root / "drop").rglob("*"),
                                    (self.root / "drop-refuse").rglob("*")):
            if path.is_file() and not path.name.startswith("case-") and not is_memory(path):
                wrong.append(f"left behind: {path.relative_to(self.root)}")
        return wrong


# ---- all together -----------------------------------------------------------

def run_combination(options, cases, backend, workers):
    """Runs all cases against one server. Returns how many passed and failed, and whether they
    were given up for a server that hangs."""
    label = f"{backend}, {workers} worker{'s'[:workers - 1]}"
    root = pathlib.Path(tempfile.mkdtemp(prefix="websrv-wire-"))
    server, count = None, 0
    timed_out, left_out = [], []

    def run_one(run):
        if len(timed_out) >= TIMEOUTS_MAX:
            left_out.append(run)
            return None
        wrong = run.run()
        if wrong and time.monotonic() >= run.deadline:
            timed_out.append(run)
        return wrong
    try:
        server = Server(root, options.websrv, backend, workers)
        runs = [Run(case, mode, server.port, root, number)
                for number, case in enumerate(cases) for mode in options.modes.split(",")
                if mode in case.modes]
        runs.sort(key=lambda r: not r.case.slow)  # those that wait begin first
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            wrong = [w for w in pool.map(run_one, runs) if w]
        count = len(runs) - len(wrong) - len(left_out)
        if left_out:
            wrong.append(f"the server hangs: {len(timed_out)} cases took all of their time; "
                         f"{len(left_out)} others were left out")
        wrong += server.stop()
    except (Failed, OSError) as e:
        wrong = [str(e)]
    finally:
        if server and server.process.poll() is None:
            server.process.kill()
        if options.keep:
            print(f"[{label}] kept {root}")
        else:
            remove_site(root)
    for line in wrong:
        print(f"FAIL [{label}] {line}", flush=True)
    return count, len(wrong), bool(left_out)


def read_cases(pattern):
    cases, failed = [], 0
    for path in sorted((HERE / "cases").glob("*.wire")):
        if fnmatch.fnmatch(path.stem, pattern):
            try:
                cases.append(Case(path))
            except ValueError as e:
                print(f"FAIL {e}")
                failed += 1
    return cases, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--websrv", required=True, type=os.path.abspath, metavar="PATH")
    parser.add_argument("--backends", default="epoll,poll,select")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--modes", default="whole,bytes")
    parser.add_argument("--case", default="*", metavar="GLOB", help="names without .wire")
    parser.add_argument("--jobs", type=int, default=16, help="cases at a time")
    parser.add_argument("--keep", action="store_true", help="keep the temporary directories")
    options = parser.parse_args()
    cases, failed = read_cases(options.case)
    if not cases:
        print("no case found")
        return 1
    passed = 0
    for backend, workers in itertools.product(options.backends.split(","),
                                              options.workers.split(",")):
        p, f, hangs = run_combination(options, cases, backend, int(workers))
        passed, failed = passed + p, failed + f
        if hangs:
            print("giving up: other backends and numbers of workers were not tried")
            break
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
