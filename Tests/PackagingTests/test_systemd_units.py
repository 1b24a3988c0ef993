"""The units of scripts/systemd: what systemd says of them, and their command lines run as it would run them.

No systemd runs here. Their system calls are restricted as by systemd (confined.py), and where this is root what they see is
read-only but for their folders (installed_tree.py).
"""

import json
import os
import re
import subprocess
import tempfile
import unittest

import installed_tree
from unit_file import Unit

NAMES = ["carbontube-pipeline@", "carbontube-phase@"]
# Of 100: what is left is the network, which is what the program is for, and limits of its children.
MOST_EXPOSED = 20


class UnitTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="carbontube-units-")
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        installed_tree.install(self.root)
        self.program = f"{self.root}/usr/bin/carbontube"

    def unit(self, name, instance):
        return Unit(f"{installed_tree.UNITS}/{name}.service", instance, self.root)

    def prepare(self):
        """What the package's scripts have done: the user and root's folders."""
        for words in [["systemd-sysusers", f"--root={self.root}"],
                      ["systemd-tmpfiles", f"--root={self.root}", "--create", "carbontube.conf"]]:
            run = installed_tree.as_root(*words)
            self.assertEqual(run.returncode, 0, run.stderr)

    def write(self, name, text):
        with open(f"{self.root}/etc/carbontube/{name}", "w") as file:
            file.write(text)

    def start(self, name, instance):
        unit = self.unit(name, instance)
        for folder, mode in unit.folders():
            os.makedirs(folder, exist_ok=True)
            os.chmod(folder, mode)
            if os.geteuid() == 0:
                os.chown(folder, 65534, 65534)
        log = open(f"{self.root}/journal", "a")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [*installed_tree.as_service([folder for folder, _ in unit.folders()]), "/usr/bin/python3", "-B", f"{os.path.dirname(__file__)}/confined.py",
             f"{installed_tree.UNITS}/{name}.service", *unit.command()],
            cwd=unit.inside(unit["WorkingDirectory"]), umask=int(unit["UMask"], 8), stdout=subprocess.PIPE, stderr=log, text=True,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": f"{self.root}/var/lib/carbontube", **unit.environment()})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        self.assertTrue(line, self.journal())
        return process, line

    def journal(self):
        with open(f"{self.root}/journal") as file:
            return file.read()

    def assert_confined(self, process):
        with open(f"/proc/{process.pid}/status") as file:
            status = dict(line.strip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual([status[name] for name in ["NoNewPrivs", "Seccomp", "CapEff"]], ["1", "2", "0" * 16])
        self.assertNotEqual(status["Uid"].split()[0], "0")

    def ask(self, *words):
        run = subprocess.run([self.program, *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def test_systemd_finds_nothing_wrong(self):
        for name in NAMES:
            run = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={self.root}", f"{name}x.service"],
                                 capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stdout + run.stderr), (0, ""))

    def test_a_wrong_line_would_be_found(self):
        with open(f"{self.root}/usr/lib/systemd/system/{NAMES[0]}.service", "a") as file:
            file.write("[Service]\nProtectSystm=strict\n")
        run = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={self.root}", f"{NAMES[0]}x.service"],
                             capture_output=True, text=True)
        self.assertIn("ProtectSystm", run.stderr)

    def test_what_a_unit_could_do_is_bounded(self):
        for name in NAMES:
            run = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager",
                 f"{installed_tree.UNITS}/{name}.service"], capture_output=True, text=True)
            print(run.stdout.strip().splitlines()[-1])
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_user_and_the_folders(self):
        self.prepare()
        with open(f"{self.root}/etc/passwd") as file:
            self.assertRegex(file.read(), r"(?m)^carbontube:[^:]*:[1-9]\d*:\d+:CarbonTube:/var/lib/carbontube:/usr/sbin/nologin$")
        for folder in ["etc/carbontube", "var/lib/carbontube/plugins"]:
            status = os.stat(f"{self.root}/{folder}")
            self.assertEqual((status.st_uid, status.st_mode & 0o777), (os.geteuid(), 0o755))
        for name in NAMES:
            self.assertEqual((self.unit(name, "x")["User"], self.unit(name, "x")["Group"]), ("carbontube", "carbontube"))

    def test_a_worker_is_told_to_stop_by_itself_and_has_the_time_to(self):
        for name in NAMES:
            unit = self.unit(name, "x")
            self.assertEqual((unit["KillMode"], unit["KillSignal"], unit["Restart"]), ("mixed", "SIGTERM", "on-failure"))
            self.assertEqual(unit["StartLimitIntervalSec"], "0")
        words = " ".join(self.ask("phase", "--help").split())
        drain = float(re.search(r"--drain-timeout <seconds> .*?\(default: ([0-9.]+)\)", words)[1])
        self.assertGreater(float(self.unit(NAMES[1], "x")["TimeoutStopSec"]), drain + 5)

    def test_a_job_goes_through_a_pipeline_and_workers_that_run_as_their_units_say(self):
        self.prepare()
        library = "/usr/lib/carbontube/plugins/libExample.so"
        self.write("pipeline-example-one.env",
                   f'LIBRARY={library}\nOPTIONS="--sub-bind=tcp://127.0.0.1:* --job-pull=tcp://127.0.0.1:*"\n')
        pipeline, line = self.start(NAMES[0], "example-one")
        found = re.match(r"pipeline example-one: jobs (\S+), workers (\S+), ", line)
        self.assertTrue(found, line)
        jobs, events = found.groups()
        # One by its instance's name, one by its file.
        self.write("phase-generate-file.env", f'OPTIONS="--sub-connect={events}"\n')
        self.write("phase-rest.env", f'SERVES="calculate-hash delete-file"\nOPTIONS="--sub-connect={events} --concurrency 2"\n')
        workers = []
        for instance in ["generate-file", "rest"]:
            worker, line = self.start(NAMES[1], instance)
            self.assertTrue(line.startswith("phase "), line)
            workers.append(worker)
        self.ask("enqueue", jobs, "example-one", '{"size": 10}', "--id", "first", "--wait")
        job = json.loads(self.ask("job", "first", "--json", "--address", jobs))
        self.assertEqual(job["job"]["state"], "succeeded", f"{job} {self.journal()}")
        self.assertIn(f"{self.root}/var/cache/carbontube/files/", json.dumps(job))
        self.assertTrue(os.path.exists(f"{self.root}/var/lib/carbontube/pipelines/example-one/carbontube-example-one.db"))
        self.assertTrue(os.listdir(f"{self.root}/var/lib/carbontube/state"))
        for process in [*workers, pipeline]:
            self.assert_confined(process)
            process.terminate()
            self.assertEqual(process.wait(timeout=45), 0)

    def test_what_the_filter_forbids_fails(self):
        for words, forbidden in [(["/usr/bin/unshare", "--user", "true"], True), (["/bin/chown", "0", self.program], True),
                                 (["/bin/echo"], False)]:
            run = subprocess.run(["/usr/bin/python3", "-B", f"{os.path.dirname(__file__)}/confined.py",
                                  f"{installed_tree.UNITS}/{NAMES[1]}.service", *words], capture_output=True, text=True)
            self.assertEqual("Operation not permitted" in run.stderr, forbidden, f"{words} {run.stderr}")

    def test_a_worker_needs_no_file(self):
        self.prepare()
        worker, line = self.start(NAMES[1], "calculate-hash")
        self.assertIn("phase calculate-hash: ", line)
        worker.terminate()
        self.assertEqual(worker.wait(timeout=45), 0)

    def test_the_files_that_the_document_shows_say_what_it_says(self):
        self.prepare()
        with open(f"{installed_tree.ROOT}/docs/install.md") as file:
            shown = next(block for block in file.read().split("```text\n") if block.startswith("# /etc/carbontube/")).split("```")[0]
        for part in shown.split("# /etc/carbontube/")[1:]:
            self.write(*part.split("\n", 1))
        self.assertEqual(self.unit(NAMES[0], "example-one").command()[1:], [
            "pipeline", f"{self.root}/usr/lib/carbontube/plugins/libExample.so", "example-one", "--storage",
            "redis+unix:///run/redis/redis.sock"])
        self.assertEqual(self.unit(NAMES[1], "rest").command()[1:], [
            "phase", "--plugin-dir", f"{self.root}/var/lib/carbontube/plugins", "--plugin-dir",
            f"{self.root}/usr/lib/carbontube/plugins", "calculate-hash", "delete-file", "--concurrency", "4"])

    def test_a_stop_right_after_the_start_is_heard(self):
        for _ in range(60):
            worker = subprocess.Popen([self.program, "phase", "--plugin-dir", f"{self.root}/usr/lib/carbontube/plugins", "--all"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      env={"CARBONTUBE_STATE_DIR": f"{self.root}/state"})
            with worker.stdout:
                worker.stdout.readline()
                worker.terminate()
                try:
                    self.assertEqual(worker.wait(timeout=20), 0)
                finally:
                    worker.kill()
                    worker.wait()

    def test_a_pipeline_without_its_file_does_not_start(self):
        with self.assertRaises(FileNotFoundError):
            self.unit(NAMES[0], "unheard-of").command()
        self.assertFalse(self.unit(NAMES[0], "x")["EnvironmentFile"].startswith("-"))


if __name__ == "__main__":
    unittest.main()
