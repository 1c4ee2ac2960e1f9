/* SPDX-License-Identifier: Apache-2.0 */

/* What a translation tells of itself, and why a rule was the answer to a lookup: for that the lookup is made
 * again, for all rules that match. */

#include <stdarg.h>
#include <string.h>

#include "lib/openflow/flow_text.h"
#include "vswitchd/action_set.h"
#include "vswitchd/conjunction.h"
#include "vswitchd/xlate_internal.h"

static struct trace_node *add(struct xlate *x, enum trace_type type, const char *text)
{
    return trace_tree_add(&x->tracer->tree, x->trace, type, text);
}

void xlate_trace(struct xlate *x, enum trace_type type, const char *format, ...)
{
    struct buffer text = BUFFER_INIT;
    va_list args;

    if (!x->trace)
        return;
    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    add(x, type, buffer_text(&text));
    buffer_fini(&text);
}

void xlate_trace_ofa(struct xlate *x, const struct ofa *action)
{
    struct ofa_list one = {.first = action, .n_bytes = action->n_bytes};
    struct buffer text = BUFFER_INIT;

    if (!x->trace)
        return;
    of_actions_format(one, NULL, &text);
    add(x, TRACE_ACTION, buffer_text(&text));
    buffer_fini(&text);
}

/* Without zeros in front. */
static void put_hex(const struct of_value *value, struct buffer *out)
{
    size_t i = 0;

    while (i < sizeof value->bytes && !value->bytes[i])
        i++;
    if (i == sizeof value->bytes) {
        buffer_putc(out, '0');
        return;
    }
    buffer_printf(out, "0x%x", value->bytes[i]);
    while (++i < sizeof value->bytes)
        buffer_printf(out, "%02x", value->bytes[i]);
}

void xlate_trace_part(struct xlate *x, struct ofa_part part)
{
    const struct of_subfield subfield = ofa_part_subfield(part);
    struct buffer text = BUFFER_INIT;
    struct of_value value;

    if (!x->trace)
        return;
    of_subfield_format(&subfield, &text);
    buffer_puts(&text, " is now ");
    if (subfield.n_bits == subfield.field->n_bits) {
        of_field_get(subfield.field, &x->now.flow, &value);
        of_value_format(subfield.field, &value, &text);
    } else {
        of_subfield_get(&subfield, &x->now.flow, &value);
        put_hex(&value, &text);
    }
    add(x, TRACE_DETAIL, buffer_text(&text));
    buffer_fini(&text);
}

void xlate_trace_failure(struct xlate *x, enum drop_reason reason)
{
    if (x->tracer)
        x->tracer->failure = reason;
    if (reason == DROP_RECURSION_TOO_DEEP)
        xlate_complain(x, "over max translation depth %d", XLATE_MAX_DEPTH);
    else if (reason == DROP_TOO_MANY_RESUBMITS)
        xlate_complain(x, "over %d resubmit actions", XLATE_MAX_RESUBMITS);
    else
        xlate_complain(x, "%s, dropping", drop_reason_text(reason));
}

/* --- Bridges, buckets, action sets ---------------------------------------------------------- */

void xlate_trace_bridge(struct xlate *x)
{
    struct buffer text = BUFFER_INIT;

    if (!x->trace)
        return;
    buffer_printf(&text, "bridge(\"%s\")", x->bridge->name);
    x->trace = add(x, TRACE_BRIDGE, buffer_text(&text));
    trace_node_set_take(x->trace, "bridge", json_string(x->bridge->name));
    buffer_fini(&text);
}

void xlate_trace_into_table(struct xlate *x)
{
    struct trace_node *node = x->trace ? x->trace->first : NULL;

    while (node && node->type != TRACE_TABLE)
        node = node->next;
    if (node)
        x->trace = node;
}

uint32_t xlate_bucket_name(const struct group *group, size_t index)
{
    uint32_t bucket_id = group->desc.buckets[index].bucket_id;

    return bucket_id <= (uint32_t)OF_BUCKET_MAX ? bucket_id : (uint32_t)index;
}

void xlate_trace_bucket(struct xlate *x, const struct group *group, size_t index)
{
    struct buffer text = BUFFER_INIT;

    if (!x->trace)
        return;
    buffer_printf(&text, "bucket %u", xlate_bucket_name(group, index));
    x->trace = add(x, TRACE_BUCKET, buffer_text(&text));
    trace_node_set_take(x->trace, "bucket", json_integer(xlate_bucket_name(group, index)));
    buffer_fini(&text);
}

