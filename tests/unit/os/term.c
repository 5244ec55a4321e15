/* SPDX-License-Identifier: ISC */
/*
 * The terminal of "status --watch".
 *
 * If it fails: a terminal is left without echo or cursor, a key waits for
 * Enter, or the table does not fit the window.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "apart.h"
#include "os/signals.h"
#include "os/term.h"
#include "tap.h"

static int master;

/* What the screen was sent since. */
static const char *
shown(void)
{
	static char text[200];
	struct pollfd p = { .fd = master, .events = POLLIN };
	ssize_t n;

	n = poll(&p, 1, 20000) == 1 ? read(master, text, sizeof(text) - 1) : 0;
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Standard input and output become a terminal of ours. */
static int
open_terminal(void)
{
	int slave;

	if ((master = posix_openpt(O_RDWR | O_NOCTTY)) == -1 ||
	    grantpt(master) == -1 || unlockpt(master) == -1 ||
	    (slave = open(ptsname(master), O_RDWR | O_NOCTTY)) == -1)
		return -1;
	dup2(slave, STDIN_FILENO);
	dup2(slave, STDOUT_FILENO);
	return 0;
}

static int
is_same(const struct termios *a, const struct termios *b)
{
	return a->c_lflag == b->c_lflag && a->c_iflag == b->c_iflag &&
	    a->c_oflag == b->c_oflag && a->c_cc[VMIN] == b->c_cc[VMIN] &&
	    a->c_cc[VTIME] == b->c_cc[VTIME];
}

static int
keys(void)
{
	struct termios before, now;
	struct sigaction sa;
	char key[8];

	if (open_terminal() == -1)
		return 1;
	tcgetattr(0, &before);
	before.c_cc[VMIN] = 3;
	before.c_cc[VTIME] = 5;
	tcsetattr(0, TCSANOW, &before);
	if (!term_is() || term_begin() != 0)
		return 2;
	if (strcmp(shown(), "\033[?1049h\033[?25l") != 0)
		return 3;
	tcgetattr(0, &now);
	if ((now.c_lflag & (ICANON | ECHO)) != 0 || (now.c_lflag & ISIG) == 0)
		return 4;
	if (read(0, key, sizeof(key)) != 0 || write(master, "ab", 2) != 2 ||
	    read(0, key, sizeof(key)) != 2)		/* no wait, no Enter */
		return 5;
	sigaction(SIGWINCH, NULL, &sa);
	if (sa.sa_handler == SIG_DFL)
		return 6;
	raise(SIGWINCH);
	term_end();
	if (strcmp(shown(), "\033[?25h\033[?1049l") != 0)
		return 7;
	tcgetattr(0, &now);
	sigaction(SIGWINCH, NULL, &sa);
	return is_same(&before, &now) && sa.sa_handler == SIG_DFL ? 0 : 8;
}

/* Control-S: the end does not wait for Control-Q. */
static int
stopped(void)
{
	struct termios before, now;

	if (open_terminal() == -1)
		return 1;
	tcgetattr(0, &before);
	if (term_begin() == -1)
		return 2;
	tcflow(1, TCOOFF);
	alarm(scaled(10));
	term_end();
	tcgetattr(0, &now);
	return is_same(&before, &now) ? 0 : 3;
}

static int
sizes(void)
{
	struct winsize w = { .ws_col = 100, .ws_row = 30 };
	unsigned int columns, lines;

	if (open_terminal() == -1)
		return 1;
	ioctl(master, TIOCSWINSZ, &w);
	term_size(&columns, &lines);
	if (columns != 100 || lines != 30)
		return 2;
	w.ws_col = 0;
	ioctl(master, TIOCSWINSZ, &w);
	term_size(&columns, &lines);
	if (columns != 80 || lines != 24)
		return 3;
	w.ws_col = 100;
	w.ws_row = 0;
	ioctl(master, TIOCSWINSZ, &w);
	term_size(&columns, &lines);
	return columns == 80 && lines == 24 ? 0 : 4;
}

static int
none(void)
{
	int p[2];
	unsigned int columns, lines;

	if (pipe(p) == -1 || open_terminal() == -1)
		return 1;
	dup2(p[1], STDOUT_FILENO);
	if (term_is())
		return 2;
	term_size(&columns, &lines);
	if (columns != 80 || lines != 24)
		return 3;
	dup2(p[0], STDIN_FILENO);
	return term_begin() == -1 && !term_is() ? 0 : 4;
}

int
main(void)
{
	is(run(keys), 0, "keys are read at once, and all is undone");
	is(run(stopped), 0, "a terminal that is stopped does not stop the end");
	is(run(sizes), 0, "its size");
	is(run(none), 0, "where there is none");
	return done_testing();
}
