// SPDX-License-Identifier: GPL-2.0
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fd.h"
#include "number.h"

static int parse_id(const char *name)
{
	uint64_t id;

	return number_decimal(name, INT32_MAX, &id) ? -EINVAL : (int)id;
}

static FILE *open_in(int dir, const char *path)
{
	_cleanup_fd_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	FILE *file;

	if (fd < 0)
		return NULL;
	file = fdopen(fd, "r");
	if (file)
		steal_fd(&fd);
	return file;
}

static DIR *open_dir_in(int dir, const char *path)
{
	_cleanup_fd_ int fd = openat(dir, path,
				     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;

	if (fd < 0)
		return NULL;
	stream = fdopendir(fd);
	if (stream)
		steal_fd(&fd);
	return stream;
}

static void read_comm(int dir, struct scan_holder *holder)
{
	FILE *file = open_in(dir, "comm");

	strcpy(holder->comm, "?");
	if (!file)
		return;
	if (fgets(holder->comm, sizeof(holder->comm), file))
		holder->comm[strcspn(holder->comm, "\n")] = '\0';
	fclose(file);
}

enum kind { OTHER, DEVICE, BELL, TAP };

/*
 * Tells by its path whether a descriptor is a device, a bell or a tap: then
 * only their fdinfo has to be read. The path is that of the opener's mount
 * namespace, so only its last part is compared.
 */
static enum kind kind_of(int fds, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fds, name, target, sizeof(target) - 1);
	const char *last;

	if (n <= 0)
		return OTHER;
	target[n] = '\0';
	if (!strcmp(target, "anon_inode:[vhost-doorbell-bell]"))
		return BELL;
	if (!strcmp(target, "/dev/net/tun"))
		return TAP;
	last = strrchr(target, '/');
	return last && !strncmp(last + 1, "vhost-doorbell", 14) ? DEVICE : OTHER;
}

static int holder_add(struct scan_holder **list, size_t *num,
		      const struct scan_holder *holder)
{
	struct scan_holder *more;

	more = reallocarray(*list, *num + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*list = more;
	more[(*num)++] = *holder;
	return 0;
}

static struct scan_dev *dev_add(struct scan *scan, struct fdinfo *info)
{
	struct scan_dev **more, *dev;

	more = reallocarray(scan->dev, scan->num_devs + 1, sizeof(*more));
	if (!more)
		return NULL;
	scan->dev = more;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return NULL;
	dev->info = *info;
	/* @dev owns the details now. */
	memset(&info->detail, 0, sizeof(info->detail));
	more[scan->num_devs++] = dev;
	return dev;
}

static int read_dev(struct scan *scan, FILE *in,
		    const struct scan_holder *holder)
{
	struct fdinfo *info = malloc(sizeof(*info));
	struct scan_dev *dev;
	int ret = info ? fdinfo_parse(in, info) : -ENOMEM;

	if (!ret) {
		dev = scan_find(scan, info->id);
		if (!dev)
			dev = dev_add(scan, info);
		ret = dev ? holder_add(&dev->holder, &dev->num_holders, holder) :
			    -ENOMEM;
	}
	if (info)
		fdinfo_free(info);
	free(info);
	scan->num_bad += ret == -EINVAL;
	return ret;
}

static struct scan_bell *bell_add(struct scan *scan,
				  const struct fdinfo_bell *info)
{
	struct scan_bell **more, *bell;

	more = reallocarray(scan->bell, scan->num_bells + 1, sizeof(*more));
	if (!more)
		return NULL;
	scan->bell = more;
	bell = calloc(1, sizeof(*bell));
	if (!bell)
		return NULL;
	bell->info = *info;
	more[scan->num_bells++] = bell;
	return bell;
}

static int read_bell(struct scan *scan, FILE *in,
		     const struct scan_holder *holder)
{
	struct scan_bell *bell = NULL;
	struct fdinfo_bell info;
	int ret = fdinfo_parse_bell(in, &info);

	scan->num_bad_bells += ret == -EINVAL;
	if (ret)
		return ret;
	for (size_t i = 0; i < scan->num_bells && !bell; i++)
		if (scan->bell[i]->info.id == info.id)
			bell = scan->bell[i];
	if (!bell)
		bell = bell_add(scan, &info);
	return bell ? holder_add(&bell->holder, &bell->num_holders, holder) :
		      -ENOMEM;
}

/* Reads the name of the interface that a tap's queue is attached to */
static void read_tap(FILE *in, char *tap, size_t size)
{
	char line[128];

	while (fgets(line, sizeof(line), in))
		if (!strncmp(line, "iff:\t", 5))
			snprintf(tap, size, "%.*s",
				 (int)strcspn(line + 5, "\n"), line + 5);
}

/*
 * The module does not report which tap a card uses, but the daemon has the tap
 * open, too.
 */
static void note_tap(struct scan *scan, const char *tap, pid_t pid)
{
	for (size_t i = 0; i < scan->num_devs; i++) {
		struct scan_dev *dev = scan->dev[i];

		if (dev->holder[dev->num_holders - 1].pid == pid &&
		    !strcmp(dev->info.port, "tap"))
			strcpy(dev->tap, tap);
	}
}

static int scan_fd(struct scan *scan, int process, struct scan_holder *holder,
		   enum kind kind, char *tap)
{
	char path[32];
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), "fdinfo/%d", holder->fd);
	file = open_in(process, path);
	if (!file)
		return 0;	/* the file was closed, or the process ended */
	if (kind == TAP)
		read_tap(file, tap, sizeof(((struct scan_dev *)0)->tap));
	else if (kind == BELL)
		ret = read_bell(scan, file, holder);
	else
		ret = read_dev(scan, file, holder);
	fclose(file);
	return ret == -ENOMEM ? ret : 0;
}

