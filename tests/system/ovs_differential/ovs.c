/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/system/ovs_differential/ovs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/jsonrpc_client.h"

struct ovs {
    char *run_dir;
    char *socket; /* Its control socket. */
    int captures[RIG_BRIDGES][RIG_PORTS];
    uint32_t port_configs[RIG_BRIDGES][RIG_PORTS + 1]; /* What it was told last. */
};

static void PRINTF_LIKE(1, 2) give_up(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void PRINTF_LIKE(1, 2) run(const char *format, ...)
{
    struct buffer command = BUFFER_INIT;
    va_list args;

    va_start(args, format);
    buffer_vprintf(&command, format, args);
    va_end(args);
    if (system(buffer_text(&command)))
        give_up("failed: %s", buffer_text(&command));
    buffer_fini(&command);
}

static struct jsonrpc_client *open_control(struct ovs *ovs)
{
    struct error error = ERROR_INIT;
    struct jsonrpc_client *control =
        jsonrpc_client_connect(ovs->socket, clock_now_ns() + 60 * SECOND_NS, &error);

    if (!control)
        give_up("%s", error.message);
    return control;
}

static void ask(struct jsonrpc_client *control, const char *command, size_t n_args,
                const char *const args[])
{
    struct error error = ERROR_INIT;
    json_t *params = json_array();

    for (size_t i = 0; i < n_args; i++)
        json_array_append_new(params, json_string(args[i]));
    if (jsonrpc_client_send_take(control, jsonrpc_request_take(command, params, json_integer(0)),
                                 &error))
        give_up("%s: %s", command, error.message);
}

/* The answer to the first question that has none yet; the caller's to free. */
static char *hear(struct jsonrpc_client *control)
{
    struct error error = ERROR_INIT;
    struct jsonrpc_message message;

    if (jsonrpc_client_receive(control, &message, &error))
        give_up("ovs-vswitchd: %s", error.message);
    if (message.type != JSONRPC_REPLY)
        give_up("ovs-vswitchd: %s", json_string_value(message.error));
    char *answer = strdup(json_string_value(message.result));
    jsonrpc_message_fini(&message);
    return answer;
}

static char *call(struct ovs *ovs, const char *command, size_t n_args, const char *const args[])
{
    struct jsonrpc_client *control = open_control(ovs);

    ask(control, command, n_args, args);
    char *answer = hear(control);
    jsonrpc_client_destroy(control);
    return answer;
}

static int open_capture(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        give_up("%s: %s", path, strerror(errno));
    return fd;
}

struct ovs *ovs_open(const char *run_dir)
{
    struct ovs *ovs = calloc(1, sizeof *ovs);
    char path[512];

    if (!ovs)
        abort();
    snprintf(path, sizeof path, "%s/vswitchd.ctl", run_dir);
    ovs->run_dir = strdup(run_dir);
    ovs->socket = strdup(path);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        run("ovs-vsctl -t 60 add-br br%d -- set bridge br%d datapath-type=dummy fail-mode=secure "
            "protocols=OpenFlow10,OpenFlow13,OpenFlow15",
            b, b);
        for (int n = 1; n < RIG_PORTS; n++) {
            run("ovs-vsctl -t 60 add-port br%d b%dp%d -- set interface b%dp%d type=dummy "
                "ofport_request=%d options:tx_pcap=%s/b%dp%d.pcap",
                b, b, n, b, n, n, run_dir, b, n);
            snprintf(path, sizeof path, "%s/b%dp%d.pcap", run_dir, b, n);
            ovs->captures[b][n] = open_capture(path);
        }
        run("ovs-vsctl -t 60 add-port br%d patch%d -- set interface patch%d type=patch "
            "ofport_request=%d options:peer=patch%d",
            b, b, b, RIG_PATCH, !b);
    }
    return ovs;
}

void ovs_close(struct ovs *ovs)
{
    for (int b = 0; b < RIG_BRIDGES; b++)
        for (int n = 1; n < RIG_PORTS; n++)
            close(ovs->captures[b][n]);
    free(ovs->run_dir);
    free(ovs->socket);
    free(ovs);
}

