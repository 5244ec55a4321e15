/* SPDX-License-Identifier: ISC */
/*
 * inetws help TOPIC: blocks to paste, out of inetws-examples(7), whose source
 * the build reads (topics.awk).
 */
#ifndef CONFIG_TOPICS_H
#define CONFIG_TOPICS_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/*
 * Prints a topic's blocks with the names of the URL, NULL: those of the page.
 * 1; 0: there is no such topic; -1 and why: the URL is none.
 */
int topic_print(const char *name, const char *url, FILE *, struct error *why);

/* The names of topics, each once; NULL behind the last one. */
const char *topic_name(size_t);

/* The names, joined by ", ". */
void topics_list(char *dst, size_t size);

#endif
