#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ovsdb_clients.py SOCKET: reconnecting clients hear what they missed, and Open vSwitch's Python library
tracks changes."""

import json
import socket
import sys
import time

import ovs.db.idl
import ovs.poller

DATABASE = "Open_vSwitch"


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(10)
        self.text = ""

    def message(self):
        while True:
            try:
                message, end = json.JSONDecoder().raw_decode(self.text)
                self.text = self.text[end:].lstrip()
                return message
            except ValueError:
                data = self.socket.recv(1 << 20)
                if not data:
                    raise SystemExit("FAIL: the server closed the connection")
                self.text += data.decode()

    def call(self, method, *params):
        self.socket.sendall(json.dumps({"method": method, "params": params, "id": 1}).encode())
        while True:
            message = self.message()
            if message.get("id") == 1:
                assert not message["error"], message
                return message["result"]

    def transact(self, *operations):
        results = self.call("transact", DATABASE, *operations)
        assert not any("error" in (result or {}) for result in results), results
        return results

    def monitor_since(self, known, where=None):
        request = {"columns": ["name", "external_ids"], **({"where": where} if where else {})}
        return self.call("monitor_cond_since", DATABASE, "m", {"Bridge": [request]}, known)


def add_bridge(client, name):
    results = client.transact(
        {"op": "insert", "table": "Bridge", "row": {"name": name}, "uuid-name": "row"},
        {"op": "mutate", "table": DATABASE, "where": [], "mutations": [["bridges", "insert", ["named-uuid", "row"]]]},
    )
    return results[0]["uuid"][1]


def remove_bridge(client, row):
    client.transact({"op": "mutate", "table": DATABASE, "where": [], "mutations": [["bridges", "delete", ["uuid", row]]]})


def describe(client, row, value):
    update = {"external_ids": ["map", [["n", value]]]}
    client.transact({"op": "update", "table": "Bridge", "where": [["_uuid", "==", ["uuid", row]]], "row": update})


def reconnected_client_hears_only_what_it_missed(path):
    nobody = "00000000-0000-0000-0000-000000000000"
    writer = Client(path)
    kept, changed, removed = [add_bridge(writer, name) for name in ("kept", "changed", "removed")]
    found, known, contents = Client(path).monitor_since(nobody)
    assert not found and set(contents["Bridge"]) == {kept, changed, removed}, contents
    assert Client(path).monitor_since(known) == [True, known, {}]

    for i in range(3):
        describe(writer, changed, str(i))
    remove_bridge(writer, removed)
    made = add_bridge(writer, "made")
    remove_bridge(writer, add_bridge(writer, "came and went"))
    found, latest, missed = Client(path).monitor_since(known)
    assert found and latest != known
    assert missed["Bridge"] == {
        changed: {"modify": {"external_ids": ["map", [["n", "2"]]]}},
        removed: {"delete": None},
        made: {"insert": {"name": "made"}},
    }, missed
    found, _, missed = Client(path).monitor_since(known, [["name", "==", "made"]])
    assert found and missed["Bridge"] == {made: {"insert": {"name": "made"}}}, missed

    for i in range(1001):
        describe(writer, changed, str(i))
    found, _, contents = Client(path).monitor_since(latest)
    assert not found and set(contents["Bridge"]) == {kept, changed, made}
    for row in (kept, changed, made):
        remove_bridge(writer, row)


def update_follows_what_was_missed(path):
    writer = Client(path)
    row = add_bridge(writer, "before")
    _, known, _ = Client(path).monitor_since("00000000-0000-0000-0000-000000000000")
    describe(writer, row, "missed")
    reader = Client(path)
    assert reader.monitor_since(known)[0]
    describe(writer, row, "seen")
    update = reader.message()
    assert update["method"] == "update3" and update["params"][2]["Bridge"] == {
        row: {"modify": {"external_ids": ["map", [["n", "seen"]]]}}
    }, update
    remove_bridge(writer, row)


class Copy:
    """A client's copy of table Bridge, kept by its updates."""

    COLUMNS = ["name", "fail_mode"]

    def __init__(self, path, method, name, where=None):
        self.client, self.method = Client(path), method
        request = {"columns": self.COLUMNS, **({"where": where} if where else {})}
        known = ["00000000-0000-0000-0000-000000000000"] if method == "monitor_cond_since" else []
        result = self.client.call(method, DATABASE, name, {"Bridge": [request]}, *known)
        self.name, self.rows = name, {}
        self.apply(result[2] if known else result)

    def apply(self, updates):
        for row, change in updates.get("Bridge", {}).items():
            columns = change.get("initial") or change.get("insert") or change.get("new") or change.get("modify")
            if columns is None:
                del self.rows[row]
            else:
                self.rows.setdefault(row, {"fail_mode": ["set", []]}).update(columns)

    def read_until(self, rows):
        while self.rows != rows:
            message = self.client.message()
            assert message["params"][0] == self.name, message
            self.apply(message["params"][-1])


