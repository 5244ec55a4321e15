/* SPDX-License-Identifier: ISC */
/*
 * supervisor_run() in a process of its own with a service that does what one byte
 * says.  Nothing is waited for by time alone: answers, log lines and ends of
 * file tell; a stuck test is ended by the alarm.
 *
 * If it fails: an instance stops serving, or a child takes it along.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "net/fdpass.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/signals.h"
#include "os/title.h"
#include "stats/page.h"
#include "supervisor/supervisor.h"
#include "tap.h"

#define NO	"HTTP/1.1 503 no\r\n\r\n"

/* A supervisor under test. */
struct sup {
	pid_t pid;
	int err;			/* its descriptor 2 */
	char name[NET_NAME_MAX];	/* what it listens on */
	char rest[8192];		/* read of err but not yet looked at */
	size_t len;
};

/* What a test wants to be different. */
struct want {
	unsigned int max;
	int64_t drain;
	const char *path;		/* a Unix socket instead of TCP */
	uint16_t port;
	int resets;			/* no answer at the limit */
	int looks;			/* at those beyond it */
	void (*prepare)(void);		/* in the new process */
};

/* --- the service --- */

static int
descriptors(const char *pid)
{
	char path[64];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	if ((d = opendir(path)) == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
answer(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) == -1)
		_exit(99);
}

static int
byte(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;
	char c;

	for (;;) {
		if ((n = read(fd, &c, 1)) == 1)
			return c;
		if (n == 0 || errno != EAGAIN || signals_poll(&p, 1, 20000) == 0)
			return -1;
		if (signal_terminated())
			return 'T';
	}
}

/* So many failures of one kind, which began so long ago. */
static void
fail_often(int64_t ago)
{
	static const struct stats_repeat kind = { "192.0.2.1", "the \x1b reason" };
	int i;

	for (i = 0; i < STATS_REPEATS_LOGGED + 3; i++)
		stats_repeats_add(77, &kind, clock_ms() - ago);
}

static int
serve(void *arg, int fd, const char *peer)
{
	char text[200];
	int c;

	for (;;) {
		switch (c = byte(fd)) {
		case -1:
			return 0;
		case 'T':		/* told to end */
			answer(fd, "T");
			return 0;
		case 'd':		/* 0 1 2, the log, fd, and the listing */
			snprintf(text, sizeof(text), "%d",
			    descriptors("self") - 6);
			answer(fd, text);
			break;
		case 'f':		/* the minute is over soon */
			fail_often(STATS_REPEATS_MS - 200);
			answer(fd, "f");
			break;
		case 'F':		/* it is not */
			fail_often(0);
			answer(fd, "F");
			break;
		case 'h':
			raise(SIGINT);
			raise(SIGHUP);
			raise(SIGUSR1);
			answer(fd, "h");
			break;
		case 'i':
			snprintf(text, sizeof(text), "%d", (int)getpid());
			answer(fd, text);
			break;
		case 'k':
			raise(SIGKILL);
			break;
		case 'n':
			answer(fd, getenv("NOTIFY_SOCKET") == NULL ? "no" :
			    "yes");
			break;
		case 'p':
			answer(fd, peer);
			break;
		case 's':		/* stuck, write_closed to TERM */
			answer(fd, "s");
			for (;;)
				poll(NULL, 0, 20000);
		case 't':
			title_tunnel("server", peer, "target", "testing");
			answer(fd, "t");
			break;
		default:		/* echoes and ends */
			text[0] = (char)c;
			text[1] = '\0';
			answer(fd, text);
			return 0;
		}
	}
}

/* A child with a channel: "r" sends much that it has no reason for, "1" only
 * the letter behind it. */
static int
park(void *arg, int fd, const char *peer, int channel)
{
	int i, c = byte(fd);

	if (c == '1') {
		fdpass_send(channel, (char)byte(fd), "1", -1);
		return byte(fd) == 'T' ? 0 : 1;
	}
	if (c != 'r')
		return 1;
	for (i = 0; i < 100; i++)
		fdpass_send(channel, "TBpN!"[i % 5], "a b c", -1);
	return byte(fd) == 'T' ? 0 : 1;
}

