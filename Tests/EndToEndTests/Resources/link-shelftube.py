"""Links `shelftube` of Tests/Fixtures/ShelfPackage with the modules of this package's own debug build.

usage: link-shelftube.py PACKAGE SHELF OUT

SwiftPM would build them again for another package, and the HTTP server under them: many minutes for nothing new. The
commands are those that it made for `carbontube`, without the name of this package: what is not public is not seen.
"""

import json
import pathlib
import re
import subprocess
import sys

package, shelf, out = (pathlib.Path(argument) for argument in sys.argv[1:])
manifest = (package / ".build/debug.yaml").read_text()


def arguments(command):
    entry = re.search(
        r'^  "C\.carbontube-\w+-unknown-linux-gnu-debug\.%s":\n(?:    .*\n)*?    args: (\[.*\])$' % command, manifest, re.M)
    return json.loads(entry[1])


def pairs(arguments, *flags):
    """The flags of these names, each with its value."""
    words = iter(arguments)
    return [part for word in words if word in flags for part in (word, next(words))]


compiling, linking = arguments("module"), arguments("exe")
see = pairs(compiling, "-I", "-Xcc", "-target") + ["-swift-version", "6", "-Onone"]
swiftc = compiling[0]
[objects] = [argument[1:] for argument in linking if argument.startswith("@")]
others = [line for line in pathlib.Path(objects).read_text().splitlines() if "/carbontube.build/" not in line]
(out / "objects").write_text("\n".join(others))


def run(*arguments):
    status = subprocess.run([swiftc, *arguments, *see]).returncode
    if status != 0:
        sys.exit(status)


run(
    "-module-name", "ShelfStore", "-parse-as-library", "-whole-module-optimization",
    "-emit-module", "-emit-module-path", out / "ShelfStore.swiftmodule",
    "-c", *sorted((shelf / "Sources/ShelfStore").glob("*.swift")), "-o", out / "ShelfStore.o")
run(
    "-module-name", "shelftube", "-emit-executable", shelf / "Sources/shelftube/main.swift", "-I", out,
    out / "ShelfStore.o", f"@{out}/objects", *pairs(linking, "-L"),
    *(argument for argument in linking if argument.startswith("-l")), "-o", out / "shelftube")
