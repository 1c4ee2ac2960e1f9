#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the switch treat frames as it should when the kernel's cache is full?

    kernel_full.py NAMESPACE NAMESPACE

Frames go out of eth0 of the first namespace; eth0 of the second must get each of them once, and nothing else."""

import ctypes
import json
import os
import socket
import subprocess
import sys
import time

BURST = 256  # Frames under way; the exception tap holds 2048.
FORWARDED, REWRITTEN, FORBIDDEN = 1000, 2000, 3000  # Destination ports; see kernel_full.sh.
FRAME = bytes.fromhex("020000000002" "020000000001" "86dd" "60000000" "0010" "11" "40") + \
    bytes.fromhex("fd00" + "00" * 13 + "01") + bytes.fromhex("fd00" + "00" * 13 + "02")
PAYLOAD = b"kernelfl"
SOURCE, DESTINATION = slice(54, 56), slice(56, 58)
PATIENCE_S = 60


def device_of(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    away = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    assert not libc.setns(away, 0)
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    device.bind(("eth0", 0))
    device.settimeout(PATIENCE_S)
    assert not libc.setns(home, 0)
    os.close(home)
    os.close(away)
    return device


def sum_of(data):
    return sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))


OTHERS = sum_of(FRAME[22:54] + b"\0\x10" + b"\0\x11" + b"\0\x10" + PAYLOAD)  # What the checksum covers besides the ports.


def frame(source, destination):
    ports = source.to_bytes(2, "big") + destination.to_bytes(2, "big")
    checksum = 0xFFFF - (OTHERS + source + destination) % 0xFFFF
    return FRAME + ports + b"\0\x10" + checksum.to_bytes(2, "big") + PAYLOAD


class Path:
    def __init__(self, namespaces):
        self.entry, self.exit = (device_of(namespace) for namespace in namespaces)
        self.entry.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # Nobody reads it.

    def hear(self):
        while True:
            data, (_, _, kind, _, _) = self.exit.recvfrom(2000)
            if kind != socket.PACKET_OUTGOING:
                return data

    def burst(self, sources, destination):
        """Each frame arrives once, of those that are forbidden none."""
        arrives = {}
        for source in sources:
            wanted = source if destination == REWRITTEN else FORWARDED
            arrives[frame(source, wanted)] = source
            self.entry.send(frame(source, destination))
            if source % 16 == 0:
                self.entry.send(frame(source, FORBIDDEN))
        while arrives:
            try:
                data = self.hear()
            except TimeoutError:
                sys.exit(f"FAIL: {len(arrives)} frames of a burst are lost")
            if arrives.pop(data, None) is None:
                sys.exit(f"FAIL: this frame is a stranger, or comes twice: {data.hex()}")

    def all(self, sources, destination=FORWARDED):
        for first in range(sources.start, sources.stop, BURST):
            self.burst(range(first, min(first + BURST, sources.stop)), destination)


def cache():
    words = [os.environ["WEIR_BUILD"] + "/cli/weir", "--json", "cache", "show"]
    answer = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)
    port = next(port for port in answer["ports"] if port["port"] == "h1")
    return {**answer["kernel"], **answer["ineligible"], "kernel": port["kernel"], "userspace": port["userspace"]}


def expect(holds, sentence, numbers):
    if not holds:
        sys.exit(f"FAIL: {sentence}: {numbers}")


def main():
    path = Path(sys.argv[1:3])
    old, new = range(1, 36001), range(50001, 52001)

    print("-- more flows than there is room for", flush=True)
    end = time.monotonic() + PATIENCE_S
    now = cache()
    while True:
        before = now
        path.all(old)
        now = cache()
        if now["full"] and now["kernel"] - before["kernel"] > len(old) // 2:
            break
        expect(time.monotonic() < end, "few flows get into the kernel", now)
    expect(now["flows_ipv6"] <= now["max_flows_ipv6"] == 32768 and now["flows_ipv6"] > 25000, "flows in the kernel", now)
    expect(now["moved"], "nobody made room", now)
    expect(now["userspace"] - before["userspace"] >= len(old) - 32768, "not even the rest came to userspace", (before, now))

    print("-- new flows take the places of idle ones", flush=True)
    first = now
    end = time.monotonic() + PATIENCE_S
    while True:
        before = cache()
        path.all(new)
        now = cache()
        if now["evicted"] > first["evicted"] and now["kernel"] - before["kernel"] > len(new) * 9 // 10:
            break
        expect(time.monotonic() < end, "new flows do not get into the kernel", now)
    expect(not now["expired"], "flows left for another reason", now)

    print("-- more verdicts than there is room for", flush=True)
    many = range(1, 8601)
    end = time.monotonic() + PATIENCE_S
    now = cache()
    while now["verdicts"] < now["max_verdicts"] or not now["no_program"]:
        path.all(many, REWRITTEN)
        now = cache()
        expect(time.monotonic() < end, "there are not that many, or no flow is refused for it", now)
    path.all(many, REWRITTEN)


main()
