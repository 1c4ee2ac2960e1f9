/* SPDX-License-Identifier: Apache-2.0 */

/* Does the kernel's flow cache ever decide differently from the tables?
 *
 * Two switches get the same configuration, the same flows and the same frames.  One is in memory and
 * translates every frame anew.  The other has tap devices for ports, whose other ends this program holds, so
 * its frames meet the BPF programs as frames of guests do.  Every frame must leave both by the same
 * ports with the same bytes, be given to controllers alike, and be counted alike.  Tables change in
 * between, and the very next frame must be treated by the new ones.
 *
 *     kernel_equals_tables FRAMES SEED      (in a network namespace of its own, as root) */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "datapath/internal.h"
#include "datapath/offload.h"
#include "lib/clock.h"
#include "lib/netlink/link.h"
#include "lib/openflow/flow_text.h"
#include "lib/rcu.h"
#include "tests/generate/generate.h"
#include "tests/generate/rig.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/packet_in.h"

enum {
    N_FRAMES = 48, /* Different ones in a round: few, so that they come again. */
    ROUND_FRAMES = 2500,
    N_TABLES = 4,
    N_METERS = 4,
    MAX_FLOWS = 512,
    MAX_OUTPUTS = 512,
    BUFFER_BYTES = 4096,
};
#define PATIENCE_NS (5 * SECOND_NS)

enum side { IN_MEMORY, IN_KERNEL, N_SIDES };

struct output {
    int bridge, port;
    uint32_t n_bytes;
    uint8_t bytes[BUFFER_BYTES];
};

struct seen {
    unsigned int n;
    struct output outputs[MAX_OUTPUTS];
    struct buffer text; /* The same, in order of ports, and what controllers got. */
};

struct frame {
    size_t n_bytes;
    struct virtio_net_hdr vnet;
    uint8_t bytes[GENERATE_MAX_FRAME];
};

struct round {
    uint64_t seed;
    struct random random;
    struct rig rigs[N_SIDES];
    struct seen seen[N_SIDES];
    struct frame frames[N_FRAMES];
    char *flows[MAX_FLOWS];
    size_t n_flows;
    int fds[RIG_BRIDGES][RIG_PORTS];
    uint64_t n_sent;
    uint64_t n_hits, n_outputs, n_metered, n_metered_by_kernel, n_changes,
        refused[KCACHE_N_REFUSALS]; /* Over all rounds. */
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* --- Guests --------------------------------------------------------------------------------- */

static int open_guest(int b, int n)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    snprintf(request.ifr_name, sizeof request.ifr_name, "b%dp%d", b, n);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) ||
        ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6))
        die("tap");
    link_set_silent(request.ifr_name, NULL);
    if (link_set_up(request.ifr_name, NULL))
        die("tap");
    return fd;
}

/* --- What became of a frame ----------------------------------------------------------------- */

static void note_bytes(struct seen *seen, int bridge, int port, const struct virtio_net_hdr *vnet,
                       const void *bytes, uint32_t n_bytes)
{
    struct output *output = &seen->outputs[seen->n++];

    if (seen->n > MAX_OUTPUTS || n_bytes > sizeof output->bytes)
        abort();
    output->bridge = bridge;
    output->port = port;
    output->n_bytes = n_bytes;
    memcpy(output->bytes, bytes, n_bytes);
    struct packet packet = {.data = output->bytes, .size = n_bytes, .vnet = *vnet};
    offload_complete_checksum(&packet);
}

static void note_output(void *aux, int bridge, int port, const struct packet *packet)
{
    note_bytes(aux, bridge, port, &packet->vnet, packet->data, packet->size);
}

