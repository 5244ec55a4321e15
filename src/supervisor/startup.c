/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/listen_fds.h"
#include "net/socket.h"
#include "os/fd.h"
#include "os/huge_text.h"
#include "os/notify.h"
#include "proto/agent_name.h"
#include "sandbox/enter.h"
#include "sandbox/privileges.h"
#include "stats/page.h"
#include "supervisor/startup.h"

static void
open_log(const struct options *o, enum log_level level, int no_stderr)
{
	static const enum log_level levels[] = { LOG_L_INFO, LOG_L_ERROR,
	    LOG_L_WARN, LOG_L_INFO, LOG_L_DEBUG };

	if (o->log.level != LOG_CHOICE_AUTO)
		level = levels[o->log.level];
	else if (o->log.quiet)
		level = LOG_L_ERROR;
	else if (o->log.verbose > 0)
		level = LOG_L_DEBUG;
	log_style((enum log_format)o->log.format, o->log.syslog);
	log_open(o->log.syslog != 0 || no_stderr ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	    level, "inetws");
}

void
startup_log(const struct options *o)
{
	open_log(o, LOG_L_INFO, log_is_elsewhere());
}

/* --stats-file, which an earlier instance has given to its --run-as. */
static int
open_stats(const struct options *o, struct error *why)
{
	struct privileges user = { .uid = geteuid() };

	if (o->service.run_as != NULL &&
	    privileges_find(&user, o->service.run_as, why) == -1)
		return -1;
	return stats_share(o->observe.stats_file, o->limits.connections,
	    user.uid, why);
}

/* A process on its own is one connection. */
static int
share_stats(const struct inherited *a, const struct options *o,
    struct error *why)
{
	if (open_stats(o, why) == -1)
		return -1;
	if (a->nlisteners == 0)
		stats_take(STATS_SLOT_NONE, STATE_HANDSHAKE);
	return 0;
}

/*
 * A usage error is for the person who started the program, and reads like
 * those of the command line.  Descriptor 2 is never a peer's connection
 * (inherit_stderr()).
 */
int
startup_failed(const struct options *o, const struct error *reason)
{
	struct error placed = *reason;
	const struct error *why = &placed;
	int usage, person;

	options_blame(o, &placed);
	usage = why->status == EXIT_BADUSAGE || why->status == EXIT_BADCONFIG;
	if (o->log.no_stderr && !log_is_elsewhere())
		open_log(o, LOG_L_ERROR, 1);
	person = usage || (o->mode == MODE_CONNECT && log_is_for_person());
	if (person)
		fprintf(stderr, "inetws: %s\n", why->text);
	if (!person || log_is_elsewhere())
		log_event(LOG_L_ERROR, "start", "why", why->text, NULL);
	return why->status;
}

int
startup_failed_inside(const struct options *o, const struct error *why)
{
	struct error inside = *why;

	if (o->service.chroot != NULL)
		error_set(&inside, why->status, "%s (in --chroot %s)",
		    why->text, o->service.chroot);
	return startup_failed(o, &inside);
}

/*
 * Listeners are the supervisor's: with high numbers they leave the low ones to
 * what is opened next, which its children keep (log, TLS tickets, statistics).
 */
static void
keep_from_children(int *fd)
{
	int kept = fd_keep(*fd);

	if (kept != -1)
		*fd = kept;
}

static void
reset_connection(int fd)
{
	if (net_is_listener(fd) == 0)
		net_linger_reset(fd);
}

static void
reset_word(const struct addr *word)
{
	if (word->kind == ADDR_FD)
		reset_connection(word->number);
	else if (word->kind == ADDR_STDIO)
		reset_connection(STDOUT_FILENO);
}

/* A command line that is wrong may have words all the same. */
static void
reset_words(char **argv)
{
	const char *word;
	struct addr a;
	char err[ERROR_LINE_MAX];

	for (; argv != NULL && *argv != NULL; argv++) {
		word = strcmp(*argv, "-") == 0 ? *argv : strstr(*argv, "fd:");
		if (word != NULL && addr_listen(&a, word, err, sizeof(err)) == 0)
			reset_word(&a);
	}
}

void
startup_reset(const struct options *o)
{
	int i, n = listen_fds_count();

	reset_connection(STDIN_FILENO);
	if (o->mode == MODE_CONNECT)
		reset_connection(STDOUT_FILENO);
	for (i = 0; i < n; i++)
		reset_connection(LISTEN_FDS_FIRST + i);
	for (i = 0; i < (int)o->nlisten; i++)
		reset_word(&o->listen[i]);
	reset_words(o->argv);
}

/* What a listener is set to, its connections have, too (net_accept()). */
static void
prepare(struct inherited *a, int streams)
{
	unsigned int i, k;

	for (i = 0; i < a->nlisteners; i++) {
		keep_from_children(&a->listener[i]);
		if (streams)
			net_linger_reset(a->listener[i]);
		net_tune(a->listener[i]);	/* last: see net_accept() */
	}
	for (i = 0; i < INHERIT_EXTRA; i++)
		for (k = 0; k < a->extra[i].n; k++)
			keep_from_children(&a->extra[i].fd[k]);
	for (i = 0; i < 2 && a->rfd != -1; i++) {
		if (streams)
			net_linger_reset(i == 0 ? a->rfd : a->wfd);
		net_tune(i == 0 ? a->rfd : a->wfd);
	}
}

