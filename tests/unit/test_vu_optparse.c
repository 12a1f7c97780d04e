// SPDX-License-Identifier: GPL-2.0
/*
 * optparse.c: values that it stores, options that it refuses, messages that it
 * prints
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "optparse.h"
#include "test_vu.h"

#define MAX_ARGS	8

enum colour { RED, GREEN, BLUE };

static struct values {
	bool	     flag;
	bool	     choice_flag;
	uint16_t     small;
	unsigned int number;
	uint64_t     size;
	uint32_t     power;
	uint64_t     ns;
	const char  *text;
	enum colour  colour;
	unsigned int calls;
	char	     last[32];
} v;

static struct other {
	uint64_t     value;
} other;

static int take_call(struct optparse *p, void *base, char *value)
{
	struct values *o = base;

	if (!strcmp(value, "never"))
		return optparse_refuse(p, "'%s' is too late", value);
	if (!strcmp(value, "io"))
		return -EIO;
	o->calls++;
	snprintf(o->last, sizeof(o->last), "%s", value);
	/* A callback may write to the value. */
	*value = '\0';
	return 0;
}

#define OPTPARSE_TYPE	struct values

static const struct optparse_row rows[] = {
	OPT_TEXT("A paragraph."),
	OPT_FLAG("flag", flag, "a flag", .letter = 'f'),
	OPT_CHOICE("when", choice_flag, "now|later", "a choice of two"),
	OPT_NUMBER("small", small, "N", 0, UINT16_MAX, "16 bits"),
	OPT_NUMBER("number", number, "N", 1, 64, "a number", .letter = 'n',
		   .group = 1),
	OPT_SIZE("size", size, "BYTES", 0, UINT64_MAX, "a size"),
	OPT_SIZE("least", size, "BYTES", 4096, UINT64_MAX, "a size from 4k on"),
	OPT_SIZE("power", power, "BYTES", 4096, 1 << 20, "a power of 2",
		 .power_of_2 = true, .group = 2),
	OPT_SECONDS("interval", ns, 10000000, 86400000000000, "a time"),
	OPT_STRING("text", text, "TEXT", "a text of at most 5 bytes", .max = 5,
		   .letter = 't'),
	OPT_CHOICE("colour", colour, "red|green|blue", "a choice of three"),
	OPT_CALL("call", take_call, "TIME", "is called", .no_setting = true),
	OPT_END("help", 'h', "ends it"),
};

#undef OPTPARSE_TYPE
#define OPTPARSE_TYPE	struct other

static const struct optparse_row others[] = {
	OPT_SIZE("numbers", value, "N", 0, 9, "in another structure"),
};

static const struct optparse_table tables[] = {
	{ rows, sizeof(rows) / sizeof(*rows), &v },
	{ others, sizeof(others) / sizeof(*others), &other },
};

static struct optparse parser = {
	.program = "prog", .table = tables, .num_tables = 2,
};

static char words[MAX_ARGS][64], *args[MAX_ARGS + 1], said[512];

/* Splits a command line into words; "_" is an empty word. */
static int split(const char *line)
{
	char text[256], *save, *word;
	int n = 1;

	strcpy(words[0], "prog");
	strcpy(text, line);
	for (word = strtok_r(text, " ", &save); word && n < MAX_ARGS;
	     word = strtok_r(NULL, " ", &save))
		strcpy(words[n++], strcmp(word, "_") ? word : "");
	for (int i = 0; i < n; i++)
		args[i] = words[i];
	args[n] = NULL;
	return n;
}

static int run(const char *line, int *first)
{
	int argc = split(line), out = test_capture(), ret;

	v = (struct values){ .number = 5 };
	other.value = 0;
	parser.given = 0;
	ret = optparse_run(&parser, argc, args, first);
	test_capture_end(out, said, sizeof(said));
	return ret;
}

static int set(const char *name, const char *value)
{
	static char text[64];
	int out = test_capture(), ret;

	strcpy(text, value);
	ret = optparse_set(&parser, name, text);
	test_capture_end(out, said, sizeof(said));
	return ret;
}

static void test_stored(void)
{
	CHECK_EQ(run("", NULL), 0);
	CHECK_EQ(run("--flag --when later --small=65535 --number 64 --size=0x10k",
		     NULL), 0);
	CHECK(v.flag && v.choice_flag && v.small == 65535 && v.number == 64 &&
	      v.size == 16384);
	CHECK_EQ(run("--power 1M --interval=0.01 --text=a=b-c --colour=blue --call x",
		     NULL), 0);
	CHECK(v.power == 1 << 20 && v.ns == 10000000 && !strcmp(v.text, "a=b-c") &&
	      v.colour == BLUE && v.calls == 1 && !strcmp(v.last, "x"));
	CHECK_EQ(parser.given, 2);
	CHECK_EQ(run("-fn 7 -tx --numbers=9 --", NULL), 0);
	CHECK(v.flag && v.number == 7 && !strcmp(v.text, "x") && other.value == 9);
	CHECK_EQ(parser.given, 1);
	CHECK(!*said);
}

