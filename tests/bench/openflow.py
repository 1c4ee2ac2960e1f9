#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is OpenFlow on Weir beside Open vSwitch?

Both switches run at once, each in a network namespace, and take turns in every round; the client is a socket of ours
that sends messages made beforehand, the same for both, tests/bench/load/openflow_client where what comes back would keep
that busy, or ovs-ofctl where a row says so.  Medians over the rounds, with minimum and maximum.  "ratio" is how often
Weir could do it while Open vSwitch does it once; "CPU" is the same by the processor time of the two daemons (all their
threads), which does not depend on what else the machine does.  "client" is the client with
tests/bench/load/openflow_floor, which answers and does nothing else: no switch can be faster, and what is left of the
ratio when the client's time is taken off both is "net".

    openflow.py BUILD-DIR [--rounds N] [--flows N] [--resident N] [--only TEXT,...]
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import tempfile
import threading
import time

import new_flows

OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
OPENFLOW14 = 5
HELLO, ECHO_REQUEST, ECHO_REPLY, PACKET_OUT, BARRIER = 0, 2, 3, 13, 20
FLOW_MOD = 14
MASKS = 100
SMALL_BUNDLE = 1000  # Beside one of all flows: what a flow costs does not depend on it.


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **options).stdout


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Rss:\s+(\d+)", file.read(), re.M).group(1)) * 1024


def timed(function, *arguments):
    """How many seconds it took; a function that returns a number has taken the time itself."""
    begin = time.monotonic()
    seconds = function(*arguments)
    return seconds if isinstance(seconds, float) else time.monotonic() - begin


class Switch:
    """Daemons in a namespace of their own, with bridge br0 and ports p1 and p2, whose far ends are q1 and q2."""

    def __init__(self, build):
        self.directory = tempfile.mkdtemp(prefix=f"bench-openflow-{self.name}-")
        self.namespace = os.path.basename(self.directory)
        self.environment = dict(os.environ, OVS_RUNDIR=self.directory, OVS_LOGDIR=self.directory,
                                OVS_DBDIR=self.directory)
        self.build = build
        self.database = self.forwarding = None

    def spawn(self, *words, stdout=subprocess.DEVNULL):
        return subprocess.Popen(["ip", "netns", "exec", self.namespace, *words], stdout=stdout,
                                stderr=subprocess.DEVNULL, env=self.environment)

    def wait_for(self, path):
        end = time.monotonic() + 10
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name}: no {path}")
            time.sleep(0.01)

    def start(self):
        run("ip", "netns", "add", self.namespace)
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        self.inside("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        for n in 1, 2:
            self.add_link(n)
        self.start_database()
        self.wait_for(self.directory + "/db.sock")
        self.start_forwarding()
        self.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev", "fail_mode=secure",
                   "--", "add-port", "br0", "p1", "--", "set", "Interface", "p1", "ofport_request=1",
                   "--", "add-port", "br0", "p2", "--", "set", "Interface", "p2", "ofport_request=2")
        self.wait_for(self.directory + "/br0.mgmt")

    def add_link(self, n):
        run("ip", "-n", self.namespace, "link", "add", f"p{n}", "type", "veth", "peer", "name", f"q{n}")
        for end in "pq":
            run("ip", "-n", self.namespace, "link", "set", f"{end}{n}", "up")

    def stop(self):
        for process in self.forwarding, self.database:
            if process:
                process.kill()
                process.wait()
        subprocess.run(["ip", "netns", "del", self.namespace], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def inside(self, *words, **options):
        return run("ip", "netns", "exec", self.namespace, *words, env=self.environment, **options)

    def vsctl(self, *words):
        return run("ovs-vsctl", "-t", 10, *words, env=self.environment)

    def ofctl(self, *words):
        return run("ovs-ofctl", "-t", 120, "-O", "OpenFlow14", *words, env=self.environment)

    def appctl(self, *words):
        return run("ovs-appctl", "-t", f"{self.directory}/ovs-vswitchd.{self.forwarding.pid}.ctl", *words)

    def connect(self):
        """A management connection that speaks OpenFlow 1.4."""
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.directory + "/br0.mgmt")
        connection = Connection(client)
        connection.send(HELLO, b"")
        connection.receive(HELLO)
        return connection

    def client(self, *words):
        """What tests/bench/load/openflow_client says that it took, in seconds."""
        return int(run(self.build + "/tests/bench/load/openflow_client", self.directory + "/br0.mgmt", *words)) / 1e9


class Weir(Switch):
    name = "weir"

    def start_database(self):
        self.database = self.spawn(self.build + "/ovsdb-lite/ovsdb-lite", self.directory + "/conf.db",
                                   f"--remote=punix:{self.directory}/db.sock")

    def start_forwarding(self):
        self.forwarding = self.spawn(self.build + "/vswitchd/vswitchd", f"unix:{self.directory}/db.sock")


