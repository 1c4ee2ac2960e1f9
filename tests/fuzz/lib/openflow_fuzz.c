/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a stream of OpenFlow messages: each is decoded as far as it goes, and what was
 * understood is encoded and decoded again, to the same. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/bundles.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/flow_monitor.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/group_text.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/queues.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"
#include "lib/openflow/tlv_table.h"
#include "lib/openflow/vendor.h"

static struct of_message again_as(const struct buffer *wire, enum of_message_kind kind)
{
    struct of_message message;

    assert(of_frame_length(wire->data, wire->size) == (int)wire->size);
    assert(of_decode_message(wire->data, wire->size, &message) == OF_OK);
    assert(message.kind == kind);
    return message;
}

static char *text_of(const struct match *match, struct ofa_list list)
{
    struct buffer text = BUFFER_INIT;

    of_match_format(match, NULL, &text);
    buffer_putc(&text, ' ');
    of_actions_format(list, NULL, &text);
    return buffer_take_text(&text);
}

static void same_flow(const struct match *a, struct ofa_list a_list, const struct match *b,
                      struct ofa_list b_list)
{
    char *a_text = text_of(a, a_list), *b_text = text_of(b, b_list);

    assert(match_is_equal(a, b));
    assert(!strcmp(a_text, b_text));
    free(a_text);
    free(b_text);
}

static void fuzz_flow_mod(const struct of_message *message, bool has_table_id)
{
    struct of_protocol protocol = {.version = message->version,
                                   .uses_nxm = message->form == OF_FORM_NX,
                                   .has_table_id = has_table_id};
    struct buffer wire = BUFFER_INIT, again_wire = BUFFER_INIT;
    struct of_flow_mod flow, again;

    of_flow_mod_init(&flow);
    of_flow_mod_init(&again);
    if (of_decode_flow_mod(message, &protocol, 254, &flow) == OF_OK) {
        of_encode_flow_mod(&flow, &protocol, message->xid, &wire);
        struct of_message second = again_as(&wire, OF_FLOW_MOD);
        assert(of_decode_flow_mod(&second, &protocol, 254, &again) == OF_OK);
        /* Later versions say in other words what they still understand of the earlier ones' actions. */
        if (message->version == OF_1_0)
            same_flow(&flow.match, of_flow_mod_actions(&flow), &again.match,
                      of_flow_mod_actions(&again));
        of_encode_flow_mod(&again, &protocol, message->xid, &again_wire);
        assert(wire.size == again_wire.size && !memcmp(wire.data, again_wire.data, wire.size));
        assert(flow.command == again.command && flow.priority == again.priority &&
               flow.table_id == again.table_id && flow.cookie.raw == again.cookie.raw &&
               flow.cookie_mask.raw == again.cookie_mask.raw && flow.flags == again.flags);
    }
    of_flow_mod_fini(&flow);
    of_flow_mod_fini(&again);
    buffer_fini(&wire);
    buffer_fini(&again_wire);
}

static void fuzz_flow_stats_reply(const struct of_message *message)
{
    struct buffer actions = BUFFER_INIT, line = BUFFER_INIT, wire = BUFFER_INIT;
    struct of_message request = *message;
    struct of_flow_stats stats;
    struct of_reply reply;
    struct of_items items;

    request.kind = OF_FLOW_STATS_REQUEST;
    of_reply_begin(&reply, &request, &wire);
    of_items_init(&items, message);
    while (of_next_flow_stats(&items, &actions, &stats)) {
        buffer_clear(&line);
        of_flow_stats_format(&stats, NULL, &line);
        of_reply_add_flow(&reply, &stats);
    }
    of_reply_end(&reply);
    for (size_t at = 0; at < wire.size;) {
        int length = of_frame_length(wire.data + at, wire.size - at);
        struct of_message second;

        assert(length > 0);
        assert(of_decode_message(wire.data + at, (size_t)length, &second) == OF_OK);
        of_items_init(&items, &second);
        while (of_next_flow_stats(&items, &actions, &stats))
            continue;
        assert(items.error == OF_OK);
        at += (size_t)length;
    }
    buffer_fini(&actions);
    buffer_fini(&line);
    buffer_fini(&wire);
}

