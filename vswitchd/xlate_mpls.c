/* SPDX-License-Identifier: Apache-2.0 */

/* Labels are pushed and popped at once, not when an output follows: what a pop lays bare has to be parsed,
 * from the frame as it is then.  Open vSwitch sends such frames through its datapath again; here their
 * translation just goes on, but as no cache's key has what it then looks at, its verdict is for one frame. */

#include <stdlib.h>
#include <string.h>

#include "datapath/rewrite.h"
#include "vswitchd/xlate_internal.h"

enum {
    LSE_BOS = 1 << 8, /* Bottom of stack (RFC 3032, section 2.1). */
    LSE_TC_SHIFT = 9,
    LSE_LABEL_SHIFT = 12,
    DEFAULT_TTL = 64,
    LABEL_IPV4_NULL = 0,
    LABEL_IPV6_NULL = 2,
};

static bool is_mpls(uint16_t type)
{
    return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MULTICAST;
}

static bool has_labels(const struct xlate *x)
{
    return is_mpls(be16_host(x->now.flow.key.eth_type));
}

static size_t count_labels(struct xlate *x)
{
    const be32 *lse = x->now.flow.key.mpls_lse;
    size_t n = 0;

    if (!has_labels(x))
        return 0;
    for (size_t i = 0; i < FLOW_N_MPLS; i++) {
        x->looked.key.mpls_lse[i].raw |= be32_from(LSE_BOS).raw;
        if (be32_host(lse[i]) & LSE_BOS)
            return i + 1;
        x->looked.key.mpls_lse[i] = be32_from(UINT32_MAX);
        n += lse[i].raw != 0; /* One that is cut off is not there. */
    }
    return n;
}

/* In front of labels there may be tags, also some that the tables do not see. */
static uint8_t count_tags(struct xlate *x)
{
    uint8_t n = x->now.below.n;

    for (size_t i = 0; i < FLOW_N_VLANS; i++) {
        x->looked.key.vlan[i].tci.raw |= be16_from(VLAN_CFI).raw;
        n += !!(be16_host(x->now.flow.key.vlan[i].tci) & VLAN_CFI);
    }
    return n;
}

/* Makes every bit of the labels, and the type in front of them, known and the same for the datapath. */
static void settle_labels(struct xlate *x)
{
    memset(x->looked.key.mpls_lse, 0xff, sizeof x->looked.key.mpls_lse);
    xlate_settle(x);
    memset(x->now.written.key.mpls_lse, 0xff, sizeof x->now.written.key.mpls_lse);
    memset(x->base_written.mpls_lse, 0xff, sizeof x->base_written.mpls_lse);
    x->now.written.key.eth_type = x->base_written.eth_type = be16_from(UINT16_MAX);
}

/* The frame is from now on as 'labels' say. */
static void put_labels(struct xlate *x, const be32 labels[static FLOW_N_MPLS], uint16_t type)
{
    memcpy(x->now.flow.key.mpls_lse, labels, sizeof x->base.mpls_lse);
    memcpy(x->base.mpls_lse, labels, sizeof x->base.mpls_lse);
    x->now.flow.key.eth_type = x->base.eth_type = be16_from(type);
}

/* Headers behind the type: those of 'key', whose bits are known or not. */
static void put_inner(struct xlate *x, const struct flow_key *key, bool is_known)
{
    for (size_t word = 0; word < FLOW_KEY_WORDS; word++) {
        if (!xlate_is_inner_word(word))
            continue;
        flow_words(&x->now.flow)[word] = flow_key_words_const(key)[word];
        flow_key_words(&x->base)[word] = flow_key_words_const(key)[word];
        flow_words(&x->now.written)[word] = is_known ? UINT64_MAX : 0;
        flow_key_words(&x->base_written)[word] = is_known ? UINT64_MAX : 0;
    }
    x->now.is_inner = !is_known;
}

