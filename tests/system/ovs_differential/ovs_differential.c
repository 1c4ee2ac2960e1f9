/* SPDX-License-Identifier: Apache-2.0 */

/* Random tables and frames through Open vSwitch and through Weir: the same ports, the same bytes?
 *
 * Differences that are meant are described in docs/differences-from-ovs.md; the generator's options
 * and is_documented() keep them out.
 *
 *     WEIR_ROUNDS   how many configurations (default 60)
 *     WEIR_FRAMES   how many frames in each (default 1700: 100,000 in all)
 *     WEIR_SEED     the first one */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "lib/checksum.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/openflow/flow_text.h"
#include "tests/generate/generate.h"
#include "tests/system/ovs_differential/ovs.h"
#include "vswitchd/trace.h"

enum { N_TABLES = 5, N_GROUPS = 8, N_METERS = 2, MAX_FLOWS = 100 };

struct round {
    uint64_t seed, frames_per_round;
    struct random random;
    struct ovs *ovs;
    struct rig_settings settings;
    struct rig rig;
    struct ovs_result weir, theirs;
    struct buffer flows[RIG_BRIDGES][2]; /* 1.0, and modern ones. */
    uint16_t priorities[MAX_FLOWS];
    size_t n_flows;
    int64_t now_ns;
    unsigned int n_frames, n_outputs, n_documented, n_differences;
};

static void note_output(void *aux, int bridge, int port, const struct packet *packet)
{
    struct ovs_result *result = aux;

    ovs_note_output(&result->frames[bridge][port], packet->data, packet->size);
}

static void note_station(const struct fdb_entry_info *station, void *arg)
{
    struct buffer *stations = arg;

    buffer_printf(stations, "%u %u " MAC_FORMAT "\n", station->port, station->vid,
                  MAC_ARGS(station->mac));
}

static void for_each_part(struct ovs_result *result, void (*each)(struct buffer *))
{
    for (int b = 0; b < RIG_BRIDGES; b++) {
        each(&result->stations[b]);
        for (int n = 1; n < RIG_PORTS; n++)
            each(&result->frames[b][n]);
    }
}

/* Flows of equal priority may be chosen from freely, so there are none but for conjunctions. */
static bool is_new_priority(struct round *round, const char *flow)
{
    uint16_t priority = (uint16_t)atoi(strstr(flow, "priority=") + strlen("priority="));

    if (priority > GENERATE_MAX_PRIORITY)
        return true;
    for (size_t i = 0; i < round->n_flows; i++) {
        if (round->priorities[i] == priority)
            return false;
    }
    round->priorities[round->n_flows++] = priority;
    return true;
}

/* Which of several buckets of a select group a frame takes is nobody else's business, and for dp_hash Open vSwitch
 * recirculates, which it does not survive with an action set. */
static const struct generate_flows most_flows = {
    .n_ports = RIG_PORTS,
    .n_tables = N_TABLES,
    .trunc_ports = RIG_PATCH - 1,
    .n_groups = N_GROUPS,
    .has_lessons = true,
    .has_lone_select = true,
    .n_meters = N_METERS,
};

/* Nor does Open vSwitch survive controller() with one. */
static struct generate_flows choose_flows(struct random *random)
{
    struct generate_flows options = most_flows;

    options.has_controller = options.lacks_action_sets = random_chance(random, 25);
    return options;
}

static void put_groups(struct round *round, int b)
{
    struct buffer all = BUFFER_INIT;

    for (uint32_t id = 1; id <= N_GROUPS; id++) {
        struct buffer group = BUFFER_INIT;

        generate_group(&round->random, &most_flows, id, &group);
        rig_put_group(&round->rig, b, buffer_text(&group), round->now_ns);
        buffer_printf(&all, "%s\n", buffer_text(&group));
        buffer_fini(&group);
    }
    ovs_replace_groups(round->ovs, b, buffer_text(&all));
    buffer_fini(&all);
}

