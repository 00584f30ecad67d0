# SPDX-License-Identifier: BSD-2-Clause
"""websrv -t says what a configuration means: every finding with its place, and beside it what
looks alike and is fine. "@" marks in a configuration the place that the finding has."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile

import pytest

import harness
from harness import config, files, is_root, upload

FINE = "websrv.json: the configuration is fine\n"


def server(routes, **keys):
    """A configuration; the marker "@" may stand anywhere in it."""
    return {"listen": ["127.0.0.1:0"], **keys, "routes": routes}


def text_of(*servers, **top):
    return json.dumps({**top, "servers": list(servers)}, indent=1)


def mark(text):
    """The text without its marks; the positions where they stood: a string that begins with
    one, an object whose first key it is; and the position of a string that begins with "~"."""
    marks, where, out, i = [], None, "", 0
    while i < len(text):
        if text.startswith('"@": 0,', i):
            start = out.rindex("{")
            marks.append(start)
            out, i = out[:start + 1], i + len('"@": 0,')
        elif text.startswith(('"@', '"~'), i):
            if text[i + 1] == "@":
                marks.append(len(out))
            else:
                where = len(out)
            out, i = out + '"', i + 2
        else:
            out, i = out + text[i], i + 1

    def place(n):
        return f"websrv.json:{out.count(chr(10), 0, n) + 1}:{n - out.rfind(chr(10), 0, n)}"
    return out, [place(n) for n in marks], where is not None and place(where)


MARK = {"@": 0}


@pytest.fixture
def test(run, tmp_path):
    """Tests a configuration: the lines, each as (pointer, text), WHERE for "~"; the places are those of the
    marks in their order, the last one of all that are left."""
    def check(text, *expected, args=(), **options):
        text, places, where = mark(text)
        places += places[-1:] * (len(expected) - len(places))
        (tmp_path / "websrv.json").write_text(text)
        done = run("-t", *args, "-c", "websrv.json", **options)
        lines = [f"{place}: {pointer}: {words}".replace("WHERE", str(where))
                 for place, (pointer, words) in zip(places, expected)]
        assert done.stderr.splitlines() == lines
        assert len(places) == len(expected)
        warnings = sum(words.startswith("warning: ") for _, words in expected)
        if warnings < len(expected):
            assert done.returncode == 78 and done.stdout == ""
        elif warnings:
            plural = "s" if warnings > 1 else ""
            assert done.stdout == FINE[:-1] + f", with {warnings} warning{plural}\n"
            assert done.returncode == 0
        else:
            assert (done.returncode, done.stdout) == (0, FINE)
        return done
    return check


ANSWER = {"path": "/*", "respond": {"body": "x"}}


# --- redirects ---

def test_a_loop_is_an_error_and_a_chain_a_warning(test):
    test(text_of(server([ANSWER, {**MARK, "path": "/p/*", "redirect": {"to": "/p/q/*"}}])),
         ("/servers/0/routes/1", '"/p/*" leads into redirects that never end: /p/any -> /p/q/any '
          '-> /p/q/q/any -> /p/q/q/q/any -> ...; let one of them lead elsewhere'))
    test(text_of(server([ANSWER, {**MARK, "path": "/p", "redirect": {"to": "/q"}},
                         {"path": "/q", "redirect": {"to": "/r"}}])),
         ("/servers/0/routes/1",
          'warning: "/p" leads to /q, which leads to /r: write "/r"'))
    test(text_of(server([ANSWER, {"path": "/p/*", "redirect": {"to": "/q/*"}}])))


def test_a_row_has_the_place_and_pointer_of_its_key(test):
    test(text_of(server([ANSWER], redirects={"/fine": "/", "@/a~b/%41": "/a~b/A"})),
         ("/servers/0/redirects/~1a~0b~1%41", '"/a~b/A" leads to itself, and a request for it '
          'never ends; write another target, or remove it'))


@pytest.mark.parametrize("text,place", [
    ("# moved\n/fine /\n  /a /b\n/b /a 301\n", ":3:3: "),
    ('// moved\n{"/fine": "/",\n "/a": "/b", "/b": "/a"}\n', ":3:2: /~1a: "),
], ids=["lines", "JSON"])
def test_a_row_of_a_table_in_a_file_has_its_place_there(run, tmp_path, text, place):
    (tmp_path / "table.map").write_text(text)
    (tmp_path / "websrv.json").write_text(text_of(server([ANSWER], redirects="table.map")))
    done = run("-t", "-c", "websrv.json")
    assert done.returncode == 78
    assert done.stderr == (
        f'{tmp_path}/table.map{place}"/a" leads into redirects that never end: '
        '/a -> /b -> /a; let one of them lead elsewhere\n')


def test_a_large_table_is_tested_soon_and_told_shortly(run, tmp_path):
    (tmp_path / "table.map").write_text(
        "".join(f"/c/{i} /c/{i + 1}\n" for i in range(100000)))
    (tmp_path / "websrv.json").write_text(text_of(server([ANSWER], redirects="table.map")))
    done = run("-t", "-c", "websrv.json")
    lines = done.stderr.splitlines()
    assert len(lines) == 21 and done.returncode == 0
    assert lines[0] == (f'{tmp_path}/table.map:1:1: warning: "/c/0" leads to /c/1, which leads to '
                        '/c/2 and on, 100000 redirects in all: write "/c/100000"')
    assert lines[20] == (f"{tmp_path}/table.map:21:1: warning: and 99979 more chains of "
                         "redirects, from here on")
    assert done.stdout == FINE[:-1] + ", with 99999 warnings\n"


def test_a_redirect_to_nothing(test):
    test(text_of(server([{"path": "/x", "respond": {}},
                         {**MARK, "path": "/p", "redirect": {"to": "/gone"}}])),
         ("/servers/0/routes/1", 'warning: "/p" leads to /gone, where no route answers: 404; '
          'write another target, or add a route'))


# --- routes and servers ---

def test_a_route_that_a_row_takes(test):
    test(text_of(server([ANSWER, {**MARK, "path": "/a", "respond": {}}],
                        redirects={"~/a": "/b"})),
         ("/servers/0/routes/1", 'warning: this route is never asked: "redirects" has a row for '
          '"/a", at WHERE; remove one'))
    test(text_of(server([ANSWER, {"path": "/a/*", "respond": {}}], redirects={"/a": "/b"})))


def test_a_path_that_two_routes_have(test):
    done = test(text_of(server([{"path": "/a", "respond": {}}, {"path": "@/a", "respond": {}}])),
                ("/servers/0/routes/1/path", '"/a" has a route already, at websrv.json:8:5; '
                 'remove one'))
    assert "warning" not in done.stderr


def test_an_action_that_no_method_asks_for(test, site):
    both = {"path": "/d/*", "files": {"root": str(site)}, "upload": {"directory": str(site)},
            "download": True}
    test(text_of(server([ANSWER, {**MARK, **both, "methods": ["GET"]}])),
         ("/servers/0/routes/1", 'warning: "upload" of this route is never asked: "methods" has '
          'none of its methods; add one, or remove it'))
    test(text_of(server([ANSWER, {**both, "methods": ["GET", "PUT"]}])))


def test_a_server_without_routes(test):
    test(text_of({**MARK, **server([])}),
         ("/servers/0", 'warning: this server has no routes and answers every request with 404; '
          'add "routes"'))
    test(text_of(server([], redirects={"/": "https://example.org/"})))


def test_a_server_that_is_never_asked_on_one_of_its_addresses(test):
    one = server([ANSWER])
    test(text_of(one, server([ANSWER], listen=["127.0.0.2:0", "@127.0.0.1:0"])),
         ("/servers/1/listen/1", "warning: this server is never asked on 127.0.0.1:0: it has no "
          "names, and the server at websrv.json:3:3 is the first there; add \"names\", or remove "
          "the address"))
    test(text_of(one, server([ANSWER], listen=["127.0.0.2:0", "127.0.0.1:0"], names=["b"])))


@pytest.mark.parametrize("name", ["a.example", "*.a.example"])
def test_a_name_that_two_servers_of_one_address_have(test, name):
    test(text_of(server([ANSWER], names=[name]), server([ANSWER], names=["@" + name.upper()])),
         ("/servers/1/names/0", f'"{name}" on 127.0.0.1:0 is the name of another server already, '
          'at websrv.json:8:5; remove one'))
    test(text_of(server([ANSWER], names=[name]),
                 server([ANSWER], names=[name], listen=["127.0.0.2:0"])))


# --- uploads that are served without their guards ---

ADVICE = ('and "headers" take both guards away: a page among them would run its scripts as one '
          'of this site; leave "Content-Disposition" or "Content-Security-Policy" out, or name '
          'another directory')
BARE = {"headers": {"Content-Disposition": "inline", "Content-Security-Policy": "img-src *"}}


def up(directory):
    return {"path": "/up/*", "upload": {"directory": f"~{directory}"}}


def bare(root):
    return {**files(root), **BARE}


def test_uploads_that_another_route_serves(test, site):
    text = text_of(server([up(site), bare(f"@{site}")]))
    test(text, ("/servers/0/routes/1/files/root", "warning: serves what is uploaded to the same "
                f"directory (at WHERE), {ADVICE}"))
    test(text_of(server([up(site), files(site)])))


def test_uploads_into_a_directory_of_the_site(test, site):
    text = text_of(server([up(site / "dir"), bare(f"@{site}")]))
    test(text, ("/servers/0/routes/1/files/root", "warning: serves what is uploaded to "
                f"{site}/dir beneath it (at WHERE), {ADVICE}"))
    (site / ".hidden").mkdir()
    test(text_of(server([up(site / ".hidden"), bare(site)])))


def test_a_root_inside_an_upload_directory(test, site):
    text = text_of(server([up(site), bare(f"@{site}/dir")]))
    test(text, ("/servers/0/routes/1/files/root", f"warning: lies inside the upload directory "
                f"{site} (at WHERE), {ADVICE}"))
    (site.parent / "site2").mkdir()  # a name that begins alike
    (site.parent / "site2" / "index.html").write_text("")
    test(text_of(server([up(site), bare(site.parent / "site2")])))


def test_names_of_one_directory_are_compared_by_what_they_mean(test, site, tmp_path):
    (tmp_path / "link").symlink_to(site)
    text = text_of(server([up(site / "dir" / ".."), bare("@link")]))
    test(text, ("/servers/0/routes/1/files/root", "warning: serves what is uploaded to the same "
                f"directory (at WHERE), {ADVICE}"))


@pytest.mark.parametrize("own,harmless", [
    ({}, True),
    ({"content-disposition": "inline"}, True),
    ({"Content-Security-Policy": "img-src *"}, True),
    ({"Content-Disposition": "inline", "Content-Security-Policy": "img-src *; sandbox"}, True),
    ({"Content-Disposition": "inline",
      "Content-Security-Policy": "sandbox allow-scripts"}, True),
    ({"Content-Disposition": "inline",
      "Content-Security-Policy": "sandbox allow-scripts allow-same-origin"}, False),
    ({"Content-Disposition": "inline", "Content-Security-Policy": "img-src *"}, False),
    ({"content-disposition": None, "content-security-policy": None}, False),
    ({"Content-Disposition": None, "Content-Security-Policy": "img-src *"}, False),
    ({"Content-Disposition": "Attachment; filename=x",
      "Content-Security-Policy": "img-src *"}, True),
], ids=["as it comes", "shown", "no sandbox", "sandbox", "scripts elsewhere", "same origin",
        "none", "removed", "removed and replaced", "attachment"])
@pytest.mark.parametrize("download", [False, True])
def test_what_takes_the_guards_of_uploads_away(test, drop, own, harmless, download):
    route = {"path": "/drop/*", "files": {"root": f"{'' if harmless else '@'}{drop}"},
             "upload": {"directory": f"~{drop}"}, "headers": own, "download": download}
    found = [("/servers/0/routes/0/files/root", "warning: serves what is uploaded to the same "
              f"directory (at WHERE), {ADVICE}")]
    # The server's own fields take nothing away.
    outer = {"Content-Disposition": "inline", "Content-Security-Policy": "img-src 'self'"}
    test(text_of(server([route], headers=outer)), *([] if harmless else found))


# --- files that are nobody's business ---

PRIVATE = "lies in here and can be fetched by anybody who reaches this route; keep it elsewhere"


def test_private_files_beneath_a_root(test, tmp_path):
    (tmp_path / "index.html").write_text("")
    (tmp_path / "logs").mkdir()
    logs = {"access": {"to": "logs/access.log"}, "error": {"to": "stderr"}}
    pointer = "/servers/0/routes/0/files/root"
    test(text_of(server([files("@.")]), logs=logs, pid_file="websrv.pid"),
         (pointer, f"warning: the configuration websrv.json {PRIVATE}"),
         (pointer, f"warning: the access log {tmp_path}/logs/access.log {PRIVATE}"),
         (pointer, f"warning: the pid file {tmp_path}/websrv.pid {PRIVATE}"))
    assert not (tmp_path / "logs" / "access.log").exists(), "a test creates nothing"
    assert not (tmp_path / "websrv.pid").exists()


def test_a_file_of_users_beneath_a_root_is_told_once(test, tmp_path):
    (tmp_path / "index.html").write_text("")
    (tmp_path / "users").write_text("anna:$2b$04$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe\n")
    (tmp_path / "users").chmod(0o600)
    auth = {"basic": {"users": "users"}}
    routes = [files("@.")] + [{**ANSWER, "path": f"/{n}/*", "auth": auth} for n in range(3)]
    pointer = "/servers/0/routes/0/files/root"
    test(text_of(server(routes)),
         (pointer, f"warning: the configuration websrv.json {PRIVATE}"),
         (pointer, f"warning: the file of users {tmp_path}/users {PRIVATE}"))


def test_private_files_that_are_hidden_or_elsewhere(test, tmp_path, site):
    (tmp_path / ".logs").mkdir()
    (tmp_path / "index.html").write_text("")
    logs = {"access": {"to": str(site / ".access.log")}}
    test(text_of(server([files(site)]), logs=logs, pid_file="websrv.pid"))
    test(text_of(server([files(f"@{site}", hidden=True)]), logs=logs),
         ("/servers/0/routes/0/files/root",
          f"warning: the access log {site}/.access.log {PRIVATE}"))


def test_a_route_that_serves_one_file_of_a_directory(test, tmp_path):
    route = {"path": "/robots.txt", "files": {"root": "."}}
    test(text_of(server([route])))
    route = {"path": "/websrv.json", "files": {"root": "@."}}
    test(text_of(server([route])),
         ("/servers/0/routes/0/files/root",
          f"warning: the configuration websrv.json {PRIVATE}"))


def test_a_table_of_redirects_beneath_a_root(test, site):
    (site / "moved.map").write_text("/a /b\n")
    test(text_of(server([files(f"@{site}")], redirects=str(site / "moved.map"))),
         ("/servers/0/routes/0/files/root",
          f"warning: the table of redirects {site}/moved.map {PRIVATE}"))


# --- pages that are not there ---

def test_a_fallback_that_is_not_there(test, site):
    test(text_of(server([files(f"@{site}", fallback="/app.html")])),
         ("/servers/0/routes/0/files/root", 'warning: the fallback "/app.html" is not there, so '
          'what is not there stays 404; put a file there, or write another "fallback"'))
    test(text_of(server([files(site, fallback="/hello.txt")])))


def test_a_site_without_a_front_page(test, site):
    wanted = {"index": ["start.html", "start.htm"]}
    test(text_of(server([files(f"@{site}", **wanted)])),
         ("/servers/0/routes/0/files/root", 'warning: has no front page, so "/" is answered by '
          f'404: none of "start.html", "start.htm" is in {site}; put one there, or add '
          '"listing": true'))
    test(text_of(server([files(site, **wanted, listing=True)])))
    test(text_of(server([files(site, **wanted), {"path": "/", "respond": {}}])))
    test(text_of(server([files(site, **wanted)], redirects={"/": "/hello.txt"})))
    test(text_of(server([files(site, path="/pictures/*", **wanted)])))


def test_error_pages_that_cannot_be_sent(test, site):
    (site / ".secret.html").write_text("")
    pages = {"@404": "/e/404.html", "@403": "/.secret.html", "@5xx": "/up/x", "410": "/hello.txt",
             "400": "/plain"}
    routes = [files(site), upload(site / "dir", path="/up/*"),
              {"path": "/plain", "respond": {"body": "x"}}]
    routes[0]["download"] = True
    where = "put a file there, or write another path"
    test(text_of(server(routes, error_pages=pages)),
         ("/servers/0/error_pages/404", "warning: /e/404.html is not there, so the built-in page "
          f"is sent: there is no {site}/e/404.html; {where}"),
         ("/servers/0/error_pages/403", "warning: /.secret.html is not there, so the built-in "
          f"page is sent: there is no {site}/.secret.html; {where}"),
         ("/servers/0/error_pages/5xx", 'warning: no route with "files" or "respond" answers '
          "/up/x, so the built-in page is sent; write another path, or add a route"))


# --- this machine ---

@pytest.fixture
def of_nobody():
    """A directory of root, outside of what only root may enter."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@pytest.mark.skipif(not is_root, reason="only root becomes somebody else")
