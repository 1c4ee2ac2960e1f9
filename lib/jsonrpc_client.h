/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* jsonrpc_client - a JSON-RPC connection for a program that waits: the CLI.
 *
 * Threads  None: a client belongs to one caller. */

#include <jansson.h>
#include <stdint.h>

#include "lib/jsonrpc_stream.h"

struct jsonrpc_client;
struct socket_address;
struct tls;

/* 'deadline_ns' is of clock_now_ns(), INT64_MAX for no limit, and bounds every wait of the client.
 * NULL: 'error' says why. */
struct jsonrpc_client *jsonrpc_client_connect(const char *socket_path, int64_t deadline_ns,
                                              struct error *error);
/* The same over TCP, or TLS if the address says so: 'tls' is borrowed for the call. */
struct jsonrpc_client *jsonrpc_client_connect_inet(const struct socket_address *address,
                                                   struct tls *tls, int64_t deadline_ns,
                                                   struct error *error);
void jsonrpc_client_destroy(struct jsonrpc_client *client); /* NULL is fine. */
void jsonrpc_client_set_deadline(struct jsonrpc_client *client, int64_t deadline_ns);
int jsonrpc_client_fd(const struct jsonrpc_client *client); /* For poll(). */

/* Sends; takes 'message'. */
int jsonrpc_client_send_take(struct jsonrpc_client *client, json_t *message, struct error *error);

/* The next message that is for the caller: echo requests are answered and skipped.  -ETIMEDOUT at
 * the deadline, -ECONNRESET at the end of the connection.  Release with jsonrpc_message_fini(). */
int jsonrpc_client_receive(struct jsonrpc_client *client, struct jsonrpc_message *message,
                           struct error *error);

/* Sends a request and waits for its answer, whose JSON (result, or error when '*is_error') is the
 * caller's.  Takes 'params'.  Notifications that come meanwhile are kept for _receive(). */
int jsonrpc_client_call_take(struct jsonrpc_client *client, const char *method, json_t *params,
                             json_t **answer, bool *is_error, struct error *error);
