# SPDX-License-Identifier: BSD-2-Clause
"""The JSON Schema of configurations, their dump, and those of several files."""

import json
import re

import pytest

import harness
from harness import config, files, is_root, upload

try:
    import jsonschema
except ImportError:
    jsonschema = None

needs_jsonschema = pytest.mark.skipif(
    jsonschema is None, reason="python3-jsonschema is not installed")

SERVER = {"listen": ["127.0.0.1:80"]}


def without_comments(text):
    """Comments outside of strings, blanked."""
    token = r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/'
    return re.sub(token, lambda m: m[0] if m[0][0] == '"' else " ", text, flags=re.S)


def with_route(route):
    return {"servers": [{**SERVER, "routes": [route]}]}


@pytest.fixture
def schema(run):
    done = run("--schema")
    assert done.returncode == 0 and done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture
def wrongs(schema):
    """What is wrong with a configuration, by the schema."""
    validator = jsonschema.Draft202012Validator(schema)
    return lambda conf: [error.message for error in validator.iter_errors(conf)]


# --- the schema ---

@needs_jsonschema
def test_the_schema_is_one(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


@needs_jsonschema
def test_all_examples_pass_the_schema(top, wrongs):
    examples = [*(top / "etc/examples").glob("*.json"), top / "etc/websrv.json.in"]
    assert len(examples) > 5
    for path in examples:
        assert wrongs(json.loads(without_comments(path.read_text()))) == [], path


@needs_jsonschema
def test_what_the_loader_takes_passes_the_schema(top, run, tmp_path, wrongs):
    """Of the corpus of the fuzzer: no schema may refuse what is right."""
    passed = 0
    for path in sorted((top / "fuzz/corpus/conf").glob("*.json")):
        if run("--dump-config", "-c", path).returncode == 0:
            assert wrongs(json.loads(without_comments(path.read_text()))) == [], path
            passed += 1
    assert passed > 5


GOOD = {
    "short forms": {"servers": [{"listen": ["[::1]:80", {"address": "unix:/s"}],
                                 "redirects": {"/a": "/b", "/c": {"to": "/d", "status": 301}}}]},
    "null": {"servers": [{**SERVER, "headers": {"X-Content-Type-Options": None}}],
             "logs": {"access": None}, "server_header": None},
    "cors true": with_route({"path": "/", "respond": {}, "cors": True}),
    "cors array": with_route({"path": "/", "respond": {}, "cors": ["https://a.example"]}),
    "cors object": with_route({"path": "/", "respond": {}, "cors": {"max_age": "1m"}}),
    "compress array": with_route(files("/", compress=["gzip"])),
    "sizes": {"servers": [SERVER], "limits": {"body_size": "3G", "header_size": 1000}},
    "durations": {"servers": [SERVER], "timeouts": {"idle": 0.5, "header": "500ms"}},
    "word or number": {"servers": [SERVER], "workers": 3},
    "schema": {"servers": [SERVER], "$schema": "websrv.schema.json"},
    "mode": with_route(upload("/srv", mode="0600")),
    "include instead of servers": {"include": ["conf.d/*.json"]},
}

BROKEN = {
    "unknown key": {"servers": [SERVER], "wrokers": 1},
    "no servers": {},
    "empty servers": {"servers": []},
    "no address": {"servers": [{"listen": []}]},
    "a string for an array": {"servers": [{"listen": "127.0.0.1:80"}]},
    "size with a wrong unit": {"servers": [SERVER], "limits": {"body_size": "3Q"}},
    "size with a fraction": {"servers": [SERVER], "limits": {"body_size": 1.5}},
    "number beyond its range": {"servers": [SERVER], "limits": {"ranges": 65}},
    "duration with a wrong unit": {"servers": [SERVER], "timeouts": {"idle": "5 s"}},
    "duration of zero": {"servers": [SERVER], "timeouts": {"idle": 0}},
    "word for workers": {"servers": [SERVER], "workers": "all"},
    "no workers": {"servers": [SERVER], "workers": 0},
    "unknown word": {"servers": [SERVER], "event_backend": "kqueue"},
    "global limit in a server": {"servers": [{**SERVER, "limits": {"connections": 1}}]},
    "status that is none": with_route({"path": "/", "redirect": {"to": "/a", "status": 200}}),
    "mode that is not octal": with_route(upload("/srv", mode="0680")),
    "mode with more bits": with_route(upload("/srv", mode="1777")),
    "files without a root": with_route({"path": "/", "files": {}}),
    "route without a path": with_route({"respond": {}}),
    "method twice": with_route({"path": "/", "respond": {}, "methods": ["GET", "GET"]}),
    "method misspelt": with_route({"path": "/", "respond": {}, "methods": ["get"]}),
    "null for a route's headers": with_route({"path": "/", "respond": {}, "headers": None}),
    "number for a header": with_route({"path": "/", "respond": {}, "headers": {"X-A": 1}}),
    "empty root": with_route(files("")),
    "null for error pages": {"servers": [{**SERVER, "error_pages": {"404": None}}]},
    "name for include": {"servers": [SERVER], "include": "a.json"},
}


@needs_jsonschema
@pytest.mark.parametrize("name", GOOD)
def test_good_configurations_pass_the_schema_and_load(run, tmp_path, wrongs, name):
    assert wrongs(GOOD[name]) == []
    if "include" not in GOOD[name] and "compress" not in name:
        (tmp_path / "websrv.json").write_text(json.dumps(GOOD[name]))
        done = run("--dump-config", "-c", "websrv.json")
        assert done.returncode == 0, done.stderr


@needs_jsonschema
@pytest.mark.parametrize("name", BROKEN)
def test_broken_configurations_pass_neither_the_schema_nor_the_loader(run, tmp_path, wrongs,
                                                                      name):
    assert wrongs(BROKEN[name]) != []
    (tmp_path / "websrv.json").write_text(json.dumps(BROKEN[name]))
    assert run("--dump-config", "-c", "websrv.json").returncode == 78


@needs_jsonschema
def test_a_dump_passes_the_schema(run, tmp_path, site, wrongs):
    (tmp_path / "websrv.json").write_text(json.dumps(config([files(site)])))
    assert wrongs(json.loads(run("--dump-config", "-c", "websrv.json").stdout)) == []


# --- the dump ---

def test_a_dump_has_defaults_inheritance_and_absolute_paths(run, tmp_path):
    conf = config([files("site"), {"path": "/a", "respond": {}, "limits": {"ranges": 2}}],
                  limits={"body_size": 3145728}, server={"headers": {"X-A": "1"}})
    (tmp_path / "websrv.json").write_text(json.dumps(conf))
    done = run("--dump-config", "-c", "websrv.json")
    assert done.returncode == 0 and done.stderr == ""
    dump = json.loads(done.stdout)
    assert list(dump)[-1] == "servers" and dump["workers"] == 1
    assert dump["timeouts"]["header"] == "10s" and dump["timeouts"]["shutdown"] == "5s"
    first, second = dump["servers"][0]["routes"]
    assert first["files"]["root"] == str(tmp_path / "site")
    assert first["headers"] == {"X-Content-Type-Options": "nosniff", "X-A": "1"}
    assert first["limits"] == {"body_size": "3M", "ranges": 16}
    assert second["limits"] == {"body_size": "3M", "ranges": 2}


def test_a_dump_serves_as_the_original_does(run, start, tmp_path, site):
    (tmp_path / "websrv.json").write_text(json.dumps(config([files("site")])))
    first = run("--dump-config", "-c", "websrv.json").stdout
    (tmp_path / "dump.json").write_text(first)
    assert run("--dump-config", "-c", "dump.json").stdout == first
    server = start(json.loads(first))
    assert server.get("/hello.txt")[2] == b"hello, world\n"


def test_a_dump_of_a_directory(run, tmp_path, site):
    dump = json.loads(run("-l", "127.0.0.1:0", "--dump-config", site).stdout)
    assert dump["servers"][0]["routes"][0]["files"]["root"] == str(site)
    assert dump["servers"][0]["listen"] == [
        {"address": "127.0.0.1:0", "backlog": 4096, "interim_104": True, "tls": False,
         "proxy_protocol": False}]


def test_a_dump_of_a_bad_configuration_is_all_its_errors(run, tmp_path):
    (tmp_path / "websrv.json").write_text('{"workers": 0, "servers": 5}')
    done = run("--dump-config", "-c", "websrv.json")
    assert done.returncode == 78 and done.stdout == ""
    assert done.stderr.count("\n") == 2 and "websrv.json:1:13: /workers: " in done.stderr


@pytest.mark.parametrize("args", [["--schema"], ["--dump-config", "."]], ids=" ".join)
def test_what_cannot_be_written_is_a_failure(websrv, tmp_path, args):
    done = harness.run("sh", "-c", 'exec "$0" "$@" >/dev/full', websrv, *args, cwd=tmp_path)
    assert done.returncode == 1 and "No space left on device" in done.stderr


# --- several files ---

def test_included_files_are_served(start, tmp_path, site):
    conf = config([{"path": "/none", "respond": {}}])
    server = conf.pop("servers")[0]
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.json").write_text(
        json.dumps({"servers": [{**server, "routes": [files("../site")]}]}))
    path = tmp_path / "main.json"
    path.write_text("// all of it\n" + json.dumps({**conf, "include": ["conf.d/*.json"]}))
    running = start(args=["-c", path])
    assert running.get("/hello.txt")[2] == b"hello, world\n"


def test_an_error_of_the_start_is_positioned_in_the_included_file(run, tmp_path):
    (tmp_path / "a.json").write_text('{"servers":\n' + json.dumps(
        config([files("nowhere")])["servers"]) + "}")
    (tmp_path / "websrv.json").write_text('{"include": ["a.json"]}')
    done = run("-t", "-c", "websrv.json")
    assert done.returncode == 78
    assert re.search(r"^a\.json:2:\d+: /servers/0/routes/0/files/root: ", done.stderr, re.M)


@pytest.mark.skipif(is_root, reason="root can read every file")
def test_an_included_file_that_is_not_readable(run, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "a.json").chmod(0)
    (tmp_path / "websrv.json").write_text('{"include": ["*.json"]}')
    assert "Permission denied" in run("-t", "-c", "websrv.json").stderr
