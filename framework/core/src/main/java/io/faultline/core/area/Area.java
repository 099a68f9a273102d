// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.core.memory.FileMapping;
import io.faultline.device.OpenFile;
import io.faultline.kernel.SpecialMapping;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlags;
import io.faultline.mm.Vma;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's own record of a virtual memory area, {@code struct vm_area_struct}.
 *
 * <p>Its fields are written only with the address space's lock held for writing, or, before the area
 * is in its tree, by the thread that makes it. {@code start} and {@code end} of an area in a tree are
 * changed by {@link AreaTree#resize} alone. Readers without the lock may see an area that is being
 * changed; the fault path validates afterwards.
 */
public final class Area implements Vma {
  /** The process it belongs to. */
  private final int pid;

  long start;
  long end;
  private long pageOffset;
  private long flagBits;
  private @Nullable MappedFile file;
  private @Nullable AreaOperations operations;
  private @Nullable MemoryPolicy policy;
  private @Nullable Object privateData;
  private final @Nullable SpecialMapping special;
  private final AnonVmaChain anonVmas = new AnonVmaChain(this);
  private boolean attached;
  /** Where the file knows it to be mapped while it is attached. */
  private @Nullable FileMapping linked;
  private long linkedDisplacement;

  /**
   * @param pid the process
   * @param start first byte, aligned
   * @param end first byte behind it, aligned
   * @param pageOffset in pages
   * @param flagBits {@code vm_flags}
   * @param special one of the kernel's own mappings, or null
   */
  public Area(
      int pid, long start, long end, long pageOffset, long flagBits,
      @Nullable SpecialMapping special) {
    this.pid = pid;
    this.start = start;
    this.end = end;
    this.pageOffset = pageOffset;
    this.flagBits = flagBits;
    this.special = special;
  }

  @Override
  public int pid() {
    return pid;
  }

  @Override
  public long start() {
    return start;
  }

  @Override
  public long end() {
    return end;
  }

  /** Changes the range of an area that is in no tree. */
  public void setRange(long newStart, long newEnd) {
    start = newStart;
    end = newEnd;
  }

  /** Length in pages. */
  public long pages() {
    return (end - start) >>> Mman.PAGE_SHIFT;
  }

  @Override
  public long pageOffset() {
    return pageOffset;
  }

  /** Sets the offset, in pages. */
  public void setPageOffset(long pages) {
    pageOffset = pages;
  }

  @Override
  public VmFlags flags() {
    return new VmFlags(flagBits);
  }

  /** The {@code vm_flags} word. */
  public long flagBits() {
    return flagBits;
  }

  /** Replaces the {@code vm_flags} word. */
  public void setFlagBits(long bits) {
    flagBits = bits;
  }

  /** Whether any of the bits is set. */
  public boolean hasAny(long bits) {
    return (flagBits & bits) != 0;
  }

  @Override
  public @Nullable OpenFile file() {
    return file;
  }

  /** The mapped file as the kernel knows it; null for anonymous memory. */
  public @Nullable MappedFile mappedFile() {
    return file;
  }

  /** Sets the mapped file; the caller takes care of the reference. */
  public void setFile(@Nullable MappedFile mapped) {
    file = mapped;
  }

  /** The driver's operations behind their guard; null for anonymous memory. */
  public @Nullable AreaOperations operations() {
    return operations;
  }

  /** Attaches operations. */
  public void setOperations(@Nullable AreaOperations guarded) {
    operations = guarded;
  }

  /** From which nodes its pages come; null for wherever the process's come from. */
  public @Nullable MemoryPolicy policy() {
    return policy;
  }

  /** Sets the policy. */
  public void setPolicy(@Nullable MemoryPolicy newPolicy) {
    policy = newPolicy;
  }

  /** Whether it has no operations: the kernel supplies zero pages ({@code vma_is_anonymous}). */
  public boolean isAnonymous() {
    return operations == null;
  }

  @Override
  public @Nullable Object privateData() {
    return privateData;
  }

  @Override
  public void setPrivateData(@Nullable Object data) {
    privateData = data;
  }

  /** One of the kernel's own mappings, or null. */
  public @Nullable SpecialMapping special() {
    return special;
  }

  /** Its anon_vma and the chain of those it may find pages of. */
  public AnonVmaChain anonVmas() {
    return anonVmas;
  }

  /** Whether it is in a tree: false once it has been unmapped. */
  public boolean attached() {
    return attached;
  }

  /**
   * How far its pages lie from their index: the address of a page minus 4096 times its index in the
   * file or anon_vma, in bytes. Splits, merges and growth leave it as it is.
   */
  public long displacement() {
    return start - (pageOffset << Mman.PAGE_SHIFT);
  }

  /** Its file hears where it is mapped ({@code vma_link_file}, {@code unlink_file_vma}). */
  void setAttached(boolean inTree) {
    attached = inTree;
    FileMapping mapping = linked;
    if (mapping != null) {
      mapping.placesChange().lock();
      try {
        mapping.places().remove(pid, linkedDisplacement);
        linked = null;
      } finally {
        mapping.placesChange().unlock();
      }
    }
    FileMapping next = inTree && file != null ? file.places() : null;
    if (next != null) {
      next.placesChange().lock();
      try {
        linkedDisplacement = displacement();
        linked = next;
        next.places().add(pid, linkedDisplacement);
      } finally {
        next.placesChange().unlock();
      }
    }
  }

  /**
   * Its file may want to hear now where it is mapped. The space's lock is held for writing, or all are
   * stopped.
   */
  public void linkAgain() {
    setAttached(attached);
  }

  /**
   * Whether it maps a file at a displacement. For those who hold the file's {@link
   * FileMapping#placesWalk}, with or without the address space's lock.
   */
  public boolean liesAt(FileMapping mapping, long displacement) {
    if (linked != null) {
      return linked == mapping && linkedDisplacement == displacement;
    }
    MappedFile mapped = file;
    // Cut off another area just now, and waiting to be linked.
    return mapped != null && mapped.places() == mapping && displacement() == displacement;
  }

  @Override
  public String toString() {
    return "[%x, %x) %s pgoff %x".formatted(start, end, flags(), pageOffset);
  }
}
