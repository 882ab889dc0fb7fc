/* SPDX-License-Identifier: Apache-2.0 */
/* test_schema_numbers - decimals compared, divided and hashed as they are spelt */
#include "tests/unit/unit.h"
#include "base/cleanup.h"
#include "schema/number.h"

static struct number number_of(const char *text)
{
	struct number n;

	assert_int_equal(number_read(text, strlen(text), &n), NUMBER_OK);
	return n;
}

static void numbers_that_json_does_not_know_are_refused(void **state)
{
	static const char *const bad[] = { "", "-", "+1", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1 ",
		"--1", "1e1.5", "1..2", "NaN" };
	struct number n;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(number_read(bad[i], strlen(bad[i]), &n), NUMBER_SYNTAX);
	assert_int_equal(number_read("1e1000000000", 12, &n), NUMBER_EXPONENT);
	assert_int_equal(number_read("1e-0000000000999999999", 22, &n), NUMBER_OK);
}

static void numbers_compare_by_value_and_not_by_spelling(void **state)
{
	/* from the smallest up; those in one row are equal */
	static const char *const rows[][4] = {
		{ "-1e999999999" },
		{ "-9007199254740993", "-9.007199254740993e15" },
		{ "-9007199254740992" },
		{ "-1.5", "-15e-1" },
		{ "-1e-999999999" },
		{ "0", "-0", "0.0", "0e5" },
		{ "1e-999999999" },
		{ "0.1", "1e-1", "0.10", "0.01e1" },
		{ "0.1000000000000000000000000000001" },
		{ "1", "1.0", "10e-1", "0.001E+3" },
		{ "9.99" },
		{ "10", "1e1", "10.00" },
		{ "9007199254740992" },
		{ "9007199254740993", "9007199254740993.0" },
		{ "18446744073709551616" },
		{ "1e999999999", "10e999999998" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t j = 0; j < ARRAY_LEN(rows); j++)
			for (size_t x = 0; x < 4 && rows[i][x]; x++)
				for (size_t y = 0; y < 4 && rows[j][y]; y++) {
					struct number a = number_of(rows[i][x]), b = number_of(rows[j][y]);
					int c = number_compare(&a, &b), wanted = i < j ? -1 : i > j;
					if ((c > 0) - (c < 0) != wanted)
						fail_msg("%s beside %s: %d", rows[i][x], rows[j][y], c);
					if (i == j)
						assert_int_equal(number_hash(&a), number_hash(&b));
				}
}

static void multiples_are_exact(void **state)
{
	static const struct {
		const char *number, *divisor;
		bool multiple;
	} cases[] = {
		{ "0.3", "0.1", true },
		{ "4.02", "0.01", true },
		{ "19.99", "0.01", true },
		{ "19.995", "0.01", false },
		{ "9007199254740993", "2", false },
		{ "9007199254740994", "2", true },
		{ "1e308", "0.123456789", false },
		{ "123456789e300", "0.123456789", true },
		{ "1e999999999", "7", false },
		{ "7e999999999", "7", true },
		{ "-12", "4", true },
		{ "0", "0.7", true },
		{ "10", "100", false },
		{ "1000", "100", true },
		{ "1e-3", "1e-2", false },
		{ "999999999999999998000000000000000001", "999999999999999999", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct number n = number_of(cases[i].number), d = number_of(cases[i].divisor);
		struct number_divisor divisor;
		assert_true(number_to_divisor(&d, &divisor));
		if (number_is_multiple(&n, &divisor) != cases[i].multiple)
			fail_msg("%s by %s", cases[i].number, cases[i].divisor);
	}
}

static void a_divisor_is_above_zero_and_short(void **state)
{
	static const char *const bad[] = { "0", "-1", "1234567890123456789", "0.0" };
	struct number_divisor d;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct number n = number_of(bad[i]);
		assert_false(number_to_divisor(&n, &d));
	}
}

static void counts_are_whole_and_end_at_64_bits(void **state)
{
	static const struct {
		const char *text;
		bool is;
		uint64_t count;
	} cases[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "2.0", true, 2 },
		{ "12e2", true, 1200 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", true, UINT64_MAX },
		{ "99999999999999999999", true, UINT64_MAX },
		{ "1e30", true, UINT64_MAX },
		{ "1e999999999", true, UINT64_MAX },
		{ "1.5", false, 0 },
		{ "-1", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct number n = number_of(cases[i].text);
		uint64_t count = 0;
		assert_int_equal(number_to_count(&n, &count), cases[i].is);
		if (cases[i].is)
			assert_true(count == cases[i].count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_that_json_does_not_know_are_refused),
		cmocka_unit_test(numbers_compare_by_value_and_not_by_spelling),
		cmocka_unit_test(multiples_are_exact),
		cmocka_unit_test(a_divisor_is_above_zero_and_short),
		cmocka_unit_test(counts_are_whole_and_end_at_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
