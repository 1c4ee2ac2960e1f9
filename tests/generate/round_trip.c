/* SPDX-License-Identifier: Apache-2.0 */

/* One function for each kind of message: decode, and encode what was understood. */

#include "tests/generate/round_trip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/bundles.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/ct_flush.h"
#include "lib/openflow/flow_monitor.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/message_text.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/meters.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/queues.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"
#include "lib/openflow/tlv_table.h"
#include "lib/openflow/vendor.h"

enum { N_TABLES = 254 };

struct trip {
    const struct of_message *message;
    struct of_protocol protocol;
    struct buffer *out;
};

typedef enum of_error repeat_function(const struct trip *trip);

/* Messages that are one plain struct; what else its encoder is told. */
#define REPEAT_STRUCT(name, type, decode, encode, ...)    \
    static enum of_error name(const struct trip *trip)    \
    {                                                     \
        const struct of_message *message = trip->message; \
        type said;                                        \
        enum of_error error = decode(message, &said);     \
                                                          \
        if (!error)                                       \
            encode(&said, __VA_ARGS__, trip->out);        \
        return error;                                     \
    }

#define REPEAT(name, type, decode, encode) \
    REPEAT_STRUCT(name, type, decode, encode, message->version, message->xid)

/* The kind says which of several messages it is. */
#define REPEAT_KIND(name, type, decode, encode) \
    REPEAT_STRUCT(name, type, decode, encode, message->kind, message->version, message->xid)

/* Nobody has asked for it. */
#define REPEAT_NEWS(name, type, decode, encode) \
    REPEAT_STRUCT(name, type, decode, encode, message->version)

/* Opening and keeping a connection */

static enum of_error repeat_empty(const struct trip *trip)
{
    const struct of_message *message = trip->message;

    of_finish_message(
        of_begin_message(message->kind, message->form, message->version, message->xid, trip->out),
        trip->out);
    return OF_OK;
}

static enum of_error repeat_hello(const struct trip *trip)
{
    uint32_t versions;
    enum of_error error = of_decode_hello(trip->message, &versions);

    if (!error)
        of_encode_hello(versions, trip->message->xid, trip->out);
    return error;
}

static enum of_error repeat_error(const struct trip *trip)
{
    struct of_error_info info;
    enum of_error error = of_decode_error(trip->message->whole, trip->message->n_bytes, &info);

    /* An error answers in the version of what it refuses. */
    if (error || !info.error || info.payload_bytes < sizeof(struct of_header) ||
        info.payload[0] != (uint8_t)trip->message->version)
        return OFPBRC_BAD_LEN;
    of_encode_error(info.error, info.payload, info.payload_bytes, trip->out);
    return OF_OK;
}

static enum of_error repeat_echo(const struct trip *trip)
{
    const struct of_message *message = trip->message;

    if (message->kind == OF_ECHO_REPLY)
        of_encode_echo_reply(message, trip->out);
    else
        of_encode_echo_request(message->version, message->xid, message->body, message->body_bytes,
                               trip->out);
    return OF_OK;
}

static enum of_error repeat_features(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    struct wire wire = of_features_ports(message);
    struct buffer ports = BUFFER_INIT;
    struct of_features features;
    struct of_port_info port;
    size_t n_ports = 0;
    enum of_error error = of_decode_features_reply(message, &features);

    for (; of_decode_port_info(&wire, message->version, &port); n_ports++)
        buffer_put(&ports, &port, sizeof port);
    if (!error)
        of_encode_features_reply(&features, (const void *)ports.data, n_ports, message->version,
                                 message->xid, trip->out);
    buffer_fini(&ports);
    return error;
}

REPEAT_KIND(repeat_config, struct of_switch_config, of_decode_switch_config,
            of_encode_switch_config)

static enum of_error repeat_role(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    struct of_role_request role;
    enum of_error error = of_decode_role(message, &role);

    role.has_generation_id = message->form == OF_FORM_STANDARD; /* Of any role, to be printed. */
    if (!error)
        of_encode_role(&role, message->kind, message->version, message->xid, trip->out);
    return error;
}

