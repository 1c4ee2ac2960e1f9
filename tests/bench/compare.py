#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is Weir beside the Linux bridge, Open vSwitch and what BPF could do at best?

Every switch connects the same two network namespaces and two guests' taps (switches.py), all offloads
on (off for Open vSwitch as shipped and on AF_XDP, which cannot pass TCP otherwise).  The switches take turns in
every round, so that a drift of the machine's speed meets all of them; what is printed is the median
over the rounds, with minimum and maximum, and for each row the ratio of Weir's to another's, paired by round:
median, with the smallest and the largest.

    compare.py BUILD-DIR [--rounds N] [--seconds N] [--only SWITCH,...] [--cases CASE,...]
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time

from switches import (G1_MAC, G2_MAC, H1, H2, H2_MAC, HOST_IP, NS, Daemons, Floor, Ovs, Topology,
                      Weir, cpu_seconds, everyone, in_ns, rss_bytes, set_feature, sh, start, wait_for)

LOAD = "/tests/bench/load/"


# What is measured.  Each returns {row name: value}.

def warm_up():
    wait_for(lambda: in_ns(H1, "ping", "-c", "1", "-W", "1", "10.9.0.2", check=False).returncode
             == 0, what="the first ping")


def iperf(row, client, server, address, streams, seconds, *words):
    """Gb/s that the server takes (with -R: the client), and the processor time of both ends for each KB.  A veth's frames
    go through the switch in their senders' time, so that is in it, but for what ksoftirqd does."""
    listener = start(server, "iperf3", "-s", "-1")
    try:
        wait_for(lambda: ":5201" in in_ns(server, "ss", "-ltn").stdout, what="iperf3")
        out = in_ns(client, "iperf3", "-c", address, "-P", streams, "-t", seconds, "-J", *words,
                    check=False, timeout=seconds + 6).stdout
        end = json.loads(out)["end"]
    finally:
        listener.terminate()
        listener.wait()
    percent, received = end["cpu_utilization_percent"], end["sum_received"]
    cpu_ns = (percent["host_total"] + percent["remote_total"]) * 1e7 * received["seconds"]
    return {f"{row}_gbps": received["bits_per_second"] / 1e9,
            f"{row}_ns": cpu_ns / (received["bytes"] / 1e3)}


def measure_tcp(_switch, options):
    return {**iperf("tcp_1", H1, H2, "10.9.0.2", 1, options.seconds),
            **iperf("tcp_4", H1, H2, "10.9.0.2", 4, options.seconds)}


def count_frames(options, n_flows, receive="receive"):
    load = options.build + LOAD + "load"
    # Frames that an XDP program redirects are only taken by a veth that does GRO.
    set_feature(NS, "p1", "gro", "on")
    # The stations are known, so frames are forwarded and not flooded.
    in_ns(H1, "ping", "-c", "1", "-W", "1", "10.9.0.2", check=False)
    sender = start(H1, load, "send", "eth0", options.seconds + 20, n_flows, 64, H2_MAC)
    try:
        time.sleep(0.5 + n_flows / 20000)  # What caches flows has cached them all.
        received = in_ns(H2, load, receive, "eth0", options.seconds).stdout
    finally:
        sender.send_signal(2)
        sender.wait()
        set_feature(NS, "p1", "gro", "off")
    return int(received) / 1e6


def measure_frames(_switch, options):
    """Frames that the receiver's XDP program counts, before the host's stack has them: nothing can be delivered past
    it.  XDP has an advantage by it that hosts which use their stack do not see."""
    return {f"frames_{n}_mpps": count_frames(options, n) for n in (1, 10000, 100000)}


def measure_stack(_switch, options):
    """The same where the host's stack begins (TC ingress)."""
    return {f"stack_{n}_mpps": count_frames(options, n, "receive-late") for n in (1, 10000, 100000)}


PROGRAMS = ("weir_ingress", "weir_xdp", "weir_xdp_bound", "tc_redirect", "tc_lookup",
            "xdp_redirect", "xdp_lookup", "xdp_line")


