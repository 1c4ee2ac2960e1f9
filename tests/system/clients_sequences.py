#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clients_sequences.py SOCKET SCHEMA: what Go programs and ovn-controller send to the database, message by message.
SCHEMA is the file that the server's answer must equal; Debian's Open vSwitch says what older columns are."""

import json
import os
import sys
import time

from clients_jsonrpc import Client

DATABASE = "Open_vSwitch"
NOBODY = "00000000-0000-0000-0000-000000000000"
OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
# What came after the schema of Open vSwitch 3.1, as the fields of Go models.
NEWER_COLUMNS = {
    ("CT_Zone", "limit"): "*int",
    ("Datapath", "ct_zone_default_limit"): "*int",
    ("Flow_Sample_Collector_Set", "local_group_id"): "*int",
    ("Flow_Table", "prefixes"): "[4]string",
    ("IPFIX", "stats_interval"): "*int",
    ("IPFIX", "template_interval"): "*int",
    ("Mirror", "filter"): "*string",
}


def uuid(value):
    return ["uuid", value]


def named(name):
    return ["named-uuid", name]


def wait_for(what, condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def atom(base):
    base = base if isinstance(base, dict) else {"type": base}
    kind = {"integer": "int", "real": "float64", "boolean": "bool", "string": "string", "uuid": "string"}[base["type"]]
    members = base.get("enum", ["set", []])[1]
    reference = f"->{base['refTable']}/{base.get('refType', 'strong')}" if "refTable" in base else ""
    return kind + reference + ("{" + ",".join(sorted(map(str, members))) + "}" if members else "")


def go_type(column):
    """The field that a Go model has for a column: a mismatch keeps libovsdb from connecting."""
    kind = column["type"] if isinstance(column["type"], dict) else {"key": column["type"]}
    low, high = kind.get("min", 1), kind.get("max", 1)
    if "value" in kind:
        return f"map[{atom(kind['key'])}]{atom(kind['value'])}"
    if high == 1:
        return ("*" if low == 0 else "") + atom(kind["key"])
    return ("[]" if high == "unlimited" else f"[{high}]") + atom(kind["key"])


def models(schema):
    return {(table, name): go_type(column) for table, description in schema["tables"].items()
            for name, column in description["columns"].items()}


def go_library_shakes_hands(path, schema_path):
    client = Client(path)
    assert client.call("echo") == [] and client.call("echo", "libovsdb echo") == ["libovsdb echo"]
    assert set(client.call("list_dbs")) == {DATABASE, "_Server"}
    schema = client.call("get_schema", DATABASE)
    with open(schema_path, encoding="utf-8") as file:
        assert models(schema) == models(json.load(file)), "get_schema is not the schema"
    assert schema["name"] == DATABASE and schema["version"] == "8.8.0"
    ours = models(schema)
    for key, kind in NEWER_COLUMNS.items():
        assert ours[key] == kind, (key, ours[key])
    if os.path.exists(OVS_SCHEMA):
        with open(OVS_SCHEMA, encoding="utf-8") as file:
            theirs = json.load(file)
        for key, kind in models(theirs).items():
            assert key in NEWER_COLUMNS or ours.get(key) == kind, (key, kind, ours.get(key))
        assert set(ours) - set(models(theirs)) <= set(NEWER_COLUMNS)
        for name, table in theirs["tables"].items():
            assert schema["tables"][name].get("indexes") == table.get("indexes"), name

    # A model may be a client of the leader only: _Server says who that is.
    database = client.call("monitor_cond", "_Server", "s", {"Database": [{"columns": ["name", "model", "leader",
                                                            "connected", "cid", "sid", "index", "schema"]}]})
    rows = [row["initial"] for row in database["Database"].values()]
    row = next(row for row in rows if row["name"] == DATABASE)
    assert row["model"] == "standalone" and row["connected"] is True and row["leader"] is True, row
    assert json.loads(row["schema"]) == schema
    client.close()


def go_library_monitors_all_tables(path):
    client, writer = Client(path), Client(path)
    tables = client.call("get_schema", DATABASE)["tables"]
    requests = {name: [{"columns": sorted(table["columns"]), "select": {"initial": True, "insert": True,
                                                                         "delete": True, "modify": True}}]
                for name, table in tables.items()}
    found, last, contents = client.call("monitor_cond_since", DATABASE, ["monid", DATABASE], requests, NOBODY)
    assert found is False and last != NOBODY and all(
        set(change) == {"initial"} for rows in contents.values() for change in rows.values())
    results = writer.transact(DATABASE,
        {"op": "insert", "table": "Bridge", "row": {"name": "br-go"}, "uuid-name": "bridge"},
        {"op": "mutate", "table": DATABASE, "where": [], "mutations": [["bridges", "insert",
                                                                     ["set", [named("bridge")]]]]})
    row = results[0]["uuid"][1]
    update = next_update(client, lambda update: row in update.get("Bridge", {}))
    assert update["Bridge"][row]["insert"]["name"] == "br-go"
    # Values that are defaults are left out of an insert.
    assert "stp_enable" not in update["Bridge"][row]["insert"] and "fail_mode" not in update["Bridge"][row]["insert"]
    writer.transact(DATABASE,
        {"op": "mutate", "table": "Bridge", "where": [["_uuid", "==", uuid(row)]],
         "mutations": [["external_ids", "insert", ["map", [["a", "1"], ["b", "2"]]]]]},
        {"op": "update", "table": "Bridge", "where": [["_uuid", "==", uuid(row)]], "row": {"fail_mode": "secure"}})
    update = next_update(client, lambda update: "external_ids" in str(update))
    modified = update["Bridge"][row]["modify"]  # With what the daemon wrote meanwhile.
    assert modified["external_ids"] == ["map", [["a", "1"], ["b", "2"]]] and modified["fail_mode"] == "secure", update
    writer.transact(DATABASE,
        {"op": "mutate", "table": DATABASE, "where": [], "mutations": [["bridges", "delete", ["set", [uuid(row)]]]]})
    update = next_update(client, lambda update: "delete" in update.get("Bridge", {}).get(row, {}))
    assert update["Bridge"][row] == {"delete": None}, update
    assert client.call("monitor_cancel", ["monid", DATABASE]) == {}
    client.close()


def next_update(client, is_it):
    """The contents of the first update3 that 'is_it'; others are the daemon's."""
    while True:
        message = client.notification()
        assert message["method"] == "update3" and message["params"][0] == ["monid", DATABASE], message
        assert len(message["params"]) == 3 and message["id"] is None
        if is_it(message["params"][2]):
            return message["params"][2]


