// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.device.FileSystem;
import io.faultline.kernel.DeviceRegistration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Mounts every {@link FileSystem} service, and unmounts it when the service goes, while the driver's
 * code is still there: dirty pages are written back by then. One whose properties are malformed, or
 * whose mount point is taken, costs one line in the log.
 */
@Component(service = {}, immediate = true)
public final class MountWhiteboard {
  private static final int DEFAULT_TIMEOUT_MILLIS = 10_000;

  private final KernelComponent kernel;
  private final Map<ServiceReference<FileSystem>, Mounted> mounts = new ConcurrentHashMap<>();
  /** Those whose mount point another version of their bundle has. */
  private final Map<ServiceReference<FileSystem>, FileSystem> waiting = new ConcurrentHashMap<>();

  private record Mounted(String point, Owner owner, AutoCloseable mount) {}

  /** A whiteboard for this kernel. */
  @Activate
  public MountWhiteboard(@Reference KernelComponent kernel) {
    this.kernel = kernel;
  }

  @Reference(
      service = FileSystem.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void bindFileSystem(ServiceReference<FileSystem> reference, FileSystem fileSystem) {
    Bundle bundle = reference.getBundle();
    if (bundle == null) {
      return; // Gone already; its unbind finds nothing.
    }
    Owner owner = Owner.of(bundle);
    String point = text(reference, FileSystem.MOUNT_POINT);
    if (point == null) {
      kernel.log().warning(
          "file system of " + owner + " is not mounted: its service has no property "
              + FileSystem.MOUNT_POINT + ", the directory where to mount it");
      return;
    }
    String type = Objects.requireNonNullElse(text(reference, FileSystem.TYPE), point);
    DeviceRegistration registration =
        new DeviceRegistration(
            type, 0, 0, 1, timeout(reference), owner.symbolicName(), owner.version());
    if (isTakenByAnotherVersion(point, owner)) {
      waiting.put(reference, fileSystem);
      kernel.log().info(
          "file system " + type + " of " + owner + " waits for its other version on " + point);
      if (isTakenByAnotherVersion(point, owner) || !waiting.remove(reference, fileSystem)) {
        return;
      }
    }
    try {
      AutoCloseable mount = kernel.kernel().devices().mount(point, registration, fileSystem);
      kernel.accounts().hold(owner);
      mounts.put(reference, new Mounted(point, owner, mount));
      kernel.log().info("file system " + type + " of " + owner + " is mounted on " + point);
    } catch (RuntimeException e) {
      kernel.log().warning(
          "file system of " + owner + " is not mounted on " + point + ": " + e.getMessage());
    }
  }

  /** So that of two versions, in an upgrade, the new one follows the old one. */
  private boolean isTakenByAnotherVersion(String point, Owner owner) {
    return mounts.values().stream().anyMatch(
        mounted -> mounted.point().equals(point)
            && mounted.owner().symbolicName().equals(owner.symbolicName())
            && !mounted.owner().equals(owner));
  }

  void unbindFileSystem(ServiceReference<FileSystem> reference) {
    waiting.remove(reference);
    Mounted mounted = mounts.get(reference);
    if (mounted == null) {
      return;
    }
    try {
      mounted.mount().close();
    } catch (Exception e) {
      kernel.log().warning(mounted.point() + " could not be unmounted cleanly: " + e);
    }
    mounts.remove(reference);
    kernel.accounts().release(mounted.owner());
    kernel.log().info(mounted.point() + " is unmounted");
    waiting.forEach((next, fileSystem) -> {
      if (waiting.remove(next, fileSystem)) {
        bindFileSystem(next, fileSystem);
      }
    });
  }

  private static @Nullable String text(ServiceReference<?> reference, String property) {
    return reference.getProperty(property) instanceof String text && !text.isBlank()
        ? text.strip()
        : null;
  }

  private static int timeout(ServiceReference<?> reference) {
    return reference.getProperty(FileSystem.TIMEOUT_MILLIS) instanceof Number millis
        ? Math.max(1, millis.intValue())
        : DEFAULT_TIMEOUT_MILLIS;
  }
}
