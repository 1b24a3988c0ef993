"""A coordinator, its workers and its page: the real programs, on free ports, in a folder of their own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(f"{ROOT}/Tests")
from waiting import until  # noqa: E402

PHASES = {"generate-file": "libExample.so", "calculate-hash": "libHashFile.so", "delete-file": "libExample.so"}
PATIENCE = 60


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)


def call(url, method="GET", body=None, headers=None):
    """One request; an answer that says no is an answer."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = ({"Content-Type": "application/json"} if data is not None else {}) | (headers or {})
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read().decode())


def await_that(what, check):
    """Fails after what no machine needs."""
    return until(check, what, PATIENCE)


class Cluster:
    def __init__(self, workers=PHASES, storage=None, web=("--web", "--web-bind", "127.0.0.1:0"), options=("--no-schema-check",)):
        self.folder = tempfile.mkdtemp(prefix="carbontube-web-")
        self.plugins = f"{self.folder}/plugins"
        os.mkdir(self.plugins, 0o755)
        for name in os.listdir(f"{ROOT}/plugins"):
            shutil.copy(f"{ROOT}/plugins/{name}", self.plugins)
        self.environment = os.environ | {
            "CARBONTUBE_STATE_DIR": f"{self.folder}/state", "TMPDIR": self.folder}
        self.processes, self.workers = [], {}
        self.coordinator = self.start(
            "pipeline", "plugins/libExample.so", "example-one", *options, "--sub-bind=tcp://127.0.0.1:*",
            "--job-pull=tcp://127.0.0.1:*", f"--storage={storage or 'sqlite:' + self.folder + '/jobs.db'}", *web)
        self.url = self.line(self.coordinator, r"^web (\S+)") if web else None
        words = self.line(self.coordinator, r"jobs (\S+), workers (\S+),", groups=True)
        self.intake, self.events = words
        for job_type in workers:
            self.add_worker(job_type)
        if self.url:
            await_that("the page knows the pipeline", lambda: self.pipeline().get("state") == "connected")
            await_that("all workers are there", lambda: len(self.pipeline()["workers"]) == len(workers))

    def start(self, *words):
        process = subprocess.Popen(
            [f"{ROOT}/bin/carbontube", *words], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
            stderr=open(f"{self.folder}/log", "ab"), text=True)
        self.processes.append(process)
        return process

    def line(self, process, pattern, groups=False):
        for line in process.stdout:
            found = re.search(pattern, line)
            if found:
                return found.groups() if groups else found.group(1)
        raise AssertionError(f"no '{pattern}'; the log:\n" + open(f"{self.folder}/log").read())

    def add_worker(self, job_type, library=None):
        worker = self.start("phase", f"plugins/{library or PHASES[job_type]}", job_type, f"--sub-connect={self.events}")
        self.workers[job_type] = worker
        return worker

    def add_web(self, *words):
        process = self.start("web", "--pipeline", self.intake, "--plugin-dir", "plugins", *words)
        return process, self.line(process, r"^web (\S+)")

    def api(self, path, *arguments, **named):
        return call(f"{self.url}/api/v1/pipelines/example-one{path}", *arguments, **named)

    def pipeline(self):
        answer = call(f"{self.url}/api/v1/pipelines/example-one")
        return answer.json if answer.status == 200 else {}

    def enqueue(self, instructions, query=""):
        answer = self.api(f"/jobs{query}", "POST", instructions)
        assert answer.status == 201, answer.text
        return answer.json["id"]

    def await_state(self, job, state):
        return await_that(f"job {job} {state}", lambda: (found := self.api(f"/jobs/{job}").json).get("state") == state and found)

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()
            process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
