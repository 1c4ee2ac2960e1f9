/* SPDX-License-Identifier: Apache-2.0 */

/* Messages as structs, through the wire in every version of OpenFlow, and what is refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/message_table.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"
#include "lib/openflow/tlv_table.h"
#include "lib/openflow/vendor.h"

static const enum of_version versions[] = {OF_1_0, OF_1_1, OF_1_2, OF_1_3, OF_1_4, OF_1_5};

static const struct of_protocol protocols[] = {
    {.version = OF_1_0, .has_table_id = true},
    {.version = OF_1_0, .uses_nxm = true, .has_table_id = true},
    {.version = OF_1_3},
    {.version = OF_1_1},
    {.version = OF_1_2},
    {.version = OF_1_4},
    {.version = OF_1_5},
};

/* The one message in 'wire', which must be of 'kind'. */
static struct of_message message_of(const struct buffer *wire, enum of_message_kind kind)
{
    struct of_message message;

    assert_int_equal(of_frame_length(wire->data, wire->size), wire->size);
    assert_int_equal(of_decode_message(wire->data, wire->size, &message), OF_OK);
    assert_int_equal(message.kind, kind);
    return message;
}

static void frames_are_cut_from_a_stream(void **state)
{
    const uint8_t hello[] = {4, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x12};
    const uint8_t nonsense[] = {4, 0, 0, 7, 0, 0, 0, 1};

    (void)state;
    for (size_t i = 0; i < sizeof hello; i++)
        assert_int_equal(of_frame_length(hello, i), 0);
    assert_int_equal(of_frame_length(hello, sizeof hello), 16);
    assert_int_equal(of_frame_length(nonsense, sizeof nonsense), -EPROTO);
}

static void hellos_negotiate_a_version(void **state)
{
    struct buffer wire = BUFFER_INIT;
    uint32_t theirs;

    (void)state;
    of_encode_hello(OF_VERSIONS_KNOWN, 1, &wire);
    struct of_message message = message_of(&wire, OF_HELLO);
    assert_int_equal(message.version, OF_1_5);
    assert_int_equal(of_decode_hello(&message, &theirs), OF_OK);
    assert_int_equal(theirs, OF_VERSIONS_KNOWN);
    assert_int_equal(of_negotiate(OF_VERSIONS_KNOWN, theirs), OF_1_5);
    assert_int_equal(of_negotiate(OF_VERSIONS_KNOWN, OF_VERSION_BIT(OF_1_5 + 1)), 0);
    buffer_fini(&wire);

    /* Without a bitmap, all versions up to the header's. */
    const uint8_t plain[] = {6, 0, 0, 8, 0, 0, 0, 1};
    assert_int_equal(of_decode_message(plain, sizeof plain, &message), OF_OK);
    assert_int_equal(of_decode_hello(&message, &theirs), OF_OK);
    assert_int_equal(theirs, 0x7e);
    /* A malformed element is skipped. */
    const uint8_t bad[] = {1, 0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 0};
    assert_int_equal(of_decode_message(bad, sizeof bad, &message), OF_OK);
    assert_int_equal(of_decode_hello(&message, &theirs), OF_OK);
    assert_int_equal(theirs, 0x02);
}

static void unknown_messages_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[24];
        size_t n_bytes;
        enum of_error error;
    } cases[] = {
        {{1, 99, 0, 8}, 8, OFPBRC_BAD_TYPE},
        {{4, 33, 0, 8}, 8, OFPBRC_BAD_TYPE}, /* A bundle, which only 1.4 has. */
        {{7, 5, 0, 8}, 8, OFPBRC_BAD_VERSION},
        {{99, 18, 0, 8}, 8, OFPBRC_BAD_VERSION},
        {{1, 5, 0, 9, 0, 0, 0, 0, 0}, 9, OFPBRC_BAD_LEN},
        {{1, 5, 0, 8}, 7, OFPBRC_BAD_LEN},
        {{1, 16, 0, 8}, 8, OFPBRC_BAD_LEN},
        {{1, 16, 0, 12, 0, 0, 0, 0, 0, 6}, 12, OFPBRC_BAD_STAT},
        {{4, 18, 0, 16, 0, 0, 0, 0, 0, 14}, 16, OFPBRC_BAD_STAT},
        {{1, 4, 0, 8}, 8, OFPBRC_BAD_LEN},
        {{1, 4, 0, 16, 0, 0, 0, 0, 0, 0, 0x23, 0x21}, 16, OFPBRC_BAD_VENDOR},
        {{1, 4, 0, 16, 0, 0, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 99}, 16, OFPBRC_BAD_SUBTYPE},
        {{1, 14, 0, 8}, 8, OFPBRC_BAD_LEN},
        {{1, 9, 0, 12, 0, 0, 0, 0, 0, 0, 0, 128}, 12, OF_OK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct of_message message;
        enum of_error error = of_decode_message(cases[i].bytes, cases[i].n_bytes, &message);
        if (error != cases[i].error)
            fail_msg("case %zu: %s", i, of_error_name(error));
    }
}