/* Beyond the limit: only those who say "e" are let in. */
static int
serve_extra(void *arg, int fd, const char *peer, int channel)
{
	int c = byte(fd);

	answer(fd, c == 'e' ? "in" : "full");
	return 0;
}

static void
refuse(int fd)
{
	answer(fd, NO);
}

static void
reload(void *arg)
{
	log_event(LOG_L_INFO, "reloaded", "arg", (const char *)arg, NULL);
}

/* --- the supervisor's process --- */

static struct service service = { .serve = serve, .reload = reload };

static _Noreturn void
be_supervisor(const struct want *w, int err)
{
	static struct options o;
	char word[200], why_text[200];
	static char arg[] = "given";
	static struct inherited given;
	struct error why;
	int fds[2], n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(err, STDERR_FILENO);
	closefrom(3);
	log_open(LOG_TO_STDERR, LOG_L_INFO, "inetws");
	o.mode = MODE_SERVER;
	o.nlisten = 1;
	o.limits.connections = w->max;
	o.timeouts.drain = w->drain;
	addr_target(&o.target, "127.0.0.1:22", why_text, sizeof(why_text));
	if (w->path != NULL)
		snprintf(word, sizeof(word), "unix:%s", w->path);
	else
		snprintf(word, sizeof(word), "127.0.0.1:%u", w->port);
	if (addr_listen(&o.listen[0], word, why_text, sizeof(why_text)) == -1)
		_exit(98);
	if ((n = net_listen(&o.listen[0], 128, fds, &why)) == -1) {
		dprintf(STDERR_FILENO, "%s\n", why.text);
		_exit(97);
	}
	given.file[0] = net_file_of(fds[0]);
	service.given = &given;
	service.arg = arg;
	service.refuse = w->resets ? NULL : refuse;
	service.serve_extra = w->looks ? serve_extra : NULL;
	if (w->prepare != NULL)
		w->prepare();
	_exit(supervisor_run(&o, fds, (unsigned int)n, &service));
}

/*
 * The next line on its standard error that holds the text, or NULL at end of
 * file.  Lines before it are dropped.
 */
static const char *
line_with(struct sup *s, const char *text)
{
	static char line[2200];
	char *end;
	ssize_t n;

	for (;;) {
		if ((end = memchr(s->rest, '\n', s->len)) != NULL) {
			*end++ = '\0';
			strlcpy(line, s->rest, sizeof(line));
			s->len -= (size_t)(end - s->rest);
			memmove(s->rest, end, s->len);
			if (strstr(line, text) != NULL)
				return line;
			continue;
		}
		n = read(s->err, s->rest + s->len, sizeof(s->rest) - s->len);
		if (n <= 0)
			return NULL;
		s->len += (size_t)n;
	}
}

static struct sup *
start(const struct want *w)
{
	struct sup *s = calloc(1, sizeof(*s));
	const char *line;
	int p[2];

	fflush(stdout);
	if (s == NULL || pipe(p) == -1)
		exit(1);
	if ((s->pid = fork()) == 0)
		be_supervisor(w, p[1]);
	close(p[1]);
	s->err = p[0];
	line = line_with(s, "listening on ");
	if (line == NULL || strncmp(line, "listening on ", 13) != 0)
		printf("Bail out! it does not listen\n");
	else
		strlcpy(s->name, line + 13, sizeof(s->name));
	return s;
}

static uint16_t
port_of(const struct sup *s)
{
	return (uint16_t)strtonum(strrchr(s->name, ':') + 1, 1, 65535, NULL);
}

/* Its exit status, or 1000 and the signal. */
static int
ended(struct sup *s)
{
	int status;

	waitpid(s->pid, &status, 0);
	close(s->err);
	free(s);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    1000 + WTERMSIG(status);
}

