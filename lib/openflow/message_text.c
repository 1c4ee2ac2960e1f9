/* SPDX-License-Identifier: Apache-2.0 */

/* The head of a message, and what sets up a connection.  Flows, ports and tables have files of their
 * own: message_text_*.c. */

#include "lib/openflow/message_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/bundles.h"
#include "lib/openflow/group_text.h"
#include "lib/openflow/message_text_internal.h"
#include "lib/openflow/vendor.h"
#include "lib/openflow/wire.h"

enum { MAX_DEPTH = 16 }; /* Of messages in messages. */

static void put_message(const struct message_printer *outer, const void *data, size_t n_bytes);

/* --- Bytes --------------------------------------------------------------------------------- */

void of_hex_dump(const void *data, size_t n_bytes, struct buffer *out)
{
    const uint8_t *bytes = data;

    for (size_t line = 0; line < n_bytes; line += 16) {
        size_t n = n_bytes - line < 16 ? n_bytes - line : 16;

        buffer_printf(out, "%08zx ", line);
        for (size_t i = 0; i < 16; i++) {
            buffer_putc(out, i == 8 && n >= 8 ? '-' : ' ');
            if (i < n)
                buffer_printf(out, "%02x", bytes[line + i]);
            else
                buffer_puts(out, "  ");
        }
        buffer_puts(out, " |");
        for (size_t i = 0; i < 16; i++) {
            int c = i < n ? bytes[line + i] : ' ';
            buffer_putc(out, c < 0x80 && isprint(c) ? (char)c : '.');
        }
        buffer_puts(out, "|\n");
    }
}

/* --- The connection ------------------------------------------------------------------------ */

static enum of_error print_nothing(struct message_printer *printer UNUSED)
{
    return OF_OK;
}

static enum of_error print_hello(struct message_printer *printer)
{
    uint32_t versions;
    enum of_error error = of_decode_hello(printer->message, &versions);
    const char *separator = "";

    if (error)
        return error;
    buffer_puts(printer->out, "\n version bitmap: ");
    for (unsigned version = 0; version < 32; version++) {
        if (!(versions & OF_VERSION_BIT(version)))
            continue;
        buffer_printf(printer->out, "%s0x%02x", separator, version);
        separator = ", ";
    }
    return OF_OK;
}

static void put_sentence(const uint8_t *text, size_t n_bytes, struct buffer *out)
{
    for (size_t i = 0; i < n_bytes && text[i]; i++) {
        if (text[i] < 0x80 && isprint(text[i]) && text[i] != '"' && text[i] != '\\')
            buffer_putc(out, (char)text[i]);
        else
            buffer_printf(out, "\\%03o", text[i]);
    }
    buffer_putc(out, '\n');
}

static enum of_error print_error(struct message_printer *printer)
{
    const struct of_message *message = printer->message;
    struct of_error_info info;
    enum of_error error = of_decode_error(message->whole, message->n_bytes, &info);

    if (error || !info.error)
        return error ? error : OFPBRC_BAD_LEN;
    buffer_printf(printer->out, " %s\n", of_error_name(info.error));
    if (info.error == OFPHFC_INCOMPATIBLE || info.error == OFPHFC_EPERM)
        put_sentence(info.payload, info.payload_bytes, printer->out);
    else
        message_print_inner(printer, info.payload, info.payload_bytes);
    return OF_OK;
}

static enum of_error print_echo(struct message_printer *printer)
{
    buffer_printf(printer->out, " %zu bytes of payload\n", printer->message->body_bytes);
    if (!printer->depth)
        of_hex_dump(printer->message->body, printer->message->body_bytes, printer->out);
    return OF_OK;
}

/* --- Features and configuration ------------------------------------------------------------ */

