# SPDX-License-Identifier: Apache-2.0
"""How many flows that were never seen before does a switch set up in a second, on one processor?

Every frame is of a new flow (load/new_flows.c): four ports take them in turns, and by a fifth they go.  There a program counts
and swallows them as they leave, so that what a receiver would do is in nobody's time.  All threads of the daemon are held to one
processor; the sender is on another, if there is one, and what the kernel does on the way to the daemon is on the sender's.
Twice: with more than either switch can take (four ports, as a port has a budget of misses; and every other moment the daemon's
processor is another program's, else the sender is slower than Weir), and with a rate that both take easily, where what waiting
costs is in what a flow costs.  By the clock the sender would be the limit, so it is the daemon's
processor time that counts."""

import os
import signal
import subprocess
import time

SENDERS = ("q1", "q3", "q4", "q5")
SATURATED, MODERATE = 0, 20000
SECONDS = {SATURATED: 1.5, MODERATE: 1.0}


def thread_paths(pid):
    return [f"/proc/{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")]


def cpu_ns(pid):
    total = 0
    for path in thread_paths(pid):
        try:
            with open(path + "/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:  # The thread has ended.
            pass
    return total


def hold(pid, cpus):
    """All threads of the process to these processors."""
    for path in thread_paths(pid):
        try:
            os.sched_setaffinity(int(os.path.basename(path)), cpus)
        except ProcessLookupError:
            pass


class Sink:
    """What leaves by p2 while this is there, in 'n_frames' afterwards."""

    def __init__(self, switch):
        self.process = switch.spawn(switch.build + "/tests/bench/load/load", "swallow", "p2", "60", stdout=subprocess.PIPE)
        while "swallow" not in switch.inside("tc", "filter", "show", "dev", "p2", "egress"):
            if self.process.poll() is not None:
                raise RuntimeError("nothing counts frames")
            time.sleep(0.01)

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.n_frames = int(self.process.communicate()[0])


def add_ports(switch):
    for n in 3, 4, 5:
        switch.add_link(n)
        switch.vsctl("add-port", "br0", f"p{n}")


def set_flows(switch, masks):
    switch.ofctl("del-flows", "br0")
    # What an action reads is part of the megaflow, so none serves two frames.
    switch.ofctl("add-flow", "br0", "table=1,udp,actions=move:NXM_OF_IP_SRC[]->NXM_NX_REG0[],"
                 "move:NXM_OF_UDP_SRC[]->NXM_NX_REG1[0..15],output:2")
    if masks:
        switch.ofctl("add-flows", "br0", masks)
    switch.ofctl("add-flow", "br0", "priority=0,actions=resubmit(,1)")


def clear(switch):
    """So that what is cached of one round costs the next nothing."""
    switch.ofctl("del-flows", "br0")
    switch.appctl("dpctl/del-flows")
    time.sleep(0.2)


class Rival:
    """Takes its share of a processor while this is there."""

    def __init__(self, cpu):
        self.process = subprocess.Popen(["taskset", "-c", str(cpu), "sh", "-c", "while :; do :; done"])

    def close(self):
        self.process.kill()
        self.process.wait()


def offer(switch, first, pps):
    """Sends for a while.  How many were sent, how many arrived, and in how many seconds of the daemon's processor
    time."""
    pid, milliseconds = switch.forwarding.pid, int(SECONDS[pps] * 1000)
    everywhere, cpus = os.sched_getaffinity(0), sorted(os.sched_getaffinity(0))
    sink = Sink(switch)
    rival = Rival(cpus[-1]) if pps == SATURATED else None
    try:
        hold(pid, cpus[-1:])
        cpu = cpu_ns(pid)
        sent = int(switch.inside("taskset", "-c", cpus[0], switch.build + "/tests/bench/load/new_flows", pps, milliseconds,
                                 first, *SENDERS))
        cpu = cpu_ns(pid) - cpu
    finally:
        hold(pid, everywhere)
        if rival:
            rival.close()
        sink.close()
    return sent, sink.n_frames, max(cpu, 1) * 1e-9


def measure(switch, results, masks, n_masks):
    behind = f" behind {n_masks} masks" if masks else ""
    for pps, offered in (SATURATED, "all it takes"), (MODERATE, f"{MODERATE:,}/s"):
        set_flows(switch, masks)
        sent, arrived, cpu = offer(switch, results.first_new_flow, pps)
        results.first_new_flow += sent
        results.add(f"new flows{behind} per CPU s, {offered}", switch, arrived / cpu)
        clear(switch)
