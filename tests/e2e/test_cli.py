# SPDX-License-Identifier: BSD-2-Clause
"""The command line, and what is said when a start fails: one line, which names the thing."""

import json
import os
import re
import shutil
import socket
import tempfile

import pytest

import harness
from harness import Server, config, curl, files, is_root, until, upload

TEN_MISTAKES = """\
// Ten mistakes of different kinds, on purpose not in the order of the manual.
{
	"servers": [
		{
			"listen": ["127.0.0.1"],
			"names": ["example.org:80"],
			"routes": [
				{"path": "/*", "files": {"root": "site"}, "files": {"root": "site"}},
				{"path": "/b", "redirect": {"to": "//evil.example.org/"}},
				{"path": "/x"}
			]
		}
	],
	"wrokers": 2, /* a comment moves no column */ "event_backend": "fast",
	"limits": {"connections": 0, "header_size": "10Q"},
	"logs": {"error": {"to": "stderr", "level": 3}}
}
"""

TEN_MESSAGES = """\
ten.json:5:15: /servers/0/listen/0: "127.0.0.1" has no port; write an address and a port, \
such as "127.0.0.1:8080"
ten.json:6:14: /servers/0/names/0: "example.org:80" has a port; write the name alone, ports \
stand in "listen"
ten.json:8:47: /servers/0/routes/0/files: duplicate key; ten.json:8:20 has it already, remove one
ten.json:9:39: /servers/0/routes/1/redirect/to: "//evil.example.org/" begins with "//", which \
is a host; write one "/" or "https://"
ten.json:10:5: /servers/0/routes/2: no action; add one of "files", "upload", "redirect", \
"respond", "status"
ten.json:14:2: /wrokers: unknown key; did you mean "workers"?
ten.json:14:65: /event_backend: "fast" is not known here; write one of "auto", "epoll", \
"poll", "select"
ten.json:15:28: /limits/connections: 0 is too small; write a whole number from 1 to 10000000
ten.json:15:46: /limits/header_size: "10Q" is not understood; write a size from 128 to 16M: \
bytes, or a string such as "10M"
ten.json:16:46: /logs/error/level: this is a number; write one of "error", "warning", "info", \
"debug"
"""


def write(directory, conf):
    (directory / "websrv.json").write_text(conf if isinstance(conf, str) else json.dumps(conf))


LOG_LINE = re.compile(r"\S+Z (warning|info) \[\d+\] .*\n")


def fails(done, status, *parts):
    """It ended with that status and one error, one line, which has all the parts."""
    assert done.returncode == status and done.stdout == ""
    error = LOG_LINE.sub("", done.stderr)
    assert error.endswith("\n") and error.count("\n") == 1, done.stderr
    for part in parts:
        assert str(part) in error


# --- options ---

def test_version_names_the_libraries(run):
    done = run("-V")
    assert done.returncode == 0 and done.stderr == ""
    assert re.match(r"websrv \d+\.\d+\.\d+", done.stdout)
    assert "libevent 2.1" in done.stdout and "jansson 2." in done.stdout
    assert "content codings: " in done.stdout and "digests: " in done.stdout
    assert "regular expressions: " in done.stdout
    assert "host names in Unicode: " in done.stdout


def test_help_goes_to_stdout_and_names_every_option(run):
    done = run("-h")
    assert done.returncode == 0 and done.stderr == ""
    for option in ("-c", "-l", "-t", "-V", "-h", "-d", "-e", "--schema", "--dump-config"):
        assert option in done.stdout


@pytest.mark.parametrize("args", [
    ["-x"], ["--nonsense"], ["-c"], ["-e"], ["-e", "loud", "."], ["-c", "a.json", "."],
    ["-l", "127.0.0.1:0"], ["-l", "127.0.0.1:0", "-c", "a.json"], ["one", "two"],
], ids=" ".join)
def test_usage_errors_exit_with_2(run, args):
    done = run(*args)
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(r'websrv: .+\nTry "websrv -h"\.\n', done.stderr)


def test_a_directory_is_served_without_a_configuration(start, site):
    server = start(args=["-l", "127.0.0.1:0", site])
    status, fields, body = server.get()
    assert (status, body) == (200, b"hello, world\n")
    assert fields["Content-Type"] == "text/plain; charset=utf-8"
    assert server.request("PUT", "/new.txt", b"x")[0] == 405
    assert not (site / "new.txt").exists()


def test_a_relative_directory_is_served(start, site):
    server = start(args=["-l", "127.0.0.1:0", "site"], cwd=site.parent)
    assert server.get()[0] == 200


def test_debug_level_says_why_connections_close(start, site):
    server = start(config([files(site)]), args=["-e", "debug", "-c", "websrv.json"])
    server.get()
    server.wait_for_log(r"debug \[\d+\] conn 1 127\.0\.0\.1(:\d+)? close: closed by the peer$")


