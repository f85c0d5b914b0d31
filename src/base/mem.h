/* mem.h - memory: sizes that cannot overflow, allocation that tests can make fail, huge pages. */
#ifndef CX_BASE_MEM_H
#define CX_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* *out = a * b, or 1 (and *out = 0) when that overflows. The second form is for counts in tensors,
 * which must not be negative either. */
int cx_mul_size(size_t *out, size_t a, size_t b);
int cx_mul_count(int64_t *out, int64_t a, int64_t b);

/* As malloc, calloc and realloc, but n * size is checked. NULL when there is no memory. */
void *cx_alloc(size_t size);
void *cx_calloc(size_t n, size_t size);
void *cx_realloc_array(void *p, size_t n, size_t size);
void cx_free(void *p);
char *cx_strdup(const char *s);

/* Make the n-th allocation from now on (1 is the next) and all after it fail; 0 ends that. For
 * tests of the paths that run out of memory. */
void cx_alloc_fail_from(long n);

/* How many allocations were made so far, blocks included: what a steady state must not change. */
long cx_alloc_count(void);

/* A large block for tensors and pixels: zeroed, and on pages that are there already. A first touch
 * of a 4 KiB page can cost 11 us under a hypervisor; pages asked for together cost 0.6 us each, and
 * huge pages, which larger blocks get, 0.2 us per 4 KiB. */
typedef struct cx_block {
    void *data;  /* cache-line aligned at least */
    size_t size; /* as asked for */
    void *map;   /* what to unmap; NULL when the block is small and came from the heap */
    size_t map_size;
} cx_block;

int cx_block_init(cx_block *out, size_t size, cvs_error *err);
void cx_block_deinit(cx_block *block); /* leaves it all zero; a zero block is legal */

/* Many small things with one lifetime: freed together. */
typedef struct cx_arena cx_arena;
cx_arena *cx_arena_new(void);
void cx_arena_free(cx_arena *arena);
void *cx_arena_alloc(cx_arena *arena, size_t size); /* zeroed, 16-byte aligned; NULL if no memory */
void *cx_arena_array(cx_arena *arena, size_t n, size_t size);
char *cx_arena_strdup(cx_arena *arena, const char *s);

#endif
