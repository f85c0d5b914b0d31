/* dreams.c - from the command line to a dream and its files. */
#include "cli/dreams.h"

#include <stdio.h>

#include "base/str.h"
#include "cli/climb.h"
#include "cli/index.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/work.h"

static cvs_dream_options options_of(const cx_job *job, cvs_dream_kind kind)
{
    const cx_options *o = job->options;
    cvs_dream_options d = {.kind = kind,
                           .layers = kind == CVS_DREAM ? o->dream_layers : o->spread_layers,
                           .size = o->size,
                           .strength = o->strength.value,
                           .how = cx_climb_options(o)};
    d.how.method = o->dream_method;
    return d;
}

static int print_dream(const cx_job *job, const cvs_dream *d, cvs_error *err)
{
    cx_table table = {.align = "lrrr"};
    cx_str text = {0};
    int rc;
    cx_table_add(&table, d->kind == CVS_DREAM ? "objective" : "layer");
    cx_table_add(&table, "size");
    cx_table_add(&table, "steps");
    cx_table_add(&table, d->kind == CVS_INVERT ? "error" : "× photograph");
    for (int i = 0; i < d->n; i++) {
        const cvs_patterns *p = d->pictures[i];
        cx_table_add(&table, p->name);
        cx_table_addf(&table, "%lld × %lld", (long long)p->height, (long long)p->width);
        cx_table_addf(&table, "%d", p->steps[0]);
        if (d->kind == CVS_INVERT)
            cx_table_addf(&table, "%.1f %%", 100 * d->score[i]);
        else
            cx_table_addf(&table, "%.2f", d->score[i]);
    }
    cx_table_text(&text, &table, "");
    TRY(cx_str_ok(&text, err));
    fputs(text.data, stdout);
    printf("%s/index.json says what each file is\n", job->options->out);
out:
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

static void tell_preprocess(const cx_job *job, const cvs_model *model)
{
    const char *reason;
    if (job->options->preprocess != CVS_PREPROCESS_AUTO) return;
    const cvs_preprocess mode = cvs_model_preprocess(model, 0, &reason);
    cx_note(job, "preprocess: %s (%s)", cvs_preprocess_name((int)mode), reason);
}

int cx_dreams_run(cx_job *job, cvs_dream_kind kind, cvs_error *err)
{
    const cx_options *o = job->options;
    const cvs_pattern_files files = {
        .formats = o->formats, .model = job->model, .seed = (uint64_t)o->seed};
    cvs_dream_options how = options_of(job, kind);
    cx_progress progress;
    cvs_model *model = NULL;
    cvs_input *input = NULL;
    cvs_dream *dream = NULL;
    int rc;
    TRY(cx_work_load(&model, job, err));
    rc = cvs_input_load(&input, job->inputs[0], o->exif, err);
    if (rc < 0) cx_at_file(err, rc, job->inputs[0]);
    if (rc < 0) goto out;
    tell_preprocess(job, model);
    how.how.progress_arg = &progress;
    cx_progress_begin(&progress, job, "dreaming");
    rc = cvs_dream_find(&dream, model, input, &how, err);
    cx_progress_end(&progress);
    TRY(rc);
    if (dream->done < 1) cx_note(job, "stopped after %.0f %%", 100 * dream->done);
    rc = cvs_dream_write(dream, o->out, &files, job->inputs[0], err);
    if (rc < 0) cx_at_file(err, rc, o->out);
    if (rc < 0) goto out;
    if (o->json)
        TRY(cx_print_index(o->out, err));
    else if (!o->quiet)
        TRY(print_dream(job, dream, err));
out:
    cvs_dream_free(dream);
    cvs_input_free(input);
    cvs_model_free(model);
    return rc;
}
