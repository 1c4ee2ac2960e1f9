/* SPDX-License-Identifier: Apache-2.0 */

/* Matches and actions on the wire: what is encoded decodes to the same, and what is wrong is
 * refused with the error that OpenFlow has for it. */

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
#include "lib/openflow/fields.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/match_codec.h"

enum { N_RANDOM = 20000 };

/* Bytes from hex digits; blanks are skipped. */
static void put_hex(const char *hex, struct buffer *out)
{
    unsigned byte;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        *(uint8_t *)buffer_put_uninit(out, 1) = (uint8_t)byte;
        hex++;
    }
}

static void random_value(const struct of_field *field, struct of_value *value)
{
    struct of_value ones;

    of_value_all_ones(field, &ones);
    memset(value, 0, sizeof *value);
    for (size_t i = 0; i < field->n_bytes; i++)
        value->bytes[i] = (uint8_t)(random() & ones.bytes[i]);
    value->bytes[field->n_bytes - 1] &= (uint8_t)~field->never_set;
}

static void set_exact(struct match *match, enum of_field_id id, uint64_t number)
{
    struct of_value value;

    of_value_from_u64(of_field(id), number, &value);
    of_field_set(of_field(id), &value, &match->flow);
    of_field_add_mask(of_field(id), NULL, &match->mask);
}

/* A match of random fields, all with their prerequisites. */
static void random_match(struct match *match)
{
    static const uint16_t eth_types[] = {
        0, ETH_TYPE_IPV4, ETH_TYPE_IPV6, ETH_TYPE_ARP, ETH_TYPE_RARP, ETH_TYPE_MPLS, ETH_TYPE_NSH};
    static const uint8_t protocols[] = {0, 1, 6, 17, 58, 132, 47};
    uint16_t eth_type = eth_types[random() % 7];

    match_init_any(match);
    if (eth_type)
        set_exact(match, FIELD_ETH_TYPE, eth_type);
    if (eth_type == ETH_TYPE_IPV4 || eth_type == ETH_TYPE_IPV6)
        set_exact(match, FIELD_IP_PROTO, protocols[random() % 7]);
    if (random() % 4 == 0)
        set_exact(match, FIELD_VLAN_TCI, VLAN_CFI | (random() & VLAN_VID_MASK));
    if (random() % 4 == 0)
        set_exact(match, FIELD_IN_PORT, (uint64_t)(random() % OFPP_MAX));
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];
        struct of_value value, mask, old;

        of_field_get(field, &match->mask, &old);
        for (size_t j = 0; j < sizeof old.bytes; j++)
            value.bytes[j] = 0;
        if (random() % 24 || memcmp(&old, &value, sizeof old) || field->format == FORMAT_PORT ||
            field->format == FORMAT_FRAG || !of_field_match_allows(field, match) ||
            field->id == FIELD_VLAN_VID || field->id == FIELD_VLAN_TCI ||
            field->id == FIELD_ETH_TYPE || field->id == FIELD_IP_PROTO ||
            field->id == FIELD_PACKET_TYPE || !of_field_has_place(field) ||
            (!field->nxm_header && !field->oxm_header))
            continue;
        random_value(field, &value);
        if (field->id == FIELD_ARP_OP)
            value.bytes[0] = 0;
        random_value(field, &mask);
        if (field->mask_rule == MASK_NONE || random() & 1)
            of_value_all_ones(field, &mask);
        for (size_t j = 0; j < sizeof value.bytes; j++)
            value.bytes[j] &= mask.bytes[j];
        of_field_set_masked(field, &value, &mask, &match->flow);
        of_field_add_mask(field, &mask, &match->mask);
    }
}

static void nxm_and_oxm_keep_every_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_RANDOM; i++) {
        struct buffer wire = BUFFER_INIT;
        struct match match, again;
        be64 cookie, cookie_mask;
        size_t n_used;

        random_match(&match);
        of_match_encode_nxm(&match, (be64){(uint64_t)i}, (be64){UINT64_MAX}, &wire);
        assert_int_equal(of_match_decode_nxm(wire.data, wire.size, &again, &cookie, &cookie_mask),
                         OF_OK);
        assert_true(match_is_equal(&match, &again));
        assert_int_equal(cookie.raw, i);

        buffer_clear(&wire);
        of_match_encode(&match, OF_1_3, &wire);
        assert_int_equal(wire.size % 8, 0);
        assert_int_equal(of_match_decode(wire.data, wire.size, &again, &n_used), OF_OK);
        assert_int_equal(n_used, wire.size);
        assert_true(match_is_equal(&match, &again));
        assert_true(of_match_fits(&match, OF_1_3));
        buffer_fini(&wire);
    }
}