static void test_repeated(void)
{
	CHECK_EQ(run("--number=1 --flag --number=2 --flag --call=a --call=b", NULL), 0);
	CHECK(v.number == 2 && v.flag && v.calls == 2 && !strcmp(v.last, "b"));
	/* An invalid value is an error, even if a valid one follows. */
	CHECK_EQ(run("--number=x --number=2", NULL), -EINVAL);
}

static void test_arguments(void)
{
	int first = 0;

	CHECK_EQ(run("one --flag two -n 3 -- --four", &first), 0);
	CHECK(v.flag && v.number == 3 && !strcmp(args[first], "one") &&
	      !strcmp(args[first + 1], "two") && !strcmp(args[first + 2], "--four"));
	CHECK_EQ(run("--flag one", NULL), -EINVAL);
	CHECK(!strcmp(said, "prog: one: unexpected argument\n"));
}

static void test_wrong(void)
{
	static const struct {
		const char *line;
		const char *said;
	} bad[] = {
		{ "--number=x", "--number: 'x' is not a number from 1 to 64" },
		{ "--number 0", "--number: '0' is not a number from 1 to 64" },
		{ "--number 65", "--number: '65' is not a number from 1 to 64" },
		{ "-n65", "--number: '65' is not a number from 1 to 64" },
		{ "-n -1", "--number: '-1' is not a number from 1 to 64" },
		{ "--number=+1", "--number: '+1' is not a number from 1 to 64" },
		{ "--number=1k", "--number: '1k' is not a number from 1 to 64" },
		{ "--number=4294967297",
		  "--number: '4294967297' is not a number from 1 to 64" },
		{ "--number=18446744073709551617",
		  "--number: '18446744073709551617' is not a number from 1 to 64" },
		{ "--small=65536", "--small: '65536' is not a number from 0 to 65535" },
		{ "--size=4kB", "--size: '4kB' is not a number" },
		{ "--size=99999999T", "--size: '99999999T' is not a number" },
		{ "--least=1k", "--least: '1k' is not a number from 4k on" },
		{ "--power=6k", "--power: '6k' is not a power of 2 from 4k to 1M" },
		{ "--power=2M", "--power: '2M' is not a power of 2 from 4k to 1M" },
		{ "--interval=0", "--interval: '0' is not a number of seconds from "
				  "0.01 to 86400" },
		{ "--interval=1s", "--interval: '1s' is not a number of seconds from "
				   "0.01 to 86400" },
		{ "--text=longer", "--text: 'longer' is longer than 5 bytes" },
		{ "--colour=pink", "--colour: 'pink' is not red, green or blue" },
		{ "--colour=re", "--colour: 're' is not red, green or blue" },
		{ "--colour=red|green",
		  "--colour: 'red|green' is not red, green or blue" },
		{ "--when=never", "--when: 'never' is not now or later" },
		{ "--call=never", "--call: 'never' is too late" },
		{ "--number", "--number: needs a value, N" },
		{ "--number=", "--number: needs a value, N" },
		{ "--number _", "--number: needs a value, N" },
		{ "--text=", "--text: needs a value, TEXT" },
		{ "--call=", "--call: needs a value, TIME" },
		{ "-fn", "--number: needs a value, N" },
		{ "--flag=yes", "--flag: takes no value" },
		{ "--flag=", "--flag: takes no value" },
		{ "--unknown", "--unknown: unknown option, see --help" },
		{ "--unknown=3", "--unknown: unknown option, see --help" },
		{ "-x", "-x: unknown option, see --help" },
		{ "-fx", "-x: unknown option, see --help" },
		{ "-f=", "-=: unknown option, see --help" },
		{ "--f", "--f: unknown option, see --help" },
		{ "--fla", "--fla: unknown option, see --help" },
		{ "--numbe=3", "--numbe: unknown option, see --help" },
		{ "--numb 3", "--numb: unknown option, see --help" },
		{ "--pow --flag", "--pow: unknown option, see --help" },
		{ "--fla=3", "--fla: unknown option, see --help" },
		{ "--powe", "--powe: unknown option, see --help" },
		{ "---flag", "---flag: unknown option, see --help" },
		{ "--Flag", "--Flag: unknown option, see --help" },
	};
	char want[160];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_EQ(run(bad[i].line, NULL), -EINVAL);
		snprintf(want, sizeof(want), "prog: %s\n", bad[i].said);
		if (strcmp(said, want))
			printf("# %s: not %s# but %s", bad[i].line, want, said);
		CHECK(!strcmp(said, want));
		CHECK(v.number == 5 && !v.text && !v.calls && !other.value);
	}
	/*
	 * The parser returns the callback's error, and reads no further option.
	 */
	CHECK_EQ(run("--call=io --number=7", NULL), -EIO);
	CHECK(v.number == 5 && !*said);
}

