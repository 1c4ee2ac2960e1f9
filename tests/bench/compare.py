#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is Weir beside the Linux bridge and Open vSwitch, in the same run on the same machine?

Each switch connects two network namespaces by veth pairs, all offloads on (off for Open vSwitch as
shipped, which cannot pass TCP otherwise).  The switches take turns in every round, so that a
drift of the machine's speed meets all of them; what is printed is the median over the rounds, with
minimum and maximum, and the ratio of medians to the bridge and to Open vSwitch as shipped.

    compare.py BUILD-DIR [--rounds N] [--seconds N] [--only NAME,NAME] [--skip-tables]
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

NS = "weir-bench"
H1, H2 = NS + "-h1", NS + "-h2"
H2_MAC = "02:00:00:00:00:02"


def sh(*words, check=True, **options):
    return subprocess.run([str(w) for w in words], check=check, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **options)


def in_ns(ns, *words, **options):
    return sh("ip", "netns", "exec", ns, *words, **options)


def start(ns, *words, **options):
    return subprocess.Popen(["ip", "netns", "exec", ns] + [str(w) for w in words], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)


def wait_for(condition, seconds=10, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.002)
    raise RuntimeError("timed out waiting for " + what)


class Topology:
    """h1 --veth-- (p1 switch p2) --veth-- h2"""

    def __enter__(self):
        self.close()
        for ns in NS, H1, H2:
            sh("ip", "netns", "add", ns)
            sh("ip", "-n", ns, "link", "set", "lo", "up")
        for n, ns in (1, H1), (2, H2):
            sh("ip", "-n", NS, "link", "add", f"p{n}", "type", "veth", "peer", "name", "eth0",
               "netns", ns)
            sh("ip", "-n", ns, "link", "set", "eth0", "address", f"02:00:00:00:00:0{n}", "up")
            sh("ip", "-n", ns, "addr", "add", f"10.9.0.{n}/16", "dev", "eth0")
            sh("ip", "-n", NS, "link", "set", f"p{n}", "up")
        return self

    def close(self):
        for ns in H1, H2, NS:
            pids = sh("ip", "netns", "pids", ns, check=False).stdout.split()
            if pids:
                sh("kill", *pids, check=False)
                time.sleep(0.2)
            sh("ip", "netns", "del", ns, check=False)

    def __exit__(self, *_):
        self.close()


class Bridge:
    name = "bridge"

    def start(self):
        sh("ip", "-n", NS, "link", "add", "br0", "type", "bridge")
        sh("ip", "-n", NS, "link", "set", "br0", "up")
        for port in "p1", "p2":
            sh("ip", "-n", NS, "link", "set", port, "master", "br0")

    def stop(self):
        sh("ip", "-n", NS, "link", "del", "br0")


class Daemons:
    """What Weir and Open vSwitch have in common: a run directory and two daemons in the namespace."""

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        for link in "br0", "ovs-netdev":
            sh("ip", "-n", NS, "link", "del", link, check=False)
        shutil.rmtree(self.rundir, ignore_errors=True)

    def spawn(self, *words):
        process = subprocess.Popen(["ip", "netns", "exec", NS] + [str(w) for w in words],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=self.environment)
        self.processes.append(process)
        return process

    def tool(self, *words, **options):
        return in_ns(NS, *words, env=self.environment, **options)

    def prepare(self):
        self.processes = []
        self.rundir = tempfile.mkdtemp(prefix="weir-bench-")
        self.environment = dict(os.environ, OVS_RUNDIR=self.rundir, OVS_LOGDIR=self.rundir,
                                OVS_DBDIR=self.rundir,
                                PATH=self.path() + os.environ["PATH"])

    def pid(self):
        with open(self.rundir + "/ovs-vswitchd.pid") as file:
            return int(file.read())

    def has(self, *names):
        return all(os.path.exists(f"{self.rundir}/{name}") for name in names)


