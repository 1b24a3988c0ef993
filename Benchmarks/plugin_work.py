"""What it costs to look at plugins."""

import os
import shutil
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def listing(count):
    """Lists `count` builds that were never seen, then again. Their contents differ, so nothing is known of them."""
    with tempfile.TemporaryDirectory(prefix="carbontube-bench-") as folder:
        plugins = f"{folder}/plugins"
        os.mkdir(plugins, 0o755)
        sources = [f"{ROOT}/plugins/libHashFile.so", f"{ROOT}/plugins/libCountLines.so"]
        for number in range(count):
            copy = f"{plugins}/lib{number}.so"
            shutil.copyfile(sources[number % 2], copy)
            # Bytes behind the last segment change the hash, and nothing else.
            with open(copy, "ab") as file:
                file.write(f"build {number}".encode())
        # The cache does not believe a file that changed within its clock's grain.
        time.sleep(0.1)
        command = [f"{ROOT}/bin/carbontube", "plugins", "list", "--json", "--plugin-dir", plugins]
        environment = os.environ | {"CARBONTUBE_STATE_DIR": f"{folder}/state"}
        times = {}
        for state in ("cold_ms", "warm_ms"):
            begun = time.monotonic()
            answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            times[state] = (time.monotonic() - begun) * 1_000
            assert answer.count('"ok"') >= count, answer
        return times


if __name__ == "__main__":
    print(listing(50))
