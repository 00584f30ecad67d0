#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a table of redirects costs: time to load, memory, CPU time of a request.

In:  the websrv binary. Out: a Markdown table, a row for each size of the table: a curve.
One worker answers requests for random rows: one at a time, as most clients ask, and pipelined,
so that what the table costs is not hidden behind system calls. bench.py shows it as a part of its report; alone it can try other
sizes and tables written as JSON. Standard library only; see README.md beside this file.
"""
import argparse
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leave no litter beside the sources
from peers import Failed, cpu_seconds, pss_bytes

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = (10, 100, 1000, 10000, 100000)
BATCH = 64


def path_of(i):
    return f"/old/section-{i % 97}/page-{i}.html"


def write_files(directory, rows, form):
    with open(os.path.join(directory, "table"), "w", encoding="ascii") as f:
        if form == "json":
            json.dump({path_of(i): f"/new/{i}.html" for i in range(rows)}, f, indent=0)
        else:
            f.writelines(f"{path_of(i)} /new/{i}.html 301\n" for i in range(rows))
    with open(os.path.join(directory, "c.json"), "w", encoding="ascii") as f:
        json.dump({"workers": 1, "logs": {"access": None}, "servers": [
            {"listen": ["127.0.0.1:0"], "redirects": "table"}]}, f)


def load_seconds(binary, conf):
    start = time.monotonic()
    subprocess.run([binary, "-t", "-c", conf], check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def start(binary, conf, core):
    """The process and its port, when it says that it listens."""
    pin = ["taskset", "-c", str(core)] if core is not None else []
    proc = subprocess.Popen([*pin, binary, "-c", conf], stderr=subprocess.PIPE, text=True)
    for line in proc.stderr:
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if found:
            return proc, int(found[1])
    raise Failed("websrv did not start")


def ask(sock, paths):
    """One batch; every answer is a redirect, and has no body to speak of."""
    sock.sendall(b"".join(
        f"HEAD {p} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode() for p in paths))
    data = b""
    while data.count(b"\r\n\r\n") < len(paths):
        more = sock.recv(1 << 20)
        if not more:
            raise Failed("the connection ended")
        data += more
    if data.count(b"\r\nLocation: /new/") != len(paths):
        raise Failed("not every answer is a redirect")


def cost(sock, pid, rows, batch, seconds):
    """CPU seconds of a request for a random row, `batch` of them pipelined."""
    chosen = random.Random(1)

    def asked():
        ask(sock, [path_of(chosen.randrange(rows)) for _ in range(batch)])
        return batch

    asked()
    before, begin, count = cpu_seconds(pid), time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        count += asked()
    return (cpu_seconds(pid) - before) / count


def measure(binary, rows, form, seconds, core=None):
    """(load in s, memory in bytes, CPU s of a request alone, the same of a pipelined one)"""
    with tempfile.TemporaryDirectory(prefix="websrv-bench-") as directory:
        write_files(directory, rows, form)
        conf = os.path.join(directory, "c.json")
        load = min(load_seconds(binary, conf) for _ in range(3))
        proc, port = start(binary, conf, core)
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as sock:
                alone = cost(sock, proc.pid, rows, 1, seconds)
                pipelined = cost(sock, proc.pid, rows, BATCH, seconds)
            memory = pss_bytes(proc.pid)
        finally:
            proc.send_signal(signal.SIGTERM)
            proc.stderr.close()
            proc.wait(20)
    return load, memory, alone, pipelined


def curve(binary, sizes, rounds, seconds, form="lines", core=None, told=lambda text: None):
    """{size: what measure() says}: medians of rounds in which each size takes its turn."""
    samples = {rows: [] for rows in sizes}
    for turn in range(rounds):
        for rows in sizes:
            samples[rows].append(measure(binary, rows, form, seconds, core))
            told(f"round {turn + 1}/{rounds} redirects {rows}: "
                 f"{samples[rows][-1][2] * 1e6:.2f} us/request")
    return {rows: tuple(map(statistics.median, zip(*got))) for rows, got in samples.items()}


def table(got, form):
    """The lines of the report; ratios are to the smallest table."""
    least = got[min(got)]
    lines = [f"| rows of redirects ({form}) | load, ms | memory, MiB PSS | CPU us/request | "
             f"to {min(got)} rows | {BATCH} pipelined | to {min(got)} rows |",
             "|--:|--:|--:|--:|--:|--:|--:|"]
    for rows, (load, memory, alone, pipelined) in sorted(got.items()):
        lines.append(f"| {rows} | {load * 1e3:.1f} | {memory / 2**20:.1f} | "
                     f"{alone * 1e6:.2f} | {alone / least[2]:.2f} | "
                     f"{pipelined * 1e6:.2f} | {pipelined / least[3]:.2f} |")
    return lines


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    args.add_argument("--websrv", default=os.path.join(HERE, "..", "build", "websrv"))
    args.add_argument("--form", choices=("lines", "json"), default="lines")
    args.add_argument("--seconds", type=float, default=3, help="of requests, for each size")
    args.add_argument("--rows", type=int, nargs="*", default=SIZES)
    args.add_argument("--rounds", type=int, default=3)
    args = args.parse_args()
    got = curve(args.websrv, args.rows, args.rounds, args.seconds, args.form)
    print("\n".join(table(got, args.form)))


if __name__ == "__main__":
    try:
        main()
    except (Failed, OSError, subprocess.SubprocessError) as e:
        sys.exit(f"redirects.py: {e}")
