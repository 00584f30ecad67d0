# SPDX-License-Identifier: BSD-2-Clause
"""websrv --explain: what it says is what the server does, and it changes nothing."""

import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

import harness
from harness import config, files, is_root, make_old, read_all, upload

# What the connection adds, and what is of the moment.
OF_CONNECTION = {"date", "connection", "content-length", "transfer-encoding", "keep-alive"}

PIECES = [
    "", "a.txt", "index.html", "docs", "docs/", "docs/a.txt", "docs/deep/b.html", "docs/none",
    "none", "none/", ".git/config", ".well-known/acme", "docs/.hid", "in.txt", "out.txt", "loop",
    "dirlink/a.txt", "outdir/passwd", "fifo", "closed.txt", "closed/x", "a.txt/b", "a.txt/",
    "name with space.txt", "ü.txt", "empty", "page.html", "old.html", "index.html/"]
BASES = ["/", "/", "/", "/app/", "/pub/", "/strict/", "/follow/", "/down/", "/open/"]
OTHERS = ["/old"] * 4 + [
    "/OLD", "/moved/a", "/moved/a/b%20c", "/moved", "/moved/", "/exact", "/exact/", "/gone",
    "/users/17", "/users/x", "/users/17/", "/drop/new1", "/drop/new2", "/drop/taken", "/drop/a/b",
    "/drop/.x", "/drop/con", "/drop/", "/drop", "/swap/taken", "/health", "/metrics", "/page",
    "/nobody", "/mine", "/unix", "/post", "/none-of-it", "/%C3%BC", "/a%00b", "/a%2Fb", "/%zz",
    "/..", "/docs/../a.txt", "/docs/..%2f", "/%2e%2e/a.txt", "//a.txt", "/./docs/./", "/a b",
    "/a\tb", "/" + "x" * 600, "*"]
METHODS = ["GET"] * 30 + ["HEAD"] * 5 + ["PUT"] * 5 + ["OPTIONS"] * 3 + ["POST"] * 3 + [
    "DELETE", "PATCH", "BREW", "get", "CONNECT"]
HOSTS = ["a.example"] * 30 + [
    "b.example", "B.Example:8080", "x.wild.example", "y.x.wild.example", "wild.example",
    "[::1]:80", "localhost.", "", "bad host", "host:99999"]
ENCODINGS = ["gzip", "br", "br;q=0.5, gzip", "identity;q=0", "*;q=0", "zstd", "gzip;q=x", ""]
RANGES = ["bytes=0-1", "bytes=2-", "bytes=-3", "bytes=0-0,2-3", "bytes=99999-", "bytes=x",
          "lines=1-2", "bytes=0-1,99999-", "bytes=5-1"]
DATES = ["Sat, 21 Nov 2020 00:00:00 GMT", "Sat, 21 Nov 2037 00:00:00 GMT", "yesterday"]


def make_site(root):
    for directory in ["docs/deep", "docs/none", ".git", ".well-known", "closed", "errors"]:
        (root / directory).mkdir(parents=True)
    for name in ["a.txt", "index.html", "docs/a.txt", "docs/deep/b.html", ".git/config",
                 ".well-known/acme", "docs/.hid", "closed.txt", "closed/x", "name with space.txt",
                 "ü.txt", "page.html", "page.html.br", "page.html.gz", "old.html",
                 "old.html.gz", "errors/404.html"]:
        (root / name).write_text(f"this is {name}\n" * 40)
    (root / "empty").touch()
    (root / "empty.gz").touch()
    for name, target in [("in.txt", "a.txt"), ("out.txt", "/etc/passwd"), ("loop", "loop"),
                         ("dirlink", "docs"), ("outdir", "/etc")]:
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    for path in root.rglob("*"):
        if not path.is_symlink():
            make_old(path, 9000 if path.name == "old.html.gz" else 3600)
    make_old(root)
    (root / "closed.txt").chmod(0)
    (root / "closed").chmod(0)


HAS_REGEX = "regular expressions: PCRE2"
HAS_CODINGS = "gzip"


