/* SPDX-License-Identifier: Apache-2.0 */

/* Every wait is for what is due, reading or writing. */

#include "cli/ofconn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/vendor.h"
#include "lib/rundir.h"
#include "lib/socket_address.h"
#include "lib/stream_blocking.h"
#include "lib/unix_socket.h"

enum { OFP_DEFAULT_TCP_PORT = 6653 };

struct port_name {
    of_port port;
    char name[17];
};

struct ofconn {
    struct stream *stream; /* NULL: not connected. */
    int64_t deadline_ns;
    struct of_protocol protocol;
    uint32_t next_xid;

    struct buffer output, input;
    size_t n_consumed; /* Of 'input': messages already handed out. */
    bool has_hello;    /* Any version is accepted before. */

    ofconn_refusal *on_refusal;
    void *refusal_aux;

    struct port_name *ports; /* Owned. */
    size_t n_ports;
    struct of_names names;
};

/* --- Socket -------------------------------------------------------------------------------- */

static int read_some(struct ofconn *connection, struct error *error)
{
    enum { CHUNK_BYTES = 64 << 10 };

    buffer_reserve(&connection->input, CHUNK_BYTES);
    ssize_t n = stream_read(connection->stream, connection->input.data + connection->input.size,
                            CHUNK_BYTES);
    if (n > 0)
        connection->input.size += (size_t)n;
    if (n > 0 || n == -EAGAIN || n == -EINTR)
        return 0;
    return n ? error_set(error, (int)n, "OpenFlow connection: %s",
                         stream_reason(connection->stream, (int)n))
             : error_set(error, -ECONNRESET, "the switch closed the OpenFlow connection");
}

static int write_some(struct ofconn *connection, struct error *error)
{
    ssize_t n = connection->output.size ? stream_write(connection->stream, connection->output.data,
                                                       connection->output.size)
                                        : 0;

    if (n >= 0)
        buffer_pull(&connection->output, (size_t)n);
    else if (n != -EAGAIN && n != -EINTR)
        return error_set(error, (int)n, "OpenFlow connection: %s",
                         stream_reason(connection->stream, (int)n));
    return 0;
}

static int wait_for(struct ofconn *connection, struct error *error)
{
    short wanted = (short)(POLLIN | (connection->output.size ? POLLOUT : 0));
    int result = stream_wait_until(connection->stream, wanted, connection->deadline_ns, error);

    return result == -ETIMEDOUT ? error_set(error, result, "the switch has not answered in time")
                                : result;
}

/* Writes and reads until there is nothing left to write and 'until_input' more bytes came. */
static int move_bytes(struct ofconn *connection, bool until_input, struct error *error)
{
    size_t had = connection->input.size;

    while (connection->output.size || (until_input && connection->input.size == had)) {
        size_t n_in = connection->input.size, n_out = connection->output.size;
        int result = write_some(connection, error);

        if (!result)
            result = read_some(connection, error);
        if (!result && connection->input.size == n_in && connection->output.size == n_out)
            result = wait_for(connection, error);
        if (result)
            return result;
    }
    return 0;
}

/* --- Messages ------------------------------------------------------------------------------ */

/* The next whole message that has come; 0 bytes: there is none yet. */
static int next_frame(struct ofconn *connection, struct of_message *message, struct error *error)
{
    /* What was handed out before is not needed any more. */
    if (connection->n_consumed > (1 << 20) || connection->n_consumed == connection->input.size) {
        buffer_pull(&connection->input, connection->n_consumed);
        connection->n_consumed = 0;
    }
    const uint8_t *data = connection->input.data + connection->n_consumed;
    int n = of_frame_length(data, connection->input.size - connection->n_consumed);

    if (n < 0)
        return error_set(error, n, "the switch sent a message of impossible length");
    if (!n)
        return 0;
    connection->n_consumed += (size_t)n;
    enum of_error wrong = of_decode_message(data, (size_t)n, message);
    if (wrong)
        return error_set(error, -EPROTO, "the switch sent a message that cannot be read (%s)",
                         of_error_name(wrong));
    return n;
}

