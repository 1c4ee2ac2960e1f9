/* SPDX-License-Identifier: Apache-2.0 */

/* A whole switch, without workers but where it says so, and a whole database server in memory, on one loop.  Patch ports need no
 * privileges, and a device that does not exist fails the same for everybody; whoever may make a network namespace has
 * local ports in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ev.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu-qsbr.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/netlink/link.h"
#include "lib/openflow/group_text.h"
#include "lib/openflow/meters.h"
#include "lib/ovsdb/client.h"
#include "lib/rundir.h"
#include "ovsdb-lite/builtin_schema.h"
#include "ovsdb-lite/server.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/vswitch.h"

struct fixture {
    char directory[32];
    char *socket_path;
    struct ev_loop *loop;
    struct server *server;
    struct vswitch *vswitch;
    unsigned int n_workers;
};

static void start_switch(struct fixture *fixture)
{
    const struct vswitch_config config = {
        .loop = fixture->loop,
        .db_remote = fixture->socket_path,
        .n_workers = fixture->n_workers,
    };
    struct error error = ERROR_INIT;

    fixture->vswitch = vswitch_create(&config, &error);
    if (!fixture->vswitch)
        fail_msg("%s", error.message);
}

static void on_late(struct ev_loop *loop UNUSED, ev_timer *timer UNUSED, int events UNUSED)
{
    fail_msg("it takes more than 10 s");
}

/* Runs the loop until the question is answered with yes. */
static void run_until(struct fixture *fixture, bool (*is_so)(struct fixture *))
{
    ev_timer deadline;

    ev_timer_init(&deadline, on_late, 10, 0);
    ev_timer_start(fixture->loop, &deadline);
    while (!is_so(fixture))
        ev_run(fixture->loop, EVRUN_ONCE);
    ev_timer_stop(fixture->loop, &deadline);
}

static const struct ovsdb_row *root(struct fixture *fixture)
{
    return ovsdb_client_first(fixture->vswitch->db, "Open_vSwitch");
}

static bool is_applied(struct fixture *fixture)
{
    const struct ovsdb_row *row = root(fixture);

    return row && ovsdb_client_is_connected(fixture->vswitch->db) &&
           ovsdb_row_string(row, "ovs_version") &&
           ovsdb_row_integer(row, "cur_cfg", -1) == ovsdb_row_integer(row, "next_cfg", -2);
}

static struct fixture *create(unsigned int n_workers)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    json_t *schema = json_loads(builtin_schema, 0, NULL);
    struct error error = ERROR_INIT;

    strcpy(fixture->directory, "/tmp/reconfigureXXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    rundir_set(fixture->directory);
    fixture->socket_path = rundir_db_socket();
    fixture->loop = ev_loop_new(EVFLAG_AUTO);
    fixture->server = server_create(fixture->loop);

    char *file = rundir_file("conf.db");
    struct store *store = store_open(file, schema, &error);
    assert_non_null(store);
    server_add_store_take(fixture->server, store);
    server_add_server_database(fixture->server);
    assert_int_equal(server_listen(fixture->server, fixture->socket_path, &error), 0);
    free(file);
    json_decref(schema);

    fixture->n_workers = n_workers;
    start_switch(fixture);
    run_until(fixture, is_applied);
    return fixture;
}

static int setup(void **state)
{
    *state = create(0);
    return 0;
}

static int setup_with_worker(void **state)
{
    *state = create(1);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[64];

    if (fixture->vswitch)
        vswitch_destroy(fixture->vswitch);
    server_destroy(fixture->server);
    ev_loop_destroy(fixture->loop);
    snprintf(command, sizeof command, "rm -rf %s", fixture->directory);
    assert_int_equal(system(command), 0);
    free(fixture->socket_path);
    free(fixture);
    return 0;
}

/* --- Changes, as ovs-vsctl would make them -------------------------------------------------- */

struct change {
    struct ovsdb_txn *txn;
    json_t *ports; /* Of the bridge being made. */
};

