/*
 * container.h - from a pointer to a member back to the struct that embeds it.
 *
 * For callbacks that get the embedded timer, task or watch and need its owner.
 */
#ifndef DX_BASE_CONTAINER_H
#define DX_BASE_CONTAINER_H

#include <stddef.h>

/*
 * The `type` whose `member` is at `pointer`. The conditional operator checks the pointer's type;
 * its second branch is never evaluated. For a pointer to const, name a const type.
 */
#define dx_container_of(pointer, type, member)                                                     \
 ((type *)(void *)((char *)(1 ? (pointer) : &((type *)NULL)->member) - offsetof(type, member)))

#endif
