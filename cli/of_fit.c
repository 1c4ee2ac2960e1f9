/* SPDX-License-Identifier: Apache-2.0 */

/* The functions called of_..._fits() are asked about each version, when one does not do. */

#include "cli/of_fit.h"

#include <errno.h>

typedef bool fits_in(const void *change, const struct of_protocol *protocol);

static uint32_t versions_of(const void *change, fits_in *fits)
{
    uint32_t versions = 0;

    for (int version = OF_1_0; version <= OF_1_5; version++) {
        struct of_protocol protocol = {
            .version = (enum of_version)version, .uses_nxm = true, .has_table_id = true};
        if (fits(change, &protocol))
            versions |= OF_VERSION_BIT(version);
    }
    return versions;
}

static int check(struct ofconn *connection, const char *what, const void *change, fits_in *fits,
                 struct error *error)
{
    const struct of_protocol *protocol = ofconn_protocol(connection);
    int minor = protocol->version - OF_1_0;

    if (fits(change, protocol))
        return 0;
    uint32_t possible = versions_of(change, fits);
    bool was_raised = ofconn_is_raised(connection);
    ofconn_want(connection, possible);
    if (!possible)
        return error_set(error, -EPROTO, "no version of OpenFlow can say all of the %s", what);
    if (was_raised)
        return error_set(error, -EPROTO,
                         "the %s cannot be said in OpenFlow 1.%d, which another one needs", what,
                         minor);
    if (possible & OF_VERSION_BIT(protocol->version))
        return error_set(error, -EPROTO, "the %s cannot be said in this format (try -F nxm)", what);
    return error_set(error, -EPROTO, "the %s cannot be said in OpenFlow 1.%d (try -O OpenFlow1%d)",
                     what, minor, __builtin_ctz(possible) - OF_1_0);
}

static bool flow_fits(const void *flow, const struct of_protocol *protocol)
{
    return of_flow_mod_fits(flow, protocol);
}

/* That its importance gets lost is no reason to refuse a flow, but one to choose another version. */
static bool important_flow_fits(const void *change, const struct of_protocol *protocol)
{
    const struct of_flow_mod *flow = change;

    return flow_fits(flow, protocol) && (!flow->importance || protocol->version >= OF_1_4);
}

static bool group_fits(const void *group, const struct of_protocol *protocol)
{
    return of_group_mod_fits(group, protocol->version);
}

static bool frame_fits(const void *frame, const struct of_protocol *protocol)
{
    return of_packet_out_fits(frame, protocol->version);
}

int of_fit_flow(struct ofconn *connection, const struct of_flow_mod *flow, struct error *error)
{
    bool has_choice = ofconn_later_versions(connection);

    return check(connection, "flow", flow, has_choice ? important_flow_fits : flow_fits, error);
}

int of_fit_group(struct ofconn *connection, const struct of_group_mod *group, struct error *error)
{
    return check(connection, "group", group, group_fits, error);
}

int of_fit_frame(struct ofconn *connection, const struct of_packet_out *frame, struct error *error)
{
    return check(connection, "frame", frame, frame_fits, error);
}