static void fuzz_flow_stats_request(const struct of_message *message)
{
    struct of_protocol protocol = {.version = message->version,
                                   .uses_nxm = message->form == OF_FORM_NX};
    struct of_flow_stats_request request, again;
    struct buffer wire = BUFFER_INIT;

    if (of_decode_flow_stats_request(message, &request) == OF_OK) {
        of_encode_flow_stats_request(&request, message->kind, &protocol, message->xid, &wire);
        struct of_message second = again_as(&wire, message->kind);
        assert(of_decode_flow_stats_request(&second, &again) == OF_OK);
        assert(match_is_equal(&request.match, &again.match));
        assert(request.table_id == again.table_id && request.out_port == again.out_port);
    }
    buffer_fini(&wire);
}

static void fuzz_packet(const struct of_message *message)
{
    struct buffer wire = BUFFER_INIT;
    struct of_packet_out out, out_again;
    struct of_packet_in in, in_again;
    struct of_message second;

    if (message->kind == OF_PACKET_IN && of_decode_packet_in(message, &in) == OF_OK) {
        of_encode_packet_in(&in, message->version, (enum of_packet_in_format)message->form, &wire);
        second = again_as(&wire, OF_PACKET_IN);
        assert(of_decode_packet_in(&second, &in_again) == OF_OK);
        assert(match_is_equal(&in.match, &in_again.match));
        /* Reasons that only 1.4 has are told in other words by earlier versions. */
        assert(in.reason == in_again.reason || message->version < OF_1_4);
    } else if (message->kind == OF_PACKET_OUT) {
        enum of_error error = of_decode_packet_out(message, 254, &out);
        if (!error) {
            of_encode_packet_out(&out, message->version, message->xid, &wire);
            second = again_as(&wire, OF_PACKET_OUT);
            assert(of_decode_packet_out(&second, 254, &out_again) == OF_OK);
            assert(out.in_port == out_again.in_port && out.frame_bytes == out_again.frame_bytes);
            of_packet_out_fini(&out_again);
        }
        of_packet_out_fini(&out);
    }
    buffer_fini(&wire);
}

static void fuzz_flow_removed(const struct of_message *message)
{
    struct of_protocol protocol = {.version = message->version,
                                   .uses_nxm = message->form == OF_FORM_NX};
    struct of_flow_removed removed, again;
    struct buffer wire = BUFFER_INIT;

    if (of_decode_flow_removed(message, &removed) == OF_OK) {
        of_encode_flow_removed(&removed, &protocol, &wire);
        struct of_message second = again_as(&wire, OF_FLOW_REMOVED);
        assert(of_decode_flow_removed(&second, &again) == OF_OK);
        assert(match_is_equal(&removed.match, &again.match));
        assert(removed.n_packets == again.n_packets && removed.table_id == again.table_id);
    }
    buffer_fini(&wire);
}

/* What was understood is encoded; the same again gives the same bytes. */
static void fuzz_group_mod(const struct of_message *message)
{
    struct buffer wire = BUFFER_INIT, again_wire = BUFFER_INIT, text = BUFFER_INIT;
    struct of_group_mod mod, again, parsed;

    if (of_decode_group_mod(message, 254, &mod) == OF_OK) {
        of_encode_group_mod(&mod, message->version, message->xid, &wire);
        if (wire.size <= UINT16_MAX) {
            struct of_message second = again_as(&wire, OF_GROUP_MOD);
            assert(of_decode_group_mod(&second, 254, &again) == OF_OK);
            of_encode_group_mod(&again, message->version, message->xid, &again_wire);
            assert(wire.size == again_wire.size);
            assert(!memcmp(wire.data, again_wire.data, wire.size));
            of_group_mod_fini(&again);
        }
        of_group_format(&mod.group, NULL, &text);
        of_group_mod_parse(buffer_text(&text), OFGC_ADD, NULL, &parsed, NULL);
        of_group_mod_fini(&parsed);
    }
    of_group_mod_fini(&mod);
    buffer_fini(&wire);
    buffer_fini(&again_wire);
    buffer_fini(&text);
}

