#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a database server again and again, and compares what it has with what it said.

    database_kill.py SERVER FOLDER KILLS [SEED]

While it runs,

  - four clients insert pairs of rows, a pair in one transaction, and remember which were acknowledged;
  - two clients move money between a hundred accounts, after a "wait" for what they saw; one selects all accounts;
  - one client keeps a replica by monitor_cond_since, through disconnections;
  - one client compacts the file or converts the database to another schema and back, all the time.

After 0 to 50 ms the server is killed and started again.  Then every acknowledged pair is there, none by half, the
accounts' sum is what it was (it also is in every answer and every image of the replica meanwhile), the replica equals
a fresh dump, and the schema is the last one that was acknowledged, or the one asked for after it."""

import atexit
import collections
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

from clients_jsonrpc import Client

ACCOUNTS, EACH = 100, 100
NOWHERE = "00000000-0000-0000-0000-000000000000"
CONDITIONS = {"Account": [{"columns": ["name", "balance"]}], "Pair": [{"columns": ["key"]}]}


def schema(version):
    """The two schemas differ in a type, a column, a table and an index."""
    is_second = version == "2.0.0"
    tables = {
        "Account": {
            "isRoot": True,
            "columns": {"name": {"type": "string"}, "balance": {"type": "real" if is_second else "integer"}},
        },
        "Pair": {"isRoot": True, "columns": {"key": {"type": "string"}, "round": {"type": "integer"}}},
    }
    if is_second:
        tables["Pair"]["columns"]["note"] = {"type": {"key": "string", "min": 0, "max": "unlimited"}}
        tables["More"] = {"isRoot": True, "columns": {"x": {"type": "string"}}}
    else:
        tables["Pair"]["indexes"] = [["key"]]
    return {"name": "Kill", "version": version, "tables": tables}


class Server:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.file, self.socket, self.control = (folder + name for name in ("/db", "/db.sock", "/ctl"))
        self.process = None
        self.longest_start = 0.0

    def create(self):
        with open(self.folder + "/schema", "w", encoding="utf-8") as file:
            json.dump(schema("1.0.0"), file)
        subprocess.run([self.program, "create", self.file, self.folder + "/schema"], check=True, stderr=subprocess.DEVNULL)

    def start(self):
        begin = time.monotonic()
        with open(self.folder + "/log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.program, "--remote=punix:" + self.socket, "--unixctl=" + self.control, self.file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while True:
            try:
                client = Client(self.socket)
                if "Kill" in client.call("list_dbs"):
                    client.close()
                    break
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit("FAIL: the server does not start: %d" % self.process.returncode)
            if time.monotonic() - begin > 30:
                raise SystemExit("FAIL: the server does not answer")
            time.sleep(0.002)
        self.longest_start = max(self.longest_start, time.monotonic() - begin)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class Worker(threading.Thread):
    """A client that works while it may; what ends a connection makes it start again."""

    may_run = threading.Event()
    counts = collections.Counter()
    failures = []

    def __init__(self, server, rng):
        super().__init__(daemon=True)
        self.server, self.rng = server, rng
        self.client = None
        self.busy = threading.Lock()  # Held while it works; by the main thread while it compares.
        self.is_aware = rng.random() < 0.5

    def connect(self):
        self.client = Client(self.server.socket)
        if self.is_aware:
            self.client.call("set_db_change_aware", True)

    def disconnect(self):
        if self.client:
            self.client.close()
        self.client = None

    def run(self):
        while True:
            self.may_run.wait()
            with self.busy:
                if self.may_run.is_set():
                    self.work()

    def work(self):
        try:
            if not self.client:
                self.connect()
            self.step()
        except (OSError, ConnectionError):
            self.disconnect()
            time.sleep(0.001)
        except Exception as problem:  # pylint: disable=broad-except
            self.failures.append("%s: %r" % (type(self).__name__, problem))
            self.disconnect()
            time.sleep(0.01)

    def check_sum(self, balances, where):
        balances = list(balances)
        if len(balances) != ACCOUNTS or sum(balances) != ACCOUNTS * EACH:
            self.failures.append("%s: %d accounts, sum %s" % (where, len(balances), sum(balances)))


class Pairs(Worker):
    def __init__(self, server, rng, name):
        super().__init__(server, rng)
        self.name_ = name
        self.n = 0
        self.acknowledged = []

    def step(self):
        self.n += 1
        key = "%s-%d" % (self.name_, self.n)
        self.client.transact("Kill", *({"op": "insert", "table": "Pair", "row": {"key": key + half}} for half in "ab"))
        self.acknowledged.append(key)
        self.counts["pairs"] += 1


class Transfers(Worker):
    def balance(self, name):
        where = [["name", "==", name]]
        select = {"op": "select", "table": "Account", "where": where, "columns": ["balance"]}
        return self.client.transact("Kill", select)[0]["rows"][0]["balance"]

    def step(self):
        one, other = ("account%d" % n for n in self.rng.sample(range(ACCOUNTS), 2))
        amount = self.rng.randrange(1, 50)
        seen = {"op": "wait", "table": "Account", "where": [["name", "==", one]], "columns": ["balance"],
                "rows": [{"balance": self.balance(one)}], "until": "==", "timeout": 0}
        moves = [{"op": "mutate", "table": "Account", "where": [["name", "==", name]],
                  "mutations": [["balance", mutator, amount]]} for name, mutator in ((one, "-="), (other, "+="))]
        results = self.client.call("transact", "Kill", seen, *moves)
        errors = [result["error"] for result in results if result and "error" in result]
        if errors and errors != ["timed out"]:
            raise RuntimeError("transfer: %s" % results)
        self.counts["overtaken" if errors else "transfers"] += 1


class Reader(Worker):
    def step(self):
        select = {"op": "select", "table": "Account", "where": [], "columns": ["name", "balance"]}
        rows = self.client.transact("Kill", select)[0]["rows"]
        self.check_sum((row["balance"] for row in rows), "a select")
        self.counts["selects"] += 1


class Replica(Worker):
    def __init__(self, server, rng):
        super().__init__(server, rng)
        self.last_id = NOWHERE
        self.tables = {table: {} for table in CONDITIONS}

    def connect(self):
        super().connect()
        found, self.last_id, updates = self.client.call("monitor_cond_since", "Kill", "m", CONDITIONS, self.last_id)
        if not found:
            self.tables = {table: {} for table in CONDITIONS}
        self.counts["found" if found else "not found"] += 1
        self.apply(updates)

    def apply(self, updates):
        for table, rows in updates.items():
            for uuid, change in rows.items():
                (kind, columns), = change.items()
                if kind == "delete":
                    del self.tables[table][uuid]
                elif kind == "modify":
                    self.tables[table][uuid].update(columns)
                else:
                    defaults = {"name": "", "balance": 0} if table == "Account" else {"key": ""}
                    self.tables[table][uuid] = {**defaults, **columns}
        self.check_sum((row["balance"] for row in self.tables["Account"].values()), "a replica")

    def step(self):
        message = self.client.notification()
        if message["method"] == "monitor_canceled":
            self.counts["cancelled"] += 1
            self.disconnect()
        elif message["method"] == "update3":
            self.last_id = message["params"][1]
            self.apply(message["params"][2])
            self.counts["images"] += 1
            if self.rng.random() < 0.05:
                self.disconnect()


class Operator(Worker):
    """Compacts and converts; knows which schemas the file may have."""

    possible = {"1.0.0"}

    def step(self):
        if self.rng.random() < 0.5:
            control = Client(self.server.control)
            control.call("ovsdb-server/compact")
            control.close()
            self.counts["compactions"] += 1
            return
        now = self.client.call("get_schema", "Kill")["version"]
        other = "2.0.0" if now == "1.0.0" else "1.0.0"
        self.possible.add(other)
        self.client.call("convert", "Kill", schema(other))
        self.possible.clear()
        self.possible.add(other)
        self.counts["conversions"] += 1


def check(server, workers, replica, rng):
    """After a restart, while nobody else is connected."""
    client = Client(server.socket)
    version = client.call("get_schema", "Kill")["version"]
    if version not in Operator.possible:
        Worker.failures.append("schema %s, possible are %s" % (version, Operator.possible))
    Operator.possible.clear()
    Operator.possible.add(version)
    accounts, pairs = (
        result["rows"]
        for result in client.transact("Kill", *({"op": "select", "table": table, "where": []} for table in ("Account", "Pair")))
    )
    replica.check_sum((row["balance"] for row in accounts), "after a kill")
    keys = {row["key"] for row in pairs}
    for key in keys:
        if key[:-1] + "a" not in keys or key[:-1] + "b" not in keys:
            Worker.failures.append("half a pair: " + key)
    for worker in workers:
        if isinstance(worker, Pairs):
            lost = [key for key in worker.acknowledged if key + "a" not in keys]
            if lost:
                Worker.failures.append("acknowledged and lost: %s" % lost[:5])
            worker.acknowledged.clear()
    replica.connect()
    replica.disconnect()
    dumps = {"Account": {row["_uuid"][1]: {"name": row["name"], "balance": row["balance"]} for row in accounts},
             "Pair": {row["_uuid"][1]: {"key": row["key"]} for row in pairs}}
    if replica.tables != dumps:
        Worker.failures.append("the replica is not what a dump says")
    if rng.random() < 0.3:  # The file neither grows for ever nor is always small.
        client.transact("Kill", {"op": "delete", "table": "Pair", "where": []})
    client.close()


def main():
    program, folder, n_kills = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rng = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    server = Server(program, folder)
    atexit.register(server.kill)
    server.create()
    server.start()
    client = Client(server.socket)
    client.transact("Kill", *({"op": "insert", "table": "Account", "row": {"name": "account%d" % n, "balance": EACH}}
                              for n in range(ACCOUNTS)))
    client.close()

    new_rng = lambda: random.Random(rng.random())
    replica = Replica(server, new_rng())
    workers = [Pairs(server, new_rng(), "client%d" % n) for n in range(4)] + [Transfers(server, new_rng()) for _ in range(2)]
    workers += [Reader(server, new_rng()), Operator(server, new_rng()), replica]
    for worker in workers:
        worker.start()
    for n in range(n_kills):
        Worker.may_run.set()
        time.sleep(rng.uniform(0, 0.05))
        server.kill()
        Worker.may_run.clear()
        for worker in workers:
            worker.busy.acquire()
            worker.disconnect()
        server.start()
        check(server, workers, replica, rng)
        for worker in workers:
            worker.busy.release()
        if Worker.failures:
            server.kill()
            raise SystemExit("FAIL: after %d kills: %s" % (n + 1, "; ".join(Worker.failures[:5])))
    server.kill()
    counts = " ".join("%s=%d" % (name.replace(" ", "_"), n) for name, n in sorted(Worker.counts.items()))
    print("kills=%d longest_start=%.2f_s %s" % (n_kills, server.longest_start, counts))


if __name__ == "__main__":
    os.environ["OVS_RUNDIR"] = sys.argv[2]
    main()
