"""The store's word for every job, held against the ledger that the phases wrote by themselves."""

import collections

from cluster import PHASES, wire


def read_ledger(folder):
    runs = collections.Counter()
    with open(f"{folder}/ledger") as ledger:
        for line in ledger:
            what, job, phase, _, _, _ = line.split()
            if what == "E":
                runs[job, phase] += 1
    return runs


def all_jobs(cluster):
    client = wire.Client(cluster.address, "ledger", timeout_ms=60_000)
    cursor = None
    while True:
        arguments = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
        code, message, page, _ = client.request("jobs", **arguments)
        assert code == 0, message
        yield from page["jobs"]
        cursor = page.get("next")
        if not cursor:
            return client.close()


def audit(cluster, submitter, chaos, poller, seconds):
    ledger = read_ledger(cluster.folder)
    states, twice, missing_runs, seen = collections.Counter(), 0, 0, set()
    outcomes = collections.Counter()
    for job in all_jobs(cluster):
        seen.add(job["id"])
        states[job["state"]] += 1
        succeeded = collections.Counter(a["job_type"] for a in job["attempts"] if a["outcome"] == "succeeded")
        twice += sum(count - 1 for count in succeeded.values() if count > 1)
        outcomes.update(a["outcome"] for a in job["attempts"])
        if job["state"] == "succeeded":
            missing_runs += sum(1 for phase in PHASES if ledger[job["id"], phase] == 0)
    lost = len(submitter.acknowledged - seen)
    unended = states["waiting"] + states["running"] + states["delayed"]
    repeated = sum(count - 1 for count in ledger.values() if count > 1)
    rows = [
        ("store", cluster.options.store + (f" ({cluster.options.fsync})" if cluster.redis else "")),
        ("seed", cluster.options.seed), ("seconds", round(seconds)), ("submitted", submitter.count),
        ("acknowledged", len(submitter.acknowledged)), ("succeeded", states["succeeded"]), ("dead", states["dead"]),
        ("not ended", unended), ("lost", lost), ("outcomes recorded twice", twice),
        ("phases recorded but never run", missing_runs), ("phase runs repeated", repeated),
        ("attempts that crashed", outcomes["crashed"]), ("attempts lost with a worker", outcomes["lost"]),
        ("enqueue requests sent again", submitter.sent_again),
    ] + sorted(chaos.counts.items()) + ([(f"questions {name}", n) for name, n in sorted(poller.answers.items())] if poller else [])
    for name, value in rows:
        print(f"{name:32} {value}")
    good = lost == twice == missing_runs == unended == states["dead"] == 0
    good = good and states["succeeded"] == submitter.count == len(submitter.acknowledged)
    # A run in which nothing went wrong, or in which nobody who asked was answered, has shown nothing.
    good = good and (poller is None or poller.answers["answered"] > 0)
    return good and sum(chaos.counts.values()) > 0
