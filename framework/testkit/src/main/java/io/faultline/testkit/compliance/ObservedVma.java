// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.OpenFile;
import io.faultline.mm.VmFlags;
import io.faultline.mm.Vma;
import org.jspecify.annotations.Nullable;

/** An area as the driver sees it, which notices that it is looked at after its close. */
final class ObservedVma implements Vma {
  private final Vma area;
  private final Watch watch;
  private volatile boolean closed;

  ObservedVma(Vma area, Watch watch) {
    this.area = area;
    this.watch = watch;
  }

  void close() {
    closed = true;
  }

  private Vma area(String method) {
    watch.stopIfAbandoned();
    if (closed) {
      watch.violated(
          Rule.AREA_IS_NOT_KEPT,
          "the driver calls " + method + "() of an area of process " + area.pid()
              + " that it was told is closed");
    }
    return area;
  }

  @Override
  public long start() {
    return area("start").start();
  }

  @Override
  public long end() {
    return area("end").end();
  }

  @Override
  public long pageOffset() {
    return area("pageOffset").pageOffset();
  }

  @Override
  public VmFlags flags() {
    return area("flags").flags();
  }

  @Override
  public @Nullable OpenFile file() {
    return area("file").file();
  }

  @Override
  public @Nullable Object privateData() {
    return area("privateData").privateData();
  }

  @Override
  public void setPrivateData(@Nullable Object data) {
    area("setPrivateData").setPrivateData(data);
  }

  @Override
  public int pid() {
    return area("pid").pid();
  }
}