def test_error_level_says_nothing_when_all_is_well(websrv, site, tmp_path):
    path = tmp_path / "http.sock"
    conf = config([files(site)], server={"listen": [f"unix:{path}"]})
    server = Server(websrv, tmp_path, conf, args=["-e", "error", "-c", "websrv.json"])
    try:
        until(lambda: curl("--unix-socket", path, "http://localhost/hello.txt").returncode == 0,
              "an answer")
    finally:
        problems = server.finish()
    assert not problems and server.log() == ""


# --- -t ---

def test_a_good_configuration_passes_the_test(run, tmp_path, site):
    write(tmp_path, config([files(site)]))
    done = run("-t", "-c", "websrv.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "websrv.json: the configuration is fine\n"


def test_testing_does_not_disturb_a_server_that_runs(run, start, site, tmp_path):
    pid_file = tmp_path / "websrv.pid"
    server = start(config([files(site)], pid_file=str(pid_file)))
    conf = server.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{server.port}")
    write(tmp_path, conf)
    assert run("-t", "-c", "websrv.json").returncode == 0
    assert pid_file.read_text() == f"{server.pid}\n"
    assert server.get()[0] == 200


@pytest.mark.parametrize("args", [["-t"], []], ids=["test", "start"])
def test_ten_mistakes_give_ten_positioned_lines(run, tmp_path, args):
    (tmp_path / "ten.json").write_text(TEN_MISTAKES)
    done = run(*args, "-c", "ten.json")
    assert done.stdout == "" and done.stderr == TEN_MESSAGES
    assert done.returncode == 78


@pytest.mark.parametrize("text,message", [
    ("", "websrv.json:1:1: syntax: "),
    ('{"servers": [', "websrv.json:1:14: syntax: "),
    ('{\n\t"workers": 1,\n}', "websrv.json:3:1: syntax: "),
    ('{} /* open', "websrv.json:1:4: syntax: this comment is never closed"),
    ("{}", "websrv.json:1:1: "),
    ("[]", "websrv.json:1:1: "),
], ids=["empty", "cut short", "comma too many", "open comment", "no servers", "no object"])
def test_a_file_that_is_no_configuration_is_told_with_its_place(run, tmp_path, text, message):
    write(tmp_path, text)
    fails(run("-t", "-c", "websrv.json"), 78, message)


def test_control_bytes_of_the_file_do_not_reach_the_terminal(run, tmp_path):
    write(tmp_path, '{"servers": [{"listen": ["127.0.0.1:0"]}], "a\\u001b[31m\\nb": 1}')
    done = run("-t", "-c", "websrv.json")
    fails(done, 78, "unknown key")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stderr)


# --- starts that fail ---