/* Some have the mask of the one before and other values, so that other fields have their prerequisites. */
static void matches_of_one_shape_are_encoded_like_each_by_itself(void **state UNUSED)
{
    static struct of_match_shape shape;
    struct match match = {.mask = {.metadata = {0}}};
    size_t n_alike = 0;

    for (size_t i = 0; i < N_RANDOM; i++) {
        enum of_version version = i % 1000 < 500 ? OF_1_0 : OF_1_4;
        struct buffer alike = BUFFER_INIT, alone = BUFFER_INIT;
        struct match other, before = shape.first;

        random_match(&other);
        if (random() % 4)
            match.flow = other.flow;
        else
            match = other;
        match_normalize(&match);
        of_match_encode_fields(&match, version, &alone);
        of_match_encode_fields_alike(&match, version, &shape, &alike);
        assert_int_equal(alone.size, alike.size);
        if (alone.size)
            assert_memory_equal(alone.data, alike.data, alone.size);
        n_alike += match_is_equal(&before, &shape.first) && !match_is_equal(&before, &match);
        buffer_fini(&alike);
        buffer_fini(&alone);
    }
    assert_in_range(n_alike, N_RANDOM / 10, N_RANDOM - N_RANDOM / 10);
}

/* Bits of some field, prerequisites or not. */
static void what_fits_comes_back(void **state)
{
    size_t n_fit = 0;

    (void)state;
    for (size_t i = 0; i < N_RANDOM; i++) {
        struct buffer wire = BUFFER_INIT;
        struct match match, again;
        size_t n_used, word = (size_t)random() % FLOW_WORDS;

        random_match(&match);
        for (size_t j = (size_t)random() % 3; j > 0; j--)
            flow_words(&match.mask)[word] ^= UINT64_C(1) << random() % 64;
        flow_words(&match.flow)[word] ^= (uint64_t)random() << random() % 33;
        match.mask.tun_options_present = be64_from(0); /* Bits without a place are no field. */
        match_normalize(&match);
        for (enum of_version version = OF_1_2; version <= OF_1_5; version++) {
            buffer_clear(&wire);
            of_match_encode(&match, version, &wire);
            bool is_kept = !of_match_decode(wire.data, wire.size, &again, &n_used) &&
                           match_is_equal(&match, &again);
            bool is_untagged = match.mask.key.vlan[0].tci.raw == UINT16_MAX &&
                               !match.flow.key.vlan[0].tci.raw;
            assert_true(is_untagged || of_match_fits(&match, version) == is_kept);
            n_fit += is_kept;
        }
        buffer_fini(&wire);
    }
    assert_in_range(n_fit, N_RANDOM, 4 * N_RANDOM - N_RANDOM / 4);
}

static void openflow10_keeps_what_fits(void **state)
{
    size_t n_fit = 0;

    (void)state;
    for (size_t i = 0; i < N_RANDOM; i++) {
        struct buffer wire = BUFFER_INIT, twice = BUFFER_INIT;
        struct match match, again;

        random_match(&match);
        of_match_encode_of10(&match, &wire);
        assert_int_equal(wire.size, OF10_MATCH_BYTES);
        of_match_decode_of10(wire.data, &again);
        assert_int_equal(of_match_fits_of10(&match), match_is_equal(&match, &again));
        n_fit += match_is_equal(&match, &again);

        /* What came out once comes out again. */
        assert_true(of_match_fits_of10(&again));
        buffer_fini(&wire);
        buffer_fini(&twice);
    }
    assert_true(n_fit > 100);
}

