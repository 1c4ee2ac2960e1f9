/* SPDX-License-Identifier: Apache-2.0 */

/* Flows, frames, and who hears of them. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/continuation.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/flow_monitor.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/frame_text.h"
#include "lib/openflow/message_text_internal.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/text.h"

/* --- Changes to flow tables ---------------------------------------------------------------- */

static enum of_error print_flow_mod(struct message_printer *printer)
{
    const struct of_protocol protocol = {.version = printer->message->version,
                                         .uses_nxm = printer->message->form == OF_FORM_NX,
                                         .has_table_id = true};
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    enum of_error error = of_decode_flow_mod(printer->message, &protocol, OF_N_TABLES, &flow);
    if (!error) {
        buffer_putc(printer->out, ' ');
        of_flow_mod_format(&flow, printer->names, printer->out);
    }
    of_flow_mod_fini(&flow);
    return error;
}

static void put_cookie(const char *name, be64 cookie, struct buffer *out)
{
    uint64_t value = be64_host(cookie);

    if (value)
        buffer_printf(out, "%s0x%" PRIx64, name, value);
    else
        buffer_printf(out, "%s0", name);
}

static const char *removed_reason(unsigned reason, char *number, size_t n_bytes)
{
    static const char *const names[] = {
        [OFRR_IDLE_TIMEOUT] = "idle",
        [OFRR_HARD_TIMEOUT] = "hard",
        [OFRR_DELETE] = "delete",
        [OFRR_GROUP_DELETE] = "group_delete",
        [OFRR_METER_DELETE] = "meter_delete",
        [OFRR_EVICTION] = "eviction",
    };

    if (reason < ARRAY_SIZE(names))
        return names[reason];
    snprintf(number, n_bytes, "%u", reason);
    return number;
}

static enum of_error print_flow_removed(struct message_printer *printer)
{
    struct buffer *out = printer->out;
    struct of_flow_removed removed;
    enum of_error error = of_decode_flow_removed(printer->message, &removed);
    char number[4];

    if (error)
        return error;
    buffer_putc(out, ' ');
    of_match_format_priority(&removed.match, removed.priority, printer->names, out);
    buffer_printf(out, " reason=%s", removed_reason(removed.reason, number, sizeof number));
    if (removed.table_id != OF_TABLE_ALL) {
        buffer_puts(out, " table_id=");
        of_table_format(removed.table_id, printer->names, out);
    }
    if (removed.cookie.raw)
        put_cookie(" cookie:", removed.cookie, out);
    buffer_puts(out, " duration");
    text_format_duration(removed.duration_s, removed.duration_ns, out);
    buffer_printf(out, " idle%u", removed.idle_timeout_s);
    if (removed.hard_timeout_s)
        buffer_printf(out, " hard%u", removed.hard_timeout_s);
    buffer_printf(out, " pkts%" PRIu64 " bytes%" PRIu64, removed.n_packets, removed.n_bytes);
    return OF_OK;
}

/* --- Flows as they are --------------------------------------------------------------------- */

/* Behind a blank; nothing if it matches everything. */
static void put_match(const struct match *match, const struct of_names *names, struct buffer *out)
{
    size_t start = out->size;

    buffer_putc(out, ' ');
    of_match_format(match, names, out);
    if (out->size == start + 1)
        out->size = start;
}

static enum of_error print_flows_request(struct message_printer *printer)
{
    struct buffer *out = printer->out;
    struct of_flow_stats_request request;
    enum of_error error = of_decode_flow_stats_request(printer->message, &request);

    if (error)
        return error;
    if (request.table_id != OF_TABLE_ALL) {
        buffer_puts(out, " table=");
        of_table_format(request.table_id, printer->names, out);
    }
    if (request.out_port != OFPP_NONE) {
        buffer_puts(out, " out_port=");
        of_port_format(request.out_port, printer->names, out);
    }
    put_match(&request.match, printer->names, out);
    return OF_OK;
}

static enum of_error print_flows(struct message_printer *printer)
{
    struct buffer actions = BUFFER_INIT;
    struct of_flow_stats stats;
    struct of_items items;

