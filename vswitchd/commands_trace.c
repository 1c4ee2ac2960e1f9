/* SPDX-License-Identifier: Apache-2.0 */

/* ofproto/trace, ofproto/trace-packet-out: what the flow tables, or given actions, would do with one frame. */

#include "vswitchd/commands.h"
#include "vswitchd/trace.h"
#include "vswitchd/vswitch.h"

#define USAGE "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]"

static void trace(struct unixctl_request *request, int argc, const char *const argv[],
                  bool is_packet_out, struct vswitch *vswitch)
{
    bool wants_json = unixctl_request_wants_json(request);
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    json_t *json = NULL;

    if (trace_command(argc - 1, argv + 1, is_packet_out, vswitch->datapath, &text,
                      wants_json ? &json : NULL, &error))
        unixctl_reply_error(request, "%s", error.message);
    else if (wants_json)
        unixctl_reply_json_take(request, json);
    else
        unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void cmd_trace(struct unixctl_request *request, int argc, const char *const argv[],
                      void *aux)
{
    trace(request, argc, argv, false, aux);
}

static void cmd_trace_packet_out(struct unixctl_request *request, int argc,
                                 const char *const argv[], void *aux)
{
    trace(request, argc, argv, true, aux);
}

void commands_trace_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "ofproto/trace", USAGE, 1, -1, cmd_trace, vswitch);
    unixctl_command_register(server, "ofproto/trace-packet-out", "[-consistent] " USAGE " actions",
                             2, -1, cmd_trace_packet_out, vswitch);
}
