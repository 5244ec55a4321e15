/* SPDX-License-Identifier: ISC */
/*
 * Enters the sandbox as a child does, each time in a process of its own, and
 * tries what must work there and what must not.
 *
 * If it fails: who takes over a tunnel has the machine, or tunnels die.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "connection/handoff.h"
#include "net/splice.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/title.h"
#include "sandbox/sandbox.h"
#include "tap.h"

#ifdef SANDBOX_linux

#define SESSION	"0123456789abcdef0123456789abcdef"

static char dir[] = "/tmp/inetws-sandbox.XXXXXX";
static char secret[100], shown[100];	/* files; the latter is readable */
static int listener, held, pair[2], handoff;
static struct sockaddr_in where;
static struct sockaddr_un abstract = { .sun_family = AF_UNIX };
static pid_t program;

/* The result of a try: 0, or the errno it failed with. */
#define ERROR(failed)	((failed) ? errno : 0)

static int
t_open(void)
{
	return ERROR(open("/etc/hosts", O_RDONLY) == -1);
}

static int
t_secret(void)
{
	return ERROR(open(secret, O_RDONLY) == -1);
}

static int
t_shown(void)
{
	char c;
	int fd = open(shown, O_RDONLY);

	return ERROR(fd == -1 || read(fd, &c, 1) != 1);
}

static int
t_write(void)
{
	return ERROR(open(secret, O_WRONLY) == -1);
}

static int
t_write_readable(void)
{
	return ERROR(open(shown, O_RDWR | O_TRUNC) == -1);
}

static int
t_create(void)
{
	return ERROR(open("/tmp/inetws-made", O_CREAT | O_RDONLY, 0600) == -1);
}

static int
t_unlink(void)
{
	return ERROR(unlink(secret) == -1);
}

static int
t_mkdir(void)
{
	return ERROR(mkdir("/tmp/inetws-made", 0700) == -1);
}

static int
t_chmod(void)
{
	return ERROR(chmod(secret, 0777) == -1);
}

static int
t_socket(void)
{
	return ERROR(socket(AF_INET, SOCK_STREAM, 0) == -1);
}

static int
t_packet(void)
{
	return ERROR(socket(AF_PACKET, SOCK_RAW, 0) == -1);
}

static int
t_connect(void)
{
	return ERROR(connect(held, (struct sockaddr *)&where,
	    sizeof(where)) == -1);
}

static int
t_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return ERROR(fd == -1 || connect(fd, (struct sockaddr *)&abstract,
	    sizeof(abstract)) == -1);
}

static int
t_bind(void)
{
	return ERROR(bind(held, (struct sockaddr *)&(struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(7) }, sizeof(where)) ==
	    -1);
}

static int
t_listen(void)
{
	return ERROR(listen(held, 1) == -1);
}

static int
t_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return ERROR(pid == -1);
}

static int
t_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static int
t_execveat(void)
{
	return ERROR(execveat(AT_FDCWD, "/bin/true", (char *[]){ NULL },
	    (char *[]){ NULL }, 0) == -1);
}

static int
t_ptrace(void)
{
	return ERROR(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == -1);
}

static int
t_peek(void)
{
	char c[8];
	struct iovec to = { c, sizeof(c) }, from = { dir, sizeof(c) };

	return ERROR(process_vm_readv(getppid(), &to, 1, &from, 1, 0) == -1);
}

static int
t_kill(void)
{
	return ERROR(kill(getppid(), 0) == -1);
}

static int
t_hangup(void)
{
	return ERROR(kill(-program, SIGHUP) == -1 && errno != ESRCH);
}

static int
t_signal_by_fcntl(void)
{
	return ERROR(fcntl(pair[0], F_SETOWN, getppid()) == -1);
}

