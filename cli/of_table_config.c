/* SPDX-License-Identifier: Apache-2.0 */

/* What flow tables do with frames that match nothing and with flows that do not fit, and what they
 * are called: mod-table, dump-table-desc, dump-table-features. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/of_dialect.h"
#include "cli/ofconn.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"

static const struct {
    const char *name;
    uint32_t flag;
} eviction_flags[] = {
    {"OTHER", OFTMEF_OTHER}, {"IMPORTANCE", OFTMEF_IMPORTANCE}, {"LIFETIME", OFTMEF_LIFETIME}};

struct dump {
    struct buffer *out;
    const struct of_names *names; /* NULL: numbers. */
    json_t *json;                 /* NULL: text. */
    size_t n;
    struct table *table; /* Of dump-table-features. */
};

/* --- dump-table-desc ----------------------------------------------------------------------- */

static void put_eviction_flags(uint32_t flags, struct buffer *out)
{
    const char *separator = "";

    for (size_t i = 0; i < ARRAY_SIZE(eviction_flags); i++) {
        if (!(flags & eviction_flags[i].flag))
            continue;
        buffer_printf(out, "%s%s", separator, eviction_flags[i].name);
        separator = "|";
    }
}

static void print_desc(const struct dump *dump, const struct of_table_desc *desc)
{
    const struct of_table_config *config = &desc->config;
    struct buffer *out = dump->out;

    buffer_puts(out, dump->n ? "\n  table " : "  table ");
    of_table_format(desc->table_id, dump->names, out);
    buffer_printf(out, ":\n   eviction=%s eviction_flags=", config->does_evict ? "on" : "off");
    put_eviction_flags(config->eviction_flags, out);
    buffer_printf(out, "\n   vacancy=%s", config->tells_vacancy ? "on" : "off");
    if (config->tells_vacancy)
        buffer_printf(out, " vacancy_down=%u%% vacancy_up=%u%% vacancy=%u%%",
                      config->vacancy_down_percent, config->vacancy_up_percent,
                      config->vacancy_percent);
    buffer_putc(out, '\n');
}

static json_t *desc_json(const struct of_table_desc *desc)
{
    const struct of_table_config *config = &desc->config;
    struct buffer flags = BUFFER_INIT;

    put_eviction_flags(config->eviction_flags, &flags);
    json_t *json = json_pack("{s:i, s:b, s:s, s:b}", "table", (int)desc->table_id, "eviction",
                             config->does_evict, "eviction_flags", buffer_text(&flags), "vacancy",
                             config->tells_vacancy);
    if (config->tells_vacancy) {
        json_object_set_new(json, "vacancy_down", json_integer(config->vacancy_down_percent));
        json_object_set_new(json, "vacancy_up", json_integer(config->vacancy_up_percent));
        json_object_set_new(json, "vacancy_percent", json_integer(config->vacancy_percent));
    }
    buffer_fini(&flags);
    return json;
}

static int take_descs(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_table_desc desc;
    struct of_items items;

    (void)error;
    of_items_init(&items, message);
    while (of_next_table_desc(&items, &desc)) {
        if (dump->json)
            json_array_append_new(dump->json, desc_json(&desc));
        else
            print_desc(dump, &desc);
        dump->n++;
    }
    return 0;
}

static int run_dump_table_desc(struct context *context, struct invocation *invocation,
                               struct error *error)
{
    struct dump dump = {.out = &invocation->output};
    struct ofconn *connection = ofconn_open_in(context, invocation->args[0],
                                               OF_VERSIONS_FROM(OF_1_4), error);

    if (!connection)
        return error->code;
    int result = ofconn_load_names(connection, error);
    if (!result) {
        dump.names = ofconn_print_names(connection);
        dump.json = options_is_json(&context->options) ? json_array() : NULL;
        uint32_t xid = ofconn_xid(connection);
        of_encode_empty(OF_TABLE_DESC_REQUEST, ofconn_version(connection), xid,
                        ofconn_output(connection));
        result = ofconn_receive_all(connection, xid, OF_TABLE_DESC_REPLY, take_descs, &dump, error);
    }
    if (!result && dump.json)
        json_print_take(json_incref(dump.json), &context->options.style, &invocation->output);
    json_decref(dump.json);
    ofconn_close(connection);
    return result;
}

/* --- dump-table-features ------------------------------------------------------------------- */

static int take_features(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_table_features features;
    struct of_items items;

    (void)error;
    of_items_init(&items, message);
    while (of_next_table_features(&items, &features)) {
        table_add_integer(dump->table, features.table_id);
        table_add_text(dump->table, features.name);
        table_add_integer(dump->table, features.max_flows);
    }
    return 0;
}

