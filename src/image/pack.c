/* pack.c - the rows of an indexed picture to a zlib stream (RFC 1950 and 1951).
 *
 * A general compressor looks for repetitions everywhere. In a drawn sheet they lie next door: to
 * the left, above, and, in stripes, above to the right. Looking only there takes an eighth of the
 * time that libdeflate's fastest level needs, and the files are 2 % larger. */
#include "image/codec.h"

#include <libdeflate.h>
#include <string.h>

#include "base/mem.h"

/* A token is a byte, or 256 and up: one of three sources and how many bytes are copied from it.
 * Codes are made for tokens, not for the format's symbols, so that writing one is one look-up. */
enum { LEFT, ABOVE, SLANT, SOURCES };
enum {
    LEAST = 3, /* lengths of a match */
    MOST = 258,
    LENGTHS = MOST - LEAST + 1,
    TOKENS = 256 + SOURCES * LENGTHS,
    BLOCK = 1 << 15, /* tokens that share their codes */
    FAR_LEAST = 4,   /* a shorter match costs more than its bytes when its source is far */
};

/* The format's symbols: bytes, the end of a block and lengths; distances; lengths of codes. */
enum {
    END = 256,
    FIRST_LENGTH = 257,
    LONGEST_LENGTH = 285,
    SYMBOLS = 286,
    DISTANCES = 30,
    LENGTH_CODES = 19,
    LONGEST = 15,       /* bits of a code */
    LONGEST_SHORT = 7,  /* bits of the codes for lengths of codes */
    HEADER_BITS = 5000, /* more than the description of codes can take */
};

_Static_assert(CX_IMAGE_MAX_SIDE < 32768, "the row above is within the format's reach");

typedef struct packer {
    uint8_t *out;
    size_t size, cap;
    uint64_t bits; /* n_bits that are no whole bytes yet */
    int n_bits;
    int failed;                 /* out of memory */
    uint32_t distance[SOURCES]; /* in bytes of the stream, filter bytes counted */
    int n;                      /* tokens of the block */
    uint32_t count[TOKENS];
    uint64_t code[TOKENS];
    uint8_t length[TOKENS];
    uint16_t token[BLOCK];
} packer;

/* --- codes --- */

/* A number as a symbol, which holds its leading bits, and the rest in extra bits. */
typedef struct parts {
    int symbol, n_extra;
    uint32_t extra;
} parts;

static parts split(uint32_t x, int kept)
{
    int k = 31 - __builtin_clz(x | 1) - kept;
    if (k < 0) k = 0;
    return (parts){(k << kept) + (int)(x >> k), k, x & ((1U << k) - 1)};
}

static parts length_parts(int length)
{
    if (length == MOST) return (parts){LONGEST_LENGTH, 0, 0};
    parts p = split((uint32_t)(length - LEAST), 2);
    p.symbol += FIRST_LENGTH;
    return p;
}

static parts distance_parts(uint32_t distance)
{
    return split(distance - 1, 1);
}

typedef struct huffman {
    uint8_t length[SYMBOLS];
    uint16_t code[SYMBOLS]; /* its first bit lowest, as it is written */
} huffman;

/* Symbols that occur, the rarest first. */
static int sort_used(uint16_t *symbol, const uint32_t *count, int n)
{
    int used = 0;
    for (int s = 0; s < n; s++) {
        if (!count[s]) continue;
        int i = used++;
        for (; i > 0 && count[symbol[i - 1]] > count[s]; i--) symbol[i] = symbol[i - 1];
        symbol[i] = (uint16_t)s;
    }
    return used;
}

/* Depths of the leaves of Huffman's tree over sorted weights. New nodes come in the order of their
 * weights, so the two lightest are at the head of either queue. */
