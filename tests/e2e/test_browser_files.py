# SPDX-License-Identifier: BSD-2-Clause
"""Files as a browser shows, plays and fetches them: listings, films, pages of other origins."""

import base64
import json
import os
import struct

import pytest

from harness import config, files, until, upload

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 360, "height": 740}, "deviceScaleFactor": 2, "isMobile": True,
         "hasTouch": True}

# Of a listing: the names in order, the order that it says, and what does not fit.
LOOK = """({
    names: [...document.querySelectorAll('tbody a:not(.u)')].map((a) => a.innerText),
    sort: [...document.querySelectorAll('th[aria-sort]')].map(
        (e) => `${e.innerText.trim()} ${e.getAttribute('aria-sort')}`),
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    low: [...document.querySelectorAll('a')].map((a) => a.getBoundingClientRect())
        .filter((r) => r.height < 24 || r.width < 24).length,
    covered: [...document.querySelectorAll('a')].filter((a) => {
        a.scrollIntoView({ block: 'center' });
        const r = a.getBoundingClientRect();
        return !a.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2));
    }).length,
})"""


def entries_of(log):
    """The lines of an access log in JSON."""
    whole = log.read_text().rpartition("\n")[0] if log.exists() else ""
    return [json.loads(line) for line in whole.splitlines()]


@pytest.fixture
def act(in_browser):
    """act(page options, *steps): see browser/act.js; the names of pictures get their place."""
    def go(page, *steps):
        steps = [[step, str(in_browser.pictures / f"{rest[0]}.png")] if step == "shot" else
                 [step, *rest] for step, *rest in steps]
        return in_browser("act.js", input=json.dumps({"page": page, "steps": steps}))
    return go


@pytest.fixture
def folder(site):
    """A directory with names and sizes that people have."""
    top = site / "files"
    names = {"Annual report 2025 (final, corrected, with all the appendices).pdf": 2_340_000,
             "README.md": 1200, "archive.tar.gz": 734_003_200, "empty.txt": 0,
             "\u65e5\u672c\u8a9e\u306e\u30d5\u30a1\u30a4\u30eb.txt": 900, "naïve café.txt": 12,
             "a-name-without-any-place-where-it-could-be-broken-" + "x" * 80 + ".bin": 70_000}
    (site / "favicon.ico").touch()  # browsers ask for it, and complain
    (top / "Photos" / "2024").mkdir(parents=True)
    (top / "music").mkdir()
    (top / "Photos" / "2024" / "one.txt").write_text("one\n")
    for n, (name, size) in enumerate(names.items()):
        with open(top / name, "wb") as f:
            f.truncate(size)
        os.utime(top / name, (1600000000 + n * 86400 * 37,) * 2)
    for n, directory in enumerate([top / "Photos" / "2024", top / "Photos", top / "music"]):
        os.utime(directory, (1500000000 + n * 86400 * 50,) * 2)
    return top


# --- listings ---

@pytest.mark.seconds(60)
@pytest.mark.parametrize("page, name", [
    (DESKTOP, "desktop"), (PHONE, "phone"), ({**PHONE, "colorScheme": "dark"}, "phone-dark")],
    ids=["desktop", "phone", "phone, dark"])
