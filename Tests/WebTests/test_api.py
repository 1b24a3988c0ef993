"""The HTTP API, asked by programs."""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster import ROOT, await_that, call

TOKEN = "0123456789abcdef"


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return str(file)


def test_enqueueing_is_idempotent(shared):
    first = shared.api("/jobs", "POST", {"size": 3}, headers={"Idempotency-Key": "order 66"})
    again = shared.api("/jobs", "POST", {"size": 3}, headers={"Idempotency-Key": "order 66"})
    assert (first.status, again.status) == (201, 200)
    assert first.json["id"] == again.json["id"] and again.json["duplicate"]
    shared.await_state(first.json["id"], "succeeded")
    assert first.headers["Location"].endswith(f"/jobs/{first.json['id']}")


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_many_jobs_go_in_at_once_and_each_is_judged_by_itself(make, kind):
    cluster = make(workers=[])
    jobs = ['{"id": "a", "priority": 7}', '{"id": "b", "delay": 3600}', '{"id": "b"}', '{"colour": 1}', '{"instructions": {"n" : 1.0}}']
    body = f"[{','.join(jobs)}]" if kind == "application/json" else "\n".join(jobs[:2]) + "\r\n\n" + "\n".join(jobs[2:])
    answer = cluster.api("/jobs", "POST", body.encode(), headers={"Content-Type": kind, "Idempotency-Key": "order 67"})
    assert answer.status == 200, answer.text
    assert [answer.json[name] for name in ("stored", "duplicates", "refused")] == [3, 1, 1], answer.text
    assert [one["result"] for one in answer.json["results"]] == ["stored", "stored", "duplicate", "refused", "stored"]
    lines = [1, 2, 3, 4, 5] if kind == "application/json" else [1, 2, 4, 5, 6]
    assert [one["line"] for one in answer.json["results"]] == lines
    assert "'colour'" in answer.json["results"][3]["message"]
    again = cluster.api("/jobs", "POST", body.encode(), headers={"Content-Type": kind, "Idempotency-Key": "order 67"})
    assert [again.json[name] for name in ("stored", "duplicates", "refused")] == [0, 4, 1], again.text
    assert '"instructions":{"n" : 1.0}' in cluster.api(f"/jobs/{answer.json['results'][4]['id']}").text
    many = b"{}\n" * 10_001
    assert cluster.api("/jobs", "POST", many, headers={"Content-Type": "application/x-ndjson"}).status == 413
    assert cluster.api("/jobs?id=x", "POST", b"[{}]", headers={"Content-Type": "application/json"}).status == 400
    assert cluster.api("/jobs", "POST", b"[]", headers={"Content-Type": "application/json"}).json["results"] == []


@pytest.mark.parametrize("body, status", [(b"[1]", 400), (b"{", 400), (b"", 400), (b'{"a":' + b" " * (17 << 20) + b"1}", 413)])
def test_bad_instructions_are_refused_in_words(shared, body, status):
    answer = shared.api("/jobs", "POST", body, headers={"Content-Type": "application/json"})
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["detail"]


@pytest.mark.parametrize("path", ["/jobs/none-such", "/jobs?phase=none", "/jobs?state=odd", "/jobs?limit=0", "/metrics?minutes=x"])
def test_what_is_not_there_is_said(shared, path):
    answer = shared.api(path)
    assert answer.status in (400, 404) and answer.json["detail"]


def test_a_change_of_all_jobs_must_be_meant(make):
    cluster = make(workers=[])
    cluster.enqueue({"size": 1})
    for query in ["", "?phse=x", "?state=waiting&phse=x", "?phase=", "?id_prefix=", "?since=", "?until=soon", "?id=", "?error", "?phase=a&phase=b", "?limit=5"]:
        assert cluster.api(f"/jobs{query}", "DELETE").status == 400, query
    # What a body says would be passed over, and more would be deleted than was meant.
    assert cluster.api("/jobs?state=waiting", "DELETE", {"phase": "delete-file"}).status == 400
    assert cluster.api("/pause", "POST", {"phase": "delete-file"}).status == 400
    for verb in ["cancel", "requeue", "retry", "delete"]:
        for filter in [{}, {"phse": "x"}, {"id_prefix": ""}, {"state": []}, None]:
            assert cluster.api("/actions", "POST", {"verb": verb, "filter": filter}).status == 400
        for query in ["", "?id="]:
            method, tail = ("DELETE", "") if verb == "delete" else ("POST", f"/{verb}")
            assert cluster.api(f"/job{tail}{query}", method).status == 400
    assert cluster.pipeline()["phases"]["0"]["waiting"] == 1 and not cluster.pipeline()["paused"]