static void errors_carry_the_request_and_their_numbers(void **state)
{
    /* As `ovs-ofctl encode-error-reply` writes them. */
    static const struct {
        enum of_error error;
        uint8_t version;
        uint8_t bytes[28];
        size_t n_bytes;
    } cases[] = {
        {OFPBMC_BAD_PREREQ, 4, {4, 1, 0, 24, 0, 0, 0, 5, 0, 4, 0, 9}, 12},
        {NXBRC_MUST_BE_ZERO, 4, {4, 1, 0, 28, 0, 0, 0, 5, 0xff, 0xff, 0, 4, 0, 0, 0x23, 0x20}, 16},
        {NXBRC_MUST_BE_ZERO,
         1,
         {1, 1, 0, 32, 0, 0, 0, 5, 0xb0, 0xc2, 0, 0, 0, 0, 0x23, 0x20, 0, 1, 2, 3},
         20},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const uint8_t request[] = {cases[i].version, 9, 0, 12, 0, 0, 0, 5, 0x11, 0x22, 0x33, 0x44};
        struct buffer wire = BUFFER_INIT;
        struct of_error_info info;

        of_encode_error(cases[i].error, request, sizeof request, &wire);
        assert_int_equal(wire.size, cases[i].n_bytes + sizeof request);
        assert_memory_equal(wire.data, cases[i].bytes, cases[i].n_bytes);
        assert_memory_equal(wire.data + cases[i].n_bytes, request, sizeof request);
        assert_int_equal(of_decode_error(wire.data, wire.size, &info), OF_OK);
        assert_int_equal(info.error, cases[i].error);
        assert_int_equal(info.payload_bytes, sizeof request);
        buffer_fini(&wire);
    }
}

static void every_error_survives_where_it_can_be_said(void **state)
{
    uint8_t request[100] = {0, 14, 0, 100};
    size_t n_kept = 0;

    (void)state;
    for (int error = 1; error < N_OF_ERRORS; error++) {
        for (unsigned version = OF_1_0; version <= OF_1_5; version++) {
            struct buffer wire = BUFFER_INIT;
            struct of_error_info info;

            request[0] = (uint8_t)version;
            of_encode_error((enum of_error)error, request, sizeof request, &wire);
            assert_int_equal(of_decode_error(wire.data, wire.size, &info), OF_OK);
            assert_true(info.error != OF_OK);
            assert_int_equal(info.payload_bytes, sizeof request);
            n_kept += (int)info.error == error;
            buffer_fini(&wire);
        }
    }
    assert_true(n_kept > 4 * N_OF_ERRORS);
    assert_string_equal(of_error_name(OFPFMFC_ALL_TABLES_FULL), "OFPFMFC_TABLE_FULL");
}

static void every_row_of_the_table_is_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < of_n_message_rows; i++) {
        const struct of_message_row *row = &of_message_rows[i];
        enum of_version version = row->first_version ? (enum of_version)row->first_version : OF_1_0;
        struct buffer wire = BUFFER_INIT;

        size_t start = of_begin_message(row->kind, row->form, version, 77, &wire);
        buffer_put_zeros(&wire, row->least_body);
        of_finish_message(start, &wire);
        struct of_message message = message_of(&wire, row->kind);
        assert_int_equal(message.xid, 77);
        assert_int_equal(message.form, row->form);
        assert_int_equal(message.body_bytes, row->least_body);
        assert_string_equal(of_message_name(&message), row->name);
        buffer_fini(&wire);
    }
}

