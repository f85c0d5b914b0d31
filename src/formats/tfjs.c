/* tfjs.c - weights of TensorFlow.js: a manifest of groups of arrays, each group cut into files
 * ("shards") that are read as one after the other. Numbers may be quantized to 8 or 16 bits. */
#include "formats/tfjs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "formats/config.h"
#include "formats/weights.h"
#include "tensor/npy.h"

enum { MAX_SHARDS = 10000, MAX_ARRAYS = 100000 };
static const int64_t max_bytes = (int64_t)1 << 42; /* of a group */

typedef struct shard {
    const char *path; /* of the file */
    int64_t start;    /* first byte, counted through the group */
    int64_t size;
} shard;

typedef enum stored_type { FLOAT32, FLOAT16, INT32, UINT16, UINT8, STORED_TYPES } stored_type;
static const struct {
    const char *name;
    int size;
} types[STORED_TYPES] = {{"float32", 4}, {"float16", 2}, {"int32", 4}, {"uint16", 2}, {"uint8", 1}};

/* Where an array is. */
typedef struct piece {
    const shard *shards; /* of its group */
    int n_shards;
    int64_t offset; /* in the group */
    stored_type type;
    double scale, min; /* the number is stored * scale + min */
} piece;

typedef struct reader {
    const char *folder; /* ended by a slash, or "" */
    cx_arena *arena;
    cx_array *arrays;
    piece *pieces;
    int n, n_shards;
    int64_t bytes; /* of all shards */
    cvs_error *err;
} reader;

/* --- shards --- */

/* A model must not make us read any file but those in its own folder. */
static int check_path(const char *path, cvs_error *err)
{
    int inside = *path && *path != '/';
    for (const char *part = path; inside && *part; part += *part == '/') {
        size_t n = strcspn(part, "/");
        inside = n != 0 && !(n == 2 && memcmp(part, "..", 2) == 0);
        part += n;
    }
    if (inside) return 0;
    return cx_fail(err, CVS_E_FORMAT, "the weights file \"%.200s\" is not in the model's folder",
                   path);
}

static int read_shard(shard *s, const reader *r, const cx_json *json, int64_t start)
{
    cx_str path = {0};
    const char *name = cx_json_string(json, "");
    int rc;
    TRY(check_path(name, r->err));
    cx_str_addf(&path, "%s%s", r->folder, name);
    TRY(cx_str_ok(&path, r->err));
    s->path = cx_arena_strdup(r->arena, path.data);
    s->start = start;
    TRY(s->path ? cx_file_size(&s->size, s->path, r->err) : cx_no_memory(r->err, path.len));
    if (s->size > max_bytes - start) rc = cx_fail(r->err, CVS_E_FORMAT, "it is too large");
out:
    cx_str_deinit(&path);
    return rc < 0 && s->path ? cx_where(r->err, rc, "%s", name) : rc;
}

static int read_shards(shard **out, int64_t *bytes, reader *r, const cx_json *paths)
{
    size_t n = cx_json_size(paths);
    int rc = 0;
    if (!cx_json_is_array(paths) || n > MAX_SHARDS || (r->n_shards += (int)n) > MAX_SHARDS)
        return cx_fail(r->err, CVS_E_FORMAT, "paths: a list of at most %d files is wanted",
                       MAX_SHARDS);
    *out = cx_arena_array(r->arena, n, sizeof **out);
    if (!*out) return cx_no_memory(r->err, n * sizeof **out);
    *bytes = 0;
    for (size_t i = 0; i < n; i++) {
        TRY(read_shard(&(*out)[i], r, cx_json_at(paths, i), *bytes));
        *bytes += (*out)[i].size;
    }
out:
    return rc;
}

/* --- the manifest --- */

static int read_type(piece *p, const cx_json *json, cvs_error *err)
{
    const cx_json *quantization = cx_json_get(json, "quantization");
    const char *name = cx_json_string(cx_json_get(quantization ? quantization : json, "dtype"), "");
    p->scale = cx_json_number(cx_json_get(quantization, "scale"), 1);
    p->min = cx_json_number(cx_json_get(quantization, "min"), 0);
    for (int i = 0; i < STORED_TYPES; i++) {
        p->type = (stored_type)i;
        if (strcmp(types[i].name, name) == 0) return 0;
    }
    return cx_fail(err, CVS_E_UNSUPPORTED, "dtype: \"%.40s\" is not supported", name);
}

static int read_shape(cx_shape *out, const cx_json *json, cvs_error *err)
{
    size_t n = cx_json_size(json);
    if (!cx_json_is_array(json) || n > CX_MAX_DIMS)
        return cx_fail(err, CVS_E_FORMAT, "shape: a list of at most %d numbers is wanted",
                       CX_MAX_DIMS);
    *out = (cx_shape){.ndim = (int)n};
    for (size_t i = 0; i < n; i++) out->d[i] = cx_json_int(cx_json_at(json, i), -1);
    return cx_shape_count(out) < 0 ? cx_fail(err, CVS_E_FORMAT, "shape: not a possible shape") : 0;
}

