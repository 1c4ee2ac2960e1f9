/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* xlate_internal - one translation under way, shared by the files xlate*.c and nobody else.
 *
 * Three pictures of the frame are kept.  'now' is what the actions have made of it so far, 'base'
 * what the datapath actions in the verdict make of it, and the key given is what it was.  An output first
 * brings 'base' up to 'now' (xlate_commit()).
 *
 * A bit of 'now' is known without looking at the frame if 'now.written' has it.  Whoever reads other
 * bits adds them to 'looked'; xlate_settle() moves what of it is not known into the verdict's mask, and
 * must come before 'now.written' changes.  A bit of 'base' is known if 'base_written' or the verdict's
 * mask has it.
 *
 * Threads  A translation belongs to one thread.
 * Memory   Lives on the stack of xlate_frame() or xlate_packet_out(). */

#include "lib/annotations.h"
#include "lib/openflow/continuation.h"
#include "lib/openflow/learn.h"
#include "vswitchd/group_table.h"
#include "vswitchd/lessons.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/packet_in.h"
#include "vswitchd/xlate.h"

enum {
    XLATE_MAX_BELOW = 6,        /* Tags under the two that a flow holds. */
    XLATE_MAX_ACTION_SET = 512, /* Actions written in, or executed by, all bridges a frame is in. */
    XLATE_NOTES_INLINE = 64,
    XLATE_MAX_STACK = OF_CONTINUATION_MAX_STACK,
    XLATE_MAX_BUCKETS = DP_ACTIONS_MAX, /* That a frame goes through, in all groups. */
    XLATE_MAX_CONTEXT = 16 << 10, /* Bytes that caches keep of what a verdict leaves behind. */
};

/* Tags that pushes have moved out of the flow's sight, deepest first. */
struct tags_below {
    uint8_t n;
    struct flow_vlan tags[XLATE_MAX_BELOW];
};

/* What a patch port's far side may do to the frame without this side noticing. */
struct xlate_state {
    struct flow flow;
    struct flow written;
    struct tags_below below;
    bool is_inner;        /* L3 and what follows stood behind labels: no cache's key has it. */
    uint32_t trunc_bytes; /* Outputs send no more; 0: all. */
};

/* What to credit when the verdict is used. */
enum xlate_note_type {
    NOTE_RULE,
    NOTE_TABLE,
    NOTE_STATION,
    NOTE_PATCH_RX,
    NOTE_PATCH_TX,
    NOTE_LESSON,
    NOTE_GROUP,
    NOTE_METER,
};

struct xlate_note {
    enum xlate_note_type type;
    union {
        struct rule *rule;              /* A reference, once in a context. */
        struct meter *meter;            /* Likewise. */
        struct port_counters *counters; /* Likewise. */
        struct lesson *lesson;          /* A reference, always: the record's, then the context's. */
        struct {
            struct group *group; /* A reference, once in a context. */
            int bucket;          /* In the group's list, or GROUP_ALL_BUCKETS. */
        } group;
        struct {
            struct flow_tables *tables;
            uint8_t table_id;
            bool is_match;
        } table;
        struct {
            struct fdb *fdb;
            struct mac mac;
            uint16_t vid;
            of_port port;
        } station;
    };
};

/* The stack while something is tried that must leave it as it is. */
struct xlate_stack {
    size_t n;
    struct of_value *values; /* Owned; NULL: none. */
};

/* A DP_DELIVER: 'arg' is its index. */
struct xlate_delivery {
    struct xlate_delivery *next;
    struct packet_in_queue *queue;
    struct packet_in header;
};

struct xlate_record {
    size_t n_notes, capacity;
    struct xlate_note *notes; /* 'inline_notes', or malloc()ed. */
    size_t n_deliveries;
    struct xlate_delivery *deliveries; /* Owned; the last one first. */
    size_t delivery_bytes;
    struct xlate_note inline_notes[XLATE_NOTES_INLINE];
};

struct xlate {
    const struct topology *topology;
    struct xlate_tracer *tracer; /* NULL: nobody asks. */
    struct trace_node *trace;    /* Where the next step is told; NULL: nowhere. */
    bool may_learn;
    struct verdict *verdict;
    int64_t now_ns;
    const struct packet *packet; /* NULL: only its flow is known. */

    struct xlate_state now;
    struct flow looked;
    struct flow_key base;
    struct flow_key base_written;
    struct tags_below base_below;
    unsigned int
        n_changes; /* In the verdict, that cannot be set back: labels, and what meters prevent. */
    bool is_retagged; /* A tag was pushed or popped: every bit of the tags is known. */

    /* Where the frame is. */
    struct bridge_view *bridge;
    uint64_t version;
    const struct rule *rule; /* NULL: none, a packet-out's actions. */
    be64 cookie;             /* Without a rule: of what is executed, or all ones. */
    uint8_t table_id;
    unsigned int depth;
    unsigned int n_resubmits;
    unsigned int n_buckets; /* Of groups, passed so far. */
    size_t n_steps;         /* Actions executed, members and buckets looked at. */

