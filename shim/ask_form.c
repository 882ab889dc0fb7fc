/* SPDX-License-Identifier: Apache-2.0 */
/* ask_form - see ask_form.h */
#include "shim/ask_form.h"
#include <string.h>
#include "base/text.h"
#include "scan/letters.h"
#include "shim/fold.h"

/* A list ends with NULL. Joined: without anything between words. */
struct words {
	const char *const *joined, *const *whole;
};

static const char *const joined_of_fields[] = { "password", "passwd", "passphrase", "passcode", "passkey", "secret",
	"token", "apikey", "credential", "privatekey", "accesskey", "cardnumber", "creditcard", "debitcard",
	"socialsecurity", "seedphrase", "recoveryphrase", "recoverycode", "onetimecode", "onetimepass", "securitycode",
	"verificationcode", NULL };
/* A number counts tokens and secrets more often than it is one. */
static const char *const joined_of_numbers[] = { "password", "passcode", "passkey", "cardnumber", "creditcard",
	"debitcard", "socialsecurity", "recoverycode", "onetimecode", "onetimepass", "securitycode", "verificationcode",
	NULL };
/* "token" alone may be anything. */
static const char *const joined_of_messages[] = { "password", "passphrase", "passcode", "passkey", "apikey",
	"secretkey", "accesstoken", "authtoken", "privatekey", "accesskey", "credential", "cardnumber", "creditcard",
	"debitcard", "seedphrase", "recoveryphrase", "recoverycode", "onetimecode", "onetimepass", NULL };
static const char *const whole_of_names[] = { "cvv", "cvv2", "cvc", "cvc2", "pin", "otp", "totp", "2fa", "mfa", NULL };
/* In sentences much is a pin, or is pinned. */
static const char *const whole_of_sentences[] = { "cvv", "cvc", "otp", "totp", "pin code", "your pin", "pin number",
	"enter pin", "enter the pin", NULL };

/* A pin is no secret where it is one of these, as a word before it says... */
static const char *const kinds_of_pins[] = { "gpio", "map", "drawing", "bowling" };
/* ...or where it is what one does to one of these. "Code" and "number", and all that is not known, leave it a secret.
 */
static const char *const pinned_things[] = { "board", "channel", "chat", "color", "colour", "comment", "dashboard",
	"icon", "issue", "location", "marker", "message", "note", "post", "sidebar", "tab", "thread", "top", "topic",
	"version" };
static const char *const between_pin_and_thing[] = { "a", "an", "it", "my", "our", "that", "the", "these", "this",
	"those", "to", "your" };

/* The name and the title of a field, its description; the same of a number; the words above a form. */
static const struct words of_names = { joined_of_fields, whole_of_names };
static const struct words of_descriptions = { joined_of_fields, whole_of_sentences };
static const struct words of_number_names = { joined_of_numbers, whole_of_names };
static const struct words of_number_descriptions = { joined_of_numbers, whole_of_sentences };
static const struct words of_messages = { joined_of_messages, whole_of_sentences };

/* --- words as people read them --- */

static bool is_letter(const char *p)
{
	return (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (unsigned char)*p >= 0x80;
}

/* One character of the text: what it is taken for, or a blank where it stands between words. */
static int put_letter(struct buf *b, uint32_t cp)
{
	const char *folded = cp < 0x80 ? NULL : letter_folded(cp);
	char own[4];
	size_t n = utf8_encode(fold_char(cp), own);

	switch (letter_class(cp)) {
	case LETTER_PLAIN:
		return folded ? buf_puts(b, folded) : buf_append(b, own, n);
	case LETTER_SPACE:
	case LETTER_CONTROL:
	case LETTER_ESCAPE:
	case LETTER_PRIVATE:
	case LETTER_BROKEN:
		return buf_putc(b, ' ');
	default:
		return 0; /* accents, and what nobody sees */
	}
}

static bool is_hump(uint32_t before, uint32_t cp)
{
	return cp >= 'A' && cp <= 'Z' && ((before >= 'a' && before <= 'z') || (before >= '0' && before <= '9'));
}

static int fold_text(struct buf *b, struct slice inside)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(ASK_FORM_TEXT_MAX);
	uint32_t before = 0, cp;
	int r = walk_text(&plain, inside);

	for (size_t at = 0, n; r == 0 && at < plain.len; at += n, before = cp) {
		n = utf8_decode((const unsigned char *)plain.data + at, plain.len - at, &cp);
		if (n == 0) {
			n = 1;
			cp = ' ';
		}
		/* "userPin" has two words. */
		r = is_hump(before, cp) ? buf_putc(b, ' ') : 0;
		if (r == 0)
			r = put_letter(b, cp);
	}
	return r;
}

/* " words with single blanks ", and the same without. */
static int split(const struct buf *text, struct buf *spaced, struct buf *joined)
{
	int r = buf_putc(spaced, ' ');

	for (size_t i = 0; r == 0 && i < text->len; i++) {
		if (is_letter(text->data + i)) {
			r = buf_putc(spaced, text->data[i]);
			r = r ? r : buf_putc(joined, text->data[i]);
		} else if (spaced->data[spaced->len - 1] != ' ') {
			r = buf_putc(spaced, ' ');
		}
	}
	return r || spaced->data[spaced->len - 1] == ' ' ? r : buf_putc(spaced, ' ');
}

