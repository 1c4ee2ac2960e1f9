/* SPDX-License-Identifier: Apache-2.0 */

/* Whole flows: a match, what else a flow has, and its actions. */

#include "lib/openflow/flow_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/match_text.h"
#include "lib/openflow/text.h"

enum { DUMP = -1 }; /* A filter instead of a flow_mod. */
enum { MAX_ACTIONS_BYTES = 0xf000 };

struct flow_parser {
    int command; /* enum of_flow_command, or DUMP. */
    struct of_flow_mod *flow;
    struct match_text match;
    bool has_cookie;
    struct error *error;
};

static const struct {
    const char *name;
    uint16_t flag;
} flags[] = {
    {"send_flow_rem", OFFF_SEND_FLOW_REM},  {"check_overlap", OFFF_CHECK_OVERLAP},
    {"reset_counts", OFFF_RESET_COUNTS},    {"no_packet_counts", OFFF_NO_PKT_COUNTS},
    {"no_byte_counts", OFFF_NO_BYT_COUNTS},
};

static bool is_delete(const struct flow_parser *parser)
{
    return parser->command == OFFC_DELETE || parser->command == OFFC_DELETE_STRICT;
}

static bool has_actions(const struct flow_parser *parser)
{
    return parser->command != DUMP && !is_delete(parser);
}

static int parse_u16(struct flow_parser *parser, const struct text_item *item, unsigned max,
                     uint16_t *number)
{
    uint64_t wide;

    if (!text_parse_u64(item->value, &wide) || wide > max)
        return error_set(parser->error, -EINVAL, "%s=%s: expected a number from 0 to %u", item->key,
                         item->value, max);
    *number = (uint16_t)wide;
    return 0;
}

static int parse_priority(struct flow_parser *parser, const struct text_item *item)
{
    if (parser->command == DUMP || parser->command == OFFC_DELETE)
        return error_set(parser->error, -EINVAL,
                         "priority=%s: a priority only selects flows with --strict", item->value);
    return parse_u16(parser, item, UINT16_MAX, &parser->flow->priority);
}

static int parse_table(struct flow_parser *parser, const struct text_item *item)
{
    int result = of_table_parse(item->value, parser->match.names, UINT8_MAX,
                                &parser->flow->table_id, parser->error);

    return result ? error_prefix(parser->error, "%s", item->key) : 0;
}

/* Cookies may be written as -1. */
static bool parse_cookie_number(const char *text, be64 *cookie)
{
    uint64_t number;

    if (!strcmp(text, "-1")) {
        cookie->raw = UINT64_MAX;
        return true;
    }
    if (!text_parse_u64(text, &number))
        return false;
    *cookie = be64_from(number);
    return true;
}

/* With a mask it selects flows; without, it is set on them. */
static int parse_cookie(struct flow_parser *parser, const struct text_item *item)
{
    struct of_flow_mod *flow = parser->flow;
    char *mask = strchr(item->value, '/');
    be64 cookie;

    if (mask)
        *mask++ = '\0';
    if (!parse_cookie_number(item->value, &cookie) ||
        (mask && !parse_cookie_number(mask, &flow->cookie_mask)))
        return error_set(parser->error, -EINVAL, "cookie=%s%s%s: expected a number of 64 bits",
                         item->value, mask ? "/" : "", mask ? mask : "");
    if (!mask && has_actions(parser)) {
        flow->new_cookie = cookie;
        parser->has_cookie = true;
        return 0;
    }
    if (!mask)
        return error_set(parser->error, -EINVAL,
                         "cookie=%s: to select flows by cookie, give a mask: cookie=%s/-1",
                         item->value, item->value);
    if (parser->command == OFFC_ADD)
        return error_set(parser->error, -EINVAL, "cookie=%s/%s: a new flow's cookie has no mask",
                         item->value, mask);
    flow->cookie.raw = cookie.raw & flow->cookie_mask.raw;
    return 0;
}

static int parse_out_port(struct flow_parser *parser, const struct text_item *item)
{
    if (has_actions(parser))
        return error_set(parser->error, -EINVAL, "out_port=%s: only for delete and dump",
                         item->value);
    if (of_port_parse(item->value, parser->match.names, &parser->flow->out_port, parser->error))
        return error_prefix(parser->error, "%s", item->key);
    return 0;
}

static int parse_out_group(struct flow_parser *parser, const struct text_item *item)
{
    uint64_t group;

    if (has_actions(parser))
        return error_set(parser->error, -EINVAL, "out_group=%s: only for delete and dump",
                         item->value);
    if (!strcasecmp(item->value, "any"))
        group = (uint32_t)OF_GROUP_ANY;
    else if (!text_parse_u64(item->value, &group) || group > UINT32_MAX)
        return error_set(parser->error, -EINVAL, "out_group=%s: expected the number of a group",
                         item->value);
    parser->flow->out_group = (uint32_t)group;
    return 0;
}

