/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* lookup - the maps of the flow cache, and which entry a key has.  For BPF programs.
 *
 * Threads  Programs run on every processor at once, and in a read-side section of RCU each. */

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "datapath/kernel/layout.h"
#include "datapath/kernel/parse.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct kc_state);
} kc_state SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1); /* Set before loading, likewise the next. */
    __type(key, __u32);
    __type(value, struct kc_entry);
} kc_entries SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct kc_entry6);
} kc_entries6 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, KC_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct kc_port);
} kc_ports SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, KC_N_PROGRAMS);
    __type(key, __u32);
    __type(value, struct kc_program);
} kc_programs SEC(".maps");

/* By interface index modulo its size; an index that another one displaced is looked up among all. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, KC_MAX_DEVICES);
    __type(key, __u32);
    __type(value, struct kc_device);
} kc_devices SEC(".maps");

enum { KC_MIN_TUNNEL_BYTES = 82 }; /* No inner TCP or UDP that has a checksum fits in less. */

/* VXLAN (and its number on Linux), VXLAN-GPE, Geneve, GTP-U; network byte order. */
static __always_inline bool kc_is_tunnel_port(__u16 port)
{
    return port == bpf_htons(4789) || port == bpf_htons(8472) || port == bpf_htons(4790) ||
           port == bpf_htons(6081) || port == bpf_htons(2152);
}

/* Loads that another processor's stores may change in between. */
#define KC_READ_ONCE(word) (*(const volatile __typeof__(word) *)&(word))

static __always_inline struct kc_state *kc_get_state(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&kc_state, &zero);
}

static __always_inline struct kc_entry *kc_entry_at(__u32 index, bool is_ipv6)
{
    return is_ipv6 ? bpf_map_lookup_elem(&kc_entries6, &index)
                   : bpf_map_lookup_elem(&kc_entries, &index);
}

/* The verdict comes first: if it is there, so is the key. */
static __always_inline bool kc_entry_is(struct kc_entry *entry, const struct kc_key *key,
                                        bool is_ipv6, __u64 *verdict)
{
    *verdict = KC_READ_ONCE(entry->verdict);
    if (!*verdict)
        return false;
    barrier();
    __u64 difference = (entry->key[0] ^ key->words[0]) | (entry->key[1] ^ key->words[1]) |
                       (entry->key[2] ^ key->words[2]) | (entry->key[3] ^ key->words[3]);
    if (is_ipv6) {
        const struct kc_entry6 *entry6 = (const void *)entry;

        for (int i = 0; i < 4; i++)
            difference |= entry6->more_key[i] ^ key->words[4 + i];
    }
    return !difference;
}

/* The entry of 'key' with its verdict, or NULL. */
static __always_inline struct kc_entry *
kc_find(const struct kc_state *state, const struct kc_key *key, bool is_ipv6, __u64 *verdict)
{
    struct kc_points points = kc_points_of(state, key->words,
                                           is_ipv6 ? KC_KEY6_WORDS : KC_KEY_WORDS);
    struct kc_entry *entry = kc_entry_at(points.home, is_ipv6);

    if (!entry)
        return NULL;
    if (kc_entry_is(entry, key, is_ipv6, verdict))
        return entry;

    __u64 hints = KC_READ_ONCE(entry->slots) >> KC_HINT_SHIFT;
    if (hints & KC_HINT_NEAR)
        for (__u32 i = 1; i < KC_GROUP; i++) {
            entry = kc_entry_at(points.home ^ i, is_ipv6);
            if (entry && kc_entry_is(entry, key, is_ipv6, verdict))
                return entry;
        }
    if (hints & KC_HINT_FAR)
        for (__u32 i = 0; i < KC_GROUP; i++) {
            entry = kc_entry_at(points.other ^ i, is_ipv6);
            if (entry && kc_entry_is(entry, key, is_ipv6, verdict))
                return entry;
        }
    return NULL;
}

static __always_inline bool kc_slot_is_newer(const struct kc_state *state, __u32 slot, __u64 born)
{
    return KC_READ_ONCE(state->slot_generation[slot & (KC_N_SLOTS - 1)]) > born;
}

/* Is the verdict up to date?  Seldom does anything change that is not asked for here. */
static __always_inline bool kc_is_valid(const struct kc_state *state, const struct kc_entry *entry,
                                        __u64 verdict)
{
    __u64 born = state->base + kc_born(verdict);

    if (KC_READ_ONCE(state->generation) <= born)
        return true;

    __u64 slots = KC_READ_ONCE(entry->slots);
    barrier();
    if (KC_READ_ONCE(entry->verdict) != verdict || kc_slot_is_newer(state, 0, born) ||
        kc_slot_is_newer(state, kc_first_slot(verdict), born))
        return false;
    for (int i = 0; i < KC_SLOTS_IN_WORD; i++)
        if (kc_slot_is_newer(state, slots >> (i * KC_SLOT_BITS), born))
            return false;
    return true;
}

static __always_inline void kc_count(struct kc_entry *entry, __u32 n_bytes)
{
    __sync_fetch_and_add(&entry->n_packets, 1);
    __sync_fetch_and_add(&entry->n_bytes, n_bytes);
}
