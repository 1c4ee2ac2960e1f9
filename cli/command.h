/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* command - the table of everything that can be typed after "weir".
 *
 * A command is one row: its name, what it takes, one line of help, and one to three functions.  The
 * rows stand in the file of their noun; the table here only joins them.  Parser, help, suggestions,
 * and the tests of manual page and completion all read the same rows.
 *
 * Commands of the database have prepare(): it names the tables and columns the command will look
 * at.  Those can be chained with "--" into one transaction.  run() may come several times, when
 * another client changed the database meanwhile, so it prints into 'invocation->output' only.
 * finish() comes once, after the transaction has succeeded.
 *
 * Threads  The main thread.
 * Memory   Rows are constants.  An invocation borrows its words from argv. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"
#include "lib/error.h"

struct context;
struct invocation;
struct options;

enum command_group { GROUP_SWITCH, GROUP_CONFIG, GROUP_RECORD, GROUP_FLOW, GROUP_LOOK, N_GROUPS };

typedef int command_callback(struct context *, struct invocation *, struct error *);

struct command {
    const char *name;
    const char *arguments; /* As help shows them. */
    const char *options;   /* Of this command: "--may-exist --id= --sort[=]"; '=' takes a value. */
    const char *summary;
    enum command_group group;
    int min_args, max_args; /* max_args -1: no limit. */
    bool is_raw;            /* What follows the first argument is arguments, options too. */
    const struct command *with_arguments; /* What it is if it has any; NULL: the same. */
    int (*check)(const struct invocation *, struct error *); /* More about its words; or NULL. */
    void (*explain)(struct buffer *out);                     /* More of its help; or NULL. */
    command_callback *prepare;                               /* NULL: not a database command. */
    command_callback *run;
    command_callback *finish; /* NULL: nothing to do. */
};

struct command_rows {
    const struct command *rows;
    size_t n;
};

enum { INVOCATION_MAX_OPTIONS = 8 };

struct invocation {
    const struct command *command; /* NULL: only options of all commands were typed. */
    const char **args;             /* Owned array of borrowed words, NULL behind the last. */
    size_t n_args;
    struct {
        const char *name; /* With its dashes; up to '=' or the end. */
        size_t name_length;
        const char *value; /* "" for one without a value. */
    } options[INVOCATION_MAX_OPTIONS];
    size_t n_options;
    struct buffer output;
    void *state; /* Of run() for finish(); malloc()ed, freed with the invocation. */
};

const struct command *command_find(const char *name);
const struct command *command_next(const struct command *after); /* NULL: the first. */

/* The name that is spelt most like 'word', or NULL if none comes near. */
const char *command_nearest(const char *word);
const char *command_group_title(enum command_group group);

/* Reads one command up to "--" or the end, options of all commands among it.  Returns how many
 * words that was, without the "--", or negative. */
int invocation_parse(struct invocation *invocation, struct options *options,
                     const char *const words[], size_t n_words, struct error *error);
void invocation_fini(struct invocation *invocation);

/* The value of an option, "" if it takes none, NULL if it was not given. */
const char *invocation_option(const struct invocation *invocation, const char *name);

/* Checks the number of arguments. */
int invocation_check(const struct invocation *invocation, struct error *error);
