/* config_calls.c - who is called on whose output, in a Functional model's description. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "formats/config_plan.h"

static int by_name(const void *a, const void *b)
{
    const cx_member *x = *(const cx_member *const *)a, *y = *(const cx_member *const *)b;
    return strcmp(x->name, y->name);
}

static int compare_name(const void *name, const void *member)
{
    return strcmp(name, (*(const cx_member *const *)member)->name);
}

/* References are by name, so no two members may share one. */
static int sort_members(cx_plan *plan, cx_plan_context *c)
{
    plan->sorted = cx_arena_array(c->arena, (size_t)plan->n, sizeof *plan->sorted);
    if (!plan->sorted) return cx_no_memory(c->err, (size_t)plan->n * sizeof *plan->sorted);
    for (int i = 0; i < plan->n; i++) plan->sorted[i] = &plan->members[i];
    qsort(plan->sorted, (size_t)plan->n, sizeof *plan->sorted, by_name);
    for (int i = 1; i < plan->n; i++)
        if (strcmp(plan->sorted[i]->name, plan->sorted[i - 1]->name) == 0)
            return cx_fail(c->err, CVS_E_FORMAT, "two layers are called \"%s\"",
                           plan->sorted[i]->name);
    return 0;
}

/* --- references --- */

typedef struct reader {
    cx_plan *plan;
    cx_plan_context *c;
    cx_ref ref[CX_MAX_INPUTS];
    int n;
} reader;

static cx_member *find_member(const reader *r, const char *name)
{
    const cx_member *const *found =
        bsearch(name, r->plan->sorted, (size_t)r->plan->n, sizeof *r->plan->sorted, compare_name);
    return found ? &r->plan->members[*found - r->plan->members] : NULL;
}

/* One of [name, node, tensor]: `node` is which call of the layer, `tensor` which of its outputs;
 * Keras 3 says their shape, too. */
static int read_ref(reader *r, const cx_json *json, const cx_json *shape)
{
    cvs_error *err = r->c->err;
    const char *name = cx_json_string(cx_json_at(json, 0), "");
    int64_t call = cx_json_int(cx_json_at(json, 1), -1);
    int64_t tensor = cx_json_int(cx_json_at(json, 2), -1);
    cx_member *member = find_member(r, name);
    if (!member)
        return cx_fail(err, CVS_E_FORMAT, "it takes the output of \"%s\", which does not exist",
                       name);
    if (call < 0 || call > CX_MAX_NODES || tensor < 0 || tensor > CX_MAX_NODES)
        return cx_fail(err, CVS_E_FORMAT, "it takes an output of \"%s\" that does not exist", name);
    if (r->n >= CX_MAX_INPUTS)
        return cx_fail(err, CVS_E_FORMAT, "more than %d inputs", CX_MAX_INPUTS);
    cx_member_note_shape(member, shape, (int)tensor);
    if (call < member->min_ref) member->min_ref = (int)call;
    if (call > member->max_ref) member->max_ref = (int)call;
    r->ref[r->n++] = (cx_ref){(int)(member - r->plan->members), (int)call, (int)tensor};
    return 0;
}

/* What a call is given by name. Some names are of further inputs, here in the order in which layers
 * take them. Whatever else changes what the layer computes is refused: `training` does not, here
 * everything runs as at inference, nor does what is off. */
