/* SPDX-License-Identifier: Apache-2.0 */

/* Does openflow_flows/input, the corpus that is compared with Open vSwitch, have all there is: each field with a mask
 * and without, and each action? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/flow_text.h"

enum { OFA_N = OFA_GOTO_TABLE + 1 };

static bool is_matched_whole[N_FIELDS], is_matched_in_part[N_FIELDS], is_done[OFA_N];

static void note_match(const struct match *match)
{
    for (int i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = of_field(i);
        struct flow all = {0};
        struct of_value mask, whole;

        if (!of_field_is_matched(field, match) || !of_field_match_allows(field, match))
            continue;
        of_field_add_mask(field, NULL, &all);
        of_field_get(field, &all, &whole);
        of_field_get(field, &match->mask, &mask);
        if (!memcmp(&mask, &whole, field->n_bytes))
            is_matched_whole[i] = true;
        else
            is_matched_in_part[i] = true;
    }
}

static void note_actions(struct ofa_list list)
{
    for_each_action (ofa, list) {
        is_done[ofa->type] = true;
        if (ofa_is_nested(ofa))
            note_actions(ofa_nested_list((const struct ofa_nested *)ofa));
        else if (ofa->type == OFA_CT)
            note_actions(ofa_ct_list((const struct ofa_ct *)ofa));
    }
}

static int read_corpus(void **state UNUSED)
{
    FILE *file = fopen(WEIR_SOURCE_DIR "/tests/unit/lib/openflow_flows/input", "r");
    char line[4096];

    if (!file)
        return -1;
    while (fgets(line, sizeof line, file)) {
        struct of_flow_mod flow;

        line[strcspn(line, "\n")] = '\0';
        if (of_flow_mod_parse(line, OFFC_ADD, NULL, &flow, NULL))
            return -1;
        note_match(&flow.match);
        note_actions(of_flow_mod_actions(&flow));
        of_flow_mod_fini(&flow);
    }
    return fclose(file);
}

/* What no message can name; options, which need a table of them (system/openflow_options); and fields of
 * tunnels and of NSH that Open vSwitch prints without mask, under a name that it cannot read, or not at all. */
static bool is_left_out(const struct of_field *field)
{
    return (!field->nxm_header && !field->oxm_header) || of_field_is_option(field) ||
           (field->id >= FIELD_TUN_GBP_ID && field->id <= FIELD_TUN_GTPU_MSGTYPE) ||
           field->engine == ENGINE_NOT_PARSED;
}

static void each_field_is_matched_with_a_mask_and_without(void **state UNUSED)
{
    int n_missing = 0;

    for (int i = 0; i < N_FIELDS; i++) {
        const struct of_field *field = of_field(i);
        bool has_parts = field->mask_rule == MASK_ANY && field->n_bits > 1;

        if (is_left_out(field))
            continue;
        if (!is_matched_whole[i])
            print_error("%s is never matched\n", field->name);
        if (has_parts && !is_matched_in_part[i])
            print_error("%s is never matched with a mask\n", field->name);
        n_missing += !is_matched_whole[i] + (has_parts && !is_matched_in_part[i]);
    }
    assert_int_equal(n_missing, 0);
}

static void each_action_is_there(void **state UNUSED)
{
    int n_missing = 0;

    for (int i = 0; i < OFA_N; i++) {
        if (!is_done[i])
            print_error("action %d is never used\n", i);
        n_missing += !is_done[i];
    }
    assert_int_equal(n_missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_matched_with_a_mask_and_without),
        cmocka_unit_test(each_action_is_there),
    };

    return cmocka_run_group_tests(tests, read_corpus, NULL);
}
