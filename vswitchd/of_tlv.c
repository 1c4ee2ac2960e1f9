/* SPDX-License-Identifier: Apache-2.0 */

/* The bridge's table of tunnel options: which of them is which field tun_metadataN.  A field that a flow
 * has stays in the table. */

#include "lib/openflow/action_codec.h"
#include "lib/openflow/tlv_table.h"
#include "lib/openflow/tunnel_options.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/of_server_state.h"

static uint64_t mapped_fields(const struct of_server *server)
{
    uint64_t fields = 0;

    for (size_t i = 0; i < server->tlv.n_maps; i++)
        fields |= UINT64_C(1) << server->tlv.maps[i].index;
    return fields;
}

enum of_error of_server_check_options(const struct of_server *server, const struct match *match,
                                      struct ofa_list actions)
{
    uint64_t fields = ofa_options(actions) |
                      (match ? be64_host(match->mask.tun_options_present) : 0);

    return fields & ~mapped_fields(server) ? NXFMFC_INVALID_TLV_FIELD : OF_OK;
}

static bool add_used_fields(struct rule *rule, void *used_)
{
    uint64_t *used = used_;
    struct match match;

    *used |= ofa_options(rule_current_actions(rule));
    cls_rule_expand(&rule->cls, &match);
    *used |= be64_host(match.mask.tun_options_present);
    return true;
}

static uint64_t used_fields(struct of_server *server)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    uint64_t used = 0;

    flow_tables_each(server->tables, &all, add_used_fields, &used);
    return used;
}

/* The entry of the same option, or NULL. */
static struct of_tlv_map *find_option(struct of_tlv_table *table, const struct of_tlv_map *map)
{
    for (size_t i = 0; i < table->n_maps; i++) {
        if (table->maps[i].option_class == map->option_class &&
            table->maps[i].option_type == map->option_type)
            return &table->maps[i];
    }
    return NULL;
}

static void remove_map(struct of_tlv_table *table, struct of_tlv_map *map)
{
    tunnel_option_put(map->index);
    *map = table->maps[--table->n_maps];
}

static enum of_error add_map(struct of_tlv_table *table, const struct of_tlv_map *map)
{
    for (size_t i = 0; i < table->n_maps; i++) {
        if (table->maps[i].index == map->index)
            return NXTTMFC_ALREADY_MAPPED;
    }
    if (find_option(table, map))
        return NXTTMFC_DUP_ENTRY;
    if (table->n_maps == OF_TLV_FIELDS || !tunnel_option_take(map->index, map->option_bytes))
        return NXTTMFC_TABLE_FULL;
    table->maps[table->n_maps++] = *map;
    return OF_OK;
}

/* All or none. */
static enum of_error add_maps(struct of_tlv_table *table, const struct of_tlv_mod *mod)
{
    size_t n_before = table->n_maps;
    enum of_error error = OF_OK;

    for (size_t i = 0; !error && i < mod->n_maps; i++)
        error = add_map(table, &mod->maps[i]);
    while (error && table->n_maps > n_before)
        remove_map(table, &table->maps[table->n_maps - 1]);
    return error;
}

static enum of_error delete_maps(struct of_server *server, const struct of_tlv_mod *mod)
{
    uint64_t used = used_fields(server);

    for (size_t i = 0; i < mod->n_maps; i++) {
        const struct of_tlv_map *map = find_option(&server->tlv, &mod->maps[i]);
        if (map && used >> map->index & 1)
            return NXTTMFC_INVALID_TLV_DEL;
    }
    for (size_t i = 0; i < mod->n_maps; i++) {
        struct of_tlv_map *map = find_option(&server->tlv, &mod->maps[i]);
        if (map)
            remove_map(&server->tlv, map);
    }
    return OF_OK;
}

void of_tlv_clear(struct of_server *server)
{
    while (server->tlv.n_maps)
        remove_map(&server->tlv, &server->tlv.maps[server->tlv.n_maps - 1]);
}

enum of_error of_tlv_handle_mod(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_tlv_mod mod;
    enum of_error error = of_decode_tlv_mod(message, &mod);

    if (error)
        return error;
    switch ((enum of_tlv_command)mod.command) {
    case OFTLVC_ADD:
        return add_maps(&server->tlv, &mod);
    case OFTLVC_DELETE:
        return delete_maps(server, &mod);
    case OFTLVC_CLEAR:
        if (used_fields(server) & mapped_fields(server))
            return NXTTMFC_INVALID_TLV_DEL;
        of_tlv_clear(server);
        return OF_OK;
    }
    return NXTTMFC_BAD_COMMAND;
}

/* By field, as they are printed. */
enum of_error of_tlv_handle_request(struct of_connection *connection,
                                    const struct of_message *message)
{
    const struct of_tlv_table *table = &connection->server->tlv;
    struct of_tlv_table sorted = {
        .max_option_bytes = FLOW_TUN_OPTION_BYTES,
        .max_fields = OF_TLV_FIELDS,
    };

    for (unsigned index = 0; index < OF_TLV_FIELDS; index++) {
        for (size_t i = 0; i < table->n_maps; i++) {
            if (table->maps[i].index == index)
                sorted.maps[sorted.n_maps++] = table->maps[i];
        }
    }
    of_encode_tlv_table(&sorted, message->version, message->xid, &connection->output);
    return OF_OK;
}
