/* listing.h - what a folder holds, in the order of names. */
#ifndef LISTING_H
#define LISTING_H

#include <dirent.h>
#include <stdlib.h>

/* All but what begins with a dot: at[i]->d_name. */
typedef struct listing {
    struct dirent **at;
    int n;
} listing;

static inline int is_shown(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* None where the folder cannot be read. To be freed. */
static inline listing list_folder(const char *folder)
{
    listing in = {0};
    in.n = scandir(folder, &in.at, is_shown, alphasort);
    return in.n < 0 ? (listing){0} : in;
}

static inline void listing_free(listing *in)
{
    for (int i = 0; i < in->n; i++) free(in->at[i]);
    free(in->at);
}

#endif
