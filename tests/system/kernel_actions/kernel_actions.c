/* SPDX-License-Identifier: Apache-2.0 */

/* kernel_actions - do the programs of the flow cache do to a frame what workers do?
 *
 *     kernel_actions [N-ROUNDS [SEED]]
 *
 * Random frames meet random verdicts: in userspace through datapath_inject(), in the kernel by an entry made
 * for the frame and BPF_PROG_RUN, by XDP and by TC.  The bytes that leave must be the same.  A tag that TC
 * leaves beside a frame does not show: it is compared without.  Meters, which all of them charge in the same memory,
 * must count the same. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/internal.h"
#include "datapath/kcache_compile.h"
#include "datapath/kernel/steal.skel.h"
#include "datapath/kernel/xdp.skel.h"
#include "datapath/megaflow.h"
#include "lib/clock.h"
#include "lib/packet.h"
#include "tests/generate/generate.h"
#include "tests/kernel/programs.h"

enum {
    IN_PORT = 1,
    OUT_PORT = PROGRAMS_OUT_PORT,
    MAX_FRAME = 3000,
    MAX_REPORTS = 5,
    N_METERS = 4,
    XDP_REDIRECTED = 4,
    TC_REDIRECTED = 7,
};

struct bytes {
    bool is_there;
    size_t size;
    uint8_t data[MAX_FRAME + 64];
};

static struct datapath *dp;
static struct programs programs;
static const struct dp_actions *wanted_actions;
static const struct flow_key *wanted_mask;
static struct bytes sent;
static unsigned long n_different;
static uint32_t meters[N_METERS];
static struct dp_meter_stats charged[N_METERS]; /* By the frame, in userspace. */

struct hook {
    const char *name;
    int redirected;
    const struct bpf_program *program;
    unsigned long n_done, n_passed_on, n_cut, n_metered;
};
static struct hook hooks[] = {{.name = "XDP", .redirected = XDP_REDIRECTED},
                              {.name = "TC", .redirected = TC_REDIRECTED}};

/* --- Userspace ------------------------------------------------------------------------------ */

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    (void)aux;
    (void)key;
    (void)packet;
    (void)now_ns;
    verdict->actions.n = wanted_actions->n;
    memcpy(verdict->actions.list, wanted_actions->list,
           wanted_actions->n * sizeof wanted_actions->list[0]);
    verdict->mask = *wanted_mask;
}

static void on_sent(void *arg, uint32_t port_no, const struct packet *packet)
{
    (void)arg;
    (void)port_no;
    sent.is_there = true;
    sent.size = packet->size;
    memcpy(sent.data, packet->data, packet->size);
}

static void start_datapath(void)
{
    static const struct datapath_ops ops = {.translate = translate};
    const struct datapath_config config = {.n_workers = 0, .misses_per_second = UINT32_MAX};
    const char *const names[] = {"in", "out"};
    uint32_t port_no;

    dp = datapath_create(&config, &ops, NULL, NULL);
    for (int i = 0; dp && i < 2; i++)
        datapath_port_add(dp, &(struct dp_port_config){.name = names[i], .type = DP_PORT_DUMMY},
                          &port_no, NULL);
    if (!dp)
        exit(1);
    datapath_set_dummy_tx(dp, on_sent, NULL);
}

/* --- Meters --------------------------------------------------------------------------------- */

/* As the clocks of workers and programs are their own, no bucket is full at one moment and empty at another: of bands that
 * are to apply it is in debt for an hour. */
static void add_meter(uint32_t i, const struct dp_meter_config *config, bool is_in_debt)
{
    meters[i] = dp_meters_add(dp->meters, config);
    if (is_in_debt)
        dp_meters_apply(dp->meters, meters[i], 1 << 19, 1, clock_now_ns());
}

