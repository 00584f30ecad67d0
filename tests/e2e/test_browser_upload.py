# SPDX-License-Identifier: BSD-2-Clause
"""The upload page in headless Chromium, against a server that fails on demand (tus_double.py)."""

import hashlib
import json
import os
import random

import pytest

from tus_double import Double

DESKTOP = {"viewport": {"width": 1024, "height": 768}}
PHONE = {"viewport": {"width": 320, "height": 640}, "deviceScaleFactor": 2, "isMobile": True,
         "hasTouch": True}
MB = 1 << 20

ROWS = """[...document.querySelectorAll('#list li')].map((e) => ({
    name: e.querySelector('bdi').innerText, state: e.className,
    text: e.querySelector('.state').innerText, link: e.querySelector('a')?.href ?? null,
    buttons: [...e.querySelectorAll('button')].filter((b) => !b.hidden)
        .map((b) => b.getAttribute('aria-label')),
    progress: e.querySelector('progress').value,
}))"""
SUM = "document.querySelector('#sum').innerText"
SAID = "document.querySelector('#say').textContent"
FOCUS = """((e) => e.getAttribute('aria-label') || e.id || e.innerText)(document.activeElement)"""
# What does not fit the window, and what a finger would miss.
FITS = """({
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    low: [...document.querySelectorAll('button:not([hidden]), input')]
        .map((e) => e.getBoundingClientRect()).filter((r) => r.height < 24 || r.width < 24).length,
})"""
STORED = "Object.keys(localStorage).length"


def linked(count=1):
    """An expression: the page has asked whether what arrived can be fetched, and it can."""
    return f"document.querySelectorAll('#list li a').length === {count}"


def hook(name):
    """An expression: what a hook of the double returns."""
    return f"fetch('/{name}').then((answer) => answer.json())"


def all_are(state, n=1):
    rows = "[...document.querySelectorAll('#list li')]"
    return f"{rows}.length === {n} && {rows}.every((e) => e.className === '{state}')"


@pytest.fixture
def double(top):
    server = Double(top)
    yield server
    server.close()


@pytest.fixture
def act(in_browser):
    """act(page options, *steps): the values of the steps "evaluate"; see browser/act.js. What the
    policy forbade fails the test, but for as many as `breaks` says."""
    def go(page, *steps, breaks=0):
        steps = [[step, str(in_browser.pictures / f"{rest[0]}.png")] if step == "shot" else
                 [step, *rest] for step, *rest in steps]
        seen = in_browser("act.js", input=json.dumps({"page": page, "steps": steps}))
        # Chromium itself complains about each status and each lost connection, and about no more.
        odd = [text for text in seen["console"] if not text.startswith("Failed to load resource")]
        assert len(odd) == breaks, odd
        return [result for (step, *_), result in zip(steps, seen["results"])
                if step == "evaluate"]
    return go


@pytest.fixture
def make(tmp_path):
    """make(name, size): a file of random bytes, and its path."""
    folder = tmp_path / "mine"
    folder.mkdir()

    def go(name, size):
        (folder / name).write_bytes(random.Random(name).randbytes(size))
        return str(folder / name)
    return go


def is_there(double, path):
    """It arrived under its name, with its bytes."""
    name = os.path.basename(path)
    with open(path, "rb") as f:
        return hashlib.sha256(double.files[name]).digest() == hashlib.sha256(f.read()).digest()


# --- files arrive ---

