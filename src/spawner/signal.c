/*
 * signal.c - a signal for a whole program.
 */
#include <signal.h>

#include "spawner/supervisor.h"

/*
 * The leader is not reaped while the program is RUNNING, so its number is its own group's and
 * nobody else's. A leader cannot leave its group; others of its session can, and are found by the
 * sweep.
 */
void dx_process_signal(struct dx_supervisor *supervisor, struct dx_process *process, int signal)
{
    kill(-process->pid, signal);
    process->signal = (uint8_t)signal;
    dx_sweep_add(supervisor, process, 0);
}
