// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.hostfile;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.FileSystem;
import io.faultline.device.Inode;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.Designate;

/**
 * The files of the host below the configured folders, as a file system. It finds files and opens them;
 * their pages are {@link HostFile}'s, and everything between a mapping and a page is the kernel's.
 */
@Component(name = HostFiles.PID, service = FileSystem.class)
@Designate(ocd = HostFilesConfig.class)
@RequireFaultline
public final class HostFiles implements FileSystem {
  static final String PID = "io.faultline.driver.hostfile";

  private final Map<String, Root> roots;
  private final String mountPoint;
  /** A file is the same inode as long as the kernel has it; guarded by itself. */
  private final Map<Object, WeakReference<HostFile>> files = new HashMap<>();

  /** With Config Admin's values. */
  @Activate
  public HostFiles(HostFilesConfig config) {
    this(Root.of(config.roots(), config.writable()), config.mount_point());
  }

  HostFiles(Map<String, Root> roots, String mountPoint) {
    this.roots = roots;
    this.mountPoint = mountPoint;
  }

  /** The kernel has written everything back by now. */
  @Deactivate
  void deactivate() {
    synchronized (files) {
      for (WeakReference<HostFile> reference : files.values()) {
        HostFile file = reference.get();
        if (file != null) {
          file.close();
        }
      }
      files.clear();
    }
  }

  @Override
  public Inode lookup(String path, AccessMode mode) throws ErrnoException {
    int slash = path.indexOf('/', 1);
    String name = slash < 0 ? path.substring(1) : path.substring(1, slash);
    Root root = roots.get(name);
    if (root == null) {
      throw new ErrnoException(
          Errno.ENOENT,
          roots.isEmpty()
              ? "path: no folder of the host is configured; set roots of " + PID
              : "path: there is no " + mountPoint + "/" + name + "; there are " + roots.keySet());
    }
    if (mode.canWrite() && !root.writable()) {
      throw new ErrnoException(
          Errno.EROFS,
          "path: " + mountPoint + "/" + name + " is read-only; writable of " + PID
              + " names the roots that are not");
    }
    Path real = root.resolve(slash < 0 ? "" : path.substring(slash + 1));
    try {
      return find(real, mountPoint + path).inode();
    } catch (IOException e) {
      throw HostFile.errno("path: " + mountPoint + path, e);
    }
  }

  private HostFile find(Path real, String shown) throws IOException, ErrnoException {
    BasicFileAttributes attributes =
        Files.readAttributes(real, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (attributes.isDirectory()) {
      throw new ErrnoException(Errno.EISDIR, "path: " + shown + " is a folder");
    }
    if (!attributes.isRegularFile()) {
      throw new ErrnoException(Errno.EACCES, "path: " + shown + " is no regular file");
    }
    Object key = Objects.requireNonNullElse(attributes.fileKey(), real);
    synchronized (files) {
      files.values().removeIf(reference -> reference.get() == null);
      HostFile known = get(key);
      if (known == null) {
        known =
            new HostFile(real, key, isWritable(real), describe(real, shown), attributes.size());
        files.put(key, new WeakReference<>(known));
      }
      return known;
    }
  }

  /** Whether the host and some root that it lies in let a file be written: it may be found by others. */
  private boolean isWritable(Path real) {
    return Files.isWritable(real)
        && roots.values().stream().anyMatch(
            root -> root.writable() && real.startsWith(root.folder()));
  }

  private @Nullable HostFile get(Object key) {
    WeakReference<HostFile> reference = files.get(key);
    return reference == null ? null : reference.get();
  }

  /** Device, number and kind of file system as the host has them. */
  private static Inode.Builder describe(Path real, String shown) throws IOException {
    Inode.Builder inode =
        Inode.builder(FileKind.REGULAR, shown).fileSystem(Files.getFileStore(real).type(), false);
    try {
      long device = ((Number) Files.getAttribute(real, "unix:dev")).longValue();
      long number = ((Number) Files.getAttribute(real, "unix:ino")).longValue();
      return inode.identity(deviceNumber(device), number);
    } catch (UnsupportedOperationException | IllegalArgumentException notUnix) {
      return inode;
    }
  }

  /** {@code gnu_dev_major} and {@code gnu_dev_minor}: how the C library packs the two. */
  static DeviceNumber deviceNumber(long dev) {
    int major = (int) (dev >>> 8 & 0xfff | dev >>> 32 & 0xffff_f000L);
    int minor = (int) (dev & 0xff | dev >>> 12 & 0xffff_ff00L);
    return new DeviceNumber(major & 0xfff, minor & 0xfffff);
  }

  @Override
  public void open(OpenFile file) throws ErrnoException {
    HostFile host = host(file);
    if (file.mode().canWrite() && !host.isWritable()) {
      throw new ErrnoException(
          Errno.EACCES, "path: the host does not let " + file.inode().path() + " be written");
    }
    host.opened();
  }

  @Override
  public void release(OpenFile file) {
    host(file).released();
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    request.setPageCache();
  }

  private static HostFile host(OpenFile file) {
    return (HostFile) Objects.requireNonNull(file.inode().pageCache());
  }
}
