/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* learn - the action that adds a flow made from the frame it sees (Nicira).
 *
 * Each of its specifications puts bits, of the frame or given with the action, into the new flow:
 * into its match, or as an action that loads them into a field or outputs to the port they name.
 *
 * Threads  Plain functions. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/names.h"
#include "lib/openflow/errors.h"

struct buffer;
struct of_flow_mod;

enum ofa_learn_kind { OFA_LEARN_MATCH, OFA_LEARN_LOAD, OFA_LEARN_OUTPUT };

enum ofa_learn_flags {
    OFA_LEARN_SEND_FLOW_REM = 1 << 0,
    OFA_LEARN_DELETE_LEARNED = 1 << 1, /* When the flow goes, so does what it has taught. */
    OFA_LEARN_WRITE_RESULT = 1 << 2,   /* 'result' has a place. */
};

struct ofa_learn_spec {
    uint8_t kind;                /* enum ofa_learn_kind. */
    struct ofa_part source;      /* n_bits 0: 'value'. */
    struct ofa_part destination; /* Unless OFA_LEARN_OUTPUT. */
    struct of_value value;       /* Right-aligned in all 16 bytes. */
};

struct ofa_learn {
    struct ofa ofa;
    uint8_t table_id;
    uint8_t flags; /* enum ofa_learn_flags. */
    uint16_t idle_timeout_s, hard_timeout_s;
    uint16_t fin_idle_s, fin_hard_s;
    uint16_t priority;
    uint32_t limit;         /* Flows with this cookie in the table; 0: any number. */
    struct ofa_part result; /* One bit: has a flow been learned, or is the limit reached? */
    uint16_t n_specs;
    be64 cookie;
    struct ofa_learn_spec specs[];
};
static_assert(sizeof(struct ofa_learn) % 8 == 0, "specifications follow at once");

enum of_error ofa_decode_learn(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_learn2(const uint8_t *body, size_t n_bytes, struct buffer *list);
void ofa_encode_learn(const struct ofa_learn *learn, struct buffer *out); /* The whole action. */

/* Do the frame's fields exist for flows of 'match', and the new flow's for the match it will have? */
enum of_error ofa_check_learn(const struct ofa_learn *learn, const struct match *match);

/* "table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],...", which is changed; appends the action. */
int ofa_parse_learn(char *text, const struct of_names *names, struct buffer *list,
                    struct error *error);
void ofa_format_learn(const struct ofa_learn *learn, const struct of_names *names,
                      struct buffer *out);

/* The flow that 'flow' teaches; adds the bits that were read to 'consulted'.  'actions' holds the new
 * flow's actions, which 'mod' refers to: see of_flow_mod_init(). */
void ofa_learn_execute(const struct ofa_learn *learn, const struct flow *flow,
                       struct flow *consulted, struct of_flow_mod *mod);
