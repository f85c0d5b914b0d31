/* folder_list.c - a folder's subfolders and the pictures in them, in Keras' order. */
#include "train/folder_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/str.h"

enum { MAX_CLASSES = 100000, MAX_FILES = 1 << 28, MAX_DEPTH = 64, MAX_FOLDERS = 1 << 20 };

/* Names or paths, in an arena. */
typedef struct names {
    const char **item;
    int64_t n, room;
} names;

/* Make room for one more. */
static int grow(void *array, int64_t n, int64_t *room, int64_t most, size_t size, cvs_error *err)
{
    void *old, *larger;
    if (n >= most) return cx_fail(err, CVS_E_UNSUPPORTED, "it has too many files or folders");
    if (n < *room) return 0;
    memcpy(&old, array, sizeof old);
    *room = *room ? *room * 2 : 64;
    larger = cx_realloc_array(old, (size_t)*room, size);
    if (!larger) return cx_no_memory(err, (size_t)*room * size);
    memcpy(array, &larger, sizeof larger);
    return 0;
}

static int add(names *to, cx_arena *arena, const char *text, cvs_error *err)
{
    int rc = grow(&to->item, to->n, &to->room, MAX_FILES, sizeof *to->item, err);
    if (rc < 0) return rc;
    to->item[to->n] = cx_arena_strdup(arena, text);
    if (!to->item[to->n]) return cx_no_memory(err, strlen(text));
    to->n++;
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(names *list)
{
    if (list->n > 1) qsort(list->item, (size_t)list->n, sizeof *list->item, by_bytes);
}

/* Endings that Keras' loaders take. */
static int is_picture(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".webp", ".bmp",
                                          ".gif", ".ppm",  ".tiff", ".tif"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t k = strlen(endings[i]);
        if (n >= k && strcasecmp(name + n - k, endings[i]) == 0) return 1;
    }
    return 0;
}

static int join(cx_str *path, const char *folder, const char *name, cvs_error *err)
{
    path->len = 0;
    cx_str_add(path, folder);
    if (path->len > 0 && path->data[path->len - 1] != '/') cx_str_add(path, "/");
    cx_str_add(path, name);
    return cx_str_ok(path, err);
}

/* The folders and files in a folder, in no order. As os.walk, which Keras goes by, it takes a link
 * to a folder for neither. `links` 1: for a folder. */
static int list(names *folders, names *files, cx_arena *arena, const char *folder, int links,
                cvs_error *err)
{
    cx_str path = {0};
    const struct dirent *entry;
    DIR *d = opendir(folder);
    int rc = 0;
    if (!d) return cx_fail(err, CVS_E_IO, "cannot open: %s", strerror(errno));
    while ((entry = readdir(d))) {
        struct stat st, itself;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        TRY(join(&path, folder, entry->d_name, err));
        if (lstat(path.data, &itself) < 0) continue; /* gone since */
        const int is_folder = stat(path.data, &st) == 0 && S_ISDIR(st.st_mode);
        if (is_folder && (links || !S_ISLNK(itself.st_mode)))
            TRY(add(folders, arena, entry->d_name, err));
        else if (!is_folder && files)
            TRY(add(files, arena, entry->d_name, err));
    }
out:
    closedir(d);
    cx_str_deinit(&path);
    return rc;
}

/* All folders below one, itself too, as paths. */
static int walk(names *all, cx_arena *arena, const char *folder, int depth, cvs_error *err)
{
    names inner = {0};
    cx_str path = {0};
    int rc;
    if (depth > MAX_DEPTH || all->n > MAX_FOLDERS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "%s: folders are nested too deeply", folder);
    TRY(add(all, arena, folder, err));
    TRY(list(&inner, NULL, arena, folder, 0, err));
    for (int64_t i = 0; i < inner.n; i++) {
        TRY(join(&path, folder, inner.item[i], err));
        TRY(walk(all, arena, path.data, depth + 1, err));
    }
out:
    cx_free(inner.item);
    cx_str_deinit(&path);
    return rc;
}

