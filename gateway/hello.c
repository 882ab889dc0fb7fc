/* SPDX-License-Identifier: Apache-2.0 */
/* hello - see hello.h */
#include "gateway/hello.h"
#include <errno.h>
#include <string.h>

enum {
	RECORD_HANDSHAKE = 22,
	RECORD_MAX = 1 << 14,
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_HEADER = 4,
	RANDOM = 32,
	SESSION_ID_MAX = 32,
	EXTENSION_SERVER_NAME = 0,
	NAME_TYPE_HOST = 0,
};

static const char *const words[] = {
	[HELLO_MORE] = "the TLS ClientHello did not arrive whole",
	[HELLO_NAME] = "the TLS ClientHello names another server (SNI)",
	[HELLO_NO_NAME] = "the TLS ClientHello names no server (SNI)",
	[HELLO_BAD_NAME] = "the TLS ClientHello holds no proper server name (SNI)",
	[HELLO_NOT_TLS] = "the connection does not open with a TLS ClientHello",
	[HELLO_MALFORMED] = "the TLS ClientHello is malformed",
	[HELLO_TOO_LONG] = "the TLS ClientHello is too long",
};
_Static_assert(ARRAY_LEN(words) == HELLO_FOUND_COUNT, "words for every outcome");

const char *hello_words(enum hello_found f)
{
	return words[f];
}

void hello_init(struct hello *h)
{
	*h = (struct hello){ .message = BUF_INIT(HELLO_MAX) };
}

void hello_done(struct hello *h)
{
	buf_done(&h->message);
}

/* --- the message, once it is whole --- */

struct span {
	const unsigned char *p;
	size_t n;
};

static bool take(struct span *s, size_t n, struct span *ret)
{
	if (s->n < n)
		return false;
	*ret = (struct span){ s->p, n };
	s->p += n;
	s->n -= n;
	return true;
}

static bool take_number(struct span *s, size_t bytes, size_t *ret)
{
	struct span v;

	*ret = 0;
	if (!take(s, bytes, &v))
		return false;
	for (size_t i = 0; i < bytes; i++)
		*ret = *ret << 8 | v.p[i];
	return true;
}

static bool take_vector(struct span *s, size_t length_bytes, struct span *ret)
{
	size_t n;

	return take_number(s, length_bytes, &n) && take(s, n, ret);
}

/* Exactly one entry, of type host_name: what two readers could read differently is refused. */
static enum hello_found read_server_name(struct hello *h, struct span ext)
{
	struct span list, name;
	size_t type;

	if (!take_vector(&ext, 2, &list) || ext.n || !take_number(&list, 1, &type) || !take_vector(&list, 2, &name))
		return HELLO_MALFORMED;
	if (list.n || type != NAME_TYPE_HOST || name.n == 0 || name.n > NET_NAME_MAX)
		return HELLO_BAD_NAME;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = name.p[i];
		if (c == 0)
			return HELLO_BAD_NAME;
		h->name[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	h->name[name.n] = '\0';
	return net_name_valid(h->name) ? HELLO_NAME : HELLO_BAD_NAME;
}

static enum hello_found read_extensions(struct hello *h, struct span all)
{
	enum hello_found found = HELLO_NO_NAME;

	while (all.n > 0) {
		struct span ext;
		size_t type;
		if (!take_number(&all, 2, &type) || !take_vector(&all, 2, &ext))
			return HELLO_MALFORMED;
		if (type != EXTENSION_SERVER_NAME)
			continue;
		if (found != HELLO_NO_NAME)
			return HELLO_MALFORMED;
		found = read_server_name(h, ext);
		if (found != HELLO_NAME)
			return found;
	}
	return found;
}

static enum hello_found read_message(struct hello *h)
{
	struct span s = { (const unsigned char *)h->message.data + MESSAGE_HEADER, h->message.len - MESSAGE_HEADER };
	struct span fixed, session, suites, compression, extensions;

	if (!take(&s, 2 + RANDOM, &fixed) || fixed.p[0] != 3 || !take_vector(&s, 1, &session) ||
		session.n > SESSION_ID_MAX)
		return HELLO_MALFORMED;
	if (!take_vector(&s, 2, &suites) || suites.n < 2 || suites.n % 2)
		return HELLO_MALFORMED;
	if (!take_vector(&s, 1, &compression) || compression.n == 0)
		return HELLO_MALFORMED;
	if (s.n == 0)
		return HELLO_NO_NAME;
	if (!take_vector(&s, 2, &extensions) || s.n)
		return HELLO_MALFORMED;
	return read_extensions(h, extensions);
}

/* --- records --- */

/* How long the message is with its header; 0: not known yet. */
static size_t message_length(const struct hello *h)
{
	const unsigned char *p = (const unsigned char *)h->message.data;

	if (h->message.len < MESSAGE_HEADER)
		return 0;
	return MESSAGE_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

static enum hello_found check_header_byte(const struct hello *h, unsigned at)
{
	if (at == 0 && h->header[0] != RECORD_HANDSHAKE)
		return h->records ? HELLO_MALFORMED : HELLO_NOT_TLS;
	if (at == 1 && h->header[1] != 3)
		return h->records ? HELLO_MALFORMED : HELLO_NOT_TLS;
	return HELLO_MORE;
}

static enum hello_found take_header(struct hello *h, const unsigned char **p, const unsigned char *end)
{
	while (*p < end && h->n_header < sizeof(h->header)) {
		h->header[h->n_header++] = *(*p)++;
		enum hello_found f = check_header_byte(h, h->n_header - 1);
		if (f != HELLO_MORE)
			return f;
	}
	if (h->n_header < sizeof(h->header))
		return HELLO_MORE;
	h->in_record = (size_t)h->header[3] << 8 | h->header[4];
	/* An empty handshake record is forbidden (RFC 8446, 5.1), and so is one that is longer than a plaintext may be.
	 */
	if (h->in_record == 0 || h->in_record > RECORD_MAX || ++h->records > HELLO_RECORDS_MAX)
		return HELLO_MALFORMED;
	return HELLO_MORE;
}

static int take_payload(struct hello *h, const unsigned char **p, const unsigned char *end)
{
	size_t n = (size_t)(end - *p) < h->in_record ? (size_t)(end - *p) : h->in_record, whole;
	int r = buf_append(&h->message, *p, n);

	if (r < 0)
		return r == -E2BIG ? HELLO_TOO_LONG : r;
	*p += n;
	h->in_record -= n;
	if (h->in_record == 0)
		h->n_header = 0;
	if (h->message.len > 0 && h->message.data[0] != MESSAGE_CLIENT_HELLO)
		return HELLO_NOT_TLS;
	whole = message_length(h);
	if (whole > HELLO_MAX)
		return HELLO_TOO_LONG;
	if (whole == 0 || h->message.len < whole)
		return HELLO_MORE;
	/* Nothing else may follow in the record: keys change after it. */
	return h->message.len > whole || h->in_record ? HELLO_MALFORMED : (int)read_message(h);
}

int hello_feed(struct hello *h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes, *end = p + n;
	int r = h->found;

	while (r == HELLO_MORE && p < end) {
		if (h->n_header < sizeof(h->header))
			r = take_header(h, &p, end);
		if (r == HELLO_MORE && h->n_header == sizeof(h->header) && p < end)
			r = take_payload(h, &p, end);
	}
	h->seen += (size_t)(p - (const unsigned char *)bytes);
	if (r == HELLO_MORE && h->seen >= HELLO_MAX)
		r = HELLO_TOO_LONG;
	if (r >= 0)
		h->found = (enum hello_found)r;
	return r;
}