static int read_keywords(reader *r, const cx_json *keywords, int (*read)(reader *, const cx_json *))
{
    static const char *const inputs[] = {"inputs", "query", "value", "key"};
    enum { N = sizeof inputs / sizeof *inputs };
    const char *key;
    for (int i = 0; i < N; i++) {
        const cx_json *value = cx_json_get(keywords, inputs[i]);
        int rc = cx_json_is_null(value) ? 0 : read(r, value);
        if (rc < 0) return cx_where(r->c->err, rc, "%s", inputs[i]);
    }
    for (size_t i = 0; (key = cx_json_key(keywords, i)); i++) {
        const cx_json *value = cx_json_get(keywords, key);
        int known = strcmp(key, "training") == 0 || !cx_json_bool(value, !cx_json_is_null(value));
        for (int k = 0; k < N; k++) known |= strcmp(key, inputs[k]) == 0;
        if (!known)
            return cx_fail(r->c->err, CVS_E_UNSUPPORTED,
                           "calls with the argument %.40s are not supported", key);
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Tensors by name, as a dict: Keras counts them in the order of the sorted names. */
static int read_dict(reader *r, const cx_json *json, int (*read)(reader *, const cx_json *))
{
    const char *keys[CX_MAX_INPUTS];
    size_t n = cx_json_size(json);
    if (n > CX_MAX_INPUTS)
        return cx_fail(r->c->err, CVS_E_FORMAT, "more than %d inputs", CX_MAX_INPUTS);
    for (size_t i = 0; i < n; i++) keys[i] = cx_json_key(json, i);
    qsort(keys, n, sizeof *keys, by_text);
    for (size_t i = 0; i < n; i++) {
        int rc = read(r, cx_json_get(json, keys[i]));
        if (rc < 0) return rc;
    }
    return 0;
}

/* All that a layer that cannot be computed is called on, wherever it stands among the arguments of
 * the call. JSON's depth is limited. */
static int read_any(reader *r, const cx_json *json)
{
    const cx_json *history = cx_json_get(cx_json_get(json, "config"), "keras_history");
    const cx_json *ref = history ? history : json;
    const size_t n = cx_json_size(ref);
    int is_ref = cx_json_is_array(ref) && n >= 3 && cx_json_is_number(cx_json_at(ref, 1)) &&
                 cx_json_is_number(cx_json_at(ref, 2)) &&
                 find_member(r, cx_json_string(cx_json_at(ref, 0), ""));
    int rc = is_ref ? read_ref(r, ref, cx_json_get(cx_json_get(json, "config"), "shape")) : 0;
    for (size_t i = is_ref ? 3 : 0; i < n && rc == 0; i++) {
        const char *key = i < CX_MAX_INPUTS ? cx_json_key(ref, i) : NULL;
        rc = read_any(r, key ? cx_json_get(ref, key) : cx_json_at(ref, i));
    }
    return rc;
}

/* Keras 1 and 2: [name, node, tensor], perhaps with keywords, or a list of these. Keras 2 leaves
 * the list out in places. */
static int read_refs(reader *r, const cx_json *json)
{
    size_t n = cx_json_size(json);
    if (cx_json_is_object(json)) return read_dict(r, json, read_refs);
    if (!cx_json_is_array(json))
        return cx_fail(r->c->err, CVS_E_FORMAT, "its inputs are %s, a list is wanted",
                       cx_json_kind(json));
    if (cx_json_is_string(cx_json_at(json, 0))) {
        int rc = read_ref(r, json, NULL);
        return rc < 0 || n <= 3 ? rc : read_keywords(r, cx_json_at(json, 3), read_refs);
    }
    for (size_t i = 0; i < n; i++) {
        int rc = read_refs(r, cx_json_at(json, i));
        if (rc < 0) return rc;
    }
    return 0;
}

/* Keras 3: {"class_name": "__keras_tensor__", "config": {"keras_history": [name, node, tensor]}},
 * or a list of these. */
static int read_tensors(reader *r, const cx_json *json)
{
    const char *class_name = cx_json_string(cx_json_get(json, "class_name"), "");
    if (strcmp(class_name, "__keras_tensor__") == 0)
        return read_ref(r, cx_json_get(cx_json_get(json, "config"), "keras_history"),
                        cx_json_get(cx_json_get(json, "config"), "shape"));
    if (cx_json_is_object(json) && !*class_name) return read_dict(r, json, read_tensors);
    if (!cx_json_is_array(json))
        return cx_fail(r->c->err, CVS_E_UNSUPPORTED, "calls on %s are not supported",
                       cx_json_kind(json));
    for (size_t i = 0; i < cx_json_size(json); i++) {
        int rc = read_tensors(r, cx_json_at(json, i));
        if (rc < 0) return rc;
    }
    return 0;
}

static int read_call(reader *r, const cx_json *json)
{
    if (!cx_json_is_object(json)) return read_refs(r, json);
    const cx_json *args = cx_json_get(json, "args");
    for (size_t i = 0; i < cx_json_size(args); i++) {
        const cx_json *value = cx_json_at(args, i);
        int rc = cx_json_is_null(value) ? 0 : read_tensors(r, value);
        if (rc < 0) return rc;
    }
    return read_keywords(r, cx_json_get(json, "kwargs"), read_tensors);
}

/* What the reader found, to stay; it begins anew then. */
static int keep(cx_refs *out, reader *r)
{
    out->n = r->n;
    out->ref = cx_arena_array(r->c->arena, (size_t)r->n, sizeof *out->ref);
    if (!out->ref) return cx_no_memory(r->c->err, (size_t)r->n * sizeof *out->ref);
    memcpy(out->ref, r->ref, (size_t)r->n * sizeof *out->ref);
    r->n = 0;
    return 0;
}

/* --- calls --- */

static int add_calls(cx_member *member, size_t n, cx_plan_context *c)
{
    member->calls = cx_arena_array(c->arena, n, sizeof *member->calls);
    if (!member->calls) return cx_no_memory(c->err, n * sizeof *member->calls);
    for (size_t i = 0; i < n; i++) member->calls[i].member = member;
    member->n_calls = (int)n;
    return 0;
}

static int read_found(void *r, const cx_json *ref)
{
    return read_ref(r, ref, NULL);
}

/* The kind of an operation comes from the arguments of its call, so that it has one. */
static int read_operation(cx_member *member, reader *r)
{
    cx_argument args[CX_MAX_ARGUMENTS];
    const cx_json *nodes = cx_json_get(member->json, "inbound_nodes");
    int rc = add_calls(member, 1, r->c);
    if (rc < 0) return rc;
    rc = cx_operation_arguments(args, cx_operation_call(nodes), read_found, r, r->c->err);
    return rc < 0 ? rc : keep(&member->calls[0].in, r);
}

/* A layer whose call asks for what cannot be computed is one of those that cannot. */
static int read_one_call(cx_member *member, reader *r, const cx_json *json)
{
    const char *class_name = cx_json_string(cx_json_get(member->json, "class_name"), "");
    if (member->is_unknown) return read_any(r, json);
    int rc = read_call(r, json);
    if (rc != CVS_E_UNSUPPORTED || member->nested) return rc;
    cx_where(r->c->err, rc, "layer \"%s\"", member->name);
    cx_model_refuse(r->c->model, r->plan->module, r->c->err);
    member->is_unknown = 1;
    r->n = 0;
    rc = cx_model_make_unknown(r->c->model, member->layer, class_name, r->c->err);
    return rc < 0 ? rc : read_any(r, json);
}

static int read_member_calls(cx_member *member, reader *r)
{
    const cx_json *nodes = cx_json_get(member->json, "inbound_nodes");
    size_t n = cx_json_size(nodes);
    int rc = 0;
    if (member->is_input) return add_calls(member, 1, r->c);
    if (member->is_operation && !member->is_unknown) return read_operation(member, r);
    if (n > CX_MAX_NODES) return cx_fail(r->c->err, CVS_E_FORMAT, "it is called %zu times", n);
    /* one call, its list left out */
    int bare = cx_json_is_string(cx_json_at(nodes, 0));
    TRY(add_calls(member, bare ? 1 : n, r->c));
    for (int i = 0; i < member->n_calls; i++) {
        TRY(read_one_call(member, r, bare ? nodes : cx_json_at(nodes, (size_t)i)));
        TRY(keep(&member->calls[i].in, r));
    }
out:
    return rc;
}

/* --- checks --- */

/* In files of Keras 2 a nested model's own graph counts as its call 0, and the first call of it as
 * 1; in files of Keras 3 that is 0. What is referred to tells which. */
static int shift(const cx_member *member)
{
    return member->nested && member->min_ref >= 1 && member->max_ref >= member->n_calls;
}

static int check_refs(cx_plan *plan, cx_refs *refs, cvs_error *err)
{
    for (int i = 0; i < refs->n; i++) {
        const cx_member *member = &plan->members[refs->ref[i].member];
        int n_out = member->nested ? member->nested->outputs.n : 1;
        refs->ref[i].call -= shift(member);
        if (refs->ref[i].call < 0 || refs->ref[i].call >= member->n_calls)
            return cx_fail(err, CVS_E_FORMAT,
                           "it takes the output of call %d of \"%s\", which has %d",
                           refs->ref[i].call, member->name, member->n_calls);
        if (refs->ref[i].tensor >= n_out && !member->is_unknown)
            return cx_fail(err, CVS_E_UNSUPPORTED, "it takes output %d of \"%s\", which has %d",
                           refs->ref[i].tensor, member->name, n_out);
    }
    return 0;
}

static int read_ends(cx_refs *out, reader *r, const cx_json *config, const char *key)
{
    int rc = read_refs(r, cx_json_get(config, key));
    if (rc == 0) rc = keep(out, r);
    if (rc == 0 && out->n == 0) rc = cx_fail(r->c->err, CVS_E_FORMAT, "it is empty");
    return rc < 0 ? cx_where(r->c->err, rc, "%s", key) : rc;
}

/* input_layers names all InputLayers and nothing else. */
static int check_inputs(cx_plan *plan, cx_plan_context *c)
{
    int listed = 0;
    int rc = check_refs(plan, &plan->inputs, c->err);
    if (rc < 0) return cx_where(c->err, rc, "input_layers");
    for (int i = 0; i < plan->inputs.n; i++) {
        cx_member *member = &plan->members[plan->inputs.ref[i].member];
        if (!member->is_input)
            return cx_fail(c->err, CVS_E_FORMAT,
                           "input_layers names \"%s\", which is no InputLayer", member->name);
        if (member->calls[0].state++)
            return cx_fail(c->err, CVS_E_FORMAT, "input_layers names \"%s\" twice", member->name);
        listed++;
    }
    for (int i = 0; i < plan->n; i++)
        if (plan->members[i].is_input && listed-- == 0)
            return cx_fail(c->err, CVS_E_FORMAT, "an InputLayer is missing in input_layers");
    return 0;
}

int cx_plan_read_calls(cx_plan *plan, const cx_json *config, cx_plan_context *c)
{
    int rc;
    reader *r = cx_arena_alloc(c->arena, sizeof *r);
    if (!r) return cx_no_memory(c->err, sizeof *r);
    *r = (reader){.plan = plan, .c = c};
    TRY(sort_members(plan, c));
    for (int i = 0; i < plan->n; i++) {
        rc = read_member_calls(&plan->members[i], r);
        if (rc < 0) return cx_where(c->err, rc, "layer \"%s\"", plan->members[i].name);
    }
    TRY(read_ends(&plan->inputs, r, config, "input_layers"));
    TRY(read_ends(&plan->outputs, r, config, "output_layers"));
    TRY(check_inputs(plan, c));
    for (int i = 0; i < plan->n; i++)
        for (int k = 0; k < plan->members[i].n_calls; k++) {
            rc = check_refs(plan, &plan->members[i].calls[k].in, c->err);
            if (rc < 0) return cx_where(c->err, rc, "layer \"%s\"", plan->members[i].name);
        }
    rc = check_refs(plan, &plan->outputs, c->err);
    if (rc < 0) cx_where(c->err, rc, "output_layers");
out:
    return rc;
}
