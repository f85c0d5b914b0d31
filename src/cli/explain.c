/* explain.c - options to questions. */
#include "cli/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/inputs.h"
#include "cli/names.h"
#include "cli/output.h"

/* The next word of a list with commas, copied; NULL at its end. */
static const char *next_word(const char **at, char word[128])
{
    if (!*at) return NULL;
    const size_t n = strcspn(*at, ",");
    snprintf(word, 128, "%.*s", (int)(n < 127 ? n : 127), *at);
    *at = (*at)[n] ? *at + n + 1 : NULL;
    return word;
}

static int add_method(cx_asked *a, const char *name, cvs_error *err)
{
    const cvs_method *m;
    const int all = cx_streq(name, "all");
    if (!all) {
        m = cvs_method_find(name, err);
        if (!m) {
            cx_hint(err, "--list-methods tells them all");
            return CVS_E_ARG;
        }
        if (a->n_methods < CX_MAX_METHODS) a->methods[a->n_methods++] = m;
        return 0;
    }
    for (int i = 0; (m = cvs_method_at(i)); i++)
        if (!m->is_slow && a->n_methods < CX_MAX_METHODS) a->methods[a->n_methods++] = m;
    return 0;
}

int cx_asked_methods(cx_asked *out, const cx_job *job, cvs_error *err)
{
    const char *at = job->options->methods, *word;
    char room[128];
    int rc = 0;
    *out = (cx_asked){0};
    while (rc == 0 && (word = next_word(&at, room))) rc = add_method(out, word, err);
    return rc < 0 ? cx_where(err, rc, "--method") : 0;
}

/* --- classes --- */

/* Whether the model has a class of that number, explaining tells. */
static int find_class(int64_t *out, const cx_asked *a, const char *word, int64_t n, cvs_error *err)
{
    char *end;
    const long long number = strtoll(word, &end, 10);
    if (*word && *end == 0) {
        *out = number;
        if (number >= 0) return 0;
        return cx_fail(err, CVS_E_ARG, "class %lld: classes are counted from 0", number);
    }
    const int n_names = a->names ? cvs_classes_count(a->names) : 0;
    for (*out = 0; *out < n_names; ++*out)
        if (cx_streq(cvs_classes_name(a->names, (int)*out), word)) return 0;
    if (n_names == 0) {
        int rc = cx_fail(err, CVS_E_ARG, "\"%s\": the classes have no names", word);
        cx_hint(err, "give a number from 0 to %lld, or names with --classes FILE",
                (long long)n - 1);
        return rc;
    }
    const char **names = cx_calloc((size_t)n_names, sizeof *names);
    if (!names) return cx_no_memory(err, (size_t)n_names * sizeof *names);
    for (int i = 0; i < n_names; i++) names[i] = cvs_classes_name(a->names, i);
    int rc = cx_fail(err, CVS_E_ARG, "there is no class \"%s\"", word);
    cx_hint_nearest(err, word, names, n_names);
    cx_free(names);
    return rc;
}

static int read_classes(cx_asked *a, const cx_job *job, int64_t n, cvs_error *err)
{
    const char *list = job->options->classes_asked, *at = list, *word;
    char room[128];
    int rc = 0;
    size_t most = 1;
    for (const char *c = list; c && *c; c++) most += *c == ',';
    a->classes = cx_calloc(most, sizeof *a->classes);
    if (!a->classes) return cx_no_memory(err, most * sizeof *a->classes);
    while ((word = next_word(&at, room))) {
        TRY(find_class(&a->classes[a->n_classes], a, word, n, err));
        a->n_classes++;
    }
    if (a->n_classes == 0) a->classes[a->n_classes++] = -1;
out:
    return rc < 0 ? cx_where(err, rc, "--class") : 0;
}

void cx_asked_class(cvs_explain_options *how, const cx_asked *asked, int i)
{
    how->has_class = asked->classes[i] >= 0;
    how->class_index = how->has_class ? asked->classes[i] : 0;
}

const char *cx_asked_name(cx_asked *asked, int i)
{
    const int64_t index = asked->classes[i];
    const char *name = asked->names ? cvs_classes_name(asked->names, (int)index) : NULL;
    if (index < 0) return "predicted";
    if (name) return name;
    snprintf(asked->number, sizeof asked->number, "class %lld", (long long)index);
    return asked->number;
}

/* --- the rest --- */

static void choose_baseline(cx_asked *a, const cx_job *job)
{
    const char *what = job->options->baseline;
    a->how.baseline_mean = cx_streq(what, "mean");
    if (!a->how.baseline_mean && !cx_streq(what, "zero")) a->how.baseline_file = what;
}

/* A place of the batch for each file that can be read; the others are told. */
static int read_references(cx_asked *a, cx_job *job, const cvs_model *model, cvs_error *err)
{
    enum { MOST = 256 };
    const cx_options *o = job->options;
    const cvs_image_options image = {(cvs_preprocess)o->preprocess, (cvs_resize)o->resize, o->exif};
    cx_inputs files = {0};
    int rc = 0;
    if (!o->references) return 0;
    TRY(cx_inputs_add(&files, job, o->references, err));
    if (files.n < 1) TRY(cx_fail(err, CVS_E_IO, "%s: there is no reference", o->references));
    const cvs_run_options options = {.batch = files.n < MOST ? files.n : MOST};
    TRY(cvs_run_new(&a->references, model, &options, err));
    if (files.n > MOST) cx_note(job, "references: the first %d of %d", MOST, files.n);
    for (int i = 0; i < options.batch; i++) {
        rc = cvs_run_set_image(a->references, 0, i, files.paths[i], &image, err);
        if (rc < 0) goto out;
    }
    a->how.references = a->references;
out:
    cx_inputs_deinit(&files);
    return rc < 0 ? cx_where(err, rc, "--references") : 0;
}

int cx_asked_init(cx_asked *out, cx_job *job, const cvs_model *model, cvs_error *err)
{
    const cx_options *o = job->options;
    const int is_book = o->preset != CVS_STYLE_DEFAULT;
    cvs_layer answer;
    int output, rc;
    TRY(cx_output_choose(&output, job, model, err));
    out->how = (cvs_explain_options){
        .output = output,
        .target = is_book ? CVS_TARGET_PROBABILITY : (cvs_target)o->target,
        .down = o->direction,
        .steps = (int)o->steps,
        .quadrature = (cvs_quadrature)o->quadrature,
        .rules = o->rules,
        .window = (int)o->window,
        .segments = (int)o->segments,
        .stride = (int)o->stride,
        .is_signed = o->is_signed || o->preset == CVS_STYLE_R2, /* which keeps what is negative */
        .counterfactual = o->counterfactual,
        .eigen_smooth = o->eigen_smooth,
        .aug_smooth = o->aug_smooth,
        .seed = (uint64_t)o->seed,
        .memory = (size_t)o->memory << 20,
        .exact = o->exact};
    TRY(cvs_model_layer(&answer, model, cvs_model_output(model, output), err));
    int64_t n = answer.ndim > 0 ? answer.shape[answer.ndim - 1] : 1;
    if (n == 1 && cx_streq(cvs_model_output_activation(model, output), "sigmoid")) n = 2;
    TRY(read_references(out, job, model, err));
    TRY(cx_names_load(&out->names, job, n, err));
    TRY(read_classes(out, job, n, err));
    choose_baseline(out, job);
out:
    return rc;
}

void cx_asked_deinit(cx_asked *asked)
{
    cvs_run_free(asked->references);
    cvs_classes_free(asked->names);
    cx_free(asked->classes);
    *asked = (cx_asked){0};
}
