#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the database tell how a bridge gets on with its controllers?

    openflow_status.py RUNDIR NAME

Run where the switch is.  Each case is a bridge with a controller of its own, which is here: one that listens, or
one that comes to the switch.  What is_connected, role and status have to say is the same for Weir and Open vSwitch
but for passive controllers, of which Open vSwitch does not tell.  Wrong answers are right in the end or not at all."""

import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time

rundir, name = sys.argv[1:]
VERSION, HELLO, ECHO_REQUEST, ECHO_REPLY, ROLE_REQUEST = 4, 0, 2, 3, 24
PRIMARY, SECONDARY = 2, 3


def message(kind, body=b"", xid=1, length=None):
    return struct.pack("!BBHI", VERSION, kind, length or 8 + len(body), xid) + body


def take(sock, n_bytes):
    data = b""
    while len(data) < n_bytes:
        more = sock.recv(n_bytes - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def hear(sock):
    kind, length, xid = struct.unpack("!xBHI", take(sock, 8))
    return kind, xid, take(sock, length - 8)


# What controllers do with a connection; it is closed behind that.

def stay(sock, role=None):
    sock.sendall(message(HELLO))
    hear(sock)
    if role is not None:
        sock.sendall(message(ROLE_REQUEST, struct.pack("!I4xQ", role, 0)))
    while True:
        kind, xid, body = hear(sock)
        if kind == ECHO_REQUEST:
            sock.sendall(message(ECHO_REPLY, body, xid))


def lead(sock):
    stay(sock, PRIMARY)


def follow(sock):
    stay(sock, SECONDARY)


def leave(sock):
    sock.sendall(message(HELLO))
    hear(sock)
    sock.sendall(message(ECHO_REQUEST))
    while hear(sock)[0] != ECHO_REPLY:
        pass


def speak_another_version(sock):
    sock.sendall(message(HELLO, struct.pack("!HHI", 1, 8, 1 << 9)))
    hear(sock)
    take(sock, 1 << 16)


def say_no_hello(sock):
    sock.sendall(message(ECHO_REQUEST))
    take(sock, 1 << 16)


def say_nonsense(sock):
    sock.sendall(message(HELLO))
    hear(sock)
    sock.sendall(message(ECHO_REQUEST, length=3))
    take(sock, 1 << 16)


def talk(sock, behaviour):
    try:
        behaviour(sock)
    except OSError:
        pass
    sock.close()


def start(behaviour, sock):
    threading.Thread(target=talk, args=(sock, behaviour), daemon=True).start()


def listen(behaviour):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            start(behaviour, listener.accept()[0])

    if behaviour:
        threading.Thread(target=accept, daemon=True).start()
    else:
        listener.close()
    return listener.getsockname()[1] if behaviour else 9


def come(port, behaviour):
    while True:
        try:
            start(behaviour, socket.create_connection(("127.0.0.1", port)))
            return
        except ConnectionRefusedError:
            time.sleep(0.05)


# is_connected, role, state, last_error (up to its colon), which of sec_since_connect and sec_since_disconnect there are
UP, DOWN, BOTH = {"sec_since_connect"}, {"sec_since_disconnect"}, {"sec_since_connect", "sec_since_disconnect"}
ACTIVE = [
    ("nobody", None, (False, None, "BACKOFF", "Connection refused", set())),
    ("stays", stay, (True, "other", "ACTIVE", None, UP)),
    ("leads", lead, (True, "master", "ACTIVE", None, UP)),
    ("follows", follow, (True, "slave", "ACTIVE", None, UP)),
    ("leaves", leave, (False, None, "BACKOFF", "End of file", BOTH)),
    ("version", speak_another_version, (False, None, "BACKOFF", "Protocol error", DOWN)),
    ("nohello", say_no_hello, (False, None, "BACKOFF", "Protocol error", DOWN)),
    ("nonsense", say_nonsense, (False, None, "BACKOFF", "Protocol error", BOTH)),
]
NOTHING_TOLD = (False, None, None, None, set())
PASSIVE = [
    ("waits", None, (False, None, "LISTENING", None, set())),
    ("came", stay, (True, "other", "LISTENING", None, UP)),
    ("camelead", lead, (True, "master", "LISTENING", None, UP)),
    ("camewent", leave, (False, None, "LISTENING", None, BOTH)),
]


def vsctl(*words):
    return subprocess.run(["ovs-vsctl", "-t", "60", *words], env=dict(os.environ, OVS_RUNDIR=rundir), text=True,
                          stdout=subprocess.PIPE, check=True).stdout


def statuses():
    """By target."""
    rows = json.loads(vsctl("--format=json", "--columns=target,is_connected,role,status", "list", "Controller"))["data"]
    answer = {}
    for target, is_connected, role, status in rows:
        status = dict(status[1])
        seconds = {key: value for key, value in status.items() if key.startswith("sec_")}
        if not all(re.fullmatch("[0-9]{1,2}", value) for value in seconds.values()):
            sys.exit(f"{name}: {target}: {seconds}")
        error = status.get("last_error")
        answer[target] = (is_connected, role if isinstance(role, str) else None, status.get("state"),
                          error and error.partition(":")[0], set(seconds))
    return answer


def main():
    wanted, words = {}, []
    for bridge, behaviour, status in ACTIVE:
        wanted[f"tcp:127.0.0.1:{listen(behaviour)}"] = (bridge, status)
    for i, (bridge, behaviour, status) in enumerate(PASSIVE):
        wanted[f"ptcp:{7001 + i}:127.0.0.1"] = (bridge, status if name == "Weir" else NOTHING_TOLD)
    for target, (bridge, _) in wanted.items():
        words += ["--", "add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=netdev",
                  "--", "set-controller", bridge, target]
    vsctl(*words[1:])
    for i, (_, behaviour, _) in enumerate(PASSIVE):
        if behaviour:
            come(7001 + i, behaviour)
    end = time.monotonic() + 60
    while True:
        told = statuses()
        wrong = [f"{name}: {bridge}: wanted {status}, got {told.get(target)}"
                 for target, (bridge, status) in wanted.items() if told.get(target) != status]
        for target in [target for target, (_, status) in wanted.items() if told.get(target) == status]:
            del wanted[target]
        if not wanted or time.monotonic() > end:
            sys.exit("\n".join(wrong) or 0)
        time.sleep(0.1)


main()
