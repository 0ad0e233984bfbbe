/*
 * greeter.c - answers each line that the client sends with "data: " and the line, like greeter.js.
 *
 *     cc -o greeter examples/greeter.c && duplex serve ./greeter
 *
 * A line longer than the buffer is answered in pieces.
 */
#include <stdio.h>
#include <string.h>

int main(void)
{
    char line[4096];

    /* When stdout is a pipe, stdio buffers 4 KiB by default. Flush after each line instead. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        printf("data: %s\n", line);
    }
    return ferror(stdin) ? 1 : 0;
}
