"""What people see and do, in a real browser, with real coordinators and workers."""

import os
import signal
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cluster import await_that, call

HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


def enqueue(page, size):
    page.get_by_role("button", name="Enqueue…").click()
    page.get_by_label("size").fill(str(size))
    page.get_by_role("button", name="Enqueue", exact=True).click()


def test_an_enqueued_job_is_seen_moving_through_its_phases(make, tab):
    cluster = make(workers=["generate-file"])
    page = tab(cluster.url)
    page.evaluate("window.notReloaded = true")
    enqueue(page, 10)
    expect(page.get_by_role("heading", name="Job")).to_be_visible()
    state = page.get_by_role("region", name="State")
    expect(state).to_contain_text("phase 2: calculate-hash")
    page.get_by_role("link", name="Pipelines").click()
    hashing = page.locator("li.phase", has_text="calculate-hash")
    expect(hashing).to_contain_text("nobody serves it")
    cluster.add_worker("calculate-hash")
    deleting = page.locator("li.phase", has_text="delete-file")
    expect(deleting.locator("dt:has-text('queued') + dd")).to_have_text("1")
    expect(hashing.locator("dt:has-text('queued') + dd")).to_have_text("0")
    cluster.add_worker("delete-file")
    expect(page.get_by_role("link", name="1 succeeded")).to_be_visible()
    assert page.evaluate("window.notReloaded")


def test_a_killed_worker_is_marked_within_five_seconds(make, tab):
    cluster = make()
    page = tab(f"{cluster.url}/#/workers")
    worker = cluster.workers["calculate-hash"]
    row = page.locator("tr", has_text=str(worker.pid))
    expect(row).to_contain_text("serving")
    os.kill(worker.pid, signal.SIGKILL)
    await_that("it is gone", lambda: worker.poll() is not None)
    page.wait_for_function(
        "pid => ![...document.querySelectorAll('tbody tr')].some(row => row.textContent.includes(pid) && row.textContent.includes('serving'))",
        arg=str(worker.pid), timeout=5_000)


def test_a_dead_job_is_requeued_from_the_page(make, tab):
    cluster = make(workers=["generate-file", "calculate-hash"])
    cluster.api("/pause?phase=calculate-hash", "POST")
    job = cluster.enqueue({"size": 10})
    record = await_that("it waits", lambda: (found := cluster.api(f"/jobs/{job}").json)["phase"] == 1 and found)
    file = next(value for value in record["instructions"].values() if str(value).startswith("/"))
    os.rename(file, file + ".away")
    cluster.api("/resume?phase=calculate-hash", "POST")
    cluster.await_state(job, "dead")
    page = tab(f"{cluster.url}/#/jobs?state=dead")
    page.get_by_role("link", name=job).click()
    expect(page.get_by_role("region", name="Error")).to_be_visible()
    os.rename(file + ".away", file)
    cluster.add_worker("delete-file")
    page.get_by_role("button", name="Requeue").click()
    expect(page.get_by_role("region", name="State")).to_contain_text("succeeded")
    cluster.await_state(job, "succeeded")


def test_pause_and_drain(make, tab):
    cluster = make()
    page = tab(cluster.url)
    first = page.locator("li.phase", has_text="generate-file")
    first.get_by_role("button", name="Pause").click()
    expect(first).to_contain_text("paused")
    first.get_by_role("button", name="Resume").click()
    expect(first).not_to_contain_text("paused")
    page.get_by_role("link", name="Workers").click()
    worker = cluster.workers["delete-file"]
    page.locator("tr", has_text=str(worker.pid)).get_by_role("button", name="Drain").click()
    assert worker.wait(60) == 0
    expect(page.locator("tr", has_text=str(worker.pid))).to_have_count(0)


def test_all_that_match_are_counted_before_they_are_deleted(make, tab):
    cluster = make(workers=["generate-file"])
    dead = [cluster.enqueue({"size": "no number"}) for _ in range(3)]
    kept = cluster.enqueue({"size": 1})
    for job in dead:
        cluster.await_state(job, "dead")
    page = tab(f"{cluster.url}/#/jobs")
    page.get_by_label("State").select_option("dead")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("button", name="Delete all…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete 3").click()
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    assert [cluster.api(f"/jobs/{job}").status for job in dead] == [404] * 3
    assert cluster.api(f"/jobs/{kept}").status == 200


