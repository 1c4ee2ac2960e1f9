#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loads a database server in the ways that hurt others, and looks at what it costs.

    database_load.py SOCKET PID SCALE

Each part ends with an honest client that is answered, and with the server's memory and descriptors as they were."""

import json
import os
import resource
import select
import socket
import sys
import time

from clients_jsonrpc import Client

MIB = 1 << 20
DATABASE = "Open_vSwitch"
NOWHERE = "00000000-0000-0000-0000-000000000000"


class Server:
    def __init__(self, path, pid, scale):
        self.path, self.pid, self.scale = path, pid, scale

    def rss(self):
        with open("/proc/%s/status" % self.pid, encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir("/proc/%s/fd" % self.pid))

    def processor_s(self):
        with open("/proc/%s/stat" % self.pid, encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self):
        return Client(self.path)


def fail(text, *values):
    raise SystemExit("FAIL: " + text % values)


def request(method, params, number):
    return json.dumps({"method": method, "params": params, "id": number}).encode()


def make_rows(client, n_rows, padding=""):
    """Queues that one QoS refers to; the results' UUIDs."""
    rows = [{"op": "insert", "table": "Queue", "uuid-name": "q%d" % n, "row": {
        "external_ids": ["map", [["n", str(n)], ["padding", padding]]]}} for n in range(n_rows)]
    queues = ["map", [[n, ["named-uuid", "q%d" % n]] for n in range(n_rows)]]
    results = client.transact(DATABASE, *rows, {"op": "insert", "table": "QoS", "row": {"type": "x", "queues": queues}})
    return [result["uuid"][1] for result in results[:n_rows]]


def drain(client, n_replies, on_message=None):
    """Reads until so many replies have come."""
    while n_replies:
        message = client.message()
        if "method" not in message:
            n_replies -= 1
        if on_message:
            on_message(message)


def clean_up(server):
    client = server.connect()
    client.transact(DATABASE, {"op": "delete", "table": "QoS", "where": []})
    client.close()


# --- A monitor's client that does not read -------------------------------------------------------


def plain_image(image, updates):
    for uuid, change in updates.get("Queue", {}).items():
        if "new" in change:
            image[uuid] = change["new"]["external_ids"]
        elif "initial" in change or "insert" in change:
            image[uuid] = (change.get("initial") or change["insert"])["external_ids"]
        elif "modify" in change:
            now = dict(map(tuple, image[uuid][1]))
            for key, value in change["modify"]["external_ids"][1]:
                if now.get(key) == value:
                    del now[key]
                else:
                    now[key] = value
            image[uuid] = ["map", sorted([key, value] for key, value in now.items())]
        else:
            del image[uuid]


def stopped_monitor(server):
    """Many updates of a thousand rows, while a client of each form of monitor does not read."""
    writer = server.connect()
    uuids = make_rows(writer, 1000)
    images, monitors = [], []
    for method, more in (("monitor", []), ("monitor_cond", []), ("monitor_cond_since", [NOWHERE])):
        client = server.connect()
        result = client.call(method, DATABASE, "m", {"Queue": [{"columns": ["external_ids"]}]}, *more)
        image = {}
        plain_image(image, result if not more else result[2])
        monitors.append(client)
        images.append(image)
    before = server.rss()
    n_updates, n_batch = 50000 * server.scale, 500
    for start in range(0, n_updates, n_batch):
        requests = [request("transact", [DATABASE, {
            "op": "update", "table": "Queue", "where": [["_uuid", "==", ["uuid", uuids[n * 7 % 1000]]]],
            "row": {"external_ids": ["map", [["n", str(n)]]]}}], n) for n in range(start, start + n_batch)]
        writer.socket.sendall(b"".join(requests))
        drain(writer, n_batch)
    growth = server.rss() - before
    if growth > 32 * MIB:
        fail("%d updates that nobody reads cost %d MiB", n_updates, growth / MIB)
    rows = writer.transact(DATABASE, {"op": "select", "table": "Queue", "where": [], "columns": ["_uuid", "external_ids"]})
    now = {row["_uuid"][1]: row["external_ids"] for row in rows[0]["rows"]}
    n_messages = 0
    for client, image in zip(monitors, images):
        client.socket.setblocking(True)
        client.socket.sendall(request("echo", [], "end"))
        while True:
            message = client.message()
            if message.get("id") == "end":
                # What had to wait until the client read comes after the answer.
                if not select.select([client.socket], [], [], 0.5)[0] and not client.text:
                    break
                client.socket.sendall(request("echo", [], "end"))
            else:
                n_messages += 1
                plain_image(image, message["params"][-1])
        if image != now:
            fail("a monitor that lagged has another image than a select")
        client.close()
    writer.close()
    return "updates=%d messages=%d growth=%d_KiB" % (n_updates, n_messages, growth >> 10)


# --- Many connections ------------------------------------------------------------------------------


