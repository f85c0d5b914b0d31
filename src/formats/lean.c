/* lean.c - a model without what acts in training only. */
#include "formats/lean.h"

#include "base/str.h"
#include "formats/remake.h"
#include "formats/save.h"

/* What is drawn in training is passed on as it is else. */
static int acts_in_training_only(const cx_layer *l)
{
    return l->kind->is_identity && l->kind->trains;
}

/* The entry of that name in a module. */
static const cx_entry *entry_of(const cvs_model *m, int module, const char *name)
{
    for (int i = 0; i < m->n_entries; i++) {
        const cx_entry *e = &m->entries[i];
        const char *other = e->layer >= 0    ? m->layers[e->layer].name
                            : e->nested >= 0 ? m->modules[e->nested].name
                                             : NULL;
        if (e->module == module && cx_streq(other, name)) return e;
    }
    return NULL;
}

static const char *name_of(const cx_json *layer)
{
    return cx_json_string(cx_json_get(cx_json_get(layer, "config"), "name"), NULL);
}

/* The layers of a Sequential model that stay, in a list of their own. The first may state the shape
 * of the input, so it stays in any case. */
static int thin(cx_json *description, const cvs_model *m, int module, int *is_dropped,
                cvs_error *err)
{
    cx_json *config = cx_json_get(description, "config"), *left = cx_json_array();
    cx_json *list = cx_json_is_array(config) ? config : cx_json_get(config, "layers");
    int rc = 0;
    for (size_t i = 0; i < cx_json_size(list); i++) {
        cx_json *layer = cx_json_at(list, i);
        const cx_entry *e = entry_of(m, module, name_of(layer));
        if (e && e->nested >= 0 && m->modules[e->nested].sequential)
            TRY(thin(layer, m, e->nested, is_dropped, err));
        if (e && e->layer >= 0 && i > 0 && acts_in_training_only(&m->layers[e->layer]))
            is_dropped[e->layer] = 1;
        else
            cx_json_push(left, cx_json_share(layer));
    }
    if (cx_json_is_array(config))
        cx_json_put(description, "config", left);
    else
        cx_json_put(config, "layers", left);
    left = NULL;
out:
    cx_json_free(left);
    return rc;
}

static int check_all_dropped(const cvs_model *m, const int *is_dropped, cvs_error *err)
{
    for (int i = 0; i < m->n_layers; i++) {
        const cx_layer *l = &m->layers[i];
        if (is_dropped[i] || !acts_in_training_only(l)) continue;
        int rc = cx_fail(err, CVS_E_UNSUPPORTED,
                         "it can be taken out of a Sequential model alone, after its first layer");
        return cx_where(err, rc, "layer \"%s\"", l->name);
    }
    return 0;
}

int cx_lean_new(cvs_model **out, const cvs_model *m, cvs_error *err)
{
    cx_json *description = NULL;
    int *is_dropped = NULL, *from, n = 0, rc;
    *out = NULL;
    TRY(cx_save_check(m, err));
    is_dropped = cx_calloc(2 * (size_t)m->n_layers, sizeof *is_dropped);
    if (!is_dropped) TRY(cx_no_memory(err, 2 * (size_t)m->n_layers * sizeof *is_dropped));
    from = is_dropped + m->n_layers;
    TRY(cx_save_description(&description, m, err));
    if (m->modules[0].sequential) TRY(thin(description, m, 0, is_dropped, err));
    TRY(check_all_dropped(m, is_dropped, err));
    for (int i = 0; i < m->n_layers; i++)
        if (!is_dropped[i]) from[n++] = i;
    TRY(cx_remake(out, m, description, from, n, 0, err));
out:
    cx_free(is_dropped);
    cx_json_free(description);
    return rc;
}
