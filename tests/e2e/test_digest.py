# SPDX-License-Identifier: BSD-2-Clause
"""Digests of whole files: checked when they come, kept with them, told to who asks."""

import base64
import hashlib
import os
import shutil

import pytest

from harness import config, curl, files, upload

SIZE = 300_000  # beyond cache.file_size


def field_of(path, algorithm="sha-256"):
    digest = hashlib.new(algorithm.replace("-", ""), path.read_bytes()).digest()
    return f"{algorithm}=:{base64.b64encode(digest).decode()}:"


def put(server, path, name, digest):
    done = curl("-o", os.devnull, "-w", "%{http_code}", "-T", path, "-H", f"Repr-Digest: {digest}",
                f"{server.url}/drop/{name}")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def told(server, name, *args, want="sha-256=1"):
    """The status and the Repr-Digest of an answer."""
    done = curl("-D", "-", "-o", os.devnull, "-H", f"Want-Repr-Digest: {want}", *args,
                f"{server.url}/drop/{name}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    digests = [line.partition(": ")[2] for line in lines if line.startswith("Repr-Digest:")]
    assert len(digests) <= 1
    return int(lines[0].split()[1]), (digests or [None])[0]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def server(start, run, drop):
    """Uploads that can be read back."""
    if "digests: none" in run("-V").stdout:
        pytest.skip("built without libcrypto")
    try:
        os.setxattr(drop, "user.websrv.test", b"x")
    except OSError:
        pytest.skip(f"the file system of {drop} keeps no attributes")
    return start(config([upload(drop) | files(drop, "/drop/*")], cache={"revalidate": 0}))


def test_a_digest_comes_back_with_the_file(server, source):
    assert put(server, source, "a", field_of(source)) == 201
    assert told(server, "a") == (200, field_of(source))
    assert told(server, "a", "--head") == (200, field_of(source))
    assert told(server, "a", "-r", "5-9") == (206, field_of(source))
    assert told(server, "a", want="sha-512=1") == (200, None)
    assert told(server, "a", "-H", "If-None-Match: *") == (304, None)


def test_two_digests_come_back_as_they_are_wanted(server, source):
    both = f"{field_of(source, 'sha-512')}, {field_of(source)}"
    assert put(server, source, "a", both) == 201
    assert told(server, "a", want="sha-256=1, sha-512=2")[1] == field_of(source, "sha-512")
    assert told(server, "a", want="sha-256=1, sha-512=1")[1] == field_of(source)


def test_a_file_that_differs_from_its_digest_is_not_stored(server, drop, source):
    digest = field_of(source)
    with open(source, "r+b") as f:
        f.seek(SIZE // 2)
        byte = f.read(1)[0]
        f.seek(SIZE // 2)
        f.write(bytes([byte ^ 1]))
    assert put(server, source, "a", digest) == 400
    assert list(drop.iterdir()) == []
    assert put(server, source, "a", field_of(source)) == 201


def test_a_digest_ends_with_the_file_that_it_was_of(server, drop, source):
    assert put(server, source, "a", field_of(source)) == 201
    with open(drop / "a", "ab") as f:
        f.write(b"more")
    assert told(server, "a") == (200, None)


def test_a_copy_with_its_attributes_and_time_keeps_the_digest(server, drop, source):
    assert put(server, source, "a", field_of(source)) == 201
    shutil.copy2(drop / "a", drop / "b")
    assert told(server, "b") == (200, field_of(source))
    shutil.copy(drop / "a", drop / "c")
    assert told(server, "c") == (200, None)