def test_directories_that_the_user_who_serves_may_not_use(test, of_nobody):
    for name, mode in [("closed", 0o700), ("entered", 0o711), ("open", 0o755)]:
        os.mkdir(f"{of_nobody}/{name}", mode)
    routes = [files(f"@{of_nobody}/closed", "/a/*"), files(f"{of_nobody}/entered", "/b/*"),
              files(f"@{of_nobody}/entered", "/c/*", listing=True),
              files(f"{of_nobody}/open", "/d/*", listing=True)]
    advice = "Permission denied; change its owner or mode, or write another directory"
    test(text_of(server(routes), user="nobody"),
         ("/servers/0/routes/0/files/root",
          f'warning: "nobody", who serves, may not enter {of_nobody}/closed: {advice}'),
         ("/servers/0/routes/2/files/root",
          f'warning: "nobody", who serves, may not list {of_nobody}/entered: {advice}'))
    text = text_of(server([upload(f"@{of_nobody}/open")]), user="nobody")
    test(text, ("/servers/0/routes/0/upload/directory",
                f'warning: "nobody", who serves, may not write to {of_nobody}/open: {advice}'))
    os.chmod(f"{of_nobody}/open", 0o777)
    test(text.replace("@", ""))


def listening(address="127.0.0.1", *options):
    taken = socket.socket()
    for option in options:
        taken.setsockopt(socket.SOL_SOCKET, option, 1)
    taken.bind((address, 0))
    taken.listen()
    return taken, taken.getsockname()[1]


