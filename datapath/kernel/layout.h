/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* layout - the kernel flow cache in memory: BPF programs read it, userspace writes it through mmap().
 *
 * A flow is one entry: an exact key, what to do, what that depends on, how often it was done.  For IPv4
 * and everything else that is no IPv6 all of it is one cache line, because with 100,000 flows in use the
 * lines fetched for a frame are what a frame costs.  A hash map of the kernel would touch three, on
 * three pages, and takes a system call for each change.
 *
 * A table is an open hash table.  A flow's home is where its hash points; it may also stand in one of
 * the three entries around its home or the four around a second point.  The home's hints say whether any
 * flow was put there, so that a frame of a flow that is not cached costs one line.
 *
 * The verdict word tells all in one load: what to do (0: nothing is here), and since when that is known.
 * An entry is filled from the end: key, slots, then the verdict.  It is emptied by its verdict, and filled
 * with another key only after a grace period, so that whoever compared its key may rely on it.  A
 * verdict of the same key may change at any time; who reads verdict and slots reads the verdict again.
 *
 * Validity is that of the other caches (datapath.h): no slot is newer than the entry.  Entries keep
 * 32 bits of their birth, counted from 'base', which moves when there are none, and no program reads one.
 *
 * Memory order  Userspace stores a slot's generation, then the generation, then answers a barrier.  The
 *               answer reaches whoever sends a frame afterwards through locks of the kernel, so the program that
 *               treats the frame sees both.  Loads and stores of x86 keep their order; others need more.
 * Threads       Writers hold the cache's lock; counters belong to the programs. */

#include <linux/types.h>

#include "datapath/kernel/meter.h"

/* More by one whenever memory that an earlier build has written would be misread: a change of what words mean
 * (also those of keys, which kernel/parse.h makes), rather than of sizes, which are compared anyway. */
enum { KC_LAYOUT_VERSION = 3 };

enum {
    KC_N_SLOTS = 4096,
    KC_MAX_PORTS = 4096,
    KC_MAX_DEVICES =
        1024, /* Hashed by interface index; what collides is looked up in port_slots. */
    KC_N_PROGRAMS = 8192,
    KC_PROGRAM_STEPS = 10,
    KC_STEP_PORTS = 8,
    KC_GROUP = 4, /* Entries around a point. */
};

/* What to do: a port number, or one of these, or a program. */
enum {
    KC_NOTHING = 0,
    KC_DROP = 4095,
    KC_FIRST_PROGRAM = 4096,
    KC_MAX_ACTION = KC_FIRST_PROGRAM + KC_N_PROGRAMS - 1,
};

enum {
    KC_ACTION_BITS = 20,
    KC_SLOT_BITS = 12,
    KC_SLOTS_IN_WORD = 5,
    KC_MAX_SLOTS = KC_SLOTS_IN_WORD + 1, /* Besides slot 0, on which all depend. */
    KC_HINT_SHIFT = 60,
    KC_HINT_NEAR = 1, /* A flow at home here stands around. */
    KC_HINT_FAR = 2,  /* ... around its second point. */
};

/* Words of a key:
 *   0  first 8 bytes of the frame
 *   1  the rest of the source address, type, slot of the port it came in by
 *   2  IPv4 addresses; flow label of IPv6
 *   3  ports or ICMP type and code, tag (with VLAN_CFI if there is one), protocol, type of service
 *   4  IPv6 addresses */
enum { KC_KEY_WORDS = 4, KC_KEY6_WORDS = 8 };

struct kc_key {
    __u64 words[KC_KEY6_WORDS];
    __u32 n_words;
};

struct kc_entry {
    __u64 verdict;
    __u64 slots; /* Five slots; hints for lookups that begin here. */
    __u64 n_packets, n_bytes;
    __u64 key[KC_KEY_WORDS];
};

struct kc_entry6 {
    struct kc_entry head;
    __u64 more_key[KC_KEY6_WORDS - KC_KEY_WORDS];
    __u64 spare[4];
};

static inline __attribute__((always_inline)) __u32 kc_action(__u64 verdict)
{
    return verdict & ((1u << KC_ACTION_BITS) - 1);
}