static void matches_are_encoded_like_ovs_does(void **state)
{
    struct match match;
    struct buffer nxm = BUFFER_INIT, oxm = BUFFER_INIT, expected = BUFFER_INIT;

    (void)state;
    match_init_any(&match);
    set_exact(&match, FIELD_ETH_TYPE, ETH_TYPE_IPV4);
    set_exact(&match, FIELD_IP_PROTO, IP_PROTO_TCP);
    set_exact(&match, FIELD_IN_PORT, 3);
    set_exact(&match, FIELD_ETH_SRC, 0x001122334455);
    set_exact(&match, FIELD_VLAN_VID, VLAN_CFI | 5);
    set_exact(&match, FIELD_NW_TOS, 32);
    set_exact(&match, FIELD_IP_TTL, 3);
    set_exact(&match, FIELD_TCP_SRC, 80);
    set_exact(&match, FIELD_METADATA, 3);
    set_exact(&match, FIELD_PKT_MARK, 9);
    match.flow.key.tcp_flags = be16_from(0x02);
    match.mask.key.tcp_flags = be16_from(0x12);
    match.flow.regs[3] = be32_from(5);
    match.mask.regs[3] = be32_from(7);

    /* From `ovs-ofctl add-flow`, 3.1. */
    put_hex("000000020003000004060011223344550000060208000000090410051fff00000a012000013a0103"
            "00000c010600001202005000014504000200120001070800000005000000070001420400000009"
            "80000408000000000000 0003",
            &expected);
    of_match_encode_nxm(&match, (be64){0}, (be64){0}, &nxm);
    assert_int_equal(nxm.size, expected.size);
    assert_memory_equal(nxm.data, expected.data, expected.size);

    buffer_clear(&expected);
    put_hex("0001006380000004000000038000080600112233445580000a02080080000c021005800010010800013a"
            "0103800014010680001a020050ffff55084f4e4600000200120001070800000005000000070001420400"
            "0000098000040800000000000000030000000000",
            &expected);
    of_match_encode(&match, OF_1_3, &oxm);
    assert_int_equal(oxm.size, expected.size);
    assert_memory_equal(oxm.data, expected.data, expected.size);
    buffer_fini(&nxm);
    buffer_fini(&oxm);
    buffer_fini(&expected);
}

static void wrong_matches_get_their_error(void **state)
{
    static const struct {
        const char *nxm;
        enum of_error error;
    } cases[] = {
        {"", OF_OK},
        {"00000602 0800", OF_OK},
        {"00000602 08", OFPBMC_BAD_LEN},
        {"000006", OFPBMC_BAD_LEN},
        {"00000603 080000", OFPBMC_BAD_FIELD},
        {"0001fe04 00000000", OFPBMC_BAD_FIELD},
        {"00000602 0800 00000602 0800", OFPBMC_DUP_FIELD},
        {"00000602 0800 80000a02 0800", OFPBMC_DUP_FIELD},
        {"00000c01 06", OFPBMC_BAD_PREREQ},
        {"00000602 0800 00001202 0050", OFPBMC_BAD_PREREQ},
        {"00000602 0800 00000c01 06 00001202 0050", OF_OK},
        {"00000602 0800 00000c01 11 00001202 0050", OFPBMC_BAD_PREREQ},
        {"00000604 0800 ffff", OFPBMC_BAD_FIELD},
        {"00000704 0800 ffff", OF_OK},
        {"00000704 0800 ff00", OFPBMC_BAD_MASK},
        {"00000703 0800 ff", OFPBMC_BAD_WILDCARDS},
        {"00010108 00000005 00000003", OFPBMC_BAD_WILDCARDS},
        {"00000602 0800 00000a01 21", OFPBMC_BAD_VALUE},
        {"00000602 0806 00001e02 0100", OFPBMC_BAD_VALUE},
        {"80000c02 2005", OFPBMC_BAD_VALUE},
        {"80000e01 03", OFPBMC_BAD_PREREQ},
        {"80000c02 1005 80000e01 03", OF_OK},
        {"80000004 0000ff00", OFPBMC_BAD_VALUE},
        {"80000004 fffffffe", OF_OK},
        {"00010108 00000000 00000000", OF_OK},
        {"ffff5406 4f4e4600 0002", OFPBMC_BAD_PREREQ},
        {"ffff5402 4f4e", OFPBMC_BAD_LEN},
        {"ffff5406 12345678 0002", OFPBMC_BAD_FIELD},
        {"00013c08 0000000000000005", OFPBMC_BAD_FIELD}, /* A cookie where none may be. */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer wire = BUFFER_INIT;
        struct match match;

        put_hex(cases[i].nxm, &wire);
        enum of_error error = of_match_decode_nxm(wire.data, wire.size, &match, NULL, NULL);
        if (error != cases[i].error)
            fail_msg("%s: %s", cases[i].nxm, of_error_name(error));
        buffer_fini(&wire);
    }
}

