# SPDX-License-Identifier: BSD-2-Clause
"""Names of servers that are written in Unicode, as clients ask for them."""

import json
import subprocess

import pytest

from harness import read_answer

NAME = "bücher.example"
ASCII = "xn--bcher-kva.example"


@pytest.fixture(autouse=True)
def needs_idna(websrv):
    version = subprocess.run([websrv, "-V"], capture_output=True, text=True, check=True).stdout
    if "host names in Unicode: libidn2" not in version:
        pytest.skip("built without libidn2")


def server(names, body, **more):
    return {"listen": ["127.0.0.1:0"], "names": names,
            "routes": [{"path": "/*", "respond": {"body": body}},
                       {"path": "/to/*", "redirect": {"to": f"https://{NAME}:8443/*"}}], **more}


def test_the_ascii_form_that_clients_send_is_found(start):
    running = start({"workers": 1, "servers": [server(["a.example"], "first"),
                                               server([NAME.upper(), f"*.{NAME}"], "named")]})
    for host, body in [(ASCII, b"named"), (ASCII.upper() + ".:80", b"named"),
                       (f"www.{ASCII}", b"named"), ("b.example", b"first")]:
        with running.connect() as sock:
            sock.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert read_answer(sock)[2] == body, host


def test_targets_lead_to_the_ascii_form(start, tmp_path):
    (tmp_path / "table.map").write_text(f"/line https://{NAME}/x 301\n/plain /y\n")
    running = start({"workers": 1, "servers": [
        server([NAME], "", redirects=str(tmp_path / "table.map"))]})
    for path, location in [("/line", f"https://{ASCII}/x"), ("/plain", "/y"),
                           ("/to/z", f"https://{ASCII}:8443/z")]:
        with running.connect() as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {ASCII}\r\n\r\n".encode())
            assert f"Location: {location}\r\n" in read_answer(sock)[1] + "\r\n"


def test_the_dump_has_the_ascii_form(run, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"servers": [server([NAME, f"*.{NAME}"], "")]}))
    done = run("--dump-config", "-c", "a.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["servers"][0]["names"] == [ASCII, f"*.{ASCII}"]