/* Tables see the labels of a frame that has some, and nothing behind. */
static void hide_inner(struct xlate *x)
{
    static const struct flow_key nothing;

    put_inner(x, &nothing, true);
}

/* What the verdict so far makes of the frame, but for what it does to clones that are done with. */
static void replay(const struct xlate *x, struct packet *packet, struct flow_key *key)
{
    const struct dp_actions *actions = &x->verdict->actions;
    unsigned int n_saved = 0;

    for (uint32_t i = 0; i < actions->n; i++) {
        const struct dp_action *action = &actions->list[i];

        if (action->type == DP_SAVE)
            n_saved++;
        else if (action->type == DP_RESTORE)
            n_saved--;
        else if (!n_saved)
            rewrite_execute(packet, key, action);
    }
}

/* Of a tag that a label was in front of, and of an 802.2 frame, tables see no more than that. */
static bool has_inner(uint16_t type)
{
    return type >= ETH_TYPE_MIN && type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ;
}

static void parse_inner(struct xlate *x, uint16_t type)
{
    struct flow_key key = {.in_port = {0}};
    struct packet copy;

    if (!has_inner(type)) {
        hide_inner(x);
        return;
    }
    if (!x->packet || !x->packet->size) {
        put_inner(x, &key, false);
        return;
    }
    uint32_t capacity = PACKET_HEADROOM + x->packet->size;
    void *memory = malloc(capacity);
    if (!memory) {
        xlate_fail(x, DROP_NO_MEMORY);
        return;
    }
    packet_init(&copy, memory, capacity);
    copy.size = x->packet->size;
    copy.vnet = x->packet->vnet;
    memcpy(copy.data, x->packet->data, copy.size);
    flow_extract(&copy, be32_from(0), &key);
    replay(x, &copy, &key);
    free(memory);
    put_inner(x, &key, false);
}

static uint32_t first_label(struct xlate *x)
{
    const struct flow_key *key = &x->now.flow.key;
    uint32_t label = LABEL_IPV4_NULL, tc = 0, ttl = DEFAULT_TTL;

    if (be16_host(key->eth_type) == ETH_TYPE_IPV6)
        label = LABEL_IPV6_NULL;
    if (flow_is_ip(key)) {
        x->looked.key.nw_tos |= IP_DSCP_MASK;
        x->looked.key.nw_ttl = UINT8_MAX;
        tc = key->nw_tos >> 2 & 7;
        ttl = key->nw_ttl ? key->nw_ttl : DEFAULT_TTL;
    }
    return label << LSE_LABEL_SHIFT | tc << LSE_TC_SHIFT | LSE_BOS | ttl;
}

void xlate_push_mpls(struct xlate *x, uint16_t type)
{
    size_t n = count_labels(x);
    be32 labels[FLOW_N_MPLS];

    if (n == FLOW_N_MPLS) {
        xlate_fail(x, DROP_TOO_MANY_LABELS);
        return;
    }
    uint8_t n_tags = count_tags(x);
    uint32_t lse = n ? be32_host(x->now.flow.key.mpls_lse[0]) & ~(uint32_t)LSE_BOS : first_label(x);
    xlate_commit(x);
    settle_labels(x);
    memcpy(labels + 1, x->now.flow.key.mpls_lse, sizeof labels - sizeof labels[0]);
    labels[0] = be32_from(lse);
    if (!n) {
        memset(labels + 1, 0, sizeof labels - sizeof labels[0]);
        hide_inner(x);
    }
    put_labels(x, labels, type);
    x->n_changes++;
    xlate_emit(x, &(struct dp_action){
                      .type = DP_PUSH_MPLS,
                      .word = n_tags,
                      .arg = lse,
                      .value = type,
                  });
}