static void features_and_ports_survive(void **state)
{
    struct of_port_info ports[2] = {
        {.port = 1,
         .mac = {{0, 1, 2, 3, 4, 5}},
         .name = "veth0",
         .config = OFPPC_PORT_DOWN,
         .state = OFPPS_LINK_DOWN,
         .current = OFPPF_10GB_FD | OFPPF_COPPER,
         .advertised = OFPPF_AUTONEG,
         .supported = OFPPF_PAUSE_ASYM,
         .peer = OFPPF_FIBER},
        {.port = OFPP_LOCAL, .name = "fifteenletters0"},
    };
    struct of_features features = {
        .datapath_id = 0x123456789abcdef0, .n_tables = 254, .capabilities = 0xc7, .actions = 0xfff};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct buffer wire = BUFFER_INIT;
        struct of_features again;
        struct of_port_info port;

        of_encode_features_reply(&features, ports, 2, versions[i], 9, &wire);
        struct of_message message = message_of(&wire, OF_FEATURES_REPLY);
        assert_int_equal(of_decode_features_reply(&message, &again), OF_OK);
        assert_int_equal(again.datapath_id, features.datapath_id);
        assert_int_equal(again.n_tables, 254);
        if (versions[i] < OF_1_3) {
            struct wire left = of_features_ports(&message);
            for (size_t j = 0; j < 2; j++) {
                assert_true(of_decode_port_info(&left, versions[i], &port));
                assert_memory_equal(&port, &ports[j], sizeof port);
            }
            assert_false(of_decode_port_info(&left, versions[i], &port));
        }
        buffer_clear(&wire);
        of_encode_port_status(&ports[0], OFPPR_MODIFY, versions[i], &wire);
        uint8_t reason;
        message = message_of(&wire, OF_PORT_STATUS);
        assert_int_equal(of_decode_port_status(&message, &reason, &port), OF_OK);
        assert_int_equal(reason, OFPPR_MODIFY);
        assert_memory_equal(&port, &ports[0], sizeof port);
        buffer_fini(&wire);
    }
}

static void small_messages_survive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        enum of_version version = versions[i];
        struct buffer wire = BUFFER_INIT;
        struct of_message message;

        struct of_switch_config config = {.frag_mode = OF_FRAG_NX_MATCH, .miss_send_bytes = 128};
        struct of_switch_config config_again;
        of_encode_switch_config(&config, OF_SET_CONFIG, version, 1, &wire);
        message = message_of(&wire, OF_SET_CONFIG);
        assert_int_equal(of_decode_switch_config(&message, &config_again), OF_OK);
        assert_int_equal(config_again.frag_mode, OF_FRAG_NX_MATCH);
        assert_int_equal(config_again.miss_send_bytes, 128);

        buffer_clear(&wire);
        struct of_port_mod mod = {.port = 3,
                                  .mac = {{1, 2, 3, 4, 5, 6}},
                                  .mask = 0x24,
                                  .config = 0x20,
                                  .advertise = OFPPF_AUTONEG};
        struct of_port_mod mod_again;
        of_encode_port_mod(&mod, version, 1, &wire);
        message = message_of(&wire, OF_PORT_MOD);
        assert_int_equal(of_decode_port_mod(&message, &mod_again), OF_OK);
        assert_memory_equal(&mod, &mod_again, sizeof mod);

        buffer_clear(&wire);
        struct of_role_request role = {
            .role = OF_ROLE_SECONDARY, .generation_id = 7, .has_generation_id = true};
        struct of_role_request role_again;
        of_encode_role(&role, OF_ROLE_REQUEST, version, 1, &wire);
        message = message_of(&wire, OF_ROLE_REQUEST);
        assert_int_equal(of_decode_role(&message, &role_again), OF_OK);
        assert_int_equal(role_again.role, OF_ROLE_SECONDARY);
        assert_int_equal(role_again.has_generation_id, version >= OF_1_2);

        buffer_clear(&wire);
        struct of_async_config async = {
            .packet_in = {0x3a, 4}, .port_status = {3, 4}, .flow_removed = {5, 6}};
        struct of_async_config async_again = {.packet_in = {7, 7}};
        if (version >= OF_1_4)
            async.packet_in[0] = 0x32, async.table_status[1] = 8, async.role_status[0] = 1;
        if (version == OF_1_0 || version == OF_1_3)
            async_again.table_status[0] = async.table_status[0] = 8; /* Is left alone. */
        of_encode_async_config(&async, OF_SET_ASYNC, version, 1, &wire);
        message = message_of(&wire, OF_SET_ASYNC);
        assert_int_equal(of_decode_async_config(&message, &async_again), OF_OK);
        assert_memory_equal(&async, &async_again, sizeof async);

        buffer_clear(&wire);
        enum of_packet_in_format format;
        of_encode_set_packet_in_format(OF_PACKET_IN_NXT, version, 1, &wire);
        message = message_of(&wire, OF_SET_PACKET_IN_FORMAT);
        assert_int_equal(of_decode_set_packet_in_format(&message, &format), OF_OK);
        assert_int_equal(format, OF_PACKET_IN_NXT);

        buffer_clear(&wire);
        uint16_t id;
        of_encode_set_controller_id(9, version, 1, &wire);
        message = message_of(&wire, OF_SET_CONTROLLER_ID);
        assert_int_equal(of_decode_set_controller_id(&message, &id), OF_OK);
        assert_int_equal(id, 9);
        buffer_fini(&wire);
    }
}

