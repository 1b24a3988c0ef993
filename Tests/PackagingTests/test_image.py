"""scripts/image: what is in the image, and a job through it."""

import json
import os
import re
import subprocess
import tarfile
import unittest

import container
import installed_tree
import made_package


def image(*words, **variables):
    return subprocess.run([f"{installed_tree.ROOT}/scripts/image", *words], capture_output=True, text=True,
                          env={**os.environ, **variables})


def blob(layout, digest):
    with open(f"{layout}/blobs/{digest.replace(':', '/')}") as file:
        return json.load(file)


class ImageTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = container.new_folder()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.package = made_package.package()
        cls.layout = f"{cls.folder}/image"
        cls.made = image(cls.package, cls.layout)
        if cls.made.returncode != 0:
            raise AssertionError(cls.made.stderr)
        cls.name = cls.made.stdout.strip().splitlines()[-1].removeprefix("image: ")
        cls.bundle = container.Bundle(cls.name, cls.folder)
        print(f"the image's programs run in {cls.bundle.means}")

    def configuration(self):
        with open(f"{self.layout}/index.json") as file:
            (entry,) = json.load(file)["manifests"]
        return entry, blob(self.layout, blob(self.layout, entry["digest"])["config"]["digest"])

    def test_who_runs_what_and_how_it_is_stopped(self):
        entry, made = self.configuration()
        version = made_package.output("dpkg-deb", "-f", self.package, "Version").strip()
        tag = re.sub(r"[^A-Za-z0-9_.-]", "-", version)
        self.assertEqual(entry["annotations"]["org.opencontainers.image.ref.name"], tag)
        self.assertEqual(self.name, f"{self.layout}:{tag}")
        settings = made["config"]
        self.assertEqual([settings[name] for name in ["User", "Entrypoint", "Cmd", "StopSignal", "WorkingDir"]],
                         ["10001:10001", ["/usr/bin/carbontube"], ["--help"], "SIGTERM", "/var/lib/carbontube/data"])
        self.assertEqual(settings["Labels"]["org.opencontainers.image.version"], version)
        self.assertEqual(made["architecture"], made_package.output("dpkg", "--print-architecture").strip())

    def test_the_image_s_own_dpkg_knows_the_package(self):
        with open(f"{self.bundle.folder}/rootfs/var/lib/dpkg/status") as file:
            self.assertIn("\nPackage: carbontube\nStatus: install ok installed\n", file.read())
        self.assertFalse(os.path.exists(f"{self.bundle.folder}/rootfs/tmp/carbontube.deb"))

    def test_a_job_goes_through_it(self):
        run = subprocess.run(
            self.bundle.words(["run", "/usr/lib/carbontube/plugins/libExample.so", "example-one", '{"size": 10}'], "job"),
            capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r'^1  succeeded  \{"size": 10,"file_path":.*"hash":"[0-9a-f]{40}"\}\n$')

    def test_its_stop_signal_ends_a_coordinator_in_good_order(self):
        words = ["pipeline", "/usr/lib/carbontube/plugins/libExample.so", "example-one"]
        process = subprocess.Popen(self.bundle.words(words, "stopped"), stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("pipeline example-one: jobs tcp://", process.stdout.readline())
        if self.bundle.words == self.bundle.by_crun:
            subprocess.run([*self.bundle.view(), *self.bundle.crun("kill", "stopped", self.configuration()[1]["config"]["StopSignal"])],
                           check=True)
        else:
            process.terminate()
        self.assertIn(process.wait(timeout=30), [0, 143] if self.bundle.words == self.bundle.by_chroot else [0])

    def test_a_root_that_is_given_is_taken_and_nothing_fetched(self):
        given = f"{self.folder}/given.tar"
        with tarfile.open(given, "w") as tar:
            tar.add(f"{self.bundle.folder}/rootfs", ".")
        run = image(self.package, f"{self.folder}/second", "--root", given, CARBONTUBE_IMAGE_MIRROR="http://127.0.0.1:1/none")
        self.assertEqual(run.returncode, 0, run.stderr)
        os.mkdir(f"{self.folder}/unpacked")
        root = container.Bundle(run.stdout.split()[-1], f"{self.folder}/unpacked").folder + "/rootfs"
        self.assertTrue(os.access(f"{root}/usr/bin/carbontube", os.X_OK))
        self.assertEqual(os.stat(f"{root}/var/lib/carbontube/data").st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(f"{root}/var/lib").st_mode & 0o777, 0o755)


class RefusalTests(unittest.TestCase):
    def setUp(self):
        folder = container.new_folder()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_a_root_without_what_the_package_needs_is_refused(self):
        with tarfile.open(f"{self.folder}/root.tar", "w") as tar:
            tar.add("/etc/os-release", "etc/os-release", recursive=False)
        run = image(made_package.package(), f"{self.folder}/image", "--root", f"{self.folder}/root.tar")
        self.assertEqual(run.returncode, 65, run.stderr)
        self.assertIn("could not be installed in", run.stderr.splitlines()[-1])
        self.assertEqual(os.listdir(self.folder), ["root.tar"])

    def test_packages_that_cannot_be_reached_are_said(self):
        package = made_package.package()
        before = sorted(os.listdir(self.folder))
        run = image(package, f"{self.folder}/image", CARBONTUBE_IMAGE_MIRROR="http://127.0.0.1:1/none")
        self.assertEqual(run.returncode, 69, run.stderr)
        self.assertIn("could not be fetched", run.stderr.splitlines()[-1])
        self.assertIn("127.0.0.1" if os.geteuid() == 0 else "", run.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_what_it_cannot_use_is_refused_in_one_line(self):
        text = f"{self.folder}/text"
        with open(text, "w") as file:
            file.write("no package")
        for words, status, part in [
            ([], 64, "name a package"), ([text], 64, "name a package"), ([text, "a", "b"], 64, "'b' is one word too many"),
            ([text, "a", "--fast"], 64, "'--fast' is not an option"), ([text, "a", "--root"], 64, "--root needs"),
            ([f"{self.folder}/none.deb", "a"], 66, "none.deb cannot be read"), ([text, "a"], 65, "is not a Debian package"),
        ]:
            run = image(*words)
            self.assertEqual((run.returncode, run.stderr.count("\n")), (status, 1), run.stderr)
            self.assertIn(part, run.stderr)


if __name__ == "__main__":
    unittest.main()
