/* SPDX-License-Identifier: ISC */
/*
 * Private to linux_calls.c and its test: what differs between architectures
 * in a filter of system calls, apart from the calls' numbers.
 *
 * SANDBOX_ARCH is the architecture that the kernel reports (linux/audit.h); it
 * is not defined where there is no table of calls.  A test defines it to build
 * the table of another architecture from that one's numbers.
 */
#ifndef SANDBOX_LINUX_ARCH_H
#define SANDBOX_LINUX_ARCH_H

#include <sys/syscall.h>

#include <linux/audit.h>

/* musl has names of its own for the calls with 32 bits of time. */
#ifndef __NR_clock_gettime
#ifdef __NR_clock_gettime32
#define __NR_clock_gettime	__NR_clock_gettime32
#define __NR_clock_nanosleep	__NR_clock_nanosleep_time32
#define __NR_gettimeofday	__NR_gettimeofday_time32
#endif
#endif

#ifndef SANDBOX_ARCH
#if defined(__x86_64__) && !defined(__ILP32__)
#define SANDBOX_ARCH	AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define SANDBOX_ARCH	AUDIT_ARCH_I386
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define SANDBOX_ARCH	AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARM_EABI__) && !defined(__ARMEB__)
#define SANDBOX_ARCH	AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64 && defined(AUDIT_ARCH_RISCV64)
#define SANDBOX_ARCH	AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define SANDBOX_ARCH	AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define SANDBOX_ARCH	AUDIT_ARCH_S390X
#endif
#endif

/* C libraries do not use it on ppc64el, where it is of no use but to evade. */
#if defined(__NR_socketcall) && SANDBOX_ARCH != AUDIT_ARCH_PPC64LE
#define SANDBOX_SOCKETCALL	__NR_socketcall
#endif

/* Where the lower half of a 64-bit argument is: a filter loads 32 bits. */
#define SANDBOX_LOW_HALF	(SANDBOX_ARCH & __AUDIT_ARCH_LE ? 0 : 4)

/*
 * Does mmap(2) pass its arguments in memory, where a filter does not see
 * them?  i386 has such a call too, but programs use mmap2 there.
 */
#define SANDBOX_MMAP_HIDDEN	(SANDBOX_ARCH == AUDIT_ARCH_S390X)

#endif
