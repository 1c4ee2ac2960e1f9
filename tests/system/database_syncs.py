#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commits rows from many clients, or checks what the server did meanwhile.

    database_syncs.py commit SOCKET N     N transactions by 16 clients, and a monitor of all rows
    database_syncs.py check TRACE N       in the trace, nobody hears of a row before it is synced
"""
import json
import re
import socket
import sys
import threading

CLIENTS = 16
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
# Of a row, in the answer to an insert and in an update; strace quotes quotes.
TOLD = rf'uuid\\":\[\\"uuid\\",\\"({UUID})|\\"({UUID})\\":\{{'


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.decoder = json.JSONDecoder()
        self.text = ""

    def message(self):
        while True:
            try:
                message, end = self.decoder.raw_decode(self.text)
                self.text = self.text[end:]
                return message
            except json.JSONDecodeError:
                data = self.socket.recv(65536).decode()
                if not data:
                    sys.exit("the server closed the connection")
                self.text += data

    def call(self, method, *params):
        self.socket.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode())
        return self.message()


def commit(path, n):
    monitor = Client(path)
    monitor.call("monitor", "D", None, {"T": {}})

    def run(client):
        for i in range(n // CLIENTS):
            row = {"op": "insert", "table": "T", "row": {"n": i}}
            if "uuid" not in client.call("transact", "D", row)["result"][0]:
                sys.exit("a transaction is refused")

    threads = [threading.Thread(target=run, args=[Client(path)]) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    seen = 0
    while seen < n // CLIENTS * CLIENTS:
        seen += len(monitor.message()["params"][1]["T"])
    for thread in threads:
        thread.join()


def check(path, n):
    pending, durable, told, syncs = set(), set(), set(), 0
    for line in open(path):
        if re.match(r"writev\(\d+<[^>]*/db>", line):
            pending.update(re.findall(UUID, line))
        elif re.match(r"fdatasync\(\d+<[^>]*/db>\)\s+= 0", line):
            durable |= pending
            pending.clear()
            syncs += 1
        elif line.startswith("sendto("):
            rows = {answered or updated for answered, updated in re.findall(TOLD, line)}
            if rows - durable:
                sys.exit(f"told before it was synced: {line}")
            told |= rows
    if len(told) < n // CLIENTS * CLIENTS:
        sys.exit(f"{len(told)} rows in the trace")
    print(f"transactions={len(told)} syncs={syncs}")


{"commit": commit, "check": check}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