static void tunnel_options_survive(void **state)
{
    struct of_tlv_mod mod = {
        .command = OFTLVC_ADD, .maps = {{0x102, 0x80, 4, 0}, {0xffff, 0, 124, 63}}, .n_maps = 2};
    struct of_tlv_table table = {.max_option_bytes = OF_TLV_SPACE_BYTES,
                                 .max_fields = OF_TLV_FIELDS,
                                 .maps = {{0x102, 0x80, 4, 0}},
                                 .n_maps = 1};
    struct buffer wire = BUFFER_INIT;
    struct of_tlv_table table_again;
    struct of_tlv_mod mod_again;

    (void)state;
    of_encode_tlv_mod(&mod, OF_1_5, 1, &wire);
    struct of_message message = message_of(&wire, OF_TLV_TABLE_MOD);
    assert_int_equal(of_decode_tlv_mod(&message, &mod_again), OF_OK);
    assert_int_equal(mod_again.n_maps, 2);
    assert_memory_equal(mod_again.maps, mod.maps, 2 * sizeof mod.maps[0]);
    wire.data[24 + 3] = 6;
    assert_int_equal(of_decode_tlv_mod(&message, &mod_again), NXTTMFC_BAD_OPT_LEN);
    wire.data[24 + 3] = 4;
    wire.data[24 + 5] = 64;
    assert_int_equal(of_decode_tlv_mod(&message, &mod_again), NXTTMFC_BAD_FIELD_IDX);
    wire.data[17] = 3;
    assert_int_equal(of_decode_tlv_mod(&message, &mod_again), NXTTMFC_BAD_COMMAND);

    buffer_clear(&wire);
    of_encode_tlv_table(&table, OF_1_0, 1, &wire);
    message = message_of(&wire, OF_TLV_TABLE_REPLY);
    assert_int_equal(of_decode_tlv_table(&message, &table_again), OF_OK);
    assert_int_equal(table_again.max_fields, OF_TLV_FIELDS);
    assert_int_equal(table_again.n_maps, 1);
    buffer_fini(&wire);
}

static void flow_formats_are_agreed_on(void **state)
{
    struct buffer wire = BUFFER_INIT;
    bool is_set = false;

    (void)state;
    of_encode_set_flow_format(true, 1, &wire);
    struct of_message message = message_of(&wire, OF_SET_FLOW_FORMAT);
    assert_int_equal(of_decode_set_flow_format(&message, &is_set), OF_OK);
    assert_true(is_set);
    buffer_clear(&wire);
    of_encode_flow_mod_table_id(true, 1, &wire);
    message = message_of(&wire, OF_FLOW_MOD_TABLE_ID);
    is_set = false;
    assert_int_equal(of_decode_flow_mod_table_id(&message, &is_set), OF_OK);
    assert_true(is_set);
    buffer_fini(&wire);
}

