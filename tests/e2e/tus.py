# SPDX-License-Identifier: BSD-2-Clause
"""A client of tus 1.0.0 for the tests: plain requests, and a body that is cut where we like."""

import base64
import hashlib
import socket
import time

from harness import PATIENCE

TYPE = "application/offset+octet-stream"


def metadata(**pairs):
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}"
                    for key, value in pairs.items())


def checksum(algorithm, data):
    digest = hashlib.new(algorithm, data).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


class Client:
    def __init__(self, server, collection="/drop/"):
        self.server, self.collection = server, collection

    def ask(self, method, target, body=None, version="1.0.0", **fields):
        """(status, fields, body); names of fields with _ for -."""
        headers = {name.replace("_", "-"): str(value) for name, value in fields.items()}
        if version:
            headers["Tus-Resumable"] = version
        status, got, text = self.server.request(method, target, body=body, headers=headers)
        return status, got, text.decode(errors="replace")

    def create(self, length=None, name="a.bin", body=None, **fields):
        if length is not None:
            fields["Upload-Length"] = length
        if name is not None:
            fields["Upload-Metadata"] = metadata(filename=name)
        if body is not None:
            fields["Content-Type"] = TYPE
        status, got, text = self.ask("POST", self.collection, body=body, **fields)
        assert status == 201, (status, text)
        assert got["Tus-Resumable"] == "1.0.0"
        return got["Location"]

    def head(self, url, **fields):
        return self.ask("HEAD", url, **fields)

    def offset(self, url):
        status, got, _ = self.head(url)
        assert status == 200, status
        assert got["Cache-Control"] == "no-store"
        return int(got["Upload-Offset"])

    def patch(self, url, offset, body, **fields):
        fields = {"Content-Type": TYPE, "Upload-Offset": offset} | fields
        return self.ask("PATCH", url, body=body, **fields)

    def begin_patch(self, url, offset, length, **fields):
        """A socket that the head of a PATCH was sent to."""
        sock = self.server.connect()
        lines = [f"PATCH {url} HTTP/1.1", "Host: a", "Tus-Resumable: 1.0.0",
                 f"Content-Type: {TYPE}", f"Upload-Offset: {offset}",
                 f"Content-Length: {length}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        sock.sendall("\r\n".join(lines + ["", ""]).encode())
        return sock

    def offset_when_back(self, url, seconds=PATIENCE):
        """The same as offset() for a server whose worker was killed just now."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.offset(url)
            except (OSError, EOFError, AssertionError, socket.timeout) as e:
                assert time.monotonic() < end, e
                time.sleep(0.05)
