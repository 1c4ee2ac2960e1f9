/* SPDX-License-Identifier: Apache-2.0 */

/* Open vSwitch's own unmodified tools against the real server.  Skipped where they are missing. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/buffer.h"

static char directory[64];
static pid_t server;

/* Runs a shell command with the server's run directory; its output is kept until the next call. */
static const char *run(int expected_status, const char *format, ...)
{
    static struct buffer output = BUFFER_INIT;
    struct buffer command = BUFFER_INIT;
    va_list args;
    char chunk[4096];
    size_t n;

    buffer_printf(&command, "export OVS_RUNDIR=%s DB=unix:%s/db.sock; (", directory, directory);
    va_start(args, format);
    buffer_vprintf(&command, format, args);
    va_end(args);
    buffer_puts(&command, ") 2>&1");
    buffer_clear(&output);
    FILE *pipe = popen(buffer_text(&command), "r");
    assert_non_null(pipe);
    while ((n = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        buffer_put(&output, chunk, n);
    int status = pclose(pipe);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected_status)
        fail_msg("%s: status %d, not %d: %s", buffer_text(&command), WEXITSTATUS(status),
                 expected_status, buffer_text(&output));
    buffer_fini(&command);
    return buffer_text(&output);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static int start(void **state)
{
    char rundir[96], db[96], ready[128];

    (void)state;
    strcpy(directory, "/tmp/clients_test.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(rundir, sizeof rundir, "--rundir=%s", directory);
    snprintf(db, sizeof db, "%s/conf.db", directory);
    snprintf(ready, sizeof ready, "%s/db.sock", directory);
    server = fork();
    assert_true(server >= 0);
    if (!server) {
        execl(WEIR_BUILD_DIR "/ovsdb-lite/ovsdb-lite", "ovsdb-lite", rundir, "-vconsole:warn", db,
              NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(ready, F_OK); i++)
        usleep(10000);
    assert_int_equal(access(ready, F_OK), 0);
    return 0;
}

static int stop(void **state)
{
    char command[128];
    int status;

    (void)state;
    kill(server, SIGTERM);
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static void vsctl_builds_a_bridge(void **state)
{
    (void)state;
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait init");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait add-br br0 -- set bridge br0 fail_mode=secure "
           "other-config:datapath-id=0000000000000001");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait add-port br0 p1 tag=5 -- set interface p1 "
           "type=internal external_ids:iface-id=vm1 ofport_request=7");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait --may-exist add-port br0 p1");
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB show"), "Port p1\n            tag: 5");
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB list-ports br0"), "p1\n");
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB get interface p1 external_ids:iface-id"), "vm1");
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB --columns=name find port tag=5"), "p1");
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB iface-to-br p1"), "br0");
    assert_has(run(1, "ovs-vsctl -t5 --db=$DB --no-wait add-br br0"), "already exists");
    assert_has(run(1, "ovs-vsctl -t5 --db=$DB --no-wait set port p1 tag=4096"), "range");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait -- --id=@m create mirror name=m0 "
           "-- set bridge br0 mirrors=@m -- --id=@p get port p1 "
           "-- set mirror m0 select_src_port=@p output_port=@p");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait del-port br0 p1");
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB get mirror m0 select_src_port"), "[]");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait --id=@q create queue other-config:max-rate=1000 -- "
           "--id=@s create qos type=linux-htb queues=0=@q -- set port br0 qos=@s");
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB list qos"), "linux-htb");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait set-controller br0 tcp:127.0.0.1:6653");
    run(0, "ovs-vsctl -t5 --db=$DB --no-wait del-br br0");
    assert_string_equal(run(0, "ovs-vsctl -t5 --db=$DB list interface"), "");
    run(0, "ovs-vsctl -t5 --db=$DB emer-reset --no-wait || true");
}

static void vsctl_waits_for_another(void **state)
{
    (void)state;
    assert_has(run(0, "ovs-vsctl -t5 --db=$DB wait-until open_vswitch . cur_cfg=77 && echo met & "
                      "sleep 0.2; ovs-vsctl -t5 --db=$DB --no-wait set open_vswitch . cur_cfg=77; "
                      "wait"),
               "met");
}