@pytest.mark.seconds(60)
def test_several_files_arrive_whole_and_are_linked(double, act, make):
    paths = [make("one.bin", 3 * MB + 1), make("na\u00efve \u65e5\u672c.txt", 1000),
             make("50% & more?#.txt", 65536), make("empty.txt", 0), make("two.bin", MB)]
    rows, text, said, stored = act(
        DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", *paths]),
        ("until", all_are("done", 5)), ("until", linked(5)), ("shot", "upload-done"),
        ("evaluate", ROWS),
        ("evaluate", SUM), ("until", f"{SAID}.includes('5 of 5')"), ("evaluate", SAID),
        ("evaluate", STORED))
    assert all(is_there(double, path) for path in paths)
    assert [row["name"] for row in rows] == [os.path.basename(path) for path in paths]
    assert all(row["link"].startswith(double.url + "/drop/") for row in rows)
    assert "%E6%97%A5" in rows[1]["link"]
    assert rows[2]["link"].endswith("/50%25%20%26%20more%3F%23.txt")
    assert rows[0]["text"] == "Arrived, 3.1 MB" and rows[1]["text"] == "Arrived, 1.0 kB"
    assert text == "5 of 5 files arrived" and stored == 0
    assert "one.bin has arrived." in said
    texts = [u for u in double.uploads.values() if u.name.endswith(".txt")]
    assert {u.filetype for u in texts} == {"text/plain"}


@pytest.mark.seconds(60)
def test_three_are_sent_at_once_and_the_others_wait(double, act, make):
    double.gate.clear()
    paths = [make(f"{n}.bin", 2 * MB) for n in range(5)]
    states = "[...document.querySelectorAll('#list li')].map((e) => e.className)"
    results = act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", *paths]),
                  ("until", hook("at-once") + ".then((n) => n === 3)"), ("evaluate", states),
                  ("evaluate", hook("go")), ("until", all_are("done", 5)))
    assert results[0] == ["running"] * 3 + ["waiting"] * 2
    assert all(is_there(double, path) for path in paths)
    assert double.at_once_max == 3


@pytest.mark.parametrize("link, location", [
    ("Location", "http://another.example/drop/{}"), (None, "{}"),
    ("Content-Location", "../drop/{}")])
def test_the_addresses_that_the_server_gives_are_taken_in_our_own_origin(double, act, make, link,
                                                                         location):
    double.link, double.location = link, location
    path = make("a.txt", 1000)
    rows = act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
               ("until", all_are("done")), ("until", linked(1 if link else 0)),
               ("evaluate", ROWS))[0]
    assert is_there(double, path)
    assert rows[0]["link"] == (double.url + "/drop/a.txt" if link else None)


def test_dropped_files_and_those_of_a_folder_arrive(double, act, make, tmp_path):
    folder = tmp_path / "holiday"
    (folder / "day 2").mkdir(parents=True)
    for name in ["a.txt", ".hidden", "day 2/b.txt"]:
        (folder / name).write_text(name)
    path = make("alone.txt", 1000)
    note = act(DESKTOP, ("open", double.url + "/drop/"), ("drop", [path, str(folder)]),
               ("until", all_are("done", 3)), ("shot", "upload-folder"),
               ("evaluate", "document.querySelector('#note').innerText"))[0]
    assert set(double.files) == {"alone.txt", "a.txt", "b.txt"} and is_there(double, path)
    assert note.startswith("2 files of the folder holiday")


# --- what breaks goes on ---

@pytest.mark.seconds(60)
@pytest.mark.parametrize("keep_alive", [True, False])
def test_connections_that_break_anywhere_cost_no_byte_twice(double, act, make, keep_alive):
    rng = random.Random(os.environ.get("SEED", "7"))
    double.cuts, double.keep_alive = [rng.randrange(2 * MB) for _ in range(4)] + [0], keep_alive
    path = make("film.bin", 9 * MB)
    act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", all_are("done")))
    assert is_there(double, path) and double.cuts == []
    bodies = double.received("film.bin")
    assert len(bodies) == 6 and sum(n for _, n in bodies) == 9 * MB
    assert [at for at, _ in bodies] == [sum(n for _, n in bodies[:i]) for i in range(6)]
    assert double.methods().count("POST") == 1
    # On a kept connection the browser itself repeats a request that got no answer.
    assert ("PATCH", "refused") not in double.log or keep_alive


