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

#include "cli/of_dialect.h"
#include "cli/ofconn_names.h"
#include "lib/clock.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/vendor.h"
#include "lib/rundir.h"
#include "lib/socket_address.h"
#include "lib/stream_blocking.h"
#include "lib/unix_socket.h"

enum { OFP_DEFAULT_TCP_PORT = 6653 };

struct ofconn {
    const struct context *context; /* Borrowed. */
    char *target;                  /* Owned. */
    uint32_t later, wanted;        /* Versions it can be raised to; those that would do. */
    bool is_raised;
    struct stream *stream; /* NULL: not connected. */
    int64_t deadline_ns;
    struct of_protocol protocol;
    uint32_t next_xid;

    struct buffer output, input;
    size_t n_consumed; /* Of 'input': messages already handed out. */
    bool has_hello;    /* Any version is accepted before. */
    bool wants_all;    /* ofconn_receive() gives out whatever comes. */

    uint32_t awaited_xid;
    ofconn_refusal *on_refusal;
    void *refusal_aux;

    struct ofconn_names *names; /* Owned; NULL until they are asked for. */
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

/* What was handed out before is not needed any more. */
static void forget_consumed(struct ofconn *connection)
{
    if (connection->n_consumed > (1 << 20) || connection->n_consumed == connection->input.size) {
        buffer_pull(&connection->input, connection->n_consumed);
        connection->n_consumed = 0;
    }
}

/* The next whole message that has come; 0 bytes: there is none yet. */
static int next_frame(struct ofconn *connection, struct of_message *message, struct error *error)
{
    forget_consumed(connection);
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
    if (connection->on_refusal && message->xid != connection->awaited_xid) {
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
    if (message->kind == OF_ECHO_REQUEST)
        of_encode_echo_reply(message, &connection->output);
    if (connection->wants_all)
        return 1;
    switch (message->kind) {
    case OF_ERROR:
        return connection->has_hello ? refuse(connection, message, error) : 1;
    case OF_ECHO_REQUEST:
    case OF_PACKET_IN:
    case OF_PORT_STATUS:
    case OF_FLOW_REMOVED:
        return 0;
    default:
        return 1;
    }
}

static int receive(struct ofconn *connection, struct of_message *message, struct error *error)
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

    connection->awaited_xid = xid;
    while (!result && !(result = receive(connection, message, error)))
        if (message->xid == xid && message->kind == kind)
            return 0;
    return result;
}

int ofconn_receive_all(struct ofconn *connection, uint32_t xid, enum of_message_kind kind,
                       ofconn_taker *take, void *aux, struct error *error)
{
    struct of_message message;
    int result;

    do {
        result = ofconn_receive(connection, xid, kind, &message, error);
        if (!result)
            result = take(&message, aux, error);
    } while (!result && of_message_has_more(&message));
    return result;
}

int ofconn_receive_any(struct ofconn *connection, struct of_message *message, struct error *error)
{
    connection->wants_all = true;
    int result = receive(connection, message, error);
    connection->wants_all = false;
    return result;
}

int ofconn_receive_bytes(struct ofconn *connection, const uint8_t **data, size_t *n_bytes,
                         struct error *error)
{
    for (;;) {
        forget_consumed(connection);
        *data = connection->input.data + connection->n_consumed;
        int n = of_frame_length(*data, connection->input.size - connection->n_consumed);

        if (!n)
            n = move_bytes(connection, true, error);
        else if (n < 0)
            error_set(error, n, "the switch sent a message of impossible length");
        if (n < 0)
            return n;
        if (n > 0) {
            connection->n_consumed += (size_t)n;
            *n_bytes = (size_t)n;
            return 0;
        }
    }
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

static int shake_hands(struct ofconn *connection, uint32_t ours, struct error *error)
{
    struct of_message message;
    uint32_t theirs;
    int result;

    of_encode_hello(ours, ofconn_xid(connection), &connection->output);
    if ((result = receive(connection, &message, error)) < 0)
        return result;
    if (message.kind != OF_HELLO || of_decode_hello(&message, &theirs))
        return error_set(error, -EPROTO, "what listens there does not speak OpenFlow");
    int version = of_negotiate(ours, theirs);
    if (!version)
        return error_set(error, -EPROTONOSUPPORT,
                         "the bridge does not speak the OpenFlow version asked for (see its column "
                         "protocols, and -O)");
    connection->has_hello = true;
    connection->protocol = (struct of_protocol){
        .version = (enum of_version)version, .uses_nxm = true, .has_table_id = true};
    return 0;
}

/* OpenFlow 1.0 has several ways to say a flow. */
static void agree_on_flows(struct ofconn *connection, const struct of_dialect *dialect)
{
    connection->protocol.uses_nxm = dialect->uses_nxm;
    connection->protocol.has_table_id = dialect->has_table_id;
    of_encode_set_flow_format(dialect->uses_nxm, ofconn_xid(connection), &connection->output);
    of_encode_flow_mod_table_id(dialect->has_table_id, ofconn_xid(connection), &connection->output);
}

struct ofconn *ofconn_open(const struct context *context, const char *target, struct error *error)
{
    return ofconn_open_in(context, target, OF_VERSIONS_KNOWN, error);
}

struct ofconn *ofconn_open_in(const struct context *context, const char *target, uint32_t possible,
                              struct error *error)
{
    struct of_dialect dialect;

