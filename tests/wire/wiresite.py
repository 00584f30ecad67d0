# SPDX-License-Identifier: BSD-2-Clause
"""The files that a server under test serves, made of the list in site.list."""

import gzip
import os
import pathlib
import random
import re
import shutil

from wirecase import encode

LINE = re.compile(r"(\S+)((?: @-?\d+| mode \d+)*)(?: (->|=|gzip of|bytes|noise|fifo)(?: (.*))?)?")


def unescaped(text):
    return b"".join(encode(text, {}))


def content(root, path, kind, text):
    """The bytes of a file."""
    if kind == "gzip of":
        return gzip.compress((root / text).read_bytes(), mtime=0)
    if kind == "bytes":
        return bytes(range(256)) * int(text)
    if kind == "noise":  # that no coding makes smaller
        return random.Random(path.name).randbytes(int(text))
    return unescaped(text or "")


def make_one(root, line):
    """Makes what a line says. Returns the path and its modification time, or None for now."""
    m = LINE.fullmatch(line)
    if not m:
        raise ValueError(f"site.list: {line!r}")
    name, options, kind, text = m.groups()
    path = root / os.fsdecode(unescaped(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = re.search(r"mode (\d+)", options)
    if kind == "->":
        path.symlink_to(text)
        return path, None
    if kind == "fifo":
        os.mkfifo(path)
    elif kind:
        path.write_bytes(content(root, path, kind, text))
    else:
        path.mkdir(exist_ok=True)
    path.chmod(int(mode[1], 8) if mode else 0o755 if path.is_dir() else 0o644)
    time = re.search(r"@(-?\d+)", options)
    return path, int(time[1]) if time else None


def make_site(root, user):
    """All that server.json points to. Upload directories belong to the workers' user."""
    lines = pathlib.Path(__file__).with_name("site.list").read_text().splitlines()
    before = os.umask(0o022)  # whatever the tester's is, the workers can read the files
    made = [make_one(root, line) for line in lines if line.strip() and line[0] != "#"]
    os.umask(before)
    for path, time in made:  # at last, since a new file is a change of its directory
        if time is not None:
            os.utime(path, (time, time))
    root.chmod(0o755)
    for name in ("drop", "drop-refuse"):
        (root / name).mkdir()
        if user:
            os.chown(root / name, user.pw_uid, user.pw_gid)


def remove_site(root):
    """Also what its owner may not look into."""
    for folder, names, _ in os.walk(root):
        for path in (pathlib.Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(root)
