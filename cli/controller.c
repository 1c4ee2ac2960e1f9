/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow controllers of a bridge, and managers of the database. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/topology.h"

static int prepare_controller(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    store_want(context->store, "Bridge", "controller");
    store_want(context->store, "Controller", "target");
    store_want(context->store, "Controller", "inactivity_probe");
    return topology_prepare(context, invocation, error);
}

static int prepare_manager(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    store_want(context->store, "Open_vSwitch", "manager_options");
    store_want(context->store, "Manager", "target");
    store_want(context->store, "Manager", "inactivity_probe");
    return topology_prepare(context, invocation, error);
}

/* Both kinds are rows with a target that one column of one row refers to. */
struct targets {
    struct store_row *owner;
    const char *column, *table;
};

static void remove_all(struct store *store, const struct targets *targets)
{
    size_t n;
    struct store_row **old = topology_referred(store, targets->owner, targets->column, &n);

    for (size_t i = 0; i < n; i++) {
        topology_remove_reference(store, targets->owner, targets->column, old[i]);
        store_delete(old[i]);
    }
    free(old);
}

static int check_target(const char *target, struct error *error)
{
    static const char *const kinds[] = {"tcp:", "ssl:", "unix:", "ptcp:", "pssl:", "punix:"};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (!strncmp(target, kinds[i], strlen(kinds[i])) && target[strlen(kinds[i])])
            return 0;
    return error_set(error, -EINVAL,
                     "target %s: expected the form tcp:HOST:PORT, ptcp:PORT, "
                     "unix:FILE, punix:FILE, ssl:HOST:PORT or pssl:PORT",
                     shown(target).text);
}

/* --inactivity-probe=MILLISECONDS; -1: not given. */
static int parse_probe(const struct invocation *invocation, int64_t *probe_ms, struct error *error)
{
    const char *text = invocation_option(invocation, "--inactivity-probe");
    char *end;

    *probe_ms = -1;
    if (!text)
        return 0;
    *probe_ms = strtoll(text, &end, 10);
    return end != text && !*end && *probe_ms >= 0
               ? 0
               : error_set(error, -EINVAL, "--inactivity-probe=%s: not a number of milliseconds",
                           shown(text).text);
}

static int replace_all(struct store *store, const struct targets *targets,
                       const struct invocation *invocation, const char *const *words, size_t n,
                       struct error *error)
{
    int64_t probe_ms;
    int result = parse_probe(invocation, &probe_ms, error);

    for (size_t i = 0; !result && i < n; i++)
        result = check_target(words[i], error);
    if (result)
        return result;
    remove_all(store, targets);
    for (size_t i = 0; i < n; i++) {
        struct store_row *row = store_insert(store, lookup_known_table(store, targets->table));
        topology_set_string(store, row, "target", words[i]);
        if (probe_ms >= 0)
            topology_set_integer(store, row, "inactivity_probe", probe_ms);
        topology_add_reference(store, targets->owner, targets->column, row);
    }
    return 0;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_all(struct context *context, struct invocation *invocation,
                      const struct targets *targets)
{
    struct table *table = table_create();
    size_t n;
    struct store_row **found = topology_referred(context->store, targets->owner, targets->column,
                                                 &n);
    const char **names = calloc(n + 1, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = topology_get_string(context->store, found[i], "target");
    qsort(names, n, sizeof *names, compare_strings);
    table_add_column(table, "target");
    for (size_t i = 0; i < n; i++)
        table_add_text(table, names[i]);
    context_print_names_take(context, invocation, table);
    free(names);
    free(found);
}

static int controllers_of(struct context *context, struct invocation *invocation,
                          struct targets *targets, struct error *error)
{
    *targets = (struct targets){.column = "controller", .table = "Controller"};
    return topology_get_bridge_row(context->store, invocation->args[0], &targets->owner, error);
}

static struct targets managers(struct context *context)
{
    return (struct targets){topology_root(context->store), "manager_options", "Manager"};
}

static int run_set_controller(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    struct targets targets;
    int result = controllers_of(context, invocation, &targets, error);

    return result ? result
                  : replace_all(context->store, &targets, invocation, invocation->args + 1,
                                invocation->n_args - 1, error);
}

static int run_get_controller(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    struct targets targets = {.column = "controller", .table = "Controller"};
    struct bridge bridge; /* A fake one has its parent's controllers. */
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    targets.owner = bridge.row;
    if (!result)
        print_all(context, invocation, &targets);
    return result;
}

static int run_del_controller(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    struct targets targets;
    int result = controllers_of(context, invocation, &targets, error);

    if (!result)
        remove_all(context->store, &targets);
    return result;
}

static int run_set_manager(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    struct targets targets = managers(context);

    return replace_all(context->store, &targets, invocation, invocation->args, invocation->n_args,
                       error);
}

static int run_get_manager(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    struct targets targets = managers(context);

    (void)error;
    print_all(context, invocation, &targets);
    return 0;
}

static int run_del_manager(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    struct targets targets = managers(context);

    (void)invocation, (void)error;
    remove_all(context->store, &targets);
    return 0;
}

static const struct command rows[] = {
    {.name = "set-controller",
     .arguments = "BRIDGE TARGET...",
     .options = "--inactivity-probe=",
     .summary = "Set the OpenFlow controllers of a bridge (tcp:HOST:PORT, ptcp:PORT, unix:FILE)",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = -1,
     .prepare = prepare_controller,
     .run = run_set_controller},
    {.name = "get-controller",
     .arguments = "BRIDGE",
     .summary = "Print the targets of a bridge's controllers",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_controller,
     .run = run_get_controller},
    {.name = "del-controller",
     .arguments = "BRIDGE",
     .summary = "Remove all controllers of a bridge",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_controller,
     .run = run_del_controller},
    {.name = "set-manager",
     .arguments = "TARGET...",
     .options = "--inactivity-probe=",
     .summary = "Set where the database listens or connects to, besides its own socket",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = -1,
     .prepare = prepare_manager,
     .run = run_set_manager},
    {.name = "get-manager",
     .arguments = "",
     .summary = "Print the targets of the database's managers",
     .group = GROUP_CONFIG,
     .prepare = prepare_manager,
     .run = run_get_manager},
    {.name = "del-manager",
     .arguments = "",
     .summary = "Remove all managers of the database",
     .group = GROUP_CONFIG,
     .prepare = prepare_manager,
     .run = run_del_manager},
};

const struct command_rows controller_commands = {rows, ARRAY_SIZE(rows)};
