/* SPDX-License-Identifier: Apache-2.0 */

/* Caches: frames go in by one dummy port and leave by another; the owner decides by one field and
 * counts how often it is asked. */

#include "tests/unit/datapath/cmocka_all.h"

#include <stdlib.h>

#include "datapath/internal.h"
#include "datapath/process.h"
#include "lib/clock.h"
#include "tests/unit/datapath/frames.h"

enum { MAX_CONTEXTS = 4096 };

struct owner {
    struct datapath *dp;
    uint32_t in, out, other;

    /* What translate() answers. */
    struct flow_key mask;
    uint32_t output;
    uint16_t slot;
    bool is_uncacheable, has_context;

    unsigned int n_translated, n_rewalked, n_sent, n_released;
    unsigned int n_with_last; /* Translations that were given an earlier context. */
    uint32_t last_output;
    uint64_t n_credited_packets, n_credited_bytes;
    uint16_t credited_flags;
};

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    struct owner *owner = aux;

    (void)key;
    (void)now_ns;
    if (packet)
        owner->n_translated++;
    else
        owner->n_rewalked++;
    verdict->mask = owner->mask;
    verdict->cacheable = !owner->is_uncacheable;
    verdict->slots[0] = owner->slot;
    verdict->n_slots = owner->slot != DP_SLOT_ALL;
    if (verdict->last) {
        assert_ptr_equal(verdict->last, owner);
        owner->n_with_last++;
    }
    verdict->context = owner->has_context ? owner : NULL;
    verdict->actions.list[verdict->actions.n++] = (struct dp_action){.type = DP_OUTPUT,
                                                                     .arg = owner->output};
}

static void credit(void *aux, void *context, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns,
                   uint16_t flags)
{
    struct owner *owner = aux;

    assert_ptr_equal(context, owner);
    assert_true(used_ns > 0);
    owner->n_credited_packets += n_packets;
    owner->n_credited_bytes += n_bytes;
    owner->credited_flags |= flags;
}

static void release(void *aux, void *context)
{
    struct owner *owner = aux;

    assert_ptr_equal(context, owner);
    owner->n_released++;
}

static void on_sent(void *arg, uint32_t port_no, const struct packet *packet)
{
    struct owner *owner = arg;

    assert_true(packet->size >= 14);
    owner->n_sent++;
    owner->last_output = port_no;
}

static const struct datapath_ops ops = {
    .translate = translate,
    .credit = credit,
    .release = release,
};

static uint32_t add_dummy(struct datapath *dp, const char *name)
{
    uint32_t port_no;

    assert_int_equal(
        datapath_port_add(dp, &(struct dp_port_config){.name = name, .type = DP_PORT_DUMMY},
                          &port_no, NULL),
        0);
    return port_no;
}

static struct owner *start_with(struct datapath_config config)
{
    struct owner *owner = calloc(1, sizeof *owner);

    assert_non_null(owner);
    config.misses_per_second = config.misses_per_second ? config.misses_per_second : UINT32_MAX;
    owner->dp = datapath_create(&config, &ops, owner, NULL);
    assert_non_null(owner->dp);
    owner->in = add_dummy(owner->dp, "in");
    owner->out = add_dummy(owner->dp, "out");
    owner->other = add_dummy(owner->dp, "other");
    owner->output = owner->out;
    owner->has_context = true;
    memset(&owner->mask.in_port, 0xff, sizeof owner->mask.in_port);
    memset(&owner->mask.eth_type, 0xff, sizeof owner->mask.eth_type);
    datapath_set_dummy_tx(owner->dp, on_sent, owner);
    return owner;
}

static void stop(struct owner *owner)
{
    datapath_destroy(owner->dp);
    free(owner);
}

/* A TCP frame from port 'tp_src'. */
static void inject_at(struct owner *owner, uint16_t tp_src, int64_t now_ns)
{
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_TCP, 26);
    be16_store(frame.bytes + 34, tp_src);
    datapath_inject_at(owner->dp, owner->in, frame.bytes, frame.size, NULL, now_ns);
}

static void inject(struct owner *owner, uint16_t tp_src)
{
    inject_at(owner, tp_src, SECOND_NS);
}

static struct datapath_stats stats_of(struct owner *owner)
{
    struct datapath_stats stats;

