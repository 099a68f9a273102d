// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.linux;

/** The numbers of system calls on x86-64, named as in the manual's section 2. */
public final class SyscallNumber {
  /** {@code read}. */
  public static final int READ = 0;
  /** {@code write}. */
  public static final int WRITE = 1;
  /** {@code open}. */
  public static final int OPEN = 2;
  /** {@code close}. */
  public static final int CLOSE = 3;
  /** {@code stat}. */
  public static final int STAT = 4;
  /** {@code fstat}. */
  public static final int FSTAT = 5;
  /** {@code mmap}. */
  public static final int MMAP = 9;
  /** {@code mprotect}. */
  public static final int MPROTECT = 10;
  /** {@code munmap}. */
  public static final int MUNMAP = 11;
  /** {@code brk}. */
  public static final int BRK = 12;
  /** {@code rt_sigaction}. */
  public static final int RT_SIGACTION = 13;
  /** {@code rt_sigprocmask}. */
  public static final int RT_SIGPROCMASK = 14;
  /** {@code ioctl}. */
  public static final int IOCTL = 16;
  /** {@code pread64}. */
  public static final int PREAD64 = 17;
  /** {@code pwrite64}. */
  public static final int PWRITE64 = 18;
  /** {@code mremap}. */
  public static final int MREMAP = 25;
  /** {@code msync}. */
  public static final int MSYNC = 26;
  /** {@code mincore}. */
  public static final int MINCORE = 27;
  /** {@code madvise}. */
  public static final int MADVISE = 28;
  /** {@code shmget}. */
  public static final int SHMGET = 29;
  /** {@code shmat}. */
  public static final int SHMAT = 30;
  /** {@code shmctl}. */
  public static final int SHMCTL = 31;
  /** {@code dup}. */
  public static final int DUP = 32;
  /** {@code dup2}. */
  public static final int DUP2 = 33;
  /** {@code getpid}. */
  public static final int GETPID = 39;
  /** {@code socket}. */
  public static final int SOCKET = 41;
  /** {@code clone}. */
  public static final int CLONE = 56;
  /** {@code fork}. */
  public static final int FORK = 57;
  /** {@code vfork}. */
  public static final int VFORK = 58;
  /** {@code execve}. */
  public static final int EXECVE = 59;
  /** {@code exit}. */
  public static final int EXIT = 60;
  /** {@code wait4}. */
  public static final int WAIT4 = 61;
  /** {@code kill}. */
  public static final int KILL = 62;
  /** {@code uname}. */
  public static final int UNAME = 63;
  /** {@code shmdt}. */
  public static final int SHMDT = 67;
  /** {@code fcntl}. */
  public static final int FCNTL = 72;
  /** {@code ftruncate}. */
  public static final int FTRUNCATE = 77;
  /** {@code chdir}. */
  public static final int CHDIR = 80;
  /** {@code ptrace}. */
  public static final int PTRACE = 101;
  /** {@code getuid}. */
  public static final int GETUID = 102;
  /** {@code setuid}. */
  public static final int SETUID = 105;
  /** {@code setgid}. */
  public static final int SETGID = 106;
  /** {@code setgroups}. */
  public static final int SETGROUPS = 116;
  /** {@code capset}. */
  public static final int CAPSET = 126;
  /** {@code personality}. */
  public static final int PERSONALITY = 135;
  /** {@code fstatfs}. */
  public static final int FSTATFS = 138;
  /** {@code mlock}. */
  public static final int MLOCK = 149;
  /** {@code munlock}. */
  public static final int MUNLOCK = 150;
  /** {@code mlockall}. */
  public static final int MLOCKALL = 151;
  /** {@code munlockall}. */
  public static final int MUNLOCKALL = 152;
  /** {@code prctl}. */
  public static final int PRCTL = 157;
  /** {@code setrlimit}. */
  public static final int SETRLIMIT = 160;
  /** {@code gettid}. */
  public static final int GETTID = 186;
  /** {@code sched_setaffinity}. */
  public static final int SCHED_SETAFFINITY = 203;
  /** {@code sched_getaffinity}. */
  public static final int SCHED_GETAFFINITY = 204;
  /** {@code io_setup}. */
  public static final int IO_SETUP = 206;
  /** {@code io_destroy}. */
  public static final int IO_DESTROY = 207;
  /** {@code remap_file_pages}. */
  public static final int REMAP_FILE_PAGES = 216;
  /** {@code exit_group}. */
  public static final int EXIT_GROUP = 231;
  /** {@code tgkill}. */
  public static final int TGKILL = 234;
  /** {@code mbind}. */
  public static final int MBIND = 237;
  /** {@code set_mempolicy}. */
  public static final int SET_MEMPOLICY = 238;
  /** {@code openat}. */
  public static final int OPENAT = 257;
  /** {@code unlinkat}. */
  public static final int UNLINKAT = 263;
  /** {@code readlinkat}. */
  public static final int READLINKAT = 267;
  /** {@code fallocate}. */
  public static final int FALLOCATE = 285;
  /** {@code dup3}. */
  public static final int DUP3 = 292;
  /** {@code pipe2}. */
  public static final int PIPE2 = 293;
  /** {@code prlimit64}. */
  public static final int PRLIMIT64 = 302;
  /** {@code process_vm_readv}. */
  public static final int PROCESS_VM_READV = 310;
  /** {@code process_vm_writev}. */
  public static final int PROCESS_VM_WRITEV = 311;
  /** {@code kcmp}. */
  public static final int KCMP = 312;
  /** {@code memfd_create}. */
  public static final int MEMFD_CREATE = 319;
  /** {@code execveat}. */
  public static final int EXECVEAT = 322;
  /** {@code userfaultfd}. */
  public static final int USERFAULTFD = 323;
  /** {@code mlock2}. */
  public static final int MLOCK2 = 325;
  /** {@code pkey_mprotect}. */
  public static final int PKEY_MPROTECT = 329;
  /** {@code pkey_alloc}. */
  public static final int PKEY_ALLOC = 330;
  /** {@code pkey_free}. */
  public static final int PKEY_FREE = 331;
  /** {@code statx}. */
  public static final int STATX = 332;
  /** {@code pidfd_open}. */
  public static final int PIDFD_OPEN = 434;
  /** {@code clone3}. */
  public static final int CLONE3 = 435;
  /** {@code close_range}. */
  public static final int CLOSE_RANGE = 436;
  /** {@code pidfd_getfd}. */
  public static final int PIDFD_GETFD = 438;
  /** {@code mseal}. */
  public static final int MSEAL = 462;

  private SyscallNumber() {}
}
