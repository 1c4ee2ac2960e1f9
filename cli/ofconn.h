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

/* 'target': a bridge, or the path of a socket ("unix:PATH" or with a '/').  NULL on error. */
struct ofconn *ofconn_open(const struct context *context, const char *target, struct error *error);
void ofconn_close(struct ofconn *connection); /* NULL is fine. */

const struct of_protocol *ofconn_protocol(const struct ofconn *connection);
enum of_version ofconn_version(const struct ofconn *connection);
uint32_t ofconn_xid(struct ofconn *connection); /* The next one, counted up by one. */
struct buffer *ofconn_output(struct ofconn *connection);

/* Without a callback, the first refusal ends the wait with a sentence. */
typedef void ofconn_refusal(uint32_t xid, const struct of_error_info *info, void *aux);
void ofconn_on_refusal(struct ofconn *connection, ofconn_refusal *callback, void *aux);

/* Sends what is in ofconn_output(). */
int ofconn_send(struct ofconn *connection, struct error *error);

/* Sends, then waits until the switch has done everything before this. */
int ofconn_barrier(struct ofconn *connection, struct error *error);

/* Sends, then waits for the (next) message with 'xid' of 'kind'; it is good until the next call. */
int ofconn_receive(struct ofconn *connection, uint32_t xid, enum of_message_kind kind,
                   struct of_message *message, struct error *error);

/* Asks for the ports' names; then ports can be written and printed by them. */
int ofconn_load_names(struct ofconn *connection, struct error *error);
const struct of_names *ofconn_names(const struct ofconn *connection);

/* Those to print with, or NULL for numbers: as with ovs-ofctl(8), names are the default on a
 * terminal, and the options --names and --no-names choose. */
const struct of_names *ofconn_print_names(const struct ofconn *connection,
                                          const struct invocation *invocation);

/* A sentence about a refusal: "the table is full (OFPFMFC_TABLE_FULL)". */
void ofconn_describe_refusal(const struct of_error_info *info, struct buffer *out);
