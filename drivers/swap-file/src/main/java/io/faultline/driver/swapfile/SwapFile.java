// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapfile;

import io.faultline.device.RequireFaultline;
import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.Designate;

/**
 * Swap space in a file: slot n is the file's page n + 1, behind a page with the signature. A page goes
 * from the kernel's memory to the file and back without a copy in between.
 *
 * <p>The component's end is not the device's: the kernel reads on until it has moved all pages home,
 * and then calls {@link #swapoff}.
 */
@Component(name = "io.faultline.driver.swapfile")
@Designate(ocd = SwapFileConfig.class)
@RequireFaultline
public final class SwapFile implements SwapDevice {
  static final int PAGE = 4096;

  private final Path path;
  private final long slots;
  private volatile @Nullable Space space;

  /** With Config Admin's values. */
  @Activate
  public SwapFile(SwapFileConfig config) {
    this(path(config.path()), config.size_bytes() / PAGE);
  }

  /**
   * @param slots how many pages it holds
   * @throws IllegalArgumentException when there are none
   */
  SwapFile(Path path, long slots) {
    if (slots < 1) {
      throw new IllegalArgumentException("size.bytes: a page at least, that is 4096");
    }
    this.path = path.toAbsolutePath();
    this.slots = slots;
  }

  private static Path path(String configured) {
    return configured.isBlank()
        ? Path.of(System.getProperty("java.io.tmpdir"),
            "faultline-" + ProcessHandle.current().pid() + ".swap")
        : Path.of(configured.strip());
  }

  /** The path, with blanks as Linux writes them there. */
  @Override
  public String name() {
    return path.toString().replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")
        .replace("\n", "\\012");
  }

  @Override
  public String type() {
    return "file";
  }

  @Override
  public long slots() {
    return slots;
  }

  @Override
  public void swapon() throws IOException {
    if (space != null) {
      throw new IOException(path + " is active");
    }
    space = new Space(PageFile.open(path, slots + 1), new Checksums(slots));
  }

  @Override
  public void swapoff() {
    Space over = space;
    space = null;
    if (over != null) {
      over.file().close();
    }
  }

  @Override
  public void write(long[] at, MemorySegment[] pages) throws IOException {
    Space active = active();
    active.sums().free(at);
    for (int from = 0; from < at.length;) {
      int to = from + 1;
      while (to < at.length && at[to] == at[to - 1] + 1) {
        to++;
      }
      active.file().write(at[from] + 1, pages, from, to);
      from = to;
    }
    active.sums().put(at, pages);
  }

  @Override
  public void read(long[] at, MemorySegment[] pages) throws IOException {
    Space active = active();
    active.sums().requireAll(at);
    for (int i = 0; i < at.length; i++) {
      active.file().read(at[i] + 1, pages[i]);
      active.sums().verify(at[i], pages[i]);
    }
  }

  @Override
  public void free(long[] at) {
    Space active = space;
    if (active != null) {
      active.sums().free(at);
    }
  }

  private Space active() throws IOException {
    Space active = space;
    if (active == null) {
      throw new IOException(path + " is not active; swapon comes first");
    }
    return active;
  }

  /** What it has while it is active. */
  private record Space(PageFile file, Checksums sums) {}
}