    datapath_get_stats(owner->dp, &stats);
    return stats;
}

static uint64_t dropped(struct owner *owner, enum drop_reason reason)
{
    struct dp_port_stats stats;

    assert_int_equal(datapath_port_get_stats(owner->dp, owner->in, &stats), 0);
    return stats.dropped[reason];
}

static void exact_repeats_hit_the_microflow_and_similar_ones_the_megaflow(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    for (int i = 0; i < 3; i++)
        inject(owner, 1);
    inject(owner, 2);
    inject(owner, 2);

    assert_int_equal(owner->n_translated, 1);
    assert_int_equal(owner->n_sent, 5);
    assert_int_equal(owner->last_output, owner->out);
    assert_int_equal(stats_of(owner).n_misses, 1);
    assert_int_equal(stats_of(owner).n_microflow_hits, 2);
    assert_int_equal(stats_of(owner).n_megaflow_hits, 2);
    assert_int_equal(stats_of(owner).n_megaflows, 1);
    assert_int_equal(stats_of(owner).n_masks, 1);
    stop(owner);
}

static void a_flow_outside_the_mask_is_translated(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    inject(owner, 1);
    inject(owner, 2);
    assert_int_equal(owner->n_translated, 2);
    assert_int_equal(stats_of(owner).n_megaflows, 2);
    assert_int_equal(stats_of(owner).n_masks, 1);
    stop(owner);
}

static void an_invalid_verdict_is_never_used_again(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    inject(owner, 1);
    inject(owner, 2);
    owner->output = owner->other;
    datapath_invalidate(owner->dp, DP_SLOT_ALL);
    inject(owner, 2);
    assert_int_equal(owner->last_output, owner->other);
    assert_int_equal(owner->n_translated, 2);

    /* The other exact flow now hits the new entry. */
    inject(owner, 1);
    assert_int_equal(owner->last_output, owner->other);
    assert_int_equal(owner->n_translated, 2);
    assert_int_equal(stats_of(owner).n_megaflows, 1);
    stop(owner);
}

static void only_verdicts_of_the_slot_become_invalid(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    owner->slot = 7;
    inject(owner, 1);
    owner->slot = 8;
    inject(owner, 2);
    datapath_invalidate(owner->dp, 7);
    inject(owner, 2);
    assert_int_equal(owner->n_translated, 2);
    inject(owner, 1);
    assert_int_equal(owner->n_translated, 3);
    stop(owner);
}

static void an_invalid_verdict_with_a_new_mask_leaves_no_entry_behind(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    inject(owner, 1);
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    datapath_invalidate(owner->dp, DP_SLOT_ALL);
    inject(owner, 1);
    inject(owner, 2);
    assert_int_equal(owner->n_translated, 3);
    assert_int_equal(stats_of(owner).n_megaflows, 2);
    assert_int_equal(stats_of(owner).n_masks, 1);
    stop(owner);
}

static void every_packet_is_credited_once_and_every_context_released(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    inject(owner, 1);
    inject(owner, 1);
    datapath_push_stats(owner->dp);
    datapath_push_stats(owner->dp);
    assert_int_equal(owner->n_credited_packets, 2);
    assert_int_equal(owner->n_credited_bytes, 2 * 80);
    assert_int_equal(owner->credited_flags, 0x18);

    inject(owner, 1);
    datapath_flush(owner->dp);
    assert_int_equal(owner->n_credited_packets, 3);
    assert_int_equal(owner->n_released, 1);
    assert_int_equal(stats_of(owner).n_megaflows, 0);

    inject(owner, 1);
    assert_int_equal(owner->n_translated, 2);
    datapath_invalidate(owner->dp, DP_SLOT_ALL);
    inject(owner, 1);
    datapath_maintain(owner->dp, SECOND_NS);
    assert_int_equal(owner->n_credited_packets, 5);
    assert_int_equal(owner->n_released, 2);
    stop(owner);
}

static void send_batch(struct owner *owner, uint16_t tp_src, unsigned int n)
{
    struct lane *lane = owner->dp->lanes[0];
    struct packet *packets[BATCH_FRAMES];
    struct dp_port *ports[BATCH_FRAMES];
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_TCP, 26);
    for (unsigned int i = 0; i < n; i++) {
        be16_store(frame.bytes + 34, (uint16_t)(tp_src + i));
        packets[i] = lane_packet(lane, i);
        memcpy(packets[i]->data, frame.bytes, frame.size);
        packets[i]->size = (uint32_t)frame.size;
        ports[i] = datapath_port(owner->dp, owner->in);
    }
    lane->now_ns = SECOND_NS;
    process_batch(lane, packets, ports, n);
}

