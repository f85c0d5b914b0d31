/* gallery.c - a folder's pictures. */
#include "serve/gallery.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/journal.h"
#include "base/str.h"

enum { MAX_DEPTH = 32 };

typedef struct walk {
    cx_gallery *gallery;
    size_t skip; /* bytes of the folder's own path */
    int64_t room;
} walk;

static int is_input(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp", ".npy"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot != name && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0) return 1;
    return 0;
}

void cx_gallery_id(char id[17], const void *bytes, size_t size)
{
    snprintf(id, 17, "%016" PRIx64, cx_hash(size, bytes, size));
}

static int add(walk *w, const char *path, const struct stat *st, cvs_error *err)
{
    cx_gallery *g = w->gallery;
    cx_str text = {0};
    int rc;
    if (g->n == CX_GALLERY_MOST) {
        g->left_out++;
        return 0;
    }
    if (g->n == w->room) {
        w->room = w->room ? 2 * w->room : 64;
        cx_gallery_file *more = cx_realloc_array(g->files, (size_t)w->room, sizeof *more);
        if (!more) return cx_no_memory(err, (size_t)w->room * sizeof *more);
        g->files = more;
    }
    cx_str_addf(&text, "%s\n%lld\n%lld.%09ld", path, (long long)st->st_size,
                (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    TRY(cx_str_ok(&text, err));
    cx_gallery_file *file = &g->files[g->n];
    *file = (cx_gallery_file){.path = cx_arena_strdup(g->arena, path)};
    if (!file->path) TRY(cx_no_memory(err, strlen(path)));
    file->name = file->path + w->skip;
    cx_gallery_id(file->id, text.data, text.len);
    g->n++;
out:
    cx_str_deinit(&text);
    return rc;
}

static int look(walk *w, const char *folder, int depth, cvs_error *err);

static int look_at(walk *w, const char *path, const char *name, int depth, cvs_error *err)
{
    struct stat itself, st;
    if (lstat(path, &itself) < 0) return 0; /* gone since */
    if (S_ISDIR(itself.st_mode)) return depth < MAX_DEPTH ? look(w, path, depth + 1, err) : 0;
    if (!is_input(name) || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) return 0;
    return add(w, path, &st, err);
}

static int look(walk *w, const char *folder, int depth, cvs_error *err)
{
    cx_str path = {0};
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    int rc = 0;
    if (!dir) return depth > 0 ? 0 : cx_fail(err, CVS_E_IO, "cannot open: %s", strerror(errno));
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.') continue;
        cx_str_deinit(&path);
        cx_str_addf(&path, "%s/%s", folder, entry->d_name);
        TRY(cx_str_ok(&path, err));
        TRY(look_at(w, path.data, entry->d_name, depth, err));
    }
out:
    closedir(dir);
    cx_str_deinit(&path);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const cx_gallery_file *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int cx_gallery_init(cx_gallery *out, const char *folder, cvs_error *err)
{
    size_t len = strlen(folder);
    cx_str root = {0};
    int rc;
    *out = (cx_gallery){.arena = cx_arena_new()};
    if (!out->arena) return cx_no_memory(err, 0);
    while (len > 1 && folder[len - 1] == '/') len--;
    walk w = {.gallery = out, .skip = len + 1};
    cx_str_add_n(&root, folder, len);
    TRY(cx_str_ok(&root, err));
    TRY(look(&w, root.data, 0, err));
    if (out->n > 1) qsort(out->files, (size_t)out->n, sizeof *out->files, by_name);
out:
    cx_str_deinit(&root);
    if (rc < 0) cx_gallery_deinit(out);
    return rc < 0 ? cx_where(err, rc, "%s", folder) : 0;
}

void cx_gallery_deinit(cx_gallery *g)
{
    cx_free(g->files);
    cx_arena_free(g->arena);
    *g = (cx_gallery){0};
}

cx_gallery_file *cx_gallery_find(const cx_gallery *g, const char *id)
{
    for (int64_t i = 0; i < g->n; i++)
        if (strcmp(g->files[i].id, id) == 0) return &g->files[i];
    return NULL;
}