# How long the page waits for a sign of life, with a little more, and well under half of it.
LONG, SHORT = 121_000, 50_000


def progress_until(condition):
    """An expression: waits until `now`, read after `before` and a second later, is as it says."""
    return f"""(async () => {{
        const bar = document.querySelector('progress');
        for (let before = bar.value, now; ; before = now) {{
            await new Promise((go) => setTimeout(go, 1000));
            now = bar.value;
            if ({condition})
                return now;
        }}
    }})()"""


@pytest.mark.seconds(60)
def test_a_network_that_is_gone_without_a_word_is_noticed(double, act, make):
    double.holes = [8 * MB]
    path = make("film.bin", 48 * MB)  # more than what lies in the buffers between
    _, before, stalled = act(
        DESKTOP, ("clock",), ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", hook("hanging")), ("evaluate", progress_until("now && now === before")),
        ("pass", SHORT), ("evaluate", ROWS), ("pass", LONG), ("until", all_are("broken")),
        ("evaluate", ROWS), ("pass", 2000),
        ("until", all_are("done")))
    assert before[0]["state"] == "running" and 0 < before[0]["progress"] < 1
    assert before[0]["text"].endswith("%% of %.1f MB, 0 B/s" % (48 * MB / 1e6))
    assert stalled[0]["text"].startswith("The connection is lost at ")
    assert is_there(double, path)
    assert double.received("film.bin") == [(0, 8 * MB), (8 * MB, 40 * MB)]


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH"])
def test_an_answer_that_never_comes_is_not_waited_for(double, act, make, method):
    double.cuts, double.keep_alive = [MB] if method == "HEAD" else [], False
    double.answers = [(method, None)]
    path = make("film.bin", 2 * MB)
    act(DESKTOP, ("clock",), ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", hook("hanging")), ("pass", LONG), ("until", all_are("broken")),
        ("pass", 5000), ("until", all_are("done")))
    assert is_there(double, path) and double.answers == []


@pytest.mark.seconds(60)
def test_a_slow_network_is_left_alone_while_bytes_move(double, act, make):
    double.pace = 4 * MB
    steps = [("evaluate", progress_until("now > before")), ("pass", SHORT)] * 4
    *_, rows = act(DESKTOP, ("clock",), ("open", double.url + "/drop/"),
                   ("files", ["#file", make("film.bin", 100 * MB)]), *steps,
                   ("evaluate", progress_until("now > before")), ("evaluate", ROWS))
    assert rows[0]["state"] == "running"
    assert double.methods() == ["POST", "PATCH"]


def test_a_status_that_passes_is_tried_again(double, act, make):
    double.answers = [("POST", 500), ("PATCH", 503), ("HEAD", 502), ("PATCH", 409)]
    path = make("a.bin", MB)
    act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", all_are("done")))
    assert is_there(double, path) and double.answers == []


@pytest.mark.parametrize("wake", [
    ("evaluate", "dispatchEvent(new Event('online'))"), ("push", "li button")],
    ids=["online", "button"])
def test_a_wait_ends_when_the_connection_is_back_or_the_user_says_so(double, act, make, wake):
    double.answers = [("PATCH", 503, {"Retry-After": "300"})]
    path = make("a.bin", MB)
    text = act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
               ("until", all_are("broken")), ("evaluate", ROWS), ("shot", "upload-broken"), wake,
               ("until", all_are("done")))[0][0]["text"]
    assert text == "The server is not ready (503) at 0 %; trying again in 5 min"
    assert is_there(double, path)