/*
 * Finds the path of the Unix socket @inode in /proc/net/unix. Returns how many lines have
 * that inode. More than one: another program has put a line break and such a line into
 * the path of its own socket, and @path is empty.
 */
static unsigned int find_socket(FILE *in, unsigned long inode, char *path)
{
	char line[PATH_MAX + 128];
	unsigned int lines = 0;
	unsigned long found;
	int at;

	rewind(in);
	*path = '\0';
	while (fgets(line, sizeof(line), in)) {
		at = 0;
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %n", &found,
			   &at) < 1 || found != inode)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (!lines++ && line[at] == '/' && strlen(line + at) < PATH_MAX)
			strcpy(path, line + at);
	}
	if (lines > 1)
		*path = '\0';
	return lines;
}

/*
 * Each network namespace has a list of its own. A daemon with PrivateNetwork= got its
 * socket from the service manager, whose namespace is most likely ours.
 */
static bool find_path(int proc, int process, unsigned long inode, char *path)
{
	static const char * const files[] = { "net/unix", "self/net/unix" };

	for (int i = 0; i < 2; i++) {
		FILE *in = open_in(i ? proc : process, files[i]);
		unsigned int lines = in ? find_socket(in, inode, path) : 0;

		if (in)
			fclose(in);
		if (lines)
			return *path;
	}
	return false;
}

/*
 * May this descriptor be of a Unix socket? A socket of another family has an inode, too,
 * which a user could put into a made-up line of /proc/net/unix.
 */
static bool may_be_unix(DIR *fds, const char *name)
{
	char path[300], proto[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd(fds), name);
	n = getxattr(path, "system.sockprotoname", proto, sizeof(proto));
	return n < 4 || !memcmp(proto, "UNIX", 4);
}

/* The listening socket and its connections all show the path it is bound to. */
static void read_socket(int proc, int process, DIR *fds, struct scan_dev *dev)
{
	struct dirent *entry;
	unsigned long inode;
	char target[64];
	ssize_t n;

	rewinddir(fds);
	while ((entry = readdir(fds))) {
		n = readlinkat(dirfd(fds), entry->d_name, target,
			       sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (sscanf(target, "socket:[%lu]", &inode) == 1 &&
		    may_be_unix(fds, entry->d_name) &&
		    find_path(proc, process, inode, dev->socket))
			break;
	}
}

static bool ends_with(const char *at, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - at) > n && !memcmp(end - n, with, n);
}

/*
 * "/A.slice/B.slice/NAME.service": with slices only above it this is a unit of the
 * system's manager. Users and containers can give theirs any name, below a service or
 * scope.
 */
static void parse_path(const char *at, const char *line_end, char *to, size_t size)
{
	const char *end;

	for (; *at == '/'; at = end) {
		at++;
		end = at + strcspn(at, "/\n");
		if (ends_with(at, end, ".slice"))
			continue;
		if (end == line_end && ends_with(at, end, ".service") &&
		    !strncmp(at, "vhost-doorbell-", 15) &&
		    memchr(at, '@', end - at) && (size_t)(end - at - 8) < size)
			snprintf(to, size, "%.*s", (int)(end - at - 8), at);
		return;
	}
}

void scan_parse_unit(const char *text, char *to, size_t size)
{
	const char *end;

	*to = '\0';
	for (; *text; text = *end ? end + 1 : end) {
		const char *path;

		end = text + strcspn(text, "\n");
		/* ID:CONTROLLERS:PATH */
		path = memchr(text, ':', end - text);
		path = path ? memchr(path + 1, ':', end - path - 1) : NULL;
		if (path)
			parse_path(path + 1, end, to, size);
	}
}

