// SPDX-License-Identifier: GPL-2.0
#include "vhd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

static const char * const vhd_modes[] = {
	[VHOST_DOORBELL_MODE_AUTO]	= "auto",
	[VHOST_DOORBELL_MODE_WORKER]	= "worker",
	[VHOST_DOORBELL_MODE_INLINE]	= "inline",
	[VHOST_DOORBELL_MODE_POLL]	= "poll",
};

static const char * const vhd_bell_modes[] = {
	[VHOST_DOORBELL_BELL_HOOK]	= "hook",
	[VHOST_DOORBELL_BELL_WORKER]	= "worker",
	[VHOST_DOORBELL_BELL_INLINE]	= "inline",
};

#define VHD_NR_MODES		(sizeof(vhd_modes) / sizeof(vhd_modes[0]))
#define VHD_NR_BELL_MODES	(sizeof(vhd_bell_modes) / sizeof(vhd_bell_modes[0]))

static int vhd_ioctl(int dev, unsigned long request, const void *arg)
{
	return ioctl(dev, request, arg) < 0 ? -errno : 0;
}

int vhd_dev_open(const char *path)
{
	int fd = open(path ? path : VHD_DEV_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vhd_set_owner(int dev)
{
	return vhd_ioctl(dev, VHOST_SET_OWNER, NULL);
}

int vhd_get_features(int dev, uint64_t *features)
{
	__u64 value = 0;
	int ret = vhd_ioctl(dev, VHOST_GET_FEATURES, &value);

	*features = value;
	return ret;
}

int vhd_set_features(int dev, uint64_t features)
{
	__u64 value = features;

	return vhd_ioctl(dev, VHOST_SET_FEATURES, &value);
}

int vhd_set_mem_table(int dev, const struct vhost_memory *mem)
{
	return vhd_ioctl(dev, VHOST_SET_MEM_TABLE, mem);
}

int vhd_set_vring_num(int dev, uint32_t index, uint32_t num)
{
	struct vhost_vring_state state = { .index = index, .num = num };

	return vhd_ioctl(dev, VHOST_SET_VRING_NUM, &state);
}

int vhd_set_vring_addr(int dev, const struct vhost_vring_addr *addr)
{
	return vhd_ioctl(dev, VHOST_SET_VRING_ADDR, addr);
}

int vhd_set_vring_base(int dev, uint32_t index, uint32_t base)
{
	struct vhost_vring_state state = { .index = index, .num = base };

	return vhd_ioctl(dev, VHOST_SET_VRING_BASE, &state);
}

int vhd_get_vring_base(int dev, uint32_t index, uint32_t *base)
{
	struct vhost_vring_state state = { .index = index };
	int ret = vhd_ioctl(dev, VHOST_GET_VRING_BASE, &state);

	if (!ret)
		*base = state.num;
	return ret;
}

static int vhd_set_vring_file(int dev, unsigned long request, uint32_t index,
			      int fd)
{
	struct vhost_vring_file file = { .index = index, .fd = fd };

	return vhd_ioctl(dev, request, &file);
}

int vhd_set_vring_kick(int dev, uint32_t index, int fd)
{
	return vhd_set_vring_file(dev, VHOST_SET_VRING_KICK, index, fd);
}

int vhd_set_vring_call(int dev, uint32_t index, int fd)
{
	return vhd_set_vring_file(dev, VHOST_SET_VRING_CALL, index, fd);
}

int vhd_set_vring_err(int dev, uint32_t index, int fd)
{
	return vhd_set_vring_file(dev, VHOST_SET_VRING_ERR, index, fd);
}

int vhd_get_info(int dev, struct vhost_doorbell_info *info)
{
	memset(info, 0, sizeof(*info));
	return vhd_ioctl(dev, VHOST_DOORBELL_GET_INFO, info);
}

int vhd_set_blk(int dev, const struct vhost_doorbell_blk *blk)
{
	return vhd_ioctl(dev, VHOST_DOORBELL_SET_BLK, blk);
}

int vhd_set_net(int dev, const struct vhost_doorbell_net *net)
{
	return vhd_ioctl(dev, VHOST_DOORBELL_SET_NET, net);
}

int vhd_set_net_port(int dev, uint32_t pair, int fd)
{
	struct vhost_doorbell_net_port arg = { .pair = pair, .fd = fd };

	return vhd_ioctl(dev, VHOST_DOORBELL_SET_NET_PORT, &arg);
}

int vhd_set_net_dev(int dev, struct vhost_doorbell_net_dev *net_dev)
{
	return vhd_ioctl(dev, VHOST_DOORBELL_SET_NET_DEV, net_dev);
}

int vhd_get_net_stats(int dev, uint32_t pair,
		      struct vhost_doorbell_net_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->pair = pair;
	return vhd_ioctl(dev, VHOST_DOORBELL_GET_NET_STATS, stats);
}

int vhd_get_config(int dev, uint32_t offset, void *data, uint32_t size)
{
	struct vhost_doorbell_config config = {
		.offset = offset,
		.size = size,
	};
	int ret;

	if (size > sizeof(config.data))
		return -EINVAL;
	ret = vhd_ioctl(dev, VHOST_DOORBELL_GET_CONFIG, &config);
	if (!ret)
		memcpy(data, config.data, size);
	return ret;
}

int vhd_set_claim(int dev, int fd)
{
	struct vhost_doorbell_claim claim = { .fd = fd };

	return vhd_ioctl(dev, VHOST_DOORBELL_SET_CLAIM, &claim);
}

int vhd_set_log(int dev, uint64_t addr, uint64_t size)
{
	struct vhost_doorbell_log log = { .user_addr = addr, .size = size };

	return vhd_ioctl(dev, VHOST_DOORBELL_SET_LOG, &log);
}

int vhd_adopt(int dev, const struct vhost_memory *mem)
{
	return vhd_ioctl(dev, VHOST_DOORBELL_ADOPT, mem);
}

int vhd_set_inflight(int dev, uint32_t index, uint64_t addr, uint64_t size)
{
	struct vhost_doorbell_inflight inflight = {
		.index = index, .user_addr = addr, .size = size,
	};

	return vhd_ioctl(dev, VHOST_DOORBELL_SET_INFLIGHT, &inflight);
}

int vhd_resize(int dev, uint64_t *sectors)
{
	__u64 value = 0;
	int ret = vhd_ioctl(dev, VHOST_DOORBELL_RESIZE, &value);

	*sectors = value;
	return ret;
}

int vhd_set_config(int dev, uint32_t offset, const void *data, uint32_t size)
{
	struct vhost_doorbell_config config = {
		.offset = offset,
		.size = size,
	};

	if (size > sizeof(config.data))
		return -EINVAL;
	memcpy(config.data, data, size);
	return vhd_ioctl(dev, VHOST_DOORBELL_SET_CONFIG, &config);
}

int vhd_get_exec(int dev, struct vhost_doorbell_exec *exec)
{
	memset(exec, 0, sizeof(*exec));
	return vhd_ioctl(dev, VHOST_DOORBELL_GET_EXEC, exec);
}

int vhd_set_exec(int dev, const struct vhost_doorbell_exec *exec)
{
	return vhd_ioctl(dev, VHOST_DOORBELL_SET_EXEC, exec);
}

int vhd_set_run(int dev, uint32_t index, int run, uint32_t flags)
{
	struct vhost_doorbell_run arg = {
		.index = index,
		.run = !!run,
		.flags = flags,
	};

	return vhd_ioctl(dev, VHOST_DOORBELL_SET_RUN, &arg);
}

int vhd_get_stats(int dev, uint32_t index, struct vhost_doorbell_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->index = index;
	return vhd_ioctl(dev, VHOST_DOORBELL_GET_STATS, stats);
}

int vhd_get_mem_stats(int dev, struct vhost_doorbell_mem_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	return vhd_ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, stats);
}

int vhd_create_bell(int dev, uint32_t mode)
{
	struct vhost_doorbell_bell arg = { .mode = mode };
	int fd = ioctl(dev, VHOST_DOORBELL_CREATE_BELL, &arg);

	return fd < 0 ? -errno : fd;
}

int vhd_bell_ring(int bell, uint64_t count)
{
	return vhd_ioctl(bell, VHOST_DOORBELL_BELL_RING, &count);
}

int vhd_bell_wire(int bell, int fd)
{
	struct vhost_doorbell_bell_wire arg = { .fd = fd };

	return vhd_ioctl(bell, VHOST_DOORBELL_BELL_WIRE, &arg);
}

int vhd_bell_unwire(int bell, int fd)
{
	struct vhost_doorbell_bell_wire arg = { .fd = fd };

	return vhd_ioctl(bell, VHOST_DOORBELL_BELL_UNWIRE, &arg);
}

int vhd_bell_set_mark(int bell, uint64_t mark)
{
	return vhd_ioctl(bell, VHOST_DOORBELL_BELL_SET_MARK, &mark);
}

int vhd_bell_get_stats(int bell, struct vhost_doorbell_bell_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	return vhd_ioctl(bell, VHOST_DOORBELL_BELL_GET_STATS, stats);
}

static int word_parse(const char *const *words, unsigned int n, const char *word)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -EINVAL;
}

int vhd_bell_mode_parse(const char *word)
{
	return word_parse(vhd_bell_modes, VHD_NR_BELL_MODES, word);
}

const char *vhd_bell_mode_name(uint32_t mode)
{
	return mode < VHD_NR_BELL_MODES ? vhd_bell_modes[mode] : NULL;
}

int vhd_mode_parse(const char *word)
{
	return word_parse(vhd_modes, VHD_NR_MODES, word);
}

const char *vhd_mode_name(uint32_t mode)
{
	return mode < VHD_NR_MODES ? vhd_modes[mode] : NULL;
}
