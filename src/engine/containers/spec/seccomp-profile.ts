/**
 * The default system-call filter as data: which calls a container may make, and under which conditions of the container's
 * capabilities, the machine's architecture and the kernel. The verdicts are the same as dockerd 28.5's.
 */
import type { SeccompArgument } from '../../../oci/runtime-spec.ts';

/** Architectures by the names that Node and Go agree on here. */
export type SeccompArchitecture = 'amd64' | 'arm64';

export interface ProfileEntry {
  /** Names of system calls, separated by white space. */
  calls: string;
  /** Only where the container has this capability. */
  capability?: string;
  /** Only where the container lacks this capability. */
  withoutCapability?: string;
  /** Only on these architectures. */
  architectures?: readonly SeccompArchitecture[];
  /** Only on this kernel or a newer one: major, minor. */
  kernel?: readonly [number, number];
  /** Condition on one argument of the call. */
  argument?: SeccompArgument;
  /** Refused with this errno instead of allowed. */
  errno?: number;
}

/** Linux errno ENOSYS: makes a C library fall back to an older call. */
const noSuchCall = 38;
/** All namespace flags of clone(2) but the thread-related ones: CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}. */
const namespaceFlags = 0x7e020000;
const vsockFamily = 40;

const always = `
  accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime
  clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
  epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
  exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
  fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
  fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
  futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid
  getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
  getresgid getresgid32 getresuid getresuid32 getrlimit get_robust_list getrusage getsid getsockname getsockopt
  get_thread_area gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init
  inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents io_pgetevents_time64
  ioprio_get ioprio_set io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset
  landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr
  _llseek lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret
  mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open
  mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget
  msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open openat
  openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64
  prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read
  readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr
  removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending
  rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
  rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
  sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
  sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64
  send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
  setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
  setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address
  setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask
  sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync
  sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
  timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime
  utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
`;

const sysAdmin = `
  bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
  lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
  sethostname setns syslog umount umount2 unshare
`;

/** Execution domains that personality(2) may select: Linux and its 32-bit and ADDR_NO_RANDOMIZE kin, and "ask". */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

export const defaultProfile: readonly ProfileEntry[] = [
  { calls: always },
  { calls: 'process_vm_readv process_vm_writev ptrace', kernel: [4, 8] },
  { calls: 'socket', argument: { index: 0, value: vsockFamily, op: 'SCMP_CMP_NE' } },
  ...personalities.map((value) => ({ calls: 'personality', argument: { index: 0, value, op: 'SCMP_CMP_EQ' } })),
  {
    calls: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
    architectures: ['arm64'],
  },
  { calls: 'arch_prctl', architectures: ['amd64'] },
  { calls: 'modify_ldt', architectures: ['amd64'] },
  { calls: 'open_by_handle_at', capability: 'CAP_DAC_READ_SEARCH' },
  { calls: sysAdmin, capability: 'CAP_SYS_ADMIN' },
  {
    calls: 'clone',
    withoutCapability: 'CAP_SYS_ADMIN',
    argument: { index: 0, value: namespaceFlags, op: 'SCMP_CMP_MASKED_EQ' },
  },
  { calls: 'clone3', withoutCapability: 'CAP_SYS_ADMIN', errno: noSuchCall },
  { calls: 'reboot', capability: 'CAP_SYS_BOOT' },
  { calls: 'chroot', capability: 'CAP_SYS_CHROOT' },
  { calls: 'delete_module init_module finit_module', capability: 'CAP_SYS_MODULE' },
  { calls: 'acct', capability: 'CAP_SYS_PACCT' },
  {
    calls: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
    capability: 'CAP_SYS_PTRACE',
  },
  { calls: 'iopl ioperm', capability: 'CAP_SYS_RAWIO' },
  { calls: 'settimeofday stime clock_settime clock_settime64', capability: 'CAP_SYS_TIME' },
  { calls: 'vhangup', capability: 'CAP_SYS_TTY_CONFIG' },
  { calls: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node', capability: 'CAP_SYS_NICE' },
  { calls: 'syslog', capability: 'CAP_SYSLOG' },
  { calls: 'bpf', capability: 'CAP_BPF' },
  { calls: 'perf_event_open', capability: 'CAP_PERFMON' },
];

/** What the OCI runtime filters on each machine: its own architecture and those whose programs it can run as well. */
export const filteredArchitectures: Record<SeccompArchitecture, readonly string[]> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};