static void note_guests(struct round *round)
{
    uint8_t bytes[BUFFER_BYTES];
    struct virtio_net_hdr vnet;

    for (int b = 0; b < RIG_BRIDGES; b++)
        for (int n = 1; n < RIG_PORTS; n++) {
            ssize_t got;

            while ((got = read(round->fds[b][n], bytes, sizeof bytes)) > 0) {
                memcpy(&vnet, bytes, sizeof vnet);
                note_bytes(&round->seen[IN_KERNEL], b, n, &vnet, bytes + sizeof vnet,
                           (uint32_t)((size_t)got - sizeof vnet));
            }
        }
}

static void note_packet_ins(struct rig *rig, struct buffer *text)
{
    for (int b = 0; b < RIG_BRIDGES; b++) {
        struct packet_in *packet_in = packet_in_take_all(rig->queue[b]);

        while (packet_in) {
            struct packet_in *next = packet_in_next(packet_in);

            buffer_printf(text, "controller of %d: reason %d\n", b, (int)packet_in->reason);
            buffer_put(text, packet_in->frame, packet_in->n_bytes);
            free(packet_in);
            packet_in = next;
        }
    }
}

/* In order of ports; of one port, in order of leaving. */
static void write_down(struct seen *seen)
{
    for (int place = 0; place < RIG_BRIDGES * RIG_PORTS; place++)
        for (unsigned int i = 0; i < seen->n; i++) {
            const struct output *output = &seen->outputs[i];

            if (output->bridge * RIG_PORTS + output->port != place)
                continue;
            buffer_printf(&seen->text, "%d:%d ", output->bridge, output->port);
            for (uint32_t k = 0; k < output->n_bytes; k++)
                buffer_printf(&seen->text, "%02x", output->bytes[k]);
            buffer_putc(&seen->text, '\n');
        }
}

/* --- Flows ---------------------------------------------------------------------------------- */

static void apply_flow(struct round *round, int b, const char *text, enum of_flow_command command)
{
    struct error error = ERROR_INIT;
    struct of_flow_mod flow;

    if (of_flow_mod_parse(text, command, NULL, &flow, &error)) {
        fprintf(stderr, "%s: %s\n", text, error.message);
        exit(1);
    }
    for (int side = 0; side < N_SIDES; side++)
        rig_flow_mod(&round->rigs[side], b, &flow, clock_now_ns());
    of_flow_mod_fini(&flow);
    datapath_synchronize(round->rigs[IN_KERNEL].dp); /* As before a barrier is answered. */
    round->n_changes++;
}

static void add_text(struct round *round, const char *text)
{
    if (round->n_flows == MAX_FLOWS)
        return;
    round->flows[round->n_flows++] = strdup(text);
    apply_flow(round, *text - '0', text + 2, OFFC_ADD);
}

static void add_flow(struct round *round)
{
    const struct generate_flows options = {
        .n_ports = RIG_PORTS,
        .n_tables = N_TABLES,
        .has_controller = random_chance(&round->random, 10),
        .trunc_ports = random_chance(&round->random, 20) ? RIG_PORTS : 0,
        .n_meters = N_METERS,
    };
    struct buffer text = BUFFER_INIT;

    buffer_printf(&text, "%u ", random_below(&round->random, RIG_BRIDGES));
    generate_flow(&round->random, &options, &text);
    add_text(round, buffer_text(&text));
    buffer_fini(&text);
}

static void remove_flow(struct round *round)
{
    size_t i = random_below(&round->random, (uint32_t)round->n_flows);
    char *text = round->flows[i];

    *strstr(text, ",actions=") = '\0';
    apply_flow(round, *text - '0', text + 2, OFFC_DELETE_STRICT);
    free(text);
    round->flows[i] = round->flows[--round->n_flows];
}

static uint32_t meter_number(struct round *round, enum side side, int b, uint32_t meter_id)
{
    return meter_table_lookup(round->rigs[side].meters[b], meter_id)->number;
}