void of_capabilities_format(uint32_t bits, struct buffer *out)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {OFPC_FLOW_STATS, "FLOW_STATS"},
        {OFPC_TABLE_STATS, "TABLE_STATS"},
        {OFPC_PORT_STATS, "PORT_STATS"},
        {OFPC_GROUP_STATS, "GROUP_STATS"},
        {OFPC_IP_REASM, "IP_REASM"},
        {OFPC_QUEUE_STATS, "QUEUE_STATS"},
        {OFPC_ARP_MATCH_IP, "ARP_MATCH_IP"},
        {OFPC_BUNDLES, "BUNDLES"},
        {OFPC_FLOW_MONITORING, "FLOW_MONITORING"},
    };
    const char *separator = "";

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!(bits & names[i].bit))
            continue;
        buffer_printf(out, "%s%s", separator, names[i].name);
        separator = " ";
    }
}

void of_features_format(const struct of_features *features, enum of_version version,
                        struct buffer *out)
{
    buffer_printf(out, "dpid:%016" PRIx64 "\nn_tables:%u, n_buffers:%u", features->datapath_id,
                  features->n_tables, features->n_buffers);
    if (features->auxiliary_id)
        buffer_printf(out, ", auxiliary_id:%u", features->auxiliary_id);
    buffer_puts(out, "\ncapabilities: ");
    of_capabilities_format(features->capabilities, out);
    buffer_putc(out, '\n');
    if (version == OF_1_0) {
        buffer_puts(out, "actions:");
        of_action_types_format(features->actions, version, out);
        buffer_putc(out, '\n');
    }
}

static enum of_error print_features(struct message_printer *printer)
{
    enum of_version version = printer->message->version;
    struct of_features features;
    enum of_error error = of_decode_features_reply(printer->message, &features);

    if (error)
        return error;
    buffer_putc(printer->out, ' ');
    of_features_format(&features, version, printer->out);
    if (version <= OF_1_2)
        message_print_port_list(of_features_ports(printer->message), version, printer->out);
    return OF_OK;
}

const char *of_frag_mode_name(enum of_frag_mode mode)
{
    static const char *const names[] = {
        [OF_FRAG_NORMAL] = "normal",
        [OF_FRAG_DROP] = "drop",
        [OF_FRAG_REASSEMBLE] = "reassemble",
        [OF_FRAG_NX_MATCH] = "nx-match",
    };

    return mode < ARRAY_SIZE(names) ? names[mode] : "?";
}

static enum of_error print_config(struct message_printer *printer)
{
    struct of_switch_config config;
    enum of_error error = of_decode_switch_config(printer->message, &config);

    if (!error)
        buffer_printf(
            printer->out, " frags=%s%s miss_send_len=%u", of_frag_mode_name(config.frag_mode),
            config.wants_invalid_ttl ? " invalid_ttl_to_controller" : "", config.miss_send_bytes);
    return error;
}

static enum of_error print_desc(struct message_printer *printer)
{
    struct of_desc_text text;
    enum of_error error = of_decode_desc(printer->message, &text);

    if (!error)
        buffer_printf(printer->out,
                      "\nManufacturer: %s\nHardware: %s\nSoftware: %s\nSerial Num: %s\n"
                      "DP Description: %s\n",
                      text.manufacturer, text.hardware, text.software, text.serial, text.datapath);
    return error;
}

/* --- Roles, and what is told unasked ------------------------------------------------------- */

static const char *role_name(enum of_role role)
{
    static const char *const names[] = {"nochange", "equal", "primary", "secondary"};

    return role < ARRAY_SIZE(names) ? names[role] : "?";
}

static void put_generation(uint64_t generation_id, struct buffer *out)
{
    if (generation_id != UINT64_MAX)
        buffer_printf(out, " generation_id=%" PRIu64, generation_id);
}

static enum of_error print_role(struct message_printer *printer)
{
    struct of_role_request request;
    enum of_error error = of_decode_role(printer->message, &request);

    if (error)
        return error;
    buffer_printf(printer->out, " role=%s", role_name(request.role));
    if (printer->message->form == OF_FORM_STANDARD) /* Of any role, even if it is of no use. */
        put_generation(wire_u64(printer->message->body + 8), printer->out);
    return OF_OK;
}

static const char *const role_reasons[] = {"primary_request", "configuration_changed",
                                           "experimenter_data_changed"};

static enum of_error print_role_status(struct message_printer *printer)
{
    struct of_role_status status;
    enum of_error error = of_decode_role_status(printer->message, &status);

