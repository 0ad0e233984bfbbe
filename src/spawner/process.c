/*
 * process.c - the table of programs: an array of entries, and two hash tables with chains over it.
 */
#include "spawner/process.h"

static struct dx_process **bucket_of_pid(struct dx_process_table *table, int32_t pid)
{
    return &table->by_pid[(uint32_t)pid % DX_PROCESS_BUCKETS];
}

static struct dx_process **bucket_of_id(struct dx_process_table *table, uint8_t channel,
                                        uint64_t id)
{
    return &table->by_id[(id ^ (id >> 32) ^ ((uint64_t)channel << 4)) % DX_PROCESS_BUCKETS];
}

struct dx_process *dx_process_new(struct dx_process_table *table, uint8_t channel, uint64_t id)
{
    struct dx_process *process = table->free_list;
    struct dx_process **bucket = bucket_of_id(table, channel, id);

    if (process)
        table->free_list = process->next_by_id;
    else if (table->used < DX_PROCESSES_MAX)
        process = &table->all[table->used++];
    else
        return NULL;
    *process = (struct dx_process){.id = id, .channel = channel, .state = DX_PROCESS_FAILED};
    process->next_by_id = *bucket;
    *bucket = process;
    return process;
}

static void unlink_id(struct dx_process_table *table, struct dx_process *process)
{
    struct dx_process **at = bucket_of_id(table, process->channel, process->id);

    while (*at != process)
        at = &(*at)->next_by_id;
    *at = process->next_by_id;
}

static void unlink_pid(struct dx_process_table *table, struct dx_process *process)
{
    struct dx_process **at = bucket_of_pid(table, process->pid);

    while (*at != process)
        at = &(*at)->next_by_pid;
    *at = process->next_by_pid;
}

void dx_process_free(struct dx_process_table *table, struct dx_process *process)
{
    unlink_id(table, process);
    if (process->pid != 0)
        unlink_pid(table, process);
    process->state = DX_PROCESS_FREE;
    process->next_by_id = table->free_list;
    table->free_list = process;
}

void dx_process_run(struct dx_process_table *table, struct dx_process *process, int32_t pid)
{
    struct dx_process **bucket = bucket_of_pid(table, pid);

    process->pid = pid;
    process->state = DX_PROCESS_RUNNING;
    process->next_by_pid = *bucket;
    *bucket = process;
}

struct dx_process *dx_process_find_id(struct dx_process_table *table, uint8_t channel, uint64_t id)
{
    struct dx_process *process = *bucket_of_id(table, channel, id);

    while (process &&
           (process->id != id || process->channel != channel || process->state == DX_PROCESS_ENDED))
        process = process->next_by_id;
    return process;
}

struct dx_process *dx_process_find_pid(struct dx_process_table *table, int32_t pid)
{
    struct dx_process *process = *bucket_of_pid(table, pid);
    struct dx_process *ended = NULL;

    for (; process; process = process->next_by_pid) {
        if (process->pid != pid)
            continue;
        if (process->state == DX_PROCESS_RUNNING)
            return process;
        ended = process;
    }
    return ended;
}