def program_times():
    """Nanoseconds and runs of the programs that forward, each under its number."""
    programs = json.loads(sh("bpftool", "prog", "show", "-j").stdout)
    return {p["id"]: (p.get("run_time_ns", 0), p.get("run_cnt", 0)) for p in programs
            if p.get("name") in PROGRAMS}


def measure_cost(switch, options):
    """What the program alone takes for a frame; the clock's own time, about 20 ns, is in it."""
    if not isinstance(switch, (Floor, Weir)) or not shutil.which("bpftool"):
        return {}
    results = {}
    sh("sysctl", "-qw", "kernel.bpf_stats_enabled=1")
    try:
        for n_flows in 1, 10000, 100000:
            before = program_times()
            count_frames(argparse.Namespace(build=options.build, seconds=1), n_flows)
            spent = [(ns - before[i][0], runs - before[i][1])
                     for i, (ns, runs) in program_times().items() if i in before]
            # The one that saw the frames; others saw a ping.
            ns, runs = max(spent, key=lambda pair: pair[1], default=(0, 0))
            if runs:
                results[f"program_{n_flows}_ns"] = ns / runs
    finally:
        sh("sysctl", "-qw", "kernel.bpf_stats_enabled=0")
    return results


def round_trip(client, server, address, options):
    tool = options.build + LOAD + "round_trip"
    answerer = start(server, tool, "serve", 9000)
    time.sleep(0.2)
    try:
        median, p99 = in_ns(client, tool, "ask", address, 9000, 1).stdout.split()
    finally:
        answerer.kill()
        answerer.wait()
    return int(median) / 1e3, int(p99) / 1e3


def measure_round_trip(_switch, options):
    median, p99 = round_trip(H1, H2, "10.9.0.2", options)
    return {"round_trip_us": median, "round_trip_p99_us": p99}


def measure_host(switch, options):
    if not switch.has_host:
        return {}
    return {**iperf("host_in", H1, NS, HOST_IP, 1, 1),
            **iperf("host_out", H1, NS, HOST_IP, 1, 1, "-R"),
            "host_round_trip_us": round_trip(H1, NS, HOST_IP, options)[0]}


def guest_to_guest(options, n_bytes):
    tool = options.build + LOAD + "tap_guest"
    receiver = start(NS, tool, "receive", "g2", 1, G2_MAC, G1_MAC)
    time.sleep(0.3)
    in_ns(NS, tool, "send", "g1", 2, n_bytes, G1_MAC, G2_MAC)
    frames, rate = receiver.communicate()[0].split()
    return int(frames), int(rate)


def measure_guests(switch, options):
    if not switch.has_guests:
        return {}
    results = {"guests_mpps": guest_to_guest(options, 64)[0] / 1e6}
    if not isinstance(switch, Ovs) or switch.kind == "tso":  # Else super-frames do not pass.
        results["guests_gbps"] = guest_to_guest(options, 65226)[1] * 8 / 1e9
    return results


def received_bytes(process):
    """By eth0 of the network namespace that the process is in."""
    with open(f"/proc/{process.pid}/net/dev") as file:
        return int(re.search(r"eth0:\s*(\d+)", file.read()).group(1))


def gbps_for(seconds, process):
    begin, before = time.monotonic(), received_bytes(process)
    time.sleep(seconds)
    return (received_bytes(process) - before) * 8e-9 / (time.monotonic() - begin)


def tcp_beside(flood, listener, seconds):
    """TCP alone and beside the flood, which goes on and off each second: what is left of it in each second, by
    what was there before and after."""
    alone, beside = [], []
    for _ in range(seconds):
        alone.append(gbps_for(1, listener))
        flood.send_signal(signal.SIGCONT)
        beside.append(gbps_for(1, listener))
        flood.send_signal(signal.SIGSTOP)
    alone.append(gbps_for(1, listener))
    return [2 * b / (before + after) for b, before, after in zip(beside, alone, alone[1:])]


