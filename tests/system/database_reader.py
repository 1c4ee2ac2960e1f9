#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A reader of the database file that knows nothing but docs/database-file.md.

    database_reader.py FILE DUMP    are the file's rows those of `ovsdb-client -f json dump`?
"""
import json
import re
import sys

TABLE = [0] * 256
for i in range(256):
    value = i
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    TABLE[i] = value


def crc32c(crc, data):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def records(data):
    head = re.match(rb"(weir-db 1 ([0-9a-f]{8}) )([0-9a-f]{8})    \n", data)
    assert int(head[3], 16) == crc32c(0, head[1]), "first line"
    identity, at, number = int(head[2], 16), 32, 0
    while at < len(data):
        head = re.match(rb"(R ([0-9a-f]{16}) ([0-9a-f]{8}) ([0-9a-f]{8}) )([0-9a-f]{8})\n", data[at : at + 46])
        assert int(head[5], 16) == crc32c(identity, head[1]), f"head of record {number}"
        body = data[at + 46 : at + 46 + int(head[3], 16)]
        at += 46 + len(body) + 1
        assert int(head[2], 16) == number and data[at - 1 : at] == b"\n", f"record {number}"
        assert int(head[4], 16) == crc32c(identity, body), f"body of record {number}"
        number += 1
        yield json.loads(body)


def elements(value):
    """A value as a map from keys to values; of a set, the values are None."""
    tag = value[0] if isinstance(value, list) else None
    pairs = value[1] if tag in ("set", "map") else [value]
    return {json.dumps(pair[0]): pair[1] for pair in pairs} if tag == "map" else {json.dumps(v): None for v in pairs}


ZEROS = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": ["uuid", "00000000-0000-0000-0000-000000000000"]}


def zero(base):
    return ZEROS[base if isinstance(base, str) else base["type"]]


def default(kind):
    kind = {"key": kind} if isinstance(kind, str) else kind
    if kind.get("min", 1) == 0:
        return {}
    return {json.dumps(zero(kind["key"])): zero(kind["value"]) if "value" in kind else None}


def differ(kind, old, difference):
    if isinstance(kind, str) or kind.get("max", 1) == 1:
        return difference
    new = dict(old)
    for key, value in difference.items():
        if key in new and new[key] == value:
            del new[key]
        else:
            new[key] = value
    return new


def read(path):
    columns, tables = {}, {}
    for record in records(open(path, "rb").read()):
        if "schema" in record:
            for name, table in record["schema"]["tables"].items():
                columns[name] = {c: d["type"] for c, d in table["columns"].items()}
                tables[name] = {}
        for table, uuids in record.get("delete", {}).items():
            for uuid in uuids:
                del tables[table][uuid]
        for table, rows in record.get("insert", {}).items():
            for uuid, row in rows.items():
                tables[table][uuid] = {c: default(kind) for c, kind in columns[table].items()}
                tables[table][uuid].update({c: elements(v) for c, v in row.items()})
        for table, rows in record.get("modify", {}).items():
            for uuid, row in rows.items():
                old = tables[table][uuid]
                old.update({c: differ(columns[table][c], old[c], elements(v)) for c, v in row.items()})
    return tables


def dumped(path):
    tables = {}
    for line in open(path):
        table = json.loads(line)
        rows = [dict(zip(table["headings"], row)) for row in table["data"]]
        tables[table["caption"].split()[0]] = {r.pop("_uuid")[1]: {c: elements(v) for c, v in r.items()} for r in rows}
    return tables


found, wanted = read(sys.argv[1]), dumped(sys.argv[2])
for name in wanted:
    for uuid in wanted[name].keys() | found[name].keys():
        if wanted[name].get(uuid) != found[name].get(uuid):
            sys.exit(f"{name} {uuid}: {found[name].get(uuid)} in the file, {wanted[name].get(uuid)} in the server")
print(sum(len(rows) for rows in wanted.values()), "rows")
