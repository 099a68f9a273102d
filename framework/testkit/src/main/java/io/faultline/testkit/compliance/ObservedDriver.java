// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A driver, each call written down and checked, its operations too. */
final class ObservedDriver implements MmapProvider, HandOver {
  private final MmapProvider driver;
  private final Watch watch;
  private final Facades facades;

  /** One for each, so that the kernel finds equal what the driver made equal. Guarded by itself. */
  private final Map<VmOperations, VmOperations> operations = new IdentityHashMap<>();

  private ObservedDriver(MmapProvider driver, Watch watch, Facades facades) {
    this.driver = driver;
    this.watch = watch;
    this.facades = facades;
  }

  /** With the methods that the driver overrides, and no others. */
  static MmapProvider of(MmapProvider driver, Watch watch, Facades facades) {
    return (MmapProvider) facades.of(
        driver, new ObservedDriver(driver, watch, facades), MmapProvider.class, HandOver.class);
  }

  @Override
  public void open(OpenFile file) throws ErrnoException {
    driver.open(file);
  }

  @Override
  public void release(OpenFile file) {
    watch.called("release");
    driver.release(file);
  }

  @Override
  public int read(OpenFile file, long offset, MemorySegment target) throws ErrnoException {
    return copying(
        "read(" + target.byteSize() + " bytes at " + position(offset) + ")",
        () -> driver.read(file, offset, target));
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) throws ErrnoException {
    return copying(
        "write(" + source.byteSize() + " bytes at " + position(offset) + ")",
        () -> driver.write(file, offset, source));
  }

  private int copying(String call, Watch.Callback<Integer> callback) throws ErrnoException {
    try {
      int count = callback.call();
      watch.called(call + " = " + count);
      return count;
    } catch (RuntimeException | Error thrown) {
      watch.called(call);
      watch.threw(call, thrown);
      throw thrown;
    }
  }

  @Override
  public void fsync(OpenFile file, long start, long end) throws ErrnoException {
    watch.called("fsync");
    driver.fsync(file, start, end);
  }

  private static String position(long offset) {
    return "page " + (offset >> Mman.PAGE_SHIFT)
        + (offset % Mman.PAGE_SIZE == 0 ? "" : " + " + offset % Mman.PAGE_SIZE);
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    String call = "mmap(" + Places.pages(request.start(), request.end()) + " of process "
        + request.pid() + ", page " + request.pageOffset() + " on)";
    watch.backing(Watch.Backing.DEVICE);
    Object unused = watch.<@Nullable Object>counting(call, 1, () -> {
      driver.mmap(file, observed(request));
      return null;
    });
  }

  /** The request, which attaches observed operations. */
  private MmapRequest observed(MmapRequest request) {
    return (MmapRequest) Proxy.newProxyInstance(
        MmapRequest.class.getClassLoader(), new Class<?>[] {MmapRequest.class},
        (proxy, method, arguments) -> {
          switch (method.getName()) {
            case "setOperations" -> {
              request.setOperations(observed((VmOperations) Objects.requireNonNull(arguments[0])));
              watch.backing(Watch.Backing.DEVICE);
              return null;
            }
            case "setAnonymous" -> watch.backing(Watch.Backing.ANONYMOUS);
            case "setSharedMemory" -> {
              watch.scarcity().ask("setSharedMemory");
              watch.backing(Watch.Backing.SHARED_MEMORY);
            }
            case "remapPfnRange", "insertPage" -> watch.scarcity().ask(method.getName());
            case "setPageCache" -> watch.backing(Watch.Backing.PAGE_CACHE);
            default -> {
              // Only handed on.
            }
          }
          try {
            return method.invoke(request, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
          }
        });
  }

  private VmOperations observed(VmOperations original) {
    synchronized (operations) {
      return operations.computeIfAbsent(
          original,
          o -> (VmOperations) facades.of(
              o, new ObservedOperations(o, watch), VmOperations.class));
    }
  }

  @Override
  public Placement placement() {
    return driver.placement();
  }

  @Override
  public boolean supportsMapSync() {
    return driver.supportsMapSync();
  }

  @Override
  public long size(OpenFile file) {
    return driver.size(file);
  }

  // ---- what is handed over ----------------------------------------------------------------------

  private HandOver handOver() {
    return (HandOver) driver;
  }

  @Override
  public void selfTest() throws Exception {
    handOver().selfTest();
  }

  @Override
  public int stateVersion() {
    return handOver().stateVersion();
  }

  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    watch.called("old version: saveState");
    handOver().saveState(index, out);
  }

  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    watch.called("new version: restoreState of format " + version);
    handOver().restoreState(index, version, in);
  }

  @Override
  public void adopt(OpenFile file) throws ErrnoException {
    watch.called("new version: adopt(file)");
    handOver().adopt(file);
  }

  @Override
  public void adopt(Adoption area) throws ErrnoException {
    Vma vma = area.vma();
    Object unused = watch.<@Nullable Object>counting(
        "new version: adopt(" + Places.pages(vma.start(), vma.end()) + " of process " + vma.pid()
            + ")",
        1, () -> {
          handOver().adopt(new Adoption() {
            @Override
            public Vma vma() {
              return vma;
            }

            @Override
            public int index() {
              return area.index();
            }

            @Override
            public void setOperations(VmOperations attached) {
              area.setOperations(observed(attached));
            }

            @Override
            public void remapPfnRange(long address, long frame, long length)
                throws ErrnoException {
              area.remapPfnRange(address, frame, length);
            }

            @Override
            public boolean pagesLost() {
              return area.pagesLost();
            }

            @Override
            public void insertPage(long address, Page page) throws ErrnoException {
              area.insertPage(address, page);
            }
          });
          return null;
        });
  }
}
