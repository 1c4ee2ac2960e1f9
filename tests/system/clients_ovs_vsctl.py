#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does ovs-vsctl do with Weir what it does with Open vSwitch?

    clients_ovs_vsctl.py COMMANDS NAMESPACE=RUNDIR NAMESPACE=RUNDIR

Gives each line of COMMANDS to both switches; exit status, both outputs and, after each line, the rows of
all tables must be the same.  UUIDs are replaced by what they stand for; columns that only one of the schemas has,
and what a daemon measures, are left out."""

import json
import re
import shlex
import subprocess
import sys
import time

from clients_jsonrpc import Client

DATABASE = "Open_vSwitch"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# What a daemon writes about itself and its surroundings: not what ovs-vsctl asked for.
OF_DAEMONS = {
    "Open_vSwitch": {"statistics", "ovs_version", "db_version", "system_type", "system_version", "datapath_types",
                     "iface_types", "dpdk_initialized", "dpdk_version"},
    "Bridge": {"datapath_id", "datapath_version", "status", "rstp_status"},
    "Controller": {"is_connected", "role", "status"},
    "Interface": {"admin_state", "duplex", "error", "ifindex", "link_resets", "link_speed", "link_state", "mac_in_use",
                  "mtu", "ofport", "statistics", "status", "lacp_current", "bfd_status", "cfm_fault",
                  "cfm_fault_status", "cfm_flap_count", "cfm_health", "cfm_mpid", "cfm_remote_mpids",
                  "cfm_remote_opstate"},
    "Manager": {"is_connected", "status"},
    "Mirror": {"statistics"},
    "Port": {"bond_active_slave", "rstp_statistics", "rstp_status", "statistics", "status"},
    "Datapath": {"datapath_version", "capabilities"},
}


class Switch:
    def __init__(self, argument):
        self.namespace, self.rundir = argument.split("=", 1)
        self.client = Client(self.rundir + "/db.sock")
        self.schema = self.client.call("get_schema", DATABASE)

    def columns(self):
        return {name: set(table["columns"]) for name, table in self.schema["tables"].items()}

    def start(self, words):
        timeout = [] if any(word.startswith("--timeout") for word in words) else ["--timeout=10"]
        return subprocess.Popen(["ip", "netns", "exec", self.namespace, "ovs-vsctl", *timeout,
                                 f"--db=unix:{self.rundir}/db.sock", *words],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def rows(self, columns):
        """{UUID: [table, {column: value}]}"""
        operations = [{"op": "select", "table": table, "where": [], "columns": ["_uuid", *sorted(columns[table])]}
                      for table in sorted(columns)]
        results = self.client.call("transact", DATABASE, *operations)
        return {row.pop("_uuid")[1]: [operation["table"], row]
                for operation, result in zip(operations, results) for row in result["rows"]}


def canonical(value, names):
    if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":
        return names.get(value[1], "a row that is gone")
    if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map"):
        members = [canonical(member, names) if value[0] == "set" else [canonical(half, names) for half in member]
                   for member in value[1]]
        return members[0] if value[0] == "set" and len(members) == 1 else sorted(members, key=json.dumps)
    return value


def describe(rows):
    """The rows as sorted texts that name others by what these contain."""
    names = {uuid: table for uuid, (table, _) in rows.items()}
    for _ in range(4):  # So deep do references go.
        texts = {uuid: table + " " + json.dumps({column: canonical(value, names) for column, value in row.items()},
                                                sort_keys=True) for uuid, (table, row) in rows.items()}
        names = {uuid: f"<{hash(text) & 0xffffffff:x}>" for uuid, text in texts.items()}
    return sorted(texts.values())


def plain(text, words):
    """Output without what differs from switch to switch."""
    text = UUID.sub("UUID", text)
    text = re.sub(r"^\d{4}-\d\d-\d\dT[^|]*\|\d+\|", "", text, flags=re.M)
    text = re.sub(r"(Error detected while setting up '[^']*'): .*\n", r"\1\n", text)
    text = re.sub(r"unix:/\S*/db.sock", "SOCKET", text)
    # Of an error its name is the interface.
    text = re.sub(r'transaction error: \{.*("error":"[^"]*").*', r"transaction error: \1", text)
    if not {"list", "find", "show"}.intersection(words):
        return text
    # Rows come in the order of their UUIDs, which are random.
    dropped = "|".join(sorted(set().union(*OF_DAEMONS.values())))
    return sorted(line for line in text.splitlines() if not re.match(rf" *({dropped}) *:", line))


def differences(first, second):
    for a, b, sign in (first, second, "-"), (second, first, "+"):
        for text in a:
            if text not in b:
                yield f"    {sign} {text}"


def run_line(line, switches, columns):
    expects_failure = line.startswith("! ")
    words = shlex.split(line[2:] if expects_failure else line)
    processes = [switch.start(words) for switch in switches]
    outputs = [process.communicate() for process in processes]
    results = [(process.returncode, plain(out, words), plain(err, words))
               for process, (out, err) in zip(processes, outputs)]
    problems = []
    if (results[0][0] != 0) != expects_failure:
        problems.append(f"    exit status {results[0][0]}: {outputs[0][1].strip()}")
    if results[0] != results[1]:
        problems += [f"    - {results[0]}", f"    + {results[1]}"]
    end = time.monotonic() + 30
    while True:
        contents = [describe(switch.rows(columns)) for switch in switches]
        if contents[0] == contents[1] or time.monotonic() > end:
            break
        time.sleep(0.05)
    if contents[0] != contents[1]:
        problems += differences(*contents)
    return problems


def commands_without_test(lines):
    """Those that ovs-vsctl itself names, and the options of each."""
    text = subprocess.run(["ovs-vsctl", "--commands"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in text.splitlines():
        options, command, _ = line.split(",", 2)
        tested = [words for words in lines if command in words]
        for option in re.findall(r"\[(--[a-z-]+=?)\]", options):
            if not any(word.startswith(option) for words in tested for word in words):
                yield f"{option} {command}"
        if not tested:
            yield command


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    untested = list(commands_without_test([shlex.split(line) for line in lines]))
    if untested:
        sys.exit("FAIL: not tested: " + ", ".join(untested))
    switches = [Switch(argument) for argument in sys.argv[2:]]
    shared = {table: names & switches[1].columns()[table] - OF_DAEMONS.get(table, set())
              for table, names in switches[0].columns().items() if table in switches[1].columns()}
    n_failed = 0
    for line in lines:
        problems = run_line(line, switches, shared)
        if problems:
            n_failed += 1
            print(f"{line}\n" + "\n".join(problems), flush=True)
    print(f"{len(lines)} lines, {n_failed} with differences")
    sys.exit(n_failed != 0)


if __name__ == "__main__":
    main()
