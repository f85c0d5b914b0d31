/* config_operation.c - the arguments of an operation between tensors, in Keras 2's and 3's words.
 */
#include <string.h>

#include "formats/config_plan.h"

typedef struct walker {
    cx_argument args[CX_MAX_ARGUMENTS];
    int n, tensors;
    cx_tensor_found *found; /* may be NULL */
    void *arg;
    cvs_error *err;
} walker;

/* [name, node, tensor] of Keras 1 and 2, perhaps with keywords behind. */
static int is_ref(const cx_json *json)
{
    return cx_json_size(json) >= 3 && cx_json_is_string(cx_json_at(json, 0)) &&
           cx_json_is_number(cx_json_at(json, 1)) && cx_json_is_number(cx_json_at(json, 2));
}

static const cx_json *keras3_history(const cx_json *json)
{
    const char *class_name = cx_json_string(cx_json_get(json, "class_name"), "");
    if (strcmp(class_name, "__keras_tensor__") != 0) return NULL;
    return cx_json_get(cx_json_get(json, "config"), "keras_history");
}

static int add_tensor(walker *w, cx_argument *a, const cx_json *ref)
{
    if (a->n++ == 0) a->first = w->tensors;
    w->tensors++;
    return w->found ? w->found(w->arg, ref) : 0;
}

/* A tensor, a list of tensors, or a value. JSON's depth is limited. */
static int walk_value(walker *w, cx_argument *a, const cx_json *json)
{
    const cx_json *history = keras3_history(json);
    if (history) return add_tensor(w, a, history);
    if (cx_json_is_array(json) && cx_json_size(json) >= 3 &&
        cx_json_is_string(cx_json_at(json, 0)) &&
        strcmp(cx_json_string(cx_json_at(json, 0), ""), "_CONSTANT_VALUE") == 0) {
        a->value = cx_json_at(json, 2);
        return 0;
    }
    if (cx_json_is_array(json) && is_ref(json)) return add_tensor(w, a, json);
    const int before = a->n;
    for (size_t i = 0; cx_json_is_array(json) && i < cx_json_size(json); i++) {
        const cx_json *item = cx_json_at(json, i);
        if (!cx_json_is_array(item) && !keras3_history(item)) break;
        int rc = walk_value(w, a, item);
        if (rc < 0) return rc;
    }
    if (a->n == before) a->value = json;
    return 0;
}

/* Absent and null are the same. */
static int walk_argument(walker *w, const char *name, const cx_json *json)
{
    if (cx_json_is_null(json)) return 0;
    if (w->n == CX_MAX_ARGUMENTS)
        return cx_fail(w->err, CVS_E_UNSUPPORTED,
                       "calls with more than %d arguments are not supported", CX_MAX_ARGUMENTS);
    cx_argument *a = &w->args[w->n++];
    *a = (cx_argument){.name = name};
    return walk_value(w, a, json);
}

static int walk_keywords(walker *w, const cx_json *keywords)
{
    const char *key;
    for (size_t i = 0; (key = cx_json_key(keywords, i)); i++) {
        int rc = strcmp(key, "name") == 0 ? 0 : walk_argument(w, key, cx_json_get(keywords, key));
        if (rc < 0) return rc;
    }
    return 0;
}

const cx_json *cx_operation_call(const cx_json *inbound_nodes)
{
    return cx_json_is_string(cx_json_at(inbound_nodes, 0)) ? inbound_nodes
                                                           : cx_json_at(inbound_nodes, 0);
}

int cx_operation_arguments(cx_argument args[CX_MAX_ARGUMENTS], const cx_json *call,
                           cx_tensor_found *found, void *arg, cvs_error *err)
{
    walker w = {.found = found, .arg = arg, .err = err};
    int rc = 0;
    if (cx_json_is_object(call)) { /* Keras 3 */
        const cx_json *list = cx_json_get(call, "args");
        for (size_t i = 0; i < cx_json_size(list); i++)
            TRY(walk_argument(&w, NULL, cx_json_at(list, i)));
        TRY(walk_keywords(&w, cx_json_get(call, "kwargs")));
    } else { /* the first argument, whose keywords are those of the call */
        const cx_json *first = cx_json_is_string(cx_json_at(call, 0)) ? call : cx_json_at(call, 0);
        TRY(walk_argument(&w, NULL, cx_json_size(call) == 1 ? first : call));
        TRY(walk_keywords(&w, cx_json_at(first, 3)));
    }
    memcpy(args, w.args, sizeof w.args);
    rc = w.n;
out:
    return rc;
}
