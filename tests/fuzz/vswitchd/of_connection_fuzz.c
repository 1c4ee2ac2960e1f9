/* SPDX-License-Identifier: Apache-2.0 */

/* A peer of the OpenFlow server that greets as it should and then says anything.
 *
 * The first byte of the input chooses version and sort of connection, the next says into how many pieces
 * the rest is cut on its way.  Lengths are left as they are in half of the inputs; in the others each
 * message's length field is set to fit what is left, so that the fuzzer reaches the handlers sooner. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/openflow/messages.h"
#include "tests/unit/vswitchd/fake_bridge.h"
#include "vswitchd/flow_mod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int __lsan_is_turned_off(void);

/* Rules are freed by liburcu's thread, which a check between two inputs takes for a leak. */
int __lsan_is_turned_off(void)
{
    return 1;
}

static struct fake_bridge *bridge;

int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
    log_set_levels("console:off", NULL);
    urcu_qsbr_register_thread();
    bridge = fake_bridge_create(NULL, 0);
    flow_tables_set_max_flows(bridge->tables, 1000);
    return 0;
}

/* Runs the server, and throws away what it says. */
static void run_rounds(int fd)
{
    uint8_t reply[65536];

    for (int quiet = 0; quiet < 3; quiet++) {
        urcu_qsbr_quiescent_state();
        ev_run(bridge->loop, EVRUN_NOWAIT);
        while (recv(fd, reply, sizeof reply, MSG_DONTWAIT) > 0)
            quiet = 0;
    }
}

static void say(int fd, const uint8_t *bytes, size_t n_bytes)
{
    while (n_bytes) {
        ssize_t n = send(fd, bytes, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return;
        if (n > 0) {
            bytes += n;
            n_bytes -= (size_t)n;
        }
        run_rounds(fd);
    }
}

static void greet(int fd, enum of_version version)
{
    struct buffer out = BUFFER_INIT;

    of_encode_hello(OF_VERSION_BIT(version), 1, &out);
    say(fd, out.data, out.size);
    buffer_fini(&out);
}

/* Gives each message of 'bytes' the version agreed on, and a length that lets it end. */
static void mend(uint8_t *bytes, size_t n_bytes, enum of_version version)
{
    for (size_t i = 0; n_bytes - i >= sizeof(struct of_header);) {
        size_t length = be16_host(be16_load(bytes + i + 2));
        size_t left = n_bytes - i < UINT16_MAX ? n_bytes - i : UINT16_MAX;

        bytes[i] = (uint8_t)version;
        if (length < sizeof(struct of_header) || length > left)
            be16_store(bytes + i + 2, (uint16_t)left);
        i += be16_host(be16_load(bytes + i + 2));
    }
}

/* The next input finds empty tables. */
static void delete_all_flows(void)
{
    const struct of_flow_mod flow = {
        .command = OFFC_DELETE,
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };

    flow_mod_apply(bridge->tables, &flow, 0);
    flow_tables_publish(bridge->tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    enum { IS_1_3 = 1, IS_CONTROLLER = 2, IS_MENDED = 4, LATER_SHIFT = 3 };
    int fds[2];

    if (n_bytes < 2)
        return 0;
    uint8_t how = data[0], n_pieces = (uint8_t)(data[1] % 8 + 1);
    /* 1.3 or 1.0, or one of the two that follow. */
    unsigned later = (how >> LATER_SHIFT) % 3u;
    enum of_version version = (enum of_version)((how & IS_1_3 ? OF_1_3 : OF_1_0) + later);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        abort();
    of_server_adopt_take(bridge->server, fds[0],
                         how & IS_CONTROLLER ? OF_CONNECTION_CONTROLLER : OF_CONNECTION_MANAGEMENT);
    greet(fds[1], version);

    size_t left = n_bytes - 2, piece = left / n_pieces + 1;
    uint8_t *bytes = malloc(left + 1);
    memcpy(bytes, data + 2, left);
    if (how & IS_MENDED)
        mend(bytes, left, version);
    for (size_t i = 0; i < left; i += piece)
        say(fds[1], bytes + i, left - i < piece ? left - i : piece);
    free(bytes);
    close(fds[1]);
    for (int i = 0; i < 3; i++)
        ev_run(bridge->loop, EVRUN_NOWAIT);
    delete_all_flows();
    return 0;
}
