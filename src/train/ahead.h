/* ahead.h - the next batch made while the trainer works on this one.
 *
 * A thread of low priority makes it example by example; who asks for the batch makes what is left
 * of it together with the pool. So no core waits for another, and a machine that is busy with the
 * training itself loses nothing. */
#ifndef CX_TRAIN_AHEAD_H
#define CX_TRAIN_AHEAD_H

#include "train/data.h"

typedef struct cx_ahead cx_ahead;

/* Examples of `data`, which is borrowed: its `fill` must allow several threads at once, in places
 * of their own. Batches have at most `batch` examples of `size` numbers. */
int cx_ahead_new(cx_ahead **out, const cx_data *data, int64_t size, int batch, cvs_error *err);
void cx_ahead_free(cx_ahead *a);

/* The same examples; borrows `a`. A batch that was announced is handed over, any other is made. */
cx_data cx_ahead_data(cx_ahead *a);

/* Say which batch will be asked for next; it is begun. One that was begun before is forgotten. */
void cx_ahead_expect(cx_ahead *a, const int64_t *which, int count, int64_t epoch);

#endif
