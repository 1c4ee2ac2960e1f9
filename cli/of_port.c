/* SPDX-License-Identifier: Apache-2.0 */

/* Ports as OpenFlow sees them: counters, descriptions, configuration bits. */

#include "cli/of_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/stats.h"

/* --- dump-ports ---------------------------------------------------------------------------- */

struct listing {
    struct ofconn *connection;
    const struct of_names *names; /* NULL: numbers. */
    struct buffer text;
    json_t *json; /* NULL: text. */
    bool has_duration;
    of_port wanted; /* OFPP_NONE: all. */
    size_t n;
};

static void print_counter(struct buffer *out, const char *name, uint64_t value, const char *end)
{
    if (value == UINT64_MAX)
        buffer_printf(out, "%s=?%s", name, end);
    else
        buffer_printf(out, "%s=%" PRIu64 "%s", name, value, end);
}

static const struct {
    const char *name;  /* As ovs-ofctl(8) prints it. */
    const char *field; /* In JSON. */
    size_t offset;
    const char *end;
} counters[] = {
#define COUNTER(name, member, end)                                 \
    {                                                              \
        name, #member, offsetof(struct of_port_stats, member), end \
    }
    COUNTER("rx pkts", rx_packets, ", "),
    COUNTER("bytes", rx_bytes, ", "),
    COUNTER("drop", rx_dropped, ", "),
    COUNTER("errs", rx_errors, ", "),
    COUNTER("frame", rx_frame_errors, ", "),
    COUNTER("over", rx_over_errors, ", "),
    COUNTER("crc", rx_crc_errors, "\n           "),
    COUNTER("tx pkts", tx_packets, ", "),
    COUNTER("bytes", tx_bytes, ", "),
    COUNTER("drop", tx_dropped, ", "),
    COUNTER("errs", tx_errors, ", "),
    COUNTER("coll", collisions, "\n"),
#undef COUNTER
};

static uint64_t counter_of(const struct of_port_stats *stats, size_t i)
{
    uint64_t value;

    memcpy(&value, (const char *)stats + counters[i].offset, sizeof value);
    return value;
}

static void list_stats(const struct of_port_stats *stats, struct listing *listing)
{
    struct buffer port = BUFFER_INIT;
    json_t *object = json_object();

    of_port_format(stats->port, listing->names, &port);
    if (!listing->json)
        buffer_printf(&listing->text, "  port %2s: ", buffer_text(&port));
    json_object_set_new(object, "port", json_string(buffer_text(&port)));
    json_object_set_new(object, "ofport", json_integer(stats->port));
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        uint64_t value = counter_of(stats, i);
        if (listing->json)
            json_object_set_new(object, counters[i].field,
                                value == UINT64_MAX ? json_null()
                                                    : json_integer((json_int_t)value));
        else
            print_counter(&listing->text, counters[i].name, value, counters[i].end);
    }
    if (listing->json)
        json_array_append_new(listing->json, object);
    else
        json_decref(object);
    if (!listing->json && listing->has_duration)
        buffer_printf(&listing->text, "           duration=%u.%03us\n", stats->duration_s,
                      stats->duration_ns / 1000000);
    buffer_fini(&port);
}

