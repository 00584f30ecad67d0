# SPDX-License-Identifier: BSD-2-Clause
"""Nothing outside of the root is ever served: symbolic links that change while they are looked
at, siblings that lead elsewhere, things that are no files (rows 3, 4, 9, 10 and 14 of the list of
real holes)."""

import os
import socket
import threading
import time

import pytest

from harness import PATIENCE, config, files, is_root, read_all

SECRET = b"outside of the root"


@pytest.fixture
def tree(tmp_path):
    """A root with files, and a secret beside it."""
    (tmp_path / "outside" / "sub").mkdir(parents=True)
    for path in ["secret", "sub/a.txt", "index.html", "a.txt", "a.txt.gz", "page.html"]:
        (tmp_path / "outside" / path).write_bytes(SECRET)
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for path in ["a.txt", "sub/a.txt", "sub/index.html", "page.html"]:
        (root / path).write_bytes(b"inside")
    return root


class Swapper(threading.Thread):
    """Makes a name the one thing and the other, in turns, atomically."""

    def __init__(self, root, name, target, is_directory):
        super().__init__()
        self.root, self.name, self.stopped, self.swaps = root, name, threading.Event(), 0
        self.link = root / ".link"
        self.link.symlink_to(target)
        self.good = root / ".good"
        if is_directory:
            self.good.mkdir()
            (self.good / "a.txt").write_bytes(b"inside")
            (self.good / "index.html").write_bytes(b"inside")
        else:
            self.good.write_bytes(b"inside")

    def run(self):
        # Two names change places, so that there is always one of the two.
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        path = str(self.root / self.name).encode()
        os.rename(self.good, self.root / self.name)
        while not self.stopped.is_set():
            libc.renameat2(-100, path, -100, str(self.link).encode(), 2)
            self.swaps += 1


@pytest.mark.parametrize("symlinks", ["inside", "refuse"])
@pytest.mark.parametrize("name, target, is_directory, ask", [
    ("swap", "../outside/secret", False, ["/swap"]),
    ("swap", "../outside", True, ["/swap/a.txt", "/swap/", "/swap/secret", "/swap/sub/a.txt"]),
    ("page.html.gz", "../outside/secret", False, ["/page.html"]),
    ("index.html", "../outside/index.html", False, ["/"]),
    ("404.html", "../outside/secret", False, ["/none"]),
    ("app.html", "../outside/secret", False, ["/none"]),
], ids=["file", "directory", "sibling", "index", "error page", "fallback"])
def test_a_link_that_is_swapped_in_a_loop_never_leads_out(start, tree, symlinks, name, target,
                                                          is_directory, ask):
    options = {"symlinks": symlinks, "listing": True}
    if name == "app.html":
        options["fallback"] = name
    server = start(config([files(tree, **options)], cache={"revalidate": 0}, workers=2,
                          server={"error_pages": {"404": "/404.html"}}))
    if (tree / name).exists():
        (tree / name).unlink()
    swapper = Swapper(tree, name, target, is_directory)
    swapper.start()
    seen = set()
    try:
        end = time.monotonic() + 1.5
        while time.monotonic() < end or swapper.swaps <= 100:
            for path in ask:
                status, _, body = server.get(path, headers={"Accept-Encoding": "gzip"})
                assert SECRET not in body, (path, status)
                seen.add((path, status))
    finally:
        swapper.stopped.set()
        swapper.join(PATIENCE)
    print(sorted(seen))


def test_links_are_followed_inside_refused_or_followed_anywhere(start, tree):
    (tree / "inside").symlink_to("sub/a.txt")
    (tree / "up").symlink_to("sub/../a.txt")
    (tree / "outside").symlink_to("../outside/secret")
    (tree / "absolute").symlink_to(tree.parent / "outside" / "secret")
    (tree / "loop").symlink_to("loop")
    (tree / "dir").symlink_to("sub")
    server = start(config([files(tree, "/inside/*"),
                           files(tree, "/refuse/*", symlinks="refuse"),
                           files(tree, "/follow/*", symlinks="follow")]))

    def statuses(policy):
        names = ["inside", "up", "outside", "absolute", "loop", "dir/a.txt"]
        return [server.get(f"/{policy}/{name}")[0] for name in names]
    assert statuses("inside") == [200, 200, 404, 404, 404, 200]
    assert statuses("refuse") == [404] * 6
    assert statuses("follow") == [200, 200, 200, 200, 404, 200]


