/* SPDX-License-Identifier: Apache-2.0 */

/* weir-flows(7) says how each action looks in each version of OpenFlow: its list is compared with what
 * the encoder makes of an example of each name that the parser knows. */

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
#include "lib/openflow/action_parse.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/flow_text.h"

#define MANUAL WEIR_SOURCE_DIR "/docs/weir-flows.7"

/* What is too long for a column is shown in another way. */
static const struct {
    const char *text, *shown;
} examples[] = {
    {"output:1", NULL},
    {"output(port=1,max_len=64)", NULL},
    {"output:NXM_NX_REG0[0..15]", "output:reg0[0..15]"},
    {"enqueue:1:2", NULL},
    {"controller", NULL},
    {"controller(id=1)", NULL},
    {"controller(userdata=01)", NULL},
    {"resubmit:1", NULL},
    {"resubmit(,1)", NULL},
    {"resubmit(,1,ct)", NULL},
    {"group:1", NULL},
    {"meter:1", NULL},
    {"set_queue:1", NULL},
    {"pop_queue", NULL},
    {"set_field:1->metadata", NULL},
    {"load:1->NXM_NX_REG0[]", "load:1->reg0[]"},
    {"move:NXM_NX_REG0[]->NXM_NX_REG1[]", "move:reg0[]->reg1[]"},
    {"mod_dl_src:00:00:5e:00:53:01", "mod_dl_src:..."},
    {"mod_dl_dst:00:00:5e:00:53:01", "mod_dl_dst:..."},
    {"mod_vlan_vid:1", NULL},
    {"mod_vlan_pcp:1", NULL},
    {"set_vlan_vid:1", NULL},
    {"set_vlan_pcp:1", NULL},
    {"push_vlan:0x8100", NULL},
    {"strip_vlan", NULL},
    {"pop_vlan", NULL},
    {"mod_nw_src:192.0.2.1", NULL},
    {"mod_nw_dst:192.0.2.1", NULL},
    {"mod_nw_tos:4", NULL},
    {"mod_nw_ecn:1", NULL},
    {"mod_nw_ttl:1", NULL},
    {"dec_ttl", NULL},
    {"dec_ttl(1,2)", NULL},
    {"mod_tp_src:1", NULL},
    {"mod_tp_dst:1", NULL},
    {"push_mpls:0x8847", NULL},
    {"pop_mpls:0x0800", NULL},
    {"set_mpls_label:1", NULL},
    {"set_mpls_tc:1", NULL},
    {"set_mpls_ttl:1", NULL},
    {"dec_mpls_ttl", NULL},
    {"set_tunnel:1", NULL},
    {"set_tunnel64:1", NULL},
    {"push:NXM_NX_REG0[]", "push:reg0[]"},
    {"pop:NXM_NX_REG0[]", "pop:reg0[]"},
    {"clone(output:1)", NULL},
    {"multipath(eth_src,0,modulo_n,2,0,NXM_NX_REG0[])", "multipath(...)"},
    {"bundle(eth_src,0,hrw,ofport,members:1,2)", "bundle(...)"},
    {"bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG0[],members:1,2)", "bundle_load(...)"},
    {"learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])", "learn(...)"},
    {"learn(table=1,limit=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])", "learn(limit=5,...)"},
    {"conjunction(1,1/2)", NULL},
    {"check_pkt_larger(1000)->NXM_NX_REG0[0]", "check_pkt_larger(...)"},
    {"fin_timeout(idle_timeout=1)", NULL},
    {"note:01", NULL},
    {"ct(commit)", NULL},
    {"ct(commit,nat(src=192.0.2.1))", "ct(nat(...))"},
    {"ct_clear", NULL},
    {"sample(probability=1)", "sample(probability=1,...)"},
    {"sample(probability=1,sampling_port=1)", "sample(sampling_port=1,...)"},
    {"sample(probability=1,sampling_port=1,ingress)", "sample(...,ingress)"},
    {"encap(ethernet)", NULL},
    {"decap()", NULL},
    {"dec_nsh_ttl", NULL},
    {"delete_field:tun_metadata0", NULL},
    {"exit", NULL},
    {"apply_actions(output:1)", NULL},
    {"clear_actions", NULL},
    {"write_actions(output:1)", NULL},
    {"write_metadata:1", NULL},
    {"goto_table:1", NULL},
};

struct wire_name {
    uint8_t first, last; /* Versions. */
    unsigned number;
    const char *name;
};

