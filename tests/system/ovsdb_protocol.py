#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests and the answers that RFC 7047 and ovsdb-server(7) ask for.

    ovsdb_protocol.py OURS [THEIRS]
    ovsdb_protocol.py schema

Of answers that fail, the error's name counts; of rows, everything but _version.  The second server must answer as the
first, but for the requests marked OURS, whose differences are in docs/differences-from-ovs.md."""

import json
import sys

from clients_jsonrpc import Client

SCHEMA = {"name": "P", "version": "1.0.0", "tables": {
    "A": {"isRoot": True, "indexes": [["name"]], "columns": {
        "name": {"type": "string"},
        "n": {"type": "integer"},
        "small": {"type": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 10}}},
        "r": {"type": "real"},
        "b": {"type": "boolean"},
        "u": {"type": "uuid"},
        "maybe": {"type": {"key": "integer", "min": 0}},
        "word": {"type": {"key": {"type": "string", "enum": ["set", ["red", "green"]]}, "min": 0}},
        "set": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
        "two": {"type": {"key": "string", "min": 0, "max": 2}},
        "map": {"type": {"key": "string", "value": "integer", "min": 0, "max": "unlimited"}},
        "kids": {"type": {"key": {"type": "uuid", "refTable": "B"}, "min": 0, "max": "unlimited"}},
        "friend": {"type": {"key": {"type": "uuid", "refTable": "A", "refType": "weak"}, "min": 0}},
        "fixed": {"type": "string", "mutable": False},
        "gone": {"type": "string", "ephemeral": True}}},
    "B": {"columns": {"v": {"type": "string"}}},
    "One": {"isRoot": True, "maxRows": 1, "columns": {"x": {"type": "integer"}}}}}

ID = "aaaaaaaa-0000-4000-8000-00000000000%d"
OURS = "OURS"  # Not compared with the second server.


def row(n):
    return ["uuid", ID % n]


def insert(number, /, table="A", **columns):
    return {"op": "insert", "table": table, "uuid": ID % number, "row": columns}


def update(where, **columns):
    return {"op": "update", "table": "A", "where": where, "row": columns}


def mutate(*mutations, where=()):
    return {"op": "mutate", "table": "A", "where": list(where), "mutations": [list(m) for m in mutations]}


def select(where, *columns, table="A"):
    return {"op": "select", "table": table, "where": where, "columns": list(columns)}


def wait(rows, until="==", where=(), columns=("name",), **more):
    return {"op": "wait", "table": "A", "where": list(where), "columns": list(columns), "rows": rows, "until": until, **more}


def names(*found):
    return {"rows": [{"name": name} for name in found]}


def uuid(n):
    return {"uuid": row(n)}


def count(n):
    return {"count": n}


def where(*clause):
    return select([list(clause)], "name")


SET, MAP = lambda *e: ["set", list(e)], lambda *e: ["map", [list(p) for p in e]]
SYNTAX, CONSTRAINT, REFERENCE = "syntax error", "constraint violation", "referential integrity violation"

# Operations, and the result of each; the rows of one line are there in the next.
TRANSACTIONS = [
    ("rows to look at",
     [insert(1, name="one", n=1, r=1.5, b=True, u=row(9), maybe=5, word="red", set=SET(1, 2, 3), two="a", map=MAP(("k", 1), ("l", 2))),
      insert(2, name="two", n=2, small=10, friend=row(1), fixed="f", gone="g")], [uuid(1), uuid(2)]),
    ("everything about a row", [select([["name", "==", "two"]], "_uuid", "small", "friend", "fixed", "gone", "set", "map", "word", "r", "b", "u")],
     [{"rows": [{"_uuid": row(2), "small": 10, "friend": row(1), "fixed": "f", "gone": "g", "set": SET(), "map": MAP(), "word": SET(),
                 "r": 0, "b": False, "u": ["uuid", "00000000-0000-0000-0000-000000000000"]}]}]),
    # Conditions.
    ("no clause", [select([], "name")], [names("one", "two")]),
    ("clauses are all to fit", [select([["n", ">", 0], ["n", "<", 2]], "name")], [names("one")]),
    ("true and false", [select([True], "name"), select([False], "name"), select([True, False], "name")], [names("one", "two"), names(), names()]),
    ("integers", [where("n", op, 2) for op in ("<", "<=", "==", "!=", ">=", ">")],
     [names("one"), names("one", "two"), names("two"), names("one"), names("two"), names()]),
    ("reals", [where("r", op, 1.5) for op in ("<", "<=", "==", "!=", ">=", ">")],
     [names("two"), names("one", "two"), names("one"), names("two"), names("one"), names()]),
    ("order of an integer that may be missing", [where("maybe", op, 5) for op in ("<", "<=", "==", "!=", ">=", ">")],
     [names(), names("one"), names("one"), names("two"), names("one"), names()]),
    ("booleans, strings, UUIDs", [where("b", "==", True), where("b", "!=", True), where("name", "!=", "one"), where("u", "==", row(9)),
                                  where("_uuid", "==", row(1)), where("_uuid", "!=", row(1))],
     [names("one"), names("two"), names("two"), names("one"), names("one"), names("two")]),
    ("sets", [where("set", "==", SET(3, 2, 1)), where("set", "!=", SET(1)), where("set", "includes", SET(1, 3)), where("set", "includes", SET()),
              where("set", "includes", 4), where("set", "excludes", SET(3, 4)), where("set", "excludes", SET(4, 5))],
     [names("one"), names("one", "two"), names("one"), names("one", "two"), names(), names("two"), names("one", "two")]),
    ("maps", [where("map", "==", MAP(("l", 2), ("k", 1))), where("map", "includes", MAP(("k", 1))), where("map", "includes", MAP(("k", 2))),
              where("map", "excludes", MAP(("k", 1))), where("map", "excludes", MAP(("k", 2)))],
     [names("one"), names("one"), names(), names("two"), names("one", "two")]),
    ("references", [where("friend", "==", row(1)), where("friend", "includes", row(1)), where("friend", "excludes", row(1))],
     [names("two"), names("two"), names("one")]),
    ("order of a string", [where("name", "<", "x")], [SYNTAX]),
    ("order of a set", [where("set", "<", 1)], [SYNTAX]),
    ("order without a value", [where("maybe", "<", SET())], [SYNTAX]),
    ("a function that is none", [where("n", "~", 1)], ["unknown function"]),
    ("a column that is none", [where("none", "==", 1)], ["unknown column"]),
    ("a value of another type", [where("n", "==", "1")], [SYNTAX]),
    ("a value beyond the bounds", [where("small", "==", 11)], [CONSTRAINT]),
    ("a clause that is none", [select([["n", "=="]], "name")], [SYNTAX]),
    # Insertion.
    ("a UUID that is taken", [insert(1, name="x")], ["duplicate uuid"]),
    ("a UUID that is none", [{"op": "insert", "table": "A", "row": {}, "uuid": "x"}], [SYNTAX]),
    ("names", [{**insert(4, name="four"), "uuid-name": "x"}, {**insert(3, name="three", friend=["named-uuid", "x"]), "uuid-name": "y"},
               select([["_uuid", "==", ["named-uuid", "y"]]], "friend")], [uuid(4), uuid(3), {"rows": [{"friend": row(4)}]}]),
    ("a name twice", [{**insert(5, name="y"), "uuid-name": "x"}, {**insert(6, name="z"), "uuid-name": "x"}], [uuid(5), "duplicate uuid-name"]),
    ("a name of nothing", [insert(5, name="y", kids=["named-uuid", "nobody"])], [uuid(5), REFERENCE]),
    ("a row twice by its index", [insert(5, name="one")], [uuid(5), CONSTRAINT]),
    ("one row too many", [insert(5, table="One"), insert(6, table="One")], [uuid(5), uuid(6), CONSTRAINT]),
    ("a word that is none", [insert(5, word="blue")], [CONSTRAINT]),
    ("too many values", [insert(5, two=SET("a", "b", "c"))], [SYNTAX]),
    ("a column of the server", [insert(5, _uuid=row(5))], [CONSTRAINT], OURS),
    ("a table that is none", [insert(5, table="Z")], [SYNTAX]),
    # Update.
    ("immutable", [update([], fixed="x")], [CONSTRAINT]),
    ("update", [update([["name", "==", "four"]], n=4, set=7), select([["n", "==", 4]], "set")], [count(1), {"rows": [{"set": 7}]}]),
    ("update of nothing", [update([["n", "==", 99]], n=1)], [count(0)]),
    # Mutation.
    ("arithmetic", [mutate(("n", "+=", 10), ("n", "*=", 3), ("n", "-=", 2), ("n", "/=", 2), ("n", "%=", 10), where=[["name", "==", "one"]]),
                    select([["name", "==", "one"]], "n")], [count(1), {"rows": [{"n": 5}]}]),
    ("arithmetic of a set", [mutate(("set", "+=", 10), where=[["name", "==", "one"]]), select([["name", "==", "one"]], "set")],
     [count(1), {"rows": [{"set": SET(11, 12, 13)}]}]),
    ("arithmetic that makes two elements one", [mutate(("set", "*=", 0), where=[["name", "==", "one"]])], [CONSTRAINT]),
    ("division by zero", [mutate(("n", "/=", 0))], ["domain error"]),
    ("remainder of a real", [mutate(("r", "%=", 2))], [SYNTAX]),
    ("overflow", [update([["name", "==", "one"]], n=2**63 - 1), mutate(("n", "+=", 1), where=[["name", "==", "one"]])], [count(1), "range error"]),
    ("beyond the bounds", [mutate(("small", "+=", 11))], [CONSTRAINT]),
    ("insert into a set", [mutate(("set", "insert", SET(11, 99)), where=[["name", "==", "one"]]), select([["name", "==", "one"]], "set")],
     [count(1), {"rows": [{"set": SET(11, 12, 13, 99)}]}]),
    ("insert beyond the size", [mutate(("two", "insert", SET("b", "c")), where=[["name", "==", "one"]])], [CONSTRAINT]),
    ("delete from a set", [mutate(("set", "delete", SET(11, 5)), where=[["name", "==", "one"]]), select([["name", "==", "one"]], "set")],
     [count(1), {"rows": [{"set": SET(12, 13, 99)}]}]),
    ("insert does not overwrite", [mutate(("map", "insert", MAP(("k", 9), ("m", 3))), where=[["name", "==", "one"]]), select([["name", "==", "one"]], "map")],
     [count(1), {"rows": [{"map": MAP(("k", 1), ("l", 2), ("m", 3))}]}]),
    ("delete pairs", [mutate(("map", "delete", MAP(("k", 9), ("l", 2))), where=[["name", "==", "one"]]), select([["name", "==", "one"]], "map")],
     [count(1), {"rows": [{"map": MAP(("k", 1), ("m", 3))}]}]),
    ("delete keys", [mutate(("map", "delete", SET("k", "z")), where=[["name", "==", "one"]]), select([["name", "==", "one"]], "map")],
     [count(1), {"rows": [{"map": MAP(("m", 3))}]}]),
    ("delete the only value of a scalar", [mutate(("name", "delete", "one"), where=[["name", "==", "one"]])], [SYNTAX]),
    ("mutate a string", [mutate(("name", "+=", "x"))], [SYNTAX]),
    ("a mutator that is none", [mutate(("n", "^=", 1))], ["unknown mutator"]),
    # References.
    ("a strong reference keeps a row", [insert(5, table="B", v="kid"), update([["name", "==", "one"]], kids=row(5))], [uuid(5), count(1)]),
    ("a row that is kept", [{"op": "delete", "table": "B", "where": []}], [count(1), REFERENCE]),
    ("a row that is not", [insert(6, table="B")], [uuid(6)]),
    ("is gone", [select([], "_uuid", table="B")], [{"rows": [{"_uuid": row(5)}]}]),
    ("a weak reference", [{"op": "delete", "table": "A", "where": [["name", "==", "four"]]}], [count(1)]),
    ("is dropped", [select([["name", "==", "three"]], "friend")], [{"rows": [{"friend": SET()}]}]),
    # Wait.
    ("wait for what is", [wait([{"name": "one"}, {"name": "two"}, {"name": "three"}])], [{}]),
    ("in any order, twice", [wait([{"name": "two"}, {"name": "one"}, {"name": "three"}, {"name": "two"}], timeout=0)], [{}]),
    ("wait for some", [wait([{"name": "one"}], timeout=0)], ["timed out"]),
    ("wait for others", [wait([{"name": "one"}], until="!=", timeout=0)], [{}]),
    ("wait with a condition", [wait([{"name": "one"}], where=[["name", "==", "one"]], timeout=0)], [{}]),
    ("wait a little", [wait([], timeout=30)], ["timed out"]),
    ("what comes after is not done", [wait([], timeout=0), insert(7, name="seven")], ["timed out", None]),
    ("a negative time", [wait([], timeout=-1)], [SYNTAX]),
    ("until what", [wait([], until="<", timeout=0)], [SYNTAX]),
    # The rest.
    ("comment, commit", [{"op": "comment", "comment": "c"}, {"op": "commit", "durable": True}, {"op": "commit", "durable": False}], [{}, {}, {}]),
    ("abort", [insert(7, name="seven"), {"op": "abort"}, insert(8, name="eight")], [uuid(7), "aborted", None]),
    ("assert", [{"op": "assert", "lock": "l"}], ["not owner"]),
    ("an operation that is none", [{"op": "x"}], [SYNTAX]),
    ("no operation", [], []),
]

# Client, method, parameters, answer; or client, None, the notification that has come.
EVERYTHING = {"A": [{"columns": ["name", "n", "set"]}]}
ONE = [["name", "==", "one"]]
SESSION = [
    (1, "list_dbs", [], SET),
    (1, "echo", [1, {"a": []}], [1, {"a": []}]),
    (1, "nonsense", [], "unknown method"),
    (1, "get_schema", ["X"], "unknown database"),
    (1, "transact", ["X"], "unknown database"),
    (1, "transact", ["_Server", {"op": "delete", "table": "Database", "where": []}], ["not allowed"]),
    (1, "get_server_id", [], str),
    (1, "set_db_change_aware", [True], {}),
    (1, "set_db_change_aware", [], SYNTAX),
    (1, "transact", ["P", {"op": "delete", "table": "A", "where": [["name", "!=", "one"]]}], [count(2)]),
    (1, "transact", ["P", update([], n=1, set=SET(1, 2))], [count(1)]),
    # Locks.
    (1, "lock", ["l"], {"locked": True}),
    (1, "lock", ["l"], SYNTAX),
    (2, "lock", ["l"], {"locked": False}),
    (1, "transact", ["P", {"op": "assert", "lock": "l"}], [{}]),
    (2, "transact", ["P", {"op": "assert", "lock": "l"}], ["not owner"]),
    (1, "unlock", ["l"], {}),
    (2, None, "locked", ["l"]),
    (1, "steal", ["l"], {"locked": True}),
    (2, None, "stolen", ["l"]),
    (1, "unlock", ["l"], {}),
    (2, None, "locked", ["l"]),
    (2, "unlock", ["l"], {}),
    (2, "unlock", ["l"], SYNTAX),
    # Monitors.
    (1, "monitor", ["P", "m", EVERYTHING], {"A": {ID % 1: {"new": {"name": "one", "n": 1, "set": SET(1, 2)}}}}),
    (1, "monitor", ["P", "m", EVERYTHING], SYNTAX),
    (1, "monitor_cond", ["P", ["c"], {"A": [{"columns": ["n", "set"], "where": ONE}]}], {"A": {ID % 1: {"initial": {"n": 1, "set": SET(1, 2)}}}}),
    (1, "transact", ["P", update([], n=0, set=SET(2, 3))], [count(1)]),
    (1, None, "update", ["m", {"A": {ID % 1: {"old": {"n": 1, "set": SET(1, 2)}, "new": {"name": "one", "n": 0, "set": SET(2, 3)}}}}]),
    (1, None, "update2", [["c"], {"A": {ID % 1: {"modify": {"n": 0, "set": SET(1, 3)}}}}]),
    (1, "monitor_cancel", ["m"], {}),
    (1, "monitor_cancel", ["m"], "unknown monitor"),
    (1, "transact", ["P", insert(2, name="two", n=2)], [uuid(2)]),
    (1, "monitor_cond_change", [["c"], "d", {"A": [{"where": [["name", "==", "two"]]}]}], {}),
    (1, None, "update2", ["d", {"A": {ID % 1: {"delete": None}, ID % 2: {"insert": {"n": 2}}}}]),
    (1, "monitor_cond_change", [["c"], "d", {}], SYNTAX),
    (1, "transact", ["P", update([["n", "==", 2]], name="2")], [count(1)]),
    (1, None, "update2", ["d", {"A": {ID % 2: {"delete": None}}}]),
    (1, "transact", ["P", update([["n", "==", 2]], name="two")], [count(1)]),
    (1, None, "update2", ["d", {"A": {ID % 2: {"insert": {"n": 2}}}}]),
    (1, "monitor_cond_change", ["d", "d", {"A": [{"where": [False]}]}], {}),
    (1, None, "update2", ["d", {"A": {ID % 2: {"delete": None}}}]),
    (1, "monitor_cond_change", ["d", "d", {"A": [{"where": []}]}], {}),
    (1, None, "update2", ["d", {"A": {ID % 1: {"insert": {"set": SET(2, 3)}}, ID % 2: {"insert": {"n": 2}}}}]),
    (1, "monitor_cancel", ["d"], {}),
    (1, "monitor_cond_since", ["P", "s", {"A": [{"columns": ["n"], "select": {"initial": False, "insert": False}}]}, ID % 0], [False, str, {}]),
    (1, "transact", ["P", insert(3, name="three", n=3), {"op": "delete", "table": "A", "where": [["name", "==", "two"]]}], [uuid(3), count(1)]),
    (1, None, "update3", ["s", str, {"A": {ID % 2: {"delete": None}}}]),
    (1, "monitor_cond_since", ["P", "t", {"A": [{"where": [["n", "<", "x"]]}]}, ID % 0], SYNTAX),
    (1, "monitor_cond_since", ["P", "t", {"A": [{}]}, None], SYNTAX),
    (1, "monitor", ["P", "t", {"Z": {}}], SYNTAX),
    (1, "monitor", ["P", "t", {"A": {"columns": ["z"]}}], SYNTAX),
    (1, "monitor", ["P", "t", {"A": {"columns": ["n", "n"]}}], SYNTAX),
    (1, "monitor", ["P", "t", {"A": {"select": {"x": True}}}], SYNTAX),
    (1, "monitor", ["P", "t", {"A": {"where": []}}], SYNTAX),
    # Waiting and giving up.
    (2, "start", ["P", wait([{"name": "three"}], where=[["name", "==", "three"]], until="!=")], "w"),
    (2, "start", ["P", wait([], where=ONE)], "v"),
    (1, "transact", ["P", {"op": "delete", "table": "A", "where": [["name", "==", "three"]]}], [count(1)]),
    (2, "end", [{}], "w"),
    (2, "cancel", [], "v"),
    (2, "end", "canceled", "v", OURS),
    # Conversion.
    (1, "convert", ["P", {**SCHEMA, "name": "Q"}], "invalid parameters"),
    (1, "convert", ["X", SCHEMA], "unknown database"),
    (1, "convert", ["P", {"name": "P"}], SYNTAX),
    (1, "convert", ["P", {**SCHEMA, "version": "2.0.0"}], {}),
    (1, None, "monitor_canceled", ["s"]),
    (1, "transact", ["P", select([], "name")], [names("one")]),
]


def same_set(value):
    return sorted(value, key=json.dumps)


def normal(value):
    if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map") and isinstance(value[1], list):
        return [value[0], same_set(map(normal, value[1]))]
    if isinstance(value, list):
        return [normal(element) for element in value]
    if isinstance(value, dict) and "error" in value:
        return value["error"]
    if isinstance(value, dict):
        return {name: same_set(map(normal, element)) if name == "rows" else normal(element)
                for name, element in value.items() if name != "_version"}
    return value


def answers(reply):
    error = reply.get("error")
    return normal(error if isinstance(error, dict) else error or reply["result"])


def fits(found, expected):
    if isinstance(expected, type):
        return isinstance(found, expected)
    if expected is SET:
        return isinstance(found, list)
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        return all(fits(*pair) for pair in zip(found, expected)) or found == normal(expected)
    return found == normal(expected)


def check_transactions(name, client):
    n_wrong = 0
    for what, operations, expected, *marks in TRANSACTIONS:
        if OURS in marks and name == "theirs":
            continue
        found = answers(client.reply("transact", "P", *operations))
        # What only the whole transaction shows follows the results.
        if found != [normal(result) for result in expected]:
            print("%s, %s:\n  has   %s\n  wants %s" % (name, what, json.dumps(found), json.dumps(expected)))
            n_wrong += 1
    return n_wrong


def take(client, wanted):
    """The first message that 'wanted' accepts; what comes before it stays."""
    kept, message = [], None
    while message is None:
        candidate = client.notification()
        if wanted(candidate):
            message = candidate
        else:
            kept.append(candidate)
    client.notifications[:0] = kept
    return message


def step(clients, who, method, params, expected):
    client = clients[who]
    if method is None:
        message = take(client, lambda m: m.get("method") == params)
        return normal(message["params"])
    if method == "start":
        client.send("transact", params, expected)
        return expected
    if method == "cancel":
        client.socket.sendall(json.dumps({"method": "cancel", "params": [expected], "id": None}).encode())
        return expected
    if method == "end":
        return answers(take(client, lambda m: m.get("id") == expected))
    return answers(client.reply(method, *params))


def check_session(name, path):
    clients = {1: Client(path), 2: Client(path)}
    n_wrong = 0
    for who, method, params, expected, *marks in SESSION:
        if OURS in marks and name == "theirs":
            continue
        try:
            found = step(clients, who, method, params, expected)
        except OSError as problem:
            raise SystemExit("FAIL: %s, %s %s: %s" % (name, method, json.dumps(params), problem)) from problem
        wanted = params if method == "end" else expected
        if not fits(found, wanted):
            print("%s, %s %s:\n  has   %s\n  wants %s" % (name, method, json.dumps(params), json.dumps(found), wanted))
            n_wrong += 1
    return n_wrong


def main():
    if sys.argv[1] == "schema":
        json.dump(SCHEMA, sys.stdout)
        return
    n_wrong = 0
    for name, path in zip(("ours", "theirs"), sys.argv[1:]):
        n_wrong += check_transactions(name, Client(path))
        n_wrong += check_session(name, path)
    print("transactions=%d steps=%d servers=%d wrong=%d" % (len(TRANSACTIONS), len(SESSION), len(sys.argv) - 1, n_wrong))
    if n_wrong:
        raise SystemExit("FAIL: %d answers are wrong" % n_wrong)


if __name__ == "__main__":
    main()
