/* SPDX-License-Identifier: Apache-2.0 */

/* Actions as people write them.  A table says for each name how it is read; what is in no table is
 * a port. */

#include "lib/openflow/flow_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_controller.h"
#include "lib/openflow/action_mpls.h"
#include "lib/openflow/action_parse.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/meters.h"

enum { MIN_TRUNC_BYTES = 14 };

int action_parse_bounded(struct action_parser *parser, const char *key, const char *text,
                         uint64_t max, uint64_t *number)
{
    if (!text || !text_parse_u64(text, number) || *number > max)
        return error_set(parser->error, -EINVAL, "%s:%s: expected a number from 0 to %llu", key,
                         text ? text : "", (unsigned long long)max);
    return 0;
}

int action_needs_value(struct action_parser *parser, const struct text_item *item,
                       const char *expected)
{
    return error_set(parser->error, -EINVAL, "%s: expected %s:%s", item->key, item->key, expected);
}

int action_parse_port(struct action_parser *parser, const char *key, const char *text,
                      of_port *port)
{
    int result = of_port_parse(text, parser->names, port, parser->error);

    return result && strcmp(key, text) ? error_prefix(parser->error, "%s", key) : result;
}

static int parse_output_arguments(struct action_parser *parser, const struct text_item *item)
{
    char *cursor = item->value;
    struct text_item argument;
    uint64_t max_len = 0;
    of_port port = OFPP_NONE;
    int result = 0;

    while (!result && text_next_item(&cursor, &argument)) {
        if (!argument.key || !argument.value)
            return error_set(parser->error, -EINVAL, "output(): expected port=PORT,max_len=BYTES");
        if (!strcmp(argument.key, "port"))
            result = action_parse_port(parser, "output", argument.value, &port);
        else if (!strcmp(argument.key, "max_len"))
            result = action_parse_bounded(parser, "max_len", argument.value, UINT32_MAX, &max_len);
        else
            result = error_set(parser->error, -EINVAL, "output(%s=...): no such argument",
                               argument.key);
    }
    if (!result && port == OFPP_NONE)
        result = error_set(parser->error, -EINVAL, "output(): expected port=PORT");
    if (!result && max_len < MIN_TRUNC_BYTES)
        result = error_set(parser->error, -ERANGE, "output(max_len=%llu): expected at least %d",
                           (unsigned long long)max_len, MIN_TRUNC_BYTES);
    if (!result)
        ofa_put_output(parser->list, port, 0)->trunc_bytes = (uint32_t)max_len;
    return result;
}

/* "output:NXM_NX_REG0[0..15]" */
static int parse_output_reg(struct action_parser *parser, const char *text)
{
    struct of_subfield source;
    int result = of_subfield_parse(text, &source, NULL);

    if (!result) {
        struct ofa_output_reg *output = (struct ofa_output_reg *)(void *)ofa_put(parser->list,
                                                                                 OFA_OUTPUT_REG);
        output->source = ofa_part_of(&source);
        output->max_len = UINT16_MAX;
    }
    return result;
}

static int parse_output(struct action_parser *parser, const struct text_item *item,
                        int argument UNUSED)
{
    of_port port;

    if (!item->value)
        return action_needs_value(parser, item, "PORT");
    if (item->mark == '(')
        return parse_output_arguments(parser, item);
    if (of_port_parse(item->value, parser->names, &port, NULL) &&
        !parse_output_reg(parser, item->value))
        return 0;
    int result = action_parse_port(parser, item->key, item->value, &port);
    if (!result)
        ofa_put_output(parser->list, port, port == OFPP_CONTROLLER ? UINT16_MAX : 0);
    return result;
}

static int parse_table(struct action_parser *parser, const char *key, const char *text, uint8_t max,
                       uint8_t *table)
{
    int result = of_table_parse(text, parser->names, max, table, parser->error);

    return result ? error_prefix(parser->error, "%s", key) : 0;
}