static int parse_idle_timeout(struct flow_parser *parser, const struct text_item *item)
{
    return parse_u16(parser, item, UINT16_MAX, &parser->flow->idle_timeout_s);
}

static int parse_hard_timeout(struct flow_parser *parser, const struct text_item *item)
{
    return parse_u16(parser, item, UINT16_MAX, &parser->flow->hard_timeout_s);
}

static int parse_importance(struct flow_parser *parser, const struct text_item *item)
{
    return parse_u16(parser, item, UINT16_MAX, &parser->flow->importance);
}

/* What dump-flows prints may be fed to add-flows. */
static int parse_ignored(struct flow_parser *parser UNUSED, const struct text_item *item UNUSED)
{
    return 0;
}

static const struct {
    const char *key;
    bool is_for_actions; /* Only where flows are added or modified. */
    int (*parse)(struct flow_parser *parser, const struct text_item *item);
} flow_keys[] = {
    {"priority", false, parse_priority},
    {"table", false, parse_table},
    {"cookie", false, parse_cookie},
    {"out_port", false, parse_out_port},
    {"out_group", false, parse_out_group},
    {"idle_timeout", true, parse_idle_timeout},
    {"hard_timeout", true, parse_hard_timeout},
    {"importance", true, parse_importance},
    {"duration", false, parse_ignored},
    {"n_packets", false, parse_ignored},
    {"n_bytes", false, parse_ignored},
    {"idle_age", false, parse_ignored},
    {"hard_age", false, parse_ignored},
};

/* 0, an error, or 1: it is something else. */
static int parse_flow_key(struct flow_parser *parser, const struct text_item *item)
{
    for (size_t i = 0; i < ARRAY_SIZE(flow_keys); i++) {
        if (strcmp(flow_keys[i].key, item->key))
            continue;
        if (!item->value)
            return error_set(parser->error, -EINVAL, "%s: expected %s=VALUE", item->key, item->key);
        if (flow_keys[i].is_for_actions && !has_actions(parser))
            return error_set(parser->error, -EINVAL, "%s=%s: selects no flows", item->key,
                             item->value);
        return flow_keys[i].parse(parser, item);
    }
    for (size_t i = 0; !item->value && i < ARRAY_SIZE(flags); i++) {
        if (strcmp(flags[i].name, item->key))
            continue;
        if (!has_actions(parser))
            return error_set(parser->error, -EINVAL, "%s: selects no flows", item->key);
        parser->flow->flags |= flags[i].flag;
        return 0;
    }
    return 1;
}

static int parse_fields(struct flow_parser *parser, char *cursor)
{
    struct text_item item;

    while (text_next_item(&cursor, &item)) {
        if (!item.key)
            return error_set(parser->error, -EINVAL, "%.60s: brackets do not match", cursor);
        if (!strcmp(item.key, "actions") || !strcmp(item.key, "action"))
            return error_set(parser->error, -EINVAL,
                             "%s: only flows that are added or modified "
                             "have actions",
                             item.key);
        int result = parse_flow_key(parser, &item);
        if (result == 1) {
            result = match_text_add(&parser->match, item.key, item.value, parser->error);
            if (result == -ENOENT && !(parser->error && parser->error->code))
                error_set(parser->error, -ENOENT, "%s: no such field", item.key);
        }
        if (result)
            return result;
    }
    return match_text_finish(&parser->match, parser->error);
}

/* Cuts "actions=..." off the line; NULL if there are none. */
static char *split_actions(char *line)
{
    for (char *p = line; (p = strstr(p, "action")); p++) {
        char *end = p + strlen("action");

        end += *end == 's';
        if ((p == line || strchr(", \t", p[-1])) && *end == '=') {
            *p = '\0';
            return end + 1;
        }
    }
    return NULL;
}

static struct ofa_list list_of(const struct buffer *actions)
{
    return (struct ofa_list){.first = (const struct ofa *)(const void *)actions->data,
                             .n_bytes = actions->size};
}

static const char *explain(enum of_error error)
{
    switch (error) {
    case OFPBAC_MATCH_INCONSISTENT:
        return "the match does not say that the header is there";
    case OFPBAC_BAD_OUT_PORT:
        return "frames cannot be sent to that port";
    case OFPBIC_BAD_TABLE_ID:
        return "only a later table can follow";
    case OFPBAC_BAD_TAG:
        return "there are two tags already";
    case OFPBAC_BAD_TYPE:
        return "cannot stand in write_actions()";
    default:
        return of_error_name(error);
    }
}

