"""Man pages, completions and the reference page: made of what the program says, and tried by those who read them."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(f"{ROOT}/Tests")
from waiting import until  # noqa: E402


def run(*words, **options):
    return subprocess.run(words, check=True, capture_output=True, text=True, **options).stdout


class ManualTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="manual-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run(ROOT / "scripts/manual", "--pages", cls.folder / "man1")
        run(ROOT / "scripts/manual", "--completions", cls.folder)
        # What the scripts call is found in PATH, and plugins where somebody would have them.
        (cls.folder / "bin").mkdir()
        for name in ("carbontube", "carbontube-plugin-host"):
            (cls.folder / "bin" / name).symlink_to(ROOT / "bin" / name)
        shutil.copytree(ROOT / "plugins", cls.folder / "plugins")
        cls.environment = dict(
            os.environ, PATH=f"{cls.folder}/bin:{os.environ['PATH']}", HOME=str(cls.folder), TERM="dumb",
            XDG_STATE_HOME=str(cls.folder / "state"))

    def test_there_is_a_page_for_each_command_and_man_has_nothing_against_it(self):
        pages = sorted((self.folder / "man1").iterdir())
        self.assertGreater(len(pages), 25)
        for page in pages:
            said = subprocess.run(
                ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], capture_output=True, text=True)
            self.assertEqual((said.returncode, said.stderr), (0, ""), page.name)
        text = run("man", "-l", self.folder / "man1/carbontube-enqueue.1", env=dict(self.environment, MANWIDTH="80"))
        for words in ("--resume-from <line>", "EXIT STATUS", "EX_USAGE", "carbontube(1)"):
            self.assertIn(words, text)

    def test_the_reference_page_is_what_the_program_says(self):
        self.assertEqual(
            (ROOT / "docs/commands.md").read_text(), run(ROOT / "scripts/manual", "--reference"),
            "scripts/manual --reference > docs/commands.md")

    def test_every_variable_that_the_program_reads_is_told(self):
        text = (ROOT / "docs/commands.md").read_text()
        sources = "".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))
        read = set(re.findall(r'getenv\("(\w+)"\)|environment\("(\w+)"\)|"(CARBONTUBE_[A-Z_]+)"', sources))
        names = {name for group in read for name in group if name.startswith("CARBONTUBE_")}
        self.assertIn("CARBONTUBE_STATE_DIR", names)
        self.assertEqual([name for name in names if f"`{name}`" not in text], [])

    def test_every_exit_code_of_the_program_is_told(self):
        source = (ROOT / "Sources/CarbonTubeCommand/CommandFailure.swift").read_text()
        codes = re.findall(r"case \w+ = (\d+)", source)
        text = (ROOT / "docs/commands.md").read_text()
        self.assertEqual([code for code in codes if f"| {code} |" not in text], [])

    # What each shell offers after these words.
    CASES = [
        ("carbontube enq", {"enqueue"}, set()),
        ("carbontube plugins in", {"inspect"}, {"verify"}),
        ("carbontube jobs --state de", {"dead", "delayed"}, {"running"}),
        ("carbontube phase --log-level wa", {"warning"}, {"info"}),
        ("carbontube phase --drain", {"--drain-timeout"}, {"--all"}),
        ("carbontube run plugins/libEx", {"plugins/libExample.so"}, {"plugins/libHashFile.so"}),
        ("carbontube run plugins/libExample.so ex", {"example-one"}, set()),
        ("carbontube phase plugins/libH", {"plugins/libHashFile.so"}, {"plugins/libExample.so"}),
        ("carbontube phase plugins/libExample.so ge", {"generate-file"}, {"delete-file"}),
        ("carbontube plugins test plugins/libHashFile.so ca", {"calculate-hash"}, set()),
    ]

    def expect(self, offered):
        for line, wanted, unwanted in self.CASES:
            found = {word.strip() for word in offered(line)}
            # A shell may offer the last part of a path alone.
            short = {word.rsplit("/", 1)[-1] for word in found}
            for word in wanted:
                self.assertTrue(word in found or word.rsplit("/", 1)[-1] in short, f"{line}: {word} not in {found}")
            for word in unwanted:
                self.assertNotIn(word.rsplit("/", 1)[-1], short, line)

    def test_bash(self):
        script = self.folder / "share/bash-completion/completions/carbontube"
        ask = (
            'source "$1"; line=$2; COMP_LINE=$line; COMP_POINT=${#line}; read -ra COMP_WORDS <<<"$line"; '
            'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_TYPE=9; COMP_KEY=9; '
            'entry=$(complete -p carbontube); function=${entry#*-F }; function=${function%% *}; '
            '"$function" carbontube "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}" 2>/dev/null; '
            'printf "%s\\n" "${COMPREPLY[@]}"')
        self.expect(
            lambda line: run(
                "bash", "--norc", "-c", ask, "bash", script, line, env=self.environment, cwd=self.folder).splitlines())

    # The others complete nowhere but in a terminal: Tab is typed there, and what the screen then shows is read.

    def test_fish(self):
        script = self.folder / "share/fish/vendor_completions.d/carbontube.fish"
        prompt = "set -g fish_greeting; set -g fish_autosuggestion_enabled 0; function fish_prompt; echo -n '> '; end"
        self.expect_in_terminal(f"fish --no-config -C \"source {script}; {prompt}\"")

    def test_zsh(self):
        (self.folder / ".zshrc").write_text(
            f"PS1='> '\nfpath=({self.folder}/share/zsh/vendor-completions $fpath)\nautoload -Uz compinit\ncompinit -u\n"
            "setopt NO_BEEP AUTO_LIST NO_LIST_AMBIGUOUS NO_AUTO_MENU\nbindkey '^I' complete-word\n")
        self.expect_in_terminal("zsh -i")

    def expect_in_terminal(self, shell):
        environment = {key: value for key, value in self.environment.items() if key != "TMUX"}
        environment |= {"TERM": "xterm", "ZDOTDIR": str(self.folder), "LC_ALL": "C.UTF-8"}
        sockets = (self.folder / f"tmux-{shell[:3]}-{number}" for number in range(len(self.CASES)))

        def offered(line):
            tmux = ["tmux", "-f", "/dev/null", "-S", str(next(sockets))]
            self.addCleanup(subprocess.run, [*tmux, "kill-server"], capture_output=True)

            def screen():
                return run(*tmux, "capture-pane", "-p", "-J")

            run(*tmux, "new-session", "-d", "-x", "200", "-y", "50", shell, env=environment, cwd=self.folder)
            until(lambda: screen().startswith(">"), "a prompt")
            run(*tmux, "send-keys", "-l", line)
            until(lambda: line in screen(), "what was typed")
            run(*tmux, "send-keys", "Tab")
            text = until(lambda: (text := screen()).strip() != f"> {line}" and text, f"an offer for {line}")
            return re.split(r"\s+", text)

        self.expect(offered)


if __name__ == "__main__":
    unittest.main()
