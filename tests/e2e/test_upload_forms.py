# SPDX-License-Identifier: BSD-2-Clause
"""The door of forms: curl -F and browsers, all files or none, what is refused, crashes, memory."""

import base64
import contextlib
import json
import os
import pathlib
import signal
import socket
import time

import pytest

from harness import STAGING, config, curl, files, read_all, until, upload, uploaded
from test_memory import ALLOWED, memory_of

TYPE = {"Content-Type": "multipart/form-data; boundary=b"}


def part(name, data=b"", filename=None):
    file = f'; filename="{filename}"' if filename is not None else ""
    return (f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
            + data + b"\r\n")


def form(*parts):
    return b"".join(parts) + b"--b--\r\n"


THREE = form(part("note", b"hello"), part("f", b"1", "one.txt"),
             part("f", b"\r\n--c\r\n-", "two.txt"), part("g", b"", "three.txt"))
NAMES = ["one.txt", "three.txt", "two.txt"]


def request_of(body, target="/drop/"):
    return (f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: {TYPE['Content-Type']}\r\n\r\n").encode() + body


def post(server, body, target="/drop/", **headers):
    status, fields, text = server.request(
        "POST", target, body=body, headers={**TYPE, **headers})
    return status, fields, text.decode()


def descriptors(server):
    return len(os.listdir(f"/proc/{server.workers(1)[0]}/fd"))


# --- curl ---

def test_curl_sends_one_file(serve, drop, tmp_path):
    server = serve()
    (tmp_path / "naïve café.txt").write_bytes(b"abc")
    done = curl("-f", "-i", "-F", f"file=@{tmp_path}/naïve café.txt", server.url + "/drop/")
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert b" 201 " in head and b"\r\nLocation: /drop/na%C3%AFve%20caf%C3%A9.txt\r\n" in head
    assert json.loads(body) == {"files": [
        {"name": "naïve café.txt", "location": "/drop/na%C3%AFve%20caf%C3%A9.txt", "size": 3}]}
    assert (drop / "naïve café.txt").read_bytes() == b"abc"


@pytest.mark.parametrize("durable", [True, False])
def test_curl_sends_several_files_with_fields(serve, drop, tmp_path, durable):
    server = serve(durable=durable)
    for n in range(5):
        (tmp_path / f"{n}.bin").write_bytes(os.urandom(300_000 * n))
    args = [a for n in range(5) for a in ("-F", f"file=@{tmp_path}/{n}.bin", "-F", f"n={n}")]
    done = curl("-f", *args, server.url + "/drop/")
    stored = json.loads(done.stdout)["files"]
    assert [(f["name"], f["size"]) for f in stored] == [
        (f"{n}.bin", 300_000 * n) for n in range(5)]
    for n in range(5):
        assert (drop / f"{n}.bin").read_bytes() == (tmp_path / f"{n}.bin").read_bytes()


def test_a_hundred_files_are_stored_and_no_descriptor_stays(serve, drop):
    server = serve()
    # From the first one on the staging directory is open.
    assert post(server, form(part("f", b"", "first"), part("f", b"", "second")))[0] == 201
    before = descriptors(server)
    body = form(*(part("f", b"%d" % n, f"{n}.txt") for n in range(100)))
    status, _, text = post(server, body)
    assert status == 201 and len(json.loads(text)["files"]) == 100
    assert len(uploaded(drop)) == 102
    until(lambda: descriptors(server) <= before, "descriptors to be closed")


# --- halves of forms ---

def leave_half_a_form(drop, *names):
    """As a worker that died between two names leaves it."""
    (drop / STAGING).mkdir(mode=0o700, exist_ok=True)
    lines = ["websrv form 1"]
    for n, name in enumerate(names):
        (drop / name).write_bytes(b"half")
        st = (drop / name).stat()
        lines.append(f"file 0 0 {st.st_ino} {st.st_size} {st.st_mtime_ns // 10**9} "
                     f"{st.st_mtime_ns % 10**9} .websrv-{n} "
                     + base64.b64encode(name.encode()).decode())
    (drop / STAGING / "0123456789abcdef.form").write_text("\n".join([*lines, "end", ""]))


def test_half_a_form_is_gone_before_the_first_request(start, drop):
    (drop / "other.txt").write_bytes(b"kept")
    leave_half_a_form(drop, "a.txt", "b c.txt")
    server = start(config([upload(drop)]))
    assert uploaded(drop) == ["other.txt"] and not list((drop / STAGING).glob("*.form"))
    server.wait_for_log(r"a crash cut off 1 requests? with several files; 2 names")
    assert post(server, form(part("f", b"1", "a.txt"), part("f", b"2", "b c.txt")))[0] == 201


@pytest.mark.parametrize("resumable", [True, False])
def test_half_a_form_goes_with_the_next_sweep(start, drop, resumable):
    server = start(config([upload(drop, resumable=resumable, expire="4s")]))
    leave_half_a_form(drop, "a.txt")
    until(lambda: uploaded(drop) == [] and not list((drop / STAGING).glob("*.form")),
          "half a form to be swept")
    assert post(server, form(part("f", b"1", "a.txt")))[0] == 201


# --- pieces ---

def test_a_form_that_is_cut_at_any_byte_leaves_nothing(serve, drop):
    server = serve()
    post(server, form(part("f", b"", "first")))
    before = descriptors(server)
    request = request_of(THREE)
    for n in range(len(request) - len(THREE), len(request)):
        with server.connect() as sock:
            sock.sendall(request[:n])
    until(lambda: descriptors(server) <= before, "descriptors to be closed")
    assert uploaded(drop) == ["first"]
    assert post(server, THREE)[0] == 201
    assert uploaded(drop) == ["first", *NAMES]


def test_a_form_may_come_byte_by_byte(serve, drop):
    server = serve()
    with server.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_of(THREE):
            sock.sendall(bytes([byte]))
        assert sock.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert uploaded(drop) == NAMES
    assert (drop / "two.txt").read_bytes() == b"\r\n--c\r\n-"


def test_boundaries_inside_of_data_are_data(serve, drop):
    server = serve()
    data = b"-b--\r\n--B--\n--b--\n\r\n-\r\n-b\r\n--c" * 3000
    assert post(server, form(part("f", data, "a.bin")))[0] == 201
    assert (drop / "a.bin").read_bytes() == data


# --- what is refused ---

def test_what_is_refused_stores_nothing_and_says_why(serve, drop):
    server = serve(max_size="100K", types=[".txt"])
    ok = part("f", b"1", "ok.txt")
    fields = (part(f"a{n}") for n in range(10_000))
    for body, status, why in (
            (form(ok, *fields), 400, "too many parts"),
            (form(ok, part("a", b"x" * 65_537)), 413, "fields of the form are too large"),
            (form(ok, part("f", b"2", "ok.txt")), 409, "two files of the same name"),
            (form(ok, part("f", b"2", ".x.txt")), 400, "begins with a dot"),
            (form(ok, part("f", b"2", "a.sh")), 415, "of this type"),
            (form(ok, part("f", b"x" * 102_401, "b.txt")), 413, "at most 102400 bytes"),
            (form(ok, *(part("f", b"", f"{n}.txt") for n in range(100))), 413, "too many files"),
            (form(part("a", b"1")), 400, "has no file"),
            (THREE[:-6], 400, "is not complete"),
            (b"--b\r\nContent-Disposition: form-data\r\n\r\n", 400, "has no name")):
        sent = request_of(body)
        with server.connect() as sock:
            with contextlib.suppress(OSError):  # it need not read all of it
                sock.sendall(sent)
            answer = read_all(sock) if status in (400, 413) else sock.recv(4096)
        assert answer.startswith(b"HTTP/1.1 %d " % status), (why, answer)
        assert why.encode() in answer
        assert uploaded(drop) == []


def test_one_refused_of_three_stores_none(serve, drop):
    server = serve()
    (drop / "three.txt").write_text("old")
    status, _, text = post(server, THREE)
    assert status == 409 and "nothing of the form was stored" in text
    assert uploaded(drop) == ["three.txt"]
    assert (drop / "three.txt").read_text() == "old"


def test_a_bad_form_is_refused_before_it_is_sent(serve):
    server = serve()
    for more, status in (("Content-Type: multipart/form-data", 400),
                         ("Content-Type: multipart/form-data; boundary=b\r\n"
                          "Content-Range: bytes 0-2/9", 400),
                         ("Content-Type: multipart/form-data; boundary=b\r\n"
                          "Origin: https://b.example", 403),
                         ("Content-Type: multipart/form-data; boundary=b", 100)):
        with server.connect() as sock:
            sock.sendall(f"POST /drop/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n{more}\r\n"
                         "Expect: 100-continue\r\n\r\n".encode())
            assert sock.recv(4096).startswith(b"HTTP/1.1 %d " % status), more


def test_posts_of_pages_elsewhere_are_refused_whatever_they_send(serve, drop):
    server = serve()
    for kind in ("text/plain", TYPE["Content-Type"]):
        for fields in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            status, _, text = server.request(
                "POST", "/drop/", body=THREE, headers={"Content-Type": kind, **fields})
            assert status == 403 and b"other sites" in text
    assert uploaded(drop) == []
    origin = f"http://127.0.0.1:{server.port}"
    assert post(server, THREE, Origin=origin)[0] == 201


def test_explain_stores_nothing(serve, drop, tmp_path, run):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(config([upload(drop)])))
    done = run("--explain", "POST", "http://a/drop/", "-c", path, "-H",
               "Content-Type: " + TYPE["Content-Type"])
    assert "a form; not looked at: what is in it" in done.stdout and "201" in done.stdout
    assert os.listdir(drop) == []


