/* SPDX-License-Identifier: Apache-2.0 */

/* Which tunnel option is which field tun_metadataN (an extension of Nicira's). */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/openflow/message_text.h"

/* "{class=0xffff,type=0,len=4}->tun_metadata0", several of them separated by commas. */
static int parse_maps(const char *text, struct of_tlv_mod *mod, struct error *error)
{
    while (*text) {
        unsigned option_class, type, length, index;
        int used = 0;

        text += strspn(text, ", ");
        if (!*text)
            break;
        if (sscanf(text, "{class=%i,type=%i,len=%i}->tun_metadata%u%n", (int *)&option_class,
                   (int *)&type, (int *)&length, &index, &used) != 4 ||
            (text[used] && text[used] != ','))
            return error_set(error, -EINVAL,
                             "%s: expected {class=CLASS,type=TYPE,len=BYTES}->tun_metadataN",
                             shown(text).text);
        if (option_class > UINT16_MAX || type > UINT8_MAX || length > OF_TLV_MAX_BYTES || !length ||
            length % 4 || index >= OF_TLV_FIELDS)
            return error_set(error, -ERANGE,
                             "%s: a class has 16 bits, a type 8, the length is a multiple of 4 up "
                             "to %d, and fields are tun_metadata0 to tun_metadata%d",
                             shown(text).text, OF_TLV_MAX_BYTES, OF_TLV_FIELDS - 1);
        if (mod->n_maps == OF_TLV_FIELDS)
            return error_set(error, -E2BIG, "there are only %d fields", OF_TLV_FIELDS);
        mod->maps[mod->n_maps++] = (struct of_tlv_map){
            .option_class = (uint16_t)option_class,
            .option_type = (uint8_t)type,
            .option_bytes = (uint8_t)length,
            .index = (uint16_t)index,
        };
        text += used;
    }
    return 0;
}

static int change_table(struct context *context, struct invocation *invocation,
                        struct of_tlv_mod *mod, struct error *error)
{
    if (invocation->n_args > 1 && parse_maps(invocation->args[1], mod, error))
        return error->code;
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    if (!connection)
        return error->code;
    of_encode_tlv_mod(mod, ofconn_version(connection), ofconn_xid(connection),
                      ofconn_output(connection));
    int result = ofconn_barrier(connection, error);
    ofconn_close(connection);
    return result;
}

static int run_add_tlv_map(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    struct of_tlv_mod mod = {.command = OFTLVC_ADD};

    return change_table(context, invocation, &mod, error);
}

static int run_del_tlv_map(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    struct of_tlv_mod mod = {.command = invocation->n_args > 1 ? OFTLVC_DELETE : OFTLVC_CLEAR};

    return change_table(context, invocation, &mod, error);
}

static json_t *maps_json(const struct of_tlv_table *table)
{
    json_t *json = json_array();

    for (size_t i = 0; i < table->n_maps; i++)
        json_array_append_new(json, json_pack("{s:i, s:i, s:i, s:i}", "class",
                                              (int)table->maps[i].option_class, "type",
                                              (int)table->maps[i].option_type, "length",
                                              (int)table->maps[i].option_bytes, "tun_metadata",
                                              (int)table->maps[i].index));
    return json;
}

static int run_dump_tlv_map(struct context *context, struct invocation *invocation,
                            struct error *error)
{
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    struct of_message message;
    struct of_tlv_table table;

    if (!connection)
        return error->code;
    uint32_t xid = ofconn_xid(connection);
    enum of_version version = ofconn_version(connection);
    of_finish_message(
        of_begin_message(OF_TLV_TABLE_REQUEST, OF_FORM_NX, version, xid, ofconn_output(connection)),
        ofconn_output(connection));
    int result = ofconn_receive(connection, xid, OF_TLV_TABLE_REPLY, &message, error);
    if (!result && of_decode_tlv_table(&message, &table))
        result = error_set(error, -EPROTO, "the switch sent an answer that cannot be read");
    ofconn_close(connection);
    if (result)
        return result;
    if (options_is_json(&context->options))
        json_print_take(maps_json(&table), &context->options.style, &invocation->output);
    else
        of_tlv_table_format(&table, &invocation->output);
    return 0;
}

static const struct command rows[] = {
    {.name = "add-tlv-map",
     .arguments = "BRIDGE MAP",
     .summary = "Make tunnel options fields ({class=0xffff,type=0,len=4}->tun_metadata0)",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_tlv_map},
    {.name = "del-tlv-map",
     .arguments = "BRIDGE [MAP]",
     .summary = "Make tunnel options no fields any more, without MAP all of them",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_del_tlv_map},
    {.name = "dump-tlv-map",
     .arguments = "BRIDGE",
     .summary = "Print which tunnel options are fields",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_dump_tlv_map},
};

const struct command_rows of_tlv_commands = {rows, ARRAY_SIZE(rows)};
