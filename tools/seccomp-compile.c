/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp-compile - turns a policy of profiles/seccomp into C source that holds filter bytes
 *
 * Process:  none: it runs when stockade is built
 * Usage:    seccomp-compile NAME POLICY OUTPUT.c
 * Limits:   RULES_MAX rules, CODE_MAX instructions
 *
 * Theory of operation. A policy is read into three lists, and each becomes one libseccomp program:
 *
 *    denied when    deny ERRNO call CONDITION    conditions on arguments, checked first
 *    allowed        allow call [CONDITION]
 *    denied         deny ERRNO call              what no allow let through
 *    (default)      default ERRNO
 *
 * libseccomp alone cannot express that order (a rule without arguments swallows the ones with arguments), so the
 * programs are laid one after the other, and "return, nothing found" in one becomes a jump to the next. Comparisons
 * are of 32 bits, whatever the upper half holds: the kernel reads an int there (CVE-2019-10063).
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RULES_MAX = 2048, CODE_MAX = 4096, LINE_MAX_BYTES = 4096, WORDS_MAX = 256, CONDITIONS_MAX = 3, DEPTH_MAX = 8 };

/* "Nothing found here": an action that no policy can name, replaced by a jump. */
#define ACT_NEXT SCMP_ACT_TRACE(0x5a5a)

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

enum program { DENIED_WHEN, ALLOWED, DENIED, PROGRAM_COUNT };

struct rule {
	int syscall;
	uint32_t action;
	unsigned n_conditions;
	struct scmp_arg_cmp conditions[CONDITIONS_MAX];
	enum program program;
};

struct policy {
	struct rule rules[RULES_MAX];
	size_t n_rules;
	uint32_t fallback; /* SCMP_ACT_* */
	bool fallback_set;
	const char *file; /* the one being read, for messages */
	unsigned line;
	unsigned depth;
};

struct named {
	const char *name;
	uint32_t value;
};

/* clang-format off */
#define N(name) { #name, (uint32_t)(name) }
/* clang-format on */
static const struct named constants[] = {
	N(AF_UNIX),
	N(AF_INET),
	N(AF_INET6),
	N(AF_NETLINK),
	N(O_WRONLY),
	N(O_RDWR),
	N(O_CREAT),
	N(NETLINK_ROUTE),
	N(IPPROTO_IP),
	N(IPPROTO_TCP),
	N(IPPROTO_UDP),
	N(IPPROTO_MPTCP),
	N(MSG_FASTOPEN),
	N(SOCK_STREAM),
	N(SOCK_DGRAM),
	N(SOCK_SEQPACKET),
	N(CLONE_NEWNS),
	N(CLONE_NEWCGROUP),
	N(CLONE_NEWUTS),
	N(CLONE_NEWIPC),
	N(CLONE_NEWUSER),
	N(CLONE_NEWPID),
	N(CLONE_NEWNET),
	N(CLONE_NEWTIME),
	N(CLONE_THREAD),
	N(FIONBIO),
	N(TIOCSTI),
	N(TIOCLINUX),
	N(PR_SET_MM),
	N(PR_SET_PTRACER),
	N(PROT_EXEC),
	N(F_SETOWN),
	N(F_GETFL),
	N(F_SETFL),
	N(F_SETPIPE_SZ),
	N(SOL_SOCKET),
	N(SO_LINGER),
	N(IPPROTO_TCP),
	N(TCP_NODELAY),
	N(EPERM),
	N(ENOSYS),
	N(EACCES),
	N(EAFNOSUPPORT),
	N(ENOTTY),
	N(EINVAL),
};

