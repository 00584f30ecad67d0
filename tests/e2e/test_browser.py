# SPDX-License-Identifier: BSD-2-Clause
"""htdocs as a person sees it: headless Chromium, driven by browser/visit.js."""

import http.client
import urllib.parse

import pytest

from harness import config, files


@pytest.fixture
def visit(in_browser):
    """visit(url, name): the page as browser/visit.js saw it, with a picture of it."""
    def go(url, name):
        picture = in_browser.pictures / f"{name}.png"
        page = in_browser("visit.js", url, picture)
        assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 10_000
        return page
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
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
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
