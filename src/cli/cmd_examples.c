/* cmd_examples.c - convscope examples: the photographs that excite each channel most. */
#include <stdio.h>

#include "cli/index.h"
#include "cli/options.h"
#include "cli/pictures.h"
#include "cli/table.h"

typedef struct looking {
    cvs_examples *examples;
    int n; /* pictures */
} looking;

static int look(void *arg, const char *path, const cvs_run *run, int slot, cvs_error *err)
{
    looking *l = arg;
    (void)run; /* the work's own, which the examples know */
    (void)slot;
    const int rc = cvs_examples_add(l->examples, path, err);
    if (rc == 0) l->n++;
    return rc;
}

/* Layer by layer how many channels no picture excites. */
static int print_layers(const cvs_examples *examples, const cx_work *work, const cx_job *job, int n,
                        cvs_error *err)
{
    cx_table table = {.align = "lrr"};
    cx_str text = {0};
    int rc;
    cx_table_add(&table, "layer");
    cx_table_add(&table, "channels");
    cx_table_add(&table, "dead in all");
    for (int i = 0; i < cvs_run_tap_count(work->run); i++) {
        const int index = cvs_run_tap(work->run, i);
        int64_t dead = 0;
        cvs_layer layer;
        cvs_example x;
        TRY(cvs_model_layer(&layer, work->model, index, err));
        const int64_t channels = layer.shape[layer.channel_axis];
        for (int64_t c = 0; c < channels; c++)
            dead += cvs_examples_at(&x, examples, index, c, 0) < 0;
        cx_table_add(&table, layer.name);
        cx_table_addf(&table, "%lld", (long long)channels);
        cx_table_addf(&table, "%lld", (long long)dead);
    }
    cx_table_text(&text, &table, "");
    TRY(cx_str_ok(&text, err));
    fputs(text.data, stdout);
    printf("%d pictures; %s/index.json says what each file is\n", n, job->options->out);
out:
    cx_table_deinit(&table);
    cx_str_deinit(&text);
    return rc;
}

int cx_cmd_examples(cx_job *job, cvs_error *err)
{
    const cx_options *o = job->options;
    const cvs_examples_options how = {.model = job->model, .exif = o->exif, .whole = o->whole};
    looking l = {0};
    cx_inputs inputs = {0};
    cx_work work = {0};
    int rc;
    TRY(cx_inputs_init(&inputs, job, err));
    TRY(cx_work_init(&work, job, o->filter_layers, NULL, err));
    TRY(cvs_examples_new(&l.examples, work.run, (int)o->examples, err));
    TRY(cx_pictures_each(&work, job, &inputs,
                         &(cx_pictures){look, &l, .title = "looking at pictures"}, err));
    if (rc == 0) TRY(cx_pictures_none(err));
    rc = cvs_examples_write(l.examples, o->out, &how, err);
    if (rc < 0) {
        cx_at_file(err, rc, o->out);
        goto out;
    }
    if (o->json)
        TRY(cx_print_index(o->out, err));
    else if (!o->quiet)
        TRY(print_layers(l.examples, &work, job, l.n, err));
out:
    cvs_examples_free(l.examples);
    cx_work_deinit(&work);
    cx_inputs_deinit(&inputs);
    return rc;
}
