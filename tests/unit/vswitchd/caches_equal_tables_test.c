/* SPDX-License-Identifier: Apache-2.0 */

/* Does a cache ever decide differently from the tables?
 *
 * Three switches get the same configuration, the same flows and the same frames.  One translates every
 * frame anew, one forgets all it has cached before each frame, one caches as it does in service, with
 * tables, learned addresses and cached entries changing in between.  Every frame must leave all three
 * by the same ports with the same bytes, be given to controllers alike, and be counted alike.
 *
 *     WEIR_FRAMES   how many frames (default 1,000,000, under sanitizers 100,000)
 *     WEIR_SEED     the round to begin with; with WEIR_FRAMES=1, only this one */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "tests/generate/generate.h"
#include "tests/generate/rig.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/packet_in.h"

enum {
    N_FRAMES = 120,      /* Different ones in a round. */
    ROUND_FRAMES = 8000, /* Sent in a round. */
    N_TABLES = 5,
    N_GROUPS = 6,
    N_METERS = 4,
    MAX_FLOWS = 512,
};

/* Sanitizers make a frame ten times as expensive. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { DEFAULT_FRAMES = 100000 };
#else
enum { DEFAULT_FRAMES = 1000000 };
#endif

enum mode { CACHE_OFF, CACHE_COLD, CACHE_WARM, N_MODES };

static const char *const mode_names[N_MODES] = {"without caches", "with cold caches",
                                                "with warm caches"};

struct frame {
    size_t n_bytes;
    struct virtio_net_hdr vnet;
    uint8_t bytes[GENERATE_MAX_FRAME];
};

struct round {
    uint64_t seed;
    struct random random;
    struct rig rigs[N_MODES];
    struct buffer seen[N_MODES]; /* What became of the frame. */
    struct frame frames[N_FRAMES];
    char *flows[MAX_FLOWS]; /* Owned: as they were added, with the bridge in front. */
    size_t n_flows;
    int64_t now_ns;

    /* Over all rounds: what the comparison is worth. */
    uint64_t n_outputs, n_hits, n_misses, n_metered;
};

/* What became of a frame */

static void note_output(void *aux, int bridge, int port, const struct packet *packet)
{
    struct buffer *seen = aux;

    buffer_printf(seen, "%d:%d", bridge, port);
    buffer_put(seen, &packet->vnet, sizeof packet->vnet);
    buffer_put(seen, &packet->size, sizeof packet->size);
    buffer_put(seen, packet->data, packet->size);
}

static void note_packet_ins(struct rig *rig, struct buffer *seen)
{
    for (int b = 0; b < RIG_BRIDGES; b++) {
        struct packet_in *packet_in = packet_in_take_all(rig->queue[b]);

        while (packet_in) {
            struct packet_in *next = packet_in_next(packet_in);

            packet_in->item.next = NULL;
            packet_in->userdata = NULL; /* It is behind the frame. */
            buffer_put(seen, packet_in, sizeof *packet_in);
            buffer_put(seen, packet_in->frame, packet_in->n_bytes + packet_in->n_userdata);
            free(packet_in);
            packet_in = next;
        }
    }
}

/* Flows */

static void apply_flow(struct round *round, int b, const char *text, enum of_flow_command command)
{
    struct error error = ERROR_INIT;
    struct of_flow_mod flow;

    if (of_flow_mod_parse(text, command, NULL, &flow, &error))
        fail_msg("seed %" PRIu64 ": %s: %s", round->seed, text, error.message);
    for (int m = 0; m < N_MODES; m++)
        rig_flow_mod(&round->rigs[m], b, &flow, round->now_ns);
    of_flow_mod_fini(&flow);
}

static const struct generate_flows flow_options = {
    .n_ports = RIG_PORTS,
    .n_tables = N_TABLES,
    .has_controller = true,
    .trunc_ports = RIG_PORTS,
    .n_groups = N_GROUPS,
    .has_select = true,
    .n_meters = N_METERS,
};

static void put_group(struct round *round, int b, uint32_t group_id)
{
    struct buffer text = BUFFER_INIT;

    generate_group(&round->random, &flow_options, group_id, &text);
    for (int m = 0; m < N_MODES; m++)
        rig_put_group(&round->rigs[m], b, buffer_text(&text), round->now_ns);
    buffer_fini(&text);
}

static const char *const meter_ids[N_METERS] = {"1", "2", "3", "4"};

