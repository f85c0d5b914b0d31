/* hdf5_listen.c - starts the child that reads an HDF5 file and checks all that it says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/threads.h"
#include "formats/hdf5_wire.h"

/* --- the stream --- */

typedef struct stream {
    int fd;
    double deadline; /* of cx_seconds() */
    int64_t budget;  /* bytes of texts and numbers still allowed */
    size_t at, filled;
    char buffer[1 << 16];
    cvs_error *err;
} stream;

static int damaged(stream *s, const char *why)
{
    return cx_fail(s->err, CVS_E_FORMAT, "damaged HDF5 file (%s)", why);
}

/* Wait for bytes and read some into p. */
static int receive(size_t *got, stream *s, void *p, size_t size)
{
    for (;;) {
        const double left = 1e3 * (s->deadline - cx_seconds()); /* ms */
        struct pollfd wait = {s->fd, POLLIN, 0};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready == 0) return damaged(s, "reading it takes too long");
        ssize_t n = ready < 0 ? -1 : read(s->fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return damaged(s, "reading it was cut short");
        *got = (size_t)n;
        return 0;
    }
}

static int take(stream *s, void *out, size_t size)
{
    char *p = out;
    while (size > 0) {
        if (s->at == s->filled) {
            int direct = size >= sizeof s->buffer; /* large arrays need no detour */
            size_t n = 0;
            int rc = receive(&n, s, direct ? p : s->buffer, direct ? size : sizeof s->buffer);
            if (rc < 0) return rc;
            s->at = 0;
            s->filled = direct ? 0 : n;
            if (direct) {
                p += n;
                size -= n;
                continue;
            }
        }
        size_t n = s->filled - s->at < size ? s->filled - s->at : size;
        memcpy(p, s->buffer + s->at, n);
        s->at += n;
        p += n;
        size -= n;
    }
    return 0;
}

static int take_number(stream *s, uint64_t *out, uint64_t limit)
{
    int rc = take(s, out, sizeof *out);
    if (rc == 0 && *out > limit) rc = damaged(s, "a number in it is out of range");
    return rc;
}

/* Memory for what comes next in the stream. */
static int reserve(void *out, stream *s, cx_arena *arena, uint64_t n, size_t size)
{
    size_t bytes;
    if (cx_mul_size(&bytes, (size_t)n, size) || bytes > (uint64_t)s->budget)
        return damaged(s, "it holds more than a file of its size can");
    s->budget -= (int64_t)bytes;
    void *p = cx_arena_alloc(arena, bytes);
    if (!p) return cx_no_memory(s->err, bytes);
    memcpy(out, &p, sizeof p);
    return 0;
}

static int take_text(const char **out, stream *s, cx_arena *arena)
{
    uint64_t n;
    char *text = NULL;
    int rc;
    TRY(take_number(s, &n, CX_H5_MAX_TEXT));
    TRY(reserve(&text, s, arena, n + 1, 1)); /* arenas are zeroed: it ends with 0 */
    TRY(take(s, text, (size_t)n));
    *out = text;
out:
    return rc;
}

/* --- records --- */

/* One more entry at the end of an array whose capacity doubles at powers of two. */
static int grow(void *array, size_t *n, size_t size, cvs_error *err)
{
    void *old, *larger;
    memcpy(&old, array, sizeof old);
    if ((*n & (*n - 1)) == 0) {
        larger = cx_realloc_array(old, *n ? *n * 2 : 1, size);
        if (!larger) return cx_no_memory(err, *n * size);
        memcpy(array, &larger, sizeof larger);
        old = larger;
    }
    memset((char *)old + *n * size, 0, size);
    (*n)++;
    return 0;
}

static int depth_of(const cx_h5 *h5, int object)
{
    int depth = 0;
    for (; object > 0; object = h5->objects[object].parent) depth++;
    return depth;
}

/* The start of an object's record: where it is and what it is called. */
static int take_object(cx_h5_object **out, cx_h5 *h5, stream *s)
{
    uint64_t parent;
    const char *name;
    int rc, first = h5->n_objects == 0;
    TRY(take_number(s, &parent, first ? 0 : h5->n_objects - 1));
    TRY(take_text(&name, s, h5->arena));
    if (h5->n_objects >= CX_H5_MAX_OBJECTS ||
        (!first &&
         (h5->objects[parent].is_dataset || depth_of(h5, (int)parent) >= CX_H5_MAX_DEPTH))) {
        rc = damaged(s, "its groups make no sense");
        goto out;
    }
    TRY(grow(&h5->objects, &h5->n_objects, sizeof *h5->objects, s->err));
    *out = &h5->objects[h5->n_objects - 1];
    (*out)->name = name;
    (*out)->parent = first ? -1 : (int)parent;
out:
    return rc;
}

static int take_shape(cx_shape *out, int64_t *bytes, stream *s)
{
    uint64_t n;
    int rc;
    TRY(take_number(s, &n, CX_MAX_DIMS));
    out->ndim = (int)n;
    *bytes = sizeof(float);
    for (int i = 0; i < out->ndim; i++) {
        TRY(take_number(s, &n, INT64_MAX));
        out->d[i] = (int64_t)n;
        if (cx_mul_count(bytes, *bytes, out->d[i])) {
            rc = damaged(s, "a dataset has an impossible size");
            goto out;
        }
    }
out:
    return rc;
}