/* They limit nothing: what they would let through would be a question of time. */
static void put_meters(struct round *round, int b)
{
    struct buffer all = BUFFER_INIT;

    for (int id = 1; id <= N_METERS; id++) {
        char meter[80];

        snprintf(meter, sizeof meter, "meter=%d,%s,bands=type=drop,rate=4000000", id,
                 id == 1 ? "kbps" : "pktps");
        rig_put_meter(&round->rig, b, meter, round->now_ns);
        buffer_printf(&all, "%s\n", meter);
    }
    ovs_replace_meters(round->ovs, b, buffer_text(&all));
    buffer_fini(&all);
}

static void generate_flows(struct round *round)
{
    uint32_t n = 4 + random_below(&round->random, 80);
    struct generate_flows options = choose_flows(&round->random);

    for (int b = 0; b < RIG_BRIDGES; b++) {
        buffer_clear(&round->flows[b][0]);
        buffer_clear(&round->flows[b][1]);
        if (random_chance(&round->random, 80))
            buffer_printf(&round->flows[b][0], "table=0,priority=0,actions=%s\n",
                          random_chance(&round->random, 60) ? "normal" : "resubmit(,1)");
    }
    round->n_flows = 0;
    while (n-- > 0) {
        int b = (int)random_below(&round->random, RIG_BRIDGES);
        struct buffer flow = BUFFER_INIT;
        bool is_modern = generate_flow(&round->random, &options, &flow);

        if (is_new_priority(round, buffer_text(&flow)))
            buffer_printf(&round->flows[b][is_modern], "%s\n", buffer_text(&flow));
        buffer_fini(&flow);
    }
}

static void add_flows(struct round *round, int b, bool is_modern)
{
    char *text = strdup(buffer_text(&round->flows[b][is_modern])), *save = NULL;

    if (!*text) {
        free(text);
        return;
    }
    ovs_add_flows(round->ovs, b, is_modern, text);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        struct error error = ERROR_INIT;
        struct of_flow_mod flow;

        if (of_flow_mod_parse(line, OFFC_ADD, NULL, &flow, &error)) {
            fprintf(stderr, "%s: %s\n", line, error.message);
            exit(1);
        }
        rig_flow_mod(&round->rig, b, &flow, round->now_ns);
        of_flow_mod_fini(&flow);
    }
    free(text);
}

static void print_result(const char *who, struct ovs_result *result)
{
    for (int b = 0; b < RIG_BRIDGES; b++) {
        fprintf(stderr, "%s: stations of bridge %d:\n%s", who, b,
                buffer_text(&result->stations[b]));
        for (int n = 1; n < RIG_PORTS; n++) {
            if (result->frames[b][n].size)
                fprintf(stderr, "%s: bridge %d port %d: %.1000s\n", who, b, n,
                        buffer_text(&result->frames[b][n]));
        }
    }
}

static char *weir_trace(const struct rig *rig, int b, int port, const uint8_t *frame,
                        size_t n_bytes)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    char in_port[32];
    const struct trace_request request = {
        .bridge = b ? "br1" : "br0",
        .flow_text = in_port,
        .packet = frame,
        .packet_bytes = n_bytes,
    };

    snprintf(in_port, sizeof in_port, "in_port=%d", port);
    if (trace_flow(rig->topology, &request, &text, &error))
        buffer_puts(&text, error.message);
    return buffer_take_text(&text);
}

static void print_settings(const struct rig_settings *settings)
{
    fprintf(stderr, "vlan_limit=%u\n", settings->vlan_limit);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        const struct rig_bridge *bridge = &settings->bridges[b];

        fprintf(stderr, "bridge %d: frag_mode=%d forwards_bpdu=%d\n", b, bridge->frag_mode,
                bridge->forwards_bpdu);
        for (int n = 1; n <= RIG_PORTS; n++)
            fprintf(stderr,
                    "    port %d: vlan_mode=%d tag=%u trunks=%#" PRIx64
                    " priority_tags=%d config=%#x\n",
                    n, bridge->ports[n].vlan_mode, bridge->ports[n].tag, bridge->ports[n].trunks,
                    bridge->ports[n].sends_priority_tags, bridge->ports[n].config);
    }
}

