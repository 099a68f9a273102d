// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UpgradeException;
import io.faultline.testkit.BootedKernel;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The driver under test, plugged into a kernel behind its observers, and its versions one after
 * another; what must be true when one goes.
 */
final class Plugged {
  private final DriverCompliance compliance;
  private final BootedKernel kernel;
  private final Watch watch;
  private final Facades facades;
  private final DeviceRegistration registration;
  private final String path;
  private final Set<String> overridden;
  private ObservedPages pages;
  private MmapProvider driver;
  private AutoCloseable handle;
  private int upgrades;
  private boolean unplugged;

  Plugged(
      DriverCompliance compliance, BootedKernel kernel, UnplugPolicy policy, Watch watch,
      Facades facades)
      throws Exception {
    this.compliance = compliance;
    this.kernel = kernel;
    this.watch = watch;
    this.facades = facades;
    registration = compliance.registration().withUnplug(policy);
    path = "/dev/" + registration.name() + (registration.count() > 1 ? "0" : "");
    pages = new ObservedPages(kernel.pages(registration), watch);
    driver =
        compliance.driver(
            pages, kernel.memory(registration.driver()), kernel.io(registration));
    overridden = Facades.overridden(MmapProvider.class, driver);
    watch.count(() -> compliance.areas(driver));
    handle = kernel.devices().register(registration, ObservedDriver.of(driver, watch, facades));
  }

  /** Its node, the first of several. */
  String path() {
    return path;
  }

  /** Whether it has that method of {@link MmapProvider}; read and write count for pages only. */
  boolean can(String method) {
    return overridden.contains(method) && (method.equals("mmap") || compliance.filesShowPages());
  }

  boolean handsOver() {
    return driver instanceof HandOver;
  }

  boolean isUnplugged() {
    return unplugged;
  }

  /** How many pages it holds. */
  long allocated() {
    return pages.allocated();
  }

  /** Lets so many threads meet when it allocates, until told 0. */
  void meet(int threads) {
    pages.meet(threads);
  }

  /** What a callback did since the last time that the kernel had to contain, or null. */
  @Nullable String failure() {
    String failed = watch.takeFailure();
    if (failed != null) {
      return failed;
    }
    DeviceInfo info = kernel.devices().find(path).orElse(null);
    if (info == null || info.errors() == 0) {
      return null;
    }
    String last = info.lastError();
    return last == null ? "a callback failed" : last;
  }

  /**
   * Another instance takes over, as the next version.
   *
   * @return whether it did
   */
  boolean upgrade() {
    DeviceRegistration next = nextVersion();
    ObservedPages nextPages = new ObservedPages(kernel.pages(next), watch);
    MmapProvider old = driver;
    try {
      driver =
          compliance.driver(
              nextPages, kernel.memory(registration.driver()), kernel.io(next));
      handle = kernel.devices().replace(
          handle, next, ObservedDriver.of(driver, watch, facades), done -> {
          });
    } catch (UpgradeException refused) {
      watch.violated(
          Rule.UPGRADE_IS_NOT_SEEN, "the next version does not take over: " + refused.getMessage());
      removeQuietly(driver);
      driver = old;
      return false;
    } catch (Exception thrown) {
      throw new AssertionError("the driver's next version cannot be made: " + thrown, thrown);
    }
    remove(old, pages);
    pages = nextPages;
    return true;
  }

  private DeviceRegistration nextVersion() {
    return registration.withVersion("1.0." + ++upgrades);
  }

  /** Another instance comes, in the place of the one that was removed. */
  void comeBack() {
    DeviceRegistration next = nextVersion();
    pages = new ObservedPages(kernel.pages(next), watch);
    try {
      driver =
          compliance.driver(
              pages, kernel.memory(registration.driver()), kernel.io(next));
      handle = kernel.devices().register(next, ObservedDriver.of(driver, watch, facades));
    } catch (Exception thrown) {
      throw new AssertionError("the driver's next version cannot be made: " + thrown, thrown);
    }
    unplugged = false;
    String failed = failure();
    if (failed != null) {
      watch.violated(
          Rule.WHAT_IS_LEFT_IS_ADOPTED, "the driver comes back, and " + failed);
    }
  }

  private void removeQuietly(MmapProvider unused) {
    try {
      compliance.remove(unused);
    } catch (Exception thrown) {
      watch.violated(
          Rule.CALLBACKS_ANSWER, "a version that did not take over cannot be removed: " + thrown);
    }
  }

  /** Takes the driver away from the kernel; it is not removed yet. */
  void unplug() {
    unplugged = true;
    try {
      handle.close();
    } catch (Exception e) {
      throw new AssertionError("the driver cannot be unregistered: " + e, e);
    }
    OptionalInt left = compliance.areas(driver);
    if (left.isPresent() && left.getAsInt() != 0) {
      watch.violated(
          Rule.AREAS_ARE_COUNTED,
          "all areas are closed, and the driver counts " + left.getAsInt());
    }
  }

  /** The last version goes. */
  void remove() {
    remove(driver, pages);
  }

  private void remove(MmapProvider version, ObservedPages its) {
    try {
      compliance.remove(version);
    } catch (Exception thrown) {
      watch.threw("the driver's removal", thrown);
      String failure = watch.takeFailure();
      if (failure != null) {
        watch.violated(Rule.CALLBACKS_ANSWER, failure);
      }
      return;
    }
    if (its.allocated() > 0) {
      watch.violated(
          Rule.FRAMES_COME_BACK,
          "the driver is removed, and " + its.allocated() + " of its pages were not put");
    }
  }
}
