/* folder.c - pictures decoded at a model's size and kept, handed out as batches. */
#include "train/folder.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/threads.h"
#include "train/folder_list.h"
#include "train/shuffle.h"

/* Room for one picture on its way; threads take the first that is free. */
typedef struct scratch {
    atomic_flag taken;
    cx_block block;
} scratch;

enum { SCRATCHES = CX_MAX_THREADS + 1 };

struct cx_folder {
    cx_folder_options o;
    cx_folder_list list;
    int64_t *part[CX_PARTS]; /* files */
    int64_t n[CX_PARTS];
    int64_t *skipped, n_skipped;
    int64_t pixels;   /* numbers of a picture */
    int is_bytes;     /* they are whole numbers, and kept so; else as float */
    int64_t n_cached; /* the first files, skipped ones too */
    cx_block cache;
    scratch scratches[SCRATCHES];
};

static size_t stored_size(const cx_folder *f)
{
    return (size_t)f->pixels * (f->is_bytes ? 1 : sizeof(float));
}

/* --- decoding --- */

static int decode(cx_tensor *out, const cx_folder *f, const char *path, cvs_error *err)
{
    cx_image image;
    int rc = cx_image_read(&image, path, f->o.channels, 0, err);
    *out = (cx_tensor){0};
    if (rc < 0) return rc;
    rc = cx_image_resize(out, &image, f->o.width, f->o.height, f->o.resize, err);
    cx_image_deinit(&image);
    return rc < 0 ? cx_where(err, rc, "%s", path) : 0;
}

static void store(cx_folder *f, int64_t file, const float *x)
{
    char *to = (char *)f->cache.data + (size_t)file * stored_size(f);
    if (!f->is_bytes)
        memcpy(to, x, stored_size(f));
    else
        for (int64_t i = 0; i < f->pixels; i++) ((uint8_t *)to)[i] = (uint8_t)x[i];
}

static void fetch(float *x, const cx_folder *f, int64_t file)
{
    const char *from = (const char *)f->cache.data + (size_t)file * stored_size(f);
    if (!f->is_bytes)
        memcpy(x, from, stored_size(f));
    else
        for (int64_t i = 0; i < f->pixels; i++) x[i] = ((const uint8_t *)from)[i];
}

typedef struct opening {
    cx_folder *f;
    cvs_error *why; /* of each file */
    int64_t from;   /* file of the loop's first item */
} opening;

static void decode_one(void *arg, int i, int worker)
{
    opening *o = arg;
    const int64_t file = o->from + i;
    cx_tensor x;
    (void)worker;
    o->why[i] = (cvs_error){0};
    if (decode(&x, o->f, o->f->list.files[file].path, &o->why[i]) == 0 && file < o->f->n_cached)
        store(o->f, file, x.data);
    cx_tensor_deinit(&x);
}

static const char no_memory[] = "out of memory";

/* What a file is skipped for, without its path, which whoever lists it tells. That it is over the
 * limits is a reason, that this machine's memory is full is not. */
static int note(cx_folder *f, int64_t file, const cvs_error *why, cvs_error *err)
{
    cx_str s = {0};
    int rc = 0;
    char *text;
    if (why->code == CVS_E_NOMEM && strncmp(why->what, no_memory, sizeof no_memory - 1) == 0) {
        if (err) *err = *why;
        return CVS_E_NOMEM;
    }
    cx_str_addf(&s, "%s%s%s", why->what, why->hint[0] ? ": " : "", why->hint);
    TRY(cx_str_ok(&s, err));
    text = cx_arena_strdup(f->list.arena, s.data);
    if (!text) rc = cx_no_memory(err, s.len);
    f->list.files[file].why = text;
out:
    cx_str_deinit(&s);
    return rc;
}

/* Decode every file, some hundred at a time. */
static int decode_all(cx_folder *f, cvs_error *err)
{
    enum { AT_ONCE = 256 };
    opening o = {.f = f, .why = cx_calloc(AT_ONCE, sizeof *o.why)};
    int rc = 0;
    if (!o.why) return cx_no_memory(err, AT_ONCE * sizeof *o.why);
    for (o.from = 0; o.from < f->list.n; o.from += AT_ONCE) {
        const int n = f->list.n - o.from < AT_ONCE ? (int)(f->list.n - o.from) : AT_ONCE;
        cx_parallel(n, decode_one, &o);
        for (int i = 0; i < n; i++)
            if (o.why[i].code < 0) TRY(note(f, o.from + i, &o.why[i], err));
    }
out:
    cx_free(o.why);
    return rc;
}

/* --- the split --- */

/* Deal file k of the order to a part, unless it is skipped. */
static void deal(cx_folder *f, cx_part part, int64_t file)
{
    if (!f->list.files[file].why) f->part[part][f->n[part]++] = file;
}

