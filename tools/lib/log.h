/* SPDX-License-Identifier: GPL-2.0 */
/*
 * log - messages of the programs on stderr
 *
 * One line per message: "PROGRAM: INSTANCE: text". If stderr is systemd's journal, which
 * knows the program, the line is "<LEVEL>INSTANCE: text" (sd-daemon(3)). Only programs
 * and the server print; libraries return errors. The level and the name of the instance
 * are the only globals of the tools.
 */
#ifndef TOOLS_LIB_LOG_H
#define TOOLS_LIB_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

extern enum log_level log_level;

/*
 * Names the instance in each line, except in those that begin with the name. Only the
 * first name counts.
 */
void log_name(const char *name);
/* As log_name(), with the name of a settings file: DIRECTORY/NAME.conf */
void log_name_of_file(const char *path);

/* Whether @fd is systemd's journal. */
bool log_is_journal(int fd);

/* Prints control characters as \xNN: one message is one line. */
void log_print(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_err(...)	log_print(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)	log_print(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_print(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_print(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