REPEAT_NEWS(repeat_role_status, struct of_role_status, of_decode_role_status, of_encode_role_status)

static enum of_error repeat_async(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    struct of_async_config config = {.packet_in = {0}};
    enum of_error error = of_decode_async_config(message, &config);

    if (!error)
        of_encode_async_config(&config, message->kind, message->version, message->xid, trip->out);
    return error;
}

static enum of_error repeat_flow_format(const struct trip *trip)
{
    bool uses_nxm;
    enum of_error error = of_decode_set_flow_format(trip->message, &uses_nxm);

    if (!error)
        of_encode_set_flow_format(uses_nxm, trip->message->xid, trip->out);
    return error;
}

static enum of_error repeat_table_id(const struct trip *trip)
{
    bool has_table_id;
    enum of_error error = of_decode_flow_mod_table_id(trip->message, &has_table_id);

    if (!error)
        of_encode_flow_mod_table_id(has_table_id, trip->message->xid, trip->out);
    return error;
}

static enum of_error repeat_packet_in_format(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    enum of_packet_in_format format;
    enum of_error error = of_decode_set_packet_in_format(message, &format);

    if (!error)
        of_encode_set_packet_in_format(format, message->version, message->xid, trip->out);
    return error;
}

static enum of_error repeat_controller_id(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    uint16_t id;
    enum of_error error = of_decode_set_controller_id(message, &id);

    if (!error)
        of_encode_set_controller_id(id, message->version, message->xid, trip->out);
    return error;
}

REPEAT(repeat_tlv_mod, struct of_tlv_mod, of_decode_tlv_mod, of_encode_tlv_mod)
REPEAT(repeat_tlv_table, struct of_tlv_table, of_decode_tlv_table, of_encode_tlv_table)
REPEAT(repeat_ct_flush, struct of_ct_flush, of_decode_ct_flush, of_encode_ct_flush)

static enum of_error repeat_ct_flush_zone(const struct trip *trip)
{
    uint16_t zone;
    enum of_error error = of_decode_ct_flush_zone(trip->message, &zone);

    if (!error)
        of_encode_ct_flush_zone(zone, trip->message->version, trip->message->xid, trip->out);
    return error;
}

/* Messages in messages */

REPEAT(repeat_bundle_control, struct of_bundle_control, of_decode_bundle_control,
       of_encode_bundle_control)
REPEAT(repeat_bundle_add, struct of_bundle_add, of_decode_bundle_add, of_encode_bundle_add)

static enum of_error repeat_forward(const struct trip *trip)
{
    struct of_message inner;
    enum of_error error = of_decode_request_forward(trip->message, &inner);

    if (!error)
        of_encode_request_forward(inner.whole, inner.n_bytes, trip->message->version, trip->out);
    return error;
}

/* Frames and flows */

static enum of_error repeat_packet_in(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    struct of_packet_in packet;
    enum of_error error = of_decode_packet_in(message, &packet);

    /* Versions before 1.4 are told the reasons of 1.4 in other words. */
    if (!error && packet.reason > OFPR_INVALID_TTL && message->version < OF_1_4)
        return OFPBRC_BAD_TYPE;
    if (!error)
        of_encode_packet_in(&packet, message->version, (enum of_packet_in_format)message->form,
                            trip->out);
    return error;
}

static enum of_error repeat_packet_out(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    struct of_packet_out packet;
    enum of_error error = of_decode_packet_out(message, N_TABLES, &packet);

    if (!error)
        of_encode_packet_out(&packet, message->version, message->xid, trip->out);
    of_packet_out_fini(&packet);
    return error;
}

REPEAT(repeat_resume, struct of_packet_in, of_decode_resume, of_encode_resume)

static enum of_error repeat_flow_mod(const struct trip *trip)
{
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    enum of_error error = of_decode_flow_mod(trip->message, &trip->protocol, N_TABLES, &flow);
    if (!error)
        of_encode_flow_mod(&flow, &trip->protocol, trip->message->xid, trip->out);
    of_flow_mod_fini(&flow);
    return error;
}