static json_t *named(const char *kind, const char *name)
{
    char text[64];

    snprintf(text, sizeof text, "%s_%s", kind, name);
    for (char *c = text; *c; c++)
        if (strchr("./-", *c))
            *c = '_';
    return json_string(text);
}

static json_t *reference(const char *kind, const char *name)
{
    json_t *text = named(kind, name);
    json_t *json = ovsdb_json_named_uuid(json_string_value(text));

    json_decref(text);
    return json;
}

static void insert(struct change *change, const char *table, const char *name, json_t *row)
{
    json_t *uuid_name = named(table, name);

    json_object_set_new(row, "name", json_string(name));
    ovsdb_txn_insert_take(change->txn, table, json_string_value(uuid_name), row);
    json_decref(uuid_name);
}

static void add_port(struct change *change, const char *name, json_t *interface)
{
    insert(change, "Interface", name, interface);
    insert(change, "Port", name, json_pack("{s:o}", "interfaces", reference("Interface", name)));
    json_array_append_new(change->ports, reference("Port", name));
}

static json_t *patch_to(const char *peer)
{
    json_t *options = ovsdb_json_map();

    ovsdb_json_map_add_string(options, "peer", peer);
    return json_pack("{s:s, s:o}", "type", "patch", "options", options);
}

static void begin(struct fixture *fixture, struct change *change)
{
    change->txn = ovsdb_txn_create(fixture->vswitch->db);
    change->ports = json_array();
}

/* Makes a bridge of all ports added since begin(). */
static void add_bridge(struct fixture *fixture, struct change *change, const char *name)
{
    insert(change, "Bridge", name,
           json_pack("{s:o, s:s}", "ports", ovsdb_json_set_take(change->ports), "fail_mode",
                     "secure"));
    ovsdb_txn_mutate_take(change->txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)), "bridges",
                          "insert",
                          ovsdb_json_set_take(json_pack("[o]", reference("Bridge", name))));
    change->ports = json_array();
}

static void on_committed(enum ovsdb_txn_status status, const char *message,
                         const json_t *results UNUSED, void *aux)
{
    if (status != OVSDB_TXN_SUCCESS)
        fail_msg("%s", message);
    *(bool *)aux = true;
}

/* Commits with next_cfg + 1, and waits until it has been applied. */
static void apply(struct fixture *fixture, struct change *change)
{
    bool is_committed = false;

    json_decref(change->ports);
    ovsdb_txn_mutate_take(change->txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)), "next_cfg",
                          "+=", json_integer(1));
    ovsdb_txn_commit_take(change->txn, on_committed, &is_committed);
    while (!is_committed)
        ev_run(fixture->loop, EVRUN_ONCE);
    run_until(fixture, is_applied);
}

static const struct ovsdb_row *row_named(struct fixture *fixture, const char *table,
                                         const char *name)
{
    const struct ovsdb_row *row;

    OVSDB_FOR_EACH_ROW(row, fixture->vswitch->db, table)
    if (!strcmp(ovsdb_row_string(row, "name"), name))
        return row;
    fail_msg("%s %s: no such row", table, name);
    return NULL;
}

static int64_t ofport(struct fixture *fixture, const char *name)
{
    return ovsdb_row_integer(row_named(fixture, "Interface", name), "ofport", 0);
}

static const char *error_of(struct fixture *fixture, const char *name)
{
    const char *error = ovsdb_row_string(row_named(fixture, "Interface", name), "error");

    return error ? error : "";
}

static void make_two_bridges(struct fixture *fixture)
{
    struct change change;

    begin(fixture, &change);
    add_port(&change, "p0", patch_to("p1"));
    add_bridge(fixture, &change, "br0");
    add_port(&change, "p1", patch_to("p0"));
    add_bridge(fixture, &change, "br1");
    apply(fixture, &change);
}

/* --- Sentences ------------------------------------------------------------------------------ */

