#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends frames that no honest sender would: stacks of headers cut at every byte, lengths that lie,
random bytes, and (through a tap) virtio-net headers that lie about checksum and segmentation.

    bad_frames.py device INTERFACE     through a packet socket
    bad_frames.py tap INTERFACE        opens the tap itself, as QEMU would, and writes to it

Prints how many frames it sent.  The same seed gives the same frames."""

import fcntl
import os
import random
import socket
import struct
import sys

SEED = 20231
DST, SRC = bytes.fromhex("020000000002"), bytes.fromhex("020000000001")


def eth(kind, payload):
    return DST + SRC + struct.pack("!H", kind) + payload


def vlan(tci, kind, payload):
    return struct.pack("!HH", tci, kind) + payload


def ipv4(proto, payload, total=None, ihl=5, frag=0, options=b""):
    total = 20 + len(options) + len(payload) if total is None else total
    return struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, 0, total & 0xffff, 1, frag, 64, proto, 0,
                       bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])) + options + payload


def ipv6(proto, payload, length=None):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB", 6 << 28, length & 0xffff, proto, 64) + bytes(15) + b"\1" + \
        bytes(15) + b"\2" + payload


def tcp(offset=5, flags=0x18):
    return struct.pack("!HHIIBBHHH", 1000, 80, 1, 2, offset << 4, flags, 1000, 0, 0)


def udp(payload=b"x" * 8, length=None):
    return struct.pack("!HHHH", 1000, 53, 8 + len(payload) if length is None else length, 0) + payload


def stacks():
    nd = struct.pack("!BBHI", 135, 0, 0, 0) + bytes(16) + b"\1\1" + SRC
    arp = struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + SRC + bytes([10, 0, 0, 1]) + bytes(6) + bytes([10, 0, 0, 2])
    hop, destination = b"\x3c\0" + b"\1\4" + bytes(4), b"\x06\0" + b"\1\4" + bytes(4)
    fragment6 = struct.pack("!BBHI", 6, 0, 1, 7)
    yield eth(0x0800, ipv4(6, tcp() + b"data"))
    yield eth(0x0800, ipv4(17, udp()))
    yield eth(0x0800, ipv4(132, struct.pack("!HHII", 1, 2, 3, 4)))
    yield eth(0x0800, ipv4(1, b"\x08\0" + bytes(6)))
    yield eth(0x0800, ipv4(2, b"\x11\0" + bytes(6)))
    yield eth(0x0800, ipv4(6, tcp(), ihl=8, options=bytes(12)))
    yield eth(0x0800, ipv4(6, tcp(), frag=0x2000))
    yield eth(0x0800, ipv4(6, b"later", frag=0x00ff))
    yield eth(0x8100, vlan(0x2014, 0x0800, ipv4(6, tcp())))
    yield eth(0x88a8, vlan(100, 0x8100, vlan(20, 0x0800, ipv4(17, udp()))))
    yield eth(0x8100, vlan(1, 0x8100, vlan(2, 0x8100, vlan(3, 0x0806, arp))))
    yield eth(0x86dd, ipv6(6, tcp()))
    yield eth(0x86dd, ipv6(58, nd))
    yield eth(0x86dd, ipv6(0, hop + destination + tcp()))
    yield eth(0x86dd, ipv6(44, fragment6 + tcp()))
    yield eth(0x86dd, ipv6(0, (b"\0\0" + bytes(6)) * 100 + tcp()))
    yield eth(0x0806, arp)
    yield eth(0x8035, arp)
    yield eth(0x8847, struct.pack("!I", 16 << 12 | 64) * 100)
    yield eth(0x88cc, bytes(range(46)))
    yield DST + SRC + struct.pack("!H", 40) + b"\xaa\xaa\3\0\0\0\x08\0" + ipv4(17, udp())
    yield DST + SRC + struct.pack("!H", 3) + b"\x42\x42\3"
    yield bytes.fromhex("0180c2000000") + SRC + struct.pack("!H", 38) + b"\x42\x42\3" + bytes(35)


def frames():
    rng = random.Random(SEED)
    for frame in stacks():
        for size in range(1, len(frame) + 1):
            yield frame[:size]
        yield frame + bytes(300)  # Padding longer than 255 bytes.
    for total in 0, 1, 19, 20, 21, 39, 41, 1000, 65535:
        yield eth(0x0800, ipv4(6, tcp(), total=total))
        yield eth(0x86dd, ipv6(6, tcp(), length=total))
        yield eth(0x0800, ipv4(17, udp(length=total)))
    for value in range(16):
        yield eth(0x0800, ipv4(6, tcp(), ihl=value))
        yield eth(0x0800, ipv4(6, tcp(offset=value)))
    for proto in range(256):
        yield eth(0x0800, ipv4(proto, bytes(40)))
        yield eth(0x86dd, ipv6(proto, bytes(40)))
    for option in range(256):  # Neighbour discovery options of every length.
        yield eth(0x86dd, ipv6(58, struct.pack("!BBHI", 136, 0, 0, 0) + bytes(16) +
                               bytes([2, option]) + SRC))
    everything = list(stacks())
    for _ in range(3000):
        frame = bytearray(rng.choice(everything))
        for _ in range(rng.randint(1, 6)):
            frame[rng.randrange(12, len(frame))] = rng.randrange(256)
        yield bytes(frame)
    for _ in range(500):
        yield rng.randbytes(rng.randint(1, 1514))


def vnet_headers():
    rng = random.Random(SEED)
    yield bytes(10)
    for flags in 0, 1, 2, 3, 255:
        for gso_type in 0, 1, 3, 4, 5, 0x81, 77, 255:
            for gso_size in 0, 1, 1448, 65535:
                for start, offset in (34, 16), (0, 0), (65535, 65535), (13, 6), (1513, 0):
                    yield struct.pack("<BBHHHH", flags, gso_type, rng.choice([0, 54, 65535]),
                                      gso_size, start, offset)


def send_by_device(name):
    fd = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    fd.bind((name, 0))
    sent = 0
    for frame in frames():
        try:
            fd.send(frame)
            sent += 1
        except OSError:  # Our own kernel refuses the shortest.
            pass
    return sent


def send_by_tap(name):
    tunsetiff, iff_tap, iff_no_pi, iff_vnet_hdr = 0x400454ca, 2, 0x1000, 0x4000
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, tunsetiff, struct.pack("16sH14x", name.encode(),
                                           iff_tap | iff_no_pi | iff_vnet_hdr))
    sys.stdin.readline()  # The caller connects the port first.
    sent = 0
    sample = list(stacks())
    for number, header in enumerate(vnet_headers()):
        for data in header + sample[number % len(sample)], header + sample[0] + bytes(3000):
            try:
                os.write(fd, data)
                sent += 1
            except OSError:
                pass
    for frame in frames():
        try:
            os.write(fd, bytes(10) + frame)
            sent += 1
        except OSError:
            pass
    return sent


if __name__ == "__main__":
    how, interface = sys.argv[1:]
    print(send_by_tap(interface) if how == "tap" else send_by_device(interface))