def test_a_listing_shows_is_sorted_and_leads_on(start, site, folder, act, page, name):
    server = start(config([files(site, listing=True)]))
    at = server.url + "/files/"
    seen = act(page, ("open", at), ("evaluate", LOOK), ("shot", f"listing-{name}"),
               ("click", "th:nth-child(2) a"), ("evaluate", LOOK),
               ("click", "th:nth-child(2) a"), ("evaluate", LOOK),
               ("click", "th:nth-child(3) a"), ("evaluate", LOOK),
               ("shot", f"listing-{name}-by-date"),
               ("click", "text=Photos"), ("evaluate", LOOK),
               ("click", "text=2024"), ("evaluate", LOOK), ("shot", f"listing-{name}-inside"),
               ("click", "a.u"), ("click", "nav a:first-child"),
               ("open", at), ("click", "text=Photos"), ("back",))
    looks = [r for r in seen["results"] if isinstance(r, dict)]
    urls = [r for r in seen["results"] if isinstance(r, str) and r.startswith("http")]
    assert seen["console"] == [] and seen["dialogs"] == []
    assert {r["status"] for r in seen["responses"]} <= {200, 304}
    assert [(look["wide"], look["low"], look["covered"]) for look in looks] == \
        [(False, 0, 0)] * len(looks)
    entries = sorted(p.name for p in folder.iterdir() if p.is_file())

    def in_order(key, reverse=False):
        return sorted(sorted(entries, key=str.lower), key=key, reverse=reverse)
    assert looks[0]["names"][:2] == ["music/", "Photos/"]
    assert sorted(looks[0]["names"][2:]) == entries and looks[0]["sort"] == ["Name ascending"]
    assert looks[1]["names"][2:] == in_order(lambda n: -(folder / n).stat().st_size)
    assert looks[2]["names"][2:] == in_order(lambda n: (folder / n).stat().st_size)
    assert looks[3]["names"][2:] == in_order(lambda n: -(folder / n).stat().st_mtime)
    assert [look["sort"][0] for look in looks[1:4]] == \
        ["Size descending", "Size ascending", "Modified (UTC) descending"]
    assert looks[4]["names"] == ["2024/"] and looks[5]["names"] == ["one.txt"]
    by_date = "?sort=date&order=desc"
    assert urls == [at, at + "?sort=size&order=desc", at + "?sort=size&order=asc", at + by_date,
                    at + "Photos/" + by_date, at + "Photos/2024/" + by_date,
                    at + "Photos/" + by_date, server.url + "/" + by_date,
                    at, at + "Photos/", at]


@pytest.mark.seconds(60)
def test_names_that_mean_something_elsewhere_open_their_files_and_run_nothing(start, site, act):
    odd = site / "odd"
    odd.mkdir()
    names = ["<img src=x onerror=alert(1)>.txt", "\"><script>alert(2)<", "' onmouseover='alert(3)",
             "javascript:alert(4)", "&lt;b&gt;&amp;.txt", "50%.txt", "%41.txt", "a?b#c.txt",
             "back\\slash.txt", "//evil.example", "two  spaces .txt", "\u202egnp.txt",
             "new\nline.txt", "http:"]
    names = [name.replace("/", "\u2215") for name in names]
    for name in names:
        (odd / name).write_text(f"this is {name!r}")
    # What has no extension would be saved, not shown.
    server = start(config([files(site, listing=True, default_type="text/plain")]))
    count = "document.querySelectorAll('tbody a:not(.u)').length"
    steps = [("open", server.url + "/odd/"), ("evaluate", count), ("shot", "listing-odd-names")]
    shown = sorted(names, key=lambda n: [c + 32 if 65 <= c <= 90 else c for c in n.encode()])
    for row in range(2, len(names) + 2):
        steps += [("click", f"tbody tr:nth-child({row}) a"),
                  ("evaluate", "document.body.innerText"), ("back",)]
    seen = act(DESKTOP, *steps)
    assert seen["dialogs"] == [] and seen["results"][1] == len(names)
    texts = seen["results"][4::3]
    assert texts == [f"this is {name!r}" for name in shown]
    assert all(r["url"].startswith(server.url + "/") for r in seen["responses"])


# --- films ---

# Key frames of VP8, as WebP has them: noise, so that they are large, and a grey that tells them
# apart.
FRAMES = """(async () => {
    const canvas = document.createElement('canvas');
    const [width, height, count] = [640, 480, 8];
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    const frames = [];
    for (let n = 0; n < count; n++) {
        for (let i = 0; i < image.data.length; i++)
            image.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
        context.putImageData(image, 0, 0);
        context.fillStyle = `rgb(${[n * 32, n * 32, n * 32]})`;
        context.fillRect(160, 120, 320, 240);
        frames.push(canvas.toDataURL('image/webp', 0.95).split(',')[1]);
    }
    return frames;
})()"""

# Seeks to a second, and tells the grey that is shown there.
SEEK = """(async (second) => {
    const video = document.querySelector('video');
    if (video.readyState < 1)
        await new Promise((ok, bad) => {
            video.onloadedmetadata = ok;
            video.onerror = () => bad(new Error(video.error.message));
        });
    await new Promise((ok) => {
        video.onseeked = ok;
        video.currentTime = second;
    });
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 640, height: 480 });
    canvas.getContext('2d').drawImage(video, 0, 0);
    const [grey] = canvas.getContext('2d').getImageData(320, 240, 1, 1).data;
    return { grey, duration: video.duration };
})"""


