/* SPDX-License-Identifier: Apache-2.0 */

/* Ports as OpenFlow sees them: counters, descriptions, configuration bits. */

#include "cli/of_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/openflow/message_text.h"

/* --- dump-ports ---------------------------------------------------------------------------- */

struct listing {
    struct ofconn *connection;
    const struct of_names *names; /* NULL: numbers. */
    struct buffer text;
    json_t *json;   /* NULL: text. */
    of_port wanted; /* OFPP_NONE: all. */
    size_t n;
};

static json_t *stats_json(const struct of_port_stats *stats, const struct of_names *names)
{
    static const struct {
        const char *name;
        size_t offset;
    } counters[] = {
#define COUNTER(member) {#member, offsetof(struct of_port_stats, member)}
        COUNTER(rx_packets),    COUNTER(rx_bytes),        COUNTER(rx_dropped),
        COUNTER(rx_errors),     COUNTER(rx_frame_errors), COUNTER(rx_over_errors),
        COUNTER(rx_crc_errors), COUNTER(tx_packets),      COUNTER(tx_bytes),
        COUNTER(tx_dropped),    COUNTER(tx_errors),       COUNTER(collisions),
#undef COUNTER
    };
    struct buffer port = BUFFER_INIT;
    json_t *object = json_object();

    of_port_format(stats->port, names, &port);
    json_object_set_new(object, "port", json_string(buffer_text(&port)));
    json_object_set_new(object, "ofport", json_integer(stats->port));
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        uint64_t value;

        memcpy(&value, (const char *)stats + counters[i].offset, sizeof value);
        json_object_set_new(object, counters[i].name,
                            value == UINT64_MAX ? json_null() : json_integer((json_int_t)value));
    }
    buffer_fini(&port);
    return object;
}

static int print_port_stats(const struct of_message *message, void *aux, struct error *error)
{
    struct listing *listing = aux;
    struct of_port_stats stats;
    struct of_items items;

    (void)error;
    of_items_init(&items, message);
    for (; of_next_port_stats(&items, &stats); listing->n++) {
        if (listing->json)
            json_array_append_new(listing->json, stats_json(&stats, listing->names));
        else
            of_port_stats_format(&stats, message->version, listing->names, &listing->text);
    }
    return 0;
}

static void print_listing(struct context *context, struct invocation *invocation,
                          struct listing *listing)
{
    if (listing->json)
        json_print_take(json_incref(listing->json), &context->options.style, &invocation->output);
    else
        buffer_puts(&invocation->output, buffer_text(&listing->text));
}

static int begin_listing(struct context *context, struct invocation *invocation,
                         struct listing *listing, struct error *error)
{
    *listing = (struct listing){
        .connection = ofconn_open(context, invocation->args[0], error),
        .json = options_is_json(&context->options) ? json_array() : NULL,
    };
    if (!listing->connection || ofconn_load_names(listing->connection, error) < 0)
        return error->code;
    listing->names = ofconn_print_names(listing->connection);
    return 0;
}

static void end_listing(struct listing *listing)
{
    ofconn_close(listing->connection);
    buffer_fini(&listing->text);
    json_decref(listing->json);
}

static int run_dump_ports(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    struct listing listing;
    of_port port = OFPP_NONE;
    int result = begin_listing(context, invocation, &listing, error);

    if (!result && invocation->n_args > 1)
        result = of_port_parse(invocation->args[1], ofconn_names(listing.connection), &port, error);
    if (!result) {
        uint32_t xid = ofconn_xid(listing.connection);
        of_encode_port_stats_request(port, ofconn_version(listing.connection), xid,
                                     ofconn_output(listing.connection));
        result = ofconn_receive_all(listing.connection, xid, OF_PORT_STATS_REPLY, print_port_stats,
                                    &listing, error);
    }
    if (!result)
        print_listing(context, invocation, &listing);
    end_listing(&listing);
    return result;
}

/* --- dump-ports-desc ----------------------------------------------------------------------- */

/* "" where text has 0. */
static void add_bits(json_t *object, const char *name, uint32_t bits,
                     void (*format)(uint32_t bits, struct buffer *out))
{
    struct buffer text = BUFFER_INIT;

    if (bits)
        format(bits, &text);
    json_object_set_new(object, name, json_string(buffer_text(&text)));
    buffer_fini(&text);
}

