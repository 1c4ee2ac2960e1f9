#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says the same as controller of br0 to each switch, and compares what "ovs-ofctl snoop br0" prints; and
"weir snoop br0", for the first switch.

    openflow_snoop.py RUNDIR RUNDIR WEIR

The controller speaks OpenFlow 1.3, is lost, and comes back with 1.0: the snooper stays."""

import difflib
import os
import re
import socket
import struct
import subprocess
import sys
import time

HELLO, ECHO_REQUEST, ECHO_REPLY, FEATURES, SET_CONFIG, BARRIER = 0, 2, 3, 5, 9, 20
PATIENCE_S = 60


def message(version, kind, xid, body=b""):
    return struct.pack(">BBHI", version, kind, 8 + len(body), xid) + body


CONVERSATIONS = [(4, [(ECHO_REQUEST, b"hello"), (FEATURES, b""), (SET_CONFIG, struct.pack(">HH", 0, 100)),
                      (99, b""), (18, struct.pack(">HHI", 0, 0, 0)), (BARRIER, b"")]),
                 (1, [(FEATURES, b""), (4, struct.pack(">II", 0x2320, 10) + struct.pack(">I", 2)),
                      (18, b"")])]  # The barrier of 1.0.

ACCIDENTS = [(re.compile(pattern, re.M), replacement) for pattern, replacement in [
    (r"^(Manufacturer|Hardware|Software): .*", r"\1"), (r"dpid:[0-9a-f]+", "dpid"), (r"addr:[0-9a-f:]+", "addr"),
    (r"^ +(speed|current|config|state): .*\n", ""), (r"^capabilities: .*", "capabilities"), (r"^(actions|DP Description): .*", r"\1"),
    (r"^[0-9T:.-]+Z\|.*\n", ""),
    (r"^ LOCAL\(br0\): addr\n", ""),
]]


class Controller:
    def __init__(self, rundir, name):
        self.path = os.path.join(rundir, f"{name}.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(5)
        self.listener.settimeout(PATIENCE_S)

    def accept(self, version):
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(PATIENCE_S)
        self.version, self.input = version, b""
        self.peer.sendall(message(version, HELLO, 1))
        self.hear(HELLO)

    def hear(self, kind):
        """Reads up to a message of this kind."""
        while True:
            while len(self.input) < 8 or len(self.input) < struct.unpack(">H", self.input[2:4])[0]:
                data = self.peer.recv(65536)
                if not data:
                    raise EOFError("the switch has left")
                self.input += data
            length = struct.unpack(">H", self.input[2:4])[0]
            one, self.input = self.input[:length], self.input[length:]
            if one[1] == ECHO_REQUEST:
                self.peer.sendall(message(self.version, ECHO_REPLY, struct.unpack(">I", one[4:8])[0], one[8:]))
            if one[1] == kind:
                return

    def converse(self, messages, first_xid):
        for i, (kind, body) in enumerate(messages):
            self.peer.sendall(message(self.version, kind, first_xid + i, body))
        self.hear(21 if self.version >= 2 else 19)


def snoop(rundir, program):
    name = os.path.basename(program)
    environment = dict(os.environ, OVS_RUNDIR=rundir)
    subprocess.run(["ovs-vsctl", "-t", "10", "set-controller", "br0", f"unix:{rundir}/{name}.sock",
                    "--", "set", "Controller", "br0", "max_backoff=1000", "inactivity_probe=60000",
                    "enable_async_messages=false"],
                   env=environment, check=True)
    controller = Controller(rundir, name)
    path = os.path.join(rundir, f"{name}.out")
    process = None
    try:
        for number, (version, messages) in enumerate(CONVERSATIONS):
            controller.accept(version)
            if not process:
                controller.converse([(BARRIER, b"")], 0x77770000)  # Now the switch has our hello, too.
                process = start(program, path, environment)
                wait_for_snooper(controller, path)
            xid = 0x100 * (number + 1)
            controller.converse(messages, xid)
            wait_for(path, f"xid=0x{xid + len(messages) - 1:x}", 2)  # Request and reply.
            controller.peer.close()
        with open(path, encoding="utf-8") as file:
            return plain(file.read())
    finally:
        if process:
            process.kill()
            process.wait()


def start(program, path, environment):
    with open(path, "w", encoding="utf-8") as file:
        return subprocess.Popen([program, "snoop", "br0"], env=environment, stdin=subprocess.DEVNULL, stdout=file,
                                stderr=subprocess.STDOUT)


def wait_for(path, text, count):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with open(path, encoding="utf-8") as file:
            if file.read().count(text) >= count:
                return
        time.sleep(0.02)
    raise TimeoutError(f"{text} is not seen")


def wait_for_snooper(controller, path):
    """Says something to be seen until it is."""
    for xid in range(1, PATIENCE_S * 20):
        controller.peer.sendall(message(controller.version, BARRIER, 0x77770000 + xid))
        controller.hear(21)
        time.sleep(0.05)
        with open(path, encoding="utf-8") as file:
            if "0x7777" in file.read():
                return
    raise TimeoutError("the snooper sees nothing")


def plain(text):
    for pattern, replacement in ACCIDENTS:
        text = pattern.sub(replacement, text)
    lines = text.splitlines()
    while lines and "0x7777" in lines[0]:
        lines.pop(0)
    return [line for line in lines if "0x7777" not in line]


def main():
    ours, theirs, weir = sys.argv[1:]
    expected = snoop(theirs, "ovs-ofctl")
    if not expected:
        sys.exit("nothing is seen")
    for program in "ovs-ofctl", weir:
        text = snoop(ours, program)
        if text != expected:
            sys.exit("\n".join([program, *difflib.ndiff(text, expected)]))


if __name__ == "__main__":
    main()