def flood_beside_tcp(switch, options, flow_frames):
    """What is left of TCP between h1 and h2 while guest 1 sends 50,000 frames a second to guest 2, of flows with so
    many each, how many arrive, and what each costs the switch."""
    tool, seconds = options.build + LOAD + "tap_guest", options.flood_seconds
    is_daemon = isinstance(switch, Daemons)
    listener = start(H2, "iperf3", "-s", "-1")
    wait_for(lambda: ":5201" in in_ns(H2, "ss", "-ltn").stdout, what="iperf3")
    receiver = start(NS, tool, "receive", "g2", 2 * seconds + 1, G2_MAC, G1_MAC)
    flood = start(NS, tool, "flood", "g1", 2 * seconds + 9, 50000, flow_frames, G1_MAC, G2_MAC)
    flood.send_signal(signal.SIGSTOP)
    client = start(H1, "iperf3", "-c", "10.9.0.2", "-t", 2 * seconds + 20)
    try:
        wait_for(lambda: ":5201" in in_ns(H2, "ss", "-tn", "state", "established").stdout,
                 what="a TCP connection")
        cpu = cpu_seconds(switch.pid()) if is_daemon else 0
        parts = tcp_beside(flood, listener, seconds)
        cpu = cpu_seconds(switch.pid()) - cpu if is_daemon else 0
        flood.send_signal(signal.SIGTERM)
        flood.send_signal(signal.SIGCONT)
        reached = int(flood.communicate()[0])
        arrived = int(receiver.communicate()[0].split()[0]) * (2 * seconds + 1) / seconds
    finally:
        for process in flood, client, listener, receiver:
            process.kill()
            process.wait()
    results = {"tcp_part": statistics.median(parts), "kpps": reached / 1e3, "out_kpps": arrived / 1e3}
    if is_daemon:
        results["us"] = cpu * 1e6 / (reached * seconds)
    return results


def measure_flood(switch, options):
    """Of flows that one wildcard covers; of such with two frames, so that the kernel's cache takes them up; of flows
    each of which has to be looked up in the tables; and of such as meet 544 masks there."""
    if not switch.has_guests:
        return {}
    results = {}
    for kind in ("flood", "twice", "misses", "masks") if switch.has_flows else ("flood", "twice"):
        if kind in ("misses", "masks"):
            switch.set_masks(1 if kind == "misses" else 544)
        beside = flood_beside_tcp(switch, options, 2 if kind == "twice" else 1)
        results.update({f"{kind}_{row}": value for row, value in beside.items()})
    if switch.has_flows:
        switch.tool("ovs-ofctl", "del-flows", "br0", "udp")
    return results


def measure_rewriting(switch, options):
    if not switch.has_flows:
        return {}
    switch.set_rewriting()
    results = iperf("rewrite", H1, H2, "10.9.0.2", 1, 1)
    results["rewrite_mpps"] = count_frames(argparse.Namespace(build=options.build, seconds=1), 1)
    switch.tool("ovs-ofctl", "del-flows", "br0", "ip")
    return results


def measure_vlan(switch, options):
    """h1's frames get a tag on their way to h2, and h2's lose theirs.  Nothing untagged passes after it."""
    if not switch.has_flows:
        return {}
    switch.set_vlan()
    tagger = start(H2, options.build + LOAD + "load", "tag", "eth0", 60)
    try:
        warm_up()
        results = iperf("vlan", H1, H2, "10.9.0.2", 1, 1)
    finally:
        tagger.terminate()
        tagger.wait()
    results["vlan_mpps"] = count_frames(argparse.Namespace(build=options.build, seconds=1), 1)
    return results


def measure_idle(switch, options):
    if not isinstance(switch, Daemons) or not options.is_last_round:
        return {}
    time.sleep(1)
    before = cpu_seconds(switch.pid())
    time.sleep(5)
    return {"idle_cpu_percent": 100 * (cpu_seconds(switch.pid()) - before) / 5}


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


def measure_crash(switch, options):
    """Of 10,000 frames a second of one flow, what is lost when the daemon is killed and started again?"""
    if not isinstance(switch, Daemons):
        return {}
    probe = options.build + "/tests/probe"
    sh("ip", "-n", H1, "neigh", "replace", "10.9.0.2", "lladdr", H2_MAC, "dev", "eth0")
    receiver = start(H2, probe, "receive", "eth0", 10)
    receiver.stdout.readline()
    sender = start(H1, probe, "send", "10.9.0.2", "c", 7000, 1, 10000, 3)
    time.sleep(1)
    switch.respawn()
    sent = int(sender.communicate()[0])
    time.sleep(0.2)
    receiver.terminate()
    words = receiver.communicate()[0].split()
    sh("ip", "-n", H1, "neigh", "del", "10.9.0.2", "dev", "eth0", check=False)
    warm_up()
    return {"crash_lost": sent - int(words[2]), "crash_gap_ms": int(words[6])}


