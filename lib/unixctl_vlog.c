/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/unixctl_vlog.h"

#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/log.h"
#include "lib/unixctl.h"

static void reply_take(struct unixctl_request *request, char *text)
{
    unixctl_reply(request, text);
    free(text);
}

static void cmd_set(struct unixctl_request *request, int argc, const char *const argv[],
                    void *aux UNUSED)
{
    struct error error = ERROR_INIT;

    for (int i = 1; i < argc; i++) {
        if (log_set_levels(argv[i], &error)) {
            unixctl_reply_error(request, "%s", error.message);
            return;
        }
    }
    if (argc == 1)
        log_set_levels("dbg", NULL);
    unixctl_reply(request, NULL);
}

static void cmd_list(struct unixctl_request *request, int argc UNUSED,
                     const char *const argv[] UNUSED, void *aux UNUSED)
{
    reply_take(request, log_levels_text());
}

static void cmd_list_pattern(struct unixctl_request *request, int argc UNUSED,
                             const char *const argv[] UNUSED, void *aux UNUSED)
{
    reply_take(request, log_patterns_text());
}

static void cmd_close(struct unixctl_request *request, int argc UNUSED,
                      const char *const argv[] UNUSED, void *aux UNUSED)
{
    log_close_file();
    unixctl_reply(request, NULL);
}

static void cmd_reopen(struct unixctl_request *request, int argc UNUSED,
                       const char *const argv[] UNUSED, void *aux UNUSED)
{
    struct error error = ERROR_INIT;

    if (log_reopen_file(&error))
        unixctl_reply_error(request, "%s", error.message);
    else
        unixctl_reply(request, NULL);
}

static void set_limits(struct unixctl_request *request, int argc, const char *const argv[],
                       bool are_limited)
{
    struct error error = ERROR_INIT;

    if (argc == 1)
        log_set_limits(NULL, are_limited, NULL);
    for (int i = 1; i < argc; i++) {
        if (log_set_limits(argv[i], are_limited, &error)) {
            unixctl_reply_error(request, "%s", error.message);
            return;
        }
    }
    unixctl_reply(request, NULL);
}

static void cmd_enable_limits(struct unixctl_request *request, int argc, const char *const argv[],
                              void *aux UNUSED)
{
    set_limits(request, argc, argv, true);
}

static void cmd_disable_limits(struct unixctl_request *request, int argc, const char *const argv[],
                               void *aux UNUSED)
{
    set_limits(request, argc, argv, false);
}

void unixctl_vlog_register(struct unixctl_server *server)
{
    unixctl_command_register(server, "vlog/close", "", 0, 0, cmd_close, NULL);
    unixctl_command_register(server, "vlog/disable-rate-limit", "[module]...", 0, -1,
                             cmd_disable_limits, NULL);
    unixctl_command_register(server, "vlog/enable-rate-limit", "[module]...", 0, -1,
                             cmd_enable_limits, NULL);
    unixctl_command_register(server, "vlog/list", "", 0, 0, cmd_list, NULL);
    unixctl_command_register(server, "vlog/list-pattern", "", 0, 0, cmd_list_pattern, NULL);
    unixctl_command_register(server, "vlog/reopen", "", 0, 0, cmd_reopen, NULL);
    unixctl_command_register(server, "vlog/set", "{spec | PATTERN:destination:pattern}", 0, -1,
                             cmd_set, NULL);
}
