/* SPDX-License-Identifier: Apache-2.0 */

/* Two lists, searched from their beginnings: switches have few ports, and 254 tables. */

#include "cli/ofconn_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/openflow/ports.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"

struct port_name {
    of_port port;
    char name[17];
};

struct ofconn_names {
    struct ofconn *connection;
    struct port_name *ports; /* Owned. */
    size_t n_ports;
    bool has_tables; /* They were asked for. */
    char tables[OF_N_TABLES][33];
    struct of_names names;
};

/* --- Tables -------------------------------------------------------------------------------- */

static void add_table(struct ofconn_names *names, uint8_t table, const char *name)
{
    if (table < OF_N_TABLES)
        snprintf(names->tables[table], sizeof names->tables[table], "%s", name);
}

/* OpenFlow 1.0 to 1.2 tell them with statistics, later versions with features. */
void ofconn_names_load_tables(struct ofconn_names *names)
{
    struct ofconn *connection = names->connection;
    bool has_features = ofconn_version(connection) >= OF_1_3;
    enum of_message_kind request = has_features ? OF_TABLE_FEATURES_REQUEST
                                                : OF_TABLE_STATS_REQUEST;
    enum of_message_kind reply = has_features ? OF_TABLE_FEATURES_REPLY : OF_TABLE_STATS_REPLY;
    uint32_t xid = ofconn_xid(connection);
    struct error error = ERROR_INIT;
    struct of_table_features features;
    struct of_table_stats stats;
    struct of_message message;
    struct of_items items;

    if (names->has_tables)
        return;
    names->has_tables = true;
    of_encode_empty(request, ofconn_version(connection), xid, ofconn_output(connection));
    do {
        if (ofconn_receive(connection, xid, reply, &message, &error))
            return; /* A switch without names of tables; what is looked up is not there. */
        of_items_init(&items, &message);
        while (has_features && of_next_table_features(&items, &features))
            add_table(names, features.table_id, features.name);
        while (!has_features && of_next_table_stats(&items, &stats))
            add_table(names, stats.table_id, stats.name);
    } while (of_message_has_more(&message));
}

/* Switches name tables that nobody has named, too: table0, or classifier. */
static const char *table_name(void *aux, uint8_t table)
{
    struct ofconn_names *names = aux;

    ofconn_names_load_tables(names);
    return table < OF_N_TABLES && names->tables[table][0] ? names->tables[table] : NULL;
}

static bool find_table(void *aux, const char *name, uint8_t *table)
{
    for (uint8_t i = 0; i < OF_N_TABLES; i++) {
        const char *known = table_name(aux, i);

        if (!known || strcmp(known, name))
            continue;
        *table = i;
        return true;
    }
    return false;
}

/* --- Ports --------------------------------------------------------------------------------- */

static bool find_port(void *aux, const char *name, of_port *port)
{
    const struct ofconn_names *names = aux;

    for (size_t i = 0; i < names->n_ports; i++) {
        if (!strcmp(names->ports[i].name, name)) {
            *port = names->ports[i].port;
            return true;
        }
    }
    return false;
}

static const char *port_name(void *aux, of_port port)
{
    const struct ofconn_names *names = aux;

    for (size_t i = 0; i < names->n_ports; i++)
        if (names->ports[i].port == port)
            return names->ports[i].name;
    return NULL;
}

static void add_port(struct ofconn_names *names, const struct of_port_info *info)
{
    names->ports = reallocarray(names->ports, names->n_ports + 1, sizeof *names->ports);
    if (!names->ports)
        abort();
    struct port_name *named = &names->ports[names->n_ports++];
    named->port = info->port;
    memcpy(named->name, info->name, sizeof named->name);
}

/* OpenFlow 1.0 to 1.2 tell them with the features, later versions in statistics. */
static int load_from_features(struct ofconn_names *names, struct error *error)
{
    struct ofconn *connection = names->connection;
    enum of_version version = ofconn_version(connection);
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;
    struct of_port_info info;

    of_encode_empty(OF_FEATURES_REQUEST, version, xid, ofconn_output(connection));
    int result = ofconn_receive(connection, xid, OF_FEATURES_REPLY, &message, error);
    if (result)
        return result;
    struct wire ports = of_features_ports(&message);
    while (of_decode_port_info(&ports, version, &info))
        add_port(names, &info);
    return 0;
}

static int load_from_descriptions(struct ofconn_names *names, struct error *error)
{
    struct ofconn *connection = names->connection;
    uint32_t xid = ofconn_xid(connection);
    struct of_message message;
    struct of_port_info info;
    int result;

    of_encode_port_desc_request(OFPP_NONE, ofconn_version(connection), xid,
                                ofconn_output(connection));
    do {
        result = ofconn_receive(connection, xid, OF_PORT_DESC_REPLY, &message, error);
        if (result)
            return result;
        struct of_items items;
        of_items_init(&items, &message);
        while (of_next_port(&items, &info))
            add_port(names, &info);
    } while (of_message_has_more(&message));
    return 0;
}

/* --- Life ---------------------------------------------------------------------------------- */

struct ofconn_names *ofconn_names_create(struct ofconn *connection)
{
    struct ofconn_names *names = calloc(1, sizeof *names);

    if (!names)
        abort();
    names->connection = connection;
    names->names = (struct of_names){.find_port = find_port,
                                     .port_name = port_name,
                                     .find_table = find_table,
                                     .table_name = table_name,
                                     .aux = names};
    return names;
}

void ofconn_names_destroy(struct ofconn_names *names)
{
    if (!names)
        return;
    free(names->ports);
    free(names);
}

int ofconn_names_load(struct ofconn_names *names, struct error *error)
{
    return ofconn_version(names->connection) < OF_1_3 ? load_from_features(names, error)
                                                      : load_from_descriptions(names, error);
}

const struct of_names *ofconn_names_get(const struct ofconn_names *names)
{
    return &names->names;
}
