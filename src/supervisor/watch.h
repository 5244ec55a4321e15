/* SPDX-License-Identifier: ISC */
/*
 * What the tags of the supervisor's event sets mean: what kind of descriptor
 * is ready, and which one.  Generation tells a channel from a later one with
 * the same number: events are taken by the dozen, and the first of them may
 * end what the next one is about.
 */
#ifndef SUPERVISOR_WATCH_H
#define SUPERVISOR_WATCH_H

#include <stdint.h>

enum watch {
	WATCH_LISTENERS,	/* the set of all listeners but those of metrics */
	WATCH_LISTENER,
	WATCH_NAME,		/* a listener of visitors: watch_name_index() */
	WATCH_METRICS,
	WATCH_NETWORK,
	WATCH_CHANNEL,		/* of a child */
	WATCH_TABLE		/* the process that makes it has ended */
};

#define WATCH_INDEX_MAX	(1U << 21)

static inline uint32_t
watch_tag(enum watch kind, unsigned int index, unsigned int generation)
{
	return (uint32_t)kind << 29 | (generation & 255) << 21 | index;
}

static inline enum watch
watch_kind(uint32_t tag)
{
	return (enum watch)(tag >> 29);
}

static inline unsigned int
watch_index(uint32_t tag)
{
	return tag & (WATCH_INDEX_MAX - 1);
}

/* A name's listener, or its second one. */
static inline unsigned int
watch_name_index(int name, unsigned int second)
{
	return 2 * (unsigned int)name + second;
}

static inline int
watch_name(uint32_t tag)
{
	return (int)watch_index(tag) / 2;
}

static inline unsigned int
watch_second(uint32_t tag)
{
	return watch_index(tag) % 2;
}

static inline unsigned int
watch_generation(uint32_t tag)
{
	return tag >> 21 & 255;
}

#endif
