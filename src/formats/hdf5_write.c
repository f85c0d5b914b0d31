/* hdf5_write.c - libhdf5 writing into memory. Its other home is hdf5_child.c, which reads. */
#include "formats/hdf5_write.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"

enum {
    /* Keras' HDF5_OBJECT_HEADER_LIMIT: a header has at most 64 KiB, and an attribute lies in it. */
    MAX_ATTRIBUTE = 64512,
    MAX_NAME = 256,
    GROWTH = 1 << 20, /* bytes by which the file in memory grows */
    /* Arrays of so many bytes begin at a multiple of so many: a loader can use them in place. */
    LARGE = 256,
    ALIGNMENT = 64,
};

struct cx_h5_writer {
    hid_t file;
    hid_t links; /* how names are made: UTF-8, with the groups above them */
    hid_t quiet; /* how datasets are made: without the time of day */
    hid_t plain; /* and groups */
    cvs_error failure;
    H5E_auto2_t report; /* of the program's own use of libhdf5 */
    void *report_arg;
};

/* A name that it does not take, or two things of one name; memory is not what libhdf5 lacks. */
static void fail(cx_h5_writer *w, const char *path)
{
    if (w->failure.code == 0)
        cx_fail(&w->failure, CVS_E_UNSUPPORTED, "HDF5 cannot hold \"%.200s\"", path);
}

static void check(cx_h5_writer *w, int64_t result, const char *path)
{
    if (result < 0) fail(w, path);
}

/* The file in memory, without one on the disk. libhdf5 looks for one of its name all the same, so
 * it is a name that none can have. */
static hid_t create_file(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    if (H5Pset_fapl_core(access, GROWTH, 0) >= 0 && H5Pset_alignment(access, LARGE, ALIGNMENT) >= 0)
        file = H5Fcreate("/proc/self/fd/memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    return file;
}

int cx_h5_writer_new(cx_h5_writer **out, cvs_error *err)
{
    cx_h5_writer *w = cx_calloc(1, sizeof *w);
    *out = NULL;
    if (!w) return cx_no_memory(err, sizeof *w);
    cx_alone_begin();
    H5Eget_auto2(H5E_DEFAULT, &w->report, &w->report_arg);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    w->file = create_file();
    w->links = H5Pcreate(H5P_LINK_CREATE);
    w->quiet = H5Pcreate(H5P_DATASET_CREATE);
    w->plain = H5Pcreate(H5P_GROUP_CREATE);
    check(w, w->file, "/");
    check(w, H5Pset_create_intermediate_group(w->links, 1), "/");
    check(w, H5Pset_char_encoding(w->links, H5T_CSET_UTF8), "/");
    check(w, H5Pset_obj_track_times(w->quiet, 0), "/");
    check(w, H5Pset_obj_track_times(w->plain, 0), "/");
    *out = w;
    return 0;
}

void cx_h5_put_group(cx_h5_writer *w, const char *path)
{
    if (w->failure.code < 0) return;
    hid_t group = H5Gopen2(w->file, path, H5P_DEFAULT);
    if (group < 0) group = H5Gcreate2(w->file, path, w->links, w->plain, H5P_DEFAULT);
    check(w, group, path);
    H5Gclose(group);
}

void cx_h5_put_floats(cx_h5_writer *w, const char *path, const cx_shape *shape, const float *data)
{
    hsize_t dims[CX_MAX_DIMS] = {0};
    if (w->failure.code < 0) return;
    for (int i = 0; i < shape->ndim; i++) dims[i] = (hsize_t)shape->d[i];
    hid_t space =
        shape->ndim > 0 ? H5Screate_simple(shape->ndim, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t dataset =
        H5Dcreate2(w->file, path, H5T_IEEE_F32LE, space, w->links, w->quiet, H5P_DEFAULT);
    check(w, dataset, path);
    if (dataset >= 0 && cx_shape_count(shape) > 0)
        check(w, H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), path);
    H5Dclose(dataset);
    H5Sclose(space);
}

static void put_attribute(cx_h5_writer *w, const char *path, const char *name, hid_t type,
                          hid_t space, const void *data)
{
    hid_t group = H5Gopen2(w->file, path, H5P_DEFAULT);
    hid_t attribute = H5Acreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    check(w, attribute, name);
    if (attribute >= 0 && data) check(w, H5Awrite(attribute, type, data), name);
    H5Aclose(attribute);
    H5Gclose(group);
}

/* A text of variable length lies in a heap, so that it may be longer than a header. It is not said
 * to be UTF-8: h5py up to version 2 would give Keras of its time a string, where that wants bytes.
 */
void cx_h5_put_text(cx_h5_writer *w, const char *path, const char *name, const char *text)
{
    if (w->failure.code < 0) return;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    check(w, H5Tset_size(type, H5T_VARIABLE), name);
    put_attribute(w, path, name, type, space, &text);
    H5Sclose(space);
    H5Tclose(type);
}

/* Texts side by side, each `width` bytes, as numpy has them. */
static void put_block(cx_h5_writer *w, const char *path, const char *name, const char *const *texts,
                      size_t n, size_t width)
{
    const hsize_t dims[1] = {n};
    char *block = cx_calloc(n + 1, width);
    if (!block) {
        cx_no_memory(&w->failure, n * width);
        return;
    }
    for (size_t i = 0; i < n; i++) memcpy(block + i * width, texts[i], strlen(texts[i]));
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, dims, NULL);
    check(w, H5Tset_size(type, width), name);
    check(w, H5Tset_strpad(type, H5T_STR_NULLPAD), name);
    put_attribute(w, path, name, type, space, n > 0 ? block : NULL);
    H5Sclose(space);
    H5Tclose(type);
    cx_free(block);
}