def make_config(root, drop, version):
    swap = drop.parent / "swap"
    for directory in [drop, swap]:
        directory.mkdir(exist_ok=True)
        (directory / "taken").write_text("taken")
    main = {
        "listen": ["127.0.0.1:0", "unix:web.sock"],
        "redirects": {"/old": "/new?x=1", "/exact": "/row-wins",
                      "/ü": {"to": "/u#f", "status": 308}},
        "error_pages": {"404": "/errors/404.html", "403": "/gone", "5xx": "/none", "410": "/mine"},
        "headers": {"X-Site": "a", "Vary": "X-Thing"},
        "limits": {"uri_size": 500, "header_count": 12, "body_size": 1000},
        "routes": [
            {**files(root, compress={"min_size": 100} if HAS_CODINGS in version else False),
             "headers": {"X-Route": "files"}},
            files(root, "/app/*", fallback="/index.html"),
            files(root, "/pub/*", listing=True, hidden=True, index=["none.html"]),
            files(root, "/strict/*", symlinks="refuse", precompressed=["gzip", "br"]),
            files(root, "/follow/*", symlinks="follow", precompressed=[]),
            {**files(root, "/down/*"), "download": True, "cache_control": "max-age=60",
             "limits": {"ranges": 0}},
            {**files(root, "/open/*"), "cors": ["https://o.example", "https://p.example"]},
            {"path": "/exact", "respond": {"status": 200, "body": "never"}},
            {"path": "/gone", "respond": {"status": 410, "body": "it is gone\n"}},
            {"path": "/post", "methods": ["POST", "PUT"],
             "respond": {"status": 201, "body": "took it"},
             "cors": {"origins": ["*"], "headers": ["*"]}},
            {"path": "/moved/*",
             "redirect": {"to": "https://${host}/*?from=${path}", "status": 301}},
            {"path_regex": "^/users/([0-9]+)$",
             "redirect": {"to": "/people/${1}", "query": "drop"}},
            upload(drop, "/drop/*", max_size=2000),
            upload(swap, "/swap/*", conflict="replace"),
            {"path": "/health", "status": "health"}, {"path": "/metrics", "status": "metrics"},
            {"path": "/page", "status": "page"},
            {"path": "/nobody", "respond": {"status": 200, "body": "x"},
             "deny": ["0.0.0.0/0", "unix"]},
            {"path": "/mine", "respond": {"status": 200, "body": "x"}, "allow": ["127.0.0.0/8"]},
            {"path": "/unix", "respond": {"status": 200, "body": "x"}, "allow": ["unix", "::1"]},
        ]}
    b = {"listen": ["127.0.0.1:0"], "names": ["b.example"], "server_header": None,
         "routes": [files(root, "/docs/*"), {"path": "/a.txt", "redirect": {"to": "/docs/a.txt"}}]}
    wild = {"listen": ["127.0.0.1:0", "unix:web.sock"], "names": ["*.wild.example"],
            "server_header": "full", "limits": {"header_count": 5},
            "routes": [{"path": "/*", "redirect": {"to": "http://a.example/*"}}]}
    if HAS_REGEX not in version:
        main["routes"] = [r for r in main["routes"] if "path_regex" not in r]
    return {"workers": 1, "servers": [main, b, wild], "timeouts": {"shutdown": "5s"}}


def respell(rng, path):
    """The same path, or nearly, as somebody else might write it."""
    if path == "*":
        return path
    out = []
    for byte in path.encode()[1:]:
        char = chr(byte)
        if byte >= 0x80 or (char == " " and rng.random() < 0.9) or rng.random() < 0.03:
            char = f"%{byte:02x}" if rng.random() < 0.5 else f"%{byte:02X}"
        out.append(char)
    text = "/" + "".join(out)
    if rng.random() < 0.05:
        text = text.replace("/", "//", 1)
    if rng.random() < 0.25:
        text += rng.choice(["?q=1", "?", "?sort=size&order=desc", "?a=%zz&b=\"<", "?x?y"])
    return text


