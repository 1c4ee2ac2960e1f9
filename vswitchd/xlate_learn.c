/* SPDX-License-Identifier: Apache-2.0 */

/* learn() and fin_timeout(): the frame says it, the main thread does it. */

#include "lib/openflow/flow_text.h"
#include "vswitchd/xlate_internal.h"

/* Takes the caller's reference. */
static void teach(struct xlate *x, struct lesson *lesson)
{
    if (x->may_learn)
        lesson_teach(lesson);
    xlate_note(x, &(struct xlate_note){.type = NOTE_LESSON, .lesson = lesson});
}

static void put_lesson(const struct of_flow_mod *flow, struct buffer *out)
{
    buffer_printf(out, "table=%u ", flow->table_id);
    of_match_format(&flow->match, NULL, out);
    buffer_printf(out, " priority=%u", flow->priority);
    if (flow->new_cookie.raw)
        buffer_printf(out, " cookie=0x%llx", (unsigned long long)be64_host(flow->new_cookie));
    if (flow->idle_timeout_s)
        buffer_printf(out, " idle=%u", flow->idle_timeout_s);
    if (flow->hard_timeout_s)
        buffer_printf(out, " hard=%u", flow->hard_timeout_s);
    if (flow->flags & OFFF_SEND_FLOW_REM)
        buffer_puts(out, " send_flow_rem");
    buffer_puts(out, " actions=");
    of_actions_format(of_flow_mod_actions(flow), NULL, out);
}

static void trace_lesson(struct xlate *x, const struct lesson *lesson)
{
    struct buffer text = BUFFER_INIT;

    if (!x->trace)
        return;
    if (!x->may_learn)
        xlate_warn(x, "suppressing side effects, so learn action ignored");
    put_lesson(&lesson->flow, &text);
    xlate_trace(x, x->may_learn ? TRACE_DETAIL : TRACE_NOTE, "%s%s",
                x->may_learn ? "" : "would learn: ", buffer_text(&text));
    buffer_fini(&text);
}

void xlate_learn(struct xlate *x, const struct ofa_learn *action)
{
    struct lesson *lesson = lesson_create(x->bridge->lessons);

    ofa_learn_execute(action, &x->now.flow, &x->looked, &lesson->flow);
    lesson->limit = action->limit;
    trace_lesson(x, lesson);
    teach(x, lesson);
    if (action->flags & OFA_LEARN_WRITE_RESULT)
        xlate_write_number(x, action->result, 1);
}

enum { TCP_FIN_OR_RST = 0x005 };

void xlate_fin_timeout(struct xlate *x, const struct ofa_fin_timeout *action)
{
    const struct flow_key *key = &x->now.flow.key;

    x->looked.key.eth_type = be16_from(UINT16_MAX);
    if (!flow_is_ip(key) || !x->rule)
        return;
    x->looked.key.nw_proto = UINT8_MAX;
    if (!flow_has_l4(key, IP_PROTO_TCP))
        return;
    x->looked.key.tcp_flags.raw |= be16_from(TCP_FIN_OR_RST).raw;
    if (!(be16_host(key->tcp_flags) & TCP_FIN_OR_RST))
        return;

    struct lesson *lesson = lesson_create(x->bridge->lessons);
    lesson->rule = (struct rule *)(uintptr_t)x->rule;
    rule_ref(lesson->rule);
    lesson->idle_s = action->idle_s;
    lesson->hard_s = action->hard_s;
    teach(x, lesson);
}
