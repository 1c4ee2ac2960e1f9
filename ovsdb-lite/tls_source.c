/* SPDX-License-Identifier: Apache-2.0 */

/* Tables of TLS settings have one row, so looking costs nothing. */

#include "ovsdb-lite/tls_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ovsdb-lite/server.h"

struct column_name {
    char db[64], table[64], column[64];
};

static bool is_column(const char *value)
{
    return value && !strncmp(value, "db:", 3);
}

static const struct column_schema *find_column(const struct server *server, const char *text,
                                               struct table **table)
{
    struct column_name name;
    char end;
    size_t index;

    if (sscanf(text, "db:%63[^,],%63[^,],%63[^,]%c", name.db, name.table, name.column, &end) != 3)
        return NULL;
    struct store *store = server_store(server, name.db, &index);
    *table = store ? database_table(store_database(store), name.table) : NULL;
    const struct column_schema *column = *table ? table_schema_column((*table)->schema, name.column)
                                                : NULL;
    return column && column->type.key.type == ATOM_STRING ? column : NULL;
}

static const char *resolve(const struct server *server, const char *value)
{
    struct table *table;
    struct row *row;

    if (!is_column(value))
        return value;
    const struct column_schema *column = find_column(server, value, &table);
    if (!column)
        return NULL;
    FOR_EACH_ROW(row, table)
    {
        const struct datum *datum = row->data->columns[column->index];
        if (datum->n && *datum->keys[0].string)
            return datum->keys[0].string;
    }
    return NULL;
}

int tls_source_check(const struct server *server, const struct tls_settings *settings,
                     struct error *error)
{
    const char *const values[] = {settings->private_key,  settings->certificate, settings->ca_cert,
                                  settings->peer_ca_cert, settings->protocols,   settings->ciphers,
                                  settings->ciphersuites};
    struct table *table;

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (is_column(values[i]) && !find_column(server, values[i], &table))
            return error_set(error, -ENOENT, "%s: no such column of texts", values[i]);
    return 0;
}

void tls_source_follow(struct server *server, const struct tls_settings *settings)
{
    tls_configure(server->tls, &(struct tls_settings){
                                   .private_key = resolve(server, settings->private_key),
                                   .certificate = resolve(server, settings->certificate),
                                   .ca_cert = resolve(server, settings->ca_cert),
                                   .peer_ca_cert = resolve(server, settings->peer_ca_cert),
                                   .bootstraps_ca = settings->bootstraps_ca,
                                   .protocols = resolve(server, settings->protocols),
                                   .ciphers = resolve(server, settings->ciphers),
                                   .ciphersuites = resolve(server, settings->ciphersuites),
                               });
}
