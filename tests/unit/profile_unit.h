/* SPDX-License-Identifier: Apache-2.0 */
/* profile_unit - profiles that the tests of several parts read */
#pragma once
#include "supervisor/profile_parse.h"
#include "tests/unit/unit.h"

#define HEAD "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"prog\"]"
/* A profile with one more member, on its second line. */
#define WITH(member) HEAD ",\n" member "}"

static inline void parse_ok(const char *text, struct profile *ret)
{
	struct diag d = { 0 };

	if (profile_parse("x.json", text, strlen(text), NULL, ret, &d) < 0)
		fail_msg("%s", d.text);
}

__attribute__((unused)) static const char whole[] =
	"{\n"
	"  \"$schema\": \"https://example.com/schema.json\",\n"
	"  \"stockade\": 1, \"name\": \"whole\", \"version\": 4, \"description\": \"d\",\n"
	"  \"owner\": \"o@example.com\", \"reviewed\": \"2026-10-01\", \"expires\": \"2999-04-01T00:00:00Z\",\n"
	"  \"approval\": {\"by\": \"a@example.com\", \"ticket\": \"SEC-1\"},\n"
	"  \"data\": {\"classification\": \"internal\", \"residency\": [\"eu\"]},\n"
	"  \"package\": {\"npm\": \"p\", \"version\": \"1.2.3\"},\n"
	"  \"parameters\": {\"dirs\": {\"type\": \"directory\", \"many\": true}, \"n\": {\"type\": \"integer\", "
	"\"default\": 3}},\n"
	"  \"command\": [\"node\", \"--n=${n}\", \"${dirs}\"], \"cwd\": \"~\",\n"
	"  \"env\": {\"set\": {\"FILE\": \"~/f\"}, \"pass\": [\"TOKEN\"]},\n"
	"  \"filesystem\": {\"read\": [\"${dirs}\",\n"
	"     \"?~/absent\"], \"write\": [], \"protect\": \"none\", \"deny\": [\"**/.env\", \"~/no\"], \"home\": "
	"\"private\", \"tmp\": \"1MiB\"},\n"
	"  \"network\": {\"allow\": [], \"publish\": []}, \"ipc\": {\"unix\": []}, \"seccomp\": \"browser\",\n"
	"  \"limits\": {\"processes\": 9, \"files\": 99, \"message\": \"1MiB\"},\n"
	"  \"tools\": {\"allow\": [\"get_*\",\n"
	"      {\"name\": \"create_issue\"}],\n"
	"    \"deny\": [\n\"delete_*\"]},\n"
	"  \"resources\": {\"allow\": [\"file:///?x=[1]\"]}, \"prompts\": {\"deny\": [\"p\"]}, \"extensions\": "
	"{\"allow\": [\"x/*\"]},\n"
	"  \"client\": {\"sampling\": true, \"elicitation\": true, \"roots\": [\"${dirs}\"]},\n"
	"  \"audit\": {\"arguments\": \"hash\", \"delete_after\": \"90d\"}\n"
	"}\n";
