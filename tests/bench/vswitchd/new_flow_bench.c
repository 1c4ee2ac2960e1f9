/* SPDX-License-Identifier: Apache-2.0 */

/* What does a frame of a flow that was never seen cost, without the kernel's part: lookup, translation, and the cached
 * entry, from its making to its end?
 *
 * The tables are those of bench/new_flows.py: two, with actions that read what makes each flow another.  A run sends
 * 150,000 flows in batches and then forgets them; time is the thread's own. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "datapath/internal.h"
#include "datapath/process.h"
#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "lib/rcu.h"
#include "tests/generate/rig.h"
#include "tests/unit/datapath/frames.h"

enum { RUNS = 15, FLOWS_PER_RUN = 150000, BATCH = 50, UDP_SOURCE = 34, IP_SOURCE = 26 };

static uint64_t n_sent;

static void count(void *aux, int bridge, int port, const struct packet *packet)
{
    (void)aux;
    (void)bridge;
    (void)port;
    (void)packet;
    n_sent++;
}

static void add_flow(struct rig *rig, const char *text)
{
    struct error error = ERROR_INIT;
    struct of_flow_mod flow;

    if (of_flow_mod_parse(text, OFFC_ADD, NULL, &flow, &error))
        abort();
    rig_flow_mod(rig, 0, &flow, clock_now_ns());
    of_flow_mod_fini(&flow);
}

static void send_batch(struct rig *rig, const struct frame *frame, uint32_t first)
{
    struct lane *lane = rig->dp->lanes[0];
    struct packet *packets[BATCH];
    struct dp_port *ports[BATCH];

    for (uint32_t i = 0; i < BATCH; i++) {
        packets[i] = lane_packet(lane, i);
        memcpy(packets[i]->data, frame->bytes, frame->size);
        be32_store(packets[i]->data + IP_SOURCE, 0x0b000000 + (first + i) / 4096);
        be16_store(packets[i]->data + UDP_SOURCE, (uint16_t)(1024 + (first + i) % 4096));
        packets[i]->size = (uint32_t)frame->size;
        ports[i] = datapath_port(rig->dp, rig->dp_ports[0][1]);
    }
    lane->now_ns = clock_now_ns();
    process_batch(lane, packets, ports, BATCH);
    rcu_pass_quiescent_state();
}

static int64_t thread_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * SECOND_NS + time.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static void report(const char *name, double *ns)
{
    qsort(ns, RUNS, sizeof ns[0], compare_doubles);
    printf("%s flows=%d ns_per_op=%.0f min=%.0f max=%.0f runs=%d\n", name, FLOWS_PER_RUN,
           ns[RUNS / 2], ns[0], ns[RUNS - 1], RUNS);
}

static void *measure(void *arg)
{
    const struct rig_options options = {.output = count};
    static struct rig_settings settings;
    static struct rig rig;
    double added[RUNS], forgotten[RUNS];
    struct frame frame;

    rcu_reader_register();
    settings.vlan_limit = 1;
    rig_init(&rig, &settings, &options);
    add_flow(&rig, "table=0,priority=0,actions=resubmit(,1)");
    add_flow(&rig, "table=1,udp,actions=move:NXM_OF_IP_SRC[]->NXM_NX_REG0[],"
                   "move:NXM_OF_UDP_SRC[]->NXM_NX_REG1[0..15],output:2");
    frame_make_ipv4(&frame, IP_PROTO_UDP, 18);
    for (unsigned int run = 0; run < RUNS; run++) {
        int64_t begin_ns = thread_ns();

        for (uint32_t i = 0; i < FLOWS_PER_RUN; i += BATCH)
            send_batch(&rig, &frame, i);
        int64_t added_ns = thread_ns();
        datapath_flush(rig.dp);
        added[run] = (double)(added_ns - begin_ns) / FLOWS_PER_RUN;
        forgotten[run] = (double)(thread_ns() - added_ns) / FLOWS_PER_RUN;
    }
    if (n_sent != (uint64_t)RUNS * FLOWS_PER_RUN)
        abort();
    rig_fini(&rig);
    rcu_reader_unregister();
    report("new_flow", added);
    report("forget_flow", forgotten);
    return arg;
}

/* In a thread, as workers are, whose memory is not the first one's. */
int main(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, measure, NULL))
        abort();
    pthread_join(thread, NULL);
    return 0;
}
