#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says nonsense to the sockets of a run directory: malformed JSON, transactions, control commands and
OpenFlow, drip-fed, truncated and oversized.  Every connection must end in an error or a hang-up, and an honest
client must be answered all the while.

    bad_clients.py RUNDIR BRIDGE"""

import glob
import json
import os
import random
import socket
import struct
import sys

SEED = 77
HONEST_PATIENCE_S = 60


def talk(path, data, patience=0.3, is_complete=lambda answer: False):
    """What the server says to 'data' before it has said all, falls silent or hangs up."""
    answer = b""
    with socket.socket(socket.AF_UNIX) as fd:
        fd.settimeout(patience)
        fd.connect(path)
        try:
            fd.sendall(data)
            while not is_complete(answer) and (chunk := fd.recv(65536)):
                answer += chunk
        except (TimeoutError, ConnectionError, BrokenPipeError):
            pass
    return answer


def is_json(answer):
    try:
        json.loads(answer)
        return True
    except ValueError:
        return False


def ask(path, data):
    """What must be answered, however busy the machine is."""
    return talk(path, data, HONEST_PATIENCE_S, is_json)


def is_features_reply(answer):
    """Behind a hello."""
    return len(answer) >= 8 and len(answer) >= struct.unpack("!H", answer[2:4])[0] + 8


def require(condition, what):
    if not condition:
        sys.exit("bad_clients: " + what)


def json_nonsense():
    yield b"{" * 100000
    yield b"[" * 1000000
    yield b'{"method":"echo","params":[' + b"1" * 100000 + b'],"id":1}'
    yield b'{"method":"echo","params":["\xff\xfe"],"id":1}'
    yield b'{"method":"echo","params":["\\ud800"],"id":1}'
    yield b'{"method":"echo","params":["\\u0000"],"id":1}'
    yield b'{"method":1,"params":[],"id":1}'
    yield b'{"method":"transact","params":{},"id":1}'
    yield b'{"params":[],"id":1}'
    yield b"null"
    yield b"\0" * 1000
    yield b'"' + b"a" * 1000000
    yield b'{"id":null,"result":[],"error":null}' * 1000


def transactions():
    bad_operations = [
        {}, [], 1, None, {"op": 7}, {"op": "insert"}, {"op": "insert", "table": "No"},
        {"op": "insert", "table": "Bridge", "row": {"name": 7}},
        {"op": "insert", "table": "Bridge", "row": {"nothing": 7}},
        {"op": "insert", "table": "Bridge", "row": {"name": "a"}, "uuid-name": "1 bad"},
        {"op": "select", "table": "Bridge", "where": [["name", "~", "x"]]},
        {"op": "select", "table": "Bridge", "where": [["name", "=="]]},
        {"op": "update", "table": "Bridge", "where": [], "row": {"_uuid": ["uuid", "x"]}},
        {"op": "mutate", "table": "Bridge", "where": [], "mutations": [["name", "+=", 1]]},
        {"op": "mutate", "table": "Open_vSwitch", "where": [],
         "mutations": [["next_cfg", "/=", 0]]},
        {"op": "wait", "table": "Bridge", "timeout": "x", "where": [], "columns": [], "until": "==",
         "rows": []},
        {"op": "insert", "table": "Port", "row": {"tag": 5000, "name": "p"}},
        {"op": "insert", "table": "Bridge", "row": {"name": "../../etc/x"}},
    ]
    for operation in bad_operations:
        yield operation, json.dumps({"method": "transact", "id": 1,
                                     "params": ["Open_vSwitch", operation]}).encode()


def check_database(path):
    for data in json_nonsense():
        talk(path, data)
        honest = ask(path, b'{"method":"list_dbs","params":[],"id":5}')
        require(b"Open_vSwitch" in honest, f"no honest answer after {data[:40]!r}")
    for operation, data in transactions():
        answer = ask(path, data)
        require(b"error" in answer, f"no error for {operation}")
        if b'"error":null' in answer.replace(b" ", b""):
            result = json.loads(answer)["result"]
            is_refused = any(r and "error" in r for r in result)
            require(is_refused or operation.get("op") == "insert", f"{operation} was accepted")


def check_control(path):
    for data in json_nonsense():
        talk(path, data)
    honest = ask(path, b'{"method":"version","params":[],"id":5}')
    require(b"result" in honest, "control socket fell silent")
    unknown = ask(path, b'{"method":"%s%n","params":["a"],"id":5}')
    require(b"not a valid command" in unknown, "unknown command was not refused")


def check_openflow(path):
    rng = random.Random(SEED)
    hello = struct.pack("!BBHI", 1, 0, 8, 1)
    features = struct.pack("!BBHI", 1, 5, 8, 2)
    for version in 0, 1, 2, 4, 6, 255:
        for kind in range(40):
            for size in 0, 7, 8, 9, 12, 16, 72, 1000:
                head = struct.pack("!BBHI", version, kind, size, 7)
                talk(path, hello + head + rng.randbytes(max(0, size - 8)), 0.002)
    for _ in range(300):
        message = bytearray(struct.pack("!BBHI", 1, rng.choice([4, 13, 14, 16]), 0, 9) +
                            rng.randbytes(rng.randint(0, 300)))
        message[2:4] = struct.pack("!H", len(message))
        talk(path, hello + bytes(message), 0.002)
    answer = talk(path, hello + features, HONEST_PATIENCE_S, is_features_reply)
    size = struct.unpack("!H", answer[2:4])[0] if len(answer) >= 8 else 0  # Of its hello.
    require(size and answer[size:size + 2] == b"\x01\x06", "OpenFlow fell silent")


def main():
    rundir, bridge = sys.argv[1:]
    check_database(f"{rundir}/db.sock")
    for path in glob.glob(f"{rundir}/*.ctl"):
        check_control(path)
    check_openflow(f"{rundir}/{bridge}.mgmt")
    require(os.path.exists(f"{rundir}/db.sock"), "the database is gone")
    print("ok")


if __name__ == "__main__":
    main()
