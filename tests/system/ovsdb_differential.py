#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do two OVSDB servers answer generated transactions alike?

    ovsdb_differential.py SCHEMA OURS THEIRS [SEED]

Both sockets lead to servers with a database of SCHEMA.  About 30 % of the transactions are wrong in some way.
For each, both must succeed with equal results or fail in the same operation with the same error name; every
row of every table must be equal in the end.  A tenth of them go one by one, and monitors hear the same of each.  WEIR_TRANSACTIONS says how many.  What may differ is in
docs/differences-from-ovs.md, and in allowed() below.
"""

import collections
import copy
import json
import os
import random
import selectors
import socket
import sys
import uuid

from ovsdb_differential_monitors import Monitors, sorted_value

BATCH = 400  # Transactions under way at once, and between two looks at which rows there are.
MONITORED = 40  # Of a batch: transactions that go one by one, while monitors listen.
COMPARE_EVERY = 10  # Batches between two comparisons of all tables.
ROWS = 40  # Of a table, beyond which more are deleted than made.
STRINGS = ["", "a", "b", "eth0", "br0", "br1", "a b", "\u00e9\u4e2d\U0001f600", '"quoted"', "line\nbreak", "x" * 40]
INTEGERS = [0, 1, -1, 2, 7, 100, 4094, 4095, 4096, 65535, 2**31, 2**32, 2**63 - 1, -(2**63)]


class Server:
    """A connection on which many requests can be under way."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self.unsent = b""
        self.text = ""
        self.partial = b""
        self.replies = []
        self.notifications = []
        self.decoder = json.JSONDecoder()

    def read(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise SystemExit("FAIL: a server closed the connection")
        self.partial += data
        if self.partial.endswith((b"}", b"}\n")):
            self.text = self.partial.decode()
            self.decode()

    def decode(self):
        position = 0
        text = self.text
        while position < len(text):
            try:
                message, position = self.decoder.raw_decode(text, position)
            except ValueError:
                break
            while position < len(text) and text[position] == "\n":
                position += 1
            (self.notifications if "method" in message else self.replies).append(message)
        self.partial = text[position:].encode()

    def write(self):
        self.unsent = self.unsent[self.socket.send(self.unsent[: 1 << 16]) :]


def ask_all(servers, requests):
    """The replies of each server to the same requests, in their order."""
    data = "".join(
        json.dumps({"method": method, "params": params, "id": i}) for i, (method, params) in enumerate(requests)
    ).encode()
    selector = selectors.DefaultSelector()
    for server in servers:
        server.unsent, server.replies = data, []
        selector.register(server.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, server)
    open_servers = set(servers)
    while open_servers:
        for key, events in selector.select(20) or sys.exit("FAIL: no answer for 20 s"):
            server = key.data
            if events & selectors.EVENT_READ:
                server.read()
            if events & selectors.EVENT_WRITE:
                server.write()
                if not server.unsent:
                    selector.modify(server.socket, selectors.EVENT_READ, server)
            if len(server.replies) == len(requests):
                open_servers.discard(server)
                selector.unregister(server.socket)
    for server in servers:
        server.replies.sort(key=lambda reply: reply["id"])
    return [server.replies for server in servers]


# --- Making transactions ----------------------------------------------------------------------


def base(part):
    return {"type": part} if isinstance(part, str) else part


class Column:
    def __init__(self, table, name, json_type, mutable):
        whole = json_type if isinstance(json_type, dict) else {"key": json_type}
        self.table, self.name, self.mutable = table, name, mutable
        self.key = base(whole["key"])
        self.value = base(whole["value"]) if "value" in whole else None
        self.min = whole.get("min", 1)
        self.max = whole.get("max", 1)
        self.is_scalar = self.min == 1 and self.max == 1 and not self.value
        self.most = 5 if self.max == "unlimited" else min(self.max, 5)

    def reference(self):
        """The table that values refer to strongly, and whether as keys."""
        for part in (self.key, self.value or {}):
            if part.get("refTable") and part.get("refType", "strong") == "strong":
                return part["refTable"], part is self.key
        return None


class Generator:
    def __init__(self, schema, rng):
        self.rng = rng
        self.database = schema["name"]
        self.tables = {
            table: {
                name: Column(table, name, column["type"], column.get("mutable", True))
                for name, column in body["columns"].items()
            }
            for table, body in schema["tables"].items()
        }
        self.roots = {table for table, body in schema["tables"].items() if body.get("isRoot")}
        self.single = {table for table, body in schema["tables"].items() if body.get("maxRows") == 1}
        self.rows = {table: [] for table in self.tables}
        self.referrers = collections.defaultdict(list)
        for columns in self.tables.values():
            for column in columns.values():
                if column.reference():
                    self.referrers[column.reference()[0]].append(column)
        self.names = []
        self.n_names = 0

    # Values

    def atom(self, part):
        rng, kind = self.rng, part["type"]
        if "enum" in part:
            enum = part["enum"]
            return rng.choice(enum[1] if isinstance(enum, list) else [enum])
        if kind == "integer":
            low, high = part.get("minInteger", -(2**63)), part.get("maxInteger", 2**63 - 1)
            fitting = [n for n in INTEGERS if low <= n <= high]
            return rng.choice(fitting) if fitting and rng.random() < 0.7 else rng.randint(low, min(high, low + 300))
        if kind == "real":
            return rng.choice([0.0, 1.5, -2.25, 1e10, 1e-3, 3])
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "uuid":
            return self.row_reference(part.get("refTable"))
        return rng.choice(STRINGS) if rng.random() < 0.5 else "n%d" % rng.randrange(200)

    def row_reference(self, table):
        if table and self.rows[table] and self.rng.random() < 0.97:
            return ["uuid", self.rng.choice(self.rows[table])]
        return ["uuid", self.new_uuid()]

    def new_uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128)))

    def elements(self, column, n):
        keys = {}
        for _ in range(3 * n):
            if len(keys) < n:
                key = self.atom(column.key)
                keys[json.dumps(key)] = key
        if column.value:
            return [[key, self.atom(column.value)] for key in keys.values()]
        return list(keys.values())

    def value(self, column, low=None):
        rng = self.rng
        n = rng.randint(column.min if low is None else low, column.most)
        strong = column.reference()
        if strong and not self.rows[strong[0]]:
            n = column.min
        return self.notation(column, self.elements(column, n))

    def notation(self, column, elements):
        if column.value:
            return ["map", elements]
        if len(elements) == 1 and (column.is_scalar or self.rng.random() < 0.5):
            return elements[0]
        return ["set", elements]

    # Parts of operations

    def row(self, columns, share):
        return {c.name: self.value(c) for c in columns.values() if self.rng.random() < share}

    def table(self):
        return self.rng.choice(list(self.tables))

    def where(self, table):
        rng = self.rng
        if self.rows[table] and rng.random() < 0.75:
            clause = ["_uuid", "==", ["uuid", rng.choice(self.rows[table])]]
            return [clause] if rng.random() < 0.9 else [clause, self.clause(table)]
        return [self.clause(table) for _ in range(rng.choice([0, 1, 1, 2]))] if rng.random() < 0.6 else [self.miss()]

    def miss(self):
        return ["_uuid", "==", ["uuid", self.new_uuid()]]

    def clause(self, table):
        rng = self.rng
        column = rng.choice(list(self.tables[table].values()))
        numeric = column.key["type"] in ("integer", "real") and not column.value and column.most == 1
        functions = ["==", "!=", "includes", "excludes"] + (["<", "<=", ">", ">="] if numeric else [])
        function = rng.choice(functions)
        if function in ("includes", "excludes"):
            return [column.name, function, self.value(column, low=min(column.min, 1))]
        if function in ("<", "<=", ">", ">="):
            return [column.name, function, self.atom(column.key)]
        return [column.name, function, self.value(column)]

    def columns(self, table):
        rng = self.rng
        names = ["_uuid"] + list(self.tables[table])
        return rng.sample(names, rng.randint(1, min(5, len(names))))

    # Operations

    def insert(self):
        rng = self.rng
        table = self.table()
        if table in self.single and self.rows[table]:
            return self.update()
        operation = {"op": "insert", "table": table, "row": self.row(self.tables[table], 0.3)}
        row_uuid = self.new_uuid()
        operation["uuid"] = row_uuid
        reference = ["uuid", row_uuid]
        if rng.random() < 0.5:
            self.n_names += 1
            operation["uuid-name"] = "row%d" % self.n_names
            reference = ["named-uuid", operation["uuid-name"]]
        if table in self.roots or rng.random() < 0.1:
            return [operation]
        return [operation] + self.refer_to(table, reference)

    def refer_to(self, table, reference):
        """An operation that keeps a row of a table that is no root."""
        columns = [c for c in self.referrers[table] if self.rows[c.table]]
        if not columns:
            return []
        column = self.rng.choice(columns)
        where = [["_uuid", "==", ["uuid", self.rng.choice(self.rows[column.table])]]]
        value = reference
        if column.value:
            is_key = column.reference()[1]
            other = self.atom(column.value if is_key else column.key)
            value = ["map", [[reference, other] if is_key else [other, reference]]]
        if column.most == 1 or self.rng.random() < 0.3:
            return [{"op": "update", "table": column.table, "where": where, "row": {column.name: value}}]
        return [
            {
                "op": "mutate",
                "table": column.table,
                "where": where,
                "mutations": [[column.name, "insert", value if column.value else ["set", [value]]]],
            }
        ]

    def select(self):
        table = self.table()
        return [{"op": "select", "table": table, "where": self.where(table), "columns": self.columns(table)}]

    def update(self):
        table = self.table()
        columns = {n: c for n, c in self.tables[table].items() if c.mutable}
        return [{"op": "update", "table": table, "where": self.where(table), "row": self.row(columns, 0.15)}]

    def mutation(self, column):
        rng = self.rng
        numeric = column.key["type"] in ("integer", "real") and not column.value
        if numeric and rng.random() < 0.5:
            mutators = ["+=", "-=", "*=", "/="] + (["%="] if column.key["type"] == "integer" else [])
            mutator = rng.choice(mutators)
            # "*=": without products whose overflow Open vSwitch misses, or sees where there is none.
            operands = {"*=": [2, 3, 5, 10**15], "/=": [0, 1, 2, -3], "%=": [0, 1, 2, -3]}
            return [column.name, mutator, rng.choice(operands.get(mutator, [0, 1, 1, 2, -1, 2**62]))]
        if rng.random() < 0.5 or column.most == 1:
            if column.value and rng.random() < 0.4:
                return [column.name, "delete", ["set", [self.atom(column.key) for _ in range(rng.randint(0, 1))]]]
            return [column.name, "delete", self.value(column, low=0)]
        return [column.name, "insert", self.value(column, low=0)]

    def mutate(self):
        table = self.table()
        columns = [c for c in self.tables[table].values() if c.mutable and not (c.is_scalar and c.key["type"] != "integer")]
        if not columns:
            return self.select()
        mutations = [self.mutation(self.rng.choice(columns)) for _ in range(self.rng.choice([1, 1, 2, 0]))]
        return [{"op": "mutate", "table": table, "where": self.where(table), "mutations": mutations}]

    def delete(self):
        crowded = [table for table, rows in self.rows.items() if len(rows) > ROWS]
        table = self.rng.choice(crowded) if crowded else self.table()
        if table == "Open_vSwitch":
            return self.select()
        where = [["_uuid", "==", ["uuid", self.rng.choice(self.rows[table])]]] if self.rows[table] else [self.miss()]
        return [{"op": "delete", "table": table, "where": where}] * (3 if crowded else 1)

    def wait(self):
        rng = self.rng
        table = self.table()
        columns = self.columns(table)
        rows = []
        for _ in range(rng.choice([0, 1, 1, 2])):
            row = {name: self.value(self.tables[table][name]) for name in columns if name != "_uuid"}
            if "_uuid" in columns and rng.random() < 0.8:
                row["_uuid"] = self.row_reference(table)
            rows.append(row)
        until = rng.choice(["!=", "!=", "!=", "=="])
        where = [self.miss()] if not rows and until == "==" else self.where(table)
        return [
            {"op": "wait", "table": table, "where": where, "columns": columns, "rows": rows, "until": until, "timeout": 0}
        ]

    def simple(self):
        return [
            self.rng.choice(
                [
                    {"op": "comment", "comment": self.rng.choice(STRINGS)},
                    {"op": "commit", "durable": False},
                    {"op": "assert", "lock": "held"},
                ]
            )
        ]

    def operations(self):
        kinds = [self.insert] * 8 + [self.mutate] * 6 + [self.update] * 5 + [self.select] * 3
        kinds += [self.delete] * 2 + [self.wait] * 2 + [self.simple] * 2
        operations = []
        for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3])):
            operations += self.rng.choice(kinds)()
        return operations

    # Mistakes

    def spoil(self, operations):
        """Makes one mistake.  Some turn out harmless."""
        rng = self.rng
        operations = copy.deepcopy(operations)
        kind = rng.randrange(6)
        if kind == 0:
            extra = [
                {"op": "abort"},
                {"op": "assert", "lock": "not held"},
                {"op": "nonsense"},
                {"op": "wait", "table": "Bridge", "where": [], "columns": [], "rows": [], "until": "!=", "timeout": 0},
                {"op": "insert", "table": "Port", "row": {"interfaces": ["named-uuid", "undefined"]}},
                {"op": "insert", "table": "Bridge", "row": {"name": "same"}, "uuid-name": "twice"},
                {"op": "insert", "table": "Bridge", "row": {"name": "same"}, "uuid-name": "twice"},
                {"op": "insert", "table": "Open_vSwitch", "row": {}},
                7,
                "op",
                None,
                [],
                {},
            ]
            chosen = rng.choice(extra)
            operations.insert(rng.randrange(len(operations) + 1), chosen)
            if isinstance(chosen, dict) and "uuid-name" in chosen:
                operations.append(chosen)
            return operations
        operation = rng.choice(operations)
        if not isinstance(operation, dict):
            return operations
        if kind == 1 and len(operation) > 1:
            del operation[rng.choice([name for name in operation if name != "op"])]
        elif kind == 2:
            operation[rng.choice(["row", "table", "where", "columns", "x", "uuid-name", "uuid"])] = self.nonsense()
        else:
            self.spoil_inside(operation)
        return operations

    def nonsense(self):
        return self.rng.choice(
            [None, True, 0, -1, 1.0, 1.5, 1e3, 1e300, "", "x", "1abc", [], ["set", []], ["set", [1, 1]], ["set", [["set", []]]]]
            + [["set", ["a", "a"]], ["map", []], ["map", [["a", "b"], ["a", "c"]]], ["map", [["a"]]], ["map", ["a"]], {}]
            + [["uuid", "x"], ["uuid", self.new_uuid()], ["uuid"], ["named-uuid", "nobody"], ["named-uuid", "1"], ["wrong", []]]
            + [["uuid", self.new_uuid().upper()], [True], [False], [["_uuid", "==", ["uuid", self.new_uuid()]]], ["name"]]
            + [["name", "name"], ["_uuid"], {"name": 1}, {"_uuid": 1}, {"_version": 1}, {"nonesuch": 1}, "Bridge", "none"]
        )

    def spoil_inside(self, operation):
        """Puts nonsense in a place deep inside."""
        places = []

        def walk(node):
            pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
            for at, child in pairs:
                if node is not operation or at != "op":
                    places.append((node, at))
                walk(child)

        walk(operation)
        if places:
            node, at = self.rng.choice(places)
            node[at] = self.nonsense()
            if isinstance(node, dict) and self.rng.random() < 0.1:
                node["nonesuch"] = node.pop(at)

    def transaction(self, share_wrong):
        operations = self.operations()
        while self.rng.random() < share_wrong:
            operations = self.spoil(operations)
        return [tame(operation, self.new_uuid()) for operation in operations]


