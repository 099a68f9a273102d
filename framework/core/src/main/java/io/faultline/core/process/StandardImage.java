// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;
import static io.faultline.core.area.VmBits.VM_DONTDUMP;
import static io.faultline.core.area.VmBits.VM_DONTEXPAND;
import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_GROWSDOWN;
import static io.faultline.core.area.VmBits.VM_IO;
import static io.faultline.core.area.VmBits.VM_MAYREAD;
import static io.faultline.core.area.VmBits.VM_MAY_ACCESS;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_READ;
import static io.faultline.core.area.VmBits.VM_WRITE;

import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.InitialArea;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import io.faultline.kernel.ProcessImage;
import io.faultline.kernel.SpecialMapping;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlags;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What a spawned process looks like: a small, statically linked program as Linux 6.18 lays it out with
 * address randomisation off.
 *
 * <pre>
 * 0x555555554000  text  r-xp     /bin/NAME
 * 0x555555555000  data  rw-p     /bin/NAME
 * 0x555555556000  where the heap will begin
 * 0x7ffff7ff7000  [vvar] [vvar_vclock] [vdso]      mmap_base 0x7ffff7fff000
 * 0x7ffffffde000  [stack]
 * </pre>
 */
final class StandardImage {
  private static final long TEXT = 0x5555_5555_4000L;
  private static final long DATA = TEXT + Mman.PAGE_SIZE;
  private static final long HEAP = DATA + Mman.PAGE_SIZE;
  private static final long VVAR = 0x7fff_f7ff_7000L;
  private static final long VCLOCK = VVAR + 4 * Mman.PAGE_SIZE;
  private static final long VDSO = VCLOCK + 2 * Mman.PAGE_SIZE;
  private static final long MMAP_BASE = VDSO + 2 * Mman.PAGE_SIZE;
  private static final long STACK_END = 0x7fff_ffff_f000L;
  private static final long STACK = STACK_END - 33 * Mman.PAGE_SIZE;
  /** Where the program's code begins, in its auxiliary vector. */
  private static final int AT_ENTRY = 9;
  private static final DeviceNumber ROOT_FILE_SYSTEM = new DeviceNumber(8, 1);

  private final ProgramFile programs;
  private final AtomicLong inodes = new AtomicLong(260_000);

  StandardImage(PhysicalMemory memory) {
    this.programs = new ProgramFile(memory);
  }

  ProcessImage of(String name, KernelProfile profile) {
    Inode program =
        Inode.builder(FileKind.REGULAR, "/bin/" + name)
            .identity(ROOT_FILE_SYSTEM, inodes.incrementAndGet())
            .fileSystem("ext4", false)
            .size(2 * Mman.PAGE_SIZE)
            .provider(programs)
            .build();
    long vvar = VM_READ | VM_MAYREAD | VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP;
    long text = VM_READ | VM_EXEC | VM_MAY_ACCESS;
    long data = VM_READ | VM_WRITE | VM_MAY_ACCESS | VM_ACCOUNT;
    return new ProcessImage(
        name,
        profile,
        new MmLayout(HEAP, STACK_END - Mman.PAGE_SIZE, DATA, HEAP, MMAP_BASE, false),
        Limits.DEFAULT,
        Credentials.ROOT,
        List.of(
            area(TEXT, DATA, text, 0, program, null),
            area(DATA, HEAP, data, 1, program, null),
            area(VVAR, VCLOCK, vvar, 0, null, SpecialMapping.VVAR),
            area(VCLOCK, VDSO, vvar, 0, null, SpecialMapping.VVAR_VCLOCK),
            area(VDSO, MMAP_BASE, text | VM_DONTEXPAND, 0, null, SpecialMapping.VDSO),
            area(STACK, STACK_END, data | VM_GROWSDOWN, STACK >>> Mman.PAGE_SHIFT, null, null)),
        null,
        List.of(name),
        Map.of(AT_ENTRY, TEXT));
  }

  private static InitialArea area(
      long start,
      long end,
      long flags,
      long pageOffset,
      @Nullable Inode file,
      @Nullable SpecialMapping special) {
    return new InitialArea(start, end, new VmFlags(flags), pageOffset, file, special);
  }
}
