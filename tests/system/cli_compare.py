# SPDX-License-Identifier: Apache-2.0
"""Gives the same words to weir and to ovs-vsctl, each with a database of its own, and compares
exit status, output and rows.

    cli_compare.py WEIR OURS THEIRS words FILE    what stands in a file
    cli_compare.py WEIR OURS THEIRS tables        generated: every column of every table

OURS and THEIRS are run directories with a served database.  Rows come in no particular order and
most UUIDs are new, so both are evened out before comparing."""
import concurrent.futures
import difflib
import json
import os
import random
import re
import shlex
import socket
import subprocess
import sys

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
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

    def same(self, words, with_rows=True):
        """True if both succeeded with the same output."""
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
        is_same = status1 != 0 or lines[0] == lines[1]
        if not is_same:
            self.fail("output differs", words)
            self.show(*lines)
        if with_rows:
            self.same_rows(words)
        return status1 == 0 and status2 == 0 and is_same

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


# --- Every column of every table ---------------------------------------------------------------

STRINGS = ["plain", "x-y.z_1", '"two words"', '"quo\\"te"', '"\u00fcml\u00e4ut"', '"true"', '"12"', '"[]"', '"a,b=c"', '""',
           '"11111111-2222-4333-8444-555555555555"', '"back\\\\slash"', '"tab\\t"', "_under"]
OPERATORS = ["=", "!=", "<", ">", "<=", ">=", "{=}", "{!=}", "{<}", "{>}", "{<=}", "{>=}", "{in}", "{not-in}"]

# One row of each table, all reachable.  Columns that hold them together are only read.
NAMES = {"Bridge": "tb0", "Port": "tp0", "Interface": "tp0", "Mirror": "tm0", "Controller": "tb0", "NetFlow": "tb0",
         "sFlow": "tb0", "IPFIX": "tb0", "AutoAttach": "tb0", "QoS": "tp0", "Flow_Table": "tf0", "SSL": ".",
         "Open_vSwitch": ".", "Manager": "ptcp:1:127.0.0.1", "Flow_Sample_Collector_Set": "7"}
SETTINGS = {"Bridge": ["name=tb0", "ports=@Port", "mirrors=@Mirror", "controller=@Controller", "netflow=@NetFlow",
                       "sflow=@sFlow", "ipfix=@IPFIX", "auto_attach=@AutoAttach", "flow_tables:5=@Flow_Table"],
            "Port": ["name=tp0", "interfaces=@Interface", "qos=@QoS"], "Interface": ["name=tp0"], "Mirror": ["name=tm0"],
            "Controller": ['target="tcp:127.0.0.1:1"'], "Manager": ['target="ptcp:1:127.0.0.1"'],
            "NetFlow": ['targets="127.0.0.1:1"'], "sFlow": ['targets="127.0.0.1:2"'], "Flow_Table": ["name=tf0"],
            "QoS": ["type=linux-htb", "queues:0=@Queue"], "IPFIX": ['targets="127.0.0.1:3"'], "AutoAttach": ["system_name=x"], "Queue": ["dscp=1"],
            "CT_Timeout_Policy": ["timeouts:icmp_first=1"], "SSL": ["private_key=k", "certificate=c", "ca_cert=a"],
            "Datapath": ["datapath_version=1", "ct_zones:1=@CT_Zone"], "CT_Zone": ["timeout_policy=@CT_Timeout_Policy"],
            "Flow_Sample_Collector_Set": ["id=7", "bridge=@Bridge"]}
ROOT = ["bridges=@Bridge", "manager_options=@Manager", "ssl=@SSL", "datapaths:system=@Datapath"]


def fixed_uuid(tables, name):
    return f"{sorted(tables).index(name) + 1:08x}-1111-4111-8111-111111111111"


class Column:
    """What may and what may not be written into a column."""

    def __init__(self, tables, table, name, schema, chance):
        kind = schema["type"]
        kind = kind if isinstance(kind, dict) else {"key": kind}
        as_base = lambda base: base if isinstance(base, dict) or base is None else {"type": base}
        self.tables, self.table, self.name, self.chance = tables, table, name, chance
        self.key, self.value = as_base(kind["key"]), as_base(kind.get("value"))
        self.n_min, self.n_max = kind.get("min", 1), kind.get("max", 1)
        self.n_max = 1 << 30 if self.n_max == "unlimited" else self.n_max
        self.is_mutable = schema.get("mutable", True)
        self.has_references = any(base and "refTable" in base for base in (self.key, self.value))

    def atom(self, base):
        if "enum" in base:
            words = base["enum"]
            words = words[1] if isinstance(words, list) else [words]
            return str(self.chance.choice(words)) if base["type"] != "string" else json.dumps(self.chance.choice(words))
        if base["type"] == "integer":
            low, high = base.get("minInteger", -(2**63)), base.get("maxInteger", 2**63 - 1)
            return str(self.chance.choice([low, high, max(low, min(high, 7)), self.chance.randint(low, high)]))
        if base["type"] == "boolean":
            return self.chance.choice(["true", "false"])
        if base["type"] == "uuid":
            return fixed_uuid(self.tables, base["refTable"]) if "refTable" in base else fixed_uuid(self.tables, "QoS")
        words = [word for word in STRINGS if word != '""' or not base.get("minLength")]
        return self.chance.choice(words)

    def element(self):
        return self.atom(self.key) + ("=" + self.atom(self.value) if self.value else "")

    def good(self):
        if self.n_max == 1 and not self.value:
            return self.element()
        elements = {}
        for _ in range(self.chance.randint(max(self.n_min, 1), min(self.n_max, 3))):
            elements[json.dumps(self.atom(self.key))] = None
        pairs = [json.loads(key) + ("=" + self.atom(self.value) if self.value else "") for key in elements]
        opening, closing = self.chance.choice([("{", "}") if self.value else ("[", "]"), ("", "")])
        return opening + self.chance.choice([",", ", ", " "]).join(pairs) + closing

    def bad(self):
        wrong = {"integer": ["word", "1x", "99999999999999999999", "1.5"], "boolean": ["perhaps", "2"],
                 "uuid": ["word", "1234"], "string": ['"open', '"a"b']}[self.key["type"]]
        wrong = list(wrong)
        if "maxInteger" in self.key:
            wrong.append(str(self.key["maxInteger"] + 1))
        if "minInteger" in self.key:
            wrong.append(str(self.key["minInteger"] - 1))
        if "enum" in self.key:
            wrong.append("nonsense")
        if self.value:
            return self.chance.choice([word + "=1" for word in wrong if "=" not in word] + ["novalue", "=", "a=b=c"])
        if self.n_max == 1:
            wrong += ["[a,b]", "[1,2]"]
        elif not self.has_references:
            wrong.append("[" + ",".join([self.atom(self.key)] * 2) + "]")
        return self.chance.choice(wrong)

    def condition(self):
        operator = self.chance.choice(OPERATORS)
        if self.value and self.chance.random() < 0.5:
            return f"{self.name}:{self.atom(self.key)}{operator}{self.atom(self.value)}"
        return self.name + operator + (self.good() if self.n_max > 1 or self.value else self.atom(self.key))