def many_connections(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_wanted = min(2000 if server.scale == 1 else 10000, hard - 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n_wanted + 100), hard))
    honest = server.connect()
    honest.call("echo", 1)
    n_descriptors = server.descriptors()
    crowd = []
    for n in range(n_wanted):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(server.path)
        sock.settimeout(10)
        if n % 2:
            try:
                sock.sendall(b'{"method": "transact", "par')
            except OSError:
                pass  # Refused already.
        crowd.append(sock)
    for _ in range(100):
        honest.call("echo", 1)
    poller = select.poll()
    for sock in crowd:
        poller.register(sock, select.POLLIN)
    for _ in range(100):
        n_refused = len(poller.poll(100))
        if n_wanted - n_refused <= 1024:
            break
        time.sleep(0.1)
    if not 0 < n_wanted - n_refused <= 1024:
        fail("%d of %d connections were refused", n_refused, n_wanted)
    before = server.processor_s()
    time.sleep(1)
    spent = server.processor_s() - before
    if spent > 0.3:
        fail("%d silent connections cost %.0f %% of a processor", n_wanted - n_refused, 100 * spent)
    for sock in crowd:
        sock.close()
    for _ in range(100):
        honest.call("echo", 1)
        if abs(server.descriptors() - n_descriptors) <= 2:
            break
        time.sleep(0.1)
    else:
        fail("%d descriptors, before it were %d", server.descriptors(), n_descriptors)
    honest.close()
    return "connections=%d refused=%d" % (n_wanted, n_refused)


# --- Transactions that wait ------------------------------------------------------------------------


def many_waits(server):
    """Ten clients whose transactions wait for a row; each is answered once, when it comes."""
    n_clients, n_each = 10, 200 * min(server.scale, 5)
    honest = server.connect()
    clients = [server.connect() for _ in range(n_clients)]
    wait = {"op": "wait", "table": "QoS", "where": [["type", "==", "waited for"]], "columns": ["type"],
            "rows": [{"type": "waited for"}], "until": "=="}
    for client in clients:
        client.socket.sendall(b"".join(request("transact", [DATABASE, wait], n) for n in range(n_each)))
    for client in clients:  # Behind all of them.
        client.call("echo", 1)
    honest.transact(DATABASE, {"op": "insert", "table": "QoS", "row": {"type": "not waited for"}})
    honest.transact(DATABASE, {"op": "insert", "table": "QoS", "row": {"type": "waited for"}})
    n_refused = 0
    for client in clients:
        early = client.notifications
        replies = early + [client.message() for _ in range(n_each - len(early))]
        numbers = sorted(message["id"] for message in replies)
        if numbers != list(range(n_each)):
            fail("a client with %d waits has answers to %s...", n_each, numbers[:5])
        for message in replies:
            error = message["result"][0].get("error")
            n_refused += error == "resources exhausted"
            if error not in (None, "resources exhausted"):
                fail("a wait ends with %s", message)
        client.close()
    honest.call("echo", 1)
    honest.close()
    return "waits=%d refused=%d" % (n_clients * n_each, n_refused)


# --- Locks that are stolen -------------------------------------------------------------------------


def lock_storm(server):
    """Clients that steal one lock from each other: one has it in the end, and each other one knows that it does not."""
    n_clients, n_rounds = 20, 50 * server.scale
    clients = [server.connect() for _ in range(n_clients)]
    honest = server.connect()
    n_stolen_all = 0
    for _ in range(n_rounds):
        for client in clients:
            client.socket.sendall(request("steal", ["l"], "steal"))
        for client in clients:
            client.socket.sendall(request("unlock", ["l"], "unlock"))
    for client in clients:
        n_stolen = [0]

        def count(message):
            n_stolen[0] += message.get("method") == "stolen"
            if message.get("error"):
                fail("a steal or unlock is refused: %s", message)

        drain(client, 2 * n_rounds, count)
        n_stolen_all += n_stolen[0]
    honest.call("echo", 1)
    if not n_stolen_all:
        fail("nobody was told that the lock was stolen")
    if not honest.call("lock", "l")["locked"]:
        fail("the lock is not free after all have unlocked it")
    for client in clients[:2]:
        client.call("steal", "l")
    stolen = [honest.notification()["method"], clients[0].notification()["method"]]
    if stolen != ["stolen", "stolen"]:
        fail("owners that were robbed heard %s", stolen)
    clients[1].close()
    back = clients[0].notification()
    if back["method"] != "locked":
        fail("the next in line heard %s", back)
    for client in clients:
        client.close()
    honest.close()
    return "steals=%d stolen=%d" % (n_clients * n_rounds, n_stolen_all)


# --- Everything, a hundred times -------------------------------------------------------------------


def select_everything(server):
    writer = server.connect()
    make_rows(writer, 2000, "x" * 1000)
    before = server.rss()
    greedy = server.connect()
    number = request("transact", [DATABASE, {"op": "select", "table": "Queue", "where": []}], 0)
    n_times = 30 if server.scale == 1 else 100
    greedy.socket.sendall(number * n_times)
    highest = before
    for _ in range(20):
        writer.call("echo", 1)
        highest = max(highest, server.rss())
        time.sleep(0.02)
    n_bytes = 0
    while n_bytes < n_times * 2000 * 1000:
        data = greedy.socket.recv(1 << 20)
        if not data:
            fail("the connection was closed after %d bytes", n_bytes)
        n_bytes += len(data)
        highest = max(highest, server.rss())
    writer.call("echo", 1)
    greedy.close()
    writer.call("echo", 1)
    after = server.rss()
    if highest - before > 256 * MIB:
        fail("a hundred answers cost %d MiB", (highest - before) / MIB)
    if after > 1.2 * before + 8 * MIB:
        fail("a hundred answers leave %d MiB where %d were", after / MIB, before / MIB)
    writer.close()
    return "bytes=%d growth=%d_KiB left=%d_KiB" % (n_bytes, (highest - before) >> 10, (after - before) >> 10)


def main():
    server = Server(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    for part in (stopped_monitor, many_connections, many_waits, lock_storm, select_everything):
        begin = time.monotonic()
        print("%-18s %s seconds=%.1f" % (part.__name__, part(server), time.monotonic() - begin), flush=True)
        clean_up(server)


if __name__ == "__main__":
    main()