/* Names the first action that cannot stay. */
static int blame_action(struct flow_parser *parser, const struct ofa_check *check,
                        enum of_error error)
{
    struct buffer text = BUFFER_INIT;

    for_each_action (ofa, list_of(&parser->flow->actions)) {
        struct buffer until = BUFFER_INIT;
        size_t n_bytes = (size_t)((const uint8_t *)ofa_next(ofa) - parser->flow->actions.data);

        buffer_put(&until, parser->flow->actions.data, n_bytes);
        bool is_wrong = ofa_check(&until, &parser->flow->match, check) != OF_OK;
        buffer_fini(&until);
        if (is_wrong) {
            of_actions_format((struct ofa_list){ofa, ofa->n_bytes}, parser->match.names, &text);
            break;
        }
    }
    error_set(parser->error, -EINVAL, "%s: %s", buffer_text(&text), explain(error));
    buffer_fini(&text);
    return -EINVAL;
}

/* A mask with many runs is one action here, but many on the wire. */
static int check_wire_size(struct flow_parser *parser)
{
    static const enum of_version versions[] = {OF_1_0, OF_1_3};
    struct buffer wire = BUFFER_INIT;
    size_t most = 0;

    if (parser->flow->actions.size < MAX_ACTIONS_BYTES / 64)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        buffer_clear(&wire);
        ofa_encode_actions(list_of(&parser->flow->actions), versions[i], &wire);
        for_each_action (ofa, list_of(&parser->flow->actions)) {
            if (ofa->type == OFA_WRITE_ACTIONS)
                ofa_encode_actions(ofa_nested_list((const void *)ofa), versions[i], &wire);
        }
        most = wire.size > most ? wire.size : most;
    }
    buffer_fini(&wire);
    if (most > MAX_ACTIONS_BYTES)
        return error_set(parser->error, -E2BIG, "actions: too many for one message");
    return 0;
}

static int parse_actions(struct flow_parser *parser, const char *text)
{
    struct of_flow_mod *flow = parser->flow;
    bool is_in_first_table = flow->table_id == OF_TABLE_ALL; /* Which is where it then goes. */
    struct ofa_check check = {.version = OF_1_0,
                              .table_id = is_in_first_table ? 0 : flow->table_id,
                              .n_tables = OF_N_TABLES,
                              .max_ports = OFPP_MAX};

    if (!text)
        return error_set(parser->error, -EINVAL, "the flow needs actions=..., or actions=drop");
    int result = of_actions_parse(text, parser->match.names, &flow->actions, parser->error);
    if (result)
        return result;
    enum of_error error = ofa_check(&flow->actions, &flow->match, &check);
    return error ? blame_action(parser, &check, error) : check_wire_size(parser);
}

static int parse_flow(struct flow_parser *parser, const struct of_names *names, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        abort();
    match_text_init(&parser->match, &parser->flow->match, names);
    char *actions = has_actions(parser) ? split_actions(copy) : NULL;
    int result = parse_fields(parser, copy);
    if (!result && has_actions(parser))
        result = parse_actions(parser, actions);
    free(copy);
    return result;
}

int of_flow_mod_parse(const char *text, enum of_flow_command command, const struct of_names *names,
                      struct of_flow_mod *flow, struct error *error)
{
    struct flow_parser parser = {.command = (int)command, .flow = flow, .error = error};

    of_flow_mod_init(flow);
    flow->command = (uint8_t)command;
    int result = parse_flow(&parser, names, text);
    bool is_modify = command == OFFC_MODIFY || command == OFFC_MODIFY_STRICT;
    flow->modify_cookie = is_modify && parser.has_cookie;
    if (is_modify && !parser.has_cookie && flow->cookie_mask.raw)
        flow->new_cookie.raw = UINT64_MAX;
    return result;
}

int of_flow_stats_request_parse(const char *text, const struct of_names *names,
                                struct of_flow_stats_request *request, struct error *error)
{
    struct of_flow_mod flow;
    struct flow_parser parser = {.command = DUMP, .flow = &flow, .error = error};

    of_flow_mod_init(&flow);
    of_flow_stats_request_init(request);
    int result = parse_flow(&parser, names, text);
    request->match = flow.match;
    request->cookie = flow.cookie;
    request->cookie_mask = flow.cookie_mask;
    request->out_port = flow.out_port;
    request->table_id = flow.table_id;
    request->out_group = flow.out_group;
    of_flow_mod_fini(&flow);
    return result;
}