class OpenVSwitch(Switch):
    name = "ovs"

    def start_database(self):
        run("ovsdb-tool", "create", self.directory + "/conf.db", OVS_SCHEMA)
        self.database = self.spawn("ovsdb-server", f"--remote=punix:{self.directory}/db.sock",
                                   self.directory + "/conf.db")

    def start_forwarding(self):
        self.vsctl("--no-wait", "init")
        self.forwarding = self.spawn("ovs-vswitchd", f"unix:{self.directory}/db.sock")


class Floor(Switch):
    """No switch at all, but what answers like one; 'statistics' is a file of those of a switch."""
    name = "client"

    def start(self):
        run("ip", "netns", "add", self.namespace)

    def ofctl(self, *words):
        """Nothing has to be prepared."""
        if "dump-flows" in words or "add-flows" in words:
            super().ofctl(*words)

    def serve(self, statistics):
        self.forwarding = self.spawn(self.build + "/tests/bench/load/openflow_floor", self.directory + "/br0.mgmt",
                                     statistics)
        self.wait_for(self.directory + "/br0.mgmt")


class Connection:
    def __init__(self, client):
        self.client = client
        self.file = client.makefile("rb", buffering=1 << 16)

    def send(self, kind, body):
        self.client.sendall(struct.pack("!BBHI", OPENFLOW14, kind, 8 + len(body), 1) + body)

    def receive(self, kind):
        while True:
            _, found, length, _ = struct.unpack("!BBHI", self.file.read(8))
            body = self.file.read(length - 8)
            if found == kind:
                return body
            if found == ECHO_REQUEST:
                self.send(ECHO_REPLY, body)

    def do(self, stream):
        """Sends all of it while reading what comes, until a barrier behind it is answered."""
        sender = threading.Thread(target=self.client.sendall,
                                  args=[stream + struct.pack("!BBHI", OPENFLOW14, BARRIER, 8, 1)])
        sender.start()
        self.receive(BARRIER + 1)
        sender.join()

    def dump(self):
        """All flows, as they come; they are cut into messages only to see the end."""
        match = struct.pack("!HH4x", 1, 4)
        return self.statistics(
            struct.pack("!HH4xB3xII4xQQ", 1, 0, 0xff, 0xffffffff, 0xffffffff, 0, 0) + match)

    def statistics(self, request):
        self.send(18, request)
        messages = []
        while True:
            head = self.file.read(8)
            body = self.file.read(struct.unpack_from("!H", head, 2)[0] - 8)
            if head[1] == ECHO_REQUEST:
                self.send(ECHO_REPLY, body)
                continue
            messages += [head, body]
            if not body[3] & 1:
                return messages

    def close(self):
        self.file.close()
        self.client.close()


# --- What is measured: each takes a switch and returns operations per second, or bytes. --------------------------


def flow_texts(n):
    return (f"table={i % 4},priority={i % 7 + 1},ip,nw_dst=10.{i >> 16}.{i >> 8 & 255}.{i & 255},actions=output:2"
            for i in range(n))


def flow_mod(command, table, priority, address, instructions=b""):
    match = struct.pack("!HHHHH", 0x8000, 5 << 9 | 2, 0x0800, 0x8000, 12 << 9 | 4) + address if address else b""
    match = struct.pack("!HH", 1, 4 + len(match)) + match
    match += bytes(-len(match) % 8)
    body = struct.pack("!QQBBHHHIIIHH", 0, 0, table, command, 0, 0, priority, 0xffffffff, 0xffffffff, 0xffffffff, 0,
                       0) + match + instructions
    return struct.pack("!BBHI", OPENFLOW14, FLOW_MOD, 8 + len(body), 1) + body


OUTPUT_2 = struct.pack("!HHIH6x", 0, 16, 2, 0xffff)
APPLY_OUTPUT_2 = struct.pack("!HH4x", 4, 8 + len(OUTPUT_2)) + OUTPUT_2
ADD, DELETE, ALL_TABLES = 0, 3, 0xff


def adding_flow(i):
    return flow_mod(ADD, i % 4, i % 7 + 1, struct.pack("!I", 0x0a000000 + i), APPLY_OUTPUT_2)


def bundled(message):
    body = struct.pack("!IHH", 1, 0, 3) + message
    return struct.pack("!BBHI", OPENFLOW14, 34, 8 + len(body), 1) + body


def bundle_control(kind):
    return struct.pack("!BBHIIHH", OPENFLOW14, 33, 16, 1, 1, kind, 3)