def test_an_address_that_another_program_has(test):
    taken, port = listening()
    with taken:
        test(text_of(server([ANSWER], listen=[f"@127.0.0.1:{port}"])),
             ("/servers/0/listen/0", f"cannot listen on 127.0.0.1:{port}: Address already in use; "
              "stop the program that listens there, or write another address"))
    test(text_of(server([ANSWER], listen=[f"127.0.0.1:{port}"])))


def test_all_addresses_of_one_port_are_ours(test):
    # The port is free for a moment only: somebody else may be given it meanwhile.
    for attempts_left in reversed(range(5)):
        taken, port = listening()
        taken.close()
        listen = [f"127.0.0.1:{port}", f"0.0.0.0:{port}"]
        if os.path.exists("/proc/net/if_inet6"):
            listen.append(f"[::]:{port}")
        try:
            test(text_of(server([ANSWER], listen=listen)))
            return
        except AssertionError:
            if attempts_left == 0:
                raise


def test_an_address_of_no_interface(test):
    test(text_of(server([ANSWER], listen=["@192.0.2.1:0"])),
         ("/servers/0/listen/0", "cannot listen on 192.0.2.1:0: Cannot assign requested address; "
          "no interface of this machine has it, so write another one"))


def test_the_addresses_of_the_server_that_runs_are_not_in_the_way(run, start, tmp_path):
    path = tmp_path / "http.sock"
    conf = config([ANSWER], server={"listen": ["127.0.0.1:0", f"unix:{path}"]})
    running = start(conf)
    conf["servers"][0]["listen"][0] = f"127.0.0.1:{running.port}"
    (tmp_path / "websrv.json").write_text(json.dumps(conf))
    for _ in range(20):
        done = run("-t", "--strict", "-c", "websrv.json")
        assert (done.returncode, done.stdout, done.stderr) == (0, FINE, "")
        assert running.get("/")[0] == 200
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_unix_sockets_that_cannot_be_made(test, tmp_path):
    (tmp_path / "file").write_text("precious")
    test(text_of(server([ANSWER], listen=["@unix:file", "@unix:none/http.sock",
                                          "unix:http.sock"])),
         ("/servers/0/listen/0", "cannot listen on unix:file: File exists"),
         ("/servers/0/listen/1",
          "cannot listen on unix:none/http.sock: No such file or directory"))
    assert (tmp_path / "file").read_text() == "precious"
    assert not (tmp_path / "http.sock").exists()


