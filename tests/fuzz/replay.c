/* replay.c - a target without a fuzzer: every file of the folders given goes through it once.
 * Speaks TAP, a line a file; what crashes or runs into the clock ends the program there. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"

enum { SECONDS = 60, LARGEST = 16 << 20 };

static char *paths[4096];
static int n_paths;

static void collect(const char *dir)
{
    char path[4096];
    struct stat st;
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.' || n_paths == (int)(sizeof paths / sizeof *paths)) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) paths[n_paths++] = cx_strdup(path);
    }
    if (d) closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) collect(argv[i]);
    qsort(paths, (size_t)n_paths, sizeof *paths, by_name);
    printf("1..%d\n", n_paths + 1);
    printf("%s 1 - there are files\n", n_paths > 0 ? "ok" : "not ok");
    for (int i = 0; i < n_paths; i++) {
        cvs_error err = {0};
        cx_bytes bytes;
        printf("# %s\n", paths[i]);
        fflush(stdout);
        alarm(SECONDS);
        int rc = cx_file_read(&bytes, paths[i], LARGEST, &err);
        if (rc == 0) LLVMFuzzerTestOneInput(bytes.data, bytes.size);
        alarm(0);
        printf("%s %d - %s\n", rc == 0 ? "ok" : "not ok", i + 2, cx_base_name(paths[i]));
        cx_bytes_deinit(&bytes);
        cx_free(paths[i]);
    }
    return n_paths == 0;
}
