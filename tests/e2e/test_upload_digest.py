# SPDX-License-Identifier: BSD-2-Clause
"""The digest that is kept with an upload: it is the ETag of the file, wherever conditions are
judged, whether the file system keeps attributes or not; and "digest" computes it for every door."""

import base64
import contextlib
import errno
import hashlib
import os
import subprocess

import pytest

import rufh
import tus
from harness import STAGING, config, curl, environment, files, mounted, until, upload
from test_upload_faults import DOORS, every_door, shim  # noqa: F401

BODY = os.urandom(300_000)  # beyond cache.file_size
SMALL = b"hello"


def digest_of(body, algorithm="sha-256"):
    return hashlib.new(algorithm.replace("-", ""), body).digest()


def field_of(body, algorithm="sha-256"):
    return f"{algorithm}=:{base64.b64encode(digest_of(body, algorithm)).decode()}:"


def tag_of(body, algorithm="sha-256"):
    text = base64.urlsafe_b64encode(digest_of(body, algorithm)[:32]).decode().rstrip("=")
    return f'"{algorithm}:{text}"'


def drop_of(directory, **options):
    """Uploads that can be read back, deleted and replaced."""
    options = {"conflict": "replace"} | options
    return config([upload(directory, **options) | files(directory, "/drop/*") |
                   {"methods": ["GET", "HEAD", "POST", "PUT", "DELETE"]}],
                  cache={"revalidate": 0})


def put(server, name, body, digest="sha-256", **fields):
    headers = {"Repr-Digest": field_of(body, digest)} if digest else {}
    headers |= {key.replace("_", "-"): value for key, value in fields.items()}
    status, got, _ = server.request("PUT", f"/drop/{name}", body=body, headers=headers)
    return status, got


def ask(server, name, method="GET", **fields):
    headers = {key.replace("_", "-"): value for key, value in fields.items()}
    return server.request(method, f"/drop/{name}", headers=headers)


def etag(server, name, **fields):
    status, got, _ = ask(server, name, "HEAD", **fields)
    assert status == 200, status
    return got["ETag"]


def attributes(path):
    return [n for n in os.listxattr(path) if n.startswith("user.websrv")]


def sidecars(drop):
    staging = drop / STAGING
    return sorted(n for n in os.listdir(staging) if n.startswith("digest-")) if (
        staging.is_dir()) else []


@contextlib.contextmanager
def ramfs(directory):
    """A file system that keeps no attributes."""
    with mounted(directory, "-t", "ramfs"):
        directory.chmod(0o777)
        yield


@pytest.fixture(autouse=True)
def libcrypto(run):
    if "digests: none" in run("-V").stdout:
        pytest.skip("built without libcrypto")


@pytest.fixture(params=["attributes", "sidecars"])
def opened(request, sanitized, start, drop, tmp_path):
    """Starts servers on a directory that keeps digests in the one way or in the other."""
    if request.param == "attributes":
        try:
            os.setxattr(drop, "user.websrv.test", b"x")
        except OSError:
            pytest.skip(f"the file system of {drop} keeps no attributes")
        yield lambda **options: start(drop_of(drop, **options))
        return
    # Sanitizers want to be the first library.
    if sanitized:
        with ramfs(drop):
            yield lambda **options: start(drop_of(drop, **options))
        return
    control = tmp_path / "faults"
    control.write_text(f"setxattr {errno.EOPNOTSUPP} 0")
    env = {**environment(tmp_path), "DISK_FAULTS": str(control), "DISK_FAULTS_BELOW": str(drop),
           "LD_PRELOAD": str(request.getfixturevalue("shim"))}
    yield lambda **options: start(drop_of(drop, **options), env=env)


# --- the tag ---

@pytest.mark.parametrize("body", [BODY, SMALL, b""], ids=["large", "small", "empty"])
@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_the_tag_is_the_digest_at_once(opened, drop, body, algorithm):
    server, tag = opened(), tag_of(body, algorithm)
    status, got = put(server, "a", body, algorithm)
    assert (status, got["ETag"]) == (201, tag)
    assert etag(server, "a") == tag
    status, got, text = ask(server, "a")
    assert (status, got["ETag"], text) == (200, tag, body)
    assert ask(server, "a", If_None_Match=tag)[0] == 304
    assert ask(server, "a", If_None_Match=tag)[1]["ETag"] == tag
    assert ask(server, "a", If_Match=tag)[0] == 200
    assert ask(server, "a", If_Match='"sha-256:other"')[0] == 412
    assert bool(sidecars(drop)) != bool(attributes(drop / "a"))