/* Of each class the first int(share * n). */
static void split_classes(cx_folder *f)
{
    const cx_example *files = f->list.files;
    for (int64_t from = 0, to; from < f->list.n; from = to) {
        for (to = from + 1; to < f->list.n && files[to].label == files[from].label;) to++;
        const int64_t first = (int64_t)(f->o.share * (double)(to - from));
        for (int64_t i = from; i < to; i++)
            deal(f, i - from < first ? CX_VALIDATION : CX_TRAINING, i);
    }
}

/* The last int(share * n) of all. */
static int split_shuffled(cx_folder *f, cvs_error *err)
{
    const int64_t n = f->list.n, last = (int64_t)(f->o.share * (double)n);
    int64_t *order = cx_calloc((size_t)n, sizeof *order);
    if (!order) return cx_no_memory(err, (size_t)n * sizeof *order);
    for (int64_t i = 0; i < n; i++) order[i] = i;
    cx_numpy_shuffle(order, n, f->o.seed);
    for (int64_t i = 0; i < n; i++) deal(f, i < n - last ? CX_TRAINING : CX_VALIDATION, order[i]);
    cx_free(order);
    return 0;
}

static int split(cx_folder *f, cvs_error *err)
{
    const size_t n = (size_t)f->list.n;
    int rc = 0;
    for (int p = 0; p < CX_PARTS; p++) f->part[p] = cx_calloc(n, sizeof *f->part[p]);
    f->skipped = cx_calloc(n, sizeof *f->skipped);
    if (!f->part[0] || !f->part[1] || !f->skipped) return cx_no_memory(err, n * sizeof *f->skipped);
    if (f->o.share > 0 && f->o.split == CX_SPLIT_SHUFFLED)
        TRY(split_shuffled(f, err));
    else
        split_classes(f);
    for (int64_t i = 0; i < f->list.n; i++)
        if (f->list.files[i].why) f->skipped[f->n_skipped++] = i;
    if (f->n[CX_TRAINING] == 0)
        rc = cx_fail(err, CVS_E_FORMAT, "no picture is left to learn from; %lld cannot be read",
                     (long long)f->n_skipped);
out:
    return rc;
}

/* --- opening --- */

static int check(const cx_folder_options *o, cvs_error *err)
{
    if (o->channels != 1 && o->channels != 3 && o->channels != 4)
        return cx_fail(err, CVS_E_ARG, "a model of pictures takes 1, 3 or 4 channels, not %d",
                       o->channels);
    if (!(o->share >= 0 && o->share < 1))
        return cx_fail(err, CVS_E_ARG, "the share for validation is %g, not from 0 to less than 1",
                       o->share);
    if (o->width < 1 || o->height < 1 || o->width > CX_IMAGE_MAX_SIDE ||
        o->height > CX_IMAGE_MAX_SIDE)
        return cx_fail(err, CVS_E_ARG, "a picture of %d x %d is not possible", o->width, o->height);
    float probe[4] = {0}; /* whether the mode goes with the channels */
    return cx_preprocess(probe, 1, o->channels, o->preprocess, err);
}

static int check_classes(const cx_folder *f, const char *path, cvs_error *err)
{
    const cx_folder *other = f->o.classes_of;
    int same = !other || other->list.n_classes == f->list.n_classes;
    for (int i = 0; same && other && i < f->list.n_classes; i++)
        same = strcmp(f->list.classes[i], other->list.classes[i]) == 0;
    if (same) return 0;
    return cx_where(err, cx_fail(err, CVS_E_FORMAT, "its subfolders are other classes"), "%s",
                    path);
}

static int make_cache(cx_folder *f, cvs_error *err)
{
    const int64_t limit = f->o.memory > 0 ? f->o.memory : CX_FOLDER_MEMORY;
    int64_t n = limit / (int64_t)stored_size(f);
    f->n_cached = n < f->list.n ? n : f->list.n;
    return cx_block_init(&f->cache, (size_t)f->n_cached * stored_size(f), err);
}

int cx_folder_open(cx_folder **out, const char *path, const cx_folder_options *o, cvs_error *err)
{
    cx_folder *f = NULL;
    int rc;
    *out = NULL;
    TRY(check(o, err));
    f = cx_calloc(1, sizeof *f);
    if (!f) TRY(cx_no_memory(err, sizeof *f));
    f->o = *o;
    f->pixels = (int64_t)o->width * o->height * o->channels;
    f->is_bytes = o->resize == CVS_RESIZE_NEAREST || o->resize == CVS_RESIZE_ANTIALIAS;
    for (int i = 0; i < SCRATCHES; i++) atomic_flag_clear(&f->scratches[i].taken);
    TRY(cx_folder_list_init(&f->list, path, o->classes, err));
    TRY(check_classes(f, path, err));
    TRY(make_cache(f, err));
    TRY(decode_all(f, err));
    rc = split(f, err);
    if (rc < 0) cx_where(err, rc, "%s", path);
    if (rc == 0) {
        *out = f;
        f = NULL;
    }
out:
    cx_folder_free(f);
    return rc;
}

