#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does a flow monitor whose client reads only now and then know the flows in the end, in Weir and in Open vSwitch?

    openflow_monitors.py RUNDIR NAME [ROUNDS [SEED]]

The client follows the updates of a monitor, stalls while others change flows, reads on, and compares what it then knows with
what a dump says: keys, cookies and actions.  For each version it prints how each stall was told, which is the same in both
switches."""

import os
import random
import socket
import struct
import subprocess
import sys

EVENTS = {10: ["ADDED", "DELETED", "MODIFIED", "ABBREV"], 14: ["INITIAL", "ADDED", "DELETED", "MODIFIED", "ABBREV",
                                                               "PAUSED", "RESUMED"]}
NICIRA, ONF = 0x2320, 0x4F4E4600
N_FLOWS = 1500


class Connection:
    def __init__(self, rundir, version):
        self.version = version
        self.wire = version - 9
        self.barrier_reply, self.statistics_reply = (19, 17) if version == 10 else (21, 19)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(f"{rundir}/br0.mgmt")
        self.bytes = b""
        self.say(0, struct.pack("!HHI", 1, 8, 1 << self.wire))
        assert self.hear()[0] == 0

    def say(self, kind, body, xid=1):
        self.socket.sendall(struct.pack("!BBHI", self.wire, kind, 8 + len(body), xid) + body)

    def hear(self):
        """Type, xid and body of the next message."""
        while len(self.bytes) < 8 or len(self.bytes) < struct.unpack("!H", self.bytes[2:4])[0]:
            more = self.socket.recv(1 << 20)
            assert more, "the switch has closed the connection"
            self.bytes += more
        n = struct.unpack("!H", self.bytes[2:4])[0]
        message, self.bytes = self.bytes[:n], self.bytes[n:]
        assert message[0] == self.wire or not message[1]
        assert message[1] != 1, f"an error: {message.hex()}"
        return message[1], struct.unpack("!I", message[4:8])[0], message[8:]

    def ask_statistics(self, number, body):
        """By the number of the extension where it is one (vendor, subtype)."""
        kind = 16 if self.version == 10 else 18
        if isinstance(number, tuple):
            pad = b"" if self.version == 10 else bytes(4)
            self.say(kind, struct.pack("!HH", 0xFFFF, 0) + pad + struct.pack("!II", *number) +
                     (bytes(4) if self.version == 10 else b"") + body)
        else:
            self.say(kind, struct.pack("!HHI", number, 0, 0) + body)

    def statistics(self, body):
        """What is behind the headers, and whether more comes."""
        number, flags = struct.unpack("!HH", body[:4])
        head = 4 if self.version == 10 else 8
        if number == 0xFFFF:
            head += 12 if self.version == 10 else 8
        return body[head:], flags & 1


def as_words(body, at):
    """The length of an OXM match at 'at' with its padding, and its fields."""
    n = struct.unpack("!H", body[at + 2:at + 4])[0]
    return (n + 7) // 8 * 8, body[at + 4:at + n]


class Watcher(Connection):
    """Follows the flows by a monitor."""

    def __init__(self, rundir, version):
        super().__init__(rundir, version)
        self.flows = {}
        self.is_paused = False
        self.n_paused = self.n_resumed = self.n_updates = 0
        everything = 0x1F
        if version == 10:
            self.ask_statistics((NICIRA, 2), struct.pack("!IHHHBx4x", 7, everything, 0xFFFF, 0, 0xFF))
        elif version == 13:
            self.ask_statistics((ONF, 1870), struct.pack("!IHHIB3xHH4x", 7, everything, 4, 0xFFFFFFFF, 0xFF, 1, 4))
        else:
            self.ask_statistics(16, struct.pack("!IIIHBBHH4x", 7, 0xFFFFFFFF, 0xFFFFFFFF, everything, 0xFF, 0, 1, 4))
        self.read()

    def take_update(self, update):
        event = struct.unpack("!H", update[2:4])[0]
        name = EVENTS[10 if self.version < 14 else 14][event]
        self.n_updates += 1
        if name in ("PAUSED", "RESUMED"):
            self.note(name)
            return
        assert name != "ABBREV", "this client changes nothing"
        if self.version >= 14:
            table, priority = update[4], struct.unpack("!H", update[10:12])[0]
        else:
            table, priority = update[14], struct.unpack("!H", update[6:8])[0]
        cookie = update[16:24]
        if self.version == 10:
            n = struct.unpack("!H", update[12:14])[0]
            match, actions = update[24:24 + n], update[24 + (n + 7) // 8 * 8:]
        else:
            n, match = as_words(update, 24)
            actions = update[24 + n:]
        if name == "DELETED":
            self.flows.pop((table, priority, match), None)
        else:
            self.flows[table, priority, match] = cookie, actions

    def note(self, name):
        assert self.is_paused == (name == "RESUMED"), f"{name} comes twice"
        self.is_paused = name == "PAUSED"
        self.n_paused += self.is_paused
        self.n_resumed += not self.is_paused

    def take(self, kind, _, body):
        if kind == 4:
            self.note({(NICIRA, 22): "PAUSED", (NICIRA, 23): "RESUMED", (ONF, 1871): "PAUSED",
                       (ONF, 1872): "RESUMED"}[struct.unpack("!II", body[:8])])
        elif kind == self.statistics_reply:
            updates, _ = self.statistics(body)
            while updates:
                n = struct.unpack("!H", updates[:2])[0]
                self.take_update(updates[:n])
                updates = updates[n:]
        return kind

    def read(self):
        """Everything that there is to hear."""
        while True:
            self.say(18 if self.version == 10 else 20, b"")
            while self.take(*self.hear()) != self.barrier_reply:
                pass
            if not self.is_paused:
                return
            while self.is_paused:
                self.take(*self.hear())


def dump(rundir, version):
    connection = Connection(rundir, version)
    flows = {}
    if version == 10:
        connection.ask_statistics((NICIRA, 0), struct.pack("!HHB3x", 0xFFFF, 0, 0xFF))
    else:
        connection.ask_statistics(1, struct.pack("!B3xII4xQQHH4x", 0xFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 1, 4))
    has_more = True
    while has_more:
        rest, has_more = connection.statistics(connection.hear()[2])
        while rest:
            n = struct.unpack("!H", rest[:2])[0]
            flow, rest = rest[:n], rest[n:]
            if version == 10:
                table, priority, length = flow[2], struct.unpack("!H", flow[12:14])[0], \
                    struct.unpack("!H", flow[18:20])[0]
                key = table, priority, flow[48:48 + length]
                flows[key] = flow[24:32], flow[48 + (length + 7) // 8 * 8:]
            else:
                length, match = as_words(flow, 48)
                flows[flow[2], struct.unpack("!H", flow[12:14])[0], match] = flow[24:32], flow[48 + length:]
    return flows


class Changer:
    """Changes flows at random, through ovs-ofctl."""

    def __init__(self, rundir, version, seed):
        self.rundir, self.version = rundir, version
        self.random = random.Random(seed)

    def give(self, lines):
        subprocess.run(["ovs-ofctl", "-vconsole:off", "-O", f"OpenFlow{self.version}", "add-flows", "br0", "-"],
                       env=dict(os.environ, OVS_RUNDIR=self.rundir), input="\n".join(lines) + "\n", text=True, check=True)

    def key(self, number):
        return f"table={number % 2},priority={number % 5},ip,nw_dst=10.0.{number >> 8}.{number & 255}"

    def actions(self):
        return f"cookie={self.random.randrange(9)},actions=output:{self.random.randrange(1, 9)},note:{'11.' * 400}11"

    def in_order(self):
        """All come; some are removed, some changed, some come again."""
        everything = [self.key(number) for number in range(N_FLOWS)]
        yield [f"add {key},{self.actions()}" for key in everything]
        yield ([f"modify_strict {key},{self.actions()}" for key in everything[:1000]] +
               [f"delete_strict {key}" for key in everything[500:1250]] +
               [f"add {key},{self.actions()}" for key in everything[600:750]])

    def at_random(self, n):
        lines = []
        for _ in range(n):
            number, kind = self.random.randrange(N_FLOWS), self.random.random()
            if kind < 0.6:
                lines.append(f"add {self.key(number)},{self.actions()}")
            elif kind < 0.75:
                lines.append(f"modify_strict {self.key(number)},{self.actions()}")
            elif kind < 0.999:
                lines.append(f"delete_strict {self.key(number)}")
            else:
                lines.append(f"delete ip,nw_dst=10.0.{number >> 8}.0/25")
        return lines


def main():
    rundir, name = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    for version in (10, 13, 14):
        changer = Changer(rundir, version, seed)
        changer.give(["delete"])
        watcher = Watcher(rundir, version)

        def compare(what):
            watcher.read()
            told, there = watcher.flows, dump(rundir, version)
            assert told == there, (f"{name}, OpenFlow {version}, {what}: {len(told)} flows told, {len(there)} there, "
                                   f"e.g. {sorted(set(told.items()) ^ set(there.items()))[:4]}")

        for lines in changer.in_order():
            n_paused = watcher.n_paused
            changer.give(lines)
            compare("in order")
            assert watcher.n_paused > n_paused, f"{name}, OpenFlow {version}: no pause"
        for number in range(rounds):
            changer.give(changer.at_random(changer.random.choice([1, 5, 500, 2000])))
            if changer.random.random() < 0.8:
                compare(f"seed {seed}, round {number}")
        print(f"{name}, OpenFlow {version}: {watcher.n_updates} updates, {watcher.n_paused} pauses")


if __name__ == "__main__":
    main()