static enum of_error repeat_flow_removed(const struct trip *trip)
{
    struct of_flow_removed removed;
    enum of_error error = of_decode_flow_removed(trip->message, &removed);

    /* The same of these. */
    if (!error && removed.reason > OFRR_GROUP_DELETE && trip->message->version < OF_1_4)
        return OFPBRC_BAD_TYPE;
    if (!error)
        of_encode_flow_removed(&removed, &trip->protocol, trip->out);
    return error;
}

/* Changes of ports, tables, groups and meters */

static enum of_error repeat_port_status(const struct trip *trip)
{
    struct of_port_info port;
    uint8_t reason;
    enum of_error error = of_decode_port_status(trip->message, &reason, &port);

    if (!error)
        of_encode_port_status(&port, (enum of_port_reason)reason, trip->message->version,
                              trip->out);
    return error;
}

REPEAT(repeat_port_mod, struct of_port_mod, of_decode_port_mod, of_encode_port_mod)
REPEAT(repeat_table_mod, struct of_table_mod, of_decode_table_mod, of_encode_table_mod)
REPEAT_NEWS(repeat_table_status, struct of_table_status, of_decode_table_status,
            of_encode_table_status)

static enum of_error repeat_group_mod(const struct trip *trip)
{
    struct of_group_mod mod;
    enum of_error error = of_decode_group_mod(trip->message, N_TABLES, &mod);

    if (!error)
        of_encode_group_mod(&mod, trip->message->version, trip->message->xid, trip->out);
    of_group_mod_fini(&mod);
    return error;
}

static enum of_error repeat_meter_mod(const struct trip *trip)
{
    struct of_meter_mod mod;
    enum of_error error = of_decode_meter_mod(trip->message, &mod);

    if (!error)
        of_encode_meter_mod(&mod, trip->message->version, trip->message->xid, trip->out);
    of_meter_mod_fini(&mod);
    return error;
}

static enum of_error repeat_monitor_cancel(const struct trip *trip)
{
    const struct of_message *message = trip->message;

    of_encode_monitor_cancel(of_decode_monitor_cancel(message), message->version, message->xid,
                             trip->out);
    return OF_OK;
}

/* Requests of statistics */

static enum of_error repeat_flow_stats_request(const struct trip *trip)
{
    struct of_flow_stats_request request;
    enum of_error error = of_decode_flow_stats_request(trip->message, &request);

    if (!error)
        of_encode_flow_stats_request(&request, trip->message->kind, &trip->protocol,
                                     trip->message->xid, trip->out);
    return error;
}

static enum of_error repeat_port_stats_request(const struct trip *trip)
{
    of_port port;
    enum of_error error = of_decode_port_stats_request(trip->message, &port);

    if (!error)
        of_encode_port_stats_request(port, trip->message->version, trip->message->xid, trip->out);
    return error;
}

static enum of_error repeat_port_desc_request(const struct trip *trip)
{
    of_port port;
    enum of_error error = of_decode_port_desc_request(trip->message, &port);

    if (!error)
        of_encode_port_desc_request(port, trip->message->version, trip->message->xid, trip->out);
    return error;
}

REPEAT_KIND(repeat_queue_request, struct of_queue_request, of_decode_queue_request,
            of_encode_queue_request)

static enum of_error repeat_group_request(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    uint32_t group_id;
    enum of_error error = of_decode_group_request(message, &group_id);

    if (!error)
        of_encode_group_request(group_id, message->kind, message->version, message->xid, trip->out);
    return error;
}

static enum of_error repeat_meter_request(const struct trip *trip)
{
    const struct of_message *message = trip->message;

    of_encode_meter_request(of_decode_meter_request(message), message->kind, message->version,
                            message->xid, trip->out);
    return OF_OK;
}

