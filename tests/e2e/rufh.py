# SPDX-License-Identifier: BSD-2-Clause
"""A client of resumable uploads for HTTP (draft-ietf-httpbis-resumable-upload) over raw sockets:
it sees interim answers, and can break off wherever it likes."""

import dataclasses
import json

LIMIT = 64  # interim answers before one that is final


@dataclasses.dataclass
class Reply:
    status: int
    fields: dict
    body: bytes = b""
    interims: list = dataclasses.field(default_factory=list)

    def __getattr__(self, name):
        """upload_offset is the field Upload-Offset, or None."""
        return self.fields.get(name.replace("_", "-"))

    @property
    def offset(self):
        return int(self.fields["upload-offset"])

    @property
    def problem(self):
        assert self.fields["content-type"] == "application/problem+json"
        return json.loads(self.body)

    def interim(self, name):
        """That field of each 104 that has it."""
        return [fields[name] for status, fields in self.interims if name in fields]


def read_head(stream):
    line = stream.readline()
    if not line:
        raise ConnectionError("the connection ended without an answer")
    version, status = line.split()[:2]
    assert version == b"HTTP/1.1", line
    fields = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        assert name.lower() not in fields, f"{name} comes twice"
        fields[name.lower()] = value.strip()
    assert line == b"\r\n", "a head is cut short"
    return int(status), fields


def read_reply(stream, method="GET"):
    interims = []
    for _ in range(LIMIT):
        status, fields = read_head(stream)
        if status >= 200:
            break
        interims.append((status, fields))
    else:
        raise AssertionError("too many interim answers")
    body = b""
    if method != "HEAD" and status not in (204, 304):
        body = stream.read(int(fields.get("content-length", 0)))
    return Reply(status, fields, body, interims)


def head_of(method, target, fields, version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def boolean(value):
    return "?1" if value else "?0"


class Client:
    """One connection a request. `interop` is sent as Upload-Draft-Interop-Version."""

    def __init__(self, server, interop=8, version="1.1"):
        self.server, self.interop, self.version = server, interop, version

    def fields(self, body, more):
        return {"Upload-Draft-Interop-Version": self.interop, "Content-Length": len(body),
                **{name.replace("_", "-"): value for name, value in more.items()}}

    def request(self, method, target, body=b"", **fields):
        head = head_of(method, target, self.fields(body, fields), self.version)
        with self.server.connect() as sock, sock.makefile("rb") as stream:
            sock.sendall(head)
            try:
                sock.sendall(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the answer says why
            return read_reply(stream, method)

    def begin(self, method, target, length, **fields):
        """Sends a head only: (socket, stream)."""
        more = {"Content-Length": length, **fields}
        sock = self.server.connect()
        sock.sendall(head_of(method, target, self.fields(b"", more), self.version))
        return sock, sock.makefile("rb")

    def create(self, target, body=b"", complete=True, length=None, method="PUT", **fields):
        return self.request(method, target, body, Upload_Complete=boolean(complete),
                            Upload_Length=length, **fields)

    def append(self, url, offset, body=b"", complete=True, **fields):
        more = {"Content_Type": "application/partial-upload", "Upload_Offset": offset,
                "Upload_Complete": boolean(complete), **fields}
        return self.request("PATCH", url, body, **more)

    def begin_append(self, url, offset, length, complete=True):
        return self.begin("PATCH", url, length, Upload_Offset=offset,
                          Upload_Complete=boolean(complete),
                          Content_Type="application/partial-upload")

    def look(self, url, **fields):
        return self.request("HEAD", url, Content_Length=None, **fields)

    def cancel(self, url):
        return self.request("DELETE", url, Content_Length=None)

    def options(self, target):
        return self.request("OPTIONS", target, Content_Length=None)