/* Refusals of messages that only set up the connection are no concern of people. */
static int refuse(struct ofconn *connection, const struct of_message *message, struct error *error)
{
    struct of_error_info info;

    if (of_decode_error(message->whole, message->n_bytes, &info))
        return error_set(error, -EPROTO, "the switch sent an error that cannot be read");
    if (connection->on_refusal) {
        connection->on_refusal(message->xid, &info, connection->refusal_aux);
        return 0;
    }
    struct buffer text = BUFFER_INIT;
    ofconn_describe_refusal(&info, &text);
    error_set(error, -EPROTO, "the switch refuses: %s", buffer_text(&text));
    buffer_fini(&text);
    return -EPROTO;
}

/* Deals with what is not an answer.  1: 'message' is for the caller. */
static int dispatch(struct ofconn *connection, const struct of_message *message,
                    struct error *error)
{
    switch (message->kind) {
    case OF_ECHO_REQUEST:
        of_encode_echo_reply(message, &connection->output);
        return 0;
    case OF_ERROR:
        return connection->has_hello ? refuse(connection, message, error) : 1;
    case OF_PACKET_IN:
    case OF_PORT_STATUS:
    case OF_FLOW_REMOVED:
        return 0;
    default:
        return 1;
    }
}

static int receive_any(struct ofconn *connection, struct of_message *message, struct error *error)
{
    for (;;) {
        int n = next_frame(connection, message, error);

        if (!n)
            n = move_bytes(connection, true, error);
        else if (n > 0 && (n = dispatch(connection, message, error)) > 0)
            return 0;
        if (n < 0)
            return n;
    }
}

int ofconn_receive(struct ofconn *connection, uint32_t xid, enum of_message_kind kind,
                   struct of_message *message, struct error *error)
{
    int result = ofconn_send(connection, error);

    while (!result && !(result = receive_any(connection, message, error)))
        if (message->xid == xid && message->kind == kind)
            return 0;
    return result;
}

/* Reads answers only as far as they have come, to hear of refusals early. */
int ofconn_send(struct ofconn *connection, struct error *error)
{
    return move_bytes(connection, false, error);
}

int ofconn_barrier(struct ofconn *connection, struct error *error)
{
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;

    of_encode_empty(OF_BARRIER_REQUEST, connection->protocol.version, xid, &connection->output);
    return ofconn_receive(connection, xid, OF_BARRIER_REPLY, &message, error);
}

/* --- Life ---------------------------------------------------------------------------------- */

static int parse_versions(const char *text, uint32_t *versions, struct error *error)
{
    char *copy, *rest, *word;

    *versions = 0;
    if (!text) {
        *versions = OF_VERSION_BIT(OF_1_0);
        return 0;
    }
    copy = rest = strdup(text);
    while ((word = strsep(&rest, ", "))) {
        enum of_version version = of_version_by_name(word);
        if (!version) {
            error_set(error, -EINVAL, "-O %s: versions are OpenFlow10 to OpenFlow15",
                      shown(word).text);
            free(copy);
            return -EINVAL;
        }
        *versions |= OF_VERSION_BIT(version);
    }
    free(copy);
    return 0;
}

static char *find_socket(const char *target, struct error *error)
{
    if (!strncmp(target, "unix:", 5))
        return strdup(target + 5);
    if (strchr(target, '/'))
        return strdup(target);
    char *path = rundir_bridge_socket(target);
    if (!path)
        error_set(error, -EINVAL, "%s cannot be the name of a bridge", shown(target).text);
    return path;
}

static int connect_inet(struct ofconn *connection, const struct context *context,
                        const char *target, struct error *error)
{
    struct socket_address *address = socket_address_parse(target, OFP_DEFAULT_TCP_PORT, error);

    if (!address)
        return error->code;
    connection->stream = stream_connect_until(address, context->tls, connection->deadline_ns,
                                              error);
    socket_address_destroy(address);
    return connection->stream ? 0 : error_prefix(error, "%s", shown(target).text);
}

