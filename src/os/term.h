/* SPDX-License-Identifier: ISC */
/*
 * A terminal as a screen that is redrawn, with single keys as input.
 */
#ifndef OS_TERM_H
#define OS_TERM_H

/* Are standard input and output a terminal? */
int term_is(void);

/*
 * Switches to the alternate screen, without echo; keys can be read at once, and
 * a change of the size interrupts signals_poll().  0, or -1.
 */
int term_begin(void);

/* Undoes this. */
void term_end(void);

/* The size, 80 and 24 if it is not known. */
void term_size(unsigned int *columns, unsigned int *lines);

#endif