/* One that never drops, two that often do, one that re-marks first; their buckets are the same in all modes, as
 * the clock is. */
static void put_meter(struct round *round, int b, const char *meter_id)
{
    static const char *const limits[] = {
        "pktps,bands=type=drop,rate=4294967295",
        "pktps,burst,bands=type=drop,rate=100,burst_size=3",
        "kbps,burst,bands=type=drop,rate=800,burst_size=8",
        "pktps,burst,bands=type=dscp_remark,rate=50,burst_size=5,prec_level=1,"
        "type=drop,rate=300,burst_size=20",
    };
    char text[160];

    snprintf(text, sizeof text, "meter=%s,%s", meter_id, RANDOM_OF(&round->random, limits));
    for (int m = 0; m < N_MODES; m++)
        rig_put_meter(&round->rigs[m], b, text, round->now_ns);
}

static void put_controller_meter(struct round *round, int b)
{
    bool is_there = random_chance(&round->random, 50);

    if (is_there)
        put_meter(round, b, "controller");
    for (int m = 0; m < N_MODES && !is_there; m++)
        rig_delete_meter(&round->rigs[m], b, OF_METER_CONTROLLER, round->now_ns);
}

static void add_flow(struct round *round)
{
    int b = (int)random_below(&round->random, RIG_BRIDGES);
    struct buffer text = BUFFER_INIT;

    if (round->n_flows == MAX_FLOWS)
        return;
    buffer_printf(&text, "%d ", b);
    generate_flow(&round->random, &flow_options, &text);
    round->flows[round->n_flows] = buffer_take_text(&text);
    apply_flow(round, b, round->flows[round->n_flows++] + 2, OFFC_ADD);
}

static void remove_flow(struct round *round)
{
    size_t i = random_below(&round->random, (uint32_t)round->n_flows);
    char *text = round->flows[i];
    int b = *text - '0';

    *strstr(text, ",actions=") = '\0';
    apply_flow(round, b, text + 2, OFFC_DELETE_STRICT);
    free(text);
    round->flows[i] = round->flows[--round->n_flows];
}

/* A table of chance, and a floor of NORMAL so that something goes on. */
static void fill_tables(struct round *round)
{
    uint32_t n = 4 + random_below(&round->random, 80);

    for (int b = 0; b < RIG_BRIDGES; b++) {
        char text[64];

        for (uint32_t id = 1; id <= N_GROUPS; id++)
            put_group(round, b, id);
        for (size_t i = 0; i < N_METERS; i++)
            put_meter(round, b, meter_ids[i]);
        if (random_chance(&round->random, 80)) {
            snprintf(text, sizeof text, "%d table=0,priority=0,actions=%s", b,
                     random_chance(&round->random, 60) ? "normal" : "resubmit(,1)");
            round->flows[round->n_flows] = strdup(text);
            apply_flow(round, b, round->flows[round->n_flows++] + 2, OFFC_ADD);
        }
    }
    while (n-- > 0)
        add_flow(round);
}

/* Frames */

/* Leaves the checksum, and perhaps the segmentation, of some TCP frames to the switch. */
static void leave_work(struct round *round, struct frame *frame)
{
    struct packet packet = {
        .start = frame->bytes,
        .data = frame->bytes,
        .capacity = sizeof frame->bytes,
        .size = (uint32_t)frame->n_bytes,
    };
    struct flow_key key;

    flow_extract(&packet, be32_from(0), &key);
    if (packet.l4_offset == PACKET_OFFSET_NONE || key.nw_proto != IP_PROTO_TCP ||
        !flow_is_ip(&key) || !random_chance(&round->random, 30))
        return;
    frame->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    frame->vnet.csum_start = packet.l4_offset;
    frame->vnet.csum_offset = 16;
    if (random_chance(&round->random, 50)) {
        frame->vnet.gso_type = be16_host(key.eth_type) == ETH_TYPE_IPV4 ? VIRTIO_NET_HDR_GSO_TCPV4
                                                                        : VIRTIO_NET_HDR_GSO_TCPV6;
        frame->vnet.gso_size = (uint16_t)random_below(&round->random, 40);
        frame->vnet.hdr_len = (uint16_t)(packet.l4_offset + 20);
    }
}

