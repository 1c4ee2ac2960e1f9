#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks two switches the same wrong messages and compares the OpenFlow errors they answer with.

    openflow_errors.py FIRST-SOCKET SECOND-SOCKET VERSION SEED ONE-IN

Messages are made of every type and subtype with bodies of zeros of all lengths, and of those in
openflow_errors.messages by cutting, lengthening and changing bytes.  One in ONE-IN is sent, chosen by SEED.  Prints
what differs, but for what openflow_errors.known explains; exits with 1 if anything does."""

import os
import random
import re
import socket
import struct
import sys

first, second, version, seed, one_in = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
here = os.path.dirname(os.path.abspath(__file__))
random.seed(seed + str(version))

HELLO, ERROR, ECHO_REQUEST, VENDOR = 0, 1, 2, 4
BARRIER = 18 if version == 1 else 20
STATS = 16 if version == 1 else 18
NICIRA, ONF = 0x2320, 0x4F4E4600
BARRIER_XID = 0x7FFFFFFF


class Switch:
    def __init__(self, path):
        self.path = path
        self.connect()

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(self.path)
        self.bytes = b""
        self.socket.sendall(struct.pack("!BBHI", version, HELLO, 8, 1))
        kind = self.read()[1]
        if kind != HELLO:
            sys.exit("%s: not a hello" % self.path)

    def read(self):
        while len(self.bytes) < 8 or len(self.bytes) < struct.unpack("!H", self.bytes[2:4])[0]:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError
            self.bytes += more
        length = struct.unpack("!H", self.bytes[2:4])[0]
        message, self.bytes = self.bytes[:length], self.bytes[length:]
        return message

    def ask(self, message):
        """What is answered, one word each."""
        answers = []
        barrier = struct.pack("!BBHI", version, BARRIER, 8, BARRIER_XID)
        try:
            self.socket.sendall(message + barrier)
            while True:
                reply = self.read()
                xid = struct.unpack("!I", reply[4:8])[0]
                if xid == BARRIER_XID and reply[1] == BARRIER + 1:
                    return answers
                if xid == struct.unpack("!I", message[4:8])[0]:
                    answers.append(describe(reply))
        except ConnectionError:
            self.connect()
            return answers + ["closed"]


def describe(reply):
    if reply[1] != ERROR:
        return "reply"
    kind, code = struct.unpack("!HH", reply[8:12])
    if kind == 0xB0C2:  # Nicira's, in 1.0 and 1.1
        return "error nx %d/%d" % struct.unpack("!HH", reply[16:20])
    if kind == 0xFFFF:
        return "error vendor %d" % code
    return "error %d/%d" % (kind, code)


def message(kind, body, wire_version=None):
    return struct.pack("!BBHI", wire_version or version, kind, 8 + len(body), 77) + body


LENGTHS = list(range(0, 72, 4)) + [1, 2, 3, 5, 80, 88, 96, 104, 120, 136]


def zeros():
    """Every type and subtype, with nothing in it."""
    for kind in range(0, 40):
        if kind not in (HELLO, STATS, VENDOR, BARRIER):
            for length in LENGTHS:
                yield "type %d, %d zeros" % (kind, length), message(kind, bytes(length))
    for kind in (99, 255):
        yield "type %d" % kind, message(kind, b"")
    for length in (0, 1, 2, 3):
        yield "statistics of %d bytes" % length, message(STATS, bytes(length))
    pad = b"" if version == 1 else bytes(4)
    for kind in list(range(0, 25)) + [0xFFFE]:
        for length in LENGTHS:
            yield ("statistics %d, %d zeros" % (kind, length),
                   message(STATS, struct.pack("!HH", kind, 0) + pad + bytes(length)))
    for flags in (1, 2, 0xFFFF):
        yield "statistics 0, flags %d" % flags, message(STATS, struct.pack("!HH", 0, flags) + pad)
    for vendor, subtypes in ((NICIRA, range(0, 40)), (ONF, [0, 1, 1870, 1911, 2300, 2301, 3000])):
        for subtype in subtypes:
            for length in LENGTHS:
                if subtype == 24 and length >= 16:
                    continue  # Open vSwitch takes up options of tunnels without bytes, and they stay.
                yield ("vendor %x/%d, %d zeros" % (vendor, subtype, length),
                       message(VENDOR, struct.pack("!II", vendor, subtype) + bytes(length)))
        for subtype in range(0, 8):
            for length in LENGTHS:
                yield ("statistics of vendor %x/%d, %d zeros" % (vendor, subtype, length),
                       message(STATS, struct.pack("!HH", 0xFFFF, 0) + pad +
                               struct.pack("!II", vendor, subtype) + bytes(length)))
    for length in range(0, 8):
        yield "vendor of %d bytes" % length, message(VENDOR, bytes(length))
    yield "vendor unknown", message(VENDOR, struct.pack("!II", 0x123456, 1))
    yield "statistics of vendor unknown", message(STATS, struct.pack("!HH", 0xFFFF, 0) + pad +
                                                  struct.pack("!II", 0x123456, 1))
    for wrong in range(0, 9):
        if wrong != version:
            yield "version %d" % wrong, message(ECHO_REQUEST, b"", wrong)


def with_length(whole, length):
    return whole[:2] + struct.pack("!H", length) + struct.pack("!I", 77) + whole[8:length]


def changed():
    """Each message of the list as it is, cut, lengthened, and with each byte changed."""
    for line in open(os.path.join(here, "openflow_errors.messages")):
        if line.startswith("#"):
            continue
        number, name, text = line.rstrip("\n").split(" ", 2)
        if int(number) != version:
            continue
        whole = bytes.fromhex(text)
        yield name, with_length(whole, len(whole))
        for length in range(8, len(whole)):
            yield "%s cut to %d" % (name, length), with_length(whole, length)
        for more in (1, 4, 8, 16):
            yield "%s and %d more" % (name, more), with_length(whole + bytes(more), len(whole) + more)
        for at in range(8, len(whole)):
            for byte in (0, 0xFF, whole[at] ^ 1, whole[at] ^ 0x80):
                if byte != whole[at]:
                    yield ("%s with %02x at %d" % (name, byte, at),
                           with_length(whole[:at] + bytes([byte]) + whole[at + 1:], len(whole)))


def known():
    rows = []
    for line in open(os.path.join(here, "openflow_errors.known")):
        if not line.startswith("#") and line.strip():
            rows.append([re.compile(word) for word in line.split(None, 3)[:3]] + [line])
    return rows


KNOWN = known()


def is_known(name, ours, theirs):
    what = "%d:%s" % (version, name.replace(" ", "_"))
    return any(row[0].fullmatch(what) and row[1].fullmatch(theirs.replace(" ", "_")) and
               row[2].fullmatch(ours.replace(" ", "_")) for row in KNOWN)


switches = [Switch(first), Switch(second)]
asked = different = excused = 0
for name, whole in list(zeros()) + list(changed()):
    if random.randrange(one_in):
        continue
    asked += 1
    ours, theirs = [",".join(dict.fromkeys(switch.ask(whole))) or "nothing" for switch in switches]
    if ours != theirs:
        if is_known(name, ours, theirs):
            excused += 1
        else:
            different += 1
            print("1.%d %s: Open vSwitch %s, Weir %s" % (version - 1, name, theirs, ours))
print("OpenFlow 1.%d: %d messages, %d answered differently, %d of them known" %
      (version - 1, asked, different + excused, excused))
sys.exit(different != 0)
