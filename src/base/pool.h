/* pool.h - what the pool of threads and series of items have to do with each other. */
#ifndef CX_BASE_POOL_H
#define CX_BASE_POOL_H

/* Do an item of the series that is open, as that worker of the pool. 0 where none is ready. */
int cx_series_help(int worker);

/* Wake workers that sleep, so that they look for one. */
void cx_pool_wake(void);

#endif