static void fill_frames(struct round *round)
{
    for (size_t i = 0; i < N_FRAMES; i++) {
        const struct generate_frames options = {
            .is_valid = random_chance(&round->random, 50),
            .max_vlans = 3,
            .has_protocol_0 = true,
            .has_ipv6_fragments = true,
            .has_wrong_versions = true,
            .has_dei = true,
        };
        struct frame *frame = &round->frames[i];

        memset(frame, 0, sizeof *frame);
        frame->n_bytes = generate_frame(&round->random, &options, frame->bytes);
        leave_work(round, frame);
    }
}

static void print_bytes(const char *title, const void *bytes_, size_t n)
{
    const uint8_t *bytes = bytes_;

    fprintf(stderr, "%s:", title);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s%02x", i % 4 ? "" : " ", bytes[i]);
    fputc('\n', stderr);
}

static void report(struct round *round, unsigned int n, const struct frame *frame, int b, int port,
                   enum mode mode)
{
    fprintf(stderr,
            "WEIR_SEED=%" PRIu64 " WEIR_FRAMES=1 reproduces this: frame %u, bridge %d, port %d, "
            "is treated differently %s:\n",
            round->seed, n, b, port, mode_names[mode]);
    print_bytes("frame", frame->bytes, frame->n_bytes);
    print_bytes(mode_names[CACHE_OFF], round->seen[CACHE_OFF].data, round->seen[CACHE_OFF].size);
    print_bytes(mode_names[mode], round->seen[mode].data, round->seen[mode].size);
    for (size_t i = 0; i < round->n_flows; i++)
        fprintf(stderr, "  bridge %s\n", round->flows[i]);
    fail();
}

/* Stations seldom move, or nothing about them would stay cached. */
static int port_of(struct round *round, const struct frame *frame)
{
    if (random_chance(&round->random, 2))
        return 1 + (int)random_below(&round->random, RIG_PORTS - 1);
    return 1 + frame->bytes[11] % (RIG_PORTS - 1);
}

static void send_frame(struct round *round, unsigned int n)
{
    const struct frame *frame = &round->frames[random_below(&round->random, N_FRAMES)];
    int b = (int)random_below(&round->random, RIG_BRIDGES);
    int port = port_of(round, frame);
    const struct buffer *expected = &round->seen[CACHE_OFF];

    for (int m = 0; m < N_MODES; m++) {
        struct rig *rig = &round->rigs[m];
        struct buffer *seen = &round->seen[m];

        buffer_clear(seen);
        if (m == CACHE_COLD)
            datapath_flush(rig->dp);
        rig_send(rig, b, port, frame->bytes, frame->n_bytes, &frame->vnet, round->now_ns);
        note_packet_ins(rig, seen);
        if (seen->size != expected->size ||
            (expected->size && memcmp(seen->data, expected->data, expected->size)))
            report(round, n, frame, b, port, (enum mode)m);
    }
    round->n_outputs += expected->size > 0;
}

/* Things that happen to a switch in service. */
static void disturb(struct round *round)
{
    of_port port = (of_port)(1 + random_below(&round->random, RIG_PORTS));
    int b = (int)random_below(&round->random, RIG_BRIDGES);
    uint32_t choice = random_below(&round->random, 100);

    if (choice < 30)
        add_flow(round);
    else if (choice < 45 && round->n_flows)
        remove_flow(round);
    else if (choice < 52)
        put_group(round, b, 1 + random_below(&round->random, N_GROUPS));
    else if (choice < 54)
        put_meter(round, b, RANDOM_OF(&round->random, meter_ids));
    else if (choice < 56)
        put_controller_meter(round, b);
    else if (choice < 60)
        for (int m = 0; m < N_MODES; m++)
            fdb_flush_port(round->rigs[m].fdb[b], port);
    else if (choice < 95)
        rig_maintain(&round->rigs[CACHE_WARM], round->now_ns);
    else
        datapath_flush(round->rigs[CACHE_WARM].dp);
    rcu_quiescent_state();
}

/* Counters */

static void compare_meters(struct round *round, int b, enum mode mode)
{
    for (uint32_t id = 1; id <= N_METERS; id++) {
        struct dp_meter_stats stats[2];

        for (int i = 0; i < 2; i++) {
            struct rig *rig = &round->rigs[i ? mode : CACHE_OFF];
            dp_meters_get_stats(datapath_meters(rig->dp),
                                meter_table_lookup(rig->meters[b], id)->number, &stats[i]);
        }
        assert_memory_equal(&stats[0], &stats[1], sizeof stats[0]);
        for (int i = 0; i < DP_METER_BANDS; i++)
            round->n_metered += stats[0].bands[i].n_packets;
    }
}