static void add_meters(void)
{
    struct dp_meter_config config = {.n_bands = 1, .bands = {{.rate = 1}}};
    const struct bpf_map *map = programs.tc->maps.kc_meters;
    void *memory = mmap(NULL, KC_N_METERS * sizeof(struct kc_meter), PROT_READ | PROT_WRITE,
                        MAP_SHARED, bpf_map__fd(map), 0);

    if (memory == MAP_FAILED) {
        perror("kernel_actions: mmap");
        exit(1);
    }
    dp_meters_set_memory(dp->meters, memory, NULL);
    add_meter(0, &config, true);
    config.bands[0].remarks = true;
    config.bands[0].precedence = 1;
    add_meter(1, &config, true);
    config.n_bands = 3; /* The second applies. */
    config.bands[1] = (struct dp_band){.rate = 2, .remarks = true, .precedence = 200};
    config.bands[2] = (struct dp_band){.rate = UINT32_MAX};
    add_meter(2, &config, true);
    config = (struct dp_meter_config){
        .counts_packets = true, .n_bands = 1, .bands = {{.rate = UINT32_MAX}}};
    add_meter(3, &config, false);
}

static void get_charges(struct dp_meter_stats stats[static N_METERS])
{
    for (int i = 0; i < N_METERS; i++)
        dp_meters_get_stats(dp->meters, meters[i], &stats[i]);
}

/* What has been added since 'before'. */
static void take_charges(const struct dp_meter_stats before[static N_METERS],
                         struct dp_meter_stats charges[static N_METERS])
{
    get_charges(charges);
    for (int i = 0; i < N_METERS; i++) {
        charges[i].in.n_packets -= before[i].in.n_packets;
        charges[i].in.n_bytes -= before[i].in.n_bytes;
        for (int k = 0; k < DP_METER_BANDS; k++) {
            charges[i].bands[k].n_packets -= before[i].bands[k].n_packets;
            charges[i].bands[k].n_bytes -= before[i].bands[k].n_bytes;
        }
    }
}

/* --- Verdicts ------------------------------------------------------------------------------- */

static void make_set(struct random *random, struct dp_action *action)
{
    static const uint8_t words[] = {
        FLOW_KEY_WORD(eth_dst),  FLOW_KEY_WORD(eth_dst) + 1,  FLOW_KEY_WORD(vlan),
        FLOW_KEY_WORD(nw_src),   FLOW_KEY_WORD(ipv6_src),     FLOW_KEY_WORD(ipv6_src) + 1,
        FLOW_KEY_WORD(ipv6_dst), FLOW_KEY_WORD(ipv6_dst) + 1, FLOW_KEY_WORD(ipv6_label),
        FLOW_KEY_WORD(tp_src),
    };
    struct flow_key settable = {0};

    memset(&settable.eth_dst, 0xff, 12);
    settable.vlan[0].tci = be16_from(UINT16_MAX & ~VLAN_CFI);
    memset(&settable.nw_src, 0xff, 8);
    memset(&settable.ipv6_src, 0xff, 32);
    settable.ipv6_label = be32_from(0xfffff);
    settable.nw_tos = settable.nw_ttl = UINT8_MAX;
    settable.tp_src = settable.tp_dst = be16_from(UINT16_MAX);
    action->type = DP_SET;
    action->word = RANDOM_OF(random, words);
    action->mask = flow_key_words(&settable)[action->word];
    for (int byte = 0; byte < 8; byte++)
        if (random_chance(random, 30))
            action->mask &= ~(UINT64_C(0xff) << (8 * byte));
    action->value = ((uint64_t)random_u32(random) << 32 | random_u32(random)) & action->mask;
    if (random_chance(random, 20)) /* Checksums of zero are near. */
        action->value = 0;
}

static void make_meter(struct random *random, struct dp_actions *actions)
{
    actions->list[actions->n++] = (struct dp_action){
        .type = DP_METER,
        .arg = RANDOM_OF(random, meters),
        .value = UINT64_MAX,
    };
}

static void make_actions(struct random *random, struct dp_actions *actions)
{
    actions->n = 0;
    for (uint32_t n = random_below(random, 5); n > 0; n--) {
        if (random_chance(random, 10))
            make_meter(random, actions);
        struct dp_action action = {.type = DP_POP_VLAN};
        uint32_t choice = random_below(random, 100);

        if (choice < 60)
            make_set(random, &action);
        else if (choice < 80)
            action = (struct dp_action){
                .type = DP_PUSH_VLAN,
                .arg = (random_chance(random, 70) ? (uint32_t)ETH_TYPE_VLAN : ETH_TYPE_QINQ) << 16 |
                       VLAN_CFI | random_below(random, 4096) | random_below(random, 8) << 13,
            };
        actions->list[actions->n++] = action;
    }
    if (random_chance(random, 30))
        actions->list[actions->n++] = (struct dp_action){.type = DP_TRUNC,
                                                         .arg = 14 + random_below(random, 150)};
    if (random_chance(random, 95))
        actions->list[actions->n++] = (struct dp_action){.type = DP_OUTPUT, .arg = OUT_PORT};
}

