/* SPDX-License-Identifier: Apache-2.0 */

/* Nodes are as deep as translations are (resubmits, buckets, patch ports), which is bounded; so are walks over
 * them. */

#include "vswitchd/trace_tree.h"

#include <stdlib.h>
#include <string.h>

static void free_below(struct trace_node *node)
{
    struct trace_node *next;

    for (struct trace_node *below = node->first; below; below = next) {
        next = below->next;
        free_below(below);
        json_decref(below->facts);
        free(below->text);
        free(below);
    }
}

void trace_tree_fini(struct trace_tree *tree)
{
    free_below(&tree->root);
    memset(tree, 0, sizeof *tree);
}

static struct trace_node *append(struct trace_node *parent, enum trace_type type, const char *text)
{
    struct trace_node *node = calloc(1, sizeof *node);

    if (!node || !(node->text = strdup(text)))
        abort();
    node->type = type;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

struct trace_node *trace_tree_add(struct trace_tree *tree, struct trace_node *parent,
                                  enum trace_type type, const char *text)
{
    if (tree->n_nodes > TRACE_MAX_NODES)
        return NULL;
    if (tree->n_nodes++ < TRACE_MAX_NODES)
        return append(parent, type, text);
    append(parent, TRACE_NOTE, "there are more steps, which are left out");
    return NULL;
}

void trace_node_set_take(struct trace_node *node, const char *name, json_t *value)
{
    if (!node) {
        json_decref(value);
        return;
    }
    if (!node->facts)
        node->facts = json_object();
    json_object_set_new(node->facts, name, value);
}

/* --- Text ----------------------------------------------------------------------------------- */

/* What leads on, and is the last of its list, moves nothing to the right: so do chains of tables stay in
 * sight. */
static bool leads_on(enum trace_type type)
{
    return type == TRACE_BRIDGE || type == TRACE_TABLE;
}

static void put_indent(struct buffer *out, int level)
{
    buffer_printf(out, "%*s", 4 * level, "");
}

static void put_node(const struct trace_node *node, int level, struct buffer *out)
{
    switch (node->type) {
    case TRACE_BRIDGE:
        buffer_putc(out, '\n');
        put_indent(out, level);
        buffer_printf(out, "%s\n", node->text);
        put_indent(out, level);
        for (const char *at = node->text; *at; at++)
            buffer_putc(out, '-');
        buffer_putc(out, '\n');
        return;
    case TRACE_TABLE:
    case TRACE_BUCKET:
    case TRACE_ACTION:
        put_indent(out, level);
        buffer_printf(out, "%s\n", node->text);
        return;
    case TRACE_DETAIL:
        put_indent(out, level);
        buffer_printf(out, " -> %s\n", node->text);
        return;
    case TRACE_WARNING:
        put_indent(out, level);
        buffer_printf(out, " >> %s\n", node->text);
        return;
    case TRACE_ERROR:
        put_indent(out, level);
        buffer_printf(out, " >>>> %s <<<<\n", node->text);
        return;
    case TRACE_NOTE:
        put_indent(out, level);
        buffer_printf(out, " # %s\n", node->text);
        return;
    }
}

static void put_below(const struct trace_node *parent, int level, struct buffer *out)
{
    for (const struct trace_node *node = parent->first; node; node = node->next) {
        int more = node->next || !leads_on(node->type);

        put_node(node, level + more, out);
        put_below(node, level + 2 * more, out);
    }
}

void trace_node_format(const struct trace_node *node, struct buffer *out)
{
    put_below(node, 0, out);
}

/* --- JSON ----------------------------------------------------------------------------------- */

const char *trace_type_name(enum trace_type type)
{
    static const char *const names[] = {
        [TRACE_BRIDGE] = "bridge", [TRACE_TABLE] = "table",   [TRACE_BUCKET] = "bucket",
        [TRACE_ACTION] = "action", [TRACE_DETAIL] = "detail", [TRACE_WARNING] = "warning",
        [TRACE_ERROR] = "error",   [TRACE_NOTE] = "note",
    };

    return names[type];
}

static json_t *node_to_json(const struct trace_node *node)
{
    /* Without the blank that lines up one digit with two. */
    const char *text = node->text + strspn(node->text, " ");
    json_t *json = json_pack("{s:s, s:s}", "type", trace_type_name(node->type), "text", text);

    if (node->facts)
        json_object_update(json, node->facts);
    if (node->first)
        json_object_set_new(json, "steps", trace_node_to_json(node));
    return json;
}

json_t *trace_node_to_json(const struct trace_node *parent)
{
    json_t *steps = json_array();

    for (const struct trace_node *node = parent->first; node; node = node->next)
        json_array_append_new(steps, node_to_json(node));
    return steps;
}
