/* SPDX-License-Identifier: Apache-2.0 */

/* dpctl/dump-flows, get-flow, del-flow, del-flows: what is cached, all of it or one by its UFID. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/openflow/flow_text.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/commands_flow_dump.h"
#include "vswitchd/topology.h"
#include "vswitchd/trace.h"
#include "vswitchd/vswitch.h"

/* --- dump-flows ----------------------------------------------------------------------------- */

/* Flows are in the kernel's cache or not; of the other kinds there are none. */
static bool parse_types(struct flow_dump *dump, const char *list, const char **wrong)
{
    static const struct {
        const char *name;
        bool is_of_userspace, is_of_kernel;
    } types[] = {
        {"ovs", true, false},       {"tc", false, true},
        {"offloaded", false, true}, {"non-offloaded", true, false},
        {"dpdk", false, false},     {"partially-offloaded", false, false},
    };

    dump->is_of_userspace = dump->is_of_kernel = false;
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ","), i = 0;

        while (i < ARRAY_SIZE(types) &&
               (strlen(types[i].name) != n || strncmp(types[i].name, at, n)))
            i++;
        *wrong = at;
        if (i == ARRAY_SIZE(types))
            return false;
        dump->is_of_userspace |= types[i].is_of_userspace;
        dump->is_of_kernel |= types[i].is_of_kernel;
        at += n + (at[n] == ',');
    }
    return true;
}

/* Filters name ports as the datapath does. */
static bool find_port(void *vswitch_, const char *name, of_port *number)
{
    const struct vswitch *vswitch = vswitch_;

    for (uint32_t i = 0; i < ARRAY_SIZE(vswitch->by_dp_port); i++) {
        if (vswitch->by_dp_port[i] && !strcmp(vswitch->by_dp_port[i]->name, name)) {
            *number = (of_port)i;
            return true;
        }
    }
    return false;
}

/* False: the request has been answered. */
static bool parse_dump_argument(struct unixctl_request *request, struct flow_dump *dump,
                                const char *argument, struct match *filter)
{
    struct of_names names = {.find_port = find_port, .aux = dump->vswitch};
    struct error error = ERROR_INIT;
    const char *wrong;

    if (flow_dump_parse_option(dump, argument) || !strncmp(argument, "pmd=", 4))
        return true;
    if (!strncmp(argument, "type=", 5)) {
        if (parse_types(dump, argument + 5, &wrong))
            return true;
        unixctl_reply_error(request, "ovs-vswitchd: Failed to parse type (%s) (Invalid argument)",
                            wrong);
    } else if (!strncmp(argument, "filter=", 7)) {
        dump->filter = filter;
        if (!of_match_parse(argument + 7, &names, filter, &error))
            return true;
        unixctl_reply_error(request, "ovs-vswitchd: Failed to parse filter (%s)", error.message);
    } else if (argument[0] == '-') {
        unixctl_reply_error(request, "Unrecognized option %s", argument);
    } else if (commands_is_datapath_name(argument)) {
        return true;
    } else {
        unixctl_reply_error(request, "ovs-vswitchd: datapath not found (Invalid argument)");
    }
    return false;
}

static void cmd_dump_flows(struct unixctl_request *request, int argc, const char *const argv[],
                           void *aux)
{
    struct match filter;
    struct flow_dump dump;

    flow_dump_init(&dump, aux);
    for (int i = 1; i < argc; i++) {
        if (!parse_dump_argument(request, &dump, argv[i], &filter))
            return;
    }
    flow_dump_reply(&dump, request);
}

/* --- One flow ------------------------------------------------------------------------------- */

struct search {
    struct flow_dump dump;
    struct flow_ufid ufid;
    const struct flow_key *key; /* Or: which flow would treat it? */
    bool is_found;
};

static bool is_it(const struct dp_flow_info *flow, void *search_)
{
    struct search *search = search_;
    struct flow_ufid ufid;

    if (search->key) {
        for (size_t i = 0; i < FLOW_KEY_WORDS; i++) {
            if ((flow_key_words_const(search->key)[i] ^ flow_key_words_const(flow->key)[i]) &
                flow_key_words_const(flow->mask)[i])
                return false;
        }
        return true;
    }
    ufid = flow_ufid_of(flow);
    return ufid.words[0] == search->ufid.words[0] && ufid.words[1] == search->ufid.words[1];
}

