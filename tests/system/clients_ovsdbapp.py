#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clients_ovsdbapp.py own-tests REMOTE: runs the tests that ovsdbapp ships for the Open_vSwitch database.
clients_ovsdbapp.py agent REMOTE FILE: does what Neutron's Open vSwitch agent does; FILE grows with the output of
its child "ovsdb-client monitor"."""

import json
import sys
import time
import types
import unittest

from ovsdbapp.backend.ovs_idl import connection, event
from ovsdbapp.schema.open_vswitch import impl_idl

OWN_TESTS = [
    "ovsdbapp.tests.functional.schema.open_vswitch.test_impl_idl",
    "ovsdbapp.tests.functional.schema.open_vswitch.test_common_db",
]


def run_own_tests(remote):
    # Of oslotest they only want a class to derive from; it would bring forty packages along.
    import testtools

    sys.modules["oslotest"] = types.ModuleType("oslotest")
    sys.modules["oslotest"].base = types.SimpleNamespace(BaseTestCase=testtools.TestCase)
    from ovsdbapp.tests.functional import base

    class RunningSwitch:
        """Takes the place of the one that the tests would build and start."""

        ovs_connection = remote
        ovnnb_connection = ovnsb_connection = None

        def __init__(self, *_, **__):
            self.venv = "none"

        def setUp(self):
            pass

        def cleanUp(self):
            pass

    base.FunctionalTestCase.fixture_class = RunningSwitch
    suite = unittest.defaultTestLoader.loadTestsFromNames(OWN_TESTS)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful() or result.testsRun < 20:
        sys.exit("FAIL: ovsdbapp's own tests")


class PortBound(event.WaitEvent):
    """As the agent waits for rows that it did not write itself."""

    ONETIME = True

    def __init__(self, name):
        super().__init__((self.ROW_UPDATE,), "Interface", (("name", "=", name),), timeout=5)

    def match_fn(self, event_, row, old):
        return super().match_fn(event_, row, old) and "iface-id" in row.external_ids


def wait_for(what, condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def monitored(path):
    """[action, name, ofport] of every event in the monitor's output."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            table = json.loads(line)
            columns = {name: i for i, name in enumerate(table["headings"])}
            for row in table["data"]:
                yield [row[columns[name]] for name in ("action", "name", "ofport")]


def set_up_bridges(api):
    """br-int and br-tun, joined by patch ports, for an agent that is its own controller."""
    with api.transaction(check_error=True) as txn:
        for bridge in "br-int", "br-tun":
            txn.add(api.add_br(bridge, datapath_type="system"))
            txn.add(api.db_set("Bridge", bridge, ("other_config", {"mac-table-size": "50000"})))
    for bridge in "br-int", "br-tun":
        with api.transaction(check_error=True) as txn:
            txn.add(api.set_fail_mode(bridge, "secure"))
            txn.add(api.db_add("Bridge", bridge, "protocols", "OpenFlow10", "OpenFlow13", "OpenFlow14"))
            txn.add(api.db_set("Bridge", bridge, ("other_config", {"disable-in-band": "true"})))
        controller = {"connection_mode": "out-of-band", "inactivity_probe": 10000}
        api.set_controller(bridge, ["tcp:127.0.0.1:6633"]).execute(check_error=True)
        uuids = api.db_get("Bridge", bridge, "controller").execute(check_error=True)
        for uuid in uuids if isinstance(uuids, list) else [uuids]:
            api.db_set("Controller", uuid, *controller.items()).execute(check_error=True)
        assert api.get_controller(bridge).execute(check_error=True) == ["tcp:127.0.0.1:6633"]
        assert len(api.db_get("Bridge", bridge, "datapath_id").execute(check_error=True)) == 16
    for bridge, port, peer in ("br-int", "patch-tun", "patch-int"), ("br-tun", "patch-int", "patch-tun"):
        with api.transaction(check_error=True) as txn:
            txn.add(api.add_port(bridge, port))
            txn.add(api.db_set("Interface", port, ("type", "patch"), ("options", {"peer": peer})))
    for port in "patch-tun", "patch-int":
        assert api.db_get("Interface", port, "ofport").execute(check_error=True) > 0