void xlate_trace_action_set(struct xlate *x)
{
    if (x->trace)
        x->trace = add(x, TRACE_TABLE, "--. Executing action set:");
}

void xlate_trace_set(struct xlate *x, const char *verb)
{
    const struct ofa *ordered[XLATE_MAX_ACTION_SET];
    struct buffer list = BUFFER_INIT, text = BUFFER_INIT;

    if (!x->trace)
        return;
    size_t n = action_set_order(x->action_set + x->action_set_first,
                                x->n_action_set - x->action_set_first, ordered);
    for (size_t i = 0; i < n; i++)
        buffer_put(&list, ordered[i], ordered[i]->n_bytes);
    if (n)
        of_actions_format((struct ofa_list){.first = (const void *)list.data, .n_bytes = list.size},
                          NULL, &text);
    if (x->n_action_set == x->action_set_first)
        xlate_detail(x, "action set %s empty", verb);
    else if (n)
        xlate_detail(x, "action set %s: %s", verb, buffer_text(&text));
    else
        xlate_detail(x, "action set %s: drop", verb);
    buffer_fini(&list);
    buffer_fini(&text);
}

/* --- Lookups -------------------------------------------------------------------------------- */

static void put_match(const struct rule *rule, struct buffer *out)
{
    struct match match;

    cls_rule_expand(&rule->cls, &match);
    of_match_format(&match, NULL, out);
}

/* "priority 5: ip,nw_dst=10.0.0.1" */
static void put_rule(const struct rule *rule, struct buffer *out)
{
    buffer_printf(out, "priority %u: ", rule->cls.priority);
    size_t n_before = out->size;
    put_match(rule, out);
    if (out->size == n_before)
        buffer_puts(out, "every frame");
}

static json_t *rule_to_json(const struct rule *rule)
{
    struct buffer match = BUFFER_INIT;

    put_match(rule, &match);
    json_t *json = json_pack(
        "{s:i, s:s, s:o}", "priority", (int)rule->cls.priority, "match", buffer_text(&match),
        "cookie", json_sprintf("0x%llx", (unsigned long long)be64_host(rule_cookie(rule))));
    buffer_fini(&match);
    return json;
}

enum { MAX_CLAUSES = 64 };

/* The rules that match besides the answer. */
struct others {
    struct xlate *x;
    const struct rule *answer; /* NULL: none. */
    unsigned int n;            /* Without those that say clauses. */
    const struct rule *best;

    /* Of one conjunction: the first met, or the one sought. */
    bool seeks_id, has_id;
    uint32_t id;
    uint32_t priority;
    unsigned int n_clauses;
    const struct rule *clauses[MAX_CLAUSES];
};

static void look_at_clauses(struct others *others, const struct rule *rule)
{
    for_each_action (ofa, rule_get_actions(rule, others->x->version)) {
        const struct ofa_conjunction *part = (const void *)ofa;

        if (ofa->type != OFA_CONJUNCTION || part->clause >= MAX_CLAUSES)
            continue;
        if (!others->has_id && !others->seeks_id) {
            others->has_id = true;
            others->id = part->id;
            others->priority = rule->cls.priority;
        }
        if (part->id != others->id || (others->has_id && rule->cls.priority != others->priority))
            continue;
        others->has_id = true;
        others->priority = rule->cls.priority;
        others->n_clauses = part->n_clauses;
        others->clauses[part->clause] = rule;
    }
}

static void look_at(const struct rule *rule, void *others_)
{
    struct others *others = others_;

    if (rule_is_conjunctive(rule, others->x->version)) {
        look_at_clauses(others, rule);
        return;
    }
    if (rule == others->answer)
        return;
    others->n++;
    if (!others->best || others->best->cls.priority < rule->cls.priority)
        others->best = rule;
}

/* The id that had to be set for 'rule' to match; 0: none. */
static uint32_t conjunction_of(const struct rule *rule)
{
    struct match match;

    if (!rule)
        return 0;
    cls_rule_expand(&rule->cls, &match);
    return match.mask.conj_id.raw ? be32_host(match.flow.conj_id) : 0;
}

