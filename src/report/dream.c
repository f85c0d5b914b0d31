/* dream.c - the files of a dream: pictures, a sheet of all, numbers, their index. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "draw/pattern_sheet.h"
#include "report/outdir.h"
#include "tensor/npy.h"

enum { WORD = 32 };

typedef struct job {
    const cvs_dream *d;
    const char *dir, *input;
    const cvs_pattern_files *o;
    int formats;
    cx_easel easel;
} job;

static const char *kind_name(const cvs_dream *d)
{
    static const char *const names[] = {"dream", "invert", "caricature"};
    return names[d->kind];
}

/* "dream.png"; of the others "03_conv2d_5.png". */
static char *file_name(char out[CX_FILE_NAME], const job *j, int i, const char *ending)
{
    if (j->d->kind != CVS_DREAM) return cx_layer_file(out, i + 1, j->d->pictures[i]->name, ending);
    snprintf(out, CX_FILE_NAME, "dream%s", ending);
    return out;
}

static char *sheet_name(char out[CX_FILE_NAME], const job *j)
{
    snprintf(out, CX_FILE_NAME, "%s.png", kind_name(j->d));
    return out;
}

/* --- pictures --- */

static int write_picture(job *j, int i, cvs_error *err)
{
    const cvs_patterns *p = j->d->pictures[i];
    const cx_pattern_sheet s = {.title = p->name,
                                .shown = p->shown,
                                .height = p->shown_height,
                                .width = p->shown_width,
                                .channels = p->channels,
                                .n = 1};
    char name[CX_FILE_NAME];
    cx_bytes png = {0};
    int rc;
    TRY(cx_pattern_draw(&png, &j->easel, &s, 0, err));
    TRY(cx_put_file(j->dir, file_name(name, j, i, ".png"), png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    return rc;
}

static int write_numbers(const job *j, int i, cvs_error *err)
{
    const cvs_patterns *p = j->d->pictures[i];
    const cx_shape shape = {3, {p->height, p->width, p->channels}};
    char name[CX_FILE_NAME], *path = NULL;
    int rc = cx_join_path(&path, j->dir, file_name(name, j, i, ".npy"), err);
    if (rc == 0) rc = cx_npy_write(path, p->data, &shape, err);
    cx_free(path);
    return rc;
}

/* --- the sheet --- */

/* The photograph, then all pictures, in one array; its size is that of the smallest answer. */
static int gather(float **shown, const cvs_dream *d, cvs_error *err)
{
    const cvs_patterns *p = d->photo;
    const size_t size = (size_t)(p->height * p->width * p->channels);
    *shown = cx_calloc((size_t)d->n + 1, size * sizeof **shown);
    if (!*shown) return cx_no_memory(err, ((size_t)d->n + 1) * size * sizeof **shown);
    memcpy(*shown, p->shown, size * sizeof **shown);
    for (int i = 0; i < d->n; i++)
        memcpy(*shown + ((size_t)i + 1) * size, d->pictures[i]->shown, size * sizeof **shown);
    return 0;
}

static const char *subtitle(const cvs_dream *d)
{
    return d->kind == CVS_INVERT
               ? "Each picture was found from noise: to the layer it is the photograph but for the "
                 "share beside its name, |a - b| / |b| of what the layer gives."
               : "Each picture was found from noise: in it the layer sees what it sees in the "
                 "photograph, beside its name how many times as strongly.";
}

static void describe(cx_pattern_sheet *s, char caption[512], const job *j)
{
    const cvs_dream *d = j->d;
    snprintf(caption, 512, "%.200s%s%.200s  ·  %s  ·  seed %llu%s",
             j->input ? cx_base_name(j->input) : "", j->input && j->o->model ? "  ·  " : "",
             j->o->model ? cx_base_name(j->o->model) : "", d->title, (unsigned long long)j->o->seed,
             d->photo->channels > 3 ? "  ·  the first three channels are shown as colours" : "");
    *s = (cx_pattern_sheet){.title = d->kind == CVS_INVERT ? "What each layer still knows"
                                                           : "What each layer sees, exaggerated",
                            .subtitle = subtitle(d),
                            .caption = caption,
                            .height = d->photo->height,
                            .width = d->photo->width,
                            .channels = d->photo->channels,
                            .n = d->n + 1};
}

static int write_sheet(job *j, cvs_error *err)
{
    const cvs_dream *d = j->d;
    const size_t n = (size_t)d->n + 1;
    cx_pattern_sheet s;
    char caption[512], name[CX_FILE_NAME];
    char(*words)[WORD] = cx_calloc(n, sizeof *words);
    const char **names = cx_calloc(2 * n, sizeof *names), **word = names ? names + n : NULL;
    float *shown = NULL;
    cx_bytes png = {0};
    int rc = 0;
    if (!words || !names) TRY(cx_no_memory(err, n * sizeof *words));
    TRY(gather(&shown, d, err));
    names[0] = "photograph";
    for (int i = 0; i < d->n; i++) {
        names[i + 1] = d->pictures[i]->name;
        if (d->kind == CVS_INVERT)
            snprintf(words[i], WORD, "%.1f %%", 100 * d->score[i]);
        else
            snprintf(words[i], WORD, "× %.2f", d->score[i]);
        word[i + 1] = words[i];
    }
    describe(&s, caption, j);
    s.shown = shown;
    s.names = names;
    s.words = word;
    TRY(cx_pattern_sheet_draw(&png, &j->easel, &s, err));
    TRY(cx_put_file(j->dir, sheet_name(name, j), png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    cx_free(shown);
    cx_free(words);
    cx_free(names);
    return rc;
}

/* --- index.json --- */

static void add_picture(cx_json_writer *w, const job *j, int i)
{
    const cvs_patterns *p = j->d->pictures[i];
    const int64_t shape[] = {p->height, p->width, p->channels};
    const int formats = j->formats;
    char name[CX_FILE_NAME];
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "index", i + 1);
    cx_json_add_string(w, "name", p->name);
    cx_json_add_ints(w, "shape", shape, 3);
    cx_json_add_string(w, "file", formats & CVS_WRITE_NPY ? file_name(name, j, i, ".npy") : NULL);
    cx_json_add_string(w, "picture",
                       formats & CVS_WRITE_PNG ? file_name(name, j, i, ".png") : NULL);
    cx_json_add_number(w, j->d->kind == CVS_INVERT ? "relative_error" : "times_photograph",
                       j->d->score[i]);
    cx_json_add_number(w, "objective", p->response[0]);
    cx_json_add_number(w, "objective_of_photograph", p->of_photo);
    cx_json_add_number(w, "objective_of_noise", p->noise[0]);
    cx_json_add_int(w, "steps", p->steps[0]);
    cx_json_close(w, '}');
}

static int write_index(const job *j, cvs_error *err)
{
    const cvs_dream *d = j->d;
    cx_json_writer w = {0};
    char name[CX_FILE_NAME];
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", j->o->model);
    cx_json_add_string(&w, "input", j->input);
    cx_json_add_string(&w, "kind", kind_name(d));
    cx_json_add_string(&w, "method", d->method);
    cx_json_add_int(&w, "seed", (int64_t)j->o->seed);
    if (d->done < 1) cx_json_add_number(&w, "done", d->done);
    if (d->kind != CVS_DREAM)
        cx_json_add_string(&w, "sheet", j->formats & CVS_WRITE_PNG ? sheet_name(name, j) : NULL);
    cx_json_open(&w, d->kind == CVS_DREAM ? "pictures" : "layers", '[');
    for (int i = 0; i < d->n; i++) add_picture(&w, j, i);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_put_json(j->dir, "index.json", &w, err);
}

int cvs_dream_write(const cvs_dream *d, const char *dir, const cvs_pattern_files *files,
                    const char *input, cvs_error *err)
{
    job j = {.d = d, .dir = dir, .input = input, .o = files};
    int rc;
    j.formats = files->formats ? files->formats : CVS_WRITE_PNG;
    TRY(cx_make_dirs(dir, err));
    for (int i = 0; i < d->n; i++) {
        if (j.formats & CVS_WRITE_NPY) TRY(write_numbers(&j, i, err));
        if (j.formats & CVS_WRITE_PNG) TRY(write_picture(&j, i, err));
    }
    if (j.formats & CVS_WRITE_PNG && d->kind != CVS_DREAM) TRY(write_sheet(&j, err));
    TRY(write_index(&j, err));
out:
    cx_easel_deinit(&j.easel);
    return rc;
}
