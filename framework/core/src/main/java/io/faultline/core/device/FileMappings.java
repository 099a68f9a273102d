// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.Inode;
import io.faultline.kernel.PageCacheCounts;
import io.faultline.mm.Page;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Which inode's pages the kernel keeps itself ({@code inode->i_mapping}): those of its own shared
 * memory and of files with a page cache. Thread-safe.
 *
 * <p>A file's pages are kept as long as it is open or mapped. With its last open file its dirty pages
 * are written back and its clean ones dropped; those that cannot be stored stay, and are tried again by
 * {@link #writeBack}. (Linux keeps clean pages too, until it needs the memory. Here a file of the host
 * may have changed when it is opened again, and nobody would tell.)
 */
public final class FileMappings {
  /** An inode is known by its identity. */
  private final Map<Inode, FileMapping> mappings = new ConcurrentHashMap<>();
  /** Changed with this object's monitor held, which also guards the counts of open files. */
  private final Map<Inode, CachedFile> files = new ConcurrentHashMap<>();
  /** Of devices whose areas are known; an inode is known by its identity. */
  private final Map<Inode, FileMapping> places = Collections.synchronizedMap(new WeakHashMap<>());
  private final CacheCounts counts = new CacheCounts();
  private volatile FileRmap rmap = FileRmap.NONE;

  FileMappings() {}

  /** The pages of an inode; null when its driver has them. */
  public @Nullable FileMapping find(Inode inode) {
    return mappings.get(inode);
  }

  /** Where areas of a device are linked; null when nobody has asked for it. */
  @Nullable FileMapping places(Inode inode) {
    return places.get(inode);
  }

  /** As {@link #places}, made at the first call; it holds no pages. */
  FileMapping makePlaces(Inode inode, PhysicalMemory memory) {
    return places.computeIfAbsent(inode, device -> new FileMapping(memory));
  }

  /**
   * Takes the right to write a device's page from every entry that maps it at one place of the device
   * ({@code folio_mkclean}).
   *
   * @param pageOffset where in the device, in pages
   * @return from how many entries
   * @throws IllegalStateException when the page has been freed
   */
  int writeProtect(Inode inode, long pageOffset, Page page, PhysicalMemory memory) {
    long frame = memory.frameOf(page);
    if (frame == PhysicalMemory.NONE || !memory.tryGet(frame)) {
      throw new IllegalStateException("page: the last reference to it is gone: " + page);
    }
    try {
      FileMapping known = places(inode);
      return known == null ? 0 : writeProtect(known, pageOffset, frame, memory.table());
    } finally {
      memory.put(frame);
    }
  }

  private int writeProtect(FileMapping known, long pageOffset, long frame, FrameTable frames) {
    frames.lock(frame);
    try {
      known.countProtection(frame);
      return rmap.writeProtect(known, pageOffset, frame);
    } finally {
      frames.unlock(frame);
    }
  }

  /** Shows each inode with its pages. */
  public void forEach(BiConsumer<Inode, FileMapping> visitor) {
    mappings.forEach(visitor);
  }

  /** From now on the kernel keeps the pages of an inode. */
  public void put(Inode inode, FileMapping mapping) {
    mappings.put(inode, mapping);
  }

  /** An inode is gone, or has no page left. */
  public void remove(Inode inode) {
    mappings.remove(inode);
  }

  void setRmap(FileRmap finder) {
    rmap = finder;
  }

  FileRmap rmap() {
    return rmap;
  }

  CacheCounts counts() {
    return counts;
  }

  /** What all page caches of files hold. */
  public PageCacheCounts pageCache() {
    return counts.now();
  }

  /** One more open file of an inode with a page cache; null for an inode without one. */
  synchronized @Nullable CachedFile open(DeviceNode node, Inode inode) {
    AddressSpaceOperations storage = inode.pageCache();
    if (storage == null) {
      return null;
    }
    CachedFile file = files.get(inode);
    if (file == null || !file.node().driver().isPresent()) {
      file = new CachedFile(node, inode, storage);
      files.put(inode, file);
    }
    file.openFiles++;
    return file;
  }

  /** One open file less. */
  void close(CachedFile file) {
    synchronized (this) {
      if (--file.openFiles > 0) {
        return;
      }
    }
    boolean unused = file.writeBack(0, Long.MAX_VALUE, true);
    forgetUnused(file);
  }

  private synchronized void forgetUnused(CachedFile file) {
    if (file.openFiles > 0) {
      return;
    }
    file.dropClean();
    if (!file.isDirty() && files.remove(file.inode(), file)) {
      file.inode().setResizeListener(null);
    }
  }

  /**
   * Writes files back whose oldest dirty page is old enough ({@code wb_check_old_data_flush}), and has
   * drivers look whether their files were changed by others.
   *
   * @param nanos how old, in nanoseconds; 0 for all
   */
  public void writeBack(long nanos) {
    for (CachedFile file : files.values()) {
      if (nanos > 0) {
        file.revalidate();
      }
      if (file.isDirty() && file.dirtyNanos(System.nanoTime()) >= nanos) {
        boolean unused = file.writeBack(0, Long.MAX_VALUE, false);
      }
      forgetUnused(file);
    }
  }

  /** A driver goes: its files' dirty pages are written back, all pages dropped. */
  void unmount(Driver driver) {
    for (CachedFile file : files.values()) {
      if (file.node().driver() == driver) {
        boolean unused = file.writeBack(0, Long.MAX_VALUE, true);
        long lost = file.abandon();
        if (lost > 0) {
          file.node().kernel().log().problem(
              "%s: %s: %d dirty pages are lost: the driver is gone and could not store them"
                  .formatted(file.node().owner(), file.inode().path(), lost),
              null);
        }
        files.remove(file.inode(), file);
      }
    }
  }

  /** The files whose pages are kept now. For tests and displays. */
  List<CachedFile> files() {
    return List.copyOf(files.values());
  }

  /**
   * Checks all page caches. For tests, while nothing else runs.
   *
   * @throws IllegalStateException naming what is wrong
   */
  public void validate() {
    files.values().forEach(CachedFile::validate);
  }
}
