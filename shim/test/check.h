/*
 * For the test programs of shim/test/: a test is a `static void name(struct check *check)` that uses CHECK(condition); main()
 * calls RUN(&check, name) for each and gives `check.failed_tests != 0`. Prints `ok name` or `not ok name`.
 */
#ifndef SHIM_TEST_CHECK_H
#define SHIM_TEST_CHECK_H

#include <stdio.h>
#include <string.h>

struct check {
  int failed_tests;
  int failed_checks; /* of the test that runs */
};

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      check->failed_checks++;                                                           \
      printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                          \
    }                                                                                   \
  } while (0)

/* Runs `static void name(struct check *check)`. */
#define RUN(check, name)                                                                \
  do {                                                                                  \
    (check)->failed_checks = 0;                                                         \
    name(check);                                                                        \
    printf("%s %s\n", (check)->failed_checks ? "not ok" : "ok", #name);                 \
    if ((check)->failed_checks) (check)->failed_tests++;                                \
    fflush(stdout);                                                                     \
  } while (0)

#endif
