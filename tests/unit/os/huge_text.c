/* SPDX-License-Identifier: ISC */
/*
 * A segment that is put into huge pages: what is in it, who else sees what is
 * written to it, and that each call that fails leaves everything as it was.  The
 * program of this test is a region of memory.
 *
 * If it fails: an instance does not start, or crashes, or one of its children can
 * change what the others run.
 */
/* A sanitizer makes these calls itself, before all others. */
#if defined(HAVE_LINUX) && !defined(__SANITIZE_ADDRESS__)
#define CAN_REPLACE
#endif

#ifdef CAN_REPLACE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/huge_text.h"
#include "os/readfile.h"
#endif
#include "tap.h"

#ifdef CAN_REPLACE
#define SPAN	8		/* huge pages that there are addresses for */
#define TEXT	(huge + huge / 2)	/* bytes */
#define LATER	0x5000		/* where text begins in its huge page */

static uintptr_t huge, base;
static ElfW(Phdr) head[4];
static unsigned int heads;
static struct { int call, left; } failing;	/* it fails after so many */

enum { NOTHING, FILE_MADE, SIZED, WRITTEN, MAPPED, COLLAPSED, MOVED };

static int
fails(int call)
{
	if (failing.call != call || failing.left-- > 0)
		return 0;
	errno = ENOSPC;
	return 1;
}

/* In place of the C library's. */
int
dl_iterate_phdr(int (*take)(struct dl_phdr_info *, size_t, void *), void *arg)
{
	struct dl_phdr_info i = { 0 };

	i.dlpi_addr = base;
	i.dlpi_phdr = head;
	i.dlpi_phnum = (ElfW(Half))heads;
	return take(&i, sizeof(i), arg);
}

int
memfd_create(const char *name, unsigned int flags)
{
	return fails(FILE_MADE) ? -1 :
	    (int)syscall(SYS_memfd_create, name, flags);
}

