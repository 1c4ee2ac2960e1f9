/* SPDX-License-Identifier: Apache-2.0 */

/* Several lanes fill, hit and evict one megaflow table while another thread invalidates, flushes, dumps and
 * asks for statistics, and maintenance runs: nothing is lost, used after its end, or decided by an old
 * verdict.  For ThreadSanitizer and AddressSanitizer. */

#include "tests/unit/datapath/cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "datapath/internal.h"
#include "datapath/process.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "tests/unit/datapath/frames.h"

enum { N_LANES = 3, N_BATCHES = 1000, N_FLOWS = 400, MAX_FLOWS = 256, N_CHANGES = 100 };

struct context {
    uint64_t magic;
    uint64_t state; /* Of the tables when it was made. */
};

struct owner {
    struct datapath *dp;
    uint32_t in, out;
    _Atomic uint64_t state;   /* What the tables say; raised before it is announced. */
    _Atomic uint64_t settled; /* Frames that begin now must not be decided by less. */
    _Atomic uint64_t n_made, n_released, n_credited, n_sent, n_running;
};

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    struct owner *owner = aux;
    struct context *context = malloc(sizeof *context);

    (void)packet;
    (void)now_ns;
    *context = (struct context){.magic = 0x600d, .state = owner->state};
    owner->n_made++;
    verdict->context = context;
    memset(&verdict->mask.tp_src, 0xff, sizeof verdict->mask.tp_src);
    if (be16_host(key->tp_src) % 2)
        memset(&verdict->mask.nw_proto, 0xff, sizeof verdict->mask.nw_proto);
    verdict->slots[verdict->n_slots++] = (uint16_t)(1 + be16_host(key->tp_src) % 7);
    verdict->cacheable = be16_host(key->tp_src) % 13 != 0;
    verdict->actions.list[verdict->actions.n++] = (struct dp_action){.type = DP_DELIVER};
}

static void credit(void *aux, void *context, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns,
                   uint16_t flags)
{
    struct owner *owner = aux;

    (void)n_bytes;
    (void)used_ns;
    (void)flags;
    assert_int_equal(((struct context *)context)->magic, 0x600d);
    owner->n_credited += n_packets;
}

static void release(void *aux, void *context)
{
    struct owner *owner = aux;

    ((struct context *)context)->magic = 0xdead;
    free(context);
    owner->n_released++;
}

static __thread uint64_t settled_at_start;

static void deliver(void *aux, void *context, uint32_t arg, const struct packet *packet,
                    const struct flow_key *key)
{
    struct owner *owner = aux;
    const struct context *seen = context;

    (void)arg;
    (void)packet;
    (void)key;
    assert_int_equal(seen->magic, 0x600d);
    assert_true(seen->state >= settled_at_start);
    owner->n_sent++;
}

struct sender {
    struct owner *owner;
    struct lane *lane;
    pthread_t thread;
};

static void *send_batches(void *arg)
{
    struct sender *sender = arg;
    struct dp_port *port = datapath_port(sender->owner->dp, sender->owner->in);
    unsigned int seed = sender->lane->index;

    rcu_reader_register();
    for (int batch = 0; batch < N_BATCHES; batch++) {
        struct packet *packets[16];
        struct dp_port *ports[16];

        settled_at_start = sender->owner->settled;
        sender->lane->now_ns = clock_now_ns();
        for (unsigned int i = 0; i < 16; i++) {
            struct frame frame;

            frame_make_ipv4(&frame, IP_PROTO_UDP, 10);
            be16_store(frame.bytes + 34, (uint16_t)(rand_r(&seed) % N_FLOWS));
            packets[i] = lane_packet(sender->lane, i);
            memcpy(packets[i]->data, frame.bytes, frame.size);
            packets[i]->size = (uint32_t)frame.size;
            ports[i] = port;
        }
        process_batch(sender->lane, packets, ports, 16);
        rcu_pass_quiescent_state();
    }
    rcu_reader_unregister();
    sender->owner->n_running--;
    return NULL;
}

static bool look(const struct dp_flow_info *info, void *arg)
{
    *(uint64_t *)arg += info->n_packets;
    return true;
}