@pytest.mark.seconds(60)
def test_pause_stops_and_resume_goes_on_from_there(double, act, make):
    double.holes = [8 * MB]
    path = make("a film with a rather long name, as they come from cameras.bin", 48 * MB)
    second = ("evaluate", "new Promise((go) => setTimeout(go, 1000))")
    before, _, after = act(
        DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", "/left$/.test(document.querySelector('.state').innerText)"),
        ("shot", "upload-progress"), ("push", "text=Pause"), ("evaluate", ROWS), second,
        ("evaluate", ROWS), ("shot", "upload-paused"), ("push", "text=Resume"),
        ("until", all_are("done")))
    assert before == after and before[0]["state"] == "paused"
    assert before[0]["text"].startswith("Paused at ") and 0 < before[0]["progress"] < 1
    assert is_there(double, path)
    bodies = double.received(os.path.basename(path))
    assert bodies == [(0, 8 * MB), (8 * MB, 40 * MB)]


@pytest.mark.seconds(60)
def test_a_file_chosen_again_after_the_page_was_closed_goes_on_where_it_was(double, act, make):
    double.cuts, double.answers = [5 * MB], [("HEAD", 503, {"Retry-After": "300"})]
    path, other = make("film.bin", 8 * MB), make("other.bin", 1000)
    past, done, stored = act(
        DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", "document.querySelector('.state')?.innerText.includes('503')"),
        ("reload",), ("evaluate", ROWS), ("shot", "upload-past"),
        ("files", ["#file", other, path]), ("until", all_are("done", 2)), ("evaluate", ROWS),
        ("evaluate", STORED))
    assert [row["state"] for row in past] == ["past"] and past[0]["name"] == "film.bin"
    assert past[0]["buttons"] == ["Choose film.bin", "Discard film.bin"]
    assert [row["name"] for row in done] == ["other.bin", "film.bin"] and stored == 0
    assert is_there(double, path) and is_there(double, other)
    assert double.received("film.bin") == [(0, 5 * MB), (5 * MB, 3 * MB)]
    assert double.methods().count("POST") == 2


def test_an_upload_that_the_server_forgot_starts_over(double, act, make):
    double.cuts, double.answers, double.keep_alive = [MB], [("HEAD", 410)], False
    path = make("film.bin", 32 * MB)  # more than what lies in the buffers between
    act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", all_are("done")))
    assert is_there(double, path)
    assert double.received("film.bin") == [(0, MB), (0, 32 * MB)]


@pytest.mark.parametrize("status, state", [(200, "done"), (404, "failed")],
                         ids=["the server knows it", "the server forgot it"])
def test_when_the_last_answer_is_lost_nothing_is_sent_twice_unasked(double, act, make, status,
                                                                    state):
    double.lose_last = True
    double.answers = [("HEAD", 404)] if status == 404 else []
    path = make("film.bin", MB)
    rows = act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
               ("until", all_are(state)), ("until", linked(1 if state == "done" else 0)),
               ("evaluate", ROWS))[0]
    assert double.received("film.bin") == [(0, MB)] and double.methods().count("POST") == 1
    assert ("may have arrived" in rows[0]["text"]) == (status == 404)
    assert bool(rows[0]["link"]) == (status == 200)


def test_what_was_begun_can_be_discarded(double, act, make):
    double.cuts, double.answers = [MB], [("HEAD", 503, {"Retry-After": "300"})] * 2
    stored = act(DESKTOP, ("open", double.url + "/drop/"),
                 ("files", ["#file", make("a.bin", 2 * MB)]),
                 ("until", "document.querySelector('.state')?.innerText.includes('503')"),
                 ("reload",), ("push", "text=Discard"), ("until", "list.hidden"),
                 ("until", hook("uploads") + ".then((n) => n === 0)"), ("evaluate", STORED))[0]
    assert stored == 0 and double.uploads == {} and double.log[-1] == ("DELETE", "a.bin")


def test_cancel_ends_the_upload_on_the_server_too(double, act, make):
    double.holes = [MB]
    act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", make("a.bin", 8 * MB)]),
        ("until", "document.querySelector('progress')?.value"), ("push", "text=Cancel"),
        ("until", "list.hidden"), ("until", hook("uploads") + ".then((n) => n === 0)"))
    assert double.files == {} and double.log[-1] == ("DELETE", "a.bin")