int
ftruncate(int fd, off_t size)
{
	return fails(SIZED) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

ssize_t
pwrite(int fd, const void *p, size_t size, off_t at)
{
	if (size > huge / 4)
		size = huge / 4;
	return fails(WRITTEN) ? -1 : syscall(SYS_pwrite64, fd, p, size, at);
}

void *
mmap(void *p, size_t size, int prot, int flags, int fd, off_t at)
{
	return fails(MAPPED) ? MAP_FAILED :
	    (void *)syscall(SYS_mmap, p, size, prot, flags, fd, at);
}

int
madvise(void *p, size_t size, int advice)
{
	return fails(COLLAPSED) ? -1 : (int)syscall(SYS_madvise, p, size, advice);
}

void *
mremap(void *p, size_t size, size_t to, int flags, ...)
{
	void *at;
	va_list ap;

	va_start(ap, flags);
	at = va_arg(ap, void *);
	va_end(ap);
	return fails(MOVED) ? MAP_FAILED :
	    (void *)syscall(SYS_mremap, p, size, to, flags, at);
}

static unsigned char
byte_of(size_t i)
{
	return (unsigned char)(i * 7 + i / 4096);
}

static int
is_text(const unsigned char *p)
{
	size_t i;

	for (i = 0; i < TEXT; i++)
		if (p[i] != byte_of(i))
			return 0;
	return 1;
}

/* A program with text at LATER in the second of SPAN huge pages. */
static unsigned char *
make_program(int prot, unsigned int flags)
{
	unsigned char *p;
	size_t i;

	p = mmap(NULL, (SPAN + 1) * huge, PROT_NONE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	base = ((uintptr_t)p + huge - 1) & ~(huge - 1);
	munmap(p, (SPAN + 1) * huge);
	p = mmap((void *)(base + huge + LATER), TEXT, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (i = 0; i < TEXT; i++)
		p[i] = byte_of(i);
	mprotect(p, TEXT, prot);
	memset(head, 0, sizeof(head));
	head[0].p_type = PT_LOAD;
	head[0].p_flags = PF_R | flags;
	head[0].p_vaddr = huge + LATER;
	head[0].p_memsz = head[0].p_filesz = TEXT;
	heads = 1;
	return p;
}

static void
drop_program(void)
{
	munmap((void *)base, SPAN * huge);
}

/* The lines of /proc/self/maps from base to its end. */
static void
maps(char *dst, size_t size)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	char line[400];

	dst[0] = '\0';
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 &&
		    to > base && from < base + SPAN * huge)
			strlcat(dst, line, size);
	if (f != NULL)
		fclose(f);
}

/* Kernels before 6.1 cannot, and a setting may forbid it. */
static int
can(void)
{
	struct error why;
	int good;

	make_program(PROT_READ | PROT_EXEC, PF_X);
	good = huge_text(&why) != -1;
	drop_program();
	if (!good)
		printf("# %s\n", why.text);
	return good;
}

static void
test_moved(void)
{
	unsigned char *p = make_program(PROT_READ | PROT_EXEC, PF_X);
	char now[2000], line[100];
	struct error why;
	int status = -1;
	pid_t pid;

	ok(huge_text(&why) == (long)(2 * huge), "two huge pages");
	maps(now, sizeof(now));
	snprintf(line, sizeof(line), "%lx-%lx r-xp", (unsigned long)(base +
	    huge), (unsigned long)(base + 3 * huge));
	ok(strstr(now, line) == now && strchr(now, '\n')[1] == '\0' &&
	    strstr(now, "/memfd:inetws-text") != NULL,
	    "in place of the segment, and of nothing else");
	ok(is_text(p), "with its bytes");
	ok(p[-1] == 0 && p[TEXT] == 0, "and with nothing around them");
	if ((pid = fork()) == 0) {
		if (mprotect((void *)(base + huge), huge, PROT_READ |
		    PROT_WRITE) == 0) {
			p[9]++;
			_exit(!is_text(p));
		}
		_exit(2);
	}
	waitpid(pid, &status, 0);
	ok(WEXITSTATUS(status) == 1 && is_text(p),
	    "what a child writes there is its own");
	drop_program();
}

static void
test_constants(void)
{
	char now[2000];
	struct error why;

	make_program(PROT_READ, 0);
	ok(huge_text(&why) == (long)(2 * huge), "constants, too");
	maps(now, sizeof(now));
	ok(strstr(now, " r--p ") != NULL && strstr(now, " r-xp ") == NULL,
	    "which cannot be executed");
	drop_program();
}

/* None of these is moved. */
static void
test_unsuitable(void)
{
	struct error why;

	make_program(PROT_READ | PROT_WRITE, PF_W);
	ok(huge_text(&why) == -1, "variables stay");
	ok(strstr(why.text, "not linked for huge pages of") != NULL, "%s",
	    why.text);
	drop_program();
	make_program(PROT_READ | PROT_EXEC, PF_X);
	head[0].p_memsz = huge / 4 - 1;
	ok(huge_text(&why) == -1, "what is small stays");
	head[0].p_memsz = TEXT;
	head[1] = head[0];
	head[1].p_flags = PF_R | PF_W;
	head[1].p_vaddr = 3 * huge - 1;
	heads = 2;
	ok(huge_text(&why) == -1, "text with variables in its last huge page");
	head[1].p_vaddr = huge;
	head[1].p_memsz = 1;
	ok(huge_text(&why) == -1, "and in its first one");
	head[1].p_vaddr = 3 * huge;
	head[1].p_memsz = 1;
	ok(huge_text(&why) == (long)(2 * huge), "but not behind it");
	drop_program();
	make_program(PROT_READ | PROT_EXEC, PF_X);
	head[1].p_type = PT_INTERP;
	heads = 2;
	ok(huge_text(&why) == -1 &&
	    strcmp(why.text, "the build is not static") == 0, "%s", why.text);
	drop_program();
}

/* Addresses that belong to no segment may have been given to others. */
static void
test_taken(uintptr_t where, const char *what)
{
	char before[2000], after[2000];
	struct error why;
	long n;

	make_program(PROT_READ | PROT_EXEC, PF_X);
	mmap((void *)(base + where), 4096, PROT_READ, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	maps(before, sizeof(before));
	n = huge_text(&why);
	maps(after, sizeof(after));
	ok(n == -1 && strcmp(before, after) == 0, "%s: nothing changes", what);
	drop_program();
}

/* Each call fails once, at each of its uses. */
static void
test_failing(int call, const char *name)
{
	char before[2000], after[2000];
	struct error why;
	int i, fd;
	long n = -1;
	unsigned char *p;

	for (i = 0; n == -1 && i < 20; i++) {
		p = make_program(PROT_READ | PROT_EXEC, PF_X);
		maps(before, sizeof(before));
		failing.call = call;
		failing.left = i;
		n = huge_text(&why);
		failing.call = NOTHING;
		maps(after, sizeof(after));
		fd = dup(0);
		close(fd);
		if (n == -1)
			ok(strcmp(before, after) == 0 && is_text(p) && fd == 3 &&
			    strcmp(why.text, "the kernel cannot: No space left "
			    "on device") == 0, "%s %d: nothing changes", name, i);
		drop_program();
	}
	ok(i > 1 && n == (long)(2 * huge), "%s: all its uses failed", name);
}

int
main(void)
{
	char text[24];

	if (readfile("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", text,
	    sizeof(text)) != -1)
		huge = strtoul(text, NULL, 10);
	if (huge == 0 || !can()) {
		ok(1, "skipped # SKIP this kernel cannot");
		return done_testing();
	}
	test_moved();
	test_constants();
	test_unsuitable();
	test_taken(huge, "another mapping before the segment");
	test_taken(3 * huge - 4096, "another mapping behind it");
	test_failing(FILE_MADE, "memfd_create");
	test_failing(SIZED, "ftruncate");
	test_failing(WRITTEN, "pwrite");
	test_failing(MAPPED, "mmap");
	test_failing(COLLAPSED, "madvise");
	test_failing(MOVED, "mremap");
	return done_testing();
}

#else

int
main(void)
{
	ok(1, "skipped # SKIP not on this system, or with sanitizers");
	return done_testing();
}

#endif