static int take_dataset(cx_h5 *h5, stream *s)
{
    cx_h5_object *o;
    int64_t bytes;
    uint64_t n;
    int rc;
    TRY(take_object(&o, h5, s));
    o->is_dataset = 1;
    TRY(take_shape(&o->shape, &bytes, s));
    TRY(take_number(s, &n, 1));
    o->is_integer = (int)n;
    TRY(take_number(s, &n, CX_H5_STORAGES - 1));
    o->storage = (cx_h5_storage)n;
    if (o->storage == CX_H5_IN_FILE) {
        TRY(take_number(s, &n, INT64_MAX));
        o->offset = (int64_t)n;
        if (o->offset > h5->file_size || bytes > h5->file_size - o->offset)
            o->storage = CX_H5_UNREADABLE;
    } else if (o->storage == CX_H5_INLINE) {
        TRY(reserve(&o->data, s, h5->arena, (uint64_t)bytes, 1));
        TRY(take(s, o->data, (size_t)bytes));
        h5->inline_bytes += bytes;
    }
out:
    return rc;
}

static int take_attribute(cx_h5 *h5, stream *s)
{
    cx_h5_attribute_record *a;
    cx_h5_object *o = &h5->objects[h5->n_objects - 1];
    const char **item = NULL;
    uint64_t n;
    int rc;
    TRY(grow(&h5->attributes, &h5->n_attributes, sizeof *h5->attributes, s->err));
    a = &h5->attributes[h5->n_attributes - 1];
    if (o->n_attributes++ == 0) o->first_attribute = (int)h5->n_attributes - 1;
    TRY(take_text(&a->name, s, h5->arena));
    TRY(take_number(s, &n, CX_H5_MAX_STRINGS));
    TRY(reserve(&item, s, h5->arena, n, sizeof *item));
    for (uint64_t i = 0; i < n; i++) TRY(take_text(&item[i], s, h5->arena));
    a->n = (int)n;
    a->item = item;
out:
    return rc;
}

static int take_all(cx_h5 *h5, stream *s)
{
    cx_h5_object *group;
    const char *why;
    uint64_t record, bytes;
    for (;;) {
        int rc = take_number(s, &record, UINT8_MAX);
        if (rc == 0 && record == CX_WIRE_END && h5->n_objects > 0) return 0;
        if (rc == 0 && record == CX_WIRE_FAIL) {
            rc = take_text(&why, s, h5->arena);
            if (rc == 0) rc = damaged(s, why);
        } else if (rc == 0 && record == CX_WIRE_NO_MEMORY) {
            rc = take_number(s, &bytes, SIZE_MAX);
            if (rc == 0) rc = cx_no_memory(s->err, (size_t)bytes);
        } else if (rc == 0 && record == CX_WIRE_GROUP) {
            rc = take_object(&group, h5, s);
        } else if (rc == 0 && record == CX_WIRE_DATASET && h5->n_objects > 0) {
            rc = take_dataset(h5, s);
        } else if (rc == 0 && record == CX_WIRE_ATTRIBUTE && h5->n_objects > 0) {
            rc = take_attribute(h5, s);
        } else if (rc == 0) {
            rc = damaged(s, "reading it went astray");
        }
        if (rc < 0) return rc;
    }
}

/* --- the child --- */

/* Gives the end of the pipe to read from. */
static int start_child(int *fd, cx_h5 *h5, cvs_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return cx_fail(err, CVS_E_IO, "cannot make a pipe: %s", strerror(errno));
    cx_alone_begin(); /* the child's copy of libhdf5 must not be in the middle of something */
    h5->child = fork();
    if (h5->child != 0) cx_alone_end();
    if (h5->child == 0) cx_h5_child(h5->fd, ends[1], h5->file_size);
    int failed = h5->child < 0 ? errno : 0;
    close(ends[1]);
    *fd = ends[0];
    if (!failed) return 0;
    close(ends[0]);
    return cx_fail(err, CVS_E_IO, "cannot start a process to read the file: %s", strerror(failed));
}

/* Take what is said on `fd`, under the limits for the file, through a stream of any content. */
static int take_from(cx_h5 *h5, int fd, stream *s, cvs_error *err)
{
    s->fd = fd;
    s->err = err;
    s->at = s->filled = 0;
    s->deadline = cx_seconds() + cx_h5_seconds(h5->file_size) + 1;
    s->budget = 2 * cx_h5_budget(h5->file_size); /* names and lists count too on this side */
    return take_all(h5, s);
}

/* The child is left to die while the parent goes on: taking its memory apart takes as long as
 * reading a small file. */
int cx_h5_listen(cx_h5 *h5, cvs_error *err)
{
    int fd = -1;
    stream *s = cx_alloc(sizeof *s); /* not zeroed: it is large, and most of it stays untouched */
    if (!s) return cx_no_memory(err, sizeof *s);
    int rc = start_child(&fd, h5, err);
    if (rc == 0) {
        rc = take_from(h5, fd, s, err);
        close(fd);
    }
    cx_free(s);
    return rc;
}

/* Where the program ignores SIGCHLD the system has reaped the child, and its number may be another
 * process' by now: only one that still runs is killed. */
void cx_h5_reap(cx_h5 *h5)
{
    if (h5->child <= 0) return;
    if (waitpid(h5->child, NULL, WNOHANG) == 0) {
        kill(h5->child, SIGKILL);
        while (waitpid(h5->child, NULL, 0) < 0 && errno == EINTR) continue;
    }
    h5->child = 0;
}
