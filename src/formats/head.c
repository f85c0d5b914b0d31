/* head.c - the last layer of a model made anew, for other classes. */
#include "formats/head.h"

#include "base/str.h"
#include "formats/remake.h"
#include "formats/save.h"

static int find_head(int *layer, const cvs_model *m, cvs_error *err)
{
    int rc = 0;
    *layer = m->n_outputs == 1 ? m->nodes[m->outputs[0]].layer : -1;
    if (*layer < 0)
        return cx_fail(err, CVS_E_UNSUPPORTED, "a model of %d outputs gets no new head",
                       m->n_outputs);
    const cx_layer *l = &m->layers[*layer];
    if (l->kind == cx_layer_kind_find("Dense") && m->entries[l->entry].module == 0) return 0;
    rc = cx_fail(err, CVS_E_UNSUPPORTED,
                 "the last layer is %s, a Dense of the model itself is wanted", l->class_name);
    return cx_where(err, rc, "layer \"%s\"", l->name);
}

/* The configuration of the layer of that name, in the model's own list. */
static cx_json *config_of(const cx_json *description, const char *name)
{
    const cx_json *config = cx_json_get(description, "config");
    const cx_json *list = cx_json_is_array(config) ? config : cx_json_get(config, "layers");
    for (size_t i = 0; i < cx_json_size(list); i++) {
        cx_json *found = cx_json_get(cx_json_at(list, i), "config");
        if (cx_streq(cx_json_string(cx_json_get(found, "name"), NULL), name)) return found;
    }
    return NULL;
}

int cx_head_new(cvs_model **out, const cvs_model *m, int n_classes, uint64_t seed, cvs_error *err)
{
    cx_json *description = NULL, *config;
    int *from = NULL;
    int head, rc;
    *out = NULL;
    if (n_classes < 2) return cx_fail(err, CVS_E_ARG, "%d classes: two at least", n_classes);
    TRY(cx_save_check(m, err));
    TRY(find_head(&head, m, err));
    TRY(cx_save_description(&description, m, err));
    config = config_of(description, m->layers[head].name);
    if (!config)
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "the description does not name the last layer"));
    cx_json_put(config, "units", cx_json_of_int(n_classes == 2 ? 1 : n_classes));
    cx_json_put(config, "activation", cx_json_of_string(n_classes == 2 ? "sigmoid" : "softmax"));
    from = cx_calloc((size_t)m->n_layers, sizeof *from);
    if (!from) TRY(cx_no_memory(err, (size_t)m->n_layers * sizeof *from));
    for (int i = 0; i < m->n_layers; i++) from[i] = i == head ? -1 : i;
    TRY(cx_remake(out, m, description, from, m->n_layers, seed, err));
out:
    cx_free(from);
    cx_json_free(description);
    return rc;
}
