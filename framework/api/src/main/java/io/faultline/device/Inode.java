// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The identity of a file ({@code struct inode} with the name it has): what every open file of it and
 * every mapping of it share. {@code /proc/PID/maps} prints its device, number and path.
 *
 * <p>Thread-safe: path and size may change at any time.
 */
public final class Inode {
  /** {@code F_SEAL_WRITE}. */
  public static final int F_SEAL_WRITE = 0x8;

  /** {@code F_SEAL_FUTURE_WRITE}. */
  public static final int F_SEAL_FUTURE_WRITE = 0x10;

  private final FileKind kind;
  private final DeviceNumber device;
  private final long number;
  private final String fileSystem;
  private final boolean noExec;
  private final int seals;
  private final DeviceNumber represents;
  private final @Nullable MmapProvider provider;
  private volatile @Nullable AddressSpaceOperations pageCache;
  private volatile String path;
  private volatile long size;
  private volatile @Nullable ResizeListener resizeListener;

  /** Hears that the size of a file was changed. */
  @FunctionalInterface
  public interface ResizeListener {
    /**
     * @param oldSize in bytes
     * @param newSize in bytes
     */
    void resized(long oldSize, long newSize);
  }

  private Inode(Builder builder) {
    this.kind = builder.kind;
    this.device = builder.device;
    this.number = builder.number;
    this.path = builder.path;
    this.fileSystem = builder.fileSystem;
    this.noExec = builder.noExec;
    this.seals = builder.seals;
    this.represents = builder.represents;
    this.provider = builder.provider;
    this.pageCache = builder.pageCache;
    this.size = builder.size;
  }

  /**
   * Begins the description of a file.
   *
   * @param kind its kind
   * @param path the text that {@code /proc/PID/maps} prints
   */
  public static Builder builder(FileKind kind, String path) {
    return new Builder(kind, path);
  }

  /** What kind of file. */
  public FileKind kind() {
    return kind;
  }

  /** The device that <b>holds</b> the file, not the one that it is (LDD3 p. 420). */
  public DeviceNumber device() {
    return device;
  }

  /** The inode number, unsigned. */
  public long number() {
    return number;
  }

  /** The name of the file system's type: {@code ext4}, {@code tmpfs}, {@code devtmpfs}, … */
  public String fileSystem() {
    return fileSystem;
  }

  /** Whether its file system is mounted {@code noexec}. */
  public boolean noExec() {
    return noExec;
  }

  /** The seals of a memory file, {@code F_SEAL_…}. */
  public int seals() {
    return seals;
  }

  /** For a device node: the device that it is ({@code rdev}); else {@link DeviceNumber#NONE}. */
  public DeviceNumber represents() {
    return represents;
  }

  /** The operations of the file itself; null for a device node, whose driver is looked up. */
  public @Nullable MmapProvider provider() {
    return provider;
  }

  /** Where its pages are stored; null when the kernel keeps no pages of it. */
  public @Nullable AddressSpaceOperations pageCache() {
    return pageCache;
  }

  /** The current name. */
  public String path() {
    return path;
  }

  /** Gives the file another name, as rename or unlink does; every mapping shows it at once. */
  public void rename(String newPath) {
    path = Objects.requireNonNull(newPath, "newPath");
  }

  /** The size in bytes. */
  public long size() {
    return size;
  }

  /**
   * Sets the size in bytes. Pages of a page cache that lie behind it are dropped, and unmapped, private
   * copies included; what is behind it in the last page reads as zeros.
   *
   * @throws IllegalArgumentException when negative
   */
  public void resize(long newSize) {
    if (newSize < 0) {
      throw new IllegalArgumentException("newSize: " + newSize + " is negative");
    }
    long oldSize;
    synchronized (this) {
      oldSize = size;
      size = newSize;
    }
    ResizeListener listener = resizeListener;
    if (listener != null && oldSize != newSize) {
      listener.resized(oldSize, newSize);
    }
  }

  /** For the kernel: the driver that stores the pages is gone, and nothing must keep it in memory. */
  public void forgetPageCache() {
    pageCache = null;
  }

  /** For the kernel that keeps its pages: who hears of {@link #resize}; null for nobody. */
  public void setResizeListener(@Nullable ResizeListener listener) {
    resizeListener = listener;
  }

  @Override
  public String toString() {
    return path + " (" + device + " inode " + Long.toUnsignedString(number) + ")";
  }

  /** Collects the parts of an {@link Inode}; not thread-safe. */
  public static final class Builder {
    private final FileKind kind;
    private final String path;
    private DeviceNumber device = DeviceNumber.NONE;
    private long number;
    private String fileSystem = "none";
    private boolean noExec;
    private int seals;
    private DeviceNumber represents = DeviceNumber.NONE;
    private @Nullable MmapProvider provider;
    private @Nullable AddressSpaceOperations pageCache;
    private long size;

    private Builder(FileKind kind, String path) {
      this.kind = Objects.requireNonNull(kind, "kind");
      this.path = Objects.requireNonNull(path, "path");
    }

    /** The device that holds the file, and its number there. */
    public Builder identity(DeviceNumber holder, long inodeNumber) {
      this.device = Objects.requireNonNull(holder, "holder");
      this.number = inodeNumber;
      return this;
    }

    /** The type of the file system and whether it is mounted noexec. */
    public Builder fileSystem(String type, boolean mountedNoExec) {
      this.fileSystem = Objects.requireNonNull(type, "type");
      this.noExec = mountedNoExec;
      return this;
    }

    /** The seals of a memory file. */
    public Builder seals(int bits) {
      this.seals = bits;
      return this;
    }

    /** The device that a device node is. */
    public Builder represents(DeviceNumber rdev) {
      this.represents = Objects.requireNonNull(rdev, "rdev");
      return this;
    }

    /** The operations of the file. */
    public Builder provider(MmapProvider operations) {
      this.provider = Objects.requireNonNull(operations, "operations");
      return this;
    }

    /** Has the kernel keep the file's pages, and says where they are stored. */
    public Builder pageCache(AddressSpaceOperations storage) {
      this.pageCache = Objects.requireNonNull(storage, "storage");
      return this;
    }

    /** The size in bytes. */
    public Builder size(long bytes) {
      this.size = bytes;
      return this;
    }

    /** The finished inode. */
    public Inode build() {
      return new Inode(this);
    }
  }
}