/* Several in one message are encoded as one message each. */
static enum of_error repeat_monitor_request(const struct trip *trip)
{
    const struct of_message *message = trip->message;
    struct of_monitor_request request;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_monitor_request(&items, &request))
        of_encode_monitor_request(&request, message->version, message->xid, trip->out);
    return trip->out->size ? items.error : OFPBRC_BAD_LEN;
}

/* Replies.  The functions that add to one take what they need to know from a request. */

static struct of_message request_of(const struct trip *trip)
{
    struct of_message request = *trip->message;

    request.kind = (enum of_message_kind)(request.kind - 1);
    return request;
}

static void begin_reply(const struct trip *trip, struct of_reply *reply)
{
    struct of_message request = request_of(trip);

    of_reply_begin(reply, &request, trip->out);
}

static enum of_error repeat_desc(const struct trip *trip)
{
    struct of_message request = request_of(trip);
    struct of_desc_text text;
    enum of_error error = of_decode_desc(trip->message, &text);

    const struct of_desc desc = {text.manufacturer, text.hardware, text.software, text.serial,
                                 text.datapath};
    if (!error)
        of_encode_desc(&desc, &request, trip->out);
    return error;
}

static enum of_error repeat_aggregate(const struct trip *trip)
{
    struct of_message request = request_of(trip);
    struct of_aggregate aggregate;
    enum of_error error = of_decode_aggregate(trip->message, &aggregate);

    if (!error)
        of_encode_aggregate(&aggregate, &request, trip->out);
    return error;
}

static enum of_error repeat_group_features(const struct trip *trip)
{
    struct of_message request = request_of(trip);
    struct of_group_features features;

    of_decode_group_features(trip->message, &features);
    of_encode_group_features(&features, &request, trip->out);
    return OF_OK;
}

static enum of_error repeat_meter_features(const struct trip *trip)
{
    struct of_message request = request_of(trip);
    struct of_meter_features features;

    of_decode_meter_features(trip->message, &features);
    of_encode_meter_features(&features, &request, trip->out);
    return OF_OK;
}

/* Replies of items that are plain structs. */
#define REPEAT_ITEMS(name, type, next, add)            \
    static enum of_error name(const struct trip *trip) \
    {                                                  \
        struct of_reply reply;                         \
        struct of_items items;                         \
        type item;                                     \
                                                       \
        begin_reply(trip, &reply);                     \
        of_items_init(&items, trip->message);          \
        while (next(&items, &item))                    \
            add(&reply, &item);                        \
        of_reply_end(&reply);                          \
        return items.error;                            \
    }

/* Of items with a part that is kept in a buffer. */
#define REPEAT_LONG_ITEMS(name, type, next, add)       \
    static enum of_error name(const struct trip *trip) \
    {                                                  \
        struct buffer part = BUFFER_INIT;              \
        struct of_reply reply;                         \
        struct of_items items;                         \
        type item;                                     \
                                                       \
        begin_reply(trip, &reply);                     \
        of_items_init(&items, trip->message);          \
        while (next(&items, &part, &item))             \
            add(&reply, &item);                        \
        of_reply_end(&reply);                          \
        buffer_fini(&part);                            \
        return items.error;                            \
    }

/* Of items that own memory. */
#define REPEAT_OWNERS(name, type, next, add, fini)     \
    static enum of_error name(const struct trip *trip) \
    {                                                  \
        struct of_reply reply;                         \
        struct of_items items;                         \
        type item;                                     \
                                                       \
        begin_reply(trip, &reply);                     \
        of_items_init(&items, trip->message);          \
        for (; next(&items, &item); fini(&item))       \
            add(&reply, &item);                        \
        fini(&item);                                   \
        of_reply_end(&reply);                          \
        return items.error;                            \
    }