static int run_dump_table_features(struct context *context, struct invocation *invocation,
                                   struct error *error)
{
    static const char *const headings[] = {"table", "name", "max_flows"};
    struct dump dump = {.table = table_create()};
    struct ofconn *connection = ofconn_open_in(context, invocation->args[0],
                                               OF_VERSIONS_FROM(OF_1_3), error);
    int result = connection ? 0 : error->code;

    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_add_column(dump.table, headings[i]);
    if (!result) {
        uint32_t xid = ofconn_xid(connection);
        of_encode_empty(OF_TABLE_FEATURES_REQUEST, ofconn_version(connection), xid,
                        ofconn_output(connection));
        result = ofconn_receive_all(connection, xid, OF_TABLE_FEATURES_REPLY, take_features, &dump,
                                    error);
    }
    if (!result)
        table_print(dump.table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(dump.table);
    ofconn_close(connection);
    return result;
}

/* --- mod-table ----------------------------------------------------------------------------- */

enum setting { SET_MISS, SET_NAME, SET_EVICTION, SET_VACANCY };

struct table_change {
    enum setting setting;
    uint32_t versions; /* That can say it. */
    enum of_table_miss miss;
    const char *name;
    struct of_table_config config; /* The part that the setting is about. */
};

static int parse_vacancy(const char *text, struct table_change *change, struct error *error)
{
    unsigned down, up;
    int used = 0;

    if (sscanf(text, "%u,%u%n", &down, &up, &used) != 2 || text[used] || down > up || up > 100)
        return error_set(error, -EINVAL,
                         "vacancy:%s: expected two percentages, the lower one first, as in "
                         "vacancy:20,80",
                         shown(text).text);
    change->config.tells_vacancy = true;
    change->config.vacancy_down_percent = (uint8_t)down;
    change->config.vacancy_up_percent = (uint8_t)up;
    return 0;
}

static int parse_setting(const char *word, struct table_change *change, struct error *error)
{
    static const struct {
        const char *word;
        enum setting setting;
        enum of_table_miss miss;
        bool is_on;
    } words[] = {
        {"drop", SET_MISS, OF_MISS_DROP, false},
        {"continue", SET_MISS, OF_MISS_CONTINUE, false},
        {"controller", SET_MISS, OF_MISS_CONTROLLER, false},
        {"evict", SET_EVICTION, OF_MISS_DEFAULT, true},
        {"noevict", SET_EVICTION, OF_MISS_DEFAULT, false},
        {"novacancy", SET_VACANCY, OF_MISS_DEFAULT, false},
    };

    *change = (struct table_change){.versions = OF_VERSIONS_FROM(OF_1_4)};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i].word))
            continue;
        change->setting = words[i].setting;
        change->miss = words[i].miss;
        change->config.does_evict = words[i].is_on;
        if (change->setting == SET_MISS)
            change->versions = OF_VERSION_BIT(OF_1_1) | OF_VERSION_BIT(OF_1_2);
        return 0;
    }
    if (!strncmp(word, "name:", 5)) {
        change->setting = SET_NAME;
        change->name = word + 5;
        change->versions = OF_VERSIONS_FROM(OF_1_3);
        return 0;
    }
    if (!strncmp(word, "vacancy:", 8)) {
        change->setting = SET_VACANCY;
        return parse_vacancy(word + 8, change, error);
    }
    return error_set(error, -EINVAL,
                     "mod-table: %s is not one of drop, continue, controller, name:NAME, evict, "
                     "noevict, vacancy:LOW,HIGH, novacancy",
                     shown(word).text);
}

static int rename_table(struct ofconn *connection, uint8_t table, const char *name,
                        struct error *error)
{
    struct of_table_features features = {.table_id = table, .command = OFTFC_MODIFY};
    enum of_version version = ofconn_version(connection);
    struct buffer *out = ofconn_output(connection);
    struct of_reply request = {
        .out = out,
        .kind = OF_TABLE_FEATURES_REQUEST,
        .version = version,
        .xid = ofconn_xid(connection),
    };

    if (strlen(name) >= sizeof features.name)
        return error_set(error, -ENAMETOOLONG, "%s: the name of a table has at most %zu characters",
                         shown(name).text, sizeof features.name - 1);
    snprintf(features.name, sizeof features.name, "%s", name);
    request.start = of_begin_message(request.kind, request.form, version, request.xid, out);
    of_reply_add_table_features(&request, &features);
    of_reply_end(&request);
    return ofconn_barrier(connection, error);
}

