/* mutate_json.c - a mutator for libFuzzer that keeps JSON what it is: bytes changed at random
 * seldom get past the parser. */
#include <string.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* A value without brackets: where it is and how long. */
typedef struct token {
    size_t at, n;
} token;

enum { MAX_TOKENS = 1 << 14 };

static int find_tokens(token *out, const char *text, size_t size)
{
    int n = 0;
    for (size_t i = 0; i < size && n < MAX_TOKENS; i++) {
        size_t from = i;
        if (text[i] == '"') {
            for (i++; i < size && text[i] != '"'; i++) i += text[i] == '\\';
            if (i >= size) break;
        } else if (memchr("-0123456789tfnNI", text[i], 16)) {
            while (i + 1 < size && !memchr(",]} \n:", text[i + 1], 6)) i++;
        } else {
            continue;
        }
        out[n++] = (token){from, i + 1 - from};
    }
    return n;
}

static unsigned next(unsigned *state, unsigned below)
{
    *state = *state * 1664525U + 1013904223U;
    return (*state >> 8) % below;
}

/* Another value for a token: one at the edge of what is allowed, or one from elsewhere in the text.
 */
static size_t substitute(char out[256], const char *text, const token *tokens, int n,
                         unsigned *state)
{
    static const char *const edges[] = {
        "0",     "1",           "-1",     "2",   "3",    "5",          "null",  "true",
        "false", "1e30",        "-1e300", "NaN", "[]",   "2147483647", "4096",  "4097",
        "1e12",  "-2147483648", "0.5",    "{}",  "[2]",  "[0,0]",      "[1,2]", "[-1]",
        "\"\"",  "[[1,0],2]",   "1e-30",  "64",  "1000", "1048576",    "6",     "[1,2,3]"};
    const token *t = &tokens[next(state, (unsigned)n)];
    if (next(state, 2) && t->n < 256) {
        memcpy(out, text + t->at, t->n);
        return t->n;
    }
    const char *edge = edges[next(state, sizeof edges / sizeof *edges)];
    memcpy(out, edge, strlen(edge));
    return strlen(edge);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static token tokens[MAX_TOKENS];
    char value[256];
    unsigned state = seed;
    if (next(&state, 8) == 0) return LLVMFuzzerMutate(data, size, max_size);
    for (unsigned rounds = 1 + next(&state, 3); rounds > 0; rounds--) {
        int n = find_tokens(tokens, (char *)data, size);
        if (n == 0) return LLVMFuzzerMutate(data, size, max_size);
        const token *t = &tokens[next(&state, (unsigned)n)];
        size_t k = substitute(value, (char *)data, tokens, n, &state);
        if (size - t->n + k > max_size) break;
        memmove(data + t->at + k, data + t->at + t->n, size - t->at - t->n);
        memcpy(data + t->at, value, k);
        size = size - t->n + k;
    }
    return size;
}
