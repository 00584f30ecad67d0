# SPDX-License-Identifier: BSD-2-Clause
"""What somebody has uploaded, opened in a browser that is logged in: pages and drawings with
scripts do nothing in the site's name, pictures are shown."""

import base64
import json
import urllib.parse

import pytest

from harness import config, files, upload

DESKTOP = {"viewport": {"width": 800, "height": 600}}
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAAEElEQVR4nGNwaDgARAwoFABblQkB"
                         "7j6vqAAAAABJRU5ErkJggg==")
# Takes what the site has of its visitor, and leaves a mark there.
ATTACK = """
    localStorage.setItem('stolen', document.cookie);
    const ask = new XMLHttpRequest();
    ask.open('GET', '/private.txt', false);
    ask.send();
    localStorage.setItem('read', ask.responseText);
"""
PAGES = {
    "evil.html": f"<title>evil</title><p>evil</p><script>{ATTACK}</script>",
    "evil.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" '
                f'height="9"/><script><![CDATA[{ATTACK}]]></script></svg>',
    "evil.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>'
                  f'<body><script><![CDATA[{ATTACK}]]></script></body></html>',
    "evil.txt": f"<script>{ATTACK}</script>",
    "evil": f"<html><script>{ATTACK}</script></html>",
}
LOOT = "({ ...localStorage })"
EMPTY = "localStorage.clear()"


@pytest.fixture
def act(in_browser):
    def go(*steps):
        seen = in_browser("act.js", input=json.dumps({"page": DESKTOP, "steps": steps}))
        return seen["results"]
    return go


@pytest.fixture
def server(start, site, drop):
    """/drop as it comes, /inline with one guard of two, /mine the same files as the site's own."""
    (site / "private.txt").write_text("of the visitor alone\n")
    (site / "favicon.ico").touch()
    (site / "mine").mkdir()
    for name, text in PAGES.items():
        (site / "mine" / name).write_text(text)
    routes = [{**files(drop, "/drop/*"), **upload(drop, conflict="replace")},
              {**files(drop, "/inline/*"), "headers": {"Content-Disposition": "inline"}},
              files(site)]
    server = start(config(routes, server={"headers": {"Set-Cookie": "session=secret; path=/"}}))
    for name, text in PAGES.items():
        assert server.request("PUT", f"/drop/{name}", text.encode())[0] == 201
    assert server.request("PUT", "/drop/pixel.png", PIXEL)[0] == 201
    return server


def framed(tag, source, *urls):
    """An expression: puts what is there into the page, and waits until it had its time."""
    return f"""(async () => {{
        for (const url of {json.dumps(urls)}) {{
            const e = document.createElement('{tag}');
            e.{source} = url;
            document.body.append(e);
        }}
        await new Promise((done) => setTimeout(done, 1500));
    }})()"""


@pytest.mark.seconds(60)
@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "evil.xhtml"])
def test_the_attack_would_work_on_a_file_of_the_site(server, act, name):
    found = act(("open", server.url + "/"), ("open", f"{server.url}/mine/{name}"),
                ("evaluate", LOOT))
    assert found[-1] == {"stolen": "session=secret", "read": "of the visitor alone\n"}


@pytest.mark.seconds(60)
@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "evil.xhtml", "evil"])
def test_what_could_run_is_saved_under_its_name(server, act, name):
    found = act(("open", server.url + "/"), ("save", f"{server.url}/drop/{name}"),
                ("open", server.url + "/"), ("evaluate", LOOT))
    # Chromium gives what has no extension one.
    assert found[1].partition(".")[::2] == tuple(name.partition(".")[::2]) or name == "evil"
    assert found[-1] == {}


@pytest.mark.seconds(60)
@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "evil.xhtml"])
def test_the_sandbox_alone_keeps_a_script_from_running(server, act, name):
    url = f"{server.url}/inline/{name}"
    found = act(("open", server.url + "/"), ("open", url), ("open", server.url + "/"),
                ("evaluate", LOOT))
    assert found[1] == url  # it was shown
    assert found[-1] == {}


@pytest.mark.seconds(60)
@pytest.mark.parametrize("tag,source", [("iframe", "src"), ("embed", "src"), ("object", "data"),
                                        ("img", "src")])
def test_nothing_runs_inside_a_page_of_the_site(server, act, tag, source):
    mine = [f"/mine/{name}" for name in PAGES]
    urls = [f"/{where}/{name}" for where in ("drop", "inline") for name in PAGES]
    found = act(("open", server.url + "/"), ("evaluate", framed(tag, source, *urls)),
                ("evaluate", LOOT), ("evaluate", EMPTY),
                ("evaluate", framed(tag, source, *mine)),
                ("until", "true" if tag == "img" else "localStorage.getItem('read')"),
                ("evaluate", LOOT))
    assert found[2] == {}
    assert found[6] == ({} if tag == "img" else
                        {"stolen": "session=secret", "read": "of the visitor alone\n"})


@pytest.mark.seconds(60)
def test_pictures_and_text_are_shown(server, act):
    size = "[document.images[0].naturalWidth, document.images[0].naturalHeight]"
    found = act(("open", f"{server.url}/drop/pixel.png"), ("evaluate", size),
                ("open", f"{server.url}/drop/evil.txt"),
                ("evaluate", "document.body.innerText"),
                ("open", server.url + "/"), ("evaluate", LOOT))
    assert found[1] == [2, 3]
    assert "localStorage.setItem" in found[3]
    assert found[5] == {}
    assert urllib.parse.urlsplit(found[2]).path == "/drop/evil.txt"