def test_if_range_holds_at_once(opened):
    server, tag = opened(), tag_of(BODY)
    put(server, "a", BODY)
    status, _, text = ask(server, "a", Range="bytes=5-9", If_Range=tag)
    assert (status, text) == (206, BODY[5:10])
    assert ask(server, "a", Range="bytes=5-9", If_Range=tag_of(b"x"))[0] == 200


def test_preconditions_of_changes_hold_at_once(opened, drop):
    server, tag, next_tag = opened(), tag_of(BODY), tag_of(SMALL)
    assert put(server, "a", BODY)[0] == 201
    assert put(server, "a", SMALL, If_Match=next_tag)[0] == 412
    assert put(server, "a", SMALL, If_None_Match=tag)[0] == 412
    status, got = put(server, "a", SMALL, If_Match=tag)
    assert (status, got["ETag"]) == (204, next_tag)
    assert ask(server, "a", "DELETE", If_Match=tag)[0] == 412
    assert ask(server, "a", "DELETE", If_Match=next_tag)[0] == 204
    assert list(drop.glob("*")) in ([], [drop / STAGING])
    assert sidecars(drop) == []


def test_a_file_that_is_changed_by_hand_has_another_tag(opened, drop):
    server, tag = opened(), tag_of(BODY)
    put(server, "a", BODY)
    assert etag(server, "a") == tag
    with open(drop / "a", "r+b") as f:
        f.write(b"other")
    changed = etag(server, "a")
    assert ":" not in changed and changed != tag
    assert ask(server, "a", If_None_Match=tag)[0] == 200
    assert ask(server, "a", Want_Repr_Digest="sha-256=1")[1]["Repr-Digest"] is None
    assert put(server, "a", SMALL, If_Match=tag)[0] == 412


def test_a_restart_keeps_it(opened):
    server = opened()
    put(server, "a", BODY)
    server.stop()
    server = opened()
    assert etag(server, "a") == tag_of(BODY)
    status, got, _ = ask(server, "a", Want_Repr_Digest="sha-256=1")
    assert (status, got["Repr-Digest"]) == (200, field_of(BODY))


