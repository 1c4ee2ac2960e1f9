#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does weir ofp-parse-pcap print what ovs-ofctl prints of the same capture?

    openflow_capture.py WEIR

The captures are made here: connections in order, cut anywhere, repeated, with tags, and beside others; then such as
ovs-ofctl does not understand, of which weir prints the same."""

import json
import struct
import subprocess
import sys

weir = sys.argv[1]
A, B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
HELLO = bytes.fromhex("0400000800000001")
ECHO = bytes.fromhex("0402000800000002")
REPLY = bytes.fromhex("0403000800000002")
SYN, ACK, PUSH = 2, 0x10, 0x18
ETHERNET, RAW, COOKED, COOKED_2 = 1, 101, 113, 276


def tcp(source, destination, sequence, data, flags=PUSH):
    return struct.pack("!HHIIBBHHH", source, destination, sequence % 2**32, 0, 5 << 4, flags, 1000, 0, 0) + data


def ipv4(source, destination, segment):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, source, destination) + segment


def ipv6(source, destination, segment):
    return struct.pack("!IHBB16s16s", 6 << 28, len(segment), 6, 64, source.rjust(16, b"\0"),
                       destination.rjust(16, b"\0")) + segment


def ethernet(packet, tags=b""):
    kind = b"\x08\0" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return bytes(6) + bytes([2, 0, 0, 0, 0, 1]) + tags + kind + packet + bytes(max(0, 46 - len(packet)))


def capture(frames, link=ETHERNET, order="<", magic=0xA1B2C3D4):
    unit = 1000 if magic == 0xA1B2C3D4 else 1000000
    text = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for i, frame in enumerate(frames):
        text += struct.pack(order + "IIII", 1600000000 + i, unit * i, len(frame), len(frame)) + frame
    return text


def say(source, destination, sequence, data, flags=PUSH, tags=b"", ports=(5000, 6653)):
    if source == B:
        ports = ports[::-1]
    return ethernet(ipv4(source, destination, tcp(*ports, sequence, data, flags)), tags)


TALK = [
    say(A, B, 99, b"", SYN), say(B, A, 499, b"", SYN | ACK),
    say(A, B, 100, HELLO), say(B, A, 500, HELLO),
    say(A, B, 108, ECHO[:5]), say(A, B, 113, ECHO[5:] + ECHO[:2]), say(A, B, 118, ECHO[2:]),
    say(B, A, 508, REPLY), say(B, A, 508, REPLY),
    say(A, B, 1, b"GET / HTTP/1.0\r\n", ports=(5000, 80)),
    say(A, B, 1000, HELLO, ports=(5000, 6633)), say(A, B, 2**32 - 4, HELLO + ECHO, ports=(5001, 6653)),
    say(A, B, 1000, HELLO, tags=b"\x81\0\0\5", ports=(5002, 6653)), say(A, B, 7, HELLO, ports=(5003, 7777)),
]
ALIKE = {
    "plain": (capture(TALK), []),
    "other order of bytes": (capture(TALK, order=">"), []),
    "nanoseconds": (capture(TALK, magic=0xA1B23C4D), []),
    "another port": (capture(TALK), ["7777"]),
    "several ports": (capture(TALK), ["7777", "6633"]),
    "with times": (capture(TALK), ["--timestamp"]),
    "nothing": (capture([]), []),
}
PACKETS = [frame[14:] for frame in TALK[:9]]
SWAPPED = TALK[:4] + [TALK[6], TALK[5], TALK[4]] + TALK[7:9]
SIX = [ipv6(packet[12:16], packet[16:20], packet[20:]) for packet in PACKETS]
WEIR_ONLY = {
    "raw": capture(PACKETS, RAW),
    "cooked": capture([bytes(14) + b"\x08\0" + packet for packet in PACKETS], COOKED),
    "cooked 2": capture([b"\x08\0" + bytes(18) + packet for packet in PACKETS], COOKED_2),
}


def run(program, data, words):
    with open("capture", "wb") as file:
        file.write(data)
    options = [word for word in words if word.startswith("-")]
    ports = [word for word in words if not word.startswith("-")]
    result = subprocess.run([program, *options, "ofp-parse-pcap", "capture", *ports], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False)
    return result.stdout, result.returncode, result.stderr


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"FAIL: {what}: wanted\n{wanted}\ngot\n{got}")


for name, (data, words) in ALIKE.items():
    expect(name, run(weir, data, words)[:2], run("ovs-ofctl", data, words)[:2])
plain = run(weir, capture(TALK[:9]), [])[0]
for name, data in WEIR_ONLY.items():
    expect(name, run(weir, data, [])[0], plain)
expect("IPv6", run(weir, capture([ethernet(packet) for packet in SIX]), [])[0], plain.replace("10.0.0.", "::10.0.0."))
messages = plain.rstrip("\n").split("\n\n")
swapped = run(weir, capture(SWAPPED), [])[0].rstrip("\n").split("\n\n")
expect("another order of segments", sorted(swapped), sorted(messages))
gap = run(weir, capture(TALK[:5] + TALK[6:7]), [])[0]
expect("a segment that is missing", gap.rstrip("\n").split("\n\n"), messages[:2])
rows = [json.loads(line) for line in run(weir, capture(TALK[:9]), ["--json"])[0].splitlines()]
expect("JSON", [(row["from"], row["name"]) for row in rows][:3],
       [("10.0.0.1.5000", "OFPT_HELLO"), ("10.0.0.2.6653", "OFPT_HELLO"), ("10.0.0.1.5000", "OFPT_ECHO_REQUEST")])
for data, sentence in ((b"nonsense" * 9, "not a PCAP file"), (bytes.fromhex("0a0d0d0a") + bytes(40), "PCAPNG"),
                       (capture(TALK)[:-3], "not there whole"), (capture(TALK, 147), "type 147"), (b"", "not a PCAP file")):
    _, status, error = run(weir, data, [])
    if not status or sentence not in error:
        sys.exit(f"FAIL: wanted \"{sentence}\", got {status}, {error}")
