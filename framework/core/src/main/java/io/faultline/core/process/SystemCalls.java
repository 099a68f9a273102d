// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import static io.faultline.mm.Mman.MADV_POPULATE_WRITE;
import static io.faultline.mm.Mman.MADV_WILLNEED;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_HUGETLB;
import static io.faultline.mm.Mman.PAGE_SHIFT;
import static io.faultline.mm.Mman.PAGE_SIZE;

import io.faultline.core.area.Area;
import io.faultline.core.device.OpenFileObject;
import io.faultline.core.device.Tracer;
import io.faultline.core.fault.Populate;
import io.faultline.core.mm.AioContexts;
import io.faultline.core.mm.BrkOperation;
import io.faultline.core.mm.FileRange;
import io.faultline.core.mm.HugetlbMapping;
import io.faultline.core.mm.MadviseOperation;
import io.faultline.core.mm.MlockOperation;
import io.faultline.core.mm.MmapCall;
import io.faultline.core.mm.MmapOperation;
import io.faultline.core.mm.MmapResult;
import io.faultline.core.mm.MprotectOperation;
import io.faultline.core.mm.MremapOperation;
import io.faultline.core.mm.MsealOperation;
import io.faultline.core.mm.MunmapOperation;
import io.faultline.core.mm.PopulateRange;
import io.faultline.core.mm.RemapFilePagesOperation;
import io.faultline.core.mm.SysvShm;
import io.faultline.device.AccessMode;
import io.faultline.kernel.Task;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The system calls: each resolves the task and its descriptors, and runs an operation inside of the
 * frame that {@link CallEntry} is. Thread-safe.
 */
public final class SystemCalls implements VmaService {
  private final Populate populate;
  private final CallEntry entry;
  private final MempolicyCalls policies;
  private final SysvShm segments = new SysvShm();

  public SystemCalls(Populate populate, Tracer tracer) {
    this.populate = populate;
    this.entry = new CallEntry(populate, tracer);
    this.policies = new MempolicyCalls(entry);
  }

  @Override
  public long mmap(
      Task task, long address, long length, int prot, int flags, int fd, long offset)
      throws ErrnoException {
    return entry.traced(
        task, CallRule.MMAP, () -> doMmap(task, address, length, prot, flags, fd, offset),
        address, length, prot, flags, fd, offset);
  }

  /** {@code ksys_mmap_pgoff}. */
  private long doMmap(
      Task task, long address, long length, int prot, int flags, int fd, long offset)
      throws ErrnoException {
    if ((offset & (PAGE_SIZE - 1)) != 0) {
      throw new ErrnoException(Errno.EINVAL, "offset: is not a multiple of 4096");
    }
    long pageOffset = offset >>> PAGE_SHIFT;
    if ((flags & MAP_ANONYMOUS) != 0) {
      if ((flags & MAP_HUGETLB) != 0) {
        return CallEntry.write(
            task, space -> HugetlbMapping.mmap(space, address, length, prot, flags, pageOffset));
      }
      return mapAndPopulate(
          task, new MmapCall(address, length, prot, flags, null, pageOffset, 0));
    }
    OpenFileObject file = TaskTable.of(task).hold(fd);
    if (file == null) {
      throw notOpen(fd);
    }
    try {
      if (file.mode() == AccessMode.PATH) {
        throw notOpen(fd);
      }
      if ((flags & MAP_HUGETLB) != 0) {
        throw new ErrnoException(Errno.EINVAL, "flags: MAP_HUGETLB, but fd is no hugetlbfs file");
      }
      return mapFile(
          task, file, new MmapCall(address, length, prot, flags, file, pageOffset, 0));
    } finally {
      file.release();
    }
  }

  private static ErrnoException notOpen(int fd) {
    return new ErrnoException(Errno.EBADF, "fd: " + fd + " is not open");
  }

  private long mapFile(Task task, OpenFileObject file, MmapCall call) throws ErrnoException {
    while (true) {
      // Here, where no lock is held; who comes with one would hold up the process.
      Waits.untilDriver(TaskTable.of(task), file::parking);
      try {
        return mapAndPopulate(task, call);
      } catch (ErrnoException refused) {
        if (refused.errno() != Errno.ENODEV || !file.isToTryAgain()) {
          throw refused;
        }
      }
    }
  }

  private long mapAndPopulate(Task task, MmapCall call) throws ErrnoException {
    MmapResult result = CallEntry.write(task, space -> MmapOperation.mmap(space, call));
    entry.populateQuietly(task, result.populate());
    return result.address();
  }

