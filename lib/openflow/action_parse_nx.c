/* SPDX-License-Identifier: Apache-2.0 */

/* Nicira's actions as people write them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_links.h"
#include "lib/openflow/action_ct.h"
#include "lib/openflow/action_encap.h"
#include "lib/openflow/action_parse.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/learn.h"

enum { MAX_CLONE_DEPTH = 16 };

static int parse_part(struct action_parser *parser, const struct text_item *item, const char *text,
                      bool is_written, struct ofa_part *part)
{
    struct of_subfield subfield;
    int result = of_subfield_parse(text, &subfield, parser->error);

    if (!result && is_written && !subfield.field->is_writable)
        result = error_set(parser->error, -EPERM, "%s cannot be changed", text);
    if (result)
        return error_prefix(parser->error, "%s", item->key);
    *part = ofa_part_of(&subfield);
    return 0;
}

static int parse_stack(struct action_parser *parser, const struct text_item *item, int argument)
{
    struct ofa_part part;

    if (!item->value)
        return action_needs_value(parser, item, "FIELD[BITS]");
    int result = parse_part(parser, item, item->value, argument == OFA_STACK_POP, &part);
    if (!result)
        ((struct ofa_stack *)(void *)ofa_put(parser->list, (enum ofa_type)argument))->part = part;
    return result;
}

/* "enqueue:PORT:QUEUE" or "enqueue(PORT,QUEUE)". */
static int parse_enqueue(struct action_parser *parser, const struct text_item *item,
                         int argument UNUSED)
{
    char *queue_text = item->value ? strpbrk(item->value, ":,") : NULL;
    uint64_t queue;
    of_port port;

    if (!queue_text)
        return action_needs_value(parser, item, "PORT:QUEUE");
    *queue_text++ = '\0';
    int result = action_parse_port(parser, item->key, item->value, &port);
    if (!result)
        result = action_parse_bounded(parser, item->key, queue_text, UINT32_MAX, &queue);
    if (result)
        return result;
    struct ofa_enqueue *enqueue = (struct ofa_enqueue *)(void *)ofa_put(parser->list, OFA_ENQUEUE);
    enqueue->port = port;
    enqueue->queue = (uint32_t)queue;
    return 0;
}

static int parse_set_queue(struct action_parser *parser, const struct text_item *item,
                           int argument UNUSED)
{
    uint64_t queue;
    int result = action_parse_bounded(parser, item->key, item->value, UINT32_MAX, &queue);

    if (!result)
        ((struct ofa_queue *)(void *)ofa_put(parser->list, OFA_SET_QUEUE))->queue = (uint32_t)queue;
    return result;
}

static int parse_clone(struct action_parser *parser, const struct text_item *item,
                       int argument UNUSED)
{
    if (item->mark != '(')
        return error_set(parser->error, -EINVAL, "clone: expected clone(ACTIONS)");
    if (parser->depth == MAX_CLONE_DEPTH)
        return error_set(parser->error, -E2BIG, "clone: more than %d inside each other",
                         MAX_CLONE_DEPTH);

    size_t start = ofa_begin_nested(parser->list, OFA_CLONE);
    bool was_nested = parser->is_nested;
    parser->is_nested = true;
    parser->depth++;
    int result = action_parse_list(parser, item->value);
    parser->depth--;
    parser->is_nested = was_nested;
    if (!result && !ofa_end_nested(parser->list, start))
        result = error_set(parser->error, -E2BIG, "clone(): too many actions");
    return result;
}

static int parse_multipath(struct action_parser *parser, const struct text_item *item,
                           int argument UNUSED)
{
    return ofa_parse_multipath(item->value, parser->list, parser->error);
}

static int parse_bundle(struct action_parser *parser, const struct text_item *item,
                        int argument UNUSED)
{
    return ofa_parse_bundle(item->value, parser->names, parser->list, parser->error);
}

static int parse_bundle_load(struct action_parser *parser, const struct text_item *item,
                             int argument UNUSED)
{
    return ofa_parse_bundle_load(item->value, parser->names, parser->list, parser->error);
}

static int parse_learn(struct action_parser *parser, const struct text_item *item,
                       int argument UNUSED)
{
    return ofa_parse_learn(item->value, parser->names, parser->list, parser->error);
}

/* "conjunction(ID,K/N)" */
static int parse_conjunction(struct action_parser *parser, const struct text_item *item,
                             int argument UNUSED)
{
    unsigned clause, n_clauses;
    char *comma = item->value ? strchr(item->value, ',') : NULL;
    uint64_t id;
    int used = 0;

    if (!comma || sscanf(comma, ", %u / %u%n", &clause, &n_clauses, &used) != 2 || comma[used])
        return error_set(parser->error, -EINVAL, "conjunction: expected conjunction(ID,K/N)");
    *comma = '\0';
    int result = action_parse_bounded(parser, item->key, item->value, UINT32_MAX, &id);
    if (result)
        return result;
    if (n_clauses < 2 || n_clauses > 64)
        return error_set(parser->error, -ERANGE, "conjunction: a conjunction has 2 to 64 clauses");
    if (!clause || clause > n_clauses)
        return error_set(parser->error, -ERANGE, "conjunction: clause %u of %u does not exist",
                         clause, n_clauses);
    struct ofa_conjunction *conjunction =
        (struct ofa_conjunction *)(void *)ofa_put(parser->list, OFA_CONJUNCTION);
    conjunction->id = (uint32_t)id;
    conjunction->clause = (uint8_t)(clause - 1);
    conjunction->n_clauses = (uint8_t)n_clauses;
    return 0;
}