static int
t_code(void)
{
	return ERROR(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static int
t_code_later(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return ERROR(mprotect(p, 4096, PROT_READ | PROT_EXEC) == -1);
}

static int
t_terminal(void)
{
	return ERROR(ioctl(0, TIOCSTI, "x") == -1);
}

static int
t_root(void)
{
	return ERROR(chroot("/") == -1);
}

#ifdef __x86_64__
/* getpid(2) as a program of 32 bits calls it. */
static int
t_other_architecture(void)
{
	long pid = 20;

	__asm__ volatile("int $0x80" : "+a"(pid) : : "r8", "r9", "r10",
	    "r11", "memory");
	return 0;
}
#endif

static int
t_relay(void)
{
	struct splice s = SPLICE_CLOSED, other = SPLICE_CLOSED;
	char c[8];
	struct pollfd p = { .fd = pair[1], .events = POLLIN };
	void *m;

	if (write(pair[0], "hello", 5) != 5 || poll(&p, 1, 1000) != 1 ||
	    read(pair[1], c, 8) != 5)
		return 1;
	if (write(pair[1], "again", 5) != 5)
		return 2;
	splice_saw(&s, 1 << 20);
	splice_saw(&other, 1 << 20);
	if (!splice_ready(&s, pair[0]) || !splice_ready(&other, s.w) ||
	    splice_from(&s, pair[0], 5) != 5 ||
	    splice_both(&s, &other, 5) != 5 ||
	    splice_to(&s, pair[0], 5, 0) != 5)
		return 3;
	splice_close(&s);
	splice_close(&other);
	if ((m = malloc(30 << 20)) == NULL)
		return 4;
	memset(m, 1, 30 << 20);
	free(m);
	arc4random_buf(c, sizeof(c));
	title_set("in the sandbox");
	if (clock_ms() == 0 || shutdown(pair[0], SHUT_WR) == -1 ||
	    close(pair[0]) == -1)
		return 5;
	return 0;
}

static int
t_reap(void)
{
	return ERROR(waitpid(program, NULL, WNOHANG) == -1 && errno != ECHILD);
}

/* A process outside hands a descriptor over. */
static int
t_handoff(void)
{
	struct pollfd p = { .fd = handoff, .events = POLLIN };
	struct handoff_request v;
	char c;

	if (poll(&p, 1, 5000) != 1 || handoff_accept(handoff, &v) == -1)
		return errno;
	handoff_confirm(&v);
	return ERROR(v.len != 5 || memcmp(v.bytes, "bytes", 5) != 0 ||
	    read(v.fd, &c, 1) != 1 || c != 'x');
}

static int
t_log(void)
{
	log_event(LOG_L_ERROR, "a line", "from", "inside", NULL);
	return 0;
}

static int
t_resolve(void)
{
	struct addrinfo *list;

	return getaddrinfo("localhost", "80", NULL, &list) == 0 ? 0 : EIO;
}

static int
t_dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return ERROR(fd == -1 || connect(fd, (struct sockaddr *)&where,
	    sizeof(where)) == -1);
}

/* In a process of its own; its wait status. */
static int
run(enum sandbox_role role, int (*try)(void), int visit)
{
	const char *readable[] = { NULL, shown, "/nowhere" };
	int status, to[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	if ((pid = fork()) == 0) {
		if (sandbox_prepare(role, readable, 3) == -1 ||
		    sandbox_enter(program) == -1)
			_exit(250);
		_exit(try());
	}
	if (visit && socketpair(AF_UNIX, SOCK_STREAM, 0, to) == 0) {
		struct handoff_request v = { .fd = to[0], .bytes = "bytes",
		    .len = 5 };

		if (write(to[1], "x", 1) != 1 || handoff_send(SESSION, &v,
		    clock_ms() + 5000) == -1)
			printf("# handing over: %s\n", strerror(errno));
		close(to[0]);
		close(to[1]);
	}
	waitpid(pid, &status, 0);
	close(pair[0]);
	close(pair[1]);
	return status;
}

static void
can(enum sandbox_role role, int (*try)(void), const char *what)
{
	int status = run(role, try, try == t_handoff);

	if (!ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "can %s", what))
		printf("# wait status %#x: %s\n", status,
		    strerror(WEXITSTATUS(status)));
}

/*
 * A debugging build tells what seccomp refuses and exits with 71; it is
 * silenced here.
 */
static int
told(int status)
{
#ifdef SANDBOX_DEBUG
	return WIFEXITED(status) && WEXITSTATUS(status) == 71;
#else
	return 0;
#endif
}

static void
cannot(enum sandbox_role role, int (*try)(void), const char *what, int error)
{
	int status = run(role, try, 0);

	if (!ok((WIFEXITED(status) && WEXITSTATUS(status) == error) ||
	    (error == EPERM && told(status)), "cannot %s: %s", what,
	    strerror(error)))
		printf("# wait status %#x\n", status);
}

static void
dies(enum sandbox_role role, int (*try)(void), const char *what)
{
	int status = run(role, try, 0);

	if (!ok((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
	    told(status), "dies when it tries to %s", what))
		printf("# wait status %#x\n", status);
}

static void
test_all(enum sandbox_role role)
{
	can(role, t_relay, "relay");
	can(role, t_reap, "reap a program that was started before");
	can(role, t_log, "log");
	cannot(role, t_write, "open a file to write", EPERM);
	cannot(role, t_create, "make a file", EPERM);
	cannot(role, t_unlink, "remove a file", EPERM);
	cannot(role, t_mkdir, "make a folder", EPERM);
	cannot(role, t_chmod, "change a file's mode", EPERM);
	cannot(role, t_packet, "see the network's packets", EPERM);
	cannot(role, t_fork, "fork", EPERM);
	cannot(role, t_kill, "send signals", EPERM);
	if (role != SANDBOX_PROGRAM && role != SANDBOX_REDIAL_PROGRAM)
		cannot(role, t_hangup, "send HUP", EPERM);
	cannot(role, t_signal_by_fcntl, "have signals sent", EPERM);
	cannot(role, t_code, "make code", EPERM);
	cannot(role, t_code_later, "turn data into code", EPERM);
	cannot(role, t_terminal, "type into the terminal", EPERM);
	cannot(role, t_root, "call chroot", EPERM);
	dies(role, t_exec, "execute a program");
	dies(role, t_execveat, "do so another way");
	dies(role, t_ptrace, "trace another process");
	dies(role, t_peek, "read another process's memory");
#ifdef __x86_64__
	dies(role, t_other_architecture, "make another architecture's call");
#endif
}

/* Both roles of a server. */
static void
test_relay(enum sandbox_role role)
{
	test_all(role);
	handoff = handoff_listen(SESSION);
	can(role, t_handoff, "take a descriptor that comes to its handoff socket");
	close(handoff);
	cannot(role, t_open, "open a file", EPERM);
	cannot(role, t_shown, "open one that the other role may read", EPERM);
	cannot(role, t_socket, "make a socket", EPERM);
	cannot(role, t_connect, "connect one that it has", EPERM);
	cannot(role, t_bind, "bind one that it has", EPERM);
}

/* Is there a Landlock, and of which version? */
static long
landlock(void)
{
	return syscall(444, NULL, 0, 1);
}

static void
test_redial(enum sandbox_role role)
{
	test_all(role);
	can(role, t_open, "read /etc/hosts");
	can(role, t_shown, "read what it was told it may");
	can(role, t_resolve, "look a name up");
	can(role, t_dial, "connect");
	cannot(role, t_write_readable, "write what it may read", EPERM);
	if (landlock() < 1)
		printf("# no Landlock here: %s\n", strerror(errno));
	if (landlock() >= 1)
		cannot(role, t_secret, "read another file", EACCES);
	cannot(role, t_listen, "be reached", EPERM);
	if (role == SANDBOX_REDIAL_ABSTRACT)
		can(role, t_abstract, "connect to an abstract socket");
	else if (landlock() >= 6)
		cannot(role, t_abstract, "connect to an abstract socket",
		    EPERM);
	if (landlock() >= 4)
		cannot(role, t_bind, "have a port of its choice", EACCES);
}

static void
put(char *path, const char *name)
{
	int fd;

	snprintf(path, sizeof(secret), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd == -1 || write(fd, "text", 4) != 4)
		abort();
	close(fd);
}

static void
begin(void)
{
	socklen_t len = sizeof(where);
	int fd;

	if (mkdtemp(dir) == NULL)
		abort();
	put(secret, "secret");
	put(shown, "shown");
	where.sin_family = AF_INET;
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	held = socket(AF_INET, SOCK_STREAM, 0);
	snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1,
	    "inetws-test-%d", (int)getpid());
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&abstract, sizeof(abstract)) == -1 ||
	    listen(fd, 10) == -1)
		abort();
	if (bind(listener, (struct sockaddr *)&where, len) == -1 ||
	    listen(listener, 10) == -1 ||
	    getsockname(listener, (struct sockaddr *)&where, &len) == -1)
		abort();
	if ((program = fork()) == 0)
		_exit(0);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	if (freopen("/dev/null", "w", stderr) == NULL)
		abort();
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (prctl(PR_GET_SECCOMP) == -1) {
		puts("1..0 # SKIP no seccomp(2) here: an emulator");
		return 0;
	}
	title_init(argc, argv, environ);
	begin();
	test_relay(SANDBOX_RELAY);
	test_relay(SANDBOX_PROGRAM);
	can(SANDBOX_PROGRAM, t_hangup, "send HUP to its program");
	test_redial(SANDBOX_REDIAL);
	test_redial(SANDBOX_REDIAL_ABSTRACT);
	test_redial(SANDBOX_REDIAL_PROGRAM);
	can(SANDBOX_REDIAL_PROGRAM, t_hangup, "send HUP to its program");
	unlink(secret);
	unlink(shown);
	rmdir(dir);
	waitpid(program, NULL, 0);
	return done_testing();
}

#else

int
main(void)
{
	puts("1..0 # SKIP no sandbox on this system or with sanitizers");
	return 0;
}

#endif
