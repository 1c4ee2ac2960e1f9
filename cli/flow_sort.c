/* SPDX-License-Identifier: Apache-2.0 */

/* Places are sorted, as flows are long; equal ones keep their order. */

#include "cli/flow_sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shown.h"

static int add_key(struct flow_sort *sort, const char *name, bool is_descending,
                   struct error *error)
{
    const struct of_field *field = NULL;

    if (*name && strcmp(name, "priority") && !(field = of_field_by_name(name, strlen(name))))
        return error_set(error, -ENOENT, "%s is no field to sort by (weir-flows(7) lists them)",
                         shown(name).text);
    sort->keys[sort->n_keys].field = field;
    sort->keys[sort->n_keys++].is_descending = is_descending;
    return 0;
}

int flow_sort_parse(const struct invocation *invocation, struct flow_sort *sort,
                    struct error *error)
{
    *sort = (struct flow_sort){.n_keys = 0};
    for (size_t i = 0; i < invocation->n_options; i++) {
        const char *name = invocation->options[i].name;
        size_t length = invocation->options[i].name_length;
        bool is_up = length == strlen("--sort") && !strncmp(name, "--sort", length);
        bool is_down = length == strlen("--rsort") && !strncmp(name, "--rsort", length);

        if ((is_up || is_down) && add_key(sort, invocation->options[i].value, is_down, error))
            return error->code;
    }
    return 0;
}

void flow_list_add(struct flow_list *list, const struct of_flow_stats *flow)
{
    if (list->n == list->max) {
        list->max = list->max ? 2 * list->max : 256;
        list->flows = reallocarray(list->flows, list->max, sizeof *list->flows);
        if (!list->flows)
            abort();
    }
    struct of_flow_stats *copy = &list->flows[list->n++];
    void *actions = malloc(flow->actions.n_bytes + 1);
    if (!actions)
        abort();
    memcpy(actions, flow->actions.first, flow->actions.n_bytes);
    *copy = *flow;
    copy->actions.first = actions;
}

void flow_list_fini(struct flow_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free((void *)(uintptr_t)list->flows[i].actions.first);
    free(list->flows);
}

static bool has_field(const struct of_flow_stats *flow, const struct of_field *field)
{
    static const struct of_value zero;
    struct of_value mask = {.bytes = {0}};

    of_field_get(field, &flow->match.mask, &mask);
    return of_field_match_allows(field, &flow->match) && memcmp(&mask, &zero, sizeof mask) != 0;
}

static int compare_field(const struct of_flow_stats *a, const struct of_flow_stats *b,
                         const struct of_field *field, bool is_descending)
{
    struct of_value value_a = {.bytes = {0}}, value_b = {.bytes = {0}};
    bool has_a = has_field(a, field), has_b = has_field(b, field);

    if (!has_a || !has_b)
        return has_b - has_a;
    of_field_get(field, &a->match.flow, &value_a);
    of_field_get(field, &b->match.flow, &value_b);
    int order = memcmp(value_a.bytes, value_b.bytes, field->n_bytes);
    return is_descending ? -order : order;
}

struct place {
    const struct flow_list *list;
    const struct flow_sort *sort;
    size_t i;
};

static int compare(const void *a_, const void *b_)
{
    const struct place *a = a_, *b = b_;
    const struct of_flow_stats *flow_a = &a->list->flows[a->i], *flow_b = &b->list->flows[b->i];

    for (size_t i = 0; i < a->sort->n_keys; i++) {
        const struct of_field *field = a->sort->keys[i].field;
        bool is_descending = a->sort->keys[i].is_descending;
        int order = field ? compare_field(flow_a, flow_b, field, is_descending)
                          : (flow_a->priority - flow_b->priority) * (is_descending ? -1 : 1);
        if (order)
            return order;
    }
    return a->i < b->i ? -1 : a->i > b->i;
}

void flow_list_sort(struct flow_list *list, const struct flow_sort *sort)
{
    if (!sort->n_keys || !list->n)
        return;
    struct place *places = calloc(list->n, sizeof *places);
    struct of_flow_stats *sorted = calloc(list->n, sizeof *sorted);
    if (!places || !sorted)
        abort();
    for (size_t i = 0; i < list->n; i++)
        places[i] = (struct place){.list = list, .sort = sort, .i = i};
    qsort(places, list->n, sizeof *places, compare);
    for (size_t i = 0; i < list->n; i++)
        sorted[i] = list->flows[places[i].i];
    free(places);
    free(list->flows);
    list->flows = sorted;
    list->max = list->n;
}