static int connect_to(struct ofconn *connection, const struct context *context, const char *target,
                      struct error *error)
{
    if (!strncmp(target, "tcp:", 4) || !strncmp(target, "ssl:", 4))
        return connect_inet(connection, context, target, error);
    char *path = find_socket(target, error);
    if (!path)
        return error->code;
    int fd = unix_socket_connect_until(path, connection->deadline_ns, error);
    free(path);
    if (fd == -ENOENT || fd == -ECONNREFUSED)
        return error_set(error, fd,
                         "there is no bridge %s here (weir list-br lists them, weir status says "
                         "whether the switch runs)",
                         shown(target).text);
    if (fd < 0)
        return fd;
    connection->stream = stream_create(fd);
    return 0;
}

static int shake_hands(struct ofconn *connection, const struct context *context,
                       struct error *error)
{
    uint32_t ours, theirs;
    struct of_message message;
    int result = parse_versions(context->options.of_version, &ours, error);

    if (result)
        return result;
    of_encode_hello(ours, ofconn_xid(connection), &connection->output);
    if ((result = receive_any(connection, &message, error)) < 0)
        return result;
    if (message.kind != OF_HELLO || of_decode_hello(&message, &theirs))
        return error_set(error, -EPROTO, "what listens there does not speak OpenFlow");
    int version = of_negotiate(ours, theirs);
    if (!version)
        return error_set(error, -EPROTO,
                         "the bridge does not speak the OpenFlow version asked for (see its column "
                         "protocols, and -O)");
    connection->has_hello = true;
    connection->protocol = (struct of_protocol){
        .version = (enum of_version)version, .uses_nxm = true, .has_table_id = true};
    return 0;
}

struct ofconn *ofconn_open(const struct context *context, const char *target, struct error *error)
{
    struct ofconn *connection = calloc(1, sizeof *connection);

    if (!connection)
        abort();
    connection->deadline_ns = context->deadline_ns;
    connection->next_xid = 1;
    if (connect_to(connection, context, target, error) < 0 ||
        shake_hands(connection, context, error) < 0) {
        ofconn_close(connection);
        return NULL;
    }
    if (connection->protocol.version == OF_1_0) {
        of_encode_set_flow_format(true, ofconn_xid(connection), &connection->output);
        of_encode_flow_mod_table_id(true, ofconn_xid(connection), &connection->output);
    }
    return connection;
}

void ofconn_close(struct ofconn *connection)
{
    if (!connection)
        return;
    stream_destroy(connection->stream);
    buffer_fini(&connection->input);
    buffer_fini(&connection->output);
    free(connection->ports);
    free(connection);
}

const struct of_protocol *ofconn_protocol(const struct ofconn *connection)
{
    return &connection->protocol;
}

enum of_version ofconn_version(const struct ofconn *connection)
{
    return connection->protocol.version;
}

uint32_t ofconn_xid(struct ofconn *connection)
{
    return connection->next_xid++;
}

struct buffer *ofconn_output(struct ofconn *connection)
{
    return &connection->output;
}

void ofconn_on_refusal(struct ofconn *connection, ofconn_refusal *callback, void *aux)
{
    connection->on_refusal = callback;
    connection->refusal_aux = aux;
}

/* --- Names --------------------------------------------------------------------------------- */

static bool find_port(void *aux, const char *name, of_port *port)
{
    const struct ofconn *connection = aux;

    for (size_t i = 0; i < connection->n_ports; i++) {
        if (!strcmp(connection->ports[i].name, name)) {
            *port = connection->ports[i].port;
            return true;
        }
    }
    return false;
}