// clang-format off
REPEAT_ITEMS(repeat_port_stats, struct of_port_stats, of_next_port_stats, of_reply_add_port_stats)
REPEAT_ITEMS(repeat_ports, struct of_port_info, of_next_port, of_reply_add_port)
REPEAT_ITEMS(repeat_tables, struct of_table_stats, of_next_table_stats, of_reply_add_table)
REPEAT_ITEMS(repeat_table_descs, struct of_table_desc, of_next_table_desc, of_reply_add_table_desc)
REPEAT_ITEMS(repeat_queues, struct of_queue_stats, of_next_queue_stats, of_reply_add_queue_stats)
REPEAT_LONG_ITEMS(repeat_flows, struct of_flow_stats, of_next_flow_stats, of_reply_add_flow)
REPEAT_LONG_ITEMS(repeat_updates, struct of_flow_update, of_next_update, of_reply_add_update)
REPEAT_LONG_ITEMS(repeat_group_stats, struct of_group_stats, of_next_group_stats, of_reply_add_group_stats)
REPEAT_LONG_ITEMS(repeat_meter_stats, struct of_meter_stats, of_next_meter_stats, of_reply_add_meter_stats)
REPEAT_OWNERS(repeat_groups, struct of_group, of_next_group, of_reply_add_group, of_group_fini)
REPEAT_OWNERS(repeat_meters, struct of_meter, of_next_meter, of_reply_add_meter, of_meter_fini)
// clang-format on

/* A request has the reply's form. */
static enum of_error repeat_table_features(const struct trip *trip)
{
    struct of_table_features features;
    struct of_reply reply;
    struct of_items items;

    begin_reply(trip, &reply);
    if (trip->message->kind == OF_TABLE_FEATURES_REQUEST) {
        trip->out->size = reply.start;
        reply.kind = OF_TABLE_FEATURES_REQUEST;
        reply.start = of_begin_message(reply.kind, reply.form, reply.version, reply.xid, trip->out);
    }
    of_items_init(&items, trip->message);
    while (of_next_table_features(&items, &features))
        of_reply_add_table_features(&reply, &features);
    of_reply_end(&reply);
    return items.error;
}

static enum of_error repeat_queue_config(const struct trip *trip)
{
    struct of_message request = request_of(trip);
    struct of_queue_config config;
    struct of_reply reply;
    struct of_items items;

    of_items_init_queue_config(&items, trip->message);
    of_reply_begin_queue_config(&reply, &request, items.queue_port, trip->out);
    while (of_next_queue_config(&items, &config))
        of_reply_add_queue_config(&reply, &config);
    of_reply_end(&reply);
    return items.error;
}