  @Override
  public void munmap(Task task, long address, long length) throws ErrnoException {
    entry.traced(task, CallRule.MUNMAP, space -> MunmapOperation.munmap(space, address, length),
        address,
        length);
  }

  @Override
  public void mprotect(Task task, long address, long length, int prot) throws ErrnoException {
    entry.traced(
        task, CallRule.MPROTECT,
        space -> MprotectOperation.mprotect(space, address, length, prot, -1),
        address, length, prot);
  }

  @Override
  public void pkeyMprotect(Task task, long address, long length, int prot, int pkey)
      throws ErrnoException {
    entry.traced(
        task, CallRule.PKEY_MPROTECT,
        space -> MprotectOperation.mprotect(space, address, length, prot, pkey), address, length,
        prot, pkey);
  }

  @Override
  public int pkeyAlloc(Task task, int flags, int accessRights) throws ErrnoException {
    return (int) entry.traced(
        task, CallRule.PKEY_ALLOC,
        () -> (long) CallEntry.write(task, space -> space.allocateKey(flags, accessRights)), flags,
        accessRights);
  }

  @Override
  public void pkeyFree(Task task, int pkey) throws ErrnoException {
    entry.traced(task, CallRule.PKEY_FREE, space -> space.freeKey(pkey), pkey);
  }

  @Override
  public long brk(Task task, long address) throws ErrnoException {
    return entry.traced(
        task, CallRule.BRK,
        () -> {
          MmapResult result = CallEntry.write(task, space -> BrkOperation.brk(space, address));
          entry.populateQuietly(task, result.populate());
          return result.address();
        },
        address);
  }

  @Override
  public long mremap(
      Task task, long oldAddress, long oldLength, long newLength, int flags, long newAddress)
      throws ErrnoException {
    return entry.traced(
        task, CallRule.MREMAP,
        () -> {
          MmapResult result =
              CallEntry.write(
                  task,
                  space -> MremapOperation.mremap(
                      space, oldAddress, oldLength, newLength, flags, newAddress));
          entry.populateQuietly(task, result.populate());
          return result.address();
        },
        oldAddress, oldLength, newLength, flags, newAddress);
  }

  @Override
  public void madvise(Task task, long address, long length, int advice) throws ErrnoException {
    entry.traced(
        task, CallRule.MADVISE,
        () -> {
          long end = MadviseOperation.check(address, length, advice);
          if (end == address) {
            return 0L;
          }
          if (MadviseOperation.populates(advice)) {
            populate.advise(CallEntry.space(task), address, end, advice == MADV_POPULATE_WRITE);
          } else {
            CallEntry.write(
                task,
                space -> {
                  MadviseOperation.madvise(space, address, end, advice);
                  return 0;
                });
            if (advice == MADV_WILLNEED) {
              CallEntry.read(task, space -> MadviseOperation.willNeed(space, address, end))
                  .forEach(FileRange::readAhead);
            }
          }
          return 0L;
        },
        address, length, advice);
  }

  @Override
  public void msync(Task task, long address, long length, int flags) throws ErrnoException {
    entry.traced(
        task, CallRule.MSYNC,
        () -> {
          MsyncCall.msync(task, address, length, flags);
          return 0L;
        },
        address, length, flags);
  }

  @Override
  public void mlock(Task task, long address, long length) throws ErrnoException {
    entry.traced(task, CallRule.MLOCK, () -> lockPages(task, address, length, 0), address, length);
  }

  @Override
  public void mlock2(Task task, long address, long length, int flags) throws ErrnoException {
    entry.traced(
        task, CallRule.MLOCK2, () -> lockPages(task, address, length, flags), address, length,
        flags);
  }

  private long lockPages(Task task, long address, long length, int flags) throws ErrnoException {
    PopulateRange range =
        CallEntry.write(task, space -> MlockOperation.mlock(space, address, length, flags));
    try {
      populate.populate(CallEntry.space(task), range.start(), range.length(), false);
    } catch (ErrnoException refused) {
      throw MlockOperation.populateError(refused);
    }
    return 0;
  }

  @Override
  public void munlock(Task task, long address, long length) throws ErrnoException {
    entry.traced(
        task, CallRule.MUNLOCK, space -> MlockOperation.munlock(space, address, length), address,
        length);
  }

  @Override
  public void mlockall(Task task, int flags) throws ErrnoException {
    entry.traced(
        task, CallRule.MLOCKALL,
        () -> {
          entry.populateQuietly(task,
              CallEntry.write(task, space -> MlockOperation.mlockall(space, flags)));
          return 0L;
        },
        flags);
  }

  @Override
  public void munlockall(Task task) throws ErrnoException {
    entry.traced(task, CallRule.MUNLOCKALL, MlockOperation::munlockall);
  }

