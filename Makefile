# SPDX-License-Identifier: GPL-2.0
#
# make modules         vhost_doorbell.ko for the running kernel (KDIR= another)
# make tools           user-space programs, into build/tools/bin
# make install         both, and the man pages (DESTDIR=, PREFIX=)
# make uninstall       remove them
# make demo            a guest on a disk that the host kernel serves, in a VM
# make demo-net        two guests on a network that the host kernel serves, in a VM
# make check           all tests; KERNELS="bookworm trixie trixie-backports"
# make check-all       the same, and each VM case on each of these kernels
# make check-debug     the VM tests on a kernel with KASAN and lockdep
# make bench           side by side with QEMU, qemu-storage-daemon, vhost-scsi
# make bench-profile   where the instructions of a request go, by function
# make bench-net       network cards, with vhost-net, QEMU, passt, DPDK
# make bench-net-profile  where the instructions of a frame go
# make bench-doc       all of these, into Documentation/benchmarks.rst
# make layout          cache lines of structures, into Documentation/layout.rst
# make bench-bell      what a ring of the doorbell costs, on the same kernels
# make features        Documentation/features.rst from what the tests say
# make clean           forget what was built here

KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build
PREFIX	?= /usr/local

# The kernel that the module is built for, which need not be the one that runs
module_release = $(or $(shell cat $(KDIR)/include/config/kernel.release),$(KVER))
module_path = $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR))

export VHD_VERSION := $(shell cat VERSION)

all: modules tools

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) W=1 modules

# kbuild runs depmod only if the headers have a System.map, which Debian's lack. Below
# DESTDIR none is run: what installs the package does that.
modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(module_path) DEPMOD=true modules_install
	$(if $(DESTDIR),,depmod $(module_release))

tools:
	$(MAKE) -C tools

install: modules_install
	$(MAKE) -C tools install PREFIX=$(PREFIX)

uninstall:
	rm -f $(addprefix $(DESTDIR)/lib/modules/$(module_release)/,\
		$(foreach d,updates extra,$(d)/drivers/vhost-doorbell/vhost_doorbell.ko*))
	$(if $(DESTDIR),,depmod $(module_release))
	$(MAKE) -C tools uninstall PREFIX=$(PREFIX)

demo:
	tests/vm/demo

demo-net:
	tests/vm/demo net

check:
	tests/run all

check-all:
	tests/run everywhere

check-debug:
	tests/run debug

lint unit fuzz vm:
	tests/run $@

bench:
	tests/bench/run

bench-profile:
	tests/bench/profile

bench-net:
	tests/bench/net

bench-net-profile:
	tests/bench/net-profile

bench-doc:
	tests/bench/document

bench-bell:
	tests/bench/bell

features:
	tests/features

layout:
	tests/layout

clean:
	[ ! -e $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf build

.PHONY: all modules modules_install tools install uninstall demo demo-net check check-all \
	check-debug lint unit fuzz vm bench bench-profile bench-net bench-net-profile \
	bench-doc bench-bell features layout clean