static void patch_ports_that_name_each_other_are_linked(void **state)
{
    struct fixture *fixture = *state;

    make_two_bridges(fixture);

    assert_int_equal(ofport(fixture, "p0"), 1);
    assert_int_equal(ofport(fixture, "p1"), 1);
    assert_string_equal(error_of(fixture, "p0"), "");
    const struct bridge_view *br0 = topology_bridge(topology_get(), "br0");
    const struct bridge_view *br1 = topology_bridge(topology_get(), "br1");
    assert_ptr_equal(bridge_view_port(br0, 1)->patch_peer, bridge_view_port(br1, 1));
    assert_ptr_equal(bridge_view_port(br1, 1)->patch_peer, bridge_view_port(br0, 1));
}

static void port_that_cannot_be_opened_stops_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct change change;

    begin(fixture, &change);
    add_port(&change, "nosuch", json_object());
    add_port(&change, "odd", json_pack("{s:s}", "type", "vxlan"));
    add_port(&change, "p0", patch_to("p1"));
    add_bridge(fixture, &change, "br0");
    apply(fixture, &change);

    assert_int_equal(ofport(fixture, "nosuch"), -1);
    assert_string_equal(error_of(fixture, "nosuch"),
                        "could not open network device nosuch (No such device)");
    assert_int_equal(ofport(fixture, "odd"), -1);
    assert_string_equal(error_of(fixture, "odd"), "odd: type vxlan is not supported");
    assert_true(ofport(fixture, "p0") > 0);
    assert_string_equal(error_of(fixture, "p0"),
                        "No usable peer 'p1' exists in 'system' datapath.");
}

static void numbers_survive_a_restart_of_the_switch(void **state)
{
    struct fixture *fixture = *state;
    struct change change;
    int64_t before;

    begin(fixture, &change);
    add_port(&change, "first", patch_to("x"));
    json_t *wish = patch_to("y");
    json_object_set_new(wish, "ofport_request", json_integer(40));
    add_port(&change, "second", wish);
    add_bridge(fixture, &change, "br0");
    apply(fixture, &change);
    before = ofport(fixture, "first");
    assert_int_equal(ofport(fixture, "second"), 40);

    begin(fixture, &change);
    ovsdb_txn_update_take(change.txn, "Interface",
                          ovsdb_row_uuid(row_named(fixture, "Interface", "second")),
                          json_pack("{s:o}", "ofport_request", ovsdb_json_empty_set()));
    apply(fixture, &change);
    vswitch_destroy(fixture->vswitch);
    start_switch(fixture);
    run_until(fixture, is_applied);

    assert_int_equal(ofport(fixture, "first"), before);
    assert_int_equal(ofport(fixture, "second"), 40);
}

static void datapath_id_is_the_local_address_and_stays(void **state)
{
    struct fixture *fixture = *state;
    char before[17];

    make_two_bridges(fixture);
    strcpy(before, ovsdb_row_string(row_named(fixture, "Bridge", "br0"), "datapath_id"));
    assert_int_equal(strlen(before), 16);
    vswitch_destroy(fixture->vswitch);
    start_switch(fixture);
    run_until(fixture, is_applied);

    assert_string_equal(ovsdb_row_string(row_named(fixture, "Bridge", "br0"), "datapath_id"),
                        before);
}

static void bridge_that_nobody_wants_goes_with_its_socket(void **state)
{
    struct fixture *fixture = *state;
    struct change change;
    char *socket_path = rundir_bridge_socket("br1");

    make_two_bridges(fixture);
    assert_int_equal(access(socket_path, F_OK), 0);
    begin(fixture, &change);
    ovsdb_txn_mutate_take(change.txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)), "bridges",
                          "delete",
                          ovsdb_json_uuid(ovsdb_row_uuid(row_named(fixture, "Bridge", "br1"))));
    apply(fixture, &change);

    assert_null(vswitch_bridge(fixture->vswitch, "br1"));
    assert_null(topology_bridge(topology_get(), "br1"));
    assert_int_equal(access(socket_path, F_OK), -1);
    assert_string_equal(error_of(fixture, "p0"),
                        "No usable peer 'p1' exists in 'system' datapath.");
    free(socket_path);
}