static const char *port_name(void *aux, of_port port)
{
    const struct ofconn *connection = aux;

    for (size_t i = 0; i < connection->n_ports; i++)
        if (connection->ports[i].port == port)
            return connection->ports[i].name;
    return NULL;
}

static void add_port_name(struct ofconn *connection, const struct of_port_info *info)
{
    connection->ports = reallocarray(connection->ports, connection->n_ports + 1,
                                     sizeof *connection->ports);
    if (!connection->ports)
        abort();
    struct port_name *named = &connection->ports[connection->n_ports++];
    named->port = info->port;
    memcpy(named->name, info->name, sizeof named->name);
}

/* OpenFlow 1.0 to 1.2 tell them with the features, later versions in statistics. */
static int load_from_features(struct ofconn *connection, struct error *error)
{
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;
    struct of_port_info info;

    of_encode_empty(OF_FEATURES_REQUEST, connection->protocol.version, xid, &connection->output);
    int result = ofconn_receive(connection, xid, OF_FEATURES_REPLY, &message, error);
    if (result)
        return result;
    struct wire ports = of_features_ports(&message);
    while (of_decode_port_info(&ports, connection->protocol.version, &info))
        add_port_name(connection, &info);
    return 0;
}

static int load_from_descriptions(struct ofconn *connection, struct error *error)
{
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;
    struct of_port_info info;
    int result;

    of_encode_port_desc_request(OFPP_NONE, connection->protocol.version, xid, &connection->output);
    do {
        result = ofconn_receive(connection, xid, OF_PORT_DESC_REPLY, &message, error);
        if (result)
            return result;
        struct of_items items;
        of_items_init(&items, &message);
        while (of_next_port(&items, &info))
            add_port_name(connection, &info);
    } while (of_message_has_more(&message));
    return 0;
}

int ofconn_load_names(struct ofconn *connection, struct error *error)
{
    int result = connection->protocol.version < OF_1_3 ? load_from_features(connection, error)
                                                       : load_from_descriptions(connection, error);

    if (!result)
        connection->names =
            (struct of_names){.find_port = find_port, .port_name = port_name, .aux = connection};
    return result;
}

const struct of_names *ofconn_names(const struct ofconn *connection)
{
    return &connection->names;
}

const struct of_names *ofconn_print_names(const struct ofconn *connection,
                                          const struct invocation *invocation)
{
    bool wants_names = invocation_option(invocation, "--names") ||
                       (!invocation_option(invocation, "--no-names") && isatty(STDOUT_FILENO));

    return wants_names ? &connection->names : NULL;
}

/* --- Refusals ------------------------------------------------------------------------------ */

void ofconn_describe_refusal(const struct of_error_info *info, struct buffer *out)
{
    static const struct {
        enum of_error error;
        const char *text;
    } known[] = {
        {OFPFMFC_TABLE_FULL, "the table is full"},
        {OFPFMFC_OVERLAP, "it overlaps a flow of the same priority"},
        {OFPFMFC_BAD_TABLE_ID, "there is no such table"},
        {OFPBRC_BAD_TABLE_ID, "there is no such table"},
        {OFPBMC_BAD_PREREQ, "a field needs another one that says which protocol it is of"},
        {OFPBMC_BAD_VALUE, "a value of the match is not possible"},
        {OFPBAC_BAD_TYPE, "the switch does not know the action"},
        {OFPBAC_BAD_OUT_PORT, "there cannot be such an output port"},
        {OFPBAC_MATCH_INCONSISTENT, "an action changes a field that the match does not ensure"},
        {OFPBRC_EPERM, "that is not permitted"},
        {OFPBRC_BAD_TYPE, "the switch does not know the request"},
    };
    const char *name = info->error ? of_error_name(info->error) : NULL;

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (info->error == known[i].error) {
            buffer_printf(out, "%s (%s)", known[i].text, name);
            return;
        }
    }
    if (name)
        buffer_puts(out, name);
    else
        buffer_printf(out, "error type %u, code %u", info->type, info->code);
}
