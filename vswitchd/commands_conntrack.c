/* SPDX-License-Identifier: Apache-2.0 */

/* dpctl/...: connections and reassembly of fragments.  Nothing is tracked or reassembled, so there are no
 * connections to show, count or flush, and no limits to set. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/commands.h"

#define NO_TRACKING  "ovs-vswitchd: connections are not tracked (Operation not supported)"
#define NO_FRAGMENTS "ovs-vswitchd: fragments are not reassembled (Operation not supported)"

/* Takes options, a datapath and "zone=N" or "gt=N" in any order.  False: the request has been answered. */
static bool check_arguments(struct unixctl_request *request, int argc, const char *const argv[])
{
    for (int i = 1; i < argc; i++) {
        const char *number = strchr(argv[i], '=');
        bool is_number = number && (!strncmp(argv[i], "zone=", 5) || !strncmp(argv[i], "gt=", 3)) &&
                         isdigit((unsigned char)number[1]);

        if (argv[i][0] == '-' && strcmp(argv[i], "-m") && strcmp(argv[i], "-s") &&
            strcmp(argv[i], "--more") && strcmp(argv[i], "--statistics")) {
            unixctl_reply_error(request, "Unrecognized option %s", argv[i]);
            return false;
        }
        if (argv[i][0] != '-' && !is_number && !commands_is_datapath_name(argv[i])) {
            unixctl_reply_error(request, "ovs-vswitchd: datapath not found (Invalid argument)");
            return false;
        }
    }
    return true;
}

static void cmd_answer(struct unixctl_request *request, int argc, const char *const argv[],
                       void *text)
{
    if (check_arguments(request, argc, argv))
        unixctl_reply(request, text);
}

static void cmd_refuse(struct unixctl_request *request, int argc UNUSED,
                       const char *const argv[] UNUSED, void *sentence)
{
    unixctl_reply_error(request, "%s", (const char *)sentence);
}

/* All there are, or those of one zone, are gone at once; one by its addresses is not there. */
static void cmd_flush(struct unixctl_request *request, int argc, const char *const argv[],
                      void *aux UNUSED)
{
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "ct_", 3)) {
            unixctl_reply_error(
                request, "ovs-vswitchd: failed to flush conntrack (No such file or directory)");
            return;
        }
    }
    if (check_arguments(request, argc, argv))
        unixctl_reply(request, NULL);
}

struct row {
    const char *name, *usage;
    int min_args, max_args;
    unixctl_callback *callback;
    const char *text;
};

static const struct row rows[] = {
    {"dpctl/dump-conntrack", "[-m] [-s] [dp] [zone=N]", 0, 4, cmd_answer, ""},
    {"dpctl/flush-conntrack", "[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]", 0, 4, cmd_flush,
     NULL},
    {"dpctl/ct-stats-show", "[dp] [zone=N]", 0, 3, cmd_answer,
     "Connections Stats:\n    Total: 0\n"},
    {"dpctl/ct-bkts", "[dp] [gt=N]", 0, 2, cmd_answer,
     "Total Buckets: 0\nCurrent Connections: 0\n\n"},
    {"dpctl/ct-get-nconns", "[dp]", 0, 1, cmd_answer, "0\n"},
    {"dpctl/ct-get-maxconns", "[dp]", 0, 1, cmd_answer, "0\n"},
    {"dpctl/ct-set-maxconns", "[dp] maxconns", 1, 2, cmd_refuse, NO_TRACKING},
    {"dpctl/ct-get-tcp-seq-chk", "[dp]", 0, 1, cmd_answer, "TCP sequence checking: disabled\n"},
    {"dpctl/ct-enable-tcp-seq-chk", "[dp]", 0, 1, cmd_refuse, NO_TRACKING},
    {"dpctl/ct-disable-tcp-seq-chk", "[dp]", 0, 1, cmd_refuse, NO_TRACKING},
    {"dpctl/ct-get-limits", "[dp] [zone=N1[,N2]...]", 0, 2, cmd_answer, "default limit=0\n"},
    {"dpctl/ct-set-limits", "[dp] [default=L] [zone=N,limit=L]...", 1, -1, cmd_refuse, NO_TRACKING},
    {"dpctl/ct-del-limits", "[dp] zone=N1[,N2]...", 1, 2, cmd_refuse, NO_TRACKING},
    {"dpctl/ipf-get-status", "[dp]", 0, 1, cmd_refuse, NO_FRAGMENTS},
    {"dpctl/ipf-set-enabled", "[dp] v4|v6", 1, 2, cmd_refuse, NO_FRAGMENTS},
    {"dpctl/ipf-set-disabled", "[dp] v4|v6", 1, 2, cmd_refuse, NO_FRAGMENTS},
    {"dpctl/ipf-set-min-frag", "[dp] v4|v6 minfragment", 2, 3, cmd_refuse, NO_FRAGMENTS},
    {"dpctl/ipf-set-max-nfrags", "[dp] maxfrags", 1, 2, cmd_refuse, NO_FRAGMENTS},
};

void commands_conntrack_register(struct unixctl_server *server, struct vswitch *vswitch UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        unixctl_command_register(server, rows[i].name, rows[i].usage, rows[i].min_args,
                                 rows[i].max_args, rows[i].callback,
                                 (void *)(uintptr_t)rows[i].text);
}