/* Nothing keeps it alive between batches. */
static void contexts_are_offered_to_later_translations_of_the_batch(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    send_batch(owner, 1, 10);
    assert_int_equal(owner->n_translated, 10);
    assert_int_equal(owner->n_with_last, 9);
    send_batch(owner, 11, 1);
    inject(owner, 12);
    assert_int_equal(owner->n_translated, 12);
    assert_int_equal(owner->n_with_last, 9);
    datapath_flush(owner->dp);
    assert_int_equal(owner->n_released, 12);
    stop(owner);
}

static void an_unused_entry_expires_and_a_used_one_stays(void **state)
{
    struct owner *owner = start_with((struct datapath_config){.max_idle_ns = 10 * SECOND_NS});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    inject_at(owner, 1, 1 * SECOND_NS);
    inject_at(owner, 2, 1 * SECOND_NS);
    inject_at(owner, 2, 10 * SECOND_NS);
    assert_true(datapath_maintain(owner->dp, 12 * SECOND_NS));
    assert_int_equal(stats_of(owner).n_megaflows, 1);
    assert_int_equal(owner->n_released, 1);
    assert_false(datapath_maintain(owner->dp, 21 * SECOND_NS));
    assert_int_equal(stats_of(owner).n_masks, 0);
    stop(owner);
}

static void maintenance_walks_stale_entries_again(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    inject(owner, 1);
    owner->output = owner->other;
    datapath_invalidate(owner->dp, DP_SLOT_ALL);
    datapath_maintain(owner->dp, SECOND_NS);
    assert_int_equal(owner->n_rewalked, 1);
    inject(owner, 1);
    assert_int_equal(owner->n_translated, 1);
    assert_int_equal(owner->last_output, owner->other);

    /* A verdict that looks at more than the entry knows cannot stand in its place. */
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    datapath_invalidate(owner->dp, DP_SLOT_ALL);
    datapath_maintain(owner->dp, SECOND_NS);
    assert_int_equal(stats_of(owner).n_megaflows, 0);
    inject(owner, 1);
    assert_int_equal(owner->n_translated, 2);
    stop(owner);
}

static void a_full_cache_evicts(void **state)
{
    struct owner *owner = start_with((struct datapath_config){.max_megaflows = 10});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    for (uint16_t i = 0; i < 1000; i++)
        inject_at(owner, i, SECOND_NS + i);
    assert_int_equal(owner->n_translated, 1000);
    assert_int_equal(owner->n_sent, 1000);
    assert_int_equal(stats_of(owner).n_megaflows, 10);
    datapath_flush(owner->dp);
    assert_int_equal(owner->n_released, 1000);
    assert_int_equal(owner->n_credited_packets, 1000);
    stop(owner);
}

static void a_crowded_cache_takes_flows_that_go_on(void **state)
{
    struct owner *owner = start_with((struct datapath_config){.max_megaflows = 10});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    for (uint16_t i = 0; i < 11; i++) /* The last one drives out one that was in use. */
        inject(owner, i);
    assert_int_equal(owner->n_translated, 11);
    for (int i = 0; i < 7; i++) {
        inject(owner, 5000);
        assert_int_equal(owner->n_released, i + 1); /* Nobody but its frame has seen it. */
    }
    for (int i = 0; i < 20; i++)
        inject(owner, 5000);
    assert_int_equal(owner->n_translated, 11 + 8);
    assert_int_equal(owner->n_sent, 11 + 27);
    stop(owner);
}

static void a_cache_full_of_idle_flows_takes_new_ones(void **state)
{
    struct owner *owner = start_with((struct datapath_config){.max_megaflows = 10});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    for (uint16_t i = 0; i < 11; i++)
        inject(owner, i);
    for (uint16_t i = 0; i < 8; i++) /* It is found out that they are idle. */
        inject_at(owner, 5000 + i, 8 * SECOND_NS);
    owner->n_translated = 0;
    for (int i = 0; i < 2; i++)
        inject_at(owner, 6000, 8 * SECOND_NS);
    assert_int_equal(owner->n_translated, 1);
    stop(owner);
}

