/* SPDX-License-Identifier: Apache-2.0 */

/* Debian's unmodified ovs-ofctl against the OpenFlow server.
 *
 * The server runs in a child process on a run directory of its own; each test runs commands and reads what
 * they print.  Skipped where ovs-ofctl is not installed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/vswitchd/fake_bridge.h"
#include "lib/log.h"

static char directory[] = "/tmp/of_server_ofctlXXXXXX";
static char output[1 << 20];

/* Runs 'command' in the run directory and returns its exit code; 'output' has what it printed. */
static int run(const char *command)
{
    char line[2048];
    int n = snprintf(line, sizeof line, "cd %s && export OVS_RUNDIR=%s && { %s; } 2>&1", directory,
                     directory, command);

    assert_in_range(n, 1, sizeof line - 1);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t n_read = fread(output, 1, sizeof output - 1, pipe);
    output[n_read] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The same for "ovs-ofctl ARGUMENTS". */
static PRINTF_LIKE(1, 2) int ofctl(const char *arguments, ...)
{
    char command[1024] = "timeout 20 ovs-ofctl ";
    size_t n = strlen(command);
    va_list args;

    va_start(args, arguments);
    vsnprintf(command + n, sizeof command - n, arguments, args);
    va_end(args);
    return run(command);
}

static void expect(const char *text)
{
    if (!strstr(output, text))
        fail_msg("no \"%s\" in:\n%s", text, output);
}

static void expect_no(const char *text)
{
    if (strstr(output, text))
        fail_msg("unexpected \"%s\" in:\n%s", text, output);
}

static void do_or_fail(const char *arguments)
{
    if (ofctl("%s", arguments))
        fail_msg("ovs-ofctl %s:\n%s", arguments, output);
}

static int start_empty(void **state UNUSED)
{
    do_or_fail("del-flows br0");
    return 0;
}

static const char *const version_options[] = {"", "-O OpenFlow13 "};

static void flows_are_added_shown_changed_and_deleted(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(version_options); i++) {
        const char *options = version_options[i];

        assert_int_equal(ofctl("%sadd-flow br0 'table=1,priority=7,cookie=0x5,tcp,"
                               "nw_src=10.0.0.0/8,tp_dst=80,actions=dec_ttl,output:1'",
                               options),
                         0);
        assert_int_equal(
            ofctl("%sadd-flow br0 'in_port=1,idle_timeout=60,actions=NORMAL'", options), 0);
        assert_int_equal(ofctl("%sdump-flows br0", options), 0);
        expect("cookie=0x5");
        expect("table=1");
        expect("priority=7,tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=dec_ttl,output:1");
        expect("idle_timeout=60");
        expect("in_port=1 actions=NORMAL");
        assert_int_equal(ofctl("%smod-flows br0 'in_port=1,actions=LOCAL'", options), 0);
        assert_int_equal(ofctl("%sdump-flows br0 'table=0'", options), 0);
        expect("in_port=1 actions=LOCAL");
        expect_no("tcp");
        assert_int_equal(ofctl("%sdump-flows br0 'cookie=0x5/-1'", options), 0);
        expect("tcp");
        expect_no("in_port=1");
        assert_int_equal(ofctl("%sdump-aggregate br0", options), 0);
        expect("flow_count=2");
        assert_int_equal(ofctl("%sdel-flows br0 'cookie=0x5/-1'", options), 0);
        assert_int_equal(ofctl("%s--strict del-flows br0 'in_port=1'", options), 0);
        assert_int_equal(ofctl("%sdump-flows br0", options), 0);
        expect_no("actions");
    }
}

static void many_flows_come_from_a_file_and_are_listed(void **state UNUSED)
{
    enum { N_FLOWS = 3000 };
    char path[64];

    snprintf(path, sizeof path, "%s/flows", directory);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < N_FLOWS; i++)
        fprintf(file, "priority=%d,ip,nw_dst=10.0.%d.%d,reg5=%d,actions=load:%d->NXM_NX_REG2[],1\n",
                i % 10, i / 256, i % 256, i, i);
    fclose(file);
    do_or_fail("add-flows br0 flows");
    do_or_fail("dump-aggregate br0");
    expect("flow_count=3000");
    do_or_fail("--no-stats dump-flows br0");
    expect("reg5=0xbb7,nw_dst=10.0.11.183 actions=load:0xbb7->NXM_NX_REG2[],output:1");
    do_or_fail("-O OpenFlow13 --no-stats dump-flows br0");
    expect("reg5=0x1,nw_dst=10.0.0.1 actions=load:0x1->NXM_NX_REG2[],output:1");
}

static void mistakes_are_named(void **state UNUSED)
{
    assert_int_not_equal(ofctl("add-flow br0 'table=4,actions=goto_table:2'"), 0);
    do_or_fail("-O OpenFlow13 add-flow br0 'priority=5,in_port=1,actions=1'");
    assert_int_not_equal(
        ofctl("-O OpenFlow13 add-flow br0 'check_overlap,priority=5,ip,actions=2'"), 0);
    expect("OFPFMFC_OVERLAP");
    assert_int_not_equal(ofctl("mod-port br0 99 up"), 0);
}

