#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Side-by-side benchmark: CPU time of the server's processes per unit of work.

In:  server binaries, wrk, curl, a C compiler for floor.c.
Out: a Markdown table on stdout, progress on stderr, raw samples with --json.
Missed targets are reported, never enforced: the exit status is 1 only when
something failed to run or answered wrongly. See README.md beside this file.
"""
import argparse
import collections
import json
import os
import platform
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leave no litter beside the sources
import redirects
from peers import Failed, ORDER, PEERS, Server, cpu_seconds, note, pss_bytes, run

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64
PIPELINE = 16

# key, title, unit, scale from CPU seconds per unit of work, decimals, bounds. A bound is
# (factor, "best" | server | None); None makes the factor an absolute figure.
Work = collections.namedtuple("Work", "key title unit scale digits bounds")
WORKS = (
    Work("keepalive", "1 KiB, keep-alive, 64 connections", "us/request", 1e6, 2,
         ((0.90, "h2o"), (1.25, "floor"))),
    Work("pipelined", "the same, 16 requests pipelined", "us/request", 1e6, 2,
         ((0.45, "best"),)),
    Work("close", "1 KiB, a connection per request", "us/request", 1e6, 2,
         ((1.00, "h2o"),)),
    Work("large", "100 KiB, keep-alive, 64 connections", "us/request", 1e6, 2,
         ((1.00, "lighttpd"),)),
    Work("download", "download", "CPU s/GB", 1e9, 3, ((1.00, "best"),)),
    Work("upload", "upload (PUT)", "CPU s/GB", 1e9, 3,
         ((0.60, "nginx"), (1.00, "lighttpd"))),
    Work("idle", "memory per idle keep-alive connection", "bytes PSS", 1, 0,
         ((400, None),)),
)
FLOOR_WORKS = ("keepalive", "pipelined")

PIPELINE_LUA = """\
init = function(args)
  local one = wrk.format("GET", "/small.bin")
  batch = string.rep(one, %d)