static void client_dumps_and_transacts(void **state)
{
    (void)state;
    assert_has(run(0, "ovsdb-client -t5 list-dbs $DB"), "Open_vSwitch");
    assert_has(run(0, "ovsdb-client -t5 get-schema-version $DB"), "8.8.0");
    assert_has(run(0, "ovsdb-client -t5 list-tables $DB"), "Flow_Sample_Collector_Set");
    assert_has(run(0, "ovsdb-client -t5 dump $DB Open_vSwitch Open_vSwitch next_cfg"), "next_cfg");
    assert_has(run(0, "ovsdb-client -t5 transact $DB '[\"Open_vSwitch\",{\"op\":\"insert\","
                      "\"table\":\"QoS\",\"row\":{\"type\":\"x\"}}]'"),
               "\"uuid\"");
    assert_has(run(0, "ovsdb-client -t5 transact $DB '[\"Open_vSwitch\",{\"op\":\"insert\","
                      "\"table\":\"Port\",\"row\":{\"name\":\"p\"}}]'"),
               "[{\"uuid\"");
    assert_has(run(0, "ovsdb-client -t5 query $DB '[\"Open_vSwitch\",{\"op\":\"select\","
                      "\"table\":\"QoS\",\"where\":[[\"type\",\"==\",\"x\"]],"
                      "\"columns\":[\"type\"]}]'"),
               "\"type\":\"x\"");
    assert_has(run(0, "ovsdb-client -t5 lock $DB l & sleep 0.3; kill $!; wait; true"), "locked");
}

static void client_monitors(void **state)
{
    static const char *const forms[] = {"monitor", "monitor-cond", "monitor-cond-since"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *condition = i ? "'[[\"type\",\"==\",\"seen\"]]'" : "";
        const char *text =
            run(0,
                "timeout 5 ovsdb-client --format=csv --no-headings %s $DB %s %s QoS type > "
                "%s/out & sleep 0.3; "
                "ovs-vsctl -t5 --db=$DB --no-wait create qos type=seen; "
                "ovs-vsctl -t5 --db=$DB --no-wait -- --all destroy qos; sleep 0.2; "
                "kill $!; wait; cat %s/out",
                forms[i], "Open_vSwitch", condition, directory, directory);
        assert_has(text, "insert");
        assert_has(text, "seen");
        assert_has(text, "delete");
    }
}

static void appctl_talks_to_it(void **state)
{
    (void)state;
    assert_has(run(0, "ovs-appctl -t ovsdb-server version"), "Weir");
    assert_has(run(0, "ovs-appctl -t ovsdb-server memory/show"), "cells:");
    assert_has(run(0, "ovs-appctl -t ovsdb-server coverage/show"), "txn_committed");
    assert_has(run(0, "ovs-appctl -t ovsdb-server ovsdb-server/list-dbs"), "Open_vSwitch\n");
    run(0, "ovs-appctl -t ovsdb-server ovsdb-server/compact");
    assert_has(run(2, "ovs-appctl -t ovsdb-server nonsense"), "is not a valid command");
}

static void python_idl_sees_every_table(void **state)
{
    (void)state;
    assert_has(run(0, "/usr/bin/python3 -c \"\n"
                      "import ovs.db.idl, ovs.poller, os\n"
                      "h = ovs.db.idl.SchemaHelper('/usr/share/openvswitch/vswitch.ovsschema')\n"
                      "h.register_all()\n"
                      "i = ovs.db.idl.Idl(os.environ['DB'], h)\n"
                      "for n in range(100):\n"
                      "    i.run()\n"
                      "    if i.has_ever_connected(): break\n"
                      "    p = ovs.poller.Poller(); i.wait(p); p.timer_wait(100); p.block()\n"
                      "print('rows', len(i.tables['Open_vSwitch'].rows))\n\""),
               "rows 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vsctl_builds_a_bridge),      cmocka_unit_test(vsctl_waits_for_another),
        cmocka_unit_test(client_dumps_and_transacts), cmocka_unit_test(client_monitors),
        cmocka_unit_test(appctl_talks_to_it),         cmocka_unit_test(python_idl_sees_every_table),
    };

    if (system("ovs-vsctl --version >/dev/null 2>&1 && ovsdb-client --version >/dev/null 2>&1 && "
               "/usr/bin/python3 -c 'import ovs.db.idl' 2>/dev/null")) {
        printf("skipped: ovs-vsctl, ovsdb-client and python3-openvswitch are not all here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