static void oxm_matches_have_a_type_and_padding(void **state)
{
    static const struct {
        const char *oxm;
        enum of_error error;
    } cases[] = {
        {"0001000400000000", OF_OK},
        {"00010004000000", OFPBMC_BAD_LEN},
        {"0001000300000000", OFPBMC_BAD_LEN},
        {"00010009800000040000000300000000", OFPBMC_BAD_LEN},
        {"0001000c8000000400000003", OFPBMC_BAD_LEN},
        {"0001000c800000040000000300000000", OF_OK},
        {"0000005800000000", OFPBMC_BAD_LEN}, /* 1.1's, cut. */
        {"0002000800000000", OFPBMC_BAD_TYPE},
        {"0001000c8000fe040000000300000000", OFPBMC_BAD_FIELD},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer wire = BUFFER_INIT;
        struct match match;
        size_t n_used;

        put_hex(cases[i].oxm, &wire);
        enum of_error error = of_match_decode(wire.data, wire.size, &match, &n_used);
        if (error != cases[i].error)
            fail_msg("%s: %s", cases[i].oxm, of_error_name(error));
        buffer_fini(&wire);
    }
    struct buffer wire = BUFFER_INIT;
    struct match match;
    size_t n_used;
    put_hex("000100148000fe0400000003 8000000400000003 00000000", &wire);
    assert_int_equal(of_match_decode_loose(wire.data, wire.size, &match, &n_used), OF_OK);
    assert_int_equal(n_used, 24);
    assert_int_equal(be32_host(match.flow.key.in_port), 3);
    buffer_fini(&wire);
}

struct action_case {
    const char *hex;
    enum of_error error;
};

static void check_actions(const struct action_case *cases, size_t n_cases, enum of_version version)
{
    for (size_t i = 0; i < n_cases; i++) {
        struct buffer wire = BUFFER_INIT, list = BUFFER_INIT, again = BUFFER_INIT;

        put_hex(cases[i].hex, &wire);
        enum of_error error = ofa_decode_actions(wire.data, wire.size, version, &list);
        if (error != cases[i].error)
            fail_msg("%s: %s", cases[i].hex, of_error_name(error));
        if (!error) {
            ofa_encode_actions((struct ofa_list){(const void *)list.data, list.size}, version,
                               &again);
            if (wire.size != again.size || memcmp(wire.data, again.data, wire.size))
                fail_msg("%s: is encoded in another way", cases[i].hex);
        }
        buffer_fini(&wire);
        buffer_fini(&list);
        buffer_fini(&again);
    }
}

