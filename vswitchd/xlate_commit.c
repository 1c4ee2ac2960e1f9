/* SPDX-License-Identifier: Apache-2.0 */

/* Brings what the datapath has made of the frame up to what the tables have made of it. */

#include <string.h>

#include "vswitchd/xlate_internal.h"

enum { VLAN_WORD = FLOW_KEY_WORD(vlan), FIRST_HEADER_WORD = FLOW_KEY_WORD(eth_dst) };

void xlate_emit(struct xlate *x, const struct dp_action *action)
{
    struct dp_actions *actions = &x->verdict->actions;

    if (x->has_failed)
        return;
    if (actions->n == DP_ACTIONS_MAX - 1) { /* One is kept for DP_DROP. */
        xlate_fail(x, DROP_TOO_MANY_ACTIONS);
        return;
    }
    actions->list[actions->n++] = *action;
}

enum { MAX_TAGS = XLATE_MAX_BELOW + FLOW_N_VLANS };

/* All known tags, innermost first. */
static size_t list_tags(const struct tags_below *below, const struct flow_key *key,
                        struct flow_vlan tags[static MAX_TAGS])
{
    size_t n = below->n;

    memcpy(tags, below->tags, n * sizeof tags[0]);
    for (size_t i = FLOW_N_VLANS; i-- > 0;) {
        if (be16_host(key->vlan[i].tci) & VLAN_CFI)
            tags[n++] = key->vlan[i];
    }
    return n;
}

static bool tag_is_equal(const struct flow_vlan *a, const struct flow_vlan *b)
{
    return a->tpid.raw == b->tpid.raw && a->tci.raw == b->tci.raw;
}

static void emit_push(struct xlate *x, const struct flow_vlan *tag)
{
    struct dp_action push = {
        .type = DP_PUSH_VLAN,
        .arg = (uint32_t)be16_host(tag->tpid) << 16 | be16_host(tag->tci),
    };

    xlate_emit(x, &push);
}

/* Pops and pushes what differs, but leaves a mere change in the outer tag to a DP_SET. */
static void commit_tags(struct xlate *x)
{
    struct flow_vlan base[MAX_TAGS], now[MAX_TAGS];
    size_t n_base, n_now, n_same = 0;

    if (!x->is_retagged)
        return;
    flow_key_words(&x->verdict->mask)[VLAN_WORD] |= ~flow_key_words(&x->base_written)[VLAN_WORD];
    n_base = list_tags(&x->base_below, &x->base, base);
    n_now = list_tags(&x->now.below, &x->now.flow.key, now);
    while (n_same < n_base && n_same < n_now && tag_is_equal(&base[n_same], &now[n_same]))
        n_same++;
    if (n_base == n_now &&
        (n_same == n_now || (n_same == n_now - 1 && base[n_same].tpid.raw == now[n_same].tpid.raw)))
        return;

    for (size_t i = n_same; i < n_base; i++)
        xlate_emit(x, &(struct dp_action){.type = DP_POP_VLAN});
    for (size_t i = n_same; i < n_now; i++)
        emit_push(x, &now[i]);
    memcpy(x->base.vlan, x->now.flow.key.vlan, sizeof x->base.vlan);
    memset(x->base_written.vlan, 0xff, sizeof x->base_written.vlan);
    x->base_below = x->now.below;
}

/* The bits of the VLAN word that a DP_SET may change: VID and PCP of a tag that is there. */
static uint64_t settable_tag_bits(const struct xlate *x)
{
    struct flow_key bits;

    if (!(be16_host(x->base.vlan[0].tci) & VLAN_CFI))
        return 0;
    memset(&bits, 0, sizeof bits);
    bits.vlan[0].tci = be16_from(VLAN_VID_MASK | VLAN_PCP_MASK);
    return flow_key_words_const(&bits)[VLAN_WORD];
}

/* 'wanted' bits of the bytes in which 'differs' has any: a header changes by whole bytes. */
static uint64_t widen_to_bytes(uint64_t differs, uint64_t wanted)
{
    uint64_t bytes = 0;

    for (unsigned int shift = 0; shift < 64; shift += 8) {
        if (differs >> shift & 0xff)
            bytes |= UINT64_C(0xff) << shift;
    }
    return wanted & bytes;
}

/* The bits 'which' of a word. */
static void commit_bits(struct xlate *x, size_t word, uint64_t which)
{
    uint64_t *base = &flow_key_words(&x->base)[word];
    uint64_t *base_written = &flow_key_words(&x->base_written)[word];
    uint64_t *mask = &flow_key_words(&x->verdict->mask)[word];
    uint64_t now = flow_words(&x->now.flow)[word];
    uint64_t written = flow_words(&x->now.written)[word];
    uint64_t wanted = (written | *base_written) & which;

    if (word == VLAN_WORD)
        wanted &= settable_tag_bits(x);
    if (!wanted)
        return;

    uint64_t is_known = *base_written;
    if (x->now.is_inner && xlate_is_inner_word(word)) {
        x->verdict->cacheable &= !(wanted & ~written);
    } else {
        *mask |= wanted & ~written; /* Bits to restore to what they came as must be known. */
        is_known |= *mask;
    }
    uint64_t bits = widen_to_bytes(wanted & (~is_known | (*base ^ now)), wanted);
    if (!bits)
        return;
    struct dp_action set = {
        .type = DP_SET,
        .word = (uint8_t)word,
        .value = now & bits,
        .mask = bits,
    };
    xlate_emit(x, &set);
    *base = (*base & ~bits) | (now & bits);
    *base_written |= bits;
}

/* The type of an option of neighbour discovery says which address it holds: it changes before that does. */
static void commit_nd_options_type(struct xlate *x)
{
    static const struct flow_key bits = {.nd_options_type = UINT8_MAX};
    enum { WORD = FLOW_KEY_WORD(nd_options_type) };

    commit_bits(x, WORD, flow_key_words_const(&bits)[WORD]);
}

void xlate_commit(struct xlate *x)
{
    xlate_settle(x);
    commit_tags(x);
    commit_nd_options_type(x);
    for (size_t word = FIRST_HEADER_WORD; word < FLOW_KEY_WORDS; word++)
        if (flow_words(&x->now.written)[word] | flow_key_words(&x->base_written)[word])
            commit_bits(x, word, UINT64_MAX);
}