static void flow_mods_survive(void **state)
{
    static const struct {
        enum of_flow_command command;
        const char *text;
    } flows[] = {
        {OFFC_ADD, "table=3,priority=7,cookie=0x5,idle_timeout=5,hard_timeout=6,send_flow_rem,tcp,"
                   "tp_dst=80,actions=output:1,CONTROLLER:128"},
        {OFFC_MODIFY, "table=3,cookie=0x9,ip,nw_src=10.0.0.0/8,actions=dec_ttl,output:2"},
        {OFFC_MODIFY_STRICT, "table=1,priority=5,arp,actions=drop"},
        {OFFC_DELETE, "table=3,in_port=5,out_port=7"},
        {OFFC_DELETE_STRICT, "table=9,priority=8,ip,dl_vlan=5"},
        {OFFC_DELETE, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(flows) * ARRAY_SIZE(protocols); i++) {
        const struct of_protocol *protocol = &protocols[i % ARRAY_SIZE(protocols)];
        struct of_flow_mod flow, again;
        struct buffer wire = BUFFER_INIT;
        struct error error = ERROR_INIT;

        const char *text = flows[i / ARRAY_SIZE(protocols)].text;
        enum of_flow_command command = flows[i / ARRAY_SIZE(protocols)].command;
        of_flow_mod_init(&again);
        if (of_flow_mod_parse(text, command, NULL, &flow, &error))
            fail_msg("%s: %s", text, error.message);
        of_encode_flow_mod(&flow, protocol, 3, &wire);
        struct of_message message = message_of(&wire, OF_FLOW_MOD);
        assert_int_equal(of_decode_flow_mod(&message, protocol, 254, &again), OF_OK);
        assert_true(match_is_equal(&flow.match, &again.match));
        assert_int_equal(flow.command, again.command);
        assert_int_equal(flow.table_id, again.table_id);
        assert_int_equal(flow.priority, again.priority);
        assert_int_equal(flow.idle_timeout_s, again.idle_timeout_s);
        assert_int_equal(flow.hard_timeout_s, again.hard_timeout_s);
        assert_int_equal(flow.flags, again.flags);
        assert_int_equal(of_flow_mod_resets_counts(&again),
                         command == OFFC_ADD && protocol->version < OF_1_2);
        assert_int_equal(flow.out_port, again.out_port);
        if (command == OFFC_ADD || protocol->version == OF_1_0)
            assert_int_equal(flow.new_cookie.raw, again.new_cookie.raw);
        assert_int_equal(flow.actions.size == 0, again.actions.size == 0);
        of_flow_mod_fini(&flow);
        of_flow_mod_fini(&again);
        buffer_fini(&wire);
    }
}

static enum of_error decode_hex_flow_mod(struct buffer *wire, const struct of_protocol *protocol)
{
    struct of_message message;
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    be16_store(wire->data + 2, (uint16_t)wire->size);
    enum of_error error = of_decode_message(wire->data, wire->size, &message);
    if (!error)
        error = of_decode_flow_mod(&message, protocol, 254, &flow);
    of_flow_mod_fini(&flow);
    return error;
}

static void wrong_flow_mods_get_their_error(void **state)
{
    struct of_flow_mod flow;
    struct buffer good = BUFFER_INIT, good13 = BUFFER_INIT;

    (void)state;
    assert_int_equal(of_flow_mod_parse("ip,actions=1", OFFC_ADD, NULL, &flow, NULL), 0);
    of_encode_flow_mod(&flow, &protocols[0], 1, &good);
    of_encode_flow_mod(&flow, &protocols[2], 1, &good13);
    of_flow_mod_fini(&flow);

    good.data[57] = 5; /* Command. */
    assert_int_equal(decode_hex_flow_mod(&good, &protocols[0]), OFPFMFC_BAD_COMMAND);
    good.data[57] = 0;
    good.data[71] = 4; /* OFPFF_EMERG. */
    assert_int_equal(decode_hex_flow_mod(&good, &protocols[0]), OFPFMFC_ALL_TABLES_FULL);
    good.data[71] = 8;
    assert_int_equal(decode_hex_flow_mod(&good, &protocols[0]), OFPFMFC_BAD_FLAGS);
    good.data[71] = 0;
    good.data[73] = 77; /* Action type. */
    assert_int_equal(decode_hex_flow_mod(&good, &protocols[0]), OFPBAC_BAD_TYPE);
    good.data[73] = 0;
    assert_int_equal(decode_hex_flow_mod(&good, &protocols[0]), OF_OK);

    good13.data[24] = 0xff; /* Table. */
    assert_int_equal(decode_hex_flow_mod(&good13, &protocols[2]), OFPFMFC_BAD_TABLE_ID);
    good13.data[24] = 0;
    good13.data[25] = 5;
    assert_int_equal(decode_hex_flow_mod(&good13, &protocols[2]), OFPFMFC_BAD_COMMAND);
    good13.data[25] = 0;
    good13.data[44] = 0x80;
    assert_int_equal(decode_hex_flow_mod(&good13, &protocols[2]), OFPFMFC_BAD_FLAGS);
    buffer_fini(&good);
    buffer_fini(&good13);
}

static void flow_removed_survives(void **state)
{
    struct of_flow_mod flow;

    (void)state;
    assert_int_equal(of_flow_mod_parse("tcp,tp_dst=80,actions=1", OFFC_ADD, NULL, &flow, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        struct of_flow_removed removed = {.match = flow.match,
                                          .cookie = {5},
                                          .priority = 6,
                                          .reason = OFRR_DELETE,
                                          .table_id = 7,
                                          .duration_s = 8,
                                          .duration_ns = 9,
                                          .idle_timeout_s = 10,
                                          .n_packets = 11,
                                          .n_bytes = 12};
        struct of_flow_removed again;
        struct buffer wire = BUFFER_INIT;

        of_encode_flow_removed(&removed, &protocols[i], &wire);
        struct of_message message = message_of(&wire, OF_FLOW_REMOVED);
        assert_int_equal(of_decode_flow_removed(&message, &again), OF_OK);
        if (i == 0)
            removed.table_id = OF_TABLE_ALL;
        assert_memory_equal(&removed.match, &again.match, sizeof again.match);
        assert_int_equal(removed.table_id, again.table_id);
        assert_int_equal(removed.reason, again.reason);
        assert_int_equal(removed.n_bytes, again.n_bytes);
        assert_int_equal(removed.duration_ns, again.duration_ns);
        buffer_fini(&wire);
    }
    of_flow_mod_fini(&flow);
}

static void packets_travel_both_ways(void **state)
{
    const uint8_t frame[60] = {[12] = 0x88, [13] = 0xcc};

    (void)state;
    for (size_t i = 0; i < 3 * ARRAY_SIZE(versions); i++) {
        enum of_version version = versions[i / 3];
        struct of_packet_in in = {.frame = frame,
                                  .frame_bytes = 60,
                                  .total_bytes = 1500,
                                  .reason = OFPR_ACTION,
                                  .table_id = 3,
                                  .cookie = {9}};
        struct of_packet_in in_again;
        struct of_packet_out out = {.frame = frame, .frame_bytes = 60, .in_port = OFPP_CONTROLLER};
        struct of_packet_out out_again;
        struct buffer wire = BUFFER_INIT;

        in.match.flow.key.in_port = be32_from(4);
        in.match.mask.key.in_port = be32_from(UINT32_MAX);
        of_encode_packet_in(&in, version, (enum of_packet_in_format)(i % 3), &wire);
        struct of_message message = message_of(&wire, OF_PACKET_IN);
        assert_int_equal(of_decode_packet_in(&message, &in_again), OF_OK);
        assert_int_equal(in_again.frame_bytes, 60);
        assert_memory_equal(in_again.frame, frame, 60);
        assert_int_equal(in_again.total_bytes, 1500);
        assert_int_equal(be32_host(in_again.match.flow.key.in_port), 4);

        buffer_clear(&wire);
        assert_int_equal(of_actions_parse("output:5,FLOOD", NULL, &out.actions, NULL), 0);
        of_encode_packet_out(&out, version, 1, &wire);
        message = message_of(&wire, OF_PACKET_OUT);
        assert_int_equal(of_decode_packet_out(&message, 254, &out_again), OF_OK);
        assert_int_equal(out_again.in_port, OFPP_CONTROLLER);
        assert_int_equal(out_again.frame_bytes, 60);
        assert_int_equal(out_again.actions.size, out.actions.size);
        of_packet_out_fini(&out_again);

        wire.data[8] = 0; /* A buffer that we never gave out. */
        message = message_of(&wire, OF_PACKET_OUT);
        assert_int_equal(of_decode_packet_out(&message, 254, &out_again), OFPBRC_BUFFER_UNKNOWN);
        of_packet_out_fini(&out_again);
        of_packet_out_fini(&out);
        buffer_fini(&wire);
    }
}

static void long_replies_come_in_several_messages(void **state)
{
    enum { N_FLOWS = 3000 };
    struct of_flow_mod flow;

    (void)state;
    assert_int_equal(of_flow_mod_parse("tcp,tp_dst=80,actions=1,2,3", OFFC_ADD, NULL, &flow, NULL),
                     0);
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        struct of_flow_stats_request request, request_again;
        struct buffer query = BUFFER_INIT, wire = BUFFER_INIT, actions = BUFFER_INIT;
        struct of_reply reply;
        size_t n_read = 0, n_messages = 0;

        of_flow_stats_request_init(&request);
        request.match = flow.match;
        request.table_id = 3;
        of_encode_flow_stats_request(&request, OF_FLOW_STATS_REQUEST, &protocols[i], 5, &query);
        struct of_message message = message_of(&query, OF_FLOW_STATS_REQUEST);
        assert_int_equal(of_decode_flow_stats_request(&message, &request_again), OF_OK);
        assert_true(match_is_equal(&request.match, &request_again.match));
        assert_int_equal(request_again.table_id, 3);

        of_reply_begin(&reply, &message, &wire);
        for (unsigned j = 0; j < N_FLOWS; j++) {
            struct of_flow_stats stats = {.match = flow.match,
                                          .priority = (uint16_t)j,
                                          .n_packets = j,
                                          .idle_age_s = 3,
                                          .hard_age_s = -1,
                                          .actions = of_flow_mod_actions(&flow)};
            of_reply_add_flow(&reply, &stats);
        }
        of_reply_end(&reply);

        bool has_more = true;
        for (size_t at = 0; at < wire.size;) {
            int length = of_frame_length(wire.data + at, wire.size - at);
            struct of_flow_stats stats;
            struct of_items items;

            assert_true(length > 0);
            assert_true(has_more);
            assert_int_equal(of_decode_message(wire.data + at, (size_t)length, &message), OF_OK);
            assert_int_equal(message.kind, OF_FLOW_STATS_REPLY);
            assert_int_equal(message.xid, 5);
            has_more = of_message_has_more(&message);
            of_items_init(&items, &message);
            while (of_next_flow_stats(&items, &actions, &stats)) {
                assert_int_equal(stats.priority, n_read);
                assert_int_equal(stats.n_packets, n_read);
                assert_true(match_is_equal(&stats.match, &flow.match));
                assert_int_equal(stats.actions.n_bytes, flow.actions.size);
                assert_int_equal(stats.idle_age_s,
                                 i == 1 || protocols[i].version == OF_1_5 ? 3 : -1);
                n_read++;
            }
            assert_int_equal(items.error, OF_OK);
            at += (size_t)length;
            n_messages++;
        }
        assert_false(has_more);
        assert_int_equal(n_read, N_FLOWS);
        assert_true(n_messages > 3);
        buffer_fini(&query);
        buffer_fini(&wire);
        buffer_fini(&actions);
    }
    of_flow_mod_fini(&flow);
}

static void other_statistics_survive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        enum of_version version = versions[i];
        struct buffer query = BUFFER_INIT, wire = BUFFER_INIT;
        struct of_message message, answer;
        struct of_reply reply;
        struct of_items items;

        of_encode_port_stats_request(OFPP_NONE, version, 1, &query);
        message = message_of(&query, OF_PORT_STATS_REQUEST);
        of_port port;
        assert_int_equal(of_decode_port_stats_request(&message, &port), OF_OK);
        assert_int_equal(port, OFPP_NONE);
        struct of_port_stats port_stats = {.port = 3,
                                           .rx_packets = 1,
                                           .collisions = 12,
                                           .rx_crc_errors = UINT64_MAX},
                             port_again;
        of_reply_begin(&reply, &message, &wire);
        of_reply_add_port_stats(&reply, &port_stats);
        of_reply_end(&reply);
        answer = message_of(&wire, OF_PORT_STATS_REPLY);
        of_items_init(&items, &answer);
        assert_true(of_next_port_stats(&items, &port_again));
        assert_memory_equal(&port_stats, &port_again, sizeof port_stats);
        assert_false(of_next_port_stats(&items, &port_again));
        assert_int_equal(items.error, OF_OK);

        buffer_clear(&query);
        buffer_clear(&wire);
        of_encode_empty(OF_TABLE_STATS_REQUEST, version, 1, &query);
        message = message_of(&query, OF_TABLE_STATS_REQUEST);
        struct of_table_stats table = {.table_id = 4, .n_flows = 5, .n_lookups = 6, .n_matched = 7},
                              table_again;
        of_reply_begin(&reply, &message, &wire);
        of_reply_add_table(&reply, &table);
        of_reply_end(&reply);
        answer = message_of(&wire, OF_TABLE_STATS_REPLY);
        of_items_init(&items, &answer);
        assert_true(of_next_table_stats(&items, &table_again));
        if (version == OF_1_1 || version == OF_1_2)
            table.miss = OF_MISS_CONTROLLER; /* What the default is called there. */
        assert_memory_equal(&table, &table_again, sizeof table);

        buffer_clear(&query);
        buffer_clear(&wire);
        of_encode_empty(OF_DESC_REQUEST, version, 1, &query);
        message = message_of(&query, OF_DESC_REQUEST);
        struct of_desc desc = {.manufacturer = "Weir", .software = "0.1", .serial = "None"};
        struct of_desc_text text;
        of_encode_desc(&desc, &message, &wire);
        answer = message_of(&wire, OF_DESC_REPLY);
        assert_int_equal(of_decode_desc(&answer, &text), OF_OK);
        assert_string_equal(text.manufacturer, "Weir");
        assert_string_equal(text.serial, "None");

        buffer_clear(&query);
        buffer_clear(&wire);
        of_encode_port_desc_request(OFPP_NONE, version, 1, &query);
        message = message_of(&query, OF_PORT_DESC_REQUEST);
        struct of_port_info info = {.port = OFPP_LOCAL, .name = "br0"}, info_again;
        of_reply_begin(&reply, &message, &wire);
        of_reply_add_port(&reply, &info);
        of_reply_end(&reply);
        answer = message_of(&wire, OF_PORT_DESC_REPLY);
        of_items_init(&items, &answer);
        assert_true(of_next_port(&items, &info_again));
        assert_memory_equal(&info, &info_again, sizeof info);
        assert_false(of_next_port(&items, &info_again));
        buffer_fini(&query);
        buffer_fini(&wire);
    }
}