static void report(struct round *round, int b, int port, const uint8_t *frame, size_t n_bytes)
{
    round->n_differences++;
    if (round->n_differences > 5)
        return;
    fprintf(stderr, "\n=== WEIR_SEED=%" PRIu64 ": difference for bridge %d, port %d: ", round->seed,
            b, port);
    for (size_t i = 0; i < n_bytes; i++)
        fprintf(stderr, "%02x", frame[i]);
    fputc('\n', stderr);
    print_settings(&round->settings);
    for (int i = 0; i < RIG_BRIDGES; i++)
        fprintf(stderr, "flows of bridge %d:\n%s%s", i, buffer_text(&round->flows[i][false]),
                buffer_text(&round->flows[i][true]));
    print_result("Weir", &round->weir);
    print_result("OVS ", &round->theirs);
    char *trace = weir_trace(&round->rig, b, port, frame, n_bytes);
    fprintf(stderr, "--- Weir\n%s", trace);
    free(trace);
    trace = ovs_trace(round->ovs, b, port, frame, n_bytes);
    fprintf(stderr, "--- Open vSwitch\n%s\n", trace);
    free(trace);
}

/* How many tags a frame that comes with 'n_tags' has had at most, by these lines of a trace. */
static unsigned int most_tags(unsigned int n_tags, const char *trace)
{
    const char *at = strstr(trace, "Datapath actions: ");
    unsigned int n_pushed = n_tags, most = n_tags;

    for (const char *line = trace; (line = strstr(line, "push_vlan:")); line++)
        n_pushed++;
    n_pushed += strstr(trace, "mod_vlan_") != NULL; /* Puts one on where there is none. */
    for (; *at; at++) {
        n_tags += !strncmp(at, "push_vlan(", 10);
        n_tags -= !strncmp(at, "pop_vlan", 8);
        most = n_tags > most ? n_tags : most;
    }
    return n_pushed > most ? n_pushed : most;
}

static bool has_any(const char *text, const char *const words[])
{
    for (size_t i = 0; words[i]; i++) {
        if (strstr(text, words[i]))
            return true;
    }
    return false;
}

/* Open vSwitch counts labels of zeros as none, pops all that are left when the type says that none is, and
 * puts the first one of an 802.2 frame behind its SNAP header. */
static bool has_odd_labels(const struct flow_key *key, const uint8_t *frame, size_t type_at,
                           bool pops_to_label)
{
    bool is_mpls = be16_host(key->eth_type) == ETH_TYPE_MPLS ||
                   be16_host(key->eth_type) == ETH_TYPE_MPLS_MULTICAST;

    return be16_host(be16_load(frame + type_at)) < ETH_TYPE_MIN ||
           (is_mpls && (pops_to_label || !(be32_host(key->mpls_lse[0]) & 0x100)));
}

/* Of several options of neighbour discovery Open vSwitch rewrites the first, if any. */
static bool has_options(const struct flow_key *key, const struct packet *packet, uint32_t n)
{
    enum { OPTIONS_AT = 24, OPTION_BYTES = 8 };

    return key->nw_proto == IP_PROTO_ICMPV6 && packet->l4_offset != PACKET_OFFSET_NONE &&
           packet->size > packet->l4_offset + OPTIONS_AT + (n - 1) * OPTION_BYTES;
}

/* Open vSwitch puts the type of an option where there is none, and computes the checksum anew: right if it
 * was wrong, wrong if there are extension headers. */
static bool has_odd_nd(const struct packet *packet, const struct flow_key *key)
{
    const uint8_t *l4 = packet->data + packet->l4_offset;

    if (packet->l4_offset == PACKET_OFFSET_NONE)
        return false;
    uint64_t sum = checksum_add_pseudo_ipv6(0, &key->ipv6_src, &key->ipv6_dst, IP_PROTO_ICMPV6,
                                            packet->l4_bytes);
    return packet->l4_bytes <= 24 || packet->l4_offset != packet->l3_offset + 40 ||
           checksum_finish(checksum_add(sum, l4, packet->l4_bytes)).raw != 0;
}

