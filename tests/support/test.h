/* test.h - what every test program includes: cmocka and tensor comparison. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* wants those above */

#include "base/error.h"

#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

/* A call that must succeed: on failure the test ends with the error's text. */
#define OK(call)                                                                     \
    do {                                                                             \
        int ok_rc = (call);                                                          \
        if (ok_rc < 0) fail_msg("%s: %d %s: %s", #call, ok_rc, err.where, err.what); \
    } while (0)

/* A call that must fail with this status and this text somewhere in what it says. */
#define FAILS(call, status, text)                                                                \
    do {                                                                                         \
        int fails_rc = (call);                                                                   \
        assert_int_equal(fails_rc, status);                                                      \
        if (!strstr(err.what, text) && !strstr(err.where, text) && !strstr(err.hint, text))      \
            fail_msg("%s says \"%s: %s: %s\", not \"%s\"", #call, err.where, err.what, err.hint, \
                     text);                                                                      \
    } while (0)

#endif
