/* examples.c - the files of examples: a sheet a layer of the parts of photographs that excite each
 * channel most, and their index. */
#include "methods/examples.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/str.h"
#include "draw/pattern_sheet.h"
#include "draw/pattern_tile.h"
#include "graph/input.h"
#include "report/outdir.h"

enum { PATCH = 56, WORD = 48 };

/* The sheets of one layer, of which each channel is a square of patches. */
typedef struct sheet {
    const cvs_examples *e;
    const cx_example_layer *l;
    const cvs_examples_options *o;
    int across; /* patches of a square's side */
    float *shown;
    char (*words)[WORD];
    const char **word;
    int64_t *numbers;
} sheet;

static int square_side(const sheet *s)
{
    return s->across * PATCH;
}

/* --- patches --- */

/* The part of a picture that is seen, as floats of three channels. `box` is of an input of that
 * size, which the picture was brought to. */
static int cut(cx_pattern *out, const cx_image *image, const int64_t box[4], const int64_t input[2],
               cvs_error *err)
{
    int64_t at[4] = {0, 0, image->height, image->width};
    if (input[0] > 0 && (box[2] > 0 || box[3] > 0)) {
        at[0] = box[0] * image->height / input[0];
        at[1] = box[1] * image->width / input[1];
        at[2] = ((box[2] + 1) * image->height + input[0] - 1) / input[0];
        at[3] = ((box[3] + 1) * image->width + input[1] - 1) / input[1];
    }
    const int64_t h = at[2] - at[0], w = at[3] - at[1];
    float *x = cx_calloc((size_t)(h * w), 3 * sizeof *x);
    *out = (cx_pattern){x, h, w, 3, 0};
    if (!x) return cx_no_memory(err, (size_t)(h * w) * 3 * sizeof *x);
    for (int64_t i = 0; i < h * w; i++) {
        const int64_t row = at[0] + i / w, column = at[1] + i % w;
        const uint8_t *p = image->data + (row * image->width + column) * image->channels;
        for (int c = 0; c < 3; c++) x[3 * i + c] = (float)p[image->channels < 3 ? 0 : c] / 255;
    }
    return 0;
}

static int put_patch(sheet *s, const cx_image *image, int64_t channel, int i,
                     const cvs_example *example, const int64_t input[2], cvs_error *err)
{
    static const int64_t all[4] = {0};
    uint8_t tile[3 * PATCH * PATCH];
    const int side = square_side(s);
    float *to = s->shown + channel * side * side * 3 +
                ((int64_t)(i / s->across) * PATCH * side + (int64_t)(i % s->across) * PATCH) * 3;
    cx_pattern p;
    int rc;
    TRY(cut(&p, image, s->o->whole ? all : example->box, input, err));
    TRY(cx_pattern_tile_draw(&p, PATCH, PATCH, tile, 3 * PATCH, err));
    for (int row = 0; row < PATCH; row++)
        for (int k = 0; k < 3 * PATCH; k++)
            to[row * side * 3 + k] = (float)tile[row * 3 * PATCH + k] / 255;
out:
    cx_free((void *)(uintptr_t)p.shown);
    return rc;
}

/* All patches of one file, which is read once. */
static int put_file(sheet *s, int file, cvs_error *err)
{
    const cx_example_layer *l = s->l;
    const int64_t input[2] = {l->sight.rows.size, l->sight.columns.size};
    cvs_input *in = NULL;
    cx_image image = {0};
    int rc = 0;
    for (int64_t c = 0; c < l->channels; c++)
        for (int i = 0; i < l->n_best[c]; i++) {
            cvs_example example;
            if (l->best[c * s->e->top + i].file != file) continue;
            if (!in) {
                TRY(cvs_input_load(&in, s->e->files[file], s->o->exif, err));
                TRY(cx_input_picture(&image, in, err));
            }
            if (!image.data) continue;
            (void)cvs_examples_at(&example, s->e, l->node, c, i);
            TRY(put_patch(s, &image, c, i, &example, input, err));
        }
out:
    cx_image_deinit(&image);
    cvs_input_free(in);
    return rc < 0 ? cx_where(err, rc, "%s", s->e->files[file]) : 0;
}

/* --- a layer --- */

static int open_sheet(sheet *s, cvs_error *err)
{
    const size_t n = (size_t)s->l->channels, size = (size_t)square_side(s);
    s->shown = cx_calloc(n, 3 * size * size * sizeof *s->shown);
    s->words = cx_calloc(n, sizeof *s->words);
    s->word = cx_calloc(n, sizeof *s->word);
    s->numbers = cx_calloc(n, sizeof *s->numbers);
    if (!s->shown || !s->words || !s->word || !s->numbers)
        return cx_no_memory(err, n * 3 * size * size * sizeof *s->shown);
    for (size_t i = 0; i < n * 3 * size * size; i++) s->shown[i] = 0.94F;
    for (size_t c = 0; c < n; c++) {
        const double dead = (double)s->l->dead[c] / s->e->n_files;
        s->numbers[c] = (int64_t)c;
        s->word[c] = s->words[c];
        if (dead == 1)
            snprintf(s->words[c], WORD, "dead in all");
        else if (dead >= 0.005)
            snprintf(s->words[c], WORD, "dead in %.0f %%  ·  %.3g", 100 * dead,
                     (double)s->l->best[(int64_t)c * s->e->top].value);
        else
            snprintf(s->words[c], WORD, "%.3g", (double)s->l->best[(int64_t)c * s->e->top].value);
    }
    return 0;
}

