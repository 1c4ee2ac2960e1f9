/* SPDX-License-Identifier: Apache-2.0 */

/* ofproto/trace: what the flow tables would do with one frame. */

#include "lib/annotations.h"
#include "vswitchd/commands.h"
#include "vswitchd/trace.h"

static void cmd_trace(struct unixctl_request *request, int argc, const char *const argv[],
                      void *aux UNUSED)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;

    if (trace_command(argc - 1, argv + 1, &text, &error))
        unixctl_reply_error(request, "%s", error.message);
    else
        unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

void commands_trace_register(struct unixctl_server *server, struct vswitch *vswitch UNUSED)
{
    unixctl_command_register(
        server, "ofproto/trace",
        "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]", 1, 6, cmd_trace,
        NULL);
}
