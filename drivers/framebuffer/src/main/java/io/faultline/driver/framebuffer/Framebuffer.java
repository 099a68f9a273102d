// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import io.faultline.device.Adoption;
import io.faultline.device.Device;
import io.faultline.device.DeviceMemory;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.device.UnplugPolicy;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/**
 * {@code /dev/fb0}, or another of its kind: a picture in memory, which a display shows a moment later. The file operations are here;
 * what happens between a store and the display is {@link DeferredIo}. Without a driver programs draw on
 * pages of zeros, as those of a display that was unplugged do in Linux (ttm's dummy page).
 */
@Component(
    name = "io.faultline.driver.framebuffer",
    service = {MmapProvider.class, HandOver.class, Framebuffer.class})
@Device(name = "fb0", unplug = UnplugPolicy.ZERO)
@Designate(ocd = FramebufferConfig.class)
@RequireFaultline
public final class Framebuffer implements MmapProvider, HandOver {
  private static final int PAGE = Mman.PAGE_SIZE;

  private final VideoMemory memory;
  private final Display display;
  private final DeferredIo deferred;
  private final VmOperations operations = new Operations();
  /** Each of them knows all areas that map the device. */
  private final Set<OpenFile> files = ConcurrentHashMap.newKeySet();
  private volatile String name;
  private volatile Mode mode;
  private volatile @Nullable String refusal;

  /**
   * The device, with the picture that was left in its memory.
   *
   * @throws ErrnoException ENOMEM; EINVAL when the memory was of another size
   * @throws IllegalArgumentException when the mode does not fit into it
   */
  @Activate
  public Framebuffer(@Reference DeviceMemory deviceMemory, FramebufferConfig config)
      throws ErrnoException {
    this(
        deviceMemory, config.device_name(), mode(config), config.memory_order(),
        config.delay_millis());
  }

  Framebuffer(DeviceMemory deviceMemory, Mode mode, int order, int delayMillis)
      throws ErrnoException {
    this(deviceMemory, "fb0", mode, order, delayMillis);
  }

  /** @param name the device's, and the one that its memory has been left under */
  Framebuffer(DeviceMemory deviceMemory, String name, Mode mode, int order, int delayMillis)
      throws ErrnoException {
    // First: what is refused here leaves no memory behind.
    checkFits(mode, (long) PAGE << order);
    this.memory = VideoMemory.of(deviceMemory, name, order);
    this.name = name;
    this.mode = mode;
    this.display = new Display(memory);
    this.deferred =
        new DeferredIo(name, this::writeProtect, page -> display.send(memory, page), delayMillis);
  }

  private static Mode mode(FramebufferConfig config) {
    return new Mode(config.width(), config.height(), config.bits_per_pixel());
  }

  private static void checkFits(Mode mode, long bytes) {
    if (mode.bytes() > bytes) {
      throw new IllegalArgumentException(
          "width, height: %s needs %d bytes, and the video memory has %d; choose a smaller mode, or a"
              .formatted(mode, mode.bytes(), bytes)
              + " larger memory.order, which takes a new start of the kernel");
    }
  }

  /**
   * The mode changes under the programs that have it mapped, as with FBIOPUT_VSCREENINFO.
   *
   * @throws IllegalArgumentException when it does not fit; all stays as it was, and {@code fb info} says why
   */
  @Modified
  void modified(FramebufferConfig config) {
    name = config.device_name();
    try {
      Mode next = mode(config);
      checkFits(next, memory.size());
      if ((long) PAGE << config.memory_order() != memory.size()) {
        throw new IllegalArgumentException(
            "memory.order: " + config.memory_order() + ": video memory keeps its " + memory.size()
                + " bytes as long as the kernel runs");
      }
      mode = next;
      deferred.setDelayMillis(config.delay_millis());
      refusal = null;
    } catch (IllegalArgumentException refused) {
      refusal = refused.getMessage();
      throw refused;
    }
  }

  /** Why the last change of the configuration was refused, or null. */
  @Nullable String refusal() {
    return refusal;
  }

  /** The memory stays: the kernel keeps it for the next version. */
  @Deactivate
  void deactivate() {
    deferred.close();
  }

  @Override
  public void open(OpenFile file) {
    files.add(file);
  }