/* As clocks are not those of the test, buckets never run empty, or are in debt for an hour. */
static void put_meter(struct round *round, int b, uint32_t meter_id)
{
    static const char *const limits[] = {
        "pktps,bands=type=drop,rate=4294967295",
        "kbps,bands=type=drop,rate=1",
        "kbps,bands=type=dscp_remark,rate=1,prec_level=1",
        "kbps,bands=type=dscp_remark,rate=1,prec_level=2,type=drop,rate=4294967295",
    };
    uint32_t choice = random_below(&round->random, sizeof limits / sizeof *limits);
    char text[160];

    snprintf(text, sizeof text, "meter=%u,%s", meter_id, limits[choice]);
    for (int side = 0; side < N_SIDES; side++) {
        rig_put_meter(&round->rigs[side], b, text, clock_now_ns());
        if (choice)
            dp_meters_apply(datapath_meters(round->rigs[side].dp),
                            meter_number(round, (enum side)side, b, meter_id), 1 << 19, 1,
                            clock_now_ns());
    }
    datapath_synchronize(round->rigs[IN_KERNEL].dp);
    round->n_changes++;
}

static void fill_tables(struct round *round)
{
    static const char *const ways[] = {
        "normal",
        "normal",
        "resubmit(,1)",
        "flood",
        "dec_ttl,normal",
        "mod_vlan_vid:10,normal",
        "meter:1,normal",
        "meter:2,flood",
        "meter:3,dec_ttl,mod_vlan_vid:10,normal",
        "meter:4,resubmit(,1)",
    };

    for (int b = 0; b < RIG_BRIDGES; b++) {
        char text[80];

        for (uint32_t id = 1; id <= N_METERS; id++)
            put_meter(round, b, id);
        snprintf(text, sizeof text, "%d table=0,priority=0,actions=%s", b,
                 RANDOM_OF(&round->random, ways));
        add_text(round, text);
    }
    for (uint32_t n = random_below(&round->random, 30); n > 0; n--)
        add_flow(round);
}

/* --- Frames --------------------------------------------------------------------------------- */

/* Leaves the checksum of some TCP frames to the switch. */
static void leave_work(struct round *round, struct frame *frame)
{
    struct packet packet = {.data = frame->bytes, .size = (uint32_t)frame->n_bytes};
    struct flow_key key;

    flow_extract(&packet, be32_from(0), &key);
    if (packet.l4_offset == PACKET_OFFSET_NONE || key.nw_frag || !flow_is_ip(&key) ||
        (key.nw_proto != IP_PROTO_TCP && key.nw_proto != IP_PROTO_UDP) ||
        !random_chance(&round->random, 40))
        return;
    frame->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    frame->vnet.csum_start = packet.l4_offset;
    frame->vnet.csum_offset = key.nw_proto == IP_PROTO_TCP ? 16 : 6;
}

/* Would the kernel have it, before any program sees it? */
static bool is_sendable(const struct frame *frame)
{
    uint16_t type = be16_host(be16_load(frame->bytes + 12));

    return frame->n_bytes >= 14 &&
           ((type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ) || frame->n_bytes >= 20);
}

static void fill_frames(struct round *round)
{
    for (size_t i = 0; i < N_FRAMES; i++) {
        const struct generate_frames options = {
            .is_valid = random_chance(&round->random, 75),
            .max_vlans = random_below(&round->random, 4),
            .has_protocol_0 = true,
            .has_ipv6_fragments = true,
            .has_wrong_versions = true,
            .has_dei = true,
        };
        struct frame *frame = &round->frames[i];

        do {
            memset(frame, 0, sizeof *frame);
            frame->n_bytes = generate_frame(&round->random, &options, frame->bytes);
        } while (!is_sendable(frame));
        leave_work(round, frame);
    }
}

static uint64_t n_taken(struct round *round)
{
    struct rig *rig = &round->rigs[IN_KERNEL];
    uint64_t n = 0;

    kcache_collect(datapath_kcache(rig->dp), clock_now_ns());
    for (int b = 0; b < RIG_BRIDGES; b++)
        for (int port = 1; port < RIG_PORTS; port++) {
            struct dp_port_stats stats;

            datapath_port_get_stats(rig->dp, rig->dp_ports[b][port], &stats);
            n += stats.rx_packets;
        }
    return n;
}

