# SPDX-License-Identifier: BSD-2-Clause
"""Redirects: large tables in files of their own, and expressions that go astray."""

import json

import pytest

from harness import config, files, read_answer, send_get

SERVER = {"listen": ["127.0.0.1:0"], "redirects": "table.map"}


def write_table(directory, lines):
    (directory / "table.map").write_text("".join(line + "\n" for line in lines))
    (directory / "c.json").write_text(json.dumps({"servers": [SERVER]}))


def rows(count):
    return [f"/old/{i} /new/{i}" for i in range(1, count + 1)]


def test_a_bad_line_of_a_large_table_is_said_with_its_position(run, tmp_path):
    lines = rows(100000)
    lines[57301 - 1] = "/old/57301  new/57301 301"
    write_table(tmp_path, lines)
    done = run("-t", "-c", "c.json")
    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        f'{tmp_path}/table.map:57301:13: "new/57301" is neither a path nor a URL; begin it '
        'with "/", "http://" or "https://"']


def test_a_large_table_loads_soon(run, tmp_path):
    write_table(tmp_path, rows(100000))
    assert run("-t", "-c", "c.json").returncode == 0


# --- expressions ---

@pytest.fixture
def routes(run, tmp_path):
    """Routes with expressions, if the binary knows them."""
    (tmp_path / "regex.json").write_text(json.dumps(config(
        [{"path_regex": "a", "status": "health"}])))
    if "not built in" in run("-t", "-c", "regex.json").stderr:
        pytest.skip("built without PCRE2")
    return [
        {"path_regex": "^/user/(?<id>[^/]+)/(.*)$",
         "redirect": {"to": "/people/${id}?rest=${2}", "status": 308}},
        {"path_regex": "^/user/x/exact2$", "respond": {"body": "second"}},
        {"path_regex": "^/go(.*)$", "redirect": {"to": "/${1}"}},
        {"path_regex": "^/(a+)+$", "respond": {"body": "matched"}},
        {"path": "/user/x/exact", "respond": {"body": "exact"}},
        {"path": "/user/*", "respond": {"body": "prefix"}},
    ]


def test_files_are_found_by_an_expression(start, routes, site):
    server = start(config([{"path_regex": "^/v[0-9]+/", "files": {"root": str(site)}}]))
    assert server.get("/v7/hello.txt")[2] == b"hello, world\n"
    assert server.get("/v/hello.txt")[0] == 404


def location(server, target):
    status, head, _ = server.get(target)
    assert status in (302, 308), head
    return head["Location"] if not isinstance(head, str) else [
        line[10:] for line in head.split("\r\n") if line.lower().startswith("location: ")][0]


def test_expressions_stand_between_exact_paths_and_prefixes(start, site, routes):
    server = start(config(routes + [files(site)], workers=1))
    assert server.get("/user/x/exact")[2] == b"exact"
    assert location(server, "/user/x/y") == "/people/x?rest=y"
    assert location(server, "/user/x/exact2") == "/people/x?rest=exact2"
    assert server.get("/user/x")[2] == b"prefix"
    assert server.get("/aaa")[2] == b"matched"
    assert server.get("/hello.txt")[0] == 200


def test_captures_of_hostile_bytes_are_encoded(start, site, routes):
    server = start(config(routes + [files(site)], workers=1))
    assert location(server, "/user/a%0d%0aX:%20y/b%26c%20%23") == \
        "/people/a%0D%0AX:%20y?rest=b%26c%20%23"
    assert location(server, "/go/evil.example") == "/evil.example"
    assert location(server, "/go//evil.example") == "/evil.example"
    assert location(server, "/go%5cevil.example") == "/%5Cevil.example"


def test_an_expression_that_goes_astray_is_500_and_holds_nobody_up(start, site, routes):
    server = start(config(routes + [files(site)], workers=1,
                          limits={"uri_size": "128K", "header_size": "256K"}))
    with server.connect() as sock:
        for _ in range(20):
            send_get(sock, "/" + "a" * 65536 + "!")
            assert read_answer(sock)[0] == 500
            assert server.get()[0] == 200
    server.wait_for_log(r"error .*path_regex was given up on a path of 65538 bytes")
    assert server.log().count("path_regex was given up") == 1