static void fuzz_meter_mod(const struct of_message *message)
{
    struct buffer wire = BUFFER_INIT, again_wire = BUFFER_INIT, text = BUFFER_INIT;
    struct of_meter_mod mod, again, parsed;

    if (of_decode_meter_mod(message, &mod) == OF_OK) {
        of_encode_meter_mod(&mod, message->version, message->xid, &wire);
        struct of_message second = again_as(&wire, OF_METER_MOD);
        assert(of_decode_meter_mod(&second, &again) == OF_OK);
        of_encode_meter_mod(&again, message->version, message->xid, &again_wire);
        assert(wire.size == again_wire.size && !memcmp(wire.data, again_wire.data, wire.size));
        of_meter_format(&mod.meter, &text);
        of_meter_mod_parse(buffer_text(&text), OFMC_ADD, &parsed, NULL);
        of_meter_mod_fini(&again);
        of_meter_mod_fini(&parsed);
    }
    of_meter_mod_fini(&mod);
    buffer_fini(&wire);
    buffer_fini(&again_wire);
    buffer_fini(&text);
}

static void fuzz_group_items(const struct of_message *message)
{
    struct buffer counts = BUFFER_INIT, text = BUFFER_INIT;
    struct of_group_stats group_stats;
    struct of_meter_stats meter_stats;
    struct of_items items;
    struct of_group group;
    struct of_meter meter;
    bool is_good = true;

    of_items_init(&items, message);
    if (message->kind == OF_GROUP_STATS_REPLY) {
        while (of_next_group_stats(&items, &counts, &group_stats))
            of_group_stats_format(&group_stats, &text);
    } else if (message->kind == OF_METER_STATS_REPLY) {
        while (of_next_meter_stats(&items, &counts, &meter_stats))
            of_meter_stats_format(&meter_stats, &text);
    } else if (message->kind == OF_GROUP_DESC_REPLY) {
        while (is_good) {
            is_good = of_next_group(&items, &group);
            if (is_good)
                of_group_format(&group, NULL, &text);
            of_group_fini(&group);
        }
    } else {
        while (is_good) {
            is_good = of_next_meter(&items, &meter);
            if (is_good)
                of_meter_format(&meter, &text);
            of_meter_fini(&meter);
        }
    }
    buffer_fini(&counts);
    buffer_fini(&text);
}

static void fuzz_items(const struct of_message *message)
{
    struct of_table_features features;
    struct of_table_stats table;
    struct of_table_desc desc;
    struct of_queue_stats queue_stats;
    struct of_queue_config queue_config;
    struct of_port_stats port_stats;
    struct of_port_info port;
    struct of_items items;

    of_items_init(&items, message);
    switch (message->kind) {
    case OF_TABLE_STATS_REPLY:
        while (of_next_table_stats(&items, &table))
            continue;
        break;
    case OF_TABLE_FEATURES_REPLY:
        while (of_next_table_features(&items, &features))
            continue;
        break;
    case OF_TABLE_DESC_REPLY:
        while (of_next_table_desc(&items, &desc))
            continue;
        break;
    case OF_QUEUE_STATS_REPLY:
        while (of_next_queue_stats(&items, &queue_stats))
            continue;
        break;
    case OF_QUEUE_CONFIG_REPLY:
        of_items_init_queue_config(&items, message);
        while (of_next_queue_config(&items, &queue_config))
            continue;
        break;
    case OF_PORT_STATS_REPLY:
        while (of_next_port_stats(&items, &port_stats))
            continue;
        break;
    default:
        while (of_next_port(&items, &port))
            continue;
        break;
    }
}

