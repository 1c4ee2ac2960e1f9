/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_mpls - the actions on MPLS labels, on the wire and as text.
 *
 * OpenFlow 1.1 has them; 1.0 borrows Nicira's, which have the same arguments.
 *
 * Threads  Plain functions. */

#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"

struct ofa_mpls *ofa_put_mpls(struct buffer *list, enum ofa_type type, uint32_t value);

/* The greatest value that an action of 'type' takes. */
uint32_t ofa_mpls_max(enum ofa_type type);

/* 'body' is what follows the action's header, Nicira's or OpenFlow's.  A label stands two bytes further in
 * Nicira's. */
enum of_error ofa_decode_push_mpls(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_pop_mpls(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_mpls_label(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_mpls_label_nx(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_mpls_tc(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_mpls_ttl(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_dec_mpls_ttl(const uint8_t *body, size_t n_bytes, struct buffer *list);

void ofa_encode_mpls(const struct ofa *ofa, enum of_version version, struct buffer *out);
void ofa_format_mpls(const struct ofa *ofa, struct buffer *out);