/* "check_pkt_larger(BYTES)->FIELD[BIT]" */
static int parse_check_length(struct action_parser *parser, const struct text_item *item,
                              int argument UNUSED)
{
    struct ofa_part destination;
    uint64_t n_bytes;

    if (item->mark != '(' || !item->rest)
        return error_set(parser->error, -EINVAL,
                         "check_pkt_larger: expected check_pkt_larger(BYTES)->FIELD[BIT]");
    int result = action_parse_bounded(parser, item->key, item->value, UINT16_MAX, &n_bytes);
    if (!result)
        result = parse_part(parser, item, item->rest + strlen("->"), true, &destination);
    if (!result && destination.n_bits != 1)
        result = error_set(parser->error, -EINVAL, "check_pkt_larger: %s is not one bit",
                           item->rest + strlen("->"));
    if (result)
        return result;
    struct ofa_check_length *check = (struct ofa_check_length *)(void *)ofa_put(parser->list,
                                                                                OFA_CHECK_LENGTH);
    check->n_bytes = (uint16_t)n_bytes;
    check->destination = destination;
    return 0;
}

static int parse_fin_timeout(struct action_parser *parser, const struct text_item *item,
                             int argument UNUSED)
{
    uint64_t idle = 0, hard = 0;
    char *cursor = item->value;
    struct text_item inner;
    int result = 0;

    while (!result && cursor && text_next_item(&cursor, &inner)) {
        if (inner.key && !strcmp(inner.key, "idle_timeout"))
            result = action_parse_bounded(parser, inner.key, inner.value, UINT16_MAX, &idle);
        else if (inner.key && !strcmp(inner.key, "hard_timeout"))
            result = action_parse_bounded(parser, inner.key, inner.value, UINT16_MAX, &hard);
        else
            result = error_set(parser->error, -EINVAL,
                               "fin_timeout: expected idle_timeout=SECONDS,hard_timeout=SECONDS");
    }
    if (result)
        return result;
    struct ofa_fin_timeout *fin = (struct ofa_fin_timeout *)(void *)ofa_put(parser->list,
                                                                            OFA_FIN_TIMEOUT);
    fin->idle_s = (uint16_t)idle;
    fin->hard_s = (uint16_t)hard;
    return 0;
}

/* Bytes as "01.02.03"; zeros fill the action's last 8 bytes, which counts as part of the note. */
static int parse_note(struct action_parser *parser, const struct text_item *item,
                      int argument UNUSED)
{
    const char *text = item->value ? item->value : "";
    size_t n_bytes = 0;

    for (const char *p = text; *p; p += *p ? 1 : 0) {
        if (text_hex_digit(p[0]) < 0 || text_hex_digit(p[1]) < 0 || (p[2] && p[2] != '.'))
            return error_set(parser->error, -EINVAL, "note:%s: expected bytes like 01.02.0a", text);
        n_bytes++;
        p += 2;
    }
    size_t padded = n_bytes <= 6 ? 6 : (n_bytes - 6 + 7) / 8 * 8 + 6;
    if (padded > UINT16_MAX - 64)
        return error_set(parser->error, -E2BIG, "note: too long");
    struct ofa_note *note = (struct ofa_note *)(void *)ofa_put_longer(parser->list, OFA_NOTE,
                                                                      padded);
    note->n_bytes = (uint16_t)padded;
    for (size_t i = 0; i < n_bytes; i++)
        note->bytes[i] = (uint8_t)(text_hex_digit(text[3 * i]) << 4 |
                                   text_hex_digit(text[3 * i + 1]));
    return 0;
}

/* A number that does not fit the first form is said by the second. */
static int parse_tunnel(struct action_parser *parser, const struct text_item *item, int argument)
{
    const struct of_field *field = of_field(FIELD_TUN_ID);
    struct of_value value;
    uint64_t tun_id;
    int result = action_parse_bounded(parser, item->key, item->value, UINT64_MAX, &tun_id);

    if (result)
        return result;
    of_value_from_u64(field, tun_id, &value);
    ofa_put_set_field(parser->list,
                      tun_id > UINT32_MAX ? OFA_FORM_TUNNEL64 : (enum ofa_form)argument, field,
                      &value, NULL);
    return 0;
}

const struct action_name action_nx_names[] = {
    {"push", parse_stack, OFA_STACK_PUSH},
    {"pop", parse_stack, OFA_STACK_POP},
    {"enqueue", parse_enqueue, 0},
    {"set_queue", parse_set_queue, 0},
    {"pop_queue", action_parse_plain, OFA_POP_QUEUE},
    {"clone", parse_clone, 0},
    {"multipath", parse_multipath, 0},
    {"bundle", parse_bundle, 0},
    {"bundle_load", parse_bundle_load, 0},
    {"learn", parse_learn, 0},
    {"conjunction", parse_conjunction, 0},
    {"check_pkt_larger", parse_check_length, 0},
    {"fin_timeout", parse_fin_timeout, 0},
    {"note", parse_note, 0},
    {"exit", action_parse_plain, OFA_EXIT},
    {"ct", ofa_parse_ct, 0},
    {"nat", ofa_parse_nat, 0},
    {"ct_clear", action_parse_plain, OFA_CT_CLEAR},
    {"sample", ofa_parse_sample, 0},
    {"encap", ofa_parse_encap, 0},
    {"decap", ofa_parse_decap, 0},
    {"dec_nsh_ttl", action_parse_plain, OFA_DEC_NSH_TTL},
    {"delete_field", ofa_parse_delete_field, 0},
    {"set_tunnel", parse_tunnel, OFA_FORM_TUNNEL},
    {"set_tunnel64", parse_tunnel, OFA_FORM_TUNNEL64},
};

const size_t action_n_nx_names = ARRAY_SIZE(action_nx_names);
