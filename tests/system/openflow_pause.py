#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do frames that controller(pause) has stopped go on in Weir as they do in Open vSwitch?

    openflow_pause.py RUNDIR RUNDIR

Each case is flows of br0 and br1, and groups of br0; how many messages the monitors of both bridges hear when a frame comes
to br0, and in which versions of OpenFlow.  What they print must be the same, but for what belongs to a switch.
Left out is what Open vSwitch 3.1 cannot do: instructions behind a pause, which its continuations cannot say, and action
sets, of which it dies."""

import difflib
import os
import re
import subprocess
import sys
import time

FRAME = ("020000000001020000000002080045000028000000004011f96c0a0000010a00000200350035001400000000000000000000"
         "00000000")

CASES = [
    ("tables, stack and registers", "10 13 15", 3,
     ["cookie=0xa,actions=load:5->NXM_NX_REG0[],push:NXM_NX_REG0[],resubmit(,1),output:LOCAL",
      "table=1,cookie=0xb,actions=load:7->NXM_NX_REG1[],controller(userdata=01.02.03,pause,max_len=9),note:01,output:LOCAL,"
      "controller(userdata=04),resubmit(,2)",
      "table=2,cookie=0xc,actions=pop:NXM_NX_REG2[],controller(userdata=05)"], [], []),
    ("a changed frame", "10 13 15", 2,
     ["ip,cookie=0xa,actions=dec_ttl,mod_nw_dst:10.0.0.9,controller(pause,userdata=01),"
      "mod_nw_src:10.0.0.8,controller(userdata=02),exit,controller(userdata=03)"], [], []),
    ("a tag", "13 14", 2,
     ["cookie=0xa,actions=push_vlan:0x8100,set_field:0x1005->vlan_vid,controller(pause,userdata=01),"
      "set_field:0x1006->vlan_vid,controller(userdata=02)"], [], []),
    ("a clone", "10 13 15", 3,
     ["cookie=0xa,actions=load:1->NXM_NX_REG1[],clone(load:2->NXM_NX_REG2[],controller(pause,userdata=01),"
      "controller(userdata=02),resubmit(,1)),controller(userdata=03)",
      "table=1,cookie=0xb,actions=controller(userdata=04)"], [], []),
    ("a clone's table", "10 15", 2,
     ["cookie=0xa,actions=resubmit(,1),controller(userdata=05)",
      "table=1,cookie=0xb,actions=clone(resubmit(,2),controller(userdata=06)),controller(userdata=04)",
      "table=2,cookie=0xc,actions=controller(pause,userdata=01)"], [], []),
    ("twice", "10 13", 3,  # Open vSwitch forgets the cookies of lists around the second one.
     ["cookie=0xa,actions=resubmit(,1)",
      "table=1,cookie=0xb,actions=controller(pause,userdata=01),controller(pause,userdata=02),controller(userdata=03)"],
     [], []),
    ("buckets", "11 13 15", 5,
     ["cookie=0xa,actions=load:1->NXM_NX_REG1[],group:1,controller(userdata=05),resubmit(,1)",
      "table=1,cookie=0xb,actions=controller(userdata=04)",
      "table=3,cookie=0xc,actions=load:6->NXM_NX_REG5[],controller(pause,userdata=01),load:5->NXM_NX_REG7[],resubmit(,4)",
      "table=4,cookie=0xd,actions=controller(userdata=07)"], [],
     ["group_id=1,type=all,bucket=load:4->NXM_NX_REG4[],resubmit(,3),bucket=resubmit(,4)"]),
    ("patch ports", "10 13 15", 3,
     ["cookie=0xa,actions=load:1->NXM_NX_REG1[],output:5,controller(userdata=02)"],
     ["cookie=0xe,actions=load:7->NXM_NX_REG7[],resubmit(,1)",
      "table=1,cookie=0xf,actions=controller(pause,userdata=03),controller(userdata=04)"], []),
    ("what is learned", "10 15", 3,
     ["cookie=0xa,actions=load:3->NXM_NX_REG2[],controller(pause,userdata=01),"
      "learn(table=5,NXM_OF_ETH_SRC[],load:NXM_NX_REG2[]->NXM_NX_REG3[]),controller(userdata=02),resubmit(,6)",
      "table=6,cookie=0xb,actions=controller(userdata=03)"], [], []),
]

ACCIDENTS = [(re.compile(pattern, re.M), "") for pattern in
             [r"xid=0x[0-9a-f]+", r"continuation.bridge=.*", r"^ continuation.odp_port=.*\n", r"^[0-9T:.-]+Z\|.*\n",
              r"^OFPT_BARRIER_REPLY.*\n"]]


class Switch:
    def __init__(self, rundir, name):
        self.environment = dict(os.environ, OVS_RUNDIR=rundir)
        self.name = name

    def ofctl(self, version, *words):
        subprocess.run(["ovs-ofctl", "-vconsole:off", "-O", f"OpenFlow{version}", *words], env=self.environment, check=True,
                       stdin=subprocess.DEVNULL)

    def prepare(self, version, flows, groups):
        for bridge in ("br0", "br1"):
            self.ofctl(version, "del-flows", bridge)
        if version > 10:
            self.ofctl(version, "del-groups", "br0")
        for group in groups:
            self.ofctl(version, "add-group", "br0", group)
        for bridge, lines in flows.items():
            for line in lines:
                self.ofctl(version, "add-flow", bridge, line)

    def monitor(self, version, bridge):
        """A monitor that is listened to: it has an answer to a barrier."""
        path = f"{self.name}.{bridge}"
        control = os.path.abspath(f"{path}.ctl")
        with open(path, "w", encoding="utf-8") as file:
            process = subprocess.Popen(["ovs-ofctl", f"--unixctl={control}", "-O", f"OpenFlow{version}", "-P",
                                        "nxt_packet_in2", "monitor", bridge, "65534", "resume"],
                                       env=self.environment, stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=subprocess.STDOUT)
        end = time.monotonic() + 60
        while subprocess.run(["ovs-appctl", "-t", control, "ofctl/barrier"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, check=False).returncode:
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"FAIL: the monitor of {path} does not start")
            time.sleep(0.02)
        return process

    def heard(self):
        text = ""
        for bridge in ("br0", "br1"):
            with open(f"{self.name}.{bridge}", encoding="utf-8") as file:
                text += f"{bridge}:\n" + file.read()
        n = len(re.findall(r"^NXT_PACKET_IN2|^OFPT_ERROR", text, re.M))
        for pattern, replacement in ACCIDENTS:
            text = pattern.sub(replacement, text)
        return n, text


def run(switch, version, n_messages, flows, groups):
    switch.prepare(version, flows, groups)
    monitors = [switch.monitor(version, bridge) for bridge in ("br0", "br1")]
    try:
        switch.ofctl(version, "packet-out", "br0", f"in_port=1 packet={FRAME} actions=TABLE")
        end = time.monotonic() + 60
        while switch.heard()[0] < n_messages and time.monotonic() < end:
            time.sleep(0.01)
        return switch.heard()[1]
    finally:
        for monitor in monitors:
            monitor.terminate()
            monitor.wait()


def main():
    switches = [Switch(rundir, name) for rundir, name in zip(sys.argv[1:], ("weir", "ovs"))]
    n_failed = n = 0
    for title, versions, n_messages, br0, br1, groups in CASES:
        for version in map(int, versions.split()):
            results = [run(switch, version, n_messages, {"br0": br0, "br1": br1}, groups) for switch in switches]
            n += 1
            if results[0] == results[1]:
                continue
            n_failed += 1
            print(f"{title}, OpenFlow{version}:")
            print("\n".join(line for line in difflib.ndiff(results[0].splitlines(), results[1].splitlines())
                            if line[0] in "-+"))
    print(f"{n} cases, {n_failed} differ")
    sys.exit(bool(n_failed))


if __name__ == "__main__":
    main()
