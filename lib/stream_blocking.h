/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* stream_blocking - streams for a program that waits: the CLI.
 *
 * Threads  Any.
 * Time     'deadline_ns' is of clock_now_ns(), INT64_MAX for none: then -ETIMEDOUT. */

#include <stdint.h>

#include "lib/socket_address.h"
#include "lib/stream.h"

/* A stream that is good for use; NULL on error.  'tls' is borrowed for the call, and may be NULL if the
 * address is not TLS. */
struct stream *stream_connect_until(const struct socket_address *address, struct tls *tls,
                                    int64_t deadline_ns, struct error *error);

/* Waits until a call that returned -EAGAIN is worth repeating: 'wanted' as in stream_events(). */
int stream_wait_until(const struct stream *stream, short wanted, int64_t deadline_ns,
                      struct error *error);
