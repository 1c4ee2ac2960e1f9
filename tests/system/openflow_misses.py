#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What do switches say they can do, and who hears of frames that no flow matches, in each version of OpenFlow?

    openflow_misses.py RUNDIR NAMESPACE RUNDIR NAMESPACE

Both switches have br0 with port 1, whose other end is q1 in the namespace.  Features and configurations must be the
same, and what listeners of each version hear of the same frames under the same flows, byte for byte."""

import ctypes
import os
import socket
import subprocess
import sys
import time

from openflow_monitors import Connection

VERSIONS = range(10, 16)
FEATURES_REQUEST, CONFIG_REQUEST, SET_CONFIG, PACKET_IN = 5, 7, 9, 10
FRAME = bytes.fromhex("020000000002" "020000000001" "0800" "45000028000000004011f96c0a0000010a000002" "00350035001400000000") + bytes(20)
MARK = bytes.fromhex("020000000002" "020000000001" "88b5") + bytes(50)  # Always comes, behind what comes of the other.
MARK_FLOW = "priority=9,dl_type=0x88b5,actions=controller"


def goes_to(version):
    return f"table=0,priority=1,ip,actions=goto_table:{version}"


# What is tried; the versions it is tried in; flows; how table VERSION is configured (mod-table).
CASES = [
    ("no flow", VERSIONS, lambda v: [], None),
    ("a flow that drops", VERSIONS, lambda v: ["priority=0,actions=drop"], None),
    ("a flow of priority 0", VERSIONS, lambda v: ["priority=0,actions=controller"], None),
    ("a flow of priority 1", VERSIONS, lambda v: ["priority=1,actions=controller:20"], None),
    ("resubmitted to an empty table", VERSIONS, lambda v: ["priority=1,ip,actions=resubmit(,1)"], None),
    ("sent to an empty table", range(11, 16), lambda v: [goes_to(1)], None),
    ("sent to a table with a miss flow", range(11, 16), lambda v: [goes_to(1), "table=1,priority=0,actions=controller"], None),
    ("sent to one that continues", (11, 12),
     lambda v: [goes_to(v), f"table={v + 1},priority=1,actions=controller"], "continue"),
    ("sent to one that drops", (11, 12), lambda v: [goes_to(v)], "drop"),
    ("sent to one that asks", (11, 12), lambda v: [goes_to(v)], "controller"),
]


class Switch:
    def __init__(self, rundir, namespace):
        self.rundir = rundir
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        away = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        assert not libc.setns(away, 0)
        self.port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.port.bind(("q1", 0))
        assert not libc.setns(home, 0)
        os.close(home)
        os.close(away)

    def ofctl(self, version, *words, lines=()):
        subprocess.run(["ovs-ofctl", "-vconsole:off", "-O", f"OpenFlow{version}", *words], check=True,
                       env=dict(os.environ, OVS_RUNDIR=self.rundir), text=True, input="".join(f"{line}\n" for line in lines))

    def ask(self, version, kind):
        connection = Connection(self.rundir, version)
        connection.say(kind, b"")
        return connection.hear()[2]

    def listener(self, version, n_bytes=0xFFFF):
        connection = Connection(self.rundir, version)
        connection.say(SET_CONFIG, b"\0\0" + n_bytes.to_bytes(2, "big"))
        connection.say(CONFIG_REQUEST, b"")
        assert connection.hear()[2][2:] == n_bytes.to_bytes(2, "big")
        return connection

    def wait(self):
        """A port that was made now loses frames for a while."""
        self.ofctl(10, "add-flow", "br0", MARK_FLOW)
        listener = self.listener(10)
        listener.socket.settimeout(0.2)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.port.send(MARK)
            try:
                return listener.hear()
            except TimeoutError:
                continue
        sys.exit(f"FAIL: {self.rundir}: no frame comes")

    def frames(self, listeners):
        """What each hears until the mark has come."""
        self.port.send(FRAME)
        self.port.send(MARK)
        heard = []
        for listener in listeners:
            heard.append([])
            while not heard[-1] or MARK[6:14] not in heard[-1][-1]:
                kind, _, body = listener.hear()
                assert kind == PACKET_IN, kind
                heard[-1].append(body)
        return [[body.hex() for body in bodies] for bodies in heard]

    def miss(self, case, version, listening):
        """Open vSwitch looks at its caches again when flows change, not when other things do, and not at once."""
        _, _, flows, table = case
        listeners = [self.listener(other) for other in listening]
        if table:
            self.ofctl(version, "mod-table", "br0", str(version), table)
        self.ofctl(version, "add-flows", "br0", "-", lines=["delete"] + flows(version) + [MARK_FLOW])
        subprocess.run(["ovs-appctl", "revalidator/wait"], check=True, env=dict(os.environ, OVS_RUNDIR=self.rundir))
        return self.frames(listeners)


def main():
    switches = [Switch(*sys.argv[i:i + 2]) for i in (1, 3)]
    n = n_failed = 0
    for switch in switches:
        switch.wait()

    def expect(what, answers):
        nonlocal n, n_failed
        n += 1
        if answers[0] != answers[1]:
            n_failed += 1
            print(f"{what}:\n- {answers[0]}\n+ {answers[1]}")

    for version in VERSIONS:
        expect(f"features, {version}", [switch.ask(version, FEATURES_REQUEST)[8:24].hex() for switch in switches])
        expect(f"configuration, {version}", [switch.ask(version, CONFIG_REQUEST).hex() for switch in switches])
        for case in CASES:
            if version in case[1]:
                expect(f"{case[0]}, {version}", [switch.miss(case, version, [version]) for switch in switches])
    for listening in ([10, 13], [12, 15], [13, 14]):
        expect(f"no flow, {listening}", [switch.miss(CASES[0], 10, listening) for switch in switches])
    print(f"{n} comparisons, {n_failed} differ")
    sys.exit(bool(n_failed))


main()
