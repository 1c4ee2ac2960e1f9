#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does ovs-ofctl find with Weir what it finds with Open vSwitch, whatever it is asked?

    openflow_commands.py COMMANDS RUNDIR RUNDIR

Each version has bridge br0vVERSION with ports p1vVERSION and p2vVERSION, called br0, p1 and p2 in COMMANDS.
Each line of COMMANDS is the versions it is for, and words for ovs-ofctl: they are given to both switches, in every one
of these versions, and must print the same and end with the same status.  A "?" before the versions says that this is
known not to be so (docs/differences-from-ovs.md), and a "#" behind the words why: what differs is printed, and fails only
if it does not differ in any version.  "monitor" and "snoop" run on while the commands behind each ";" do something to be
seen.  What any two switches differ in (times, addresses, counters of devices, numbers of requests) is left out."""

import collections
import concurrent.futures
import difflib
import os
import re
import shlex
import subprocess
import sys
import time

ACCIDENTS = [(re.compile(pattern, re.M), replacement) for pattern, replacement in [
    (r"xid=0x[0-9a-f]+", "xid"), (r"duration=[0-9.]+s", "duration"), (r"duration:[0-9.]+s?", "duration"),
    (r"\b(hard|idle)_age=[0-9]+, ?", ""), (r"addr:[0-9a-f:]+", "addr"), (r"^[0-9T:.-]+Z\|[0-9]+\|", ""),
    (r"^[0-9-]{10} [0-9:]{8}\.[0-9]{3}: ", "time: "),
    (r"unix:\S*/", ""), (r"(pkts|bytes|drop|errs|frame|over|crc|coll)=[0-9?]+", r"\1"),
    (r"^  +CUSTOM Statistics(\n +\S+=.*)*\n?", ""), (r"xid=\S+ time=.*", "xid"),
    (r"^Finished in .*", "Finished"), (r"^ofp_table\|WARN\|bad table miss config.*\n", ""),
    (r"lookup=[0-9]+, matched=[0-9]+", "lookup, matched"),
    (r"continuation.bridge=.*", ""), (r"^ continuation.odp_port=.*\n", ""),
    (r"^(time: )?OFPT_BARRIER_REPLY.*\n", ""),  # Of watch().
    # How far ovs-ofctl comes with a socket that is closed on it.
    (r"\S+: failed to (connect to|open) socket \(.*\)", "failed to connect"),
    # Limits that are the switch's own (docs/differences-from-ovs.md).
    (r"max option space=[0-9]+", "max option space"), (r"max_groups=0x[0-9a-f]+", "max_groups"),
    # What the bridge itself is described as.
    (r"^(Manufacturer|Hardware|Software): .*", r"\1"), (r"manufacturer.*", ""),
]]


SORTED = {"dump-ports", "dump-ports-desc", "dump-flows", "replace-flows", "diff-flows",
          "dump-groups", "dump-group-stats", "dump-meters", "meter-stats"}  # Nobody promises an order among equals.


def plain(text, words=()):
    for pattern, replacement in ACCIDENTS:
        text = pattern.sub(replacement, text)
    if SORTED.intersection(words):
        text = "\n".join(sorted(text.splitlines())) + "\n"
    return text


class Switch:
    def __init__(self, rundir):
        self.environment = dict(os.environ, OVS_RUNDIR=rundir)

    def start(self, words, timeout=10):
        return subprocess.Popen(["ovs-ofctl", "-t", str(timeout), *words], env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def watch(self, words, path):
        """Starts what runs on; what it prints goes to a file."""
        control = os.path.abspath(path + ".ctl")
        with open(path, "w", encoding="utf-8") as file:
            process = subprocess.Popen(["ovs-ofctl", f"--unixctl={control}", *words], env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        if "monitor" in words:  # When it has an answer, the switch has heard what it asked for before.
            for _ in range(600):
                if process.poll() is not None or subprocess.run(
                        ["ovs-appctl", "-t", control, "ofctl/barrier"], stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL, check=False).returncode == 0:
                    break
                time.sleep(0.05)
        return process


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return plain(file.read())


def answers(switches, words):
    processes = [switch.start(words) for switch in switches]
    outputs = [process.communicate()[0] for process in processes]
    return [plain(out, words) + (f"exit status {process.returncode}\n" if process.returncode else "")
            for process, out in zip(processes, outputs)]


def watched(switches, words, commands, name, patience):
    paths = [f"{name}.{i}" for i in range(len(switches))]
    processes = [switch.watch(words, path) for switch, path in zip(switches, paths)]
    try:
        for command in commands:
            for switch in switches:
                switch.start(command).communicate()
        end = time.monotonic() + patience
        while True:
            texts = [read(path) for path in paths]
            if (texts[0] == texts[1] and texts[0]) or time.monotonic() > end:
                return texts
            time.sleep(0.05)
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def versions(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def commands_without_test(tested):
    text = subprocess.run(["ovs-ofctl", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    named = set(re.findall(r"^  (?:\[--may-create\] )?([a-z-]+) (?:SWITCH|TARGET|SOURCE1|FILE|PCAP)", text, re.M))
    return sorted(named - tested - {"ofp-parse", "ofp-parse-pcap"})


def difference(ours, theirs):
    """Lines that only one of them has; of many the first ones."""
    lines = [f"    {line}" for line in difflib.ndiff(ours.splitlines(), theirs.splitlines()) if line[0] in "-+"]
    return lines[:8]


def run_version(switches, version, commands):
    """What there is to say, how many answers differ that should not, and which commands have differed."""
    report, n_failed, differed = [], 0, set()
    for line, may_differ in commands:
        command = re.sub(r"\b(br0|p1|p2)\b", rf"\1v{version}", line)
        parts = [["-O", f"OpenFlow{version}", *shlex.split(part)] for part in command.split(" ; ")]
        if len(parts) > 1:
            results = watched(switches, parts[0], parts[1:], f"watched.{version}", 0.3 if may_differ else 3)
        else:
            results = answers(switches, parts[0])
        if results[0] == results[1]:
            continue
        n_failed += not may_differ
        differed.add(line)
        report.append(f"{shlex.join(parts[0])}{' (known)' if may_differ else ''}\n" +
                      "\n".join(difference(*results)))
    return report, n_failed, differed


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    switches = [Switch(rundir) for rundir in sys.argv[2:]]
    by_version = collections.defaultdict(list)
    tested, marked = set(), set()
    for which, words in lines:
        words, _, reason = words.strip().partition(" # ")
        may_differ = which.startswith("?")
        if may_differ != bool(reason):
            sys.exit(f"FAIL: a mark and a reason belong together: {words}")
        marked.update([words] if may_differ else [])
        tested.update(shlex.split(words))
        for version in versions(which.lstrip("?")):
            by_version[version].append((words, may_differ))
    untested = commands_without_test(tested)
    if untested:
        sys.exit("FAIL: not tested: " + ", ".join(untested))
    n_failed = n_differ = 0
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for report, n, differed in pool.map(lambda item: run_version(switches, *item), sorted(by_version.items())):
            n_failed += n
            n_differ += len(report)
            marked -= differed
            print("\n".join(report), flush=True)
    for words in marked:
        print(f"{words}: marked, and does not differ")
    print(f"{sum(map(len, by_version.values()))} answers, {n_failed} differ, and {n_differ - n_failed} that are known to")
    sys.exit(n_failed != 0 or bool(marked))


if __name__ == "__main__":
    main()
