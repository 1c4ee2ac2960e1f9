/* SPDX-License-Identifier: Apache-2.0 */

/* dpif-netdev/...: what each worker does.  A worker is called what Open vSwitch calls its polling threads, "pmd thread",
 * with its number as core: scripts parse that.  It sleeps when nothing comes, so there are no cycles to account for. */

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "vswitchd/commands.h"
#include "vswitchd/interface.h"
#include "vswitchd/vswitch.h"

enum { ALL_WORKERS = -1 };

static uint64_t n_received(const struct dp_worker_stats *stats)
{
    return stats->n_microflow_hits + stats->n_megaflow_hits + stats->n_misses + stats->n_lost;
}

/* Since pmd-stats-clear. */
static struct dp_worker_stats stats_of(struct vswitch *vswitch, unsigned int worker)
{
    const struct dp_worker_stats *zero = &vswitch->workers_cleared[worker];
    struct dp_worker_stats stats;

    datapath_worker_get_stats(vswitch->datapath, worker, &stats);
    stats.n_microflow_hits -= zero->n_microflow_hits;
    stats.n_megaflow_hits -= zero->n_megaflow_hits;
    stats.n_misses -= zero->n_misses;
    stats.n_lost -= zero->n_lost;
    stats.n_megaflow_probes -= zero->n_megaflow_probes;
    return stats;
}

/* --- Arguments ------------------------------------------------------------------------------ */

struct arguments {
    int worker; /* Or ALL_WORKERS. */
    int secs;   /* pmd-rxq-show. */
};

static bool parse_number(const char *text, int *number)
{
    char *end;
    long value = strtol(text, &end, 10);

    *number = (int)value;
    return isdigit((unsigned char)*text) && !*end && value <= 1000000;
}

/* "-pmd core", "-secs n" and, which change nothing here, "-nh", "-it n" and "-ms n"; a datapath's name.  False: the
 * request has been answered. */
static bool parse_arguments(struct unixctl_request *request, int argc, const char *const argv[],
                            struct arguments *arguments)
{
    *arguments = (struct arguments){.worker = ALL_WORKERS, .secs = 60};
    for (int i = 1; i < argc; i++) {
        bool takes_number = !strcmp(argv[i], "-pmd") || !strcmp(argv[i], "-secs") ||
                            !strcmp(argv[i], "-it") || !strcmp(argv[i], "-ms");
        int ignored, *number = !strcmp(argv[i], "-pmd")    ? &arguments->worker
                               : !strcmp(argv[i], "-secs") ? &arguments->secs
                                                           : &ignored;

        if (takes_number) {
            if (i + 1 == argc || !parse_number(argv[i + 1], number)) {
                unixctl_reply_error(request, "%s: a number must follow", argv[i]);
                return false;
            }
            i++;
        } else if (strcmp(argv[i], "-nh") && !commands_is_datapath_name(argv[i])) {
            unixctl_reply_error(request, "please specify an existing datapath");
            return false;
        }
    }
    return true;
}

/* The workers and, last, the thread that has none of its own: packet-outs. */
static void each_worker(struct vswitch *vswitch, const struct arguments *arguments,
                        void (*put)(struct vswitch *, unsigned int worker, struct buffer *),
                        bool with_main, struct buffer *text)
{
    unsigned int n = datapath_n_workers(vswitch->datapath);

    if (with_main && arguments->worker == ALL_WORKERS) {
        buffer_puts(text, "main thread:\n");
        put(vswitch, n, text);
    }
    for (unsigned int i = 0; i < n; i++) {
        if (arguments->worker != ALL_WORKERS && (unsigned int)arguments->worker != i)
            continue;
        buffer_printf(text, "pmd thread numa_id 0 core_id %u:\n", i);
        put(vswitch, i, text);
    }
}