static void tree_depths(int *depth, const uint16_t *symbol, const uint32_t *count, int n)
{
    uint32_t weight[2 * SYMBOLS];
    int parent[2 * SYMBOLS], leaf = 0, inner = n, made = n;
    for (int i = 0; i < n; i++) weight[i] = count[symbol[i]];
    for (; made < 2 * n - 1; made++) {
        weight[made] = 0;
        for (int i = 0; i < 2; i++) {
            int is_leaf = leaf < n && (inner == made || weight[leaf] <= weight[inner]);
            int child = is_leaf ? leaf++ : inner++;
            weight[made] += weight[child];
            parent[child] = made;
        }
    }
    depth[made - 1] = 0;
    for (int i = made - 2; i >= 0; i--) depth[i] = depth[parent[i]] + 1;
}

/* Lengths of at most `most` bits for n symbols, two of which at least occur. */
static void choose_lengths(uint8_t *length, const uint32_t *count, int n, int most)
{
    uint16_t symbol[SYMBOLS];
    int depth[2 * SYMBOLS], of_length[LONGEST + 1] = {0};
    int used = sort_used(symbol, count, n);
    tree_depths(depth, symbol, count, used);
    int room = 1 << most; /* that codes take, of 2^most */
    for (int i = 0; i < used; i++) {
        int d = depth[i] < most ? depth[i] : most;
        of_length[d]++;
        room -= 1 << (most - d);
    }
    /* Too deep a tree was cut: leaves higher up are split until all fit again. */
    for (; room < 0; room++) {
        int d = most - 1;
        while (!of_length[d]) d--;
        of_length[d]--;
        of_length[d + 1] += 2;
        of_length[most]--;
    }
    memset(length, 0, (size_t)n);
    for (int d = most, i = 0; d > 0; d--)
        for (int k = 0; k < of_length[d]; k++) length[symbol[i++]] = (uint8_t)d;
}

static void make_codes(huffman *h, const uint32_t *count, int n, int most)
{
    uint32_t next = 0;
    choose_lengths(h->length, count, n, most);
    for (int length = 1; length <= most; length++, next <<= 1)
        for (int s = 0; s < n; s++) {
            if (h->length[s] != length) continue;
            uint32_t code = next++, turned = 0;
            for (int i = 0; i < length; i++) turned |= (code >> i & 1) << (length - 1 - i);
            h->code[s] = (uint16_t)turned;
        }
}

/* --- bits --- */

static void reserve(packer *p, size_t more)
{
    if (p->failed || p->cap - p->size >= more) return;
    size_t cap = p->size + p->size / 2 + more;
    uint8_t *grown = cx_realloc_array(p->out, cap, 1);
    if (!grown) {
        p->failed = 1;
        return;
    }
    p->out = grown;
    p->cap = cap;
}

/* Write up to 56 bits, the lowest first; there must be room for 8 bytes. */
static inline void put_bits(packer *p, uint64_t bits, int n)
{
    p->bits |= bits << p->n_bits;
    p->n_bits += n;
    for (int i = 0; i < 8; i++) p->out[p->size + (size_t)i] = (uint8_t)(p->bits >> 8 * i);
    p->size += (size_t)p->n_bits / 8;
    p->bits >>= p->n_bits & ~7;
    p->n_bits &= 7;
}

/* --- a block --- */

/* The lengths of all codes as symbols: a length, 16 to repeat one, 17 and 18 for zeros. */
static int describe(parts *out, const uint8_t *length, int n)
{
    int made = 0;
    for (int i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && length[i + run] == length[i];) run++;
        if (length[i] == 0 && run >= 3) {
            if (run > 138) run = 138;
            out[made++] =
                run > 10 ? (parts){18, 7, (uint32_t)run - 11} : (parts){17, 3, (uint32_t)run - 3};
        } else if (i > 0 && length[i] == length[i - 1] && run >= 3) {
            if (run > 6) run = 6;
            out[made++] = (parts){16, 2, (uint32_t)run - 3};
        } else {
            run = 1;
            out[made++] = (parts){length[i], 0, 0};
        }
    }
    return made;
}