@pytest.mark.skipif(not is_root, reason="only root can start it as somebody else")
def test_what_only_root_may_do_is_a_warning_to_others(websrv, of_nobody):
    binary = shutil.copy(websrv, of_nobody)
    os.mkdir(f"{of_nobody}/log", 0o700)
    text, (log, port), _ = mark(text_of(server([ANSWER], listen=["@127.0.0.1:1"]), user="daemon",
                                     logs={"access": {"to": f"@{of_nobody}/log/access.log"}}))
    (of_nobody / "websrv.json").write_text(text)
    os.chmod(of_nobody, 0o777)
    done = harness.run(binary, "-t", "-c", "websrv.json", cwd=of_nobody, user="nobody",
                       group="nogroup", extra_groups=[])
    if "listen" not in done.stderr:
        pytest.skip("any user may listen on port 1 here")
    tail = "as this user: Permission denied; a start as root is not tested by this"
    assert done.stderr.splitlines() == [
        f"{log}: /logs/access/to: warning: cannot open the access log "
        f"{of_nobody}/log/access.log {tail}",
        f"{port}: /servers/0/listen/0: warning: cannot listen on "
        f"127.0.0.1:1 {tail}"]
    assert done.returncode == 0


def test_files_that_cannot_be_written(test, tmp_path):
    (tmp_path / "logs").mkdir()
    logs = {"error": {"to": "@none/error.log"}, "access": {"to": "@./logs"}}
    test(text_of(server([ANSWER]), pid_file="@none/websrv.pid", logs=logs),
         ("/pid_file", f"cannot write the pid file {tmp_path}/none/websrv.pid: No such file or "
          "directory"),
         ("/logs/error/to", f"cannot open the error log {tmp_path}/none/error.log: No such file "
          "or directory"),
         ("/logs/access/to", f"cannot open the access log {tmp_path}/logs: Is a directory"))
    logs = {"error": {"to": "logs/error.log"}, "access": {"to": "logs/access.log"}}
    test(text_of(server([ANSWER]), pid_file="logs/websrv.pid", logs=logs))
    assert not list((tmp_path / "logs").iterdir()), "a test creates nothing"