static int
end(struct sup *s)
{
	kill(s->pid, SIGQUIT);
	return ended(s);
}

/* --- a client --- */

static int
dial(const struct sup *s)
{
	struct sockaddr_storage ss;
	struct sockaddr_un *sun = (void *)&ss;
	struct sockaddr_in *sin = (void *)&ss;
	socklen_t len;
	int fd;

	memset(&ss, 0, sizeof(ss));
	if (strncmp(s->name, "unix:", 5) == 0) {
		sun->sun_family = AF_UNIX;
		strlcpy(sun->sun_path, s->name + 5, sizeof(sun->sun_path));
		len = sizeof(*sun);
	} else {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port_of(s));
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		len = sizeof(*sin);
	}
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&ss, len) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends a command and returns the answer; "" at end of file. */
static const char *
ask(int fd, const char *what)
{
	static char buf[300];
	ssize_t n;

	if (send(fd, what, strlen(what), MSG_NOSIGNAL) == -1 ||
	    (n = recv(fd, buf, sizeof(buf) - 1, 0)) == -1)
		return strerror(errno);
	buf[n] = '\0';
	return buf;
}

/* Asks for statistics until the line ends so; what does not come, hangs. */
static void
until(struct sup *s, const char *text)
{
	const char *line;

	do {
		kill(s->pid, SIGUSR1);
		line = line_with(s, "statistics");
	} while (line != NULL && strstr(line, text) == NULL);
}

/* --- the tests --- */

static const struct want usual = { .max = 100 };

static void
test_serves(void)
{
	char text[NET_NAME_MAX], pid[20];
	struct sup *s = start(&usual);
	int fd, i, before;

	ok(strncmp(s->name, "127.0.0.1:", 10) == 0 && port_of(s) > 0,
	    "it says where it listens");
	fd = dial(s);
	is_str(ask(fd, "p"), net_local_name(fd, text, sizeof(text)),
	    "the child knows its peer");
	is_str(ask(fd, "d"), "0", "the child has no other descriptors");
	is_str(ask(fd, "h"), "h", "INT HUP USR1 do not end a child");
	until(s, "active=1 ");
	is_str(ask(fd, "e"), "e", "a byte comes back");
	is_str(ask(fd, ""), "", "and then the end");
	close(fd);
	until(s, "active=0 total=1 ");

	snprintf(pid, sizeof(pid), "%d", (int)s->pid);
	before = descriptors(pid);
	for (i = 0; i < 300; i++) {
		if ((fd = dial(s)) == -1 || strcmp(ask(fd, "e"), "e") != 0)
			break;
		close(fd);
	}
	is(i, 300, "three hundred connections");
	until(s, "active=0 total=301 ");
	is(descriptors(pid), before, "no descriptor is left");
	is(kill(s->pid, 0), 0, "and the supervisor is well");
	kill(s->pid, SIGTERM);
	is(ended(s), 0, "TERM ends it");
}

/* No child that is dead; those that are forked ahead live. */
static int
is_zombie(int pid)
{
	char path[80], state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state == 'Z';
}

