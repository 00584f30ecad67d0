# SPDX-License-Identifier: BSD-2-Clause
"""What once broke the server: peers that send much and read little, at the worst moments."""

import re
import resource
import socket
import time

import pytest

from harness import config, files, read_all, until, upload

HEAD = b"HEAD /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMALL_BUFFER = 2048


def send_what_fits(sock, data, seconds=5):
    """Sends until all is gone or the server takes no more for a second."""
    sock.settimeout(1)
    end, view = time.monotonic() + seconds, memoryview(data)
    try:
        while view and time.monotonic() < end:
            view = view[sock.send(view):]
    except OSError:
        pass
    return len(data) - len(view)


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def is_alive_as_before(server, workers):
    assert server.get()[0] == 200
    assert server.workers() == workers
    assert "was killed by signal" not in server.log()


def test_a_pipeline_of_heads_that_nobody_reads_takes_no_memory(start, site):
    server = start(config([files(site)], workers=1))
    worker = server.workers()[0]
    assert server.get()[0] == 200
    before = resident_kib(worker)
    with server.connect(receive_buffer=SMALL_BUFFER) as sock:
        send_what_fits(sock, HEAD * 2_000_000)
        assert resident_kib(worker) - before < 20_000


@pytest.mark.parametrize("first, later", [
    (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (b"GET / HT", b"TP/1.1\r\nHost: a\r\n\r\n"),
    (b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"more"),
], ids=["no host", "cut head", "bad chunk"])
def test_bytes_after_a_refusal_that_cannot_leave_yet_do_no_harm(start, site, first, later):
    server = start(config([files(site)], workers=1, timeouts={"header": "300ms"}))
    workers = server.workers()
    with server.connect(receive_buffer=SMALL_BUFFER) as sock:
        send_what_fits(sock, HEAD * 40_000 + first)
        time.sleep(0.8)
        send_what_fits(sock, later)
        time.sleep(0.2)
        is_alive_as_before(server, workers)


def test_garbage_behind_a_chunked_get_of_a_big_file_does_no_harm(start, site):
    (site / "big.bin").write_bytes(b"x" * (16 << 20))
    server = start(config([files(site)], workers=1))
    workers = server.workers()
    with server.connect(receive_buffer=SMALL_BUFFER) as sock:
        sock.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for late in (b"zz\r\n", b"more"):
            time.sleep(0.2)
            sock.sendall(late)
        is_alive_as_before(server, workers)


@pytest.mark.parametrize("size", [65_536, 131_072, 300_000, 1_000_000])
def test_a_file_from_memory_arrives_whole_whatever_its_size(start, site, size):
    (site / "file.bin").write_bytes(b"x" * size)
    server = start(config([files(site)], cache={"file_size": "1M"}, timeouts={"write_idle": "3s"}))
    for _ in range(3):
        status, _, body = server.get("/file.bin")
        assert (status, len(body)) == (200, size)


def test_a_half_closed_pipeline_is_answered_whole_to_a_slow_reader(start, site):
    (site / "file.bin").write_bytes(b"x" * 60_000)
    server = start(config([files(site)], workers=1))
    with server.connect(receive_buffer=SMALL_BUFFER) as sock:
        sock.sendall(b"GET /file.bin HTTP/1.1\r\nHost: a\r\n\r\n" * 150)
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.5)
        answer = read_all(sock)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 150
    assert answer.count(b"x") >= 150 * 60_000


@pytest.mark.parametrize("count", [17, 18, 19, 35, 36, 37])
def test_the_end_of_input_is_seen_when_a_turn_ends_with_the_last_request(start, site, count):
    (site / "file.bin").write_bytes(b"x" * 60_000)
    server = start(config([files(site)], workers=1))
    with server.connect(receive_buffer=SMALL_BUFFER) as sock:
        sock.sendall(b"GET /file.bin HTTP/1.1\r\nHost: a\r\n\r\n" * count)
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        assert read_all(sock).count(b"HTTP/1.1 200 OK\r\n") == count


def test_a_limit_on_file_sizes_is_an_answer_not_the_end(start, site, drop):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    server = start(config([files(site), upload(drop)], workers=1), preexec_fn=limit)
    workers = server.workers()
    assert server.request("PUT", "/drop/big", body=b"x" * 500_000)[0] == 413
    is_alive_as_before(server, workers)
    assert list(drop.iterdir()) == []


def test_dripping_body_bytes_do_not_put_off_the_write_timeout(start, site):
    (site / "big.bin").write_bytes(b"x" * (16 << 20))
    server = start(config([files(site)], workers=1, timeouts={"write_idle": "1s"}))
    with server.connect(receive_buffer=SMALL_BUFFER) as sock:
        sock.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")

        def is_reset():
            try:
                return sock.send(b"x") == 0
            except OSError:
                return True
        until(is_reset, "the end of a connection that is not read")


def test_a_respond_route_can_be_an_error_page(start, site):
    gone = {"path": "/gone", "respond": {"status": 410, "body": "Nothing here.\n"}}
    server = start(config([files(site), gone], server={"error_pages": {"404": "/gone"}}))
    status, _, body = server.get("/nope")
    assert (status, body) == (404, b"Nothing here.\n")


def test_a_small_file_that_grows_all_the_time_is_served(start, site):
    server = start(config([files(site)], workers=1, cache={"revalidate": 0}))
    with open(site / "log.txt", "w") as log:
        for n in range(200):
            log.write(f"line {n}\n")
            log.flush()
            assert server.get("/log.txt")[0] == 200