static void compare_counters(struct round *round, enum mode mode)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    struct rig *expected = &round->rigs[CACHE_OFF], *rig = &round->rigs[mode];

    for (int b = 0; b < RIG_BRIDGES; b++) {
        struct rule_set expected_rules, rules;

        rule_set_init(&expected_rules, expected->tables[b], &all);
        rule_set_init(&rules, rig->tables[b], &all);
        assert_int_equal(rules.n_rules, expected_rules.n_rules);
        for (size_t i = 0; i < rules.n_rules; i++) {
            if (rules.rules[i]->n_packets != expected_rules.rules[i]->n_packets ||
                rules.rules[i]->n_bytes != expected_rules.rules[i]->n_bytes)
                fail_msg("seed %" PRIu64 ": rules count differently %s: %" PRIu64 ", not %" PRIu64,
                         round->seed, mode_names[mode], rules.rules[i]->n_packets,
                         expected_rules.rules[i]->n_packets);
        }
        rule_set_fini(&expected_rules);
        rule_set_fini(&rules);
        assert_int_equal(rig->counters[b]->tx_packets, expected->counters[b]->tx_packets);
        assert_int_equal(rig->counters[b]->rx_bytes, expected->counters[b]->rx_bytes);

        compare_meters(round, b, mode);
        for (int n = 1; n < RIG_PORTS; n++) {
            struct dp_port_stats expected_stats, stats;

            datapath_port_get_stats(expected->dp, expected->dp_ports[b][n], &expected_stats);
            datapath_port_get_stats(rig->dp, rig->dp_ports[b][n], &stats);
            assert_memory_equal(stats.dropped, expected_stats.dropped, sizeof stats.dropped);
        }
    }
}

static void count_hits(struct round *round)
{
    struct datapath_stats stats;

    datapath_get_stats(round->rigs[CACHE_WARM].dp, &stats);
    round->n_hits += stats.n_microflow_hits + stats.n_megaflow_hits;
    round->n_misses += stats.n_misses;
}

static void init_rigs(struct round *round)
{
    struct rig_settings settings;

    generate_settings(&round->random, &settings);
    for (int m = 0; m < N_MODES; m++) {
        const struct rig_options options = {
            .cache_off = m == CACHE_OFF,
            .max_megaflows = m == CACHE_WARM && random_chance(&round->random, 10) ? 16 : 4096,
            .output = note_output,
            .aux = &round->seen[m],
        };

        rig_init(&round->rigs[m], &settings, &options);
    }
}

static void play_round(struct round *round, uint64_t seed)
{
    round->seed = seed;
    random_init(&round->random, seed);
    round->n_flows = 0;
    round->now_ns = 1000 * SECOND_NS;
    init_rigs(round);
    fill_tables(round);
    fill_frames(round);

    for (unsigned int n = 0; n < ROUND_FRAMES; n++) {
        round->now_ns += random_below(&round->random, 2 * MILLISECOND_NS);
        send_frame(round, n);
        if (random_below(&round->random, 250) == 0)
            disturb(round);
    }

    for (int m = 0; m < N_MODES; m++)
        datapath_push_stats(round->rigs[m].dp);
    for (int m = CACHE_COLD; m < N_MODES; m++)
        compare_counters(round, (enum mode)m);
    count_hits(round);
    for (int m = 0; m < N_MODES; m++)
        rig_fini(&round->rigs[m]);
    for (size_t i = 0; i < round->n_flows; i++)
        free(round->flows[i]);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

static void caches_equal_tables(void **state)
{
    uint64_t n_frames = from_environment("WEIR_FRAMES", DEFAULT_FRAMES);
    uint64_t seed = from_environment("WEIR_SEED", 1);
    struct round *round = calloc(1, sizeof *round);
    uint64_t n_done = 0;

    (void)state;
    assert_non_null(round);
    rcu_register_thread();
    for (; n_done < n_frames; n_done += ROUND_FRAMES)
        play_round(round, seed++);
    rcu_unregister_thread();
    for (int m = 0; m < N_MODES; m++)
        buffer_fini(&round->seen[m]);
    print_message("%" PRIu64 " frames, %" PRIu64 " of them delivered, %" PRIu64
                  " treated by warm caches, %" PRIu64 " not, %" PRIu64
                  " too many for a meter: 0 differences\n",
                  n_done, round->n_outputs, round->n_hits, round->n_misses, round->n_metered / 2);
    free(round);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(caches_equal_tables)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
