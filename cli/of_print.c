/* SPDX-License-Identifier: Apache-2.0 */

/* Messages from a file or the command line, printed; and how all of them are. */

#include "cli/of_print.h"

#include <errno.h>
#include <string.h>

#include "cli/nouns.h"
#include "lib/openflow/message_text.h"
#include "lib/openflow/text.h"
#include "lib/openflow/wire.h"

static const struct of_print_place nowhere = {.time = NULL};

static json_t *message_json(const uint8_t *data, size_t n_bytes, struct buffer *text)
{
    json_t *json = json_object();
    struct of_message message;

    if (!of_decode_message_head(data, n_bytes, &message)) {
        json_object_set_new(json, "name", json_string(of_message_name(&message)));
        json_object_set_new(json, "version", json_integer(data[0]));
        json_object_set_new(json, "xid", json_integer(message.xid));
    }
    json_object_set_new(json, "text", json_string(buffer_text(text)));
    return json;
}

static void put_member(json_t *json, const char *name, const char *value)
{
    if (value)
        json_object_set_new(json, name, json_string(value));
}

static void put_place(const struct of_print_place *place, struct buffer *out)
{
    if (place->from)
        buffer_printf(out, "%s%s%s > %s:\n", place->time ? place->time : "", place->time ? " " : "",
                      place->from, place->to);
    else if (place->time)
        buffer_printf(out, "%s: ", place->time);
}

void of_print_put(const struct context *context, const struct of_print_place *place,
                  const void *data, size_t n_bytes, const struct of_names *names,
                  struct buffer *out)
{
    struct buffer text = BUFFER_INIT;

    of_message_format(data, n_bytes, names, &text);
    if (options_is_json(&context->options)) {
        json_t *json = message_json(data, n_bytes, &text);
        put_member(json, "time", place->time);
        put_member(json, "from", place->from);
        put_member(json, "to", place->to);
        json_print_take(json, &context->options.style, out);
    } else {
        put_place(place, out);
        buffer_put(out, text.data, text.size);
    }
    buffer_fini(&text);
}

int of_print_now(struct context *context, const struct of_print_place *place, const void *data,
                 size_t n_bytes, const struct of_names *names, struct error *error)
{
    struct buffer out = BUFFER_INIT;

    of_print_put(context, place, data, n_bytes, names, &out);
    size_t n_written = fwrite(out.data, 1, out.size, context->out);
    bool failed = n_written != out.size || fflush(context->out);
    buffer_fini(&out);
    return failed ? error_set_errno(error, -errno, "cannot write the output") : 0;
}

/* --- ofp-parse ----------------------------------------------------------------------------- */

int of_print_read(const char *path, struct buffer *bytes, struct error *error)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
    uint8_t chunk[16384];
    size_t n;

    if (!file)
        return error_set_errno(error, -errno, "%s", shown(path).text);
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        buffer_put(bytes, chunk, n);
    int result = ferror(file) ? error_set_errno(error, -errno, "%s", shown(path).text) : 0;
    if (file != stdin)
        fclose(file);
    return result;
}

/* A length that cannot be is the last one that is looked at. */
static int run_parse(struct context *context, struct invocation *invocation, struct error *error)
{
    struct buffer bytes = BUFFER_INIT;
    int result = of_print_read(invocation->args[0], &bytes, error);

    for (size_t at = 0; !result && at < bytes.size;) {
        const uint8_t *data = bytes.data + at;
        size_t left = bytes.size - at;
        int n = of_frame_length(data, left);

        if (n <= 0) {
            of_print_put(context, &nowhere, data, left, NULL, &invocation->output);
            result = error_set(error, -EPROTO, "%s: the %zu bytes at %zu are no whole message",
                               shown(invocation->args[0]).text, left, at);
            break;
        }
        of_print_put(context, &nowhere, data, (size_t)n, NULL, &invocation->output);
        at += (size_t)n;
    }
    buffer_fini(&bytes);
    return result;
}

/* --- ofp-print ----------------------------------------------------------------------------- */

static int parse_hex(const char *text, struct buffer *bytes, struct error *error)
{
    for (const char *p = text; *p; p += 2) {
        if (text_hex_digit(p[0]) < 0 || text_hex_digit(p[1]) < 0)
            return error_set(error, -EINVAL,
                             "ofp-print: %s is not an even number of hexadecimal digits",
                             shown(text).text);
        uint8_t byte = (uint8_t)(text_hex_digit(p[0]) << 4 | text_hex_digit(p[1]));
        buffer_put(bytes, &byte, 1);
    }
    return 0;
}

static int check_print(const struct invocation *invocation, struct error *error)
{
    struct buffer bytes = BUFFER_INIT;
    int result = 0;

    for (size_t i = 0; !result && i < invocation->n_args; i++)
        result = parse_hex(invocation->args[i], &bytes, error);
    buffer_fini(&bytes);
    return result;
}

static int run_print(struct context *context, struct invocation *invocation, struct error *error)
{
    struct buffer bytes = BUFFER_INIT;

    for (size_t i = 0; i < invocation->n_args; i++) {
        buffer_clear(&bytes);
        if (parse_hex(invocation->args[i], &bytes, error) == 0)
            of_print_put(context, &nowhere, bytes.data, bytes.size, NULL, &invocation->output);
    }
    buffer_fini(&bytes);
    return 0;
}

static const struct command rows[] = {
    {.name = "ofp-parse",
     .arguments = "FILE",
     .summary = "Print the OpenFlow messages in a file (-: standard input)",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_parse},
    {.name = "ofp-print",
     .arguments = "MESSAGE...",
     .summary = "Print OpenFlow messages given in hexadecimal digits",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = -1,
     .check = check_print,
     .run = run_print},
};

const struct command_rows of_print_commands = {rows, ARRAY_SIZE(rows)};
