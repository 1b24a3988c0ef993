"""What the page says about states that real programs are rarely in: documents are given to it as the server would."""

import json
import os
import re
import time

import pytest
from playwright.sync_api import expect

from cluster import await_that, call


def phase(job_type, **members):
    return {"job_type": job_type, "waiting": 0, "delayed": 0, "running": 0, "dead": 0, "workers": 1, "slots": 2, "paused": False} | members


def pipeline(*phases, workers=(), **members):
    return {"address": "tcp://a:1", "state": "connected", "pipeline": "orders", "coordinator": "c", "paused": False, "succeeded": 0,
            "cancelled": 0, "malformed_messages": 0, "store": {"address": "memory:", "state": "open"},
            "phases": {str(position): each for position, each in enumerate(phases)},
            "workers": {worker["id"]: worker for worker in workers}} | members


def worker(id, job_type, **members):
    return {"id": id, "host": "host-a", "pid": 1, "job_type": job_type, "concurrency": 2, "in_flight": 0, "succeeded": 0, "failed": 0,
            "state": "serving", "plugin": "abc", "plugin_file": "libA.so", "heartbeat_age_s": 0} | members


JOB = {"id": "a", "state": "running", "phase": 0, "job_type": "transcode", "priority": 0, "failures": 0, "crashes": 0, "enqueued_at_ms": 1,
       "updated_at_ms": 1, "worker": "host-a-1", "progress": 0.46, "progress_note": "frame 1104 of 2400", "attempts": [], "changes": [], "instructions": {}}
HISTORY = {"step_minutes": 1, "steps": []}


def fulfilling(answer):
    return lambda route: route.fulfill(**answer(route.request))


@pytest.fixture
def shown(shared, browser):
    """A page that is told the document, and answers to requests: (pattern, function of the request)."""
    contexts = []

    def one(document, place="", answers=(), **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        data = json.dumps({"pipelines": document, "plugins": {}})
        page.route("**/api/v1/events", lambda route: route.fulfill(
            content_type="text/event-stream", body=f"retry: 1000000\n\nevent: snapshot\nid: 1\ndata: {data}\n\n"))
        page.route("**/metrics?**", lambda route: route.fulfill(json=HISTORY))
        for pattern, answer in answers:
            page.route(re.compile(pattern), fulfilling(answer))
        page.goto(f"{shared.url}/{place}")
        return page

    yield one
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920, 3840])
def test_numbers_stay_whole(shown, width):
    many = phase("load-row", waiting=933_117, running=1_234_567, delayed=10_000_000, dead=557_000)
    page = shown({"orders": pipeline(many, many, many, many, succeeded=123_456_789)}, viewport={"width": width, "height": 900})
    expect(page.locator(".counts dd").first).to_have_text("933,117")
    broken = page.evaluate("""() => {
        const broken = [], walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            for (const found of node.data.matchAll(/[\\d,]+/g)) {
                const range = document.createRange();
                range.setStart(node, found.index);
                range.setEnd(node, found.index + found[0].length);
                if (new Set([...range.getClientRects()].map(rect => Math.round(rect.top))).size > 1) broken.push(found[0]);
            }
        }
        return broken;
    }""")
    assert broken == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.querySelectorAll('.counts')].every(list => list.scrollWidth <= list.clientWidth)")


def test_a_phase_that_stands_still_says_why(shown):
    stopped = phase("render", waiting=9_586, slots=0, note="quarantined: build f4725f crashed on 4 jobs")
    alone = phase("archive", waiting=3, workers=0, slots=0)
    workers = [worker("w1", "render", state="impaired", reason="its plugin is quarantined"), worker("w2", "render", state="unreachable", reason="cannot be reached")]
    page = shown({"orders": pipeline(stopped, alone, workers=workers)})
    card = page.locator("li.phase", has_text="render")
    expect(card).to_contain_text("quarantined: build f4725f crashed on 4 jobs; 9,586 jobs wait")
    expect(card).to_contain_text("1 worker is impaired: its plugin is quarantined")
    expect(card).to_contain_text("1 worker is unreachable: cannot be reached")
    expect(card).to_contain_text("0 slots")
    expect(page.locator("li.phase", has_text="archive")).to_contain_text("nobody serves it")
    page.get_by_role("link", name="Workers").click()
    expect(page.locator("tr", has_text="impaired")).to_contain_text("its plugin is quarantined")


