/* tfjs.c - a model of TensorFlow.js: its model.json, a zero byte, and the numbers, the first half
 * of them in 1.bin, the other in 2.bin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

enum { JSON, FIRST, SECOND, FILES };
static const char *const names[FILES] = {"model.json", "1.bin", "2.bin"};
static char folder[4000], path[FILES][4096];

static void remove_folder(void)
{
    for (int i = 0; i < FILES; i++) unlink(path[i]);
    rmdir(folder);
}

static void make_folder(void)
{
    if (path[0][0]) return;
    fuzz_name(folder, sizeof folder);
    if (!mkdtemp(folder)) abort();
    for (int i = 0; i < FILES; i++) snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
    atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd[FILES] = {-1, -1, -1};
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    size_t text = zero ? (size_t)(zero - data) : size;
    size_t rest = zero ? size - text - 1 : 0;
    make_folder();
    fuzz_put(&fd[JSON], path[JSON], data, text);
    fuzz_put(&fd[FIRST], path[FIRST], data + size - rest, rest / 2);
    fuzz_put(&fd[SECOND], path[SECOND], data + size - rest + rest / 2, rest - rest / 2);
    fuzz_load(path[JSON]);
    return 0;
}
