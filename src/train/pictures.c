/* pictures.c - folders of pictures as the public header has them. */
#include <stdio.h>
#include <string.h>

#include "base/journal.h"
#include "base/mem.h"
#include "base/str.h"
#include "train/ahead.h"
#include "train/folder.h"

/* A batch that was told of while another one was still to be made. */
typedef struct batch {
    int64_t *which;
    int64_t epoch;
    int count, room;
} batch;

struct cvs_folder {
    cx_folder *folder;
    cx_augment augment;
    cx_folder_view view[CX_PARTS];
    cx_data data[CX_PARTS];
    char about[CX_PARTS][160];
    cx_ahead *ahead; /* of the training; NULL: nothing is made ahead */
    cx_data made;    /* by it */
    cx_data given;   /* to the trainer */
    batch next;
};

static const struct {
    const char *name;
    const cx_augment *how;
} augmentations[] = {
    {"none", NULL}, {"book", &cx_augment_generator}, {"layers", &cx_augment_layers}};

enum { N_AUGMENTATIONS = sizeof augmentations / sizeof *augmentations };

const char *cvs_augment_name(int i)
{
    return i >= 0 && i < N_AUGMENTATIONS ? augmentations[i].name : NULL;
}

static int find_augmentation(const cx_augment **out, const char *name, cvs_error *err)
{
    const char *names[N_AUGMENTATIONS];
    *out = NULL;
    if (!name) return 0;
    for (int i = 0; i < N_AUGMENTATIONS; i++) {
        names[i] = augmentations[i].name;
        if (!cx_streq(name, names[i])) continue;
        *out = augmentations[i].how;
        return 0;
    }
    cx_fail(err, CVS_E_ARG, "there is no augmentation \"%s\"", name);
    cx_hint_nearest(err, name, names, N_AUGMENTATIONS);
    return CVS_E_ARG;
}

/* --- a batch ahead --- */

/* The batch that was told of is begun only when this one has been handed over: there is room for
 * one. */
static int fill(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                int64_t *label, cvs_error *err)
{
    cvs_folder *f = self;
    const int rc = f->made.fill(f->made.self, which, count, epoch, x, label, err);
    if (rc == 0 && f->next.count > 0)
        cx_ahead_expect(f->ahead, f->next.which, f->next.count, f->next.epoch);
    f->next.count = 0;
    return rc;
}

static void expect(void *self, const int64_t *which, int count, int64_t epoch)
{
    cvs_folder *f = self;
    if (count < 1 || count > f->next.room) return;
    memcpy(f->next.which, which, (size_t)count * sizeof *which);
    f->next.count = count;
    f->next.epoch = epoch;
}

static int begin_ahead(cvs_folder *f, const cvs_folder_options *o, cvs_error *err)
{
    int rc;
    f->given = f->data[CX_TRAINING];
    if (o->batch < 1) return 0;
    f->next.which = cx_calloc((size_t)o->batch, sizeof *f->next.which);
    if (!f->next.which) return cx_no_memory(err, (size_t)o->batch * sizeof *f->next.which);
    f->next.room = o->batch;
    TRY(cx_ahead_new(&f->ahead, &f->data[CX_TRAINING], o->height * o->width * o->channels, o->batch,
                     err));
    f->made = cx_ahead_data(f->ahead);
    f->given.fill = fill;
    f->given.expect = expect;
    f->given.self = f;
out:
    return rc;
}

/* --- what the examples depend on --- */

/* Files by their names in the folder, which may be another place's next time. */
static void describe(cvs_folder *f, cx_part part, const char *path, const cvs_folder_options *o,
                     const cx_folder_options *how)
{
    uint64_t files = 0;
    for (int64_t i = 0; i < cx_folder_count(f->folder, part); i++) {
        const char *name = cx_folder_path(f->folder, part, i) + strlen(path);
        while (*name == '/') name++;
        files = cx_hash(files, name, strlen(name) + 1);
    }
    snprintf(f->about[part], sizeof f->about[part], "of key %016llx, varied \"%s\", %s, %s",
             (unsigned long long)files, f->view[part].augment ? o->augment : "none",
             cvs_preprocess_name((int)how->preprocess), cvs_resize_name((int)o->resize));
    f->data[part].about = f->about[part];
}

