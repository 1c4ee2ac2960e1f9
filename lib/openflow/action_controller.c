/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/action_controller.h"

#include <errno.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/meters.h"
#include "lib/openflow/properties.h"
#include "lib/openflow/wire.h"

/* Properties of the second form. */
enum {
    NXAC2PT_MAX_LEN = 0,
    NXAC2PT_CONTROLLER_ID = 1,
    NXAC2PT_REASON = 2,
    NXAC2PT_USERDATA = 3,
    NXAC2PT_PAUSE = 4,
    NXAC2PT_METER_ID = 5,
};

enum { PADDING_BYTES = 6, MAX_USERDATA = UINT16_MAX - 256 };

static const char *const reasons[] = {
    "no_match", "action", "invalid_ttl", "action_set", "group", "packet_out",
};

static struct ofa_controller *
put_controller(struct buffer *list, const struct ofa_controller *values, const uint8_t *userdata)
{
    struct ofa_controller *controller =
        (struct ofa_controller *)(void *)ofa_put_longer(list, OFA_CONTROLLER, values->n_userdata);

    controller->max_len = values->max_len;
    controller->controller_id = values->controller_id;
    controller->reason = values->reason;
    controller->pauses = values->pauses;
    controller->meter_id = values->meter_id;
    controller->n_userdata = values->n_userdata;
    if (values->n_userdata)
        memcpy(controller->userdata, userdata, values->n_userdata);
    return controller;
}

enum of_error ofa_decode_controller(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    if (body[5])
        return NXBRC_MUST_BE_ZERO;
    put_controller(list,
                   &(struct ofa_controller){
                       .max_len = wire_u16(body),
                       .controller_id = wire_u16(body + 2),
                       .reason = body[4],
                   },
                   NULL);
    return OF_OK;
}

static enum of_error take_property(const struct of_property *property,
                                   struct ofa_controller *values, const uint8_t **userdata)
{
    /* Of the value; some count the padding behind it, too. */
    static const uint8_t lengths[] = {
        [NXAC2PT_MAX_LEN] = 2, [NXAC2PT_CONTROLLER_ID] = 2, [NXAC2PT_REASON] = 1,
        [NXAC2PT_PAUSE] = 0,   [NXAC2PT_METER_ID] = 4,
    };
    const uint8_t *body = property->body;

    if (property->type >= ARRAY_SIZE(lengths))
        return of_unknown_property(property);
    if (property->type != NXAC2PT_USERDATA &&
        (property->n_bytes < lengths[property->type] || property->n_bytes > 4))
        return OFPBPC_BAD_LEN;
    switch (property->type) {
    case NXAC2PT_MAX_LEN:
        values->max_len = wire_u16(body);
        break;
    case NXAC2PT_CONTROLLER_ID:
        values->controller_id = wire_u16(body);
        break;
    case NXAC2PT_REASON:
        values->reason = body[0];
        break;
    case NXAC2PT_USERDATA:
        *userdata = body;
        values->n_userdata = (uint16_t)property->n_bytes;
        break;
    case NXAC2PT_PAUSE:
        values->pauses = true;
        break;
    case NXAC2PT_METER_ID:
        values->meter_id = wire_u32(body);
        break;
    }
    return OF_OK;
}

enum of_error ofa_decode_controller2(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    struct ofa_controller values = {.max_len = UINT16_MAX, .reason = OFPR_ACTION};
    struct wire wire = wire_init(body + PADDING_BYTES, n_bytes - PADDING_BYTES);
    const uint8_t *userdata = NULL;

    if (!wire_is_zero(body, PADDING_BYTES))
        return NXBRC_MUST_BE_ZERO;
    while (wire.left) {
        struct of_property property;
        enum of_error error = of_take_property(&wire, &property);

        if (!error)
            error = take_property(&property, &values, &userdata);
        if (error)
            return error;
    }
    put_controller(list, &values, userdata)->ofa.form = OFA_FORM_CONTROLLER2;
    return OF_OK;
}

static void encode_properties(const struct ofa_controller *controller, struct buffer *out)
{
    if (controller->max_len != UINT16_MAX)
        be16_store(of_put_property(NXAC2PT_MAX_LEN, 4, out), controller->max_len);
    if (controller->controller_id)
        be16_store(of_put_property(NXAC2PT_CONTROLLER_ID, 4, out), controller->controller_id);
    if (controller->reason != OFPR_ACTION)
        of_put_property(NXAC2PT_REASON, 4, out)[0] = controller->reason;
    if (controller->n_userdata)
        memcpy(of_put_property(NXAC2PT_USERDATA, controller->n_userdata, out), controller->userdata,
               controller->n_userdata);
    if (controller->pauses)
        of_put_property(NXAC2PT_PAUSE, 0, out);
    if (controller->meter_id)
        be32_store(of_put_property(NXAC2PT_METER_ID, 4, out), controller->meter_id);
}

static bool needs_properties(const struct ofa_controller *controller)
{
    return controller->n_userdata || controller->pauses || controller->meter_id;
}

void ofa_encode_controller(const struct ofa_controller *controller, struct buffer *out)
{
    bool is_second = needs_properties(controller) || controller->ofa.form == OFA_FORM_CONTROLLER2;
    size_t start = out->size;
    uint8_t *action = buffer_put_zeros(out, 16);

    be16_store(action, OFPAT_VENDOR);
    be32_store(action + 4, NX_ACTION_VENDOR);
    be16_store(action + 8, is_second ? NXAST_CONTROLLER2 : NXAST_CONTROLLER);
    if (is_second) {
        encode_properties(controller, out);
    } else {
        be16_store(action + 10, controller->max_len);
        be16_store(action + 12, controller->controller_id);
        action[14] = controller->reason;
    }
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
}

