/* keep.c - things by a key, the least lately used dropped first. */
#include "serve/keep.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

typedef struct kept {
    struct kept *next; /* from the most lately used */
    char *key;
    void *thing; /* NULL while it is made */
    size_t size;
    int users;
    void (*dispose)(void *thing);
} kept;

struct cx_keep {
    pthread_mutex_t lock;
    pthread_cond_t made; /* or failed */
    kept *first;
    size_t most_bytes;
    int most_things;
};

int cx_keep_new(cx_keep **out, size_t most_bytes, int most_things, cvs_error *err)
{
    cx_keep *keep = cx_calloc(1, sizeof *keep);
    *out = keep;
    if (!keep) return cx_no_memory(err, sizeof *keep);
    pthread_mutex_init(&keep->lock, NULL);
    pthread_cond_init(&keep->made, NULL);
    keep->most_bytes = most_bytes;
    keep->most_things = most_things;
    return 0;
}

static void drop(kept *k)
{
    if (k->thing) k->dispose(k->thing);
    cx_free(k->key);
    cx_free(k);
}

void cx_keep_free(cx_keep *keep)
{
    if (!keep) return;
    while (keep->first) {
        kept *k = keep->first;
        keep->first = k->next;
        drop(k);
    }
    pthread_cond_destroy(&keep->made);
    pthread_mutex_destroy(&keep->lock);
    cx_free(keep);
}

static kept **find(cx_keep *keep, const char *key)
{
    kept **at = &keep->first;
    while (*at && strcmp((*at)->key, key) != 0) at = &(*at)->next;
    return at;
}

static void to_front(cx_keep *keep, kept **at)
{
    kept *k = *at;
    *at = k->next;
    k->next = keep->first;
    keep->first = k;
}

/* Take out what there is no room for, as a list: it may take long to free. */
static kept *cut(cx_keep *keep)
{
    kept *out = NULL;
    size_t bytes = 0;
    int things = 0;
    for (kept **at = &keep->first; *at;) {
        kept *k = *at;
        bytes += k->size;
        things++;
        if (k->thing && k->users == 0 && (things > keep->most_things || bytes > keep->most_bytes)) {
            bytes -= k->size;
            things--;
            *at = k->next;
            k->next = out;
            out = k;
        } else {
            at = &k->next;
        }
    }
    return out;
}

static void drop_all(kept *k)
{
    while (k) {
        kept *next = k->next;
        drop(k);
        k = next;
    }
}

static kept *begin(cx_keep *keep, const char *key, const cx_keep_kind *kind)
{
    kept *k = cx_calloc(1, sizeof *k);
    char *copy = cx_strdup(key);
    if (!k || !copy) {
        cx_free(k);
        cx_free(copy);
        return NULL;
    }
    *k = (kept){.next = keep->first, .key = copy, .users = 1, .dispose = kind->free};
    keep->first = k;
    return k;
}

/* Make it without the lock, which is held before and after. */
static int make(void **out, cx_keep *keep, kept *k, const cx_keep_kind *kind, void *arg,
                cvs_error *err)
{
    void *thing = NULL;
    size_t size = 0;
    pthread_mutex_unlock(&keep->lock);
    int rc = kind->make(&thing, &size, arg, err);
    pthread_mutex_lock(&keep->lock);
    if (rc == 0) {
        k->size = size;
        *out = k->thing = thing;
    } else {
        kept **at = find(keep, k->key);
        *at = k->next;
        drop(k);
    }
    pthread_cond_broadcast(&keep->made);
    return rc;
}

int cx_keep_take(void **out, cx_keep *keep, const char *key, const cx_keep_kind *kind, void *arg,
                 cvs_error *err)
{
    kept *cut_out = NULL;
    int rc = 0;
    *out = NULL;
    pthread_mutex_lock(&keep->lock);
    kept **at = find(keep, key);
    while (*at && !(*at)->thing) {
        pthread_cond_wait(&keep->made, &keep->lock);
        at = find(keep, key);
    }
    if (*at) {
        to_front(keep, at);
        keep->first->users++;
        *out = keep->first->thing;
    } else if (!kind) {
        rc = cx_fail(err, CVS_E_ARG, "%s is not there", key);
    } else {
        kept *k = begin(keep, key, kind);
        rc = k ? make(out, keep, k, kind, arg, err) : cx_no_memory(err, strlen(key));
        cut_out = cut(keep);
    }
    pthread_mutex_unlock(&keep->lock);
    drop_all(cut_out);
    return rc;
}

void cx_keep_let_go(cx_keep *keep, void *thing)
{
    if (!thing) return;
    pthread_mutex_lock(&keep->lock);
    for (kept *k = keep->first; k; k = k->next)
        if (k->thing == thing) {
            k->users--;
            break;
        }
    kept *cut_out = cut(keep);
    pthread_mutex_unlock(&keep->lock);
    drop_all(cut_out);
}

void cx_keep_each(cx_keep *keep, void (*see)(void *arg, const void *thing), void *arg)
{
    pthread_mutex_lock(&keep->lock);
    for (const kept *k = keep->first; k; k = k->next)
        if (k->thing) see(arg, k->thing);
    pthread_mutex_unlock(&keep->lock);
}
