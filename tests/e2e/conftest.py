# SPDX-License-Identifier: BSD-2-Clause
"""Options and fixtures of the end-to-end tests; harness.py starts and stops the servers."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True  # the source folder may be read-only
import harness

TOP = pathlib.Path(__file__).resolve().parents[2]
BUSY = 4  # so many times as long may everything take


def pytest_addoption(parser):
    parser.addoption("--websrv", metavar="PATH", help="the binary; default: $WEBSRV, or build/")
    parser.addoption("--node-modules", metavar="DIR", help="where playwright-core is installed")
    parser.addoption("--screenshots", metavar="DIR", help="where the browser leaves its pictures")


@pytest.fixture(scope="session")
def websrv(request):
    """The path of the binary."""
    path = request.config.getoption("--websrv") or os.environ.get("WEBSRV")
    path = pathlib.Path(path or TOP / "build" / "websrv").resolve()
    if not os.access(path, os.X_OK):
        pytest.exit(f"{path} is no program; name one with --websrv or WEBSRV", 2)
    return path


@pytest.fixture(scope="session")
def sanitized(websrv):
    """Is it built with sanitizers? They are slow, and no library can be loaded before them."""
    return b"__asan_init" in websrv.read_bytes()


@pytest.fixture(scope="session")
def top():
    """The top of the source tree."""
    return TOP


@pytest.fixture(autouse=True)
def time_limit(request):
    """No test hangs: @pytest.mark.seconds(n), by default 30, and more on a busy machine."""
    mark = request.node.get_closest_marker("seconds")
    seconds = BUSY * (mark.args[0] if mark else 30)

    def too_long(*_):
        raise TimeoutError(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): more than it takes on a quiet machine")
    config.addinivalue_line("markers", "disk(size): of the file system small_disk")


@pytest.fixture
def start(websrv, tmp_path):
    """Starts a server: start(config, args=None, **popen); see harness.Server. At the end of the
    test all that still run are stopped, and each must have ended well."""
    servers = []

    def make(config=None, **options):
        directory = tmp_path / f"server{len(servers)}"
        directory.mkdir()
        server = harness.Server(websrv, directory, config, **options)
        servers.append(server)
        server.wait_until_ready()
        return server

    yield make
    problems = [p for server in servers for p in server.finish()]
    assert not problems, "\n".join(problems)


@pytest.fixture
def run(websrv, tmp_path):
    """Runs websrv to its end: run(*args) -> CompletedProcess with texts."""
    def run_it(*args, **options):
        return harness.run(websrv, *args, cwd=options.pop("cwd", tmp_path), **options)
    return run_it


@pytest.fixture
def site(tmp_path):
    """A small document root, an hour old: its entity-tags are strong."""
    root = tmp_path / "site"
    (root / "dir").mkdir(parents=True)
    (root / "hello.txt").write_text("hello, world\n")
    (root / "index.html").write_text("<title>index</title>\n")
    (root / "dir" / "index.html").write_text("<title>dir</title>\n")
    for path in root.rglob("*.*"):
        harness.make_old(path)
    return root


@pytest.fixture
def drop(tmp_path):
    """An empty upload directory."""
    directory = tmp_path / "drop"
    directory.mkdir()
    return directory


@pytest.fixture
def serve(start, drop):
    """serve(workers=1, route={}, more=[], top={}, **options): a server with that upload directory
    at /drop/, whose route has more keys, beside more routes."""
    def go(workers=1, route=None, more=(), top=None, **options):
        routes = [{**harness.upload(drop, **options), **(route or {})}, *more]
        return start(harness.config(routes, workers=workers, **(top or {})))
    return go


@pytest.fixture
def small_disk(request, tmp_path):
    """A file system of @pytest.mark.disk(size), by default 8 MiB."""
    mark = request.node.get_closest_marker("disk")
    size = mark.args[0] if mark else "8m"
    with harness.mounted(tmp_path / "disk", "-t", "tmpfs", "-o", f"size={size}") as disk:
        yield disk


@pytest.fixture
def plain(start, sanitized):
    """Starts servers whose memory means something: not with sanitizers."""
    if sanitized:
        pytest.skip("sanitizers keep memory that was freed")
    return start


@pytest.fixture(scope="session")
def modules(request):
    """Where npm has put playwright-core, for the tests in a browser."""
    named = request.config.getoption("--node-modules") or os.environ.get("BROWSER_NODE_MODULES")
    here = pathlib.Path(__file__).resolve().parent / "browser" / "node_modules"
    places = [pathlib.Path(named)] if named else [here, TOP / "build" / "browser" / "node_modules"]
    for place in places:
        if (place / "playwright-core").is_dir():
            return place.resolve()
    pytest.skip("playwright-core is missing; run npm install in tests/e2e/browser")


def driven(browser, request, modules, tmp_path):
    program = shutil.which(browser)
    if not program or not shutil.which("node"):
        pytest.skip(f"{browser} or node is missing")

    def go(script, *args, **options):
        path = pathlib.Path(__file__).resolve().parent / "browser" / script
        done = subprocess.run(["node", path, program, *args], capture_output=True, text=True,
                              env={**os.environ, "NODE_PATH": str(modules)}, timeout=110,
                              **options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    go.pictures = pathlib.Path(request.config.getoption("--screenshots") or tmp_path)
    go.pictures.mkdir(parents=True, exist_ok=True)
    return go


@pytest.fixture
def in_browser(request, modules, tmp_path):
    """in_browser(script, *args, input=None): what a script of browser/ printed, out of its JSON,
    with Chromium; its attribute `pictures` is where screenshots go."""
    return driven("chromium", request, modules, tmp_path)


@pytest.fixture
def in_firefox(request, modules, tmp_path):
    """The same with Firefox."""
    if not (modules / "puppeteer-core").is_dir():
        pytest.skip("puppeteer-core is missing; run npm install in tests/e2e/browser")
    return driven("firefox-esr", request, modules, tmp_path)
