/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/commands_flow_dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/hash.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/vswitch.h"

/* --- Names ---------------------------------------------------------------------------------- */

struct flow_ufid flow_ufid_of(const struct dp_flow_info *flow)
{
    struct flow_ufid ufid = {.words = {flow->is_in_kernel, 1}};

    for (size_t i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t mask = flow_key_words_const(flow->mask)[i];

        for (int half = 0; half < 2; half++) {
            uint64_t hash = hash_mix(ufid.words[half], mask + (uint64_t)half);
            ufid.words[half] = hash_mix(hash, flow_key_words_const(flow->key)[i] & mask);
        }
    }
    for (int half = 0; half < 2; half++)
        ufid.words[half] = (uint64_t)hash_finish(ufid.words[half]) << 32 |
                           hash_finish(ufid.words[half] ^ hash_seed);
    return ufid;
}

void flow_ufid_format(struct flow_ufid ufid, struct buffer *out)
{
    uint64_t high = ufid.words[0], low = ufid.words[1];

    buffer_printf(out, "ufid:%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                  high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48,
                  low & UINT64_C(0xffffffffffff));
}

bool flow_ufid_parse(const char *text, struct flow_ufid *ufid)
{
    uint64_t parts[5];
    int n = 0;

    if (!strncmp(text, "ufid:", 5))
        text += 5;
    if (strlen(text) != 36 || strspn(text, "0123456789abcdefABCDEF-") != 36 ||
        sscanf(text, "%8" SCNx64 "-%4" SCNx64 "-%4" SCNx64 "-%4" SCNx64 "-%12" SCNx64 "%n",
               &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &n) != 5 ||
        n != 36)
        return false;
    ufid->words[0] = parts[0] << 32 | parts[1] << 16 | parts[2];
    ufid->words[1] = parts[3] << 48 | parts[4];
    return true;
}

/* --- Lines ---------------------------------------------------------------------------------- */

void flow_dump_put(struct flow_dump *dump, const struct dp_flow_info *flow, struct buffer *out)
{
    struct buffer line = BUFFER_INIT;

    dp_flow_format(&line, flow, dump->with_names ? commands_port_name : NULL, dump->vswitch);
    if (!dump->with_ufid) {
        buffer_put(out, line.data, line.size);
        buffer_fini(&line);
        return;
    }
    const char *text = buffer_text(&line), *actions = strstr(text, ", actions:");
    size_t n_match = actions ? (size_t)(actions - text) : line.size;
    flow_ufid_format(flow_ufid_of(flow), out);
    buffer_printf(out, "%s%.*s", dump->ufid_end, (int)n_match, text);
    if (!flow->is_in_kernel && dump->with_place)
        buffer_puts(out, ", dp:ovs");
    buffer_puts(out, text + n_match);
    buffer_fini(&line);
}

static json_t *flow_json(const struct flow_dump *dump, const struct dp_flow_info *flow)
{
    struct buffer text = BUFFER_INIT, actions = BUFFER_INIT, ufid = BUFFER_INIT;
    const char *end;
    json_t *json;

    dp_flow_format(&text, flow, commands_port_name, dump->vswitch);
    dp_actions_format(&actions, flow->actions, flow->n_actions, flow->key, flow->mask,
                      commands_port_name, dump->vswitch);
    flow_ufid_format(flow_ufid_of(flow), &ufid);
    end = strstr(buffer_text(&text), ", packets:");
    json = json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:b, s:b, s:I, s:s}", "match",
        json_stringn(buffer_text(&text), end ? (size_t)(end - buffer_text(&text)) : text.size),
        "actions", buffer_text(&actions), "packets", (json_int_t)flow->n_packets, "bytes",
        (json_int_t)flow->n_bytes, "used_ns", (json_int_t)flow->used_ns, "stale",
        (int)flow->is_stale, "in_kernel", (int)flow->is_in_kernel, "kernel_flows",
        (json_int_t)flow->n_kernel_entries, "ufid", buffer_text(&ufid) + strlen("ufid:"));
    buffer_fini(&text);
    buffer_fini(&actions);
    buffer_fini(&ufid);
    return json;
}

/* --- All of them ---------------------------------------------------------------------------- */

void flow_dump_init(struct flow_dump *dump, struct vswitch *vswitch)
{
    *dump = (struct flow_dump){.vswitch = vswitch,
                               .is_of_userspace = true,
                               .with_place = true,
                               .ufid_end = ", ",
                               .text = BUFFER_INIT};
}

static bool is_of_bridge(const struct flow_dump *dump, const struct dp_flow_info *flow)
{
    uint32_t in_port = be32_host(flow->key->in_port);
    const struct interface *interface = in_port < ARRAY_SIZE(dump->vswitch->by_dp_port)
                                            ? dump->vswitch->by_dp_port[in_port]
                                            : NULL;

    return !dump->bridge || (interface && interface->bridge == dump->bridge);
}

static bool passes_filter(const struct flow_dump *dump, const struct dp_flow_info *flow)
{
    const uint64_t *key = flow_key_words_const(flow->key);

    for (size_t i = 0; dump->filter && i < FLOW_KEY_WORDS; i++) {
        if ((key[i] ^ flow_key_words_const(&dump->filter->flow.key)[i]) &
            flow_key_words_const(&dump->filter->mask.key)[i])
            return false;
    }
    return true;
}

static bool dump_flow(const struct dp_flow_info *flow, void *arg)
{
    struct flow_dump *dump = arg;

    if (!is_of_bridge(dump, flow) || !passes_filter(dump, flow))
        return true;
    if (dump->json) {
        json_array_append_new(dump->json, flow_json(dump, flow));
        return true;
    }
    flow_dump_put(dump, flow, &dump->text);
    buffer_putc(&dump->text, '\n');
    return true;
}

void flow_dump_reply(struct flow_dump *dump, struct unixctl_request *request)
{
    if (unixctl_request_wants_json(request))
        dump->json = json_array();
    datapath_push_stats(dump->vswitch->datapath);
    if (dump->is_of_userspace)
        datapath_flow_each(dump->vswitch->datapath, dump_flow, dump);
    if (dump->is_of_kernel)
        datapath_kernel_flow_each(dump->vswitch->datapath, dump_flow, dump);
    if (dump->json)
        unixctl_reply_json_take(request, dump->json);
    else
        unixctl_reply(request, buffer_text(&dump->text));
    buffer_fini(&dump->text);
}

bool flow_dump_parse_option(struct flow_dump *dump, const char *argument)
{
    if (!strcmp(argument, "-m") || !strcmp(argument, "--more"))
        dump->with_names = dump->with_ufid = true;
    else if (!strcmp(argument, "--names"))
        dump->with_names = true;
    else if (!strcmp(argument, "--no-names"))
        dump->with_names = false;
    else
        return false;
    return true;
}
