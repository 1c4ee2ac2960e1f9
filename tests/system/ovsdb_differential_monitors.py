# SPDX-License-Identifier: Apache-2.0
"""For ovsdb_differential.py: do two servers tell the same monitors the same?

Two monitors of each kind, with random tables, columns, events and conditions, a tenth of them wrong, are made on both
servers.  Then transactions go to both one by one, and conditions change; after each, what both servers told their
monitors must be equal."""

import json

KINDS = ["monitor", "monitor_cond", "monitor_cond_since"]
NOWHERE = "00000000-0000-0000-0000-000000000000"


def sorted_value(value):
    """Sets and maps in one order."""
    if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map"):
        return [value[0], sorted(value[1], key=json.dumps)]
    return value


def sorted_row(row):
    return row and {name: sorted_value(value) for name, value in row.items() if name != "_version"}


def sorted_updates(updates):
    """Without modifications of nothing, which Open vSwitch sends now and then."""
    tables = {}
    for table, rows in updates.items():
        for uuid, change in rows.items():
            change = {kind: sorted_row(row) for kind, row in change.items()}
            if change != {"modify": {}} and not (change.get("old") == {} and "new" in change):
                tables.setdefault(table, {})[uuid] = change
    return tables


def sorted_notification(message):
    params = message["params"]
    if message["method"] == "update3":
        params = [params[0], params[2]]
    if message["method"].startswith("update"):
        params = [params[0], sorted_updates(params[1])]
    return [message["method"], params]


def says_something(notification):
    method, params = notification
    return not method.startswith("update") or params[1]