static void actions_of_openflow10_decode_and_encode(void **state)
{
    static const struct action_case cases[] = {
        {"0000000800010000", OF_OK},                  /* output:1 */
        {"0000000800010000 00000008fffd0080", OF_OK}, /* output:1,CONTROLLER:128 */
        {"0001000800050000", OF_OK},                  /* mod_vlan_vid:5 */
        {"0001000810000000", OFPBAC_BAD_ARGUMENT},
        {"0002000807000000", OF_OK}, /* mod_vlan_pcp:7 */
        {"0002000808000000", OFPBAC_BAD_ARGUMENT},
        {"0003000800000000", OF_OK}, /* strip_vlan */
        {"00040010001122334455 000000000000", OF_OK},
        {"00050010001122334455 000000000000", OF_OK},
        {"000400080011223344550000", OFPBAC_BAD_LEN},
        {"0006000801020304", OF_OK},
        {"0007000801020304", OF_OK},
        {"0008000810000000", OF_OK},
        {"0008000811000000", OFPBAC_BAD_ARGUMENT},
        {"0009000800500000", OF_OK},
        {"000a000800500000", OF_OK},
        {"000b0010000100000000000000000001", OF_OK}, /* enqueue */
        {"ffff00100000232000080102030000ff", OF_OK}, /* note */
        {"ffff0018000023200000001b00030001", OFPBAC_BAD_LEN},
        {"ffff001800002320001b00030001000400050000 00000000", OF_OK}, /* push */
        {"ffff001800002320001b00030001000400400000 00000000", OFPBAC_BAD_SET_LEN},
        {"ffff001800002320001b00030001000400050000 00000001", NXBRC_MUST_BE_ZERO},
        {"ffff001800002320001c00000000060200100000 00000000", OFPBAC_BAD_SET_ARGUMENT}, /* pop */
        {"ffff001800002320000f000f00010004ffff0000 00000000", OF_OK}, /* output:reg0 */
        {"ffff002000002320002a000000000000 0000000800010000 0000000800020000", OF_OK}, /* clone */
        {"ffff001800002320002a000000000000 0000000900010000", OFPBAC_BAD_LEN},
        {"ffff002000002320000a0000003200000002000b 00000000 00000003 00010004",
         OF_OK}, /* multipath */
        {"ffff002000002320000a0000003200000002001b 00000000 00000003 00010004",
         OFPBAC_BAD_ARGUMENT},
        {"ffff002000002320000a0007003200000002000b 00000000 00000003 00010004",
         OFPBAC_BAD_ARGUMENT},
        {"ffff002800002320000c00010001003c 00000002 0003 0000 00000000 00000000 0001000200030000",
         OF_OK}, /* bundle */
        {"ffff002800002320000c00010001003c 00000002 0005 0000 00000000 00000000 0001000200030000",
         OFPBAC_BAD_LEN},
        {"ffff002800002320000d00010001003c 00000002 0002 000f 00010004 00000000 0001000200000000",
         OF_OK}, /* bundle_load */
        {"ffff002800002320000d00010001003c 00000002 0002 000e 00010004 00000000 0001000200000000",
         OFPBAC_BAD_ARGUMENT},
        {"ffff001800002320003103e800020001 0004000000000000", OF_OK}, /* check_pkt_larger */
        {"ffff00100000232000220003 0000000c", OF_OK},                 /* conjunction */
        {"ffff00100000232000220303 0000000c", NXBAC_BAD_CONJUNCTION},
        {"ffff00100000232000220001 0000000c", NXBAC_BAD_CONJUNCTION},
        {"ffff00100000232000130005 000a0000", OF_OK},                   /* fin_timeout */
        {"ffff00180000232000150002 00000000 00010002 00000000", OF_OK}, /* dec_ttl(1,2) */
        {"ffff00180000232000150000 00000000 00010002 00000000", OFPBAC_BAD_LEN},
        {"ffff00180000232000150009 00000000 00010002 00000000", OFPBAC_BAD_LEN},
        {"0011000881000000", OFPBAC_BAD_TYPE},
        {"0000000000000000", OFPBAC_BAD_LEN},
        {"000000070001000000", OFPBAC_BAD_LEN},
        {"0000001000010000", OFPBAC_BAD_LEN},
        {"00000004", OFPBAC_BAD_LEN},
        {"ffff0008 00002320", OFPBAC_BAD_LEN},
        {"ffff0010 00002321 0001000000000000", OFPBAC_BAD_VENDOR},
        {"ffff0010 00002320 00ff000000000000", OFPBAC_BAD_VENDOR_TYPE},
        {"ffff0010 00002320 7777000000000000", OFPBAC_BAD_VENDOR_TYPE}, /* learn */
        {"ffff0010 00002320 000efff802000000", OF_OK},
        {"ffff0010 00002320 000efff802000001", OFPBAC_BAD_ARGUMENT},
        {"ffff0010 00002320 0012000000000000", OF_OK}, /* dec_ttl */
        {"ffff0010 00002320 0014006400050100", OF_OK}, /* controller */
        {"ffff0010 00002320 0014006400050101", NXBRC_MUST_BE_ZERO},
        {"ffff0010 00002320 0027000100000064", OF_OK}, /* output(port=1,max_len=100) */
        {"ffff0010 00002320 002700010000000d", OFPBAC_BAD_ARGUMENT},
        {"ffff0018 00002320 0007001f000100040000000000000005", OF_OK}, /* load */
        {"ffff0018 00002320 0007000300010004 0000000000000010", OFPBAC_BAD_ARGUMENT},
        {"ffff0018 00002320 00070020000100040000000000000005", OFPBAC_BAD_SET_LEN},
        {"ffff0018 00002320 0007000700001001 0000000000000005", OFPBAC_BAD_SET_TYPE},
        {"ffff0018 00002320 0007000f000006020000000000000005", OFPBAC_BAD_SET_ARGUMENT},
        {"ffff0018 00002320 0006003000000000 0000040600000206", OF_OK}, /* move */
        {"ffff0018 00002320 0006003100000000 0000040600000206", OFPBAC_BAD_SET_LEN},
        {"ffff0018 00002320 0006000000000000 0000040600000206", OFPBAC_BAD_SET_LEN},
        {"ffff0018 00002320 0006001000000000 0000040600000602", OFPBAC_BAD_SET_ARGUMENT},
        {"ffff0018 00002320 0021 00010108 0000000500000007 0000", OF_OK},
        {"ffff0020 00002320 0021000000000001 00010108 0000000500000007 00000000",
         OFPBAC_BAD_SET_TYPE},
        {"ffff0018 00002320 0021 00010108 0000000500000003 0000", OFPBMC_BAD_WILDCARDS},
        {"ffff0020 00002320 0016000000000000 0000000000000005 00000000000000ff", OF_OK},
    };

    (void)state;
    check_actions(cases, ARRAY_SIZE(cases), OF_1_0);
}

