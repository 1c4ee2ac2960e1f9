/* SPDX-License-Identifier: Apache-2.0 */

/* Groups and meters from text to the wire of every version and back, and what is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/group_text.h"

static const enum of_version versions[] = {OF_1_0, OF_1_1, OF_1_2, OF_1_3, OF_1_4, OF_1_5};

static struct of_message message_of(const struct buffer *wire, enum of_message_kind kind)
{
    struct of_message message;

    assert_int_equal(of_decode_message(wire->data, wire->size, &message), OF_OK);
    assert_int_equal(message.kind, kind);
    return message;
}

static bool has_numbers(enum of_version version)
{
    return version == OF_1_0 || version == OF_1_5;
}

static char *text_of(const struct of_group *group)
{
    struct buffer text = BUFFER_INIT;

    of_group_format(group, NULL, &text);
    return buffer_take_text(&text);
}

/* As ovs-ofctl prints them for the same input: in 1.0 and 1.5, and in between. */
static const struct {
    const char *input, *numbered, *plain;
} groups[] = {
    {"group_id=1,type=select,bucket=weight:50,actions=output:1,bucket=weight=10,watch_port=2,"
     "actions=group:7,output:2",
     "group_id=1,type=select,bucket=bucket_id:0,weight:50,actions=output:1,"
     "bucket=bucket_id:1,weight:10,watch_port:2,actions=group:7,output:2",
     "group_id=1,type=select,bucket=weight:50,actions=output:1,"
     "bucket=weight:10,watch_port:2,actions=group:7,output:2"},
    {"group_id=2,type=ff,bucket=watch_port:1,output:1,bucket=watch_group:1,actions=group:1",
     "group_id=2,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1,"
     "bucket=bucket_id:1,watch_group:1,actions=group:1",
     "group_id=2,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_group:1,actions=group:"
     "1"},
    {"group_id=3,type=all", "group_id=3,type=all", "group_id=3,type=all"},
    {"group_id=4 type=indirect bucket=actions=drop",
     "group_id=4,type=indirect,bucket=bucket_id:0,actions=drop",
     "group_id=4,type=indirect,bucket=actions=drop"},
    {"group_id=5,type=select,selection_method=hash,selection_method_param=0x7,"
     "fields(nw_proto,ip_dst=255.255.255.0,tcp_dst),bucket=actions=1",
     "group_id=5,type=select,selection_method=hash,selection_method_param=7,"
     "fields(ip_dst=255.255.255.0,nw_proto,tcp_dst),bucket=bucket_id:0,actions=output:1",
     "group_id=5,type=select,bucket=actions=output:1"},
    {"group_id=6,type=select,selection_method=dp_hash,bucket=bucket_id=7,actions=1,"
     "bucket=bucket_id=9,2",
     "group_id=6,type=select,selection_method=dp_hash,bucket=bucket_id:7,actions=output:1,"
     "bucket=bucket_id:9,actions=output:2",
     "group_id=6,type=select,bucket=actions=output:1,bucket=actions=output:2"},
    {"group_id=7,type=select,selection_method=hash,fields=ip_src=255.0.0.0,bucket=weight:0,drop",
     "group_id=7,type=select,selection_method=hash,fields=ip_src=255.0.0.0,"
     "bucket=bucket_id:0,weight:0,actions=drop",
     "group_id=7,type=select,bucket=weight:0,actions=drop"},
    {"group_id=0xffffff00,type=all,bucket=resubmit(,3),learn_nothing=no", NULL, NULL},
};

static void groups_print_in_every_version_what_ovs_prints(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(groups) * ARRAY_SIZE(versions); i++) {
        enum of_version version = versions[i % ARRAY_SIZE(versions)];
        const char *input = groups[i / ARRAY_SIZE(versions)].input;
        const char *expected = has_numbers(version) ? groups[i / ARRAY_SIZE(versions)].numbered
                                                    : groups[i / ARRAY_SIZE(versions)].plain;
        struct error error = ERROR_INIT;
        struct of_group_mod mod, again;
        struct buffer wire = BUFFER_INIT;

        int result = of_group_mod_parse(input, OFGC_ADD, NULL, &mod, &error);
        if (!expected) {
            assert_int_not_equal(result, 0);
            of_group_mod_fini(&mod);
            continue;
        }
        if (result)
            fail_msg("%s: %s", input, error.message);
        of_encode_group_mod(&mod, version, 1, &wire);
        struct of_message message = message_of(&wire, OF_GROUP_MOD);
        assert_int_equal(of_decode_group_mod(&message, 254, &again), OF_OK);
        assert_int_equal(again.command, OFGC_ADD);
        char *text = text_of(&again.group);
        assert_string_equal(text, expected);
        free(text);
        of_group_mod_fini(&mod);
        of_group_mod_fini(&again);
        buffer_fini(&wire);
    }
}

