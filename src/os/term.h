/* SPDX-License-Identifier: ISC */
/*
 * A terminal that is drawn on as a whole and gives single keys.
 */
#ifndef OS_TERM_H
#define OS_TERM_H

/* Are standard input and output one? */
int term_is(void);

/*
 * Takes it over: another screen, no echo, keys at once, and a new size ends
 * the sleep in signals_poll().  0, or -1.
 */
int term_begin(void);

/* As it was. */
void term_end(void);

void term_size(unsigned int *columns, unsigned int *lines);

#endif
