/*
 * process.h - the table of the programs that the spawner has started, found by id and by pid.
 *
 * Not responsible for starting, signalling or reaping them. The table lies in zeroed static memory
 * of which only what is used becomes resident, so that nothing here can run out of memory half-way.
 */
#ifndef DX_SPAWNER_PROCESS_H
#define DX_SPAWNER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/spawn_wire.h"

enum {
    /*
     * Twice what the server may have: a program whose end was reported may still have a session to
     * clear.
     */
    DX_PROCESSES_MAX = 2 * DX_SPAWN_PROGRAMS_MAX,
    DX_PROCESS_BUCKETS = 1024,
};

enum dx_process_state {
    DX_PROCESS_FREE = 0,
    DX_PROCESS_FAILED,  /* never ran; waits for FAILED to be sent */
    DX_PROCESS_RUNNING, /* its leader is alive, or not reaped yet: its pid and group are its own */
    DX_PROCESS_ENDED,   /* its leader is reaped; others of its session may be left */
};

/* Reports that the server has not been sent yet. */
enum { DX_REPORT_STARTED = 1, DX_REPORT_FAILED = 2, DX_REPORT_EXITED = 4 };

struct dx_process {
    uint64_t id;
    int64_t kill_at_ns; /* ENDED: when what is left of the session gets SIGKILL */
    int64_t drop_at_ns; /* ENDED: when the session is given up, whatever is left */
    int32_t pid;        /* of the leader, so of its group and session too; 0 if it never ran */
    int32_t value;      /* FAILED: errno; ENDED: the wait status */
    uint8_t state;      /* enum dx_process_state */
    uint8_t step;       /* FAILED: enum dx_spawn_step */
    uint8_t reports;    /* DX_REPORT_… that are still to be sent */
    uint8_t channel;
    uint8_t signal;   /* RUNNING: the last signal of a KILL, 0 if none */
    bool sweeping;    /* is in the sweep list */
    bool terminated;  /* ENDED: those in other groups of the session have had their SIGTERM */
    bool has_members; /* ENDED: the sweep that is under way has found someone alive */
    bool reporting;   /* is in its channel's list of reports */
    struct dx_process *next_by_pid;
    struct dx_process *next_by_id;
    struct dx_process *next_in_sweep;
    struct dx_process *next_report;
};

struct dx_process_table {
    struct dx_process *by_pid[DX_PROCESS_BUCKETS];
    struct dx_process *by_id[DX_PROCESS_BUCKETS];
    struct dx_process *free_list;
    uint32_t used; /* entries of `all` that were ever taken */
    struct dx_process all[DX_PROCESSES_MAX];
};

/** A new entry for `id` of `channel`, state FAILED and without a pid; NULL if the table is full. */
struct dx_process *dx_process_new(struct dx_process_table *table, uint8_t channel, uint64_t id);

/** Takes the entry out of the table. It must be in no list any more. */
void dx_process_free(struct dx_process_table *table, struct dx_process *process);

/** Gives the entry its pid and makes it RUNNING. */
void dx_process_run(struct dx_process_table *table, struct dx_process *process, int32_t pid);

/**
 * The RUNNING or FAILED entry of `channel` with `id`, else NULL: an ended one cannot be meant any
 * more.
 */
struct dx_process *dx_process_find_id(struct dx_process_table *table, uint8_t channel, uint64_t id);

/** The entry whose leader has or had `pid`: the RUNNING one, else the ENDED one, else NULL. */
struct dx_process *dx_process_find_pid(struct dx_process_table *table, int32_t pid);

#endif