/* Calls that libseccomp 2.5.4 does not know yet; from 424 on, the number is the same on every architecture. */
static const struct named newer_calls[] = {
	{ "cachestat", 451 },
	{ "fchmodat2", 452 },
	{ "map_shadow_stack", 453 },
	{ "futex_wake", 454 },
	{ "futex_wait", 455 },
	{ "futex_requeue", 456 },
	{ "statmount", 457 },
	{ "listmount", 458 },
	{ "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 },
	{ "lsm_list_modules", 461 },
	{ "mseal", 462 },
	{ "setxattrat", 463 },
	{ "getxattrat", 464 },
	{ "listxattrat", 465 },
	{ "removexattrat", 466 },
	{ "open_tree_attr", 467 },
};

__attribute__((noreturn, format(printf, 2, 3))) static void fail(const struct policy *p, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "seccomp-compile: %s:%u: ", p->file, p->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static const struct named *find_named(const struct named *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static uint32_t one_value(const struct policy *p, const char *word)
{
	const struct named *c = find_named(constants, sizeof(constants) / sizeof(*constants), word);
	unsigned long long v;
	char *end;

	if (c)
		return c->value;
	errno = 0;
	v = strtoull(word, &end, 0);
	if (errno || *end || end == word || !isdigit((unsigned char)*word) || v > UINT32_MAX)
		fail(p, "'%s' is neither a known constant nor a 32-bit number", word);
	return (uint32_t)v;
}

/* "A|B|C" */
static uint32_t values(const struct policy *p, char *word)
{
	uint32_t v = 0;
	char *save = NULL;

	for (char *w = strtok_r(word, "|", &save); w; w = strtok_r(NULL, "|", &save))
		v |= one_value(p, w);
	return v;
}

static uint32_t errno_action(const struct policy *p, const char *word)
{
	if (strcmp(word, "kill") == 0)
		return SCMP_ACT_KILL_PROCESS;
	return SCMP_ACT_ERRNO(one_value(p, word));
}

/* The number, or -1 for a call that this architecture does not have. */
static int call_number(const struct policy *p, const char *name)
{
	const struct named *n = find_named(newer_calls, sizeof(newer_calls) / sizeof(*newer_calls), name);
	int nr = seccomp_syscall_resolve_name(name);

	if (n)
		return (int)n->value;
	if (nr == __NR_SCMP_ERROR)
		fail(p, "no system call is named '%s'", name);
	return nr < 0 ? -1 : nr;
}

static void add_rule(struct policy *p, const struct rule *r)
{
	if (p->n_rules == RULES_MAX)
		fail(p, "more than %d rules", RULES_MAX);
	p->rules[p->n_rules++] = *r;
}

/* "argN has A|B": true when any bit is set, so one rule a bit. */
static void add_each_bit(struct policy *p, struct rule *r, unsigned at, uint32_t bits)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t mask = (uint32_t)1 << bit;
		if (!(bits & mask))
			continue;
		r->conditions[at].datum_a = mask;
		r->conditions[at].datum_b = mask;
		add_rule(p, r);
	}
}

/* Reads "argN == V", "argN & M == V" or "argN lacks V" into c and returns the words used; "argN has V" sets *bits. */
static size_t read_condition(struct policy *p, char **words, size_t n, struct scmp_arg_cmp *c, uint32_t *bits)
{
	uint32_t mask = UINT32_MAX, want = 0;
	size_t used = 3;

	if (n < 3 || strncmp(words[0], "arg", 3) != 0 || !strchr("012345", words[0][3]) || words[0][4])
		fail(p, "expected 'argN == VALUE', 'argN & MASK == VALUE', 'argN has BITS' or 'argN lacks BITS'");
	if (strcmp(words[1], "==") == 0) {
		want = values(p, words[2]);
	} else if (strcmp(words[1], "lacks") == 0) {
		mask = values(p, words[2]);
	} else if (strcmp(words[1], "has") == 0) {
		*bits = values(p, words[2]);
	} else if (strcmp(words[1], "&") == 0 && n >= 5 && strcmp(words[3], "==") == 0) {
		mask = values(p, words[2]);
		want = values(p, words[4]);
		used = 5;
	} else {
		fail(p, "unknown comparison '%s'", words[1]);
	}
	*c = (struct scmp_arg_cmp){
		.arg = (unsigned)(words[0][3] - '0'), .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = want
	};
	return used;
}

static void read_conditional(struct policy *p, struct rule *r, char **words, size_t n)
{
	uint32_t bits = 0;
	unsigned bits_at = 0;

	while (n > 0) {
		uint32_t these = 0;
		if (r->n_conditions == CONDITIONS_MAX)
			fail(p, "more than %d conditions", CONDITIONS_MAX);
		size_t used = read_condition(p, words, n, &r->conditions[r->n_conditions], &these);
		if (these && bits)
			fail(p, "'has' twice in one rule");
		if (these) {
			bits = these;
			bits_at = r->n_conditions;
		}
		r->n_conditions++;
		words += used;
		n -= used;
	}
	if (bits)
		add_each_bit(p, r, bits_at, bits);
	else
		add_rule(p, r);
}

/* words: call names, or one call name and its conditions */
static void read_calls(struct policy *p, uint32_t action, char **words, size_t n)
{
	bool conditional = n > 1 && strncmp(words[1], "arg", 3) == 0 && isdigit((unsigned char)words[1][3]);

	if (n == 0)
		fail(p, "a system call is missing");
	for (size_t i = 0; i < (conditional ? 1 : n); i++) {
		struct rule r = { .syscall = call_number(p, words[i]), .action = action };
		r.program = action == SCMP_ACT_ALLOW ? ALLOWED : conditional ? DENIED_WHEN : DENIED;
		if (r.syscall < 0)
			continue;
		if (conditional)
			read_conditional(p, &r, words + 1, n - 1);
		else
			add_rule(p, &r);
	}
}

static void read_policy(struct policy *p, const char *file);

static void read_include(struct policy *p, const char *name)
{
	const char *outer = p->file;
	unsigned line = p->line;
	char *copy = strdup(outer), *path = NULL;

	if (!copy || asprintf(&path, "%s/%s", dirname(copy), name) < 0)
		fail(p, "out of memory");
	read_policy(p, path);
	free(path);
	free(copy);
	p->file = outer;
	p->line = line;
}

static void read_line(struct policy *p, char *line)
{
	char *words[WORDS_MAX], *save = NULL;
	size_t n = 0;

	line[strcspn(line, "#\n")] = 0;
	for (char *w = strtok_r(line, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (n == WORDS_MAX)
			fail(p, "more than %d words", WORDS_MAX);
		words[n++] = w;
	}
	if (n == 0)
		return;
	if (strcmp(words[0], "allow") == 0) {
		read_calls(p, SCMP_ACT_ALLOW, words + 1, n - 1);
	} else if (strcmp(words[0], "deny") == 0 && n > 1) {
		read_calls(p, errno_action(p, words[1]), words + 2, n - 2);
	} else if (strcmp(words[0], "default") == 0 && n == 2) {
		p->fallback = errno_action(p, words[1]);
		p->fallback_set = true;
	} else if (strcmp(words[0], "include") == 0 && n == 2) {
		read_include(p, words[1]);
	} else {
		fail(p, "unknown rule '%s'", words[0]);
	}
}

static void read_policy(struct policy *p, const char *file)
{
	char line[LINE_MAX_BYTES];
	FILE *f = fopen(file, "re");

	p->file = file;
	p->line = 0;
	if (!f)
		fail(p, "%s", strerror(errno));
	if (++p->depth > DEPTH_MAX)
		fail(p, "includes nested deeper than %d", DEPTH_MAX);
	while (fgets(line, sizeof(line), f)) {
		p->line++;
		if (!strchr(line, '\n'))
			fail(p, "a line is too long or has no end");
		read_line(p, line);
	}
	fclose(f);
	p->depth--;
}

/* A rule without conditions swallows the others on the same call; two errnos for one call are a contradiction. */
static void check_rules(const struct policy *p)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct rule *a = &p->rules[i];
		for (size_t j = i + 1; j < p->n_rules; j++) {
			const struct rule *b = &p->rules[j];
			if (a->syscall != b->syscall || a->program != b->program)
				continue;
			if (!a->n_conditions != !b->n_conditions || (!a->n_conditions && a->action != b->action))
				fail(p, "contradicting rules for system call %d", a->syscall);
		}
	}
}