def differences(ours, theirs, at=""):
    """The places where two texts differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(set(ours) | set(theirs)):
            yield from differences(ours.get(name), theirs.get(name), "%s/%s" % (at, name))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, pair in enumerate(zip(ours, theirs)):
            yield from differences(*pair, "%s/%d" % (at, i))
    elif ours != theirs:
        yield "  at %s\n    ours:   %s\n    theirs: %s" % (at or "/", json.dumps(ours), json.dumps(theirs))


def use_one_condition(requests):
    """What different conditions for one table mean is nowhere said."""
    for request in requests[1:]:
        request.pop("where", None)
        if "where" in requests[0]:
            request["where"] = requests[0]["where"]


class Monitors:
    def __init__(self, generator, ask_all, error_name):
        self.generator, self.rng = generator, generator.rng
        self.ask_all, self.error_name = ask_all, error_name
        self.ids = []
        self.tables = {}
        self.made = {}  # By monitor, what it asked for: for the report.
        self.n_told = self.n_wrong = 0

    # Requests

    def condition(self, table):
        rng = self.rng
        kind = rng.random()
        if kind < 0.15:
            return []
        if kind < 0.25:
            return [rng.random() < 0.5]
        return [self.generator.clause(table) for _ in range(rng.choice([1, 1, 2, 3]))]

    def request(self, table, columns, is_conditional):
        rng = self.rng
        request = {}
        if columns is not None:
            request["columns"] = columns
        if rng.random() < 0.4:
            events = rng.sample(["initial", "insert", "delete", "modify"], rng.randint(0, 4))
            request["select"] = {event: rng.random() < 0.5 for event in events}
        if is_conditional and rng.random() < 0.8:
            request["where"] = self.condition(table)
        return request

    def table_requests(self, table, is_conditional):
        rng = self.rng
        if rng.random() < 0.3:
            return [self.request(table, None, is_conditional)]
        names = list(self.generator.tables[table])
        rng.shuffle(names)
        at = rng.randint(0, len(names))
        requests = [self.request(table, names[:at], is_conditional)]
        if rng.random() < 0.3:
            requests.append(self.request(table, names[at:], is_conditional))
        return requests

    def requests(self, is_conditional):
        rng = self.rng
        tables = rng.sample(list(self.generator.tables), rng.choice([1, 3, 5, len(self.generator.tables)]))
        requests = {table: self.table_requests(table, is_conditional) for table in tables}
        if rng.random() < 0.1:
            self.n_wrong += 1
            self.generator.spoil_inside({"op": None, "requests": requests})
        for several in requests.values():
            if isinstance(several, list) and all(isinstance(request, dict) for request in several):
                use_one_condition(several)
        return requests

    # Comparing

    def compare(self, what, ours, theirs):
        if ours != theirs:
            asked = ["  %s asked for %s" % (id_, json.dumps(self.made[id_])) for id_ in self.ids if id_ in self.made]
            raise SystemExit("FAIL: %s differs\n%s" % (what, "\n".join(list(differences(ours, theirs))[:5] + asked)))

    def told(self, server):
        told = filter(says_something, map(sorted_notification, server.notifications))
        return sorted(told, key=lambda message: json.dumps(message, sort_keys=True))

    def ask(self, servers, requests, what):
        """What both answered, with what they told monitors meanwhile."""
        for server in servers:
            server.notifications = []
        replies = self.ask_all(servers, requests)
        for _ in range(20):  # Open vSwitch tells nothing new while it has something to send.
            self.ask_all(servers, [("echo", [])])
            told = [self.told(server) for server in servers]
            if told[0] == told[1]:
                break
        self.n_told += len(told[0])
        self.compare("what monitors hear after %s" % what, *told)
        return replies

    def begin(self, servers):
        self.ids = []
        for kind in KINDS * 2:
            monitor = "%s %d" % (kind, len(self.ids))
            params = [self.generator.database, monitor, self.requests(kind != "monitor")]
            self.make(servers, kind, monitor, params)
        everything = {table: [{}] for table in self.generator.tables}
        params = [self.generator.database, "all", everything]
        self.make(servers, "monitor_cond_since", "all", params)

    def make(self, servers, kind, monitor, params):
        if kind == "monitor_cond_since":
            params = params + [NOWHERE]  # A standalone Open vSwitch knows no other.
        replies = [reply[0] for reply in self.ask_all(servers, [(kind, params)])]
        what = "%s %s" % (kind, json.dumps(params[2]))
        errors = [self.error_name(reply) if reply.get("error") else None for reply in replies]
        if any(errors):
            # By other names perhaps: the one that fails is what matters to a client.
            self.compare(what + ": failure", *(bool(error) for error in errors))
            return
        results = [reply["result"] for reply in replies]
        if kind == "monitor_cond_since":
            self.compare(what + ": found", *(result[0] for result in results))
            results = [result[2] for result in results]
        self.compare(what, *(sorted_updates(result) for result in results))
        self.ids.append(monitor)
        self.made[monitor] = params[2]
        self.tables[monitor] = list(params[2])

    def change_condition(self, servers):
        monitors = [monitor for monitor in self.ids if "cond" in monitor]
        if not monitors:
            return
        monitor = self.rng.choice(monitors)
        tables = list(self.tables[monitor])
        # None that is wrong with others: Open vSwitch does a part of what it refuses.
        tables = self.rng.sample(tables, min(2, len(tables))) if self.rng.random() < 0.9 else ["nonesuch"]
        changes = {table: [{"where": self.condition(table) if table != "nonesuch" else []}] for table in tables}
        what = "monitor_cond_change of %s: %s" % (monitor, json.dumps(changes))
        ours, theirs = self.ask(servers, [("monitor_cond_change", [monitor, monitor, changes])], what)
        self.compare(what, bool(ours[0].get("error")), bool(theirs[0].get("error")))
        if not ours[0].get("error"):
            self.made[monitor] = [self.made[monitor], "then", changes]

    def transact(self, servers, operations):
        what = json.dumps(operations)
        ours, theirs = self.ask(servers, [("transact", [self.generator.database] + operations)], what)
        return ours[0], theirs[0]

    def end(self, servers):
        self.ids = self.ids if "all" in self.ids else self.ids + ["all"]
        for monitor in self.ids:
            self.ask_all(servers, [("monitor_cancel", [monitor])])