def test_findings_stand_behind_the_errors_of_what_is_not_there(run, tmp_path):
    (tmp_path / "websrv.json").write_text(
        text_of(server([files("nowhere")]), pid_file="none/websrv.pid"))
    lines = run("-t", "-c", "websrv.json").stderr.splitlines()
    assert len(lines) == 2
    assert "/files/root: cannot open" in lines[0] and "/pid_file: cannot" in lines[1]


# --- warnings and errors ---

WARNS = {"servers": [server([ANSWER, {"path": "/p", "redirect": {"to": "/q"}},
                             {"path": "/q", "redirect": {"to": "/r"}}])]}
LOOPS = {"servers": [server([ANSWER], redirects={"/a": "/b", "/b": "/a"})]}


def test_strict_makes_errors_of_warnings(run, tmp_path):
    (tmp_path / "websrv.json").write_text(json.dumps(WARNS))
    done = run("-t", "--strict", "-c", "websrv.json")
    assert (done.returncode, done.stdout) == (78, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2 and ": warning: " in lines[0]
    assert lines[1] == "websrv.json: refused: 1 warning, and --strict makes errors of them"


def test_strict_goes_with_a_test_only(run, tmp_path):
    (tmp_path / "websrv.json").write_text(json.dumps(WARNS))
    for args in (["--strict", "-c", "websrv.json"], ["--dump-config", "--strict"]):
        done = run(*args)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == 'websrv: --strict goes with -t\nTry "websrv -h".\n'


def test_a_start_logs_warnings_once(start):
    running = start({**WARNS, "workers": 2})
    assert running.get("/")[0] == 200
    running.stop()
    lines = [line for line in running.log().splitlines() if "leads to" in line]
    assert len(lines) == 1
    assert ' warning [' in lines[0] and "warning:" not in lines[0]
    assert lines[0].endswith(': /servers/0/routes/1: "/p" leads to /q, which leads to /r: '
                             'write "/r"')


def test_a_start_refuses_loops(run, tmp_path):
    (tmp_path / "websrv.json").write_text(json.dumps(LOOPS))
    done = run("-c", "websrv.json")
    assert (done.returncode, done.stdout) == (78, "")
    assert "never end: /a -> /b -> /a" in done.stderr and "listening" not in done.stderr


def test_a_reload_refuses_loops_and_logs_warnings(start):
    running = start({"servers": [server([ANSWER])]})
    conf = json.loads(json.dumps(LOOPS))
    conf["servers"][0]["listen"] = [f"127.0.0.1:{running.port}"]
    running.config.write_text(json.dumps(conf))
    running.kill(signal.SIGHUP)
    running.wait_for_log("never end: /a -> /b -> /a")
    running.wait_for_log("reload failed; the old configuration goes on")
    assert running.get("/a")[0] == 200
    running.config.write_text(json.dumps(WARNS))
    running.kill(signal.SIGHUP)
    running.wait_for_log(r'warning \[.*"/p" leads to /q, which leads to /r: write "/r"')
    running.wait_for_log("reloaded: ")


# --- what is shipped ---

def examples(top):
    return sorted((top / "etc" / "examples").glob("*.json"))


PLACE = re.compile(r'"(root|directory|to|users|tokens)": "(/(?:srv|var|etc)/[^"]*)"|"(unix):(/[^"]*)"')


SECRETS = {"users": "anna:$6$wiretests$kRZsCZiBMKNdXQPRDUsxmXKOZkgWCZ./vFMNKKe.if0XRDcQ4k2GE1e"
                    "9cnBLi.7SplBjo2Qmf1k6UsK9pFkM1/\n",
           "tokens": "backup:sha256:" + "0" * 64 + "\n"}


def make_places(text, top, tmp_path):
    """The configuration with its paths beneath tmp_path, where they are made."""
    def move(found):
        key, path = found[1] or found[3], tmp_path / (found[2] or found[4])[1:]
        is_file = key in ("to", "unix", "users", "tokens")
        (path.parent if is_file else path).mkdir(parents=True, exist_ok=True)
        if key == "root":
            (path / "errors").mkdir(exist_ok=True)
            for name in ("index.html", "errors/404.html", "errors/5xx.html"):
                (path / name).write_text("")
        if key in SECRETS:
            path.write_text(SECRETS[key])
            path.chmod(0o600)
        return f'"unix:{path}"' if key == "unix" else f'"{key}": "{path}"'

    text = text.replace("@HTDOCSDIR@", str(top / "htdocs")).replace("@UPLOADDIR@", "/srv/drop")
    text = PLACE.sub(move, text)
    text = text.replace('"user": "websrv",', "").replace('"group": "websrv",', "")
    return re.sub(r':(80|8080)"', ':0"', text)


def test_the_examples_pass_the_strict_test(run, top, tmp_path):
    paths = examples(top) + [top / "etc" / "websrv.json.in"]
    assert len(paths) > 5
    for number, path in enumerate(paths):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "websrv.json").write_text(make_places(path.read_text(), top, place))
        done = run("-t", "--strict", "-c", "websrv.json", cwd=place)
        assert (done.returncode, done.stderr) == (0, ""), path
