/* SPDX-License-Identifier: Apache-2.0 */

/* weir-flows(7) says what the tables say: its list of fields is compared with the one made from the
 * field table, and its examples are parsed. */

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

static void the_list_of_fields_is_the_table(void **state)
{
    char *manual = read_manual();
    struct buffer list = BUFFER_INIT;

    (void)state;
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = &of_fields[i];

        if (!has_line((enum of_field_id)i))
            continue;
        put_name(field, &list);
        buffer_printf(&list, "\t%s\t%u\t%s\t%s\t%s\n", field->alias ? field->alias : "",
                      field->n_bits, field->mask_rule == MASK_ANY ? "any" : "no",
                      needs(field->prereq), field->is_writable ? "rw" : "r");
    }
    if (getenv("WEIR_PRINT_FIELDS"))
        fputs(buffer_text(&list), stderr);
    buffer_puts(&list, ".TE\n");
    assert_non_null(strstr(manual, buffer_text(&list)));
    buffer_fini(&list);
    free(manual);
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
        cmocka_unit_test(the_examples_are_flows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
