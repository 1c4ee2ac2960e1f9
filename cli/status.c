/* SPDX-License-Identifier: Apache-2.0 */

/* Is the switch running, and what did a crash leave behind? */

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/nouns.h"
#include "cli/process.h"
#include "lib/rundir.h"

static const struct {
    const char *program, *ovs_name;
} daemons[] = {{"ovsdb-lite", DAEMON_DATABASE}, {"vswitchd", DAEMON_SWITCH}};

static void add_daemon(struct context *context, struct table *table, const char *program,
                       const char *ovs_name)
{
    struct error error = ERROR_INIT;
    pid_t pid = process_daemon_pid(ovs_name);
    char *version = pid ? control_call(context, ovs_name, "version", 0, NULL, &error) : NULL;

    if (version)
        version[strcspn(version, "\n")] = '\0';
    table_add_text(table, program);
    if (pid)
        table_add_integer(table, pid);
    else
        table_add_cell_take(table, strdup("-"), json_null(), NULL);
    table_add_text(table, version ? "running" : pid ? "does not answer" : "stopped");
    table_add_text(table, version ? version : pid ? error.message : "");
    if (!version)
        context->exit_status = EXIT_NO;
    free(version);
}

static int run_status(struct context *context, struct invocation *invocation, struct error *error)
{
    static const char *const headings[] = {"daemon", "pid", "state", "version"};
    struct table *table = table_create();

    (void)error;
    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_add_column(table, headings[i]);
    for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
        add_daemon(context, table, daemons[i].program, daemons[i].ovs_name);
    table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    return 0;
}

/* What the daemons put into the run directory; the database itself and the logs stay. */
static bool is_leftover(const char *name)
{
    static const char *const patterns[] = {
        "db.sock",           "*.mgmt",           "*.snoop",          "*.flows",
        "metrics.sock",      "ovsdb-server.pid", "ovs-vswitchd.pid", "ovsdb-server.*.ctl",
        "ovs-vswitchd.*.ctl"};

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
        if (!fnmatch(patterns[i], name, FNM_PERIOD))
            return true;
    return false;
}

static void remove_files(struct table *table)
{
    DIR *directory = opendir(rundir_path());
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        if (!is_leftover(entry->d_name) || unlinkat(dirfd(directory), entry->d_name, 0) < 0)
            continue;
        char *path = rundir_file(entry->d_name);
        table_add_text(table, path);
        free(path);
    }
    if (directory)
        closedir(directory);
}

/* vswitchd knows its filters, taps and pins; it prints devices that it freed of one or removed, and paths. */
static int remove_filters(struct table *table, struct error *error)
{
    char *program = process_find_program("vswitchd", error);
    const char *const argv[] = {program, "--cleanup-only", "-vconsole:err", NULL};
    struct buffer output = BUFFER_INIT;
    int result = program ? process_run_output(argv, &output, error) : error->code;
    char *text = buffer_take_text(&output), *rest = text, *device, *filter;

    while ((device = strsep(&rest, "\n"))) {
        if (!*device)
            continue;
        const char *what = *device == '/'           ? ""
                           : if_nametoindex(device) ? "filter of device "
                                                    : "device ";
        if (asprintf(&filter, "%s%s", what, device) < 0)
            abort();
        table_add_text(table, filter);
        free(filter);
    }
    free(text);
    free(program);
    return result;
}

static int run_cleanup(struct context *context, struct invocation *invocation, struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
        if (process_daemon_pid(daemons[i].ovs_name))
            return error_set(error, -EBUSY, "%s is running; stop it first with \"weir down\"",
                             daemons[i].program);

    struct table *table = table_create();
    table_add_column(table, "removed");
    remove_files(table);
    int result = remove_filters(table, error);
    if (table_n_rows(table) || options_is_json(&context->options))
        table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    else if (!result)
        buffer_puts(&invocation->output, "nothing was left behind\n");
    table_destroy(table);
    return result;
}

static const struct command rows[] = {
    {.name = "status",
     .arguments = "",
     .summary = "Say whether both daemons run; exit with status 2 if one does not",
     .group = GROUP_SWITCH,
     .run = run_status},
    {.name = "cleanup",
     .arguments = "",
     .summary = "Remove what killed daemons left in the run directory and on network devices",
     .group = GROUP_SWITCH,
     .run = run_cleanup},
};

const struct command_rows status_commands = {rows, ARRAY_SIZE(rows)};
