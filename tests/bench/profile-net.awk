# SPDX-License-Identifier: GPL-2.0
# profile-net.awk: the classes of functions on a frame's way; see profile.awk.
#
# -v backend=, load=: for the heading.

function class_of(name)
{
	if (name == "the client")
		return "client"
	if (name ~ /\[vhost_doorbell\]/)
		return "module"
	if (name ~ /\[vhost(_net|_iotlb)?\]/)
		return "peer"
	if (name ~ /\[(tun|tap|macvtap)\]/)
		return "port"
	if (name ~ /^(__rcu_read_(un)?lock|memcmp)$/ || name ~ /\[(bridge|veth|stp|llc)\]/ ||
	    name ~ /^_*(skb|netif|netdev|napi|dev_(queue|hard|gro|get|xmit|validate|sw)|net_|ip_|ipv4|ip4|inet|udp|fib|rt_|dst_|neigh|eth_|sch_|qdisc|fq_codel|pfifo|noqueue|sock|sk_|sk_b|build_skb|alloc_skb|kfree_skb|consume_skb|__?pskb|pskb|validate_xmit|nf_|virtio_net_hdr|xdp_|bpf|br_|gro_|flow_|arp|raw_|packet_|enqueue_to_backlog|process_backlog|move_addr|sys_sendto|import_|csum|page_frag|__copy_skb|slab_build|security_sock|security_sk|security_xfrm|xfrm|l3mdev|lookup_|compute_score|tcp_|loopback|apparmor_(socket|ip)|tomoyo_socket|hook_socket|ipv6_mod|passthru_features|is_skb_forwardable|ktime_get_with|net_rx|call_netdev|first_packet)/)
		return "stack"
	if (name ~ /^_*(kmem_cache|kmalloc|kfree|kmalloc|memset|memcpy|mod_|memcg|get_page|page_|alloc_pages|free_|rmqueue|slab|get_obj|put_cpu|cache_from|allocate_slab|setup_object|prep_new_page|build_detached|policy_nodemask|cond_accept|__slab|discard_slab|folio|mem_cgroup|obj_cgroup|refill_obj)/)
		return "memory"
	if (name ~ /^_*(entry_|do_syscall|syscall_|x64_sys|ksys_|vfs_|fdget|fput|rw_verify|security_file|apparmor_file|aa_|eventfd_|fsnotify|copy_from_user|copy_to_iter|copy_from_iter|rep_movs|exit_to_user|switch_fpu|rseq|do_sys_poll|check_object_size|virt_addr_valid|check_stack_object|check_heap|is_vmalloc_addr|x86_call|arch_exit|fget|sys_)/)
		return "call"
	return "kernel"
}

function headings()
{
	printf "\n%s, %s: instructions per frame\n", backend, load
	line("the emulated driver and its other end, in user space",
	     class["client"])
	line("their system calls: entry, eventfd, poll, copies", class["call"])
	line("the network stack: sockets, IP, bridge, qdisc, skbs",
	     class["stack"])
	line("memory: skbs, pages", class["memory"])
	line("tun", class["port"])
	line("vhost-net", class["peer"])
	line("this module (goal of tx64 and rx64: 700)", class["module"])
	line("the rest of the kernel: wake-ups, task work, locks",
	     class["kernel"])
	line("all", total)
	print "  this module, vhost-net and tun by function"
	functions("^(module|peer|port)$")
	print "  the rest of the kernel"
	functions("^kernel$")
	print "  memory, system calls and the stack"
	functions("^(memory|call|stack)$")
}