static bool is_one_of(struct slice word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(word, words[i]))
			return true;
	return false;
}

/* What is pinned or is a pin of another kind, by the words around it; p is at "pin", after at the blank behind it. */
static bool is_harmless_pin(const char *p, const char *after, const struct buf *spaced)
{
	const char *end = spaced->data + spaced->len, *before = p - 1;
	struct slice word = { NULL, 0 };

	while (before > spaced->data && before[-1] != ' ')
		before--;
	if (is_one_of((struct slice){ before, (size_t)(p - 1 - before) }, kinds_of_pins, ARRAY_LEN(kinds_of_pins)))
		return true;
	do {
		word.p = ++after;
		word.n = after < end ? (size_t)((const char *)memchr(after, ' ', (size_t)(end - after)) - after) : 0;
		after += word.n;
	} while (is_one_of(word, between_pin_and_thing, ARRAY_LEN(between_pin_and_thing)));
	if (word.n > 1 && word.p[word.n - 1] == 's')
		word.n--;
	return is_one_of(word, pinned_things, ARRAY_LEN(pinned_things));
}

static bool has_whole(const struct buf *spaced, const char *word)
{
	size_t n = strlen(word);
	bool pin = n >= 3 && memcmp(word + n - 3, "pin", 3) == 0;
	const char *at = spaced->data, *end = at + spaced->len;

	while ((at = memmem(at, (size_t)(end - at), word, n))) {
		if (at[-1] == ' ' && at[n] == ' ' && !(pin && is_harmless_pin(at + n - 3, at + n, spaced)))
			return true;
		at++;
	}
	return false;
}

static bool has_word(struct slice inside, const struct words *words)
{
	_cleanup_buf_ struct buf text = BUF_INIT(2 * ASK_FORM_TEXT_MAX), spaced = BUF_INIT(2 * ASK_FORM_TEXT_MAX + 2),
				 joined = BUF_INIT(2 * ASK_FORM_TEXT_MAX);

	if (!inside.n)
		return false;
	/* What is too long to look at is no question for a person. */
	if (fold_text(&text, inside) < 0 || split(&text, &spaced, &joined) < 0)
		return true;
	for (const char *const *w = words->joined; joined.len && *w; w++)
		if (memmem(joined.data, joined.len, *w, strlen(*w)))
			return true;
	for (const char *const *w = words->whole; *w; w++)
		if (has_whole(&spaced, *w))
			return true;
	return false;
}

/* --- fields --- */

/* A choice of yes and no holds no secret, whatever it is called. */
static bool is_for_secret(struct slice key, struct slice field)
{
	struct slice type = walk_string(walk_get(field, "type"));
	bool number = slice_is(type, "integer") || slice_is(type, "number");
	const struct words *names = number ? &of_number_names : &of_names;

	if (slice_is(type, "boolean"))
		return false;
	return slice_is(walk_string(walk_get(field, "format")), "password") || has_word(key, names) ||
	       has_word(walk_string(walk_get(field, "title")), names) ||
	       has_word(walk_string(walk_get(field, "description")),
		       number ? &of_number_descriptions : &of_descriptions);
}

static bool any_field_wants(struct slice properties)
{
	struct walk w = walk_object(properties);
	struct slice key, field;

	while (walk_member(&w, &key, &field))
		if (is_for_secret(key, field))
			return true;
	return false;
}

/* Fields may be below allOf and the like, which some clients follow. The reader has bounded the depth. */
static bool schema_wants(struct slice schema)
{
	struct walk w = walk_object(schema), elements = walk_array(schema);
	struct slice key, value;

	while (walk_member(&w, &key, &value)) {
		if (slice_is(key, "properties") && any_field_wants(value))
			return true;
		if (schema_wants(value))
			return true;
	}
	while (walk_element(&elements, &value))
		if (schema_wants(value))
			return true;
	return false;
}

bool ask_form_wants_secret(struct slice message, struct slice schema)
{
	return schema_wants(schema) || has_word(message, &of_messages) ||
	       has_word(walk_string(walk_get(schema, "title")), &of_messages) ||
	       has_word(walk_string(walk_get(schema, "description")), &of_messages);
}

/* --- keys of a form by which one peer finds what it shows and another, who folds, something else --- */

static bool imitates_form_key(struct slice key)
{
	static const char *const names[] = { "properties", "type", "title", "description", "format", "items", "enum",
		"oneOf", "anyOf", "allOf", "enumNames", "default", "required" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fold_equal(key.p, key.n, names[i], strlen(names[i])))
			return !slice_is(key, names[i]);
	return false;
}

/* Names of fields are the server's own; what they are is not. */
static bool imitates(struct slice value, bool names)
{
	struct walk w = walk_object(value), elements = walk_array(value);
	struct slice key, inner;

	while (walk_member(&w, &key, &inner))
		if ((!names && imitates_form_key(key)) || imitates(inner, !names && slice_is(key, "properties")))
			return true;
	while (walk_element(&elements, &inner))
		if (imitates(inner, false))
			return true;
	return false;
}

bool ask_form_imitates(struct slice schema)
{
	return imitates(schema, false);
}
