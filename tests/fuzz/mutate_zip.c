/* mutate_zip.c - a mutator for libFuzzer that changes what is in a zip file's stored members, and
 * their sizes and checksums with it. */
#include <string.h>
#include <zlib.h>

#define LLVMFuzzerCustomMutator mutate_json
#include "mutate_json.c"
#undef LLVMFuzzerCustomMutator

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { END = 22, ENTRY = 46, HEAD = 30, MAX_ENTRIES = 64, MAX_MEMBER = 1 << 16 };

static uint32_t get(const uint8_t *p, int n)
{
    uint32_t v = 0;
    for (int i = n - 1; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

static void put(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

/* A zip file that is well enough for this: where its directory and its entries are. */
typedef struct zip {
    uint8_t *data;
    size_t size, end;
    size_t entry[MAX_ENTRIES];
    int n;
} zip;

static int find_entries(zip *z)
{
    if (z->size < END) return 0;
    z->end = z->size - END;
    while (z->end > 0 && memcmp(z->data + z->end, "PK\5\6", 4) != 0) z->end--;
    size_t at = get(z->data + z->end + 16, 4);
    while (z->n < MAX_ENTRIES && at + ENTRY <= z->end && memcmp(z->data + at, "PK\1\2", 4) == 0) {
        const uint8_t *e = z->data + at;
        z->entry[z->n++] = at;
        at += ENTRY + get(e + 28, 2) + get(e + 30, 2) + get(e + 32, 2);
    }
    return z->n;
}

/* Where the bytes of an entry begin; 0 when it is packed or makes no sense. */
static size_t find_content(const zip *z, const uint8_t *entry, size_t *size)
{
    size_t head = get(entry + 42, 4);
    *size = get(entry + 24, 4);
    if (get(entry + 10, 2) != 0 || head > z->size - HEAD) return 0;
    size_t at = head + HEAD + get(z->data + head + 26, 2) + get(z->data + head + 28, 2);
    return at <= z->end && *size <= z->end - at && *size <= MAX_MEMBER ? at : 0;
}

/* Put other bytes in the place of those at `at`, and say so everywhere. */
static size_t replace(zip *z, uint8_t *entry, size_t at, size_t old, const uint8_t *content,
                      size_t size)
{
    const uint32_t sum = (uint32_t)crc32(0, content, (unsigned)size), head = get(entry + 42, 4);
    const uint32_t sizes[3] = {sum, (uint32_t)size, (uint32_t)size};
    const uint32_t more = (uint32_t)size - (uint32_t)old;
    for (int i = 0; i < 3; i++) {
        put(entry + 16 + 4 * i, sizes[i]);
        put(z->data + head + 14 + 4 * i, sizes[i]);
    }
    for (int i = 0; i < z->n; i++) {
        uint8_t *other = z->data + z->entry[i];
        if (get(other + 42, 4) > head) put(other + 42, get(other + 42, 4) + more);
    }
    put(z->data + z->end + 16, get(z->data + z->end + 16, 4) + more);
    memmove(z->data + at + size, z->data + at + old, z->size - at - old);
    memcpy(z->data + at, content, size);
    return z->size + size - old;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static uint8_t content[2 * MAX_MEMBER];
    unsigned state = seed;
    zip z = {.data = data, .size = size};
    size_t old;
    if (next(&state, 8) == 0 || !find_entries(&z)) return LLVMFuzzerMutate(data, size, max_size);
    uint8_t *entry = data + z.entry[next(&state, (unsigned)z.n)];
    size_t at = find_content(&z, entry, &old), room = max_size - size + old;
    if (at == 0 || max_size < size || room > sizeof content)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(content, data + at, old);
    size_t n = old > 0 && content[0] == '{' ? mutate_json(content, old, room, state)
                                            : LLVMFuzzerMutate(content, old, room);
    return replace(&z, entry, at, old, content, n);
}
