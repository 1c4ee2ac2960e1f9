/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <urcu-qsbr.h>

static void ports_are_found_by_number_and_name(void **state)
{
    struct topology *topology = topology_create(1);
    struct bridge_view *bridge = topology_add_bridge(topology, "br0");
    static const of_port numbers[] = {7, OFPP_LOCAL, 1, 300, 2};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        char name[16];

        snprintf(name, sizeof name, "p%u", numbers[i]);
        bridge_view_add_port(topology, bridge, name, numbers[i], 10 + (uint32_t)i);
    }

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct port_view *port = bridge_view_port(bridge, numbers[i]);

        assert_non_null(port);
        assert_int_equal(port->dp_port, 10 + i);
        assert_ptr_equal(topology->by_dp_port[10 + i], port);
        assert_ptr_equal(bridge_view_port_by_name(bridge, port->name), port);
    }
    for (size_t i = 1; i < bridge->n_ports; i++)
        assert_true(bridge->ports[i - 1]->ofp_port < bridge->ports[i]->ofp_port);
    assert_null(bridge_view_port(bridge, 3));
    assert_null(bridge_view_port_by_name(bridge, "p3"));
    assert_ptr_equal(topology_bridge(topology, "br0"), bridge);
    assert_null(topology_bridge(topology, "br1"));
    topology_destroy(topology);
}

static void native_vlan_is_always_admitted(void **state)
{
    struct topology *topology = topology_create(1);
    struct bridge_view *bridge = topology_add_bridge(topology, "br0");
    struct port_view *port = bridge_view_add_port(topology, bridge, "p1", 1, 1);

    (void)state;
    assert_true(port_view_admits(port, 0));
    assert_true(port_view_admits(port, 4095));
    memset(port->trunks, 0, sizeof port->trunks);
    port->tag = 10;
    assert_false(port_view_admits(port, 10));
    port->vlan_mode = PORT_VLAN_NATIVE_TAGGED;
    assert_true(port_view_admits(port, 10));
    assert_false(port_view_admits(port, 11));
    assert_false(port_view_admits(port, 0));
    topology_destroy(topology);
}

static void counters_outlive_the_topology_that_shows_them(void **state)
{
    struct port_counters *counters = port_counters_create();

    (void)state;
    rcu_register_thread();
    for (int i = 0; i < 3; i++) {
        struct topology *topology = topology_create(1);
        struct bridge_view *bridge = topology_add_bridge(topology, "br0");
        struct port_view *port = bridge_view_add_port(topology, bridge, "p", 1, DP_PORT_NONE);

        port_counters_ref(counters);
        port->counters = counters;
        topology_publish(topology);
        assert_ptr_equal(topology_get(), topology);
    }
    topology_publish(NULL);
    rcu_quiescent_state();
    rcu_barrier();
    assert_int_equal(counters->n_references, 1);
    port_counters_unref(counters);
    rcu_unregister_thread();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_found_by_number_and_name),
        cmocka_unit_test(native_vlan_is_always_admitted),
        cmocka_unit_test(counters_outlive_the_topology_that_shows_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