def chain(commands):
    return [word for command in commands for word in ["--"] + command]


def expect_success(comparison, commands):
    """In one go; when that fails, one by one to see which."""
    if not commands:
        return
    if comparison.same(chain(commands)):
        return
    for command in commands:
        if not comparison.same(command):
            comparison.fail("not possible, or not the same", command)


def compare_table(comparison, table, columns, uuid, chance):
    free = [column for column in columns if not column.has_references]
    mutable = [column for column in free if column.is_mutable]
    get = [["get", table, uuid] + [column.name for column in columns]]
    expect_success(comparison, [["set", table, uuid, f"{c.name}={c.good()}"] for c in mutable] + get)
    several = [column for column in mutable if column.n_max > 9]
    expect_success(comparison, [["add", table, uuid, c.name, c.element()] for c in several] + get)
    expect_success(comparison, [["remove", table, uuid, c.name, c.atom(c.key)] for c in several if c.n_min == 0] + get)
    maps = [column for column in mutable if column.value]
    expect_success(comparison, [["set", table, uuid, f"{c.name}:{c.atom(c.key)}={c.atom(c.value)}"] for c in maps] + get)
    conditions = [["--columns=_uuid", "find", table, c.condition()] for c in columns for _ in range(3)]
    expect_success(comparison, conditions)
    for form in ([], ["--format=csv"], ["--format=json"], ["--bare"], ["--data=json"]):
        comparison.same(form + ["--", "--columns=_uuid," + ",".join(c.name for c in columns), "list", table, uuid], with_rows=False)
    expect_success(comparison, [["clear", table, uuid, c.name] for c in mutable if c.n_min == 0] + get)
    refused = []
    for column in columns:
        bad, name = column.bad(), column.name
        verb = chance.choice([["set", table, uuid, f"{name}={bad}"], ["--columns=_uuid", "find", table, f"{name}={bad}"],
                              ["wait-until", table, uuid, f"{name}={bad}"], ["get", table, uuid, name + ":" + bad],
                              ["create", table, f"{name}={bad}"]])
        refused.append(verb)
        if not column.is_mutable or column.n_min > 0:
            refused.append(["clear", table, uuid, name])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # They change nothing, so any order will do.
        list(pool.map(lambda words: comparison.same(words, with_rows=False), refused))
    comparison.same_rows(["table", table])


def known_tables(tables):
    """Without what the ovs-vsctl that is installed does not know yet: its commands cannot name that."""
    known = json.load(open(SCHEMA, encoding="utf-8"))["tables"]
    return {name: {"columns": {column: known[name]["columns"][column] for column in table["columns"]
                               if column in known[name]["columns"]}}
            for name, table in tables.items() if name in known}


def root_tables(tables):
    return [name for name in sorted(tables) if tables[name].get("isRoot") and name != "Open_vSwitch"]


def compare_tables(comparison, chance):
    tables = known_tables(comparison.databases[0].tables)
    uuids = {name: fixed_uuid(tables, name) for name in tables}
    resolve = lambda word: re.sub("@([A-Za-z_]+)", lambda match: uuids[match[1]], word)
    empty = [["clear", "Open_vSwitch", ".", column] for column in ("bridges", "manager_options", "ssl", "datapaths", "other_config", "external_ids")]
    comparison.same(chain(empty + [["--all", "destroy", name] for name in root_tables(comparison.databases[0].tables)]), with_rows=False)
    setup = [["set", "Open_vSwitch", "."] + [resolve(word) for word in ROOT]]
    for name in sorted(tables):
        if name != "Open_vSwitch":
            setup.append(["--id=" + uuids[name], "create", name] + [resolve(word) for word in SETTINGS.get(name, [])])
    expect_success(comparison, setup)
    expect_success(comparison, [["get", name, record, "_uuid"] for name, record in NAMES.items()])
    for name in sorted(tables):
        record = "." if name == "Open_vSwitch" else uuids[name]
        for short in (record[:8], record[:4], record[:3], name[:2], "nothing"):
            comparison.same(["get", name, short, "_uuid"], with_rows=False)
        comparison.same(["--columns=_uuid", "list", name[:3].lower()], with_rows=False)
        columns = [Column(tables, name, column, schema, chance) for column, schema in sorted(tables[name]["columns"].items())]
        compare_table(comparison, name, columns, record, chance)


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
