/* SPDX-License-Identifier: ISC */
/*
 * Memory that is lent: what was in it is gone, and what a shortage does.
 *
 * If it fails: a process sees what an earlier one held, or dies for want of
 * memory.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/memory.h"
#include "tap.h"

static uintptr_t grain;			/* 0: this machine's pages */
static int advised;
static uintptr_t from, to;		/* of the last call */

int
getpagesize(void)
{
	return grain != 0 ? (int)grain : (int)sysconf(_SC_PAGESIZE);
}

/* In place of the C library's: a kernel that knows no huge pages. */
int
madvise(void *p, size_t size, int advice)
{
	from = (uintptr_t)p;
	to = from + size;
	advised = advice;
	errno = EINVAL;
	return -1;
}

static int
is_zero(const char *p, size_t size)
{
	while (size > 0 && *p == '\0') {
		p++;
		size--;
	}
	return size == 0;
}

/* The signal that ends a process which does this, or 0. */
static int
ends_by(void (*what)(void))
{
	struct rlimit none = { 0, 0 };
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		setrlimit(RLIMIT_CORE, &none);
		what();
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		abort();
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
take_twice(void)
{
	memory_take(1);
	memory_take(1);
}

static void
take_too_much(void)
{
	memory_take((size_t)MEMORY_MAX + 1);
}

#ifndef __SANITIZE_ADDRESS__	/* its own mmap(2) and munmap(2) need some, too */

/* No address space is left, as after an administrator has set limits. */
static rlim_t
limit(rlim_t bytes)
{
	struct rlimit r;
	rlim_t before;

	if (getrlimit(RLIMIT_AS, &r) == -1)
		abort();
	before = r.rlim_cur;
	r.rlim_cur = bytes;
	if (setrlimit(RLIMIT_AS, &r) == -1)
		abort();
	return before;
}

static void
test_short(void)
{
	char *p = memory_take(100);
	rlim_t before;
	int is_limited;

	strlcpy(p, "secret", 100);
	before = limit(4096);
	is_limited = mmap(NULL, MEMORY_MAX, PROT_NONE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
	memory_return();
	limit(before);
	/* an emulator may have no limits */
	ok((msync(p, 1, MS_ASYNC) == -1 && errno == ENOMEM) || !is_limited,
	    "none to put in its place: what was there is gone all the same");
	p = memory_take(MEMORY_MAX);
	ok(is_zero(p, 8192), "and when there is some it is lent again");
	p[MEMORY_MAX - 1] = 1;
	memory_return();
}

#endif

/* What a child writes there its parent sees; pieces lie side by side. */
static void
test_shared(void)
{
	char *a = memory_shared(5), *b = memory_shared(100000), *c;
	int status;
	pid_t pid;

	ok(a != NULL && b == a + 64, "shared pieces lie side by side");
	ok(is_zero(a, 5) && is_zero(b, 100000), "zeroed");
	if ((pid = fork()) == 0) {
		a[4] = 1;
		b[99999] = 2;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(a[4] == 1 && b[99999] == 2 && b[0] == 0, "shared with a child");
	errno = 0;
	ok(memory_shared(MEMORY_SHARED_MAX) == NULL && errno == ENOMEM,
	    "no more than there is");
	c = memory_shared(1);
	ok(c == b + 100032, "the rest can still be had");
}

static int
discards(uintptr_t at, size_t size, uintptr_t want, uintptr_t end)
{
	from = to = 0;
	memory_discard((void *)at, size);
	return from == want && to == end;
}

/* Wholly in it, whatever the size of the system's pages is. */
static void
test_discard(void)
{
	static const uintptr_t sizes[] = { 4096, 16384, 65536 };
	unsigned int i;
	uintptr_t p;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = grain = sizes[i];
		ok(discards(p, 3 * p, p, 4 * p) &&
		    discards(p, 3 * p + 1, p, 4 * p) &&
		    discards(p, 3 * p - 1, p, 3 * p) &&
		    discards(p + 1, 3 * p, 2 * p, 4 * p) &&
		    discards(p - 1, 3 * p, p, 3 * p),
		    "discarded are pages that lie wholly in it");
		ok(discards(p, p - 1, 0, 0) && discards(p + 1, 2 * p - 2, 0, 0) &&
		    discards(p + 1, 1, 0, 0) && discards(p, 0, 0, 0),
		    "where there is none nothing is asked for");
	}
	grain = 0;
}

/* What a child must not have it does not even inherit. */
static void
test_unshared(void)
{
	char *p = memory_unshared(100000);

	ok(p != NULL && is_zero(p, 100000), "memory of a process alone");
	is(from == (uintptr_t)p && to == from + 100000 &&
	    advised == MADV_DONTFORK, 1, "which no child gets");
	memory_unshared_end(p, 100000);
	ok(msync(p, 1, MS_ASYNC) == -1 && errno == ENOMEM, "given back");
	memory_unshared_end(NULL, 100000);
}

int
main(void)
{
	char *p;

	if (memory_prepare() == -1)
		abort();
	p = memory_take(MEMORY_MAX);
	ok((uintptr_t)p % sysconf(_SC_PAGESIZE) == 0, "begins with a page");
	ok(is_zero(p, MEMORY_MAX), "zeroed");
	p[0] = p[MEMORY_MAX - 1] = 1;
	errno = EACCES;
	memory_return();
	is(errno, EACCES, "errno stays");
	ok(memory_take(1) == p && p[0] == 0 && p[MEMORY_MAX - 1] == 0,
	    "the same again, and what was in it is gone");
	memory_return();
	is(ends_by(take_twice), SIGABRT, "not to two at a time");
	is(ends_by(take_too_much), SIGABRT, "nor more than there is");
	test_discard();
#ifdef HAVE_LINUX
	test_unshared();
#endif
	test_shared();
#ifndef __SANITIZE_ADDRESS__
	test_short();
#endif
	return done_testing();
}