static int add_files(cx_folder_list *l, const char *folder, int label, cvs_error *err)
{
    names folders = {0}, files = {0};
    cx_str path = {0};
    int rc;
    TRY(list(&folders, &files, l->arena, folder, 0, err));
    sort(&files);
    for (int64_t i = 0; i < files.n; i++) {
        if (!is_picture(files.item[i])) continue;
        TRY(join(&path, folder, files.item[i], err));
        TRY(grow(&l->files, l->n, &l->room, MAX_FILES, sizeof *l->files, err));
        l->files[l->n] = (cx_example){.path = cx_arena_strdup(l->arena, path.data), .label = label};
        if (!l->files[l->n].path) TRY(cx_no_memory(err, path.len));
        l->n++;
    }
out:
    cx_free(folders.item);
    cx_free(files.item);
    cx_str_deinit(&path);
    return rc;
}

static int add_class(cx_folder_list *l, const char *folder, int label, cvs_error *err)
{
    names folders = {0};
    int rc;
    TRY(walk(&folders, l->arena, folder, 0, err));
    sort(&folders);
    for (int64_t i = 0; i < folders.n; i++) TRY(add_files(l, folders.item[i], label, err));
out:
    cx_free(folders.item);
    return rc;
}

/* All subfolders are classes, but those that begin with a dot. */
static int find_classes(names *out, cx_arena *arena, const char *path, cvs_error *err)
{
    int64_t n = 0;
    int rc = list(out, NULL, arena, path, 1, err);
    sort(out);
    for (int64_t i = 0; i < out->n; i++)
        if (out->item[i][0] != '.') out->item[n++] = out->item[i];
    out->n = n;
    return rc;
}

static int copy_classes(names *out, cx_arena *arena, const char *const *wanted, cvs_error *err)
{
    for (; *wanted; wanted++) {
        for (int64_t i = 0; i < out->n; i++)
            if (cx_streq(out->item[i], *wanted))
                return cx_fail(err, CVS_E_ARG, "the class \"%s\" is named twice", *wanted);
        if (!**wanted || strchr(*wanted, '/') || **wanted == '.')
            return cx_fail(err, CVS_E_ARG, "\"%s\" is no name of a subfolder", *wanted);
        int rc = add(out, arena, *wanted, err);
        if (rc < 0) return rc;
    }
    return 0;
}

int cx_folder_list_init(cx_folder_list *out, const char *path, const char *const *wanted,
                        cvs_error *err)
{
    names classes = {0};
    cx_str folder = {0};
    int rc;
    *out = (cx_folder_list){.arena = cx_arena_new()};
    if (!out->arena) return cx_no_memory(err, 0);
    rc = wanted ? copy_classes(&classes, out->arena, wanted, err)
                : find_classes(&classes, out->arena, path, err);
    out->classes = classes.item;
    if (rc < 0) goto out;
    out->n_classes = classes.n > MAX_CLASSES ? 0 : (int)classes.n;
    if (out->n_classes == 0) {
        rc = cx_fail(err, CVS_E_FORMAT, "it has %lld subfolders, one for each class is wanted",
                     (long long)classes.n);
        goto out;
    }
    for (int i = 0; i < out->n_classes; i++) {
        TRY(join(&folder, path, out->classes[i], err));
        rc = add_class(out, folder.data, i, err);
        if (rc < 0) {
            cx_where(err, rc, "%s", out->classes[i]);
            goto out;
        }
    }
    if (out->n == 0) rc = cx_fail(err, CVS_E_FORMAT, "there are no pictures in its subfolders");
out:
    cx_str_deinit(&folder);
    if (rc < 0) cx_folder_list_deinit(out);
    return rc < 0 ? cx_where(err, rc, "%s", path) : 0;
}

void cx_folder_list_deinit(cx_folder_list *l)
{
    cx_free(l->classes);
    cx_free(l->files);
    cx_arena_free(l->arena);
    *l = (cx_folder_list){0};
}