/* How many of its children are; -1: there is no /proc. */
static int
zombies(pid_t pid)
{
	char path[80];
	int child, n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
	    (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while (fscanf(f, "%d", &child) == 1)
		n += is_zombie(child);
	fclose(f);
	return n;
}

static void
test_no_zombies(void)
{
	struct sup *s = start(&usual);
	int i, n, fds[40];

	for (i = 0; i < 40; i++)
		fds[i] = dial(s);
	until(s, "active=40 ");
	for (i = 0; i < 40; i++)
		close(fds[i]);
	until(s, "active=0 total=40 ");
	/* The one that logged the statistics may end a moment later. */
	while ((n = zombies(s->pid)) > 0)
		poll(NULL, 0, 10);
	ok(1, "no zombies%s", n == -1 ? " # SKIP no /proc" : "");
	is(end(s), 0, "QUIT ends it");
}

static void
test_killed(void)
{
	struct sup *s = start(&usual);
	int fd = dial(s);

	is_str(ask(fd, "k"), "", "a child that is killed");
	close(fd);
	ok(strstr(line_with(s, "child-killed"), "signal=9") != NULL,
	    "is mentioned");
	fd = dial(s);
	is_str(ask(fd, "e"), "e", "and the next one is served");
	close(fd);
	is(end(s), 0, "QUIT ends it");
}

static void
parks(void)
{
	service.park = park;
	service.parks = 1;
}

static void
test_misbehaved(void)
{
	static const char letters[] = "TBpNRE!";
	struct want w = { .max = 10, .prepare = parks };
	struct sup *s = start(&w);
	int fd = dial(s), other = dial(s), last, i;
	const char *line;

	until(s, "active=2 ");
	is_str(ask(fd, "r"), "", "a child that sends rubbish is ended");
	ok(line_with(s, "child-misbehaved") != NULL, "and mentioned");
	until(s, "active=1 ");
	last = dial(s);
	until(s, "active=2 total=3");
	close(fd);
	close(other);
	close(last);
	until(s, "active=0 total=3");
	/* each message of a child that has neither parked nor got a visitor */
	for (i = 0; letters[i] != '\0'; i++) {
		char say[3] = { '1', letters[i], '\0' }, want[32];

		fd = dial(s);
		is_str(ask(fd, say), "", "so is one that says a thing too early");
		snprintf(want, sizeof(want), " message=%d", letters[i]);
		line = line_with(s, "child-misbehaved");
		ok(line != NULL && strstr(line, want) != NULL, "%c is mentioned",
		    letters[i]);
		close(fd);
	}
	is(end(s), 0, "the supervisor goes on");
}

static void
test_spare(void)
{
	struct want w = { .max = 2, .looks = 1 };
	struct sup *s = start(&w);
	int a = dial(s), b = dial(s), c, spare[SUPERVISOR_EXTRA], i;

	until(s, "active=2 ");
	c = dial(s);
	is_str(ask(c, "x"), "full", "beyond the limit it is looked at");
	close(c);
	until(s, "active=2 ");
	for (i = 0; i < SUPERVISOR_EXTRA; i++)
		spare[i] = dial(s);
	until(s, "active=18 ");
	c = dial(s);
	is_str(ask(c, "e"), NO, "as long as there are not too many");
	close(c);
	for (i = 0; i < SUPERVISOR_EXTRA; i++) {
		if (strcmp(ask(spare[i], "e"), "in") != 0)
			break;
		close(spare[i]);
	}
	is(i, SUPERVISOR_EXTRA, "and may be let in");
	until(s, "active=2 ");
	close(a);
	close(b);
	until(s, "active=0 ");
	is(end(s), 0, "QUIT ends it");
}

static void
test_limit(void)
{
	struct want w = { .max = 2 };
	struct sup *s = start(&w);
	int a = dial(s), b = dial(s), c, i;

	until(s, "active=2 ");
	c = dial(s);
	is_str(ask(c, "many bytes that nobody reads"), NO, "one too many");
	is_str(ask(c, ""), "", "a clean end behind the answer");
	close(c);
	ok(strstr(line_with(s, "at-limit"), "max-connections=2") != NULL,
	    "is mentioned");
	for (i = 0; i < 50; i++) {
		c = dial(s);
		if (strcmp(ask(c, ""), NO) != 0)
			break;
		close(c);
	}
	is(i, 50, "fifty too many");
	until(s, "active=2 total=2 refused=51");
	is_str(ask(a, "e"), "e", "the others do not mind");
	is_str(ask(a, ""), "", "one ends");
	close(a);
	until(s, "active=1 ");
	a = dial(s);
	is_str(ask(a, "e"), "e", "another may come");
	close(a);
	close(b);
	is(end(s), 0, "QUIT ends it");

	w.resets = 1;
	w.max = 1;
	s = start(&w);
	a = dial(s);
	until(s, "active=1 ");
	c = dial(s);
	i = (int)recv(c, &i, 1, 0);
	ok(i == -1 && errno == ECONNRESET, "without an answer: reset");
	close(a);
	close(c);
	end(s);
}

static void
test_drain(void)
{
	struct want w = { .max = 10, .drain = 20000 };
	struct sup *s = start(&w);
	int fd = dial(s);

	is_str(ask(fd, "h"), "h", "drain: a tunnel");
	kill(s->pid, SIGTERM);
	line_with(s, "stopping");
	ok(dial(s) == -1 && errno == ECONNREFUSED, "nobody is let in");
	is_str(ask(fd, "h"), "h", "it lives on");
	is_str(ask(fd, "e"), "e", "and ends by itself");
	close(fd);
	is(ended(s), 0, "then the supervisor ends");

	w.drain = 100;
	s = start(&w);
	fd = dial(s);
	is_str(ask(fd, "h"), "h", "drain 100ms: a tunnel");
	kill(s->pid, SIGINT);
	is_str(ask(fd, ""), "T", "is told to end");
	close(fd);
	is(ended(s), 0, "then the supervisor ends");

	w.drain = 20000;
	s = start(&w);
	fd = dial(s);
	is_str(ask(fd, "h"), "h", "TERM twice: a tunnel");
	kill(s->pid, SIGTERM);
	line_with(s, "stopping");
	kill(s->pid, SIGTERM);
	is_str(ask(fd, ""), "T", "is told to end at once");
	close(fd);
	is(ended(s), 0, "then the supervisor ends");
}

static void
test_stuck(void)
{
	struct want w = { .max = 10, .drain = 0 };
	struct sup *s = start(&w);
	int64_t began;
	int fd = dial(s);

	is_str(ask(fd, "s"), "s", "a stuck child");
	began = clock_ms();
	kill(s->pid, SIGTERM);
	is_str(ask(fd, ""), "", "is killed in the end");
	ok(clock_ms() - began >= 2900, "but not before its time");
	close(fd);
	is(ended(s), 0, "then the supervisor ends");

	w.drain = 20000;
	s = start(&w);
	fd = dial(s);
	is_str(ask(fd, "s"), "s", "a stuck child");
	kill(s->pid, SIGQUIT);
	is_str(ask(fd, ""), "", "QUIT kills it");
	close(fd);
	is(ended(s), 0, "then the supervisor ends");
}

/* A successor on the same port while the old tunnel lives. */
static void
test_leave(void)
{
	struct want w = { .max = 10, .drain = -1 };
	struct sup *s = start(&w), *next;
	int fd = dial(s), other;

	is_str(ask(fd, "h"), "h", "leave: a tunnel");
	w.port = port_of(s);
	kill(s->pid, SIGTERM);
	is(ended(s), 0, "the supervisor ends at once");
	is_str(ask(fd, "h"), "h", "the tunnel does not");
	next = start(&w);
	is(port_of(next), w.port, "a successor on the same port");
	other = dial(next);
	is_str(ask(other, "e"), "e", "serves");
	is_str(ask(fd, "e"), "e", "while the old tunnel lives");
	close(fd);
	close(other);
	end(next);
}

static void
test_reload(void)
{
	struct sup *s = start(&usual);
	const char *line;
	int fd;

	kill(s->pid, SIGHUP);
	line = line_with(s, "reloaded");
	ok(line != NULL && strstr(line, "arg=given") != NULL, "HUP reloads");
	fd = dial(s);
	is_str(ask(fd, "e"), "e", "and goes on");
	close(fd);
	end(s);
}

static void
test_unix(void)
{
	char dir[] = "/tmp/inetws-supervise-XXXXXX", path[80], want[100];
	struct want w = { .max = 10, .path = path, .drain = -1 };
	struct stat st;
	struct sup *s;
	int fd;

	if (mkdtemp(dir) == NULL)
		return;
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(want, sizeof(want), "unix:%s", path);
	s = start(&w);
	is_str(s->name, want, "it listens on a path");
	fd = dial(s);
	is_str(ask(fd, "e"), "e", "and serves");
	close(fd);
	kill(s->pid, SIGTERM);
	is(ended(s), 0, "leave");
	is(stat(path, &st), 0, "leaves the path");
	w.drain = 20000;
	s = start(&w);
	fd = dial(s);
	is_str(ask(fd, "h"), "h", "a successor takes it over");
	kill(s->pid, SIGTERM);
	line_with(s, "stopping");
	ok(stat(path, &st) == -1 && errno == ENOENT,
	    "the path is removed when nobody listens any more");
	close(fd);
	is(ended(s), 0, "then the supervisor ends");
	rmdir(dir);
}

static char notify_path[80];

static void
with_notify(void)
{
	setenv("NOTIFY_SOCKET", notify_path, 1);
}

static const char *
told(int fd)
{
	static char buf[200];
	ssize_t n;

	if ((n = recv(fd, buf, sizeof(buf) - 1, 0)) == -1)
		return strerror(errno);
	buf[n] = '\0';
	return buf;
}

static void
test_notify(void)
{
	struct want w = { .max = 10, .drain = 100, .prepare = with_notify };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sup *s;
	int m, fd;

	snprintf(notify_path, sizeof(notify_path), "@inetws-supervise-%d",
	    (int)getpid());
	m = socket(AF_UNIX, SOCK_DGRAM, 0);
	memcpy(sun.sun_path + 1, notify_path + 1, strlen(notify_path) - 1);
	bind(m, (struct sockaddr *)&sun,
	    offsetof(struct sockaddr_un, sun_path) + strlen(notify_path));
	s = start(&w);
	is_str(told(m), "READY=1", "ready");
	is_str(told(m), "STATUS=0 active, 0 total, 0 B", "status");
	fd = dial(s);
	is_str(ask(fd, "n"), "no", "a child does not speak for it");
	is_str(ask(fd, "d"), "0", "nor has its socket");
	is_str(told(m), "STATUS=1 active, 1 total, 0 B", "status again");
	kill(s->pid, SIGHUP);
	ok(strncmp(told(m), "RELOADING=1\nMONOTONIC_USEC=", 27) == 0,
	    "reloading");
	is_str(told(m), "READY=1", "ready again");
	kill(s->pid, SIGTERM);
	is_str(told(m), "STOPPING=1", "stopping");
	is_str(ask(fd, ""), "T", "its tunnel is told");
	close(fd);
	close(m);
	is(ended(s), 0, "then the supervisor ends");
}

/* What ps shows, once it is this; bounded by the alarm. */
static int
shows(const char *pid, const char *want)
{
	struct timespec moment = { .tv_nsec = 10000000 };
	char path[64], text[400] = "";
	int fd, tries;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	for (tries = 0; tries < 500; tries++) {
		if ((fd = open(path, O_RDONLY)) == -1)
			break;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		/* an emulator is seen instead of what it runs */
		if (strcmp(text, want) == 0 || strncmp(text, "qemu-", 5) == 0)
			return 1;
		nanosleep(&moment, NULL);
	}
	printf("# got '%s', want '%s'\n", text, want);
	return 0;
}

static void
test_title(void)
{
	struct sup *s = start(&usual);
	char pid[20], want[200], peer[NET_NAME_MAX];
	int fd = dial(s);

	net_local_name(fd, peer, sizeof(peer));
	is_str(ask(fd, "t"), "t", "a child with a title");
	snprintf(pid, sizeof(pid), "%d", (int)s->pid);
	snprintf(want, sizeof(want),
	    "inetws server: %s -> 127.0.0.1:22, 1 active", s->name);
	ok(shows(pid, want), "the supervisor's title");
	snprintf(pid, sizeof(pid), "%s", ask(fd, "i"));
	snprintf(want, sizeof(want), "inetws server: %s -> target, testing",
	    peer);
	ok(shows(pid, want), "the child's title");
	close(fd);
	snprintf(pid, sizeof(pid), "%d", (int)s->pid);
	snprintf(want, sizeof(want),
	    "inetws server: %s -> 127.0.0.1:22, 0 active", s->name);
	ok(shows(pid, want), "the count goes down again");
	end(s);
}

/*
 * The hook of the mode comes when the supervisor has raised its limit and has
 * all that it needs: the descriptor in reserve, and none for a connection.
 */
static int
use_up_descriptors(void *arg)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &r);
	while (dup(0) != -1)
		;
	return 0;
}

