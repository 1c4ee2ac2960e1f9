/* SPDX-License-Identifier: Apache-2.0 */

/* Messages are encoded as they are added, with numbers that follow each other, so that a refusal
 * tells which line it is about. */

#include "cli/of_change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/of_dialect.h"
#include "lib/openflow/bundles.h"

enum { SEND_BYTES = 256 << 10, MAX_SENTENCES = 10, MAX_LINE_BYTES = 64 << 10 };
enum { BUNDLE_ID = 1, BUNDLE_FLAGS = OFBF_ATOMIC | OFBF_ORDERED };

/* Change I was sent as message first_xid + I. */
struct change {
    const char *what; /* "flow" ... */
    size_t line;
};

struct of_changes {
    struct context *context;
    struct ofconn *connection;
    bool is_bundle;
    const char *file;       /* As sentences name it; NULL: the command line. */
    size_t line;            /* That is being read. */
    uint32_t first_xid;     /* Of change 0. */
    struct change *changes; /* Owned. */
    size_t n, max;
    struct buffer messages, one; /* To send; the one being wrapped. */
    size_t n_refused;
    struct buffer sentence; /* About the first. */
};

static struct of_changes *create(struct context *context, const struct invocation *invocation,
                                 const struct of_dialect *dialect, struct error *error)
{
    struct of_changes *changes = calloc(1, sizeof *changes);

    if (!changes)
        abort();
    changes->context = context;
    changes->connection = ofconn_open_as(context, invocation->args[0], dialect, error);
    if (!changes->connection || ofconn_load_names(changes->connection, error) < 0) {
        of_changes_close(changes);
        return NULL;
    }
    return changes;
}

struct of_changes *of_changes_open(struct context *context, const struct invocation *invocation,
                                   uint32_t possible, struct error *error)
{
    struct of_dialect dialect;

    if (invocation_option(invocation, "--bundle"))
        return of_changes_open_bundle(context, invocation, error);
    if (of_dialect_choose(&context->options, possible, &dialect, error) < 0)
        return NULL;
    return create(context, invocation, &dialect, error);
}

struct of_changes *of_changes_open_bundle(struct context *context,
                                          const struct invocation *invocation, struct error *error)
{
    struct of_changes *changes;
    struct of_dialect dialect;

    if (of_dialect_choose_bundle(&context->options, &dialect, error) < 0)
        return NULL;
    changes = create(context, invocation, &dialect, error);
    if (changes)
        changes->is_bundle = true;
    return changes;
}

void of_changes_close(struct of_changes *changes)
{
    if (!changes)
        return;
    ofconn_close(changes->connection);
    buffer_fini(&changes->messages);
    buffer_fini(&changes->one);
    buffer_fini(&changes->sentence);
    free(changes->changes);
    free(changes);
}

struct ofconn *of_changes_connection(struct of_changes *changes)
{
    return changes->connection;
}

/* --- Files --------------------------------------------------------------------------------- */

static int take_line(char *line, size_t length, of_line_taker *take, void *aux, struct error *error)
{
    if (strlen(line) != length)
        return error_set(error, -EINVAL, "a NUL byte is in the line");
    if (length > MAX_LINE_BYTES)
        return error_set(error, -E2BIG, "the line has %zu characters; no flow needs more than %d",
                         length, MAX_LINE_BYTES);
    line[strcspn(line, "#\r\n")] = '\0';
    char *text = line + strspn(line, " \t");
    return *text ? take(text, aux, error) : 0;
}

static int take_lines(FILE *stream, const char *file, of_line_taker *take, size_t *number,
                      void *aux, struct error *error)
{
    char *line = NULL;
    size_t max_bytes = 0;
    ssize_t length;
    int result = 0;

    while (!result && (length = getline(&line, &max_bytes, stream)) >= 0) {
        ++*number;
        result = take_line(line, (size_t)length, take, aux, error);
        if (result)
            error_prefix(error, "%s, line %zu", shown(file).text, *number);
    }
    free(line);
    if (!result && ferror(stream))
        result = error_set_errno(error, -errno, "%s", shown(file).text);
    return result;
}

