# SPDX-License-Identifier: BSD-2-Clause
"""Many uploads at once, durable: all arrive whole, one costs little memory, and who asks for
something small meanwhile is answered soon. WEBSRV_LOAD_MB is the size of each."""

import hashlib
import os
import pathlib
import re
import threading
import time

import pytest

import rufh
from harness import config, files, read_answer, send_get, sha256_of, until, upload

COUNT, STEP = 100, 1 << 16
SIZE = int(os.environ.get("WEBSRV_LOAD_MB", 5)) << 20
ALLOWED = 300 << 10  # bytes for an upload


def proportional(server):
    """Bytes that the workers have in memory; what they share is counted once."""
    texts = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in server.workers())
    return sum(int(re.search(r"(?m)^Pss: +(\d+) kB", text)[1]) for text in texts) << 10


class Watch(threading.Thread):
    """Asks for a small file on connections of its own until it is stopped."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.ends, self.took, self.most = server, threading.Event(), [], 0

    def run(self):
        with self.server.connect() as one, self.server.connect() as two:
            for n in range(1_000_000):
                if self.ends.wait(0.005):
                    return
                sock = (one, two)[n % 2]
                began = time.perf_counter()
                send_get(sock)
                assert read_answer(sock)[0] == 200
                self.took.append(time.perf_counter() - began)
                if n % 20 == 0:
                    self.most = max(self.most, proportional(self.server))

    def percentile(self, share):
        return sorted(self.took)[int(share * (len(self.took) - 1))] * 1000


def send_some(server, numbers, block, together, results):
    """Their heads, then a piece of each in turn, then their answers."""
    socks = [server.connect(seconds=120) for _ in numbers]
    for n, sock in zip(numbers, socks):
        sock.sendall(rufh.head_of("PUT", f"/drop/{n}", {"Content-Length": SIZE}))
        sock.sendall(n.to_bytes(8, "big"))
    together.wait(60)
    left = SIZE - 8
    while left:
        piece = block[:min(STEP, left)]
        for sock in socks:
            sock.sendall(piece)
        left -= len(piece)
    for n, sock in zip(numbers, socks):
        with sock, sock.makefile("rb") as stream:
            results[n] = rufh.read_reply(stream).status


@pytest.mark.seconds(300)
def test_100_uploads_at_once_are_whole_and_cost_little(plain, site, drop):
    server = plain(config([upload(drop, durable=True), files(site)], workers=2))
    assert server.get()[0] == 200
    block, results, groups = os.urandom(STEP), {}, 10
    before, together = proportional(server), threading.Barrier(groups + 1)
    threads = [threading.Thread(target=send_some, daemon=True, args=(
        server, range(g, COUNT, groups), block, together, results)) for g in range(groups)]
    watch = Watch(server)
    watch.start()
    for thread in threads:
        thread.start()
    together.wait(60)
    began = time.monotonic()
    for thread in threads:
        thread.join(240)
    took = time.monotonic() - began
    watch.ends.set()
    watch.join(60)
    print(f"{COUNT} of {SIZE >> 20} MB took {took:.1f} s; "
          f"{(watch.most - before) / COUNT / 1024:.0f} KiB for each; others waited "
          f"{watch.percentile(0.5):.1f} ms (median), {watch.percentile(0.99):.1f} ms (p99), "
          f"{max(watch.took) * 1000:.1f} ms at most, {len(watch.took)} times")
    assert results == {n: 201 for n in range(COUNT)}
    rest = block * (SIZE // STEP)
    for n in range(COUNT):
        whole = n.to_bytes(8, "big") + rest[:SIZE - 8]
        assert sha256_of(drop / str(n)) == hashlib.sha256(whole).digest()
    assert watch.took and watch.most - before < COUNT * ALLOWED
    until(lambda: server.get()[0] == 200, "service")
