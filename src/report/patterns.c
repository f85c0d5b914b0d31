/* patterns.c - the files of patterns: a sheet a layer, single pictures, numbers, their index. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "draw/pattern_sheet.h"
#include "image/webp_film.h"
#include "report/outdir.h"
#include "tensor/npy.h"

enum {
    WORD = 40,
    MOST_IN_FILM = 64, /* pictures */
    FRAME = 100,       /* milliseconds of a film's picture, and of its last */
    PAUSE = 2000,
};

typedef struct job {
    const char *dir;
    const cvs_pattern_files *o;
    const cvs_patterns *p;
    cx_pattern_sheet sheet;
    char title[320], subtitle[512], caption[512];
    char (*words)[WORD];
    const char **word;
    cx_easel easel;
} job;

/* --- names --- */

static char *sheet_name(char out[CX_FILE_NAME], const cvs_patterns *p, int number, int part)
{
    char ending[32] = ".png";
    if (part > 0) snprintf(ending, sizeof ending, "_%03d.png", part * CX_BOOK_PATTERNS);
    return cx_layer_file(out, number, p->name, ending);
}

static char *single_name(char out[CX_FILE_NAME], const cvs_patterns *p, int number, int i)
{
    char ending[64];
    if (p->versions > 1)
        snprintf(ending, sizeof ending, "_%03lld_%d.png", (long long)p->channel[i],
                 i % p->versions);
    else
        snprintf(ending, sizeof ending, "_%03lld.png", (long long)p->channel[i]);
    return cx_layer_file(out, number, p->name, ending);
}

/* --- words --- */

static int is_dead(const cvs_patterns *p, int i)
{
    return p->response[i] <= p->noise[i] && p->response[i] <= 0;
}

static const cvs_recipe *recipe_of(const cvs_patterns *p)
{
    for (int i = 0; cvs_recipe_at(i); i++)
        if (strcmp(cvs_recipe_at(i)->name, p->method) == 0) return cvs_recipe_at(i);
    return cvs_recipe_at(0);
}

/* An objective in the place of a layer: no name of a layer has a parenthesis. */
static int is_objective(const cvs_patterns *p)
{
    return strchr(p->name, '(') != NULL;
}

/* The words of one picture: its name where a channel's number does not tell it from its neighbours,
 * its response against that to noise, and how often the channel is dead. */
static void describe(job *j, int i)
{
    const cvs_patterns *p = j->p;
    const int version = i % p->versions + 1, n = p->n;
    char(*text)[WORD] = j->words + i;
    if (is_dead(p, i))
        snprintf(text[0], WORD, "silent");
    else
        snprintf(text[0], WORD, "%.3g / %.2g", p->response[i], p->noise[i]);
    if (!isnan(p->dead[i])) snprintf(text[n], WORD, "dead in %.0f %%", 100 * p->dead[i]);
    if (p->versions == 1)
        snprintf(text[2 * n], WORD, "%lld", (long long)p->channel[i]);
    else if (is_objective(p) && !strchr(p->name, '#'))
        snprintf(text[2 * n], WORD, "version %d", version);
    else
        snprintf(text[2 * n], WORD, "%lld · v%d", (long long)p->channel[i], version);
    for (int k = 0; k < 3; k++) j->word[i + k * n] = text[k * n];
}