static void actions_of_openflow13_decode_and_encode(void **state)
{
    static const struct action_case cases[] = {
        {"0000001000000001 0000000000000000", OF_OK},
        {"00000010fffffffd ffff000000000000", OF_OK},
        {"000000100000ff00 0000000000000000", OFPBAC_BAD_OUT_PORT},
        {"0000000800010000", OFPBAC_BAD_LEN},
        {"0011000881000000", OF_OK},
        {"00110008 88a80000", OF_OK},
        {"0011000808000000", OFPBAC_BAD_ARGUMENT},
        {"0012000800000000", OF_OK},
        {"0017000805000000", OF_OK},
        {"0018000800000000", OF_OK},
        /* controller(max_len=9,reason=no_match,userdata=ff) as ovs-ofctl sends it */
        {"ffff0028000023200025000000000000 0000000800090000 0002000800000000 00030005ff000000",
         OF_OK},
        {"ffff0018000023200025000000000000 0000000500090000", OFPBPC_BAD_LEN},
        {"0013000888470000", OF_OK}, /* push_mpls */
        {"0013000808000000", OFPBAC_BAD_ARGUMENT},
        {"0014000808000000", OF_OK},               /* pop_mpls */
        {"0010000800000000", OF_OK},               /* dec_mpls_ttl */
        {"000d000800100000", OFPBAC_BAD_ARGUMENT}, /* set_mpls_label */
        {"000e000808000000", OFPBAC_BAD_ARGUMENT}, /* set_mpls_tc */
        {"0016000800000001", OF_OK},               /* group */
        {"001d000800000001", OFPBAC_BAD_TYPE},     /* meter, an instruction until 1.4 */
        {"001c0018 00010000000100000001000400010204 00000000", OFPBAC_BAD_TYPE}, /* copy_field */
        {"0019001080000c021003000000000000", OF_OK}, /* set_field:4099->vlan_vid */
        {"0019001080000c020003000000000000", OFPBAC_BAD_SET_ARGUMENT},
        {"0019001080000a020800000000000000", OFPBAC_BAD_SET_ARGUMENT},   /* eth_type */
        {"00190010 8000000400000001 00000000", OFPBAC_BAD_SET_ARGUMENT}, /* in_port */
        {"00190010 8000fe0400000001 00000000", OFPBAC_BAD_SET_LEN},
        {"00190010 8000170800000001 ffffffff", OFPBAC_BAD_SET_MASK},
        {"00190010 8000160900000001 00000000", OFPBAC_BAD_SET_LEN},
        {"00190010 8000160400000001 00000001", OFPBAC_BAD_SET_ARGUMENT},
        {"00190008 80001604", OFPBAC_BAD_SET_LEN},
        {"ffff0010 00002320 000efff802000000", OF_OK},
    };

    (void)state;
    check_actions(cases, ARRAY_SIZE(cases), OF_1_3);
}

/* What 1.0 numbers in another way; later versions understand it and say set_field. */
static void actions_of_openflow11_decode_and_encode(void **state)
{
    static const struct action_case cases[] = {
        {"0000001000000001 0000000000000000", OF_OK},
        {"00010008 00050000", OF_OK}, /* set_vlan_vid */
        {"00010008 10000000", OFPBAC_BAD_ARGUMENT},
        {"00020008 07000000", OF_OK},
        {"00030010001122334455 000000000000", OF_OK},
        {"00040010001122334455 000000000000", OF_OK},
        {"0005000801020304", OF_OK},
        {"0006000801020304", OF_OK},
        {"0007000804000000", OF_OK},
        {"0007000805000000", OFPBAC_BAD_ARGUMENT},
        {"0008000803000000", OF_OK}, /* mod_nw_ecn */
        {"0008000804000000", OFPBAC_BAD_ARGUMENT},
        {"0009000800500000", OF_OK},
        {"000a000800500000", OF_OK},
        {"0011000881000000", OF_OK},
        {"0012000800000000", OF_OK},
        {"0017000805000000", OF_OK},
        {"0018000800000000", OF_OK},
        {"0019001080000c021003000000000000", OFPBAC_BAD_TYPE},
    };

    (void)state;
    check_actions(cases, ARRAY_SIZE(cases), OF_1_1);
}

