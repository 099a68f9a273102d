// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import static io.faultline.distribution.soak.Machine.PAGE;

import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/**
 * Writes pages through a mapping, reads them back through it and by {@code read}, and compares
 * checksums; between rounds every page faults again, and a second area is mapped and unmapped.
 */
final class PageWork implements Work {
  static final int PAGES = 32;

  private final Machine.Process process;
  private final Meter meter;
  private final int first;
  private final long address;
  private final long seed;
  private final MemorySegment page = MemorySegment.ofArray(new byte[PAGE]);
  private final long[] checksums = new long[PAGES];

  /**
   * @param first the first of the device's pages that are this work's own
   */
  PageWork(Machine machine, Meter meter, String device, int first, long seed)
      throws ErrnoException {
    this.meter = meter;
    this.first = first;
    this.seed = seed;
    process = machine.process(device);
    for (int i = 0; i < PAGES; i++) {
      int unused = process.write(first + i, MemorySegment.ofArray(new byte[PAGE]));
    }
    address = process.map(first, PAGES);
  }

  @Override
  public void round(long number) throws Exception {
    for (int i = 0; i < PAGES; i++) {
      long at = address + (long) i * PAGE;
      Pattern.fill(page, seed + number * PAGES + i);
      checksums[i] = checksum();
      meter.timed(() -> process.cpu.write(at, page));
    }
    meter.timed(() -> process.drop(address, PAGES));
    meter.faults.addAndGet(PAGES);
    for (int i = 0; i < PAGES; i++) {
      long at = address + (long) i * PAGE;
      meter.timed(() -> process.cpu.read(at, page));
      compare(i);
    }
    int one = (int) (number % PAGES);
    meter.timed(() -> meter.compare(process.read(first + one, page) == PAGE));
    compare(one);
    long[] second = new long[1];
    meter.timed(() -> second[0] = process.map(first, PAGES));
    meter.timed(() -> process.cpu.read(second[0] + (long) one * PAGE, page));
    meter.faults.incrementAndGet();
    compare(one);
    meter.timed(() -> process.unmap(second[0], PAGES));
  }

  private long checksum() {
    CRC32C crc = new CRC32C();
    crc.update(page.asByteBuffer());
    return crc.getValue();
  }

  private void compare(int index) {
    meter.compare(checksum() == checksums[index]);
  }

  @Override
  public void close() {
    process.end();
  }
}
