/* save.c - which form a model is saved in, and what the forms have in common. */
#include "formats/save.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

int cx_save_check(const cvs_model *m, cvs_error *err)
{
    int rc;
    TRY(cx_model_can_run(m, err));
    if (!m->description) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "the model was built from no configuration");
        goto out;
    }
    for (int i = 0; i < m->n_layers; i++)
        for (int w = 0; w < m->layers[i].n_weights; w++)
            if (!m->layers[i].w[w].data) {
                rc = cx_fail(err, CVS_E_ARG, "its weight %s has no numbers yet",
                             m->layers[i].w[w].spec.name);
                return cx_where(err, rc, "layer \"%s\"", m->layers[i].name);
            }
out:
    return rc;
}

const char *cx_save_weight_name(const cvs_model *m, int module, const cx_layer *l, int weight,
                                cx_arena *arena)
{
    const char *part[CX_MAX_NESTING + 1];
    char *name = NULL;
    cx_str s = {0};
    int n = 0;
    for (int p = m->entries[l->entry].module; p != module && p > 0; p = m->modules[p].parent)
        part[n++] = m->modules[p].name;
    while (n > 0) cx_str_addf(&s, "%s/", part[--n]);
    cx_str_addf(&s, "%s/%s", l->name, l->w[weight].spec.name);
    if (cx_str_ok(&s, NULL) == 0) name = cx_arena_strdup(arena, s.data);
    cx_str_deinit(&s);
    return name;
}

typedef int cx_save(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err);

int cx_save_model(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err)
{
    static const struct {
        const char *ending;
        cx_save *save;
    } forms[] = {{".h5", cx_save_h5},
                 {".hdf5", cx_save_h5},
                 {".keras", cx_save_keras},
                 {".json", cx_save_tfjs}};
    const char *dot = strrchr(cx_base_name(path), '.');
    for (size_t i = 0; dot && i < sizeof forms / sizeof *forms; i++) {
        if (strcasecmp(dot, forms[i].ending) != 0) continue;
        int rc = forms[i].save(m, o, path, err);
        /* Files name themselves in what goes wrong with them. */
        return rc < 0 && rc != CVS_E_IO ? cx_where(err, rc, "%s", path) : rc;
    }
    cx_fail(err, CVS_E_ARG, "the ending says no form that a model is saved in");
    cx_hint(err, "it is .h5, .keras, or .json for TensorFlow.js");
    return cx_where(err, CVS_E_ARG, "%s", path);
}
