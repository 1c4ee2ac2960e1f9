/* SPDX-License-Identifier: Apache-2.0 */

/* Keys and certificates for the switch's own connections. */

#include <string.h>

#include "cli/nouns.h"
#include "cli/topology.h"

/* Columns of the table SSL, and what they are called. */
static const struct {
    const char *column, *title;
} files[] = {
    {"private_key", "Private key"}, {"certificate", "Certificate"}, {"ca_cert", "CA Certificate"}};

static int prepare_ssl(struct context *context, struct invocation *invocation, struct error *error)
{
    (void)invocation, (void)error;
    store_want(context->store, "Open_vSwitch", "ssl");
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        store_want(context->store, "SSL", files[i].column);
    store_want(context->store, "SSL", "bootstrap_ca_cert");
    return 0;
}

static struct store_row *find_ssl(struct store *store)
{
    return store_first(store, lookup_known_table(store, "SSL"));
}

static bool is_bootstrap(const struct store *store, const struct store_row *row)
{
    const struct datum *datum = store_get(row,
                                          lookup_known_column(store, "SSL", "bootstrap_ca_cert"));

    return datum->n && datum->keys[0].boolean;
}

static int run_get_ssl(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *row = find_ssl(store);

    (void)error;
    if (options_is_json(&context->options)) {
        json_t *json = row ? json_object() : json_null();
        for (size_t i = 0; row && i < ARRAY_SIZE(files); i++)
            json_object_set_new(json, files[i].column,
                                json_string(topology_get_string(store, row, files[i].column)));
        if (row)
            json_object_set_new(json, "bootstrap_ca_cert", json_boolean(is_bootstrap(store, row)));
        json_print_take(json, &context->options.style, &invocation->output);
        return 0;
    }
    for (size_t i = 0; row && i < ARRAY_SIZE(files); i++)
        buffer_printf(&invocation->output, "%s: %s\n", files[i].title,
                      topology_get_string(store, row, files[i].column));
    if (row)
        buffer_printf(&invocation->output, "Bootstrap: %s\n",
                      is_bootstrap(store, row) ? "true" : "false");
    return 0;
}

static int run_del_ssl(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store_row *row = find_ssl(context->store);

    (void)invocation, (void)error;
    if (row)
        store_delete(row);
    topology_clear(context->store, topology_root(context->store), "ssl");
    return 0;
}

static int run_set_ssl(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    int result = run_del_ssl(context, invocation, error);
    struct store_row *row = store_insert(store, lookup_known_table(store, "SSL"));

    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        topology_set_string(store, row, files[i].column, invocation->args[i]);
    topology_set_boolean(store, row, "bootstrap_ca_cert",
                         invocation_option(invocation, "--bootstrap"));
    topology_add_reference(store, topology_root(store), "ssl", row);
    return result;
}

static const struct command rows[] = {
    {.name = "set-ssl",
     .arguments = "PRIVATE-KEY CERTIFICATE CA-CERTIFICATE",
     .options = "--bootstrap",
     .summary = "Set the files with which the switch's connections identify themselves",
     .group = GROUP_CONFIG,
     .min_args = 3,
     .max_args = 3,
     .prepare = prepare_ssl,
     .run = run_set_ssl},
    {.name = "get-ssl",
     .arguments = "",
     .summary = "Print the files of set-ssl",
     .group = GROUP_CONFIG,
     .prepare = prepare_ssl,
     .run = run_get_ssl},
    {.name = "del-ssl",
     .arguments = "",
     .summary = "Forget the files of set-ssl",
     .group = GROUP_CONFIG,
     .prepare = prepare_ssl,
     .run = run_del_ssl},
};

const struct command_rows ssl_commands = {rows, ARRAY_SIZE(rows)};