static void bridge_with_a_name_that_is_none_is_refused_in_its_rows(void **state)
{
    struct fixture *fixture = *state;
    struct change change;

    begin(fixture, &change);
    add_port(&change, "p0", patch_to("p1"));
    add_bridge(fixture, &change, "../evil");
    apply(fixture, &change);

    assert_int_equal(ofport(fixture, "p0"), -1);
    assert_non_null(strstr(error_of(fixture, "p0"), "'/'"));
    assert_null(vswitch_bridge(fixture->vswitch, "../evil"));
}

static void port_with_an_impossible_vlan_mode_closes(void **state)
{
    struct fixture *fixture = *state;
    struct change change;

    make_two_bridges(fixture);
    begin(fixture, &change);
    ovsdb_txn_update_take(change.txn, "Port", ovsdb_row_uuid(row_named(fixture, "Port", "p0")),
                          json_pack("{s:s}", "vlan_mode", "dot1q-tunnel"));
    apply(fixture, &change);

    assert_string_equal(error_of(fixture, "p0"), "p0: vlan_mode dot1q-tunnel is not supported");
    assert_null(bridge_view_port(topology_bridge(topology_get(), "br0"), 1));
}

static void standalone_bridge_is_a_learning_switch(void **state)
{
    struct fixture *fixture = *state;
    struct change change;

    make_two_bridges(fixture);
    const struct bridge *bridge = vswitch_bridge(fixture->vswitch, "br0");
    assert_int_equal(flow_tables_n_flows(bridge->tables), 0);
    begin(fixture, &change);
    ovsdb_txn_update_take(change.txn, "Bridge", ovsdb_row_uuid(row_named(fixture, "Bridge", "br0")),
                          json_pack("{s:s}", "fail_mode", "standalone"));
    apply(fixture, &change);

    assert_int_equal(flow_tables_n_flows(bridge->tables), 1);
}

static void standalone_bridge_helps_itself_when_its_controllers_stay_away(void **state)
{
    struct fixture *fixture = *state;
    struct change change;

    make_two_bridges(fixture);
    begin(fixture, &change);
    ovsdb_txn_insert_take(change.txn, "Controller", "c",
                          json_pack("{s:s}", "target", "unix:nobody.listens"));
    ovsdb_txn_update_take(change.txn, "Bridge", ovsdb_row_uuid(row_named(fixture, "Bridge", "br0")),
                          json_pack("{s:s, s:o}", "fail_mode", "standalone", "controller",
                                    ovsdb_json_named_uuid("c")));
    apply(fixture, &change);
    struct bridge *bridge = vswitch_bridge(fixture->vswitch, "br0");
    int64_t now_ns = clock_now_ns();

    bridge_follow_controllers(bridge, now_ns);
    assert_int_equal(flow_tables_n_flows(bridge->tables), 0);
    bridge_follow_controllers(bridge, now_ns + 16 * SECOND_NS);
    assert_int_equal(flow_tables_n_flows(bridge->tables), 1);
}

static void set_other_config(struct fixture *fixture, const char *key, const char *value)
{
    json_t *map = ovsdb_json_map();
    struct change change;

    begin(fixture, &change);
    ovsdb_json_map_add_string(map, key, value);
    ovsdb_txn_update_take(change.txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)),
                          json_pack("{s:o}", "other_config", map));
    apply(fixture, &change);
}

static struct datapath_stats cache_of(struct fixture *fixture)
{
    struct datapath_stats stats;

    datapath_get_stats(fixture->vswitch->datapath, &stats);
    return stats;
}