static int parse_resubmit(struct action_parser *parser, const struct text_item *item,
                          int argument UNUSED)
{
    of_port port = OFPP_IN_PORT;
    uint8_t table = OF_TABLE_ALL;
    char *table_text = NULL, *ct_text = NULL;
    int result = 0;

    if (!item->value)
        return action_needs_value(parser, item, "PORT, or resubmit(PORT,TABLE)");
    if (item->mark == '(') {
        table_text = strchr(item->value, ',');
        if (table_text)
            *table_text++ = '\0';
        ct_text = table_text ? strchr(table_text, ',') : NULL;
        if (ct_text)
            *ct_text++ = '\0';
        if (ct_text && strcmp(ct_text, "ct"))
            return error_set(parser->error, -EINVAL, "resubmit(...,%s): expected ct", ct_text);
    }
    if (*item->value)
        result = action_parse_port(parser, item->key, item->value, &port);
    if (!result && table_text && *table_text)
        result = parse_table(parser, item->key, table_text, UINT8_MAX, &table);
    if (result)
        return result;
    if (!*item->value && (!table_text || !*table_text))
        return error_set(parser->error, -EINVAL, "resubmit(): expected a port, a table or both");
    struct ofa_resubmit *resubmit = (struct ofa_resubmit *)(void *)ofa_put(parser->list,
                                                                           OFA_RESUBMIT);
    resubmit->in_port = port;
    resubmit->table_id = table;
    resubmit->looks_up_ct = ct_text && table != OF_TABLE_ALL;
    return 0;
}

/* "mod_dl_src:..." and the like: the field is in the table. */
static int parse_legacy(struct action_parser *parser, const struct text_item *item, int argument)
{
    const struct of_field *field = of_field((enum of_field_id)argument);
    struct of_value value;

    if (!item->value)
        return action_needs_value(parser, item, "VALUE");
    int result = of_value_parse(field, item->value, &value, parser->error);
    if (!result && !of_value_is_valid(field, &value))
        result = error_set(parser->error, -ERANGE, "%s: not a value of %s", item->value,
                           field->name);
    if (result)
        return error_prefix(parser->error, "%s", item->key);
    ofa_put_set_field(parser->list, OFA_FORM_LEGACY, field, &value, NULL);
    return 0;
}

static int put_vlan(struct action_parser *parser, enum ofa_type type, uint64_t value)
{
    struct ofa_vlan *vlan = (struct ofa_vlan *)(void *)ofa_put(parser->list, type);

    vlan->value = (uint16_t)value;
    return 0;
}

static int parse_vlan(struct action_parser *parser, const struct text_item *item, int argument)
{
    uint64_t max = argument == OFA_SET_VLAN_VID ? VLAN_VID_MASK : 7, value;
    int result = action_parse_bounded(parser, item->key, item->value, max, &value);

    return result ? result : put_vlan(parser, (enum ofa_type)argument, value);
}

/* "mod_...": a frame without a tag gets one. */
static int parse_vlan_pushing(struct action_parser *parser, const struct text_item *item,
                              int argument)
{
    size_t start = parser->list->size;
    int result = parse_vlan(parser, item, argument);

    if (!result)
        ((struct ofa_vlan *)(void *)(parser->list->data + start))->push_if_none = true;
    return result;
}

static int parse_push_vlan(struct action_parser *parser, const struct text_item *item,
                           int argument UNUSED)
{
    uint64_t tpid;

    if (!item->value || !text_parse_u64(item->value, &tpid) ||
        (tpid != ETH_TYPE_VLAN && tpid != ETH_TYPE_QINQ))
        return error_set(parser->error, -EINVAL, "push_vlan:%s: expected 0x8100 or 0x88a8",
                         item->value ? item->value : "");
    return put_vlan(parser, OFA_PUSH_VLAN, tpid);
}

int action_parse_plain(struct action_parser *parser, const struct text_item *item, int argument)
{
    if (item->value && *item->value)
        return error_set(parser->error, -EINVAL, "%s takes no \"%s\"", item->key, item->value);
    struct ofa *ofa = ofa_put(parser->list, (enum ofa_type)argument);
    if (!strcasecmp(item->key, "strip_vlan"))
        ofa->form = OFA_FORM_LEGACY;
    return 0;
}

