# SPDX-License-Identifier: BSD-2-Clause
"""A configuration with every key there is: the schema has them all, and the dump is itself."""

import json
import os

import pytest

from test_config import needs_jsonschema, schema, without_comments, wrongs  # noqa: F401

SHORT = {"$schema", "include"}  # what a dump has no use for
LATER = {"/sandbox": True, "/control_socket": "/run/c", "/servers/0/listen/0/tls": True,
         "/servers/0/listen/0/proxy_protocol": True}


@pytest.fixture
def path(top):
    return top / "tests/conf/every-key.json"


@pytest.fixture
def every_key(path):
    return json.loads(without_comments(path.read_text()))


def missing(schema, values, where=""):
    """Keys of an object's schema that none of the values has."""
    for name, inner in schema["properties"].items():
        found = [value[name] for value in values if name in value]
        if found:
            yield from missing_in(inner, found, f"{where}/{name}")
        else:
            yield f"{where}/{name}"


def missing_in(schema, values, where):
    """The same of objects, their arrays, and their maps."""
    objects = [value for value in values if isinstance(value, dict)]
    for form in schema.get("anyOf", [schema]):
        if "properties" in form:
            yield from missing(form, objects, where)
        elif isinstance(form.get("additionalProperties"), dict):
            items = [item for value in objects for item in value.values()]
            yield from missing_in(form["additionalProperties"], items, where)
        elif "items" in form:
            items = [item for value in values if isinstance(value, list) for item in value]
            yield from missing_in(form["items"], items, where)


def leaves(value, where=""):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{where}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for i, inner in enumerate(value):
            yield from leaves(inner, f"{where}/{i}")
    else:
        yield where, value


def put(conf, pointer, value):
    *path, last = pointer.split("/")[1:]
    for step in path:
        conf = conf[int(step) if isinstance(conf, list) else step]
    assert last in conf
    conf[last] = value


def test_each_key_of_each_table_is_there(schema, every_key):  # noqa: F811
    assert list(missing(schema, [every_key])) == []


def test_a_key_that_is_left_out_would_be_noticed(schema, every_key):  # noqa: F811
    del every_key["servers"][0]["routes"][0]["cors"]["max_age"]
    del every_key["servers"][0]["listen"][0]["backlog"]
    del every_key["servers"][0]["redirects"]["/old.html"]["status"]
    del every_key["cache"]
    assert sorted(missing(schema, [every_key])) == [
        "/cache", "/servers/listen/backlog", "/servers/redirects/status",
        "/servers/routes/cors/max_age"]


@needs_jsonschema
def test_it_passes_the_schema_and_so_does_its_dump(run, path, every_key, wrongs):  # noqa: F811
    assert wrongs(every_key) == []
    assert wrongs(json.loads(run("--dump-config", "-c", path).stdout)) == []


def test_the_dump_of_the_dump_is_the_dump_byte_for_byte(run, path, tmp_path):
    first = run("--dump-config", "-c", path)
    assert first.returncode == 0 and first.stderr == ""
    (tmp_path / "dump.json").write_text(first.stdout)
    second = run("--dump-config", "-c", tmp_path / "dump.json")
    assert second.returncode == 0 and second.stderr == ""
    assert second.stdout == first.stdout


def test_each_value_that_is_set_is_in_the_dump(run, path, every_key):
    dump = dict(leaves(json.loads(run("--dump-config", "-c", path).stdout)))
    for where, value in leaves({k: v for k, v in every_key.items() if k not in SHORT}):
        # What null took away from a route's headers is written as null again.
        assert where in dump and dump[where] == value, where


@needs_jsonschema
@pytest.mark.parametrize("pointer", LATER)
def test_what_this_version_lacks_is_refused_by_loader_and_schema(
        run, tmp_path, every_key, wrongs, pointer):  # noqa: F811
    del every_key["include"]
    put(every_key, pointer, LATER[pointer])
    assert wrongs(every_key) != []
    (tmp_path / "a.json").write_text(json.dumps(every_key))
    done = run("--dump-config", "-c", "a.json")
    assert done.returncode == 78
    assert f": {pointer}: this version cannot do that yet; leave it out or write " in done.stderr
    assert done.stderr.count(os.linesep) == 1
