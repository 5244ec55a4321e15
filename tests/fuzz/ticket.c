/* SPDX-License-Identifier: ISC */
/*
 * Input: session tickets, as a process that was taken over might leave them for
 * the next one.  Asserted: whatever stands in them, the handshake can begin;
 * one of another server, or one that is too old, is not used.
 */
#include <sys/socket.h>

#include "os/clock.h"
#include "tls/internal.h"
#include "tls/openssl.h"
#include "fuzz.h"

#define NAME		"host.example"
#define VERIFIED_MS	3600000
#define TICKETS_MAX	8

int LLVMFuzzerInitialize(int *, char ***);

/* What stands before the session, as in tls/ticket.c. */
struct ticket_head {
	char name[ADDR_HOST_MAX + 1];
	int64_t verified_at, came_at, ends_at;
};

static struct tls_ctx ctx = { .tickets = { -1, -1 } };

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error why;

	CHECK(openssl_load(&why) == 0);
	CHECK((ctx.ssl = SSL_CTX_new(TLS_client_method())) != NULL);
	CHECK(tls_tickets_open(&ctx) == 0);
	return 0;
}

/* A good name and good times, or what the input says. */
static int
leave(struct input *in, int *good)
{
	struct {
		struct ticket_head head;
		uint8_t der[2048];
	} t;
	unsigned int how = input_byte(in);
	int64_t at = clock_ms();
	const uint8_t *p;
	size_t len, n = 0;

	memset(&t, 0, sizeof(t));
	strlcpy(t.head.name, how % 2 ? NAME : "other.example",
	    sizeof(t.head.name));
	if (how % 16 == 14)
		memset(t.head.name, 'h', sizeof(t.head.name));
	t.head.verified_at = how & 32 ? (int64_t)input_number(in) : at;
	t.head.came_at = how & 64 ? (int64_t)input_number(in) : at;
	t.head.ends_at = how & 128 ? (int64_t)input_number(in) : INT64_MAX;
	do {
		p = input_bytes(in, 255, &len);
		if (len > sizeof(t.der) - n)
			len = sizeof(t.der) - n;
		memcpy(t.der + n, p, len);
		n += len;
	} while (len == 255);
	*good |= how % 2 == 1 && t.head.verified_at <= at + 1000 &&
	    t.head.verified_at > at - VERIFIED_MS - 1000;
	return send(ctx.tickets[0], &t, sizeof(t.head) + n, MSG_DONTWAIT) > 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct tls t;
	char waste[64];
	int i, good = 0;

	memset(&t, 0, sizeof(t));
	strlcpy(t.name, NAME, sizeof(t.name));
	CHECK((t.ssl = SSL_new(ctx.ssl)) != NULL);
	for (i = 0; i < TICKETS_MAX && in.left > 0; i++)
		if (!leave(&in, &good))
			break;
	ticket_use(&ctx, &t);
	CHECK(good || t.verified_at == 0);
	SSL_free(t.ssl);
	while (recv(ctx.tickets[1], waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
	ERR_clear_error();
	return 0;
}