/* The checksum of UDP becomes zero, which must not be sent (RFC 768): a destination port that does it. */
static void make_zero_checksum(struct packet *packet, struct dp_actions *actions)
{
    struct flow_key key, set = {0}, mask = {0};

    flow_extract(packet, be32_from(IN_PORT), &key);
    if (packet->l4_offset == PACKET_OFFSET_NONE || key.nw_proto != IP_PROTO_UDP)
        return;
    uint32_t sum = be16_host(be16_load(packet->data + packet->l4_offset + 6));
    if (!sum)
        return;
    sum += be16_host(key.tp_dst);
    set.tp_dst = be16_from((uint16_t)((sum & 0xffff) + (sum >> 16)));
    mask.tp_dst = be16_from(UINT16_MAX);
    actions->n = 2;
    actions->list[0] = (struct dp_action){
        .type = DP_SET,
        .word = FLOW_KEY_WORD(tp_src),
        .value = flow_key_words(&set)[FLOW_KEY_WORD(tp_src)],
        .mask = flow_key_words(&mask)[FLOW_KEY_WORD(tp_src)],
    };
    actions->list[1] = (struct dp_action){.type = DP_OUTPUT, .arg = OUT_PORT};
}

/* --- The kernel ----------------------------------------------------------------------------- */

static void put_entry(const struct kc_key *key, const struct kcache_verdict *verdict)
{
    programs_put(programs.tc->maps.kc_programs, 0, &verdict->program);
    programs_put_entry(&programs, key, verdict->plain ? verdict->plain : KC_FIRST_PROGRAM);
}

static bool was_used(const struct kc_key *key, uint64_t n_bytes)
{
    struct kc_entry6 entry = programs_get_entry(&programs, key);

    return entry.head.n_packets == 1 && entry.head.n_bytes == n_bytes;
}

static void report(const char *where, const uint8_t *frame, size_t n_bytes, const struct bytes *got,
                   int verdict)
{

    if (n_different++ >= MAX_REPORTS)
        return;
    printf("%s answers %d\n  frame  ", where, verdict);
    for (size_t i = 0; i < n_bytes; i++)
        printf("%02x", frame[i]);
    printf("\n  wanted ");
    for (size_t i = 0; sent.is_there && i < sent.size; i++)
        printf("%02x", sent.data[i]);
    printf("\n  got    ");
    for (size_t i = 0; got->is_there && i < got->size; i++)
        printf("%02x", got->data[i]);
    printf("\n  actions");
    for (uint32_t i = 0; i < wanted_actions->n; i++)
        printf(" %u:%u:%x:%016llx/%016llx", wanted_actions->list[i].type,
               wanted_actions->list[i].word, wanted_actions->list[i].arg,
               (unsigned long long)wanted_actions->list[i].value,
               (unsigned long long)wanted_actions->list[i].mask);
    putchar('\n');
}

static bool is_equal(const struct bytes *got, bool may_lack_tag)
{
    if (got->is_there != sent.is_there)
        return false;
    if (!got->is_there || (got->size == sent.size && !memcmp(got->data, sent.data, got->size)))
        return true;
    return may_lack_tag && got->size + 4 == sent.size && !memcmp(got->data, sent.data, 12) &&
           !memcmp(got->data + 12, sent.data + 16, got->size - 12);
}