int of_read_lines(const char *file, of_line_taker *take, size_t *line_number, void *aux,
                  struct error *error)
{
    bool is_stdin = !strcmp(file, "-");
    FILE *stream = is_stdin ? stdin : fopen(file, "re");

    *line_number = 0;
    if (!stream)
        return error_set_errno(error, -errno, "%s", shown(file).text);
    int result = take_lines(stream, is_stdin ? "standard input" : file, take, line_number, aux,
                            error);
    if (!is_stdin)
        fclose(stream);
    return result;
}

struct reading {
    struct of_changes *changes;
    of_change_line *take;
    void *aux;
};

static int pass_line(char *line, void *aux, struct error *error)
{
    struct reading *reading = aux;

    return reading->take(reading->changes, line, reading->aux, error);
}

int of_changes_read(struct of_changes *changes, const char *file, of_change_line *take, void *aux,
                    struct error *error)
{
    struct reading reading = {.changes = changes, .take = take, .aux = aux};

    changes->file = strcmp(file, "-") ? file : "standard input";
    return of_read_lines(file, pass_line, &changes->line, &reading, error);
}

/* --- Changes ------------------------------------------------------------------------------- */

/* Where to encode it, and as which number. */
static struct buffer *begin(struct of_changes *changes, const char *what, uint32_t *xid)
{
    if (changes->n == changes->max) {
        changes->max = changes->max ? 2 * changes->max : 1024;
        changes->changes = reallocarray(changes->changes, changes->max, sizeof *changes->changes);
        if (!changes->changes)
            abort();
    }
    *xid = ofconn_xid(changes->connection);
    if (!changes->n)
        changes->first_xid = *xid;
    changes->changes[changes->n++] = (struct change){.what = what, .line = changes->line};
    buffer_clear(&changes->one);
    return changes->is_bundle ? &changes->one : &changes->messages;
}

static void end(struct of_changes *changes, uint32_t xid)
{
    struct of_bundle_add add = {
        .bundle_id = BUNDLE_ID,
        .flags = BUNDLE_FLAGS,
        .message = changes->one.data,
        .n_bytes = changes->one.size,
    };

    if (changes->is_bundle)
        of_encode_bundle_add(&add, ofconn_version(changes->connection), xid, &changes->messages);
}

static int refuse_version(const struct of_changes *changes, const char *what, const char *other,
                          struct error *error)
{
    return error_set(error, -EPROTO, "the %s cannot be said in OpenFlow 1.%d (try -O %s)", what,
                     ofconn_version(changes->connection) - OF_1_0, other);
}

int of_changes_add_flow(struct of_changes *changes, const struct of_flow_mod *flow,
                        struct error *error)
{
    const struct of_protocol *protocol = ofconn_protocol(changes->connection);
    uint32_t xid;

    if (!of_flow_mod_fits(flow, protocol))
        return refuse_version(changes, "flow",
                              protocol->version == OF_1_0 ? "OpenFlow13" : "OpenFlow10", error);
    struct buffer *out = begin(changes, "flow", &xid);
    of_encode_flow_mod(flow, protocol, xid, out);
    end(changes, xid);
    return 0;
}

int of_changes_add_group(struct of_changes *changes, const struct of_group_mod *group,
                         struct error *error)
{
    enum of_version version = ofconn_version(changes->connection);
    uint32_t xid;

    if (!of_group_mod_fits(group, version))
        return refuse_version(changes, "group", "OpenFlow15", error);
    struct buffer *out = begin(changes, "group", &xid);
    of_encode_group_mod(group, version, xid, out);
    end(changes, xid);
    return 0;
}

int of_changes_add_frame(struct of_changes *changes, const struct of_packet_out *frame,
                         struct error *error)
{
    enum of_version version = ofconn_version(changes->connection);
    uint32_t xid;

