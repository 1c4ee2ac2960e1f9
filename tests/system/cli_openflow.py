#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does weir print what ovs-ofctl prints, and do what it does?

    cli_openflow.py COMMANDS WEIR RUNDIR VERSION...

The switch has two bridges for each version: br0vVERSION, of which weir is told the words of COMMANDS, and
br0wVERSION, of which ovs-ofctl is.  Outputs, whether both succeed, and so the tables behind them, must be the same.
What is meant to differ stands in DIFFERENT, with the reason.  (In 1.1 ovs-ofctl deletes from table 0 where no table is
named, so it is of no use to compare with.)"""

import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import time

import openflow_commands

# Commands that weir has not, or answers in its own way.
DIFFERENT = [
    (r"dump-(tables|desc|table-features)\b", "weir prints a table"),
    (r"dump-ipfix|ct-flush", "weir has neither: there is nothing to see or to flush"),
    (r"(1[1-4]) dump-groups br0 \d|dump-group-stats br0 \d", "ovs-ofctl takes no number, or prints all groups"),
    (r"10 add-flow br0 actions=goto_table:0", "ovs-ofctl makes a resubmit of it"),
    (r"add-meter br0 meter=4294901760,", "ovs-ofctl wants to be told the unit"),
    (r"snoop", "openflow_snoop compares them"),
    (r"--read-only", "weir has no such mode"),
    (r"mod-port br0 LOCAL", "ovs-ofctl finds no such port"),
    (r"1[1-5] mod-port .*(flood|stp)", "ovs-ofctl does nothing, without a word: only 1.0 can say it"),
    (r"mod-table br0 all", "ovs-ofctl sets one that stands for all"),
    (r"dump-ports-desc br0 \w+", "before 1.5 ovs-ofctl prints all ports; then nothing of one that is not there"),
    (r"add-flow br0 table=6,tp_dst=80,", "ovs-ofctl leaves out, with a warning, what matches nothing"),
    (r"10 (--readd replace-flows|-F NXM.table_id --sort dump)", "ovs-ofctl fails to agree on a format of flows"),
    (r"1[1-5] mod-flows br0 table=1,cookie=0x77", "ovs-ofctl leaves out the cookie, which only 1.0 can change"),
    (r"1[1-5] diff-flows br0 moreflows", "for ovs-ofctl pop_vlan differs from strip_vlan, which is the same"),
    (r"1[0-4] packet-out .*metadata", "ovs-ofctl leaves the metadata out"),
    (r"1[1-4] add-group br0 .*selection_method", "ovs-ofctl leaves out the method, which only 1.0 and 1.5 can say"),
]

# "OFPST_FLOW reply (OF1.3) (xid=0x4): flags=[more]", "OFPT_FEATURES_REPLY (xid=0x2): dpid..."
HEADS = re.compile(r"^(OFP|NX|ONF)\w+ (reply |request )?(\(OF1.\d\) )?\(xid=\w+\):( \d+ (ports|queues)| flags=\[more\])?( |\n)", re.M)


class Weir(openflow_commands.Switch):
    def __init__(self, program, rundir):
        super().__init__(rundir)
        self.program = program

    def start(self, words, timeout=10):
        return subprocess.Popen([self.program, "-t", str(timeout), *words], env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


    def watch(self, words, path):
        """Starts what runs on; what it prints goes to a file.  It has begun when it has something to tell."""
        with open(path, "w", encoding="utf-8") as file:
            process = subprocess.Popen([self.program, *words], env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=file, stderr=subprocess.DEVNULL)
        bridge = words[words.index("monitor") + 1]
        probe = [*words[:2], "packet-out", bridge, "in_port=1 packet=0200000000010200000000029999 actions=controller"]
        end = time.monotonic() + PATIENCE_S
        while process.poll() is None and not os.path.getsize(path) and time.monotonic() < end:
            if not any(word.startswith("watch:") for word in words):
                self.start(probe).communicate()
            time.sleep(0.02)
        return process


class Ofctl(openflow_commands.Switch):
    def start(self, words, timeout=10):
        return subprocess.Popen(["ovs-ofctl", "-t", str(timeout), *words], env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer(process, words):
    out, err = process.communicate()
    out = openflow_commands.plain(HEADS.sub("", re.sub(r"\b(br0|p1|p2)w", r"\1v", out)), words)
    if {"dump-meters", "meter-stats"}.intersection(words):
        out = re.sub(r"^\n", "", out, flags=re.M)  # ovs-ofctl sets meters apart by blank lines.
    if process.returncode and not err and "diff-flows" not in words:
        out += "and fails without a word\n"
    return out, process.returncode, err


PATIENCE_S = 60
PROBES = re.compile(r"^(time: )?\S*PACKET_IN.*\n.*dl_type=0x9999\n", re.M)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        text = PROBES.sub("", openflow_commands.plain(re.sub(r"\b(br0|p1|p2)w", r"\1v", file.read())))
    return re.sub(r"^ovs-ofctl: .*\n", "", text, flags=re.M)


def compare_watched(switches, version, parts, is_silent):
    """What both print of what happens to their bridges."""
    paths = [f"watched.{version}.{letter}" for letter in "vw"]
    processes = [switch.watch(words, path) for switch, words, path in zip(switches, parts[0], paths)]
    try:
        for pair in parts[1:]:
            for switch, words in zip(switches, pair):
                switch.start(words).communicate()
        end = time.monotonic() + PATIENCE_S
        while True:
            texts = [read(path) for path in paths]
            if (texts[0] == texts[1] and (texts[0] or is_silent)) or time.monotonic() > end:
                return texts
            time.sleep(0.05)
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def run_version(switches, version, lines):
    """How many answers there were, and how many differ."""
    n_answers = n_failed = 0
    report = []
    for which, command in lines:
        if int(version) not in openflow_commands.versions(which.lstrip("?")):
            continue
        if any(re.search(pattern, f"{version} {command}") for pattern, _ in DIFFERENT):
            continue
        parts = [[["-O", f"OpenFlow{version}", *shlex.split(re.sub(r"\b(br0|p1|p2)\b", rf"\1{letter}{version}", part))]
                  for letter in "vw"] for part in command.split(" ; ")]
        pair = parts[0]
        if len(parts) > 1:
            is_silent = re.search("invalid_ttl|meter", command) is not None  # Or fails.
            texts = compare_watched(switches, version, parts, is_silent)
            n_answers += 1
            if texts[0] != texts[1] or not (texts[0] or is_silent):
                n_failed += 1
                report += [command, *openflow_commands.difference(*texts)]
            continue
        processes = [switch.start(words) for switch, words in zip(switches, pair)]
        words = pair[0]
        (out1, status1, err1), (out2, status2, err2) = [answer(process, words) for process in processes]
        n_answers += 1
        if "diff-flows" not in words:
            status1, status2 = bool(status1), bool(status2)
        refusal = re.search(r"\b(OFP\w{1,4}FC|OFPBRC|OFPQOFC|NXQOFC)_\w+", out2)
        if refusal and status1 and refusal[0] in err1:
            continue  # ovs-ofctl prints the switch's error for an answer, and is content.
        if out1 == out2 and status1 == status2:
            continue
        n_failed += 1
        report.append(shlex.join(words))
        if status1 != status2:
            report.append(f"    weir: {status1} {err1.strip()[:150]}; ovs-ofctl: {status2} {err2.strip()[:150]}")
        if out1 != out2:
            report += openflow_commands.difference(out1, out2)
    return n_answers, n_failed, report


def main():
    path, program, rundir, *versions = sys.argv[1:]
    switches = Weir(program, rundir), Ofctl(rundir)
    with open(path, encoding="utf-8") as file:
        lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    n_answers = n_failed = 0
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for n, failed, report in pool.map(lambda version: run_version(switches, version, lines), versions):
            print("\n".join(report))
            n_answers, n_failed = n_answers + n, n_failed + failed
    print(f"{n_answers} answers, {n_failed} differ")
    sys.exit(n_failed != 0)


if __name__ == "__main__":
    main()