class Ovs(Daemons):
    flow_tool = "ovs-ofctl"

    def __init__(self, name, tso):
        self.name, self.tso = name, tso

    def path(self):
        return ""

    def start(self):
        self.prepare()
        if not self.tso:
            for ns, device in (H1, "eth0"), (H2, "eth0"), (NS, "p1"), (NS, "p2"):
                in_ns(ns, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off")
        database, socket = self.rundir + "/conf.db", f"unix:{self.rundir}/db.sock"
        self.tool("ovsdb-tool", "create", database,
                  "/usr/share/openvswitch/vswitch.ovsschema")
        self.spawn("ovsdb-server", database, f"--remote=p{socket}",
                   f"--pidfile={self.rundir}/ovsdb-server.pid", "--no-chdir")
        wait_for(lambda: self.has("db.sock"), what="ovsdb-server")
        self.tool("ovs-vsctl", "--no-wait", "init")
        if self.tso:
            self.tool("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".",
                      "other_config:userspace-tso-enable=true")
        self.spawn("ovs-vswitchd", socket, f"--pidfile={self.rundir}/ovs-vswitchd.pid",
                   "--no-chdir")
        wait_for(lambda: self.has("ovs-vswitchd.pid"), what="ovs-vswitchd")
        self.tool("ovs-vsctl", "add-br", "br0", "--", "set", "bridge", "br0",
                  "datapath_type=netdev", "--", "add-port", "br0", "p1", "--", "add-port", "br0",
                  "p2")

    def stop(self):
        super().stop()
        if not self.tso:
            for ns, device in (H1, "eth0"), (H2, "eth0"), (NS, "p1"), (NS, "p2"):
                in_ns(ns, "ethtool", "-K", device, "tx", "on", "tso", "on", "gso", "on")


class Weir(Daemons):
    name = "weir"
    flow_tool = "weir"

    def __init__(self, build):
        self.build = build

    def path(self):
        return "".join(f"{self.build}/{part}:" for part in ("cli", "vswitchd", "ovsdb-lite"))

    def start(self):
        self.prepare()
        database, socket = self.rundir + "/conf.db", f"unix:{self.rundir}/db.sock"
        self.spawn("ovsdb-lite", database, f"--remote=p{socket}", "--pidfile", "--no-chdir")
        wait_for(lambda: self.has("db.sock"), what="ovsdb-lite")
        self.spawn("vswitchd", socket, "--pidfile", "--no-chdir")
        wait_for(lambda: self.has("ovs-vswitchd.pid"), what="vswitchd")
        self.tool("weir", "add-br", "br0", "--", "add-port", "br0", "p1", "--", "add-port", "br0",
                  "p2")


# What is measured.  Each returns {row name: value}; a larger value is better where 'higher' says so.

def warm_up():
    wait_for(lambda: in_ns(H1, "ping", "-c", "1", "-W", "1", "10.9.0.2", check=False).returncode
             == 0, what="the first ping")


def measure_tcp(streams, seconds):
    server = start(H2, "iperf3", "-s", "-1")
    time.sleep(0.3)
    try:
        out = in_ns(H1, "iperf3", "-c", "10.9.0.2", "-P", streams, "-t", seconds, "-O", "1", "-J",
                    check=False, timeout=seconds + 20).stdout
        bits = json.loads(out)["end"]["sum_received"]["bits_per_second"]
    finally:
        server.terminate()
        server.wait()
    return {f"tcp_{streams}_gbps": bits / 1e9}


def measure_frames(build, n_flows, seconds):
    load = build + "/tests/bench/load/load"
    # Frames that an XDP program redirects are only taken by a veth that does GRO.
    in_ns(NS, "ethtool", "-K", "p1", "gro", "on")
    # The stations are known, so frames are forwarded and not flooded.
    in_ns(H1, "ping", "-c", "1", "-W", "1", "10.9.0.2", check=False)
    receiver = start(H2, load, "receive", "eth0", seconds)
    time.sleep(0.5)
    in_ns(H1, load, "send", "eth0", seconds + 1, n_flows, 64, H2_MAC)
    in_ns(NS, "ethtool", "-K", "p1", "gro", "off")
    return {f"frames_{n_flows}_mpps": int(receiver.communicate()[0]) / 1e6}


def measure_round_trip(build, seconds):
    tool = build + "/tests/bench/load/round_trip"
    server = start(H2, tool, "serve", 9000)
    time.sleep(0.2)
    try:
        median, p99 = in_ns(H1, tool, "ask", "10.9.0.2", 9000, seconds).stdout.split()
    finally:
        server.kill()
        server.wait()
    return {"round_trip_us": int(median) / 1e3, "round_trip_p99_us": int(p99) / 1e3}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Rss:\s+(\d+)", file.read(), re.M).group(1)) * 1024


def measure_idle(switch, seconds=10):
    time.sleep(1)
    before = cpu_seconds(switch.pid())
    time.sleep(seconds)
    return {"idle_cpu_percent": 100 * (cpu_seconds(switch.pid()) - before) / seconds}


def measure_flow_mods(switch, n_flows=100000):
    with tempfile.NamedTemporaryFile("w", suffix=".flows") as file:
        for i in range(n_flows):
            file.write(f"table=1,priority=100,tcp,nw_src=10.{i >> 16}.{i >> 8 & 255}.{i & 255},"
                       f"tp_dst={1 + i % 1000},actions=mod_nw_tos:32,output:{1 + i % 2}\n")
        file.flush()
        before = rss_bytes(switch.pid())
        begin = time.monotonic()
        switch.tool(switch.flow_tool, "add-flows", "br0", file.name)
        took = time.monotonic() - begin
        out = switch.tool("ovs-ofctl", "dump-aggregate", "br0", "table=1").stdout
        found = int(re.search(r"flow_count=(\d+)", out).group(1))
        if found != n_flows:
            raise RuntimeError(f"{switch.name}: {found} flows instead of {n_flows}")
        grown = rss_bytes(switch.pid()) - before
        switch.tool(switch.flow_tool, "del-flows", "br0", "table=1")
    return {"flow_mods_per_s": n_flows / took, "bytes_per_flow": grown / n_flows}


def measure_start(switch):
    """From starting the daemon to the first frame forwarded, with the database already filled."""
    os.kill(switch.pid(), 15)
    switch.processes.pop().wait()
    sh("ip", "-n", NS, "link", "del", "br0", check=False)
    sh("ip", "-n", H1, "neigh", "replace", "10.9.0.2", "lladdr", H2_MAC, "dev", "eth0")
    begin = time.monotonic()
    program = "ovs-vswitchd" if isinstance(switch, Ovs) else "vswitchd"
    switch.spawn(program, f"unix:{switch.rundir}/db.sock",
                 f"--pidfile={switch.rundir}/ovs-vswitchd.pid", "--no-chdir")
    ping = start(H1, "ping", "-i", "0.005", "-c", "4000", "-W", "1", "10.9.0.2")
    for line in ping.stdout:
        if "bytes from" in line:
            break
    took = time.monotonic() - begin
    ping.kill()
    ping.wait()
    sh("ip", "-n", H1, "neigh", "del", "10.9.0.2", "dev", "eth0", check=False)
    return {"start_to_first_frame_ms": took * 1000}


ROWS = [  # name, what a person reads, is higher better
    ("tcp_1_gbps", "TCP, one stream, Gb/s", True),
    ("tcp_4_gbps", "TCP, four streams, Gb/s", True),
    ("frames_1_mpps", "64-byte frames, 1 flow, Mpps", True),
    ("frames_10000_mpps", "64-byte frames, 10,000 flows, Mpps", True),
    ("round_trip_us", "UDP round trip, median us", False),
    ("round_trip_p99_us", "UDP round trip, 99th percentile us", False),
    ("flow_mods_per_s", "flow-mods from a file, per second", True),
    ("bytes_per_flow", "resident bytes per flow", False),
    ("start_to_first_frame_ms", "start to first frame, ms", False),
    ("idle_cpu_percent", "CPU while idle, %", False),
]


def measure(switch, build, options, last_round):
    results = {}
    switch.start()
    try:
        warm_up()
        results.update(measure_tcp(1, options.seconds))
        results.update(measure_tcp(4, options.seconds))
        results.update(measure_round_trip(build, options.seconds))
        results.update(measure_frames(build, 1, options.seconds))
        results.update(measure_frames(build, 10000, options.seconds))
        if isinstance(switch, Daemons) and not options.skip_tables:
            results.update(measure_flow_mods(switch))
            results.update(measure_start(switch))
            if last_round:
                results.update(measure_idle(switch))
    finally:
        switch.stop()
    return results


def print_table(samples, switches):
    names = [s.name for s in switches]
    print(f"\n{'':38}" + "".join(f"{name:>30}" for name in names))
    for row, text, _ in ROWS:
        cells = []
        for name in names:
            values = [r[row] for r in samples[name] if row in r]
            cells.append(f"{statistics.median(values):.4g} [{min(values):.4g}..{max(values):.4g}]"
                         if values else "-")
        if any(cell != "-" for cell in cells):
            print(f"{text:38}" + "".join(f"{cell:>30}" for cell in cells))
    if "weir" not in names:
        return
    for peer in "bridge", "ovs":
        if peer not in names:
            continue
        print(f"\nweir / {peer}")
        for row, text, higher in ROWS:
            values = {name: [r[row] for r in samples[name] if row in r] for name in ("weir", peer)}
            if values["weir"] and values[peer]:
                theirs = statistics.median(values[peer])
                ratio = statistics.median(values["weir"]) / theirs if theirs else float("inf")
                print(f"  {text:38}{ratio:8.3g}   ({'higher' if higher else 'lower'} is better)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", default="bridge,ovs,ovs-tso,weir")
    parser.add_argument("--skip-tables", action="store_true")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    if os.geteuid() != 0:
        sys.exit("compare.py: must be root: it makes network namespaces")
    everyone = [Bridge(), Ovs("ovs", False), Ovs("ovs-tso", True), Weir(build)]
    switches = [s for s in everyone if s.name in options.only.split(",")]
    if not shutil.which("ovs-vswitchd"):
        print("Open vSwitch is not installed: left out", file=sys.stderr)
        switches = [s for s in switches if not isinstance(s, Ovs)]
    samples = {s.name: [] for s in switches}
    with Topology():
        for round_number in range(options.rounds):
            for switch in switches:
                print(f"round {round_number + 1}: {switch.name}", file=sys.stderr)
                samples[switch.name].append(
                    measure(switch, build, options, round_number == options.rounds - 1))
    print_table(samples, switches)


if __name__ == "__main__":
    main()