  @Override
  public void release(OpenFile file) {
    files.remove(file);
  }

  @Override
  public int read(OpenFile file, long offset, MemorySegment target) {
    return memory.read(offset, target);
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) throws ErrnoException {
    int count = memory.write(offset, source);
    if (count > 0) {
      deferred.dirty(VideoMemory.pageOf(offset), VideoMemory.pageOf(offset + count - 1) + 1);
    }
    return count;
  }

  /** {@code fb_deferred_io_fsync}: all that is dirty, whatever the part. */
  @Override
  public void fsync(OpenFile file, long start, long end) {
    deferred.flush();
  }

  @Override
  public long size(OpenFile file) {
    return memory.size();
  }

  /** {@code fb_deferred_io_mmap}: any range; what is behind the memory is answered by {@code nopage}. */
  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(operations);
    request.addFlags(VmFlag.IO, VmFlag.DONTEXPAND, VmFlag.DONTDUMP);
  }

  /** Format 1: size of the memory, mode, counters, dirty pages. */
  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    Mode now = mode;
    // First: it waits until pages that are off the list have been sent.
    int[] dirty = deferred.pending();
    DeferredIo.Counters counters = deferred.counters();
    out.writeLong(memory.size());
    out.writeInt(now.width());
    out.writeInt(now.height());
    out.writeInt(now.bitsPerPixel());
    out.writeLong(counters.written());
    out.writeLong(counters.flushes());
    out.writeLong(counters.sent());
    out.writeInt(dirty.length);
    for (int page : dirty) {
      out.writeInt(page);
    }
  }

  /**
   * The mode is the device's and not the version's: programs draw in it.
   *
   * @throws ErrnoException EINVAL for memory of another size
   */
  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    HandOver.super.restoreState(index, version, in);
    long size = in.readLong();
    if (size != memory.size()) {
      throw new ErrnoException(
          Errno.EINVAL,
          "memory.order: this version has %d bytes of video memory, the old one %d".formatted(
              memory.size(), size));
    }
    Mode before = new Mode(in.readInt(), in.readInt(), in.readInt());
    if (!before.equals(mode)) {
      refusal =
          "%s: programs draw in the mode that was taken over, %s; configure it anew to change it"
              .formatted(mode, before);
      mode = before;
    }
    DeferredIo.Counters counters =
        new DeferredIo.Counters(in.readLong(), in.readLong(), in.readLong());
    int[] dirty = new int[in.readInt()];
    for (int i = 0; i < dirty.length; i++) {
      dirty[i] = in.readInt();
    }
    // What was sent is what has not been written since.
    for (int page = 0; page < memory.pages(); page++) {
      if (Arrays.binarySearch(dirty, page) < 0) {
        display.send(memory, page);
      }
    }
    deferred.continueFrom(counters, dirty);
  }

  /** Not {@link #open}, so that a later version may do more there. */
  @Override
  public void adopt(OpenFile file) {
    files.add(file);
  }

  @Override
  public void adopt(Adoption area) {
    area.setOperations(operations);
  }

  /** {@code mapping_wrprotect_range} of {@code fb_deferred_io_work}. */
  private void writeProtect(int page) {
    Iterator<OpenFile> any = files.iterator();
    if (any.hasNext()) {
      int entries = any.next().writeProtect(page, memory.page(page));
    }
  }

  /** What the display shows, once it has been sent what waits. */
  Picture picture() {
    deferred.flush();
    return display.picture(mode);
  }

  /** What the display shows now. */
  Picture shown() {
    return display.picture(mode);
  }

  /** The path of its node. */
  String path() {
    return "/dev/" + name;
  }

  Mode mode() {
    return mode;
  }

  VideoMemory memory() {
    return memory;
  }

  DeferredIo deferred() {
    return deferred;
  }

  int openFiles() {
    return files.size();
  }

  /** The areas' operations; they need no data of an area's own. */
  private final class Operations implements VmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return memory.nopage(vma.pageOffsetOf(address));
    }

    @Override
    public Nopage pageMkwrite(Vma vma, long address, Page page) {
      int index = (int) vma.pageOffsetOf(address);
      deferred.mkwrite(index);
      return Nopage.minor(page);
    }
  }
}
