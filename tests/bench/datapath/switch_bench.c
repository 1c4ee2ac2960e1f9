/* SPDX-License-Identifier: Apache-2.0 */

/* How fast is the datapath alone, without database, OpenFlow or VLANs?
 *
 *     switch_bench [-w WORKERS] [-n INSTANCE] [-i INTERNAL-PORT]... NETDEV...
 *
 * A learning switch in a few lines, in the network namespace it is started in, for
 * tests/system/datapath_ports.sh and for measuring by hand.  Prints "ready", how each port's frames travel,
 * and on SIGTERM or SIGINT what it did. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/datapath.h"
#include "lib/hash.h"

enum { N_STATIONS = 4096, MAX_PORTS = 64 };

struct bench {
    struct datapath *dp;
    uint32_t ports[MAX_PORTS];
    unsigned int n_ports;
    _Atomic uint64_t stations[N_STATIONS]; /* MAC << 16 | port. */
};

static unsigned int station_place(struct mac mac)
{
    return hash_bytes(&mac, sizeof mac, 0) % N_STATIONS;
}

static uint16_t station_slot(struct mac mac)
{
    return (uint16_t)(1 + station_place(mac) % (DP_N_SLOTS - 1));
}

static void learn(struct bench *bench, struct mac mac, uint32_t port)
{
    _Atomic uint64_t *station = &bench->stations[station_place(mac)];
    uint64_t entry = mac_to_u64(mac) << 16 | port;

    if (mac_is_multicast(mac) || *station == entry)
        return;
    *station = entry;
    datapath_invalidate(bench->dp, station_slot(mac));
}

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    struct bench *bench = aux;
    uint32_t in_port = be32_host(key->in_port);
    uint64_t station = bench->stations[station_place(key->eth_dst)];

    (void)now_ns;
    if (packet)
        learn(bench, key->eth_src, in_port);
    memset(&verdict->mask.in_port, 0xff, sizeof verdict->mask.in_port);
    memset(&verdict->mask.eth_dst, 0xff, sizeof verdict->mask.eth_dst);
    memset(&verdict->mask.eth_src, 0xff, sizeof verdict->mask.eth_src);
    verdict->slots[verdict->n_slots++] = station_slot(key->eth_dst);
    verdict->slots[verdict->n_slots++] = station_slot(key->eth_src);

    for (unsigned int i = 0; i < bench->n_ports; i++) {
        uint32_t port = bench->ports[i];

        if (port == in_port ||
            (station >> 16 == mac_to_u64(key->eth_dst) && port != (station & 0xffff)))
            continue;
        verdict->actions.list[verdict->actions.n++] = (struct dp_action){.type = DP_OUTPUT,
                                                                         .arg = port};
    }
}

static void add_port(struct bench *bench, const char *name, enum dp_port_type type)
{
    struct dp_port_config config = {.name = name, .type = type};
    struct error error = ERROR_INIT;
    uint32_t port_no;

    if (bench->n_ports == MAX_PORTS || datapath_port_add(bench->dp, &config, &port_no, &error)) {
        fprintf(stderr, "switch_bench: %s\n", error.message);
        exit(1);
    }
    bench->ports[bench->n_ports++] = port_no;
    printf("%s: %s\n", name, datapath_port_path(bench->dp, port_no));
}

static void print_results(struct bench *bench)
{
    struct datapath_stats stats;

    datapath_get_stats(bench->dp, &stats);
    printf("microflow_hits=%lu megaflow_hits=%lu misses=%lu lost=%lu overruns=%lu megaflows=%u\n",
           (unsigned long)stats.n_microflow_hits, (unsigned long)stats.n_megaflow_hits,
           (unsigned long)stats.n_misses, (unsigned long)stats.n_lost,
           (unsigned long)stats.n_overruns, stats.n_megaflows);
    for (unsigned int i = 0; i < bench->n_ports; i++) {
        struct dp_port_stats port;

        datapath_port_get_stats(bench->dp, bench->ports[i], &port);
        printf("port %u: rx=%lu tx=%lu tx_dropped=%lu", bench->ports[i],
               (unsigned long)port.rx_packets, (unsigned long)port.tx_packets,
               (unsigned long)port.tx_dropped);
        for (int reason = 0; reason < DROP_N_REASONS; reason++)
            if (port.dropped[reason])
                printf(" %s=%lu", drop_reason_name((enum drop_reason)reason),
                       (unsigned long)port.dropped[reason]);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static const struct datapath_ops ops = {.translate = translate};
    struct datapath_config config = {.n_workers = 1};
    struct error error = ERROR_INIT;
    struct bench *bench = calloc(1, sizeof *bench);
    const char *internals[MAX_PORTS];
    unsigned int n_internals = 0;
    sigset_t signals;
    int option, signal_no;

    while ((option = getopt(argc, argv, "w:n:i:")) != -1) {
        if (option == 'w')
            config.n_workers = (unsigned int)atoi(optarg);
        else if (option == 'n')
            config.instance = optarg;
        else if (option == 'i' && n_internals < MAX_PORTS)
            internals[n_internals++] = optarg;
        else
            return 2;
    }

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    bench->dp = datapath_create(&config, &ops, bench, &error);
    if (!bench->dp) {
        fprintf(stderr, "switch_bench: %s\n", error.message);
        return 1;
    }
    for (unsigned int i = 0; i < n_internals; i++)
        add_port(bench, internals[i], DP_PORT_INTERNAL);
    for (; optind < argc; optind++)
        add_port(bench, argv[optind], DP_PORT_NETDEV);
    datapath_invalidate(bench->dp, DP_SLOT_ALL); /* What was cached did not know all ports. */
    printf("ready\n");
    fflush(stdout);

    sigwait(&signals, &signal_no);
    print_results(bench);
    datapath_destroy(bench->dp);
    free(bench);
    return 0;
}