static json_t *port_json(const struct of_port_info *info, enum of_version version)
{
    uint32_t now_mbps = info->current_speed_kbps / 1000, max_mbps = info->max_speed_kbps / 1000;
    json_t *object = json_object();
    char mac[18];

    if (version == OF_1_0) {
        now_mbps = of_port_speed_mbps(info->current);
        max_mbps = of_port_speed_mbps(info->supported);
    }
    snprintf(mac, sizeof mac, MAC_FORMAT, MAC_ARGS(info->mac));
    json_object_set_new(object, "port", json_string(info->name));
    json_object_set_new(object, "ofport", json_integer(info->port));
    json_object_set_new(object, "addr", json_string(mac));
    add_bits(object, "config", info->config, of_port_config_format);
    add_bits(object, "state", info->state, of_port_state_format);
    add_bits(object, "current", info->current, of_port_features_format);
    add_bits(object, "advertised", info->advertised, of_port_features_format);
    add_bits(object, "supported", info->supported, of_port_features_format);
    add_bits(object, "peer", info->peer, of_port_features_format);
    json_object_set_new(object, "speed_mbps", json_integer(now_mbps));
    json_object_set_new(object, "max_speed_mbps", json_integer(max_mbps));
    return object;
}

static int print_ports(const struct of_message *message, void *aux, struct error *error)
{
    struct listing *listing = aux;
    struct of_port_info info;
    struct of_items items;

    (void)error;
    of_items_init(&items, message);
    while (of_next_port(&items, &info)) {
        if (listing->wanted != OFPP_NONE && listing->wanted != info.port)
            continue;
        if (listing->json)
            json_array_append_new(listing->json, port_json(&info, message->version));
        else
            of_port_info_format(&info, message->version, &listing->text);
        listing->n++;
    }
    return 0;
}

/* Versions before 1.5 always describe all ports. */
static int describe(struct ofconn *connection, struct listing *listing, struct error *error)
{
    uint32_t xid = ofconn_xid(connection);

    of_encode_port_desc_request(listing->wanted, ofconn_version(connection), xid,
                                ofconn_output(connection));
    return ofconn_receive_all(connection, xid, OF_PORT_DESC_REPLY, print_ports, listing, error);
}

int of_ports_describe(struct ofconn *connection, of_port port, struct buffer *out, json_t *json,
                      struct error *error)
{
    struct listing listing = {.json = json, .wanted = port};
    int result = describe(connection, &listing, error);

    buffer_puts(out, buffer_text(&listing.text));
    buffer_fini(&listing.text);
    return result;
}

static int run_dump_ports_desc(struct context *context, struct invocation *invocation,
                               struct error *error)
{
    const char *port = invocation->n_args > 1 ? invocation->args[1] : "ANY";
    struct listing listing;
    int result = begin_listing(context, invocation, &listing, error);

    if (!result)
        result = of_port_parse(port, ofconn_names(listing.connection), &listing.wanted, error);
    if (!result)
        result = describe(listing.connection, &listing, error);
    if (!result && !listing.n && listing.wanted != OFPP_NONE)
        result = error_set(error, -ENOENT, "the bridge has no port %s", shown(port).text);
    if (!result)
        print_listing(context, invocation, &listing);
    end_listing(&listing);
    return result;
}

/* --- mod-port ------------------------------------------------------------------------------ */

