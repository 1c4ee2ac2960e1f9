/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* request - the methods a client can call (RFC 7047, section 4.1, and Open vSwitch's additions).
 *
 * Threads  One, the loop's. */

#include "ovsdb-lite/session.h"

/* Runs one request or notification of 'session'. */
void request_handle(struct session *session, const struct jsonrpc_message *message);