static void run_in(struct hook *hook, const uint8_t *frame, size_t n_bytes,
                   const struct kc_key *key, const struct kcache_verdict *verdict)
{
    struct dp_meter_stats before[N_METERS], charges[N_METERS];
    struct bytes got = {0};
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (uint32_t)n_bytes,
                .data_out = got.data, .data_size_out = sizeof got.data);

    put_entry(key, verdict);
    get_charges(before);
    if (bpf_prog_test_run_opts(bpf_program__fd(hook->program), &run)) {
        if (errno == EINVAL && hook->redirected == TC_REDIRECTED)
            return; /* Some kernels make no skb of it. */
        perror("kernel_actions: BPF_PROG_RUN");
        exit(1);
    }
    if (!was_used(key, n_bytes)) {
        hook->n_passed_on++; /* For whoever knows more; as it came. */
        return;
    }
    hook->n_done++;
    hook->n_cut += verdict->program.n_steps > 1 &&
                   verdict->program.steps[verdict->program.n_steps - 2].op == KC_CUT;
    got.is_there = (int)run.retval == hook->redirected;
    got.size = run.data_size_out;
    take_charges(before, charges);
    for (int i = 0; i < N_METERS; i++)
        hook->n_metered += charges[i].in.n_packets;
    if (!is_equal(&got, hook->redirected == TC_REDIRECTED) ||
        memcmp(charges, charged, sizeof charges))
        report(hook->name, frame, n_bytes, &got, (int)run.retval);
}

static bool is_reachable(uint32_t port_no, void *arg)
{
    (void)arg;
    return port_no == OUT_PORT;
}

static void compare(const uint8_t *frame, size_t n_bytes)
{
    struct packet packet = {.start = (uint8_t *)(uintptr_t)frame,
                            .data = (uint8_t *)(uintptr_t)frame,
                            .capacity = (uint32_t)n_bytes,
                            .size = (uint32_t)n_bytes};
    const struct kcache_means means = {.is_reachable = is_reachable, .meters = dp->meters};
    struct kcache_verdict verdict;
    struct flow_key flow_key;
    struct dp_meter_stats before[N_METERS];
    struct kc_key key;
    uint64_t n_probes = 0;

    sent.is_there = false;
    get_charges(before);
    datapath_inject(dp, IN_PORT, frame, n_bytes, NULL);
    take_charges(before, charged);
    flow_extract(&packet, be32_from(IN_PORT), &flow_key);
    const struct megaflow *flow = megaflow_find(dp->megaflows, &flow_key, &n_probes);
    if (flow && kc_key_from_flow(&flow_key, PROGRAMS_SLOT, &key) &&
        !kcache_compile(flow, &means, &verdict) && kcache_verdict_suits(&verdict, &key)) {
        for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
            run_in(&hooks[i], frame, n_bytes, &key, &verdict);
        programs_put_entry(&programs, &key, KC_NOTHING);
    }
    datapath_flush(dp);
}

int main(int argc, char **argv)
{
    unsigned long n_rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    const struct generate_frames options = {.max_vlans = 2, .has_ipv6_fragments = true};
    static struct dp_actions actions;
    struct flow_key mask = {0};
    struct random random;

    random_init(&random, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
    wanted_actions = &actions;
    wanted_mask = &mask;
    mask.in_port = be32_from(UINT32_MAX);
    start_datapath();
    int code = programs_load(&programs);
    if (code)
        return code == -EPERM ? 77 : 1;
    add_meters();
    hooks[0].program = programs.xdp->progs.weir_xdp;
    hooks[1].program = programs.tc->progs.weir_ingress;
    for (unsigned long i = 0; i < n_rounds; i++) {
        uint8_t frame[GENERATE_MAX_FRAME];
        size_t n_bytes = generate_frame(&random, &options, frame);

        if (n_bytes < 14)
            continue;
        struct packet packet = {.start = frame,
                                .data = frame,
                                .capacity = (uint32_t)n_bytes,
                                .size = (uint32_t)n_bytes};

        make_actions(&random, &actions);
        if (random_chance(&random, 5))
            make_zero_checksum(&packet, &actions);
        compare(frame, n_bytes);
    }
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        printf(
            "%s: %lu verdicts carried out, %lu of them cut, %lu times to a meter, %lu passed on\n",
            hooks[i].name, hooks[i].n_done, hooks[i].n_cut, hooks[i].n_metered,
            hooks[i].n_passed_on);
    printf("%lu differ\n", n_different);
    datapath_destroy(dp);
    programs_unload(&programs);
    return n_different || hooks[0].n_done < n_rounds / 8 || hooks[1].n_done < n_rounds / 8 ||
                   hooks[0].n_cut < n_rounds / 100 || hooks[1].n_cut < n_rounds / 100 ||
                   hooks[0].n_metered < n_rounds / 100 || hooks[1].n_metered < n_rounds / 100
               ? 1
               : 0;
}
