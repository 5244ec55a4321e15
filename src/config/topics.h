/* SPDX-License-Identifier: ISC */
/*
 * inetws help TOPIC: blocks of text to paste.  They are blocks of
 * inetws-examples(7), which topics.awk extracts when the program is built.
 */
#ifndef CONFIG_TOPICS_H
#define CONFIG_TOPICS_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/*
 * Prints the blocks of a topic, with the host, port and path of the URL in
 * place of the examples; NULL: with the examples.  1; 0: there is no such
 * topic; -1 and why (64): the URL cannot be used there.
 */
int topic_print(const char *name, const char *url, FILE *, struct error *why);

/* The n-th name of a topic, from 0; NULL behind the last one. */
const char *topic_name(size_t);

/* Writes all names, separated by ", ". */
void topics_list(char *dst, size_t size);

#endif
