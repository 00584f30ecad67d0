# SPDX-License-Identifier: BSD-2-Clause
"""Disks that are full, read-only or broken, for every door of uploads: a status that says so,
the server goes on, nothing half is under a final name, and the space comes back."""

import contextlib
import errno
import fcntl
import os
import pathlib
import shutil
import subprocess

import pytest

import rufh
import tus
from harness import STAGING, config, environment, is_root, mounted, until, upload, uploaded

MB = 1 << 20
PIECE = 64 << 10


def put(server, name, body, chunked=False):
    fields = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": len(body)}
    return talk(server, rufh.head_of("PUT", f"/drop/{name}", fields), body, chunked)


def form(server, name, body, chunked=False):
    head = f'Content-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
    small = (b'--b\r\nContent-Disposition: form-data; name="f"; filename="small-'
             + name.encode() + b'"\r\n\r\nabc\r\n')
    body = small + b"--b\r\n" + head + body + b"\r\n--b--\r\n"
    fields = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": len(body)}
    return talk(server, rufh.head_of("POST", "/drop/", {
        "Content-Type": "multipart/form-data; boundary=b", **fields}), body, chunked)


def by_tus(server, name, body, chunked=False):
    """In one request; of an unknown length in two."""
    common = {"Tus-Resumable": "1.0.0", "Upload-Metadata": tus.metadata(filename=name)}
    if not chunked:
        return talk(server, rufh.head_of("POST", "/drop/", {
            **common, "Upload-Length": len(body), "Content-Type": tus.TYPE,
            "Content-Length": len(body)}), body, False)
    made = talk(server, rufh.head_of("POST", "/drop/", {
        **common, "Upload-Defer-Length": 1, "Content-Length": 0}), b"", False)
    if made.status != 201:
        return made
    return talk(server, rufh.head_of("PATCH", made.location, {
        "Tus-Resumable": "1.0.0", "Upload-Offset": 0, "Content-Type": tus.TYPE,
        "Transfer-Encoding": "chunked"}), body, True)


def by_rufh(server, name, body, chunked=False):
    fields = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": len(body)}
    return talk(server, rufh.head_of("PUT", f"/drop/{name}", {
        "Upload-Draft-Interop-Version": 8, "Upload-Complete": "?1", **fields}), body, chunked)


def talk(server, head, body, chunked):
    with server.connect() as sock, sock.makefile("rb") as stream:
        with contextlib.suppress(ConnectionError):  # it need not read all of it
            sock.sendall(head)
            for at in range(0, len(body), PIECE):
                piece = body[at:at + PIECE]
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                sock.sendall(b"0\r\n\r\n")
        return rufh.read_reply(stream)


DOORS = {"put": put, "form": form, "tus": by_tus, "draft": by_rufh}
every_door = pytest.mark.parametrize("door", DOORS)


def forget_unfinished(drop, server):
    """What can be gone on with is removed as its owner would, if only its URL were known."""
    for path in (drop / STAGING).glob("*.part"):
        url, tells = f"/drop/.uploads/{path.stem}", ({}, {"Tus-Resumable": "1.0.0"})
        assert 204 in [server.request("DELETE", url, headers=fields)[0] for fields in tells]


# --- full ---

@every_door
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_full_disk_is_507_and_its_space_comes_back(start, small_disk, door,
                                                     chunked):
    server = start(config([upload(small_disk)]))
    send = DOORS[door]
    assert send(server, "first", b"abc").status == 201
    names = uploaded(small_disk)
    before = os.statvfs(small_disk).f_bfree
    for n in range(3):
        reply = send(server, f"{n}.bin", os.urandom(9 * MB), chunked)
        assert reply.status == 507 and b"room" in reply.body, reply
        assert uploaded(small_disk) == names
        forget_unfinished(small_disk, server)
        until(lambda: os.statvfs(small_disk).f_bfree >= before - 4, "the space to be free")
    whole = os.urandom(6 * MB)
    assert send(server, "whole.bin", whole).status == 201
    assert (small_disk / "whole.bin").read_bytes() == whole


# --- read-only ---

