/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* continuation - how a frame goes on that controller(pause) has stopped.
 *
 * The switch keeps nothing of such a frame: what is left to do goes to the controller with it, in the property
 * NXPINT_CONTINUATION of an NXT_PACKET_IN2, and comes back in an NXT_RESUME.  Fields that the frame itself does not say
 * (registers, metadata) are told as for any packet_in, and the controller may change them and the frame.  The
 * continuation is not a controller's to read or change: properties laid out as Open vSwitch does, so that
 * ovs-ofctl prints them, then some of our own for instructions, which Open vSwitch loses, and at the end a
 * seal (HMAC) by a key that only this bridge has while it lives.  One that is of another bridge, of
 * another life of this one, or made up, is refused: NXR_STALE.
 *
 * Memory   struct of_continuation is counted, and constant once more than one looks at it.
 * Threads  Counting on any; the rest are plain functions. */

#include <stdatomic.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"

enum {
    OF_CONTINUATION_MAX_STACK = 1024,  /* Values. */
    OF_CONTINUATION_MAX_BYTES = 48000, /* On the wire: more leaves no room for the frame. */
};

/* Properties of the property: */
enum {
    /* Open vSwitch's. */
    NXCPT_BRIDGE = 0x8000,
    NXCPT_STACK = 0x8001,    /* One value; the top comes first. */
    NXCPT_TABLE_ID = 0x8004, /* Of the actions that follow, as the next; only to be printed. */
    NXCPT_COOKIE = 0x8005,
    NXCPT_ACTIONS = 0x8006,
    NXCPT_ACTION_SET = 0x8007,
    NXCPT_ODP_PORT = 0x8008,

    /* Ours. */
    CONTINUATION_INSTRUCTIONS = 0x9000,
    CONTINUATION_METER = 0x9001,
    CONTINUATION_SEAL = 0x9002,
    CONTINUATION_PLACE = 0x9003, /* Table and cookie of all that follows. */
};

struct of_continuation {
    _Atomic(uint32_t) n_references;
    struct buffer stack;      /* Of struct of_value, the top one last. */
    struct buffer action_set; /* Actions in the order in which they were written. */
    struct buffer rests;      /* Of struct of_continuation_rest, each with its actions behind. */
};

/* What is left of a list of actions, of the rule or bucket that stopped first. */
struct of_continuation_rest {
    be64 cookie; /* Of its flow, as packet_ins tell it; all ones: it has none. */
    uint8_t table_id;
    struct ofa_list list;
};

struct of_continuation *of_continuation_create(void); /* One reference, the caller's. */
void of_continuation_ref(struct of_continuation *continuation);
void of_continuation_unref(struct of_continuation *continuation); /* NULL is fine. */

/* Behind what is there already.  False: the actions are too many. */
bool of_continuation_add(struct of_continuation *continuation,
                         const struct of_continuation_rest *rest);

/* The one at 'at', which starts as 0 and goes behind it; false: there is none. */
bool of_continuation_next(const struct of_continuation *continuation, size_t *at,
                          struct of_continuation_rest *rest);

static inline struct ofa_list of_continuation_action_set(const struct of_continuation *continuation)
{
    return (struct ofa_list){
        .first = (const struct ofa *)(const void *)continuation->action_set.data,
        .n_bytes = continuation->action_set.size,
    };
}

/* Whose it is. */
struct of_seal {
    uint8_t bridge[16]; /* A UUID, of this life of the bridge. */
    uint8_t key[32];
};

void of_seal_init(struct of_seal *seal); /* Random. */

/* The body of the property, in words of 'version'.  False, and nothing: it would be too long. */
bool of_continuation_encode(const struct of_continuation *continuation, const struct of_seal *seal,
                            uint32_t dp_port, enum of_version version, struct buffer *out);

/* NXR_STALE: it is not ours.  Other errors cannot be, but for a bug. */
enum of_error of_continuation_decode(const uint8_t *bytes, size_t n_bytes,
                                     const struct of_seal *seal, enum of_version version,
                                     struct of_continuation **continuation);

/* The same for bytes that anybody may have made: the step behind the seal, which trusts nothing either. */
enum of_error of_continuation_parse(const uint8_t *bytes, size_t n_bytes, enum of_version version,
                                    struct of_continuation **continuation);

/* What of it Open vSwitch has, too: a line each, as " continuation.odp_port=2". */
struct of_names;
void of_continuation_format(const uint8_t *bytes, size_t n_bytes, enum of_version version,
                            const struct of_names *names, struct buffer *out);