def measure_tables(switch, streams, results):
    n = results.n_flows
    delete_all = flow_mod(DELETE, ALL_TABLES, 0, b"")
    few = [flow_mod(DELETE, ALL_TABLES, 0, struct.pack("!I", 0x0a000000 + i * 499)) for i in range(200)]
    with switch_connection(switch) as connection:
        def measure(what, stream, n_done=n):
            results.measure(what, switch, n_done, connection.do, stream)

        connection.do(delete_all)
        measure("add of many flows, flows/s", streams["add"])
        measure("add of many equal ones, flows/s", streams["add"])
        results.measure("dump, flows/s", switch, n, switch.client, "dump")
        results.measure("dump by ovs-ofctl, flows/s", switch, n, switch.ofctl, "dump-flows", "br0")
        measure("loose delete of one among many, 1/s", b"".join(few), len(few))
        measure("delete of all, flows/s", delete_all)
        measure("add in one bundle, flows/s", streams["bundle"])
        measure("replace by equals in one bundle, flows/s", streams["bundle"])
        connection.do(delete_all)
        measure(f"add in bundles of {SMALL_BUNDLE}, flows/s", streams["bundles"])
        connection.do(delete_all)


def add_by_ofctl(switch, files, results):
    for how in (), ("--bundle",):
        what = " ".join(("ovs-ofctl", *how, "add-flows, flows/s"))
        results.measure(what, switch, results.n_flows, switch.ofctl, *how, "add-flows", "br0", files["some"])
    switch.ofctl("del-flows", "br0")


def record_dump(switch, streams, path):
    """What a dump is, for the floor to repeat."""
    with switch_connection(switch) as connection, open(path, "wb") as file:
        connection.do(streams["add"])
        file.writelines(connection.dump())
        for kind in 12, 13:  # Features of tables, descriptions of ports: ovs-ofctl asks.
            file.writelines(connection.statistics(struct.pack("!HH4x", kind, 0)))
        connection.do(flow_mod(DELETE, ALL_TABLES, 0, b""))
    return path


class switch_connection:
    def __init__(self, switch):
        self.switch = switch

    def __enter__(self):
        self.connection = self.switch.connect()
        return self.connection

    def __exit__(self, *_):
        self.connection.close()


FRAME = bytes.fromhex("020000000002020000000001" "0800" "4500001c000000004011"
                      "66cd" "0a000001" "0a000002" "10001000" "00080000")


def packet_out(actions, frame=FRAME):
    actions = b"".join(actions)
    return struct.pack("!IIH6x", 0xffffffff, 1, len(actions)) + actions + frame


OUTPUT_TABLE = struct.pack("!HHIH6x", 0, 16, 0xfffffff9, 0xffff)


def packet_ins(switch, results):
    """Frames go out to the controller and come back as packet-ins."""
    n = 10000
    switch.ofctl("del-flows", "br0")
    for what, n_frames, batch in ("one", n, 1), ("50", 8 * n, 50):
        results.measure(f"packet-in round trips, {what} at a time/s", switch, n_frames, switch.client, "packet-in",
                        n_frames, batch)


