/* SPDX-License-Identifier: ISC */
#include <sys/ioctl.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "os/signals.h"
#include "os/term.h"

#define ENTER	"\033[?1049h\033[?25l"	/* alternate screen, no cursor */
#define LEAVE	"\033[?25h\033[?1049l"

static struct termios before;

/* Does nothing: the signal interrupts signals_poll(). */
static void
resized(int signo)
{
}

static void
on_resize(void (*handler)(int))
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGWINCH, &sa, NULL);
}

int
term_is(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* Control-C still sends INT, as ISIG stays set. */
int
term_begin(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) == -1)
		return -1;
	raw = before;
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == -1)
		return -1;
	on_resize(resized);
	if (signals_write(STDOUT_FILENO, ENTER, strlen(ENTER)) == 0)
		return 0;
	term_end();
	return -1;
}

/* Writes nothing if the terminal does not take it (Control-S). */
void
term_end(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t ignored;

	if (poll(&p, 1, 0) == 1) {
		ignored = write(STDOUT_FILENO, LEAVE, strlen(LEAVE));
		(void)ignored;
	}
	on_resize(SIG_DFL);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void
term_size(unsigned int *columns, unsigned int *lines)
{
	struct winsize w;

	*columns = 80;
	*lines = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == -1 || w.ws_col == 0 ||
	    w.ws_row == 0)
		return;
	*columns = w.ws_col;
	*lines = w.ws_row;
}