// clang-format off
#define NAME(first, last, name) {first, last, name, #name}
static const struct wire_name standard[] = {
    NAME(OF_1_0, OF_1_5, OFPAT_OUTPUT),
#define NAME10(name) NAME(OF_1_0, OF_1_0, OFPAT10_##name)
    NAME10(SET_VLAN_VID), NAME10(SET_VLAN_PCP), NAME10(STRIP_VLAN), NAME10(SET_DL_SRC),
    NAME10(SET_DL_DST), NAME10(SET_NW_SRC), NAME10(SET_NW_DST), NAME10(SET_NW_TOS),
    NAME10(SET_TP_SRC), NAME10(SET_TP_DST), NAME10(ENQUEUE),
#define NAME11(name) NAME(OF_1_1, OF_1_5, OFPAT11_##name)
    NAME11(SET_VLAN_VID), NAME11(SET_VLAN_PCP), NAME11(SET_DL_SRC), NAME11(SET_DL_DST),
    NAME11(SET_NW_SRC), NAME11(SET_NW_DST), NAME11(SET_NW_TOS), NAME11(SET_NW_ECN),
    NAME11(SET_TP_SRC), NAME11(SET_TP_DST), NAME11(SET_MPLS_LABEL), NAME11(SET_MPLS_TC),
    NAME11(SET_MPLS_TTL), NAME11(DEC_MPLS_TTL), NAME11(PUSH_VLAN), NAME11(POP_VLAN),
    NAME11(PUSH_MPLS), NAME11(POP_MPLS), NAME11(SET_QUEUE), NAME11(GROUP), NAME11(SET_NW_TTL),
    NAME11(DEC_NW_TTL),
    NAME(OF_1_2, OF_1_5, OFPAT12_SET_FIELD),
    NAME(OF_1_5, OF_1_5, OFPAT15_COPY_FIELD),
    NAME(OF_1_5, OF_1_5, OFPAT15_METER),
};
static const struct wire_name instructions[] = {
#define INSTRUCTION(name) NAME(OF_1_1, OF_1_5, OFPIT_##name)
    INSTRUCTION(GOTO_TABLE), INSTRUCTION(WRITE_METADATA), INSTRUCTION(WRITE_ACTIONS),
    INSTRUCTION(CLEAR_ACTIONS), INSTRUCTION(METER),
};
static const struct wire_name nicira[] = {
#define NX(name) NAME(OF_1_0, OF_1_5, NXAST_##name)
    NX(RESUBMIT), NX(SET_TUNNEL), NX(SET_QUEUE), NX(POP_QUEUE), NX(REG_MOVE), NX(REG_LOAD), NX(NOTE),
    NX(SET_TUNNEL64), NX(MULTIPATH), NX(BUNDLE), NX(BUNDLE_LOAD), NX(RESUBMIT_TABLE), NX(OUTPUT_REG),
    NX(LEARN), NX(EXIT), NX(DEC_TTL), NX(FIN_TIMEOUT), NX(CONTROLLER), NX(DEC_TTL_IDS),
    NX(WRITE_METADATA), NX(PUSH_MPLS), NX(POP_MPLS), NX(SET_MPLS_TTL), NX(DEC_MPLS_TTL),
    NX(STACK_PUSH), NX(STACK_POP), NX(SAMPLE), NX(SET_MPLS_LABEL), NX(SET_MPLS_TC), NX(OUTPUT_REG2),
    NX(REG_LOAD2), NX(CONJUNCTION), NX(CT), NX(NAT), NX(CONTROLLER2), NX(SAMPLE2), NX(OUTPUT_TRUNC),
    NX(GROUP), NX(SAMPLE3), NX(CLONE), NX(CT_CLEAR), NX(RESUBMIT_TABLE_CT), NX(LEARN2), NX(ENCAP),
    NX(DECAP), NX(DEC_NSH_TTL), NX(CHECK_LENGTH), NX(DELETE_FIELD),
};
// clang-format on

/* The enumerators tell versions apart where the specifications do not: OFPAT10_..., OFPAT_... */
static void put_wire_name(const struct wire_name *names, size_t n_names, enum of_version version,
                          unsigned number, struct buffer *out)
{
    for (size_t i = 0; i < n_names; i++) {
        if (names[i].number != number || version < names[i].first || version > names[i].last)
            continue;
        const char *underscore = strchr(names[i].name, '_');
        const char *digits = strpbrk(names[i].name, "0123456789");
        size_t prefix =
            (size_t)((digits && digits < underscore ? digits : underscore) - names[i].name);
        buffer_printf(out, "%s%.*s%s", out->size ? ", " : "", (int)prefix, names[i].name,
                      underscore);
        return;
    }
    fail_msg("an action of type %u has no name here", number);
}

static void put_wire_actions(const uint8_t *wire, size_t n_bytes, enum of_version version,
                             struct buffer *out)
{
    for (size_t at = 0; at < n_bytes; at += wire_u16(wire + at + 2)) {
        unsigned type = wire_u16(wire + at);

        if (type == OFPAT_VENDOR)
            put_wire_name(nicira, ARRAY_SIZE(nicira), version, wire_u16(wire + at + 8), out);
        else
            put_wire_name(standard, ARRAY_SIZE(standard), version, type, out);
    }
}

