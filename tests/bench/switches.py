# SPDX-License-Identifier: Apache-2.0
"""The switches that compare.py compares, each between the same devices.

        h1 --veth-- p1 .--------. p2 --veth-- h2        h1 10.9.0.1, h2 10.9.0.2
                       | switch |
    guest 1 ====tap==== |   br0  | ====tap==== guest 2   g1 and g2: held by processes (tap_guest.c)
                       '--------'
                      br0 10.9.0.100: what the host itself uses

A switch is an object with start() and stop(), a name, and what it can do: has_host, has_guests, has_flows
(which has set_vlan(), set_rewriting() and set_masks()).
"""

import os
import re
import shutil
import subprocess
import tempfile
import time

NS = f"weir-bench-{os.getpid()}"
H1, H2 = NS + "-h1", NS + "-h2"
H1_MAC, H2_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
G1_MAC, G2_MAC = "02:00:00:00:00:11", "02:00:00:00:00:12"
HOST_IP = "10.9.0.100"
VLAN = 10


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


def set_feature(ns, device, *words):
    in_ns(ns, "ethtool", "-K", device, *words, check=False)


class Topology:
    def __enter__(self):
        self.close()
        for ns in NS, H1, H2:
            sh("ip", "netns", "add", ns)
            sh("ip", "-n", ns, "link", "set", "lo", "up")
            in_ns(ns, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        for n, ns in (1, H1), (2, H2):
            sh("ip", "-n", NS, "link", "add", f"p{n}", "type", "veth", "peer", "name", "eth0",
               "netns", ns)
            sh("ip", "-n", ns, "link", "set", "eth0", "address", f"02:00:00:00:00:0{n}", "up")
            sh("ip", "-n", ns, "addr", "add", f"10.9.0.{n}/16", "dev", "eth0")
            sh("ip", "-n", NS, "link", "set", f"p{n}", "up")
            sh("ip", "-n", NS, "tuntap", "add", "dev", f"g{n}", "mode", "tap", "vnet_hdr")
            sh("ip", "-n", NS, "link", "set", f"g{n}", "up")
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


def give_host_its_address():
    sh("ip", "-n", NS, "link", "set", "br0", "up")
    sh("ip", "-n", NS, "addr", "add", HOST_IP + "/16", "dev", "br0")
    sh("ip", "-n", H1, "neigh", "flush", "to", HOST_IP, check=False)  # Of the last switch.


class Bridge:
    """As a new namespace has it, where netfilter's hooks see each frame if the kernel has br_netfilter; or without."""
    has_host = has_guests = True
    has_flows = False

    def __init__(self, name="bridge", has_hooks=True):
        self.name, self.has_hooks = name, has_hooks

    def start(self):
        for kind in "ip", "ip6", "arp":
            in_ns(NS, "sysctl", "-qw", f"net.bridge.bridge-nf-call-{kind}tables={self.has_hooks:d}",
                  check=False)  # Not there without br_netfilter.
        sh("ip", "-n", NS, "link", "add", "br0", "type", "bridge")
        for port in "p1", "p2", "g1", "g2":
            sh("ip", "-n", NS, "link", "set", port, "master", "br0")
        give_host_its_address()

    def stop(self):
        sh("ip", "-n", NS, "link", "del", "br0")


class Floor:
    """Two ports, and a program that does the least (load/floor.c)."""
    has_host = has_flows = False

    def __init__(self, build, mode):
        self.name, self.mode = "floor-" + mode, mode
        self.tool = build + "/tests/bench/load/floor"
        self.has_guests = not self.is_xdp()

    def is_xdp(self):
        return self.mode.startswith("xdp")

    def start(self):
        # A veth takes frames that XDP redirects only with GRO or a program of its own; and XDP does not
        # see that a checksum was left to the device.
        if self.is_xdp():
            for ns in H1, H2:
                set_feature(ns, "eth0", "gro", "on", "tx", "off")
        pairs = [("p1", "p2")] + ([("g1", "g2")] if self.has_guests else [])
        self.processes = []
        for pair in pairs:
            # A tap has no peer in another namespace.
            mode = self.mode if pair[0] == "p1" else self.mode.replace("-peer", "")
            self.processes.append(start(NS, self.tool, mode, *pair))
        for process in self.processes:
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError(self.name + " does not start")

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait()
        if self.is_xdp():
            for ns in H1, H2:
                set_feature(ns, "eth0", "gro", "off", "tx", "on", "tso", "on", "gso", "on")


class Daemons:
    """What Weir and Open vSwitch have in common: a run directory and two daemons in the namespace."""
    has_host = has_guests = has_flows = True

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
                                OVS_DBDIR=self.rundir, PATH=self.path() + os.environ["PATH"])

    def pid(self):
        with open(self.rundir + "/ovs-vswitchd.pid") as file:
            return int(file.read())

    def has(self, *names):
        return all(os.path.exists(f"{self.rundir}/{name}") for name in names)

    def respawn(self):
        """What a supervisor does at once after a crash."""
        process = self.processes.pop()
        os.kill(self.pid(), 9)
        process.wait()
        self.spawn_switch()

    def set_vlan(self):
        """p1 is an access port of the VLAN, p2 a trunk."""
        self.tool("ovs-vsctl", "set", "Port", "p1", f"tag={VLAN}")

    def set_masks(self, n_masks):
        """Flows that none of the frames is for, but that every bit of address and port is looked at for."""
        with tempfile.NamedTemporaryFile("w", suffix=".flows") as file:
            for i in range(n_masks):
                length, bits = 32 - i // 17, i % 17
                port = f",udp_src={0xffff << bits & 0xffff:#x}/{0xffff << bits & 0xffff:#x}"
                file.write(f"priority={i + 2},udp,nw_src=11.{i % 256}.{i * 7 % 256}.1/{length}"
                           f"{port if bits < 16 else ''},udp_dst=7,actions=drop\n")
            file.flush()
            self.tool("ovs-ofctl", "add-flows", "br0", file.name)

    def set_rewriting(self):
        """Every IP frame between p1 and p2 gets new addresses and a TTL less one."""
        for here, there, mac in ("p1", "p2", H2_MAC), ("p2", "p1", H1_MAC):
            number = {port: self.tool("ovs-vsctl", "get", "Interface", port, "ofport").stdout.strip()
                      for port in (here, there)}
            self.tool("ovs-ofctl", "add-flow", "br0",
                      f"priority=100,ip,in_port={number[here]},actions=mod_dl_src:02:00:00:00:00:aa,"
                      f"mod_dl_dst:{mac},dec_ttl,output:{number[there]}")


