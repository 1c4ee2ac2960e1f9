/* SPDX-License-Identifier: Apache-2.0 */

/* weir-flows(7) says what the tables say: its lists of fields are compared with those made from the
 * field table, and its examples are parsed.  openflow_manual_actions_test.c does the same for actions. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/match_codec.h"

#define MANUAL WEIR_SOURCE_DIR "/docs/weir-flows.7"

static char *read_manual(void)
{
    struct buffer text = BUFFER_INIT;
    char line[1024];
    FILE *file = fopen(MANUAL, "r");

    if (!file)
        fail_msg("%s: cannot open", MANUAL);
    while (fgets(line, sizeof line, file))
        buffer_puts(&text, line);
    fclose(file);
    return buffer_take_text(&text);
}

static const char *needs(enum of_prereq prereq)
{
    static const char *const words[] = {
        [PREREQ_NONE] = "",
        [PREREQ_VLAN] = "a tag",
        [PREREQ_IPV4] = "ip",
        [PREREQ_IPV6] = "ipv6",
        [PREREQ_IP] = "ip, ipv6",
        [PREREQ_ARP] = "arp, rarp",
        [PREREQ_MPLS] = "mpls",
        [PREREQ_TCP] = "tcp, tcp6",
        [PREREQ_UDP] = "udp, udp6",
        [PREREQ_SCTP] = "sctp, sctp6",
        [PREREQ_ICMPV4] = "icmp",
        [PREREQ_ICMPV6] = "icmp6",
        [PREREQ_ND] = "icmp6 135, 136",
        [PREREQ_ND_SOLICIT] = "icmp6 135",
        [PREREQ_ND_ADVERT] = "icmp6 136",
        [PREREQ_NSH] = "type 0x894f",
        [PREREQ_CT] = "a connection",
        [PREREQ_CT_IPV4] = "ip, a connection",
        [PREREQ_CT_IPV6] = "ipv6, a connection",
    };

    return words[prereq];
}

/* Registers get one line for all of a kind; in_port has one, though it has two widths. */
static bool has_line(enum of_field_id id)
{
    return id != FIELD_IN_PORT_OXM && !(id > FIELD_REG0 && id <= FIELD_REG15) &&
           !(id > FIELD_XREG0 && id <= FIELD_XREG7) && !(id > FIELD_XXREG0 && id <= FIELD_XXREG3) &&
           !(id > FIELD_TUN_METADATA0 && id <= FIELD_TUN_METADATA63);
}

static void put_name(const struct of_field *field, struct buffer *out)
{
    static const struct {
        uint16_t first;
        const char *name;
    } ranges[] = {
        {FIELD_REG0, "reg0 to reg15"},
        {FIELD_XREG0, "xreg0 to xreg7"},
        {FIELD_XXREG0, "xxreg0 to xxreg3"},
        {FIELD_TUN_METADATA0, "tun_metadataN"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        if (ranges[i].first == field->id) {
            buffer_puts(out, ranges[i].name);
            return;
        }
    }
    buffer_puts(out, field->name);
}

/* The page has 'list', all of a table's lines; WEIR_PRINT_TABLES shows what it should be. */
static void assert_page_has(struct buffer *list)
{
    char *manual = read_manual();

    buffer_puts(list, ".TE\n");
    if (getenv("WEIR_PRINT_TABLES"))
        fputs(buffer_text(list), stderr);
    assert_non_null(strstr(manual, buffer_text(list)));
    buffer_fini(list);
    free(manual);
}

static void the_list_of_fields_is_the_table(void **state)
{
    struct buffer list = BUFFER_INIT;

    (void)state;
    buffer_puts(&list, "\\fBAccess\\fP\n");
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];

        if (!has_line((enum of_field_id)i))
            continue;
        put_name(field, &list);
        buffer_printf(&list, "\t%s\t%u\t%s\t%s\t%s\n", field->alias ? field->alias : "",
                      field->n_bits, field->mask_rule == MASK_ANY ? "any" : "no",
                      needs(field->prereq), field->is_writable ? "rw" : "r");
    }
    assert_page_has(&list);
}

/* --- Fields on the wire -------------------------------------------------------------------- */

