/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kcache_compile.h"

#include <string.h>

/* An output of a piece: the kernel sends it last, as it has no copies that it could cut. */
struct cut {
    uint32_t n_bytes;     /* 0: there is none. */
    uint32_t port_no;     /* 0: it is still to come. */
    unsigned int n_steps; /* In front of it. */
};

struct compilation {
    struct kcache_verdict *verdict;
    struct cut cut;
    struct kc_step *meter; /* The last one; NULL: none. */
    const struct kcache_means *means;
};

static int refuse(enum kcache_refusal refusal)
{
    return (int)refusal - KCACHE_N_REFUSALS;
}

/* NULL: no room. */
static struct kc_step *add_step(struct kc_program *program, enum kc_op op)
{
    struct kc_step *step = &program->steps[program->n_steps];

    if (program->n_steps == KC_PROGRAM_STEPS)
        return NULL;
    program->n_steps++;
    step->op = (uint8_t)op;
    return step;
}

static int add_output(struct compilation *c, uint32_t port_no)
{
    struct kc_program *program = &c->verdict->program;
    struct kc_step *step = program->n_steps ? &program->steps[program->n_steps - 1] : NULL;

    if (port_no == 0 || port_no >= KC_DROP || !c->means->is_reachable(port_no, c->means->arg))
        return refuse(KCACHE_PORTS);
    if (c->cut.n_bytes && !c->cut.port_no) {
        c->cut.port_no = port_no;
        c->cut.n_steps = program->n_steps;
        return 0;
    }
    if (c->cut.port_no == port_no ||
        (c->cut.n_bytes && program->n_steps > c->cut.n_steps && step->op != KC_OUTPUT))
        return refuse(KCACHE_CUT); /* In another order it would be something else. */
    if (!step || step->op != KC_OUTPUT || step->n == KC_STEP_PORTS)
        step = add_step(program, KC_OUTPUT);
    if (!step)
        return refuse(KCACHE_TOO_LONG);
    step->ports[step->n++] = (uint16_t)port_no;
    return 0;
}

/* The bits of a word that the program can set. */
static uint64_t settable_bits(unsigned int word)
{
    struct flow_key bits;

    memset(&bits, 0, sizeof bits);
    memset(&bits.eth_dst, 0xff, sizeof bits.eth_dst);
    memset(&bits.eth_src, 0xff, sizeof bits.eth_src);
    bits.vlan[0].tci = be16_from(UINT16_MAX);
    bits.nw_src = bits.nw_dst = be32_from(UINT32_MAX);
    memset(&bits.ipv6_src, 0xff, sizeof bits.ipv6_src);
    memset(&bits.ipv6_dst, 0xff, sizeof bits.ipv6_dst);
    bits.ipv6_label = be32_from(0xfffff);
    bits.nw_tos = bits.nw_ttl = UINT8_MAX;
    bits.tp_src = bits.tp_dst = be16_from(UINT16_MAX);
    return flow_key_words_const(&bits)[word];
}

static int add_set(struct compilation *c, const struct dp_action *action)
{
    if (action->word >= FLOW_KEY_WORDS || action->mask & ~settable_bits(action->word))
        return refuse(KCACHE_ACTIONS);
    struct kc_step *step = add_step(&c->verdict->program, KC_SET);
    if (!step)
        return refuse(KCACHE_TOO_LONG);
    step->word = action->word;
    step->value = action->value;
    step->mask = action->mask;
    c->verdict->words_set |= UINT32_C(1) << action->word;
    return 0;
}

static int add_tag_step(struct compilation *c, enum kc_op op, uint32_t arg)
{
    struct kc_step *step = add_step(&c->verdict->program, op);

    if (!step)
        return refuse(KCACHE_TOO_LONG);
    step->arg = arg;
    return 0;
}

static int add_cut(struct compilation *c, uint32_t n_bytes)
{
    if (c->cut.n_bytes)
        return refuse(KCACHE_CUT);
    c->cut.n_bytes = n_bytes;
    return 0;
}

/* Who credits what meters let pass knows one number for each verdict: it goes to the outputs behind the last one, so
 * there are none between meters. */
static int add_meter(struct compilation *c, const struct dp_action *action, uint32_t n_behind)
{
    struct kc_program *program = &c->verdict->program;
    uint32_t place = dp_meters_place(c->means->meters, action->arg);

    if (place == DP_METER_NONE || action->value < n_behind || c->cut.port_no)
        return refuse(KCACHE_METER);
    for (struct kc_step *step = c->meter; step && step < &program->steps[program->n_steps]; step++)
        if (step->op == KC_OUTPUT)
            return refuse(KCACHE_METER);
    struct kc_step *step = add_step(program, KC_METER);
    if (!step)
        return refuse(KCACHE_TOO_LONG);
    if (c->meter)
        c->meter->is_counted = false;
    step->arg = place;
    step->is_counted = true;
    c->meter = step;
    return 0;
}

