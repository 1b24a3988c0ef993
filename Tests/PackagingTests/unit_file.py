"""What systemd makes of a template unit, as far as these units need it: settings, specifiers, variables, the command line."""

import os
import re
import shlex


class Unit:
    """`template` for `instance`, on a system whose files lie below `root`."""

    def __init__(self, template, instance, root):
        self.root, self.settings = root, {}
        specifiers = {"%i": instance, "%S": "/var/lib", "%C": "/var/cache"}
        with open(template) as file:
            for line in file:
                if line.startswith(("#", ";", "[")) or not line.strip():
                    continue
                key, value = line.strip().split("=", 1)
                value = re.sub("%.", lambda found: specifiers[found[0]], value)
                self.settings.setdefault(key, []).append(value)

    def __getitem__(self, key):
        """The last of its values, which is the one that counts where there is no list."""
        return self.settings[key][-1]

    def inside(self, path):
        return self.root + path if path.startswith(("/usr/", "/var/", "/etc/")) else path

    def environment(self):
        """Of what the unit says; a file wins over the unit."""
        found = dict(word.split("=", 1) for line in self.settings["Environment"] for word in shlex.split(line))
        file = self["EnvironmentFile"]
        path = self.inside(file.removeprefix("-"))
        if os.path.exists(path) or not file.startswith("-"):
            with open(path) as lines:
                for line in lines:
                    if line.strip() and not line.startswith("#"):
                        name, value = line.strip().split("=", 1)
                        found[name] = "".join(shlex.split(value))
        return {name: self.inside(value) for name, value in found.items()}

    def command(self):
        """`${X}` is a word or a part of one; `$X` alone is as many words as it has."""
        variables, words = self.environment(), []
        for word in self["ExecStart"].split():
            if re.fullmatch(r"\$[A-Z_]+", word):
                words += shlex.split(variables.get(word[1:], ""))
            else:
                words.append(re.sub(r"\$\{([A-Z_]+)\}", lambda found: variables.get(found[1], ""), word))
        return [self.inside(word) for word in words]

    def folders(self):
        """Those that the unit's user is given: path and mode."""
        for key, place in [("StateDirectory", "/var/lib"), ("CacheDirectory", "/var/cache")]:
            for name in " ".join(self.settings.get(key, [])).split():
                yield f"{self.root}{place}/{name}", int(self[f"{key}Mode"], 8)
