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
out:
    cx_film_look_deinit(&look);
    cx_bytes_deinit(&png);
    return rc;
}

/* --- the film --- */

/* One frame by itself, for the page. */
static int still(cx_bytes *out, const cx_image *frame, cvs_error *err)
{
    cx_webp_film *one = NULL;
    int rc;
    TRY(cx_webp_film_new(&one, frame->width, frame->height, err));
    TRY(cx_webp_film_add(one, frame->data, FRAME_TIME, err));
    TRY(cx_webp_film_finish(out, one, err));
out:
    cx_webp_film_free(one);
    return rc;
}

typedef struct reel {
    cx_webp_film *moving;
    cx_bytes *stills;
    int n, width, height;
} reel;

static int add_frame(reel *r, const char *path, int is_last, cvs_error *err)
{
    cx_image frame = {0};
    int rc;
    TRY(cx_image_read(&frame, path, 3, 0, err));
    if (r->n == 0) {
        r->width = frame.width;
        r->height = frame.height;
        TRY(cx_webp_film_new(&r->moving, frame.width, frame.height, err));
    }
    if (frame.width != r->width || frame.height != r->height)
        TRY(cx_where(err, cx_fail(err, CVS_E_ARG, "of another film: it has another size"), "%s",
                     path));
    TRY(cx_webp_film_add(r->moving, frame.data, is_last ? LAST_TIME : FRAME_TIME, err));
    TRY(still(&r->stills[r->n], &frame, err));
    r->n++;
out:
    cx_image_deinit(&frame);
    return rc;
}

static int write_reel(const cvs_film *f, reel *r, cvs_error *err)
{
    cx_bytes webp = {0};
    char *html = NULL;
    int rc;
    TRY(cx_webp_film_finish(&webp, r->moving, err));
    TRY(cx_put_file(f->dir, "film.webp", webp.data, webp.size, err));
    TRY(cx_film_html(&html, r->stills, r->n, err));
    TRY(cx_put_file(f->dir, "film.html", html, strlen(html), err));
out:
    cx_bytes_deinit(&webp);
    cx_free(html);
    return rc;
}

int cvs_film_write(const cvs_film *f, int n, cvs_error *err)
{
    char name[CX_FILE_NAME], *path = NULL;
    reel r = {0};
    int rc = 0;
    if (n < 1 || n > MOST_FRAMES) return cx_fail(err, CVS_E_ARG, "a film of %d frames", n);
    r.stills = cx_calloc((size_t)n, sizeof *r.stills);
    if (!r.stills) return cx_no_memory(err, (size_t)n * sizeof *r.stills);
    for (int i = 1; i <= n; i++) {
        cx_free(path);
        TRY(cx_join_path(&path, f->frames, frame_name(name, i), err));
        if (access(path, F_OK) == 0) TRY(add_frame(&r, path, i == n, err));
    }
    if (r.n == 0) TRY(cx_fail(err, CVS_E_ARG, "no frame has been drawn yet"));
    TRY(write_reel(f, &r, err));
out:
    for (int i = 0; i < n; i++) cx_bytes_deinit(&r.stills[i]);
    cx_free(r.stills);
    cx_free(path);
    cx_webp_film_free(r.moving);
    return rc;
}
