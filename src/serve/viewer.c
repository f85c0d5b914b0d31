/* viewer.c - the viewer's models and pictures. */
#include "serve/viewer.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "serve/gallery.h"
#include "serve/runs.h"
#include "tensor/npy.h"

enum {
    MOST_SENT = 64,     /* pictures that were sent, the newest */
    MOST_READ = 32,     /* of the folders, that are kept decoded */
    MOST_RESULTS = 256, /* that several routes show */
    MOST_PIXELS = 50 * 1000 * 1000,
    NAME = sizeof((cx_view_entry *)0)->name,
};
static const size_t most_sent = (size_t)512 << 20, most_read = (size_t)256 << 20,
                    most_results = (size_t)128 << 20;

typedef struct picture {
    cx_view_picture seen; /* what others know of it; first, so that one is the other */
    char name[NAME];
    cvs_input *input;
    long number; /* of those that were sent, in their order */
} picture;

struct cx_viewer {
    cx_view_model *models;
    int n_models;
    cvs_image_options image;
    int exact;
    cx_gallery gallery;
    cx_keep *sent, *read, *results;
    cx_runs *runs;
    pthread_mutex_t lock; /* of sizes in the gallery, and of the number */
    long number;
};

/* --- models --- */

int cx_viewer_model_count(const cx_viewer *v)
{
    return v->n_models;
}

const cx_view_model *cx_viewer_model_at(const cx_viewer *v, int i)
{
    return i >= 0 && i < v->n_models ? &v->models[i] : NULL;
}

int cx_viewer_model(const cx_view_model **out, const cx_viewer *v, const char *id, cvs_error *err)
{
    *out = NULL;
    for (int i = 0; i < v->n_models; i++)
        if (cx_streq(v->models[i].id, id)) {
            *out = &v->models[i];
            return 0;
        }
    int rc = cx_fail(err, CVS_E_ARG, "there is no model \"%.40s\"", id);
    cx_hint(err, v->n_models > 1 ? "they are m0 to m%d" : "there is one, m%d", v->n_models - 1);
    return rc;
}

const cvs_image_options *cx_viewer_image(const cx_viewer *v)
{
    return &v->image;
}

int cx_viewer_is_exact(const cx_viewer *v)
{
    return v->exact;
}

/* --- pictures --- */

/* Where a picture's bytes come from. */
typedef struct source {
    cx_viewer *viewer;
    const char *id, *name, *path; /* path: of the folders, else there are bytes */
    const uint8_t *bytes;
    size_t size;
} source;

static void free_picture(void *thing)
{
    picture *p = thing;
    cvs_input_free(p->input);
    cx_free(p);
}

static int parse_input(cvs_input *out, const uint8_t *bytes, size_t size, int exif, cvs_error *err)
{
    static const char npy[] = "\x93NUMPY";
    const size_t n = sizeof npy - 1;
    return size > n && memcmp(bytes, npy, n) == 0
               ? cx_npy_parse(&out->tensor, bytes, size, err)
               : cx_image_parse_most(&out->picture, bytes, size, 0, exif, MOST_PIXELS, err);
}

static int read_input(cvs_input **out, const source *s, cvs_error *err)
{
    cx_bytes file = {0};
    int rc = 0;
    *out = cx_calloc(1, sizeof **out);
    if (!*out) return cx_no_memory(err, sizeof **out);
    if (s->path) TRY(cx_file_read(&file, s->path, CX_IMAGE_MAX_FILE, err));
    TRY(parse_input(*out, s->path ? file.data : s->bytes, s->path ? file.size : s->size,
                    s->viewer->image.exif, err));
out:
    cx_bytes_deinit(&file);
    if (rc < 0) {
        cvs_input_free(*out);
        *out = NULL;
    }
    return rc < 0 && s->path ? cx_where(err, rc, "%s", s->name) : rc;
}

