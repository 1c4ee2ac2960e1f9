/* SPDX-License-Identifier: Apache-2.0 */

/* A group is a list of words up to the first "bucket=", then buckets, each a list of words and
 * actions. */

#include "lib/openflow/group_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/annotations.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/text.h"

struct group_parser {
    const struct of_names *names;
    struct of_group_mod *mod;
    bool has_group_id, has_type;
    struct error *error;
};

static const char *const type_names[] = {"all", "select", "indirect", "ff"};

static int parse_number(struct group_parser *parser, const char *key, const char *text,
                        uint64_t max, uint64_t *number)
{
    if (!text || !text_parse_u64(text, number) || *number > max)
        return error_set(parser->error, -EINVAL, "%s=%s: expected a number from 0 to %llu", key,
                         text ? text : "", (unsigned long long)max);
    return 0;
}

/* The group's own words */

static int parse_group_id(struct group_parser *parser, const char *value)
{
    bool may_be_all = parser->mod->command == OFGC_DELETE;
    uint64_t number = 0;

    parser->has_group_id = true;
    if (may_be_all && !strcmp(value, "all")) {
        parser->mod->group.group_id = (uint32_t)OF_GROUP_ALL;
        return 0;
    }
    int result = parse_number(parser, "group_id", value, (uint32_t)OF_GROUP_MAX, &number);
    parser->mod->group.group_id = (uint32_t)number;
    return result;
}

static int parse_type(struct group_parser *parser, const char *value)
{
    parser->has_type = true;
    if (!strcmp(value, "fast_failover"))
        value = "ff";
    for (uint8_t i = 0; i < ARRAY_SIZE(type_names); i++) {
        if (!strcmp(value, type_names[i])) {
            parser->mod->group.type = i;
            return 0;
        }
    }
    return error_set(parser->error, -EINVAL, "type=%s: expected all, select, indirect or ff",
                     value);
}

static int parse_command_bucket(struct group_parser *parser, const char *value)
{
    static const struct {
        const char *name;
        uint32_t number;
    } places[] = {{"first", (uint32_t)OF_BUCKET_FIRST},
                  {"last", (uint32_t)OF_BUCKET_LAST},
                  {"all", (uint32_t)OF_BUCKET_ALL}};
    uint16_t command = parser->mod->command;
    uint64_t number = 0;

    if (command != OFGC_INSERT_BUCKET && command != OFGC_REMOVE_BUCKET)
        return error_set(parser->error, -EINVAL,
                         "command_bucket_id=%s: only to insert and remove buckets", value);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (!strcmp(value, places[i].name)) {
            parser->mod->command_bucket_id = places[i].number;
            return 0;
        }
    }
    int result = parse_number(parser, "command_bucket_id", value, (uint32_t)OF_BUCKET_MAX, &number);
    parser->mod->command_bucket_id = (uint32_t)number;
    return result;
}

static int parse_method(struct group_parser *parser, const char *value)
{
    if (strlen(value) >= OF_SELECTION_METHOD_BYTES)
        return error_set(parser->error, -EINVAL, "selection_method=%s: expected hash or dp_hash",
                         value);
    memset(parser->mod->group.selection_method, 0, OF_SELECTION_METHOD_BYTES);
    memcpy(parser->mod->group.selection_method, value, strlen(value));
    return 0;
}

/* "ip_src,tcp_dst=0xff" */
static int parse_fields(struct group_parser *parser, char *cursor)
{
    struct text_item item;

    while (text_next_item(&cursor, &item)) {
        const struct of_field *field = item.key ? of_field_by_name(item.key, strlen(item.key))
                                                : NULL;
        struct of_value mask;

        if (!field)
            return error_set(parser->error, -EINVAL, "fields: %s: no such field",
                             item.key ? item.key : cursor);
        of_value_all_ones(field, &mask);
        if (item.value && of_value_parse(field, item.value, &mask, parser->error))
            return error_prefix(parser->error, "fields: %s", item.key);
        if (field->mask_rule == MASK_NONE && !of_value_is_all_ones(field, &mask))
            return error_set(parser->error, -EINVAL, "fields: %s takes no mask", item.key);
        for (size_t i = 0; i < parser->mod->group.n_fields; i++) {
            if (parser->mod->group.fields[i].field == field->id)
                return error_set(parser->error, -EINVAL, "fields: %s is there twice", item.key);
        }
        of_group_add_field(&parser->mod->group, field, &mask);
    }
    return 0;
}

