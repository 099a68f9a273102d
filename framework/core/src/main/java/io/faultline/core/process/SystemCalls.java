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
import io.faultline.core.jfr.CallEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.AioContexts;
import io.faultline.core.mm.BrkOperation;
import io.faultline.core.mm.FileRange;
import io.faultline.core.mm.HugetlbMapping;
import io.faultline.core.mm.MadviseOperation;
import io.faultline.core.mm.MempolicyOperation;
import io.faultline.core.mm.MincoreOperation;
import io.faultline.core.mm.MlockOperation;
import io.faultline.core.mm.MmapCall;
import io.faultline.core.mm.MmapOperation;
import io.faultline.core.mm.MmapResult;
import io.faultline.core.mm.MprotectOperation;
import io.faultline.core.mm.MremapOperation;
import io.faultline.core.mm.MsealOperation;
import io.faultline.core.mm.MsyncOperation;
import io.faultline.core.mm.MunmapOperation;
import io.faultline.core.mm.PopulateRange;
import io.faultline.core.mm.RemapFilePagesOperation;
import io.faultline.core.mm.SysvShm;
import io.faultline.device.AccessMode;
import io.faultline.kernel.Task;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The system-call entry: resolves the task and its descriptors, takes the lock, runs the operation,
 * lets go of the lock, faults in what the call asks for, and tells the trace. Thread-safe.
 */
public final class SystemCalls implements VmaService {
  /** An operation on a locked address space. */
  @FunctionalInterface
  private interface Call<T> {
    T run(AddressSpace space) throws ErrnoException;
  }

  private final Populate populate;
  private final Tracer tracer;
  private final SysvShm segments = new SysvShm();

  public SystemCalls(Populate populate, Tracer tracer) {
    this.populate = populate;
    this.tracer = tracer;
  }