static void put_port_settings(struct buffer *vsctl, const char *name, const struct rig_port *port)
{
    static const char *const modes[] = {
        [PORT_VLAN_TRUNK] = "trunk",
        [PORT_VLAN_ACCESS] = "access",
        [PORT_VLAN_NATIVE_TAGGED] = "native-tagged",
        [PORT_VLAN_NATIVE_UNTAGGED] = "native-untagged",
    };

    buffer_printf(vsctl, " -- set port %s vlan_mode=%s other-config:priority-tags=%s", name,
                  modes[port->vlan_mode], port->sends_priority_tags ? "true" : "false");
    if (port->vlan_mode == PORT_VLAN_TRUNK)
        buffer_puts(vsctl, " tag=[]");
    else
        buffer_printf(vsctl, " tag=%u", port->tag);
    buffer_puts(vsctl, " trunks=[");
    for (int vid = 0, n = 0; vid < 64; vid++) {
        if (port->trunks >> vid & 1)
            buffer_printf(vsctl, "%s%d", n++ ? "," : "", vid);
    }
    buffer_puts(vsctl, "]");
}

static void put_port_config(struct ovs *ovs, struct buffer *ofctl, int b, int n, uint32_t config)
{
    static const struct {
        uint32_t bit;
        const char *set, *clear;
    } bits[] = {
        {OFPPC_NO_FLOOD, "no-flood", "flood"},
        {OFPPC_NO_RECV, "no-receive", "receive"},
        {OFPPC_NO_FWD, "no-forward", "forward"},
        {OFPPC_NO_RECV_STP, "no-receive-stp", "receive-stp"},
        {OFPPC_NO_PACKET_IN, "no-packet-in", "packet-in"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        if ((config ^ ovs->port_configs[b][n]) & bits[i].bit)
            buffer_printf(ofctl, "ovs-ofctl mod-port br%d %d %s && ", b, n,
                          config & bits[i].bit ? bits[i].set : bits[i].clear);
    }
    ovs->port_configs[b][n] = config;
}

void ovs_forget_stations(struct ovs *ovs)
{
    free(call(ovs, "fdb/flush", 0, NULL));
}

void ovs_forget_lessons(int table_id)
{
    for (int b = 0; b < RIG_BRIDGES; b++)
        run("ovs-ofctl del-flows br%d table=%d", b, table_id);
}

/* From an answer to fdb/show: lines of port, VLAN, address and age below a heading. */
static void note_stations(char *text, struct buffer *stations)
{
    char *save = NULL;

    strtok_r(text, "\n", &save);
    for (char *line; (line = strtok_r(NULL, "\n", &save));) {
        char port[16], mac[18];
        unsigned int vid;

        if (sscanf(line, "%15s %u %17s", port, &vid, mac) != 3)
            give_up("fdb/show: %s", line);
        buffer_printf(stations, "%s %u %s\n", port, vid, mac);
    }
}

void ovs_configure(struct ovs *ovs, const struct rig_settings *settings)
{
    static const char *const frag_modes[] = {
        [OF_FRAG_NORMAL] = "normal", [OF_FRAG_DROP] = "drop", [OF_FRAG_NX_MATCH] = "nx-match"};
    struct buffer vsctl = BUFFER_INIT, ofctl = BUFFER_INIT;

    buffer_printf(&vsctl, "ovs-vsctl -t 60 set Open_vSwitch . other-config:vlan-limit=%u",
                  settings->vlan_limit);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        const struct rig_bridge *bridge = &settings->bridges[b];

        buffer_printf(&vsctl, " -- set bridge br%d other-config:forward-bpdu=%s", b,
                      bridge->forwards_bpdu ? "true" : "false");
        buffer_printf(&ofctl, "ovs-ofctl del-flows br%d && ovs-ofctl set-frags br%d %s && ", b, b,
                      frag_modes[bridge->frag_mode]);
        for (int n = 1; n <= RIG_PORTS; n++) {
            char name[16];

            snprintf(name, sizeof name, n == RIG_PATCH ? "patch%d" : "b%dp%d", b, n);
            put_port_settings(&vsctl, name, &bridge->ports[n]);
            put_port_config(ovs, &ofctl, b, n, bridge->ports[n].config);
        }
    }
    run("%s", buffer_text(&vsctl));
    run("%s true", buffer_text(&ofctl));
    ovs_forget_stations(ovs);
    buffer_fini(&vsctl);
    buffer_fini(&ofctl);
}

