// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.hostfile;

import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.Inode;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One file of the host. Bytes go between the kernel's frames and the file without a copy in between,
 * by positional reads and writes. Thread-safe.
 *
 * <p>An interrupt closes a file's channel in Java, for everybody. The watchdog interrupts calls that
 * hang, and programs interrupt their threads: so an interrupt that came before a call is put aside for
 * as long as it lasts, and a channel that was closed is opened again if the same file is still there.
 */
final class HostFile implements AddressSpaceOperations {
  private static final Set<OpenOption> READ =
      Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
  private static final Set<OpenOption> READ_WRITE =
      Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);

  /** What is done with the channel. */
  @FunctionalInterface
  private interface ChannelCall<R> {
    R on(FileChannel channel) throws IOException, ErrnoException;
  }

  private final Path path;
  private final Object key;
  private final boolean writable;
  private final Inode inode;

  // Guarded by this object's monitor.
  private @Nullable FileChannel channel;
  private int openFiles;
  private boolean failing;
  private boolean deleted;
  /** The host's size as we last saw or made it. */
  private long hostSize;

  /**
   * @param path its real path
   * @param key what tells it from other files of the host
   * @param description its inode, all but the page cache and the size
   */
  HostFile(
      Path path, Object key, boolean writable, Inode.Builder description, long size)
      throws IOException {
    this.path = path;
    this.key = key;
    this.writable = writable;
    this.hostSize = size;
    this.inode = description.size(size).pageCache(this).build();
    // Now, so that a file without permission is refused at its open and not at its first touch.
    FileChannel unused = channel();
  }

  Inode inode() {
    return inode;
  }

  boolean isWritable() {
    return writable;
  }

  synchronized void opened() {
    openFiles++;
  }

  /** The last open file is gone, and the kernel has written back what it could. */
  synchronized void released() {
    openFiles--;
    closeIfUnused();
  }

  /** Pages that could not be stored want the file again, also when it has no name any more. */
  private void closeIfUnused() {
    if (openFiles == 0 && !failing) {
      close();
    }
  }

  synchronized void close() {
    FileChannel open = channel;
    channel = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        // What was written was written; there is nobody to tell.
      }
    }
  }

  private synchronized FileChannel channel() throws IOException {
    FileChannel open = channel;
    if (open == null || !open.isOpen()) {
      open = FileChannel.open(path, writable ? READ_WRITE : READ);
      Object now =
          Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
              .fileKey();
      if (!key.equals(now)) {
        open.close();
        throw new NoSuchFileException(
            path.toString(), null, "another file has taken its place; open it anew");
      }
      channel = open;
    }
    return open;
  }

  private <R> R call(ChannelCall<R> call) throws IOException, ErrnoException {
    boolean interrupted = Thread.interrupted();
    try {
      for (int attempt = 0;; attempt++) {
        try {
          return call.on(channel());
        } catch (ClosedByInterruptException hung) {
          InterruptedIOException e =
              new InterruptedIOException(path + ": the host took too long");
          e.initCause(hung);
          throw e;
        } catch (ClosedChannelException closed) {
          // By another thread's interrupt.
          if (attempt == 3) {
            throw closed;
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void readPages(Inode of, long firstPage, MemorySegment[] pages)
      throws IOException, ErrnoException {
    Object unused = call(open -> {
      lookAtSize(open);
      for (int i = 0; i < pages.length; i++) {
        ByteBuffer target = pages[i].asByteBuffer();
        long at = (firstPage + i) << Mman.PAGE_SHIFT;
        while (target.hasRemaining()) {
          int count = open.read(target, at + target.position());
          if (count < 0) {
            break;
          }
        }
      }
      return of;
    });
  }

  @Override
  public void writePages(Inode of, long firstPage, MemorySegment[] pages)
      throws IOException, ErrnoException {
    try {
      Object unused = call(open -> {
        lookAtSize(open);
        for (int i = 0; i < pages.length; i++) {
          long at = (firstPage + i) << Mman.PAGE_SHIFT;
          // Somebody may have cut the file off here: writing would make it longer again.
          long inside = Math.min(pages[i].byteSize(), inode.size() - at);
          if (inside > 0) {
            write(open, at, pages[i].asSlice(0, inside).asByteBuffer());
          }
        }
        return of;
      });
    } catch (IOException e) {
      stored(false);
      throw errno(inode.path(), e);
    }
    stored(true);
  }

  private synchronized void stored(boolean well) {
    failing = !well;
    closeIfUnused();
  }

  private void write(FileChannel open, long at, ByteBuffer source) throws IOException {
    try {
      while (source.hasRemaining()) {
        int unused = open.write(source, at + source.position());
      }
    } finally {
      synchronized (this) {
        hostSize = Math.max(hostSize, at + source.position());
      }
    }
  }

  @Override
  public void truncate(Inode of, long size) throws IOException, ErrnoException {
    if (!writable) {
      throw new ErrnoException(Errno.EROFS, "fd: " + inode.path() + " is read-only");
    }
    try {
      Object unused = call(open -> {
        if (size < open.size()) {
          open.truncate(size);
        } else if (size > open.size()) {
          int one = open.write(ByteBuffer.allocate(1), size - 1);
        }
        synchronized (this) {
          hostSize = open.size();
        }
        return of;
      });
    } catch (IOException e) {
      throw errno(inode.path(), e);
    }
  }

  @Override
  public void sync(Inode of) throws IOException, ErrnoException {
    if (writable) {
      Object unused = call(open -> {
        open.force(true);
        return of;
      });
    }
  }

  @Override
  public void revalidate(Inode of) throws IOException, ErrnoException {
    Object unused = call(open -> {
      lookAtSize(open);
      return of;
    });
    lookAtName();
  }

  /** Tells the kernel when the file's size is not what we left it at. */
  private void lookAtSize(FileChannel open) throws IOException {
    long now;
    boolean shorter;
    synchronized (this) {
      now = open.size();
      if (now == hostSize) {
        return;
      }
      shorter = now < hostSize;
      hostSize = now;
    }
    if (shorter || now > inode.size()) {
      inode.resize(now);
    }
  }

  /** {@code /proc/PID/maps} tells when a file has lost its name. */
  private synchronized void lookAtName() {
    if (deleted) {
      return;
    }
    Object now;
    try {
      now = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .fileKey();
    } catch (NoSuchFileException gone) {
      now = null;
    } catch (IOException unknown) {
      return;
    }
    if (!Objects.equals(key, now)) {
      deleted = true;
      inode.rename(inode.path() + " (deleted)");
    }
  }

  /** The host's error as Linux numbers it. */
  static ErrnoException errno(String what, IOException e) {
    String text = Objects.requireNonNullElse(e.getMessage(), e.toString());
    String lower = text.toLowerCase(Locale.ROOT);
    Errno errno = switch (e) {
      case NoSuchFileException gone -> Errno.ENOENT;
      case AccessDeniedException denied -> Errno.EACCES;
      default -> lower.contains("no space left") || lower.contains("quota")
          ? Errno.ENOSPC
          : lower.contains("file too large")
              ? Errno.EFBIG
          : lower.contains("read-only file system")
              ? Errno.EROFS
          : lower.contains("not a directory") ? Errno.ENOTDIR
          : Errno.EIO;
    };
    return new ErrnoException(errno, what + ": " + text);
  }
}
