/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* xdp_programs - which XDP programs are on a device?
 *
 * libbpf asks for all devices to find one, which is too much for somebody who looks at each.
 *
 * Threads  Any: each call is one exchange on a socket of its own. */

#include <stdint.h>

struct nlattr;

/* By their numbers; 0: none. */
struct xdp_programs {
    uint32_t native, generic, hardware;
};

/* 0 or negative errno. */
int xdp_programs_get(int ifindex, struct xdp_programs *programs);

/* From a message about a link: what is in its attribute IFLA_XDP. */
void xdp_programs_parse(const struct nlattr *xdp, struct xdp_programs *programs);