static void answer(struct unixctl_request *request, int argc, const char *const argv[],
                   struct vswitch *vswitch,
                   void (*put)(struct vswitch *, unsigned int worker, struct buffer *),
                   bool with_main)
{
    struct arguments arguments;
    struct buffer text = BUFFER_INIT;

    if (!parse_arguments(request, argc, argv, &arguments))
        return;
    each_worker(vswitch, &arguments, put, with_main, &text);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

/* --- pmd-stats-show ------------------------------------------------------------------------- */

static double ratio(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0;
}

static void put_stats(struct vswitch *vswitch, unsigned int worker, struct buffer *text)
{
    const struct dp_worker_stats stats = stats_of(vswitch, worker);
    uint64_t n = n_received(&stats);

    buffer_printf(text,
                  "  packets received: %" PRIu64 "\n"
                  "  packet recirculations: 0\n"
                  "  avg. datapath passes per packet: %.2f\n"
                  "  phwol hits: 0\n"
                  "  mfex opt hits: 0\n"
                  "  simple match hits: 0\n"
                  "  emc hits: %" PRIu64 "\n"
                  "  smc hits: 0\n"
                  "  megaflow hits: %" PRIu64 "\n"
                  "  avg. subtable lookups per megaflow hit: %.2f\n"
                  "  miss with success upcall: %" PRIu64 "\n"
                  "  miss with failed upcall: %" PRIu64 "\n",
                  n, n ? 1. : 0., stats.n_microflow_hits, stats.n_megaflow_hits,
                  ratio(stats.n_megaflow_probes, stats.n_megaflow_hits + stats.n_misses),
                  stats.n_misses, stats.n_lost);
}

static void cmd_stats_show(struct unixctl_request *request, int argc, const char *const argv[],
                           void *aux)
{
    answer(request, argc, argv, aux, put_stats, true);
}

static void cmd_stats_clear(struct unixctl_request *request, int argc, const char *const argv[],
                            void *aux)
{
    struct vswitch *vswitch = aux;
    struct arguments arguments;

    if (!parse_arguments(request, argc, argv, &arguments))
        return;
    for (unsigned int i = 0; i <= datapath_n_workers(vswitch->datapath); i++) {
        if (arguments.worker == ALL_WORKERS || (unsigned int)arguments.worker == i)
            datapath_worker_get_stats(vswitch->datapath, i, &vswitch->workers_cleared[i]);
    }
    vswitch->workers_cleared_ns = clock_now_ns();
    unixctl_reply(request, NULL);
}

/* --- pmd-perf-show -------------------------------------------------------------------------- */

static void put_perf(struct vswitch *vswitch, unsigned int worker, struct buffer *text)
{
    const struct dp_worker_stats stats = stats_of(vswitch, worker);
    double seconds = (double)(clock_now_ns() - vswitch->workers_cleared_ns) / SECOND_NS;
    uint64_t n = n_received(&stats);

    buffer_printf(text,
                  "\n"
                  "  Rx packets:        %12" PRIu64 "  (%.0f Kpps)\n"
                  "  Datapath passes:   %12" PRIu64 "  (%.2f passes/pkt)\n"
                  "  - EMC hits:        %12" PRIu64 "  (%5.1f %%)\n"
                  "  - Megaflow hits:   %12" PRIu64 "  (%5.1f %%, %.2f subtbl lookups/hit)\n"
                  "  - Upcalls:         %12" PRIu64 "  (%5.1f %%)\n"
                  "  - Lost upcalls:    %12" PRIu64 "  (%5.1f %%)\n\n",
                  n, seconds > 0 ? (double)n / seconds / 1000 : 0, n, n ? 1. : 0.,
                  stats.n_microflow_hits, 100 * ratio(stats.n_microflow_hits, n),
                  stats.n_megaflow_hits, 100 * ratio(stats.n_megaflow_hits, n),
                  ratio(stats.n_megaflow_probes, stats.n_megaflow_hits + stats.n_misses),
                  stats.n_misses, 100 * ratio(stats.n_misses, n), stats.n_lost,
                  100 * ratio(stats.n_lost, n));
}

static void cmd_perf_show(struct unixctl_request *request, int argc, const char *const argv[],
                          void *aux)
{
    answer(request, argc, argv, aux, put_perf, false);
}

/* --- pmd-rxq-show --------------------------------------------------------------------------- */

/* A port has a queue of its own with the worker, or its frames come by the tap that all ports share, of
 * which each worker has a queue. */
static void put_queues(struct vswitch *vswitch, unsigned int worker, struct buffer *text)
{
    buffer_puts(text, "  isolated : false\n");
    for (uint32_t i = 0; i < ARRAY_SIZE(vswitch->by_dp_port); i++) {
        const struct interface *interface = vswitch->by_dp_port[i];

        if (interface && datapath_worker_serves(vswitch->datapath, worker, i))
            buffer_printf(text, "  port: %-16s  queue-id: %2u (enabled)   pmd usage: NOT AVAIL\n",
                          interface->name, worker);
    }
    if (datapath_worker_serves(vswitch->datapath, worker, DP_PORT_NONE))
        buffer_printf(text, "  port: %-16s  queue-id: %2u (enabled)   pmd usage: NOT AVAIL\n",
                      "(others)", worker);
    buffer_puts(text, "  overhead: NOT AVAIL\n");
}

static void cmd_rxq_show(struct unixctl_request *request, int argc, const char *const argv[],
                         void *aux)
{
    struct arguments arguments;
    struct buffer text = BUFFER_INIT;

    if (!parse_arguments(request, argc, argv, &arguments))
        return;
    buffer_printf(&text, "Displaying last %d seconds pmd usage %%\n", arguments.secs);
    each_worker(aux, &arguments, put_queues, false, &text);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

/* --- What there is only one of -------------------------------------------------------------- */

static void cmd_bond_show(struct unixctl_request *request, int argc, const char *const argv[],
                          void *aux UNUSED)
{
    if (argc > 1 && !commands_is_datapath_name(argv[1]))
        unixctl_reply_error(request, "please specify an existing datapath");
    else
        unixctl_reply(request, NULL);
}

static const struct command_refusal refusals[] = {
#define ONLY_ONE "there is one implementation, and nothing to choose"
    {"dpif-netdev/dpif-impl-get", "", 0, 0, ONLY_ONE},
    {"dpif-netdev/dpif-impl-set", "dpif_implementation_name", 1, 1, ONLY_ONE},
    {"dpif-netdev/miniflow-parser-get", "", 0, 0, ONLY_ONE},
    {"dpif-netdev/miniflow-parser-set", "[-pmd core] miniflow_implementation_name [study_pkt_cnt]",
     1, 5, ONLY_ONE},
    {"dpif-netdev/subtable-lookup-info-get", "", 0, 0, ONLY_ONE},
    {"dpif-netdev/subtable-lookup-prio-set", "[lookup_func] [prio]", 2, 2, ONLY_ONE},
    {"odp-execute/action-impl-set", "name", 1, 1, ONLY_ONE},
    {"odp-execute/action-impl-show", "", 0, 0, ONLY_ONE},
    {"dpif-netdev/pmd-perf-log-set", "on|off [-b before] [-a after] [-e|-ne] [-us usec] [-q qlen]",
     0, 10, "workers log nothing; see pmd-perf-show"},
    {"dpif-netdev/pmd-rxq-rebalance", "[dp]", 0, 1,
     "queues are spread over all workers, and need no balance"},
    {"dpif-netlink/dispatch-mode", "", 0, 0, "no frame comes up by netlink"},
};

void commands_workers_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "dpif-netdev/pmd-stats-show", "[-pmd core] [dp]", 0, 3,
                             cmd_stats_show, vswitch);
    unixctl_command_register(server, "dpif-netdev/pmd-stats-clear", "[-pmd core] [dp]", 0, 3,
                             cmd_stats_clear, vswitch);
    unixctl_command_register(server, "dpif-netdev/pmd-perf-show",
                             "[-nh] [-it iter-history-len] [-ms ms-history-len] [-pmd core] [dp]",
                             0, 8, cmd_perf_show, vswitch);
    unixctl_command_register(server, "dpif-netdev/pmd-rxq-show", "[-pmd core] [-secs secs] [dp]", 0,
                             5, cmd_rxq_show, vswitch);
    unixctl_command_register(server, "dpif-netdev/bond-show", "[dp]", 0, 1, cmd_bond_show, vswitch);
    commands_register_refusals(server, refusals, ARRAY_SIZE(refusals));
}
