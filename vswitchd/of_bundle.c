/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/of_bundle.h"

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/openflow/bundles.h"
#include "lib/openflow/ports.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/of_connection.h"
#include "vswitchd/of_server_state.h"

enum { OPENING_BYTES = 64 };

struct of_bundle {
    struct cds_list_head node;
    uint32_t bundle_id;
    uint16_t flags;
    bool is_closed;
    int64_t used_ns;
    struct buffer messages; /* One behind the other, as they came. */
    uint8_t
        opening[OPENING_BYTES]; /* The start of the message that opened it: timeouts answer it. */
    size_t opening_bytes;
    struct outgoing **frames; /* While it is being committed: those of its packet_outs, or NULL. */
    size_t n_frames, frames_capacity;
};

/* Life */

static struct of_bundle *find(struct of_connection *connection, uint32_t bundle_id)
{
    struct of_bundle *bundle;

    cds_list_for_each_entry (bundle, &connection->bundles.list, node) {
        if (bundle->bundle_id == bundle_id)
            return bundle;
    }
    return NULL;
}

/* The bundle is the caller's from now on. */
static void detach(struct of_connection *connection, struct of_bundle *bundle)
{
    struct of_bundles *bundles = &connection->bundles;

    connection->server->bundle_bytes -= bundle->messages.size;
    cds_list_del(&bundle->node);
    if (!--bundles->n)
        ev_timer_stop(connection->server->loop, &bundles->idle);
}

static void destroy(struct of_bundle *bundle)
{
    free(bundle->frames);
    buffer_fini(&bundle->messages);
    free(bundle);
}

static void discard(struct of_connection *connection, struct of_bundle *bundle)
{
    detach(connection, bundle);
    destroy(bundle);
}

static void wait_until(struct of_connection *connection, int64_t end_ns)
{
    struct ev_timer *timer = &connection->bundles.idle;
    int64_t wait_ns = end_ns - clock_now_ns();

    ev_timer_stop(connection->server->loop, timer);
    ev_timer_set(timer, wait_ns > 0 ? (double)wait_ns / SECOND_NS : 0., 0.);
    ev_timer_start(connection->server->loop, timer);
}

static void on_idle(struct ev_loop *loop UNUSED, struct ev_timer *watcher, int events UNUSED)
{
    struct of_connection *connection = CONTAINER_OF(watcher, struct of_connection, bundles.idle);
    int64_t now_ns = clock_now_ns(), next_ns = INT64_MAX;
    struct of_bundle *bundle, *following;

    cds_list_for_each_entry_safe (bundle, following, &connection->bundles.list, node) {
        int64_t end_ns = bundle->used_ns + connection->server->bundle_idle_ns;
        if (end_ns > now_ns) {
            next_ns = end_ns < next_ns ? end_ns : next_ns;
            continue;
        }
        of_connection_send_error(connection, OFPBFC_TIMEOUT, bundle->opening,
                                 bundle->opening_bytes);
        discard(connection, bundle);
    }
    if (connection->bundles.n)
        wait_until(connection, next_ns);
}

void of_bundles_init(struct of_connection *connection)
{
    CDS_INIT_LIST_HEAD(&connection->bundles.list);
    ev_timer_init(&connection->bundles.idle, on_idle, 0., 0.);
}

void of_bundles_fini(struct of_connection *connection)
{
    struct of_bundle *bundle, *following;

    cds_list_for_each_entry_safe (bundle, following, &connection->bundles.list, node)
        discard(connection, bundle);
}

