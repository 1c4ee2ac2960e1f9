/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_ct - ct(...), nat(...) in it, and ct_clear: on the wire and as text.
 *
 * There is no connection tracking yet: flows with ct() are refused behind the checks of form, by
 * ofa_check_references().  ct_clear does nothing, as nothing was tracked.
 *
 * Threads  Plain functions. */

#include "lib/openflow/action_decode.h"
#include "lib/openflow/action_parse.h"

/* 'body' is what follows the subtype. */
enum of_error ofa_decode_ct(const uint8_t *body, size_t n_bytes,
                            const struct action_context *context, struct buffer *list);
enum of_error ofa_decode_nat(const uint8_t *body, size_t n_bytes, struct buffer *list);

void ofa_encode_ct(const struct ofa_ct *ct, enum of_version version, struct buffer *out);
void ofa_encode_nat(const struct ofa_nat *nat, struct buffer *out);

parse_function ofa_parse_ct;
parse_function ofa_parse_nat; /* An error outside of ct(). */

void ofa_format_nat(const struct ofa_nat *nat, struct buffer *out);
void ofa_format_ct(const struct ofa_ct *ct, const struct of_names *names, struct buffer *out);
