/* SPDX-License-Identifier: Apache-2.0 */

/* Groups lead only to groups of lower numbers: what comes of a loop is for other tests. */

#include "tests/generate/generate.h"

static void put_changes(struct random *random, struct buffer *text)
{
    static const char *const changes[] = {
        "set_field:02:00:00:00:00:05->eth_src,",
        "set_field:02:00:00:00:00:06->eth_dst,",
        "move:NXM_OF_ETH_SRC[0..15]->NXM_OF_ETH_DST[0..15],",
        "load:0x2->NXM_NX_REG0[],",
        "load:0x3->NXM_NX_REG5[1..2],",
        "set_field:3->metadata,",
    };

    while (random_chance(random, 40))
        buffer_puts(text, RANDOM_OF(random, changes));
}

static void put_bucket(struct random *random, const struct generate_flows *options,
                       uint32_t group_id, bool is_watched, struct buffer *text)
{
    uint32_t port = 1 + random_below(random, options->n_ports + 1); /* One is not there. */
    uint32_t choice = random_below(random, 100);

    buffer_puts(text, ",bucket=");
    if (is_watched)
        buffer_printf(text, "watch_port:%u,", port);
    buffer_puts(text, "actions=");
    put_changes(random, text);
    if (choice < 50)
        buffer_printf(text, "output:%u", 1 + random_below(random, options->n_ports));
    else if (choice < 60)
        buffer_puts(text, "in_port");
    else if (choice < 70)
        buffer_puts(text, "normal");
    else if (choice < 75)
        buffer_puts(text, "flood");
    else if (choice < 90 && group_id > 1)
        buffer_printf(text, "group:%u", 1 + random_below(random, group_id - 1));
    else
        buffer_printf(text, "resubmit(,%u)", random_below(random, options->n_tables));
}

void generate_group(struct random *random, const struct generate_flows *options, uint32_t group_id,
                    struct buffer *text)
{
    static const char *const types[] = {
        "all",
        "indirect",
        "ff",
        "select,selection_method=hash,fields(eth_src,ip_src=255.255.0.0,tcp_dst)",
        "select,selection_method=dp_hash",
    };
    enum { INDIRECT = 1, FAST_FAILOVER = 2 };
    uint32_t n_types = options->has_select ? 5 : options->has_lone_select ? 4 : 3;
    uint32_t type = random_below(random, n_types);
    uint32_t max_buckets = type > FAST_FAILOVER && !options->has_select ? 1 : 3;
    uint32_t n_buckets = type == INDIRECT ? 1 : random_below(random, max_buckets + 1);

    buffer_printf(text, "group_id=%u,type=%s", group_id, types[type]);
    while (n_buckets-- > 0)
        put_bucket(random, options, group_id, type == FAST_FAILOVER, text);
}