static void format_counter(const char *name, uint64_t counter, struct buffer *out)
{
    if (counter == UINT64_MAX)
        buffer_printf(out, "%s=?, ", name);
    else
        buffer_printf(out, "%s=%llu, ", name, (unsigned long long)counter);
}

static void format_flags(unsigned set, struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (set & flags[i].flag)
            buffer_printf(out, "%s ", flags[i].name);
    }
}

static void format_timeouts(const struct of_flow_stats *stats, struct buffer *out)
{
    if (stats->idle_timeout_s)
        buffer_printf(out, "idle_timeout=%u, ", stats->idle_timeout_s);
    if (stats->hard_timeout_s)
        buffer_printf(out, "hard_timeout=%u, ", stats->hard_timeout_s);
    format_flags(stats->flags, out);
    if (stats->importance)
        buffer_printf(out, "importance=%u, ", stats->importance);
}

/* The match stands between two blanks, or there is one. */
static void format_rule(const struct of_flow_stats *stats, const struct of_names *names,
                        struct buffer *out)
{
    of_match_format_priority(&stats->match, stats->priority, names, out);
    if (out->data[out->size - 1] != ' ')
        buffer_putc(out, ' ');
    buffer_puts(out, "actions=");
    of_actions_format(stats->actions, names, out);
}

void of_flow_stats_format(const struct of_flow_stats *stats, const struct of_names *names,
                          struct buffer *out)
{
    buffer_printf(out, " cookie=0x%llx, duration=", (unsigned long long)be64_host(stats->cookie));
    text_format_duration(stats->duration_s, stats->duration_ns, out);
    buffer_puts(out, ", table=");
    of_table_format(stats->table_id, names, out);
    buffer_puts(out, ", ");
    format_counter("n_packets", stats->n_packets, out);
    format_counter("n_bytes", stats->n_bytes, out);
    format_timeouts(stats, out);
    if (stats->idle_age_s >= 0)
        buffer_printf(out, "idle_age=%d, ", stats->idle_age_s);
    if (stats->hard_age_s >= 0 && (uint32_t)stats->hard_age_s != stats->duration_s)
        buffer_printf(out, "hard_age=%d, ", stats->hard_age_s);
    format_rule(stats, names, out);
}

void of_flow_stats_format_brief(const struct of_flow_stats *stats, const struct of_names *names,
                                struct buffer *out)
{
    buffer_putc(out, ' ');
    if (stats->cookie.raw)
        buffer_printf(out, "cookie=0x%llx, ", (unsigned long long)be64_host(stats->cookie));
    if (stats->table_id) {
        buffer_puts(out, "table=");
        of_table_format(stats->table_id, names, out);
        buffer_puts(out, ", ");
    }
    format_timeouts(stats, out);
    format_rule(stats, names, out);
}

static void format_cookies(const struct of_flow_mod *flow, struct buffer *out)
{
    unsigned long long cookie = be64_host(flow->new_cookie);

    if (flow->new_cookie.raw && flow->new_cookie.raw != UINT64_MAX)
        buffer_printf(out, "cookie:0x%llx ", cookie);
    if (flow->cookie_mask.raw)
        buffer_printf(out, "cookie:0x%llx/0x%llx ", (unsigned long long)be64_host(flow->cookie),
                      (unsigned long long)be64_host(flow->cookie_mask));
}

void of_flow_mod_format(const struct of_flow_mod *flow, const struct of_names *names,
                        struct buffer *out)
{
    static const char *const commands[] = {"ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT"};
    buffer_printf(out, "%s ", commands[flow->command]);
    if (flow->table_id && flow->table_id != OF_TABLE_ALL) {
        buffer_puts(out, "table:");
        of_table_format(flow->table_id, names, out);
        buffer_putc(out, ' ');
    }
    size_t start = out->size;
    of_match_format_priority(&flow->match, flow->priority, names, out);
    if (out->size > start)
        buffer_putc(out, ' ');
    format_cookies(flow, out);
    if (flow->idle_timeout_s)
        buffer_printf(out, "idle:%u ", flow->idle_timeout_s);
    if (flow->hard_timeout_s)
        buffer_printf(out, "hard:%u ", flow->hard_timeout_s);
    if (flow->importance)
        buffer_printf(out, "importance:%u ", flow->importance);
    if (flow->out_port != OFPP_NONE) {
        buffer_puts(out, "out_port:");
        of_port_format(flow->out_port, names, out);
        buffer_putc(out, ' ');
    }
    format_flags(flow->flags, out);
    buffer_puts(out, "actions=");
    of_actions_format(of_flow_mod_actions(flow), names, out);
}