static void
no_descriptors(void)
{
	service.unprivileged = use_up_descriptors;
}

static void
test_no_descriptors(void)
{
	struct want w = { .max = 10, .prepare = no_descriptors };
	struct sup *s = start(&w);
	int fd = dial(s);
	struct rlimit r;
	struct rusage u;

	ok(strstr(line_with(s, "accept-paused"), "Too many open") != NULL,
	    "no descriptors: accepting pauses");
	prlimit(s->pid, RLIMIT_NOFILE, NULL, &r);
	r.rlim_cur = r.rlim_max;
	prlimit(s->pid, RLIMIT_NOFILE, &r, NULL);
	is_str(ask(fd, "e"), "e", "who waited is served when there are again");
	close(fd);
	end(s);

	s = start(&w);
	fd = dial(s);
	is_str(ask(fd, ""), NO, "or told when it lasts");
	close(fd);
	kill(s->pid, SIGTERM);
	is(ended(s), 0, "TERM ends it meanwhile");
	getrusage(RUSAGE_CHILDREN, &u);
	ok(u.ru_utime.tv_sec + u.ru_stime.tv_sec < 5, "no time is burnt");
}

/* Nothing comes any more that would say so. */
static void
test_repeated(void)
{
	struct want w = { .max = 10 };
	struct sup *s = start(&w);
	const char *line;
	int fd = dial(s);

	is_str(ask(fd, "f"), "f", "thirteen failures of one kind");
	close(fd);
	line = line_with(s, "failures-left-out");
	ok(line != NULL && strstr(line, "count=3 peer=192.0.2.1 "
	    "why=\"the \\x1b reason\"") != NULL,
	    "a minute after the first one the others are told");
	fd = dial(s);
	is_str(ask(fd, "F"), "F", "thirteen more");
	close(fd);
	kill(s->pid, SIGTERM);
	line = line_with(s, "failures-left-out");
	ok(line != NULL && strstr(line, "count=3 ") != NULL,
	    "are told when it ends");
	is(ended(s), 0, "which it does");
}

