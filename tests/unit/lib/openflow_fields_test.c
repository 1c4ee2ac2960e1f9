/* SPDX-License-Identifier: Apache-2.0 */

/* Every row of the field table, taken through everything that can be done with a field. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/match_codec.h"

static void random_value(const struct of_field *field, struct of_value *value)
{
    struct of_value ones;

    of_value_all_ones(field, &ones);
    do {
        for (size_t i = 0; i < sizeof value->bytes; i++)
            value->bytes[i] = (uint8_t)(random() & ones.bytes[i]);
        if (field->id == FIELD_IN_PORT_OXM || field->id == FIELD_ARP_OP)
            value->bytes[0] = value->bytes[1] = 0;
        if (field->id == FIELD_ARP_OP)
            value->bytes[1] = (uint8_t)random();
        value->bytes[field->n_bytes - 1] &= (uint8_t)~field->never_set;
    } while (!of_value_is_valid(field, value));
}

static void rows_stand_at_their_index_and_fit_their_storage(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];

        assert_int_equal(field->id, i);
        assert_non_null(field->name);
        assert_true(field->n_bits <= 8 * field->n_bytes);
        assert_true(field->offset + field->n_storage <= sizeof(struct flow));
        assert_true(field->nxm_header || field->oxm_header || !field->is_writable);
        assert_int_equal(!field->nxm_header, !field->nxm_name);
        assert_int_equal(!field->oxm_header, !field->oxm_name);
    }
}

static void fields_are_found_by_every_name_and_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];
        const char *names[] = {field->name, field->alias, field->nxm_name, field->oxm_name};

        for (size_t j = 0; j < 4; j++) {
            if (names[j])
                assert_ptr_equal(of_field_by_name(names[j], strlen(names[j])), field);
        }
        if (field->experimenter)
            assert_ptr_equal(
                of_field_by_experimenter(field->experimenter, field->nxm_header >> 9 & 0x7f),
                field);
        else if (field->nxm_header)
            assert_ptr_equal(of_field_by_header(field->nxm_header), field);
        if (field->oxm_header)
            assert_ptr_equal(of_field_by_header(field->oxm_header), field);
    }
    assert_null(of_field_by_name("reg16", 5));
    assert_null(of_field_by_name("reg", 3));
    assert_null(of_field_by_header(0x80007e04));
}

static void what_is_set_is_read_back_and_nothing_else_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100 * N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i % N_FIELDS];
        struct of_value value, again;
        struct flow flow, before, mask = {.metadata = {0}};

        for (size_t j = 0; j < sizeof flow; j++)
            ((uint8_t *)&flow)[j] = (uint8_t)random();
        before = flow;
        random_value(field, &value);
        of_field_set(field, &value, &flow);
        of_field_get(field, &flow, &again);
        assert_memory_equal(&value, &again, sizeof value);

        of_field_add_mask(field, NULL, &mask);
        for (size_t j = 0; j < FLOW_WORDS; j++) {
            uint64_t changed = flow_words(&flow)[j] ^ flow_words(&before)[j];
            assert_int_equal(changed & ~flow_words(&mask)[j], 0);
        }
    }
}

static void values_survive_being_printed_and_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 50 * N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i % N_FIELDS];
        struct of_value value, mask, again, again_mask;
        struct buffer text = BUFFER_INIT;
        struct error error = ERROR_INIT;

        if (field->format == FORMAT_PORT || field->format == FORMAT_FRAG)
            continue;
        random_value(field, &value);
        random_value(field, &mask);
        if (field->mask_rule == MASK_NONE || i & 1)
            of_value_all_ones(field, &mask);
        for (size_t j = 0; j < sizeof value.bytes; j++)
            value.bytes[j] &= mask.bytes[j];
        of_value_format_masked(field, &value, &mask, &text);
        int result = of_value_parse_masked(field, buffer_text(&text), &again, &again_mask, &error);
        if (result)
            fail_msg("%s: %s", buffer_text(&text), error.message);
        assert_memory_equal(&value, &again, sizeof value);
        assert_memory_equal(&mask, &again_mask, sizeof mask);
        buffer_fini(&text);
    }
}

static void wrong_values_are_named(void **state)
{
    static const struct {
        enum of_field_id id;
        const char *text, *message;
    } cases[] = {
        {FIELD_IPV4_SRC, "10.0.0", "ip_src=10.0.0: expected an IPv4 address"},
        {FIELD_IPV4_SRC, "10.0.0.0/33", "ip_src: /33 is not a prefix length from 0 to 32"},
        {FIELD_ETH_SRC, "00:11:22:33:44", NULL},
        {FIELD_VLAN_PCP, "8", "vlan_pcp=8: vlan_pcp has only 3 bits"},
        {FIELD_TCP_DST, "http", "tcp_dst=http: expected a number"},
        {FIELD_TCP_DST, "", "tcp_dst=: expected a number"},
        {FIELD_TCP_DST, "65536", "tcp_dst=65536: tcp_dst has only 16 bits"},
        {FIELD_TCP_FLAGS, "+sin", NULL},
        {FIELD_TCP_FLAGS, "+syn-syn", "tcp_flags=+syn-syn: syn is there twice"},
        {FIELD_IP_FRAG, "maybe", NULL},
        {FIELD_XXREG0, "0x1ffffffffffffffffffffffffffffffff", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct of_value value, mask;
        struct error error = ERROR_INIT;

        assert_int_not_equal(
            of_value_parse_masked(of_field(cases[i].id), cases[i].text, &value, &mask, &error), 0);
        if (!cases[i].message)
            assert_non_null(strstr(error.message, cases[i].text));
        else
            assert_string_equal(error.message, cases[i].message);
    }
}

static void prerequisites_are_what_openflow_says(void **state)
{
    struct match match;

    (void)state;
    match_init_any(&match);
    assert_false(of_field_match_allows(of_field(FIELD_TCP_SRC), &match));
    assert_true(of_field_match_allows(of_field(FIELD_ETH_TYPE), &match));
    match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    match.mask.key.eth_type = be16_from(0xffff);
    assert_false(of_field_match_allows(of_field(FIELD_TCP_SRC), &match));
    assert_true(of_field_match_allows(of_field(FIELD_IP_TTL), &match));
    match.flow.key.nw_proto = IP_PROTO_TCP;
    match.mask.key.nw_proto = 0xff;
    assert_true(of_field_match_allows(of_field(FIELD_TCP_SRC), &match));
    assert_false(of_field_match_allows(of_field(FIELD_UDP_SRC), &match));
    match.flow.key.nw_frag = match.mask.key.nw_frag = NW_FRAG_LATER;
    assert_false(of_field_match_allows(of_field(FIELD_TCP_SRC), &match));
}

static void subfields_move_bits(void **state)
{
    struct flow flow = {.regs = {[3] = {0}}}, mask = {.regs = {[3] = {0}}};
    struct of_subfield part, source;
    struct of_value value;
    struct error error = ERROR_INIT;
    struct buffer text = BUFFER_INIT;

    (void)state;
    assert_int_equal(of_subfield_parse("NXM_NX_REG3[4..11]", &part, &error), 0);
    memset(&value, 0, sizeof value);
    value.bytes[15] = 0xab;
    of_subfield_set(&part, &value, &flow);
    assert_int_equal(be32_host(flow.regs[3]), 0xab0);
    of_subfield_add_mask(&part, &mask);
    assert_int_equal(be32_host(mask.regs[3]), 0xff0);

    assert_int_equal(of_subfield_parse("reg3[8]", &source, &error), 0);
    of_subfield_get(&source, &flow, &value);
    assert_int_equal(value.bytes[15], 0);
    assert_int_equal(of_subfield_parse("reg3[9]", &source, &error), 0);
    of_subfield_get(&source, &flow, &value);
    assert_int_equal(value.bytes[15], 1);

    of_subfield_format(&part, &text);
    assert_string_equal(buffer_text(&text), "NXM_NX_REG3[4..11]");
    buffer_fini(&text);
    assert_int_not_equal(of_subfield_parse("reg3[32]", &part, &error), 0);
    assert_int_not_equal(of_subfield_parse("reg3[5..4]", &part, &error), 0);
    assert_int_not_equal(of_subfield_parse("reg3[5..", &part, &error), 0);
    assert_int_not_equal(of_subfield_parse("rag3[]", &part, &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stand_at_their_index_and_fit_their_storage),
        cmocka_unit_test(fields_are_found_by_every_name_and_header),
        cmocka_unit_test(what_is_set_is_read_back_and_nothing_else_changes),
        cmocka_unit_test(values_survive_being_printed_and_parsed),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(prerequisites_are_what_openflow_says),
        cmocka_unit_test(subfields_move_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
