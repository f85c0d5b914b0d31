/* hdf5_child.c - the child process that reads an HDF5 file. The one home of libhdf5. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sanitizer.h"
#include "formats/hdf5_wire.h"

/* --- the stream --- */

typedef struct stream {
    int fd;
    size_t used;
    int64_t budget; /* bytes of texts and numbers still allowed */
    uint64_t n_objects;
    char buffer[1 << 16];
} stream;

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n > (1U << 30) ? 1U << 30 : n);
        if (k < 0) _exit(1); /* the parent has gone or had enough */
        p += k;
        n -= (size_t)k;
    }
}

static void flush(stream *s)
{
    write_all(s->fd, s->buffer, s->used);
    s->used = 0;
}

static void put(stream *s, const void *data, size_t n)
{
    if (n > sizeof s->buffer - s->used) flush(s);
    if (n > sizeof s->buffer) {
        write_all(s->fd, data, n);
        return;
    }
    memcpy(s->buffer + s->used, data, n);
    s->used += n;
}

static void put_number(stream *s, uint64_t v)
{
    put(s, &v, sizeof v);
}

static void put_text(stream *s, const char *text, size_t n)
{
    put_number(s, n);
    put(s, text, n);
}

_Noreturn static void finish(stream *s)
{
    flush(s);
    _exit(0);
}

_Noreturn static void give_up(stream *s, const char *why)
{
    put_number(s, CX_WIRE_FAIL);
    put_text(s, why, strlen(why));
    finish(s);
}

_Noreturn static void unreadable(stream *s, const char *name)
{
    char why[128];
    snprintf(why, sizeof why, "\"%.80s\" in it cannot be read", name);
    give_up(s, why);
}

_Noreturn static void no_memory(stream *s, size_t bytes)
{
    put_number(s, CX_WIRE_NO_MEMORY);
    put_number(s, bytes);
    finish(s);
}

/* --- attributes --- */

typedef struct place {
    stream *s;
    uint64_t object;
    int depth;
} place;

/* The strings of an attribute, as a block of `width` bytes each or as pointers. */
static void put_strings(stream *s, const char *block, hssize_t n, size_t width, int variable)
{
    for (hssize_t i = 0; i < n; i++) {
        const char *text =
            variable ? ((char *const *)(const void *)block)[i] : block + (size_t)i * width;
        size_t len = !text ? 0 : variable ? strlen(text) : strnlen(text, width);
        s->budget -= (int64_t)len;
        if (len > CX_H5_MAX_TEXT || s->budget < 0) give_up(s, "its attributes are too large");
        put_text(s, text ? text : "", len);
    }
}

/* Numbers as attributes say nothing that is wanted, but an empty list of strings was written as an
 * empty list of numbers by h5py. */