static void write_file(const struct ovs *ovs, const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", ovs->run_dir, name);
    file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file))
        give_up("%s: %s", path, strerror(errno));
}

void ovs_add_flows(struct ovs *ovs, int bridge, bool is_modern, const char *flows)
{
    write_file(ovs, "flows", flows);
    run("ovs-ofctl %s add-flows br%d %s/flows", is_modern ? "-O OpenFlow13" : "", bridge,
        ovs->run_dir);
}

void ovs_replace_groups(struct ovs *ovs, int bridge, const char *groups)
{
    write_file(ovs, "groups", groups);
    run("ovs-ofctl -O OpenFlow15 del-groups br%d", bridge);
    run("ovs-ofctl -O OpenFlow15 add-groups br%d %s/groups", bridge, ovs->run_dir);
}

void ovs_replace_meters(struct ovs *ovs, int bridge, const char *meters)
{
    write_file(ovs, "meters", meters);
    run("ovs-ofctl -O OpenFlow13 del-meters br%d", bridge);
    run("while read meter; do ovs-ofctl -O OpenFlow13 add-meter br%d $meter || exit; done "
        "<%s/meters",
        bridge, ovs->run_dir);
}

void ovs_note_output(struct buffer *output, const uint8_t *frame, size_t n_bytes)
{
    buffer_printf(output, "%zu:", n_bytes);
    for (size_t i = 0; i < n_bytes; i++)
        buffer_printf(output, "%02x", frame[i]);
    buffer_putc(output, '\n');
}

/* What has been added to a capture file since: records of 16 bytes of header, the third word of which is the
 * length, and the frame.  The file itself begins with 24 bytes. */
static void read_capture(int fd, struct buffer *output)
{
    uint32_t header[4];

    if (lseek(fd, 0, SEEK_CUR) == 0 && lseek(fd, 24, SEEK_SET) != 24)
        give_up("capture: %s", strerror(errno));
    while (read(fd, header, sizeof header) == sizeof header) {
        uint8_t frame[65536];

        if (header[2] > sizeof frame || read(fd, frame, header[2]) != (ssize_t)header[2])
            give_up("capture: a record is cut short");
        ovs_note_output(output, frame, header[2]);
    }
}

static void put_hex(char *text, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
}

void ovs_send(struct ovs *ovs, int bridge, int port, const uint8_t *frame, size_t n_bytes,
              struct ovs_result *result)
{
    char name[16], hex[2 * 2048 + 1] = "";
    const char *const receive[] = {name, hex};
    const char *const datapath[] = {"dummy@ovs-dummy"}, *const bridges[] = {"br0", "br1"};

    snprintf(name, sizeof name, "b%dp%d", bridge, port);
    put_hex(hex, frame, n_bytes);
    free(call(ovs, "netdev-dummy/receive", 2, receive));

    /* Waiting frames are treated before a connection is taken on: when this one answers, ours has passed. */
    struct jsonrpc_client *control = open_control(ovs);
    ask(control, "dpctl/del-flows", 1, datapath);
    for (int b = 0; b < RIG_BRIDGES; b++)
        ask(control, "fdb/show", 1, &bridges[b]);
    free(hear(control));
    for (int b = 0; b < RIG_BRIDGES; b++) {
        char *text = hear(control);

        note_stations(text, &result->stations[b]);
        free(text);
    }
    jsonrpc_client_destroy(control);
    for (int b = 0; b < RIG_BRIDGES; b++)
        for (int n = 1; n < RIG_PORTS; n++)
            read_capture(ovs->captures[b][n], &result->frames[b][n]);
}

char *ovs_trace(struct ovs *ovs, int bridge, int port, const uint8_t *frame, size_t n_bytes)
{
    char name[16], in_port[32], hex[2 * 2048 + 1] = "";
    const char *const args[] = {name, in_port, hex};

    snprintf(name, sizeof name, "br%d", bridge);
    snprintf(in_port, sizeof in_port, "in_port=%d", port);
    put_hex(hex, frame, n_bytes);
    return call(ovs, "ofproto/trace", 3, args);
}
