// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapfile;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * A file of whole pages that belongs to one kernel: locked, readable by its owner alone, and with all
 * its room taken from the disk when it is opened. The first page is the signature, by which a file
 * that a kernel left when it was killed is told from somebody's letters.
 *
 * <p>An interrupt during I/O closes a {@code FileChannel}, for all threads. The interrupted call ends
 * then; the others, and all later ones, open the file anew.
 */
final class PageFile {
  private static final Logger LOG = System.getLogger(PageFile.class.getName());
  private static final int PAGE = SwapFile.PAGE;
  private static final byte[] SIGNATURE =
      "FAULTLINE-SWAP-1\n".getBytes(StandardCharsets.US_ASCII);
  private static final int STRIDE = 1 << 20;
  private static final Set<PosixFilePermission> OWNER =
      PosixFilePermissions.fromString("rw-------");

  private final Path path;
  private final boolean ours;
  private volatile FileChannel channel;
  private boolean over; // guarded by this

  private PageFile(Path path, FileChannel channel, boolean ours) {
    this.path = path;
    this.channel = channel;
    this.ours = ours;
  }

  /**
   * Makes the file, or takes one that is empty or was left behind.
   *
   * @param pages how long it is to be, the signature's included
   * @throws IOException when it is in use, is somebody's, or there is no room
   */
  static PageFile open(Path path, long pages) throws IOException {
    PageFile file = make(path);
    try {
      file.take(pages);
      return file;
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static PageFile make(Path path) throws IOException {
    Set<StandardOpenOption> options =
        Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    FileChannel channel;
    try {
      channel = posix(path)
          ? FileChannel.open(path, options, PosixFilePermissions.asFileAttribute(OWNER))
          : FileChannel.open(path, options, new FileAttribute<?>[0]);
    } catch (FileAlreadyExistsException e) {
      return adopt(path);
    }
    return lockedOrClosed(path, channel, true);
  }

  private static PageFile adopt(Path path) throws IOException {
    if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(path + " is not a file; give another path");
    }
    FileChannel channel = reopen(path);
    PageFile file = lockedOrClosed(path, channel, channel.size() != 0);
    try {
      ByteBuffer start = ByteBuffer.allocate(SIGNATURE.length);
      channel.read(start, 0);
      if (file.ours && !start.flip().equals(ByteBuffer.wrap(SIGNATURE))) {
        throw new IOException(
            path + " is there, and no swap file of Faultline's; remove it or give another path");
      }
      if (posix(path)) {
        Files.setPosixFilePermissions(path, OWNER);
      }
      return file;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static FileChannel reopen(Path path) throws IOException {
    return FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE,
        LinkOption.NOFOLLOW_LINKS);
  }

  private static PageFile lockedOrClosed(Path path, FileChannel channel, boolean ours)
      throws IOException {
    try {
      lock(path, channel);
      return new PageFile(path, channel, ours);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** The lock ends with the channel, and with the process however that ends. */
  @SuppressWarnings("resource")
  private static void lock(Path path, FileChannel channel) throws IOException {
    try {
      if (channel.tryLock() != null) {
        return;
      }
    } catch (OverlappingFileLockException e) {
      // Another kernel in this JVM.
    }
    throw new IOException(path + " is in use by another kernel");
  }

  private static boolean posix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  /** Writes all of it, and to the disk: what there is no room for does not show up later. */
  private void take(long pages) throws IOException {
    long bytes = pages * PAGE;
    long missing = bytes - channel.size() - Files.getFileStore(path).getUsableSpace();
    if (missing > 0) {
      throw new IOException(
          "no room for %s: %d bytes are missing; make size.bytes smaller or give another path"
              .formatted(path, missing));
    }
    channel.truncate(bytes);
    ByteBuffer zeros = ByteBuffer.allocateDirect(STRIDE);
    zeros.put(0, SIGNATURE);
    for (long at = 0; at < bytes;) {
      zeros.position(0).limit((int) Math.min(STRIDE, bytes - at));
      while (zeros.hasRemaining()) {
        at += channel.write(zeros, at);
      }
      zeros.put(0, new byte[SIGNATURE.length]);
    }
    channel.force(true);
  }

  /**
   * Writes neighbouring pages.
   *
   * @param page the first one's number in the file
   * @param from index of the first of {@code pages}
   * @param to index behind the last
   */
  void write(long page, MemorySegment[] pages, int from, int to) throws IOException {
    transfer(open -> {
      ByteBuffer[] buffers = new ByteBuffer[to - from];
      for (int i = 0; i < buffers.length; i++) {
        buffers[i] = pages[from + i].asByteBuffer();
      }
      open.position(page * PAGE); // Nobody else uses the position: there is one write at a time.
      for (int first = 0; first < buffers.length;) {
        open.write(buffers, first, buffers.length - first);
        while (first < buffers.length && !buffers[first].hasRemaining()) {
          first++;
        }
      }
    });
  }

  /** Reads one page. */
  void read(long page, MemorySegment into) throws IOException {
    transfer(open -> {
      ByteBuffer buffer = into.asByteBuffer();
      while (buffer.hasRemaining()) {
        if (open.read(buffer, page * PAGE + buffer.position()) < 0) {
          throw new EOFException(path + " has become shorter");
        }
      }
    });
  }

  private void transfer(Transfer transfer) throws IOException {
    while (true) {
      FileChannel open = channel;
      if (Thread.currentThread().isInterrupted()) {
        throw new InterruptedIOException(path + ": interrupted");
      }
      try {
        transfer.on(open);
        return;
      } catch (ClosedByInterruptException e) {
        throw (IOException) new InterruptedIOException(path + ": interrupted").initCause(e);
      } catch (ClosedChannelException e) {
        replace(open);
      }
    }
  }

  /** The lock was gone for a moment; whoever came in between has it now, and the file with it. */
  private synchronized void replace(FileChannel closed) throws IOException {
    if (over) {
      throw new IOException(path + " is not active");
    }
    if (channel == closed) {
      FileChannel fresh = reopen(path);
      lockedOrClosed(path, fresh, ours);
      channel = fresh;
    }
  }

  /** Removes the file if it was made for this, and empties it otherwise. */
  synchronized void close() {
    over = true;
    try (FileChannel last = channel) {
      if (ours) {
        Files.deleteIfExists(path);
      } else if (last.isOpen()) {
        last.truncate(0);
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, path + " could not be removed", e);
    }
  }

  /** What may have to be done once more, on another channel. */
  private interface Transfer {
    void on(FileChannel channel) throws IOException;
  }
}
