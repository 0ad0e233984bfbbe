/*
 * frames.h - first bytes of frames, and what came at the peer against what should: for the tests of
 * a connection.
 */
#ifndef TESTS_CONNECTION_FRAMES_H
#define TESTS_CONNECTION_FRAMES_H

#define TEXT 0x81
#define BINARY 0x82
#define CLOSE 0x88
#define PING 0x89
#define PONG 0x8a

#define CLOSE_1000 "\x03\xe8"

#define assert_wire(bench, text)                                                                   \
 do {                                                                                              \
  assert_int_equal((bench)->wire_len, sizeof(text) - 1);                                           \
  assert_memory_equal((bench)->wire, text, sizeof(text) - 1);                                      \
 } while (0)

#endif