static void switch_and_ports_are_shown(void **state UNUSED)
{
    do_or_fail("show br0");
    expect("dpid:00000a0b0c0d0e0f");
    expect("n_tables:254, n_buffers:0");
    expect("1(p1): addr:02:00:00:00:00:01");
    expect("LOCAL(br0)");
    expect("OFPT_GET_CONFIG_REPLY");
    expect("frags=normal");
    do_or_fail("-O OpenFlow13 show br0");
    expect("1(p1): addr:02:00:00:00:00:01");
    for (size_t i = 0; i < ARRAY_SIZE(version_options); i++) {
        assert_int_equal(ofctl("%sdump-ports br0", version_options[i]), 0);
        expect("2 ports");
        expect("rx pkts=101, bytes=?");
        assert_int_equal(ofctl("%sdump-ports br0 1", version_options[i]), 0);
        expect("1 ports");
        assert_int_equal(ofctl("%sdump-ports-desc br0", version_options[i]), 0);
        expect("1(p1)");
        assert_int_equal(ofctl("%sdump-desc br0", version_options[i]), 0);
        expect("DP Description: a fake");
        assert_int_equal(ofctl("%sdump-tables br0", version_options[i]), 0);
        expect("lookup=0, matched=0");
        assert_int_equal(ofctl("%squeue-stats br0", version_options[i]), 0);
        expect("0 queues");
        assert_int_equal(ofctl("%sprobe br0", version_options[i]), 0);
        assert_int_equal(ofctl("%sping br0", version_options[i]), 0);
        expect("64 bytes from br0");
    }
}

static void ports_and_fragments_are_configured(void **state UNUSED)
{
    do_or_fail("mod-port br0 1 no-flood");
    do_or_fail("show br0");
    expect("NO_FLOOD");
    do_or_fail("-O OpenFlow13 mod-port br0 p1 no-packet-in");
    do_or_fail("show br0");
    expect("NO_PACKET_IN");
    do_or_fail("mod-port br0 p1 flood");
    do_or_fail("mod-port br0 p1 packet-in");
    do_or_fail("set-frags br0 nx-match");
    do_or_fail("get-frags br0");
    expect("nx-match");
    do_or_fail("set-frags br0 normal");
}

/* The fake bridge hands a packet_out back as packet_in, with a register set. */
static void packets_are_sent_and_watched(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(version_options); i++) {
        char script[1024];
        snprintf(script, sizeof script,
                 "timeout 20 ovs-ofctl %smonitor br0 65534 >monitor.out 2>&1 & monitor=$!; "
                 "for i in $(seq 100); do "
                 "ovs-ofctl %spacket-out br0 'in_port=1,packet="
                 "020000000001020000000002080045000014000000004011000a0a0000010a000002,"
                 "actions=2'; "
                 "grep -q PACKET_IN monitor.out && break; done; "
                 "kill $monitor; cat monitor.out",
                 version_options[i], version_options[i]);
        run(script);
        expect("PACKET_IN");
        expect("in_port=1");
        expect("reg1=0x2a");
    }
}

/* The server's process */

static struct packet_in_queue *queue;

static void no_wake(void *aux UNUSED)
{
}

static struct outgoing *echo_packet_out(void *aux, const struct of_packet_out *packet)
{
    struct fake_bridge *bridge = aux;
    const struct packet_in header = {
        .in_port = packet->in_port,
        .reason = OFPR_ACTION,
        .cookie = be64_from(UINT64_MAX),
        .flow.regs[1] = be32_from(42),
        .total_bytes = (uint32_t)packet->frame_bytes,
        .n_bytes = (uint32_t)packet->frame_bytes,
    };

    packet_in_push(queue, &header, packet->frame);
    of_server_packet_ins(bridge->server, queue);
    return NULL;
}

static void pass_quiescent_state(struct ev_loop *loop UNUSED, struct ev_prepare *watcher UNUSED,
                                 int events UNUSED)
{
    urcu_qsbr_quiescent_state();
}

static void serve(int ready_fd)
{
    char path[64];
    struct ev_prepare prepare;

    urcu_qsbr_register_thread();
    snprintf(path, sizeof path, "%s/br0.mgmt", directory);
    queue = packet_in_queue_create(no_wake, NULL);
    fake_ops.prepare_packet_out = echo_packet_out;
    struct fake_bridge *bridge = fake_bridge_create(path, 0);
    ev_prepare_init(&prepare, pass_quiescent_state);
    ev_prepare_start(bridge->loop, &prepare);
    close(ready_fd);
    ev_run(bridge->loop, 0);
    _exit(0);
}

static pid_t start_server(void)
{
    int fds[2];
    char byte;

    if (!mkdtemp(directory) || pipe(fds) < 0)
        abort();
    pid_t pid = fork();
    if (!pid) {
        close(fds[0]);
        serve(fds[1]);
    }
    close(fds[1]);
    if (read(fds[0], &byte, 1) != 0)
        abort();
    close(fds[0]);
    return pid;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start_empty)
    const struct CMUnitTest tests[] = {
        TEST(flows_are_added_shown_changed_and_deleted),
        TEST(many_flows_come_from_a_file_and_are_listed),
        TEST(mistakes_are_named),
        TEST(switch_and_ports_are_shown),
        TEST(ports_and_fragments_are_configured),
        TEST(packets_are_sent_and_watched),
    };
    enum { SKIPPED = 77 };
    char command[128];

    if (system("command -v ovs-ofctl >/dev/null 2>&1"))
        return SKIPPED;
    log_set_levels("console:off", NULL);
    pid_t pid = start_server();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command) ? 1 : result;
}
