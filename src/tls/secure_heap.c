/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "tls/openssl.h"
#include "tls/secure_heap.h"

#define WIPE_MAX	12288	/* bytes; a record's buffer has over 16384 */

/* Before each block, as free(3) is not told of sizes. */
struct head {
	size_t size;
} __attribute__((aligned(16)));

static void *
get(size_t size, const char *file, int line)
{
	struct head *h;

	if (size == 0 || size > SIZE_MAX - sizeof(*h) ||
	    (h = malloc(sizeof(*h) + size)) == NULL)
		return NULL;
	h->size = size;
	return h + 1;
}

static void
give_back(void *p, const char *file, int line)
{
	struct head *h = p;

	if (p == NULL)
		return;
	h--;
	if (h->size <= WIPE_MAX)
		explicit_bzero(p, h->size);
	free(h);
}

/* realloc(3) would leave the old place as it is. */
static void *
change(void *p, size_t size, const char *file, int line)
{
	struct head *h = p;
	void *new;

	if (p == NULL)
		return get(size, file, line);
	if (size == 0) {
		give_back(p, file, line);
		return NULL;
	}
	if ((new = get(size, file, line)) == NULL)
		return NULL;
	h--;
	memcpy(new, p, h->size < size ? h->size : size);
	give_back(p, file, line);
	return new;
}

void
secure_heap(void)
{
	CRYPTO_set_mem_functions(get, change, give_back);
}

void
secure_heap_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
