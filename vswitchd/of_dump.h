/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_dump - a reply about many flows, of which a piece is made whenever the peer has taken the one before.
 *
 * While there is one, the connection handles no other message.  What it tells of is a snapshot of references, kept by
 * whoever embeds this.
 *
 * Threads  The main thread.
 * Memory   A connection owns its dump from of_dump_begin_take() until that has ended. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"
#include "lib/openflow/stats.h"

/* A message: the peer can read one while the next is made. */
enum { OF_DUMP_PIECE_BYTES = 60 << 10 };

struct of_connection;

struct of_dump {
    /* Adds flows to 'reply' until of_dump_is_full(); false: none are left. */
    bool (*fill)(struct of_dump *dump, struct of_connection *connection);
    void (*destroy)(struct of_dump *dump); /* What embeds it, too. */
    struct buffer piece;                   /* A message that is being filled. */
    struct of_reply reply;                 /* Into 'piece'. */
};

static inline bool of_dump_is_full(const struct of_dump *dump)
{
    return dump->piece.size >= OF_DUMP_PIECE_BYTES;
}

/* Answers 'request'; 'dump' has its functions, and is zero for the rest. */
void of_dump_begin_take(struct of_connection *connection, struct of_dump *dump,
                        const struct of_message *request);

/* The next piece, if the peer has taken the one before; nothing without a dump. */
void of_dump_continue(struct of_connection *connection);
void of_dump_cancel(struct of_connection *connection);