def many_masks(switch, results, files):
    """Frames of the controller walk a table with 100 masks of which only the last fits."""
    n, batch = 20000, 500
    switch.ofctl("del-flows", "br0")
    switch.ofctl("add-flows", "br0", files["masks"])
    with switch_connection(switch) as connection:
        message = packet_out([OUTPUT_TABLE])
        message = struct.pack("!BBHI", OPENFLOW14, PACKET_OUT, 8 + len(message), 1) + message

        def do():
            for _ in range(n // batch):
                connection.client.sendall(message * batch)
                connection.send(BARRIER, b"")
                connection.receive(BARRIER + 1)

        results.measure(f"packet-outs through {MASKS} masks/s", switch, n, do)
    switch.ofctl("del-flows", "br0")


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond; /proc/PID/stat has hundredths of a second."""
    threads = f"/proc/{pid}/task"
    total = 0
    for thread in os.listdir(threads):
        with open(f"{threads}/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def resident(switch, results):
    piece = 100000
    before = resident_bytes(switch.forwarding.pid)
    with switch_connection(switch) as connection:
        for first in range(0, results.n_resident, piece):
            connection.do(b"".join(map(adding_flow, range(first, first + piece))))
        time.sleep(2)  # What readers may have been looking at is given back.
        bytes_each = (resident_bytes(switch.forwarding.pid) - before) / results.n_resident
        results.add(f"bytes for each of {results.n_resident} flows", switch, bytes_each)
        connection.do(flow_mod(DELETE, ALL_TABLES, 0, b""))


# --- The report ---------------------------------------------------------------------------------------------------


class Results:
    def __init__(self, n_flows, n_resident, only):
        self.n_flows, self.n_resident, self.only = n_flows, n_resident, only
        self.values, self.seconds = {}, {}
        self.first_new_flow = 0

    def add(self, what, switch, value):
        self.values.setdefault(what, {}).setdefault(switch.name, []).append(value)

    def measure(self, what, switch, n, function, *arguments):
        """'n' operations, by the clock and by the daemon's processor time."""
        cpu = cpu_seconds(switch.forwarding.pid)
        self.add(what, switch, n / timed(function, *arguments))
        time.sleep(0.1)  # Other threads of it free what was given up.
        self.seconds.setdefault(what, {}).setdefault(switch.name, []).append(
            cpu_seconds(switch.forwarding.pid) - cpu)

    def wants(self, what):
        return not self.only or any(text in what for text in self.only.split(","))

    def cpu_ratio(self, what):
        seconds = self.seconds.get(what)
        return sum(seconds["ovs"]) / max(sum(seconds["weir"]), 1e-6) if seconds else None

    @staticmethod
    def net_ratio(medians):
        if "client" not in medians:
            return None
        weir, ovs = (1 / medians[name] - 1 / medians["client"] for name in ("weir", "ovs"))
        return ovs / weir if weir > 0 else None

    def print(self):
        print(f"{'':44} {'Weir':>30} {'Open vSwitch':>30} {'client':>10} {'ratio':>6} {'CPU':>6} {'net':>6}")
        for what, values in self.values.items():
            medians = {name: statistics.median(list_) for name, list_ in values.items()}
            texts = [f"{medians[name]:,.0f} ({min(values[name]):,.0f}-{max(values[name]):,.0f})"
                     for name in ("weir", "ovs")]
            ratio = medians["weir"] / max(medians["ovs"], 1)
            if what.startswith("bytes"):
                ratio = 1 / max(ratio, 0.001)
            client = f"{medians['client']:,.0f}" if "client" in medians else ""
            others = [f"{x:6.1f}" if x else " " * 6 for x in (self.cpu_ratio(what), self.net_ratio(medians))]
            print(f"{what:44} {texts[0]:>30} {texts[1]:>30} {client:>10} {ratio:6.1f} {' '.join(others)}")


def write_lines(path, lines):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def write_files(directory, n_flows):
    masks = (f"priority={i + 1},ip,nw_src=198.51.100.7/{32 - i % 25},nw_dst=203.0.113.9/{32 - i // 25 * 3},actions=2"
             for i in range(MASKS))
    return {
        "some": write_lines(directory + "/some", flow_texts(n_flows)),
        "masks": write_lines(directory + "/masks", masks),
    }


def make_streams(n_flows):
    adds = [adding_flow(i) for i in range(n_flows)]

    def in_bundle(messages):
        return bundle_control(0) + b"".join(map(bundled, messages)) + bundle_control(2) + bundle_control(4)

    return {
        "add": b"".join(adds),
        "bundle": in_bundle(adds),
        "bundles": b"".join(in_bundle(adds[i:i + SMALL_BUNDLE]) for i in range(0, n_flows, SMALL_BUNDLE)),
    }


def play_round(switch, files, streams, results):
    is_switch = not isinstance(switch, Floor)
    if results.wants("tables"):
        measure_tables(switch, streams, results)
    if results.wants("ovs-ofctl"):
        add_by_ofctl(switch, files, results)
    if results.wants("packet-in"):
        packet_ins(switch, results)
    if results.wants("packet-out"):
        many_masks(switch, results, files)
    if results.wants("new flows") and is_switch:
        new_flows.measure(switch, results, None, 0)
        new_flows.measure(switch, results, files["masks"], MASKS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flows", type=int, default=100000)
    parser.add_argument("--resident", type=int, default=1000000)
    parser.add_argument("--only", default="", metavar="TEXT,...",
                        help="of: resident, tables, ovs-ofctl, packet-in, packet-out, new flows")
    arguments = parser.parse_args()
    results = Results(arguments.flows, arguments.resident, arguments.only)
    build = os.path.abspath(arguments.build)
    weir, ovs, floor = switches = [Weir(build), OpenVSwitch(build), Floor(build)]
    directory = tempfile.mkdtemp(prefix="bench-openflow-")
    try:
        files = write_files(directory, arguments.flows)
        streams = make_streams(arguments.flows)
        for switch in switches:
            switch.start()
        for switch in weir, ovs:  # First, while nothing that was freed can be used again.
            if results.wants("resident"):
                resident(switch, results)
        if results.wants("new flows"):
            for switch in weir, ovs:
                new_flows.add_ports(switch)
        floor.serve(record_dump(weir, streams, directory + "/dump"))
        for _ in range(arguments.rounds):
            for switch in switches:
                play_round(switch, files, streams, results)
        results.print()
    finally:
        for switch in switches:
            switch.stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