static int write_words(job *j, cvs_error *err)
{
    const cvs_patterns *p = j->p;
    const size_t n = 3 * (size_t)p->n;
    j->words = cx_calloc(n, sizeof *j->words);
    j->word = cx_calloc(n, sizeof *j->word);
    if (!j->words || !j->word) return cx_no_memory(err, n * sizeof *j->words);
    const int measured = p->n > 0 && !isnan(p->response[0]);
    for (int i = 0; i < p->n && measured; i++) describe(j, i);
    snprintf(j->title, sizeof j->title,
             is_objective(p) ? "What raises %.250s" : "What %.250s looks for", p->name);
    snprintf(j->subtitle, sizeof j->subtitle, "%s  ·  %d picture%s of %lld × %lld  ·  %s",
             recipe_of(p)->title, p->n, p->n == 1 ? "" : "s", (long long)p->shown_height,
             (long long)p->shown_width,
             !measured         ? "gray is 0; each filter on its own scale"
             : is_objective(p) ? "above each: its value for the picture / for noise"
                               : "above each: the channel's response to its picture / to noise");
    snprintf(j->caption, sizeof j->caption, "%.200s  ·  seed %llu%s",
             j->o->model ? cx_base_name(j->o->model) : "", (unsigned long long)j->o->seed,
             p->channels > 3 ? "  ·  the first three channels of the input are shown as colours"
                             : "");
    j->sheet = (cx_pattern_sheet){.title = j->title,
                                  .subtitle = j->subtitle,
                                  .caption = j->caption,
                                  .shown = p->shown,
                                  .height = p->shown_height,
                                  .width = p->shown_width,
                                  .channels = p->channels,
                                  .n = p->n,
                                  .is_pixelated = !measured,
                                  .numbers = p->channel,
                                  .names = p->versions > 1 ? j->word + 2 * p->n : NULL,
                                  .words = j->word,
                                  .below = isnan(p->dead[0]) ? NULL : j->word + p->n};
    return 0;
}

/* --- files --- */

static int write_book(job *j, cvs_error *err)
{
    const int64_t size = j->sheet.height * j->sheet.width * j->sheet.channels;
    char name[CX_FILE_NAME];
    int rc = 0;
    for (int part = 0; rc == 0 && part * CX_BOOK_PATTERNS < j->p->n; part++) {
        cx_pattern_sheet s = j->sheet;
        cx_bytes png = {0};
        s.shown += part * CX_BOOK_PATTERNS * size;
        s.n -= part * CX_BOOK_PATTERNS;
        rc = cx_pattern_book_draw(&png, &j->easel, &s, strcmp(j->p->method, "book1") == 0, err);
        if (rc == 0)
            rc = cx_put_file(j->dir, sheet_name(name, j->p, j->o->number, part), png.data, png.size,
                             err);
        cx_bytes_deinit(&png);
    }
    return rc;
}

