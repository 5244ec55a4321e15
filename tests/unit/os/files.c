/* SPDX-License-Identifier: ISC */
/*
 * Small files: read, replaced, locked, and whether they have changed.
 *
 * If it fails: a certificate or a list of users that was replaced is not
 * noticed, a reader finds half of a file, or two services run as one.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "apart.h"
#include "os/pidfile.h"
#include "os/readfile.h"
#include "os/signals.h"
#include "os/writefile.h"
#include "tap.h"

static char dir[] = "/tmp/inetws-files.XXXXXX";

static const char *
at(const char *name)
{
	static char path[2][200];
	static int which;

	which = !which;
	snprintf(path[which], sizeof(path[which]), "%s/%s", dir, name);
	return path[which];
}

static void
test_read_and_write(void)
{
	char text[8];
	struct stat st;

	umask(077);
	is(writefile(at("a"), "1234567", 7), 0, "written");
	ok(stat(at("a"), &st) == 0 && (st.st_mode & 07777) == 0644,
	    "for all to read, whatever the umask");
	is(readfile(at("a"), text, 8), 7, "read, where it just fits");
	is_str(text, "1234567", "what was written");
	is(readfile(at("a"), text, 7), -1, "not where the NUL does not");
	is(errno, EFBIG, "which is told");
	is(writefile(at("a"), "", 0), 0, "replaced by nothing");
	is(readfile(at("a"), text, 8), 0, "read");
	is_str(text, "", "an empty text");
	is(readfile(at("none"), text, 8), -1, "what is not there");
	is(errno, ENOENT, "is told");
	is(readfile(dir, text, 8), -1, "a directory");
	is(errno, EISDIR, "is told");
	is(writefile(at("none/a"), "x", 1), -1, "no directory to write to");
	is(errno, ENOENT, "is told");
	is(writefile(dir, "x", 1), -1, "a directory is not replaced");
	is(errno, EISDIR, "is told");
	is(symlink(at("a"), at("link")), 0, "(a link)");
	is(writefile(at("link"), "x", 1), -1, "nor is what is no file");
	is(errno, EINVAL, "is told");
	ok(lstat(at("link"), &st) == 0 && S_ISLNK(st.st_mode), "it stays");
	unlink(at("link"));
	is(rmdir(dir) == -1 && errno == ENOTEMPTY, 1, "(files)");
	unlink(at("a"));
	is(rmdir(dir), 0, "nothing else was left there");
	mkdir(dir, 0755);
}

/* Once TERM is a flag, a FIFO that nothing writes to is not waited for. */
static int
read_fifo(void)
{
	char text[8];

	signals_single();
	alarm(10);
	return readfile(at("fifo"), text, 8) == -1 && errno == ESPIPE &&
	    readfile_may(at("fifo")) == -1 && errno == ESPIPE &&
	    readfile("/dev/zero", text, 8) == -1 && errno == ESPIPE &&
	    readfile("/dev/null", text, 8) == 0 &&
	    readfile_may(dir) == 0 && readfile(dir, text, 8) == -1 &&
	    errno == EISDIR && readfile_may(at("none")) == -1 &&
	    errno == ENOENT && readfile_may(at("a")) == 0 &&
	    readfile(at("a"), text, 8) == 3 ? 0 : 1;
}

static void
test_fifo(void)
{
	char text[8];
	int fd;

	writefile(at("a"), "old", 3);
	mkfifo(at("fifo"), 0600);
	is(run(read_fifo), 0, "later only regular files are read");
	if (fork() == 0) {
		fd = open(at("fifo"), O_WRONLY);
		_exit(write(fd, "12", 2) != 2);
	}
	is(readfile(at("fifo"), text, 8), 2, "at the start any kind is");
	is(readfile_may(at("fifo")), 0, "also by a library");
	unlink(at("fifo"));
	unlink(at("a"));
}

static int
write_too_much(void)
{
	struct rlimit r = { 3, 3 };
	char text[8];

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &r);
	return writefile(at("a"), "12345", 5) == -1 && errno == EFBIG &&
	    readfile(at("a"), text, 8) == 3 && text[0] == 'o' ? 0 : 1;
}

