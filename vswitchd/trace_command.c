/* SPDX-License-Identifier: Apache-2.0 */

/* The words of ofproto/trace and ofproto/trace-packet-out. */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "vswitchd/commands.h"
#include "vswitchd/trace.h"

/* What is no option, in order: [bridge or datapath] flow [packet] [actions]. */
enum { MAX_WORDS = 4 };

struct words {
    const char *list[MAX_WORDS];
    int n;
    bool generates;
};

static int parse_hex(const char *text, struct buffer *bytes, struct error *error)
{
    int high = -1;

    for (const char *at = text; *at; at++) {
        int digit;

        if (isspace((unsigned char)*at))
            continue;
        if (!isxdigit((unsigned char)*at))
            return error_set(error, -EINVAL, "Trailing garbage in packet data");
        digit = isdigit((unsigned char)*at) ? *at - '0' : tolower((unsigned char)*at) - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            *(uint8_t *)buffer_put_uninit(bytes, 1) = (uint8_t)(high << 4 | digit);
            high = -1;
        }
    }
    return high < 0 ? 0 : error_set(error, -EINVAL, "Trailing garbage in packet data");
}

/* What connections will be found in: nothing is tracked, but the words must make sense. */
static int check_ct_state(const char *text, struct error *error)
{
    static const char *const flags[] = {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"};

    while (*text) {
        size_t n = strcspn(text, "|, \t"), i = 0;

        while (i < ARRAY_SIZE(flags) && (strlen(flags[i]) != n || strncmp(text, flags[i], n)))
            i++;
        if (n && i == ARRAY_SIZE(flags))
            return error_set(error, -EINVAL, "%.*s: unknown connection tracking state flag", (int)n,
                             text);
        text += n + (text[n] != '\0');
    }
    return 0;
}

/* Options and how they are treated; those with a value just have it checked. */
static int parse_option(const char *option, const char *value, struct words *words,
                        bool *takes_value, struct error *error)
{
    const char *name = option[1] == '-' ? option + 2 : option + 1;

    *takes_value = !strcmp(name, "ct-next") || !strcmp(name, "l7") || !strcmp(name, "l7-len");
    if (*takes_value && !value)
        return error_set(error, -EINVAL, "Missing argument for option %s", option);
    if (!strcmp(name, "generate"))
        words->generates = true;
    else if (!strcmp(name, "ct-next"))
        return check_ct_state(value, error);
    else if (!*takes_value &&
             strcmp(name, "consistent")) /* Tables are read in one version anyway. */
        return error_set(error, -EINVAL, "%s: unknown option", option);
    return 0;
}

static int collect_words(int n_args, const char *const args[], struct words *words,
                         struct error *error)
{
    for (int i = 0; i < n_args; i++) {
        bool takes_value;

        if (args[i][0] != '-') {
            if (words->n == MAX_WORDS)
                return error_set(error, -EINVAL, "too many arguments");
            words->list[words->n++] = args[i];
            continue;
        }
        int code = parse_option(args[i], i + 1 < n_args ? args[i + 1] : NULL, words, &takes_value,
                                error);
        if (code)
            return code;
        i += takes_value;
    }
    return 0;
}

static bool is_dp_flow(const char *text)
{
    return text[strcspn(text, "(=")] == '(';
}

static bool find_port(void *aux, const char *name, of_port *number)
{
    const struct port_view *port = bridge_view_port_by_name(aux, name);

    if (!port)
        return false;
    *number = port->ofp_port;
    return true;
}

/* Which of the words are what; the last one of a packet-out is the actions. */
static int sort_words(struct words *words, bool is_packet_out, struct trace_request *request,
                      const char **packet, struct error *error)
{
    const char *const *word = words->list;
    int n = words->n;

    if (is_packet_out && n)
        request->actions = word[--n];
    if (!n)
        return error_set(error, -EINVAL, "a bridge and a flow, or a datapath flow, are required");
    if (n > 3)
        return error_set(error, -EINVAL, "too many arguments");
    if (is_dp_flow(word[0])) {
        request->flow_text = *word++;
        n--;
    } else {
        if (n < 2)
            return error_set(error, -EINVAL, "syntax error at %s (or the bridge name was omitted)",
                             word[0]);
        request->flow_text = word[1];
        request->bridge = word[0];
        if (is_dp_flow(word[1])) {
            if (!commands_is_datapath_name(word[0]))
                return error_set(error, -ENODEV, "Cannot find the datapath");
            request->bridge = NULL;
        }
        word += 2;
        n -= 2;
    }
    if (n > 1)
        return error_set(error, -EINVAL, "too many arguments");
    *packet = n ? *word : NULL;
    if (*packet && words->generates)
        return error_set(error, -EINVAL, "Syntax error");
    return 0;
}

static int answer(const struct topology *topology, const struct trace_request *request,
                  struct buffer *out, json_t **json, struct error *error)
{
    if (!json)
        return trace_flow(topology, request, out, error);
    *json = trace_flow_json(topology, request, error);
    return *json ? 0 : error->code;
}

int trace_command(int n_args, const char *const args[], bool is_packet_out,
                  struct datapath *datapath, struct buffer *out, json_t **json, struct error *error)
{
    const struct topology *topology = topology_get();
    struct of_names names = {.find_port = NULL};
    struct trace_request request = {.datapath = datapath};
    struct words words = {.n = 0};
    struct buffer packet = BUFFER_INIT;
    const char *packet_text = NULL;

    int code = collect_words(n_args, args, &words, error);
    if (!code)
        code = sort_words(&words, is_packet_out, &request, &packet_text, error);
    if (!code && packet_text)
        code = parse_hex(packet_text, &packet, error);
    request.learns = words.generates || packet_text;
    if (packet_text) {
        request.packet = packet.data ? packet.data : (const uint8_t *)"";
        request.packet_bytes = packet.size;
    }
    if (!code && request.bridge && topology)
        names.aux = topology_bridge(topology, request.bridge);
    if (names.aux) {
        names.find_port = find_port;
        request.names = &names;
    }
    if (!code)
        code = answer(topology, &request, out, json, error);
    buffer_fini(&packet);
    return code;
}