def element(number, *content):
    """Of EBML (RFC 8794), with a length of 8 bytes."""
    data = b"".join(struct.pack(">Q", c) if isinstance(c, int) else c for c in content)
    return bytes.fromhex(number) + struct.pack(">Q", 1 << 56 | len(data)) + data


def webm(frames, width, height):
    """A film of one frame a second, with an index in front."""
    clusters = [element("1F43B675", element("E7", i * 1000),
                        element("A3", b"\x81\0\0\x80" + frame)) for i, frame in enumerate(frames)]
    front = element("1549A966", element("2AD7B1", 1000000),
                    element("4489", struct.pack(">d", len(frames) * 1000.0)),
                    element("4D80", b"test"), element("5741", b"test"))
    front += element("1654AE6B", element("AE", element("D7", 1), element("73C5", 1),
                                         element("83", 1), element("86", b"V_VP8"),
                                         element("E0", element("B0", width),
                                                 element("BA", height))))

    def index(at):
        points = []
        for i, cluster in enumerate(clusters):
            points.append(element("BB", element("B3", i * 1000),
                                  element("B7", element("F7", 1), element("F1", at))))
            at += len(cluster)
        return element("1C53BB6B", *points)
    front += index(len(front) + len(index(0)))
    head = element("1A45DFA3", element("4286", 1), element("42F7", 1), element("42F2", 4),
                   element("42F3", 8), element("4282", b"webm"), element("4287", 2),
                   element("4285", 2))
    return head + element("18538067", front, *clusters)


def vp8_of(webp):
    """The frame in a file of chunks (RFC 9649)."""
    at = 12
    while webp[at:at + 4] != b"VP8 ":
        at += 8 + (struct.unpack_from("<I", webp, at + 4)[0] + 1 & ~1)
    length, = struct.unpack_from("<I", webp, at + 4)
    return webp[at + 8:at + 8 + length]