def some_fields(rng, tag):
    fields = []
    choices = [
        lambda: ("Accept-Encoding", rng.choice(ENCODINGS)),
        lambda: ("Range", rng.choice(RANGES)),
        lambda: ("If-None-Match", rng.choice(["*", tag, '"other"', f'W/{tag}, "x"', "bad"])),
        lambda: ("If-Match", rng.choice(["*", tag, '"other"'])),
        lambda: ("If-Modified-Since", rng.choice(DATES)),
        lambda: ("If-Unmodified-Since", rng.choice(DATES)),
        lambda: ("If-Range", rng.choice([tag, '"other"', DATES[1]])),
        lambda: ("Origin", rng.choice(["https://o.example", "https://q.example", "null"])),
        lambda: ("Access-Control-Request-Method", rng.choice(["PUT", "GET", "BREW"])),
        lambda: ("Accept", rng.choice(["text/html", "application/json", "text/html;q=0.1, */*"])),
        lambda: ("Want-Repr-Digest", "sha-256=1"),
        lambda: ("Expect", "miracles"),
        lambda: ("Host", "second.example"),
        lambda: ("Bad Name", "x"),
        lambda: ("Content-Range", "bytes 0-1/5"),
        lambda: ("Transfer-Encoding", "gzip"),
    ]
    weights = [8, 6, 3, 1, 2, 1, 2, 6, 5, 4, 1, 0.3, 0.3, 0.3, 0.3, 0.3]
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        fields.append(rng.choices(choices, weights)[0]())
    if rng.random() < 0.02:
        fields += [(f"X-{i}", "1") for i in range(12)]
    return fields


def some_request(rng, tag):
    path = rng.choice(OTHERS) if rng.random() < 0.4 else rng.choice(BASES) + rng.choice(PIECES)
    method = rng.choice(METHODS)
    fields = [("Host", rng.choice(HOSTS)), *some_fields(rng, tag)]
    body = b""
    if method in ("PUT", "POST") and rng.random() < 0.8:
        body = b"x" * rng.choice([0, 1, 10, 999, 1001, 2001])
        fields.append(("Content-Length", str(len(body))))
    return method, respell(rng, path), [*fields, ("Connection", "close")], body


def ask(server, request, over_unix):
    """The server's own answer: status, fields."""
    method, target, fields, body = request
    if over_unix:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(harness.PATIENCE)
        sock.connect(str(server.directory / "web.sock"))
    else:
        sock = server.connect()
    lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields), "", ""]
    try:
        sock.sendall("\r\n".join(lines).encode() + body)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was refused early
    head = read_all(sock).partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    assert head[0].startswith("HTTP/1.1 "), (request, head)
    pairs = [line.partition(": ")[::2] for line in head[1:]]
    return int(head[0].split()[1]), pairs


RANDOM = re.compile(r"(boundary=|/upload-)[\w-]+")


def comparable(pairs, unknown=()):
    return [(n, RANDOM.sub(r"\1...", v)) for n, v in pairs
            if n.lower() not in OF_CONNECTION and n not in unknown]


class Explainer:
    """Runs websrv --explain --json for the configuration of a server."""

    def __init__(self, websrv, server):
        self.websrv, self.server = websrv, server

    def __call__(self, request, over_unix):
        method, target, fields, _ = request
        args = [self.websrv, "--explain", "--json", "-c", self.server.config.name,
                "-l", "unix:web.sock" if over_unix else "127.0.0.1:0"]
        # Host is always said: without it there would be one of --explain's own.
        for name, value in fields:
            args += ["-H", f"{name}: {value}"]
        directory = self.server.directory
        done = subprocess.run([*args, method, target], cwd=directory, capture_output=True,
                              env=harness.environment(directory), timeout=harness.PATIENCE)
        assert done.stderr == b"", (request, done.stderr)
        said = json.loads(done.stdout)
        assert done.returncode == (1 if said["answer"]["status"] >= 400 else 0)
        return said