class Ovs(Daemons):
    """Debian's: as shipped with the userspace datapath, with userspace-tso, or on AF_XDP."""
    flow_tool = "ovs-ofctl"

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        if kind == "afxdp":
            self.has_host = self.has_guests = False

    def path(self):
        return ""

    def start(self):
        self.prepare()
        if self.kind != "tso":
            for ns, device in (H1, "eth0"), (H2, "eth0"), (NS, "p1"), (NS, "p2"):
                set_feature(ns, device, "tx", "off", "tso", "off", "gso", "off")
        database, socket = self.rundir + "/conf.db", f"unix:{self.rundir}/db.sock"
        self.tool("ovsdb-tool", "create", database,
                  "/usr/share/openvswitch/vswitch.ovsschema")
        self.spawn("ovsdb-server", database, f"--remote=p{socket}",
                   f"--pidfile={self.rundir}/ovsdb-server.pid", "--no-chdir")
        wait_for(lambda: self.has("db.sock"), what="ovsdb-server")
        self.tool("ovs-vsctl", "--no-wait", "init")
        if self.kind == "tso":
            self.tool("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".",
                      "other_config:userspace-tso-enable=true")
        self.spawn_switch()
        wait_for(lambda: self.has("ovs-vswitchd.pid"), what="ovs-vswitchd")
        words = ["ovs-vsctl", "-t", "10", "add-br", "br0", "--", "set", "bridge", "br0",
                 "datapath_type=netdev"]
        for port in ("p1", "p2") + (("g1", "g2") if self.has_guests else ()):
            words += ["--", "add-port", "br0", port]
            if self.kind == "afxdp":
                words += ["--", "set", "Interface", port, "type=afxdp", "options:xdp-mode=native"]
        self.tool(*words)
        if self.has_host:
            give_host_its_address()

    def spawn_switch(self):
        self.spawn("ovs-vswitchd", f"unix:{self.rundir}/db.sock",
                   f"--pidfile={self.rundir}/ovs-vswitchd.pid", f"--log-file={self.rundir}/log",
                   "--no-chdir")

    def stop(self):
        super().stop()
        if self.kind != "tso":
            for ns, device in (H1, "eth0"), (H2, "eth0"), (NS, "p1"), (NS, "p2"):
                set_feature(ns, device, "tx", "on", "tso", "on", "gso", "on")


class Weir(Daemons):
    flow_tool = "weir"

    def __init__(self, build, fastpath=None):
        self.build, self.fastpath = build, fastpath
        self.name = "weir" + ("-" + fastpath if fastpath else "")

    def path(self):
        return "".join(f"{self.build}/{part}:" for part in ("cli", "vswitchd", "ovsdb-lite"))

    def start(self):
        self.prepare()
        database, socket = self.rundir + "/conf.db", f"unix:{self.rundir}/db.sock"
        self.spawn("ovsdb-lite", database, f"--remote=p{socket}", "--pidfile", "--no-chdir")
        wait_for(lambda: self.has("db.sock"), what="ovsdb-lite")
        self.spawn_switch()
        wait_for(lambda: self.has("ovs-vswitchd.pid"), what="vswitchd")
        words = ["weir", "add-br", "br0"]
        for port in "p1", "p2", "g1", "g2":
            words += ["--", "add-port", "br0", port]
            if self.fastpath and port[0] == "p":
                words += ["--", "set", "Interface", port, f"options:fastpath={self.fastpath}"]
        self.tool(*words)
        if self.fastpath == "xdp":
            for ns in H1, H2:
                set_feature(ns, "eth0", "gro", "on")
        give_host_its_address()

    def spawn_switch(self):
        self.spawn("vswitchd", f"unix:{self.rundir}/db.sock", "--pidfile", "--no-chdir")

    def stop(self):
        # Else what the kernel forwards goes on being forwarded, beside the next switch.
        self.tool("ovs-appctl", "-T", "5", "exit", "--cleanup", check=False)
        super().stop()
        if self.fastpath == "xdp":
            for ns in H1, H2:
                set_feature(ns, "eth0", "gro", "off")


def everyone(build):
    return [Bridge(), Bridge("bridge-bare", has_hooks=False),
            Ovs("ovs", None), Ovs("ovs-tso", "tso"), Ovs("ovs-afxdp", "afxdp"),
            Floor(build, "tc"), Floor(build, "tc-peer"), Floor(build, "tc-lookup"),
            Floor(build, "tc-lookup-peer"), Floor(build, "xdp"), Floor(build, "xdp-lookup"),
            Floor(build, "xdp-line"), Weir(build, "off"), Weir(build), Weir(build, "xdp")]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Rss:\s+(\d+)", file.read(), re.M).group(1)) * 1024