    if (error)
        return error;
    buffer_printf(printer->out, " role=%s", role_name(status.role));
    put_generation(status.generation_id, printer->out);
    buffer_printf(printer->out, " reason=%s",
                  status.reason < ARRAY_SIZE(role_reasons) ? role_reasons[status.reason] : "?");
    return OF_OK;
}

enum { MAX_REASONS = 6 };

/* By bit. */
static const struct {
    const char *title;
    size_t offset; /* Of two masks in struct of_async_config. */
    const char *reasons[MAX_REASONS];
} async_rows[] = {
#define ASYNC(title, member, ...)                        \
    {                                                    \
        title, offsetof(struct of_async_config, member), \
        {                                                \
            __VA_ARGS__                                  \
        }                                                \
    }
    ASYNC("PACKET_IN", packet_in, "no_match", "action", "invalid_ttl", "action_set", "group",
          "packet_out"),
    ASYNC("PORT_STATUS", port_status, "add", "delete", "modify"),
    ASYNC("FLOW_REMOVED", flow_removed, "idle", "hard", "delete", "group_delete", "meter_delete",
          "eviction"),
    ASYNC("ROLE_STATUS", role_status, "primary_request", "configuration_changed",
          "experimenter_data_changed"),
    ASYNC("TABLE_STATUS", table_status, NULL, NULL, NULL, "vacancy_down", "vacancy_up"),
    ASYNC("REQUESTFORWARD", request_forward, "group_mod_request", "meter_mod_request"),
#undef ASYNC
};

static void put_async(const struct of_async_config *config, size_t row, size_t role,
                      struct buffer *out)
{
    uint32_t mask =
        ((const uint32_t *)(const void *)((const char *)config + async_rows[row].offset))[role];

    buffer_printf(out, "%16s:", async_rows[row].title);
    for (size_t bit = 0; bit < MAX_REASONS; bit++) {
        if (mask & 1U << bit && async_rows[row].reasons[bit])
            buffer_printf(out, " %s", async_rows[row].reasons[bit]);
    }
    buffer_puts(out, mask ? "\n" : " (off)\n");
}

static enum of_error print_async(struct message_printer *printer)
{
    struct of_async_config config;

    memset(&config, 0, sizeof config);
    enum of_error error = of_decode_async_config(printer->message, &config);
    if (error)
        return error;
    for (size_t role = 0; role < 2; role++) {
        /* What 1.4 tells apart is one bit before. */
        if (printer->message->version < OF_1_4 && printer->message->form != OF_FORM_NX2)
            config.packet_in[role] &= 7;
        buffer_puts(printer->out, role ? "\n secondary:\n" : "\n primary:\n");
        for (size_t row = 0; row < ARRAY_SIZE(async_rows); row++)
            put_async(&config, row, role, printer->out);
    }
    return OF_OK;
}

/* --- Nicira's messages --------------------------------------------------------------------- */

static enum of_error print_flow_format(struct message_printer *printer)
{
    bool uses_nxm;
    enum of_error error = of_decode_set_flow_format(printer->message, &uses_nxm);

    if (!error)
        buffer_printf(printer->out, " format=%s", uses_nxm ? "nxm" : "openflow10");
    return error;
}

static enum of_error print_table_id(struct message_printer *printer)
{
    bool has_table_id;
    enum of_error error = of_decode_flow_mod_table_id(printer->message, &has_table_id);

    if (!error)
        buffer_puts(printer->out, has_table_id ? " enable" : " disable");
    return error;
}

static enum of_error print_packet_in_format(struct message_printer *printer)
{
    static const char *const names[] = {"standard", "nxt_packet_in", "nxt_packet_in2"};
    enum of_packet_in_format format;
    enum of_error error = of_decode_set_packet_in_format(printer->message, &format);

    if (!error)
        buffer_printf(printer->out, " format=%s", names[format]);
    return error;
}

static enum of_error print_controller_id(struct message_printer *printer)
{
    uint16_t id;
    enum of_error error = of_decode_set_controller_id(printer->message, &id);