def equal_monitors_hear_the_same(path):
    """Updates are made once for all that ask for the same; of these some came later, and some read later."""
    writer = Client(path)
    copies = []
    for n in range(30):
        method = ("monitor", "monitor_cond", "monitor_cond_since")[n % 3]
        where = [["fail_mode", "!=", "secure"]] if method != "monitor" and n % 2 else None
        copies.append((Copy(path, method, f"m{n}", where), where))
        # Several transactions that end in one round of the server.
        operations = [[{"op": "insert", "table": "Bridge", "row": {"name": f"b{n}.{i}"}, "uuid-name": "row"},
                       {"op": "mutate", "table": DATABASE, "where": [],
                        "mutations": [["bridges", "insert", ["named-uuid", "row"]]]}] for i in range(3)]
        for fail_mode, name in ("secure", f"b{n // 2}.1"), ("standalone", f"b{n}.2"), (["set", []], f"b{n // 3}.1"):
            operations.append([{"op": "update", "table": "Bridge", "where": [["name", "==", name]],
                                "row": {"fail_mode": fail_mode}}])
        writer.socket.sendall("".join(json.dumps({"method": "transact", "params": [DATABASE, *ops], "id": i})
                                      for i, ops in enumerate(operations)).encode())
        for _ in operations:
            assert not writer.message()["error"]
    select = {"op": "select", "table": "Bridge", "where": [], "columns": ["_uuid", *Copy.COLUMNS]}
    rows = {row.pop("_uuid")[1]: row for row in writer.transact(select)[0]["rows"]}
    for copy, where in copies:
        copy.read_until({row: columns for row, columns in rows.items()
                         if not where or columns["fail_mode"] != "secure"})
    writer.transact({"op": "update", "table": DATABASE, "where": [], "row": {"bridges": ["set", []]}})
    for copy, _ in copies:
        copy.read_until({})


def monitors_of_one_round_hear_what_each_has_missed(path):
    """Two equal monitors that begin in one round of the server, with a transaction between them."""
    client = Client(path)
    requests = {"Bridge": [{"columns": ["name"]}]}
    insert = [[{"op": "insert", "table": "Bridge", "row": {"name": name}, "uuid-name": "row"},
               {"op": "mutate", "table": DATABASE, "where": [],
                "mutations": [["bridges", "insert", ["named-uuid", "row"]]]}] for name in ("first", "second")]
    calls = [("monitor_cond", [DATABASE, "a", requests]), ("transact", [DATABASE, *insert[0]]),
             ("monitor_cond", [DATABASE, "b", requests]), ("transact", [DATABASE, *insert[1]])]
    client.socket.sendall("".join(json.dumps({"method": method, "params": params, "id": i})
                                  for i, (method, params) in enumerate(calls)).encode())
    heard = {"a": [], "b": []}
    while sum(len(names) for names in heard.values()) < 3 or client.text:
        message = client.message()
        if message.get("method") == "update2":
            name, updates = message["params"]
            heard[name] += [change["insert"]["name"] for change in updates["Bridge"].values()]
    assert {name: sorted(names) for name, names in heard.items()} == {"a": ["first", "second"], "b": ["second"]}, heard
    client.transact({"op": "update", "table": DATABASE, "where": [], "row": {"bridges": ["set", []]}})


class Watcher(ovs.db.idl.Idl):
    def __init__(self, remote, helper):
        super().__init__(remote, helper)
        self.events = []

    def notify(self, event, row, updates=None):
        self.events.append((event, row._table.name, getattr(row, "name", "")))


def run_until(idl, condition):
    end = time.time() + 10
    while not condition():
        assert time.time() < end, "the Python library does not get there"
        idl.run()
        poller = ovs.poller.Poller()
        idl.wait(poller)
        poller.timer_wait(100)
        poller.block()


def python_library_tracks_changes(path):
    writer = Client(path)
    schema = json.dumps(writer.call("get_schema", DATABASE))
    helper = ovs.db.idl.SchemaHelper(schema_json=json.loads(schema))
    helper.register_all()
    idl = Watcher("unix:" + path, helper)
    run_until(idl, idl.has_ever_connected)

    txn = ovs.db.idl.Transaction(idl)
    root = next(iter(idl.tables[DATABASE].rows.values()))
    bridge = txn.insert(idl.tables["Bridge"])
    bridge.name = "br-python"
    root.addvalue("bridges", bridge)
    root.increment("next_cfg")
    assert txn.commit_block() == ovs.db.idl.Transaction.SUCCESS
    row = str(txn.get_insert_uuid(bridge.uuid))
    run_until(idl, lambda: ("create", "Bridge", "br-python") in idl.events)

    describe(writer, row, "changed")
    run_until(idl, lambda: ("update", "Bridge", "br-python") in idl.events)
    idl.events.clear()
    idl.force_reconnect()
    describe(writer, row, "while away")
    run_until(idl, lambda: ("update", "Bridge", "br-python") in idl.events)
    # Whoever gets the whole contents again sees all rows made again.
    assert ("create", "Bridge", "br-python") not in idl.events, idl.events
    remove_bridge(writer, row)
    run_until(idl, lambda: ("delete", "Bridge", "br-python") in idl.events)
    idl.close()


if __name__ == "__main__":
    for test in (
        reconnected_client_hears_only_what_it_missed,
        update_follows_what_was_missed,
        equal_monitors_hear_the_same,
        monitors_of_one_round_hear_what_each_has_missed,
        python_library_tracks_changes,
    ):
        print("-- " + test.__name__.replace("_", " "))
        test(sys.argv[1])