static void actions_of_openflow15_decode_and_encode(void **state)
{
    static const struct action_case cases[] = {
        {"001c0018 00010000000100000001000400010204 00000000", OF_OK}, /* copy_field, as move */
        {"001c0018 00010000000100000001000400010204 00000001", NXBAC_MUST_BE_ZERO},
        {"001c0010 0001000000010000", OFPBAC_BAD_LEN},
        {"00190010 8000170800000001 000000ff", OF_OK}, /* set_field with mask */
        {"001d000800000001", OF_OK},                   /* meter */
        {"001d000800000000", OFPMMFC_INVALID_METER},
        {"00190010 8000170800000100 000000ff", OFPBMC_BAD_WILDCARDS},
    };

    (void)state;
    check_actions(cases, ARRAY_SIZE(cases), OF_1_5);
}

static void instructions_are_checked(void **state)
{
    static const struct action_case cases[] = {
        {"", OF_OK},
        {"00010008 05000000", OF_OK},
        {"00010008 05000000 00010008 06000000", OFPBIC_DUP_INST},
        {"00060008 00000001", OF_OK},
        {"00060008 00000000", OFPMMFC_INVALID_METER},
        {"00070008 00000001", OFPBIC_UNKNOWN_INST},
        {"00000008 00000001", OFPBIC_UNKNOWN_INST},
        {"ffff0008 00000001", OFPBIC_BAD_EXPERIMENTER},
        {"00020008 00000000", OFPBIC_BAD_LEN},
        {"00010010 05000000 0000000000000000", OFPBIC_BAD_LEN},
        {"0001000c 05000000 00000000", OFPBIC_BAD_LEN},
        {"00010000 05000000", OFPBIC_BAD_LEN},
        {"00040018 00000000 0000001000000001 0000000000000000", OF_OK},
        {"00040010 00000000 00000010 00000001", OFPBAC_BAD_LEN},
        {"00050008 00000000", OF_OK},
        {"00030010 00000000 0012000800000000", OF_OK},
        {"00030010 00000000 001a000888e70000", OFPBAC_BAD_TYPE},
        {"00020018 00000000 0000000000000005 00000000000000ff", OF_OK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer wire = BUFFER_INIT, list = BUFFER_INIT, again = BUFFER_INIT;

        put_hex(cases[i].hex, &wire);
        enum of_error error = ofa_decode_instructions(wire.data, wire.size, OF_1_3, &list);
        if (error != cases[i].error)
            fail_msg("%s: %s", cases[i].hex, of_error_name(error));
        if (!error) {
            ofa_encode_instructions((struct ofa_list){(const void *)list.data, list.size}, OF_1_3,
                                    &again);
            assert_int_equal(wire.size, again.size);
            if (wire.size)
                assert_memory_equal(wire.data, again.data, wire.size);
        }
        buffer_fini(&wire);
        buffer_fini(&list);
        buffer_fini(&again);
    }
}

static enum of_error check_with(enum of_version version, const char *hex, const struct match *match,
                                uint8_t table_id)
{
    struct ofa_check check = {
        .version = version, .table_id = table_id, .n_tables = 200, .max_ports = OFPP_MAX};
    struct buffer wire = BUFFER_INIT, list = BUFFER_INIT;

    put_hex(hex, &wire);
    enum of_error error = version == OF_1_0
                              ? ofa_decode_actions(wire.data, wire.size, version, &list)
                              : ofa_decode_instructions(wire.data, wire.size, version, &list);
    assert_int_equal(error, OF_OK);
    error = ofa_check(&list, match, &check);
    buffer_fini(&wire);
    buffer_fini(&list);
    return error;
}

static void actions_must_suit_the_match(void **state)
{
    struct match any, tcp;

    (void)state;
    match_init_any(&any);
    match_init_any(&tcp);
    set_exact(&tcp, FIELD_ETH_TYPE, ETH_TYPE_IPV4);
    set_exact(&tcp, FIELD_IP_PROTO, IP_PROTO_TCP);

    /* What 1.0 lets pass, 1.3 refuses: mod_nw_src, dec_ttl. */
    assert_int_equal(check_with(OF_1_0, "0006000801020304", &any, 0), OF_OK);
    assert_int_equal(check_with(OF_1_3, "00040010 00000000 0018000800000000", &any, 0),
                     OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(check_with(OF_1_3, "00040010 00000000 0018000800000000", &tcp, 0), OF_OK);
    /* A load is refused in both: NXM_OF_TCP_DST. */
    assert_int_equal(
        check_with(OF_1_0, "ffff0018 00002320 0007000f000014020000000000000005", &any, 0),
        OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(
        check_with(OF_1_0, "ffff0018 00002320 0007000f000014020000000000000005", &tcp, 0), OF_OK);
    /* pop_vlan without a tag, with one, and after a push. */
    assert_int_equal(check_with(OF_1_3, "00040010 00000000 0012000800000000", &any, 0),
                     OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(
        check_with(OF_1_3, "00040018 00000000 0011000881000000 0012000800000000", &any, 0), OF_OK);
    assert_int_equal(check_with(OF_1_3,
                                "00040020 00000000 0011000881000000 0011000881000000"
                                "0011000881000000",
                                &any, 0),
                     OFPBAC_BAD_TAG);
    /* Ports and tables. */
    assert_int_equal(check_with(OF_1_0, "00000008ff000000", &any, 0), OFPBAC_BAD_OUT_PORT);
    assert_int_equal(check_with(OF_1_0, "00000008ffff0000", &any, 0), OFPBAC_BAD_OUT_PORT);
    assert_int_equal(check_with(OF_1_3, "00010008 05000000", &any, 5), OFPBIC_BAD_TABLE_ID);
    assert_int_equal(check_with(OF_1_3, "00010008 05000000", &any, 4), OF_OK);
    assert_int_equal(check_with(OF_1_3, "00010008 c8000000", &any, 4), OFPBIC_BAD_TABLE_ID);
}

static void legacy_port_actions_learn_their_protocol(void **state)
{
    struct ofa_check check = {
        .version = OF_1_0, .table_id = 0, .n_tables = 255, .max_ports = OFPP_MAX};
    struct buffer wire = BUFFER_INIT, list = BUFFER_INIT;
    struct match udp;

    (void)state;
    match_init_any(&udp);
    set_exact(&udp, FIELD_ETH_TYPE, ETH_TYPE_IPV6);
    set_exact(&udp, FIELD_IP_PROTO, IP_PROTO_UDP);
    put_hex("000a000800500000", &wire);
    assert_int_equal(ofa_decode_actions(wire.data, wire.size, OF_1_0, &list), OF_OK);
    assert_int_equal(ofa_check(&list, &udp, &check), OF_OK);
    assert_int_equal(((const struct ofa_set_field *)(const void *)list.data)->field, FIELD_UDP_DST);
    buffer_fini(&wire);
    buffer_fini(&list);
}

static void outputs_are_found_in_lists(void **state)
{
    struct buffer list = BUFFER_INIT;

    (void)state;
    ofa_put_output(&list, 3, 0);
    size_t start = ofa_begin_nested(&list, OFA_WRITE_ACTIONS);
    ofa_put_output(&list, 4, 0);
    assert_true(ofa_end_nested(&list, start));
    struct ofa_list all = {(const void *)list.data, list.size};
    assert_true(ofa_outputs_to(all, 3));
    assert_true(ofa_outputs_to(all, 4));
    assert_false(ofa_outputs_to(all, 5));
    assert_true(ofa_outputs_to(all, OFPP_NONE));
    buffer_fini(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nxm_and_oxm_keep_every_match),
        cmocka_unit_test(matches_of_one_shape_are_encoded_like_each_by_itself),
        cmocka_unit_test(what_fits_comes_back),
        cmocka_unit_test(openflow10_keeps_what_fits),
        cmocka_unit_test(matches_are_encoded_like_ovs_does),
        cmocka_unit_test(wrong_matches_get_their_error),
        cmocka_unit_test(oxm_matches_have_a_type_and_padding),
        cmocka_unit_test(actions_of_openflow10_decode_and_encode),
        cmocka_unit_test(actions_of_openflow13_decode_and_encode),
        cmocka_unit_test(actions_of_openflow11_decode_and_encode),
        cmocka_unit_test(actions_of_openflow15_decode_and_encode),
        cmocka_unit_test(instructions_are_checked),
        cmocka_unit_test(actions_must_suit_the_match),
        cmocka_unit_test(legacy_port_actions_learn_their_protocol),
        cmocka_unit_test(outputs_are_found_in_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