static int parse_word(struct group_parser *parser, const struct text_item *item)
{
    int result = 0;

    if (!item->value)
        return error_set(parser->error, -EINVAL, "%s: expected %s=VALUE", item->key, item->key);
    if (!strcmp(item->key, "group_id"))
        return parse_group_id(parser, item->value);
    if (!strcmp(item->key, "command_bucket_id"))
        return parse_command_bucket(parser, item->value);
    if (parser->mod->command == OFGC_DELETE || parser->mod->command == OFGC_REMOVE_BUCKET)
        return error_set(parser->error, -EINVAL, "%s: not known here", item->key);
    if (!strcmp(item->key, "type"))
        return parse_type(parser, item->value);
    if (!strcmp(item->key, "selection_method"))
        return parse_method(parser, item->value);
    if (!strcmp(item->key, "selection_method_param")) {
        result = parse_number(parser, item->key, item->value, UINT64_MAX,
                              &parser->mod->group.selection_param);
        return result;
    }
    if (!strcmp(item->key, "fields"))
        return parse_fields(parser, item->value);
    return error_set(parser->error, -EINVAL, "%s: not known in a group", item->key);
}

/* Buckets */

static int parse_watch_group(struct group_parser *parser, const char *value,
                             struct of_bucket *bucket)
{
    uint64_t number;

    if (!strcasecmp(value, "any"))
        return 0;
    int result = parse_number(parser, "watch_group", value, (uint32_t)OF_GROUP_MAX, &number);
    if (!result)
        bucket->watch_group = (uint32_t)number;
    return result;
}

/* 1: 'key' is none of a bucket's own words. */
static int parse_bucket_word(struct group_parser *parser, const char *key, const char *value,
                             struct of_bucket *bucket)
{
    uint64_t number = 0;
    int result;

