# SPDX-License-Identifier: BSD-2-Clause
"""htdocs as a person sees it: headless Chromium, driven by browser/visit.js."""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import urllib.parse

import pytest

from harness import config, files

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def modules(request, top):
    """Where npm has put playwright-core."""
    named = request.config.getoption("--node-modules") or os.environ.get("BROWSER_NODE_MODULES")
    places = [pathlib.Path(named)] if named else [HERE / "browser" / "node_modules",
                                                  top / "build" / "browser" / "node_modules"]
    for place in places:
        if (place / "playwright-core").is_dir():
            return place.resolve()
    pytest.skip("playwright-core is missing; run npm install in tests/e2e/browser")


@pytest.fixture
def visit(request, modules, tmp_path):
    """visit(url, name): the page as browser/visit.js saw it, with a picture of it."""
    chromium = shutil.which("chromium")
    if not chromium or not shutil.which("node"):
        pytest.skip("chromium or node is missing")
    pictures = pathlib.Path(request.config.getoption("--screenshots") or tmp_path)
    pictures.mkdir(parents=True, exist_ok=True)

    def go(url, name):
        picture = pictures / f"{name}.png"
        done = subprocess.run(["node", HERE / "browser" / "visit.js", chromium, url, picture],
                              env={**os.environ, "NODE_PATH": str(modules)}, text=True,
                              capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 10_000
        return json.loads(done.stdout)
    return go


@pytest.fixture
def htdocs(start, top):
    """The site that comes with websrv, as the configuration that comes with it serves it."""
    return start(config([files(top / "htdocs")], workers=2,
                        server={"error_pages": {"404": "/errors/404.html"},
                                "headers": {"X-Content-Type-Options": "nosniff"}}))


def is_fine(page, but=()):
    """Everything on the page has arrived, looks as meant, and fits the window."""
    assert page["failed"] == []
    bad = [r for r in page["responses"] if r["status"] not in (200, 304)]
    assert [urllib.parse.urlsplit(r["url"]).path for r in bad] == list(but), bad
    assert all(image["width"] > 0 for image in page["images"]), page["images"]
    assert "serif" != page["styled"] and page["heading"].strip() and not page["wide"]


def own_links(page, server):
    urls = {urllib.parse.urldefrag(url)[0] for url in page["links"]}
    return sorted(url for url in urls if url.startswith(server.url + "/"))


def head(url):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("HEAD", parts.path)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.seconds(120)
def test_every_page_of_htdocs_shows_and_every_link_leads_somewhere(htdocs, visit, top):
    todo, pages, images = [htdocs.url + "/"], {}, 0
    while todo:
        url = todo.pop()
        name = urllib.parse.urlsplit(url).path.strip("/").replace("/", "-") or "index"
        page = pages[url] = visit(url, name)
        is_fine(page)
        assert page["console"] == []
        assert page["title"].strip()
        images += len(page["images"])
        for link in own_links(page, htdocs):
            assert head(link) == 200, f"{link}, from {url}"
            if link.endswith((".html", "/")) and link not in pages and link not in todo:
                todo.append(link)
    assert images > 0
    shown = {urllib.parse.urlsplit(url).path for url in pages}
    written = {f"/{path.name}" for path in (top / "htdocs").glob("*.html")}
    assert written - {"/index.html"} <= shown, "a page that nothing links to"
    assert "websrv" in pages[htdocs.url + "/"]["title"]


@pytest.mark.seconds(60)
def test_the_404_page_shows_at_any_depth(htdocs, visit):
    page = visit(htdocs.url + "/no/such/page.html", "404")
    is_fine(page, but=["/no/such/page.html"])
    assert page["responses"][0]["status"] == 404
    assert "404" in page["title"]
    # Chromium itself complains about the status of the page, and about nothing else.
    assert len(page["console"]) == 1 and "404" in page["console"][0]
    url = htdocs.url + "/no/such/page.html"  # where a link within the page leads
    assert {head(link) for link in own_links(page, htdocs) if link != url} == {200}


@pytest.mark.seconds(60)
def test_the_built_in_error_page_shows(start, site, visit):
    server = start(config([files(site)]))
    page = visit(server.url + "/nowhere", "built-in-404")
    assert page["responses"][0]["status"] == 404
    assert "404" in page["title"] and page["heading"].strip() and not page["wide"]
