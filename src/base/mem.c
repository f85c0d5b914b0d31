/* mem.c - the only file that calls malloc and mmap for memory. */
#define _DEFAULT_SOURCE
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 64, CHUNK = 16 << 10 };
static const size_t small_page = (size_t)4 << 10, huge_page = (size_t)2 << 20;

static atomic_long fail_in; /* allocations until the first failure; 0: never */
static atomic_long made;

void cx_alloc_fail_from(long n)
{
    atomic_store(&fail_in, n);
}

long cx_alloc_count(void)
{
    return atomic_load(&made);
}

/* 1 when a test wants this allocation to fail. Once reached, the count stays at 1. */
static int must_fail(void)
{
    atomic_fetch_add(&made, 1);
    long left = atomic_load(&fail_in);
    if (left == 0) return 0;
    if (left == 1) return 1;
    atomic_store(&fail_in, left - 1);
    return 0;
}

int cx_mul_size(size_t *out, size_t a, size_t b)
{
    if (!__builtin_mul_overflow(a, b, out)) return 0;
    *out = 0;
    return 1;
}

int cx_mul_count(int64_t *out, int64_t a, int64_t b)
{
    if (a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out)) return 0;
    *out = 0;
    return 1;
}

void *cx_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size ? size : 1);
}

void *cx_calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *cx_realloc_array(void *p, size_t n, size_t size)
{
    size_t total;
    if (cx_mul_size(&total, n, size) || must_fail()) return NULL;
    return realloc(p, total ? total : 1);
}

void cx_free(void *p)
{
    free(p);
}

char *cx_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = cx_alloc(size);
    if (copy) memcpy(copy, s, size);
    return copy;
}

/* --- blocks --- */

static int block_on_heap(cx_block *out, size_t size, cvs_error *err)
{
    size_t rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
    out->data = aligned_alloc(ALIGN, rounded ? rounded : ALIGN);
    if (!out->data) return cx_no_memory(err, size);
    memset(out->data, 0, rounded ? rounded : ALIGN);
    out->size = size;
    return 0;
}

/* Whole pages of the system's, `align` a power of two; flags for mmap besides the usual. */
static int block_on_pages(cx_block *out, size_t size, size_t align, int flags, cvs_error *err)
{
    size_t rounded = (size + align - 1) / align * align;
    size_t mapped = rounded + (align > small_page ? align : 0); /* room to align */
    char *map =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (map == MAP_FAILED) return cx_no_memory(err, size);
    char *data = (char *)(((uintptr_t)map + align - 1) / align * align);
    *out = (cx_block){data, size, map, mapped};
    return 0;
}

int cx_block_init(cx_block *out, size_t size, cvs_error *err)
{
    *out = (cx_block){0};
    if (must_fail() || size > SIZE_MAX / 2) return cx_no_memory(err, size);
    if (size < 16 * small_page) return block_on_heap(out, size, err);
    if (size < huge_page / 2) return block_on_pages(out, size, small_page, MAP_POPULATE, err);
    int rc = block_on_pages(out, size, huge_page, MAP_NORESERVE, err);
    if (rc == 0) /* a wish: without it the block is only slower */
        madvise(out->data, (size + huge_page - 1) / huge_page * huge_page, MADV_HUGEPAGE);
    return rc;
}

void cx_block_deinit(cx_block *block)
{
    if (block->map)
        munmap(block->map, block->map_size);
    else
        free(block->data);
    *block = (cx_block){0};
}

/* --- arena --- */

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(16) char data[];
} chunk;

struct cx_arena {
    chunk *first;
};

cx_arena *cx_arena_new(void)
{
    return cx_calloc(1, sizeof(cx_arena));
}

void cx_arena_free(cx_arena *arena)
{
    if (!arena) return;
    for (chunk *c = arena->first, *next; c; c = next) {
        next = c->next;
        cx_free(c);
    }
    cx_free(arena);
}

void *cx_arena_alloc(cx_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 4) return NULL;
    size = (size + 15) / 16 * 16;
    chunk *c = arena->first;
    if (!c || c->size - c->used < size) {
        size_t room = size > CHUNK ? size : CHUNK;
        c = cx_calloc(1, sizeof(chunk) + room);
        if (!c) return NULL;
        c->size = room;
        c->next = arena->first;
        arena->first = c;
    }
    void *p = c->data + c->used;
    c->used += size;
    return p;
}

void *cx_arena_array(cx_arena *arena, size_t n, size_t size)
{
    size_t total;
    return cx_mul_size(&total, n, size) ? NULL : cx_arena_alloc(arena, total);
}

char *cx_arena_strdup(cx_arena *arena, const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = cx_arena_alloc(arena, size);
    if (copy) memcpy(copy, s, size);
    return copy;
}