def test_a_port_in_use(run, tmp_path, site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        write(tmp_path, config([files(site)], server={"listen": [address]}))
        fails(run("-c", "websrv.json"), 1, "websrv.json:1:", "/servers/0/listen/0", address,
              "Address already in use")


def test_a_port_of_another_websrv_is_in_use_too(run, start, tmp_path, site):
    """With SO_REUSEPORT two of them could share it and each get half of the connections."""
    address = "127.0.0.1:%d" % start(config([files(site)], workers=2)).port
    write(tmp_path, config([files(site)], server={"listen": [address]}))
    fails(run("-c", "websrv.json"), 1, address, "Address already in use")
    fails(run("-l", address, site), 1, address, "Address already in use")


def test_a_unix_socket_in_use(run, start, tmp_path, site):
    path = tmp_path / "http.sock"
    conf = config([files(site)], server={"listen": ["127.0.0.1:0", f"unix:{path}"]})
    server = start(conf)
    write(tmp_path, conf)
    done = run("-c", "websrv.json")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "/servers/0/listen/1" in last and "Address already in use" in last
    assert server.process.poll() is None and path.is_socket(), "the other lost its socket"


def test_a_file_where_a_unix_socket_should_be_is_kept(run, tmp_path, site):
    path = tmp_path / "precious.txt"
    path.write_text("precious")
    write(tmp_path, config([files(site)], server={"listen": [f"unix:{path}"]}))
    fails(run("-c", "websrv.json"), 1, path)
    assert path.read_text() == "precious"


def test_a_failed_start_leaves_no_pid_file_and_no_socket(run, tmp_path, site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = [f"unix:{tmp_path}/http.sock", "127.0.0.1:%d" % taken.getsockname()[1]]
        write(tmp_path, config([files(site)], server={"listen": listen},
                               pid_file=str(tmp_path / "websrv.pid")))
        assert run("-c", "websrv.json").returncode == 1
    assert not (tmp_path / "http.sock").exists() and not (tmp_path / "websrv.pid").exists()


def test_the_pid_file_of_a_server_that_runs_survives_a_second_start(run, start, tmp_path, site):
    pid_file = tmp_path / "websrv.pid"
    conf = config([files(site)], pid_file=str(pid_file))
    server = start(conf)
    conf["servers"][0]["listen"] = [f"127.0.0.1:{server.port}"]
    write(tmp_path, conf)
    assert run("-c", "websrv.json").returncode == 1
    assert pid_file.read_text() == f"{server.pid}\n"


@pytest.mark.parametrize("args", [["-t"], []], ids=["test", "start"])
@pytest.mark.parametrize("route,pointer", [
    (files("nowhere"), "/servers/0/routes/0/files/root"),
    (upload("nowhere"), "/servers/0/routes/0/upload/directory"),
], ids=["root", "upload directory"])
def test_a_missing_directory(run, tmp_path, args, route, pointer):
    write(tmp_path, config([route]))
    fails(run(*args, "-c", "websrv.json"), 78, "websrv.json:1:", pointer, tmp_path / "nowhere",
          "No such file or directory")


def test_a_root_that_is_a_file(run, tmp_path, site):
    write(tmp_path, config([files(site / "hello.txt")]))
    fails(run("-c", "websrv.json"), 78, "/servers/0/routes/0/files/root", "Not a directory")


@pytest.mark.parametrize("args", [[], ["-t"], ["--dump-config"], ["--explain", "/"]], ids=str)
def test_a_configuration_without_its_option(run, tmp_path, site, args):
    write(tmp_path, config([files(site)]))
    done = run(*args, "websrv.json")
    assert done.returncode == 2 and done.stdout == ""
    assert "write -c websrv.json if it is a configuration" in done.stderr


def test_a_second_url_to_explain_is_no_directory(run):
    done = run("--explain", "/a", "http://b.example/")
    assert done.returncode == 2 and "takes one URL; not also http://b.example/" in done.stderr


def test_a_missing_configuration(run):
    fails(run("-c", "nowhere.json"), 78, "nowhere.json", "No such file or directory")


def test_a_configuration_that_is_a_directory(run):
    fails(run("-c", "."), 78, "Is a directory")


@pytest.mark.skipif(is_root, reason="root can read every file")
def test_an_unreadable_configuration(run, tmp_path, site):
    write(tmp_path, config([files(site)]))
    (tmp_path / "websrv.json").chmod(0)
    fails(run("-c", "websrv.json"), 78, "websrv.json", "Permission denied")


@pytest.mark.skipif(not is_root, reason="only root can start it as somebody else")
def test_an_unreadable_configuration_of_root(websrv, tmp_path, site):
    """As nobody, in a directory of nobody, so that only the file's own mode is in the way."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        binary = shutil.copy(websrv, directory)
        name = os.path.join(directory, "websrv.json")
        with open(name, "w") as f:
            json.dump(config([files(site)]), f)
        os.chmod(name, 0o600)
        done = harness.run(binary, "-c", name, cwd=tmp_path, user="nobody")
    fails(done, 78, "websrv.json", "Permission denied")


@pytest.mark.parametrize("logs,pointer", [
    ({"error": {"to": "/nowhere/error.log"}}, "/logs/error/to"),
    ({"access": {"to": "/nowhere/access.log"}}, "/logs/access/to"),
], ids=["error", "access"])
def test_an_unwritable_log(run, tmp_path, site, logs, pointer):
    write(tmp_path, config([files(site)], logs=logs))
    fails(run("-c", "websrv.json"), 1, "websrv.json:1:", pointer, "/nowhere/",
          "No such file or directory")


def test_an_unwritable_pid_file(run, tmp_path, site):
    write(tmp_path, config([files(site)], pid_file="/nowhere/websrv.pid"))
    done = run("-c", "websrv.json")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "/pid_file" in last and "/nowhere/websrv.pid" in last


@pytest.mark.parametrize("key", ["user", "group"])
def test_an_unknown_user_or_group(run, tmp_path, site, key):
    write(tmp_path, config([files(site)], **{key: "nosuchname", **(
        {"user": "nobody"} if key == "group" else {})}))
    fails(run("-c", "websrv.json"), 78, "websrv.json:1:", f"/{key}: ", '"nosuchname"')


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:70000", "localhost:0", "[::1:0"])
def test_a_bad_address_on_the_command_line(run, site, address):
    fails(run("-l", address, site), 78, "-l: ", address)


def test_a_missing_directory_on_the_command_line(run):
    fails(run("-l", "127.0.0.1:0", "nowhere"), 78, "DIR: ", "nowhere", "No such file or directory")
