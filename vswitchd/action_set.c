/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/action_set.h"

#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/buffer.h"

static const struct ofa *last_of_type(const struct ofa *const actions[], size_t n,
                                      enum ofa_type type)
{
    while (n-- > 0) {
        if (actions[n]->type == type)
            return actions[n];
    }
    return NULL;
}

static bool sets_field(const struct ofa *action)
{
    return action->type == OFA_SET_FIELD || action->type == OFA_MOVE ||
           action->type == OFA_SET_VLAN_VID || action->type == OFA_SET_VLAN_PCP ||
           action->type == OFA_SET_MPLS_LABEL || action->type == OFA_SET_MPLS_TC ||
           action->type == OFA_SET_MPLS_TTL;
}

size_t action_set_order(const struct ofa *const actions[], size_t n, const struct ofa *ordered[])
{
    static const enum ofa_type outputs[] = {OFA_GROUP, OFA_OUTPUT, OFA_CONTROLLER, OFA_RESUBMIT};
    static const enum ofa_type first[] = {
        OFA_POP_VLAN, OFA_POP_MPLS, OFA_PUSH_MPLS, OFA_PUSH_VLAN, OFA_DEC_TTL, OFA_DEC_MPLS_TTL,
    };
    static const enum ofa_type qos[] = {OFA_METER, OFA_SET_QUEUE};
    const struct ofa *output = NULL;
    size_t n_ordered = 0;

    for (size_t i = 0; i < ARRAY_SIZE(outputs) && !output; i++)
        output = last_of_type(actions, n, outputs[i]);
    if (!output)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
        const struct ofa *action = last_of_type(actions, n, first[i]);
        if (action)
            ordered[n_ordered++] = action;
    }
    for (size_t i = 0; i < n; i++) {
        if (sets_field(actions[i]))
            ordered[n_ordered++] = actions[i];
    }
    for (size_t i = 0; i < ARRAY_SIZE(qos); i++) {
        const struct ofa *action = last_of_type(actions, n, qos[i]);
        if (action)
            ordered[n_ordered++] = action;
    }
    ordered[n_ordered++] = output;
    return n_ordered;
}

void action_set_flatten(struct ofa_list list, struct buffer *out)
{
    size_t n_max = list.n_bytes / sizeof(struct ofa), n = 0;
    const struct ofa **actions = calloc(2 * n_max + 1, sizeof(const struct ofa *));

    if (!actions)
        abort();
    for_each_action (ofa, list)
        actions[n++] = ofa;
    const struct ofa **ordered = actions + n;
    size_t n_ordered = action_set_order(actions, n, ordered);
    for (size_t i = 0; i < n_ordered; i++)
        buffer_put(out, ordered[i], ordered[i]->n_bytes);
    free(actions);
}