static const struct addr *const *
extra_listeners(const struct options *o,
    const struct addr *extra[INHERIT_EXTRA])
{
	extra[LISTENER_VISITORS] = o->reverse.visitors;
	extra[LISTENER_METRICS] = o->observe.metrics;
	return extra;
}

int
startup_listener(const struct inherited *a, enum startup_listener which,
    const struct addr *word, int backlog, int fds[2], struct net_file *file,
    struct error *why)
{
	int n;

	memset(file, 0, sizeof(*file));
	if (word->kind == ADDR_TCP || word->kind == ADDR_UNIX) {
		if ((n = net_listen(word, backlog, fds, why)) > 0)
			*file = net_file_of(fds[0]);
		return n;
	}
	memcpy(fds, a->extra[which].fd, sizeof(a->extra[which].fd));
	return (int)a->extra[which].n;
}

/* One that comes later, as that of a VPN, may be meant. */
void
startup_interface(const struct options *o)
{
	if (o->dial.interface != NULL && o->mode != MODE_CONNECT &&
	    net_source_check(o->dial.interface) == -1)
		log_event(LOG_L_WARN, "no-interface", "interface",
		    o->dial.interface, "error", strerror(errno), "hint",
		    "nothing can be dialled until it is there", NULL);
}

int
startup(struct inherited *a, const struct options *o, const struct addr *words,
    unsigned int n, enum log_level level)
{
	int streams = o->mode == MODE_CLIENT || o->mode == MODE_CONNECT;
	const struct addr *extra[INHERIT_EXTRA];
	struct error why;
	int failed;

	if (streams)
		startup_reset(o);
	failed = inherit(a, words, n, extra_listeners(o, extra), &why) == -1;
	if (!failed) {
		inherit_close_others(a);
		prepare(a, streams);
		if (a->nlisteners == 0)
			notify_forget();
	}
	open_log(o, level, o->log.no_stderr || a->no_stderr);
	if (a->nlisteners > 0)
		log_share();
	if (!failed && o->observe.stats_file != NULL)
		failed = share_stats(a, o, &why) == -1;
	if (!failed)
		startup_interface(o);
	return failed ? startup_failed(o, &why) : GO_ON;
}

int
startup_no_listener(struct inherited *a, const struct options *o,
    enum log_level level)
{
	const struct addr *extra[INHERIT_EXTRA];
	struct error why;
	int failed;

	if (o->log.no_stderr) {
		error_set(&why, EXIT_BADUSAGE, "%s does not work under inetd: "
		    "it runs by itself", mode_name(o->mode));
		return startup_failed(o, &why);
	}
	failed = inherit_extra(a, extra_listeners(o, extra), &why) == -1;
	if (!failed)
		inherit_close_others(a);
	open_log(o, level, 0);
	log_share();
	if (failed)
		return startup_failed(o, &why);
	if (o->observe.stats_file != NULL && open_stats(o, &why) == -1)
		return startup_failed(o, &why);
	startup_interface(o);
	return GO_ON;
}

/* What a gate that was killed has left behind.  0, or -1 with errno. */
static int
remove_stale(const char *dir)
{
	const size_t end = strlen(AGENT_NAME_SUFFIX);
	struct slice name;
	struct dirent *e;
	char path[sizeof(((struct addr *)0)->path)];
	int failed;
	DIR *d;

	if ((d = opendir(dir)) == NULL)
		return 0;	/* it need not be readable */
	while (errno = 0, (e = readdir(d)) != NULL) {
		name = slice_of(e->d_name);
		if (name.len <= end || strcmp(e->d_name + name.len - end,
		    AGENT_NAME_SUFFIX) != 0)
			continue;
		e->d_name[name.len -= end] = '\0';
		if (agent_name_is_valid(name) &&
		    agent_name_path(path, sizeof(path), dir, e->d_name) == 0 &&
		    net_is_stale(path))
			unlink(path);
	}
	failed = errno;
	closedir(d);
	errno = failed;
	return failed == 0 ? 0 : -1;
}

int
startup_visitors_dir(const char *dir, struct error *why)
{
	struct stat st;

	if (dir == NULL)
		return 0;
	if (stat(dir, &st) == -1 ||
	    (!S_ISDIR(st.st_mode) && (errno = ENOTDIR)) ||
	    access(dir, W_OK | X_OK) == -1 || remove_stale(dir) == -1)
		return error_set(why, EXIT_SYSTEM, "--visitors-dir %s: %s",
		    dir, strerror(errno));
	return 0;
}

void
startup_huge_text(const struct options *o)
{
	struct error why;
	long n;

	if (o->service.huge_text == HUGE_TEXT_OFF)
		stats_set_huge_text(0, "off");
	else if ((n = huge_text(&why)) == -1)
		stats_set_huge_text(0, why.text);
	else
		stats_set_huge_text((uint64_t)n, "");
}

int
startup_try_sandbox(const struct options *o)
{
	char missing[ENTER_MISSING_MAX];
	int status = enter_try(o);

	stats_set_sandbox(enter_missing(o, missing, sizeof(missing)));
	return status;
}
