/* SPDX-License-Identifier: ISC */
/*
 * Text in huge pages.  A child that runs text of a file takes a page fault for
 * every few pages of it, and has page tables for it.  A huge page needs one
 * fault and no table, and all processes that are forked from now on share it.
 */
#ifndef OS_HUGE_TEXT_H
#define OS_HUGE_TEXT_H

#include "base/error.h"

/*
 * Puts what this process only reads of its program, which are its text and its
 * constants, into huge pages; once, before the first fork.  That needs a static
 * program that was linked for it (huge_text in the Makefile), and Linux 6.1.
 * The number of bytes, or -1 and why, as a clause: then nothing has changed.
 */
long huge_text(struct error *);

#endif
