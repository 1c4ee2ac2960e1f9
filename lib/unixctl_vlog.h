/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* unixctl_vlog - the commands vlog/... of lib/unixctl.h: what is logged where. */

struct unixctl_server;

void unixctl_vlog_register(struct unixctl_server *server);