struct config_change {
    const struct table_change *change;
    uint8_t table; /* OF_TABLE_ALL: all. */
    struct of_table_mod mods[OF_N_TABLES];
    size_t n;
};

/* A table_mod sets everything at once, so what is not meant stays as it is described. */
static int merge_descs(const struct of_message *message, void *aux, struct error *error)
{
    struct config_change *config = aux;
    const struct of_table_config *wanted = &config->change->config;
    struct of_table_desc desc;
    struct of_items items;

    (void)error;
    of_items_init(&items, message);
    while (of_next_table_desc(&items, &desc) && config->n < OF_N_TABLES) {
        if (config->table != OF_TABLE_ALL && config->table != desc.table_id)
            continue;
        struct of_table_mod *mod = &config->mods[config->n++];
        *mod = (struct of_table_mod){.table_id = desc.table_id, .config = desc.config};
        if (config->change->setting == SET_EVICTION) {
            mod->config.does_evict = wanted->does_evict;
            continue;
        }
        mod->config.tells_vacancy = wanted->tells_vacancy;
        mod->config.vacancy_down_percent = wanted->vacancy_down_percent;
        mod->config.vacancy_up_percent = wanted->vacancy_up_percent;
    }
    return 0;
}

static int change_config(struct ofconn *connection, uint8_t table,
                         const struct table_change *change, struct error *error)
{
    struct config_change config = {.change = change, .table = table};
    enum of_version version = ofconn_version(connection);
    uint32_t xid = ofconn_xid(connection);

    of_encode_empty(OF_TABLE_DESC_REQUEST, version, xid, ofconn_output(connection));
    int result = ofconn_receive_all(connection, xid, OF_TABLE_DESC_REPLY, merge_descs, &config,
                                    error);
    if (!result && !config.n)
        result = error_set(error, -ENOENT, "the bridge has no table %u", table);
    for (size_t i = 0; !result && i < config.n; i++)
        of_encode_table_mod(&config.mods[i], version, ofconn_xid(connection),
                            ofconn_output(connection));
    return result ? result : ofconn_barrier(connection, error);
}

static int change_miss(struct ofconn *connection, uint8_t table, enum of_table_miss miss,
                       struct error *error)
{
    struct of_table_mod mod = {.table_id = table, .miss = miss};

    of_encode_table_mod(&mod, ofconn_version(connection), ofconn_xid(connection),
                        ofconn_output(connection));
    return ofconn_barrier(connection, error);
}

static int apply(struct ofconn *connection, const char *word, const struct table_change *change,
                 struct error *error)
{
    uint8_t table = OF_TABLE_ALL;
    int result = ofconn_load_names(connection, error);

    if (!result && strcasecmp(word, "all"))
        result = of_table_parse(word, ofconn_names(connection), OF_TABLE_ALL, &table, error);
    if (result)
        return result;
    if (change->setting == SET_NAME && table == OF_TABLE_ALL)
        return error_set(error, -EINVAL, "tables cannot all have the same name");
    if (change->setting == SET_NAME)
        return rename_table(connection, table, change->name, error);
    if (change->setting == SET_MISS)
        return change_miss(connection, table, change->miss, error);
    return change_config(connection, table, change, error);
}

static int check_mod_table(const struct invocation *invocation, struct error *error)
{
    struct table_change change;

    return parse_setting(invocation->args[2], &change, error);
}

static int run_mod_table(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct table_change change;

    if (parse_setting(invocation->args[2], &change, error))
        return error->code;
    struct ofconn *connection = ofconn_open_in(context, invocation->args[0], change.versions,
                                               error);
    if (!connection)
        return error->code;
    int result = apply(connection, invocation->args[1], &change, error);
    ofconn_close(connection);
    return result;
}

static const struct command rows[] = {
    {.name = "mod-table",
     .arguments = "BRIDGE TABLE SETTING",
     .summary = "Configure a table: name:NAME, [no]evict, vacancy:LOW,HIGH, drop, controller ...",
     .group = GROUP_FLOW,
     .min_args = 3,
     .max_args = 3,
     .check = check_mod_table,
     .run = run_mod_table},
    {.name = "dump-table-desc",
     .arguments = "BRIDGE",
     .summary = "Print what full tables do: eviction and vacancy",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_dump_table_desc},
    {.name = "dump-table-features",
     .arguments = "BRIDGE",
     .summary = "Print names and sizes of all tables",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_dump_table_features},
};

const struct command_rows of_table_config_commands = {rows, ARRAY_SIZE(rows)};
