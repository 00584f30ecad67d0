# SPDX-License-Identifier: BSD-2-Clause
"""A connection that sends and reads at the same time, and a strict parser of answers."""

import re
import select
import socket
import time

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
IMF_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT")
SINGLE = ["allow", "content-length", "content-type", "date", "etag", "last-modified",
          "location", "server", "transfer-encoding"]


class Failed(Exception):
    """What a server did wrong, as a sentence."""


class Conn:
    def __init__(self, port, deadline):
        # Before the first and before the last piece was sent: what they began began no earlier.
        self.began = self.busy_until = time.monotonic()
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.deadline, self.buf, self.eof, self.reset = deadline, b"", False, False
        self.sent, self.received = bytearray(), bytearray()
        self.quiet_since = time.monotonic()  # since when nothing was sent or taken

    def receive(self):
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            data, self.reset = b"", True
        self.eof = self.eof or not data
        self.buf += data
        self.received += data

    def send(self, pieces):
        """Reads beside sending; gives up when the server has closed."""
        self.began = time.monotonic()
        for piece in pieces:
            while piece and not self.eof:
                left = self.deadline - time.monotonic()
                readable, writable, _ = select.select([self.sock], [self.sock], [],
                                                      max(0, left))
                if readable:
                    self.receive()
                elif writable:
                    self.busy_until = time.monotonic()
                    try:
                        n = self.sock.send(piece)
                    except ConnectionError:
                        self.reset = True
                        self.receive()
                        self.eof = True
                        n = 0
                    self.sent += piece[:n]
                    piece = piece[n:]
                else:
                    raise Failed("the server stopped reading")
        self.quiet_since = time.monotonic()

    def fill(self, until):
        """True when more bytes or the end came, False when the time was over before."""
        left = min(until, self.deadline) - time.monotonic()
        if self.eof or not select.select([self.sock], [], [], max(0, left))[0]:
            return False
        self.receive()
        return True

    def anything(self):
        while not self.buf and self.fill(self.deadline):
            pass
        return bool(self.buf)

    def take(self, enough, what):
        """Waits until enough(buf) gives a count, and takes that many bytes."""
        while (n := enough(self.buf)) is None:
            if not self.fill(self.deadline):
                why = ("reset" if self.reset else "closed") if self.eof else "time over"
                raise Failed(f"{why} while waiting for {what}")
        data, self.buf = self.buf[:n], self.buf[n:]
        self.quiet_since = time.monotonic()
        return data

    def take_line(self, what):
        return self.take(lambda b: b.find(b"\r\n") + 2 if b"\r\n" in b else None, what)[:-2]


class Answer:
    """One response, read from a Conn and held against RFC 9110 and 9112."""

    def __init__(self, conn, to_head=False):
        self.fields, self.body = [], b""
        line = conn.take_line("a status line")
        m = STATUS_LINE.fullmatch(line)
        if not m:
            raise Failed(f"bad status line {line!r}")
        self.status = int(m[1])
        while line := conn.take_line("the fields"):
            m = FIELD_LINE.fullmatch(line)
            if not m:
                raise Failed(f"bad field line {line!r}")
            self.fields.append((m[1].decode().lower(), m[2].rstrip(b" \t").decode("latin-1")))
        self.check_fields(to_head)
        if not to_head and self.status >= 200 and self.status not in (204, 304):
            self.read_body(conn)

    def all(self, name):
        """The values of all fields of that name."""
        return [v for n, v in self.fields if n == name.lower()]

    def options(self):
        """The connection options."""
        return {o.strip().lower() for v in self.all("connection") for o in v.split(",")}

    def parts(self):
        """The parts of multipart/byteranges (RFC 9110 section 14.6): (type, range, bytes)."""
        m = re.fullmatch(r"multipart/byteranges; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})",
                         "".join(self.all("content-type")))
        if not m:
            raise Failed(f"no multipart/byteranges, but {self.all('content-type')}")
        mark = b"\r\n--" + m[1].encode()
        first, *parts, last = (b"\r\n" + self.body).split(mark)
        if first not in (b"", b"\r\n") or last != b"--\r\n":
            raise Failed("no good begin or end of the parts")
        found = [re.fullmatch(rb"\r\nContent-Type: (.*)\r\nContent-Range: (.*)\r\n\r\n((?s:.*))",
                              part) for part in parts]
        if not all(found):
            raise Failed("a part without its fields")
        return [(f[1].decode(), f[2].decode(), f[3]) for f in found]

    def check_fields(self, to_head):
        for name in SINGLE:
            if len(self.all(name)) > 1:
                raise Failed(f"{name} more than once")
        length, coding = self.all("content-length"), self.all("transfer-encoding")
        if length and not re.fullmatch("[0-9]+", length[0]):
            raise Failed(f"Content-Length {length[0]!r}")
        if self.status < 200 or self.status == 204:
            if length or coding:
                raise Failed(f"{self.status} with a body's framing")
        elif length and coding:
            raise Failed("Content-Length together with Transfer-Encoding")
        elif not (to_head or self.status == 304 or length or coding or
                  "close" in self.options()):
            raise Failed("neither length nor coding, and no Connection: close")
        if self.status >= 200 and not IMF_DATE.fullmatch("".join(self.all("date"))):
            raise Failed("no good Date")
        if self.status == 405 and not self.all("allow"):
            raise Failed("405 without Allow")

    def read_body(self, conn):
        if self.all("transfer-encoding"):
            if self.all("transfer-encoding") != ["chunked"]:
                raise Failed("a transfer coding that is not chunked")
            while size := int(conn.take_line("a chunk size").partition(b";")[0], 16):
                self.body += conn.take(lambda b: size if len(b) >= size else None, "a chunk")
                if conn.take_line("the end of a chunk"):
                    raise Failed("chunk data beyond its size")
            while conn.take_line("the trailer"):
                pass
        elif self.all("content-length"):
            n = int(self.all("content-length")[0])
            self.body = conn.take(lambda b: n if len(b) >= n else None, f"{n} bytes of body")
        else:
            self.body = conn.take(lambda b: len(b) if conn.eof else None, "end of body")