static enum of_error create(struct of_connection *connection, uint32_t bundle_id, uint16_t flags,
                            const struct of_message *message, struct of_bundle **created)
{
    struct of_bundles *bundles = &connection->bundles;
    struct of_bundle *bundle;

    if (bundles->n >= OF_BUNDLES_MAX)
        return OFPBFC_OUT_OF_BUNDLES;
    bundle = calloc(1, sizeof *bundle);
    if (!bundle)
        abort();
    bundle->bundle_id = bundle_id;
    bundle->flags = flags;
    bundle->used_ns = clock_now_ns();
    bundle->opening_bytes = message->n_bytes < OPENING_BYTES ? message->n_bytes : OPENING_BYTES;
    memcpy(bundle->opening, message->whole, bundle->opening_bytes);
    cds_list_add_tail(&bundle->node, &bundles->list);
    if (!bundles->n++)
        wait_until(connection, bundle->used_ns + connection->server->bundle_idle_ns);
    *created = bundle;
    return OF_OK;
}

/* Committing */

/* By the flows before it, whatever stands behind. */
static enum of_error prepare_frame(struct of_connection *connection, struct of_bundle *bundle,
                                   const struct of_message *message)
{
    if (bundle->n_frames == OF_BUNDLE_MAX_FRAMES)
        return OFPBFC_MSG_TOO_MANY;
    if (bundle->n_frames == bundle->frames_capacity) {
        bundle->frames_capacity = bundle->frames_capacity ? 2 * bundle->frames_capacity : 4;
        bundle->frames = reallocarray(bundle->frames, bundle->frames_capacity,
                                      sizeof bundle->frames[0]);
        if (!bundle->frames)
            abort();
    }
    return of_server_prepare_packet_out(connection, message, &bundle->frames[bundle->n_frames++]);
}

/* Prepares what can be taken back, and checks the rest. */
static enum of_error prepare(struct of_connection *connection, struct of_bundle *bundle,
                             const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_port_mod mod;
    enum of_error error;

    switch (message->kind) {
    case OF_FLOW_MOD:
        return of_server_flow_mod(connection, message);
    case OF_GROUP_MOD:
        return of_server_group_mod(connection, message);
    case OF_PACKET_OUT:
        return prepare_frame(connection, bundle, message);
    case OF_PORT_MOD:
        if (bundle->flags & OFBF_ATOMIC)
            return OFPBFC_MSG_FAILED;
        error = of_decode_port_mod(message, &mod);
        return error ? error : server->ops->check_port_mod(server->aux, &mod);
    default:
        return OF_OK;
    }
}

static void discard_frames(const struct of_server *server, const struct of_bundle *bundle)
{
    for (size_t i = 0; i < bundle->n_frames; i++) {
        if (bundle->frames[i])
            server->ops->discard_packet_out(server->aux, bundle->frames[i]);
    }
}

/* The message at 'at', which was whole and good when it came; 'at' goes behind it. */
static struct of_message take_message(const struct of_bundle *bundle, size_t *at)
{
    const uint8_t *bytes = bundle->messages.data + *at;
    int n = of_frame_length(bytes, bundle->messages.size - *at);
    struct of_message message;

    assert(n > 0);
    enum of_error error = of_decode_message(bytes, (size_t)n, &message);
    assert(!error);
    (void)error;
    *at += (size_t)n;
    return message;
}

/* Behind the publication: ports change, and frames go, in their order. */
static void finish(struct of_connection *connection, const struct of_bundle *bundle)
{
    const struct of_server *server = connection->server;
    size_t n_frames = 0;

    for (size_t at = 0; at < bundle->messages.size;) {
        struct of_message message = take_message(bundle, &at);

        if (message.kind == OF_PORT_MOD) {
            of_server_port_mod(connection, &message);
        } else if (message.kind == OF_PACKET_OUT) {
            struct outgoing *outgoing = bundle->frames[n_frames++];
            if (outgoing)
                server->ops->send_packet_out(server->aux, outgoing);
        }
    }
}

static enum of_error commit(struct of_connection *connection, struct of_bundle *bundle)
{
    struct of_server *server = connection->server;

    of_server_publish(server); /* What came before is not the bundle's to take back. */
    for (size_t at = 0; at < bundle->messages.size;) {
        struct of_message message = take_message(bundle, &at);
        enum of_error error = prepare(connection, bundle, &message);

        if (error) {
            discard_frames(server, bundle);
            flow_tables_revert(server->tables);
            of_connection_send_error(connection, error, message.whole, message.n_bytes);
            return OFPBFC_MSG_FAILED;
        }
    }
    of_server_publish(server);
    finish(connection, bundle);
    return OF_OK;
}