static int parse_mpls(struct action_parser *parser, const struct text_item *item, int argument)
{
    uint64_t max = ofa_mpls_max((enum ofa_type)argument), value;
    int result = action_parse_bounded(parser, item->key, item->value, max, &value);

    if (!result && argument == OFA_PUSH_MPLS && value != ETH_TYPE_MPLS &&
        value != ETH_TYPE_MPLS_MULTICAST)
        result = error_set(parser->error, -EINVAL, "push_mpls:%s: expected 0x8847 or 0x8848",
                           item->value);
    if (!result)
        ofa_put_mpls(parser->list, (enum ofa_type)argument, (uint32_t)value);
    return result;
}

/* "dec_ttl" or "dec_ttl(ID,ID...)", the controllers to tell. */
static int parse_dec_ttl(struct action_parser *parser, const struct text_item *item,
                         int argument UNUSED)
{
    uint16_t ids[64];
    size_t n_ids = 0;
    char *rest;

    for (char *word = item->value ? strtok_r(item->value, ", ", &rest) : NULL; word;
         word = strtok_r(NULL, ", ", &rest)) {
        uint64_t id;
        int result = action_parse_bounded(parser, item->key, word, UINT16_MAX, &id);

        if (result)
            return result;
        if (n_ids == ARRAY_SIZE(ids))
            return error_set(parser->error, -E2BIG, "dec_ttl(): more than %zu controllers", n_ids);
        ids[n_ids++] = (uint16_t)id;
    }
    struct ofa_dec_ttl *dec = (struct ofa_dec_ttl *)(void *)ofa_put_longer(
        parser->list, OFA_DEC_TTL, n_ids * sizeof ids[0]);
    dec->n_ids = (uint16_t)n_ids;
    memcpy(dec->ids, ids, n_ids * sizeof ids[0]);
    return 0;
}

/* Splits "VALUE->DESTINATION". */
static char *split_arrow(char *text)
{
    char *arrow = text ? strstr(text, "->") : NULL;

    if (arrow) {
        *arrow = '\0';
        return arrow + 2;
    }
    return NULL;
}

static int read_only(struct action_parser *parser, const char *key, const char *name)
{
    return error_set(parser->error, -EPERM, "%s: %s cannot be changed", key, name);
}

static int put_set_field(struct action_parser *parser, const char *key, const char *text,
                         const char *name)
{
    const struct of_field *field = of_field_by_name(name, strlen(name));
    struct of_value value, mask;
    of_port port;
    int result;

    if (!field)
        return error_set(parser->error, -ENOENT, "%s:%s->%s: %s: no such field", key, text, name,
                         name);
    if (!field->is_writable)
        return read_only(parser, key, name);
    if (!of_field_has_place(field))
        return error_set(parser->error, -E2BIG, "%s: no room for one more option of tunnels", name);
    if (field->id == FIELD_IN_PORT && !of_port_parse(text, parser->names, &port, NULL)) {
        of_value_from_u64(field, port, &value);
        of_value_all_ones(field, &mask);
        result = 0;
    } else {
        result = of_value_parse_masked(field, text, &value, &mask, parser->error);
    }
    if (!result && !of_value_is_valid(field, &value))
        result = error_set(parser->error, -ERANGE, "%s: not a value of %s", text, name);
    if (result)
        return error_prefix(parser->error, "%s", key);
    if (field->id == FIELD_VLAN_VID) /* A VID that is set is there. */
        value.bytes[0] |= VLAN_CFI >> 8, mask.bytes[0] |= VLAN_CFI >> 8;
    ofa_put_set_field(parser->list, OFA_FORM_DEFAULT, field, &value, &mask);
    return 0;
}

static int parse_set_field(struct action_parser *parser, const struct text_item *item,
                           int argument UNUSED)
{
    char *name = split_arrow(item->value);

    if (!name)
        return action_needs_value(parser, item, "VALUE->FIELD");
    return put_set_field(parser, item->key, item->value, name);
}