def tame(operation, row_uuid):
    """No transaction may wait, choose a UUID of its own, or end Open vSwitch's server."""
    if not isinstance(operation, dict):
        return operation
    if operation.get("op") == "wait":
        timeout = operation.setdefault("timeout", 0)
        if timeout is True or (isinstance(timeout, (int, float)) and timeout > 0):
            operation["timeout"] = 0
    if operation.get("op") == "insert":
        operation.setdefault("uuid", row_uuid)
    mutations = operation.get("mutations")
    for mutation in mutations if isinstance(mutations, list) else []:
        # Dividing the smallest integer by -1 ends it, and multiplying a negative one by 0.
        if isinstance(mutation, list) and mutation[1:] in (["/=", -1], ["%=", -1], ["*=", 0], ["*=", -1]):
            mutation[2] = 2
    return operation


# --- Comparing ---------------------------------------------------------------------------------


def error_name(reply):
    """None, or the first error with its place."""
    if reply.get("error"):
        error = reply["error"]
        return ("request", error.get("error") if isinstance(error, dict) else error)
    for i, result in enumerate(reply["result"]):
        if isinstance(result, dict) and "error" in result:
            return (i, result["error"])
    return None


def sorted_rows(rows):
    rows = [{name: sorted_value(value) for name, value in row.items() if name != "_version"} for row in rows]
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def sorted_results(reply):
    return [
        {**result, "rows": sorted_rows(result["rows"])} if isinstance(result, dict) and "rows" in result else result
        for result in reply["result"]
    ]


