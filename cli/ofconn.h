/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ofconn - an OpenFlow connection for commands that wait: to a bridge's management socket.
 *
 * Requests are encoded into ofconn_output() and sent by the calls that wait, in one stream without
 * a pause; while sending, answers are read too, so that neither side ever waits for the other.
 * What the switch refuses (OFPT_ERROR) goes to the callback, in order, with the request's xid.
 *
 *     connection = ofconn_open(context, "br0", &error);
 *     of_encode_flow_mod(&flow, ofconn_protocol(connection), ofconn_xid(connection),
 *                        ofconn_output(connection));
 *     ofconn_barrier(connection, &error);
 *     ofconn_close(connection);
 *
 * Threads  The main thread.
 * Time     Every wait ends at the context's deadline. */

#include "cli/context.h"
#include "lib/buffer.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/messages.h"

struct ofconn;
struct of_dialect;

/* 'target': a bridge, the path of a socket ("unix:PATH" or with a '/'), "tcp:HOST:PORT" or
 * "ssl:HOST:PORT".  NULL on error.
 *
 * The version and the form of flows are what -O and -F say, OpenFlow 1.0 without them.
 * ofconn_open_in() is for what can only be said in 'possible' versions: see of_dialect.h. */
struct ofconn *ofconn_open(const struct context *context, const char *target, struct error *error);
struct ofconn *ofconn_open_in(const struct context *context, const char *target, uint32_t possible,
                              struct error *error);
struct ofconn *ofconn_open_as(const struct context *context, const char *target,
                              const struct of_dialect *dialect, struct error *error);
void ofconn_close(struct ofconn *connection); /* NULL is fine. */

/* Without -O and -F, OpenFlow 1.0 can be left for later versions.  ofconn_want() notes which could
 * say what is to be said; after the failure in 'error', ofconn_raise() connects anew by the earliest
 * of them that the switch speaks, with names loaded.  Without one, the failure stands. */
uint32_t ofconn_later_versions(const struct ofconn *connection);
bool ofconn_is_raised(const struct ofconn *connection);
void ofconn_want(struct ofconn *connection, uint32_t versions);
int ofconn_raise(struct ofconn *connection, struct error *error);

const struct of_protocol *ofconn_protocol(const struct ofconn *connection);
enum of_version ofconn_version(const struct ofconn *connection);
uint32_t ofconn_xid(struct ofconn *connection); /* The next one, counted up by one. */
struct buffer *ofconn_output(struct ofconn *connection);

/* Without a callback, the first refusal ends the wait with a sentence; that of what is waited for
 * does so in any case. */
typedef void ofconn_refusal(uint32_t xid, const struct of_error_info *info, void *aux);
void ofconn_on_refusal(struct ofconn *connection, ofconn_refusal *callback, void *aux);

/* Sends what is in ofconn_output(). */
int ofconn_send(struct ofconn *connection, struct error *error);

/* Sends, then waits until the switch has done everything before this. */
int ofconn_barrier(struct ofconn *connection, struct error *error);

/* Sends, then waits for the (next) message with 'xid' of 'kind'; it is good until the next call. */
int ofconn_receive(struct ofconn *connection, uint32_t xid, enum of_message_kind kind,
                   struct of_message *message, struct error *error);

/* Calls 'take' with each message of a reply.  It may stop them with an error. */
typedef int ofconn_taker(const struct of_message *message, void *aux, struct error *error);
int ofconn_receive_all(struct ofconn *connection, uint32_t xid, enum of_message_kind kind,
                       ofconn_taker *take, void *aux, struct error *error);

/* Sends, then waits for the next message of any kind; echo requests have been answered. */
int ofconn_receive_any(struct ofconn *connection, struct of_message *message, struct error *error);

/* The same for messages that need not be known or even right; nothing is answered. */
int ofconn_receive_bytes(struct ofconn *connection, const uint8_t **data, size_t *n_bytes,
                         struct error *error);

/* Asks for the ports' names; then ports can be written and printed by them, and tables, whose names
 * are asked for when one is needed.  With --no-names nobody asks, and ofconn_names() are NULL. */
int ofconn_load_names(struct ofconn *connection, struct error *error);
const struct of_names *ofconn_names(const struct ofconn *connection);

/* Those to print with, or NULL for numbers; to be called before what is to be printed is asked for.
 * As with ovs-ofctl(8), names are the default on a terminal, and the options --names and --no-names
 * choose. */
const struct of_names *ofconn_print_names(struct ofconn *connection);

/* A sentence about a refusal: "the table is full (OFPFMFC_TABLE_FULL)". */
void ofconn_describe_refusal(const struct of_error_info *info, struct buffer *out);