static void fuzz_bundle(const struct of_message *message)
{
    struct of_bundle_control control, control_again;
    struct of_bundle_add add, add_again;
    struct buffer wire = BUFFER_INIT;

    if (message->kind == OF_BUNDLE_CONTROL && !of_decode_bundle_control(message, &control)) {
        of_encode_bundle_control(&control, message->version, message->xid, &wire);
        struct of_message second = again_as(&wire, OF_BUNDLE_CONTROL);
        assert(of_decode_bundle_control(&second, &control_again) == OF_OK);
        assert(!memcmp(&control, &control_again, sizeof control));
    } else if (message->kind == OF_BUNDLE_ADD_MESSAGE && !of_decode_bundle_add(message, &add)) {
        of_encode_bundle_add(&add, message->version, message->xid, &wire);
        struct of_message second = again_as(&wire, OF_BUNDLE_ADD_MESSAGE);
        assert(of_decode_bundle_add(&second, &add_again) == OF_OK);
        assert(add.n_bytes == add_again.n_bytes && add.bundle_id == add_again.bundle_id);
    }
    buffer_fini(&wire);
}

static void fuzz_monitor(const struct of_message *message)
{
    struct buffer actions = BUFFER_INIT, wire = BUFFER_INIT;
    struct of_monitor_request request, again;
    struct of_flow_update update;
    struct of_items items, items_again;
    struct of_reply reply;

    of_items_init(&items, message);
    if (message->kind == OF_MONITOR_REPLY) {
        of_begin_updates(&reply, message->version, &wire);
        while (of_next_update(&items, &actions, &update))
            of_reply_add_update(&reply, &update);
        of_reply_end(&reply);
    }
    while (message->kind == OF_MONITOR_REQUEST && of_next_monitor_request(&items, &request)) {
        buffer_clear(&wire);
        of_encode_monitor_request(&request, message->version, message->xid, &wire);
        struct of_message second = again_as(&wire, OF_MONITOR_REQUEST);
        of_items_init(&items_again, &second);
        assert(of_next_monitor_request(&items_again, &again));
        assert(again.flags == request.flags && again.monitor_id == request.monitor_id);
        assert(match_is_equal(&again.match, &request.match));
    }
    buffer_fini(&actions);
    buffer_fini(&wire);
}

static void fuzz_resume(const struct of_message *message)
{
    struct buffer wire = BUFFER_INIT, again_wire = BUFFER_INIT;
    struct of_packet_in packet, again;

    if (of_decode_resume(message, &packet) == OF_OK) {
        of_encode_resume(&packet, message->version, message->xid, &wire);
        struct of_message second = again_as(&wire, OF_RESUME);
        if (of_decode_resume(&second, &again) == OF_OK) {
            of_encode_resume(&again, message->version, message->xid, &again_wire);
            assert(wire.size == again_wire.size);
            assert(!memcmp(wire.data, again_wire.data, wire.size));
        }
    }
    buffer_fini(&wire);
    buffer_fini(&again_wire);
}