@pytest.mark.seconds(90)
@pytest.mark.parametrize("age", [0, 3600], ids=["just written", "long ago"])
def test_a_film_is_played_from_where_the_viewer_wants(start, site, act, age):
    (site / "film.html").write_text('<!doctype html><title>film</title>\n'
                                    '<video src="film.webm" preload="metadata" muted></video>\n')
    server = start(config([files(site)],
                          logs={"access": {"to": "access.log", "format": "json"}}))
    made = act(DESKTOP, ("open", server.url + "/hello.txt"), ("evaluate", FRAMES))["results"][1]
    frames = [vp8_of(base64.b64decode(frame)) for frame in made]
    film = webm([frames[i % 8] for i in range(100)], 640, 480)
    assert len(film) > 20 << 20
    (site / "film.webm").write_bytes(film)
    then = os.path.getmtime(site / "film.webm") - age
    os.utime(site / "film.webm", (then, then))
    seen = act(DESKTOP, ("open", server.url + "/film.html"), ("evaluate", SEEK + "(97.5)"),
               ("evaluate", SEEK + "(50.5)"), ("evaluate", SEEK + "(98.5)"), ("shot", "film"))
    shown = seen["results"][1:4]
    assert [abs(s["grey"] - n % 8 * 32) < 12 for s, n in zip(shown, (97, 50, 98))] == [True] * 3
    assert shown[0]["duration"] == 100
    answers = [r for r in seen["responses"] if r["url"].endswith("/film.webm")]
    assert answers and {r["status"] for r in answers} == {206}
    begins = []
    for r in answers:
        begin = int(r["asked"].removeprefix("bytes=").rstrip("-"))
        assert r["range"] == f"bytes {begin}-{len(film) - 1}/{len(film)}"
        begins.append(begin / len(film))
    assert begins[0] == 0 and any(b > 0.9 for b in begins) and any(0.4 < b < 0.6 for b in begins)

    def logged():
        lines = [e for e in entries_of(server.directory / "access.log")
                 if e["target"] == "/film.webm"]
        return lines if len(lines) >= 3 else None  # the browser itself keeps some parts
    lines = until(logged, "the access log")
    # Of a file that just came the browser may ask again whether it is still the same.
    assert 206 in {e["status"] for e in lines} <= {206, 304}
    assert any(0 < e["sent"] < len(film) // 8 for e in lines)


# --- other origins ---

FETCH = """(async (url, options) => {
    try {
        const answer = await fetch(url, options);
        return { status: answer.status, text: await answer.text(),
                 etag: answer.headers.get('ETag'), length: answer.headers.get('Content-Length') };
    } catch (e) {
        return String(e);
    }
})"""


@pytest.mark.seconds(60)
def test_a_page_of_another_origin_gets_what_it_is_allowed_to_get(start, site, drop, act):
    pages = start(config([files(site)]))
    stranger = start(config([files(site)]))
    (site / "data.json").write_text('{"a": 1}\n')
    listed = {"origins": [pages.url], "headers": ["X-Asked"], "expose": ["ETag"]}
    server = start(config([
        files(site, "/closed/*"),
        {**files(site, "/open/*"), "cors": listed},
        {**files(site, "/any/*"), "cors": True},
        {**upload(drop, "/drop/*"), "cors": listed},
        {**files(drop, "/look/*"), **upload(drop, "/look/*"),
         "cors": {**listed, "methods": ["GET"]}}],
        logs={"access": {"to": "access.log", "format": "json"}}))

    def ask(path, **options):
        options = json.dumps({"cache": "no-store", **options})
        return ("evaluate", f"{FETCH}({json.dumps(server.url + path)}, {options})")

    def requests():
        return [(e["method"], e["target"], e["status"])
                for e in entries_of(server.directory / "access.log")]

    def answers(origin, *asks):
        """What the page got, and what the server was asked meanwhile."""
        before = len(requests())
        got = act(DESKTOP, ("open", origin.url + "/hello.txt"), *asks)["results"][1:]
        until(lambda: len(requests()) > before, "the access log")
        until(lambda: server.get("/end")[0] == 404 and requests()[-1][1] == "/end", "the last line")
        return got, [r for r in requests()[before:] if r[1] != "/end"]

    failed = "TypeError: Failed to fetch"
    asked = {"headers": {"X-Asked": "1"}}
    got, log = answers(pages, ask("/closed/data.json"), ask("/open/data.json"),
                       ask("/any/data.json"), ask("/open/data.json", **asked),
                       ask("/open/none", **asked))
    assert got[0] == failed
    assert [g["text"] for g in got[1:4]] == ['{"a": 1}\n'] * 3
    assert got[1]["etag"] and not got[2]["etag"]
    assert got[4]["status"] == 404
    assert log == [("GET", "/closed/data.json", 200), ("GET", "/open/data.json", 200),
                   ("GET", "/any/data.json", 200), ("OPTIONS", "/open/data.json", 204),
                   ("GET", "/open/data.json", 200), ("OPTIONS", "/open/none", 204),
                   ("GET", "/open/none", 404)]

    put = {"method": "PUT", "body": "sent"}
    got, log = answers(pages, ask("/open/data.json", headers={"X-Other": "1"}),
                       ask("/drop/a.txt", **put), ask("/look/b.txt", **put))
    assert (got[0], got[1]["status"], got[2]) == (failed, 201, failed)
    assert log == [("OPTIONS", "/open/data.json", 204), ("OPTIONS", "/drop/a.txt", 204),
                   ("PUT", "/drop/a.txt", 201), ("OPTIONS", "/look/b.txt", 204)]
    assert os.listdir(drop) == ["a.txt"]

    got, log = answers(stranger, ask("/open/data.json"), ask("/open/data.json", **asked),
                       ask("/drop/c.txt", **put), ask("/any/data.json"))
    assert got[:3] == [failed] * 3 and got[3]["text"] == '{"a": 1}\n'
    assert log == [("GET", "/open/data.json", 200), ("OPTIONS", "/open/data.json", 204),
                   ("OPTIONS", "/drop/c.txt", 204), ("GET", "/any/data.json", 200)]
    assert os.listdir(drop) == ["a.txt"]