/* The names in a list that ends with NULL; NULL where none are wanted. */
static int list_classes(const char ***out, const cvs_classes *classes, cvs_error *err)
{
    const int n = classes ? cvs_classes_count(classes) : 0;
    *out = NULL;
    if (!classes) return 0;
    *out = cx_calloc((size_t)n + 1, sizeof **out);
    if (!*out) return cx_no_memory(err, ((size_t)n + 1) * sizeof **out);
    for (int i = 0; i < n; i++) (*out)[i] = cvs_classes_name(classes, i);
    return 0;
}

/* --- the public functions --- */

int cvs_folder_open(cvs_folder **out, const char *path, const cvs_folder_options *o,
                    const cvs_folder *classes_of, cvs_error *err)
{
    const cx_augment *how;
    const char **classes = NULL;
    const int fits = o->height > 0 && o->height <= CX_IMAGE_MAX_SIDE && o->width > 0 &&
                     o->width <= CX_IMAGE_MAX_SIDE && o->channels > 0 && o->channels <= 4;
    cx_folder_options options = {
        .resize = o->resize,
        .preprocess = o->preprocess == CVS_PREPROCESS_AUTO ? CVS_PREPROCESS_UNIT : o->preprocess,
        .share = o->share,
        .split = o->is_shuffled ? CX_SPLIT_SHUFFLED : CX_SPLIT_FIRST,
        .seed = (uint32_t)o->seed,
        .memory = o->memory,
        .classes_of = classes_of ? classes_of->folder : NULL};
    int rc;
    *out = NULL;
    cvs_folder *f = cx_calloc(1, sizeof *f);
    if (!f) return cx_no_memory(err, sizeof *f);
    if (!fits)
        TRY(cx_fail(err, CVS_E_ARG, "no picture has %lld × %lld pixels of %lld channels",
                    (long long)o->width, (long long)o->height, (long long)o->channels));
    options.width = (int)o->width;
    options.height = (int)o->height;
    options.channels = (int)o->channels;
    TRY(find_augmentation(&how, o->augment, err));
    if (how) f->augment = *how;
    TRY(list_classes(&classes, o->classes, err));
    options.classes = classes;
    TRY(cx_folder_open(&f->folder, path, &options, err));
    for (cx_part p = 0; p < CX_PARTS; p++) {
        f->view[p] =
            (cx_folder_view){f->folder, p, how && p == CX_TRAINING ? &f->augment : NULL, o->seed};
        f->data[p] = cx_folder_data(&f->view[p]);
        describe(f, p, path, o, &options);
    }
    TRY(begin_ahead(f, o, err));
    *out = f;
    f = NULL;
out:
    cx_free(classes);
    cvs_folder_free(f);
    return rc;
}

void cvs_folder_free(cvs_folder *f)
{
    if (!f) return;
    cx_ahead_free(f->ahead);
    cx_folder_free(f->folder);
    cx_free(f->next.which);
    cx_free(f);
}

cvs_data cvs_folder_training(const cvs_folder *f)
{
    return f->given;
}

cvs_data cvs_folder_validation(const cvs_folder *f)
{
    return f->data[CX_VALIDATION];
}

int cvs_folder_class_count(const cvs_folder *f)
{
    return cx_folder_classes(f->folder);
}

const char *cvs_folder_class(const cvs_folder *f, int i)
{
    return cx_folder_class(f->folder, i);
}

int64_t cvs_folder_class_size(const cvs_folder *f, int class_index)
{
    int64_t n = 0;
    for (int64_t i = 0; i < cx_folder_count(f->folder, CX_TRAINING); i++)
        n += cx_folder_label(f->folder, CX_TRAINING, i) == class_index;
    return n;
}

const char *cvs_folder_skipped(const char **why, const cvs_folder *f, int64_t i)
{
    return cx_folder_skipped(why, f->folder, i);
}