def plug_ports(api, monitor):
    for n in 1, 2:
        port = f"tap{n}"
        ids = {"attached-mac": f"fa:16:3e:00:00:0{n}", "iface-id": f"port-{n}", "iface-status": "active"}
        bound = PortBound(port)
        api.idl.notify_handler.watch_event(bound)
        with api.transaction(check_error=True) as txn:
            txn.add(api.add_port("br-int", port))
        api.db_set("Interface", port, ("external_ids", ids)).execute(check_error=True)
        assert bound.wait(), f"no event for {port}"
        api.db_set("Port", port, ("tag", 4095)).execute(check_error=True)
        ofport = api.db_get("Interface", port, "ofport").execute(check_error=True)
        assert ofport > 0, ofport
        wait_for(f"the monitor shows {port}", lambda: any(
            row[1:] == [port, ofport] for row in monitored(monitor)))

    found = api.db_list("Interface", ["tap1", "nosuch"], columns=["name", "ofport", "external_ids"],
                        if_exists=True).execute(check_error=True)
    assert [row["name"] for row in found] == ["tap1"] and found[0]["external_ids"]["iface-id"] == "port-1", found
    ports = api.db_list("Port", columns=["name", "other_config", "tag"]).execute(check_error=True)
    assert {row["name"] for row in ports} >= {"tap1", "tap2", "patch-tun"}
    assert set(api.list_ports("br-int").execute(check_error=True)) == {"tap1", "tap2", "patch-tun"}
    assert api.iface_to_br("tap2").execute(check_error=True) == "br-int"
    for operator, ids in ("=", {"iface-id": "port-2"}), ("!=", {"iface-id": "port-1"}):
        found = api.db_find("Interface", ("type", "=", ""), ("external_ids", operator, ids),
                            columns=["name"]).execute(check_error=True)
        assert [row["name"] for row in found] == ["tap2"], (operator, found)


def bind_ports(api):
    """VLANs that are local to the host, quality of service, and a port that goes."""
    for n in 1, 2:
        config = {"tag": str(n), "net_uuid": "n", "network_type": "vxlan", "segmentation_id": "7"}
        api.db_set("Port", f"tap{n}", ("other_config", config), ("tag", n)).execute(check_error=True)
    assert api.db_get("Port", "tap1", "tag").execute(check_error=True) == 1
    with api.transaction(check_error=True) as txn:
        txn.add(api.db_set("Interface", "tap1", ("ingress_policing_rate", 1000), ("ingress_policing_burst", 100)))
        queue = txn.add(api.db_create("Queue", other_config={"max-rate": "1000000"}, external_ids={"id": "tap1"}))
        qos = txn.add(api.db_create("QoS", type="linux-htb", queues={0: queue}))
        txn.add(api.db_set("Port", "tap1", ("qos", qos)))
    rows = api.db_list("QoS").execute(check_error=True)
    assert len(rows) == 1 and len(rows[0]["queues"]) == 1, rows
    api.db_clear("Port", "tap1", "qos").execute(check_error=True)
    api.db_destroy("QoS", rows[0]["_uuid"]).execute(check_error=True)
    queues = api.db_list("Queue").execute(check_error=True)
    assert len(queues) == 1 and queues[0]["external_ids"] == {"id": "tap1"}, queues
    api.db_destroy("Queue", queues[0]["_uuid"]).execute(check_error=True)
    api.db_remove("Interface", "tap1", "external_ids", "iface-status").execute(check_error=True)
    assert "iface-status" not in api.db_get("Interface", "tap1", "external_ids").execute(check_error=True)
    api.db_set("Bridge", "br-int", ("mcast_snooping_enable", True)).execute(check_error=True)
    api.db_set("Port", "patch-tun", ("other_config", {"mcast-snooping-flood": "true"})).execute(check_error=True)


def act_as_agent(remote, monitor):
    idl = connection.OvsdbIdl.from_server(remote, "Open_vSwitch")
    idl.notify_handler = event.RowEventHandler()
    idl.notify = idl.notify_handler.notify
    api = impl_idl.OvsdbIdl(connection.Connection(idl, timeout=10))
    assert "system" in api._ovs.datapath_types and "patch" in api._ovs.iface_types
    set_up_bridges(api)
    plug_ports(api, monitor)
    bind_ports(api)
    api.del_port("tap2", "br-int").execute(check_error=True)
    wait_for("the monitor shows that tap2 went", lambda: any(
        row[:2] == ["delete", "tap2"] for row in monitored(monitor)))
    assert api.get_manager().execute(check_error=True) == ["ptcp:6640:127.0.0.1"]
    for bridge in "br-tun", "br-int":
        api.del_br(bridge).execute(check_error=True)
    assert api.list_br().execute(check_error=True) == []
    idl.notify_handler.shutdown()


if __name__ == "__main__":
    if sys.argv[1] == "own-tests":
        run_own_tests(sys.argv[2])
    else:
        act_as_agent(*sys.argv[2:])