/* The bytes that a picture takes, decoded. */
static size_t size_of(const cvs_input *input)
{
    const cx_image *i = &input->picture;
    return i->data ? (size_t)i->width * (size_t)i->height * (size_t)i->channels
                   : (size_t)cx_shape_count(&input->tensor.shape) * sizeof(float);
}

/* A name that was cut ends with a whole character. */
static void copy_name(char out[NAME], const char *name)
{
    const int n = snprintf(out, NAME, "%s", name);
    if (n < NAME) return;
    size_t i = NAME - 1;
    while (i > 0 && ((unsigned char)name[i] & 0xc0) == 0x80) i--;
    out[i] = 0;
}

static int make_picture(void **out, size_t *size, void *arg, cvs_error *err)
{
    const source *s = arg;
    picture *p = cx_calloc(1, sizeof *p);
    int rc;
    if (!p) return cx_no_memory(err, sizeof *p);
    TRY(read_input(&p->input, s, err));
    *size = size_of(p->input);
    copy_name(p->name, s->name);
    snprintf(p->seen.id, sizeof p->seen.id, "%s", s->id);
    p->seen.name = p->name;
    p->seen.width = p->input->picture.width;
    p->seen.height = p->input->picture.height;
    p->seen.input = p->input;
    p->seen.is_sent = !s->path;
    pthread_mutex_lock(&s->viewer->lock);
    p->number = ++s->viewer->number;
    pthread_mutex_unlock(&s->viewer->lock);
    *out = p;
    p = NULL;
out:
    if (p) free_picture(p);
    return rc;
}

static const cx_keep_kind pictures = {make_picture, free_picture};

