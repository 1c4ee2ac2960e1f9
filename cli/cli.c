/* SPDX-License-Identifier: Apache-2.0 */

/* Words -> invocations -> either one plain command, or one transaction of database commands. */

#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/appctl.h"
#include "cli/batch.h"
#include "cli/context.h"
#include "cli/help.h"
#include "lib/clock.h"

struct run {
    struct context context;
    struct invocation *invocations; /* Owned. */
    size_t n, max;
};

/* Parses everything; an option may stand in any command, so none runs before all are read. */
static int parse(struct run *run, const char *const words[], size_t n_words, struct error *error)
{
    size_t i = 0;

    while (i < n_words) {
        struct invocation invocation;
        int n = invocation_parse(&invocation, &run->context.options, words + i, n_words - i, error);

        if (n < 0 || !invocation.command) {
            invocation_fini(&invocation);
            if (n < 0)
                return n;
        } else {
            if (run->n == run->max) {
                run->max = run->max ? 2 * run->max : 8;
                run->invocations = reallocarray(run->invocations, run->max,
                                                sizeof *run->invocations);
                if (!run->invocations)
                    abort();
            }
            run->invocations[run->n++] = invocation;
        }
        i += (size_t)n + 1;
    }
    return 0;
}

static int check(const struct run *run, struct error *error)
{
    for (size_t i = 0; i < run->n; i++) {
        int result = invocation_check(&run->invocations[i], error);

        if (result)
            return result;
        if (run->n > 1 && !run->invocations[i].command->prepare)
            return error_set(error, -EINVAL, "%s: cannot be chained with \"--\"; run it by itself",
                             run->invocations[i].command->name);
    }
    return 0;
}

/* Lines become "\n" and backslashes double, so that one line is one command's output. */
static void print_on_one_line(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\n' && !text[1])
            break;
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '\\')
            fputs("\\\\", out);
        else
            putc(*text, out);
    }
    putc('\n', out);
}

static int print(struct run *run, FILE *out, struct error *error)
{
    for (size_t i = 0; i < run->n; i++) {
        struct buffer *output = &run->invocations[i].output;

        if (run->context.options.oneline)
            print_on_one_line(buffer_text(output), out);
        else
            fwrite(buffer_text(output), 1, output->size, out);
    }
    if (fflush(out))
        return error_set_errno(error, -errno, "cannot write the output");
    return 0;
}

static int answer_help(struct run *run, FILE *out)
{
    struct buffer text = BUFFER_INIT;

    const struct options *options = &run->context.options;

    if (options->wants_version && options->as_vsctl)
        buffer_printf(&text, "ovs-vsctl (Weir) %s\nDB Schema %s\n", HELP_OVS_VERSION,
                      HELP_SCHEMA_VERSION);
    else if (options->wants_version)
        help_print_version(&text);
    else if (options->wants_commands)
        help_print_commands(&text);
    else if (options->wants_options)
        options_print_names(&text);
    else if (run->n)
        help_print_command(run->invocations[0].command, &text);
    else
        help_print_all(&text);
    fputs(buffer_text(&text), out);
    buffer_fini(&text);
    return fflush(out) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int execute(struct run *run, FILE *out, FILE *err, struct error *error)
{
    int64_t timeout_ns = run->context.options.timeout_ns;

    run->context.tls = tls_create();
    tls_configure(run->context.tls, &run->context.options.tls);
    run->context.out = out;
    run->context.deadline_ns = timeout_ns ? clock_now_ns() + timeout_ns : INT64_MAX;
    int result = run->invocations[0].command->prepare
                     ? batch_run(&run->context, run->invocations, run->n, error)
                     : run->invocations[0].command->run(&run->context, &run->invocations[0], error);

    struct error print_error = ERROR_INIT;
    int print_result = print(run, out, &print_error);
    if (!result && print_result)
        *error = print_error;
    if (run->context.warnings.size)
        fputs(buffer_text(&run->context.warnings), err);
    return result ? result : print_result;
}

/* ovs-vsctl dies of the alarm it has set, and scripts know a timeout by that. */
static void die_by_alarm(void)
{
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
}

/* Sentences from below may repeat what was typed, or what a daemon sent: nothing of that drives the
 * terminal. */
static int complain(const struct run *run, FILE *err, const struct error *error, int status)
{
    bool as_vsctl = run->context.options.as_vsctl;

    fputs(as_vsctl ? "ovs-vsctl: " : "weir: ", err);
    for (const char *p = error->message; *p; p++)
        putc((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p, err);
    putc('\n', err);
    if (as_vsctl && error->code == -ETIMEDOUT && clock_now_ns() >= run->context.deadline_ns)
        die_by_alarm();
    return as_vsctl ? EXIT_FAILURE : status;
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path ? path : "";
}

int cli_run(int argc, const char *const argv[], FILE *out, FILE *err)
{
    const char *name = base_name(argc > 0 ? argv[0] : NULL);
    size_t n_words = argc > 0 ? (size_t)argc - 1 : 0;
    struct run run = {.context.deadline_ns = INT64_MAX,
                      .context.options.as_vsctl = !strcmp(name, "ovs-vsctl")};
    const struct options *options = &run.context.options;
    struct error error = ERROR_INIT;
    int status;

    if (!strcmp(name, "ovs-appctl"))
        return appctl_run(n_words, argv + 1, out, err);
    if (parse(&run, argv + 1, n_words, &error) < 0)
        status = complain(&run, err, &error, EXIT_USAGE);
    else if (options->wants_help || options->wants_version || options->wants_commands ||
             options->wants_options)
        status = answer_help(&run, out);
    else if (!run.n && error_set(&error, -EINVAL, "no command given; \"weir help\" lists them"))
        status = complain(&run, err, &error, EXIT_USAGE);
    else if (check(&run, &error) < 0)
        status = complain(&run, err, &error, EXIT_USAGE);
    else if (execute(&run, out, err, &error) < 0)
        status = complain(&run, err, &error, EXIT_FAILURE);
    else
        status = run.context.exit_status;
    for (size_t i = 0; i < run.n; i++)
        invocation_fini(&run.invocations[i]);
    free(run.invocations);
    tls_destroy(run.context.tls);
    buffer_fini(&run.context.warnings);
    return status;
}