/* Is it one of the differences that docs/differences-from-ovs.md describes? */
static bool is_documented(struct round *round, int b, int port, const uint8_t *frame,
                          size_t n_bytes)
{
    const char *const limits[] = {
        drop_reason_text(DROP_TOO_MANY_ACTIONS), drop_reason_text(DROP_TOO_MANY_RESUBMITS),
        drop_reason_text(DROP_TOO_MANY_STEPS),   drop_reason_text(DROP_RECURSION_TOO_DEEP),
        drop_reason_text(DROP_TOO_MANY_LABELS),  NULL,
    };
    static const char *const after_truncation[] = {
        "push_vlan(", "pop_vlan", "push_mpls(", "pop_mpls(", "configured not to forward",
        "NORMAL", /* To the local port, which the rig has not. */
        NULL};
    static const char *const of_labels[] = {"push_mpls", "pop_mpls", "set(mpls", NULL};
    char lookup_of_lessons[16];
    struct packet packet = {
        .start = (uint8_t *)frame,
        .data = (uint8_t *)frame,
        .capacity = (uint32_t)n_bytes,
        .size = (uint32_t)n_bytes,
    };
    char *trace = weir_trace(&round->rig, b, port, frame, n_bytes);
    struct flow_key key;
    bool is;

    flow_extract(&packet, be32_from(0), &key);
    snprintf(lookup_of_lessons, sizeof lookup_of_lessons, " %d. ", N_TABLES);
    /* What the frame has taught just now, the trace knows already. */
    const char *is_taught = strstr(trace, "would learn: ");
    is = flow_is_ip(&key) && (packet.l4_offset == PACKET_OFFSET_NONE || !key.nw_proto) &&
         (is_taught || strstr(trace, "set(ip"));
    is |= most_tags(packet.vlan_bytes / 4u, trace) > 1 &&
          strstr(trace, "load:0->NXM_OF_VLAN_TCI[]");
    is |= flow_is_arp(&key) && (packet.l3_offset == PACKET_OFFSET_NONE || !key.nw_proto) &&
          (is_taught || strstr(trace, "set(arp"));
    is |= strstr(trace, "learned port does not carry the VLAN") != NULL;
    is |= most_tags(packet.vlan_bytes / 4u, trace) > FLOW_N_VLANS;
    is |= most_tags(packet.vlan_bytes / 4u, trace) > round->settings.vlan_limit &&
          strstr(trace, "userspace(") && strstr(trace, "set(ip");
    is |= be16_host(key.vlan[0].tpid) == ETH_TYPE_QINQ && strstr(trace, "pop_vlan") &&
          strstr(trace, "push_vlan(vid=");
    is |= be16_host(key.vlan[1].tci) && be16_host(key.vlan[0].tci) == VLAN_CFI &&
          strstr(trace, "NORMAL") && strstr(trace, "push_vlan(");
    is |= strstr(trace, "max_len=") && has_any(trace, after_truncation);
    is |= has_any(trace, limits);
    is |= strstr(trace, "set(nd_ext") && has_odd_nd(&packet, &key);
    is |= key.nw_proto == IP_PROTO_SCTP && key.nw_frag && strstr(trace, "set(sctp");
    is |= strstr(trace, "push_mpls") && strstr(trace, "pop_mpls");
    is |= has_options(&key, &packet, 2) && (is_taught || strstr(trace, "set(nd("));
    is |= is_taught && strstr(is_taught, lookup_of_lessons);
    is |= strstr(trace, "check_pkt_larger(") && strstr(trace, "action set ");
    is |= has_any(trace, of_labels) &&
          has_odd_labels(&key, frame, 12 + packet.vlan_bytes, strstr(trace, "pop_mpls:0x884"));
    free(trace);
    return is;
}

/* The same for the same frames in whatever order: ports are flooded in different orders, and a frame
 * that comes back by another port is in between. */
static uint64_t sum_of_frames(const struct buffer *output)
{
    const char *at = (const char *)output->data, *end = at + output->size;
    uint64_t sum = 0;

    while (at < end) {
        size_t n = strcspn(at, "\n");

        sum += (uint64_t)hash_bytes(at, n, 1) << 32 | hash_bytes(at, n, 2);
        at += n + 1;
    }
    return sum;
}

static bool is_equal(const struct buffer *a, const struct buffer *b)
{
    return a->size == b->size && sum_of_frames(a) == sum_of_frames(b);
}