static void limits_can_be_changed_at_any_time(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    for (uint16_t i = 0; i < 500; i++)
        inject_at(owner, i, SECOND_NS + i);
    datapath_set_limits(owner->dp, 100, 60 * SECOND_NS);
    datapath_maintain(owner->dp, 30 * SECOND_NS);
    assert_int_equal(stats_of(owner).n_megaflows, 100);
    assert_int_equal(owner->n_credited_packets, 500);

    inject_at(owner, 1000, 30 * SECOND_NS); /* In place of another. */
    assert_int_equal(stats_of(owner).n_megaflows, 100);
    datapath_set_limits(owner->dp, 100, 5 * SECOND_NS);
    datapath_maintain(owner->dp, 31 * SECOND_NS);
    assert_int_equal(stats_of(owner).n_megaflows, 1);
    stop(owner);
}

static void masks_are_bounded(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    for (uint32_t i = 0; i < 2 * MEGAFLOW_MAX_MASKS; i++) {
        owner->mask.nw_src = be32_from(i);
        owner->mask.tp_src = be16_from(UINT16_MAX);
        inject(owner, (uint16_t)i);
        inject(owner, (uint16_t)i);
    }
    assert_int_equal(owner->n_translated, 2 * MEGAFLOW_MAX_MASKS);
    assert_int_equal(stats_of(owner).n_masks, MEGAFLOW_MAX_MASKS + 1);

    /* Stale ones under the mask of all bits are replaced too, not doubled. */
    datapath_invalidate(owner->dp, DP_SLOT_ALL);
    for (uint32_t i = 0; i < 2 * MEGAFLOW_MAX_MASKS; i++) {
        owner->mask.nw_src = be32_from(i);
        inject(owner, (uint16_t)i);
    }
    assert_int_equal(stats_of(owner).n_megaflows, 2 * MEGAFLOW_MAX_MASKS);
    stop(owner);
}

static void cache_off_translates_every_frame(void **state)
{
    struct owner *owner = start_with((struct datapath_config){.cache_off = true});

    (void)state;
    for (int i = 0; i < 5; i++)
        inject(owner, 1);
    assert_int_equal(owner->n_translated, 5);
    assert_int_equal(owner->n_credited_packets, 5);
    assert_int_equal(stats_of(owner).n_megaflows, 0);
    datapath_flush(owner->dp);
    assert_int_equal(owner->n_released, 5);
    stop(owner);
}

static void an_uncacheable_verdict_is_used_once(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    owner->is_uncacheable = true;
    for (int i = 0; i < 3; i++)
        inject(owner, 1);
    assert_int_equal(owner->n_translated, 3);
    assert_int_equal(stats_of(owner).n_megaflows, 0);
    datapath_flush(owner->dp);
    assert_int_equal(owner->n_released, 3);
    assert_int_equal(owner->n_credited_packets, 3);
    stop(owner);
}

static void misses_beyond_the_budget_are_dropped_and_hits_are_not(void **state)
{
    struct owner *owner = start_with((struct datapath_config){.misses_per_second = 100});

    (void)state;
    memset(&owner->mask.tp_src, 0xff, sizeof owner->mask.tp_src);
    for (uint16_t i = 0; i < 1000; i++)
        inject(owner, i);
    assert_in_range(owner->n_translated, 8, 12);
    assert_int_equal(dropped(owner, DROP_MISS_BUDGET), 1000 - owner->n_translated);
    assert_int_equal(stats_of(owner).n_lost, 1000 - owner->n_translated);

    unsigned int n_sent = owner->n_sent;
    inject(owner, 0);
    assert_int_equal(owner->n_sent, n_sent + 1);

    /* A second later there is budget again. */
    unsigned int n_translated = owner->n_translated;
    inject_at(owner, 5000, 2 * SECOND_NS);
    assert_int_equal(owner->n_translated, n_translated + 1);
    stop(owner);
}