    if (!error)
        buffer_printf(printer->out, " id=%u", id);
    return error;
}

/* --- Messages in messages ------------------------------------------------------------------ */

static void put_bundle(uint32_t id, const char *type, unsigned flags, struct buffer *out)
{
    buffer_printf(out, "\n bundle_id=%#x ", id);
    if (type)
        buffer_printf(out, "type=%s ", type);
    buffer_puts(out, "flags=");
    if (flags & OFBF_ATOMIC)
        buffer_puts(out, flags & OFBF_ORDERED ? "atomic ordered" : "atomic");
    else
        buffer_puts(out, flags & OFBF_ORDERED ? "ordered" : "0");
}

static enum of_error print_bundle_control(struct message_printer *printer)
{
    static const char *const types[] = {"OPEN_REQUEST",    "OPEN_REPLY",     "CLOSE_REQUEST",
                                        "CLOSE_REPLY",     "COMMIT_REQUEST", "COMMIT_REPLY",
                                        "DISCARD_REQUEST", "DISCARD_REPLY"};
    struct of_bundle_control control;
    enum of_error error = of_decode_bundle_control(printer->message, &control);

    if (!error && control.command >= ARRAY_SIZE(types))
        error = OFPBFC_BAD_TYPE;
    if (!error)
        put_bundle(control.bundle_id, types[control.command], control.flags, printer->out);
    return error;
}

static enum of_error print_bundle_add(struct message_printer *printer)
{
    struct of_bundle_add add;
    enum of_error error = of_decode_bundle_add(printer->message, &add);

    if (error)
        return error;
    put_bundle(add.bundle_id, NULL, add.flags, printer->out);
    buffer_putc(printer->out, '\n');
    message_print_inner(printer, add.message, add.n_bytes);
    return OF_OK;
}

/* What another controller has asked for. */
static enum of_error print_forward(struct message_printer *printer)
{
    struct of_message inner;
    enum of_error error = of_decode_request_forward(printer->message, &inner);

    if (error)
        return error;
    buffer_printf(printer->out, " reason=%s",
                  inner.kind == OF_GROUP_MOD ? "group_mod" : "meter_mod");
    struct message_printer nested = *printer;
    nested.message = &inner;
    return inner.kind == OF_GROUP_MOD ? message_print_group_mod(&nested)
                                      : message_print_meter_mod(&nested);
}

const struct message_print message_prints_session[] = {
    {OF_HELLO, print_hello},
    {OF_ERROR, print_error},
    {OF_ECHO_REQUEST, print_echo},
    {OF_ECHO_REPLY, print_echo},
    {OF_FEATURES_REQUEST, print_nothing},
    {OF_FEATURES_REPLY, print_features},
    {OF_GET_CONFIG_REQUEST, print_nothing},
    {OF_GET_CONFIG_REPLY, print_config},
    {OF_SET_CONFIG, print_config},
    {OF_BARRIER_REQUEST, print_nothing},
    {OF_BARRIER_REPLY, print_nothing},
    {OF_MONITOR_PAUSED, print_nothing},
    {OF_MONITOR_RESUMED, print_nothing},
    {OF_ROLE_REQUEST, print_role},
    {OF_ROLE_REPLY, print_role},
    {OF_ROLE_STATUS, print_role_status},
    {OF_GET_ASYNC_REQUEST, print_nothing},
    {OF_GET_ASYNC_REPLY, print_async},
    {OF_SET_ASYNC, print_async},
    {OF_REQUEST_FORWARD, print_forward},
    {OF_BUNDLE_CONTROL, print_bundle_control},
    {OF_BUNDLE_ADD_MESSAGE, print_bundle_add},
    {OF_SET_FLOW_FORMAT, print_flow_format},
    {OF_FLOW_MOD_TABLE_ID, print_table_id},
    {OF_SET_PACKET_IN_FORMAT, print_packet_in_format},
    {OF_SET_CONTROLLER_ID, print_controller_id},
    {OF_DESC_REQUEST, print_nothing},
    {OF_DESC_REPLY, print_desc},
};
const size_t message_n_prints_session = ARRAY_SIZE(message_prints_session);