@every_door
def test_a_read_only_directory_is_told_and_logged(start, tmp_path, door):
    drop = tmp_path / "drop"
    drop.mkdir()
    own = mounted(drop, "-t", "tmpfs", "-o", "size=1m") if is_root else contextlib.nullcontext()

    def make(how, mode):
        if is_root:
            subprocess.run(["mount", "-o", f"remount,{how}", drop], check=True)
        else:
            drop.chmod(mode)

    with own:
        server = start(config([upload(drop)]))
        make("ro", 0o500)
        reply = DOORS[door](server, "a.txt", b"abc")
        assert reply.status in (403, 500), reply
        server.wait_for_log(r"upload: .*(Read-only file system|Permission denied)")
        assert uploaded(drop) == []
        make("rw", 0o700)
        assert DOORS[door](server, "a.txt", b"abc").status == 201
        server.stop()


# --- broken ---

class Faults:
    def __init__(self, server, control):
        self.server, self.control = server, control

    def order(self, call, error, skip=0):
        self.write(f"{call} {error} {skip}")

    def heal(self):
        self.write("")

    def write(self, text):
        fresh = self.control.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.control)


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    cc = shutil.which(os.environ.get("CC", "cc"))
    if not cc:
        pytest.skip("there is no cc to build the library that lets calls fail")
    path = tmp_path_factory.mktemp("shim") / "disk_faults.so"
    source = pathlib.Path(__file__).with_name("disk_faults.c")
    subprocess.run([cc, "-shared", "-fPIC", "-o", path, source, "-ldl"], check=True)
    return path


@pytest.fixture
def faulty(sanitized, start, drop, tmp_path, shim):
    """A server on a disk that fails when it is told to."""
    if sanitized:
        pytest.skip("sanitizers want to be the first library, so no other can be")
    control = tmp_path / "faults"
    control.touch()

    def go(routes=(), **options):
        env = {**environment(tmp_path), "LD_PRELOAD": str(shim), "DISK_FAULTS": str(control),
               "DISK_FAULTS_BELOW": str(drop)}
        server = start(config([upload(drop, **options), *routes]), env=env)
        return Faults(server, control)
    return go


ERRORS = {"EIO": (errno.EIO, 500, "Input/output error"),
          "ENOSPC": (errno.ENOSPC, 507, "No space left on device"),
          "EDQUOT": (errno.EDQUOT, 507, "Disk quota exceeded")}


@every_door
@pytest.mark.parametrize("call, skip", [("write", 0), ("write", 3), ("fsync", 0), ("rename", 0)])
@pytest.mark.parametrize("error", ERRORS)
def test_a_broken_disk_is_told_and_harms_nothing(faulty, drop, door, call, skip, error):
    faults, send, body = faulty(), DOORS[door], os.urandom(MB)
    number, status, text = ERRORS[error]
    assert send(faults.server, "old.bin", body).status == 201
    names = uploaded(drop)
    faults.order(call, number, skip)
    reply = send(faults.server, "new.bin", body)
    faults.heal()
    assert reply.status == status, reply
    faults.server.wait_for_log(rf"upload: .*{text}")
    assert uploaded(drop) == names and (drop / "old.bin").read_bytes() == body
    forget_unfinished(drop, faults.server)
    assert send(faults.server, "new.bin", body).status == 201
    assert (drop / "new.bin").read_bytes() == body
    left = [n for n in os.listdir(drop / STAGING) if not n.endswith((".info", ".lock"))] if (
        drop / STAGING).is_dir() else []
    assert left == []


def contents(drop):
    return {name: (drop / name).read_bytes() for name in uploaded(drop)}


def intents(drop):
    return [n for n in os.listdir(drop / STAGING) if n.endswith(".form")]


@every_door
@pytest.mark.parametrize("conflict", ["refuse", "replace"])
def test_any_sync_may_fail_and_then_all_is_as_it_was(faulty, drop, door, conflict):
    """Also that of the directory, when the names have been given."""
    faults, send = faulty(conflict=conflict, expire="12s"), DOORS[door]
    if conflict == "replace":
        assert send(faults.server, "a.bin", b"old").status == 201
    before = contents(drop)
    for skip in range(20):
        faults.order("fsync", errno.EIO, skip)
        reply = send(faults.server, "a.bin", b"new")
        faults.heal()
        if reply.status < 300:
            break
        assert reply.status == 500, reply
        assert contents(drop) == before, f"after {skip} that succeeded"
        forget_unfinished(drop, faults.server)
    # The bytes and the name, at least; of a form two files, what is meant, and twice where.
    assert skip >= (7 if door == "form" else 2)
    assert contents(drop)["a.bin"] == b"new"
    # What could not be synced either is looked through by the next sweep.
    until(lambda: not (drop / STAGING).is_dir() or not intents(drop), "intents to go", 8)
    assert contents(drop)["a.bin"] == b"new"