static void remove_last_changes(struct compilation *c)
{
    struct kc_program *program = &c->verdict->program;

    while (program->n_steps > c->cut.n_steps &&
           program->steps[program->n_steps - 1].op != KC_OUTPUT &&
           program->steps[program->n_steps - 1].op != KC_METER)
        program->n_steps--; /* Nobody gets to see them. */
}

static int finish_cut(struct compilation *c)
{
    struct kc_program *program = &c->verdict->program;

    if (!c->cut.port_no)
        return 0;
    struct kc_step *cut = add_step(program, KC_CUT);
    struct kc_step *output = cut ? add_step(program, KC_OUTPUT) : NULL;
    if (!output)
        return refuse(KCACHE_TOO_LONG);
    cut->arg = c->cut.n_bytes;
    output->ports[0] = (uint16_t)c->cut.port_no;
    output->n = 1;
    return 0;
}

static int add_action(struct compilation *c, const struct dp_action *action, uint32_t n_behind)
{
    switch ((enum dp_action_type)action->type) {
    case DP_OUTPUT:
        return add_output(c, action->arg);
    case DP_SET:
        return add_set(c, action);
    case DP_PUSH_VLAN:
        return add_tag_step(c, KC_PUSH_VLAN, action->arg);
    case DP_POP_VLAN:
        return add_tag_step(c, KC_POP_VLAN, 0);
    case DP_DROP:
        /* The last one.  Who credits frames knows the reason, but not of how many that passed a meter. */
        return c->meter ? refuse(KCACHE_METER) : 0;
    case DP_METER:
        return add_meter(c, action, n_behind);
    case DP_PUSH_MPLS:
    case DP_POP_MPLS:
    case DP_SAVE:
    case DP_RESTORE:
    case DP_DELIVER:
        break;
    case DP_TRUNC:
        return add_cut(c, action->arg);
    }
    return refuse(KCACHE_ACTIONS);
}

static bool sends_once(const struct kc_program *program)
{
    unsigned int n_outputs = 0;

    if (!program->n_steps || program->steps[program->n_steps - 1].op != KC_OUTPUT)
        return false;
    for (unsigned int i = 0; i < program->n_steps; i++)
        if (program->steps[i].op == KC_OUTPUT)
            n_outputs += program->steps[i].n;
    return n_outputs == 1;
}

static uint32_t find_plain(const struct kc_program *program)
{
    if (!program->n_steps)
        return KC_DROP;
    if (program->n_steps == 1 && program->steps[0].op == KC_OUTPUT && program->steps[0].n == 1)
        return program->steps[0].ports[0];
    return KC_NOTHING;
}

int kcache_compile(const struct megaflow *flow, const struct kcache_means *means,
                   struct kcache_verdict *verdict)
{
    return kcache_compile_actions(flow->actions, flow->n_actions, &flow->key, megaflow_mask(flow),
                                  means, verdict);
}

int kcache_compile_actions(const struct dp_action *actions, uint32_t n_actions,
                           const struct flow_key *key, const struct flow_key *mask,
                           const struct kcache_means *means, struct kcache_verdict *verdict)
{
    struct compilation c = {.verdict = verdict, .means = means};
    struct kc_program *program = &verdict->program;
    int refusal = 0;

    memset(verdict, 0, sizeof *verdict);
    for (uint32_t i = 0; i < n_actions && !refusal; i++)
        refusal = add_action(&c, &actions[i], n_actions - i - 1);
    if (refusal)
        return refusal;
    remove_last_changes(&c);
    refusal = finish_cut(&c);
    if (refusal)
        return refusal;
    program->sends_once = sends_once(program);
    program->ttl_mask = mask->nw_ttl;
    program->ttl = key->nw_ttl & mask->nw_ttl;
    program->tcp_flags_mask = mask->tcp_flags.raw;
    program->tcp_flags = key->tcp_flags.raw & mask->tcp_flags.raw;
    verdict->plain = find_plain(program);
    return 0;
}

static uint8_t proto_of(const struct kc_key *key)
{
    return (uint8_t)(key->words[3] >> 8);
}

static bool is_ip(enum kc_kind kind)
{
    return kind == KC_KIND_IPV4 || kind == KC_KIND_IPV6;
}

bool kcache_verdict_suits(const struct kcache_verdict *verdict, const struct kc_key *key)
{
    const uint32_t arp_words = 1u << FLOW_KEY_WORD(nw_src) | 1u << FLOW_KEY_WORD(nw_tos);
    enum kc_kind kind = kc_key_kind(key);
    uint8_t proto = proto_of(key);

    if (kind == KC_KIND_ARP && verdict->words_set & arp_words)
        return false;
    return !is_ip(kind) || !(verdict->words_set & 1u << FLOW_KEY_WORD(tp_src)) ||
           proto == IP_PROTO_TCP || proto == IP_PROTO_UDP;
}

bool kcache_verdict_has_checks(const struct kcache_verdict *verdict, const struct kc_key *key)
{
    enum kc_kind kind = kc_key_kind(key);

    return is_ip(kind) && (verdict->program.ttl_mask ||
                           (verdict->program.tcp_flags_mask && proto_of(key) == IP_PROTO_TCP));
}
