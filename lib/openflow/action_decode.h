/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_decode - what the decoders of actions share.
 *
 * A table says which actions exist in which version and how long they are; a function per action takes
 * its body, which has that length.  OpenFlow's own stand in action_decode.c, Nicira's in
 * action_decode_nx.c.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/wire.h"

enum { ACTION_MAX_NESTING = 16 }; /* clone() in clone(); beyond it an action is refused. */

struct action_context {
    enum of_version version;
    unsigned nesting;
};

struct action_row {
    uint8_t first_version, last_version;
    uint16_t type;
    uint16_t least_bytes; /* Of the whole action. */
    bool is_longer;       /* May be longer than that. */

    /* 'body' is what follows type and length, or a vendor action's subtype.  NULL: clone() or ct(),
     * which hold other actions. */
    enum of_error (*decode)(const uint8_t *body, size_t n_bytes, struct buffer *list);
};

extern const struct action_row action_nx_rows[];
extern const size_t action_n_nx_rows;

enum of_error action_decode_list(const void *bytes, size_t n_bytes,
                                 const struct action_context *context, struct buffer *out);

/* 'body' is what follows the subtype of a clone(). */
enum of_error action_decode_clone(const uint8_t *body, size_t n_bytes,
                                  const struct action_context *context, struct buffer *list);

/* A set_field or load from its NXM or OXM entry, which fills 'wire' up to padding. */
enum of_error action_decode_set(struct wire wire, bool may_mask, enum ofa_form form,
                                struct buffer *list);
enum of_error action_decode_dec_ttl(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error action_decode_group(const uint8_t *body, size_t n_bytes, struct buffer *list);
void action_put_metadata(const uint8_t *value,
                         struct buffer *list); /* And mask, of 8 bytes each. */

/* 'body' has the number of bits and where they begin, 'headers' the two fields. */
enum of_error action_put_move(const uint8_t *body, const uint8_t *headers, struct buffer *list);

/* The part of a field that 'first << 6 | n_bits - 1' and an NXM header, or a header alone, name. */
enum of_error action_decode_part(uint32_t header, unsigned first, unsigned n_bits,
                                 struct of_subfield *part);