def test_what_a_lost_coordinator_said_is_not_shown_as_news(shown):
    lost = pipeline(phase("render", bottleneck=True), workers=[worker("w1", "render")], state="unreachable", problem="no answer", as_of_ms=1_700_000_000_000)
    page = shown({"orders": lost})
    expect(page.locator("section.stale")).to_contain_text("as of 2023-11-14 22:13:20 UTC")
    expect(page.get_by_text("bottleneck")).to_have_count(0)
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    page.get_by_role("link", name="Workers").click()
    row = page.locator("tr.stale")
    expect(row).to_contain_text("was serving")
    expect(row).to_contain_text("as of 22:13:20")
    expect(page.get_by_role("button", name="Drain")).to_have_count(0)


def test_a_coordinator_that_is_killed_takes_the_word_live_along(make, tab):
    cluster = make(workers=["generate-file"], web=())
    _, url = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("it knows the worker", lambda: call(f"{url}/api/v1/pipelines").json.get("example-one", {}).get("workers"))
    page = tab(f"{url}/#/workers", expects_complaints=True)
    expect(page.locator("#connection")).to_have_text("Live")
    cluster.coordinator.kill()
    expect(page.locator("#connection")).to_have_text("1 of 1 coordinator unreachable", timeout=60_000)
    expect(page.locator("tr.stale")).to_contain_text("as of")
    expect(page.get_by_role("button", name="Drain")).to_have_count(0)


def test_words_do_not_run_together(shown):
    page = shown({"orders": pipeline(phase("transcode"))}, "#/job/orders/a", [("jobs/a$", lambda _: {"json": JOB})])
    place = page.get_by_role("region", name="State")
    expect(place).to_contain_text("transcode at host-a-1")
    gap = place.locator("progress + span").evaluate("span => span.nextElementSibling.getBoundingClientRect().left - span.getBoundingClientRect().right")
    assert gap > 3


def test_an_empty_page_is_not_the_end(shown):
    """One look goes through so many jobs whether they match or not."""
    listed = {key: value for key, value in JOB.items() if key != "changes"}
    pages = {None: {"jobs": [], "next": "1"}, "1": {"jobs": [], "next": "2"}, "2": {"jobs": [listed], "next": None}}

    def answer(request):
        cursor = re.search(r"cursor=([^&]*)", request.url)
        return {"json": pages[cursor and cursor.group(1)]}

    page = shown({"orders": pipeline(phase("transcode"))}, "#/jobs?state=running", [(r"/jobs\?", answer)])
    expect(page.get_by_role("link", name="a", exact=True)).to_be_visible()
    expect(page.get_by_text("No job is like that.")).to_have_count(0)


def test_a_search_that_finds_nothing_for_long_says_how_far_it_went(shown):
    asked = []

    def answer(request):
        asked.append(request.url)
        return {"json": {"jobs": [], "next": f"c{len(asked)}", "examined": 10_000}}

    page = shown({"orders": pipeline(phase("transcode"))}, "#/jobs?error=none", [(r"/jobs\?", answer)])
    expect(page.get_by_text(re.compile(r"Looked at [\d,]+ jobs: no job is like that so far"))).to_be_visible(timeout=60_000)
    count = len(asked)
    assert 1 < count <= 40
    href = page.get_by_role("link", name="Go on").get_attribute("href")
    assert "cursor=c" in href and "error=none" in href
    with page.expect_request(lambda request: f"cursor=c{count}" in request.url):
        page.get_by_role("link", name="Go on").click()


RUNNING = {"action": "7", "verb": "requeue", "state": "running", "changed": 3_000, "examined": 52_000}


