/* SPDX-License-Identifier: Apache-2.0 */

/* The words of ofproto/trace and ofproto/trace-packet-out. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vswitchd/commands.h"
#include "vswitchd/trace.h"

/* What is no option, in order: [bridge or datapath] flow [packet] [actions]. */
enum { MAX_WORDS = 4, MAX_PAYLOAD_BYTES = 64000 };

struct words {
    const char *list[MAX_WORDS];
    int n;
    bool generates, is_consistent;
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

enum ct_state { CT_NEW, CT_EST, CT_REL, CT_RPL, CT_INV, CT_TRK, CT_SNAT, CT_DNAT, N_CT_STATES };
enum { N_CT_FLAWS = 4 };
#define CT_BIT(state) (1U << (state))

static const char *const ct_names[N_CT_STATES] = {
    [CT_NEW] = "new", [CT_EST] = "est", [CT_REL] = "rel",   [CT_RPL] = "rpl",
    [CT_INV] = "inv", [CT_TRK] = "trk", [CT_SNAT] = "snat", [CT_DNAT] = "dnat",
};

static int parse_ct_state(const char *text, unsigned *state, struct error *error)
{
    for (*state = 0; *text;) {
        size_t n = strcspn(text, ", \t"), i = 0;

        while (i < N_CT_STATES && (strlen(ct_names[i]) != n || strncmp(text, ct_names[i], n)))
            i++;
        if (n && i == N_CT_STATES)
            return error_set(error, -EINVAL, "%.*s: unknown connection tracking state flag", (int)n,
                             text);
        *state |= n ? CT_BIT(i) : 0;
        text += n + (text[n] != '\0');
    }
    return 0;
}

/* Why no connection is in such a state: every reason. */
static const char *const *ct_state_flaws(unsigned state, const char *flaws[static N_CT_FLAWS + 1])
{
    const unsigned others = state & ~CT_BIT(CT_TRK);
    size_t n = 0;

    if (others == state && state)
        flaws[n++] = "If \"trk\" is unset, no other flags are set";
    if (state & CT_BIT(CT_INV) && others != CT_BIT(CT_INV))
        flaws[n++] = "when \"inv\" is set, only \"trk\" may also be set";
    if (state & CT_BIT(CT_NEW) && state & CT_BIT(CT_EST))
        flaws[n++] = "\"new\" and \"est\" are mutually exclusive";
    if (state & CT_BIT(CT_NEW) && state & CT_BIT(CT_RPL))
        flaws[n++] = "\"new\" and \"rpy\" are mutually exclusive";
    flaws[n] = NULL;
    return flaws;
}

/* What connections will be found in: nothing is tracked, but the words must make sense. */
static int check_ct_state(const char *text, struct error *error)
{
    struct buffer names = BUFFER_INIT, sentence = BUFFER_INIT;
    const char *flaws[N_CT_FLAWS + 1];
    unsigned state;

    if (parse_ct_state(text, &state, error))
        return error->code;
    for (unsigned i = 0; i < N_CT_STATES; i++) {
        if (state & CT_BIT(i))
            buffer_printf(&names, "%s%s", names.size ? "|" : "", ct_names[i]);
    }
    for (const char *const *flaw = ct_state_flaws(state, flaws); *flaw; flaw++)
        buffer_printf(&sentence, "%s%s: invalid connection state: %s", sentence.size ? "\n" : "",
                      buffer_text(&names), *flaw);
    int code = sentence.size ? error_set(error, -EINVAL, "%s", buffer_text(&sentence)) : 0;
    buffer_fini(&names);
    buffer_fini(&sentence);
    return code;
}

/* Of a frame that is made up: tables never look at it. */
static int check_payload(const char *text, struct error *error)
{
    struct buffer bytes = BUFFER_INIT;
    int code = parse_hex(text, &bytes, error);

    buffer_fini(&bytes);
    return code;
}

static int check_payload_bytes(const char *text, struct error *error)
{
    long n = strtol(text, NULL, 10);

    return n >= 0 && n <= MAX_PAYLOAD_BYTES
               ? 0
               : error_set(error, -EINVAL, "%s: too much L7 data", text);
}

/* Those with a value just have it checked. */
static const struct {
    const char *name;
    int (*check)(const char *value, struct error *error);
} options_with_value[] = {
    {"--ct-next", check_ct_state},
    {"--l7", check_payload},
    {"--l7-len", check_payload_bytes},
};

/* How many words it is made of; negative on error. */
static int parse_option(const char *const args[], int n_args, bool is_packet_out,
                        struct words *words, struct error *error)
{
    const char *option = args[0];

    for (size_t i = 0; i < ARRAY_SIZE(options_with_value); i++) {
        if (strcmp(option, options_with_value[i].name))
            continue;
        if (n_args < 2)
            return error_set(error, -EINVAL, "Missing argument for option %s", option);
        return options_with_value[i].check(args[1], error) ? error->code : 2;
    }
    if (!strcmp(option, "-generate") || !strcmp(option, "--generate"))
        words->generates = true;
    else if (is_packet_out && (!strcmp(option, "-consistent") || !strcmp(option, "--consistent")))
        words->is_consistent = true;
    else
        return error_set(error, -EINVAL, "%s: unknown option", option);
    return 1;
}

static int collect_words(const char *const args[], int n_args, bool is_packet_out,
                         struct words *words, struct error *error)
{
    for (int i = 0, n = 1; i < n_args; i += n) {
        bool is_actions = is_packet_out && i == n_args - 1;

        n = 1;
        if (args[i][0] == '-' && !is_actions) {
            n = parse_option(args + i, n_args - i, is_packet_out, words, error);
            if (n < 0)
                return n;
        } else if (words->n == MAX_WORDS) {
            return error_set(error, -EINVAL, "too many arguments");
        } else {
            words->list[words->n++] = args[i];
        }
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

    int code = collect_words(args, n_args, is_packet_out, &words, error);
    if (!code)
        code = sort_words(&words, is_packet_out, &request, &packet_text, error);
    if (!code && packet_text)
        code = parse_hex(packet_text, &packet, error);
    request.learns = words.generates || packet_text;
    request.is_consistent = words.is_consistent;
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