@pytest.mark.parametrize("query, name", [
    ("/jobs?delay=100", "delay"), ("/jobs?limit=1&limit=2", "limit"), ("/jobs?phase=", "phase"), ("/job-count?state=", "state"),
    ("/metrics?minutes=60&minute=1", "minute"), ("/metrics?minutes=1&step=1440", "step"), ("/metrics?minutes=9999999999999999999", "minutes"),
    ("?x=1", "x"), ("/jobs/a?full=1", "full"), ("/actions?state=dead", "state"), ("/jobs?cursor=none-such", "cursor")])
def test_a_parameter_that_would_be_passed_over_is_named(shared, query, name):
    answer = shared.api(query)
    assert answer.status == 400 and name in answer.json["detail"], answer.text


def test_every_address_refuses_unknown_parameters(shared):
    document = call(f"{shared.url}/api/v1/openapi.json").json
    others = ["/", "/metrics", "/healthz", "/readyz", "/api/pipelines", "/api/queues", "/api/jobs", "/api/workers/available"]
    for path, methods in list(document["paths"].items()) + [(path, {"get": {}}) for path in others]:
        for method in methods:
            answer = call(f"{shared.url}{path.replace('{pipeline}', 'example-one')}?phse=x", method.upper())
            assert answer.status == 400 and "'phse'" in answer.json["detail"], (method, path, answer.text)


def test_jobs_are_found_by_a_part_of_their_instructions(make):
    cluster = make(workers=[])
    for name in ["one", "two"]:
        cluster.enqueue({"size": 1, "file": f"/in/{name}.wav", "pad": "x" * (5_000 if name == "two" else 1)}, f"?id={name}")
    found = cluster.api("/jobs?containing=%2Fin%2Ftwo").json
    assert [job["id"] for job in found["jobs"]] == ["two"] and found["examined"] == 2, found
    assert cluster.api("/jobs?containing=%2Fin%2F&state=dead").json["jobs"] == []
    assert [job["id"] for job in cluster.api("/jobs?containing=.wav&id_prefix=o").json["jobs"]] == ["one"]
    assert "examined" not in cluster.api("/jobs").json
    for query in ["containing=", "containing=" + "a" * 257, "containing=a&containing=b"]:
        assert cluster.api(f"/jobs?{query}").status == 400, query
    # For looking alone: nobody is to delete by it.
    for method, path in [("DELETE", "/jobs"), ("GET", "/job-count")]:
        assert cluster.api(f"{path}?containing=wav", method).status == 400
    def listed(*words):
        return subprocess.run([f"{ROOT}/bin/carbontube", "jobs", "--address", cluster.intake, *words], capture_output=True, text=True)
    assert listed("--containing", "/in/one", "--count").stdout == "1\n"
    shown = listed("--containing", "/in/one")
    assert shown.returncode == 0 and "one" in shown.stdout and "two" not in shown.stdout, shown
    assert listed("--containing", "").returncode == 64


def test_logs_are_read_on_where_the_last_answer_ended(make):
    cluster = make(workers=["generate-file"])
    first = cluster.enqueue({"size": "no number"})
    cluster.await_state(first, "dead")
    answer = cluster.api(f"/logs?job={first}&phase=generate-file&level=warning&limit=1").json
    (line,) = answer["lines"]
    assert (line["job"], line["phase"], line["level"], line["attempt"]) == (first, "generate-file", "warning", 1), line
    assert answer["dropped"] == 0 and f"job {first} is dead" in line["text"]
    assert cluster.api(f"/logs?after={answer['next']}").json["lines"] == []
    second = cluster.enqueue({"size": "no number"})
    cluster.await_state(second, "dead")
    later = cluster.api(f"/logs?after={answer['next']}&level=warning").json
    assert {line["job"] for line in later["lines"]} == {second} and later["coordinator"] == answer["coordinator"]
    assert cluster.api("/logs?level=error").json["lines"] == []
    assert cluster.api("/logs?after=9223372036854775807").status == 200


@pytest.mark.parametrize("query, status", [
    ("level=loud", 400), ("level=", 400), ("limit=0", 400), ("limit=1001", 400), ("after=-1", 400), ("after=9223372036854775808", 400),
    ("job=a%20b", 400), ("job=a&job=b", 400), ("follow=1", 400), ("phase=none", 404)])
