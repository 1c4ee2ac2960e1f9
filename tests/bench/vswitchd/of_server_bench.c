/* SPDX-License-Identifier: Apache-2.0 */

/* How many flow_mods a second does one connection get into the tables, as messages, and how many flows out?
 *
 * A peer in its own process sends 100,000 flow_mods (IPv4 destination, one output) and a barrier, and
 * waits for the reply; once in NXT_FLOW_MOD form and once in OpenFlow 1.3.  Then the same with a barrier
 * behind each flow_mod, as "ovs-ofctl add-flows" does it, for 10,000 of them.  After each it asks for all
 * flows, twice: first the switch has to fetch what it needs from memory. */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/openflow/flow_mod.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/stats.h"
#include "tests/unit/vswitchd/fake_bridge.h"

enum { READ_BYTES = 64 << 10 };

static void must_send(int fd, const struct buffer *bytes)
{
    for (size_t n_sent = 0; n_sent < bytes->size;) {
        ssize_t n = send(fd, bytes->data + n_sent, bytes->size - n_sent, MSG_NOSIGNAL);
        if (n < 0)
            abort();
        n_sent += (size_t)n;
    }
}

/* Reads until a message of 'kind' that is the last of its sort, over others of that sort and hellos. */
static void wait_for(int fd, enum of_message_kind kind, struct buffer *input)
{
    for (;;) {
        int n = of_frame_length(input->data, input->size);
        if (n > 0) {
            struct of_message message;
            if (of_decode_message(input->data, (size_t)n, &message))
                abort();
            bool is_last = message.kind == kind && !of_message_has_more(&message);
            if (message.kind != kind && message.kind != OF_HELLO)
                abort();
            buffer_pull(input, (size_t)n);
            if (is_last)
                return;
            continue;
        }
        buffer_reserve(input, READ_BYTES);
        ssize_t n_read = recv(fd, input->data + input->size, READ_BYTES, 0);
        if (n_read <= 0)
            abort();
        input->size += (size_t)n_read;
    }
}

static void put_flow(uint32_t i, const struct of_protocol *protocol, struct buffer *out)
{
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    flow.table_id = 0;
    flow.match.mask.key.eth_type = be16_from(UINT16_MAX);
    flow.match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    flow.match.mask.key.nw_dst = be32_from(UINT32_MAX);
    flow.match.flow.key.nw_dst = be32_from(0x0a000000 + i);
    struct ofa_output *output = buffer_put_zeros(&flow.actions, sizeof *output);
    output->ofa = (struct ofa){.type = OFA_OUTPUT, .n_bytes = sizeof *output};
    output->port = 1;
    of_encode_flow_mod(&flow, protocol, i, out);
    of_flow_mod_fini(&flow);
}

static void report(const char *name, uint32_t n_flows, int64_t begin_ns)
{
    double seconds = (double)(clock_now_ns() - begin_ns) / 1e9;

    printf("%s flows=%u per_second=%.0f\n", name, n_flows, n_flows / seconds);
    fflush(stdout);
}

static void dump_all(int fd, const char *name, const struct of_protocol *protocol, uint32_t n_flows,
                     struct buffer *input)
{
    struct of_flow_stats_request request;
    struct buffer out = BUFFER_INIT;
    int64_t begin_ns = clock_now_ns();

    of_flow_stats_request_init(&request);
    of_encode_flow_stats_request(&request, OF_FLOW_STATS_REQUEST, protocol, 0, &out);
    must_send(fd, &out);
    wait_for(fd, OF_FLOW_STATS_REPLY, input);
    report(name, n_flows, begin_ns);
    buffer_fini(&out);
}

static void play_peer(int fd, const char *name, const struct of_protocol *protocol,
                      uint32_t n_flows, uint32_t flows_per_barrier)
{
    struct buffer out = BUFFER_INIT, input = BUFFER_INIT;

    of_encode_hello(OF_VERSION_BIT(protocol->version), 0, &out);
    of_encode_empty(OF_BARRIER_REQUEST, protocol->version, 0, &out);
    must_send(fd, &out);
    wait_for(fd, OF_BARRIER_REPLY, &input);
    int64_t begin_ns = clock_now_ns();
    for (uint32_t i = 0; i < n_flows; i += flows_per_barrier) {
        buffer_clear(&out);
        for (uint32_t j = i; j < i + flows_per_barrier; j++)
            put_flow(j, protocol, &out);
        of_encode_empty(OF_BARRIER_REQUEST, protocol->version, i, &out);
        must_send(fd, &out);
        wait_for(fd, OF_BARRIER_REPLY, &input);
    }
    report(name, n_flows, begin_ns);
    dump_all(fd, "... dumped", protocol, n_flows, &input);
    dump_all(fd, "... dumped_again", protocol, n_flows, &input);
    _exit(0);
}

static void run(const char *name, const struct of_protocol *protocol, uint32_t n_flows,
                uint32_t flows_per_barrier)
{
    struct of_server_stats stats;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        abort();
    pid_t pid = fork();
    if (!pid) {
        close(fds[0]);
        play_peer(fds[1], name, protocol, n_flows, flows_per_barrier);
    }
    close(fds[1]);

    struct fake_bridge *bridge = fake_bridge_create(NULL, 0);
    of_server_adopt_take(bridge->server, fds[0], OF_CONNECTION_MANAGEMENT);
    do {
        urcu_qsbr_quiescent_state();
        ev_run(bridge->loop, EVRUN_ONCE);
        of_server_get_stats(bridge->server, &stats);
    } while (stats.n_connections);
    waitpid(pid, NULL, 0);
    if (flow_tables_n_flows(bridge->tables) != n_flows)
        abort();
    fake_bridge_destroy(bridge);
}

int main(void)
{
    const struct of_protocol nxm = {.version = OF_1_0, .uses_nxm = true};
    const struct of_protocol of13 = {.version = OF_1_3};

    urcu_qsbr_register_thread();
    run("flow_mods_nxm", &nxm, 100000, 100000);
    run("flow_mods_1_3", &of13, 100000, 100000);
    run("flow_mods_1_3_each_with_barrier", &of13, 10000, 1);
    urcu_qsbr_unregister_thread();
    return 0;
}