static herr_t visit_attribute(hid_t group, const char *name, const H5A_info_t *info, void *arg)
{
    const place *p = arg;
    (void)info;
    hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    if (attribute < 0 || type < 0 || n < 0) unreadable(p->s, name);
    int is_text = H5Tget_class(type) == H5T_STRING;
    if (is_text || n == 0) {
        int variable = is_text && H5Tis_variable_str(type) > 0;
        size_t width = variable ? sizeof(char *) : H5Tget_size(type), size = 0;
        if (n > CX_H5_MAX_STRINGS || width == 0 || width > CX_H5_MAX_TEXT ||
            __builtin_mul_overflow((size_t)n, width, &size) || size > CX_H5_MAX_TEXT)
            give_up(p->s, "an attribute is too large");
        char *block = cx_calloc(size + 1, 1);
        if (!block) no_memory(p->s, size + 1);
        if (n > 0 && H5Aread(attribute, type, block) < 0) unreadable(p->s, name);
        put_number(p->s, CX_WIRE_ATTRIBUTE);
        put_text(p->s, name, strlen(name));
        put_number(p->s, (uint64_t)n);
        put_strings(p->s, block, n, width, variable);
        cx_free(block);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return 0;
}

/* --- datasets --- */

/* Where the numbers of a dataset are: at *offset when they lie there as they are wanted. */
static cx_h5_storage storage_of(hid_t dataset, hid_t type, int64_t bytes, haddr_t *offset)
{
    H5T_class_t class = H5Tget_class(type);
    if (class != H5T_FLOAT && class != H5T_INTEGER) return CX_H5_NOT_NUMBERS;
    *offset = H5Dget_offset(dataset);
    if (*offset != HADDR_UNDEF && H5Tequal(type, H5T_IEEE_F32LE) > 0)
        return H5Dget_storage_size(dataset) == (hsize_t)bytes ? CX_H5_IN_FILE : CX_H5_UNREADABLE;
    hid_t properties = H5Dget_create_plist(dataset);
    H5D_layout_t layout = H5Pget_layout(properties);
    int external = H5Pget_external_count(properties);
    H5Pclose(properties);
    if (external != 0) return CX_H5_ELSEWHERE;
    return layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED
               ? CX_H5_INLINE
               : CX_H5_ELSEWHERE;
}

/* NULL where libhdf5 cannot read them. */
static float *read_numbers(stream *s, hid_t dataset, int64_t bytes)
{
    float *numbers = cx_alloc((size_t)bytes);
    if (!numbers) no_memory(s, (size_t)bytes);
    if (bytes > 0 &&
        H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0) {
        cx_free(numbers);
        return NULL;
    }
    return numbers;
}

static void tell_dataset(const place *p, hid_t dataset, const char *name)
{
    stream *s = p->s;
    hsize_t dims[H5S_MAX_RANK];
    haddr_t offset = 0;
    int64_t bytes = sizeof(float);
    float *numbers = NULL;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    int ndim = H5Sget_simple_extent_ndims(space);
    if (type < 0 || ndim < 0 || H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        unreadable(s, name);
    int too_large = ndim > CX_MAX_DIMS || H5Sget_simple_extent_type(space) == H5S_NULL;
    for (int i = 0; i < ndim; i++)
        too_large |= dims[i] > INT64_MAX || cx_mul_count(&bytes, bytes, (int64_t)dims[i]);

    cx_h5_storage storage = too_large ? CX_H5_TOO_LARGE : storage_of(dataset, type, bytes, &offset);
    if (storage == CX_H5_INLINE && bytes > s->budget) storage = CX_H5_TOO_LARGE;
    if (storage == CX_H5_INLINE && !(numbers = read_numbers(s, dataset, bytes)))
        storage = CX_H5_UNREADABLE;

    put_number(s, CX_WIRE_DATASET);
    put_number(s, p->object);
    put_text(s, name, strlen(name));
    put_number(s, too_large ? 0 : (uint64_t)ndim);
    for (int i = 0; i < ndim && !too_large; i++) put_number(s, dims[i]);
    put_number(s, H5Tget_class(type) == H5T_INTEGER);
    put_number(s, storage);
    if (storage == CX_H5_IN_FILE) put_number(s, offset);
    if (storage == CX_H5_INLINE) {
        put(s, numbers, (size_t)bytes);
        s->budget -= bytes;
    }
    cx_free(numbers);
    H5Sclose(space);
    H5Tclose(type);
}

/* --- groups --- */

static void tell_group(stream *s, hid_t group, uint64_t parent, const char *name, int depth);

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *arg)
{
    const place *p = arg;
    if (info->type != H5L_TYPE_HARD) return 0; /* other links can lead to other files */
    if (p->depth == 0 && strcmp(name, "optimizer_weights") == 0) return 0;
    if (p->s->n_objects >= CX_H5_MAX_OBJECTS) give_up(p->s, "it has too many objects");
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    H5I_type_t kind = H5Iget_type(object);
    if (kind == H5I_GROUP) {
        tell_group(p->s, object, p->object, name, p->depth + 1);
    } else if (kind == H5I_DATASET) {
        tell_dataset(p, object, name);
        p->s->n_objects++;
    } else if (object < 0) {
        unreadable(p->s, name);
    }
    H5Oclose(object);
    return 0;
}

static void tell_group(stream *s, hid_t group, uint64_t parent, const char *name, int depth)
{
    place here = {s, s->n_objects++, depth};
    if (depth > CX_H5_MAX_DEPTH) give_up(s, "its groups are nested too deeply");
    put_number(s, CX_WIRE_GROUP);
    put_number(s, parent);
    put_text(s, name, strlen(name));
    if (H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit_attribute, &here) < 0 ||
        H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit_link, &here) < 0)
        unreadable(s, depth > 0 ? name : "/");
}

/* --- the process --- */

/* Bytes of address space in use now. */
static rlim_t address_space(void)
{
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    return n > 0 ? (rlim_t)strtoul(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) : 0;
}

static void limit(int resource, rlim_t value)
{
    setrlimit(resource, &(struct rlimit){value, value});
}

enum { LIBRARY_MEMORY = 14 << 20 }; /* of libhdf5, beside the numbers and what they are packed in */

/* Whatever the file does to libhdf5 stays here: no message, no core file, no file written, not
 * much memory, not much time, and no handler of the program that we are a copy of. */