static void close_sheet(sheet *s)
{
    cx_free(s->shown);
    cx_free(s->words);
    cx_free(s->word);
    cx_free(s->numbers);
}

static int write_layer(const cvs_examples *e, int tap, const char *dir,
                       const cvs_examples_options *o, cx_easel *easel, cvs_error *err)
{
    sheet s = {.e = e, .l = &e->layers[tap], .o = o};
    const char *layer = e->run->model->nodes[s.l->node].name;
    char title[320], subtitle[256], name[CX_FILE_NAME];
    cx_bytes png = {0};
    int rc;
    s.across = (int)ceil(sqrt(e->top));
    TRY(open_sheet(&s, err));
    for (int i = 0; i < e->n_files; i++) TRY(put_file(&s, i, err));
    snprintf(title, sizeof title, "What excites %.250s", layer);
    snprintf(subtitle, sizeof subtitle,
             "of %d pictures the %s that excite each channel most, the strongest at the upper left "
             " ·  beside each number: its value",
             e->n_files, o->whole ? "ones" : "parts");
    const cx_pattern_sheet drawing = {.title = title,
                                      .subtitle = subtitle,
                                      .caption = o->model ? cx_base_name(o->model) : "",
                                      .shown = s.shown,
                                      .height = square_side(&s),
                                      .width = square_side(&s),
                                      .channels = 3,
                                      .n = (int)s.l->channels,
                                      .numbers = s.numbers,
                                      .words = s.word};
    TRY(cx_pattern_sheet_draw(&png, easel, &drawing, err));
    TRY(cx_put_file(dir, cx_layer_file(name, tap + 1, layer, ".png"), png.data, png.size, err));
out:
    cx_bytes_deinit(&png);
    close_sheet(&s);
    return rc;
}

/* --- index.json --- */

static void add_channel(cx_json_writer *w, const cvs_examples *e, const cx_example_layer *l,
                        int64_t channel)
{
    cvs_example x;
    cx_json_open(w, NULL, '{');
    cx_json_add_int(w, "index", channel);
    cx_json_add_number(w, "dead_share", (double)l->dead[channel] / e->n_files);
    cx_json_open(w, "examples", '[');
    for (int i = 0; cvs_examples_at(&x, e, l->node, channel, i) == 0; i++) {
        const int64_t at[] = {x.row, x.column};
        cx_json_open(w, NULL, '{');
        cx_json_add_string(w, "file", x.file);
        cx_json_add_number(w, "value", x.value);
        cx_json_add_ints(w, "at", at, 2);
        cx_json_add_ints(w, "box", x.box, 4);
        cx_json_close(w, '}');
    }
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

static int write_index(const cvs_examples *e, const char *dir, const cvs_examples_options *o,
                       cvs_error *err)
{
    cx_json_writer w = {0};
    char name[CX_FILE_NAME];
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "model", o->model);
    cx_json_add_int(&w, "pictures", e->n_files);
    cx_json_open(&w, "layers", '[');
    for (int t = 0; t < e->run->n_taps; t++) {
        const cx_example_layer *l = &e->layers[t];
        const char *layer = e->run->model->nodes[l->node].name;
        cx_json_open(&w, NULL, '{');
        cx_json_add_int(&w, "index", t + 1);
        cx_json_add_string(&w, "name", layer);
        cx_json_add_string(&w, "picture", cx_layer_file(name, t + 1, layer, ".png"));
        cx_json_open(&w, "channels", '[');
        for (int64_t c = 0; c < l->channels; c++) add_channel(&w, e, l, c);
        cx_json_close(&w, ']');
        cx_json_close(&w, '}');
    }
    cx_json_close(&w, ']');
    cx_json_close(&w, '}');
    return cx_put_json(dir, "index.json", &w, err);
}

int cvs_examples_write(const cvs_examples *e, const char *dir, const cvs_examples_options *options,
                       cvs_error *err)
{
    const cvs_examples_options none = {0}, *o = options ? options : &none;
    cx_easel easel = {0};
    int rc;
    if (e->n_files == 0) return cx_fail(err, CVS_E_ARG, "there are no pictures");
    TRY(cx_make_dirs(dir, err));
    for (int i = 0; i < e->run->n_taps; i++) TRY(write_layer(e, i, dir, o, &easel, err));
    rc = write_index(e, dir, o, err);
out:
    cx_easel_deinit(&easel);
    return rc;
}
