"""The system calls that a submission may not make, compiled outside the sandbox.

A list of what is denied, not of what is allowed: NumPy and torch use a wide and moving set of
calls. Denied is what starts a process (threads stay possible), reaches another process, changes
namespaces, mounts or keys, opens the network, hides memory from the limits, or is a large and
seldom needed piece of the kernel.
"""

import tempfile
from functools import cache

_PROCESSES = "fork vfork execve execveat ptrace process_vm_readv process_vm_writev kcmp pidfd_open "
_PROCESSES += "pidfd_getfd pidfd_send_signal process_madvise process_mrelease migrate_pages "
_PROCESSES += "move_pages"
_NAMESPACES = "unshare setns mount umount umount2 pivot_root chroot move_mount open_tree fsopen "
_NAMESPACES += "fsconfig fsmount fspick mount_setattr name_to_handle_at open_by_handle_at "
_NAMESPACES += "open_tree_attr statmount listmount quotactl quotactl_fd"
_NETWORK = "socket connect bind listen accept accept4 setsockopt"
_MEMORY = "memfd_create memfd_secret shmget shmat shmctl shmdt semget semop semctl semtimedop "
_MEMORY += "msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify "
_MEMORY += "mq_getsetattr userfaultfd mlock mlock2 mlockall"
_KERNEL = "bpf perf_event_open io_uring_setup io_uring_enter io_uring_register keyctl add_key "
_KERNEL += "request_key kexec_load kexec_file_load init_module finit_module delete_module "
_KERNEL += "create_module query_module get_kernel_syms uselib ustat sysfs _sysctl nfsservctl "
_KERNEL += "lookup_dcookie acct swapon swapoff reboot syslog settimeofday stime clock_settime "
_KERNEL += "clock_settime64 clock_adjtime clock_adjtime64 adjtimex sethostname setdomainname "
_KERNEL += "personality ioperm iopl modify_ldt vm86 vm86old vhangup fanotify_init fanotify_mark "
_KERNEL += "vmsplice landlock_create_ruleset landlock_add_rule landlock_restrict_self "
_KERNEL += "lsm_set_self_attr lsm_get_self_attr lsm_list_modules"

DENIED = " ".join([_PROCESSES, _NAMESPACES, _NETWORK, _MEMORY, _KERNEL]).split()
CLONE_THREAD = 0x00010000


@cache
def program() -> bytes:
    """The filter as BPF, 8 bytes an instruction, for this machine's architecture.

    OSError or ImportError where libseccomp is missing.
    """
    import errno

    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in DENIED:
        try:
            number = seccomp.resolve_syscall(seccomp.system_arch(), name)
        except (OSError, ValueError):  # this libseccomp or this architecture doesn't know it
            continue
        if number >= 0:
            rules.add_rule(refuse, number)
    # clone3 hides its flags in memory; glibc falls back to clone when it seems not to exist.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