static int parse_load(struct action_parser *parser, const struct text_item *item,
                      int argument UNUSED)
{
    char *name = split_arrow(item->value);
    struct of_value value = {.bytes = {0}}, mask = {.bytes = {0}};
    struct of_subfield part;
    uint64_t number;

    if (!name)
        return action_needs_value(parser, item, "VALUE->FIELD[BITS]");
    if (!text_parse_u64(item->value, &number))
        return error_set(parser->error, -EINVAL, "load:%s: expected a number", item->value);
    if (of_subfield_parse(name, &part, parser->error))
        return error_prefix(parser->error, "load");
    if (!part.field->is_writable)
        return read_only(parser, item->key, name);
    if (part.n_bits < 64 && number >> part.n_bits)
        return error_set(parser->error, -ERANGE, "load:%s->%s: %s does not fit into %u bits",
                         item->value, name, item->value, part.n_bits);

    unsigned __int128 bits = part.n_bits < 128 ? ((unsigned __int128)1 << part.n_bits) - 1
                                               : ~(unsigned __int128)0;
    unsigned __int128 shifted = (unsigned __int128)number << part.first;
    bits <<= part.first;
    for (size_t i = part.field->n_bytes; i-- > 0; shifted >>= 8, bits >>= 8) {
        value.bytes[i] = (uint8_t)shifted;
        mask.bytes[i] = (uint8_t)bits;
    }
    ofa_put_set_field(parser->list, OFA_FORM_LOAD, part.field, &value, &mask);
    return 0;
}

static int parse_move(struct action_parser *parser, const struct text_item *item,
                      int argument UNUSED)
{
    char *name = split_arrow(item->value);
    struct of_subfield source, destination;

    if (!name)
        return action_needs_value(parser, item, "FIELD[BITS]->FIELD[BITS]");
    if (of_subfield_parse(item->value, &source, parser->error) ||
        of_subfield_parse(name, &destination, parser->error))
        return error_prefix(parser->error, "move");
    if (source.n_bits != destination.n_bits)
        return error_set(parser->error, -EINVAL, "move:%s->%s: %u bits do not fit %u", item->value,
                         name, source.n_bits, destination.n_bits);
    if (!destination.field->is_writable)
        return read_only(parser, item->key, name);
    struct ofa_move *move = (struct ofa_move *)(void *)ofa_put(parser->list, OFA_MOVE);
    move->source = (uint16_t)source.field->id;
    move->source_first = source.first;
    move->destination = (uint16_t)destination.field->id;
    move->destination_first = destination.first;
    move->n_bits = source.n_bits;
    return 0;
}

static int parse_metadata(struct action_parser *parser, const struct text_item *item,
                          int argument UNUSED)
{
    const struct of_field *field = of_field(FIELD_METADATA);
    struct of_value value, mask;

    if (!item->value)
        return action_needs_value(parser, item, "VALUE/MASK");
    if (of_value_parse_masked(field, item->value, &value, &mask, parser->error))
        return error_prefix(parser->error, "%s", item->key);
    struct ofa_metadata *metadata = (struct ofa_metadata *)(void *)ofa_put(parser->list,
                                                                           OFA_WRITE_METADATA);
    metadata->value = be64_load(value.bytes);
    metadata->mask = be64_load(mask.bytes);
    return 0;
}

static int parse_goto(struct action_parser *parser, const struct text_item *item,
                      int argument UNUSED)
{
    uint8_t table;
    int result = item->value ? parse_table(parser, item->key, item->value, OF_N_TABLES - 1, &table)
                             : action_needs_value(parser, item, "TABLE");

    if (!result) {
        struct ofa_goto *go = (struct ofa_goto *)(void *)ofa_put(parser->list, OFA_GOTO_TABLE);
        go->table_id = table;
    }
    return result;
}

static int parse_group(struct action_parser *parser, const struct text_item *item,
                       int argument UNUSED)
{
    uint64_t group_id;
    int result = action_parse_bounded(parser, item->key, item->value, (uint32_t)OF_GROUP_MAX,
                                      &group_id);

    if (!result)
        ((struct ofa_group *)(void *)ofa_put(parser->list, OFA_GROUP))->group_id =
            (uint32_t)group_id;
    return result;
}