    of_items_init(&items, printer->message);
    buffer_putc(printer->out, '\n');
    while (of_next_flow_stats(&items, &actions, &stats)) {
        of_flow_stats_format(&stats, printer->names, printer->out);
        buffer_putc(printer->out, '\n');
    }
    buffer_fini(&actions);
    return message_print_end(&items);
}

static enum of_error print_aggregate(struct message_printer *printer)
{
    struct of_aggregate aggregate;
    enum of_error error = of_decode_aggregate(printer->message, &aggregate);

    if (!error)
        buffer_printf(printer->out,
                      " packet_count=%" PRIu64 " byte_count=%" PRIu64 " flow_count=%u",
                      aggregate.n_packets, aggregate.n_bytes, aggregate.n_flows);
    return error;
}

/* --- Frames -------------------------------------------------------------------------------- */

static void put_userdata(const uint8_t *bytes, size_t n_bytes, struct buffer *out)
{
    if (!n_bytes)
        return;
    buffer_puts(out, " userdata=");
    for (size_t i = 0; i < n_bytes; i++)
        buffer_printf(out, "%s%02x", i ? "." : "", bytes[i]);
    buffer_putc(out, '\n');
}

static void put_packet_in(const struct of_packet_in *packet, enum of_version version,
                          const struct of_names *names, struct buffer *out)
{
    static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
                                          "action_set", "group",  "packet_out"};

    if (packet->table_id) {
        buffer_puts(out, " table_id=");
        of_table_format(packet->table_id, names, out);
    }
    if (packet->cookie.raw != UINT64_MAX)
        buffer_printf(out, " cookie=0x%" PRIx64, be64_host(packet->cookie));
    buffer_printf(out, " total_len=%u ", packet->total_bytes);
    of_match_format(&packet->match, names, out);
    buffer_printf(out, " (via %s) data_len=%zu (unbuffered)",
                  packet->reason < ARRAY_SIZE(reasons) ? reasons[packet->reason] : "?",
                  packet->frame_bytes);
    if (packet->total_bytes < packet->frame_bytes)
        buffer_puts(out, " (***total_len < data_len***)");
    else if (packet->total_bytes > packet->frame_bytes)
        buffer_puts(out, " (***total_len != data_len***)");
    buffer_putc(out, '\n');
    put_userdata(packet->userdata, packet->userdata_bytes, out);
    if (packet->continuation_bytes)
        of_continuation_format(packet->continuation, packet->continuation_bytes, version, names,
                               out);
    of_frame_format(packet->frame, packet->frame_bytes, out);
}

static enum of_error print_packet_in(struct message_printer *printer)
{
    struct of_packet_in packet;
    enum of_error error = printer->message->kind == OF_RESUME
                              ? of_decode_resume(printer->message, &packet)
                              : of_decode_packet_in(printer->message, &packet);

    if (!error)
        put_packet_in(&packet, printer->message->version, printer->names, printer->out);
    return error;
}

static enum of_error print_packet_out(struct message_printer *printer)
{
    struct buffer *out = printer->out;
    struct of_packet_out packet;
    enum of_error error = of_decode_packet_out(printer->message, OF_N_TABLES, &packet);

    if (!error) {
        struct match metadata = packet.metadata;

        metadata.flow.key.in_port = be32_from(packet.in_port);
        metadata.mask.key.in_port = be32_from(UINT32_MAX);
        buffer_putc(out, ' ');
        of_match_format(&metadata, printer->names, out);
        buffer_puts(out, " actions=");
        of_actions_format(of_packet_out_actions(&packet), printer->names, out);
        buffer_printf(out, " data_len=%zu\n", packet.frame_bytes);
        if (packet.frame_bytes)
            of_frame_format(packet.frame, packet.frame_bytes, out);
    }
    of_packet_out_fini(&packet);
    return error;
}

/* --- Monitors ------------------------------------------------------------------------------ */

static void put_monitor_flags(unsigned flags, struct buffer *out)
{
    static const char *const names[] = {"initial", "add",     "delete",
                                        "modify",  "actions", "own"}; /* By bit. */
    const char *separator = "";

    buffer_puts(out, " flags=");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!(flags & 1U << i))
            continue;
        buffer_printf(out, "%s%s", separator, names[i]);
        separator = ",";
    }
    if (!flags)
        buffer_putc(out, '0');
}