    if (of_dialect_choose(&context->options, possible, &dialect, error) < 0)
        return NULL;
    return ofconn_open_as(context, target, &dialect, error);
}

struct ofconn *ofconn_open_as(const struct context *context, const char *target,
                              const struct of_dialect *dialect, struct error *error)
{
    struct ofconn *connection = calloc(1, sizeof *connection);

    if (!connection)
        abort();
    connection->context = context;
    connection->target = strdup(target);
    connection->later = dialect->later;
    connection->deadline_ns = context->deadline_ns;
    connection->next_xid = 1;
    if (connect_to(connection, context, target, error) < 0 ||
        shake_hands(connection, dialect->versions, error) < 0) {
        ofconn_close(connection);
        return NULL;
    }
    if (connection->protocol.version == OF_1_0)
        agree_on_flows(connection, dialect);
    return connection;
}

static void free_parts(struct ofconn *connection)
{
    stream_destroy(connection->stream);
    buffer_fini(&connection->input);
    buffer_fini(&connection->output);
    ofconn_names_destroy(connection->names);
    free(connection->target);
}

void ofconn_close(struct ofconn *connection)
{
    if (connection)
        free_parts(connection);
    free(connection);
}

uint32_t ofconn_later_versions(const struct ofconn *connection)
{
    return connection->later;
}

bool ofconn_is_raised(const struct ofconn *connection)
{
    return connection->is_raised;
}

void ofconn_want(struct ofconn *connection, uint32_t versions)
{
    connection->wanted = versions & connection->later;
}

static struct ofconn *open_raised(const struct ofconn *connection, struct error *error)
{
    struct ofconn *raised = NULL;

    for (int version = OF_1_1; !raised && version <= OF_1_5; version++) {
        struct of_dialect dialect = {.versions = OF_VERSION_BIT(version) & connection->wanted,
                                     .later = connection->later & OF_VERSIONS_FROM(version + 1)};

        if (!dialect.versions)
            continue;
        raised = ofconn_open_as(connection->context, connection->target, &dialect, error);
        if (!raised && error->code != -EPROTONOSUPPORT)
            return NULL;
    }
    return raised;
}

int ofconn_raise(struct ofconn *connection, struct error *error)
{
    struct error ignored = ERROR_INIT;

    if (!connection->wanted)
        return error->code;
    struct ofconn *raised = open_raised(connection, &ignored);
    if (!raised)
        return error_set(error, -EPROTO,
                         "the bridge speaks no version of OpenFlow that can say this (see its "
                         "column protocols)");
    free_parts(connection);
    *connection = *raised;
    connection->is_raised = true;
    free(raised);
    *error = (struct error)ERROR_INIT;
    return ofconn_load_names(connection, error);
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

int ofconn_load_names(struct ofconn *connection, struct error *error)
{
    if (connection->context->options.names == NAMES_NEVER)
        return 0;
    if (!connection->names)
        connection->names = ofconn_names_create(connection);
    return ofconn_names_load(connection->names, error);
}

const struct of_names *ofconn_names(const struct ofconn *connection)
{
    return connection->names ? ofconn_names_get(connection->names) : NULL;
}

const struct of_names *ofconn_print_names(struct ofconn *connection)
{
    enum names_wish wish = connection->context->options.names;

    if (!connection->names || (wish == NAMES_ON_TERMINALS && !isatty(STDOUT_FILENO)))
        return NULL;
    ofconn_names_load_tables(connection->names);
    return ofconn_names(connection);
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
        {OFPBRC_BAD_STAT, "the switch does not know the request"},
        {OFPBRC_BAD_PORT, "there is no such port"},
        {OFPBAC_BAD_OUT_GROUP, "there is no such group"},
        {OFPGMFC_GROUP_EXISTS, "the group exists already"},
        {OFPGMFC_UNKNOWN_GROUP, "there is no such group"},
        {OFPGMFC_UNKNOWN_BUCKET, "the group has no such bucket"},
        {OFPGMFC_BUCKET_EXISTS, "the group has such a bucket already"},
        {OFPGMFC_INVALID_GROUP, "there cannot be such a group"},
        {OFPGMFC_LOOP, "the groups would lead to each other"},
        {OFPGMFC_CHAINED_GROUP, "another group leads to it"},
        {OFPMMFC_METER_EXISTS, "the meter exists already"},
        {OFPMMFC_UNKNOWN_METER, "there is no such meter"},
        {OFPMMFC_INVALID_METER, "there cannot be such a meter"},
        {OFPMMFC_OUT_OF_METERS, "there are as many meters as there can be"},
        {OFPMMFC_OUT_OF_BANDS, "a meter cannot have so many bands"},
        {OFPMMFC_BAD_BAND, "the switch does not know such bands"},
        {OFPMMFC_BAD_RATE, "that is no rate"},
        {OFPMMFC_BAD_BURST, "that is no burst"},
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
