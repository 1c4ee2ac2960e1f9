/* SPDX-License-Identifier: Apache-2.0 */

/* Do the flow caches say what the tables say? */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/control.h"
#include "cli/nouns.h"
#include "lib/openflow/text.h"

static int verify_json(struct context *context, struct invocation *invocation, size_t n_args,
                       const char *const args[], struct error *error)
{
    json_t *answer = control_call_json(context, control_target(invocation), "weir/verify", n_args,
                                       args, error);

    if (!answer)
        return error->code;
    if (json_array_size(json_object_get(answer, "differences")))
        context->exit_status = EXIT_FAILURE;
    json_print_take(answer, &context->options.style, &invocation->output);
    return 0;
}

static int check_sample(const struct invocation *invocation, struct error *error)
{
    const char *sample = invocation_option(invocation, "--sample");
    uint64_t number;

    if (!sample || text_parse_u64(sample, &number))
        return 0;
    return error_set(error, -EINVAL, "--sample=%s: not a number of flows", shown(sample).text);
}

static int run_verify(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *sample = invocation_option(invocation, "--sample");
    size_t n_args = sample ? 1 : 0;

    if (options_is_json(&context->options))
        return verify_json(context, invocation, n_args, &sample, error);
    char *text = control_call(context, control_target(invocation), "weir/verify", n_args, &sample,
                              error);
    if (!text)
        return error->code;
    if (!strstr(text, ": 0 differences\n"))
        context->exit_status = EXIT_FAILURE;
    buffer_puts(&invocation->output, text);
    free(text);
    return 0;
}

static const struct command rows[] = {
    {.name = "verify",
     .arguments = "",
     .options = "--sample= --target=",
     .summary = "Walk the tables again for cached flows; exit with status 1 if any verdict differs",
     .group = GROUP_LOOK,
     .check = check_sample,
     .run = run_verify},
};

const struct command_rows verify_commands = {rows, ARRAY_SIZE(rows)};