    /* Why a controller is sent the frame by an output to it. */
    bool is_packet_out, is_in_bucket, is_in_action_set;

    /* This bridge's are from 'action_set_first' on. */
    const struct ofa *action_set[XLATE_MAX_ACTION_SET];
    size_t action_set_first, n_action_set;

    struct of_value *stack; /* Owned: XLATE_MAX_STACK values, right-aligned; NULL: never used. */
    size_t n_stack;

    /* controller(pause) has stopped this walk: lists that it leaves are kept. */
    const struct ofa_controller *pause;   /* NULL: it has not. */
    struct of_continuation *continuation; /* Then a reference. */

    bool has_exited; /* "exit": nothing more is done in this bridge. */
    bool has_failed;
    enum drop_reason failure; /* Why it has. */
    enum drop_reason reason;  /* Why there is no output, should there be none. */
    struct xlate_record record;
};

/* What packet_ins give as the cookie of what is executed. */
static inline be64 xlate_cookie(const struct xlate *x)
{
    return x->rule ? rule_cookie(x->rule) : x->cookie;
}

/* xlate.c: limits and bridges */

/* False: the frame has cost enough, or has failed before. */
bool xlate_may_spend(struct xlate *x, size_t n_steps);

/* False: too deep or too many, and the translation has failed. */
bool xlate_may_descend(struct xlate *x);

/* Drops the frame, whatever was output. */
void xlate_fail(struct xlate *x, enum drop_reason reason);

/* All that the bridge behind a patch port does to the frame; then all is as before. */
void xlate_into_patch(struct xlate *x, const struct port_view *port);

/* xlate_tables.c */

enum on_miss { MISS_IS_SILENT, MISS_TO_CONTROLLER };

/* Walks from 'table_id' on; the lookup in it sees 'in_port'.  Then x->rule and x->table_id are the first rule's:
 * the caller restores its own. */
void xlate_walk(struct xlate *x, uint8_t table_id, of_port in_port, enum on_miss on_miss);

/* Without frag_mode nx-match, tables see no ports in any fragment, lest the first be treated unlike
 * the later ones. */
bool xlate_hides_ports(struct xlate *x);

/* xlate_actions.c */

/* Executes actions: the table to go to, or LIST_ENDS. */
enum { LIST_ENDS = -1 };
int xlate_list(struct xlate *x, struct ofa_list list);

/* The action set: puts actions into it, executes those of this bridge. */
void xlate_write_actions(struct xlate *x, struct ofa_list list);
void xlate_action_set(struct xlate *x);

/* xlate_fields.c: reading and changing the frame */

of_port xlate_in_port(const struct xlate *x);
void xlate_init_view(struct xlate *x, const struct flow *flow);
void xlate_reset_metadata(struct xlate *x); /* And registers, tunnel: a new bridge knows none. */
void xlate_settle(struct xlate *x);
void xlate_set_field(struct xlate *x, const struct ofa_set_field *set);
void xlate_move(struct xlate *x, const struct ofa_move *move);
void xlate_write_metadata(struct xlate *x, const struct ofa_metadata *metadata);
void xlate_set_vlan_vid(struct xlate *x, const struct ofa_vlan *action);
void xlate_set_vlan_pcp(struct xlate *x, const struct ofa_vlan *action);

/* The outermost tag: is there one, which VLAN is it; both look. */
bool xlate_has_tag(struct xlate *x);
uint16_t xlate_get_vid(struct xlate *x);
void xlate_put_vid(struct xlate *x, uint16_t vid); /* In the tag that is there. */
void xlate_push_vlan(struct xlate *x, uint16_t tpid, uint16_t tci);
void xlate_pop_vlan(struct xlate *x); /* No tag: nothing. */

/* Bits of the frame, right-aligned, which are then consulted, or written.  Nothing, and false, where the
 * frame has no such field. */
bool xlate_read_part(struct xlate *x, struct ofa_part part, struct of_value *value);
bool xlate_write_part(struct xlate *x, struct ofa_part part, const struct of_value *value);
void xlate_write_number(struct xlate *x, struct ofa_part part, uint64_t number);

/* xlate_stack.c */

void xlate_push(struct xlate *x, const struct ofa_stack *action);
void xlate_pop(struct xlate *x, const struct ofa_stack *action);
void xlate_save_stack(const struct xlate *x, struct xlate_stack *saved);
void xlate_restore_stack(struct xlate *x, struct xlate_stack *saved); /* Frees it. */

/* xlate_links.c: one of several ways */

void xlate_multipath(struct xlate *x, const struct ofa_multipath *action);
void xlate_bundle(struct xlate *x, const struct ofa_bundle *action);

/* xlate_group.c.  False, and the list of actions ends: there is no such group. */

bool xlate_group(struct xlate *x, uint32_t group_id);

/* xlate_meter.c */

void xlate_meter(struct xlate *x, uint32_t meter_id);

/* Delivery number 'index', held back by meter 'meter_id' (0: none is named) or else by that of all packet_ins. */
void xlate_deliver_metered(struct xlate *x, uint32_t index, uint32_t meter_id);

