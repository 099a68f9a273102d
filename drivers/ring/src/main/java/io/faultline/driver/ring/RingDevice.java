// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring;

import io.faultline.device.DeviceMemory;
import io.faultline.driver.ring.client.RingLayout;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;

/**
 * One ring: a control page and data pages that the kernel keeps ({@link DeviceMemory}), whatever becomes
 * of the driver. What processes store in the control page is theirs; how large the ring is says the name
 * of the kernel's region, which they cannot reach.
 *
 * <p>Thread-safe. Pages are found without a lock; the monitor guards who has the ring open.
 */
final class RingDevice {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DeviceMemory memory;
  private final int number;

  /**
   * What {@code nopage} answers for the control page and each data page; empty until somebody opens the
   * ring.
   */
  private volatile List<Nopage> answers = List.of();

  /** Open files. */
  private int users;

  RingDevice(DeviceMemory memory, int number) throws ErrnoException {
    this.memory = memory;
    this.number = number;
    find();
  }

  /**
   * Takes the ring that an earlier version of this driver made, if there is one: at first, and when that
   * version has stopped, since it may have made another meanwhile.
   */
  void find() throws ErrnoException {
    answers = List.of();
    for (String name : memory.regions()) {
      if (name.startsWith(prefix())) {
        attach(Integer.parseInt(name.substring(prefix().length())));
      }
    }
  }

  private String prefix() {
    return "ring" + number + "/";
  }

  private void attach(int dataPages) throws ErrnoException {
    List<Page> pages = memory.region(prefix() + dataPages, 1 + dataPages);
    answers = pages.stream().map(Nopage::minor).toList();
  }

  /** How many data pages there are, each mapped twice; 0 when there is no ring yet. */
  int dataPages() {
    return Math.max(0, answers.size() - 1);
  }

  /** How many pages can be mapped. */
  private long pages() {
    return answers.isEmpty() ? 0 : 1 + 2L * dataPages();
  }

  /** The size of a mapping, in bytes. */
  long size() {
    return pages() << Mman.PAGE_SHIFT;
  }

  /**
   * Somebody opens the ring; it is made when there is none, and made anew when nobody else has it open
   * and it should have another size.
   *
   * @throws ErrnoException ENOMEM
   */
  synchronized void opened(int order) throws ErrnoException {
    int dataPages = 1 << order;
    if (answers.isEmpty() || users == 0 && dataPages != dataPages()) {
      if (!answers.isEmpty()) {
        int old = dataPages();
        answers = List.of();
        memory.free(prefix() + old);
      }
      attach(dataPages);
      identify(dataPages);
    }
    users++;
  }

  /** Another version of the driver, or this one before a gap, has opened it. */
  synchronized void adopted() {
    users++;
  }

  /** An open file is closed, and all its areas are unmapped. */
  synchronized void released() {
    users--;
  }

  private void identify(int dataPages) {
    MemorySegment control = page(0).segment();
    control.set(LONG, RingLayout.DATA_OFFSET, RingLayout.DATA);
    control.set(LONG, RingLayout.DATA_SIZE, (long) dataPages << Mman.PAGE_SHIFT);
    control.set(INT, RingLayout.NUMBER, number);
    control.set(INT, RingLayout.VERSION, RingLayout.VERSION_VALUE);
    control.set(LONG, RingLayout.MAGIC, RingLayout.MAGIC_VALUE);
  }

  /** The page at an offset in pages, with a reference for the kernel; SIGBUS behind the end. */
  Nopage nopage(long pageOffset) {
    List<Nopage> all = answers;
    int index = index(pageOffset, all.size());
    if (index < 0) {
      return Nopage.SIGBUS;
    }
    Nopage answer = all.get(index);
    Objects.requireNonNull(answer.page()).get();
    return answer;
  }

  /** Which of the ring's own pages an offset shows: the data once, and once more. */
  private static int index(long pageOffset, int own) {
    if (pageOffset < 0 || pageOffset > 2L * own - 2 || own == 0) {
      return -1;
    }
    return (int) (pageOffset < own ? pageOffset : pageOffset - own + 1);
  }

  private Page page(int index) {
    return Objects.requireNonNull(answers.get(index).page());
  }

  /**
   * Copies what a mapping shows.
   *
   * @return the number of bytes; 0 at the end
   */
  int read(long position, MemorySegment target) {
    long count = Math.max(0, Math.min(target.byteSize(), size() - position));
    for (long done = 0; done < count;) {
      long at = position + done;
      long inPage = at & Mman.PAGE_SIZE - 1;
      long bytes = Math.min(count - done, Mman.PAGE_SIZE - inPage);
      int index = index(at >>> Mman.PAGE_SHIFT, answers.size());
      MemorySegment.copy(page(index).segment(), inPage, target, done, bytes);
      done += bytes;
    }
    return (int) count;
  }
}
