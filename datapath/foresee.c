/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/foresee.h"

#include <string.h>

#include "datapath/internal.h"
#include "datapath/kcache_compile.h"
#include "datapath/kcache_key.h"

const char *dp_cache_name(enum dp_cache cache)
{
    static const char *const names[] = {"none", "megaflow", "kernel"};

    return names[cache];
}

static bool is_reachable(uint32_t port_no, void *dp)
{
    const struct dp_port *port = datapath_port(dp, port_no);

    return port && port->is_kernel_reachable;
}

static void refuse(struct dp_outlook *outlook, enum kcache_refusal refusal)
{
    outlook->cache = DP_CACHE_USERSPACE;
    outlook->reason = kcache_refusal_text(refusal);
}

/* What 'mask' has beyond 'bits'. */
static void find_surplus(const struct flow_key *mask, const struct flow_key *bits,
                         struct flow_key *surplus)
{
    for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_words(surplus)[i] = flow_key_words_const(mask)[i] & ~flow_key_words_const(bits)[i];
}

static void ask_kernel(struct datapath *dp, const struct dp_port *port, const struct flow_key *key,
                       const struct verdict *verdict, struct dp_outlook *outlook)
{
    const struct kcache_means means = {
        .is_reachable = is_reachable, .arg = dp, .meters = dp->meters};
    struct kcache_verdict compiled;
    struct kc_key kernel_key;

    if (!kc_key_from_flow(key, port->slot, &kernel_key)) {
        outlook->reason =
            "the kernel's key cannot say such frames (fragments, second tags, labels)";
        return;
    }
    find_surplus(&verdict->mask, kc_key_bits(kc_key_kind(&kernel_key)), &outlook->fields);
    if (!flow_mask_is_within(&verdict->mask, kc_key_bits(kc_key_kind(&kernel_key)))) {
        refuse(outlook, KCACHE_FIELDS);
        return;
    }
    int refusal = kcache_compile_actions(verdict->actions.list, verdict->actions.n, key,
                                         &verdict->mask, &means, &compiled);
    if (refusal)
        refuse(outlook, (enum kcache_refusal)(refusal + KCACHE_N_REFUSALS));
    else if (!kcache_verdict_suits(&compiled, &kernel_key))
        refuse(outlook, KCACHE_ACTIONS);
    else
        outlook->cache = DP_CACHE_KERNEL;
}

void datapath_foresee(struct datapath *dp, const struct flow_key *key,
                      const struct verdict *verdict, struct dp_outlook *outlook)
{
    const struct dp_port *port = datapath_port(dp, be32_host(key->in_port));

    *outlook = (struct dp_outlook){.cache = DP_CACHE_NONE};
    if (!port) {
        outlook->reason = "no frame can come in by this port";
        return;
    }
    outlook->path = port->ops->path(port);
    if (!verdict->cacheable || dp->config.cache_off) {
        outlook->reason = "its treatment may differ from frame to frame";
        return;
    }
    outlook->cache = DP_CACHE_USERSPACE;
    if (!datapath_kcache(dp))
        outlook->reason = "the kernel has no flow cache here";
    else if (!port->is_kernel_cached)
        outlook->reason = "frames of this port do not meet the kernel flow cache";
    else
        ask_kernel(dp, port, key, verdict, outlook);
}