/* False: the kernel does not take it for a frame. */
static bool send_to_kernel(struct round *round, int b, int port, const struct frame *frame)
{
    uint8_t bytes[sizeof frame->vnet + GENERATE_MAX_FRAME];
    int64_t until_ns = clock_now_ns() + PATIENCE_NS;

    memcpy(bytes, &frame->vnet, sizeof frame->vnet);
    memcpy(bytes + sizeof frame->vnet, frame->bytes, frame->n_bytes);
    if (write(round->fds[b][port], bytes, sizeof frame->vnet + frame->n_bytes) < 0)
        return false;
    round->n_sent++;
    while (n_taken(round) < round->n_sent) {
        rcu_pass_quiescent_state();
        usleep(20); /* Whoever has it needs the lock. */
        if (clock_now_ns() > until_ns) {
            fprintf(stderr, "seed %" PRIu64 ": a frame of %zu bytes did not arrive\n", round->seed,
                    frame->n_bytes);
            exit(1);
        }
    }
    datapath_synchronize(round->rigs[IN_KERNEL].dp); /* The worker's batch has been sent. */
    note_guests(round);
    return true;
}

static void report(struct round *round, unsigned int n, const struct frame *frame, int b, int port)
{
    fprintf(stderr, "seed %" PRIu64 ", frame %u, bridge %d, port %d, is treated differently:\n",
            round->seed, n, b, port);
    for (size_t i = 0; i < frame->n_bytes; i++)
        fprintf(stderr, "%02x", frame->bytes[i]);
    fprintf(stderr, "%s\n-- by the tables\n%s-- by the kernel\n%s-- flows\n",
            frame->vnet.flags ? " (checksum to do)" : "", buffer_text(&round->seen[IN_MEMORY].text),
            buffer_text(&round->seen[IN_KERNEL].text));
    for (size_t i = 0; i < round->n_flows; i++)
        fprintf(stderr, "  bridge %s\n", round->flows[i]);
    exit(1);
}

/* Stations seldom move. */
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

    for (int side = 0; side < N_SIDES; side++) {
        round->seen[side].n = 0;
        buffer_clear(&round->seen[side].text);
    }
    if (!send_to_kernel(round, b, port, frame))
        return;
    rig_send(&round->rigs[IN_MEMORY], b, port, frame->bytes, frame->n_bytes, &frame->vnet,
             clock_now_ns());
    for (int side = 0; side < N_SIDES; side++) {
        write_down(&round->seen[side]);
        note_packet_ins(&round->rigs[side], &round->seen[side].text);
    }

    const struct buffer *wanted = &round->seen[IN_MEMORY].text;
    const struct buffer *got = &round->seen[IN_KERNEL].text;
    if (wanted->size != got->size || (got->size && memcmp(wanted->data, got->data, got->size)))
        report(round, n, frame, b, port);
    round->n_outputs += round->seen[IN_MEMORY].n;
}

/* --- Rounds --------------------------------------------------------------------------------- */

static void disturb(struct round *round)
{
    of_port port = (of_port)(1 + random_below(&round->random, RIG_PORTS));
    int b = (int)random_below(&round->random, RIG_BRIDGES);
    uint32_t choice = random_below(&round->random, 100);

    if (choice < 10)
        put_meter(round, b, 1 + random_below(&round->random, N_METERS));
    else if (choice < 45)
        add_flow(round);
    else if (choice < 80 && round->n_flows)
        remove_flow(round);
    else if (choice < 95)
        for (int side = 0; side < N_SIDES; side++)
            fdb_flush_port(round->rigs[side].fdb[b], port);
    else
        datapath_flush(round->rigs[IN_KERNEL].dp);
}