    if (!of_packet_out_fits(frame, version))
        return refuse_version(changes, "frame", "OpenFlow15", error);
    struct buffer *out = begin(changes, "frame", &xid);
    of_encode_packet_out(frame, version, xid, out);
    end(changes, xid);
    return 0;
}

/* --- Sending ------------------------------------------------------------------------------- */

static void on_refusal(uint32_t xid, const struct of_error_info *info, void *aux)
{
    struct of_changes *changes = aux;
    struct buffer *warnings = &changes->context->warnings;
    uint32_t i = xid - changes->first_xid;
    const char *what = i < changes->n ? changes->changes[i].what : "request";

    if (!changes->n_refused++) {
        buffer_printf(&changes->sentence, "the switch refuses the %s: ", what);
        ofconn_describe_refusal(info, &changes->sentence);
    }
    if (!changes->file || i >= changes->n || changes->n_refused > MAX_SENTENCES)
        return;
    buffer_printf(warnings,
                  "weir: %s, line %zu: the switch refuses the %s: ", shown(changes->file).text,
                  changes->changes[i].line, what);
    ofconn_describe_refusal(info, warnings);
    buffer_putc(warnings, '\n');
}

static int report_refusals(struct of_changes *changes, struct error *error)
{
    if (!changes->n_refused)
        return 0;
    if (changes->is_bundle && changes->file)
        return error_set(error, -EPROTO, "nothing was changed");
    if (changes->file)
        return error_set(error, -EPROTO, "%zu of %zu changes were refused", changes->n_refused,
                         changes->n);
    return error_set(error, -EPROTO, "%s", buffer_text(&changes->sentence));
}

/* In pieces, as taking from the front of a long buffer is slow. */
static int send_messages(struct of_changes *changes, struct error *error)
{
    int result = 0;

    for (size_t at = 0; !result && at < changes->messages.size;) {
        size_t rest = changes->messages.size - at;
        size_t n_bytes = rest < SEND_BYTES ? rest : SEND_BYTES;

        buffer_put(ofconn_output(changes->connection), changes->messages.data + at, n_bytes);
        at += n_bytes;
        result = ofconn_send(changes->connection, error);
    }
    return result;
}

static int control_bundle(struct of_changes *changes, enum of_bundle_command command,
                          struct error *error)
{
    struct ofconn *connection = changes->connection;
    uint32_t xid = ofconn_xid(connection);
    struct of_bundle_control control = {
        .bundle_id = BUNDLE_ID,
        .command = (uint16_t)command,
        .flags = BUNDLE_FLAGS,
    };
    struct of_message message;

    of_encode_bundle_control(&control, ofconn_version(connection), xid, ofconn_output(connection));
    return ofconn_receive(connection, xid, OF_BUNDLE_CONTROL, &message, error);
}

/* Refusals of what the bundle holds come first, in part when it is added and in part when the
 * bundle is committed. */
static int commit_bundle(struct of_changes *changes, struct error *error)
{
    struct error ignored = ERROR_INIT;
    int result = control_bundle(changes, OFBC_OPEN, error);

    if (!result)
        result = send_messages(changes, error);
    if (!result)
        result = ofconn_barrier(changes->connection, error);
    if (!result && changes->n_refused)
        control_bundle(changes, OFBC_DISCARD, &ignored);
    else if (!result)
        result = control_bundle(changes, OFBC_COMMIT, error);
    return result;
}

int of_changes_commit(struct of_changes *changes, struct error *error)
{
    struct error sending_error = ERROR_INIT;
    int result;

    ofconn_on_refusal(changes->connection, on_refusal, changes);
    if (changes->is_bundle) {
        result = commit_bundle(changes, &sending_error);
    } else {
        result = send_messages(changes, &sending_error);
        if (!result)
            result = ofconn_barrier(changes->connection, &sending_error);
    }
    ofconn_on_refusal(changes->connection, NULL, NULL);
    if (report_refusals(changes, error))
        return error->code;
    if (result)
        *error = sending_error;
    return result;
}
