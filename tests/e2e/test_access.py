# SPDX-License-Identifier: BSD-2-Clause
""""allow" and "deny" for real peers: IPv4, IPv6 and a unix socket."""

import socket

import pytest

from harness import config, curl, files


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def say(path, **lists):
    return {"path": path, "respond": {"body": "welcome\n"}, **lists}


ROUTES = [
    say("/open"),
    say("/loopback4", allow=["127.0.0.0/8"]),
    say("/loopback6", allow=["::1"]),
    say("/socket", allow=["unix"]),
    say("/local", allow=["127.0.0.0/8", "::1", "unix"]),
    say("/no4", deny=["127.0.0.1"]),
    say("/no6", deny=["::/0"]),
    say("/no-socket", deny=["unix"]),
    say("/deny-wins", allow=["127.0.0.0/8", "::/0"], deny=["127.0.0.1", "::1"]),
]


def answers(*curl_args, base="http://localhost"):
    """Which of the routes let us in."""
    welcome = set()
    for route in ROUTES:
        done = curl("-w", "%{http_code}", *curl_args, base + route["path"])
        assert done.returncode == 0, done.stderr
        body, status = done.stdout[:-3], done.stdout[-3:]
        assert (status, body) == (b"200", b"welcome\n") or status == b"403", done.stdout
        if status == b"200":
            welcome.add(route["path"])
        else:
            assert b"403 Forbidden" in body and b"welcome" not in body
    return welcome


@pytest.fixture
def server(start, tmp_path):
    return start(config(ROUTES, workers=2, server={
        "listen": ["127.0.0.1:0", f"unix:{tmp_path}/http.sock"]}))


def test_ipv4_peers(server):
    assert answers(base=server.url) == {"/open", "/loopback4", "/local", "/no6", "/no-socket"}


def test_peers_of_a_unix_socket(server, tmp_path):
    assert answers("--unix-socket", tmp_path / "http.sock") == {
        "/open", "/socket", "/local", "/no4", "/no6"}


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on the loopback interface")
def test_ipv6_peers(start):
    server = start(config(ROUTES, server={"listen": ["[::1]:0"]}))
    assert answers("-g", base=f"http://[::1]:{server.port}") == {
        "/open", "/loopback6", "/local", "/no4", "/no-socket"}


def test_another_address_of_the_same_machine_is_another_peer(server):
    done = curl("--interface", "127.0.0.2", "-w", "%{http_code}", server.url + "/no4")
    assert done.stdout == b"welcome\n200"


def test_files_of_a_refused_route_are_not_sent(start, site):
    server = start(config([{**files(site), "deny": ["127.0.0.0/8"]}]))
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"]:
        status, fields, body = server.request(method, "/hello.txt")
        assert status == 403 and "Allow" not in fields and b"hello" not in body


def test_mistakes_are_told_with_what_is_right(run, tmp_path, site):
    (tmp_path / "websrv.json").write_text(
        '{"servers": [{"listen": ["127.0.0.1:0"], "routes": [\n'
        '{"path": "/", "status": "page", "allow": ["10.0.0.1/8"]}]}]}')
    done = run("-t", "-c", "websrv.json")
    assert done.returncode == 78
    assert ('websrv.json:2:43: /servers/0/routes/0/allow/0: "10.0.0.1/8" has bits set behind its '
            'prefix; write "10.0.0.0/8", or "10.0.0.1" for this address alone') in done.stderr