@pytest.fixture
def server(start, run, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    make_site(root)
    server = start(make_config(root, tmp_path / "drop", run("-V").stdout))
    server.wait_for_log("listening on unix:")
    yield server
    (root / "closed").chmod(0o700)


@pytest.mark.seconds(240)
def test_what_is_explained_is_what_the_server_does(websrv, sanitized, server):
    count = 150 if sanitized else 500
    seed = int(os.environ.get("EXPLAIN_SEED") or time.time_ns() % 1_000_000_000)
    print(f"EXPLAIN_SEED={seed}")
    rng = random.Random(seed)
    explain = Explainer(websrv, server)
    tag = server.get("/a.txt", headers={"Host": "a.example"})[1]["ETag"]
    assert not tag.startswith("W/")
    statuses = {}
    for _ in range(count):
        request = some_request(rng, tag)
        over_unix = rng.random() < 0.15
        said = explain(request, over_unix)
        status, fields = ask(server, request, over_unix)
        answer = said["answer"]
        own = comparable((f["name"], f["value"]) for f in answer["fields"])
        # Of what is stored: nothing was.
        unknown = ["ETag"] if request[0] in ("PUT", "POST") and status in (201, 204) else []
        theirs = comparable(fields, unknown)
        assert (answer["status"], own) == (status, theirs), (seed, request, said)
        length = dict((n.lower(), v) for n, v in fields).get("content-length")
        # The pages of "status" tell other numbers each time.
        if length is not None and said["handler"] != "status":
            assert int(length) == answer["length"], (seed, request, said)
        statuses[status] = statuses.get(status, 0) + 1
    print(statuses)
    assert {200, 302, 308, 400, 403, 404, 405} <= set(statuses) or count < 500, statuses


# --- what is printed ---

CONFIG = """\
{
  "servers": [{
    "listen": ["127.0.0.1:8080"],
    "names": ["example.org"],
    "redirects": { "/old.html": "/new.html" },
    "routes": [
      { "path": "/docs/*", "files": { "root": "site/docs" } },
      { "path": "/up/*", "upload": { "directory": "site/docs", "max_size": 10 } },
      { "path": "/inner", "respond": { "status": 204 }, "allow": ["10.0.0.0/8"] },
      { "path": "/*", "files": { "root": "site" } }
    ]
  }, {
    "listen": ["127.0.0.1:8080", "0.0.0.0:8081", "[::]:8081", "[::1]:8081", "unix:web.sock"],
    "names": ["*.example.net"],
    "redirects": "table.txt",
    "routes": [{ "path_regex": "^/x$", "respond": { "status": 200 } }]
  }]
}
"""


@pytest.fixture
def explain(run, tmp_path, site):
    """explain(*args, status=0): what --explain prints for CONFIG, or its JSON."""
    if HAS_REGEX not in run("-V").stdout:
        pytest.skip("built without PCRE2")
    (tmp_path / "web.json").write_text(CONFIG)
    (tmp_path / "table.txt").write_text("# moved\n/t /u\n")
    (site / "docs").mkdir()
    (site / "docs" / "cfg").symlink_to("/etc")

    def go(*args, status=0):
        done = run("--explain", *args, "-c", "web.json")
        assert (done.returncode, done.stderr) == (status, "")
        return json.loads(done.stdout) if "--json" in args else done.stdout
    return go


def test_the_text_names_every_place(explain, site):
    assert explain("http://example.org:8080/docs/cfg/passwd", status=1) == f"""\
request    GET /docs/cfg/passwd
           Host: example.org:8080
from       127.0.0.1
listener   127.0.0.1:8080 (web.json:3)
server     example.org (web.json:2)
path       /docs/cfg/passwd
steps      route    "redirects" has no row for it (of 1)
           route    no exact path
           route    prefix /docs/* is the longest that matches, rest "cfg/passwd"
           file     looked for beneath {site}/docs
           file     cfg: a symbolic link leads out of the root
           error    404: the built-in page answers
route      path /docs/* (web.json:7)
handler    files
answer     404 Not Found
           Server: websrv
           Content-Type: text/plain; charset=utf-8
           X-Content-Type-Options: nosniff
body       49 bytes
"""


@pytest.mark.parametrize("url, status, has", [
    ("/hello.txt", 0, ["site/hello.txt (13 bytes)", "200 OK", "the default of the listener"]),
    ("/old.html?a=b", 0, ["redirects /old.html (web.json:5)", "Location: /new.html?a=b"]),
    ("http://a.example.net:8081/t", 0, ["table.txt:2)", "server     *.example.net (web.json:12)"]),
    ("http://a.example.net:8080/x", 0, ["path_regex ^/x$ (web.json:16)"]),
    ("http://127.0.0.1:8081/x", 0, ["0.0.0.0:8081 (web.json:13)"]),
    ("http://[::1]:8081/x", 0, ["listener   [::1]:8081", "from       ::1"]),
    ("http://[::2]:8081/x", 0, ["listener   [::]:8081"]),
    ("http://any.example:8081/x", 0, ["[::]:8081 fits as well", "[::1]:8081 fits as well"]),
    ("http://any.example/x", 1,
     ["nothing listens on port 80 of any.example", "there is unix:web.sock"]),
    ("http://192.0.2.1:8080/x", 1, ["nothing listens on port 8080 of 192.0.2.1"]),
    ("/inner", 1, ["127.0.0.1 is in none of the 1 of \"allow\": refused", "403 Forbidden"]),
    ("/\x1b[31m\u202e", 1, [r"\x1b[31m\xe2\x80\xae", "400 Bad Request", "refused by the parser: "]),
])
def test_the_text_says(explain, url, status, has):
    text = explain(url, status=status)
    for words in has:
        assert words in text


def test_other_clients_and_fields(explain):
    assert "204 No Content" in explain("--from", "10.1.2.3", "/inner")
    assert "unix: is in none" in explain("--from", "unix", "/inner", status=1)
    assert "in 10.0.0.0/8 of \"allow\"" in explain("--from", "::ffff:10.1.2.3", "/inner")
    assert "200 OK" in explain("-l", "unix:web.sock", "/x")
    assert "from       unix:" in explain("-l", "unix:web.sock", "/x")
    assert "no \"listen\" is 127.0.0.1:9" in explain("-l", "127.0.0.1:9", "/x", status=1)
    assert "206 Partial Content" in explain("-H", "Range: bytes=0-1", "/hello.txt")
    assert "412 Precondition" in explain("-H", 'If-Match: "x"', "-H", "X: y", "HEAD", "/hello.txt",
                                         status=1)
    assert "two Host fields" in explain("-H", "Host: a", "-H", "host: b", "/", status=1)
    assert ": the request names no host that can be read" in explain("BREW", "/", status=1)
    assert "405 Method" in explain("DELETE", "/hello.txt", status=1)
    assert "204 No" in explain("OPTIONS", "*")


def test_fields_from_a_file_and_from_standard_input(explain, websrv, tmp_path):
    (tmp_path / "fields").write_text("Range: bytes=0-1\r\n\nX-A: b")
    said = explain("--json", "-H", "@fields", "-H", "X-C: d", "/hello.txt")
    assert said["request"]["fields"] == ["Range: bytes=0-1", "X-A: b", "X-C: d"]
    assert said["answer"]["status"] == 206
    done = subprocess.run([websrv, "--explain", "-H", "@-", "/hello.txt", "-c", "web.json"],
                          input='If-Match: "x"\n', cwd=tmp_path, text=True, capture_output=True,
                          env=harness.environment(tmp_path), timeout=harness.PATIENCE)
    assert done.returncode == 1 and "412 " in done.stdout


def test_credentials_are_used_and_not_shown(explain):
    secret = "YW5uYTp4eA=="
    for field, shown in [(f"Authorization: Basic {secret}", "Authorization: Basic (not shown)"),
                         (f"authorization: {secret}", "authorization: (not shown)"),
                         (f"Proxy-Authorization: Basic {secret}",
                          "Proxy-Authorization: Basic (not shown)"),
                         (f"Cookie: a={secret}", "Cookie: (not shown)")]:
        for args in [], ["--json"]:
            text = json.dumps(explain(*args, "-H", field, "/hello.txt"))
            assert secret not in text and shown in text


def test_an_upload_is_looked_at_as_far_as_can_be(explain):
    assert "201 Created" in explain("PUT", "/up/new")
    text = explain("PUT", "/up/new", "-H", "Content-Length: 11", status=1)
    assert "a body of 11 bytes is too large: 10 are taken" in text and "413 " in text
    assert "Files go into the directory itself" in explain("PUT", "/up/a/b", status=1)


def test_the_limits_of_an_upload_that_refuse_are_named(run, tmp_path, drop):
    def explain(conf, *args):
        route = {"path": "/in/*", "upload": {"directory": "drop", **conf}}
        (tmp_path / "box.json").write_text(json.dumps({"servers": [
            {"listen": ["127.0.0.1:8080"], "routes": [route]}]}))
        done = run("--explain", "-c", "box.json", *args, cwd=tmp_path)
        assert done.stderr == ""
        return done.stdout

    def asked(*fields):
        return [word for field in fields for word in ("-H", field)]
    for name in ("a.txt", "a (2).txt"):
        (drop / name).write_bytes(bytes(60))
    tus = asked("Tus-Resumable: 1.0.0", "Upload-Length: 30")
    form = asked("Content-Type: multipart/form-data; boundary=b", "Content-Length: 30")
    full = '30 bytes are more than "quota" allows'
    for conf, args, status, says in (
            ({"quota": 149}, [*asked("Content-Length: 30"), "PUT", "/in/b"], 507, full),
            ({"quota": 149}, [*tus, "POST", "/in/"], 507, full),
            ({"quota": 149}, [*form, "POST", "/in/"], 507, full),
            ({"quota": 150}, [*asked("Content-Length: 30"), "PUT", "/in/b"], 201, "b: is free"),
            ({"reserve": "1024T"}, ["PUT", "/in/b"], 507, 'than "reserve" leaves on the disk'),
            ({"types": [".a", ".b"]}, ["PUT", "/in/b"], 415, 'b: ends in none of the 2 of "types"'),
            ({"conflict": "rename"}, ["PUT", "/in/a.txt"], 201, "Location: /in/a%20(3).txt\n"),
            ({}, ["/in/"], 200, "the page to upload with")):
        text = explain(conf, *args)
        assert says in text and f"answer     {status} " in text, (conf, args, text)
    (drop / harness.STAGING).mkdir(mode=0o700)
    (drop / harness.STAGING / f"{'a' * 32}.part").write_bytes(b"")
    text = explain({"unfinished": 1}, *tus, "POST", "/in/")
    assert '"unfinished": all 1 are there already' in text and "answer     507 " in text, text


def test_the_json_has_all_members_always(explain):
    members = ["request", "listener", "server", "path", "route", "access", "handler", "file",
               "steps", "answer"]
    said = explain("--json", "/hello.txt")
    assert list(said) == members
    assert said["listener"] == {"address": "127.0.0.1:8080", "file": "web.json", "line": 3,
                                "column": 16}
    assert said["server"]["by"] == "default" and said["server"]["line"] == 2
    assert said["route"] == {"key": "path", "pattern": "/*", "file": "web.json", "line": 10,
                             "column": 7, "rest": "hello.txt"}
    assert said["file"]["size"] == said["answer"]["length"] == 13
    assert (said["answer"]["status"], said["answer"]["reason"], said["access"]) == (200, "OK", None)
    said = explain("--json", "http://nowhere/", status=1)
    assert list(said) == members and said["listener"] is said["answer"] is None
    said = explain("--json", "--from", "10.1.2.3", "/inner")
    assert said["access"] == {"permits": True, "rule": "allowed", "block": "10.0.0.0/8"}
    said = explain("--json", "http://X.example.net:8080/none", status=1)
    assert (said["server"]["by"], said["server"]["matched"]) == ("wildcard", ".example.net")
    assert said["route"] is None


def test_bytes_that_are_no_text_stay_json(explain):
    said = explain("--json", "/%FF%C3%28/\"\\%0a%1b", status=1)
    assert said["path"] == "/\xff\xc3(/\"\\\n\x1b"
    assert explain("/%FF%0a", status=1).count("\n/") == 0


# --- the command line ---

@pytest.mark.parametrize("args, words", [
    (["--explain"], "wants a URL"),
    (["--explain", "GET", "a.html", "."], "is no URL"),
    (["--explain", "https://example.org/"], "wants TLS, which this version does not have"),
    (["--explain", "http://u:p@example.org/"], "has a user in it"),
    (["--explain", "/", "--from", "here"], "here is no address"),
    (["--explain", "http://\x1b[31m\r\n/"], r"http://\x1b[31m\x0d\x0a/ has no valid host"),
    (["--explain", "ftp:\x1b]0;x\x07"], r"ftp:\x1b]0;x\x07 is no URL"),
    (["--explain", "/", "--from", "\x1b[2J"], r"\x1b[2J is no address"),
    (["--explain", "/", "-H", "A: b\r\nC: d"], "has a line end in it"),
    (["--explain", "/", "-H", "@none"], "-H @none cannot be read: No such file"),
    (["--explain", "/", "-H", "@."], "-H @. cannot be read: Is a directory"),
    (["--explain", "GET", "/", ".", "more"], "only one directory"),
    (["--json", "."], "go with --explain"),
    (["-H", "A: b", "."], "go with --explain"),
])
def test_wrong_usage_is_told(run, args, words):
    done = run(*args, *([] if "." in args or len(args) == 1 else ["."]))
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""


def test_a_directory_is_explained_too(run, site):
    done = run("--explain", "HEAD", "/hello.txt", "site")
    assert done.returncode == 0
    assert "127.0.0.1:8080" in done.stdout and "13 bytes, not sent" in done.stdout
    assert "[::1]:9 (-l)" in run("--explain", "/", "-l", "[::1]:9", "site").stdout


def explain_near_misses(run, tmp_path, site):
    """explain(*args) of a server with a name, a slash that matters, users and tokens."""
    auth = {"basic": {"users": "users"}, "bearer": {"tokens": "tokens"}}
    hashed = "$6$saltsalt$" + "a" * 86
    (tmp_path / "users").write_text(f"anna:{hashed}\n")
    (tmp_path / "tokens").write_text(f"ci:sha256:{'0' * 64}\n")
    routes = [files(site), {"path": "/app/", "status": "health"},
              {"path": "/intern", "status": "health", "auth": auth},
              {"path": "/people", "status": "health", "auth": {"basic": {"users": "users"}}}]
    write_json(tmp_path / "near.json", config(routes, server={
        "listen": ["127.0.0.1:8080"], "names": ["www.example.org", "xn--bcher-kva.example"],
        "redirects": {"/old": "/new"}}))
    return lambda *args: run("--explain", *args, "-c", "near.json").stdout


def write_json(path, value):
    path.write_text(json.dumps(value))


@pytest.mark.parametrize("args, says", [
    (["/app"], "but there is an exact path /app/\n"),
    (["/old/"], 'but "redirects" has a row for /old\n'),
    (["http://wrong.example:8080/"], "no server there has the name wrong.example (near.json:1)"),
    (["/intern"], "access   there is no Authorization field\n"),
    (["/intern", "-H", "Authorization: Bearer xyz"], "access   nobody has this token\n"),
    (["/people", "-H", "Authorization: Bearer xyz"], 'access   "auth" has no "bearer"\n'),
    (["/intern", "-H", "Authorization: Basic bm9ib2R5Ong="],
     'access   there is no user "nobody"\n'),
    (["/intern", "-H", "Authorization: Basic YW5uYTp4"], "access   anna has another password\n"),
], ids=str)
def test_what_was_nearly_right_is_named(run, tmp_path, site, args, says):
    if "passwords: none" in run("-V").stdout:
        pytest.skip("built without libcrypt")
    assert says in explain_near_misses(run, tmp_path, site)(*args)


def test_a_slash_that_is_right_is_not_spoken_of(run, tmp_path, site):
    if "passwords: none" in run("-V").stdout:
        pytest.skip("built without libcrypt")
    explain = explain_near_misses(run, tmp_path, site)
    for path in "/app/", "/old", "/hello.txt":
        assert "but " not in explain(path)


def test_a_name_in_unicode_is_asked_for_as_browsers_do(run, tmp_path, site):
    said = run("-V").stdout
    if "passwords: none" in said or "host names in Unicode: none" in said:
        pytest.skip("built without libcrypt or libidn2")
    text = explain_near_misses(run, tmp_path, site)("http://b\u00fccher.example:8080/hello.txt")
    assert "Host: xn--bcher-kva.example:8080\n" in text
    assert "server     xn--bcher-kva.example (near.json:1)" in text


def test_a_wrong_configuration_is_78(run, tmp_path):
    (tmp_path / "web.json").write_text('{"servers": [{"listen": ["127.0.0.1:0"], "routs": []}]}')
    done = run("--explain", "/", "-c", "web.json")
    assert done.returncode == 78 and 'did you mean "routes"?' in done.stderr


# --- nothing changes ---

def tree(directory):
    """Everything beneath it, as lstat sees it but for the times of reading."""
    seen = {}
    for path in sorted([directory, *directory.rglob("*")]):
        st = path.lstat()
        seen[str(path)] = (st.st_mode, st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns)
    return seen


def test_nothing_is_bound_written_or_changed(run, tmp_path, drop):
    (drop / "old").write_text("old")
    (tmp_path / "sub").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        conf = config([upload(drop, conflict="replace")],
                      server={"listen": [address, "unix:sub/web.sock"]}, pid_file="sub/pid",
                      logs={"error": {"to": "sub/error.log"},
                            "access": {"to": "sub/none/access.log"}})
        (tmp_path / "web.json").write_text(json.dumps(conf))
        before = tree(tmp_path)
        for args in [("PUT", "/drop/new"), ("PUT", "/drop/old"), ("DELETE", "/drop/old"),
                     ("POST", "/drop/new"), ("PUT", "/drop/"), ("GET", "/drop/old"),
                     ("-l", "unix:sub/web.sock", "PUT", "/drop/x")]:
            run("--explain", *args, "-H", "If-None-Match: \"x\"", "-c", "web.json")
        assert tree(tmp_path) == before


@pytest.mark.skipif(not is_root, reason="becomes another user")
def test_who_may_less_is_told_what_he_may_not(websrv):
    # Where other users may go, unlike into the directories of the tests.
    with tempfile.TemporaryDirectory() as name:
        check_other_users(websrv, pathlib.Path(name))


def check_other_users(websrv, directory):
    directory.chmod(0o755)
    binary = shutil.copy(websrv, directory / "websrv")
    site, secret = directory / "site", directory / "secret"
    site.mkdir()
    (secret / "root").mkdir(parents=True)
    secret.chmod(0o700)
    (site / "hello.txt").write_text("hello")
    (site / "closed.txt").write_text("x")
    (site / "closed.txt").chmod(0o600)
    conf = config([files(secret / "root", "/secret/*"), upload(secret / "root", "/up/*"),
                   files(site)], user="nobody", server={"listen": ["0.0.0.0:80"]})
    (directory / "web.json").write_text(json.dumps(conf))

    def explain(*args, **options):
        done = subprocess.run([binary, "--explain", *args, "-c", "web.json"], cwd=directory,
                              text=True, capture_output=True, timeout=harness.PATIENCE, **options)
        assert done.stderr == ""
        return done.stdout

    as_other = {"user": 12345, "group": 12345, "extra_groups": []}
    text = explain("/hello.txt", **as_other)
    assert "looked at as user 12345; the workers are nobody" in text and "200 OK" in text
    text = explain("/closed.txt", **as_other)
    assert "closed.txt: permission denied: user 12345 may not read it (mode 0600, owner 0)" in text
    text = explain("/secret/x", **as_other)
    assert f"looked for beneath {secret}/root, which may not be opened" in text
    assert "403 Forbidden" in text
    text = explain("PUT", "/up/x", **as_other)
    assert f"into the directory {secret}/root, which may not be opened" in text
    assert "403 Forbidden" in text
    # As root it is looked at as the workers are: a root may lie where they cannot go by name.
    text = explain("/secret/x")
    assert "looked at as" not in text and "404 Not Found" in text
    assert "403 Forbidden" in explain("/closed.txt")
    assert "may not write there" in explain("PUT", "/up/x")
