/* save.c - which form a model is saved in, and what the forms have in common. */
#include "formats/save.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "formats/layer_paths.h"

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

/* Say whether training changes what this configuration is of, where it says something else. */
static void set_flag(cx_json *config, int trainable)
{
    if (cx_json_is_object(config) && cx_json_bool(cx_json_get(config, "trainable"), 1) != trainable)
        cx_json_put(config, "trainable", cx_json_of_bool(trainable));
}

/* What describes a layer or nested model of that name, at *at or after it in a list; NULL where
 * nothing does, as of the input that a Sequential model hides. */
static const cx_json *find(const cx_json *list, size_t *at, const char *name)
{
    for (size_t i = *at; i < cx_json_size(list); i++) {
        const cx_json *json = cx_json_at(list, i);
        const char *called = cx_json_string(cx_json_get(cx_json_get(json, "config"), "name"),
                                            cx_json_string(cx_json_get(json, "name"), NULL));
        if (!cx_streq(called, name)) continue;
        *at = i + 1;
        return json;
    }
    return NULL;
}

/* Nested models are as deep as the model's limit at most. */
static void set_flags(const cx_json *json, const cx_entry_lists *lists, int module)
{
    const cvs_model *m = lists->m;
    cx_json *config = cx_json_get(json, "config");
    const cx_json *list = cx_json_is_array(config) ? config : cx_json_get(config, "layers");
    /* A bare list has no place for the model's own flag: its layers tell. */
    const int hidden = cx_json_is_array(config) && !m->modules[module].trainable;
    size_t at = 0;
    set_flag(config, m->modules[module].trainable);
    for (int i = lists->first[module]; i >= 0; i = lists->next[i]) {
        const cx_entry *e = &m->entries[i];
        const cx_layer *l = e->layer >= 0 ? &m->layers[e->layer] : NULL;
        const cx_json *found = find(list, &at, l ? l->name : m->modules[e->nested].name);
        if (!found) continue;
        if (l)
            set_flag(cx_json_get(found, "config"), l->trainable && !hidden);
        else
            set_flags(found, lists, e->nested);
    }
}

int cx_save_description(cx_json **out, const cvs_model *m, cvs_error *err)
{
    cx_arena *arena = cx_arena_new();
    cx_entry_lists lists;
    int rc;
    *out = NULL;
    TRY(arena ? cx_entry_lists_init(&lists, m, arena, err) : cx_no_memory(err, 0));
    *out = cx_json_clone(m->description);
    if (!*out) TRY(cx_no_memory(err, 0));
    set_flags(*out, &lists, 0);
out:
    cx_arena_free(arena);
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