static void write_header(packer *p, const huffman *symbols, const huffman *distances, int last)
{
    static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t all[SYMBOLS + DISTANCES];
    parts list[SYMBOLS + DISTANCES];
    uint32_t count[LENGTH_CODES] = {0};
    huffman h;
    int written = LENGTH_CODES;

    memcpy(all, symbols->length, SYMBOLS);
    memcpy(all + SYMBOLS, distances->length, DISTANCES);
    int n = describe(list, all, SYMBOLS + DISTANCES);
    for (int i = 0; i < n; i++) count[list[i].symbol]++;
    make_codes(&h, count, LENGTH_CODES, LONGEST_SHORT);
    while (written > 4 && !h.length[order[written - 1]]) written--;

    put_bits(p, (uint64_t)last, 1);
    put_bits(p, 2, 2); /* codes of its own */
    put_bits(p, SYMBOLS - 257, 5);
    put_bits(p, DISTANCES - 1, 5);
    put_bits(p, (uint64_t)written - 4, 4);
    for (int i = 0; i < written; i++) put_bits(p, h.length[order[i]], 3);
    for (int i = 0; i < n; i++) {
        put_bits(p, h.code[list[i].symbol], h.length[list[i].symbol]);
        put_bits(p, list[i].extra, list[i].n_extra);
    }
}

static int token_of(int source, int length)
{
    return 256 + source * LENGTHS + length - LEAST;
}

/* Codes of the format's symbols from how often the tokens occur. */
static void choose_codes(const packer *p, huffman *symbols, huffman *distances)
{
    uint32_t count[SYMBOLS] = {0}, far[DISTANCES] = {0};
    int used = 0;
    for (int t = 0; t < 256; t++) count[t] = p->count[t];
    count[END] = 1;
    for (int source = 0; source < SOURCES; source++)
        for (int length = LEAST; length <= MOST; length++) {
            uint32_t n = p->count[token_of(source, length)];
            count[length_parts(length).symbol] += n;
            far[distance_parts(p->distance[source]).symbol] += n;
        }
    for (int d = 0; d < DISTANCES; d++) used += far[d] > 0;
    for (int d = 0; used < 2; d++) /* a code needs two symbols */
        if (!far[d]) far[d] = 1, used++;
    make_codes(symbols, count, SYMBOLS, LONGEST);
    make_codes(distances, far, DISTANCES, LONGEST);
}

/* All the bits of each token that occurs; gives those of the whole block. */
static uint64_t choose_bits(packer *p, const huffman *symbols, const huffman *distances)
{
    uint64_t total = symbols->length[END];
    for (int t = 0; t < 256; t++) {
        p->code[t] = symbols->code[t];
        p->length[t] = symbols->length[t];
        total += (uint64_t)p->count[t] * p->length[t];
    }
    for (int source = 0; source < SOURCES; source++) {
        const parts far = distance_parts(p->distance[source]);
        for (int length = LEAST; length <= MOST; length++) {
            const int t = token_of(source, length);
            if (!p->count[t]) continue;
            const parts l = length_parts(length);
            int at = symbols->length[l.symbol];
            uint64_t bits = symbols->code[l.symbol] | (uint64_t)l.extra << at;
            at += l.n_extra;
            bits |= (uint64_t)distances->code[far.symbol] << at;
            at += distances->length[far.symbol];
            p->code[t] = bits | (uint64_t)far.extra << at;
            p->length[t] = (uint8_t)(at + far.n_extra);
            total += (uint64_t)p->count[t] * p->length[t];
        }
    }
    return total;
}

static void write_block(packer *p, int last)
{
    huffman symbols, distances;
    memset(p->count, 0, sizeof p->count);
    for (int i = 0; i < p->n; i++) p->count[p->token[i]]++;
    choose_codes(p, &symbols, &distances);
    reserve(p, (choose_bits(p, &symbols, &distances) + HEADER_BITS) / 8 + 16);
    if (!p->failed) {
        write_header(p, &symbols, &distances, last);
        for (int i = 0; i < p->n; i++) put_bits(p, p->code[p->token[i]], p->length[p->token[i]]);
        put_bits(p, symbols.code[END], symbols.length[END]);
    }
    p->n = 0;
}