static void frames_that_cannot_be_treated_are_counted(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});
    struct frame frame;

    (void)state;
    frame_make_ipv4(&frame, IP_PROTO_TCP, 26);
    datapath_inject(owner->dp, owner->in, frame.bytes, 13, NULL);
    assert_int_equal(dropped(owner, DROP_TOO_SHORT), 1);

    owner->output = 99;
    datapath_inject(owner->dp, owner->in, frame.bytes, frame.size, NULL);
    assert_int_equal(dropped(owner, DROP_NO_PORT), 1);
    assert_int_equal(owner->n_sent, 0);
    stop(owner);
}

static void a_removed_port_takes_no_frames(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});

    (void)state;
    inject(owner, 1);
    datapath_port_remove(owner->dp, owner->out);
    inject(owner, 1);
    assert_int_equal(owner->n_sent, 1);
    assert_int_equal(dropped(owner, DROP_NO_PORT), 1);
    assert_int_equal(add_dummy(owner->dp, "again"), owner->out); /* The lowest free number. */
    stop(owner);
}

static bool note_flow(const struct dp_flow_info *info, void *arg)
{
    struct buffer *text = arg;

    dp_flow_format(text, info, NULL, NULL);
    buffer_putc(text, '\n');
    return true;
}

static void a_dump_is_in_the_notation_of_dpctl(void **state)
{
    struct owner *owner = start_with((struct datapath_config){0});
    struct buffer text = BUFFER_INIT;

    (void)state;
    owner->mask.nw_src = be32_from(UINT32_MAX);
    owner->mask.nw_dst = be32_from(0xffffff00);
    owner->mask.nw_proto = UINT8_MAX;
    owner->mask.nw_frag = UINT8_MAX;
    owner->mask.tp_dst = be16_from(UINT16_MAX);
    inject_at(owner, 1, clock_now_ns());
    datapath_flow_each(owner->dp, note_flow, &text);

    const char *used = strstr(buffer_text(&text), "used:0.");
    assert_non_null(used);
    text.size = (size_t)(used - buffer_text(&text)); /* What follows depends on the time. */
    assert_string_equal(
        buffer_text(&text),
        "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),"
        "ipv4(src=10.0.0.1,dst=10.0.0.0/255.255.255.0,proto=6,frag=no),tcp(dst=80), "
        "packets:1, bytes:80, ");
    buffer_clear(&text);
    datapath_flow_each(owner->dp, note_flow, &text);
    assert_non_null(strstr(buffer_text(&text), "s, flags:P., actions:2\n"));
    buffer_fini(&text);
    stop(owner);
}

static struct dp_action set_word(uint8_t word, const struct flow_key *value,
                                 const struct flow_key *mask)
{
    return (struct dp_action){
        .type = DP_SET,
        .word = word,
        .value = flow_key_words_const(value)[word],
        .mask = flow_key_words_const(mask)[word],
    };
}

static void actions_are_in_the_notation_of_dpctl(void **state)
{
    struct flow_key key = {.eth_type = be16_from(ETH_TYPE_IPV4), .nw_proto = IP_PROTO_TCP};
    struct flow_key value = {.eth_src = FRAME_ALICE, .nw_ttl = 63, .tp_dst = be16_from(8080)};
    struct flow_key mask = {.nw_ttl = UINT8_MAX, .tp_dst = be16_from(UINT16_MAX)};
    struct buffer text = BUFFER_INIT;

    (void)state;
    memset(&mask.eth_src, 0xff, sizeof mask.eth_src);
    const struct dp_action actions[] = {
        set_word(2, &value, &mask),
        set_word(3, &value, &mask),
        set_word(10, &value, &mask),
        set_word(15, &value, &mask),
        {.type = DP_PUSH_VLAN, .arg = (uint32_t)ETH_TYPE_VLAN << 16 | 0x2000 | 5},
        {.type = DP_OUTPUT, .arg = 3},
        {.type = DP_POP_VLAN},
        {.type = DP_TRUNC, .arg = 100},
        {.type = DP_OUTPUT, .arg = 4},
        {.type = DP_DELIVER, .arg = 0},
    };
    dp_actions_format(&text, actions, ARRAY_SIZE(actions), &key, NULL, NULL, NULL);
    assert_string_equal(buffer_text(&text),
                        "set(eth(src=02:00:00:00:00:0a)),set(ipv4(ttl=63)),set(tcp(dst=8080)),"
                        "push_vlan(vid=5,pcp=1),3,pop_vlan,trunc(100),4,userspace(0)");
    buffer_clear(&text);
    dp_actions_format(&text, actions, 0, &key, NULL, NULL, NULL);
    assert_string_equal(buffer_text(&text), "drop");
    buffer_fini(&text);
}