static void expect_equal(struct round *round, uint64_t wanted, uint64_t got, const char *what)
{
    if (wanted == got)
        return;
    fprintf(stderr, "seed %" PRIu64 ": %s: %" PRIu64 " by the kernel, %" PRIu64 " by the tables\n",
            round->seed, what, got, wanted);
    exit(1);
}

static void compare_ports(struct round *round, int b)
{
    struct datapath *dp = round->rigs[IN_KERNEL].dp;

    for (int n = 1; n < RIG_PORTS; n++) {
        struct dp_port_stats stats[N_SIDES];
        struct kcache_losses losses;

        kcache_get_losses(datapath_kcache(dp),
                          datapath_port(dp, round->rigs[IN_KERNEL].dp_ports[b][n])->ifindex,
                          &losses);
        round->n_metered_by_kernel += losses.n_metered;
        for (int side = 0; side < N_SIDES; side++)
            datapath_port_get_stats(round->rigs[side].dp, round->rigs[side].dp_ports[b][n],
                                    &stats[side]);
        expect_equal(round, stats[IN_MEMORY].rx_packets, stats[IN_KERNEL].rx_packets,
                     "received packets");
        expect_equal(round, stats[IN_MEMORY].rx_bytes, stats[IN_KERNEL].rx_bytes, "received bytes");
        expect_equal(round, stats[IN_MEMORY].tx_packets, stats[IN_KERNEL].tx_packets,
                     "sent packets");
        expect_equal(round, stats[IN_MEMORY].tx_bytes, stats[IN_KERNEL].tx_bytes, "sent bytes");
        for (int reason = 0; reason < DROP_N_REASONS; reason++)
            expect_equal(round, stats[IN_MEMORY].dropped[reason], stats[IN_KERNEL].dropped[reason],
                         drop_reason_name((enum drop_reason)reason));
    }
}

static void compare_rules(struct round *round, int b)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    struct rule_set sets[N_SIDES];

    for (int side = 0; side < N_SIDES; side++)
        rule_set_init(&sets[side], round->rigs[side].tables[b], &all);
    expect_equal(round, sets[IN_MEMORY].n_rules, sets[IN_KERNEL].n_rules, "rules");
    for (size_t i = 0; i < sets[IN_KERNEL].n_rules; i++) {
        expect_equal(round, sets[IN_MEMORY].rules[i]->n_packets,
                     sets[IN_KERNEL].rules[i]->n_packets, "packets of a rule");
        expect_equal(round, sets[IN_MEMORY].rules[i]->n_bytes, sets[IN_KERNEL].rules[i]->n_bytes,
                     "bytes of a rule");
    }
    for (int side = 0; side < N_SIDES; side++)
        rule_set_fini(&sets[side]);
}

static void compare_meters(struct round *round, int b)
{
    for (uint32_t id = 1; id <= N_METERS; id++) {
        struct dp_meter_stats stats[N_SIDES];

        for (int side = 0; side < N_SIDES; side++)
            dp_meters_get_stats(datapath_meters(round->rigs[side].dp),
                                meter_number(round, (enum side)side, b, id), &stats[side]);
        expect_equal(round, stats[IN_MEMORY].in.n_packets, stats[IN_KERNEL].in.n_packets,
                     "packets of a meter");
        expect_equal(round, stats[IN_MEMORY].in.n_bytes, stats[IN_KERNEL].in.n_bytes,
                     "bytes of a meter");
        for (int i = 0; i < DP_METER_BANDS; i++) {
            expect_equal(round, stats[IN_MEMORY].bands[i].n_packets,
                         stats[IN_KERNEL].bands[i].n_packets, "packets of a band");
            expect_equal(round, stats[IN_MEMORY].bands[i].n_bytes,
                         stats[IN_KERNEL].bands[i].n_bytes, "bytes of a band");
            round->n_metered += stats[IN_KERNEL].bands[i].n_packets;
        }
    }
}

