/* golden.h - cases: a folder each, with a model, an input and what an independent reference
 * computes of them; its index.json names the files. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "base/json.h"
#include "graph/model.h"
#include "tensor/tensor.h"

typedef struct golden {
    const char *name; /* the folder's, borrowed */
    char dir[2048];   /* its path */
    cx_json *index;
    cvs_model *model;
    cvs_run *run; /* of golden_run(); NULL before */
} golden;

/* Read the index of folder/name and load the model. To be closed, whatever comes of it. */
int golden_open(golden *out, const char *folder, const char *name, cvs_error *err);
void golden_close(golden *g);

/* A run that has the case's input and is not computed yet. */
int golden_run(golden *g, const cvs_run_options *options, cvs_error *err);

/* The path of the file that an entry of the index has under `key`. */
void golden_path(char out[2400], const golden *g, const cx_json *entry, const char *key);

/* The numbers in that file, the caller's to deinit. */
int golden_read(cx_tensor *out, const golden *g, const cx_json *entry, const char *key,
                cvs_error *err);

/* 1 where something is wrong with an open case, after a line about it or with an error. */
typedef int golden_check(golden *g, cvs_error *err);

/* Check every case in a folder, in the order of names, a TAP line each; the plan is the caller's.
 * Gives how many cases there are and adds those that fail to *failures. */
int golden_check_all(int *failures, const char *folder, golden_check *check);

#endif
