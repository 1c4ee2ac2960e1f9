#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs Mininet against the switch of $OVS_RUNDIR, in the network namespace it is started in."""

import functools
import json
import subprocess
import sys

from mininet.link import Link, OVSLink, TCLink
from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.node import OVSBridge, OVSController, OVSSwitch, RemoteController
from mininet.topo import LinearTopo
from mininet.topolib import TreeTopo


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


def check(condition, *what):
    if not condition:
        sys.exit("FAIL: " + " ".join(map(str, what)))


def build(topo=None, **options):
    network = Mininet(topo=topo or LinearTopo(k=2, n=2), autoSetMacs=True, **options)
    network.start()
    return network


def check_tcp(network):
    """Mininet's own iperf() waits for ever for the server of a newer iperf."""
    server, client = network.hosts[3], network.hosts[0]
    server.cmd("iperf3 -s -1 -D")
    server.cmd("timeout 60 sh -c 'until ss -ltn | grep -q :5201; do sleep 0.05; done'")
    report = json.loads(client.cmd("iperf3 -c", server.IP(), "-t 1 -J"))
    check(report.get("end", {}).get("sum_received", {}).get("bytes", 0) > 10e6, "TCP:", report)


def controller_programs_switches():
    network = build(switch=OVSSwitch, controller=OVSController, link=Link, waitConnected=True)
    try:
        first, second = network.switches
        check(first.connected() and second.connected(), "is_connected")
        check(network.pingAll(timeout="2") == 0, "pings are lost")
        check("actions=" in first.dpctl("dump-flows"), "the controller's flows")
        for interface, number in first.ports.items():
            if number:
                check(run("ovs-vsctl", "get", "Interface", str(interface), "ofport").strip() == str(number),
                      interface, "has not the port number that was asked for")
        check(int(run("ovs-vsctl", "get", "Bridge", "s2", "datapath_id").strip().strip('"'), 16) == 2, "datapath_id")
        check_tcp(network)

        uplink = first.connectionsTo(second)[0][0]
        first.detach(uplink)
        check(network.ping(network.hosts[1:3], timeout="1") == 100, "a detached port forwards")
        first.attach(uplink)
        check(network.ping(network.hosts[1:3], timeout="2") == 0, "an attached port does not forward")
        network.configLinkStatus("s1", "s2", "down")
        check(network.ping(network.hosts[1:3], timeout="1") == 100, "a link that is down forwards")
    finally:
        network.stop()
    check(not run("ovs-vsctl", "list-br"), "bridges are left")


def a_tree_follows_a_remote_controller():
    """What --controller=remote and --topo=tree,2 make: s2 and s3 below s1, two hosts below each."""
    command = ["ovs-testcontroller", "--unixctl=none", "-vconsole:off", "ptcp:6654:127.0.0.1"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as program:
        network = build(TreeTopo(depth=2, fanout=2), switch=functools.partial(OVSSwitch, protocols="OpenFlow13"), link=Link,
                        controller=functools.partial(RemoteController, ip="127.0.0.1", port=6654), waitConnected=True)
        try:
            check(all(switch.connected() for switch in network.switches), "is_connected")
            check(network.pingAll(timeout="2") == 0, "pings are lost")
            check_tcp(network)
        finally:
            network.stop()
            program.terminate()


def switches_learn_alone():
    """failMode=standalone, patch ports between switches, one ovs-vsctl for all."""
    network = build(switch=OVSBridge, controller=None, link=OVSLink)
    try:
        check(network.pingAll(timeout="2") == 0, "pings are lost between patch ports")
        check("NORMAL" in network.switches[0].dpctl("dump-flows"), "the default flow")
        kinds = run("ovs-vsctl", "--bare", "--columns=type", "find", "Interface", "type=patch").split()
        check(kinds == ["patch", "patch"], "patch ports:", kinds)
    finally:
        network.stop()


def shaped_links_keep_their_shape():
    network = build(switch=OVSSwitch, controller=OVSController, link=lambda *a, **k: TCLink(*a, bw=10, **k))
    try:
        check(network.waitConnected(timeout=5), "no connection to the controller")
        check("rate 10Mbit" in run("tc", "class", "show", "dev", "s1-eth1"), "the switch took Mininet's qdisc away")
        check(network.pingAll(timeout="2") == 0, "pings are lost")
    finally:
        network.stop()


if __name__ == "__main__":
    setLogLevel("critical")
    Mininet.inited = True  # Else it would change limits of the whole machine.
    for test in (controller_programs_switches, a_tree_follows_a_remote_controller, switches_learn_alone,
                 shaped_links_keep_their_shape):
        print("-- " + test.__name__.replace("_", " "), flush=True)
        test()