static void read_unit(int process, struct scan_dev *dev)
{
	FILE *file = open_in(process, "cgroup");
	char text[PATH_MAX];
	size_t n;

	if (!file)
		return;
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	scan_parse_unit(text, dev->unit, sizeof(dev->unit));
	fclose(file);
}

/*
 * Reads the names of devices from their daemon. Process 1 is skipped: its own
 * names are others.
 */
static void read_names(struct scan *scan, int proc, int process, DIR *fds,
		       pid_t pid)
{
	if (pid == 1)
		return;
	for (size_t i = 0; i < scan->num_devs; i++) {
		struct scan_dev *dev = scan->dev[i];

		if (dev->holder[dev->num_holders - 1].pid != pid)
			continue;
		if (!*dev->unit)
			read_unit(process, dev);
		if (!*dev->socket)
			read_socket(proc, process, fds, dev);
	}
}

static int scan_process(struct scan *scan, int proc, const char *name)
{
	struct scan_holder holder = { .pid = parse_id(name) };
	_cleanup_fd_ int process = -1;
	char tap[sizeof(((struct scan_dev *)0)->tap)] = "";
	struct dirent *entry;
	enum kind kind;
	int ret = 0;
	DIR *fds;

	process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0)
		return 0;
	fds = open_dir_in(process, "fd");
	if (!fds) {
		scan->num_hidden += errno == EACCES || errno == EPERM;
		return 0;
	}
	while (!ret && (entry = readdir(fds))) {
		holder.fd = parse_id(entry->d_name);
		kind = kind_of(dirfd(fds), entry->d_name);
		if (holder.fd < 0 || kind == OTHER)
			continue;
		read_comm(process, &holder);
		ret = scan_fd(scan, process, &holder, kind, tap);
	}
	if (!ret && holder.comm[0])
		read_names(scan, proc, process, fds, holder.pid);
	closedir(fds);
	if (!ret && *tap)
		note_tap(scan, tap, holder.pid);
	return ret;
}

/*
 * Process 1 only stores descriptors for another process, so it is the last
 * choice.
 */
static int compare_holders(const void *a, const void *b)
{
	const struct scan_holder *x = a, *y = b;

	if ((x->pid == 1) != (y->pid == 1))
		return x->pid == 1 ? 1 : -1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

static int compare_ids(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_devs(const void *a, const void *b)
{
	const struct scan_dev *const *x = a, *const *y = b;

	return compare_ids((*x)->info.id, (*y)->info.id);
}

static int compare_bells(const void *a, const void *b)
{
	const struct scan_bell *const *x = a, *const *y = b;

	return compare_ids((*x)->info.id, (*y)->info.id);
}

static void sort_all(struct scan *scan)
{
	if (scan->num_devs)
		qsort(scan->dev, scan->num_devs, sizeof(scan->dev[0]),
		      compare_devs);
	if (scan->num_bells)
		qsort(scan->bell, scan->num_bells, sizeof(scan->bell[0]),
		      compare_bells);
	for (size_t i = 0; i < scan->num_devs; i++)
		qsort(scan->dev[i]->holder, scan->dev[i]->num_holders,
		      sizeof(struct scan_holder), compare_holders);
	for (size_t i = 0; i < scan->num_bells; i++)
		qsort(scan->bell[i]->holder, scan->bell[i]->num_holders,
		      sizeof(struct scan_holder), compare_holders);
}

int scan_run(const char *proc, struct scan *scan)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	memset(scan, 0, sizeof(*scan));
	dir = open_dir_in(AT_FDCWD, proc);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (parse_id(entry->d_name) > 0)
			ret = scan_process(scan, dirfd(dir), entry->d_name);
	closedir(dir);
	if (ret) {
		scan_free(scan);
		return ret;
	}
	sort_all(scan);
	return 0;
}

void scan_free(struct scan *scan)
{
	for (size_t i = 0; i < scan->num_devs; i++) {
		fdinfo_free(&scan->dev[i]->info);
		free(scan->dev[i]->holder);
		free(scan->dev[i]);
	}
	free(scan->dev);
	for (size_t i = 0; i < scan->num_bells; i++) {
		free(scan->bell[i]->holder);
		free(scan->bell[i]);
	}
	free(scan->bell);
	memset(scan, 0, sizeof(*scan));
}

struct scan_dev *scan_find(const struct scan *scan, uint64_t id)
{
	for (size_t i = 0; i < scan->num_devs; i++)
		if (scan->dev[i]->info.id == id)
			return scan->dev[i];
	return NULL;
}
