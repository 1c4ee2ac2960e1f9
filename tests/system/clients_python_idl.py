#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clients_python_idl.py SOCKET RESTART: what programs do with Open vSwitch's Python library works.  RESTART is a
script that ends the server and starts it again."""

import subprocess
import sys
import time

import ovs.db.idl
import ovs.poller
import ovs.vlog
from ovs.db.idl import Transaction

from clients_jsonrpc import Client

DATABASE = "Open_vSwitch"


class Watcher(ovs.db.idl.Idl):
    """Notes what it is told of changes: [event, table, name, old values]."""

    def __init__(self, remote, helper):
        super().__init__(remote, helper)
        self.events = []

    def notify(self, event, row, updates=None):
        old = {name: getattr(updates, name) for name in updates._data} if updates else {}
        self.events.append((event, row._table.name, getattr(row, "name", ""), old))


def make_idl(path, conditions=None, register=None):
    client = Client(path)
    helper = ovs.db.idl.SchemaHelper(schema_json=client.call("get_schema", DATABASE))
    client.close()
    register(helper) if register else helper.register_all()
    idl = Watcher("unix:" + path, helper)
    for table, condition in (conditions or {}).items():
        idl.cond_change(table, condition)
    run_until([idl], idl.has_ever_connected)
    return idl


def run_until(idls, condition, what="the Python library does not get there"):
    end = time.time() + 10
    while not condition():
        assert time.time() < end, what
        poller = ovs.poller.Poller()
        for idl in idls:
            idl.run()
            idl.wait(poller)
        poller.timer_wait(20)
        poller.block()


def root_of(idl):
    return next(iter(idl.tables[DATABASE].rows.values()))


def bridge(idl, name):
    return next((row for row in idl.tables["Bridge"].rows.values() if row.name == name), None)


def commit(idl, change):
    """Runs 'change' in a transaction until nobody else was first."""
    while True:
        txn = Transaction(idl)
        result = change(txn)
        status = txn.commit_block()
        if status != Transaction.TRY_AGAIN:
            assert status in (Transaction.SUCCESS, Transaction.UNCHANGED), (status, txn.get_error())
            return result, txn


def add_bridges(idl, *names):
    def change(txn):
        for name in names:
            row = txn.insert(idl.tables["Bridge"])
            row.name = name
            root_of(idl).addvalue("bridges", row)

    commit(idl, change)
    run_until([idl], lambda: all(bridge(idl, name) for name in names))


def remove_bridges(idl, *names):
    commit(idl, lambda txn: [root_of(idl).delvalue("bridges", bridge(idl, name)) for name in names])


def changes_are_tracked_with_old_values(path, _):
    idl, other = make_idl(path), make_idl(path)
    add_bridges(other, "br0")
    run_until([idl], lambda: ("create", "Bridge", "br0", {}) in idl.events)
    commit(other, lambda txn: setattr(bridge(other, "br0"), "external_ids", {"a": "1", "b": "2"}))
    run_until([idl], lambda: ("update", "Bridge", "br0", {"external_ids": {}}) in idl.events)
    commit(other, lambda txn: bridge(other, "br0").setkey("external_ids", "a", "3"))
    run_until([idl], lambda: ("update", "Bridge", "br0", {"external_ids": {"a": "1", "b": "2"}}) in idl.events)
    assert bridge(idl, "br0").external_ids == {"a": "3", "b": "2"}
    remove_bridges(other, "br0")
    run_until([idl], lambda: ("delete", "Bridge", "br0", {}) in idl.events)
    idl.close(), other.close()


def choose(idl, condition):
    """Changes the condition and waits until it holds.  (What cond_change() returns is one too high at times.)"""
    idl.cond_change("Bridge", condition)
    state = idl.tables["Bridge"].condition_state
    run_until([idl], lambda: state.new is None and state.requested is None)


def conditions_choose_rows(path, _):
    idl, other = make_idl(path, {"Bridge": [["name", "==", "br1"]]}), make_idl(path)
    add_bridges(other, "br1", "br2", "br3")
    run_until([idl], lambda: bridge(idl, "br1"))
    assert [row.name for row in idl.tables["Bridge"].rows.values()] == ["br1"]

    choose(idl, [["name", "==", "br2"], ["name", "==", "br3"]])
    assert sorted(row.name for row in idl.tables["Bridge"].rows.values()) == ["br2", "br3"]
    assert ("delete", "Bridge", "br1", {}) in idl.events

    # A row comes to fit, and ceases to.
    choose(idl, [["fail_mode", "==", "secure"]])
    assert not idl.tables["Bridge"].rows
    commit(other, lambda txn: setattr(bridge(other, "br3"), "fail_mode", "secure"))
    run_until([idl], lambda: bridge(idl, "br3"))
    commit(other, lambda txn: setattr(bridge(other, "br3"), "fail_mode", []))
    run_until([idl], lambda: not bridge(idl, "br3"))
    this = ["uuid", str(bridge(other, "br1").uuid)]
    for condition, n_rows in (([False], 0), ([True], 3), ([["name", "!=", "br1"]], 2), ([["_uuid", "==", this]], 1),
                              ([["external_ids", "includes", ["map", [["x", "y"]]]]], 0), ([], 0)):
        choose(idl, condition)
        assert len(idl.tables["Bridge"].rows) == n_rows, condition
    remove_bridges(other, "br1", "br2", "br3")
    idl.close(), other.close()


def only_registered_columns_come(path, _):
    idl = make_idl(path, register=lambda helper: helper.register_columns("Bridge", ["name"]))
    other = make_idl(path)
    add_bridges(other, "br0")
    run_until([idl], lambda: bridge(idl, "br0"))
    assert set(bridge(idl, "br0")._data) == {"name"} and set(idl.tables) == {"Bridge"}
    n_changes = idl.change_seqno
    commit(other, lambda txn: bridge(other, "br0").setkey("external_ids", "a", "1"))
    commit(other, lambda txn: setattr(bridge(other, "br0"), "name", "br0"))
    idl.run()
    assert idl.change_seqno == n_changes
    remove_bridges(other, "br0")
    idl.close(), other.close()


def partial_updates_do_not_conflict(path, _):
    first, second = make_idl(path), make_idl(path)
    add_bridges(first, "br0")
    run_until([second], lambda: bridge(second, "br0"))
    # Neither hears of the other's change before it sends its own.
    transactions = []
    for idl, key in (first, "a"), (second, "b"):
        txn = Transaction(idl)
        bridge(idl, "br0").setkey("external_ids", key, "1")
        bridge(idl, "br0").addvalue("protocols", "OpenFlow10" if key == "a" else "OpenFlow13")
        transactions.append(txn)
    for txn in transactions:
        assert txn.commit_block() == Transaction.SUCCESS
    run_until([first, second], lambda: all(bridge(idl, "br0").external_ids == {"a": "1", "b": "1"}
                                           for idl in (first, second)))
    assert sorted(bridge(first, "br0").protocols) == ["OpenFlow10", "OpenFlow13"]
    commit(first, lambda txn: (bridge(first, "br0").delkey("external_ids", "a"),
                               bridge(first, "br0").delkey("external_ids", "b", "not this"),
                               bridge(first, "br0").delvalue("protocols", "OpenFlow10")))
    run_until([second], lambda: bridge(second, "br0").external_ids == {"b": "1"})
    assert bridge(second, "br0").protocols == ["OpenFlow13"]
    remove_bridges(first, "br0")
    first.close(), second.close()


def verified_columns_make_a_transaction_try_again(path, _):
    idl, other = make_idl(path), make_idl(path)
    add_bridges(other, "br0")
    run_until([idl], lambda: bridge(idl, "br0"))
    commit(other, lambda txn: setattr(bridge(other, "br0"), "external_ids", {"who": "other"}))

    row = bridge(idl, "br0")
    txn = Transaction(idl)
    row.verify("external_ids")
    row.external_ids = dict(row.external_ids, mine="1")
    assert txn.commit_block() == Transaction.TRY_AGAIN
    run_until([idl], lambda: row.external_ids)

    txn = Transaction(idl)
    row.verify("external_ids")
    row.external_ids = dict(row.external_ids, mine="1")
    assert txn.commit_block() == Transaction.SUCCESS
    run_until([other], lambda: bridge(other, "br0").external_ids == {"who": "other", "mine": "1"})
    remove_bridges(other, "br0")
    idl.close(), other.close()


def transactions_end_as_they_should(path, _):
    idl = make_idl(path)
    before = root_of(idl).next_cfg
    # It only counts beside a change.
    _, txn = commit(idl, lambda txn: (root_of(idl).increment("next_cfg"), txn.add_comment("counting"),
                                      root_of(idl).setkey("external_ids", "counted", "1")))
    assert txn.get_increment_new_value() == before + 1
    run_until([idl], lambda: root_of(idl).next_cfg == before + 1)

    def insert(txn):
        row = txn.insert(idl.tables["QoS"])
        row.type = "linux-htb"
        return row

    row, txn = commit(idl, insert)
    made = txn.get_insert_uuid(row.uuid)
    run_until([idl], lambda: made in idl.tables["QoS"].rows)
    commit(idl, lambda txn: idl.tables["QoS"].rows[made].delete())
    run_until([idl], lambda: made not in idl.tables["QoS"].rows)

    txn = Transaction(idl)
    for _ in range(2):
        row = txn.insert(idl.tables["Bridge"])
        row.name = "twice"
        root_of(idl).addvalue("bridges", row)
    assert txn.commit_block() == Transaction.ERROR and "constraint violation" in txn.get_error(), txn.get_error()
    assert Transaction(idl).commit_block() == Transaction.UNCHANGED
    commit(idl, lambda txn: root_of(idl).delkey("external_ids", "counted"))
    txn = Transaction(idl)
    root_of(idl).setkey("external_ids", "a", "b")
    txn.abort()
    idl.run()
    assert "a" not in root_of(idl).external_ids
    txn = Transaction(idl)
    txn.dry_run = True
    root_of(idl).setkey("external_ids", "dry", "run")
    txn.commit_block()
    reader = Client(path)
    rows = reader.transact(DATABASE, {"op": "select", "table": DATABASE, "where": [], "columns": ["external_ids"]})
    assert rows[0]["rows"][0]["external_ids"] == ["map", []], rows
    reader.close()
    idl.close()


def locks_pass_on(path, _):
    first, second = make_idl(path), make_idl(path)
    first.set_lock("leader")
    run_until([first], lambda: first.has_lock)
    second.set_lock("leader")
    run_until([second], lambda: second.is_lock_contended)
    assert not second.has_lock
    txn = Transaction(second)
    root_of(second).setkey("external_ids", "not", "mine")
    assert txn.commit_block() == Transaction.NOT_LOCKED
    first.close()
    run_until([second], lambda: second.has_lock and not second.is_lock_contended)
    commit(second, lambda txn: root_of(second).setkey("external_ids", "mine", "now"))
    thief = Client(path)
    assert thief.call("steal", "leader") == {"locked": True}
    run_until([second], lambda: not second.has_lock)
    thief.close()
    run_until([second], lambda: second.has_lock)
    second.set_lock(None)
    second.close()


def a_restarted_server_is_caught_up_with(path, restart):
    idl = make_idl(path, {"Bridge": [["name", "!=", "hidden"]]})
    add_bridges(idl, "kept", "changed", "removed")
    subprocess.run(["sh", restart], check=True)
    other = make_idl(path)
    commit(other, lambda txn: bridge(other, "changed").setkey("external_ids", "while", "away"))
    remove_bridges(other, "removed")
    add_bridges(other, "made", "hidden")
    run_until([idl, other], lambda: bridge(idl, "made"))
    assert sorted(row.name for row in idl.tables["Bridge"].rows.values()) == ["changed", "kept", "made"]
    assert bridge(idl, "changed").external_ids == {"while": "away"}
    commit(idl, lambda txn: bridge(idl, "kept").setkey("external_ids", "still", "works"))

    # A connection that breaks while the server lives: only what was missed comes.
    idl.events.clear()
    idl.force_reconnect()
    commit(other, lambda txn: bridge(other, "kept").setkey("external_ids", "missed", "this"))
    run_until([idl], lambda: "missed" in bridge(idl, "kept").external_ids)
    assert {event[0] for event in idl.events if event[1] == "Bridge"} == {"update"}, idl.events
    remove_bridges(other, "kept", "changed", "made", "hidden")
    idl.close(), other.close()


if __name__ == "__main__":
    ovs.vlog.Vlog.init()
    ovs.vlog.Vlog.set_levels_from_string("console:err")
    for test in (
        changes_are_tracked_with_old_values,
        conditions_choose_rows,
        only_registered_columns_come,
        partial_updates_do_not_conflict,
        verified_columns_make_a_transaction_try_again,
        transactions_end_as_they_should,
        locks_pass_on,
        a_restarted_server_is_caught_up_with,
    ):
        print("-- " + test.__name__.replace("_", " "), flush=True)
        test(*sys.argv[1:3])
