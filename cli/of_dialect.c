/* SPDX-License-Identifier: Apache-2.0 */

/* The formats of flows that ovs-ofctl(8) names are versions, but for four ways to say a flow in
 * OpenFlow 1.0. */

#include "cli/of_dialect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/shown.h"
#include "lib/annotations.h"
#include "lib/buffer.h"

enum { OF10_PLAIN = 1, OF10_TABLE = 2, NXM_PLAIN = 4, NXM_TABLE = 8, ALL_OF10 = 15 };

static const struct {
    const char *name;
    uint32_t versions;
    unsigned of10; /* Ways of OpenFlow 1.0. */
} formats[] = {
    {"any", OF_VERSIONS_KNOWN, ALL_OF10},
    {"OpenFlow10", OF_VERSION_BIT(OF_1_0), OF10_PLAIN | OF10_TABLE},
    {"OpenFlow10-table_id", OF_VERSION_BIT(OF_1_0), OF10_PLAIN},
    {"OpenFlow10+table_id", OF_VERSION_BIT(OF_1_0), OF10_TABLE},
    {"NXM", OF_VERSION_BIT(OF_1_0), NXM_PLAIN | NXM_TABLE},
    {"NXM-table_id", OF_VERSION_BIT(OF_1_0), NXM_PLAIN},
    {"NXM+table_id", OF_VERSION_BIT(OF_1_0), NXM_TABLE},
    {"OpenFlow11", OF_VERSION_BIT(OF_1_1), 0},
    {"OXM", OF_VERSIONS_FROM(OF_1_2), 0},
    {"OXM-OpenFlow12", OF_VERSION_BIT(OF_1_2), 0},
    {"OXM-OpenFlow13", OF_VERSION_BIT(OF_1_3), 0},
    {"OXM-OpenFlow14", OF_VERSION_BIT(OF_1_4), 0},
    {"OXM-OpenFlow15", OF_VERSION_BIT(OF_1_5), 0},
};

static int parse_versions(const char *text, uint32_t *versions, struct error *error)
{
    char *copy, *rest, *word;

    *versions = 0;
    copy = rest = strdup(text);
    while ((word = strsep(&rest, ", "))) {
        enum of_version version = of_version_by_name(word);
        if (!version) {
            error_set(error, -EINVAL, "-O %s: versions are OpenFlow10 to OpenFlow15",
                      shown(word).text);
            free(copy);
            return -EINVAL;
        }
        *versions |= OF_VERSION_BIT(version);
    }
    free(copy);
    return 0;
}

static int parse_format(const char *word, uint32_t *versions, unsigned *of10, struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (strcasecmp(word, formats[i].name))
            continue;
        *versions |= formats[i].versions;
        *of10 |= formats[i].of10;
        return 0;
    }
    return error_set(error, -EINVAL,
                     "-F %s: formats of flows are any, OpenFlow10, NXM (either with -table_id or "
                     "+table_id), OXM and OXM-OpenFlow12 to OXM-OpenFlow15",
                     shown(word).text);
}

static int parse_formats(const char *text, uint32_t *versions, unsigned *of10, struct error *error)
{
    char *copy, *rest, *word;
    int result = 0;

    *versions = *of10 = 0;
    copy = rest = strdup(text);
    while (!result && (word = strsep(&rest, ", ")))
        result = parse_format(word, versions, of10, error);
    free(copy);
    return result;
}

static void put_versions(uint32_t versions, struct buffer *out)
{
    const char *separator = "";

    for (int version = OF_1_0; version <= OF_1_5; version++) {
        if (!(versions & OF_VERSION_BIT(version)))
            continue;
        buffer_printf(out, "%sOpenFlow1%d", separator, version - OF_1_0);
        separator = " or ";
    }
}

static int refuse(const struct options *options, uint32_t possible, struct error *error)
{
    struct buffer text = BUFFER_INIT;
    const char *of = options->of_version, *format = options->flow_format;

    if (possible == OF_VERSIONS_KNOWN)
        return error_set(error, -EPROTONOSUPPORT, "-O %s and -F %s exclude each other",
                         shown(of).text, shown(format).text);
    put_versions(possible, &text);
    error_set(error, -EPROTONOSUPPORT, "%s%s%s%s%s: this can only be said in %s", of ? "-O " : "",
              of ? shown(of).text : "", of && format ? " " : "", format ? "-F " : "",
              format ? shown(format).text : "", buffer_text(&text));
    buffer_fini(&text);
    return -EPROTONOSUPPORT;
}

/* 'of_flows' are the versions of -F. */
static int parse(const struct options *options, uint32_t *versions, uint32_t *of_flows,
                 unsigned *of10, struct error *error)
{
    int result = 0;

    *versions = *of_flows = OF_VERSIONS_KNOWN;
    *of10 = ALL_OF10;
    if (options->of_version)
        result = parse_versions(options->of_version, versions, error);
    if (!result && options->flow_format)
        result = parse_formats(options->flow_format, of_flows, of10, error);
    return result;
}

int of_dialect_check(const struct options *options, struct error *error)
{
    uint32_t versions, of_flows;
    unsigned of10;

    return parse(options, &versions, &of_flows, &of10, error);
}

int of_dialect_choose(const struct options *options, uint32_t possible, struct of_dialect *dialect,
                      struct error *error)
{
    uint32_t versions, of_flows;
    unsigned of10;

    if (parse(options, &versions, &of_flows, &of10, error))
        return error->code;
    versions &= of_flows & possible;
    if (!versions)
        return refuse(options, possible, error);
    uint32_t later = 0;
    if (!options->of_version && versions & OF_VERSION_BIT(OF_1_0)) {
        later = versions & OF_VERSIONS_FROM(OF_1_1);
        versions = OF_VERSION_BIT(OF_1_0);
    }
    *dialect = (struct of_dialect){
        .versions = versions,
        .later = later,
        .uses_nxm = of10 & (NXM_PLAIN | NXM_TABLE),
        .has_table_id = of10 & (OF10_TABLE | NXM_TABLE),
    };
    return 0;
}

int of_dialect_choose_bundle(const struct options *options, struct of_dialect *dialect,
                             struct error *error)
{
    struct options without = *options;
    uint32_t versions = 0;

    if (options->of_version && parse_versions(options->of_version, &versions, error) < 0)
        return error->code;
    if (!(versions & OF_VERSIONS_FROM(OF_1_3)))
        without.of_version = NULL;
    return of_dialect_choose(&without, OF_VERSIONS_FROM(OF_1_3), dialect, error);
}

int of_packet_in_format_parse(const char *word, enum of_packet_in_format *format,
                              struct error *error)
{
    static const struct {
        const char *name;
        enum of_packet_in_format format;
    } known[] = {
        {"standard", OF_PACKET_IN_STANDARD},   {"openflow10", OF_PACKET_IN_STANDARD},
        {"nxt_packet_in", OF_PACKET_IN_NXT},   {"nxm", OF_PACKET_IN_NXT},
        {"nxt_packet_in2", OF_PACKET_IN_NXT2},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strcasecmp(word, known[i].name))
            continue;
        *format = known[i].format;
        return 0;
    }
    return error_set(error, -EINVAL,
                     "-P %s: formats of packet-ins are standard, nxt_packet_in and nxt_packet_in2",
                     shown(word).text);
}