static void format_userdata(const struct ofa_controller *controller, struct buffer *out)
{
    buffer_puts(out, "userdata=");
    for (size_t i = 0; i < controller->n_userdata; i++)
        buffer_printf(out, "%s%02x", i ? "." : "", controller->userdata[i]);
    buffer_putc(out, ',');
}

void ofa_format_controller(const struct ofa_controller *controller, struct buffer *out)
{
    if (controller->reason == OFPR_ACTION && !controller->controller_id &&
        !needs_properties(controller)) {
        buffer_printf(out, "CONTROLLER:%u", controller->max_len);
        return;
    }
    buffer_puts(out, "controller(");
    if (controller->reason < ARRAY_SIZE(reasons) && controller->reason != OFPR_ACTION)
        buffer_printf(out, "reason=%s,", reasons[controller->reason]);
    else if (controller->reason != OFPR_ACTION)
        buffer_printf(out, "reason=%u,", controller->reason);
    if (controller->max_len != UINT16_MAX)
        buffer_printf(out, "max_len=%u,", controller->max_len);
    if (controller->controller_id)
        buffer_printf(out, "id=%u,", controller->controller_id);
    if (controller->n_userdata)
        format_userdata(controller, out);
    if (controller->pauses)
        buffer_puts(out, "pause,");
    if (controller->meter_id)
        buffer_printf(out, "meter_id=%u,", controller->meter_id);
    out->data[out->size - 1] = ')'; /* For the last comma. */
}

static int parse_reason(struct action_parser *parser, const char *text, uint8_t *reason)
{
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (!strcmp(text, reasons[i])) {
            *reason = (uint8_t)i;
            return 0;
        }
    }
    return error_set(parser->error, -EINVAL,
                     "controller(reason=%s): expected action, no_match, invalid_ttl, action_set, "
                     "group or packet_out",
                     text);
}

/* Bytes of two digits each, with or without dots between them. */
static int parse_userdata(struct action_parser *parser, const char *text, struct buffer *userdata)
{
    for (const char *p = text; *p; p += *p == '.') {
        if (text_hex_digit(p[0]) < 0 || text_hex_digit(p[1]) < 0)
            return error_set(parser->error, -EINVAL,
                             "controller(userdata=%s): expected bytes like 01.02.0a", text);
        buffer_putc(userdata, (char)(text_hex_digit(p[0]) << 4 | text_hex_digit(p[1])));
        p += 2;
    }
    if (userdata->size > MAX_USERDATA)
        return error_set(parser->error, -E2BIG, "controller(userdata=...): more than %d bytes",
                         MAX_USERDATA);
    return 0;
}

static int parse_argument(struct action_parser *parser, const struct text_item *argument,
                          struct ofa_controller *values, struct buffer *userdata)
{
    uint64_t number = 0;
    int result;

    if (!argument->key)
        return error_set(parser->error, -EINVAL, "controller(): brackets do not match");
    if (!strcmp(argument->key, "pause")) {
        values->pauses = true;
        return 0;
    }
    if (!argument->value)
        return error_set(parser->error, -EINVAL,
                         "controller(): expected max_len=, reason=, id=, userdata=, meter_id= or "
                         "pause");
    if (!strcmp(argument->key, "reason"))
        return parse_reason(parser, argument->value, &values->reason);
    if (!strcmp(argument->key, "userdata"))
        return parse_userdata(parser, argument->value, userdata);
    if (!strcmp(argument->key, "max_len")) {
        result = action_parse_bounded(parser, "max_len", argument->value, UINT16_MAX, &number);
        values->max_len = (uint16_t)number;
    } else if (!strcmp(argument->key, "id")) {
        result = action_parse_bounded(parser, "id", argument->value, UINT16_MAX, &number);
        values->controller_id = (uint16_t)number;
    } else if (!strcmp(argument->key, "meter_id")) {
        result = action_parse_bounded(parser, "meter_id", argument->value, OF_METER_MAX, &number);
        values->meter_id = (uint32_t)number;
    } else {
        result = error_set(parser->error, -EINVAL, "controller(%s=...): no such argument",
                           argument->key);
    }
    return result;
}

static int parse_arguments(struct action_parser *parser, char *cursor,
                           struct ofa_controller *values, struct buffer *userdata)
{
    struct text_item argument;
    int result = 0;

    while (!result && text_next_item(&cursor, &argument))
        result = parse_argument(parser, &argument, values, userdata);
    return result;
}

int ofa_parse_controller(struct action_parser *parser, const struct text_item *item,
                         int argument UNUSED)
{
    struct ofa_controller values = {.max_len = UINT16_MAX, .reason = OFPR_ACTION};
    struct buffer userdata = BUFFER_INIT;
    uint64_t max_len = UINT16_MAX;
    int result = 0;

    if (item->mark == '(')
        result = parse_arguments(parser, item->value, &values, &userdata);
    else if (item->value)
        result = action_parse_bounded(parser, item->key, item->value, UINT16_MAX, &max_len);
    if (item->mark != '(')
        values.max_len = (uint16_t)max_len;

    values.n_userdata = (uint16_t)userdata.size;
    if (!result && values.reason == OFPR_ACTION && !values.controller_id &&
        !needs_properties(&values))
        ofa_put_output(parser->list, OFPP_CONTROLLER, values.max_len);
    else if (!result)
        put_controller(parser->list, &values, userdata.data);
    buffer_fini(&userdata);
    return result;
}