@pytest.mark.parametrize("size", [5000, 600_000], ids=["at-once", "on-the-way"])
def test_an_encoded_form_has_the_tag_with_its_coding(start, drop, size):
    body = b"text\n" * (size // 5)
    route = upload(drop) | files(drop, "/drop/*", compress=["gzip"])
    server = start(config([route], cache={"revalidate": 0}))
    if put(server, "a.txt", body)[0] != 201 or not attributes(drop / "a.txt"):
        pytest.skip(f"the file system of {drop} keeps no attributes")
    coded = f'W/{tag_of(body)[:-1]}-gzip"'
    assert etag(server, "a.txt") == tag_of(body)
    status, got, _ = ask(server, "a.txt", Accept_Encoding="gzip")
    assert (status, got["ETag"], got["Content-Encoding"]) == (200, coded, "gzip")
    assert ask(server, "a.txt", Accept_Encoding="gzip", If_None_Match=coded)[0] == 304
    assert ask(server, "a.txt", If_None_Match=coded)[0] == 200


def test_a_file_without_a_digest_has_the_ordinary_tag(opened, drop):
    server = opened()
    status, got = put(server, "a", SMALL, digest=None)
    assert status == 201 and ":" not in got["ETag"]
    assert got["ETag"].removeprefix("W/") == etag(server, "a").removeprefix("W/")
    assert sidecars(drop) == [] and attributes(drop / "a") == []


def test_it_holds_by_another_route_but_not_outside(start, drop, tmp_path):
    """A link and a root above lead to the file; outside nothing is looked at."""
    outside = tmp_path / "outside"
    outside.mkdir()
    conf = config([upload(drop), files(drop.parent, "/all/*"), files(outside, "/out/*")],
                  cache={"revalidate": 0})
    server = start(conf)
    if put(server, "a", SMALL)[0] != 201 or not attributes(drop / "a"):
        pytest.skip(f"the file system of {drop} keeps no attributes")
    status, got, _ = server.request("GET", f"/all/{drop.name}/a")
    assert (status, got["ETag"]) == (200, tag_of(SMALL))
    subprocess.run(["cp", "-p", "--preserve=xattr", drop / "a", outside / "a"], check=True)
    assert attributes(outside / "a")
    status, got, _ = server.request("GET", "/out/a")
    assert status == 200 and ":" not in got["ETag"]


# --- beside the file ---

def test_a_file_system_without_attributes_is_as_good(start, drop):
    with ramfs(drop):
        server = start(drop_of(drop))
        assert put(server, "a", BODY)[0] == 201
        assert len(sidecars(drop)) == 1
        assert etag(server, "a") == tag_of(BODY)
        assert ask(server, f"{STAGING}/{sidecars(drop)[0]}")[0] == 404
        assert put(server, "a", SMALL, digest=None)[0] == 204
        assert sidecars(drop) == [] and ":" not in etag(server, "a")
        server.stop()


@pytest.mark.parametrize("resumable", [True, False])
def test_the_sweep_removes_those_whose_file_is_gone(start, drop, resumable):
    with ramfs(drop):
        server = start(drop_of(drop, expire="1s", resumable=resumable, create_directories=True))
        for name in ("stays", "a/stays", "goes", "young"):
            assert put(server, name, BODY)[0] == 201
        (drop / "goes").unlink()
        (drop / "young").unlink()
        newest = max((drop / STAGING).glob("digest-*"), key=lambda p: p.stat().st_mtime_ns)
        for path in (drop / STAGING).glob("digest-*"):
            if path != newest:
                os.utime(path, (1, 1))
        until(lambda: len(sidecars(drop)) == 3, "the sweep", 10)
        assert newest.exists()
        assert etag(server, "stays") == etag(server, "a/stays") == tag_of(BODY)
        server.stop()


def test_a_form_that_replaces_files_leaves_nothing_of_theirs(opened, drop):
    server = opened(digest="sha-256")
    for body in (BODY, SMALL):
        assert DOORS["form"](server, "a", body).status == 201
        assert etag(server, "a") == tag_of(body)
        assert etag(server, "small-a") == tag_of(b"abc")
    assert len(sidecars(drop)) in (0, 2)


def test_an_upload_that_fails_leaves_nothing(opened, drop):
    server = opened(digest="sha-256", conflict="refuse")
    assert put(server, "a", BODY)[0] == 201
    before = sidecars(drop)
    assert put(server, "b", BODY, If_Match="*")[0] == 412
    body = BODY[:-1] + bytes([BODY[-1] ^ 1])
    assert server.request("PUT", "/drop/c", body=body,
                          headers={"Repr-Digest": field_of(BODY)})[0] == 400
    # The name is taken while the body comes: it is refused when it would get it.
    sock, stream = rufh.Client(server).begin("PUT", "/drop/d", 10, Upload_Complete=None)
    with sock, stream:
        sock.sendall(b"12345")
        assert put(server, "d", SMALL)[0] == 201
        sock.sendall(b"67890")
        assert rufh.read_reply(stream).status == 409
    assert len(sidecars(drop)) == 2 * len(before)
    assert (drop / "d").read_bytes() == SMALL and etag(server, "d") == tag_of(SMALL)


# --- "digest" ---

@every_door
@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_every_file_gets_the_digest_that_is_configured(opened, door, algorithm):
    server = opened(digest=algorithm)
    for name, body in (("large.bin", BODY), ("empty.bin", b"")):
        assert DOORS[door](server, name, body).status == 201
        assert etag(server, name) == tag_of(body, algorithm)
        want = ask(server, name, Want_Repr_Digest=f"{algorithm}=1")
        assert want[1]["Repr-Digest"] == field_of(body, algorithm)
    if door == "form":
        assert etag(server, "small-large.bin") == tag_of(b"abc", algorithm)


@every_door
def test_without_it_none_is_computed(opened, drop, door):
    server = opened()
    assert DOORS[door](server, "a.bin", BODY).status == 201
    assert ":" not in etag(server, "a.bin")
    assert sidecars(drop) == [] and attributes(drop / "a.bin") == []


def test_the_digest_of_the_client_is_kept_beside_that_of_the_server(opened):
    server = opened(digest="sha-512")
    assert put(server, "a", BODY, "sha-256")[0] == 201
    assert etag(server, "a") == tag_of(BODY)
    for algorithm in ("sha-256", "sha-512"):
        got = ask(server, "a", "HEAD", Want_Repr_Digest=f"{algorithm}=1")[1]
        assert got["Repr-Digest"] == field_of(BODY, algorithm)


def test_an_upload_in_pieces_has_it_of_the_whole(opened):
    server = opened(digest="sha-256")
    client = tus.Client(server)
    url = client.create(len(BODY), "t.bin")
    for at in (0, 100_000, 200_000):
        assert client.patch(url, at, BODY[at:at + 100_000])[0] == 204
    assert etag(server, "t.bin") == tag_of(BODY)
    client = rufh.Client(server)
    url = client.create("/drop/r.bin", BODY[:1], complete=False, Repr_Digest=field_of(
        BODY, "sha-512")).location
    reply = client.append(url, 1, BODY[1:])
    assert (reply.status, reply.etag) == (201, tag_of(BODY))
    got = ask(server, "r.bin", "HEAD", Want_Repr_Digest="sha-512=1")[1]
    assert got["Repr-Digest"] == field_of(BODY, "sha-512")


def test_files_that_get_another_name_have_theirs(opened):
    server = opened(digest="sha-256", conflict="rename")
    for n, body in enumerate([BODY, SMALL, b"third"]):
        status, got = put(server, "a.bin", body, digest=None)
        assert (status, got["ETag"]) == (201, tag_of(body))
        assert etag(server, "a.bin" if n == 0 else f"a%20({n + 1}).bin") == tag_of(body)


# --- Want-Repr-Digest of an upload ---

@pytest.mark.parametrize("want, has, told", [
    ("sha-256=1", None, "sha-256"), ("sha-512=1", None, "sha-512"),
    ("sha-512=1", "sha-256", "sha-512"), ("sha-512=9, sha-256=1", "sha-256", "sha-256"),
    ("md5=1", None, None), ("sha-256=0", "sha-256", None), ("nonsense", "sha-256", None),
    (None, "sha-256", None)])
def test_who_wants_it_is_told_the_digest_of_what_was_stored(opened, want, has, told):
    server = opened()
    fields = {"Want_Repr_Digest": want} if want else {}
    status, got = put(server, "a", BODY, has, **fields)
    assert status == 201
    assert got["Repr-Digest"] == (field_of(BODY, told) if told else None)
    client = rufh.Client(server)
    if has:
        fields["Repr_Digest"] = field_of(BODY, has)
    reply = client.create("/drop/b", BODY, **fields)
    assert reply.status == 201
    assert reply.repr_digest == (field_of(BODY, told) if told else None)


def test_the_append_that_completes_is_told_it(opened):
    client = rufh.Client(opened())
    url = client.create("/drop/a", BODY[:7], complete=False).location
    reply = client.append(url, 7, BODY[7:9], complete=False, Want_Repr_Digest="sha-256=1")
    assert (reply.status, reply.repr_digest, reply.etag) == (204, None, None)
    reply = client.append(url, 9, BODY[9:], Want_Repr_Digest="sha-256=1")
    assert (reply.status, reply.repr_digest) == (201, field_of(BODY))
    assert reply.etag == tag_of(BODY)


def test_a_client_that_is_there_does_all_of_it(opened, tmp_path):
    """curl: store, ask again, replace only what is the same still."""
    server = opened()
    url, tags = f"{server.url}/drop/a", tmp_path / "tags"
    (tmp_path / "a").write_bytes(BODY)

    def status(*args):
        done = curl("-o", os.devnull, "-w", "%{http_code}", *args, url)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    assert status("-T", tmp_path / "a", "-H", f"Repr-Digest: {field_of(BODY)}") == 201
    assert status("--etag-save", tags) == 200
    assert tags.read_text().strip() == tag_of(BODY)
    assert status("--etag-compare", tags) == 304
    assert status("-T", tmp_path / "a", "-H", f"If-Match: {tag_of(SMALL)}") == 412
    assert status("-T", tmp_path / "a", "-H", f"If-Match: {tag_of(BODY)}") == 204