def test_logs_refuse_what_is_none(shared, query, status):
    answer = shared.api(f"/logs?{query}")
    assert answer.status == status and answer.json["detail"], answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_enqueueing_refuses_what_it_does_not_know(shared):
    assert "'delay'" in shared.api("/jobs?delay=100", "POST", {"size": 1}).json["detail"]
    for query in ["?priority=8", "?priority=-9", "?delay_seconds=-1", "?delay_seconds=3155760001", "?id=a&id=b", "?id=" + "a" * 129]:
        assert shared.api(f"/jobs{query}", "POST", {"size": 1}).status == 400, query
    assert shared.api("/jobs?id=a", "POST", {"size": 1}, headers={"Idempotency-Key": "a"}).status == 400
    far = shared.enqueue({"size": 1}, "?delay_seconds=3155760000&id=" + "a" * 128)
    assert shared.api(f"/jobs/{far}").json["state"] == "delayed"
    assert shared.api(f"/jobs/{far}", "DELETE").json == {"deleted": 1}


def test_instructions_that_the_first_phase_does_not_take_are_refused(make):
    cluster = make(workers=[], options=[])
    answer = cluster.api("/jobs", "POST", {"size": -1})
    assert answer.status == 422
    assert answer.json["detail"] == "instructions must be what phase 'generate-file' takes: /size must be at least 0"
    both = cluster.api("/jobs", "POST", [{"instructions": {"size": "x"}}, {"instructions": {"size": 1}}])
    assert both.status == 200 and (both.json["refused"], both.json["stored"]) == (1, 1)
    assert "/size must be an integer" in both.json["results"][0]["message"]
    assert cluster.api("/job-count").json["count"] == 1


def test_a_large_body_that_is_refused_is_answered(shared):
    """Programs send all of it before they look."""
    large = b'{"a":"' + b"x" * (4 << 20) + b'"}'
    for path, method, status in [("/jobs?x=1", "POST", 400), ("/pause", "POST", 400), ("/jobs", "PUT", 405), ("/none", "POST", 404)]:
        assert shared.api(path, method, large).status == status


def test_a_key_with_another_body_is_a_mistake(make):
    cluster = make(workers=[])
    key = {"Idempotency-Key": "order 67"}
    assert cluster.api("/jobs", "POST", {"size": 3}, headers=key).status == 201
    assert cluster.api("/jobs", "POST", {"size": 4}, headers=key).status == 422
    assert cluster.api("/jobs", "POST", {"size": 3}, headers=key).status == 200
    _, another = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("it knows the pipeline", lambda: "example-one" in call(f"{another}/api/v1/pipelines").json)
    jobs = f"{another}/api/v1/pipelines/example-one/jobs"
    assert call(jobs, "POST", {"size": 4}, key).status == 422
    assert call(jobs, "POST", {"size": 3}, key).status == 200


IDS = ["count", "requeue", "retry", "cancel", "actions", "job", "a/b", "%", "%2F", ".", "..", "../..", "a?b", "a#b", "a+b", "a&id=b", "!", '"', "x" * 128]


def test_every_id_is_a_job(make):
    """Those that are words of the API, and those that paths and queries have to have encoded."""
    cluster = make(workers=[])
    for id in IDS:
        encoded = urllib.parse.quote(id, safe="")
        answer = cluster.api(f"/jobs?id={encoded}", "POST", {"size": 1})
        assert answer.status == 201 and answer.json["id"] == id, answer.text
        place = answer.headers["Location"]
        assert call(cluster.url + place).json["id"] == id, place
        assert cluster.api(f"/job?id={encoded}").json["id"] == id
        assert [job["id"] for job in cluster.api(f"/jobs?id={encoded}").json["jobs"]] == [id]
    for number, id in enumerate(IDS):
        encoded = urllib.parse.quote(id, safe="").replace(".", "%2E")
        base = f"/jobs/{encoded}" if number % 2 else "/job"
        query = "" if number % 2 else f"?id={encoded}"
        assert cluster.api(f"{base}/cancel{query}", "POST").json == {"cancelled": 1}
        assert cluster.api(f"{base}/cancel{query}", "POST").status == 409
        assert cluster.api(f"{base}{query}").json["state"] == "cancelled"
        assert cluster.api(f"{base}{query}", "DELETE").json == {"deleted": 1}
        assert cluster.api(f"{base}{query}").status == 404