def measure_tables(switch, _options):
    # One of each kind: tables do not depend on how frames come in.
    if switch.name not in ("ovs", "weir"):
        return {}
    return {**measure_flow_mods(switch), **measure_start(switch)}


CASES = {  # In this order: the last ones leave the switch changed.
    "tcp": measure_tcp,
    "round-trip": measure_round_trip,
    "frames": measure_frames,
    "stack": measure_stack,
    "cost": measure_cost,
    "host": measure_host,
    "guests": measure_guests,
    "flood": measure_flood,
    "rewrite": measure_rewriting,
    "idle": measure_idle,
    "crash": measure_crash,
    "tables": measure_tables,
    "vlan": measure_vlan,
}

ROWS = [  # name, what a person reads, is higher better
    ("tcp_1_gbps", "TCP, one stream, Gb/s", True),
    ("tcp_1_ns", "... CPU of both ends, ns a KB", False),
    ("tcp_4_gbps", "TCP, four streams, Gb/s", True),
    ("tcp_4_ns", "... CPU of both ends, ns a KB", False),
    ("frames_1_mpps", "64-byte frames, 1 flow, Mpps", True),
    ("frames_10000_mpps", "64-byte frames, 10,000 flows, Mpps", True),
    ("frames_100000_mpps", "64-byte frames, 100,000 flows, Mpps", True),
    ("stack_1_mpps", "... to the host's stack, 1 flow, Mpps", True),
    ("stack_10000_mpps", "... to the stack, 10,000 flows, Mpps", True),
    ("stack_100000_mpps", "... to the stack, 100,000 flows, Mpps", True),
    ("program_1_ns", "BPF program, ns a frame, 1 flow", False),
    ("program_10000_ns", "BPF program, ns, 10,000 flows", False),
    ("program_100000_ns", "BPF program, ns, 100,000 flows", False),
    ("round_trip_us", "UDP round trip, median us", False),
    ("round_trip_p99_us", "UDP round trip, 99th percentile us", False),
    ("host_in_gbps", "TCP to the host, Gb/s", True),
    ("host_in_ns", "... CPU of both ends, ns a KB", False),
    ("host_out_gbps", "TCP from the host, Gb/s", True),
    ("host_out_ns", "... CPU of both ends, ns a KB", False),
    ("host_round_trip_us", "UDP round trip to the host, us", False),
    ("guests_gbps", "super-frames tap to tap, Gb/s", True),
    ("guests_mpps", "64-byte frames tap to tap, Mpps", True),
    ("flood_tcp_part", "TCP beside new flows, part of alone", True),
    ("flood_kpps", "new flows sent beside it, k/s", True),
    ("flood_out_kpps", "new flows that arrived, k/s", True),
    ("flood_us", "daemon's CPU for a new flow, us", False),
    ("twice_tcp_part", "... with two frames each, part of alone", True),
    ("twice_out_kpps", "frames that arrived, k/s", True),
    ("twice_us", "daemon's CPU for each, us", False),
    ("misses_tcp_part", "... none covered by a wildcard, part", True),
    ("misses_out_kpps", "arrived, k/s", True),
    ("misses_us", "daemon's CPU for each, us", False),
    ("masks_tcp_part", "... and 544 masks in the table, part", True),
    ("masks_out_kpps", "arrived, k/s", True),
    ("masks_us", "daemon's CPU for each, us", False),
    ("vlan_gbps", "TCP, VLAN push and pop, Gb/s", True),
    ("vlan_mpps", "64-byte frames, VLAN push, Mpps", True),
    ("rewrite_gbps", "TCP, MACs and TTL rewritten, Gb/s", True),
    ("rewrite_mpps", "64-byte frames, rewritten, Mpps", True),
    ("flow_mods_per_s", "flow-mods from a file, per second", True),
    ("bytes_per_flow", "resident bytes per flow", False),
    ("start_to_first_frame_ms", "start to first frame, ms", False),
    ("crash_lost", "frames lost in a crash, of 30,000", False),
    ("crash_gap_ms", "longest silence in a crash, ms", False),
    ("idle_cpu_percent", "CPU while idle, %", False),
]
# Rows that a floor or the bridge (without VLAN devices) has not are held against the nearest that it has.
NEAREST = {"vlan_gbps": "tcp_1_gbps", "rewrite_gbps": "tcp_1_gbps",
           "vlan_mpps": "frames_1_mpps", "rewrite_mpps": "frames_1_mpps"}