static int parse_meter(struct action_parser *parser, const struct text_item *item,
                       int argument UNUSED)
{
    uint64_t meter_id;

    if (!item->value || !text_parse_u64(item->value, &meter_id) || !meter_id ||
        meter_id > OF_METER_MAX)
        return error_set(parser->error, -EINVAL, "meter:%s: expected a number from 1 to %u",
                         item->value ? item->value : "", OF_METER_MAX);
    if (parser->is_nested || parser->list->size)
        return error_set(parser->error, -EINVAL, "meter: must stand before all other actions");
    ((struct ofa_meter *)(void *)ofa_put(parser->list, OFA_METER))->meter_id = (uint32_t)meter_id;
    return 0;
}

static int parse_apply(struct action_parser *parser, const struct text_item *item,
                       int argument UNUSED)
{
    if (item->mark != '(' || parser->is_nested)
        return error_set(parser->error, -EINVAL, "apply_actions: expected apply_actions(...)");
    return action_parse_list(parser, item->value);
}

static int parse_write(struct action_parser *parser, const struct text_item *item,
                       int argument UNUSED)
{
    if (item->mark != '(')
        return error_set(parser->error, -EINVAL, "write_actions: expected write_actions(...)");

    size_t start = ofa_begin_nested(parser->list, OFA_WRITE_ACTIONS);
    parser->is_nested = true;
    int result = action_parse_list(parser, item->value);
    parser->is_nested = false;
    if (!result && !ofa_end_nested(parser->list, start))
        result = error_set(parser->error, -E2BIG, "write_actions(): too many actions");
    return result;
}

const struct action_name action_names[] = {
    {"output", parse_output, 0},
    {"resubmit", parse_resubmit, 0},
    {"controller", ofa_parse_controller, 0},
    {"load", parse_load, 0},
    {"move", parse_move, 0},
    {"set_field", parse_set_field, 0},
    {"mod_dl_src", parse_legacy, FIELD_ETH_SRC},
    {"mod_dl_dst", parse_legacy, FIELD_ETH_DST},
    {"mod_nw_src", parse_legacy, FIELD_IPV4_SRC},
    {"mod_nw_dst", parse_legacy, FIELD_IPV4_DST},
    {"mod_nw_tos", parse_legacy, FIELD_NW_TOS},
    {"mod_nw_ecn", parse_legacy, FIELD_IP_ECN},
    {"mod_nw_ttl", parse_legacy, FIELD_IP_TTL},
    {"mod_tp_src", parse_legacy, FIELD_TCP_SRC},
    {"mod_tp_dst", parse_legacy, FIELD_TCP_DST},
    {"mod_vlan_vid", parse_vlan_pushing, OFA_SET_VLAN_VID},
    {"set_vlan_vid", parse_vlan, OFA_SET_VLAN_VID},
    {"mod_vlan_pcp", parse_vlan_pushing, OFA_SET_VLAN_PCP},
    {"set_vlan_pcp", parse_vlan, OFA_SET_VLAN_PCP},
    {"push_vlan", parse_push_vlan, 0},
    {"strip_vlan", action_parse_plain, OFA_POP_VLAN},
    {"pop_vlan", action_parse_plain, OFA_POP_VLAN},
    {"push_mpls", parse_mpls, OFA_PUSH_MPLS},
    {"pop_mpls", parse_mpls, OFA_POP_MPLS},
    {"set_mpls_label", parse_mpls, OFA_SET_MPLS_LABEL},
    {"set_mpls_tc", parse_mpls, OFA_SET_MPLS_TC},
    {"set_mpls_ttl", parse_mpls, OFA_SET_MPLS_TTL},
    {"dec_mpls_ttl", action_parse_plain, OFA_DEC_MPLS_TTL},
    {"dec_ttl", parse_dec_ttl, 0},
    {"group", parse_group, 0},
    {"meter", parse_meter, 0},
    {"clear_actions", action_parse_plain, OFA_CLEAR_ACTIONS},
    {"write_actions", parse_write, 0},
    {"apply_actions", parse_apply, 0},
    {"write_metadata", parse_metadata, 0},
    {"goto_table", parse_goto, 0},
};