@pytest.mark.parametrize("conflict", ["refuse", "replace"])
def test_an_upload_whose_name_is_taken_back_can_be_completed_again(faulty, drop, conflict):
    faults, data = faulty(conflict=conflict), os.urandom(1000)
    for skip in range(20):
        for path in drop.glob("*.bin"):
            path.unlink()
        if conflict == "replace":
            (drop / "a.bin").write_bytes(b"old")
            (drop / "b.bin").write_bytes(b"old")
        by_tus, by_draft = tus.Client(faults.server), rufh.Client(faults.server)
        url = by_tus.create(len(data), "a.bin")
        other = by_draft.create("/drop/b.bin", data[:10], complete=False,
                                length=len(data)).location
        faults.order("fsync", errno.EIO, skip)
        failed = by_tus.patch(url, 0, data)[0], by_draft.append(other, 10, data[10:]).status
        faults.heal()
        assert by_tus.offset(url) == len(data)
        state = by_draft.look(other)
        if state.upload_complete != "?1":
            assert failed[1] == 500
            assert by_draft.append(other, state.offset, data[state.offset:]).status in (201, 204)
        assert (drop / "a.bin").read_bytes() == (drop / "b.bin").read_bytes() == data
        assert os.stat(drop / "a.bin").st_nlink == os.stat(drop / "b.bin").st_nlink == 1
        if 500 not in failed:
            return
    raise AssertionError("it never succeeded")


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_an_upload_of_tus_goes_on_from_a_true_offset(faulty, drop, call):
    faults, data = faulty(), os.urandom(2 * MB)
    client = tus.Client(faults.server)
    url = client.create(len(data), "a.bin")
    assert client.patch(url, 0, data[:MB])[0] == 204
    faults.order(call, errno.EIO)
    assert client.patch(url, MB, data[MB:])[0] == 500
    faults.heal()
    offset = client.offset(url)
    assert MB <= offset <= len(data)
    if offset < len(data):
        assert client.patch(url, offset, data[offset:])[0] == 204
    assert (drop / "a.bin").read_bytes() == data


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_an_upload_of_the_draft_goes_on_from_a_true_offset(faulty, drop, call):
    faults, data = faulty(), os.urandom(2 * MB)
    client = rufh.Client(faults.server)
    url = client.create("/drop/a.bin", data[:MB], complete=False, length=len(data)).location
    faults.order(call, errno.EIO)
    assert client.append(url, MB, data[MB:]).status == 500
    faults.heal()
    state = client.look(url)
    assert MB <= state.offset <= len(data) and state.upload_complete == "?0"
    assert client.append(url, state.offset, data[state.offset:]).status == 201
    assert (drop / "a.bin").read_bytes() == data


def test_who_sees_all_bytes_of_tus_finds_the_file_under_its_name(faulty, drop):
    """Clients take an upload for done when the offset is its length."""
    faults, data = faulty(durable=False), os.urandom(1000)
    client = tus.Client(faults.server)
    url = client.create(len(data), "a.bin")
    faults.order("rename", errno.EIO)
    assert client.patch(url, 0, data)[0] == 500
    assert uploaded(drop) == []
    faults.heal()
    assert client.offset(url) == len(data)
    assert (drop / "a.bin").read_bytes() == data
    assert client.offset(url) == len(data)


def test_an_offset_that_a_full_disk_has_told_is_gone_on_from(faulty, drop):
    """Also when the record was written, and only its directory could not be synced."""
    faults, data = faulty(), os.urandom(MB)
    client = tus.Client(faults.server)
    url = client.create(len(data), "a.bin")
    faults.order("fsync", errno.ENOSPC)
    with client.begin_patch(url, 0, len(data)) as sock:
        sock.sendall(data[:PIECE])
        part, = (drop / STAGING).glob("*.part")
        until(lambda: part.stat().st_size == PIECE, "the bytes to arrive")
    with open(part, "rb") as locked:
        until(lambda: is_free(locked), "the worker to let go")
    faults.order("fsync", errno.ENOSPC, 2)
    status, fields, _ = client.head(url)
    faults.heal()
    offset = client.offset(url)
    assert status in (200, 507) and offset >= int(fields.get("Upload-Offset", 0))
    assert client.patch(url, offset, data[offset:])[0] == 204
    assert (drop / "a.bin").read_bytes() == data


def is_free(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True