def test_hostile_content_stays_text(make, tab):
    cluster = make(workers=[])
    job = cluster.enqueue({"size": 1, HOSTILE: HOSTILE}, "?id=%3Cb%3E%22%27%26%2F%25")
    assert job == "<b>\"'&/%"
    page = tab(f"{cluster.url}/#/jobs")
    page.get_by_role("link", name=job).click()
    expect(page.get_by_role("region", name="Instructions")).to_contain_text("<script>alert(2)</script>")
    assert page.locator("main img, main script, main b").count() == 0


def test_what_each_phase_made_of_the_instructions(make, tab):
    cluster = make()
    job = cluster.enqueue({"size": 10})
    cluster.await_state(job, "succeeded")
    page = tab(f"{cluster.url}/#/job/example-one/{job}")
    changes = page.get_by_role("region", name="Changes").locator(".change")
    expect(changes).to_have_count(2)
    hashing = changes.filter(has_text="calculate-hash")
    expect(hashing.locator("pre").first).not_to_contain_text("hash")
    expect(hashing.locator("pre").last).to_contain_text('"hash"')


def test_numbers_are_shown_as_they_are_stored(make, tab):
    cluster = make(workers=[])
    answer = cluster.api("/jobs", "POST", b'{"size": 12345678901234567890, "x": 0.10}')
    page = tab(f"{cluster.url}/#/job/example-one/{answer.json['id']}")
    expect(page.get_by_role("region", name="Instructions")).to_contain_text("12345678901234567890")
    expect(page.get_by_role("region", name="Instructions")).to_contain_text("0.10")


def test_a_token_is_asked_for_and_kept(make, tab):
    cluster = make(web=())
    with open(f"{cluster.folder}/token", "w") as file:
        file.write("0123456789abcdef\n")
    _, url = cluster.add_web("--bind", "127.0.0.1:0", "--token-file", "token")
    page = tab(url, expects_complaints=True)
    pause = page.locator("li.phase", has_text="generate-file").get_by_role("button", name="Pause")
    pause.click()
    page.get_by_role("textbox", name="Token").fill("0123456789abcdef")
    page.get_by_role("button", name="Keep").click()
    pause.click()
    expect(page.locator("li.phase", has_text="generate-file")).to_contain_text("paused")


def test_it_connects_again_and_says_so(make, tab):
    cluster = make(web=())
    web, url = cluster.add_web("--bind", "127.0.0.1:0")
    page = tab(url, expects_complaints=True)
    expect(page.locator("#connection")).to_have_text("Live")
    web.send_signal(signal.SIGKILL)
    expect(page.locator("#connection")).to_contain_text("trying again")
    web.wait(60)
    cluster.add_web("--bind", url.removeprefix("http://"))
    expect(page.locator("#connection")).to_have_text("Live")


def test_a_quarantined_plugin_is_shown_and_released(make, tab):
    cluster = make()
    page = tab(f"{cluster.url}/#/plugins")
    card = page.locator("section", has_text="libHashFile.so")
    expect(card).to_contain_text("ok")
    digest = next(iter(plugin["sha256"] for file, plugin in call(f"{cluster.url}/api/v1/plugins").json.items() if "HashFile" in file))
    os.makedirs(f"{cluster.folder}/state/quarantine", exist_ok=True)
    with open(f"{cluster.folder}/state/quarantine/{digest}-calculate-hash.json", "w") as file:
        file.write('{"sha256": "%s", "jobType": "calculate-hash", "file": "libHashFile.so", "since": 1, "history": {"crashes": [], "pardoned": {}}}' % digest)
    expect(card).to_contain_text("quarantined")
    card.get_by_role("button", name="Release").click()
    expect(card).not_to_contain_text("quarantined")


def test_jobs_are_chosen_by_when_they_changed_and_what_was_counted_is_deleted(make, tab):
    cluster = make(workers=[])
    old = [cluster.enqueue({"size": 1}) for _ in range(2)]
    changed = max(cluster.api(f"/jobs/{job}").json["updated_at_ms"] for job in old)
    fresh = await_that("a job of a later millisecond", lambda: (job := cluster.enqueue({"size": 1}))
                       and (cluster.api(f"/jobs/{job}").json["updated_at_ms"] > changed and job or cluster.api(f"/jobs/{job}", "DELETE") and None))
    moment = datetime.fromtimestamp(changed / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    page = tab(f"{cluster.url}/#/jobs", viewport={"width": 360, "height": 740}, expects_complaints=True)
    page.get_by_label("Last change not after").fill(moment)
    page.get_by_role("button", name="Show").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(page.get_by_role("link", name=fresh)).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Delete all…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("All jobs of example-one last changed at " + moment[:19].replace("T", " ") + " UTC or before")
    dialog.get_by_role("button", name="Delete 2").click()
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    assert [cluster.api(f"/jobs/{job}").status for job in [*old, fresh]] == [404, 404, 200]
    page.get_by_label("Last change not after").fill("")
    page.get_by_label("Last change not before").fill("1h")
    page.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(1)
    sent = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.get_by_role("button", name="Cancel all…").click()
    dialog.get_by_role("button", name="Cancel 1").click()
    cluster.await_state(fresh, "cancelled")
    # Not an age, which would mean another time by now.
    assert datetime.fromisoformat(sent[0].post_data_json["filter"]["since"]).timestamp() * 1000 < changed
    page.get_by_label("Last change not before").fill("yesterday")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("'since' must be a time such as")).to_be_visible()


