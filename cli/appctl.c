/* SPDX-License-Identifier: Apache-2.0 */

/* [OPTION]... METHOD [ARGUMENT]...: behind the method nothing is an option of ours. */

#include "cli/appctl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/control.h"
#include "cli/help.h"
#include "lib/clock.h"
#include "lib/unixctl_client.h"

/* Statuses of ovs-appctl(8). */
enum { APPCTL_FAILED = 1, APPCTL_REFUSED = 2 };

struct appctl {
    const char *target;
    struct options options;
    size_t n_read; /* Words in front of the method. */
};

/* -t and --target; the rest is as everywhere, but -T is a timeout. */
static int parse_option(struct appctl *appctl, const char *const words[], size_t n,
                        struct error *error)
{
    static const struct {
        const char *name, *ours;
    } names[] = {{"--target", NULL}, {"-t", NULL}, {"-T", "--timeout"}};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t length = strlen(names[i].name);
        bool is_long = length > 2;
        if (strncmp(words[0], names[i].name, length) ||
            (is_long && words[0][length] && words[0][length] != '='))
            continue;
        bool is_attached = words[0][length];
        if (!is_attached && n < 2)
            return error_set(error, -EINVAL, "%s: needs a value", names[i].name);
        const char *value = is_attached ? words[0] + length + is_long : words[1];
        const char *const pair[] = {names[i].ours, value};
        if (!names[i].ours)
            appctl->target = value;
        else if (options_take(&appctl->options, pair, 2, error) < 0)
            return error->code;
        return is_attached ? 1 : 2;
    }
    int taken = options_take(&appctl->options, words, n, error);
    return taken ? taken : error_set(error, -EINVAL, "%s: no such option", shown(words[0]).text);
}

static int parse(struct appctl *appctl, size_t n, const char *const words[], struct error *error)
{
    while (appctl->n_read < n && words[appctl->n_read][0] == '-' && words[appctl->n_read][1]) {
        bool is_end = !strcmp(words[appctl->n_read], "--");
        int taken = is_end
                        ? 1
                        : parse_option(appctl, words + appctl->n_read, n - appctl->n_read, error);
        if (taken < 0)
            return taken;
        appctl->n_read += (size_t)taken;
        if (is_end)
            break;
    }
    return 0;
}

static int complain(FILE *err, const struct error *error)
{
    fprintf(err, "ovs-appctl: %s\n", error->message);
    return APPCTL_FAILED;
}

static void print(FILE *out, const char *text)
{
    size_t length = strlen(text);

    fputs(text, out);
    if (length && text[length - 1] != '\n')
        putc('\n', out);
}

static int call(const struct appctl *appctl, size_t n, const char *const words[], FILE *out,
                FILE *err)
{
    struct error error = ERROR_INIT;
    int64_t timeout_ns = appctl->options.timeout_ns;
    char *socket = unixctl_client_find(appctl->target, &error), *answer = NULL;
    bool is_refused = false;

    if (!socket)
        return complain(err, &error);
    int result = unixctl_client_call(socket, words[0], n - 1, words + 1,
                                     timeout_ns ? clock_now_ns() + timeout_ns : INT64_MAX, &answer,
                                     &is_refused, &error);
    if (!result) {
        print(is_refused ? err : out, answer);
        if (is_refused)
            fprintf(err, "ovs-appctl: %s: server returned an error\n", socket);
    }
    free(socket);
    free(answer);
    if (result)
        return complain(err, &error);
    return fflush(out) ? APPCTL_FAILED : is_refused ? APPCTL_REFUSED : EXIT_SUCCESS;
}

static int print_help(bool is_version, FILE *out)
{
    if (is_version)
        fprintf(out, "ovs-appctl (Weir) %s\n", HELP_OVS_VERSION);
    else
        fputs("usage: ovs-appctl [-t TARGET] [-T SECONDS] METHOD [ARGUMENT]...\n"
              "The method list-commands lists them.  See weir(8), call.\n",
              out);
    return fflush(out) ? APPCTL_FAILED : EXIT_SUCCESS;
}

int appctl_run(size_t n_words, const char *const words[], FILE *out, FILE *err)
{
    struct appctl appctl = {.target = DAEMON_SWITCH};
    struct error error = ERROR_INIT;

    if (parse(&appctl, n_words, words, &error) < 0)
        return complain(err, &error);
    if (appctl.options.wants_version || appctl.options.wants_help)
        return print_help(appctl.options.wants_version, out);
    if (appctl.n_read == n_words) {
        error_set(&error, -EINVAL, "no method given; ovs-appctl list-commands lists them");
        return complain(err, &error);
    }
    return call(&appctl, n_words - appctl.n_read, words + appctl.n_read, out, err);
}
