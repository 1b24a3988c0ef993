"""The store's word for every job, held against the ledger that the phases wrote by themselves."""

import collections

from cluster import PHASES, wire


def read_ledger(folder):
    """How often each job's phase was run to its end, and how many were run by the worker that is never ready."""
    runs, by_never_ready = collections.Counter(), 0
    with open(f"{folder}/ledger") as ledger:
        for line in ledger:
            what, job, phase, _, _, _ = line.split()
            if what == "E":
                runs[job, phase] += 1
            by_never_ready += what == "N"
    return runs, by_never_ready


def all_jobs(pipeline):
    client = wire.Client(pipeline.address, pipeline.name, timeout_ms=60_000)
    cursor = None
    while True:
        arguments = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
        code, message, page, _ = client.request("jobs", **arguments)
        assert code == 0, message
        yield from page["jobs"]
        cursor = page.get("next")
        if not cursor:
            return client.close()


class Audit:
    """Of one pipeline."""

    def __init__(self, pipeline, submitter, ledger):
        self.submitter = submitter
        self.states, self.outcomes = collections.Counter(), collections.Counter()
        self.twice, self.missing_runs, seen = 0, 0, set()
        for job in all_jobs(pipeline):
            seen.add(job["id"])
            self.states[job["state"]] += 1
            succeeded = collections.Counter(a["job_type"] for a in job["attempts"] if a["outcome"] == "succeeded")
            self.twice += sum(count - 1 for count in succeeded.values() if count > 1)
            self.outcomes.update(a["outcome"] for a in job["attempts"])
            if job["state"] == "succeeded":
                self.missing_runs += sum(1 for phase in PHASES if ledger[job["id"], phase] == 0)
        own = {pipeline.job(number) for number in range(submitter.count)}
        self.lost, self.foreign = len(submitter.acknowledged - seen), len(seen - own)
        self.unended = self.states["waiting"] + self.states["running"] + self.states["delayed"]
        self.repeated = sum(count - 1 for (job, _), count in ledger.items() if job in own and count > 1)

    def rows(self):
        return [
            ("submitted", self.submitter.count), ("acknowledged", len(self.submitter.acknowledged)),
            ("succeeded", self.states["succeeded"]), ("dead", self.states["dead"]), ("not ended", self.unended),
            ("lost", self.lost), ("jobs of another pipeline", self.foreign), ("outcomes recorded twice", self.twice),
            ("phases recorded but never run", self.missing_runs), ("phase runs repeated", self.repeated),
            ("attempts that crashed", self.outcomes["crashed"]), ("attempts lost with a worker", self.outcomes["lost"]),
            ("enqueue requests sent again", self.submitter.sent_again),
        ]

    @property
    def is_good(self):
        wrong = [self.lost, self.foreign, self.twice, self.missing_runs, self.unended, self.states["dead"]]
        # Of the same number of jobs, each of which succeeded.
        return not any(wrong) and (
            self.states["succeeded"] == self.states.total() == self.submitter.count == len(self.submitter.acknowledged))


def show(rows):
    for name, value in rows:
        print(f"{name:32} {value}")


def audit(cluster, submitters, chaos, pollers, seconds):
    """Prints what became of the jobs of each pipeline; whether all is well."""
    ledger, by_never_ready = read_ledger(cluster.folder)
    show([("store", cluster.options.store + (f" ({cluster.options.fsync})" if cluster.redis else "")),
          ("seed", cluster.options.seed), ("seconds", round(seconds))])
    good = by_never_ready == 0
    for pipeline, submitter in zip(cluster.pipelines, submitters):
        found = Audit(pipeline, submitter, ledger)
        show(([("pipeline", pipeline.name)] if len(cluster.pipelines) > 1 else []) + found.rows())
        good = good and found.is_good
    if cluster.never_ready:
        show([("runs by who is never ready", by_never_ready)])
    answers = sum((poller.answers for poller in pollers), collections.Counter())
    show(sorted(chaos.counts.items()) + [(f"questions {name}", n) for name, n in sorted(answers.items())])
    # A run in which nothing went wrong, or in which nobody who asked was answered, has shown nothing.
    good = good and all(poller.answers["answered"] > 0 for poller in pollers)
    return good and chaos.counts.total() > 0