static bool find_flow(const struct dp_flow_info *flow, void *search_)
{
    struct search *search = search_;

    if (!is_it(flow, search))
        return true;
    search->is_found = true;
    flow_dump_put(&search->dump, flow, &search->dump.text);
    buffer_putc(&search->dump.text, '\n');
    return false;
}

/* The last word is what is sought.  False: the request has been answered. */
static bool parse_words(struct unixctl_request *request, int argc, const char *const argv[],
                        struct search *search)
{
    for (int i = 1; i < argc - 1; i++) {
        if (flow_dump_parse_option(&search->dump, argv[i]) || commands_is_datapath_name(argv[i]))
            continue;
        if (argv[i][0] == '-')
            unixctl_reply_error(request, "Unrecognized option %s", argv[i]);
        else
            unixctl_reply_error(request, "ovs-vswitchd: datapath not found (Invalid argument)");
        return false;
    }
    return true;
}

static void cmd_get_flow(struct unixctl_request *request, int argc, const char *const argv[],
                         void *aux)
{
    struct vswitch *vswitch = aux;
    struct search search = {.key = NULL};

    flow_dump_init(&search.dump, vswitch);
    if (!parse_words(request, argc, argv, &search))
        return;
    if (!flow_ufid_parse(argv[argc - 1], &search.ufid)) {
        unixctl_reply_error(request, "ovs-vswitchd: parsing flow ufid (Invalid argument)");
        return;
    }
    datapath_flow_each(vswitch->datapath, find_flow, &search);
    if (!search.is_found)
        datapath_kernel_flow_each(vswitch->datapath, find_flow, &search);
    if (search.is_found)
        unixctl_reply(request, buffer_text(&search.dump.text));
    else
        unixctl_reply_error(request, "ovs-vswitchd: getting flow (No such file or directory)");
    buffer_fini(&search.dump.text);
}

/* It comes back with the next frame, if the tables still say so. */
static void cmd_del_flow(struct unixctl_request *request, int argc, const char *const argv[],
                         void *aux)
{
    struct vswitch *vswitch = aux;
    struct search search = {.key = NULL};
    struct error error = ERROR_INIT;
    struct flow_key key;

    flow_dump_init(&search.dump, vswitch);
    if (!parse_words(request, argc, argv, &search))
        return;
    if (!flow_ufid_parse(argv[argc - 1], &search.ufid)) {
        search.key = &key;
        if (trace_parse_dp_flow(argv[argc - 1], topology_get(), &key, &error)) {
            unixctl_reply_error(request, "ovs-vswitchd: syntax error at %s (%s)", argv[argc - 1],
                                error.message);
            return;
        }
    }
    if (datapath_flow_remove(vswitch->datapath, is_it, &search))
        unixctl_reply(request, NULL);
    else
        unixctl_reply_error(request, "ovs-vswitchd: deleting flow (No such file or directory)\n"
                                     "Perhaps you need to specify a UFID?");
}

static void cmd_del_flows(struct unixctl_request *request, int argc, const char *const argv[],
                          void *aux)
{
    struct vswitch *vswitch = aux;

    if (argc > 1 && !commands_is_datapath_name(argv[1])) {
        unixctl_reply_error(request, COMMANDS_NO_DATAPATH, argv[1]);
        return;
    }
    datapath_flush(vswitch->datapath);
    unixctl_reply(request, NULL);
}

void commands_dpctl_flows_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "dpctl/dump-flows",
                             "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]", 0, 6,
                             cmd_dump_flows, vswitch);
    unixctl_command_register(server, "dpctl/get-flow", "[dp] ufid", 1, 4, cmd_get_flow, vswitch);
    unixctl_command_register(server, "dpctl/del-flow", "[dp] flow", 1, 2, cmd_del_flow, vswitch);
    unixctl_command_register(server, "dpctl/del-flows", "[dp] [file]", 0, 1, cmd_del_flows,
                             vswitch);
}