static int parse_action(const char *word, struct of_port_mod *mod, struct error *error)
{
    static const struct {
        const char *word;
        uint32_t bit;
        bool sets;
    } actions[] = {
        {"up", OFPPC_PORT_DOWN, false},
        {"down", OFPPC_PORT_DOWN, true},
        {"stp", OFPPC_NO_STP, false},
        {"no-stp", OFPPC_NO_STP, true},
        {"receive", OFPPC_NO_RECV, false},
        {"no-receive", OFPPC_NO_RECV, true},
        {"receive-stp", OFPPC_NO_RECV_STP, false},
        {"no-receive-stp", OFPPC_NO_RECV_STP, true},
        {"flood", OFPPC_NO_FLOOD, false},
        {"no-flood", OFPPC_NO_FLOOD, true},
        {"forward", OFPPC_NO_FWD, false},
        {"no-forward", OFPPC_NO_FWD, true},
        {"packet-in", OFPPC_NO_PACKET_IN, false},
        {"no-packet-in", OFPPC_NO_PACKET_IN, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (!strcmp(word, actions[i].word)) {
            mod->mask |= actions[i].bit;
            mod->config = actions[i].sets ? mod->config | actions[i].bit
                                          : mod->config & ~actions[i].bit;
            return 0;
        }
    }
    return error_set(error, -EINVAL,
                     "mod-port: %s is not one of up, down, flood, no-flood, "
                     "receive, no-receive, forward, no-forward, packet-in, "
                     "no-packet-in, stp, no-stp",
                     shown(word).text);
}

static int parse_actions(const struct invocation *invocation, struct of_port_mod *mod,
                         struct error *error)
{
    int result = 0;

    *mod = (struct of_port_mod){.config = 0};
    for (size_t i = 2; !result && i < invocation->n_args; i++)
        result = parse_action(invocation->args[i], mod, error);
    return result;
}

static int check_mod_port(const struct invocation *invocation, struct error *error)
{
    struct of_port_mod mod;

    return parse_actions(invocation, &mod, error);
}

struct port_search {
    of_port port;
    struct mac mac;
    bool is_found;
};

static int find_port(const struct of_message *message, void *aux, struct error *error)
{
    struct port_search *search = aux;
    struct of_port_info info;
    struct of_items items;

    (void)error;
    of_items_init(&items, message);
    while (of_next_port(&items, &info)) {
        if (info.port != search->port)
            continue;
        search->mac = info.mac;
        search->is_found = true;
    }
    return 0;
}

static int find_mac(struct ofconn *connection, struct of_port_mod *mod, const char *name,
                    struct error *error)
{
    struct port_search search = {.port = mod->port};
    uint32_t xid = ofconn_xid(connection);

    of_encode_port_desc_request(OFPP_NONE, ofconn_version(connection), xid,
                                ofconn_output(connection));
    int result = ofconn_receive_all(connection, xid, OF_PORT_DESC_REPLY, find_port, &search, error);
    if (!result && !search.is_found)
        result = error_set(error, -ENOENT, "the bridge has no port %s", shown(name).text);
    mod->mac = search.mac;
    return result;
}

static int run_mod_port(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *name = invocation->args[1];
    struct of_port_mod mod;
    int result = parse_actions(invocation, &mod, error);

    if (result)
        return result;
    bool is_of10_only = mod.mask & (OFPPC_NO_STP | OFPPC_NO_RECV_STP | OFPPC_NO_FLOOD);
    struct ofconn *connection =
        ofconn_open_in(context, invocation->args[0],
                       is_of10_only ? OF_VERSION_BIT(OF_1_0) : OF_VERSIONS_KNOWN, error);
    if (!connection || (result = ofconn_load_names(connection, error)) < 0)
        result = error->code;
    if (!result)
        result = of_port_parse(name, ofconn_names(connection), &mod.port, error);
    if (!result)
        result = find_mac(connection, &mod, name, error);
    if (!result) {
        of_encode_port_mod(&mod, ofconn_version(connection), ofconn_xid(connection),
                           ofconn_output(connection));
        result = ofconn_barrier(connection, error);
    }
    ofconn_close(connection);
    return result;
}

static const struct command rows[] = {
    {.name = "dump-ports",
     .arguments = "BRIDGE [PORT]",
     .summary = "Print the counters of ports",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_dump_ports},
    {.name = "dump-ports-desc",
     .arguments = "BRIDGE [PORT]",
     .summary = "Print address, configuration, state and speed of ports",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_dump_ports_desc},
    {.name = "mod-port",
     .arguments = "BRIDGE PORT ACTION...",
     .summary =
         "Configure a port: up, down, [no-]flood, [no-]receive, [no-]forward, [no-]packet-in",
     .group = GROUP_FLOW,
     .min_args = 3,
     .max_args = -1,
     .check = check_mod_port,
     .run = run_mod_port},
};

const struct command_rows of_port_commands = {rows, ARRAY_SIZE(rows)};