/* --- tokens --- */

static inline void put(packer *p, int token)
{
    if (p->n == BLOCK) write_block(p, 0);
    p->token[p->n++] = (uint16_t)token;
}

static void put_match(packer *p, int source, size_t n)
{
    for (size_t k; n > 0; n -= k) {
        k = n < MOST ? n : MOST;
        if (n > k && n - k < LEAST) k -= LEAST; /* what is left must be a match, too */
        put(p, token_of(source, (int)k));
    }
}

static inline uint64_t load(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* How many of at most n bytes are the same. */
static inline size_t same(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t different = load(a + i) ^ load(b + i);
        if (!different) continue;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        return i + (size_t)__builtin_clzll(different) / 8;
#else
        return i + (size_t)__builtin_ctzll(different) / 8;
#endif
    }
    while (i < n && a[i] == b[i]) i++;
    return i;
}

/* `above` is NULL for the first row. */
static void pack_row(packer *p, const uint8_t *row, const uint8_t *above, size_t n)
{
    if (above && n + 1 >= LEAST && memcmp(row, above, n) == 0) {
        put_match(p, ABOVE, n + 1);
        return;
    }
    put(p, 0); /* filter "none": neighbours in a palette are no neighbours in colour */
    for (size_t i = 0, k; i < n; i += k) {
        const uint8_t *at = row + i;
        size_t left = i ? same(at, at - 1, n - i) : 0;
        size_t up = above ? same(at, above + i, n - i) : 0;
        size_t slant = 0;
        if (left >= LEAST && left + 1 >= up) {
            put_match(p, LEFT, k = left);
            continue;
        }
        if (up < FAR_LEAST && above) slant = same(at, above + i + 1, n - i - 1);
        k = up > slant ? up : slant;
        if (k >= FAR_LEAST)
            put_match(p, up >= slant ? ABOVE : SLANT, k);
        else
            put(p, row[i]), k = 1;
    }
}

static void pack_rows(packer *p, const uint8_t *data, int width, int height)
{
    static const uint8_t filter = 0;
    const size_t n = (size_t)width;
    uint32_t sum = 1; /* Adler's */

    reserve(p, 16);
    if (p->failed) return;
    put_bits(p, 0x0178, 16); /* zlib: a window of 32 KiB, "fastest" */
    for (int y = 0; y < height; y++) {
        const uint8_t *row = data + (size_t)y * n;
        pack_row(p, row, y ? row - n : NULL, n);
        sum = libdeflate_adler32(sum, &filter, 1);
        sum = libdeflate_adler32(sum, row, n);
    }
    write_block(p, 1);
    reserve(p, 16);
    if (p->failed) return;
    put_bits(p, 0, -p->n_bits & 7);
    put_bits(p, __builtin_bswap32(sum), 32);
}

int cx_pack_indexed(cx_bytes *out, const uint8_t *data, int width, int height, cvs_error *err)
{
    *out = (cx_bytes){0};
    packer *p = cx_alloc(sizeof *p);
    if (!p) return cx_no_memory(err, sizeof *p);
    p->out = NULL;
    p->size = p->cap = 0;
    p->bits = 0;
    p->n_bits = p->failed = p->n = 0;
    p->distance[LEFT] = 1;
    p->distance[ABOVE] = (uint32_t)width + 1;
    p->distance[SLANT] = (uint32_t)width;
    pack_rows(p, data, width, height);
    const int failed = p->failed;
    if (failed)
        cx_free(p->out);
    else
        *out = (cx_bytes){p->out, p->size};
    cx_free(p);
    return failed ? cx_no_memory(err, (size_t)width * (size_t)height) : 0;
}