    if (!strcmp(key, "weight")) {
        result = parse_number(parser, key, value, UINT16_MAX, &number);
        if (!result && parser->mod->group.type != OFGT_SELECT &&
            parser->mod->command != OFGC_INSERT_BUCKET)
            return error_set(parser->error, -EINVAL, "weight=%s: only select groups have weights",
                             value);
        bucket->weight = (uint16_t)number;
        return result;
    }
    if (!strcmp(key, "bucket_id")) {
        result = parse_number(parser, key, value, (uint32_t)OF_BUCKET_MAX, &number);
        bucket->bucket_id = (uint32_t)number;
        return result;
    }
    if (!strcmp(key, "watch_port")) {
        if (!strcasecmp(value, "any"))
            return 0;
        result = of_port_parse(value, parser->names, &bucket->watch_port, parser->error);
        return result ? error_prefix(parser->error, "%s", key) : 0;
    }
    return strcmp(key, "watch_group") ? 1 : parse_watch_group(parser, value, bucket);
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next word up to a separator outside of brackets; NULL at the end. */
static char *cut_word(char **cursor)
{
    char *start = *cursor;
    int depth = 0;

    while (is_separator(*start))
        start++;
    char *end = start;
    for (; *end && (depth > 0 || !is_separator(*end)); end++)
        depth += (*end == '(' || *end == '[') - (*end == ')' || *end == ']');
    *cursor = *end ? end + 1 : end;
    *end = '\0';
    return *start ? start : NULL;
}

/* Words of its own may stand before and between actions; behind "actions=" there are only these. */
static int parse_bucket(struct group_parser *parser, char *cursor)
{
    struct of_bucket *bucket = of_group_add_bucket(&parser->mod->group);
    struct buffer actions = BUFFER_INIT;
    char *word;
    int result = 0;

    bucket->weight = parser->mod->group.type == OFGT_SELECT;
    while (!result && (word = cut_word(&cursor))) {
        size_t key_bytes = strcspn(word, "=:(");
        char mark = word[key_bytes];

        if (mark == '=' || mark == ':') {
            word[key_bytes] = '\0';
            if (!strcmp(word, "actions") || !strcmp(word, "action")) {
                buffer_printf(&actions, "%s,%s", word + key_bytes + 1, cursor);
                break;
            }
            result = parse_bucket_word(parser, word, word + key_bytes + 1, bucket);
            word[key_bytes] = mark;
            if (result <= 0)
                continue;
            result = 0;
        }
        buffer_printf(&actions, "%s,", word);
    }
    if (!result)
        result = of_actions_parse(buffer_text(&actions), parser->names, &bucket->actions,
                                  parser->error);
    if (!result && ofa_has_instruction(of_bucket_actions(bucket)))
        result = error_set(parser->error, -EINVAL, "a bucket has actions, not instructions");
    buffer_fini(&actions);
    return result;
}

/* Where the next bucket begins; NULL: there is none. */
static char *find_bucket(char *text)
{
    for (char *p = text; (p = strstr(p, "bucket")); p += 6) {
        bool is_word = p == text || is_separator(p[-1]);
        if (is_word && (p[6] == '=' || p[6] == ':'))
            return p;
    }
    return NULL;
}

static int parse_buckets(struct group_parser *parser, char *text)
{
    int result = 0;

    if (text && (parser->mod->command == OFGC_DELETE || parser->mod->command == OFGC_REMOVE_BUCKET))
        return error_set(parser->error, -EINVAL, "bucket: not known here");
    while (!result && text) {
        char *bucket = text + sizeof "bucket=" - 1;
        text = find_bucket(bucket);
        if (text)
            text[-1] = '\0';
        result = parse_bucket(parser, bucket);
    }
    return result;
}

static int check(struct group_parser *parser)
{
    const struct of_group_mod *mod = parser->mod;
    bool needs_type = mod->command == OFGC_ADD || mod->command == OFGC_MODIFY ||
                      mod->command == OFGC_ADD_OR_MOD;

    if (!parser->has_group_id && mod->command != OFGC_DELETE)
        return error_set(parser->error, -EINVAL, "a group needs a group_id");
    if (needs_type && !parser->has_type)
        return error_set(parser->error, -EINVAL, "a group needs a type");
    for (size_t i = 0; i < mod->group.n_buckets; i++) {
        const struct of_bucket *bucket = &mod->group.buckets[i];
        if (mod->group.type == OFGT_FF && bucket->watch_port == OFPP_NONE &&
            bucket->watch_group == (uint32_t)OF_GROUP_ANY)
            return error_set(parser->error, -EINVAL,
                             "a bucket of a fast failover group needs watch_port or watch_group");
    }
    return 0;
}

int of_group_mod_parse(const char *text, enum of_group_command command,
                       const struct of_names *names, struct of_group_mod *mod, struct error *error)
{
    struct group_parser parser = {.names = names, .mod = mod, .error = error};
    char *copy = strdup(text);
    struct text_item item;
    int result = 0;

    if (!copy)
        abort();
    *mod = (struct of_group_mod){.command = (uint16_t)command,
                                 .command_bucket_id = (uint32_t)OF_BUCKET_ALL};
    of_group_init(&mod->group);
    char *cursor = copy, *buckets = find_bucket(copy);
    if (buckets && buckets > copy)
        buckets[-1] = '\0';
    else if (buckets)
        cursor = copy + strlen(copy);
    while (!result && text_next_item(&cursor, &item))
        result = item.key ? parse_word(&parser, &item)
                          : error_set(error, -EINVAL, "%.60s: brackets do not match", cursor);
    if (!result)
        result = parse_buckets(&parser, buckets);
    if (!result)
        result = check(&parser);
    free(copy);
    return result;
}