/* Messages */

static enum of_error open_bundle(struct of_connection *connection, struct of_bundle *bundle,
                                 const struct of_bundle_control *control,
                                 const struct of_message *message)
{
    if (bundle) {
        discard(connection, bundle);
        return OFPBFC_BAD_ID;
    }
    return create(connection, control->bundle_id, control->flags, message, &bundle);
}

static enum of_error close_bundle(struct of_connection *connection, struct of_bundle *bundle,
                                  const struct of_bundle_control *control)
{
    enum of_error error = OF_OK;

    if (bundle->is_closed)
        error = OFPBFC_BUNDLE_CLOSED;
    else if (bundle->flags != control->flags)
        error = OFPBFC_BAD_FLAGS;
    if (error)
        discard(connection, bundle);
    else
        bundle->is_closed = true;
    return error;
}

static enum of_error commit_bundle(struct of_connection *connection, struct of_bundle *bundle,
                                   const struct of_bundle_control *control)
{
    enum of_error error = OFPBFC_BAD_FLAGS;

    detach(connection, bundle); /* What a commit tells may close the connection. */
    if (bundle->flags == control->flags)
        error = commit(connection, bundle);
    destroy(bundle);
    return error;
}

enum of_error of_bundle_handle_control(struct of_connection *connection,
                                       const struct of_message *message)
{
    struct of_bundle_control control;
    enum of_error error = of_decode_bundle_control(message, &control);

    if (error)
        return error;
    struct of_bundle *bundle = find(connection, control.bundle_id);
    if (bundle)
        bundle->used_ns = clock_now_ns();
    if (control.command == OFBC_OPEN)
        error = open_bundle(connection, bundle, &control, message);
    else if (!bundle)
        error = OFPBFC_BAD_ID;
    else if (control.command == OFBC_CLOSE)
        error = close_bundle(connection, bundle, &control);
    else if (control.command == OFBC_COMMIT)
        error = commit_bundle(connection, bundle, &control);
    else if (control.command == OFBC_DISCARD)
        discard(connection, bundle);
    else
        error = OFPBFC_BAD_TYPE; /* Only we send replies. */
    if (error)
        return error;
    const struct of_bundle_control reply = {.bundle_id = control.bundle_id,
                                            .command = (uint16_t)(control.command + 1)};
    of_encode_bundle_control(&reply, message->version, message->xid, &connection->output);
    return OF_OK;
}

static enum of_error keep(struct of_connection *connection, struct of_bundle *bundle,
                          const struct of_bundle_add *add)
{
    struct of_server *server = connection->server;

    if (server->bundle_bytes + add->n_bytes > OF_BUNDLES_MAX_BYTES)
        return OFPBFC_MSG_TOO_MANY;
    buffer_put(&bundle->messages, add->message, add->n_bytes);
    server->bundle_bytes += add->n_bytes;
    return OF_OK;
}

enum of_error of_bundle_handle_add(struct of_connection *connection,
                                   const struct of_message *message)
{
    struct of_bundle_add add;
    struct of_message inner;
    enum of_error error = of_decode_bundle_add(message, &add);

    if (!error)
        error = of_decode_message(add.message, add.n_bytes, &inner);
    if (!error)
        error = of_server_check_bundled(connection, &inner);
    if (error)
        return error;
    struct of_bundle *bundle = find(connection, add.bundle_id);
    if (!bundle)
        error = create(connection, add.bundle_id, add.flags, message, &bundle);
    else if (bundle->is_closed)
        error = OFPBFC_BUNDLE_CLOSED;
    else if (bundle->flags != add.flags)
        error = OFPBFC_BAD_FLAGS;
    if (error) {
        if (bundle)
            discard(connection, bundle);
        return error;
    }
    bundle->used_ns = connection->heard_ns;
    return keep(connection, bundle, &add);
}
