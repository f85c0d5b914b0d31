/* film.c - films of a network that learns: frames as files, and what plays them. */
#include "report/film.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "graph/input.h"
#include "image/webp_film.h"
#include "report/outdir.h"

enum { FRAME_TIME = 500, LAST_TIME = 2000, MOST_FRAMES = 9999 }; /* milliseconds */

int cvs_film_new(cvs_film **out, const char *dir, const cvs_film_options *options, cvs_error *err)
{
    int rc;
    *out = NULL;
    cvs_film *f = cx_calloc(1, sizeof *f);
    if (!f) return cx_no_memory(err, sizeof *f);
    if (options) f->o = *options;
    f->dir = cx_strdup(dir);
    if (!f->dir) TRY(cx_no_memory(err, strlen(dir)));
    TRY(cx_join_path(&f->frames, dir, "frames", err));
    TRY(cx_make_dirs(f->frames, err));
    *out = f;
    f = NULL;
out:
    cvs_film_free(f);
    return rc;
}

static void drop_probe(cvs_film *f, int i)
{
    cvs_input_free(f->inputs[i]);
    cx_image_deinit(&f->photos[i]);
    cx_free(f->names[i]);
    f->inputs[i] = NULL;
    f->names[i] = NULL;
}

void cvs_film_free(cvs_film *f)
{
    if (!f) return;
    for (int i = 0; i < f->n; i++) drop_probe(f, i);
    for (int i = 0; i < f->n_stills; i++) cx_bytes_deinit(&f->stills[i]);
    cx_free(f->stills);
    cx_easel_deinit(&f->page);
    cx_easel_deinit(&f->heat);
    cx_free(f->frames);
    cx_free(f->dir);
    cx_free(f);
}

int cvs_film_probe(cvs_film *f, const char *path, cvs_error *err)
{
    int rc;
    if (f->n == CX_FILM_PROBES)
        return cx_fail(err, CVS_E_ARG, "a film shows %d photographs at most", CX_FILM_PROBES);
    f->names[f->n] = cx_strdup(cx_base_name(path));
    if (!f->names[f->n]) TRY(cx_no_memory(err, strlen(path)));
    TRY(cvs_input_load(&f->inputs[f->n], path, f->o.image.exif, err));
    TRY(cx_input_picture(&f->photos[f->n], f->inputs[f->n], err));
    if (!f->photos[f->n].data)
        TRY(cx_where(err, cx_fail(err, CVS_E_FORMAT, "not a picture"), "%s", path));
    f->n++;
    return 0;
out:
    drop_probe(f, f->n);
    return rc;
}

static char *frame_name(char out[CX_FILE_NAME], int number)
{
    snprintf(out, CX_FILE_NAME, "%04d.png", number);
    return out;
}

int cvs_film_shoot(cvs_film *f, const cvs_model *m, int number, const char *title,
                   const char *subtitle, const cvs_training *t, cvs_error *err)
{
    char name[CX_FILE_NAME];
    cx_film_look look = {0};
    cx_bytes png = {0};
    int rc;
    if (f->n < 1) TRY(cx_fail(err, CVS_E_ARG, "a film wants a photograph"));
    if (number < 1 || number > MOST_FRAMES)
        TRY(cx_fail(err, CVS_E_ARG, "a film has 1 to %d frames", MOST_FRAMES));
    TRY(cx_film_look_init(&look, f, m, t, err));
    TRY(cx_film_page(f, &look, title, subtitle, err));
    TRY(cx_canvas_png(&png, &f->page.canvas, title, err));
    TRY(cx_put_file(f->frames, frame_name(name, number), png.data, png.size, err));
    if (number <= f->n_stills) cx_bytes_deinit(&f->stills[number - 1]);
out:
    cx_film_look_deinit(&look);
    cx_bytes_deinit(&png);
    return rc;
}

/* --- the film --- */

static int make_room(cvs_film *f, int n, cvs_error *err)
{
    if (n <= f->n_stills) return 0;
    cx_bytes *more = cx_realloc_array(f->stills, (size_t)n, sizeof *more);
    if (!more) return cx_no_memory(err, (size_t)n * sizeof *more);
    memset(more + f->n_stills, 0, (size_t)(n - f->n_stills) * sizeof *more);
    f->stills = more;
    f->n_stills = n;
    return 0;
}

/* A frame's file as the film has it. A film that grows while a network learns is written again and
 * again, so what has been packed once is kept. */
static int develop(cvs_film *f, int i, const char *path, cvs_error *err)
{
    cx_image frame = {0};
    int rc;
    TRY(cx_image_read(&frame, path, 3, 0, err));
    if (f->width == 0) {
        f->width = frame.width;
        f->height = frame.height;
    }
    if (frame.width != f->width || frame.height != f->height)
        TRY(cx_where(err, cx_fail(err, CVS_E_ARG, "of another film: it has another size"), "%s",
                     path));
    TRY(cx_webp_still(&f->stills[i], frame.data, frame.width, frame.height, err));
out:
    cx_image_deinit(&frame);
    return rc;
}

/* Those of the frames 1 … n that there are, borrowed, in a list that is the caller's to cx_free().
 */
static int gather(cx_bytes **out, int *count, cvs_film *f, int n, cvs_error *err)
{
    char name[CX_FILE_NAME], *path = NULL;
    int rc;
    *count = 0;
    *out = cx_calloc((size_t)n, sizeof **out);
    if (!*out) TRY(cx_no_memory(err, (size_t)n * sizeof **out));
    TRY(make_room(f, n, err));
    for (int i = 0; i < n; i++) {
        cx_free(path);
        TRY(cx_join_path(&path, f->frames, frame_name(name, i + 1), err));
        if (access(path, F_OK) != 0) continue;
        if (!f->stills[i].data) TRY(develop(f, i, path, err));
        (*out)[(*count)++] = f->stills[i];
    }
    if (*count == 0) TRY(cx_fail(err, CVS_E_ARG, "no frame has been drawn yet"));
out:
    cx_free(path);
    return rc;
}

int cvs_film_write(cvs_film *f, int n, cvs_error *err)
{
    cx_bytes *stills = NULL, webp = {0};
    char *html = NULL;
    int rc, count;
    if (n < 1 || n > MOST_FRAMES) return cx_fail(err, CVS_E_ARG, "a film of %d frames", n);
    TRY(gather(&stills, &count, f, n, err));
    TRY(cx_webp_splice(&webp, stills, count, FRAME_TIME, LAST_TIME, err));
    TRY(cx_put_file(f->dir, "film.webp", webp.data, webp.size, err));
    TRY(cx_film_html(&html, stills, count, err));
    TRY(cx_put_file(f->dir, "film.html", html, strlen(html), err));
out:
    cx_bytes_deinit(&webp);
    cx_free(html);
    cx_free(stills);
    return rc;
}