/* A match on the field, and on what it needs. */
static void make_match(const struct of_field *field, struct match *match)
{
    static const char *const texts[] = {
        [PREREQ_NONE] = "",
        [PREREQ_VLAN] = "vlan_tci=0x1000/0x1000",
        [PREREQ_IPV4] = "ip",
        [PREREQ_IPV6] = "ipv6",
        [PREREQ_IP] = "ip",
        [PREREQ_ARP] = "arp",
        [PREREQ_MPLS] = "mpls",
        [PREREQ_TCP] = "tcp",
        [PREREQ_UDP] = "udp",
        [PREREQ_SCTP] = "sctp",
        [PREREQ_ICMPV4] = "icmp",
        [PREREQ_ICMPV6] = "icmp6",
        [PREREQ_ND] = "icmp6,icmp_type=135",
        [PREREQ_ND_SOLICIT] = "icmp6,icmp_type=135",
        [PREREQ_ND_ADVERT] = "icmp6,icmp_type=136",
        [PREREQ_NSH] = "dl_type=0x894f",
        [PREREQ_CT] = "ip,ct_state=+trk+est",
        [PREREQ_CT_IPV4] = "ip,ct_state=+trk+est",
        [PREREQ_CT_IPV6] = "ipv6,ct_state=+trk+est",
    };
    struct of_value one;

    assert_int_equal(of_match_parse(texts[field->prereq], NULL, match, NULL), 0);
    of_value_from_u64(field, 1, &one);
    if (field->n_bytes <= 8 && of_value_is_valid(field, &one))
        of_field_set(field, &one, &match->flow);
    of_field_add_mask(field, NULL, &match->mask);
}

/* "1.0, 1.1": the versions whose match is a struct with room for the field. */
static const char *old_matches(const struct of_field *field)
{
    struct match match;

    if (of_field_is_option(field))
        return "";
    make_match(field, &match);
    bool fits10 = of_match_fits_of10(&match), fits11 = of_match_fits(&match, OF_1_1);
    return fits10 && fits11 ? "1.0, 1.1" : fits10 ? "1.0" : fits11 ? "1.1" : "";
}

/* "NXM_NX_REG0" stands for all of them. */
static void put_header(const struct of_field *field, const char *name, struct buffer *out)
{
    bool is_many = field->id == FIELD_REG0 || field->id == FIELD_XREG0 ||
                   field->id == FIELD_XXREG0 || field->id == FIELD_TUN_METADATA0;

    buffer_printf(out, "%.*s%s", (int)strlen(name) - is_many, name, is_many ? "N" : "");
}

static void put_since(const struct of_field *field, struct buffer *out)
{
    if (!field->oxm_header)
        return;
    buffer_printf(out, "\t1.%d", field->oxm_since - OF_1_0);
    if (field->is_onf_before)
        buffer_puts(out, " (1.3)");
}

static void the_list_of_headers_is_the_table(void **state)
{
    struct buffer list = BUFFER_INIT;

    (void)state;
    buffer_puts(&list, "\\fBFrom\\fP\n");
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];
        const struct of_field *oxm = i == FIELD_IN_PORT ? of_field(FIELD_IN_PORT_OXM) : field;

        if (!has_line((enum of_field_id)i) || !(field->nxm_header || oxm->oxm_header))
            continue;
        put_name(field, &list);
        buffer_printf(&list, "\t%s\t", old_matches(field));
        if (field->nxm_name)
            put_header(field, field->nxm_name, &list);
        if (field->nxm_name && oxm->oxm_name)
            buffer_puts(&list, "\n\t\t");
        if (oxm->oxm_name)
            put_header(oxm, oxm->oxm_name, &list);
        put_since(oxm, &list);
        buffer_putc(&list, '\n');
    }
    assert_page_has(&list);
}

static void the_examples_are_flows(void **state)
{
    char *manual = read_manual();
    size_t n_flows = 0;

    (void)state;
    for (char *block = manual; (block = strstr(block, "\n.EX\n"));) {
        char *line = block + strlen("\n.EX\n"), *end = strstr(line, "\n.EE\n");

        assert_non_null(end);
        block = end + 1;
        *end = '\0';
        for (char *next; line; line = next, n_flows++) {
            struct of_flow_mod flow;
            struct error error = ERROR_INIT;

            next = strchr(line, '\n');
            if (next)
                *next++ = '\0';
            if (of_flow_mod_parse(line, OFFC_ADD, NULL, &flow, &error))
                fail_msg("%s: %s", line, error.message);
            of_flow_mod_fini(&flow);
        }
    }
    assert_true(n_flows >= 8);
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_of_fields_is_the_table),
        cmocka_unit_test(the_list_of_headers_is_the_table),
        cmocka_unit_test(the_examples_are_flows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