static void test_settings(void)
{
	v = (struct values){ 0 };
	parser.place = "f:3";
	CHECK_EQ(set("number", "9"), 0);
	CHECK_EQ(set("flag", "yes"), 0);
	CHECK(v.number == 9 && v.flag);
	CHECK_EQ(set("flag", "no"), 0);
	CHECK(!v.flag);
	CHECK_EQ(set("flag", "maybe"), -EINVAL);
	CHECK(!strcmp(said, "prog: f:3: flag: 'maybe' is not yes or no\n"));
	CHECK_EQ(set("flag", ""), -EINVAL);
	CHECK_EQ(set("number", "65"), -EINVAL);
	CHECK(!strcmp(said, "prog: f:3: number: '65' is not a number from 1 to 64\n"));
	CHECK_EQ(set("text", ""), -EINVAL);
	CHECK(!strcmp(said, "prog: f:3: text: needs a value, TEXT\n"));
	CHECK_EQ(set("numb", "1"), -EINVAL);
	CHECK(!strcmp(said, "prog: f:3: numb: unknown setting\n"));
	CHECK_EQ(set("n", "1"), -EINVAL);
	CHECK_EQ(set("", "1"), -EINVAL);
	CHECK_EQ(set("help", "yes"), -EINVAL);
	CHECK(!strcmp(said, "prog: f:3: help: unknown setting\n"));
	CHECK_EQ(set("call", "x"), -EINVAL);
	CHECK(!v.calls);
	parser.place = NULL;
	CHECK_EQ(set("numb", "1"), -EINVAL);
	CHECK(!strcmp(said, "prog: numb: unknown setting\n"));
	CHECK_EQ(set("colour", "pink"), -EINVAL);
	CHECK(!strcmp(said, "prog: colour: 'pink' is not red, green or blue\n"));
}

static const char *ending(const char *line)
{
	int argc = split(line);
	const struct optparse_row *r = optparse_ending(&parser, argc, args);

	return r ? r->name : "";
}

static void test_before(void)
{
	CHECK(!strcmp(ending("--number=x --help"), "help"));
	CHECK(!strcmp(ending("-h"), "help"));
	CHECK(!strcmp(ending("--flag"), ""));
	CHECK(!strcmp(ending("--hel --help=1 -fh"), ""));
	CHECK(!strcmp(ending("-- --help"), ""));
	CHECK(!strcmp(optparse_peek(split("--kind=a --kind b"), args, "kind"), "b"));
	CHECK(!optparse_peek(split("--kinds=a kind -- --kind=b"), args, "kind"));
	CHECK(!optparse_peek(split("--kind"), args, "kind"));
}

static void test_help(void)
{
	static const char want[] =
		"  A paragraph.\n"
		"  -f, --flag              a flag\n"
		"      --when=now|later    a choice of two\n"
		"      --small=N           16 bits\n"
		"      --size=BYTES        a size\n"
		"      --least=BYTES       a size from 4k on\n"
		"      --power=BYTES       a power of 2\n"
		"      --interval=SECONDS  a time\n"
		"  -t, --text=TEXT         a text of at most 5 bytes\n"
		"      --colour=red|green|blue\n"
		"                          a choice of three\n"
		"      --call=TIME         is called\n"
		"  -h, --help              ends it\n"
		"      --numbers=N         in another structure\n";
	static const struct optparse_row wide[] = {
		OPT_END("w", 0, "a text that fills its line to the very last column, "
			"12 and goes on here"),
	};
	const struct optparse_table table = { wide, 1, NULL };
	const struct optparse p = { .table = &table, .num_tables = 1 };
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	optparse_help(&parser, f, 2);
	fflush(f);
	CHECK(!strcmp(text, want));
	optparse_help(&parser, f, 1);
	fflush(f);
	CHECK(strstr(text + sizeof(want) - 1, "-n, --number=N") &&
	      !strstr(text + sizeof(want) - 1, "--power"));
	rewind(f);
	optparse_help(&p, f, 0);
	fputc('\0', f);
	fclose(f);
	CHECK(!strcmp(text, "      --w                 a text that fills its line to the "
			    "very last column, 12\n"
			    "                          and goes on here\n"));
	free(text);
}

static const struct test tests[] = {
	{ "values of all kinds are stored", test_stored },
	{ "of an option that is given twice the last counts", test_repeated },
	{ "arguments that are no options", test_arguments },
	{ "wrong options, and what is said of them", test_wrong },
	{ "lines of settings", test_settings },
	{ "what is looked for before the rest", test_before },
	{ "--help", test_help },
};

TEST_MAIN(tests)