static void lanes_and_writers_agree(void **state)
{
    static const struct datapath_ops ops = {
        .translate = translate, .credit = credit, .release = release, .deliver = deliver};
    /* The workers have nothing to read, so their lanes are free for us. */
    const struct datapath_config config = {
        .n_workers = N_LANES, .max_megaflows = MAX_FLOWS, .misses_per_second = UINT32_MAX};
    struct owner owner = {.n_running = N_LANES};
    struct sender senders[N_LANES];
    uint64_t n_seen = 0;

    (void)state;
    owner.dp = datapath_create(&config, &ops, &owner, NULL);
    assert_non_null(owner.dp);
    const struct dp_port_config port = {.name = "in", .type = DP_PORT_DUMMY};
    assert_int_equal(datapath_port_add(owner.dp, &port, &owner.in, NULL), 0);

    for (unsigned int i = 0; i < N_LANES; i++) {
        senders[i] = (struct sender){.owner = &owner, .lane = owner.dp->lanes[i]};
        pthread_create(&senders[i].thread, NULL, send_batches, &senders[i]);
    }
    for (int i = 0; owner.n_running && i < N_CHANGES; i++) {
        uint64_t next = owner.state + 1;

        owner.state = next;
        datapath_invalidate(owner.dp, DP_SLOT_ALL);
        datapath_synchronize(owner.dp);
        owner.settled = next;
        datapath_invalidate(owner.dp, (uint16_t)(1 + i % 7));
        if (i % 10 == 0)
            datapath_flush(owner.dp);
        datapath_push_stats(owner.dp);
        datapath_flow_each(owner.dp, look, &n_seen);
    }
    for (unsigned int i = 0; i < N_LANES; i++)
        pthread_join(senders[i].thread, NULL);

    assert_int_equal(owner.n_sent, N_LANES * N_BATCHES * 16);
    datapath_destroy(owner.dp);
    assert_int_equal(owner.n_credited, owner.n_sent);
    assert_int_equal(owner.n_released, owner.n_made);
}

/* A thread that stays in a callback until the other one has done what it should not do yet, or has
 * had the time for it. */
struct meeting {
    struct datapath *dp;
    uint32_t in;
    struct graveyard graveyard;
    struct grave grave;
    _Atomic bool has_begun, is_early, has_ended;
};

static void linger(struct meeting *meeting)
{
    int64_t until_ns = clock_now_ns() + 100 * MILLISECOND_NS;

    meeting->has_begun = true;
    while (!meeting->is_early && clock_now_ns() < until_ns)
        sched_yield();
}

static void translate_slowly(void *aux, const struct flow_key *key, const struct packet *packet,
                             int64_t now_ns, struct verdict *verdict)
{
    (void)key;
    (void)packet;
    (void)now_ns;
    (void)verdict;
    linger(aux);
}

static void *send_one(void *arg)
{
    struct meeting *meeting = arg;
    struct frame frame;

    rcu_reader_register();
    frame_make_ipv4(&frame, IP_PROTO_UDP, 10);
    datapath_inject(meeting->dp, meeting->in, frame.bytes, frame.size, NULL);
    rcu_reader_unregister();
    return NULL;
}

static void a_flush_leaves_nothing_of_translations_under_way(void **state)
{
    static const struct datapath_ops ops = {.translate = translate_slowly};
    static const struct dp_port_config port = {.name = "in", .type = DP_PORT_DUMMY};
    const struct datapath_config config = {.misses_per_second = UINT32_MAX};
    struct meeting meeting = {.dp = NULL};
    struct datapath_stats stats;
    pthread_t sender;

    (void)state;
    meeting.dp = datapath_create(&config, &ops, &meeting, NULL);
    assert_int_equal(datapath_port_add(meeting.dp, &port, &meeting.in, NULL), 0);
    pthread_create(&sender, NULL, send_one, &meeting);
    while (!meeting.has_begun)
        sched_yield();
    datapath_flush(meeting.dp);
    meeting.is_early = true;
    pthread_join(sender, NULL);
    datapath_get_stats(meeting.dp, &stats);
    assert_int_equal(stats.n_megaflows, 0);
    datapath_destroy(meeting.dp);
}

static void die_slowly(void *aux, struct grave *grave)
{
    struct meeting *meeting = aux;

    (void)grave;
    linger(meeting);
    meeting->has_ended = true;
}

static void *clear(void *arg)
{
    struct meeting *meeting = arg;

    graveyard_clear(&meeting->graveyard);
    return NULL;
}

static void clearing_waits_for_what_another_thread_is_freeing(void **state)
{
    struct meeting meeting = {.dp = NULL};
    pthread_t other;

    (void)state;
    graveyard_init(&meeting.graveyard, &meeting);
    graveyard_bury(&meeting.graveyard, &meeting.grave, die_slowly);
    pthread_create(&other, NULL, clear, &meeting);
    while (!meeting.has_begun)
        sched_yield();
    graveyard_clear(&meeting.graveyard);
    bool has_ended = meeting.has_ended;
    meeting.is_early = true;
    pthread_join(other, NULL);
    assert_true(has_ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_and_writers_agree),
        cmocka_unit_test(a_flush_leaves_nothing_of_translations_under_way),
        cmocka_unit_test(clearing_waits_for_what_another_thread_is_freeing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
