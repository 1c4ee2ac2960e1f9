/* SPDX-License-Identifier: Apache-2.0 */

/* Continuations of any switch, for people: what cannot be read is left out. */

#include <inttypes.h>
#include <string.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/continuation.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/properties.h"

enum { PAD_BYTES = 4, UUID_BYTES = 16 }; /* Padding in front of actions and of properties. */

struct continuation_text {
    enum of_version version;
    const struct of_names *names;
    struct buffer stack, actions, action_set; /* Text. */
    uint8_t table_id;                         /* Of the next actions. */
    uint64_t cookie;
};

/* Open vSwitch sends its words as they lie in memory. */
static void put_bridge(const struct of_property *property, struct buffer *out)
{
    uint32_t words[4];

    if (property->n_bytes < UUID_BYTES)
        return;
    memcpy(words, property->body, sizeof words);
    buffer_printf(out, " continuation.bridge=%08x-%04x-%04x-%04x-%04x%08x\n", words[0],
                  words[1] >> 16, words[1] & 0xffff, words[2] >> 16, words[2] & 0xffff, words[3]);
}

static void put_value(const struct of_property *property, struct buffer *out)
{
    size_t first = 0;

    while (first < property->n_bytes && !property->body[first])
        first++;
    buffer_puts(out, first < property->n_bytes ? " 0x" : " 0");
    for (size_t i = first; i < property->n_bytes; i++)
        buffer_printf(out, i == first ? "%x" : "%02x", property->body[i]);
}

static void put_actions(const struct of_property *property, const struct continuation_text *text,
                        struct buffer *out)
{
    struct buffer list = BUFFER_INIT;

    if (property->n_bytes < PAD_BYTES ||
        ofa_decode_actions(property->body + PAD_BYTES, property->n_bytes - PAD_BYTES, text->version,
                           &list)) {
        buffer_fini(&list);
        return;
    }
    struct ofa_list actions = {.first = (const struct ofa *)(const void *)list.data,
                               .n_bytes = list.size};
    if (out->size)
        buffer_putc(out, ',');
    if (property->type == NXCPT_ACTIONS)
        buffer_printf(out, "unroll_xlate(table=%u, cookie=%" PRIu64 "),", text->table_id,
                      text->cookie);
    of_actions_format(actions, text->names, out);
    buffer_fini(&list);
}

static void take(const struct of_property *property, struct continuation_text *text,
                 struct buffer *out)
{
    switch (property->type) {
    case NXCPT_BRIDGE:
        put_bridge(property, out);
        break;
    case NXCPT_STACK:
        put_value(property, &text->stack);
        break;
    case NXCPT_TABLE_ID:
        text->table_id = property->n_bytes ? property->body[0] : 0;
        break;
    case NXCPT_COOKIE:
        if (property->n_bytes >= PAD_BYTES + 8)
            text->cookie = wire_u64(property->body + PAD_BYTES);
        break;
    case NXCPT_ACTIONS:
        put_actions(property, text, &text->actions);
        break;
    case NXCPT_ACTION_SET:
        put_actions(property, text, &text->action_set);
        break;
    default:
        break;
    }
}

static void put_lists(struct continuation_text *text, struct buffer *out)
{
    if (text->stack.size)
        buffer_printf(out, " continuation.stack=(top)%s (bottom)\n", buffer_text(&text->stack));
    if (text->actions.size)
        buffer_printf(out, " continuation.actions=%s\n", buffer_text(&text->actions));
    if (text->action_set.size)
        buffer_printf(out, " continuation.action_set=%s\n", buffer_text(&text->action_set));
    buffer_fini(&text->stack);
    buffer_fini(&text->actions);
    buffer_fini(&text->action_set);
}

void of_continuation_format(const uint8_t *bytes, size_t n_bytes, enum of_version version,
                            const struct of_names *names, struct buffer *out)
{
    struct continuation_text text = {.version = version, .names = names};
    struct wire wire = wire_init(bytes, n_bytes);
    struct of_property property;
    uint32_t odp_port = 0;

    wire_take(&wire, PAD_BYTES);
    while (wire.left && !of_take_property(&wire, &property)) {
        if (property.type == NXCPT_ODP_PORT && property.n_bytes == 4)
            odp_port = wire_u32(property.body);
        take(&property, &text, out);
    }
    put_lists(&text, out);
    if (odp_port)
        buffer_printf(out, " continuation.odp_port=%u\n", odp_port);
}