def cni_plugin_attaches_and_detaches(path):
    """Every call of the plugin is a connection of its own."""

    def transact(*operations):
        client = Client(path)
        client.call("list_dbs")
        client.call("get_schema", DATABASE)
        results = client.transact(DATABASE, *operations)
        client.close()
        return results

    def select(table, name, *columns):
        return transact({"op": "select", "table": table, "where": [["name", "==", name]],
                         **({"columns": columns} if columns else {})})[0]["rows"]

    transact({"op": "insert", "table": "Bridge", "row": {"name": "br-cni"}, "uuid-name": "b"},
             {"op": "mutate", "table": DATABASE, "where": [], "mutations": [["bridges", "insert", named("b")]]})
    assert len(select("Bridge", "br-cni")) == 1 and select("Bridge", "nosuch") == []
    owner = ["map", [["contNetns", "/proc/1/ns/net"], ["contIface", "eth0"], ["owner", "ovs-cni.network.kubevirt.io"]]]
    transact(
        {"op": "insert", "table": "Interface", "uuid-name": "i", "row": {"name": "tap2", "external_ids": owner,
                                                                         "ofport_request": 77}},
        {"op": "insert", "table": "Port", "uuid-name": "p",
         "row": {"name": "tap2", "interfaces": ["set", [named("i")]], "vlan_mode": "trunk", "tag": ["set", []],
                 "trunks": ["set", [10, 20]], "external_ids": owner}},
        {"op": "mutate", "table": "Bridge", "where": [["name", "==", "br-cni"]],
         "mutations": [["ports", "insert", ["set", [named("p")]]]]})
    wait_for("link_state", lambda: select("Interface", "tap2", "link_state")[0]["link_state"] == "up")
    row = select("Interface", "tap2", "_uuid", "ofport", "error")[0]
    assert row["ofport"] == 77 and row["error"] == ["set", []], row
    port = select("Port", "tap2")[0]
    assert port["vlan_mode"] == "trunk" and port["trunks"] == ["set", [10, 20]] and port["tag"] == ["set", []]
    found = transact({"op": "select", "table": "Interface", "columns": ["name", "error"],
                      "where": [["error", "!=", ["set", []]]]})[0]["rows"]
    assert found == [], found

    # A mirror has the port as a source, and as its output.
    results = transact(
        {"op": "insert", "table": "Mirror", "uuid-name": "m",
         "row": {"name": "mirror1", "external_ids": ["map", [["owner", "ovs-cni"]]]}},
        {"op": "mutate", "table": "Bridge", "where": [["name", "==", "br-cni"]],
         "mutations": [["mirrors", "insert", ["set", [named("m")]]]]},
        {"op": "mutate", "table": "Mirror", "where": [["name", "==", "mirror1"]],
         "mutations": [["select_src_port", "insert", ["set", [port["_uuid"]]]],
                       ["select_dst_port", "insert", ["set", [port["_uuid"]]]]]})
    assert select("Mirror", "mirror1", "select_src_port")[0]["select_src_port"] == port["_uuid"], results
    transact({"op": "mutate", "table": "Mirror", "where": [["name", "==", "mirror1"]],
              "mutations": [["select_src_port", "delete", ["set", [port["_uuid"]]]]]})

    transact({"op": "mutate", "table": "Bridge", "where": [["name", "==", "br-cni"]],
              "mutations": [["ports", "delete", ["set", [port["_uuid"]]]]]},
             {"op": "delete", "table": "Port", "where": [["name", "==", "tap2"]]},
             {"op": "delete", "table": "Interface", "where": [["_uuid", "==", row["_uuid"]]]})
    assert select("Port", "tap2") == [] and select("Interface", "tap2") == []
    # The mirror referred to it weakly, and has lost it.
    assert select("Mirror", "mirror1", "select_dst_port")[0]["select_dst_port"] == ["set", []]
    transact({"op": "mutate", "table": DATABASE, "where": [],
              "mutations": [["bridges", "delete", select("Bridge", "br-cni", "_uuid")[0]["_uuid"]]]})