void cx_folder_free(cx_folder *f)
{
    if (!f) return;
    for (int i = 0; i < SCRATCHES; i++) cx_block_deinit(&f->scratches[i].block);
    for (int p = 0; p < CX_PARTS; p++) cx_free(f->part[p]);
    cx_free(f->skipped);
    cx_block_deinit(&f->cache);
    cx_folder_list_deinit(&f->list);
    cx_free(f);
}

/* --- asking --- */

int cx_folder_classes(const cx_folder *f)
{
    return f->list.n_classes;
}

const char *cx_folder_class(const cx_folder *f, int i)
{
    return i >= 0 && i < f->list.n_classes ? f->list.classes[i] : NULL;
}

int64_t cx_folder_count(const cx_folder *f, cx_part part)
{
    return f->n[part];
}

const char *cx_folder_path(const cx_folder *f, cx_part part, int64_t i)
{
    return f->list.files[f->part[part][i]].path;
}

int cx_folder_label(const cx_folder *f, cx_part part, int64_t i)
{
    return f->list.files[f->part[part][i]].label;
}

const char *cx_folder_skipped(const char **why, const cx_folder *f, int64_t i)
{
    const cx_example *e = i < f->n_skipped ? &f->list.files[f->skipped[i]] : NULL;
    *why = e ? e->why : NULL;
    return e ? e->path : NULL;
}

int64_t cx_folder_uncached(const cx_folder *f)
{
    return f->list.n - f->n_cached;
}

/* --- batches --- */

/* Two pictures' worth of room, until the flag is cleared. There are as many as threads can be. */
static int take_scratch(scratch **out, cx_folder *f, cvs_error *err)
{
    const size_t size = 2 * (size_t)f->pixels * sizeof(float);
    scratch *b = f->scratches;
    while (atomic_flag_test_and_set(&b->taken))
        b = b + 1 < f->scratches + SCRATCHES ? b + 1 : f->scratches;
    *out = b;
    if (b->block.data) return 0;
    int rc = cx_block_init(&b->block, size, err);
    if (rc < 0) atomic_flag_clear(&b->taken);
    return rc;
}

typedef struct batch {
    const cx_folder_view *view;
    const int64_t *which;
    int64_t epoch;
    float *x;
    int64_t *label;
    atomic_int failed; /* the first item that did, INT32_MAX: none */
} batch;

static int read_pixels(float *x, const cx_folder *f, int64_t file, cvs_error *err)
{
    cx_tensor decoded;
    if (file < f->n_cached) {
        fetch(x, f, file);
        return 0;
    }
    int rc = decode(&decoded, f, f->list.files[file].path, err);
    if (rc == 0) memcpy(x, decoded.data, (size_t)f->pixels * sizeof *x);
    cx_tensor_deinit(&decoded);
    return rc;
}

static int fill_one(const batch *b, int i, cvs_error *err)
{
    const cx_folder_view *v = b->view;
    cx_folder *f = v->folder;
    const cx_folder_options *o = &f->o;
    const int64_t file = f->part[v->part][b->which[i]];
    float *x = b->x + i * f->pixels;
    scratch *room = NULL;
    cx_variation how;
    int rc;
    b->label[i] = f->list.files[file].label;
    if (v->augment) {
        TRY(take_scratch(&room, f, err));
        float *plain = room->block.data;
        TRY(read_pixels(plain, f, file, err));
        cx_augment_draw(&how, v->augment, o->height, o->width, v->seed, b->epoch, b->which[i]);
        cx_augment_apply(x, plain, o->height, o->width, o->channels, v->augment, &how,
                         plain + f->pixels);
    } else {
        TRY(read_pixels(x, f, file, err));
    }
    rc = cx_preprocess(x, (int64_t)o->width * o->height, o->channels, o->preprocess, err);
out:
    if (room) atomic_flag_clear(&room->taken);
    return rc;
}

static void fill_item(void *arg, int i, int worker)
{
    batch *b = arg;
    (void)worker;
    if (fill_one(b, i, NULL) == 0) return;
    int first = atomic_load(&b->failed);
    while (i < first && !atomic_compare_exchange_weak(&b->failed, &first, i)) continue;
}

static int fill(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                int64_t *label, cvs_error *err)
{
    const cx_folder_view *v = self;
    batch b = {.view = v, .which = which, .epoch = epoch, .x = x, .label = label};
    for (int i = 0; i < count; i++)
        if (which[i] < 0 || which[i] >= v->folder->n[v->part])
            return cx_fail(err, CVS_E_ARG, "there is no example %lld", (long long)which[i]);
    if (count == 1) return fill_one(&b, 0, err);
    atomic_store(&b.failed, INT32_MAX);
    cx_parallel(count, fill_item, &b);
    const int failed = atomic_load(&b.failed);
    return failed < count ? fill_one(&b, failed, err) : 0; /* again, to tell why */
}

cx_data cx_folder_data(cx_folder_view *view)
{
    return (cx_data){.n = view->folder->n[view->part],
                     .n_classes = view->folder->list.n_classes,
                     .fill = fill,
                     .self = view};
}