static int write_sheet(job *j, cvs_error *err)
{
    char name[CX_FILE_NAME];
    cx_bytes png = {0};
    int rc;
    if (recipe_of(j->p)->is_book) return write_book(j, err);
    TRY(cx_pattern_sheet_draw(&png, &j->easel, &j->sheet, err));
    TRY(cx_put_file(j->dir, sheet_name(name, j->p, j->o->number, 0), png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    return rc;
}

static int write_single(job *j, int i, cvs_error *err)
{
    char name[CX_FILE_NAME];
    cx_bytes png = {0};
    int rc;
    TRY(cx_pattern_draw(&png, &j->easel, &j->sheet, i, err));
    TRY(cx_put_file(j->dir, single_name(name, j->p, j->o->number, i), png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    return rc;
}

/* One frame: the sheet with the pictures of that time. */
static int add_frame(cx_webp_film **film, job *j, cx_pattern_sheet *s, int frame, float *shown,
                     cvs_error *err)
{
    const cvs_patterns *p = j->p;
    const int64_t size = p->shown_height * p->shown_width * p->channels;
    int rc;
    for (int i = 0; i < s->n; i++) {
        const unsigned char *from = p->film + ((int64_t)i * p->frames + frame) * size;
        for (int64_t k = 0; k < size; k++) shown[i * size + k] = (float)from[k] / 255;
    }
    s->shown = shown;
    TRY(cx_pattern_sheet_paint(&j->easel, s, err));
    if (!*film) TRY(cx_webp_film_new(film, j->easel.canvas.width, j->easel.canvas.height, err));
    rc = cx_webp_film_add(*film, j->easel.canvas.data, frame + 1 < p->frames ? FRAME : PAUSE, err);
out:
    return rc;
}

static int write_film(job *j, cvs_error *err)
{
    const cvs_patterns *p = j->p;
    cx_pattern_sheet s = j->sheet;
    char name[CX_FILE_NAME];
    cx_webp_film *film = NULL;
    cx_bytes file = {0};
    int rc = 0;
    s.n = p->n < MOST_IN_FILM ? p->n : MOST_IN_FILM;
    const size_t count = (size_t)(s.n * p->shown_height * p->shown_width * p->channels);
    float *shown = cx_calloc(count, sizeof *shown);
    if (!shown) TRY(cx_no_memory(err, count * sizeof *shown));
    for (int i = 0; i < p->frames; i++) TRY(add_frame(&film, j, &s, i, shown, err));
    TRY(cx_webp_film_finish(&file, film, err));
    rc = cx_put_file(j->dir, cx_layer_file(name, j->o->number, p->name, ".webp"), file.data,
                     file.size, err);
out:
    cx_webp_film_free(film);
    cx_bytes_deinit(&file);
    cx_free(shown);
    return rc;
}

static int write_numbers(const job *j, cvs_error *err)
{
    const cvs_patterns *p = j->p;
    const cx_shape shape = {4, {p->n, p->height, p->width, p->channels}};
    char name[CX_FILE_NAME], *path = NULL;
    int rc = cx_join_path(&path, j->dir, cx_layer_file(name, j->o->number, p->name, ".npy"), err);
    if (rc == 0) rc = cx_npy_write(path, p->data, &shape, err);
    cx_free(path);
    return rc;
}

int cvs_patterns_write(const cvs_patterns *p, const char *dir, const cvs_pattern_files *files,
                       cvs_error *err)
{
    job j = {.dir = dir, .o = files, .p = p};
    const int formats = files->formats ? files->formats : CVS_WRITE_PNG;
    int rc;
    if (!p->shown) return cx_fail(err, CVS_E_ARG, "the pictures are gone");
    TRY(write_words(&j, err));
    TRY(cx_make_dirs(dir, err));
    if (formats & CVS_WRITE_NPY) TRY(write_numbers(&j, err));
    if (formats & CVS_WRITE_PNG) TRY(write_sheet(&j, err));
    for (int i = 0; files->single && i < p->n; i++) TRY(write_single(&j, i, err));
    if (files->film && p->film) TRY(write_film(&j, err));
out:
    cx_easel_deinit(&j.easel);
    cx_free(j.words);
    cx_free(j.word);
    return rc;
}

/* --- index.json --- */

static void add_layer(cx_json_writer *w, const cvs_patterns *p, const cvs_pattern_files *o,
                      int number)
{
    const int64_t shape[] = {p->n, p->height, p->width, p->channels};
    const int formats = o->formats ? o->formats : CVS_WRITE_PNG;
    char name[CX_FILE_NAME];
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "index", number);
    cx_json_add_string(w, "name", p->name);
    cx_json_add_string(w, "method", p->method);
    cx_json_add_ints(w, "shape", shape, 4);
    cx_json_add_string(
        w, "file", formats & CVS_WRITE_NPY ? cx_layer_file(name, number, p->name, ".npy") : NULL);
    cx_json_add_string(w, "picture",
                       formats & CVS_WRITE_PNG ? sheet_name(name, p, number, 0) : NULL);
    if (o->film && p->frames > 0)
        cx_json_add_string(w, "film", cx_layer_file(name, number, p->name, ".webp"));
    if (p->done < 1) cx_json_add_number(w, "done", p->done);
    cx_json_open(w, "channels", '[');
    for (int i = 0; i < p->n; i++) {
        cx_json_open(w, NULL, '{');
        cx_json_add_int(w, "index", p->channel[i]);
        if (p->versions > 1) cx_json_add_int(w, "version", i % p->versions);
        if (o->single) cx_json_add_string(w, "picture", single_name(name, p, number, i));
        cx_json_add_number(w, "response", p->response[i]);
        cx_json_add_number(w, "noise", p->noise[i]);
        cx_json_add_number(w, "objective", p->climbed[i]);
        cx_json_add_int(w, "steps", p->steps[i]);
        cx_json_add_bool(w, "silent", is_dead(p, i));
        if (!isnan(p->dead[i])) cx_json_add_number(w, "dead_share", p->dead[i]);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

int cvs_patterns_index(const cvs_patterns *const *patterns, int n, const char *dir,
                       const cvs_pattern_files *files, cvs_error *err)
{
    cx_json_writer w = {0};
    int rc;
    TRY(cx_make_dirs(dir, err));
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", files->model);
    cx_json_add_int(&w, "seed", (int64_t)files->seed);
    cx_json_open(&w, "layers", '[');
    for (int i = 0; i < n; i++) add_layer(&w, patterns[i], files, i + 1);
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    TRY(cx_put_json(dir, "index.json", &w, err));
out:
    return rc;
}