def test_methods(shared):
    answer = shared.api("/jobs", "HEAD")
    assert answer.status == 200 and answer.text == "" and answer.headers["Content-Type"] == "application/json"
    assert call(f"{shared.url}/", "HEAD").status == 200
    options = shared.api("/jobs", "OPTIONS")
    assert options.status == 204 and options.headers["Allow"] == "POST, GET, HEAD, DELETE, OPTIONS"
    for path, method in [("/jobs", "PUT"), ("/jobs/a", "POST"), ("/jobs/count", "POST"), ("", "DELETE"), ("/pause", "GET"), ("/jobs", "PROPFIND")]:
        answer = shared.api(path, method)
        assert answer.status == 405 and answer.headers["Allow"], (path, method)
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert shared.api("/none", "PUT").status == 404


def test_jobs_come_in_pages(make):
    cluster = make(workers=[])
    ids = [cluster.enqueue({"size": number}) for number in range(7)]
    seen, cursor = [], ""
    while True:
        page = cluster.api(f"/jobs?limit=3{cursor}").json
        seen += [job["id"] for job in page["jobs"]]
        if not page["next"]:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == sorted(ids) and len(seen) == 7
    assert cluster.api("/job-count?state=waiting").json == {"count": 7, "more": False}
    everything = {"verb": "cancel", "filter": {"state": ["waiting"]}}
    assert cluster.api("/actions", "POST", everything).json == {"cancelled": 7}
    assert cluster.api("/job-count?state=cancelled").json["count"] == 7
    # Who names a job means it, whether it is dead or cancelled; one that waits has nothing to be requeued.
    assert cluster.api(f"/jobs/{ids[0]}/requeue", "POST").json == {"requeued": 1}
    assert cluster.api(f"/jobs/{ids[0]}/requeue", "POST").status == 409
    # With a body, with these instructions; where it cannot be, they stay. `retry` is the former name.
    assert cluster.api(f"/jobs/{ids[1]}/retry", "POST", {"size": 99}).json == {"requeued": 1}
    assert cluster.api(f"/jobs/{ids[1]}").json["instructions"] == {"size": 99}
    assert cluster.api(f"/jobs/{ids[1]}/requeue", "POST", {"size": 100}).status == 409
    assert cluster.api(f"/jobs/{ids[2]}/requeue", "POST", [1]).status == 400
    assert cluster.api(f"/jobs/{ids[1]}").json["instructions"] == {"size": 99}
    assert cluster.api(f"/jobs/{ids[2]}").json["state"] == "cancelled"
    assert cluster.api("/job-count?state=cancelled&since=1h").json["count"] == 5
    assert cluster.api("/job-count?state=cancelled&until=1h").json["count"] == 0
    assert cluster.api(f"/jobs/{ids[0]}", "DELETE").json == {"deleted": 1}
    assert cluster.api(f"/jobs/{ids[0]}").status == 404


