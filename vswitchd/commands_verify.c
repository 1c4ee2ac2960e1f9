/* SPDX-License-Identifier: Apache-2.0 */

/* weir/verify: do cached flows do what the tables say?  One line for each that does not. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/verify.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/vswitch.h"

enum { DEFAULT_FLOWS = 10000 };

struct report {
    const struct vswitch *vswitch;
    struct buffer text;
    json_t *differences; /* NULL: text is wanted. */
};

static void put_match(struct buffer *out, const struct dp_flow_info *flow,
                      const struct vswitch *vswitch)
{
    struct buffer line = BUFFER_INIT;

    dp_flow_format(&line, flow, commands_port_name, (void *)vswitch);
    const char *end = strstr(buffer_text(&line), ", packets:");
    buffer_put(out, line.data, end ? (size_t)(end - buffer_text(&line)) : line.size);
    buffer_fini(&line);
}

static void report_difference(const struct dp_difference *difference, void *arg)
{
    struct report *report = arg;
    const struct vswitch *vswitch = report->vswitch;
    const struct dp_flow_info *flow = difference->flow;
    struct buffer match = BUFFER_INIT, cached = BUFFER_INIT, tables = BUFFER_INIT;

    put_match(&match, flow, vswitch);
    dp_actions_format(&cached, flow->actions, flow->n_actions, flow->key, flow->mask,
                      commands_port_name, (void *)vswitch);
    dp_actions_format(&tables, difference->actions->list, difference->actions->n, flow->key,
                      flow->mask, commands_port_name, (void *)vswitch);
    if (report->differences)
        json_array_append_new(report->differences,
                              json_pack("{s:s, s:b, s:s, s:s, s:s}", "match", buffer_text(&match),
                                        "in_kernel", (int)flow->is_in_kernel, "what",
                                        difference->what, "cached", buffer_text(&cached), "tables",
                                        buffer_text(&tables)));
    else
        buffer_printf(&report->text, "%s%s, %s, cached:%s, tables:%s\n", buffer_text(&match),
                      flow->is_in_kernel ? ", offloaded:yes" : "", difference->what,
                      buffer_text(&cached), buffer_text(&tables));
    buffer_fini(&match);
    buffer_fini(&cached);
    buffer_fini(&tables);
}

/* 0: it is none. */
static uint32_t parse_number(const char *text)
{
    char *end;

    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    return isdigit((unsigned char)*text) && !*end && !errno && number <= UINT32_MAX
               ? (uint32_t)number
               : 0;
}

static void cmd_verify(struct unixctl_request *request, int argc, const char *const argv[],
                       void *aux)
{
    struct vswitch *vswitch = aux;
    uint32_t max_flows = argc > 1 ? parse_number(argv[1]) : DEFAULT_FLOWS;
    struct report report = {.vswitch = vswitch, .text = BUFFER_INIT};

    if (!max_flows) {
        unixctl_reply_error(request, "%s: not a number of flows", argv[1]);
        return;
    }
    if (unixctl_request_wants_json(request))
        report.differences = json_array();
    struct dp_verification v = datapath_verify(vswitch->datapath, max_flows, report_difference,
                                               &report);
    if (report.differences) {
        unixctl_reply_json_take(
            request, json_pack("{s:I, s:I, s:I, s:o}", "megaflows", (json_int_t)v.n_megaflows,
                               "kernel_flows", (json_int_t)v.n_kernel_flows, "out_of_date",
                               (json_int_t)v.n_stale, "differences", report.differences));
    } else {
        buffer_printf(&report.text, "checked %u megaflows, %u kernel flows: %u differences\n",
                      v.n_megaflows, v.n_kernel_flows, v.n_differences);
        unixctl_reply(request, buffer_text(&report.text));
    }
    buffer_fini(&report.text);
}

void commands_verify_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "weir/verify", "[N]", 0, 1, cmd_verify, vswitch);
}