static repeat_function *const functions[N_OF_MESSAGE_KINDS] = {
    [OF_HELLO] = repeat_hello,
    [OF_ERROR] = repeat_error,
    [OF_ECHO_REQUEST] = repeat_echo,
    [OF_ECHO_REPLY] = repeat_echo,
    [OF_FEATURES_REQUEST] = repeat_empty,
    [OF_FEATURES_REPLY] = repeat_features,
    [OF_GET_CONFIG_REQUEST] = repeat_empty,
    [OF_GET_CONFIG_REPLY] = repeat_config,
    [OF_SET_CONFIG] = repeat_config,
    [OF_PACKET_IN] = repeat_packet_in,
    [OF_PACKET_OUT] = repeat_packet_out,
    [OF_FLOW_MOD] = repeat_flow_mod,
    [OF_FLOW_REMOVED] = repeat_flow_removed,
    [OF_PORT_STATUS] = repeat_port_status,
    [OF_PORT_MOD] = repeat_port_mod,
    [OF_TABLE_MOD] = repeat_table_mod,
    [OF_BARRIER_REQUEST] = repeat_empty,
    [OF_BARRIER_REPLY] = repeat_empty,
    [OF_QUEUE_CONFIG_REQUEST] = repeat_queue_request,
    [OF_QUEUE_CONFIG_REPLY] = repeat_queue_config,
    [OF_ROLE_REQUEST] = repeat_role,
    [OF_ROLE_REPLY] = repeat_role,
    [OF_GET_ASYNC_REQUEST] = repeat_empty,
    [OF_GET_ASYNC_REPLY] = repeat_async,
    [OF_SET_ASYNC] = repeat_async,
    [OF_ROLE_STATUS] = repeat_role_status,
    [OF_TABLE_STATUS] = repeat_table_status,
    [OF_REQUEST_FORWARD] = repeat_forward,
    [OF_GROUP_MOD] = repeat_group_mod,
    [OF_METER_MOD] = repeat_meter_mod,
    [OF_MONITOR_CANCEL] = repeat_monitor_cancel,
    [OF_MONITOR_PAUSED] = repeat_empty,
    [OF_MONITOR_RESUMED] = repeat_empty,
    [OF_BUNDLE_CONTROL] = repeat_bundle_control,
    [OF_BUNDLE_ADD_MESSAGE] = repeat_bundle_add,
    [OF_SET_FLOW_FORMAT] = repeat_flow_format,
    [OF_FLOW_MOD_TABLE_ID] = repeat_table_id,
    [OF_SET_PACKET_IN_FORMAT] = repeat_packet_in_format,
    [OF_SET_CONTROLLER_ID] = repeat_controller_id,
    [OF_RESUME] = repeat_resume,
    [OF_TLV_TABLE_MOD] = repeat_tlv_mod,
    [OF_TLV_TABLE_REQUEST] = repeat_empty,
    [OF_TLV_TABLE_REPLY] = repeat_tlv_table,
    [OF_CT_FLUSH_ZONE] = repeat_ct_flush_zone,
    [OF_CT_FLUSH] = repeat_ct_flush,
    [OF_DESC_REQUEST] = repeat_empty,
    [OF_DESC_REPLY] = repeat_desc,
    [OF_FLOW_STATS_REQUEST] = repeat_flow_stats_request,
    [OF_FLOW_STATS_REPLY] = repeat_flows,
    [OF_AGGREGATE_REQUEST] = repeat_flow_stats_request,
    [OF_AGGREGATE_REPLY] = repeat_aggregate,
    [OF_TABLE_STATS_REQUEST] = repeat_empty,
    [OF_TABLE_STATS_REPLY] = repeat_tables,
    [OF_PORT_STATS_REQUEST] = repeat_port_stats_request,
    [OF_PORT_STATS_REPLY] = repeat_port_stats,
    [OF_QUEUE_STATS_REQUEST] = repeat_queue_request,
    [OF_QUEUE_STATS_REPLY] = repeat_queues,
    [OF_PORT_DESC_REQUEST] = repeat_port_desc_request,
    [OF_PORT_DESC_REPLY] = repeat_ports,
    [OF_TABLE_FEATURES_REQUEST] = repeat_table_features,
    [OF_TABLE_FEATURES_REPLY] = repeat_table_features,
    [OF_TABLE_DESC_REQUEST] = repeat_empty,
    [OF_TABLE_DESC_REPLY] = repeat_table_descs,
    [OF_GROUP_STATS_REQUEST] = repeat_group_request,
    [OF_GROUP_STATS_REPLY] = repeat_group_stats,
    [OF_GROUP_DESC_REQUEST] = repeat_group_request,
    [OF_GROUP_DESC_REPLY] = repeat_groups,
    [OF_GROUP_FEATURES_REQUEST] = repeat_empty,
    [OF_GROUP_FEATURES_REPLY] = repeat_group_features,
    [OF_METER_STATS_REQUEST] = repeat_meter_request,
    [OF_METER_STATS_REPLY] = repeat_meter_stats,
    [OF_METER_CONFIG_REQUEST] = repeat_meter_request,
    [OF_METER_CONFIG_REPLY] = repeat_meters,
    [OF_METER_FEATURES_REQUEST] = repeat_empty,
    [OF_METER_FEATURES_REPLY] = repeat_meter_features,
    [OF_MONITOR_REQUEST] = repeat_monitor_request,
    [OF_MONITOR_REPLY] = repeat_updates,
    [OF_IPFIX_BRIDGE_REQUEST] = repeat_empty,
    [OF_IPFIX_FLOW_REQUEST] = repeat_empty,
};