static void init_rigs(struct round *round)
{
    struct rig_settings settings;

    generate_settings(&round->random, &settings);
    for (int b = 0; b < RIG_BRIDGES; b++)
        for (int n = 1; n < RIG_PORTS; n++)
            round->fds[b][n] = open_guest(b, n);
    for (int side = 0; side < N_SIDES; side++) {
        const struct rig_options options = {
            .cache_off = side == IN_MEMORY,
            .has_netdevs = side == IN_KERNEL,
            .output = note_output,
            .aux = &round->seen[side],
        };

        rig_init(&round->rigs[side], &settings, &options);
    }
    if (!datapath_kcache(round->rigs[IN_KERNEL].dp)) {
        printf("SKIP: the kernel will have no flow cache here\n");
        exit(77);
    }
}

/* Soon those begin anew of which entries can tell. */
static void age(struct round *round)
{
    struct datapath *dp = round->rigs[IN_KERNEL].dp;

    atomic_store(&dp->generation, INT32_MAX - random_below(&round->random, 200));
    datapath_invalidate(dp, DP_SLOT_ALL);
}

static void fini_rigs(struct round *round)
{
    for (int side = 0; side < N_SIDES; side++)
        rig_fini(&round->rigs[side]);
    for (int b = 0; b < RIG_BRIDGES; b++)
        for (int n = 1; n < RIG_PORTS; n++)
            close(round->fds[b][n]);
    for (size_t i = 0; i < round->n_flows; i++)
        free(round->flows[i]);
}

static void play_round(struct round *round, uint64_t seed)
{
    struct kcache_stats stats;

    round->seed = seed;
    random_init(&round->random, seed);
    round->n_flows = 0;
    round->n_sent = 0;
    init_rigs(round);
    if (seed % 2)
        age(round);
    fill_tables(round);
    fill_frames(round);
    for (unsigned int n = 0; n < ROUND_FRAMES; n++) {
        send_frame(round, n);
        if (random_below(&round->random, 100) == 0)
            disturb(round);
        rcu_pass_quiescent_state();
    }

    kcache_get_stats(datapath_kcache(round->rigs[IN_KERNEL].dp), &stats);
    round->n_hits += stats.n_hits;
    for (int i = 0; i < KCACHE_N_REFUSALS; i++)
        round->refused[i] += stats.refused[i];
    datapath_flush(round->rigs[IN_KERNEL].dp); /* Credits what is given up, too. */
    for (int b = 0; b < RIG_BRIDGES; b++) {
        compare_ports(round, b);
        compare_rules(round, b);
        compare_meters(round, b);
    }
    fini_rigs(round);
}

int main(int argc, char *argv[])
{
    struct round *round = calloc(1, sizeof *round);
    uint64_t n_frames = argc > 1 ? strtoull(argv[1], NULL, 0) : 25000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    uint64_t n_done = 0;

    if (!round)
        return 1;
    rcu_reader_register();
    for (; n_done < n_frames; n_done += ROUND_FRAMES)
        play_round(round, seed++);
    rcu_reader_unregister();
    printf("%" PRIu64 " frames, %" PRIu64 " of them treated by the kernel, %" PRIu64
           " outputs, %" PRIu64 " too many for a meter (%" PRIu64
           " dropped by the kernel), %" PRIu64
           " changes of tables: 0 differences\nmegaflows that stayed in userspace:",
           n_done, round->n_hits, round->n_outputs, round->n_metered, round->n_metered_by_kernel,
           round->n_changes);
    for (int i = 0; i < KCACHE_N_REFUSALS; i++)
        printf(" %s=%" PRIu64, kcache_refusal_name((enum kcache_refusal)i), round->refused[i]);
    printf("\n");
    for (int side = 0; side < N_SIDES; side++)
        buffer_fini(&round->seen[side].text);
    /* About one in six, as tables change all the time, and one in ten with the first seed alone. */
    bool is_worth_it = round->n_hits * 20 > n_done;
    if (!is_worth_it)
        fprintf(stderr, "too few frames were treated by the kernel to compare\n");
    free(round);
    return !is_worth_it;
}