static void bounds_of_the_cache_follow_the_database(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(cache_of(fixture).max_idle_ns, 10 * SECOND_NS);
    assert_int_equal(cache_of(fixture).max_megaflows, 200000);
    set_other_config(fixture, "max-idle", "30000");
    assert_int_equal(cache_of(fixture).max_idle_ns, 30 * SECOND_NS);
    set_other_config(fixture, "max-idle", "-1");
    assert_int_equal(cache_of(fixture).max_idle_ns, 10 * SECOND_NS);
    set_other_config(fixture, "flow-limit", "1000");
    assert_int_equal(cache_of(fixture).max_megaflows, 1000);
    set_other_config(fixture, "flow-limit", "0");
    assert_int_equal(cache_of(fixture).max_megaflows, 200000);
}

static void switch_with_meters_ends_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    struct of_meter_mod mod;
    struct change change;

    begin(fixture, &change);
    add_bridge(fixture, &change, "br0");
    apply(fixture, &change);
    assert_int_equal(
        of_meter_mod_parse("meter=1,kbps,band=type=drop,rate=1000", OFMC_ADD, &mod, &error), 0);
    struct meter_table *meters = vswitch_bridge(fixture->vswitch, "br0")->meters;
    assert_int_equal(meter_table_put(meters, &mod.meter, NULL, clock_now_ns()), OF_OK);

    vswitch_destroy(fixture->vswitch);
    fixture->vswitch = NULL;
}

static struct interface *local_port(struct fixture *fixture)
{
    return bridge_interface(vswitch_bridge(fixture->vswitch, "br0"), "br0");
}

static bool is_published_as_up(struct fixture *fixture)
{
    (void)fixture;
    return bridge_view_port(topology_bridge(topology_get(), "br0"), OFPP_LOCAL)->is_up;
}

static bool is_marked(struct fixture *fixture)
{
    return local_port(fixture)->is_to_be_looked_at;
}

static bool is_at_rest(struct fixture *fixture)
{
    return !is_marked(fixture) && !ev_is_active(&fixture->vswitch->devices_change);
}

/* The look at some ports each second may come between the news of a change and the look that they lead to. */
static void port_that_comes_up_is_published_whoever_has_looked_at_it(void **state)
{
    struct fixture *fixture = *state;
    struct change change;

    begin(fixture, &change);
    add_bridge(fixture, &change, "br0");
    apply(fixture, &change);
    if (!interface_is_open(local_port(fixture)))
        skip();
    run_until(fixture, is_at_rest);
    assert_false(is_published_as_up(fixture));

    ev_timer_stop(fixture->loop, &fixture->vswitch->second);
    assert_int_equal(link_set_up("br0", NULL), 0);
    run_until(fixture, is_marked);
    ev_invoke(fixture->loop, &fixture->vswitch->second, EV_TIMER);
    assert_false(is_marked(fixture));

    run_until(fixture, is_published_as_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(patch_ports_that_name_each_other_are_linked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(port_that_cannot_be_opened_stops_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_survive_a_restart_of_the_switch, setup, teardown),
        cmocka_unit_test_setup_teardown(datapath_id_is_the_local_address_and_stays, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bridge_that_nobody_wants_goes_with_its_socket, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bridge_with_a_name_that_is_none_is_refused_in_its_rows,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(port_with_an_impossible_vlan_mode_closes, setup, teardown),
        cmocka_unit_test_setup_teardown(standalone_bridge_is_a_learning_switch, setup, teardown),
        cmocka_unit_test_setup_teardown(
            standalone_bridge_helps_itself_when_its_controllers_stay_away, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_of_the_cache_follow_the_database, setup, teardown),
        cmocka_unit_test_setup_teardown(switch_with_meters_ends_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(port_that_comes_up_is_published_whoever_has_looked_at_it,
                                        setup_with_worker, teardown),
    };
    int result;

    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
        puts("there is no network namespace to be had: local ports are not opened");
    log_set_levels("ANY:console:err", NULL);
    rcu_register_thread();
    result = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_unregister_thread();
    return result;
}