static enum of_error repeat(const uint8_t *data, size_t n_bytes, bool has_table_id,
                            struct buffer *out)
{
    struct of_message message;
    enum of_error error = of_decode_message(data, n_bytes, &message);

    if (error)
        return error;
    if (!functions[message.kind]) {
        fprintf(stderr, "%s: no function repeats it\n", of_message_name(&message));
        abort();
    }
    const struct trip trip = {
        .message = &message,
        .protocol =
            {
                .version = message.version,
                .uses_nxm = message.form == OF_FORM_NX,
                .has_table_id = has_table_id,
            },
        .out = out,
    };
    return functions[message.kind](&trip);
}

static void fail(const char *what, const uint8_t *data, size_t n_bytes, const struct buffer *first,
                 const struct buffer *second)
{
    struct buffer text = BUFFER_INIT;

    buffer_printf(&text, "%s\n", what);
    of_message_format(data, n_bytes, NULL, &text);
    of_hex_dump(data, n_bytes, &text);
    buffer_puts(&text, "first encoding:\n");
    of_message_format(first->data, first->size, NULL, &text);
    of_hex_dump(first->data, first->size, &text);
    buffer_puts(&text, "second encoding:\n");
    of_hex_dump(second->data, second->size, &text);
    fputs(buffer_text(&text), stderr);
    abort();
}

/* What follows the head, which tells form, xid and whether other messages are to follow. */
static char *meaning(const uint8_t *data, size_t n_bytes)
{
    static const char more[] = " flags=[more]";
    struct buffer text = BUFFER_INIT;

    of_message_format(data, n_bytes, NULL, &text);
    buffer_pull(&text, strcspn(buffer_text(&text), ":") + 1);
    if (!strncmp(buffer_text(&text), more, strlen(more)))
        buffer_pull(&text, strlen(more));
    return buffer_take_text(&text);
}

/* What is printed of a message may differ where versions say the same in two ways, of which the encoder has one: later
 * ones still understand the actions of earlier ones, 1.1 reads matches of which it cannot write all, and tables of
 * 1.1 and 1.2 tell their abilities.  What is printed in hexadecimal differs by its padding. */
static bool reads_alike(enum of_version version, const char *before, const char *after)
{
    static const char *const old_ways[] = {"mod_",       "load:",     "set_vlan_", "set_mpls_",
                                           "set_tunnel", "vlan_tci=", "table 0:\n"};
    static const char refused[] = "***decode error";

    if (!strcmp(before, after) || version == OF_1_1)
        return true;
    if (strstr(before, refused))
        return strstr(after, refused);
    for (size_t i = 0; i < ARRAY_SIZE(old_ways); i++) {
        if (version != OF_1_0 && strstr(before, old_ways[i]))
            return true;
    }
    return false;
}

bool round_trip(const uint8_t *data, size_t n_bytes, bool has_table_id)
{
    struct buffer first = BUFFER_INIT, second = BUFFER_INIT;
    enum of_error error = repeat(data, n_bytes, has_table_id, &first);

    if (error)
        of_encode_error(error, data, n_bytes, &second);
    /* One that takes more room, or none, when it is encoded may have become several messages, or too long. */
    if (!error && of_frame_length(first.data, first.size) == (int)first.size) {
        enum of_error again = repeat(first.data, first.size, has_table_id, &second);
        char *before = meaning(data, n_bytes), *after = meaning(first.data, first.size);

        /* What a load may put into a field of a few bits, set_field, which later versions are told, may not. */
        bool is_too_much = again == OFPBAC_BAD_SET_ARGUMENT && strstr(before, "load:");
        if (again && !is_too_much)
            fail("what was encoded is not understood", data, n_bytes, &first, &second);
        if (!again && (first.size != second.size || memcmp(first.data, second.data, first.size)))
            fail("the second encoding is another", data, n_bytes, &first, &second);
        if (!again && !reads_alike((enum of_version)data[0], before, after))
            fail("it reads differently", data, n_bytes, &first, &second);
        free(before);
        free(after);
    }
    buffer_fini(&first);
    buffer_fini(&second);
    return !error;
}