# --- what the server refuses is said ---

@pytest.mark.seconds(60)
@pytest.mark.parametrize("look", [DESKTOP, {**PHONE, "colorScheme": "dark"}],
                         ids=["desktop", "phone, dark"])
def test_refusals_are_told_in_words(double, act, make, look):
    problem = {"Content-Type": "application/problem+json; charset=utf-8"}
    double.answers = [("POST", 409), ("POST", 413, {"Tus-Max-Size": "2000000"}),
                      ("POST", 507, {"Content-Type": "text/html"}, b"<b>no</b>"),
                      ("POST", 422, problem, b'{"title": "Bad", "detail": "No <i>films</i>."}'),
                      ("POST", 403), ("POST", 418)]
    names = ["there.txt", "large.txt", "full.txt", "film.txt", "mine.txt", "odd.txt"]
    steps = []
    for name in names:
        n = len(steps) // 2 + 1
        steps += [("files", ["#file", make(name, 1000)]), ("until", all_are("failed", n))]
    rows, said, fits = act(look, ("open", double.url + "/drop/"), *steps, ("evaluate", ROWS),
                           ("until", f"{SAID}.includes('6 refused')"), ("evaluate", SAID),
                           ("shot", f"upload-refused-{look['viewport']['width']}"),
                           ("evaluate", FITS))
    text = {row["name"]: row["text"] for row in rows}
    assert "there already" in text["there.txt"] and "no room" in text["full.txt"]
    assert text["large.txt"] == "The file is larger than the server takes. It takes 2.0 MB at most."
    assert text["film.txt"].endswith("(No <i>films</i>.)") and "(418)" in text["odd.txt"]
    assert text["mine.txt"] == "You may not upload here."
    assert "0 of 6 files arrived, 6 refused" in said
    assert rows[0]["buttons"] == ["Try again there.txt", "Remove there.txt"]
    assert fits == {"wide": False, "low": 0}


def test_a_refused_file_can_be_tried_again(double, act, make):
    double.answers = [("POST", 507)]
    path = make("a.txt", 1000)
    act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
        ("until", all_are("failed")), ("push", "text=Try again"), ("until", all_are("done")))
    assert is_there(double, path)


@pytest.mark.parametrize("change", [lambda path: os.truncate(path, 500), os.unlink,
                                    lambda path: os.truncate(path, 1500)],
                         ids=["shorter", "gone", "longer"])
def test_a_file_that_changed_meanwhile_is_not_tried_for_ever(double, act, make, change):
    path = make("a.txt", 1000)
    double.answers = [("POST", 503, {"Retry-After": "300"})]
    double.hooks["/change"] = lambda: change(path)
    _, rows = act(DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", path]),
                  ("until", all_are("broken")), ("evaluate", hook("change")),
                  ("push", "text=Try now"), ("until", all_are("failed")), ("evaluate", ROWS))
    assert "choose it again" in rows[0]["text"]


# --- who cannot use script, mouse or large windows ---

@pytest.mark.seconds(60)
@pytest.mark.parametrize("how", ["by mouse", "by keys"])
def test_without_script_the_form_is_posted(double, act, make, how):
    paths = [make("one.txt", 1000), make("two.txt", 2000)]
    if how == "by mouse":
        send = [("files", ["#file", *paths]), ("shot", "upload-plain"), ("click", "button")]
    else:
        send = [("press", "Tab"), ("files", ["input:focus", *paths]), ("press", "Tab"),
                ("click", "button:focus")]
    act({**DESKTOP, "javaScriptEnabled": False}, ("open", double.url + "/drop/"), *send,
        ("shot", "upload-plain-done"))
    assert double.log == [("form", "file", "one.txt"), ("form", "file", "two.txt")]
    assert all(is_there(double, path) for path in paths)