/* --- Any message --------------------------------------------------------------------------- */

static message_print_function *find(const struct message_print *prints, size_t n,
                                    enum of_message_kind kind)
{
    for (size_t i = 0; i < n; i++)
        if (prints[i].kind == kind)
            return prints[i].print;
    return NULL;
}

static message_print_function *find_function(enum of_message_kind kind)
{
    message_print_function *function = find(message_prints_session, message_n_prints_session, kind);

    if (!function)
        function = find(message_prints_flows, message_n_prints_flows, kind);
    if (!function)
        function = find(message_prints_ports, message_n_prints_ports, kind);
    if (!function)
        function = find(message_prints_tables, message_n_prints_tables, kind);
    return function;
}

static void put_head(const struct of_message *message, struct buffer *out)
{
    unsigned version = message->whole[0];

    buffer_puts(out, of_message_name(message));
    if (version > OF_1_0 && version <= OF_1_5)
        buffer_printf(out, " (OF1.%u)", version - OF_1_0);
    else if (version != OF_1_0)
        buffer_printf(out, " (OF 0x%02x)", version);
    buffer_printf(out, " (xid=0x%x):", message->xid);
}

static void put_refused(enum of_error error, const void *data, size_t n_bytes, struct buffer *out)
{
    buffer_printf(out, "***decode error: %s***\n", of_error_name(error));
    of_hex_dump(data, n_bytes, out);
}

static void put_whole(const struct message_printer *outer, const void *data, size_t n_bytes)
{
    struct buffer *out = outer->out;
    struct of_message message;
    enum of_error error = of_decode_message(data, n_bytes, &message);

    if (error) {
        put_refused(error, data, n_bytes, out);
        return;
    }
    put_head(&message, out);
    if (message.stats_flags & 1)
        buffer_puts(out, " flags=[more]");
    struct message_printer printer = *outer;
    printer.message = &message;
    size_t head = out->size;
    message_print_function *print = find_function(message.kind);
    error = print ? print(&printer) : OFPBRC_BAD_TYPE;
    if (error) {
        out->size = head;
        buffer_putc(out, ' ');
        put_refused(error, data, n_bytes, out);
    }
    if (out->data[out->size - 1] != '\n')
        buffer_putc(out, '\n');
}

/* Less than its length says: a request that an error answers is not repeated whole. */
static void put_truncated(const uint8_t *data, size_t n_bytes, size_t length, struct buffer *out)
{
    struct of_message message;

    if (!of_decode_message_head(data, n_bytes, &message)) {
        put_head(&message, out);
        buffer_putc(out, '\n');
    }
    buffer_printf(out, "(***truncated to %zu bytes from %zu***)\n", n_bytes, length);
    of_hex_dump(data, n_bytes, out);
}

static void put_message(const struct message_printer *printer, const void *data, size_t n_bytes)
{
    struct buffer *out = printer->out;

    if (n_bytes < sizeof(struct of_header)) {
        buffer_printf(out, "OpenFlow packet too short (only %zu bytes):\n", n_bytes);
        of_hex_dump(data, n_bytes, out);
        return;
    }
    size_t length = wire_u16((const uint8_t *)data + 2);
    if (length > n_bytes) {
        put_truncated(data, n_bytes, length, out);
    } else if (length < n_bytes || length < sizeof(struct of_header) ||
               printer->depth > MAX_DEPTH) {
        buffer_printf(out, "(***only uses %zu bytes out of %zu***)\n", length, n_bytes);
        of_hex_dump(data, n_bytes, out);
    } else {
        put_whole(printer, data, n_bytes);
    }
}

void message_print_inner(const struct message_printer *printer, const void *data, size_t n_bytes)
{
    struct message_printer inner = *printer;

    inner.depth++;
    put_message(&inner, data, n_bytes);
}

void of_message_format(const void *data, size_t n_bytes, const struct of_names *names,
                       struct buffer *out)
{
    struct message_printer printer = {.names = names, .out = out};

    put_message(&printer, data, n_bytes);
}
