/*
 * check.h - what every fuzz target begins with.
 */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHECK(condition)                                                                           \
 do {                                                                                              \
  if (!(condition)) {                                                                              \
   fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                         \
   abort();                                                                                        \
  }                                                                                                \
 } while (0)

#endif