static void
test_full(void)
{
	writefile(at("a"), "old", 3);
	is(run(write_too_much), 0, "no room: the old contents stay");
	unlink(at("a"));
	is(rmdir(dir), 0, "and half a file is not left");
	mkdir(dir, 0755);
}

static void
test_stamp(void)
{
	struct stat st = { .st_dev = 1, .st_ino = 2, .st_size = 3,
	    .st_mtim = { 4, 5 }, .st_ctim = { 6, 7 } }, other;
	struct file_stamp a, b;
	int i;

	file_stamp_of(&a, &st);
	is(file_stamp_is(&a, &a), 1, "the same state");
	for (i = 0; i < 7; i++) {
		other = st;
		other.st_dev += i == 0;
		other.st_ino += i == 1;
		other.st_size += i == 2;
		other.st_mtim.tv_sec += i == 3;
		other.st_mtim.tv_nsec += i == 4;
		other.st_ctim.tv_sec += i == 5;
		other.st_ctim.tv_nsec += i == 6;
		file_stamp_of(&b, &other);
		is(file_stamp_is(&a, &b), 0, "another one");
	}
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Changed so many ns before now. */
static int
unstable(int64_t age, int is_coarse)
{
	struct file_stamp s = { 0 };
	int64_t now;
	int ms;

	do {			/* until this took no time */
		now = now_ns();
		s.changed = now - age;
		s.changed -= s.changed % 1000000000 == 0;
		if (is_coarse)
			s.changed -= s.changed % 1000000000;
		ms = file_stamp_unstable(&s);
	} while (now_ns() - now > 50000000);
	return ms;
}

static void
test_unstable(void)
{
	int ms = unstable(-1000000000, 0);

	ok(ms > 900 && ms <= 1021, "a change in a second: %d ms", ms);
	is(unstable(21000000, 0), 0, "20 ms after a change it is stable");
	is(unstable(-2500000000LL, 0), 0, "a time to come tells nothing");
	ok(unstable(0, 1) > 900, "where seconds are counted it takes two");
	is(unstable(2000000000, 1), 0, "and no more");
}

static int
lock_again(void)
{
	struct error why;
	char want[40];

	snprintf(want, sizeof(want), "process %d is", (int)getppid());
	return pidfile_make(at("pid"), &why) == -1 &&
	    why.status == EXIT_SYSTEM && strstr(why.text, want) != NULL ?
	    0 : 1;
}

static void
test_pidfile(void)
{
	char text[16], want[16];
	struct error why;
	struct stat st;
	int fd, e;

	umask(0);
	fd = pidfile_make(at("pid"), &why);
	ok(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0644,
	    "nobody else writes to it, whatever the umask");
	pidfile_leave(fd, at("pid"));
	writefile(at("pid"), "a longer text", 13);
	fd = pidfile_make(at("pid"), &why);
	ok(fd != -1, "one without a lock is taken over");
	readfile(at("pid"), text, sizeof(text));
	snprintf(want, sizeof(want), "%d\n", (int)getpid());
	is_str(text, want, "our number is all it holds");
	is(run(lock_again), 0, "who wants it meanwhile is told ours");
	pidfile_leave(fd, at("pid"));
	e = access(at("pid"), F_OK) == -1 ? errno : 0;
	is(e, ENOENT, "it is gone with us");
	fd = pidfile_make(at("pid"), &why);
	unlink(at("pid"));
	writefile(at("pid"), "1\n", 2);
	pidfile_leave(fd, at("pid"));
	is(access(at("pid"), F_OK), 0, "that of another one stays");
	if (geteuid() == 0) {
		ok(chown(at("pid"), 1, 1) == 0 && pidfile_make(at("pid"),
		    &why) == -1, "that of another user is left alone");
		ok(strstr(why.text, "another user") != NULL, "%s", why.text);
	}
	is(pidfile_make(at("none/pid"), &why), -1, "no directory for it");
	ok(strstr(why.text, "--pidfile") != NULL, "%s", why.text);
	unlink(at("pid"));
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	test_read_and_write();
	test_fifo();
	test_full();
	test_stamp();
	test_unstable();
	test_pidfile();
	rmdir(dir);
	return done_testing();
}