/* Add an array that begins at byte *offset of its group. */
static int read_array(reader *r, const cx_json *json, const piece *group, int64_t *offset)
{
    cx_array *array = &r->arrays[r->n];
    piece *p = &r->pieces[r->n];
    int64_t bytes;
    int rc;
    *p = *group;
    p->offset = *offset;
    *array = (cx_array){.name = cx_json_string(cx_json_get(json, "name"), ""), .place = p};
    TRY(read_type(p, json, r->err));
    TRY(read_shape(&array->shape, cx_json_get(json, "shape"), r->err));
    if (cx_mul_count(&bytes, cx_shape_count(&array->shape), types[p->type].size) ||
        bytes > max_bytes - *offset) {
        rc = cx_fail(r->err, CVS_E_FORMAT, "shape: it is too large");
        goto out;
    }
    *offset += bytes;
    r->n++;
out:
    return rc < 0 ? cx_where(r->err, rc, "%s", array->name) : 0;
}

static int read_group(reader *r, const cx_json *json)
{
    const cx_json *weights = cx_json_get(json, "weights");
    size_t n = cx_json_size(weights);
    int64_t bytes = 0, used = 0;
    shard *shards = NULL;
    int rc;
    TRY(read_shards(&shards, &bytes, r, cx_json_get(json, "paths")));
    const piece group = {.shards = shards,
                         .n_shards = (int)cx_json_size(cx_json_get(json, "paths"))};
    r->bytes += bytes;
    for (size_t i = 0; i < n; i++) TRY(read_array(r, cx_json_at(weights, i), &group, &used));
    if (used > bytes)
        rc = cx_fail(r->err, CVS_E_FORMAT, "the weights have %lld bytes, their files only %lld",
                     (long long)used, (long long)bytes);
out:
    return rc;
}

static int read_manifest(reader *r, const cx_json *manifest)
{
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < cx_json_size(manifest); i++)
        n += cx_json_size(cx_json_get(cx_json_at(manifest, i), "weights"));
    if (n > MAX_ARRAYS) return cx_fail(r->err, CVS_E_FORMAT, "more than %d weights", MAX_ARRAYS);
    r->arrays = cx_arena_array(r->arena, n, sizeof *r->arrays);
    r->pieces = cx_arena_array(r->arena, n, sizeof *r->pieces);
    if (!r->arrays || !r->pieces) return cx_no_memory(r->err, n * sizeof *r->pieces);
    for (size_t i = 0; i < cx_json_size(manifest); i++) TRY(read_group(r, cx_json_at(manifest, i)));
out:
    return rc < 0 ? cx_where(r->err, rc, "weightsManifest") : 0;
}

/* --- numbers --- */

static int read_range(uint8_t *to, const shard *s, int64_t from, size_t n, cvs_error *err)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return cx_fail(err, CVS_E_IO, "%s: cannot open: %s", s->path, strerror(errno));
    int rc = cx_file_read_at(to, fd, n, from, err);
    close(fd);
    return rc;
}

/* The bytes of an array, from as many shards as they are in. */
static int read_bytes(uint8_t *to, const piece *p, int64_t bytes, cvs_error *err)
{
    int64_t at = p->offset, end = p->offset + bytes;
    for (int i = 0; i < p->n_shards && at < end; i++) {
        const shard *s = &p->shards[i];
        int64_t stop = s->start + s->size < end ? s->start + s->size : end;
        if (at >= stop) continue;
        int rc = read_range(to, s, at - s->start, (size_t)(stop - at), err);
        if (rc < 0) return rc;
        to += stop - at;
        at = stop;
    }
    return 0;
}

static double number_of(const uint8_t *b, stored_type type)
{
    uint32_t v = b[0];
    float f;
    if (type == UINT8) return v;
    v |= (uint32_t)b[1] << 8;
    if (type == UINT16) return v;
    if (type == FLOAT16) return (double)cx_half_to_float((uint16_t)v);
    v |= (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    if (type == INT32) return (int32_t)v;
    memcpy(&f, &v, sizeof f);
    return (double)f;
}

static int read_numbers(float *out, const void *handle, const cx_array *array, cvs_error *err)
{
    const piece *p = array->place;
    const int64_t count = cx_shape_count(&array->shape), size = types[p->type].size;
    (void)handle;
    uint8_t *bytes = cx_alloc((size_t)(count * size) + 1);
    if (!bytes) return cx_no_memory(err, (size_t)(count * size));
    int rc = read_bytes(bytes, p, count * size, err);
    for (int64_t i = 0; i < count && rc == 0; i++)
        out[i] = (float)(number_of(bytes + i * size, p->type) * p->scale + p->min);
    cx_free(bytes);
    return rc;
}

int cx_tfjs_load(cvs_model **out, const char *path, const cx_description *own,
                 const cx_description *other, cvs_error *err)
{
    reader r = {.arena = cx_arena_new(), .err = err};
    cvs_model *m = NULL;
    char *folder = r.arena ? cx_arena_strdup(r.arena, path) : NULL;
    int rc;
    if (!folder) {
        rc = cx_no_memory(err, strlen(path));
        goto out;
    }
    folder[cx_base_name(folder) - folder] = 0;
    r.folder = folder;
    TRY(cx_description_build(&m, other ? other : own, err));
    TRY(read_manifest(&r, own->manifest));
    const cx_array_file file = {
        .read = read_numbers, .room = 4 * r.bytes, .keras_major = cx_keras_major(m->keras_version)};
    TRY(cx_weights_from_list(m, r.arrays, r.n, &file, err));
    TRY(cx_model_finish(m, err));
    *out = m;
    m = NULL;
out:
    cvs_model_free(m);
    cx_arena_free(r.arena);
    return rc;
}