# --- disks, crashes, memory ---

@pytest.mark.disk("1m")
def test_a_full_disk_is_507_and_leaves_nothing(start, small_disk):
    server = start(config([upload(small_disk)]))
    body = form(*(part("f", bytes(400_000), f"{n}.bin") for n in range(3)))
    assert post(server, body)[0] == 507
    assert os.listdir(small_disk) == []
    free = os.statvfs(small_disk)
    until(lambda: os.statvfs(small_disk).f_bfree == free.f_blocks, "the space to be free again")
    assert post(server, THREE)[0] == 201


@pytest.mark.parametrize("conflict", ["refuse", "replace"])
def test_a_killed_worker_leaves_nothing_of_a_form(serve, drop, conflict):
    server = serve(conflict=conflict)
    body = form(*(part("f", os.urandom(100_000), f"{n}.bin") for n in range(3)))
    request = request_of(body)
    for n in range(4):
        with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
            sock.sendall(request[:(n + 1) * len(request) // 5])
            worker = server.workers(1)[0]
            time.sleep(0.05)
            os.kill(worker, signal.SIGKILL)
            until(lambda: server.workers() not in ([], [worker]), "another worker")
        assert uploaded(drop) == []
    until(lambda: post(server, THREE)[0] == 201, "service")


def test_who_leaves_while_the_disk_is_waited_for_harms_nobody(serve, drop):
    server = serve(durable=True, conflict="rename")
    for _ in range(30):
        with server.connect() as sock:
            sock.sendall(request_of(THREE))
    assert post(server, form(part("f", b"x", "last")))[0] == 201
    assert (drop / "last").read_bytes() == b"x"
    for name in uploaded(drop):
        assert "two" not in name or (drop / name).read_bytes() == b"\r\n--c\r\n-"


@pytest.mark.seconds(120)
def test_memory_stays_flat_while_a_gigabyte_goes_through(plain, drop):
    server = plain(config([upload(drop, max_size="600M", durable=False)]))
    assert post(server, form(part("f", b"", "first")))[0] == 201
    block, before, most = bytes(1 << 20), memory_of(server), 0
    head, middle, end = part("f", b"", "a")[:-2], b"\r\n" + part("f", b"", "b")[:-2], b"\r\n--b--"
    length = len(head) + len(middle) + len(end) + (1 << 30)
    with server.connect(seconds=60) as sock:
        sock.sendall(f"POST /drop/ HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
                     f"Content-Type: {TYPE['Content-Type']}\r\n\r\n".encode())
        for start in (head, middle):
            sock.sendall(start)
            for n in range(512):
                sock.sendall(block)
                if n % 128 == 0:
                    most = max(most, memory_of(server))
        sock.sendall(end)
        assert sock.recv(4096).startswith(b"HTTP/1.1 201 ")
    print(f"{(most - before) / 1048576:.2f} MiB more")
    assert most - before < ALLOWED
    assert [(drop / n).stat().st_size for n in "ab"] == [1 << 29] * 2
    for n in "ab":
        os.unlink(drop / n)


# --- browsers ---

PAGE = """<!doctype html><title>form</title><link rel="icon" href="data:,">
<form method="post" action="{action}" enctype="multipart/form-data">
<input type="hidden" name="_charset_"><input name="note" value="hello">
<input type="file" name="files" multiple><input type="file" name="none"><button>Go</button></form>
"""


@pytest.fixture
def act(in_browser):
    def go(*steps, pictures=None):
        steps = [list(step) for step in steps]
        return in_browser("act.js", input=json.dumps({"page": {}, "steps": steps}))
    go.pictures = in_browser.pictures
    return go


@pytest.fixture
def chosen(tmp_path):
    names = {"plain.txt": b"plain\n", 'a "quoted" <b>.txt': b"q", "naïve 日本.bin": bytes(70_000)}
    folder = tmp_path / "chosen"
    folder.mkdir()
    for name, data in names.items():
        (folder / name).write_bytes(data)
    return [str(folder / name) for name in names]


@pytest.mark.seconds(60)
def test_a_browser_sends_a_form_and_sees_what_arrived(start, act, site, drop, chosen):
    (site / "form.html").write_text(PAGE.format(action="/drop/"))
    (site / "favicon.ico").touch()  # browsers ask for it, and complain
    server = start(config([{**files(drop, "/drop/*"), **upload(drop)}, files(site)]))
    seen = act(("open", server.url + "/form.html"), ("choose", ["[name=files]", chosen]),
               ("click", "button"), ("shot", str(act.pictures / "stored.png")),
               ("evaluate", "[document.querySelector('h1').innerText, "
                            "...[...document.querySelectorAll('a')].map((a) => a.innerText)]"),
               ("click", "a"), ("evaluate", "document.body.innerText"))
    names = [os.path.basename(path) for path in chosen]
    assert seen["results"][4] == ["3 files are stored", *names]
    assert seen["results"][6].strip() == "plain" and seen["console"] == []
    assert uploaded(drop) == sorted(names)
    for path in chosen:
        assert (drop / os.path.basename(path)).read_bytes() == pathlib.Path(path).read_bytes()


@pytest.mark.seconds(60)
def test_a_browser_is_sent_on_after_its_form(start, act, site, drop, chosen):
    (site / "form.html").write_text(PAGE.format(action="/drop/"))
    (site / "thanks.html").write_text('<title>thanks</title><link rel="icon" href="data:,">')
    server = start(config([upload(drop, after="/thanks.html"), files(site)]))
    seen = act(("open", server.url + "/form.html"), ("choose", ["[name=files]", chosen[:1]]),
               ("click", "button"))
    assert seen["results"][-1] == server.url + "/thanks.html"
    assert uploaded(drop) == ["plain.txt"]


@pytest.mark.seconds(60)
@pytest.mark.parametrize("cors", [False, True])
def test_a_form_of_another_site_is_refused_unless_cors_lets_it_in(
        start, act, site, drop, chosen, cors):
    other = start(config([files(site)]))
    route = upload(drop)
    if cors:
        route["cors"] = [other.url]
    server = start(config([route]))
    (site / "form.html").write_text(PAGE.format(action=server.url + "/drop/"))
    seen = act(("open", other.url + "/form.html"), ("choose", ["[name=files]", chosen[:1]]),
               ("click", "button"), ("evaluate", "document.body.innerText"))
    assert [r["status"] for r in seen["responses"]][:2] == [200, 201 if cors else 403]
    assert ("1 file is stored" if cors else "Pages of other sites") in seen["results"][-1]
    assert uploaded(drop) == (["plain.txt"] if cors else [])