static int print_port_stats(const struct of_message *message, void *aux, struct error *error)
{
    struct listing *listing = aux;
    struct of_port_stats stats;
    struct of_items items;

    (void)error;
    listing->has_duration = message->version >= OF_1_3;
    of_items_init(&items, message);
    for (; of_next_port_stats(&items, &stats); listing->n++)
        list_stats(&stats, listing);
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
    listing->names = ofconn_print_names(listing->connection, invocation);
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

struct bit_name {
    uint32_t bit;
    const char *name;
    uint32_t speed_mbps;
};

static const struct bit_name config_names[] = {
    {OFPPC_PORT_DOWN, "PORT_DOWN", 0},       {OFPPC_NO_STP, "NO_STP", 0},
    {OFPPC_NO_RECV, "NO_RECV", 0},           {OFPPC_NO_RECV_STP, "NO_RECV_STP", 0},
    {OFPPC_NO_FLOOD, "NO_FLOOD", 0},         {OFPPC_NO_FWD, "NO_FWD", 0},
    {OFPPC_NO_PACKET_IN, "NO_PACKET_IN", 0},
};

static const struct bit_name state_names[] = {
    {OFPPS_LINK_DOWN, "LINK_DOWN", 0}, {OFPPS_BLOCKED, "BLOCKED", 0}, {OFPPS_LIVE, "LIVE", 0}};

static const struct bit_name feature_names[] = {
    {OFPPF_10MB_HD, "10MB-HD", 10},
    {OFPPF_10MB_FD, "10MB-FD", 10},
    {OFPPF_100MB_HD, "100MB-HD", 100},
    {OFPPF_100MB_FD, "100MB-FD", 100},
    {OFPPF_1GB_HD, "1GB-HD", 1000},
    {OFPPF_1GB_FD, "1GB-FD", 1000},
    {OFPPF_10GB_FD, "10GB-FD", 10000},
    {OFPPF_40GB_FD, "40GB-FD", 40000},
    {OFPPF_100GB_FD, "100GB-FD", 100000},
    {OFPPF_1TB_FD, "1TB-FD", 1000000},
    {OFPPF_OTHER, "OTHER", 0},
    {OFPPF_COPPER, "COPPER", 0},
    {OFPPF_FIBER, "FIBER", 0},
    {OFPPF_AUTONEG, "AUTO_NEG", 0},
    {OFPPF_PAUSE, "AUTO_PAUSE", 0},
    {OFPPF_PAUSE_ASYM, "AUTO_PAUSE_ASYM", 0},
};

/* OpenFlow 1.0 tells speeds by these bits only. */
static uint32_t speed_mbps(uint32_t speed_kbps, uint32_t features)
{
    uint32_t highest = speed_kbps / 1000;

    for (size_t i = 0; !speed_kbps && i < ARRAY_SIZE(feature_names); i++)
        if (features & feature_names[i].bit && feature_names[i].speed_mbps > highest)
            highest = feature_names[i].speed_mbps;
    return highest;
}

static void format_bits(uint32_t bits, const struct bit_name *names, size_t n, struct buffer *out)
{
    const char *separator = "";

    for (size_t i = 0; i < n; i++) {
        if (!(bits & names[i].bit))
            continue;
        buffer_printf(out, "%s%s", separator, names[i].name);
        separator = " ";
        bits &= ~names[i].bit;
    }
    if (bits || !*separator)
        buffer_printf(out, "%s%#x", separator, bits);
}

static void print_bits(struct listing *listing, json_t *object, const char *name, uint32_t bits,
                       const struct bit_name *names, size_t n, bool is_always)
{
    struct buffer text = BUFFER_INIT;

    format_bits(bits, names, n, &text);
    if (listing->json)
        json_object_set_new(object, name, json_string(bits ? buffer_text(&text) : ""));
    else if (bits || is_always)
        buffer_printf(&listing->text, "     %s:%*s%s\n", name, (int)(11 - strlen(name)), "",
                      bits ? buffer_text(&text) : "0");
    buffer_fini(&text);
}

static void list_port(const struct of_port_info *info, struct listing *listing)
{
    struct buffer number = BUFFER_INIT;
    char mac[18];
    json_t *object = json_object();

    of_port_format(info->port, NULL, &number);
    snprintf(mac, sizeof mac, MAC_FORMAT, MAC_ARGS(info->mac));
    json_object_set_new(object, "port", json_string(info->name));
    json_object_set_new(object, "ofport", json_integer(info->port));
    json_object_set_new(object, "addr", json_string(mac));
    if (!listing->json)
        buffer_printf(&listing->text, " %s(%s): addr:%s\n", buffer_text(&number), info->name, mac);
    print_bits(listing, object, "config", info->config, config_names, ARRAY_SIZE(config_names),
               true);
    print_bits(listing, object, "state", info->state, state_names, ARRAY_SIZE(state_names), true);
    print_bits(listing, object, "current", info->current, feature_names, ARRAY_SIZE(feature_names),
               false);
    print_bits(listing, object, "advertised", info->advertised, feature_names,
               ARRAY_SIZE(feature_names), false);
    print_bits(listing, object, "supported", info->supported, feature_names,
               ARRAY_SIZE(feature_names), false);
    print_bits(listing, object, "peer", info->peer, feature_names, ARRAY_SIZE(feature_names),
               false);
    uint32_t now_mbps = speed_mbps(info->current_speed_kbps, info->current);
    uint32_t max_mbps = speed_mbps(info->max_speed_kbps, info->supported);
    json_object_set_new(object, "speed_mbps", json_integer(now_mbps));
    json_object_set_new(object, "max_speed_mbps", json_integer(max_mbps));
    if (listing->json)
        json_array_append(listing->json, object);
    else
        buffer_printf(&listing->text, "     speed: %u Mbps now, %u Mbps max\n", now_mbps, max_mbps);
    json_decref(object);
    buffer_fini(&number);
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
        list_port(&info, listing);
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
    struct of_port_mod mod = {.config = 0};
    int result = 0;

    for (size_t i = 2; !result && i < invocation->n_args; i++)
        result = parse_action(invocation->args[i], &mod, error);
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
     .options = "--names --no-names",
     .summary = "Print the counters of ports",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_dump_ports},
    {.name = "dump-ports-desc",
     .arguments = "BRIDGE [PORT]",
     .options = "--names --no-names",
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
     .run = run_mod_port},
};

const struct command_rows of_port_commands = {rows, ARRAY_SIZE(rows)};