@pytest.mark.seconds(60)
def test_all_of_it_works_by_keys_alone(double, act, make):
    double.gate.clear()
    paths = [make("one.bin", 8 * MB), make("two.bin", 8 * MB)]
    focus = ("evaluate", FOCUS)
    seen = act(DESKTOP, ("open", double.url + "/drop/"), ("press", "Tab"), focus,
               ("shot", "upload-focus"), ("pick", ["Enter", *paths]),
               ("until", all_are("running", 2)), ("press", "Tab"), focus, ("press", "Space"), focus,
               ("press", "Enter"), focus, ("press", "Tab"), ("press", "Tab"), ("press", "Tab"),
               focus, ("press", "Enter"), focus, ("evaluate", hook("go")),
               ("until", all_are("done")), focus,
               ("press", "Shift+Tab"), focus, ("press", "Tab"), ("press", "Enter"), focus)
    assert seen == ["file", "Pause one.bin", "Resume one.bin", "Pause one.bin", "Cancel two.bin",
                    "Cancel one.bin", None, "Clear one.bin", "one.bin", "file"]
    assert is_there(double, paths[0]) and list(double.files) == ["one.bin"]


@pytest.mark.seconds(60)
@pytest.mark.parametrize("look, name", [
    (PHONE, "phone"), ({**PHONE, "colorScheme": "dark"}, "phone-dark"),
    (DESKTOP, "desktop"), ({**DESKTOP, "colorScheme": "dark"}, "desktop-dark"),
    ({"viewport": {"width": 320, "height": 640}, "deviceScaleFactor": 2}, "zoomed")],
    ids=lambda v: v if isinstance(v, str) else "")
def test_the_page_fits_and_looks_as_meant(double, act, make, look, name):
    double.pace = 2 * MB
    long = "a-name-without-any-place-where-it-could-be-broken-" + "x" * 80 + ".bin"
    paths = [make("Report 2026.pdf", 30 * MB), make("note.txt", 10)]
    zoom = "document.documentElement.style.fontSize = '200%'" if name == "zoomed" else "0"
    double.answers = [("POST", 409)]
    results = act(look, ("open", double.url + "/drop/"), ("evaluate", zoom),
                  ("shot", f"upload-{name}"), ("evaluate", FITS),
                  ("files", ["#file", make(long, 1000)]), ("until", all_are("failed")),
                  ("files", ["#file", *paths]),
                  ("until", "/ left$/m.test(list.innerText)"),
                  ("shot", f"upload-{name}-busy"), ("evaluate", FITS))
    assert results[1:] == [{"wide": False, "low": 0}] * 2


# --- names run nothing ---

def test_hostile_names_are_shown_and_run_nothing(double, act, make):
    names = ["<img src=x onerror=alert(1)>.txt", "\"><script>alert(2)<", "javascript:alert(3)",
             "\u202egnp.txt"]
    double.answers = [("POST", 409)]
    paths = [make(name, 100) for name in names]
    rows, title, found = act(
        DESKTOP, ("open", double.url + "/drop/"), ("files", ["#file", *paths]),
        ("until", "document.querySelectorAll('.done, .failed').length === 4"), ("evaluate", ROWS),
        ("shot", "upload-hostile"), ("evaluate", "document.title"),
        ("evaluate", "document.querySelectorAll('img, li script').length"))
    assert [row["name"] for row in rows] == names and found == 0
    assert title == "Upload to /drop/"


def test_the_policy_forbids_what_a_page_without_care_would_run(double, act):
    add = """(() => {
        const e = document.createElement('script');
        try { e.text = 'document.title = "run"'; } catch { return 'refused'; }
    })()"""
    style = """document.body.append(
        Object.assign(document.createElement('style'), { textContent: 'p {}' }))"""
    result = act(DESKTOP, ("open", double.url + "/drop/"), ("evaluate", add), ("evaluate", style),
                 breaks=2)
    assert result[0] == "refused"