def allowed(ours, theirs):
    """Both fail in the same place, by names that are both right, or of which ours is RFC 7047's."""
    return bool(ours and theirs) and ours[0] == theirs[0] and (ours[1], theirs[1]) in {
        ("syntax error", "ovsdb error"),  # A set or map that names an element twice.
        ("syntax error", "unknown column"),  # A row that is wrong twice; members of an object have no order.
        ("unknown column", "syntax error"),
        ("constraint violation", "range error"),  # A mutation that is wrong for two rows, each in its way.
        ("range error", "constraint violation"),
    }


def difference(ours, theirs):
    our_error, their_error = error_name(ours), error_name(theirs)
    if our_error != their_error:
        return None if allowed(our_error, their_error) else "fails differently"
    if not our_error and sorted_results(ours) != sorted_results(theirs):
        return "has other results"
    return None


def select_all(generator, columns):
    operations = [
        {"op": "select", "table": table, "where": [], **({"columns": columns} if columns else {})}
        for table in generator.tables
    ]
    return [("transact", [generator.database] + operations)]


def compare_tables(generator, servers):
    ours, theirs = [replies[0]["result"] for replies in ask_all(servers, select_all(generator, None))]
    for table, a, b in zip(generator.tables, ours, theirs):
        a, b = sorted_rows(a["rows"]), sorted_rows(b["rows"])
        if a == b:
            continue
        only_ours = [row for row in a if row not in b]
        only_theirs = [row for row in b if row not in a]
        raise SystemExit("FAIL: table %s differs:\n ours:   %s\n theirs: %s" % (table, only_ours[:2], only_theirs[:2]))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    servers = [Server(sys.argv[2]), Server(sys.argv[3])]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    n_transactions = int(os.environ.get("WEIR_TRANSACTIONS", "50000"))
    generator = Generator(schema, random.Random(seed))
    monitors = Monitors(generator, ask_all, error_name)
    errors = collections.Counter()
    seen = collections.Counter()

    root = {"op": "insert", "table": "Open_vSwitch", "row": {}, "uuid": str(uuid.UUID(int=1))}
    start = [schema["name"], {"op": "delete", "table": "Open_vSwitch", "where": []}, root]
    ask_all(servers, [("lock", ["held"]), ("transact", start)])
    share_wrong = 0.15
    n_done = n_wrong = 0
    while n_done < n_transactions:
        for table, result in zip(generator.tables, ask_all(servers[1:], select_all(generator, ["_uuid"]))[0][0]["result"]):
            generator.rows[table] = sorted(row["_uuid"][1] for row in result["rows"])
        batch = [generator.transaction(share_wrong) for _ in range(min(BATCH, n_transactions - n_done))]
        monitors.begin(servers)
        ours, theirs = [], []
        for operations in batch[:MONITORED]:
            for replies, reply in zip((ours, theirs), monitors.transact(servers, operations)):
                replies.append(reply)
            if generator.rng.random() < 0.2:
                monitors.change_condition(servers)
        monitors.end(servers)
        requests = [("transact", [schema["name"]] + operations) for operations in batch[MONITORED:]]
        for replies, more in zip((ours, theirs), ask_all(servers, requests) if requests else ((), ())):
            replies.extend(more)
        for operations, a, b in zip(batch, ours, theirs):
            why = difference(a, b)
            if why:
                key = (why, str(error_name(a)), str(error_name(b)))
                seen[key] += 1
                if seen[key] <= 2:
                    print("transaction %d %s: %s" % (n_done, why, json.dumps(operations)))
                    print("  ours:   %s\n  theirs: %s" % (json.dumps(a), json.dumps(b)))
            error = error_name(b)
            n_wrong += error is not None
            errors[error[1] if error else "success"] += 1
            for operation in operations:
                if isinstance(operation, dict):
                    errors["op %s" % operation.get("op")] += not error
            n_done += 1
        share_wrong *= 1.05 if n_wrong < 0.3 * n_done else 0.95
        if n_done // BATCH % COMPARE_EVERY == 0:
            compare_tables(generator, servers)
        if sum(seen.values()) > 200:
            break
    compare_tables(generator, servers)
    print("transactions=%d wrong=%.1f%% rows=%d" % (n_done, 100 * n_wrong / n_done, sum(map(len, generator.rows.values()))))
    print("monitored: notifications=%d wrong_requests=%d" % (monitors.n_told, monitors.n_wrong))
    print(" ".join("%s=%d" % (name.replace(" ", "_"), n) for name, n in sorted(errors.items())))
    if seen:
        raise SystemExit("FAIL: %d differences of %d kinds" % (sum(seen.values()), len(seen)))


if __name__ == "__main__":
    main()
