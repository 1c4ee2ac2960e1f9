#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Gives control commands to Weir and to Open vSwitch, and compares whether they are refused, and the form of what
is answered: numbers, and blanks between words, are each switch's own.

    control_commands.py COMMANDS OURS THEIRS

COMMANDS has a command on each line.  '~' before it says that only the words of the answer differ, '?' that one switch
does what the other refuses, and what follows '#' why; to differ no more is an error, too.  Besides, every command
that Open vSwitch lists must be listed with the same arguments, and is called with 0 to 5 words that mean nothing;
'*' behind a command stands for all of these."""

import json
import re
import shlex
import socket
import sys

# The first ends Open vSwitch whatever is behind it, and the last is never answered by it.
NOT_CALLED = {"exit", "vlog/set", "dpif-netlink/dispatch-mode"}


class Switch:
    """'may_die': Open vSwitch 3.1 does now and then, and then there is nothing to compare with (status 77)."""

    def __init__(self, path, may_die=False):
        self.may_die = may_die
        self.decoder = json.JSONDecoder()
        self.fd = socket.socket(socket.AF_UNIX)
        self.fd.settimeout(60)
        self.fd.connect(path)

    def call(self, name, *args):
        try:
            return self.ask(name, *args)
        except ConnectionError as error:
            if not self.may_die:
                raise
            print(f"Open vSwitch has died: {error}")
            sys.exit(77)

    def ask(self, name, *args):
        """Whether the command is refused, and the text."""
        self.fd.sendall(json.dumps({"method": name, "params": args, "id": 0}).encode())
        text = ""
        while True:
            chunk = self.fd.recv(1 << 16)
            if not chunk:
                raise ConnectionError(f"hung up after {name} {args}")
            text += chunk.decode()
            try:
                answer, _ = self.decoder.raw_decode(text)
            except json.JSONDecodeError:
                continue
            if answer["error"] is not None:
                return True, answer["error"]
            return False, answer["result"]


def form(answer):
    is_error, text = answer
    text = re.sub(r"(netdev|system)@(ovs-netdev|ovs-system)?", "DP", text)
    text = re.sub(r"\bnan\b|-?\d+(\.\d+)?", "0", text)
    lines = []
    for line in text.splitlines():
        line = re.sub(r"\s+", " ", line.rstrip())
        if not lines or lines[-1] != line:  # Two rows of a table say no more than one.
            lines.append(line)
    return ("refused: " if is_error else "") + "\n".join(lines)


def read_commands(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = shlex.split(line, comments=True)
            if words:
                yield words


def usages(switch):
    rows = {}
    for line in switch.call("list-commands")[1].splitlines()[1:]:
        name, _, usage = line.strip().partition(" ")
        rows[name] = usage.strip()
    return rows


class Comparison:
    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs
        self.n_wrong = self.n_compared = 0

    def report(self, what, theirs, ours):
        self.n_wrong += 1
        print(f"{what}\n  Open vSwitch: {theirs[:600]!r}\n  Weir:         {ours[:600]!r}")

    def compare(self, words, mark=""):
        theirs, ours = self.theirs.call(*words), self.ours.call(*words)
        self.n_compared += 1
        found = "?" if theirs[0] != ours[0] else "~" if form(theirs) != form(ours) else ""
        if found != mark:
            note = f" (marked {mark!r}, should be {found!r})" if mark else ""
            self.report(shlex.join(words) + note, form(theirs), form(ours))

    def compare_nonsense(self, name, mark=None):
        """With a mark, at least one of the answers differs that much."""
        worst = ""
        for n in range(6):
            words = [name] + ["nosuch"] * n
            if mark is None:
                self.compare(words)
                continue
            theirs, ours = self.theirs.call(*words), self.ours.call(*words)
            self.n_compared += 1
            found = "?" if theirs[0] != ours[0] else "~" if form(theirs) != form(ours) else ""
            worst = max(worst, found, key=["", "~", "?"].index)
        if mark is not None and worst != mark:
            self.report(f"{name} * (marked {mark!r}, should be {worst!r})", "", "")


def main():
    path, ours_path, theirs_path = sys.argv[1:]
    comparison = Comparison(Switch(ours_path), Switch(theirs_path, True))
    ours, theirs = usages(comparison.ours), usages(comparison.theirs)
    for name, usage in theirs.items():
        if ours.get(name) != usage:
            comparison.report(f"usage of {name}", usage, str(ours.get(name)))
    marked = set(NOT_CALLED)
    for words in read_commands(path):
        mark = words.pop(0) if words[0] in ("~", "?") else ""
        if words[-1] == "*":
            marked.add(words[0])
            comparison.compare_nonsense(words[0], mark)
        else:
            comparison.compare(words, mark)
    for name in sorted(theirs.keys() - marked):
        comparison.compare_nonsense(name)
    print(f"{comparison.n_compared} commands compared")
    sys.exit(comparison.n_wrong > 0)


if __name__ == "__main__":
    main()