/* Keras cuts a long list into the least number of pieces that are short enough, as numpy's
 * array_split does: the first ones are longer by one where they are not equal. */
void cx_h5_put_texts(cx_h5_writer *w, const char *path, const char *name, const char *const *texts,
                     size_t n)
{
    char piece_name[MAX_NAME];
    size_t width = 1, pieces = 1, from = 0;
    if (w->failure.code < 0) return;
    for (size_t i = 0; i < n; i++)
        if (strlen(texts[i]) > width) width = strlen(texts[i]);
    if (width > MAX_ATTRIBUTE) {
        cx_fail(&w->failure, CVS_E_UNSUPPORTED, "a name in %s has %zu bytes, %d are possible", name,
                width, MAX_ATTRIBUTE);
        return;
    }
    while ((n + pieces - 1) / pieces * width > MAX_ATTRIBUTE) pieces++;
    for (size_t i = 0; i < pieces; i++) {
        size_t count = n / pieces + (i < n % pieces);
        if (pieces == 1)
            snprintf(piece_name, sizeof piece_name, "%s", name);
        else
            snprintf(piece_name, sizeof piece_name, "%s%zu", name, i);
        put_block(w, path, piece_name, texts + from, count, width);
        from += count;
    }
}

/* The bytes of the open file. */
static int image_of(cx_bytes *out, hid_t file, cvs_error *err)
{
    ssize_t size = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
    if (size < 0) return cx_fail(err, CVS_E_NOMEM, "HDF5: the file cannot be finished");
    out->data = cx_alloc((size_t)size);
    if (!out->data) return cx_no_memory(err, (size_t)size);
    out->size = (size_t)size;
    if (H5Fget_file_image(file, out->data, out->size) == size) return 0;
    cx_bytes_deinit(out);
    return cx_fail(err, CVS_E_NOMEM, "HDF5: the file cannot be finished");
}

int cx_h5_writer_finish(cx_bytes *out, cx_h5_writer *w, cvs_error *err)
{
    *out = (cx_bytes){0};
    int rc = w->failure.code;
    if (rc < 0 && err) *err = w->failure;
    if (rc == 0) rc = image_of(out, w->file, err);
    H5Pclose(w->links);
    H5Pclose(w->quiet);
    H5Pclose(w->plain);
    H5Fclose(w->file);
    H5Eset_auto2(H5E_DEFAULT, w->report, w->report_arg);
    cx_alone_end();
    cx_free(w);
    return rc;
}