static void descriptions_and_counters_of_groups_survive(void **state)
{
    const struct of_bucket_counts counts[] = {{1, 2}, {3, 4}};
    struct of_group_mod mod;

    (void)state;
    assert_int_equal(of_group_mod_parse(groups[5].input, OFGC_ADD, NULL, &mod, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct buffer query = BUFFER_INIT, wire = BUFFER_INIT, kept = BUFFER_INIT;
        struct of_group_stats stats = {.group_id = 6,
                                       .n_references = 5,
                                       .n_packets = 6,
                                       .n_bytes = 7,
                                       .duration_s = 8,
                                       .duration_ns = 9,
                                       .buckets = counts,
                                       .n_buckets = 2};
        struct of_reply reply;
        struct of_items items;
        uint32_t group_id;

        of_encode_group_request(6, OF_GROUP_DESC_REQUEST, versions[i], 1, &query);
        struct of_message message = message_of(&query, OF_GROUP_DESC_REQUEST);
        assert_int_equal(of_decode_group_request(&message, &group_id), OF_OK);
        assert_int_equal(group_id, has_numbers(versions[i]) ? 6 : (uint32_t)OF_GROUP_ALL);
        of_reply_begin(&reply, &message, &wire);
        of_reply_add_group(&reply, &mod.group);
        of_reply_add_group(&reply, &mod.group);
        of_reply_end(&reply);
        struct of_message answer = message_of(&wire, OF_GROUP_DESC_REPLY);
        of_items_init(&items, &answer);
        for (size_t j = 0; j < 2; j++) {
            struct of_group group;
            assert_true(of_next_group(&items, &group));
            char *text = text_of(&group);
            assert_string_equal(text,
                                has_numbers(versions[i]) ? groups[5].numbered : groups[5].plain);
            free(text);
            of_group_fini(&group);
        }

        buffer_clear(&query);
        buffer_clear(&wire);
        of_encode_group_request(6, OF_GROUP_STATS_REQUEST, versions[i], 1, &query);
        message = message_of(&query, OF_GROUP_STATS_REQUEST);
        of_reply_begin(&reply, &message, &wire);
        of_reply_add_group_stats(&reply, &stats);
        of_reply_end(&reply);
        answer = message_of(&wire, OF_GROUP_STATS_REPLY);
        of_items_init(&items, &answer);
        struct of_group_stats again;
        assert_true(of_next_group_stats(&items, &kept, &again));
        assert_int_equal(again.group_id, 6);
        assert_int_equal(again.n_bytes, 7);
        assert_int_equal(again.n_buckets, 2);
        assert_memory_equal(again.buckets, counts, sizeof counts);
        bool has_duration = versions[i] == OF_1_0 || versions[i] >= OF_1_3;
        assert_int_equal(again.duration_s, has_duration ? 8 : UINT32_MAX);
        buffer_clear(&wire);
        of_group_stats_format(&again, &wire);
        assert_string_equal(
            buffer_text(&wire),
            has_duration
                ? "group_id=6,duration=8.000000009s,ref_count=5,packet_count=6,byte_count=7,"
                  "bucket0:packet_count=1,byte_count=2,bucket1:packet_count=3,byte_count=4"
                : "group_id=6,ref_count=5,packet_count=6,byte_count=7,"
                  "bucket0:packet_count=1,byte_count=2,bucket1:packet_count=3,byte_count=4");
        assert_false(of_next_group_stats(&items, &kept, &again));
        buffer_fini(&query);
        buffer_fini(&wire);
        buffer_fini(&kept);
    }
    of_group_mod_fini(&mod);
}

static void wrong_groups_are_named(void **state)
{
    static const char *const texts[] = {
        "",
        "group_id=1",
        "type=all",
        "group_id=1,type=most",
        "group_id=4294967041,type=all",
        "group_id=1,type=ff,bucket=output:1",
        "group_id=1,type=all,bucket=weight:5,output:1",
        "group_id=1,type=all,bucket=goto_table:1",
        "group_id=1,type=all,bucket=write_actions(output:1)",
        "group_id=1,type=all,bucket=nonsense",
        "group_id=1,type=all,bucket=watch_port:nowhere",
        "group_id=1,type=all,bucket=(output:1",
        "group_id=1,type=select,fields(ip_src",
        "group_id=1,type=select,fields(no_such_field)",
        "group_id=1,type=select,fields(ip_src,ip_src)",
        "group_id=1,type=select,fields(eth_type=0xff)",
        "group_id=1,type=select,selection_method=averyveryverylongname",
        "group_id=1,type=all,command_bucket_id=1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct error error = ERROR_INIT;
        struct of_group_mod mod;

        if (!of_group_mod_parse(texts[i], OFGC_ADD, NULL, &mod, &error))
            fail_msg("\"%s\" is taken", texts[i]);
        assert_true(error.message[0]);
        of_group_mod_fini(&mod);
    }
}

static void wrong_group_mods_get_their_error(void **state)
{
    static const struct {
        enum of_version version;
        uint8_t bytes[56];
        uint8_t n_bytes;
        enum of_error error;
    } cases[] = {
        {OF_1_3, {0, 7, 0, 0, 0, 0, 0, 1}, 8, OFPGMFC_BAD_COMMAND},
        {OF_1_3, {0, 3, 0, 0, 0, 0, 0, 1}, 8, OFPGMFC_BAD_COMMAND},
        {OF_1_3, {0, 0, 4, 0, 0, 0, 0, 1}, 8, OFPGMFC_BAD_TYPE},
        {OF_1_3, {0, 0, 2, 0, 0, 0, 0, 1}, 8, OFPGMFC_INVALID_GROUP},
        {OF_1_3, {0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc}, 8, OFPGMFC_INVALID_GROUP},
        {OF_1_3, {0, 2, 0, 0, 0xff, 0xff, 0xff, 0xfc}, 8, OF_OK},
        {OF_1_3, {0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0}, 16, OFPGMFC_BAD_BUCKET},
        {OF_1_3, {0, 0, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0}, 16, OFPGMFC_BAD_BUCKET},
        {OF_1_3,
         {0, 0, 0, 0, 0, 0, 0, 1, 0, 16, 0, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         24,
         OFPGMFC_INVALID_GROUP}, /* A weight. */
        {OF_1_3, {0, 0, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 0, 0xff, 0}, 24, OFPGMFC_BAD_WATCH},
        {OF_1_5,
         {0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
         16,
         OFPGMFC_BAD_BUCKET},
        {OF_1_5, {0, 5, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 16, OF_OK},
        {OF_1_5,
         {0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x01},
         16,
         OFPGMFC_BAD_BUCKET},
        {OF_1_5, {0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0}, 16, OFPBRC_BAD_LEN},
        {OF_1_5, {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 4}, 24, OFPBPC_BAD_TYPE},
        {OF_1_5,
         {0, 0, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 0, 0, 0,
          0, 8, 0, 0, 0, 0, 0, 1, 0, 8,  0, 0, 0, 0, 0, 1},
         32,
         OFPGMFC_BAD_BUCKET}, /* The same number twice. */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer wire = BUFFER_INIT;
        struct of_group_mod mod;

        size_t start = of_begin_message(OF_GROUP_MOD, OF_FORM_STANDARD, cases[i].version, 1, &wire);
        buffer_put(&wire, cases[i].bytes, cases[i].n_bytes);
        of_finish_message(start, &wire);
        struct of_message message = message_of(&wire, OF_GROUP_MOD);
        enum of_error error = of_decode_group_mod(&message, 254, &mod);
        if (error != cases[i].error)
            fail_msg("case %zu: %s", i, of_error_name(error));
        of_group_mod_fini(&mod);
        buffer_fini(&wire);
    }
}

static void meters_print_what_ovs_prints(void **state)
{
    static const struct {
        const char *input, *expected;
    } meters[] = {
        {"meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=200",
         "meter=1 kbps burst stats bands=\ntype=drop rate=1000 burst_size=200\n"},
        {"meter=2 pktps bands=type=drop rate=10 type=drop rate=20",
         "meter=2 pktps bands=\ntype=drop rate=10\ntype=drop rate=20\n"},
        {"meter=controller,band=type=dscp_remark,rate=1,prec_level=1",
         "meter=controller kbps bands=\ntype=dscp_remark rate=1 prec_level=1\n"},
        {"meter=0,kbps,band=type=drop,rate=1", NULL},
        {"meter=1,kbps", NULL},
        {"kbps,band=type=drop,rate=1", NULL},
        {"meter=1,kbps,pktps,band=type=drop,rate=1", NULL},
        {"meter=1,kbps,band=type=drop", NULL},
        {"meter=1,kbps,band=rate=1", NULL},
        {"meter=1,nonsense,band=type=drop,rate=1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(meters) * 3; i++) {
        enum of_version version = (enum of_version)(OF_1_3 + i % 3);
        struct buffer wire = BUFFER_INIT, text = BUFFER_INIT;
        struct error error = ERROR_INIT;
        struct of_meter_mod mod, again;

        int result = of_meter_mod_parse(meters[i / 3].input, OFMC_ADD, &mod, &error);
        if (result && meters[i / 3].expected)
            fail_msg("%s: %s", meters[i / 3].input, error.message);
        if (!result && !meters[i / 3].expected)
            fail_msg("%s: is taken", meters[i / 3].input);
        if (!result) {
            of_encode_meter_mod(&mod, version, 1, &wire);
            struct of_message message = message_of(&wire, OF_METER_MOD);
            assert_int_equal(of_decode_meter_mod(&message, &again), OF_OK);
            of_meter_format(&again.meter, &text);
            assert_string_equal(buffer_text(&text), meters[i / 3].expected);
            of_meter_mod_fini(&again);
        }
        of_meter_mod_fini(&mod);
        buffer_fini(&wire);
        buffer_fini(&text);
    }
}

static void meter_statistics_survive(void **state)
{
    const struct of_band_counts counts[] = {{1, 2}};
    const struct of_meter_stats stats = {.meter_id = OF_METER_CONTROLLER,
                                         .n_flows = 3,
                                         .n_packets = 4,
                                         .n_bytes = 5,
                                         .duration_s = 6,
                                         .duration_ns = 7000000,
                                         .bands = counts,
                                         .n_bands = 1};
    struct buffer query = BUFFER_INIT, wire = BUFFER_INIT, kept = BUFFER_INIT, text = BUFFER_INIT;
    struct of_meter_features features = {1, 2, 3, 4, 5}, features_again;
    struct of_meter_stats again;
    struct of_reply reply;
    struct of_items items;

    (void)state;
    of_encode_meter_request(OF_METER_ALL, OF_METER_STATS_REQUEST, OF_1_3, 1, &query);
    struct of_message message = message_of(&query, OF_METER_STATS_REQUEST);
    assert_int_equal(of_decode_meter_request(&message), OF_METER_ALL);
    of_reply_begin(&reply, &message, &wire);
    of_reply_add_meter_stats(&reply, &stats);
    of_reply_end(&reply);
    struct of_message answer = message_of(&wire, OF_METER_STATS_REPLY);
    of_items_init(&items, &answer);
    assert_true(of_next_meter_stats(&items, &kept, &again));
    of_meter_stats_format(&again, &text);
    assert_string_equal(buffer_text(&text),
                        "meter:controller flow_count:3 packet_in_count:4 byte_in_count:5 "
                        "duration:6.007s bands:\n0: packet_count:1 byte_count:2\n");
    assert_false(of_next_meter_stats(&items, &kept, &again));

    buffer_clear(&query);
    buffer_clear(&wire);
    of_encode_empty(OF_METER_FEATURES_REQUEST, OF_1_4, 1, &query);
    message = message_of(&query, OF_METER_FEATURES_REQUEST);
    of_encode_meter_features(&features, &message, &wire);
    answer = message_of(&wire, OF_METER_FEATURES_REPLY);
    of_decode_meter_features(&answer, &features_again);
    assert_int_equal(features_again.capabilities, 3);
    assert_int_equal(features_again.max_color, 5);
    buffer_fini(&query);
    buffer_fini(&wire);
    buffer_fini(&kept);
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_print_in_every_version_what_ovs_prints),
        cmocka_unit_test(descriptions_and_counters_of_groups_survive),
        cmocka_unit_test(wrong_groups_are_named),
        cmocka_unit_test(wrong_group_mods_get_their_error),
        cmocka_unit_test(meters_print_what_ovs_prints),
        cmocka_unit_test(meter_statistics_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