static void put_monitor(const struct of_monitor_request *request, const struct of_names *names,
                        struct buffer *out)
{
    buffer_printf(out, "\n id=%u", request->monitor_id);
    if (request->command == OFFMC_DELETE) {
        buffer_puts(out, " command=delete");
        return;
    }
    put_monitor_flags(request->flags, out);
    if (request->out_port != OFPP_NONE) {
        buffer_puts(out, " out_port=");
        of_port_format(request->out_port, names, out);
    }
    if (request->out_group != (uint32_t)OF_GROUP_ANY)
        buffer_printf(out, " out_group=%u", request->out_group);
    if (request->table_id != OF_TABLE_ALL) {
        buffer_puts(out, " table=");
        of_table_format(request->table_id, names, out);
    }
    put_match(&request->match, names, out);
}

static enum of_error print_monitor_request(struct message_printer *printer)
{
    enum { changes = OFMON_INITIAL | OFMON_ADD | OFMON_REMOVED | OFMON_MODIFY };
    struct of_monitor_request request;
    struct of_items items;

    of_items_init(&items, printer->message);
    while (of_next_monitor_request(&items, &request)) {
        if (request.command != OFFMC_DELETE && !(request.flags & changes))
            return OFPMOFC_BAD_FLAGS;
        put_monitor(&request, printer->names, printer->out);
    }
    return message_print_end(&items);
}

static void put_update(const struct of_flow_update *update, const struct of_names *names,
                       struct buffer *out)
{
    static const char *const events[] = {"INITIAL", "ADDED",  "DELETED", "MODIFIED",
                                         "ABBREV",  "PAUSED", "RESUMED"};
    char number[4];

    buffer_printf(out, "\n event=%s", events[update->event]);
    if (update->event == OF_UPDATE_ABBREVIATED) {
        buffer_printf(out, " xid=0x%x", update->xid);
        return;
    }
    if (update->event > OF_UPDATE_ABBREVIATED)
        return;
    if (update->event == OF_UPDATE_REMOVED)
        buffer_printf(out, " reason=%s", removed_reason(update->reason, number, sizeof number));
    buffer_puts(out, " table=");
    of_table_format(update->table_id, names, out);
    if (update->idle_timeout_s)
        buffer_printf(out, " idle_timeout=%u", update->idle_timeout_s);
    if (update->hard_timeout_s)
        buffer_printf(out, " hard_timeout=%u", update->hard_timeout_s);
    put_cookie(" cookie=", update->cookie, out);
    size_t start = out->size;
    buffer_putc(out, ' ');
    of_match_format(&update->match, names, out);
    if (!update->actions.n_bytes)
        return;
    if (out->size != start + 1)
        buffer_putc(out, ' ');
    buffer_puts(out, "actions=");
    of_actions_format(update->actions, names, out);
}

static enum of_error print_updates(struct message_printer *printer)
{
    struct buffer actions = BUFFER_INIT;
    struct of_flow_update update;
    struct of_items items;

    of_items_init(&items, printer->message);
    while (of_next_update(&items, &actions, &update))
        put_update(&update, printer->names, printer->out);
    buffer_fini(&actions);
    return message_print_end(&items);
}

static enum of_error print_cancel(struct message_printer *printer)
{
    buffer_printf(printer->out, " id=%u", of_decode_monitor_cancel(printer->message));
    return OF_OK;
}

const struct message_print message_prints_flows[] = {
    {OF_FLOW_MOD, print_flow_mod},
    {OF_FLOW_REMOVED, print_flow_removed},
    {OF_FLOW_STATS_REQUEST, print_flows_request},
    {OF_FLOW_STATS_REPLY, print_flows},
    {OF_AGGREGATE_REQUEST, print_flows_request},
    {OF_AGGREGATE_REPLY, print_aggregate},
    {OF_PACKET_IN, print_packet_in},
    {OF_PACKET_OUT, print_packet_out},
    {OF_RESUME, print_packet_in},
    {OF_MONITOR_REQUEST, print_monitor_request},
    {OF_MONITOR_REPLY, print_updates},
    {OF_MONITOR_CANCEL, print_cancel},
};
const size_t message_n_prints_flows = ARRAY_SIZE(message_prints_flows);
