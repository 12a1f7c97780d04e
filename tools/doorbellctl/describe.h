/* SPDX-License-Identifier: GPL-2.0 */
/* describe - facts about a device in words and in JSON */
#ifndef DOORBELLCTL_DESCRIBE_H
#define DOORBELLCTL_DESCRIBE_H

#include <stdint.h>
#include <stddef.h>

struct fdinfo;
struct json;
struct scan_dev;
struct scan_holder;

/*
 * @text for a terminal: names are chosen by others, and what steers terminals
 * becomes '?'. Gives @to.
 */
const char *describe_text(const char *text, char *to, size_t size);
/* "running", "stopped,broken", ... into @to. */
void describe_state(uint32_t state, char *to, size_t size);

/* "ready", "busy", "stopping" */
const char *describe_activity_name(const struct fdinfo *info);
/*
 * What a device is busy with, such as "stopping, waiting for 3 requests"; "" for one
 * that is not.
 */
void describe_activity(const struct fdinfo *info, char *to, size_t size);

/* Of a card: "tap NAME", "dev NAME", "macvtap", "none" into @to. Gives @to. */
const char *describe_port(const struct scan_dev *dev, char *to, size_t size);
/* The name of a feature bit of this device, or NULL. */
const char *describe_feature(const struct fdinfo *info, unsigned int bit);

/* The member "holders" of the open JSON object. */
void describe_json_holders(struct json *j, const struct scan_holder *holder,
			   size_t n);
/* Members of the open JSON object: what list tells, and the rest of show. */
void describe_json_head(struct json *j, const struct scan_dev *dev);
void describe_json_body(struct json *j, const struct scan_dev *dev);

#endif