const size_t action_n_names = ARRAY_SIZE(action_names);

static const struct action_name *find_in(const struct action_name *names, size_t n_names,
                                         const char *key)
{
    for (size_t i = 0; i < n_names; i++) {
        if (!strcasecmp(names[i].name, key))
            return &names[i];
    }
    return NULL;
}

static const struct action_name *find_name(const char *key)
{
    const struct action_name *name = find_in(action_names, action_n_names, key);

    return name ? name : find_in(action_nx_names, action_n_nx_names, key);
}

/* A port alone, or "VALUE->FIELD" without "set_field:". */
static int parse_other(struct action_parser *parser, const struct text_item *item)
{
    of_port port;

    if (item->value)
        return error_set(parser->error, -ENOENT, "%s: no such action", item->key);
    char *name = split_arrow(item->key);
    if (name)
        return put_set_field(parser, "set_field", item->key, name);
    if (of_port_parse(item->key, parser->names, &port, NULL))
        return error_set(parser->error, -ENOENT, "%s: no such action or port", item->key);
    ofa_put_output(parser->list, port, port == OFPP_CONTROLLER ? UINT16_MAX : 0);
    return 0;
}

/* Instructions come in the order of their execution, each once (OpenFlow 1.3.5, section 5.9). */
static int check_order(struct action_parser *parser, const char *key, size_t before)
{
    static const char *const stage_names[] = {"actions", "clear_actions", "write_actions",
                                              "write_metadata", "goto_table"};
    int last = 0;

    for (size_t at = 0; at < parser->list->size;) {
        const struct ofa *ofa = (const struct ofa *)(const void *)(parser->list->data + at);
        int stage = ofa_is_instruction(ofa) ? ofa->type - OFA_CLEAR_ACTIONS + 1 : 0;

        if (at >= before && stage < last)
            return error_set(parser->error, -EINVAL, "%s: must stand before %s", key,
                             stage_names[last]);
        if (at >= before && stage && stage == last)
            return error_set(parser->error, -EINVAL, "%s: is there twice", key);
        last = stage;
        at += ofa->n_bytes;
    }
    return 0;
}

static int parse_item(struct action_parser *parser, const struct text_item *item)
{
    const struct action_name *name = find_name(item->key);

    if (item->rest && strcasecmp(item->key, "check_pkt_larger"))
        return error_set(parser->error, -EINVAL, "%s(...)%s: nothing may follow", item->key,
                         item->rest);
    if (!name)
        return parse_other(parser, item);
    if (parser->is_nested && name->parse != parse_legacy &&
        (name->parse == parse_write || name->parse == parse_metadata || name->parse == parse_goto ||
         !strcmp(name->name, "clear_actions")))
        return error_set(parser->error, -EINVAL, "%s: not inside of other actions", item->key);
    return name->parse(parser, item, name->argument);
}

int action_parse_list(struct action_parser *parser, char *cursor)
{
    bool has_drop = false;
    size_t n_items = 0;
    struct text_item item;

    while (text_next_item(&cursor, &item)) {
        size_t before = parser->list->size;

        if (!item.key)
            return error_set(parser->error, -EINVAL, "%.60s: brackets do not match", cursor);
        n_items++;
        if (!strcasecmp(item.key, "drop")) {
            has_drop = true;
            continue;
        }
        int result = parse_item(parser, &item);
        if (!result && !parser->is_nested)
            result = check_order(parser, item.key, before);
        if (result)
            return result;
    }
    if (has_drop && n_items > 1)
        return error_set(parser->error, -EINVAL, "drop: stands alone or not at all");
    return 0;
}

int of_actions_parse(const char *text, const struct of_names *names, struct buffer *list,
                     struct error *error)
{
    struct action_parser parser = {.names = names, .list = list, .error = error};
    char *copy = strdup(text);

    if (!copy)
        abort();
    int result = action_parse_list(&parser, copy);
    free(copy);
    return result;
}