static void tell_beaten(struct xlate *x, struct trace_node *node, const struct others *others)
{
    struct buffer text = BUFFER_INIT;

    trace_node_set_take(node, "others", json_integer(others->n));
    if (!others->best)
        return;
    trace_node_set_take(node, "next", rule_to_json(others->best));
    bool is_tie = others->best->cls.priority == others->answer->cls.priority;
    buffer_printf(&text, "priority %u; %u other%s match%s%s, the next by ",
                  others->answer->cls.priority, others->n, others->n == 1 ? "" : "s",
                  others->n == 1 ? "es" : "", is_tie ? "" : " lower");
    put_rule(others->best, &text);
    if (is_tie)
        buffer_puts(&text, " (of the same priority: which one wins is not defined)");
    xlate_trace(x, TRACE_NOTE, "%s", buffer_text(&text));
    buffer_fini(&text);
}

static json_t *clause_to_json(const struct others *others, unsigned int clause)
{
    return json_pack("{s:i, s:o}", "clause", (int)clause + 1, "rule",
                     others->clauses[clause] ? rule_to_json(others->clauses[clause]) : json_null());
}

/* Which rule said which clause; or, of a conjunction that did not come about, what is missing. */
static void tell_conjunction(struct xlate *x, struct trace_node *node, const struct others *others)
{
    json_t *clauses = json_array();

    for (unsigned int i = 0; i < others->n_clauses && i < MAX_CLAUSES; i++) {
        struct buffer text = BUFFER_INIT;

        json_array_append_new(clauses, clause_to_json(others, i));
        buffer_printf(&text, "conjunction %u, clause %u of %u: ", others->id, i + 1,
                      others->n_clauses);
        if (others->clauses[i])
            put_rule(others->clauses[i], &text);
        else
            buffer_puts(&text, "no rule matches");
        xlate_trace(x, TRACE_NOTE, "%s", buffer_text(&text));
        buffer_fini(&text);
    }
    trace_node_set_take(node, "conjunction",
                        json_pack("{s:I, s:o}", "id", (json_int_t)others->id, "clauses", clauses));
}

static void explain(struct xlate *x, struct trace_node *node, uint8_t table_id,
                    const struct rule *answer)
{
    struct others others = {.x = x, .answer = answer, .id = conjunction_of(answer)};

    others.seeks_id = others.id;
    flow_tables_each_match(x->bridge->tables, x->version, table_id, &x->tracer->looked_up, look_at,
                           &others);
    if (others.has_id && (others.seeks_id || !answer || others.priority > answer->cls.priority))
        tell_conjunction(x, node, &others);
    if (answer)
        tell_beaten(x, node, &others);
}

void xlate_trace_rule(struct xlate *x, uint8_t table_id, const struct rule *rule)
{
    struct buffer text = BUFFER_INIT;

    if (!x->trace)
        return;
    buffer_printf(&text, "%2u. ", table_id);
    size_t n_before = text.size;
    put_match(rule, &text);
    buffer_printf(&text, "%spriority %u", text.size > n_before ? ", " : "", rule->cls.priority);
    if (rule_cookie(rule).raw)
        buffer_printf(&text, ", cookie 0x%llx", (unsigned long long)be64_host(rule_cookie(rule)));
    struct trace_node *node = add(x, TRACE_TABLE, buffer_text(&text));
    buffer_fini(&text);
    x->trace = node;
    if (!node)
        return;
    trace_node_set_take(node, "table", json_integer(table_id));
    trace_node_set_take(node, "rule", rule_to_json(rule));
    explain(x, node, table_id, rule);
}

void xlate_trace_miss(struct xlate *x, uint8_t table_id, bool has_packet_in)
{
    struct buffer text = BUFFER_INIT;

    if (!x->trace)
        return;
    buffer_printf(&text, "%2u. No match%s", table_id,
                  has_packet_in ? ", and a \"packet-in\" is called for." : ".");
    struct trace_node *node = add(x, TRACE_TABLE, buffer_text(&text));
    buffer_fini(&text);
    x->trace = node;
    if (!node)
        return;
    trace_node_set_take(node, "table", json_integer(table_id));
    trace_node_set_take(node, "rule", json_null());
    explain(x, node, table_id, NULL);
}