static int take_file(void **out, cx_viewer *v, cx_gallery_file *file, cvs_error *err)
{
    source s = {.viewer = v, .id = file->id, .name = file->name, .path = file->path};
    int rc = cx_keep_take(out, v->read, file->id, &pictures, &s, err);
    if (rc < 0) return rc;
    const picture *p = *out;
    pthread_mutex_lock(&v->lock);
    file->width = p->seen.width;
    file->height = p->seen.height;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

int cx_viewer_take(const cx_view_picture **out, cx_viewer *v, const char *id, cvs_error *err)
{
    cx_gallery_file *file = cx_gallery_find(&v->gallery, id);
    void *thing;
    *out = NULL;
    int rc =
        file ? take_file(&thing, v, file, err) : cx_keep_take(&thing, v->sent, id, NULL, NULL, err);
    if (rc < 0 && !file) {
        rc = cx_fail(err, CVS_E_ARG, "there is no picture \"%.40s\"", id);
        cx_hint(err, "pictures that were sent make room for newer ones: send it again");
    }
    if (rc == 0) *out = &((const picture *)thing)->seen;
    return rc;
}

void cx_viewer_let_go(cx_viewer *v, const cx_view_picture *seen)
{
    if (!seen) return;
    /* A keep wants the thing itself, which begins with what was handed out. */
    void *thing;
    memcpy(&thing, &seen, sizeof thing);
    cx_keep_let_go(seen->is_sent ? v->sent : v->read, thing);
}

int cx_viewer_add(char id[17], cx_viewer *v, const char *name, const uint8_t *bytes, size_t size,
                  cvs_error *err)
{
    source s = {.viewer = v, .id = id, .name = name, .bytes = bytes, .size = size};
    void *thing;
    cx_gallery_id(id, bytes, size);
    int rc = cx_keep_take(&thing, v->sent, id, &pictures, &s, err);
    if (rc == 0) cx_keep_let_go(v->sent, thing);
    return rc;
}

/* --- the list --- */

/* Among those that were sent, the next after a number. */
typedef struct search {
    long after, number; /* number: of the one that was found, 0: none */
    int64_t count;
    cx_view_entry *out;
} search;

static void see(void *arg, const void *thing)
{
    search *s = arg;
    const picture *p = thing;
    s->count++;
    if (p->number <= s->after || (s->number && p->number > s->number)) return;
    s->number = p->number;
    *s->out = (cx_view_entry){.width = p->seen.width, .height = p->seen.height, .is_sent = 1};
    snprintf(s->out->id, sizeof s->out->id, "%s", p->seen.id);
    snprintf(s->out->name, sizeof s->out->name, "%s", p->name);
}

int cx_viewer_entry(cx_view_entry *out, cx_viewer *v, int64_t i)
{
    search s = {.out = out};
    *out = (cx_view_entry){0};
    if (i < 0) return 0;
    if (i < v->gallery.n) {
        const cx_gallery_file *file = &v->gallery.files[i];
        snprintf(out->id, sizeof out->id, "%s", file->id);
        copy_name(out->name, file->name);
        pthread_mutex_lock(&v->lock);
        out->width = file->width;
        out->height = file->height;
        pthread_mutex_unlock(&v->lock);
        return 1;
    }
    for (i -= v->gallery.n; i >= 0; i--) {
        s = (search){.after = s.number, .out = out};
        cx_keep_each(v->sent, see, &s);
        if (!s.number) return 0;
    }
    return 1;
}

int64_t cx_viewer_folder_count(cx_viewer *v)
{
    return v->gallery.n;
}

int64_t cx_viewer_entry_count(cx_viewer *v)
{
    cx_view_entry last;
    search s = {.out = &last};
    cx_keep_each(v->sent, see, &s);
    return v->gallery.n + s.count;
}

/* --- what was computed --- */

int cx_viewer_computed(cvs_run **out, double *milliseconds, cx_viewer *v,
                       const cx_view_model *model, const cx_view_picture *seen,
                       const cvs_image_options *image, const char *taps, cvs_error *err)
{
    const cx_pass pass = {model->m, seen->id, seen->input, *image, taps};
    return cx_runs_take(out, milliseconds, v->runs, &pass, err);
}

void cx_viewer_give_back(cx_viewer *v, cvs_run *run)
{
    cx_runs_let_go(v->runs, run);
}

cx_keep *cx_viewer_results(cx_viewer *v)
{
    return v->results;
}

/* --- the viewer itself --- */

static int copy_models(cx_viewer *v, const cx_viewer_options *o, cvs_error *err)
{
    v->models = cx_calloc((size_t)o->n_models, sizeof *v->models);
    if (!v->models) return cx_no_memory(err, (size_t)o->n_models * sizeof *v->models);
    for (; v->n_models < o->n_models; v->n_models++) {
        v->models[v->n_models] = o->models[v->n_models];
        snprintf(v->models[v->n_models].id, sizeof v->models->id, "m%u",
                 (unsigned)v->n_models % 100000U);
    }
    return 0;
}

int cx_viewer_new(cx_viewer **out, const cx_viewer_options *o, cvs_error *err)
{
    cx_viewer *v = cx_calloc(1, sizeof *v);
    int rc;
    *out = NULL;
    if (!v) return cx_no_memory(err, sizeof *v);
    pthread_mutex_init(&v->lock, NULL);
    v->image = o->image;
    v->exact = o->exact;
    TRY(copy_models(v, o, err));
    if (o->images) TRY(cx_gallery_init(&v->gallery, o->images, err));
    TRY(cx_keep_new(&v->sent, most_sent, MOST_SENT, err));
    TRY(cx_keep_new(&v->read, most_read, MOST_READ, err));
    TRY(cx_keep_new(&v->results, most_results, MOST_RESULTS, err));
    TRY(cx_runs_new(&v->runs, o->exact, err));
    *out = v;
    v = NULL;
out:
    cx_viewer_free(v);
    return rc;
}

void cx_viewer_free(cx_viewer *v)
{
    if (!v) return;
    cx_runs_free(v->runs);
    cx_keep_free(v->results);
    cx_keep_free(v->read);
    cx_keep_free(v->sent);
    if (v->gallery.arena) cx_gallery_deinit(&v->gallery);
    cx_free(v->models);
    pthread_mutex_destroy(&v->lock);
    cx_free(v);
}
