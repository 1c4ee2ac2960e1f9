/* SPDX-License-Identifier: Apache-2.0 */

/* What does a 64-byte frame cost from arrival to verdict, without the kernel: when its exact key is known, when one of
 * a few masks matches, and when it must be translated? */

#include <stdio.h>
#include <stdlib.h>

#include "datapath/internal.h"
#include "datapath/process.h"
#include "lib/clock.h"
#include "tests/unit/datapath/frames.h"

enum { RUNS = 9, FRAMES_PER_RUN = 200000, BATCH = 32 };

struct bench {
    struct datapath *dp;
    uint32_t in, out;
    unsigned int n_masks;
    uint64_t n_sent;
};

/* The mask depends on the source port, so that 'n_masks' are in use. */
static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    struct bench *bench = aux;

    (void)packet;
    (void)now_ns;
    memset(&verdict->mask.tp_src, 0xff, sizeof verdict->mask.tp_src);
    verdict->mask.nw_src = be32_from(be16_host(key->tp_src) % bench->n_masks);
    verdict->actions.list[verdict->actions.n++] = (struct dp_action){.type = DP_OUTPUT,
                                                                     .arg = bench->out};
}

static void on_sent(void *arg, uint32_t port_no, const struct packet *packet)
{
    (void)port_no;
    (void)packet;
    ((struct bench *)arg)->n_sent++;
}

/* Frames of 'n_flows' source ports, round robin; 'step' makes each exact key new where it is 1. */
static void run_frames(struct bench *bench, unsigned int n_flows, unsigned int step)
{
    struct lane *lane = bench->dp->lanes[0];
    struct dp_port *port = datapath_port(bench->dp, bench->in);
    static unsigned int serial;
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 22);
    for (unsigned int done = 0; done < FRAMES_PER_RUN; done += BATCH) {
        struct packet *packets[BATCH];
        struct dp_port *ports[BATCH];

        for (unsigned int i = 0; i < BATCH; i++) {
            packets[i] = lane_packet(lane, i);
            memcpy(packets[i]->data, frame.bytes, frame.size);
            be16_store(packets[i]->data + 34, (uint16_t)((done + i) % n_flows));
            serial += step;
            memcpy(packets[i]->data + 6, &serial, 4); /* Source MAC: not in any mask. */
            packets[i]->size = (uint32_t)frame.size;
            ports[i] = port;
        }
        lane->now_ns = clock_now_ns();
        process_batch(lane, packets, ports, BATCH);
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(const char *name, bool cache_off, unsigned int n_flows, unsigned int n_masks,
                    unsigned int step)
{
    static const struct datapath_ops ops = {.translate = translate};
    const struct datapath_config config = {.misses_per_second = UINT32_MAX, .cache_off = cache_off};
    struct bench bench = {.n_masks = n_masks};
    double ns[RUNS];

    bench.dp = datapath_create(&config, &ops, &bench, NULL);
    datapath_port_add(bench.dp, &(struct dp_port_config){.name = "a", .type = DP_PORT_DUMMY},
                      &bench.in, NULL);
    datapath_port_add(bench.dp, &(struct dp_port_config){.name = "b", .type = DP_PORT_DUMMY},
                      &bench.out, NULL);
    datapath_set_dummy_tx(bench.dp, on_sent, &bench);
    run_frames(&bench, n_flows, step);
    for (int i = 0; i < RUNS; i++) {
        int64_t from_ns = clock_now_ns();

        run_frames(&bench, n_flows, step);
        ns[i] = (double)(clock_now_ns() - from_ns) / FRAMES_PER_RUN;
    }
    if (bench.n_sent != (uint64_t)(RUNS + 1) * FRAMES_PER_RUN) {
        fprintf(stderr, "%s: frames were lost\n", name);
        exit(1);
    }
    datapath_destroy(bench.dp);
    qsort(ns, RUNS, sizeof ns[0], compare_doubles);
    printf("%s flows=%u masks=%u ns_per_op=%.0f min=%.0f max=%.0f runs=%d\n", name, n_flows,
           n_masks, ns[RUNS / 2], ns[0], ns[RUNS - 1], RUNS);
}

int main(void)
{
    measure("cache_microflow_hit", false, 1, 1, 0);
    measure("cache_microflow_hit", false, 4000, 1, 0);
    measure("cache_megaflow_hit", false, 1000, 1, 1);
    measure("cache_megaflow_hit", false, 1000, 20, 1);
    measure("cache_off", true, 1000, 1, 0);
    return 0;
}