static size_t export_program(const struct policy *p, scmp_filter_ctx ctx, struct sock_filter *code, size_t room)
{
	int fd = memfd_create("bpf", MFD_CLOEXEC);
	ssize_t n;

	if (fd < 0 || seccomp_export_bpf(ctx, fd) < 0)
		fail(p, "libseccomp could not generate the program");
	n = pread(fd, code, room * sizeof(*code), 0);
	close(fd);
	if (n <= 0 || (size_t)n == room * sizeof(*code))
		fail(p, "the program has more than %d instructions", CODE_MAX);
	return (size_t)n / sizeof(*code);
}

static size_t generate(const struct policy *p, enum program program, struct sock_filter *code, size_t room)
{
	scmp_filter_ctx ctx = seccomp_init(ACT_NEXT);

	if (!ctx || seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 ||
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		fail(p, "libseccomp refused its settings");
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];
		if (r->program != program)
			continue;
		int e = seccomp_rule_add_array(ctx, r->action, r->syscall, r->n_conditions, r->conditions);
		if (e < 0)
			fail(p, "libseccomp refused a rule for system call %d: %s", r->syscall, strerror(-e));
	}
	size_t n = export_program(p, ctx, code, room);
	seccomp_release(ctx);
	return n;
}

/* "Nothing found" jumps to next; past the last program it is the default. */
static void chain(struct sock_filter *code, size_t from, size_t next, const uint32_t *fallback)
{
	for (size_t i = from; i < next; i++) {
		if (code[i].code != (BPF_RET | BPF_K) || code[i].k != ACT_NEXT)
			continue;
		if (fallback)
			code[i].k = *fallback;
		else
			code[i] = (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = (uint32_t)(next - i - 1) };
	}
}