static void fence(int64_t file_size)
{
    static const int signals[] = {SIGSEGV, SIGBUS,  SIGABRT, SIGFPE,  SIGILL,
                                  SIGTRAP, SIGALRM, SIGPROF, SIGXCPU, SIGXFSZ,
                                  SIGPIPE, SIGTERM, SIGINT,  SIGHUP,  SIGQUIT};
    sigset_t none;
    unsigned seconds = cx_h5_seconds(file_size);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CPU, seconds);
    alarm(seconds);
    if (CX_HEAVY_SANITIZER) return; /* it has its own needs of memory and time */
    int64_t ms = cx_h5_cpu_ms(file_size);
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value = {ms / 1000, ms % 1000 * 1000}}, NULL);
    rlim_t used = address_space();
    if (used > 0) limit(RLIMIT_AS, used + LIBRARY_MEMORY + 2 * (rlim_t)cx_h5_budget(file_size));
}

/* libhdf5 touches about 1.1 MB of heap to open the smallest file: 2 ms with a fault for each page,
 * 0.4 with one call for all, 0.1 on a huge page. So have malloc go on where one begins, what is
 * before it never being touched, and ask for it; where the system has none it is small pages at
 * once. Freeing a large piece first makes malloc keep its like on the heap from then on, the
 * library's cache of 0.5 MB too. */
static void warm_heap(void)
{
    const size_t huge_page = (size_t)2 << 20, used = 1200 << 10;
    cx_free(cx_alloc(3 * huge_page));
    char *p = cx_alloc(2 * huge_page);
    if (!p) return;
    const size_t before = huge_page - ((uintptr_t)p & (huge_page - 1));
    madvise(p + before, huge_page, MADV_HUGEPAGE);
    madvise(p + before, used, MADV_POPULATE_WRITE);
    cx_free(p);
    (void)cx_alloc(before - 64); /* less what malloc keeps beside a piece */
}

static herr_t keep_innermost(unsigned n, const H5E_error2_t *error, void *arg)
{
    const char **why = arg;
    if (n == 0 && error->desc) *why = error->desc;
    return 0;
}

/* --- a file without a name --- */

/* libhdf5 has its drivers copy an image of a file over and over; ours stays where it is mapped. */
static void *image_same(size_t size, H5FD_file_image_op_t op, void *image)
{
    (void)size;
    (void)op;
    return image;
}

static void *image_copy(void *to, const void *from, size_t size, H5FD_file_image_op_t op,
                        void *image)
{
    (void)from;
    (void)size;
    (void)op;
    (void)image;
    return to;
}

static herr_t image_keep(void *p, H5FD_file_image_op_t op, void *image)
{
    (void)p;
    (void)op;
    (void)image;
    return 0;
}

static void *udata_same(void *image)
{
    return image;
}

static herr_t udata_keep(void *image)
{
    (void)image;
    return 0;
}

/* Let `access` open what is in the file, for libhdf5 looks up the name of whatever it opens. */
static int use_image(hid_t access, int fd, size_t size)
{
    void *image = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (image == MAP_FAILED) return -1;
    H5FD_file_image_callbacks_t same = {.image_malloc = image_same,
                                        .image_memcpy = image_copy,
                                        .image_free = image_keep,
                                        .udata_copy = udata_same,
                                        .udata_free = udata_keep,
                                        .udata = image};
    return H5Pset_fapl_core(access, 1 << 16, 0) < 0 ||
                   H5Pset_file_image_callbacks(access, &same) < 0 ||
                   H5Pset_file_image(access, image, size) < 0
               ? -1
               : 0;
}

_Noreturn void cx_h5_child(int fd, int out, int64_t file_size)
{
    static stream s;
    struct stat st;
    char path[32];
    const char *why = "no more is known";
    fd = fcntl(fd, F_DUPFD, 3); /* 0 to 2 become /dev/null */
    s.fd = fcntl(out, F_DUPFD, 3);
    s.budget = cx_h5_budget(file_size);
    warm_heap();
    fence(file_size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* a file must not choose code to be loaded */
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, 0, 1); /* reading needs none, and network disks refuse it */
    if (fstat(fd, &st) == 0 && st.st_nlink == 0) {
        if (use_image(access, fd, (size_t)st.st_size) < 0) give_up(&s, "no memory for its image");
        snprintf(path, sizeof path, "/proc/self/fd/image"); /* no file may have the image's name */
    }
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    hid_t root = file < 0 ? -1 : H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0) {
        H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &why);
        give_up(&s, why);
    }
    tell_group(&s, root, 0, "", 0);
    put_number(&s, CX_WIRE_END);
    finish(&s);
}
