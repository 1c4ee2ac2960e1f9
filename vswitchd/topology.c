/* SPDX-License-Identifier: Apache-2.0 */

/* Plain arrays, grown while the picture is built; sorted ports make lookups a binary search. */

#include "vswitchd/topology.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rcu.h"

struct published {
    struct topology topology; /* First. */
    struct rcu_head rcu;
};

static struct topology *_Atomic current;

static void *allocate(size_t n_bytes)
{
    void *memory = calloc(1, n_bytes);

    if (!memory)
        abort();
    return memory;
}

static char *copy_name(const char *name)
{
    char *copy = strdup(name);

    if (!copy)
        abort();
    return copy;
}

/* 'array' with room for one more pointer behind its 'n'. */
static void *grow(void *array, size_t n)
{
    if (n & (n - 1)) /* Room is the next power of two. */
        return array;
    array = realloc(array, (n ? 2 * n : 1) * sizeof(void *));
    if (!array)
        abort();
    return array;
}

struct port_counters *port_counters_create(void)
{
    struct port_counters *counters = allocate(sizeof *counters);

    atomic_init(&counters->n_references, 1);
    return counters;
}

void port_counters_ref(struct port_counters *counters)
{
    atomic_fetch_add_explicit(&counters->n_references, 1, memory_order_relaxed);
}

void port_counters_unref(struct port_counters *counters)
{
    if (counters &&
        atomic_fetch_sub_explicit(&counters->n_references, 1, memory_order_acq_rel) == 1)
        free(counters);
}

/* The index of 'port', or where it would be put. */
static size_t bridge_view_index(const struct bridge_view *bridge, of_port port)
{
    size_t low = 0, high = bridge->n_ports;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (bridge->ports[middle]->ofp_port < port)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct port_view *bridge_view_port(const struct bridge_view *bridge, of_port port)
{
    size_t index = bridge_view_index(bridge, port);

    if (index == bridge->n_ports || bridge->ports[index]->ofp_port != port)
        return NULL;
    return bridge->ports[index];
}

struct port_view *bridge_view_port_by_name(const struct bridge_view *bridge, const char *name)
{
    for (size_t i = 0; i < bridge->n_ports; i++) {
        if (!strcmp(bridge->ports[i]->name, name))
            return bridge->ports[i];
    }
    return NULL;
}

struct port_view *topology_port(const struct topology *topology, uint32_t dp_port)
{
    if (!topology || dp_port >= ARRAY_SIZE(topology->by_dp_port))
        return NULL;
    return topology->by_dp_port[dp_port];
}

struct bridge_view *topology_bridge(const struct topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->n_bridges; i++) {
        if (!strcmp(topology->bridges[i]->name, name))
            return topology->bridges[i];
    }
    return NULL;
}

const struct topology *topology_get(void)
{
    return atomic_load_explicit(&current, memory_order_acquire); /* With topology_publish(). */
}

static void destroy_published(struct rcu_head *rcu)
{
    rcu_begin_callback();
    topology_destroy(&caa_container_of(rcu, struct published, rcu)->topology);
}

void topology_publish(struct topology *next)
{
    struct topology *old = atomic_exchange_explicit(&current, next, memory_order_acq_rel);

    rcu_order_before_writers();
    if (old)
        call_rcu(&CONTAINER_OF(old, struct published, topology)->rcu, destroy_published);
}

struct topology *topology_create(uint8_t vlan_limit)
{
    struct published *published = allocate(sizeof *published);

    published->topology.vlan_limit = vlan_limit;
    return &published->topology;
}

struct bridge_view *topology_add_bridge(struct topology *topology, const char *name)
{
    struct bridge_view *bridge = allocate(sizeof *bridge);

    bridge->name = copy_name(name);
    topology->bridges = grow(topology->bridges, topology->n_bridges);
    topology->bridges[topology->n_bridges++] = bridge;
    return bridge;
}

struct port_view *bridge_view_add_port(struct topology *topology, struct bridge_view *bridge,
                                       const char *name, of_port ofp_port, uint32_t dp_port)
{
    struct port_view *port = allocate(sizeof *port);
    size_t index = bridge_view_index(bridge, ofp_port);

    port->name = copy_name(name);
    port->ofp_port = ofp_port;
    port->dp_port = dp_port;
    port->bridge = bridge;
    port->is_up = true;
    memset(port->trunks, 0xff, sizeof port->trunks);

    bridge->ports = grow(bridge->ports, bridge->n_ports);
    memmove(&bridge->ports[index + 1], &bridge->ports[index],
            (bridge->n_ports - index) * sizeof bridge->ports[0]);
    bridge->ports[index] = port;
    bridge->n_ports++;
    if (dp_port < ARRAY_SIZE(topology->by_dp_port))
        topology->by_dp_port[dp_port] = port;
    return port;
}

static void port_view_destroy(struct port_view *port)
{
    port_counters_unref(port->counters);
    free(port->name);
    free(port);
}

static void bridge_view_destroy(struct bridge_view *bridge)
{
    for (size_t i = 0; i < bridge->n_ports; i++)
        port_view_destroy(bridge->ports[i]);
    free(bridge->ports);
    free(bridge->name);
    free(bridge);
}

void topology_destroy(struct topology *topology)
{
    if (!topology)
        return;
    for (size_t i = 0; i < topology->n_bridges; i++)
        bridge_view_destroy(topology->bridges[i]);
    free(topology->bridges);
    free(CONTAINER_OF(topology, struct published, topology));
}