static void write_source(
	const struct policy *p, const char *name, const char *output, const struct sock_filter *code, size_t n)
{
	FILE *out = fopen(output, "we");
	char id[64];

	snprintf(id, sizeof(id), "%s", name);
	for (char *c = id; *c; c++)
		if (*c == '-')
			*c = '_';
	if (!out)
		fail(p, "%s: %s", output, strerror(errno));
	fprintf(out,
		"/* Made by seccomp-compile from %s.policy; do not edit. */\n#include "
		"\"profiles/seccomp_filters.h\"\n\n",
		name);
	fprintf(out, "static const struct sock_filter code[] = {\n");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "\t{ 0x%02x, %u, %u, 0x%08x },\n", code[i].code, code[i].jt, code[i].jf, code[i].k);
	fprintf(out, "};\n\nconst struct seccomp_filter seccomp_filter_%s = { \"%s\", code, %zu };\n", id, name, n);
	/* A filter that is cut short would not be seen by fclose alone: only the last flush speaks there. */
	if (ferror(out) || fclose(out) != 0)
		fail(p, "%s: %s", output, strerror(errno));
}

int main(int argc, char **argv)
{
	static struct policy p;
	static struct sock_filter code[CODE_MAX];
	size_t n = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: seccomp-compile NAME POLICY OUTPUT.c\n");
		return 2;
	}
	/* What the kernel of the build machine can load does not matter: nothing is loaded. */
	if (seccomp_api_set(6) < 0) {
		fprintf(stderr, "seccomp-compile: libseccomp is too old (API 6 needed)\n");
		return 1;
	}
	read_policy(&p, argv[2]);
	if (!p.fallback_set)
		fail(&p, "no 'default' rule");
	check_rules(&p);
	for (enum program i = 0; i < PROGRAM_COUNT; i++) {
		size_t from = n;
		n += generate(&p, i, code + n, CODE_MAX - n);
		chain(code, from, n, i == PROGRAM_COUNT - 1 ? &p.fallback : NULL);
	}
	write_source(&p, argv[1], argv[3], code, n);
	return 0;
}
