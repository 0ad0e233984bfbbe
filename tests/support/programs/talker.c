/*
 * talker.c - a program that says things in ways that a shell cannot.
 *
 *     talker pour COUNT     makes its stdout's pipe as large as may be, fills it with COUNT
 *     numbered lines, and ends talker tear           half a line of 5,000 bytes to stderr, half a
 *     line to stdout; ends, but a child holds both open
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pour(long count)
{
    if (fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1024 * 1024) < 0)
        return 3;
    for (long i = 0; i < count; i++)
        printf("%08ld\n", i);
    return 0;
}

static int tear(void)
{
    char line[5000];

    memset(line, 'e', sizeof(line));
    if (write(STDERR_FILENO, line, sizeof(line)) != (ssize_t)sizeof(line))
        return 3;
    if (write(STDOUT_FILENO, "out", 3) != 3)
        return 3;
    signal(SIGTERM, SIG_IGN); /* which it would get when its leader has ended */
    if (fork() == 0)
        for (;;)
            pause();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "pour") == 0)
        return pour(atol(argv[2]));
    if (argc == 2 && strcmp(argv[1], "tear") == 0)
        return tear();
    return 2;
}