void xlate_pop_mpls(struct xlate *x, uint16_t type)
{
    size_t n = count_labels(x);
    be32 labels[FLOW_N_MPLS] = {{0}};

    if (!n)
        return;
    if (!(be32_host(x->now.flow.key.mpls_lse[n - 1]) & LSE_BOS) && n == FLOW_N_MPLS) {
        xlate_fail(x, DROP_TOO_MANY_LABELS); /* What would be the third is not known. */
        return;
    }
    uint8_t n_tags = count_tags(x);
    xlate_commit(x);
    settle_labels(x);
    memcpy(labels, x->now.flow.key.mpls_lse + 1, sizeof labels - sizeof labels[0]);
    x->n_changes++;
    xlate_emit(x, &(struct dp_action){.type = DP_POP_MPLS, .word = n_tags, .arg = type});
    if (!is_mpls(type)) {
        memset(labels, 0, sizeof labels);
        parse_inner(x, type);
    }
    put_labels(x, labels, type);
}

static void write_label_bits(struct xlate *x, uint32_t bits, uint32_t value)
{
    be32 *lse = &x->now.flow.key.mpls_lse[0];

    xlate_settle(x);
    lse->raw = (lse->raw & ~be32_from(bits).raw) | (be32_from(value).raw & be32_from(bits).raw);
    x->now.written.key.mpls_lse[0].raw |= be32_from(bits).raw;
}

void xlate_set_mpls(struct xlate *x, const struct ofa_mpls *action)
{
    if (!has_labels(x))
        return;
    if (action->ofa.type == OFA_SET_MPLS_LABEL)
        write_label_bits(x, UINT32_MAX << LSE_LABEL_SHIFT, action->value << LSE_LABEL_SHIFT);
    else if (action->ofa.type == OFA_SET_MPLS_TC)
        write_label_bits(x, 7U << LSE_TC_SHIFT, action->value << LSE_TC_SHIFT);
    else
        write_label_bits(x, UINT8_MAX, action->value);
}

bool xlate_dec_mpls_ttl(struct xlate *x)
{
    uint32_t ttl = be32_host(x->now.flow.key.mpls_lse[0]) & UINT8_MAX;

    if (has_labels(x)) {
        x->looked.key.mpls_lse[0].raw |= be32_from(UINT8_MAX).raw;
        if (ttl > 1) {
            write_label_bits(x, UINT8_MAX, ttl - 1);
            return true;
        }
        xlate_to_controller(x, 0, OFPR_INVALID_TTL);
    }
    xlate_warn(x, "MPLS decrement TTL exception");
    x->reason = DROP_BAD_TTL;
    return false;
}

/* Regions */

void xlate_begin_region(const struct xlate *x, struct xlate_region *region)
{
    region->n_actions = x->verdict->actions.n;
    region->n_changes = x->n_changes;
    region->base = x->base;
    region->base_written = x->base_written;
    region->base_below = x->base_below;
}

static void bound_meters(struct dp_actions *actions, uint32_t first)
{
    for (uint32_t i = first; i < actions->n; i++)
        if (actions->list[i].type == DP_METER && actions->list[i].value == XLATE_MISSES_ALL)
            actions->list[i].value = actions->n - 1 - i;
}

/* Other headers are set back when an output needs it; labels are not, nor would be what a meter has prevented. */
void xlate_end_region(struct xlate *x, const struct xlate_region *region)
{
    struct dp_actions *actions = &x->verdict->actions;
    struct dp_action *first = &actions->list[region->n_actions];

    if (x->n_changes == region->n_changes || x->has_failed)
        return;
    if (actions->n >= DP_ACTIONS_MAX - 2) {
        xlate_fail(x, DROP_TOO_MANY_ACTIONS);
        return;
    }
    memmove(first + 1, first, (actions->n - region->n_actions) * sizeof *first);
    actions->n++;
    *first = (struct dp_action){.type = DP_SAVE};
    bound_meters(actions, region->n_actions + 1);
    xlate_emit(x, &(struct dp_action){.type = DP_RESTORE});
    x->base = region->base;
    x->base_written = region->base_written;
    x->base_below = region->base_below;
}
