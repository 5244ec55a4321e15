/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL's memory: what it frees is wiped, blocks do not overlap, and those of
 * a child lie together.
 *
 * If it fails: keys stay in freed memory, or TLS breaks.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "tap.h"
#include "tls/secure_heap.h"
#include "tls/tls.h"

#define BLOCKS	400
#define ROUNDS	20000
#define PAGE	4096

static struct {
	unsigned char *p, byte;
	size_t size;
} block[BLOCKS];

static uintptr_t grain;		/* of memory; 0: this machine's */

int
getpagesize(void)
{
	return grain != 0 ? (int)grain : (int)sysconf(_SC_PAGESIZE);
}

/*
 * In place of the C library's: a kernel with pages of that size.  It refuses
 * memory that does not begin with one, and discards all of the last one.
 */
int
madvise(void *p, size_t size, int advice)
{
	uintptr_t page = (uintptr_t)getpagesize();

	if ((uintptr_t)p % page != 0) {
		errno = EINVAL;
		return -1;
	}
	if (advice == MADV_DONTNEED)
		memset(p, 0, (size + page - 1) & ~(page - 1));
	return 0;
}

static unsigned int
draw(unsigned int below)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % below;
}

/* Small ones above all, some of a record's size, few larger ones. */
static size_t
draw_size(void)
{
	switch (draw(20)) {
	case 0:
		return 1 + draw(20000);
	case 1:
		return 1 + draw(3000);
	default:
		return 1 + draw(300);
	}
}

static int
is_whole(unsigned int i)
{
	size_t k;

	for (k = 0; k < block[i].size; k++)
		if (block[i].p[k] != block[i].byte)
			return 0;
	return (uintptr_t)block[i].p % 16 == 0;
}

static void
fill(unsigned int i, void *p, size_t size)
{
	block[i].p = p;
	block[i].size = size;
	block[i].byte = 1 + draw(255);
	memset(p, block[i].byte, size);
}

/* Any order of get, change and free.  0, or what was found broken. */
static int
churn(int trims)
{
	unsigned int n, i;
	size_t size, kept, k;
	unsigned char *p;

	for (n = 0; n < ROUNDS; n++) {
		i = draw(BLOCKS);
		if (block[i].p != NULL && !is_whole(i))
			return 1;
		size = draw_size();
		if (block[i].p == NULL) {
			fill(i, OPENSSL_malloc(size), size);
		} else if (draw(2)) {
			OPENSSL_free(block[i].p);
			block[i].p = NULL;
		} else {
			kept = size < block[i].size ? size : block[i].size;
			p = OPENSSL_realloc(block[i].p, size);
			for (k = 0; k < kept; k++)
				if (p[k] != block[i].byte)
					return 2;
			fill(i, p, size);
		}
		if (trims && draw(500) == 0)
			secure_heap_trim();
	}
	for (i = 0; i < BLOCKS; i++)
		if (block[i].p != NULL && !is_whole(i))
			return 3;
	return 0;
}

static void
free_all(void)
{
	unsigned int i;

	for (i = 0; i < BLOCKS; i++) {
		OPENSSL_free(block[i].p);
		block[i].p = NULL;
	}
}

#ifndef __SANITIZE_ADDRESS__

/* How many pages a hundred blocks of sizes like a handshake's lie on. */
static int
spread(void)
{
	static unsigned char *p[100];
	uintptr_t page[100];
	int i, k, n = 0;

	for (i = 0; i < 100; i++) {
		p[i] = OPENSSL_malloc(20 + i * 2);
		page[n] = (uintptr_t)p[i] / PAGE;
		for (k = 0; page[k] != page[n]; k++)
			;
		n += k == n;
	}
	for (i = 0; i < 100; i++)
		OPENSSL_free(p[i]);
	return n;
}

/* In the child: its exit status says which check failed. */
static int
child(unsigned char *secret)
{
	unsigned char *freed;
	size_t i;

	secure_heap_leave();
	if (spread() > 6)
		return 1;
	memset(secret, 's', 1000);
	OPENSSL_free(secret);
	for (i = 0; i < 1000; i++)
		if (secret[i] != 0)
			return 2;
	if ((freed = OPENSSL_malloc(1000)) == secret)
		return 3;
	OPENSSL_free(freed);
	if (churn(0) != 0)
		return 4;
	if (churn(1) != 0)
		return 5;
	free_all();
	secure_heap_trim();
	return churn(1) != 0 ? 6 : 0;
}

static int
in_child(unsigned char *secret)
{
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(child(secret));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	    WEXITSTATUS(status) : -1;
}

#endif

int
main(void)
{
	unsigned char *secret;
	struct error why;

	if (tls_prepare(&why) == -1)
		return 1;
	is(churn(0), 0, "a parent's blocks are whole");
	free_all();
	secret = OPENSSL_malloc(1000);
#ifdef __SANITIZE_ADDRESS__
	ok(secret != NULL, "where each block is by itself the rest is libc's");
#else
	is(in_child(secret), 0, "in a child: few pages, wiped, not used "
	    "again, whole, with and without trimming");
	grain = 65536;
	is(in_child(secret), 0, "where a page of the system has 64 KiB, too");
	grain = 0;
#endif
	OPENSSL_free(secret);
	is(churn(1), 0, "the parent goes on");
	free_all();
	return done_testing();
}
