/*
 * signal.c - sends a signal to a whole program.
 */
#include <signal.h>

#include "spawner/supervisor.h"

/*
 * While the program is RUNNING its leader is not reaped, so the number of its group cannot be
 * reused. A leader cannot leave its group; other members of the session can, and the sweep finds
 * them.
 */
void dx_process_signal(struct dx_supervisor *supervisor, struct dx_process *process, int signal)
{
    kill(-process->pid, signal);
    process->signal = (uint8_t)signal;
    dx_sweep_add(supervisor, process, 0);
}
