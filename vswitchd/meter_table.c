/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/meter_table.h"

#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/hash.h"

enum { MIN_SLOTS = 16 };

struct meter_table {
    struct cds_lfht *hash;
    struct dp_meters *numbers;
    const struct meter_table_events *events;
    void *aux;
    size_t n_meters;
};

static struct meter *meter_of_node(struct cds_lfht_node *node)
{
    return node ? CONTAINER_OF(node, struct meter, node) : NULL;
}

/* Meters */

static struct dp_meter_config config_of(const struct of_meter *desc)
{
    struct dp_meter_config config = {
        .counts_packets = desc->flags & OFMF_PKTPS,
        .n_bands = (uint8_t)desc->n_bands,
    };

    for (size_t i = 0; i < desc->n_bands; i++)
        config.bands[i] = (struct dp_band){
            .rate = desc->bands[i].rate,
            .burst = desc->flags & OFMF_BURST ? desc->bands[i].burst : 0,
            .remarks = desc->bands[i].type == OFMBT_DSCP_REMARK,
            .precedence = desc->bands[i].prec_level,
        };
    return config;
}

static struct meter *meter_create(struct dp_meters *numbers, struct of_meter *desc_take,
                                  int64_t created_ns)
{
    const struct dp_meter_config config = config_of(desc_take);
    struct meter *meter = calloc(1, sizeof *meter);

    if (!meter)
        abort();
    meter->number = dp_meters_add(numbers, &config);
    if (meter->number == DP_METER_NONE) {
        free(meter);
        return NULL;
    }
    meter->numbers = numbers;
    meter->desc = *desc_take;
    of_meter_init(desc_take);
    for (size_t i = 0; i < config.n_bands; i++)
        meter->remarks |= config.bands[i].remarks;
    meter->created_ns = created_ns;
    atomic_init(&meter->n_references, 1);
    return meter;
}

void meter_ref(struct meter *meter)
{
    atomic_fetch_add_explicit(&meter->n_references, 1, memory_order_relaxed);
}

void meter_unref(struct meter *meter)
{
    /* The last one out sees what the others did: release each, acquire all. */
    if (!meter || atomic_fetch_sub_explicit(&meter->n_references, 1, memory_order_acq_rel) != 1)
        return;
    dp_meters_remove(meter->numbers, meter->number);
    of_meter_fini(&meter->desc);
    free(meter);
}

static void free_meter(struct rcu_head *rcu)
{
    rcu_begin_callback();
    meter_unref(CONTAINER_OF(rcu, struct meter, rcu));
    rcu_end_callback();
}

static void let_go(struct meter *meter)
{
    rcu_order_before_writers();
    call_rcu(&meter->rcu, free_meter);
}

/* Life */

struct meter_table *meter_table_create(struct dp_meters *numbers,
                                       const struct meter_table_events *events, void *aux)
{
    struct meter_table *table = calloc(1, sizeof *table);

    if (!table)
        abort();
    table->numbers = numbers;
    table->events = events;
    table->aux = aux;
    table->hash = cds_lfht_new(MIN_SLOTS, MIN_SLOTS, 0, CDS_LFHT_AUTO_RESIZE, NULL);
    if (!table->hash)
        abort();
    return table;
}

void meter_table_destroy(struct meter_table *table)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;

    if (!table)
        return;
    cds_lfht_for_each(table->hash, &iter, node)
    {
        cds_lfht_del(table->hash, node);
        let_go(meter_of_node(node));
    }
    rcu_wait_for_callbacks();
    cds_lfht_destroy(table->hash, NULL);
    free(table);
}

/* Lookups */

static unsigned long hash_of(uint32_t meter_id)
{
    return hash_words(&(uint64_t){meter_id}, 1, 0);
}

static int has_id(struct cds_lfht_node *node, const void *meter_id)
{
    return meter_of_node(node)->desc.meter_id == *(const uint32_t *)meter_id;
}

struct meter *meter_table_lookup(const struct meter_table *table, uint32_t meter_id)
{
    struct cds_lfht_iter iter;

    if (!table)
        return NULL;
    cds_lfht_lookup(table->hash, hash_of(meter_id), has_id, &meter_id, &iter);
    return meter_of_node(cds_lfht_iter_get_node(&iter));
}

/* Changes */

static void tell(const struct meter_table *table, const struct meter *meter, bool is_gone)
{
    if (table->events && table->events->changed)
        table->events->changed(table->aux, meter, is_gone);
}

static void replace(struct meter_table *table, struct meter *old, struct meter *meter)
{
    struct cds_lfht_iter iter;
    uint32_t meter_id = meter->desc.meter_id;

    cds_lfht_lookup(table->hash, hash_of(meter_id), has_id, &meter_id, &iter);
    cds_lfht_replace(table->hash, &iter, hash_of(meter_id), has_id, &meter_id, &meter->node);
    let_go(old);
}

enum of_error meter_table_put(struct meter_table *table, struct of_meter *desc_take,
                              struct meter *replaced, int64_t now_ns)
{
    struct meter *meter = meter_create(table->numbers, desc_take,
                                       replaced ? replaced->created_ns : now_ns);

    if (!meter)
        return OFPMMFC_OUT_OF_METERS;
    cds_lfht_node_init(&meter->node);
    if (replaced) {
        replace(table, replaced, meter);
    } else {
        cds_lfht_add(table->hash, hash_of(meter->desc.meter_id), &meter->node);
        table->n_meters++;
    }
    tell(table, meter, false);
    return OF_OK;
}

void meter_table_remove(struct meter_table *table, struct meter *meter)
{
    cds_lfht_del(table->hash, &meter->node);
    table->n_meters--;
    tell(table, meter, true);
    let_go(meter);
}

/* Walks */

static int compare_ids(const void *a, const void *b)
{
    const struct meter *const *first = a, *const *second = b;
    uint32_t first_id = (*first)->desc.meter_id, second_id = (*second)->desc.meter_id;

    return first_id < second_id ? -1 : first_id > second_id;
}

size_t meter_table_list(const struct meter_table *table, struct meter ***meters)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    size_t n = 0;

    *meters = calloc(table->n_meters + 1, sizeof(struct meter *));
    if (!*meters)
        abort();
    cds_lfht_for_each(table->hash, &iter, node)(*meters)[n++] = meter_of_node(node);
    qsort(*meters, n, sizeof(struct meter *), compare_ids);
    return n;
}