@pytest.mark.parametrize("path", [
    "/i../outside/secret", "/i..%2foutside/secret", "/i/..%2f..%2foutside/secret",
    "/i%2e%2e/outside/secret", "/i/%2e%2e/%2e%2e/outside/secret", "/i../secret",
    "/i/../../outside/secret", "/i/sub/..%5c..%5coutside", "/i/%252e%252e/outside/secret"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_prefix_matches_whole_segments_only(start, tree, path, slash):
    server = start(config([files(f"{tree}{slash}", "/i/*")]))
    with server.connect() as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = read_all(sock)
    assert answer.split()[1] in (b"400", b"404") and SECRET not in answer


@pytest.mark.parametrize("target, location", [
    ("//evil.example/sub", None), ("///sub", b"/sub/"), ("/sub", b"/sub/"),
    ("/sub?next=//evil.example", b"/sub/?next=//evil.example"),
    ("/%2fevil.example", None), ("/%5cevil.example", None), ("/\\evil.example", None),
    ("/evil%0d%0aSet-Cookie:a=b", None), ("//sub", b"/sub/"), ("/.//sub", b"/sub/"),
    ("/s%75b?a=%0d%0aX:y", b"/sub/?a=%0d%0aX:y")])
def test_the_slash_is_added_on_this_server_only(start, tree, target, location):
    (tree / "evil.example").mkdir()
    server = start(config([files(tree)]))
    with server.connect() as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = read_all(sock)
    fields = [line for line in answer.split(b"\r\n\r\n")[0].split(b"\r\n")
              if line.lower().startswith(b"location:")]
    if location is None:
        assert all(b"evil" not in f or f.startswith(b"Location: /evil.example") for f in fields)
        assert answer.split()[1] in (b"400", b"404", b"308")
    else:
        assert fields == [b"Location: " + location] and answer.split()[1] == b"308"
    for f in fields:
        assert f.startswith(b"Location: /") and not f.startswith(b"Location: //")
        assert b"\\" not in f


def test_what_is_no_file_is_not_there_and_hangs_nobody(start, tree):
    os.mkfifo(tree / "fifo")
    os.mkfifo(tree / "page.html.gz")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tree / "socket"))
    names = ["/fifo", "/socket", "/fifo/", "/fifo/x"]
    if is_root:
        os.mknod(tree / "null", 0o20666, os.makedev(1, 3))
        names.append("/null")
    server = start(config([files(tree)]))
    for name in names:
        assert server.get(name)[0] == 404, name
    status, _, body = server.get("/page.html", headers={"Accept-Encoding": "gzip"})
    assert (status, body) == (200, b"inside")


def test_a_fifo_is_not_even_opened(start, tree):
    """A writer that waits for a reader goes on waiting."""
    os.mkfifo(tree / "fifo")
    server = start(config([files(tree)]))
    opened = threading.Event()

    def write():
        with open(tree / "fifo", "wb"):
            opened.set()
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    for _ in range(5):
        assert server.get("/fifo")[0] == 404
    assert not opened.wait(0.3)
    with open(tree / "fifo", "rb"):
        writer.join(PATIENCE)


@pytest.mark.skipif(is_root, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_403(start, tree):
    (tree / "a.txt").chmod(0)
    server = start(config([files(tree)]))
    assert server.get("/a.txt")[0] == 403


@pytest.mark.skipif(not is_root, reason="only root can become another user")
def test_a_file_that_the_user_may_not_read_is_403(start, tree):
    for directory in [tree, *tree.parents]:
        if directory.stat().st_uid == 0 and str(directory).startswith("/tmp"):
            directory.chmod(directory.stat().st_mode | 0o055)
    (tree / "a.txt").chmod(0)
    server = start(config([files(tree)], user="nobody"))
    assert server.get("/a.txt")[0] == 403
    assert server.get("/sub/a.txt")[0] == 200
    assert "Permission denied" in server.log()


def test_a_root_that_is_not_there_is_a_positioned_error(run, tmp_path):
    (tmp_path / "file").write_text("")
    for root, why in [("none", "No such file or directory"), ("file", "Not a directory")]:
        path = tmp_path / "bad.json"
        path.write_text('{"servers": [{"listen": ["127.0.0.1:0"],\n'
                        f' "routes": [{{"path": "/*", "files": {{"root": "{root}"}}}}]}}]}}')
        for args in (["-c", path], ["-t", "-c", path]):
            done = run(*args)
            assert done.returncode == 78
            assert f"bad.json:2:46: /servers/0/routes/0/files/root: cannot open the directory " \
                   f"{tmp_path / root}: {why}" in done.stderr