/* xlate_learn.c: what frames teach the tables */

void xlate_learn(struct xlate *x, const struct ofa_learn *action);
void xlate_fin_timeout(struct xlate *x, const struct ofa_fin_timeout *action);

/* xlate_commit.c: datapath actions */

void xlate_emit(struct xlate *x, const struct dp_action *action);
void xlate_commit(struct xlate *x);

/* xlate_mpls.c: labels */

void xlate_push_mpls(struct xlate *x, uint16_t type);
void xlate_pop_mpls(struct xlate *x, uint16_t type);
void xlate_set_mpls(struct xlate *x, const struct ofa_mpls *action);

/* False: there is no label, or its TTL is used up, and the list ends. */
bool xlate_dec_mpls_ttl(struct xlate *x);

/* What is tried on a frame that must then be as it was, also for the datapath.  Which of 'now' has to be
 * restored is the caller's business. */
struct xlate_region {
    uint32_t n_actions;
    unsigned int n_changes;
    struct flow_key base, base_written;
    struct tags_below base_below;
};

void xlate_begin_region(const struct xlate *x, struct xlate_region *region);
void xlate_end_region(struct xlate *x, const struct xlate_region *region);

/* What a meter keeps from frames ends with the region it is in. */
#define XLATE_MISSES_ALL UINT64_MAX

/* Words that 'is_inner' is about. */
static inline bool xlate_is_inner_word(size_t word)
{
    return word >= FLOW_KEY_WORD(nw_src) && word < FLOW_KEY_WORD(mpls_lse);
}

/* xlate_output.c: where frames go */

void xlate_output(struct xlate *x, of_port port, uint32_t trunc_bytes);
void xlate_enqueue(struct xlate *x, const struct ofa_enqueue *action);
void xlate_output_reg(struct xlate *x, const struct ofa_output_reg *action);
void xlate_check_length(struct xlate *x, const struct ofa_check_length *action);
void xlate_to_port(struct xlate *x, const struct port_view *port);
void xlate_to_controller(struct xlate *x, uint16_t controller_id, enum of_packet_in_reason reason);
void xlate_miss_to_controller(struct xlate *x); /* No flow has matched. */
void xlate_controller(struct xlate *x, const struct ofa_controller *action);

void xlate_send_paused(struct xlate *x, const struct ofa_controller *action);

/* xlate_pause.c */

void xlate_pause(struct xlate *x, const struct ofa_controller *action);

/* A list ends before 'rest': keeps that if the walk is stopped. */
void xlate_keep_rest(struct xlate *x, const struct ofa *rest, const struct ofa *end);

/* Here what is stopped by a pause ends: sends it to the controller. */
void xlate_finish_pause(struct xlate *x);
void xlate_forget_pause(struct xlate *x);

/* The frame goes on; its action set and what it pauses for again is the caller's business. */
void xlate_go_on(struct xlate *x, const struct of_continuation *continuation);

/* xlate_normal.c */

void xlate_normal(struct xlate *x);

/* xlate_context.c: what outlives the translation */

void xlate_note(struct xlate *x, const struct xlate_note *note);

/* Copies 'userdata'.  NULL: no memory. */
struct packet_in *xlate_add_delivery(struct xlate *x, const uint8_t *userdata, uint16_t n_userdata,
                                     uint32_t *index);
void xlate_add_slot(struct xlate *x, uint16_t slot);

/* Makes the record the verdict's context. */
void xlate_finish_record(struct xlate *x);

/* xlate_trace.c: what is told; nothing without a tracer */

void xlate_trace(struct xlate *x, enum trace_type type, const char *format, ...) PRINTF_LIKE(3, 4);
#define xlate_detail(x, ...)   xlate_trace(x, TRACE_DETAIL, __VA_ARGS__)
#define xlate_warn(x, ...)     xlate_trace(x, TRACE_WARNING, __VA_ARGS__)
#define xlate_complain(x, ...) xlate_trace(x, TRACE_ERROR, __VA_ARGS__)

void xlate_trace_ofa(struct xlate *x, const struct ofa *action);
void xlate_trace_part(struct xlate *x, struct ofa_part part); /* What it is now. */
void xlate_trace_set(struct xlate *x, const char *verb);      /* The action set. */
void xlate_trace_failure(struct xlate *x, enum drop_reason reason);

/* What follows is told below these, until the caller puts 'trace' back. */
void xlate_trace_bridge(struct xlate *x);
void xlate_trace_rule(struct xlate *x, uint8_t table_id, const struct rule *rule);
void xlate_trace_miss(struct xlate *x, uint8_t table_id, bool has_packet_in);
void xlate_trace_bucket(struct xlate *x, const struct group *group, size_t index);
void xlate_trace_action_set(struct xlate *x);
void xlate_trace_into_table(struct xlate *x); /* The first one of the bridge. */

/* How people call a bucket: by its number, or its place. */
uint32_t xlate_bucket_name(const struct group *group, size_t index);