end
request = function() return batch end
""" % PIPELINE


# --- one sample of each work ------------------------------------------------
# Each returns (cost, rate): CPU seconds (or bytes) per unit of work, and units a second.

def ask(sock, path, size):
    """One GET on an open connection; returns the body of a 200 or fails."""
    sock.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    data, head, want = b"", None, None
    while want is None or len(data) < want:
        more = sock.recv(262144)
        if not more or len(data) > size + 65536:
            raise Failed(f"/{path}: connection ended after {len(data)} bytes")
        data += more
        if want is None and b"\r\n\r\n" in data:
            head = data[:data.index(b"\r\n\r\n") + 4]
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
            if not head.startswith(b"HTTP/1.1 200 ") or not length:
                raise Failed(f"/{path}: not a 200 with a length: {head[:200]!r}")
            want = len(head) + int(length[1])
    if len(data) != want:
        raise Failed(f"/{path}: {len(data) - want} bytes too many")
    return data[len(head):]


def check_answer(bench, server, path):
    with open(os.path.join(bench.dir, "www", path), "rb") as f:
        body = f.read()
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        if ask(sock, path, len(body)) != body:
            raise Failed(f"/{path}: wrong body")


def sample_wrk(bench, server, path, extra=()):
    check_answer(bench, server, path)
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{bench.seconds}s", *extra, server.url(path)]
    before = cpu_seconds(server.proc.pid)
    out = run(argv, bench.seconds + 30, bench.client_core)
    cpu = cpu_seconds(server.proc.pid) - before
    done = re.search(r"(\d+) requests in ([\d.]+)(m?s|m),", out)
    if not done or int(done[1]) == 0:
        raise Failed("wrk made no request: " + out[-300:])
    wrong = re.findall(r"Socket errors:.*|Non-2xx.*", out)
    if wrong:
        raise Failed("wrk: " + "; ".join(wrong))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    return cpu / int(done[1]), rate


def sample_transfers(bench, server, once):
    """Repeats a transfer for the length of a run: one alone is too few clock ticks."""
    count, before, start = 0, cpu_seconds(server.proc.pid), time.monotonic()
    spent = 0.0
    while count == 0 or (time.monotonic() - start < bench.seconds and count < 1000):
        spent += once()
        count += 1
    cpu = cpu_seconds(server.proc.pid) - before
    total = count * bench.size
    return cpu / total, total / spent


def curl(bench, server, path, statuses, counter, extra=()):
    out = run(["curl", "-q", "-sS", "--noproxy", "*", "-o", "/dev/null", "-w",
               "%{http_code} %{" + counter + "} %{time_total}", *extra, server.url(path)],
              300, bench.client_core)
    status, size, seconds = out.split()
    if int(status) not in statuses or int(size) != bench.size:
        raise Failed(f"/{path}: status {status}, {size} of {bench.size} bytes")
    return float(seconds)


def sample_download(bench, server):
    check_answer(bench, server, "small.bin")
    return sample_transfers(bench, server, lambda: curl(
        bench, server, "big.bin", (200,), "size_download"))


def sample_upload(bench, server):
    stored = os.path.join(bench.dir, "drop", "up.bin")

    def once():
        took = curl(bench, server, "drop/up.bin", (200, 201, 204), "size_upload",
                    ("-T", os.path.join(bench.dir, "www", "big.bin")))
        if os.path.getsize(stored) != bench.size:
            raise Failed(f"stored {os.path.getsize(stored)} of {bench.size} bytes")
        os.unlink(stored)
        return took

    check_answer(bench, server, "small.bin")
    try:
        return sample_transfers(bench, server, once)
    finally:
        if os.path.exists(stored):
            os.unlink(stored)


def sample_idle(bench, server):
    check_answer(bench, server, "small.bin")
    time.sleep(0.2)
    before, start, held = pss_bytes(server.proc.pid), time.monotonic(), []
    try:
        for _ in range(bench.idle):
            held.append(socket.create_connection(("127.0.0.1", server.port), 10))
            ask(held[-1], "small.bin", 1024)
        rate = bench.idle / (time.monotonic() - start)
        time.sleep(0.5)
        grown = pss_bytes(server.proc.pid) - before
        for sock in held:  # still open and answering? every 100th is asked again
            if sock.fileno() % 100 == 0:
                ask(sock, "small.bin", 1024)
        return grown / bench.idle, rate
    finally:
        for sock in held:
            sock.close()


def sample(bench, work, name):
    with Server(bench, name, work) as server:
        try:
            if work == "keepalive":
                return sample_wrk(bench, server, "small.bin")
            if work == "pipelined":
                return sample_wrk(bench, server, "small.bin", ("-s", bench.lua))
            if work == "close":
                return sample_wrk(bench, server, "small.bin", ("-H", "Connection: close"))
            if work == "large":
                return sample_wrk(bench, server, "large.bin")
            return {"download": sample_download, "upload": sample_upload,
                    "idle": sample_idle}[work](bench, server)
        except (OSError, ValueError) as e:
            raise Failed(f"{e}; it said: {server.output()[-500:]}") from e


# --- the whole run ----------------------------------------------------------

class Bench:
    """What every sample needs: options, tools, cores, and the files to serve."""

    def __init__(self, args, folder):
        self.dir, self.args = folder, args
        self.seconds = 1 if args.quick else args.seconds
        self.rounds = 1 if args.quick else args.rounds
        self.size = (args.size if args.size else 64 if args.quick else 1024) << 20
        cores = sorted(os.sched_getaffinity(0))
        self.server_core, self.client_core = cores[0], cores[min(1, len(cores) - 1)]
        if len(cores) == 1:
            note("only one core: server and load share it, the figures are of little use")
        os.sched_setaffinity(0, {self.client_core})
        self.nofile = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.nofile = 65536 if self.nofile < 0 else self.nofile
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.nofile, self.nofile))
        self.idle = max(100, min(500 if args.quick else 8000, self.nofile - 512))
        self.lua = os.path.join(folder, "pipeline.lua")
        self.make_files()
        self.find_tools()

    def make_files(self):
        os.chmod(self.dir, 0o755)
        for name, mode in (("www", 0o755), ("drop", 0o777)):
            os.mkdir(os.path.join(self.dir, name))
            os.chmod(os.path.join(self.dir, name), mode)
        for name, size in (("small.bin", 1 << 10), ("large.bin", 100 << 10)):
            with open(os.path.join(self.dir, "www", name), "wb") as f:
                f.write(b"x" * size)
        with open(os.path.join(self.dir, "www", "big.bin"), "wb") as f:
            block = bytes(range(256)) * 4096
            for _ in range(self.size >> 20):
                f.write(block)
        # Files of a site are seldom seconds old; servers may treat such ones with more care.
        for name in os.listdir(os.path.join(self.dir, "www")):
            os.utime(os.path.join(self.dir, "www", name), (1_600_000_000,) * 2)
        with open(self.lua, "w", encoding="ascii") as f:
            f.write(PIPELINE_LUA)

    def find_tools(self):
        path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
        for need in ("wrk", "curl", "nginx"):
            if not shutil.which(need, path=path):
                raise Failed(f"{need} is not installed")
        self.tools = {n: shutil.which(n, path=path) for n in ("nginx", "lighttpd", "h2o")}
        built = subprocess.run([self.tools["nginx"], "-V"], capture_output=True, text=True)
        self.dav = "http_dav_module" in built.stderr
        self.lighttpd_dav = os.path.exists("/usr/lib/lighttpd/mod_webdav.so")
        self.tools["floor"] = os.path.join(self.dir, "floor")
        run([os.environ.get("CC", "cc"), "-O2", "-o", self.tools["floor"],
             os.path.join(HERE, "floor.c")], 60, self.client_core)
        if not self.args.without_websrv:
            self.tools["websrv"] = os.path.abspath(self.args.websrv)
            if not os.access(self.tools["websrv"], os.X_OK):
                raise Failed(f"no websrv at {self.args.websrv} (--websrv PATH names "
                             "another, --without-websrv does without)")

    def why_not(self, work, name):
        """Why a server takes no part in a work, or None when it does."""
        if name == "floor":
            return None if work in FLOOR_WORKS else "the floor answers small requests only"
        if not self.tools.get(name.partition("+")[0]):
            return "not installed"
        if name == "nginx+ofc" and work in ("upload", "idle"):
            return "the cache of open files plays no part"
        if work == "upload" and name in ("nginx", "lighttpd", "h2o"):
            able = {"nginx": self.dav, "lighttpd": self.lighttpd_dav}.get(name, False)
            return None if able else "no PUT in this build"
        return None

    def measure(self, works):
        samples = {w.key: {n: [] for n in ORDER if not self.why_not(w.key, n)} for w in works}
        failures = []
        for work in works:
            for name in set(PEERS) - set(samples[work.key]):
                note(f"{work.key} without {name}: {self.why_not(work.key, name)}")
        for turn in range(self.rounds):
            for work in works:
                names = list(samples[work.key])
                shift = turn % len(names)
                for name in names[shift:] + names[:shift]:
                    label = f"round {turn + 1}/{self.rounds} {work.key} {name}"
                    try:
                        cost, rate = sample(self, work.key, name)
                    except Failed as e:
                        failures.append(f"{label}: {e}")
                        note(f"FAILED {failures[-1]}")
                        continue
                    samples[work.key][name].append((cost * work.scale, rate))
                    note(f"{label}: {cost * work.scale:.{work.digits}f} {work.unit}")
        return samples, failures


    def measure_redirects(self):
        """How cost grows with a table of redirects: {rows: (load, memory, CPU)}."""
        if "websrv" not in self.tools or self.args.only and "redirects" not in self.args.only:
            return {}
        sizes = redirects.SIZES[::2] if self.args.quick else redirects.SIZES
        return redirects.curve(self.tools["websrv"], sizes, self.rounds, self.seconds,
                               core=self.server_core, told=note)


# --- the report -------------------------------------------------------------

def medians(runs):
    """{server: (median cost, median rate)} of the servers that have samples."""
    return {n: tuple(statistics.median(column) for column in zip(*got))
            for n, got in runs.items() if got}


def judge(work, got):
    """(target in words, "met" | "missed" | "-") for websrv."""
    words, verdicts = [], []
    for factor, against in work.bounds:
        if against is None:
            base, said = 1.0, f"<= {factor}"
        elif against == "best":
            base = min((got[n][0] for n in PEERS if n in got), default=None)
            said = f"<= {factor:.2f} x best peer"
        else:
            base = got[against][0] if against in got else None
            said = f"<= {factor:.2f} x {against}"
        words.append(said)
        if base is not None and "websrv" in got:
            verdicts.append(got["websrv"][0] <= factor * base)
    verdict = "-" if not verdicts else "met" if all(verdicts) else "missed"
    if verdict == "met" and len(verdicts) < len(work.bounds):
        verdict = f"met ({len(verdicts)} of {len(work.bounds)})"
    return ", ".join(words), verdict


def cell(work, got, name):
    if name not in got:
        return "-"
    cost, rate = got[name]
    if work.key == "idle":
        return f"{cost:.0f}"
    shown = f"{rate / 1e9:.2f} GB/s" if work.unit == "CPU s/GB" else f"{rate:.0f}/s"
    return f"{cost:.{work.digits}f} ({shown})"


def ratio(got, name):
    if name not in got or "websrv" not in got or got[name][0] <= 0:
        return "-"
    return f"{got['websrv'][0] / got[name][0]:.2f}"


def report(bench, works, samples):
    against = ("nginx", "h2o", "floor")
    heads = ["work", "unit", *ORDER, *(f"websrv/{n}" for n in against), "target", "result"]
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for work in works:
        got = medians(samples[work.key])
        title = work.title
        if work.key in ("download", "upload"):
            title = f"{bench.size >> 20} MiB {title}"
        if work.key == "idle":
            title += f" ({bench.idle} open)"
        row = [title, work.unit, *(cell(work, got, n) for n in ORDER),
               *(ratio(got, n) for n in against), *judge(work, got)]
        print("| " + " | ".join(row) + " |")
    print(f"\nMedian of {bench.rounds} interleaved rounds of {bench.seconds} s. Server on core "
          f"{bench.server_core}, load on core {bench.client_core}, {platform.machine()}, "
          f"Linux {platform.release()}. In brackets the rate beside the cost.")


def roomy_folder():
    """Shared memory when it has room, so that no disk takes part; else the default."""
    shm = "/dev/shm"
    return shm if os.path.isdir(shm) and shutil.disk_usage(shm).free > 6 << 30 else None


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--websrv", default=os.path.join(os.path.dirname(HERE), "build", "websrv"))
    p.add_argument("--without-websrv", action="store_true")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=3, help="length of one run")
    p.add_argument("--size", type=int, help="MiB of a transfer (default 1024)")
    p.add_argument("--quick", action="store_true", help="1 round, 1 s, small sizes")
    p.add_argument("--only", choices=[*(w.key for w in WORKS), "redirects"],
                   action="append")
    p.add_argument("--json", metavar="FILE", help="write the raw samples")
    p.add_argument("--dir", help="where the files go (default: shared memory if it has "
                   "6 GiB free, else the temporary folder)")
    args = p.parse_args()
    if args.rounds < 1 or args.seconds < 1 or (args.size is not None and args.size < 1):
        p.error("--rounds, --seconds and --size begin at 1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    works = [w for w in WORKS if not args.only or w.key in args.only]
    with tempfile.TemporaryDirectory(prefix="websrv-bench-",
                                     dir=args.dir or roomy_folder()) as folder:
        try:
            bench = Bench(args, folder)
            samples, failures = bench.measure(works)
            grown = bench.measure_redirects()
        except (Failed, OSError, subprocess.SubprocessError) as e:
            note(f"bench: {e}")
            return 1
        if works:
            report(bench, works, samples)
        if grown:
            print("\n" + "\n".join(redirects.table(grown, "lines")))
        if args.json:
            with open(args.json, "w", encoding="utf-8") as f:
                json.dump({"rounds": bench.rounds, "seconds": bench.seconds,
                           "size": bench.size, "connections_idle": bench.idle,
                           "kernel": platform.release(),
                           "units": {w.key: w.unit for w in works},
                           "samples": samples, "redirects": grown,
                           "failures": failures}, f, indent=1)
    for line in failures:
        print(f"failed: {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