static void aggregates_survive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        struct of_aggregate aggregate = {.n_packets = 1, .n_bytes = 2, .n_flows = 3}, again;
        struct of_flow_stats_request request;
        struct buffer query = BUFFER_INIT, wire = BUFFER_INIT;

        of_flow_stats_request_init(&request);
        of_encode_flow_stats_request(&request, OF_AGGREGATE_REQUEST, &protocols[i], 5, &query);
        struct of_message message = message_of(&query, OF_AGGREGATE_REQUEST);
        of_encode_aggregate(&aggregate, &message, &wire);
        struct of_message answer = message_of(&wire, OF_AGGREGATE_REPLY);
        assert_int_equal(of_decode_aggregate(&answer, &again), OF_OK);
        assert_int_equal(again.n_packets, 1);
        assert_int_equal(again.n_bytes, 2);
        assert_int_equal(again.n_flows, 3);
        buffer_fini(&query);
        buffer_fini(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_cut_from_a_stream),
        cmocka_unit_test(hellos_negotiate_a_version),
        cmocka_unit_test(unknown_messages_are_refused),
        cmocka_unit_test(errors_carry_the_request_and_their_numbers),
        cmocka_unit_test(every_error_survives_where_it_can_be_said),
        cmocka_unit_test(every_row_of_the_table_is_found_again),
        cmocka_unit_test(features_and_ports_survive),
        cmocka_unit_test(small_messages_survive),
        cmocka_unit_test(tunnel_options_survive),
        cmocka_unit_test(flow_formats_are_agreed_on),
        cmocka_unit_test(flow_mods_survive),
        cmocka_unit_test(wrong_flow_mods_get_their_error),
        cmocka_unit_test(flow_removed_survives),
        cmocka_unit_test(packets_travel_both_ways),
        cmocka_unit_test(long_replies_come_in_several_messages),
        cmocka_unit_test(other_statistics_survive),
        cmocka_unit_test(aggregates_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
