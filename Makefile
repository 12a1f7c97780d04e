# SPDX-License-Identifier: GPL-2.0
#
# make modules         vhost_doorbell.ko for the running kernel (KDIR= another)
# make tools           user-space programs, into build/tools/bin
# make install         both, man pages, units, udev rule (DESTDIR=, PREFIX=); see
#                      Documentation/guide.rst for what to run after it
# make uninstall       remove them
# make deb             Debian packages, into build/deb
# make demo            a guest on a disk that the host kernel serves, in a VM
# make demo-restart    a daemon that is killed again and again under a guest, in a VM
# make demo-migrate    a guest that moves from one QEMU to another, in a VM
# make demo-net        two guests on a network that the host kernel serves, in a VM
# make check           all tests; KERNELS="bookworm trixie trixie-backports"
# make check-all       the same, with each VM case on each of these kernels
# make check-debug     the VM tests on a kernel with KASAN and lockdep
# make check-races     the same on a kernel with KCSAN and UBSAN
# make matrix          disks, kernels, machines, firmware: a table; ROWS="rbd nvme-tcp"
# make mutation        small changes of the module that unit tests and fuzzers must
#                      notice: N=200 SEED=1
# make mutation-vm     the same with the VM tests: MUTANTS= (those that survived)
# make coverage        lines of the module that unit tests and fuzzers execute
# make fuzz-long       the fuzzers for HOURS=1, with a corpus that is kept: CORPUS=
# make races           what races with a load, 1000 times (CYCLES=; SEED= repeats a run)
# make soak            two guests with fio for HOURS=1
# make fuzz-kernel     fuzz the module in a VM, for SECONDS=60 or HOURS=
# make bench           compare disks with QEMU, qemu-storage-daemon, vhost-scsi
# make bench-profile   where the instructions of a request go, by function
# make bench-density   what 256 devices cost: instructions, threads, memory
# make bench-net       compare network cards with vhost-net, QEMU, passt, DPDK
# make bench-net-profile  where the instructions of a frame go
# make bench-host DISK=/dev/...  compare disks on this machine, on an unused disk
# make bench-doc       write the results of these into Documentation/benchmarks.rst
# make layout          write cache lines of structures into Documentation/layout.rst
# make bench-bell      what a ring of the doorbell costs, on the same kernels
# make features        write Documentation/features.rst from the tests' results
# make clean           remove what was built here

KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build
PREFIX	?= /usr/local

# Release of the kernel that the module is built for. It may differ from the
# running kernel.
module_release = $(or $(shell cat $(KDIR)/include/config/kernel.release),$(KVER))
module_path = $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR))

export VHD_VERSION := $(shell cat VERSION)

all: modules tools

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) W=1 modules

# kbuild runs depmod only if the kernel headers have a System.map; Debian's have none.
# With DESTDIR depmod is not run: the installation of the package does that.
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

deb:
	tests/vm/mkdeb build/deb

demo:
	tests/vm/demo

demo-net:
	tests/vm/demo net

demo-restart:
	tests/vm/demo restart

demo-migrate:
	tests/vm/demo migrate

check:
	tests/run all

check-all:
	tests/run everywhere

check-debug:
	tests/run debug

check-races:
	tests/run races

races:
	CYCLES=$(or $(CYCLES),1000) tests/run cycles

soak:
	HOURS=$(or $(HOURS),1) tests/run soak

lint unit fuzz vm:
	tests/run $@

matrix:
	tests/matrix/run $(ROWS)

mutation:
	tests/mutation/run

mutation-vm:
	tests/mutation/vm

coverage:
	tests/mutation/coverage

fuzz-long:
	tests/fuzz/long

fuzz-kernel:
	tests/kfuzz/run fuzz $(or $(SECONDS),$(if $(HOURS),$$(($(HOURS) * 3600)),60))

bench:
	tests/bench/run

bench-profile:
	tests/bench/profile

bench-density:
	tests/bench/density

bench-net:
	tests/bench/net

bench-net-profile:
	tests/bench/net-profile

bench-host:
	tests/bench/host

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

.PHONY: all modules modules_install tools install uninstall deb demo demo-net demo-restart \
	demo-migrate check check-all check-debug check-races races soak lint unit fuzz vm \
	matrix mutation mutation-vm coverage fuzz-long fuzz-kernel bench bench-profile \
	bench-density bench-net bench-net-profile bench-host bench-doc bench-bell features \
	layout clean
