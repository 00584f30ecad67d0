# SPDX-License-Identifier: BSD-2-Clause
"""A small server of uploads by tus 1.0 and by forms, which misbehaves as it is told: what the
upload page has to bear, at moments that a real server would not choose. It keeps all in memory
and records what arrived."""

import base64
import email
import hashlib
import http.server
import json
import re
import socket
import struct
import threading
import time
import urllib.parse

PIECE = 64 << 10


def policy_of(source, page):
    """The Content-Security-Policy that upload_page.c makes, with hashes computed here."""
    def hash_of(element):
        text, = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    text = re.search(r"\bcsp\[\] =(.*?);\n\n", source, re.DOTALL).group(1)
    text = re.sub(r"UPLOAD_PAGE_(\w+)_HASH", lambda m: f'"{hash_of(m.group(1).lower())}"', text)
    return "".join(re.findall(r'"([^"]*)"', text))


class Upload:
    """One that was created by tus."""

    def __init__(self, name, filetype, length):
        self.name, self.filetype, self.length = name, filetype, length
        self.data = bytearray()
        self.writer = None  # the last request is the one that counts: it ends those before it


class Double(http.server.ThreadingHTTPServer):
    """The collection is /drop/; what it says and does can be set before and while it runs."""

    daemon_threads = True

    def __init__(self, top):
        super().__init__(("127.0.0.1", 0), Handler)
        folder = top / "src" / "handler"
        self.page = (folder / "upload_page.html").read_text()
        self.policy = policy_of((folder / "upload_page.c").read_text(), self.page)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.uploads, self.files, self.log = {}, {}, []
        self.location = "/drop/{}"  # of an upload
        self.link = "Content-Location"  # the field that names the file; None: it is not told
        # (method, status, fields, body): given once each, instead of the work; status None: never.
        self.answers = []
        self.cuts = []  # each one ends a connection after so many bytes of a PATCH
        self.holes = []  # each one lets a PATCH hang after so many bytes, as a network that is gone
        self.lose_last = False  # the answer to the next last PATCH
        self.keep_alive = True
        self.pace = 0  # bytes a second, for each PATCH
        self.lock, self.ends = threading.Lock(), threading.Event()
        self.at_once = self.at_once_max = 0
        self.hanging = 0  # requests that get no answer
        self.gate = threading.Event()  # no body is read while it is not set
        self.gate.set()
        # What a page can ask for, at these paths, so that a step waits for what happens here.
        self.hooks = {"/hanging": lambda: self.hanging, "/at-once": lambda: self.at_once,
                      "/uploads": lambda: len(self.uploads), "/go": self.gate.set}
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def received(self, name):
        """The bodies of the PATCH requests for that name: (offset, bytes that were read)."""
        return [tuple(e[2:]) for e in self.log if e[0] == "PATCH" and e[1] == name]

    def methods(self):
        return [entry[0] for entry in self.log]

    def close(self):
        self.ends.set()
        self.gate.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def answer(self, status, fields=None, body=b""):
        self.send_response(status)
        for name, value in (fields or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", len(body))
        self.send_header("Tus-Resumable", "1.0.0")
        if not self.server.keep_alive:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def told_otherwise(self):
        """Gives the next answer that was ordered for this method, if there is one."""
        with self.server.lock:
            for i, (method, *answer) in enumerate(self.server.answers):
                if method == self.command:
                    del self.server.answers[i]
                    break
            else:
                return False
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if answer[0] is None:
            self.hang()
        else:
            self.answer(*answer)
        return True

    def upload(self):
        upload = self.server.uploads.get(self.path.rpartition("/")[2])
        with self.server.lock:
            if upload:
                upload.writer = self
        return upload

    def link_to(self, upload):
        self.server.files[upload.name] = bytes(upload.data)
        link = "/drop/" + urllib.parse.quote(upload.name, safe="")
        return {self.server.link: link} if self.server.link else {}

    # --- methods ---

    def do_GET(self):
        name = urllib.parse.unquote(self.path.removeprefix("/drop/"))
        if name == "":
            self.answer(200, {"Content-Type": "text/html; charset=utf-8",
                              "Content-Security-Policy": self.server.policy},
                        self.server.page.encode())
        elif name in self.server.hooks:
            told = json.dumps(self.server.hooks[name]())
            self.answer(200, {"Content-Type": "application/json"}, told.encode())
        elif name in self.server.files:
            self.answer(200, {"Content-Type": "text/plain"}, self.server.files[name])
        else:
            self.answer(404)

    def do_POST(self):
        if self.told_otherwise():
            self.server.log.append(("POST", "refused"))
        elif self.headers.get("Content-Type", "").startswith("multipart/form-data"):
            self.take_form()
        else:
            self.create()

    def take_form(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n"
        for part in email.message_from_bytes(head + body).get_payload():
            field = part.get_param("name", header="content-disposition")
            self.server.log.append(("form", field, part.get_filename()))
            self.server.files[part.get_filename()] = part.get_payload(decode=True)
        self.answer(200, {"Content-Type": "text/plain"}, b"it is here\n")

    def create(self):
        pairs = [pair.split(" ") for pair in self.headers["Upload-Metadata"].split(",")]
        told = {key: base64.b64decode(value).decode() for key, value in pairs}
        upload = Upload(told["filename"], told.get("filetype"), int(self.headers["Upload-Length"]))
        with self.server.lock:
            number = f"u{len(self.server.uploads)}"
            self.server.uploads[number] = upload
        self.server.log.append(("POST", upload.name))
        link = self.link_to(upload) if upload.length == 0 else {}
        self.answer(201, {"Location": self.server.location.format(number), **link})

    def do_HEAD(self):
        if urllib.parse.unquote(self.path.removeprefix("/drop/")) in self.server.files:
            self.answer(200, {"Content-Type": "text/plain"})
            return
        upload = self.upload()
        self.server.log.append(("HEAD", upload and upload.name))
        if self.told_otherwise():
            return
        if upload is None:
            self.answer(404, {"Cache-Control": "no-store"})
            return
        link = self.link_to(upload) if len(upload.data) == upload.length else {}
        self.answer(200, {"Upload-Offset": len(upload.data), "Upload-Length": upload.length,
                          "Cache-Control": "no-store", **link})

    def do_DELETE(self):
        upload = self.server.uploads.pop(self.path.rpartition("/")[2], None)
        self.server.log.append(("DELETE", upload and upload.name))
        self.answer(204 if upload else 404)

    def do_PATCH(self):
        if self.told_otherwise():
            return
        upload, offset = self.upload(), int(self.headers["Upload-Offset"])
        if upload is None or offset != len(upload.data):
            self.server.log.append(("PATCH", "refused"))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(409 if upload else 404)
            return
        assert self.headers["Content-Type"] == "application/offset+octet-stream"
        with self.server.lock:
            hole = self.server.holes.pop(0) if self.server.holes else None
            cut = self.server.cuts.pop(0) if hole is None and self.server.cuts else hole
            self.server.at_once += 1
            self.server.at_once_max = max(self.server.at_once_max, self.server.at_once)
        entry = ["PATCH", upload.name, offset, 0]
        self.server.log.append(entry)
        whole = self.take(upload, int(self.headers["Content-Length"]), cut, entry)
        with self.server.lock:
            self.server.at_once -= 1
        is_last = len(upload.data) == upload.length
        if not whole or is_last and self.server.lose_last:
            self.server.lose_last &= not whole
            self.cut() if hole is None else self.hang()
            return
        link = self.link_to(upload) if is_last else {}
        self.answer(204, {"Upload-Offset": len(upload.data), **link})

    def take(self, upload, left, cut, entry):
        """Whether all came; all that did is kept and counted, whatever happens then."""
        self.server.gate.wait()
        while left and cut != 0:
            most = min(left, PIECE) if cut is None else min(left, PIECE, cut)
            try:
                data = self.rfile.read1(most)
            except OSError:
                return False
            if not data:
                return False
            with self.server.lock:
                if upload.writer is not self:
                    return False
                upload.data += data
            entry[3] += len(data)
            left -= len(data)
            cut = cut if cut is None else cut - len(data)
            if self.server.pace:
                time.sleep(len(data) / self.server.pace)
        return left == 0

    def hang(self):
        """The connection stays, and nothing moves on it any more."""
        self.close_connection = True
        self.server.hanging += 1
        self.server.ends.wait()

    def cut(self):
        """The connection ends by RST, as behind a lost one."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
