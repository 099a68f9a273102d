// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_DONTDUMP;
import static io.faultline.core.area.VmBits.VM_DROPPABLE;
import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_GROWSDOWN;
import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_MAYEXEC;
import static io.faultline.core.area.VmBits.VM_MAYSHARE;
import static io.faultline.core.area.VmBits.VM_MAYWRITE;
import static io.faultline.core.area.VmBits.VM_MAY_ACCESS;
import static io.faultline.core.area.VmBits.VM_NOHUGEPAGE;
import static io.faultline.core.area.VmBits.VM_NORESERVE;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_SYNC;
import static io.faultline.core.area.VmBits.VM_WIPEONFORK;
import static io.faultline.core.area.VmBits.VM_WRITE;
import static io.faultline.mm.Mman.MAP_DROPPABLE;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_FIXED_NOREPLACE;
import static io.faultline.mm.Mman.MAP_GROWSDOWN;
import static io.faultline.mm.Mman.MAP_HUGETLB;
import static io.faultline.mm.Mman.MAP_LOCKED;
import static io.faultline.mm.Mman.MAP_NONBLOCK;
import static io.faultline.mm.Mman.MAP_NORESERVE;
import static io.faultline.mm.Mman.MAP_POPULATE;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MAP_SHARED_VALIDATE;
import static io.faultline.mm.Mman.MAP_STACK;
import static io.faultline.mm.Mman.MAP_SYNC;
import static io.faultline.mm.Mman.MAP_TYPE;
import static io.faultline.mm.Mman.PAGE_SHIFT;
import static io.faultline.mm.Mman.PROT_EXEC;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;

import io.faultline.core.device.OpenFileObject;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.kernel.KernelProfile.Overcommit;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlags;

/**
 * {@code mmap(2)}, the checks in Linux's order ({@code do_mmap}); {@link MapRegion} does the rest.
 * The lock is held for writing.
 */
public final class MmapOperation {
  /** Flags that MAP_SHARED_VALIDATE always knows ({@code LEGACY_MAP_MASK}). */
  static final int LEGACY_MASK =
      0x1 | 0x2 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100 | 0x800 | 0x1000 | 0x2000 | 0x4000 | 0x8000
          | 0x1_0000 | 0x2_0000 | 0x4_0000 | 0x400_0000 | 21 << 26 | 30 << 26;

  private final AddressSpace space;
  private final MmapCall call;

  private MmapOperation(AddressSpace space, MmapCall call) {
    this.space = space;
    this.call = call;
  }

  public static MmapResult mmap(AddressSpace space, MmapCall call) throws ErrnoException {
    return new MmapOperation(space, call).run();
  }