def test_who_may_change_something(make, token_file):
    cluster = make(web=())
    pause = "/api/v1/pipelines/example-one/pause"

    def tried(url, **headers):
        await_that("it knows the pipeline", lambda: "example-one" in call(f"{url}/api/v1/pipelines").json)
        return call(url + pause, "POST", headers=headers).status

    _, local = cluster.add_web("--bind", "127.0.0.1:0")
    assert tried(local) == 200
    assert tried(local, Origin="http://evil.example") == 403
    assert tried(local, **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert call(f"{local}/healthz", headers={"Host": "evil.example"}).status == 403
    form = {"Content-Type": "text/plain"}
    assert call(f"{local}/api/v1/pipelines/example-one/jobs", "POST", {"size": 1}, headers=form).status == 415
    _, shown = cluster.add_web("--bind", "127.0.0.1:0", "--read-only")
    assert tried(shown) == 403
    _, guarded = cluster.add_web("--bind", "127.0.0.1:0", "--token-file", token_file)
    assert tried(guarded) == 401
    assert tried(guarded, Authorization="Bearer 0123456789abcdeF") == 401
    assert tried(guarded, Authorization=f"Bearer {TOKEN}") == 200
    _, wide = cluster.add_web("--bind", "0.0.0.0:0")
    wide = wide.replace("0.0.0.0", "127.0.0.1")
    assert tried(wide) == 403 and call(f"{wide}/api/v1/pipelines").status == 200


def test_browsers_are_told_to_be_careful(shared):
    headers = call(shared.url).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_health_and_readiness(make):
    cluster = make(web=())
    _, url = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("ready", lambda: call(f"{url}/readyz").status == 200)
    cluster.coordinator.kill()
    await_that("not ready", lambda: call(f"{url}/readyz").status == 503)
    assert call(f"{url}/healthz").status == 200
    assert call(f"{url}/api/v1/pipelines").json["example-one"]["state"] == "unreachable"


def test_metrics_are_as_prometheus_reads_them(make):
    cluster = make()
    for job in [cluster.enqueue({"size": 2}) for _ in range(5)]:
        cluster.await_state(job, "succeeded")
    text = call(f"{cluster.url}/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    runs = {sample.labels["phase"]: sample.value for sample in families["carbontube_phase_attempts_succeeded"].samples}
    assert runs == {"generate-file": 5, "calculate-hash": 5, "delete-file": 5}
    duration = families["carbontube_phase_attempt_duration_seconds"]
    assert duration.type == "histogram"
    counts = [sample.value for sample in duration.samples if sample.name.endswith("_count")]
    assert counts == [5, 5, 5]
    with open(f"{ROOT}/docs/grafana-dashboard.json") as file:
        used = set(re.findall(r"carbontube_\w+", file.read()))
    known = {sample.name for family in families.values() for sample in family.samples}
    assert used and used <= known, used - known


def test_the_first_version_s_addresses_answer(shared):
    assert [each["name"] for each in call(f"{shared.url}/api/pipelines").json] == ["example-one"]
    assert [each["job_type"] for each in call(f"{shared.url}/api/queues").json] == ["generate-file", "calculate-hash", "delete-file"]
    assert len(call(f"{shared.url}/api/workers/available").json) == 3
    shared.enqueue({"size": 1})
    assert call(f"{shared.url}/api/jobs").json


def test_stored_metrics_survive_a_restart(make):
    cluster = make()
    cluster.await_state(cluster.enqueue({"size": 2}), "succeeded")

    def runs(url):
        steps = call(f"{url}/api/v1/pipelines/example-one/metrics?minutes=60").json.get("steps", [])
        return sum(step["phases"][2]["succeeded"] for step in steps)

    await_that("it is stored", lambda: runs(cluster.url) == 1)
    cluster.coordinator.terminate()
    cluster.coordinator.wait(60)
    cluster.coordinator = cluster.start(
        "pipeline", "plugins/libExample.so", "example-one", f"--sub-bind={cluster.events}", f"--job-pull={cluster.intake}",
        f"--storage=sqlite:{cluster.folder}/jobs.db")
    _, url = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("it knows the pipeline", lambda: "example-one" in call(f"{url}/api/v1/pipelines").json)
    assert runs(url) == 1


def test_events_are_patches(shared):
    stream = urllib.request.urlopen(f"{shared.url}/api/v1/events", timeout=60)
    kinds = []
    shared.enqueue({"size": 1})
    for line in stream:
        if line.startswith(b"event: "):
            kinds.append(line.split()[1].decode())
        if line.startswith(b"data: ") and kinds == ["snapshot"]:
            assert "example-one" in json.loads(line[6:])["pipelines"]
        if "patch" in kinds:
            break
    stream.close()
    assert kinds[0] == "snapshot"


def test_a_hundred_thousand_jobs(make):
    cluster = make(workers=[])
    jobs = "".join('{"size": 1}\n' for _ in range(100_000))
    subprocess.run(
        [f"{ROOT}/bin/carbontube", "enqueue", cluster.intake, "example-one", "-"], input=jobs, text=True, check=True,
        stdout=subprocess.DEVNULL)
    took = {}
    for path in ["", "/jobs", "/jobs?state=waiting&phase=generate-file", "/jobs?id_prefix=zz", "/job-count?state=waiting"]:
        begun = time.monotonic()
        answer = cluster.api(path)
        took[path] = round((time.monotonic() - begun) * 1_000)
        assert answer.status == 200
    assert cluster.pipeline()["phases"]["0"]["waiting"] == 100_000
    print("milliseconds over 100,000 jobs:", took)


def test_the_api_is_as_its_document_says(make):
    cluster = make()
    for number in range(3):
        cluster.enqueue({"size": number + 1}, f"?id=job-{number}")
    result = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{cluster.url}/api/v1/openapi.json", f"--url={cluster.url}",
         "--checks=not_a_server_error,unsupported_method,status_code_conformance,content_type_conformance,response_schema_conformance",
         "--exclude-path=/api/v1/events", "--max-examples=15", "--seed=1", "--phases=examples,coverage,fuzzing"],
        capture_output=True, text=True, cwd=cluster.folder)
    assert result.returncode == 0, result.stdout[-6_000:] + result.stderr[-2_000:]