static void put_wire_instructions(const uint8_t *wire, size_t n_bytes, enum of_version version,
                                  struct buffer *out)
{
    for (size_t at = 0; at < n_bytes; at += wire_u16(wire + at + 2)) {
        unsigned type = wire_u16(wire + at), length = wire_u16(wire + at + 2);

        if (type == OFPIT_APPLY_ACTIONS)
            put_wire_actions(wire + at + 8, length - 8, version, out);
        else
            put_wire_name(instructions, ARRAY_SIZE(instructions), version, type, out);
    }
}

/* "": the version cannot say it, or would not understand it. */
static void put_wire_form(struct ofa_list list, enum of_version version, struct buffer *out)
{
    struct buffer wire = BUFFER_INIT, back = BUFFER_INIT;
    enum of_error wrong;

    if (version == OF_1_0) {
        ofa_encode_actions(list, version, &wire);
        wrong = ofa_decode_actions(wire.data, wire.size, version, &back);
    } else {
        ofa_encode_instructions(list, version, &wire);
        wrong = ofa_decode_instructions(wire.data, wire.size, version, &back);
    }
    if (!wrong && version == OF_1_0)
        put_wire_actions(wire.data, wire.size, version, out);
    else if (!wrong)
        put_wire_instructions(wire.data, wire.size, version, out);
    buffer_fini(&wire);
    buffer_fini(&back);
}

/* A column of tbl(1), in lines of its own where it is long. */
static void put_block(const char *text, struct buffer *page)
{
    if (strlen(text) > 28)
        buffer_printf(page, "\tT{\n%s\nT}\n", text);
    else
        buffer_printf(page, "\t%s\n", text);
}

/* "output:1 <tab> 1.0 to 1.5 <tab> OFPAT_OUTPUT": one line for versions of one form. */
static void put_example(const char *example, const char *first_column, struct buffer *page)
{
    struct buffer list = BUFFER_INIT;
    struct error error = ERROR_INIT;
    char forms[OF_1_5 + 1][200];

    if (of_actions_parse(example, NULL, &list, &error))
        fail_msg("%s: %s", example, error.message);
    struct ofa_list actions = {.first = (const struct ofa *)(const void *)list.data,
                               .n_bytes = list.size};
    for (enum of_version version = OF_1_0; version <= OF_1_5; version++) {
        struct buffer form = BUFFER_INIT;

        put_wire_form(actions, version, &form);
        snprintf(forms[version], sizeof forms[version], "%s", buffer_text(&form));
        buffer_fini(&form);
    }
    for (int first = OF_1_0, last; first <= OF_1_5; first = last + 1) {
        for (last = first; last < OF_1_5 && !strcmp(forms[first], forms[last + 1]);)
            last++;
        if (!*forms[first])
            continue;
        buffer_printf(page, "%s\t1.%d", first_column, first - OF_1_0);
        if (last != first)
            buffer_printf(page, " to 1.%d", last - OF_1_0);
        put_block(forms[first], page);
        first_column = "";
    }
    assert_string_equal(first_column, ""); /* Some version has it. */
    buffer_fini(&list);
}

static void the_list_of_actions_is_what_is_encoded(void **state)
{
    struct buffer page = BUFFER_INIT, manual = BUFFER_INIT;
    FILE *file = fopen(MANUAL, "r");
    char line[1024];

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        buffer_puts(&manual, line);
    fclose(file);
    buffer_puts(&page, "\\fBOn the wire\\fP\n");
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
        put_example(examples[i].text, examples[i].shown ? examples[i].shown : examples[i].text,
                    &page);
    buffer_puts(&page, ".TE\n");
    if (getenv("WEIR_PRINT_TABLES"))
        fputs(buffer_text(&page), stderr);
    assert_non_null(strstr(buffer_text(&manual), buffer_text(&page)));
    buffer_fini(&page);
    buffer_fini(&manual);
}

static bool is_alone(const char *name) /* nat() stands in ct() only. */
{
    return strcmp(name, "nat") != 0;
}

static void each_name_has_an_example(void **state)
{
    (void)state;
    for (size_t i = 0; i < action_n_names + action_n_nx_names; i++) {
        const struct action_name *name = i < action_n_names ? &action_names[i]
                                                            : &action_nx_names[i - action_n_names];
        size_t length = strlen(name->name);
        bool is_there = !is_alone(name->name);

        for (size_t j = 0; j < ARRAY_SIZE(examples) && !is_there; j++)
            is_there = !strncmp(examples[j].text, name->name, length) &&
                       (!examples[j].text[length] || strchr(":(", examples[j].text[length]));
        if (!is_there)
            fail_msg("%s: no example", name->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_of_actions_is_what_is_encoded),
        cmocka_unit_test(each_name_has_an_example),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