static void fuzz_small(const struct of_message *message)
{
    struct of_switch_config config;
    struct of_role_request role;
    struct of_role_status status;
    struct of_tlv_table tlv_table;
    struct of_tlv_mod tlv_mod;
    struct of_queue_request queue;
    struct of_table_mod table;
    struct of_async_config async = {.packet_in = {0, 0}};
    struct of_error_info info;
    struct of_features features;
    struct of_port_info port;
    struct of_port_mod mod;
    struct of_desc_text *text;
    struct of_aggregate aggregate;
    enum of_packet_in_format format;
    struct wire ports;
    uint32_t number;
    uint16_t id;
    uint8_t reason;
    bool is_set;

    switch (message->kind) {
    case OF_HELLO:
        of_decode_hello(message, &number);
        break;
    case OF_ERROR:
        of_decode_error(message->whole, message->n_bytes, &info);
        break;
    case OF_FEATURES_REPLY:
        of_decode_features_reply(message, &features);
        ports = of_features_ports(message);
        while (of_decode_port_info(&ports, message->version, &port))
            continue;
        break;
    case OF_GET_CONFIG_REPLY:
    case OF_SET_CONFIG:
        of_decode_switch_config(message, &config);
        break;
    case OF_PORT_STATUS:
        of_decode_port_status(message, &reason, &port);
        break;
    case OF_PORT_MOD:
        of_decode_port_mod(message, &mod);
        break;
    case OF_ROLE_REQUEST:
    case OF_ROLE_REPLY:
        of_decode_role(message, &role);
        break;
    case OF_SET_ASYNC:
    case OF_GET_ASYNC_REPLY:
        of_decode_async_config(message, &async);
        break;
    case OF_SET_FLOW_FORMAT:
        of_decode_set_flow_format(message, &is_set);
        break;
    case OF_FLOW_MOD_TABLE_ID:
        of_decode_flow_mod_table_id(message, &is_set);
        break;
    case OF_SET_PACKET_IN_FORMAT:
        of_decode_set_packet_in_format(message, &format);
        break;
    case OF_SET_CONTROLLER_ID:
        of_decode_set_controller_id(message, &id);
        break;
    case OF_DESC_REPLY:
        text = malloc(sizeof *text);
        of_decode_desc(message, text);
        free(text);
        break;
    case OF_AGGREGATE_REPLY:
        of_decode_aggregate(message, &aggregate);
        break;
    case OF_PORT_STATS_REQUEST:
        of_decode_port_stats_request(message, &id);
        break;
    case OF_QUEUE_STATS_REQUEST:
    case OF_QUEUE_CONFIG_REQUEST:
        of_decode_queue_request(message, &queue);
        break;
    case OF_PORT_DESC_REQUEST:
        of_decode_port_desc_request(message, &id);
        break;
    case OF_TABLE_MOD:
        of_decode_table_mod(message, &table);
        break;
    case OF_TLV_TABLE_MOD:
        of_decode_tlv_mod(message, &tlv_mod);
        break;
    case OF_TLV_TABLE_REPLY:
        of_decode_tlv_table(message, &tlv_table);
        break;
    case OF_ROLE_STATUS:
        of_decode_role_status(message, &status);
        break;
    default:
        break;
    }
}

static void fuzz_message(const uint8_t *data, size_t n_bytes, bool has_table_id)
{
    struct buffer reply = BUFFER_INIT;
    struct of_message message;
    enum of_error error = of_decode_message(data, n_bytes, &message);

    if (error) {
        of_encode_error(error, data, n_bytes, &reply);
        buffer_fini(&reply);
        return;
    }
    assert(of_message_name(&message));
    switch (message.kind) {
    case OF_FLOW_MOD:
        fuzz_flow_mod(&message, has_table_id);
        break;
    case OF_MONITOR_REQUEST:
    case OF_MONITOR_REPLY:
        fuzz_monitor(&message);
        break;
    case OF_RESUME:
        fuzz_resume(&message);
        break;
    case OF_BUNDLE_CONTROL:
    case OF_BUNDLE_ADD_MESSAGE:
        fuzz_bundle(&message);
        break;
    case OF_GROUP_MOD:
        fuzz_group_mod(&message);
        break;
    case OF_METER_MOD:
        fuzz_meter_mod(&message);
        break;
    case OF_GROUP_STATS_REPLY:
    case OF_GROUP_DESC_REPLY:
    case OF_METER_STATS_REPLY:
    case OF_METER_CONFIG_REPLY:
        fuzz_group_items(&message);
        break;
    case OF_FLOW_STATS_REPLY:
        fuzz_flow_stats_reply(&message);
        break;
    case OF_FLOW_STATS_REQUEST:
    case OF_AGGREGATE_REQUEST:
        fuzz_flow_stats_request(&message);
        break;
    case OF_PACKET_IN:
    case OF_PACKET_OUT:
        fuzz_packet(&message);
        break;
    case OF_FLOW_REMOVED:
        fuzz_flow_removed(&message);
        break;
    case OF_TABLE_STATS_REPLY:
    case OF_TABLE_FEATURES_REPLY:
    case OF_TABLE_DESC_REPLY:
    case OF_QUEUE_STATS_REPLY:
    case OF_QUEUE_CONFIG_REPLY:
    case OF_PORT_STATS_REPLY:
    case OF_PORT_DESC_REPLY:
        fuzz_items(&message);
        break;
    default:
        fuzz_small(&message);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    int length;

    while ((length = of_frame_length(data, n_bytes)) > 0) {
        fuzz_message(data, (size_t)length, true);
        fuzz_message(data, (size_t)length, false);
        data += length;
        n_bytes -= (size_t)length;
    }
    return 0;
}
