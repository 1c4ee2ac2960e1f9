/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* trace_tree - the steps of one translation: what was looked up, done and found out, each below what it is part of.
 *
 * As text it has the layout of Open vSwitch's ofproto/trace, which people and scripts read: details begin with
 * "->", warnings with ">>", errors stand between ">>>>" and "<<<<".  Notes, which begin with "#", are ours: what
 * Open vSwitch does not say.
 *
 * Bounds   TRACE_MAX_NODES steps; what comes after them is left out, and the tree says so.
 * Threads  One.
 * Memory   A tree owns its nodes, texts and facts. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/annotations.h"
#include "lib/buffer.h"

enum { TRACE_MAX_NODES = 50000 };

enum trace_type {
    TRACE_BRIDGE,
    TRACE_TABLE, /* A lookup; what the rule's actions do is below it. */
    TRACE_BUCKET,
    TRACE_ACTION,
    TRACE_DETAIL,
    TRACE_WARNING,
    TRACE_ERROR,
    TRACE_NOTE,
};

struct trace_node {
    enum trace_type type;
    char *text;    /* NULL: the root. */
    json_t *facts; /* An object: what the text says, and more, for programs; or NULL. */
    struct trace_node *first, *last, *next;
};

struct trace_tree {
    struct trace_node root;
    size_t n_nodes;
};

/* A tree of zeros is an empty one. */
void trace_tree_fini(struct trace_tree *tree);

/* A step below 'parent', behind those that are there.  NULL: there are too many. */
struct trace_node *trace_tree_add(struct trace_tree *tree, struct trace_node *parent,
                                  enum trace_type type, const char *text);

/* Adds to what a node says to programs; 'node' may be NULL. */
void trace_node_set_take(struct trace_node *node, const char *name, json_t *value);

/* The lines of what is below 'node'. */
void trace_node_format(const struct trace_node *node, struct buffer *out);

/* [{"type", "text", what is set, "steps": [...]}]: what is below 'node'. */
json_t *trace_node_to_json(const struct trace_node *node);

const char *trace_type_name(enum trace_type type);
