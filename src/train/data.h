/* data.h - where training gets its examples from: whoever has some gives a function that fills
 * batches of them. */
#ifndef CX_TRAIN_DATA_H
#define CX_TRAIN_DATA_H

#include "convscope.h"

/* Examples; see cvs_data. */
typedef cvs_data cx_data;

#endif