  private MmapResult run() throws ErrnoException {
    OpenFileObject file = call.file();
    int flags = call.flags();
    if (call.length() == 0) {
      throw Args.invalid("length: is 0");
    }
    if ((flags & MAP_FIXED_NOREPLACE) != 0) {
      flags |= MAP_FIXED;
    }
    Placer placer = new Placer(space);
    long hint = (flags & MAP_FIXED) != 0 ? call.address() : placer.roundHint(call.address());
    long length = Args.pageAlign(call.length());
    if (length == 0) {
      throw Args.noMemory("length: overflows when rounded up to pages");
    }
    long pageOffset = call.pageOffset();
    if (Args.below(pageOffset + (length >>> PAGE_SHIFT), pageOffset)) {
      throw new ErrnoException(Errno.EOVERFLOW, "offset, length: their sum overflows");
    }
    if (space.areas().size() > space.profile().maxMapCount()) {
      throw space.tooManyAreas();
    }
    long vmFlags =
        call.extraFlags()
            | protFlags(call.prot())
            | mapFlags(flags)
            | space.defaultFlags()
            | VM_MAY_ACCESS;
    long address = placer.place(file, hint, length, pageOffset, flags);
    if ((flags & MAP_STACK) != 0) {
      space.decisions().by(MmRule.NO_HUGE_PAGES, address, address + length);
    }
    if ((flags & MAP_FIXED_NOREPLACE) != 0
        && space.areas().findIntersection(address, address + length) != null) {
      throw new ErrnoException(Errno.EEXIST, "address: something is mapped there");
    }
    if ((flags & MAP_LOCKED) != 0 && !space.canLock()) {
      throw new ErrnoException(Errno.EPERM, "flags: MAP_LOCKED, but RLIMIT_MEMLOCK is 0");
    }
    if (!space.mlockFutureOk(vmFlags, length)) {
      throw new ErrnoException(Errno.EAGAIN, "length: more than RLIMIT_MEMLOCK allows");
    }
    if (file != null) {
      vmFlags = fileFlags(file, flags, vmFlags, pageOffset, length);
    } else {
      vmFlags = anonymousFlags(flags, vmFlags);
      pageOffset = (vmFlags & VM_SHARED) != 0 ? 0 : address >>> PAGE_SHIFT;
    }
    if ((flags & MAP_NORESERVE) != 0
        && (space.profile().overcommit() != Overcommit.NEVER || (vmFlags & VM_HUGETLB) != 0)) {
      vmFlags |= VM_NORESERVE;
    }
    new MapRegion(space, file, address, length, vmFlags, pageOffset).map();
    boolean populate =
        (vmFlags & VM_LOCKED) != 0 || (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE;
    return new MmapResult(
        address, populate ? new PopulateRange(address, length) : PopulateRange.NONE);
  }

  private long protFlags(int prot) {
    int key = prot == PROT_EXEC ? space.keys().executeOnly() : 0;
    if (key > 0) {
      space.decisions().by(MmRule.EXECUTE_ONLY_KEY, call.address(), call.address());
    }
    return protBits(prot, key);
  }

  /** {@code calc_vm_prot_bits}. */
  static long protBits(int prot, int key) {
    return (prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) | (long) key << VmFlags.PKEY_SHIFT;
  }

  /** {@code calc_vm_flag_bits}. */
  private static long mapFlags(int flags) {
    return ((flags & MAP_GROWSDOWN) != 0 ? VM_GROWSDOWN : 0)
        | ((flags & MAP_LOCKED) != 0 ? VM_LOCKED : 0)
        | ((flags & MAP_SYNC) != 0 ? VM_SYNC : 0)
        | ((flags & MAP_STACK) != 0 ? VM_NOHUGEPAGE : 0);
  }

  private long fileFlags(
      OpenFileObject file, int flags, long vmFlags, long pageOffset, long length)
      throws ErrnoException {
    Inode inode = file.inode();
    checkOffset(inode, pageOffset, length);
    long result = vmFlags;
    int type = flags & MAP_TYPE;
    switch (type) {
      case MAP_SHARED, MAP_SHARED_VALIDATE -> {
        int known = LEGACY_MASK | (file.supportsMapSync() ? MAP_SYNC : 0);
        int asked = type == MAP_SHARED ? flags & LEGACY_MASK : flags & ~MAP_SHARED_VALIDATE;
        if ((asked & ~known) != 0) {
          throw new ErrnoException(
              Errno.EOPNOTSUPP,
              "flags: MAP_SHARED_VALIDATE, and 0x%x is not supported".formatted(asked & ~known));
        }
        if ((call.prot() & PROT_WRITE) != 0 && !file.mode().canWrite()) {
          throw new ErrnoException(
              Errno.EACCES, "prot: PROT_WRITE and MAP_SHARED, but fd is not open for writing");
        }
        result |= VM_SHARED | VM_MAYSHARE;
        if (!file.mode().canWrite()) {
          result &= ~(VM_MAYWRITE | VM_SHARED);
        }
        result = checkMappable(file, result);
      }
      case MAP_PRIVATE -> result = checkMappable(file, result);
      default -> throw badType(type);
    }
    return checkSeals(inode, result);
  }

  /** {@code file_mmap_ok}: the range must not end beyond what a file can hold. */
  private static void checkOffset(Inode inode, long pageOffset, long length)
      throws ErrnoException {
    // Offsets of regular files are signed, those of devices are not.
    long maxBytes = inode.kind() == FileKind.REGULAR ? Long.MAX_VALUE : -1L;
    if (Args.above(length, maxBytes)
        || Args.above(pageOffset, (maxBytes - length) >>> PAGE_SHIFT)) {
      throw new ErrnoException(
          Errno.EOVERFLOW, "offset, length: the range ends beyond the largest file");
    }
  }

  private static long checkMappable(OpenFileObject file, long vmFlags) throws ErrnoException {
    long result = vmFlags;
    if (!file.mode().canRead()) {
      throw new ErrnoException(Errno.EACCES, "fd: is not open for reading");
    }
    if (file.inode().noExec()) {
      if ((result & VM_EXEC) != 0) {
        throw new ErrnoException(Errno.EPERM, "prot: PROT_EXEC on a file system mounted noexec");
      }
      result &= ~VM_MAYEXEC;
    }
    if (!file.canMmap()) {
      throw new ErrnoException(Errno.ENODEV, "fd: " + file.owner() + " cannot be mapped");
    }
    if ((result & VM_GROWSDOWN) != 0) {
      throw Args.invalid("flags: MAP_GROWSDOWN of a file");
    }
    return result;
  }

  /** A memory file that is sealed against writing ({@code memfd_check_seals_mmap}). */
  private static long checkSeals(Inode inode, long vmFlags) throws ErrnoException {
    boolean sealed =
        (inode.seals() & (Inode.F_SEAL_WRITE | Inode.F_SEAL_FUTURE_WRITE)) != 0;
    if (!sealed || inode.kind() != FileKind.REGULAR || (vmFlags & VM_SHARED) == 0) {
      return vmFlags;
    }
    if ((vmFlags & VM_WRITE) != 0) {
      throw new ErrnoException(Errno.EPERM, "prot: PROT_WRITE, but the file is sealed");
    }
    return vmFlags & ~VM_MAYWRITE;
  }

  private static long anonymousFlags(int flags, long vmFlags) throws ErrnoException {
    int type = flags & MAP_TYPE;
    switch (type) {
      case MAP_SHARED -> {
        refuseGrowsDown(vmFlags);
        return vmFlags | VM_SHARED | VM_MAYSHARE;
      }
      case MAP_DROPPABLE -> {
        if ((flags & (MAP_LOCKED | MAP_HUGETLB)) != 0) {
          throw Args.invalid("flags: MAP_DROPPABLE with MAP_LOCKED or MAP_HUGETLB");
        }
        refuseGrowsDown(vmFlags);
        return vmFlags | VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP;
      }
      case MAP_PRIVATE -> {
        return vmFlags;
      }
      default -> throw badType(type);
    }
  }

  private static void refuseGrowsDown(long vmFlags) throws ErrnoException {
    if ((vmFlags & VM_GROWSDOWN) != 0) {
      throw Args.invalid("flags: MAP_GROWSDOWN needs MAP_PRIVATE");
    }
  }

  private static ErrnoException badType(int type) {
    return Args.invalid(
        "flags: type 0x%x is neither MAP_SHARED nor MAP_PRIVATE".formatted(type));
  }
}