  @Override
  public long mmap(
      Task task, long address, long length, int prot, int flags, int fd, long offset)
      throws ErrnoException {
    return traced(
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
        return write(
            task, space -> HugetlbMapping.mmap(space, address, length, prot, flags, pageOffset));
      }
      return mapAndPopulate(
          task, new MmapCall(address, length, prot, flags, null, pageOffset, 0));
    }
    OpenFileObject file = TaskTable.of(task).descriptor(fd);
    if (file == null || file.mode() == AccessMode.PATH) {
      throw new ErrnoException(Errno.EBADF, "fd: " + fd + " is not open");
    }
    if ((flags & MAP_HUGETLB) != 0) {
      throw new ErrnoException(Errno.EINVAL, "flags: MAP_HUGETLB, but fd is no hugetlbfs file");
    }
    MmapCall call = new MmapCall(address, length, prot, flags, file, pageOffset, 0);
    while (true) {
      // Here, where no lock is held; who comes with one would hold up the process.
      Waits.untilDriver(TaskTable.of(task), file::parking);
      try {
        return mapAndPopulate(task, call);
      } catch (ErrnoException refused) {
        if (refused.errno() != Errno.ENODEV || file.parking() == null) {
          throw refused;
        }
      }
    }
  }

  private long mapAndPopulate(Task task, MmapCall call) throws ErrnoException {
    MmapResult result = write(task, space -> MmapOperation.mmap(space, call));
    populateQuietly(task, result.populate());
    return result.address();
  }

  @Override
  public void munmap(Task task, long address, long length) throws ErrnoException {
    traced(task, CallRule.MUNMAP, space -> MunmapOperation.munmap(space, address, length), address,
        length);
  }

  @Override
  public void mprotect(Task task, long address, long length, int prot) throws ErrnoException {
    traced(
        task, CallRule.MPROTECT,
        space -> MprotectOperation.mprotect(space, address, length, prot, -1),
        address, length, prot);
  }

  @Override
  public void pkeyMprotect(Task task, long address, long length, int prot, int pkey)
      throws ErrnoException {
    traced(
        task, CallRule.PKEY_MPROTECT,
        space -> MprotectOperation.mprotect(space, address, length, prot, pkey), address, length,
        prot, pkey);
  }

  @Override
  public int pkeyAlloc(Task task, int flags, int accessRights) throws ErrnoException {
    return (int) traced(
        task, CallRule.PKEY_ALLOC,
        () -> (long) write(task, space -> space.allocateKey(flags, accessRights)), flags,
        accessRights);
  }

  @Override
  public void pkeyFree(Task task, int pkey) throws ErrnoException {
    traced(task, CallRule.PKEY_FREE, space -> space.freeKey(pkey), pkey);
  }

  @Override
  public long brk(Task task, long address) throws ErrnoException {
    return traced(
        task, CallRule.BRK,
        () -> {
          MmapResult result = write(task, space -> BrkOperation.brk(space, address));
          populateQuietly(task, result.populate());
          return result.address();
        },
        address);
  }

  @Override
  public long mremap(
      Task task, long oldAddress, long oldLength, long newLength, int flags, long newAddress)
      throws ErrnoException {
    return traced(
        task, CallRule.MREMAP,
        () -> {
          MmapResult result =
              write(
                  task,
                  space -> MremapOperation.mremap(
                      space, oldAddress, oldLength, newLength, flags, newAddress));
          populateQuietly(task, result.populate());
          return result.address();
        },
        oldAddress, oldLength, newLength, flags, newAddress);
  }

  @Override
  public void madvise(Task task, long address, long length, int advice) throws ErrnoException {
    traced(
        task, CallRule.MADVISE,
        () -> {
          long end = MadviseOperation.check(address, length, advice);
          if (end == address) {
            return 0L;
          }
          if (MadviseOperation.populates(advice)) {
            populate.advise(space(task), address, end, advice == MADV_POPULATE_WRITE);
          } else {
            write(
                task,
                space -> {
                  MadviseOperation.madvise(space, address, end, advice);
                  return 0;
                });
            if (advice == MADV_WILLNEED) {
              read(task, space -> MadviseOperation.willNeed(space, address, end))
                  .forEach(FileRange::readAhead);
            }
          }
          return 0L;
        },
        address, length, advice);
  }

  @Override
  public void msync(Task task, long address, long length, int flags) throws ErrnoException {
    traced(
        task, CallRule.MSYNC,
        () -> {
          doMsync(task, address, length, flags);
          return 0L;
        },
        address, length, flags);
  }

  /** The file's error comes before that of a hole behind it, as Linux meets them. */
  private static void doMsync(Task task, long address, long length, int flags)
      throws ErrnoException {
    List<FileRange> ranges = new ArrayList<>();
    ErrnoException refused = null;
    try {
      read(
          task,
          space -> {
            MsyncOperation.msync(space, address, length, flags, ranges);
            return 0L;
          });
    } catch (ErrnoException e) {
      refused = e;
    }
    ErrnoException failed = null;
    for (FileRange range : ranges) {
      if (failed != null) {
        range.cancel();
        continue;
      }
      try {
        range.sync();
      } catch (ErrnoException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
    if (refused != null) {
      throw refused;
    }
  }

  @Override
  public void mlock(Task task, long address, long length) throws ErrnoException {
    traced(task, CallRule.MLOCK, () -> lockPages(task, address, length, 0), address, length);
  }

  @Override
  public void mlock2(Task task, long address, long length, int flags) throws ErrnoException {
    traced(
        task, CallRule.MLOCK2, () -> lockPages(task, address, length, flags), address, length,
        flags);
  }

  private long lockPages(Task task, long address, long length, int flags) throws ErrnoException {
    PopulateRange range =
        write(task, space -> MlockOperation.mlock(space, address, length, flags));
    try {
      populate.populate(space(task), range.start(), range.length(), false);
    } catch (ErrnoException refused) {
      throw MlockOperation.populateError(refused);
    }
    return 0;
  }

  @Override
  public void munlock(Task task, long address, long length) throws ErrnoException {
    traced(
        task, CallRule.MUNLOCK, space -> MlockOperation.munlock(space, address, length), address,
        length);
  }

  @Override
  public void mlockall(Task task, int flags) throws ErrnoException {
    traced(
        task, CallRule.MLOCKALL,
        () -> {
          populateQuietly(task, write(task, space -> MlockOperation.mlockall(space, flags)));
          return 0L;
        },
        flags);
  }

  @Override
  public void munlockall(Task task) throws ErrnoException {
    traced(task, CallRule.MUNLOCKALL, MlockOperation::munlockall);
  }

  @Override
  public void mincore(Task task, long address, long length, long vector) throws ErrnoException {
    traced(
        task, CallRule.MINCORE,
        () -> {
          doMincore(task, address, length, vector);
          return 0L;
        },
        address, length, vector);
  }

  private void doMincore(Task task, long address, long length, long vector)
      throws ErrnoException {
    long left = MincoreOperation.check(space(task), address, length, vector);
    UserMemory memory = TaskTable.of(task).newCpu();
    byte[] bytes = new byte[(int) Math.min(left, PAGE_SIZE)];
    long cursor = address;
    long target = vector;
    while (left > 0) {
      long from = cursor;
      int atMost = (int) Math.min(left, bytes.length);
      int told = read(task, space -> MincoreOperation.stretch(space, from, bytes, atMost));
      try {
        memory.write(target, MemorySegment.ofArray(bytes).asSlice(0, told));
      } catch (SignalException unwritable) {
        throw new ErrnoException(Errno.EFAULT, "vector: " + unwritable.getMessage());
      }
      left -= told;
      target += told;
      cursor += (long) told << PAGE_SHIFT;
    }
  }

  @Override
  public void mseal(Task task, long address, long length, long flags) throws ErrnoException {
    traced(
        task, CallRule.MSEAL, space -> MsealOperation.mseal(space, address, length, flags), address,
        length, flags);
  }

  @Override
  public void remapFilePages(
      Task task, long address, long size, int prot, long pageOffset, int flags)
      throws ErrnoException {
    traced(
        task, CallRule.REMAP_FILE_PAGES,
        () -> {
          populateQuietly(
              task,
              write(
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
    bind(task, address, length, mode, mask, words(task, mask), maxNode, flags);
  }

  @Override
  public void mbind(
      Task task, long address, long length, int mode, long[] mask, long maxNode, int flags)
      throws ErrnoException {
    bind(task, address, length, mode, first(mask), MempolicyOperation.in(mask), maxNode, flags);
  }

  private void bind(
      Task task, long address, long length, int mode, long told,
      MempolicyOperation.@Nullable Words words, long maxNode, int flags)
      throws ErrnoException {
    traced(
        task, CallRule.MBIND,
        () -> {
          MempolicyOperation operation = MempolicyOperation.of(mode, words, maxNode);
          return write(
              task,
              space -> {
                operation.bind(space, address, length, flags);
                return 0L;
              });
        },
        address, length, mode, told, maxNode, flags);
  }

  @Override
  public void setMempolicy(Task task, int mode, long mask, long maxNode) throws ErrnoException {
    setPolicy(task, mode, mask, words(task, mask), maxNode);
  }

  @Override
  public void setMempolicy(Task task, int mode, long[] mask, long maxNode)
      throws ErrnoException {
    setPolicy(task, mode, first(mask), MempolicyOperation.in(mask), maxNode);
  }

  private void setPolicy(
      Task task, int mode, long told, MempolicyOperation.@Nullable Words words, long maxNode)
      throws ErrnoException {
    traced(
        task, CallRule.SET_MEMPOLICY,
        () -> {
          MempolicyOperation.of(mode, words, maxNode).setForProcess();
          return 0L;
        },
        mode, told, maxNode);
  }

  private static MempolicyOperation.@Nullable Words words(Task task, long mask)
      throws ErrnoException {
    return mask == 0 ? null : MempolicyOperation.in(TaskTable.of(task).newCpu(), mask);
  }

  private static long first(long[] mask) {
    return mask.length == 0 ? 0 : mask[0];
  }

  @Override
  public long prctl(Task task, int option, long a, long b, long c, long d) throws ErrnoException {
    return traced(
        task, CallRule.PRCTL,
        () -> {
          throw new ErrnoException(
              Errno.EINVAL, "option: 0x" + Integer.toHexString(option) + " is not known");
        },
        option, a, b, c, d);
  }

  @Override
  public int shmget(Task task, long size) throws ErrnoException {
    return (int) traced(task, CallRule.SHMGET, () -> (long) segments.get(space(task), size), size);
  }

  @Override
  public void shmRemove(Task task, int id) throws ErrnoException {
    traced(
        task, CallRule.SHMCTL,
        () -> {
          segments.remove(id);
          return 0L;
        },
        id);
  }

  @Override
  public long shmat(Task task, int id, long address, int flags) throws ErrnoException {
    return traced(
        task, CallRule.SHMAT,
        () -> {
          MmapResult result = write(task, space -> segments.attach(space, id, address, flags));
          populateQuietly(task, result.populate());
          return result.address();
        },
        id, address, flags);
  }

  @Override
  public void shmdt(Task task, long address) throws ErrnoException {
    traced(task, CallRule.SHMDT, space -> segments.detach(space, address), address);
  }

  @Override
  public long ioSetup(Task task, int events) throws ErrnoException {
    return traced(
        task, CallRule.IO_SETUP,
        () -> write(task, space -> AioContexts.setup(space, events)), events);
  }

  @Override
  public void ioDestroy(Task task, long context) throws ErrnoException {
    traced(
        task, CallRule.IO_DESTROY,
        () -> {
          int id;
          try {
            id = TaskTable.of(task).newCpu().getInt(context);
          } catch (SignalException unreadable) {
            throw new ErrnoException(Errno.EINVAL, "context: " + unreadable.getMessage());
          }
          return write(
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
      return read(
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
      read(
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

  // ---- the frame round every call ---------------------------------------------------------------

  private static AddressSpace space(Task task) throws ErrnoException {
    return TaskTable.of(task).space();
  }

  private static <T> T write(Task task, Call<T> call) throws ErrnoException {
    AddressSpace space = space(task);
    space.lockForWriting();
    try {
      return call.run(space);
    } finally {
      space.unlockForWriting();
    }
  }

  private static <T> T read(Task task, Call<T> call) throws ErrnoException {
    AddressSpace space = space(task);
    space.lockForReading();
    try {
      return call.run(space);
    } finally {
      space.unlockForReading();
    }
  }

  /** {@code mm_populate}: what cannot be had now is asked for at its first touch. */
  private void populateQuietly(Task task, PopulateRange range) throws ErrnoException {
    if (range.length() != 0) {
      populate.populate(space(task), range.start(), range.length(), true);
    }
  }

  /** The body of a call. */
  @FunctionalInterface
  private interface Body {
    long run() throws ErrnoException;
  }

  /** The body of a call that only succeeds or fails, on a locked address space. */
  @FunctionalInterface
  private interface Step {
    void run(AddressSpace space) throws ErrnoException;
  }

  private void traced(Task task, CallRule rule, Step step, long... arguments)
      throws ErrnoException {
    traced(
        task, rule,
        () -> write(
            task,
            space -> {
              step.run(space);
              return 0L;
            }),
        arguments);
  }

  private long traced(Task task, CallRule rule, Body body, long... arguments)
      throws ErrnoException {
    CallEvent event = rule.startEvent();
    long result;
    try {
      result = body.run();
    } catch (ErrnoException refused) {
      if (event != null) {
        event.finish(task.pid(), arguments, 0, refused.toString());
      }
      if (task instanceof TaskObject object) {
        object.space().decisions().refused(rule, refused);
      }
      if (tracer.enabled()) {
        trace(task, rule, arguments, "-1 " + refused.errno(), refused.getMessage());
      }
      throw refused;
    }
    if (event != null) {
      event.finish(task.pid(), arguments, result, null);
    }
    if (tracer.enabled()) {
      trace(task, rule, arguments, CallText.result(result), null);
    }
    return result;
  }

  private void trace(
      Task task, CallRule rule, long[] arguments, String result, @Nullable String detail) {
    tracer.emit(
        TraceEvent.Kind.CALL, task.pid(), null, 0, 0,
        CallText.call(rule.call(), arguments) + " = " + result
            + (detail == null ? "" : ": " + detail));
  }
}
