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
 * Copies @text for a terminal. Other users may have chosen these names, so
 * control characters become '?'. Returns @to.
 */
const char *describe_text(const char *text, char *to, size_t size);
/* Writes "running", "stopped,broken" and so on to @to. */
void describe_state(uint32_t state, char *to, size_t size);

/* Returns "ready", "busy" or "stopping". */
const char *describe_activity_name(const struct fdinfo *info);
/*
 * Writes what the kernel does with the device, such as "stopping, waiting for 3
 * requests"; "" if it is ready.
 */
void describe_activity(const struct fdinfo *info, char *to, size_t size);

/*
 * Writes "tap NAME", "dev NAME", "macvtap" or "none" for a card. Returns @to.
 */
const char *describe_port(const struct scan_dev *dev, char *to, size_t size);
/* The name of a feature bit of this kind of device, or NULL. */
const char *describe_feature(const struct fdinfo *info, unsigned int bit);

/* Writes the member "holders" of the open JSON object. */
void describe_json_holders(struct json *j, const struct scan_holder *holder,
			   size_t n);
/*
 * Write members of the open JSON object: the head has what list shows, the body
 * the rest of show.
 */
void describe_json_head(struct json *j, const struct scan_dev *dev);
void describe_json_body(struct json *j, const struct scan_dev *dev);

#endif