/* What was learned on the way decides about later frames. */
static bool is_same_result(const struct ovs_result *a, const struct ovs_result *b)
{
    for (int i = 0; i < RIG_BRIDGES; i++) {
        if (!is_equal(&a->stations[i], &b->stations[i]))
            return false;
        for (int n = 1; n < RIG_PORTS; n++)
            if (!is_equal(&a->frames[i][n], &b->frames[i][n]))
                return false;
    }
    return true;
}

static void count_outputs(struct round *round)
{
    for (int b = 0; b < RIG_BRIDGES; b++)
        for (int n = 1; n < RIG_PORTS; n++)
            round->n_outputs += round->theirs.frames[b][n].size > 0;
}

static void forget_what_was_learned(struct round *round)
{
    const struct of_flow_mod all_lessons = {
        .command = OFFC_DELETE,
        .table_id = N_TABLES,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };

    ovs_forget_stations(round->ovs);
    ovs_forget_lessons(N_TABLES);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        fdb_flush_all(round->rig.fdb[b]);
        rig_flow_mod(&round->rig, b, &all_lessons, round->now_ns);
    }
}

static void send_frame(struct round *round)
{
    const struct generate_frames options = {
        .is_valid = random_chance(&round->random, 70),
        .max_vlans = 3,
    };
    uint8_t frame[GENERATE_MAX_FRAME];
    size_t n_bytes = generate_frame(&round->random, &options, frame);
    int b = (int)random_below(&round->random, RIG_BRIDGES);
    int port = 1 + (int)random_below(&round->random, RIG_PORTS - 1);

    if (n_bytes < 14)
        return; /* Open vSwitch's dummy ports do not take it. */
    round->n_frames++;
    for_each_part(&round->weir, buffer_clear);
    for_each_part(&round->theirs, buffer_clear);
    rig_send(&round->rig, b, port, frame, n_bytes, NULL, round->now_ns);
    for (int i = 0; i < RIG_BRIDGES; i++)
        fdb_each(round->rig.fdb[i], note_station, &round->weir.stations[i]);
    ovs_send(round->ovs, b, port, frame, n_bytes, &round->theirs);
    count_outputs(round);
    if (is_same_result(&round->weir, &round->theirs))
        return;
    if (is_documented(round, b, port, frame, n_bytes))
        round->n_documented++;
    else
        report(round, b, port, frame, n_bytes);

    forget_what_was_learned(round); /* It may differ too from now on. */
}

static void play_round(struct round *round)
{
    const struct rig_options options = {
        .cache_off = true,
        .output = note_output,
        .aux = &round->weir,
    };

    random_init(&round->random, round->seed);
    generate_settings(&round->random, &round->settings);
    rig_init(&round->rig, &round->settings, &options);
    ovs_configure(round->ovs, &round->settings);
    generate_flows(round);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        put_meters(round, b);
        put_groups(round, b);
        add_flows(round, b, false);
        add_flows(round, b, true);
    }
    for (uint64_t n = 0; n < round->frames_per_round; n++) {
        round->now_ns = clock_now_ns(); /* Some addresses are locked for seconds. */
        send_frame(round);
        rcu_quiescent_state();
    }
    rig_fini(&round->rig);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

int main(int argc, char *argv[])
{
    static struct round round;
    uint64_t n_rounds = from_environment("WEIR_ROUNDS", 60);

    if (argc != 2) {
        fprintf(stderr, "usage: %s RUN-DIRECTORY-OF-OPEN-VSWITCH\n", argv[0]);
        return 2;
    }
    rcu_register_thread();
    round.ovs = ovs_open(argv[1]);
    round.seed = from_environment("WEIR_SEED", 1);
    round.frames_per_round = from_environment("WEIR_FRAMES", 1700);
    round.now_ns = clock_now_ns();
    for (uint64_t i = 0; i < n_rounds; i++, round.seed++)
        play_round(&round);

    printf("%u frames, %u outputs, %u documented and %u other differences\n", round.n_frames,
           round.n_outputs, round.n_documented, round.n_differences);
    ovs_close(round.ovs);
    for_each_part(&round.weir, buffer_fini);
    for_each_part(&round.theirs, buffer_fini);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        buffer_fini(&round.flows[b][0]);
        buffer_fini(&round.flows[b][1]);
    }
    rcu_unregister_thread();
    return round.n_differences ? 1 : 0;
}
