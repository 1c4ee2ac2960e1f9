#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vlan_device.py DEVICE VID NAME: a VLAN device for kernels without 8021q: a tap NAME whose frames go out of DEVICE
with a tag, and which gets those that come in with it.  For small frames only: it knows no offloads."""
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, TP_STATUS_VLAN_VALID = 263, 8, 4, 0x10
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def received_tag(frame, ancillary):
    """The VLAN of a frame and the frame without its tag: the kernel may have taken it out already."""
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci = struct.unpack_from("IIIHHH", data)
            if status & TP_STATUS_VLAN_VALID:
                return tci & 0xFFF, frame
    if frame[12:14] == b"\x81\x00":
        return struct.unpack_from("!H", frame, 14)[0] & 0xFFF, frame[:12] + frame[16:]
    return None, frame


def main():
    device, vid, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((device, 0))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    with open(f"/sys/class/net/{device}/address", encoding="ascii") as file:
        address = file.read().strip()
    subprocess.run(["ip", "link", "set", name, "address", address, "up"], check=True)
    print("ready", flush=True)
    while True:
        for source in select.select([tap, wire], [], [])[0]:
            if source == tap:
                frame = os.read(tap, 65536)
                wire.send(frame[:12] + struct.pack("!HH", 0x8100, vid) + frame[12:])
                continue
            frame, ancillary, _, origin = wire.recvmsg(65536, 256)
            tag, frame = received_tag(frame, ancillary)
            if tag == vid and origin[2] != PACKET_OUTGOING:
                os.write(tap, frame)


main()
