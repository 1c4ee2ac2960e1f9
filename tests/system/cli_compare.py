# SPDX-License-Identifier: Apache-2.0
"""Gives the same words to weir and to ovs-vsctl, each with a database of its own, and compares
exit status, output and rows.

    cli_compare.py WEIR OURS THEIRS words FILE    what stands in a file
    cli_compare.py WEIR OURS THEIRS tables        generated: every column of every table

OURS and THEIRS are run directories with a served database.  Rows come in no particular order and
most UUIDs are new, so both are evened out before comparing."""
import difflib
import json
import os
import random
import re
import shlex
import socket
import subprocess
import sys

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Database:
    """What one database holds, with what references point to in their place."""

    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(directory + "/db.sock")
        self.tables = self.call("get_schema", ["Open_vSwitch"])["tables"]

    def call(self, method, params):
        self.socket.sendall(json.dumps({"method": method, "params": params, "id": 0}).encode())
        text = b""
        while True:
            text += self.socket.recv(1 << 20)
            try:
                answer = json.loads(text)
            except ValueError:
                continue
            if answer.get("method") == "echo":
                self.socket.sendall(json.dumps({"id": "echo", "result": [], "error": None}).encode())
                text = b""
                continue
            return answer["result"]

    def select(self, table, columns=None):
        operation = {"op": "select", "table": table, "where": []}
        if columns:
            operation["columns"] = columns
        return self.call("transact", ["Open_vSwitch", operation])[0]["rows"]

    def contents(self):
        names = sorted(self.tables)
        operations = [{"op": "select", "table": name, "where": []} for name in names]
        answers = self.call("transact", ["Open_vSwitch"] + operations)
        rows = {row["_uuid"][1]: (name, row) for name, answer in zip(names, answers) for row in answer["rows"]}
        memory = {}

        def resolve(value):
            if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":
                return label(value[1])
            if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map"):
                return sorted(str(resolve(item)) for item in value[1])
            return [resolve(item) for item in value] if isinstance(value, list) else value

        def label(uuid):
            """The row's name, or all of it."""
            if uuid not in rows:
                return "?"
            if uuid not in memory:
                memory[uuid] = "(cycle)"
                name, row = rows[uuid]
                known = row.get("name") or row.get("target")
                memory[uuid] = f"{name} {known}" if known else f"{name} {cells(row)}"
            return memory[uuid]

        def cells(row):
            hidden, empty = ("_uuid", "_version", "next_cfg"), (["set", []], ["map", []], "")
            return [f"{key}={resolve(row[key])}" for key in sorted(row) if key not in hidden and row[key] not in empty]

        lines = []
        for name, row in rows.values():
            title = f"{name} {row.get('name') or row.get('target') or ''}"
            lines += [title] + [f"{title}: {cell}" for cell in cells(row)]
        return sorted(lines)


class Comparison:
    def __init__(self, weir, ours, theirs):
        self.ours = [weir, "--rundir=" + ours, "--no-wait", "-t10"]
        self.theirs = ["ovs-vsctl", "--db=unix:" + theirs + "/db.sock", "--no-wait", "-t10"]
        self.databases = Database(ours), Database(theirs)
        self.known_difference = []
        self.n_checks = self.n_failed = 0

    def fail(self, sentence, words):
        self.n_failed += 1
        print("FAILED:", sentence + ":", shlex.join(words))

    def same(self, words, with_rows=True, output=True):
        """True if both succeeded."""
        self.n_checks += 1
        environment = dict(os.environ, OVS_SYSLOG_METHOD="null")
        pair = [
            subprocess.Popen(program + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
            for program in (self.ours, self.theirs)
        ]
        (out1, err1), (out2, err2) = [process.communicate() for process in pair]
        status1, status2 = pair[0].returncode, pair[1].returncode
        if status1 == 2 and err1:
            status1 = 1  # Words that were not understood; 2 without a sentence is the "no" of br-exists.
        if status1 != status2:
            self.fail(f"weir exits with {status1}, ovs-vsctl with {status2}", words)
            print("   ", err1.decode().strip()[:300], "\n   ", err2.decode().strip()[:300])
        if status1 == 1 and not err1:
            self.fail("weir fails without a word", words)
        lines = [sorted(UUID.sub("UUID", text.decode()).splitlines()) for text in (out1, out2)]
        if output and status1 == 0 and lines[0] != lines[1]:
            self.fail("output differs", words)
            self.show(*lines)
        if with_rows:
            self.same_rows(words)
        return status1 == 0 and status2 == 0

    def same_rows(self, words):
        contents = [database.contents() for database in self.databases]
        difference = contents if contents[0] != contents[1] else []
        if difference and difference != self.known_difference:
            self.fail("rows differ", words)
            self.show(*contents)
        self.known_difference = difference

    @staticmethod
    def show(ours, theirs):
        for line in list(difflib.unified_diff(ours, theirs, "weir", "ovs-vsctl", n=0, lineterm=""))[2:8]:
            print("   ", line[:200])


def compare_words(comparison, path):
    for line in open(path, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            comparison.same(shlex.split(line))


def main():
    weir, ours, theirs, mode = sys.argv[1:5]
    comparison = Comparison(weir, ours, theirs)
    if mode == "words":
        compare_words(comparison, sys.argv[5])
    else:
        compare_tables(comparison, random.Random(int(os.environ.get("WEIR_SEED", "1"))))
    print(f"{mode}: {comparison.n_checks} command lines, {comparison.n_failed} differ")
    return comparison.n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