  @Override
  public void mincore(Task task, long address, long length, long vector) throws ErrnoException {
    entry.traced(
        task, CallRule.MINCORE,
        () -> {
          MincoreCall.mincore(task, address, length, vector);
          return 0L;
        },
        address, length, vector);
  }

  @Override
  public void mseal(Task task, long address, long length, long flags) throws ErrnoException {
    entry.traced(
        task, CallRule.MSEAL, space -> MsealOperation.mseal(space, address, length, flags), address,
        length, flags);
  }

  @Override
  public void remapFilePages(
      Task task, long address, long size, int prot, long pageOffset, int flags)
      throws ErrnoException {
    entry.traced(
        task, CallRule.REMAP_FILE_PAGES,
        () -> {
          entry.populateQuietly(
              task,
              CallEntry.write(
                  task,
                  space -> RemapFilePagesOperation.remap(
                      space, address, size, prot, pageOffset, flags)));
          return 0L;
        },
        address, size, prot, pageOffset, flags);
  }

  @Override
  public void mbind(
      Task task, long address, long length, int mode, long mask, long maxNode, int flags)
      throws ErrnoException {
    policies.mbind(task, address, length, mode, mask, maxNode, flags);
  }

  @Override
  public void mbind(
      Task task, long address, long length, int mode, long[] mask, long maxNode, int flags)
      throws ErrnoException {
    policies.mbind(task, address, length, mode, mask, maxNode, flags);
  }

  @Override
  public void setMempolicy(Task task, int mode, long mask, long maxNode) throws ErrnoException {
    policies.setMempolicy(task, mode, mask, maxNode);
  }

  @Override
  public void setMempolicy(Task task, int mode, long[] mask, long maxNode)
      throws ErrnoException {
    policies.setMempolicy(task, mode, mask, maxNode);
  }

  @Override
  public long prctl(Task task, int option, long a, long b, long c, long d) throws ErrnoException {
    return entry.traced(
        task, CallRule.PRCTL,
        () -> {
          throw new ErrnoException(
              Errno.EINVAL, "option: 0x" + Integer.toHexString(option) + " is not known");
        },
        option, a, b, c, d);
  }

  @Override
  public int shmget(Task task, long size) throws ErrnoException {
    return (int) entry.traced(task, CallRule.SHMGET,
        () -> (long) segments.get(CallEntry.space(task), size), size);
  }

  @Override
  public void shmRemove(Task task, int id) throws ErrnoException {
    entry.traced(
        task, CallRule.SHMCTL,
        () -> {
          segments.remove(id);
          return 0L;
        },
        id);
  }

  @Override
  public long shmat(Task task, int id, long address, int flags) throws ErrnoException {
    return entry.traced(
        task, CallRule.SHMAT,
        () -> {
          MmapResult result =
              CallEntry.write(task, space -> segments.attach(space, id, address, flags));
          entry.populateQuietly(task, result.populate());
          return result.address();
        },
        id, address, flags);
  }

  @Override
  public void shmdt(Task task, long address) throws ErrnoException {
    entry.traced(task, CallRule.SHMDT, space -> segments.detach(space, address), address);
  }

  @Override
  public long ioSetup(Task task, int events) throws ErrnoException {
    return entry.traced(
        task, CallRule.IO_SETUP,
        () -> CallEntry.write(task, space -> AioContexts.setup(space, events)), events);
  }

  @Override
  public void ioDestroy(Task task, long context) throws ErrnoException {
    entry.traced(
        task, CallRule.IO_DESTROY,
        () -> {
          int id;
          try {
            id = TaskTable.of(task).newCpu().getInt(context);
          } catch (SignalException unreadable) {
            throw new ErrnoException(Errno.EINVAL, "context: " + unreadable.getMessage());
          }
          return CallEntry.write(
              task,
              space -> {
                AioContexts.destroy(space, context, id);
                return 0L;
              });
        },
        context);
  }

  @Override
  public Optional<Vma> find(Task task, long address) {
    try {
      return CallEntry.read(
          task,
          space -> Optional.ofNullable(space.areas().findAt(address)).map(VmaSnapshot::of));
    } catch (ErrnoException gone) {
      return Optional.empty();
    }
  }

  @Override
  public List<Vma> list(Task task) {
    List<Vma> list = new ArrayList<>();
    try {
      CallEntry.read(
          task,
          space -> {
            space.areas().forEach((Area area) -> list.add(VmaSnapshot.of(area)));
            return list;
          });
    } catch (ErrnoException gone) {
      return List.of();
    }
    return List.copyOf(list);
  }
}
