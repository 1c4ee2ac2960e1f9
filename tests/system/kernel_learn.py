#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where does the switch look for a station that moves between ports whose frames are cached already?

    kernel_learn.py NAMESPACE RUNDIR NAMESPACE RUNDIR      the first is Weir; see kernel_learn.sh"""

import ctypes
import os
import socket
import statistics
import subprocess
import sys
import time

STATION, SEEKER = "020000000001", "020000000002"
REST = "0800" "45000028000000004011f96c0a0000010a000002" "00350035001400000000" + "00" * 20
FROM_STATION, TO_STATION = bytes.fromhex(SEEKER + STATION + REST), bytes.fromhex(STATION + SEEKER + REST)
N_MOVES = 4
PATIENCE_S = 60


def device_of(namespace, name):
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    away = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    assert not libc.setns(away, 0)
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    device.bind((name, 0))
    assert not libc.setns(home, 0)
    os.close(home)
    os.close(away)
    return device


class Switch:
    def __init__(self, namespace, rundir):
        self.environment = dict(os.environ, OVS_RUNDIR=rundir)
        self.places = [device_of(namespace, name) for name in ("q1", "q2")]
        self.seeker = device_of(namespace, "q3")

    def appctl(self, *words):
        return subprocess.run(["ovs-appctl", "-T", "60", *words], check=True, env=self.environment, stdout=subprocess.PIPE, text=True).stdout

    def is_found(self, place, patience_s):
        """A frame for the station comes to 'place', and to no other."""
        self.seeker.send(TO_STATION)
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            for i, device in enumerate(self.places):
                device.settimeout(0.002)
                try:
                    data, (_, _, kind, _, _) = device.recvfrom(2000)
                except TimeoutError:
                    continue
                if data == TO_STATION and kind != socket.PACKET_OUTGOING:
                    return i == place
        return False

    def warm(self):
        """The station was at both places, and its frames are in every cache that takes them."""
        for place in (0, 1):
            self.await_station(place)
        for device in self.places * 3:
            device.send(FROM_STATION)
        self.settle(1)

    def n_in_kernel(self):
        return self.appctl("dpctl/dump-flows", "type=offloaded").count("offloaded:yes")

    def settle(self, place):
        """Open vSwitch, looking at frames from both places in one round, may take the older ones for the younger."""
        self.appctl("revalidator/wait")
        self.await_station(place)
        self.appctl("revalidator/wait")

    def await_station(self, place, says=True):
        """Seconds until it is found.  A port that was made now loses frames for a while, hence 'says'."""
        begin = time.monotonic()
        while time.monotonic() - begin < PATIENCE_S:
            if self.is_found(place, 0.2):
                return time.monotonic() - begin
            if says:
                self.places[place].send(FROM_STATION)
        sys.exit(f"FAIL: the station at place {place} is not found")


def main():
    for name, at in (("Weir", 1), ("Open vSwitch", 3)):
        switch = Switch(sys.argv[at], sys.argv[at + 1])
        end = time.monotonic() + PATIENCE_S
        switch.warm()
        while name == "Weir" and switch.n_in_kernel() < 3:
            switch.warm()
            if time.monotonic() > end:
                sys.exit(f"FAIL: only {switch.n_in_kernel()} flows get into the kernel")
        delays_ms = []
        for i in range(N_MOVES):
            switch.places[i % 2].send(FROM_STATION)
            delays_ms.append(switch.await_station(i % 2, says=False) * 1000)
        print(f"   {name}: {N_MOVES} moves noticed after {min(delays_ms):.0f} to {max(delays_ms):.0f} ms,"
              f" median {statistics.median(delays_ms):.0f}", flush=True)
        for i in range(N_MOVES):
            switch.places[i % 2].send(FROM_STATION)
            switch.appctl("revalidator/wait")
            switch.await_station(i % 2, says=False)


main()
