/*
 * Answers each line that the client sends with "data: " and the line, as greeter.js does.
 * Build it with: cc -o greeter examples/greeter.c
 *
 * Not responsible for lines longer than its buffer: those are answered in pieces.
 */
#include <stdio.h>
#include <string.h>

int main(void)
{
    char line[4096];

    /* Into a pipe stdio would hold 4 KiB back before the client saw any of it. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        printf("data: %s\n", line);
    }
    return ferror(stdin) ? 1 : 0;
}