static void
no_processes(void)
{
	struct rlimit r = { .rlim_cur = 1, .rlim_max = 1 };

	if (geteuid() == 0 && setuid(65534) == -1)
		_exit(96);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_NPROC, &r);
}

static void
test_no_processes(void)
{
	struct want w = { .max = 10, .prepare = no_processes };
	struct sup *s = start(&w);
	const char *line;
	int fd = dial(s);

	is_str(ask(fd, ""), NO, "no processes: the connection is told");
	close(fd);
	line = line_with(s, "accept-paused");
	ok(line != NULL && strstr(line, "call=fork") != NULL, "mentioned");
	fd = dial(s);
	is_str(ask(fd, ""), NO, "and the next one too");
	close(fd);
	kill(s->pid, SIGTERM);
	is(ended(s), 0, "TERM ends it");
}

int
main(int argc, char **argv, char **envp)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_DFL);	/* which a shell may ignore for us */
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	title_init(argc, argv, envp);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("JOURNAL_STREAM");
	unsetenv("RUNTIME_DIRECTORY");
	setenv("XDG_RUNTIME_DIR", "/dev/null", 1); /* no page in a file */
	alarm(300);
	test_serves();
	test_no_zombies();
	test_killed();
	test_misbehaved();
	test_limit();
	test_spare();
	test_drain();
	test_stuck();
	test_leave();
	test_reload();
	test_unix();
	test_notify();
	test_title();
	test_no_descriptors();
	test_repeated();
	test_no_processes();
	return done_testing();
}