def test_jobs_are_found_by_their_instructions_and_nothing_is_done_by_that(make, tab):
    cluster = make(workers=[])
    jobs = [cluster.enqueue({"size": 1, "name": name}) for name in ["anna", "berta"]]
    page = tab(f"{cluster.url}/#/jobs")
    page.get_by_label("State").select_option("waiting")
    page.get_by_label("Instructions contain").fill("berta")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name=jobs[1])).to_be_visible()
    expect(page.get_by_role("button", name="Delete all…")).to_have_count(0)
    page.get_by_label("Instructions contain").fill("")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("button", name="Delete all…")).to_be_visible()


def test_what_phases_log_is_seen_as_it_comes(make, tab):
    cluster = make(workers=["generate-file"])
    page = tab(f"{cluster.url}/#/logs")
    page.evaluate("window.notReloaded = true")
    expect(page.get_by_text("Nothing like that was logged")).to_be_visible()
    first, second = [cluster.enqueue({"size": "no number", HOSTILE: 1}) for _ in range(2)]
    lines = page.get_by_role("region", name="Lines").locator("li")
    expect(lines.filter(has_text=f"job {first} is dead")).to_have_count(1)
    expect(lines.filter(has_text=f"job {second} is dead")).to_have_count(1)
    page.get_by_label("Job", exact=True).fill(second)
    page.get_by_label("At least").select_option("warning")
    page.get_by_role("button", name="Show").click()
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text(f"job {second} is dead")
    lines.get_by_role("link", name=second).click()
    expect(page.get_by_role("region", name="Error")).to_be_visible()
    assert page.evaluate("window.notReloaded")


def test_lines_are_read_anew_where_the_coordinator_was_started_again(make, tab):
    cluster = make(workers=["generate-file"], web=())
    _, url = cluster.add_web("--bind", "127.0.0.1:0")
    page = tab(f"{url}/#/logs", expects_complaints=True)
    cluster.url = url
    await_that("the page knows the pipeline", lambda: cluster.pipeline().get("state") == "connected")
    before = cluster.enqueue({"size": "no number"})
    lines = page.get_by_role("region", name="Lines").locator("li")
    expect(lines.filter(has_text=f"job {before} is dead")).to_have_count(1)
    cluster.coordinator.send_signal(signal.SIGTERM)
    cluster.coordinator.wait(60)
    cluster.coordinator = cluster.start(
        "pipeline", "plugins/libExample.so", "example-one", "--no-schema-check", f"--sub-bind={cluster.events}",
        f"--job-pull={cluster.intake}", f"--storage=sqlite:{cluster.folder}/jobs.db")
    await_that("the page knows it again", lambda: cluster.pipeline().get("state") == "connected")
    after = await_that("it takes jobs", lambda: (answer := cluster.api("/jobs", "POST", {"size": "no number"})).status == 201 and answer.json["id"])
    expect(lines.filter(has_text=f"job {after} is dead")).to_have_count(1)
    expect(lines.filter(has_text=f"job {before} is dead")).to_have_count(0)


PAGES = ["#/", "#/jobs", "#/jobs?state=dead", "#/logs", "#/workers", "#/plugins", "job"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PAGES)
def test_accessible_and_within_a_small_screen(shared, tab, place, scheme):
    if place == "job":
        job = shared.enqueue({"size": "no number"})
        shared.await_state(job, "dead")
        place = f"#/job/example-one/{job}"
    page = tab(f"{shared.url}/{place}", color_scheme=scheme, viewport={"width": 360, "height": 740})
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_enqueue_dialog_is_accessible(shared, tab):
    page = tab(shared.url)
    page.get_by_role("button", name="Enqueue…").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
