/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* message_text_internal - what the files of message_text share.
 *
 * Threads  Plain functions. */

#include "lib/buffer.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/message_text.h"

struct message_printer {
    const struct of_message *message;
    const struct of_names *names;
    struct buffer *out;
    unsigned depth; /* Of messages in messages. */
};

/* Prints what follows the head of a message, which ends with a colon. */
typedef enum of_error message_print_function(struct message_printer *printer);

struct message_print {
    enum of_message_kind kind;
    message_print_function *print;
};

extern const struct message_print message_prints_session[], message_prints_flows[],
    message_prints_ports[], message_prints_tables[];
extern const size_t message_n_prints_session, message_n_prints_flows, message_n_prints_ports,
    message_n_prints_tables;

/* A message inside of another one. */
void message_print_inner(const struct message_printer *printer, const void *data, size_t n_bytes);

/* After the last item of a message: was each one read? */
enum of_error message_print_end(const struct of_items *items);

/* Ports by their numbers. */
void message_print_port_list(struct wire ports, enum of_version version, struct buffer *out);

/* Of messages that stand in others. */
message_print_function message_print_group_mod, message_print_meter_mod;
