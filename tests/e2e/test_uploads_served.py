# SPDX-License-Identifier: BSD-2-Clause
"""What was uploaded and is served again, over the wire: the fields that keep it from acting as a
part of the site, in every answer, and what the configuration can say about it."""

import gzip
import os
import pathlib
import re
import tempfile

import pytest

from harness import config, files, is_root, make_old, upload

PAGE = b"<title>up</title><script>alert(1)</script>\n" * 20


def guards(fields):
    """(nosniff, sandbox, disposition)"""
    return (fields["X-Content-Type-Options"],
            "sandbox" in (fields.get_all("Content-Security-Policy") or []),
            fields["Content-Disposition"])


@pytest.fixture
def both(start, site, drop):
    """A server whose own fields would take the guards away."""
    routes = [{**files(drop, "/drop/*", compress={"min_size": 0}), **upload(drop)}, files(site)]
    own = {"X-Content-Type-Options": None, "Content-Security-Policy": "script-src 'self'",
           "Content-Disposition": "inline"}
    return start(config(routes, server={"headers": own}))


def put(server, name, body=PAGE):
    assert server.request("PUT", f"/drop/{name}", body)[0] == 201


@pytest.mark.parametrize("name,saved", [
    ("a.html", True), ("a.svg", True), ("a.pdf", True), ("a.js", True), ("a.weird", True),
    ("a", True), ("a.png", False), ("a.txt", False), ("a.mp4", False)])
def test_fields_of_the_server_do_not_take_the_guards_away(both, name, saved):
    put(both, name)
    status, fields, body = both.get(f"/drop/{name}")
    assert (status, body) == (200, PAGE)
    assert fields.get_all("X-Content-Type-Options") == ["nosniff"]
    assert fields.get_all("Content-Security-Policy") == ["sandbox", "script-src 'self'"]
    assert fields.get_all("Content-Disposition") == \
        [f'attachment; filename="{name}"' if saved else "inline"]
    status, fields, _ = both.get("/hello.txt")
    assert guards(fields) == (None, False, "inline")


def test_every_answer_has_them(both, drop):
    put(both, "a.html")
    make_old(drop / "a.html")
    expected = ("nosniff", True, 'attachment; filename="a.html"')
    _, fields, _ = both.get("/drop/a.html")
    asked = [({}, 200), ({"Range": "bytes=1-5"}, 206), ({"Range": "bytes=1-5,9-10"}, 206),
             ({"If-None-Match": fields["ETag"]}, 304), ({"Accept-Encoding": "gzip"}, 200)]
    for headers, expected_status in asked:
        status, fields, _ = both.get("/drop/a.html", headers=headers)
        assert (status, guards(fields)) == (expected_status, expected), headers
        _, fields, _ = both.request("HEAD", "/drop/a.html", headers=headers)
        assert guards(fields) == expected, headers
    assert fields["Content-Encoding"] == "gzip"
    status, fields, _ = both.get("/drop/a.html", headers={"Range": "bytes=99999-"})
    assert status == 416 and not guards(fields)[1]


def test_a_compressed_sibling_has_them(start, drop):
    server = start(config([{**files(drop, "/drop/*"), **upload(drop)}]))
    put(server, "a.html")
    put(server, "a.html.gz", gzip.compress(PAGE))
    _, fields, body = server.get("/drop/a.html", headers={"Accept-Encoding": "gzip"})
    assert fields["Content-Encoding"] == "gzip" and gzip.decompress(body) == PAGE
    assert guards(fields) == ("nosniff", True, 'attachment; filename="a.html"')


@pytest.mark.parametrize("root,path,target", [
    ("{drop}", "/read/*", "/read/a.html"), ("{drop}/sub", "/read/*", "/read/b.html"),
    ("{drop}/..", "/read/*", "/read/drop/a.html"), ("{drop}/..", "/read/*", "/read/link/a.html"),
    ("{drop}/..", "/read/*", "/read/page.html"), ("{drop}/../link", "/read/*", "/read/a.html"),
    ("{drop}/../elsewhere", "/read/*", "/read/far/a.html")],
    ids=["the same", "inside", "above", "a link to it", "a link into it", "the root is a link",
         "a link out of the root"])
def test_whichever_way_a_root_of_another_server_lies_to_it(start, drop, root, path, target):
    (drop / "sub").mkdir()
    (drop / "sub" / "b.html").write_bytes(PAGE)
    (drop.parent / "link").symlink_to("drop")
    (drop.parent / "page.html").symlink_to("drop/a.html")
    (drop.parent / "elsewhere").mkdir()
    (drop.parent / "elsewhere" / "far").symlink_to(drop)
    (drop.parent / "elsewhere" / "own.html").write_bytes(PAGE)
    read = files(root.format(drop=drop), path, symlinks="follow" if "far" in target else "inside")
    conf = config([upload(drop)])
    conf["servers"].append({**conf["servers"][0], "routes": [read], "names": ["read.example"]})
    conf["servers"][0]["names"] = ["put.example"]
    server = start(conf)
    put(server, "a.html")
    status, fields, body = server.get(target, headers={"Host": "read.example"})
    assert (status, body) == (200, PAGE)
    name = target.rpartition("/")[2]
    assert guards(fields) == ("nosniff", True, f'attachment; filename="{name}"')
    if "far" in target:
        fields = server.get("/read/own.html", headers={"Host": "read.example"})[1]
        assert guards(fields) == ("nosniff", False, None)


