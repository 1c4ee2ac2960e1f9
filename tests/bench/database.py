#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is ovsdb-lite beside Open vSwitch's ovsdb-server, and a change of a whole switch beside Open vSwitch?

Both servers take turns in every round, on files of the same file system, under the same client
(load/database_load.c).  What ovsdb-lite acknowledges is on the disk; ovsdb-server is measured as it is, which
acknowledges first, and with a durable commit in each transaction.  Medians over the rounds, with minimum and maximum.

    database.py BUILD-DIR [--rounds N] [--seconds N] [--directory DIR]
"""

import argparse
import json
import os
import re
import resource
import select
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
N_ROWS, N_MONITORS, N_PORTS = 100000, 1000, 30


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **options).stdout


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Rss:\s+(\d+)", file.read(), re.M).group(1)) * 1024


class Server:
    """A database server with a directory of its own."""

    def __init__(self, build, directory):
        self.load = build + "/tests/bench/load/database_load"
        self.build = build
        self.directory = tempfile.mkdtemp(prefix=f"bench-{self.name}-", dir=directory)
        self.socket = self.directory + "/db.sock"
        self.file = self.directory + "/conf.db"
        self.process = None

    def spawn(self, *words):
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=dict(os.environ, OVS_RUNDIR=self.directory))

    def start(self):
        """The seconds until a client is answered."""
        begin = time.monotonic()
        self.open()
        while True:
            try:
                run("ovsdb-client", "-t", 30, "list-dbs", "unix:" + self.socket)
                return time.monotonic() - begin
            except subprocess.CalledProcessError:
                if self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} does not start") from None
                time.sleep(0.002)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.directory)

    def measure(self, *words):
        return [float(word) for word in run(self.load, words[0], self.socket, *words[1:]).split()]


class Lite(Server):
    name = "ovsdb-lite"
    modes = [("", "as-it-is")]

    def open(self):
        self.spawn(self.build + "/ovsdb-lite/ovsdb-lite", self.file, f"--remote=punix:{self.socket}",
                   "--no-chdir", "-vconsole:off")


class Ovs(Server):
    name = "ovsdb-server"
    modes = [("", "as-it-is"), (", durable", "synced")]

    def open(self):
        if not os.path.exists(self.file):
            run("ovsdb-tool", "create", self.file, OVS_SCHEMA)
        self.spawn("ovsdb-server", self.file, f"--remote=punix:{self.socket}", "--no-chdir",
                   f"--unixctl={self.directory}/ctl", "-vconsole:off")


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return client


def longest_echo(path):
    """The milliseconds that a client waits for a sign of life at most, while another adds rows in one transaction."""
    rows = ({"op": "insert", "table": "Queue", "row": {"external_ids": ["map", [["n", str(n)]]]}} for n in range(N_ROWS))
    text = json.dumps({"method": "transact", "params": ["Open_vSwitch", *rows], "id": 0}).encode()
    echo = json.dumps({"method": "echo", "params": [], "id": 0}).encode()
    writer, asker = connect(path), connect(path)
    writer.setblocking(False)
    longest, asked_at, n_sent, n_received, ending = 0, None, 0, 0, b""
    while not ending.endswith(b"}"):
        if asked_at is None:
            asker.sendall(echo)
            asked_at = time.monotonic()
        readable, writable, _ = select.select([writer, asker], [writer] * (n_sent < len(text)), [])
        if writable:
            n_sent += writer.send(text[n_sent:n_sent + (1 << 16)])
        if asker in readable:
            asker.recv(1 << 16)
            longest, asked_at = max(longest, time.monotonic() - asked_at), None
        if writer in readable:
            data = writer.recv(1 << 20)
            if not data:
                raise ConnectionError("the transaction was not answered")
            n_received += len(data)
            # The answer ends with the last bracket; those before close objects within it.
            ending = data if n_received > 50 * N_ROWS and select.select([writer], [], [], 0.2)[0] == [] else b""
    writer.close()
    asker.close()
    return longest * 1000


def measure_server(server, options):
    results = {}
    server.start()
    for clients in 1, 16:
        for title, mode in server.modes:
            rate, median, p99 = server.measure("commit", clients, options.seconds, mode)
            results[f"transactions/s, {clients} client{'s' * (clients > 1)}{title}"] = rate
            results[f"99th percentile of a transaction, {clients} client{'s' * (clients > 1)}{title}, us"] = p99
    updates, commits, _, p99 = server.measure("monitors", N_MONITORS, options.seconds)
    results[f"updates/s delivered to {N_MONITORS:,} monitors"] = updates
    results[f"transactions/s under {N_MONITORS:,} monitors"] = commits
    results[f"99th percentile of a transaction under {N_MONITORS:,} monitors, us"] = p99
    empty = resident_bytes(server.process.pid)
    server.stop()
    server.start()
    empty = min(empty, resident_bytes(server.process.pid))
    results[f"adding {N_ROWS:,} rows, s"] = server.measure("fill", N_ROWS)[0]
    server.stop()
    results[f"opening {N_ROWS:,} rows, s"] = server.start()
    results[f"resident bytes per row of {N_ROWS:,}"] = (resident_bytes(server.process.pid) - empty) / N_ROWS
    results[f"a client fetching {N_ROWS:,} rows, s"] = server.measure("fetch")[0]
    results[f"file bytes per row of {N_ROWS:,}"] = os.path.getsize(server.file) / N_ROWS
    results[f"an echo while another client adds {N_ROWS:,} rows at once, at most, ms"] = longest_echo(server.socket)
    server.stop()
    return results


class Switch:
    """A database server and a switch, in a network namespace with devices p1, p2, ..."""

    def __init__(self, server):
        self.server, self.space = server, f"weir-database-{os.getpid()}"
        self.environment = dict(os.environ, OVS_RUNDIR=server.directory)

    def in_space(self, *words):
        return run("ip", "netns", "exec", self.space, *words, env=self.environment)

    def __enter__(self):
        run("ip", "netns", "add", self.space)
        for n in range(1, N_PORTS + 1):
            run("ip", "-n", self.space, "link", "add", f"p{n}", "type", "veth", "peer", "name", f"q{n}")
        self.server.start()
        run("ovs-vsctl", "--no-wait", "init", env=self.environment)
        program = "ovs-vswitchd" if self.server.name == "ovsdb-server" else self.server.build + "/vswitchd/vswitchd"
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.space, program, "unix:" + self.server.socket, "--no-chdir", "-vconsole:off",
             f"--pidfile={self.server.directory}/ovs-vswitchd.pid"], env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.in_space("ovs-vsctl", "add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.server.stop()
        run("ip", "netns", "del", self.space)

    def milliseconds(self, command):
        """The median over all ports."""
        times = []
        for n in range(1, N_PORTS + 1):
            begin = time.monotonic()
            self.in_space("ovs-vsctl", command, "br0", f"p{n}")
            times.append((time.monotonic() - begin) * 1000)
        return statistics.median(times)


def measure_switch(server):
    with Switch(server) as switch:
        return {f"ovs-vsctl {command}, ms": switch.milliseconds(command) for command in ("add-port", "del-port")}


def show(values):
    def digits(value):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    return f"{digits(statistics.median(values))} [{digits(min(values))}..{digits(max(values))}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--directory", help="for the files of the databases (default: BUILD-DIR)")
    options = parser.parse_args()
    # For the servers, of which each client takes a descriptor.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    options.build = os.path.abspath(options.build)
    kinds = [Lite] + [Ovs] * bool(shutil.which("ovsdb-server"))
    samples = {}
    for _ in range(options.rounds):
        for kind in reversed(kinds):  # The peer has rows of its own, between those of both.
            for measure in measure_server, lambda server, _: measure_switch(server):
                server = kind(options.build, os.path.abspath(options.directory or options.build))
                try:
                    for name, value in measure(server, options).items():
                        samples.setdefault(name, {}).setdefault(kind.name, []).append(value)
                finally:
                    server.remove()
    print("| | " + " | ".join(kind.name for kind in kinds) + " |")
    print("|---" * (len(kinds) + 1) + "|")
    for name, by_kind in samples.items():
        print(f"| {name} | " + " | ".join(show(by_kind[kind.name]) if kind.name in by_kind else "" for kind in kinds)
              + " |")


if __name__ == "__main__":
    main()