static void many_actions_are_bounded_in_all_entries_together(void **state)
{
    enum { N_ACTIONS = 8000, N_FLOWS = 2 * MEGAFLOW_MAX_ACTIONS / N_ACTIONS };
    struct graveyard graveyard;
    struct verdict *verdict = calloc(1, sizeof *verdict);
    struct flow_key key, mask;
    struct megaflow *flow;

    (void)state;
    graveyard_init(&graveyard, NULL);
    struct megaflow_table *table = megaflow_table_create(200000, &graveyard);
    memset(&key, 0, sizeof key);
    memset(&mask, 0xff, sizeof mask);
    verdict->actions.n = N_ACTIONS;
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        struct megaflow_displaced displaced;

        key.nw_src = be32_from(i);
        flow = megaflow_create(&key, verdict, 1, i + 1);
        if (megaflow_link(table, flow, &mask, &displaced))
            megaflow_put(flow);
        for (unsigned int j = 0; j < displaced.n; j++)
            megaflow_put(displaced.flows[j]);
        assert_true(megaflow_n_flows(table) <= MEGAFLOW_MAX_ACTIONS / N_ACTIONS);
    }
    assert_int_equal(megaflow_n_flows(table), MEGAFLOW_MAX_ACTIONS / N_ACTIONS);

    /* One may be replaced by another, but by none that is too long for what is left. */
    uint32_t index = UINT32_MAX;
    assert_int_equal(megaflow_list(table, &index, &flow, 1), 1);
    struct megaflow *same = megaflow_create(&key, verdict, 1, 1);
    assert_true(megaflow_replace(table, flow, same));
    megaflow_put(flow);
    verdict->actions.n = DP_ACTIONS_MAX;
    struct megaflow *longer = megaflow_create(&key, verdict, 1, 1);
    bool has_room = MEGAFLOW_MAX_ACTIONS % N_ACTIONS >= DP_ACTIONS_MAX - N_ACTIONS;
    assert_int_equal(megaflow_replace(table, same, longer), has_room);
    megaflow_put(has_room ? same : longer);

    for (index = UINT32_MAX; megaflow_list(table, &index, &flow, 1);) {
        megaflow_unlink(table, flow);
        megaflow_put(flow);
    }
    graveyard_clear(&graveyard);
    megaflow_table_destroy(table);
    free(verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_repeats_hit_the_microflow_and_similar_ones_the_megaflow),
        cmocka_unit_test(a_flow_outside_the_mask_is_translated),
        cmocka_unit_test(an_invalid_verdict_is_never_used_again),
        cmocka_unit_test(only_verdicts_of_the_slot_become_invalid),
        cmocka_unit_test(an_invalid_verdict_with_a_new_mask_leaves_no_entry_behind),
        cmocka_unit_test(every_packet_is_credited_once_and_every_context_released),
        cmocka_unit_test(contexts_are_offered_to_later_translations_of_the_batch),
        cmocka_unit_test(an_unused_entry_expires_and_a_used_one_stays),
        cmocka_unit_test(maintenance_walks_stale_entries_again),
        cmocka_unit_test(a_full_cache_evicts),
        cmocka_unit_test(a_crowded_cache_takes_flows_that_go_on),
        cmocka_unit_test(a_cache_full_of_idle_flows_takes_new_ones),
        cmocka_unit_test(limits_can_be_changed_at_any_time),
        cmocka_unit_test(masks_are_bounded),
        cmocka_unit_test(many_actions_are_bounded_in_all_entries_together),
        cmocka_unit_test(cache_off_translates_every_frame),
        cmocka_unit_test(an_uncacheable_verdict_is_used_once),
        cmocka_unit_test(misses_beyond_the_budget_are_dropped_and_hits_are_not),
        cmocka_unit_test(frames_that_cannot_be_treated_are_counted),
        cmocka_unit_test(a_removed_port_takes_no_frames),
        cmocka_unit_test(a_dump_is_in_the_notation_of_dpctl),
        cmocka_unit_test(actions_are_in_the_notation_of_dpctl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