# ovn-controller watches these columns of this database.
OVN_COLUMNS = {
    "Open_vSwitch": ["external_ids", "other_config", "bridges", "datapaths", "iface_types"],
    "Bridge": ["name", "ports", "fail_mode", "datapath_type", "flow_tables", "other_config", "external_ids", "mirrors"],
    "Port": ["name", "interfaces", "qos", "external_ids"],
    "Interface": ["name", "type", "options", "ofport", "external_ids", "other_config", "bfd", "bfd_status", "status",
                  "mtu", "mtu_request", "link_state", "link_speed"],
    "Datapath": ["capabilities", "ct_zones"],
    "CT_Zone": ["limit"],
    "QoS": ["type", "queues", "other_config", "external_ids"],
    "Queue": ["other_config", "external_ids"],
    "Mirror": ["name", "output_port", "select_src_port", "select_dst_port", "external_ids"],
    "Flow_Table": ["prefixes"],
    "Flow_Sample_Collector_Set": ["bridge", "id"],
    "SSL": ["private_key", "certificate", "ca_cert", "bootstrap_ca_cert"],
}


def ovn_controller_sets_up_its_bridge(path):
    client = Client(path)
    client.call("monitor_cond", "_Server", ["monid", "_Server"],
                {"Database": [{"columns": ["cid", "connected", "index", "leader", "model", "name", "schema", "sid"]}]})
    requests = {table: [{"columns": columns}] for table, columns in OVN_COLUMNS.items()}
    client.call("monitor_cond_since", DATABASE, ["monid", DATABASE], requests, NOBODY)
    root = client.transact(DATABASE, {"op": "select", "table": DATABASE, "where": [], "columns": ["_uuid", "bridges"]})
    root = root[0]["rows"][0]
    this = [["_uuid", "==", root["_uuid"]]]
    client.transact(DATABASE, {"op": "mutate", "table": DATABASE, "where": this, "mutations": [["external_ids", "insert",
                               ["map", [["system-id", "chassis-1"], ["ovn-encap-type", "geneve"],
                                        ["ovn-encap-ip", "127.0.0.1"], ["ovn-remote", "tcp:127.0.0.1:6642"]]]]]})
    hwaddr = "0e:00:11:22:33:44"
    results = client.transact(DATABASE,
        {"op": "wait", "table": DATABASE, "where": this, "columns": ["bridges"], "timeout": 0, "until": "==",
         "rows": [{"bridges": root["bridges"]}]},
        {"op": "insert", "table": "Interface", "uuid-name": "row1", "row": {"name": "br-int", "type": "internal"}},
        {"op": "insert", "table": "Port", "uuid-name": "row2", "row": {"name": "br-int",
                                                                       "interfaces": named("row1")}},
        {"op": "insert", "table": "Bridge", "uuid-name": "row3",
         "row": {"name": "br-int", "ports": named("row2"), "fail_mode": "secure", "datapath_type": "system",
                 "other_config": ["map", [["disable-in-band", "true"], ["hwaddr", hwaddr]]]}},
        {"op": "update", "table": DATABASE, "where": this, "row": {"bridges": named("row3")}},
        {"op": "insert", "table": "Datapath", "uuid-name": "row4", "row": {}},
        {"op": "mutate", "table": DATABASE, "where": this,
         "mutations": [["datapaths", "delete", ["set", ["system"]]],
                       ["datapaths", "insert", ["map", [["system", named("row4")]]]]]},
        {"op": "comment", "comment": "ovn-controller: modifying OVS tunnels 'chassis-1'"})
    bridge, datapath = results[3]["uuid"], results[5]["uuid"]

    def value(table, row, column):
        rows = client.transact(DATABASE, {"op": "select", "table": table, "where": [["_uuid", "==", row]],
                                          "columns": [column]})[0]["rows"]
        return rows[0][column]

    # An identifier that changed would reset every OpenFlow connection.
    wait_for("datapath_id", lambda: value("Bridge", bridge, "datapath_id") == "0000" + hwaddr.replace(":", ""))
    wait_for("capabilities", lambda: value("Datapath", datapath, "capabilities") != ["map", []])
    capabilities = dict(value("Datapath", datapath, "capabilities")[1])
    assert all(capabilities.get(name, "true") == "true" for name in ("ct_zero_snat", "ct_flush")), capabilities
    assert capabilities["max_hash_alg"].isdigit(), capabilities

    # One Flow_Table under every key, zones, a port to a neighbour and its state, numbers of its own.
    client.transact(DATABASE,
        {"op": "insert", "table": "Flow_Table", "uuid-name": "t",
         "row": {"prefixes": ["set", ["ip_src", "ip_dst", "ipv6_src", "ipv6_dst"]]}},
        {"op": "mutate", "table": "Bridge", "where": [["_uuid", "==", bridge]],
         "mutations": [["flow_tables", "insert", ["map", [[n, named("t")] for n in range(255)]]]]},
        {"op": "insert", "table": "CT_Zone", "uuid-name": "z", "row": {"limit": 1000}},
        {"op": "mutate", "table": "Datapath", "where": [["_uuid", "==", datapath]],
         "mutations": [["ct_zones", "insert", ["map", [[7, named("z")]]]]]},
        {"op": "mutate", "table": "Bridge", "where": [["_uuid", "==", bridge]],
         "mutations": [["external_ids", "insert", ["map", [["ct-zone-lr0", "7"], ["ovn-nb-cfg", "1"],
                                                           ["ovn-startup-ts", "1700000000000"]]]]]})
    assert len(value("Bridge", bridge, "flow_tables")[1]) == 255
    client.transact(DATABASE,
        {"op": "insert", "table": "Interface", "uuid-name": "i",
         "row": {"name": "ovn-hv2-0", "type": "geneve", "options": ["map", [["csum", "true"], ["key", "flow"],
                                                                            ["remote_ip", "127.0.0.2"]]]}},
        {"op": "insert", "table": "Port", "uuid-name": "p",
         "row": {"name": "ovn-hv2-0", "interfaces": named("i"),
                 "external_ids": ["map", [["ovn-chassis-id", "hv2@127.0.0.2"]]]}},
        {"op": "mutate", "table": "Bridge", "where": [["_uuid", "==", bridge]],
         "mutations": [["ports", "insert", named("p")]]})
    before = value("Bridge", bridge, "datapath_id")
    for patch, peer in ("patch-a", "patch-b"), ("patch-b", "patch-a"):
        client.transact(DATABASE,
            {"op": "insert", "table": "Interface", "uuid-name": "i",
             "row": {"name": patch, "type": "patch", "options": ["map", [["peer", peer]]]}},
            {"op": "insert", "table": "Port", "uuid-name": "p",
             "row": {"name": patch, "interfaces": named("i"), "external_ids": ["map", [["ovn-localnet-port", "x"]]]}},
            {"op": "mutate", "table": "Bridge", "where": [["_uuid", "==", bridge]],
             "mutations": [["ports", "insert", named("p")]]})
    ofport = {"op": "select", "table": "Interface", "where": [["name", "==", "patch-a"]], "columns": ["ofport"]}
    wait_for("ofport", lambda: isinstance(client.transact(DATABASE, ofport)[0]["rows"][0]["ofport"], int)
             and client.transact(DATABASE, ofport)[0]["rows"][0]["ofport"] > 0)
    client.transact(DATABASE,
        {"op": "mutate", "table": "Interface", "where": [["name", "==", "patch-a"]],
         "mutations": [["external_ids", "insert", ["map", [["ovn-installed", "true"], ["ovn-installed-ts", "1"]]]]]},
        {"op": "update", "table": "Interface", "where": [["name", "==", "patch-a"]],
         "row": {"bfd": ["map", [["enable", "false"]]]}})
    assert value("Bridge", bridge, "datapath_id") == before
    client.transact(DATABASE,
        {"op": "update", "table": DATABASE, "where": this, "row": {"bridges": ["set", []],
                                                                   "datapaths": ["map", []]}})
    client.close()


if __name__ == "__main__":
    for test, arguments in (
        (go_library_shakes_hands, sys.argv[1:3]),
        (go_library_monitors_all_tables, sys.argv[1:2]),
        (cni_plugin_attaches_and_detaches, sys.argv[1:2]),
        (ovn_controller_sets_up_its_bridge, sys.argv[1:2]),
    ):
        print("   " + test.__name__.replace("_", " "), flush=True)
        test(*arguments)