static inline __attribute__((always_inline)) __u32 kc_first_slot(__u64 verdict)
{
    return (verdict >> KC_ACTION_BITS) & (KC_N_SLOTS - 1);
}

static inline __attribute__((always_inline)) __u32 kc_born(__u64 verdict)
{
    return verdict >> 32;
}

/* Where a flow may stand. */
struct kc_points {
    __u32 home, other;
};

struct kc_state {
    __u64 generation;
    __u64 base;
    __u64 hash_keys[5]; /* Odd and random. */
    __u32 max_index;    /* Entries less one; a power of two, less one. */
    __u32 max_index6;
    __u64 slot_generation[KC_N_SLOTS];
};

static inline __attribute__((always_inline)) struct kc_points
kc_points_of(const struct kc_state *state, const __u64 *key, __u32 n_words)
{
    __u64 hash = 0;

    /* Multiply-shift: what a word says ends in the high bits. */
    for (__u32 i = 0; i < KC_KEY_WORDS; i++)
        hash += key[i] * state->hash_keys[i];
    hash ^= hash >> 32;
    if (n_words > KC_KEY_WORDS)
        for (__u32 i = KC_KEY_WORDS; i < KC_KEY6_WORDS; i++) {
            hash = (hash + key[i]) * state->hash_keys[i - KC_KEY_WORDS];
            hash ^= hash >> 32;
        }
    hash *= state->hash_keys[4];
    hash ^= hash >> 29;

    __u32 max_index = n_words > KC_KEY_WORDS ? state->max_index6 : state->max_index;
    return (struct kc_points){
        .home = (__u32)(hash >> 32) & max_index,
        .other = (__u32)hash & max_index,
    };
}

/* Where frames go; by port number. */
struct kc_port {
    __u32 ifindex;        /* 0: only userspace can send there. */
    __u32 redirect_flags; /* Of bpf_redirect(). */
    __u32 max_bytes;      /* Of a frame that is not to be segmented, its tag aside. */
    __u32 has_peer;       /* It is a veth whose other end is in another namespace ... */
    __u64 peer_mac;       /* ... and has this address (in the low bits, as loaded). */
    __u64 takes_xdp;      /* Frames may be sent there by XDP. */
};

/* Where frames come from; by interface index. */
struct kc_device {
    __u32 ifindex;   /* 0: none. */
    __u16 slot;      /* Of the port. */
    __u16 is_off;    /* All of its frames go to userspace. */
    __u64 n_lost;    /* Frames that could not be handed to userspace. */
    __u64 n_unsent;  /* Copies that could not be sent. */
    __u64 n_metered; /* Frames that were too many for a meter. */
};

/* A longer verdict, shared by all flows that have it.  Its steps are executed if the frame passes the
 * checks of what the key does not hold; otherwise userspace knows. */
enum kc_op {
    KC_OUTPUT,    /* To 'n' ports. */
    KC_SET,       /* As DP_SET. */
    KC_PUSH_VLAN, /* 'arg' is TPID << 16 | TCI. */
    KC_POP_VLAN,
    KC_CUT, /* To 'arg' bytes, for the port of the step behind it, which is the last. */
    KC_METER, /* The one at place 'arg' of kc_meters; a frame that it drops misses all that is behind. */
};

struct kc_step {
    __u8 op;
    __u8 word;       /* KC_SET. */
    __u8 n;          /* KC_OUTPUT. */
    __u8 is_counted; /* KC_METER: no other one is behind it. */
    __u32 arg;
    union {
        struct {
            __u64 value, mask;
        };
        __u16 ports[KC_STEP_PORTS];
    };
};

struct kc_program {
    __u8 n_steps;
    __u8 ttl, ttl_mask;
    __u8 sends_once;                 /* To one port, in its last step. */
    __u16 tcp_flags, tcp_flags_mask; /* Network byte order. */
    struct kc_step steps[KC_PROGRAM_STEPS];

    /* Not part of what the program says. */
    __u64 n_cut_bytes;                      /* Sent of frames that were cut. */
    __u64 n_passed_packets, n_passed_bytes; /* By all meters; as the frames were there. */
};

#define KC_PROGRAM_SAID_BYTES __builtin_offsetof(struct kc_program, n_cut_bytes)