def measure(switch, options):
    results = {}
    try:
        switch.start()
        warm_up()
        for case in options.cases:
            try:
                results.update(CASES[case](switch, options))
            except Exception as problem:  # One case that fails shall not cost the others.
                print(f"{switch.name}: {case}: {problem!r}", file=sys.stderr)
    except Exception as problem:
        print(f"{switch.name}: {problem!r}", file=sys.stderr)
    finally:
        switch.stop()
    return results


def cell(values, digits):
    def show(value):
        return f"{value:.{digits}g}" if value < 10 ** digits else f"{value:.0f}"

    if not values:
        return "-"
    return show(statistics.median(values)) + (f" [{show(min(values))}..{show(max(values))}]"
                                              if len(values) > 1 else "")


def print_table(samples, names):
    print(f"\n{'':38}" + "".join(f"{name:>28}" for name in names))
    for row, text, _ in ROWS:
        cells = [cell([r[row] for r in samples[name] if row in r], 3) for name in names]
        if any(c != "-" for c in cells):
            print(f"{text:38}" + "".join(f"{c:>28}" for c in cells))


def print_ratios(samples, name, peers):
    """Paired by round, as the machine's speed drifts from one round to the next."""
    print(f"\n{name} as a ratio of" + " " * (23 - len(name)) +
          "".join(f"{peer:>28}" for peer in peers))
    for row, text, higher in ROWS:
        cells = []
        for peer in peers:
            pairs = [(ours.get(row), theirs.get(row, theirs.get(NEAREST.get(row))))
                     for ours, theirs in zip(samples[name], samples[peer])]
            cells.append(cell([a / b for a, b in pairs if a is not None and b], 3))
        if any(c != "-" for c in cells):
            print(f"{text:38}" + "".join(f"{c:>28}" for c in cells) +
                  ("" if higher else "   (lower is better)"))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--flood-seconds", type=int, default=4,
                        help="of case flood; 100 for 5 million flows (default: %(default)s)")
    parser.add_argument("--only", help="switches, separated by commas; default: all")
    parser.add_argument("--cases", default=",".join(CASES), help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="every sample, for another program")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.cases = [case for case in CASES if case in options.cases.split(",")]
    if os.geteuid() != 0:
        sys.exit("compare.py: must be root: it makes network namespaces")
    switches = everyone(options.build)
    if options.only:
        unknown = set(options.only.split(",")) - {s.name for s in switches}
        if unknown:
            sys.exit(f"compare.py: no switch {', '.join(sorted(unknown))}; there are "
                     + ", ".join(s.name for s in switches))
        switches = [s for s in switches if s.name in options.only.split(",")]
    if not shutil.which("ovs-vswitchd"):
        print("Open vSwitch is not installed: left out", file=sys.stderr)
        switches = [s for s in switches if not isinstance(s, Ovs)]
    samples = {s.name: [] for s in switches}
    with Topology():
        for number in range(options.rounds):
            options.is_last_round = number == options.rounds - 1
            for switch in switches:
                print(f"round {number + 1}: {switch.name}", file=sys.stderr)
                samples[switch.name].append(measure(switch, options))
    names = list(samples)
    print_table(samples, names)
    ours = [name for name in names if name.startswith("weir")] or \
           [name for name in names if name.startswith("floor")]
    for name in ours:
        peers = [peer for peer in names if peer != name and not peer.startswith("weir")]
        if peers:
            print_ratios(samples, name, peers)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(samples, file, indent=1)


if __name__ == "__main__":
    main()