def test_what_the_route_says_wins(start, drop):
    (drop / "a.html").write_bytes(PAGE)
    (drop / "a.png").write_bytes(PAGE)
    read = {"/a/*": {"download": True},
            "/b/*": {"headers": {"Content-Security-Policy": "sandbox allow-scripts"}},
            "/c/*": {"headers": {"Content-Disposition": "inline"}},
            "/d/*": {"headers": {"X-Content-Type-Options": None}}}
    routes = [upload(drop)] + [{**files(drop, path), **keys} for path, keys in read.items()]
    server = start(config(routes))
    attachment = 'attachment; filename="a.{}"'.format
    got = {path[1]: [guards(server.get(f"/{path[1]}/{name}")[1]) for name in ("a.html", "a.png")]
           for path in read}
    assert got == {
        "a": [("nosniff", True, attachment("html")), ("nosniff", True, attachment("png"))],
        "b": [("nosniff", False, attachment("html")), ("nosniff", False, None)],
        "c": [("nosniff", True, "inline"), ("nosniff", True, "inline")],
        "d": [(None, True, attachment("html")), (None, True, None)]}
    policy = server.get("/b/a.html")[1].get_all("Content-Security-Policy")
    assert policy == ["sandbox allow-scripts"]


def test_without_uploads_nothing_is_added(start, drop):
    (drop / "a.html").write_bytes(PAGE)
    server = start(config([files(drop)]))
    assert guards(server.get("/a.html")[1]) == ("nosniff", False, None)


def test_unfinished_uploads_are_neither_served_nor_listed(start, drop):
    staging = drop / ".websrv-uploads"
    staging.mkdir()
    (staging / "part").write_bytes(PAGE)
    os.symlink(".websrv-uploads", drop / "door")
    os.symlink(".websrv-uploads/part", drop / "part.html")
    (drop / ".seen").write_bytes(PAGE)
    routes = [{**files(drop, "/drop/*", hidden=True, listing=True), **upload(drop)}]
    server = start(config(routes))
    for name in (".websrv-uploads", ".websrv-uploads/", ".websrv-uploads/part", "door/",
                 "door/part", "part.html", "%2ewebsrv-uploads/part", "./.websrv-uploads//part"):
        assert server.get(f"/drop/{name}")[0] == 404, name
    status, _, body = server.get("/drop/")
    assert status == 200 and b".seen" in body and b".websrv" not in body
    assert server.get("/drop/.seen")[0] == 200


def test_it_is_explained(run, tmp_path, drop):
    (drop / "a.html").write_bytes(PAGE)
    (drop / "a.png").write_bytes(PAGE)
    (drop / ".websrv-uploads").mkdir()
    (drop / ".websrv-uploads" / "part").write_bytes(PAGE)
    os.symlink(".websrv-uploads/part", drop / "p.html")
    (tmp_path / "websrv.json").write_text(
        '{"servers": [{"listen": ["127.0.0.1:0"], "routes": [{"path": "/drop/*", "files": '
        '{"root": "drop", "hidden": true}, "upload": {"directory": "drop"}}]}]}')

    def told(target):
        done = run("--explain", target, "-c", "websrv.json")
        return re.sub(" +", " ", done.stdout)
    page = told("/drop/a.html")
    assert "beneath an upload directory: sandboxed, not sniffed, attachment\n" in page
    assert "\n Content-Security-Policy: sandbox\n" in page
    assert "beneath an upload directory: sandboxed, not sniffed, shown\n" in told("/drop/a.png")
    assert 'hidden name ".websrv-uploads"' in told("/drop/.websrv-uploads/part")
    assert "p.html: is of an unfinished upload, which is never served" in told("/drop/p.html")


@pytest.mark.skipif(not is_root, reason="only root becomes somebody else")
def test_a_worker_that_gave_up_its_rights_tells_uploads_from_the_rest(start):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        os.chmod(root, 0o711)
        (root / "closed").mkdir()
        site = root / "closed" / "site"
        (site / "drop").mkdir(parents=True)
        for path in site / "a.html", site / "drop" / "a.html":
            path.write_bytes(PAGE)
        os.chmod(root / "closed", 0o700)  # above the root, where the worker may not go
        server = start(config([files(site), upload(site / "drop", "/up/*")], user="nobody"))
        assert guards(server.get("/a.html")[1]) == ("nosniff", False, None)
        assert guards(server.get("/drop/a.html")[1]) == \
            ("nosniff", True, 'attachment; filename="a.html"')
