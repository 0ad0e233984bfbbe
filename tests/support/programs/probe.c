/*
 * probe.c - a program that says on its stdout in what state it was started, one "name: value" a
 * line.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

static void say_descriptors(void)
{
    printf("descriptors:");
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(" %d", fd);
    printf("\n");
}

static void say_signals(void)
{
    struct sigaction action;
    sigset_t blocked;
    int odd = 0;

    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(&blocked, number) == 1)
            odd++;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            odd++;
    }
    printf("odd signals: %d\n", odd);
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    char directory[4096];
    int parent_death = 0;

    say_descriptors();
    say_signals();
    printf("leads its session: %d\n", getsid(0) == getpid() && getpgid(0) == getpid());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        printf("descriptor limit: %llu\n", (unsigned long long)limit.rlim_cur);
    prctl(PR_GET_PDEATHSIG, &parent_death);
    printf("parent-death signal: %d\n", parent_death);
    printf("directory: %s\n", getcwd(directory, sizeof(directory)));
    for (int i = 0; i < argc; i++)
        printf("argument: %s\n", argv[i]);
    for (char **variable = environ; *variable; variable++)
        printf("variable: %s\n", *variable);
    return 0;
}
