/* SPDX-License-Identifier: Apache-2.0 */

/* Any text as a flow: wrong ones get a sentence; right ones are printed, parsed again, and encoded
 * and decoded in every protocol that can carry them. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/flow_text.h"

static void through_wire(const struct of_flow_mod *flow, const struct of_protocol *protocol)
{
    struct buffer wire = BUFFER_INIT;
    struct of_message message;
    struct of_flow_mod again;

    of_flow_mod_init(&again);
    if (of_flow_mod_fits(flow, protocol)) {
        of_encode_flow_mod(flow, protocol, 1, &wire);
        assert(of_decode_message(wire.data, wire.size, &message) == OF_OK);
        assert(message.kind == OF_FLOW_MOD);
        /* Loads that replace mod_* and set_field are checked more strictly than those. */
        enum of_error error = of_decode_flow_mod(&message, protocol, OF_N_TABLES, &again);
        assert(error == OF_OK || error == OFPBAC_MATCH_INCONSISTENT);
    }
    of_flow_mod_fini(&again);
    buffer_fini(&wire);
}

static void fuzz_flow(const char *text, enum of_flow_command command)
{
    static const struct of_protocol protocols[] = {
        {.version = OF_1_0, .has_table_id = true},
        {.version = OF_1_0, .uses_nxm = true, .has_table_id = true},
        {.version = OF_1_3},
    };
    struct error error = ERROR_INIT;
    struct of_flow_mod flow, again;
    struct buffer printed = BUFFER_INIT;

    if (of_flow_mod_parse(text, command, NULL, &flow, &error)) {
        assert(error.code < 0 && error.message[0]);
        of_flow_mod_fini(&flow);
        return;
    }
    of_match_format_priority(&flow.match, flow.priority, NULL, &printed);
    buffer_puts(&printed, " actions=");
    of_actions_format(of_flow_mod_actions(&flow), NULL, &printed);
    if (of_flow_mod_parse(buffer_text(&printed), OFFC_ADD, NULL, &again, NULL) == 0)
        assert(match_is_equal(&flow.match, &again.match));
    of_flow_mod_fini(&again);
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        through_wire(&flow, &protocols[i]);
    of_flow_mod_fini(&flow);
    buffer_fini(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct of_flow_stats_request request;
    struct error error = ERROR_INIT;
    char *text = malloc(n_bytes + 1);

    if (!text)
        abort();
    memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    fuzz_flow(text, OFFC_ADD);
    fuzz_flow(text, OFFC_MODIFY_STRICT);
    fuzz_flow(text, OFFC_DELETE_STRICT);
    if (of_flow_stats_request_parse(text, NULL, &request, &error))
        assert(error.code < 0 && error.message[0]);
    free(text);
    return 0;
}
