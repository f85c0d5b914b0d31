/* png_pack.c - the rows of a PNG as a zlib stream (RFC 1950, 1951), for sheets of channels.
 *
 * What repeats in them is the pixel to the left, since small maps are drawn large, and the row
 * above. A general packer looks for repetitions anywhere, which takes libdeflate's first level more
 * than twice the time of all else; here these two are all that is looked for, and the streams are 3
 * % longer. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "image/codec.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bits are written from the lowest");

enum {
    LITERALS = 286, /* bytes, the end of a block, lengths of matches */
    END = 256,
    DISTANCES = 30,
    LENGTHS = 19, /* symbols in which the lengths of codes are told */
    LONGEST = 15, /* bits of a code; of a code's length 7 */
    LEAST = 4,
    MOST = 258,    /* bytes of a match */
    REACH = 32768, /* its distance at most */
    PER_BLOCK = CX_PNG_TOKENS,
    HEADER = 512, /* bytes of a block that are no tokens, at most */
};

/* --- the tables of RFC 1951, 3.2.5 --- */

static const uint16_t first_length[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                          15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                          67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                        2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t first_distance[DISTANCES] = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

/* The last entry that is not above `value`. */
static int find(const uint16_t *table, int n, size_t value)
{
    int i = n - 1;
    while (table[i] > value) i--;
    return i;
}

/* --- codes --- */

typedef struct code {
    uint8_t length[LITERALS];
    uint16_t bits[LITERALS]; /* from the lowest */
} code;

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Huffman's lengths for the n symbols that are counted; gives the greatest. Leaves stand in the
 * order of their counts, and so do the nodes that are made of them. */
static int grow(uint8_t *length, const uint32_t *count, int n)
{
    uint32_t leaf[LITERALS], weight[2 * LITERALS];
    int parent[2 * LITERALS], depth[2 * LITERALS], leaves = 0, greatest = 0;
    for (int i = 0; i < n; i++) {
        length[i] = 0;
        if (count[i] > 0) leaf[leaves++] = count[i] << 9 | (uint32_t)i;
    }
    if (leaves < 2) { /* one bit all the same: a code must have one */
        if (leaves) length[leaf[0] & 511] = 1;
        return leaves;
    }
    qsort(leaf, (size_t)leaves, sizeof *leaf, ascending);
    for (int i = 0; i < leaves; i++) weight[i] = leaf[i] >> 9;
    int next_leaf = 0, next_node = leaves, made = leaves;
    for (; made < 2 * leaves - 1; made++) {
        weight[made] = 0;
        for (int k = 0; k < 2; k++) {
            const int is_leaf =
                next_leaf < leaves && (next_node == made || weight[next_leaf] <= weight[next_node]);
            const int child = is_leaf ? next_leaf++ : next_node++;
            weight[made] += weight[child];
            parent[child] = made;
        }
    }
    depth[made - 1] = 0;
    for (int i = made - 2; i >= 0; i--) {
        depth[i] = depth[parent[i]] + 1;
        if (i >= leaves) continue;
        length[leaf[i] & 511] = (uint8_t)depth[i];
        if (depth[i] > greatest) greatest = depth[i];
    }
    return greatest;
}

/* Lengths of `limit` bits at most: where there are longer ones, counts are brought nearer to each
 * other. */
static void choose_lengths(code *c, const uint32_t *count, int n, int limit)
{
    uint32_t flatter[LITERALS];
    memcpy(flatter, count, (size_t)n * sizeof *count);
    while (grow(c->length, flatter, n) > limit)
        for (int i = 0; i < n; i++) flatter[i] -= flatter[i] / 2;
}

/* The codes that follow from the lengths. */
static void assign(code *c, int n)
{
    unsigned how_many[LONGEST + 1] = {0}, next[LONGEST + 1] = {0};
    for (int i = 0; i < n; i++) how_many[c->length[i]]++;
    how_many[0] = 0;
    for (int b = 1; b <= LONGEST; b++) next[b] = (next[b - 1] + how_many[b - 1]) << 1;
    for (int i = 0; i < n; i++) {
        unsigned v = c->length[i] ? next[c->length[i]]++ : 0, reversed = 0;
        for (int b = 0; b < c->length[i]; b++, v >>= 1) reversed = reversed << 1 | (v & 1);
        c->bits[i] = (uint16_t)reversed;
    }
}

/* --- tokens --- */

/* The two distances, and how they are written. */
typedef struct distance {
    size_t bytes; /* 0: too far */
    int symbol, n_extra;
    uint32_t extra;
} distance;

enum { LEFT, ABOVE, NOWHERE };

typedef struct packer {
    const uint8_t *at, *begin, *end;
    distance from[2];
    uint8_t symbol_of[MOST + 1]; /* by length of a match, less 257 */
    uint32_t *token;             /* a byte, or from which distance << 16 | length */
    int n;
    uint32_t literals[LITERALS], distances[DISTANCES]; /* how often */
    uint8_t *out;
    uint64_t bits;
    int n_bits;
} packer;

static distance distance_of(size_t bytes)
{
    if (bytes > REACH) return (distance){0};
    const int symbol = find(first_distance, DISTANCES, bytes);
    return (distance){bytes, symbol, symbol < 4 ? 0 : symbol / 2 - 1,
                      (uint32_t)(bytes - first_distance[symbol])};
}

static uint64_t eight_bytes(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* How many bytes are the same as so far before, of `most`, which is 8 at least. */
static size_t length_of_match(const uint8_t *p, size_t before, size_t most)
{
    size_t n = 0;
    for (; n + 8 <= most; n += 8) {
        const uint64_t differ = eight_bytes(p + n) ^ eight_bytes(p + n - before);
        if (differ) return n + (size_t)__builtin_ctzll(differ) / 8;
    }
    while (n < most && p[n] == *(p + n - before)) n++;
    return n;
}

/* A match is worth its symbols from four bytes on; one above from five, as its distance is longer.
 */
static void find_tokens(packer *k)
{
    memset(k->literals, 0, sizeof k->literals);
    memset(k->distances, 0, sizeof k->distances);
    k->literals[END] = 1;
    for (k->n = 0; k->at < k->end && k->n < PER_BLOCK; k->n++) {
        const size_t left = (size_t)(k->end - k->at), most = left < MOST ? left : MOST;
        size_t best = LEAST - 1;
        int from = NOWHERE;
        for (int d = LEFT; d <= ABOVE && most >= 8; d++) {
            const size_t before = k->from[d].bytes;
            if (before == 0 || before > (size_t)(k->at - k->begin)) continue;
            const size_t n = length_of_match(k->at, before, most);
            if (n < best + 1 + (d == ABOVE && from == NOWHERE)) continue;
            best = n;
            from = d;
        }
        if (from == NOWHERE) {
            k->literals[*k->at]++;
            k->token[k->n] = *k->at++;
            continue;
        }
        k->literals[END + 1 + k->symbol_of[best]]++;
        k->distances[k->from[from].symbol]++;
        k->token[k->n] = (uint32_t)(from + 1) << 16 | (uint32_t)best;
        k->at += best;
    }
}

/* --- the stream --- */

/* Up to 56 bits may be put between two flushes. */
static void put(packer *k, uint64_t bits, int n)
{
    k->bits |= bits << k->n_bits;
    k->n_bits += n;
}

static void flush(packer *k)
{
    memcpy(k->out, &k->bits, sizeof k->bits);
    k->out += k->n_bits / 8;
    k->bits >>= k->n_bits & ~7;
    k->n_bits &= 7;
}

static void put_symbol(packer *k, const code *c, int symbol)
{
    put(k, c->bits[symbol], c->length[symbol]);
}

/* The last symbol that has a code, plus one; `least` at least. */
static int used(const code *c, int n, int least)
{
    while (n > least && c->length[n - 1] == 0) n--;
    return n;
}

/* The lengths of both codes as symbols of a third: 16 is the one before again, 17 and 18 are none,
 * with how often in `extra`; gives how many. */
static int tell_lengths(uint8_t *symbol, uint8_t *extra, const uint8_t *length, int n)
{
    int told = 0;
    for (int i = 0, run; i < n; i += run, told++) {
        const int is_none = length[i] == 0, most = is_none ? 138 : 6;
        for (run = 1; i + run < n && run < most && length[i + run] == length[i]; run++) continue;
        if (run < 3 || (!is_none && (i == 0 || length[i] != length[i - 1]))) run = 1;
        symbol[told] = run == 1 ? length[i] : !is_none ? 16 : run < 11 ? 17 : 18;
        extra[told] = (uint8_t)(run == 1 ? 0 : run < 11 ? run - 3 : run - 11);
    }
    return told;
}

static void put_codes(packer *k, const code *literal, const code *distant)
{
    static const uint8_t order[LENGTHS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                           11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t length[LITERALS + DISTANCES], symbol[LITERALS + DISTANCES], extra[LITERALS + DISTANCES];
    uint32_t count[LENGTHS] = {0};
    code c;
    const int literals = used(literal, LITERALS, END + 1), distances = used(distant, DISTANCES, 1);
    memcpy(length, literal->length, (size_t)literals);
    memcpy(length + literals, distant->length, (size_t)distances);
    const int n = tell_lengths(symbol, extra, length, literals + distances);
    for (int i = 0; i < n; i++) count[symbol[i]]++;
    choose_lengths(&c, count, LENGTHS, 7);
    assign(&c, LENGTHS);
    int told = LENGTHS;
    while (told > 4 && c.length[order[told - 1]] == 0) told--;
    put(k, (uint64_t)(literals - END - 1), 5);
    put(k, (uint64_t)(distances - 1), 5);
    put(k, (uint64_t)(told - 4), 4);
    flush(k);
    for (int i = 0; i < told; i++) {
        put(k, c.length[order[i]], 3);
        flush(k);
    }
    for (int i = 0; i < n; i++) {
        put_symbol(k, &c, symbol[i]);
        put(k, extra[i], symbol[i] == 16 ? 2 : symbol[i] == 17 ? 3 : symbol[i] == 18 ? 7 : 0);
        flush(k);
    }
}

static void put_tokens(packer *k, const code *literal, const code *distant)
{
    for (int i = 0; i < k->n; i++) {
        const uint32_t token = k->token[i];
        if (token < END) {
            put_symbol(k, literal, (int)token);
            if (k->n_bits >= 40) flush(k);
            continue;
        }
        const distance *d = &k->from[(token >> 16) - 1];
        const int symbol = k->symbol_of[token & 0xffff];
        flush(k);
        put_symbol(k, literal, END + 1 + symbol);
        put(k, (token & 0xffff) - first_length[symbol], length_bits[symbol]);
        put_symbol(k, distant, d->symbol);
        put(k, d->extra, d->n_extra);
        flush(k);
    }
    flush(k);
    put_symbol(k, literal, END);
    flush(k);
}

static void put_block(packer *k)
{
    code literal, distant;
    find_tokens(k);
    choose_lengths(&literal, k->literals, LITERALS, LONGEST);
    choose_lengths(&distant, k->distances, DISTANCES, LONGEST);
    assign(&literal, LITERALS);
    assign(&distant, DISTANCES);
    put(k, k->at == k->end, 1);
    put(k, 2, 2); /* codes of its own */
    put_codes(k, &literal, &distant);
    put_tokens(k, &literal, &distant);
}

/* A byte has a code of 15 bits at most, a match of four bytes and more has 48 in all. */
size_t cx_png_pack_bound(size_t n)
{
    return 2 * n + (n / PER_BLOCK + 1) * HEADER + 64;
}

size_t cx_png_pack(uint8_t *out, uint32_t *tokens, const uint8_t *rows, size_t n, size_t pixel,
                   size_t row)
{
    packer k = {.at = rows,
                .begin = rows,
                .end = rows + n,
                .from = {distance_of(pixel), distance_of(row)},
                .token = tokens,
                .out = out};
    for (int length = 3; length <= MOST; length++)
        k.symbol_of[length] = (uint8_t)find(first_length, 29, (size_t)length);
    put(&k, 0x0178, 16); /* a window of 32 kB, packed quickly */
    do put_block(&k);
    while (k.at < k.end);
    put(&k, 0, -k.n_bits & 7);
    flush(&k);
    const uint32_t sum = __builtin_bswap32(libdeflate_adler32(1, rows, n));
    memcpy(k.out, &sum, sizeof sum);
    return (size_t)(k.out + sizeof sum - out);
}