def test_an_action_in_the_background_is_seen_and_stopped(shown):
    asked = []

    def acted(request):
        asked.append((request.method, request.url.split("/api/v1/")[1], request.post_data))
        return {"json": RUNNING, "status": 202 if request.method == "POST" else 200}

    document = {"orders": pipeline(phase("transcode", dead=50_000), actions={"7": RUNNING})}
    counted = lambda _: {"json": RUNNING | {"action": "8", "verb": "count", "changed": 50_000, "state": "running"}, "status": 202}
    done = lambda _: {"json": RUNNING | {"action": "8", "verb": "count", "changed": 50_000, "state": "done"}}
    page = shown(document, "#/jobs?state=dead", [
        (r"/jobs\?", lambda _: {"json": {"jobs": [], "next": None}}), ("/actions", acted), ("/job-count", counted), ("/actions/8", done)])
    page.get_by_role("button", name="Requeue all…").click()
    page.get_by_role("dialog").get_by_role("button", name="Requeue 50,000").click()
    expect(page.get_by_text("Requeueing goes on in the background")).to_be_visible()
    assert asked[0][:2] == ("POST", "pipelines/orders/actions")
    assert json.loads(asked[0][2]) == {"verb": "requeue", "filter": {"state": "dead"}}
    page.reload()
    line = page.locator(".action")
    expect(line).to_contain_text("3,000 jobs done, 52,000 looked at")
    expect(line.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("link", name="Pipelines").click()
    line.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped after 3,000 jobs.")).to_be_visible()
    assert asked[-1][:2] == ("DELETE", "pipelines/orders/actions/7")


def test_errors_of_a_dialog_are_in_it_and_name_the_field(shown):
    detail = "'priority' must be a number from -8 to 7, not '9'"
    refusal = lambda _: {"status": 400, "json": {"status": 400, "detail": detail}, "content_type": "application/problem+json"}
    page = shown({"orders": pipeline(phase("transcode"))}, "", [(r"/jobs\?", refusal)])
    page.get_by_role("button", name="Enqueue…").click()
    dialog = page.get_by_role("dialog")
    text = dialog.get_by_label("Instructions")
    text.fill('{"size": ')
    dialog.get_by_role("button", name="Enqueue").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The instructions are not JSON")
    expect(text).to_be_focused()
    text.fill("[1]")
    dialog.get_by_role("button", name="Enqueue").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not an object")
    text.fill("{}")
    dialog.get_by_role("button", name="Enqueue").click()
    expect(dialog.get_by_role("alert")).to_have_text(detail)
    expect(dialog.get_by_label("Priority")).to_be_focused()
    assert page.locator("#notes .note").count() == 0


def test_no_coordinator_yet(make, tab):
    cluster = make(workers=[], web=())
    web = cluster.start("web", "--pipeline", "tcp://127.0.0.1:1", "--bind", "127.0.0.1:0")
    url = cluster.line(web, r"^web (\S+)")
    for place in ["#/jobs", "#/"]:
        page = tab(f"{url}/{place}")
        expect(page.locator("main")).to_contain_text("tcp://127.0.0.1:1")
    expect(tab(f"{url}/#/jobs").locator("main")).to_contain_text("No coordinator has answered yet")


def test_a_plugin_that_is_quarantined_again_says_so(make, tab):
    cluster = make(workers=["generate-file"])
    digest = next(plugin["sha256"] for file, plugin in call(f"{cluster.url}/api/v1/plugins").json.items() if "HashFile" in file)
    os.makedirs(f"{cluster.folder}/state/quarantine", exist_ok=True)

    def quarantine(since):
        with open(f"{cluster.folder}/state/quarantine/{digest}-calculate-hash.json", "w") as file:
            json.dump({"sha256": digest, "jobType": "calculate-hash", "file": "libHashFile.so", "since": since, "history": {"crashes": [], "pardoned": {}}}, file)

    quarantine(1_700_000_000_000)
    page = tab(f"{cluster.url}/#/plugins")
    card = page.locator("section", has_text="libHashFile.so")
    expect(card).to_contain_text("In quarantine since 2023-11-14 22:13:20 UTC")
    card.get_by_role("button", name="Release").click()
    expect(card).not_to_contain_text("quarantine")
    quarantine(int(time.time() * 1_000) + 60_000)
    expect(card).to_contain_text("and in quarantine again since")


def test_ids_that_browsers_take_for_folders(make, tab):
    cluster = make(workers=[])
    for id in ["..", ".", "a/../b", "count"]:
        assert cluster.enqueue({"size": 1}, "?id=" + id.replace("/", "%2F")) == id
    page = tab(f"{cluster.url}/#/jobs")
    for id in ["..", ".", "a/../b", "count"]:
        page.get_by_role("link", name=id, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Job {id}")
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("region", name="State")).to_contain_text("cancelled")
        page.get_by_role("link", name="Jobs").click()
