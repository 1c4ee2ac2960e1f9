/* SPDX-License-Identifier: Apache-2.0 */

/* Messages are encoded as they are added, with numbers that follow each other, so that a refusal
 * tells which line it is about. */

#include "cli/of_change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/of_dialect.h"
#include "cli/of_fit.h"
#include "cli/of_lines.h"
#include "lib/openflow/bundles.h"

enum { SEND_BYTES = 256 << 10, MAX_SENTENCES = 10 };
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

/* --- From words and files ------------------------------------------------------------------ */

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

/* What was added in another version is to be added again. */
static int start_over(struct of_changes *changes, struct error *error)
{
    buffer_clear(&changes->messages);
    changes->n = 0;
    return ofconn_raise(changes->connection, error);
}

int of_changes_read(struct of_changes *changes, const char *file, of_change_line *take, void *aux,
                    struct error *error)
{
    struct reading reading = {.changes = changes, .take = take, .aux = aux};
    struct of_lines lines = OF_LINES_INIT;

    int result = of_lines_read(&lines, file, error);

    changes->file = of_lines_name(file);
    while (!result && (result = of_lines_take(&lines, pass_line, &changes->line, &reading, error)))
        result = start_over(changes, error);
    of_lines_fini(&lines);
    return result;
}

int of_changes_take(struct of_changes *changes, const char *text, of_change_line *take, void *aux,
                    struct error *error)
{
    int result;

    do {
        char *copy = strdup(text);
        if (!copy)
            abort();
        result = take(changes, copy, aux, error);
        free(copy);
    } while (result && !(result = start_over(changes, error)));
    return result;
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

int of_changes_add_flow(struct of_changes *changes, const struct of_flow_mod *flow,
                        struct error *error)
{
    uint32_t xid;

    if (of_fit_flow(changes->connection, flow, error))
        return error->code;
    struct buffer *out = begin(changes, "flow", &xid);
    of_encode_flow_mod(flow, ofconn_protocol(changes->connection), xid, out);
    end(changes, xid);
    return 0;
}

int of_changes_add_group(struct of_changes *changes, const struct of_group_mod *group,
                         struct error *error)
{
    uint32_t xid;

    if (of_fit_group(changes->connection, group, error))
        return error->code;
    struct buffer *out = begin(changes, "group", &xid);
    of_encode_group_mod(group, ofconn_version(changes->connection), xid, out);
    end(changes, xid);
    return 0;
}

int of_changes_add_frame(struct of_changes *changes, const struct of_packet_out *frame,
                         struct error *error)
{
    uint32_t xid;

    if (of_fit_frame(changes->connection, frame, error))
        return error->code;
    struct buffer *out = begin(changes, "frame", &xid);
    of_encode_packet_out(frame, ofconn_version(changes->connection), xid, out);
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
