/* cmd_film.c - convscope film: one picture, seen by a network at several times. */
#include <stdio.h>

#include "base/file.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/work.h"

typedef struct film {
    cx_job one; /* the job, of the model that it is the turn of */
    cvs_film *film;
    cvs_classes *classes;
    const char *input;
    int number, n;
} film;

/* The first model says what the classes are called and how pictures are read. */
static int begin(film *f, const cvs_model *m, cvs_error *err)
{
    const cx_options *o = f->one.options;
    cvs_film_options how = {.image = {(cvs_preprocess)o->preprocess, (cvs_resize)o->resize, 0},
                            .exact = o->exact};
    const char *why;
    cvs_layer out;
    int rc;
    TRY(cvs_model_layer(&out, m, cvs_model_output(m, 0), err));
    const int64_t units = out.ndim > 0 ? out.shape[out.ndim - 1] : 0;
    TRY(cx_names_load(&f->classes, &f->one, units == 1 ? 2 : units, err));
    how.classes = f->classes;
    if (how.image.preprocess == CVS_PREPROCESS_AUTO) {
        how.image.preprocess = cvs_model_preprocess(m, 0, &why);
        cx_note(&f->one, "preprocess: %s (%s)", cvs_preprocess_name((int)how.image.preprocess),
                why);
    }
    TRY(cvs_film_new(&f->film, o->out, &how, err));
    rc = cvs_film_probe(f->film, f->input, err);
    if (rc < 0) cx_at_file(err, rc, f->input);
out:
    return rc;
}

static int shoot(film *f, cvs_error *err)
{
    cvs_model *m = NULL;
    char subtitle[64];
    int rc;
    TRY(cx_work_load(&m, &f->one, err));
    if (!f->film) TRY(begin(f, m, err));
    snprintf(subtitle, sizeof subtitle, "%d of %d", f->number, f->n);
    rc = cvs_film_shoot(f->film, m, f->number, cx_base_name(f->one.model), subtitle, NULL, err);
    if (rc < 0) cx_at_file(err, rc, f->one.model);
out:
    cvs_model_free(m);
    return rc;
}

int cx_cmd_film(cx_job *job, cvs_error *err)
{
    film f = {.one = *job, .n = job->n_inputs, .input = job->inputs[job->n_inputs - 1]};
    cx_progress progress;
    int rc = 0;
    cx_progress_begin(&progress, job, "film");
    for (int i = 0; i < f.n && !cx_progress_stopped(); i++) {
        f.one.model = i == 0 ? job->model : job->inputs[i - 1];
        f.number = i + 1;
        TRY(shoot(&f, err));
        cx_progress_tell(&progress, (double)f.number / f.n);
    }
    if (f.film) TRY(cvs_film_write(f.film, f.number, err));
    cx_progress_end(&progress);
    printf("%s/film.webp\n%s/film.html\n", job->options->out, job->options->out);
out:
    cx_progress_end(&progress);
    cvs_film_free(f.film);
    cvs_classes_free(f.classes);
    return rc;
}
